package log

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// reference is the tree of all test entries, which every journal here is a prefix of, as other people's code keeps it.
var reference = &foreignTree{}

// world is a journal, a disk, and everything that anybody has seen of the log.
type world struct {
	t       *testing.T
	disk    *disk
	journal [][]byte       // durable: what stands at which index, for ever
	signed  map[int64]Hash // all that the key ever signed
	shown   int64          // largest size published
	log     *Log
}

func newWorld(t *testing.T, d *disk) *world {
	return &world{t: t, disk: d, signed: map[int64]Hash{}}
}

func (w *world) options() Options {
	o := diskOptions(w.disk)
	o.Signer = testSigner(1, func(text string) {
		c, err := ParseCheckpoint(text)
		if err != nil {
			w.t.Fatal(err)
		}
		if root, ok := w.signed[c.Size]; ok && root != c.Root {
			w.t.Fatalf("two roots signed for size %d", c.Size)
		}
		w.signed[c.Size] = c.Root
	})
	return o
}

// open opens the log and stages what the journal has beyond it.
func (w *world) open() error {
	l, err := Open(w.options())
	if err != nil {
		return err
	}
	w.log = l
	if l.Size() < w.shown {
		w.t.Fatalf("%d entries after a start, %d were published", l.Size(), w.shown)
	}
	w.shown = l.Size()
	for size := l.Size(); size < int64(len(w.journal)); size = l.Size() {
		if err := w.follow(min(size+100, int64(len(w.journal)))); err != nil {
			return err
		}
	}
	return nil
}

// follow stages and keeps the journal's entries up to a size.
func (w *world) follow(size int64) error {
	c, err := w.log.Stage(w.log.Size(), w.journal[w.log.Size():size])
	if err != nil {
		return err
	}
	return w.log.Keep(ctx, c)
}

func (w *world) commit(n int64) error {
	w.journal = append(w.journal, testEntries(int64(len(w.journal)), n)...)
	return w.follow(int64(len(w.journal)))
}

func (w *world) publish() error {
	signed, err := w.log.Publish(ctx)
	if err != nil {
		return err
	}
	c, err := ReadCheckpoint(signed)
	w.shown = c.Size
	return err
}

// check compares all that was signed, and all that is served, with the journal.
func (w *world) check() {
	w.t.Helper()
	f := reference
	for f.size < int64(len(w.journal)) {
		f.add(w.t, testEntry(f.size))
	}
	for size, root := range w.signed {
		if size > 0 && f.root(w.t, size) != root {
			w.t.Fatalf("a checkpoint of size %d was signed that the log does not continue", size)
		}
	}
	if w.shown != int64(len(w.journal)) {
		w.t.Fatalf("%d entries published, want %d", w.shown, len(w.journal))
	}
	checkForeignTiles(w.t, w.log, f, w.shown)
	checkBundles(w.t, w.log, w.shown)
}

// story is the recorded run: it crosses tile boundaries, publishes with and without new entries, and opens again.
func (w *world) story() error {
	steps := []func() error{
		w.open,
		func() error { return w.commit(1) },
		func() error { return w.commit(2) }, w.publish,
		func() error { return w.commit(250) }, w.publish, w.publish,
		func() error { return w.commit(3) }, w.publish, // 256: a full tile
		func() error { return w.commit(1) },
		func() error { return w.commit(260) }, w.publish,
		func() error { return w.log.Close() }, w.open,
		func() error { return w.commit(5) },
		func() error { return w.commit(7) }, w.publish,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// recover starts again after a fault and brings everything to the journal's state.
func (w *world) recover(name string) {
	w.t.Helper()
	for _, step := range []func() error{w.open, func() error { return w.commit(2) }, w.publish} {
		if err := step(); err != nil {
			w.t.Fatalf("%s: start after it: %v", name, err)
		}
	}
	w.check()
}

// TestEveryOperationFault lets each file operation of a recorded run fail in each way, ends the process there, cuts
// the power or not, and starts again.
func TestEveryOperationFault(t *testing.T) {
	recorded := newWorld(t, newDisk())
	if err := recorded.story(); err != nil {
		t.Fatal(err)
	}
	trace := slices.Clone(recorded.disk.trace)
	recorded.check()
	if len(trace) < 80 {
		t.Fatalf("only %d operations recorded", len(trace))
	}
	runs := 0
	for at, op := range trace {
		for fault := range faultKinds {
			for _, keep := range []float64{-1, 0, 0.6, 1} {
				runs++
				runFault(t, at+1, op, fault, keep)
			}
		}
	}
	t.Logf("%d operations, %d runs", len(trace), runs)
}

// runFault is one run; keep < 0 means that the power goes only after another start.
func runFault(t *testing.T, at int, op string, fault faultKind, keep float64) {
	t.Helper()
	name := fmt.Sprintf("operation %d (%s), fault %d, keep %v", at, op, fault, keep)
	w := newWorld(t, newDisk())
	w.disk.faultAt, w.disk.fault = at, fault
	err := w.story()
	if err == nil {
		t.Fatalf("%s: nobody noticed", name)
	}
	if err != nil && w.log != nil && op == "sync" && w.log.fatal == nil {
		t.Fatalf("%s: %v is not fatal", name, err)
	}
	r := rand.New(rand.NewPCG(uint64(at), uint64(fault)))
	if keep < 0 && !w.disk.off {
		w.disk.restart()
		if err := w.open(); err != nil {
			t.Fatalf("%s: start after it: %v", name, err)
		}
	}
	w.disk.cutPower(r, max(keep, 0))
	w.recover(name)
}

// TestManyCrashes lets one log live through one crash after another.
func TestManyCrashes(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 0))
		w := newWorld(t, newDisk())
		for range 15 {
			w.disk.faultAt, w.disk.fault = w.disk.ops+1+r.IntN(60), faultKind(r.IntN(int(faultKinds)))
			w.live(r)
			if r.IntN(4) == 0 && !w.disk.off {
				w.disk.restart()
			} else {
				w.disk.cutPower(r, r.Float64())
			}
		}
		w.recover(fmt.Sprintf("seed %d", seed))
	}
}

// live works until something fails.
func (w *world) live(r *rand.Rand) {
	if w.open() != nil {
		return
	}
	for range 30 {
		if w.commit(1+r.Int64N(60)) != nil || r.IntN(3) == 0 && w.publish() != nil {
			return
		}
	}
}

// TestDiskLosesWhatIsNotSynced proves the harness: a log whose tiles are not synced must be caught.
func TestDiskLosesWhatIsNotSynced(t *testing.T) {
	d := newDisk()
	w := newWorld(t, d)
	for _, err := range []error{w.open(), w.commit(300), w.publish(), w.commit(10)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	w.log.store.take() // forgets to sync
	if err := w.publish(); err != nil {
		t.Fatal(err)
	}
	d.cutPower(rand.New(rand.NewPCG(1, 1)), 0)
	_, err := Open(w.options())
	wantReason(t, err, "log-behind-guard")
}

func TestFailedSyncIsFatal(t *testing.T) {
	for at := 1; at <= 12; at++ {
		d := newDisk()
		l := openTest(t, diskOptions(d))
		grow(t, l, 3)
		d.faultAt, d.fault = d.ops+at, failBefore
		_, err := l.Publish(ctx)
		if d.ops < d.faultAt {
			break
		}
		if !errors.Is(err, ErrFatal) || !errors.Is(err, errInjected) {
			t.Errorf("%s: %v", d.trace[d.ops-1], err)
		}
		checkRefusesAll(t, l, ErrFatal)
	}
}

// TestRestagingWritesTheSameBytes compares the files after a crash with those of a log that had none.
func TestRestagingWritesTheSameBytes(t *testing.T) {
	calm, crashed := newWorld(t, newDisk()), newWorld(t, newDisk())
	for _, w := range []*world{calm, crashed} {
		for _, err := range []error{w.open(), w.commit(200), w.publish(), w.commit(90)} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	crashed.disk.cutPower(rand.New(rand.NewPCG(3, 3)), 0.5)
	for _, w := range []*world{calm, crashed} {
		if w == crashed {
			if err := w.open(); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.publish(); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(calm.log.Published(), crashed.log.Published()) {
		t.Error("the checkpoints differ")
	}
	for name, n := range calm.disk.names {
		if other := crashed.disk.names[name]; other == nil || !bytes.Equal(n.data, other.data) {
			t.Errorf("%s differs", name)
		}
	}
}
