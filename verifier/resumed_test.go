package verifier_test

import (
	"context"
	"testing"
	"time"

	"github.com/writ-trust/writ/spec"
)

// TestNoResumeWordKept: a suspension is not ended by words given for an earlier one.
func TestNoResumeWordKept(t *testing.T) {
	s := newStory(t, "r1")
	mandate := s.enrol(s.Mandate(func(m *spec.Mandate) { m.Subject.Mandate.Grantor.Approvers = []string{"treasurer", "cfo", "intern"} }))
	content := spec.ContentDigest(mandate.Value)
	notice := func() {
		n, err := spec.New(&spec.Notice{Type: "RevocationNotice", Version: spec.Version, Content: content, Act: spec.ActSuspend,
			By: s.KeyID("treasurer"), At: spec.At(s.Now), Nonce: s.Nonce()})
		s.must(err)
		_, err = s.issuer.Notice(context.Background(), org, s.Sign(n, "treasurer", "capabilityDelegation", s.Now).Bytes())
		s.must(err)
	}
	resume := func(who string) spec.Document {
		return s.Approve(who, spec.KindResume, content, spec.ActLines("en", spec.KindResume, content, mandate.Body.(*spec.Mandate).Name)...)
	}
	hand := func(d spec.Document) { _, err := s.issuer.Approve(context.Background(), org, d.Bytes()); s.must(err) }
	notice()
	kept := resume("intern") // signed for the first suspension, never handed in
	hand(resume("treasurer"))
	hand(resume("cfo"))
	s.Advance(5 * 24 * time.Hour)
	notice() // the second suspension: fraud
	if _, err := s.issuer.Approve(context.Background(), org, kept.Bytes()); reason(err) != "approval-stale" {
		t.Errorf("a word for an earlier suspension: %v", err)
	}
	hand(resume("cfo"))
	if st := s.ledger.All().ByContent(content).Status; st == spec.StatusActive {
		t.Errorf("the second suspension was ended with a word signed %s before it", "5 days")
	}
}

// TestNoBeginLostToResume: an execution that a late report suspended, and people resumed, is begun and shown like any other. Words
// about the mandate's status are not in the bundle; the status that they left is, in the entry of the begin.
func TestNoBeginLostToResume(t *testing.T) {
	s := newStory(t, "r2")
	mandate := s.enrol(s.Mandate())
	content := spec.ContentDigest(mandate.Value)
	_, decision := s.ask("request-000001", "4200.00", mandate)
	report := func(final bool) {
		_, err := s.verifier.Report(t.Context(), org, s.Report(decision, spec.OutcomeExecuted, "4200.00", final, s.Now).Bytes())
		s.must(err)
	}
	report(false) // before any begin: it counts, and suspends
	for _, who := range []string{"treasurer", "cfo"} {
		word := s.Approve(who, spec.KindResume, content, spec.ActLines("en", spec.KindResume, content, mandate.Body.(*spec.Mandate).Name)...)
		_, err := s.issuer.Approve(t.Context(), org, word.Bytes())
		s.must(err)
	}
	_, err := s.verifier.Begin(t.Context(), org, s.Begin(decision, s.Now).Bytes())
	s.must(err)
	report(true)
	s.holds(decision, spec.OutcomeException) // what was executed before it was begun stays one
}
