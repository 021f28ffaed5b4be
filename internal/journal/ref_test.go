package journal

import (
	"context"
	"errors"
	"testing"
	"time"

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
