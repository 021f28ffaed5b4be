package log

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const testOrigin = "ledger.example/log"

var ctx = context.Background()

// testSigner returns a signer whose key depends on the seed only, and which hands all it signs to seen.
func testSigner(seed byte, seen func(text string)) *Signer {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
	s, err := NewSigner(testOrigin, key.Public().(ed25519.PublicKey), func(text []byte) ([]byte, error) {
		if seen != nil {
			seen(string(text))
		}
		return ed25519.Sign(key, text), nil
	})
	if err != nil {
		panic(err)
	}
	return s
}

func testPolicy() *Policy { return NewPolicy(&testSigner(1, nil).Verifier) }

func testEntry(i int64) []byte {
	return []byte(fmt.Sprintf(`{"entry":%d,"pad":%q}`, i, strings.Repeat("x", int(i*7%40))))
}

func testEntries(first, n int64) [][]byte {
	var entries [][]byte
	for i := range n {
		entries = append(entries, testEntry(first+i))
	}
	return entries
}

func diskOptions(d FS) Options {
	return Options{Dir: "/log", Guard: "/guard/checkpoint", Signer: testSigner(1, nil), FS: d}
}

func openTest(t testing.TB, o Options) *Log {
	t.Helper()
	l, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func grow(t testing.TB, l *Log, n int64) Checkpoint {
	t.Helper()
	c, err := l.Stage(l.Size(), testEntries(l.Size(), n))
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Keep(ctx, c); err != nil {
		t.Fatal(err)
	}
	return c
}

func publish(t testing.TB, l *Log) []byte {
	t.Helper()
	signed, err := l.Publish(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func wantReason(t *testing.T, err error, reason string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Reason != reason {
		t.Errorf("error %v, want reason %s", err, reason)
	}
}

func TestOldTilesAreReadFromFiles(t *testing.T) {
	d := newDisk()
	l := openTest(t, diskOptions(d))
	grow(t, l, 70_000) // more tiles than the cache holds
	publish(t, l)
	f := newForeignTree(t, 70_000)
	for range 300 {
		checkForeignInclusion(t, l, f, rand.Int64N(70_000), 70_000)
	}
	if n := len(l.cache.tiles); n > cachedTiles {
		t.Errorf("%d tiles in memory", n)
	}
	l.Close()
	l = openTest(t, diskOptions(d))
	for range 50 {
		checkForeignInclusion(t, l, f, rand.Int64N(70_000), 1+rand.Int64N(10)+69_990-1)
		i := rand.Int64N(70_000)
		if e, err := l.Entry(i); err != nil || !bytes.Equal(e, testEntry(i)) {
			t.Fatalf("Entry(%d) = %q, %v", i, e, err)
		}
	}
}

func TestOnlyThePublishedIsServed(t *testing.T) {
	l := openTest(t, diskOptions(newDisk()))
	grow(t, l, 300)
	first := publish(t, l)
	grow(t, l, 300)
	if b, err := l.ReadTile("checkpoint"); err != nil || !bytes.Equal(b, first) || !bytes.Equal(b, l.Published()) {
		t.Errorf("checkpoint %q, %v", b, err)
	}
	for path, served := range map[string]bool{
		"tile/0/000": true, "tile/0/000.p/255": true, "tile/0/001.p/44": true, "tile/0/001.p/43": true, "tile/0/001.p/1": true,
		"tile/0/001.p/45": false, "tile/0/001": false, "tile/0/002": false, "tile/1/000.p/1": true, "tile/1/000.p/2": false,
		"tile/1/000": false, "tile/2/000.p/1": false, "tile/63/000": false, "tile/entries/001.p/44": true,
		"tile/entries/001.p/45": false, "tile/entries/002.p/1": false, "tile/0/x999/x999/x999/x999/x999/999": false,
	} {
		_, err := l.ReadTile(path)
		if served && err != nil || !served && !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, path := range []string{"", "checkpoint/", "/checkpoint", "tile/0/0", "../guard/checkpoint"} {
		_, err := l.ReadTile(path)
		wantReason(t, err, "tile-path")
	}
	publish(t, l)
	if b, err := l.ReadTile("tile/0/001.p/44"); err != nil || len(b) != 44*32 {
		t.Errorf("partial tile of the size published before: %d bytes, %v", len(b), err)
	}
}

func TestStageChangesNothing(t *testing.T) {
	l, f := openTest(t, diskOptions(newDisk())), newForeignTree(t, 1000)
	grow(t, l, 250)
	other := [][]byte{[]byte("other"), []byte("bytes"), []byte("than"), []byte("will"), []byte("be"), []byte("kept"), []byte("!")}
	otherwise, err := l.Stage(250, other)
	if err != nil {
		t.Fatal(err)
	}
	again, err := l.Stage(250, other)
	if err != nil || again != otherwise {
		t.Errorf("staged twice: %v and %v, %v", otherwise, again, err)
	}
	c, err := l.Stage(250, testEntries(250, 10))
	if err != nil || c.Root != f.root(t, 260) {
		t.Fatalf("%v, %v", c, err)
	}
	wantReason(t, l.Keep(ctx, otherwise), "log-keep")
	if c := grow(t, l, 10); c.Root != f.root(t, 260) {
		t.Error("a discarded stage changed the tree")
	}
	wantReason(t, l.Keep(ctx, c), "log-keep")
	checkForeignInclusion(t, l, f, 251, 260)
}

func TestStageRefuses(t *testing.T) {
	l := openTest(t, diskOptions(newDisk()))
	grow(t, l, 5)
	for reason, stage := range map[string]func() (Checkpoint, error){
		"log-stage":   func() (Checkpoint, error) { return l.Stage(4, testEntries(4, 1)) },
		"log-stage ":  func() (Checkpoint, error) { return l.Stage(6, testEntries(6, 1)) },
		"log-stage  ": func() (Checkpoint, error) { return l.Stage(5, nil) },
		"entry-size":  func() (Checkpoint, error) { return l.Stage(5, [][]byte{make([]byte, MaxEntrySize+1)}) },
	} {
		c, err := stage()
		wantReason(t, err, strings.TrimSpace(reason))
		wantReason(t, l.Keep(ctx, c), "log-keep")
	}
	if _, err := l.Stage(5, [][]byte{make([]byte, MaxEntrySize), {}}); err != nil {
		t.Error(err)
	}
}

func TestProofRefuses(t *testing.T) {
	l := openTest(t, diskOptions(newDisk()))
	grow(t, l, 5)
	for _, err := range []error{
		second(l.Proof(5)), second(l.Proof(-1)), second(l.ProofAt(4, 4)), second(l.ProofAt(0, 6)), second(l.ProofAt(0, -1)),
		second(l.Consistency(3, 6)), second(l.Consistency(4, 3)), second(l.Consistency(-1, 3)), second(l.Entry(5)), second(l.Entry(-1)),
	} {
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("%v, want not found", err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestSignerFailureChangesNothing(t *testing.T) {
	d, failing := newDisk(), false
	o := diskOptions(d)
	sign := o.Signer.sign
	o.Signer.sign = func(text []byte) ([]byte, error) {
		if failing {
			return nil, errInjected
		}
		return sign(text)
	}
	l := openTest(t, o)
	c, err := l.Stage(0, testEntries(0, 3))
	if err != nil {
		t.Fatal(err)
	}
	failing = true
	if err := l.Keep(ctx, c); !errors.Is(err, errInjected) || errors.Is(err, ErrFatal) || l.Size() != 0 {
		t.Fatalf("%v, size %d", err, l.Size())
	}
	failing = false
	if err := l.Keep(ctx, c); err != nil || l.Size() != 3 {
		t.Fatalf("%v, size %d", err, l.Size())
	}
}

func TestPublishIsIdempotent(t *testing.T) {
	d := newDisk()
	l := openTest(t, diskOptions(d))
	empty := publish(t, l)
	if c, err := OpenCheckpoint(empty, &l.signer.Verifier); err != nil || c != (Checkpoint{testOrigin, 0, emptyRoot}) {
		t.Errorf("%v, %v", c, err)
	}
	grow(t, l, 3)
	signed, before := publish(t, l), d.ops
	if again := publish(t, l); !bytes.Equal(signed, again) || d.ops != before {
		t.Error("publishing nothing new did something")
	}
	if !bytes.Equal(signed, l.CommitCheckpoint()) {
		t.Error("the newest commit checkpoint is not the published one")
	}
}

func TestRestoredBackupIsRefused(t *testing.T) {
	d := newDisk()
	l := openTest(t, diskOptions(d))
	grow(t, l, 300)
	publish(t, l)
	saved := d.backup("/log/")
	grow(t, l, 600)
	publish(t, l)
	l.Close()
	d.restore("/log/", saved)
	_, err := Open(diskOptions(d))
	wantReason(t, err, "log-behind-guard")
	if err == nil || !strings.Contains(err.Error(), "900") || !strings.Contains(err.Error(), "at most 300") {
		t.Errorf("%v does not name both sizes", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, c := range []struct {
		reason string
		spoil  func(*disk, *Options)
	}{
		{"log-guard-missing", func(d *disk, _ *Options) { delete(d.names, "/guard/checkpoint") }},
		{"log-guard-invalid", func(_ *disk, o *Options) { o.Signer = testSigner(2, nil) }},
		{"log-guard-invalid", func(d *disk, _ *Options) { d.names["/guard/checkpoint"].data[0] ^= 1 }},
		{"log-root-mismatch", func(d *disk, _ *Options) { d.names["/log/tile/0/001"].data[5] ^= 1 }},
		{"log-behind-guard", func(d *disk, _ *Options) { delete(d.names, "/log/tile/0/001") }},
		{"log-behind-guard", func(d *disk, _ *Options) { delete(d.names, "/log/tile/1/000") }},
		{"log-behind-guard", func(d *disk, _ *Options) { delete(d.names, "/log/tile/entries/001") }},
		{"log-behind-guard", func(d *disk, _ *Options) { d.names["/log/tile/entries/001"].data[5] ^= 1 }},
		{"log-options", func(_ *disk, o *Options) { o.Guard = "/log/guard" }},
		{"log-options", func(_ *disk, o *Options) { o.Guard = "guard" }},
		{"log-options", func(_ *disk, o *Options) { o.Signer = nil }},
	} {
		d := newDisk()
		l := openTest(t, diskOptions(d))
		grow(t, l, 300)
		publish(t, l)
		l.Close()
		o := diskOptions(d)
		c.spoil(d, &o)
		_, err := Open(o)
		wantReason(t, err, c.reason)
		if len(d.locks) != 0 {
			t.Errorf("%s: the lock is still held", c.reason)
		}
	}
}

func TestDamagedOldTileIsNoticed(t *testing.T) {
	d := newDisk()
	l := openTest(t, diskOptions(d))
	grow(t, l, 1000)
	publish(t, l)
	l.Close()
	d.names["/log/tile/0/001"].data[5] ^= 1
	d.names["/log/tile/entries/000"].data[5] ^= 1
	l = openTest(t, diskOptions(d))
	for _, err := range []error{
		second(l.Proof(256)), second(l.ReadTile("tile/0/001")), second(l.ReadTile("tile/0/001.p/9")), second(l.Entry(0)), second(l.ReadTile("tile/entries/000")),
	} {
		wantReason(t, err, "log-damaged")
	}
	if _, err := l.Proof(999); err != nil {
		t.Error(err)
	}
}

func TestForeignWriterOfTheGuardIsFatal(t *testing.T) {
	d := newDisk()
	l := openTest(t, diskOptions(d))
	grow(t, l, 3)
	other, err := Checkpoint{testOrigin, 7, Hash{}}.Sign(l.signer)
	if err != nil {
		t.Fatal(err)
	}
	d.names["/guard/checkpoint"] = &inode{data: other}
	_, err = l.Publish(ctx)
	if !errors.Is(err, ErrFatal) || !strings.Contains(err.Error(), "7 entries") {
		t.Errorf("%v", err)
	}
	checkRefusesAll(t, l, ErrFatal)
}

func checkRefusesAll(t *testing.T, l *Log, why error) {
	t.Helper()
	for i, err := range []error{
		second(l.Stage(l.Size(), testEntries(l.Size(), 1))), l.Keep(ctx, Checkpoint{}), second(l.Publish(ctx)), second(l.Proof(0)), second(l.ProofAt(0, 1)),
		second(l.Consistency(0, 1)), second(l.CheckpointAt(0)), second(l.Entry(0)), second(l.ReadTile("checkpoint")),
	} {
		if !errors.Is(err, why) {
			t.Errorf("call %d after a fatal error: %v", i, err)
		}
	}
	if l.Published() != nil || l.CommitCheckpoint() != nil {
		t.Error("a checkpoint is given out after a fatal error")
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	o := Options{Dir: filepath.Join(t.TempDir(), "log"), Guard: filepath.Join(t.TempDir(), "guard", "checkpoint"), Signer: testSigner(1, nil)}
	l := openTest(t, o)
	if _, err := Open(o); err == nil {
		t.Fatal("opened twice")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	checkRefusesAll(t, l, fs.ErrClosed)
	openTest(t, o)
}

func TestOnRealFiles(t *testing.T) {
	dir := t.TempDir()
	o := Options{Dir: filepath.Join(dir, "log"), Guard: filepath.Join(dir, "guard", "checkpoint"), Signer: testSigner(1, nil)}
	f := newForeignTree(t, 700)
	for _, n := range []int64{1, 254, 1, 1, 443} {
		l := openTest(t, o)
		if c := grow(t, l, n); c.Root != f.root(t, c.Size) {
			t.Fatalf("wrong root at %d", c.Size)
		}
		signed := publish(t, l)
		if b, err := os.ReadFile(o.Guard); err != nil || !bytes.Equal(b, signed) {
			t.Fatalf("guard %q, %v", b, err)
		}
		l.Close()
	}
	l := openTest(t, o)
	if l.Size() != 700 {
		t.Fatalf("size %d", l.Size())
	}
	checkForeignTiles(t, l, f, 700)
	checkBundles(t, l, 700)
}

func TestManyFilesBetweenPublications(t *testing.T) {
	l := openTest(t, diskOptions(newDisk()))
	for range 5 {
		grow(t, l, 100*tileWidth)
		if n := len(l.store.files); n > maxOpenFiles {
			t.Fatalf("%d files open", n)
		}
	}
	publish(t, l)
	checkBundles(t, l, 500*tileWidth)
}

func TestConcurrentReaders(t *testing.T) {
	l, f := openTest(t, diskOptions(newDisk())), newForeignTree(t, 1200)
	grow(t, l, 1)
	var readers sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		readers.Go(func() {
			for running := true; running; {
				select {
				case <-done:
					running = false
				default:
				}
				size := l.Size()
				checkForeignInclusion(t, l, f, rand.Int64N(size), size)
				if _, err := l.ReadTile("checkpoint"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	readers.Go(func() {
		for range 20 {
			publish(t, l)
		}
	})
	for l.Size() < 1200 {
		grow(t, l, min(1200-l.Size(), 1+rand.Int64N(9)))
	}
	close(done)
	readers.Wait()
}
