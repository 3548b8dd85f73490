package store

import (
	"context"
	"fmt"
	"time"

	"frontdesk/tickets"
)

// saveArticleUses notes what articles did on a ticket, each thing once.
func (tx *Tx) saveArticleUses(ctx context.Context, t *tickets.Ticket, uses []tickets.ArticleUse, now time.Time) error {
	var args []any
	for _, u := range uses {
		args = append(args, t.ID, u.Article, u.What, t.Brand, ms(now))
	}
	return tx.insertRows(ctx, `
		INSERT INTO article_uses (
			ticket,
			article,
			what,
			brand,
			at
		) VALUES`, `ON CONFLICT (ticket, article, what) DO NOTHING`, 5, args)
}

// ArticleCount is how often an article was of use.
type ArticleCount struct {
	Article  string `json:"article"`
	Shown    int    `json:"shown"`    // acknowledgements that named it
	Inserted int    `json:"inserted"` // answers that it stood in
	Solved   int    `json:"solved"`   // customers who said that it solved their request
}

const countArticles = `
		SELECT
			article,
			SUM(CASE WHEN what = 'shown' THEN 1 ELSE 0 END) AS shown,
			SUM(CASE WHEN what = 'inserted' THEN 1 ELSE 0 END) AS inserted,
			SUM(CASE WHEN what = 'solved' THEN 1 ELSE 0 END) AS solved
		FROM article_uses `

// TopArticles returns the articles that were of most use in a brand from since
// to before until, those that solved most first, at most n.
func (db *DB) TopArticles(ctx context.Context, brand string, since, until time.Time, n int) ([]ArticleCount, error) {
	// Served by article_uses_at.
	list, err := articleCounts(ctx, db.read, countArticles+`
		WHERE brand = $1 AND at >= $2 AND at < $3
		GROUP BY article
		ORDER BY solved DESC, inserted DESC, shown DESC, article LIMIT $4`, brand, ms(since), ms(until), int64(n))
	if err != nil {
		return nil, fmt.Errorf("count the articles of %s: %w", brand, err)
	}
	return list, nil
}

// ArticleCounts returns how often each article was of use, in all brands and
// since ever.
func (db *DB) ArticleCounts(ctx context.Context) ([]ArticleCount, error) {
	// All rows: people ask this, not the desk.
	list, err := articleCounts(ctx, db.read, countArticles+`GROUP BY article ORDER BY article`)
	if err != nil {
		return nil, fmt.Errorf("count what articles were used for: %w", err)
	}
	return list, nil
}

func articleCounts(ctx context.Context, q querier, text string, args ...any) (list []ArticleCount, err error) {
	err = q.each(ctx, text, args, func(scan func(...any) error) error {
		var c ArticleCount
		err := scan(&c.Article, &c.Shown, &c.Inserted, &c.Solved)
		list = append(list, c)
		return err
	})
	return list, err
}

// ArticlesShown returns the ids of the articles that the acknowledgement of a
// ticket named.
func (db *DB) ArticlesShown(ctx context.Context, ticket int64) (ids []string, err error) {
	// Served by the primary key, whose first column is the ticket.
	err = db.read.each(ctx, `SELECT article FROM article_uses WHERE ticket = $1 AND what = 'shown' ORDER BY article`, []any{ticket},
		func(scan func(...any) error) error {
			var id string
			err := scan(&id)
			ids = append(ids, id)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("look for the articles of ticket %d: %w", ticket, err)
	}
	return ids, nil
}

// Returns lists the tickets with something that goes back, newest first, at most
// n. open leaves out those of which nothing more comes.
func (db *DB) Returns(ctx context.Context, brand string, open bool, n int) ([]tickets.Ticket, error) {
	// Served by tickets_returned: of all tickets few are in it.
	list, err := loadTickets(ctx, db.read, `returned <> '' AND merged_into = 0 AND (CAST($1 AS TEXT) = '' OR brand = $1) ORDER BY id DESC`, []any{brand})
	if err != nil {
		return nil, fmt.Errorf("list returns: %w", err)
	}
	var out []tickets.Ticket
	for _, t := range list {
		if t.Return != nil && !(open && t.Return.Status.Over()) && len(out) < n {
			out = append(out, t)
		}
	}
	return out, nil
}
