package journal

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"database/sql/driver"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
)

const nextOrigin = writtest.Origin + "-next"

// nextSigner is the key of a log that carries the bench's on.
func nextSigner(t *testing.T) *log.Signer {
	t.Helper()
	seed := sha256.Sum256([]byte(nextOrigin))
	private := ed25519.NewKeyFromSeed(seed[:])
	s, err := log.NewSigner(nextOrigin, private.Public().(ed25519.PublicKey), func(text []byte) ([]byte, error) { return ed25519.Sign(private, text), nil })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// open opens a database under the log that carries on the bench's own from a size on.
func (b *bench) openNext(path, dir, guard string, size int64) (*Journal, *log.Log, error) {
	b.t.Helper()
	l, err := log.Open(log.Options{Dir: dir, Guard: guard, Signer: nextSigner(b.t)})
	if err != nil {
		return nil, nil, err
	}
	o := Options{Path: path, Log: l, Now: func() time.Time { return b.Now }, Random: b, Sign: b.SignUnsigned,
		Carry: &Carry{nextOrigin, spec.Successor(writtest.Origin, b.LogSigner().Verifier.String(), size)}}
	j, err := Open(context.Background(), o)
	if err != nil {
		l.Close()
		return nil, nil, err
	}
	return j, l, nil
}

// TestBackupIsNoLedger: a backup made under load has the ledger as it was at one moment, and nothing starts on it. Restored it is carried
// on by another log alone, whose tiles are made of the entries.
func TestBackupIsNoLedger(t *testing.T) {
	b := newBench(t)
	roster := b.found()
	mandate := b.grant(roster)
	ctx, dir := context.Background(), t.TempDir()
	paths := []string{filepath.Join(dir, "first.db"), filepath.Join(dir, "second.db")}
	var requests []request
	for _, key := range []string{"invoice-1", "invoice-2", "invoice-3", "invoice-4", "invoice-5", "invoice-6", "invoice-7", "invoice-8"} {
		requests = append(requests, b.request(key, "1.00", roster, mandate))
	}
	var load sync.WaitGroup
	load.Go(func() {
		for _, r := range requests {
			if _, err := b.j.Run(ctx, r.op, r.f); err != nil {
				t.Error(err)
			}
		}
	})
	var head log.Checkpoint
	for _, path := range paths {
		var err error
		if head, err = Backup(ctx, filepath.Join(b.dir, "journal.db"), path, 1); err != nil {
			t.Fatal(err)
		}
	}
	load.Wait()
	if c, err := b.log.CheckpointAt(head.Size); err != nil || c != head {
		t.Errorf("the backup says %v, the log had %v at that size (%v)", head, c, err)
	}
	if _, err := Backup(ctx, filepath.Join(b.dir, "journal.db"), paths[0], 1); !errors.Is(err, os.ErrExist) {
		t.Errorf("a backup is written over another: %v", err)
	}

	_, _, err := b.openNext(paths[1], filepath.Join(dir, "log"), filepath.Join(dir, "guard", "checkpoint"), head.Size)
	if reason(err) != "database-copy" {
		t.Errorf("a backup is started: %v", err)
	}
	b.underToday(paths[1], "database-copy")

	restored := filepath.Join(dir, "restored.db")
	if c, err := Restore(ctx, paths[1], restored); err != nil || c != head {
		t.Fatalf("restored it says %v, want %v (%v)", c, head, err)
	}
	_, _, err = b.openNext(restored, filepath.Join(dir, "log-1"), filepath.Join(dir, "guard-1", "checkpoint"), head.Size-1)
	if reason(err) != "log-other" {
		t.Errorf("it is carried on from another size: %v", err)
	}
	j, l, err := b.openNext(restored, filepath.Join(dir, "log-2"), filepath.Join(dir, "guard-2", "checkpoint"), head.Size)
	if err != nil {
		t.Fatal(err)
	}
	b.close()
	b.j, b.log = j, l
	if b.log.Size() != head.Size+1 {
		t.Errorf("the successor has %d entries, want those of the backup and its own first", b.log.Size())
	}
	b.checkRebuild()
	b.verify("after-the-restore", "1.00", roster, mandate)
	b.checkRebuild()
	if all, err := b.j.Successors(ctx); err != nil || len(all) != 1 || all[0].Index != head.Size || all[0].Entry.Origin != writtest.Origin {
		t.Errorf("it carries on %v (%v)", all, err)
	}
}

// underToday puts a database in place of the bench's, under its log as it is.
func (b *bench) underToday(path, want string) {
	b.t.Helper()
	b.close()
	today, mine := filepath.Join(b.dir, "journal.db"), filepath.Join(b.dir, "mine.db")
	data, err := os.ReadFile(path)
	if err == nil {
		err = errors.Join(os.Rename(today, mine), os.WriteFile(today, data, 0o600))
	}
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.open(); reason(err) != want {
		b.t.Errorf("under today's log: %v, want %s", err, want)
	}
	b.close()
	if err := errors.Join(os.Rename(mine, today), b.open()); err != nil {
		b.t.Fatal(err)
	}
}

// TestFreezeIsOnce: whatever operation of the database fails while a log is ended, before it is done or behind it, the log ends with one
// entry that names its successor, and signs nothing behind it.
func TestFreezeIsOnce(t *testing.T) {
	for _, after := range []bool{false, true} {
		for n := int64(1); ; n++ {
			s := &seam{after: after}
			if !freezeFailing(t, s, n) {
				break
			}
			if n > 60 {
				t.Fatal("freezing takes more than 60 operations")
			}
		}
	}
}

// freezeFailing ends a log while the nth operation fails; it says whether there were so many.
func freezeFailing(t *testing.T, s *seam, n int64) bool {
	b := newBench(t, func(o *Options) {
		o.wrap = func(c driver.Connector) driver.Connector { return faultyConnector{c, s} }
	})
	defer b.close()
	b.found()
	ctx, size := context.Background(), b.log.Size()
	next := nextSigner(t)
	s.at.Store(s.count.Load() + n)
	_, failed := b.j.Freeze(ctx, nextOrigin, next.Verifier.String())
	reached := s.count.Load() >= s.at.Load()
	s.at.Store(0)
	b.close()
	err := b.open()
	if err == nil {
		if failed == nil {
			t.Errorf("operation %d: a log that has ended is opened", n)
		}
		if _, err = b.j.Freeze(ctx, nextOrigin, next.Verifier.String()); err != nil {
			t.Fatalf("operation %d: again: %v", n, err)
		}
		if _, err := b.run(spec.Op{Write: []spec.ChainRef{{Content: "x"}}}); reason(err) != "log-frozen" && reason(err) != "indeterminate" {
			t.Errorf("operation %d: behind the end: %v", n, err)
		}
		b.close()
		err = b.open()
	}
	if reason(err) != "log-frozen" {
		t.Fatalf("operation %d: %v, want log-frozen", n, err)
	}
	if c, err := Tip(ctx, filepath.Join(b.dir, "journal.db")); err != nil || c.Size != size+2 {
		t.Errorf("operation %d: the log has %d entries, want %d, heads and one (%v)", n, c.Size, size, err)
	}
	return reached
}

// TestReadOnly: what is there is answered, and nothing is written.
func TestReadOnly(t *testing.T) {
	readOnly := false
	b := newBench(t, func(o *Options) { o.ReadOnly = readOnly })
	roster := b.found()
	mandate := b.grant(roster)
	decision := b.verify("invoice-1", "1.00", roster, mandate).Last().Document
	b.close()
	readOnly = true
	if err := b.open(); err != nil {
		t.Fatal(err)
	}
	if r, err := b.j.Record(context.Background(), org, decision.Digest); err != nil || len(r.Proof) == 0 {
		t.Errorf("the decision: %v", err)
	}
	size := b.log.Size()
	if _, err := b.decide(b.request("invoice-2", "1.00", roster, mandate)); !errors.Is(err, ErrReadOnly) {
		t.Errorf("a request: %v", err)
	}
	if err := b.j.PutOrg(context.Background(), Org{ID: "org"}); !errors.Is(err, ErrReadOnly) {
		t.Errorf("an organisation: %v", err)
	}
	if b.log.Size() != size {
		t.Error("the log has grown")
	}
}

// TestDatabaseFull: where the database may not grow an operation gets an error and leaves nothing; once it may, the same one succeeds.
func TestDatabaseFull(t *testing.T) {
	b := newBench(t)
	roster := b.found()
	mandate := b.grant(roster)
	ctx := context.Background()
	limit := func(pages string) {
		t.Helper()
		b.j.writing.Lock()
		defer b.j.writing.Unlock()
		if _, err := b.j.writer.conn.ExecContext(ctx, "PRAGMA max_page_count = "+pages); err != nil {
			t.Fatal(err)
		}
	}
	limit("1") // the pages that there are
	for i := range 100 {
		size := b.log.Size()
		r := b.request("invoice-"+strconv.Itoa(i), "1.00", roster, mandate)
		_, err := b.decide(r)
		if err == nil {
			continue // in pages that were there
		}
		if reason(err) != "indeterminate" || b.log.Size() != size {
			t.Fatalf("with a full database: %v, %d entries more", err, b.log.Size()-size)
		}
		limit("1000000")
		if _, err := b.decide(r); err != nil {
			t.Errorf("once there is room: %v", err)
		}
		b.checkRebuild()
		return
	}
	t.Error("the database never was full")
}
