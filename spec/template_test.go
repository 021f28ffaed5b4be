package spec_test

import (
	"strings"
	"testing"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
)

func TestTemplateRefuses(t *testing.T) {
	with := func(m spec.TemplateMember) func(*spec.ActionTemplate) {
		return func(a *spec.ActionTemplate) { a.Members = append(a.Members, m) }
	}
	member := func(change func(*spec.TemplateMember)) func(*spec.ActionTemplate) {
		m := spec.TemplateMember{Pointer: "/parameters/x", Kind: spec.KindString}
		change(&m)
		return with(m)
	}
	value := func(v any) jcs.Value { return writtest.Value(v) }
	refuses(t, writtest.Template(), []refusal[spec.ActionTemplate]{
		{"as it is", func(*spec.ActionTemplate) {}, "", ""},
		{"without members", func(a *spec.ActionTemplate) { a.Members = nil }, "", ""},
		{"of a pattern", func(a *spec.ActionTemplate) { a.Action = "payments.*" }, "action-type", "/action"},
		{"of another version", func(a *spec.ActionTemplate) { a.Version = "2" }, "version-unknown", "/version"},
		{"optional said", func(a *spec.ActionTemplate) { a.Amount = "optional" }, "template-invalid", "/amount"},
		{"part that is none", func(a *spec.ActionTemplate) { a.Counterparty = "no" }, "template-invalid", "/counterparty"},
		{"payload without a mapping", func(a *spec.ActionTemplate) { a.Payload.Mapping = "" }, "member-empty", "/payload/mapping"},
		{"title of 80", func(a *spec.ActionTemplate) { a.Title.En = strings.Repeat("é", 80) }, "", ""},
		{"title of 81", func(a *spec.ActionTemplate) { a.Title.En = strings.Repeat("é", 81) }, "template-invalid", "/title/en"},
		{"no title", func(a *spec.ActionTemplate) { a.Title.En = "" }, "template-invalid", "/title/en"},
		{"title that turns", func(a *spec.ActionTemplate) { a.Title.Pt = "a\u202eb" }, "text-hidden", "/title/pt"},
		{"member of the action", member(func(m *spec.TemplateMember) { m.Pointer = "/amount" }), "pointer-syntax", "/members/2/pointer"},
		{"member of a member", member(func(m *spec.TemplateMember) { m.Pointer = "/parameters/a/b" }), "pointer-syntax", "/members/2/pointer"},
		{"member twice", member(func(m *spec.TemplateMember) { m.Pointer = "/parameters/memo" }), "template-invalid", "/members/2/pointer"},
		{"kind", member(func(m *spec.TemplateMember) { m.Kind = "float" }), "template-invalid", "/members/2/kind"},
		{"length of an integer", member(func(m *spec.TemplateMember) { m.Kind, m.MaxLength = spec.KindInteger, 3 }), "template-invalid", "/members/2/maxLength"},
		{"length", member(func(m *spec.TemplateMember) { m.MaxLength = 4097 }), "template-invalid", "/members/2/maxLength"},
		{"texts without end", member(func(m *spec.TemplateMember) { m.Kind = spec.KindStrings }), "template-invalid", "/members/2/maxItems"},
		{"text of three", member(func(m *spec.TemplateMember) { m.MaxItems = 3 }), "template-invalid", "/members/2/maxItems"},
		{"values of a boolean", member(func(m *spec.TemplateMember) { m.Kind, m.Values = spec.KindBoolean, []jcs.Value{value(true)} }), "template-invalid", "/members/2/values"},
		{"value of another kind", member(func(m *spec.TemplateMember) { m.Values = []jcs.Value{value(int64(1))} }), "template-invalid", "/members/2/values/0"},
		{"value twice", member(func(m *spec.TemplateMember) { m.Values = []jcs.Value{value("a"), value("a")} }), "template-invalid", "/members/2/values/1"},
		{"value too long", member(func(m *spec.TemplateMember) { m.MaxLength, m.Values = 1, []jcs.Value{value("ab")} }), "template-invalid", "/members/2/values/0"},
		{"label that turns", member(func(m *spec.TemplateMember) { m.Label = &spec.Title{En: "a\u202eb"} }), "text-hidden", "/members/2/label/en"},
		{"65 members", func(a *spec.ActionTemplate) {
			for range 65 {
				a.Members = append(a.Members, a.Members[0])
			}
		}, "template-invalid", "/members"},
	})
}

func TestMandateTemplatesRefuse(t *testing.T) {
	const at = "/credentialSubject/mandate/templates"
	refs := func(change func(*spec.MandateTerms)) func(*spec.Mandate) {
		return func(m *spec.Mandate) { change(m.Terms()) }
	}
	refuses(t, writtest.Acme("templates").Mandate(writtest.InForm(writtest.Template())), []refusal[spec.Mandate]{
		{"as it is", refs(func(*spec.MandateTerms) {}), "", ""},
		{"twice", refs(func(t *spec.MandateTerms) { t.Templates = append(t.Templates, t.Templates[0]) }), "template-repeated", at + "/1/action"},
		{"nine", refs(func(t *spec.MandateTerms) {
			for range 8 {
				t.Templates = append(t.Templates, t.Templates[0])
			}
		}), "templates-many", at},
		{"no digest", refs(func(t *spec.MandateTerms) { t.Templates[0].Digest = "uEi" }), "digest-syntax", at + "/0/digest"},
		{"of a pattern", refs(func(t *spec.MandateTerms) { t.Templates[0].Action = "payments.*" }), "action-type", at + "/0/action"},
		{"no title", refs(func(t *spec.MandateTerms) { t.Templates[0].Title.En = "" }), "template-invalid", at + "/0/title/en"},
		{"title that turns", refs(func(t *spec.MandateTerms) { t.Templates[0].Title.En = "a\u202eb" }), "text-hidden", at + "/0/title/en"},
	})
}

// TestTemplateKinds tries one value of each kind on a member of each.
func TestTemplateKinds(t *testing.T) {
	values := map[string]string{spec.KindString: `"x"`, spec.KindInteger: `7`, spec.KindBoolean: `false`, spec.KindStrings: `["x"]`,
		spec.KindMoney: `{"value":"1.00","currency":"EUR"}`, "object": `{"value":"1.00"}`, "objects": `[{"a":1}]`, "long": `["x","x","x","x"]`}
	for kind, text := range values {
		m := spec.TemplateMember{Pointer: "/parameters/a~1b", Kind: kind, Required: true}
		switch kind {
		case spec.KindStrings:
			m.MaxItems = 3
		case "object", "objects", "long":
			continue
		}
		form := writtest.Template(func(a *spec.ActionTemplate) { a.Members = []spec.TemplateMember{m} }).Body.(*spec.ActionTemplate)
		for other, value := range values {
			w := writtest.Acme("kinds")
			a, err := spec.ParseAction(w.Action("1.00", func(a *spec.Action) { a.Parameters = writtest.JSON(`{"a/b":` + value + `}`) }))
			if err != nil {
				t.Fatal(err)
			}
			if err := form.Check(a); (err == nil) != (kind == other) {
				t.Errorf("a %s for a %s: %v", value, text, err)
			}
		}
	}
}

func TestTemplateSentences(t *testing.T) {
	m := writtest.Acme("templates").Mandate(writtest.InForm(writtest.Template())).Body.(*spec.Mandate)
	short := writtest.Template().Digest[:15]
	for l, want := range map[rule.Locale]string{
		rule.English:    `payments.transfer only in the form "Pay an invoice" (template ` + short + `…)`,
		rule.Portuguese: `payments.transfer só na forma "Pagar uma fatura" (modelo ` + short + `…)`,
	} {
		if lines := strings.Join(m.Lines(l), "\n"); !strings.Contains(lines, "\n"+want+"\n") {
			t.Errorf("%s: %s", l, lines)
		}
	}
}
