package api

import (
	"context"
	"strconv"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/vc"
	"github.com/writ-trust/writ/verifier"
)

type verifyInput struct {
	Wait           string `query:"wait" doc:"How long to wait for people, such as 30s; more than 45s is refused"`
	Witnessed      string `query:"witnessed" doc:"How long to wait for the quorum of witnesses, such as 5s; more than 45s is refused. The answer says whether it came"`
	IdempotencyKey string `header:"Idempotency-Key" doc:"Hosted: the request's idempotency key, where the body has none"`
	posted
}

// verify decides one request, and where the caller asks waits for the witnesses.
func (s *Server) verify(ctx context.Context, in *verifyInput) (*answer, error) {
	patience, witnessed, err := s.witnessWait(in.Witnessed)
	if err != nil {
		return nil, err
	}
	a, err := s.decide(ctx, in)
	if err != nil || !witnessed {
		return a, err
	}
	return s.witness(ctx, callerOf(ctx).Org, a, patience)
}

// decide decides one request. Signed anew, or sent again, it is the same request and gets the same answer.
func (s *Server) decide(ctx context.Context, in *verifyInput) (*answer, error) {
	wait, err := waitOf(in.Wait)
	if err != nil {
		return nil, err
	}
	request, err := s.requestIn(ctx, in)
	if err != nil {
		return nil, err
	}
	logged, err := s.Verifier.Verify(ctx, request)
	if err != nil {
		return nil, err
	}
	d, _ := verifier.Decision(logged)
	if !logged.Known {
		s.metrics.decided(d)
	}
	rec := logged.Last()
	if !d.Final() {
		s.resumes.add(request.Org, rec.Document.Digest, d)
		if rec, err = s.await(ctx, request.Org, requestOf(d), wait, func(_ spec.Record, final bool) bool { return final }); err != nil {
			return nil, err
		}
	} else if !logged.Known {
		return s.answerWith(ctx, request.Org, rec, func() (spec.Document, error) { return s.firstReceiptOf(ctx, request.Org, rec) })
	}
	return s.answerOf(ctx, request.Org, rec)
}

// requestIn reads the body in either form.
func (s *Server) requestIn(ctx context.Context, in *verifyInput) (verifier.Request, error) {
	k := callerOf(ctx)
	var body verifyBody
	if err := jcs.Unmarshal(in.body(), &body); err != nil {
		return verifier.Request{}, err
	}
	r := verifier.Request{Org: k.Org}
	r.Read.Commit = body.Commit
	hosted := len(body.Mandates) > 0 || len(body.Credentials) > 0 || !body.Action.IsZero() || body.Request != nil
	switch {
	case !body.Presentation.IsZero() && hosted:
		return r, spec.Refuse("request-syntax", "/presentation", "a presentation has mandates, action and request in it")
	case !body.Presentation.IsZero():
		r.Read.Presentation = body.Presentation
		return r, nil
	}
	presentation, err := s.present(ctx, k.Org, k.HostedAgent, in.IdempotencyKey, body)
	if err != nil {
		return r, err
	}
	r.Presentation, r.Hosted = presentation.Bytes(), true
	return r, nil
}

// present signs a presentation for a caller with a hosted agent. All but the proof's times is a function of the call.
func (s *Server) present(ctx context.Context, org, agent, key string, body verifyBody) (spec.Document, error) {
	switch {
	case len(body.Mandates) == 0 || body.Action.IsZero() || body.Request == nil:
		return spec.Document{}, spec.Refuse("member-missing", "/presentation", "a presentation, or mandates, action and request")
	case agent == "" || s.Agents == nil:
		return spec.Document{}, spec.Refuse("hosted-agent-absent", "", "the API key has no hosted agent")
	case key != "" && body.Request.IdempotencyKey != "" && key != body.Request.IdempotencyKey:
		return spec.Document{}, spec.Refuse("request-syntax", "/request/idempotencyKey", "header and body name different keys")
	}
	if body.Request.IdempotencyKey != "" {
		key = body.Request.IdempotencyKey
	}
	signer, err := s.Agents.Signer(agent)
	if err != nil {
		return spec.Document{}, err
	}
	p := &spec.Presentation{Context: spec.Contexts(), Type: []string{"VerifiablePresentation"}, Mode: s.Ledger.Mode,
		Holder: signer.Public().DID(), Action: withNonce(body.Action, key),
		Request: spec.Request{IdempotencyKey: key, Ledger: s.Ledger.DID, Executor: body.Request.Executor, WaitUntil: body.Request.WaitUntil}}
	for i, m := range body.Mandates {
		credential, err := s.credentialOf(ctx, org, m, "/mandates/"+strconv.Itoa(i))
		if err != nil {
			return spec.Document{}, err
		}
		p.Credential = append(p.Credential, credential)
	}
	p.Credential = append(p.Credential, body.Credentials...)
	return sign(p, signer, s.Ledger.DID, s.Now())
}

// withNonce completes the action of a caller that leaves uniqueness to its idempotency key.
func withNonce(action jcs.Value, key string) jcs.Value {
	if _, given := action.Member("nonce"); given || action.Kind() != jcs.Object {
		return action
	}
	nonce, err := jcs.ValueOf(key)
	if err != nil {
		return action
	}
	return action.With("nonce", nonce)
}

func sign(p *spec.Presentation, signer vc.Signer, ledger string, now time.Time) (spec.Document, error) {
	doc, err := spec.New(p)
	if err != nil {
		return doc, err
	}
	now = now.Truncate(time.Second) // as the schemas have it
	v, err := vc.Sign(doc.Value, vc.ProofOptions{VerificationMethod: did.MethodID(p.Holder), Purpose: did.Authentication, Created: now,
		Expires: now.Add(time.Minute), Domain: ledger}, signer)
	if err != nil {
		return doc, err
	}
	return doc.WithValue(v)
}

// credentialOf is a mandate as the caller names it: whole, or by id or content digest.
func (s *Server) credentialOf(ctx context.Context, org string, named jcs.Value, place string) (jcs.Value, error) {
	id, ok := named.Text()
	if !ok {
		return named, nil
	}
	rec, _, err := s.mandateBy(ctx, org, id)
	if isNotFound(err) {
		return named, spec.Refuse("not-found", place, "no such mandate here")
	}
	return rec.Document.Value, err
}
