package postgres

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/writ-trust/writ/internal/trilliantest"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/log/trillian"
	"github.com/writ-trust/writ/spec"
)

const origin = "example.org/log1"

func testSigner(t testing.TB) *log.Signer {
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	s, err := log.NewSigner(origin, private.Public().(ed25519.PublicKey), func(m []byte) ([]byte, error) { return ed25519.Sign(private, m), nil })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// bench is a database and a log on files that follows it.
type bench struct {
	*testing.T
	pool    *pgxpool.Pool
	cluster *trilliantest.Cluster
	log     *log.Log
}

// newDatabase is nil where PostgreSQL's programs are not there: the output says so.
func newDatabase(t *testing.T) *bench {
	t.Helper()
	c, err := trilliantest.StartPostgres(os.TempDir(), "")
	if errors.Is(err, trilliantest.ErrNoPostgres) && os.Getenv(trilliantest.Variable) == "" {
		fmt.Printf("NOT CHECKED: %s (%v)\n", t.Name(), err)
		return nil
	}
	b := &bench{T: t, cluster: c}
	b.must(err)
	t.Cleanup(func() { b.must(c.Remove()) })
	base, err := trilliantest.Schema()
	b.must(err)
	b.must(trillian.ApplySchema(t.Context(), c.URI, base))
	b.pool, err = pgxpool.New(t.Context(), c.URI)
	b.must(err)
	t.Cleanup(b.pool.Close)
	b.exec(Schema)
	b.exec(Schema)
	return b
}

// newBench has a log on files too, and a lease with the fencing number 1.
func newBench(t *testing.T) *bench {
	b := newDatabase(t)
	if b == nil {
		return nil
	}
	b.exec(`INSERT INTO writ.log_lease (origin, holder, fence, until) VALUES ('` + origin + `', 'first', 1, now())`)
	b.openLog(t.TempDir())
	return b
}

func (b *bench) openLog(dir string) {
	b.Helper()
	var err error
	b.log, err = log.Open(log.Options{Dir: filepath.Join(dir, "log"), Guard: filepath.Join(dir, "guard"), Signer: testSigner(b)})
	b.must(err)
	b.Cleanup(func() { b.log.Close() })
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) exec(sql string) {
	b.Helper()
	_, err := b.pool.Exec(b.Context(), sql)
	b.must(err)
}

func (b *bench) begin() pgx.Tx {
	b.Helper()
	tx, err := b.pool.Begin(b.Context())
	b.must(err)
	return tx
}

func (b *bench) add(tx pgx.Tx, entries ...string) {
	b.Helper()
	var all [][]byte
	for _, e := range entries {
		all = append(all, []byte(e))
	}
	_, err := Add(b.Context(), tx, origin, all)
	b.must(err)
}

func (b *bench) number(n *Numbering, want int) {
	b.Helper()
	if got, err := n.Number(b.Context()); err != nil || got != want {
		b.Fatalf("%d entries were numbered, want %d (%v)", got, want, err)
	}
}

// entries is what the log has.
func (b *bench) entries() (all []string) {
	b.Helper()
	for i := range b.log.Size() {
		e, err := b.log.Entry(i)
		b.must(err)
		all = append(all, string(e))
	}
	return all
}

func reason(err error) string {
	var e *spec.Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ""
}

// TestOverlap: of two transactions that overlap, the one that began first may commit first or last, and neither is skipped.
func TestOverlap(t *testing.T) {
	b := newBench(t)
	if b == nil {
		return
	}
	n, err := Open(t.Context(), b.pool, origin, 1, b.log)
	b.must(err)
	var want []string
	for round, firstLast := range []bool{false, true} {
		early, late := b.begin(), b.begin()
		one, two, three := fmt.Sprint("early ", round), fmt.Sprint("late ", round), fmt.Sprint("second of late ", round)
		b.add(early, one)
		b.add(late, two, three)
		b.number(n, 0) // neither is committed
		if firstLast {
			b.must(late.Commit(t.Context()))
			b.number(n, 2)
			b.must(early.Commit(t.Context()))
			b.number(n, 1)
			want = append(want, two, three, one)
		} else {
			b.must(early.Commit(t.Context()))
			b.number(n, 1)
			b.must(late.Commit(t.Context()))
			b.number(n, 2)
			want = append(want, one, two, three)
		}
		gone := b.begin()
		b.add(gone, "never")
		b.must(gone.Rollback(t.Context())) // its id stays a gap, which no index has
		b.number(n, 0)
	}
	if got := b.entries(); !slices.Equal(got, want) {
		t.Errorf("the log has %q, want %q", got, want)
	}
}

// TestCrash: a crash between COMMIT and Keep leaves numbers that the next start keeps.
func TestCrash(t *testing.T) {
	b := newBench(t)
	if b == nil {
		return
	}
	n, err := Open(t.Context(), b.pool, origin, 1, b.log)
	b.must(err)
	tx := b.begin()
	for i := range maxBatch + 70 {
		b.add(tx, fmt.Sprint(i))
	}
	b.must(tx.Commit(t.Context()))
	n.log = crashing{b.log}
	if _, err := n.Number(t.Context()); !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
	n, err = Open(t.Context(), b.pool, origin, 1, b.log)
	b.must(err)
	b.number(n, 70)
	for i, e := range b.entries() {
		if e != fmt.Sprint(i) {
			t.Fatalf("entry %d is %q", i, e)
		}
	}
	b.openLog(t.TempDir()) // a log that lacks all of it, over several batches
	_, err = Open(t.Context(), b.pool, origin, 1, b.log)
	b.must(err)
	if b.log.Size() != maxBatch+70 {
		t.Errorf("the log has %d entries", b.log.Size())
	}

	b.exec(`UPDATE writ.log SET size = size - 1`)
	if _, err := Open(t.Context(), b.pool, origin, 1, b.log); reason(err) != "log-ahead" {
		t.Errorf("a database restored from a backup: %v", err)
	}
	b.exec(`UPDATE writ.log SET size = size + 1, root = 'another'`)
	b.openLog(t.TempDir())
	if _, err := Open(t.Context(), b.pool, origin, 1, b.log); reason(err) != "log-other" {
		t.Errorf("entries under another root: %v", err)
	}
	b.exec(`DELETE FROM writ.entry WHERE leaf = 5`)
	b.openLog(t.TempDir())
	if _, err := Open(t.Context(), b.pool, origin, 1, b.log); reason(err) != "log-other" {
		t.Errorf("an entry is missing: %v", err)
	}
}

var errCrash = errors.New("crash")

type crashing struct{ Follower }

func (crashing) Keep(context.Context, log.Checkpoint) error { return errCrash }

// TestFence: one whose lease was taken numbers nothing.
func TestFence(t *testing.T) {
	b := newBench(t)
	if b == nil {
		return
	}
	n, err := Open(t.Context(), b.pool, origin, 1, b.log)
	b.must(err)
	tx := b.begin()
	b.add(tx, "one")
	b.must(tx.Commit(t.Context()))
	b.exec(`UPDATE writ.log_lease SET fence = 2`)
	if _, err := n.Number(t.Context()); reason(err) != "log-fenced" {
		t.Fatalf("an old lease numbers: %v", err)
	}
	n, err = Open(t.Context(), b.pool, origin, 2, b.log)
	b.must(err)
	b.number(n, 1)
}
