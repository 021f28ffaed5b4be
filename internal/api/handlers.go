package api

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
	"github.com/writ-trust/writ/verifier"
)

// Inputs. Parameters are read by the handlers, so that what is wrong with one is a problem of ours.
type (
	nothing struct{}
	named   struct {
		ID string `path:"id"`
	}
	exported struct {
		ID    string `path:"id"`
		Proof string `query:"proof" doc:"rdfc: with a proof of an RDF suite beside the credential's own, for generic libraries"`
	}
	bundled struct {
		ID        string `path:"id"`
		Witnessed string `query:"witnessed" doc:"Under a checkpoint that the quorum of witnesses cosigned, and how long to wait for it, such as 5s; more than 45s is refused"`
		Replayed  string `query:"replayed" doc:"Under a checkpoint that the quorum of mirrors has replayed and cosigned, and how long to wait for it, such as 30s; more than 45s is refused"`
	}
	shown struct {
		ID       string `path:"id"`
		Replayed string `query:"replayed" doc:"Under a checkpoint that the quorum of mirrors has replayed and cosigned, and how long to wait for it, such as 30s; more than 45s is refused"`
	}
	waited struct {
		ID   string `path:"id"`
		Wait string `query:"wait" doc:"How long to wait for another answer, such as 30s; more than 45s is refused"`
	}
	paged struct {
		Cursor string `query:"cursor" doc:"The page before's next; absent for the first page"`
		Limit  string `query:"limit" doc:"1 to 200; 50 where it is absent"`
	}
	indexed struct {
		Index string `query:"index" doc:"Of the entry in the log, from 0"`
	}
	postedOn struct {
		ID string `path:"id"`
		posted
	}
)

// createDraft keeps a content for approval. Nothing is granted by it.
func (s *Server) createDraft(ctx context.Context, in *posted) (*draft, error) {
	content, err := jcs.ParseDocument(in.body())
	if err != nil {
		return nil, err
	}
	org := callerOf(ctx).Org
	d, err := s.Issuer.Propose(ctx, org, content)
	if err != nil {
		return nil, err
	}
	return s.draftOf(ctx, org, d)
}

func (s *Server) getDraft(ctx context.Context, in *named) (*draft, error) {
	org := callerOf(ctx).Org
	var d spec.Draft
	var err error
	switch urn := urnOf(in.ID, prefixMandate); {
	case isDigest(in.ID):
		d, err = s.Journal.DraftByContent(ctx, org, in.ID)
	case urn != "":
		d, err = s.Journal.Draft(ctx, org, urn)
	default:
		err = notFound()
	}
	if err != nil {
		return nil, err
	}
	return s.draftOf(ctx, org, d)
}

// approve takes one person's word on a mandate, a roster, a policy, or a suspended mandate.
func (s *Server) approve(ctx context.Context, in *posted) (*acknowledgement, error) {
	org := callerOf(ctx).Org
	l, err := s.Issuer.Approve(ctx, org, in.body())
	if err != nil {
		return nil, err
	}
	return s.acknowledge(ctx, org, l)
}

// approveSupplement takes one person's word on what an interim decision proposes; the request is decided anew in the background.
func (s *Server) approveSupplement(ctx context.Context, in *postedOn) (*acknowledgement, error) {
	org := callerOf(ctx).Org
	rec, _, err := s.decisionBy(ctx, org, in.ID, prefixRecovery, prefixDecision)
	if err != nil {
		return nil, err
	}
	interim := rec.Document.Digest
	l, err := s.Issuer.ApproveSupplement(ctx, org, interim, in.body())
	if err != nil {
		return nil, err
	}
	s.resumes.poke(interim)
	return s.acknowledge(ctx, org, l)
}

func (s *Server) delegate(ctx context.Context, in *posted) (*acknowledgement, error) {
	org := callerOf(ctx).Org
	l, err := s.Issuer.Delegate(ctx, org, in.body())
	if err != nil {
		return nil, err
	}
	return s.acknowledge(ctx, org, l)
}

func (s *Server) notice(ctx context.Context, in *posted) (*acknowledgement, error) {
	org := callerOf(ctx).Org
	l, err := s.Issuer.Notice(ctx, org, in.body())
	if err != nil {
		return nil, err
	}
	return s.acknowledge(ctx, org, l)
}

func (s *Server) listMandates(ctx context.Context, in *paged) (*mandateList, error) {
	limit := 50
	if in.Limit != "" {
		var err error
		if limit, err = strconv.Atoi(in.Limit); err != nil || limit < 1 || limit > 200 {
			return nil, spec.Refuse("request-syntax", "?limit", "limit is 1 to 200")
		}
	}
	items, next, err := s.Journal.ListMandates(ctx, callerOf(ctx).Org, in.Cursor, limit)
	if code, _ := codeOf(err); code == "cursor-syntax" {
		err = spec.Refuse(code, "?cursor", "no cursor of this list")
	}
	if err != nil {
		return nil, err
	}
	out := &mandateList{Count: int64(len(items)), Next: next}
	for _, i := range items {
		out.Mandates = append(out.Mandates, mandateItem{ID: i.ID, ShortID: spec.ShortID(prefixMandate, i.ID), Name: i.Name,
			Content: i.Content, Status: string(i.Status), Seq: i.Entries})
	}
	return out, nil
}

func (s *Server) getMandate(ctx context.Context, in *exported) (*mandate, error) {
	org := callerOf(ctx).Org
	rec, m, err := s.mandateBy(ctx, org, in.ID)
	if err != nil {
		return nil, err
	}
	out, err := s.mandateOf(ctx, org, rec, m)
	if err != nil {
		return nil, err
	}
	out.Credential, err = s.withProof(ctx, out.Credential, in.Proof)
	return out, err
}

// getRoster finds a roster by its grantor or by the content digest of any version.
func (s *Server) getRoster(ctx context.Context, in *named) (*roster, error) {
	org, grantor := callerOf(ctx).Org, in.ID
	if isDigest(in.ID) {
		rec, err := s.Journal.ByContent(ctx, org, in.ID)
		if err != nil {
			return nil, err
		}
		r, ok := rec.Document.Body.(*spec.Roster)
		if !ok {
			return nil, notFound()
		}
		grantor = r.Terms().Grantor
	}
	state, err := s.Journal.RosterState(ctx, org, grantor)
	if err != nil {
		return nil, err
	}
	return rosterOf(grantor, state, s.Now()), nil
}

// begin takes the executor's word right before the effect; the acknowledgement with its proof is the leave to execute.
func (s *Server) begin(ctx context.Context, in *posted) (*acknowledgement, error) {
	org := callerOf(ctx).Org
	l, err := s.Verifier.Begin(ctx, org, in.body())
	if err != nil {
		return nil, err
	}
	return s.acknowledge(ctx, org, l)
}

func (s *Server) report(ctx context.Context, in *posted) (*acknowledgement, error) {
	org := callerOf(ctx).Org
	l, err := s.Verifier.Report(ctx, org, in.body())
	if err != nil {
		return nil, err
	}
	return s.acknowledge(ctx, org, l)
}

func (s *Server) getDecision(ctx context.Context, in *named) (*answer, error) {
	org := callerOf(ctx).Org
	rec, _, err := s.decisionBy(ctx, org, in.ID, prefixDecision)
	if err != nil {
		return nil, err
	}
	return s.answerOf(ctx, org, rec)
}

// getRecovery says how far people have got, and may wait until the request has another answer.
func (s *Server) getRecovery(ctx context.Context, in *waited) (*recovery, error) {
	wait, err := waitOf(in.Wait)
	if err != nil {
		return nil, err
	}
	org := callerOf(ctx).Org
	rec, d, err := s.decisionBy(ctx, org, in.ID, prefixRecovery, prefixDecision)
	if err != nil {
		return nil, err
	}
	interim := rec.Document.Digest
	if d.Final() {
		return nil, notFound()
	}
	now, err := s.await(ctx, org, requestOf(d), wait, func(answer spec.Record, _ bool) bool { return answer.Document.Digest != interim })
	if err != nil {
		return nil, err
	}
	out, err := s.recoveryOf(ctx, org, rec.Document, d)
	if err != nil || now.Document.Digest == interim {
		return out, err
	}
	out.Status = "ended"
	out.Answer, err = s.answerOf(ctx, org, now)
	return out, err
}

func waitOf(given string) (time.Duration, error) {
	if given == "" {
		return 0, nil
	}
	wait, err := time.ParseDuration(given)
	if err != nil || wait < 0 || wait > maxWait {
		return 0, spec.Refuse("request-syntax", "?wait", "wait is a duration such as 30s, at most %s", maxWait)
	}
	return wait, nil
}

// receiptOf makes the receipt of a decision, the same bytes each time for the same history.
func (s *Server) receiptOf(ctx context.Context, org, decision string) (spec.Document, error) {
	unsigned, at, err := verifier.Receipt(ctx, s.Journal, org, decision)
	if err != nil {
		return spec.Document{}, err
	}
	return s.SignReceipt(ctx, unsigned, at)
}

// firstReceiptOf is the receipt of a decision that this call logged: nothing that could follow it is looked up.
func (s *Server) firstReceiptOf(ctx context.Context, org string, decision spec.Record) (spec.Document, error) {
	unsigned, at, err := verifier.FirstReceipt(ctx, s.Journal, org, decision)
	if err != nil {
		return spec.Document{}, err
	}
	return s.SignReceipt(ctx, unsigned, at)
}

func (s *Server) getReceipt(ctx context.Context, in *exported) (*receipt, error) {
	org := callerOf(ctx).Org
	rec, _, err := s.decisionBy(ctx, org, in.ID, prefixReceipt, prefixDecision)
	if err != nil {
		return nil, err
	}
	doc, err := s.receiptOf(ctx, org, rec.Document.Digest)
	if err != nil {
		return nil, err
	}
	r := doc.Body.(*spec.Receipt)
	credential, err := s.withProof(ctx, doc.Value, in.Proof)
	return &receipt{ID: spec.ShortID(prefixReceipt, rec.Document.Body.(*spec.Decision).ID), Digest: doc.Digest, Outcome: r.Terms().Outcome, Receipt: credential}, err
}

// getBundle exports a decision, authorised or refused, with everything that shows it, under one checkpoint.
func (s *Server) getBundle(ctx context.Context, in *bundled) (*document, error) {
	org := callerOf(ctx).Org
	wait, witnessed, err := s.witnessWait(in.Witnessed)
	if err != nil {
		return nil, err
	}
	patience, replayed, err := s.replayedWait(in.Replayed)
	if err != nil {
		return nil, err
	}
	rec, d, err := s.decisionBy(ctx, org, in.ID, prefixReceipt, prefixDecision)
	if err != nil {
		return nil, err
	}
	if !d.Final() {
		return nil, spec.Refuse("receipt-none", "", "the request waits: there is nothing to show yet")
	}
	var body []byte
	switch export := func() ([]byte, error) { return s.exportNow(ctx, org, rec.Document.Digest, d) }; {
	case replayed: // under a checkpoint that the witnesses' quorum has cosigned too
		body, err = s.exportReplayed(ctx, org, export, patience)
	case witnessed:
		body, err = s.exportWitnessed(ctx, org, rec.Document.Digest, d, wait)
	default:
		body, err = export()
	}
	return &document{mediaType: verifier.BundleType, body: body}, err
}

// exportNow is export under the newest checkpoint.
func (s *Server) exportNow(ctx context.Context, org, decision string, d *spec.Decision) ([]byte, error) {
	body, err := s.export(ctx, org, decision, d)
	for try := 1; try < exportTries && errors.Is(err, log.ErrNotFound); try++ { // a report came in behind the checkpoint
		body, err = s.export(ctx, org, decision, d)
	}
	return body, err
}

const exportTries = 3

func (s *Server) export(ctx context.Context, org, decision string, d *spec.Decision) ([]byte, error) {
	signed, err := s.receiptFor(ctx, org, decision, d)
	if err != nil {
		return nil, err
	}
	size := sizeOf(s.Log.CommitCheckpoint())
	return verifier.Export(ctx, s.Journal, s.Journal, org, decision, signed, func(index int64) ([]byte, error) { return s.Log.ProofAt(index, size) })
}

// receiptFor is the receipt of a decision, the zero Document where it is refused.
func (s *Server) receiptFor(ctx context.Context, org, decision string, d *spec.Decision) (spec.Document, error) {
	if d.Result != spec.Authorized {
		return spec.Document{}, nil
	}
	return s.receiptOf(ctx, org, decision)
}

// getLogProof proves a published entry under the published checkpoint. Entries are public: they show nothing of what they commit to.
func (s *Server) getLogProof(_ context.Context, in *indexed) (*logProof, error) {
	index, err := indexOf(in.Index, "?index")
	if err != nil {
		return nil, err
	}
	signed := s.served()
	if index >= sizeOf(signed) {
		return nil, notFound()
	}
	proof, err := s.proveUnder(index, signed)
	return &logProof{Index: index, Proof: string(proof)}, err
}

func (s *Server) getLogEntry(_ context.Context, in *named) (*logEntry, error) {
	index, err := indexOf(in.ID, "")
	if err != nil {
		return nil, err
	}
	if index >= sizeOf(s.Log.Published()) {
		return nil, notFound()
	}
	data, err := s.Log.Entry(index)
	if err != nil {
		return nil, err
	}
	entry, err := jcs.ParseDocument(data)
	return &logEntry{Index: index, Entry: entry}, err
}

// indexOf reads an index, from the query parameter that place names or from the path.
func indexOf(given, place string) (int64, error) {
	index, err := strconv.ParseInt(given, 10, 64)
	if err != nil || index < 0 {
		return 0, spec.Refuse("request-syntax", place, "an index counts from 0")
	}
	return index, nil
}

func (s *Server) getLedger(context.Context, *nothing) (*ledger, error) {
	l := s.Ledger
	return &ledger{DID: l.DID, Mode: l.Mode, Epoch: l.Epoch, DecisionKey: keyed{l.DID + "#" + l.DecisionKey, l.DecisionKey},
		Seal: keyed{l.SealID, l.SealKey}, Log: logInfo{l.LogOrigin, l.LogKey}, ExecuteWithin: spec.FormatDuration(l.ExecuteWithin),
		Catalogue: rule.Catalogue, Version: spec.Version}, nil
}
