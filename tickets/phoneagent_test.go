package tickets

import (
	"strings"
	"testing"
	"time"
)

func problems(t *testing.T, c Change) string {
	t.Helper()
	return strings.Join(letter(t, c, LetterHeld).Data.Problems, " ")
}

// TestAnswerByText: an agent's mail on a phone ticket leaves as a text, without
// quotes, from the line that the customer wrote to.
func TestAnswerByText(t *testing.T) {
	t.Parallel()
	s := newDesk()
	s.receive(sms(marias, "My printer is offline."))
	c := s.receive(s.answerOn(s.only(t), asha, nil, "Please switch it off and on.\n\n> My printer is offline."))
	want(t, "letters", letters(c), "answer→tel:"+marias)
	l := letter(t, c, LetterAnswer)
	want(t, "text", l.Data.Text, "Please switch it off and on.")
	want(t, "line", l.Mailbox, "tel:"+ours)
	want(t, "auto", l.Auto, AutoNone)
	want(t, "mail's fields", l.InReplyTo+strings.Join(l.References, ""), "")
	want(t, "person", l.Person, maria.ID)
	want(t, "message", s.messages[1].Channel, ChannelSMS)
	c = s.receive(sms(marias, "Thanks, it works"))
	want(t, "the answer to it", ruleOf(c), "P2")
}

// TestTextsAndMails: who is on a ticket by mail and who is by telephone do not
// see each other's addresses.
func TestTextsAndMails(t *testing.T) {
	t.Parallel()
	s := newDesk()
	s.receive(sms(marias, "My printer is offline."))
	x := s.only(t)
	x.Participants = append(x.Participants, Participant{8, Address{"", "boss@example.org"}, PartyFollower}, Participant{8, Address{"", "tel:" + unknown}, PartyFollower})
	c := s.receive(s.answerOn(x, asha, nil, "Please wait."))
	want(t, "letters", letters(c), "answer→boss@example.org answer→tel:"+marias+" answer→tel:"+unknown)
	for _, l := range c.Tickets[0].Letters {
		for _, a := range append(l.HeaderTo, l.HeaderCc...) {
			lacks(t, "shown to "+l.To.Address, a.Address, "tel:")
		}
		if Number(l.To.Address) != "" {
			want(t, "shown in a text", len(l.HeaderTo)+len(l.HeaderCc), 0)
		}
	}
}

func TestFilesDoNotGoByText(t *testing.T) {
	t.Parallel()
	s := newDesk()
	s.receive(sms(marias, "My printer is offline."))
	c := s.receive(s.answerOn(s.only(t), asha, nil, "See the manual.", func(in *Inbound) {
		in.Attachments = []Attachment{{Filename: "manual.pdf", ContentType: "application/pdf", Size: 2000}}
	}))
	want(t, "files", letter(t, c, LetterAnswer).Data.Files, 1)
	contains(t, "receipt", strings.Join(letter(t, c, LetterReceipt).Data.Done, " "), "the text carries a link")
}

// TestCloseByText: the short form by text and the whole letter by mail, where
// an address is known.
func TestCloseByText(t *testing.T) {
	t.Parallel()
	s := newDesk()
	s.receive(sms(marias, "My printer is offline."))
	c := s.receive(s.answerOn(s.only(t), asha, []string{"#close"}, "The cable was loose."))
	want(t, "letters", letters(c), "resolution→maria@example.org resolution→tel:"+marias+" agent-receipt→asha@baleyo.test")
	want(t, "status", s.only(t).Status, StatusResolved)
	c = s.receive(sms(marias, "yes thanks"))
	want(t, "status", s.only(t).Status, StatusClosed)
	want(t, "letters of the confirmation", letters(c), "confirmed→tel:"+marias)

	s = newDesk()
	s.receive(sms(unknown, "My printer is offline."))
	c = s.receive(s.answerOn(s.only(t), asha, []string{"#close"}, "The cable was loose."))
	want(t, "no address", letters(c), "resolution→tel:"+unknown+" agent-receipt→asha@baleyo.test")
	lacks(t, "receipt", strings.Join(letter(t, c, LetterReceipt).Data.Done, " "), "tel:")
}

// TestWithheldCannotBeAnswered: the words are held until somebody is named.
func TestWithheldCannotBeAnswered(t *testing.T) {
	t.Parallel()
	s := newDesk()
	s.receive(call("", voicemail))
	x := s.only(t)
	for _, commands := range [][]string{nil, {"#close"}, {"#letter missing"}} {
		text := "We look into it."
		if len(commands) > 0 && commands[0] != "#close" {
			text = ""
		}
		c := s.receive(s.answerOn(x, asha, commands, text))
		contains(t, "problem", problems(t, c), "nobody can be answered on this ticket, as the number was withheld; #from ADDRESS names somebody")
	}
	contains(t, "block", problems(t, s.receive(s.answerOn(x, asha, []string{"#block"}, ""))), "#block: the number was withheld")
	contains(t, "call", problems(t, s.receive(s.answerOn(x, asha2(s), []string{"#call"}, ""))), "no telephone number of the customer is known")
	s.receive(s.answerOn(s.only(t), asha, []string{"#severity low"}, ""))
	c := s.receive(s.answerOn(s.only(t), asha, []string{"#severity high"}, ""))
	want(t, "a change that nobody is told", letters(c), "agent-receipt→asha@baleyo.test")
	c = s.receive(s.answerOn(s.only(t), asha, []string{"#note"}, "A woman, hard to hear."))
	want(t, "note", letters(c), "agent-receipt→asha@baleyo.test")
	c = s.receive(s.answerOn(s.only(t), asha, []string{"#from maria@example.org"}, "We look into it."))
	contains(t, "named", letters(c), "answer→maria@example.org")
}

func asha2(s *desk) Agent { return s.rules.Agents[asha.Address] }

// TestFromOnAPhoneTicket: an agent names who called: answers go by mail, the
// number is noted on the profile and gets no copies.
func TestFromOnAPhoneTicket(t *testing.T) {
	t.Parallel()
	s := newDesk()
	s.receive(sms(unknown, "My printer is offline."))
	c := s.receive(s.answerOn(s.only(t), asha, []string{"#from nadia@example.org"}, "Dear Nadia, please wait."))
	want(t, "letters", letters(c), "answer→nadia@example.org agent-receipt→asha@baleyo.test")
	want(t, "profile", c.People[0].Addresses[0]+c.People[0].Phones[0], "nadia@example.org"+unknown)
	c = s.receive(sms(unknown, "When?"))
	want(t, "texts still belong here", ruleOf(c), "P2")
	want(t, "proposed", len(letter(t, c, LetterMessage).Data.Proposed), 0)
}

// TestSMSCommand: the words of a mail ticket go to the customer's telephone.
func TestSMSCommand(t *testing.T) {
	t.Parallel()
	s := newDesk()
	s.tickets[1000] = stored(func(x *Ticket) { x.ID = 1000 })
	c := s.receive(s.answerOn(s.only(t), asha, []string{"#sms"}, "Your printer is ready."))
	want(t, "letters", letters(c), "answer→tel:"+marias+" agent-receipt→asha@baleyo.test")
	want(t, "line", letter(t, c, LetterAnswer).Mailbox, "tel:"+ours)
	want(t, "message", s.messages[0].Channel, ChannelSMS)
	contains(t, "log", s.log(), "answered answer to "+marias+" by text")
	c = s.receive(sms(marias, "On my way"))
	want(t, "what is texted back belongs here", ruleOf(c), "P2")
	c = s.receive(s.answerOn(s.only(t), asha, nil, "Good."))
	want(t, "the next answer goes by mail again", letters(c), "answer→maria@example.org")
	c = s.receive(s.answerOn(s.only(t), asha, []string{"#sms", "#close"}, "It was the cable."))
	want(t, "close", letters(c), "resolution→tel:"+marias+" resolution→maria@example.org agent-receipt→asha@baleyo.test")

	s = newDesk()
	s.tickets[1000] = stored(func(x *Ticket) { x.ID, x.Requester = 1000, 99 })
	for words, problem := range map[string]string{"Ready.": "#sms: no telephone number of the customer is known", "": "#sms: write the text below it"} {
		contains(t, "problem", problems(t, s.receive(s.answerOn(s.only(t), asha, []string{"#sms"}, words))), problem)
	}
	for _, other := range []string{"#note", "#spam", "#block", "#split", "#letter missing"} {
		contains(t, other, problems(t, s.receive(s.answerOn(s.only(t), asha, []string{"#sms", other}, "Ready."))), "which is meant?")
	}
}

// TestCallCommand: the agent's telephone rings, then the customer's; the call
// is a message and an answer.
func TestCallCommand(t *testing.T) {
	t.Parallel()
	s := newDesk()
	s.tickets[1000] = stored(func(x *Ticket) { x.ID, x.Assignee, x.Status = 1000, "", StatusNew })
	contains(t, "no number", problems(t, s.receive(s.answerOn(s.only(t), chandra, []string{"#call"}, ""))), "your telephone number is not known")
	c := s.receive(s.answerOn(s.only(t), asha, []string{"#call"}, ""))
	want(t, "letters", letters(c), "bridge→tel:+491709001 agent-receipt→asha@baleyo.test")
	l := letter(t, c, LetterBridge)
	want(t, "customer", l.Data.Number, marias)
	want(t, "line", l.Mailbox, "tel:"+ours)
	want(t, "to an agent", l.Agent, true)
	id := s.letters[len(s.letters)-2].ID

	s.receive(pressed(id, "", "no-answer", true))
	contains(t, "log", s.log(), "rang Asha, to call "+marias+": no answer")
	s.receive(pressed(id, "unanswered", "in-progress", false))
	contains(t, "log", s.log(), "called "+marias+" did not answer")
	in := pressed(id, "connected", "in-progress", false)
	in.Phone.Pressed.Duration = 192 * time.Second
	c = s.receive(in)
	m := c.Tickets[0].Messages[0]
	want(t, "message", string(m.Direction)+" "+string(m.Channel)+" "+m.Text, "out voice Call with the customer, 3:12.")
	want(t, "answered", s.only(t).Assignee, asha.Address)
	want(t, "letters", letters(c), "")
	c = s.receive(in)
	want(t, "again", len(c.Tickets[0].Messages), 0)
}

// TestWhatsAppWindow: outside the 24 hours the answer waits, and the template
// asks the customer to write.
func TestWhatsAppWindow(t *testing.T) {
	t.Parallel()
	s := newDesk()
	c := s.receive(whatsApp(marias, "My printer is offline."))
	want(t, "acknowledgement", letter(t, c, LetterAcknowledgement).Mailbox, "whatsapp:"+ours)
	c = s.receive(s.answerOn(s.only(t), asha, nil, "Switch it off."))
	want(t, "within", letters(c)+letter(t, c, LetterAnswer).Held, "answer→whatsapp:"+marias)

	s.now = noon.Add(30 * time.Hour)
	c = s.receive(s.answerOn(s.only(t), asha, nil, "A part is here."))
	want(t, "outside", letters(c), "text-template→whatsapp:"+marias+" answer→whatsapp:"+marias+" agent-receipt→asha@baleyo.test")
	want(t, "held", letter(t, c, LetterAnswer).Held, "window")
	want(t, "the template is not", letter(t, c, LetterTemplate).Held, "")
	c = s.receive(s.answerOn(s.only(t), asha, nil, "And another."))
	want(t, "no second template", letters(c), "answer→whatsapp:"+marias+" agent-receipt→asha@baleyo.test")
	c = s.receive(whatsApp(marias, "yes?"))
	want(t, "unhold", c.Unhold[0], HeldLetters{1000, "whatsapp:" + marias})

	s.rules.Texting.Template = false
	s.now = s.now.Add(30 * time.Hour)
	contains(t, "no template", problems(t, s.receive(s.answerOn(s.only(t), asha, nil, "A part is here."))), "only within 24 hours")
	c = s.receive(s.answerOn(s.only(t), asha, []string{"#sms"}, "A part is here."))
	contains(t, "#sms", letters(c), "answer→tel:"+marias)
}

func pressed(letter int64, verdict, status string, ended bool) Inbound {
	return Inbound{Channel: ChannelVoice, Phone: &PhoneContact{Line: TelAddress(ours), Number: "+491709001", Kind: "number",
		Pressed: &Pressed{Letter: letter, Sid: "CA9", Verdict: verdict, Status: status, Ended: ended}}}
}
