package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/writ-trust/writ"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// TestStory is the main job through HTTP, as strangers would do it: roster, mandate, verify, begin, report, receipt, bundle.
func TestStory(t *testing.T) {
	s := start(t)
	c, ctx := s.client(acme), t.Context()
	s.found()
	mandate := s.grant()

	if _, err := c.Draft(ctx, s.tick().Mandate(func(m *spec.Mandate) {
		m.Terms().Grantor.Approvers, m.Terms().Grantor.Threshold = []string{"intern"}, 1
	}).Value); writ.ReasonOf(err) != "power-missing" {
		t.Errorf("a mandate that the intern approves: %v", err)
	}

	request := s.ask("invoice-1", s.pay("4200.00"), mandate)
	a := s.verify(request)
	if a.Result != spec.Authorized || a.Recovery != nil || !a.Receipt.IsZero() || !strings.HasPrefix(a.ID, "dec_") {
		t.Fatalf("4200.00: %s %s", a.Result, a.Decision.Canonical())
	}
	decision, _ := document(t, a)
	leave, err := c.Guard(ctx, s.bank(), writ.Order{Decision: decision, Action: request.Action, Payload: payload})
	s.must(err)
	if !leave.Before.After(s.now()) || leave.Record.Index <= a.Record.Index {
		t.Errorf("leave: %+v", leave)
	}
	if _, err := c.Guard(ctx, s.bank(), writ.Order{Decision: decision, Action: request.Action, Payload: payload}); writ.ReasonOf(err) != "hold-entered" {
		t.Errorf("a second leave: %v", err)
	}
	_, err = c.Report(ctx, s.bank(), decision, writ.Outcome{Outcome: spec.OutcomeExecuted, Final: true, ExternalRef: "e2e:1"})
	s.must(err)

	for _, id := range []string{a.ID, a.Digest, strings.Replace(a.ID, "dec_", "rcp_", 1), decision.Body.(*spec.Decision).ID} {
		r, err := c.Receipt(ctx, id)
		s.must(err)
		again, err := c.Receipt(ctx, id)
		s.must(err)
		if r.Outcome != spec.OutcomeExecuted || !r.Receipt.Equal(again.Receipt) || !strings.HasPrefix(r.ID, "rcp_") {
			t.Errorf("receipt by %s: %+v", id, r)
		}
	}
	s.holds(a, "executed")

	other := s.verify(s.ask("invoice-2", s.pay("50.00", func(a *spec.Action) { a.Counterparty.ID = "lei:OTHER" }), mandate))
	if other.Result != spec.Rejected {
		t.Errorf("another payee: %s", other.Result)
	}
	s.holds(other, spec.Rejected)

	m, err := c.Mandate(ctx, decided(t, a).Leaf())
	s.must(err)
	if m.Status != "active" || len(m.Windows) != 1 || m.Windows[0].Used != "4200.00" || m.Windows[0].Committed != "4200.00" || len(m.Holds) != 0 {
		t.Errorf("account: %+v %+v", m.Windows, m.Holds)
	}
}

// TestReplay: the same request, in whatever envelope, has the same answer; anything changed under its key is refused.
func TestReplay(t *testing.T) {
	s := start(t)
	c, ctx := s.client(acme), t.Context()
	s.found()
	mandate := s.grant()
	request := s.ask("invoice-1", s.pay("4200.00"), mandate)
	presentation, err := c.Present(request)
	s.must(err)
	first, err := c.VerifyPresentation(ctx, presentation, spec.Document{}, 0)
	s.must(err)
	size := s.log.Size()
	again, err := c.VerifyPresentation(ctx, presentation, spec.Document{}, 0)
	s.must(err)
	anew := s.verify(request)
	if !again.Decision.Equal(first.Decision) || !anew.Decision.Equal(first.Decision) || s.log.Size() != size {
		t.Errorf("replayed: %s and %s, %d entries more", again.ID, anew.ID, s.log.Size()-size)
	}
	request.Action = s.pay("4200.01")
	if _, err := c.Verify(ctx, request); writ.ReasonOf(err) != "key-reused" {
		t.Errorf("another action under the key: %v", err)
	}
	changed := strings.Replace(string(presentation.Bytes()), "4200.00", "4200.01", 1)
	status, body, _ := s.raw("POST", "/v1/verify", s.keys[acme], `{"presentation":`+changed+`}`)
	if status != 403 || !strings.Contains(body, `"code":"not-entitled"`) || strings.Contains(body, "pointer") {
		t.Errorf("one byte changed: %d %s", status, body)
	}
	for name, request := range map[string]writ.Request{
		"another's account":  s.ask("invoice-3", s.pay("1.00", func(a *spec.Action) { a.Resource = "iban:PT99" }), mandate),
		"an unknown mandate": s.ask("invoice-4", s.pay("1.00"), s.tick().Seal(s.Mandate())),
	} {
		if _, err := c.Verify(ctx, request); writ.ReasonOf(err) != "not-entitled" {
			t.Errorf("%s: %v", name, err)
		}
	}
	chosen := s.ask("invoice-5", s.pay("1.00"), mandate)
	chosen.Executor = "did:web:chosen.example"
	if _, err := c.Verify(ctx, chosen); writ.ReasonOf(err) != "not-entitled" {
		t.Errorf("an executor of the agent's own choosing: %v", err)
	}
	if s.log.Size() != size {
		t.Errorf("refusals left %d entries", s.log.Size()-size)
	}
}

// TestRecovery: people lift a limit while the caller waits, and the request is decided anew by itself.
func TestRecovery(t *testing.T) {
	s := start(t)
	c, ctx := s.client(acme), t.Context()
	s.found()
	mandate := s.grant()
	request := s.ask("invoice-1", s.pay("12000.00"), mandate)
	interim := s.verify(request)
	if interim.Result != spec.CollectMissing || interim.Recovery == nil || len(interim.Recovery.Proposals) != 1 {
		t.Fatalf("12000.00: %s", interim.Decision.Canonical())
	}
	p := interim.Recovery.Proposals[0]
	if p.Status != spec.ProposalOpen || p.Threshold != 1 || len(p.Sentences["pt"]) == 0 || !strings.HasPrefix(interim.Recovery.ID, "rcv_") {
		t.Errorf("proposal: %+v", p)
	}
	waited := make(chan writ.Answer, 2)
	go func() {
		request.Wait = 20 * time.Second
		a, err := c.Verify(ctx, request)
		if err != nil {
			t.Error(err)
		}
		waited <- a
	}()
	go func() {
		a, err := c.Await(ctx, interim)
		if err != nil {
			t.Error(err)
		}
		waited <- a
	}()
	content, err := c.ContentOfProposal(ctx, *interim.Recovery, p)
	s.must(err)
	if _, err := c.Approve(ctx, s.approver("intern"), spec.Approve, content); writ.ReasonOf(err) != "approver-not-named" {
		t.Errorf("the intern lifts: %v", err)
	}
	ack, err := c.Approve(ctx, s.approver("cfo"), spec.Approve, content)
	s.must(err)
	if ack.Issued.IsZero() || ack.Content != p.Content {
		t.Errorf("acknowledged: %+v", ack)
	}
	for range 2 {
		if a := <-waited; a.Result != spec.Authorized || decided(t, a).Resumes != interim.Digest {
			t.Errorf("waited: %s", a.Result)
		}
	}
	r, err := c.Recovery(ctx, interim.Recovery.ID, 0)
	s.must(err)
	if r.Status != "ended" || r.Answer == nil || r.Answer.Result != spec.Authorized || r.Proposals[0].Status != spec.ProposalSpent {
		t.Errorf("recovery: %+v", r)
	}
	decision, _ := document(t, *r.Answer)
	_, err = c.Guard(ctx, s.bank(), writ.Order{Decision: decision, Action: request.Action, Payload: payload})
	s.must(err)
	_, err = c.Report(ctx, s.bank(), decision, writ.Outcome{Outcome: spec.OutcomeExecuted, Final: true})
	s.must(err)
	s.holds(*r.Answer, "executed")
}

// TestRecoveryEnds: a decline ends a recovery at once (its time: TestRecoveryEndsInItsTime).
func TestRecoveryEnds(t *testing.T) {
	s := start(t)
	c, ctx := s.client(acme), t.Context()
	s.found()
	mandate := s.grant()
	declined := s.verify(s.ask("declined-1", s.pay("12000.00"), mandate))
	content, err := c.ContentOfProposal(ctx, *declined.Recovery, declined.Recovery.Proposals[0])
	s.must(err)
	_, err = c.Approve(ctx, s.approver("cfo"), spec.Decline, content)
	s.must(err)
	if a, err := c.Await(ctx, declined); err != nil || a.Result != spec.Rejected || decided(t, a).Closed != "declined" {
		t.Errorf("declined: %v %v", a.Result, err)
	}
}

// TestRecoverAfterRestart: what waits when the server stops is taken up when it starts, also where its last supplement is in.
func TestRecoverAfterRestart(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, s *server) {
		s.found()
		impatient := s.ask("expired-1", s.pay("12000.00"), s.grant())
		impatient.WaitUntil = s.now().Add(time.Hour)
		interim := s.verify(impatient)
		s.stop()
		time.Sleep(2 * time.Hour)
		s.boot()
		a, err := s.client(acme).Await(t.Context(), interim)
		if err != nil || a.Result != spec.Rejected {
			t.Errorf("after the restart: %s %v", a.Result, err)
		}
	})
}

// TestRevoked: nothing is authorised behind an acknowledged notice; a suspended mandate acts again when its approvers say so.
func TestRevoked(t *testing.T) {
	s := start(t)
	c, ctx := s.client(acme), t.Context()
	s.found()
	mandate := s.grant()
	content := spec.ContentDigest(mandate.Value)
	for i, step := range []struct{ act, want string }{{spec.ActSuspend, "mandate-suspended"}, {spec.ActRevoke, "mandate-revoked"}} {
		_, err := c.Notice(ctx, s.approver("treasurer"), step.act, content, "")
		s.must(err)
		a := s.verify(s.ask("after-act-"+step.act, s.pay("1.00"), mandate))
		if checks := decided(t, a).Checks; a.Result != spec.Rejected || checks[len(checks)-1].Reason != step.want {
			t.Errorf("%s: %s %v", step.act, a.Result, checks)
		}
		if i > 0 {
			break
		}
		again, err := c.ContentOfResume(ctx, content)
		s.must(err)
		for _, person := range []string{"treasurer", "cfo"} {
			_, err := c.Approve(ctx, s.approver(person), spec.Approve, again)
			s.must(err)
		}
		if a := s.verify(s.ask("resumed-one", s.pay("1.00"), mandate)); a.Result != spec.Authorized {
			t.Errorf("resumed: %s", a.Result)
		}
	}
	if _, err := c.Notice(ctx, s.approver("intern"), spec.ActRevoke, content, ""); writ.ReasonOf(err) != "revoker-unknown" {
		t.Errorf("the intern revokes: %v", err)
	}
}

// TestHosted: a caller with an API key alone asks for its hosted agent, by id; sent again, it is the same request.
func TestHosted(t *testing.T) {
	s := start(t)
	c, ctx := s.client(acme), t.Context()
	s.found()
	k, err := c.CreateKey(ctx, "curl", true, "verify", "read")
	s.must(err)
	mandate := s.grant(func(m *spec.Mandate) { m.Subject.ID = k.Agent })
	hosted := s.clientWith(k.Key)
	listed, _, err := hosted.Mandates(ctx, "")
	s.must(err)
	action := s.pay("70.00")
	for _, name := range []string{listed[0].ID, listed[0].ShortID, listed[0].Content} {
		a, err := hosted.VerifyHosted(ctx, writ.HostedRequest{Mandates: []string{name}, Action: action.Without("nonce"), IdempotencyKey: "curl-0001",
			Executor: writtest.Bank})
		s.must(err)
		if d := decided(t, a); a.Result != spec.Authorized || d.Identity != spec.IdentityHosted || d.Leaf() != spec.ContentDigest(mandate.Value) {
			t.Errorf("hosted by %s: %s", name, a.Result)
		}
	}
	body := `{"mandates":["` + listed[0].ShortID + `"],"action":` + string(action.Canonical()) + `,"request":{"executor":"` + writtest.Bank + `"}}`
	if status, answer, _ := s.raw("POST", "/v1/verify", k.Key, body, "Idempotency-Key", "curl-0002"); status != 200 || !strings.Contains(answer, `"result":"AUTHORIZED"`) {
		t.Errorf("key in the header: %d %s", status, answer)
	}
	if status, answer, _ := s.raw("POST", "/v1/verify", s.keys[acme], body, "Idempotency-Key", "curl-0003"); status != 403 || !strings.Contains(answer, "hosted-agent-absent") {
		t.Errorf("a key without an agent: %d %s", status, answer)
	}
	m, err := c.Mandate(ctx, listed[0].ID)
	s.must(err)
	if len(m.Holds) != 2 || m.Windows[0].Held != "140.00" {
		t.Errorf("holds: %+v %+v", m.Holds, m.Windows)
	}
}

// TestDelegation: an agent delegates below its own mandate, and both accounts are charged.
func TestDelegation(t *testing.T) {
	s := start(t)
	c, ctx := s.client(acme), t.Context()
	s.found()
	parent := s.grant()
	child := s.tick().Child(parent)
	ack, err := c.Delegate(ctx, child)
	s.must(err)
	sub, err := writ.New(writ.Options{URL: s.url, APIKey: s.keys[acme], Agent: s.Key("subagent"), Now: s.now, Random: c.Random, HTTPClient: c.HTTPClient})
	s.must(err)
	doc, err := spec.FromValue(ack.Document)
	s.must(err)
	for euros, want := range map[string]string{"1500.00": spec.Authorized, "2000.01": spec.Rejected} {
		a, err := sub.Verify(ctx, s.ask("child-"+euros, s.pay(euros), parent, doc))
		s.must(err)
		if a.Result != want {
			t.Errorf("%s: %s", euros, a.Result)
		}
	}
}

// TestDraft shows how far a draft has got, and its end.
func TestDraft(t *testing.T) {
	s := start(t)
	c, ctx := s.client(acme), t.Context()
	s.found()
	bare := s.tick().Mandate().Value.Without("@context", "type", "id", "issuer")
	d, err := c.Draft(ctx, bare)
	s.must(err)
	if !strings.HasPrefix(d.ShortID, "mnd_") || d.Status != "draft" || d.Threshold != 2 || len(d.Sentences["en"]) == 0 || len(d.Approvals) != 0 {
		t.Errorf("draft: %+v", d)
	}
	content, err := writ.ContentOf(d)
	s.must(err)
	first, err := c.SignApproval(s.approver("treasurer"), spec.Approve, content)
	s.must(err)
	status, one, _ := s.raw("POST", "/v1/approvals", s.keys[acme], string(first.Bytes()))
	if status != 200 || strings.Contains(one, `"issued"`) {
		t.Fatalf("one approval: %d %s", status, one)
	}
	for _, id := range []string{d.ID, d.ShortID, d.Content} {
		if d, err = c.GetDraft(ctx, id); err != nil || len(d.Approvals) != 1 || d.Approvals[0].Approver != s.KeyID("treasurer") {
			t.Errorf("by %s: %+v %v", id, d, err)
		}
	}
	second, err := c.SignApproval(s.approver("cfo"), spec.Approve, content)
	s.must(err)
	for range 2 { // a second time it is known, and answered alike
		if status, answer, _ := s.raw("POST", "/v1/approvals", s.keys[acme], string(second.Bytes())); status != 200 || !strings.Contains(answer, `"issued"`) {
			t.Errorf("the second approval: %d %s", status, answer)
		}
	}
	if d, err = c.GetDraft(ctx, d.ID); err != nil || d.Status != "issued" || len(d.Approvals) != 2 {
		t.Errorf("issued: %+v %v", d, err)
	}
	ended, err := c.Draft(ctx, s.tick().Mandate().Value)
	s.must(err)
	content, err = writ.ContentOf(ended)
	s.must(err)
	_, err = c.Approve(ctx, s.approver("cfo"), spec.Decline, content)
	s.must(err)
	if ended, err = c.GetDraft(ctx, ended.ID); err != nil || ended.Status != "declined" {
		t.Errorf("declined: %+v %v", ended, err)
	}
	if _, err = c.Approve(ctx, s.approver("treasurer"), spec.Approve, content); writ.ReasonOf(err) != "draft-closed" {
		t.Errorf("behind a decline: %v", err)
	}
}

// holds verifies a decision's bundle with the trust file alone.
func (s *server) holds(a writ.Answer, expect string) {
	s.t.Helper()
	data, err := s.client(acme).Bundle(s.t.Context(), a.Digest)
	s.must(err)
	if c := verifier.CheckBundle(data, s.believed(), verifier.CheckOptions{Expect: expect}); !c.Holds {
		s.t.Errorf("the bundle fails: %+v", c.Verdicts)
	}
}
