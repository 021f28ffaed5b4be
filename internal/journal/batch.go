package journal

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/writ-trust/writ/spec"
)

// batch is what one commit works on. Until it is written it is memory only.
type batch struct {
	calls    []*call
	size     int64     // of the log before
	last     time.Time // ledger time of the batch before
	now      time.Time // ledger time of this one
	chains   map[string]*held
	requests map[requestID]*claim
	handed   map[docKey]int64 // leaf of each signed document that is known
	refs     map[refID]string // the decision that an executor's name belongs to, in its organisation

	records []record
	erased  []docKey // documents that it takes away
	rows    *projections
	digests map[mandateID]string // of the mandates of its chains
	signed  []spec.Document      // those of records, with their proofs
	bodies  [][]byte             // how they are kept
}

// mandateID is a mandate document by its whole bytes.
type mandateID struct {
	org string
	sum [32]byte
}

// record is an entry of the batch; its index is the batch's size plus its place.
type record struct {
	spec.Record
	org      string
	chains   []string        // contents of the chains that it touches
	attached []spec.Document // kept beside it
}

type requestID struct{ leaf, key string }

type refID struct{ org, executor, name string }

// claim is the present answer under a request key.
type claim struct {
	org, body   string
	first, last int64
	decision    string
	final       bool
}

func (b *batch) index() int64 { return b.size + int64(len(b.records)) }

// decisions are those whose holds and proposals an operation names.
func decisions(op spec.Op) []string {
	if op.Resume == "" {
		return op.Decisions
	}
	return append(slices.Clone(op.Decisions), op.Resume)
}

// decisionsOn are those of them that may hold or propose something on a chain: on a roster's or a policy's none does.
func decisionsOn(op spec.Op, ref spec.ChainRef) []string {
	if ref.Kind == spec.KindRoster || ref.Kind == spec.KindPolicy {
		return nil
	}
	return decisions(op)
}

func (b *batch) decisions() []string {
	var all []string
	for _, c := range b.calls {
		all = append(all, decisions(c.op)...)
	}
	return all
}

// tick sets the batch's ledger time: the clock's, but never before the batch before nor any of its chains.
func (b *batch) tick(clock time.Time) {
	b.now = notBefore(clock.UTC().Truncate(time.Millisecond), b.last)
	for _, h := range b.chains {
		b.now = notBefore(b.now, h.state.At)
	}
}

// view is what the operation's own chains are now, those that do not exist yet included, and whose they are.
func (b *batch) view(op spec.Op) (spec.States, string, error) {
	org, ss := op.Org, make(spec.States, len(op.Write)+len(op.Read))
	for i, ref := range slices.Concat(op.Write, op.Read) {
		h, ok := b.chains[ref.Content]
		switch {
		case ok && visible(org, h.org) && (ref.Kind == "" || ref.Kind == h.state.Kind):
			org = h.org
			ss[h.state.Chain] = narrowed(h.state, decisions(op))
			continue
		case ok || i >= len(op.Write) || ref.Salt == "" || ref.Log == "":
			return nil, "", ErrNotFound
		}
		id, err := spec.ChainID(ref.Salt, ref.Log, ref.Content)
		if err != nil {
			return nil, "", err
		}
		ss[id] = &spec.State{Chain: id, Kind: ref.Kind, Content: ref.Content}
	}
	return ss, org, nil
}

// prior says whether the request, or the signed document, is known: then the call is answered by what it led to.
func (b *batch) prior(c *call, org string) (bool, error) {
	if !c.op.Key.IsZero() {
		r, ok := b.requests[requestID{c.op.Key.Leaf, c.op.Key.Key}]
		switch {
		case !ok && c.op.Resume != "", ok && r.org != org:
			return false, ErrNotFound
		case ok && r.body == "":
			return false, ErrErased
		case ok && r.body != c.op.Key.Body:
			return false, ErrKeyReused
		case ok && (c.op.Resume == "" || r.final || r.decision != c.op.Resume):
			c.answer = answer{known: true, first: r.first, last: r.last}
			return true, nil
		}
	}
	if leaf, ok := b.handed[docKey{org, c.op.Document}]; ok && c.op.Document != "" {
		c.answer = answer{known: true, first: leaf, last: leaf}
		return true, nil
	}
	return false, nil
}

// apply runs one call on a copy of the states. Only where all of it succeeds does the batch take it over.
func (j *Journal) apply(b *batch, c *call) error {
	view, org, err := b.view(c.op)
	if err != nil {
		return err
	}
	if known, err := b.prior(c, org); known || err != nil {
		return err
	}
	if decision, ok := b.refs[refID{org, c.op.Ref.Executor, c.op.Ref.Name}]; ok && decision != c.op.Ref.Decision {
		return spec.Refuse("external-ref-reused", "/externalRef", "the executor has named another execution so")
	}
	docs, err := j.decide(c, view, b.now)
	if err != nil || len(docs) == 0 {
		b.beyond(org, err)
		return err
	}
	states, records := []spec.States{view}, []record(nil)
	for i, d := range docs {
		ss := states[i]
		if i > 0 {
			if d, err = spec.Place(d, ss); err != nil {
				return err
			}
		}
		r, next, err := j.record(ss, d, b.now)
		if err != nil {
			return err
		}
		if err := checkWritten(c.op, ss, next, r.Entry); err != nil {
			return err
		}
		r.org, r.Index = org, b.index()+int64(i)
		states, records = append(states, next), append(records, r)
	}
	if err := attach(records, c.op.Attach); err != nil {
		return err
	}
	b.take(c, org, states, records)
	return nil
}

// attach keeps documents without an entry beside the decision among the records.
func attach(records []record, docs []spec.Document) error {
	i := slices.IndexFunc(records, func(r record) bool { return r.Document.Type == spec.TypeDecision })
	switch {
	case i >= 0:
		records[i].attached = docs
	case len(docs) > 0:
		return spec.Refuse("op-invalid", "", "there is no decision to keep a document beside")
	}
	return nil
}

// decide asks f. A panic is the operation's own failure: f is pure, so nothing else is harmed.
func (j *Journal) decide(c *call, view spec.States, now time.Time) (docs []spec.Document, err error) {
	defer func() {
		if p := recover(); p != nil {
			docs, err = nil, fmt.Errorf("journal: the operation panicked: %v", p)
		}
	}()
	docs, err = c.f(view.At(now), now)
	if err != nil || !j.RunTwice {
		return docs, err
	}
	again, err := c.f(view.At(now), now)
	if err != nil || !slices.EqualFunc(docs, again, func(a, b spec.Document) bool { return a.Digest == b.Digest }) {
		return nil, fmt.Errorf("journal: the operation is not pure: run twice it gave other documents (%v)", err)
	}
	return docs, nil
}

// record applies one document and makes its entry.
func (j *Journal) record(ss spec.States, d spec.Document, now time.Time) (record, spec.States, error) {
	var failed error
	draw := func(p []byte) {
		if _, err := io.ReadFull(j.Random, p); err != nil {
			failed = &IndeterminateError{Err: fmt.Errorf("random source: %w", err)}
		}
	}
	next, logged, err := ss.Record(d, spec.At(now), func(chains []string) spec.Salts {
		s := spec.Salts{Links: make(map[string]spec.Seed, len(chains))}
		draw(s.Entry[:])
		for _, chain := range chains {
			var seed spec.Seed
			draw(seed[:])
			s.Links[chain] = seed
		}
		return s
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return record{}, nil, err
	}
	r := record{Record: logged}
	for _, l := range logged.Entry.Links {
		r.chains = append(r.chains, next[l.Chain].Content)
	}
	return r, next, nil
}

// checkWritten holds what a document changed against the operation and, in memory, against what the tables refuse.
func checkWritten(op spec.Op, before, after spec.States, e *spec.Entry) error {
	for _, l := range e.Links {
		s := after[l.Chain]
		if !writes(op, s.Content) {
			return spec.Refuse("op-invalid", "", "a document is an event of a chain that the operation does not write")
		}
		for _, w := range s.Windows {
			if w.Held < 0 || w.Lifted < 0 || w.Lifts < 0 || w.Held+w.Committed > w.Max+w.Lifted+w.Excess {
				return spec.Refuse("table-rule", "", "%s would hold more than it may", w.Constraint)
			}
		}
	}
	return nil
}

// take makes a call that succeeded part of the batch.
func (b *batch) take(c *call, org string, states []spec.States, records []record) {
	for i, r := range records {
		for _, l := range r.Entry.Links {
			before, after := states[i][l.Chain], states[i+1][l.Chain]
			h := &held{org: org, state: after}
			if old := b.chains[after.Content]; old != nil {
				h.document, h.sum = old.document, old.sum
			}
			if r.Document.Type == spec.TypeMandate {
				h.document = r.Document.Digest
			}
			b.rows.change(before, h, r.Index)
			if old := b.chains[after.Content]; old != nil {
				h.state = widened(after, old.state)
			}
			b.chains[after.Content] = h
		}
		b.handed[docKey{org, r.Document.Digest}] = r.Index
	}
	if n := c.op.Ref; n.Name != "" {
		b.refs[refID{org, n.Executor, n.Name}] = n.Decision
		b.rows.refs.put(key(org, n.Executor, n.Name), org, n.Executor, n.Name, n.Decision)
	}
	c.answer = answer{wrote: true, first: records[0].Index, last: records[len(records)-1].Index}
	b.records = append(b.records, records...)
	if !c.op.Key.IsZero() {
		b.claim(c, org, records[len(records)-1].Document)
	}
}

// claim makes the call's answer that of its request key.
func (b *batch) claim(c *call, org string, last spec.Document) {
	k := c.op.Key
	r := &claim{org: org, body: k.Body, first: c.first, last: c.last, decision: last.Digest, final: true}
	if d, ok := last.Body.(*spec.Decision); ok {
		r.final = d.Final()
	}
	b.requests[requestID{k.Leaf, k.Key}] = r
	b.rows.requests.put(key(k.Leaf, k.Key), k.Leaf, k.Key, org, r.body, r.first, r.decision, r.final, r.last)
}

// sign adds the proof that Writ makes itself where a document has none; proofs are not part of entries or states.
func (j *Journal) sign(ctx context.Context, d spec.Document, now time.Time) (spec.Document, error) {
	if d.Signed() {
		return d, nil
	}
	signed, err := j.Sign(ctx, d, now)
	if err != nil {
		return d, fmt.Errorf("sign: %w", err)
	}
	if signed.Digest != d.Digest || !signed.Signed() {
		return d, fmt.Errorf("sign: %s came back as another document", d.Type)
	}
	return signed, nil
}
