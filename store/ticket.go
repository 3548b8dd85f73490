package store

import (
	"context"
	"fmt"
	"time"

	"frontdesk/tickets"
)

// TicketQuery selects tickets. The zero value is all open ones of all brands.
type TicketQuery struct {
	Brand, Queue, Assignee string
	Statuses               []tickets.Status // nil: open ones (new, open, pending, on_hold, resolved)
	Search                 string           // words that stand in messages or subject; any script; never an error
	Customer               string           // address
	Person                 int64            // who takes part, by whatever address or number; 0 anybody
	Product                int64            // what it is about; 0 anything
	Unassigned             bool             // nobody has it
	Promised               time.Time        // a promise on it is due before then; zero: any ticket
	Order                  []string         // severities, worst first; nil: critical, high, medium, low
	Limit                  int              // 0: 100
}

// openOnly is what a query without statuses means. The text is that of
// the index tickets_open, or it would not be used.
const openOnly = `status IN ('new', 'open', 'pending', 'on_hold', 'resolved')`

// Tickets lists tickets in queue order: severity (worst first), status, order of
// arrival.
func (db *DB) Tickets(ctx context.Context, q TicketQuery) ([]tickets.Ticket, error) {
	list, err := db.tickets(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("list tickets: %w", err)
	}
	return list, nil
}

func (db *DB) tickets(ctx context.Context, q TicketQuery) ([]tickets.Ticket, error) {
	where, args := `TRUE`, []any{}
	and := func(text string, value any) {
		args = append(args, value)
		where += " AND " + fmt.Sprintf(text, len(args))
	}
	if q.Brand != "" {
		and(`brand = $%d`, q.Brand)
	}
	if q.Queue != "" {
		and(`queue = $%d`, q.Queue)
	}
	if q.Assignee != "" {
		and(`assignee = $%d`, tickets.NormalAddress(q.Assignee))
	}
	if q.Unassigned {
		where += ` AND assignee = ''`
	}
	if (q.Unassigned || q.Assignee != "") && q.Brand == "" {
		where += ` AND brand IN (SELECT brand FROM brands)` // tickets_open begins with it
	}
	if !q.Promised.IsZero() {
		and(`next_due > 0 AND next_due < $%d`, ms(q.Promised))
	}
	if q.Customer != "" {
		and(`id IN (SELECT ticket FROM participants WHERE address = $%d AND role <> 'removed')`, tickets.NormalAddress(q.Customer))
	}
	if q.Person != 0 { // participants_person
		and(`id IN (SELECT ticket FROM participants WHERE person = $%d AND role <> 'removed')`, q.Person)
	}
	if q.Product != 0 { // tickets_product
		and(`product > 0 AND product = $%d`, q.Product)
	}
	if len(q.Statuses) == 0 {
		where += " AND " + openOnly
	} else {
		words := make([]string, len(q.Statuses))
		for i, s := range q.Statuses {
			words[i] = string(s)
		}
		var list string
		list, args = in(args, words)
		where += " AND status IN " + list
	}
	if q.Search != "" {
		found, err := db.searchTickets(ctx, q.Search)
		if err != nil || len(found) == 0 {
			return nil, err
		}
		var list string
		list, args = in(args, found)
		where += " AND id IN " + list
	}
	limit := q.Limit
	if limit <= 0 {
		limit = 100
	}
	order, args := queueOrder(q.Order, args)
	args = append(args, int64(limit))
	// Open tickets by tickets_open; a customer's by participants_subject.
	return loadTickets(ctx, db.read, where+order+fmt.Sprintf(` LIMIT $%d`, len(args)), args)
}

// Ticket loads one ticket (ErrNotFound).
func (db *DB) Ticket(ctx context.Context, id int64) (tickets.Ticket, error) {
	t, err := oneTicket(ctx, db.read, id)
	if err != nil {
		return tickets.Ticket{}, fmt.Errorf("load ticket %d: %w", id, err)
	}
	return t, nil
}

// Ticket loads one ticket of any brand for a decision (ErrNotFound).
func (tx *Tx) Ticket(ctx context.Context, id int64) (*tickets.Ticket, error) {
	t, err := oneTicket(ctx, tx, id)
	if err != nil {
		return nil, fmt.Errorf("load ticket %d: %w", id, err)
	}
	tx.rememberTicket(&t)
	return &t, nil
}

func oneTicket(ctx context.Context, q querier, id int64) (tickets.Ticket, error) {
	list, err := loadTickets(ctx, q, `id = $1`, []any{id})
	if err != nil {
		return tickets.Ticket{}, err
	}
	if len(list) == 0 {
		return tickets.Ticket{}, ErrNotFound
	}
	return list[0], nil
}

// loadTickets loads tickets with their participants. The condition may be
// followed by ORDER BY and LIMIT.
func loadTickets(ctx context.Context, q querier, where string, args []any) (list []tickets.Ticket, err error) {
	err = q.each(ctx, `
		SELECT
			id,
			brand,
			mailbox,
			queue,
			channel,
			status,
			subject,
			subject_core,
			language,
			thread_root,
			requester,
			assignee,
			severity,
			category,
			impact,
			urgency,
			tags,
			facts,
			links,
			merged_into,
			version,
			opened,
			updated,
			answered,
			resolved,
			closed,
			pending_until,
			due,
			followed_up,
			worked_min,
			tier,
			incident,
			promises,
			guess,
			line,
			product,
			returned,
			identity,
			profile_name,
			profile_org,
			profile_phones,
			profile_vip,
			profile_contract,
			`+profileAddress+`
		FROM tickets `+joinProfile+`
		WHERE `+where, args,
		func(scan func(...any) error) error {
			var t tickets.Ticket
			var p profileDest
			err := scan(append([]any{&t.ID, &t.Brand, &t.Mailbox, &t.Queue, &t.Channel, &t.Status, &t.Subject, &t.SubjectCore, &t.Language, &t.ThreadRoot,
				&t.Requester, &t.Assignee, &t.Severity, &t.Category, &t.Impact, &t.Urgency,
				jsonDest{&t.Tags}, jsonDest{&t.Facts}, jsonDest{&t.Links}, &t.MergedInto, &t.Version,
				timeDest{&t.Opened}, timeDest{&t.Updated}, timeDest{&t.Answered}, timeDest{&t.Resolved}, timeDest{&t.Closed},
				timeDest{&t.PendingUntil}, timeDest{&t.Due}, timeDest{&t.FollowedUp}, &t.WorkedMin,
				&t.Tier, &t.Incident, jsonDest{&t.Promises}, jsonDest{&t.Guess}, &t.Line,
				&t.Product, jsonDest{&t.Return}, &t.Identity}, p.dest()...)...)
			if err == nil {
				t.Profile, err = p.profile()
			}
			list = append(list, t)
			return err
		})
	if err != nil {
		return nil, err
	}
	return list, loadParticipants(ctx, q, list)
}

func loadParticipants(ctx context.Context, q querier, list []tickets.Ticket) error {
	byID := make(map[int64]*tickets.Ticket, len(list))
	ids := make([]int64, len(list))
	for i := range list {
		ids[i], byID[list[i].ID] = list[i].ID, &list[i]
	}
	return chunks(ids, maxIn, func(ids []int64) error {
		values, args := in(nil, ids)
		// Served by the primary keys of all three.
		return q.each(ctx, `
			SELECT
				ticket,
				person,
				name,
				address,
				role,
				EXISTS (SELECT 1 FROM suppressed s WHERE s.address = participants.address),
				`+isStopped+`
			FROM participants WHERE ticket IN `+values+`
			ORDER BY ticket, position`, args,
			func(scan func(...any) error) error {
				var ticket int64
				var p tickets.Participant
				var dead, stopped bool
				if err := scan(&ticket, &p.Person, &p.Address.Name, &p.Address.Address, &p.Role, &dead, &stopped); err != nil {
					return err
				}
				t := byID[ticket]
				if dead {
					t.Dead = append(t.Dead, p.Address.Address)
				}
				if stopped {
					t.Stopped = append(t.Stopped, p.Address.Address)
				}
				t.Participants = append(t.Participants, p)
				return nil
			})
	})
}

// Silent returns ids of resolved tickets of the brand whose resolution is
// older than before and that were not followed up (followedUp false) or were
// (true): the sweep's question. At most n.
func (db *DB) Silent(ctx context.Context, brand string, before time.Time, followedUp bool, n int) ([]int64, error) {
	// Served by tickets_silent.
	ids, err := idList(ctx, db.read, `
		SELECT id FROM tickets
		WHERE status = 'resolved' AND brand = $1 AND resolved < $2 AND (followed_up > 0) = $3
		ORDER BY resolved LIMIT $4`, brand, ms(before), followedUp, int64(n))
	if err != nil {
		return nil, fmt.Errorf("list silent tickets of brand %q: %w", brand, err)
	}
	return ids, nil
}

// Due returns ids of pending or held tickets of the brand whose PendingUntil
// has passed at now. At most n.
func (db *DB) Due(ctx context.Context, brand string, now time.Time, n int) ([]int64, error) {
	// Served by tickets_due.
	ids, err := idList(ctx, db.read, `
		SELECT id FROM tickets
		WHERE brand = $1 AND pending_until > 0 AND pending_until <= $2 AND status IN ('pending', 'on_hold')
		ORDER BY pending_until LIMIT $3`, brand, ms(now), int64(n))
	if err != nil {
		return nil, fmt.Errorf("list due tickets of brand %q: %w", brand, err)
	}
	return ids, nil
}

func idList(ctx context.Context, q querier, text string, args ...any) (ids []int64, err error) {
	err = q.each(ctx, text, args, func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, err
}
