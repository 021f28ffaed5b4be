package api_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/writ-trust/writ"
	"github.com/writ-trust/writ/internal/api"
	"github.com/writ-trust/writ/spec"
)

// polled is what came of a request that waits, and after how long; status 0 is a caller who gave up.
type polled struct {
	status int
	took   time.Duration
}

func (s *server) poll(ctx context.Context, key, path string, into chan<- polled) {
	start := time.Now()
	r, err := http.NewRequestWithContext(ctx, "GET", s.url+path, nil)
	if err != nil {
		s.t.Error(err)
		return
	}
	r.Header.Set("Authorization", "Bearer "+key)
	status := 0
	if a, err := http.DefaultClient.Do(r); err == nil {
		a.Body.Close()
		status = a.StatusCode
	}
	into <- polled{status, time.Since(start)}
}

// TestWaitsLeaveRoom: however many requests of one organisation wait, with whatever keys, there is room for others; those for which
// there is none are answered at once, as things are.
func TestWaitsLeaveRoom(t *testing.T) {
	s := start(t, func(s *server) { s.options = func(o *api.Options) { o.Limits.InFlight = 8 } })
	s.found()
	a := s.verify(s.ask("invoice-1", s.pay("20000.00"), s.grant()))
	if a.Result != spec.CollectMissing {
		t.Fatal(a.Result)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	const wait = 20 * time.Second
	keys, came := []string{s.keys[acme], s.key(acme, api.ScopeRead)}, make(chan polled)
	for i := range 8 {
		go s.poll(ctx, keys[i%2], "/v1/recoveries/"+a.Recovery.ID+"?wait="+wait.String(), came)
	}
	for range 6 {
		if p := <-came; p.status != 200 || p.took > wait/2 {
			t.Errorf("beyond the share: %d after %v", p.status, p.took)
		}
	}
	if status, body, _ := s.raw("GET", "/v1/mandates", s.keys[foreign], ""); status != 200 {
		t.Errorf("another organisation: %d %s", status, body)
	}
	cancel()
	for range 2 {
		if p := <-came; p.status != 0 {
			t.Errorf("within the share: %d after %v", p.status, p.took)
		}
	}
}

// TestHealthOfABusyServer: a server that has no room left is busy, not ill.
func TestHealthOfABusyServer(t *testing.T) {
	s := start(t, func(s *server) { s.options = func(o *api.Options) { o.Limits.InFlight = 1 } })
	s.found()
	a := s.verify(s.ask("invoice-1", s.pay("20000.00"), s.grant()))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	came := make(chan polled)
	poll := func() { s.poll(ctx, s.keys[acme], "/v1/recoveries/"+a.Recovery.ID+"?wait=20s", came) }
	go poll()
	for status := 0; status != 429; status, _, _ = s.raw("GET", "/v1/ledger", "", "") {
		select {
		case <-came: // the question came first, and there was no room to wait
			go poll()
		case <-time.After(10 * time.Millisecond):
		}
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, body, _ := s.raw("GET", path, "", ""); status != 200 {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	cancel()
	<-came
}

// TestHostedAgentsAreBounded: one organisation does not fill the key store, at once or by revoking; others are not kept from theirs.
func TestHostedAgentsAreBounded(t *testing.T) {
	s := start(t, func(s *server) { s.options = func(o *api.Options) { o.Limits.HostedAgents = 3 } })
	ctx := t.Context()
	first, err := s.client(acme).CreateKey(ctx, "first", true, api.ScopeVerify)
	s.must(err)
	s.must(s.client(acme).RevokeKey(ctx, first.ID))
	var group sync.WaitGroup
	for range 8 {
		c := s.client(acme)
		group.Go(func() {
			_, err := c.CreateKey(ctx, "more", true, api.ScopeVerify)
			if code := writ.ReasonOf(err); err != nil && code != "rate-limited" && code != "hosted-agents-many" {
				t.Errorf("at once: %v", err)
			}
		})
	}
	group.Wait()
	for len(s.agents.made) < 3 {
		_, err := s.client(acme).CreateKey(ctx, "another", true, api.ScopeVerify)
		s.must(err)
	}
	if _, err := s.client(acme).CreateKey(ctx, "too many", true, api.ScopeVerify); writ.ReasonOf(err) != "hosted-agents-many" || len(s.agents.made) != 3 {
		t.Errorf("of at most three, %d: %v", len(s.agents.made), err)
	}
	if _, err := s.client(acme).CreateKey(ctx, "without an agent", false, api.ScopeVerify); err != nil {
		t.Error(err)
	}
	if _, err := s.client(foreign).CreateKey(ctx, "of another organisation", true, api.ScopeVerify); err != nil {
		t.Error(err)
	}
}
