package issuer

import (
	"context"
	"time"

	"github.com/writ-trust/writ/spec"
)

// Reconcile takes one person's word that the charge of a decision, which is its digest, was not executed. With the threshold of the
// mandate that people granted it is given back on every chain of the decision (protocol.md 7.9).
func (i *Issuer) Reconcile(ctx context.Context, org, decision string, data []byte) (spec.Logged, error) {
	doc, a, err := i.parseApproval(data)
	if err != nil {
		return spec.Logged{}, err
	}
	switch {
	case a.Kind != spec.KindReconciliation:
		return spec.Logged{}, spec.Refuse("approval-kind", "/kind", "a charge is what is reconciled here")
	case a.Content != spec.ReconciliationContent(decision):
		return spec.Logged{}, spec.Refuse("decision-unknown", "/content", "the approval is about another decision")
	}
	op, roster, err := i.openReconciliation(ctx, org, decision)
	if err != nil {
		return spec.Logged{}, err
	}
	op.Document = doc.Digest
	return i.Journal.Run(ctx, op, func(states spec.States, now time.Time) ([]spec.Document, error) {
		root := states.ByContent(op.Write[0].Content)
		h := root.Hold(decision)
		if h == nil {
			return nil, spec.Refuse("not-a-charge", "/content", "the action was not authorised")
		}
		if err := spec.CheckWord(doc, spec.NeedsOfReconciliation(root.Mandate, h), now, states.ByContent(roster).InForce(now)); err != nil {
			return nil, err
		}
		return []spec.Document{doc}, nil
	})
}

// openReconciliation names the chains of a decision, root first, and the content of its grantor's roster.
func (i *Issuer) openReconciliation(ctx context.Context, org, decision string) (spec.Op, string, error) {
	rec, err := i.Journal.Record(ctx, org, decision)
	if err != nil {
		return spec.Op{}, "", err
	}
	d, ok := rec.Document.Body.(*spec.Decision)
	if !ok {
		return spec.Op{}, "", spec.Refuse("not-found", "", "no decision with this digest")
	}
	roster, err := i.Journal.RosterState(ctx, org, d.Grantor)
	if err != nil {
		return spec.Op{}, "", err
	}
	return spec.Op{Org: org, Write: d.ChainRefs(), Read: []spec.ChainRef{rosterRef(roster)}, Decisions: []string{decision}}, roster.Content, nil
}
