package tickets

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"frontdesk/sla"
)

// act does what an agent's mail says. It fails closed: anything unknown or
// wrong holds the whole mail, and the agent gets one receipt.
func (d *decision) act(agent Agent, power *capability) {
	commands, problems := ParseCommands(d.in.Commands, agent, d.rules, d.localNow())
	if power.ticket == nil {
		d.actLoose(agent, commands, problems)
		return
	}
	tc := d.ticket(power.ticket)
	if d.vouched {
		tc.event(d.now, d.in.Released, "released", "%s vouches that a mail with an unproven From is %s's", d.in.Released, agent.Address)
	}
	text := d.outgoing(d.in.Reply, agent)
	held := (*Message)(nil)
	force := has(commands, "send")
	if force && len(problems) == 0 {
		if held = d.heldOf(agent); held == nil && text == "" {
			problems = append(problems, "#send anyway: nothing of yours is held on this ticket")
		} else if held != nil {
			commands = d.unheld(commands, held, agent)
			if wrong := conflict(commands); wrong != "" {
				problems = append(problems, wrong)
			}
			if text == "" {
				text = held.Text
			}
		}
	}
	said := text // what is held stays without the articles: they come with its commands
	text = d.withArticles(commands, text)
	problems = append(problems, d.impossible(tc, commands, text, power)...)
	problems = append(problems, d.returnProblems(tc, agent, commands)...)
	if !agent.WorksFor(tc.Ticket.Brand) {
		problems = append(problems, fmt.Sprintf("you do not work for %s: nothing of yours goes to its customers", d.brand.Name))
		d.trace("role", agent.Address, "refused: does not work for %s", tc.Ticket.Brand)
	}
	sends := d.sends(commands, text, held)
	problems = append(problems, d.unreachable(tc, agent, commands, sends)...)
	problems = append(problems, d.articleProblems(tc, commands, sends)...)
	if len(problems) == 0 && text == "" && len(commands) == 0 && len(d.in.Attachments) == 0 {
		problems = append(problems, errNothing.Error())
	}
	if len(problems) > 0 {
		d.hold(tc, agent, said, problems, nil)
		return
	}
	if newer := d.newer(tc, agent, power.version); sends && !force && len(newer) > 0 {
		d.hold(tc, agent, said, []string{"somebody wrote on this ticket after the message you answer"}, newer)
		return
	}
	d.carryOut(tc, agent, commands, text, held, sends, power)
}

// carryOut applies checked commands and sends what is to be sent.
func (d *decision) carryOut(tc *TicketChange, agent Agent, commands []Command, text string, held *Message, sends bool, power *capability) {
	done := d.apply(tc, agent, commands)
	done = append(done, d.tickets(tc, agent, commands, power)...)
	if c := find(commands, "update"); c != nil {
		done = append(done, d.noteUpdate(tc, agent, strings.TrimSpace(c.Arg+"\n\n"+text)))
	}
	proposed := d.newCc(tc, agent)
	if sends {
		done = append(done, d.send(tc, agent, commands, text, held)...)
		done = append(done, d.answerAll(tc, agent, commands, text)...)
		done = append(done, d.insertedArticles(tc, agent, commands)...)
	} else {
		if text != "" {
			d.note(tc, agent, text)
			done = append(done, "note added; it stays inside")
			done = append(done, d.notedReading(tc, agent, text)...)
		}
		if has(commands, "close") {
			done = append(done, d.closeBare(tc, agent, commands)...)
		}
	}
	done = append(done, d.tellReturn(tc, agent, commands)...)
	done = append(done, d.finish(tc, agent, commands)...)
	d.lesson(tc, commands, sends)
	if done = append(done, d.remarks...); len(commands) > 0 || len(proposed) > 0 || len(d.remarks) > 0 {
		d.receiptLetter(tc, agent, commands, done, proposed)
	}
	d.end(DisposeMessage, "", "%s on #%d", agent.Address, tc.Ticket.ID)
	if !sends && text == "" {
		d.end(DisposeRecorded, "commands", "%s on #%d: %s", agent.Address, tc.Ticket.ID, strings.Join(done, "; "))
	}
}

func has(commands []Command, name string) bool { return find(commands, name) != nil }

func find(commands []Command, name string) *Command {
	for i := range commands {
		if commands[i].Name == name {
			return &commands[i]
		}
	}
	return nil
}

// sends reports whether the mail's words go to the customer.
func (d *decision) sends(commands []Command, text string, held *Message) bool {
	if has(commands, "note") || has(commands, "update") || has(commands, "spam") || has(commands, "block") || has(commands, "merge") || has(commands, "split") {
		return false
	}
	files := slices.ContainsFunc(d.in.Attachments, func(a Attachment) bool { return !a.Inline })
	return text != "" || files || held != nil && len(held.Attachments) > 0
}

// newer lists what others wrote for people to read since version.
func (d *decision) newer(tc *TicketChange, agent Agent, version int) []Message {
	var out []Message
	for _, m := range d.found.History {
		if m.Ticket != tc.Ticket.ID || m.Version <= version || m.Kind == KindAutoReply {
			continue
		}
		own := m.Author.Kind == AuthorAgent && SameAddress(m.Author.Address.Address, agent.Address)
		if (m.Direction == DirectionIn || m.Direction == DirectionOut) && !own {
			out = append(out, m)
		}
	}
	return out
}

// hold keeps an agent's words and sends nothing but one receipt.
func (d *decision) hold(tc *TicketChange, agent Agent, text string, problems []string, newer []Message) {
	by := Author{Kind: AuthorAgent, Person: agent.ID, Address: Address{Name: agent.Name, Address: agent.Address}}
	m := d.message(DirectionHeld, by, text)
	m.Commands = d.in.Commands
	tc.add(m, false)
	tc.event(d.now, agent.Address, "held", "%s", strings.Join(problems, "; "))
	d.audit(tc, agent)
	data := d.view(tc, 0)
	data.Problems, data.Text, data.Newer = problems, text, views(newer)
	data.Commands = d.in.Commands
	d.answerAgent(tc, agent, LetterHeld, data)
	d.trace("held", strings.Join(d.in.Commands, " "), "%s", strings.Join(problems, "; "))
	d.end(DisposeMessage, "held", "held for %s: %s", agent.Address, strings.Join(problems, "; "))
}

// holdLoose is hold for a mail about no ticket.
func (d *decision) holdLoose(agent Agent, problems []string) {
	if n := d.found.Acks.SenderHour; n >= agentHour {
		d.trace("held", strings.Join(d.in.Commands, " "), "no letter: loop breaker, %d to %s in an hour", n, agent.Address)
		d.end(DisposeRecorded, "held", "held for %s: %s", agent.Address, strings.Join(problems, "; "))
		return
	}
	d.loose(agent, LetterHeld, fmt.Sprintf("held:row%d:%s", d.in.Ledger, agent.Address), LetterData{Problems: problems, Text: d.in.Reply, Commands: d.in.Commands})
	d.trace("held", strings.Join(d.in.Commands, " "), "%s", strings.Join(problems, "; "))
	d.end(DisposeRecorded, "held", "held for %s: %s", agent.Address, strings.Join(problems, "; "))
}

func views(messages []Message) []MessageView {
	var out []MessageView
	for _, m := range messages {
		v := MessageView{At: m.At, Author: show(m.Author.Address), Direction: m.Direction, Text: m.Text}
		for _, a := range m.Attachments {
			v.Names = append(v.Names, fileLine(a))
		}
		out = append(out, v)
	}
	return out
}

// heldOf returns the newest mail of the agent that was held on this ticket.
func (d *decision) heldOf(agent Agent) *Message {
	for i := len(d.found.History) - 1; i >= 0; i-- {
		m := &d.found.History[i]
		if !SameAddress(m.Author.Address.Address, agent.Address) {
			continue
		}
		switch m.Direction {
		case DirectionHeld:
			return m
		case DirectionOut:
			return nil // something went out since
		}
	}
	return nil
}

// unheld puts the commands of a held mail beside those of #send anyway. One
// that was wrong then is left out: the agent has read the receipt and says that
// the words are to go.
func (d *decision) unheld(commands []Command, held *Message, agent Agent) []Command {
	out := slices.Clone(commands)
	for _, line := range held.Commands {
		c, wrong := parseCommand(line, agent, d.rules, d.localNow())
		if wrong == "" && !has(commands, c.Name) {
			out = append(out, c)
		}
	}
	return out
}

// impossible names commands that cannot be done on this ticket, before any is done.
func (d *decision) impossible(tc *TicketChange, commands []Command, text string, power *capability) []string {
	var out []string
	no := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	for _, c := range commands {
		switch c.Name {
		case "assign":
			if a, ok := d.rules.Agent(c.Arg); ok && !a.WorksFor(tc.Ticket.Brand) {
				no("#assign: %s does not work for %s", a.Name, d.brand.Name)
			}
		case "incident":
			switch {
			case c.Arg == "all" && (tc.Ticket.Incident == 0 || len(d.found.Parent) == 0):
				no("#incident all: no other open ticket is part of an incident with this one")
			case c.Arg == "all" && text == "":
				no("#incident all: write below it what everybody is to read")
			case c.Arg == "none" && tc.Ticket.Incident == 0:
				no("#incident none: it is part of none")
			case c.Number != 0 && d.found.Tickets[c.Number] == nil:
				no("#incident: there is no ticket %d in %s", c.Number, d.brand.Name)
			}
		case "merge", "link":
			to := d.found.Tickets[c.Number]
			switch {
			case to == nil:
				no("#%s: there is no ticket %d in %s", c.Name, c.Number, d.brand.Name)
			case to.ID == tc.Ticket.ID:
				no("#%s: that is this ticket", c.Name)
			case c.Name == "merge" && d.followed(to) == nil, c.Name == "merge" && d.followed(to).ID == tc.Ticket.ID:
				no("#merge: #%d was merged into this one", c.Number)
			case c.Name == "merge" && text != "" && !has(commands, "note"):
				no("#merge: send the answer on #%d instead", c.Number)
			}
		case "split":
			if m := d.splitAt(power.version); m == nil {
				no("#split: there is no later message of a customer to split off")
			} else if text != "" && !has(commands, "note") {
				no("#split: send the answer on the new ticket instead")
			}
		case "cc":
			if slices.ContainsFunc(c.Remove, func(a string) bool { return SameAddress(a, requester(&tc.Ticket).Address) }) {
				no("#cc: %s is the requester; #from names another", requester(&tc.Ticket).Address)
			}
		case "close":
			if tc.Ticket.Status == StatusClosed && text == "" && c.Arg == "" && len(d.in.Attachments) == 0 {
				no("#close: it is closed")
			}
			if tc.Ticket.Status == StatusSpam && text == "" {
				no("#close: the ticket is marked as spam; #reopen it first")
			}
		case "block":
			if requester(&tc.Ticket).Address == "" {
				no("#block: the number was withheld; #spam marks the ticket")
			}
		case "letter":
			if text != "" {
				no("#letter: it goes without text; send your words in a mail of their own")
			}
		case "update":
			switch {
			case c.Arg == "" && text == "":
				no("#update: write what the customer shall read")
			case !tc.Ticket.Promises.Clock(sla.NextUpdate).Waits() && !has(commands, "severity"):
				no("#update: no status updates are promised on this ticket; send your words as an answer")
			}
		case "escalate":
			if !tc.Ticket.Status.working() && !has(commands, "reopen") {
				no("#escalate: it is %s; #reopen it first", tc.Ticket.Status)
			}
		case "renewed":
			if why := d.notRenewable(&tc.Ticket); why != "" {
				no("%s", why)
			}
		case "release":
			no("#release: reply to the list of held mail")
		case "reopen":
			if s := tc.Ticket.Status; s != StatusClosed && s != StatusResolved && s != StatusSpam {
				no("#reopen: it is %s", s)
			}
		}
	}
	if tc.Ticket.Status == StatusSpam && text != "" && !has(commands, "reopen") && !has(commands, "note") {
		no("the ticket is marked as spam; #reopen it first")
	}
	return out
}

// splitAt is the message that #split takes away: the newest of a customer that
// the agent saw, but never the one that opened the ticket.
func (d *decision) splitAt(version int) *Message {
	for i := len(d.found.History) - 1; i >= 0; i-- {
		if m := &d.found.History[i]; m.Direction == DirectionIn && m.Version <= version && m.Seq > 1 {
			return m
		}
	}
	return nil
}

// apply changes the ticket's fields and says, a line each, what was done.
func (d *decision) apply(tc *TicketChange, agent Agent, commands []Command) []string {
	var done []string
	t := &tc.Ticket
	set := func(what, from, to string) {
		tc.event(d.now, agent.Address, what, "%s → %s", orNone(from), orNone(to))
		done = append(done, what+": "+orNone(to))
	}
	for _, c := range commands {
		switch c.Name {
		case "take":
			set("assigned to", t.Assignee, agent.Address)
			t.Assignee = agent.Address
			d.takenUp(tc, agent)
		case "assign":
			set("assigned to", t.Assignee, c.Arg)
			t.Assignee = c.Arg
		case "severity":
			done = append(done, d.setSeverity(tc, agent, c.Arg, ""))
		case "impact":
			set("impact", level1(t.Impact), level1(int(c.Number)))
			t.Impact = int(c.Number)
		case "urgency":
			set("urgency", level1(t.Urgency), level1(int(c.Number)))
			t.Urgency = int(c.Number)
		case "category":
			set("category", t.Category, c.Arg)
			t.Category = c.Arg
		case "queue":
			set("queue", t.Queue, c.Arg)
			if t.Queue != c.Arg {
				t.Tier = 0 // each queue has its own ladder
			}
			t.Queue = c.Arg
		case "due":
			set("due", date1(t.Due), date1(c.Until))
			t.Due = c.Until.UTC()
		case "time":
			t.WorkedMin += c.Min
			set("time", "", fmt.Sprintf("%d min, %d in all", c.Min, t.WorkedMin))
		case "tag":
			before := strings.Join(t.Tags, " ")
			t.Tags = plusMinusSet(t.Tags, c.Add, c.Remove)
			set("tags", before, strings.Join(t.Tags, " "))
		case "cc":
			done = append(done, d.cc(tc, agent, c)...)
		case "from":
			if !SameAddress(requester(t).Address, c.Arg) {
				done = append(done, d.newRequester(tc, agent, c.Arg))
			}
		case "away", "back":
			done = append(done, d.leave(agent, c))
		case "incident":
			if line := d.incident(tc, agent, c); line != "" {
				done = append(done, line)
			}
		case "rma":
			done = append(done, d.goBack(tc, agent, c))
		case "renewed":
			done = append(done, d.renewedBy(tc, agent, c))
		case "call":
			done = append(done, d.bridge(tc, agent))
		case "ack":
			done = append(done, d.ackByMail(tc, agent))
		case "block":
			d.c.Block = append(d.c.Block, t.Requester)
			tc.event(d.now, agent.Address, "blocked", "%s", requester(t).Address)
			done = append(done, "blocked: "+requester(t).Address)
		}
	}
	if !has(commands, "severity") && (has(commands, "impact") || has(commands, "urgency")) {
		if to := d.rules.matrix()[[2]int{t.Impact, t.Urgency}]; to != "" && to != t.Severity {
			done = append(done, d.setSeverity(tc, agent, to, fmt.Sprintf("impact %d × urgency %d", t.Impact, t.Urgency)))
		}
	}
	if c := find(commands, "escalate"); c != nil {
		done = append(done, d.escalateBy(tc, agent, c.Arg))
	}
	return done
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func level1(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

func date1(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format("2006-01-02 15:04")
}

func plusMinusSet(set, add, remove []string) []string {
	for _, a := range add {
		if !slices.Contains(set, a) {
			set = append(set, a)
		}
	}
	return slices.DeleteFunc(set, func(s string) bool { return slices.Contains(remove, s) })
}

// cc accepts and removes followers. Accepting is explicit: until then an
// address that stood in somebody's Cc gets nothing.
func (d *decision) cc(tc *TicketChange, agent Agent, c Command) []string {
	var done []string
	t := &tc.Ticket
	role := func(address string, to PartyRole) {
		for i := range t.Participants {
			if SameAddress(t.Participants[i].Address.Address, address) {
				if t.Participants[i].Role != PartyRequester {
					t.Participants[i].Role = to
				}
				return
			}
		}
		t.Participants = append(t.Participants, Participant{Address: Address{Address: address}, Role: to})
	}
	for _, a := range c.Add {
		role(a, PartyFollower)
		tc.event(d.now, agent.Address, "cc", "+%s", a)
		done = append(done, "copies from now on to "+a)
	}
	for _, a := range c.Remove {
		role(a, PartyRemoved)
		tc.event(d.now, agent.Address, "cc", "-%s", a)
		done = append(done, "no more copies to "+a)
	}
	return done
}

// newRequester hands the ticket to another customer; the old one follows it.
func (d *decision) newRequester(tc *TicketChange, agent Agent, address string) string {
	t := &tc.Ticket
	for i := range t.Participants {
		p := &t.Participants[i]
		if number := Number(p.Address.Address); p.Role == PartyRequester && number != "" {
			// The same person by another way: the number stays known on the
			// ticket, and gets no copies.
			p.Role = PartyProposed
			d.c.People = append(d.c.People, Person{Brand: t.Brand, Addresses: []string{NormalAddress(address)}, Phones: []string{number}})
		} else if p.Role == PartyRequester {
			p.Role = PartyFollower
		}
	}
	t.Participants = slices.DeleteFunc(t.Participants, func(p Participant) bool { return SameAddress(p.Address.Address, address) })
	t.Participants = slices.Insert(t.Participants, 0, Participant{Address: Address{Address: address}, Role: PartyRequester})
	t.Requester, t.Profile = 0, Profile{}
	tc.event(d.now, agent.Address, "requester", "%s", address)
	return "requester: " + address
}

// priorityLetter tells the customer that the priority changed (row B5); the
// first setting is no change.
func (d *decision) priorityLetter(tc *TicketChange, from, to string) {
	if from == "" || from == to || tc.Ticket.ID == 0 || !tc.Ticket.Status.Open() {
		return
	}
	who := requester(&tc.Ticket)
	if slices.Contains(tc.Ticket.Dead, NormalAddress(who.Address)) {
		tc.event(d.now, "desk", "no letter", "%s to %s: mail to it bounced", LetterPriority, who.Address)
		return
	}
	if why := d.unsendable(&tc.Ticket, who.Address); who.Address == "" || why != "" || !d.windowOpen(who.Address) {
		tc.event(d.now, "desk", "no letter", "%s: the customer cannot be written to now %s", LetterPriority, why)
		return
	}
	l := d.customerLetter(tc, who, LetterPriority, LetterData{Severity: to, ResolveWithin: d.rules.Severities[to].ResolveWithin})
	l.Auto, l.Priority = AutoGenerated, 1
	tc.Letters = append(tc.Letters, tc.wordless(l))
}

// takenUp opens a new ticket when an agent takes it.
func (d *decision) takenUp(tc *TicketChange, agent Agent) {
	if tc.Ticket.Status == StatusNew {
		tc.status(d.now, agent.Address, StatusOpen)
	}
	if p := &tc.Ticket.Promises; p.Acknowledged.Before(p.Escalated) {
		p.Acknowledged, p.AckedBy = d.now, agent.Address
	}
}

// newCc proposes outside addresses that the agent put in Cc.
func (d *decision) newCc(tc *TicketChange, agent Agent) []string {
	var out []string
	for _, a := range d.proposed() {
		if _, known := tc.Ticket.Participant(a.Address.Address); known {
			continue
		}
		tc.Ticket.Participants = append(tc.Ticket.Participants, a)
		tc.event(d.now, agent.Address, "proposed", "%s in Cc; gets nothing until #cc +%s", a.Address.Address, a.Address.Address)
		out = append(out, a.Address.Address)
	}
	return out
}

// note keeps words inside.
func (d *decision) note(tc *TicketChange, agent Agent, text string) {
	by := Author{Kind: AuthorAgent, Person: agent.ID, Address: Address{Name: agent.Name, Address: agent.Address}}
	tc.add(d.message(DirectionNote, by, text), false)
	tc.event(d.now, agent.Address, "note", "%d words", len(strings.Fields(text)))
}

// receiptLetter is the one answer to a mail with commands.
func (d *decision) receiptLetter(tc *TicketChange, agent Agent, commands []Command, done, proposed []string) {
	data := d.view(tc, 0)
	data.Done, data.Proposed = done, proposed
	kind := LetterReceipt
	switch {
	case has(commands, "history"):
		kind, data.Newer = LetterHistory, views(d.found.History)
	case has(commands, "list"):
		kind, data.Tickets = LetterList, ticketViews(d.found.Open)
	case has(commands, "help"):
		kind = LetterGuide
	}
	d.answerAgent(tc, agent, kind, data)
}

// Letters to an agent within ten minutes on one ticket, and within an hour,
// after which what he sends is not answered: a machine of his answers us.
const (
	agentTicket10min = 20
	agentHour        = 200
)

// answerAgent writes the one receipt for an agent's mail.
func (d *decision) answerAgent(tc *TicketChange, agent Agent, kind LetterKind, data LetterData) {
	if n := d.found.Acks.Ticket10min[tc.Ticket.ID]; n >= agentTicket10min {
		tc.event(d.now, "desk", "no letter", "%s to %s: loop breaker, %d on this ticket in ten minutes", kind, agent.Address, n)
		d.trace("letter", string(kind), "not written: loop breaker, %d to %s on this ticket in ten minutes", n, agent.Address)
		return
	}
	d.toAgent(tc, agent, kind, 0, data)
}

func ticketViews(list []Ticket) []TicketView {
	var out []TicketView
	for _, t := range list {
		out = append(out, TicketView{ID: t.ID, Status: t.Status, Severity: t.Severity, Subject: t.Subject, From: show(requester(&t)), Updated: t.Updated, Assignee: t.Assignee, Due: t.Promises.NextDue()})
	}
	return out
}

// actLoose does commands that need no ticket.
func (d *decision) actLoose(agent Agent, commands []Command, problems []string) {
	key := func(kind LetterKind) string { return fmt.Sprintf("%s:row%d:%s", kind, d.in.Ledger, agent.Address) }
	for _, c := range commands {
		if !slices.Contains([]string{"help", "list", "release", "away", "back"}, c.Name) {
			problems = append(problems, fmt.Sprintf("#%s: on which ticket? reply to one of its mails", c.Name))
		}
	}
	if len(commands) == 0 && len(problems) == 0 {
		problems = append(problems, "nobody gets answers to this letter; the first line may be #help, #list, #away until DATE or #release NUMBER")
	}
	if len(problems) > 0 {
		d.holdLoose(agent, problems)
		return
	}
	kind, data := LetterReceipt, LetterData{}
	for _, c := range commands {
		switch c.Name {
		case "help":
			kind = LetterGuide
		case "list":
			kind, data.Tickets = LetterList, ticketViews(d.found.Open)
		case "release":
			d.c.ReleaseBy = agent.Address
			for _, w := range c.Words {
				d.c.Release = append(d.c.Release, parseNumber(w))
				data.Done = append(data.Done, "released: "+strings.Trim(w, "#,"))
			}
		case "away", "back":
			data.Done = append(data.Done, d.leave(agent, c))
		}
	}
	d.loose(agent, kind, key(kind), data)
	d.end(DisposeRecorded, "commands", "%s: %s", agent.Address, strings.Join(d.in.Commands, " "))
}

func parseNumber(w string) int64 {
	n, _ := strconv.ParseInt(strings.Trim(w, "#,"), 10, 64) // Sscan reads 010 as eight
	return n
}
