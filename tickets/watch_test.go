package tickets

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"frontdesk/sla"
)

var (
	dorji = Agent{ID: 14, Name: "Dorji", Address: "dorji@baleyo.test", Role: RoleManager}
	eva   = Agent{ID: 15, Name: "Eva", Address: "eva@baleyo.test", Role: RoleSenior, Phone: "+4930111"}
)

// mustZone loads a zone from the embedded database.
func mustZone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// seedHours are the hours of row C1: Mon–Fri 10:00–17:40, Sat 09:30–13:30.
func seedHours(t *testing.T, loc *time.Location, holidays ...sla.Date) *sla.Calendar {
	t.Helper()
	h := sla.Hours{Location: loc}
	for day := time.Monday; day <= time.Friday; day++ {
		h.Week[day] = []sla.Span{{Open: 10 * 60, Close: 17*60 + 40}}
	}
	h.Week[time.Saturday] = []sla.Span{{Open: 9*60 + 30, Close: 13*60 + 30}}
	h.Holidays.Dates = holidays
	c, err := sla.NewCalendar(h)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// promising are the rules of a desk that promises what rows C2 to C7 ask: three
// tiers, Critical and High escalated at once, updates every 2 and 8 hours.
func promising(t *testing.T, loc *time.Location, holidays ...sla.Date) Rules {
	t.Helper()
	r := rulesForTest()
	head := chandra
	head.Phone = "+4930112"
	for _, a := range []Agent{dorji, eva, head} {
		r.Agents[a.Address] = a
	}
	b := r.Brands["baleyo"]
	b.Location, b.Calendar = loc, seedHours(t, loc, holidays...)
	b.Phones = []Phone{{Number: "+4930999", Queue: "support", Texts: true}}
	r.Brands["baleyo"] = b
	r.Queues["support"] = Queue{
		Key: "support", Teams: []string{"first-line", "senior", "head"}, AckWithin: sla.Duration{Count: 15, Unit: sla.Minute},
		Tiers: [][]string{{asha.Address, bikram.Address}, {eva.Address}, {chandra.Address}},
	}
	hours := func(n int) sla.Duration { return sla.Duration{Count: n, Unit: sla.Hour} }
	r.Order = []string{"critical", "high", "medium", "low"}
	r.Severities = map[string]Severity{
		"critical": {Key: "critical", ResolveWithin: "24 hours", UpdateEvery: hours(2), Escalate: sla.Duration{Unit: sla.Immediately}, Call: true},
		"high":     {Key: "high", ResolveWithin: "48 hours", UpdateEvery: hours(8), Escalate: sla.Duration{Unit: sla.Immediately}},
		"medium":   {Key: "medium", ResolveWithin: "72 hours"},
		"low":      {Key: "low", ResolveWithin: "5 working days"},
	}
	pause := []string{"pending", "on_hold"}
	warn := sla.Warn{Percent: 75}
	respond := func(n int) map[sla.Clock]sla.Target {
		d := sla.Duration{Count: n, Unit: sla.BusinessHour}
		return map[sla.Clock]sla.Target{sla.FirstResponse: {Within: d, Warn: warn, Pause: pause}, sla.NextResponse: {Within: d, Warn: warn, Pause: pause}}
	}
	solve := func(d, update sla.Duration) map[sla.Clock]sla.Target {
		return map[sla.Clock]sla.Target{sla.Resolution: {Within: d, Warn: warn, Pause: pause}, sla.NextUpdate: {Within: update, Pause: pause}}
	}
	r.Policy = sla.Policy{
		Rules: []sla.Rule{
			{Name: "all", Targets: respond(4)},
			{Name: "technical", If: sla.Facts{Category: "technical"}, Targets: respond(2)},
			{Name: "critical", If: sla.Facts{Severity: "critical"}, Targets: solve(hours(24), hours(2))},
			{Name: "high", If: sla.Facts{Severity: "high"}, Targets: solve(hours(48), hours(8))},
			{Name: "medium", If: sla.Facts{Severity: "medium"}, Targets: solve(hours(72), sla.Duration{})},
			{Name: "low", If: sla.Facts{Severity: "low"}, Targets: solve(sla.Duration{Count: 5, Unit: sla.WorkingDay}, sla.Duration{})},
		},
		Done: []string{"resolved", "closed"}, Void: []string{"merged", "spam"},
	}
	r.Update = UpdateRules{RemindBefore: sla.Duration{Count: 30, Unit: sla.Minute}, DelayBefore: sla.Duration{Count: 30, Unit: sla.Minute}}
	return r
}

// failer is a test, or one case of a property.
type failer interface {
	Helper()
	Errorf(string, ...any)
	Fatalf(string, ...any)
	Fatal(...any)
}

// promiser is a desk with one ticket in memory and a clock that tests move. What is
// saved goes through JSON, as after a restart.
type promiser struct {
	t      failer
	rules  Rules
	now    time.Time
	found  Found
	id     int64
	keys   map[string]bool
	logged []Event
	saved  []savedChange
	told   []string // "Sat 20:00 agent-escalation→eva", as they leave
	looks  int      // how often time was looked at
}

// savedChange is what one decision told on a ticket that stood at before.
type savedChange struct {
	before  Status
	cause   bool // by time, not by a mail
	letters []Letter
}

func openPromiser(t failer, rules Rules, now time.Time) *promiser {
	d := &promiser{t: t, rules: rules, now: now, keys: map[string]bool{}}
	d.found = foundWith()
	d.found.History, d.found.Log = nil, map[int64][]sla.Event{}
	return d
}

func (d *promiser) ticket() *Ticket { return d.found.Tickets[d.id] }

// save keeps what a transaction would.
func (d *promiser) save(c Change) {
	d.t.Helper()
	for _, tc := range c.Tickets {
		if before := d.ticket(); before != nil {
			d.saved = append(d.saved, savedChange{before.Status, c.Disposition == "", tc.Letters})
		}
		t := tc.Ticket
		if t.ID == 0 {
			if d.id != 0 {
				d.t.Fatalf("%s: another ticket: %q", d.clock(), t.Subject)
			}
			t.ID, t.Requester = 42, 7
			t.Participants[0].Person = 7
		}
		d.id = t.ID
		raw, err := json.Marshal(t)
		if err != nil {
			d.t.Fatal(err)
		}
		stored := new(Ticket)
		if err := json.Unmarshal(raw, stored); err != nil {
			d.t.Fatal(err)
		}
		d.found.Tickets[t.ID] = stored
		d.logged = append(d.logged, tc.Events...)
		for i, e := range tc.Events {
			if e.Clock == nil {
				continue
			}
			kept := *e.Clock
			kept.At = e.At.Truncate(time.Millisecond)
			if kept.At.IsZero() || !kept.At.Equal(e.Clock.At) {
				d.t.Errorf("event %d %q counts at %s and stands at %s", i, e.What, e.Clock.At, e.At)
			}
			d.found.Log[t.ID] = append(d.found.Log[t.ID], kept)
		}
		for _, m := range tc.Messages {
			m.Ticket = t.ID
			d.found.History = append(d.found.History, m)
		}
		for _, l := range tc.Letters {
			if l.Key == "" || d.keys[l.Key] {
				d.t.Errorf("%s: letter %q to %s twice", d.clock(), l.Key, l.To.Address)
			}
			d.keys[l.Key] = true
			d.told = append(d.told, fmt.Sprintf("%s %s→%s", d.clock(), l.Kind, localPart(l.To.Address)))
		}
	}
	for _, a := range c.Alarms {
		d.told = append(d.told, fmt.Sprintf("%s %s %s", d.clock(), a.State, strings.Join(a.People, " ")))
	}
}

func (d *promiser) clock() string {
	return d.now.In(d.rules.Brands["baleyo"].Location).Format("Mon 15:04")
}

// look does what time causes now, and asks a second time: nothing is left.
func (d *promiser) look() {
	d.t.Helper()
	for n := range 2 {
		d.looks++
		c, due := Watch(*d.ticket(), d.found, d.rules, d.now)
		if !due {
			return
		}
		if n > 0 {
			d.t.Fatalf("%s: looked at again, and not done: %s, watch %s", d.clock(), letters(c), c.Tickets[0].Ticket.Promises.Watch)
		}
		d.save(c)
		if w := d.ticket().Promises.Watch; !w.IsZero() && !w.After(d.now) {
			d.t.Fatalf("%s: wants to be looked at at %s", d.clock(), w)
		}
	}
}

// until looks at each time that the ticket asks for, up to a time.
func (d *promiser) until(end time.Time) {
	d.t.Helper()
	for n := 0; ; n++ {
		w := d.ticket().Promises.Watch
		if w.IsZero() || w.After(end) {
			break
		}
		if n > 1000 {
			d.t.Fatalf("no end of it at %s", d.clock())
		}
		if w.After(d.now) {
			d.now = w
		}
		d.look()
	}
	d.now = end
}

// receive lets a mail in, as the worker does, and looks at once.
func (d *promiser) receive(in Inbound) {
	d.t.Helper()
	in.Received = d.now
	d.take(in)
}

// take is receive of a mail that came before.
func (d *promiser) take(in Inbound) {
	d.t.Helper()
	in.Ledger += int64(len(d.keys)) * 1000
	c := Receive(d.found, in, d.rules, d.now)
	if len(c.Tickets) == 0 {
		d.t.Fatalf("%s: %s %s", c.Disposition, c.Reason, c.Detail)
	}
	d.save(c)
	d.look()
}

func (d *promiser) agent(a Agent, commands []string, text string) {
	d.t.Helper()
	d.receive(fromAgent(a, d.ticket().Version, commands, text))
}

// cites makes a mail an answer to one of the desk's letters to the customer.
func (d *promiser) cites(in *Inbound) {
	relay := d.rules.Keys.RelayAddress("support@baleyo.test", "+", Relay{d.id, 7, RelayCustomer, 0})
	in.To, in.Recipients = []Address{{Address: relay}}, []string{relay}
	in.Auth.Pass = true
}

// whats are the events since the last call.
func (d *promiser) whats() (out []string) {
	for _, e := range d.logged {
		out = append(out, e.What)
	}
	d.logged = nil
	return out
}

// clockLog is what moved the clocks.
func (d *promiser) clockLog() string {
	var out []string
	for _, e := range d.found.Log[d.id] {
		s := string(e.Kind)
		switch e.Kind {
		case sla.StatusChanged:
			s += " " + e.Status
		case sla.FactsChanged:
			s += " " + e.Facts.Customer
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

// wantTold compares what was told since the last call.
func (d *promiser) wantTold(lines ...string) {
	d.t.Helper()
	if got, want := strings.Join(d.told, "\n"), strings.Join(lines, "\n"); got != want {
		d.t.Errorf("told:\n%s\nwant:\n%s", got, want)
	}
	d.told = nil
}

// open logs a request of a severity; the customer mailed it, too.
func (d *promiser) open(severity string) {
	d.t.Helper()
	c, _, problems := Operate(d.found, Operation{
		By: Agent{Name: "root", Address: "root@baleyo.test", Role: RoleAdmin}, Brand: "baleyo",
		Commands: []string{"#severity " + severity, "#category technical"}, Text: "It will not print.",
		New: &NewRequest{From: Address{"Maria Lopez", "maria@example.org"}, Subject: "Printer is offline"},
	}, d.rules, d.now)
	if len(problems) > 0 {
		d.t.Fatal(problems)
	}
	c.Tickets[0].Messages[0].MessageID, c.Tickets[0].Messages[0].Ledger, c.Tickets[0].Messages[0].Channel = "first@example.org", 501, ChannelMail
	d.save(c)
	d.look()
}

// TestSeedTimes: the numbers of the five documents: 4 hours to the first answer,
// 2 for technical issues, 24, 48 and 72 hours and 5 working days to the
// solution, in the hours of row C1.
func TestSeedTimes(t *testing.T) {
	t.Parallel()
	berlin := mustZone(t, "Europe/Berlin")
	const layout = "2006-01-02 15:04 -07:00"
	for name, tc := range map[string]struct {
		contact, opens                                    string
		technical, other, critical, high, medium, working string
	}{
		"Friday 17:00": {"2026-01-09 17:00 +01:00", "",
			"2026-01-10 10:50 +01:00", "2026-01-10 12:50 +01:00",
			"2026-01-10 17:00 +01:00", "2026-01-11 17:00 +01:00", "2026-01-12 17:00 +01:00", "2026-01-15 17:00 +01:00"},
		"Saturday 13:29": {"2026-01-10 13:29 +01:00", "",
			"2026-01-12 11:59 +01:00", "2026-01-12 13:59 +01:00",
			"2026-01-11 13:29 +01:00", "2026-01-12 13:29 +01:00", "2026-01-13 13:29 +01:00", "2026-01-16 13:29 +01:00"},
		"Sunday": {"2026-01-11 12:00 +01:00", "2026-01-12 10:00 +01:00",
			"2026-01-12 12:00 +01:00", "2026-01-12 14:00 +01:00",
			"2026-01-12 12:00 +01:00", "2026-01-13 12:00 +01:00", "2026-01-14 12:00 +01:00", "2026-01-17 10:00 +01:00"},
		"a holiday, Thursday": {"2026-01-01 11:00 +01:00", "2026-01-02 10:00 +01:00",
			"2026-01-02 12:00 +01:00", "2026-01-02 14:00 +01:00",
			"2026-01-02 11:00 +01:00", "2026-01-03 11:00 +01:00", "2026-01-04 11:00 +01:00", "2026-01-08 10:00 +01:00"},
		"Saturday 13:29, the clocks go forward on Sunday": {"2026-03-28 13:29 +01:00", "",
			"2026-03-30 11:59 +02:00", "2026-03-30 13:59 +02:00",
			"2026-03-29 14:29 +02:00", "2026-03-30 14:29 +02:00", "2026-03-31 14:29 +02:00", "2026-04-03 13:29 +02:00"},
		"Saturday 13:29, the clocks go back on Sunday": {"2026-10-24 13:29 +02:00", "",
			"2026-10-26 11:59 +01:00", "2026-10-26 13:59 +01:00",
			"2026-10-25 12:29 +01:00", "2026-10-26 12:29 +01:00", "2026-10-27 12:29 +01:00", "2026-10-30 13:29 +01:00"},
	} {
		rules := promising(t, berlin, sla.Date{Year: 2026, Month: 1, Day: 1})
		now, err := time.Parse(layout, tc.contact)
		if err != nil {
			t.Fatal(err)
		}
		show := func(at time.Time) string {
			if at.IsZero() {
				return ""
			}
			return at.In(berlin).Format(layout)
		}
		for _, c := range []struct{ category, severity, first, solved string }{
			{"technical", "critical", tc.technical, tc.critical}, {"billing", "high", tc.other, tc.high},
			{"billing", "medium", tc.other, tc.medium}, {"technical", "low", tc.technical, tc.working},
		} {
			change, _, problems := Operate(foundWith(), Operation{
				By: chandra, Brand: "baleyo", Commands: []string{"#severity " + c.severity, "#category " + c.category}, Text: "It will not print.",
				New: &NewRequest{From: Address{"Maria Lopez", "maria@example.org"}, Subject: "Printer"},
			}, rules, now)
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			what := name + ", " + c.category + ", " + c.severity + ": "
			p, ack := change.Tickets[0].Ticket.Promises, letter(t, change, LetterAcknowledgement).Data
			want(t, what+"first answer", show(p.Clock(sla.FirstResponse).Due), c.first)
			want(t, what+"solution", show(p.Clock(sla.Resolution).Due), c.solved)
			want(t, what+"the acknowledgement's answer", show(ack.Due), c.first)
			want(t, what+"the acknowledgement's solution", show(ack.SolveBy), c.solved)
			want(t, what+"the acknowledgement's opening", show(ack.Opens), tc.opens)
			want(t, what+"in words", ack.RespondWithin, map[string]string{"technical": "2 business hours", "billing": "4 business hours"}[c.category])
		}
	}
}

// saturday is 20:00 on a Saturday in winter, in Berlin.
func saturday(t *testing.T) (*time.Location, time.Time) {
	berlin := mustZone(t, "Europe/Berlin")
	return berlin, time.Date(2026, 1, 10, 20, 0, 0, 0, berlin)
}

// TestCriticalOnSaturdayEvening is the whole ladder, rows C4 to C8: what is told
// when, to whom, and nothing twice though every look is followed by another and
// every saved ticket read anew.
func TestCriticalOnSaturdayEvening(t *testing.T) {
	t.Parallel()
	berlin, now := saturday(t)
	d := openPromiser(t, promising(t, berlin), now)
	d.open("critical")
	d.wantTold(
		"Sat 20:00 acknowledgement→maria", "Sat 20:00 agent-new→asha", "Sat 20:00 agent-new→bikram",
		"Sat 20:00 agent-escalation→eva", "Sat 20:00 escalated→maria", "Sat 20:00 ringing eva@baleyo.test")
	want(t, "tier", d.ticket().Tier, 1)

	d.until(now.Add(5 * time.Minute))
	d.agent(eva, []string{"#ack"}, "")
	want(t, "acknowledged by", d.ticket().Promises.AckedBy, eva.Address)
	d.wantTold("Sat 20:05 agent-receipt→eva")

	d.until(now.Add(4 * time.Hour)) // the agent is asked before, the customer told at the beat
	d.wantTold("Sat 21:30 agent-ask-update→eva", "Sat 21:59 update→maria", "Sat 23:29 agent-ask-update→eva", "Sat 23:58 update→maria")

	d.until(now.Add(5 * time.Hour))
	d.agent(eva, []string{"#update"}, "The vendor has found the fault.")
	d.told = nil
	d.until(now.Add(6 * time.Hour)) // with the words nobody is asked for more
	d.wantTold("Sun 01:57 update→maria")

	d.until(now.Add(17 * time.Hour))
	d.told = nil
	d.until(now.Add(18 * time.Hour)) // 75 % of 24 hours
	d.told = slices.DeleteFunc(d.told, func(s string) bool { return strings.Contains(s, "update") })
	d.wantTold("Sun 14:00 agent-warning→eva", "Sun 14:00 agent-warning→dorji")

	d.until(now.Add(24*time.Hour + time.Minute)) // the notice is left out when the customer just heard
	d.told = slices.DeleteFunc(d.told, func(s string) bool { return strings.Contains(s, "update") })
	d.wantTold("Sun 19:30 delay→maria",
		"Sun 20:00 agent-breach→eva", "Sun 20:00 agent-breach→dorji",
		"Sun 20:00 agent-escalation→chandra", "Sun 20:00 agent-receipt→eva", "Sun 20:00 escalated→maria", "Sun 20:00 ringing chandra@baleyo.test")

	d.until(now.Add(24*time.Hour + 20*time.Minute)) // nobody took it, and it is on the last tier: the managers get it
	d.wantTold("Sun 20:15 agent-escalation→dorji")

	d.agent(chandra, []string{"#close"}, "The fault is repaired.")
	d.wantTold("Sun 20:20 resolution→maria", "Sun 20:20 agent-receipt→chandra")
	d.until(now.Add(30 * 24 * time.Hour))
	d.wantTold() // nothing after the resolution
	want(t, "watched", d.ticket().Promises.Watch.IsZero(), true)
}

// TestEscalationBringsTheHistory: row C4, the letter has all that was written,
// and the mails themselves.
func TestEscalationBringsTheHistory(t *testing.T) {
	t.Parallel()
	berlin, now := saturday(t)
	d := openPromiser(t, promising(t, berlin), now)
	d.open("medium")
	d.now = now.Add(time.Hour)
	d.agent(asha, []string{"#note"}, "Sounds like the mainboard.")
	found, rules := d.found, d.rules
	c := Receive(found, fromAgent(asha, d.ticket().Version, []string{"#escalate they lose money"}, ""), rules, d.now)
	l := letter(t, c, LetterEscalation)
	want(t, "to", l.To.Address, eva.Address)
	want(t, "why", l.Data.Why, "Asha: they lose money")
	want(t, "team", l.Data.Team, "senior")
	want(t, "messages", len(l.Data.Newer), 2)
	want(t, "the note", l.Data.Newer[1].Text, "Sounds like the mainboard.")
	want(t, "the mails", fmt.Sprint(l.Data.Attach[0]), "501")
	want(t, "receipt", letter(t, c, LetterReceipt).Data.Done[0], "escalated to senior")
	want(t, "the customer", letter(t, c, LetterEscalated).To.Address, "maria@example.org")
	want(t, "no phone rings", len(c.Alarms), 0)
}

// TestLateLook: a desk that was down tells each once and in order, and the
// customer one update, not those whose time has passed.
func TestLateLook(t *testing.T) {
	t.Parallel()
	berlin, now := saturday(t)
	d := openPromiser(t, promising(t, berlin), now)
	d.open("critical")
	d.told, d.logged = nil, nil
	d.now = now.Add(25 * time.Hour)
	d.look()
	d.wantTold( // one step up, because nobody took it and because of the breach; the warning has become the breach
		"Sun 21:00 agent-escalation→chandra", "Sun 21:00 escalated→maria", "Sun 21:00 update→maria",
		"Sun 21:00 agent-breach→chandra", "Sun 21:00 agent-breach→dorji", "Sun 21:00 ringing chandra@baleyo.test")
	want(t, "logged", strings.Join(d.whats(), ", "), "escalated, ringing, updated, breached, warned, breached, escalated")
}

// TestStepsNobodyTakes climbs to the managers, tells the requester of it once
// an hour, and ends.
func TestStepsNobodyTakes(t *testing.T) {
	t.Parallel()
	berlin, now := saturday(t)
	d := openPromiser(t, promising(t, berlin), now)
	d.open("high")
	d.until(now.Add(6 * time.Hour))
	d.wantTold("Sat 20:00 acknowledgement→maria", "Sat 20:00 agent-new→asha", "Sat 20:00 agent-new→bikram",
		"Sat 20:00 agent-escalation→eva", "Sat 20:00 escalated→maria",
		"Sat 20:15 agent-escalation→chandra", "Sat 20:30 agent-escalation→dorji")
}

// TestInHand: who acknowledges, takes the ticket or answers has it in hand.
func TestInHand(t *testing.T) {
	t.Parallel()
	for name, does := range map[string]func(*promiser){
		"#ack":   func(d *promiser) { d.agent(eva, []string{"#ack"}, "") },
		"#take":  func(d *promiser) { d.agent(eva, []string{"#take"}, "") },
		"answer": func(d *promiser) { d.agent(eva, nil, "We are on it.") },
	} {
		berlin, now := saturday(t)
		d := openPromiser(t, promising(t, berlin), now)
		d.open("high")
		d.until(now.Add(10 * time.Minute))
		does(d)
		d.told = nil
		d.until(now.Add(2 * time.Hour))
		if strings.Contains(strings.Join(d.told, "\n"), "escalation") {
			t.Errorf("%s: it climbed: %s", name, d.told)
		}
	}
}

// TestSeverityRises: a rise is a step up, the same severity again and a fall are
// none; each change is told to the customer (row B5).
func TestSeverityRises(t *testing.T) {
	t.Parallel()
	berlin, now := saturday(t)
	rules := promising(t, berlin)
	rules.Matrix = Matrix{{4, 3}: "critical", {2, 2}: "medium"}
	d := openPromiser(t, rules, now)
	d.open("medium")
	steps := func(what string, commands []string, tier int, letters ...string) {
		t.Helper()
		d.told = nil
		d.until(d.now.Add(5 * time.Minute))
		d.agent(eva, append(commands, "#take"), "")
		d.told = slices.DeleteFunc(d.told, func(s string) bool { return strings.Contains(s, "receipt") })
		for i := range d.told {
			d.told[i] = d.told[i][len("Sat 20:05 "):]
		}
		want(t, what, strings.Join(d.told, ", "), strings.Join(letters, ", "))
		want(t, what+": tier", d.ticket().Tier, tier)
	}
	steps("to high", []string{"#severity high"}, 1, "priority→maria", "agent-escalation→eva", "escalated→maria")
	steps("to high again", []string{"#severity high"}, 1)
	steps("by impact and urgency to critical", []string{"#impact 4", "#urgency 3"}, 2, "priority→maria", "agent-escalation→chandra", "ringing chandra@baleyo.test")
	want(t, "severity", d.ticket().Severity, "critical")
	steps("down to high", []string{"#severity high"}, 2, "priority→maria")
	steps("down to medium by the matrix", []string{"#impact 2", "#urgency 2"}, 2, "priority→maria")
	steps("named beats computed", []string{"#severity low", "#impact 4", "#urgency 3"}, 2, "priority→maria")
}

// TestClockSetBack: two hours back tell nothing twice, and the ticket goes on.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	berlin, now := saturday(t)
	d := openPromiser(t, promising(t, berlin), now)
	d.open("critical")
	d.agent(eva, []string{"#take"}, "")
	d.until(now.Add(2 * time.Hour))
	d.told = nil
	d.now = now
	d.look()
	d.until(now.Add(2*time.Hour - time.Minute))
	d.wantTold()
	d.until(now.Add(4 * time.Hour))
	d.wantTold("Sat 23:29 agent-ask-update→eva", "Sat 23:58 update→maria")
	d.now = now.Add(time.Hour) // back, and the customer writes: no time before the last event
	d.receive(mail(func(in *Inbound) {
		in.Content, in.MessageID, in.InReplyTo = [32]byte{5}, "second@example.org", []string{"first@example.org"}
		d.cites(in)
	}))
	log := d.found.Log[42]
	for i := 1; i < len(log); i++ {
		if log[i].At.Before(log[i-1].At) {
			t.Errorf("the log goes back: %v", log)
		}
	}
}

// TestPausedAndResolved: while the customer is to answer no clock runs and
// nothing is told; nor after a resolution, until it is reopened.
func TestPausedAndResolved(t *testing.T) {
	t.Parallel()
	berlin, now := saturday(t)
	d := openPromiser(t, promising(t, berlin), now)
	d.open("critical")
	d.agent(eva, []string{"#pending"}, "Which model is it?")
	d.told = nil
	d.until(now.Add(48 * time.Hour))
	d.wantTold()
	d.receive(mail(func(in *Inbound) {
		in.Content, in.MessageID, in.Reply = [32]byte{5}, "second@example.org", "An LX."
		d.cites(in)
	}))
	want(t, "status", d.ticket().Status, StatusOpen)
	want(t, "resolution goes on", d.ticket().Promises.Clock(sla.Resolution).Due.Equal(d.now.Add(24*time.Hour)), true)
	d.agent(eva, []string{"#close"}, "It is solved.")
	d.told = nil
	d.until(d.now.Add(72 * time.Hour))
	d.wantTold()
	d.receive(mail(func(in *Inbound) {
		in.Content, in.MessageID, in.Reply = [32]byte{6}, "third@example.org", "It is broken again."
		d.cites(in)
	}))
	want(t, "reopened", d.ticket().Status, StatusOpen)
	want(t, "its whole time again", d.ticket().Promises.Clock(sla.Resolution).Due.Equal(d.now.Add(24*time.Hour)), true)
	want(t, "an answer is due", d.ticket().Promises.Clock(sla.NextResponse).State, sla.StateRunning)
}

// TestDelayNotice: any severity, once for each promise, and not to who just
// heard from the desk.
func TestDelayNotice(t *testing.T) {
	t.Parallel()
	berlin := mustZone(t, "Europe/Berlin")
	now := time.Date(2026, 1, 12, 10, 0, 0, 0, berlin)
	d := openPromiser(t, promising(t, berlin), now)
	d.open("low")
	d.until(now.Add(2*time.Hour - time.Minute))
	d.told = slices.DeleteFunc(d.told, func(s string) bool { return strings.Contains(s, "agent-") || strings.Contains(s, "ack") })
	d.wantTold("Mon 11:30 delay→maria")
	d.agent(asha, nil, "We look into it.")
	d.told = nil

	again := openPromiser(t, promising(t, berlin), now)
	again.open("medium")
	again.agent(asha, nil, "We look into it.")
	again.until(now.Add(72*time.Hour - 45*time.Minute))
	again.agent(asha, nil, "Still looking.")
	again.told = nil
	again.until(now.Add(72*time.Hour - time.Minute))
	again.wantTold() // the resolution will be late, and the customer heard a quarter of an hour before

	// Mail of ten days ago is not acknowledged: nobody heard of the promise either.
	old := openPromiser(t, promising(t, berlin), now.AddDate(0, 0, 10))
	old.take(mail(func(in *Inbound) { in.Received = now }))
	old.until(now.AddDate(0, 0, 10).Add(time.Hour))
	for _, told := range old.told {
		if strings.Contains(told, "delay") || strings.Contains(told, "ack") {
			t.Errorf("after an outage of ten days: %s", told)
		}
	}
	if len(old.told) == 0 || old.ticket().Promises.Clock(sla.FirstResponse).State != sla.StateBreached {
		t.Errorf("told %q, first answer %+v; want agents to hear that it was missed", old.told, old.ticket().Promises.Clock(sla.FirstResponse))
	}
}

// TestWhatMovesNoClock: an acknowledgement is no answer; a third party's mail
// and automatic mail are no messages of the customer.
func TestWhatMovesNoClock(t *testing.T) {
	t.Parallel()
	berlin, now := saturday(t)
	d := openPromiser(t, promising(t, berlin), now)
	d.open("medium")
	want(t, "events", d.clockLog(), "opened")
	d.agent(asha, nil, "Please switch it off and on.")
	d.receive(mail(func(in *Inbound) {
		in.Content, in.MessageID = [32]byte{5}, "second@example.org"
		in.Kind = KindAutoReply
		d.cites(in)
	}))
	d.receive(mail(func(in *Inbound) {
		in.Content, in.MessageID, in.From = [32]byte{6}, "third@elsewhere.test", Address{Address: "third@elsewhere.test"}
		d.cites(in)
	}))
	d.agent(asha, []string{"#note"}, "Odd.")
	want(t, "after mails that move nothing", d.clockLog(), "opened, answered, status open")
	d.receive(mail(func(in *Inbound) {
		in.Content, in.MessageID, in.Reply = [32]byte{7}, "fourth@example.org", "No, still off."
		d.cites(in)
	}))
	want(t, "after the customer's", d.clockLog(), "opened, answered, status open, wrote")
	d.agent(asha, []string{"#close"}, "Solved.")
	d.receive(mail(func(in *Inbound) {
		in.Content, in.MessageID, in.Reply = [32]byte{8}, "fifth@example.org", "Thank you!"
		d.cites(in)
	}))
	want(t, "after the thanks", d.clockLog(), "opened, answered, status open, wrote, answered, status resolved, status closed")
}

// TestTerms: the contract of the profile, else of the organisation by its mail
// domain, chooses the promises; a change of it is an event.
func TestTerms(t *testing.T) {
	t.Parallel()
	berlin, now := saturday(t)
	rules := promising(t, berlin)
	rules.Contracts = map[string]Contract{"gold": {Key: "gold"}, "silver": {Key: "silver"}}
	rules.Organisations = []Organisation{{Key: "example", Domains: []string{"example.org"}, Contract: "silver"}}
	rules.Policy.Rules = append(rules.Policy.Rules, sla.Rule{Name: "gold", If: sla.Facts{Customer: "gold"}, Targets: map[sla.Clock]sla.Target{
		sla.FirstResponse: {Within: sla.Duration{Count: 1, Unit: sla.Hour}}}})
	d := openPromiser(t, rules, now)
	d.open("medium")
	want(t, "by the domain", d.found.Log[42][0].Facts, sla.Facts{Customer: "silver", Severity: "medium", Category: "technical", Brand: "baleyo"})
	stored := *d.ticket()
	stored.Profile.Contract = "gold"
	d.found.Tickets[42] = &stored
	d.receive(mail(func(in *Inbound) { in.Content, in.MessageID = [32]byte{5}, "second@example.org"; d.cites(in) }))
	want(t, "by the profile", d.ticket().Promises.Clock(sla.FirstResponse).Within, "1 hour")
	want(t, "events", d.clockLog(), "opened, wrote, facts gold")
}

// TestUpdateCommand: words for the next update stay inside until then; where no
// updates are promised the mail is held.
func TestUpdateCommand(t *testing.T) {
	t.Parallel()
	berlin, now := saturday(t)
	d := openPromiser(t, promising(t, berlin), now)
	d.open("critical")
	c := Receive(d.found, fromAgent(eva, d.ticket().Version, []string{"#update"}, "A part is on its way."), d.rules, now)
	want(t, "letters", letters(c), "agent-receipt→eva@baleyo.test")
	want(t, "note", c.Tickets[0].Ticket.Promises.UpdateNote, "A part is on its way.")
	d.save(c)
	d.now = now.Add(119 * time.Minute)
	c, _ = Watch(*d.ticket(), d.found, d.rules, d.now)
	want(t, "the update", letter(t, c, LetterUpdate).Data.Text, "A part is on its way.")
	want(t, "used up", c.Tickets[0].Ticket.Promises.UpdateNote, "")

	d = openPromiser(t, promising(t, berlin), now)
	d.open("medium")
	c = Receive(d.found, fromAgent(asha, d.ticket().Version, []string{"#update soon"}, ""), d.rules, now)
	want(t, "held", letter(t, c, LetterHeld).Data.Problems[0], "#update: no status updates are promised on this ticket; send your words as an answer")
}

// TestMergedAndSplitClocks: the clocks of a merged ticket end without a verdict,
// what came in unanswered waits where it lives on; a ticket that is split off
// begins at the split.
func TestMergedAndSplitClocks(t *testing.T) {
	t.Parallel()
	berlin, now := saturday(t)
	rules := promising(t, berlin)
	d := openPromiser(t, rules, now)
	d.open("medium")
	other := stored(func(t *Ticket) { t.ID = 50 })
	d.found.Tickets[50] = other
	d.found.Log[50] = []sla.Event{{At: now.Add(-time.Hour), Kind: sla.Opened, Status: "new"}, {At: now.Add(-time.Minute), Kind: sla.Answered}}
	c := Receive(d.found, fromAgent(asha, d.ticket().Version, []string{"#merge 50"}, ""), rules, now.Add(time.Minute))
	var into, from Ticket
	for _, tc := range c.Tickets {
		if tc.Ticket.ID == 50 {
			into = tc.Ticket
		} else {
			from = tc.Ticket
		}
	}
	want(t, "into waits", into.Promises.Clock(sla.NextResponse).State, sla.StateRunning)
	want(t, "from ended", from.Promises.Clock(sla.Resolution).State, sla.StateVoid)
	want(t, "from is not watched", from.Promises.Watch.IsZero(), true)

	d.receive(mail(func(in *Inbound) {
		in.Content, in.MessageID, in.Reply = [32]byte{5}, "second@example.org", "And the scanner."
		d.cites(in)
	}))
	d.found.History[1].Seq, d.found.History[1].ID = 2, 2
	at := now.Add(5 * time.Hour)
	c = Receive(d.found, fromAgent(asha, d.ticket().Version, []string{"#split"}, ""), rules, at)
	fresh := c.Tickets[1]
	want(t, "opened", fresh.Events[0].Clock.Kind, sla.Opened)
	want(t, "at the split", fresh.Events[0].Clock.At.Equal(at), true)
}

// TestQueueOrder: row B6.
func TestQueueOrder(t *testing.T) {
	t.Parallel()
	rules := Rules{Order: []string{"critical", "high", "medium", "low"}}
	list := []Ticket{
		{ID: 1, Severity: "low", Status: StatusNew, Opened: noon.Add(-9 * time.Hour)},
		{ID: 2, Severity: "high", Status: StatusOpen, Opened: noon},
		{ID: 3, Severity: "high", Status: StatusNew, Opened: noon},
		{ID: 4, Severity: "high", Status: StatusNew, Opened: noon.Add(-time.Hour)},
		{ID: 5, Severity: "critical", Status: StatusPending, Opened: noon},
		{ID: 6, Severity: "", Status: StatusNew, Opened: noon},
		{ID: 7, Severity: "medium", Status: StatusResolved, Opened: noon},
	}
	var got []int64
	for _, x := range QueueOrder(list, rules) {
		got = append(got, x.ID)
	}
	want(t, "order", fmt.Sprint(got), "[5 4 3 2 7 6 1]")
	want(t, "the list", list[0].ID, int64(1))
}
