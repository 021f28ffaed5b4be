package trillian

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/writ-trust/writ/log"
)

// statementPatience is how long one statement on the tiles may take before the log gives up.
const statementPatience = 30 * time.Second

// store keeps the files of one log in PostgreSQL, so that any replica can serve them. It is the log.FS of the engine on files: what is
// written stays in memory until it is synced, as with a disk, and a sync is one commit.
//
// Only the holder of the log's lease writes. Each write names the fencing number of its lease, in the statement itself: one that lost
// the lease, and does not know it, changes nothing and gets an error.
type store struct {
	pool   *pgxpool.Pool
	origin string
	holder string        // who we are, as opposed to other replicas
	period time.Duration // of the lease

	fence int64 // of our lease; set once, by Lock

	mu   sync.Mutex
	open map[string]*file
}

// openPool connects to the database; every commit waits for the disk.
func openPool(ctx context.Context, uri string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(uri)
	if err != nil {
		return nil, fmt.Errorf("trillian: database: %w", err)
	}
	config.ConnConfig.RuntimeParams["synchronous_commit"] = "on"
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("trillian: database: %w", err)
	}
	return pool, nil
}

func (s *store) context() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), statementPatience)
}

// The lease is taken when nobody holds it, when the one who did has let it end (the database's clock decides), or when it was ours: then
// that process is gone. Were it not, the fencing number would keep it from writing.
const takeLease = `
	INSERT INTO writ.log_lease AS l (origin, holder, fence, until) VALUES ($1, $2, 1, clock_timestamp() + $3)
	ON CONFLICT (origin) DO UPDATE SET holder = $2, fence = l.fence + 1, until = clock_timestamp() + $3 WHERE l.until < clock_timestamp() OR l.holder = $2 AND $2 <> ''
	RETURNING fence`

// Lock implements log.FS: it takes the lease, and renews it until it is closed. Reason: log-leased.
func (s *store) Lock(string) (io.Closer, error) {
	ctx, cancel := s.context()
	defer cancel()
	err := s.pool.QueryRow(ctx, takeLease, s.origin, s.holder, s.period).Scan(&s.fence)
	if errors.Is(err, pgx.ErrNoRows) {
		var holder string
		err = s.pool.QueryRow(ctx, `SELECT holder FROM writ.log_lease WHERE origin = $1`, s.origin).Scan(&holder)
		return nil, errors.Join(fault("log-leased", "%s writes the log %s; its lease has not ended", holder, s.origin), err)
	}
	if err != nil {
		return nil, err
	}
	l := &lease{store: s, ended: make(chan struct{})}
	l.loop.Go(l.renew)
	return l, nil
}

// lease is renewed until it is closed.
type lease struct {
	*store
	ended chan struct{}
	loop  sync.WaitGroup
}

// renew keeps the lease for as long as the database answers. A failure has no answer here: whoever writes next is told.
func (l *lease) renew() {
	tick := time.NewTicker(l.period / 3)
	defer tick.Stop()
	for {
		select {
		case <-l.ended:
			return
		case <-tick.C:
			l.prolong(l.period)
		}
	}
}

func (l *lease) prolong(by time.Duration) error {
	ctx, cancel := l.context()
	defer cancel()
	_, err := l.pool.Exec(ctx, `UPDATE writ.log_lease SET until = clock_timestamp() + $3 WHERE origin = $1 AND fence = $2`, l.origin, l.fence, by)
	return err
}

// Close gives the lease up at once.
func (l *lease) Close() error {
	close(l.ended)
	l.loop.Wait()
	return l.prolong(-time.Second)
}

// held fails unless the lease is still ours, which it may be beyond its end where nobody else took it. Reason: log-fenced.
func (s *store) held(ctx context.Context) error {
	var fence int64
	err := s.pool.QueryRow(ctx, `SELECT fence FROM writ.log_lease WHERE origin = $1`, s.origin).Scan(&fence)
	if err != nil {
		return fmt.Errorf("trillian: lease: %w", err)
	}
	if fence != s.fence {
		return s.fenced()
	}
	return nil
}

func (s *store) fenced() error {
	return fault("log-fenced", "the lease %d of the log %s was lost to another replica", s.fence, s.origin)
}

// holding is the part of a statement by which it changes nothing unless the lease is ours. A takeover waits for its commit.
const holding = `WITH held AS (SELECT fence FROM writ.log_lease WHERE origin = $1 AND fence = $2 FOR SHARE)`

// write runs a statement that begins with holding and must change a row.
func (s *store) write(statement string, args ...any) error {
	ctx, cancel := s.context()
	defer cancel()
	done, err := s.pool.Exec(ctx, holding+statement, append([]any{s.origin, s.fence}, args...)...)
	if err == nil && done.RowsAffected() != 1 {
		err = s.fenced()
	}
	return err
}

// MkdirAll implements log.FS: there are no folders.
func (*store) MkdirAll(string) error { return nil }

// SyncDir implements log.FS: there are no folders.
func (*store) SyncDir(string) error { return nil }

// OpenFile implements log.FS.
func (s *store) OpenFile(name string) (log.File, error) {
	name = filepath.ToSlash(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.open[name]
	if f == nil {
		data, err := s.load(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		f = &file{store: s, name: name, data: data, dirty: err != nil}
		s.open[name] = f
	}
	f.users++
	return f, nil
}

// ReadFile implements log.FS.
func (s *store) ReadFile(name string) ([]byte, error) {
	name = filepath.ToSlash(name)
	s.mu.Lock()
	f := s.open[name]
	s.mu.Unlock()
	if f != nil {
		data, _ := f.snapshot()
		return data, nil
	}
	return s.load(name)
}

func (s *store) load(name string) (data []byte, err error) {
	ctx, cancel := s.context()
	defer cancel()
	return loadFile(ctx, s.pool, s.origin, name)
}

func loadFile(ctx context.Context, pool *pgxpool.Pool, origin, name string) (data []byte, err error) {
	err = pool.QueryRow(ctx, `SELECT bytes FROM writ.log_file WHERE origin = $1 AND name = $2`, origin, name).Scan(&data)
	if errors.Is(err, pgx.ErrNoRows) {
		err = fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	return data, err
}

// Rename implements log.FS, in one statement.
func (s *store) Rename(oldName, newName string) error {
	return s.write(`, moved AS (DELETE FROM writ.log_file USING held WHERE origin = $1 AND name = $3 RETURNING bytes)
		INSERT INTO writ.log_file (origin, name, bytes) SELECT $1, $4, bytes FROM moved
		ON CONFLICT (origin, name) DO UPDATE SET bytes = EXCLUDED.bytes`, filepath.ToSlash(oldName), filepath.ToSlash(newName))
}

// file is one that is open: its bytes in memory, of which the database has those of the last sync.
type file struct {
	*store
	name  string
	users int // guarded by store.mu

	syncing sync.Mutex // held by Sync; taken before mu
	mu      sync.Mutex
	data    []byte
	version int
	dirty   bool
}

// WriteAt implements log.File.
func (f *file) WriteAt(p []byte, offset int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if missing := int(offset) + len(p) - len(f.data); missing > 0 {
		f.data = append(f.data, make([]byte, missing)...)
	}
	f.version, f.dirty = f.version+1, true
	return copy(f.data[offset:], p), nil
}

// Truncate implements log.File.
func (f *file) Truncate(size int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.version, f.dirty = f.version+1, true
	f.data = append(make([]byte, 0, size), f.data[:min(int(size), len(f.data))]...)[:size]
	return nil
}

func (f *file) snapshot() (data []byte, version int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]byte{}, f.data...), f.version
}

// Sync implements log.File: one commit, if there is anything new.
func (f *file) Sync() error {
	f.syncing.Lock()
	defer f.syncing.Unlock()
	data, version := f.snapshot()
	f.mu.Lock()
	dirty := f.dirty
	f.mu.Unlock()
	if !dirty {
		return nil
	}
	err := f.write(` INSERT INTO writ.log_file (origin, name, bytes) SELECT $1, $3, $4 FROM held
		ON CONFLICT (origin, name) DO UPDATE SET bytes = EXCLUDED.bytes`, f.name, data)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dirty = err != nil || f.version != version
	return err
}

// Close implements log.File. What was not synced is forgotten once nobody has the file open.
func (f *file) Close() error {
	f.store.mu.Lock()
	defer f.store.mu.Unlock()
	if f.users--; f.users == 0 {
		delete(f.open, f.name)
	}
	return nil
}
