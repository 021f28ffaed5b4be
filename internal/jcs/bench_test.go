package jcs

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	oracle "github.com/gowebpki/jcs"
)

// mandate returns a document of about 4 kB: canonical, and as people write it.
func mandate(t testing.TB) (canonical, indented []byte) {
	indented = readFile(t, "testdata/mandate.json")
	v, err := ParseDocument(indented)
	if err != nil {
		t.Fatal(err)
	}
	return v.Canonical(), indented
}

func BenchmarkParseDocument(b *testing.B) {
	canonical, indented := mandate(b)
	b.Run("canonical", func(b *testing.B) { benchmarkParse(b, canonical) })
	b.Run("indented", func(b *testing.B) { benchmarkParse(b, indented) })
}

func benchmarkParse(b *testing.B, doc []byte) {
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseDocument(doc); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkYardsticks is what the figures above are compared with: one signature
// check over the same document, and other canonicalisers.
func BenchmarkYardsticks(b *testing.B) {
	canonical, indented := mandate(b)
	b.Run("ed25519", func(b *testing.B) {
		key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
		public, signature := key.Public().(ed25519.PublicKey), ed25519.Sign(key, canonical)
		for b.Loop() {
			if !ed25519.Verify(public, canonical, signature) {
				b.Fatal("signature refused")
			}
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		for b.Loop() {
			var v any
			if err := json.Unmarshal(indented, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("gowebpki", func(b *testing.B) {
		for b.Loop() {
			if _, err := oracle.Transform(indented); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("jsontext", func(b *testing.B) {
		for b.Loop() {
			v := jsontext.Value(bytes.Clone(indented))
			if err := v.Canonicalize(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecodeBase58(b *testing.B) {
	text := EncodeBase58(bytes.Repeat([]byte{0xA5}, ed25519.SignatureSize))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeBase58(text); err != nil {
			b.Fatal(err)
		}
	}
}
