package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/writ-trust/writ"
	"github.com/writ-trust/writ/internal/powercut"
	"github.com/writ-trust/writ/log"
)

// outage is the load on a server whose data folder is on a disk that forgets, at a power cut, what was not synced.
type outage struct {
	*load
	disk    *powercut.Disk
	luck    *mathrand.Rand
	unmount func() error
	lost    powercut.Lost
	checked map[string]bool // digests of answers that were read again

	published atomic.Int64 // size of the largest checkpoint that was ever published
}

// newOutage is nil where nothing can be mounted and nobody requires it: the output says so.
func newOutage(t *testing.T) *outage {
	t.Helper()
	program, err := exec.LookPath("writ")
	if err != nil {
		t.Fatal(err)
	}
	sys := &system{now: time.Now, random: rand.Reader, out: io.Discard, err: io.Discard}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	o := &outage{disk: powercut.NewDisk(), luck: mathrand.New(mathrand.NewPCG(seed, 0)), checked: map[string]bool{}, load: &load{t: t, program: program,
		story: &story{sys: sys, dir: t.TempDir(), out: t.TempDir()}, address: "127.0.0.1:0",
		answers: map[string]writ.Answer{}, executed: map[string]int64{}, sizes: map[int64]log.Hash{}}}
	o.must(os.Mkdir(filepath.Join(o.dir, "data"), 0o700))
	if err := o.mount(); err != nil {
		if powercut.Required(os.Getenv) {
			t.Fatal(err)
		}
		fmt.Printf("NOT CHECKED: power cuts under writ serve (%v)\n", err)
		return nil
	}
	t.Cleanup(func() { o.must(o.unmount()) })
	o.serve()
	t.Cleanup(func() { o.server.command.Process.Kill(); o.server.command.Wait() })
	return o
}

func (o *outage) mount() (err error) {
	o.unmount, err = o.disk.Mount(filepath.Join(o.dir, "data"))
	return err
}

// cut lets the power go after so many more changes of the disk, and starts the server again on what is left.
func (o *outage) cut(after int, loss powercut.Loss) {
	o.t.Helper()
	select {
	case <-o.disk.PowerOff(after):
	case <-time.After(20 * time.Second):
		o.t.Fatalf("the server does not change the disk %d times", after)
	}
	o.must(o.server.command.Process.Kill())
	o.disk.Release()
	o.server.command.Wait()
	o.must(o.unmount())
	o.lost = o.lost.Add(o.disk.Cut(loss, o.luck))
	o.must(o.mount())
	o.guarded()
	o.serve()
}

// acknowledged waits until so many more documents are: a slow machine has the same load, later.
func (l *load) acknowledged(more int) {
	l.t.Helper()
	count := func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.records)
	}
	for end, deadline := count()+more, time.Now().Add(time.Minute); count() < end; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			l.t.Fatalf("the server acknowledges less than %d documents a minute", more)
		}
	}
}

// watch reads what is published, as the world does, and keeps it for the audit.
func (o *outage) watch(ctx context.Context) {
	for ; ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
		if signed, err := o.acme.Tile(ctx, "checkpoint"); err == nil {
			o.saw(signed)
		}
	}
}

func (o *outage) saw(signed []byte) log.Checkpoint {
	c, err := o.policy.Verify(signed, o.ledger.Log.Origin)
	if err != nil {
		o.t.Errorf("a checkpoint does not hold: %v", err)
		return c
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if root, seen := o.sizes[c.Size]; seen && root != c.Root {
		o.t.Errorf("two roots at size %d", c.Size)
	}
	o.sizes[c.Size] = c.Root
	o.published.Store(max(o.published.Load(), c.Size))
	return c
}

// seesPublished looks once, when nothing else goes on: the next cut comes after it.
func (o *outage) seesPublished(ctx context.Context) error {
	signed, err := o.acme.Tile(ctx, "checkpoint")
	if err == nil {
		o.saw(signed)
	}
	return err
}

// guarded: what was published is in the guard, which is the only one to know that the rest is an old copy.
func (o *outage) guarded() {
	o.t.Helper()
	published := o.published.Load()
	signed, err := os.ReadFile(filepath.Join(o.dir, "data", guardFile))
	o.must(err)
	if c := o.saw(signed); c.Size < published {
		o.t.Errorf("after the cut the guard knows of %d entries, and %d were published", c.Size, published)
	}
}

// survived holds everything that was ever acknowledged against the log, and reads each new answer again.
func (o *outage) survived(ctx context.Context) {
	o.t.Helper()
	o.history(ctx)
	for key, a := range o.answers {
		if o.checked[a.Digest] {
			continue
		}
		again, err := o.acme.Decision(ctx, a.Digest)
		if err != nil || again.Record.Index != a.Record.Index || again.Record.Salt != a.Record.Salt {
			o.t.Fatalf("%s was answered at entry %d, and after the cut %d: %v", key, a.Record.Index, again.Record.Index, err)
		}
		o.checked[a.Digest] = true
	}
}

// powerCuts is how many cuts TestPowerCuts makes, unless WRIT_CUTS says otherwise; cutsEach how many at most one server lives through,
// so that its mandate has something left; cutClients how many clients call it.
const (
	powerCuts  = 5
	cutsEach   = 10
	cutClients = 16
)

// TestPowerCuts: the power goes under load, again and again, in the middle of what the disk is doing. Every acknowledged document is
// there, with a proof that is consistent with each checkpoint seen before; no index is given twice; and callers who ask again get the
// same answers. Clients go on asking through the cut and a moment after it.
func TestPowerCuts(t *testing.T) {
	cuts := powerCuts
	if asked, err := strconv.Atoi(os.Getenv("WRIT_CUTS")); err == nil {
		cuts = asked
	}
	for first := 0; first < cuts; first += cutsEach {
		t.Run("", func(t *testing.T) {
			if o := newOutage(t); o != nil {
				o.rounds(first, min(cuts, first+cutsEach))
			}
		})
	}
}

// rounds cuts the power under load, and checks what is left, from round to round.
func (o *outage) rounds(first, end int) {
	o.must(o.enrol(o.t.Context()))
	o.must(o.mandateUpTo(o.t.Context(), "35000.00")) // and 15000 of lifts: as much as the roster lets both approve
	for round := first; round < end; round++ {
		ctx, cancel := context.WithCancel(o.t.Context())
		var group sync.WaitGroup
		for id := range cutClients {
			group.Go(func() { o.worker(round*cutClients + id).run(ctx) })
		}
		group.Go(func() { o.watch(ctx) })
		o.acknowledged(20 + o.luck.IntN(80))
		o.cut(1+o.luck.IntN(60), powercut.Loss(round)%powercut.Losses)
		o.acknowledged(20)
		cancel()
		group.Wait()
		o.survived(o.t.Context())
		o.must(o.seesPublished(o.t.Context()))
	}
	if o.lost.Writes == 0 {
		o.t.Error("no cut undid anything")
	}
	o.t.Logf("%d cuts undid %d writes and %d names, and tore %d writes", end-first, o.lost.Writes, o.lost.Names, o.lost.Torn)
	o.audit(o.t.Context())
}

// TestPowerCutWhileNew: the power goes as soon as a new server has acknowledged something, when its files have only just been made.
func TestPowerCutWhileNew(t *testing.T) {
	for loss := range powercut.Losses {
		o := newOutage(t)
		if o == nil {
			return
		}
		o.must(o.enrol(t.Context()))
		o.cut(0, loss)
		roster, err := o.acme.Roster(t.Context(), acme)
		if err != nil || len(roster.Versions) != 1 {
			t.Errorf("loss %d: the roster that was acknowledged has %d versions: %v", loss, len(roster.Versions), err)
		}
	}
}
