package verifier_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// reconcileSome has both approvers, or one, say that a charge was not executed.
func (h *history) reconcileSome() {
	c := h.someCharge()
	if c == nil {
		return
	}
	root := h.root
	if c.d.Mandates[0] == spec.ContentDigest(h.self.Value) {
		root = h.self
	}
	word := rapid.SampledFrom([]string{spec.Approve, spec.Approve, spec.Approve, spec.Decline}).Draw(h.r, "word")
	for _, person := range []string{"treasurer", "cfo"} {
		may := c.captured == 0 && !c.closed && (c.entered || c.d.SelfExecuted)
		_, err := h.issuer.Reconcile(h.t.Context(), org, c.doc.Digest, h.Reconcile(person, word, root, c.doc).Bytes())
		if may != (err == nil) {
			h.t.Fatalf("reconciliation: may %v, got %v", may, err)
		}
		if err == nil && word == spec.Approve && c.approve(person) {
			c.closed, c.given = true, true
		}
		if word == spec.Decline {
			c.by = nil
		}
	}
}

// approve counts distinct persons; two are enough.
func (c *charge) approve(person string) bool {
	if c.by == nil {
		c.by = map[string]bool{}
	}
	c.by[person] = true
	return len(c.by) == 2
}

// TestReconciledBundle: people take a begun charge for not executed; receipt and bundle say so, and who hides it is found out. What was
// executed all the same is excess, and suspends.
func TestReconciledBundle(t *testing.T) {
	s := newStory(t, "reconciled")
	mandate := s.enrol(s.Mandate())
	_, decision := s.ask("invoice-1", "4200.00", mandate)
	_, err := s.verifier.Begin(t.Context(), org, s.Begin(decision, s.Now).Bytes())
	s.must(err)
	s.holds(decision, spec.OutcomeUnknown)
	say := func(person, word string) {
		s.Advance(time.Minute)
		_, err := s.issuer.Reconcile(t.Context(), org, decision.Digest, s.Reconcile(person, word, mandate, decision).Bytes())
		s.must(err)
	}
	say("cfo", spec.Approve)
	s.holds(decision, spec.OutcomeUnknown)
	say("treasurer", spec.Decline)
	say("treasurer", spec.Approve) // the cfo's word was of an attempt that is over
	s.holds(decision, spec.OutcomeUnknown)
	say("cfo", spec.Approve)
	s.holds(decision, spec.OutcomeNotEntered)
	if w := s.ledger.All().ByContent(spec.ContentDigest(mandate.Value)).Windows[0]; w.Used() != 0 {
		t.Errorf("the charge is given back, and %d are used", w.Used())
	}

	_, err = s.verifier.Report(t.Context(), org, s.Report(decision, spec.OutcomeExecuted, "", true, s.Now).Bytes())
	s.must(err)
	s.holds(decision, spec.OutcomeException)
	state := s.ledger.All().ByContent(spec.ContentDigest(mandate.Value))
	if state.Status != spec.StatusSuspended || state.Windows[0].Excess != 4200_00 {
		t.Errorf("executed after all: %s, excess %d", state.Status, state.Windows[0].Excess)
	}
}

// TestReconciledScalars: none of the words in a bundle can be changed.
func TestReconciledScalars(t *testing.T) {
	s := newStory(t, "reconciled scalars")
	mandate := s.enrol(s.Mandate())
	_, decision := s.ask("invoice-1", "4200.00", mandate)
	_, err := s.verifier.Begin(t.Context(), org, s.Begin(decision, s.Now).Bytes())
	s.must(err)
	for _, person := range []string{"treasurer", "cfo"} {
		_, err := s.issuer.Reconcile(t.Context(), org, decision.Digest, s.Reconcile(person, spec.Approve, mandate, decision).Bytes())
		s.must(err)
	}
	var root any
	decode(t, s.export(decision), &root)
	walk(root, "", func(pointer string, set func(any), old any) {
		for _, v := range mutants(old) {
			set(v)
			if c := verifier.CheckBundle(encode(t, root), s.trust, verifier.CheckOptions{Expect: spec.OutcomeNotEntered}); c.Holds {
				t.Errorf("%s changed from %v to %v, and the bundle still holds", pointer, old, v)
			}
		}
		set(old)
	})
}
