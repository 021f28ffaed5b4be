package jcs

import (
	"testing"

	"pgregory.net/rapid"
)

type written struct {
	Text   string            `json:"text,omitempty"`
	Number int64             `json:"number,omitempty"`
	List   []string          `json:"list,omitempty"`
	Inner  []written         `json:"inner,omitempty"`
	Names  map[string]string `json:"names,omitempty"`
	Yes    bool              `json:"yes,omitempty"`
	Raw    Value             `json:"raw,omitempty"`
	Last   *written          `json:"élast,omitempty"`
	Need   []string          `json:"need"`
}

// What is written at once is what ValueOf makes of it, and is refused where that refuses, in the same words.
func TestWrittenAtOnce(t *testing.T) {
	texts := rapid.SampledFrom([]string{"", "a", "a b", "b", "c", "\"\\\n", "é", "A", "e\u0301", "\uFFFE", "\xff"})
	raws := rapid.SampledFrom([]string{"", "1", `{"b":1,"a":[true]}`, "null", "[]", "1.5"})
	numbers := rapid.SampledFrom([]int64{0, 1, -MaxInt, MaxInt, MaxInt + 1, -MaxInt - 1})
	var draw func(t *rapid.T, depth int) written
	draw = func(t *rapid.T, depth int) written {
		w := written{Text: texts.Draw(t, "text"), Number: numbers.Draw(t, "number"), List: rapid.SliceOfN(texts, 0, 2).Draw(t, "list"),
			Need: rapid.SliceOfN(rapid.Just("b"), 0, 2).Draw(t, "need"), Names: rapid.MapOfN(texts, rapid.Just("c"), 0, 2).Draw(t, "names"),
			Yes: rapid.Bool().Draw(t, "yes")}
		w.Raw, _ = Parse([]byte(raws.Draw(t, "raw")))
		for range rapid.IntRange(0, depth).Draw(t, "inner") {
			inner := draw(t, depth-1)
			w.Last, w.Inner = &inner, append(w.Inner, inner)
		}
		return w
	}
	met := map[bool]int{}
	rapid.Check(t, func(t *rapid.T) {
		w := draw(t, rapid.IntRange(0, 2).Draw(t, "depth"))
		got, err := Marshal(w)
		want, wantErr := ValueOf(w)
		met[err == nil]++
		if (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() || string(got) != string(want.Canonical()) {
			t.Fatalf("%s, %v; want %s, %v", got, err, want.Canonical(), wantErr)
		}
	})
	if met[true] == 0 || met[false] == 0 {
		t.Fatalf("all alike: %v", met)
	}
}
