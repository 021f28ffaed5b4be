package verifier_test

import (
	"context"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// moving is a ledger on which something happens between what a request found and its lock.
type moving struct {
	*writtest.Ledger
	between func() // once
}

// Run implements verifier.Journal.
func (m *moving) Run(ctx context.Context, op spec.Op, f func(spec.States, time.Time) ([]spec.Document, error)) (spec.Logged, error) {
	if happen := m.between; happen != nil {
		m.between = nil
		happen()
	}
	return m.Ledger.Run(ctx, op, f)
}

// TestRosterMoves: a roster that comes into force while a request waits for the lock judges it.
func TestRosterMoves(t *testing.T) {
	s := newStory(t, "moves")
	m := &moving{Ledger: s.ledger}
	v, err := verifier.New(verifier.Options{DID: writtest.Verifier, Key: s.Key("ledger").Public().Multikey(), Log: writtest.Origin, Epoch: 1, Journal: m,
		Trust: func() *verifier.Trust { return s.trust }, Random: s.World, Now: func() time.Time { return s.Now }})
	s.must(err)
	s.verifier = v
	mandate := s.enrol(s.Mandate())
	move := func(change func(*spec.Roster)) func() {
		return func() { s.Advance(time.Second); s.change(change) }
	}
	named := func(r *spec.Roster) { r.Name += ", once more" }
	newest := func(what string, d *spec.Decision) {
		t.Helper()
		if d.Inputs.Roster != spec.ContentDigest(s.roster.Value) {
			t.Errorf("%s rests on a roster that was not in force any more", what)
		}
	}

	m.between = move(named)
	asked, decision := s.ask("invoice-1", "1.00", mandate)
	newest("a decision", asked)
	_, interim := s.ask("invoice-2", "10000.01", mandate)
	m.between = move(named)
	resumed, _ := s.lift(interim, mandate)
	newest("a resumed decision", resumed)

	m.between = move(func(r *spec.Roster) { r.Subject.Roster.Executors = nil })
	if _, err := v.Begin(t.Context(), org, s.Begin(decision, s.Now).Bytes()); reason(err) != "not-entitled" {
		t.Errorf("a begin by an executor that was taken off the roster: %v", err)
	}
}

// TestJudgedAnew: a mandate that was judged, and passed, is judged again when the roster changes what it knows of its approvers.
func TestJudgedAnew(t *testing.T) {
	s := newStory(t, "judged anew")
	mandate := s.enrol(s.Mandate())
	stolen := spec.At(s.Now)
	s.ask("invoice-1", "1.00", mandate)
	s.Advance(time.Hour)
	s.change(func(r *spec.Roster) { r.Terms().Persons[1].Keys[0].CompromisedSince = stolen })
	p := s.Present([]spec.Document{mandate}, s.Action("1.00"), s.Request("invoice-2"), s.Now)
	if _, err := s.verifier.Verify(t.Context(), verifier.Request{Org: org, Presentation: p.Bytes()}); reason(err) != "not-entitled" {
		t.Errorf("approved by a key that was stolen, and seen before the roster said so: %v", err)
	}
}
