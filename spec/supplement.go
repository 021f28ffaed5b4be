package spec

import (
	"slices"

	"github.com/writ-trust/writ/internal/jcs"
)

// Supplement lifts limits of one mandate once, for one decision (protocol.md 4.9). It has no salt, status or account
// of its own: its events are on the chain of the mandate that owns the constraint.
type Supplement struct {
	Envelope
	Subject  SupplementSubject `json:"credentialSubject"`
	Evidence []jcs.Value       `json:"evidence,omitempty"`
}

// SupplementSubject is the agent and the terms.
type SupplementSubject struct {
	ID         string          `json:"id"`
	Mode       string          `json:"mode,omitempty"`
	Supplement SupplementTerms `json:"supplement"`
}

// SupplementTerms bind the lift to one interim decision, one action, one ledger and one executor.
type SupplementTerms struct {
	Base     string `json:"base"` // content digest of the mandate that owns the limits
	Decision string `json:"decision"`
	Action   string `json:"action"`
	Ledger   Ledger `json:"ledger"`
	Executor string `json:"executor"`
	Recovery int64  `json:"recovery"`
	Lifts    []Lift `json:"lifts"`
	Expires  Time   `json:"expires"`
}

func (s *Supplement) docType() string { return TypeSupplement }
func (s *Supplement) mode() string    { return s.Subject.Mode }

// Terms are the supplement proper.
func (s *Supplement) Terms() *SupplementTerms { return &s.Subject.Supplement }

func (s *Supplement) check() error {
	const place = "/credentialSubject/supplement"
	t := s.Terms()
	return firstError(
		func() error { return s.Envelope.check("SupplementCredential") },
		func() error { return agentDID(s.Subject.ID) },
		func() error { return checkText(place+"/ledger/log", t.Ledger.Log) },
		func() error { return checkAll(place+"/lifts", t.Lifts, Lift.check) },
		func() error {
			if t.Recovery < 0 {
				return refuse("member-range", place+"/recovery", "the index of a clause")
			}
			return nil
		},
		func() error { return checkDIDs(place, "executor", t.Executor, "ledger/verifier", t.Ledger.Verifier) },
		func() error { return checkDigest(t.Base, place+"/base") },
		func() error { return checkDigest(t.Decision, place+"/decision") },
		func() error { return checkDigest(t.Action, place+"/action") },
		func() error { return checkMode(s.Subject.Mode) },
		func() error { return checkEvidence(s.Evidence) },
		func() error {
			if slices.ContainsFunc(t.Lifts, func(l Lift) bool { return l.Owner != t.Base }) {
				return refuse("lift-foreign", place+"/lifts", "a lift counts only for the document that owns the limit")
			}
			return nil
		},
	)
}

// Propose is the supplement that missing[i] of an interim decision asks for, without approvals: a pure function, whose
// content is what people sign. base is the mandate that missing[i] names.
func Propose(decision Document, i int, base *Mandate) (Document, error) {
	d, ok := decision.Body.(*Decision)
	if !ok || i < 0 || i >= len(d.Missing) {
		return Document{}, refuse("proposal-unknown", "", "the decision proposes nothing there")
	}
	m := d.Missing[i]
	s := &Supplement{Envelope: NewEnvelope("SupplementCredential", uuidOf(decision.Digest+"/"+m.Mandate), base.Issuer)}
	s.ValidFrom, s.ValidUntil = d.At, m.Until
	s.Subject = SupplementSubject{ID: d.Agent, Mode: d.Mode, Supplement: SupplementTerms{
		Base: m.Mandate, Decision: decision.Digest, Action: ActionDigest(d.Action), Ledger: base.Terms().Ledger,
		Executor: d.Executor, Recovery: m.Recovery, Lifts: m.Lifts, Expires: m.Until,
	}}
	return New(s)
}
