package verifier_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec/rule"
)

func decode(t failer, data []byte, into *any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		t.Fatal(err)
	}
}

func encode(t failer, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// removeEach takes every member of every object away in turn, and puts it back.
func removeEach(v any, visit func(pointer string)) { removeBelow(v, "", visit) }

func removeBelow(v any, pointer string, visit func(string)) {
	switch x := v.(type) {
	case map[string]any:
		for _, name := range sortedKeys(x) {
			old := x[name]
			delete(x, name)
			visit(pointer + "/" + name)
			x[name] = old
			removeBelow(old, pointer+"/"+name, visit)
		}
	case []any:
		for _, e := range x {
			removeBelow(e, pointer+"/-", visit)
		}
	}
}

func TestFingerprint(t *testing.T) {
	a, b := newStory(t, "one"), newStory(t, "another")
	if f := a.trust.Fingerprint(); f == "" || f == b.trust.Fingerprint() {
		t.Errorf("two trust files have the fingerprints %q and %q", f, b.trust.Fingerprint())
	}
}

func salt(t failer, s string) [32]byte {
	t.Helper()
	b, err := jcs.DecodeBase64(s)
	if err != nil {
		t.Fatal(err)
	}
	return [32]byte(b)
}

func minor(t failer, euros string) int64 {
	t.Helper()
	n, err := rule.ParseUnits(euros, "EUR")
	if err != nil {
		t.Fatal(err)
	}
	return n
}
