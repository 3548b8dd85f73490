package web

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"frontdesk/store"
	"frontdesk/tickets"
)

// visit is a ticket with the person whose link was followed.
type visit struct {
	token  string // normal form
	ticket tickets.Ticket
	person tickets.Participant
	brand  Brand
	words  *words
	path   string // of the page, as the world sees it
	rules  tickets.Rules
	now    time.Time

	asked    int64     // the ticket that the link names: merged ones lead on
	messages []message // newest first
	article  *article  // that the link or the press names
}

// errNoPage says that the link leads nowhere, or no longer: the token is not
// ours, the ticket or brand is gone, the person was taken off the ticket or
// blocked.
// Whoever holds the link is not told which.
var errNoPage = errors.New("no such page")

// visit finds what a link leads to. A ticket that was merged leads to the one
// it lives on in, where its participants are, too.
func (p *pages) visit(r *http.Request) (*visit, error) {
	rules := p.opt.Rules()
	id, person, err := rules.Keys.ParsePageToken(r.PathValue("token"))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoPage, err)
	}
	t, err := p.follow(r, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("%w: ticket %d: %w", errNoPage, id, err)
	}
	if err != nil {
		return nil, err
	}
	who, ok := on(&t, person)
	brand, known := p.opt.Brands()[t.Brand]
	if _, decides := rules.Brands[t.Brand]; !ok || !known || !decides {
		return nil, fmt.Errorf("%w: ticket %d", errNoPage, id)
	}
	if err := p.welcome(r, person); err != nil {
		return nil, err
	}
	v := &visit{ticket: t, person: who, brand: brand, rules: rules, now: p.opt.Now()}
	v.token = normalToken(r)
	v.path = p.opt.Prefix + "/t/" + v.token
	v.words = wordsOf(t.Language, brand.Language)
	v.asked = id
	if v.article, err = p.named(r, v); err != nil {
		return nil, err
	}
	return v, p.load(r, v)
}

// longestMerge bounds a chain of merged tickets: one that long is a ring.
const longestMerge = 20

func (p *pages) follow(r *http.Request, id int64) (t tickets.Ticket, err error) {
	for range longestMerge {
		t, err = p.opt.DB.Ticket(r.Context(), id)
		if err != nil || t.Status != tickets.StatusMerged {
			return t, err
		}
		id = t.MergedInto
	}
	return t, store.ErrNotFound
}

// on returns the person's verified address on the ticket.
func on(t *tickets.Ticket, person int64) (tickets.Participant, bool) {
	if person == 0 {
		return tickets.Participant{}, false
	}
	for _, p := range t.Participants {
		if p.Person == person && t.Verified(p.Address.Address) {
			return p, true
		}
	}
	return tickets.Participant{}, false
}

// welcome refuses a person who was blocked: what they mail is held, too.
func (p *pages) welcome(r *http.Request, person int64) error {
	who, err := p.opt.DB.Person(r.Context(), person)
	if errors.Is(err, store.ErrNotFound) || err == nil && who.Blocked {
		return fmt.Errorf("%w: person %d", errNoPage, person)
	}
	return err
}

// What the customer may do about a ticket; each is a form on the page.
const (
	actionConfirm = "confirm" // it is solved
	actionReopen  = "reopen"  // it is not, with a word on it or without
	actionAdd     = "add"     // something more to say on an open ticket
	actionSolved  = "solved"  // an article that was suggested solved it
)

// actions lists what the ticket's status offers.
func (v *visit) actions() []string {
	switch v.ticket.Status {
	case tickets.StatusResolved:
		return []string{actionConfirm, actionReopen}
	case tickets.StatusNew, tickets.StatusOpen, tickets.StatusPending, tickets.StatusHold:
		return []string{actionAdd}
	case tickets.StatusClosed:
		if v.now.Sub(v.ticket.Closed) < v.rules.Closing.ReopenWindow {
			return []string{actionReopen}
		}
	}
	return nil
}

// takes reports whether a press is accepted now. It is more than the page
// offers: a page may be older than the ticket, the second of two presses finds
// what the first did, and words that a customer wrote are not thrown away where
// anything can still become of them. The decision says what.
func (v *visit) takes(action string) bool {
	switch s := v.ticket.Status; action {
	case actionConfirm:
		return s == tickets.StatusResolved || s == tickets.StatusClosed
	case actionReopen, actionAdd:
		return len(v.actions()) > 0
	case actionSolved:
		return v.takesSolved()
	}
	return false
}

// state names what the ticket was when the page was shown. It goes with the
// form and into the key of the ledger row: two presses on one page are one row,
// a press after the ticket moved on is another.
func (v *visit) state() string {
	t := &v.ticket
	return fmt.Sprintf("%s.%d.%d.%d", t.Status, t.Version, stamp(t.Resolved), stamp(t.Closed))
}

func stamp(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
