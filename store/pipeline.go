package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// postgresTx is a transaction on one connection of the pool. What is put off
// goes to the server in one pipeline with the next statement whose answer is
// needed: a decision costs a handful of round trips in place of twenty.
type postgresTx struct {
	conn  *sql.Conn
	queue []statement
	begun bool // something was sent
}

const (
	savepointTry = `SAVEPOINT try`
	releaseTry   = `RELEASE SAVEPOINT try`
	undoTry      = `ROLLBACK TO SAVEPOINT try`
)

// goodbye is how long a rollback may take.
const goodbye = 5 * time.Second

func (t *postgresTx) later(_ context.Context, s statement) error {
	if s.id != nil {
		s.text += ` RETURNING id`
		s.rows = func(scan func(...any) error) error {
			var id int64
			err := scan(&id)
			s.id(id)
			return err
		}
	}
	t.queue = append(t.queue, s)
	return nil
}

func (t *postgresTx) each(ctx context.Context, text string, args []any, f rowFunc) error {
	t.queue = append(t.queue, statement{text: text, args: args, rows: f})
	return t.flush(ctx)
}

func (t *postgresTx) exec(ctx context.Context, text string, args []any) (n int64, err error) {
	t.queue = append(t.queue, statement{text: text, args: args, met: func(met int64) error { n = met; return nil }})
	return n, t.flush(ctx)
}

// flush sends the queue and takes the answers in order. After an error the
// server has skipped the rest.
// spare: what was sent is in memory no more.
func (t *postgresTx) spare(context.Context) error { return nil }

func (t *postgresTx) flush(ctx context.Context) error {
	if len(t.queue) == 0 {
		return nil
	}
	queue := t.queue
	t.queue, t.begun = nil, true
	return t.conn.Raw(func(c any) error {
		var batch pgx.Batch
		for _, s := range queue {
			batch.Queue(s.text, bind(s.args)...)
		}
		answers := c.(*stdlib.Conn).Conn().SendBatch(ctx, &batch)
		for _, s := range queue {
			if err := answer(answers, s); err != nil {
				return errors.Join(err, quiet(answers.Close(), err))
			}
		}
		return answers.Close()
	})
}

// quiet drops an error that only repeats the one before.
func quiet(err, before error) error {
	if err == nil || before != nil {
		return nil
	}
	return err
}

func answer(answers pgx.BatchResults, s statement) error {
	if s.rows == nil {
		tag, err := answers.Exec()
		if err == nil && s.met != nil {
			err = s.met(tag.RowsAffected())
		}
		return err
	}
	rows, err := answers.Query()
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := s.rows(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (t *postgresTx) savepoint(ctx context.Context) error {
	return t.later(ctx, statement{text: savepointTry})
}

func (t *postgresTx) release(ctx context.Context) error {
	return t.later(ctx, statement{text: releaseTry})
}

// undo goes back to the innermost savepoint. When that was not even sent, what
// was put off since is forgotten and the server knows of nothing.
func (t *postgresTx) undo(ctx context.Context) error {
	for i := len(t.queue) - 1; i >= 0; i-- {
		if t.queue[i].text == savepointTry {
			t.queue = t.queue[:i]
			return nil
		}
	}
	// A release inside that was not sent yet comes first, or the server would
	// take its savepoint for the innermost. The simple protocol: in a failed
	// transaction nothing can be prepared.
	text := ""
	for _, s := range t.queue {
		if s.text == releaseTry {
			text += releaseTry + ";"
		}
	}
	t.queue = nil
	return t.conn.Raw(func(c any) error {
		_, err := c.(*stdlib.Conn).Conn().Exec(ctx, text+undoTry+";"+releaseTry)
		return err
	})
}

func (t *postgresTx) commit(ctx context.Context) error {
	err := t.failed()
	if err == nil && slices.ContainsFunc(t.queue, func(s statement) bool { return s.met != nil || s.rows != nil }) {
		err = t.flush(ctx) // who hears an answer may refuse it: the server would have committed by then
	}
	t.queue = append(t.queue, statement{text: `COMMIT`})
	if err == nil {
		err = t.flush(ctx)
	}
	if err != nil {
		return errors.Join(err, t.rollback())
	}
	return t.conn.Close()
}

// failed reports that a statement has failed and that nobody went back to a
// savepoint: to COMMIT the server would then answer ROLLBACK, and no error.
func (t *postgresTx) failed() error {
	return t.conn.Raw(func(c any) error {
		if c.(*stdlib.Conn).Conn().PgConn().TxStatus() == 'E' {
			return errors.New("commit after a failed statement")
		}
		return nil
	})
}

// rollback gives the connection back, or has it closed when it cannot even
// roll back.
func (t *postgresTx) rollback() error {
	t.queue = nil
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	_ = t.conn.Raw(func(c any) error {
		conn := c.(*stdlib.Conn).Conn()
		if t.begun && !conn.IsClosed() && conn.PgConn().TxStatus() != 'I' {
			_, err := conn.Exec(ctx, `ROLLBACK`)
			if err != nil {
				return driver.ErrBadConn
			}
		}
		return nil
	})
	return t.conn.Close()
}
