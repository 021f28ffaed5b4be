// Package status reads and makes the status lists of credentials (W3C Bitstring Status List 1.0)
// and answers whether an entry is set at an instant.
//
// It is pure: who fetches lists, whose signature they carry (vc.Verify) and whose key counts are
// the caller's. Whatever cannot be answered is an error, never "not set". Start with Read and
// List.Check.
package status

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/writ-trust/writ/vc"
)

// The types of the specification (§§2.1, 2.2).
const (
	TypeEntry      = "BitstringStatusListEntry"
	TypeList       = "BitstringStatusList"
	TypeCredential = "BitstringStatusListCredential"
)

// Error is what this package refuses with: a stable reason code and the JSON Pointer of the place.
type Error = vc.Error

func refuse(reason, pointer, format string, args ...any) error {
	return &Error{Reason: reason, Pointer: pointer, Detail: fmt.Sprintf(format, args...)}
}

// Entry says where a credential's status is found (§2.1).
type Entry struct {
	Purpose string // "revocation" or "suspension"
	List    string // URL of the status list credential
	Index   int    // position of its bit, ≥ 0
}

// entryMembers is an Entry as it stands in a credential.
type entryMembers struct {
	ID         string `json:"id,omitempty"`
	Type       string `json:"type"`
	Purpose    string `json:"statusPurpose"`
	Index      string `json:"statusListIndex"`
	Credential string `json:"statusListCredential"`
}

// ReadEntry reads one entry of credentialStatus: exactly type, statusPurpose (revocation or
// suspension), statusListIndex (decimal, in one spelling) and statusListCredential, with an
// optional id. Entries of several bits (statusSize) are refused.
// Reasons: status-entry, and those of vc.Value.Decode.
func ReadEntry(v vc.Value) (Entry, error) {
	var m entryMembers
	if err := v.Decode(&m); err != nil {
		return Entry{}, err
	}
	index, err := strconv.Atoi(m.Index)
	switch {
	case m.Type != TypeEntry:
		return Entry{}, refuse("status-entry", "/type", "not a "+TypeEntry)
	case !isPurpose(m.Purpose):
		return Entry{}, refuse("status-entry", "/statusPurpose", "neither revocation nor suspension")
	case err != nil || index < 0 || index >= MaxEntries || strconv.Itoa(index) != m.Index:
		return Entry{}, refuse("status-entry", "/statusListIndex", "not an index below %d in plain decimal", MaxEntries)
	case m.Credential == "":
		return Entry{}, refuse("status-entry", "/statusListCredential", "empty")
	}
	return Entry{Purpose: m.Purpose, List: m.Credential, Index: index}, nil
}

// isPurpose reports whether p is a statusPurpose known here (§2.1).
func isPurpose(p string) bool { return p == "revocation" || p == "suspension" }

// Value returns the entry as a member of credentialStatus.
func (e Entry) Value() (vc.Value, error) {
	return newValue(entryMembers{
		Type: TypeEntry, Purpose: e.Purpose, Index: strconv.Itoa(e.Index), Credential: e.List,
	})
}

// List is a status list credential (§2.2).
type List struct {
	ID         string // URL of the credential
	Issuer     string
	Purpose    string        // "revocation" or "suspension"
	ValidFrom  time.Time     // when its bits were so
	ValidUntil time.Time     // from here on it answers nothing
	TTL        time.Duration // how long it may be relied on after ValidFrom; zero: as the reader likes
	Bits       Bits
	Test       bool // mode: "test"; a live reader refuses it
}

// subjectMembers is the credentialSubject of a List.
type subjectMembers struct {
	ID      string `json:"id,omitempty"`
	Type    string `json:"type"`
	Purpose string `json:"statusPurpose"`
	Encoded string `json:"encodedList"`
	TTL     *int64 `json:"ttl,omitempty"` // milliseconds
	Mode    string `json:"mode,omitempty"`
}

// contextOfMode is the context that gives mode a meaning.
const contextOfMode = "https://w3id.org/writ/v1"

// maxTTL bounds ttl, so that it fits a time.Duration and means something.
const maxTTL = 366 * 24 * time.Hour

// Read takes a status list credential apart, whose signature the caller checks. Beyond the
// specification it must have id, validFrom and validUntil, without which nobody could say how old
// its answer is, and one purpose. Reasons: status-list, status-size, status-encoding, and those of
// vc.ReadCredential and vc.Value.Decode.
func Read(doc vc.Value) (List, error) {
	c, err := vc.ReadCredential(doc)
	if err != nil {
		return List{}, err
	}
	switch {
	case !slices.Contains(c.Type, TypeCredential):
		return List{}, refuse("status-list", "/type", "not a "+TypeCredential)
	case c.ID == "" || c.ValidFrom.IsZero() || c.ValidUntil.IsZero():
		return List{}, refuse("status-list", "", "without id, validFrom or validUntil")
	case len(c.Subjects) != 1:
		return List{}, refuse("status-list", "/credentialSubject", "not one list")
	}
	l := List{ID: c.ID, Issuer: c.Issuer, ValidFrom: c.ValidFrom, ValidUntil: c.ValidUntil}
	if err := l.readSubject(c.Subjects[0]); err != nil {
		return List{}, err
	}
	return l, nil
}

// readSubject fills in what credentialSubject says.
func (l *List) readSubject(v vc.Value) error {
	var m subjectMembers
	if err := v.Decode(&m); err != nil {
		return within("/credentialSubject", err)
	}
	switch {
	case m.Type != TypeList:
		return refuse("status-list", "/credentialSubject/type", "not a "+TypeList)
	case !isPurpose(m.Purpose):
		return refuse("status-list", "/credentialSubject/statusPurpose", "neither revocation nor suspension")
	case m.TTL != nil && (*m.TTL <= 0 || *m.TTL > maxTTL.Milliseconds()):
		return refuse("status-list", "/credentialSubject/ttl", "not a time up to a year")
	case m.Mode != "" && m.Mode != "test":
		return refuse("status-list", "/credentialSubject/mode", "neither absent nor test")
	}
	if m.TTL != nil {
		l.TTL = time.Duration(*m.TTL) * time.Millisecond
	}
	l.Test = m.Mode == "test"
	l.Purpose = m.Purpose
	var err error
	l.Bits, err = Decode(m.Encoded)
	return err
}

// within moves an error about a part of a document to the part's place.
func within(pointer string, err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	moved := *e
	moved.Pointer = pointer + e.Pointer
	return &moved
}

// Value returns the list as an unsigned credential, which Read reads. Times are written with whole
// seconds, ttl with whole milliseconds.
func (l List) Value() (vc.Value, error) {
	subject := subjectMembers{ID: l.ID + "#list", Type: TypeList, Purpose: l.Purpose, Encoded: l.Bits.Encode()}
	if ttl := l.TTL.Milliseconds(); ttl != 0 {
		subject.TTL = &ttl
	}
	if l.Test {
		subject.Mode = "test"
	}
	contexts := []string{vc.Context}
	if l.Test {
		contexts = append(contexts, contextOfMode)
	}
	doc, err := newValue(credentialMembers{
		Context:    contexts,
		ID:         l.ID,
		Type:       []string{vc.TypeCredential, TypeCredential},
		Issuer:     l.Issuer,
		ValidFrom:  l.ValidFrom.UTC().Format(time.RFC3339),
		ValidUntil: l.ValidUntil.UTC().Format(time.RFC3339),
		Subject:    subject,
	})
	if err != nil {
		return vc.Value{}, err
	}
	if _, err := Read(doc); err != nil {
		return vc.Value{}, err
	}
	return doc, nil
}

// credentialMembers is a List as a credential.
type credentialMembers struct {
	Context    []string       `json:"@context"`
	ID         string         `json:"id"`
	Type       []string       `json:"type"`
	Issuer     string         `json:"issuer"`
	ValidFrom  string         `json:"validFrom"`
	ValidUntil string         `json:"validUntil"`
	Subject    subjectMembers `json:"credentialSubject"`
}

// newValue makes a parsed document of a struct.
func newValue(members any) (vc.Value, error) {
	data, err := json.Marshal(members)
	if err != nil {
		return vc.Value{}, err
	}
	return vc.Parse(data)
}

// Check answers whether the bit of e is set, by this list, at an instant (§3.2). The list must be
// the one that e names, have its purpose, be in its validity, and be no older than maxAge and its
// own ttl. A zero maxAge leaves the age to the ttl. Every failure is an error; no answer is "not
// set". Reasons: status-other-list, status-purpose, status-early, status-stale, status-index.
func (l List) Check(e Entry, at time.Time, maxAge time.Duration) (set bool, err error) {
	switch {
	case e.List != l.ID:
		return false, refuse("status-other-list", "", "not the list that the entry names")
	case l.Purpose != e.Purpose:
		return false, refuse("status-purpose", "/credentialSubject/statusPurpose", "not the purpose of the entry")
	}
	if err := l.checkFresh(at, maxAge); err != nil {
		return false, err
	}
	return l.Bits.Get(e.Index)
}

// checkFresh holds the list's age against its own limits and the reader's.
func (l List) checkFresh(at time.Time, maxAge time.Duration) error {
	limit := maxAge
	if l.TTL != 0 && (limit == 0 || l.TTL < limit) {
		limit = l.TTL
	}
	switch {
	case at.Before(l.ValidFrom):
		return refuse("status-early", "/validFrom", "not valid yet")
	case !at.Before(l.ValidUntil):
		return refuse("status-stale", "/validUntil", "not valid any more")
	case limit != 0 && at.Sub(l.ValidFrom) > limit:
		return refuse("status-stale", "/validFrom", "older than %v", limit)
	}
	return nil
}
