package rule_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/writ-trust/writ/spec/rule"
)

// typeForm is an action type as protocol.md 2.4 writes it.
var typeForm = regexp.MustCompile(`\A[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*\z`)

func validType(s string) bool { return len(s) <= 128 && typeForm.MatchString(s) }

func validPattern(s string) bool { return len(s) <= 128 && validType(strings.TrimSuffix(s, ".*")) }

// matchAction is the rule as the regular expression says it.
func matchAction(pattern, actionType string) bool {
	if !validPattern(pattern) || !validType(actionType) {
		return false
	}
	if stem, open := strings.CutSuffix(pattern, "*"); open {
		return strings.HasPrefix(actionType, stem)
	}
	return pattern == actionType
}

func checkActionType(t interface{ Errorf(string, ...any) }, pattern, actionType string) {
	for _, s := range []string{pattern, actionType} {
		if got := rule.ValidType(s); got != validType(s) {
			t.Errorf("ValidType(%q) is %v", s, got)
		}
		if got := rule.ValidPattern(s); got != validPattern(s) {
			t.Errorf("ValidPattern(%q) is %v", s, got)
		}
	}
	if got := rule.MatchAction(pattern, actionType); got != matchAction(pattern, actionType) {
		t.Errorf("MatchAction(%q, %q) is %v", pattern, actionType, got)
	}
	if rule.CoversPattern(pattern, actionType) && (!validPattern(pattern) || !validPattern(actionType)) {
		t.Errorf("CoversPattern(%q, %q)", pattern, actionType)
	}
}

// TestActionTypeAgainstRegexp goes through every short text of the characters that matter.
func TestActionTypeAgainstRegexp(t *testing.T) {
	for _, s := range textsOf("a0_.*A-", 5) {
		checkActionType(t, s, s)
	}
	pairs := textsOf("a_.*", 4)
	for _, pattern := range pairs {
		for _, actionType := range pairs {
			checkActionType(t, pattern, actionType)
		}
	}
	for n := 126; n <= 130; n++ {
		long := strings.Repeat("a", n)
		checkActionType(t, long+".*", long+".b")
		checkActionType(t, long, long)
	}
}

// textsOf returns every text of the characters, up to a length.
func textsOf(characters string, length int) []string {
	all, last := []string{""}, []string{""}
	for range length {
		var next []string
		for _, s := range last {
			for _, c := range characters {
				next = append(next, s+string(c))
			}
		}
		all, last = append(all, next...), next
	}
	return all
}

func FuzzActionType(f *testing.F) {
	f.Add("payments.*", "payments.transfer")
	f.Add("a_0.b", "a_0.b")
	f.Add("*", "..")
	f.Fuzz(func(t *testing.T, pattern, actionType string) { checkActionType(t, pattern, actionType) })
}

func BenchmarkMatchAction(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		rule.MatchAction("payments.*", "payments.transfer")
	}
}
