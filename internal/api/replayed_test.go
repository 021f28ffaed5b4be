package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/writ-trust/writ"
	"github.com/writ-trust/writ/internal/api"
	"github.com/writ-trust/writ/verifier"
)

// startMirrored is a server with a mirror that cosigns when it is told to.
func startMirrored(t *testing.T) (*server, *witnesses) {
	s, w := startWitnessedBy(t, func(o *api.Options, w *witnesses) { o.Mirrors = w })
	return s, w
}

// TestReplayed: a bundle and a head end in a checkpoint that the mirror has cosigned where the caller asks.
func TestReplayed(t *testing.T) {
	s, w := startMirrored(t)
	s.found()
	mandate := s.grant()
	w.cosign()
	a := s.verify(s.ask("invoice-1", s.pay("4200.00"), mandate))
	_, err := s.journal.LogHeads(t.Context())
	s.must(err)
	for name, ask := range map[string]func() error{
		"bundle": func() error {
			_, err := s.client(acme).ReplayedBundle(t.Context(), a.Digest, time.Millisecond)
			return err
		},
		"head": func() error {
			_, err := s.client(acme).ReplayedLogHead(t.Context(), mandate.Digest, time.Millisecond)
			return err
		},
	} {
		if err := ask(); writ.ReasonOf(err) != "not-replayed" {
			t.Errorf("a %s before the mirror came to it: %v", name, err)
		}
	}
	go func() { // whoever waits, the mirror comes to what there is
		for range 3 {
			<-w.asked
			if _, err := s.journal.LogHeads(context.Background()); err != nil {
				t.Error(err)
			}
			w.cosign()
		}
	}()
	bundle, err := s.client(acme).ReplayedBundle(t.Context(), a.Digest, 20*time.Second)
	s.must(err)
	trust := *s.believed()
	trust.Mirrors = s.witnessedTrust(w).Policy
	file, err := trust.Bytes()
	s.must(err)
	mirrored, err := verifier.ParseTrust(file)
	s.must(err)
	if c := verifier.CheckBundle(bundle, mirrored, verifier.CheckOptions{}); !c.Holds {
		t.Errorf("the replayed bundle fails: %+v", c.Verdicts)
	}
	if !strings.Contains(string(bundle), "witness.example/w1") || !strings.Contains(string(bundle), `"head":`) {
		t.Error("the bundle does not have the mirror's line, or no head")
	}
	head, err := s.client(acme).ReplayedLogHead(t.Context(), mandate.Digest, 20*time.Second)
	s.must(err)
	if h, err := verifier.CheckHead(head, mirrored); err != nil || h.Relied != verifier.Replayed {
		t.Errorf("head: %+v %v", h, err)
	}
	if plain, err := s.client(acme).Bundle(t.Context(), a.Digest); err != nil || strings.Contains(string(plain), "witness.example/w1") {
		t.Errorf("a bundle for readers without mirrors has a mirror's line, or %v", err)
	}
}

// TestReplayedIsRefused: where the server has no mirrors, or the caller wants what nobody waits for.
func TestReplayedIsRefused(t *testing.T) {
	with, _ := startMirrored(t)
	for s, wait := range map[*server]string{start(t): "5s", with: "46s"} {
		for _, path := range []string{"/v1/receipts/dec_1/bundle", "/v1/log/heads/mnd_1"} {
			status, answer, _ := s.raw(http.MethodGet, path+"?replayed="+wait, s.keys[acme], "")
			if status != http.StatusBadRequest || !strings.Contains(answer, "?replayed") {
				t.Errorf("%s: %d %s", wait, status, answer)
			}
		}
	}
}

// TestLogMetadata: what the log says of itself is served to everybody, as it was given, or is not there.
func TestLogMetadata(t *testing.T) {
	for want, s := range map[int]*server{http.StatusNotFound: start(t), http.StatusOK: start(t, func(s *server) {
		s.options = func(o *api.Options) { o.LogMetadata = []byte(`{"type":"LogMetadata"}`) }
	})} {
		if status, answer, _ := s.raw(http.MethodGet, "/log/metadata.json", "", ""); status != want || want == http.StatusOK && answer != `{"type":"LogMetadata"}` {
			t.Errorf("%d, want %d: %s", status, want, answer)
		}
	}
}
