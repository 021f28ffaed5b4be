package conformance

import (
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/vc"
)

func requestTraces(b *book) {
	alone := func(name, clause, title string, play func(l *life, m spec.Document), mandate ...func(*spec.Mandate)) {
		l := newLife(b, name)
		m := l.enrol("mandate", l.Mandate(mandate...))
		play(l, m)
		l.finish("request/"+name, clause, title)
	}
	present := func(l *life, m spec.Document, key string, action jcs.Value, want StepEnd, change ...func(*spec.Request)) spec.Document {
		return l.step("present", key, l.Present([]spec.Document{m}, action, l.Request(key, change...), l.Now), want)
	}
	alone("same-bytes-again", actionClause, "A presentation replayed gets the answer of before: no second hold, no entry, even after it expired.", func(l *life, m spec.Document) {
		p := l.Present([]spec.Document{m}, l.Action("6000.00"), l.Request("invoice-1"), l.Now)
		l.step("present", "invoice-1", p, authorized)
		l.Advance(time.Hour)
		l.step("present", "invoice-1", p, again())
	})
	alone("signed-anew", actionClause, "An equal request in a fresh presentation is the same request.", func(l *life, m spec.Document) {
		action := l.Action("6000.00")
		present(l, m, "invoice-1", action, authorized)
		l.Advance(time.Second)
		l.step("present", "invoice-1 signed anew", l.Present([]spec.Document{m}, action, l.Request("invoice-1"), l.Now), again())
		l.account(m, spec.StatusActive, "daily", "6000.00", "0.00", "0.00")
	})
	alone("same-key-with-another-body", actionClause, "Another action under a known idempotency key is an error and no decision.", func(l *life, m spec.Document) {
		present(l, m, "invoice-1", l.Action("6000.00"), authorized)
		l.step("present", "invoice-1 for less", l.Present([]spec.Document{m}, l.Action("1.00"), l.Request("invoice-1"), l.Now), refused("key-reused", "/request/idempotencyKey"))
		l.account(m, spec.StatusActive, "daily", "6000.00", "0.00", "0.00")
	})
	alone("same-key-after-an-error", actionClause, "An attempt that failed leaves no claim on the key.", func(l *life, m spec.Document) {
		present(l, m, "invoice-1", l.Action("1.00", func(a *spec.Action) { a.Resource = foreignAccount }), hidden("resource-owner"))
		l.step("present", "invoice-1 right", l.Present([]spec.Document{m}, l.Action("1.00"), l.Request("invoice-1"), l.Now), authorized)
	})
	signedFor := func(name, title string, want StepEnd, party string, options func(*vc.ProofOptions), edits ...Edit) {
		alone(name, checksClause, title, func(l *life, m spec.Document) {
			p := l.Present([]spec.Document{m}, l.Action("1.00"), l.Request("invoice-1"), l.Now)
			l.step("present", "invoice-1", l.presented(p, party, options, edits...), want)
		})
	}
	signedFor("for-another-audience", "A presentation made for another verifier.", hidden("presentation-audience"), "agent", func(o *vc.ProofOptions) { o.Domain = "did:web:other.example" })
	signedFor("stolen-mandate", "Whoever holds the mandate's bytes but not the agent's key.", hidden("proof-signature"), "mallory", func(*vc.ProofOptions) {})
	signedFor("held-by-another", "The holder is another agent than the mandate's subject.", hidden("holder-other"), "subagent", func(*vc.ProofOptions) {}, set("/holder", world("held-by-another").DID("subagent")))
	signedFor("living-for-61-seconds", "A presentation expires at most 60 seconds after it is created.", refused("presentation-life", "/proof/expires"), "agent", func(o *vc.ProofOptions) { o.Expires = o.Created.Add(61 * time.Second) })
	signedFor("for-another-purpose", "A presentation's purpose is authentication.", hidden("proof-purpose"), "agent", func(o *vc.ProofOptions) { o.Purpose = did.AssertionMethod })
	alone("stale", actionClause, "Freshness is judged at ledger time: at its expires it is too late.", func(l *life, m spec.Document) {
		p := l.Present([]spec.Document{m}, l.Action("1.00"), l.Request("invoice-1"), l.Now)
		l.Advance(time.Minute)
		l.step("present", "invoice-1", p, refused("presentation-stale", "/proof/expires"))
	})
	alone("from-the-future", actionClause, "A presentation created in an hour.", func(l *life, m spec.Document) {
		l.step("present", "invoice-1", l.Present([]spec.Document{m}, l.Action("1.00"), l.Request("invoice-1"), l.Now.Add(time.Hour)), refused("presentation-stale", "/proof/expires"))
	})
	alone("with-another-action", actionClause, "The action was replaced after signing.", func(l *life, m spec.Document) {
		p := l.Present([]spec.Document{m}, l.Action("1.00"), l.Request("invoice-1"), l.Now)
		l.step("present", "invoice-1", l.edited(p, set("/action/amount/value", "9000.00")), hidden("proof-signature"))
	})
	alone("resource-of-another-organisation", checksClause, "The relying party's map gives the resource to another grantor.", func(l *life, m spec.Document) {
		present(l, m, "invoice-1", l.Action("1.00", func(a *spec.Action) { a.Resource = foreignAccount }), hidden("resource-owner"))
	}, terms(func(t *spec.MandateTerms) { t.Resources = []string{writtest.Account, foreignAccount} }))
	alone("resource-of-nobody", checksClause, "A resource that the map does not have, though the mandate names it.", func(l *life, m spec.Document) {
		present(l, m, "invoice-1", l.Action("1.00", func(a *spec.Action) { a.Resource = writtest.Account + " " }), hidden("resource-owner"))
	}, terms(func(t *spec.MandateTerms) { t.Resources = []string{writtest.Account + " "} }))
	alone("resource-not-in-the-mandate", checksClause, "The grantor's own account, which this mandate does not name.", func(l *life, m spec.Document) {
		present(l, m, "invoice-1", l.Action("1.00", func(a *spec.Action) { a.Resource = secondAccount }), rejected("scope", "resource-not-covered"))
	})
	alone("type-not-in-the-mandate", bytesClause, "payments.transfer does not cover payments.transfer_all.", func(l *life, m spec.Document) {
		present(l, m, "invoice-1", l.Action("1.00", func(a *spec.Action) { a.Type = "payments.transfer_all" }), rejected("scope", "action-not-covered"))
	})
	alone("star-against-no-segment", bytesClause, "payments.* does not cover payments.", func(l *life, m spec.Document) {
		present(l, m, "invoice-1", l.Action("1.00", func(a *spec.Action) { a.Type = "payments" }), rejected("scope", "action-not-covered"))
		present(l, m, "invoice-2", l.Action("1.00", func(a *spec.Action) { a.Type = "payments.transfer.sepa" }), authorized)
	}, terms(func(t *spec.MandateTerms) { t.Actions = []string{"payments.*"} }))
	alone("asked-of-another-ledger", checksClause, "The request names another verifier than the mandate's ledger.", func(l *life, m spec.Document) {
		p := l.Present([]spec.Document{m}, l.Action("1.00"), l.Request("invoice-1", func(r *spec.Request) { r.Ledger = "did:web:other.example" }), l.Now)
		l.step("present", "invoice-1", l.presented(p, "agent", func(*vc.ProofOptions) {}), refused("ledger-other", "/request/ledger"))
	})
	alone("executor-not-in-the-roster", checksClause, "An executor that the grantor does not know.", func(l *life, m spec.Document) {
		present(l, m, "invoice-1", l.Action("1.00"), hidden("executor-unknown"), func(r *spec.Request) { r.Executor = "did:web:mallory.example" })
	})
	alone("agent-as-executor", checksClause, "The agent executes itself, and the mandate does not say so.", func(l *life, m spec.Document) {
		present(l, m, "invoice-1", l.Action("1.00"), hidden("executor-is-agent"), func(r *spec.Request) { r.Executor = l.DID("agent") })
	})
	agentKey := newLife(b, "agent's key", rosterTerms(func(t *spec.RosterTerms) {
		t.Executors = append(t.Executors, spec.Executor{DID: "did:web:gateway.example", Key: world("agent's key").Key("agent").Public().Multikey(), Role: "gateway"})
	}))
	m := agentKey.enrol("mandate", agentKey.Mandate())
	present(agentKey, m, "invoice-1", agentKey.Action("1.00"), hidden("executor-is-agent"), func(r *spec.Request) { r.Executor = "did:web:gateway.example" })
	agentKey.finish("request/executor-with-the-agents-key", checksClause, "An executor that shares its key with the agent is the agent.")
	alone("parameter-that-nobody-limits", mandateClause, "Every member of parameters is limited or free.", func(l *life, m spec.Document) {
		present(l, m, "invoice-1", l.Action("1.00", func(a *spec.Action) { a.Parameters = parse(`{"memo":"x"}`) }), authorized)
		present(l, m, "invoice-2", l.Action("1.00", func(a *spec.Action) { a.Parameters = parse(`{"memo":"x","urgency":"high"}`) }), rejected("constraints", "member-unknown"))
	})
	alone("another-payee", mandateClause, "A payee that is not listed; its name says that it is.", func(l *life, m spec.Document) {
		present(l, m, "invoice-1", l.Action("1.00", func(a *spec.Action) { a.Counterparty.ID = "lei:OTHER" }), rejected("constraints", "value-not-listed"))
	})
	alone("none-of-on-an-absent-field", mandateClause, "An absent field passes no constraint.", func(l *life, m spec.Document) {
		present(l, m, "invoice-1", l.Action("1.00"), rejected("constraints", "value-absent"))
	}, terms(func(t *spec.MandateTerms) {
		t.Constraints = append(t.Constraints, parse(`{"id":"region","type":"noneOf","pointer":"/parameters/region","values":["us"]}`))
	}))
	alone("amount-absent", mandateClause, "A payment without an amount under a budget.", func(l *life, m spec.Document) {
		present(l, m, "invoice-1", l.Action("1.00", func(a *spec.Action) { a.Amount = nil }), rejected("constraints", "amount-absent"))
	})
	alone("other-currency", bytesClause, "No conversion, ever.", func(l *life, m spec.Document) {
		present(l, m, "invoice-1", l.Action("1.00", func(a *spec.Action) { a.Amount.Currency = "USD" }), rejected("constraints", "currency-other"))
	})
	alone("member-withheld", mandateClause, "A mandate with any member of mandate withheld.", func(l *life, m spec.Document) {
		p := l.Present([]spec.Document{m}, l.Action("1.00"), l.Request("invoice-1"), l.Now)
		l.step("present", "invoice-1", l.presented(p, "agent", func(*vc.ProofOptions) {}, remove("/verifiableCredential/0/credentialSubject/mandate/ledger")),
			refused("mandate-incomplete", "/verifiableCredential/0/credentialSubject/mandate/ledger"))
	})
	alone("in-test-mode", "protocol.md 2.5: mode", "A test presentation at a live ledger.", func(l *life, m spec.Document) {
		p := l.Present([]spec.Document{m}, l.Action("1.00"), l.Request("invoice-1"), l.Now)
		l.step("present", "invoice-1", l.presented(p, "agent", func(*vc.ProofOptions) {}, set("/mode", "test")), refused("mode-other", "/mode"))
	})
	alone("refusals-of-a-stranger", checksClause, "A stranger's storm of requests leaves nothing: no decision, no key, no entry.", func(l *life, m spec.Document) {
		for _, key := range []string{"storm-01", "storm-02", "storm-03"} {
			p := l.Present([]spec.Document{m}, l.Action("1.00"), l.Request(key), l.Now)
			l.step("present", key, l.presented(p, "mallory", func(*vc.ProofOptions) {}), hidden("proof-signature"))
		}
		l.ask("invoice-1", "1.00", authorized, m)
	})
	alone("budget-a-cent-above", tableClause, "Used and amount are at most max: a cent above is a violation.", func(l *life, m spec.Document) {
		l.ask("invoice-1", "9999.99", authorized, m)
		l.ask("invoice-2", "0.02", rejected("budget", "budget-exceeded"), m)
		l.ask("invoice-3", "0.01", authorized, m)
		l.account(m, spec.StatusActive, "daily", "10000.00", "0.00", "0.00")
	}, terms(func(t *spec.MandateTerms) { t.Recovery = nil }))
	alone("seventeenth-open-hold", mandateClause, "A mandate has at most maxOpenHolds open holds.", func(l *life, m spec.Document) {
		l.ask("invoice-1", "1.00", authorized, m)
		l.ask("invoice-2", "1.00", authorized, m)
		l.ask("invoice-3", "1.00", rejected("budget", "holds-many"), m)
	}, terms(func(t *spec.MandateTerms) { t.MaxOpenHolds = 2 }))
	alone("budget-of-yesterday", bytesClause, "The window is the zone's day: what was held yesterday does not count today.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "10000.00", authorized, m)
		l.step("begin", "begin", l.Begin(d, l.Now), recorded(1))
		l.Now = writtest.Start.Truncate(24 * time.Hour).Add(24*time.Hour - time.Second)
		l.ask("invoice-2", "0.01", rejected("budget", "budget-exceeded"), m)
		l.Advance(time.Second)
		l.ask("invoice-3", "10000.00", authorized, m)
	}, terms(func(t *spec.MandateTerms) { t.Recovery = nil }))
}

func executionTraces(b *book) {
	alone := func(name, title string, play func(l *life, m spec.Document), mandate ...func(*spec.Mandate)) {
		l := newLife(b, name)
		m := l.enrol("mandate", l.Mandate(mandate...))
		play(l, m)
		l.finish("execution/"+name, decisionClause, title)
	}
	begun := func(l *life, m spec.Document, euros string) spec.Document {
		d := l.ask("invoice-1", euros, authorized, m)
		l.step("begin", "begin", l.Begin(d, l.Now), recorded(1))
		return d
	}
	alone("paid", "Decision, begin, report: three entries, the amount is committed.", func(l *life, m spec.Document) {
		d := begun(l, m, "4200.00")
		l.step("report", "report", l.report(d, spec.OutcomeExecuted, "4200.00", true), recorded(1))
		l.account(m, spec.StatusActive, "daily", "4200.00", "0.00", "0.00")
	})
	alone("begun-twice", "A second begin with other bytes is refused; the same bytes get the same answer.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "1.00", authorized, m)
		begin := l.Begin(d, l.Now)
		l.step("begin", "begin", begin, recorded(1))
		l.step("begin", "begin", begin, again())
		l.step("begin", "second begin", l.Begin(d, l.Now), refused("hold-entered", "/decision"))
	})
	alone("begun-at-the-lapse", "At the very instant of executeBefore the hold has lapsed and begin is refused; its amount is free again.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "10000.00", authorized, m)
		l.Advance(15 * time.Minute)
		l.step("begin", "begin", l.Begin(d, l.Now), refused("hold-lapsed", "/decision"))
		l.ask("invoice-2", "10000.00", authorized, m)
		l.account(m, spec.StatusActive, "daily", "10000.00", "0.00", "0.00")
	})
	alone("begun-right-before-the-lapse", "A millisecond before executeBefore it may begin, dated an hour earlier or not: ledger time counts.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "1.00", authorized, m)
		l.Advance(15*time.Minute - time.Millisecond)
		l.step("begin", "begin", l.Begin(d, l.Now.Add(-time.Hour)), recorded(1))
	})
	alone("begun-after-the-lapse-dated-before", "A begin dated before the lapse, logged after it.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "1.00", authorized, m)
		early := l.Now
		l.Advance(time.Hour)
		l.step("begin", "begin", l.Begin(d, early), refused("hold-lapsed", "/decision"))
	})
	alone("begun-at-the-mandates-end", "executeBefore is at most the mandate's validUntil.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "1.00", authorized, m)
		l.Advance(5 * time.Minute)
		l.step("begin", "begin", l.Begin(d, l.Now), refused("hold-lapsed", "/decision"))
	}, writtest.Until(writtest.Start.Add(5*time.Minute)))
	alone("reported-without-an-amount", "A report that names no amount is of the whole.", func(l *life, m spec.Document) {
		d := begun(l, m, "4200.00")
		l.step("report", "report", l.report(d, spec.OutcomeExecuted, "", false), recorded(1))
		l.step("report", "a cent more", l.report(d, spec.OutcomeExecuted, "0.01", true), recorded(1))
		l.account(m, spec.StatusSuspended, "daily", "4200.01", "0.00", "0.01")
	})
	alone("reported-while-people-are-asked", "Nothing was authorised that could be executed.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "10000.01", collect("budget", "budget-exceeded", "daily 0.01"), m)
		l.step("report", "report", l.report(d, spec.OutcomeExecuted, "", true), refused("decision-not-authorized", "/decision"))
	})
	alone("begun-for-another-action", "The action begun is the action decided.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "1.00", authorized, m)
		l.step("begin", "begin", l.byBank(l.Begin(d, l.Now), set("/action", spec.ActionDigest(l.Action("9.00")))), refused("action-other", "/action"))
	})
	alone("begun-by-the-agent", "The agent signs the executor's begin.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "1.00", authorized, m)
		l.step("begin", "begin", l.resigned(l.Begin(d, l.Now), "agent", l.KeyID("bank"), did.AssertionMethod), hidden("proof-signature"))
		l.step("begin", "begin as itself", l.resigned(l.Begin(d, l.Now), "agent", l.KeyID("agent"), did.AssertionMethod, set("/executor", l.DID("agent"))), hidden("proof-signature"))
	})
	alone("begun-for-another-executor", "The begin names another executor than the decision.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "1.00", authorized, m)
		l.step("begin", "begin", l.byBank(l.Begin(d, l.Now), set("/executor", "did:web:other.example")), refused("executor-other", "/executor"))
	})
	alone("begun-while-refused", "Only an authorised action is begun.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "99999.00", rejected("budget", "lift-above-ceiling"), m)
		l.step("begin", "begin", l.Begin(d, l.Now), refused("decision-not-authorized", "/decision"))
	})
	alone("begun-while-people-are-asked", "An interim decision is no leave to execute.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "10000.01", collect("budget", "budget-exceeded", "daily 0.01"), m)
		l.step("begin", "begin", l.Begin(d, l.Now), refused("decision-not-authorized", "/decision"))
	})
	alone("begun-for-an-unknown-decision", "A decision that this ledger does not have looks like one of another organisation.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "1.00", authorized, m)
		l.step("begin", "begin", l.byBank(l.Begin(d, l.Now), set("/decision", jcs.Digest("", nil))), hidden("decision-unknown"))
	})
	alone("begun-in-test-mode", "A test begin at a live ledger.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "1.00", authorized, m)
		l.step("begin", "begin", l.byBank(l.Begin(d, l.Now), set("/mode", "test")), refused("mode-other", "/mode"))
	})
	alone("reported-above-the-hold", "What exceeds the hold is recorded as excess, and suspends the mandate; it is never hidden.", func(l *life, m spec.Document) {
		d := begun(l, m, "4200.00")
		l.step("report", "report", l.report(d, spec.OutcomeExecuted, "4200.01", true), recorded(1))
		l.ask("invoice-2", "1.00", rejected("status", "mandate-suspended"), m)
		l.account(m, spec.StatusSuspended, "daily", "4200.01", "0.00", "0.01")
	})
	alone("admitted-against-excess", "Excess counts as used: after it, the rest of the budget is smaller.", func(l *life, m spec.Document) {
		d := begun(l, m, "9000.00")
		l.step("report", "report", l.report(d, spec.OutcomeExecuted, "9500.00", true), recorded(1))
		l.resume("resume", "cfo", m, recorded(1))
		l.resume("resume", "treasurer", m, recorded(1))
		l.ask("invoice-2", "500.01", rejected("budget", "budget-exceeded"), m)
		l.ask("invoice-3", "500.00", authorized, m)
		l.account(m, spec.StatusActive, "daily", "10000.00", "0.00", "500.00")
	}, terms(func(t *spec.MandateTerms) { t.Recovery = nil }))
	alone("reported-final-twice", "No report follows a final one.", func(l *life, m spec.Document) {
		d := begun(l, m, "4200.00")
		l.step("report", "report", l.report(d, spec.OutcomeExecuted, "4000.00", true), recorded(1))
		l.step("report", "second report", l.report(d, spec.OutcomeExecuted, "200.00", true), refused("report-final", "/final"))
		l.account(m, spec.StatusActive, "daily", "4000.00", "0.00", "0.00")
	})
	alone("reported-in-parts", "Partial reports add up; the rest stays held until a final one.", func(l *life, m spec.Document) {
		d := begun(l, m, "4200.00")
		l.step("report", "first part", l.report(d, spec.OutcomeExecuted, "1000.00", false), recorded(1))
		l.ask("invoice-2", "5800.01", rejected("budget", "budget-exceeded"), m)
		l.step("report", "second part", l.report(d, spec.OutcomeExecuted, "1000.00", true), recorded(1))
		l.ask("invoice-3", "8000.00", authorized, m)
		l.account(m, spec.StatusActive, "daily", "10000.00", "0.00", "0.00")
	}, terms(func(t *spec.MandateTerms) { t.Recovery = nil }))
	alone("reported-for-another-payload", "The payload reported is the payload decided.", func(l *life, m spec.Document) {
		d := begun(l, m, "1.00")
		l.step("report", "report", l.byBank(l.report(d, spec.OutcomeExecuted, "1.00", true), set("/payloadDigest", jcs.Digest("", nil))), refused("payload-other", "/payloadDigest"))
		l.step("report", "report without payload", l.byBank(l.report(d, spec.OutcomeExecuted, "1.00", true), remove("/payloadDigest")), refused("payload-other", "/payloadDigest"))
		l.account(m, spec.StatusActive, "daily", "1.00", "0.00", "0.00")
	})
	alone("reported-for-another-action", "The action reported is the action decided.", func(l *life, m spec.Document) {
		d := begun(l, m, "1.00")
		l.step("report", "report", l.byBank(l.report(d, spec.OutcomeExecuted, "1.00", true), set("/action", spec.ActionDigest(l.Action("9.00")))), refused("action-other", "/action"))
	})
	alone("reported-in-another-currency", "No conversion, ever.", func(l *life, m spec.Document) {
		d := begun(l, m, "1.00")
		l.step("report", "report", l.byBank(l.report(d, spec.OutcomeExecuted, "1.00", true), set("/amount/currency", "USD")), refused("currency-other", "/amount/currency"))
	})
	alone("reported-by-the-agent", "The agent reports in the bank's name.", func(l *life, m spec.Document) {
		d := begun(l, m, "1.00")
		l.step("report", "report", l.resigned(l.report(d, spec.OutcomeNotEntered, "", true), "agent", l.KeyID("bank"), did.AssertionMethod), hidden("proof-signature"))
	})
	alone("hold-freed-twice", "A hold that was not entered is released once; two reports do not free it twice.", func(l *life, m spec.Document) {
		begun(l, m, "4200.00")
		d := l.ask("invoice-2", "3000.00", authorized, m)
		l.step("report", "report", l.report(d, spec.OutcomeNotEntered, "", true), recorded(1))
		l.step("report", "report again", l.report(d, spec.OutcomeNotEntered, "", true), refused("hold-closed", "/decision"))
		l.step("report", "failed too", l.report(d, spec.OutcomeFailed, "", true), refused("hold-closed", "/decision"))
		l.account(m, spec.StatusActive, "daily", "4200.00", "0.00", "0.00")
	})
	alone("freed-after-the-lapse", "A hold that lapsed is free already; a report does not free it again.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "3000.00", authorized, m)
		l.Advance(15 * time.Minute)
		l.ask("invoice-2", "1000.00", authorized, m)
		l.step("report", "report", l.report(d, spec.OutcomeNotEntered, "", true), refused("hold-closed", "/decision"))
		l.account(m, spec.StatusActive, "daily", "1000.00", "0.00", "0.00")
	})
	alone("charged-after-the-lapse", "An execution after the lapse is recorded: all of it is excess, and the mandate is suspended.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "3000.00", authorized, m)
		l.Advance(time.Hour)
		l.step("report", "report", l.report(d, spec.OutcomeExecuted, "3000.00", true), recorded(1))
		l.account(m, spec.StatusSuspended, "daily", "3000.00", "0.00", "3000.00")
	})
	alone("executed-without-a-begin", "An execution that was never entered is recorded: all of it is excess.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "3000.00", authorized, m)
		l.step("report", "report", l.report(d, spec.OutcomeExecuted, "3000.00", true), recorded(1))
		l.account(m, spec.StatusSuspended, "daily", "3000.00", "0.00", "3000.00")
	})
	alone("executed-after-a-final-not-entered", "No execution follows a final report.", func(l *life, m spec.Document) {
		d := begun(l, m, "3000.00")
		l.step("report", "not entered", l.report(d, spec.OutcomeNotEntered, "", true), recorded(1))
		l.step("report", "executed", l.report(d, spec.OutcomeExecuted, "3000.00", true), refused("report-final", "/final"))
		l.account(m, spec.StatusActive, "daily", "0.00", "0.00", "0.00")
	})
	alone("reversed-before-it-was-executed", "Only what was executed is reversed.", func(l *life, m spec.Document) {
		d := begun(l, m, "1.00")
		l.step("report", "report", l.report(d, spec.OutcomeReversed, "1.00", true), refused("report-order", "/outcome"))
	})
	alone("reversed", "A reversal after a final report is recorded and gives no budget back.", func(l *life, m spec.Document) {
		d := begun(l, m, "4200.00")
		l.step("report", "report", l.report(d, spec.OutcomeExecuted, "4200.00", true), recorded(1))
		l.step("report", "reversal", l.report(d, spec.OutcomeReversed, "4200.00", true), recorded(1))
		l.account(m, spec.StatusActive, "daily", "4200.00", "0.00", "0.00")
	})
	selfExecuted := terms(func(t *spec.MandateTerms) { t.SelfExecuted = true })
	itself := func(l *life, m spec.Document, euros string) spec.Document {
		return l.step("present", "invoice-1", l.Present([]spec.Document{m}, l.Action(euros), l.Request("invoice-1", func(r *spec.Request) { r.Executor = l.DID("agent") }), l.Now), authorized)
	}
	alone("lapse-of-a-self-executed-hold", "The agent as executor cannot let its hold lapse: it is charged in full at once.", func(l *life, m spec.Document) {
		itself(l, m, "4200.00")
		l.Advance(time.Hour)
		l.ask("invoice-2", "5800.01", collect("budget", "budget-exceeded", "daily 0.01"), m)
		l.account(m, spec.StatusActive, "daily", "4200.00", "0.00", "0.00")
	}, selfExecuted)
	alone("agent-reports-less", "The agent's own report of less, final or not, lowers nothing.", func(l *life, m spec.Document) {
		d := itself(l, m, "4200.00")
		l.step("report", "report", l.report(d, spec.OutcomeExecuted, "1.00", true), recorded(1))
		l.account(m, spec.StatusActive, "daily", "4200.00", "0.00", "0.00")
	}, selfExecuted)
	alone("not-entered-by-the-agent", "The agent cannot take its own charge back.", func(l *life, m spec.Document) {
		d := itself(l, m, "4200.00")
		l.step("report", "report", l.report(d, spec.OutcomeNotEntered, "", true), refused("report-agent", "/outcome"))
		l.step("report", "failed", l.report(d, spec.OutcomeFailed, "", true), refused("report-agent", "/outcome"))
		l.account(m, spec.StatusActive, "daily", "4200.00", "0.00", "0.00")
	}, selfExecuted)
	alone("begun-by-a-self-executor", "A charge has no begin.", func(l *life, m spec.Document) {
		d := itself(l, m, "1.00")
		l.step("begin", "begin", l.Begin(d, l.Now), refused("hold-entered", "/decision"))
	}, selfExecuted)
	commit := func(name string) func(*Step) { return func(s *Step) { s.Commit = name } }
	alone("begun-after-a-commit", "With the executor's commit the hold is born entered: no begin may follow, and it does not lapse.", func(l *life, m spec.Document) {
		p := l.Present([]spec.Document{m}, l.Action("4200.00"), l.Request("invoice-1"), l.Now)
		l.keep("commit", l.Commit(p, l.Now))
		d := l.step("present", "invoice-1", p, authorized, commit("commit"))
		l.step("begin", "begin", l.Begin(d, l.Now), refused("hold-entered", "/decision"))
		l.Advance(time.Hour)
		l.account(m, spec.StatusActive, "daily", "4200.00", "0.00", "0.00")
	})
	alone("commit-for-another-request", "A commit belongs to one request.", func(l *life, m spec.Document) {
		other := l.Present([]spec.Document{m}, l.Action("1.00"), l.Request("invoice-0"), l.Now)
		l.keep("commit", l.Commit(other, l.Now))
		l.step("present", "invoice-1", l.Present([]spec.Document{m}, l.Action("4200.00"), l.Request("invoice-1"), l.Now), refused("commit-other", "/commit"), commit("commit"))
	})
	alone("commit-for-another-key", "A commit belongs to one request, idempotency key included.", func(l *life, m spec.Document) {
		action := l.Action("4200.00")
		l.keep("commit", l.Commit(l.Present([]spec.Document{m}, action, l.Request("invoice-0"), l.Now), l.Now))
		l.step("present", "invoice-1", l.Present([]spec.Document{m}, action, l.Request("invoice-1"), l.Now), refused("commit-other", "/commit"), commit("commit"))
	})
	alone("commit-by-the-agent", "The agent signs the executor's commit.", func(l *life, m spec.Document) {
		p := l.Present([]spec.Document{m}, l.Action("4200.00"), l.Request("invoice-1"), l.Now)
		l.keep("commit", l.resigned(l.Commit(p, l.Now), "agent", l.KeyID("bank"), did.AssertionMethod))
		l.step("present", "invoice-1", p, hidden("proof-signature"), commit("commit"))
	})
}

func recoveryTraces(b *book) {
	alone := func(name, title string, play func(l *life, m spec.Document), mandate ...func(*spec.Mandate)) {
		l := newLife(b, name)
		m := l.enrol("mandate", l.Mandate(mandate...))
		play(l, m)
		l.finish("recovery/"+name, supplyClause, title)
	}
	over := func(amount string) StepEnd { return collect("budget", "budget-exceeded", "daily "+amount) }
	lifted := func(amount string) StepEnd {
		return StepEnd{Outcome: spec.Authorized, Entries: 1, Lifts: []string{"daily " + amount}}
	}
	none := spec.Document{}
	alone("lifted", "The smallest lift is proposed, the cfo signs it, the waiting request is authorised, though its presentation expired.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "12000.00", over("2000.00"), m)
		l.Advance(time.Hour)
		l.lift("invoice-1 resumed", d, m, lifted("2000.00"))
		l.account(m, spec.StatusActive, "daily", "12000.00", "2000.00", "0.00")
	})
	alone("identical-call-meanwhile", "An identical call joins the interim decision.", func(l *life, m spec.Document) {
		p := l.Present([]spec.Document{m}, l.Action("12000.00"), l.Request("invoice-1"), l.Now)
		l.step("present", "invoice-1", p, over("2000.00"))
		joined := over("2000.00")
		joined.Outcome, joined.Entries = Same, 0
		l.step("present", "invoice-1", p, joined)
	})
	alone("resumed-too-early", "While people may still approve the request is not decided anew.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "12000.00", over("2000.00"), m)
		l.step("resume", "", none, refused("recovery-open", ""), of(d))
	})
	alone("supplement-used-twice", "A supplement is spent by the one decision that it lifts: the next request needs its own.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "12000.00", over("2000.00"), m)
		l.lift("invoice-1 resumed", d, m, lifted("2000.00"))
		same := lifted("2000.00")
		same.Outcome, same.Entries = Same, 0
		l.step("resume", "", none, same, of(d))
		l.ask("invoice-2", "1.00", over("1.00"), m)
		l.account(m, spec.StatusActive, "daily", "12000.00", "2000.00", "0.00")
	})
	alone("approval-for-a-look-alike-action", "The approval of a supplement for an equal action with another nonce is for nothing that was proposed.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "12000.00", over("2000.00"), m)
		other := l.ask("invoice-2", "12000.00", over("2000.00"), m)
		l.step("approve-supplement", "for invoice-2", l.ApproveSupplement("cfo", m, l.supplement(other, m)), refused("proposal-unknown", "/content"), of(d))
	})
	alone("supplement-for-another-action", "The lift of one request admits no other, though both wait.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "12000.00", over("2000.00"), m)
		other := l.ask("invoice-2", "12000.00", over("2000.00"), m)
		l.step("approve-supplement", "for invoice-1", l.ApproveSupplement("cfo", m, l.supplement(d, m)), issued(2), of(d))
		l.step("resume", "", none, refused("recovery-open", ""), of(other))
		l.step("approve-supplement", "decline of invoice-2", l.Say("cfo", spec.Decline, spec.KindSupplement, spec.ContentDigest(l.supplement(other, m).Value)), recorded(1), of(other))
		l.step("resume", "", none, rejected("budget", "recovery-declined"), of(other))
	})
	alone("supplement-at-another-ledger", "A supplement with the ledger changed is another content, which nobody proposed.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "12000.00", over("2000.00"), m)
		elsewhere := l.edited(l.supplement(d, m), set("/credentialSubject/supplement/ledger/log", "other.example/log"))
		l.step("approve-supplement", "elsewhere", l.ApproveSupplement("cfo", m, elsewhere), refused("proposal-unknown", "/content"), of(d))
	})
	alone("supplement-presented-alone", "A supplement is presented to nobody.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "12000.00", over("2000.00"), m)
		l.step("approve-supplement", "approval", l.ApproveSupplement("cfo", m, l.supplement(d, m)), issued(2), of(d))
		p := l.Present([]spec.Document{m}, l.Action("2000.00"), l.Request("invoice-2"), l.Now)
		l.step("present", "invoice-2", l.presented(p, "agent", func(*vc.ProofOptions) {}, set("/verifiableCredential/0", l.machine.last.Value)),
			refused("supplement-alone", "/verifiableCredential/0"))
	})
	alone("lifted-after-the-base-was-revoked", "A supplement revives nothing: after the revocation the request is refused.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "12000.00", over("2000.00"), m)
		l.step("approve-supplement", "approval", l.ApproveSupplement("cfo", m, l.supplement(d, m)), issued(2), of(d))
		l.step("notice", "revocation", l.Notice("cfo", spec.ActRevoke, spec.ContentDigest(m.Value)), recorded(1))
		l.step("resume", "", none, rejected("status", "mandate-revoked"), of(d))
	})
	alone("lift-above-one", "One lift is at most maxOver.", func(l *life, m spec.Document) {
		l.ask("invoice-1", "15000.01", rejected("budget", "lift-above-ceiling"), m)
		l.ask("invoice-2", "15000.00", over("5000.00"), m)
	}, terms(func(t *spec.MandateTerms) {
		each := euros(5000_00)
		t.Recovery[0].MaxOver = &each
	}))
	alone("stacked-lifts", "The ceiling is of the window: lifts do not stack above it.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "20000.00", over("10000.00"), m)
		l.lift("invoice-1 resumed", d, m, lifted("10000.00"))
		l.ask("invoice-2", "5000.01", rejected("budget", "lift-above-ceiling"), m)
		l.ask("invoice-3", "5000.00", over("5000.00"), m)
	})
	alone("stacked-while-both-wait", "Two lifts that were proposed beside each other: the second, decided as things are then, is above the ceiling.", func(l *life, m spec.Document) {
		first := l.ask("invoice-1", "20000.00", over("10000.00"), m)
		second := l.ask("invoice-2", "20000.00", over("10000.00"), m)
		l.lift("invoice-1 resumed", first, m, lifted("10000.00"))
		l.lift("invoice-2 resumed", second, m, rejected("budget", "lift-above-ceiling"))
		l.account(m, spec.StatusActive, "daily", "20000.00", "10000.00", "0.00")
	})
	alone("fourth-lift", "At most maxUses standing lifts in a window.", func(l *life, m spec.Document) {
		for i, amount := range []string{"10001.00", "1.00", "1.00"} {
			name := "invoice-" + string(rune('1'+i))
			d := l.ask(name, amount, over("1.00"), m)
			l.lift(name+" resumed", d, m, lifted("1.00"))
		}
		l.ask("invoice-4", "1.00", rejected("budget", "lift-above-ceiling"), m)
	})
	alone("lift-of-a-payment-not-entered", "Whatever of a hold is released is taken off its lift: the budget is not larger afterwards.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "12000.00", over("2000.00"), m)
		d = l.lift("invoice-1 resumed", d, m, lifted("2000.00"))
		l.step("report", "not entered", l.report(d, spec.OutcomeNotEntered, "", true), recorded(1))
		l.ask("invoice-2", "10000.01", over("0.01"), m)
		l.account(m, spec.StatusActive, "daily", "0.00", "0.00", "0.00")
	})
	alone("lift-of-a-hold-that-lapsed", "The lapse takes the lift with it.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "12000.00", over("2000.00"), m)
		l.lift("invoice-1 resumed", d, m, lifted("2000.00"))
		l.Advance(15 * time.Minute)
		l.ask("invoice-2", "10000.01", over("0.01"), m)
		l.account(m, spec.StatusActive, "daily", "0.00", "0.00", "0.00")
	})
	exceeded := func(l *life, m spec.Document) spec.Document {
		d := l.ask("invoice-1", "9000.00", authorized, m)
		l.step("begin", "begin 1", l.Begin(d, l.Now), recorded(1))
		l.step("report", "report 1", l.report(d, spec.OutcomeExecuted, "11000.00", true), recorded(1))
		l.resume("resume", "cfo", m, recorded(1))
		l.resume("resume", "treasurer", m, recorded(1))
		d = l.ask("invoice-2", "500.00", over("1500.00"), m)
		return l.lift("invoice-2 resumed", d, m, lifted("1500.00"))
	}
	alone("lift-above-the-amount-after-excess", "Where the limit was exceeded already, a lift is of that too; when all of the payment is released, all of the lift goes.", func(l *life, m spec.Document) {
		d := exceeded(l, m)
		l.step("begin", "begin 2", l.Begin(d, l.Now), recorded(1))
		l.step("report", "not entered", l.report(d, spec.OutcomeNotEntered, "", true), recorded(1))
		l.account(m, spec.StatusActive, "daily", "11000.00", "0.00", "2000.00")
		l.ask("invoice-3", "500.00", over("1500.00"), m)
	})
	alone("lift-above-the-amount-in-part", "Of such a payment a final report of less takes only what is released off the lift: nothing more fits afterwards.", func(l *life, m spec.Document) {
		d := exceeded(l, m)
		l.step("begin", "begin 2", l.Begin(d, l.Now), recorded(1))
		l.step("report", "report 2", l.report(d, spec.OutcomeExecuted, "200.00", true), recorded(1))
		l.account(m, spec.StatusActive, "daily", "11200.00", "1200.00", "2000.00")
		l.ask("invoice-3", "0.01", over("0.01"), m)
	})
	alone("lift-of-a-payment-in-part", "What a final report leaves uncaptured is taken off the lift first.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "12000.00", over("2000.00"), m)
		d = l.lift("invoice-1 resumed", d, m, lifted("2000.00"))
		l.step("begin", "begin", l.Begin(d, l.Now), recorded(1))
		l.step("report", "report", l.report(d, spec.OutcomeExecuted, "10500.00", true), recorded(1))
		l.account(m, spec.StatusActive, "daily", "10500.00", "500.00", "0.00")
	})
	alone("declined", "After a decline the request is decided anew and nothing may be proposed again.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "12000.00", over("2000.00"), m)
		s := l.supplement(d, m)
		lines := spec.LiftLines("en", m.Body.(*spec.Mandate), s.Body.(*spec.Supplement).Terms().Lifts, l.ActionOf(s.Body.(*spec.Supplement).Terms().Action))
		l.step("approve-supplement", "decline", l.Say("cfo", spec.Decline, spec.KindSupplement, spec.ContentDigest(s.Value), lines...), recorded(1), of(d))
		l.step("approve-supplement", "approval after all", l.ApproveSupplement("cfo", m, s), refused("proposal-closed", "/content"), of(d))
		l.step("resume", "", none, rejected("budget", "recovery-declined"), of(d))
	})
	alone("approved-at-the-deadline", "A proposal is open before its until; after it the request is refused.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "12000.00", over("2000.00"), m)
		word := l.ApproveSupplement("cfo", m, l.supplement(d, m))
		l.Advance(4 * time.Hour)
		l.step("approve-supplement", "approval", word, refused("proposal-expired", "/content"), of(d))
		l.step("resume", "", none, rejected("budget", "recovery-expired"), of(d))
	})
	alone("resumed-after-the-supplement-expired", "The deadline is the supplement's expires too: issued in time and resumed too late, it lifts nothing.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "12000.00", over("2000.00"), m)
		l.step("approve-supplement", "approval", l.ApproveSupplement("cfo", m, l.supplement(d, m)), issued(2), of(d))
		l.Advance(4 * time.Hour)
		l.step("resume", "", none, rejected("budget", "recovery-expired"), of(d))
	})
	alone("caller-that-does-not-wait", "Until is at most the caller's waitUntil.", func(l *life, m spec.Document) {
		p := l.Present([]spec.Document{m}, l.Action("12000.00"), l.Request("invoice-1", func(r *spec.Request) { r.WaitUntil = spec.At(l.Now.Add(time.Minute)) }), l.Now)
		d := l.step("present", "invoice-1", p, over("2000.00"))
		l.Advance(time.Minute)
		l.step("approve-supplement", "approval", l.ApproveSupplement("cfo", m, l.supplement(d, m)), refused("proposal-expired", "/content"), of(d))
	})
	alone("lifted-by-the-wrong-person", "The clause names who may lift.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "12000.00", over("2000.00"), m)
		l.step("approve-supplement", "approval", l.ApproveSupplement("treasurer", m, l.supplement(d, m)), refused("approver-not-named", "/approver"), of(d))
	})
	alone("lifted-by-a-key-removed-meanwhile", "Persons of the roster in force then: a cfo who left lifts nothing.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "12000.00", over("2000.00"), m)
		word := l.ApproveSupplement("cfo", m, l.supplement(d, m))
		l.Advance(time.Minute)
		l.enrol("roster 2", l.NextRoster(l.roster, rosterTerms(func(t *spec.RosterTerms) {
			t.Persons[1].Keys[0].ID, t.Persons[1].Keys[0].PublicKey = writtest.Grantor+"#cfo-2", l.Key("cfo-2").Public().Multikey()
		})))
		l.step("approve-supplement", "approval", word, refused("approver-unknown", "/approver"), of(d))
	})
	alone("limit-without-a-clause", "A limit that no clause of its document names is a violation for good.", func(l *life, m spec.Document) {
		l.ask("invoice-1", "12000.00", rejected("constraints", "amount-above-max"), m)
	}, terms(func(t *spec.MandateTerms) {
		t.Constraints = append(t.Constraints, parse(`{"id":"each","type":"amount","max":{"value":"11000.00","currency":"EUR"}}`))
	}))
	alone("recoverable-beside-a-hard-failure", "One hard failure refuses, whatever else could be lifted.", func(l *life, m spec.Document) {
		l.step("present", "invoice-1", l.Present([]spec.Document{m}, l.Action("12000.00", func(a *spec.Action) { a.Counterparty.ID = "lei:OTHER" }),
			l.Request("invoice-1"), l.Now), rejected("constraints", "value-not-listed"))
	})
}
