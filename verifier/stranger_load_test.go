package verifier_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// what a stranger to every mandate posts stays in memory: the cache of parsed mandates is filled before any signature is checked
// and counts documents, not bytes.
func TestNoJudgedCacheMemory(t *testing.T) {
	s := newStory(t, "m1")
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	junk := func(i int) []byte {
		m := s.Mandate(func(m *spec.Mandate) {
			for n := range 24000 {
				m.Subject.Mandate.Resources = append(m.Subject.Mandate.Resources, fmt.Sprintf("%x.%x", i, n))
			}
		})
		return s.Present([]spec.Document{s.Seal(m)}, s.Action("1.00"), s.Request("request-1"), s.Now).Bytes()
	}
	before, size := uint64(0), 0
	const n = 40
	for i := range n {
		p := junk(i)
		size = len(p)
		// any signature will do: take the last letters off
		_, err := s.verifier.Verify(context.Background(), verifier.Request{Org: "nobody", Presentation: p})
		if i == 0 {
			t.Logf("%d bytes, answered %v", len(p), err)
			before = heap()
		}
	}
	per := (heap() - before) / (n - 1)
	runtime.KeepAlive(s.verifier)
	t.Logf("each refused request of %d KiB leaves %d KiB in memory; 4096 of them %.1f GiB", size>>10, per>>10, float64(per)*4096/(1<<30))
	if per*4096 > 1<<30 {
		t.Errorf("refused requests of a caller without any mandate pin memory up to %.1f GiB", float64(per)*4096/(1<<30))
	}
}

// ledger time that goes back across chains: a key that was removed at a lower index approves at a higher one, dated before.
func TestNoLedgerTimeAcrossChains(t *testing.T) {
	s := newStory(t, "t1")
	day1 := s.Now
	s.Advance(10 * 24 * time.Hour)
	s.enrol(s.NextRoster(s.roster, func(r *spec.Roster) {
		r.Subject.Roster.Persons[1].Keys = []spec.PersonKey{{ID: writtest.Grantor + "#cfo-2", PublicKey: s.Key("cfo two").Public().Multikey(), Kind: "key", Grade: spec.GradeDevice}}
	}))
	s.Now = day1.Add(time.Hour) // the operator's clock
	m := s.Mandate()
	op := spec.Op{Org: org, Write: []spec.ChainRef{writtest.Ref(m)}, Read: []spec.ChainRef{writtest.Ref(s.roster)}}
	a, b := s.ApproveMandate("treasurer", m), s.ApproveMandate("cfo", m)
	sealed := s.Seal(m, a, b)
	for _, d := range []spec.Document{a, b, sealed} {
		_, err := s.ledger.Run(context.Background(), op, func(spec.States, time.Time) ([]spec.Document, error) { return []spec.Document{d}, nil })
		s.must(err)
	}
	d, doc := s.ask("invoice-1", "4200.00", sealed)
	if d.Result != spec.Authorized {
		t.Fatal(d.Result, d.Checks)
	}
	_, err := s.verifier.Begin(context.Background(), org, s.Begin(doc, s.Now).Bytes())
	s.must(err)
	s.Now = day1.Add(12 * 24 * time.Hour)
	_, err = s.verifier.Report(context.Background(), org, s.Report(doc, spec.OutcomeExecuted, "", true, s.Now).Bytes())
	s.must(err)
	c := verifier.CheckBundle(s.export(doc), s.trust, verifier.CheckOptions{Expect: "executed"})
	if c.Holds {
		t.Errorf("bundle holds: cfo's key left the roster at a lower index, approves at a higher index with an earlier ledger time")
	} else {
		t.Log(c.Verdicts)
	}
}

// a supplement that a key approved which is then called compromised since before still lifts.
func TestNoSupplementByCompromisedKey(t *testing.T) {
	s := newStory(t, "s1")
	mandate := s.enrol(s.Mandate())
	s.Advance(time.Hour)
	since := s.Now
	d, interim := s.ask("over-0001", "20000.00", mandate)
	if d.Result != spec.CollectMissing {
		t.Fatal(d.Result)
	}
	s.raise(mandate, interim) // by the thief of the cfo's key
	s.Advance(time.Minute)
	s.enrol(s.NextRoster(s.roster, func(r *spec.Roster) { r.Subject.Roster.Persons[1].Keys[0].CompromisedSince = spec.At(since) }))
	l, err := s.verifier.Resume(context.Background(), org, interim.Digest)
	if err != nil {
		t.Log(err)
		return
	}
	got, _ := verifier.Decision(l)
	if got.Result == spec.Authorized {
		t.Errorf("AUTHORIZED with a lift of %s by a key that the roster in force calls compromised since before it approved", got.Usage[0].Lift)
		c := verifier.CheckBundle(s.export(l.Last().Document), s.trust, verifier.CheckOptions{Expect: spec.Authorized})
		t.Log("bundle holds:", c.Holds)
	}
}

// what the approver of a lift is shown does not say for which action: the digest `shown` and the sentences of two supplements for
// different payments are the same, and Client.ContentOfProposal takes whatever supplement the server hands over.
func TestNoLiftHidesTheAction(t *testing.T) {
	s := newStory(t, "l2")
	mandate := s.enrol(s.Mandate(func(m *spec.Mandate) {
		m.Subject.Mandate.Constraints[1] = writtest.OneOf("payee", "/counterparty/id", writtest.Payee, "lei:THIEF")
	}))
	lines := func(key, payee string) string {
		l, err := s.verifier.Verify(context.Background(), verifier.Request{Org: org, Presentation: s.Present([]spec.Document{mandate},
			s.Action("12000.00", func(a *spec.Action) { a.Counterparty.ID = payee }), s.Request(key), s.Now).Bytes()})
		s.must(err)
		ds, err := s.issuer.Proposals(context.Background(), org, l.Last().Document.Digest)
		s.must(err)
		return fmt.Sprint(ds[0].Needs.Lines("en"))
	}
	a, b := lines("invoice-1", writtest.Payee), lines("invoice-2", "lei:THIEF")
	if a == b {
		t.Errorf("the cfo is shown the same for a payment to AWS and to the thief: %s", a)
	}
}

// what was executed cannot be reported once the grantor has taken the executor, or its key, out of the roster.
func TestNoReportAfterExecutorLeft(t *testing.T) {
	for name, change := range map[string]func(*story) func(*spec.Roster){
		"removed": func(*story) func(*spec.Roster) { return func(r *spec.Roster) { r.Subject.Roster.Executors = nil } },
		"rotated, old key": func(s *story) func(*spec.Roster) {
			return func(r *spec.Roster) {
				r.Subject.Roster.Executors = []spec.Executor{{DID: writtest.Bank, Key: s.Key("bank two").Public().Multikey(), Role: "gateway"}}
			}
		},
	} {
		s := newStory(t, "e1 "+name)
		mandate := s.enrol(s.Mandate())
		_, doc := s.ask("invoice-1", "4200.00", mandate)
		_, err := s.verifier.Begin(context.Background(), org, s.Begin(doc, s.Now).Bytes())
		s.must(err)
		s.Advance(time.Minute)
		s.enrol(s.NextRoster(s.roster, change(s)))
		// more was executed than was held: the report must be recorded "whatever became of the hold" and suspend the mandate
		if _, err := s.verifier.Report(context.Background(), org, s.Report(doc, spec.OutcomeExecuted, "9000.00", true, s.Now).Bytes()); err != nil {
			t.Errorf("%s: executed 9000.00 of a hold of 4200.00 cannot be reported: %v", name, err)
		}
	}
}

// open recoveries of one mandate have no bound.
func TestNoOpenRecoveriesUnbounded(t *testing.T) {
	s := newStory(t, "u1")
	mandate := s.enrol(s.Mandate())
	for i := range 200 {
		if d, _ := s.ask(fmt.Sprintf("over-%06d", i), "20000.00", mandate); d.Result != spec.CollectMissing {
			t.Logf("bounded at %d: %s", i, d.Result)
			return
		}
	}
	t.Errorf("200 recoveries of one mandate are open at once (maxOpenHolds 16 does not count them)")
}

// a clause that names an approval constraint has no ceilings: it would show what is not kept.
func TestNoApprovalCeilings(t *testing.T) {
	w := writtest.Acme("ceilings")
	m := w.Mandate()
	subject, _ := m.Value.Member("credentialSubject")
	terms, _ := subject.Member("mandate")
	terms = terms.With("constraints", writtest.Value([]jcs.Value{writtest.JSON(`{"id":"four-eyes","type":"approval"}`)})).
		With("recovery", writtest.Value([]spec.Recovery{{For: []string{"four-eyes"}, Approvers: []string{"cfo"}, Threshold: 1, Within: "PT1H", MaxUses: 1}}))
	_, err := spec.FromValue(m.Value.With("credentialSubject", subject.With("mandate", terms)))
	if reason(err) != "recovery-window" {
		t.Errorf("an approval with ceilings: %v", err)
	}
}
