package api_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/writ-trust/writ"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
)

// liar is a server in between that changes what bundles say.
type liar struct{ change func(string) string }

func (l liar) RoundTrip(r *http.Request) (*http.Response, error) {
	a, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || !strings.HasSuffix(r.URL.Path, "/bundle") {
		return a, err
	}
	data, err := io.ReadAll(a.Body)
	a.Body.Close()
	a.Body = io.NopCloser(bytes.NewReader([]byte(l.change(string(data)))))
	return a, err
}

// TestGuard: an executor gets leave for exactly what was decided, by a ledger that its own trust file knows, once. No refusal enters
// the hold.
func TestGuard(t *testing.T) {
	s := start(t)
	c, ctx := s.client(acme), t.Context()
	s.found()
	mandate := s.grant()
	request := s.ask("invoice-1", s.pay("4200.00"), mandate)
	a := s.verify(request)
	decision, body := document(t, a)
	interim, _ := document(t, s.verify(s.ask("invoice-2", s.pay("9000.00"), mandate)))
	forged := decision
	forged.Value = s.Sign(spec.Document{Type: decision.Type, Digest: decision.Digest, Value: decision.Value.Without("proof"), Body: body}, "bank", "assertionMethod", body.At.Time).Value
	lying := s.clientWith(s.keys[acme])
	order := writ.Order{Decision: decision, Action: request.Action, Payload: payload}
	changed := func(change func(*writ.Order)) writ.Order { o := order; change(&o); return o }

	for _, row := range []struct {
		name, want string
		order      writ.Order
		bank       func(*writ.Executor)
		lie        func(string) string
	}{
		{"another action", "action-other", changed(func(o *writ.Order) { o.Action = s.pay("4300.00") }), nil, nil},
		{"other bytes", "payload-other", changed(func(o *writ.Order) { o.Payload = []byte("other") }), nil, nil},
		{"no bytes", "payload-other", changed(func(o *writ.Order) { o.Payload = nil }), nil, nil},
		{"an interim decision", "decision-not-authorized", changed(func(o *writ.Order) { o.Decision = interim }), nil, nil},
		{"no decision", "decision-not-authorized", changed(func(o *writ.Order) { o.Decision = mandate }), nil, nil},
		{"another executor", "executor-other", order, func(x *writ.Executor) { x.DID = writtest.Grantor }, nil},
		{"another trust file", "roster-not-pinned", order, func(x *writ.Executor) { x.Trust = s.trustFile(s.tick().Roster()) }, nil},
		{"a signature of somebody else", "decision-other", changed(func(o *writ.Order) { o.Decision = forged }), nil, nil},
		{"the same in the bundle", "proof-signature", changed(func(o *writ.Order) { o.Decision = forged }), nil, func(bundle string) string {
			return strings.Replace(bundle, string(decision.Bytes()), string(forged.Bytes()), 1)
		}},
		{"a decision of tomorrow", "decision-future", changed(func(o *writ.Order) {
			d := *decision.Body.(*spec.Decision)
			d.At = spec.At(s.now().Add(11 * time.Second))
			later, err := spec.New(&d)
			s.must(err)
			o.Decision = later
		}), nil, nil},
		{"a bundle that is cut", "json-syntax", order, nil, func(bundle string) string { return bundle[:100] }},
		{"a test decision wanted", "", order, func(x *writ.Executor) { x.Test = true }, nil},
	} {
		with, x := c, s.bank()
		if row.bank != nil {
			row.bank(&x)
		}
		if row.lie != nil {
			lying.HTTPClient = &http.Client{Transport: liar{row.lie}}
			with = s.through(lying)
		}
		_, err := with.Guard(ctx, x, row.order)
		if err == nil || row.want != "" && writ.ReasonOf(err) != row.want {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	bare := changed(func(o *writ.Order) { o.Action = request.Action.Without("nonce") }) // no bytes of a payment have it
	leave, err := c.Guard(ctx, s.bank(), bare)
	s.must(err)
	if leave.Begin.Body.(*spec.Begin).Decision != decision.Digest || time.Until(leave.Before.Add(-s.offset)) <= 0 {
		t.Errorf("leave: %+v", leave)
	}
}

// through makes the client anew with its options.
func (s *server) through(c *writ.Client) *writ.Client {
	s.t.Helper()
	again, err := writ.New(c.Options)
	s.must(err)
	return again
}

// TestLapsed: a hold that nobody enters gives its budget back, no leave comes of it, and a late report is recorded all the same and
// suspends the mandate.
func TestLapsed(t *testing.T) {
	inVirtualTime(t, lapsed)
}

func lapsed(t *testing.T, s *server) {
	c, ctx := s.client(acme), t.Context()
	s.found()
	mandate := s.grant()
	request := s.ask("invoice-1", s.pay("9000.00"), mandate)
	decision, _ := document(t, s.verify(request))
	time.Sleep(15 * time.Minute)
	if _, err := c.Guard(ctx, s.bank(), writ.Order{Decision: decision, Action: request.Action, Payload: payload}); writ.ReasonOf(err) != "hold-lapsed" {
		t.Errorf("after its time: %v", err)
	}
	if a := s.verify(s.ask("invoice-2", s.pay("9000.00"), mandate)); a.Result != spec.Authorized {
		t.Errorf("the budget is not back: %s", a.Result)
	}
	_, err := c.Report(ctx, s.bank(), decision, writ.Outcome{Outcome: spec.OutcomeExecuted, Final: true})
	s.must(err)
	m, err := c.Mandate(ctx, spec.ContentDigest(mandate.Value))
	s.must(err)
	if m.Status != "suspended" || m.Windows[0].Excess != "9000.00" {
		t.Errorf("after a late report: %s %+v", m.Status, m.Windows)
	}
}

// TestCommit: with the executor's word in the same call, the decision charges, and no begin may follow.
func TestCommit(t *testing.T) {
	s := start(t)
	c, ctx := s.client(acme), t.Context()
	s.found()
	mandate := s.grant()
	request := s.ask("invoice-1", s.pay("4200.00"), mandate)
	p, err := c.Present(request)
	s.must(err)
	a, err := c.VerifyPresentation(ctx, p, s.Commit(p, s.now()), 0)
	s.must(err)
	decision, d := document(t, a)
	if !d.Charged || a.Receipt.IsZero() {
		t.Fatalf("charged %v", d.Charged)
	}
	if receipt, err := spec.FromValue(a.Receipt); err != nil || receipt.Body.(*spec.Receipt).Terms().Outcome != spec.OutcomeCharged {
		t.Errorf("receipt: %v", err)
	}
	if _, err := c.Guard(ctx, s.bank(), writ.Order{Decision: decision, Action: request.Action, Payload: payload}); writ.ReasonOf(err) != "decision-not-authorized" {
		t.Errorf("leave to begin what is charged: %v", err)
	}
	_, err = c.Report(ctx, s.bank(), decision, writ.Outcome{Outcome: spec.OutcomeExecuted, Final: true})
	s.must(err)
	s.holds(a, "executed")
}
