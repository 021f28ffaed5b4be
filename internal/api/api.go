// Package api is Writ over HTTP: the REST API under /v1, the tiles of the log, health and metrics (spec/openapi.yaml).
//
// A handler authenticates, hands bytes to the strict parsers of verifier and issuer, and writes down what they answer. There are no
// rules here. Start with New, Server.Handler and Server.Recover; routes.go is the table of all operations, problems.go the one
// that turns reasons into HTTP.
package api

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"

	"github.com/writ-trust/writ/internal/journal"
	"github.com/writ-trust/writ/issuer"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/vc"
	"github.com/writ-trust/writ/verifier"
)

// Version is the date of this API's shape, sent as Writ-Version with every answer.
const Version = "2026-11-24"

// Journal is what the API reads of the journal, beside what verifier and issuer do with it. A thing of another organisation is
// not found. The empty organisation sees everything, so no caller ever has it.
type Journal interface {
	verifier.Archive
	verifier.Heads
	credentials
	requests
	accounts
	// Failed is closed when the journal can no longer be relied on.
	Failed() <-chan struct{}
}

type credentials interface {
	States(ctx context.Context, org string, refs []spec.ChainRef, decisions []string) (spec.States, error)
	PolicyState(ctx context.Context, org, content string) (*spec.State, error)
	ByContent(ctx context.Context, org, content string) (spec.Record, error)
	ByID(ctx context.Context, org, id string) (spec.Record, error)
	ListMandates(ctx context.Context, org, cursor string, limit int) ([]journal.MandateItem, string, error)
	Draft(ctx context.Context, org, id string) (spec.Draft, error)
	DraftByContent(ctx context.Context, org, content string) (spec.Draft, error)
}

type requests interface {
	Answer(ctx context.Context, org string, key spec.RequestKey) (answer spec.Logged, final bool, err error)
	Interim(ctx context.Context) ([]journal.Interim, error)
	Uncounted(ctx context.Context) ([]journal.Uncounted, error)
	Watch(key spec.RequestKey) (changed <-chan struct{}, stop func())
}

type accounts interface {
	PutOrg(ctx context.Context, o journal.Org) error
	Orgs(ctx context.Context) ([]journal.Org, error)
	PutAPIKey(ctx context.Context, k journal.APIKey) error
	APIKeyByHash(ctx context.Context, hash [32]byte) (journal.APIKey, error)
	APIKeys(ctx context.Context, org string) ([]journal.APIKey, error)
	RevokeAPIKey(ctx context.Context, org, id string) error
}

// Log is what the API serves of the log.
type Log interface {
	Published() []byte
	CommitCheckpoint() []byte
	ReadTile(path string) ([]byte, error)
	ProofAt(index, size int64) ([]byte, error)
	Entry(index int64) ([]byte, error)
}

// Agents keeps hosted agent keys, by name. Create makes a key that is durable when it returns.
type Agents interface {
	Signer(name string) (vc.Signer, error)
	Create(name string) (vc.Signer, error)
}

// Ledger says who this server is: what clients need to compose documents and trust files.
type Ledger struct {
	DID           string
	Mode          string // spec.ModeTest or empty
	Epoch         int64
	DecisionKey   string // multikey
	SealID        string // verification method of the seal
	SealKey       string // multikey
	LogOrigin     string
	LogKey        string // note verifier key: name+id+key
	ExecuteWithin time.Duration
}

// Options configure a Server. All fields without "optional" are needed.
type Options struct {
	Ledger   Ledger
	Verifier *verifier.Verifier
	Issuer   *issuer.Issuer
	Journal  Journal
	Log      Log
	// Witnesses cosign what is published. Optional: without it checkpoints are served as the log signed them.
	Witnesses Witnesses
	// LogMetadata are what the log says of itself beside its checkpoint. Optional: nil serves none.
	LogMetadata []byte
	// Mirrors cosign what they hold and replayed. Optional: without it ?replayed= is refused.
	Mirrors Witnesses
	Agents  Agents // optional: without it no key has a hosted agent
	// SignReceipt adds the decision key's proof, created at the instant that is handed over.
	SignReceipt func(ctx context.Context, receipt spec.Document, created time.Time) (spec.Document, error)
	// SignStatusList adds the decision key's proof to a status list. Optional: without it none is served.
	SignStatusList func(ctx context.Context, list vc.Value, created time.Time) (vc.Value, error)
	// AddProof adds a proof of an RDF suite beside the server's own on a credential, for libraries that know no other. Reason
	// where another key signed it: export-foreign. Optional: without it such proofs are refused.
	AddProof func(ctx context.Context, credential vc.Value) (vc.Value, error)
	// Operator is the organisation whose admins may add organisations. Empty means nobody.
	Operator string
	// TrustReads says whether the ledger's trust file reads, if there is one; until it does, nobody is trusted and the server is not
	// ready. Optional: nil means that it always does.
	TrustReads func() bool
	Now        func() time.Time
	Random     io.Reader    // for ids, API keys and request ids
	Logger     *slog.Logger // optional
	Limits     Limits
}

// Limits of a server; the zero value has sensible ones.
type Limits struct {
	PerSecond float64 // requests of one API key; zero means 2,000, negative no limit
	Burst     int     // of one API key; zero means twice PerSecond
	InFlight  int     // requests at once, waiting ones included; zero means 4,096
	// HostedAgents is how many agent keys are made for one organisation. The key store forgets none, so those of revoked API keys
	// count. Zero means 64.
	HostedAgents int
}

const (
	maxBody = 256 << 10        // bytes of a request, as the strict parser has it
	maxWait = 45 * time.Second // what ?wait= holds a request for: hosts of agents give up at 60 s
)

// Server answers HTTP requests. It is safe for concurrent use.
type Server struct {
	Options
	router  chi.Router
	api     huma.API
	metrics *metrics
	buckets buckets
	flights chan struct{}
	waits   *shares // of requests that wait: a quarter of those in flight for one organisation, half for all
	hosting *shares // of agent keys being made: one for an organisation, so that they can be counted
	resumes supervisor
	lists   signedLists
}

// New makes a server. Recover must run beside it, or nothing that waits is ever resumed.
func New(o Options) (*Server, error) {
	if o.Verifier == nil || o.Issuer == nil || o.Journal == nil || o.Log == nil || o.SignReceipt == nil || o.Now == nil || o.Random == nil {
		return nil, errors.New("api: Verifier, Issuer, Journal, Log, SignReceipt, Now and Random must be set")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Limits.InFlight <= 0 {
		o.Limits.InFlight = 4096
	}
	if o.Limits.HostedAgents <= 0 {
		o.Limits.HostedAgents = 64
	}
	s := &Server{Options: o, router: chi.NewRouter(), metrics: newMetrics(o.Log), flights: make(chan struct{}, o.Limits.InFlight),
		waits: newShares(max(1, o.Limits.InFlight/4), max(1, o.Limits.InFlight/2)), hosting: newShares(1, o.Limits.InFlight)}
	s.buckets.limit(o.Limits)
	s.resumes.init(s)
	s.router.Use(s.identify, s.observe, s.contain, s.bound)
	s.router.NotFound(func(w http.ResponseWriter, r *http.Request) {
		s.writeProblem(w, r, spec.Refuse("not-found", "", "no such path"))
	})
	s.router.MethodNotAllowed(s.methodNotAllowed)
	s.api = humachi.New(s.router, huma.Config{OpenAPI: description(), Formats: huma.DefaultFormats, DefaultFormat: "application/json"})
	s.routes()
	s.public()
	return s, nil
}

// Handler answers all requests.
func (s *Server) Handler() http.Handler { return s.router }

// HTTP is an http.Server for the address, with timeouts that fit: reading is short, writing outlasts the longest wait.
func (s *Server) HTTP(addr string) *http.Server {
	h := &http.Server{Addr: addr, Handler: s.router, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second,
		WriteTimeout: maxWait + 15*time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(s.Logger.Handler(), slog.LevelDebug)}
	h.RegisterOnShutdown(s.resumes.endWaits)
	return h
}
