package intake

import (
	"testing"
	"time"
)

// TestLMTPMailboxesOfAReload: a mailbox that a reload brought was refused for
// good until the next restart; one that it took away while its mail was on the
// way must not make a row of no brand, which nobody would decide.
func TestLMTPMailboxesOfAReload(t *testing.T) {
	t.Parallel()
	var list []Address
	s := NewLMTP(LMTPOptions{Current: func() []Address { return list }})
	mail := &lmtpSession{s: s}
	if err := mail.Rcpt("sales@baleyo.test", nil); err == nil {
		t.Error("a mailbox that is not configured was accepted")
	}
	list = []Address{{Brand: "baleyo", Mailbox: "sales@baleyo.test", Queue: "sales"}}
	if err := mail.Rcpt("Sales@baleyo.test", nil); err != nil {
		t.Errorf("after the reload: %v", err)
	}
	list = nil
	items := mail.items([]byte("Subject: x\r\n\r\n"), time.Now())
	if len(items) != 1 || items[0].Brand != "baleyo" || items[0].Mailbox != "sales@baleyo.test" {
		t.Errorf("rows: %+v", items)
	}
}
