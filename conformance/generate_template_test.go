package conformance

import (
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
)

const templateClause = "protocol.md 5.4: action templates"

func templateVectors(b *book) {
	good := writtest.Template()
	b.doc("template/as-it-is", templateClause, "The form of an invoice's payment; nobody signs it.", spec.TypeTemplate, string(good.Bytes()), DocumentEnd{Accept: true, Digest: good.Digest})
	row := func(name, title, reason, pointer string, edits ...Edit) {
		b.doc("template/"+name, templateClause, title, spec.TypeTemplate, b.changed(good, edits...), no(reason, pointer))
	}
	row("of-a-pattern", "A template is for one action type.", "action-type", "/action", set("/action", "payments.*"))
	row("with-foreign-member", "An unknown member could be a condition.", "member-unknown", "/condition", set("/condition", "x"))
	row("member-of-the-action", "A template describes members of parameters.", "pointer-syntax", "/members/0/pointer", set("/members/0/pointer", "/amount/value"))
	row("member-twice", "Each member once.", "template-invalid", "/members/1/pointer", set("/members/1/pointer", "/parameters/memo"))
	row("of-an-unknown-kind", "A kind that is not known describes nothing.", "template-invalid", "/members/0/kind", set("/members/0/kind", "float"))
	row("texts-without-end", "Several texts are so many at most.", "template-invalid", "/members/0/maxItems", set("/members/0/kind", "strings"))
	row("value-of-another-kind", "Values are of the member's kind.", "template-invalid", "/members/1/values/0", set("/members/1/values/0", "1"))
	row("optional-said", "Optional is left out.", "member-empty", "/members/0/required", set("/members/0/required", false))
	row("title-that-turns", "People read the title.", "text-hidden", "/title/en", set("/title/en", "a\u202eb"))
	w := world("template mandate")
	mandate := w.Mandate(writtest.InForm(good))
	const at = "/credentialSubject/mandate/templates"
	named := func(name, title, reason, pointer string, edits ...Edit) {
		b.doc("template/"+name, templateClause, title, spec.TypeMandate, b.changed(mandate, edits...), no(reason, pointer))
	}
	named("named-twice", "An action type has one template.", "template-repeated", at+"/1/action", add(at+"/-", mandate.Body.(*spec.Mandate).Terms().Templates[0]))
	named("named-without-its-title", "People who approve read the title.", "member-missing", at+"/0/title", remove(at+"/0/title"))
	named("named-by-a-file", "A template is named by its digest.", "digest-syntax", at+"/0/digest", set(at+"/0/digest", "invoice.json"))
	templateTraces(b, good)
	formedBundle(b, good)
}

// templateTraces ask for one action each, under a mandate whose payments have the form of a template.
func templateTraces(b *book, good spec.Document) {
	row := func(name, title string, want StepEnd, parameters string, changes ...func(*spec.Action)) {
		l := newLife(b, "template "+name)
		l.step("add-template", "template", good, recorded(0))
		m := l.enrol("mandate", l.Mandate(writtest.InForm(good), terms(func(t *spec.MandateTerms) { t.Free = append(t.Free, "/parameters/other") })))
		l.step("present", "invoice-1", l.Present([]spec.Document{m}, l.Action("42.00", append(changes, func(a *spec.Action) {
			a.Parameters = parse(parameters)
		})...), l.Request("invoice-1"), l.Now), want)
		l.finish("template/"+name, templateClause, title)
	}
	rejects := func(reason string) StepEnd { return rejected("scope", reason) }
	row("action-in-its-form", "Every required member, of its kind.", authorized, `{"memo":"invoice 7","urgency":2}`)
	row("action-with-another-member", "The mandate frees the member, and the template does not have it.", rejects("template-member"), `{"memo":"invoice 7","other":"x"}`)
	row("action-without-a-member", "The template asks for the memo.", rejects("template-absent"), `{"urgency":2}`)
	row("action-with-a-text-for-an-integer", "\"2\" is not 2.", rejects("template-kind"), `{"memo":"invoice 7","urgency":"2"}`)
	row("action-with-an-object-for-a-text", "An object is no text, whatever is in it.", rejects("template-kind"), `{"memo":{"text":"invoice 7"}}`)
	row("action-with-a-memo-too-long", "Length is in code points: 21 of at most 20.", rejects("template-value"), `{"memo":"21 characters, éééééé"}`)
	row("action-with-a-memo-as-long-as-allowed", "20 code points in 25 bytes.", authorized, `{"memo":"20 characters, ééééé"}`)
	row("action-with-a-value-not-listed", "The urgency is 1 or 2.", rejects("template-value"), `{"memo":"invoice 7","urgency":3}`)
	row("action-without-a-counterparty", "The template asks for the payee.", rejects("template-absent"), `{"memo":"invoice 7"}`, func(a *spec.Action) { a.Counterparty = nil })
	row("action-of-another-mapping", "The template names the mapping.", rejects("template-value"), `{"memo":"invoice 7"}`, func(a *spec.Action) { a.Payload.Mapping = "pain.001/2" })

	l := newLife(b, "template not here")
	l.step("propose", "mandate", l.Mandate(writtest.InForm(good)), refused("template-unknown", "/credentialSubject/mandate/templates/0/digest"))
	l.step("add-template", "template", good, recorded(0))
	l.step("propose", "mandate of another title", l.Mandate(writtest.InForm(good), terms(func(t *spec.MandateTerms) { t.Templates[0].Title.En = "Pay the rent" })),
		refused("template-other", "/credentialSubject/mandate/templates/0"))
	l.step("propose", "mandate", spec.Document{}, drafted, func(s *Step) { s.Document = "mandate" })
	l.finish("template/proposed-before-it", templateClause, "The template is here before the mandate, which says of it what it says itself.")
}

func formedBundle(b *book, good spec.Document) {
	l := newLife(b, "bundle formed")
	l.step("add-template", "template", good, recorded(0))
	m := l.enrol("mandate", l.Mandate(writtest.InForm(good)))
	d := l.step("present", "invoice-1", l.Present([]spec.Document{m}, l.Action("42.00", func(a *spec.Action) { a.Parameters = parse(`{"memo":"invoice 7"}`) }),
		l.Request("invoice-1"), l.Now), authorized)
	s := l.share("formed", d)
	s.put("formed", "Authorised in the form of a template.", spec.Authorized, BundleEnd{Holds: true})
	intact := func(name, title, reason, pointer string, edits ...Edit) {
		s.put(name, title, spec.Authorized, fails("intact", reason, pointer), edits...)
	}
	intact("template-changed", "The template is the one that the mandate names.", "bundle-templates", "/templates/0", set("/templates/0/members/0/maxLength", 4096))
	intact("template-left-out", "The templates of its mandates are in the bundle.", "bundle-templates", "/templates", remove("/templates"))
	intact("template-that-nobody-names", "A bundle has no templates but those.", "bundle-templates", "/templates", add("/templates/-", good.Value))
	intact("template-signed", "A signature on a template says nothing, so there is none.", "member-unknown", "/templates/0/proof", set("/templates/0/proof", jcs.Value(s.at("/decision").Value.Without("proof"))))
}
