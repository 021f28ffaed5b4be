// Package journal is the only writer: it runs the pure functions of verifier and issuer over the chains that they touch, makes
// what they return durable, numbers it for the log, and answers with proofs (spec/architecture.md section 3).
//
// One goroutine takes whatever waited while the last batch was on disk and hands it to commit (commit.go), the critical
// function. All tables but document, entry, link and log are projections of the documents. The journal holds no rules: it is
// handed f, and spec says what may follow what. Start with Open and Journal.Run; read.go has the committed reads.
package journal

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
)

// Follower is the log as the journal needs it: it computes roots over the bytes that the journal numbered, and signs.
type Follower interface {
	Size() int64
	Stage(first int64, leaves [][]byte) (log.Checkpoint, error)
	Keep(ctx context.Context, c log.Checkpoint) error
	Proof(index int64) ([]byte, error)
}

// Options configure a Journal. All fields without "optional" are needed.
type Options struct {
	Path   string // of the SQLite file; its folder exists
	Log    Follower
	Now    func() time.Time
	Random io.Reader // for the salts
	// Sign adds the proof to a document that has none, by its type: the seal's or the decision key's. created is the ledger
	// time. It is called for several documents at once, and inside the transaction: the keys are local.
	Sign     func(ctx context.Context, d spec.Document, created time.Time) (spec.Document, error)
	Logger   *slog.Logger // optional
	FS       log.FS       // optional: where the files are, for what SQLite does not do with them; nil means log.OS
	MaxBatch int          // operations in one commit; zero means 512
	RunTwice bool         // tests: every f runs twice and must return the same documents
	Carry    *Carry       // optional: the log carries another one on
	ReadOnly bool         // nothing is written but what the log lacks: Run and all that puts is refused, read-only

	wrap func(driver.Connector) driver.Connector // tests: the seam at which database operations fail
}

const defaultBatch = 512

// Errors with a reason for callers; a thing of another organisation is not found.
var (
	ErrNotFound  error = spec.Refuse("not-found", "", "no such thing here")
	ErrKeyReused error = spec.Refuse("key-reused", "", "the key was used for another request")
	ErrClosed    error = spec.Refuse("journal-closed", "", "the journal is closing")
)

// IndeterminateError says that the database, the log or a signer failed: nothing is claimed, and the same call may be made again.
// Its reason is "indeterminate". After a Fatal one the process must end.
type IndeterminateError struct {
	Err   error
	Fatal bool
}

func (e *IndeterminateError) Error() string {
	return "journal: could not be made durable: " + e.Err.Error()
}

// Unwrap gives the reason and the cause.
func (e *IndeterminateError) Unwrap() []error {
	return []error{spec.Refuse("indeterminate", "", "could not be made durable; try again"), e.Err}
}

// Journal is the only writer of its database. Its methods may be called concurrently.
type Journal struct {
	Options
	logger *slog.Logger

	readers     *sql.DB
	checkpoints *sql.DB
	writing     sync.Mutex // held for a batch, or an operational write; guards writer
	writer      writer
	keeping     sync.RWMutex // held from COMMIT to Keep: entries that a reader finds beyond the log are kept when it is free
	parsed      parsedCache
	states      stateCache
	recent      recentRecords
	keys        keyCache
	hub         hub
	heads       headsKeeper

	queue   chan *call
	closing chan struct{}
	loops   sync.WaitGroup
	once    sync.Once

	failed chan struct{} // closed once broken is set
	broken atomic.Pointer[IndeterminateError]
}

// Open opens the journal, or makes it, and brings the log up to it: what the log lacks is staged again, the same bytes at the
// same index. It refuses, printing both sizes, where the log is larger than the database (log-ahead: the database was restored
// from a backup), where the log has another root than the one stored with these entries (log-other), where the database is a backup
// (database-copy), and where the log has ended (log-frozen).
func Open(ctx context.Context, o Options) (*Journal, error) {
	if o.Path == "" || o.Log == nil || o.Now == nil || o.Random == nil || o.Sign == nil {
		return nil, errors.New("journal: Path, Log, Now, Random and Sign must be set")
	}
	if o.FS == nil {
		o.FS = log.OS{}
	}
	if o.MaxBatch <= 0 {
		o.MaxBatch = defaultBatch
	}
	j := &Journal{Options: o, logger: o.Logger, queue: make(chan *call, o.MaxBatch), closing: make(chan struct{}), failed: make(chan struct{})}
	j.heads.ready = make(chan struct{})
	if j.logger == nil {
		j.logger = slog.New(slog.DiscardHandler)
	}
	if err := j.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("journal: %w", err), j.closeFiles())
	}
	ticks := make(chan struct{}, 1)
	j.loops.Go(func() { j.run(ticks) })
	j.loops.Go(func() { j.startHeads(context.WithoutCancel(ctx)) })
	j.loops.Go(func() {
		for range ticks {
			j.checkpoint(context.WithoutCancel(ctx))
		}
	})
	return j, nil
}

func (j *Journal) open(ctx context.Context) (err error) {
	if err := createPrivate(j.Path); err != nil {
		return err
	}
	if err := j.rewrite(); err != nil {
		return fmt.Errorf("write-ahead log: %w", err)
	}
	if j.writer.db, err = openPool(dsn(j.Path, "cache_size(-65536)"), 1, j.wrap); err != nil {
		return err
	}
	if err := migrate(ctx, j.writer.db); err != nil {
		return fmt.Errorf("tables: %w", err)
	}
	if err := j.syncNames(); err != nil {
		return err
	}
	if err := j.writer.open(ctx); err != nil {
		return err
	}
	if j.checkpoints, err = openPool(dsn(j.Path), 1, nil); err != nil {
		return err
	}
	if j.readers, err = openPool(dsn(j.Path, "query_only(1)"), readers(), nil); err != nil {
		return err
	}
	return j.catchUp(ctx)
}

// Failed is closed when the journal can no longer be relied on: a sync failed, or the log could not follow. The process must
// end, since only the next start finds out what the disk holds.
func (j *Journal) Failed() <-chan struct{} { return j.failed }

// fail makes the journal refuse everything from now on.
func (j *Journal) fail(err error) *IndeterminateError {
	if j.broken.CompareAndSwap(nil, &IndeterminateError{Err: err, Fatal: true}) {
		j.logger.Error("the journal failed: the process must end", "err", err)
		close(j.failed)
	}
	return j.broken.Load()
}

// Close ends the journal after the batch that is being written; operations that still wait get ErrClosed. It does not close the log.
func (j *Journal) Close() error {
	var err error
	j.once.Do(func() {
		close(j.closing)
		j.loops.Wait()
		err = j.closeFiles()
	})
	return err
}

func (j *Journal) closeFiles() error {
	var errs []error
	for _, db := range []*sql.DB{j.readers, j.checkpoints} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if j.writer.db != nil {
		errs = append(errs, j.writer.close())
	}
	return errors.Join(errs...)
}

// A call is one operation on its way through the loop.
type call struct {
	op    spec.Op
	f     func(spec.States, time.Time) ([]spec.Document, error)
	state atomic.Int32 // waiting, taken or left; whoever moves it from waiting decides
	done  chan struct{}

	answer
	err error
}

const (
	waiting = iota
	taken
	left
)

// answer is what an operation wrote, or the leaves of what an earlier one did.
type answer struct {
	records []spec.Record // without proofs
	known   bool
	wrote   bool
	first   int64
	last    int64
}

// Run runs f over the chains that op names, as they are at ledger time, makes the documents that it returns durable and logged,
// and answers with their entries and proofs, in order (spec/architecture.md section 3). Documents without a proof are signed; the
// positions of a decision behind other documents are set anew. A request key, or a signed document, that is known is answered
// with what it led to, without f.
//
// f must be pure and may run several times. Its error is returned unchanged, and then nothing is claimed or written; so are
// those of spec.States.Record. The context counts only until the operation is taken.
// Reasons: not-found, key-reused, op-invalid, table-rule, journal-closed, indeterminate.
func (j *Journal) Run(ctx context.Context, op spec.Op, f func(spec.States, time.Time) ([]spec.Document, error)) (spec.Logged, error) {
	if err := checkOp(op); err != nil {
		return spec.Logged{}, err
	}
	c := &call{op: op, f: f, done: make(chan struct{})}
	if err := j.enqueue(ctx, c); err != nil {
		return spec.Logged{}, err
	}
	if c.err != nil {
		return spec.Logged{}, c.err
	}
	return j.logged(context.WithoutCancel(ctx), c)
}

// enqueue waits until the call is answered, or leaves before it is taken.
func (j *Journal) enqueue(ctx context.Context, c *call) error {
	if err := j.usable(); err != nil {
		return err
	}
	select {
	case j.queue <- c:
	case <-ctx.Done():
		return ctx.Err()
	case <-j.closing:
		return ErrClosed
	}
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
	case <-j.closing:
	}
	if c.state.CompareAndSwap(waiting, left) {
		if err := ctx.Err(); err != nil {
			return err
		}
		return ErrClosed
	}
	<-c.done
	return nil
}

func (j *Journal) usable() error {
	if j.ReadOnly {
		return ErrReadOnly
	}
	if b := j.broken.Load(); b != nil {
		return b
	}
	return nil
}

// logged completes an answer: what was known is read back, and every record gets its proof.
func (j *Journal) logged(ctx context.Context, c *call) (spec.Logged, error) {
	if c.known {
		records, err := j.leaves(ctx, c.first, c.last)
		return spec.Logged{Records: records, Known: true}, err
	}
	for i := range c.records {
		proof, err := j.Log.Proof(c.records[i].Index)
		if err != nil {
			return spec.Logged{}, &IndeterminateError{Err: err}
		}
		c.records[i].Proof = proof
	}
	return spec.Logged{Records: c.records}, nil
}

// checkOp refuses an operation that the loop could not run.
func checkOp(op spec.Op) error {
	switch {
	case len(op.Write) == 0:
		return spec.Refuse("op-invalid", "", "an operation writes at least one chain")
	case !op.Key.IsZero() && !writes(op, op.Key.Leaf):
		return spec.Refuse("op-invalid", "", "a request key belongs to a chain that the operation writes")
	case op.Resume != "" && op.Key.IsZero():
		return spec.Refuse("op-invalid", "", "only a request is resumed")
	}
	return nil
}

func writes(op spec.Op, content string) bool {
	for _, ref := range op.Write {
		if ref.Content == content {
			return true
		}
	}
	return false
}

// run is the loop: a batch is whatever waited. It tells ticks when the write-ahead log should be copied.
func (j *Journal) run(ticks chan<- struct{}) {
	defer close(ticks)
	ctx := context.Background()
	since := j.Log.Size()
	for batches := 1; ; batches++ {
		calls := j.next()
		if calls == nil {
			return
		}
		j.writing.Lock()
		j.commit(ctx, calls)
		j.writing.Unlock()
		if size := j.Log.Size(); batches >= checkpointBatches || size-since >= checkpointEntries {
			batches, since = 0, size
			select {
			case ticks <- struct{}{}:
			default:
			}
		}
	}
}

// next waits for a call and takes all that wait with it, at most MaxBatch; nil means that the journal closes.
func (j *Journal) next() []*call {
	for {
		var first *call
		select {
		case first = <-j.queue:
		case <-j.closing:
			return nil
		}
		calls := take(nil, first)
		for more := true; more && len(calls) < j.MaxBatch; {
			select {
			case c := <-j.queue:
				calls = take(calls, c)
			default:
				more = false
			}
		}
		if len(calls) > 0 {
			return calls
		}
	}
}

func take(calls []*call, c *call) []*call {
	if c.state.CompareAndSwap(waiting, taken) {
		return append(calls, c)
	}
	return calls
}
