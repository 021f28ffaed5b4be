package journal

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
)

// TestExternalRef: an executor's name for an execution belongs to one decision, after a restart too; the same decision may be
// reported under it again.
func TestExternalRef(t *testing.T) {
	b := newBench(t)
	roster := b.found()
	mandate := b.grant(roster)
	first := b.verify("invoice-1", "420.00", roster, mandate).Last().Document
	second := b.verify("invoice-2", "420.00", roster, mandate).Last().Document
	report := func(decision spec.Document, outcome string) error {
		doc := b.Report(decision, outcome, "", false, b.Advance(time.Second))
		op := about(decision, doc)
		op.Ref = spec.ExternalRef{Executor: "did:web:bank.example", Name: "e2e:1", Decision: decision.Digest}
		_, err := b.run(op, doc)
		return err
	}
	if err := report(first, spec.OutcomeExecuted); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		var e *spec.Error
		if err := report(second, spec.OutcomeExecuted); !errors.As(err, &e) || e.Reason != "external-ref-reused" {
			t.Errorf("another execution under the same name: %v", err)
		}
		if following, err := b.j.Following(context.Background(), org, second.Digest); err != nil || len(following) > 0 {
			t.Errorf("a refused report is there: %v", err)
		}
		if err := report(first, spec.OutcomeReversed); err != nil {
			t.Errorf("the same execution under its name: %v", err)
		}
		b.restart()
	}
}

// TestExternalRefOfEachOrganisation: an organisation that lists another's executor takes none of its names away.
func TestExternalRefOfEachOrganisation(t *testing.T) {
	b := newBench(t)
	acme, rival := b.enrolled("acme"), b.enrolled("rival")
	first, second, foreign := acme.pay("invoice-1"), acme.pay("invoice-2"), rival.pay("invoice-1")
	for range 2 {
		if err := rival.report(foreign, "e2e:INV-2026-0042"); err != nil {
			t.Fatal(err)
		}
		if err := acme.report(first, "e2e:INV-2026-0042"); err != nil {
			t.Errorf("acme's bank cannot report under a name that another organisation has used: %v", err)
		}
		b.restart()
	}
	if err := acme.report(second, "e2e:INV-2026-0042"); reason(err) != "external-ref-reused" {
		t.Errorf("another execution under the same name: %v", err)
	}
}

// party is an organisation with a roster and a mandate of its own.
type party struct {
	*bench
	org             string
	roster, mandate spec.Document
}

func (b *bench) enrolled(org string) party {
	b.t.Helper()
	r := b.Roster()
	approvals := []spec.Document{b.ApproveRoster("treasurer", r), b.ApproveRoster("cfo", r)}
	roster := b.Seal(r, approvals...)
	b.must(spec.Op{Org: org, Write: []spec.ChainRef{writtest.Ref(r)}}, append(approvals, roster)...)
	m := b.Mandate()
	approvals = []spec.Document{b.ApproveMandate("treasurer", m), b.ApproveMandate("cfo", m)}
	mandate := b.Seal(m, approvals...)
	b.must(spec.Op{Org: org, Write: []spec.ChainRef{writtest.Ref(m)}, Read: []spec.ChainRef{writtest.Ref(roster)}}, append(approvals, mandate)...)
	return party{b, org, roster, mandate}
}

// pay has a payment decided.
func (p party) pay(key string) spec.Document {
	p.t.Helper()
	r := p.request(key, "420.00", p.roster, p.mandate)
	r.op.Org = p.org
	l, err := p.decide(r)
	if err != nil {
		p.t.Fatal(err)
	}
	return l.Last().Document
}

// report has the bank report a part of an execution under its own name for it.
func (p party) report(decision spec.Document, name string) error {
	doc := p.Report(decision, spec.OutcomeExecuted, "10.00", false, p.Advance(time.Second))
	op := about(decision, doc)
	op.Org, op.Ref = p.org, spec.ExternalRef{Executor: writtest.Bank, Name: name, Decision: decision.Digest}
	_, err := p.run(op, doc)
	return err
}
