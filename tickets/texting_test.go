package tickets

import (
	"strings"
	"testing"
	"time"
)

// TestWhereATextBelongs: P1 to P4.
func TestWhereATextBelongs(t *testing.T) {
	t.Parallel()
	onPhone := func(change ...func(*Ticket)) *Ticket {
		x := stored(append([]func(*Ticket){func(x *Ticket) {
			x.ID, x.Channel, x.Line = 1000, ChannelSMS, "tel:"+ours
			x.Participants = []Participant{{9, Address{"", "tel:" + unknown}, PartyRequester}}
		}}, change...)...)
		return x
	}
	for _, tc := range []struct {
		name   string
		ticket *Ticket
		in     Inbound
		rule   string // "" a new ticket
		link   string
		status Status
	}{
		{"P1 named by its number", onPhone(func(x *Ticket) { x.Updated = noon.AddDate(0, -1, 0) }), sms(unknown, "About #1000: still broken"), "P1", "", StatusOpen},
		{"P1 named by the tag", onPhone(), sms(unknown, "[Baleyo #1000] still broken"), "P1", "", StatusOpen},
		{"P1 on the profile of a participant by mail", stored(func(x *Ticket) { x.ID = 1000 }), sms(marias, "#1000 still broken"), "P1", "", StatusOpen},
		{"P1 a stranger's", onPhone(), sms(marias, "#1000 still broken"), "", "", ""},
		{"P1 closed within the window", onPhone(func(x *Ticket) { x.Status, x.Closed = StatusClosed, noon.Add(-time.Hour) }), sms(unknown, "#1000 still broken"), "P1", "", StatusOpen},
		{"P1 closed long ago", onPhone(func(x *Ticket) { x.Status, x.Closed = StatusClosed, noon.AddDate(-1, 0, 0) }), sms(unknown, "#1000 still broken"), "", "follows", ""},
		{"P2 open, of late", onPhone(), sms(unknown, "still broken"), "P2", "", StatusOpen},
		{"P2 pending opens", onPhone(func(x *Ticket) { x.Status = StatusPending }), sms(unknown, "still broken"), "P2", "", StatusOpen},
		{"P2 resolved, thanks", onPhone(func(x *Ticket) { x.Status, x.Resolved = StatusResolved, noon }), sms(unknown, "Yes, thanks!"), "P2", "", StatusClosed},
		{"P2 resolved, not solved", onPhone(func(x *Ticket) { x.Status, x.Resolved = StatusResolved, noon }), sms(unknown, "still broken"), "P2", "", StatusOpen},
		{"P2 too long ago", onPhone(func(x *Ticket) { x.Updated = noon.Add(-73 * time.Hour) }), sms(unknown, "still broken"), "", "", ""},
		{"P2 another line", onPhone(func(x *Ticket) { x.Line = "tel:" + deaf }), sms(unknown, "still broken"), "", "", ""},
		{"P2 another number", onPhone(), sms(marias, "still broken"), "", "", ""},
		{"P3 thanks after the closure", onPhone(func(x *Ticket) { x.Status, x.Closed = StatusClosed, noon.Add(-time.Hour) }), sms(unknown, "Thank you!"), "P3", "", StatusClosed},
		{"P3 a new matter after the closure", onPhone(func(x *Ticket) { x.Status, x.Closed = StatusClosed, noon.Add(-time.Hour) }), sms(unknown, "Now the scanner"), "", "follows", ""},
		{"P4 closed long ago", onPhone(func(x *Ticket) { x.Status, x.Closed = StatusClosed, noon.AddDate(-1, 0, 0) }), sms(unknown, "Thank you!"), "", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newDesk()
			s.tickets[1000] = tc.ticket
			c := s.receive(tc.in)
			if tc.rule == "" {
				want(t, "tickets", len(s.tickets), 2)
				link := ""
				if l := s.tickets[1001].Links; len(l) > 0 {
					link = l[0].Kind
				}
				want(t, "link", link, tc.link)
				contains(t, "letters", letters(c), "acknowledgement→tel:")
				return
			}
			want(t, "rule", ruleOf(c), tc.rule)
			s.only(t)
			want(t, "status", s.only(t).Status, tc.status)
			lacks(t, "letters", letters(c), "acknowledgement")
		})
	}
}

// TestTextsAreAllMessages: the same words twice are two messages, and both on
// one ticket.
func TestTextsAreAllMessages(t *testing.T) {
	t.Parallel()
	s := newDesk()
	s.receive(sms(unknown, "My printer is offline."))
	s.now = s.now.Add(time.Minute)
	s.receive(sms(unknown, "ok"))
	c := s.receive(sms(unknown, "ok"))
	want(t, "messages", len(s.messages), 3)
	want(t, "letters", letters(c), "agent-message→asha@baleyo.test agent-message→bikram@baleyo.test")
	want(t, "subject", s.only(t).Subject, "My printer is offline.")
}

// TestAutoresponder: a machine that answers each text gets one.
func TestAutoresponder(t *testing.T) {
	t.Parallel()
	s := newDesk()
	texts := 0
	for range 50 {
		s.now = s.now.Add(time.Second)
		texts += strings.Count(letters(s.receive(sms(unknown, "I am driving and will call you back."))), "→tel:")
	}
	want(t, "texts to it", texts, 1)
	s.only(t)
}

func TestPicturesAlone(t *testing.T) {
	t.Parallel()
	s := newDesk()
	c := s.receive(sms(marias, "", func(in *Inbound) {
		in.Attachments = []Attachment{{Filename: "image-1.jpg", ContentType: "image/jpeg", Size: 99, Part: WholeRow, Ledger: 44}}
		in.Phone.Text.Lost = 1
	}))
	want(t, "subject", s.only(t).Subject, "Text from Maria Lopez")
	want(t, "files", len(s.messages[0].Attachments), 1)
	contains(t, "known", known1(t, c, LetterNewTicket), "files that could not be fetched: 1")
	c = s.receive(sms(marias, " "))
	want(t, "nothing in it", string(c.Disposition)+" "+c.Reason, "discarded empty-text")
}

// TestConsent: STOP, START and HELP (F07).
func TestConsent(t *testing.T) {
	t.Parallel()
	pair := LineConsent{"tel:" + unknown, "tel:" + ours}
	t.Run("stop", func(t *testing.T) {
		t.Parallel()
		s := newDesk()
		s.receive(sms(unknown, "My printer is offline."))
		c := s.receive(sms(unknown, "STOP", consent(ConsentStop)))
		want(t, "stop", c.Stop[0], pair)
		want(t, "letters", letters(c), "agent-message→asha@baleyo.test agent-message→bikram@baleyo.test")
		contains(t, "known", known1(t, c, LetterMessage), "opted out of texts: nothing more can be texted to this number; answer by mail (#from ADDRESS) or with #call")
		c = s.receive(sms(unknown, "STOP", consent(ConsentStop)))
		want(t, "again", string(c.Disposition)+letters(c), "recorded")
		c = s.receive(s.answerOn(s.only(t), asha, nil, "Please switch it off and on."))
		want(t, "answer", letters(c), "agent-held→asha@baleyo.test")
		contains(t, "problem", strings.Join(letter(t, c, LetterHeld).Data.Problems, " "), "wants no texts from us (STOP): answer by mail with #from ADDRESS, or #call")
		c = s.receive(sms(unknown, "START", consent(ConsentStart)))
		want(t, "start", c.Start[0], pair)
		want(t, "letters of start", letters(c), "agent-message→asha@baleyo.test agent-message→bikram@baleyo.test")
		s.only(t)
	})
	t.Run("stop without a ticket", func(t *testing.T) {
		t.Parallel()
		c := newDesk().receive(sms(unknown, "STOP", consent(ConsentStop)))
		want(t, "decision", string(c.Disposition)+" "+c.Reason+letters(c), "recorded stop")
		want(t, "stop", c.Stop[0], pair)
	})
	t.Run("yes of one who never stopped", func(t *testing.T) {
		t.Parallel()
		s := newDesk()
		s.receive(sms(unknown, "My printer is offline."))
		c := s.receive(sms(unknown, "YES", consent(ConsentStart)))
		want(t, "rule", ruleOf(c), "P2")
		want(t, "start", c.Start[0], pair)
	})
	t.Run("help", func(t *testing.T) {
		t.Parallel()
		s := newDesk()
		c := s.receive(sms(unknown, "HELP", consent(ConsentHelp)))
		want(t, "letters", letters(c), "text-help→tel:"+unknown)
		s.receive(sms(unknown, "HELP", consent(ConsentHelp)))
		want(t, "once a day", len(s.letters), 1)
		s.now = s.now.AddDate(0, 0, 1)
		s.receive(sms(unknown, "HELP", consent(ConsentHelp)))
		want(t, "the next day", len(s.letters), 2)
		want(t, "tickets", len(s.tickets), 0)
	})
	t.Run("help on an open ticket", func(t *testing.T) {
		t.Parallel()
		s := newDesk()
		s.receive(sms(unknown, "My printer is offline."))
		want(t, "rule", ruleOf(s.receive(sms(unknown, "Hilfe", consent(ConsentHelp)))), "P2")
	})
}
