package store

import (
	"context"
	"fmt"
	"slices"

	"frontdesk/tickets"
)

// Messages returns all messages of a ticket, oldest first.
func (db *DB) Messages(ctx context.Context, ticket int64) ([]tickets.Message, error) {
	list, err := loadMessages(ctx, db.read, `ticket = $1 ORDER BY seq`, ticket)
	if err != nil {
		return nil, fmt.Errorf("load messages of ticket %d: %w", ticket, err)
	}
	return list, nil
}

// Messages loads the newest n messages of a ticket, oldest first.
func (tx *Tx) Messages(ctx context.Context, ticket int64, n int) ([]tickets.Message, error) {
	list, err := newestMessages(ctx, tx, ticket, n)
	if err != nil {
		return nil, fmt.Errorf("load messages of ticket %d: %w", ticket, err)
	}
	return list, nil
}

func newestMessages(ctx context.Context, q querier, ticket int64, n int) ([]tickets.Message, error) {
	// Served by the unique (ticket, seq), backwards.
	list, err := loadMessages(ctx, q, `ticket = $1 ORDER BY seq DESC`+limit(n), ticket)
	slices.Reverse(list)
	return list, err
}

// Message loads one message (ErrNotFound).
func (db *DB) Message(ctx context.Context, id int64) (tickets.Message, error) {
	m, err := oneMessage(ctx, db.read, id)
	if err != nil {
		return tickets.Message{}, fmt.Errorf("load message %d: %w", id, err)
	}
	return m, nil
}

func oneMessage(ctx context.Context, q querier, id int64) (tickets.Message, error) {
	list, err := loadMessages(ctx, q, `id = $1`, id)
	if err != nil {
		return tickets.Message{}, err
	}
	if len(list) == 0 {
		return tickets.Message{}, ErrNotFound
	}
	return list[0], nil
}

func loadMessages(ctx context.Context, q querier, where string, args ...any) (list []tickets.Message, err error) {
	err = q.each(ctx, selectMessages+where, args, messageRow(&list))
	return list, err
}

// selectMessages, with a condition, gives the rows that messageRow appends.
const selectMessages = `
		SELECT
			id,
			ticket,
			seq,
			version,
			ledger,
			direction,
			channel,
			kind,
			author_kind,
			person,
			author_name,
			author,
			message_id,
			in_reply_to,
			cites,
			subject,
			body,
			attachments,
			content,
			thread_root,
			received,
			dated,
			commands,
			flags
		FROM messages WHERE `

func messageRow(list *[]tickets.Message) rowFunc {
	return func(scan func(...any) error) error {
		var m tickets.Message
		err := scan(&m.ID, &m.Ticket, &m.Seq, &m.Version, &m.Ledger, &m.Direction, &m.Channel, &m.Kind,
			&m.Author.Kind, &m.Author.Person, &m.Author.Address.Name, &m.Author.Address.Address,
			&m.MessageID, jsonDest{&m.InReplyTo}, jsonDest{&m.Cites}, &m.Subject, &m.Text, attachmentsDest{&m.Attachments},
			sumDest{&m.Content}, &m.ThreadRoot, timeDest{&m.At}, timeDest{&m.Date}, jsonDest{&m.Commands}, jsonDest{&m.Flags})
		*list = append(*list, m)
		return err
	}
}

// Events returns the log of a ticket, oldest first.
func (db *DB) Events(ctx context.Context, ticket int64) ([]tickets.Event, error) {
	// Served by events_ticket.
	list, err := loadEvents(ctx, db.read, `ticket = $1 ORDER BY id`, ticket)
	if err != nil {
		return nil, fmt.Errorf("load events of ticket %d: %w", ticket, err)
	}
	return list, nil
}

func loadEvents(ctx context.Context, q querier, where string, args ...any) (list []tickets.Event, err error) {
	err = q.each(ctx, `
		SELECT
			id,
			ticket,
			change,
			at,
			who,
			what,
			detail,
			outcome,
			clock
		FROM events WHERE `+where, args,
		func(scan func(...any) error) error {
			var e tickets.Event
			err := scan(&e.ID, &e.Ticket, &e.Change, timeDest{&e.At}, &e.Who, &e.What, &e.Detail, &e.Outcome, clockDest{&e})
			list = append(list, e)
			return err
		})
	return list, err
}

// storedAttachment is an attachment as JSON: an array of bytes would be
// written as a list of numbers.
type storedAttachment struct {
	Filename    string `json:"filename,omitempty"`
	ContentType string `json:"type,omitempty"`
	ContentID   string `json:"cid,omitempty"`
	Inline      bool   `json:"inline,omitempty"`
	Size        int    `json:"size"`
	SHA256      []byte `json:"sha256"`
	Part        int    `json:"part"`
	Ledger      int64  `json:"ledger,omitempty"`
	Refused     string `json:"refused,omitempty"`
}

func attachmentsArg(list []tickets.Attachment) string {
	stored := make([]storedAttachment, len(list))
	for i, a := range list {
		stored[i] = storedAttachment{a.Filename, a.ContentType, a.ContentID, a.Inline, a.Size, a.SHA256[:], a.Part, a.Ledger, a.Refused}
	}
	return jsonArg(stored)
}

type attachmentsDest struct{ list *[]tickets.Attachment }

func (d attachmentsDest) Scan(v any) error {
	var stored []storedAttachment
	if err := (jsonDest{&stored}).Scan(v); err != nil {
		return err
	}
	for _, s := range stored {
		a := tickets.Attachment{Filename: s.Filename, ContentType: s.ContentType, ContentID: s.ContentID, Inline: s.Inline, Size: s.Size, Part: s.Part, Ledger: s.Ledger, Refused: s.Refused}
		copy(a.SHA256[:], s.SHA256)
		*d.list = append(*d.list, a)
	}
	return nil
}
