package journal

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"runtime"
	"strings"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

// dsn names the database with the settings that the promises rest on: a write-ahead log that is synced at each commit
// (FULL; NORMAL loses acknowledged rows in a power cut), checkpoints only when this package asks for them, and waiting, for a
// moment, where another process holds the file. What a statement would need to take itself back, which here the whole batch does,
// stays in memory.
func dsn(path string, more ...string) string {
	pragmas := append([]string{"journal_mode(WAL)", "synchronous(" + durability + ")", "wal_autocheckpoint(0)", "busy_timeout(5000)", "temp_store(MEMORY)"}, more...)
	return "file:" + url.PathEscape(path) + "?" + url.Values{"_pragma": pragmas}.Encode()
}

// createPrivate makes the file, empty, where there is none, for its owner alone, whatever the umask: it has what the log only commits
// to. SQLite gives the files beside it the same mode.
func createPrivate(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}

// openPool opens a database by its DSN through wrap, which tests use to make operations fail.
func openPool(dsn string, conns int, wrap func(driver.Connector) driver.Connector) (*sql.DB, error) {
	connector, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	if wrap != nil {
		connector = wrap(connector)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// migrate brings the tables to the newest version.
func migrate(ctx context.Context, db *sql.DB) error {
	p, err := migrator(db)
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

func migrator(db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
}

// querier is a connection, or a snapshot of the committed state, to read from.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// each calls scan for every row of a query.
func each(ctx context.Context, q querier, query string, scan func(*sql.Rows) error, args ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// one scans the first row of a query and says whether there was any.
func one(ctx context.Context, q querier, query string, args []any, into ...any) (bool, error) {
	found := false
	err := each(ctx, q, query, func(rows *sql.Rows) error {
		if found {
			return nil
		}
		found = true
		return rows.Scan(into...)
	}, args...)
	return found, err
}

// writer is the only connection that writes, with its prepared statements. It belongs to whoever holds Journal.writing.
type writer struct {
	db         *sql.DB
	conn       *sql.Conn
	statements map[string]*sql.Stmt
}

func (w *writer) open(ctx context.Context) (err error) {
	w.statements = map[string]*sql.Stmt{}
	w.conn, err = w.db.Conn(ctx)
	return err
}

// reset gives the connection up, and with it any transaction, and opens another: what it holds is unknown after a failure.
func (w *writer) reset(ctx context.Context) error {
	w.drop()
	return w.open(ctx)
}

// drop closes the connection for good. Its statements go first: database/sql leaves them to us, and SQLite keeps a connection
// with an open statement, and its locks, alive.
func (w *writer) drop() {
	if w.conn == nil {
		return
	}
	for _, s := range w.statements {
		s.Close()
	}
	w.conn.Raw(func(any) error { return driver.ErrBadConn }) // closed, not pooled
	w.conn = nil
}

func (w *writer) close() error {
	w.drop()
	return w.db.Close()
}

func (w *writer) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	if s, ok := w.statements[query]; ok {
		return s, nil
	}
	if w.conn == nil {
		return nil, errors.New("no connection to the database")
	}
	s, err := w.conn.PrepareContext(ctx, query)
	if err == nil {
		w.statements[query] = s
	}
	return s, err
}

// QueryContext implements querier.
func (w *writer) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := w.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

func (w *writer) exec(ctx context.Context, query string, args ...any) (changed int64, err error) {
	s, err := w.prepared(ctx, query)
	if err != nil {
		return 0, err
	}
	r, err := s.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// chunks are how many rows one statement writes: few sizes, so that each is prepared once.
var chunks = []int{64, 32, 16, 8, 4, 2, 1}

// insert writes rows with a statement whose %s takes the list of rows.
func (w *writer) insert(ctx context.Context, statement string, rows [][]any) error {
	for _, n := range chunks {
		for len(rows) >= n {
			one := "(" + strings.Repeat("?, ", len(rows[0])-1) + "?)"
			query := fmt.Sprintf(statement, strings.Repeat(one+", ", n-1)+one)
			var args []any
			for _, row := range rows[:n] {
				args = append(args, row...)
			}
			if _, err := w.exec(ctx, query, args...); err != nil {
				return err
			}
			rows = rows[n:]
		}
	}
	return nil
}

// The primary result codes of SQLite that matter here (https://sqlite.org/rescode.html).
const (
	sqliteIOErr      = 10
	sqliteCorrupt    = 11
	sqliteConstraint = 19
)

// sqliteCode is the primary result code of an error of SQLite, 0 for any other.
func sqliteCode(err error) int {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return 0
	}
	return e.Code() & 0xff
}

// diskFailed says that SQLite itself could not write or sync, so that what the disk holds is unknown.
func diskFailed(err error) bool {
	code := sqliteCode(err)
	return code == sqliteIOErr || code == sqliteCorrupt
}

// The write-ahead log is copied into the database after so many batches, or entries: a full batch of other chains touches thousands
// of pages.
const (
	checkpointBatches = 1024
	checkpointEntries = 4096
)

// checkpoint copies the write-ahead log into the database, passively: first on a connection of its own, beside readers and the
// writer, and then once more by the writer, which finds little left and may begin the file anew. It is never truncated: growing
// a file costs more at each sync than writing over it.
func (j *Journal) checkpoint(ctx context.Context) {
	const passive = "PRAGMA wal_checkpoint(PASSIVE)"
	if _, err := j.checkpoints.ExecContext(ctx, passive); err != nil {
		j.logger.WarnContext(ctx, "checkpoint", "err", err)
		return
	}
	j.writing.Lock()
	defer j.writing.Unlock()
	if j.writer.conn == nil {
		return
	}
	if _, err := j.writer.conn.ExecContext(ctx, passive); err != nil {
		j.logger.WarnContext(ctx, "checkpoint by the writer", "err", err)
	}
}

func readers() int { return 2 + 2*runtime.GOMAXPROCS(0) }
