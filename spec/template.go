package spec

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec/rule"
)

// Bounds of action templates.
const (
	MaxTemplates       = 8 // of one mandate
	maxTemplateMembers = 64
	maxTemplateValues  = 64
	maxTemplateItems   = 64
	maxTemplateLength  = 4096 // of a text, in code points
	maxTitle           = 80   // code points
)

// ActionTemplate says what an action of one type looks like (protocol.md 5.4). Nobody signs it: mandates name it by its digest, so
// whoever has the mandate knows whether these are the bytes that its approvers meant.
type ActionTemplate struct {
	Type         string           `json:"type"`
	Version      string           `json:"version"`
	Action       string           `json:"action"` // an action type, no pattern
	Title        Title            `json:"title"`
	Amount       string           `json:"amount,omitempty"`       // required or absent; left out: either
	Counterparty string           `json:"counterparty,omitempty"` // the same
	Payload      *TemplatePayload `json:"payload,omitempty"`      // left out: payload as the type asks
	Members      []TemplateMember `json:"members,omitempty"`      // of parameters; no others may be there
}

// Title is a text for people. Where the other language is absent, English is shown.
type Title struct {
	En string `json:"en"`
	Pt string `json:"pt,omitempty"`
}

// TemplatePayload asks for a payload with this mapping.
type TemplatePayload struct {
	Mapping string `json:"mapping"`
}

// TemplateMember is one member of the action's parameters.
type TemplateMember struct {
	Pointer   string      `json:"pointer"` // /parameters/NAME
	Kind      string      `json:"kind"`
	Required  bool        `json:"required,omitempty"`
	MaxLength int64       `json:"maxLength,omitempty"` // of a text, and of each of several: code points, 1 to 4096
	MaxItems  int64       `json:"maxItems,omitempty"`  // of texts: 1 to 64, there if and only if the kind is strings
	Values    []jcs.Value `json:"values,omitempty"`    // what a text or an integer may be
	Label     *Title      `json:"label,omitempty"`
}

// Kinds of a template's member.
const (
	KindString  = "string"
	KindInteger = "integer"
	KindBoolean = "boolean"
	KindMoney   = "money"
	KindStrings = "strings"
)

const (
	partRequired = "required"
	partAbsent   = "absent"
)

// TemplateRef is a mandate's word that actions of a type have the form of a template. Action and title are the template's own, so
// that people read what applies without the template at hand, and readers with it refuse a difference.
type TemplateRef struct {
	Digest string `json:"digest"`
	Action string `json:"action"`
	Title  Title  `json:"title"`
}

func (t *ActionTemplate) docType() string { return TypeTemplate }
func (t *ActionTemplate) mode() string    { return "" }

// TemplateFromValue reads a template. One that carries a proof is refused: nothing would be said by it.
func TemplateFromValue(v jcs.Value) (Document, *ActionTemplate, error) {
	d, err := FromValue(v)
	if err != nil {
		return d, nil, err
	}
	t, ok := d.Body.(*ActionTemplate)
	switch {
	case !ok:
		return d, nil, refuse("type-unknown", "/type", "a template is wanted")
	case d.Signed():
		return d, nil, refuse("member-unknown", "/proof", "nobody signs a template")
	}
	return d, t, nil
}

// Ref is how a mandate names the template.
func (t *ActionTemplate) Ref(digest string) TemplateRef {
	return TemplateRef{Digest: digest, Action: t.Action, Title: t.Title}
}

func (t *ActionTemplate) check() error {
	switch {
	case t.Type != "ActionTemplate":
		return refuse("type-fixed", "/type", "exactly ActionTemplate")
	case t.Version != Version:
		return refuse("version-unknown", "/version", "only version 1 is known")
	case !rule.ValidType(t.Action):
		return refuse("action-type", "/action", "not an action type")
	case !isPart(t.Amount):
		return refuse("template-invalid", "/amount", "required, absent, or left out")
	case !isPart(t.Counterparty):
		return refuse("template-invalid", "/counterparty", "required, absent, or left out")
	case t.Payload != nil && t.Payload.Mapping == "":
		return refuse("member-empty", "/payload/mapping", "a mapping has a name")
	case len(t.Members) > maxTemplateMembers:
		return refuse("template-invalid", "/members", "at most %d members", maxTemplateMembers)
	}
	if err := t.Title.check("/title"); err != nil {
		return err
	}
	for i, m := range t.Members {
		place := "/members/" + strconv.Itoa(i)
		if slices.ContainsFunc(t.Members[:i], func(other TemplateMember) bool { return other.Pointer == m.Pointer }) {
			return refuse("template-invalid", place+"/pointer", "a member is described once")
		}
		if err := m.check(); err != nil {
			return at(place, err)
		}
	}
	return nil
}

func isPart(s string) bool { return s == "" || s == partRequired || s == partAbsent }

// check refuses titles that would not show, or would show as something else, to the people who approve.
func (t Title) check(place string) error {
	if t.En == "" {
		return refuse("template-invalid", place+"/en", "a title has 1 to %d characters", maxTitle)
	}
	return firstError(func() error { return checkTitle(place+"/en", t.En) }, func() error { return checkTitle(place+"/pt", t.Pt) })
}

func checkTitle(place, text string) error {
	switch {
	case utf8.RuneCountInString(text) > maxTitle:
		return refuse("template-invalid", place, "a title has 1 to %d characters", maxTitle)
	case strings.ContainsFunc(text, hidden):
		return refuse("text-hidden", place, "a title has characters that do not show")
	}
	return nil
}

func (m TemplateMember) check() error {
	name, ok := strings.CutPrefix(m.Pointer, "/parameters/")
	text, several := m.Kind == KindString, m.Kind == KindStrings
	switch {
	case !ok || name == "" || strings.Contains(name, "/"):
		return refuse("pointer-syntax", "/pointer", "a template describes whole members of parameters")
	case !slices.Contains([]string{KindString, KindInteger, KindBoolean, KindMoney, KindStrings}, m.Kind):
		return refuse("template-invalid", "/kind", "no such kind")
	case m.MaxLength < 0 || m.MaxLength > maxTemplateLength || m.MaxLength > 0 && !text && !several:
		return refuse("template-invalid", "/maxLength", "texts alone have a length, from 1 to %d", maxTemplateLength)
	case several != (m.MaxItems > 0) || m.MaxItems < 0 || m.MaxItems > maxTemplateItems:
		return refuse("template-invalid", "/maxItems", "strings alone have a number, from 1 to %d", maxTemplateItems)
	case m.Label != nil && m.Label.check("/label") != nil:
		return m.Label.check("/label")
	}
	return m.checkValues()
}

func (m TemplateMember) checkValues() error {
	if len(m.Values) > 0 && m.Kind != KindString && m.Kind != KindInteger || len(m.Values) > maxTemplateValues {
		return refuse("template-invalid", "/values", "a text or an integer has up to %d values", maxTemplateValues)
	}
	for i, v := range m.Values {
		if slices.ContainsFunc(m.Values[:i], v.Equal) || m.ofKind(v) != nil {
			return refuse("template-invalid", "/values/"+strconv.Itoa(i), "values are of the member's kind and length, once each")
		}
	}
	return nil
}

// Check holds an action of the template's type against it. The error names the first place where it has another form.
// Reasons: template-member, template-absent, template-kind, template-value.
func (t *ActionTemplate) Check(a *Action) error {
	if err := checkPart("/amount", t.Amount, a.Amount != nil); err != nil {
		return err
	}
	if err := checkPart("/counterparty", t.Counterparty, a.Counterparty != nil); err != nil {
		return err
	}
	if t.Payload != nil && a.Payload == nil {
		return refuse("template-absent", "/payload", "the template asks for a payload")
	}
	if t.Payload != nil && a.Payload.Mapping != t.Payload.Mapping {
		return refuse("template-value", "/payload/mapping", "the template names another mapping")
	}
	for _, p := range a.Parameters.Members() {
		if !slices.ContainsFunc(t.Members, func(m TemplateMember) bool { return m.name() == p.Name }) {
			return refuse("template-member", "/parameters/"+escapeName(p.Name), "the template does not have this member")
		}
	}
	for _, m := range t.Members {
		if err := m.checkAction(a); err != nil {
			return err
		}
	}
	return nil
}

func checkPart(place, want string, there bool) error {
	switch {
	case want == partRequired && !there:
		return refuse("template-absent", place, "the template asks for this member")
	case want == partAbsent && there:
		return refuse("template-member", place, "the template does not have this member")
	}
	return nil
}

func (m TemplateMember) checkAction(a *Action) error {
	v, there := a.Parameters.Member(m.name())
	switch {
	case !there && m.Required:
		return refuse("template-absent", m.Pointer, "the template asks for this member")
	case !there:
		return nil
	}
	if err := m.ofKind(v); err != nil {
		return err
	}
	if len(m.Values) > 0 && !slices.ContainsFunc(m.Values, v.Equal) {
		return refuse("template-value", m.Pointer, "the template does not list this value")
	}
	return nil
}

// ofKind says whether a value has the member's kind and is no longer than it may be.
func (m TemplateMember) ofKind(v jcs.Value) error {
	ok := false
	switch m.Kind {
	case KindString:
		return m.checkText(v, m.Pointer)
	case KindStrings:
		return m.checkTexts(v)
	case KindInteger:
		_, ok = v.Int()
	case KindBoolean:
		ok = v.Kind() == jcs.Bool
	case KindMoney:
		_, err := rule.ParseMoney(v)
		ok = err == nil
	}
	if !ok {
		return refuse("template-kind", m.Pointer, "the member is no %s", m.Kind)
	}
	return nil
}

func (m TemplateMember) checkText(v jcs.Value, place string) error {
	text, ok := v.Text()
	switch {
	case !ok:
		return refuse("template-kind", place, "the member is no text")
	case m.MaxLength > 0 && int64(utf8.RuneCountInString(text)) > m.MaxLength:
		return refuse("template-value", place, "at most %d characters", m.MaxLength)
	}
	return nil
}

func (m TemplateMember) checkTexts(v jcs.Value) error {
	switch items := v.Elements(); {
	case v.Kind() != jcs.Array:
		return refuse("template-kind", m.Pointer, "the member is no array of texts")
	case int64(len(items)) > m.MaxItems:
		return refuse("template-value", m.Pointer, "at most %d texts", m.MaxItems)
	}
	for i, item := range v.Elements() {
		if err := m.checkText(item, m.Pointer+"/"+strconv.Itoa(i)); err != nil {
			return err
		}
	}
	return nil
}

// name is the member's own, as it stands in parameters.
func (m TemplateMember) name() string {
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(strings.TrimPrefix(m.Pointer, "/parameters/"))
}

func escapeName(name string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(name) }

// in is the title in a language, English where it has none.
func (t Title) in(l rule.Locale) string {
	if l == rule.Portuguese && t.Pt != "" {
		return t.Pt
	}
	return t.En
}

// checkTemplates wants distinct templates, for distinct action types.
func (m *Mandate) checkTemplates() error {
	all := m.Terms().Templates
	if len(all) > MaxTemplates {
		return refuse("templates-many", mandateAt+"/templates", "at most %d templates", MaxTemplates)
	}
	for i, r := range all {
		place := mandateAt + "/templates/" + strconv.Itoa(i)
		if slices.ContainsFunc(all[:i], func(other TemplateRef) bool { return other.Action == r.Action }) {
			return refuse("template-repeated", place+"/action", "an action type has one template")
		}
		if !rule.ValidType(r.Action) {
			return refuse("action-type", place+"/action", "not an action type")
		}
		if err := firstError(func() error { return checkDigest(r.Digest, place+"/digest") }, func() error { return r.Title.check(place + "/title") }); err != nil {
			return err
		}
	}
	return nil
}

// line says to people that a template applies.
func (r TemplateRef) line(l rule.Locale) string {
	title, _ := jcs.ValueOf(r.Title.in(l)) // a text
	return r.Action + pick(l, " only in the form ", " só na forma ") + string(title.Canonical()) + pick(l, " (template ", " (modelo ") + r.Digest[:min(15, len(r.Digest))] + "…)"
}
