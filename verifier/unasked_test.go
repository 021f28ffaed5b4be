package verifier_test

import (
	"testing"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// elsewhere is a scope that the test's action is not in.
func elsewhere(p *spec.Policy) { p.Terms().Scope.Actions = []string{"reports.*"} }

// TestNoUnaskedCredentialUnderPolicies: that a mandate names a policy asks for nothing by itself. What neither asks for is refused as it is
// under a plain mandate, and leaves nothing.
func TestNoUnaskedCredentialUnderPolicies(t *testing.T) {
	s := newStory(t, "unasked")
	asks := writtest.Limit(s.SupplierLimit(""))
	for name, row := range map[string]struct {
		policy []func(*spec.Policy)
		want   string
	}{
		"asks":                 {[]func(*spec.Policy){asks}, ""},
		"asks for nothing":     {nil, "credential-unasked"},
		"asks about elsewhere": {[]func(*spec.Policy){asks, elsewhere}, "credential-unasked"},
	} {
		policy := s.enrol(s.Policy(row.policy...))
		mandate := s.enrol(s.Mandate(loose, writtest.Under(policy)))
		before := len(s.ledger.Records())
		_, doc, err := s.askWith("request-"+name, mandate, s.Supplier(writtest.Payee, -1))
		if reason(err) != row.want {
			t.Errorf("%s: %v, want %q", name, err, row.want)
		}
		if err != nil {
			if n := len(s.ledger.Records()); n != before {
				t.Errorf("%s: %d records of what was refused", name, n-before)
			}
			continue
		}
		if c := verifier.CheckBundle(s.export(doc), s.trust, verifier.CheckOptions{}); !c.Holds {
			t.Errorf("%s: %+v", name, c.Verdicts)
		}
	}
}

// TestNoPolicyTakesAnswersBack: a version that no longer asks for the credential changes no answer that was given.
func TestNoPolicyTakesAnswersBack(t *testing.T) {
	s := newStory(t, "asked once")
	policy := s.enrol(s.Policy(writtest.Limit(s.SupplierLimit(""))))
	mandate := s.enrol(s.Mandate(loose, writtest.Under(policy)))
	credential := s.Supplier(writtest.Payee, -1)
	request := verifier.Request{Org: org, Presentation: s.PresentWith([]spec.Document{mandate}, []jcs.Value{credential}, s.Action("42.00"), s.Request("request-1"), s.Now).Bytes()}
	first, err := s.verifier.Verify(t.Context(), request)
	s.must(err)
	s.enrol(s.NextPolicy(policy, func(p *spec.Policy) { p.Terms().Constraints = p.Terms().Constraints[:1] }))
	if _, _, err := s.askWith("request-2", mandate, credential); reason(err) != "credential-unasked" {
		t.Errorf("a new request with what is not asked for any more: %v", err)
	}
	again, err := s.verifier.Verify(t.Context(), request)
	if err != nil || again.Last().Document.Digest != first.Last().Document.Digest {
		t.Errorf("the same request gets another answer: %v", err)
	}
}
