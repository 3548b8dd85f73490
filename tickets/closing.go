package tickets

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Confirmation is what a reply to a resolution letter says.
type Confirmation string

// The readings of a reply. In doubt it is something new: a ticket that is
// opened once too often costs a look, one closed by mistake costs a customer.
const (
	ConfirmYes Confirmation = "yes"
	ConfirmNo  Confirmation = "no"
	ConfirmNew Confirmation = "something new"
)

// The words of a confirmation. A reply confirms when it has at least one of
// the first and nothing but both.
var (
	yesWords = words(`yes yep yeah yup ok okay thanks thank thx ty confirmed confirm solved resolved fixed works working perfect great
		excellent super wonderful fine done good appreciated cheers awesome
		ja jawohl jep danke dank dankeschön vielen gelöst erledigt behoben bestätigt bestätige funktioniert läuft klappt perfekt prima
		bestens wunderbar passt toll gut geklappt spitze`)
	fillWords = words(`you very much so a lot many it is it's its all that this now again everything the my i can we for your help support
		quick fast answer reply response problem issue request ticket has have been was and indeed perfectly well dear hi hello team sir madam
		kind best regards sincerely greetings to of me us just correct right closed close please may really with
		ihr ihre ihnen sie es ist jetzt wieder alles das die der problem anfrage wurde und sehr für schnelle hilfe antwort herzlichen
		hallo liebe lieber guten tag morgen mit freundlichen grüßen gruß grüße viele beste freundliche team damit wie bin zufrieden so
		unterstützung mir uns hat haben kann bitte schließen geschlossen werden nun auch super freundlich schnell`)
	noWords = words(`no not nope never still isn't doesn't don't didn't won't can't cannot unfortunately but however unsolved wrong again?
		nein nicht kein keine leider immer noch aber jedoch trotzdem weiterhin erneut ungelöst falsch`)
)

func words(s string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}

// ReadConfirmation reads the visible reply to a resolution letter.
func ReadConfirmation(reply string) Confirmation {
	tokens := tokens(reply)
	yes, other := false, false
	for i, w := range tokens {
		switch {
		case noWords[w]:
			return ConfirmNo
		case yesWords[w]:
			yes = true
		case fillWords[w]:
		case i >= len(tokens)-3 && yes:
			// A name below the thanks, without a delimiter.
		default:
			other = true
		}
	}
	if yes && !other && !strings.ContainsRune(reply, '?') && len(tokens) <= 40 {
		return ConfirmYes
	}
	return ConfirmNew
}

func tokens(s string) []string {
	s = strings.ReplaceAll(strings.ToLower(s), "’", "'")
	return strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' })
}

// button acts on a press on a customer's page.
func (d *decision) button() {
	b := d.in.Button
	t := d.found.Tickets[b.Ticket]
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
	case b.Action == "confirm" && t.Status == StatusResolved && text == "":
		d.confirm(tc, who)
	case b.Action == "confirm" && t.Status == StatusClosed:
		tc.event(d.now, who, "confirmed", "again; it is closed already")
	case t.Status == StatusClosed && !d.reopens(t):
		tc.event(d.now, who, "button", "closed longer than the reopen window: nothing changes")
	case b.Action == "reopen" && (t.Status == StatusResolved || t.Status == StatusClosed), text != "":
		carry := tc.add(d.message(DirectionIn, by, text), true)
		switch t.Status {
		case StatusResolved, StatusClosed:
			d.reopen(tc, who)
		case StatusPending, StatusHold:
			tc.status(d.now, who, StatusOpen)
		}
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
		d.automatic(tc, LetterClosed, LetterData{CloseDays: days(c.ReopenWindow)})
	case t.FollowedUp.IsZero() && c.RemindAfter > 0 && waited >= c.RemindAfter:
		tc := d.ticket(&t)
		tc.Ticket.FollowedUp = now
		tc.event(now, "desk", "followed up", "no answer to the resolution for %d days", days(waited))
		d.automatic(tc, LetterSilence, LetterData{CloseDays: max(1, days(c.CloseAfter-c.RemindAfter))})
	default:
		return d.c, false
	}
	return d.c, true
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
		data.Done = []string{fmt.Sprintf("open again: it was put off until %s", until.Format("2006-01-02 15:04"))}
		d.toAgent(tc, a, LetterReceipt, 0, data)
	}
	return d.c, true
}

// Welcome writes the one-page guide to a new agent.
func Welcome(a Agent, rules Rules) Change {
	keys := sortedKeys(rules.Brands)
	if len(keys) == 0 {
		return Change{}
	}
	b := rules.Brands[keys[0]]
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
