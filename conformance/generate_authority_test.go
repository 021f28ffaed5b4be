package conformance

import (
	"strconv"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
)

func terms(change func(*spec.MandateTerms)) func(*spec.Mandate) {
	return func(m *spec.Mandate) { change(m.Terms()) }
}

func rosterTerms(change func(*spec.RosterTerms)) func(*spec.Roster) {
	return func(r *spec.Roster) { change(r.Terms()) }
}

func approvalTraces(b *book) {
	l := newLife(b, "issued")
	l.status(l.enrol("mandate", l.Mandate()), spec.StatusActive)
	l.finish("approval/two-of-two", approvalClause, "Treasurer and cfo approve, the mandate is issued with the second approval: three entries.")

	l = newLife(b, "relabelled")
	m := l.Mandate()
	decline := l.Say("cfo", spec.Decline, spec.KindMandate, spec.ContentDigest(m.Value), m.Body.(*spec.Mandate).Lines("en")...)
	l.step("propose", "mandate", m, drafted)
	l.step("approve", "by treasurer", l.ApproveMandate("treasurer", m), recorded(1))
	l.step("approve", "decline of cfo relabelled", l.edited(decline, set("/decision", "approve")), refused("proof-signature", "/proof/proofValue"))
	l.finish("approval/decline-relabelled-as-approve", approvalClause, "The cfo's signed decline, relabelled as approve, keeps a proof of other bytes.")

	l = newLife(b, "declined")
	m = l.Mandate()
	l.step("propose", "mandate", m, drafted)
	l.step("approve", "decline of treasurer", l.Say("treasurer", spec.Decline, spec.KindMandate, spec.ContentDigest(m.Value), m.Body.(*spec.Mandate).Lines("en")...), recorded(1))
	l.step("approve", "by cfo", l.ApproveMandate("cfo", m), refused("draft-closed", "/content"))
	l.step("approve", "by treasurer after all", l.ApproveMandate("treasurer", m), refused("draft-closed", "/content"))
	l.finish("approval/approved-after-a-decline", approvalClause, "A decline by a named approver ends the draft.")

	l = newLife(b, "withdrawn")
	m = l.Mandate()
	l.step("propose", "mandate", m, drafted)
	l.step("approve", "by treasurer", l.ApproveMandate("treasurer", m), recorded(1))
	l.step("approve", "withdrawn", l.Say("treasurer", spec.Withdraw, spec.KindMandate, spec.ContentDigest(m.Value)), recorded(1))
	l.step("approve", "by cfo", l.ApproveMandate("cfo", m), recorded(1))
	l.step("approve", "by treasurer again", l.ApproveMandate("treasurer", m), issued(2))
	l.finish("approval/withdrawn-approval-counted", tableClause, "A withdrawal takes the person's approval back: the second person's does not issue.")

	l = newLife(b, "replayed approval")
	m = l.Mandate()
	word := l.ApproveMandate("treasurer", m)
	l.step("propose", "mandate", m, drafted)
	l.step("approve", "by treasurer", word, recorded(1))
	l.step("approve", "by treasurer", word, again())
	l.step("approve", "by treasurer anew", l.ApproveMandate("treasurer", m), recorded(1))
	l.finish("approval/one-person-twice", approvalClause, "One person's approval twice is one person; the same bytes get the same answer.")

	l = newLife(b, "expired approval")
	m = l.Mandate()
	l.step("propose", "mandate", m, drafted)
	word = l.ApproveMandate("treasurer", m)
	l.Advance(7 * 24 * time.Hour)
	l.step("approve", "by treasurer", word, refused("approval-expired", "/expires"))
	l.finish("approval/logged-at-its-expiry", tableClause, "An approval is logged before its expires, not at it.")

	l = newLife(b, "future approval")
	m = l.Mandate()
	l.step("propose", "mandate", m, drafted)
	l.Advance(time.Hour)
	word = l.ApproveMandate("treasurer", m)
	l.Now = writtest.Start
	l.step("approve", "by treasurer", word, refused("approval-future", "/at"))
	l.finish("approval/signed-in-the-future", approvalClause, "An approval that says it was signed in an hour.")

	l = newLife(b, "two keys", rosterTerms(func(t *spec.RosterTerms) {
		cfo := &t.Persons[1]
		cfo.Keys = append(cfo.Keys, spec.PersonKey{ID: writtest.Grantor + "#cfo-phone", PublicKey: world("two keys").Key("cfo-phone").Public().Multikey(), Kind: "key", Grade: spec.GradeDevice})
	}))
	m = l.Mandate()
	l.step("propose", "mandate", m, drafted)
	l.step("approve", "by cfo", l.ApproveMandate("cfo", m), recorded(1))
	l.step("approve", "by cfo's phone", l.ApproveMandate("cfo-phone", m), recorded(1))
	l.step("approve", "by treasurer", l.ApproveMandate("treasurer", m), issued(2))
	l.finish("approval/one-person-with-two-keys", rosterClause, "Distinct persons count, not keys: the cfo with two keys is no 2 of 2.")

	l = newLife(b, "one key", rosterTerms(func(t *spec.RosterTerms) {
		t.Persons = append(t.Persons, spec.Person{Person: "twin", Name: "Ana Reis", Keys: []spec.PersonKey{{ID: writtest.Grantor + "#twin",
			PublicKey: t.Persons[0].Keys[0].PublicKey, Kind: "key", Grade: spec.GradeDevice}}})
		t.Powers[0].Persons = []string{"treasurer", "cfo", "twin"}
	}))
	m = l.Mandate(terms(func(t *spec.MandateTerms) { t.Grantor.Approvers = []string{"treasurer", "cfo", "twin"} }))
	l.step("propose", "mandate", m, drafted)
	l.step("approve", "by treasurer", l.ApproveMandate("treasurer", m), recorded(1))
	twin := l.ApproveMandate("treasurer", m)
	l.step("approve", "by twin", l.resigned(twin, "treasurer", writtest.Grantor+"#twin", did.CapabilityDelegation, set("/approver", writtest.Grantor+"#twin")), recorded(1))
	l.step("approve", "by cfo", l.ApproveMandate("cfo", m), issued(2))
	l.finish("approval/two-persons-with-one-key", rosterClause, "Equal keys are one person.")

	l = newLife(b, "reserved kind", rosterTerms(func(t *spec.RosterTerms) { t.Persons[0].Keys = append(t.Persons[0].Keys, reservedKey()) }))
	m = l.Mandate()
	l.step("propose", "mandate", m, drafted)
	l.step("approve", "by cfo", l.ApproveMandate("cfo", m), recorded(1))
	l.step("approve", "by treasurer's wallet", l.ApproveMandate("wallet", m), refused("approver-unknown", "/approver"))
	l.step("approve", "by treasurer", l.ApproveMandate("treasurer", m), issued(2))
	l.finish("approval/key-of-reserved-kind", rosterClause, "A key of a kind that is not known counts nothing.")

	l = newLife(b, "hosted key")
	m = l.Mandate()
	l.step("propose", "mandate", m, drafted)
	l.step("approve", "by another key", l.resigned(l.ApproveMandate("treasurer", m), "mallory", l.KeyID("treasurer"), did.CapabilityDelegation), refused("proof-signature", "/proof/proofValue"))
	l.finish("approval/key-replaced-in-hosted-did-document", rosterClause, "Keys are in the roster: whoever replaces the key in the grantor's DID document approves nothing.")

	l = newLife(b, "purpose")
	m = l.Mandate()
	l.step("propose", "mandate", m, drafted)
	l.step("approve", "for another purpose", l.resigned(l.ApproveMandate("treasurer", m), "treasurer", l.KeyID("treasurer"), did.AssertionMethod), refused("proof-purpose", "/proof/proofPurpose"))
	l.finish("approval/for-another-purpose", approvalClause, "An approval's purpose is capabilityDelegation.")

	l = newLife(b, "appointed")
	const approvers = "/credentialSubject/mandate/grantor/approvers"
	l.step("propose", "mandate of mallory", l.Mandate(terms(func(t *spec.MandateTerms) { t.Grantor.Approvers, t.Grantor.Threshold = []string{"mallory"}, 1 })), refused("approver-unknown", approvers+"/0"))
	l.step("propose", "mandate of the intern", l.Mandate(terms(func(t *spec.MandateTerms) { t.Grantor.Approvers, t.Grantor.Threshold = []string{"intern"}, 1 })), refused("power-missing", approvers))
	l.finish("approval/approver-appointed-by-the-mandate", rosterClause, "A mandate cannot appoint its own approvers: the roster's powers are asked too.")

	l = newLife(b, "low threshold")
	m = l.Mandate(terms(func(t *spec.MandateTerms) { t.Grantor.Threshold = 1 }))
	l.step("propose", "mandate", m, drafted)
	l.step("approve", "by cfo", l.ApproveMandate("cfo", m), recorded(1))
	l.step("approve", "by treasurer", l.ApproveMandate("treasurer", m), issued(2))
	l.finish("approval/threshold-below-the-power", checksClause, "The mandate's threshold AND the roster's powers: one of two does not issue.")

	l = newLife(b, "requested")
	m = l.Mandate(terms(func(t *spec.MandateTerms) {
		t.RequestedBy, t.Grantor.Approvers, t.Grantor.Threshold = "intern", []string{"treasurer", "cfo", "intern"}, 2
	}))
	l.step("propose", "mandate", m, drafted)
	l.step("approve", "by intern", l.ApproveMandate("intern", m), refused("approver-not-named", "/approver"))
	l.finish("approval/by-the-one-who-asked", rosterClause, "The mandate's requestedBy never counts.")

	l = newLife(b, "reach", rosterTerms(func(t *spec.RosterTerms) {
		t.Powers[0].UpTo = &spec.UpTo{Each: euros(24_999_99)}
	}))
	l.step("propose", "mandate", l.Mandate(), refused("power-missing", approvers))
	l.step("propose", "mandate without recovery", l.Mandate(terms(func(t *spec.MandateTerms) { t.Recovery = nil })), drafted)
	l.finish("approval/reach-counts-the-lifts", rosterClause, "10,000 a day and lifts of 15,000 reach 25,000, a cent above the power.")

	removedTraces(b)
	envelopeTraces(b)
	gradeTraces(b)

	l = newLife(b, "test drafted")
	l.step("propose", "mandate", l.Mandate(func(m *spec.Mandate) { m.Subject.Mode = spec.ModeTest }), refused("mode-other", ""))
	l.finish("approval/test-mandate-at-a-live-issuer", "protocol.md 2.5: mode", "A document of test mode is refused live.")

	l = newLife(b, "other ledger")
	l.step("propose", "mandate", l.Mandate(terms(func(t *spec.MandateTerms) { t.Ledger.Log = "other.example/log" })), refused("ledger-other", "/credentialSubject/mandate/ledger"))
	l.finish("approval/mandate-of-another-log", mandateClause, "One ledger keeps one mandate.")

	l = newLife(b, "kind")
	m = l.Mandate()
	l.step("propose", "mandate", m, drafted)
	l.step("approve", "as a roster", l.Approve("treasurer", spec.KindRoster, spec.ContentDigest(m.Value)), refused("approval-kind", "/kind"))
	l.finish("approval/of-another-kind", approvalClause, "The kind equals the content's type.")
}

func reservedKey() spec.PersonKey {
	return spec.PersonKey{ID: writtest.Grantor + "#wallet", PublicKey: world("reserved kind").Key("wallet").Public().Multikey(), Kind: "wallet", Grade: spec.GradeDevice}
}

func euros(minor int64) rule.Money { return rule.Money{Minor: minor, Currency: "EUR"} }

// removedTraces are about keys that a later roster version takes away, and powers that it gives.
func removedTraces(b *book) {
	l := newLife(b, "removed")
	m := l.Mandate()
	word := l.ApproveMandate("cfo", m)
	l.step("propose", "mandate", m, drafted)
	l.Advance(time.Hour)
	l.enrol("roster 2", l.NextRoster(l.roster, rosterTerms(func(t *spec.RosterTerms) {
		t.Persons[1].Keys[0].ID, t.Persons[1].Keys[0].PublicKey = writtest.Grantor+"#cfo-2", l.Key("cfo-2").Public().Multikey()
	})))
	l.step("approve", "by cfo's old key", word, refused("approver-unknown", "/approver"))
	l.finish("approval/signed-after-its-key-was-removed", rosterClause, "An approval dated before the removal, handed over after it: the key is gone at once.")

	l = newLife(b, "added")
	l.Advance(time.Hour)
	l.enrol("roster 2", l.NextRoster(l.roster, rosterTerms(func(t *spec.RosterTerms) {
		t.Powers[0].Persons = []string{"treasurer", "cfo", "intern"}
	})))
	m = l.Mandate(terms(func(t *spec.MandateTerms) { t.Grantor.Approvers = []string{"treasurer", "intern"} }))
	l.step("propose", "mandate", m, refused("power-missing", "/credentialSubject/mandate/grantor/approvers"))
	l.Advance(24*time.Hour - time.Second)
	l.step("propose", "mandate", m, refused("power-missing", "/credentialSubject/mandate/grantor/approvers"))
	l.Advance(time.Second)
	l.step("propose", "mandate", m, drafted)
	l.finish("approval/looser-power-before-its-delay", rosterClause, "Additions and looser powers count only after changeDelay.")

	l = newLife(b, "rotated")
	m = l.enrol("mandate", l.Mandate())
	l.Advance(time.Hour)
	l.enrol("roster 2", l.NextRoster(l.roster, rosterTerms(func(t *spec.RosterTerms) {
		t.Persons[1].Keys[0].ID, t.Persons[1].Keys[0].PublicKey = writtest.Grantor+"#cfo-2", l.Key("cfo-2").Public().Multikey()
	})))
	l.ask("invoice-1", "1.00", authorized, m)
	l.Advance(48 * time.Hour)
	l.ask("invoice-2", "1.00", authorized, m)
	l.finish("approval/key-replaced-after-it-approved", rosterClause, "A key counts at a log index if the roster version in force there has it: replacing it later takes nothing back.")

	l = newLife(b, "roster declined")
	l.Advance(time.Hour)
	next := l.NextRoster(l.roster)
	l.step("propose", "roster 2", next, drafted)
	l.step("approve", "decline", l.Say("treasurer", spec.Decline, spec.KindRoster, spec.ContentDigest(next.Value)), recorded(1))
	l.step("approve", "by cfo", l.ApproveRoster("cfo", next), refused("approval-declined", ""))
	l.finish("approval/roster-declined-and-approved", approvalClause, "A declined roster version is not approved by the others; a decline is no approval.")

	l = newLife(b, "issuer")
	m = l.Mandate(func(m *spec.Mandate) { m.Issuer = "did:web:stranger.example" })
	l.step("propose", "mandate", m, refused("issuer-unknown", "/issuer"))
	l.finish("approval/issuer-that-is-no-seal", mandateClause, "The issuer is the grantor or an assembler that the roster lists.")

	l = newLife(b, "compromised")
	m = l.enrol("mandate", l.Mandate())
	since := spec.At(l.Now)
	l.Advance(time.Hour)
	l.enrol("roster 2", l.NextRoster(l.roster, rosterTerms(func(t *spec.RosterTerms) { t.Persons[1].Keys[0].CompromisedSince = since })))
	l.ask("invoice-1", "1.00", hidden("approvals-missing"), m)
	l.finish("approval/key-compromised-before-it-approved", rosterClause, "A key never counts since its compromisedSince: the mandate that it approved authorises nothing any more.")

	l = newLife(b, "gap")
	l.Advance(time.Hour)
	second := l.NextRoster(l.roster)
	third := document(func() *spec.Roster {
		r := *writtest.Parsed(second).Body.(*spec.Roster)
		r.ID = l.ID()
		r.Subject.Roster.Version, r.Subject.Roster.Previous = 3, spec.ContentDigest(second.Value)
		return &r
	}())
	l.step("propose", "roster 3", third, drafted)
	l.step("approve", "by treasurer", l.ApproveRoster("treasurer", third), recorded(1))
	l.step("approve", "by cfo", l.ApproveRoster("cfo", third), refused("roster-previous", "/credentialSubject/roster/previous"))
	l.finish("approval/roster-version-skipped", tableClause, "A roster version names the version in force.")

	l = newLife(b, "lone change")
	l.Advance(time.Hour)
	change := l.NextRoster(l.roster, rosterTerms(func(t *spec.RosterTerms) { t.ChangeThreshold, t.Powers[0].Threshold = 1, 1 }))
	l.step("propose", "roster 2", change, drafted)
	l.step("approve", "by treasurer", l.ApproveRoster("treasurer", change), recorded(1))
	l.finish("approval/roster-by-its-own-threshold", rosterClause, "Version 2 needs the change threshold of version 1, whatever it says itself.")
}

// envelopeTraces are about the envelope of one content: who approved, what was approved.
func envelopeTraces(b *book) {
	l := newLife(b, "two sets")
	m := l.Mandate(terms(func(t *spec.MandateTerms) { t.Grantor.Approvers = []string{"treasurer", "cfo", "intern"} }))
	l.step("propose", "mandate", m, drafted)
	intern := l.ApproveMandate("intern", m)
	treasurer, cfo := l.ApproveMandate("treasurer", m), l.ApproveMandate("cfo", m)
	l.step("approve", "by intern", intern, recorded(1))
	l.step("approve", "by treasurer", treasurer, recorded(1))
	l.step("approve", "by cfo", cfo, issued(2))
	all, two := l.Seal(m, intern, treasurer, cfo), l.Seal(m, treasurer, cfo)
	l.ask("invoice-1", "6000.00", authorized, all)
	l.ask("invoice-2", "5000.00", collect("budget", "budget-exceeded", "daily 1000.00"), two)
	l.account(m, spec.StatusActive, "daily", "6000.00", "0.00", "0.00")
	l.finish("approval/two-approver-sets-share-one-budget", bytesClause, "Two approver sets of one content are one mandate with one budget.")

	l = newLife(b, "unlogged")
	m = l.Mandate()
	l.enrol("mandate", m)
	l.ask("invoice-1", "1.00", hidden("approval-not-logged"), l.Seal(m, l.ApproveMandate("treasurer", m), l.ApproveMandate("cfo", m)))
	l.finish("approval/approvals-not-logged", approvalClause, "Only logged approvals count, whatever the envelope carries.")

	l = newLife(b, "too few")
	m = l.Mandate()
	l.enrol("mandate", m)
	v, err := spec.FromValue(l.trace.Documents["mandate by cfo"])
	b.must(err)
	l.ask("invoice-1", "1.00", hidden("approvals-missing"), l.Seal(m, v))
	l.finish("approval/envelope-with-one-of-two", checksClause, "An envelope that carries one of two approvals is not enough.")

	l = newLife(b, "stranger's seal")
	m = l.enrol("mandate", l.Mandate())
	l.ask("invoice-1", "1.00", hidden("seal-unknown"), l.resigned(m, "mallory", writtest.Grantor+"#mallory", did.AssertionMethod))
	l.ask("invoice-2", "1.00", hidden("proof-signature"), l.resigned(m, "mallory", l.KeyID("seal"), did.AssertionMethod))
	l.finish("approval/sealed-by-a-stranger", mandateClause, "The seal is one of the roster's.")

	entry := parse(`{"type":"BitstringStatusListEntry","statusPurpose":"revocation","statusListIndex":"42","statusListCredential":"https://writ.acme.example/status/1"}`)
	swapped := func(name, title string, change func(*spec.Mandate), edits ...Edit) {
		l := newLife(b, name)
		m := l.enrol("mandate", l.Mandate(change))
		l.ask("invoice-1", "1.00", authorized, m)
		l.ask("invoice-2", "1.00", hidden("chain-unknown"), l.resigned(m, "seal", l.KeyID("seal"), did.AssertionMethod, edits...))
		l.finish("approval/"+name, bytesClause, title)
	}
	swapped("status-entry-swapped-after-approval", "The seal puts another status list entry into an approved mandate: it is another content, which nobody approved.",
		func(m *spec.Mandate) { m.CredentialStatus = []jcs.Value{entry} }, set("/credentialStatus/0/statusListIndex", "43"))
	swapped("source-contract-swapped", "The seal replaces the source contract of an approved mandate.",
		func(m *spec.Mandate) { m.Evidence = []jcs.Value{source("contract")} }, set("/evidence/0", source("another contract")))
	swapped("second-salt", "An approved mandate under a second salt would have a second chain and account.",
		func(*spec.Mandate) {}, set("/credentialSubject/mandate/salt", jcs.EncodeBase64(make([]byte, 32))))
	swapped("subject-swapped-after-approval", "The seal gives an approved mandate to another field: its name.",
		func(*spec.Mandate) {}, set("/name", "Pay anything"))
}

// gradeTraces are about who could have forged an approval.
func gradeTraces(b *book) {
	l := newLife(b, "weak key", rosterTerms(func(t *spec.RosterTerms) { t.Persons[1].Keys[0].Grade = spec.GradeServer }))
	m := l.Mandate()
	l.step("propose", "mandate", m, drafted)
	l.step("approve", "by treasurer", l.ApproveMandate("treasurer", m), recorded(1))
	l.step("approve", "by cfo", l.ApproveMandate("cfo", m), recorded(1))
	l.status(m, spec.StatusDraft)
	l.finish("approval/key-below-the-least-grade", approvalClause, "The mandate asks for device-hosted, the cfo's key reaches server only.")

	l = newLife(b, "other sentences")
	m = l.Mandate()
	l.step("propose", "mandate", m, drafted)
	l.step("approve", "by treasurer", l.ApproveMandate("treasurer", m), recorded(1))
	l.step("approve", "by cfo", l.Approve("cfo", spec.KindMandate, spec.ContentDigest(m.Value), "Pay the coffee"), recorded(1))
	l.step("approve", "by cfo again", l.ApproveMandate("cfo", m), issued(2))
	l.finish("approval/shown-other-sentences", approvalClause, "Verifiers recompute what was shown: other sentences cap the grade at server.")

	l = newLife(b, "weak lift", rosterTerms(func(t *spec.RosterTerms) { t.Persons[2].Keys[0].Grade = spec.GradeServer }))
	parent := l.enrol("parent", l.Mandate())
	child := l.Seal(l.Child(parent, terms(func(t *spec.MandateTerms) {
		over := euros(500_00)
		t.Recovery = []spec.Recovery{{For: []string{"share"}, Approvers: []string{"intern"}, Threshold: 1, MaxOver: &over, Within: "PT4H"}}
	})))
	l.step("delegate", "child", child, recorded(1))
	d := l.ask("invoice-1", "2100.00", collect("budget", "budget-exceeded", "share 100.00"), parent, child)
	l.step("approve-supplement", "by intern", l.ApproveSupplement("intern", child, l.supplement(d, child)), recorded(1), of(d))
	l.step("resume", "", spec.Document{}, refused("recovery-open", ""), of(d))
	l.finish("approval/lift-below-the-chains-grade", mandateClause, "The strictest leastGrade of the chain applies to a lift of a delegated mandate too.")
}

func delegationTraces(b *book) {
	const at = "/credentialSubject/mandate"
	l := newLife(b, "delegated")
	parent := l.enrol("parent", l.Mandate())
	child := l.Seal(l.Child(parent))
	l.step("delegate", "child", child, recorded(1))
	l.ask("invoice-1", "1500.00", authorized, parent, child)
	l.account(parent, spec.StatusActive, "daily", "1500.00", "0.00", "0.00")
	l.account(child, spec.StatusActive, "share", "1500.00", "0.00", "0.00")
	l.finish("delegation/charges-the-whole-chain", mandateClause, "A delegated payment is charged to the child and to every ancestor.")

	refuse := func(name, title, reason, pointer string, child func(*life, spec.Document) spec.Document) {
		l := newLife(b, name)
		parent := l.enrol("parent", l.Mandate())
		l.step("delegate", "child", child(l, parent), refused(reason, pointer))
		l.finish("delegation/"+name, mandateClause, title)
	}
	changed := func(change func(*spec.Mandate)) func(*life, spec.Document) spec.Document {
		return func(l *life, parent spec.Document) spec.Document { return l.Seal(l.Child(parent, change)) }
	}
	refuse("foreign-child-of-a-real-parent", "A stranger delegates from a mandate that it does not hold.", "child-grantor", at+"/grantor/id",
		changed(func(m *spec.Mandate) {
			stranger := world("foreign-child-of-a-real-parent").DID("subagent")
			m.Issuer, m.Terms().Grantor.ID = stranger, stranger
		}))
	refuse("signed-by-a-stranger", "A child in the parent's subject's name, signed by another key.", "proof-signature", "/proof/proofValue",
		func(l *life, parent spec.Document) spec.Document {
			return l.resigned(l.Child(parent), "subagent", l.KeyID("agent"), did.AssertionMethod)
		})
	refuse("as-deep-as-the-parent", "maxDepth grows smaller at each level.", "child-depth", at+"/delegation/maxDepth",
		changed(terms(func(t *spec.MandateTerms) { t.Delegation = &spec.Delegation{MaxDepth: 1} })))
	refuse("later-expiry", "A child ends before its parent.", "child-validity", "/validUntil",
		changed(func(m *spec.Mandate) { m.ValidUntil = spec.At(m.ValidUntil.Add(time.Second)) }))
	refuse("other-ledger", "A child keeps its account where its parent does.", "child-ledger", at+"/ledger",
		changed(terms(func(t *spec.MandateTerms) { t.Ledger.Verifier = "did:web:other.example" })))
	refuse("self-executed", "The agent may execute only if the parent says so.", "child-self-executed", at+"/selfExecuted",
		changed(terms(func(t *spec.MandateTerms) { t.SelfExecuted = true })))
	refuse("of-an-unknown-parent", "A parent that no chain has.", "parent-unknown", "",
		changed(terms(func(t *spec.MandateTerms) { t.Parent = jcs.Digest("", nil) })))
	refuse("in-test-mode", "A test child of a live parent.", "mode-other", "",
		changed(func(m *spec.Mandate) { m.Subject.Mode = spec.ModeTest }))

	l = newLife(b, "grandchild")
	parent = l.enrol("parent", l.Mandate())
	child = l.Seal(l.Child(parent))
	l.step("delegate", "child", child, recorded(1))
	grand := l.Seal(l.Child(child, func(m *spec.Mandate) { m.Subject.ID = l.DID("agent") }))
	l.step("delegate", "grandchild", grand, refused("child-depth", at+"/delegation/maxDepth"))
	l.finish("delegation/deeper-than-allowed", mandateClause, "The parent allows one level.")

	l = newLife(b, "no parent")
	parent = l.enrol("parent", l.Mandate())
	child = l.Seal(l.Child(parent))
	l.ask("invoice-1", "1.00", hidden("chain-unknown"), parent, child)
	l.step("delegate", "child", child, recorded(1))
	l.ask("invoice-2", "1.00", hidden("roster-unknown"), child)
	l.finish("delegation/presented-without-its-parent", checksClause, "A child is presented with its chain, and only once it has a chain here.")

	l = newLife(b, "revoked parent")
	parent = l.enrol("parent", l.Mandate())
	child = l.Seal(l.Child(parent))
	l.step("delegate", "child", child, recorded(1))
	l.step("notice", "revocation", l.Notice("cfo", spec.ActRevoke, spec.ContentDigest(parent.Value)), recorded(1))
	l.ask("invoice-1", "1.00", rejected("status", "mandate-revoked"), parent, child)
	l.step("delegate", "another child", l.Seal(l.Child(parent)), refused("parent-inactive", at+"/parent"))
	l.finish("delegation/under-a-revoked-parent", mandateClause, "Every ancestor is live now, or nothing below is.")

	l = newLife(b, "siblings")
	parent = l.enrol("parent", l.Mandate(terms(func(t *spec.MandateTerms) {
		t.Constraints[0], t.Recovery = writtest.Budget("daily", "3000.00", "P1D"), nil
	})))
	one, two := l.Seal(l.Child(parent)), l.Seal(l.Child(parent))
	l.step("delegate", "one", one, recorded(1))
	l.step("delegate", "two", two, recorded(1))
	first := l.ask("invoice-1", "2000.00", authorized, parent, one)
	l.ask("invoice-2", "1000.01", rejected("budget", "budget-exceeded"), parent, two)
	l.ask("invoice-3", "1000.00", authorized, parent, two)
	l.step("begin", "begin 1", l.Begin(first, l.Now), recorded(1))
	l.account(parent, spec.StatusActive, "daily", "3000.00", "0.00", "0.00")
	l.account(two, spec.StatusActive, "share", "1000.00", "0.00", "0.00")
	l.finish("delegation/siblings-with-open-holds-on-one-parent", mandateClause, "Budgets are shared along the chain: two children cannot spend their parent's budget twice.")

	l = newLife(b, "lift below")
	parent = l.enrol("parent", l.Mandate(terms(func(t *spec.MandateTerms) { t.Recovery = nil })))
	child = l.Seal(l.Child(parent, terms(func(t *spec.MandateTerms) {
		over := euros(5000_00)
		t.Constraints[0] = writtest.Budget("daily", "12000.00", "P1D")
		t.Recovery = []spec.Recovery{{For: []string{"daily"}, Approvers: []string{"cfo"}, Threshold: 1, MaxOver: &over, Within: "PT4H"}}
	})))
	l.step("delegate", "child", child, recorded(1))
	l.ask("invoice-1", "10000.01", rejected("budget", "budget-exceeded"), parent, child)
	l.finish("delegation/child-lifts-a-limit-of-the-same-name", mandateClause, "A child's clause for its own daily limit lifts nothing of its parent's limit of the same name.")

	l = newLife(b, "suspended parent")
	parent = l.enrol("parent", l.Mandate())
	child = l.Seal(l.Child(parent))
	l.step("delegate", "child", child, recorded(1))
	d := l.ask("invoice-1", "1500.00", authorized, parent, child)
	l.step("notice", "suspension", l.Notice("cfo", spec.ActSuspend, spec.ContentDigest(parent.Value)), recorded(1))
	l.step("begin", "begin", l.Begin(d, l.Now), refused("mandate-suspended", "/decision"))
	l.finish("delegation/begun-under-a-suspended-parent", tableClause, "A begin needs every mandate of the chain active.")

	l = newLife(b, "entered above")
	parent = l.enrol("parent", l.Mandate())
	child = l.Seal(l.Child(parent))
	l.step("delegate", "child", child, recorded(1))
	d = l.ask("invoice-1", "1500.00", authorized, parent, child)
	l.step("begin", "begin", l.Begin(d, l.Now), recorded(1))
	l.Advance(time.Hour)
	l.account(parent, spec.StatusActive, "daily", "1500.00", "0.00", "0.00")
	l.account(child, spec.StatusActive, "share", "1500.00", "0.00", "0.00")
	l.step("report", "report", l.report(d, spec.OutcomeExecuted, "1600.00", true), recorded(1))
	l.trace.Accounts = nil
	l.account(parent, spec.StatusActive, "daily", "1600.00", "0.00", "100.00")
	l.account(child, spec.StatusSuspended, "share", "1600.00", "0.00", "100.00")
	l.finish("delegation/excess-charges-the-ancestors", decisionClause, "A begin enters the hold on every chain, so it lapses on none; what was executed above it suspends the leaf and charges the ancestors.")

	l = newLife(b, "two roots")
	parent = l.enrol("parent", l.Mandate())
	root := l.enrol("another root", l.Mandate())
	l.ask("invoice-1", "1.00", rejected("delegation", "child-parent"), parent, root)
	l.finish("delegation/two-roots-as-a-chain", mandateClause, "Two mandates that people granted are no chain.")

	eightMandates(b)

	l = newLife(b, "lifted above")
	parent = l.enrol("parent", l.Mandate())
	child = l.Seal(l.Child(parent, terms(func(t *spec.MandateTerms) { t.Constraints[0] = writtest.Budget("share", "20000.00", "P1D") })))
	l.step("delegate", "child", child, recorded(1))
	d = l.ask("invoice-1", "12000.00", collect("budget", "budget-exceeded", "daily 2000.00"), parent, child)
	l.lift("invoice-1 resumed", d, parent, StepEnd{Outcome: spec.Authorized, Entries: 1, Lifts: []string{"daily 2000.00"}})
	l.account(parent, spec.StatusActive, "daily", "12000.00", "2000.00", "0.00")
	l.account(child, spec.StatusActive, "share", "12000.00", "0.00", "0.00")
	l.finish("delegation/parents-limit-lifted", supplyClause, "A limit of the parent is lifted on the parent's chain, for one action of the child.")

	l = newLife(b, "up")
	parent = l.enrol("parent", l.Mandate())
	l.step("notice", "revocation by the agent", l.noticeBy("agent", parent), refused("revoker-unknown", "/by"))
	l.finish("delegation/agent-revokes-its-own-mandate", supplyClause, "Only revokers revoke a mandate that people granted, not its subject.")

	l = newLife(b, "twice")
	parent = l.enrol("parent", l.Mandate())
	child = l.Seal(l.Child(parent))
	l.step("delegate", "child", child, recorded(1))
	l.ask("invoice-1", "1.00", rejected("delegation", "child-parent"), parent, parent)
	l.ask("invoice-2", "1.00", hidden("roster-unknown"), child, parent)
	l.finish("delegation/chain-in-another-order", mandateClause, "A chain is presented root first, each mandate once.")

	l = newLife(b, "foreign issuer")
	parent = l.enrol("parent", l.Mandate())
	child = l.Seal(l.Child(parent))
	l.step("delegate", "child", child, recorded(1))
	l.step("notice", "revocation by the issuer", l.noticeBy("agent", child), recorded(1))
	l.ask("invoice-1", "1.00", rejected("status", "mandate-revoked"), parent, child)
	l.finish("delegation/revoked-by-its-issuer", supplyClause, "The issuer of a delegated mandate may revoke it.")
}

// eightMandates is the longest chain: one entry with eight links.
func eightMandates(b *book) {
	l := newLife(b, "eight")
	chain := []spec.Document{l.enrol("mandate 1", l.Mandate(terms(func(t *spec.MandateTerms) { t.Delegation.MaxDepth = 7 })))}
	for i := 2; i <= 9; i++ {
		child := l.Seal(l.Child(chain[len(chain)-1], func(m *spec.Mandate) {
			m.Subject.ID = l.DID([]string{"subagent", "agent"}[i%2])
			if i < 8 {
				m.Terms().Delegation = &spec.Delegation{MaxDepth: int64(8 - i)}
			}
		}))
		name := "mandate " + strconv.Itoa(i)
		if i == 9 {
			l.step("delegate", name, child, refused("child-depth", "/credentialSubject/mandate/delegation/maxDepth"))
			break
		}
		l.step("delegate", name, child, recorded(1))
		chain = append(chain, child)
	}
	l.ask("invoice-1", "1500.00", authorized, chain...)
	l.account(chain[0], spec.StatusActive, "daily", "1500.00", "0.00", "0.00")
	l.account(chain[7], spec.StatusActive, "share", "1500.00", "0.00", "0.00")
	l.finish("delegation/ninth-mandate-in-a-chain", entryClause, "Eight mandates in a chain give an entry of eight links; a ninth is not delegated.")
}

// noticeBy is an agent's revocation of a mandate that it issued.
func (l *life) noticeBy(agent string, m spec.Document) spec.Document {
	n := document(&spec.Notice{Type: "RevocationNotice", Version: spec.Version, Content: spec.ContentDigest(m.Value), Act: spec.ActRevoke,
		By: l.KeyID(agent), At: spec.At(l.Now), Nonce: l.Nonce()})
	return l.Sign(n, agent, did.AssertionMethod, l.Now)
}

func revocationTraces(b *book) {
	l := newLife(b, "revoked")
	m := l.enrol("mandate", l.Mandate())
	d := l.ask("invoice-1", "1.00", authorized, m)
	l.step("notice", "revocation", l.Notice("cfo", spec.ActRevoke, spec.ContentDigest(m.Value)), recorded(1))
	l.ask("invoice-2", "1.00", rejected("status", "mandate-revoked"), m)
	l.step("begin", "begin", l.Begin(d, l.Now), refused("mandate-revoked", "/decision"))
	l.resume("resume", "treasurer", m, refused("not-suspended", "/content"))
	l.status(m, spec.StatusRevoked)
	l.finish("revocation/begin-after-it", tableClause, "No AUTHORIZED and no begin follow a revocation, and nothing resumes it.")

	l = newLife(b, "suspended")
	m = l.enrol("mandate", l.Mandate())
	d = l.ask("invoice-0", "10.00", authorized, m)
	l.step("begin", "begin", l.Begin(d, l.Now), recorded(1))
	l.step("notice", "suspension", l.Notice("cfo", spec.ActSuspend, spec.ContentDigest(m.Value)), recorded(1))
	l.step("report", "report", l.report(d, spec.OutcomeExecuted, "10.00", true), recorded(1))
	l.ask("invoice-1", "1.00", rejected("status", "mandate-suspended"), m)
	l.resume("resume", "cfo", m, recorded(1))
	l.ask("invoice-2", "1.00", rejected("status", "mandate-suspended"), m)
	l.resume("resume", "treasurer", m, recorded(1))
	l.ask("invoice-3", "1.00", authorized, m)
	l.finish("revocation/resumed-by-one-of-two", supplyClause, "A suspended mandate is active again at the full threshold only; entered holds may settle meanwhile.")

	l = newLife(b, "by intern")
	m = l.enrol("mandate", l.Mandate())
	l.step("notice", "notice", l.Notice("intern", spec.ActRevoke, spec.ContentDigest(m.Value)), refused("revoker-unknown", "/by"))
	l.status(m, spec.StatusActive)
	l.finish("revocation/by-no-revoker", supplyClause, "Only a revoker of the roster revokes.")

	l = newLife(b, "forged")
	m = l.enrol("mandate", l.Mandate())
	l.step("notice", "notice", l.resigned(l.Notice("cfo", spec.ActRevoke, spec.ContentDigest(m.Value)), "mallory", l.KeyID("cfo"), did.CapabilityDelegation), refused("proof-signature", "/proof/proofValue"))
	l.finish("revocation/signed-by-a-stranger", supplyClause, "A notice in the cfo's name with another key.")

	l = newLife(b, "old words")
	m = l.enrol("mandate", l.Mandate())
	l.step("notice", "suspension", l.Notice("cfo", spec.ActSuspend, spec.ContentDigest(m.Value)), recorded(1))
	l.resume("resume", "cfo", m, recorded(1))
	l.resume("resume", "treasurer", m, recorded(1))
	l.Advance(time.Minute)
	l.step("notice", "suspension again", l.Notice("cfo", spec.ActSuspend, spec.ContentDigest(m.Value)), recorded(1))
	l.resume("resume again", "treasurer", m, recorded(1))
	l.ask("invoice-1", "1.00", rejected("status", "mandate-suspended"), m)
	l.finish("revocation/resumed-with-old-approvals", supplyClause, "Approvals that resumed the mandate once do not count after the next suspension.")

	l = newLife(b, "after the end")
	m = l.enrol("mandate", l.Mandate(writtest.Until(writtest.Start.Add(time.Hour))))
	l.Advance(time.Hour)
	l.ask("invoice-1", "1.00", rejected("validity", "mandate-expired"), m)
	l.finish("revocation/at-the-very-end", tableClause, "A mandate is valid until validUntil, not at it.")

	l = newLife(b, "before the start")
	m = l.enrol("mandate", l.Mandate(func(m *spec.Mandate) { m.ValidFrom = spec.At(writtest.Start.Add(time.Hour)) }))
	l.Advance(time.Hour - time.Second)
	l.ask("invoice-1", "1.00", rejected("validity", "mandate-not-yet-valid"), m)
	l.finish("revocation/before-the-start", tableClause, "A mandate is valid from validFrom on.")
}
