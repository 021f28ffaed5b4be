package api_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/writ-trust/writ"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
)

// TestPolicyRace: many ask at once under two mandates, and together they never get more than the policy lets them share. Then one
// revoker narrows it, and it counts at once.
func TestPolicyRace(t *testing.T) {
	s := start(t)
	s.found()
	policy := s.enrol(s.tick().Policy(writtest.Limit(writtest.Budget("together", "1000.00", "P1D"))))
	content := spec.ContentDigest(policy.Value)
	mandates := []spec.Document{s.grant(writtest.Under(policy)), s.grant(writtest.Under(policy))}
	quiet := s.grant(writtest.Under(policy))

	const calls = 48
	answers := make([]writ.Answer, calls)
	asked := make([]writ.Request, calls)
	for i := range asked {
		asked[i] = s.ask(fmt.Sprintf("request-%03d", i), s.pay("100.00"), mandates[i%2])
	}
	c := s.client(acme)
	var running sync.WaitGroup
	for i := range asked {
		running.Go(func() {
			var err error
			if answers[i], err = c.Verify(t.Context(), asked[i]); err != nil && writ.ReasonOf(err) != "refusals-many" {
				t.Errorf("call %d: %v", i, err)
			}
		})
	}
	running.Wait()
	var granted []writ.Answer
	for _, a := range answers {
		if a.Digest == "" {
			continue // refused without an entry
		}
		switch d := decided(t, a); {
		case d.Result == spec.Authorized:
			granted = append(granted, a)
		case d.Checks[len(d.Checks)-1].Check != "policy" || d.Checks[len(d.Checks)-1].Reason != "budget-exceeded":
			t.Errorf("%s by %+v", d.Result, d.Checks)
		}
	}
	if len(granted) != 10 {
		t.Fatalf("%d of 100.00 each were authorised of 1000.00 together", len(granted))
	}
	s.settle(granted[0])
	s.holds(granted[0], "executed")

	got, err := c.Policy(t.Context(), content)
	s.must(err)
	if len(got.Windows) != 1 || got.Windows[0].Used != "1000.00" || got.Windows[0].Committed != "100.00" || got.First != content || len(got.Sentences["pt"]) == 0 {
		t.Errorf("the policy shows %+v", got)
	}
	next, err := c.Draft(t.Context(), s.tick().NextPolicy(policy, writtest.Limit(writtest.Budget("together", "800.00", "P1D")),
		func(p *spec.Policy) { p.Terms().Scope.Actions = []string{"payments.*", "orders.*"} }).Value)
	s.must(err)
	if next.Kind != spec.KindPolicy || next.Threshold != 1 || len(next.Approvers) != 2 {
		t.Errorf("a narrowing asks %d of %v", next.Threshold, next.Approvers)
	}
	what, err := writ.ContentOf(next)
	s.must(err)
	ack, err := c.Approve(t.Context(), s.approver("cfo"), spec.Approve, what)
	s.must(err)
	if ack.Content == "" {
		t.Fatal("one revoker narrowed nothing")
	}
	if got, err = c.Policy(t.Context(), ack.Content); err != nil || got.First != content || len(got.Versions) != 2 || got.Windows[0].Used != "1000.00" || got.Windows[0].Max != "800.00" {
		t.Errorf("by its second version: %+v, %v", got, err)
	}
	if d, err := c.GetDraft(t.Context(), ack.Content); err != nil || d.Status != "issued" {
		t.Errorf("the draft is %s, %v", d.Status, err)
	}
	if d := decided(t, s.verify(s.ask("request-end", s.pay("1.00"), quiet))); d.Result != spec.Rejected || d.Inputs.Policies[0] != ack.Content {
		t.Errorf("%s under %v", d.Result, d.Inputs.Policies)
	}
	for _, path := range []string{"/v1/policies/nothing", "/v1/policies/" + mandates[0].Digest} {
		if status, _, _ := s.raw(http.MethodGet, path, s.keys[acme], ""); status != http.StatusNotFound {
			t.Errorf("%s: %d", path, status)
		}
	}
	if status, _, _ := s.raw(http.MethodGet, "/v1/policies/"+content, s.keys[foreign], ""); status != http.StatusNotFound {
		t.Errorf("another organisation read it: %d", status)
	}
}

// settle begins and reports an authorised action in full.
func (s *server) settle(a writ.Answer) {
	s.t.Helper()
	decision, _ := document(s.t, a)
	s.tick()
	send := func(path string, doc spec.Document) {
		if status, answer, _ := s.raw(http.MethodPost, path, s.keys[acme], string(doc.Bytes())); status != http.StatusOK {
			s.t.Fatalf("%s: %d %s", path, status, answer)
		}
	}
	send("/v1/begins", s.Begin(decision, s.Now))
	send("/v1/reports", s.Report(decision, spec.OutcomeExecuted, "", true, s.Now))
}
