package journal

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/log/heads"
	"github.com/writ-trust/writ/spec"
)

func (b *bench) logHeads() int64 {
	b.t.Helper()
	size, err := b.j.LogHeads(context.Background())
	if err != nil {
		b.t.Fatal(err)
	}
	return size
}

// checkHeads replays the log's entries: each heads root is that of the entries before it, and what the journal proves is what the
// replay has.
func (b *bench) checkHeads() {
	b.t.Helper()
	var replay heads.Map
	last := int64(-1)
	for i := range b.log.Size() {
		bytes, err := b.log.Entry(i)
		if err != nil {
			b.t.Fatal(err)
		}
		e, err := spec.ParseEntry(bytes)
		if err != nil {
			b.t.Fatal(err)
		}
		if e.Kind == spec.EntryHeads {
			last = i
			if want := spec.HeadsEntry(replay.Root()).Root; e.Root != want {
				b.t.Fatalf("entry %d has the heads root %s, want %s", i, e.Root, want)
			}
		}
		for _, l := range e.Links {
			if err := replay.Add(chainOf(b.t, l.Chain), heads.Head{Seq: l.Seq, Index: i, Leaf: log.RecordHash(bytes)}); err != nil {
				b.t.Fatal(err)
			}
		}
	}
	if last != b.log.Size()-1 {
		b.t.Fatalf("the newest heads entry is %d of %d", last, b.log.Size())
	}
	root := replay.Root()
	for c, h := range replay.All() {
		s, err := b.j.Heads([]heads.Chain{c, {1}})
		if err != nil || s.Heads[0] != h || s.Heads[1] != (heads.Head{}) || s.Entry != last || s.Root != root {
			b.t.Fatalf("head of %x is %v, want %v: %v", c, s, h, err)
		}
		if err := errors.Join(s.Proofs[0].CheckHead(root, c, h), s.Proofs[1].CheckAbsent(root, heads.Chain{1})); err != nil {
			b.t.Fatal(err)
		}
		r, err := b.j.RecordAt(context.Background(), org, h.Index)
		if err != nil || r.Index != h.Index {
			b.t.Fatalf("the record of entry %d: %v, %v", h.Index, r.Index, err)
		}
	}
	if _, err := b.j.RecordAt(context.Background(), "other", 0); !errors.Is(err, ErrNotFound) {
		b.t.Fatalf("the record of another organisation: %v", err)
	}
}

func chainOf(t *testing.T, id string) heads.Chain {
	t.Helper()
	c, err := spec.DigestBytes(id)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestHeads logs heads between operations, over restarts, and never twice for the same.
func TestHeads(t *testing.T) {
	b := newBench(t)
	if size := b.logHeads(); size != 0 {
		t.Fatalf("an empty log has a heads entry: %d", size)
	}
	if _, err := b.j.Heads(nil); !errors.Is(err, ErrHeadsNotReady) {
		t.Fatalf("a head before any heads entry: %v", err)
	}
	roster := b.found()
	b.logHeads()
	b.checkHeads()
	mandate := b.grant(roster)
	b.verify("invoice-1", "10.00", roster, mandate)
	size := b.logHeads()
	b.checkHeads()
	if again := b.logHeads(); again != size || b.log.Size() != size {
		t.Fatalf("nothing is new, and the log grows from %d to %d", size, b.log.Size())
	}
	b.restart()
	if again := b.logHeads(); again != size {
		t.Fatalf("a start makes a heads entry: %d, %d", size, again)
	}
	b.checkHeads()
	b.verify("invoice-2", "10.00", roster, mandate)
	b.restart() // with entries behind the newest heads entry
	b.verify("invoice-3", "10.00", roster, mandate)
	b.logHeads()
	b.checkHeads()
	b.checkRebuild()
}

// TestHeadsAfterLostTiles stages the same heads entries again where the log lost what was not published.
func TestHeadsAfterLostTiles(t *testing.T) {
	b := newBench(t)
	roster := b.found()
	b.logHeads()
	b.grant(roster)
	b.logHeads()
	before := b.log.CommitCheckpoint()
	b.close()
	for _, path := range []string{"log", "guard"} {
		if err := os.RemoveAll(filepath.Join(b.dir, path)); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.open(); err != nil {
		t.Fatal(err)
	}
	if after := b.log.CommitCheckpoint(); string(after) != string(before) {
		t.Fatalf("the log came back as %s, it was %s", after, before)
	}
	b.logHeads()
	b.checkHeads()
}

// TestOtherHeadsAreRefused changes what the tables say of a chain: the journal does not go on under a root that is not theirs.
func TestOtherHeadsAreRefused(t *testing.T) {
	b := newBench(t)
	b.found()
	b.logHeads()
	if _, err := b.j.writer.exec(context.Background(), `DELETE FROM link WHERE seq = (SELECT max(seq) FROM link)`); err != nil {
		t.Fatal(err)
	}
	b.j.Close()
	b.log.Close()
	if err := b.open(); err != nil {
		t.Fatal(err)
	}
	<-b.j.Failed()
	if _, err := b.j.LogHeads(context.Background()); !errors.As(err, new(*IndeterminateError)) {
		t.Fatalf("heads of another history: %v", err)
	}
}

// TestHeadsEveryOperationFails logs heads while each operation of the database fails in turn, before it is done and after: whatever
// was answered stands, and after a restart the heads are those of the entries.
func TestHeadsEveryOperationFails(t *testing.T) {
	s := newScene(t)
	for _, after := range []bool{false, true} {
		for n := int64(1); ; n++ {
			faults := &seam{after: after}
			b := s.from(t, func(o *Options) { o.wrap = faults.wrap })
			b.logHeads()
			b.verify("invoice-1", "10.00", s.roster, s.mandate)
			last := faults.count.Load() + n
			faults.at.Store(last)
			size, err := b.j.LogHeads(context.Background())
			fired := faults.count.Load() >= last
			if err != nil && !errors.As(err, new(*IndeterminateError)) {
				t.Fatalf("operation %d: %v", n, err)
			}
			b.restart()
			if err == nil && b.log.Size() != size {
				t.Fatalf("operation %d: answered %d, then %d", n, size, b.log.Size())
			}
			b.logHeads()
			b.checkHeads()
			b.close()
			if !fired {
				break
			}
		}
	}
}
