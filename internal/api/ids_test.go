package api_test

import (
	"strings"
	"testing"

	"github.com/writ-trust/writ/internal/api"
	"github.com/writ-trust/writ/spec"
)

func TestURNOf(t *testing.T) {
	const urn = "urn:uuid:0199a1c2-0000-7000-8000-0000000000ff"
	for _, prefix := range api.Prefixes {
		if got := api.URNOf(spec.ShortID(prefix, urn), prefix); got != urn {
			t.Errorf("%s: %q", prefix, got)
		}
	}
	short := spec.ShortID("mnd", urn)
	for _, wrong := range []string{"", "mnd_", short[:29], short + "0", strings.ToUpper(short), strings.Replace(short, "0", "o", 1), short[:29] + "1"} {
		if got := api.URNOf(wrong, "mnd"); got != "" {
			t.Errorf("%q reads as %q", wrong, got)
		}
	}
	if api.URNOf(short, "dec") != "" || api.URNOf(urn) != urn {
		t.Error("another prefix reads, or a urn does not")
	}
}

// FuzzURNOf: what reads as a short id is written the same.
func FuzzURNOf(f *testing.F) {
	f.Add(spec.ShortID("dec", "urn:uuid:0199a1c2-0000-7000-8000-000000000000"))
	f.Add("dec_zzzzzzzzzzzzzzzzzzzzzzzzzz")
	f.Fuzz(func(t *testing.T, id string) {
		if urn := api.URNOf(id, "dec"); urn != "" && !strings.HasPrefix(id, "urn:uuid:") && spec.ShortID("dec", urn) != id {
			t.Errorf("%q reads as %s", id, urn)
		}
	})
}
