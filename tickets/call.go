package tickets

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"frontdesk/sla"
)

// The flags of messages that calls make. They are how a later row of the same
// call knows what was told already.
const (
	flagVoicemail  = "voicemail"
	flagRecording  = "recording" // the sound came after the call was told
	flagTranscript = "transcript"
	flagLost       = "recording-lost" // the sound will not come
	flagCallback   = "callback"
	flagMeter      = "meter"
	flagAnswered   = "answered-call"
	flagMissed     = "missed-call"
	flagKeyed      = "keyed"
	flagBridge     = "call"
	flagWindow     = "window" // waits until the customer writes by WhatsApp
)

// The tags that calls put on tickets.
const (
	tagMissed   = "missed-call"
	tagCallback = "callback"
	tagMeter    = "meter"
)

// meterFact is the key in Ticket.Facts of a reading that a customer reports.
const meterFact = "meter_reading"

// called decides about a row of a call with the whole call in view. What is
// told is the difference between what is known now and what the messages of the
// call say already: so each thing is told once, whatever the order of the rows.
func (d *decision) called(c Call) {
	told, known := toldOf(d.found.Contact), knownOf(c)
	news := known.without(told)
	switch {
	case len(told.flags) == 0 && !c.over():
		d.trace("call", c.Sid, "not over: nothing is told yet")
		d.end(DisposeRecorded, "call", "the call lasts")
	case len(told.flags) > 0 && news.none():
		d.trace("call", c.Sid, "told already")
		d.end(DisposeRecorded, "call", "told already on #%d", d.found.Contact[0].Ticket)
	case c.Awaits.After(d.now):
		d.trace("call", c.Sid, "waits until %s for the recording", c.Awaits.UTC().Format(time.RFC3339))
		d.c.Defer = c.Awaits
	case d.unwantedCall():
	case len(told.flags) == 0 && c.Spam && !known.has(flagVoicemail) && !known.has(flagAnswered):
		d.trace("call", c.Sid, "the network says that the number is false, and no message was left")
		d.end(DisposeRecorded, "spam-call", "the network says that the caller's number is false; no message was left")
	case len(told.flags) == 0:
		d.tellCall(c, known)
	default:
		d.tellMore(c, news)
	}
}

// over reports whether a call can be told of: it ended, or a message was left.
func (c Call) over() bool { return !c.Ended.IsZero() || c.Voicemail || len(c.Recordings) > 0 }

// heard is what a call brought: flags, and the recordings.
type heard struct {
	flags      []string
	recordings []Attachment
}

func (h heard) has(flag string) bool { return slices.Contains(h.flags, flag) }
func (h heard) none() bool           { return len(h.flags) == 0 && len(h.recordings) == 0 }

// knownOf reads a call.
func knownOf(c Call) heard {
	h := heard{recordings: c.Recordings}
	note := func(flag string, is bool) {
		if is {
			h.flags = append(h.flags, flag)
		}
	}
	note(flagAnswered, c.Answered)
	note(flagVoicemail, c.Voicemail || len(c.Recordings) > 0)
	note(flagMeter, c.Want == WantMeter && c.Ref != "")
	note(flagCallback, c.Want == WantCallback)
	note(flagKeyed, c.Want == WantTicket && c.Ref != "")
	note(flagTranscript, c.Transcript != "")
	note(flagLost, c.Lost > 0)
	return h
}

// toldOf reads the messages that a call made.
func toldOf(messages []Message) heard {
	var h heard
	for _, m := range messages {
		h.flags = append(h.flags, m.Flags...)
		h.recordings = append(h.recordings, m.Attachments...)
	}
	if len(messages) > 0 {
		h.flags = append(h.flags, flagMissed) // whatever it was, the call is told
	}
	return h
}

// without is what h has beyond told.
func (h heard) without(told heard) heard {
	out := heard{}
	for _, f := range h.flags {
		if !told.has(f) {
			out.flags = append(out.flags, f)
		}
	}
	for _, a := range h.recordings {
		if !slices.ContainsFunc(told.recordings, a.sameFile) {
			out.recordings = append(out.recordings, a)
		}
	}
	return out
}

// sameFile reports whether two attachments hold the same fetched file.
func (a Attachment) sameFile(b Attachment) bool {
	if a.Ledger != 0 && b.Ledger != 0 {
		return a.Ledger == b.Ledger
	}
	return a.SHA256 == b.SHA256 && a.Filename == b.Filename
}

// tellCall makes the call's message, on a new ticket or on one it belongs to.
func (d *decision) tellCall(c Call, known heard) {
	known.flags = known.flags[:len(known.flags):len(known.flags)]
	missed := !known.has(flagAnswered) && !known.has(flagVoicemail) && !known.has(flagMeter) && !known.has(flagCallback)
	if missed {
		known.flags = append(known.flags, flagMissed)
	}
	d.in.Reply, d.in.Facts = c.Transcript, nil // a machine's words may sort, and are no facts
	t := d.callsTicket(c)
	if t == nil {
		tc := d.openCall(known)
		carry := d.callMessage(tc, c, known)
		d.effects(tc, c, known)
		d.sort(tc)
		d.outbreak(tc)
		d.assign(tc)
		switch {
		case missed:
			d.sorry(tc, carry)
		case !known.has(flagAnswered):
			d.acknowledge(tc, carry)
		}
		d.checkIdentity(tc)
		d.tellAgents(tc, LetterNewTicket, carry, false)
		d.end(DisposeMessage, "", "opened a ticket: %s", known.flags[0])
		return
	}
	tc := d.ticket(t)
	d.takesPart(tc, d.in.From)
	carry := d.callMessage(tc, c, known)
	if !known.has(flagAnswered) {
		d.wrote(&tc.Events[len(tc.Events)-1])
		d.in.Reply = "" // a machine's words confirm nothing
		d.customerAnswered(tc, verdict{ticket: t}, NormalAddress(d.in.From.Address))
	}
	d.effects(tc, c, known)
	d.tellAgents(tc, LetterMessage, carry, false)
	d.end(DisposeMessage, "", "%s on #%d", known.flags[0], t.ID)
}

// openCall begins the ticket of a call.
func (d *decision) openCall(known heard) *TicketChange {
	w := wordsIn(d.language())
	title := map[string]string{flagAnswered: w.spoke, flagVoicemail: w.voicemail, flagMeter: w.meter, flagCallback: w.callback}
	format, ok := title[known.flags[0]]
	if !ok {
		format = w.missed
	}
	subject := fmt.Sprintf(format, d.callerName(w))
	tc := d.newTicket(d.in.From, subject, subject)
	tc.event(d.now, d.who(), "opened", "by %s to %s", d.in.Channel, Number(d.in.Phone.Line))
	return tc
}

// callerName is whom agents see in a title: the profile's name, the number, or
// that there is none.
func (d *decision) callerName(w callWords) string {
	switch f := d.in.From; {
	case f.Address == "":
		return w.withheld
	case f.Name != "":
		return f.Name
	default:
		return Number(f.Address)
	}
}

// who is the customer in the log.
func (d *decision) who() string {
	if d.in.From.Address == "" {
		return "withheld number"
	}
	return NormalAddress(d.in.From.Address)
}

// callsTicket finds the ticket that a call belongs to; nil: a new one.
func (d *decision) callsTicket(c Call) *Ticket {
	if t := d.keyed(c); t != nil {
		return t
	}
	if d.in.From.Address == "" {
		d.trace("C2", "", "no number to go by")
		return nil
	}
	for _, n := range d.found.Texts {
		t := d.found.Tickets[n]
		if t == nil || t.Channel != ChannelVoice || !d.on(t) || !t.Status.Open() {
			continue
		}
		if d.now.Sub(t.Updated) < d.rules.Texting.Missed {
			d.trace("C2", fmt.Sprintf("#%d", n), "accepted: the same number called a short time ago")
			return t
		}
	}
	d.trace("C2", "", "the number did not call lately")
	d.trace("C3", "", "a new ticket")
	return nil
}

// keyed is the ticket whose number the caller keyed, when it is the caller's:
// anybody can key a number.
func (d *decision) keyed(c Call) *Ticket {
	if c.Want != WantTicket || c.Ref == "" {
		d.trace("C1", "", "no ticket was keyed")
		return nil
	}
	t := d.followed(d.found.Tickets[ticketNumber(c.Ref)])
	why := ""
	switch {
	case t == nil:
		why = "there is no such ticket in " + d.brand.Name
	case d.in.From.Address == "" || !d.on(t):
		why = "it is not this number's"
	case t.Status == StatusSpam:
		why = "it is marked as spam"
	case t.Status == StatusClosed && !d.reopens(t):
		why = "it was closed too long ago"
	default:
		d.trace("C1", "#"+c.Ref, "accepted: keyed, and the number is on it")
		return t
	}
	d.trace("C1", "#"+c.Ref, "keyed, but %s", why)
	d.about = append(d.about, fmt.Sprintf("the caller keyed #%s, but %s", c.Ref, why))
	return nil
}

// ticketNumber reads digits: "0042" is 42. It is 0 for what is no number.
func ticketNumber(digits string) int64 {
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// callMessage adds the message that tells the call.
func (d *decision) callMessage(tc *TicketChange, c Call, h heard) int {
	w := wordsIn(d.ticketLanguage(&tc.Ticket))
	var lines []string
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	for _, f := range h.flags {
		switch f {
		case flagAnswered:
			say(w.spokeWith, d.agentName(c.Agent, w), lasted(c.Duration))
		case flagVoicemail:
			say("%s", w.leftMessage)
		case flagMeter:
			say(w.keyedMeter, c.Ref)
		case flagCallback:
			say("%s", w.wantsCallback)
		case flagKeyed:
			say(w.keyedTicket, c.Ref)
		case flagMissed:
			say("%s", w.missedCall)
		}
	}
	switch {
	case h.has(flagLost):
		say("%s", w.lostRecording)
	case h.has(flagVoicemail) && len(h.recordings) == 0:
		say("%s", w.noRecording)
	}
	if h.has(flagTranscript) {
		say("\n%s\n%s", w.machine, quoted(c.Transcript))
	}
	m := d.message(DirectionIn, d.customer(), strings.TrimSpace(strings.Join(lines, "\n")))
	m.Channel, m.Flags, m.Attachments = ChannelVoice, h.flags, h.recordings
	carry := tc.add(m, true)
	tc.event(d.now, d.who(), "call", "%s", strings.Join(h.flags, ", "))
	d.wrote(&tc.Events[len(tc.Events)-1])
	return carry
}

// quoted marks words as somebody else's: a machine's, which may be wrong or
// what a stranger dictated to it.
func quoted(text string) string {
	return "> " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n> ")
}

// lasted is ", 3:12", or nothing when it is not known.
func lasted(x time.Duration) string {
	if x <= 0 {
		return ""
	}
	return ", " + clock(x)
}

func clock(x time.Duration) string {
	s := int(x.Round(time.Second) / time.Second)
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

func (d *decision) agentName(address string, w callWords) string {
	if a, ok := d.rules.Agent(address); ok {
		return a.Name
	}
	return w.somebody
}

// effects are what a call does to the ticket beyond its message.
func (d *decision) effects(tc *TicketChange, c Call, h heard) {
	for _, f := range h.flags {
		switch f {
		case flagAnswered:
			agent, _ := d.rules.Agent(c.Agent)
			if agent.Address == "" {
				agent.Address = "desk"
			}
			tc.event(d.now, agent.Address, "answered", "a call%s", lasted(c.Duration))
			d.answeredBy(tc, agent)
		case flagMeter:
			d.reading(tc, c.Ref)
			tc.tag(d.now, tagMeter)
		case flagCallback:
			tc.tag(d.now, tagCallback)
			if due := d.respondBy(); tc.Ticket.Due.IsZero() && !due.IsZero() {
				tc.Ticket.Due = due
				tc.event(d.now, "desk", "due", "%s: asked to be called back", date1(due))
			}
		case flagMissed:
			tc.tag(d.now, tagMissed)
		}
	}
	tc.Ticket.Updated = d.now
}

func (tc *TicketChange) tag(now time.Time, tag string) {
	if !slices.Contains(tc.Ticket.Tags, tag) {
		tc.Ticket.Tags = append(tc.Ticket.Tags, tag)
		tc.event(now, "desk", "tags", "+%s", tag)
	}
}

// respondBy is when the answer to a contact of now is promised, zero when
// nothing is.
func (d *decision) respondBy() time.Time {
	within, err := sla.ParseDuration(d.rules.Respond)
	if err != nil || within.IsZero() {
		return time.Time{}
	}
	if d.brand.Calendar == nil && within.Open() {
		return time.Time{}
	}
	due, ok := within.From(d.now, d.brand.Calendar)
	if !ok {
		return time.Time{}
	}
	return due.UTC()
}

// sorry texts somebody whose call nobody took: number and times only.
func (d *decision) sorry(tc *TicketChange, carry int) {
	before := len(tc.Letters)
	d.automatic(tc, LetterMissedCall, d.receipt(tc, carry))
	if len(tc.Letters) > before {
		l := &tc.Letters[before]
		l.Subject, l.To.Name = "", ""
	}
}

// tellMore tells what came to light of a call after it was told.
func (d *decision) tellMore(c Call, news heard) {
	t := d.followed(d.found.Tickets[d.found.Contact[0].Ticket])
	if t == nil {
		d.end(DisposeRecorded, "call", "its ticket is gone")
		return
	}
	tc := d.ticket(t)
	w := wordsIn(d.ticketLanguage(t))
	notes := map[string]string{flagTranscript: w.machine + "\n" + quoted(c.Transcript), flagLost: w.lostRecording}
	for _, f := range []string{flagTranscript, flagLost} {
		if news.has(f) {
			d.callNote(tc, f, notes[f])
		}
	}
	news.flags = slices.DeleteFunc(news.flags, func(f string) bool { return notes[f] != "" })
	if !news.none() {
		if len(news.recordings) > 0 && !news.has(flagVoicemail) {
			news.flags = append(news.flags, flagRecording)
		}
		carry := d.callMessage(tc, c, news)
		if !news.has(flagKeyed) {
			tc.Ticket.Tags = slices.DeleteFunc(tc.Ticket.Tags, func(tag string) bool { return tag == tagMissed }) // it was more than that
		}
		d.effects(tc, c, news)
		d.tellAgents(tc, LetterMessage, carry, false)
	}
	d.end(DisposeMessage, "", "more of a call on #%d", t.ID)
}

// callNote adds what the desk itself has to say of a call that was told: what a
// machine understood, which may be wrong and which nobody said like that, or
// that the recording will not come.
func (d *decision) callNote(tc *TicketChange, flag, text string) {
	m := d.message(DirectionNote, Author{Kind: AuthorDesk, Address: Address{Name: d.brand.Name}}, text)
	m.Channel, m.Flags, m.Attachments = ChannelVoice, []string{flag}, nil
	carry := tc.add(m, false)
	tc.event(d.now, "desk", flag, "%d words", len(strings.Fields(text)))
	d.tellAgents(tc, LetterMessage, carry, false)
}

// file decides about a recording or picture that was fetched. The row it
// belongs to takes it along when it is decided; one that was decided without it
// gets it here.
func (d *decision) file(f File) {
	made := d.found.Contact
	if len(made) == 0 {
		d.trace("file", f.Contact, "its contact makes no message yet, and takes the file along when it does")
		d.end(DisposeRecorded, "file", "kept for %s", f.Contact)
		return
	}
	if slices.ContainsFunc(toldOf(made).recordings, f.Attachment.sameFile) {
		d.trace("file", f.Contact, "attached already")
		d.end(DisposeRecorded, "file", "attached already on #%d", made[0].Ticket)
		return
	}
	t := d.followed(d.found.Tickets[made[0].Ticket])
	if t == nil {
		d.end(DisposeRecorded, "file", "its ticket is gone")
		return
	}
	tc, w := d.ticket(t), wordsIn(d.language())
	d.in.Attachments = []Attachment{f.Attachment}
	m := d.message(DirectionIn, made[0].Author, w.lateFile)
	m.Channel, m.Flags = made[0].Channel, []string{flagRecording}
	carry := tc.add(m, true)
	tc.event(d.now, "desk", "file", "%s came after the message it belongs to", f.Attachment.Filename)
	if m.Channel != ChannelVoice {
		d.refuse(tc, carry, false)
	}
	d.tellAgents(tc, LetterMessage, carry, false)
	d.trace("file", f.Contact, "added to #%d", t.ID)
	d.end(DisposeMessage, "", "a file that came late, on #%d", t.ID)
}

// callWords are what messages about calls and texts say, in the language of the
// ticket's letters: the customer's page shows them, too.
type callWords struct {
	voicemail, missed, callback, meter, spoke, text string // titles; %s is the caller

	withheld, somebody                            string
	leftMessage, noRecording, machine, missedCall string
	lostRecording                                 string
	wantsCallback, keyedMeter, keyedTicket        string
	spokeWith, bridged, lateFile                  string
}

var callWordsOf = map[string]callWords{
	"en": {
		voicemail: "Voicemail from %s", missed: "Missed call from %s", callback: "Callback for %s", meter: "Meter reading from %s", spoke: "Call from %s", text: "Text from %s",
		withheld: "withheld number", somebody: "a colleague",
		leftMessage: "Left a voicemail.", noRecording: "The recording is not here yet.", lostRecording: "The recording could not be fetched from the telephone company.", machine: "What a machine understood (it may be wrong):",
		missedCall: "Called, and left no message.", wantsCallback: "Asks to be called back.", keyedMeter: "Keyed the meter reading %s.", keyedTicket: "Keyed the ticket number #%s.",
		spokeWith: "Spoke with %s%s.", bridged: "Call with the customer%s.", lateFile: "This file came later.",
	},
	"de": {
		voicemail: "Sprachnachricht von %s", missed: "Verpasster Anruf von %s", callback: "Rückrufbitte von %s", meter: "Zählerstand von %s", spoke: "Anruf von %s", text: "Nachricht von %s",
		withheld: "unterdrückter Nummer", somebody: "jemandem aus dem Team",
		leftMessage: "Hat eine Sprachnachricht hinterlassen.", noRecording: "Die Aufnahme ist noch nicht da.", lostRecording: "Die Aufnahme ließ sich bei der Telefongesellschaft nicht holen.", machine: "Was eine Maschine verstanden hat (es kann falsch sein):",
		missedCall: "Hat angerufen und keine Nachricht hinterlassen.", wantsCallback: "Bittet um Rückruf.", keyedMeter: "Hat den Zählerstand %s eingegeben.", keyedTicket: "Hat die Ticketnummer #%s eingegeben.",
		spokeWith: "Gespräch mit %s%s.", bridged: "Telefonat mit dem Kunden%s.", lateFile: "Diese Datei kam später.",
	},
}

func wordsIn(language string) callWords {
	if w, ok := callWordsOf[language]; ok {
		return w
	}
	return callWordsOf["en"]
}
