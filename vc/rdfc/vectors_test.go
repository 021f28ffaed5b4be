package rdfc

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/vc"
)

// vector is one folder of official test vectors (testdata/README.md).
type vector struct {
	folder, suffix, keys string
	signer               func(t *testing.T, secret []byte) vc.Signer
}

var vectors = []vector{
	{"eddsa-rdfc-2022", "DataInt", "eddsa-rdfc-2022/keyPair.json", ed25519Signer},
	{"eddsa-rdfc-2022-employ", "DataInt", "eddsa-rdfc-2022/keyPair.json", ed25519Signer},
	{"ecdsa-rdfc-2019", "ECDSAP256", "ecdsa-rdfc-2019/p256KeyPair.json", p256Signer},
	{"ecdsa-rdfc-2019-employ", "ECDSAP256", "ecdsa-rdfc-2019/p256KeyPair.json", p256Signer},
}

func ed25519Signer(_ *testing.T, secret []byte) vc.Signer {
	return vc.NewEd25519Signer(ed25519.NewKeyFromSeed(secret))
}

func p256Signer(t *testing.T, secret []byte) vc.Signer {
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), secret)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := vc.NewP256Signer(key)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// withOfficial adds the contexts of the official vectors to those that are known.
func withOfficial(t testing.TB) loader {
	all := maps.Clone(known)
	all["https://www.w3.org/ns/credentials/examples/v2"] = mustParse(read(t, "examples-v2.jsonld"))
	all["https://w3id.org/citizenship/v4rc1"] = mustParse(read(t, "citizenship-v4rc1.jsonld"))
	return all
}

func (v vector) load(t *testing.T) (jcs.Value, vc.Signer) {
	t.Helper()
	var keys struct{ PublicKeyMultibase, PrivateKeyMultibase, SecretKeyMultibase string }
	if err := json.Unmarshal(read(t, v.keys), &keys); err != nil {
		t.Fatal(err)
	}
	secret, err := jcs.DecodeBase58(keys.PrivateKeyMultibase + keys.SecretKeyMultibase)
	if err != nil {
		t.Fatal(err)
	}
	signer := v.signer(t, secret[2:]) // after the multicodec prefix
	doc, err := vc.Parse(read(t, v.folder+"/signed"+v.suffix+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return doc, signer
}

func TestOfficialVectors(t *testing.T) {
	contexts := withOfficial(t)
	for _, v := range vectors {
		t.Run(v.folder, func(t *testing.T) {
			doc, signer := v.load(t)
			proof, err := verify(doc, signer.Public(), contexts)
			if err != nil {
				t.Fatal(err)
			}
			method, _, _ := strings.Cut(proof.VerificationMethod, "#")
			if key, err := did.KeyOf(method); err != nil || key != signer.Public() {
				t.Errorf("verification method names %v, %v", key, err)
			}
			m, _, err := find(doc)
			if err != nil {
				t.Fatal(err)
			}
			config, quads, err := canonical(m, doc.Without("proof"), contexts)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "canonDoc", quads, read(t, v.folder+"/canonDoc"+v.suffix+".txt"))
			equal(t, "proofCanon", config, read(t, v.folder+"/proofCanon"+v.suffix+".txt"))
			equal(t, "combinedHash", []byte(hex.EncodeToString(hashes(config, quads))), read(t, v.folder+"/combinedHash"+v.suffix+".txt"))
		})
	}
}

// TestAddOfficialVectors signs the official documents again: both suites are deterministic here, and W3C's signatures were made
// the same way, except that one ECDSA signature among them has the higher s.
func TestAddOfficialVectors(t *testing.T) {
	contexts := withOfficial(t)
	for _, v := range vectors {
		t.Run(v.folder, func(t *testing.T) {
			doc, signer := v.load(t)
			proof, err := verify(doc, signer.Public(), contexts)
			if err != nil {
				t.Fatal(err)
			}
			plain, err := vc.Sign(doc.Without("proof"), vc.ProofOptions{VerificationMethod: proof.VerificationMethod,
				Purpose: proof.ProofPurpose, Created: proof.Created}, signer)
			if err != nil {
				t.Fatal(err)
			}
			both, err := add(plain, signer, contexts)
			if err != nil {
				t.Fatal(err)
			}
			got, _ := both.Lookup("/proof/1")
			want, _ := doc.Member("proof")
			want = withLowS(t, want)
			equal(t, "proof", got.Canonical(), want.Canonical())
		})
	}
}

func withLowS(t *testing.T, proof jcs.Value) jcs.Value {
	value, _ := proof.Lookup("/proofValue")
	text, _ := value.Text()
	signature, err := jcs.DecodeBase58(text)
	suite, _ := proof.Lookup("/cryptosuite")
	if name, _ := suite.Text(); err != nil || name != suiteP256 {
		return proof
	}
	low, err := jcs.ValueOf(jcs.EncodeBase58(vc.LowS(signature)))
	if err != nil {
		t.Fatal(err)
	}
	return proof.With("proofValue", low)
}

func equal(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(bytes.TrimSpace(got), bytes.TrimSpace(want)) {
		t.Errorf("%s:\n got %s\nwant %s", what, got, want)
	}
}
