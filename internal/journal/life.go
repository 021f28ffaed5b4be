package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
)

// Carry says that the log carries on the tree of another one, and is the entry that it adds first (protocol.md 8.7).
type Carry struct {
	Origin string      // of the log that goes on
	Entry  *spec.Entry // names the log that ended, its key, and its size
}

// ErrReadOnly answers what would write to a journal that is open for reading.
var ErrReadOnly error = spec.Refuse("read-only", "", "this ledger only answers questions: it decides and logs nothing")

// carriedOn is where the journal ends, told under the name of the log that goes on: first it must end exactly where that begins. begins
// says whether the entry of Carry is still to come.
func (j *Journal) carriedOn(stored log.Checkpoint) (c log.Checkpoint, begins bool, err error) {
	carry := j.Carry
	if carry == nil || stored.Origin != carry.Entry.Origin {
		return stored, false, nil
	}
	if stored.Size != carry.Entry.Size {
		return stored, false, spec.Refuse("log-other", "", "%s carries on %s from %d entries, the database has %d", carry.Origin, stored.Origin, carry.Entry.Size, stored.Size)
	}
	stored.Origin = carry.Origin
	return stored, true, nil
}

// checkLife refuses a database that is a backup, or whose log has ended, unless it is opened for reading or to be carried on.
func (j *Journal) checkLife(ctx context.Context, stored log.Checkpoint, begins bool) error {
	if j.ReadOnly {
		return nil
	}
	if copied, err := one(ctx, &j.writer, `SELECT made FROM copy`, nil, new(int64)); err != nil || copied {
		return errors.Join(err, spec.Refuse("database-copy", "", "%s is a backup of %s at %d entries", j.Path, stored.Origin, stored.Size))
	}
	last, err := j.entriesFrom(ctx, max(stored.Size-1, 0))
	if err != nil || len(last) == 0 || begins {
		return err
	}
	if e, err := spec.ParseEntry(last[len(last)-1]); err != nil || e.Ends(stored.Size-1) {
		return errors.Join(err, spec.Refuse("log-frozen", "", "%s ended at %d entries", stored.Origin, stored.Size))
	}
	return nil
}

// Freeze logs the last entries of the log: the heads of all chains, and that it is carried on under another name and key. From then on
// the journal refuses to write. Nothing else is to be logged meanwhile.
func (j *Journal) Freeze(ctx context.Context, origin, key string) (size int64, err error) {
	if _, err := j.LogHeads(ctx); err != nil {
		return 0, err
	}
	j.writing.Lock()
	defer j.writing.Unlock()
	stored, _, err := tip(ctx, &j.writer)
	if err != nil {
		return 0, err
	}
	if err := j.add(ctx, spec.Successor(origin, key, stored.Size+1)); err != nil {
		return 0, err
	}
	j.broken.CompareAndSwap(nil, &IndeterminateError{Err: spec.Refuse("log-frozen", "", "%s ended at %d entries", stored.Origin, stored.Size+1), Fatal: true})
	return stored.Size + 1, nil
}

// add logs an entry that opens nothing, alone in its transaction. The caller holds j.writing, or is the only one there is. It is
// numbered as a batch is (commit.go, steps 6 to 8), and a crash leaves the same: all of it or nothing, and what the log lacks is staged
// at the next start.
func (j *Journal) add(ctx context.Context, e *spec.Entry) error {
	if _, err := j.writer.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	staged, err := j.numberOne(ctx, e)
	if err == nil {
		err = j.end(ctx)
	}
	if err != nil {
		return errors.Join(err, j.rollback(ctx))
	}
	return j.Log.Keep(ctx, staged)
}

// numberOne writes the entry under the next index.
func (j *Journal) numberOne(ctx context.Context, e *spec.Entry) (log.Checkpoint, error) {
	stored, last, err := tip(ctx, &j.writer)
	if err != nil {
		return log.Checkpoint{}, err
	}
	leaf := e.Bytes()
	now := millis(notBefore(j.Now().UTC(), last))
	row := []any{stored.Size, "", e.Kind, spec.LeafHash(leaf), now, make([]byte, 32), leaf}
	if err := j.writer.insert(ctx, `INSERT INTO entry (leaf, org, kind, document, at, salt, bytes) VALUES %s`, [][]any{row}); err != nil {
		return log.Checkpoint{}, err
	}
	staged, err := j.Log.Stage(stored.Size, [][]byte{leaf})
	if err != nil {
		return staged, err
	}
	_, err = j.writer.exec(ctx, `UPDATE log SET origin = ?, size = ?, root = ?, at = ? WHERE id = 1`, staged.Origin, staged.Size, staged.Root.String(), now)
	return staged, err
}

// Successors are the entries by which the log carries others on, oldest first. It implements verifier.Succession.
func (j *Journal) Successors(ctx context.Context) (all []spec.Carried, err error) {
	err = j.snapshot(ctx, func(q querier) error {
		return each(ctx, q, `SELECT leaf, bytes FROM entry WHERE kind = 'successor' AND org = '' ORDER BY leaf`, func(rows *sql.Rows) error {
			var leaf int64
			var bytes []byte
			if err := rows.Scan(&leaf, &bytes); err != nil {
				return err
			}
			e, err := spec.ParseEntry(bytes)
			if err == nil && e.Carries(leaf) {
				all = append(all, spec.Carried{Index: leaf, Entry: e})
			}
			return err
		})
	})
	return all, err
}

// Tip says how far the database at a path reaches, under which log, without changing anything that it says.
func Tip(ctx context.Context, path string) (c log.Checkpoint, err error) {
	if _, err := os.Stat(path); err != nil {
		return c, err
	}
	db, err := openPool(dsn(path, "query_only(1)"), 1, nil)
	if err != nil {
		return c, err
	}
	defer db.Close()
	c, _, err = tip(ctx, db)
	return c, err
}

// Backup writes a copy of the database at one committed moment, while a server may go on with it, and marks it as a backup. The log is
// a function of the entries in it, so that nothing else needs to be of the same moment. to must not exist. When it returns nil the copy
// is on disk.
func Backup(ctx context.Context, from, to string, made int64) (log.Checkpoint, error) {
	if _, err := os.Stat(from); err != nil {
		return log.Checkpoint{}, err
	}
	if err := vacuumInto(ctx, from, to); err != nil {
		return log.Checkpoint{}, fmt.Errorf("journal: backup: %w", err)
	}
	if err := stamp(ctx, to, `INSERT INTO copy (id, made) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET made = excluded.made`, made); err != nil {
		return log.Checkpoint{}, fmt.Errorf("journal: backup: %w", err)
	}
	return Tip(ctx, to)
}

// Restore writes a database from a backup that may be started again: under another log alone (Options.Carry). to must not exist.
func Restore(ctx context.Context, from, to string) (log.Checkpoint, error) {
	if _, err := os.Stat(from); err != nil {
		return log.Checkpoint{}, err
	}
	if err := vacuumInto(ctx, from, to); err != nil {
		return log.Checkpoint{}, fmt.Errorf("journal: restore: %w", err)
	}
	if err := stamp(ctx, to, `DELETE FROM copy WHERE 1 = ?`, 1); err != nil {
		return log.Checkpoint{}, fmt.Errorf("journal: restore: %w", err)
	}
	return Tip(ctx, to)
}

// vacuumInto copies one committed state of a database into a new file, private to its owner.
func vacuumInto(ctx context.Context, from, to string) error {
	if _, err := os.Lstat(to); err == nil {
		return fmt.Errorf("%s: %w", to, os.ErrExist)
	}
	if err := createPrivate(to); err != nil {
		return err
	}
	db, err := openPool(dsn(from), 1, nil)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, `VACUUM INTO ?`, to)
	return err
}

// stamp changes a copy, and leaves all of it in the one file, on disk.
func stamp(ctx context.Context, path, statement string, value int64) error {
	db, err := openPool(dsn(path), 1, nil)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, statement, value)
	if err == nil {
		_, err = db.ExecContext(ctx, `PRAGMA journal_mode = DELETE`)
	}
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}
