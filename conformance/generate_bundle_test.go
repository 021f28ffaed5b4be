package conformance

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/vc"
	"github.com/writ-trust/writ/verifier"
)

func trustVectors(b *book) {
	w := world("trust")
	file := trustOf(w, w.Roster(), map[string]string{writtest.Account: writtest.Grantor})
	row := func(name, title string, want DocumentEnd, edits ...Edit) {
		data, err := applyEdits(file, edits)
		b.must(err)
		b.doc("trust/"+name, bundleClause, title, "trust", string(data), want)
	}
	row("one-grantor", "One grantor, one log.", taken)
	b.doc("trust/empty", bundleClause, "An empty trust file trusts nobody.", "trust", "{}", no("json-empty", ""))
	b.doc("trust/no-bytes", bundleClause, "No file.", "trust", "", no("json-syntax", ""))
	row("without-rosters", "Nobody's approvals count.", no("member-missing", "/rosters"), remove("/rosters"))
	row("without-resources", "No resource is anybody's.", no("member-missing", "/resources"), remove("/resources"))
	row("without-a-log", "No log's checkpoints count.", no("trust-empty", "/policy"), set("/policy", "quorum none\n"))
	row("of-another-version", "Only version 1 is known.", no("version-unknown", "/version"), set("/version", "2"))
	row("with-foreign-member", "An unknown member could be a condition.", no("member-unknown", "/atLeast"), set("/atLeast", 2))
	row("pinned-by-a-document-type", "A roster is pinned by its content digest.", no("trust-roster", "/rosters"), set("/rosters/0/content", "version 1"))
	row("of-mode-live", "Only test mode has a mode.", no("mode-unknown", "/mode"), set("/mode", "live"))
}

// export writes a decision's bundle, with its receipt where there is one.
func (l *life) export(shown verifier.Heads, decision spec.Document) []byte {
	l.b.t.Helper()
	ctx, ledger := context.Background(), l.machine.ledger
	receipt, at, err := verifier.Receipt(ctx, ledger, org, decision.Digest)
	if err == nil {
		receipt = l.SignDecision(receipt, at)
	}
	data, err := verifier.Export(ctx, ledger, shown, org, decision.Digest, receipt, ledger.Proof)
	l.b.must(err)
	return data
}

// base is a shared bundle with its trust file; both are files of their own.
type base struct {
	*life
	name string
	data []byte
}

// share puts a decision's bundle and the ledger's trust file among the shared files.
func (l *life) share(name string, decision spec.Document) *base {
	return l.shareWith(name, nil, decision)
}

// shareWith is share with heads.
func (l *life) shareWith(name string, shown verifier.Heads, decision spec.Document) *base {
	l.b.t.Helper()
	s := &base{life: l, name: name, data: l.export(shown, decision)}
	l.b.made["bundles/"+name+".json"] = l.b.indent(json.RawMessage(s.data))
	l.b.made["bundles/"+name+".trust.json"] = l.b.indent(l.trace.Trust)
	return s
}

func (s *base) put(name, title, expect string, want BundleEnd, edits ...Edit) {
	s.b.t.Helper()
	s.add(name, title, &Bundle{Expect: expect, Want: want, Edits: edits})
}

func (s *base) trusting(name, title string, want BundleEnd, edits ...Edit) {
	s.b.t.Helper()
	s.add(name, title, &Bundle{Want: want, TrustEdits: edits})
}

func (s *base) add(name, title string, v *Bundle) {
	s.b.t.Helper()
	v.Bundle, v.Trust = s.name+".json", s.name+".trust.json"
	s.b.put("bundle/"+name, Vector{Title: title, Section: bundleClause, Kind: KindBundle, Bundle: v})
}

func (s *base) read() verifier.Bundle {
	var v verifier.Bundle
	s.b.must(jcs.Unmarshal(s.data, &v))
	return v
}

// logged is the place of the entry of the document at a pointer.
func (s *base) logged(pointer string) string {
	s.b.t.Helper()
	digest := s.at(pointer).Digest
	i := slices.IndexFunc(s.read().Logged, func(l verifier.LoggedAt) bool { return l.Document == digest })
	if i < 0 {
		s.b.t.Fatalf("%s is not logged", pointer)
	}
	return "/logged/" + strconv.Itoa(i)
}

func (s *base) at(pointer string) spec.Document {
	s.b.t.Helper()
	all, err := jcs.ParseDocument(s.data)
	s.b.must(err)
	v, ok := all.Lookup(pointer)
	if !ok {
		s.b.t.Fatalf("nothing at %s", pointer)
	}
	d, err := spec.FromValue(v)
	s.b.must(err)
	return d
}

// forge puts a proof by another key in the place of a document's: the document and its entry stay as they are.
func (s *base) forge(pointer, party string) Edit {
	s.b.t.Helper()
	d := s.at(pointer)
	old, err := vc.ReadProof(d.Value)
	s.b.must(err)
	v, err := vc.Sign(d.Value.Without("proof"), vc.ProofOptions{VerificationMethod: old.VerificationMethod, Purpose: old.ProofPurpose,
		Created: old.Created, Expires: old.Expires, Domain: old.Domain, Challenge: old.Challenge}, s.Key(party))
	s.b.must(err)
	proof, _ := v.Member("proof")
	return set(pointer+"/proof", proof)
}

func fails(verdict, reason, pointer string) BundleEnd {
	return BundleEnd{Fails: verdict, Reason: reason, Pointer: pointer}
}

// relogged is the bundle's entries in another order, or fewer of them, in a log of their own under the log's own key.
func (s *base) relogged(change func([]verifier.LoggedAt) []verifier.LoggedAt) Edit {
	s.b.t.Helper()
	entries := change(s.read().Logged)
	var leaves []log.Hash
	for _, e := range entries {
		leaves = append(leaves, log.RecordHash(e.Entry.Canonical()))
	}
	for i := range entries {
		root, path := tree(leaves, i)
		signed, err := log.Checkpoint{Origin: writtest.Origin, Size: int64(len(leaves)), Root: root}.Sign(s.LogSigner())
		s.b.must(err)
		entries[i].Proof = string(log.InclusionProof{Index: int64(i), Hashes: path, Checkpoint: signed}.Marshal())
	}
	v, err := jcs.ValueOf(entries)
	s.b.must(err)
	return set("/logged", v)
}

// tree is the hash of RFC 6962 section 2.1 and the audit path of one leaf.
func tree(leaves []log.Hash, index int) (root log.Hash, path []log.Hash) {
	if len(leaves) == 1 {
		return leaves[0], nil
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	left, before := tree(leaves[:k], index)
	right, after := tree(leaves[k:], index-k)
	path = append(before, right)
	if index >= k {
		path = append(after, left)
	}
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...)), path
}

func bundleVectors(b *book) {
	l := newLife(b, "bundle recovered")
	m := l.enrol("mandate", l.Mandate())
	first := l.ask("invoice-1", "4200.00", authorized, m)
	l.step("begin", "begin 1", l.Begin(first, l.Now), recorded(1))
	l.step("report", "report 1", l.report(first, spec.OutcomeExecuted, "4200.00", true), recorded(1))
	d := l.ask("invoice-2", "6500.00", collect("budget", "budget-exceeded", "daily 700.00"), m)
	d = l.lift("invoice-2 resumed", d, m, StepEnd{Outcome: spec.Authorized, Entries: 1, Lifts: []string{"daily 700.00"}})
	l.Advance(time.Minute)
	l.step("begin", "begin 2", l.Begin(d, l.Now), recorded(1))
	l.step("report", "report 2", l.report(d, spec.OutcomeExecuted, "6500.00", true), recorded(1))
	s := l.share("recovered", d)
	recoveredVectors(s)
	forgedProofs(s)
	trustEdits(s)

	l = newLife(b, "bundle refused")
	m = l.enrol("mandate", l.Mandate())
	d = l.ask("invoice-1", "99999.00", rejected("budget", "lift-above-ceiling"), m)
	s = l.share("refused", d)
	s.put("refused", "A refused action is shown as refused.", spec.Rejected, BundleEnd{Holds: true})
	s.put("refused-with-expect-executed", "A REJECTED bundle shows no execution.", spec.OutcomeExecuted, fails("executed", "expect-other", "/receipt"))
	s.put("refused-relabelled-as-authorized", "The result is what the entry commits to.", "", fails("intact", "decision-execute-before", "/decision/executeBefore"), set("/decision/result", spec.Authorized))

	declinedBundle(b)
	delegatedBundle(b)
	rosterBundle(b)
	forgedBundle(b)
	compromisedBundle(b)
	lateBundle(b)
	chargedBundle(b)
}

func recoveredVectors(s *base) {
	intact := func(name, title, reason, pointer string, edits ...Edit) {
		s.put(name, title, spec.OutcomeExecuted, fails("intact", reason, pointer), edits...)
	}
	s.put("executed", "Authorised after a recovery, begun and executed.", spec.OutcomeExecuted, BundleEnd{Holds: true})
	s.put("executed-with-expect-failed", "The outcome is another than the one that the reader expects.", spec.OutcomeFailed, fails("executed", "expect-other", "/receipt/credentialSubject/receipt/outcome"))
	decision, begin, report := s.logged("/decision"), s.logged("/begin"), s.logged("/reports/0")
	mandate := s.logged("/presentation/verifiableCredential/0")
	intact("amount-changed", "The decision is what its entry commits to.", "bundle-logged", decision+"/document", set("/decision/action/amount/value", "9500.00"))
	intact("trust-file-inside", "A trust file is never read from the bundle.", "member-unknown", "/trust", set("/trust", s.trace.Trust))
	intact("foreign-member", "A bundle has no extra members.", "member-unknown", "/note", set("/note", "x"))
	intact("begin-left-out", "Every entry opens a document of the bundle.", "bundle-logged", "/logged", remove("/begin"))
	intact("entry-left-out", "Every document is opened by an entry.", "bundle-logged", "/logged", remove(begin))
	s.put("begin-left-out-with-its-entry", "Without its begin the execution is another.", spec.OutcomeExecuted, fails("decision", "receipt-other", "/receipt"), remove("/begin"), remove(begin))
	s.put("report-left-out-with-its-entry", "Without its report nothing was executed.", spec.OutcomeExecuted, fails("decision", "receipt-other", "/receipt"), remove("/reports"), remove(report))
	s.put("receipt-left-out", "The receipt says what was executed.", spec.OutcomeExecuted, fails("executed", "expect-other", "/receipt"), remove("/receipt"))
	s.put("receipt-for-more", "A receipt is a function of its documents.", spec.OutcomeExecuted, fails("decision", "receipt-other", "/receipt"), set("/receipt/credentialSubject/receipt/amount/value", "9500.00"))
	intact("supplement-left-out", "The supplement that lifted is in the bundle.", "bundle-logged", "/logged", remove("/supplements"))
	supplement := s.logged("/supplements/0")
	approval := s.logged("/supplements/0/evidence/0/approval")
	s.put("supplement-left-out-with-its-entries", "Without the supplement the decision does not follow.", spec.OutcomeExecuted, fails("follows", "recovery-open", decisionAt(s, decision, 2)),
		remove("/supplements"), remove(supplement), remove(approval))
	intact("salt-changed", "An entry commits to its document under its salt.", "entry-commitment", mandate+"/salt", set(mandate+"/salt", jcs.EncodeBase64(make([]byte, 32))))
	intact("opened-state-changed", "An entry commits to the states that it opens.", "entry-opened", mandate+"/opened/0", set(mandate+"/opened/0/status", "suspended"))
	intact("opened-seq-changed", "A chain's place is in the entry.", "entry-opened", decision+"/opened/0", set(decision+"/opened/0/seq", 99))
	intact("opened-state-left-out", "Every link is opened.", "json-empty", decision+"/opened", set(decision+"/opened", []any{}))
	intact("entries-swapped", "Entries are in log order.", "bundle-order", report, move(begin, report))
	intact("entry-twice", "Each entry once.", "bundle-logged", "/logged", add("/logged/-", s.read().Logged[0]))
	intact("mandate-logged-after-its-decision", "A log in which the mandate stands behind the decision made under it.", "chain-gap", "/logged/5",
		s.relogged(func(l []verifier.LoggedAt) []verifier.LoggedAt {
			i := slices.IndexFunc(l, func(e verifier.LoggedAt) bool {
				return e.Document == s.at("/presentation/verifiableCredential/0").Digest
			})
			e := l[i]
			return append(slices.Delete(l, i, i+1), e)
		}))
	approvals := [2]string{s.at("/presentation/verifiableCredential/0/evidence/0/approval").Digest, s.at("/presentation/verifiableCredential/0/evidence/1/approval").Digest}
	intact("approvals-in-another-order", "A log in which the entries of one chain changed places.", "chain-gap", s.logged("/presentation/verifiableCredential/0/evidence/0/approval"),
		s.relogged(func(l []verifier.LoggedAt) []verifier.LoggedAt {
			i := slices.IndexFunc(l, func(e verifier.LoggedAt) bool { return e.Document == approvals[0] })
			j := slices.IndexFunc(l, func(e verifier.LoggedAt) bool { return e.Document == approvals[1] })
			l[i], l[j] = l[j], l[i]
			return l
		}))
	intact("logged-in-two-logs", "All proofs end in one checkpoint: a fork shows.", "bundle-checkpoints", begin+"/proof", func() Edit {
		v := s.relogged(func(l []verifier.LoggedAt) []verifier.LoggedAt { return l })
		var entries []verifier.LoggedAt
		all, err := jcs.Parse(v.Value)
		s.b.must(err)
		s.b.must(all.Decode(&entries))
		i := slices.IndexFunc(entries, func(e verifier.LoggedAt) bool { return e.Document == s.at("/begin").Digest })
		return set(begin+"/proof", entries[i].Proof)
	}())
	intact("entry-of-another-leaf", "The entry is not the one in the log.", "proof-inclusion", mandate+"/proof", set(mandate+"/entry/grantor", "did:web:other.example"))
	intact("opened-twice", "A document is in the bundle once.", "bundle-repeated", "/reports/1", add("/reports/-", s.at("/reports/0").Value))
	intact("decision-without-proof", "Every document is signed.", "proof-missing", "/decision/proof", remove("/decision/proof"))
	intact("begin-in-the-decisions-place", "Each member has its document type.", "type-unknown", "/decision/type", set("/decision", s.at("/begin").Value))
	s.put("presentation-of-another-action", "The action is the one that the agent signed.", "", fails("decision", "proof-signature", "/presentation/proof/proofValue"),
		set("/presentation/action/counterparty/id", "lei:OTHER"))
	s.put("presentation-for-another-audience", "The request was made for this ledger.", "", fails("decision", "presentation-audience", "/presentation/proof/domain"), func() Edit {
		p := s.at("/presentation")
		return set("/presentation", s.presented(p, "agent", func(o *vc.ProofOptions) {
			o.Domain = "did:web:other.example"
			o.Created = s.at("/decision").Body.(*spec.Decision).ReceivedAt.Time
			o.Expires = o.Created.Add(time.Minute)
		}).Value)
	}())
	s.put("white-space-in-a-signature", "Base58 has one spelling.", spec.OutcomeExecuted, fails("decision", "proof-value", decision+"/document/proof/proofValue"), set("/decision/proof/proofValue", text(s, "/decision/proof/proofValue")+" "))
}

// decisionAt is the place of the final decision's document once so many entries before it are gone.
func decisionAt(s *base, place string, gone int) string {
	i, err := strconv.Atoi(place[len("/logged/"):])
	s.b.must(err)
	return "/logged/" + strconv.Itoa(i-gone) + "/document"
}

func text(s *base, pointer string) string {
	all, err := jcs.ParseDocument(s.data)
	s.b.must(err)
	v, _ := all.Lookup(pointer)
	out, _ := v.Text()
	return out
}

// forgedProofs put another key's signature in the place of each signer's.
func forgedProofs(s *base) {
	for _, f := range []struct{ name, title, pointer, party string }{
		{"decision-by-another-verifier", "The decision is signed by the ledger that the roster lists.", "/decision", "mallory"},
		{"begin-by-the-agent", "The begin is signed by the executor.", "/begin", "agent"},
		{"report-by-the-agent", "The report is signed by the executor.", "/reports/0", "agent"},
		{"mandate-sealed-by-a-stranger", "The seal is the roster's.", "/presentation/verifiableCredential/0", "mallory"},
		{"roster-sealed-by-a-stranger", "The first roster is sealed by its own seal.", "/rosters/0", "mallory"},
		{"interim-by-another-verifier", "The interim decision is the ledger's too.", "/interim/0", "mallory"},
	} {
		s.put(f.name, f.title, spec.OutcomeExecuted, fails("decision", "proof-signature", s.logged(f.pointer)+"/document/proof/proofValue"), s.forge(f.pointer, f.party))
	}
	for _, f := range []struct{ name, title, credential, party string }{
		{"approval-by-the-seal", "The proof of an approval is part of the credential that carries it, and of its entry.", "/presentation/verifiableCredential/0", "seal"},
		{"roster-approval-by-the-seal", "The same of the roster's approvals.", "/rosters/0", "seal"},
		{"supplement-approval-by-the-agent", "The same of a lift's approvals.", "/supplements/0", "agent"},
	} {
		s.put(f.name, f.title, spec.OutcomeExecuted, fails("intact", "bundle-logged", s.logged(f.credential)+"/document"), s.forge(f.credential+"/evidence/0/approval", f.party))
	}
	s.put("presentation-by-a-thief", "The presentation is signed by the agent.", spec.OutcomeExecuted, fails("decision", "proof-signature", "/presentation/proof/proofValue"), s.forge("/presentation", "mallory"))
	s.put("receipt-by-the-agent", "The receipt is signed by the ledger.", spec.OutcomeExecuted, fails("decision", "proof-signature", "/receipt/proof/proofValue"), s.forge("/receipt", "agent"))
}

func trustEdits(s *base) {
	other := world("another organisation")
	s.trusting("roster-of-another-organisation", "The first roster is the one that the reader pinned.", fails("anchored", "roster-not-pinned", "/rosters/0"),
		set("/rosters/0/content", spec.ContentDigest(other.Roster().Value)))
	s.trusting("log-of-another-key", "The log's key is the one that the reader trusts.", fails("anchored", "checkpoint-signature", ""),
		set("/policy", "log "+other.LogSigner().Verifier.String()+"\nquorum none\n"))
	s.trusting("resource-of-another-organisation", "The reader's own map says whose the resource is.", fails("anchored", "resource-owner", "/decision/action/resource"),
		set("/resources", map[string]string{writtest.Account: "did:web:other.example"}))
	s.trusting("resource-unknown-to-the-reader", "A resource that the reader's map does not have is nobody's.", fails("anchored", "resource-owner", "/decision/action/resource"),
		set("/resources", map[string]string{secondAccount: writtest.Grantor}))
	witness := cosigner(other)
	s.trusting("without-the-witness", "A trust file with a witness quorum wants the witness.", fails("anchored", "checkpoint-quorum", ""),
		set("/policy", "log "+s.LogSigner().Verifier.String()+"\nwitness w1 "+witness+"\nquorum w1\n"))
	s.trusting("trust-file-empty", "An empty trust file fails.", fails("trust", "member-missing", "/rosters"), remove("/rosters"))
	s.add("live-asked-as-test", "A live bundle is no test bundle.", &Bundle{Test: true, Want: fails("intact", "mode-other", "/presentation/mode")})
}

// cosigner is the key of a witness (C2SP tlog-cosignature: a signed-note key of type 0x04).
func cosigner(w *writtest.World) string {
	key := append([]byte{4}, w.LogSigner().Verifier.Public()...)
	const name = "witness.example/w1"
	id := sha256.Sum256(append([]byte(name+"\n"), key...))
	return name + "+" + hex.EncodeToString(id[:4]) + "+" + base64.StdEncoding.EncodeToString(key)
}

func declinedBundle(b *book) {
	l := newLife(b, "bundle declined")
	m := l.enrol("mandate", l.Mandate())
	d := l.ask("invoice-1", "12000.00", collect("budget", "budget-exceeded", "daily 2000.00"), m)
	sup := l.supplement(d, m)
	l.step("approve-supplement", "decline", l.Say("cfo", spec.Decline, spec.KindSupplement, spec.ContentDigest(sup.Value)), recorded(1), of(d))
	d = l.step("resume", "", spec.Document{}, rejected("budget", "recovery-declined"), of(d))
	s := l.share("declined", d)
	s.put("declined", "Refused after a decline.", spec.Rejected, BundleEnd{Holds: true})
	decline := s.logged("/words/0")
	s.put("dropped-decline", "Without the decline the refusal does not follow.", spec.Rejected, fails("follows", "recovery-open", decisionAt(s, s.logged("/decision"), 1)), remove("/words"), remove(decline))
	s.put("approve-relabelled-as-decline", "The word is what the person signed.", spec.Rejected, fails("intact", "bundle-logged", decline+"/document"), set("/words/0/decision", spec.Approve))
	s.put("decline-by-the-verifier", "A decline is signed by the person.", spec.Rejected, fails("decision", "proof-signature", decline+"/document/proof/proofValue"), s.forge("/words/0", "ledger"))
}

func delegatedBundle(b *book) {
	l := newLife(b, "bundle delegated")
	parent := l.enrol("parent", l.Mandate())
	child := l.Seal(l.Child(parent))
	l.step("delegate", "child", child, recorded(1))
	d := l.ask("invoice-1", "1500.00", authorized, parent, child)
	s := l.share("delegated", d)
	s.put("delegated", "Authorised under a delegated mandate, not yet begun.", spec.Authorized, BundleEnd{Holds: true})
	const second = "/presentation/verifiableCredential/1"
	s.put("child-by-a-stranger", "A child is signed by the parent's subject.", "", fails("decision", "proof-signature", s.logged(second)+"/document/proof/proofValue"), s.forge(second, "mallory"))
	s.put("child-without-its-parent", "The chain begins with a mandate that people granted.", "", fails("intact", "bundle-logged", "/logged"), remove("/presentation/verifiableCredential/0"))
	s.put("held-with-expect-executed", "A hold is no execution.", spec.OutcomeExecuted, fails("executed", "expect-other", "/receipt/credentialSubject/receipt/outcome"))
}

// rosterBundle is decided under the second roster version.
func rosterBundle(b *book) {
	l := newLife(b, "bundle roster")
	m := l.enrol("mandate", l.Mandate())
	l.Advance(time.Hour)
	l.enrol("roster 2", l.NextRoster(l.roster, rosterTerms(func(t *spec.RosterTerms) { t.Persons = t.Persons[:2] })))
	l.Advance(time.Hour)
	d := l.ask("invoice-1", "1.00", authorized, m)
	s := l.share("two-rosters", d)
	s.put("second-roster", "Decided under the second roster version.", spec.Authorized, BundleEnd{Holds: true})
	s.put("newest-roster-left-out", "A bundle that omits the roster in force: the decision does not follow.", spec.Authorized,
		fails("follows", "decision-other", decisionAt(s, s.logged("/decision"), 3)), remove("/rosters/1"), s.without("/rosters/1", "/rosters/1/evidence/0/approval", "/rosters/1/evidence/1/approval"))
	s.put("first-roster-left-out", "The chain of rosters begins with the pinned one.", spec.Authorized,
		fails("intact", "chain-gap", "/logged/3"), remove("/rosters/0"), s.without("/rosters/0", "/rosters/0/evidence/0/approval", "/rosters/0/evidence/1/approval"))
}

// without leaves out the entries of documents, their proofs as they are.
func (s *base) without(pointers ...string) Edit {
	entries := s.read().Logged
	for _, p := range pointers {
		digest := s.at(p).Digest
		entries = slices.DeleteFunc(entries, func(e verifier.LoggedAt) bool { return e.Document == digest })
	}
	v, err := jcs.ValueOf(entries)
	s.b.must(err)
	return set("/logged", v)
}

// forgedBundle is the work of a verifier that lies: it logs and signs an AUTHORIZED that does not follow.
func forgedBundle(b *book) {
	for _, f := range []struct {
		name, title string
		action      func(*spec.Action)
	}{
		{"authorized-for-another-payee", "The ledger authorised a payee that the mandate does not list.", func(a *spec.Action) { a.Counterparty.ID = "lei:OTHER" }},
		{"authorized-for-another-type", "The ledger authorised an action that the mandate does not cover.", func(a *spec.Action) { a.Type = "payments.transfer_all" }},
	} {
		l := newLife(b, f.name)
		m := l.enrol("mandate", l.Mandate())
		p := l.Present([]spec.Document{m}, l.Action("1.00", f.action), l.Request("invoice-1"), l.Now)
		op := spec.Op{Org: org, Write: []spec.ChainRef{writtest.Ref(m)}, Read: []spec.ChainRef{writtest.Ref(l.roster)}, Attach: []spec.Document{p}}
		logged, err := l.machine.ledger.Run(context.Background(), op, func(ss spec.States, _ time.Time) ([]spec.Document, error) {
			return []spec.Document{l.Decision(p, ss)}, nil
		})
		b.must(err)
		s := l.share(f.name, logged.Last().Document)
		s.put(f.name, f.title, spec.Authorized, fails("follows", "decision-other", s.logged("/decision")+"/document"))
	}
}

// compromisedBundle is the work of a verifier that does not look at the approvals again: it decides under a mandate after the
// roster called one of its two keys compromised since before it approved.
func compromisedBundle(b *book) {
	l := newLife(b, "bundle compromised")
	m := l.enrol("mandate", l.Mandate())
	since := spec.At(l.Now)
	l.Advance(time.Hour)
	l.enrol("roster 2", l.NextRoster(l.roster, rosterTerms(func(t *spec.RosterTerms) { t.Persons[1].Keys[0].CompromisedSince = since })))
	p := l.Present([]spec.Document{m}, l.Action("1.00"), l.Request("invoice-1"), l.Now)
	body := p.Body.(*spec.Presentation)
	action, err := spec.ParseAction(body.Action)
	b.must(err)
	c := verifier.Case{Env: spec.CurrentEnv(), ID: l.ID(), Epoch: 1, Verifier: writtest.Verifier, Identity: spec.IdentityPresented, Agent: body.Holder,
		Mandates: []verifier.Mandate{{Content: spec.ContentDigest(m.Value), Body: m.Body.(*spec.Mandate)}}, Action: action, ActionValue: body.Action,
		Request: body.Request, RequestDigest: writtest.RequestDigest(p), Presentation: p.Digest, Owner: writtest.Grantor, ExecuteWithin: 15 * time.Minute}
	op := spec.Op{Org: org, Write: []spec.ChainRef{writtest.Ref(m)}, Read: []spec.ChainRef{writtest.Ref(l.roster)}, Attach: []spec.Document{p}}
	logged, err := l.machine.ledger.Run(context.Background(), op, func(ss spec.States, now time.Time) ([]spec.Document, error) {
		c.Roster = ss.Roster(writtest.Grantor).NewestContent()
		return verifier.Decide(c, ss, now)
	})
	b.must(err)
	s := l.share("compromised", logged.Last().Document)
	s.put("approved-by-a-compromised-key", "A key never counts since its compromisedSince, though it approved before that was known.", spec.Authorized,
		fails("decision", "approvals-missing", s.logged("/decision")+"/document"))
}

// lateBundle has a begin that was logged an hour after the time that it claims.
func lateBundle(b *book) {
	l := newLife(b, "bundle late")
	m := l.enrol("mandate", l.Mandate())
	d := l.ask("invoice-1", "1.00", authorized, m)
	l.step("begin", "begin", l.Begin(d, l.Now.Add(-time.Hour)), recorded(1))
	s := l.share("late", d)
	s.put("logged-an-hour-after-its-at", "A document logged more than ten minutes after its at is late, and counts from its log time.", spec.Authorized, BundleEnd{Holds: true, Late: 1})
}

// chargedBundle is executed by the agent itself.
func chargedBundle(b *book) {
	l := newLife(b, "bundle executed by the agent")
	m := l.enrol("mandate", l.Mandate(terms(func(t *spec.MandateTerms) { t.SelfExecuted = true })))
	d := l.step("present", "invoice-1", l.Present([]spec.Document{m}, l.Action("1.00"), l.Request("invoice-1", func(r *spec.Request) { r.Executor = l.DID("agent") }), l.Now), authorized)
	s := l.share("charged", d)
	s.put("charged", "The agent executes itself: charged, and nobody reported.", spec.OutcomeCharged, BundleEnd{Holds: true})
	s.put("charged-with-expect-executed", "A charge without a report is no execution.", spec.OutcomeExecuted, fails("executed", "expect-other", "/receipt/credentialSubject/receipt/outcome"))
	s.add("test-trust-file-for-a-live-bundle", "A test trust file believes test documents only.", &Bundle{Want: fails("anchored", "mode-other", "/mode"), TrustEdits: []Edit{set("/mode", "test")}})
}
