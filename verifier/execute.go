package verifier

import (
	"context"
	"time"

	"github.com/writ-trust/writ/spec"
)

// Begin takes the executor's word right before the effect. The entry with its proof is the leave to execute: the executor's
// rule is to check it, once (protocol.md 10.1). Same bytes, same answer.
func (v *Verifier) Begin(ctx context.Context, org string, data []byte) (spec.Logged, error) {
	return v.execution(ctx, org, data, spec.TypeBegin)
}

// Report takes the executor's word on what became of the action. What was executed above the hold is recorded all the same.
func (v *Verifier) Report(ctx context.Context, org string, data []byte) (spec.Logged, error) {
	return v.execution(ctx, org, data, spec.TypeReport)
}

func (v *Verifier) execution(ctx context.Context, org string, data []byte, docType string) (spec.Logged, error) {
	doc, err := spec.Parse(data)
	if err != nil {
		return spec.Logged{}, err
	}
	if doc.Type != docType {
		return spec.Logged{}, spec.Refuse("type-unknown", "/type", "a %s is wanted", docType)
	}
	if err := v.checkMode(doc.Mode(), "/mode"); err != nil {
		return spec.Logged{}, err
	}
	return v.again(func() (spec.Logged, error) {
		op, roster, err := v.openExecution(ctx, org, doc)
		if err != nil {
			return spec.Logged{}, err
		}
		return v.Journal.Run(ctx, op, func(states spec.States, _ time.Time) ([]spec.Document, error) {
			if r := states.ByContent(op.Read[0].Content); r == nil || moved(r, roster) {
				return nil, ErrMoved
			}
			return []spec.Document{doc}, nil
		})
	})
}

// openExecution finds the decision and checks that its executor signed. A decision that is unknown here and one whose executor
// somebody else is look the same.
func (v *Verifier) openExecution(ctx context.Context, org string, doc spec.Document) (spec.Op, string, error) {
	decision := decisionOf(doc)
	rec, err := v.Journal.Record(ctx, org, decision)
	if isNotFound(err) {
		return spec.Op{}, "", notEntitled("decision-unknown")
	}
	if err != nil {
		return spec.Op{}, "", err
	}
	d, ok := rec.Document.Body.(*spec.Decision)
	if !ok {
		return spec.Op{}, "", notEntitled("decision-unknown")
	}
	roster, err := v.Journal.RosterState(ctx, org, d.Grantor)
	if err != nil {
		return spec.Op{}, "", err
	}
	if err := checkSigned(doc, d, roster, v.Now()); err != nil {
		return spec.Op{}, "", notEntitled(reasonOf(err))
	}
	if d.Result != spec.Authorized {
		return spec.Op{}, "", spec.Refuse("decision-not-authorized", "/decision", "only an authorised action is executed")
	}
	op := spec.Op{Org: org, Document: doc.Digest, Read: []spec.ChainRef{{Content: roster.Content, Kind: spec.KindRoster}},
		Decisions: []string{decision}}
	if r, ok := doc.Body.(*spec.Report); ok && r.ExternalRef != "" {
		op.Ref = spec.ExternalRef{Executor: d.Executor, Name: r.ExternalRef, Decision: decision}
	}
	op.Write = d.ChainRefs()
	return op, roster.NewestContent(), nil
}

// checkSigned verifies the executor's signature: a begin by the roster of now; a report also by that of the decision, since what was
// executed is recorded whatever became of the executor since.
func checkSigned(doc spec.Document, d *spec.Decision, roster *spec.State, now time.Time) error {
	err := checkExecutor(doc, d.Executor, d.Agent, roster.InForce(now))
	if err != nil && doc.Type == spec.TypeReport {
		return checkExecutor(doc, d.Executor, d.Agent, roster.InForce(d.At.Time))
	}
	return err
}

// decisionOf is the decision that a begin or report is about.
func decisionOf(doc spec.Document) string {
	switch b := doc.Body.(type) {
	case *spec.Begin:
		return b.Decision
	case *spec.Report:
		return b.Decision
	}
	return ""
}
