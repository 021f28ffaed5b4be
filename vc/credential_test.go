package vc

import (
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
)

const fullCredential = `{"@context":["https://www.w3.org/ns/credentials/v2","https://w3id.org/writ/v1"],
	"id":"urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33","type":["VerifiableCredential","MandateCredential"],
	"issuer":"did:web:acme.example","validFrom":"2026-12-01T00:00:00Z","validUntil":"2027-03-31T22:59:59.5Z",
	"credentialSubject":{"id":"did:key:z6Mk"},
	"credentialStatus":[{"type":"BitstringStatusListEntry"},{"type":"BitstringStatusListEntry"}],
	"evidence":[{"type":["MandateApproval"]}]}`

func TestReadCredential(t *testing.T) {
	c, err := ReadCredential(parse(t, fullCredential))
	if err != nil {
		t.Fatal(err)
	}
	if c.Issuer != "did:web:acme.example" || c.ID != "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33" ||
		len(c.Context) != 2 || c.Type[1] != "MandateCredential" || len(c.Subjects) != 1 || len(c.Status) != 2 || len(c.Evidence) != 1 {
		t.Errorf("read %+v", c)
	}
	if want := time.Date(2027, 3, 31, 22, 59, 59, 5e8, time.UTC); !c.ValidUntil.Equal(want) {
		t.Errorf("validUntil %v", c.ValidUntil)
	}
	withObject := parse(t, `{"@context":["https://www.w3.org/ns/credentials/v2"],"type":"VerifiableCredential",
		"issuer":{"id":"https://acme.example/","name":"Acme"},"credentialSubject":[{"id":"did:key:a"},{"id":"did:key:b"}]}`)
	if c, err = ReadCredential(withObject); err != nil || c.Issuer != "https://acme.example/" || len(c.Subjects) != 2 {
		t.Errorf("read %+v, %v", c, err)
	}
}

func TestReadCredentialRefusals(t *testing.T) {
	rows := []struct{ name, member, value, want string }{
		{"no context", "@context", "", "vc-context /@context"},
		{"context a string", "@context", `"https://www.w3.org/ns/credentials/v2"`, "vc-context /@context"},
		{"version 1.1", "@context", `["https://www.w3.org/2018/credentials/v1"]`, "vc-context /@context"},
		{"ours second", "@context", `["https://w3id.org/writ/v1","https://www.w3.org/ns/credentials/v2"]`, "vc-context /@context"},
		{"context twice", "@context", `["https://www.w3.org/ns/credentials/v2","https://www.w3.org/ns/credentials/v2"]`, "vc-context /@context"},
		{"inline context", "@context", `["https://www.w3.org/ns/credentials/v2",{"limit":"https://evil.example/"}]`, "vc-context /@context"},
		{"no type", "type", "", "vc-type /type"},
		{"not a credential", "type", `["VerifiablePresentation"]`, "vc-type /type"},
		{"type twice", "type", `["VerifiableCredential","A","A"]`, "vc-type /type"},
		{"type a number", "type", `["VerifiableCredential",1]`, "vc-type /type"},
		{"id no URL", "id", `"mandate 1"`, "vc-id /id"},
		{"id a number", "id", `1`, "vc-id /id"},
		{"no issuer", "issuer", "", "vc-issuer /issuer"},
		{"issuer no URL", "issuer", `"acme"`, "vc-issuer /issuer"},
		{"issuer without id", "issuer", `{"name":"Acme"}`, "vc-issuer /issuer/id"},
		{"issuer with a space", "issuer", `"did:web:acme.example x"`, "vc-issuer /issuer"},
		{"issuer beyond ASCII", "issuer", `"did:web:аcme.example"`, "vc-issuer /issuer"},
		{"issuers", "issuer", `["did:web:acme.example"]`, "vc-issuer /issuer"},
		{"time with an offset", "validFrom", `"2026-12-01T00:00:00+01:00"`, "vc-time /validFrom"},
		{"time without a zone", "validUntil", `"2026-12-01T00:00:00"`, "vc-time /validUntil"},
		{"time a number", "validFrom", `1764547200`, "vc-time /validFrom"},
		{"until before from", "validUntil", `"2026-11-30T23:59:59Z"`, "vc-time /validUntil"},
		{"no subject", "credentialSubject", "", "vc-subject /credentialSubject"},
		{"subject a string", "credentialSubject", `"did:key:z6Mk"`, "vc-subject /credentialSubject"},
		{"no subjects", "credentialSubject", `[]`, "vc-subject /credentialSubject"},
		{"empty subject", "credentialSubject", `{}`, "vc-subject /credentialSubject"},
		{"subjects of two kinds", "credentialSubject", `[{"id":"did:key:z6Mk"},"x"]`, "vc-subject /credentialSubject"},
		{"status a string", "credentialStatus", `"https://a.example/1"`, "vc-status /credentialStatus"},
		{"status without type", "credentialStatus", `{"id":"https://a.example/1"}`, "vc-status /credentialStatus"},
		{"empty evidence", "evidence", `[]`, "vc-evidence /evidence"},
		{"evidence without type", "evidence", `[{"documentKind":"contract"}]`, "vc-evidence /evidence"},
		{"evidence with a type twice", "evidence", `[{"type":["A","A"]}]`, "vc-evidence /evidence"},
	}
	for _, row := range rows {
		doc := change(t, parse(t, fullCredential), row.member, row.value)
		if c, err := ReadCredential(doc); reasonOf(err) != row.want || c.Issuer != "" {
			t.Errorf("%s: got %v, want %s", row.name, err, row.want)
		}
	}
	if _, err := ReadCredential(jcs.Value{}); reasonOf(err) != "vc-context /@context" {
		t.Errorf("nothing: %v", err)
	}
}

// change sets a member to JSON text, or removes it.
func change(t *testing.T, doc jcs.Value, member, text string) jcs.Value {
	t.Helper()
	if text == "" {
		return doc.Without(member)
	}
	v, err := jcs.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc.With(member, v)
}

func TestCheckAt(t *testing.T) {
	from, until := created, created.Add(time.Hour)
	rows := []struct {
		name string
		c    Credential
		at   time.Time
		want string
	}{
		{"before", Credential{ValidFrom: from}, from.Add(-1), "vc-early /validFrom"},
		{"first instant", Credential{ValidFrom: from, ValidUntil: until}, from, "<nil>"},
		{"last instant", Credential{ValidFrom: from, ValidUntil: until}, until.Add(-1), "<nil>"},
		{"end", Credential{ValidFrom: from, ValidUntil: until}, until, "vc-expired /validUntil"},
		{"no limits", Credential{}, from, "<nil>"},
	}
	for _, row := range rows {
		if err := row.c.CheckAt(row.at); reasonOf(err) != row.want {
			t.Errorf("%s: got %v, want %s", row.name, err, row.want)
		}
	}
}

func TestReadPresentation(t *testing.T) {
	const text = `{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiablePresentation"],
		"id":"urn:uuid:1","holder":"did:key:z6Mk","verifiableCredential":[{"type":"A"},{"type":"B"}]}`
	p, err := ReadPresentation(parse(t, text))
	if err != nil || p.Holder != "did:key:z6Mk" || p.ID != "urn:uuid:1" || len(p.Credentials) != 2 {
		t.Errorf("read %+v, %v", p, err)
	}
	rows := []struct{ name, member, value, want string }{
		{"no holder", "holder", "", "<nil>"},
		{"holder an object", "holder", `{"id":"did:key:z6Mk"}`, "<nil>"},
		{"one credential", "verifiableCredential", `{"type":"A"}`, "<nil>"},
		{"no credential", "verifiableCredential", "", "<nil>"},
		{"holder no URL", "holder", `"me"`, "vp-holder /holder"},
		{"holder without id", "holder", `{"name":"me"}`, "vp-holder /holder/id"},
		{"a credential as text", "verifiableCredential", `["eyJ"]`, "vp-credentials /verifiableCredential"},
		{"no credentials", "verifiableCredential", `[]`, "vp-credentials /verifiableCredential"},
		{"other context", "@context", `["https://w3id.org/writ/v1"]`, "vc-context /@context"},
		{"a credential's type", "type", `["VerifiableCredential"]`, "vc-type /type"},
		{"id no URL", "id", `"1"`, "vc-id /id"},
	}
	for _, row := range rows {
		if _, err := ReadPresentation(change(t, parse(t, text), row.member, row.value)); reasonOf(err) != row.want {
			t.Errorf("%s: got %v, want %s", row.name, err, row.want)
		}
	}
}
