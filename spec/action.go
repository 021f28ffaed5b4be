package spec

import (
	"slices"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec/rule"
)

// Action is what an agent wants done, addressed by JSON Pointer (protocol.md 4.7). The executor derives it from the
// bytes that it will execute, and refuses on a difference.
type Action struct {
	Type         string        `json:"type"`
	Resource     string        `json:"resource"`
	Amount       *rule.Money   `json:"amount,omitempty"`
	Counterparty *Counterparty `json:"counterparty,omitempty"`
	Parameters   jcs.Value     `json:"parameters,omitempty"`
	Payload      *Payload      `json:"payload,omitempty"`
	Nonce        string        `json:"nonce"`
}

// Counterparty is named by an identifier; the name is for people and carries no limit.
type Counterparty struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

// Payload is the digest of the bytes to execute and the published mapping from them to the action.
type Payload struct {
	Mapping string `json:"mapping"`
	Digest  string `json:"digest"`
}

// ParseAction reads an action strictly.
func ParseAction(v jcs.Value) (*Action, error) {
	var a Action
	if err := decode(v, &a); err != nil {
		return nil, err
	}
	return &a, a.check()
}

// ActionDigest is the one digest under which an action is presented, lifted, held, entered and reported.
func ActionDigest(v jcs.Value) string { return jcs.Digest("writ/action/v1\n", v.Canonical()) }

func (a *Action) check() error {
	switch {
	case !rule.ValidType(a.Type):
		return refuse("action-type", "/type", "not an action type")
	case a.Resource == "":
		return refuse("resource-absent", "/resource", "an action names its resource")
	case len(a.Nonce) < 8 || len(a.Nonce) > 128:
		return refuse("nonce-length", "/nonce", "8 to 128 characters")
	case !a.Parameters.IsZero() && a.Parameters.Kind() != jcs.Object:
		return refuse("member-type", "/parameters", "parameters are an object")
	case a.Payload == nil && rule.MatchAction("payments.*", a.Type):
		return refuse("payload-absent", "/payload", "a payment names the digest of its payload")
	}
	if a.Payload != nil {
		return checkDigest(a.Payload.Digest, "/payload/digest")
	}
	return nil
}

// PayloadDigest is the digest of the bytes to execute, "" where the action has none.
func (a *Action) PayloadDigest() string {
	if a.Payload == nil {
		return ""
	}
	return a.Payload.Digest
}

// Request is how the action is asked: the key under which it happens once, the ledger, the executor, and for how long
// the caller waits for people.
type Request struct {
	IdempotencyKey string `json:"idempotencyKey"`
	Ledger         string `json:"ledger"`
	Executor       string `json:"executor"`
	WaitUntil      Time   `json:"waitUntil,omitempty"`
}

func (r *Request) check() error {
	switch {
	case len(r.IdempotencyKey) < 8 || len(r.IdempotencyKey) > 128:
		return refuse("idempotency-key", "/request/idempotencyKey", "8 to 128 characters")
	case did.Check(r.Ledger) != nil:
		return refuse("did-syntax", "/request/ledger", "not a DID of a known method")
	case did.Check(r.Executor) != nil:
		return refuse("did-syntax", "/request/executor", "not a DID of a known method")
	}
	return nil
}

// Presentation is the agent's signed request: the mandate chain, root first, what its constraints ask to be presented, the action
// and the request (VCDM 2.0 section 4.13). Its proof carries the verifier as domain and expires within a minute of its creation.
type Presentation struct {
	Context    []string    `json:"@context"`
	Type       []string    `json:"type"`
	Mode       string      `json:"mode,omitempty"`
	Holder     string      `json:"holder"`
	Credential []jcs.Value `json:"verifiableCredential"`
	Action     jcs.Value   `json:"action"`
	Request    Request     `json:"request"`
}

func (p *Presentation) docType() string { return TypePresentation }
func (p *Presentation) mode() string    { return p.Mode }

func (p *Presentation) check() error {
	switch {
	case !slices.Equal(p.Context, Contexts()):
		return refuse("context-fixed", "/@context", "the contexts are fixed, in order")
	case !slices.Equal(p.Type, []string{"VerifiablePresentation"}):
		return refuse("type-fixed", "/type", "exactly VerifiablePresentation")
	}
	if err := p.checkPresented(); err != nil {
		return err
	}
	if _, err := did.KeyOf(p.Holder); err != nil {
		return refuse("subject-key", "/holder", "an agent is a did:key or did:jwk")
	}
	if _, err := ParseAction(p.Action); err != nil {
		return at("/action", err)
	}
	return firstError(p.Request.check, func() error { return checkMode(p.Mode) })
}

// RequestDigest is a request's identity: signed anew, in whatever envelope, it is the same request.
func RequestDigest(agent string, mandates []string, action jcs.Value, request Request) (string, error) {
	v, err := jcs.ValueOf(struct {
		Agent    string    `json:"agent"`
		Mandates []string  `json:"mandates"`
		Action   jcs.Value `json:"action"`
		Request  Request   `json:"request"`
	}{agent, mandates, action, request})
	if err != nil {
		return "", err
	}
	return jcs.Digest("writ/request/v1\n", v.Canonical()), nil
}
