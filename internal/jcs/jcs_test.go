package jcs

import (
	"encoding/json"
	"testing"
)

func parse1(t *testing.T, in string) Value {
	t.Helper()
	v, err := Parse([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestAccessors(t *testing.T) {
	v := parse1(t, `{"n":null,"t":true,"f":false,"i":-7,"big":9007199254740992,"x":1.5,"s":"text","a":[1,2],"o":{"k":1}}`)
	for name, kind := range map[string]Kind{"n": Null, "t": Bool, "i": Number, "s": String, "a": Array, "o": Object} {
		m, ok := v.Member(name)
		if !ok || m.Kind() != kind {
			t.Errorf("member %s is %v, want %v", name, m.Kind(), kind)
		}
	}
	member := func(name string) Value { m, _ := v.Member(name); return m }
	if i, ok := member("i").Int(); !ok || i != -7 {
		t.Errorf("Int = %d, %t", i, ok)
	}
	for _, name := range []string{"big", "x", "s", "none"} {
		if i, ok := member(name).Int(); ok {
			t.Errorf("Int of %s = %d", name, i)
		}
	}
	if b, ok := member("t").Bool(); !ok || !b {
		t.Error("true is not true")
	}
	if b, ok := member("f").Bool(); !ok || b {
		t.Error("false is not false")
	}
	if _, ok := member("n").Bool(); ok {
		t.Error("null is a boolean")
	}
	if s, ok := member("s").Text(); !ok || s != "text" {
		t.Errorf("Text = %q, %t", s, ok)
	}
	if n := len(member("a").Elements()); n != 2 {
		t.Errorf("%d elements", n)
	}
	if _, ok := v.Member("N"); ok {
		t.Error("names are matched whatever their case")
	}
	names := ""
	for _, m := range v.Members() {
		names += m.Name + " "
	}
	if names != "a big f i n o s t x " {
		t.Errorf("members come as %s", names)
	}
}

func TestZeroValue(t *testing.T) {
	var v Value
	if v.Kind() != Absent || !v.IsZero() || v.Canonical() != nil || v.Members() != nil || v.Elements() != nil {
		t.Error("the zero Value is not absent")
	}
	if _, ok := v.Lookup(""); ok {
		t.Error("the zero Value has itself")
	}
	if !v.Equal(Value{}) || v.Equal(parse1(t, "null")) || parse1(t, "null").Equal(v) {
		t.Error("the zero Value equals null, or not itself")
	}
}

func TestLookup(t *testing.T) {
	// The object and most pointers of RFC 6901 §5.
	v := parse1(t, `{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8}`)
	for pointer, want := range map[string]string{
		"": string(v.Canonical()), "/foo": `["bar","baz"]`, "/foo/0": `"bar"`, "/": `0`, "/a~1b": `1`, "/c%d": `2`,
		"/e^f": `3`, "/g|h": `4`, `/i\j`: `5`, `/k"l`: `6`, "/ ": `7`, "/m~0n": `8`,
	} {
		got, ok := v.Lookup(pointer)
		if !ok || string(got.Canonical()) != want {
			t.Errorf("%q leads to %s, want %s", pointer, got.Canonical(), want)
		}
	}
	for _, pointer := range []string{"foo", "/foo/2", "/foo/-1", "/foo/-", "/foo/00", "/foo/01", "/foo/+1", "/foo/", "/none", "/m~n", "/m~2n", "/m~", "/foo/0/x"} {
		if got, ok := v.Lookup(pointer); ok {
			t.Errorf("%q leads to %s", pointer, got.Canonical())
		}
	}
}

func TestWithAndWithout(t *testing.T) {
	v := parse1(t, `{"b": {"y": 1, "x": [ 2 ]}, "d": 1}`)
	text := parse1(t, `"new"`)
	for _, c := range []struct {
		name string
		got  Value
		want string
	}{
		{"insert first", v.With("a", text), `{"a":"new","b":{"x":[2],"y":1},"d":1}`},
		{"insert between", v.With("c", text), `{"b":{"x":[2],"y":1},"c":"new","d":1}`},
		{"insert last", v.With("e", text), `{"b":{"x":[2],"y":1},"d":1,"e":"new"}`},
		{"replace", v.With("b", text), `{"b":"new","d":1}`},
		{"name with escapes", v.With("\"\n", text), `{"\"\n":"new","b":{"x":[2],"y":1},"d":1}`},
		{"remove by absence", v.With("b", Value{}), `{"d":1}`},
		{"remove", v.Without("b"), `{"d":1}`},
		{"remove several", v.Without("d", "b", "z"), `{}`},
		{"from nothing", Value{}.With("a", text), `{"a":"new"}`},
		{"unchanged", v, `{"b":{"x":[2],"y":1},"d":1}`},
		{"no object", text.With("a", text), ``},
		{"not from an array", parse1(t, `[1]`).Without("a"), ``},
	} {
		if got := string(c.got.Canonical()); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestSharedValuesStay checks that building on a value does not write to it,
// which others may be reading.
func TestSharedValuesStay(t *testing.T) {
	v := parse1(t, `{"b": {"y": 1, "x": [ 2 ]}, "a": 1}`)
	inner, _ := v.Lookup("/b/x")
	before, innerBefore := &v.Canonical()[0], &inner.Canonical()[0]
	if _, err := ValueOf(map[string]Value{"v": v.With("c", inner).Without("a"), "w": v}); err != nil {
		t.Fatal(err)
	}
	if &v.Canonical()[0] != before || &inner.Canonical()[0] != innerBefore {
		t.Error("the canonical bytes of a value were written again")
	}
}

func TestEqual(t *testing.T) {
	v := parse1(t, `{"a":1.0,"b":"\u0041"}`)
	if !v.Equal(parse1(t, `{ "b":"A", "a":1 }`)) {
		t.Error("the same value in another spelling is not equal")
	}
	if v.Equal(parse1(t, `{"b":"A","a":2}`)) {
		t.Error("another value is equal")
	}
}

func TestStandardJSON(t *testing.T) {
	var doc struct {
		Raw    Value `json:"raw"`
		Absent Value `json:"absent"`
	}
	if err := json.Unmarshal([]byte(`{"raw":{"b":1,"a":2}}`), &doc); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(doc)
	if err != nil || string(out) != `{"raw":{"a":2,"b":1},"absent":null}` {
		t.Errorf("came back as %s (%v)", out, err)
	}
	if err := json.Unmarshal([]byte(`{"raw":{"a":1,"a":2}}`), &doc); err == nil {
		t.Error("encoding/json got duplicate names past us")
	}
}
