package conformance

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
	"github.com/writ-trust/writ/vc"
)

// life writes a trace while a ledger plays it. What each step must come to is said by its author; only the ids and digests of
// decisions are taken from the play.
type life struct {
	*writtest.World
	b       *book
	trace   *Trace
	machine *machine
	roster  spec.Document // the sealed one
}

// newLife founds Acme: its roster, pinned by the ledger's trust file, with the approvals of treasurer and cfo.
func newLife(b *book, seed string, changes ...func(*spec.Roster)) *life {
	l := &life{World: world(seed), b: b}
	roster := l.Roster(changes...)
	trust := trustOf(l.World, roster, map[string]string{writtest.Account: writtest.Grantor, secondAccount: writtest.Grantor,
		foreignAccount: "did:web:other.example"})
	l.trace = &Trace{Seed: seed, Verifier: writtest.Verifier, Log: writtest.Origin, Seal: writtest.Grantor, Trust: trust,
		Documents: map[string]jcs.Value{}}
	var err error
	l.machine, err = newMachine(l.trace)
	b.must(err)
	l.roster = l.enrol("roster", roster)
	return l
}

const (
	secondAccount  = "iban:PT50000201239999999990154"
	foreignAccount = "iban:DE89370400440532013000"
)

func trustOf(w *writtest.World, roster spec.Document, resources map[string]string) json.RawMessage {
	return raw(map[string]any{"version": "1", "policy": "log " + w.LogSigner().Verifier.String() + "\nquorum none\n",
		"rosters":   []any{map[string]string{"grantor": writtest.Grantor, "content": spec.ContentDigest(roster.Value)}},
		"resources": resources})
}

// finish puts the trace into the book.
func (l *life) finish(path, section, title string) {
	l.b.t.Helper()
	l.b.put(path, Vector{Title: title, Section: section, Kind: KindTrace, Trace: l.trace})
}

// step plays one step with a document, under a name, and says what it must come to.
func (l *life) step(do, name string, d spec.Document, want StepEnd, more ...func(*Step)) spec.Document {
	l.b.t.Helper()
	s := Step{At: spec.At(l.Now), Do: do, Want: want}
	if !d.IsZero() {
		s.Document = name
		l.keep(name, d)
	}
	if do == "present" || do == "resume" {
		s.ID = l.ID()
	}
	for _, change := range more {
		change(&s)
	}
	l.machine.last = spec.Document{}
	got, err := l.machine.do(s)
	l.b.must(err)
	s.Want.Digest = got.Digest
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", s.Want) {
		l.b.t.Logf("%s %s: %+v, want %+v", do, name, got, s.Want)
	}
	l.trace.Steps = append(l.trace.Steps, s)
	return l.machine.last
}

func (l *life) keep(name string, d spec.Document) {
	l.b.t.Helper()
	if old, there := l.trace.Documents[name]; there && !old.Equal(d.Value) {
		l.b.t.Fatalf("two documents are called %s", name)
	}
	l.trace.Documents[name] = d.Value
}

func recorded(entries int) StepEnd { return StepEnd{Outcome: Recorded, Entries: entries} }
func issued(entries int) StepEnd {
	return StepEnd{Outcome: Recorded, Entries: entries, Issued: true}
}
func refused(reason, pointer string) StepEnd {
	return StepEnd{Outcome: Refused, Reason: reason, Pointer: pointer}
}
func hidden(because string) StepEnd {
	return StepEnd{Outcome: Refused, Reason: "not-entitled", Because: because}
}
func rejected(check, reason string) StepEnd {
	return StepEnd{Outcome: spec.Rejected, Entries: 1, Check: check, Reason: reason}
}
func collect(check, reason string, lifts ...string) StepEnd {
	return StepEnd{Outcome: spec.CollectMissing, Entries: 1, Check: check, Reason: reason, Lifts: lifts}
}
func again() StepEnd { return StepEnd{Outcome: Same} }

var authorized = StepEnd{Outcome: spec.Authorized, Entries: 1}

var drafted = StepEnd{Outcome: Drafted}

// enrol proposes a content and has treasurer and cfo approve it.
func (l *life) enrol(name string, content spec.Document) spec.Document {
	l.b.t.Helper()
	l.step("propose", name, content, drafted)
	l.step("approve", name+" by treasurer", l.word("treasurer", content), recorded(1))
	return l.step("approve", name+" by cfo", l.word("cfo", content), issued(2))
}

// word is a person's approval of a roster, policy or mandate.
func (l *life) word(person string, content spec.Document) spec.Document {
	switch content.Type {
	case spec.TypeRoster:
		return l.ApproveRoster(person, content)
	case spec.TypePolicy:
		return l.ApprovePolicy(person, content)
	}
	return l.ApproveMandate(person, content)
}

// ask presents mandates with an action of so many euros, signed now.
func (l *life) ask(key, euros string, want StepEnd, mandates ...spec.Document) spec.Document {
	l.b.t.Helper()
	return l.step("present", key, l.Present(mandates, l.Action(euros), l.Request(key), l.Now), want)
}

// account says what a mandate's day must hold after the last step.
func (l *life) account(m spec.Document, status spec.Status, constraint, used, lifted, excess string) {
	from := writtest.Start.Truncate(24 * time.Hour)
	l.trace.Accounts = append(l.trace.Accounts, Account{Mandate: spec.ContentDigest(m.Value), Status: status, Constraint: constraint,
		From: spec.At(from), Used: used, Lifted: lifted, Excess: excess})
}

func (l *life) status(m spec.Document, status spec.Status) {
	l.trace.Accounts = append(l.trace.Accounts, Account{Mandate: spec.ContentDigest(m.Value), Status: status})
}

// edited is a document after edits that leave it readable, with its old proof.
func (l *life) edited(d spec.Document, edits ...Edit) spec.Document {
	l.b.t.Helper()
	v, err := spec.Parse([]byte(l.b.changed(d, edits...)))
	l.b.must(err)
	return v
}

// resigned is a document after edits, signed anew by a party under a method of its own choice.
func (l *life) resigned(d spec.Document, party, method, purpose string, edits ...Edit) spec.Document {
	l.b.t.Helper()
	e := l.edited(d, edits...)
	v, err := vc.Sign(e.Value.Without("proof"), vc.ProofOptions{VerificationMethod: method, Purpose: purpose, Created: l.Now}, l.Key(party))
	l.b.must(err)
	e, err = e.WithValue(v)
	l.b.must(err)
	return e
}

// presented is a presentation with any proof options, signed by any party.
func (l *life) presented(d spec.Document, party string, change func(*vc.ProofOptions), edits ...Edit) spec.Document {
	l.b.t.Helper()
	e := l.edited(d, edits...)
	o := vc.ProofOptions{VerificationMethod: did.MethodID(e.Body.(*spec.Presentation).Holder), Purpose: did.Authentication, Created: l.Now,
		Expires: l.Now.Add(time.Minute), Domain: writtest.Verifier}
	change(&o)
	v, err := vc.Sign(e.Value.Without("proof"), o, l.Key(party))
	l.b.must(err)
	e, err = e.WithValue(v)
	l.b.must(err)
	return e
}

// supplement is the proposal of an interim decision.
func (l *life) supplement(interim, base spec.Document) spec.Document {
	l.b.t.Helper()
	s, err := spec.Propose(interim, 0, base.Body.(*spec.Mandate))
	l.b.must(err)
	return s
}

func of(interim spec.Document) func(*Step) {
	return func(s *Step) { s.Decision = interim.Digest }
}

// lift has the cfo approve what an interim decision proposes and decides anew.
func (l *life) lift(name string, interim, base spec.Document, want StepEnd) spec.Document {
	l.b.t.Helper()
	l.step("approve-supplement", name+" lifted by cfo", l.ApproveSupplement("cfo", base, l.supplement(interim, base)), issued(2), of(interim))
	return l.step("resume", name, spec.Document{}, want, of(interim))
}

// resume has persons say that a suspended mandate may act again.
func (l *life) resume(name, person string, m spec.Document, want StepEnd) {
	l.b.t.Helper()
	content := spec.ContentDigest(m.Value)
	lines := spec.ActLines(rule.English, spec.KindResume, content, m.Body.(*spec.Mandate).Name)
	l.step("approve", name+" by "+person, l.Approve(person, spec.KindResume, content, lines...), want)
}

// report is a report with edits, signed by a party.
func (l *life) report(decision spec.Document, outcome, euros string, final bool) spec.Document {
	return l.Report(decision, outcome, euros, final, l.Now)
}

// resignedReport is a report with edits, signed by the bank.
func (l *life) byBank(d spec.Document, edits ...Edit) spec.Document {
	return l.resigned(d, "bank", l.KeyID("bank"), did.AssertionMethod, edits...)
}
