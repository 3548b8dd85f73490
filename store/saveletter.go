package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"frontdesk/tickets"
)

// letterData is what of a letter no statement asks for, as JSON.
type letterData struct {
	To         tickets.Address    `json:"to"`
	HeaderTo   []tickets.Address  `json:"header_to,omitempty"`
	HeaderCc   []tickets.Address  `json:"header_cc,omitempty"`
	InReplyTo  string             `json:"in_reply_to,omitempty"`
	References []string           `json:"references,omitempty"`
	Subject    string             `json:"subject,omitempty"`
	Reply      bool               `json:"reply,omitempty"`
	NullSender bool               `json:"null_sender,omitempty"`
	Data       tickets.LetterData `json:"data"`
}

func (s *saver) looseLetters(ctx context.Context) error {
	for _, l := range s.c.Letters {
		if err := s.letter(ctx, l, "", nil); err != nil {
			return err
		}
	}
	return nil
}

// letter puts one letter into the outbox, unless its key is known: then it was
// written before, and its id is 0. The parties are those of its ticket.
func (s *saver) letter(ctx context.Context, l tickets.Letter, core string, parties []tickets.Participant) error {
	if l.Brand == "" {
		l.Brand = s.c.Brand
	}
	if l.Person == 0 {
		var err error
		if l.Person, err = s.addressee(ctx, &l, parties); err != nil {
			return err
		}
	}
	s.alarmOf(&l)
	i := len(s.saved.Letters)
	s.saved.Letters = append(s.saved.Letters, 0)
	err := s.tx.insertLetter(ctx, &l, core, s.restored, s.now, func(id int64) {
		s.saved.Letters[i] = id
		if l.Auto != tickets.AutoNone && !l.Agent {
			s.tx.countAck(tickets.Domain(l.To.Address), ms(s.now))
		}
	})
	if err != nil {
		return fmt.Errorf("letter %q to %q: %w", l.Kind, l.To.Address, err)
	}
	return nil
}

// addressee is who a letter is to. Whose a shared number is, is known on the
// ticket only; an agent's telephone is no profile of its own.
func (s *saver) addressee(ctx context.Context, l *tickets.Letter, parties []tickets.Participant) (id int64, err error) {
	brand := l.Brand
	if l.Agent {
		brand, parties = "", nil
		if tickets.Number(l.To.Address) != "" {
			return 0, nil
		}
	}
	if id := party(parties, l.To.Address); id != 0 {
		return id, nil
	}
	id, _, err = s.tx.person(ctx, brand, l.To)
	return id, err
}

// party is who has the address on a ticket, 0 nobody.
func party(parties []tickets.Participant, address string) int64 {
	for _, p := range parties {
		if tickets.SameAddress(p.Address.Address, address) {
			return p.Person
		}
	}
	return 0
}

// insertLetter tells the id, once it is known, of a letter that is new. One that
// may have left before the database was restored waits for the operator alone.
func (tx *Tx) insertLetter(ctx context.Context, l *tickets.Letter, core string, restored bool, now time.Time, isNew func(id int64)) error {
	data := letterData{
		To: l.To, HeaderTo: l.HeaderTo, HeaderCc: l.HeaderCc, InReplyTo: l.InReplyTo, References: l.References,
		Subject: l.Subject, Reply: l.Reply, NullSender: l.NullSender, Data: l.Data,
	}
	to := tickets.NormalAddress(l.To.Address)
	state, held, code := LetterQueued, l.Held, l.Held
	if restored {
		held, code = "", CodeRestored
	}
	if code != "" {
		state = LetterHeld
	}
	return tx.insertLater(ctx, `
		INSERT INTO letters (
			key,
			ticket,
			brand,
			mailbox,
			kind,
			language,
			to_address,
			to_domain,
			subject_core,
			person,
			agent,
			message,
			version,
			auto,
			priority,
			not_after,
			data,
			state,
			queued,
			due,
			held,
			code
		) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $19, $20, $21)
		ON CONFLICT (key) DO NOTHING`,
		[]any{textArg(l.Key), idArg(l.Ticket), l.Brand, tickets.NormalAddress(l.Mailbox), string(l.Kind), l.Language,
			to, tickets.Domain(to), core, l.Person, l.Agent, l.Message, int64(l.Version), string(l.Auto), int64(l.Priority),
			ms(l.NotAfter), mustJSON(data), state, ms(now), held, code}, isNew)
}

// letterColumns and scanLetter load a tickets.Letter; other columns follow.
const letterColumns = `
			id,
			key,
			ticket,
			brand,
			mailbox,
			kind,
			language,
			person,
			agent,
			message,
			version,
			auto,
			priority,
			not_after,
			held,
			data`

func scanLetter(scan func(...any) error, l *tickets.Letter, more ...any) error {
	var data letterData
	var key sql.NullString
	err := scan(append([]any{&l.ID, &key, idDest{&l.Ticket}, &l.Brand, &l.Mailbox, &l.Kind, &l.Language, &l.Person, &l.Agent, &l.Message,
		&l.Version, &l.Auto, &l.Priority, timeDest{&l.NotAfter}, &l.Held, jsonDest{&data}}, more...)...)
	l.Key = key.String
	l.To, l.HeaderTo, l.HeaderCc, l.InReplyTo, l.References = data.To, data.HeaderTo, data.HeaderCc, data.InReplyTo, data.References
	l.Subject, l.Reply, l.NullSender, l.Data = data.Subject, data.Reply, data.NullSender, data.Data
	return err
}
