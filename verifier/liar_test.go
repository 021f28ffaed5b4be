package verifier_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// liar is a ledger whose operator lies: it decides with what judge makes of the honest answer.
type liar struct {
	*writtest.Ledger
	at    time.Time // the instant that f is told
	twist func(d *spec.Decision, now time.Time)
	nokey bool
}

func (l *liar) Run(ctx context.Context, op spec.Op, f func(spec.States, time.Time) ([]spec.Document, error)) (spec.Logged, error) {
	if l.nokey {
		op.Key, op.Resume = spec.RequestKey{}, ""
	}
	return l.Ledger.Run(ctx, op, func(ss spec.States, now time.Time) ([]spec.Document, error) {
		at := now
		if !l.at.IsZero() {
			at = l.at
		}
		docs, err := f(ss, at)
		if err != nil {
			return nil, err
		}
		d := *docs[0].Body.(*spec.Decision)
		l.twist(&d, now)
		doc, err := spec.New(&d)
		return []spec.Document{doc}, err
	})
}

func (s *story) lying(l *liar) *verifier.Verifier {
	v, err := verifier.New(verifier.Options{DID: writtest.Verifier, Key: s.Key("ledger").Public().Multikey(), Log: writtest.Origin, Epoch: 1, Journal: l,
		Trust: func() *verifier.Trust { return s.trust }, Random: s.World, Now: func() time.Time { return s.Now }})
	s.must(err)
	return v
}

// a presentation that expired eleven hours ago, decided now; only receivedAt says otherwise.
func TestNoStalePresentation(t *testing.T) {
	s := newStory(t, "b1")
	mandate := s.enrol(s.Mandate())
	p := s.Present([]spec.Document{mandate}, s.Action("4200.00"), s.Request("invoice-1"), s.Now)
	then := s.Now
	s.Advance(11 * time.Hour)
	l := &liar{Ledger: s.ledger, at: then.Add(time.Second), twist: func(d *spec.Decision, now time.Time) {
		d.At, d.ExecuteBefore = spec.At(now), spec.At(now.Add(15*time.Minute)) // receivedAt stays then
	}}
	logged, err := s.lying(l).Verify(context.Background(), verifier.Request{Org: org, Presentation: p.Bytes()})
	s.must(err)
	doc := logged.Last().Document
	s.execute(doc)
	c := verifier.CheckBundle(s.export(doc), s.trust, verifier.CheckOptions{Expect: "executed"})
	d, _ := verifier.Decision(logged)
	if c.Holds {
		t.Errorf("bundle holds; presentation expired %s, decided %s, receivedAt %s, resumes %q", then.Add(time.Minute), d.At, d.ReceivedAt, d.Resumes)
	} else {
		t.Log(c.Verdicts)
	}
}

// one request, one idempotency key, two AUTHORIZED in one bundle.
func TestNoTwoHoldsOneRequest(t *testing.T) {
	s := newStory(t, "b2")
	mandate := s.enrol(s.Mandate())
	p := s.Present([]spec.Document{mandate}, s.Action("4200.00"), s.Request("invoice-1"), s.Now)
	l1, err := s.verifier.Verify(context.Background(), verifier.Request{Org: org, Presentation: p.Bytes()})
	s.must(err)
	first := l1.Last().Document
	s.execute(first) // paid once
	l := &liar{Ledger: s.ledger, nokey: true, twist: func(d *spec.Decision, _ time.Time) { d.Resumes = first.Digest }}
	l2, err := s.lying(l).Verify(context.Background(), verifier.Request{Org: org, Presentation: p.Bytes()})
	s.must(err)
	second := l2.Last().Document
	s.execute(second) // paid twice
	c := verifier.CheckBundle(s.export(second), s.trust, verifier.CheckOptions{Expect: "executed"})
	if c.Holds {
		t.Errorf("bundle holds with two AUTHORIZED of one request (the 'interim' one is final)")
	} else {
		t.Log(c.Verdicts)
	}
}

// an approval that was withdrawn in the log, the withdrawal left out of the bundle: a gap in seq before the mandate.
func TestNoWithdrawnApproval(t *testing.T) {
	s := newStory(t, "b3")
	m := s.Mandate()
	op := spec.Op{Org: org, Write: []spec.ChainRef{writtest.Ref(m)}, Read: []spec.ChainRef{writtest.Ref(s.roster)}}
	run := func(d spec.Document) {
		t.Helper()
		_, err := s.ledger.Run(context.Background(), op, func(spec.States, time.Time) ([]spec.Document, error) { return []spec.Document{d}, nil })
		s.must(err)
	}
	a, b := s.ApproveMandate("treasurer", m), s.ApproveMandate("cfo", m)
	run(a)
	run(b)
	run(s.Say("cfo", spec.Withdraw, spec.KindMandate, spec.ContentDigest(m.Value)))
	chain := s.ledger.All().ByContent(spec.ContentDigest(m.Value))
	chain.Pending = chain.Pending[:2] // the operator forgets the withdrawal
	sealed := s.Seal(m, a, b)
	run(sealed)
	_, doc := s.ask("invoice-1", "4200.00", sealed)
	s.execute(doc)
	var root any
	decode(t, s.export(doc), &root)
	bundle := root.(map[string]any)
	if c := verifier.CheckBundle(encode(t, root), s.trust, verifier.CheckOptions{}); c.Holds {
		t.Errorf("the cfo withdrew before the mandate was issued, and the bundle holds")
	}
	withdrawal, err := spec.Parse(encode(t, bundle["words"].([]any)[0]))
	s.must(err)
	delete(bundle, "words") // and its entry, so that the withdrawal is not in the bundle at all
	bundle["logged"] = slices.DeleteFunc(bundle["logged"].([]any), func(l any) bool { return l.(map[string]any)["document"] == withdrawal.Digest })
	c := verifier.CheckBundle(encode(t, root), s.trust, verifier.CheckOptions{})
	if c.Holds || c.Verdicts[0].Reason != "chain-gap" {
		t.Errorf("without the withdrawal and its entry: %+v", c.Verdicts)
	}
}

// a root mandate logged as a nameless event: nobody who watches the log for the grantor's name sees it.
func TestNoNamelessMandate(t *testing.T) {
	s := newStory(t, "b4")
	mandate := s.enrol(s.Mandate())
	rs := s.ledger.Records()
	r := rs[len(rs)-1]
	if r.Entry.Kind != spec.EntryMandate || r.Entry.Grantor == "" {
		t.Fatal(r.Entry)
	}
	r.Entry.Kind, r.Entry.Grantor = spec.EntryEvent, ""
	s.ledger.All().ByContent(spec.ContentDigest(mandate.Value)).Head = spec.LeafHash(r.Entry.Bytes())
	_, doc := s.ask("invoice-1", "4200.00", mandate)
	s.execute(doc)
	c := verifier.CheckBundle(s.export(doc), s.trust, verifier.CheckOptions{Expect: "executed"})
	if c.Holds {
		t.Errorf("bundle holds; the mandate's public entry has kind event and no grantor")
	} else {
		t.Log(c.Verdicts)
	}
}

// a receipt that nobody signed, in a bundle that is asked for nothing, or for the decision's result.
func TestNoForgedReceiptUnasked(t *testing.T) {
	s := newStory(t, "b5")
	mandate := s.enrol(s.Mandate())
	_, doc := s.ask("invoice-1", "4200.00", mandate)
	var b any
	decode(t, s.export(doc), &b) // held: nobody has begun
	r := b.(map[string]any)["receipt"].(map[string]any)
	terms := r["credentialSubject"].(map[string]any)["receipt"].(map[string]any)
	terms["outcome"], terms["executedBy"], terms["externalRef"] = "executed", "system-of-record", "e2e:PAID"
	for _, expect := range []string{"", spec.Authorized} {
		c := verifier.CheckBundle(encode(t, b), s.trust, verifier.CheckOptions{Expect: expect})
		if c.Holds {
			t.Errorf("expect %q: the bundle holds with a forged receipt that says executed: %+v", expect, c)
		}
	}
}
