package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"frontdesk/tickets"
)

const (
	maxCallers = 10
	maxTexts   = 10
)

// dialled is a number as it is compared: E.164 without what people put between
// the digits. "" for one without a country code: whose it is, nobody knows.
func dialled(number string) string {
	number = strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -/()", r) {
			return -1
		}
		return r
	}, number)
	if !strings.HasPrefix(number, "+") {
		return ""
	}
	return number
}

// savePhones makes the person's rows in phones those of p.
func (tx *Tx) savePhones(ctx context.Context, p tickets.Person) error {
	// Served by phones_of.
	if err := tx.later(ctx, `DELETE FROM phones WHERE person = $1`, p.ID); err != nil {
		return err
	}
	for _, number := range p.Phones {
		if err := tx.addPhone(ctx, p.Brand, dialled(number), p.ID); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) addPhone(ctx context.Context, brand, number string, person int64) error {
	if number == "" {
		return nil
	}
	return tx.later(ctx, `INSERT INTO phones (brand, number, person) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, brand, number, person)
}

// sibling returns who has a number by the other scheme and gives them this
// address, too: who called and now writes by WhatsApp is one person. 0: nobody.
func (tx *Tx) sibling(ctx context.Context, key personKey) (id int64, err error) {
	number := tickets.Number(key.address)
	other := tickets.TelAddress(number)
	if other == key.address {
		other = tickets.WhatsAppAddress(number)
	}
	if number == "" {
		return 0, nil
	}
	err = tx.get(ctx, `SELECT person FROM addresses WHERE brand = $1 AND address = $2`, []any{key.brand, other}, &id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	// Served by addresses_of.
	return id, tx.later(ctx, `
		INSERT INTO addresses (brand, address, person, position)
		SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS BIGINT), COALESCE(MAX(position), 0) + 1
		FROM addresses WHERE person = $3`, key.brand, key.address, id)
}

// joinProfile adds the requester's profile to tickets. Its columns have names
// of their own: conditions on tickets name theirs without the table. Served by
// the primary key of people.
const joinProfile = `LEFT JOIN (
			SELECT
				id AS profile_id,
				name AS profile_name,
				org AS profile_org,
				phones AS profile_phones,
				vip AS profile_vip,
				contract AS profile_contract
			FROM people
		) profiles ON profile_id = requester`

// profileAddress is the requester's first address that takes mail. Served by
// addresses_of.
const profileAddress = `(
				SELECT a.address FROM addresses a
				WHERE a.person = requester AND a.address NOT LIKE 'tel:%' AND a.address NOT LIKE 'whatsapp:%'
				ORDER BY a.position LIMIT 1
			)`

// profileDest scans the columns of joinProfile and profileAddress; all are NULL
// for a ticket without a requester.
type profileDest struct {
	name, org, phones, contract, address sql.NullString
	vip                                  sql.NullBool
}

func (p *profileDest) dest() []any {
	return []any{&p.name, &p.org, &p.phones, &p.vip, &p.contract, &p.address}
}

func (p *profileDest) profile() (tickets.Profile, error) {
	out := tickets.Profile{Name: p.name.String, Address: p.address.String, Org: p.org.String, VIP: p.vip.Bool, Contract: p.contract.String}
	var phones []string
	err := (jsonDest{&phones}).Scan(p.phones.String)
	if len(phones) > 0 {
		out.Phone = phones[0]
	}
	return out, err
}

// isStopped says of a participant that its number wants no texts from the
// ticket's line; from any, while the ticket has none. Served by the primary key
// of stops.
const isStopped = `EXISTS (
					SELECT 1 FROM stops s
					WHERE s.number = participants.address AND (participants.line = '' OR s.line = participants.line)
				)`

// repeated is what a participant's row repeats of its ticket.
func repeated(t *tickets.Ticket) string { return t.SubjectCore + "\n" + tickets.NormalAddress(t.Line) }

// byNumber is the number of the keys as addresses: both schemes.
func (f *finder) byNumber() (tel, whatsApp string) {
	return tickets.TelAddress(f.keys.Number), tickets.WhatsAppAddress(f.keys.Number)
}

// callers asks who has the number.
func (f *finder) callers(ctx context.Context) error {
	if f.keys.Number == "" {
		return nil
	}
	row := personRow(&f.found.Callers)
	// Served by the primary key of phones. Of a number there are at most two
	// bare profiles.
	return f.tx.eachLater(ctx, selectPersons+`p.id IN (
			SELECT person FROM phones WHERE brand = $1 AND number = $2
			ORDER BY person`+limit(maxCallers+2)+`)`+personOrder,
		[]any{f.keys.Brand, f.keys.Number}, row)
}

// caller says whose the number is: the only profile with it, or the one that
// has it as an address of its own.
func (f *finder) caller(context.Context) error {
	if f.keys.Number == "" {
		return nil
	}
	tel, whatsApp := f.byNumber()
	all, own := f.found.Callers, f.found.Person // own by the sender's address
	if tickets.Number(f.keys.Sender) != f.keys.Number {
		own = nil
	}
	for i := range all {
		if own == nil && (slices.Contains(all[i].Addresses, tel) || slices.Contains(all[i].Addresses, whatsApp)) {
			own = &all[i]
		}
	}
	named := slices.DeleteFunc(slices.Clone(all), func(p tickets.Person) bool { return bare(p, f.keys.Number) })
	switch {
	case len(named) == 1:
		own = &named[0]
	case len(named) == 0 && own != nil:
		named = []tickets.Person{*own}
	}
	f.found.Callers, f.found.Person = named[:min(len(named), maxCallers)], own
	return nil
}

// bare reports whether a profile is nothing but the number: an earlier call or
// text made it.
func bare(p tickets.Person, number string) bool {
	return len(p.Addresses) > 0 && !slices.ContainsFunc(p.Addresses, func(a string) bool { return tickets.Number(a) != number })
}

// texts finds the tickets of the number on the line, whether it wants texts
// from there, and when it wrote last.
func (f *finder) texts(ctx context.Context) error {
	if f.keys.Number == "" || f.keys.Line == "" {
		return nil
	}
	tel, whatsApp := f.byNumber()
	// Served by participants_line, backwards.
	err := f.near(ctx, &f.found.Texts, `
		SELECT DISTINCT p.ticket FROM participants p JOIN tickets t ON t.id = p.ticket
		WHERE p.line <> '' AND p.address IN ($2, $3) AND p.line = $4 AND p.role <> 'removed' AND t.brand = $1 AND t.status <> 'merged'
		ORDER BY p.ticket DESC`+limit(maxTexts), f.keys.Brand, tel, whatsApp, f.keys.Line)
	if err != nil {
		return err
	}
	err = f.tx.eachLater(ctx, `SELECT number FROM stops WHERE number IN ($1, $2) AND line = $3`, []any{tel, whatsApp, f.keys.Line},
		func(func(...any) error) error {
			f.found.Stopped = true
			return nil
		})
	if err != nil {
		return err
	}
	from := tel
	if tickets.ChannelOf(f.keys.Line) == tickets.ChannelWhatsApp {
		from = whatsApp
	}
	// Served by messages_texts, backwards. A ticket that texts were merged into
	// may have no line.
	return f.tx.eachLater(ctx, `
		SELECT m.received FROM messages m JOIN tickets t ON t.id = m.ticket
		WHERE m.direction = 'in' AND m.channel IN ('voice', 'sms', 'whatsapp') AND m.author = $2 AND m.brand = $1 AND t.line IN ($3, '')
		ORDER BY m.received DESC LIMIT 1`, []any{f.keys.Brand, from, f.keys.Line},
		func(scan func(...any) error) error { return scan(timeDest{&f.found.LastIn}) })
}

// reminder finds the reminder that a text may answer.
func (f *finder) reminder(ctx context.Context) error {
	if f.keys.Asked == "" || f.keys.Line == "" {
		return nil
	}
	// Served by letters_texts, backwards: a letter to a number has no domain.
	return f.tx.eachLater(ctx, `
		SELECT
			id,
			kind,
			to_address,
			state,
			report,
			message_id,
			queued,
			data
		FROM letters
		WHERE
			to_domain = '' AND to_address = $1 AND kind = 'reminder' AND agent = FALSE
			AND state IN ('dot', 'sent') AND queued > $2 AND mailbox = $3 AND brand = $4
		ORDER BY id DESC`+limit(1),
		[]any{tickets.NormalAddress(f.keys.Asked), ms(f.keys.Now.Add(-tickets.ReminderText)), f.keys.Line, f.keys.Brand},
		func(scan func(...any) error) error {
			var l tickets.SentLetter
			var data letterData
			err := scan(&l.ID, &l.Kind, &l.To, &l.State, &l.Report, &l.MessageID, timeDest{&l.Queued}, jsonDest{&data})
			l.Data = data.Data
			f.found.Reminder = &l
			return err
		})
}

// contact finds the messages that rows of the same contact became.
func (f *finder) contact(ctx context.Context) error {
	if f.keys.Contact == "" {
		return nil
	}
	row := messageRow(&f.found.Contact)
	// Served by ledger_contact and messages_ledger.
	return f.tx.eachLater(ctx, selectMessages+`
		ledger > 0 AND brand = $1 AND ledger IN (SELECT id FROM ledger WHERE contact <> '' AND contact = $2)
		ORDER BY id`, []any{f.keys.Brand, f.keys.Contact},
		func(scan func(...any) error) error {
			if err := row(scan); err != nil {
				return err
			}
			f.want[f.found.Contact[len(f.found.Contact)-1].Ticket] = true
			return nil
		})
}

// alarm asks for what rings for the tickets of History and Letter.
func (f *finder) alarm(ctx context.Context) error {
	// Served by alarms_ticket.
	const ringing = `state = 'ringing' AND brand = $1 AND ticket = `
	if f.keys.History != 0 {
		if err := f.alarmWhere(ctx, ringing+`$2`, f.keys.Brand, f.keys.History); err != nil {
			return err
		}
	}
	if f.keys.Letter == 0 {
		return nil
	}
	return f.alarmWhere(ctx, ringing+`(SELECT ticket FROM letters WHERE id = $2)`, f.keys.Brand, f.keys.Letter)
}

func (f *finder) alarmWhere(ctx context.Context, where string, args ...any) error {
	return f.tx.eachLater(ctx, selectAlarms+where+` ORDER BY id DESC LIMIT 1`, args, func(scan func(...any) error) error {
		var list []tickets.Alarm
		err := alarmRow(&list)(scan)
		f.found.Alarm = &list[0]
		return err
	})
}

// alarmOn finds the alarm of a merged ticket where it is now.
func (f *finder) alarmOn(ctx context.Context) error {
	for _, id := range f.alarmed() {
		t := f.livesOn(id)
		if f.found.Alarm != nil || t == nil || t.ID == id {
			continue
		}
		err := f.alarmWhere(ctx, `state = 'ringing' AND brand = $1 AND ticket = $2`, f.keys.Brand, t.ID) // alarms_ticket
		if err == nil {
			err = f.tx.flush(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// alarmed are the tickets whose alarm is wanted.
func (f *finder) alarmed() (ids []int64) {
	if f.keys.History != 0 {
		ids = append(ids, f.keys.History)
	}
	if f.found.Letter != nil && f.found.Letter.Ticket != 0 {
		ids = append(ids, f.found.Letter.Ticket)
	}
	return ids
}

// rings finds the letters that ring for the alarm. Those from before a merge
// are still about the old ticket.
func (f *finder) rings(ctx context.Context) error {
	a := f.found.Alarm
	if a == nil {
		return nil
	}
	list, args := in([]any{f.keys.Brand}, append(f.alarmed(), a.Ticket))
	// Served by letters_ticket.
	return f.tx.each(ctx, `
		SELECT
			id,
			ticket,
			kind,
			to_address,
			state,
			message_id,
			agent,
			data
		FROM letters
		WHERE brand = $1 AND ticket IN `+list+` AND kind IN ('ring', 'ring-text')
		ORDER BY id`, args,
		func(scan func(...any) error) error {
			var l tickets.SentLetter
			var data letterData
			err := scan(&l.ID, idDest{&l.Ticket}, &l.Kind, &l.To, &l.State, &l.MessageID, &l.Agent, jsonDest{&data})
			if l.Data = data.Data; l.Data.Alarm == a.ID {
				f.found.Rings = append(f.found.Rings, l)
			}
			return err
		})
}

// lineOf is where a letter about the ticket leaves from when it does not say:
// texts and calls the line, mails the mailbox.
func lineOf(t *tickets.Ticket, to string) string {
	if t.Line != "" && tickets.Number(to) != "" {
		return t.Line
	}
	return t.Mailbox
}
