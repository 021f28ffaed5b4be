// Package postgres numbers, for the log, what the replicas of a journal in PostgreSQL have committed. It is the part of such a journal
// that decides an entry's index: the transactions that write entries are the caller's.
//
// A SQLite journal numbers inside the transaction, which is the only one. Here transactions overlap, so the holder of the log's lease
// numbers after their COMMIT: it takes what has no number, in the order of id, and never what lies behind some id, since an entry with a
// smaller one may become visible later.
package postgres

import (
	"context"
	_ "embed"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/writ-trust/writ/log"
	"github.com/writ-trust/writ/spec"
)

// Schema has the tables. It goes into the database of the log's lease (package log/trillian).
//
//go:embed schema.sql
var Schema string

// Follower is the log: it computes roots over the numbered entries and signs.
type Follower interface {
	Size() int64
	Stage(first int64, leaves [][]byte) (log.Checkpoint, error)
	Keep(ctx context.Context, c log.Checkpoint) error
}

// maxBatch is how many entries one transaction numbers.
const maxBatch = 1024

// Add writes entries for a log in the caller's transaction, which may be of any replica, and returns their ids, in order.
func Add(ctx context.Context, tx pgx.Tx, origin string, entries [][]byte) (ids []int64, err error) {
	rows, err := tx.Query(ctx, `INSERT INTO writ.entry (origin, bytes) SELECT $1, bytes FROM unnest($2::bytea[]) WITH ORDINALITY AS e (bytes, place)
		ORDER BY place RETURNING id`, origin, entries)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

// Numbering is the one replica that numbers, for as long as its lease is the newest. It belongs to one goroutine.
type Numbering struct {
	pool   *pgxpool.Pool
	origin string
	fence  int64
	log    Follower
}

// Open returns the numbering of the log called origin under the lease with this fencing number, and brings the log up to what is
// numbered: the same bytes at the same index. Reasons: log-ahead, log-other, log-fenced; those of the log.
func Open(ctx context.Context, pool *pgxpool.Pool, origin string, fence int64, follower Follower) (*Numbering, error) {
	n := &Numbering{pool, origin, fence, follower}
	if _, err := pool.Exec(ctx, `INSERT INTO writ.log (origin, size, root) VALUES ($1, 0, '') ON CONFLICT DO NOTHING`, origin); err != nil {
		return nil, err
	}
	return n, n.catchUp(ctx)
}

// catchUp stages what is numbered and the log lacks: what a crash between COMMIT and Keep leaves.
func (n *Numbering) catchUp(ctx context.Context) error {
	var size int64
	var root string
	if err := n.pool.QueryRow(ctx, `SELECT size, root FROM writ.log WHERE origin = $1`, n.origin).Scan(&size, &root); err != nil {
		return err
	}
	if n.log.Size() > size {
		return spec.Refuse("log-ahead", "", "the log has %d entries, the database %d: the database was restored from a backup", n.log.Size(), size)
	}
	for n.log.Size() < size {
		first := n.log.Size()
		rows, err := n.pool.Query(ctx, `SELECT bytes FROM writ.entry WHERE origin = $1 AND leaf >= $2 AND leaf < $3 ORDER BY leaf`,
			n.origin, first, min(size, first+maxBatch))
		if err != nil {
			return err
		}
		leaves, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
		if err != nil {
			return err
		}
		if want := min(size-first, maxBatch); int64(len(leaves)) != want {
			return spec.Refuse("log-other", "", "%d of %d entries from %d on are missing", want-int64(len(leaves)), want, first)
		}
		staged, err := n.log.Stage(first, leaves)
		if err != nil {
			return err
		}
		if staged.Size == size && staged.Root.String() != root {
			return spec.Refuse("log-other", "", "the entries lead to the root %s at %d, the database was written with %s", staged.Root, size, root)
		}
		if err := n.log.Keep(ctx, staged); err != nil {
			return err
		}
	}
	return nil
}

// Number numbers what is committed and has no number yet, up to a batch, makes it part of the log, and says how many entries that were.
// After an error the numbering must be opened again: whether the COMMIT landed is unknown. Reasons: log-fenced; those of the log.
func (n *Numbering) Number(ctx context.Context) (int, error) {
	var staged log.Checkpoint
	count := 0
	err := pgx.BeginFunc(ctx, n.pool, func(tx pgx.Tx) (err error) {
		staged, count, err = n.stage(ctx, tx)
		return err
	})
	// A crash here, or a COMMIT of which nobody knows, leaves a log that is shorter than the database: the next Open stages the rest.
	if err != nil || count == 0 {
		return 0, err
	}
	return count, n.log.Keep(ctx, staged)
}

func (n *Numbering) stage(ctx context.Context, tx pgx.Tx) (staged log.Checkpoint, count int, err error) {
	// A takeover of the lease waits for this transaction, or this transaction finds it lost.
	var fence, size int64
	err = tx.QueryRow(ctx, `SELECT fence FROM writ.log_lease WHERE origin = $1 AND fence = $2 FOR SHARE`, n.origin, n.fence).Scan(&fence)
	if errors.Is(err, pgx.ErrNoRows) {
		return staged, 0, spec.Refuse("log-fenced", "", "the lease %d of the log %s was lost to another replica", n.fence, n.origin)
	}
	if err != nil {
		return staged, 0, err
	}
	if err = tx.QueryRow(ctx, `SELECT size FROM writ.log WHERE origin = $1 FOR UPDATE`, n.origin).Scan(&size); err != nil {
		return staged, 0, err
	}
	ids, leaves, err := n.unnumbered(ctx, tx)
	if err != nil || len(ids) == 0 {
		return staged, 0, err
	}
	if staged, err = n.log.Stage(size, leaves); err != nil {
		return staged, 0, err
	}
	done, err := tx.Exec(ctx, `UPDATE writ.entry AS e SET leaf = $1 + v.place - 1 FROM unnest($2::bigint[]) WITH ORDINALITY AS v (id, place)
		WHERE e.id = v.id AND e.leaf IS NULL`, size, ids)
	if err == nil && done.RowsAffected() != int64(len(ids)) {
		err = fmt.Errorf("journal: %d of %d entries were numbered", done.RowsAffected(), len(ids))
	}
	if err != nil {
		return staged, 0, err
	}
	done, err = tx.Exec(ctx, `UPDATE writ.log SET size = $3, root = $4 WHERE origin = $1 AND size = $2`, n.origin, size, staged.Size, staged.Root.String())
	if err == nil && done.RowsAffected() != 1 {
		err = fmt.Errorf("journal: the log does not have %d entries any more", size)
	}
	return staged, len(ids), err
}

func (n *Numbering) unnumbered(ctx context.Context, tx pgx.Tx) (ids []int64, leaves [][]byte, err error) {
	rows, err := tx.Query(ctx, `SELECT id, bytes FROM writ.entry WHERE origin = $1 AND leaf IS NULL ORDER BY id LIMIT $2`, n.origin, maxBatch)
	if err != nil {
		return nil, nil, err
	}
	var id int64
	var bytes []byte
	_, err = pgx.ForEachRow(rows, []any{&id, &bytes}, func() error {
		ids, leaves = append(ids, id), append(leaves, append([]byte{}, bytes...))
		return nil
	})
	return ids, leaves, err
}
