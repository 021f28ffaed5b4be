package rule_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/writ-trust/writ/spec/rule"
)

var intervals = []string{
	pause("PT1S"), pause("PT5M"), pause("PT1H30M"), pause("P1D"), pause("P1DT12H30M1S"), pause("P366D"),
}

func pause(atLeast string) string {
	return `{"id":"pause","type":"interval","atLeast":"` + atLeast + `"}`
}

func TestIntervalDuration(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"PT1S": time.Second, "PT59M59S": 59*time.Minute + 59*time.Second, "PT23H": 23 * time.Hour, "PT1H1S": time.Hour + time.Second,
		"P10D": 240 * time.Hour, "P1DT1M": 24*time.Hour + time.Minute, "P365DT23H59M59S": 366*24*time.Hour - time.Second, "P366D": 366 * 24 * time.Hour,
	} {
		d, _ := parse(t, pause(s)).Draw(rule.Action{}, at(t, "2026-12-01T12:00:00Z"))
		if got := d.Bucket.To.Sub(d.Bucket.From); got != want {
			t.Errorf("%s is %v", s, got)
		}
	}
	for _, s := range []string{"", "P", "PT", "P1DT", "P0D", "PT0S", "P01D", "PT60S", "PT60M", "PT24H", "P367D", "P366DT1S", "P999D", "P1000D",
		"P1W", "P1M", "P1Y", "PT1.5S", "-P1D", "P-1D", "p1d", " P1D", "PT1M1H", "P1D1D", "PT1S\n"} {
		if c, err := rule.Parse(value(t, pause("P1D")).With("atLeast", text(t, s))); err == nil {
			t.Errorf("%q was read as %v", s, c.Sentence(rule.English))
		}
	}
}

// TestIntervalDraw: one unit in a window that ends with the pause, against those that are not over.
func TestIntervalDraw(t *testing.T) {
	c := parse(t, pause("PT1H"))
	now := at(t, "2026-12-01T12:00:00.250Z")
	d, ok := c.Draw(rule.Action{}, now.Add(999*time.Microsecond)) // documents have no such instants
	if !ok || d.Unit != rule.UnitCount || d.Max != 1 || d.Amount != 1 || d.Reason() != rule.ReasonIntervalTooShort ||
		!d.Bucket.From.Equal(now) || !d.Bucket.To.Equal(now.Add(time.Hour)) || d.Until != d.Bucket.To ||
		!d.Sum.From.Equal(now.Add(time.Millisecond-time.Hour)) || d.Sum.To != d.Bucket.To {
		t.Errorf("%v %+v", ok, d)
	}
	if v := c.Check(rule.Action{}, at(t, "9999-01-01T00:00:00Z")); v == nil || v.Reason != rule.ReasonTimeRange {
		t.Errorf("%+v", v)
	}
}

// TestIntervalAccount keeps an account as a chain does, of windows summed by their start, and compares what it admits
// with the rule in words: no other action that still counts, less than the pause before. Holds that lapse are given back.
func TestIntervalAccount(t *testing.T) {
	c := parse(t, pause("PT10S"))
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
		type taken struct {
			window rule.Window
			used   int64
		}
		var account []taken
		for range rapid.IntRange(1, 30).Draw(t, "actions") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 1000, 4999, 5000, 9999, 10000, 10001}).Draw(t, "ms")) * time.Millisecond)
			if i := len(account) - 1; i >= 0 && rapid.Bool().Draw(t, "lapses") {
				account[i].used = 0
			}
			d, _ := c.Draw(rule.Action{}, now)
			var used int64
			far := true
			for _, a := range account {
				if !a.window.From.Before(d.Sum.From) && a.window.From.Before(d.Sum.To) {
					used += a.used
				}
				if a.used > 0 && now.Sub(a.window.From) < 10*time.Second {
					far = false
				}
				if a.used > 0 && !now.Before(a.window.To) && now.Sub(a.window.From) < 10*time.Second {
					t.Fatal("a window that is over still counts: a journal would not have loaded it")
				}
			}
			fits := d.Over(used, d.Max, 0) == 0
			if fits != far {
				t.Fatalf("at %v: admitted %v, far enough %v", now, fits, far)
			}
			if fits {
				account = append(account, taken{d.Bucket, d.Amount})
			}
		}
	})
}
