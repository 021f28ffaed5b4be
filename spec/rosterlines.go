package spec

import (
	"fmt"
	"strings"

	"github.com/writ-trust/writ/spec/rule"
)

// Lines are the sentences that say a roster version to the person who approves it, in order: every member that gives or takes power. Their
// digest is the approval's `shown`.
func (r *Roster) Lines(l rule.Locale) []string {
	t := r.Terms()
	lines := []string{fmt.Sprintf(pick(l, "Roster of %s, version %d", "Cartão de assinaturas de %s, versão %d"), t.Grantor, t.Version)}
	if t.Previous != "" {
		lines = append(lines, pick(l, "After the version ", "Depois da versão ")+t.Previous)
	}
	for _, p := range t.Persons {
		for _, k := range p.Keys {
			lines = append(lines, keyLine(l, p, k))
		}
	}
	for _, p := range t.Powers {
		lines = append(lines, p.line(l))
	}
	lines = append(lines, t.changeLine(l))
	if t.Recovery != nil {
		lines = append(lines, t.Recovery.line(l))
	}
	if len(t.Revokers) > 0 {
		lines = append(lines, pick(l, "May revoke: ", "Podem revogar: ")+listed(t.Revokers))
	}
	for _, s := range t.Seals {
		lines = append(lines, fmt.Sprintf(pick(l, "Seal %s: key %s", "Selo %s: chave %s"), plainText(s.ID), s.Key))
	}
	for _, p := range t.Ledgers {
		lines = append(lines, fmt.Sprintf(pick(l, "Ledger %s: key %s", "Registo %s: chave %s"), p.DID, p.Key))
	}
	for _, e := range t.Executors {
		lines = append(lines, fmt.Sprintf(pick(l, "Executor %s (%s): key %s", "Executor %s (%s): chave %s"), e.DID, e.Role, e.Key))
	}
	named := pick(l, "The log names the grantor", "O registo público nomeia o concedente")
	if !t.IsPublic() {
		named = pick(l, "The log does not name the grantor", "O registo público não nomeia o concedente")
	}
	return append(lines, named, pick(l, "Log: ", "Registo público: ")+plainText(t.Log))
}

func keyLine(l rule.Locale, p Person, k PersonKey) string {
	s := fmt.Sprintf(pick(l, "Person %s (%s): key %s, %s, of kind %s, called %s", "Pessoa %s (%s): chave %s, %s, do tipo %s, chamada %s"),
		bareOrQuoted(p.Person), p.Name, k.PublicKey, k.Grade, plainText(k.Kind), plainText(k.ID))
	if !k.CompromisedSince.IsZero() {
		s += pick(l, ", compromised since ", ", comprometida desde ") + k.CompromisedSince.String()
	}
	return s
}

func (p Power) line(l rule.Locale) string {
	s := fmt.Sprintf(pick(l, "%d of %s may approve %s", "%d de %s podem aprovar %s"), p.Threshold, listed(p.Persons), listed(p.Actions))
	if p.UpTo == nil {
		s += pick(l, ", any amount", ", qualquer montante")
	} else {
		s += pick(l, ", up to ", ", até ") + l.Money(p.UpTo.Each)
		if p.UpTo.PerDay != nil {
			s += pick(l, " each and a budget of ", " cada e um orçamento de ") + l.Money(*p.UpTo.PerDay)
		}
	}
	if p.LeastGrade != "" {
		s += pick(l, ", with keys of grade ", ", com chaves de grau ") + string(p.LeastGrade) + pick(l, " or better", " ou melhor")
	}
	return s
}

func (t *RosterTerms) changeLine(l rule.Locale) string {
	return fmt.Sprintf(pick(l, "%d of the persons may change it; additions wait %s", "%d das pessoas podem alterá-lo; acréscimos esperam %s"),
		t.ChangeThreshold, FormatDuration(t.changeDelay()))
}

func (r *RosterRecovery) line(l rule.Locale) string {
	var keys []string
	for _, k := range r.Keys {
		keys = append(keys, bareOrQuoted(k.ID)+" "+k.PublicKey)
	}
	return fmt.Sprintf(pick(l, "%d of the recovery keys %s may replace the persons after %s", "%d das chaves de recuperação %s podem substituir as pessoas após %s"),
		r.Threshold, strings.Join(keys, ", "), r.Delay)
}
