package rule_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec/rule"
)

var patterns = []string{
	form("INV-[0-9]{4}"),
	form("[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}"),
	form(`RF[0-9]{2}\.?[A-Za-z0-9_\-]{0,21}x{3}\?`),
	`{"each":true,"id":"x","matches":"[a-z]{1,8}","maxItems":10,"pointer":"/parameters/tags","type":"pattern"}`,
}

// form is the constraint with this pattern.
func form(matches string) string {
	v, err := jcs.ValueOf(matches)
	if err != nil {
		panic(err)
	}
	return `{"id":"x","type":"pattern","pointer":"/parameters/s","matches":` + string(v.Canonical()) + `}`
}

func matches(t interface{ Fatal(...any) }, c rule.Constraint, s string) bool {
	v, err := jcs.ValueOf(map[string]map[string]string{"parameters": {"s": s}})
	if err != nil {
		t.Fatal(err)
	}
	return c.Check(rule.Action{Value: v}, time.Time{}) == nil
}

func TestPatternMatches(t *testing.T) {
	for _, c := range []struct{ pattern, yes, no string }{
		{"a", "a", "|b|aa|A|á"},
		{"INV-[0-9]{4}", "INV-0000|INV-9999", "INV-000|INV-00000|inv-0000|INV-000a| INV-0000|INV-0000 |INV-٠٠٠٠"},
		{"a?b{2,3}", "abb|abbb|bb|bbb", "ab|abbbb|b|aabb"},
		{"a{0,2}", "|a|aa", "aaa"},
		{"a?a?a?", "|a|aa|aaa", "aaaa"},
		{`\[\]\{\}\(\)\|\?\*\+\.\^\$\-\\`, `[]{}()|?*+.^$-\`, `[]{}()|?*+x^$-\`},
		{`[\]\[\-\^\\.*]`, `]|[|-|^|\|.|*`, "a|"},
		{`[a-c0-1_ ]{2}`, "a0|_ |cc", "d0|a|a2"},
		{"-,:;<=>@!#%&'\"/`~_", "-,:;<=>@!#%&'\"/`~_", "-"},
		{"a{64}b{64}c{64}d{64}e{64}f{64}g{64}h{63}", strings.Repeat("a", 64) + strings.Repeat("b", 64) + strings.Repeat("c", 64) + strings.Repeat("d", 64) +
			strings.Repeat("e", 64) + strings.Repeat("f", 64) + strings.Repeat("g", 64) + strings.Repeat("h", 63), "abcdefgh"},
	} {
		p := parse(t, form(c.pattern))
		yes := strings.Split(c.yes, "|")
		if strings.Contains(c.pattern, `\|`) {
			yes = []string{c.yes}
		}
		for _, s := range yes {
			if !matches(t, p, s) {
				t.Errorf("%s does not match %q", c.pattern, s)
			}
		}
		for _, s := range strings.Split(c.no, "|") {
			if matches(t, p, s) {
				t.Errorf("%s matches %q", c.pattern, s)
			}
		}
	}
}

var wrongPatterns = []string{
	strings.Repeat("a", 129), "a*", "a+", "a.b", "^a", "a$", "(a)", "a|b", "a{", "a}", "{2}", "?", "a??", "a{2}{3}", "a{2}?", "a?{2}",
	"a{0}", "a{65}", "a{2,2}", "a{3,2}", "a{1,65}", "a{,2}", "a{2,}", "a{02}", "a{1,02}", "a{ 1}", "a{-1}", "a{1", "a{1,2", "a{999999999999}",
	"[", "[]", "[a", "a]", "[^a]", "[a-]", "[-a]", "[z-a]", "[a-a]", "[A-z]", "[0-z]", "[ -~]", "[a-", `[\`, `[a\q]`, `\`, `\d`, `\n`, `\a`, "á", "[á]",
	"a\n", "\x7f", "[a-[b]]", "[[:alpha:]]", "a{64}b{64}c{64}d{64}e{64}f{64}g{64}h{64}",
}

func TestPatternRefuses(t *testing.T) {
	for _, s := range wrongPatterns {
		got, err := rule.Parse(value(t, form("a")).With("matches", text(t, s)))
		var e *jcs.Error
		if got != nil || !errors.As(err, &e) || e.Reason != rule.ReasonPatternInvalid || e.Pointer != "/matches" {
			t.Errorf("%q: %v", s, err)
		}
	}
	if got, err := rule.Parse(value(t, form("a")).With("matches", text(t, ""))); err == nil {
		t.Errorf("an empty pattern was read: %v", got)
	}
}

// inGo is the same pattern for the standard library: there is nothing to translate but the anchors.
func inGo(pattern string) *regexp.Regexp { return regexp.MustCompile(`\A(?:` + pattern + `)\z`) }

// TestPatternAgainstRegexp draws patterns and texts that are close to having the form.
func TestPatternAgainstRegexp(t *testing.T) {
	met := map[bool]int{}
	property := func(t *rapid.T) {
		var pattern, sample strings.Builder
		for range rapid.IntRange(1, 12).Draw(t, "items") {
			atom := rapid.SampledFrom([]string{"a", "b", "[ab]", "[a-c]", `\.`, `[.\-]`, "[0-9a]", "-"}).Draw(t, "atom")
			least, most, repeat := drawRepeat(t)
			pattern.WriteString(atom + repeat)
			for range rapid.IntRange(least, most).Draw(t, "times") {
				sample.WriteString(rapid.StringMatching(atom).Draw(t, "text"))
			}
		}
		s := sample.String()
		if rapid.Bool().Draw(t, "spoil") {
			i := rapid.IntRange(0, len(s)).Draw(t, "where")
			s = s[:i] + rapid.SampledFrom([]string{"", "a", "b", "c", "9", "é", "."}).Draw(t, "with") + s[min(len(s), i+rapid.IntRange(0, 1).Draw(t, "cut")):]
		}
		v, err := jcs.ParseDocument([]byte(form(pattern.String())))
		if err != nil {
			t.Fatal(err)
		}
		c, err := rule.Parse(v)
		if err != nil {
			return // too long
		}
		want := inGo(pattern.String()).MatchString(s)
		met[want]++
		if got := matches(t, c, s); got != want {
			t.Fatalf("%s against %q: %v", pattern.String(), s, got)
		}
	}
	for range 20 {
		rapid.Check(t, property)
	}
	if met[true] < 200 || met[false] < 200 {
		t.Errorf("the texts are all alike: %v", met)
	}
}

func drawRepeat(t *rapid.T) (least, most int, repeat string) {
	switch rapid.IntRange(0, 3).Draw(t, "repeat") {
	case 0:
		return 1, 1, ""
	case 1:
		return 0, 1, "?"
	case 2:
		n := rapid.IntRange(1, 64).Draw(t, "n")
		return n, n, fmt.Sprintf("{%d}", n)
	}
	least = rapid.IntRange(0, 63).Draw(t, "least")
	most = rapid.IntRange(least+1, 64).Draw(t, "most")
	return least, most, fmt.Sprintf("{%d,%d}", least, most)
}

// FuzzPattern: whatever is read means the same to the standard library.
func FuzzPattern(f *testing.F) {
	for _, s := range []string{"INV-[0-9]{4}", `a?b{2,3}[x-z\-]{0,64}`, `\.\\[\]\^]`} {
		f.Add(s, "INV-0001")
	}
	for _, s := range wrongPatterns {
		f.Add(s, "a")
	}
	f.Fuzz(func(t *testing.T, pattern, s string) {
		p, err := jcs.ValueOf(pattern)
		if err != nil {
			return
		}
		v, _ := jcs.ParseDocument([]byte(form("a")))
		c, err := rule.Parse(v.With("matches", p))
		if err != nil {
			return
		}
		if _, err := jcs.ValueOf(s); err != nil {
			return
		}
		if got, want := matches(t, c, s), inGo(pattern).MatchString(s); got != want {
			t.Errorf("%s against %q: %v", pattern, s, got)
		}
	})
}

// BenchmarkPattern shows that the worst pattern costs what its length costs, not what its choices multiply to.
func BenchmarkPattern(b *testing.B) {
	for _, c := range []struct{ name, pattern, text string }{
		{"iban", "[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", "PT50000201231234567890154"},
		{"worst", strings.Repeat("a{0,64}", 7) + "a{0,63}", strings.Repeat("a", 510) + "b"},
	} {
		b.Run(c.name, func(b *testing.B) {
			v, err := jcs.ParseDocument([]byte(form(c.pattern)))
			if err != nil {
				b.Fatal(err)
			}
			p, err := rule.Parse(v)
			if err != nil {
				b.Fatal(err)
			}
			s, err := jcs.ValueOf(map[string]map[string]string{"parameters": {"s": c.text}})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				p.Check(rule.Action{Value: s}, time.Time{})
			}
		})
	}
}
