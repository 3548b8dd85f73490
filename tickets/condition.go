package tickets

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Condition is something about the desk itself that its operator must know of
// and that lasts: a mailbox that cannot be read, a disk that is nearly full. It
// is no ticket: customers and agents never hear of it.
type Condition struct {
	Key  string // names it for ever: "mailbox support@example.com INBOX"
	Text string // what is wrong, a sentence. It changes only when what is wrong changes
	Hint string // exactly what to do about it
	// Node is who sees it; only that node says that it is over. "" what every
	// node sees alike, in the database.
	Node string
	// Mailbox is the sick one, "" none: a letter about it leaves by another.
	// Sending says that it is sick in sending.
	Mailbox string
	Sending bool
	// Also are more sick mailboxes, apart by blanks. They are not kept.
	Also string
	// Passing says that it happened rather than lasts: it is told, and neither
	// repeated nor its end told.
	Passing bool
}

// Alert is a condition as it was told: a row for each key.
type Alert struct {
	Condition
	Since   time.Time // when it was first seen in this spell
	Told    time.Time // when operators were told last, in this spell or an earlier one; zero never
	Times   int       // how often they were told in this spell
	Cleared time.Time // when it was over; zero: it lasts
}

// AlertEvent is what operators are told of an alert.
type AlertEvent string

// The events.
const (
	AlertRaised    AlertEvent = "raised"
	AlertRepeated  AlertEvent = "repeated"  // it lasts, or it is another now
	AlertRecovered AlertEvent = "recovered" // it is over
)

// AlertStep is an alert to be saved. Event is "" when nobody is told.
type AlertStep struct {
	Alert
	Event AlertEvent
}

// alertQuiet is how long after a word about a condition the next one may follow:
// one that comes and goes is told of twice an hour at most, not each time.
const alertQuiet = time.Hour

// AlertSteps compares what was told with what is so now. was has a row for each
// key that is open or was told of in the last hour. Node is who looks: it ends
// what itself or everybody sees. Blind are prefixes of keys that could not be
// looked at, of which nothing ends. Repeat is the time between two words about
// the same condition. Nothing changes when there are no steps.
func AlertSteps(was []Alert, is []Condition, node string, blind []string, repeat time.Duration, now time.Time) []AlertStep {
	old := map[string]Alert{}
	for _, a := range was {
		old[a.Key] = a
	}
	var steps []AlertStep
	seen := map[string]bool{}
	for _, c := range is {
		if seen[c.Key] {
			continue
		}
		seen[c.Key] = true
		a, known := old[c.Key]
		if s, changed := lasts(a, known && a.Cleared.IsZero(), c, repeat, now); changed {
			steps = append(steps, s)
		}
	}
	for _, a := range was {
		mine := a.Node == "" || a.Node == node
		dark := slices.ContainsFunc(blind, func(p string) bool { return strings.HasPrefix(a.Key, p) })
		if seen[a.Key] || !a.Cleared.IsZero() || !mine || dark {
			continue
		}
		s := AlertStep{Alert: a}
		s.Cleared = now
		if a.Times > 0 && !a.Passing {
			s.Event = AlertRecovered
		}
		steps = append(steps, s)
	}
	slices.SortStableFunc(steps, func(a, b AlertStep) int { return cmp.Compare(a.Key, b.Key) })
	return steps
}

// lasts is the step of a condition that is so now.
func lasts(a Alert, open bool, c Condition, repeat time.Duration, now time.Time) (AlertStep, bool) {
	s := AlertStep{Alert: Alert{Condition: c, Since: now, Told: a.Told}}
	if open {
		s.Since, s.Times = a.Since, a.Times
	}
	// A clock that was ahead must not silence a condition until then.
	quiet := !a.Told.IsZero() && now.Sub(a.Told) < alertQuiet && a.Told.Sub(now) < alertQuiet
	another := open && (a.Text != c.Text || a.Hint != c.Hint)
	due := open && !c.Passing && (now.Sub(a.Told) >= repeat || a.Told.Sub(now) >= alertQuiet)
	switch {
	case quiet:
		return s, !open // a new spell is noted, and told when it lasts
	case s.Times == 0:
		s.Event = AlertRaised
	case another, due:
		s.Event = AlertRepeated
	default:
		return s, false
	}
	s.Told, s.Times = now, s.Times+1
	return s, true
}

// Alerting says whom operators' alerts go to.
type Alerting struct {
	Mail   []string      // addresses
	Texts  []string      // numbers in E.164
	Line   string        // our number that texts leave from, E.164; "" none
	Repeat time.Duration // between two words about a condition that lasts
}

// AlertView is one condition in a letter to an operator.
type AlertView struct {
	Event AlertEvent `json:"event"`
	Text  string     `json:"text"`
	Hint  string     `json:"hint,omitempty"`
	Since time.Time  `json:"since"`
}

// alertsShown bounds a letter: a server with a hundred mailboxes is one fault.
const alertsShown = 25

// AlertLetters writes one letter to each operator about all that is to be told
// now. open is all that lasts, told or not: the letters leave by a mailbox that
// none of it is about, or by one that is sick in reading alone; where all are
// sick in sending no mail is written. Times names the moment: each happens once.
func AlertLetters(steps []AlertStep, open []Condition, to Alerting, rules Rules, now time.Time) []Letter {
	views := alertViews(steps)
	if len(views) == 0 {
		return nil
	}
	data := LetterData{Conditions: views, Why: views[0].Text, Count: len(views)}
	key := "alert:" + now.UTC().Format(time.RFC3339Nano) + ":"
	var list []Letter
	if b, mailbox, ok := healthyMailbox(open, rules); ok {
		for _, address := range to.Mail {
			a, known := rules.Agent(address)
			if !known {
				a = Agent{Address: NormalAddress(address), Role: RoleAdmin}
			}
			list = append(list, alertLetter(looseLetter(a, b, mailbox, LetterAlert, key+NormalAddress(address), data), now))
		}
	}
	b, ok := rules.lineBrand(to.Line)
	if !ok {
		return list
	}
	for _, number := range to.Texts {
		a := Agent{Address: TelAddress(number)}
		list = append(list, alertLetter(looseLetter(a, b, TelAddress(to.Line), LetterAlert, key+number, data), now))
	}
	return list
}

// alertLetter leaves before everything else, and is not sent when it is no news.
func alertLetter(l Letter, now time.Time) Letter {
	l.Priority, l.NotAfter = 0, now.Add(24*time.Hour)
	return l
}

// alertViews are the steps that are told, what is wrong before what is over.
func alertViews(steps []AlertStep) []AlertView {
	var out []AlertView
	for _, over := range []bool{false, true} {
		for _, s := range steps {
			if s.Event != "" && (s.Event == AlertRecovered) == over && len(out) < alertsShown {
				out = append(out, AlertView{Event: s.Event, Text: s.Text, Hint: s.Hint, Since: s.Since})
			}
		}
	}
	return out
}

// healthyMailbox is the mailbox that alerts leave by: the first that no condition
// is about, else the first that can send.
func healthyMailbox(open []Condition, rules Rules) (Brand, string, bool) {
	sick, mute := map[string]bool{}, map[string]bool{}
	for _, c := range open {
		for _, mailbox := range append([]string{c.Mailbox}, strings.Fields(c.Also)...) {
			address := NormalAddress(mailbox)
			sick[address] = true
			mute[address] = mute[address] || c.Sending
		}
	}
	for _, bad := range []map[string]bool{sick, mute} {
		for _, k := range sortedKeys(rules.Brands) {
			for _, m := range rules.Brands[k].Mailboxes {
				if !bad[NormalAddress(m.Address)] {
					return rules.Brands[k], m.Address, true
				}
			}
		}
	}
	return Brand{}, "", false
}

func (r Rules) lineBrand(number string) (Brand, bool) {
	for _, k := range sortedKeys(r.Brands) {
		for _, p := range r.Brands[k].Phones {
			if p.Number == number && number != "" {
				return r.Brands[k], true
			}
		}
	}
	return Brand{}, false
}
