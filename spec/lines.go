package spec

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec/rule"
)

// Lines are the sentences of rule.Catalogue that say a mandate to the person who approves it, in order. Their digest is the
// approval's `shown`.
func (m *Mandate) Lines(l rule.Locale) []string {
	t := m.Terms()
	lines := []string{
		pick(l, "Mandate: ", "Mandato: ") + m.Name,
		pick(l, "Granted by ", "Concedido por ") + t.Grantor.ID + pick(l, " to the agent ", " ao agente ") + m.Subject.ID,
		pick(l, "May do: ", "Pode fazer: ") + listed(t.Actions),
		pick(l, "On: ", "Sobre: ") + listed(t.Resources),
		pick(l, "From ", "De ") + m.ValidFrom.String() + pick(l, " until ", " até ") + m.ValidUntil.String(),
		pick(l, "Approved by ", "Aprovado por ") + strconv.FormatInt(t.Grantor.Threshold, 10) + pick(l, " of: ", " de: ") + listed(t.Grantor.Approvers),
	}
	for _, c := range m.rules {
		lines = append(lines, c.Sentence(l))
	}
	if len(t.Policies) > 0 {
		lines = append(lines, pick(l, "Limited by these policies too: ", "Limitado também por estas políticas: ")+listed(t.Policies))
	}
	for _, r := range t.Templates {
		lines = append(lines, r.line(l))
	}
	for _, r := range t.Recovery {
		lines = append(lines, r.line(l))
	}
	if len(t.Free) > 0 {
		lines = append(lines, pick(l, "Not limited: ", "Sem limite: ")+listed(t.Free))
	}
	if d := m.MaxDepth(); d > 0 {
		lines = append(lines, fmt.Sprintf(pick(l, "The agent may delegate, %d level(s) deep", "O agente pode delegar, %d nível(eis)"), d))
	}
	if t.SelfExecuted {
		lines = append(lines, pick(l, "The agent may execute by itself", "O agente pode executar por si"))
	}
	return append(lines, pick(l, "Account kept by ", "Conta mantida por ")+t.Ledger.Verifier+", "+t.Ledger.Log)
}

func (r Recovery) line(l rule.Locale) string {
	s := strconv.FormatInt(r.Threshold, 10) + pick(l, " of ", " de ") + listed(r.Approvers) + pick(l, " may lift ", " podem levantar ") + listed(r.For)
	if r.MaxOver != nil {
		s += pick(l, " once by at most ", " de cada vez no máximo em ") + l.Money(*r.MaxOver)
	}
	if r.MaxOverPerWindow != nil {
		s += pick(l, ", together at most ", ", no total no máximo ") + l.Money(*r.MaxOverPerWindow)
	}
	if r.MaxUses > 0 {
		s += fmt.Sprintf(pick(l, ", at most %d times", ", no máximo %d vezes"), r.MaxUses)
	}
	return s + pick(l, ", within ", ", dentro de ") + r.Within
}

// LiftLines say the lifts of a supplement to the person who approves it, and the one action that they are for.
func LiftLines(l rule.Locale, m *Mandate, lifts []Lift, action jcs.Value) []string {
	lines := []string{pick(l, "Lift of limits of: ", "Exceção aos limites de: ") + m.Name, actionLine(l, action)}
	for _, lift := range lifts {
		s := lift.Constraint
		for _, c := range m.rules {
			switch {
			case c.ID() != lift.Constraint:
			case rule.IsApproval(c):
				s = pick(l, "this action, once, although ", "esta ação, uma vez, embora ") + c.Sentence(l)
			default:
				s = l.Lift(c, lift.MaxOver.Minor, lift.MaxOver.Currency)
			}
		}
		if w := lift.Window; w != nil {
			s += fmt.Sprintf(pick(l, " (from %s to %s)", " (de %s a %s)"), w.From, w.To)
		}
		lines = append(lines, s)
	}
	return lines
}

// actionLine says what would be done: how much, from where, to whom.
func actionLine(l rule.Locale, action jcs.Value) string {
	a, err := ParseAction(action)
	if err != nil {
		return pick(l, "For one action", "Para uma ação")
	}
	s := pick(l, "For one action: ", "Para uma ação: ") + a.Type
	if a.Amount != nil {
		s += pick(l, " of ", " de ") + l.Money(*a.Amount)
	}
	s += pick(l, " on ", " sobre ") + plainText(a.Resource)
	if a.Counterparty != nil {
		s += pick(l, " to ", " a ") + plainText(a.Counterparty.ID)
		if a.Counterparty.Name != "" {
			s += " (" + plainText(a.Counterparty.Name) + ")"
		}
	}
	return s + pick(l, ", digest ", ", resumo ") + ActionDigest(action)
}

// bare are the characters of a name that nobody takes for words, commas or brackets of the sentence in which it stands.
var bare = func() (set [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.:_/#@*+~%=&?!-") {
		set[c] = true
	}
	return set
}()

func isBare(name string) bool {
	for i := range len(name) {
		if !bare[name[i]] {
			return false
		}
	}
	return name != ""
}

// listed joins names. One that could pass for several, or for more than a name, is quoted: other names, other sentences.
func listed(names []string) string {
	var said strings.Builder
	for i, name := range names {
		if i > 0 {
			said.WriteString(", ")
		}
		said.WriteString(bareOrQuoted(name))
	}
	return said.String()
}

// bareOrQuoted writes a name that is not bare as canonical JSON: other languages, and later versions of this one, quote likewise.
func bareOrQuoted(name string) string {
	if isBare(name) {
		return name
	}
	v, err := jcs.ValueOf(name)
	if err != nil || plainText(name) != name {
		return plainText(name)
	}
	return string(v.Canonical())
}

// plainText quotes a text of somebody else's that could be taken for more than text: controls, directions, invisible characters.
func plainText(s string) string {
	if strings.ContainsFunc(s, hidden) {
		return strconv.QuoteToASCII(s)
	}
	return s
}

// hidden characters do not show, or change how others do.
func hidden(r rune) bool {
	if r < utf8.RuneSelf {
		return r < ' ' || r == 0x7f
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co)
}

// ActLines say a resume or a reconciliation.
func ActLines(l rule.Locale, kind, content, name string) []string {
	if kind == KindResume {
		return []string{pick(l, "Let the mandate act again: ", "Deixar o mandato agir de novo: ") + name, content}
	}
	return []string{pick(l, "Take a charge back that was not executed, under: ", "Anular um encargo não executado, em: ") + name, content}
}

func pick(l rule.Locale, english, portuguese string) string {
	if l == rule.Portuguese {
		return portuguese
	}
	return english
}

func itoa(i int) string { return strconv.Itoa(i) }
