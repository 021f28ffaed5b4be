package vc

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
)

// vector is one folder of official test vectors (testdata/README.md).
type vector struct {
	folder, suffix, keys string
	signer               func(t *testing.T, secret []byte) Signer
}

var vectors = []vector{
	{"eddsa-jcs-2022", "JCS", "keyPair.json", func(t *testing.T, secret []byte) Signer {
		return NewEd25519Signer(ed25519.NewKeyFromSeed(secret))
	}},
	{"ecdsa-jcs-2019", "JCSECDSAP256", "p256KeyPair.json", func(t *testing.T, secret []byte) Signer {
		key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), secret)
		if err != nil {
			t.Fatal(err)
		}
		signer, err := NewP256Signer(key)
		if err != nil {
			t.Fatal(err)
		}
		return signer
	}},
}

func (v vector) read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + v.folder + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// load returns the signed credential, and a signer with its key.
func (v vector) load(t *testing.T) (jcs.Value, Signer) {
	t.Helper()
	var keys struct{ PublicKeyMultibase, PrivateKeyMultibase, SecretKeyMultibase string }
	if err := json.Unmarshal(v.read(t, v.keys), &keys); err != nil {
		t.Fatal(err)
	}
	secret, err := jcs.DecodeBase58(keys.PrivateKeyMultibase + keys.SecretKeyMultibase)
	if err != nil {
		t.Fatal(err)
	}
	signer := v.signer(t, secret[2:]) // after the multicodec prefix
	if signer.Public().Multikey() != keys.PublicKeyMultibase {
		t.Fatalf("key %v, want %v", signer.Public(), keys.PublicKeyMultibase)
	}
	doc, err := Parse(v.read(t, "signed"+v.suffix+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return doc, signer
}

func TestOfficialVectors(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.folder, func(t *testing.T) {
			doc, signer := v.load(t)
			proof, err := Verify(doc, signer.Public())
			if err != nil {
				t.Fatal(err)
			}
			if key, err := did.KeyOf(keyDID(proof.VerificationMethod)); err != nil || key != signer.Public() {
				t.Errorf("verification method names %v, %v", key, err)
			}
			unsigned := doc.Without("proof")
			config, _ := doc.Member("proof")
			config = config.Without("proofValue")
			equal(t, "canonDoc", unsigned.Canonical(), v.read(t, "canonDoc"+v.suffix+".txt"))
			equal(t, "proofCanon", config.Canonical(), v.read(t, "proofCanon"+v.suffix+".txt"))
			equal(t, "combinedHash", hexOf(hashData(config, unsigned)), v.read(t, "combinedHash"+v.suffix+".txt"))
			signature, err := proof.signature()
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "sigHex", hexOf(signature), v.read(t, "sigHex"+v.suffix+".txt"))
			equal(t, "sigBTC58", []byte(proof.ProofValue), v.read(t, "sigBTC58"+v.suffix+".txt"))
		})
	}
}

// TestSignOfficialVectors signs the official documents again: both suites are deterministic here,
// and W3C's signatures were made the same way.
func TestSignOfficialVectors(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.folder, func(t *testing.T) {
			doc, signer := v.load(t)
			proof, err := ReadProof(doc)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Sign(doc.Without("proof"), ProofOptions{
				VerificationMethod: proof.VerificationMethod, Purpose: proof.ProofPurpose, Created: proof.Created,
			}, signer)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "signed document", got.Canonical(), doc.Canonical())
		})
	}
}

func keyDID(method string) string {
	before, _, _ := bytes.Cut([]byte(method), []byte("#"))
	return string(before)
}

func hexOf(b []byte) []byte { return []byte(hex.EncodeToString(b)) }

func equal(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("%s:\n got %s\nwant %s", what, got, want)
	}
}
