package rule_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/writ-trust/writ/spec/rule"
)

// TestDrawAgain asks one limit at instant after instant, forth and back and around the ends of its windows: it remembers the window that
// it was asked for last, and answers as one that was never asked.
func TestDrawAgain(t *testing.T) {
	a := action(t, pay)
	rapid.Check(t, func(r *rapid.T) {
		per, zone := periods.Draw(r, "per"), oddZones.Draw(r, "zone")
		c := parse(t, fmt.Sprintf(`{"id":"x","type":"budget","max":%s,"per":"%s","zone":"%s"}`, eur, per, zone))
		instant := func(name string) time.Time { return instants.Draw(r, name).AddDate(2, 0, 0) } // so are the windows' ends in range
		at := instant("first")
		for range 5 {
			want, err := rule.Calendar(per, zone, at)
			if err != nil {
				r.Fatal(err)
			}
			if d, _ := c.Draw(a, at); d.Bucket != want || d.Sum != want || d.Until != want.To {
				r.Fatalf("at %s: %+v, want %+v", at, d, want)
			}
			at = rapid.SampledFrom([]time.Time{want.From, want.To, want.From.Add(time.Nanosecond), want.To.Add(-1), instant("next")}).Draw(r, "at")
		}
	})
}

// TestDraws: of a constraint that is said to draw nothing, nobody asks what it draws; and a limit's text is that of its number.
func TestDraws(t *testing.T) {
	a := action(t, pay)
	for s, want := range map[string]bool{
		daily: true, rolling: true, payee: false, office: false, `{"id":"x","type":"amount","max":` + eur + `}`: false,
		`{"id":"x","type":"count","max":3}`: true, `{"id":"x","type":"interval","atLeast":"PT1M"}`: true, `{"id":"x","type":"approval"}`: true,
		`{"id":"x","type":"approval","above":` + eur + `}`:                                          true,
		`{"id":"x","type":"expression","expression":"action.amount <= money(\"5000.00\",\"EUR\")"}`: false,
	} {
		c := parse(t, s)
		d, draws := c.Draw(a, at(t, "2026-07-01T12:34:56Z"))
		if draws != want || rule.Draws(c) != want {
			t.Errorf("%s draws: %t, is said to: %t", s, draws, rule.Draws(c))
		}
		if draws && d.MaxText() != rule.FormatUnits(d.Max, d.Unit) {
			t.Errorf("%s: the limit is %s in words", s, d.MaxText())
		}
	}
}
