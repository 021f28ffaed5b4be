package journal

import (
	"context"
	"database/sql"
	"iter"
)

// Entries reads the entries of a journal's file in the order of the log, without opening the journal: beside a server that runs, or
// after one. It changes nothing. The sequence ends at the first error.
func Entries(ctx context.Context, path string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		db, err := openPool(dsn(path, "query_only(1)"), 1, nil)
		if err != nil {
			yield(nil, err)
			return
		}
		defer db.Close()
		var rows *sql.Rows
		if rows, err = db.QueryContext(ctx, `SELECT bytes FROM entry ORDER BY leaf`); err != nil {
			yield(nil, err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			var entry []byte
			if err = rows.Scan(&entry); !yield(entry, err) || err != nil {
				return
			}
		}
		if err = rows.Err(); err != nil {
			yield(nil, err)
		}
	}
}
