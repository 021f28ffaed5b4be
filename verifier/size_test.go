package verifier_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// proves exports an AUTHORIZED decision that nobody executed, and checks its bundle.
func (s *story) proves(doc spec.Document) (size int) {
	s.t.Helper()
	receipt, at, err := verifier.Receipt(s.t.Context(), s.ledger, org, doc.Digest)
	s.must(err)
	data, err := verifier.Export(s.t.Context(), s.ledger, nil, org, doc.Digest, s.SignDecision(receipt, at), s.ledger.Proof)
	s.must(err)
	if c := verifier.CheckBundle(data, s.trust, verifier.CheckOptions{Expect: spec.Authorized}); !c.Holds {
		s.t.Fatalf("%d bytes: %+v", len(data), c.Verdicts)
	}
	return len(data)
}

// TestNoHistoryOutgrowsBundles: however often policy and roster changed, an action can be proven.
func TestNoHistoryOutgrowsBundles(t *testing.T) {
	s := newStory(t, "size")
	policy := s.enrol(s.Policy())
	mandate := s.enrol(s.Mandate(loose, writtest.Under(policy)))
	for n := range 60 {
		s.Advance(time.Minute)
		next := s.NextPolicy(policy, writtest.Limit(writtest.JSON(fmt.Sprintf(`{"id":"each","type":"amount","max":{"value":"%d.00","currency":"EUR"}}`, 5000-n))))
		s.proposed(next)
		l, err := s.issuer.Approve(t.Context(), org, s.ApprovePolicy("cfo", next).Bytes())
		s.must(err)
		policy = l.Last().Document
	}
	roster := s.roster
	for range 40 {
		s.Advance(time.Minute)
		roster = s.enrol(s.NextRoster(roster))
	}
	_, doc := s.ask("request-1", "1.00", mandate)
	if size := s.proves(doc); size <= jcs.MaxSize {
		t.Errorf("%d bytes are no more than a document may have: the history is too short to show anything", size)
	}
}

// TestNoWordsWithoutEnd: one person without power says approve and withdraw about a version that nobody else wants. The words end,
// decisions can be proven, and others change the roster all the same.
func TestNoWordsWithoutEnd(t *testing.T) {
	s := newStory(t, "words")
	mandate := s.enrol(s.Mandate())
	next := s.NextRoster(s.roster)
	s.proposed(next)
	content := spec.ContentDigest(next.Value)
	said := 0
	for err := error(nil); err == nil; said++ {
		s.Advance(time.Second)
		_, err = s.issuer.Approve(t.Context(), org, s.Say("intern", []string{spec.Approve, spec.Withdraw}[said%2], spec.KindRoster, content).Bytes())
		if err != nil && reason(err) != "words-many" || said > 64 {
			t.Fatalf("word %d: %v", said+1, err)
		}
	}
	_, doc := s.ask("request-1", "1.00", mandate)
	s.proves(doc)
	for _, person := range []string{"treasurer", "cfo"} {
		_, err := s.issuer.Approve(t.Context(), org, s.ApproveRoster(person, next).Bytes())
		s.must(err)
	}
	if r, err := s.ledger.RosterState(t.Context(), org, writtest.Grantor); err != nil || r.NewestContent() != content || len(r.Pending) != 0 {
		t.Errorf("the version that others approve is not in force (%v)", err)
	}
}

// TestNoLargeDocumentInBundle: the bundle's limit is no document's.
func TestNoLargeDocumentInBundle(t *testing.T) {
	s := newStory(t, "size inside")
	_, doc := s.ask("request-1", "1.00", s.enrol(s.Mandate()))
	s.execute(doc)
	var b verifier.Bundle
	s.must(jcs.Unmarshal(s.export(doc), &b))
	b.Rosters[0] = b.Rosters[0].With("name", writtest.Value(strings.Repeat("x", jcs.MaxSize-2)))
	data, err := jcs.MarshalBundle(b)
	s.must(err)
	v := verifier.CheckBundle(data, s.trust, verifier.CheckOptions{}).Verdicts[0]
	if v.Reason != "json-size" || v.Pointer != "/rosters/0" {
		t.Errorf("a roster of more than a document: %+v", v)
	}
	if v := verifier.CheckBundle(make([]byte, verifier.MaxBundle+1), s.trust, verifier.CheckOptions{}).Verdicts[0]; v.Reason != "json-size" {
		t.Errorf("more than a bundle: %+v", v)
	}
}
