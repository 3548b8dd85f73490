// Package web shows customers the pages that letters link to: under /t/ a
// ticket with its two buttons, under /s/ a survey, under /r/ how a referral code
// is used.
//
// What it guarantees: a GET or HEAD changes nothing, whoever follows the link
// (mail scanners and link previews do). A press is a POST that carries a nonce
// of a page we showed; it becomes a ledger row, and the decision is taken where
// all are taken. A page shows a ticket only to whom its link was sent: while
// that person is on the ticket.
//
// It shows the request's number, status and subject, and of what was written only
// what that person wrote or was sent. The pages run no scripts and load nothing;
// files are there to be saved, never shown.
package web

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"

	"frontdesk/store"
	"frontdesk/tickets"
)

// Brand is how a brand's pages look.
type Brand struct {
	Name     string
	Color    string // #rrggbb; anything else: a dark blue
	Language string // where the ticket has none of ours
	Location *time.Location
}

// Options of New.
type Options struct {
	DB     *store.DB
	Rules  func() tickets.Rules
	Brands func() map[string]Brand
	Log    *slog.Logger       // nil: none
	Now    func() time.Time   // nil: time.Now
	Wake   func(brand string) // called after a press was committed; nil: nobody waits
	Full   func() error       // says why nothing may be written now; nil: never
	Open   OpenAttachment     // nil: no files
	// Prefix is the path of the public URL, without a slash at its end: links
	// begin with it. Requests come without it.
	Prefix string
}

// OpenAttachment returns the decoded bytes of attachment part of a ledger row.
type OpenAttachment func(ctx context.Context, ledger int64, part int) ([]byte, error)

// maxBody bounds a posted form: a long text, no more.
const maxBody = 64 << 10

// pages is the handler with what it needs.
type pages struct {
	opt   Options
	files *semaphore.Weighted // bytes of files in memory
}

// New returns the handler of the customers' pages. It answers for every path;
// those it does not know are 404. It bounds the body of a request; the time and
// the headers are for the server that it runs in.
func New(opt Options) http.Handler {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Full == nil {
		opt.Full = func() error { return nil }
	}
	if opt.Wake == nil {
		opt.Wake = func(string) {}
	}
	p := &pages{opt, semaphore.NewWeighted(filesRoom)}
	mux := http.NewServeMux()
	mux.HandleFunc("/t/{token}", p.ticket)
	mux.HandleFunc("/t/{token}/files/{message}/{file}", p.file)
	mux.HandleFunc("/s/{token}", p.survey)
	mux.HandleFunc("/r/{code}", p.recommended)
	mux.HandleFunc("/u/{token}", p.wishes)
	mux.HandleFunc("/o/{token}", p.offer)
	mux.HandleFunc("/", p.unknown)
	return guarded(p.paused(mux), p)
}

// paused asks whoever presses something to come back later while there is no room
// for it. Who unsubscribes is heard all the same: it is a few bytes, and mail
// programs that press for their user (RFC 8058) try once.
func (p *pages) paused(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && !strings.HasPrefix(r.URL.Path, "/u/") && p.opt.Full() != nil {
			w.Header().Set("Retry-After", "60")
			p.problem(w, r, http.StatusServiceUnavailable, nil)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ticket serves a customer's page.
func (p *pages) ticket(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		p.show(w, r)
	case http.MethodPost:
		p.press(w, r)
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		p.problem(w, r, http.StatusMethodNotAllowed, nil)
	}
}

func (p *pages) unknown(w http.ResponseWriter, r *http.Request) {
	p.problem(w, r, http.StatusNotFound, nil)
}

// guarded refuses posts that another site made a browser send. The nonce
// refuses them as well; this does it before anything is read.
func guarded(next http.Handler, p *pages) http.Handler {
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.problem(w, r, http.StatusForbidden, nil)
	}))
	next = origin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		strict(w.Header(), "") // redirections have them, too
		// Our own pages are no-referrer, and to such a post browsers add
		// "Origin: null" (Fetch section 3.2). Those that send Sec-Fetch-Site
		// are judged by it; for the older ones "null" says nothing.
		if r.Header.Get("Origin") == "null" && r.Header.Get("Sec-Fetch-Site") == "" {
			r.Header.Del("Origin")
		}
		next.ServeHTTP(w, r)
	})
}
