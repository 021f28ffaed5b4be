package verifier_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
	"github.com/writ-trust/writ/verifier"
)

var _ = jcs.Value{}
var _ = writtest.Bank
var _ = time.Second

func (s *story) raise(mandate, interim spec.Document) spec.Document {
	s.t.Helper()
	proposals, err := s.issuer.Proposals(context.Background(), org, interim.Digest)
	s.must(err)
	supplement, err := spec.FromValue(proposals[0].Content)
	s.must(err)
	l, err := s.issuer.ApproveSupplement(context.Background(), org, interim.Digest, s.ApproveSupplement("cfo", mandate, supplement).Bytes())
	s.must(err)
	if l.Last().Document.Type != spec.TypeSupplement {
		s.t.Fatal("no supplement")
	}
	return l.Last().Document
}

// requests that wait at once each get a lift within the ceilings; together they go above them.
func TestNoLiftsStack(t *testing.T) {
	s := newStory(t, "a1")
	mandate := s.enrol(s.Mandate(func(m *spec.Mandate) { m.Subject.Mandate.Recovery[0].MaxUses = 1 })) // maxOver = maxOverPerWindow = 15,000; maxUses 1
	d, full := s.ask("base-0001", "10000.00", mandate)
	if d.Result != spec.Authorized {
		t.Fatal(d.Result)
	}
	s.execute(full)
	var waiting []spec.Document
	for i := range 4 {
		d, doc := s.ask(fmt.Sprintf("over-%04d", i), "15000.00", mandate)
		if d.Result != spec.CollectMissing {
			t.Fatal(d.Result, d.Checks)
		}
		waiting = append(waiting, doc)
	}
	for _, w := range waiting {
		s.raise(mandate, w)
	}
	var lifted int64
	uses := 0
	for _, w := range waiting {
		l, err := s.verifier.Resume(context.Background(), org, w.Digest)
		s.must(err)
		d, _ := verifier.Decision(l)
		t.Log(d.Result, d.Checks[len(d.Checks)-1])
		if d.Result == spec.Authorized {
			n, _ := rule.ParseUnits(d.Usage[0].Lift, "EUR")
			lifted += n
			uses++
			s.holds(l.Last().Document, spec.Authorized)
		}
	}
	if lifted > 15_000_00 || uses > 1 {
		t.Errorf("%d standing lifts of %s EUR in one window; the clause says maxUses 1, maxOverPerWindow 15000.00", uses, rule.FormatUnits(lifted, "EUR"))
	}
}

// the receipt of a gateway's execution after the grantor removed the gateway from its roster.
func TestNoReceiptRoleChanges(t *testing.T) {
	s := newStory(t, "a4")
	mandate := s.enrol(s.Mandate())
	_, doc := s.ask("base-0001", "100.00", mandate)
	s.execute(doc)
	r1, _, err := verifier.Receipt(context.Background(), s.ledger, org, doc.Digest)
	s.must(err)
	s.holds(doc, "executed")
	s.Advance(time.Hour)
	s.enrol(s.NextRoster(s.roster, func(r *spec.Roster) { r.Subject.Roster.Executors = nil }))
	r2, _, err := verifier.Receipt(context.Background(), s.ledger, org, doc.Digest)
	s.must(err)
	a, b := r1.Body.(*spec.Receipt).Terms(), r2.Body.(*spec.Receipt).Terms()
	if r1.Digest != r2.Digest {
		t.Errorf("the receipt changed after a roster change: executedBy %q -> %q", a.ExecutedBy, b.ExecutedBy)
	}
	c := verifier.CheckBundle(s.export(doc), s.trust, verifier.CheckOptions{Expect: "executed"})
	if !c.Holds {
		t.Errorf("the honest bundle no longer holds: %+v", c.Verdicts[len(c.Verdicts)-1])
	}
}

// bundle after a vetoed roster version.
func TestNoVetoedRosterBundle(t *testing.T) {
	s := newStory(t, "a5")
	mandate := s.enrol(s.Mandate())
	s.Advance(time.Hour)
	v2 := s.enrol(s.NextRoster(s.roster))
	n, err := spec.New(&spec.Notice{Type: "RevocationNotice", Version: spec.Version, Content: spec.ContentDigest(v2.Value), Act: spec.ActVeto,
		By: s.KeyID("treasurer"), At: spec.At(s.Now), Nonce: s.Nonce()})
	s.must(err)
	veto := s.Sign(n, "treasurer", "capabilityDelegation", s.Now)
	if _, err = s.issuer.Notice(context.Background(), org, veto.Bytes()); err != nil {
		t.Errorf("a revoker has no way to hand in a veto: %v", err)
	}
	s.Advance(time.Hour)
	_, doc := s.ask("base-0001", "100.00", mandate)
	s.execute(doc)
	c := verifier.CheckBundle(s.export(doc), s.trust, verifier.CheckOptions{Expect: "executed"})
	if !c.Holds {
		t.Errorf("the honest bundle after a veto does not hold: %+v", c.Verdicts)
	}
}

// TestNoReceiptChangedByVeto: the executor's role is that of the roster as it was known at the decision, whatever is vetoed after.
func TestNoReceiptChangedByVeto(t *testing.T) {
	s := newStory(t, "veto after execution")
	mandate := s.enrol(s.Mandate())
	next := s.enrol(s.NextRoster(s.roster, func(r *spec.Roster) { r.Terms().Executors[0].Role = "gateway" }))
	s.Advance(time.Second)
	_, doc := s.ask("request-1", "10.00", mandate)
	s.execute(doc)
	s.holds(doc, "executed")
	s.Advance(time.Hour)
	_, err := s.issuer.Notice(t.Context(), org, s.Notice("cfo", spec.ActVeto, spec.ContentDigest(next.Value)).Bytes())
	s.must(err)
	s.holds(doc, "executed")
}
