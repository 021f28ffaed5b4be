package log

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

func openAppender(t testing.TB, o Options) *Appender {
	t.Helper()
	a, err := OpenAppender(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

// stranger is a caller of an Appender with all that anybody was told by it.
type stranger struct {
	t      *testing.T
	disk   *disk
	signed map[int64]Hash   // all that the key ever signed
	told   map[int64][]byte // entries by index, each with a proof that held
	shown  int64            // largest size published
	made   int64            // entries made so far: each is another
	a      *Appender
}

func newStranger(t *testing.T) *stranger {
	return &stranger{t: t, disk: newDisk(), signed: map[int64]Hash{}, told: map[int64][]byte{}}
}

func (s *stranger) open() error {
	o := diskOptions(s.disk)
	o.Signer = testSigner(1, func(text string) {
		c, err := ParseCheckpoint(text)
		if err != nil {
			s.t.Fatal(err)
		}
		if root, ok := s.signed[c.Size]; ok && root != c.Root {
			s.t.Fatalf("two roots signed for size %d", c.Size)
		}
		s.signed[c.Size] = c.Root
	})
	a, err := OpenAppender(o)
	if err != nil {
		return err
	}
	s.a = a
	if size := a.log.Size(); size < s.shown {
		s.t.Fatalf("%d entries after a start, %d were published", size, s.shown)
	}
	s.shown = a.log.published.Size
	return nil
}

// append sends n entries that share a batch.
func (s *stranger) append(n int64) error {
	b, entries := &batch{done: make(chan struct{}), leaves: n}, testEntries(s.made, n)
	s.made += n
	for _, e := range entries {
		b.bundle = AppendEntry(b.bundle, e)
	}
	s.a.mu.Lock()
	s.a.waiting = append(s.a.waiting, b)
	select {
	case s.a.wake <- struct{}{}:
	default: // it is awake
	}
	s.a.mu.Unlock()
	<-b.done
	if b.err != nil {
		return b.err
	}
	for i, e := range entries {
		s.hear(b, int64(i), e)
	}
	s.hold(b, 0)
	s.hold(b, n-1)
	return nil
}

// hear takes an answer.
func (s *stranger) hear(b *batch, at int64, entry []byte) {
	s.t.Helper()
	index := b.first + at
	if other, twice := s.told[index]; twice {
		s.t.Fatalf("index %d was given to %q, now to %q", index, other, entry)
	}
	s.told[index] = entry
}

// hold checks the proof in an answer.
func (s *stranger) hold(b *batch, at int64) {
	s.t.Helper()
	text, err := s.a.log.prove(b.view, b.first+at, b.view.newest)
	if err != nil {
		s.t.Fatal(err)
	}
	checkProof(s.t, text, b.first+at, s.told[b.first+at])
}

func checkProof(t *testing.T, text []byte, index int64, entry []byte) Checkpoint {
	t.Helper()
	p, err := ParseProof(text)
	if err != nil {
		t.Fatal(err)
	}
	c, err := CheckInclusion(p, RecordHash(entry), testOrigin, testPolicy())
	if err != nil || p.Index != index {
		t.Fatalf("the proof of entry %d is of %d: %v", index, p.Index, err)
	}
	return c
}

func (s *stranger) publish() error {
	signed, err := s.a.Publish(ctx)
	if err != nil {
		return err
	}
	c, err := ReadCheckpoint(signed)
	s.shown = c.Size
	return err
}

func (s *stranger) restart() error {
	if err := s.a.Close(); err != nil {
		return err
	}
	return s.open()
}

// story is the recorded run: batches small and large, published now and then, with a start in the middle that has what to bring back.
func (s *stranger) story() error {
	append := func(n int64) func() error { return func() error { return s.append(n) } }
	steps := []func() error{
		s.open, append(1), append(2), s.publish, append(40), s.publish, s.publish, append(3), append(215),
		s.restart, append(2), s.publish, append(5), append(1),
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// recover starts again after a fault and holds everything that was told and signed against what is there.
func (s *stranger) recover(name string) {
	s.t.Helper()
	for _, step := range []func() error{s.open, func() error { return s.append(2) }, s.publish} {
		if err := step(); err != nil {
			s.t.Fatalf("%s: start after it: %v", name, err)
		}
	}
	for index, entry := range s.told {
		if got, err := s.a.log.Entry(index); err != nil || !bytes.Equal(got, entry) {
			s.t.Fatalf("%s: entry %d was %q, is %q: %v", name, index, entry, got, err)
		}
	}
	for size, root := range s.signed {
		if c, err := s.a.log.CheckpointAt(size); err != nil || c.Root != root {
			s.t.Fatalf("%s: a checkpoint of size %d was signed that the log does not continue (%v)", name, size, err)
		}
	}
	s.a.Close()
}

// end is what a dead process leaves: nothing runs that could still write.
func (s *stranger) end() {
	if s.a != nil {
		s.a.Close()
	}
}

// TestAppenderEveryOperationFault is TestEveryOperationFault for a log that keeps its own record.
func TestAppenderEveryOperationFault(t *testing.T) {
	recorded := newStranger(t)
	if err := recorded.story(); err != nil {
		t.Fatal(err)
	}
	trace := slices.Clone(recorded.disk.trace)
	recorded.end()
	recorded.disk.restart()
	recorded.recover("no fault")
	if len(trace) < 150 {
		t.Fatalf("only %d operations recorded", len(trace))
	}
	runs := 0
	for at, op := range trace {
		for fault := range faultKinds {
			runs++
			runAppenderFault(t, at+1, op, fault, []float64{-1, 0, 0.6, 1}[(at+int(fault))%4])
		}
	}
	t.Logf("%d operations, %d runs", len(trace), runs)
}

func runAppenderFault(t *testing.T, at int, op string, fault faultKind, keep float64) {
	t.Helper()
	name := fmt.Sprintf("operation %d (%s), fault %d, keep %v", at, op, fault, keep)
	s := newStranger(t)
	s.disk.faultAt, s.disk.fault = at, fault
	if s.story() == nil {
		t.Fatalf("%s: nobody noticed", name)
	}
	s.end()
	r := rand.New(rand.NewPCG(uint64(at), uint64(fault)))
	if keep < 0 && !s.disk.off {
		s.disk.restart()
		if err := s.open(); err != nil {
			t.Fatalf("%s: start after it: %v", name, err)
		}
		s.end()
	}
	s.disk.cutPower(r, max(keep, 0))
	s.recover(name)
}

// TestAppenderManyCrashes lets one log live through one crash after another.
func TestAppenderManyCrashes(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		s := newStranger(t)
		for range 15 {
			s.disk.faultAt, s.disk.fault = s.disk.ops+1+r.IntN(60), faultKind(r.IntN(int(faultKinds)))
			s.live(r)
			s.end()
			if r.IntN(4) == 0 && !s.disk.off {
				s.disk.restart()
			} else {
				s.disk.cutPower(r, r.Float64())
			}
		}
		s.recover(fmt.Sprintf("seed %d", seed))
	}
}

func (s *stranger) live(r *rand.Rand) {
	if s.open() != nil {
		return
	}
	for range 30 {
		if s.append(1+r.Int64N(60)) != nil || r.IntN(3) == 0 && s.publish() != nil {
			return
		}
	}
}

// TestAppenderRefusesChangedRecord flips bits of three recorded batches. The last may be what a power cut left of it, and is cut off;
// what stands before was durable, and is missed.
func TestAppenderRefusesChangedRecord(t *testing.T) {
	s := newStranger(t)
	for _, err := range []error{s.open(), s.append(30), s.append(200), s.append(7)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	s.end()
	record := s.disk.names["/log/wal.0"].data
	counts := map[string]int{}
	for at := 0; at < len(record); at++ {
		if page := at % walPage; page > walHeader && page%61 != 0 {
			continue
		}
		flipped := bytes.Clone(record)
		flipped[at] ^= 0x10
		counts[s.startWith(flipped)]++
	}
	if len(counts) != 3 || counts["237 entries"] == 0 || counts["230 entries"] == 0 || counts["log-record-damaged"] < 2*counts["230 entries"] {
		t.Errorf("%v", counts) // 237: the bit was in what a record leaves of its last page
	}
}

// startWith says what a start makes of such a record.
func (s *stranger) startWith(record []byte) string {
	d := newDisk()
	for name, n := range s.disk.names {
		d.names[name] = &inode{data: n.data, durable: n.data}
	}
	d.names["/log/wal.0"] = &inode{data: record, durable: record}
	a, err := OpenAppender(diskOptions(d))
	var refused *Error
	if errors.As(err, &refused) {
		return refused.Reason
	}
	if err != nil {
		s.t.Fatal(err)
	}
	defer a.Close()
	return fmt.Sprintf("%d entries", a.log.Size())
}

func TestAppenderManyCallers(t *testing.T) {
	dir := t.TempDir()
	a := openAppender(t, Options{Dir: filepath.Join(dir, "log"), Guard: filepath.Join(dir, "guard"), Signer: testSigner(1, nil)})
	const callers, each = 64, 20
	var group sync.WaitGroup
	var mu sync.Mutex
	told := map[int64][]byte{}
	for caller := range int64(callers) {
		group.Go(func() {
			for i := range int64(each) {
				entry := testEntry(caller*each + i)
				index, proof, err := a.Append(ctx, entry)
				if err != nil {
					t.Error(err)
					return
				}
				if c := checkProof(t, proof, index, entry); c.Size > a.Log().Size() {
					t.Errorf("a checkpoint of %d in a log of %d", c.Size, a.Log().Size())
				}
				mu.Lock()
				told[index] = entry
				mu.Unlock()
			}
		})
	}
	group.Go(func() {
		for range 5 {
			if _, err := a.Publish(ctx); err != nil {
				t.Error(err)
			}
		}
	})
	group.Wait()
	if len(told) != callers*each || a.Log().Size() != callers*each {
		t.Fatalf("%d indices given, %d entries, want %d", len(told), a.Log().Size(), callers*each)
	}
	a.Close()
	a = openAppender(t, Options{Dir: filepath.Join(dir, "log"), Guard: filepath.Join(dir, "guard"), Signer: testSigner(1, nil)})
	for index, entry := range told {
		if got, err := a.Log().Entry(index); err != nil || !bytes.Equal(got, entry) {
			t.Fatalf("entry %d: %q, %v", index, got, err)
		}
	}
}

func TestAppenderRefuses(t *testing.T) {
	d := newDisk()
	a := openAppender(t, diskOptions(d))
	_, err := OpenAppender(diskOptions(d))
	if err == nil || !strings.Contains(err.Error(), "locked") {
		t.Errorf("a second one: %v", err)
	}
	_, _, err = a.Append(ctx, make([]byte, MaxEntrySize+1))
	wantReason(t, err, "entry-size")
	if _, _, err := a.Append(ctx, make([]byte, MaxEntrySize)); err != nil {
		t.Error(err)
	}
	over, cancel := context.WithCancel(ctx)
	cancel()
	if _, _, err := a.Append(over, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	for range 2 {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, _, err := a.Append(ctx, nil); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if _, err := a.Publish(ctx); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestAppenderPublishesByItself when nobody else does: the record stays short.
func TestAppenderPublishesByItself(t *testing.T) {
	d := newDisk()
	a := openAppender(t, diskOptions(d))
	a.writing.Lock()
	a.wal.ends[a.wal.active] = maxWAL // as if it were that long
	a.writing.Unlock()
	if _, _, err := a.Append(ctx, []byte("a")); err != nil {
		t.Fatal(err)
	}
	a.Close()
	if c, err := ReadCheckpoint(d.names["/guard/checkpoint"].data); err != nil || c.Size != 1 {
		t.Errorf("published: %v, %v", c, err)
	}
	for name, n := range d.names {
		if strings.Contains(name, "wal") && len(n.data) > keptWAL {
			t.Errorf("%s has %d bytes", name, len(n.data))
		}
	}
}

// FuzzReadRecord: what is read is what was written, whatever stands behind it.
func FuzzReadRecord(f *testing.F) {
	f.Add(int64(0), []byte("abc"), []byte{})
	f.Add(int64(7), bytes.Repeat([]byte{'R'}, 3*walPage), bytes.Repeat([]byte{'R'}, walPage))
	f.Fuzz(func(t *testing.T, first int64, bundle, pages []byte) {
		if r, rest, ok := readRecord(pages); ok && len(r.bundle)+len(rest) > len(pages) {
			t.Errorf("%d and %d bytes out of %d", len(r.bundle), len(rest), len(pages))
		}
		want := walRecord{max(first, 0), RecordHash(bundle), bundle}
		got, rest, ok := readRecord(want.appendTo(nil))
		if first >= 0 && (!ok || got.first != first || got.root != want.root || !bytes.Equal(got.bundle, bundle) || len(rest) != 0) {
			t.Errorf("%d bytes from %d on came back as %d bytes from %d on", len(bundle), first, len(got.bundle), got.first)
		}
	})
}
