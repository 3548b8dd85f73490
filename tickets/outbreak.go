package tickets

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// A major incident is the same trouble of several customers within a short
// time. Its number is that of its first ticket; the others keep their own
// threads and point to it (Ticket.Incident).

// outbreak looks whether a new ticket is one of many like it. The one that
// makes their number full raises the incident, once: supervisors get one
// letter, and the others are joined. Later ones join without another letter.
func (d *decision) outbreak(tc *TicketChange) {
	r := d.rules.Incident
	if r.Customers < 2 || d.in.Kind != KindMessage {
		return
	}
	t := &tc.Ticket
	words := significant(t.Subject + " " + d.in.Reply)
	like := d.alike(words, t.Facts["product"])
	if n := incidentOf(like); n != 0 {
		t.Incident = n
		t.Links = append(t.Links, Link{"incident", n})
		tc.event(d.now, "desk", "incident", "#%d: like %s", n, ids(like))
		d.trace("incident", fmt.Sprintf("#%d", n), "joined: like %d tickets", len(like))
		d.worsened(tc)
		return
	}
	customers := map[string]bool{NormalAddress(requester(t).Address): true}
	for _, l := range like {
		customers[NormalAddress(l.Requester)] = true
	}
	d.trace("incident", fmt.Sprintf("%d like it", len(like)), "%d customers within %s, %d make an incident", len(customers), r.Within, r.Customers)
	if len(customers) < r.Customers {
		return
	}
	d.raise(tc, like, len(customers))
}

// incidentOf is the incident that any of the tickets belongs to, 0 none.
func incidentOf(like []LikeTicket) int64 {
	for _, l := range like {
		if l.Incident != 0 {
			return l.Incident
		}
	}
	return 0
}

// raise makes an incident of a new ticket and those like it.
func (d *decision) raise(tc *TicketChange, like []LikeTicket, customers int) {
	t := &tc.Ticket
	first := like[len(like)-1]
	t.Incident = first.ID
	t.Links = append(t.Links, Link{"incident", first.ID})
	why := fmt.Sprintf("%d customers since %s: %s", customers, first.Opened.In(d.localNow().Location()).Format("15:04"),
		strings.Join(common(significant(t.Subject+" "+d.in.Reply), like), ", "))
	tc.event(d.now, "desk", "incident", "#%d raised: %s", first.ID, why)
	d.trace("incident", fmt.Sprintf("#%d", first.ID), "raised: %s", why)
	for _, l := range like {
		d.c.Join = append(d.c.Join, IncidentJoin{Ticket: l.ID, Incident: first.ID, By: "desk", Why: why})
	}
	d.worsened(tc)
	data := LetterData{Incident: first.ID, Count: len(like) + 1, Why: why, Text: d.in.Reply, Author: show(d.in.From), At: d.in.Received}
	for _, l := range like {
		data.Tickets = append(data.Tickets, TicketView{ID: l.ID, Status: l.Status, Subject: excerpt(l.Words, 60), From: l.Requester, Updated: l.Opened})
	}
	for _, a := range d.supervisors() {
		d.toAgent(tc, a, LetterOutbreak, 0, data)
		tc.Letters[len(tc.Letters)-1].Key = fmt.Sprintf("incident:%d:%s", first.ID, a.Address)
	}
}

// worsened raises the impact of a ticket that several customers share (row B4).
// The first guess of a new ticket is only as good as one mail.
func (d *decision) worsened(tc *TicketChange) {
	t := &tc.Ticket
	if t.Impact >= severalCustomers {
		return
	}
	t.Impact = severalCustomers
	urgency := max(t.Urgency, 2)
	to := d.rules.Matrix[[2]int{t.Impact, urgency}]
	if to == "" || to == t.Severity || !d.rules.worse(to, t.Severity) {
		return
	}
	tc.event(d.now, "desk", "severity", "%s → %s: several customers have it", orNone(t.Severity), to)
	t.Urgency, t.Severity = urgency, to
}

// severalCustomers is the impact of what more than one customer has.
const severalCustomers = 3

// joined tells the customer of a ticket that became part of an incident, once:
// others have it too, and we are on it. It is part of the watch.
func (d *decision) joined(tc *TicketChange) {
	t := &tc.Ticket
	if t.Incident == 0 || slices.Contains(t.Promises.Told, toldIncident) || !t.Status.Open() || t.Status == StatusResolved {
		return
	}
	tc.tell(toldIncident)
	d.worsened(tc)
	d.automatic(tc, LetterIncident, LetterData{Incident: t.Incident, Severity: t.Severity})
}

// partOfIncident reports whether the ticket is one of an incident's others, and
// not its first. What the desk does to itself about an incident it does once, on
// the first ticket: thirty tickets would ring thirty times.
func (t *Ticket) partOfIncident() bool { return t.Incident != 0 && t.Incident != t.ID }

// toldIncident notes that the customer was told of the incident.
const toldIncident = "incident"

// ids names tickets: "#7, #9".
func ids(like []LikeTicket) string {
	var out []string
	for _, l := range like {
		out = append(out, fmt.Sprintf("#%d", l.ID))
		if len(out) == 10 && len(like) > 10 {
			return strings.Join(out, ", ") + fmt.Sprintf(" and %d more", len(like)-10)
		}
	}
	return strings.Join(out, ", ")
}

// alike lists the open tickets opened lately by others that say the same.
func (d *decision) alike(words []string, product string) []LikeTicket {
	var out []LikeTicket
	for _, l := range d.found.Like {
		if l.Status.Open() && likeness(words, significant(l.Words), product != "" && strings.EqualFold(product, l.Product)) >= d.rules.Incident.Alike {
			out = append(out, l)
		}
	}
	return out
}

// likeness says how much two texts have in common, 0 to 1: the part of the
// shorter one's words that stand in the other, too. Two shared words are asked
// for, or one and the same product: a single word says little.
func likeness(a, b []string, sameProduct bool) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	shared := 0
	for _, w := range a {
		if slices.Contains(b, w) {
			shared++
		}
	}
	if sameProduct {
		shared++
	}
	if shared < 2 {
		return 0
	}
	return min(1, float64(shared)/float64(max(3, min(len(a), len(b)))))
}

// common lists the words that most of the tickets share, at most six.
func common(words []string, like []LikeTicket) []string {
	var out []string
	for _, w := range words {
		n := 0
		for _, l := range like {
			if slices.Contains(significant(l.Words), w) {
				n++
			}
		}
		if 2*n >= len(like) && len(out) < 6 {
			out = append(out, w)
		}
	}
	return out
}

const (
	significantWords = 40 // of a text; what is wrong is said early
	stemRunes        = 7  // of a word: its endings differ, and German compounds begin alike
)

// significant lists the words of a text that say what it is about, shortened to
// their stems, each once, in order: no small words, no greetings, no numbers.
func significant(text string) []string {
	var out []string
	for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) }) {
		r := []rune(w)
		if len(r) < 3 || smallWords[w] {
			continue
		}
		w = string(r[:min(len(r), stemRunes)])
		if len(r) > 4 {
			w = strings.TrimRight(w, "s")
		}
		if !slices.Contains(out, w) {
			out = append(out, w)
		}
		if len(out) == significantWords {
			break
		}
	}
	return out
}

var smallWords = words(`the and for are was were has have had but not you your our with this that they them from can could would should will
	all any its his her their there here what when where why how who which been being does did doing done just also only very much more most some
	please thanks thank hello dear hi hey regards kind best sincerely help need needs want since today morning yesterday now again still about
	get got getting one two three into over after before other others cannot anymore really know see team support sir madam greetings
	problem problems issue issues question request urgent asap somebody anybody everybody nobody something anything nothing
	der die das und ist sind war waren hat haben hatte aber nicht sie ihr ihre ihnen unser unsere mit dies diese dieser dieses dass von kann
	können könnte würde werden wird alle alles sein seine ihrem ihren dort hier was wann warum wie wer welche bei auch nur sehr mehr noch
	bitte danke vielen dank hallo liebe lieber guten tag morgen abend grüße gruß freundlichen freundliche mfg hilfe brauche brauchen seit heute
	gestern jetzt wieder immer über ein eine einen einem einer eines zwei drei nach vor andere anderen mehrere ich wir uns mir mich man für auf
	aus als zum zur den dem des sich oder wenn weil doch mal schon problem probleme frage anfrage dringend jemand niemand etwas nichts`)

// incident does #incident: bare, the ticket is the first of one; a number joins
// that ticket's; none leaves. "all" is done where the words are sent.
func (d *decision) incident(tc *TicketChange, agent Agent, c Command) string {
	t := &tc.Ticket
	switch {
	case c.Arg == "all":
		return ""
	case c.Arg == "none":
		t.Incident = 0
		tc.event(d.now, agent.Address, "incident", "left")
		return "part of no incident any more"
	case c.Number != 0:
		t.Incident = d.incidentOf(c.Number)
	default:
		t.Incident = t.ID
	}
	tc.event(d.now, agent.Address, "incident", "#%d", t.Incident)
	return fmt.Sprintf("part of incident #%d; #incident all answers everybody on it", t.Incident)
}

// incidentOf is the incident that a ticket stands for.
func (d *decision) incidentOf(number int64) int64 {
	if to := d.followed(d.found.Tickets[number]); to != nil && to.Incident != 0 {
		return to.Incident
	}
	return number
}

// answerAll sends the words of an agent's mail on every other ticket of the
// incident, to each customer in the thread that is theirs.
func (d *decision) answerAll(tc *TicketChange, agent Agent, commands []Command, text string) []string {
	if c := find(commands, "incident"); c == nil || c.Arg != "all" {
		return nil
	}
	sent := 0
	for i := range d.found.Parent {
		other := d.found.Parent[i]
		if other.Ticket.ID == tc.Ticket.ID {
			continue
		}
		if other.Last.ID != 0 {
			d.found.History = append(slices.Clip(d.found.History), other.Last) // what the letter answers
		}
		to := d.ticket(&other.Ticket)
		d.send(to, agent, slices.DeleteFunc(slices.Clone(commands), func(c Command) bool { return c.Name != "close" }), text, nil)
		to.event(d.now, agent.Address, "incident", "answered with #%d", tc.Ticket.ID)
		sent++
	}
	tc.event(d.now, agent.Address, "incident", "answered on %d other tickets", sent)
	return []string{fmt.Sprintf("sent on the %d other tickets of incident #%d, to each customer in their own thread", sent, tc.Ticket.Incident)}
}
