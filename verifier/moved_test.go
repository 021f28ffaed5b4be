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
	m.before()
	return m.Ledger.Run(ctx, op, f)
}

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
