package did

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
)

const acme = "did:web:acme.example"

// acmeDocument has a seal key under assertionMethod, a person's key under capabilityDelegation
// only, an embedded method, and much that Writ does not know.
var acmeDocument = fmt.Sprintf(`{
	"@context": ["https://www.w3.org/ns/did/v1", {"@base": "did:web:acme.example"}],
	"id": "did:web:acme.example",
	"alsoKnownAs": [], "service": null, "weight": 0.5,
	"verificationMethod": [
		{"id": "did:web:acme.example#seal", "type": "Multikey", "controller": "did:web:acme.example", "publicKeyMultibase": %q, "note": "x"},
		{"id": "#cfo", "type": "JsonWebKey2020", "controller": "did:web:acme.example", "publicKeyJwk": %s},
		{"id": "#old", "type": "Multikey", "controller": "did:web:acme.example", "publicKeyMultibase": %q, "expires": "2026-06-01T00:00:00Z", "revoked": "2026-03-01T01:00:00+01:00"},
		{"id": "#foreign", "type": "JsonWebKey", "controller": "did:web:other.example", "publicKeyJwk": {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "1", "x5t": "abc"}},
		{"id": "#tls", "type": "JsonWebKey2020", "controller": "did:web:acme.example", "publicKeyJwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}},
		{"id": "#k256", "type": "EcdsaSecp256k1VerificationKey2019", "controller": "did:web:acme.example", "publicKeyHex": "02"}
	],
	"assertionMethod": ["did:web:acme.example#seal", "#old", "#foreign", "#k256"],
	"authentication": [{"id": "#login", "type": "Multikey", "controller": "did:web:acme.example", "publicKeyMultibase": %q}],
	"capabilityDelegation": ["#cfo", "did:web:elsewhere.example#key"],
	"keyAgreement": [{"id": "#x", "type": "Multikey", "controller": "did:web:acme.example", "publicKeyMultibase": "z6LS"}]
}`, edMultikey, p256JWK, p256Multikey, p256Multikey)

func TestDocumentKey(t *testing.T) {
	doc, err := ParseDocument([]byte(acmeDocument), acme)
	if err != nil {
		t.Fatal(err)
	}
	if len(doc.Methods) != 5 {
		t.Errorf("methods %+v", doc.Methods)
	}
	cfo, err := ParseJWK([]byte(p256JWK))
	if err != nil {
		t.Fatal(err)
	}
	ed, p256 := mustParse(t, edMultikey), mustParse(t, p256Multikey)
	revoked := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	rows := []struct {
		method, purpose string
		at              time.Time
		want            PublicKey
		reason          string
	}{
		{"#seal", AssertionMethod, revoked, ed, "<nil>"},
		{"#cfo", CapabilityDelegation, revoked, cfo, "<nil>"},
		{"#login", Authentication, revoked, p256, "<nil>"},
		{"#old", AssertionMethod, revoked.Add(-1), p256, "<nil>"},
		{"#old", AssertionMethod, revoked, PublicKey{}, "did-key-ended"},
		{"#cfo", AssertionMethod, revoked, PublicKey{}, "did-purpose"},
		{"#seal", CapabilityDelegation, revoked, PublicKey{}, "did-purpose"},
		{"#login", AssertionMethod, revoked, PublicKey{}, "did-purpose"},
		{"#seal", "keyAgreement", revoked, PublicKey{}, "did-purpose"},
		{"#seal", "", revoked, PublicKey{}, "did-purpose"},
		{"#foreign", AssertionMethod, revoked, PublicKey{}, "did-controller"},
		{"#k256", AssertionMethod, revoked, PublicKey{}, "did-method-unknown"},
		{"#tls", AssertionMethod, revoked, PublicKey{}, "did-method-unknown"},
		{"#x", "keyAgreement", revoked, PublicKey{}, "did-method-unknown"},
		{"#none", AssertionMethod, revoked, PublicKey{}, "did-method-unknown"},
	}
	for _, row := range rows {
		if key, err := doc.Key(acme+row.method, row.purpose, row.at); key != row.want || reasonOf(err) != row.reason {
			t.Errorf("%s for %s: %v, %v, want %s", row.method, row.purpose, key, err, row.reason)
		}
	}
	if _, err := doc.Key("did:web:elsewhere.example#key", CapabilityDelegation, revoked); reasonOf(err) != "did-method-unknown" {
		t.Errorf("a reference elsewhere: %v", err)
	}
}

func TestParseDocumentRefusals(t *testing.T) {
	key := `{"id":"#a","type":"Multikey","controller":"did:web:acme.example","publicKeyMultibase":"` + edMultikey + `"}`
	with := func(members string) string { return `{"id":"did:web:acme.example",` + members + `}` }
	methods := func(list ...string) string { return with(`"verificationMethod":[` + strings.Join(list, ",") + `]`) }
	rows := []struct{ name, doc, want string }{
		{"empty", "", "json-syntax"},
		{"no id", `{"verificationMethod":[]}`, "did-document-subject /id"},
		{"a list", `["did:web:acme.example"]`, "did-document-subject /id"},
		{"another subject", `{"id":"did:web:other.example"}`, "did-document-subject /id"},
		{"member twice", with(`"id":"did:web:acme.example"`), "json-duplicate-name /id"},
		{"methods an object", with(`"verificationMethod":` + key), "did-document /verificationMethod"},
		{"method a reference", methods(`"#a"`), "did-document /verificationMethod/0"},
		{"method without id", methods(`{"type":"Multikey"}`), "did-document /verificationMethod/0"},
		{"method named as the DID", methods(strings.Replace(key, "#a", acme, 1)), "did-document /verificationMethod/0"},
		{"method twice", methods(key, strings.Replace(key, `"#a"`, `"did:web:acme.example#a"`, 1)), "did-document /verificationMethod/1"},
		{"method embedded again", with(`"verificationMethod":[` + key + `],"assertionMethod":[` + key + `]`), "did-document /assertionMethod/0"},
		{"broken key", methods(strings.Replace(key, edMultikey, edMultikey[:47]+"0", 1)), "did-document /verificationMethod/0"},
		{"cut P-256 key", methods(strings.Replace(key, edMultikey, jcs.EncodeBase58([]byte{0x80, 0x24, 2}), 1)), "did-document /verificationMethod/0"},
		{"no key", methods(`{"id":"#a","type":"Multikey"}`), "did-document /verificationMethod/0"},
		{"private key", methods(`{"id":"#a","type":"JsonWebKey","publicKeyJwk":{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"AA"}}`), "did-document /verificationMethod/0"},
		{"expires is no time", methods(strings.Replace(key, `"type"`, `"expires":"never","type"`, 1)), "did-document /verificationMethod/0"},
		{"revoked is no text", methods(strings.Replace(key, `"type"`, `"revoked":true,"type"`, 1)), "did-document /verificationMethod/0"},
		{"relationship a string", with(`"assertionMethod":"#a"`), "did-document /assertionMethod"},
		{"reference a number", with(`"authentication":[1]`), "did-document /authentication/0"},
		{"empty reference", with(`"capabilityDelegation":["#a",""]`), "did-document /capabilityDelegation/1"},
		{"too large", with(`"x":"` + strings.Repeat("x", MaxDocumentSize) + `"`), "did-document-size"},
	}
	for _, row := range rows {
		if doc, err := ParseDocument([]byte(row.doc), acme); reasonOf(err) != row.want || doc.ID != "" {
			t.Errorf("%s: got %v, want %s", row.name, err, row.want)
		}
	}
}

func TestParseDocumentMethodLimit(t *testing.T) {
	list := func(n int) []byte {
		var methods []string
		for i := range n {
			methods = append(methods, fmt.Sprintf(`{"id":"#%d","type":"Multikey","publicKeyMultibase":%q}`, i, edMultikey))
		}
		return []byte(`{"id":"did:web:acme.example","verificationMethod":[` + strings.Join(methods, ",") + `]}`)
	}
	if doc, err := ParseDocument(list(maxMethods), acme); err != nil || len(doc.Methods) != maxMethods {
		t.Errorf("%d methods: %v", maxMethods, err)
	}
	if _, err := ParseDocument(list(maxMethods+1), acme); reasonOf(err) != fmt.Sprintf("did-document /verificationMethod/%d", maxMethods) {
		t.Errorf("one more: %v", err)
	}
}

// FuzzParseDocument: whatever is read, a key is found only by an id that the document lists.
func FuzzParseDocument(f *testing.F) {
	f.Add([]byte(acmeDocument))
	f.Add([]byte(`{"id":"did:web:acme.example","assertionMethod":["#a"]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := ParseDocument(data, acme)
		if err != nil {
			return
		}
		for _, m := range doc.Methods {
			key, err := doc.Key(m.ID, AssertionMethod, time.Time{})
			listed := slices.Contains(doc.AssertionMethod, m.ID) && m.Controller == acme && (m.Until.IsZero() || m.Until.After(time.Time{}))
			if (err == nil) != listed || err == nil && key.IsZero() {
				t.Errorf("%s: %v, %v", m.ID, key, err)
			}
		}
	})
}
