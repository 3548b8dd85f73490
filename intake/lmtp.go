package intake

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"

	"frontdesk/store"
)

// Address says where mail for one configured mailbox belongs.
type Address struct{ Brand, Mailbox, Queue, Subaddressing string }

// LMTPOptions describe the LMTP listener (RFC 2033).
type LMTPOptions struct {
	Addresses []Address
	MaxSize   int64
	Hostname  string
	DB        *store.DB
	Log       *slog.Logger
	Now       func() time.Time
	Wake      func()
}

// LMTP takes mail from an MTA and answers 250 only after the commit.
type LMTP struct{ opt LMTPOptions }

// NewLMTP prepares the listener.
func NewLMTP(opt LMTPOptions) *LMTP { return &LMTP{opt: opt} }

// Serve answers on l until ctx ends; sessions in hand end first, bounded.
func (s *LMTP) Serve(ctx context.Context, l net.Listener) error { return errors.New("not built") }

// Deliver takes one mail from a pipe into the mailbox to and returns after the
// commit. recipient is the envelope recipient where the MTA told it, else "".
func Deliver(ctx context.Context, db *store.DB, to Address, recipient string, sender *string, raw []byte, now time.Time) error {
	return errors.New("not built")
}
