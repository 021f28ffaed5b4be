package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/writ-trust/writ/internal/api"
	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/internal/journal"
	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/spec"
)

// org is the only organisation.
const org = "org_acme"

// filled is a ledger's folder that is ready to be served.
type filled struct {
	dir      string
	token    string // an API key
	roster   []spec.ChainRef
	mandates []mandate // at most kept and a few, evenly chosen: a million would not fit beside the server
}

// kept is how many mandates a load draws from.
const kept = 1024

// batch is how many operations a fill has under way: the journal takes them into one commit.
const batch = 512

// fill makes a ledger with so many mandates in a new folder, through the journal itself: each mandate is approved by two people,
// sealed, and logged.
func (r *run) fill(under string, n int, changes ...func(*spec.Mandate)) (f *filled, err error) {
	dir, err := os.MkdirTemp(under, "writ-bench-")
	if err != nil {
		return nil, err
	}
	f = &filled{dir: dir}
	l, err := openLedger(r.machine, dir)
	if err != nil {
		return nil, err
	}
	w := writtest.Acme(seed)
	w.Now = r.now().Add(-time.Hour).Truncate(time.Second)
	if err = f.found(l, w); err == nil {
		err = f.grant(r.ctx, l, w, n, changes)
	}
	if err = errors.Join(err, l.close()); err != nil {
		return nil, errors.Join(err, f.remove())
	}
	return f, nil
}

func (f *filled) remove() error { return os.RemoveAll(f.dir) }

// found makes the organisation, its API key, its roster and the trust file.
func (f *filled) found(l *ledger, w *writtest.World) error {
	ctx := context.Background()
	if err := l.journal.PutOrg(ctx, journal.Org{ID: org, Name: "Acme"}); err != nil {
		return err
	}
	token, key, err := api.NewAPIKey(rand.Reader, l.now(), "", org, "bench", api.Scopes()...)
	if err != nil {
		return err
	}
	f.token = token
	if err := l.journal.PutAPIKey(ctx, key); err != nil {
		return err
	}
	roster := w.Roster()
	sealed, err := l.issue(ctx, w, roster, nil)
	if err != nil {
		return err
	}
	f.roster = []spec.ChainRef{{Content: spec.ContentDigest(sealed.Value), Kind: spec.KindRoster}}
	trust, err := trustFile(sealed)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(f.dir, trustName), trust, 0o600)
}

// issue logs a credential with the approvals of treasurer and cfo.
func (l *ledger) issue(ctx context.Context, w *writtest.World, d spec.Document, read []spec.ChainRef) (spec.Document, error) {
	sealed, op, docs := issued(w, d, read)
	_, err := l.journal.Run(ctx, op, func(spec.States, time.Time) ([]spec.Document, error) { return docs, nil })
	return sealed, err
}

// issued is a credential with its approvals, and the operation that logs all three.
func issued(w *writtest.World, d spec.Document, read []spec.ChainRef) (spec.Document, spec.Op, []spec.Document) {
	approve := w.ApproveMandate
	if d.Type == spec.TypeRoster {
		approve = w.ApproveRoster
	}
	approvals := []spec.Document{approve("treasurer", d), approve("cfo", d)}
	sealed := w.Seal(d, approvals...)
	return sealed, spec.Op{Org: org, Write: []spec.ChainRef{writtest.Ref(d)}, Read: read}, append(approvals, sealed)
}

// ample is a budget that no run uses up, and as many holds as there may be.
func ample(m *spec.Mandate) {
	t := m.Terms()
	t.Constraints = []jcs.Value{writtest.Budget("daily", "80000000000000.00", "P1D"), writtest.OneOf("payee", "/counterparty/id", writtest.Payee)}
	t.MaxOpenHolds = spec.MaxOpenHolds
}

// selfExecuted lets the agent execute: each call settles its own hold.
func selfExecuted(m *spec.Mandate) { m.Terms().SelfExecuted = true }

// grant logs n mandates.
func (f *filled) grant(ctx context.Context, l *ledger, w *writtest.World, n int, changes []func(*spec.Mandate)) error {
	valid := func(m *spec.Mandate) {
		m.ValidFrom, m.ValidUntil = spec.At(w.Now), spec.At(w.Now.AddDate(0, 1, 0))
	}
	changes = append([]func(*spec.Mandate){ample, valid}, changes...)
	var group sync.WaitGroup
	var failed error
	var once sync.Once
	slots := make(chan struct{}, batch)
	for i := range n {
		m := w.Mandate(append(changes, func(m *spec.Mandate) { m.Name = fmt.Sprintf("Pay AWS invoices, team %d", i) })...)
		sealed, op, docs := issued(w, m, f.roster)
		if i%max(1, n/kept) == 0 {
			f.mandates = append(f.mandates, mandate{sealed.Value, spec.ContentDigest(sealed.Value), sealed.Body.(*spec.Mandate).Terms().SelfExecuted})
		}
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			if _, err := l.journal.Run(ctx, op, func(spec.States, time.Time) ([]spec.Document, error) { return docs, nil }); err != nil {
				once.Do(func() { failed = err })
			}
		})
	}
	group.Wait()
	return failed
}
