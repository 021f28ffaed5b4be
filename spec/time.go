package spec

import (
	"time"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec/rule"
)

// Time is an instant as documents write it: RFC 3339, UTC, `Z` only (protocol.md 2.1), to the millisecond.
// The zero Time is absent.
type Time struct{ time.Time }

// At makes the document time of t, cut to the millisecond.
func At(t time.Time) Time { return Time{t.UTC().Truncate(time.Millisecond)} }

// IsZero makes an absent Time leave no member behind.
func (t Time) IsZero() bool { return t.Time.IsZero() }

func (t Time) String() string { return rule.FormatTime(t.Time) }

// TextJCS is the one form of the instant.
func (t Time) TextJCS() string { return rule.FormatTime(t.Time) }

// UnmarshalJCS reads it strictly.
func (t *Time) UnmarshalJCS(v jcs.Value) error {
	s, ok := v.Text()
	if !ok {
		return refuse("time-syntax", "", "a time is a string")
	}
	at, err := rule.ParseTime(s)
	if err != nil {
		return refuse("time-syntax", "", "%v", err)
	}
	t.Time = at
	return nil
}

// OneFormJCS says that UnmarshalJCS takes nothing but what is written.
func (Time) OneFormJCS() {}

// Seen is the newest checkpoint that a signer had seen when it signed: it proves "not before", nothing more.
type Seen struct {
	Origin string `json:"origin"`
	Size   int64  `json:"size"`
	Root   string `json:"root"`
}
