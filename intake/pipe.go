package intake

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"syscall"
	"time"

	"frontdesk/store"
	"frontdesk/tickets"
)

// Deliver takes one mail from a pipe into the mailbox to and returns after the
// commit. recipient is the envelope recipient where the MTA told it, else "";
// sender its reverse path, nil when unknown, "" for the null one. Calling it
// twice makes two rows; the decision joins mails of equal content.
func Deliver(ctx context.Context, db *store.DB, to Address, recipient string, sender *string, raw []byte, now time.Time) error {
	return deliver(ctx, db, to, recipient, sender, raw, now)
}

func deliver(ctx context.Context, db ledger, to Address, recipient string, sender *string, raw []byte, now time.Time) error {
	item := newItem("pipe:", to, sender, raw, now)
	if recipient != "" {
		item.Recipients = []string{recipient}
	}
	if _, err := db.Append(ctx, []store.Item{item}, nil); err != nil {
		return fmt.Errorf("store mail for %s: %w", to.Mailbox, err)
	}
	return nil
}

// newItem makes the row of a mail that an MTA handed over. prefix opens its key.
func newItem(prefix string, to Address, sender *string, raw []byte, now time.Time) store.Item {
	return store.Item{
		Key:      prefix + rand.Text(),
		Brand:    to.Brand,
		Mailbox:  to.Mailbox,
		Queue:    to.Queue,
		Channel:  tickets.ChannelMail,
		Sender:   sender,
		Received: now,
		SHA256:   sha256.Sum256(raw),
		Data:     raw,
	}
}

// diskFull reports that a commit failed for want of space, in the words of the
// system (ENOSPC, EDQUOT), SQLite (SQLITE_FULL) or PostgreSQL (disk_full).
func diskFull(err error) bool {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return true
	}
	var lite interface{ Code() int }
	if errors.As(err, &lite) && lite.Code()&0xff == 13 {
		return true
	}
	var pg interface{ SQLState() string }
	return errors.As(err, &pg) && pg.SQLState() == "53100"
}
