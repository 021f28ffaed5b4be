package jcs

import (
	"errors"
	"strings"
	"testing"
)

// refusal is one mistake: the bytes, why they are refused, and where.
type refusal struct{ in, reason, pointer string }

var refusedByBoth = []refusal{
	{``, "json-syntax", ""},
	{"  \n", "json-syntax", ""},
	{`{"a":1`, "json-syntax", ""},
	{`{"a":}`, "json-syntax", "/a"},
	{`{"a" 1}`, "json-syntax", "/a"},
	{`{"a":1,}`, "json-syntax", ""},
	{`{,"a":1}`, "json-syntax", ""},
	{`{a:1}`, "json-syntax", ""},
	{`{'a':1}`, "json-syntax", ""},
	{`{"a":[1,]}`, "json-syntax", "/a/1"},
	{`{"a":[1 2]}`, "json-syntax", "/a"},
	{`{"a":1 "b":2}`, "json-syntax", ""},
	{`{"a":tru}`, "json-syntax", "/a"},
	{`{"a":True}`, "json-syntax", "/a"},
	{`{"a":NaN}`, "json-syntax", "/a"},
	{`{"a":01}`, "json-syntax", ""},
	{`{"a":+1}`, "json-syntax", "/a"},
	{`{"a":.5}`, "json-syntax", "/a"},
	{`{"a":1.}`, "json-syntax", "/a"},
	{`{"a":1e}`, "json-syntax", "/a"},
	{`{"a":-}`, "json-syntax", "/a"},
	{`{"a":0x10}`, "json-syntax", ""},
	{`{"a":1}/* no */`, "json-trailing-data", ""},
	{`{"a":/**/1}`, "json-syntax", "/a"},
	{"\ufeff" + `{"a":1}`, "json-syntax", ""},
	{"{\"a\":\u00a01}", "json-syntax", "/a"},
	{"{\"a\":1}\x00", "json-trailing-data", ""},
	{`{"a":1}{"a":1}`, "json-trailing-data", ""},
	{`{"a":"x`, "json-syntax", "/a"},
	{`{"a":"x\`, "json-syntax", "/a"},
	{"{\"a\":\"x\ny\"}", "json-syntax", "/a"},
	{"{\"a\":\"\x1f\"}", "json-syntax", "/a"},
	{`{"a":"\x41"}`, "json-syntax", "/a"},
	{`{"a":"\'"}`, "json-syntax", "/a"},
	{`{"a":"\u12g4"}`, "json-syntax", "/a"},
	{`{"a":"\u12"}`, "json-syntax", "/a"},
	{`{"a":"\U0041"}`, "json-syntax", "/a"},
	{"{\"a\":\"\xff\"}", "json-utf8", "/a"},
	{"{\"a\":\"\xc0\xaf\"}", "json-utf8", "/a"},
	{"{\"a\":\"\xed\xa0\x80\"}", "json-utf8", "/a"},
	{"{\"\xff\":1}", "json-utf8", ""},
	{`{"a":"\ud800"}`, "json-surrogate", "/a"},
	{`{"a":"\udc00\ud800"}`, "json-surrogate", "/a"},
	{`{"a":"\udc00\udc00"}`, "json-surrogate", "/a"},
	{`{"a":"\ud800x"}`, "json-surrogate", "/a"},
	{`{"a":"\ud800\u0041"}`, "json-surrogate", "/a"},
	{`{"\ud800":1}`, "json-surrogate", ""},
	{`{"a":"\uffff"}`, "json-noncharacter", "/a"},
	{"{\"a\":\"\ufdd0\"}", "json-noncharacter", "/a"},
	{`{"a":"\ud83f\udffe"}`, "json-noncharacter", "/a"},
	{`{"a":1,"a":1}`, "json-duplicate-name", "/a"},
	{`{"a":1,"\u0061":2}`, "json-duplicate-name", "/a"},
	{`{"x":[{"b":1,"a":2,"b":3}]}`, "json-duplicate-name", "/x/0/b"},
	{`{"a":1e999}`, "json-number", "/a"},
	{`{"a":9007199254740993}`, "json-number", "/a"},
	{`{"a":-9007199254740993}`, "json-number", "/a"},
	{`{"a":10000000000000000000001}`, "json-number", "/a"},
	{`{"a/b":{"~c":[0,{"":tru}]}}`, "json-syntax", "/a~1b/~0c/1/"},
}

// refusedAsDocument is I-JSON that is no document of Writ's.
var refusedAsDocument = []refusal{
	{`[1]`, "json-not-object", ""},
	{`"a"`, "json-not-object", ""},
	{`1`, "json-not-object", ""},
	{`null`, "json-not-object", ""},
	{`{}`, "json-empty", ""},
	{`{"a":{}}`, "json-empty", "/a"},
	{`{"a":[ ]}`, "json-empty", "/a"},
	{`{"a":[1,null]}`, "json-null", "/a/1"},
	{`{"a":1.0}`, "json-number", "/a"},
	{`{"a":1e2}`, "json-number", "/a"},
	{`{"a":-0}`, "json-number", "/a"},
	{`{"a":0.1}`, "json-number", "/a"},
	{`{"a":9007199254740992}`, "json-number", "/a"},
	{`{"a":-9007199254740992}`, "json-number", "/a"},
	{"{\"a\":\"e\u0301\"}", "json-not-nfc", "/a"},
	{`{"a":"A\u030a"}`, "json-not-nfc", "/a"},
	{"{\"e\u0301\":1}", "json-not-nfc", ""},
	{`{"x":{"amount":1,"Amount":2}}`, "json-case-variant", "/x/amount"},
	{`{"validFrom":1,"validfrom":2}`, "json-case-variant", "/validfrom"},
	{`{"É":1,"é":2}`, "json-case-variant", "/é"},
	{`{"K":1,"` + "\u212a" + `k":2,"kK":3}`, "json-not-nfc", ""},
}

func TestRefusals(t *testing.T) {
	for _, r := range refusedByBoth {
		_, err := Parse([]byte(r.in))
		checkRefusal(t, "Parse", r, err)
		_, err = ParseDocument([]byte(r.in))
		checkRefusal(t, "ParseDocument", r, err)
	}
	for _, r := range refusedAsDocument {
		if _, err := Parse([]byte(r.in)); err != nil {
			t.Errorf("Parse(%q) = %v, want it accepted", r.in, err)
		}
		_, err := ParseDocument([]byte(r.in))
		checkRefusal(t, "ParseDocument", r, err)
	}
}

func checkRefusal(t *testing.T, call string, r refusal, err error) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Errorf("%s(%q) = %v, want %s", call, r.in, err, r.reason)
		return
	}
	if e.Reason != r.reason || e.Pointer != r.pointer {
		t.Errorf("%s(%q) = %s at %q (%s), want %s at %q", call, r.in, e.Reason, e.Pointer, e.Detail, r.reason, r.pointer)
	}
	if e.Offset < 0 || e.Offset > len(r.in) {
		t.Errorf("%s(%q) puts the mistake at byte %d", call, r.in, e.Offset)
	}
}

func TestCanonical(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{` { "b" : 1 , "a" : [ 1 , 2 ] } `, `{"a":[1,2],"b":1}`},
		{`"\u0061\u002f\/\u001F\u000a\u007f"`, `"a//\u001f\n` + "\x7f" + `"`},
		{`"\ud83d\ude02"`, `"😂"`},
		// A character beyond U+FFFF sorts before U+FB33 (RFC 8785 §3.2.3).
		{"{\"\ufb33\":1,\"\U0001f602\":2,\"\ud7ff\":3}", "{\"\ud7ff\":3,\"\U0001f602\":2,\"\ufb33\":1}"},
		{`{"aa":1,"a":2,"":3}`, `{"":3,"a":2,"aa":1}`},
		{`[1.0,1e2,-0,-0.0,1E-7,0.000001,123456789012345678e3]`, `[1,100,0,0,1e-7,0.000001,123456789012345680000]`},
		{`[9007199254740991,-9007199254740991,9007199254740992]`, `[9007199254740991,-9007199254740991,9007199254740992]`},
		{`[null, true, false, [], {}]`, `[null,true,false,[],{}]`},
	} {
		v, err := Parse([]byte(c.in))
		if err != nil {
			t.Errorf("Parse(%q): %v", c.in, err)
			continue
		}
		if got := string(v.Canonical()); got != c.want {
			t.Errorf("Parse(%q) has canonical form %q, want %q", c.in, got, c.want)
		}
	}
}

// TestCanonicalInside checks the canonical bytes of every inner value, which the
// parser takes from the input only where the input is canonical.
func TestCanonicalInside(t *testing.T) {
	in := `{"a":{"x":"\n","y":[1,2]},"b":{"y":1,"x":{"z":"\u000a"}},"c":[ 1 ],"d":[[1],{"k":1.50}]}`
	v, err := Parse([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	for pointer, want := range map[string]string{
		"/a": `{"x":"\n","y":[1,2]}`, "/a/x": `"\n"`, "/a/y": `[1,2]`, "/b": `{"x":{"z":"\n"},"y":1}`,
		"/b/x": `{"z":"\n"}`, "/b/x/z": `"\n"`, "/c": `[1]`, "/c/0": `1`, "/d": `[[1],{"k":1.5}]`, "/d/0": `[1]`, "/d/1/k": `1.5`,
	} {
		inner, ok := v.Lookup(pointer)
		if got := string(inner.Canonical()); !ok || got != want {
			t.Errorf("%s has canonical form %s, want %s", pointer, got, want)
		}
	}
}

func TestParseKeepsNothing(t *testing.T) {
	data := []byte(`{"a":"text","b":[1]}`)
	v, err := ParseDocument(data)
	if err != nil {
		t.Fatal(err)
	}
	clear(data)
	if got := string(v.Canonical()); got != `{"a":"text","b":[1]}` {
		t.Errorf("the value changed with the input: %q", got)
	}
}

func TestLimits(t *testing.T) {
	nested := func(n int) string { return strings.Repeat(`{"a":`, n-1) + `{"a":1}` + strings.Repeat("}", n-1) }
	sized := func(n int) string { return `{"a":"` + strings.Repeat("x", n-8) + `"}` }
	for _, c := range []struct{ name, in, reason string }{
		{"deepest", nested(MaxDepth), ""},
		{"too deep", nested(MaxDepth + 1), "json-depth"},
		{"far too deep", strings.Repeat("[", 100_000), "json-depth"},
		{"largest", sized(MaxSize), ""},
		{"too large", sized(MaxSize + 1), "json-size"},
	} {
		_, err := Parse([]byte(c.in))
		if got := reasonOf(err); got != c.reason {
			t.Errorf("%s: %q, want %q", c.name, got, c.reason)
		}
	}
}

// TestBundleLimits: a bundle has a limit of its own, both ways, and a document's is what it was.
func TestBundleLimits(t *testing.T) {
	for _, c := range []struct {
		size             int
		document, bundle string
	}{{MaxSize, "", ""}, {MaxSize + 1, "json-size", ""}, {MaxBundle, "json-size", ""}, {MaxBundle + 1, "json-size", "json-size"}} {
		in := map[string]string{"a": strings.Repeat("x", c.size-8)}
		text := []byte(`{"a":"` + in["a"] + `"}`)
		_, parsed := ParseDocument(text)
		_, written := Marshal(in)
		if reasonOf(parsed) != c.document || reasonOf(written) != c.document {
			t.Errorf("a document of %d bytes: read %v, written %v", c.size, parsed, written)
		}
		_, parsed = ParseBundle(text)
		_, written = MarshalBundle(in)
		if reasonOf(parsed) != c.bundle || reasonOf(written) != c.bundle {
			t.Errorf("a bundle of %d bytes: read %v, written %v", c.size, parsed, written)
		}
	}
}

func reasonOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ""
}

// TestCaseVariantsInBigObjects covers the set that replaces comparing in pairs.
func TestCaseVariantsInBigObjects(t *testing.T) {
	var members []string
	for _, a := range "abcdefgh" {
		for _, b := range "ABCDEFGH" {
			members = append(members, `"`+string(a)+string(b)+`":1`)
		}
	}
	doc := func(more ...string) []byte { return []byte("{" + strings.Join(append(members, more...), ",") + "}") }
	if _, err := ParseDocument(doc()); err != nil {
		t.Errorf("64 distinct names: %v", err)
	}
	_, err := ParseDocument(doc(`"HH":1`))
	checkRefusal(t, "ParseDocument", refusal{string(doc(`"HH":1`)), "json-case-variant", "/hH"}, err)
}
