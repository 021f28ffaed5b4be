package conformance

import (
	"github.com/writ-trust/writ/spec"
)

const reconcileClause = "protocol.md 7.9: reconciliations"

// charged asks for an action and has the bank begin it.
func (l *life) charged(euros string, mandates ...spec.Document) spec.Document {
	l.b.t.Helper()
	d := l.ask("invoice-1", euros, authorized, mandates...)
	l.step("begin", "begin", l.Begin(d, l.Now), recorded(1))
	return d
}

// reconcile has a person say that a charge was not executed.
func (l *life) reconcile(person string, root, decision spec.Document, want StepEnd) {
	l.b.t.Helper()
	l.step("reconcile", "not executed, by "+person, l.Reconcile(person, spec.Approve, root, decision), want, of(decision))
}

func reconciliationTraces(b *book) {
	alone := func(name, title string, play func(l *life, m spec.Document), mandate ...func(*spec.Mandate)) {
		l := newLife(b, name)
		play(l, l.enrol("mandate", l.Mandate(mandate...)))
		l.finish("reconcile/"+name, reconcileClause, title)
	}
	alone("by-two-of-two", "A charge that nobody reported is given back once the mandate's threshold says that it was not executed.", func(l *life, m spec.Document) {
		d := l.charged("10000.00", m)
		l.reconcile("treasurer", m, d, recorded(1))
		l.ask("invoice-2", "0.01", rejected("budget", "budget-exceeded"), m)
		l.reconcile("cfo", m, d, recorded(1))
		l.ask("invoice-3", "10000.00", authorized, m)
		l.account(m, spec.StatusActive, "daily", "10000.00", "0.00", "0.00")
	}, terms(func(t *spec.MandateTerms) { t.Recovery = nil }))
	alone("by-one-person-twice", "One person is one person.", func(l *life, m spec.Document) {
		d := l.charged("4200.00", m)
		l.reconcile("cfo", m, d, recorded(1))
		l.step("reconcile", "by cfo again", l.Reconcile("cfo", spec.Approve, m, d), recorded(1), of(d))
		l.account(m, spec.StatusActive, "daily", "4200.00", "0.00", "0.00")
	})
	alone("by-a-person-not-named", "Only the mandate's approvers take a charge back.", func(l *life, m spec.Document) {
		d := l.charged("4200.00", m)
		l.step("reconcile", "by intern", l.Reconcile("intern", spec.Approve, m, d), refused("approver-not-named", "/approver"), of(d))
	})
	alone("declined-between", "A decline ends the attempt: what was said before counts no more.", func(l *life, m spec.Document) {
		d := l.charged("4200.00", m)
		l.reconcile("cfo", m, d, recorded(1))
		l.step("reconcile", "decline", l.Reconcile("treasurer", spec.Decline, m, d), recorded(1), of(d))
		l.reconcile("treasurer", m, d, recorded(1))
		l.account(m, spec.StatusActive, "daily", "4200.00", "0.00", "0.00")
	})
	alone("of-a-hold-never-begun", "What was not begun is no charge: it lapses by itself.", func(l *life, m spec.Document) {
		d := l.ask("invoice-1", "4200.00", authorized, m)
		l.step("reconcile", "by cfo", l.Reconcile("cfo", spec.Approve, m, d), refused("not-a-charge", "/content"), of(d))
	})
	alone("after-a-report", "A charge with a report is what its executor says.", func(l *life, m spec.Document) {
		d := l.charged("4200.00", m)
		l.step("report", "report", l.report(d, spec.OutcomeExecuted, "1.00", false), recorded(1))
		l.step("reconcile", "by cfo", l.Reconcile("cfo", spec.Approve, m, d), refused("not-a-charge", "/content"), of(d))
	})
	alone("of-another-decision", "The content says which decision it is about.", func(l *life, m spec.Document) {
		d := l.charged("4200.00", m)
		other := l.ask("invoice-2", "1.00", authorized, m)
		l.step("reconcile", "by cfo", l.Reconcile("cfo", spec.Approve, m, other), refused("decision-unknown", "/content"), of(d))
	})
	alone("executed-after-all", "What is reported executed after it was given back is excess, and suspends the mandate.", func(l *life, m spec.Document) {
		d := l.charged("4200.00", m)
		l.reconcile("treasurer", m, d, recorded(1))
		l.reconcile("cfo", m, d, recorded(1))
		l.step("report", "report", l.report(d, spec.OutcomeExecuted, "4200.00", true), recorded(1))
		l.account(m, spec.StatusSuspended, "daily", "4200.00", "0.00", "4200.00")
	})
	alone("of-the-agents-own-charge", "Where the agent executes itself only people lower the charge.", func(l *life, m spec.Document) {
		d := l.step("present", "invoice-1", l.Present([]spec.Document{m}, l.Action("4200.00"),
			l.Request("invoice-1", func(r *spec.Request) { r.Executor = l.DID("agent") }), l.Now), authorized)
		l.reconcile("treasurer", m, d, recorded(1))
		l.reconcile("cfo", m, d, recorded(1))
		l.account(m, spec.StatusActive, "daily", "0.00", "0.00", "0.00")
	}, terms(func(t *spec.MandateTerms) { t.SelfExecuted = true }))
	alone("under-a-delegated-mandate", "The charge is on every chain of the decision, and the threshold is that of the mandate that people granted.", func(l *life, m spec.Document) {
		child := l.Seal(l.Child(m))
		l.step("delegate", "child", child, recorded(1))
		d := l.charged("1500.00", m, child)
		l.reconcile("treasurer", m, d, recorded(1))
		l.reconcile("cfo", m, d, recorded(1))
		l.account(m, spec.StatusActive, "daily", "0.00", "0.00", "0.00")
		l.account(child, spec.StatusActive, "share", "0.00", "0.00", "0.00")
	})
	reconciledBundle(b)
}

func reconciledBundle(b *book) {
	l := newLife(b, "bundle reconciled")
	m := l.enrol("mandate", l.Mandate())
	d := l.charged("4200.00", m)
	l.reconcile("treasurer", m, d, recorded(1))
	l.reconcile("cfo", m, d, recorded(1))
	s := l.share("reconciled", d)
	s.put("reconciled", "People took the charge for not executed, and the receipt says so.", spec.OutcomeNotEntered, BundleEnd{Holds: true})
	s.put("reconciled-with-expect-executed", "Nobody reported an execution.", spec.OutcomeExecuted, fails("executed", "expect-other", "/receipt/credentialSubject/receipt/outcome"))
	last := s.logged("/words/1")
	s.put("reconciled-with-one-word-left-out", "One word is not the mandate's threshold.", spec.OutcomeNotEntered, fails("decision", "receipt-other", "/receipt"), remove("/words/1"), remove(last))
	s.put("reconciled-by-one-key-for-two", "Each word is signed by its own person's key.", spec.OutcomeNotEntered, fails("decision", "proof-signature", last+"/document/proof/proofValue"), s.forge("/words/1", "treasurer"))
}
