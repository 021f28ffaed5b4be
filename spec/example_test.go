package spec_test

import (
	"testing"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
)

// source is foreign evidence: a contract, by its digest.
const source = `{"type":["SourceDocument"],"documentKind":"contract","mediaType":"application/pdf",` +
	`"digestMultibase":"uEiA6n2iDLz1l8hRmlqqFSYtiOZTEFkeNcrcP2Kc_G1bGYA"}`

func euros(minor int64) *rule.Money { return &rule.Money{Minor: minor, Currency: "EUR"} }

// seen is a checkpoint that a signer says it had seen.
var seen = &spec.Seen{Origin: writtest.Origin, Size: 7, Root: jcs.FormatDigest([32]byte{7})}

// examples are documents of each type, signed, that have every member between them. They are of test mode, so that they have
// that member too.
func examples(t testing.TB) map[string][]spec.Document {
	t.Helper()
	w := writtest.Acme("examples")
	all := map[string][]spec.Document{}
	add := func(docs ...spec.Document) {
		for _, d := range docs {
			all[d.Type] = append(all[d.Type], d)
		}
	}
	ss, first := w.Found(nil, fullRoster)
	add(first, w.Sign(w.NextRoster(first, func(r *spec.Roster) {
		r.Terms().Persons[2].Keys[0].CompromisedSince = spec.At(w.Now)
	}), "seal", did.AssertionMethod, w.Now))
	ss, policy := w.Enact(ss, fullPolicy)
	add(policy, w.Seal(w.NextPolicy(policy)))
	ss, root := w.Grant(ss, fullMandate, writtest.Under(policy))
	ss, child := w.Delegate(ss, root, func(m *spec.Mandate) { m.Evidence = []jcs.Value{writtest.JSON(source)} })
	add(root, child)
	add(exampleApproval(t, w, root))
	add(writtest.Template(), writtest.Template(fullTemplate))
	add(requests(t, w, ss, []spec.Document{root, child})...)
	return all
}

func fullRoster(r *spec.Roster) {
	public := true
	r.Name, r.ValidUntil, r.Subject.Mode = "Acme's signature card", spec.At(writtest.Start.AddDate(5, 0, 0)), spec.ModeTest
	r.Evidence = []jcs.Value{writtest.JSON(source)}
	r.Terms().Public = &public
	r.Terms().Recovery = &spec.RosterRecovery{Keys: []spec.RecoveryKey{{ID: writtest.Grantor + "#safe",
		PublicKey: writtest.Acme("examples").Key("safe").Public().Multikey()}}, Threshold: 1, Delay: "P14D"}
	r.Terms().Powers = append(r.Terms().Powers, spec.Power{Actions: []string{"payments.transfer"}, Persons: []string{"cfo"},
		Threshold: 1, LeastGrade: spec.GradeDevice, UpTo: &spec.UpTo{Each: *euros(100_00), PerDay: euros(500_00)}})
}

func fullPolicy(p *spec.Policy) {
	p.Subject.Mode, p.Evidence = spec.ModeTest, []jcs.Value{writtest.JSON(source)}
	p.ValidFrom, p.ValidUntil = spec.At(writtest.Start), spec.At(writtest.Start.AddDate(1, 0, 0))
	p.Terms().Scope.Resources = []string{writtest.Account}
}

func fullTemplate(a *spec.ActionTemplate) {
	a.Members = append(a.Members, spec.TemplateMember{Pointer: "/parameters/tags", Kind: spec.KindStrings, MaxItems: 3, MaxLength: 8},
		spec.TemplateMember{Pointer: "/parameters/kind", Kind: spec.KindString, MaxLength: 8, Values: []jcs.Value{writtest.Value("a"), writtest.Value("b")}})
}

func fullMandate(m *spec.Mandate) {
	writtest.InForm(writtest.Template())(m)
	m.Subject.Mode = spec.ModeTest
	m.CredentialStatus = []jcs.Value{writtest.JSON(`{"type":"BitstringStatusListEntry","statusPurpose":"revocation",` +
		`"statusListIndex":"94567","statusListCredential":"https://writ.acme.example/status/3"}`)}
	m.CredentialSchema = []jcs.Value{writtest.JSON(`{"id":"https://w3id.org/writ/v1/schemas/mandatecredential.json","type":"JsonSchema"}`)}
	m.RelatedResource = []jcs.Value{writtest.JSON(`{"id":"https://w3id.org/writ/v1","digestMultibase":"uEiA6n2iDLz1l8hRmlqqFSYtiOZTEFkeNcrcP2Kc_G1bGYA"}`)}
	m.Evidence = []jcs.Value{writtest.JSON(source)}
	t := m.Terms()
	t.RequestedBy, t.SelfExecuted, t.StatusMaxAge, t.MaxOpenHolds = "intern", true, "PT5M", 4
	t.Recovery[0].LeastGrade = spec.GradeDevice
	t.Constraints = append(t.Constraints, writtest.RollingBudget("month", "90000.00", "P1M"),
		writtest.JSON(`{"id":"each","type":"amount","min":{"value":"1.00","currency":"EUR"},"max":{"value":"9000.00","currency":"EUR"}}`),
		writtest.JSON(`{"id":"often","type":"count","max":20,"per":"P1D","zone":"Europe/Lisbon"}`),
		writtest.JSON(`{"id":"office","type":"hours","days":["mon","tue"],"from":"08:00","to":"20:00","zone":"Europe/Lisbon"}`))
}

func exampleApproval(t testing.TB, w *writtest.World, mandate spec.Document) spec.Document {
	t.Helper()
	d := newDocument(t, &spec.Approval{Type: "MandateApproval", Version: spec.Version, Mode: spec.ModeTest, Kind: spec.KindMandate,
		Content: spec.ContentDigest(mandate.Value), Decision: spec.Approve, Approver: w.KeyID("cfo"), At: spec.At(w.Now),
		Expires: spec.At(w.Now.Add(time.Hour)), Nonce: w.Nonce(), Shown: jcs.FormatDigest([32]byte{1}), Seen: seen})
	return w.Sign(d, "cfo", did.CapabilityDelegation, w.Now)
}

// requests are what follows from one request over the chain of mandates: presentation, decisions, commit, begin, reports,
// supplement, receipt and a notice.
func requests(t testing.TB, w *writtest.World, ss spec.States, chain []spec.Document) []spec.Document {
	t.Helper()
	action := w.Action("1200.00", func(a *spec.Action) { a.Parameters = writtest.JSON(`{"memo":"invoice 7"}`) })
	request := w.Request("request-0001", func(r *spec.Request) { r.WaitUntil = spec.At(w.Now.Add(4 * time.Hour)) })
	p := w.Present(chain, action, request, w.Now)
	interim := w.SignDecision(w.Decision(p, ss, writtest.Collect("100.00", w.Now.Add(time.Hour)), everyMember), w.Now)
	lift, err := spec.Propose(interim, 0, chain[0].Body.(*spec.Mandate))
	if err != nil {
		t.Fatal(err)
	}
	supplement := *lift.Body.(*spec.Supplement)
	supplement.Name, supplement.Evidence = "One more invoice", []jcs.Value{writtest.JSON(source)}
	proposed := newDocument(t, &supplement)
	granted := w.SignDecision(w.Decision(p, ss, everyMember, func(d *spec.Decision) {
		d.Resumes, d.Charged, d.SelfExecuted = interim.Digest, true, true
		d.Inputs.Commit = w.Commit(p, w.Now).Digest
		d.Usage[0].Lift, d.Usage[0].Supplement, d.Usage[0].SumFrom, d.Usage[0].Before.Lifts = "100.00", proposed.Digest, d.Usage[0].From, 1
		d.Positions[0].OpenHolds = 1
		policy := chain[0].Body.(*spec.Mandate).Terms().Policies[0]
		d.Inputs.Policies = []string{policy}
		d.Usage[1].Policy = policy
		d.Accounts = []spec.AccountPosition{{Policy: policy, Seq: 2, Previous: d.Positions[0].Previous, OpenHolds: 1}}
	}), w.Now)
	docs := []spec.Document{p, interim, granted, w.Seal(proposed, w.ApproveSupplement("cfo", chain[0], proposed))}
	docs = append(docs, executions(t, w, p, granted)...)
	notice := newDocument(t, &spec.Notice{Type: "RevocationNotice", Version: spec.Version, Mode: spec.ModeTest,
		Content: spec.ContentDigest(chain[0].Value), Act: spec.ActSuspend, By: w.KeyID("cfo"), At: spec.At(w.Now), Nonce: w.Nonce(), Seen: seen})
	return append(docs, w.Sign(notice, "cfo", did.AssertionMethod, w.Now))
}

func everyMember(d *spec.Decision) {
	d.Inputs.Credentials = []string{jcs.FormatDigest([32]byte{3})}
	d.Seen, d.Checks[0].Reason, d.Checks[0].Detail = seen, "budget-exceeded", "daily"
	if d.Result == spec.CollectMissing {
		d.Closed = "recovery-expired"
	}
}

func executions(t testing.TB, w *writtest.World, p, granted spec.Document) []spec.Document {
	t.Helper()
	with := func(d spec.Document, change func(spec.Body)) spec.Document {
		change(d.Body)
		return w.Sign(newDocument(t, d.Body), "bank", did.AssertionMethod, w.Now)
	}
	commit := with(w.Commit(p, w.Now), func(b spec.Body) { b.(*spec.Commit).Seen = seen })
	begin := with(w.Begin(granted, w.Now), func(b spec.Body) { b.(*spec.Begin).Seen = seen })
	report := with(w.Report(granted, spec.OutcomeExecuted, "1200.00", true, w.Now), func(b spec.Body) { b.(*spec.Report).Seen = seen })
	receipt, err := spec.ReceiptOf(spec.Execution{Decision: granted, Begin: begin, Reports: []spec.Document{report}, LastAt: spec.At(w.Now),
		Role: "system-of-record"})
	if err != nil {
		t.Fatal(err)
	}
	r := *receipt.Body.(*spec.Receipt)
	r.Terms().Reconciliation = jcs.FormatDigest([32]byte{2})
	r.Name, r.ValidUntil = "Paid", spec.At(w.Now.AddDate(10, 0, 0))
	return []spec.Document{commit, begin, report, w.Sign(newDocument(t, &r), "ledger", did.AssertionMethod, w.Now)}
}

func newDocument(t testing.TB, b spec.Body) spec.Document {
	t.Helper()
	d, err := spec.New(b)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
