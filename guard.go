package writ

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
	"github.com/writ-trust/writ/vc"
	"github.com/writ-trust/writ/verifier"
)

// Executor is the party that executes: a bank, an ERP, a gateway, or the agent itself where the mandate allows it.
type Executor struct {
	DID string
	Key vc.Signer
	// Trust is the executor's own trust file: which rosters, logs and resources it believes in. It never comes from a server.
	Trust *verifier.Trust
	// Test takes documents of test mode, with a test trust file, and no live ones.
	Test bool
}

// Order is what an executor is about to do: the decision that is said to allow it, and what it makes of the bytes in its hand.
type Order struct {
	Decision spec.Document
	// Action is derived by the executor from the bytes that it will execute, by the mapping that the action's payload names. A
	// nonce is in no such bytes: where it is absent here, the decision's counts.
	Action vc.Value
	// Payload is those bytes, nil where the action has none.
	Payload []byte
}

// Leave is the leave to execute, once. The effect must begin before Before.
type Leave struct {
	Begin  spec.Document
	Record Record
	Before time.Time
}

// clockSkew is how far the ledger's clock may be ahead of the executor's.
const clockSkew = 10 * time.Second

// begins is how often Guard hands the same Begin over where the answer got lost: the same bytes get the same answer.
const begins = 3

// Guard is the executor's rule (spec/protocol.md 10.1) in one call, before any effect. It refuses unless the decision authorises
// this very action and payload, names this executor, is in time, and holds in every verdict of verifier.CheckBundle against the
// executor's own trust file: people approved the mandate, the resource is the grantor's, the ledger that the mandate names signed,
// the log has it, and deciding again gives the same. Then it signs a Begin, hands it over, and checks that the log has that too.
//
// Without an error the executor may execute, once. After any error it must not. Guard for the same decision again is refused with
// hold-entered: an executor that cannot say whether it executed must find out in its own books, and report.
func (c *Client) Guard(ctx context.Context, x Executor, o Order) (Leave, error) {
	if x.Key == nil || x.Trust == nil {
		return Leave{}, errors.New("writ: Guard needs the executor's key and trust file")
	}
	d, err := x.sameOrder(o, c.Now())
	if err != nil {
		return Leave{}, err
	}
	if err := c.holds(ctx, x, o.Decision, spec.Document{}); err != nil {
		return Leave{}, err
	}
	begin, err := c.signBegin(x, o.Decision, d)
	if err != nil {
		return Leave{}, err
	}
	ack, err := c.handOver(ctx, begin, d.ExecuteBefore.Time)
	if err != nil {
		return Leave{}, err
	}
	if err := c.holds(ctx, x, o.Decision, begin); err != nil {
		return Leave{}, err
	}
	if !c.Now().Before(d.ExecuteBefore.Time) {
		return Leave{}, spec.Refuse("hold-lapsed", "/executeBefore", "the leave came too late")
	}
	return Leave{Begin: begin, Record: ack.Record, Before: d.ExecuteBefore.Time}, nil
}

// sameOrder holds the decision against the executor's own order; it needs no server.
func (x Executor) sameOrder(o Order, now time.Time) (*spec.Decision, error) {
	d, ok := o.Decision.Body.(*spec.Decision)
	if !ok || d.Result != spec.Authorized || d.Charged {
		return nil, spec.Refuse("decision-not-authorized", "/result", "no leave to begin comes of this decision")
	}
	decided, err := spec.ParseAction(d.Action)
	if err != nil {
		return nil, err
	}
	mine := o.Action
	if _, given := mine.Member("nonce"); !given {
		nonce, _ := d.Action.Member("nonce")
		mine = mine.With("nonce", nonce)
	}
	switch {
	case d.At.After(now.Add(clockSkew)):
		return nil, spec.Refuse("decision-future", "/at", "the decision says that it was made in the future")
	case d.Executor != x.DID:
		return nil, spec.Refuse("executor-other", "/executor", "another executor than this one")
	case spec.ActionDigest(mine) != spec.ActionDigest(d.Action):
		return nil, spec.Refuse("action-other", "/action", "another action than the one decided")
	case decided.Payload != nil && decided.Payload.Digest != PayloadDigest(o.Payload), decided.Payload == nil && o.Payload != nil:
		return nil, spec.Refuse("payload-other", "/action/payload/digest", "other bytes than those decided")
	case !now.Before(d.ExecuteBefore.Time):
		return nil, spec.Refuse("hold-lapsed", "/executeBefore", "the leave to execute ended at %s", d.ExecuteBefore)
	}
	return d, nil
}

// holds fetches the decision's bundle and verifies it as an auditor would, with the executor's trust file alone. The bundle must be
// about this decision and, once there is one, about this begin and no other.
func (c *Client) holds(ctx context.Context, x Executor, decision, begin spec.Document) error {
	data, err := c.Bundle(ctx, decision.Digest)
	if err != nil {
		return err
	}
	if err := sameDocuments(data, decision, begin); err != nil {
		return err
	}
	checked := verifier.CheckBundle(data, x.Trust, verifier.CheckOptions{Expect: spec.Authorized, Test: x.Test})
	if checked.Holds {
		return nil
	}
	for _, v := range checked.Verdicts {
		if v.Outcome == verifier.Fails || v.Outcome == verifier.Unchecked {
			return spec.Refuse(v.Reason, v.Pointer, "the decision is not %s: %s", v.Name, v.Detail)
		}
	}
	return spec.Refuse("decision-other", "", "the decision does not hold")
}

func sameDocuments(bundle []byte, decision, begin spec.Document) error {
	var in struct {
		Decision vc.Value `json:"decision"`
		Begin    vc.Value `json:"begin"`
	}
	if err := json.Unmarshal(bundle, &in); err != nil {
		return spec.Refuse("json-syntax", "", "the bundle does not read")
	}
	if !in.Decision.Equal(decision.Value) {
		return spec.Refuse("decision-other", "/decision", "the ledger shows another decision than the one in hand")
	}
	if !in.Begin.Equal(begin.Value) {
		return spec.Refuse("hold-entered", "/begin", "the ledger shows another begin than this one")
	}
	return nil
}

func (c *Client) signBegin(x Executor, decision spec.Document, d *spec.Decision) (spec.Document, error) {
	nonce, err := c.nonce()
	if err != nil {
		return spec.Document{}, err
	}
	now := c.Now()
	b := &spec.Begin{Type: "Begin", Version: spec.Version, Mode: d.Mode, Decision: decision.Digest, Action: spec.ActionDigest(d.Action),
		Executor: x.DID, At: spec.At(now), Nonce: nonce}
	return sign(b, x.Key, x.proof(d, now))
}

// proof names the executor's key as ledgers expect it: by the roster's multikey, or as the agent's own.
func (x Executor) proof(d *spec.Decision, now time.Time) vc.ProofOptions {
	method := x.DID + "#" + x.Key.Public().Multikey()
	if d.Executor == d.Agent {
		method = did.MethodID(d.Agent)
	}
	return vc.ProofOptions{VerificationMethod: method, Purpose: did.AssertionMethod, Created: now}
}

// handOver posts a begin until it is acknowledged or refused. Between two tries it waits as long as the server asks, as long as the
// leave would still come in time.
func (c *Client) handOver(ctx context.Context, begin spec.Document, before time.Time) (Acknowledgement, error) {
	for try := 1; ; try++ {
		ack, err := post[Acknowledgement](ctx, c, "/v1/begins", begin.Bytes())
		wait := max(retryAfter(err), breath)
		if !lost(err) || try == begins || !c.Now().Add(wait).Before(before) || pause(ctx, wait) != nil {
			return ack, err
		}
	}
}

// lost says whether an error leaves open what the server did, or did not let the call in: the same bytes may be sent again.
func lost(err error) bool {
	if err == nil {
		return false
	}
	switch ReasonOf(err) {
	case "", "indeterminate", "rate-limited":
		return true
	}
	return false
}

// retryAfter is how long a server asks to wait, zero where it does not.
func retryAfter(err error) time.Duration {
	var answered *Error
	if errors.As(err, &answered) {
		return answered.RetryAfter
	}
	return 0
}

// breath is the least time between two calls that say the same.
const breath = time.Second

// pause waits, or ends with the context.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Outcome is what became of an action.
type Outcome struct {
	Outcome string      // spec.OutcomeExecuted, OutcomeFailed, OutcomeNotEntered or OutcomeReversed
	Amount  *rule.Money // what was executed or reversed; nil means the action's amount
	Final   bool        // nothing more will be executed: the rest of the hold is given back
	// ExternalRef names the execution in the executor's world: e2e:…, uetr:…, tx:….
	ExternalRef string
}

// Report signs and hands over what became of an action. Report what was executed in any case, also above or after the hold:
// nothing else keeps the account true.
func (c *Client) Report(ctx context.Context, x Executor, decision spec.Document, o Outcome) (Acknowledgement, error) {
	d, ok := decision.Body.(*spec.Decision)
	if !ok || x.Key == nil {
		return Acknowledgement{}, errors.New("writ: Report needs a decision and the executor's key")
	}
	action, err := spec.ParseAction(d.Action)
	if err != nil {
		return Acknowledgement{}, err
	}
	now := c.Now()
	r, err := sign(&spec.Report{Type: "Report", Version: spec.Version, Mode: d.Mode, Decision: decision.Digest,
		Action: spec.ActionDigest(d.Action), PayloadDigest: action.PayloadDigest(), Outcome: o.Outcome, Amount: o.Amount, Final: o.Final,
		ExternalRef: o.ExternalRef, At: spec.At(now)}, x.Key, x.proof(d, now))
	if err != nil {
		return Acknowledgement{}, err
	}
	return post[Acknowledgement](ctx, c, "/v1/reports", r.Bytes())
}

// Receipt reads the signed receipt of an authorised action, by the decision's id (dec_…, rcp_…, urn:uuid:…) or digest.
func (c *Client) Receipt(ctx context.Context, id string) (Receipt, error) {
	return get[Receipt](ctx, c, "/v1/receipts/"+url.PathEscape(id), nil)
}

// ExportReceipt is Receipt's credential with a proof of an RDF suite beside its own, as ExportMandate.
func (c *Client) ExportReceipt(ctx context.Context, id string) (vc.Value, error) {
	r, err := get[Receipt](ctx, c, "/v1/receipts/"+url.PathEscape(id), withRDFC)
	return r.Receipt, err
}

// Bundle exports a final decision with everything that shows it, for verifier.CheckBundle.
func (c *Client) Bundle(ctx context.Context, id string) ([]byte, error) {
	return c.call(ctx, http.MethodGet, "/v1/receipts/"+url.PathEscape(id)+"/bundle", nil, nil)
}

// ReplayedBundle is Bundle under a checkpoint that the quorum of mirrors has replayed, for readers whose trust file names mirrors. It
// waits for the mirrors, at most 45 seconds; reason: not-replayed.
func (c *Client) ReplayedBundle(ctx context.Context, id string, wait time.Duration) ([]byte, error) {
	return c.call(ctx, http.MethodGet, "/v1/receipts/"+url.PathEscape(id)+"/bundle", url.Values{"replayed": {min(wait, longPoll).String()}}, nil)
}

// WitnessedBundle is Bundle under a checkpoint that the quorum of witnesses cosigned, for readers whose trust file names witnesses. It
// waits for the quorum, at most 45 seconds; reason: not-witnessed.
func (c *Client) WitnessedBundle(ctx context.Context, id string, wait time.Duration) ([]byte, error) {
	return c.call(ctx, http.MethodGet, "/v1/receipts/"+url.PathEscape(id)+"/bundle", url.Values{"witnessed": {min(wait, longPoll).String()}}, nil)
}

// PayloadDigest is the digest of the bytes to execute, as an action's payload names it: a base64url multihash of SHA-256.
func PayloadDigest(payload []byte) string {
	sum := sha256.Sum256(payload)
	return "u" + base64.RawURLEncoding.EncodeToString(append([]byte{0x12, 0x20}, sum[:]...))
}

// nonce draws 128 bits.
func (c *Client) nonce() (string, error) {
	var drawn [16]byte
	if _, err := io.ReadFull(c.Random, drawn[:]); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(drawn[:]), nil
}
