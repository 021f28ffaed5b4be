package journal

import (
	"context"
	"database/sql/driver"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/writ-trust/writ/internal/writtest"
	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
)

var errPlanted = errors.New("planted failure")

// seam counts the operations of the writing connection, and makes one of them fail: before it is done, or after.
type seam struct {
	count atomic.Int64
	at    atomic.Int64 // the operation that fails, from 1; 0 is none
	after bool         // it is done, and reported as failed
	seen  []string
}

func (s *seam) do(name string, operation func() error) error {
	n := s.count.Add(1)
	s.seen = append(s.seen, name)
	if n != s.at.Load() {
		return operation()
	}
	if s.after {
		if err := operation(); err != nil {
			return err
		}
	}
	return errPlanted
}

type faultyConnector struct {
	driver.Connector
	*seam
}

func (c faultyConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return faultyConn{conn.(sqliteConn), c.seam}, nil
}

// sqliteConn is what the connections of the driver implement.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type faultyConn struct {
	sqliteConn
	seam *seam
}

func (c faultyConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	var stmt driver.Stmt
	err := c.seam.do("prepare "+query, func() (err error) {
		stmt, err = c.sqliteConn.PrepareContext(ctx, query)
		return err
	})
	if err != nil {
		if stmt != nil {
			stmt.Close()
		}
		return nil, err
	}
	return faultyStmt{stmt, query, c.seam}, nil
}

type faultyStmt struct {
	driver.Stmt
	query string
	seam  *seam
}

func (s faultyStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (r driver.Result, err error) {
	err = s.seam.do(s.query, func() (err error) {
		r, err = s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
		return err
	})
	return r, err
}

func (s faultyStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (r driver.Rows, err error) {
	err = s.seam.do(s.query, func() (err error) {
		r, err = s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
		return err
	})
	if err != nil && r != nil {
		r.Close()
		return nil, err
	}
	return r, err
}

// brittle is a log whose Stage or Keep fails, as often as it says.
type brittle struct {
	*log.Log
	stages, keeps int
	keeping       func() // called by Keep, before it does anything
}

func (l *brittle) Stage(first int64, leaves [][]byte) (log.Checkpoint, error) {
	if l.stages--; l.stages >= 0 {
		return log.Checkpoint{}, errPlanted
	}
	return l.Log.Stage(first, leaves)
}

func (l *brittle) Keep(ctx context.Context, c log.Checkpoint) error {
	if l.keeping != nil {
		l.keeping()
	}
	if l.keeps--; l.keeps >= 0 {
		return errPlanted
	}
	return l.Log.Keep(ctx, c)
}

// scene is a journal with a roster and a mandate, closed, from which faulty runs start.
type scene struct {
	*bench
	roster, mandate spec.Document
}

func newScene(t *testing.T) scene {
	t.Helper()
	b := newBench(t)
	s := scene{bench: b, roster: b.found()}
	s.mandate = b.grant(s.roster)
	if _, err := b.log.Publish(context.Background()); err != nil {
		t.Fatal(err)
	}
	b.close()
	return s
}

// from starts a bench in a copy of the scene's folder, with its world as it was.
func (s scene) from(t *testing.T, change func(*Options)) *bench {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(s.dir)); err != nil {
		t.Fatal(err)
	}
	world := *s.World
	b := &bench{World: &world, t: t, dir: dir, wrap: change}
	if err := b.open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.close)
	return b
}

// play decides, begins and reports, each until it is acknowledged, as a caller does who is told that nothing is claimed.
func (s scene) play(b *bench) []spec.Logged {
	b.t.Helper()
	var acknowledged []spec.Logged
	persist := func(r request) spec.Document {
		b.t.Helper()
		for range 4 {
			l, err := b.decide(r)
			var indeterminate *IndeterminateError
			switch {
			case err == nil:
				b.claimed(r.op)
				acknowledged = append(acknowledged, l)
				return l.Last().Document
			case !errors.As(err, &indeterminate) || reason(err) != "indeterminate":
				b.t.Fatalf("a failure of the database came back as %v", err)
			case indeterminate.Fatal:
				b.restart()
			}
			b.unclaimed(r.op)
		}
		b.t.Fatal("it never succeeded")
		return spec.Document{}
	}
	decision := persist(b.request("invoice-1", "420.00", s.roster, s.mandate))
	begin := b.Begin(decision, b.Now)
	persist(request{op: about(decision, begin), f: hand(begin)})
	report := b.Report(decision, spec.OutcomeExecuted, "", true, b.Now)
	persist(request{op: about(decision, report), f: hand(report)})
	return acknowledged
}

// restart ends the process and starts it again; the log falls back to what it published.
func (b *bench) restart() {
	b.t.Helper()
	b.close()
	b.wrap = func(*Options) {}
	if err := b.open(); err != nil {
		b.t.Fatal(err)
	}
}

// claimed checks that a request key, where there is one, has an answer with documents.
func (b *bench) claimed(op spec.Op) {
	b.t.Helper()
	if op.Key.IsZero() {
		return
	}
	answer, _, err := b.j.Answer(context.Background(), org, op.Key)
	if err != nil || len(answer.Records) != 1 {
		b.t.Errorf("the key has an answer of %d documents: %v", len(answer.Records), err)
	}
}

// unclaimed checks that after a failed attempt the key has no answer, or a whole one: the attempt landed after all.
func (b *bench) unclaimed(op spec.Op) {
	b.t.Helper()
	if op.Key.IsZero() {
		return
	}
	answer, _, err := b.j.Answer(context.Background(), org, op.Key)
	if !errors.Is(err, ErrNotFound) && (err != nil || len(answer.Records) != 1) {
		b.t.Errorf("after a failure the key has an answer of %d documents: %v", len(answer.Records), err)
	}
}

// check holds what was acknowledged against what is there after another start.
func (s scene) check(b *bench, acknowledged []spec.Logged) {
	b.t.Helper()
	b.restart()
	for _, l := range acknowledged {
		for _, want := range l.Records {
			got, err := b.j.Record(context.Background(), org, want.Document.Digest)
			if err != nil || got.Index != want.Index || string(got.Document.Bytes()) != string(want.Document.Bytes()) {
				b.t.Errorf("acknowledged at %d, found at %d: %v", want.Index, got.Index, err)
				continue
			}
			b.checkRecord(got)
		}
	}
	b.checkRebuild()
	chain, err := b.j.Chain(context.Background(), org, spec.ContentDigest(s.mandate.Value), 1, 0)
	if err != nil || len(chain) != 6 {
		b.t.Errorf("the chain has %d entries, want 6: %v", len(chain), err)
	}
	if w := b.state(s.mandate).Windows; len(w) != 1 || w[0].Committed != 420_00 || w[0].Held != 0 {
		b.t.Errorf("windows: %+v", w)
	}
}

// TestEveryOperationFails makes each operation of a recorded run fail in turn, before it is done and after.
func TestEveryOperationFails(t *testing.T) {
	s := newScene(t)
	recorded := &seam{}
	b := s.from(t, func(o *Options) { o.wrap = recorded.wrap })
	opening := recorded.count.Load()
	s.check(b, s.play(b))
	operations := recorded.seen[opening:]
	commits := 0
	for _, name := range operations {
		if name == "COMMIT" {
			commits++
		}
	}
	if len(operations) < 50 || commits != 3 {
		t.Fatalf("recorded %d operations with %d commits", len(operations), commits)
	}
	for _, after := range []bool{false, true} {
		for i, name := range operations {
			planted := &seam{after: after}
			ok := t.Run("", func(t *testing.T) {
				b := s.from(t, func(o *Options) { o.wrap = planted.wrap })
				planted.at.Store(planted.count.Load() + int64(i) + 1)
				s.check(b, s.play(b))
			})
			if !ok {
				t.Errorf("operation %d failed (done first: %v): %s", i, after, strings.TrimSpace(name))
			}
		}
	}
}

func (s *seam) wrap(c driver.Connector) driver.Connector { return faultyConnector{c, s} }

// TestLogFails: a root that cannot be computed leaves nothing; an entry that cannot be kept ends the process, and the next
// start brings the log up to the journal.
func TestLogFails(t *testing.T) {
	s := newScene(t)
	for name, l := range map[string]brittle{"stage": {stages: 1}, "stage more": {stages: 3}, "keep": {keeps: 1}} {
		t.Run(name, func(t *testing.T) {
			b := s.from(t, func(o *Options) {
				l.Log = o.Log.(*log.Log)
				o.Log = &l
			})
			broken := b.j.Failed()
			s.check(b, s.play(b))
			select {
			case <-broken:
				if name != "keep" {
					t.Error("the journal says that it failed for good")
				}
			default:
				if name == "keep" {
					t.Error("the journal went on")
				}
			}
		})
	}
}

// TestKeepFailedIsFatal: after COMMIT nothing may be signed that the log did not keep.
func TestKeepFailedIsFatal(t *testing.T) {
	s := newScene(t)
	b := s.from(t, func(o *Options) { o.Log = &brittle{Log: o.Log.(*log.Log), keeps: 1} })
	r := b.request("invoice-1", "420.00", s.roster, s.mandate)
	for range 2 {
		var e *IndeterminateError
		if _, err := b.decide(r); !errors.As(err, &e) || !e.Fatal {
			t.Errorf("got %v", err)
		}
	}
	if _, _, err := b.j.Answer(context.Background(), org, r.op.Key); reason(err) != "indeterminate" {
		t.Errorf("an answer without a proof: %v", err)
	}
	if err := b.j.PutOrg(context.Background(), Org{ID: org}); reason(err) != "indeterminate" {
		t.Errorf("an operational write: %v", err)
	}
	b.restart()
	if l, err := b.decide(r); err != nil || !l.Known {
		t.Errorf("the retry: known %v, %v", l.Known, err)
	}
}

// TestReadBeforeKept: whoever reads an entry between COMMIT and Keep waits for its proof.
func TestReadBeforeKept(t *testing.T) {
	s := newScene(t)
	var l brittle
	b := s.from(t, func(o *Options) {
		l.Log = o.Log.(*log.Log)
		o.Log = &l
	})
	r := b.request("invoice-1", "420.00", s.roster, s.mandate)
	read := make(chan error)
	l.keeping = func() {
		started := make(chan struct{})
		go func() {
			close(started)
			answer, _, err := b.j.Answer(context.Background(), org, r.op.Key)
			if err == nil {
				b.checkRecord(answer.Last())
			}
			read <- err
		}()
		<-started
		time.Sleep(20 * time.Millisecond) // long enough to find the committed entry
	}
	if _, err := b.decide(r); err != nil {
		t.Fatal(err)
	}
	if err := <-read; err != nil {
		t.Error(err)
	}
}

// TestSignerFails: without a signature nothing is claimed, and neighbours are not harmed.
func TestSignerFails(t *testing.T) {
	s := newScene(t)
	failures := 2 // of the batch, and of the first operation alone
	b := s.from(t, func(o *Options) {
		sign := o.Sign
		o.Sign = func(ctx context.Context, d spec.Document, at time.Time) (spec.Document, error) {
			if failures--; failures >= 0 {
				return d, errPlanted
			}
			return sign(ctx, d, at)
		}
	})
	first, second := b.request("invoice-1", "1.00", s.roster, s.mandate), b.request("invoice-2", "2.00", s.roster, s.mandate)
	notice := b.ApproveRoster("cfo", b.NextRoster(s.roster))
	_, errs := b.together(first, request{op: spec.Op{Org: org, Write: []spec.ChainRef{writtest.Ref(s.roster)}}, f: hand(notice)})
	if reason(errs[0]) != "indeterminate" || !errors.Is(errs[0], errPlanted) || errs[1] != nil {
		t.Errorf("%v, %v", errs[0], errs[1])
	}
	if _, err := b.decide(second); err != nil {
		t.Error(err)
	}
	if l, err := b.decide(first); err != nil || l.Known {
		t.Errorf("known %v, %v", l.Known, err)
	}
	b.checkRebuild()
}

// TestRestoredDatabaseIsRefused puts an older copy of the database beside a log that went on.
func TestRestoredDatabaseIsRefused(t *testing.T) {
	s := newScene(t)
	b := s.from(t, func(*Options) {})
	s.play(b)
	if _, err := b.log.Publish(context.Background()); err != nil {
		t.Fatal(err)
	}
	b.close()
	restore(t, s.dir, b.dir)
	err := b.open()
	if reason(err) != "log-ahead" || !strings.Contains(err.Error(), "the log has 9 entries, the database 6") {
		t.Errorf("got %v", err)
	}
}

// TestOtherLogIsRefused puts a database beside the log of another history, as long or shorter.
func TestOtherLogIsRefused(t *testing.T) {
	s := newScene(t)
	longer := s.from(t, func(*Options) {})
	s.play(longer)
	longer.close()
	for name, from := range map[string]string{"as long": s.dir, "shorter": longer.dir} {
		t.Run(name, func(t *testing.T) {
			other := *s.World // with the same log key
			b := &bench{World: &other, t: t, dir: t.TempDir(), wrap: func(*Options) {}}
			if err := b.open(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(b.close)
			b.grant(b.found())
			if _, err := b.log.Publish(context.Background()); err != nil {
				t.Fatal(err)
			}
			b.close()
			restore(t, from, b.dir)
			if err := b.open(); reason(err) != "log-other" {
				t.Errorf("got %v", err)
			}
		})
	}
}

func restore(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(from, "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(to, "journal.db"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"-wal", "-shm"} { // SQLite removes them when the last connection closes
		if _, err := os.Stat(filepath.Join(from, "journal.db"+suffix)); err == nil {
			t.Fatal("the database was not closed")
		}
		os.Remove(filepath.Join(to, "journal.db"+suffix))
	}
}
