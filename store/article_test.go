package store_test

import (
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

// used is a ticket on which articles did something.
func usedArticles(uses ...tickets.ArticleUse) tickets.Change {
	c := newTicket("anna@customer.example", "printer", "")
	c.Tickets[0].Messages[0].MessageID = ""
	c.Tickets[0].Letters = nil
	c.Tickets[0].Articles = uses
	return c
}

// Each thing that an article does on a ticket counts once, whoever says it again.
func TestArticlesAreCountedOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db, ctx := open(), t.Context()
		shown := func(id string) tickets.ArticleUse {
			return tickets.ArticleUse{Article: id, What: tickets.ArticleShown}
		}
		solved := tickets.ArticleUse{Article: "paper", What: tickets.ArticleSolved}
		first := save(t, db, 0, usedArticles(shown("paper"), shown("driver"))).Tickets[0]
		save(t, db, 0, usedArticles(shown("paper"), tickets.ArticleUse{Article: "paper", What: tickets.ArticleInserted}))
		ticket := must(db.Ticket(ctx, first))(t)
		for range 3 {
			save(t, db, 0, tickets.Change{Brand: "acme", Tickets: []tickets.TicketChange{{Ticket: ticket, Articles: []tickets.ArticleUse{solved, solved, shown("paper")}}}})
		}
		counts := []store.ArticleCount{{Article: "driver", Shown: 1}, {Article: "paper", Shown: 2, Inserted: 1, Solved: 1}}
		diff(t, "counts", must(db.ArticleCounts(ctx))(t), counts)
		diff(t, "top", must(db.TopArticles(ctx, "acme", noon, noon.Add(time.Second), 1))(t), counts[1:])
		diff(t, "of another brand", len(must(db.TopArticles(ctx, "other", noon, noon.Add(time.Second), 9))(t)), 0)
		diff(t, "of another week", len(must(db.TopArticles(ctx, "acme", noon.Add(time.Second), noon.Add(time.Hour), 9))(t)), 0)
		diff(t, "shown", must(db.ArticlesShown(ctx, first))(t), []string{"driver", "paper"})
	})
}

func TestReturns(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db, ctx := open(), t.Context()
		returned := func(s tickets.ReturnStatus) int64 {
			c := usedArticles()
			c.Tickets[0].Ticket.Return = &tickets.Return{Number: "RMA-1", Status: s, At: noon}
			return save(t, db, 0, c).Tickets[0]
		}
		save(t, db, 0, usedArticles())
		a, b, c := returned(tickets.ReturnOpen), returned(tickets.ReturnRefunded), returned(tickets.ReturnInspected)
		numbers := func(brand string, open bool, n int) (out []int64) {
			for _, t := range must(db.Returns(ctx, brand, open, n))(t) {
				out = append(out, t.ID)
			}
			return out
		}
		diff(t, "all", numbers("", false, 9), []int64{c, b, a})
		diff(t, "open", numbers("acme", true, 9), []int64{c, a})
		diff(t, "some", numbers("acme", false, 2), []int64{c, b})
		diff(t, "another brand's", numbers("other", false, 9), []int64(nil))
	})
}

// useArticles runs the statements of the knowledge base and of returns.
func useArticles(t *testing.T, db *store.DB) {
	ctx := t.Context()
	c := usedArticles(tickets.ArticleUse{Article: "paper", What: tickets.ArticleShown})
	c.Tickets[0].Ticket.Return = &tickets.Return{Number: "RMA-1"}
	saved := save(t, db, 0, c)
	must(db.ArticlesShown(ctx, saved.Tickets[0]))(t)
	must(db.TopArticles(ctx, "acme", noon, noon, 1))(t)
	must(db.Returns(ctx, "acme", true, 1))(t)
}
