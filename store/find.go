package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"frontdesk/sla"
	"frontdesk/tickets"
)

const (
	maxCites   = 50  // cited msg-ids looked up: In-Reply-To and the nearest of a long thread
	maxHistory = 50  // messages of History
	maxNear    = 10  // tickets by thread or subject
	maxCiting  = 200 // messages that cite what nobody has
	maxMerged  = 100 // links of a chain of merged tickets
)

// Find looks up everything that keys name.
func (tx *Tx) Find(ctx context.Context, keys tickets.Keys) (tickets.Found, error) {
	f := finder{tx: tx, keys: keys, want: make(map[int64]bool)}
	f.keys.Sender = clean(tickets.NormalAddress(keys.Sender))
	f.keys.MessageID = clean(keys.MessageID)
	f.keys.Subject = clean(keys.Subject)
	f.keys.Serial = clean(tickets.NormalSerial(keys.Serial))
	f.keys.Number, f.keys.Line = clean(keys.Number), clean(tickets.NormalAddress(keys.Line))
	f.keys.Cites = nil
	for _, id := range keys.Cites[:min(len(keys.Cites), maxCites)] {
		if id != "" {
			f.keys.Cites = append(f.keys.Cites, clean(id))
		}
	}
	for _, id := range keys.Tickets {
		f.want[id] = true
	}
	// The steps before flush only ask; what they find stands after it.
	for _, step := range []struct {
		what string
		run  func(context.Context) error
	}{
		{"messages by msg-id", f.byMessageID},
		{"letters by msg-id", f.lettersByMessageID},
		{"tickets by thread root", f.byThread},
		{"tickets by subject", f.bySubject},
		{"the sender", f.sender},
		{"messages by content", f.duplicate},
		{"what was imported", f.known},
		{"tickets by another desk's number", f.foreign},
		{"the letter", f.letter},
		{"the newest messages", f.history},
		{"the letters already written", f.acks},
		{"how busy the desk is", f.desk},
		{"tickets opened lately", f.like},
		{"who has the number", f.callers},
		{"texts of the number", f.texts},
		{"the reminder that the number was texted", f.reminder},
		{"what became of the contact", f.contact},
		{"the alarm", f.alarm},
		{"what the customer has", f.products},
		{"the product with the serial number", f.serial},
		{"whose referral code it is", f.referral},
		{"what was erased", f.erased},
		{"all of it", tx.flush},
		{"how many letters were written", f.takeAcks},
		{"the survey", f.survey},
		{"whose number it is", f.caller},
		{"the message with the same msg-id", f.sameID},
		{"messages that cite the same", f.byCited},
		{"who knows the sender", f.takeDesk},
		{"what the tickets opened lately are about", f.takeLike},
		{"tickets", f.tickets},
		{"whose products they are", f.takeProducts},
		{"the products that the tickets are about", f.about},
		{"their clocks", f.ownLogs},
		{"the codes that were sent on them", f.passcodes},
		{"the newest messages where the ticket lives on", f.historyOn},
		{"the alarm where the ticket lives on", f.alarmOn},
		{"what rings for the alarm", f.rings},
		{"the tickets of the incident", f.parent},
		{"the rest", tx.flush},
	} {
		if err := step.run(ctx); err != nil {
			return tickets.Found{}, fmt.Errorf("find %s: %w", step.what, err)
		}
	}
	return f.found, nil
}

// finder fills in what was found, step by step.
type finder struct {
	tx    *Tx
	keys  tickets.Keys
	want  map[int64]bool // tickets named so far
	same  int64          // message with the same msg-id and other content
	found tickets.Found
}

// byMessageID finds the messages that carry a cited msg-id, and the one that
// has this mail's own with other content. An empty id is no key.
func (f *finder) byMessageID(ctx context.Context) error {
	f.found.ByMessageID = make(map[string][]tickets.Hit)
	ids := f.keys.Cites
	if f.keys.MessageID != "" && !slices.Contains(ids, f.keys.MessageID) {
		ids = append(slices.Clip(ids), f.keys.MessageID)
	}
	if len(ids) == 0 {
		return nil
	}
	list, args := in([]any{f.keys.Brand}, ids)
	// Served by messages_msgid.
	return f.tx.eachLater(ctx, `
		SELECT
			id,
			ticket,
			message_id,
			version,
			content
		FROM messages
		WHERE message_id <> '' AND brand = $1 AND message_id IN `+list+`
		ORDER BY id`, args,
		func(scan func(...any) error) error {
			var h tickets.Hit
			var id string
			var content [32]byte
			if err := scan(&h.Message, &h.Ticket, &id, &h.Version, sumDest{&content}); err != nil {
				return err
			}
			if id == f.keys.MessageID && content != f.keys.Content {
				f.same = h.Message
			}
			if slices.Contains(f.keys.Cites, id) {
				h.Version = 0 // it is the letters that show one
				f.hit(id, h)
			}
			return nil
		})
}

func (f *finder) sameID(ctx context.Context) error {
	if f.same == 0 {
		return nil
	}
	m, err := oneMessage(ctx, f.tx, f.same)
	f.found.SameID = &m
	f.want[m.Ticket] = true
	return err
}

func (f *finder) hit(id string, h tickets.Hit) {
	f.found.ByMessageID[id] = append(f.found.ByMessageID[id], h)
	if h.Ticket != 0 {
		f.want[h.Ticket] = true
	}
}

// letterRow is a letter as Found needs it.
type letterRow struct {
	tickets.SentLetter
	message int64
	version int
}

// lettersByMessageID finds our letters by their msg-id, or by the one that the
// SMTP server put in its place. The copies of an answer share one.
func (f *finder) lettersByMessageID(ctx context.Context) error {
	f.found.Letters = make(map[string]*tickets.SentLetter)
	if len(f.keys.Cites) == 0 {
		return nil
	}
	list, args := in([]any{f.keys.Brand}, f.keys.Cites)
	// Served by letters_msgid and the primary key of server_ids.
	const columns = `
			l.id,
			l.ticket,
			l.kind,
			l.to_address,
			l.state,
			l.report,
			l.message_id,
			l.agent,
			l.message,
			l.version`
	return f.tx.eachLater(ctx, `
		SELECT l.message_id AS asked,`+columns+`
		FROM letters l
		WHERE l.message_id <> '' AND l.brand = $1 AND l.message_id IN `+list+`
		UNION
		SELECT s.message_id AS asked,`+columns+`
		FROM server_ids s JOIN letters l ON l.id = s.letter
		WHERE l.brand = $1 AND s.message_id IN `+list+`
		ORDER BY 2`, args,
		func(scan func(...any) error) error {
			var asked string
			var l letterRow
			if err := scan(&asked, &l.ID, idDest{&l.Ticket}, &l.Kind, &l.To, &l.State, &l.Report, &l.MessageID, &l.Agent, &l.message, &l.version); err != nil {
				return err
			}
			if f.found.Letters[asked] == nil {
				f.found.Letters[asked] = &l.SentLetter
			}
			f.hit(asked, tickets.Hit{Ticket: l.Ticket, Message: l.message, Letter: l.ID, To: l.To, Version: l.version, Agent: l.Agent})
			return nil
		})
}

// byCited finds, for cited msg-ids that nobody has, who cites them too.
func (f *finder) byCited(ctx context.Context) error {
	f.found.ByCited = make(map[string][]int64)
	var unknown []string
	if f.tx.cache.known == nil {
		f.tx.cache.known = make(map[string]bool)
	}
	for _, id := range f.keys.Cites {
		known := len(f.found.ByMessageID[id]) > 0
		f.tx.cache.known[id] = known
		if !known && !slices.Contains(unknown, id) {
			unknown = append(unknown, id)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	list, args := in([]any{f.keys.Brand}, unknown)
	// Served by the primary key of cites.
	return f.tx.each(ctx, `
		SELECT DISTINCT c.cited, m.ticket
		FROM cites c JOIN messages m ON m.id = c.message
		WHERE c.brand = $1 AND c.cited IN `+list+`
		ORDER BY m.ticket DESC`+limit(maxCiting), args,
		func(scan func(...any) error) error {
			var cited string
			var ticket int64
			if err := scan(&cited, &ticket); err != nil {
				return err
			}
			f.found.ByCited[cited] = append(f.found.ByCited[cited], ticket)
			f.want[ticket] = true
			return nil
		})
}

func (f *finder) byThread(ctx context.Context) error {
	if f.keys.ThreadRoot == "" {
		return nil
	}
	// Served by tickets_thread, backwards.
	return f.near(ctx, &f.found.ByThread, `
		SELECT id FROM tickets
		WHERE thread_root <> '' AND brand = $1 AND thread_root = $2
		ORDER BY id DESC`+limit(maxNear), f.keys.Brand, f.keys.ThreadRoot)
}

func (f *finder) bySubject(ctx context.Context) error {
	if f.keys.Subject == "" || f.keys.Sender == "" {
		return nil
	}
	// Served by participants_subject, backwards; the ticket is asked for its
	// brand only.
	return f.near(ctx, &f.found.BySubject, `
		SELECT p.ticket FROM participants p JOIN tickets t ON t.id = p.ticket
		WHERE p.address = $2 AND p.subject_core = $3 AND p.role <> 'removed' AND t.brand = $1
		ORDER BY p.ticket DESC`+limit(maxNear), f.keys.Brand, f.keys.Sender, f.keys.Subject)
}

func (f *finder) near(ctx context.Context, ids *[]int64, text string, args ...any) error {
	return f.tx.eachLater(ctx, text, args, func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		*ids = append(*ids, id)
		f.want[id] = true
		return err
	})
}

// sender finds who Sender is and whether letters to it bounced hard.
func (f *finder) sender(ctx context.Context) error {
	if f.keys.Sender == "" {
		return nil
	}
	key := personKey{f.keys.Brand, f.keys.Sender}
	if id, ok := f.tx.cache.persons[key]; !ok || id != 0 {
		f.tx.rememberPerson(key, 0)
		var list []tickets.Person
		row := personRow(&list)
		err := f.tx.eachLater(ctx, selectPersons+hasAddress+personOrder, []any{key.brand, key.address}, func(scan func(...any) error) error {
			err := row(scan)
			if len(list) > 0 {
				f.found.Person = &list[0]
				f.tx.rememberPerson(key, list[0].ID)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return f.tx.eachLater(ctx, `SELECT address FROM suppressed WHERE address = $1`, []any{f.keys.Sender}, func(scan func(...any) error) error {
		f.found.Suppressed = true
		return nil
	})
}

const (
	week    = 7
	stretch = 8 // days that messages_stretch keeps together
)

// duplicate finds the newest message with the same content in the week before.
// Two pollers may commit in another order than they looked at the clock, and
// two nodes have two clocks: a day after counts, too.
func (f *finder) duplicate(ctx context.Context) error {
	if f.keys.Content == ([32]byte{}) {
		return nil
	}
	now := f.keys.Now
	var stretches []int64
	for s := (dayOf(now) - week) / stretch; s <= (dayOf(now)+1)/stretch; s++ {
		stretches = append(stretches, s)
	}
	list, args := in([]any{f.keys.Content[:], f.keys.Brand, ms(now.AddDate(0, 0, -week)), ms(now.AddDate(0, 0, 1))}, stretches)
	// Served by messages_stretch: a seek in each of two.
	var messages []tickets.Message
	row := messageRow(&messages)
	return f.tx.eachLater(ctx, selectMessages+`
		content IS NOT NULL AND day / 8 IN `+list+` AND content = $1 AND brand = $2 AND received >= $3 AND received <= $4
		ORDER BY id DESC LIMIT 1`, args,
		func(scan func(...any) error) error {
			if err := row(scan); err != nil {
				return err
			}
			f.found.Duplicate = &messages[0]
			f.want[messages[0].Ticket] = true
			return nil
		})
}

// dayOf counts days since 1970 in UTC.
func dayOf(t time.Time) int64 { return ms(t) / (24 * time.Hour).Milliseconds() }

// letter finds the letter that a VERP address named.
func (f *finder) letter(ctx context.Context) error {
	if f.keys.Letter == 0 {
		return nil
	}
	return f.tx.eachLater(ctx, `
		SELECT
			id,
			ticket,
			kind,
			to_address,
			state,
			report,
			message_id,
			agent,
			data
		FROM letters WHERE id = $1 AND brand = $2`, []any{f.keys.Letter, f.keys.Brand},
		func(scan func(...any) error) error {
			var l tickets.SentLetter
			var data letterData
			err := scan(&l.ID, idDest{&l.Ticket}, &l.Kind, &l.To, &l.State, &l.Report, &l.MessageID, &l.Agent, jsonDest{&data})
			l.Data = data.Data
			f.found.Letter = &l
			f.want[l.Ticket] = true
			return err
		})
}

func (f *finder) history(ctx context.Context) error {
	if f.keys.History == 0 {
		return nil
	}
	f.want[f.keys.History] = true
	var newest []tickets.Message
	row := messageRow(&newest)
	return f.tx.eachLater(ctx, selectMessages+`ticket = $1 AND brand = $2 ORDER BY seq DESC`+limit(maxHistory),
		[]any{f.keys.History, f.keys.Brand},
		func(scan func(...any) error) error {
			err := row(scan)
			f.found.History = slices.Insert(f.found.History, 0, newest[len(newest)-1])
			return err
		})
}

// historyOn finds the newest messages of a merged ticket where they are now: an
// agent may answer a letter about the old one, and what came since must be seen.
func (f *finder) historyOn(ctx context.Context) (err error) {
	if t := f.livesOn(f.keys.History); t != nil && t.ID != f.keys.History {
		f.found.History, err = newestMessages(ctx, f.tx, t.ID, maxHistory)
	}
	return err
}

// livesOn returns the ticket, or the one it was merged into; nil when it was
// not found.
func (f *finder) livesOn(id int64) *tickets.Ticket {
	t := f.found.Tickets[id]
	for i := 0; i < maxMerged && t != nil && t.Status == tickets.StatusMerged; i++ {
		t = f.found.Tickets[t.MergedInto]
	}
	return t
}

// tickets loads every ticket named so far and, of merged ones, where they live
// on. Tickets of other brands are not found, nor are those that were erased.
func (f *finder) tickets(ctx context.Context) error {
	f.found.Tickets = make(map[int64]*tickets.Ticket)
	f.found.Log = make(map[int64][]sla.Event)
	delete(f.want, 0)
	for range maxMerged {
		ids := slices.Sorted(maps.Keys(f.want))
		if len(ids) == 0 {
			return nil
		}
		clear(f.want)
		err := chunks(ids, maxIn, func(ids []int64) error {
			if err := f.logs(ctx, ids); err != nil {
				return err
			}
			values, args := in([]any{f.keys.Brand}, ids)
			list, err := loadTickets(ctx, f.tx, `brand = $1 AND erased = 0 AND id IN `+values, args)
			for i := range list {
				t := &list[i]
				f.tx.rememberTicket(t)
				f.found.Tickets[t.ID] = t
				if t.MergedInto != 0 && f.found.Tickets[t.MergedInto] == nil {
					f.want[t.MergedInto] = true
				}
			}
			return err
		})
		if err != nil {
			return err
		}
		for id := range f.found.Tickets { // two chains may meet
			delete(f.want, id)
		}
	}
	return nil
}

// rememberTicket notes what of the ticket needs no saving if it stays.
func (tx *Tx) rememberTicket(t *tickets.Ticket) {
	if tx.cache.participants == nil {
		tx.cache.participants = make(map[int64][]tickets.Participant)
		tx.cache.cores = make(map[int64]string)
		tx.cache.settled = make(map[int64]settled)
	}
	tx.rememberWork(t)
	tx.cache.participants[t.ID] = slices.Clone(t.Participants)
	tx.cache.cores[t.ID] = repeated(t)
	tx.cache.settled[t.ID] = settledOf(t)
	for _, p := range t.Participants {
		if p.Person != 0 && tickets.Number(p.Address.Address) == "" { // whose a shared number is, differs from ticket to ticket
			tx.rememberPerson(personKey{t.Brand, p.Address.Address}, p.Person)
		}
	}
}
