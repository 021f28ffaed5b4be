package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/writ-trust/writ"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// publish logs heads and publishes up to them.
func (s *server) publish() {
	s.t.Helper()
	size, err := s.journal.LogHeads(s.t.Context())
	s.must(err)
	_, err = s.log.PublishAt(s.t.Context(), size)
	s.must(err)
}

// TestLogHead asks for heads of one's own, of others and of nobody.
func TestLogHead(t *testing.T) {
	s := start(t)
	ctx := t.Context()
	s.found()
	mandate := s.grant()
	content := spec.ContentDigest(mandate.Value)
	if _, err := s.client(acme).LogHead(ctx, content); writ.ReasonOf(err) != "heads-not-ready" {
		t.Errorf("before any heads entry: %v", err)
	}
	s.publish()
	a := s.head(acme, content)
	if a.Seq != 3 || a.State == nil || a.State.Status != spec.StatusActive || a.Relied != verifier.Asserted {
		t.Errorf("by content: %+v", a)
	}
	for _, id := range []string{a.Chain, mandate.Body.(*spec.Mandate).ID} {
		if again := s.head(acme, id); again.Chain != a.Chain || again.Seq != a.Seq || again.Index != a.Index {
			t.Errorf("by %s: %+v", id, again)
		}
	}
	if other := s.head(foreign, a.Chain); other.Seq != 3 || other.State != nil {
		t.Errorf("another organisation's: %+v", other)
	}
	if other := s.head(foreign, content); other.Seq != 0 || other.Chain != content {
		t.Errorf("a content that is another organisation's is no chain: %+v", other)
	}
	if _, err := s.client(foreign).LogHead(ctx, mandate.Body.(*spec.Mandate).ID); writ.ReasonOf(err) != "not-found" {
		t.Errorf("another organisation's mandate: %v", err)
	}
	s.verify(s.ask("invoice-1", s.pay("4200.00"), mandate))
	if a := s.head(acme, content); a.Seq != 3 {
		t.Errorf("an entry behind the newest heads entry: %+v", a)
	}
}

// head asks for a head and verifies it; the answer has its schema.
func (s *server) head(org, id string) verifier.HeadAnswer {
	s.t.Helper()
	data, err := s.client(org).LogHead(s.t.Context(), id)
	s.must(err)
	compiled, err := s.compiler().Compile(schemaBase + "schemas/headproof.json")
	s.must(err)
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
	s.must(err)
	s.must(compiled.Validate(value))
	a, err := verifier.CheckHead(data, s.trust)
	s.must(err)
	return a
}

// TestBundleWithHead exports a bundle before and after a heads entry covers it.
func TestBundleWithHead(t *testing.T) {
	s := start(t)
	s.found()
	mandate := s.grant()
	s.publish()
	answer := s.verify(s.ask("invoice-1", s.pay("4200.00"), mandate))
	for _, headed := range []bool{false, true} {
		if headed {
			s.publish()
		}
		data, err := s.client(acme).Bundle(t.Context(), answer.ID)
		s.must(err)
		var b verifier.Bundle
		s.must(jcs.Unmarshal(data, &b))
		if (b.Head != nil) != headed {
			t.Errorf("covered %t: the bundle has a head: %t", headed, b.Head != nil)
		}
		if c := verifier.CheckBundle(data, s.trust, verifier.CheckOptions{Expect: spec.Authorized}); !c.Holds {
			text, _ := json.Marshal(c.Verdicts)
			t.Errorf("covered %t: %s", headed, text)
		}
	}
}
