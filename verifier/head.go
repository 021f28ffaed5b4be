package verifier

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/log/heads"
	"github.com/writ-trust/writ/spec"
)

// Head shows what one heads entry of the log says of chains (protocol.md 16.5): of each its newest entry, or that it has none.
type Head struct {
	Heads  ProvenEntry `json:"heads"`
	Chains []ChainHead `json:"chains"` // sorted by chain
	// Windows are, in a bundle, the salts that open each window of the decision's usage as its own entry left it, in the order of usage.
	Windows []string `json:"windows,omitempty"`
}

// ProvenEntry is a log entry with its place in the log.
type ProvenEntry struct {
	Entry jcs.Value `json:"entry"`
	Proof string    `json:"proof"` // C2SP tlog-proof
}

// ChainHead is one chain in a Head. Newest is absent where the chain has no entry; Opened where the state is not for the reader.
type ChainHead struct {
	Chain  string       `json:"chain"`
	Map    string       `json:"map"` // heads-proof
	Newest *ProvenEntry `json:"newest,omitempty"`
	Opened *OpenedAt    `json:"opened,omitempty"`
}

// Heads is what showing heads reads, of a journal.
type Heads interface {
	Heads(chains []heads.Chain) (heads.Shown, error)
	// RecordAt is the record of an entry; ErrNotFound if it is another organisation's.
	RecordAt(ctx context.Context, org string, index int64) (spec.Record, error)
}

// How far a head may be relied on.
const (
	Asserted = "asserted" // the log says so
	Replayed = "replayed" // the trust file's mirrors replayed the entries and came to the same heads
)

// showHead makes a Head of chains, sorted. entry gives the bytes of an entry that is not org's own, prove its proof.
func showHead(ctx context.Context, source Heads, org string, ids []string, entry, prove func(index int64) ([]byte, error)) (*Head, int64, error) {
	chains := make([]heads.Chain, len(ids))
	for i, id := range ids {
		raw, err := jcs.ParseDigest(id)
		if err != nil {
			return nil, 0, err
		}
		chains[i] = raw
	}
	shown, err := source.Heads(chains)
	if err != nil {
		return nil, 0, err
	}
	h := &Head{}
	if h.Heads, err = provenEntry(spec.HeadsEntry(shown.Root).Bytes(), shown.Entry, prove); err != nil {
		return nil, 0, err
	}
	for i, id := range ids {
		c := ChainHead{Chain: id, Map: string(shown.Proofs[i].Marshal())}
		if head := shown.Heads[i]; head.Seq > 0 {
			if err := c.show(ctx, source, org, head.Index, entry, prove); err != nil {
				return nil, 0, err
			}
		}
		h.Chains = append(h.Chains, c)
	}
	return h, shown.Entry, nil
}

func provenEntry(bytes []byte, index int64, prove func(int64) ([]byte, error)) (p ProvenEntry, err error) {
	if p.Entry, err = jcs.ParseDocument(bytes); err != nil {
		return p, err
	}
	text, err := prove(index)
	p.Proof = string(text)
	return p, err
}

// show adds the newest entry, opened where it is the organisation's.
func (c *ChainHead) show(ctx context.Context, source Heads, org string, index int64, entry, prove func(int64) ([]byte, error)) error {
	r, err := source.RecordAt(ctx, org, index)
	var bytes []byte
	switch {
	case err == nil:
		bytes = r.Entry.Bytes()
		i := slices.IndexFunc(r.Openings, func(o spec.Opening) bool { return o.Chain == c.Chain })
		salt := r.Seeds[c.Chain].State()
		c.Opened = &OpenedAt{Opening: r.Openings[i], Salt: jcs.EncodeBase64(salt[:])}
	case isNotFound(err):
		if bytes, err = entry(index); err != nil {
			return err
		}
	default:
		return err
	}
	newest, err := provenEntry(bytes, index, prove)
	c.Newest = &newest
	return err
}

// head adds the heads of all chains of the bundle, if the newest heads entry is behind all that the bundle has.
func (x *exporter) head(decision spec.Record) error {
	if x.heads == nil {
		return nil
	}
	chains := map[string]bool{}
	for _, l := range x.bundle.Logged {
		for _, o := range l.Opened {
			chains[o.Chain] = true
		}
	}
	h, entry, err := showHead(x.ctx, x.heads, x.org, slices.Sorted(maps.Keys(chains)), nil, x.prove)
	var e *spec.Error
	switch {
	case errors.As(err, &e) && e.Reason == "heads-not-ready":
		return nil
	case err != nil:
		return err
	case entry <= int64(indexOf(x.bundle.Logged[len(x.bundle.Logged)-1])):
		return nil
	}
	for _, u := range decision.Document.Body.(*spec.Decision).Usage {
		seed, err := x.seedOf(decision, u)
		if err != nil {
			return err
		}
		salt := seed.Window(u.Window().Totals())
		h.Windows = append(h.Windows, jcs.EncodeBase64(salt[:]))
	}
	x.bundle.Head = h
	return nil
}

// seedOf is the decision's secret on the chain that a row of its usage is charged to.
func (x *exporter) seedOf(decision spec.Record, u spec.Usage) (spec.Seed, error) {
	ref := spec.ChainRef{Content: u.Mandate, Kind: spec.KindMandate}
	if u.Mandate == "" {
		ref = spec.ChainRef{Content: spec.AccountContent(u.Policy)}
	}
	ss, err := x.archive.States(x.ctx, x.org, []spec.ChainRef{ref}, nil)
	if err != nil {
		return spec.Seed{}, err
	}
	return decision.Seeds[ss.ByContent(ref.Content).Chain], nil
}

// inTree follows the proof of an entry to the root that all proofs share. Whose log it is, is for anchored to say.
func (c *checking) inTree(entry jcs.Value, text string) (index int64, leaf log.Hash, err error) {
	p, err := log.ParseProofUnder(text, c.checkpoint)
	if err != nil {
		return 0, leaf, placed("/proof", asSpec(err))
	}
	if len(p.Extra) > 0 {
		return 0, leaf, spec.Refuse("proof-syntax", "/proof", "a proof in a bundle has no extra")
	}
	if c.checkpoint == nil {
		if c.head, err = log.ReadCheckpoint(p.Checkpoint); err != nil {
			return 0, leaf, placed("/proof", asSpec(err))
		}
		c.checkpoint, c.origin = p.Checkpoint, c.head.Origin
	}
	if !bytes.Equal(c.checkpoint, p.Checkpoint) {
		return 0, leaf, spec.Refuse("bundle-checkpoints", "/proof", "all proofs of a bundle end in one checkpoint")
	}
	leaf = log.RecordHash(entry.Canonical())
	if err := p.Shows(leaf, c.head); err != nil {
		return 0, leaf, placed("/proof", asSpec(err))
	}
	return p.Index, leaf, nil
}

// readEntry reads an entry with its place in the log.
func (c *checking) readEntry(p ProvenEntry) (*spec.Entry, int64, error) {
	e, err := spec.EntryFromValue(p.Entry)
	if err != nil {
		return nil, 0, placed("/entry", err)
	}
	index, _, err := c.inTree(p.Entry, p.Proof)
	return e, index, err
}

// shownHead is what a Head says of one chain, checked: zero Seq where it has no entry.
type shownHead struct {
	heads.Head
	opened *spec.Opening
}

// readHead checks a Head down to the checkpoint's root: the heads entry is in the log, and its root says of each chain what is shown
// (protocol.md 16.6). entry is the index of the heads entry.
func (c *checking) readHead(h *Head) (shown map[string]shownHead, entry int64, err error) {
	e, entry, err := c.readEntry(h.Heads)
	if err == nil && e.Kind != spec.EntryHeads {
		err = spec.Refuse("heads-entry", "/entry/kind", "it is no heads entry")
	}
	if err != nil {
		return nil, 0, placed("/heads", err)
	}
	root, err := jcs.ParseDigest(e.Root)
	if err != nil {
		return nil, 0, placed("/heads/entry/root", err)
	}
	shown = map[string]shownHead{}
	for i, ch := range h.Chains {
		place := "/chains/" + strconv.Itoa(i)
		if i > 0 && h.Chains[i-1].Chain >= ch.Chain {
			return nil, 0, spec.Refuse("heads-chains", place, "chains are sorted, once each")
		}
		if shown[ch.Chain], err = c.readChain(ch, root, entry); err != nil {
			return nil, 0, placed(place, err)
		}
	}
	return shown, entry, nil
}

func (c *checking) readChain(ch ChainHead, root log.Hash, before int64) (s shownHead, err error) {
	id, err := jcs.ParseDigest(ch.Chain)
	if err != nil {
		return s, placed("/chain", err)
	}
	p, err := heads.ParseProof([]byte(ch.Map))
	if err != nil {
		return s, placed("/map", asSpec(err))
	}
	if ch.Newest == nil {
		if ch.Opened != nil {
			return s, spec.Refuse("entry-opened", "/opened", "a chain without an entry has no state")
		}
		return s, placed("/map", asSpec(p.CheckAbsent(root, id)))
	}
	e, index, err := c.readEntry(*ch.Newest)
	if err != nil {
		return s, placed("/newest", err)
	}
	l, ok := e.Link(ch.Chain)
	if !ok || index >= before {
		return s, spec.Refuse("heads-entry", "/newest", "it is no entry of the chain before the heads entry")
	}
	s.Head = heads.Head{Seq: l.Seq, Index: index, Leaf: log.RecordHash(ch.Newest.Entry.Canonical())}
	if err := p.CheckHead(root, id, s.Head); err != nil {
		return s, placed("/map", asSpec(err))
	}
	return s, placed("/opened", s.open(ch, l))
}

// open holds the opened state, where there is one, against the link that commits to it.
func (s *shownHead) open(ch ChainHead, l spec.Link) error {
	if ch.Opened == nil {
		return nil
	}
	salt, err := decodeSalt(ch.Opened.Salt, "/salt")
	if err != nil {
		return err
	}
	commitment, err := ch.Opened.Commitment(salt)
	if err != nil {
		return err
	}
	if o := ch.Opened.Opening; o.Chain != l.Chain || o.Seq != l.Seq || commitment != l.State {
		return spec.Refuse("entry-opened", "", "the opened state is not the one that the entry commits to")
	}
	s.opened = &ch.Opened.Opening
	return nil
}

// headed: the head covers every chain of the bundle, is behind all its entries, and goes on from where they end (protocol.md 14.2 g).
func (c *checking) headed(last map[string]chainEnd) error {
	h := c.bundle.Head
	if h == nil {
		return nil
	}
	shown, entry, err := c.readHead(h)
	if err != nil {
		return placed("/head", err)
	}
	if len(c.events) > 0 && entry < c.events[len(c.events)-1].index {
		return spec.Refuse("heads-stale", "/head/heads", "the heads entry %d is before the last entry of the bundle", entry)
	}
	if len(shown) != len(last) {
		return spec.Refuse("heads-chains", "/head/chains", "the head shows %d chains, the bundle has %d", len(shown), len(last))
	}
	for i, ch := range h.Chains {
		if err := goesOn(shown[ch.Chain], last, ch.Chain); err != nil {
			return placed("/head/chains/"+strconv.Itoa(i), err)
		}
	}
	c.shown, c.ends, c.headsEntry = shown, last, entry
	return nil
}

// chainEnd is the newest entry that a bundle has of a chain.
type chainEnd struct {
	seq, index int64
	leaf       string
	issued     bool
}

func goesOn(s shownHead, last map[string]chainEnd, chain string) error {
	end, ok := last[chain]
	switch {
	case !ok:
		return spec.Refuse("heads-chains", "/chain", "no entry of the bundle is on this chain")
	case s.opened == nil:
		return spec.Refuse("entry-opened", "", "the newest state of a chain of the bundle is opened")
	case s.Seq < end.seq || s.Seq > end.seq && s.Index <= end.index:
		return spec.Refuse("heads-stale", "/newest", "the chain has an entry %d at index %d in the bundle", end.seq, end.index)
	case s.Seq == end.seq && s.Index != end.index:
		return spec.Refuse("heads-other", "/newest", "entry %d of the chain stands at index %d in the bundle, here at %d", s.Seq, end.index, s.Index)
	}
	return nil
}

// replayedHeads says whether the trust file's mirrors stand behind the checkpoint, and with it behind every heads root before it.
func (c *checking) replayedHeads() (string, error) {
	if c.trust.mirrors == nil {
		return Asserted, nil
	}
	_, err := c.trust.mirrors.Verify(c.checkpoint, c.origin)
	var l *log.Error
	switch {
	case err == nil:
		return Replayed, nil
	case errors.As(err, &l) && l.Reason == "checkpoint-quorum":
		return Asserted, nil
	}
	return "", err
}

// newest says for anchored what the head shows of the chains of roster and policies: that nothing follows what the bundle has.
func (c *checking) newest() string {
	proven := func(kind string) string {
		if c.bundle.Head == nil || !c.nothingFollows(kind) {
			return "not proven"
		}
		return "proven (" + c.relied + ")"
	}
	detail := "roster newest: " + proven(spec.TypeRoster)
	if len(c.mandates[0].Body.Terms().Policies) > 0 {
		detail += "; policies newest: " + proven(spec.TypePolicy)
	}
	return detail
}

// nothingFollows says whether the head of each chain on which a document of the type stands is the bundle's own last entry of it.
func (c *checking) nothingFollows(docType string) bool {
	for _, e := range c.events {
		if e.doc.Type != docType {
			continue
		}
		if chain := e.entry.Links[0].Chain; c.shown[chain].Seq != c.ends[chain].seq {
			return false
		}
	}
	return true
}

// usageProven: the totals that the decision says it found are those that its own entry made public, as of the state after it; and the head
// shows each chain beyond it. Detail says which entry, on whose word, and which mandates are not active any more.
func (c *checking) usageProven() error {
	d := c.decision.Body.(*spec.Decision)
	if len(c.bundle.Head.Windows) != len(d.Usage) {
		return spec.Refuse("heads-windows", "/head/windows", "%d windows are opened, the decision uses %d", len(c.bundle.Head.Windows), len(d.Usage))
	}
	i := slices.IndexFunc(c.events, func(e event) bool { return e.doc.Digest == c.decision.Digest })
	for n, u := range d.Usage {
		if err := c.windowOpens(c.events[i], u, c.bundle.Head.Windows[n]); err != nil {
			return placed("/head/windows/"+strconv.Itoa(n), err)
		}
	}
	return nil
}

func (c *checking) windowOpens(e event, u spec.Usage, text string) error {
	salt, err := decodeSalt(text, "")
	if err != nil {
		return err
	}
	content := u.Mandate
	if content == "" {
		content = spec.AccountContent(u.Policy)
	}
	s := c.after.ByContent(content)
	if s == nil {
		return spec.Refuse("heads-windows", "", "the decision has no such chain")
	}
	before := u.Window()
	w := slices.IndexFunc(s.Windows, func(w spec.Window) bool {
		return w.Constraint == before.Constraint && w.Unit == before.Unit && w.From.Equal(before.From)
	})
	o := slices.IndexFunc(e.opened, func(o spec.Opening) bool { return o.Chain == s.Chain })
	if w < 0 || o < 0 {
		return spec.Refuse("heads-windows", "", "the decision's entry has no such window")
	}
	commitment, err := s.Windows[w].Totals().Commitment(salt)
	if err == nil && !slices.Contains(e.opened[o].Windows, commitment) {
		err = spec.Refuse("heads-windows", "", "the totals of %s after the decision are not those that its entry commits to", u.Constraint)
	}
	return err
}

// standing is what usage proven found out beside: on whose word, as of which entry, and what is not active any more.
func (c *checking) standing() string {
	detail := "head at entry " + strconv.FormatInt(c.headsEntry, 10) + ", " + c.relied
	for _, m := range c.mandates {
		s := c.states.ByContent(m.Content)
		if s == nil {
			continue
		}
		if o := c.shown[s.Chain].opened; o != nil && o.Status != spec.StatusActive {
			detail += "; " + m.Content + " " + string(o.Status)
		}
	}
	return detail
}
