package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/keys"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
)

// TestSucceedCutShort: wherever ending a log is cut short, another run finishes it: one successor, one entry on each side, nothing signed
// twice. In between no server that decides starts on a log that has ended.
func TestSucceedCutShort(t *testing.T) {
	t.Setenv("WRIT_PASSPHRASE", "for this test")
	stages := []func(*testing.T, *system, string){nothingDone, frozen, guarded, switched}
	for i, stage := range stages {
		dir := filepath.Join(t.TempDir(), "data")
		sys := &system{out: io.Discard, err: io.Discard, now: time.Now, random: rand.Reader}
		newLedger(t, sys, dir)
		stage(t, sys, dir)
		var out bytes.Buffer
		sys.out = &out
		if err := (&logSucceedCmd{dataArg: dataArg{dir}}).Run(sys); err != nil {
			t.Fatalf("stage %d: %v", i, err)
		}
		signed, err := publishedIn(dir)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := log.ReadCheckpoint(signed); err != nil || c.Origin != "writ.acme.example/log2" || c.Size != 3 {
			t.Errorf("stage %d: published %s of %d entries (%v)", i, c.Origin, c.Size, err)
		}
		if !strings.HasPrefix(out.String(), "retired writ.acme.example/log1 1\nlog writ.acme.example/log2+") {
			t.Errorf("stage %d: it says %q", i, out.String())
		}
		linked(t, sys, dir)
	}
}

// TestSucceedTwice: a log to which nothing but its beginning was added is not ended by another run.
func TestSucceedTwice(t *testing.T) {
	t.Setenv("WRIT_PASSPHRASE", "for this test")
	dir := filepath.Join(t.TempDir(), "data")
	sys := &system{out: io.Discard, err: io.Discard, now: time.Now, random: rand.Reader}
	newLedger(t, sys, dir)
	for range 3 {
		check(t, (&logSucceedCmd{dataArg: dataArg{dir}}).Run(sys))
		linked(t, sys, dir)
	}
}

func newLedger(t *testing.T, sys *system, dir string) {
	t.Helper()
	check(t, makeFolder(dir))
	store, err := keys.CreateStore(filepath.Join(dir, keysFile), os.Getenv("WRIT_PASSPHRASE"), keys.Options{WorkFactor: 10}) // quick to open
	check(t, err)
	check(t, (&folder{keys: store}).makeKeys(sys))
	next, err := keys.Generate(keys.Ed25519, sys.random)
	check(t, err)
	check(t, store.Add(map[string]*keys.Signer{"log/2": next})) // as the run that was cut short had it
	f, err := openFolder(sys, &settings{Data: dir, DID: "did:web:writ.acme.example"})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.lock.Close(); err != nil {
		t.Fatal(err)
	}
}

// linked finds the two entries that link the logs, the heads behind them, and nothing else.
func linked(t *testing.T, sys *system, dir string) {
	t.Helper()
	on(t, sys, dir, true, func(l *ledger) {
		if size := l.log.Size(); size != 3 {
			t.Errorf("%d entries", size)
		}
		for index := range int64(3) {
			data, err := l.log.Entry(index)
			if err != nil {
				t.Fatal(err)
			}
			e, err := spec.ParseEntry(data)
			if err != nil || e.Ends(index) != (index == 0) || e.Carries(index) != (index == 1) || (e.Kind == spec.EntryHeads) != (index == 2) {
				t.Errorf("entry %d is %s (%v)", index, data, err)
			}
		}
		if len(l.Retired) != 1 || l.Next != nil {
			t.Errorf("the ledger knows %d retired logs and a next one %v", len(l.Retired), l.Next)
		}
	})
}

// on works on an open data folder.
func on(t *testing.T, sys *system, dir string, readOnly bool, work func(*ledger)) {
	t.Helper()
	l, err := openData(context.Background(), sys, dir, readOnly)
	if err != nil {
		t.Fatal(err)
	}
	work(l)
	if err := l.close(); err != nil {
		t.Fatal(err)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The stages at which a run may be cut short, each with what came before it.
func nothingDone(*testing.T, *system, string) {}

func named(t *testing.T, sys *system, dir string) {
	on(t, sys, dir, false, func(l *ledger) { check(t, l.nextLog(sys, "")) })
}

func frozen(t *testing.T, sys *system, dir string) {
	named(t, sys, dir)
	on(t, sys, dir, false, func(l *ledger) { check(t, l.freeze(t.Context())) })
	if _, err := openData(t.Context(), sys, dir, false); reasonOf(err) != "log-frozen" {
		t.Errorf("a log that has ended is opened: %v", err)
	}
}

func frozenAndPublished(t *testing.T, sys *system, dir string) {
	frozen(t, sys, dir)
	on(t, sys, dir, true, func(l *ledger) {
		_, err := l.log.Publish(t.Context())
		check(t, err)
	})
}

func guarded(t *testing.T, sys *system, dir string) {
	frozenAndPublished(t, sys, dir)
	before, err := os.ReadFile(filepath.Join(dir, identityFile))
	check(t, err)
	check(t, (&logSucceedCmd{dataArg: dataArg{dir}}).switchTo(sys, 1))
	check(t, replace(filepath.Join(dir, identityFile), before))
}

func switched(t *testing.T, sys *system, dir string) {
	frozenAndPublished(t, sys, dir)
	check(t, (&logSucceedCmd{dataArg: dataArg{dir}}).switchTo(sys, 1))
}
