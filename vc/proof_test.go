package vc

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
	"pgregory.net/rapid"
)

var created = time.Date(2026, 12, 1, 9, 30, 0, 0, time.UTC)

// signers returns one signer of each type, with keys that depend on seed alone.
func signers(t testing.TB, seed byte) map[string]Signer {
	t.Helper()
	secret := append(make([]byte, 31), seed+1)
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), secret)
	if err != nil {
		t.Fatal(err)
	}
	p256, err := NewP256Signer(key)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]Signer{"Ed25519": NewEd25519Signer(ed25519.NewKeyFromSeed(secret)), "P-256": p256}
}

func parse(t testing.TB, text string) jcs.Value {
	t.Helper()
	v, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

const (
	credentialText = `{"@context":["https://www.w3.org/ns/credentials/v2","https://w3id.org/writ/v1"],
		"type":["VerifiableCredential","MandateCredential"],"issuer":"did:web:acme.example","validFrom":"2026-12-01T00:00:00Z",
		"credentialSubject":{"id":"did:key:z6Mk","limit":{"value":"10.00"},"maxUses":3,"public":true}}`
	presentationText = `{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiablePresentation"],
		"holder":"did:key:z6Mk","action":{"type":"payments.transfer"}}`
	plainText = `{"type":"MandateApproval","version":"1","decision":"approve"}`
)

// options are what the documents above need.
func options(text string, s Signer) ProofOptions {
	o := ProofOptions{
		VerificationMethod: did.MethodID(s.Public().DID()), Purpose: did.AssertionMethod, Created: created,
	}
	if text == presentationText {
		o.Purpose, o.Domain, o.Challenge = did.Authentication, "did:web:writ.acme.example", "c1"
		o.Expires = created.Add(time.Minute)
	}
	return o
}

func sign(t testing.TB, text string, s Signer) jcs.Value {
	t.Helper()
	signed, err := Sign(parse(t, text), options(text, s), s)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// reasonOf returns the reason code and pointer of an error of this package.
func reasonOf(err error) string {
	var e *Error
	if !errors.As(err, &e) {
		return fmt.Sprint(err)
	}
	return strings.TrimSpace(e.Reason + " " + e.Pointer)
}

func TestSignVerify(t *testing.T) {
	for name, s := range signers(t, 1) {
		for _, text := range []string{credentialText, presentationText, plainText} {
			signed := sign(t, text, s)
			proof, err := Verify(signed, s.Public())
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if !proof.Created.Equal(created) || proof.VerificationMethod != did.MethodID(s.Public().DID()) {
				t.Errorf("%s: read %+v", name, proof)
			}
			if again := sign(t, text, s); !again.Equal(signed) {
				t.Errorf("%s: signed twice, two results", name)
			}
			if _, err := Verify(signed, signers(t, 2)[name].Public()); reasonOf(err) != "proof-signature /proof/proofValue" {
				t.Errorf("%s: another key: %v", name, err)
			}
			if _, err := Verify(signed, did.PublicKey{}); reasonOf(err) != "proof-key /proof/cryptosuite" {
				t.Errorf("%s: no key: %v", name, err)
			}
		}
	}
}

// TestEveryScalar changes each scalar of signed documents in turn, removes each member, and adds
// one to each object: nothing of it may verify.
func TestEveryScalar(t *testing.T) {
	for name, s := range signers(t, 1) {
		for _, text := range []string{credentialText, presentationText, plainText} {
			var tree any
			if err := json.Unmarshal(sign(t, text, s).Canonical(), &tree); err != nil {
				t.Fatal(err)
			}
			changes := 0
			mutate(tree, func(what string) {
				changes++
				data, err := json.Marshal(tree)
				if err != nil {
					t.Fatal(err)
				}
				doc, err := Parse(data)
				if err != nil {
					return
				}
				if _, err := Verify(doc, s.Public()); err == nil {
					t.Errorf("%s: verifies with %s: %s", name, what, data)
				}
			})
			if changes < 20 {
				t.Errorf("only %d changes", changes)
			}
		}
	}
}

// mutate makes one change at a time in a tree of encoding/json, calls check, and takes it back.
func mutate(tree any, check func(what string)) {
	switch node := tree.(type) {
	case map[string]any:
		for name, child := range node {
			delete(node, name)
			check("no " + name)
			for _, changed := range otherScalars(child) {
				node[name] = changed
				check("other " + name)
			}
			node[name] = child
			mutate(child, check)
		}
		node["added"] = "x"
		check("a member added")
		delete(node, "added")
	case []any:
		for i, child := range node {
			for _, changed := range otherScalars(child) {
				node[i] = changed
				check(fmt.Sprintf("other [%d]", i))
			}
			node[i] = child
			mutate(child, check)
		}
	}
}

// otherScalars returns scalars near one given, none for objects and arrays.
func otherScalars(v any) []any {
	switch v := v.(type) {
	case string:
		return []any{v + "x", v[:len(v)-1], strings.ToUpper(v) + "A", ""}
	case float64:
		return []any{v + 1, fmt.Sprint(v)}
	case bool:
		return []any{!v}
	}
	return nil
}

// TestSignVerifyProperty signs random documents by random keys.
func TestSignVerifyProperty(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		keyType := rapid.SampledFrom([]string{"Ed25519", "P-256"}).Draw(rt, "type")
		s := signers(t, rapid.ByteMax(254).Draw(rt, "seed"))[keyType]
		members := rapid.MapOfN(rapid.StringMatching(`[a-m]{1,6}`), rapid.Int32(), 1, 6).Draw(rt, "members")
		members["n"] = 0
		data, err := json.Marshal(members)
		if err != nil {
			rt.Fatal(err)
		}
		signed, err := Sign(parse(t, string(data)), options("", s), s)
		if err != nil {
			rt.Fatal(err)
		}
		if _, err := Verify(signed, s.Public()); err != nil {
			rt.Errorf("%s: %v", signed.Canonical(), err)
		}
		other, err := jcs.ValueOf(int64(rapid.Int32Min(1).Draw(rt, "other")))
		if err != nil {
			rt.Fatal(err)
		}
		if _, err := Verify(signed.With("n", other), s.Public()); reasonOf(err) != "proof-signature /proof/proofValue" {
			rt.Errorf("changed: %v", err)
		}
	})
}

// TestReadProofRefusals edits the proof of a signed document, one mistake a row.
func TestReadProofRefusals(t *testing.T) {
	s := signers(t, 1)["Ed25519"]
	edit := func(doc jcs.Value, name, text string) jcs.Value {
		proof, _ := doc.Member("proof")
		if text == "" {
			return doc.With("proof", proof.Without(name))
		}
		v, err := jcs.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return doc.With("proof", proof.With(name, v))
	}
	rows := []struct{ name, doc, member, value, want string }{
		{"context removed", credentialText, "@context", "", "proof-context /proof/@context"},
		{"context a prefix", credentialText, "@context", `["https://www.w3.org/ns/credentials/v2"]`, "proof-context /proof/@context"},
		{"context in a document without", plainText, "@context", `["https://www.w3.org/ns/credentials/v2"]`, "proof-context /proof/@context"},
		{"other type", plainText, "type", `"Ed25519Signature2020"`, "proof-type /proof/type"},
		{"type as a list", plainText, "type", `["DataIntegrityProof"]`, "member-type /proof/type"},
		{"RDFC suite", plainText, "cryptosuite", `"eddsa-rdfc-2022"`, "proof-suite /proof/cryptosuite"},
		{"no method", plainText, "verificationMethod", "", "member-missing /proof/verificationMethod"},
		{"empty method", plainText, "verificationMethod", `""`, "proof-empty /proof/verificationMethod"},
		{"method as an object", plainText, "verificationMethod", `{"id":"did:key:z6Mk"}`, "member-type /proof/verificationMethod"},
		{"no purpose", plainText, "proofPurpose", "", "member-missing /proof/proofPurpose"},
		{"no created", plainText, "created", "", "member-missing /proof/created"},
		{"created with an offset", plainText, "created", `"2026-12-01T09:30:00+00:00"`, "proof-time /proof/created"},
		{"created in lower case", plainText, "created", `"2026-12-01t09:30:00z"`, "proof-time /proof/created"},
		{"created in a leap second", plainText, "created", `"2026-12-31T23:59:60Z"`, "proof-time /proof/created"},
		{"created on no day", plainText, "created", `"2026-02-29T00:00:00Z"`, "proof-time /proof/created"},
		{"no value", plainText, "proofValue", "", "proof-value /proof/proofValue"},
		{"value in base64url", plainText, "proofValue", `"u` + strings.Repeat("A", 86) + `"`, "proof-value /proof/proofValue"},
		{"value of 63 bytes", plainText, "proofValue", `"` + jcs.EncodeBase58(make([]byte, 63)) + `"`, "proof-value /proof/proofValue"},
		{"unknown member", plainText, "nonce", `"x"`, "member-unknown /proof/nonce"},
		{"id", plainText, "id", `"urn:x:y"`, "member-unknown /proof/id"},
		{"previous proof", plainText, "previousProof", `"urn:x:y"`, "member-unknown /proof/previousProof"},
		{"domain of a credential", credentialText, "domain", `"did:web:x.example"`, "proof-audience /proof"},
		{"empty domain of a credential", credentialText, "domain", `""`, "proof-empty /proof/domain"},
		{"expires of a credential", credentialText, "expires", `"2027-01-01T00:00:00Z"`, "proof-audience /proof"},
		{"challenge of a document", plainText, "challenge", `"x"`, "proof-audience /proof"},
		{"presentation to nobody", presentationText, "domain", "", "proof-audience /proof"},
		{"presentation for ever", presentationText, "expires", "", "proof-audience /proof"},
		{"presentation to a list", presentationText, "domain", `["did:web:x.example"]`, "member-type /proof/domain"},
		{"expires is no time", presentationText, "expires", `"soon"`, "proof-time /proof/expires"},
	}
	for _, row := range rows {
		doc := edit(sign(t, row.doc, s), row.member, row.value)
		if _, err := ReadProof(doc); reasonOf(err) != row.want {
			t.Errorf("%s: got %v, want %s", row.name, err, row.want)
		}
		if _, err := Verify(doc, s.Public()); err == nil {
			t.Errorf("%s: verifies", row.name)
		}
	}
}

func TestProofPlaceRefusals(t *testing.T) {
	s := signers(t, 1)["Ed25519"]
	signed := sign(t, plainText, s)
	proof, _ := signed.Member("proof")
	set, err := jcs.ValueOf([]jcs.Value{proof})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ReadProof(parse(t, plainText)); reasonOf(err) != "proof-missing" {
		t.Errorf("no proof: %v", err)
	}
	if _, err := ReadProof(signed.With("proof", set)); reasonOf(err) != "proof-not-single /proof" {
		t.Errorf("a set of one proof: %v", err)
	}
	if _, err := Sign(signed, options(plainText, s), s); reasonOf(err) != "proof-present /proof" {
		t.Errorf("signed twice: %v", err)
	}
	// A context appended after signing, to the document alone and to both.
	credential := sign(t, credentialText, s)
	longer, err := jcs.ValueOf([]string{Context, "https://w3id.org/writ/v1", "https://evil.example/v1"})
	if err != nil {
		t.Fatal(err)
	}
	appended := credential.With("@context", longer)
	if _, err := Verify(appended, s.Public()); reasonOf(err) != "proof-context /proof/@context" {
		t.Errorf("context appended: %v", err)
	}
	proof, _ = credential.Member("proof")
	if _, err := Verify(appended.With("proof", proof.With("@context", longer)), s.Public()); reasonOf(err) != "proof-signature /proof/proofValue" {
		t.Errorf("context appended to both: %v", err)
	}
}

func TestSignRefusals(t *testing.T) {
	good := signers(t, 1)["Ed25519"]
	failure := errors.New("token removed")
	rows := []struct {
		name   string
		text   string
		signer Signer
		change func(*ProofOptions)
		want   string
	}{
		{"no key", plainText, fakeSigner{}, nil, "proof-key"},
		{"short signature", plainText, fakeSigner{public: good.Public(), signature: make([]byte, 63)}, nil, "proof-value /proof/proofValue"},
		{"failing signer", plainText, fakeSigner{public: good.Public(), err: failure}, nil, failure.Error()},
		{"no created", plainText, good, func(o *ProofOptions) { o.Created = time.Time{} }, "proof-empty /proof/created"},
		{"no purpose", plainText, good, func(o *ProofOptions) { o.Purpose = "" }, "proof-empty /proof/proofPurpose"},
		{"no method", plainText, good, func(o *ProofOptions) { o.VerificationMethod = "" }, "proof-empty /proof/verificationMethod"},
		{"domain of a document", plainText, good, func(o *ProofOptions) { o.Domain = "did:web:x.example" }, "proof-audience /proof"},
		{"presentation to nobody", presentationText, good, func(o *ProofOptions) { o.Domain = "" }, "proof-audience /proof"},
	}
	for _, row := range rows {
		o := options(row.text, good)
		if row.change != nil {
			row.change(&o)
		}
		if signed, err := Sign(parse(t, row.text), o, row.signer); reasonOf(err) != row.want || !signed.IsZero() {
			t.Errorf("%s: got %v, want %s", row.name, err, row.want)
		}
	}
}

type fakeSigner struct {
	public    did.PublicKey
	signature []byte
	err       error
}

func (s fakeSigner) Public() did.PublicKey         { return s.public }
func (s fakeSigner) Sign(_ []byte) ([]byte, error) { return s.signature, s.err }

// highSigner is a P-256 signer that gives the higher s of the two, as hardware may.
type highSigner struct{ Signer }

func (h highSigner) Sign(message []byte) ([]byte, error) {
	signature, err := h.Signer.Sign(message)
	if err == nil && isLowS(signature) {
		s := new(big.Int).SetBytes(signature[32:])
		s.Sub(p256Order, s).FillBytes(signature[32:])
	}
	return signature, err
}

func TestLowS(t *testing.T) {
	low := signers(t, 1)["P-256"]
	high := highSigner{low}
	signed, err := Sign(parse(t, plainText), options(plainText, low), high)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(signed, low.Public()); err != nil {
		t.Errorf("high s not normalised: %v", err)
	}
	proof, err := ReadProof(signed)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := proof.signature()
	if err != nil {
		t.Fatal(err)
	}
	s := new(big.Int).SetBytes(signature[32:])
	s.Sub(p256Order, s).FillBytes(signature[32:])
	member, _ := signed.Member("proof")
	value, err := jcs.ValueOf(jcs.EncodeBase58(signature))
	if err != nil {
		t.Fatal(err)
	}
	config := member.Without("proofValue")
	if !low.Public().Verify(hashData(config, signed.Without("proof")), signature) {
		t.Fatal("n − s is no signature: the next check would show nothing")
	}
	if _, err := Verify(signed.With("proof", member.With("proofValue", value)), low.Public()); reasonOf(err) != "proof-high-s /proof/proofValue" {
		t.Errorf("n − s: %v", err)
	}
}

func TestLowSBounds(t *testing.T) {
	add := func(n *big.Int, by int64) []byte {
		return new(big.Int).Add(n, big.NewInt(by)).FillBytes(make([]byte, 64))
	}
	for _, row := range []struct {
		s   []byte
		low bool
	}{
		{add(p256HalfOrder, 0), true}, {add(p256HalfOrder, 1), false}, {add(p256Order, -1), false}, {add(p256Order, 0), false},
	} {
		if isLowS(row.s) != row.low {
			t.Errorf("%x: isLowS is not %v", row.s, row.low)
		}
		normal := LowS(row.s)
		if inRange := new(big.Int).SetBytes(row.s).Cmp(p256Order) < 0; isLowS(normal) != inRange {
			t.Errorf("%x became %x", row.s, normal)
		}
	}
}

func TestSuiteOfKey(t *testing.T) {
	all := signers(t, 1)
	if _, err := Verify(sign(t, plainText, all["Ed25519"]), all["P-256"].Public()); reasonOf(err) != "proof-key /proof/cryptosuite" {
		t.Errorf("Ed25519 proof, P-256 key: %v", err)
	}
	if _, err := Verify(sign(t, plainText, all["P-256"]), all["Ed25519"].Public()); reasonOf(err) != "proof-key /proof/cryptosuite" {
		t.Errorf("P-256 proof, Ed25519 key: %v", err)
	}
}

func TestCheckAudience(t *testing.T) {
	good := Proof{ProofPurpose: did.Authentication, Domain: "did:web:a.example", Challenge: "c1"}
	rows := []struct {
		name, domain, challenge, want string
		purpose                       string
	}{
		{"good", "did:web:a.example", "c1", "<nil>", did.Authentication},
		{"none asked for", "did:web:a.example", "", "<nil>", did.Authentication},
		{"other verifier", "did:web:b.example", "c1", "proof-domain /proof/domain", did.Authentication},
		{"other challenge", "did:web:a.example", "c2", "proof-challenge /proof/challenge", did.Authentication},
		{"other purpose", "did:web:a.example", "c1", "proof-purpose /proof/proofPurpose", did.AssertionMethod},
	}
	for _, row := range rows {
		p := good
		p.ProofPurpose = row.purpose
		if err := p.CheckAudience(row.domain, row.challenge); reasonOf(err) != row.want {
			t.Errorf("%s: got %v, want %s", row.name, err, row.want)
		}
	}
}

func TestCheckFresh(t *testing.T) {
	const life, skew = time.Minute, 5 * time.Second
	rows := []struct {
		name            string
		expiresIn, atIn time.Duration // after created
		want            string
	}{
		{"at creation", life, 0, "<nil>"},
		{"last instant", life, life - 1, "<nil>"},
		{"expired", life, life, "proof-expired /proof/expires"},
		{"verifier's clock behind", life, -skew, "<nil>"},
		{"from the future", life, -skew - 1, "proof-early /proof/created"},
		{"too long", life + 1, 0, "proof-life /proof/expires"},
		{"ends before it begins", -1, 0, "proof-life /proof/expires"},
		{"no life", 0, 0, "proof-life /proof/expires"},
	}
	for _, row := range rows {
		p := Proof{Created: created, Expires: created.Add(row.expiresIn)}
		if err := p.CheckFresh(created.Add(row.atIn), life, skew); reasonOf(err) != row.want {
			t.Errorf("%s: got %v, want %s", row.name, err, row.want)
		}
	}
}

// FuzzReadProof: a proof that is read says the same after its members are written again, and no
// document but the seeds verifies.
func FuzzReadProof(f *testing.F) {
	all := signers(f, 1)
	seeds := map[string]bool{}
	for _, s := range all {
		for _, text := range []string{credentialText, presentationText, plainText} {
			signed := sign(f, text, s).Canonical()
			seeds[string(signed)] = true
			f.Add(signed)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := Parse(data)
		if err != nil {
			return
		}
		p, err := ReadProof(doc)
		if err != nil {
			return
		}
		context, _ := doc.Member("@context")
		written, err := jcs.ValueOf(proofMembers{
			Context: context, Type: proofType, Cryptosuite: p.Cryptosuite, Created: memberText(doc, "created"),
			VerificationMethod: p.VerificationMethod, ProofPurpose: p.ProofPurpose, ProofValue: p.ProofValue,
			Domain: p.Domain, Challenge: p.Challenge, Expires: memberText(doc, "expires"),
		})
		if member, _ := doc.Member("proof"); err != nil || !written.Equal(member) {
			t.Errorf("%s came back as %s, %v", member.Canonical(), written.Canonical(), err)
		}
		for _, s := range all {
			if _, err := Verify(doc, s.Public()); err == nil && !seeds[string(doc.Canonical())] {
				t.Errorf("verifies: %s", data)
			}
		}
	})
}

func memberText(doc jcs.Value, name string) string {
	member, _ := doc.Lookup("/proof/" + name)
	s, _ := member.Text()
	return s
}
