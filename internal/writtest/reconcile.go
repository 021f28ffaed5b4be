package writtest

import (
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
)

// Reconcile is a person's word on the charge of a decision under the mandate that people granted: spec.Approve says that it was not
// executed.
func (w *World) Reconcile(person, word string, root, decision spec.Document) spec.Document {
	lines := must(spec.ReconcileLines(rule.English, root.Body.(*spec.Mandate), decision))
	return w.Say(person, word, spec.KindReconciliation, spec.ReconciliationContent(decision.Digest), lines...)
}
