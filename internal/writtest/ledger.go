package writtest

import (
	"context"
	"crypto/sha256"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
)

// Ledger is the plainest journal that there can be: all states in one map, every operation under one lock, in the world's own
// time. It is the model that the real journal is compared with, and what tests of pure rules run on.
type Ledger struct {
	World *World

	mu       sync.Mutex
	states   spec.States
	records  []spec.Record
	attached map[string]spec.Document
	answers  map[[2]string]answer
	drafts   map[string]spec.Draft
	refs     map[[2]string]string // the decision of each executor's name
}

type answer struct {
	body   string
	record spec.Record
}

// NewLedger is an empty ledger of a world.
func NewLedger(w *World) *Ledger {
	return &Ledger{World: w, states: spec.States{}, attached: map[string]spec.Document{},
		answers: map[[2]string]answer{}, drafts: map[string]spec.Draft{}, refs: map[[2]string]string{}}
}

// Run does what journal.Run promises, one operation at a time.
func (l *Ledger) Run(_ context.Context, op spec.Op, f func(spec.States, time.Time) ([]spec.Document, error)) (spec.Logged, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if known, ok, err := l.known(op); ok || err != nil {
		return known, err
	}
	ref := [2]string{op.Ref.Executor, op.Ref.Name}
	if decision, ok := l.refs[ref]; ok && decision != op.Ref.Decision {
		return spec.Logged{}, spec.Refuse("external-ref-reused", "/externalRef", "the executor has named another execution so")
	}
	now := l.World.Now.UTC().Truncate(time.Millisecond)
	states, err := l.begin(op)
	if err != nil {
		return spec.Logged{}, err
	}
	docs, err := f(states.At(now), now)
	if err != nil {
		l.beyond(err)
		return spec.Logged{}, err
	}
	var logged spec.Logged
	for _, d := range docs {
		var r spec.Record
		if states, r, err = l.record(states, d, now, len(logged.Records)); err != nil {
			return spec.Logged{}, err
		}
		logged.Records = append(logged.Records, r)
	}
	l.keep(op, states, logged)
	return logged, nil
}

func (l *Ledger) known(op spec.Op) (spec.Logged, bool, error) {
	if r, ok := l.find(op.Document); ok {
		return spec.Logged{Records: []spec.Record{r}, Known: true}, true, nil
	}
	a, ok := l.answers[[2]string{op.Key.Leaf, op.Key.Key}]
	switch {
	case op.Key.IsZero() || !ok:
		return spec.Logged{}, false, nil
	case a.body != op.Key.Body:
		return spec.Logged{}, false, spec.Refuse("key-reused", "/request/idempotencyKey", "another request has this key")
	case op.Resume != "" && a.record.Document.Digest == op.Resume:
		return spec.Logged{}, false, nil
	}
	return spec.Logged{Records: []spec.Record{a.record}, Known: true}, true, nil
}

// begin gives an operation the states that it names, and no others.
func (l *Ledger) begin(op spec.Op) (spec.States, error) {
	states := spec.States{}
	for _, ref := range append(slices.Clone(op.Write), op.Read...) {
		if s := l.states.ByContent(ref.Content); s != nil {
			states[s.Chain] = s
			continue
		}
		id, err := spec.ChainID(ref.Salt, ref.Log, ref.Content)
		if err != nil {
			return nil, spec.Refuse("not-found", "", "no such chain here")
		}
		states[id] = &spec.State{Chain: id, Kind: ref.Kind, Content: ref.Content}
	}
	return states, nil
}

func (l *Ledger) record(states spec.States, d spec.Document, now time.Time, offset int) (spec.States, spec.Record, error) {
	d, err := spec.Place(d, states)
	if err != nil {
		return nil, spec.Record{}, err
	}
	next, r, err := states.Record(d, spec.At(now), l.World.Salts)
	if err != nil {
		return nil, r, err
	}
	if !d.Signed() {
		if r.Document, err = l.World.SignUnsigned(context.Background(), d, now); err != nil {
			return nil, r, err
		}
	}
	r.Index = int64(len(l.records) + offset)
	return next, r, nil
}

func (l *Ledger) keep(op spec.Op, states spec.States, logged spec.Logged) {
	l.states = maps.Clone(l.states)
	maps.Copy(l.states, states)
	l.records = append(l.records, logged.Records...)
	if op.Ref.Name != "" {
		l.refs[[2]string{op.Ref.Executor, op.Ref.Name}] = op.Ref.Decision
	}
	for _, d := range op.Attach {
		if _, ok := l.attached[d.Digest]; !ok {
			l.attached[d.Digest] = d
		}
	}
	if !op.Key.IsZero() {
		l.answers[[2]string{op.Key.Leaf, op.Key.Key}] = answer{op.Key.Body, logged.Last()}
	}
}

func (l *Ledger) find(digest string) (spec.Record, bool) {
	i := slices.IndexFunc(l.records, func(r spec.Record) bool { return r.Document.Digest == digest })
	if i < 0 {
		return spec.Record{}, false
	}
	return l.records[i], true
}

// States are the named chains.
func (l *Ledger) States(_ context.Context, _ string, refs []spec.ChainRef, _ []string) (spec.States, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	states := spec.States{}
	for _, ref := range refs {
		s := l.states.ByContent(ref.Content)
		if s == nil {
			return nil, spec.Refuse("not-found", "", "no such chain here")
		}
		states[s.Chain] = s
	}
	return states, nil
}

// All are all states.
func (l *Ledger) All() spec.States {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.states
}

// RosterState is a grantor's roster chain.
func (l *Ledger) RosterState(_ context.Context, _, grantor string) (*spec.State, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.states.Roster(grantor); s != nil {
		return s.AsOf(l.World.Now), nil
	}
	return nil, spec.Refuse("not-found", "", "no such roster here")
}

// PolicyState is the chain of the policy that has a version of this content.
func (l *Ledger) PolicyState(_ context.Context, _, content string) (*spec.State, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.states {
		if slices.ContainsFunc(s.Policies, func(v spec.PolicyVersion) bool { return v.Content == content }) {
			return s, nil
		}
	}
	return nil, spec.Refuse("not-found", "", "no such policy here")
}

// Record finds a document by its digest.
func (l *Ledger) Record(_ context.Context, _, digest string) (spec.Record, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r, ok := l.find(digest); ok {
		return r, nil
	}
	if d, ok := l.attached[digest]; ok {
		return spec.Record{Document: d}, nil
	}
	return spec.Record{}, spec.Refuse("not-found", "", "no such document here")
}

// Beside is a document without an entry that was kept beside a decision.
func (l *Ledger) Beside(_ context.Context, _, _, digest string) (spec.Document, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if d, ok := l.attached[digest]; ok {
		return d, nil
	}
	return spec.Document{}, spec.Refuse("not-found", "", "no such document here")
}

// Following are the begin and the reports of a decision, and what people said to reconcile its charge.
func (l *Ledger) Following(_ context.Context, _, decision string) ([]spec.Record, error) {
	return l.filter(func(r spec.Record) bool {
		switch b := r.Document.Body.(type) {
		case *spec.Begin:
			return b.Decision == decision
		case *spec.Report:
			return b.Decision == decision
		case *spec.Approval:
			return b.Content == spec.ReconciliationContent(decision)
		}
		return false
	}), nil
}

// Chain are the entries of a chain from one seq to another, both included; to 0 is its end.
func (l *Ledger) Chain(_ context.Context, _, content string, from, to int64) ([]spec.Record, error) {
	s := l.All().ByContent(content)
	if s == nil {
		return nil, spec.Refuse("not-found", "", "no such chain here")
	}
	return l.filter(func(r spec.Record) bool {
		link, ok := r.Entry.Link(s.Chain)
		return ok && link.Seq >= from && (to == 0 || link.Seq <= to)
	}), nil
}

func (l *Ledger) filter(keep func(spec.Record) bool) []spec.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.records), func(r spec.Record) bool { return !keep(r) })
}

// Records are all documents, in log order.
func (l *Ledger) Records() []spec.Record {
	return l.filter(func(spec.Record) bool { return true })
}

// PutDraft keeps a content.
func (l *Ledger) PutDraft(_ context.Context, d spec.Draft) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drafts[d.Content] = d
	return nil
}

// PutTemplate keeps an action template.
func (l *Ledger) PutTemplate(_ context.Context, _ string, template spec.Document) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.attached[template.Digest] = template
	return nil
}

// DraftByContent finds a content.
func (l *Ledger) DraftByContent(_ context.Context, _, content string) (spec.Draft, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if d, ok := l.drafts[content]; ok {
		return d, nil
	}
	return spec.Draft{}, spec.Refuse("not-found", "", "no such draft here")
}

// Proof is a tlog-proof of an entry under a checkpoint over everything recorded so far.
func (l *Ledger) Proof(index int64) ([]byte, error) {
	var leaves []log.Hash
	for _, r := range l.Records() {
		leaves = append(leaves, log.RecordHash(r.Entry.Bytes()))
	}
	root, path := merkle(leaves, int(index))
	signed, err := log.Checkpoint{Origin: Origin, Size: int64(len(leaves)), Root: root}.Sign(l.World.LogSigner())
	if err != nil {
		return nil, err
	}
	return log.InclusionProof{Index: index, Hashes: path, Checkpoint: signed}.Marshal(), nil
}

// merkle is the tree hash of RFC 6962 section 2.1 and the audit path of one leaf, by the recursion of its text.
func merkle(leaves []log.Hash, index int) (root log.Hash, path []log.Hash) {
	if len(leaves) == 1 {
		return leaves[0], nil
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	left, leftPath := merkle(leaves[:k], index)
	right, rightPath := merkle(leaves[k:], index-k)
	if index < k {
		path = append(leftPath, right)
	} else {
		path = append(rightPath, left)
	}
	node := append(append([]byte{1}, left[:]...), right[:]...)
	return sha256.Sum256(node), path
}
