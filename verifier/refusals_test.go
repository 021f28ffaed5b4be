package verifier_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// TestRefusalStorm: however many of a mandate's requests are refused, a minute leaves ten decisions and one count at most, together
// they say how many there were, and what the mandate allows is authorised all the same.
func TestRefusalStorm(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := newStory(r, fmt.Sprint(rapid.Uint32().Draw(r, "seed")))
		mandate := s.enrol(s.Mandate(func(m *spec.Mandate) { m.Terms().Recovery, m.Terms().MaxOpenHolds = nil, 200 }))
		content := spec.ContentDigest(mandate.Value)
		refused, beyond, calls := int64(0), "", 0
		ask := func(key, euros string) error {
			_, err := s.verifier.Verify(r.Context(), verifier.Request{Org: org,
				Presentation: s.Present([]spec.Document{mandate}, s.Action(euros), s.Request(key), s.Now).Bytes()})
			return err
		}
		r.Repeat(map[string]func(*rapid.T){
			"storm": func(r *rapid.T) {
				for range rapid.IntRange(1, 30).Draw(r, "size") {
					calls++
					key := fmt.Sprintf("refused-%06d", calls)
					err := ask(key, "10000.01")
					var b *spec.BeyondError
					if errors.As(err, &b) {
						if beyond = key; !s.Now.Before(b.Until) || b.Until.Sub(s.Now) > time.Minute {
							r.Fatalf("counted at %s until %s", s.Now, b.Until)
						}
					} else if err != nil {
						r.Fatal(err)
					}
					refused++
				}
			},
			"wait": func(r *rapid.T) {
				s.Advance(rapid.SampledFrom([]time.Duration{time.Second, 29 * time.Second, time.Minute - time.Millisecond, time.Minute}).Draw(r, "wait"))
			},
			"count": func(r *rapid.T) {
				_, err := s.verifier.CountRefusals(r.Context(), org, content)
				s.must(err)
			},
			"allowed": func(r *rapid.T) {
				calls++
				s.must(ask(fmt.Sprintf("allowed-%06d", calls), "0.01"))
			},
			"again": func(r *rapid.T) { // the key of one that was only counted is free
				if beyond != "" {
					s.must(ask(beyond, "0.01"))
					beyond = ""
				}
			},
		})
		s.Advance(time.Minute)
		_, err := s.verifier.CountRefusals(r.Context(), org, content)
		s.must(err)
		s.calm(content, refused)
	})
}

// calm holds what a storm left on a chain against how many requests were refused.
func (s *story) calm(content string, refused int64) {
	var from time.Time
	var said, decisions, counts int64
	chain, err := s.ledger.Chain(s.t.Context(), org, content, 1, 0)
	s.must(err)
	for _, r := range chain {
		switch b := r.Document.Body.(type) {
		case *spec.Decision:
			if b.Result != spec.Rejected {
				continue
			}
			if from.IsZero() || !r.At.Before(from.Add(time.Minute)) {
				from, decisions, counts = r.At, 0, 0
			}
			said, decisions = said+1, decisions+1
		case *spec.RefusalCount:
			said, counts = said+b.Count, counts+1
			if r.At.Before(from.Add(time.Minute)) || !b.From.Equal(from) {
				s.t.Fatalf("the minute from %s is counted from %s, at %s", from, b.From, r.At)
			}
		}
		if decisions > spec.MaxRefusals || counts > 1 {
			s.t.Fatalf("%d decisions and %d counts in a minute", decisions, counts)
		}
	}
	if said != refused {
		s.t.Fatalf("%d were refused, and the chain says %d", refused, said)
	}
}

// TestLastWordOfAWaitingRequest: what ends a request that waited has an entry, whatever was refused in that minute.
func TestLastWordOfAWaitingRequest(t *testing.T) {
	s := newStory(t, "last word")
	mandate := s.enrol(s.Mandate())
	d, interim := s.ask("invoice-1", "12000.00", mandate)
	if d.Result != spec.CollectMissing {
		t.Fatal(d.Result)
	}
	s.Advance(d.Missing[0].Until.Sub(s.Now))
	for i := range spec.MaxRefusals {
		s.ask(fmt.Sprintf("refused-%d", i), "99999.00", mandate)
	}
	l, err := s.verifier.Resume(t.Context(), org, interim.Digest)
	s.must(err)
	if d, _ := verifier.Decision(l); d.Result != spec.Rejected {
		t.Fatal(d.Result)
	}
	s.holds(l.Last().Document, spec.Rejected)
}
