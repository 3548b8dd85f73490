package store

import "context"

// Backup writes one consistent snapshot of a running SQLite store to path
// (VACUUM INTO), synced; path must not exist. For PostgreSQL it returns an
// error that says to use pg_dump.
func (db *DB) Backup(ctx context.Context, path string) error { return errUnbuilt }
