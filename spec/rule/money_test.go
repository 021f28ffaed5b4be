package rule_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec/rule"
)

func reasonOf(t *testing.T, err error) string {
	t.Helper()
	var e *jcs.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v carries no reason", err)
	}
	return e.Reason
}

func TestParseAmount(t *testing.T) {
	for _, c := range []struct {
		value, currency string
		minor           int64
		reason          string // empty: it parses
	}{
		{"4200.00", "EUR", 420000, ""},
		{"0.01", "EUR", 1, ""},
		{"999999999999999.99", "EUR", 99999999999999999, ""},
		{"1", "JPY", 1, ""},
		{"1.000", "KWD", 1000, ""},
		{"1.0000", "CLF", 10000, ""},
		{"922337203685477.5807", "CLF", math.MaxInt64, ""},
		{"922337203685477.5808", "CLF", 0, rule.ReasonMoneyRange},
		{"4200.0", "EUR", 0, rule.ReasonMoneyForm},
		{"4200", "EUR", 0, rule.ReasonMoneyForm},
		{"4200.", "EUR", 0, rule.ReasonMoneyForm},
		{"4200.000", "EUR", 0, rule.ReasonMoneyForm},
		{".50", "EUR", 0, rule.ReasonMoneyForm},
		{"+1.00", "EUR", 0, rule.ReasonMoneyForm},
		{"-1.00", "EUR", 0, rule.ReasonMoneyForm},
		{"1e3", "EUR", 0, rule.ReasonMoneyForm},
		{"1e3", "JPY", 0, rule.ReasonMoneyForm},
		{"01.00", "EUR", 0, rule.ReasonMoneyForm},
		{"1,00", "EUR", 0, rule.ReasonMoneyForm},
		{"1 000.00", "EUR", 0, rule.ReasonMoneyForm},
		{" 1.00", "EUR", 0, rule.ReasonMoneyForm},
		{"1.00\n", "EUR", 0, rule.ReasonMoneyForm},
		{"١.00", "EUR", 0, rule.ReasonMoneyForm},
		{"NaN", "EUR", 0, rule.ReasonMoneyForm},
		{"", "EUR", 0, rule.ReasonMoneyForm},
		{"1234567890123456.00", "EUR", 0, rule.ReasonMoneyForm}, // 16 digits
		{"100.00", "JPY", 0, rule.ReasonMoneyForm},
		{"100.0", "JPY", 0, rule.ReasonMoneyForm},
		{"0.00", "EUR", 0, rule.ReasonMoneyZero},
		{"0", "JPY", 0, rule.ReasonMoneyZero},
		{"1", "XAU", 0, rule.ReasonCurrencyUnknown},
		{"1.00", "XXX", 0, rule.ReasonCurrencyUnknown},
		{"1.00", "eur", 0, rule.ReasonCurrencyUnknown},
		{"1.00", "HRK", 0, rule.ReasonCurrencyUnknown}, // withdrawn
		{"1.00", "", 0, rule.ReasonCurrencyUnknown},
	} {
		m, err := rule.ParseAmount(c.value, c.currency)
		switch {
		case c.reason == "" && (err != nil || m.Minor != c.minor || m.Value() != c.value):
			t.Errorf("%s %s: got %+v, %v", c.value, c.currency, m, err)
		case c.reason != "" && err == nil:
			t.Errorf("%q %s was accepted", c.value, c.currency)
		case c.reason != "" && reasonOf(t, err) != c.reason:
			t.Errorf("%q %s: got %v, want %s", c.value, c.currency, err, c.reason)
		}
	}
	if m, err := rule.ParseAmountOrZero("0.00", "EUR"); err != nil || m.Minor != 0 {
		t.Errorf("zero where it is allowed: %+v, %v", m, err)
	}
}

func TestMoneyDocument(t *testing.T) {
	for in, reason := range map[string]string{
		`{"currency":"EUR","value":"4200.00"}`:                "",
		`{"currency":"EUR","value":4200}`:                     "member-type",
		`{"value":"4200.00"}`:                                 "member-missing",
		`{"currency":"EUR","value":"4200.00","Value":"1.00"}`: "member-unknown",
		`{"currency":"EUR","value":"4200.00","scale":2}`:      "member-unknown",
		`{"currency":"EUR","value":"0.00"}`:                   rule.ReasonMoneyZero,
		`"4200.00 EUR"`:                                       "member-type",
	} {
		v, err := jcs.Parse([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		m, err := rule.ParseMoney(v)
		if reason != "" {
			if err == nil || reasonOf(t, err) != reason {
				t.Errorf("%s: got %+v, %v, want %s", in, m, err, reason)
			}
			continue
		}
		out, err := jcs.Marshal(m)
		if err != nil || string(out) != in {
			t.Errorf("%s came back as %s, %v", in, out, err)
		}
	}
	if _, err := jcs.ValueOf(rule.Money{Minor: -1, Currency: "EUR"}); err == nil {
		t.Error("a negative amount was written into a document")
	}
}

func TestMoneyArithmetic(t *testing.T) {
	eur := func(n int64) rule.Money { return rule.Money{Minor: n, Currency: "EUR"} }
	if _, err := eur(math.MaxInt64).Add(eur(1)); !errors.Is(err, rule.ErrOverflow) {
		t.Errorf("max + 1: %v", err)
	}
	if _, err := eur(math.MinInt64).Add(eur(-1)); !errors.Is(err, rule.ErrOverflow) {
		t.Errorf("min + -1: %v", err)
	}
	if _, err := eur(math.MinInt64).Sub(eur(1)); !errors.Is(err, rule.ErrOverflow) {
		t.Errorf("min - 1: %v", err)
	}
	if _, err := eur(0).Sub(eur(math.MinInt64)); !errors.Is(err, rule.ErrOverflow) {
		t.Errorf("0 - min: %v", err)
	}
	if m, err := eur(3).Sub(eur(5)); err != nil || m.Value() != "-0.02" {
		t.Errorf("3 - 5: %v %v", m.Value(), err)
	}
	usd := rule.Money{Minor: 1, Currency: "USD"}
	if _, err := usd.Add(eur(1)); !errors.Is(err, rule.ErrOtherCurrency) {
		t.Errorf("dollars and euros: %v", err)
	}
	if _, err := usd.Cmp(eur(1)); !errors.Is(err, rule.ErrOtherCurrency) {
		t.Errorf("dollars against euros: %v", err)
	}
}

var currencies = rapid.SampledFrom([]string{"EUR", "JPY", "KWD", "CLF", "USD"})

func TestUnitsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		unit := rapid.OneOf(currencies, rapid.Just(rule.UnitCount)).Draw(t, "unit")
		n := rapid.Int64Range(0, math.MaxInt64).Draw(t, "n")
		back, err := rule.ParseUnits(rule.FormatUnits(n, unit), unit)
		if err != nil || back != n {
			t.Fatalf("%d %s came back as %d, %v", n, unit, back, err)
		}
	})
	for s, unit := range map[string]string{"1.0": "EUR", "1.0 ": "EUR", "01.00": "EUR", "-1.00": "EUR", "1": "EUR",
		"1.00": rule.UnitCount, "9223372036854775808": rule.UnitCount, "2": "XAU", "+2": rule.UnitCount} {
		if n, err := rule.ParseUnits(s, unit); err == nil {
			t.Errorf("%q %s was read as %d", s, unit, n)
		}
	}
}

// TestOver compares with the definition: the smallest lift that admits the draw.
func TestOver(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		small := rapid.Int64Range(0, 1000)
		d := rule.Draw{Amount: small.Draw(t, "amount") + 1}
		used, limit, lifts := small.Draw(t, "used"), small.Draw(t, "max"), small.Draw(t, "lifts")
		over := d.Over(used, limit, lifts)
		admits := func(lift int64) bool { return used+d.Amount <= limit+lifts+lift }
		if !admits(over) || over > 0 && admits(over-1) {
			t.Fatalf("used %d, amount %d, max %d, lifts %d: over %d", used, d.Amount, limit, lifts, over)
		}
	})
	for _, c := range []struct{ amount, used, max, lifts, want int64 }{
		{1, math.MaxInt64, math.MaxInt64, math.MaxInt64, math.MaxInt64},
		{math.MaxInt64, 0, math.MaxInt64, 1, 0},
		{math.MaxInt64, 1, math.MaxInt64, 0, math.MaxInt64},
		{-5, 10, 5, 0, math.MaxInt64},
		{0, 0, 5, 0, math.MaxInt64},
		{5, -10, 5, 0, math.MaxInt64},
		{5, 0, 5, -1, math.MaxInt64},
	} {
		if got := (rule.Draw{Amount: c.amount}).Over(c.used, c.max, c.lifts); got != c.want {
			t.Errorf("%+v: over %d", c, got)
		}
	}
}

func FuzzParseAmount(f *testing.F) {
	for _, seed := range []string{"4200.00", "4200.0", "+1", "1e3", "0", "1234567890123456", "922337203685477.5807", "1.00\n"} {
		for _, currency := range []string{"EUR", "JPY", "CLF", "XAU"} {
			f.Add(seed, currency)
		}
	}
	f.Fuzz(func(t *testing.T, value, currency string) {
		m, err := rule.ParseAmount(value, currency)
		if err != nil {
			return
		}
		if m.Value() != value || m.Currency != currency || m.Minor <= 0 {
			t.Errorf("%q %q came back as %q %q", value, currency, m.Value(), m.Currency)
		}
		if n, err := rule.ParseUnits(value, currency); err != nil || n != m.Minor {
			t.Errorf("%q as a total: %d, %v", value, n, err)
		}
		if strings.ContainsAny(value, "eE+-, ") {
			t.Errorf("%q was accepted", value)
		}
	})
}
