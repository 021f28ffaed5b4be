package jcs

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	oracle "github.com/gowebpki/jcs"
	"pgregory.net/rapid"
)

// writer writes random JSON in random spelling.
type writer struct {
	t   *rapid.T
	out strings.Builder
}

func (w *writer) pick(label string, options ...string) string {
	return rapid.SampledFrom(options).Draw(w.t, label)
}

func (w *writer) space() { w.out.WriteString(w.pick("space", "", "", "", " ", "\n", "\t\r")) }

func (w *writer) value(depth int) {
	w.space()
	kinds := 6
	if depth == 0 {
		kinds = 4
	}
	switch rapid.IntRange(0, kinds-1).Draw(w.t, "kind") {
	case 0:
		w.out.WriteString(w.pick("word", "null", "true", "false"))
	case 1:
		w.text(randomText(w.t))
	case 2:
		w.out.WriteString(strconv.FormatInt(rapid.Int64Range(-MaxInt, MaxInt).Draw(w.t, "integer"), 10))
	case 3:
		w.double()
	case 4:
		w.array(depth - 1)
	default:
		w.object(depth - 1)
	}
	w.space()
}

func (w *writer) double() {
	f := math.Float64frombits(rapid.Uint64().Draw(w.t, "bits"))
	if math.IsNaN(f) || math.IsInf(f, 0) {
		f = 1.5
	}
	format := rapid.SampledFrom([]byte("eEgG")).Draw(w.t, "format")
	w.out.WriteString(strconv.FormatFloat(f, format, rapid.SampledFrom([]int{-1, 17, 25}).Draw(w.t, "digits"), 64))
}

func (w *writer) array(depth int) {
	w.out.WriteByte('[')
	for i := range rapid.IntRange(0, 4).Draw(w.t, "elements") {
		if i > 0 {
			w.out.WriteByte(',')
		}
		w.value(depth)
	}
	w.out.WriteByte(']')
}

func (w *writer) object(depth int) {
	w.out.WriteByte('{')
	seen := map[string]bool{}
	for range rapid.IntRange(0, 6).Draw(w.t, "members") {
		name := randomText(w.t)
		if seen[name] {
			continue
		}
		if len(seen) > 0 {
			w.out.WriteByte(',')
		}
		seen[name] = true
		w.space()
		w.text(name)
		w.space()
		w.out.WriteByte(':')
		w.value(depth)
	}
	w.out.WriteByte('}')
}

// text writes each character as itself or escaped.
func (w *writer) text(s string) {
	w.out.WriteByte('"')
	for _, r := range s {
		must := r < 0x20 || r == '"' || r == '\\'
		switch {
		case !must && rapid.IntRange(0, 5).Draw(w.t, "escape") > 0:
			w.out.WriteRune(r)
		case r > 0xFFFF:
			r -= 0x10000
			fmt.Fprintf(&w.out, `\u%04x\u%04X`, 0xD800+r>>10, 0xDC00+r&0x3FF)
		case r == '\n' && w.pick("line end", "short", "long") == "short":
			w.out.WriteString(`\n`)
		case r == '/':
			w.out.WriteString(`\/`)
		default:
			fmt.Fprintf(&w.out, `\u%04X`, r)
		}
	}
	w.out.WriteByte('"')
}

// randomText favours the characters that are spelt or sorted in a special way.
func randomText(t *rapid.T) string {
	r := rapid.SampledFrom([]rune("aAbBzZ019 _\"\\/\b\f\n\r\t\x00\x1f\x7f<>&é€\u2028\ud7ff\ue000\ufb33\ufffd😂\U00010000\U0010fffd"))
	return rapid.StringOfN(r, 0, 6, -1).Draw(t, "text")
}

// TestAgreesWithOthers compares canonical forms with those of two other
// implementations, on documents that all three must accept.
func TestAgreesWithOthers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &writer{t: t}
		w.object(4)
		in := []byte(w.out.String())
		v, err := Parse(in)
		if err != nil {
			t.Fatalf("Parse(%s): %v", in, err)
		}
		compareWithOthers(t, in, v.Canonical())
		checkCanonicalEverywhere(t, v)
	})
}

func compareWithOthers(t interface{ Errorf(string, ...any) }, in, got []byte) {
	want, err := oracle.Transform(in)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%q: got %q, gowebpki/jcs says %q (%v)", in, got, want, err)
	}
	other := jsontext.Value(bytes.Clone(in))
	if err := other.Canonicalize(); err != nil || !bytes.Equal(got, other) {
		t.Errorf("%q: got %q, jsontext says %q (%v)", in, got, other, err)
	}
}

// checkCanonicalEverywhere checks that the canonical bytes of v and of all values
// in it parse to the same again.
func checkCanonicalEverywhere(t interface{ Errorf(string, ...any) }, v Value) {
	again, err := Parse(v.Canonical())
	if err != nil || !bytes.Equal(again.Canonical(), v.Canonical()) {
		t.Errorf("%q came back as %q (%v)", v.Canonical(), again.Canonical(), err)
	}
	for _, m := range v.Members() {
		checkCanonicalEverywhere(t, m.Value)
	}
	for _, e := range v.Elements() {
		checkCanonicalEverywhere(t, e)
	}
}
