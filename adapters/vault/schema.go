package vault

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// schemaVersion is the version of the tables that this program knows.
const schemaVersion = 1

//go:embed schema.sql
var schema string

// migrate makes what is missing, one process at a time.
func migrate(ctx context.Context, pool *pgxpool.Pool) error {
	var found int
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('govahi vault schema'))`); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, schema); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT version FROM vault.schema`).Scan(&found)
	})
	if err != nil {
		return unavailable(err)
	}
	if found > schemaVersion {
		return fmt.Errorf("vault: the database has version %d, this program knows %d: use the newer program", found, schemaVersion)
	}
	return nil
}
