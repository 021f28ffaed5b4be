package writtest

import (
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
)

// Template is the form of an invoice's payment: a memo of at most 20 characters, and perhaps an urgency.
func Template(changes ...func(*spec.ActionTemplate)) spec.Document {
	t := &spec.ActionTemplate{Type: "ActionTemplate", Version: spec.Version, Action: "payments.transfer",
		Title: spec.Title{En: "Pay an invoice", Pt: "Pagar uma fatura"}, Amount: "required", Counterparty: "required",
		Payload: &spec.TemplatePayload{Mapping: "pain.001/1"},
		Members: []spec.TemplateMember{
			{Pointer: "/parameters/memo", Kind: spec.KindString, Required: true, MaxLength: 20, Label: &spec.Title{En: "Memo", Pt: "Descritivo"}},
			{Pointer: "/parameters/urgency", Kind: spec.KindInteger, Values: []jcs.Value{Value(int64(1)), Value(int64(2))}},
		}}
	for _, change := range changes {
		change(t)
	}
	return document(t)
}

// InForm has a mandate name a template, and leaves the template's members free.
func InForm(template spec.Document) func(*spec.Mandate) {
	return func(m *spec.Mandate) {
		t := template.Body.(*spec.ActionTemplate)
		terms := m.Terms()
		terms.Templates, terms.Free = append(terms.Templates, t.Ref(template.Digest)), nil
		for _, member := range t.Members {
			terms.Free = append(terms.Free, member.Pointer)
		}
	}
}
