package verifier

import (
	"context"
	"time"

	"github.com/writ-trust/writ/spec"
)

// Erasing is a request to erase what is known of one action: its decision with the presentation, its begin and its reports.
type Erasing struct {
	Decision string // digest
	Reason   string // for good in the ledger, so that it names no person; 1 to 200 characters
	Who      string // who asked for it, as Reason
	Verifier string // DID of the ledger
	Mode     string
}

// Runner is the part of a journal that Erase needs.
type Runner interface {
	Run(ctx context.Context, op spec.Op, f func(spec.States, time.Time) ([]spec.Document, error)) (spec.Logged, error)
}

// Erase logs an Erasure for each entry of the action, and with it the journal takes the documents and what opens their entries away
// (protocol.md 7.12). Totals, proofs and every other bundle stay. Reasons: erasure-kept where the hold is open, where people answered to
// the request, or where it is no final decision; document-erased; not-found.
func Erase(ctx context.Context, archive Archive, journal Runner, e Erasing) (spec.Logged, error) {
	rec, err := archive.Record(ctx, "", e.Decision)
	if err != nil {
		return spec.Logged{}, err
	}
	d, ok := rec.Document.Body.(*spec.Decision)
	if !ok || !d.Final() || d.Resumes != "" {
		return spec.Logged{}, spec.Refuse("erasure-kept", "", "what is erased is a final decision that nobody waited for")
	}
	following, err := archive.Following(ctx, "", e.Decision)
	if err != nil {
		return spec.Logged{}, err
	}
	records := append([]spec.Record{rec}, following...)
	for _, r := range records {
		if r.Document.Type == spec.TypeApproval {
			return spec.Logged{}, spec.Refuse("erasure-kept", "", "people's words about the charge rest on it")
		}
	}
	leaf := spec.ChainRef{Content: d.Leaf(), Kind: spec.KindMandate}
	op := spec.Op{Write: []spec.ChainRef{leaf}, Decisions: []string{e.Decision}}
	return journal.Run(ctx, op, func(states spec.States, now time.Time) ([]spec.Document, error) {
		return e.documents(states.ByContent(leaf.Content), records, now)
	})
}

// documents are one Erasure for each of the records, by its place on the leaf mandate's chain.
func (e Erasing) documents(leaf *spec.State, records []spec.Record, now time.Time) ([]spec.Document, error) {
	if h := leaf.Hold(e.Decision); h != nil && h.IsOpen() {
		return nil, spec.Refuse("erasure-kept", "", "the hold is %s: a report may still move money", h.Status)
	}
	var docs []spec.Document
	for _, r := range records {
		link, ok := r.Entry.Link(leaf.Chain)
		if !ok {
			return nil, spec.Refuse("erasure-kept", "", "a document about the action is not on the mandate's chain")
		}
		doc, err := spec.New(&spec.Erasure{Type: "Erasure", Version: spec.Version, Mode: e.Mode, Chain: leaf.Chain, Seq: link.Seq, Reason: e.Reason, Who: e.Who,
			Verifier: e.Verifier, At: spec.At(now)})
		if err != nil {
			return nil, err
		}
		docs = append(docs, doc)
	}
	return docs, nil
}
