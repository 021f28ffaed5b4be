package trillian

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/writ-trust/writ/internal/trilliantest"
	"github.com/writ-trust/writ/log"
)

const origin = "example.org/log1"

func testSigner(t testing.TB) *log.Signer {
	t.Helper()
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	s, err := log.NewSigner(origin, private.Public().(ed25519.PublicKey), func(m []byte) ([]byte, error) { return ed25519.Sign(private, m), nil })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// site is PostgreSQL, a log server and signers, each a process of its own.
type site struct {
	*testing.T
	bin     string
	db      *trilliantest.Cluster
	server  *trilliantest.Server
	signers []*trilliantest.Server
}

// notChecked says, once for each test, what did not run for want of programs. Where they were named, or CI has them, that is a failure.
func notChecked(t *testing.T, what string, err error) {
	t.Helper()
	if os.Getenv(trilliantest.Variable) != "" {
		t.Fatal(err)
	}
	fmt.Printf("NOT CHECKED: %s (%v)\n", what, err)
}

// newSite is nil where the programs are not there: the output says so.
func newSite(t *testing.T, what string, signers int) *site {
	t.Helper()
	bin, err := trilliantest.Bin()
	if err != nil {
		notChecked(t, what, err)
		return nil
	}
	db, err := trilliantest.StartPostgres(os.TempDir(), "")
	if err != nil {
		notChecked(t, what, err)
		return nil
	}
	s := &site{T: t, bin: bin, db: db}
	t.Cleanup(func() { s.must(db.Remove()) })
	base, err := trilliantest.Schema()
	s.must(err)
	s.must(ApplySchema(t.Context(), db.URI, base))
	s.server, err = trilliantest.StartServer(t.Context(), bin, db)
	s.must(err)
	t.Cleanup(func() { s.must(s.server.Kill()) })
	for range signers {
		signer, err := trilliantest.StartSigner(bin, db, 5*time.Millisecond)
		s.must(err)
		t.Cleanup(func() { s.must(signer.Kill()) })
		s.signers = append(s.signers, signer)
	}
	return s
}

func (s *site) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *site) options() Options {
	return Options{Signer: testSigner(s), Database: s.db.URI, Server: s.server.Address, Lease: time.Second}
}

func (s *site) open() *Log {
	s.Helper()
	l, err := Open(s.Context(), s.options())
	s.must(err)
	return l
}

// entry is what stands at an index in these tests: its number in front, 300 bytes.
func entry(index int64) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(index)), bytes.Repeat([]byte{byte(index)}, 292)...)
}

func entries(first, n int64) [][]byte {
	var all [][]byte
	for i := range n {
		all = append(all, entry(first+i))
	}
	return all
}

// grow appends n entries as one batch.
func grow(ctx context.Context, l *Log, n int64) error {
	c, err := l.Stage(l.Size(), entries(l.Size(), n))
	if err == nil {
		err = l.Keep(ctx, c)
	}
	return err
}

// TestSite runs the whole once: append, prove, publish, read as another replica, start again, and the same bytes as the engine on files.
func TestSite(t *testing.T) {
	s := newSite(t, "the log over Trillian", 2)
	if s == nil {
		return
	}
	l := s.open()
	files, err := log.Open(log.Options{Dir: filepath.Join(t.TempDir(), "log"), Guard: filepath.Join(t.TempDir(), "checkpoint"), Signer: testSigner(t)})
	s.must(err)
	for _, n := range []int64{1, 2, 253, 1, 700, 3} {
		c, err := files.Stage(files.Size(), entries(files.Size(), n))
		s.must(errors.Join(err, files.Keep(t.Context(), c), grow(t.Context(), l, n)))
		if !bytes.Equal(l.CommitCheckpoint(), files.CommitCheckpoint()) {
			t.Fatalf("at %d entries the two engines sign different checkpoints", l.Size())
		}
	}
	s.must(l.Settled(t.Context()))
	published, err := l.Publish(t.Context())
	s.must(err)
	_, err = files.Publish(t.Context())
	s.must(err)
	s.must(grow(t.Context(), l, 5)) // not published: nobody is shown it

	r, err := OpenReader(t.Context(), s.db.URI, origin)
	s.must(err)
	defer r.Close()
	for _, path := range []string{"checkpoint", "tile/0/000", "tile/0/000.p/9", "tile/0/003.p/192", "tile/1/000.p/3", "tile/entries/000", "tile/entries/003.p/192", "tile/entries/003.p/1"} {
		want, err := files.ReadTile(path)
		s.must(err)
		if got, err := r.ReadTile(t.Context(), path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: the replica serves %d bytes, the engine on files %d (%v)", path, len(got), len(want), err)
		}
	}
	for _, path := range []string{"tile/0/003", "tile/0/003.p/193", "tile/entries/003.p/197", "tile/2/000.p/1", "tile/0/004.p/1"} {
		if _, err := r.ReadTile(t.Context(), path); !errors.Is(err, log.ErrNotFound) {
			t.Errorf("%s is served (%v), and was not published", path, err)
		}
	}
	s.must(l.Close())

	l = s.open()
	if !bytes.Equal(l.Published(), published) || l.Size() != 960 {
		t.Fatalf("after the start the log has %d entries", l.Size())
	}
	s.must(grow(t.Context(), l, 5)) // those that Trillian has already
	s.must(grow(t.Context(), l, 1))
	proof, err := l.Proof(965)
	s.must(err)
	p, err := log.ParseProof(proof)
	s.must(err)
	key := testSigner(t).Verifier
	policy, err := log.ParsePolicy([]byte("log " + key.String() + "\nquorum none\n"))
	s.must(err)
	if _, err := log.CheckInclusion(p, log.RecordHash(entry(965)), origin, policy); err != nil {
		t.Error(err)
	}
	s.must(l.Close())
}

// TestLease: the second replica is refused while the first lives, gets in when the first dies, and the first then writes nothing.
func TestLease(t *testing.T) {
	s := newSite(t, "the lease of the log over Trillian", 1)
	if s == nil {
		return
	}
	named := s.options()
	named.Holder = "first"
	gone, err := Open(t.Context(), named)
	s.must(err)
	s.must(grow(t.Context(), gone, 3))
	first, err := Open(t.Context(), named) // at once: the one before must have died
	s.must(err)
	if err := grow(t.Context(), gone, 1); reason(err) != "log-fenced" {
		t.Errorf("the one before signs on: %v", err)
	}
	s.must(grow(t.Context(), first, 3))
	if _, err := Open(t.Context(), s.options()); reason(err) != "log-leased" {
		t.Fatalf("a second replica got in beside the first: %v", err)
	}
	// The first is held up, for longer than its lease: a debugger, a paused machine.
	conn, err := pgx.Connect(t.Context(), s.db.URI)
	s.must(err)
	defer conn.Close(context.WithoutCancel(t.Context()))
	_, err = conn.Exec(t.Context(), `UPDATE writ.log_lease SET until = clock_timestamp() - interval '1 second'`)
	s.must(err)
	second := s.open()
	if err := grow(t.Context(), first, 1); reason(err) != "log-fenced" {
		t.Errorf("one that lost its lease signs on: %v", err)
	}
	if _, err := first.Publish(t.Context()); reason(err) != "log-fenced" {
		t.Errorf("one that lost its lease publishes: %v", err)
	}
	s.must(grow(t.Context(), second, 5)) // the same four entries first: they stand in Trillian
	_, err = second.Publish(t.Context())
	s.must(err)
	first.Close()
	s.must(second.held(t.Context())) // the other's farewell took nothing from it
	s.must(second.Close())
}

// TestOtherJournal: where two journals follow one tree, the second to come to an index signs nothing.
func TestOtherJournal(t *testing.T) {
	s := newSite(t, "two journals at one tree", 1)
	if s == nil {
		return
	}
	l := s.open()
	defer l.Close()
	s.must(grow(t.Context(), l, 2))
	s.must(l.add(t.Context(), 2, [][]byte{[]byte("of another journal")}))
	before := l.CommitCheckpoint()
	if err := grow(t.Context(), l, 1); reason(err) != "log-roots-differ" || !errors.Is(err, log.ErrFatal) {
		t.Fatalf("an index has two entries: %v", err)
	}
	if !bytes.Equal(l.CommitCheckpoint(), before) {
		t.Error("a checkpoint over it was signed")
	}
	if err := grow(t.Context(), l, 1); !errors.Is(err, log.ErrFatal) {
		t.Errorf("and it goes on: %v", err)
	}
	if err := l.Settled(t.Context()); reason(err) != "log-ahead" {
		t.Errorf("Trillian has more than the journal: %v", err)
	}
}

// TestMigrate takes over a log of one machine, begun twice, and goes on with it.
func TestMigrate(t *testing.T) {
	s := newSite(t, "migration to Trillian", 1)
	if s == nil {
		return
	}
	files, err := log.Open(log.Options{Dir: filepath.Join(t.TempDir(), "log"), Guard: filepath.Join(t.TempDir(), "checkpoint"), Signer: testSigner(t)})
	s.must(err)
	c, err := files.Stage(0, entries(0, 1000))
	s.must(errors.Join(err, files.Keep(t.Context(), c)))
	head, err := files.Publish(t.Context())
	s.must(err)
	l := s.open()
	ctx, cancel := context.WithCancel(t.Context())
	if err := Migrate(ctx, files, l, func(n int64) {
		if n >= 500 {
			cancel()
		}
	}); err == nil {
		t.Fatal("the migration was not stopped")
	}
	s.must(l.Close())
	l = s.open()
	defer l.Close()
	s.must(Migrate(t.Context(), files, l, func(int64) {}))
	if !bytes.Equal(l.Published(), head) {
		t.Fatal("the tree head is another one")
	}
	s.must(grow(t.Context(), l, 10))
	if err := Migrate(t.Context(), files, l, func(int64) {}); reason(err) != "log-migration" {
		t.Errorf("it went on, and was taken over once more: %v", err)
	}
}

// TestRestoredTrillian: a tree that lost entries gets them again.
func TestRestoredTrillian(t *testing.T) {
	s := newSite(t, "a restored Trillian", 1)
	if s == nil {
		return
	}
	l := s.open()
	s.must(grow(t.Context(), l, 600))
	_, err := l.Publish(t.Context())
	s.must(err)
	s.must(l.Close())
	conn, err := pgx.Connect(t.Context(), s.db.URI)
	s.must(err)
	defer conn.Close(context.WithoutCancel(t.Context()))
	_, err = conn.Exec(t.Context(), `UPDATE writ.log_lease SET tree = NULL`)
	s.must(err)
	l = s.open() // a new tree, empty
	defer l.Close()
	h, err := l.root(t.Context())
	if err != nil || h.size != 600 {
		t.Errorf("the new tree has %d entries (%v)", h.size, err)
	}
	s.must(grow(t.Context(), l, 1))
}

func reason(err error) string {
	var e *log.Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ""
}
