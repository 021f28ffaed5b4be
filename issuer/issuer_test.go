package issuer_test

import (
	"errors"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/issuer"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
)

const org = "acme"

// acme is an issuer with a ledger, and a roster in force.
type acme struct {
	*testing.T
	*writtest.World
	ledger *writtest.Ledger
	issuer *issuer.Issuer
	roster spec.Document
}

func newAcme(t *testing.T) *acme {
	w := writtest.Acme(t.Name())
	a := &acme{T: t, World: w, ledger: writtest.NewLedger(w)}
	var err error
	a.issuer, err = issuer.New(issuer.Options{Ledger: spec.Ledger{Verifier: writtest.Verifier, Log: writtest.Origin}, Seal: writtest.Grantor,
		SealKey: spec.SealKey{ID: w.KeyID("seal"), Key: w.Key("seal").Public().Multikey()}, DecisionKey: w.Key("ledger").Public().Multikey(),
		Journal: a.ledger, Drafts: a.ledger, Random: w, Now: func() time.Time { return w.Now }})
	a.must(err)
	a.roster = a.enrol(w.Roster(), w.ApproveRoster)
	return a
}

func (a *acme) must(err error) {
	a.Helper()
	if err != nil {
		a.Fatal(err)
	}
}

// propose drafts a content and returns what the issuer kept.
func (a *acme) propose(content jcs.Value) (spec.Document, error) {
	d, err := a.issuer.Propose(a.Context(), org, content)
	if err != nil {
		return spec.Document{}, err
	}
	return spec.Parse(d.Body)
}

func (a *acme) enrol(content spec.Document, approve func(string, spec.Document) spec.Document) spec.Document {
	a.Helper()
	_, err := a.propose(content.Value)
	a.must(err)
	a.must(a.approve(approve("treasurer", content)))
	l, err := a.issuer.Approve(a.Context(), org, approve("cfo", content).Bytes())
	a.must(err)
	return l.Last().Document
}

func (a *acme) approve(word spec.Document) error {
	_, err := a.issuer.Approve(a.Context(), org, word.Bytes())
	return err
}

func (a *acme) refused(name string, err error, want string) {
	a.Helper()
	var e *spec.Error
	if !errors.As(err, &e) || e.Reason != want {
		a.Errorf("%s: %v, want %s", name, err, want)
	}
}

func (a *acme) status(content spec.Document) spec.Status {
	return a.ledger.All().ByContent(spec.ContentDigest(content.Value)).Status
}

// TestProposeFillsIn: a content may leave to the server what the server knows; every draft of it has a salt and an id of its own.
func TestProposeFillsIn(t *testing.T) {
	a := newAcme(t)
	m := a.Mandate()
	subject, _ := m.Value.Member("credentialSubject")
	terms, _ := subject.Member("mandate")
	bare := m.Value.Without("@context", "type", "id", "issuer").With("credentialSubject", subject.With("mandate", terms.Without("salt", "ledger")))
	first, err := a.propose(bare)
	a.must(err)
	second, err := a.propose(bare)
	a.must(err)
	full := first.Body.(*spec.Mandate)
	if full.Terms().Ledger.Verifier != writtest.Verifier || full.Terms().Salt == second.Body.(*spec.Mandate).Terms().Salt || first.Digest == second.Digest {
		t.Errorf("two drafts of one content: %s and %s", first.Bytes(), second.Bytes())
	}
	if len(a.ledger.Records()) != 3 {
		t.Error("a draft left an entry")
	}
}

func TestProposeRefuses(t *testing.T) {
	a := newAcme(t)
	for name, row := range map[string]struct {
		content spec.Document
		want    string
	}{
		"an intern alone": {a.Mandate(func(m *spec.Mandate) {
			m.Subject.Mandate.Grantor.Approvers, m.Subject.Mandate.Grantor.Threshold = []string{"intern"}, 1
		}), "power-missing"},
		"somebody whom the roster does not know": {a.Mandate(func(m *spec.Mandate) { m.Subject.Mandate.Grantor.Approvers = []string{"cfo", "nobody"} }), "approver-unknown"},
		"another ledger":                         {a.Mandate(func(m *spec.Mandate) { m.Subject.Mandate.Ledger.Log = "elsewhere/log" }), "ledger-other"},
		"a grantor without roster":               {a.Mandate(func(m *spec.Mandate) { m.Subject.Mandate.Grantor.ID = "did:web:other.example" }), "roster-unknown"},
		"a stranger as issuer":                   {a.Mandate(func(m *spec.Mandate) { m.Issuer = "did:web:stranger.example" }), "issuer-unknown"},
		"test mode":                              {a.Mandate(func(m *spec.Mandate) { m.Subject.Mode = spec.ModeTest }), "mode-other"},
		"a sealed one":                           {a.Seal(a.Mandate()), "draft-signed"},
		"a roster of another log":                {a.Roster(func(r *spec.Roster) { r.Subject.Roster.Log = "elsewhere/log" }), "ledger-other"},
	} {
		_, err := a.propose(row.content.Value)
		a.refused(name, err, row.want)
	}
}

// TestOneLife: withdrawals, declines and repeated words, each logged, and issued exactly when two distinct persons stand.
func TestOneLife(t *testing.T) {
	a := newAcme(t)
	m := a.Mandate()
	_, err := a.propose(m.Value)
	a.must(err)
	lines, content := m.Body.(*spec.Mandate).Lines(rule.English), spec.ContentDigest(m.Value)
	say := func(person, word string) spec.Document {
		return a.Say(person, word, spec.KindMandate, content, lines...)
	}
	a.must(a.approve(say("treasurer", spec.Approve)))
	a.must(a.approve(say("treasurer", spec.Approve)))
	a.must(a.approve(say("treasurer", spec.Withdraw)))
	a.refused("a word of the intern", a.approve(say("intern", spec.Approve)), "approver-not-named")
	a.must(a.approve(say("cfo", spec.Approve)))
	if got := a.status(m); got != spec.StatusDraft {
		t.Fatalf("one standing approval, and the mandate is %s", got)
	}
	last := say("treasurer", spec.Approve)
	a.must(a.approve(last))
	if got := a.status(m); got != spec.StatusActive {
		t.Fatalf("two standing approvals, and the mandate is %s", got)
	}
	entries := len(a.ledger.Records())
	a.must(a.approve(last)) // handed over again: the same answer
	a.refused("a word after the issue", a.approve(say("cfo", spec.Approve)), "draft-closed")
	if len(a.ledger.Records()) != entries {
		t.Error("an answer of before left an entry")
	}
}

func TestDeclineEndsADraft(t *testing.T) {
	a := newAcme(t)
	m := a.Mandate()
	_, err := a.propose(m.Value)
	a.must(err)
	a.must(a.approve(a.Say("cfo", spec.Decline, spec.KindMandate, spec.ContentDigest(m.Value))))
	a.refused("an approval after a decline", a.approve(a.ApproveMandate("treasurer", m)), "draft-closed")
}

func TestDelegate(t *testing.T) {
	a := newAcme(t)
	parent := a.enrol(a.Mandate(), a.ApproveMandate)
	for name, row := range map[string]struct {
		change func(*spec.Mandate)
		want   string
	}{
		"deeper than the parent":  {func(m *spec.Mandate) { m.Terms().Delegation = &spec.Delegation{MaxDepth: 1} }, "child-depth"},
		"longer than the parent":  {func(m *spec.Mandate) { m.ValidUntil = spec.At(m.ValidUntil.AddDate(1, 0, 0)) }, "child-validity"},
		"at another ledger":       {func(m *spec.Mandate) { m.Terms().Ledger.Log = "elsewhere/log" }, "child-ledger"},
		"executed by itself":      {func(m *spec.Mandate) { m.Terms().SelfExecuted = true }, "child-self-executed"},
		"below an unknown parent": {func(m *spec.Mandate) { m.Terms().Parent = jcs.Digest("x", nil) }, "parent-unknown"},
	} {
		_, err := a.issuer.Delegate(a.Context(), org, a.Seal(a.Child(parent, row.change)).Bytes())
		a.refused(name, err, row.want)
	}
	child := a.Seal(a.Child(parent))
	_, err := a.issuer.Delegate(a.Context(), org, child.Bytes())
	a.must(err)
	_, err = a.issuer.Notice(a.Context(), org, a.Notice("cfo", spec.ActRevoke, spec.ContentDigest(parent.Value)).Bytes())
	a.must(err)
	_, err = a.issuer.Delegate(a.Context(), org, a.Seal(a.Child(parent)).Bytes())
	a.refused("below a revoked parent", err, "parent-inactive")
}

func TestNoticeAndResume(t *testing.T) {
	a := newAcme(t)
	m := a.enrol(a.Mandate(), a.ApproveMandate)
	content := spec.ContentDigest(m.Value)
	notice := func(person, act string) error {
		_, err := a.issuer.Notice(a.Context(), org, a.Notice(person, act, content).Bytes())
		return err
	}
	a.refused("a suspension by the intern", notice("intern", spec.ActSuspend), "revoker-unknown")
	a.must(notice("treasurer", spec.ActSuspend))
	a.refused("a second suspension", notice("cfo", spec.ActSuspend), "status-transition")
	resume := func(person, word string) spec.Document {
		return a.Say(person, word, spec.KindResume, content, spec.ActLines(rule.English, spec.KindResume, content, m.Body.(*spec.Mandate).Name)...)
	}
	a.must(a.approve(resume("treasurer", spec.Approve)))
	a.must(a.approve(resume("cfo", spec.Decline))) // logged, and ends this attempt
	a.must(a.approve(resume("cfo", spec.Approve)))
	if got := a.status(m); got != spec.StatusSuspended {
		t.Fatalf("after a decline one approval resumed: %s", got)
	}
	a.must(a.approve(resume("treasurer", spec.Approve)))
	if got := a.status(m); got != spec.StatusActive {
		t.Fatalf("both resumed, and the mandate is %s", got)
	}
	a.must(notice("cfo", spec.ActRevoke))
	a.refused("a resume of what is revoked", a.approve(resume("cfo", spec.Approve)), "not-suspended")
}

// TestWordsThatCountNothing: a key that is compromised, or still waits for its delay, neither approves nor declines.
func TestWordsThatCountNothing(t *testing.T) {
	a := newAcme(t)
	m := a.Mandate()
	_, err := a.propose(m.Value)
	a.must(err)
	content := spec.ContentDigest(m.Value)
	a.Advance(time.Hour)
	a.enrol(a.NextRoster(a.roster, func(r *spec.Roster) {
		persons := r.Subject.Roster.Persons
		persons[0].Keys[0].CompromisedSince = spec.At(a.Now.Add(-time.Minute))
		persons[1].Keys = append(persons[1].Keys, spec.PersonKey{ID: a.KeyID("new"), PublicKey: a.Key("new").Public().Multikey(), Kind: "key", Grade: spec.GradeDevice})
	}), a.ApproveRoster)
	for _, word := range []string{spec.Approve, spec.Decline, spec.Withdraw} {
		for _, person := range []string{"treasurer", "new"} {
			a.refused(word+" by "+person, a.approve(a.Say(person, word, spec.KindMandate, content)), "approver-unknown")
		}
	}
	if s := a.ledger.All().ByContent(content); s != nil {
		t.Errorf("words that count nothing began a chain: %s", s.Status)
	}
	a.Advance(25 * time.Hour) // the delay of Acme's roster is a day
	a.must(a.approve(a.Say("new", spec.Decline, spec.KindMandate, content)))
}

// TestServerThatTheRosterDoesNotList: nothing is drafted that could never be used.
func TestServerThatTheRosterDoesNotList(t *testing.T) {
	a := newAcme(t)
	for name, row := range map[string]struct {
		change func(*spec.Roster)
		want   string
	}{
		"another decision key": {func(r *spec.Roster) { r.Subject.Roster.Ledgers[0].Key = a.Key("stranger").Public().Multikey() }, "ledger-unknown"},
		"another seal":         {func(r *spec.Roster) { r.Subject.Roster.Seals[0].Key = a.Key("stranger").Public().Multikey() }, "seal-unknown"},
	} {
		_, err := a.propose(a.Roster(row.change).Value)
		a.refused(name, err, row.want)
	}
}
