// Package trillian is the log for several machines: the same log as package log keeps in files, over a PREORDERED_LOG of Trillian.
//
// Writ computes each root itself, gives the entries to Trillian under the indices that the journal fixed, waits for Trillian's root of
// that size, and signs a checkpoint only if the two are one. Trillian is believed nothing: it is a second tree, durable on other
// machines, that must agree. Tiles and the last published checkpoint are in PostgreSQL: any replica serves them (Reader), and the one
// that holds the log's lease writes them. Origin, checkpoints, proofs and tiles are those that package log would make of the same
// entries, byte for byte.
//
// Start with Open. Schema and ApplySchema prepare the database, Migrate takes over the log of one machine.
package trillian

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	pb "github.com/google/trillian"
	"github.com/jackc/pgx/v5/pgxpool"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/writ-trust/writ/log"
)

// Options say where the log is and who signs it. All fields without "optional" are needed.
type Options struct {
	Signer   *log.Signer   // of checkpoints; its name is the log's origin
	Database string        // URI of the PostgreSQL that has the tables of Schema
	Server   string        // host:port of Trillian's log server; tls://host:port asks for TLS with a certificate that the system trusts
	Holder   string        // optional: what this replica, and no other, is called: its next start takes the lease of one that died at once
	Lease    time.Duration // optional: how long a replica that died keeps others out; zero means 15 s
	Patience time.Duration // optional: how long Keep tries to reach Trillian before it fails for good; zero means a minute
	Logger   *slog.Logger  // optional
}

const (
	defaultLease    = 15 * time.Second
	defaultPatience = time.Minute
)

// Log is the log over Trillian. Its methods may be called concurrently; Stage and Keep belong to one caller.
type Log struct {
	*log.Log
	backend

	held  func(context.Context) error // fails once another replica may write
	fence int64

	mu     sync.Mutex
	staged batch
	fatal  error // set once, where Trillian and Writ differ

	closers []func() error // in the order of opening
}

// batch is what Stage was given last.
type batch struct {
	first  int64
	leaves [][]byte
	next   log.Checkpoint
}

// Names of the tiles' folder and of the guard, in the table of files. The guard lies beside the tiles: a database restored from a backup
// takes both back, which Trillian's tree, the journal and the witnesses notice.
const (
	tiles = "log"
	guard = "guard/checkpoint"
)

// Open takes the log's lease and opens the log, or makes it, with its tree in Trillian. Entries that Trillian lacks, since they come
// from another engine or its database was restored, are added again, and its root must then be ours.
//
// Reasons: those of log.Open; log-leased (another replica holds the lease: try again); those of Keep.
func Open(ctx context.Context, o Options) (_ *Log, err error) {
	if o.Signer == nil || o.Database == "" || o.Server == "" {
		return nil, fault("log-options", "Signer, Database and Server must be set")
	}
	l := &Log{}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
		}
	}()
	pool, err := openPool(ctx, o.Database)
	if err != nil {
		return nil, err
	}
	l.closers = append(l.closers, func() error { pool.Close(); return nil })
	conn, err := dial(o.Server)
	if err != nil {
		return nil, fmt.Errorf("trillian: %w", err)
	}
	l.closers = append(l.closers, conn.Close)
	s := &store{pool: pool, origin: o.Signer.Name(), holder: o.Holder, period: o.Lease, open: map[string]*file{}}
	if s.period <= 0 {
		s.period = defaultLease
	}
	inner, err := log.Open(log.Options{Dir: tiles, Guard: guard, Signer: o.Signer, FS: s})
	if err != nil {
		return nil, err
	}
	l.closers = append(l.closers, inner.Close)
	tree, err := s.tree(ctx, conn)
	if err != nil {
		return nil, err
	}
	l.fence = s.fence
	return l, l.start(ctx, inner, newBackend(pb.NewTrillianLogClient(conn), tree, inner.Published, o), s.held)
}

// start completes a log that has its engine, and brings Trillian up to what was published.
func (l *Log) start(ctx context.Context, inner *log.Log, b backend, held func(context.Context) error) error {
	l.Log, l.backend, l.held = inner, b, held
	return l.feed(ctx)
}

func dial(address string) (*grpc.ClientConn, error) {
	transport := insecure.NewCredentials()
	address, encrypted := strings.CutPrefix(address, "tls://")
	if encrypted {
		transport = credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12})
	}
	return grpc.NewClient(address, grpc.WithTransportCredentials(transport),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)))
}

// tree returns the log's tree in Trillian, which is made once. The lease is ours, so no other replica makes one at the same time; a
// crash between making and remembering it leaves an empty tree that nobody uses.
func (s *store) tree(ctx context.Context, conn *grpc.ClientConn) (int64, error) {
	id, err := readTree(ctx, s.pool, s.origin)
	if err != nil || id != 0 {
		return id, err
	}
	if id, err = CreateTree(ctx, conn, pb.TreeType_PREORDERED_LOG); err != nil {
		return 0, fmt.Errorf("trillian: make the tree: %w", err)
	}
	return id, s.write(` UPDATE writ.log_lease SET tree = $3 WHERE origin = $1 AND fence = $2 AND EXISTS (SELECT 1 FROM held)`, id)
}

func readTree(ctx context.Context, pool *pgxpool.Pool, origin string) (id int64, err error) {
	err = pool.QueryRow(ctx, `SELECT coalesce(tree, 0) FROM writ.log_lease WHERE origin = $1`, origin).Scan(&id)
	return id, err
}

// CreateTree makes a tree that gets no heads while nothing happens (max_root_duration=0), and its head of size 0.
func CreateTree(ctx context.Context, conn *grpc.ClientConn, kind pb.TreeType) (id int64, err error) {
	tree, err := pb.NewTrillianAdminClient(conn).CreateTree(ctx, &pb.CreateTreeRequest{Tree: &pb.Tree{
		TreeState: pb.TreeState_ACTIVE, TreeType: kind, MaxRootDuration: noIdleHeads}}, grpc.WaitForReady(true))
	if err != nil {
		return 0, err
	}
	_, err = pb.NewTrillianLogClient(conn).InitLog(ctx, &pb.InitLogRequest{LogId: tree.TreeId})
	return tree.TreeId, err
}

// Stage is log.Log.Stage.
func (l *Log) Stage(first int64, leaves [][]byte) (log.Checkpoint, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fatal != nil {
		return log.Checkpoint{}, l.fatal
	}
	next, err := l.Log.Stage(first, leaves)
	l.staged = batch{first, leaves, next}
	return next, err
}

// Keep makes the entries that Stage answered with this checkpoint part of the tree. The order must not change: the lease is looked at, the
// entries are added to Trillian under their indices, Trillian reports a root, that root is compared with ours, the lease is looked at
// again, and only then is the checkpoint signed. A crash anywhere before leaves entries in Trillian that nobody has a proof of; the next start stages the same
// bytes at the same index, finds them there, and goes on.
//
// While Trillian does not answer, Keep tries again, for Patience. Any error is final: the process must end, and the next start goes on.
// Reasons: log-keep, log-roots-differ (Trillian's root is not ours: another entry stands at some index),
// log-fenced (another replica took the lease), log-engine-unreachable (its servers did not answer, or no signer went on).
func (l *Log) Keep(ctx context.Context, c log.Checkpoint) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fatal != nil {
		return l.fatal
	}
	if l.staged.next != c {
		return l.Log.Keep(ctx, c) // which refuses it
	}
	err := l.held(ctx)
	if err == nil {
		err = l.add(ctx, l.staged.first, l.staged.leaves)
	}
	if err == nil {
		err = l.agree(ctx, c)
	}
	if err == nil {
		err = l.held(ctx)
	}
	if err != nil {
		l.fatal = fmt.Errorf("%w: %w", log.ErrFatal, err)
		return l.fatal
	}
	l.staged = batch{}
	return l.Log.Keep(ctx, c)
}

// Settled compares Trillian's size with ours once the journal has staged what was missing. Trillian having more means that the journal
// was restored from a backup. Reason: log-ahead.
func (l *Log) Settled(ctx context.Context) error {
	root, err := l.root(ctx)
	if err == nil && root.size > l.Size() {
		err = fault("log-ahead", "Trillian has %d entries, the journal %d: the journal was restored from a backup", root.size, l.Size())
	}
	return err
}

// Fence is the number of our lease: a journal in the same database numbers entries only under the newest.
func (l *Log) Fence() int64 { return l.fence }

// Close gives up the lease and the connections. It publishes nothing.
func (l *Log) Close() error { return l.close() }

func (l *Log) close() error {
	var all error
	for i := len(l.closers) - 1; i >= 0; i-- {
		all = errors.Join(all, l.closers[i]())
	}
	l.closers = nil
	return all
}

// identity names an entry in Trillian: by its place, so that one place has one entry, and equal entries may stand at two.
func identity(origin string, index int64) []byte {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(origin), uint64(index)))
	return sum[:]
}

func fault(reason, format string, args ...any) error {
	return &log.Error{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}
