package store

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"frontdesk/tickets"
)

const (
	maxLike    = 500            // tickets of Like
	maxWords   = 400            // bytes of what a ticket is about
	likeFor    = 48 * time.Hour // how long rows of lately are kept, at least
	pruneEvery = 64             // tickets opened between two prunings
	pruneMost  = 4 * pruneEvery // rows that one pruning drops
	likeRoom   = 64             // tickets of a list that one transaction adds
)

// likeCache is what tickets of a brand opened since a time are about, newest
// first, kept up by what the transaction saves. A list that was handed out is
// not changed: what is new goes before it.
type likeCache struct {
	since int64
	room  []tickets.LikeTicket // the list, and before it room for what is new
	from  int                  // where the list begins
}

func (c *likeCache) list() []tickets.LikeTicket { return c.room[c.from:] }

func (c *likeCache) prepend(l tickets.LikeTicket) {
	if c.from == 0 {
		room := make([]tickets.LikeTicket, likeRoom+len(c.room))
		copy(room[likeRoom:], c.room)
		c.room, c.from = room, likeRoom
	}
	c.from--
	c.room[c.from] = l
}

// change changes one ticket of the list, if it is there.
func (c *likeCache) change(ticket int64, f func(*tickets.LikeTicket)) {
	if c == nil {
		return
	}
	i := slices.IndexFunc(c.room, func(l tickets.LikeTicket) bool { return l.ID == ticket })
	if i < 0 {
		return
	}
	l := c.room[i]
	f(&l)
	if l != c.room[i] {
		c.room = slices.Clone(c.room)
		c.room[i] = l
	}
}

// like asks for the tickets opened lately, once in a transaction: decisions of
// one group ask for about the same time.
func (f *finder) like(ctx context.Context) error {
	if !f.keys.Opens || f.keys.LikeSince.IsZero() {
		return nil
	}
	if err := f.tx.carryOn(ctx); err != nil {
		return err
	}
	since := ms(f.keys.LikeSince)
	if c := f.tx.cache.like[f.keys.Brand]; c != nil && c.since <= since {
		return nil
	}
	since -= since % time.Minute.Milliseconds()
	c := &likeCache{since: since}
	if f.tx.cache.like == nil {
		f.tx.cache.like = make(map[string]*likeCache)
	}
	f.tx.cache.like[f.keys.Brand] = c
	// Served by tickets_opened, backwards, and the primary key of lately.
	return f.tx.eachLater(ctx, `
		SELECT
			t.id,
			l.requester,
			l.words,
			t.facts,
			t.incident,
			t.status,
			t.opened
		FROM tickets t JOIN lately l ON l.ticket = t.id
		WHERE t.brand = $1 AND t.opened >= $2
		ORDER BY t.opened DESC, t.brand DESC, t.id DESC`+limit(maxLike), []any{f.keys.Brand, since},
		func(scan func(...any) error) error {
			var l tickets.LikeTicket
			var facts string
			if err := scan(&l.ID, &l.Requester, &l.Words, &facts, &l.Incident, &l.Status, timeDest{&l.Opened}); err != nil {
				return err
			}
			var err error
			l.Product, err = product(facts)
			c.room = append(c.room, l)
			return err
		})
}

// takeLike hands out what of it was opened late enough.
func (f *finder) takeLike(context.Context) error {
	if !f.keys.Opens || f.keys.LikeSince.IsZero() {
		return nil
	}
	list := f.tx.cache.like[f.keys.Brand].list()
	list = list[:min(len(list), maxLike)]
	early := func(l tickets.LikeTicket) bool { return l.Opened.Before(f.keys.LikeSince) }
	for n := len(list); n > 0 && early(list[n-1]); n-- {
		list = list[:n-1]
	}
	if slices.ContainsFunc(list, early) { // a mail that came late stands among the new ones
		list = slices.DeleteFunc(slices.Clone(list), early)
	}
	f.found.Like = slices.Clip(list)
	return nil
}

// noteLately notes what a new ticket is about.
func (tx *Tx) noteLately(ctx context.Context, t *tickets.Ticket, messages []tickets.Message, now time.Time) error {
	l := tickets.LikeTicket{
		ID: t.ID, Words: clean(about(t, messages)), Product: t.Facts["product"], Incident: t.Incident, Status: t.Status, Opened: at(ms(t.Opened)),
	}
	for _, p := range t.Participants {
		if p.Role == tickets.PartyRequester {
			l.Requester = p.Address.Address
			break
		}
	}
	if c := tx.cache.like[t.Brand]; c != nil {
		c.prepend(l)
	}
	if t.ID%pruneEvery == 0 {
		// The oldest rows, by the primary key.
		err := tx.later(ctx, `DELETE FROM lately WHERE ticket IN (SELECT ticket FROM lately ORDER BY ticket`+limit(pruneMost)+`) AND opened < $1`,
			ms(now.Add(-likeFor)))
		if err != nil {
			return err
		}
	}
	return tx.later(ctx, `INSERT INTO lately (ticket, opened, requester, words) VALUES ($1, $2, $3, $4)`, t.ID, ms(t.Opened), l.Requester, l.Words)
}

// about is a ticket's subject and the beginning of its first message.
func about(t *tickets.Ticket, messages []tickets.Message) string {
	text := t.Subject
	if len(messages) > 0 {
		text += "\n" + cut(messages[0].Text, maxWords)
	}
	return cut(text, maxWords)
}

// keepLike keeps the list up, after a ticket was changed.
func (tx *Tx) keepLike(t *tickets.Ticket) {
	tx.cache.like[t.Brand].change(t.ID, func(l *tickets.LikeTicket) {
		l.Product, l.Incident, l.Status = t.Facts["product"], t.Incident, t.Status
	})
}

// keepIncident keeps the list up, after a ticket joined an incident.
func (tx *Tx) keepIncident(brand string, ticket, incident int64) {
	tx.cache.like[brand].change(ticket, func(l *tickets.LikeTicket) { l.Incident = incident })
}

// product is the fact of that name in stored facts.
func product(facts string) (string, error) {
	if !strings.Contains(facts, `"product"`) { // few have it, and there are many to look at
		return "", nil
	}
	var f map[string]string
	err := json.Unmarshal([]byte(facts), &f)
	return f["product"], err
}
