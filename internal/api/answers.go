package api

import (
	"context"
	"errors"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
)

func notFound() error { return spec.Refuse("not-found", "", "no such thing here") }

func isNotFound(err error) bool {
	code, _ := codeOf(err)
	return err != nil && code == "not-found"
}

// acknowledge answers for a document that was handed over.
func (s *Server) acknowledge(ctx context.Context, org string, l spec.Logged) (*acknowledgement, error) {
	if len(l.Records) == 0 {
		return nil, errors.New("api: an operation logged nothing")
	}
	first := l.Records[0]
	at, err := recordedOf(first)
	if err != nil {
		return nil, err
	}
	a := &acknowledgement{Document: first.Document.Value, Digest: first.Document.Digest, recorded: at}
	issued, err := s.issuedWith(ctx, org, l)
	if err != nil || issued.IsZero() {
		return a, err
	}
	a.Issued, a.Content = issued.Value, spec.ContentDigest(issued.Value)
	return a, nil
}

// issuedWith is the credential that an approval completed: it was logged with it, right behind. An approval that was known
// already is answered like the first time.
func (s *Server) issuedWith(ctx context.Context, org string, l spec.Logged) (spec.Document, error) {
	if len(l.Records) > 1 {
		return l.Last().Document, nil
	}
	a, ok := l.Records[0].Document.Body.(*spec.Approval)
	if !ok || !l.Known {
		return spec.Document{}, nil
	}
	rec, err := s.Journal.ByContent(ctx, org, a.Content)
	if isNotFound(err) || err == nil && rec.Index != l.Records[0].Index+1 {
		return spec.Document{}, nil
	}
	return rec.Document, err
}

// answerOf writes a decision down.
func (s *Server) answerOf(ctx context.Context, org string, rec spec.Record) (*answer, error) {
	return s.answerWith(ctx, org, rec, func() (spec.Document, error) { return s.receiptOf(ctx, org, rec.Document.Digest) })
}

// answerWith is answerOf with the receipt that receipt makes, where the decision itself charged.
func (s *Server) answerWith(ctx context.Context, org string, rec spec.Record, receipt func() (spec.Document, error)) (*answer, error) {
	d, ok := rec.Document.Body.(*spec.Decision)
	if !ok {
		return nil, notFound()
	}
	at, err := recordedOf(rec)
	if err != nil {
		return nil, err
	}
	a := &answer{Result: d.Result, ID: spec.ShortID(prefixDecision, d.ID), Digest: rec.Document.Digest, Decision: rec.Document.Value, Record: at}
	switch {
	case !d.Final():
		a.Recovery, err = s.recoveryOf(ctx, org, rec.Document, d)
	case d.Charged:
		var r spec.Document
		r, err = receipt()
		a.Receipt = r.Value
	}
	return a, err
}

// recoveryOf writes down what an interim decision proposes and how far people have got.
func (s *Server) recoveryOf(ctx context.Context, org string, doc spec.Document, d *spec.Decision) (*recovery, error) {
	drafts, err := s.Issuer.Proposals(ctx, org, doc.Digest)
	if err != nil {
		return nil, err
	}
	states, err := s.Journal.States(ctx, org, mandateRefs(d.Mandates...), []string{doc.Digest})
	if err != nil {
		return nil, err
	}
	r := &recovery{ID: spec.ShortID(prefixRecovery, d.ID), Decision: doc.Digest, Status: "open", Until: spec.At(latest(d))}
	for i, w := range drafts {
		p := proposal{Mandate: d.Missing[i].Mandate, Content: w.Needs.Content, Status: spec.ProposalOpen, Supplement: w.Content,
			Approvers: w.Needs.Approvers, Threshold: w.Needs.Threshold}
		p.Sentences, p.Shown = localised(w.Needs.Lines)
		if on := states.ByContent(p.Mandate); on != nil {
			if at := on.Proposal(p.Content); at != nil {
				p.Status, p.Approvals = at.Status, saidOf(at.Pending)
			}
		}
		r.Proposals = append(r.Proposals, p)
	}
	return r, nil
}

func mandateRefs(contents ...string) []spec.ChainRef {
	var refs []spec.ChainRef
	for _, c := range contents {
		refs = append(refs, spec.ChainRef{Content: c, Kind: spec.KindMandate})
	}
	return refs
}

// requestOf is the key under which a decision's request happens once.
func requestOf(d *spec.Decision) spec.RequestKey {
	return spec.RequestKey{Leaf: d.Leaf(), Key: d.Request.IdempotencyKey, Body: d.Inputs.RequestBody}
}

// decisionBy finds a decision by its digest, its urn, or its short id.
func (s *Server) decisionBy(ctx context.Context, org, id string, prefixes ...string) (spec.Record, *spec.Decision, error) {
	var rec spec.Record
	var err error
	switch urn := urnOf(id, prefixes...); {
	case isDigest(id):
		rec, err = s.Journal.Record(ctx, org, id)
	case urn != "":
		rec, err = s.Journal.ByID(ctx, org, urn)
	default:
		err = notFound()
	}
	if err != nil {
		return rec, nil, err
	}
	d, ok := rec.Document.Body.(*spec.Decision)
	if !ok {
		return rec, nil, notFound()
	}
	return rec, d, nil
}

// mandateBy finds a mandate by its content digest, its urn, or its short id.
func (s *Server) mandateBy(ctx context.Context, org, id string) (spec.Record, *spec.Mandate, error) {
	var rec spec.Record
	var err error
	switch urn := urnOf(id, prefixMandate); {
	case isDigest(id):
		rec, err = s.Journal.ByContent(ctx, org, id)
	case urn != "":
		rec, err = s.Journal.ByID(ctx, org, urn)
	default:
		err = notFound()
	}
	if err != nil {
		return rec, nil, err
	}
	m, ok := rec.Document.Body.(*spec.Mandate)
	if !ok {
		return rec, nil, notFound()
	}
	return rec, m, nil
}

func (s *Server) mandateOf(ctx context.Context, org string, rec spec.Record, m *spec.Mandate) (*mandate, error) {
	content := spec.ContentDigest(rec.Document.Value)
	states, err := s.Journal.States(ctx, org, mandateRefs(content), nil)
	if err != nil {
		return nil, err
	}
	state := states.ByContent(content).AsOf(s.Now())
	at, err := recordedOf(rec)
	if err != nil {
		return nil, err
	}
	out := &mandate{ID: m.ID, ShortID: spec.ShortID(prefixMandate, m.ID), Name: m.Name, Content: content, Chain: state.Chain,
		Status: string(state.Status), Seq: state.Seq, Credential: rec.Document.Value, Record: at}
	out.Sentences, _ = localised(m.Lines)
	for _, w := range state.Windows {
		out.Windows = append(out.Windows, window{w.Totals(), rule.FormatUnits(w.Used(), w.Unit)})
	}
	for _, h := range state.Holds {
		if h.IsOpen() {
			out.Holds = append(out.Holds, holdOf(h))
		}
	}
	return out, nil
}

func holdOf(h spec.Hold) hold {
	out := hold{Decision: h.Decision, Status: h.Status, Executor: h.Executor, ExecuteBefore: spec.At(h.ExecuteBefore), Currency: h.Currency}
	if h.Currency != "" {
		out.Amount = rule.FormatUnits(h.Amount, h.Currency)
	}
	return out
}

// draftOf writes a draft down, with what people have said so far.
func (s *Server) draftOf(ctx context.Context, org string, d spec.Draft) (*draft, error) {
	doc, err := spec.Parse(d.Body)
	if err != nil {
		return nil, err
	}
	out := &draft{ID: d.ID, Kind: d.Kind, Content: d.Content, Body: doc.Value}
	var needs spec.Needs
	chain := spec.ChainRef{Content: d.Content, Kind: d.Kind}
	switch b := doc.Body.(type) {
	case *spec.Mandate:
		out.ShortID = spec.ShortID(prefixMandate, d.ID)
		needs = spec.NeedsOfMandate(b, d.Content)
	case *spec.Roster:
		state, err := s.chainOf(ctx, org, b)
		if err != nil {
			return nil, err
		}
		judge := b
		if state != nil {
			judge, chain.Content, out.Recovery = state.Newest(), state.Content, recoveryKeysOf(state.RecoveryOf(b, s.Now()))
		}
		needs = spec.NeedsOfRoster(judge, b, d.Content)
	case *spec.Policy:
		if needs, chain, err = s.Issuer.PolicyNeeds(ctx, org, b, d.Content); err != nil {
			return nil, err
		}
	}
	out.Approvers, out.Threshold = needs.Approvers, needs.Threshold
	out.Sentences, out.Shown = localised(needs.Lines)
	out.Status, out.Approvals, err = s.words(ctx, org, chain, d.Content)
	return out, err
}

// chainOf is the chain that a draft of a roster version continues; nil for a first version, which judges itself on a chain of its own.
func (s *Server) chainOf(ctx context.Context, org string, r *spec.Roster) (*spec.State, error) {
	if r.Terms().Version == 1 {
		return nil, nil
	}
	state, err := s.Journal.RosterState(ctx, org, r.Terms().Grantor)
	if err != nil {
		return nil, err
	}
	return state.AsOf(s.Now()), nil
}

// words are what people have said on a content, and what came of it.
func (s *Server) words(ctx context.Context, org string, chain spec.ChainRef, content string) (status string, all []said, err error) {
	rec, err := s.Journal.ByContent(ctx, org, content)
	if err == nil {
		all, err = saidIn(rec.Document.Value)
		return "issued", all, err
	}
	if !isNotFound(err) {
		return "", nil, err
	}
	states, err := s.Journal.States(ctx, org, []spec.ChainRef{chain}, nil)
	if isNotFound(err) { // nobody has said anything
		return string(spec.StatusDraft), nil, nil
	}
	if err != nil {
		return "", nil, err
	}
	var pending []spec.LoggedApproval
	status = string(spec.StatusDraft)
	for _, l := range states.ByContent(chain.Content).Pending {
		if l.Body().Content != content {
			continue
		}
		if pending = append(pending, l); l.Body().Decision == spec.Decline {
			status = string(spec.StatusDeclined)
		}
	}
	return status, saidOf(pending), nil
}

// saidIn are the approvals in a credential's evidence; their times are those that the signers claim.
func saidIn(credential jcs.Value) ([]said, error) {
	docs, err := spec.Approvals(credential)
	if err != nil {
		return nil, err
	}
	var all []said
	for _, d := range docs {
		a := d.Body.(*spec.Approval)
		all = append(all, said{a.Approver, a.Decision, a.At})
	}
	return all, nil
}
