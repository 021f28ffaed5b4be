package rdfc

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec/contexts"
	"github.com/writ-trust/writ/vc"
)

var created = time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)

// mandate is the form of a mandate with approvals, a source and status entries; what is in JSON literals does not matter here.
const mandate = `{"@context":["https://www.w3.org/ns/credentials/v2","https://w3id.org/writ/v1"],
	"id":"urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33","type":["VerifiableCredential","MandateCredential"],"name":"Pay — \t\"AWS\"",
	"issuer":"did:web:acme.example","validFrom":"2026-12-01T00:00:00Z","validUntil":"2027-03-31T22:59:59Z",
	"credentialSubject":{"id":"did:key:z6MkmGHp","mandate":{"version":"1","max":9007199254740991,"zone":"Europe/Lisbon",
		"nested":{"ä":["𝄞","\u0007"],"a":1}}},
	"credentialStatus":[{"type":"BitstringStatusListEntry","statusPurpose":"revocation","statusListIndex":"94567",
			"statusListCredential":"https://writ.acme.example/v1/status/1"},
		{"type":"BitstringStatusListEntry","statusPurpose":"suspension","statusListIndex":"94567",
			"statusListCredential":"https://writ.acme.example/v1/status/2"}],
	"evidence":[{"type":["SourceDocument"],"documentKind":"contract","mediaType":"application/pdf","digestMultibase":"uEiA"},
		{"type":["MandateApproval"],"approval":{"approver":"did:web:acme.example#cfo"}},
		{"type":["MandateApproval"],"approval":{"approver":"did:web:acme.example#treasurer"}}]}`

func parse(t testing.TB, text string) jcs.Value {
	t.Helper()
	v, err := vc.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func signers(t *testing.T) []vc.Signer {
	t.Helper()
	seed := sha256.Sum256([]byte("rdfc"))
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), seed[:])
	if err != nil {
		t.Fatal(err)
	}
	p256, err := vc.NewP256Signer(key)
	if err != nil {
		t.Fatal(err)
	}
	return []vc.Signer{vc.NewEd25519Signer(ed25519.NewKeyFromSeed(seed[:])), p256}
}

func sign(t *testing.T, doc jcs.Value, s vc.Signer) jcs.Value {
	t.Helper()
	signed, err := vc.Sign(doc, vc.ProofOptions{VerificationMethod: did.MethodID(s.Public().DID()), Purpose: did.AssertionMethod,
		Created: created}, s)
	if err != nil {
		t.Fatal(err)
	}
	both, err := Add(signed, s)
	if err != nil {
		t.Fatal(err)
	}
	return both
}

func TestContextIsTheOneOfVCDM(t *testing.T) {
	sum := sha256.Sum256(contexts.Credentials)
	if got := hex.EncodeToString(sum[:]); got != "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734" {
		t.Errorf("the context of VCDM 2.0 has the digest %s", got)
	}
}

func TestAdd(t *testing.T) {
	for _, s := range signers(t) {
		doc := sign(t, parse(t, mandate), s)
		proof, err := Verify(doc, s.Public())
		if err != nil {
			t.Fatal(err)
		}
		first, _ := doc.Lookup("/proof/0")
		jcsProof, err := vc.Verify(doc.With("proof", first), s.Public())
		if err != nil {
			t.Fatalf("the JCS proof does not count any more: %v", err)
		}
		jcsProof.Cryptosuite, jcsProof.ProofValue = proof.Cryptosuite, proof.ProofValue
		if proof != jcsProof || proof.Cryptosuite != suites[s.Public().Type()] {
			t.Errorf("the proofs say different things: %+v, %+v", proof, jcsProof)
		}
		if again := sign(t, parse(t, mandate), s); !again.Equal(doc) {
			t.Error("signing again gave other bytes")
		}
	}
}

func TestAddRefuses(t *testing.T) {
	s := signers(t)
	doc := sign(t, parse(t, mandate), s[0])
	first, _ := doc.Lookup("/proof/0")
	rows := []struct {
		name, want string
		doc        jcs.Value
	}{
		{"unsigned", "proof-missing", doc.Without("proof")},
		{"a list already", "proof-not-single", doc},
		{"signed by another", "proof-signature", sign(t, parse(t, mandate), vc.NewEd25519Signer(ed25519.NewKeyFromSeed(make([]byte, 32)))).With("proof", first.With("created", text(t, "2026-12-01T09:00:01Z")))},
		{"changed since", "proof-signature", doc.With("proof", first).With("name", text(t, "Pay nobody"))},
	}
	for _, row := range rows {
		if _, err := Add(row.doc, s[0]); reasonOf(err) != row.want {
			t.Errorf("%s: %v, want %s", row.name, err, row.want)
		}
	}
	if _, err := Add(doc.With("proof", first), s[1]); reasonOf(err) != "proof-key" {
		t.Errorf("another key: %v", err)
	}
}

func TestVerifyRefuses(t *testing.T) {
	s := signers(t)[0]
	doc := sign(t, parse(t, mandate), s)
	first, _ := doc.Lookup("/proof/0")
	proof, _ := doc.Lookup("/proof/1")
	change := func(member, value string) jcs.Value { return doc.With("proof", proof.With(member, text(t, value))) }
	rows := []struct {
		name, want string
		doc        jcs.Value
	}{
		{"no proof", "proof-missing", doc.Without("proof")},
		{"JCS alone", "proof-missing", doc.With("proof", first)},
		{"twice", "proof-not-single", doc.With("proof", list(t, proof, proof))},
		{"five proofs", "proof-not-single", doc.With("proof", list(t, proof, first, first, first, first))},
		{"other context", "proof-context", doc.With("proof", proof.With("@context", list(t, text(t, "https://w3id.org/writ/v1"))))},
		{"other type", "proof-type", change("type", "Ed25519Signature2020")},
		{"other suite", "proof-key", change("cryptosuite", suiteP256)},
		{"unknown member", "member-unknown", change("nonce", "x")},
		{"other time", "proof-signature", change("created", "2026-12-01T09:00:01Z")},
		{"no time", "proof-time", change("created", "yesterday")},
		{"no end", "proof-time", change("expires", "tomorrow")},
		{"other method", "proof-signature", change("verificationMethod", "did:web:acme.example#cfo")},
		{"other purpose", "proof-signature", change("proofPurpose", did.Authentication)},
		{"domain added", "proof-signature", change("domain", "did:web:bank.example")},
		{"value cut", "proof-value", change("proofValue", "z2")},
		{"other name", "proof-signature", doc.With("name", text(t, "Pay nobody"))},
		{"inside a literal", "proof-signature", doc.With("credentialSubject", parse(t, `{"id":"did:key:z6MkmGHp","mandate":{"version":"2"}}`))},
		{"approval dropped", "proof-signature", without(t, doc, "evidence", 2)},
		{"term without meaning", "rdf-term", doc.With("limit", text(t, "none"))},
	}
	for _, row := range rows {
		if _, err := Verify(row.doc, s.Public()); reasonOf(err) != row.want {
			t.Errorf("%s: %v, want %s", row.name, err, row.want)
		}
	}
}

// TestWhatAnRDFProofDoesNotCover keeps spec/protocol.md honest: the order of an array is free for an RDF library, not for Writ.
func TestWhatAnRDFProofDoesNotCover(t *testing.T) {
	s := signers(t)[0]
	doc := sign(t, parse(t, mandate), s)
	evidence, _ := doc.Member("evidence")
	e := evidence.Elements()
	turned := doc.With("evidence", list(t, e[2], e[0], e[1]))
	if _, err := Verify(turned, s.Public()); err != nil {
		t.Errorf("the order counts: %v", err)
	}
	first, _ := doc.Lookup("/proof/0")
	if _, err := vc.Verify(turned.With("proof", first), s.Public()); reasonOf(err) != "proof-signature" {
		t.Errorf("the JCS proof: %v", err)
	}
}

// TestPresentedInGraphs: what a credential states, a presentation of it does not; conformance/interop/npm holds the bytes against
// another implementation.
func TestPresentedInGraphs(t *testing.T) {
	other := strings.NewReplacer("cc33", "cc34", "94567", "94568", "contract", "order", "#cfo", "#intern", "#treasurer", "#chair").Replace(mandate)
	doc := parse(t, `{"@context":["https://www.w3.org/ns/credentials/v2","https://w3id.org/writ/v1"],"type":["VerifiablePresentation"],
		"holder":"did:key:z6MkmGHp","verifiableCredential":[`+mandate+`,`+other+`]}`)
	quads, err := Canonicalize(doc)
	if err != nil {
		t.Fatal(err)
	}
	graphs := 0
	for line := range strings.Lines(string(quads)) {
		if strings.Contains(line, "<"+presented+"> _:") {
			graphs++
		}
		if strings.HasPrefix(line, "<urn:uuid:") && !strings.Contains(line, "> _:c14n") && !strings.Contains(line, `" _:c14n`) {
			t.Errorf("stated outside a graph: %s", line)
		}
	}
	if graphs != 2 {
		t.Errorf("%d graphs:\n%s", graphs, quads)
	}
}

func TestCanonicalizeRefuses(t *testing.T) {
	const head = `{"@context":["https://www.w3.org/ns/credentials/v2","https://w3id.org/writ/v1"],"type":["VerifiableCredential"],`
	many := func(n int, element string) string {
		return strings.TrimSuffix(strings.Repeat(element+",", n), ",")
	}
	rows := []struct{ name, want, text string }{
		{"unknown context", "rdf-context", `{"@context":["https://www.w3.org/ns/credentials/v2","https://evil.example/v1"],"type":["VerifiableCredential"]}`},
		{"inline context", "rdf-context", `{"@context":["https://www.w3.org/ns/credentials/v2",{"name":"https://evil.example/"}],"type":["VerifiableCredential"]}`},
		{"context a string", "rdf-context", `{"@context":"https://www.w3.org/ns/credentials/v2","type":["VerifiableCredential"]}`},
		{"inline context below", "rdf-context", head + `"credentialSubject":{"@context":[{"@vocab":"https://evil.example/"}],"x":"y"}}`},
		{"no context", "rdf-term", `{"name":"x"}`},
		{"unknown term", "rdf-term", head + `"limit":"none"}`},
		{"unknown term below", "rdf-term", head + `"credentialSubject":{"id":"did:key:z6","limit":"none"}}`},
		{"keyword", "rdf-keyword", head + `"credentialSubject":{"@id":"did:key:z6"}}`},
		{"like a keyword", "rdf-keyword", head + `"@foo":"x"}`},
		{"graph", "rdf-keyword", head + `"@graph":[{"name":"x"}]}`},
		{"relative subject", "rdf-reference", head + `"credentialSubject":{"id":"agent","name":"x"}}`},
		{"relative issuer", "rdf-reference", head + `"issuer":"acme"}`},
		{"relative type", "rdf-reference", head + `"credentialSubject":{"type":"Agent","name":"x"}}`},
		{"blank subject", "rdf-reference", head + `"credentialSubject":{"id":"_:b0","name":"x"}}`},
		{"subject with a space", "rdf-reference", head + `"credentialSubject":{"id":"did:key:a b","name":"x"}}`},
		{"bell", "rdf-character", head + `"name":"\u0007"}`},
		{"delete", "rdf-character", head + `"name":"\u007f"}`},
		{"objects", "rdf-size", head + `"evidence":[` + many(maxObjects, `{"name":"x"}`) + `]}`},
		{"contexts", "rdf-size", head + `"evidence":[` + many(maxContexts, `{"@context":["https://w3id.org/writ/v1"],"type":["MandateApproval"]}`) + `]}`},
		{"alike", "rdf-poison", head + `"evidence":[` + many(maxAlike+1, `{"type":["SourceDocument"]}`) + `]}`},
		{"credential by reference", "rdf-processing", `{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiablePresentation"],
			"verifiableCredential":["urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33"]}`},
		{"type a number", "rdf-processing", head[:len(head)-2] + `,5]}`},
	}
	for _, row := range rows {
		v, err := jcs.Parse([]byte(row.text))
		if err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		if _, err := Canonicalize(v); reasonOf(err) != row.want {
			t.Errorf("%s: %v, want %s", row.name, err, row.want)
		}
	}
}

// TestWorstCase holds the limits to a time: what passes them takes at most seconds, on a slow machine.
func TestWorstCase(t *testing.T) {
	const head = `{"@context":["https://www.w3.org/ns/credentials/v2","https://w3id.org/writ/v1"],"type":["VerifiableCredential"],"evidence":[`
	distinct := func(n int, form string) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(form, i))
		}
		return strings.Join(all, ",")
	}
	for name, text := range map[string]string{
		"objects":  head + distinct(maxObjects-1, `{"name":"%d"}`) + "]}",
		"typed":    head + distinct(maxObjects-1, `{"type":["SourceDocument"],"name":"%d"}`) + "]}",
		"scoped":   head + distinct(maxObjects-1, `{"type":["VerifiableCredential"],"id":"urn:x:%d"}`) + "]}",
		"contexts": head + distinct(maxContexts-1, `{"@context":["https://www.w3.org/ns/credentials/v2","https://w3id.org/writ/v1"],"name":"%d"}`) + "]}",
		"alike":    head + strings.TrimSuffix(strings.Repeat(`{"type":["SourceDocument"]},`, maxAlike), ",") + "]}",
	} {
		before := time.Now()
		_, err := Canonicalize(parse(t, text))
		took := time.Since(before)
		t.Logf("%s: %d bytes, %v, %v", name, len(text), took, err)
		if took > 20*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
}

// TestTogether canonicalises at once: the contexts are shared and stay as they are.
func TestTogether(t *testing.T) {
	doc := parse(t, mandate)
	want, err := Canonicalize(doc)
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	for range 8 {
		running.Go(func() {
			if got, err := Canonicalize(doc); err != nil || string(got) != string(want) {
				t.Errorf("%s, %v", got, err)
			}
		})
	}
	running.Wait()
}

// FuzzCanonicalize holds any document that the strict parser takes to: a refusal with a reason, or the same statements each time.
func FuzzCanonicalize(f *testing.F) {
	for _, text := range []string{mandate, `{"@context":["https://www.w3.org/ns/credentials/v2"],"type":"VerifiableCredential","name":"x"}`,
		`{"@context":["https://w3id.org/writ/v1"],"receipt":{"mandates":["a","b"],"amount":{"value":"1.00","currency":"EUR"}}}`,
		`{"@context":["https://www.w3.org/ns/credentials/v2"],"type":"VerifiablePresentation","verifiableCredential":[{"id":"urn:x:y"}]}`,
		`{"@context":["https://www.w3.org/ns/credentials/v2"],"name":{"@value":"x"}}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := vc.Parse(data)
		if err != nil {
			return
		}
		first, err := Canonicalize(doc)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("%v has no reason", err)
			}
			return
		}
		if again, err := Canonicalize(doc); err != nil || string(again) != string(first) {
			t.Errorf("%s\n%s\n%v", first, again, err)
		}
	})
}

// FuzzVerify: whatever is taken for signed makes the statements that were signed.
func FuzzVerify(f *testing.F) {
	key := vc.NewEd25519Signer(ed25519.NewKeyFromSeed(make([]byte, 32)))
	signed, err := vc.Sign(parse(f, mandate), vc.ProofOptions{VerificationMethod: did.MethodID(key.Public().DID()), Purpose: did.AssertionMethod,
		Created: created}, key)
	if err != nil {
		f.Fatal(err)
	}
	both, err := Add(signed, key)
	if err != nil {
		f.Fatal(err)
	}
	want, err := Canonicalize(both.Without("proof"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(both.Canonical())
	f.Add(signed.Canonical())
	second, _ := both.Lookup("/proof/1")
	f.Add(both.With("proof", second).Canonical())
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := vc.Parse(data)
		if err != nil {
			return
		}
		if _, err := Verify(doc, key.Public()); err != nil {
			if reasonOf(err) == "" {
				t.Fatalf("%v has no reason", err)
			}
			return
		}
		if got, err := Canonicalize(doc.Without("proof")); err != nil || string(got) != string(want) {
			t.Errorf("taken for signed: %s, %v", data, err)
		}
	})
}

func text(t *testing.T, s string) jcs.Value {
	t.Helper()
	v, err := jcs.ValueOf(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func list(t *testing.T, elements ...jcs.Value) jcs.Value {
	t.Helper()
	v, err := jcs.ValueOf(elements)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// without is doc without the element of a list.
func without(t *testing.T, doc jcs.Value, member string, index int) jcs.Value {
	v, _ := doc.Member(member)
	e := v.Elements()
	return doc.With(member, list(t, append(append([]jcs.Value(nil), e[:index]...), e[index+1:]...)...))
}

func reasonOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ""
}
