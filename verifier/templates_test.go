package verifier_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// formed is a mandate whose payments have the form of a template.
func (s *story) formed() spec.Document {
	template := writtest.Template()
	_, err := s.issuer.AddTemplate(s.t.Context(), org, template.Bytes())
	s.must(err)
	return s.enrol(s.Mandate(writtest.InForm(template), func(m *spec.Mandate) { m.Terms().Free = append(m.Terms().Free, "/parameters/other") }))
}

// askFormed asks for an action with these parameters.
func (s *story) askFormed(key, parameters string, mandate spec.Document, changes ...func(*spec.Action)) (*spec.Decision, spec.Document) {
	s.t.Helper()
	action := s.Action("42.00", append(changes, func(a *spec.Action) {
		if parameters != "" {
			a.Parameters = writtest.JSON(parameters)
		}
	})...)
	l, err := s.verifier.Verify(s.t.Context(), verifier.Request{Org: org, Presentation: s.Present([]spec.Document{mandate}, action, s.Request(key), s.Now).Bytes()})
	s.must(err)
	d, _ := verifier.Decision(l)
	return d, l.Last().Document
}

func TestTemplates(t *testing.T) {
	s := newStory(t, "templates")
	mandate := s.formed()
	for i, row := range []struct {
		parameters, reason, pointer string
		change                      func(*spec.Action)
	}{
		{parameters: `{"memo":"invoice 7"}`},
		{parameters: `{"memo":"20 characters, ééééé","urgency":2}`},
		{`{"memo":"21 characters, éééééé"}`, "template-value", "/parameters/memo", nil},
		{`{"memo":"invoice 7","urgency":3}`, "template-value", "/parameters/urgency", nil},
		{`{"memo":"invoice 7","urgency":"2"}`, "template-kind", "/parameters/urgency", nil},
		{`{"memo":7}`, "template-kind", "/parameters/memo", nil},
		{`{"memo":{"text":"invoice 7"}}`, "template-kind", "/parameters/memo", nil},
		{`{"urgency":2}`, "template-absent", "/parameters/memo", nil},
		{"", "template-absent", "/parameters/memo", nil},
		{`{"memo":"invoice 7","other":"x"}`, "template-member", "/parameters/other", nil},
		{`{"memo":"invoice 7"}`, "template-absent", "/counterparty", func(a *spec.Action) { a.Counterparty = nil }},
		{`{"memo":"invoice 7"}`, "template-absent", "/amount", func(a *spec.Action) { a.Amount = nil }},
		{`{"memo":"invoice 7"}`, "template-value", "/payload/mapping", func(a *spec.Action) { a.Payload.Mapping = "pain.001/2" }},
	} {
		var changes []func(*spec.Action)
		if row.change != nil {
			changes = append(changes, row.change)
		}
		s.Advance(10 * time.Second) // more refusals in a minute get no decision
		d, doc := s.askFormed(fmt.Sprintf("invoice-%d", i), row.parameters, mandate, changes...)
		want := spec.Rejected
		if row.reason == "" {
			want = spec.Authorized
		}
		if d.Result != want || row.reason != "" && !strings.Contains(fmt.Sprint(d.Checks), "{scope fail "+row.reason+" "+row.pointer+" ") {
			t.Errorf("%s: %s %v, want %s at %s", row.parameters, d.Result, d.Checks, row.reason, row.pointer)
		}
		s.holds(doc, want)
	}
}

// TestTemplatesOfOtherTypes: an action type without a template is judged as before.
func TestTemplatesOfOtherTypes(t *testing.T) {
	s := newStory(t, "templates of other types")
	template := writtest.Template(func(a *spec.ActionTemplate) { a.Action = "payments.refund" })
	_, err := s.issuer.AddTemplate(t.Context(), org, template.Bytes())
	s.must(err)
	d, doc := s.askFormed("invoice-1", "", s.enrol(s.Mandate(writtest.InForm(template))))
	if d.Result != spec.Authorized {
		t.Errorf("%s %v", d.Result, d.Checks)
	}
	s.holds(doc, spec.Authorized)
}

func TestTemplatesUnknown(t *testing.T) {
	s := newStory(t, "templates unknown")
	m := s.Mandate(writtest.InForm(writtest.Template()))
	if _, err := s.issuer.Propose(t.Context(), org, m.Value); placeOf(err) != "template-unknown /credentialSubject/mandate/templates/0/digest" {
		t.Errorf("proposed before its template: %v", err)
	}
	_, err := s.issuer.AddTemplate(t.Context(), org, writtest.Template().Bytes())
	s.must(err)
	renamed := s.Mandate(writtest.InForm(writtest.Template()), func(m *spec.Mandate) { m.Terms().Templates[0].Title.Pt = "Pagar a renda" })
	if _, err := s.issuer.Propose(t.Context(), org, renamed.Value); placeOf(err) != "template-other /credentialSubject/mandate/templates/0" {
		t.Errorf("under another title: %v", err)
	}
	if _, err := s.issuer.AddTemplate(t.Context(), org, s.Mandate().Bytes()); reason(err) != "type-unknown" {
		t.Errorf("a mandate as a template: %v", err)
	}
	parent := s.enrol(s.Mandate())
	child := s.Seal(s.Child(parent, writtest.InForm(writtest.Template(func(a *spec.ActionTemplate) { a.Amount = "" }))))
	if _, err := s.issuer.Delegate(t.Context(), org, child.Bytes()); reason(err) != "template-unknown" {
		t.Errorf("delegated under a template that is not here: %v", err)
	}
}

// TestTemplatesLost: without the bytes nothing is decided, neither for nor against.
func TestTemplatesLost(t *testing.T) {
	s := newStory(t, "templates lost")
	mandate := s.formed()
	c := verifier.Case{Mandates: []verifier.Mandate{{Content: spec.ContentDigest(mandate.Value), Body: mandate.Body.(*spec.Mandate)}},
		Action: &spec.Action{}, Roster: spec.ContentDigest(s.roster.Value)}
	if _, err := verifier.Decide(c, s.ledger.All(), s.Now); reason(err) != "indeterminate" {
		t.Errorf("decided without the template: %v", err)
	}
}

// TestTemplatesInBundles: a bundle has exactly the templates that its mandates name.
func TestTemplatesInBundles(t *testing.T) {
	s := newStory(t, "templates in bundles")
	data, err := jcs.ParseDocument(formedBundle(s))
	s.must(err)
	with := func(all ...jcs.Value) []byte {
		if len(all) == 0 {
			return data.Without("templates").Canonical()
		}
		v, err := jcs.ValueOf(all)
		s.must(err)
		return data.With("templates", v).Canonical()
	}
	good, other := writtest.Template().Value, writtest.Template(func(a *spec.ActionTemplate) { a.Members = nil }).Value
	signed, _ := data.Lookup("/decision/proof")
	for name, row := range map[string]struct {
		bundle []byte
		reason string
	}{
		"as it is": {with(good), ""},
		"none":     {with(), "bundle-templates"},
		"twice":    {with(good, good), "bundle-templates"},
		"another":  {with(other), "bundle-templates"},
		"signed":   {with(good.With("proof", signed)), "member-unknown"},
		"mandate":  {with(s.Mandate().Value), "type-unknown"},
	} {
		if v := verifier.CheckBundle(row.bundle, s.trust, verifier.CheckOptions{}).Verdicts[0]; v.Reason != row.reason {
			t.Errorf("%s: %+v, want %s", name, v, row.reason)
		}
	}
}

// formedBundle is executed in the form of a template.
func formedBundle(s *story) []byte {
	d, decision := s.askFormed("invoice-1", `{"memo":"invoice 7","urgency":1}`, s.formed())
	if d.Result != spec.Authorized {
		s.t.Fatalf("%s %v", d.Result, d.Checks)
	}
	s.execute(decision)
	return s.export(decision)
}

// TestTemplatesRenamed: a mandate that says another title than its template, and came past the issuer, decides nothing.
func TestTemplatesRenamed(t *testing.T) {
	s := newStory(t, "templates renamed")
	_, err := s.issuer.AddTemplate(t.Context(), org, writtest.Template().Bytes())
	s.must(err)
	m := s.Mandate(writtest.InForm(writtest.Template()), func(m *spec.Mandate) { m.Terms().Templates[0].Title.En = "Pay the rent" })
	s.must(s.ledger.PutDraft(t.Context(), spec.Draft{ID: m.Body.(*spec.Mandate).ID, Org: org, Kind: spec.KindMandate,
		Content: spec.ContentDigest(m.Value), Body: m.Value.Canonical(), Created: s.Now}))
	var issued spec.Document
	for _, person := range []string{"treasurer", "cfo"} {
		l, err := s.issuer.Approve(t.Context(), org, s.ApproveMandate(person, m).Bytes())
		s.must(err)
		issued = l.Last().Document
	}
	_, err = s.verifier.Verify(t.Context(), verifier.Request{Org: org,
		Presentation: s.Present([]spec.Document{issued}, s.Action("42.00"), s.Request("invoice-1"), s.Now).Bytes()})
	if reason(err) != "template-other" {
		t.Errorf("decided under another title: %v", err)
	}
}
