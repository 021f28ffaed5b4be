package journal

import (
	"context"
	"database/sql"

	"github.com/writ-trust/writ/spec"
)

// NewestStatusList returns the number of the newest status list, from 1, and how many of its positions are taken; 0 and 0 where
// none is.
func (j *Journal) NewestStatusList(ctx context.Context) (list, taken int, err error) {
	err = j.get(ctx, `SELECT coalesce((SELECT max(list) FROM status_entry), 0),
		(SELECT count(*) FROM status_entry WHERE list = (SELECT max(list) FROM status_entry))`, nil, &list, &taken)
	return list, taken, err
}

// TakeStatus gives a position of a list to a mandate, for ever. One that is taken already is refused: table-rule.
func (j *Journal) TakeStatus(ctx context.Context, org, content string, list, position int) error {
	return j.put(ctx, `INSERT INTO status_entry (list, position, org, content) VALUES (?, ?, ?, ?)`, list, position, org, content)
}

// StatusPositions returns the positions of a list whose mandates' chains have this status, suspended or revoked, as committed.
func (j *Journal) StatusPositions(ctx context.Context, list int, status spec.Status) ([]int, error) {
	var all []int
	err := j.snapshot(ctx, func(q querier) error {
		return each(ctx, q, `SELECT s.position FROM chain AS c CROSS JOIN status_entry AS s ON s.content = c.content AND s.org = c.org
			WHERE s.list = ? AND c.status = ? AND c.status IN ('suspended', 'revoked') ORDER BY s.position`, func(rows *sql.Rows) error {
			var position int
			err := rows.Scan(&position)
			all = append(all, position)
			return err
		}, list, string(status))
	})
	return all, err
}
