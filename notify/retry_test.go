package notify

import (
	"errors"
	"net/textproto"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"frontdesk/store"
	"frontdesk/tickets"
)

func TestBackoff(t *testing.T) {
	for _, c := range []struct {
		class   Class
		attempt int
		longest time.Duration
	}{
		{ClassConnection, 1, 5 * time.Second},
		{ClassConnection, 2, 10 * time.Second},
		{ClassConnection, 30, time.Hour},
		{ClassTemporary, 1, time.Minute},
		{ClassTemporary, 2, 2 * time.Minute},
		{ClassTemporary, 7, time.Hour},
		{ClassTemporary, 1000, time.Hour},
		{ClassGreylist, 1, 5 * time.Minute},
		{ClassGreylist, 9, time.Hour},
	} {
		spread := map[time.Duration]bool{}
		for letter := int64(1); letter <= 20; letter++ {
			got := Backoff(c.class, c.attempt, letter)
			if got > c.longest || got <= c.longest*9/10-time.Millisecond {
				t.Errorf("Backoff(%s, %d, %d) = %v, want within a tenth below %v", c.class, c.attempt, letter, got, c.longest)
			}
			if got != Backoff(c.class, c.attempt, letter) {
				t.Errorf("Backoff(%s, %d, %d) differs from call to call", c.class, c.attempt, letter)
			}
			spread[got] = true
		}
		if len(spread) < 15 {
			t.Errorf("Backoff(%s, %d): 20 letters wake at only %d times", c.class, c.attempt, len(spread))
		}
	}
}

func TestReplyClasses(t *testing.T) {
	for _, c := range []struct {
		code   int
		msg    string
		class  Class
		status string
		detail string
	}{
		{450, "4.2.0 <x@y>: Recipient address rejected: Greylisted, see http://postgrey", ClassGreylist, "450 4.2.0", "RCPT: <x@y>: Recipient address rejected: Greylisted, see http://postgrey"},
		{451, "4.7.1 try later", ClassTemporary, "451 4.7.1", "RCPT: try later"},
		{421, "4.3.2 shutting down", ClassConnection, "421 4.3.2", "RCPT: shutting down"},
		{550, "5.1.1 no such user", ClassPermanent, "550 5.1.1", "RCPT: no such user"},
		{550, "5.7.1 first line\n5.7.1 second line", ClassPermanent, "550 5.7.1", "RCPT: first line second line"},
		{554, "no enhanced code", ClassPermanent, "554", "RCPT: no enhanced code"},
	} {
		f := failed("RCPT", &textproto.Error{Code: c.code, Msg: c.msg})
		if f.class != c.class || f.code != c.status || f.detail != c.detail {
			t.Errorf("%d %s: %s, %q, %q; want %s, %q, %q", c.code, c.msg, f.class, f.code, f.detail, c.class, c.status, c.detail)
		}
	}
	if f := failed("MAIL", errors.New("EOF")); f.class != ClassConnection || f.code != "" {
		t.Errorf("lost connection: %+v", f)
	}
}

func TestServerIDs(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"Ok: queued as 4F2A1B0C", nil},
		{"Ok 0102018c-ab12@eu-west-1.amazonses.com", nil},
		{"Ok <0102018c-ab12@eu-west-1.amazonses.example>", []string{"0102018c-ab12@eu-west-1.amazonses.example"}},
		{"<AM0PR04@eurprd04.prod.outlook.example> [InternalId=123] Queued mail for delivery", []string{"AM0PR04@eurprd04.prod.outlook.example"}},
		{"OK", nil},
		{"", nil},
	} {
		if d := cmp.Diff(c.want, serverIDs(c.text)); d != "" {
			t.Errorf("serverIDs(%q) (-want +got):\n%s", c.text, d)
		}
	}
}

func TestGivenUp(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	closed := &tickets.Ticket{ID: 1, Status: tickets.StatusClosed}
	open := &tickets.Ticket{ID: 1, Status: tickets.StatusOpen}
	ack := tickets.Letter{Kind: tickets.LetterAcknowledgement, Ticket: 1}
	for _, c := range []struct {
		name   string
		out    store.Outgoing
		ticket *tickets.Ticket
		up     bool
	}{
		{"fresh", store.Outgoing{Letter: ack, Queued: now}, open, false},
		{"six days old", store.Outgoing{Letter: ack, Queued: now.Add(-6 * 24 * time.Hour)}, open, true},
		{"past its use", store.Outgoing{Letter: tickets.Letter{NotAfter: now.Add(-time.Second)}, Queued: now}, open, true},
		{"old acknowledgement of an open ticket", store.Outgoing{Letter: ack, Queued: now.Add(-2 * time.Hour)}, open, false},
		{"old acknowledgement of a closed ticket", store.Outgoing{Letter: ack, Queued: now.Add(-2 * time.Hour)}, closed, true},
		{"closing notice of a closed ticket", store.Outgoing{Letter: tickets.Letter{Kind: tickets.LetterClosed}, Queued: now.Add(-2 * time.Hour)}, closed, false},
	} {
		if got := givenUp(c.out, c.ticket, 5*24*time.Hour, now); (got != "") != c.up {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}
