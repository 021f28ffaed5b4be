package log

import (
	"bytes"
	"testing"
)

func FuzzParseCheckpoint(f *testing.F) {
	f.Add("ledger.example/log\n17\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n")
	f.Add("o\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseCheckpoint(text)
		if err == nil && c.Text() != text {
			t.Errorf("%q came back as %q", text, c.Text())
		}
	})
}

// FuzzOpenCheckpoint accepts no other bytes than those that were signed, but for lines of unknown keys.
func FuzzOpenCheckpoint(f *testing.F) {
	good := signTest(f, Checkpoint{testOrigin, 17, testRoot})
	f.Add(good)
	f.Add([]byte(exampleCheckpoint))
	f.Add([]byte(exampleNote))
	f.Add(cosign(f, good, 10))
	key := &testSigner(1, nil).Verifier
	f.Fuzz(func(t *testing.T, signed []byte) {
		c, err := OpenCheckpoint(signed, key)
		if err != nil {
			return
		}
		if !bytes.HasPrefix(signed, []byte(c.Text()+"\n— ")) {
			t.Errorf("%q came back as %q", signed, c.Text())
		}
		if c != (Checkpoint{testOrigin, 17, testRoot}) {
			t.Errorf("%v was never signed", c)
		}
	})
}

func FuzzParseProof(f *testing.F) {
	for _, size := range []int64{1, 2, 300} {
		text, _ := testProof(f, size, size-1)
		f.Add(text)
	}
	f.Add([]byte(proofHeader + "\nextra AAAA\nindex 0\n\n" + exampleCheckpoint))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ParseProof(text)
		if err == nil && !bytes.Equal(p.Marshal(), text) {
			t.Errorf("%q came back as %q", text, p.Marshal())
		}
	})
}

// FuzzParsePolicy knows that a policy's text is free in blanks and comments: its normal form must be stable.
func FuzzParsePolicy(f *testing.F) {
	f.Add([]byte(policyText(f)))
	f.Add([]byte("quorum none\n"))
	f.Add([]byte(testPolicy().String()))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ParsePolicy(text)
		if err != nil {
			return
		}
		again, err := ParsePolicy([]byte(p.String()))
		if err != nil || again.String() != p.String() {
			t.Errorf("%q is in normal form %q, and then %v, %v", text, p, again, err)
		}
	})
}

func FuzzParseTile(f *testing.F) {
	for _, path := range []string{"tile/0/x001/x234/067", "tile/63/000.p/255", "tile/entries/999.p/1"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		tile, err := ParseTile(path)
		if err != nil {
			return
		}
		if tile.Path() != path {
			t.Errorf("%q came back as %q", path, tile.Path())
		}
		if tile.Index < 0 || tile.Width < 1 || tile.Width > tileWidth || tile.Level < Entries || tile.Level > 63 {
			t.Errorf("%q is %v", path, tile)
		}
	})
}

func FuzzParseBundle(f *testing.F) {
	f.Add(AppendEntry(AppendEntry(nil, []byte("a")), nil))
	f.Fuzz(func(t *testing.T, bundle []byte) {
		entries, err := ParseBundle(bundle)
		if err != nil {
			return
		}
		var again []byte
		for _, e := range entries {
			again = AppendEntry(again, e)
		}
		if !bytes.Equal(again, bundle) {
			t.Errorf("%x came back as %x", bundle, again)
		}
	})
}

func FuzzParseVerifier(f *testing.F) {
	f.Add(exampleKey)
	f.Add(testSigner(1, nil).String())
	f.Add(witnessTest(f, 10).Verifier().String())
	f.Fuzz(func(t *testing.T, vkey string) {
		v, err := ParseVerifier(vkey)
		if err == nil && v.String() != vkey {
			t.Errorf("%q came back as %q", vkey, v)
		}
	})
}
