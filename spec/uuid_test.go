package spec

import (
	"regexp"
	"testing"

	"pgregory.net/rapid"
)

// TestUUID holds the check against the pattern that it stands for.
func TestUUID(t *testing.T) {
	form := regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-fA]{4}-[0-9a-f]{12}[0-9]?`).Draw(t, "s")
		if i := rapid.IntRange(0, 2*len(s)).Draw(t, "i"); i < len(s) {
			s = s[:i] + rapid.SampledFrom([]string{"", "-", "g", "0", "é"}).Draw(t, "with") + s[i+1:]
		}
		if got, want := isUUID(s), form.MatchString(s); got != want {
			t.Fatalf("%q: %v, want %v", s, got, want)
		}
	})
}
