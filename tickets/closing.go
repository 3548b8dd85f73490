package tickets

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// button acts on a press on a customer's page.
func (d *decision) button() {
	b := d.in.Button
	switch b.Action {
	case "vote":
		d.votedByButton()
		return
	case "accept":
		d.acceptOffer()
		return
	}
	t := d.followed(d.found.Tickets[b.Ticket])
	who := NormalAddress(b.Address)
	if t == nil || !t.Verified(who) {
		d.trace("button", b.Action, "%s is not on #%d", who, b.Ticket)
		d.end(DisposeDiscarded, "button-stranger", "%s is not on #%d", who, b.Ticket)
		return
	}
	d.found.Acks = AckCounts{} // a person pressed; the limits are about answering mail
	tc := d.ticket(t)
	text := strings.TrimSpace(b.Text)
	by := Author{Kind: AuthorCustomer, Address: participantAddress(t, who)}
	switch {
	case b.Action == "solved":
		d.solvedBy(tc, who, b.Article)
	case b.Action == "confirm" && t.Status == StatusResolved && text == "":
		d.confirm(tc, who)
	case b.Action == "confirm" && t.Status == StatusClosed:
		tc.event(d.now, who, "confirmed", "again; it is closed already")
	case t.Status == StatusClosed && !d.reopens(t):
		tc.event(d.now, who, "button", "closed longer than the reopen window: nothing changes")
	case b.Action == "reopen" && (t.Status == StatusResolved || t.Status == StatusClosed), text != "":
		carry := tc.add(d.message(DirectionIn, by, text), true)
		tc.event(d.now, who, "message", "by %s", d.in.Channel)
		d.wrote(&tc.Events[len(tc.Events)-1])
		switch t.Status {
		case StatusResolved, StatusClosed:
			d.reopen(tc, who)
		case StatusPending, StatusHold:
			tc.status(d.now, who, StatusOpen)
		}
		d.provedOnPage(tc, who, text)
		d.tellAgents(tc, LetterMessage, carry, false)
	default:
		tc.event(d.now, who, "button", "%s has no effect on a ticket that is %s", b.Action, t.Status)
	}
	d.trace("button", b.Action, "by %s", who)
	d.end(DisposeMessage, "", "%s on #%d", b.Action, b.Ticket)
}

func participantAddress(t *Ticket, address string) Address {
	p, _ := t.Participant(address)
	return p.Address
}

// Silence says what to do about a resolved ticket nobody answered: ask once
// more after RemindAfter, close with a notice after CloseAfter (and never less
// than the days between the two after asking, even when the desk was down). It
// returns false when it is not yet time, or the ticket is not waiting. found is
// what the store knows of the requester's address and the ticket's history.
func Silence(t Ticket, found Found, rules Rules, now time.Time) (Change, bool) {
	d := &decision{found: found, rules: rules, brand: rules.Brands[t.Brand], now: now}
	d.in = Inbound{Brand: t.Brand, Mailbox: t.Mailbox, From: requester(&t)}
	d.c.Brand = t.Brand
	if t.Status != StatusResolved {
		return d.c, false
	}
	c := rules.Closing
	waited := now.Sub(t.Resolved)
	asked := !t.FollowedUp.IsZero() && now.Sub(t.FollowedUp) >= c.CloseAfter-c.RemindAfter
	switch {
	case waited >= c.CloseAfter && (asked || c.RemindAfter <= 0):
		tc := d.ticket(&t)
		tc.status(now, "desk", StatusClosed)
		tc.event(now, "desk", "closed after silence", "%d days after the resolution", days(waited))
		d.aftercare(tc, false)
		d.automatic(tc, LetterClosed, LetterData{CloseDays: days(c.ReopenWindow)})
	case t.FollowedUp.IsZero() && c.RemindAfter > 0 && waited >= c.RemindAfter:
		tc := d.ticket(&t)
		tc.Ticket.FollowedUp = now
		tc.event(now, "desk", "followed up", "no answer to the resolution for %d days", days(waited))
		d.automatic(tc, LetterSilence, LetterData{CloseDays: max(1, days(c.CloseAfter-c.RemindAfter))})
	default:
		return d.c, false
	}
	return d.done(), true
}

// days rounds to whole days.
func days(x time.Duration) int { return int((x + 12*time.Hour) / (24 * time.Hour)) }

// Wake opens a pending or held ticket whose date has come, and tells its agents.
func Wake(t Ticket, rules Rules, now time.Time) (Change, bool) {
	d := &decision{rules: rules, brand: rules.Brands[t.Brand], now: now}
	d.in = Inbound{Brand: t.Brand, Mailbox: t.Mailbox}
	d.c.Brand = t.Brand
	waiting := t.Status == StatusPending || t.Status == StatusHold
	if !waiting || t.PendingUntil.IsZero() || now.Before(t.PendingUntil) {
		return d.c, false
	}
	until := t.PendingUntil
	tc := d.ticket(&t)
	tc.status(now, "desk", StatusOpen)
	for _, a := range d.audience(&tc.Ticket) {
		data := d.view(tc, 0)
		data.Done = []string{fmt.Sprintf("open again: it was put off until %s", until.In(d.localNow().Location()).Format("2006-01-02 15:04"))}
		d.toAgent(tc, a, LetterReceipt, 0, data)
	}
	return d.done(), true
}

// Welcome writes the one-page guide to a new agent, in the words and the
// language of the first brand whose mail comes to them.
func Welcome(a Agent, rules Rules) Change {
	keys := sortedKeys(rules.Brands)
	if len(keys) == 0 {
		return Change{}
	}
	b := rules.Brands[keys[0]]
	for _, k := range keys {
		if rules.worksFor(a, rules.Brands[k]) {
			b = rules.Brands[k]
			break
		}
	}
	return Change{Brand: b.Key, Letters: []Letter{looseLetter(a, b, "", LetterGuide, "guide:"+a.Address, LetterData{})}}
}

// DailyQuarantine writes the list of held mail to everybody who may release
// it; day names the occurrence.
func DailyQuarantine(held []HeldMail, rules Rules, day string) Change {
	keys := sortedKeys(rules.Brands)
	if len(keys) == 0 || len(held) == 0 {
		return Change{}
	}
	b := rules.Brands[keys[0]]
	c := Change{Brand: b.Key}
	for _, k := range sortedKeys(rules.Agents) {
		if a := rules.Agents[k]; a.Role.AtLeast(RoleSupervisor) {
			c.Letters = append(c.Letters, looseLetter(a, b, "", LetterQuarantine, "quarantine:"+day+":"+a.Address, LetterData{Quarantine: slices.Clone(held)}))
		}
	}
	return c
}
