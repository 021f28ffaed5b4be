package api_test

import (
	"testing"

	"github.com/writ-trust/writ"
	"github.com/writ-trust/writ/spec"
)

// TestReconcile: two people take back a charge that the bank began and never reported; a stranger's organisation cannot.
func TestReconcile(t *testing.T) {
	s := start(t)
	c, ctx := s.client(acme), t.Context()
	s.found()
	mandate := s.grant()
	request := s.ask("invoice-1", s.pay("4200.00"), mandate)
	a := s.verify(request)
	decision, d := document(t, a)
	_, err := c.Guard(ctx, s.bank(), writ.Order{Decision: decision, Action: request.Action, Payload: payload})
	s.must(err)

	content, err := c.ContentOfReconciliation(ctx, a.ID)
	s.must(err)
	word, err := c.SignApproval(s.approver("cfo"), spec.Approve, content)
	s.must(err)
	if status, body, _ := s.raw("POST", "/v1/decisions/"+a.ID+"/approvals", s.keys[foreign], string(word.Bytes())); status != 404 {
		t.Errorf("another organisation: %d %s", status, body)
	}
	if _, err := c.Approve(ctx, s.approver("intern"), spec.Approve, content); writ.ReasonOf(err) != "approver-not-named" {
		t.Errorf("the intern: %v", err)
	}
	for _, row := range []struct{ person, outcome string }{{"cfo", spec.OutcomeUnknown}, {"treasurer", spec.OutcomeNotEntered}} {
		_, err = c.Approve(ctx, s.approver(row.person), spec.Approve, content)
		s.must(err)
		r, err := c.Receipt(ctx, a.ID)
		s.must(err)
		if r.Outcome != row.outcome {
			t.Errorf("after the %s the receipt says %s", row.person, r.Outcome)
		}
		s.holds(a, row.outcome)
	}
	m, err := c.Mandate(ctx, d.Leaf())
	s.must(err)
	if len(m.Holds) != 0 || m.Windows[0].Used != "0.00" {
		t.Errorf("account: %+v %+v", m.Windows, m.Holds)
	}
	if _, err := c.Approve(ctx, s.approver("cfo"), spec.Approve, content); writ.ReasonOf(err) != "not-a-charge" {
		t.Errorf("once more: %v", err)
	}
}
