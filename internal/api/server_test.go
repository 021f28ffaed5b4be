package api_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/writ-trust/writ"
	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/api"
	"github.com/writ-trust/writ/internal/journal"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/issuer"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/vc"
	"github.com/writ-trust/writ/vc/rdfc"
	"github.com/writ-trust/writ/verifier"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	acme     = "org_acme"
	foreign  = "org_foreign"
	operator = "org_operator"

	statusURL = "https://writ.acme.example/v1/status/"
)

// server is a real server on loopback, with a real journal and log, in the world's time: it begins at writtest.Start and runs as
// the machine's does.
type server struct {
	t *testing.T
	*writtest.World
	dir     string
	offset  time.Duration
	options func(*api.Options)
	virtual bool // no network: virtual_test.go
	url     string
	log     *log.Log
	journal *journal.Journal
	keys    map[string]string // by organisation
	agents  *agents
	api     *api.Server
	stop    func()

	mu    sync.Mutex
	trust *verifier.Trust
}

func start(t *testing.T, options ...func(*server)) *server {
	t.Helper()
	s := &server{t: t, World: writtest.Acme(t.Name()), dir: t.TempDir(), keys: map[string]string{}}
	s.agents = &agents{world: writtest.Acme(t.Name()), made: map[string]bool{}}
	s.offset = time.Until(writtest.Start)
	for _, o := range options {
		o(s)
	}
	s.trust = s.trustFile(s.World.Roster())
	s.boot()
	for _, org := range []string{acme, foreign, operator} {
		s.must(s.journal.PutOrg(t.Context(), journal.Org{ID: org, Name: org}))
		s.keys[org] = s.key(org, api.Scopes()...)
	}
	t.Cleanup(func() { s.stop() })
	return s
}

func (s *server) now() time.Time { return time.Now().Add(s.offset) }

// tick brings the world, which signs, to the server's time.
func (s *server) tick() *server {
	s.Now = s.now()
	return s
}

func (s *server) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// boot starts the server on its folder.
func (s *server) boot() {
	s.t.Helper()
	var err error
	s.log, err = log.Open(log.Options{Dir: filepath.Join(s.dir, "log"), Guard: filepath.Join(s.dir, "guard", "checkpoint"), Signer: s.LogSigner()})
	s.must(err)
	s.journal, err = journal.Open(s.t.Context(), journal.Options{Path: filepath.Join(s.dir, "journal.db"), Log: s.log, Now: s.now,
		Random: rand.Reader, Sign: s.signs})
	s.must(err)
	i, err := issuer.New(issuer.Options{Ledger: spec.Ledger{Verifier: writtest.Verifier, Log: writtest.Origin}, Seal: writtest.Grantor,
		SealKey: spec.SealKey{ID: s.KeyID("seal"), Key: s.Key("seal").Public().Multikey()}, DecisionKey: s.Key("ledger").Public().Multikey(),
		Journal: s.journal, Drafts: s.journal, Random: rand.Reader, Now: s.now, Statuses: s.journal, StatusURL: statusURL})
	s.must(err)
	v, err := verifier.New(verifier.Options{DID: writtest.Verifier, Key: s.Key("ledger").Public().Multikey(), Log: writtest.Origin, Epoch: 1, Journal: s.journal, Trust: s.believed,
		Random: rand.Reader, Now: s.now})
	s.must(err)
	o := api.Options{Ledger: s.ledger(), Verifier: v, Issuer: i, Journal: s.journal, Log: s.log, Agents: s.agents, Operator: operator,
		SignReceipt: s.signs, SignStatusList: s.signsList, AddProof: s.addsProof, Now: s.now, Random: rand.Reader}
	if s.options != nil {
		s.options(&o)
	}
	s.api, err = api.New(o)
	s.must(err)
	s.serve(s.api)
}

func (s *server) serve(a *api.Server) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := a.Recover(ctx); err != nil {
			s.t.Errorf("recover: %v", err)
		}
	})
	s.stop = func() {
		cancel()
		running.Wait()
		s.must(s.journal.Close())
		s.must(s.log.Close())
		s.stop = func() {}
	}
	if s.virtual {
		s.url = "http://writ.acme.example"
		return
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	s.must(err)
	s.url = "http://" + listener.Addr().String()
	h := a.HTTP("")
	running.Go(func() { h.Serve(listener) })
	closeAll := s.stop
	s.stop = func() {
		cancel()
		http.DefaultClient.CloseIdleConnections() // Shutdown gives a connection without a request five seconds
		h.Shutdown(context.Background())
		closeAll()
	}
}

// signs adds the proofs of the server's own keys, created in whole seconds, as the schemas have them.
func (s *server) signs(ctx context.Context, d spec.Document, at time.Time) (spec.Document, error) {
	at = at.Truncate(time.Second)
	if d.Type == spec.TypeReceipt {
		return s.SignDecision(d, at), nil
	}
	return s.SignUnsigned(ctx, d, at)
}

func (s *server) signsList(_ context.Context, list vc.Value, at time.Time) (vc.Value, error) {
	return vc.Sign(list, vc.ProofOptions{VerificationMethod: s.KeyID("ledger"), Purpose: did.AssertionMethod, Created: at}, s.Key("ledger"))
}

// addsProof adds the second proof with the key that made the first, if it is one of the server's.
func (s *server) addsProof(_ context.Context, credential vc.Value) (vc.Value, error) {
	proof, err := vc.ReadProof(credential)
	s.must(err)
	for _, own := range []string{"seal", "ledger"} {
		if proof.VerificationMethod == s.KeyID(own) {
			return rdfc.Add(credential, s.Key(own))
		}
	}
	return credential, spec.Refuse("export-foreign", "", "not ours")
}

func (s *server) ledger() api.Ledger {
	multikey := func(name string) string { return s.Key(name).Public().Multikey() }
	return api.Ledger{DID: writtest.Verifier, Epoch: 1, DecisionKey: multikey("ledger"), SealID: s.KeyID("seal"), SealKey: multikey("seal"),
		LogOrigin: writtest.Origin, LogKey: s.LogSigner().Verifier.String(), ExecuteWithin: 15 * time.Minute}
}

func (s *server) believed() *verifier.Trust {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.trust
}

// trustFile pins a roster.
func (s *server) trustFile(roster spec.Document) *verifier.Trust {
	data, err := json.Marshal(map[string]any{"version": "1", "policy": "log " + s.LogSigner().Verifier.String() + "\nquorum none\n",
		"rosters":   []any{map[string]any{"grantor": writtest.Grantor, "content": spec.ContentDigest(roster.Value)}},
		"resources": map[string]any{writtest.Account: writtest.Grantor}})
	s.must(err)
	trust, err := verifier.ParseTrust(data)
	s.must(err)
	return trust
}

// agents keeps hosted keys in memory.
type agents struct {
	world *writtest.World
	mu    sync.Mutex
	made  map[string]bool
}

func (a *agents) Create(name string) (vc.Signer, error) {
	a.mu.Lock()
	a.made[name] = true
	a.mu.Unlock()
	return a.Signer(name)
}

func (a *agents) Signer(name string) (vc.Signer, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.made[name] {
		return nil, fmt.Errorf("no key %s", name)
	}
	return a.world.Key(name), nil
}

// key makes an API key.
func (s *server) key(org string, scopes ...string) string {
	s.t.Helper()
	token, k, err := api.NewAPIKey(rand.Reader, s.now(), "", org, "test", scopes...)
	s.must(err)
	s.must(s.journal.PutAPIKey(s.t.Context(), k))
	return token
}

// client of an organisation, holding the agent's key.
func (s *server) client(org string) *writ.Client {
	return s.clientWith(s.keys[org])
}

func (s *server) clientWith(key string) *writ.Client {
	s.t.Helper()
	c, err := writ.New(writ.Options{URL: s.url, APIKey: key, Agent: s.Key("agent"), Now: s.now, Random: rand.Reader, HTTPClient: s.http()})
	s.must(err)
	return c
}

func (s *server) http() *http.Client {
	if s.virtual {
		return &http.Client{Transport: inProcess{s}}
	}
	return http.DefaultClient
}

func (s *server) approver(person string) writ.Approver {
	return writ.Approver{KeyID: s.KeyID(person), Key: s.Key(person)}
}

// enrol has treasurer and cfo approve a content, and returns what was issued.
func (s *server) enrol(content spec.Document) spec.Document {
	s.t.Helper()
	c := s.client(acme)
	d, err := c.Draft(s.t.Context(), content.Value)
	s.must(err)
	what, err := writ.ContentOf(d)
	s.must(err)
	var last writ.Acknowledgement
	for _, person := range []string{"treasurer", "cfo"} {
		last, err = c.Approve(s.t.Context(), s.approver(person), spec.Approve, what)
		s.must(err)
	}
	issued, err := spec.FromValue(last.Issued)
	s.must(err)
	return issued
}

// found enrols the roster and pins it; grant enrols a mandate.
func (s *server) found() spec.Document {
	s.t.Helper()
	roster := s.enrol(s.tick().Roster())
	s.mu.Lock()
	s.trust = s.trustFile(roster)
	s.mu.Unlock()
	return roster
}

func (s *server) grant(changes ...func(*spec.Mandate)) spec.Document {
	s.t.Helper()
	return s.enrol(s.tick().Mandate(changes...))
}

// payload is what the bank executes; pay is the action that it makes of it.
var payload = []byte("<pain.001>…</pain.001>")

func (s *server) pay(euros string, changes ...func(*spec.Action)) vc.Value {
	return s.Action(euros, append([]func(*spec.Action){func(a *spec.Action) { a.Payload.Digest = writ.PayloadDigest(payload) }}, changes...)...)
}

func (s *server) bank() writ.Executor {
	return writ.Executor{DID: writtest.Bank, Key: s.Key("bank"), Trust: s.believed()}
}

func (s *server) ask(key string, action vc.Value, mandates ...spec.Document) writ.Request {
	r := writ.Request{Action: action, IdempotencyKey: key, Executor: writtest.Bank}
	for _, m := range mandates {
		r.Mandates = append(r.Mandates, m.Value)
	}
	return r
}

func (s *server) verify(r writ.Request) writ.Answer {
	s.t.Helper()
	a, err := s.client(acme).Verify(s.t.Context(), r)
	s.must(err)
	return a
}

// raw makes one call without the client.
func (s *server) raw(method, path, key, body string, headers ...string) (status int, answer string, h http.Header) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	s.must(err)
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	a, err := http.DefaultClient.Do(r)
	s.must(err)
	defer a.Body.Close()
	data, err := io.ReadAll(a.Body)
	s.must(err)
	return a.StatusCode, string(data), a.Header
}

func document(t *testing.T, a writ.Answer) (spec.Document, *spec.Decision) {
	t.Helper()
	doc, err := a.Document()
	if err != nil {
		t.Fatal(err)
	}
	return doc, doc.Body.(*spec.Decision)
}

func decided(t *testing.T, a writ.Answer) *spec.Decision {
	t.Helper()
	_, d := document(t, a)
	return d
}
