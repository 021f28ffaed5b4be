package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/writ-trust/writ"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/keys"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
	"github.com/writ-trust/writ/vc"
	"github.com/writ-trust/writ/verifier"
)

// This file is who acts in the story, and what each can do: people sign, agents ask, the bank executes. All of it goes over HTTP
// through the client that strangers use.

// Names of the story.
const (
	acme      = "did:web:acme.example"
	bank      = "did:web:bank.example"
	account   = "iban:PT50000201231234567890154"
	elsewhere = "iban:PT50000201239999999990154" // an account of another organisation
	aws       = "lei:ZXTILKJKG63JELOEG630"
	somebody  = "lei:96950033Y5GTE2S3OC37"
	lisbon    = "Europe/Lisbon"
)

// A story is the state of the demo: the server, the parties, and what has happened so far.
type story struct {
	sys    *system
	dir    string // of the server, thrown away
	out    string // where bundle and trust file go
	server *server

	ledger writ.Ledger
	policy *log.Policy
	trust  *verifier.Trust // the bank's and the auditor's own

	admin    *writ.Client // Acme's, for API keys
	acme     *writ.Client
	agent    *writ.Client // with the treasury agent's key
	subagent *writ.Client

	treasurer, cfo, intern writ.Approver
	bank                   vc.Signer

	roster               writ.Draft
	main, second, parent grant
	child                grant

	paid      writ.Answer // €4,200.00
	waiting   writ.Answer // €6,500.00, interim
	lifted    writ.Answer // and decided anew
	presented spec.Document
	lapsing   writ.Answer
	declined  spec.Document // a word that the CFO signed and did not hand over

	offline *offline
	bundle  jcs.Value
	hosted  writ.APIKey
	own     grant // the hosted agent's
}

// A grant is a mandate in force.
type grant struct {
	content    string
	credential jcs.Value
}

func newStory(sys *system, out string) (*story, error) {
	dir, err := os.MkdirTemp("", "writ-demo-")
	if err != nil {
		return nil, err
	}
	s := &story{sys: sys, dir: dir, out: out}
	if out == "" {
		s.out = dir
		return s, nil
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

// close stops the server and throws its folder away.
func (s *story) close() error {
	var err error
	if s.server != nil {
		err = s.server.stop()
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

func (s *story) client(apiKey string, agent vc.Signer) (*writ.Client, error) {
	return writ.New(writ.Options{URL: s.server.url, APIKey: apiKey, Now: s.sys.now, Random: s.sys.random, Agent: agent})
}

// newKeys draws the keys of people, agents and the bank, in this process alone.
func (s *story) newKeys() (people [3]writ.Approver, agents [2]vc.Signer, bank vc.Signer, err error) {
	var drawn [6]vc.Signer
	for i := range drawn {
		if drawn[i], err = keys.Generate(keys.Ed25519, s.sys.random); err != nil {
			return people, agents, nil, err
		}
	}
	for i, name := range []string{"treasurer", "cfo", "intern"} {
		people[i] = writ.Approver{KeyID: acme + "#" + name, Key: drawn[i]}
	}
	return people, [2]vc.Signer{drawn[3], drawn[4]}, drawn[5], nil
}

// approve hands over a person's approval of a draft. Its entry is proven.
func (s *story) approve(ctx context.Context, who writ.Approver, d writ.Draft) (writ.Acknowledgement, error) {
	content, err := writ.ContentOf(d)
	if err != nil {
		return writ.Acknowledgement{}, err
	}
	return s.say(ctx, who, content)
}

func (s *story) say(ctx context.Context, who writ.Approver, content writ.Content) (writ.Acknowledgement, error) {
	ack, err := s.acme.Approve(ctx, who, spec.Approve, content)
	if err != nil {
		return ack, err
	}
	_, err = s.proven(ack.Record)
	return ack, err
}

// proven checks a record's inclusion proof under the log's key, and returns the size of the log that it is of.
func (s *story) proven(r writ.Record) (size int64, err error) {
	p, err := log.ParseProof([]byte(r.Proof))
	if err != nil {
		return 0, err
	}
	c, err := log.CheckInclusion(p, log.RecordHash(r.Entry.Canonical()), s.ledger.Log.Origin, s.policy)
	if err == nil && p.Index != r.Index {
		err = fmt.Errorf("the proof is of entry %d, not %d", p.Index, r.Index)
	}
	return c.Size, err
}

// grant has a mandate proposed, and signed by both.
func (s *story) grant(ctx context.Context, content jcs.Value) (grant, error) {
	d, err := s.acme.Draft(ctx, content)
	if err != nil {
		return grant{}, err
	}
	if _, err := s.approve(ctx, s.treasurer, d); err != nil {
		return grant{}, err
	}
	ack, err := s.approve(ctx, s.cfo, d)
	if err == nil && ack.Issued.IsZero() {
		err = errors.New("two approvals issued nothing")
	}
	return grant{ack.Content, ack.Issued}, err
}

// A mandate is what Acme writes for an agent: payments from its account to AWS.
type mandateTerms struct {
	name, daily string
	approvers   []string
	lift        bool // the CFO may lift the day by 15,000.00, once or in parts
	depth       int64
}

func (s *story) mandateFor(agent string, t mandateTerms) (jcs.Value, error) {
	from := s.sys.now().Add(-1e9)
	terms := map[string]any{"version": spec.Version, "actions": []string{"payments.transfer"}, "resources": []string{account},
		"grantor":     map[string]any{"id": acme, "approvers": t.approvers, "threshold": len(t.approvers), "leastGrade": spec.GradeDevice},
		"constraints": []any{daily(t.daily), payee(aws)}}
	if t.lift {
		terms["recovery"] = []any{map[string]any{"for": []string{"daily"}, "approvers": []string{"cfo"}, "threshold": 1,
			"maxOver": euro("15000.00"), "maxOverPerWindow": euro("15000.00"), "maxUses": 3, "within": "PT4H"}}
	}
	if t.depth > 0 {
		terms["delegation"] = map[string]any{"maxDepth": t.depth}
	}
	return valueOf(map[string]any{"name": t.name, "validFrom": spec.At(from).String(), "validUntil": spec.At(from.AddDate(0, 4, 0)).String(),
		"credentialSubject": map[string]any{"id": agent, "mandate": terms}})
}

func euro(value string) map[string]string {
	return map[string]string{"value": value, "currency": "EUR"}
}

func daily(max string) map[string]any {
	return map[string]any{"id": "daily", "type": "budget", "max": euro(max), "per": rule.Day, "zone": lisbon}
}

func payee(id string) map[string]any {
	return map[string]any{"id": "payee", "type": "oneOf", "pointer": "/counterparty/id", "values": []string{id}}
}

// paymentOf is the bytes that the bank executes, and the action that they are.
func paymentOf(euros, payee, from, reference string) (bytes []byte, action jcs.Value, err error) {
	bytes = fmt.Appendf(nil, "pay EUR %s from %s to %s reference %s\n", euros, from, payee, reference)
	amount, err := rule.ParseAmount(euros, "EUR")
	if err != nil {
		return nil, action, err
	}
	action, err = jcs.ValueOf(&spec.Action{Type: "payments.transfer", Resource: from, Amount: &amount, Nonce: reference,
		Counterparty: &spec.Counterparty{ID: payee}, Payload: &spec.Payload{Mapping: "demo/1", Digest: writ.PayloadDigest(bytes)}})
	return bytes, action, err
}

// request is a payment that an agent asks for, executed by the bank if nothing else is said.
func (s *story) request(euros, payee string, mandates ...grant) (writ.Request, error) {
	reference, err := newNonce(s.sys)
	if err != nil {
		return writ.Request{}, err
	}
	_, action, err := paymentOf(euros, payee, account, reference)
	r := writ.Request{Action: action, IdempotencyKey: reference, Executor: bank}
	for _, m := range mandates {
		r.Mandates = append(r.Mandates, m.credential)
	}
	return r, err
}

// ask asks for a payment and wants one result.
func (s *story) ask(ctx context.Context, who *writ.Client, want, euros, payee string, mandates ...grant) (writ.Answer, error) {
	r, err := s.request(euros, payee, mandates...)
	if err != nil {
		return writ.Answer{}, err
	}
	a, err := who.Verify(ctx, r)
	return a, wanted(a, want, err)
}

func wanted(a writ.Answer, want string, err error) error {
	if err == nil && a.Result != want {
		err = fmt.Errorf("%s (%s), not %s", a.Result, reasonsOf(a), want)
	}
	return err
}

func decisionOf(a writ.Answer) (*spec.Decision, error) {
	doc, err := a.Document()
	if err != nil {
		return nil, err
	}
	return doc.Body.(*spec.Decision), nil
}

// reasonsOf are those of the checks that do not pass.
func reasonsOf(a writ.Answer) string {
	d, err := decisionOf(a)
	if err != nil {
		return err.Error()
	}
	var all []string
	for _, c := range d.Checks {
		if c.Outcome != spec.Pass {
			all = append(all, c.Check+": "+c.Reason)
		}
	}
	return strings.Join(all, ", ")
}

// executor is the bank, with its own trust file.
func (s *story) executor() writ.Executor {
	return writ.Executor{DID: bank, Key: s.bank, Trust: s.trust}
}

// execute is the bank's part: it makes the action out of its own bytes, asks for leave, executes, and reports.
func (s *story) execute(ctx context.Context, a writ.Answer, euros string) (saw string, err error) {
	doc, err := a.Document()
	if err != nil {
		return "", err
	}
	reference, _ := doc.Body.(*spec.Decision).Action.Member("nonce")
	nonce, _ := reference.Text()
	bytes, action, err := paymentOf(euros, aws, account, nonce)
	if err != nil {
		return "", err
	}
	leave, err := s.acme.Guard(ctx, s.executor(), writ.Order{Decision: doc, Action: action, Payload: bytes})
	if err != nil {
		return "", err
	}
	reported, err := s.report(ctx, a)
	if err != nil {
		return "", err
	}
	receipt, err := s.acme.Receipt(ctx, a.Digest)
	if err != nil {
		return "", err
	}
	for _, r := range []writ.Record{a.Record, leave.Record, reported.Record} {
		if _, err := s.proven(r); err != nil {
			return "", err
		}
	}
	if receipt.Outcome != spec.OutcomeExecuted {
		err = fmt.Errorf("the receipt says %s", receipt.Outcome)
	}
	return fmt.Sprintf("%s: executed; decision, begin and report are proven at %d, %d and %d of the log", receipt.ID, a.Record.Index,
		leave.Record.Index, reported.Index), err
}

// report is the bank's word that it executed all of it.
func (s *story) report(ctx context.Context, a writ.Answer) (writ.Acknowledgement, error) {
	doc, err := a.Document()
	if err != nil {
		return writ.Acknowledgement{}, err
	}
	return s.acme.Report(ctx, s.executor(), doc, writ.Outcome{Outcome: spec.OutcomeExecuted, Final: true, ExternalRef: "e2e:" + a.ID})
}

// daily is where a mandate stands, and the account of its day.
func (s *story) daily(ctx context.Context, m grant) (writ.Mandate, writ.Window, error) {
	got, err := s.acme.Mandate(ctx, m.content)
	for _, w := range got.Windows {
		if w.Constraint == "daily" {
			return got, w, err
		}
	}
	return got, writ.Window{Held: "0.00", Committed: "0.00", Used: "0.00"}, err
}

// logged is how many entries the log has.
func (s *story) logged(ctx context.Context) (int64, error) {
	m, err := s.acme.Mandate(ctx, s.main.content)
	if err != nil {
		return 0, err
	}
	return s.proven(m.Record)
}

// refused wants an error with this reason code.
func refused(err error, reason string) error {
	if err == nil {
		return fmt.Errorf("it was taken, not refused as %s", reason)
	}
	if got := writ.ReasonOf(err); got != reason {
		return fmt.Errorf("refused as %q, not %s: %w", got, reason, err)
	}
	return nil
}

// pin writes what the ledger, the bank and an auditor decide to believe: the roster, the log, and whose the accounts are.
func (s *story) pin() error {
	t := &verifier.Trust{Version: spec.Version, Rosters: []verifier.PinnedRoster{{Grantor: acme, Content: s.roster.Content}},
		Policy:    "log " + s.ledger.Log.Key + "\nquorum none\n",
		Resources: map[string]string{account: acme, elsewhere: "did:web:other.example"}}
	data, err := t.Bytes()
	if err != nil {
		return err
	}
	if s.trust, err = verifier.ParseTrust(data); err != nil {
		return err
	}
	return errors.Join(replace(filepath.Join(s.dir, "data", trustName), data), replace(filepath.Join(s.out, trustName), data))
}

// newNonce draws 128 bits, as a nonce, a reference or an idempotency key.
func newNonce(sys *system) (string, error) {
	var drawn [16]byte
	_, err := io.ReadFull(sys.random, drawn[:])
	return jcs.EncodeBase64(drawn[:]), err
}
