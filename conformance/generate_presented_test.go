package conformance

import (
	"bytes"
	"compress/gzip"
	"context"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/vc/status"
)

const presentedClause = "protocol.md 5.3: presented credentials"

// encodedList is 131,072 entries with these set.
func encodedList(b *book, indices ...int) string {
	list := status.NewBits(0)
	for _, i := range indices {
		b.must(list.Set(i, true))
	}
	return list.Encode()
}

// bombedList is as many entries more than a list may have as fit in few bytes.
func bombedList(b *book) string {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(make([]byte, 2<<20))
	b.must(err)
	b.must(w.Close())
	return jcs.EncodeBase64(out.Bytes())
}

// credentialRules are the constraint alone, on what was found of the credentials.
func credentialRules(b *book) {
	w := world("constraint credential")
	action := parse(string(w.Action("42.00").Canonical()))
	chamber, noon := w.DID("chamber"), spec.At(writtest.Start.Add(3*time.Hour))
	good := Credential{Type: []string{"VerifiableCredential", "SupplierCredential"}, Issuer: chamber, Subject: writtest.Payee,
		ValidFrom: spec.At(noon.AddDate(0, 0, -1)), ValidUntil: spec.At(noon.AddDate(0, 0, 1)), HasStatus: true}
	ask := func(name, title, more, reason, pointer string, change func(*Credential)) {
		c := good
		c.Type = append([]string(nil), good.Type...)
		change(&c)
		b.put("constraint/"+name, Vector{Title: title, Section: presentedClause, Kind: KindRule, Rule: &Rule{Constraint: w.SupplierLimit(more),
			Action: action, Agent: w.DID("agent"), Credentials: []Credential{c}, At: noon,
			Want: RuleEnd{Holds: reason == "", Violation: reason, Pointer: pointer}}})
	}
	ask("credential", "A credential of the type, by the issuer, about the payee.", "", "", "", func(*Credential) {})
	ask("credential-of-another-type", "Another type is not what is asked for.", "", "credential-absent", "", func(c *Credential) { c.Type[1] = "BuyerCredential" })
	ask("credential-by-another-issuer", "The issuer is pinned.", "", "credential-absent", "", func(c *Credential) { c.Issuer = w.DID("mallory") })
	ask("credential-about-another", "The subject is pinned to the payee.", "", "credential-subject", "/counterparty/id", func(c *Credential) { c.Subject = "lei:OTHER" })
	ask("credential-not-valid-yet", "Validity is [validFrom, validUntil).", "", "credential-early", "", func(c *Credential) { c.ValidFrom = spec.At(noon.Add(time.Second)) })
	ask("credential-at-its-end", "Validity is [validFrom, validUntil).", "", "credential-expired", "", func(c *Credential) { c.ValidUntil = noon })
	ask("credential-as-old-as-allowed", "As old as maxAge is not older.", `,"maxAge":"P1D"`, "", "", func(*Credential) {})
	ask("credential-older-than-allowed", "A second older than maxAge.", `,"maxAge":"P1D"`, "credential-stale", "", func(c *Credential) {
		c.ValidFrom = spec.At(c.ValidFrom.Add(-time.Second))
	})
	ask("credential-of-unknown-age", "Without validFrom nobody knows how old it is.", `,"maxAge":"P1D"`, "credential-stale", "", func(c *Credential) { c.ValidFrom = spec.Time{} })
	ask("credential-that-nobody-can-revoke", "A status is required, and it has none.", `,"status":"required"`, "credential-status", "", func(c *Credential) { c.HasStatus = false })
	ask("credential-revoked", "Its status list speaks against it.", "", "credential-revoked", "", func(c *Credential) { c.Status = "credential-revoked" })
	ask("credential-of-unknown-status", "Unknown is no.", "", "status-stale", "", func(c *Credential) { c.Status = "status-stale" })
	refused := func(name, title, constraint, reason, pointer string) {
		b.doc("constraint/"+name, presentedClause, title, "constraint", constraint, no(reason, pointer))
	}
	refused("credential-issuer-to-be-resolved", "An issuer is its own key: nothing is resolved.",
		`{"id":"x","type":"credential","credentialType":"A","issuers":["did:web:chamber.example"],"subject":"agent"}`, "constraint-invalid", "/issuers/0")
	refused("credential-about-a-display-name", "Of a counterparty only the id counts.",
		`{"id":"x","type":"credential","credentialType":"A","issuers":["`+chamber+`"],"subject":"/counterparty/name"}`, "pointer-name", "/subject")
	refused("credential-of-any-type", "Every credential is a VerifiableCredential.",
		`{"id":"x","type":"credential","credentialType":"VerifiableCredential","issuers":["`+chamber+`"],"subject":"agent"}`, "constraint-invalid", "/credentialType")
}

// credentialTraces ask once each, under a mandate that asks for the chamber's word on the payee and lists no older than five minutes.
func credentialTraces(b *book) {
	clear, put := encodedList(b), writtest.Put
	row := func(name, title string, want StepEnd, present func(l *life) []jcs.Value) {
		l := newLife(b, "presented "+name)
		m := l.enrol("mandate", l.supplied())
		l.step("present", "invoice-1", l.PresentWith([]spec.Document{m}, present(l), l.Action("42.00"), l.Request("invoice-1"), l.Now), want)
		l.finish("credential/"+name, presentedClause, title)
	}
	rejects := func(reason string) StepEnd { return rejected("constraints", reason) }
	row("presented", "A credential and the status list that it names.", authorized, func(l *life) []jcs.Value {
		return []jcs.Value{l.Supplier(writtest.Payee, 7), l.SupplierStatus(clear)}
	})
	row("without-a-status", "A credential without a status, where none is required.", authorized, func(l *life) []jcs.Value {
		return []jcs.Value{l.Supplier(writtest.Payee, -1)}
	})
	row("not-presented", "The mandate asks for a credential, and none is there.", rejects("credential-absent"), func(*life) []jcs.Value { return nil })
	row("about-another", "The credential is about another payee.", rejects("credential-subject"), func(l *life) []jcs.Value {
		return []jcs.Value{l.Supplier("lei:OTHER", -1)}
	})
	row("expired", "The credential is not valid any more.", rejects("credential-expired"), func(l *life) []jcs.Value {
		return []jcs.Value{l.Supplier(writtest.Payee, -1, put("/validUntil", "2026-12-01T09:00:00Z"))}
	})
	row("revoked", "The credential's bit is set.", rejects("credential-revoked"), func(l *life) []jcs.Value {
		return []jcs.Value{l.Supplier(writtest.Payee, 7), l.SupplierStatus(encodedList(b, 7))}
	})
	row("list-not-presented", "No answer is not \"not revoked\".", rejects("status-absent"), func(l *life) []jcs.Value {
		return []jcs.Value{l.Supplier(writtest.Payee, 7)}
	})
	row("list-stale", "The list is a second older than the mandate allows.", rejects("status-stale"), func(l *life) []jcs.Value {
		list := l.SupplierStatus(clear)
		l.Advance(5*time.Minute + time.Second)
		return []jcs.Value{l.Supplier(writtest.Payee, 7), list}
	})
	row("list-over", "From its validUntil on a list answers nothing.", rejects("status-stale"), func(l *life) []jcs.Value {
		return []jcs.Value{l.Supplier(writtest.Payee, 7), l.SupplierStatus(clear, put("/validFrom", "2026-12-01T08:59:00Z"), put("/validUntil", "2026-12-01T09:00:00Z"))}
	})
	row("list-for-another-purpose", "A list of suspensions says nothing of revocations.", rejects("status-purpose"), func(l *life) []jcs.Value {
		return []jcs.Value{l.Supplier(writtest.Payee, 7), l.SupplierStatus(clear, put("/credentialSubject/statusPurpose", "suspension"))}
	})
	row("index-out-of-the-list", "The list does not reach to the entry.", rejects("status-index"), func(l *life) []jcs.Value {
		return []jcs.Value{l.Supplier(writtest.Payee, status.MinEntries), l.SupplierStatus(clear)}
	})
	refusedCredentials(b, row)
}

// refusedCredentials leave nothing behind: no decision, no entry.
func refusedCredentials(b *book, row func(name, title string, want StepEnd, present func(l *life) []jcs.Value)) {
	clear, put := encodedList(b), writtest.Put
	const first, second = "/verifiableCredential/1", "/verifiableCredential/2"
	row("of-another-type", "No constraint asks for a credential of this type.", refused("credential-unasked", first), func(l *life) []jcs.Value {
		return []jcs.Value{l.Supplier(writtest.Payee, -1, put("/type", []string{"VerifiableCredential", "BuyerCredential"}))}
	})
	row("by-another-issuer", "No constraint pins this issuer.", refused("credential-unasked", first), func(l *life) []jcs.Value {
		return []jcs.Value{l.IssueAs("mallory", l.Supplier(writtest.Payee, -1, put("/issuer", l.DID("mallory"))))}
	})
	row("signed-by-another", "The issuer's own key signs, and no other.", refused("proof-signature", first+"/proof/proofValue"), func(l *life) []jcs.Value {
		return []jcs.Value{l.IssueAs("mallory", l.Supplier(writtest.Payee, -1))}
	})
	row("unsigned", "A credential without a proof is nobody's word.", refused("proof-missing", first), func(l *life) []jcs.Value {
		return []jcs.Value{l.Supplier(writtest.Payee, -1).Without("proof")}
	})
	row("subject-changed", "The subject is what the issuer signed.", refused("proof-signature", first+"/proof/proofValue"), func(l *life) []jcs.Value {
		return []jcs.Value{put("/credentialSubject/id", writtest.Payee)(l.Supplier("lei:OTHER", -1))}
	})
	row("twice", "Each credential once.", refused("credential-repeated", second), func(l *life) []jcs.Value {
		return []jcs.Value{l.Supplier(writtest.Payee, -1), l.Supplier(writtest.Payee, -1)}
	})
	row("two-editions-of-a-list", "Of two lists of one id nobody could say which one counts.", refused("credential-repeated", "/verifiableCredential/3"), func(l *life) []jcs.Value {
		return []jcs.Value{l.Supplier(writtest.Payee, 7), l.SupplierStatus(clear), l.SupplierStatus(encodedList(b, 7))}
	})
	row("list-by-another-issuer", "A list answers for its own issuer's credentials.", refused("credential-unasked", second), func(l *life) []jcs.Value {
		return []jcs.Value{l.Supplier(writtest.Payee, 7), l.IssueAs("mallory", l.SupplierStatus(clear, put("/issuer", l.DID("mallory"))))}
	})
	row("list-signed-by-another", "The issuer's own key signs its lists.", refused("proof-signature", second+"/proof/proofValue"), func(l *life) []jcs.Value {
		return []jcs.Value{l.Supplier(writtest.Payee, 7), l.IssueAs("mallory", l.SupplierStatus(clear))}
	})
	row("list-that-is-a-bomb", "No more is decompressed than a list may have.", refused("status-size", second+"/credentialSubject/encodedList"), func(l *life) []jcs.Value {
		return []jcs.Value{l.Supplier(writtest.Payee, 7), l.SupplierStatus(bombedList(b))}
	})
	row("status-of-another-kind", "A status that is not understood is not passed over.", refused("status-entry", first+"/credentialStatus/0/statusPurpose"), func(l *life) []jcs.Value {
		return []jcs.Value{l.Supplier(writtest.Payee, 7, put("/credentialStatus/statusPurpose", "message"))}
	})
	w := world("credential form")
	mandate := w.Seal(w.Mandate())
	p := w.PresentWith([]spec.Document{mandate}, []jcs.Value{w.Supplier(writtest.Payee, -1)}, w.Action("42.00"), w.Request("invoice-1"), w.Now)
	form := func(name, title, reason, pointer string, edits ...Edit) {
		b.doc("credential/"+name, presentedClause, title, spec.TypePresentation, b.changed(p, edits...), no(reason, pointer))
	}
	form("mandate-behind-it", "Mandates come first: behind another's credential nothing is one.", "credential-form", second+"/type", add("/verifiableCredential/-", mandate.Value))
	form("before-the-mandate", "A mandate comes first.", "type-unknown", "/verifiableCredential/0/type", move("/verifiableCredential/1", "/verifiableCredential/0"))
	form("that-says-it-is-a-mandate", "A credential of somebody else has no type of Writ, however it is written.", "credential-form", first+"/type",
		set(first+"/type", []string{"VerifiableCredential", "mandatecredential", "SupplierCredential"}))
}

// supplied is a mandate that asks for the chamber's word on the payee.
func (l *life) supplied() spec.Document {
	return l.Mandate(terms(func(t *spec.MandateTerms) {
		t.Constraints, t.StatusMaxAge = append(t.Constraints, l.SupplierLimit("")), "PT5M"
	}))
}

// suppliedBundle is decided on a presented credential and its list.
func suppliedBundle(b *book) {
	l := newLife(b, "bundle supplied")
	m := l.enrol("mandate", l.supplied())
	d := l.step("present", "invoice-1", l.PresentWith([]spec.Document{m}, []jcs.Value{l.Supplier(writtest.Payee, 7), l.SupplierStatus(encodedList(b))},
		l.Action("42.00"), l.Request("invoice-1"), l.Now), authorized)
	s := l.share("supplied", d)
	s.put("supplied", "Authorised on a credential that the mandate asks for.", spec.Authorized, BundleEnd{Holds: true})
	const presented = "/presentation/verifiableCredential/"
	changed := func(name, title, reason, pointer string, edits ...Edit) {
		s.put(name, title, spec.Authorized, fails("decision", reason, pointer), edits...)
	}
	changed("supplied-for-another", "The credential is what its issuer signed.", "proof-signature", presented+"1/proof/proofValue", set(presented+"1/credentialSubject/id", "lei:OTHER"))
	changed("supplied-list-changed", "The list is what its issuer signed.", "proof-signature", presented+"2/proof/proofValue", set(presented+"2/validUntil", "2027-12-01T10:00:00Z"))
	changed("supplied-list-left-out", "The agent signed what it presented.", "proof-signature", "/presentation/proof/proofValue", remove(presented+"2"))
	changed("supplied-without-the-credential", "A list alone answers for nothing.", "credential-unasked", presented+"1", remove(presented+"1"))
	forgedSupply(b)
}

// forgedSupply is the work of a verifier that lies: it authorises on a credential that the presented list calls revoked.
func forgedSupply(b *book) {
	l := newLife(b, "bundle supplied and revoked")
	m := l.enrol("mandate", l.supplied())
	all := []jcs.Value{l.Supplier(writtest.Payee, 7), l.SupplierStatus(encodedList(b, 7))}
	p := l.PresentWith([]spec.Document{m}, all, l.Action("42.00"), l.Request("invoice-1"), l.Now)
	op := spec.Op{Org: org, Write: []spec.ChainRef{writtest.Ref(m)}, Read: []spec.ChainRef{writtest.Ref(l.roster)}, Attach: []spec.Document{p}}
	logged, err := l.machine.ledger.Run(context.Background(), op, func(ss spec.States, _ time.Time) ([]spec.Document, error) {
		return []spec.Document{l.Decision(p, ss, func(d *spec.Decision) {
			d.Inputs.Credentials = []string{spec.CredentialDigest(all[0]), spec.CredentialDigest(all[1])}
		})}, nil
	})
	b.must(err)
	s := l.share("authorized-on-a-revoked-credential", logged.Last().Document)
	s.put("authorized-on-a-revoked-credential", "The ledger authorised on a credential that the presented list calls revoked.", spec.Authorized,
		fails("follows", "decision-other", s.logged("/decision")+"/document"))
}
