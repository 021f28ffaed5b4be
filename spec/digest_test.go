package spec_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
)

// The digests below were made by another program (hashlib and hmac of Python's standard library) from protocol.md.
const (
	emptyDigest = "uEiDjsMRCmPwcFJr79MiZb7kkJ65B5GSbk0yklZkbeFK4VQ" // SHA-256 of nothing

	noticeText = `{"type": "RevocationNotice", "version": "1", "content": "` + emptyDigest + `", "act": "revoke",
		"by": "did:web:acme.example#cfo", "at": "2026-12-01T09:30:00.250Z", "nonce": "n-0123456789"}`
	credentialText = `{"@context":["https://www.w3.org/ns/credentials/v2","https://w3id.org/writ/v1"],
		"id":"urn:uuid:0199a1c2-0000-7000-8000-000000000000","type":["VerifiableCredential","SupplementCredential"],
		"issuer":"did:web:acme.example","credentialSubject":{"id":"x"}`
	approvalEntry = `{"type":["MandateApproval"],"approval":{"a":1}}`
	contentDigest = "uEiArEX-1-pL1S4CwmI9DXFpQd4PzTwnY1bfz3yksdleeuQ"
	withSource    = "uEiC5dLM0BCROfbyO4DYx4ZLqTVMXQUqbdTrYH936WhgHJA"
)

func parse(t testing.TB, text string) jcs.Value {
	t.Helper()
	v, err := jcs.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func wantReason(t testing.TB, err error, reason string) {
	t.Helper()
	var got string
	if e, ok := err.(*spec.Error); ok {
		got = e.Reason
	}
	if got != reason {
		t.Errorf("got %v, want %s", err, reason)
	}
}

func TestDigestVectors(t *testing.T) {
	var salt [32]byte
	for i := range salt {
		salt[i] = byte(i)
	}
	notice, err := spec.Parse([]byte(noticeText))
	if err != nil {
		t.Fatal(err)
	}
	chain, err := spec.ChainID(jcs.EncodeBase64(salt[:]), "writ.acme.example/log1", contentDigest)
	if err != nil {
		t.Fatal(err)
	}
	action := parse(t, `{"type":"mail.send","resource":"mailbox:7","nonce":"12345678"}`)
	request, err := spec.RequestDigest("did:key:z6Mk", []string{emptyDigest}, action,
		spec.Request{IdempotencyKey: "request-0001", Ledger: "did:web:writ.acme.example", Executor: "did:web:bank.example"})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ name, got, want string }{
		{"document", notice.Digest, "uEiAIU4S3UMAbcyRN9SmyQ_rFCrEEsDsTcZFuF0H-9nUgaA"},
		{"content", spec.ContentDigest(parse(t, credentialText+`}`)), contentDigest},
		{"content, signed and approved", spec.ContentDigest(parse(t, credentialText+`,"evidence":[`+approvalEntry+`],"proof":{"p":1}}`)), contentDigest},
		{"content with a source", spec.ContentDigest(parse(t, credentialText+
			`,"evidence":[`+approvalEntry+`,{"type":["SourceDocument"],"documentKind":"contract"}]}`)), withSource},
		{"chain", chain, "uEiClkdpqy7eQ-3zpsKpe631OqVPCYJPH9P2aVrmuQossRg"},
		{"commitment", spec.Commitment(salt, emptyDigest), "uEiCbDJ6oogWjc5pQqh_7i96qgZrSCuxte4p7wywgbnfP_g"},
		{"leaf", spec.LeafHash([]byte(`{"kind":"heads"}`)), "uEiA8KPZ8rKHSxQC8P9Sd10sffiuIMRIvh4CA29w3H03pPQ"},
		{"shown", spec.Shown("writ-1", "en", []string{"Mandate: X", "On: Y"}), "uEiDrkInKPJXMqQJlIt8UlkpwawI1Cwf0eudW4bjX2cqsiQ"},
		{"reconciliation", spec.ReconciliationContent(emptyDigest), "uEiA0DHNB_zC3nagi-fYExpdKsKDUSiYX0Mo3cT8-zqo0Bw"},
		{"action", spec.ActionDigest(action), "uEiB3pcHUbvS4HoQqTrgXmt42GjMsiAfgXG80W78_pemz7Q"},
		{"request", request, "uEiA_4sGVEhByoshtguezEZL_O3YdeC3NFPBAe7iM9_3OUQ"},
	} {
		if row.got != row.want {
			t.Errorf("%s: got %s, want %s", row.name, row.got, row.want)
		}
	}
}

func TestStateVectors(t *testing.T) {
	from, err := spec.Parse([]byte(noticeText))
	if err != nil {
		t.Fatal(err)
	}
	at := from.Body.(*spec.Notice).At
	midnight := spec.At(at.Truncate(24 * 3600e9))
	w := spec.WindowTotals{Constraint: "daily", From: midnight, To: spec.At(midnight.AddDate(0, 0, 1)), Unit: "EUR", Max: "10000.00",
		Lifted: "0.00", Held: "1200.00", Committed: "0.00", Excess: "0.00"}
	var seed spec.Seed
	for i := range seed {
		seed[i] = 7
	}
	window, err := w.Commitment(seed.Window(w))
	if want := "uEiB8WpP5xS6IAc51YLJEJqqgJme86YdMOEEg2A_2U9Mo-A"; err != nil || window != want {
		t.Errorf("window: got %s, %v, want %s", window, err, want)
	}
	o := spec.Opening{Chain: emptyDigest, Seq: 2, Previous: emptyDigest, At: spec.At(at.Truncate(1e9)), Status: spec.StatusActive,
		Windows: []string{window}}
	state, err := o.Commitment(seed.State())
	if want := "uEiDodcFd5ZIL-sihCIxg3dgb1f2ThrcA1Z5D2IPflVbWYw"; err != nil || state != want {
		t.Errorf("state: got %s, %v, want %s", state, err, want)
	}
}

func TestChainIsDerived(t *testing.T) {
	salt, other := jcs.EncodeBase64(make([]byte, 32)), jcs.EncodeBase64(append(make([]byte, 31), 1))
	seen := map[string]bool{}
	for _, in := range [][3]string{
		{salt, "log1", contentDigest}, {other, "log1", contentDigest}, {salt, "log2", contentDigest}, {salt, "log1", withSource},
		{salt, "log1\x00", contentDigest},
	} {
		id, err := spec.ChainID(in[0], in[1], in[2])
		if err != nil || seen[id] {
			t.Errorf("%q: %s, %v: each of salt, log and content makes another chain", in, id, err)
		}
		seen[id] = true
	}
	for _, bad := range []string{"", "u", salt[:len(salt)-1], salt + "A", "z" + salt[1:]} {
		_, err := spec.ChainID(bad, "log1", contentDigest)
		wantReason(t, err, "salt-syntax")
	}
}

// TestContentDigest changes every scalar of a sealed mandate: what is outside the proof and the approvals makes another content,
// what is inside makes the same.
func TestContentDigest(t *testing.T) {
	for _, docType := range []string{spec.TypeMandate, spec.TypeRoster, spec.TypeSupplement} {
		d := examples(t)[docType][0]
		want, changes := spec.ContentDigest(d.Value), 0
		mutate(plain(t, d.Bytes()), func(how string, changed any) {
			text, err := json.Marshal(changed)
			if err != nil {
				t.Fatal(err)
			}
			changes++
			place := how[strings.LastIndex(how, " ")+1:]
			same := spec.ContentDigest(parse(t, string(text))) == want
			if same != outsideContent(d.Value, how, place) {
				t.Errorf("%s, %s: the same content is %v", docType, how, same)
			}
		})
		if changes < 100 {
			t.Errorf("%s: only %d changes were tried", docType, changes)
		}
	}
}

// outsideContent says whether a change is in the proof, or in an approval that still has an approval's shape.
func outsideContent(v jcs.Value, how, place string) bool {
	if place == "/proof" || strings.HasPrefix(place, "/proof/") {
		return true
	}
	evidence, _ := v.Member("evidence")
	for i, e := range evidence.Elements() {
		at := "/evidence/" + strconv.Itoa(i) + "/approval"
		if _, approval := e.Member("approval"); approval && (strings.HasPrefix(place, at+"/") || how == "add to "+at) {
			return true
		}
	}
	return false
}

func TestApprovalsAreNoContent(t *testing.T) {
	w := writtest.Acme("content")
	for _, m := range []spec.Document{
		w.Mandate(),
		w.Mandate(func(m *spec.Mandate) { m.Evidence = []jcs.Value{writtest.JSON(source)} }),
	} {
		want := spec.ContentDigest(m.Value)
		treasurer, cfo := w.ApproveMandate("treasurer", m), w.ApproveMandate("cfo", m)
		for _, approvals := range [][]spec.Document{nil, {treasurer}, {cfo}, {treasurer, cfo}, {cfo, treasurer}} {
			sealed := w.Seal(m, approvals...)
			if got := spec.ContentDigest(sealed.Value); got != want {
				t.Errorf("%d approvals make it %s, want %s", len(approvals), got, want)
			}
			read, err := spec.Approvals(sealed.Value)
			if err != nil || len(read) != len(approvals) {
				t.Fatalf("read %d approvals, %v, want %d", len(read), err, len(approvals))
			}
			for i := range read {
				if string(read[i].Bytes()) != string(approvals[i].Bytes()) {
					t.Error("an approval came back as another")
				}
			}
		}
		if with := spec.WithApprovals(m.Value, nil); !with.Equal(m.Value) {
			t.Error("no approvals change the content's bytes")
		}
	}
}

// TestEvidenceAttacks: nothing that a reader could take for an approval passes as anything else.
func TestEvidenceAttacks(t *testing.T) {
	w := writtest.Acme("evidence")
	m := w.Mandate()
	approval := string(w.ApproveMandate("cfo", m).Bytes())
	for _, row := range []struct{ name, evidence, reason string }{
		{"two types", `[{"type":["MandateApproval","SourceDocument"],"approval":` + approval + `}]`, "evidence-approval-shape"},
		{"type twice", `[{"type":["MandateApproval","MandateApproval"],"approval":` + approval + `}]`, "evidence-approval-shape"},
		{"string type", `[{"type":"MandateApproval","approval":` + approval + `}]`, "evidence-approval-shape"},
		{"longer type", `[{"type":["MandateApprovalV2"],"approval":` + approval + `}]`, "evidence-approval-shape"},
		{"type in a type", `[{"type":{"MandateApproval":"x"}}]`, "evidence-approval-shape"},
		{"escaped type", `[{"type":"\u004dandateApproval","approval":` + approval + `}]`, "evidence-approval-shape"},
		{"foreign member", `[{"type":["MandateApproval"],"approval":` + approval + `,"note":"x"}]`, "evidence-approval-shape"},
		{"no approval", `[{"type":["MandateApproval"]}]`, "evidence-approval-shape"},
		{"approval is no object", `[{"type":["MandateApproval"],"approval":"x"}]`, "evidence-approval-shape"},
		{"no object", `["x"]`, "evidence-shape"},
		{"empty", `[]`, "json-empty"},
		{"empty entry", `[{}]`, "json-empty"},
		{"one object", `{"type":["MandateApproval"],"approval":` + approval + `}`, "member-type"},
	} {
		text := strings.TrimSuffix(string(m.Bytes()), "}") + `,"evidence":` + row.evidence + `}`
		_, err := spec.Parse([]byte(text))
		if e, ok := err.(*spec.Error); !ok || e.Reason != row.reason || !strings.HasPrefix(e.Pointer, "/evidence") {
			t.Errorf("%s: got %v, want %s at /evidence", row.name, err, row.reason)
		}
	}
	foreign := parse(t, `{"evidence":[{"type":["MandateApproval"],"approval":`+noticeText+`}]}`)
	_, err := spec.Approvals(foreign)
	wantReason(t, err, "evidence-approval-shape")
	_, err = spec.Approvals(parse(t, `{"evidence":[{"type":["MandateApproval"],"approval":{"type":"MandateApproval"}}]}`))
	wantReason(t, err, "member-missing")
}

// TestParseRefuses changes one thing of a sealed mandate's text.
func TestParseRefuses(t *testing.T) {
	w := writtest.Acme("parse")
	m := w.Mandate()
	sealed := string(w.Seal(m, w.ApproveMandate("cfo", m)).Bytes())
	for _, row := range []struct{ name, old, new, reason string }{
		{"context appended", `"https://w3id.org/writ/v1"]`, `"https://w3id.org/writ/v1","https://evil.example/v1"]`, "context-fixed"},
		{"context before", `["https://www.w3.org/ns/credentials/v2"`, `["https://evil.example/v1","https://www.w3.org/ns/credentials/v2"`, "context-fixed"},
		{"contexts swapped", `["https://www.w3.org/ns/credentials/v2","https://w3id.org/writ/v1"]`, `["https://w3id.org/writ/v1","https://www.w3.org/ns/credentials/v2"]`, "context-fixed"},
		{"type appended", `"MandateCredential"]`, `"MandateCredential","MandateCredential"]`, "type-fixed"},
		{"type in capitals", `"MandateCredential"]`, `"MANDATECREDENTIAL"]`, "type-fixed"},
		{"other type last", `"MandateCredential"]`, `"MandateCredential","InvoiceCredential"]`, "type-unknown"},
		{"case-variant member", `"actions":`, `"Actions":["payments.*"],"actions":`, "json-case-variant"},
		{"member of another case", `"actions":`, `"Actions":`, "member-unknown"},
		{"duplicate member", `"actions":`, `"actions":["payments.*"],"actions":`, "json-duplicate-name"},
		{"foreign member", `"actions":`, `"acts":["payments.*"],"actions":`, "member-unknown"},
		{"foreign member outside", `"name":`, `"nonce":"x","name":`, "member-unknown"},
		{"optional member that says nothing", `"version":"1"`, `"parent":"","version":"1"`, "member-empty"},
		{"optional flag that says nothing", `"version":"1"`, `"selfExecuted":false,"version":"1"`, "member-empty"},
		{"null", `"version":"1"`, `"parent":null,"version":"1"`, "json-null"},
		{"other version", `"version":"1"`, `"version":"2"`, "version-unknown"},
		{"bare star", `"payments.transfer"`, `"*"`, "action-pattern"},
		{"look-alike letters", `"payments.transfer"`, `"pаyments.transfer"`, "action-pattern"},
		{"amount with an exponent", `"10000.00"`, `"1e4"`, "money-form"},
		{"amount without cents", `"10000.00"`, `"10000"`, "money-form"},
		{"time with an offset", `"2027-04-01T09:00:00Z"`, `"2027-04-01T09:00:00+00:00"`, "time-syntax"},
		{"live mode said", `"mandate":{`, `"mode":"live","mandate":{`, "mode-unknown"},
		{"a policy named twice", `"version":"1"`, `"policies":["` + emptyDigest + `","` + emptyDigest + `"],"version":"1"`, "policies-many"},
		{"issuer of an unknown method", `"issuer":"did:web:acme.example"`, `"issuer":"did:example:acme"`, "did-syntax"},
		{"digest with another tail", `"salt":"u`, `"parent":"uEiDjsMRCmPwcFJr79MiZb7kkJ65B5GSbk0yklZkbeFK4VR","salt":"u`, "child-approvers"},
	} {
		changed := strings.Replace(sealed, row.old, row.new, 1)
		if changed == sealed {
			t.Errorf("%s: %s is not in the document", row.name, row.old)
		}
		_, err := spec.Parse([]byte(changed))
		if e, ok := err.(*spec.Error); !ok || e.Reason != row.reason {
			t.Errorf("%s: got %v, want %s", row.name, err, row.reason)
		}
	}
	indented, err := json.MarshalIndent(plain(t, []byte(sealed)), "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	d, err := spec.Parse(indented)
	if err != nil || string(d.Bytes()) != sealed {
		t.Errorf("white space makes another document: %v", err)
	}
}

// TestDigestsAreTyped: the same members under another type are another document.
func TestDigestsAreTyped(t *testing.T) {
	all := map[string]string{}
	for docType, docs := range examples(t) {
		for _, d := range docs {
			if other := all[d.Digest]; other != "" {
				t.Errorf("a %s and a %s have one digest", docType, other)
			}
			all[d.Digest] = docType
			unsigned, err := spec.New(d.Body)
			if err != nil || unsigned.Digest != d.Digest || unsigned.Signed() || d.Signed() != (docType != spec.TypeTemplate) {
				t.Errorf("%s: the proof is part of the digest, or writing it makes another document: %v", docType, err)
			}
			if _, err := unsigned.WithValue(d.Value); err != nil {
				t.Errorf("%s: %v", docType, err)
			}
			if d.Mode() != spec.ModeTest && docType != spec.TypeTemplate {
				t.Errorf("%s: mode is %q", docType, d.Mode())
			}
		}
	}
	w := writtest.Acme("typed")
	if _, err := w.Mandate().WithValue(w.Mandate().Value); err == nil {
		t.Error("another mandate was taken for the same with a proof")
	}
}
