package api_test

import (
	"context"
	"crypto/ed25519"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/writ-trust/writ"
	"github.com/writ-trust/writ/internal/api"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// witnesses cosign when they are told to.
type witnesses struct {
	*log.Cosigner
	server *server

	mu     sync.Mutex
	signed []byte
	asked  chan struct{} // somebody waits
}

func (w *witnesses) Cosigned() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.signed
}

func (w *witnesses) Await(ctx context.Context, size int64) ([]byte, error) {
	select {
	case w.asked <- struct{}{}:
	default:
	}
	for {
		signed := w.Cosigned()
		if c, err := log.ReadCheckpoint(signed); err == nil && c.Size >= size {
			return signed, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-w.asked:
		}
	}
}

// cosign publishes and cosigns all that there is.
func (w *witnesses) cosign() {
	signed, err := w.server.log.Publish(context.Background())
	w.server.must(err)
	c, err := log.ReadCheckpoint(signed)
	w.server.must(err)
	line, err := w.Cosign(c.Text(), writtest.Start)
	w.server.must(err)
	w.mu.Lock()
	w.signed = append(append([]byte{}, signed...), line...)
	w.mu.Unlock()
	select {
	case w.asked <- struct{}{}:
	default:
	}
}

func startWitnessed(t *testing.T) (*server, *witnesses) {
	return startWitnessedBy(t, func(o *api.Options, w *witnesses) { o.Witnesses = w })
}

func startWitnessedBy(t *testing.T, as func(*api.Options, *witnesses)) (*server, *witnesses) {
	w := &witnesses{asked: make(chan struct{}, 1)}
	s := start(t, func(s *server) {
		key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
		var err error
		w.Cosigner, err = log.NewCosigner("witness.example/w1", key.Public().(ed25519.PublicKey), func(b []byte) ([]byte, error) { return ed25519.Sign(key, b), nil })
		s.must(err)
		s.options = func(o *api.Options) { as(o, w) }
	})
	w.server = s
	return s, w
}

// TestWitnessed: what is served has its quorum, and an answer or a bundle has it where the caller asks and it comes in time.
func TestWitnessed(t *testing.T) {
	s, w := startWitnessed(t)
	if got, _, _ := s.raw(http.MethodGet, "/log/checkpoint", "", ""); got != http.StatusNotFound {
		t.Errorf("served before any quorum: %d", got)
	}
	s.found()
	mandate := s.grant()
	w.cosign()
	a := s.askWitnessed("invoice-1", 50*time.Millisecond, mandate)
	if a.Witnessed == nil || *a.Witnessed || strings.Contains(a.Record.Proof, "witness.example/w1") {
		t.Errorf("witnessed %v before the quorum", a.Witnessed)
	}
	if _, err := s.client(acme).WitnessedBundle(t.Context(), a.Digest, time.Millisecond); writ.ReasonOf(err) != "not-witnessed" {
		t.Errorf("a bundle before the quorum: %v", err)
	}
	go func() {
		<-w.asked
		w.cosign()
	}()
	a = s.askWitnessed("invoice-2", 20*time.Second, mandate)
	if a.Witnessed == nil || !*a.Witnessed || !strings.Contains(a.Record.Proof, "witness.example/w1") {
		t.Fatalf("witnessed %v", a.Witnessed)
	}
	trust := s.witnessedTrust(w)
	bundle, err := s.client(acme).WitnessedBundle(t.Context(), a.Digest, 20*time.Second)
	s.must(err)
	if c := verifier.CheckBundle(bundle, trust, verifier.CheckOptions{Expect: spec.Authorized}); !c.Holds {
		t.Errorf("the cosigned bundle fails: %+v", c.Verdicts)
	}
	plain, err := s.client(acme).Bundle(t.Context(), a.Digest)
	s.must(err)
	if c := verifier.CheckBundle(plain, trust, verifier.CheckOptions{}); c.Holds {
		t.Error("a bundle without cosignatures holds")
	}
	if c := verifier.CheckBundle(plain, s.believed(), verifier.CheckOptions{}); !c.Holds {
		t.Errorf("the plain bundle fails for those who ask for no witness: %+v", c.Verdicts)
	}
	if status, served, _ := s.raw(http.MethodGet, "/log/checkpoint", "", ""); status != http.StatusOK || served != string(w.Cosigned()) {
		t.Errorf("served %d %q", status, served)
	}
	if status, answer, _ := s.raw(http.MethodGet, "/v1/log/proof?index=0", s.keys[acme], ""); status != http.StatusOK || !strings.Contains(answer, "witness.example/w1") {
		t.Errorf("proof: %d %s", status, answer)
	}
}

// TestWitnessedIsRefused: before anything is decided, where the server cannot do it or the caller wants what nobody waits for.
func TestWitnessedIsRefused(t *testing.T) {
	with, _ := startWitnessed(t)
	for s, wait := range map[*server]string{start(t): "5s", with: "46s"} {
		status, answer, _ := s.raw(http.MethodPost, "/v1/verify?witnessed="+wait, s.keys[acme], "{}")
		if status != http.StatusBadRequest || !strings.Contains(answer, "?witnessed") {
			t.Errorf("%s: %d %s", wait, status, answer)
		}
	}
}

func (s *server) askWitnessed(key string, wait time.Duration, mandate spec.Document) writ.Answer {
	r := s.ask(key, s.pay("4200.00"), mandate)
	r.Witnessed = wait
	return s.verify(r)
}

// witnessedTrust is the trust file of a reader who asks for the witness.
func (s *server) witnessedTrust(w *witnesses) *verifier.Trust {
	t := *s.believed()
	t.Policy = "log " + s.LogSigner().Verifier.String() + "\nwitness w1 " + w.Cosigner.String() + "\nquorum w1\n"
	data, err := t.Bytes()
	s.must(err)
	trust, err := verifier.ParseTrust(data)
	s.must(err)
	return trust
}
