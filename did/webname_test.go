package did

import (
	"regexp"
	"testing"

	"pgregory.net/rapid"
)

// TestWebName holds the check against the pattern that it stands for.
func TestWebName(t *testing.T) {
	form := regexp.MustCompile(
		`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?(%3A[1-9][0-9]{0,4})?(:[A-Za-z0-9][A-Za-z0-9._-]*)*$`)
	names := rapid.OneOf(
		rapid.StringMatching(`([a-z0-9-]{0,4}\.){0,3}[a-z0-9-]{0,4}(%3[Aa][0-9]{0,6})?(:[A-Za-z0-9._-]{0,3}){0,3}`),
		rapid.StringMatching(`[a-z]{60,66}(\.[a-z]{60,66})?`), rapid.StringMatching(`[a-zA-Z0-9.:%_-]{0,12}`), rapid.String())
	rapid.Check(t, func(t *rapid.T) {
		name := names.Draw(t, "name")
		if got, want := isWebName(name), form.MatchString(name); got != want {
			t.Fatalf("%q: %v, want %v", name, got, want)
		}
	})
}
