package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/writ-trust/writ"
	"github.com/writ-trust/writ/spec"
)

// TestRefusalsMany: beyond ten refusals of a mandate a minute the caller is told when to ask again, and the server says how many there
// were once the minute is over.
func TestRefusalsMany(t *testing.T) {
	s := start(t)
	c := s.client(acme)
	s.found()
	mandate := s.grant()
	for i := range spec.MaxRefusals {
		if a := s.verify(s.ask(fmt.Sprintf("refused-%d", i), s.pay("99999.00"), mandate)); a.Result != spec.Rejected {
			t.Fatal(a.Result)
		}
	}
	size := s.log.Size()
	p, err := c.Present(s.ask("refused-more", s.pay("99999.00"), mandate))
	s.must(err)
	status, body, h := s.raw("POST", "/v1/verify", s.keys[acme], `{"presentation":`+string(p.Bytes())+`}`)
	var problem writ.Error
	s.must(json.Unmarshal([]byte(body), &problem))
	if wait, err := strconv.Atoi(h.Get("Retry-After")); status != 429 || problem.Code != "refusals-many" || err != nil || wait < 30 || wait > 60 {
		t.Errorf("%d %s, Retry-After %q", status, body, h.Get("Retry-After"))
	}
	if a := s.verify(s.ask("allowed-1", s.pay("1.00"), mandate)); a.Result != spec.Authorized || s.log.Size() != size+1 {
		t.Errorf("%s, %d entries more", a.Result, s.log.Size()-size)
	}
	s.stop()
	s.offset += time.Minute
	s.boot()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.api.CountRefusals(ctx) }()
	for wait := 0; s.log.Size() == size+1 && wait < 1000; wait++ {
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	s.must(<-done)
	chain, err := s.journal.Chain(t.Context(), acme, spec.ContentDigest(mandate.Value), 1, 0)
	s.must(err)
	if count, ok := chain[len(chain)-1].Document.Body.(*spec.RefusalCount); !ok || count.Count != 1 || !chain[len(chain)-1].Document.Signed() {
		t.Errorf("the chain ends with a %s", chain[len(chain)-1].Document.Type)
	}
}
