package spec

import (
	"crypto/sha256"
	"slices"
	"sort"
	"strings"

	"github.com/writ-trust/writ/internal/jcs"
)

// Kinds of log entry (protocol.md 8.1).
const (
	EntryRoster    = "roster"
	EntryMandate   = "mandate"
	EntryPolicy    = "policy"
	EntryEvent     = "event"
	EntryHeads     = "heads"
	EntrySuccessor = "successor"
)

// MaxEntry is the largest log entry in bytes.
const MaxEntry = 2048

// Entry is the only thing that becomes public of a document: a commitment, and a link for every chain whose state it
// changes. Its canonical bytes are the leaf of the log.
type Entry struct {
	V          int64  `json:"v"`
	Kind       string `json:"kind"`
	Grantor    string `json:"grantor,omitempty"`
	Links      []Link `json:"links,omitempty"`
	Commitment string `json:"commitment,omitempty"`
	Root       string `json:"root,omitempty"`   // heads
	Origin     string `json:"origin,omitempty"` // successor
	Key        string `json:"key,omitempty"`    // successor
	Size       int64  `json:"size,omitempty"`   // successor
}

// Link is the entry's place on one chain; Seq counts from 1 without gaps; State commits to the chain's state after it.
type Link struct {
	Chain string `json:"chain"`
	Seq   int64  `json:"seq"`
	State string `json:"state"`
}

// ParseEntry reads an entry strictly and refuses bytes that are not canonical: a leaf has one form.
func ParseEntry(data []byte) (*Entry, error) {
	if len(data) > MaxEntry {
		return nil, refuse("entry-size", "", "an entry has at most %d bytes", MaxEntry)
	}
	v, err := jcs.ParseDocument(data)
	if err != nil {
		return nil, err
	}
	if string(v.Canonical()) != string(data) {
		return nil, refuse("entry-canonical", "", "an entry is canonical")
	}
	return EntryFromValue(v)
}

// EntryFromValue is ParseEntry for a member of a bundle.
func EntryFromValue(v jcs.Value) (*Entry, error) {
	var e Entry
	if err := decode(v, &e); err != nil {
		return nil, err
	}
	return &e, e.check()
}

func (e *Entry) check() error {
	if e.V != 1 {
		return refuse("version-unknown", "/v", "only version 1 is known")
	}
	switch e.Kind {
	case EntryRoster, EntryMandate, EntryPolicy, EntryEvent:
		if e.Root+e.Origin+e.Key != "" || e.Size != 0 {
			return refuse("entry-shape", "", "members of another kind")
		}
		if e.Kind == EntryEvent && e.Grantor != "" {
			return refuse("entry-shape", "/grantor", "events name no grantor")
		}
		return e.checkLinks()
	case EntryHeads:
		if e.Root == "" || len(e.Links) > 0 || e.Grantor+e.Commitment+e.Origin+e.Key != "" || e.Size != 0 {
			return refuse("entry-shape", "", "a heads entry is exactly v, kind, root")
		}
		return checkDigest(e.Root, "/root")
	case EntrySuccessor:
		if e.Origin == "" || e.Key == "" || e.Size < 1 || len(e.Links) > 0 || e.Grantor+e.Commitment+e.Root != "" {
			return refuse("entry-shape", "", "a successor entry is exactly v, kind, origin, key, size")
		}
		return nil
	}
	return refuse("entry-kind", "/kind", "no such kind")
}

func (e *Entry) checkLinks() error {
	if len(e.Links) == 0 || len(e.Links) > MaxChain {
		return refuse("too-many-chains", "/links", "between 1 and %d links", MaxChain)
	}
	for i, l := range e.Links {
		if l.Seq < 1 || i > 0 && e.Links[i-1].Chain >= l.Chain {
			return refuse("entry-links", "/links", "links are sorted by chain, once each, seq from 1")
		}
		if err := firstError(
			func() error { return checkDigest(l.Chain, "/links") },
			func() error { return checkDigest(l.State, "/links") }); err != nil {
			return err
		}
	}
	return checkDigest(e.Commitment, "/commitment")
}

// Link returns the entry's link for a chain.
func (e *Entry) Link(chain string) (Link, bool) {
	i := slices.IndexFunc(e.Links, func(l Link) bool { return l.Chain == chain })
	if i < 0 {
		return Link{}, false
	}
	return e.Links[i], true
}

// Bytes are the leaf: the canonical form.
func (e *Entry) Bytes() []byte {
	b, _ := jcs.Marshal(e)
	return b
}

// LeafHash is the RFC 6962 section 2.1 hash of a leaf, as a digest: what `previous` names.
func LeafHash(entry []byte) string {
	h := sha256.New()
	h.Write([]byte{0})
	h.Write(entry)
	return jcs.FormatDigest([32]byte(h.Sum(nil)))
}

// Commitment hides a document's digest under a salt of its own.
func Commitment(salt [32]byte, digest string) string {
	raw, err := jcs.ParseDigest(digest)
	if err != nil {
		return ""
	}
	var room [128]byte
	return jcs.FormatDigest(sha256.Sum256(append(append(append(room[:0], "writ/entry/v1"...), salt[:]...), raw[:]...)))
}

// Opening is what a chain's state commitment hides, without its salt: the state after one entry.
type Opening struct {
	Chain    string   `json:"chain"`
	Seq      int64    `json:"seq"`
	Previous string   `json:"previous,omitempty"`
	At       Time     `json:"at"`
	Status   Status   `json:"status"`
	Windows  []string `json:"windows,omitempty"`
}

// Commitment of an opened state under its salt.
func (o Opening) Commitment(salt [32]byte) (string, error) {
	body, err := jcs.Marshal(o)
	if err != nil {
		return "", err
	}
	return jcs.Digest("writ/state/v1"+string(salt[:]), body), nil
}

// WindowTotals is one window as its own commitment hides it.
type WindowTotals struct {
	Constraint string `json:"constraint"`
	From       Time   `json:"from,omitempty"`
	To         Time   `json:"to,omitempty"`
	Unit       string `json:"unit"`
	Max        string `json:"max"`
	Lifted     string `json:"lifted"`
	Held       string `json:"held"`
	Committed  string `json:"committed"`
	Excess     string `json:"excess"`
	Lifts      int64  `json:"lifts,omitempty"`
}

// Commitment of one window under its salt.
func (w WindowTotals) Commitment(salt [32]byte) (string, error) {
	body, err := jcs.Marshal(w)
	if err != nil {
		return "", err
	}
	return jcs.Digest("writ/window/v1\n"+string(salt[:]), body), nil
}

// Seed is the one secret of a link, drawn afresh for each: the salts of the state and of its windows are derived from it,
// so that any of them opens alone and determines no other.
type Seed [32]byte

// State is the salt of the state commitment.
func (s Seed) State() [32]byte { return s.derive("state") }

// Window is the salt of one window's commitment.
func (s Seed) Window(w WindowTotals) [32]byte {
	return s.derive("window\x00" + w.Constraint + "\x00" + w.Unit + "\x00" + w.From.String())
}

// Open makes the opening of the state s with its salts derived from seed. s.Head must still be that of the entry before.
func (s *State) Open(seed Seed) (Opening, error) {
	o := Opening{Chain: s.Chain, Seq: s.Seq, Previous: s.Head, At: At(s.At), Status: s.Status}
	for _, w := range s.openWindows() {
		t := w.Totals()
		c, err := t.Commitment(seed.Window(t))
		if err != nil {
			return Opening{}, err
		}
		o.Windows = append(o.Windows, c)
	}
	sort.Strings(o.Windows)
	return o, nil
}

// Bytes are the opening in canonical form, as the journal keeps it.
func (o Opening) Bytes() []byte {
	b, _ := jcs.Marshal(o)
	return b
}

// ParseOpening reads what Bytes wrote.
func ParseOpening(data []byte) (o Opening, err error) {
	err = jcs.Unmarshal(data, &o)
	return o, err
}

// Salts are the fresh secrets of one entry, handed in: one for the commitment, one seed a chain.
type Salts struct {
	Entry [32]byte
	Links map[string]Seed
}

// Record applies a document to all chains that it touches, makes the entry that logs it, and moves the heads of those
// chains to that entry. It is the only way from a document to a leaf.
func (ss States) Record(d Document, now Time, salts func(chains []string) Salts) (next States, r Record, err error) {
	next, touched, err := ss.Apply(d, now.Time)
	if err != nil {
		return nil, r, err
	}
	if len(touched) > MaxChain {
		return nil, r, refuse("too-many-chains", "", "a document touches at most %d chains", MaxChain)
	}
	used := salts(touched)
	e := &Entry{V: 1, Kind: EntryEvent, Commitment: Commitment(used.Entry, d.Digest)}
	e.Kind, e.Grantor = next.EntryKind(d)
	r = Record{Document: d, Entry: e, At: now.Time, Salt: used.Entry, Seeds: used.Links}
	for _, chain := range touched {
		o, err := next[chain].Open(used.Links[chain])
		if err != nil {
			return nil, r, err
		}
		c, err := o.Commitment(used.Links[chain].State())
		if err != nil {
			return nil, r, err
		}
		e.Links = append(e.Links, Link{Chain: chain, Seq: o.Seq, State: c})
		r.Openings = append(r.Openings, o)
	}
	next.moveHeads(touched, LeafHash(e.Bytes()))
	return next, r, nil
}

// EntryKind is what the entry of a document says in the clear. It names rosters, policies and root mandates of organisations, so that anybody can watch for their own name.
func (ss States) EntryKind(d Document) (kind, grantor string) {
	switch b := d.Body.(type) {
	case *Roster:
		if b.Terms().IsPublic() {
			grantor = b.Terms().Grantor
		}
		return EntryRoster, grantor
	case *Policy:
		if ss.publicGrantor(b.Terms().Grantor) {
			grantor = b.Terms().Grantor
		}
		return EntryPolicy, grantor
	case *Mandate:
		if b.IsRoot() && ss.publicGrantor(b.Terms().Grantor.ID) {
			grantor = b.Terms().Grantor.ID
		}
		return EntryMandate, grantor
	}
	return EntryEvent, ""
}

func (ss States) publicGrantor(grantor string) bool {
	if strings.HasPrefix(grantor, "did:key:") || strings.HasPrefix(grantor, "did:jwk:") {
		return false
	}
	r := ss.Roster(grantor)
	return r == nil || r.Newest().Terms().IsPublic()
}
