package spec_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
)

// TestNoNameReadsLikeTwo: one name that looks like several, or like more of the sentence, is not said as they are, wherever names are
// listed: else people would sign for one what they were told of another.
func TestNoNameReadsLikeTwo(t *testing.T) {
	w := writtest.Acme("listed")
	roster := func(change func(t *spec.RosterTerms, names []string)) func(...string) []string {
		return func(names ...string) []string {
			d := w.Roster(func(r *spec.Roster) {
				t := r.Terms()
				t.Persons = append(t.Persons, spec.Person{Person: `treasurer, cfo`, Name: "Eva Dias", Keys: []spec.PersonKey{{ID: w.KeyID("eva"),
					PublicKey: w.Key("eva").Public().Multikey(), Kind: "key", Grade: spec.GradeDevice}}})
				t.Powers = []spec.Power{{Actions: []string{"payments.*"}, Persons: []string{"cfo"}, Threshold: 1}}
				change(t, names)
			})
			return lines(writtest.Parsed(d).Body.(*spec.Roster).Lines)
		}
	}
	mandate := func(change func(t *spec.MandateTerms, names []string)) func(...string) []string {
		return func(names ...string) []string {
			m := *w.Mandate().Body.(*spec.Mandate)
			change(m.Terms(), names)
			return lines(m.Lines)
		}
	}
	for place, said := range map[string]func(...string) []string{
		"powers":    roster(func(t *spec.RosterTerms, names []string) { t.Powers[0].Persons = names }),
		"revokers":  roster(func(t *spec.RosterTerms, names []string) { t.Revokers = names }),
		"approvers": mandate(func(t *spec.MandateTerms, names []string) { t.Grantor.Approvers = names }),
		"resources": mandate(func(t *spec.MandateTerms, names []string) { t.Resources = names }),
		"free":      mandate(func(t *spec.MandateTerms, names []string) { t.Free = names }),
		"lifters":   mandate(func(t *spec.MandateTerms, names []string) { t.Recovery[0].Approvers = names }),
		"lifted":    mandate(func(t *spec.MandateTerms, names []string) { t.Recovery[0].For = names }),
		"scope": func(names ...string) []string {
			return lines(writtest.Parsed(w.Policy(func(p *spec.Policy) { p.Terms().Scope.Resources = names })).Body.(*spec.Policy).Lines)
		},
	} {
		two := said("treasurer", "cfo")
		if slices.Equal(two, said("treasurer, cfo")) {
			t.Errorf("%s: one name is said like two: %q", place, two)
		}
		if quoted := said(`treasurer, cfo`); !strings.Contains(strings.Join(quoted, "\n"), `"treasurer, cfo"`) || strings.Contains(strings.Join(two, "\n"), `"treasurer"`) {
			t.Errorf("%s: %q, and two plain names %q", place, quoted, two)
		}
	}
}

// lines are the sentences in every language.
func lines(in func(rule.Locale) []string) (all []string) {
	for _, l := range rule.Locales() {
		all = append(all, in(l)...)
	}
	return all
}
