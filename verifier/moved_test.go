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

func (s *story) verifierOf(m *moving) *verifier.Verifier {
	v, err := verifier.New(verifier.Options{DID: writtest.Verifier, Key: s.Key("ledger").Public().Multikey(), Log: writtest.Origin, Epoch: 1, Journal: m,
		Trust: func() *verifier.Trust { return s.trust }, Random: s.World, Now: func() time.Time { return s.Now }})
	s.must(err)
	return v
}

// TestBudgetMoves: what others took while a request waited for the lock counts, in what it may take and in what it says it found.
func TestBudgetMoves(t *testing.T) {
	s := newStory(t, "budget moves")
	m := &moving{Ledger: s.ledger}
	mandate := s.enrol(s.Mandate())
	for _, row := range []struct{ taken, asked, before, result string }{
		{"9000.00", "1.00", "9000.00", spec.Authorized}, {"900.00", "1000.00", "9901.00", spec.CollectMissing},
	} {
		m.between = func() { s.ask("neighbour for "+row.asked, row.taken, mandate) }
		p := s.Present([]spec.Document{mandate}, s.Action(row.asked), s.Request("payment of "+row.asked), s.Now)
		l, err := s.verifierOf(m).Verify(t.Context(), verifier.Request{Org: org, Presentation: p.Bytes()})
		if err != nil {
			t.Fatalf("%s after %s: %v", row.asked, row.taken, err)
		}
		if d, _ := verifier.Decision(l); d.Result != row.result || d.Usage[0].Before.Held != row.before {
			t.Errorf("%s after %s is %s, having found %s", row.asked, row.taken, d.Result, d.Usage[0].Before.Held)
		}
	}
}

// TestRosterMoves: a roster that comes into force while a request waits for the lock judges it.
func TestRosterMoves(t *testing.T) {
	s := newStory(t, "moves")
	m := &moving{Ledger: s.ledger}
	s.verifier = s.verifierOf(m)
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
	if _, err := s.verifier.Begin(t.Context(), org, s.Begin(decision, s.Now).Bytes()); reason(err) != "not-entitled" {
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
