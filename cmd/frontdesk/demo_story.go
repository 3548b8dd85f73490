package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"frontdesk/internal/testmail"
	"frontdesk/parser"
	"frontdesk/store"
	"frontdesk/tickets"
)

// patience is how long a step of the story may take.
const patience = 20 * time.Second

// story plays people at their mail clients and checks what they see.
type story struct {
	stage *stage
	tell  *teller
	seen  map[string]map[uint32]bool // by user: mails already looked at
	sent  int
}

// play runs every step; the first that fails ends it.
func (s *story) play(ctx context.Context) error {
	s.seen = map[string]map[uint32]bool{}
	s.tell.title("frontdesk demo: a support desk that lives in mail")
	s.tell.say("A mail provider and the desk run in this process (ready after %s). Two brands share one team:\nBaleyo answers at support@baleyo.test in English, Zephyr at hilfe@zephyr.test in German.\nAsha is the agent; she uses nothing but her mail client.", s.stage.ready.Round(time.Millisecond))
	guide, err := s.inbox(ctx, "asha@baleyo.test", "a guide to a new agent", func(m *parser.Mail) bool { return strings.Contains(m.Subject, "by mail") })
	if err != nil {
		return err
	}
	s.tell.say("Asha has had one mail so far, the guide that each new agent gets: %q.", guide.Subject)
	for _, chapter := range []func(context.Context) error{s.customerWrites, s.agentAnswers, s.mistypedCommand, s.resolution, s.secondBrand, s.voicemail, s.textsBack, s.whyItWentThere} {
		if err := chapter(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *story) customerWrites(ctx context.Context) error {
	s.tell.step("Maria, a customer, writes to support@baleyo.test")
	if err := s.write("Maria Lopez <maria@example.test>", "support@baleyo.test", "Printer is offline", "", "Hello,\n\nour printer shows an error since this morning and is offline.\nWe switched it off and on, without success.\n\nMaria Lopez\n"); err != nil {
		return err
	}
	ack, err := s.inbox(ctx, "maria@example.test", "the acknowledgement", about("#1"))
	if err != nil {
		return err
	}
	s.tell.letter("Maria gets one acknowledgement, with a number and the times that were promised", ack)
	if err := expect(strings.Contains(ack.Text, "2 business hours") && ack.Get("Auto-Submitted") == "auto-replied", "the acknowledgement names no times, or does not say that it is automatic"); err != nil {
		return err
	}
	notice, err := s.inbox(ctx, "asha@baleyo.test", "the notification of ticket #1", about("#1"))
	if err != nil {
		return err
	}
	s.tell.letter("Asha gets the ticket, as a mail from Maria through the desk", notice)
	return nil
}

func (s *story) agentAnswers(ctx context.Context) error {
	s.tell.step("Asha hits Reply, types, sends. That is all there is to it")
	if err := s.reply(ctx, "Asha", "asha@baleyo.test", "Please check whether the grey cable at the back is plugged in firmly.\n\nAsha\n"); err != nil {
		return err
	}
	answer, err := s.inbox(ctx, "maria@example.test", "Asha's answer", func(m *parser.Mail) bool { return strings.Contains(m.Text, "grey cable") })
	if err != nil {
		return err
	}
	s.tell.letter("Maria has the answer from Baleyo; Asha's address is nowhere in it", answer)
	raw := s.newest("maria@example.test")
	if err := expect(!bytes.Contains(bytes.ToLower(raw), []byte("asha@")), "the agent's address is in a customer's letter"); err != nil {
		return err
	}
	s.tell.step("Maria answers, from a phone that threads badly")
	if err := s.write("Maria Lopez <maria@example.test>", "support@baleyo.test", answer.Subject, "", "It was loose! But now it prints grey stripes.\n"); err != nil {
		return err
	}
	again, err := s.inbox(ctx, "asha@baleyo.test", "Maria's answer", func(m *parser.Mail) bool { return strings.Contains(m.Text, "grey stripes") })
	if err != nil {
		return err
	}
	s.tell.say("It carried no In-Reply-To and no References, only the number in its subject, and Maria's address is on\nthe ticket: it joined #1, and Asha has it in the same thread (%s).", again.Subject)
	return nil
}

func (s *story) mistypedCommand(ctx context.Context) error {
	s.tell.step("Asha means #close, and types #closs")
	before := s.count("maria@example.test")
	if err := s.reply(ctx, "Asha", "asha@baleyo.test", "#closs\nStripes come from a dry drum; we replaced it.\n"); err != nil {
		return err
	}
	receipt, err := s.inbox(ctx, "asha@baleyo.test", "a receipt", func(m *parser.Mail) bool { return strings.Contains(m.Text, "did you mean #close") })
	if err != nil {
		return err
	}
	s.tell.letter("Nothing left the desk. Asha gets one receipt", receipt)
	return expect(s.count("maria@example.test") == before, "the customer got a mail from a mistyped command")
}

func (s *story) resolution(ctx context.Context) error {
	s.tell.step("Now with the right word")
	if err := s.reply(ctx, "Asha", "asha@baleyo.test", "#close\nProblem: the drum of the printer had run dry\nSolution: our technician replaced the drum and printed a test page\nWorkaround: until then, the copier on floor 2 printed cleanly\n"); err != nil {
		return err
	}
	letter, err := s.inbox(ctx, "maria@example.test", "the resolution letter", func(m *parser.Mail) bool { return strings.Contains(m.Text, "replaced the drum") })
	if err != nil {
		return err
	}
	s.tell.letter("Maria gets the resolution letter: purpose, what was wrong, how it was solved, a way around it, further help, thanks", letter)
	s.tell.step("Maria replies: Yes, thanks")
	if err := s.reply(ctx, "Maria Lopez", "maria@example.test", "Yes, thanks!\n"); err != nil {
		return err
	}
	if _, err := s.inbox(ctx, "maria@example.test", "the closure", about("#1")); err != nil {
		return err
	}
	t, err := s.stage.desk.db.Ticket(ctx, 1)
	if err != nil {
		return err
	}
	s.tell.say("Ticket #1 is %s, confirmed by the customer.", t.Status)
	return expect(t.Status == tickets.StatusClosed, "the ticket is not closed")
}

func (s *story) secondBrand(ctx context.Context) error {
	s.tell.step("Jonas schreibt an Zephyr: the second brand, in German, at the same desk")
	if err := s.write("Jonas Weber <jonas@example.test>", "hilfe@zephyr.test", "Rechnung 4711", "", "Guten Tag,\n\nich habe die Rechnung 4711 doppelt bekommen.\n\nMit freundlichen Grüßen\nJonas Weber\n"); err != nil {
		return err
	}
	ack, err := s.inbox(ctx, "jonas@example.test", "die Eingangsbestätigung", about("#2"))
	if err != nil {
		return err
	}
	s.tell.letter("Jonas gets his acknowledgement from Zephyr", ack)
	return expect(!strings.Contains(ack.Text, "Baleyo"), "one brand shows in another's letter")
}

func (s *story) whyItWentThere(ctx context.Context) error {
	s.tell.step("Why did Maria's second mail land on #1? The desk can tell (frontdesk explain 1)")
	entries, err := s.stage.desk.db.EntriesOfTicket(ctx, 1)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.From != "maria@example.test" || len(e.Trace) == 0 {
			continue
		}
		if strings.Contains(e.Detail, "rule T6") {
			s.tell.trace(e.Trace)
		}
	}
	events, err := s.stage.desk.db.Events(ctx, 1)
	if err != nil {
		return err
	}
	s.tell.events(events)
	return s.sums(ctx)
}

// sums proves that nothing was lost or doubled on the way.
func (s *story) sums(ctx context.Context) error {
	outbox, err := s.outboxIdle(ctx)
	if err != nil {
		return err
	}
	tally, err := s.decided(ctx)
	if err != nil {
		return err
	}
	mails := tally.ByChannel[tickets.ChannelMail]
	s.tell.say("In: %d mails, %d webhooks of calls and texts, %d undecided. Out: %d letters sent, %d waiting, %d failed.", mails, tally.Total-mails, tally.Undecided, outbox[store.LetterSent], outbox[store.LetterQueued], outbox[store.LetterFailed])
	return expect(tally.Undecided == 0 && outbox[store.LetterFailed] == 0 && mails == s.sent && tally.ByChannel[tickets.ChannelVoice] > 0 && tally.ByChannel[tickets.ChannelSMS] > 0, "the sums do not match")
}

// decided waits until nothing that came is undecided: the telephone company
// still reports on the last text.
func (s *story) decided(ctx context.Context) (store.Tally, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		tally, err := s.stage.desk.db.Tally(ctx, "")
		if err != nil || tally.Undecided == 0 {
			return tally, err
		}
		select {
		case <-ctx.Done():
			return tally, errors.New("the ledger has rows that nobody decides")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// outboxIdle waits until no letter is on its way.
func (s *story) outboxIdle(ctx context.Context) (map[string]int, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		outbox, err := s.stage.desk.db.OutboxTally(ctx)
		if err != nil || outbox[store.LetterQueued]+outbox[store.LetterDot] == 0 {
			return outbox, err
		}
		select {
		case <-ctx.Done():
			return outbox, errors.New("letters are still waiting")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func expect(ok bool, otherwise string) error {
	if !ok {
		return errors.New(otherwise)
	}
	return nil
}

func about(number string) func(*parser.Mail) bool {
	return func(m *parser.Mail) bool { return strings.Contains(m.Subject, number+"]") }
}

// write sends a new mail as a mail client would.
func (s *story) write(from, to, subject, threading, text string) error {
	s.sent++
	user := from[strings.IndexByte(from, '<')+1 : len(from)-1]
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\nMessage-ID: <demo.%d.%d@%s>\r\n%s", from, to, mimeWord(subject),
		time.Now().Format(time.RFC1123Z), s.sent, time.Now().UnixNano(), tickets.Domain(user), threading)
	b.WriteString("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n")
	b.WriteString(strings.ReplaceAll(text, "\n", "\r\n"))
	return s.stage.office.Send(user, demoPassword, []string{to}, b.Bytes())
}

// reply answers the newest mail of a user's inbox, quoting it below.
func (s *story) reply(ctx context.Context, name, user, text string) error {
	m := parser.Parse(s.newest(user), parser.Options{})
	to := m.From.Address
	if len(m.ReplyTo) > 0 {
		to = m.ReplyTo[0].Address
	}
	refs := append(m.References, m.MessageID)
	threading := fmt.Sprintf("In-Reply-To: <%s>\r\nReferences: <%s>\r\n", m.MessageID, strings.Join(refs, ">\r\n <"))
	subject := m.Subject
	if !m.ReplyPrefix {
		subject = "Re: " + subject
	}
	text += fmt.Sprintf("\nOn %s, %s wrote:\n> %s\n", m.Date.Format("Mon, 2 Jan 2006 at 15:04"), m.From.Name, strings.ReplaceAll(strings.TrimSpace(m.Text), "\n", "\n> "))
	return s.write(fmt.Sprintf("%s <%s>", name, user), to, subject, threading, text)
}

// inbox waits for the next mail of a user that ok accepts, not looked at before.
func (s *story) inbox(ctx context.Context, user, what string, ok func(*parser.Mail) bool) (*parser.Mail, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if s.seen[user] == nil {
		s.seen[user] = map[uint32]bool{}
	}
	var got *parser.Mail
	_, err := s.stage.office.IMAP.Wait(ctx, user, "INBOX", func(m testmail.Mail) bool {
		if s.seen[user][m.UID] {
			return false
		}
		if p := parser.Parse(m.Raw, parser.Options{}); ok(p) {
			s.seen[user][m.UID], got = true, p
			return true
		}
		return false
	})
	if err != nil {
		return nil, fmt.Errorf("%s did not arrive at %s within %s", what, user, patience)
	}
	return got, nil
}

// newest returns the newest mail of a user's inbox that was looked at.
func (s *story) newest(user string) []byte {
	mails, _ := s.stage.office.IMAP.Mails(user, "INBOX")
	for i := len(mails) - 1; i >= 0; i-- {
		if s.seen[user][mails[i].UID] {
			return mails[i].Raw
		}
	}
	return nil
}

func (s *story) count(user string) int {
	mails, _ := s.stage.office.IMAP.Mails(user, "INBOX")
	return len(mails)
}
