package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	"github.com/writ-trust/writ/did"
	"github.com/writ-trust/writ/internal/api"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/journal"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/issuer"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/vc"
	"github.com/writ-trust/writ/verifier"
)

// ledger is log and journal in a folder, as writ serve has them. On a folder in memory it is the same server without storage.
type ledger struct {
	machine
	parties *parties
	dir     string
	log     *log.Log
	journal *journal.Journal
}

func openLedger(m machine, dir string) (*ledger, error) {
	l := &ledger{machine: m, parties: newParties(), dir: dir}
	var err error
	l.log, err = log.Open(log.Options{Dir: filepath.Join(dir, "log"), Guard: filepath.Join(dir, "guard", "checkpoint"),
		Signer: writtest.Acme(seed).LogSigner()})
	if err != nil {
		return nil, err
	}
	l.journal, err = journal.Open(context.Background(), journal.Options{Path: filepath.Join(dir, journalName), Log: l.log, Now: m.now,
		Random: rand.Reader, Sign: l.sign, Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err != nil {
		return nil, errors.Join(err, l.log.Close())
	}
	return l, nil
}

// close publishes what was logged, so that the next start has nothing to stage again.
func (l *ledger) close() error {
	err := l.journal.Close()
	_, published := l.log.Publish(context.Background())
	return errors.Join(err, published, l.log.Close())
}

// sign adds the proofs of the server's own keys.
func (l *ledger) sign(_ context.Context, d spec.Document, at time.Time) (spec.Document, error) {
	key, method := l.parties.seal, l.parties.sealKey
	if d.Type == spec.TypeDecision || d.Type == spec.TypeReceipt {
		key, method = l.parties.decision, l.parties.decisionKey
	}
	v, err := vc.Sign(d.Value, vc.ProofOptions{VerificationMethod: method, Purpose: did.AssertionMethod, Created: at}, key)
	if err != nil {
		return d, err
	}
	return d.WithValue(v)
}

func (l *ledger) verifier(trust *verifier.Trust) (*verifier.Verifier, error) {
	return verifier.New(verifier.Options{DID: writtest.Verifier, Key: l.parties.decision.Public().Multikey(), Log: writtest.Origin, Epoch: 1,
		Journal: l.journal, Trust: func() *verifier.Trust { return trust }, Random: rand.Reader, Now: l.now, Seen: l.seen})
}

func (l *ledger) seen() *spec.Seen {
	c, err := log.ReadCheckpoint(l.log.Published())
	if err != nil || c.Size == 0 {
		return nil
	}
	return &spec.Seen{Origin: c.Origin, Size: c.Size, Root: jcs.FormatDigest(c.Root)}
}

// Files in a ledger's folder: whom it believes, and the database.
const (
	trustName   = "trust.json"
	journalName = "journal.db"
)

// open opens a folder that was filled, with the trust file in it.
func (f *filled) open(m machine) (*ledger, *verifier.Trust, error) {
	data, err := os.ReadFile(filepath.Join(f.dir, trustName))
	if err != nil {
		return nil, nil, err
	}
	trust, err := verifier.ParseTrust(data)
	if err != nil {
		return nil, nil, err
	}
	l, err := openLedger(m, f.dir)
	return l, trust, err
}

// ledgerChild serves a folder that was filled, as writ serve does, but for the limits of one API key's rate: one key has all the
// load.
func ledgerChild(m machine, args []string) (service, error) {
	debug.SetGCPercent(400) // as writ serve does
	f := filled{dir: args[0]}
	l, trust, err := f.open(m)
	if err != nil {
		return service{}, err
	}
	server, err := l.api(trust)
	if err != nil {
		return service{}, errors.Join(err, l.close())
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { server.Recover(ctx) })
	running.Go(func() { l.publish(ctx) })
	return service{server.HTTP(""), func() error { cancel(); running.Wait(); return l.close() }}, nil
}

func (l *ledger) api(trust *verifier.Trust) (*api.Server, error) {
	v, err := l.verifier(trust)
	if err != nil {
		return nil, err
	}
	key := l.parties.decision.Public().Multikey()
	seal := spec.SealKey{ID: l.parties.sealKey, Key: l.parties.seal.Public().Multikey()}
	i, err := issuer.New(issuer.Options{Ledger: spec.Ledger{Verifier: writtest.Verifier, Log: writtest.Origin}, Seal: writtest.Grantor,
		SealKey: seal, DecisionKey: key, Journal: l.journal, Drafts: l.journal, Random: rand.Reader, Now: l.now})
	if err != nil {
		return nil, err
	}
	facts := api.Ledger{DID: writtest.Verifier, Epoch: 1, DecisionKey: key, SealID: seal.ID, SealKey: seal.Key, LogOrigin: writtest.Origin,
		LogKey: writtest.Acme(seed).LogSigner().Verifier.String(), ExecuteWithin: 15 * time.Minute}
	return api.New(api.Options{Ledger: facts, Verifier: v, Issuer: i, Journal: l.journal, Log: l.log, SignReceipt: l.sign, Now: l.now,
		Random: rand.Reader, Limits: api.Limits{PerSecond: -1}})
}

// publish shows a checkpoint each second, as writ serve does.
func (l *ledger) publish(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if size, err := l.journal.LogHeads(ctx); err == nil {
				l.log.PublishAt(ctx, size)
			}
		}
	}
}

// trustFile pins a roster.
func trustFile(roster spec.Document) ([]byte, error) {
	return json.Marshal(map[string]any{"version": "1", "policy": "log " + writtest.Acme(seed).LogSigner().Verifier.String() + "\nquorum none\n",
		"rosters":   []any{map[string]any{"grantor": writtest.Grantor, "content": spec.ContentDigest(roster.Value)}},
		"resources": map[string]any{writtest.Account: writtest.Grantor}})
}
