package jcs

import (
	"fmt"
	"testing"
)

// TestEscapesKeepCanonicalForm holds each spelling of each character of the first plane's beginning, in texts of every alignment,
// against the text written anew: a value is its own canonical form exactly where that is how it was spelt.
func TestEscapesKeepCanonicalForm(t *testing.T) {
	for r := range rune(0x200) {
		for _, spelling := range []string{string(r), fmt.Sprintf(`\u%04x`, r), fmt.Sprintf(`\u%04X`, r), `\` + string(r)} {
			for before := range 9 {
				text := `"` + "abcdefghi"[:before] + spelling + `jklmnopqr"`
				v, err := Parse([]byte(text))
				if err != nil {
					continue
				}
				decoded, _ := v.Text()
				if got, want := string(v.Canonical()), string(appendQuoted(nil, decoded)); got != want {
					t.Fatalf("%s is %s, not %s", text, got, want)
				}
			}
		}
	}
}
