package tickets

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"frontdesk/sla"
)

// returnSteps say how far each status is: a return goes forward alone. The three
// at the end end it.
var returnSteps = map[ReturnStatus]int{
	ReturnOpen: 0, ReturnReceived: 1, ReturnInspected: 2, ReturnReplaced: 3, ReturnRefunded: 3, ReturnRefused: 3,
}

// Over reports whether nothing more comes of the return.
func (s ReturnStatus) Over() bool { return returnSteps[s] == 3 }

// returnAnyway opens a return that came too late.
const returnAnyway = "anyway"

// rma reads #rma: a step and a note on it, "anyway" and a reason, or a reason
// alone. A word that looks like a misspelt step is none of these.
func rma(c *Command, _ Rules, _ time.Time) string {
	first, rest, _ := strings.Cut(c.Arg, " ")
	word := ReturnStatus(strings.ToLower(strings.TrimRight(first, ":,;.")))
	_, step := returnSteps[word]
	switch {
	case word == returnAnyway, step && word != ReturnOpen:
		c.Arg, c.Note = string(word), strings.TrimSpace(strings.TrimLeft(rest, ":,; "))
		return ""
	case word == ReturnOpen:
		return "#rma alone opens a return"
	}
	for _, known := range sortedKeys(returnSteps) {
		if known != ReturnOpen && distance(string(word), string(known)) <= 2 {
			return fmt.Sprintf("%q is no step; did you mean %s?", first, known)
		}
	}
	c.Note, c.Arg = c.Arg, ""
	return ""
}

// returnProblems says why #rma cannot be done on this ticket.
func (d *decision) returnProblems(tc *TicketChange, agent Agent, commands []Command) []string {
	c := find(commands, "rma")
	if c == nil {
		return nil
	}
	r := tc.Ticket.Return
	var why string
	switch opens := c.Arg == "" || c.Arg == returnAnyway; {
	case opens && r != nil:
		why = fmt.Sprintf("#rma: %s is on this ticket already, it is %s; another return needs a ticket of its own (#split)", r.Number, r.Status)
	case opens:
		why = d.notReturned(&tc.Ticket, agent, c.Arg == returnAnyway)
	case r == nil:
		why = fmt.Sprintf("#rma %s: nothing goes back on this ticket yet; #rma alone opens a return", c.Arg)
	case r.Status.Over():
		why = fmt.Sprintf("#rma %s: %s is over: %s since %s", c.Arg, r.Number, r.Status, r.At.In(d.localNow().Location()).Format(time.DateOnly))
	case returnSteps[ReturnStatus(c.Arg)] <= returnSteps[r.Status]:
		why = fmt.Sprintf("#rma %s: %s is %s already, and does not go back", c.Arg, r.Number, r.Status)
	}
	if why == "" {
		return nil
	}
	return []string{why}
}

// notReturned says why no return may be opened; "" when one may.
func (d *decision) notReturned(t *Ticket, agent Agent, anyway bool) string {
	rules := d.rules.Returns
	if rules.Days <= 0 {
		return "#rma: returns are not offered here (returns in the configuration)"
	}
	if strings.TrimSpace(rules.Address[t.Brand]) == "" {
		return fmt.Sprintf("#rma: nobody knows where goods of %s go back to (returns.address in the configuration)", d.brand.Name)
	}
	p := d.returnedProduct(t)
	if p == nil || p.Bought.IsZero() {
		return ""
	}
	last := p.Bought.Add(rules.Days)
	if !d.day().After(last) {
		return ""
	}
	late := fmt.Sprintf("#rma: %s was bought on %s, and the %d days to return it ended on %s", productName(*p), p.Bought, rules.Days, last)
	switch {
	case !agent.Role.AtLeast(RoleSenior):
		return late + "; a senior or above may open it with #rma anyway"
	case !anyway:
		return late + "; #rma anyway opens it all the same"
	}
	return ""
}

// day is the day of now in the brand's zone.
func (d *decision) day() sla.Date { return sla.DateOf(d.localNow()) }

// returnedProduct is the product that a ticket is about, when it is the
// requester's or nobody is known to have it; nil else. Of another customer's
// nothing is disclosed, not even its model.
func (d *decision) returnedProduct(t *Ticket) *Product {
	p := d.productOf(t)
	if p == nil || p.Person != 0 && !d.owns(t, *p) {
		return nil
	}
	return p
}

// goBack does #rma: it opens a return, or takes it a step on.
func (d *decision) goBack(tc *TicketChange, agent Agent, c Command) string {
	t := &tc.Ticket
	if c.Arg == "" || c.Arg == returnAnyway {
		return d.openReturn(tc, agent, c.Note)
	}
	r := *t.Return // what the store loaded stays as it was
	r.Status, r.Note, r.At = ReturnStatus(c.Arg), c.Note, d.now
	tc.event(d.now, agent.Address, "return", "%s: %s → %s", r.Number, t.Return.Status, strings.TrimSpace(string(r.Status)+" "+c.Note))
	t.Return = &r
	return "return " + r.Number + ": " + string(r.Status)
}

// defaultSendDays is how long a customer has to send a return.
const defaultSendDays = 14

func (d *decision) openReturn(tc *TicketChange, agent Agent, reason string) string {
	t := &tc.Ticket
	r := &Return{
		Number: fmt.Sprintf("RMA-%d", t.ID), Status: ReturnOpen, At: d.now, Note: reason,
		Until:   d.day().Add(cmp.Or(d.rules.Returns.SendDays, defaultSendDays)),
		Address: strings.TrimSpace(d.rules.Returns.Address[t.Brand]),
		Product: t.Facts["product"], Serial: t.Facts["serial"],
	}
	p := d.returnedProduct(t)
	if p != nil {
		r.Product, r.Serial = cmp.Or(p.Model, r.Product), p.Serial
	}
	switch {
	case p == nil || p.Bought.IsZero():
		d.remarks = append(d.remarks, "the day of purchase is not known: nobody checked the time for returns")
	case d.day().After(p.Bought.Add(d.rules.Returns.Days)):
		tc.event(d.now, agent.Address, "return", "opened although the time for returns ended on %s", p.Bought.Add(d.rules.Returns.Days))
	}
	t.Return = r
	tc.event(d.now, agent.Address, "return", "%s opened, to be sent until %s: %s", r.Number, r.Until, orNone(strings.TrimSpace(r.Product+" "+r.Serial)))
	return fmt.Sprintf("return %s opened, to be sent until %s", r.Number, r.Until)
}

// tellReturn tells the customer of the step in a letter of its own, when the
// agent's words did not already carry it, and sets whose turn it is: the
// customer's while the goods are awaited, the desk's once they are there. What
// the same mail says about the status goes before.
func (d *decision) tellReturn(tc *TicketChange, agent Agent, commands []Command) []string {
	if !has(commands, "rma") {
		return nil
	}
	t := &tc.Ticket
	var done []string
	carried := slices.ContainsFunc(tc.Letters, func(l Letter) bool { return l.Kind == LetterReturn })
	if !carried {
		line, told := d.returnLetter(tc)
		done = append(done, line)
		if told && !has(commands, "close") { // which answers, too, and would be undone
			d.answeredBy(tc, agent)
		}
	}
	if slices.ContainsFunc(commands, func(c Command) bool {
		return slices.Contains([]string{"close", "pending", "hold", "reopen"}, c.Name)
	}) {
		return done
	}
	to := StatusOpen
	if t.Return.Status == ReturnOpen {
		to = StatusPending
	}
	tc.status(d.now, agent.Address, to)
	t.PendingUntil = time.Time{}
	line := "status: " + string(to)
	if to == StatusPending {
		t.PendingUntil = t.Return.Until.Add(1).At(8*60, d.localNow().Location()).UTC()
		line += " until the goods are here, or " + t.Return.Until.Add(1).String()
	}
	return append(done, line)
}

// returnLetter writes the step to the requester, unless the customer gets no
// letters.
func (d *decision) returnLetter(tc *TicketChange) (line string, told bool) {
	to := requester(&tc.Ticket)
	if why := d.silent(tc, to, LetterReturn); why != "" {
		tc.event(d.now, "desk", "no letter", "%s to %s: %s", LetterReturn, to.Address, why)
		return "the customer was told nothing: " + why, false
	}
	l := d.customerLetter(tc, to, LetterReturn, LetterData{Return: shownReturn(&tc.Ticket)})
	l.Auto, l.Priority = AutoGenerated, 1
	tc.Letters = append(tc.Letters, l)
	return "letter about the return to " + reached(to), true
}

// shownReturn is the return as it is now: a letter keeps its own copy.
func shownReturn(t *Ticket) *Return {
	if t.Return == nil {
		return nil
	}
	r := *t.Return
	return &r
}
