package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
	"github.com/writ-trust/writ/vc"
)

// seed makes the keys of all parties, so that the process of the ledger and the one of the load agree on them.
const seed = "bench"

// parties sign. Their keys are expanded once: writtest's are made anew at each use. They are safe for concurrent use.
type parties struct {
	agent, bank, decision, seal vc.Signer
	holder                      string // the agent's DID
	bankKey, decisionKey        string // verification methods
	sealKey                     string
}

func newParties() *parties {
	w := writtest.Acme(seed)
	return &parties{agent: w.Key("agent"), bank: w.Key("bank"), decision: w.Key("ledger"), seal: w.Key("seal"), holder: w.DID("agent"),
		bankKey: w.KeyID("bank"), decisionKey: w.KeyID("ledger"), sealKey: w.KeyID("seal")}
}

// sign adds a proof, with times in whole seconds, as the schemas have them.
func sign(body spec.Body, key vc.Signer, o vc.ProofOptions) (spec.Document, error) {
	doc, err := spec.New(body)
	if err != nil {
		return doc, err
	}
	o.Created = o.Created.Truncate(time.Second)
	v, err := vc.Sign(doc.Value, o, key)
	if err != nil {
		return doc, err
	}
	return doc.WithValue(v)
}

// mandate is what a presentation needs of one: its envelope, and its identity.
type mandate struct {
	value        jcs.Value
	content      string
	selfExecuted bool
}

// action is a payment of one euro that is unlike every other.
func action(key string) (jcs.Value, error) {
	return jcs.ValueOf(&spec.Action{Type: "payments.transfer", Resource: writtest.Account, Amount: &rule.Money{Minor: 100, Currency: "EUR"},
		Counterparty: &spec.Counterparty{ID: writtest.Payee, Name: "AWS"}, Nonce: "nonce of " + key,
		Payload: &spec.Payload{Mapping: "pain.001/1", Digest: jcs.Digest("payload\n", []byte(key))}})
}

// ask is the body of one POST /v1/verify under a key that is used once: a presentation signed by the agent and, with commit, the
// executor's word that it executes at once. It holds for a minute.
func (p *parties) ask(m mandate, key string, commit bool, at time.Time) ([]byte, error) {
	presentation, err := p.present(m, key, at)
	if err != nil {
		return nil, err
	}
	body := map[string]json.RawMessage{"presentation": presentation.Bytes()}
	if commit {
		word, err := p.commit(m, presentation, at)
		if err != nil {
			return nil, err
		}
		body["commit"] = word.Bytes()
	}
	return json.Marshal(body)
}

func (p *parties) present(m mandate, key string, at time.Time) (spec.Document, error) {
	pays, err := action(key)
	if err != nil {
		return spec.Document{}, err
	}
	at = at.Truncate(time.Second)
	return sign(&spec.Presentation{Context: spec.Contexts(), Type: []string{"VerifiablePresentation"}, Holder: p.holder,
		Credential: []jcs.Value{m.value}, Action: pays,
		Request: spec.Request{IdempotencyKey: key, Ledger: writtest.Verifier, Executor: p.executor(m)}}, p.agent,
		vc.ProofOptions{VerificationMethod: did.MethodID(p.holder), Purpose: did.Authentication, Created: at, Expires: at.Add(time.Minute),
			Domain: writtest.Verifier})
}

func (p *parties) executor(m mandate) string {
	if m.selfExecuted {
		return p.holder
	}
	return writtest.Bank
}

func (p *parties) commit(m mandate, presentation spec.Document, at time.Time) (spec.Document, error) {
	asked := presentation.Body.(*spec.Presentation)
	request, err := spec.RequestDigest(asked.Holder, []string{m.content}, asked.Action, asked.Request)
	if err != nil {
		return spec.Document{}, err
	}
	return p.execute(m.selfExecuted, &spec.Commit{Type: "Commit", Version: spec.Version, Request: request,
		Action: spec.ActionDigest(asked.Action), Executor: p.executor(m), At: spec.At(at), Nonce: "nonce of " + asked.Request.IdempotencyKey}, at)
}

// execute signs with the executor's key.
func (p *parties) execute(self bool, body spec.Body, at time.Time) (spec.Document, error) {
	key, method := p.bank, p.bankKey
	if self {
		key, method = p.agent, did.MethodID(p.holder)
	}
	return sign(body, key, vc.ProofOptions{VerificationMethod: method, Purpose: did.AssertionMethod, Created: at})
}

// asks are n bodies, spread evenly over the mandates, made on all cores. Keys begin with the name of the round.
func (p *parties) asks(round string, mandates []mandate, n int, commit bool, at time.Time) ([][]byte, error) {
	return parallel(n, func(i int) ([]byte, error) {
		return p.ask(mandates[i%len(mandates)], keyOf(round, i), commit, at)
	})
}

// parallel calls f for 0 to n-1 on as many goroutines as there are cores, and returns what they made, in order.
func parallel[T any](n int, f func(i int) (T, error)) ([]T, error) {
	made := make([]T, n)
	var failed error
	var group sync.WaitGroup
	var once sync.Once
	for worker := range cores {
		group.Go(func() {
			for i := worker; i < n; i += cores {
				one, err := f(i)
				if err != nil {
					once.Do(func() { failed = err })
					return
				}
				made[i] = one
			}
		})
	}
	group.Wait()
	return made, failed
}

// post is a whole HTTP request, ready to be written to a connection.
func post(path, token string, body []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST %s HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: %d\r\n", path, len(body))
	if token != "" {
		fmt.Fprintf(&b, "Authorization: Bearer %s\r\n", token)
	}
	b.WriteString("\r\n")
	b.Write(body)
	return b.Bytes()
}
