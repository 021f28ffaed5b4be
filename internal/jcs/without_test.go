package jcs

import (
	"crypto/sha256"
	"testing"

	"pgregory.net/rapid"
)

// What is read and hashed without some members is as if these had been taken out before.
func TestWithoutWriting(t *testing.T) {
	names := []string{"a", "b", "é", "\"q", "\n", "proof", "z"}
	rapid.Check(t, func(t *rapid.T) {
		var v Value
		for _, name := range rapid.SliceOfDistinct(rapid.SampledFrom(names), rapid.ID).Draw(t, "members") {
			text, err := ValueOf(rapid.StringN(0, 9, -1).Draw(t, "text"))
			if err == nil {
				v = v.With(name, text)
			}
		}
		if parsed, err := ParseDocument(v.Canonical()); err == nil && rapid.Bool().Draw(t, "parsed") {
			v = parsed
		}
		out := rapid.SliceOf(rapid.SampledFrom(names)).Draw(t, "out")
		rest := v.Without(out...)
		if got, want := v.SumWithout("prefix\n", out...), sha256.Sum256(append([]byte("prefix\n"), rest.Canonical()...)); got != want {
			t.Fatalf("%s without %q: not the sum of %s", v.Canonical(), out, rest.Canonical())
		}
		var got, want map[string]string
		exact, err := v.DecodeWithout(&got, out...)
		if wantErr := rest.Decode(&want); (err == nil) != (wantErr == nil) || err == nil && (len(got) != len(want) || exact != rest.Exact(&want)) {
			t.Fatalf("%s without %q: %v, %v; want %v, %v", v.Canonical(), out, got, err, want, wantErr)
		}
	})
}
