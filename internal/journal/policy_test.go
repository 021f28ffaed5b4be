package journal

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
)

// enact logs a policy version; first is version 1.
func (b *bench) enact(roster, first, p spec.Document) spec.Document {
	b.t.Helper()
	approvals := []spec.Document{b.ApprovePolicy("treasurer", p), b.ApprovePolicy("cfo", p)}
	sealed := b.Seal(p, approvals...)
	b.must(spec.Op{Write: []spec.ChainRef{writtest.Ref(first)}, Read: []spec.ChainRef{writtest.Ref(roster)}}, append(approvals, sealed)...)
	return sealed
}

// underPolicy is request for a mandate under a policy: it reads the policy and writes what its mandates share.
func (b *bench) underPolicy(key, euros string, roster, policy, mandate spec.Document) request {
	r := b.request(key, euros, roster, mandate)
	r.op.Read = append(r.op.Read, writtest.Ref(policy))
	r.op.Write = append(r.op.Write, policy.Body.(*spec.Policy).AccountRef(spec.ContentDigest(policy.Value)))
	return r
}

func (b *bench) granted(roster, policy spec.Document) spec.Document {
	b.t.Helper()
	m := b.Mandate(writtest.Under(policy))
	approvals := []spec.Document{b.ApproveMandate("treasurer", m), b.ApproveMandate("cfo", m)}
	sealed := b.Seal(m, approvals...)
	b.must(spec.Op{Write: []spec.ChainRef{writtest.Ref(m)}, Read: []spec.ChainRef{writtest.Ref(roster), writtest.Ref(policy)}}, append(approvals, sealed)...)
	return sealed
}

// TestRebuildPolicies: versions of a policy, and what its mandates share, come back as they were; the chain is found by any version.
func TestRebuildPolicies(t *testing.T) {
	b := newBench(t)
	ctx := context.Background()
	roster := b.found()
	draft := b.Policy()
	policy := b.enact(roster, draft, draft)
	first, second := b.granted(roster, policy), b.granted(roster, policy)
	b.checkRebuild()
	must := func(r request) spec.Document {
		t.Helper()
		l, err := b.decide(r)
		if err != nil {
			t.Fatal(err)
		}
		return l.Last().Document
	}
	paid := must(b.underPolicy("invoice-1", "5000.00", roster, policy, first))
	lapses := must(b.underPolicy("invoice-2", "5000.00", roster, policy, second))
	b.checkRebuild()
	if _, err := b.decide(b.underPolicy("invoice-3", "2000.01", roster, policy, second)); reason(err) != "budget-exceeded" {
		t.Errorf("above what both mandates share: %v", err)
	}
	begin := b.Begin(paid, b.Advance(time.Second))
	b.must(about(paid, begin), begin)
	b.checkRebuild()
	next := b.enact(roster, policy, b.NextPolicy(policy, writtest.Limit(writtest.Budget("together", "6000.00", "P1D"))))
	b.Advance(20 * time.Minute)
	must(b.underPolicy("invoice-4", "1000.00", roster, policy, second))
	b.checkRebuild()
	for decision, euros := range map[*spec.Document]string{&paid: "5100.00", &lapses: ""} { // both above what they hold
		report := b.Report(*decision, spec.OutcomeExecuted, euros, true, b.Advance(time.Second))
		l := b.must(about(*decision, report), report)
		if n := len(l.Last().Entry.Links); n != 2 {
			t.Errorf("a report links %d chains", n)
		}
		b.checkRebuild()
	}
	for range 2 {
		for _, v := range []spec.Document{policy, next} {
			s, err := b.j.PolicyState(ctx, org, spec.ContentDigest(v.Value))
			if err != nil || s.Content != spec.ContentDigest(policy.Value) || len(s.Policies) != 2 || s.Seq != 6 {
				t.Errorf("by version %s: %+v, %v", v.Digest, s, err)
			}
		}
		b.close()
		if err := b.open(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.j.PolicyState(ctx, "another", spec.ContentDigest(next.Value)); reason(err) != "not-found" {
		t.Errorf("another organisation's: %v", err)
	}
	if _, err := b.j.PolicyState(ctx, org, spec.ContentDigest(roster.Value)); reason(err) != "not-found" {
		t.Errorf("a roster is no policy: %v", err)
	}
}

// TestPoliciesRoll: what rolled into a policy's sum weeks ago counts, whether the states come from memory or from the tables, and
// whichever chains were loaded beside.
func TestPoliciesRoll(t *testing.T) {
	b := newBench(t)
	roster := b.found()
	draft := b.Policy(writtest.Limit(writtest.RollingBudget("together", "12000.00", "P1M")), writtest.Limit(writtest.RollingBudget("daily", "9000.00", "P1M")))
	policy := b.enact(roster, draft, draft)
	first, second := b.granted(roster, policy), b.granted(roster, policy)
	l, err := b.decide(b.underPolicy("invoice-1", "8000.00", roster, policy, first))
	if err != nil {
		t.Fatal(err)
	}
	paid := l.Last().Document
	for _, d := range []spec.Document{b.Begin(paid, b.Advance(time.Second)), b.Report(paid, spec.OutcomeExecuted, "", true, b.Advance(time.Second))} {
		b.must(about(paid, d), d)
	}
	for round := range 2 {
		b.Advance(9 * 24 * time.Hour)
		if _, err := b.decide(b.underPolicy(fmt.Sprint("invoice small ", round), "1.00", roster, policy, first)); err != nil {
			t.Error(err)
		}
		for key, row := range map[string]struct {
			euros   string
			mandate spec.Document
		}{"shared": {"4000.01", second}, "its own": {"1000.01", first}} {
			if _, err := b.decide(b.underPolicy("invoice "+key, row.euros, roster, policy, row.mandate)); reason(err) != "budget-exceeded" {
				t.Errorf("%s, weeks later: %v", key, err)
			}
		}
		b.checkCache()
		b.close()
		if err := b.open(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.decide(b.underPolicy("invoice-2", "990.00", roster, policy, first)); err != nil {
		t.Errorf("what is left: %v", err)
	}
}

// TestPolicyRollingWindowsStayLoaded: buckets that are over count in later sums of a policy's rolling limits, shared or not.
func TestPolicyRollingWindowsStayLoaded(t *testing.T) {
	for name, shared := range map[string][]string{"shared": {"week"}, "each": nil} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			roster := b.found()
			draft := b.Policy(func(p *spec.Policy) {
				p.Terms().Constraints, p.Terms().Shared = []jcs.Value{writtest.RollingBudget("week", "500.00", "P1W")}, shared
			})
			policy := b.enact(roster, draft, draft)
			mandate := b.granted(roster, policy)
			ask := func(key string) error {
				r := b.underPolicy(key, "300.00", roster, policy, mandate)
				if shared == nil {
					r.op.Write = r.op.Write[:1]
				}
				_, err := b.decide(r)
				return err
			}
			if err := ask("first-invoice"); err != nil {
				t.Fatal(err)
			}
			paid := b.newest(mandate)
			begin, report := b.Begin(paid, b.Now), b.Report(paid, spec.OutcomeExecuted, "", true, b.Now)
			b.must(about(paid, begin), begin)
			b.must(about(paid, report), report)
			b.Advance(6 * 24 * time.Hour)
			if err := ask("six-days-later"); reason(err) != "budget-exceeded" {
				t.Errorf("six days later: %v", err)
			}
			b.Advance(2 * 24 * time.Hour)
			if err := ask("eight-days-later"); err != nil {
				t.Errorf("eight days later: %v", err)
			}
			b.checkRebuild()
		})
	}
}

// newest is the newest document on a mandate's chain.
func (b *bench) newest(mandate spec.Document) spec.Document {
	b.t.Helper()
	chain, err := b.j.Chain(context.Background(), org, spec.ContentDigest(mandate.Value), 1, 0)
	if err != nil {
		b.t.Fatal(err)
	}
	return chain[len(chain)-1].Document
}
