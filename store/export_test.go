package store

import (
	"context"
	"strings"
)

// Plans returns, of an SQLite store, the query plan of every statement that
// was prepared so far.
func Plans(ctx context.Context, db *DB) (map[string]string, error) {
	e := db.engine.(*sqliteEngine)
	texts := make(map[string]string)
	<-e.turn
	for text := range e.statements {
		texts[text] = ""
	}
	e.turn <- struct{}{}
	e.prepare.mu.Lock()
	for text := range e.prepare.statements {
		texts[text] = ""
	}
	e.prepare.mu.Unlock()
	for text := range texts {
		if word := strings.Fields(text)[0]; !strings.Contains("SELECT INSERT UPDATE DELETE", word) {
			delete(texts, text)
			continue
		}
		rows, err := e.writerPlan(ctx, text)
		if err != nil {
			return nil, err
		}
		texts[text] = strings.Join(rows, "\n")
	}
	return texts, nil
}

func (e *sqliteEngine) writerPlan(ctx context.Context, text string) (lines []string, err error) {
	<-e.turn
	defer func() { e.turn <- struct{}{} }()
	args := make([]any, strings.Count(text, "$"))
	for n := len(args); n >= 0; n-- {
		lines = nil
		err = sqliteTx{e}.each(ctx, "EXPLAIN QUERY PLAN "+text, args[:n], func(scan func(...any) error) error {
			var id, parent, unused int
			var line string
			err := scan(&id, &parent, &unused, &line)
			lines = append(lines, line)
			return err
		})
		if err == nil {
			break
		}
	}
	return lines, err
}

// Synchronous returns how an SQLite store's last transaction was synced: 2 is
// FULL, 1 NORMAL.
func Synchronous(ctx context.Context, db *DB) (how int, err error) {
	e := db.engine.(*sqliteEngine)
	<-e.turn
	defer func() { e.turn <- struct{}{} }()
	return how, e.conn.QueryRowContext(ctx, `PRAGMA synchronous`).Scan(&how)
}
