package intake

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"frontdesk/store"
)

// MailboxOptions describe one IMAP folder to read.
type MailboxOptions struct {
	Brand, Address, Queue string // Address is the configured mailbox
	Host                  string
	Port                  int
	TLS                   string // "none", "starttls", "implicit"
	Username, Password    string
	CAFile                string
	Folder                string        // default INBOX
	ProcessedFolder       string        // move there after the commit; "" leave
	MarkSeen              bool          // set \Seen after the commit
	Poll                  time.Duration // default 60 s; IDLE or not, a pass at least this often
	Command               time.Duration // deadline of one command, default 60 s
	MaxSize               int64         // larger mails: the row says so and holds the first part only

	DB   *store.DB
	Log  *slog.Logger
	Now  func() time.Time
	Wake func() // called after rows were committed
}

// Mailbox reads one IMAP folder into the ledger, for ever.
type Mailbox struct{ opt MailboxOptions }

// NewMailbox prepares a mailbox; it starts nothing.
func NewMailbox(opt MailboxOptions) *Mailbox { return &Mailbox{opt: opt} }

// Run reads until ctx ends, and returns when its goroutines have ended.
func (m *Mailbox) Run(ctx context.Context) error { return errors.New("not built") }

// Poll makes one pass now and returns how many rows it added.
func (m *Mailbox) Poll(ctx context.Context) (int, error) { return 0, errors.New("not built") }

// Beat returns when the loop last made progress: the watchdog's question.
func (m *Mailbox) Beat() time.Time { return time.Time{} }

// Reconciliation compares a folder on the server with the ledger.
type Reconciliation struct {
	Mailbox   string   `json:"mailbox"`
	Folder    string   `json:"folder"`
	Server    int      `json:"server"`
	Ledger    int      `json:"ledger"`
	Undecided int      `json:"undecided"`
	Missing   []uint32 `json:"missing,omitempty"` // UIDs on the server without a row
}

// Reconcile compares the folder with the ledger.
func (m *Mailbox) Reconcile(ctx context.Context) (Reconciliation, error) {
	return Reconciliation{}, errors.New("not built")
}
