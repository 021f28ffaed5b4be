package verifier_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// rollback is a ledger that shows its verifier every policy as version 1.
type rollback struct{ *writtest.Ledger }

func rolledBack(ss spec.States) spec.States {
	out := spec.States{}
	for id, s := range ss {
		if s.Kind == spec.KindPolicy && len(s.Policies) > 1 {
			before := *s
			before.Policies = before.Policies[:1]
			s = &before
		}
		out[id] = s
	}
	return out
}

func (r rollback) States(ctx context.Context, org string, refs []spec.ChainRef, decisions []string) (spec.States, error) {
	ss, err := r.Ledger.States(ctx, org, refs, decisions)
	return rolledBack(ss), err
}

func (r rollback) Run(ctx context.Context, op spec.Op, f func(spec.States, time.Time) ([]spec.Document, error)) (spec.Logged, error) {
	return r.Ledger.Run(ctx, op, func(ss spec.States, now time.Time) ([]spec.Document, error) { return f(rolledBack(ss), now) })
}

// withoutPolicy leaves the end of a policy's chain out: a version with its approvals.
func (s *story) withoutPolicy(bundle []byte, version spec.Document) []byte {
	s.t.Helper()
	var b verifier.Bundle
	s.must(jcs.Unmarshal(bundle, &b))
	gone := []string{version.Digest}
	approvals, err := spec.Approvals(version.Value)
	s.must(err)
	for _, a := range approvals {
		gone = append(gone, a.Digest)
	}
	b.Policies = slices.DeleteFunc(b.Policies, func(v jcs.Value) bool { return v.Equal(version.Value) })
	b.Logged = slices.DeleteFunc(b.Logged, func(l verifier.LoggedAt) bool { return slices.Contains(gone, l.Document) })
	data, err := jcs.MarshalBundle(b)
	s.must(err)
	return data
}

// TestNoSilenceAboutNewestPolicies: a ledger decided by version 1 an hour after version 2 narrowed it, and the exporter leaves version 2
// out. Nothing in the bundle contradicts that; so the verdict on it says what it does not show, and says it of no mandate without policies.
func TestNoSilenceAboutNewestPolicies(t *testing.T) {
	s := newStory(t, "hidden policy")
	plain, policy := s.enrol(s.Mandate()), s.enrol(s.Policy())
	mandate := s.enrol(s.Mandate(loose, writtest.Under(policy)))
	narrow := s.NextPolicy(policy, writtest.Limit(writtest.JSON(`{"id":"each","type":"amount","max":{"value":"500.00","currency":"EUR"}}`)))
	s.proposed(narrow)
	l, err := s.issuer.Approve(t.Context(), org, s.ApprovePolicy("cfo", narrow).Bytes())
	s.must(err)
	narrow = l.Last().Document
	s.Advance(time.Hour)
	honest := s.verifier
	s.verifier, err = verifier.New(verifier.Options{DID: writtest.Verifier, Key: s.Key("ledger").Public().Multikey(), Log: writtest.Origin, Epoch: 1,
		Journal: rollback{s.ledger}, Trust: func() *verifier.Trust { return s.trust }, Random: s.World, Now: func() time.Time { return s.Now }})
	s.must(err)
	_, doc := s.ask("request-1", "7000.00", mandate)
	s.execute(doc)
	const roster, policies = "roster newest: not proven", "roster newest: not proven; policies newest: not proven"
	s.says(s.withoutPolicy(s.export(doc), narrow), policies)
	s.verifier = honest
	_, doc = s.ask("request-2", "1.00", plain)
	s.execute(doc)
	s.says(s.export(doc), roster)
}

// says holds what anchored leaves open against the wanted remark.
func (s *story) says(bundle []byte, want string) {
	s.t.Helper()
	c := verifier.CheckBundle(bundle, s.trust, verifier.CheckOptions{Expect: spec.OutcomeExecuted})
	if !c.Holds || c.Verdicts[1].Detail != want {
		s.t.Errorf("%+v, want %q", c.Verdicts, want)
	}
}
