package writ

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/vc"
)

// Request is one action that an agent asks for.
type Request struct {
	Mandates []vc.Value // the chain, root first, as the ledger issued it
	// Credentials are those that the mandates' constraints ask for, and the status lists that answer for them.
	Credentials []vc.Value
	Action      vc.Value // see spec.Action
	// IdempotencyKey makes the action happen once: 8 to 128 characters. The same call with the same key is the same request, and
	// gets the same answer; anything else under the key is refused.
	IdempotencyKey string
	Executor       string    // DID
	WaitUntil      time.Time // how long people have to lift a limit; zero means as long as the mandate gives them
	// Commit is the executor's Commit over this very request, where the caller executes at once. Zero means none.
	Commit spec.Document
	// Wait holds the call while people may still lift what is missing, at most 45 seconds.
	Wait time.Duration
	// Witnessed holds the call until the quorum of the log's witnesses has cosigned, at most 45 seconds; Answer.Witnessed says whether it
	// has. Zero asks for no cosignatures. Reason: request-syntax, before anything is decided, where the server has no witnesses.
	Witnessed time.Duration
}

// presentationLife is how long a presentation may be used: the most that a ledger takes.
const presentationLife = time.Minute

// Present builds the presentation of a request and signs it with the agent's key, for the ledger that the mandate names.
func (c *Client) Present(r Request) (spec.Document, error) {
	if c.Agent == nil || len(r.Mandates) == 0 {
		return spec.Document{}, errors.New("writ: Present needs Options.Agent and a mandate")
	}
	root, err := mandateIn(r.Mandates[0])
	if err != nil {
		return spec.Document{}, err
	}
	ledger := root.Terms().Ledger.Verifier
	p := &spec.Presentation{Context: spec.Contexts(), Type: []string{"VerifiablePresentation"}, Mode: root.Subject.Mode,
		Holder: c.Agent.Public().DID(), Credential: slices.Concat(r.Mandates, r.Credentials), Action: r.Action,
		Request: spec.Request{IdempotencyKey: r.IdempotencyKey, Ledger: ledger, Executor: r.Executor}}
	if !r.WaitUntil.IsZero() {
		p.Request.WaitUntil = spec.At(r.WaitUntil)
	}
	now := c.Now()
	return sign(p, c.Agent, vc.ProofOptions{VerificationMethod: did.MethodID(p.Holder), Purpose: did.Authentication, Created: now,
		Expires: now.Add(presentationLife), Domain: ledger})
}

// sign makes a document of a body and adds its proof, with times in whole seconds, as the schemas have them.
func sign(body spec.Body, key vc.Signer, o vc.ProofOptions) (spec.Document, error) {
	o.Created, o.Expires = o.Created.Truncate(time.Second), o.Expires.Truncate(time.Second)
	doc, err := spec.New(body)
	if err != nil {
		return doc, err
	}
	v, err := vc.Sign(doc.Value, o, key)
	if err != nil {
		return doc, err
	}
	return doc.WithValue(v)
}

func mandateIn(v vc.Value) (*spec.Mandate, error) {
	doc, err := spec.FromValue(v)
	if err != nil {
		return nil, err
	}
	m, ok := doc.Body.(*spec.Mandate)
	if !ok {
		return nil, spec.Refuse("type-unknown", "/type", "a mandate is wanted")
	}
	return m, nil
}

// Verify asks whether the agent may act. COLLECT_MISSING is an answer, not an error: Recovery says who can lift what, and Await
// waits for them.
func (c *Client) Verify(ctx context.Context, r Request) (Answer, error) {
	p, err := c.Present(r)
	if err != nil {
		return Answer{}, err
	}
	return c.verifyPresentation(ctx, p, r.Commit, query(r.Wait, r.Witnessed))
}

// VerifyPresentation is Verify for a presentation that was signed already.
func (c *Client) VerifyPresentation(ctx context.Context, presentation, commit spec.Document, wait time.Duration) (Answer, error) {
	return c.verifyPresentation(ctx, presentation, commit, waitQuery(wait))
}

func (c *Client) verifyPresentation(ctx context.Context, presentation, commit spec.Document, q url.Values) (Answer, error) {
	body := map[string]vc.Value{"presentation": presentation.Value}
	if !commit.IsZero() {
		body["commit"] = commit.Value
	}
	return c.verify(ctx, body, q)
}

// HostedRequest is a Request of a caller whose API key has a hosted agent: the server signs. Mandates are ids (mnd_…, urn:uuid:…)
// or content digests, root first. An action without nonce takes the idempotency key for it.
type HostedRequest struct {
	Mandates       []string
	Credentials    []vc.Value // as in Request
	Action         vc.Value
	IdempotencyKey string
	Executor       string
	WaitUntil      time.Time
	Wait           time.Duration
}

// VerifyHosted asks whether the hosted agent may act. The decision says that its identity was hosted.
func (c *Client) VerifyHosted(ctx context.Context, r HostedRequest) (Answer, error) {
	request := map[string]string{"idempotencyKey": r.IdempotencyKey, "executor": r.Executor}
	if !r.WaitUntil.IsZero() {
		request["waitUntil"] = spec.At(r.WaitUntil).String()
	}
	body := map[string]any{"mandates": r.Mandates, "action": r.Action, "request": request}
	if len(r.Credentials) > 0 {
		body["credentials"] = r.Credentials
	}
	return c.verify(ctx, body, waitQuery(r.Wait))
}

func (c *Client) verify(ctx context.Context, body any, q url.Values) (Answer, error) {
	data, err := json.Marshal(body)
	if err != nil {
		return Answer{}, err
	}
	a, err := exchange[Answer](ctx, c, http.MethodPost, "/v1/verify", q, data)
	if err != nil {
		return Answer{}, err
	}
	_, err = a.Document()
	return a, err
}

func waitQuery(wait time.Duration) url.Values {
	if wait <= 0 {
		return nil
	}
	return url.Values{"wait": {min(wait, longPoll).String()}}
}

// query are the parameters of a request that may wait for people, and for witnesses.
func query(wait, witnessed time.Duration) url.Values {
	q := url.Values{}
	if wait > 0 {
		q.Set("wait", min(wait, longPoll).String())
	}
	if witnessed > 0 {
		q.Set("witnessed", min(witnessed, longPoll).String())
	}
	return q
}

// Decision reads an answer again, by id (dec_…, urn:uuid:…) or digest.
func (c *Client) Decision(ctx context.Context, id string) (Answer, error) {
	a, err := get[Answer](ctx, c, "/v1/decisions/"+url.PathEscape(id), nil)
	if err != nil {
		return Answer{}, err
	}
	_, err = a.Document()
	return a, err
}

// Recovery says how far people have got with what a request waits for, by id (rcv_…, dec_…) or digest of the interim decision. It
// waits, at most so long and at most 45 seconds, until the request has another answer.
func (c *Client) Recovery(ctx context.Context, id string, wait time.Duration) (Recovery, error) {
	return get[Recovery](ctx, c, "/v1/recoveries/"+url.PathEscape(id), waitQuery(wait))
}

// longPoll is how long one call of Await is held: what the server allows.
const longPoll = 45 * time.Second

// Await waits until a request's answer is final, or the context ends; what is final already is returned at once. A server that holds
// no call back is asked at most once a second.
func (c *Client) Await(ctx context.Context, a Answer) (Answer, error) {
	for a.Result == spec.CollectMissing {
		soonest := time.NewTimer(breath)
		r, err := c.Recovery(ctx, a.Digest, longPoll)
		if err != nil {
			return a, err
		}
		if r.Answer != nil {
			a = *r.Answer
		}
		if a.Result != spec.CollectMissing {
			break
		}
		select {
		case <-ctx.Done():
			return a, ctx.Err()
		case <-soonest.C:
		}
	}
	_, err := a.Document()
	return a, err
}
