package rule_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/writ-trust/writ/spec/rule"
)

var update = flag.Bool("update", false, "write testdata/sentences.txt anew")

// TestSentences holds every sentence of the catalogue to testdata/sentences.txt. People sign what these say: whoever
// changes a word raises Catalogue.
func TestSentences(t *testing.T) {
	var b strings.Builder
	fmt.Fprintf(&b, "catalogue %s\n", rule.Catalogue)
	for _, s := range valid {
		c := parse(t, s)
		fmt.Fprintf(&b, "\n%s\n", s)
		for _, l := range rule.Locales() {
			fmt.Fprintf(&b, "%s: %s\n", l, c.Sentence(l))
		}
	}
	fmt.Fprintf(&b, "\nlifts\n")
	for _, l := range rule.Locales() {
		fmt.Fprintf(&b, "%s: %s\n", l, l.Lift(parse(t, daily), 70000, "EUR"))
		fmt.Fprintf(&b, "%s: %s\n", l, l.Lift(parse(t, `{"id":"x","type":"count","max":5}`), 1, rule.UnitCount))
	}
	const path = "testdata/sentences.txt"
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("sentences differ from %s (write it anew with -update, and raise Catalogue):\n%s", path, b.String())
	}
}

func TestLocaleMoney(t *testing.T) {
	for _, c := range []struct {
		minor    int64
		currency string
		en, pt   string
	}{
		{1000000, "EUR", "€10,000.00", "10 000,00 €"},
		{420000, "EUR", "€4,200.00", "4 200,00 €"},
		{1, "EUR", "€0.01", "0,01 €"},
		{99999, "GBP", "£999.99", "999,99 £"},
		{123456789, "JPY", "JPY 123,456,789", "123 456 789 JPY"},
		{100000, "USD", "USD 1,000.00", "1 000,00 USD"},
		{1234567, "KWD", "KWD 1,234.567", "1 234,567 KWD"},
		{-100000, "EUR", "€-1,000.00", "-1 000,00 €"},
	} {
		m := rule.Money{Minor: c.minor, Currency: c.currency}
		for l, want := range map[rule.Locale]string{rule.English: c.en, rule.Portuguese: c.pt, "xx": c.en} {
			if got := strings.ReplaceAll(l.Money(m), "\u00a0", " "); got != want {
				t.Errorf("%s: %q, want %q", l, got, want)
			}
		}
	}
}
