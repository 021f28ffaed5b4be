package verifier_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/issuer"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

const org = "acme"

// failer is a test, or one history of a property: what fails in it is shrunk, and its seed printed.
type failer interface {
	rapid.TB
	Context() context.Context
}

// story is Acme with a ledger, an issuer and a verifier, without a server.
type story struct {
	t failer
	*writtest.World
	ledger   *writtest.Ledger
	issuer   *issuer.Issuer
	verifier *verifier.Verifier
	trust    *verifier.Trust
	roster   spec.Document
}

func newStory(t failer, seed string) *story {
	t.Helper()
	w := writtest.Acme(seed)
	s := &story{t: t, World: w, ledger: writtest.NewLedger(w), trust: emptyTrust(t, w)}
	var err error
	now := func() time.Time { return w.Now }
	s.issuer, err = issuer.New(issuer.Options{Ledger: spec.Ledger{Verifier: writtest.Verifier, Log: writtest.Origin},
		Seal: writtest.Grantor, SealKey: spec.SealKey{ID: w.KeyID("seal"), Key: w.Key("seal").Public().Multikey()},
		DecisionKey: w.Key("ledger").Public().Multikey(), Journal: s.ledger, Drafts: s.ledger, Random: w, Now: now})
	s.must(err)
	s.verifier, err = verifier.New(verifier.Options{DID: writtest.Verifier, Key: w.Key("ledger").Public().Multikey(), Log: writtest.Origin, Epoch: 1, Journal: s.ledger,
		Trust: func() *verifier.Trust { return s.trust }, Random: w, Now: now})
	s.must(err)
	s.roster = s.enrol(w.Roster())
	s.trust = trustFile(t, w, s.roster)
	return s
}

func (s *story) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func trustFile(t failer, w *writtest.World, roster spec.Document) *verifier.Trust {
	t.Helper()
	return parseTrust(t, map[string]any{"version": "1", "policy": "log " + w.LogSigner().Verifier.String() + "\nquorum none\n",
		"rosters":   []any{map[string]any{"grantor": writtest.Grantor, "content": spec.ContentDigest(roster.Value)}},
		"resources": map[string]any{writtest.Account: writtest.Grantor}})
}

// emptyTrust pins a roster that does not exist.
func emptyTrust(t failer, w *writtest.World) *verifier.Trust {
	return trustFile(t, w, w.Roster())
}

func parseTrust(t failer, members map[string]any) *verifier.Trust {
	t.Helper()
	data, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	trust, err := verifier.ParseTrust(data)
	if err != nil {
		t.Fatal(err)
	}
	return trust
}

// enrol has treasurer and cfo approve a content, and returns what was issued.
func (s *story) enrol(content spec.Document) spec.Document {
	s.t.Helper()
	_, err := s.issuer.Propose(context.Background(), org, content.Value)
	s.must(err)
	approve := s.ApproveMandate
	switch content.Type {
	case spec.TypeRoster:
		approve = s.ApproveRoster
	case spec.TypePolicy:
		approve = s.ApprovePolicy
	}
	for i, person := range []string{"treasurer", "cfo"} {
		l, err := s.issuer.Approve(context.Background(), org, approve(person, content).Bytes())
		s.must(err)
		if len(l.Records) != i+1 {
			s.t.Fatalf("approval %d of 2 logged %d documents", i+1, len(l.Records))
		}
		if i == 1 {
			return l.Last().Document
		}
	}
	return spec.Document{}
}

// ask presents and verifies.
func (s *story) ask(key, euros string, mandates ...spec.Document) (*spec.Decision, spec.Document) {
	s.t.Helper()
	l, err := s.verifier.Verify(context.Background(), verifier.Request{Org: org,
		Presentation: s.Present(mandates, s.Action(euros), s.Request(key), s.Now).Bytes()})
	s.must(err)
	d, _ := verifier.Decision(l)
	return d, l.Last().Document
}

// execute begins and reports an authorised decision in full.
func (s *story) execute(decision spec.Document) {
	s.t.Helper()
	_, err := s.verifier.Begin(context.Background(), org, s.Begin(decision, s.Now).Bytes())
	s.must(err)
	_, err = s.verifier.Report(context.Background(), org, s.Report(decision, spec.OutcomeExecuted, "", true, s.Now).Bytes())
	s.must(err)
}

// export is the bundle of a decision, with its receipt where there is one.
func (s *story) export(decision spec.Document) []byte { return s.exportWith(nil, decision) }

// exportHeaded is export under a heads entry that covers all there is.
func (s *story) exportHeaded(decision spec.Document) []byte {
	s.ledger.LogHeads()
	return s.exportWith(s.ledger, decision)
}

func (s *story) exportWith(shown verifier.Heads, decision spec.Document) []byte {
	s.t.Helper()
	receipt, at, err := verifier.Receipt(context.Background(), s.ledger, org, decision.Digest)
	if err == nil {
		receipt = s.SignDecision(receipt, at)
	}
	data, err := verifier.Export(context.Background(), s.ledger, shown, org, decision.Digest, receipt, s.ledger.Proof)
	s.must(err)
	return data
}

func TestStory(t *testing.T) {
	s := newStory(t, "story")
	mandate := s.enrol(s.Mandate())

	d, first := s.ask("invoice-1", "4200.00", mandate)
	if d.Result != spec.Authorized {
		t.Fatalf("4200.00: %s %v", d.Result, d.Checks)
	}
	s.execute(first)
	s.holds(first, "executed")

	d, interim := s.ask("invoice-2", "6500.00", mandate)
	if d.Result != spec.CollectMissing || d.Missing[0].Lifts[0].MaxOver.Value() != "700.00" {
		t.Fatalf("6500.00: %s %v", d.Result, d.Missing)
	}
	proposals, err := s.issuer.Proposals(context.Background(), org, interim.Digest)
	s.must(err)
	supplement, err := spec.FromValue(proposals[0].Content)
	s.must(err)
	if _, err := s.verifier.Resume(context.Background(), org, interim.Digest); reason(err) != "recovery-open" {
		t.Fatalf("resumed too early: %v", err)
	}
	l, err := s.issuer.ApproveSupplement(context.Background(), org, interim.Digest, s.ApproveSupplement("cfo", mandate, supplement).Bytes())
	s.must(err)
	if l.Last().Document.Type != spec.TypeSupplement {
		t.Fatalf("the cfo's approval issued %s", l.Last().Document.Type)
	}
	l, err = s.verifier.Resume(context.Background(), org, interim.Digest)
	s.must(err)
	if d, _ := verifier.Decision(l); d.Result != spec.Authorized || d.Usage[0].Lift != "700.00" {
		t.Fatalf("resumed: %s %v", d.Result, d.Checks)
	}
	s.execute(l.Last().Document)
	s.holds(l.Last().Document, "executed")

	l, err = s.verifier.Verify(context.Background(), verifier.Request{Org: org, Presentation: s.Present([]spec.Document{mandate},
		s.Action("50.00", func(a *spec.Action) { a.Counterparty.ID = "lei:OTHER" }), s.Request("invoice-3"), s.Now).Bytes()})
	s.must(err)
	if d, _ := verifier.Decision(l); d.Result != spec.Rejected {
		t.Fatalf("another payee: %s", d.Result)
	}
	s.holds(l.Last().Document, spec.Rejected)
}

func TestDelegation(t *testing.T) {
	s := newStory(t, "delegation")
	parent := s.enrol(s.Mandate())
	child := s.Seal(s.Child(parent))
	_, err := s.issuer.Delegate(context.Background(), org, child.Bytes())
	s.must(err)
	d, first := s.ask("child-001", "1500.00", parent, child)
	if d.Result != spec.Authorized || len(d.Usage) != 2 {
		t.Fatalf("%s %v %v", d.Result, d.Checks, d.Usage)
	}
	s.execute(first)
	s.holds(first, "executed")
	if d, second := s.ask("child-002", "501.00", parent, child); d.Result != spec.Rejected {
		t.Fatalf("beyond the child's own: %s", d.Result)
	} else {
		s.holds(second, spec.Rejected)
	}
}

// holds verifies a decision's bundle with the trust file alone.
func (s *story) holds(decision spec.Document, expect string) {
	s.t.Helper()
	c := verifier.CheckBundle(s.export(decision), s.trust, verifier.CheckOptions{Expect: expect})
	if !c.Holds {
		s.t.Fatalf("the bundle fails: %+v", c.Verdicts)
	}
}

func reason(err error) string {
	switch e := err.(type) {
	case nil:
		return ""
	case *spec.Error:
		return e.Reason
	case *verifier.NotEntitledError:
		return e.Error()
	default:
		return "?" + err.Error()
	}
}

// TestApproval: a limit that asks for people's approval, always and above a sum of the day, each approved for one action.
func TestApproval(t *testing.T) {
	for name, constraint := range map[string]string{
		"always":            `{"id":"four-eyes","type":"approval"}`,
		"above":             `{"id":"four-eyes","type":"approval","above":{"value":"100.00","currency":"EUR"}}`,
		"above in a day":    `{"id":"four-eyes","type":"approval","above":{"value":"100.00","currency":"EUR"},"per":"P1D","zone":"Europe/Lisbon"}`,
		"above in 24 hours": `{"id":"four-eyes","type":"approval","above":{"value":"100.00","currency":"EUR"},"per":"P1D","rolling":true}`,
	} {
		t.Run(name, func(t *testing.T) {
			s := newStory(t, name)
			mandate := s.enrol(s.Mandate(func(m *spec.Mandate) {
				m.Subject.Mandate.Constraints = append(m.Subject.Mandate.Constraints, writtest.JSON(constraint))
				m.Subject.Mandate.Recovery = append(m.Subject.Mandate.Recovery, spec.Recovery{For: []string{"four-eyes"},
					Approvers: []string{"cfo", "treasurer"}, Threshold: 1, Within: "PT1H"})
			}))
			if name != "always" {
				d, small := s.ask("request-0", "60.00", mandate)
				if d.Result != spec.Authorized {
					t.Fatalf("60.00 is %s %v", d.Result, d.Checks)
				}
				s.execute(small)
			}
			for i, euros := range []string{"110.00", "120.00"} {
				d, interim := s.ask("request-"+euros, euros, mandate)
				if d.Result != spec.CollectMissing || d.Missing[0].Lifts[0].MaxOver.Minor != 0 {
					t.Fatalf("%s is %s: %v", euros, d.Result, d.Missing)
				}
				s.Advance(2 * time.Hour / 3)
				d, decision := s.lift(interim, mandate)
				if d.Result != spec.Authorized {
					t.Fatalf("approved, %s is %s %v", euros, d.Result, d.Checks)
				}
				s.execute(decision)
				s.holds(decision, "executed")
				if i == 0 {
					s.Advance(time.Hour)
				}
			}
			_, interim := s.ask("request-3", "130.00", mandate)
			s.Advance(2 * time.Hour)
			l, err := s.verifier.Resume(t.Context(), org, interim.Digest)
			s.must(err)
			if d, _ := verifier.Decision(l); d.Result != spec.Rejected {
				t.Fatalf("nobody approved, and it is %s", d.Result)
			}
			s.holds(l.Last().Document, spec.Rejected)
		})
	}
}

// change puts a later roster version in force.
func (s *story) change(changes ...func(*spec.Roster)) {
	s.t.Helper()
	s.roster = s.enrol(s.NextRoster(s.roster, changes...))
}

// TestRosterChangesLater: what was decided and executed under a roster stays true of it. A receipt is the same bytes after the bank
// changed its role, and after it was removed; a report of what it had begun is taken all the same.
func TestRosterChangesLater(t *testing.T) {
	s := newStory(t, "roster changes")
	mandate := s.enrol(s.Mandate())
	_, done := s.ask("invoice-1", "4200.00", mandate)
	s.execute(done)
	_, begun := s.ask("invoice-2", "100.00", mandate)
	_, err := s.verifier.Begin(t.Context(), org, s.Begin(begun, s.Now).Bytes())
	s.must(err)
	before := s.export(done)
	for _, change := range []func(*spec.Roster){
		func(r *spec.Roster) { r.Subject.Roster.Executors[0].Role = "gateway" },
		func(r *spec.Roster) { r.Subject.Roster.Executors = nil },
	} {
		s.Advance(time.Hour)
		s.change(change)
		s.holds(done, "executed")
		a, b := receiptIn(t, before), receiptIn(t, s.export(done))
		if string(a) != string(b) {
			t.Errorf("a later roster changed a receipt from %s to %s", a, b)
		}
	}
	_, err = s.verifier.Report(t.Context(), org, s.Report(begun, spec.OutcomeExecuted, "", true, s.Now).Bytes())
	s.must(err)
	s.holds(begun, "executed")
	p := s.Present([]spec.Document{mandate}, s.Action("1.00"), s.Request("invoice-3"), s.Now)
	if _, err := s.verifier.Verify(t.Context(), verifier.Request{Org: org, Presentation: p.Bytes()}); reason(err) != "not-entitled" {
		t.Errorf("an executor that the roster does not list any more: %v", err)
	}
}

func receiptIn(t *testing.T, bundle []byte) []byte {
	t.Helper()
	var b verifier.Bundle
	if err := jcs.Unmarshal(bundle, &b); err != nil {
		t.Fatal(err)
	}
	return b.Receipt.Canonical()
}

// TestOtherTables: a decision that rests on tables of another release is run again all the same. Where it comes out the same it
// follows; where it does not, nobody here can tell.
func TestOtherTables(t *testing.T) {
	s := newStory(t, "other tables")
	mandate := s.enrol(s.Mandate())
	for name, row := range map[string]struct {
		change func(*spec.Decision)
		want   string
	}{
		"the same answer": {func(d *spec.Decision) { d.Env.TZ = "2031a" }, verifier.Holds},
		"another window": {func(d *spec.Decision) {
			d.Env.TZ = "2031a"
			d.Usage = slices.Clone(d.Usage)
			d.Usage[0].To = spec.At(d.Usage[0].To.Add(time.Hour))
		}, verifier.Unchecked},
		"another window by our own tables": {func(d *spec.Decision) {
			d.Usage = slices.Clone(d.Usage)
			d.Usage[0].To = spec.At(d.Usage[0].To.Add(time.Hour))
		}, verifier.Fails},
	} {
		s.Advance(time.Minute)
		request := s.Request("request " + name)
		p := s.Present([]spec.Document{mandate}, s.Action("1.00"), request, s.Now)
		state := s.ledger.All()
		decided, err := spec.New(changed(s.decide(p, mandate, state), row.change))
		s.must(err)
		signed := s.SignDecision(decided, s.Now)
		_, err = s.ledger.Run(t.Context(), spec.Op{Org: org, Write: []spec.ChainRef{writtest.Ref(mandate)}, Read: []spec.ChainRef{writtest.Ref(s.roster)},
			Attach: []spec.Document{p}}, func(spec.States, time.Time) ([]spec.Document, error) { return []spec.Document{signed}, nil })
		s.must(err)
		c := verifier.CheckBundle(s.export(signed), s.trust, verifier.CheckOptions{})
		i := slices.IndexFunc(c.Verdicts, func(v verifier.Verdict) bool { return v.Name == verifier.Follows })
		if got := c.Verdicts[i].Outcome; got != row.want || c.Holds != (row.want == verifier.Holds) {
			t.Errorf("%s: %+v", name, c.Verdicts)
		}
	}
}

// decide is what Decide says of a presentation, as a body that a test may spoil.
func (s *story) decide(p, mandate spec.Document, states spec.States) *spec.Decision {
	s.t.Helper()
	body := p.Body.(*spec.Presentation)
	action, err := spec.ParseAction(body.Action)
	s.must(err)
	docs, err := verifier.Decide(verifier.Case{ID: s.ID(), Epoch: 1, Verifier: writtest.Verifier, Identity: spec.IdentityPresented, Agent: body.Holder,
		Mandates: []verifier.Mandate{{Content: spec.ContentDigest(mandate.Value), Body: mandate.Body.(*spec.Mandate)}}, Action: action,
		ActionValue: body.Action, Request: body.Request, RequestDigest: writtest.RequestDigest(p), Presentation: p.Digest,
		Roster: states.Roster(writtest.Grantor).NewestContent(), Owner: writtest.Grantor, ExecuteWithin: time.Minute, Env: spec.CurrentEnv()}, states, s.Now)
	s.must(err)
	return docs[0].Body.(*spec.Decision)
}

func changed(d *spec.Decision, change func(*spec.Decision)) *spec.Decision {
	c := *d
	change(&c)
	return &c
}
