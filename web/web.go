// Package web shows customers the pages that letters link to: under /t/ a
// ticket with its two buttons.
//
// What it guarantees: a GET or HEAD changes nothing, whoever follows the link
// (mail scanners and link previews do). A press is a POST that carries a nonce
// of a page we showed; it becomes a ledger row, and the decision is taken where
// all are taken. A page shows a ticket only to whom its link was sent.
package web

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"frontdesk/store"
	"frontdesk/tickets"
)

// Brand is how a brand's pages look.
type Brand struct {
	Name, Color, Language string
	Location              *time.Location
}

// Options of New.
type Options struct {
	DB     *store.DB
	Rules  func() tickets.Rules
	Brands func() map[string]Brand
	Log    *slog.Logger
	Now    func() time.Time
	Wake   func(brand string) // called after a press was committed
}

// New returns the handler of the customers' pages.
func New(opt Options) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, errors.New("not built").Error(), http.StatusNotImplemented)
	})
}
