package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/writ-trust/writ"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/vc"
)

// TestTemplates: a template is kept for its organisation, mandates name it, and its form is asked of every action.
func TestTemplates(t *testing.T) {
	s := start(t)
	s.found()
	template := writtest.Template()
	ref, err := s.client(acme).AddTemplate(t.Context(), template.Value)
	s.must(err)
	if again, err := s.client(acme).AddTemplate(t.Context(), template.Value); err != nil || again != ref || ref.Digest != template.Digest {
		t.Errorf("added again: %+v %v", again, err)
	}
	if d, err := s.client(acme).Template(t.Context(), ref.Digest); err != nil || d.Digest != ref.Digest {
		t.Errorf("read: %v", err)
	}
	if _, err := s.client(foreign).Template(t.Context(), ref.Digest); writ.ReasonOf(err) != "not-found" {
		t.Errorf("read by another organisation: %v", err)
	}
	mandate := s.grant(writtest.InForm(template))
	if _, err := s.client(acme).Template(t.Context(), mandate.Digest); writ.ReasonOf(err) != "not-found" {
		t.Errorf("a mandate read as a template: %v", err)
	}
	with := func(parameters string) vc.Value {
		return s.pay("42.00", func(a *spec.Action) { a.Parameters = writtest.JSON(parameters) })
	}
	if a := s.verify(s.ask("invoice-1", with(`{"memo":"invoice 7"}`), mandate)); a.Result != spec.Authorized {
		t.Errorf("in the form: %s", a.Result)
	}
	a := s.verify(s.ask("invoice-2", with(`{"memo":7}`), mandate))
	if a.Result != spec.Rejected || !strings.Contains(string(a.Decision.Canonical()), "template-kind") {
		t.Errorf("in another form: %s", a.Decision.Canonical())
	}
	s.holds(a, spec.Rejected)
	unknown := s.Mandate(writtest.InForm(writtest.Template(func(a *spec.ActionTemplate) { a.Amount = "" })))
	if _, err := s.client(acme).Draft(t.Context(), unknown.Value); writ.ReasonOf(err) != "template-unknown" {
		t.Errorf("drafted under a template that is not here: %v", err)
	}
	if status, body, _ := s.raw(http.MethodPost, "/v1/templates", s.key(acme, "issue"), `{"type":"ActionTemplate"}`); status != http.StatusUnprocessableEntity {
		t.Errorf("%d %s", status, body)
	}
}

// TestPresentedCredentials: what the mandate asks for is presented by the agent, or by the server for a hosted one.
func TestPresentedCredentials(t *testing.T) {
	s := start(t)
	s.found()
	mandate := s.grant(func(m *spec.Mandate) { m.Terms().Constraints = append(m.Terms().Constraints, s.SupplierLimit("")) })
	without := s.verify(s.ask("invoice-1", s.pay("42.00"), mandate))
	if without.Result != spec.Rejected {
		t.Errorf("without: %s", without.Result)
	}
	request := s.ask("invoice-2", s.pay("42.00"), mandate)
	request.Credentials = []vc.Value{s.Supplier(writtest.Payee, -1)}
	a := s.verify(request)
	if a.Result != spec.Authorized {
		t.Errorf("with: %s", a.Decision.Canonical())
	}
	s.holds(a, spec.Authorized)
	request = s.ask("invoice-3", s.pay("42.00"), mandate)
	request.Credentials = []vc.Value{s.IssueAs("mallory", s.Supplier(writtest.Payee, -1))}
	if _, err := s.client(acme).Verify(t.Context(), request); writ.ReasonOf(err) != "proof-signature" {
		t.Errorf("signed by another: %v", err)
	}
	request.Credentials = []vc.Value{s.Supplier(writtest.Payee, -1).Without("issuer")}
	if _, err := s.client(acme).Verify(t.Context(), request); writ.ReasonOf(err) != "vc-issuer" {
		t.Errorf("by nobody: %v", err)
	}
	k, err := s.client(acme).CreateKey(t.Context(), "curl", true, "verify", "read")
	s.must(err)
	mandate = s.grant(func(m *spec.Mandate) {
		m.Subject.ID = k.Agent
		m.Terms().Constraints = append(m.Terms().Constraints, s.SupplierLimit(""))
	})
	a, err = s.clientWith(k.Key).VerifyHosted(t.Context(), writ.HostedRequest{Mandates: []string{spec.ContentDigest(mandate.Value)},
		Credentials: []vc.Value{s.Supplier(writtest.Payee, -1)}, Action: s.pay("42.00").Without("nonce"), IdempotencyKey: "curl-0001", Executor: writtest.Bank})
	s.must(err)
	if a.Result != spec.Authorized {
		t.Errorf("hosted: %s", a.Decision.Canonical())
	}
}
