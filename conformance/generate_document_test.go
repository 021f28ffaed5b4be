package conformance

import (
	"strings"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
)

const (
	bytesClause    = "protocol.md 1 and 2: bytes, values"
	rosterClause   = "protocol.md 4.1 and 6: roster, who has approved"
	mandateClause  = "protocol.md 4.2 to 4.4 and 5: mandate, delegation, constraints"
	approvalClause = "protocol.md 4.5 and 6: approval, who has approved"
	actionClause   = "protocol.md 4.6 and 4.7: presentation, action"
	decisionClause = "protocol.md 4.8, 4.10, 7.5, 7.6 and 10: decision, execution"
	supplyClause   = "protocol.md 4.9, 7.3 and 9.3: supplement, notice, recovery"
	tableClause    = "protocol.md 7: chains"
	entryClause    = "protocol.md 8: log entries"
	bundleClause   = "protocol.md 12 to 14: trust file, bundle, verdicts"
	checksClause   = "protocol.md 9: decisions"
	didClause      = "protocol.md 1.5 and 2.3: encodings, DIDs, keys"
)

func jcsVectors(b *book) {
	row := func(name, title, text string, want DocumentEnd) {
		b.doc("jcs/"+name, bytesClause, title, "document-profile", text, want)
	}
	row("duplicate-member", "Two members of one name: readers differ on which they take.", `{"amount":"1","amount":"2"}`, no("json-duplicate-name", "/amount"))
	row("duplicate-member-by-escape", "Two names that differ in escapes alone are one name.", `{"a":1,"\u0061":2}`, no("json-duplicate-name", "/a"))
	row("duplicate-member-nested", "A duplicate below an array is found too.", `{"a":[{"b":1,"b":1}]}`, no("json-duplicate-name", "/a/0/b"))
	row("case-variant-member", "Amount beside amount: a reader that folds case takes another value than was signed.", `{"Amount":"9000.00","amount":"1.00"}`, no("json-case-variant", "/amount"))
	row("lone-surrogate", "Half of a surrogate pair is no text.", `{"a":"\ud800"}`, no("json-surrogate", "/a"))
	row("surrogates-in-wrong-order", "A low surrogate before a high one is no text.", `{"a":"\udc00\ud800"}`, no("json-surrogate", "/a"))
	row("invalid-utf8", "A byte that is no UTF-8.", "{\"a\":\"\xff\"}", no("json-utf8", "/a"))
	row("overlong-utf8", "A slash in two bytes is no UTF-8.", "{\"a\":\"\xc0\xaf\"}", no("json-utf8", "/a"))
	row("not-nfc-value", "An e with a combining accent is not in normal form C.", `{"a":"e\u0301"}`, no("json-not-nfc", "/a"))
	row("not-nfc-name", "A member's name is in normal form C too.", `{"e\u0301":1}`, no("json-not-nfc", ""))
	row("integer-beyond-2-53", "2^53 is not exact in every reader.", `{"a":9007199254740992}`, no("json-number", "/a"))
	row("fraction", "Documents have integers only.", `{"a":1.5}`, no("json-number", "/a"))
	row("exponent-beyond-2-53", "1e300 is no integer within 2^53.", `{"a":1e300}`, no("json-number", "/a"))
	row("leading-zero", "01 is no JSON number.", `{"a":01}`, no("json-syntax", ""))
	row("plus-sign", "+1 is no JSON number.", `{"a":+1}`, no("json-syntax", "/a"))
	row("null-member", "Absent is absent: null is refused.", `{"a":null}`, no("json-null", "/a"))
	row("empty-array", "An empty array says nothing.", `{"a":[]}`, no("json-empty", "/a"))
	row("empty-object-nested", "An empty object says nothing, at any depth.", `{"a":[{"b":{}}]}`, no("json-empty", "/a/0/b"))
	row("not-an-object", "A document is an object.", `["a"]`, no("json-not-object", ""))
	row("second-value-behind", "Exactly one value.", `{"a":1}{"a":1}`, no("json-trailing-data", ""))
	row("comment", "JSON has no comments.", `{"a":1/* */}`, no("json-syntax", ""))
	row("byte-order-mark", "A byte order mark is no JSON.", "\ufeff{\"a\":1}", no("json-syntax", ""))
	row("depth-33", "Thirty-three levels.", strings.Repeat(`{"a":`, 32)+`{"a":1}`+strings.Repeat("}", 32), no("json-depth", strings.Repeat("/a", 32)))
	b.put("jcs/size-beyond-256-kib", Vector{Title: "One byte more than 256 KiB, all of it white space.", Section: bytesClause, Kind: KindDocument,
		Document: &Document{Parser: "document-profile", Input: Input{Text: `{"a":1}`, Pad: 256<<10 - 6}, Want: no("json-size", "")}})
	b.put("jcs/size-of-256-kib", Vector{Title: "Exactly 256 KiB are read.", Section: bytesClause, Kind: KindDocument,
		Document: &Document{Parser: "document-profile", Input: Input{Text: `{"a":1}`, Pad: 256<<10 - 7}, Want: DocumentEnd{Accept: true, Canonical: `{"a":1}`}}})
	row("depth-32", "Thirty-two levels are read.", strings.Repeat(`{"a":`, 31)+`{"a":1}`+strings.Repeat("}", 31),
		DocumentEnd{Accept: true, Canonical: strings.Repeat(`{"a":`, 31) + `{"a":1}` + strings.Repeat("}", 31)})
	row("white-space-and-escapes-are-free", "A re-indented document is the same document.", "{ \"b\" : \"\\u00e9\\/\",\r\n\t\"a\" : [ 1 , true ] }",
		DocumentEnd{Accept: true, Canonical: `{"a":[1,true],"b":"é/"}`})
	row("names-sort-by-utf16", "RFC 8785 sorts names by UTF-16 units: U+1F600 comes before U+FF5E.", "{\"\uff5e\":1,\"\U0001f600\":2}",
		DocumentEnd{Accept: true, Canonical: "{\"\U0001f600\":2,\"\uff5e\":1}"})
	row("largest-integer", "2^53 - 1 is exact everywhere.", `{"a":9007199254740991}`, DocumentEnd{Accept: true, Canonical: `{"a":9007199254740991}`})
	row("control-characters", "Control characters have RFC 8785's escapes.", `{"a":"\u0008\u001f\u007f"}`, DocumentEnd{Accept: true, Canonical: "{\"a\":\"\\b\\u001f\u007f\"}"})
}

func moneyVectors(b *book) {
	row := func(name, title, text string, want DocumentEnd) {
		b.doc("money/"+name, bytesClause, title, "money", text, want)
	}
	money := func(value, currency string) string {
		return `{"currency":"` + currency + `","value":"` + value + `"}`
	}
	row("one-decimal", "4200.0 EUR: exactly the currency's digits.", money("4200.0", "EUR"), no("money-form", "/value"))
	row("no-decimals", "4200 EUR: exactly the currency's digits.", money("4200", "EUR"), no("money-form", "/value"))
	row("three-decimals", "4200.000 EUR: exactly the currency's digits.", money("4200.000", "EUR"), no("money-form", "/value"))
	row("plus-sign", "+1.00 has a second spelling.", money("+1.00", "EUR"), no("money-form", "/value"))
	row("negative", "Amounts are above zero.", money("-1.00", "EUR"), no("money-form", "/value"))
	row("exponent", "1e3 is no amount.", money("1e3", "EUR"), no("money-form", "/value"))
	row("leading-zero", "04200.00 has a second spelling.", money("04200.00", "EUR"), no("money-form", "/value"))
	row("thousands-separator", "4,200.00 is for people.", money("4,200.00", "EUR"), no("money-form", "/value"))
	row("arabic-digits", "Digits are ASCII.", money("٤٢٠٠.00", "EUR"), no("money-form", "/value"))
	row("trailing-newline", "A pattern that lets a line end through.", `{"currency":"EUR","value":"4200.00\n"}`, no("money-form", "/value"))
	row("sixteen-digits", "At most fifteen digits before the point.", money("1000000000000000.00", "EUR"), no("money-form", "/value"))
	row("yen-with-decimals", "JPY has no minor units.", money("4200.00", "JPY"), no("money-form", "/value"))
	row("gold", "XAU has no minor units and is no currency here.", money("1.00", "XAU"), no("currency-unknown", "/currency"))
	row("no-currency", "XXX is no currency.", money("1", "XXX"), no("currency-unknown", "/currency"))
	row("currency-in-small-letters", "Codes are compared byte for byte.", money("1.00", "eur"), no("currency-unknown", "/currency"))
	row("zero", "An amount is above zero.", money("0.00", "EUR"), no("money-zero", "/value"))
	row("number-instead-of-text", "A JSON number is rounded somewhere.", `{"currency":"EUR","value":4200}`, no("member-type", "/value"))
	row("foreign-member", "Money has two members.", `{"currency":"EUR","value":"1.00","fee":"1.00"}`, no("member-unknown", "/fee"))
	row("value-absent", "Money without a value.", `{"currency":"EUR"}`, no("member-missing", "/value"))
	row("euros", "4200.00 EUR.", money("4200.00", "EUR"), taken)
	row("yen", "4200 JPY.", money("4200", "JPY"), taken)
	row("dinar", "4200.000 BHD has three decimals.", money("4200.000", "BHD"), taken)
	row("fifteen-digits", "The largest amount in EUR.", money("999999999999999.99", "EUR"), taken)
	plain := func(name, parser, title, text string, want DocumentEnd) {
		b.doc("money/"+name, bytesClause, title, parser, text, want)
	}
	plain("time-with-offset", "time", "Times are in UTC with Z.", "2026-12-01T09:00:00+00:00", no("time-form", ""))
	plain("time-leap-second", "time", "There are no leap seconds.", "2016-12-31T23:59:60Z", no("time-form", ""))
	plain("time-small-z", "time", "One spelling.", "2026-12-01t09:00:00z", no("time-form", ""))
	plain("time-of-no-day", "time", "The 30th of February.", "2026-02-30T09:00:00Z", no("time-form", ""))
	plain("time", "time", "An instant.", "2026-12-01T09:00:00Z", taken)
}

func actionVectors(b *book) {
	w := world("action")
	payment := w.Action("42.00")
	row := func(name, title string, edits []Edit, want DocumentEnd) {
		data, err := applyEdits(payment.Canonical(), edits)
		b.must(err)
		v, err := jcs.Parse(data)
		b.must(err)
		b.doc("action/"+name, actionClause, title, "action", string(v.Canonical()), want)
	}
	row("payment", "A payment.", nil, taken)
	row("payment-without-payload", "A payment without the digest of its bytes: the executor could execute others.", []Edit{remove("/payload")}, no("payload-absent", "/payload"))
	row("payload-digest-of-other-hash", "A digest is a SHA-256 multihash, no other.", []Edit{set("/payload/digest", "uExQ"+strings.Repeat("A", 43))}, no("digest-syntax", "/payload/digest"))
	row("camel-case-type", "payments.transferAll has a capital letter.", []Edit{set("/type", "payments.transferAll")}, no("action-type", "/type"))
	row("look-alike-letters-in-type", "A Cyrillic a in payments.", []Edit{set("/type", "p\u0430yments.transfer")}, no("action-type", "/type"))
	row("full-width-letters-in-type", "Full-width letters.", []Edit{set("/type", "ｐayments.transfer")}, no("action-type", "/type"))
	row("resource-absent", "An action names its resource.", []Edit{remove("/resource")}, no("member-missing", "/resource"))
	row("resource-empty", "An empty resource is nobody's.", []Edit{set("/resource", "")}, no("resource-absent", "/resource"))
	row("nonce-short", "Seven characters of nonce.", []Edit{set("/nonce", "1234567")}, no("nonce-length", "/nonce"))
	row("counterparty-as-text", "A counterparty has an id.", []Edit{set("/counterparty", "AWS")}, no("member-type", "/counterparty"))
	row("counterparty-with-name-alone", "A display name limits nothing.", []Edit{set("/counterparty", map[string]any{"name": "AWS"})}, no("member-missing", "/counterparty/id"))
	row("member-of-no-type", "Unknown members are refused at any depth.", []Edit{set("/payload/note", "x")}, no("member-unknown", "/payload/note"))
	row("amount-as-text", "An amount has value and currency.", []Edit{set("/amount", "42.00")}, no("member-type", "/amount"))
	row("amount-of-zero", "An amount is above zero.", []Edit{set("/amount/value", "0.00")}, no("money-zero", "/amount/value"))
	row("parameters-as-array", "Parameters are an object.", []Edit{set("/parameters", []string{"x"})}, no("member-type", "/parameters"))

	form := func(name, parser, title, text string, want DocumentEnd) {
		b.doc("action/"+name, bytesClause, title, parser, text, want)
	}
	form("pattern-of-everything", "action-pattern", "A bare * is refused.", "*", no("action-pattern", ""))
	form("pattern-with-star-inside", "action-pattern", "A star stands at the end only.", "payments.*.transfer", no("action-pattern", ""))
	form("pattern-with-star-in-segment", "action-pattern", "A star is a whole segment.", "payments.trans*", no("action-pattern", ""))
	form("pattern-with-dot-behind", "action-pattern", "An empty segment.", "payments.", no("action-pattern", ""))
	form("pattern", "action-pattern", "A pattern of one or more segments more.", "payments.*", taken)

	match := func(name, title, pattern, actionType string, holds bool) {
		b.put("action/"+name, Vector{Title: title, Section: bytesClause, Kind: KindRule,
			Rule: &Rule{Pattern: pattern, Type: actionType, Want: RuleEnd{Holds: holds}}})
	}
	match("star-against-no-segment", "payments.* does not cover payments: one or more whole segments.", "payments.*", "payments", false)
	match("star-against-longer-word", "payments.* does not cover payments_all.transfer.", "payments.*", "payments_all.transfer", false)
	match("type-against-longer-word", "payments.transfer does not cover payments.transfer_all.", "payments.transfer", "payments.transfer_all", false)
	match("type-against-further-segment", "payments.transfer does not cover payments.transfer.all.", "payments.transfer", "payments.transfer.all", false)
	match("type-against-invalid-type", "payments.* does not cover payments.transferAll, which is no type.", "payments.*", "payments.transferAll", false)
	match("star-against-two-segments", "payments.* covers payments.transfer.sepa.", "payments.*", "payments.transfer.sepa", true)
	match("type-against-itself", "Byte comparison.", "payments.transfer", "payments.transfer", true)
}

// source is a contract that a mandate names.
func source(content string) jcs.Value {
	return parse(`{"type":["SourceDocument"],"documentKind":"contract","mediaType":"application/pdf","digestMultibase":"` +
		jcs.Digest("", []byte(content)) + `"}`)
}

func credentialVectors(b *book) {
	w := world("credential")
	plain := w.Mandate()
	sealed := w.Seal(plain, w.ApproveMandate("treasurer", plain), w.ApproveMandate("cfo", plain))
	row := func(name, title string, want DocumentEnd, edits ...Edit) {
		b.doc("mandate/"+name, mandateClause, title, spec.TypeMandate, b.changed(sealed, edits...), want)
	}
	const terms = "/credentialSubject/mandate"
	row("sealed", "A mandate with two approvals.", good(sealed))
	b.doc("mandate/unsealed-has-the-same-content", bytesClause, "Without proof and approvals the content digest is the same.", spec.TypeMandate,
		string(plain.Bytes()), DocumentEnd{Accept: true, Digest: plain.Digest, Content: good(sealed).Content})
	one := w.Seal(plain, w.ApproveMandate("cfo", plain))
	b.doc("mandate/other-approvers-have-the-same-content", bytesClause, "Another subset of approvers is the same mandate, one chain, one account.",
		spec.TypeMandate, string(one.Bytes()), DocumentEnd{Accept: true, Digest: one.Digest, Content: good(sealed).Content})
	withSource := document(func() *spec.Mandate {
		m := *writtest.Parsed(plain).Body.(*spec.Mandate)
		m.Evidence = []jcs.Value{source("contract")}
		return &m
	}())
	b.doc("mandate/with-source-has-another-content", bytesClause, "The content covers the sources.", spec.TypeMandate, string(withSource.Bytes()), good(withSource))

	entry := "/evidence/0"
	shape := no("evidence-approval-shape", entry)
	row("evidence-with-two-types", "An approval entry with a second type would be hidden from the content digest, or not.", shape, set(entry+"/type", []string{"MandateApproval", "SourceDocument"}))
	row("evidence-with-type-as-text", "An approval entry's type is an array.", shape, set(entry+"/type", "MandateApproval"))
	row("evidence-with-foreign-member", "An approval entry has exactly two members.", shape, set(entry+"/note", "x"))
	row("evidence-with-type-around-the-word", "Any entry whose type contains the word is held to the shape.", shape, set(entry+"/type", []string{"OldMandateApproval"}))
	row("evidence-of-text", "Evidence is an object.", no("evidence-shape", entry), set(entry, "x"))
	row("empty-evidence", "Evidence left empty is no member.", no("json-empty", "/evidence"), set("/evidence", []string{}))
	row("context-appended", "A third context could redefine terms.", no("context-fixed", "/@context"), add("/@context/-", "https://evil.example/v1"))
	row("contexts-in-other-order", "The contexts are fixed, in order.", no("context-fixed", "/@context"), move("/@context/1", "/@context/0"))
	row("context-as-text", "The contexts are an array.", no("member-type", "/@context"), set("/@context", "https://www.w3.org/ns/credentials/v2"))
	row("third-type", "The types are fixed, in order.", no("type-fixed", "/type"), add("/type/0", "Extra"))
	row("issuer-as-object", "The issuer is a DID.", no("member-type", "/issuer"), set("/issuer", map[string]string{"id": writtest.Grantor}))
	row("other-version", "Only version 1 is known.", no("version-unknown", terms+"/version"), set(terms+"/version", "2"))
	row("mode-live", "Only test mode has a mode.", no("mode-unknown", "/mode"), set("/credentialSubject/mode", "live"))
	row("unknown-member-of-terms", "An unknown member could be a limit.", no("member-unknown", terms+"/maxAmount"), set(terms+"/maxAmount", "1.00"))
	row("unknown-constraint-type", "An unknown type is a rejection.", no("constraint-unknown", terms+"/constraints/0/type"), set(terms+"/constraints/0/type", "velocity"))
	row("unknown-constraint-member", "An unknown field is a rejection.", no("member-unknown", terms+"/constraints/0/grace"), set(terms+"/constraints/0/grace", "10.00"))
	row("constraint-id-twice", "Constraint ids are distinct.", no("constraint-repeated", terms+"/constraints/1/id"), set(terms+"/constraints/1/id", "daily"))
	row("payee-by-display-name", "A payee list on the name limits nothing.", no("pointer-name", terms+"/constraints/1/pointer"), set(terms+"/constraints/1/pointer", "/counterparty/name"))
	row("pointer-into-array", "No array indices in pointers.", no("pointer-invalid", terms+"/constraints/1/pointer"), set(terms+"/constraints/1/pointer", "/parameters/lines/0"))
	row("budget-in-unknown-zone", "A zone is of the IANA table.", no("zone-unknown", terms+"/constraints/0/zone"), set(terms+"/constraints/0/zone", "Europe/Lisboa"))
	row("budget-with-period-and-no-zone", "A calendar period needs its zone.", no("constraint-invalid", terms+"/constraints/0/zone"), remove(terms+"/constraints/0/zone"))
	row("budget-of-two-days", "P2D is no period.", no("period-unknown", terms+"/constraints/0/per"), set(terms+"/constraints/0/per", "P2D"))
	row("threshold-absent", "Nobody would have to approve.", no("threshold-range", terms+"/grantor/threshold"), remove(terms+"/grantor/threshold"))
	row("threshold-of-zero", "Nobody would have to approve; 0 is not written.", no("member-empty", terms+"/grantor/threshold"), set(terms+"/grantor/threshold", 0))
	row("threshold-above-approvers", "Three of two.", no("threshold-range", terms+"/grantor/threshold"), set(terms+"/grantor/threshold", 3))
	row("approver-named-twice", "One person as 2 of 2.", no("approver-repeated", terms+"/grantor/approvers"), set(terms+"/grantor/approvers", []string{"cfo", "cfo"}))
	row("policy-named-twice", "A policy is named once.", no("policies-many", terms+"/policies"), set(terms+"/policies", []string{plain.Digest, plain.Digest}))
	row("five-policies", "A mandate names at most four policies.", no("policies-many", terms+"/policies"), set(terms+"/policies", fiveDigests()))
	row("agent-of-did-web", "A hosted key could be replaced: subjects are did:key or did:jwk.", no("subject-key", "/credentialSubject/id"), set("/credentialSubject/id", "did:web:agent.example"))
	row("free-outside-parameters", "Only parameters can be left free.", no("pointer-syntax", terms+"/free/0"), set(terms+"/free/0", "/amount"))
	row("recovery-of-foreign-constraint", "A clause lifts the constraints of its own document.", no("recovery-foreign", terms+"/recovery/0/for"), set(terms+"/recovery/0/for", []string{"monthly"}))
	row("recovery-of-payee", "A payee is no limit in money.", no("recovery-unliftable", terms+"/recovery/0/for"), set(terms+"/recovery/0/for", []string{"payee"}))
	row("recovery-in-other-currency", "A lift is in the limit's currency.", no("currency-other", terms+"/recovery/0"), set(terms+"/recovery/0/maxOver/currency", "USD"))
	row("recovery-without-ceiling", "A lift has a ceiling.", no("recovery-unbounded", terms+"/recovery/0/maxOver"), remove(terms+"/recovery/0/maxOver"))
	row("valid-until-before-valid-from", "A period that ends before it begins.", no("validity-order", "/validUntil"), set("/validUntil", "2026-01-01T00:00:00Z"))
	row("valid-for-ever", "A mandate ends.", no("validity-absent", "/validUntil"), remove("/validUntil"))
	row("depth-of-eight", "At most eight mandates stand in a chain.", no("delegation-depth", terms+"/delegation/maxDepth"), set(terms+"/delegation/maxDepth", 8))
	row("salt-of-31-bytes", "A salt is 32 bytes.", no("salt-syntax", terms+"/salt"), set(terms+"/salt", jcs.EncodeBase64(make([]byte, 31))))
	row("salt-withheld", "A mandate with any member withheld is none.", no("member-missing", terms+"/salt"), remove(terms+"/salt"))
	row("resource-twice", "Resources are distinct.", no("resource-repeated", terms+"/resources"), add(terms+"/resources/-", writtest.Account))
	row("actions-of-everything", "A bare * is refused.", no("action-pattern", terms+"/actions/0"), set(terms+"/actions", []string{"*"}))

	child := w.Seal(w.Child(sealed))
	kid := func(name, title string, want DocumentEnd, edits ...Edit) {
		b.doc("mandate/"+name, mandateClause, title, spec.TypeMandate, b.changed(child, edits...), want)
	}
	kid("child", "A delegated mandate has no approvers and no status list.", good(child))
	kid("child-with-approvers", "A delegated mandate is signed by its grantor, not approved.", no("child-approvers", terms+"/grantor"), set(terms+"/grantor/approvers", []string{"cfo"}), set(terms+"/grantor/threshold", 1))
	kid("child-with-status-list", "The chain decides, not a list.", no("child-status", "/credentialStatus"), set("/credentialStatus", []any{map[string]string{"type": "BitstringStatusListEntry"}}))
	kid("child-under-a-policy", "A delegated mandate is bound by its root's policies and names none.", no("child-policies", terms+"/policies"), set(terms+"/policies", []string{plain.Digest}))
	kid("child-issued-by-another", "Issuer and grantor are the parent's subject.", no("child-issuer", "/issuer"), set("/issuer", writtest.Grantor))
	kid("child-lifts-its-parents-limit", "A child's clause cannot name its parent's limit.", no("recovery-foreign", terms+"/recovery/0/for"),
		set(terms+"/recovery", writtest.Value(sealed.Body.(*spec.Mandate).Terms().Recovery)))
}

func rosterVectors(b *book) {
	w := world("roster")
	plain := w.Roster()
	sealed := w.Seal(plain, w.ApproveRoster("treasurer", plain), w.ApproveRoster("cfo", plain))
	const terms = "/credentialSubject/roster"
	row := func(name, title string, want DocumentEnd, edits ...Edit) {
		b.doc("roster/"+name, rosterClause, title, spec.TypeRoster, b.changed(sealed, edits...), want)
	}
	row("sealed", "Version 1.", good(sealed))
	next := w.NextRoster(sealed)
	b.doc("roster/second-version", rosterClause, "Version 2 names the content of version 1.", spec.TypeRoster, string(next.Bytes()), good(next))
	row("change-threshold-below-a-power", "Whoever may change the roster could approve anything alone.", no("roster-threshold", terms+"/powers"), set(terms+"/changeThreshold", 1))
	row("change-threshold-above-persons", "Nobody could ever change it.", no("roster-threshold", terms+"/changeThreshold"), set(terms+"/changeThreshold", 4))
	row("power-of-zero", "Nobody would have to approve.", no("roster-threshold", terms+"/powers"), set(terms+"/powers/0/threshold", 0))
	row("power-of-a-stranger", "A power names persons of the roster.", no("roster-person", terms+"/powers"), set(terms+"/powers/0/persons", []string{"treasurer", "mallory"}))
	row("power-names-one-person-twice", "One person as 2 of 2.", no("roster-person", terms+"/powers"), set(terms+"/powers/0/persons", []string{"cfo", "cfo"}))
	row("power-over-everything", "A bare * is refused.", no("action-pattern", terms+"/powers"), set(terms+"/powers/0/actions", []string{"*"}))
	row("person-twice", "A person stands once.", no("roster-person", terms+"/persons"), set(terms+"/persons/1/person", "treasurer"))
	row("key-id-of-two-persons", "A key id stands once.", no("roster-key", terms+"/persons"), set(terms+"/persons/1/keys/0/id", w.KeyID("treasurer")))
	row("revoker-outside", "A revoker is a person of the roster.", no("roster-person", terms+"/revokers"), set(terms+"/revokers", []string{"mallory"}))
	row("grade-unknown", "An unknown grade is none.", no("grade-unknown", terms+"/persons"), set(terms+"/persons/0/keys/0/grade", "biometric"))
	row("executor-twice", "An executor has one key.", no("roster-party", terms), add(terms+"/executors/-", map[string]string{"did": writtest.Bank, "key": w.Key("other").Public().Multikey(), "role": "gateway"}))
	row("executor-of-other-role", "Gateway or system of record.", no("executor-role", terms+"/executors"), set(terms+"/executors/0/role", "agent"))
	row("first-version-with-previous", "Version 1 has no previous.", no("roster-version", terms+"/version"), set(terms+"/previous", sealed.Digest))
	row("second-version-without-previous", "Version 2 has a previous.", no("roster-version", terms+"/version"), set(terms+"/version", 2))
	row("grantor-of-another", "The grantor is the subject.", no("grantor-mismatch", terms+"/grantor"), set(terms+"/grantor", "did:web:other.example"))
	row("delay-in-months", "Durations have days, hours, minutes and seconds.", no("duration-syntax", terms+"/changeDelay"), set(terms+"/changeDelay", "P1M"))
}

func wordVectors(b *book) {
	w := world("word")
	m := w.Mandate()
	approval := w.ApproveMandate("cfo", m)
	row := func(name, clause, title string, d spec.Document, want DocumentEnd, edits ...Edit) {
		b.doc("word/"+name, clause, title, d.Type, b.changed(d, edits...), want)
	}
	row("approval", approvalClause, "An approval.", approval, good(approval))
	row("approval-of-unknown-kind", approvalClause, "An unknown kind counts nothing.", approval, no("approval-kind", "/kind"), set("/kind", "everything"))
	row("approval-with-other-decision", approvalClause, "Approve, decline or withdraw.", approval, no("approval-decision", "/decision"), set("/decision", "yes"))
	row("approval-that-ends-before-it-begins", approvalClause, "It expires after it is signed.", approval, no("approval-expiry", "/expires"), set("/expires", "2026-11-01T09:00:00Z"))
	row("approval-without-what-was-shown", approvalClause, "An approval says what was shown.", approval, no("member-missing", "/shown"), remove("/shown"))
	row("approval-with-foreign-member", bytesClause, "Unknown members are refused before a signature is credited.", approval, no("member-unknown", "/note"), set("/note", "x"))
	row("approval-with-context", bytesClause, "A document that is no credential has no context.", approval, no("member-unknown", "/@context"), set("/@context", []string{"https://www.w3.org/ns/credentials/v2"}))
	row("approval-with-second-spelling-of-content", bytesClause, "A digest has one last character.", approval, no("digest-syntax", "/content"), set("/content", tail(spec.ContentDigest(m.Value))))

	notice := w.Notice("cfo", spec.ActRevoke, spec.ContentDigest(m.Value))
	row("notice", supplyClause, "A revocation notice.", notice, good(notice))
	row("notice-of-other-act", supplyClause, "Revoke, suspend or veto.", notice, no("notice-act", "/act"), set("/act", "delete"))

	ss, _ := w.Found(nil)
	ss, mandate := w.Grant(ss)
	p := w.Present([]spec.Document{mandate}, w.Action("42.00"), w.Request("invoice-1"), w.Now)
	decision := w.SignDecision(w.Decision(p, ss), w.Now)
	begin, report := w.Begin(decision, w.Now), w.Report(decision, spec.OutcomeExecuted, "42.00", true, w.Now)
	row("presentation", actionClause, "A presentation.", p, good(p))
	row("presentation-of-nothing", actionClause, "A presentation has a mandate.", p, no("json-empty", "/verifiableCredential"), set("/verifiableCredential", []string{}))
	row("presentation-with-key-of-seven", actionClause, "Eight to 128 characters.", p, no("idempotency-key", "/request/idempotencyKey"), set("/request/idempotencyKey", "1234567"))
	row("presentation-with-second-type", bytesClause, "The types are fixed.", p, no("type-fixed", "/type"), add("/type/0", "Extra"))
	row("decision", decisionClause, "A decision.", decision, good(decision))
	row("decision-of-other-result", decisionClause, "AUTHORIZED, COLLECT_MISSING or REJECTED.", decision, no("decision-result", "/result"), set("/result", "APPROVED"))
	row("decision-without-end", decisionClause, "AUTHORIZED says until when it may be executed.", decision, no("decision-execute-before", "/executeBefore"), remove("/executeBefore"))
	row("decision-that-collects-nothing", decisionClause, "COLLECT_MISSING names what is missing.", decision, no("decision-missing", "/missing"), set("/result", "COLLECT_MISSING"))
	row("decision-of-epoch-zero", bytesClause, "Epochs count from 1.", decision, no("member-range", "/epoch"), set("/epoch", 0))
	row("decision-with-false-that-says-nothing", bytesClause, "Absent is absent: false is not written.", decision, no("member-empty", "/charged"), set("/charged", false))
	nine := make([]string, 9)
	for i := range nine {
		nine[i] = jcs.Digest("", []byte{byte(i)})
	}
	row("decision-over-nine-chains", entryClause, "At most eight mandates in a chain.", decision, no("delegation-depth", "/mandates"), set("/mandates", nine))
	interim := w.SignDecision(w.Decision(p, ss, writtest.Collect("2000.00", w.Now.Add(time.Hour))), w.Now)
	supplement, err := spec.Propose(interim, 0, mandate.Body.(*spec.Mandate))
	b.must(err)
	const lift = "/credentialSubject/supplement"
	row("supplement", supplyClause, "A supplement.", supplement, good(supplement))
	row("supplement-for-a-limit-of-another", supplyClause, "A lift counts only for the document that owns the limit.", supplement, no("lift-foreign", lift+"/lifts"), set(lift+"/lifts/0/owner", nine[0]))
	row("supplement-with-a-salt", supplyClause, "A supplement has no salt: it has no chain of its own.", supplement, no("member-unknown", lift+"/salt"), set(lift+"/salt", jcs.EncodeBase64(make([]byte, 32))))
	row("supplement-without-end", supplyClause, "A supplement expires.", supplement, no("member-missing", lift+"/expires"), remove(lift+"/expires"))
	row("begin", decisionClause, "A begin.", begin, good(begin))
	row("begin-without-nonce", decisionClause, "A begin has a nonce.", begin, no("member-missing", "/nonce"), remove("/nonce"))
	row("report", decisionClause, "A report.", report, good(report))
	row("report-of-other-outcome", decisionClause, "A closed list.", report, no("report-outcome", "/outcome"), set("/outcome", "settled"))
	row("report-of-amount-not-entered", decisionClause, "What was not entered has no amount.", report, no("report-amount", "/amount"), set("/outcome", "not_entered"))
	row("report-of-negative-amount", decisionClause, "A report lowers nothing by a sign.", report, no("money-form", "/amount/value"), set("/amount/value", "-42.00"))
	row("document-of-no-type", bytesClause, "Unknown is no.", report, no("type-unknown", "/type"), set("/type", "Settlement"))
}

// tail changes the unused bits of a base64 text's last character: another spelling of the same bytes.
func tail(s string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return s[:len(s)-1] + string(alphabet[strings.IndexByte(alphabet, s[len(s)-1])+1])
}
