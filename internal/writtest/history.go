package writtest

import (
	"context"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/spec"
)

// Ref names the chain of a mandate, or of a roster's or policy's version 1.
func Ref(d spec.Document) spec.ChainRef {
	ref := spec.ChainRef{Content: spec.ContentDigest(d.Value)}
	switch b := d.Body.(type) {
	case *spec.Mandate:
		ref.Kind, ref.Salt, ref.Log = spec.KindMandate, b.Terms().Salt, b.Terms().Ledger.Log
	case *spec.Roster:
		ref.Kind, ref.Salt, ref.Log = spec.KindRoster, b.Terms().Salt, b.Terms().Log
	case *spec.Policy:
		ref.Kind, ref.Salt, ref.Log = spec.KindPolicy, b.Terms().Salt, b.Terms().Log
	default:
		panic("writtest: a " + d.Type + " has no chain of its own")
	}
	return ref
}

// Chain adds the empty chains of mandates or rosters to the states.
func Chain(ss spec.States, documents ...spec.Document) spec.States {
	next := spec.States{}
	for id, s := range ss {
		next[id] = s
	}
	for _, d := range documents {
		ref := Ref(d)
		id := must(spec.ChainID(ref.Salt, ref.Log, ref.Content))
		next[id] = &spec.State{Chain: id, Kind: ref.Kind, Content: ref.Content}
	}
	return next
}

// Record logs documents, one after the other, at Now.
func (w *World) Record(ss spec.States, documents ...spec.Document) spec.States {
	for _, d := range documents {
		next, _, err := ss.Record(d, spec.At(w.Now), w.Salts)
		ss = must(next, err)
	}
	return ss
}

// Salts draws the secrets of one entry.
func (w *World) Salts(chains []string) spec.Salts {
	s := spec.Salts{Links: map[string]spec.Seed{}}
	w.Read(s.Entry[:])
	for _, chain := range chains {
		var seed spec.Seed
		w.Read(seed[:])
		s.Links[chain] = seed
	}
	return s
}

// Found logs version 1 of the roster with the approvals of treasurer and cfo, and returns it sealed.
func (w *World) Found(ss spec.States, changes ...func(*spec.Roster)) (spec.States, spec.Document) {
	return w.issue(ss, w.Roster(changes...), w.ApproveRoster)
}

// Grant logs a mandate with the approvals of treasurer and cfo, and returns it sealed.
func (w *World) Grant(ss spec.States, changes ...func(*spec.Mandate)) (spec.States, spec.Document) {
	return w.issue(ss, w.Mandate(changes...), w.ApproveMandate)
}

func (w *World) issue(ss spec.States, d spec.Document, approve func(string, spec.Document) spec.Document) (spec.States, spec.Document) {
	approvals := []spec.Document{approve("treasurer", d), approve("cfo", d)}
	sealed := w.Seal(d, approvals...)
	return w.Record(Chain(ss, d), append(approvals, sealed)...), sealed
}

// Delegate logs a child of a mandate and returns it signed by the parent's subject.
func (w *World) Delegate(ss spec.States, parent spec.Document, changes ...func(*spec.Mandate)) (spec.States, spec.Document) {
	child := w.Seal(w.Child(parent, changes...))
	return w.Record(Chain(ss, child), child), child
}

// SignUnsigned is what a journal is handed to sign what Writ itself signs: decisions and counts of refusals with the ledger's decision key,
// credentials with the seal.
func (w *World) SignUnsigned(_ context.Context, d spec.Document, at time.Time) (spec.Document, error) {
	party := "seal"
	if d.Type == spec.TypeDecision || d.Type == spec.TypeRefusalCount || d.Type == spec.TypeErasure {
		party = "ledger"
	}
	return w.Sign(d, party, did.AssertionMethod, at), nil
}
