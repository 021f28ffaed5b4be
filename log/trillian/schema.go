package trillian

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Schema is what Writ adds to Trillian's schema for PostgreSQL: the fence that lets several signers live, and the tables of the tiles.
//
//go:embed schema.sql
var Schema string

// ApplySchema applies Trillian's own schema, storage/postgresql/schema/storage.sql of its module, unless its tables are there, and then
// Schema. All of it succeeds or nothing is changed. trillian may be empty where the tables are there.
func ApplySchema(ctx context.Context, uri, trillian string) error {
	conn, err := pgx.Connect(ctx, uri)
	if err != nil {
		return fmt.Errorf("trillian: database: %w", err)
	}
	defer conn.Close(ctx)
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		var there bool
		if err := tx.QueryRow(ctx, `SELECT to_regclass('treehead') IS NOT NULL`).Scan(&there); err != nil {
			return fmt.Errorf("trillian: database: %w", err)
		}
		if !there && trillian == "" {
			return fault("log-engine-schema", "the database has no tables of Trillian: apply storage/postgresql/schema/storage.sql of its module first")
		}
		if there {
			trillian = ""
		}
		_, err := tx.Conn().PgConn().Exec(ctx, trillian+"\n"+Schema).ReadAll()
		return err
	})
}
