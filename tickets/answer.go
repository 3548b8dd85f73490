package tickets

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"frontdesk/sla"
)

// outgoing is an agent's visible reply made fit to leave: quoted lines stay
// only when they quote what the customer has seen (never a note, a known fact
// or the desk's own help), relay addresses and the agent's address become the
// mailbox's.
func (d *decision) outgoing(reply string, agent Agent) string {
	seen := d.seenByCustomer()
	var keep []string
	said := false
	for line := range strings.Lines(reply) {
		line = strings.TrimRight(line, "\r\n")
		if !said && strings.TrimRight(line, " ") == "--" {
			break
		}
		if quoted, ok := quotedLine(line); ok && quoted != "" && !strings.Contains(seen, quoted) {
			continue
		}
		if d.namesRelay(line) && clientsHeading(line) {
			continue
		}
		keep = append(keep, line)
		said = said || !strings.HasPrefix(strings.TrimSpace(line), ">") && strings.TrimSpace(line) != ""
	}
	if !said {
		return ""
	}
	text := strings.TrimSpace(strings.Join(keep, "\n"))
	text = d.relayPattern().ReplaceAllString(text, d.in.Mailbox)
	if agent.Address != "" {
		text = replaceAddress(text, agent.Address, d.in.Mailbox)
	}
	return text
}

var headingField = regexp.MustCompile(`(?i)^[\s*]*(from|to|cc|reply-to|von|an|kopie|antwort an)[\s*]*:`)

// clientsHeading reports whether a mail client wrote the line above a quote:
// "On …, Customer <relay address> wrote:", "From: Customer <relay address>".
func clientsHeading(line string) bool {
	return strings.HasSuffix(strings.TrimSpace(line), ":") || headingField.MatchString(line)
}

// quotedLine strips quote marks; ok when there were any.
func quotedLine(line string) (string, bool) {
	s := strings.TrimLeft(line, " \t")
	if !strings.HasPrefix(s, ">") {
		return "", false
	}
	return squash(strings.TrimLeft(s, "> \t")), true
}

func squash(s string) string { return strings.Join(strings.Fields(strings.ToLower(s)), " ") }

func (d *decision) seenByCustomer() string {
	var b strings.Builder
	for _, m := range d.found.History {
		if (m.Direction == DirectionIn || m.Direction == DirectionOut) && m.Author.Kind != AuthorThird {
			b.WriteString(squash(m.Text))
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// relayPattern matches any subaddress of the mailbox that has the form of a
// signed one.
func (d *decision) relayPattern() *regexp.Regexp {
	m, ok := d.brand.Mailbox(d.in.Mailbox)
	local, domain, _ := strings.Cut(m.Address, "@")
	if !ok || m.Subaddressing == "" {
		return regexp.MustCompile(`\z.`) // matches nothing
	}
	return regexp.MustCompile(`(?i)` + regexp.QuoteMeta(local+m.Subaddressing) + `[a-z0-9-]{26,}@` + regexp.QuoteMeta(domain))
}

func (d *decision) namesRelay(line string) bool { return d.relayPattern().MatchString(line) }

// replaceAddress replaces an address where it is not part of a longer one.
func replaceAddress(text, old, with string) string {
	whole := regexp.MustCompile(`(?i)(^|[^a-z0-9._%+\-])` + regexp.QuoteMeta(old) + `($|[^a-z0-9.\-]|[.\-]($|[^a-z0-9]))`)
	return whole.ReplaceAllString(text, "${1}"+strings.ReplaceAll(with, "$", "$$")+"${2}")
}

// send writes an agent's words to the requester and the followers.
func (d *decision) send(tc *TicketChange, agent Agent, commands []Command, text string, held *Message) []string {
	by := Author{Kind: AuthorAgent, Person: agent.ID, Address: Address{Name: agent.Name, Address: agent.Address}}
	m := d.message(DirectionOut, by, text)
	if held != nil && len(m.Attachments) == 0 {
		for _, a := range held.Attachments {
			a.Ledger = held.Ledger
			m.Attachments = append(m.Attachments, a)
		}
	}
	m.Channel = d.wayOut(&tc.Ticket, commands)
	carry := tc.add(m, true)
	kind, data := LetterAnswer, LetterData{Text: text, Author: agent.Name, At: d.in.Received}
	switch {
	case has(commands, "close"):
		kind, data = LetterResolution, d.resolution(tc, text)
		data.Author = agent.Name
	case has(commands, "rma") && !has(commands, "sms"):
		kind, data.Return = LetterReturn, shownReturn(&tc.Ticket)
	}
	deliver := d.mailCustomers
	if has(commands, "sms") {
		deliver = d.textCustomer
	}
	to := deliver(tc, kind, carry, data)
	tc.event(d.now, agent.Address, "answered", "%s to %s", kind, strings.Join(to, ", "))
	d.answeredBy(tc, agent)
	if has(commands, "close") {
		tc.status(d.now, agent.Address, StatusResolved)
		return []string{"resolution letter to " + strings.Join(to, ", "), "status: resolved, waits for the customer's confirmation"}
	}
	return []string{"sent to " + strings.Join(to, ", ")}
}

// answeredBy notes the first answer and who works on it.
func (d *decision) answeredBy(tc *TicketChange, agent Agent) {
	t := &tc.Ticket
	t.Updated = d.now
	t.Promises.Unproven = false
	tc.answered(d.now, agent)
	if t.Answered.IsZero() {
		t.Answered = d.now
	}
	if _, member := d.rules.Agent(agent.Address); member && t.Assignee == "" {
		t.Assignee = agent.Address
		tc.event(d.now, agent.Address, "assigned to", "none → %s, who answered", agent.Address)
	}
	switch t.Status {
	case StatusNew, StatusClosed, StatusResolved:
		tc.status(d.now, agent.Address, StatusOpen)
	}
}

// mailCustomers writes one letter to each address that gets copies; all show
// the same To and Cc. It returns the addresses.
func (d *decision) mailCustomers(tc *TicketChange, kind LetterKind, carry int, data LetterData) []string {
	to, cc, phones := d.recipients(&tc.Ticket)
	if full := inFull(&tc.Ticket); kind == LetterResolution && full.Address != "" {
		to = append(to, full)
	}
	var names []string
	for _, a := range slices.Concat(to, cc) {
		l := d.customerLetter(tc, a, kind, data)
		l.HeaderTo, l.HeaderCc, l.Carry = to, cc, carry
		tc.Letters = append(tc.Letters, l)
		names = append(names, a.Address)
	}
	for _, a := range phones {
		d.textTo(tc, a, kind, carry, data)
		names = append(names, reached(a))
	}
	return names
}

// recipients are who gets copies of an answer: by mail in To and Cc, and by
// telephone. Neither sees the other's addresses.
func (d *decision) recipients(t *Ticket) (to, cc, phones []Address) {
	for _, p := range t.Participants {
		switch number := Number(p.Address.Address) != ""; {
		case p.Role != PartyRequester && p.Role != PartyFollower:
		case number && p.Role == PartyFollower && d.unsendable(t, p.Address.Address) != "": // a copy less
		case number:
			phones = append(phones, p.Address)
		case p.Role == PartyRequester:
			to = append(to, p.Address)
		default:
			cc = append(cc, p.Address)
		}
	}
	if len(to) == 0 {
		return cc, nil, phones
	}
	return to, cc, phones
}

var partPattern = regexp.MustCompile(`(?i)^\s*(problem|cause|ursache|solution|lösung|loesung|fix|workaround|umgehung|behelf)\s*:\s*(.*)$`)

// resolution takes the agent's words apart: lines that begin with Problem:,
// Solution: or Workaround: (Ursache:, Lösung:, Umgehung:) name the parts; words
// without a name say how it was solved. What was wrong is the ticket's subject
// when the agent does not say it.
func (d *decision) resolution(tc *TicketChange, text string) LetterData {
	parts := map[string][]string{}
	at := "solution"
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if m := partPattern.FindStringSubmatch(line); m != nil {
			switch strings.ToLower(m[1]) {
			case "problem", "cause", "ursache":
				at = "problem"
			case "workaround", "umgehung", "behelf":
				at = "workaround"
			default:
				at = "solution"
			}
			line = m[2]
		}
		parts[at] = append(parts[at], line)
	}
	part := func(name string) string { return strings.TrimSpace(strings.Join(parts[name], "\n")) }
	data := LetterData{Problem: part("problem"), Solution: part("solution"), Workaround: part("workaround"), At: d.in.Received}
	if data.Problem == "" {
		data.Problem = tc.Ticket.Subject
	}
	data.CloseDays = days(d.rules.Closing.CloseAfter)
	return data
}

// closeBare closes without new words: the letter tells the last answer again;
// where there was none, no letter goes (an empty one would say nothing).
func (d *decision) closeBare(tc *TicketChange, agent Agent, commands []Command) []string {
	if find(commands, "close").Arg == "silently" {
		tc.status(d.now, agent.Address, StatusClosed)
		return []string{"closed; no letter was sent"}
	}
	last := ""
	for _, m := range d.found.History {
		if m.Direction == DirectionOut && m.Ticket == tc.Ticket.ID {
			last = m.Text
		}
	}
	tc.status(d.now, agent.Address, StatusResolved)
	if last == "" {
		return []string{"status: resolved; no letter was sent, as nothing was said: write what solved it below #close"}
	}
	to := d.mailCustomers(tc, LetterResolution, 0, d.resolution(tc, last))
	return []string{"resolution letter with your last answer to " + strings.Join(to, ", "), "status: resolved, waits for the customer's confirmation"}
}

// tickets does the commands that touch other tickets.
func (d *decision) tickets(tc *TicketChange, agent Agent, commands []Command, power *capability) []string {
	var done []string
	for _, c := range commands {
		switch c.Name {
		case "merge":
			done = append(done, d.merge(tc, agent, d.followed(d.found.Tickets[c.Number])))
		case "link":
			to := d.ticket(d.found.Tickets[c.Number])
			tc.Ticket.Links = append(tc.Ticket.Links, Link{"related", to.Ticket.ID})
			to.Ticket.Links = append(to.Ticket.Links, Link{"related", tc.Ticket.ID})
			tc.event(d.now, agent.Address, "linked", "#%d", to.Ticket.ID)
			to.event(d.now, agent.Address, "linked", "#%d", tc.Ticket.ID)
			done = append(done, fmt.Sprintf("linked with #%d", to.Ticket.ID))
		case "split":
			done = append(done, d.split(tc, agent, d.splitAt(power.version)))
		case "letter":
			done = append(done, d.askFacts(tc, agent))
		}
	}
	return done
}

// merge moves everything of a ticket into another, which it lives on in.
func (d *decision) merge(tc *TicketChange, agent Agent, to *Ticket) string {
	into := d.ticket(to)
	into.MoveFrom = append(into.MoveFrom, Move{Ticket: tc.Ticket.ID})
	for _, p := range tc.Ticket.Participants {
		if p.Role == PartyRequester {
			p.Role = PartyFollower
		}
		i := slices.IndexFunc(into.Ticket.Participants, func(q Participant) bool { return SameAddress(q.Address.Address, p.Address.Address) })
		switch {
		case i < 0:
			into.Ticket.Participants = append(into.Ticket.Participants, p)
		case p.Role == PartyFollower && (into.Ticket.Participants[i].Role == PartyThird || into.Ticket.Participants[i].Role == PartyProposed):
			into.Ticket.Participants[i].Role = PartyFollower // accepted on the one ticket, accepted on both
		}
	}
	into.Ticket.Line = cmp.Or(into.Ticket.Line, tc.Ticket.Line)
	if into.Ticket.Return == nil {
		into.Ticket.Return = tc.Ticket.Return
	}
	into.Ticket.Links = append(into.Ticket.Links, Link{"merged", tc.Ticket.ID})
	into.Ticket.Version += tc.Ticket.Version
	into.event(d.now, agent.Address, "merged", "#%d came in", tc.Ticket.ID)
	if p := tc.Ticket.Promises; p.Clock(sla.FirstResponse).Waits() || p.Clock(sla.NextResponse).Waits() {
		into.mark(sla.Wrote)
	}
	tc.event(d.now, agent.Address, "merged", "into #%d", to.ID)
	tc.status(d.now, agent.Address, StatusMerged)
	tc.Ticket.MergedInto = to.ID
	return fmt.Sprintf("merged into #%d", to.ID)
}

// split makes a ticket of its own from one message.
func (d *decision) split(tc *TicketChange, agent Agent, m *Message) string {
	from := m.Author.Address
	t := tc.Ticket
	core := d.subjectCore(m.Subject, t.SubjectCore)
	d.c.Tickets = append(d.c.Tickets, TicketChange{
		Ticket: Ticket{
			Brand: t.Brand, Mailbox: t.Mailbox, Queue: t.Queue, Channel: t.Channel, Status: StatusNew,
			Subject: core, SubjectCore: core, Language: t.Language, Category: t.Category, Line: t.Line,
			Participants: []Participant{{Address: from, Role: PartyRequester}},
			Links:        []Link{{"split from", t.ID}}, Opened: m.At, Updated: d.now, Version: 1,
		},
		MoveFrom: []Move{{Ticket: t.ID, Messages: []int64{m.ID}}},
	})
	fresh := &d.c.Tickets[len(d.c.Tickets)-1]
	fresh.event(d.now, agent.Address, "opened", "split from #%d", t.ID)
	tc.event(d.now, agent.Address, "split", "a message of %s became a ticket of its own", from.Address)
	fresh.Ticket.Category = "" // its own words decide; the old ticket's is better than none
	d.sortBy(fresh, m.Text)
	fresh.Ticket.Category = cmp.Or(fresh.Ticket.Category, t.Category)
	for _, a := range d.audience(&fresh.Ticket) {
		data := d.view(fresh, 0)
		data.Text, data.Author, data.At = m.Text, show(from), m.At
		d.toAgent(fresh, a, LetterNewTicket, 0, data)
	}
	return "split off: the new ticket comes in a mail of its own"
}

func (d *decision) subjectCore(subject, fallback string) string {
	if s := strings.TrimSpace(replyPrefix.ReplaceAllString(tagPattern.ReplaceAllString(subject, ""), "")); s != "" {
		return s
	}
	return fallback
}

// replyPrefix is what clients put before a subject they answer: "Re: Re: AW:".
var replyPrefix = regexp.MustCompile(`(?i)^(\s*(re|aw|antw|sv|vs|rv|fwd?|wg|tr|回复|答复)(\[\d+\])?\s*[:：]\s*)+`)

// requiredFacts are what row B1 asks of every request, in the order asked.
var requiredFacts = []string{"product", "occurred", "error", "tried", "phone"}

// askFacts asks the customer for what is missing and waits for the answer.
func (d *decision) askFacts(tc *TicketChange, agent Agent) string {
	missing := d.lacking(&tc.Ticket)
	if len(d.rules.Categories[tc.Ticket.Category].Required) == 0 {
		for _, f := range requiredFacts {
			if tc.Ticket.Facts[f] == "" {
				missing = append(missing, f)
			}
		}
	}
	l := d.customerLetter(tc, requester(&tc.Ticket), LetterMissing, LetterData{Missing: missing})
	l.Auto = AutoGenerated
	tc.Letters = append(tc.Letters, l)
	d.answeredBy(tc, agent)
	d.askFor(tc, agent.Address, missing)
	return "asked the customer for: " + strings.Join(missing, ", ") + "; status: pending"
}

// finish sets the status that the commands ask for, after everything else, and
// tells whom a ticket was handed to.
func (d *decision) finish(tc *TicketChange, agent Agent, commands []Command) []string {
	var done []string
	t := &tc.Ticket
	for _, c := range commands {
		to := map[string]Status{"reopen": StatusOpen, "pending": StatusPending, "hold": StatusHold, "spam": StatusSpam, "block": StatusSpam}[c.Name]
		switch {
		case to != "":
			tc.status(d.now, agent.Address, to)
			line := "status: " + string(to)
			if to == StatusPending || to == StatusHold {
				t.PendingUntil = time.Time{} // the date of an earlier one is over
			}
			if !c.Until.IsZero() {
				t.PendingUntil = c.Until.UTC()
				line += " until " + date1(c.Until)
			}
			done = append(done, line)
		case c.Name == "assign" && t.Assignee != "" && t.Assignee != agent.Address, c.Name == "queue":
			d.handOver(tc, agent)
		}
	}
	return done
}

// handOver sends the ticket as it stands to those it now concerns.
func (d *decision) handOver(tc *TicketChange, by Agent) {
	for _, a := range d.audience(&tc.Ticket) {
		if a.Address == by.Address {
			continue
		}
		data := d.view(tc, 0)
		for _, m := range d.found.History {
			if m.Direction == DirectionIn {
				data.Text, data.Author, data.At = m.Text, show(m.Author.Address), m.At
			}
		}
		data.Newer = views(d.found.History)
		data.Done = []string{"handed to you by " + by.Name}
		d.toAgent(tc, a, LetterNewTicket, 0, data)
	}
}
