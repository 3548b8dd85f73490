package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"frontdesk/intake"
	"frontdesk/parser"
	"frontdesk/store"
	"frontdesk/tickets"
)

// oldContact is one contact of a history.
type oldContact struct {
	where string // for people: FILE:OFFSET
	at    time.Time
	raw   []byte                 // RFC 5322
	make  func() ([]byte, error) // makes raw when it is wanted; nil: raw is there
	key   string                 // in the ledger; "": by its content
	past  tickets.Past
}

// history is old contacts in order of time. Load may be called at the same time
// for several.
type history interface {
	Len() int
	Load(i int) (oldContact, error)
}

// Problem is what is wrong with one contact of a history.
type problem struct {
	Where string `json:"where"`
	What  string `json:"what"`
	Lost  bool   `json:"left_out"` // it is not imported
}

// historyCount is what became of the contacts.
type historyCount struct {
	Read       int            `json:"read"`
	Messages   int            `json:"messages"`
	Tickets    int            `json:"tickets"`
	Customers  int            `json:"customers"`
	Known      int            `json:"known"`
	Discarded  map[string]int `json:"discarded,omitempty"`
	discarded  int
	Failed     int  `json:"failed"`
	Unfinished bool `json:"unfinished"`
}

// historyImport takes a history in.
type historyImport struct {
	db        *store.DB
	real      *store.DB // what is known already: of a dry run another than db
	rules     tickets.Rules
	parser    parser.Options
	to        intake.Address
	folder    string         // of the other desk's documents
	tag       *regexp.Regexp // the other desk's mark in subjects; nil none
	openSince time.Time
	dry       bool

	count    historyCount
	problems []problem
}

// Of a group of contacts, so many are read ahead and decided in as few
// transactions as the work beside allows.
const (
	historyGroup = 64
	historyBytes = 16 << 20
	historySlice = 40 * time.Millisecond // other writers wait for so long, see intake
)

// understood is a contact that was read.
type understood struct {
	oldContact
	in  tickets.Inbound
	err error
}

// run takes a history in, group by group. A stop finishes the group in hand
// and is told by Unfinished.
func (h *historyImport) run(ctx context.Context, a history, done func(int)) error {
	ahead := make(chan []understood, 1)
	reading, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(ahead)
		for i := 0; i < a.Len() && reading.Err() == nil; {
			group := h.read(a, i)
			i += len(group)
			select {
			case ahead <- group:
			case <-reading.Done():
			}
		}
	})
	defer wg.Wait()
	defer stop()
	for group := range ahead {
		if ctx.Err() != nil {
			break
		}
		n := len(group)
		if err := h.take(ctx, group); err != nil {
			return err
		}
		done(n)
	}
	h.count.Unfinished = h.count.Read < a.Len()
	return nil
}

// read reads and parses a group from i on, two at a time.
func (h *historyImport) read(a history, i int) []understood {
	out := make([]understood, 0, historyGroup)
	for size := 0; i < a.Len() && len(out) < historyGroup && size < historyBytes; i++ {
		var u understood
		u.oldContact, u.err = a.Load(i)
		size += len(u.raw)
		out = append(out, u)
	}
	var wg sync.WaitGroup
	for part := range 2 {
		wg.Go(func() {
			for j := part; j < len(out); j += 2 {
				if out[j].err == nil {
					h.understand(&out[j])
				}
			}
		})
	}
	wg.Wait()
	return out
}

// understand puts a contact into the words of the decision.
func (h *historyImport) understand(u *understood) {
	defer func() {
		if p := recover(); p != nil {
			u.err = fmt.Errorf("panic: %v", p)
		}
	}()
	m := parse(u.raw, h.parser)
	row := store.Claimed{Item: store.Item{
		Brand: h.to.Brand, Mailbox: h.to.Mailbox, Queue: h.to.Queue, Channel: tickets.ChannelMail, Received: u.at, Data: u.raw,
	}}
	u.in = intake.Understand(row, m, tickets.Auth{Method: "imported"}, h.rules)
	u.in.Reply, u.in.Commands = m.ReplyText, nil
	if h.tag != nil {
		marks := h.tag.FindAllStringSubmatch(u.in.Subject, 3)
		for _, mark := range marks {
			if h.ours(u) {
				u.past.Numbers = append(u.past.Numbers, strings.ToLower(mark[1]))
			}
		}
		if len(marks) > 0 {
			u.in.SubjectCore = strings.Join(strings.Fields(h.tag.ReplaceAllString(u.in.SubjectCore, " ")), " ")
			u.in.ReplyPrefix = true // it is about something that had a number
		}
	}
	u.past.OpenSince = h.openSince
	if u.key == "" {
		u.key = store.ImportKey(h.to.Brand, m.Content)
	}
}

// ours reports whether the desk or one of its agents wrote it: only they say
// what a conversation is called.
func (h *historyImport) ours(u *understood) bool {
	_, agent := h.rules.Agent(u.in.From.Address)
	return agent || u.past.Direction == tickets.DirectionOut || h.rules.Ours(u.in.From.Address)
}

// take decides a group.
func (h *historyImport) take(ctx context.Context, group []understood) error {
	ctx = context.WithoutCancel(ctx) // what was begun is ended
	keys := make([]string, 0, len(group))
	for i := range group {
		if group[i].err == nil {
			keys = append(keys, group[i].key)
		}
	}
	known, err := h.real.Imported(ctx, keys)
	if err != nil {
		return err
	}
	todo := group[:0]
	for _, u := range group {
		switch {
		case u.err != nil:
			h.fail(u.where, u.err)
		case known[u.key]:
			h.count.Read++
			h.count.Known++
		default:
			todo = append(todo, u)
		}
	}
	for len(todo) > 0 {
		done, err := h.together(ctx, todo)
		if err != nil {
			return err
		}
		for i, d := range done {
			h.tally(todo[i].where, d)
		}
		todo = todo[len(done):]
	}
	return nil
}

func (h *historyImport) fail(where string, err error) {
	h.count.Read++
	h.count.Failed++
	h.problems = append(h.problems, problem{where, "not imported: " + err.Error(), true})
}

// relived is what became of a contact.
type relived struct {
	known    bool
	change   tickets.Change
	customer bool // a ticket of somebody who was not known
	err      error
}

// together decides the first of the contacts in one transaction.
func (h *historyImport) together(ctx context.Context, list []understood) (done []relived, err error) {
	err = h.db.Decide(ctx, h.to.Brand, func(tx *store.Tx) error {
		done = done[:0] // the store may run this again
		for i, began := 0, time.Now(); i < len(list) && (i == 0 || time.Since(began) < historySlice); i++ {
			d := h.decide(ctx, tx, &list[i])
			if d.err != nil && diskIsFull(d.err) {
				return d.err
			}
			done = append(done, d)
		}
		return nil
	})
	return done, err
}

// decide settles one contact: the row of the ledger and what it means are saved
// together, so that a crash at any moment leaves both or none.
func (h *historyImport) decide(ctx context.Context, tx *store.Tx, u *understood) (d relived) {
	d.err = tx.Try(ctx, func() error {
		d = relived{}
		item := store.Item{
			Key: u.key, Brand: h.to.Brand, Mailbox: h.to.Mailbox, Queue: h.to.Queue, Channel: tickets.ChannelMail,
			Received: u.at, SHA256: sha256.Sum256(u.raw), Data: u.raw,
		}
		if h.dry {
			item.Data = nil
		}
		row, err := tx.TakeIn(ctx, item)
		if err != nil || row == 0 {
			d.known = row == 0
			return err
		}
		in, past := u.in, u.past
		in.Ledger = row
		if past.Ticket != nil && len(past.Numbers) > 0 {
			t := *past.Ticket
			if t.ID, err = tx.ForeignTicket(ctx, h.to.Brand, past.Source, past.Numbers[0]); err != nil {
				return err
			}
			past.Ticket = &t
		}
		keys := in.HistoryKeys(past, h.rules)
		if h.tag != nil {
			for _, mark := range h.tag.FindAllStringSubmatch(in.Subject, 3) {
				keys.Foreign = append(keys.Foreign, strings.ToLower(mark[1]))
			}
		}
		found, err := tx.Find(ctx, keys)
		if err != nil {
			return err
		}
		d.change = tickets.History(found, in, past, h.rules)
		d.customer = found.Person == nil
		_, err = tx.Save(ctx, row, in.From.Address, in.Subject, d.change, now())
		return err
	})
	return d
}

// tally counts what became of a contact.
func (h *historyImport) tally(where string, d relived) {
	if d.err != nil {
		h.fail(where, d.err)
		return
	}
	h.count.Read++
	switch {
	case d.known, d.change.Disposition == tickets.DisposeDuplicate:
		h.count.Known++
		return
	case d.change.Disposition == tickets.DisposeDiscarded:
		if h.count.Discarded == nil {
			h.count.Discarded = map[string]int{}
		}
		h.count.Discarded[d.change.Reason]++
		h.count.discarded++
		return
	}
	h.count.Messages++
	for _, t := range d.change.Tickets {
		if t.Ticket.ID == 0 {
			h.count.Tickets++
			if d.customer {
				h.count.Customers++
			}
		}
	}
}

// diskIsFull reports that there is no room: what was not decided says nothing
// about itself.
func diskIsFull(err error) bool {
	var lite interface{ Code() int }
	if errors.As(err, &lite) && lite.Code()&0xff == 13 {
		return true
	}
	var pg interface{ SQLState() string }
	return errors.As(err, &pg) && pg.SQLState() == "53100"
}
