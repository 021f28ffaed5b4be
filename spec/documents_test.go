package spec_test

import (
	"errors"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
)

// change makes a copy of a document's body, changes it, and says why it is refused, if it is.
func change[B any](t *testing.T, d spec.Document, mutate func(*B)) error {
	t.Helper()
	read, err := spec.Parse(d.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	b, ok := read.Body.(any).(*B)
	if !ok {
		t.Fatalf("the document is a %s", d.Type)
	}
	mutate(b)
	_, err = spec.New(read.Body)
	return err
}

type refusal[B any] struct {
	name   string
	change func(*B)
	reason string // "" where it is allowed
	place  string
}

func refuses[B any](t *testing.T, d spec.Document, rows []refusal[B]) {
	t.Helper()
	for _, row := range rows {
		var e *spec.Error
		err := change(t, d, row.change)
		if errors.As(err, &e) && (e.Reason != row.reason || row.place != "" && e.Pointer != row.place) ||
			(err == nil) != (row.reason == "") {
			t.Errorf("%s: got %v, want %s at %s", row.name, err, row.reason, row.place)
		}
	}
}

func TestRosterRefuses(t *testing.T) {
	d := writtest.Acme("documents").Roster()
	const at = "/credentialSubject/roster"
	refuses(t, d, []refusal[spec.Roster]{
		{"as it is", func(r *spec.Roster) {}, "", ""},
		{"other subject", func(r *spec.Roster) { r.Subject.ID = writtest.Bank }, "grantor-mismatch", at + "/grantor"},
		{"version 1 with previous", func(r *spec.Roster) { r.Terms().Previous = emptyDigest }, "roster-version", at + "/version"},
		{"version 2 without previous", func(r *spec.Roster) { r.Terms().Version = 2 }, "roster-version", at + "/version"},
		{"version 0", func(r *spec.Roster) { r.Terms().Version = 0 }, "roster-version", at + "/version"},
		{"no log", func(r *spec.Roster) { r.Terms().Log = "" }, "ledger-syntax", at + "/log"},
		{"threshold 0", func(r *spec.Roster) { r.Terms().ChangeThreshold = 0 }, "roster-threshold", at + "/changeThreshold"},
		{"more than there are persons", func(r *spec.Roster) { r.Terms().ChangeThreshold = 4 }, "roster-threshold", at + "/changeThreshold"},
		{"change threshold below a power's", func(r *spec.Roster) { r.Terms().ChangeThreshold = 1 }, "roster-threshold", at + "/powers"},
		{"power's threshold above its persons", func(r *spec.Roster) {
			r.Terms().ChangeThreshold, r.Terms().Powers[0].Threshold = 3, 3
		}, "roster-threshold", at + "/powers"},
		{"delay that is none", func(r *spec.Roster) { r.Terms().ChangeDelay = "3 days" }, "duration-syntax", at + "/changeDelay"},
		{"delay of nothing", func(r *spec.Roster) { r.Terms().ChangeDelay = "PT0S" }, "duration-syntax", at + "/changeDelay"},
		{"short salt", func(r *spec.Roster) { r.Terms().Salt = "uAAAA" }, "salt-syntax", at + "/salt"},
		{"person twice", func(r *spec.Roster) { r.Terms().Persons[1].Person = "treasurer" }, "roster-person", at + "/persons"},
		{"person without a name", func(r *spec.Roster) { r.Terms().Persons[1].Person = "" }, "roster-person", at + "/persons"},
		{"key id twice", func(r *spec.Roster) { keyOf(r, "cfo").ID = keyOf(r, "intern").ID }, "roster-key", at + "/persons"},
		{"key that is none", func(r *spec.Roster) { keyOf(r, "cfo").PublicKey = "z6Mk" }, "key-syntax", at + "/persons"},
		{"unknown grade", func(r *spec.Roster) { keyOf(r, "cfo").Grade = "platinum" }, "grade-unknown", at + "/persons"},
		{"power of a stranger", func(r *spec.Roster) { r.Terms().Powers[0].Persons[1] = "nobody" }, "roster-person", at + "/powers"},
		{"power names a person twice", func(r *spec.Roster) { r.Terms().Powers[0].Persons = []string{"cfo", "cfo"} }, "roster-person", at + "/powers"},
		{"power over everything", func(r *spec.Roster) { r.Terms().Powers[0].Actions = []string{"*"} }, "action-pattern", at + "/powers"},
		{"power of an unknown grade", func(r *spec.Roster) { r.Terms().Powers[0].LeastGrade = "best" }, "grade-unknown", at + "/powers"},
		{"revoker who is a stranger", func(r *spec.Roster) { r.Terms().Revokers = []string{"nobody"} }, "roster-person", at + "/revokers"},
		{"seal twice", func(r *spec.Roster) { r.Terms().Seals = append(r.Terms().Seals, r.Terms().Seals[0]) }, "roster-party", at},
		{"ledger twice", func(r *spec.Roster) { r.Terms().Ledgers = append(r.Terms().Ledgers, r.Terms().Ledgers[0]) }, "roster-party", at},
		{"executor twice", func(r *spec.Roster) { r.Terms().Executors = append(r.Terms().Executors, r.Terms().Executors[0]) }, "roster-party", at},
		{"executor's role", func(r *spec.Roster) { r.Terms().Executors[0].Role = "bank" }, "executor-role", at + "/executors"},
		{"no executor", func(r *spec.Roster) { r.Terms().Executors = nil }, "", ""},
		{"no person", func(r *spec.Roster) { r.Terms().Persons = nil }, "json-empty", at + "/persons"},
		{"live mode said", func(r *spec.Roster) { r.Subject.Mode = "live" }, "mode-unknown", ""},
	})
}

func TestMandateRefuses(t *testing.T) {
	d := writtest.Acme("documents").Mandate()
	const at = "/credentialSubject/mandate"
	constraint := func(text string) func(*spec.Mandate) {
		return func(m *spec.Mandate) { m.Terms().Constraints = append(m.Terms().Constraints, writtest.JSON(text)) }
	}
	refuses(t, d, []refusal[spec.Mandate]{
		{"as it is", func(*spec.Mandate) {}, "", ""},
		{"no end", func(m *spec.Mandate) { m.ValidUntil = spec.Time{} }, "validity-absent", "/validUntil"},
		{"ends as it begins", func(m *spec.Mandate) { m.ValidUntil = m.ValidFrom }, "validity-order", "/validUntil"},
		{"other id", func(m *spec.Mandate) { m.ID = "urn:uuid:0199A1C2-0000-7000-8000-000000000000" }, "id-syntax", "/id"},
		{"agent that is a did:web", func(m *spec.Mandate) { m.Subject.ID = writtest.Bank }, "subject-key", "/credentialSubject/id"},
		{"ledger without a log", func(m *spec.Mandate) { m.Terms().Ledger.Log = "" }, "ledger-syntax", at + "/ledger"},
		{"resource twice", func(m *spec.Mandate) { m.Terms().Resources = []string{"a", "a"} }, "resource-repeated", at + "/resources"},
		{"pattern within", func(m *spec.Mandate) { m.Terms().Actions = []string{"payments.*.eur"} }, "action-pattern", at + "/actions/0"},
		{"age that is none", func(m *spec.Mandate) { m.Terms().StatusMaxAge = "P1M" }, "duration-syntax", at + "/statusMaxAge"},
		{"free amount", func(m *spec.Mandate) { m.Terms().Free = []string{"/amount"} }, "pointer-syntax", at + "/free/0"},
		{"negative holds", func(m *spec.Mandate) { m.Terms().MaxOpenHolds = -1 }, "member-range", at + "/maxOpenHolds"},
		{"threshold 0", func(m *spec.Mandate) { m.Terms().Grantor.Threshold = 0 }, "threshold-range", at + "/grantor/threshold"},
		{"three of two", func(m *spec.Mandate) { m.Terms().Grantor.Threshold = 3 }, "threshold-range", at + "/grantor/threshold"},
		{"approver twice", func(m *spec.Mandate) { m.Terms().Grantor.Approvers = []string{"cfo", "cfo"} }, "approver-repeated", at + "/grantor/approvers"},
		{"no approvers", func(m *spec.Mandate) { m.Terms().Grantor.Approvers = nil }, "threshold-range", at + "/grantor/threshold"},
		{"unknown grade", func(m *spec.Mandate) { m.Terms().Grantor.LeastGrade = "agent" }, "grade-unknown", at + "/grantor/leastGrade"},
		{"too deep", func(m *spec.Mandate) { m.Terms().Delegation.MaxDepth = 8 }, "delegation-depth", at + "/delegation/maxDepth"},
		{"constraint twice", constraint(`{"id":"daily","type":"count","max":1}`), "constraint-repeated", at + "/constraints/2/id"},
		{"unknown constraint", constraint(`{"id":"x","type":"moon","phase":"full"}`), "constraint-unknown", at + "/constraints/2/type"},
		{"constraint with a foreign member", constraint(`{"id":"x","type":"count","max":1,"min":0}`), "member-unknown", at + "/constraints/2/min"},
		{"many constraints", func(m *spec.Mandate) {
			for range 32 {
				m.Terms().Constraints = append(m.Terms().Constraints, m.Terms().Constraints[0])
			}
		}, "constraints-many", at + "/constraints"},
		{"recovery of a foreign limit", func(m *spec.Mandate) { m.Terms().Recovery[0].For = []string{"weekly"} }, "recovery-foreign", at + "/recovery/0/for"},
		{"recovery of a list", func(m *spec.Mandate) { m.Terms().Recovery[0].For = []string{"payee"} }, "recovery-unliftable", at + "/recovery/0/for"},
		{"two clauses for one limit", func(m *spec.Mandate) { m.Terms().Recovery = append(m.Terms().Recovery, m.Terms().Recovery[0]) }, "recovery-repeated", at + "/recovery/1/for"},
		{"lift without a ceiling", func(m *spec.Mandate) { m.Terms().Recovery[0].MaxOver = nil }, "recovery-unbounded", at + "/recovery/0/maxOver"},
		{"ceiling in another currency", func(m *spec.Mandate) { m.Terms().Recovery[0].MaxOver.Currency = "USD" }, "currency-other", at + "/recovery/0"},
		{"window's ceiling in another currency", func(m *spec.Mandate) { m.Terms().Recovery[0].MaxOverPerWindow.Currency = "USD" }, "currency-other", at + "/recovery/0"},
		{"negative uses", func(m *spec.Mandate) { m.Terms().Recovery[0].MaxUses = -1 }, "member-range", at + "/recovery/0/maxUses"},
		{"clause that nobody can meet", func(m *spec.Mandate) { m.Terms().Recovery[0].Threshold = 2 }, "threshold-range", at + "/recovery/0/threshold"},
		{"root with a parent", func(m *spec.Mandate) { m.Terms().Parent = emptyDigest }, "child-approvers", at + "/grantor"},
	})
}

func TestChildRefuses(t *testing.T) {
	w := writtest.Acme("documents")
	parent := w.Mandate()
	const at = "/credentialSubject/mandate"
	child := w.Child(parent)
	refuses(t, child, []refusal[spec.Mandate]{
		{"as it is", func(*spec.Mandate) {}, "", ""},
		{"with evidence", func(m *spec.Mandate) { m.Evidence = []jcs.Value{writtest.JSON(source)} }, "", ""},
		{"with an approver", func(m *spec.Mandate) { m.Terms().Grantor.Approvers = []string{"cfo"} }, "child-approvers", at + "/grantor"},
		{"with a threshold", func(m *spec.Mandate) { m.Terms().Grantor.Threshold = 1 }, "child-approvers", at + "/grantor"},
		{"with an approval", func(m *spec.Mandate) {
			m.Evidence = []jcs.Value{writtest.JSON(`{"type":["MandateApproval"],"approval":` + string(w.ApproveMandate("cfo", child).Bytes()) + `}`)}
		}, "child-approvers", at + "/grantor"},
		{"with a status", func(m *spec.Mandate) { m.CredentialStatus = []jcs.Value{writtest.JSON(`{"type":"x"}`)} }, "child-status", "/credentialStatus"},
		{"of another issuer", func(m *spec.Mandate) { m.Issuer = writtest.Grantor }, "child-issuer", "/issuer"},
		{"of a parent that is no digest", func(m *spec.Mandate) { m.Terms().Parent = "uEi" }, "digest-syntax", at + "/parent"},
	})
	for _, row := range []struct {
		name   string
		change func(m *spec.Mandate)
		reason string
	}{
		{"as it is", func(*spec.Mandate) {}, ""},
		{"other parent", func(m *spec.Mandate) { m.Terms().Parent = emptyDigest }, "child-parent"},
		{"foreign child of a real parent", func(m *spec.Mandate) { m.Issuer, m.Terms().Grantor.ID = w.DID("subagent"), w.DID("subagent") }, "child-grantor"},
		{"other ledger", func(m *spec.Mandate) { m.Terms().Ledger.Verifier = writtest.Bank }, "child-ledger"},
		{"other log", func(m *spec.Mandate) { m.Terms().Ledger.Log = "writ.acme.example/log2" }, "child-ledger"},
		{"begins before", func(m *spec.Mandate) { m.ValidFrom = spec.At(m.ValidFrom.Add(-time.Millisecond)) }, "child-validity"},
		{"ends after", func(m *spec.Mandate) { m.ValidUntil = spec.At(m.ValidUntil.Add(time.Millisecond)) }, "child-validity"},
		{"as deep", func(m *spec.Mandate) { m.Terms().Delegation = &spec.Delegation{MaxDepth: 1} }, "child-depth"},
		{"executes itself", func(m *spec.Mandate) { m.Terms().SelfExecuted = true }, "child-self-executed"},
		{"test under live", func(m *spec.Mandate) { m.Subject.Mode = spec.ModeTest }, "mode-other"},
	} {
		c := w.Child(parent, row.change).Body.(*spec.Mandate)
		wantReason(t, spec.CheckChild(c, parent.Body.(*spec.Mandate), spec.ContentDigest(parent.Value)), row.reason)
	}
	shallow := w.Mandate(func(m *spec.Mandate) { m.Terms().Delegation = nil })
	wantReason(t, spec.CheckChild(w.Child(shallow).Body.(*spec.Mandate), shallow.Body.(*spec.Mandate), spec.ContentDigest(shallow.Value)), "child-depth")
}

func TestRequestDocumentsRefuse(t *testing.T) {
	all := examples(t)
	refuses(t, all[spec.TypePresentation][0], []refusal[spec.Presentation]{
		{"as it is", func(*spec.Presentation) {}, "", ""},
		{"other contexts", func(p *spec.Presentation) { p.Context = p.Context[:1] }, "context-fixed", "/@context"},
		{"more types", func(p *spec.Presentation) { p.Type = []string{"MandatePresentation", "VerifiablePresentation"} }, "type-fixed", "/type"},
		{"holder that is a did:web", func(p *spec.Presentation) { p.Holder = writtest.Bank }, "subject-key", "/holder"},
		{"nine mandates", func(p *spec.Presentation) {
			for range 8 {
				p.Credential = append(p.Credential, p.Credential[0])
			}
		}, "delegation-depth", "/verifiableCredential"},
		{"payment without a payload", func(p *spec.Presentation) { p.Action = p.Action.Without("payload") }, "payload-absent", "/action/payload"},
		{"short key", func(p *spec.Presentation) { p.Request.IdempotencyKey = "1234567" }, "idempotency-key", "/request/idempotencyKey"},
		{"executor", func(p *spec.Presentation) { p.Request.Executor = "bank" }, "did-syntax", "/request/executor"},
	})
	refuses(t, all[spec.TypeDecision][1], []refusal[spec.Decision]{
		{"as it is", func(*spec.Decision) {}, "", ""},
		{"other result", func(d *spec.Decision) { d.Result = "MAYBE" }, "decision-result", "/result"},
		{"nothing missing", func(d *spec.Decision) { d.Result = spec.CollectMissing }, "decision-missing", "/missing"},
		{"no end", func(d *spec.Decision) { d.ExecuteBefore = spec.Time{} }, "decision-execute-before", "/executeBefore"},
		{"epoch 0", func(d *spec.Decision) { d.Epoch = 0 }, "member-range", "/epoch"},
		{"other identity", func(d *spec.Decision) { d.Identity = "guessed" }, "decision-identity", "/identity"},
		{"id", func(d *spec.Decision) { d.ID = "dec_1" }, "id-syntax", "/id"},
		{"mandate that is no digest", func(d *spec.Decision) { d.Mandates[0] = "uEi" }, "digest-syntax", "/mandates/0"},
		{"agent", func(d *spec.Decision) { d.Agent = "agent" }, "did-syntax", "/agent"},
		{"status that no chain has", func(d *spec.Decision) { d.Positions[1].Status = "open" }, "position-status", "/positions/1/status"},
		{"place 0", func(d *spec.Decision) { d.Positions[0].Seq = 0 }, "member-range", "/positions/0/seq"},
		{"outcome of a check", func(d *spec.Decision) { d.Checks[0].Outcome = "passed" }, "decision-check", "/checks/0/outcome"},
		{"roster that is no digest", func(d *spec.Decision) { d.Inputs.Roster = "" }, "digest-syntax", "/inputs/roster"},
		{"nothing known of the tables", func(d *spec.Decision) { d.Env.TZ = "" }, "member-empty", "/env"},
	})
	refuses(t, all[spec.TypeSupplement][0], []refusal[spec.Supplement]{
		{"as it is", func(*spec.Supplement) {}, "", ""},
		{"lift of another mandate's limit", func(s *spec.Supplement) { s.Terms().Lifts[0].Owner = emptyDigest }, "lift-foreign", "/credentialSubject/supplement/lifts"},
		{"negative clause", func(s *spec.Supplement) { s.Terms().Recovery = -1 }, "member-range", "/credentialSubject/supplement/recovery"},
		{"base that is no digest", func(s *spec.Supplement) { s.Terms().Base = "x" }, "digest-syntax", "/credentialSubject/supplement/base"},
	})
}

func TestSignedWordsRefuse(t *testing.T) {
	all := examples(t)
	refuses(t, all[spec.TypeApproval][0], []refusal[spec.Approval]{
		{"as it is", func(*spec.Approval) {}, "", ""},
		{"other type", func(a *spec.Approval) { a.Type = "Mandateapproval" }, "type-fixed", "/type"},
		{"other version", func(a *spec.Approval) { a.Version = "2" }, "version-unknown", "/version"},
		{"other kind", func(a *spec.Approval) { a.Kind = "invoice" }, "approval-kind", "/kind"},
		{"other decision", func(a *spec.Approval) { a.Decision = "abstain" }, "approval-decision", "/decision"},
		{"nobody", func(a *spec.Approval) { a.Approver = "" }, "member-empty", "/approver"},
		{"expires as it is signed", func(a *spec.Approval) { a.Expires = a.At }, "approval-expiry", "/expires"},
		{"content that is no digest", func(a *spec.Approval) { a.Content = "x" }, "digest-syntax", "/content"},
		{"shown is no digest", func(a *spec.Approval) { a.Shown = "x" }, "digest-syntax", "/shown"},
	})
	refuses(t, all[spec.TypeNotice][0], []refusal[spec.Notice]{
		{"as it is", func(*spec.Notice) {}, "", ""},
		{"other act", func(n *spec.Notice) { n.Act = "pardon" }, "notice-act", "/act"},
		{"nobody", func(n *spec.Notice) { n.By = "" }, "member-empty", "/by"},
	})
	refuses(t, all[spec.TypeCommit][0], []refusal[spec.Commit]{
		{"as it is", func(*spec.Commit) {}, "", ""},
		{"no nonce", func(c *spec.Commit) { c.Nonce = "" }, "member-empty", "/nonce"},
		{"executor", func(c *spec.Commit) { c.Executor = "" }, "did-syntax", "/executor"},
		{"request that is no digest", func(c *spec.Commit) { c.Request = "x" }, "digest-syntax", "/request"},
		{"other type", func(c *spec.Commit) { c.Type = "Begin" }, "type-fixed", "/type"},
	})
	refuses(t, all[spec.TypeBegin][0], []refusal[spec.Begin]{
		{"as it is", func(*spec.Begin) {}, "", ""},
		{"decision that is no digest", func(b *spec.Begin) { b.Decision = "x" }, "digest-syntax", "/decision"},
	})
	refuses(t, all[spec.TypeReport][0], []refusal[spec.Report]{
		{"as it is", func(*spec.Report) {}, "", ""},
		{"outcome of receipts only", func(r *spec.Report) { r.Outcome = spec.OutcomeException }, "report-outcome", "/outcome"},
		{"amount of what failed", func(r *spec.Report) { r.Outcome = spec.OutcomeFailed }, "report-amount", "/amount"},
		{"amount of what was reversed", func(r *spec.Report) { r.Outcome = spec.OutcomeReversed }, "", ""},
		{"payload that is no digest", func(r *spec.Report) { r.PayloadDigest = "x" }, "digest-syntax", "/payloadDigest"},
	})
	refuses(t, all[spec.TypeReceipt][0], []refusal[spec.Receipt]{
		{"as it is", func(*spec.Receipt) {}, "", ""},
		{"other outcome", func(r *spec.Receipt) { r.Terms().Outcome = "paid" }, "receipt-outcome", "/credentialSubject/receipt/outcome"},
		{"decision that is no digest", func(r *spec.Receipt) { r.Terms().Decision = "" }, "digest-syntax", "/credentialSubject/receipt/decision"},
		{"executor", func(r *spec.Receipt) { r.Terms().Executor = "bank" }, "did-syntax", "/credentialSubject/receipt/executor"},
	})
}

// TestReceipt: a receipt is a function of what happened, the same bytes each time.
func TestReceipt(t *testing.T) {
	w := writtest.Acme("receipt")
	ss, _ := w.Found(nil)
	ss, m := w.Grant(ss)
	p := w.Present([]spec.Document{m}, w.Action("100.00"), w.Request("request-0001"), w.Now)
	d := w.SignDecision(w.Decision(p, ss), w.Now)
	charged := w.SignDecision(w.Decision(p, ss, func(d *spec.Decision) { d.Charged = true }), w.Now)
	begin := w.Begin(d, w.Now)
	report := func(outcome, amount string, final bool) spec.Document {
		return w.Report(d, outcome, amount, final, w.Now)
	}
	for _, row := range []struct {
		name            string
		execution       spec.Execution
		outcome, amount string
	}{
		{"held", spec.Execution{Decision: d}, "held", ""},
		{"charged", spec.Execution{Decision: charged}, "charged", ""},
		{"begun", spec.Execution{Decision: d, Begin: begin}, "unknown", ""},
		{"executed", spec.Execution{Decision: d, Begin: begin, Reports: []spec.Document{report("executed", "", true)}}, "executed", "100.00"},
		{"in parts", spec.Execution{Decision: d, Begin: begin, Reports: []spec.Document{report("executed", "60.00", false), report("executed", "40.00", true)}},
			"executed", "100.00"},
		{"too much", spec.Execution{Decision: d, Begin: begin, Reports: []spec.Document{report("executed", "60.00", false), report("executed", "40.01", true)}},
			"exception", "100.01"},
		{"too much, then reversed", spec.Execution{Decision: d, Begin: begin, Reports: []spec.Document{report("executed", "100.01", true), report("reversed", "", true)}},
			"exception", "100.01"},
		{"reversed", spec.Execution{Decision: d, Begin: begin, Reports: []spec.Document{report("executed", "", true), report("reversed", "", true)}},
			"reversed", "100.00"},
		{"part, reversed, and the rest", spec.Execution{Decision: d, Begin: begin, Reports: []spec.Document{report("executed", "40.00", false),
			report("reversed", "", false), report("executed", "60.00", true)}}, "executed", "100.00"},
		{"failed", spec.Execution{Decision: d, Begin: begin, Reports: []spec.Document{report("failed", "", true)}}, "failed", ""},
	} {
		row.execution.LastAt, row.execution.Role = spec.At(w.Now), "system-of-record"
		receipt, err := spec.ReceiptOf(row.execution)
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		again, err := spec.ReceiptOf(row.execution)
		if err != nil || string(again.Bytes()) != string(receipt.Bytes()) {
			t.Errorf("%s: made again it is another", row.name)
		}
		terms, amount := receipt.Body.(*spec.Receipt).Terms(), ""
		if terms.Amount != nil {
			amount = terms.Amount.Value()
		}
		if terms.Outcome != row.outcome || amount != row.amount {
			t.Errorf("%s: got %s %s, want %s %s", row.name, terms.Outcome, amount, row.outcome, row.amount)
		}
	}
	rejected := w.SignDecision(w.Decision(p, ss, writtest.Reject("budget-exceeded")), w.Now)
	_, err := spec.ReceiptOf(spec.Execution{Decision: rejected})
	wantReason(t, err, "receipt-none")
	_, err = spec.ReceiptOf(spec.Execution{Decision: charged})
	wantReason(t, err, "executor-unknown")
	_, err = spec.ReceiptOf(spec.Execution{Decision: charged, Role: "gateway", Reports: []spec.Document{report("executed", "", true)}})
	wantReason(t, err, "receipt-foreign")
}

// TestPropose: what people sign is a function of the decision, so nobody can add to it.
func TestPropose(t *testing.T) {
	all := examples(t)
	interim, base := all[spec.TypeDecision][0], all[spec.TypeMandate][0].Body.(*spec.Mandate)
	first, err := spec.Propose(interim, 0, base)
	if err != nil {
		t.Fatal(err)
	}
	again, err := spec.Propose(interim, 0, base)
	if err != nil || string(first.Bytes()) != string(again.Bytes()) {
		t.Errorf("made again it is another: %v", err)
	}
	for _, i := range []int{-1, 1} {
		_, err := spec.Propose(interim, i, base)
		wantReason(t, err, "proposal-unknown")
	}
	_, err = spec.Propose(all[spec.TypeBegin][0], 0, base)
	wantReason(t, err, "proposal-unknown")
}

// TestSupplementNeedsTheRootsGrade: an agent's own mandate cannot ask people for less than the mandate that people granted.
func TestSupplementNeedsTheRootsGrade(t *testing.T) {
	w := writtest.Acme("grade")
	root := w.Mandate().Body.(*spec.Mandate)
	for _, row := range []struct{ clause, root, want spec.Grade }{
		{"", spec.GradeDevice, spec.GradeDevice}, {spec.GradeServer, spec.GradeDevice, spec.GradeDevice},
		{spec.GradeQualified, spec.GradeDevice, spec.GradeQualified}, {"", "", ""},
	} {
		child := w.Child(w.Mandate(), func(m *spec.Mandate) {
			m.Terms().Recovery = []spec.Recovery{{For: []string{"share"}, Approvers: []string{"cfo"}, Threshold: 1, MaxOver: euros(1_00),
				Within: "PT1H", LeastGrade: row.clause}}
		}).Body.(*spec.Mandate)
		root.Terms().Grantor.LeastGrade = row.root
		if n := spec.NeedsOfSupplement(child, root, &spec.Proposal{}); n.LeastGrade != row.want || n.Grantor != writtest.Grantor {
			t.Errorf("%+v: got %q of %s", row, n.LeastGrade, n.Grantor)
		}
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"PT1S": time.Second, "PT5M": 5 * time.Minute, "PT4H": 4 * time.Hour, "P3D": 72 * time.Hour, "P1DT2H3M4S": 26*time.Hour + 3*time.Minute + 4*time.Second,
	} {
		got, err := spec.ParseDuration(text)
		if err != nil || got != want || spec.FormatDuration(want) != text {
			t.Errorf("%s is %v, %v, written %s", text, got, err, spec.FormatDuration(want))
		}
	}
	for _, text := range []string{"", "P", "PT", "P1DT", "PT0S", "P0D", "P1M", "P1Y", "P1W", "PT1.5S", "pt1s", "-PT1S", "PT1S ", "PT1S\n", "PT99999H"} {
		_, err := spec.ParseDuration(text)
		wantReason(t, err, "duration-syntax")
	}
}

func TestIDs(t *testing.T) {
	at := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
	a, b := spec.UUIDv7(at, [10]byte{}), spec.UUIDv7(at.Add(time.Millisecond), [10]byte{0: 255, 9: 255})
	if want := "urn:uuid:01a230d5-1280-7000-8000-000000000000"; a != want {
		t.Errorf("got %s, want %s", a, want)
	}
	if b <= a || b[len("urn:uuid:")+14] != '7' {
		t.Errorf("%s is not behind %s, or not of version 7", b, a)
	}
	if got, want := spec.ShortID("dec", "urn:uuid:ffffffff-ffff-ffff-ffff-ffffffffffff"), "dec_zzzzzzzzzzzzzzzzzzzzzzzzzw"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := spec.ShortID("dec", "urn:uuid:no"); got != "" {
		t.Errorf("what is no id is shown as %s", got)
	}
}
