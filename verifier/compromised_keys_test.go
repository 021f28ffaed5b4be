package verifier_test

import (
	"context"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// a key is stolen, signs a mandate, is called compromised (the mandate is refused), and is then removed from the roster: the
// mandate authorises again.
func TestNoCompromisedKeyForgotten(t *testing.T) {
	s := newStory(t, "c1")
	stolen := s.Now
	mandate := s.enrol(s.Mandate()) // with the cfo's stolen key
	s.Advance(time.Hour)
	v2 := s.enrol(s.NextRoster(s.roster, func(r *spec.Roster) {
		p := &r.Subject.Roster.Persons[1]
		k := p.Keys[0]
		k.CompromisedSince = spec.At(stolen)
		p.Keys = []spec.PersonKey{k, {ID: writtest.Grantor + "#cfo-2", PublicKey: s.Key("cfo two").Public().Multikey(), Kind: "key", Grade: spec.GradeDevice}}
	}))
	req := func(key string) error {
		_, err := s.verifier.Verify(context.Background(), verifier.Request{Org: org,
			Presentation: s.Present([]spec.Document{mandate}, s.Action("4200.00"), s.Request(key), s.Now).Bytes()})
		return err
	}
	if err := req("before-removal"); err == nil {
		t.Fatal("not even refused")
	} else {
		t.Log("v2:", err)
	}
	s.Advance(48 * time.Hour)
	// v3 tidies up: the old key is gone. Approved by treasurer and intern (the change threshold is 2 of 3).
	v3 := s.NextRoster(v2, func(r *spec.Roster) { p := &r.Subject.Roster.Persons[1]; p.Keys = p.Keys[1:] })
	_, err := s.issuer.Propose(context.Background(), org, v3.Value)
	s.must(err)
	for _, who := range []string{"treasurer", "intern"} {
		_, err := s.issuer.Approve(context.Background(), org, s.ApproveRoster(who, v3).Bytes())
		s.must(err)
	}
	s.Advance(48 * time.Hour)
	l, err := s.verifier.Verify(context.Background(), verifier.Request{Org: org,
		Presentation: s.Present([]spec.Document{mandate}, s.Action("4200.00"), s.Request("after-removal"), s.Now).Bytes()})
	if err != nil {
		t.Log("v3:", err)
		return
	}
	d, _ := verifier.Decision(l)
	t.Errorf("after the compromised key was removed the mandate is %s again", d.Result)
	s.execute(l.Last().Document)
	if c := verifier.CheckBundle(s.export(l.Last().Document), s.trust, verifier.CheckOptions{Expect: "executed"}); c.Holds {
		t.Errorf("and the bundle holds")
	}
}

// a key that the roster calls compromised still revokes, declines and suspends.
func TestNoCompromisedKeyRevokesAndDeclines(t *testing.T) {
	s := newStory(t, "c3")
	mandate := s.enrol(s.Mandate())
	second := s.enrol(s.Mandate())
	s.Advance(time.Hour)
	d, interim := s.ask("over-0001", "20000.00", mandate)
	if d.Result != spec.CollectMissing {
		t.Fatal(d.Result)
	}
	s.enrol(s.NextRoster(s.roster, func(r *spec.Roster) { r.Subject.Roster.Persons[1].Keys[0].CompromisedSince = spec.At(s.Now) }))
	s.Advance(48 * time.Hour) // long in force
	_ = interim
	draft := s.Mandate()
	_, err := s.issuer.Propose(context.Background(), org, draft.Value)
	s.must(err)
	if _, err := s.issuer.Approve(context.Background(), org, s.Say("cfo", spec.Decline, spec.KindMandate, spec.ContentDigest(draft.Value)).Bytes()); err == nil {
		if st := s.ledger.All().ByContent(spec.ContentDigest(draft.Value)).Status; st == spec.StatusDeclined {
			t.Errorf("a compromised key declined a draft for good")
		}
	} else {
		t.Log(err)
	}
	n, err := spec.New(&spec.Notice{Type: "RevocationNotice", Version: spec.Version, Content: spec.ContentDigest(second.Value), Act: spec.ActRevoke,
		By: s.KeyID("cfo"), At: spec.At(s.Now), Nonce: s.Nonce()})
	s.must(err)
	if _, err := s.issuer.Notice(context.Background(), org, s.Sign(n, "cfo", "capabilityDelegation", s.Now).Bytes()); err == nil {
		t.Errorf("a compromised key revoked a mandate for good: %s", s.ledger.All().ByContent(spec.ContentDigest(second.Value)).Status)
	} else {
		t.Log(err)
	}
}

// the same public key under another id is not compromised.
func TestNoCompromisedKeyUnderAnotherID(t *testing.T) {
	s := newStory(t, "c4")
	other := func(r *spec.Roster, compromised bool) {
		p := &r.Subject.Roster.Persons[1]
		k := p.Keys[0]
		k.ID = writtest.Grantor + "#cfo-laptop"
		if compromised {
			k.CompromisedSince = spec.At(s.Now.Add(-time.Hour))
		}
		p.Keys = []spec.PersonKey{p.Keys[0], k}
	}
	s.enrol(s.NextRoster(s.roster, func(r *spec.Roster) { other(r, true) })) // #cfo-laptop is compromised; #cfo is the same key
	s.Advance(48 * time.Hour)
	m := s.Mandate()
	_, err := s.issuer.Propose(context.Background(), org, m.Value)
	s.must(err)
	if _, err := s.issuer.Approve(context.Background(), org, s.ApproveMandate("cfo", m).Bytes()); reason(err) != "approver-unknown" {
		t.Errorf("a public key that the roster calls compromised under its other id approves: %v", err)
	}
}
