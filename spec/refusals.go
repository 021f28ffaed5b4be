package spec

import (
	"time"

	"github.com/writ-trust/writ/did"
)

// MaxRefusals is how many new requests of a mandate are REJECTED with an entry each within a minute; one entry counts the others
// (protocol.md 7.10).
const MaxRefusals = 10

const refusalMinute = time.Minute

// Refusals are the REJECTED decisions of a chain in a minute of ledger time, which begins with the first of them. A decision that
// resumes another is not among them: its caller has waited for an end.
type Refusals struct {
	From   time.Time // of the first; the minute is [From, From + 1 minute). Zero where there is none
	Logged int64     // 0 to MaxRefusals: those with an entry
	Beyond int64     // those without one, until a RefusalCount is logged: operational, since no document says so yet
}

// Full says whether a further refusal at an instant is counted only, and until when.
func (r Refusals) Full(now time.Time) (until time.Time, full bool) {
	until = r.From.Add(refusalMinute)
	return until, r.Logged >= MaxRefusals && now.Before(until)
}

// Due says whether the minute is over and refusals of it have no entry yet.
func (r Refusals) Due(now time.Time) bool {
	return r.Beyond > 0 && !now.Before(r.From.Add(refusalMinute))
}

// BeyondError says that a request is refused beyond those that get a decision: it is counted, its key is free, and it may be asked again
// from Until on. Its reason is "refusals-many".
type BeyondError struct {
	Mandate string // content digest of the leaf mandate, on whose chain it is counted
	Until   time.Time
}

func (e *BeyondError) Error() string { return "refusals-many until " + At(e.Until).String() }

// Unwrap gives the reason.
func (e *BeyondError) Unwrap() error {
	return refuse("refusals-many", "", "more of the mandate's requests were refused in a minute than get an entry each")
}

// RefusalCount says how many requests of a mandate were refused in a minute beyond those with a decision each. It is signed by the
// verifier's decision key.
type RefusalCount struct {
	Type     string `json:"type"`
	Version  string `json:"version"`
	Mode     string `json:"mode,omitempty"`
	Mandate  string `json:"mandate"` // content digest
	From     Time   `json:"from"`    // of the first refusal of the minute
	To       Time   `json:"to"`      // one minute later
	Count    int64  `json:"count"`   // at least 1
	Verifier string `json:"verifier"`
	At       Time   `json:"at"` // ledger time
}

// NewRefusalCount is the document that counts what a chain's state has without an entry, unsigned.
func NewRefusalCount(s *State, verifier, mode string, now time.Time) (Document, error) {
	return New(&RefusalCount{Type: "RefusalCount", Version: Version, Mode: mode, Mandate: s.Content, From: At(s.Refusals.From),
		To: At(s.Refusals.From.Add(refusalMinute)), Count: s.Refusals.Beyond, Verifier: verifier, At: At(now)})
}

func (c *RefusalCount) docType() string { return TypeRefusalCount }
func (c *RefusalCount) mode() string    { return c.Mode }

func (c *RefusalCount) check() error {
	switch {
	case c.Type != "RefusalCount":
		return refuse("type-fixed", "/type", "exactly RefusalCount")
	case c.Version != Version:
		return refuse("version-unknown", "/version", "only version 1 is known")
	case !c.To.Equal(c.From.Add(refusalMinute)) || c.At.Before(c.To.Time):
		return refuse("refusals-minute", "/to", "a minute from the first on, and logged when it is over")
	case c.Count < 1:
		return refuse("member-range", "/count", "at least 1")
	case did.Check(c.Verifier) != nil:
		return refuse("did-syntax", "/verifier", "not a DID of a known method")
	}
	return firstError(
		func() error { return checkDigest(c.Mandate, "/mandate") },
		func() error { return checkMode(c.Mode) },
	)
}

// refuseOnce counts a REJECTED decision, and refuses the one that would be too many.
func (s *State) refuseOnce(now time.Time) error {
	r := &s.Refusals
	switch {
	case r.From.IsZero() || !now.Before(r.From.Add(refusalMinute)):
		*r = Refusals{From: now}
	case r.Logged >= MaxRefusals:
		return refuse("refusals-many", "", "the minute has its refusals already")
	}
	r.Logged++
	return nil
}

// applyCount ends a minute: one count, of a minute that is full and over.
func (s *State) applyCount(c *RefusalCount, now time.Time) error {
	r := &s.Refusals
	if s.Mandate == nil || !c.From.Equal(r.From) || r.Logged < MaxRefusals || now.Before(c.To.Time) {
		return refuse("refusals-minute", "/from", "no minute of the mandate is to be counted so")
	}
	*r = Refusals{}
	return nil
}
