package verifier_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
	"github.com/writ-trust/writ/verifier"
)

// failing is the check of a decision that fails, with its reason and what it is about.
func failing(d *spec.Decision) string {
	for _, c := range d.Checks {
		if c.Outcome == spec.Fail {
			return c.Check + " " + c.Reason + " " + strings.SplitN(c.Detail, " ", 2)[0]
		}
	}
	return ""
}

func (s *story) rejected(key, euros, want string, mandates ...spec.Document) {
	s.t.Helper()
	d, doc := s.ask(key, euros, mandates...)
	if got := failing(d); d.Result != spec.Rejected || got != want {
		s.t.Fatalf("%s: %s for %q, want REJECTED for %q", euros, d.Result, got, want)
	}
	s.holds(doc, spec.Rejected)
}

func (s *story) authorized(key, euros string, mandates ...spec.Document) spec.Document {
	s.t.Helper()
	d, doc := s.ask(key, euros, mandates...)
	if d.Result != spec.Authorized {
		s.t.Fatalf("%s: %s, %q", euros, d.Result, failing(d))
	}
	return doc
}

// loose leaves the day to the policies.
func loose(m *spec.Mandate) {
	m.Terms().Constraints[0] = writtest.Budget("daily", "90000.00", "P1D")
}

// used is what is held and committed of a limit on the chain of a content.
func (s *story) used(content, constraint string) int64 {
	chain := s.ledger.All().At(s.Now).ByContent(content)
	if chain == nil {
		return 0
	}
	w := chain.Total(constraint, "EUR", time.Time{}, time.Time{})
	return w.Used()
}

// TestPolicy: a policy's limits stand beside those of the mandates that name it. What is shared counts for all of them together,
// the rest for each, under names of its own; what is executed and released is booked on both.
func TestPolicy(t *testing.T) {
	s := newStory(t, "policy")
	policy := s.enrol(s.Policy())
	content := spec.ContentDigest(policy.Value)
	first, second := s.enrol(s.Mandate(loose, writtest.Under(policy))), s.enrol(s.Mandate(loose, writtest.Under(policy)))
	outside := s.enrol(s.Mandate(loose))

	s.rejected("request-1", "8000.01", "policy amount-above-max each", first)
	paid := s.authorized("request-2", "7000.00", first)
	s.rejected("request-3", "2000.01", "policy budget-exceeded daily", first)
	s.rejected("request-4", "5000.01", "policy budget-exceeded together", second)
	s.execute(paid)
	s.holds(paid, "executed")
	s.authorized("request-5", "8500.00", outside)
	released := s.authorized("request-6", "5000.00", second)
	s.rejected("request-7", "0.01", "policy budget-exceeded together", first)
	_, err := s.verifier.Report(t.Context(), org, s.Report(released, spec.OutcomeFailed, "", true, s.Now).Bytes())
	s.must(err)
	s.holds(released, "failed")
	lapsed := s.authorized("request-8", "5000.00", second)
	s.Advance(20 * time.Minute)
	child := s.Seal(s.Child(first))
	_, err = s.issuer.Delegate(t.Context(), org, child.Bytes())
	s.must(err)
	s.execute(s.authorized("request-9", "2000.00", first, child))
	s.holds(lapsed, "held")

	account, own := spec.AccountContent(content), spec.ContentDigest(first.Value)
	if got := s.used(account, "together"); got != 9000_00 {
		t.Errorf("together %d", got)
	}
	if got := s.used(own, spec.PolicyAccount(content, "daily")); got != 9000_00 {
		t.Errorf("the first mandate under the policy %d", got)
	}
	if got := s.used(own, "daily"); got != 9000_00 {
		t.Errorf("the first mandate's own day %d", got)
	}
	for _, u := range paid.Body.(*spec.Decision).Usage {
		if u.Policy != "" && (u.Constraint == "together") != (u.Mandate == "") {
			t.Errorf("a row of %s is of mandate %q", u.Constraint, u.Mandate)
		}
	}
}

// TestPolicyMoves: the newest version applies at once to what was granted before; whoever may revoke narrows alone, and only the
// roster's full threshold loosens.
func TestPolicyMoves(t *testing.T) {
	s := newStory(t, "policy moves")
	policy := s.enrol(s.Policy())
	mandate := s.enrol(s.Mandate(loose, writtest.Under(policy)))
	before := s.authorized("request-1", "1000.00", mandate)

	narrow := s.NextPolicy(policy, writtest.Limit(writtest.JSON(`{"id":"each","type":"amount","max":{"value":"500.00","currency":"EUR"}}`)))
	s.proposed(narrow)
	s.refusedWord("an intern's", s.ApprovePolicy("intern", narrow), "approver-not-named")
	s.Advance(time.Minute)
	l, err := s.issuer.Approve(t.Context(), org, s.ApprovePolicy("cfo", narrow).Bytes())
	s.must(err)
	narrow = l.Last().Document
	if narrow.Type != spec.TypePolicy {
		t.Fatalf("one revoker's word narrowed nothing: %s", narrow.Type)
	}
	s.rejected("request-2", "500.01", "policy amount-above-max each", mandate)
	s.holds(before, "held")

	wide := s.NextPolicy(narrow, writtest.Limit(writtest.JSON(`{"id":"each","type":"amount","max":{"value":"9000.00","currency":"EUR"}}`)))
	s.proposed(wide)
	l, err = s.issuer.Approve(t.Context(), org, s.ApprovePolicy("cfo", wide).Bytes())
	s.must(err)
	if len(l.Records) != 1 {
		t.Fatal("one word loosened a policy")
	}
	s.rejected("request-3", "500.01", "policy amount-above-max each", mandate)
	_, err = s.issuer.Approve(t.Context(), org, s.ApprovePolicy("intern", wide).Bytes())
	s.must(err)
	after := s.authorized("request-4", "500.01", mandate)
	s.execute(after)
	s.holds(after, "executed")

	stale := s.NextPolicy(narrow)
	if _, err := s.issuer.Propose(t.Context(), org, stale.Value); reason(err) != "policy-previous" {
		t.Errorf("a version that rolls the policy back was drafted: %v", err)
	}
}

func (s *story) proposed(content spec.Document) {
	s.t.Helper()
	_, err := s.issuer.Propose(context.Background(), org, content.Value)
	s.must(err)
}

func (s *story) refusedWord(name string, word spec.Document, want string) {
	s.t.Helper()
	if _, err := s.issuer.Approve(context.Background(), org, word.Bytes()); reason(err) != want {
		s.t.Errorf("%s: %v, want %s", name, err, want)
	}
}

// TestPolicyRefused: what may not be drafted, and why.
func TestPolicyRefused(t *testing.T) {
	s := newStory(t, "policy refused")
	policy := s.enrol(s.Policy())
	for name, row := range map[string]struct {
		content spec.Document
		want    string
	}{
		"a mandate under a policy that is not here": {s.Mandate(writtest.Under(s.Policy())), "policy-unknown"},
		"another log": {s.Policy(func(p *spec.Policy) { p.Terms().Log = "elsewhere/log" }), "ledger-other"},
		"no roster": {s.Policy(func(p *spec.Policy) {
			p.Subject.ID, p.Terms().Grantor = "did:web:other.example", "did:web:other.example"
		}), "roster-unknown"},
		"another issuer":    {s.Policy(func(p *spec.Policy) { p.Issuer = "did:web:stranger.example" }), "issuer-unknown"},
		"test mode":         {s.Policy(func(p *spec.Policy) { p.Subject.Mode = spec.ModeTest }), "mode-other"},
		"no version before": {s.NextPolicy(s.Policy()), "policy-previous"},
	} {
		if _, err := s.issuer.Propose(t.Context(), org, row.content.Value); reason(err) != row.want {
			t.Errorf("%s: %v, want %s", name, err, row.want)
		}
	}
	weekly := s.NextPolicy(policy, writtest.Limit(writtest.Budget("together", "100.00", "P1W")))
	s.proposed(weekly)
	_, err := s.issuer.Approve(t.Context(), org, s.ApprovePolicy("treasurer", weekly).Bytes())
	s.must(err)
	s.refusedWord("an account of another period", s.ApprovePolicy("cfo", weekly), "policy-account")
}

// TestPolicyAsksForCredential: what an organisation asks of every payee, no mandate needs to repeat.
func TestPolicyAsksForCredential(t *testing.T) {
	s := newStory(t, "policy credential")
	policy := s.enrol(s.Policy(writtest.Limit(s.SupplierLimit(""))))
	mandate := s.enrol(s.Mandate(writtest.Under(policy)))
	for name, row := range map[string]struct {
		subject, result, failing string
	}{"known": {writtest.Payee, spec.Authorized, ""}, "another": {"lei:OTHER", spec.Rejected, "policy credential-subject supplier"}} {
		d, doc, err := s.askWith("request-"+name, mandate, s.Supplier(row.subject, -1))
		s.must(err)
		if d.Result != row.result || failing(d) != row.failing {
			t.Errorf("%s: %s %q", name, d.Result, failing(d))
		}
		s.holds(doc, row.result)
	}
}

// TestPolicyAbsent: a policy that cannot be read is no answer, and never leave to act.
func TestPolicyAbsent(t *testing.T) {
	s := newStory(t, "policy absent")
	policy := s.enrol(s.Policy())
	mandate := s.enrol(s.Mandate(writtest.Under(policy)))
	action := s.Action("1.00")
	p := s.Present([]spec.Document{mandate}, action, s.Request("request-1"), s.Now)
	c := verifier.Case{ID: s.ID(), Epoch: 1, Verifier: writtest.Verifier, Identity: spec.IdentityPresented, Agent: s.DID("agent"),
		Action: must(spec.ParseAction(action)), ActionValue: action, Request: s.Request("request-1"), RequestDigest: writtest.RequestDigest(p),
		Presentation: p.Digest, Roster: spec.ContentDigest(s.roster.Value), Owner: writtest.Grantor, ExecuteWithin: time.Minute, Env: spec.CurrentEnv(),
		Mandates: []verifier.Mandate{{Content: spec.ContentDigest(mandate.Value), Body: mandate.Body.(*spec.Mandate)}}}
	decide := func(drop string) string {
		states := spec.States{}
		for id, chain := range s.ledger.All() {
			if chain.Content != drop {
				states[id] = chain
			}
		}
		account := policy.Body.(*spec.Policy).AccountRef(spec.ContentDigest(policy.Value))
		if id, err := spec.ChainID(account.Salt, account.Log, account.Content); err == nil && drop != account.Content {
			states[id] = &spec.State{Chain: id, Kind: account.Kind, Content: account.Content}
		}
		_, err := verifier.Decide(c, states, s.Now)
		return reason(err)
	}
	content := spec.ContentDigest(policy.Value)
	if got := decide(""); got != "indeterminate" {
		t.Errorf("policies that open did not see: %q", got)
	}
	c.Policies = []string{content}
	for drop, want := range map[string]string{"": "", content: "indeterminate", spec.AccountContent(content): "indeterminate"} {
		if got := decide(drop); got != want {
			t.Errorf("without %q: %q, want %q", drop, got, want)
		}
	}
	c.Policies = []string{jcs.Digest("x", nil)}
	if _, err := verifier.Decide(c, s.ledger.All(), s.Now); err != verifier.ErrMoved {
		t.Errorf("a policy that moved since open: %v", err)
	}
}

// TestPolicyMovesMeanwhile: a policy that changes between open and the lock is opened again; one that never rests is no answer.
func TestPolicyMovesMeanwhile(t *testing.T) {
	s := newStory(t, "policy moves meanwhile")
	policy := s.enrol(s.Policy(func(p *spec.Policy) { p.Terms().Shared = nil }))
	mandate := s.enrol(s.Mandate(loose, writtest.Under(policy)))
	left := 0
	s.verifier.Journal = &moving{Ledger: s.ledger, before: func() {
		if left--; left >= 0 {
			policy = s.enrol(s.NextPolicy(policy, func(p *spec.Policy) { p.Terms().Shared = []string{"together", "daily"}[:1+p.Terms().Version%2] }))
		}
	}}
	for _, row := range []struct {
		key   string
		moves int
		want  string
	}{{"moves-once", 1, ""}, {"moves-always", 9, "indeterminate"}} {
		left = row.moves
		p := s.Present([]spec.Document{mandate}, s.Action("1.00"), s.Request(row.key), s.Now)
		l, err := s.verifier.Verify(t.Context(), verifier.Request{Org: org, Presentation: p.Bytes()})
		if reason(err) != row.want {
			t.Errorf("%s: %v", row.key, err)
		}
		if d, ok := verifier.Decision(l); ok && (d.Result != spec.Authorized || len(d.Accounts) != 1 || d.Inputs.Policies[0] != spec.ContentDigest(policy.Value)) {
			t.Errorf("%s: %s under %v, charged to %v", row.key, d.Result, d.Inputs.Policies, d.Accounts)
		}
	}
}

// TestPolicyReconciled: a charge that people take back comes off what is shared, too.
func TestPolicyReconciled(t *testing.T) {
	s := newStory(t, "policy reconciled")
	policy := s.enrol(s.Policy())
	mandate := s.enrol(s.Mandate(loose, writtest.Under(policy)))
	d := s.authorized("request-1", "8000.00", mandate)
	_, err := s.verifier.Begin(t.Context(), org, s.Begin(d, s.Now).Bytes())
	s.must(err)
	lines, err := spec.ReconcileLines(rule.English, mandate.Body.(*spec.Mandate), d)
	s.must(err)
	for i, person := range []string{"treasurer", "cfo"} {
		word := s.Approve(person, spec.KindReconciliation, spec.ReconciliationContent(d.Digest), lines...)
		_, err := s.issuer.Reconcile(t.Context(), org, d.Digest, word.Bytes())
		s.must(err)
		if got, want := s.used(spec.AccountContent(spec.ContentDigest(policy.Value)), "together"), int64(8000_00*(1-i)); got != want {
			t.Errorf("after %d words %d is used together, want %d", i+1, got, want)
		}
	}
	s.authorized("request-2", "8000.00", mandate)
}

// TestPolicyManyChains: a decision that would be an event of more than 8 chains is refused, not half booked.
func TestPolicyManyChains(t *testing.T) {
	s := newStory(t, "policy many chains")
	var policies []spec.Document
	for range spec.MaxPolicies {
		policies = append(policies, s.enrol(s.Policy()))
	}
	chain := []spec.Document{s.enrol(s.Mandate(loose, writtest.Under(policies...), func(m *spec.Mandate) { m.Terms().Delegation.MaxDepth = 7 }))}
	for depth := 6; depth >= 2; depth-- {
		parent := chain[len(chain)-1]
		agent := []string{"subagent", "agent"}[len(chain)%2]
		child := s.Seal(s.Child(parent, func(m *spec.Mandate) {
			m.Subject.ID, m.Terms().Delegation = s.DID(agent), &spec.Delegation{MaxDepth: int64(depth)}
		}))
		_, err := s.issuer.Delegate(t.Context(), org, child.Bytes())
		s.must(err)
		chain = append(chain, child)
		request := "request-" + string(rune('0'+depth)) + "-chains"
		if len(chain)+len(policies) <= spec.MaxChain {
			s.holds(s.authorized(request, "1.00", chain...), "held")
			continue
		}
		s.rejected(request, "1.00", "policy too-many-chains ", chain...)
	}
}

// policyBundle is one under two policies, one of them in its third version, with what a second mandate was charged in between.
func policyBundle(s *story) []byte { return s.export(policyDecision(s)) }

func policyDecision(s *story) spec.Document {
	policy := s.enrol(s.Policy())
	count := s.enrol(s.Policy(func(p *spec.Policy) {
		p.Terms().Constraints = []jcs.Value{writtest.JSON(`{"id":"often","type":"count","max":5,"per":"P1D","rolling":true}`)}
		p.Terms().Shared = nil
	}))
	mandate := s.enrol(s.Mandate(loose, writtest.Under(policy, count)))
	other := s.enrol(s.Mandate(loose, writtest.Under(policy)))
	s.execute(s.authorized("request-1", "100.00", other))
	for _, each := range []string{"8500.00", "8600.00"} {
		s.Advance(time.Minute)
		policy = s.enrol(s.NextPolicy(policy, writtest.Limit(writtest.Budget("together", "11000.00", "P1D")),
			writtest.Limit(writtest.JSON(`{"id":"each","type":"amount","max":{"value":"`+each+`","currency":"EUR"}}`))))
	}
	s.execute(s.authorized("request-2", "100.00", other))
	decision := s.authorized("request-3", "4200.00", mandate)
	s.execute(decision)
	return decision
}

// TestPolicyBundleLeavesOut: a bundle without a version, or without a word, of a policy fails.
func TestPolicyBundleLeavesOut(t *testing.T) {
	s := newStory(t, "policy bundle")
	data := policyBundle(s)
	if c := verifier.CheckBundle(data, s.trust, verifier.CheckOptions{Expect: "executed"}); !c.Holds {
		t.Fatalf("the bundle itself fails: %+v", c.Verdicts)
	}
	var whole verifier.Bundle
	s.must(jcs.Unmarshal(data, &whole))
	if len(whole.Policies) != 4 {
		t.Fatalf("%d policy versions are in the bundle", len(whole.Policies))
	}
	for i, v := range whole.Policies {
		doc := must(spec.FromValue(v))
		gone := []string{doc.Digest}
		for _, a := range must(spec.Approvals(v)) {
			gone = append(gone, a.Digest)
		}
		some := whole
		some.Policies = slices.Delete(slices.Clone(whole.Policies), i, i+1)
		some.Logged = slices.DeleteFunc(slices.Clone(whole.Logged), func(l verifier.LoggedAt) bool { return slices.Contains(gone, l.Document) })
		c := verifier.CheckBundle(must(jcs.Marshal(some)), s.trust, verifier.CheckOptions{})
		if c.Holds {
			t.Errorf("version %d is left out, and the bundle holds", i)
		}
		if v := c.Verdicts[slices.IndexFunc(c.Verdicts, func(v verifier.Verdict) bool { return v.Outcome == verifier.Fails })]; v.Reason == "internal" {
			t.Errorf("version %d is left out: %+v", i, v)
		}
	}
}

// TestPolicySentences: what people sign is said in both languages.
func TestPolicySentences(t *testing.T) {
	w := writtest.Acme("policy sentences")
	first := w.Policy(func(p *spec.Policy) { p.Terms().Scope.Resources = []string{writtest.Account} })
	for locale, want := range map[rule.Locale][]string{
		rule.English: {"Policy: Payments of Acme", "Set by did:web:acme.example, version 2", "In place of " + spec.ContentDigest(first.Value),
			"Limits every mandate that names it, in: payments.*", "On: " + writtest.Account,
			"at most €12,000.00 a day; resets at midnight in Lisbon (all mandates together)",
			"at most €9,000.00 a day; resets at midnight in Lisbon (each mandate by itself)",
			"each action at most €8,000.00", "Kept in writ.acme.example/log1"},
		rule.Portuguese: {"Política: Payments of Acme", "Definida por did:web:acme.example, versão 2", "Em vez de " + spec.ContentDigest(first.Value),
			"Limita todos os mandatos que a nomeiam, em: payments.*", "Sobre: " + writtest.Account,
			"no máximo 12 000,00 € por dia; recomeça à meia-noite em Lisboa (todos os mandatos em conjunto)",
			"no máximo 9 000,00 € por dia; recomeça à meia-noite em Lisboa (cada mandato por si)",
			"cada ação no máximo 8 000,00 €", "Mantida em writ.acme.example/log1"},
	} {
		got := w.NextPolicy(first).Body.(*spec.Policy).Lines(locale)
		if a, b := must(json.Marshal(got)), must(json.Marshal(want)); string(a) != string(b) {
			t.Errorf("%s:\n%s\n%s", locale, a, b)
		}
	}
}
