package rule_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec/rule"
)

// BenchmarkConstraints is what Decide asks of a mandate with eight constraints: each is checked for the action, checked
// again before its draw, and draws. One of them is an expression, another one not of the common types.
func BenchmarkConstraints(b *testing.B) {
	common := []string{
		`{"id":"each","type":"amount","max":` + eur + `}`, daily, rolling, office, payee,
		`{"id":"often","type":"count","max":50,"per":"P1D","rolling":true}`,
		`{"id":"not","type":"noneOf","pointer":"/resource","values":["iban:DE89370400440532013000"]}`,
	}
	now := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	amount := rule.Money{Minor: 420000, Currency: "EUR"}
	act, err := jcs.ParseDocument([]byte(pay))
	if err != nil {
		b.Fatal(err)
	}
	a := rule.Action{Value: act, Amount: &amount}
	one := func(text string) rule.Constraint {
		v, err := jcs.ParseDocument([]byte(text))
		if err != nil {
			b.Fatal(err)
		}
		c, err := rule.Parse(v)
		if err != nil {
			b.Fatal(err)
		}
		if v := c.Check(a, now); v != nil {
			b.Fatalf("%+v", *v)
		}
		return c
	}
	ask := func(b *testing.B, limits []rule.Constraint) {
		b.ReportAllocs()
		for b.Loop() {
			for _, c := range limits {
				for range 2 {
					if c.Check(a, now) != nil {
						b.Fatal("does not hold")
					}
				}
				c.Draw(a, now)
			}
		}
	}
	for _, last := range []string{
		`{"id":"n","type":"oneOf","pointer":"/parameters/n","values":[4711,4712]}`,
		limit(`action.amount <= money("5000.00","EUR") && (action.parameters.n in [4711,4712] || action.parameters.b) && action.resource.startsWith("iban:PT")`),
	} {
		limits := []rule.Constraint{one(last)}
		for _, text := range common {
			limits = append(limits, one(text))
		}
		b.Run(fmt.Sprintf("%d/%s", len(limits), limits[0].Type()), func(b *testing.B) { ask(b, limits) })
		for _, c := range limits {
			b.Run(c.Type()+"/"+c.ID(), func(b *testing.B) { ask(b, []rule.Constraint{c}) })
		}
	}
}
