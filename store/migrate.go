package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
)

// schema holds NNN_name.sql, one text for both databases, and beside it
// NNN_sqlite.sql and NNN_postgres.sql with what has no common text. Files that
// have been released are never changed: a new number is added.
//
//go:embed schema/*.sql
var schema embed.FS

// dialect is what the schema's tokens stand for, and whose extra files are run.
type dialect struct {
	name   string // "sqlite", "postgres"
	goose  goose.Dialect
	tokens *strings.Replacer
}

// migrations reads the embedded files: for each number the common text, then
// the dialect's.
func migrations(d dialect) ([]*goose.Migration, error) {
	names, err := fs.Glob(schema, "schema/*.sql")
	if err != nil {
		return nil, err
	}
	texts, last := map[int64]string{}, int64(0)
	for _, extra := range []bool{false, true} {
		for _, name := range names {
			number, rest, _ := strings.Cut(strings.TrimSuffix(path.Base(name), ".sql"), "_")
			if isExtra := rest == "sqlite" || rest == "postgres"; isExtra != extra || extra && rest != d.name {
				continue
			}
			n, err := strconv.ParseInt(number, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("schema file %s: no number: %w", name, err)
			}
			text, err := schema.ReadFile(name)
			if err != nil {
				return nil, err
			}
			texts[n] += d.tokens.Replace(string(text)) + "\n"
			last = max(last, n)
		}
	}
	var list []*goose.Migration
	for n := int64(1); n <= last; n++ {
		text, ok := texts[n]
		if !ok {
			continue // a number that was given away and never used
		}
		list = append(list, goose.NewGoMigration(n, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, text)
			return err
		}}, nil))
	}
	return list, nil
}

// provider returns goose over the migrations, one transaction each.
func (d dialect) provider(db *sql.DB, opts ...goose.ProviderOption) (*goose.Provider, error) {
	list, err := migrations(d)
	if err != nil {
		return nil, err
	}
	opts = append(opts, goose.WithGoMigrations(list...), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	return goose.NewProvider(d.goose, db, nil, opts...)
}

// migrateUp brings the database to this version. prepare, when not nil, is
// called with the version that it has before anything is changed.
func migrateUp(ctx context.Context, p *goose.Provider, prepare func(have int64) error) error {
	have, want, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the schema version: %w", err)
	}
	switch {
	case have > want:
		return fmt.Errorf("schema %d, this frontdesk knows %d: %w", have, want, ErrNewer)
	case have == want:
		return nil
	}
	if prepare != nil {
		if err := prepare(have); err != nil {
			return fmt.Errorf("migrate schema %d to %d: %w", have, want, err)
		}
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate schema %d to %d: %w", have, want, err)
	}
	return nil
}
