package verifier_test

import (
	"context"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// TestCompromisedKey: a mandate that a key approved after it was compromised authorises nothing once the roster says so, neither
// at the ledger nor, from a ledger that looks away, in a bundle.
func TestCompromisedKey(t *testing.T) {
	for name, since := range map[string]time.Duration{"before it approved": 0, "after it approved": time.Minute} {
		s := newStory(t, "compromised "+name)
		mandate := s.enrol(s.Mandate())
		at := spec.At(s.Now.Add(since))
		s.Advance(time.Hour)
		s.enrol(s.NextRoster(s.roster, func(r *spec.Roster) { r.Terms().Persons[1].Keys[0].CompromisedSince = at }))
		p := s.Present([]spec.Document{mandate}, s.Action("1.00"), s.Request("request-1"), s.Now)
		if _, err := s.verifier.Verify(t.Context(), verifier.Request{Org: org, Presentation: p.Bytes()}); (since == 0) != (reason(err) == "not-entitled") {
			t.Errorf("%s: the ledger says %v", name, err)
		}
		logged := s.careless(mandate)
		c := verifier.CheckBundle(s.export(logged), s.trust, verifier.CheckOptions{Expect: spec.Authorized})
		if c.Holds == (since == 0) {
			t.Errorf("%s: the bundle: %+v", name, c.Verdicts)
		}
	}
}

// careless decides without judging the envelope, and logs that.
func (s *story) careless(mandate spec.Document) spec.Document {
	p := s.Present([]spec.Document{mandate}, s.Action("2.00"), s.Request("request-2"), s.Now)
	body := p.Body.(*spec.Presentation)
	action, err := spec.ParseAction(body.Action)
	s.must(err)
	c := verifier.Case{Env: spec.CurrentEnv(), ID: s.ID(), Epoch: 1, Verifier: writtest.Verifier, Identity: spec.IdentityPresented, Agent: body.Holder,
		Mandates: []verifier.Mandate{{Content: spec.ContentDigest(mandate.Value), Body: mandate.Body.(*spec.Mandate)}}, Action: action,
		ActionValue: body.Action, Request: body.Request, RequestDigest: writtest.RequestDigest(p), Presentation: p.Digest,
		Owner: writtest.Grantor, ExecuteWithin: 15 * time.Minute}
	op := spec.Op{Org: org, Write: []spec.ChainRef{writtest.Ref(mandate)}, Read: []spec.ChainRef{writtest.Ref(s.roster)}, Attach: []spec.Document{p}}
	l, err := s.ledger.Run(context.Background(), op, func(ss spec.States, now time.Time) ([]spec.Document, error) {
		c.Roster = ss.Roster(writtest.Grantor).NewestContent()
		return verifier.Decide(c, ss, now)
	})
	s.must(err)
	return l.Last().Document
}
