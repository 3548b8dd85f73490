// Package notify empties the outbox: a queued letter is rendered once from its
// template, handed to the SMTP server of its mailbox, and marked.
//
// What it guarantees: each letter is handed over at least once; a second copy
// can only come from the window between the final dot and its answer, carries
// the same bytes and the same Message-ID, and is counted. No letter leaves
// with a bare LF, a line over 998 octets, or a header value that came from
// outside unchecked. Texts and calls go to the telephone company the same
// way; Telephone says what holds for them.
package notify

import (
	"context"
	"io"
	"log/slog"
	"time"

	"frontdesk/oauth"
	"frontdesk/store"
	"frontdesk/tickets"
)

// Options of New. Zero values get their defaults there.
type Options struct {
	DB          *store.DB
	Rules       func() tickets.Rules    // read at the start of each pass; a reload changes it
	Brands      func() map[string]Brand // by brand key
	Routes      func() map[string]Route // SMTP server by mailbox address
	Phone       *Telephone              // nil: texts and calls wait
	Open        OpenAttachment          // reads attachments for letters that carry a message with some
	OpenFile    OpenFile                // the same for large ones, piece by piece; nil: they are read with Open
	Report      WriteReport             // writes the tables and pictures of reports
	Log         *slog.Logger            // nil: discard
	Now         func() time.Time        // nil: time.Now
	Wake        <-chan struct{}         // a decision was saved: look now
	InDoubt     string                  // "resend" (default) or "hold"
	Expire      time.Duration           // a letter older than this is given up; default 5 days
	Connections int                     // per SMTP server; default 2
	PublicURL   string                  // of customers' pages and of the telephone's webhooks; "" leaves buttons out
	LettersDir  string                  // overrides; "" none
}

// Brand is how a brand's letters look.
type Brand struct {
	Key       string
	Name      string // "Baleyo"
	Sender    string // display name of From
	Signature string
	Color     string // #rrggbb
	Language  string
	Location  *time.Location
	Domain    string // of Message-IDs
}

// Route is the SMTP server of a mailbox.
type Route struct {
	Host               string
	Port               int
	TLS                string // "none", "starttls", "implicit"
	Username, Password string
	Mechanism          string         // oauth.XOAUTH2 or oauth.OAuthBearer with Tokens
	Tokens             *oauth.Account // logs in with tokens instead of Password; nil: none
	CAFile             string
	Timeout            time.Duration // of one SMTP command; default 5 minutes for DATA's answer
}

// OpenAttachment returns the decoded bytes of attachment part of a ledger row's mail.
type OpenAttachment func(ctx context.Context, ledger int64, part int) ([]byte, error)

// OpenFile is OpenAttachment for a file that shall not be in memory as a whole.
type OpenFile func(ctx context.Context, ledger int64, part int) (*OpenedFile, error)

// OpenedFile is an attachment that can be read, several times.
type OpenedFile struct {
	Size   int64
	SHA256 [32]byte
	Read   func() io.Reader
	Close  func()
}
