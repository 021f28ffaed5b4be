package jcs

import (
	"bytes"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// FuzzParse checks that what is accepted has a canonical form on which other
// implementations agree and which is its own canonical form, and that documents
// survive being decoded and written again.
func FuzzParse(f *testing.F) {
	for _, refused := range [][]refusal{refusedByBoth, refusedAsDocument} {
		for _, r := range refused {
			f.Add([]byte(r.in))
		}
	}
	canonical, indented := mandate(f)
	f.Add(canonical)
	f.Add(indented)
	f.Add(readFile(f, "testdata/rfc8785/input/weird.json"))
	f.Add(readFile(f, "testdata/rfc8785/input/values.json"))
	f.Fuzz(func(t *testing.T, in []byte) {
		v, err := Parse(in)
		document, documentErr := ParseDocument(in)
		if bundle, err := ParseBundle(in); len(in) <= MaxSize && (reasonOf(err) != reasonOf(documentErr) || !bundle.Equal(document)) {
			t.Errorf("%q: as a bundle %v, as a document %v", in, err, documentErr)
		}
		if err != nil {
			if documentErr == nil {
				t.Errorf("a document that Parse refuses: %v", err)
			}
			return
		}
		again, err := Parse(v.Canonical())
		if err != nil || !again.Equal(v) {
			t.Fatalf("%q came back as %q (%v)", v.Canonical(), again.Canonical(), err)
		}
		other := jsontext.Value(bytes.Clone(in))
		if err := other.Canonicalize(); err != nil || !bytes.Equal(other, v.Canonical()) {
			t.Errorf("%q: got %q, jsontext says %q (%v)", in, v.Canonical(), other, err)
		}
		if documentErr == nil {
			checkRewritten(t, document)
		}
	})
}

func checkRewritten(t *testing.T, document Value) {
	var members map[string]Value
	if err := document.Decode(&members); err != nil {
		t.Fatal(err)
	}
	out, err := Marshal(members)
	if err != nil || !bytes.Equal(out, document.Canonical()) {
		t.Errorf("%q written again is %q (%v)", document.Canonical(), out, err)
	}
}

func FuzzDecodeBase64(f *testing.F) {
	for _, s := range []string{"", "u", "uAA", "uAB", "uAAA", "uA\nA", "uAA=", "u-_", "u+/", Digest("", nil)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if b, err := DecodeBase64(s); err == nil && EncodeBase64(b) != s {
			t.Errorf("%q came back as %q", s, EncodeBase64(b))
		}
		if sum, err := ParseDigest(s); err == nil && FormatDigest(sum) != s {
			t.Errorf("%q came back as %q", s, FormatDigest(sum))
		}
	})
}

func FuzzDecodeBase58(f *testing.F) {
	for _, s := range []string{"", "z", "z1", "z11", "z2NEpo7TZRRrLZSi2U", "z0", "zl", "Z1", EncodeBase58(bytes.Repeat([]byte{255}, 64))} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if b, err := DecodeBase58(s); err == nil && EncodeBase58(b) != s {
			t.Errorf("%q came back as %q", s, EncodeBase58(b))
		}
	})
}
