package spec_test

import (
	"testing"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
)

func TestPresentedForm(t *testing.T) {
	w := writtest.Acme("presented")
	mandate, supplier := w.Seal(w.Mandate()).Value, w.Supplier(writtest.Payee, -1)
	typed := func(types any) jcs.Value { return writtest.Put("/type", types)(supplier) }
	presentation := w.Present([]spec.Document{w.Seal(w.Mandate())}, w.Action("1.00"), w.Request("request-1"), w.Now)
	carrying := func(all ...jcs.Value) func(*spec.Presentation) {
		return func(p *spec.Presentation) { p.Credential = all }
	}
	many := func(n int, v jcs.Value) (all []jcs.Value) {
		for range n {
			all = append(all, v)
		}
		return all
	}
	const at = "/verifiableCredential"
	refuses(t, presentation, []refusal[spec.Presentation]{
		{"sixteen", carrying(append([]jcs.Value{mandate}, many(16, supplier)...)...), "", ""},
		{"seventeen", carrying(append([]jcs.Value{mandate}, many(17, supplier)...)...), "credentials-many", at},
		{"nine mandates", carrying(append(many(9, mandate), supplier)...), "delegation-depth", at},
		{"no mandate", carrying(supplier), "type-unknown", at + "/0/type"},
		{"behind a credential", carrying(supplier, mandate), "type-unknown", at + "/0/type"},
		{"a mandate behind", carrying(mandate, supplier, mandate), "credential-form", at + "/2/type"},
		{"a mandate too", carrying(mandate, typed([]string{"VerifiableCredential", "MandateCredential", "SupplierCredential"})), "credential-form", at + "/1/type"},
		{"a mandate in small letters", carrying(mandate, typed([]string{"receiptcredential", "SupplierCredential"})), "credential-form", at + "/1/type"},
		{"one type", carrying(mandate, typed("SupplierCredential")), "", ""}, // for vc.ReadCredential to refuse
	})
}
