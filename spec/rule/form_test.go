package rule

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Each form is held against the regular expression that says it.
func TestForms(t *testing.T) {
	forms := []struct {
		name, text, bytes string
		is                func(string) bool
	}{
		{"id", idText, "az09-A", isID},
		{"bare", `^[a-z]+:[A-Za-z0-9:._/-]+$`, "azA0:._/- ", isBare},
		{"amount", `^(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$`, "0123.-", func(s string) bool { _, _, ok := cutAmount(s); return ok }},
		{"plain pointer", `^(/[A-Za-z0-9_.-]+)+$`, "aZ0_.-/~", isPlainPointer},
		{"clock", `^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$`, "0123456:", isClock},
		{"city", `^(Africa|America|Asia|Atlantic|Australia|Europe|Indian|Pacific)/([A-Z][A-Za-z]+([_-][A-Za-z]+)*)$`, "aZ_-/", func(s string) bool {
			city, ok := cityOf(s)
			return ok && strings.HasSuffix(s, "/"+city)
		}},
	}
	for _, f := range forms {
		form := regexp.MustCompile(f.text)
		texts := rapid.OneOf(rapid.StringMatching(f.text), rapid.StringOfN(rapid.SampledFrom([]rune(f.bytes+"é\n")), 0, 40, -1),
			rapid.Map(rapid.StringMatching(f.text), func(s string) string { return s + f.bytes[:1] }),
			rapid.Map(rapid.StringOfN(rapid.SampledFrom([]rune(f.bytes)), 0, 9, -1), func(s string) string { return "Europe/" + s }),
			rapid.StringMatching(`[0-2][0-9]:[0-9]{2}|[0-9]{1,16}(\.[0-9]{0,5})?`))
		t.Run(f.name, rapid.MakeCheck(func(t *rapid.T) {
			if s := texts.Draw(t, "text"); f.is(s) != form.MatchString(s) {
				t.Fatalf("%q: %v, and by the expression %v", s, f.is(s), !f.is(s))
			}
		}))
	}
}

// A pointer is one that the schema admits, without array indices.
func TestPointerForm(t *testing.T) {
	form, indices := regexp.MustCompile(`^(/([^~/]|~[01])+)+$`), regexp.MustCompile(`/([0-9]+|-)(/|$)`)
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.OneOf(rapid.StringMatching(`(/([a0~-]|~[01]){0,3}){0,3}`), rapid.StringMatching(`(/([ab01é-]|~[01]){1,3}){1,3}`)).Draw(t, "pointer")
		if want := form.MatchString(p) && !indices.MatchString(p); isPointer(p) != want {
			t.Fatalf("%q: want %v", p, want)
		}
	})
}

// A total has the form that the regular expression says, and is what it was written as.
func TestUnitsForm(t *testing.T) {
	form := regexp.MustCompile(`^[0-9]{1,19}(\.[0-9]{1,4})?$`)
	rapid.Check(t, func(t *rapid.T) {
		s, unit := rapid.OneOf(rapid.StringMatching(`[+-]?[0-9_]{0,20}(\.[0-9+-]{0,5}){0,2}`), rapid.StringMatching(form.String())).Draw(t, "total"),
			rapid.SampledFrom([]string{"EUR", "JPY", "KWD", "CLF", UnitCount}).Draw(t, "unit")
		if n, err := ParseUnits(s, unit); err == nil && (!form.MatchString(s) || FormatUnits(n, unit) != s) {
			t.Fatalf("%q is taken for %d", s, n)
		}
	})
}
