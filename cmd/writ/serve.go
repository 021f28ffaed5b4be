package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/api"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/journal"
	"github.com/writ-trust/writ/internal/keys"
	"github.com/writ-trust/writ/issuer"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/log/witness"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/vc"
	"github.com/writ-trust/writ/verifier"
)

// serveCmd is writ serve: it opens the data folder (folder.go), puts log, journal, verifier, issuer and API together, and runs them
// until it is told to stop.
type serveCmd struct {
	settings `embed:""`
	Verbose  bool `help:"Log each request."`
	ReadOnly bool `help:"Answer questions only: proofs, tiles, receipts, bundles. Nothing is decided, logged or signed anew; a log that has ended can be served so."`
}

// Help is the long text of writ serve --help.
func (serveCmd) Help() string {
	return `Without any settings it makes keys, a SQLite file and a log under ./writ-data and listens on loopback. The address is printed on
standard output once requests are answered; messages go to standard error.

The folder has
    keys, passphrase      the server's keys, encrypted; set WRIT_PASSPHRASE and keep the passphrase elsewhere. Without any
                          passphrase it does not start (exit code 2), with a wrong one neither (5)
    admin.key             an API key with every scope, written once
    trust.json            whom this ledger believes: pinned rosters, resources and their owners; read again when it changes.
                          Without it nobody is trusted and every action is refused; writ trust new helps to write it
    journal/, log/        the backup unit: copy and restore them together
    guard/                what was published and cosigned last; never restore it from a backup

A trust file says
    {"version":"1",
     "rosters":[{"grantor":"did:web:acme.example","content":"uEi…"}],
     "policy":"log writ.acme.example/log1+…+…\nquorum none\n",
     "resources":{"iban:PT50…":"did:web:acme.example"}}

Everybody may read /healthz, /readyz (200 once requests are answered; 503 also where trust.json does not read), /v1/ledger, and the
published log at /log/checkpoint, /log/tile/… and /log/metadata.json; everything else under /v1 asks for an API key. /metrics is served on
--metrics-listen only.

--witnesses is a policy (C2SP tlog-policy) of witnesses with their URLs: what is published goes to them, and is served at /log/checkpoint
once their quorum has cosigned. Each is asked at the start what it cosigned: more than the log has, or another tree, and the server does
not start (5). One that does not answer is named, and --witness-start says whether the server starts all the same. Callers ask for
cosigned proofs with ?witnessed=5s.

    witness north north.example/w1+…+… https://north.example/
    witness south south.example/w1+…+… https://south.example/
    group both all north south
    quorum both

--mirrors is such a policy of mirrors (writ log mirror): its witness lines name the keys of mirrors, and for each the address below which
its checkpoint is. What they cosign is fetched every few seconds; ?replayed=30s on bundles and head proofs waits for it. A checkpoint that
this log's key signed and that is not of this log stops the server and is kept in guard/forked.

    witness east mirror.example/acme+…+… https://mirror.example/9f86d0…
    quorum east

With --trillian and --trillian-db the log is not in log/ but in Trillian, for several machines (spec/operations-trillian.md).

SIGTERM and SIGINT finish what is under way, publish the log and end.`
}

const (
	publishEvery = time.Second
	// gcPercent lets garbage grow to this share of what lives before it is collected, unless GOGC says otherwise: what lives is little
	// (caches of bounded size), and each request leaves a few hundred kilobytes behind.
	gcPercent = 400
	drain     = 20 * time.Second // how long a stop waits for requests
	operator  = "org_operator"   // the organisation of the admin key
)

func (c *serveCmd) Run(sys *system, kctx *kong.Context) error {
	if _, err := c.resolve(kctx); err != nil {
		return err
	}
	within, err := c.check()
	if err != nil {
		return err
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	level := slog.LevelInfo
	if c.Verbose {
		level = slog.LevelDebug
	}
	logger := slog.New(slog.NewTextHandler(sys.err, &slog.HandlerOptions{Level: level}))
	doors, err := c.openDoors() // before any folder is made
	if err != nil {
		return err
	}
	defer doors.close()
	l, err := openLedger(ctx, sys, &c.settings, within, c.ReadOnly, logger)
	if err != nil {
		return err
	}
	return errors.Join(l.serve(ctx, sys, doors), l.close())
}

// doors are the addresses that a server listens on.
type doors struct {
	api     net.Listener
	metrics net.Listener // nil where nobody asked for them
}

// openDoors takes the addresses, or says which is not to be had.
func (s *settings) openDoors() (d doors, err error) {
	if d.api, err = listen("listen", s.Listen); err != nil || s.MetricsListen == "" {
		return d, err
	}
	if d.metrics, err = listen("metrics-listen", s.MetricsListen); err != nil {
		d.close()
	}
	return d, err
}

func listen(setting, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, ends(exitUnchecked, "--%s: %w", setting, err)
	}
	return l, nil
}

// close closes the doors; those that a server has closed already stay closed.
func (d doors) close() {
	for _, l := range []net.Listener{d.api, d.metrics} {
		if l != nil {
			l.Close()
		}
	}
}

// ledger is a server that is put together.
type ledger struct {
	*folder
	sys     *system
	logger  *slog.Logger
	lists   string // address below which status lists are served, or ""
	log     *log.Log
	journal *journal.Journal
	api     *api.Server
	trust   *trustFile
	feeder  *witness.Feeder  // nil without witnesses
	mirrors *witness.Mirrors // nil without mirrors
	made    []io.Closer      // in the order of opening

	readOnly bool
	follower journal.Follower            // the log as the journal sees it
	settled  func(context.Context) error // asks, once the two are level, whether the log has more
	lastBoot string                      // the start before this one
}

func openLedger(ctx context.Context, sys *system, s *settings, within time.Duration, readOnly bool, logger *slog.Logger) (*ledger, error) {
	f, err := openFolder(sys, s)
	if err != nil {
		return nil, err
	}
	l := &ledger{folder: f, sys: sys, logger: logger, lists: s.statusURL(f.DID), made: []io.Closer{f.lock}, readOnly: readOnly}
	l.trust = newTrustFile(f.path(trustName), logger)
	for _, open := range []func(context.Context) error{func(ctx context.Context) error { return l.openLog(ctx, s) }, l.openJournal,
		func(ctx context.Context) error { return l.openWitnesses(ctx, s) }, func(ctx context.Context) error { return l.openMirrors(ctx, s) }, l.openAdmin,
		func(ctx context.Context) error { return l.openAPI(ctx, s, within) }} {
		if err := open(ctx); err != nil {
			return nil, errors.Join(err, l.close())
		}
	}
	return l, nil
}

// close closes what was opened, newest first.
func (l *ledger) close() error {
	var all error
	for i := len(l.made) - 1; i >= 0; i-- {
		all = errors.Join(all, l.made[i].Close())
	}
	return all
}

func (l *ledger) openLog(ctx context.Context, s *settings) error {
	var err error
	if l.lastBoot, err = l.checkBoot(); err != nil {
		return err
	}
	signer, err := l.logSigner()
	if err != nil {
		return err
	}
	if s.Trillian != "" {
		return l.openTrillian(ctx, s, signer)
	}
	l.log, err = log.Open(log.Options{Dir: l.path(logFolder), Guard: l.path(l.guard()), Signer: signer})
	if err == nil {
		l.made = append(l.made, l.log)
	}
	l.follower, l.settled = l.log, func(context.Context) error { return nil }
	return err
}

func (l *ledger) openJournal(ctx context.Context) error {
	sign, err := l.signer()
	if err != nil {
		return err
	}
	l.journal, err = journal.Open(ctx, journal.Options{Path: l.path(journalFile), Log: l.follower, Now: l.sys.now, Random: l.sys.random,
		Sign: sign, Logger: l.logger, Carry: l.carry(), ReadOnly: l.readOnly})
	if err != nil {
		return err
	}
	l.made = append(l.made, l.journal)
	if err := l.settled(ctx); err != nil {
		return err
	}
	if l.readOnly {
		return nil
	}
	return l.markBoot(l.lastBoot, l.sys.random)
}

// signer adds the server's own proofs, by type of document: the decision key signs decisions, receipts and counts of refusals, the seal the credentials
// that it packages. Keys are distinct by type and bound to it wherever a proof is verified.
func (l *ledger) signer() (func(context.Context, spec.Document, time.Time) (spec.Document, error), error) {
	decision, err := l.keys.Signer(decisionKey)
	if err != nil {
		return nil, err
	}
	seal, err := l.keys.Signer(sealKey)
	if err != nil {
		return nil, err
	}
	decided := l.decisionID(decision)
	return func(_ context.Context, d spec.Document, created time.Time) (spec.Document, error) {
		key, method := seal, sealID(seal)
		if d.Type == spec.TypeDecision || d.Type == spec.TypeReceipt || d.Type == spec.TypeRefusalCount || d.Type == spec.TypeErasure {
			key, method = decision, decided
		}
		return signed(d, key, vc.ProofOptions{VerificationMethod: method, Purpose: did.AssertionMethod, Created: created})
	}, nil
}

// decisionID is how the decision key is called in proofs.
func (l *ledger) decisionID(decision *keys.Signer) string {
	return l.DID + "#" + decision.Public().Multikey()
}

// signed adds a proof to a document.
func signed(d spec.Document, key vc.Signer, o vc.ProofOptions) (spec.Document, error) {
	v, err := vc.Sign(d.Value, o, key)
	if err != nil {
		return d, err
	}
	return d.WithValue(v)
}

// openAdmin makes the operator's organisation and its key, once. The organisation is written last: a crash before it makes another
// key, and the one in between counts for nobody.
func (l *ledger) openAdmin(ctx context.Context) error {
	_, err := l.journal.Org(ctx, operator)
	if !errors.Is(err, journal.ErrNotFound) {
		return err
	}
	token, key, err := api.NewAPIKey(l.sys.random, l.sys.now(), "", operator, "admin", api.Scopes()...)
	if err != nil {
		return err
	}
	if err := os.Remove(l.path(adminFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := writeNew(l.path(adminFile), []byte(token+"\n")); err != nil {
		return err
	}
	if err := l.journal.PutAPIKey(ctx, key); err != nil {
		return err
	}
	fmt.Fprintf(l.sys.err, "made an API key with every scope: %s\n", l.path(adminFile))
	return l.journal.PutOrg(ctx, journal.Org{ID: operator, Name: "operator"})
}

func (l *ledger) openAPI(ctx context.Context, s *settings, within time.Duration) error {
	facts, err := l.facts(within)
	if err != nil {
		return err
	}
	v, err := verifier.New(verifier.Options{DID: l.DID, Key: facts.DecisionKey, Log: l.Log, Epoch: l.Epoch, Journal: l.journal, Trust: l.trust.get,
		Random: l.sys.random, Now: l.sys.now, Seen: l.seen, ExecuteWithin: within})
	if err != nil {
		return err
	}
	i, err := issuer.New(issuer.Options{Ledger: spec.Ledger{Verifier: l.DID, Log: l.Log}, Seal: facts.sealDID, SealKey: spec.SealKey{ID: facts.SealID, Key: facts.SealKey},
		DecisionKey: facts.DecisionKey, Journal: l.journal,
		Drafts: l.journal, Random: l.sys.random, Now: l.sys.now, Statuses: l.journal, StatusURL: l.lists})
	if err != nil {
		return err
	}
	sign, err := l.signer()
	if err != nil {
		return err
	}
	exports, err := l.exporter()
	if err != nil {
		return err
	}
	var witnesses api.Witnesses
	if l.feeder != nil {
		witnesses = l.feeder
	}
	var mirrors api.Witnesses
	if l.mirrors != nil {
		mirrors = l.mirrors
	}
	described, err := l.describeLog(s)
	if err != nil {
		return err
	}
	l.api, err = api.New(api.Options{LogMetadata: described, Witnesses: witnesses, Mirrors: mirrors, Ledger: facts.Ledger, Verifier: v, Issuer: i, Journal: l.journal, Log: l.log,
		Agents: hostedAgents{l.keys, l.sys.random}, SignReceipt: sign, SignStatusList: exports.signStatusList, AddProof: exports.addProof,
		Operator: operator, TrustReads: l.trust.reads, Now: l.sys.now, Random: l.sys.random, Logger: l.logger})
	return err
}

type facts struct {
	api.Ledger
	sealDID string
}

// facts are what everybody may know of this server.
func (l *ledger) facts(within time.Duration) (facts, error) {
	decision, err := l.keys.Signer(decisionKey)
	if err != nil {
		return facts{}, err
	}
	seal, err := l.keys.Signer(sealKey)
	if err != nil {
		return facts{}, err
	}
	checkpoints, err := l.logSigner()
	if err != nil {
		return facts{}, err
	}
	return facts{api.Ledger{DID: l.DID, Epoch: l.Epoch, DecisionKey: decision.Public().Multikey(), SealID: sealID(seal),
		SealKey: seal.Public().Multikey(), LogOrigin: l.Log, LogKey: checkpoints.Verifier.String(), ExecuteWithin: within},
		seal.Public().DID()}, nil
}

// seen is the newest published checkpoint, for documents to name; nil while the log is empty.
func (l *ledger) seen() *spec.Seen {
	c, err := log.ReadCheckpoint(l.log.Published())
	if err != nil || c.Size == 0 {
		return nil
	}
	return &spec.Seen{Origin: c.Origin, Size: c.Size, Root: jcs.FormatDigest(c.Root)}
}

// hostedAgents keeps the keys with which the server signs for callers that hold none.
type hostedAgents struct {
	store  *keys.Store
	random io.Reader
}

func (h hostedAgents) Signer(name string) (vc.Signer, error) { return h.store.Signer(name) }

func (h hostedAgents) Create(name string) (vc.Signer, error) {
	key, err := keys.Generate(keys.Ed25519, h.random)
	if err != nil {
		return nil, err
	}
	defer debug.FreeOSMemory() // as in folder.open
	return key, h.store.Add(map[string]*keys.Signer{name: key})
}

// serve answers until ctx ends, or the journal can no longer be relied on.
func (l *ledger) serve(ctx context.Context, sys *system, d doors) error {
	work, end := context.WithCancelCause(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	for _, run := range l.loops() {
		running.Go(func() {
			if err := run(work); err != nil && work.Err() == nil {
				end(err)
			}
		})
	}
	address := d.api.Addr().String()
	servers := []*http.Server{l.api.HTTP(address)}
	open := []net.Listener{d.api}
	if d.metrics != nil {
		servers, open = append(servers, metricsServer(l.api.Metrics())), append(open, d.metrics)
		l.logger.Info("serving metrics", "address", d.metrics.Addr().String())
	}
	for i, server := range servers {
		running.Go(func() {
			if err := server.Serve(open[i]); !errors.Is(err, http.ErrServerClosed) {
				end(err)
			}
		})
	}
	fmt.Fprintf(sys.out, "http://%s\n", address)
	l.logger.Info("keeping a ledger", "did", l.DID, "log", l.Log, "data", l.dir, "address", address)
	select {
	case <-ctx.Done():
		l.logger.Info("stopping")
	case <-work.Done():
	case <-l.journal.Failed():
		end(errors.New("the journal failed: what the disk holds is found out at the next start"))
	}
	return l.stop(servers, &running, end, context.Cause(work))
}

// loops are what runs beside the requests of a ledger that decides.
func (l *ledger) loops() []func(context.Context) error {
	if l.readOnly {
		return nil
	}
	return []func(context.Context) error{l.publish, l.feed, l.gather, l.api.Recover, l.api.CountRefusals}
}

// metricsServer serves /metrics and nothing else, to everybody who reaches its address.
func metricsServer(metrics http.Handler) *http.Server {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	return &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: 15 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10}
}

// stop lets requests finish, then ends what runs beside them, then publishes what they logged.
func (l *ledger) stop(servers []*http.Server, running *sync.WaitGroup, end context.CancelCauseFunc, failed error) error {
	patience, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	var err error
	for _, server := range servers {
		err = errors.Join(err, server.Shutdown(patience))
	}
	end(nil)
	running.Wait()
	if failed != nil {
		return &exit{exitUnchecked, errors.Join(failed, err)}
	}
	if l.readOnly {
		return err
	}
	return errors.Join(err, l.publishOnce(patience))
}

// publish shows the world a checkpoint each second when there is something new.
func (l *ledger) publish(ctx context.Context) error {
	tick := time.NewTicker(publishEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := l.publishOnce(ctx); err != nil && ctx.Err() == nil {
				return err
			}
			if l.feeder != nil {
				l.feeder.Notify()
			}
		}
	}
}

// publishOnce logs the heads, where there is something new, and publishes the log up to them.
func (l *ledger) publishOnce(ctx context.Context) error {
	size, err := l.journal.LogHeads(ctx)
	if err == nil {
		_, err = l.log.PublishAt(ctx, size)
	}
	if err != nil {
		return fmt.Errorf("publish the log: %w", err)
	}
	return nil
}
