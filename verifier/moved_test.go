package verifier_test

import (
	"context"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// moving is a journal on which something happens right before an operation is run: after open judged, before the lock.
type moving struct {
	*writtest.Ledger
	before func()
	runs   int
}

func (m *moving) Run(ctx context.Context, op spec.Op, f func(spec.States, time.Time) ([]spec.Document, error)) (spec.Logged, error) {
	m.runs++
	if m.before != nil {
		m.before()
	}
	return m.Ledger.Run(ctx, op, f)
}

// once has it happen before the next operation only.
func (m *moving) once(happen func()) { m.before = func() { m.before = nil; happen() } }

// TestRosterMovesBeforeTheLock: a request is judged by the roster that is in force under the lock, whatever open saw.
func TestRosterMovesBeforeTheLock(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*story) func(*spec.Roster)
		runs   int // of the journal: one that is judged anew and refused never gets there again
		want   string
	}{
		"the executor is removed": {func(*story) func(*spec.Roster) { return func(r *spec.Roster) { r.Subject.Roster.Executors = nil } }, 2, "not-entitled"},
		"an approver's key is called compromised": {func(s *story) func(*spec.Roster) {
			since := spec.At(s.Now)
			s.Advance(time.Second)
			return func(r *spec.Roster) { r.Subject.Roster.Persons[1].Keys[0].CompromisedSince = since }
		}, 1, "not-entitled"},
		"the name alone is another": {func(*story) func(*spec.Roster) { return func(r *spec.Roster) { r.Name = "Acme, again" } }, 2, ""},
	} {
		s := newStory(t, name)
		change := c.change(s)
		mandate := s.enrol(s.Mandate())
		journal := &moving{Ledger: s.ledger}
		journal.before = func() {
			if journal.runs == 1 {
				s.change(change)
			}
		}
		s.verifier.Journal = journal
		p := s.Present([]spec.Document{mandate}, s.Action("4200.00"), s.Request("request-000001"), s.Now)
		l, err := s.verifier.Verify(t.Context(), verifier.Request{Org: org, Presentation: p.Bytes()})
		if reason(err) != c.want || journal.runs != c.runs {
			t.Errorf("%s: %v after %d runs", name, err, journal.runs)
		}
		if d, ok := verifier.Decision(l); ok && (c.want != "" || d.Inputs.Roster != spec.ContentDigest(s.roster.Value)) {
			t.Errorf("%s: decided by another roster than the newest", name)
		}
	}
}

// TestRosterKeepsMoving: where every attempt finds a newer roster, nothing is decided, and nothing is left.
func TestRosterKeepsMoving(t *testing.T) {
	s := newStory(t, "keeps moving")
	mandate := s.enrol(s.Mandate())
	journal := &moving{Ledger: s.ledger}
	journal.before = func() { s.change(func(r *spec.Roster) { r.Name += "." }) }
	s.verifier.Journal = journal
	p := s.Present([]spec.Document{mandate}, s.Action("4200.00"), s.Request("request-000001"), s.Now)
	_, err := s.verifier.Verify(t.Context(), verifier.Request{Org: org, Presentation: p.Bytes()})
	if reason(err) != "indeterminate" || s.ledger.All().ByContent(spec.ContentDigest(mandate.Value)).OpenHolds() != 0 {
		t.Errorf("a roster that keeps moving: %v", err)
	}
	journal.before = func() {}
	if d, _ := s.ask("request-000001", "4200.00", mandate); d.Result != spec.Authorized {
		t.Errorf("the same key afterwards: %s", d.Result)
	}
}

// TestBudgetMoves: what others took while a request waited for the lock counts, in what it may take and in what it says it found.
func TestBudgetMoves(t *testing.T) {
	s := newStory(t, "budget moves")
	m := &moving{Ledger: s.ledger}
	mandate := s.enrol(s.Mandate())
	s.verifier.Journal = m
	for _, row := range []struct{ taken, asked, before, result string }{
		{"9000.00", "1.00", "9000.00", spec.Authorized}, {"900.00", "1000.00", "9901.00", spec.CollectMissing},
	} {
		m.once(func() { s.ask("neighbour for "+row.asked, row.taken, mandate) })
		p := s.Present([]spec.Document{mandate}, s.Action(row.asked), s.Request("payment of "+row.asked), s.Now)
		l, err := s.verifier.Verify(t.Context(), verifier.Request{Org: org, Presentation: p.Bytes()})
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
	s.verifier.Journal = m
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

	m.once(move(named))
	asked, decision := s.ask("invoice-1", "1.00", mandate)
	newest("a decision", asked)
	_, interim := s.ask("invoice-2", "10000.01", mandate)
	m.once(move(named))
	resumed, _ := s.lift(interim, mandate)
	newest("a resumed decision", resumed)

	m.once(move(func(r *spec.Roster) { r.Subject.Roster.Executors = nil }))
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
