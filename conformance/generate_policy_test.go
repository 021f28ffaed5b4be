package conformance

import (
	"fmt"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
)

const policyClause = "protocol.md 4.11, 4.12, 6.7 and 7.8: policy"

func policyTerms(change func(*spec.PolicyTerms)) func(*spec.Policy) {
	return func(p *spec.Policy) { change(p.Terms()) }
}

func policyVectors(b *book) {
	w := world("policy")
	plain := w.Policy()
	sealed := w.Seal(plain, w.ApprovePolicy("treasurer", plain), w.ApprovePolicy("cfo", plain))
	const terms = "/credentialSubject/policy"
	row := func(name, title string, want DocumentEnd, edits ...Edit) {
		b.doc("policy/"+name, policyClause, title, spec.TypePolicy, b.changed(sealed, edits...), want)
	}
	row("sealed", "Version 1.", good(sealed))
	next := w.NextPolicy(sealed)
	b.doc("policy/second-version", policyClause, "Version 2 names the content of version 1.", spec.TypePolicy, string(next.Bytes()), good(next))
	row("first-with-previous", "Version 1 follows nothing.", no("policy-version", terms+"/version"), set(terms+"/previous", plain.Digest))
	row("second-without-previous", "Every later version names the one before.", no("policy-version", terms+"/version"), set(terms+"/version", 2))
	row("of-another-subject", "The grantor is the subject.", no("grantor-mismatch", terms+"/grantor"), set("/credentialSubject/id", "did:web:other.example"))
	row("scope-over-everything", "A bare * is refused.", no("action-pattern", terms+"/scope/actions/0"), set(terms+"/scope/actions", []string{"*"}))
	row("without-constraints", "A policy limits something.", no("member-missing", terms+"/constraints"), remove(terms+"/constraints"))
	row("constraint-id-twice", "Constraint ids are distinct.", no("constraint-repeated", terms+"/constraints/1/id"), set(terms+"/constraints/1/id", "together"))
	row("asks-for-approval", "A policy has no clause that says whose.", no("approval-clause", terms+"/constraints/2"), set(terms+"/constraints/2", map[string]string{"id": "four-eyes", "type": "approval"}))
	row("shares-an-amount", "Only what keeps an account is shared.", no("policy-shared", terms+"/shared/0"), set(terms+"/shared", []string{"each"}))
	row("shares-twice", "What is shared is named once.", no("policy-shared", terms+"/shared/1"), set(terms+"/shared", []string{"daily", "daily"}))
	row("with-recovery", "Nothing lifts a policy's limits.", no("member-unknown", terms+"/recovery"), set(terms+"/recovery", []any{map[string]any{"for": []string{"daily"}}}))
	policyTraces(b)
	unaskedTraces(b)
	wordTraces(b)
	policyBundle(b)
}

// loose leaves the day to the policies.
func loose(m *spec.Mandate) { m.Terms().Constraints[0] = writtest.Budget("daily", "90000.00", "P1D") }

func each(most string) func(*spec.Policy) {
	return writtest.Limit(parse(`{"id":"each","type":"amount","max":{"value":"` + most + `","currency":"EUR"}}`))
}

func (l *life) underPolicy(changes ...func(*spec.Policy)) (policy, mandate spec.Document) {
	l.b.t.Helper()
	policy = l.enrol("policy", l.Policy(changes...))
	return policy, l.enrol("mandate", l.Mandate(loose, writtest.Under(policy)))
}

func policyTraces(b *book) {
	l := newLife(b, "policy shared")
	policy, first := l.underPolicy()
	second := l.enrol("second", l.Mandate(loose, writtest.Under(policy)))
	l.ask("invoice-1", "7000.00", authorized, first)
	l.ask("invoice-2", "5000.01", rejected("policy", "budget-exceeded"), second)
	l.ask("invoice-3", "2000.01", rejected("policy", "budget-exceeded"), first)
	l.ask("invoice-4", "5000.00", authorized, second)
	l.ask("invoice-5", "0.01", rejected("policy", "budget-exceeded"), first)
	shared := Account{Mandate: spec.AccountContent(spec.ContentDigest(policy.Value)), Status: spec.StatusActive, Constraint: "together",
		From: spec.At(writtest.Start.Truncate(24 * time.Hour)), Used: "12000.00", Lifted: "0.00", Excess: "0.00"}
	l.trace.Accounts = append(l.trace.Accounts, shared)
	l.account(first, spec.StatusActive, spec.PolicyAccount(spec.ContentDigest(policy.Value), "daily"), "7000.00", "0.00", "0.00")
	l.finish("policy/budget-of-two-mandates", policyClause, "Two mandates under one policy never take more together than it lets them share, and each no more than it lets each.")

	l = newLife(b, "policy released")
	_, first = l.underPolicy()
	d := l.ask("invoice-1", "8000.00", authorized, first)
	l.step("report", "failed", l.report(d, spec.OutcomeFailed, "", true), recorded(1))
	d = l.ask("invoice-2", "8000.00", authorized, first)
	l.step("begin", "begin", l.Begin(d, l.Now), recorded(1))
	l.step("report", "executed", l.report(d, spec.OutcomeExecuted, "500.00", true), recorded(1))
	l.ask("invoice-3", "8000.00", authorized, first)
	l.ask("invoice-4", "500.01", rejected("policy", "budget-exceeded"), first)
	l.finish("policy/released-and-captured", policyClause, "What was not executed comes back to both accounts.")

	l = newLife(b, "policy narrowed")
	policy, first = l.underPolicy()
	l.ask("invoice-1", "8000.00", authorized, first)
	narrow := l.NextPolicy(policy, each("500.00"))
	l.step("propose", "narrow", narrow, drafted)
	l.step("approve", "narrow by intern", l.ApprovePolicy("intern", narrow), refused("approver-not-named", "/approver"))
	l.step("approve", "narrow by cfo", l.ApprovePolicy("cfo", narrow), issued(2))
	l.ask("invoice-2", "500.01", rejected("policy", "amount-above-max"), first)
	l.finish("policy/narrowed-by-one-revoker", policyClause, "One revoker narrows a policy, at once and for what was granted before.")

	l = newLife(b, "policy loosened")
	policy, first = l.underPolicy()
	wide := l.NextPolicy(policy, each("9000.00"))
	l.step("propose", "wide", wide, drafted)
	l.step("approve", "wide by cfo", l.ApprovePolicy("cfo", wide), recorded(1))
	l.ask("invoice-1", "8000.01", rejected("policy", "amount-above-max"), first)
	l.step("approve", "wide by intern", l.ApprovePolicy("intern", wide), issued(2))
	l.ask("invoice-2", "8000.01", authorized, first)
	l.finish("policy/loosened-by-one-person", policyClause, "To loosen, a policy version needs the roster's change threshold.")

	l = newLife(b, "policy rolled back")
	policy = l.enrol("policy", l.Policy())
	narrow = l.NextPolicy(policy, each("500.00"))
	back := l.NextPolicy(policy, each("8000.00"))
	l.step("propose", "narrow", narrow, drafted)
	l.step("propose", "back", back, drafted)
	l.step("approve", "back by treasurer", l.ApprovePolicy("treasurer", back), issued(2))
	l.step("approve", "narrow by cfo", l.ApprovePolicy("cfo", narrow), refused("policy-previous", "/credentialSubject/policy/previous"))
	again := l.NextPolicy(policy)
	l.step("propose", "again", again, refused("policy-previous", "/credentialSubject/policy/previous"))
	l.finish("policy/rolled-back", policyClause, "A version that follows an older one than that in force rolls the policy back.")

	l = newLife(b, "policy renamed")
	policy, first = l.underPolicy()
	l.ask("invoice-1", "7000.00", authorized, first)
	renamed := l.NextPolicy(policy, policyTerms(func(t *spec.PolicyTerms) {
		t.Constraints = append([]jcs.Value{writtest.Budget("jointly", "12000.00", "P1D")}, t.Constraints[1:]...)
		t.Shared = []string{"jointly"}
	}))
	l.step("propose", "renamed", renamed, drafted)
	l.step("approve", "renamed by cfo", l.ApprovePolicy("cfo", renamed), recorded(1))
	l.finish("policy/renamed-budget", policyClause, "A budget under another id begins at zero: that loosens.")

	l = newLife(b, "policy other period")
	policy = l.enrol("policy", l.Policy())
	weekly := l.NextPolicy(policy, writtest.Limit(writtest.Budget("together", "100.00", "P1W")))
	l.step("propose", "weekly", weekly, drafted)
	l.step("approve", "weekly by cfo", l.ApprovePolicy("cfo", weekly), recorded(1))
	l.step("approve", "weekly by treasurer", l.ApprovePolicy("treasurer", weekly), refused("policy-account", "/credentialSubject/policy/constraints/0"))
	l.finish("policy/account-of-another-period", policyClause, "The id of an account keeps its period.")

	l = newLife(b, "policy unknown")
	l.step("propose", "mandate", l.Mandate(writtest.Under(l.Policy())), refused("policy-unknown", "/credentialSubject/mandate/policies/0"))
	policy = l.Policy()
	l.step("propose", "policy", policy, drafted)
	l.step("approve", "policy by cfo", l.ApprovePolicy("cfo", policy), recorded(1))
	l.step("propose", "early", l.Mandate(writtest.Under(policy)), refused("policy-unknown", "/credentialSubject/mandate/policies/0"))
	l.finish("policy/mandate-under-an-unknown-policy", policyClause, "A mandate names policies that are in force.")

	l = newLife(b, "policy scope")
	policy, first = l.underPolicy(policyTerms(func(t *spec.PolicyTerms) { t.Scope.Resources = []string{secondAccount} }))
	l.ask("invoice-1", "8000.01", authorized, first)
	l.finish("policy/about-another-resource", policyClause, "A policy does not judge what it is not about.")

	l = newLife(b, "policy lift")
	_, first = l.underPolicy()
	tight := l.enrol("tight", l.Mandate(writtest.Under(mustDocument(l, "policy"))))
	l.ask("invoice-1", "8000.01", rejected("policy", "amount-above-max"), tight)
	l.ask("invoice-2", "8000.00", authorized, tight)
	l.ask("invoice-3", "3000.00", rejected("policy", "budget-exceeded"), tight)
	l.ask("invoice-4", "4000.01", rejected("policy", "budget-exceeded"), first)
	l.finish("policy/no-recovery", policyClause, "Nobody lifts a policy's limit, whatever the mandate's clauses say.")

	l = newLife(b, "policy child")
	_, first = l.underPolicy()
	child := l.Seal(l.Child(first))
	l.step("delegate", "child", child, recorded(1))
	l.ask("invoice-1", "2000.00", authorized, first, child)
	l.ask("invoice-2", "7000.01", rejected("policy", "budget-exceeded"), first)
	l.finish("policy/delegated", policyClause, "A delegated mandate is bound by the policies of its root, and charged to the same accounts.")
}

// mustDocument is a document of the trace by its name.
func mustDocument(l *life, name string) spec.Document {
	l.b.t.Helper()
	d, err := spec.FromValue(l.trace.Documents[name])
	l.b.must(err)
	return d
}

// policyBundle is decided under the second version of a policy, after another mandate was charged to what both share.
func policyBundle(b *book) {
	l := newLife(b, "bundle policy")
	policy, first := l.underPolicy()
	second := l.enrol("second", l.Mandate(loose, writtest.Under(policy)))
	l.ask("invoice-1", "100.00", authorized, second)
	l.Advance(time.Hour)
	l.enrol("policy 2", l.NextPolicy(policy, each("8500.00")))
	l.Advance(time.Hour)
	l.ask("invoice-2", "100.00", authorized, second)
	d := l.ask("invoice-3", "8500.00", authorized, first)
	s := l.share("policies", d)
	s.put("under-a-policy", "Decided under the second version of a policy.", spec.Authorized, BundleEnd{Holds: true})
	s.put("newest-policy-left-out", "Without the version in force the decision does not follow.", spec.Authorized,
		fails("follows", "decision-other", decisionAt(s, s.logged("/decision"), 3)), remove("/policies/1"), s.without("/policies/1", "/policies/1/evidence/0/approval", "/policies/1/evidence/1/approval"))
	s.put("first-policy-left-out", "The versions of a policy are here from the first.", spec.Authorized,
		fails("intact", "chain-gap", "/logged/6"), remove("/policies/0"), s.without("/policies/0", "/policies/0/evidence/0/approval", "/policies/0/evidence/1/approval"))
	s.put("policy-sealed-by-a-stranger", "A policy is sealed by a seal of the roster.", spec.Authorized,
		fails("decision", "proof-signature", s.logged("/policies/1")+"/document/proof/proofValue"), s.forge("/policies/1", "mallory"))
	s.put("shared-total-changed", "What was used of what is shared is the ledger's signed word.", spec.Authorized,
		fails("intact", "bundle-logged", s.logged("/decision")+"/document"), set("/decision/usage/0/before/held", "0.00"))
}

func fiveDigests() []string {
	var all []string
	for i := range spec.MaxPolicies + 1 {
		all = append(all, jcs.FormatDigest([32]byte{byte(i)}))
	}
	return all
}

// unaskedTraces present what a policy asks for, and what it does not.
func unaskedTraces(b *book) {
	for _, row := range []struct {
		name, title string
		change      func(*spec.Policy)
		want        StepEnd
	}{
		{"asks-for-a-credential", "A policy may ask for a credential.", func(*spec.Policy) {}, authorized},
		{"asks-for-none", "A policy that asks for no credential lets none be presented.", policyTerms(func(t *spec.PolicyTerms) { t.Constraints = t.Constraints[:1] }), refused("credential-unasked", "/verifiableCredential/1")},
		{"asks-elsewhere", "A policy that is not about the action asks for nothing.", policyTerms(func(t *spec.PolicyTerms) { t.Scope.Resources = []string{secondAccount} }),
			refused("credential-unasked", "/verifiableCredential/1")},
	} {
		l := newLife(b, "policy "+row.name)
		policy := l.enrol("policy", l.Policy(writtest.Limit(l.SupplierLimit("")), row.change))
		m := l.enrol("mandate", l.Mandate(loose, writtest.Under(policy)))
		p := l.PresentWith([]spec.Document{m}, []jcs.Value{l.Supplier(writtest.Payee, -1)}, l.Action("42.00"), l.Request("invoice-1"), l.Now)
		l.step("present", "invoice-1", p, row.want)
		l.finish("policy/"+row.name, policyClause, row.title)
	}
}

// wordTraces fill the room that one key has on a roster's chain.
func wordTraces(b *book) {
	l := newLife(b, "words")
	next := l.NextRoster(l.roster)
	l.step("propose", "next", next, drafted)
	content := spec.ContentDigest(next.Value)
	say := func(n int, word string, want StepEnd) {
		l.Advance(time.Second)
		l.step("approve", fmt.Sprintf("word %d", n), l.Say("intern", word, spec.KindRoster, content), want)
	}
	for n := range 64 {
		say(n, []string{spec.Approve, spec.Withdraw}[n%2], recorded(1))
	}
	say(64, spec.Approve, refused("words-many", "/approver"))
	l.step("approve", "by treasurer", l.ApproveRoster("treasurer", next), recorded(1))
	l.step("approve", "by cfo", l.ApproveRoster("cfo", next), issued(2))
	l.finish("roster/words-without-end", "protocol.md 7.11: waiting words", "Of one key 64 words wait on a chain. Others change the roster all the same.")
}
