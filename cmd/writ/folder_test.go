package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/writtest"
)

// TestTrustFile: absent or broken it trusts nobody, and what it says counts from when it is there.
func TestTrustFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), trustName)
	f := newTrustFile(path, slog.New(slog.DiscardHandler))
	w := writtest.Acme(t.Name())
	good := batchTrust(w, w.Roster())
	for _, row := range []struct {
		name  string
		write []byte // nil removes it
		owner string
	}{
		{"absent", nil, ""}, {"good", good, writtest.Grantor}, {"broken", good[1:], ""}, {"good again", good, writtest.Grantor},
		{"cut short", good[:len(good)/2], ""}, {"gone", nil, ""},
	} {
		if row.write == nil {
			os.Remove(path)
		} else if err := replace(path, row.write); err != nil {
			t.Fatal(err)
		}
		if got := f.get().Owner(writtest.Account); got != row.owner {
			t.Errorf("%s: the account is %q's, want %q's", row.name, got, row.owner)
		}
		if got := f.get().Roster(writtest.Grantor) != ""; got != (row.owner != "") {
			t.Errorf("%s: a roster is pinned: %v", row.name, got)
		}
	}
}

// TestBoots: the database that was started last may start again, also after a crash at any point of a start; an older one may not.
func TestBoots(t *testing.T) {
	f := &folder{dir: t.TempDir()}
	for _, sub := range []string{"journal", "guard"} {
		if err := os.MkdirAll(f.path(sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	random := writtest.Acme(t.Name())
	start := func() error {
		last, err := f.checkBoot()
		if err != nil {
			return err
		}
		return f.markBoot(last, random)
	}
	copyOf := func(name string) []byte {
		data, err := os.ReadFile(f.path(name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	if err := errors.Join(start(), start()); err != nil {
		t.Fatal(err)
	}
	old := copyOf(journalBoot)
	if err := f.writeBoots(string(old), "next"); err != nil { // a crash after the guard learned of the next start
		t.Fatal(err)
	}
	if err := start(); err != nil {
		t.Errorf("after a crash before the journal's side: %v", err)
	}
	if err := f.writeBoots(string(old), string(copyOf(journalBoot))); err != nil { // a crash before the guard forgot the old
		t.Fatal(err)
	}
	if err := start(); err != nil {
		t.Errorf("after a crash before the guard's last word: %v", err)
	}
	if err := replace(f.path(journalBoot), old); err != nil {
		t.Fatal(err)
	}
	var refusal *exit
	if err := start(); !errors.As(err, &refusal) || refusal.code != exitRefused {
		t.Errorf("a restored database: %v", err)
	}
}

// TestAwaitDay: in the last half minute of a day in Lisbon the story waits, and says so; otherwise it does not.
func TestAwaitDay(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, row := range []struct {
		now   string
		waits bool
	}{
		{"2026-07-01T22:59:29Z", false}, {"2026-07-01T22:59:31Z", true}, {"2026-07-01T23:59:31Z", false}, {"2026-12-01T23:59:45Z", true},
	} {
		now, err := time.Parse(time.RFC3339, row.now)
		if err != nil {
			t.Fatal(err)
		}
		var said bytes.Buffer
		err = awaitDay(ended, &system{err: &said, now: func() time.Time { return now }})
		if errors.Is(err, errInterrupted) != row.waits || strings.Contains(said.String(), "ends in") != row.waits {
			t.Errorf("%s: %v, %q", row.now, err, said.String())
		}
	}
}
