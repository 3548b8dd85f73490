package store

import (
	"context"
	"time"

	"frontdesk/tickets"
)

// TicketQuery selects tickets. The zero value is all open ones of all brands.
type TicketQuery struct {
	Brand, Queue, Assignee string
	Statuses               []tickets.Status // nil: open ones (new, open, pending, on_hold, resolved)
	Search                 string           // words that stand in messages or subject; any script; never an error
	Customer               string           // address
	Limit                  int              // 0: 100
}

// Tickets lists tickets in queue order: severity (critical first), status, age.
func (db *DB) Tickets(ctx context.Context, q TicketQuery) ([]tickets.Ticket, error) {
	return nil, errUnbuilt
}

// Ticket loads one ticket (ErrNotFound).
func (db *DB) Ticket(ctx context.Context, id int64) (tickets.Ticket, error) {
	return tickets.Ticket{}, errUnbuilt
}

// Messages returns all messages of a ticket, oldest first.
func (db *DB) Messages(ctx context.Context, ticket int64) ([]tickets.Message, error) {
	return nil, errUnbuilt
}

// Message loads one message (ErrNotFound).
func (db *DB) Message(ctx context.Context, id int64) (tickets.Message, error) {
	return tickets.Message{}, errUnbuilt
}

// Events returns the log of a ticket, oldest first.
func (db *DB) Events(ctx context.Context, ticket int64) ([]tickets.Event, error) {
	return nil, errUnbuilt
}

// Silent returns ids of resolved tickets of the brand whose resolution is
// older than before and that were not followed up (followedUp false) or were
// (true): the sweep's question. At most n.
func (db *DB) Silent(ctx context.Context, brand string, before time.Time, followedUp bool, n int) ([]int64, error) {
	return nil, errUnbuilt
}

// Due returns ids of pending or held tickets of the brand whose PendingUntil
// has passed at now. At most n.
func (db *DB) Due(ctx context.Context, brand string, now time.Time, n int) ([]int64, error) {
	return nil, errUnbuilt
}

// Person loads one person (ErrNotFound).
func (db *DB) Person(ctx context.Context, id int64) (tickets.Person, error) {
	return tickets.Person{}, errUnbuilt
}

// PersonByAddress finds who has the address in the brand (ErrNotFound).
func (db *DB) PersonByAddress(ctx context.Context, brand, address string) (tickets.Person, error) {
	return tickets.Person{}, errUnbuilt
}

// People lists persons of a brand ("" all brands) whose name or address
// contains match ("" all), agents not among them.
func (db *DB) People(ctx context.Context, brand, match string, limit int) ([]tickets.Person, error) {
	return nil, errUnbuilt
}

// SavePerson updates name, addresses, phones, language, organisation, blocked
// and notes of a person, or makes one (ID 0). An address that another person
// of the brand has is an error that names that person.
func (db *DB) SavePerson(ctx context.Context, p tickets.Person, now time.Time) (int64, error) {
	return 0, errUnbuilt
}

// Index adds messages that the search index does not have yet, at most n, and
// returns how many it added.
func (db *DB) Index(ctx context.Context, n int) (int, error) { return 0, errUnbuilt }
