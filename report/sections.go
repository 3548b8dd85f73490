package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"frontdesk/sla"
	"frontdesk/tickets"
)

// section is one table of a report.
type section struct {
	title string
	note  string // a sentence below the table
	head  []string
	rows  [][]string
	left  int // so many columns stand left, the others right
	last  bool
}

// titleOf is the report's own title.
func titleOf(f tickets.Figures, w *words) string {
	kind, ok := w.titles[f.Title]
	if !ok {
		kind = w.titles[""]
	}
	if name := oneLine(or(f.Name, f.Brand), 60); name != "" {
		return name + ": " + kind
	}
	return kind
}

// Title is the report's title in a language, "Baleyo: Weekly report", and its
// days.
func Title(f tickets.Figures, language string) (title, days string) {
	w := spoken(language)
	return titleOf(f, w), w.period(f.From, f.To, zoneOf(f))
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// intro are the sentences below the title.
func intro(f tickets.Figures, w *words) (lines []string) {
	zone := zoneOf(f)
	days := w.period(f.From, f.To, zone)
	if !f.New {
		days += ", " + w.say("compared") + " " + w.period(f.Before, f.From, zone)
	}
	lines = append(lines, days+".")
	switch {
	case f.Empty():
		lines = append(lines, w.say("empty"))
	case f.New:
		lines = append(lines, w.say("first"))
	}
	return lines
}

// sections are all that a report says, in order. Those with nothing to say are
// left out.
func sections(f tickets.Figures, w *words) []section {
	if f.Empty() {
		return nil
	}
	var out []section
	for _, s := range []section{
		summary(f, w), promises(f, w),
		groups("by brand", manyOf(f.Brands), w, nil), groups("by queue", f.Queues, w, nil), groups("by channel", f.Channels, w, w.channel), groups("by category", f.Categories, w, nil),
		agents(f, w), ages(f, w), satisfaction(f, w), breaches(f, w), again(f, w), articles(f, w), incidents(f, w), letters(f, w),
	} {
		if len(s.rows) > 0 {
			out = append(out, s)
		}
	}
	return out
}

// manyOf leaves out a single brand: it is the whole.
func manyOf(list []tickets.Group) []tickets.Group {
	if len(list) < 2 {
		return nil
	}
	return list
}

func (w *words) channel(key string) string {
	if name, ok := w.channels[tickets.Channel(key)]; ok {
		return name
	}
	return key
}

func (w *words) clock(c sla.Clock) string {
	if name, ok := w.clocks[string(c)]; ok {
		return name
	}
	return string(c)
}

// summary compares the whole with the period before.
func summary(f tickets.Figures, w *words) section {
	s := section{title: w.say("summary"), head: []string{"", w.say("this"), w.say("before"), w.say("change")}, left: 1, last: true}
	a, b := f.Total.Period, f.Total.Before
	row := func(name, now, before, change string) {
		if f.New {
			s.rows = append(s.rows, []string{w.say(name), now})
			return
		}
		s.rows = append(s.rows, []string{w.say(name), now, before, change})
	}
	if f.New {
		s.head = s.head[:2]
		s.last = false
	}
	amount := func(name string, now, before int) {
		row(name, strconv.Itoa(now), strconv.Itoa(before), w.change(float64(now), float64(before), "more", "less"))
	}
	lasting := func(name string, now, before tickets.Spread, of func(tickets.Spread) time.Duration) {
		if now.Count+before.Count == 0 {
			return
		}
		change := "–"
		if now.Count > 0 && before.Count > 0 {
			change = w.change(of(now).Seconds(), of(before).Seconds(), "longer", "shorter")
		}
		shown := func(s tickets.Spread) string {
			if s.Count == 0 {
				return "–"
			}
			return span(of(s))
		}
		row(name, shown(now), shown(before), change)
	}
	share := func(name string, now float64, okNow bool, before float64, okBefore bool) {
		if !okNow && !okBefore {
			return
		}
		change := "–"
		if okNow && okBefore {
			change = w.points(100*now, 100*before)
		}
		row(name, w.percent(now, okNow), w.percent(before, okBefore), change)
	}
	median, p90 := func(s tickets.Spread) time.Duration { return s.Median }, func(s tickets.Spread) time.Duration { return s.P90 }
	amount("opened", a.Opened, b.Opened)
	amount("resolved", a.Resolved, b.Resolved)
	amount("closed", a.Closed, b.Closed)
	amount("reopened", a.Reopened, b.Reopened)
	nowRate, ok := a.ReopenRate()
	beforeRate, okBefore := b.ReopenRate()
	share("reopen rate", nowRate, ok, beforeRate, okBefore)
	amount("backlog", a.Backlog, b.Backlog)
	nowRate, ok = a.ResponseRate()
	beforeRate, okBefore = b.ResponseRate()
	share("response rate", nowRate, ok, beforeRate, okBefore)
	lasting("first response", a.FirstResponse, b.FirstResponse, median)
	lasting("first response business", a.FirstResponseBusiness, b.FirstResponseBusiness, median)
	lasting("first response p90", a.FirstResponse, b.FirstResponse, p90)
	lasting("resolution", a.Resolution, b.Resolution, median)
	lasting("resolution business", a.ResolutionBusiness, b.ResolutionBusiness, median)
	lasting("resolution p90", a.Resolution, b.Resolution, p90)
	keptNow, okNow := allPromises(a).Share()
	keptBefore, okThen := allPromises(b).Share()
	share("kept", keptNow, okNow, keptBefore, okThen)
	csatNow, csatBefore := a.Survey(tickets.SurveyCSAT), b.Survey(tickets.SurveyCSAT)
	share("csat", csatNow.Good, csatNow.Answered > 0, csatBefore.Good, csatBefore.Answered > 0)
	amount("answers", a.Answered, b.Answered)
	if a.Worked+b.Worked > 0 {
		row("worked", hours(a.Worked), hours(b.Worked), w.change(float64(a.Worked), float64(b.Worked), "more", "less"))
	}
	return s
}

// allPromises adds up the clocks.
func allPromises(t tickets.Tally) (all tickets.PromiseFigures) {
	for _, p := range t.Promises {
		all.Kept, all.Broken = all.Kept+p.Kept, all.Broken+p.Broken
	}
	return all
}

// promises compares each clock with the period before.
func promises(f tickets.Figures, w *words) section {
	s := section{title: w.say("promises"), head: []string{w.say("promise"), w.say("kept of"), w.say("broken"), w.say("share"), w.say("before")}, left: 1}
	for _, clock := range sla.Clocks {
		p, b := f.Total.Period.Promise(clock), f.Total.Before.Promise(clock)
		if p.Kept+p.Broken+b.Kept+b.Broken == 0 {
			continue
		}
		s.rows = append(s.rows, []string{w.clock(clock), strconv.Itoa(p.Kept), strconv.Itoa(p.Broken), w.percent(p.Share()), w.percent(b.Share())})
	}
	return s
}

// groups compares queues, categories and the like with each other.
func groups(title string, list []tickets.Group, w *words, name func(string) string) section {
	s := section{title: w.say(title), head: []string{"", w.say("col opened"), w.say("col rate"), w.say("col first"), w.say("col resolution"), w.say("col open")}, left: 1}
	for _, g := range list {
		t := g.Period
		if t.Opened+t.Resolved+t.Backlog+t.FirstResponse.Count == 0 {
			continue
		}
		called := or(g.Title, g.Key)
		if name != nil {
			called = name(g.Key)
		}
		s.rows = append(s.rows, []string{
			oneLine(or(called, w.say("none")), 40), strconv.Itoa(t.Opened), w.percent(t.ResponseRate()),
			spread(t.FirstResponse), spread(t.Resolution), strconv.Itoa(t.Backlog),
		})
	}
	return s
}

// agents is what each of them did.
func agents(f tickets.Figures, w *words) section {
	s := section{title: w.say("by agent"), head: []string{"", w.say("col answers"), w.say("col resolved"), w.say("col worked"), w.say("col csat"), w.say("col open")}, left: 1}
	for _, g := range f.Agents {
		t := g.Period
		csat := t.Survey(tickets.SurveyCSAT)
		if t.Answered+t.Resolved+t.Worked+t.Backlog+csat.Answered == 0 {
			continue
		}
		worked, score := "–", "–"
		if t.Worked > 0 {
			worked = hours(t.Worked)
		}
		if csat.Answered > 0 {
			score = fmt.Sprintf("%s (%d)", w.number(csat.Mean), csat.Answered)
		}
		s.rows = append(s.rows, []string{oneLine(or(g.Title, g.Key), 40), strconv.Itoa(t.Answered), strconv.Itoa(t.Resolved), worked, score, strconv.Itoa(t.Backlog)})
	}
	return s
}

// between names the parts of a distribution: "under 1 h", "1 h to 2 h", "over 3 d".
func between(list []tickets.Share, w *words) []string {
	var out []string
	for i, s := range list {
		switch {
		case i == 0:
			out = append(out, fmt.Sprintf(w.say("under"), span(s.UpTo)))
		case s.UpTo == 0:
			out = append(out, fmt.Sprintf(w.say("over"), span(list[i-1].UpTo)))
		default:
			out = append(out, fmt.Sprintf(w.say("from to"), span(list[i-1].UpTo), span(s.UpTo)))
		}
	}
	return out
}

func ages(f tickets.Figures, w *words) section {
	s := section{title: w.say("ages"), head: []string{w.say("age"), w.say("tickets")}, left: 1}
	total := 0
	for _, a := range f.Ages {
		total += a.Count
	}
	if total == 0 {
		return s
	}
	for i, name := range between(f.Ages, w) {
		s.rows = append(s.rows, []string{name, strconv.Itoa(f.Ages[i].Count)})
	}
	return s
}

// satisfaction is what customers answered, with how many did.
func satisfaction(f tickets.Figures, w *words) section {
	s := section{title: w.say("satisfaction"), head: []string{w.say("question"), w.say("asked"), w.say("answered"), w.say("result"), w.say("before")}, left: 1}
	result := func(v tickets.SurveyFigures) string {
		switch {
		case v.Answered == 0:
			return "–"
		case v.Kind == tickets.SurveyCSAT:
			return w.percent(v.Good, true)
		case v.Kind == tickets.SurveyNPS:
			return fmt.Sprintf("%+.0f", v.NPS())
		}
		return w.number(v.Mean)
	}
	for _, kind := range []tickets.SurveyKind{tickets.SurveyCSAT, tickets.SurveyCES, tickets.SurveyNPS} {
		v, b := f.Total.Period.Survey(kind), f.Total.Before.Survey(kind)
		if v.Asked+v.Answered+b.Answered == 0 {
			continue
		}
		s.rows = append(s.rows, []string{w.say(string(kind)), strconv.Itoa(v.Asked), strconv.Itoa(v.Answered), result(v), result(b)})
	}
	return s
}

func breaches(f tickets.Figures, w *words) section {
	s := section{title: w.say("breaches"), head: []string{w.say("ticket"), w.say("subject"), w.say("promise"), w.say("when")}, left: 4}
	zone := zoneOf(f)
	for _, b := range f.Breaches {
		at := b.At.In(zone)
		s.rows = append(s.rows, []string{"#" + strconv.FormatInt(b.Ticket, 10), oneLine(b.Subject, 60), w.clock(b.Clock), fmt.Sprintf(w.nth, at.Day()) + " " + short(w.months[at.Month()-1]) + " " + at.Format("15:04")})
	}
	if len(f.Breaches) == tickets.MostBreaches {
		s.note = fmt.Sprintf(w.say("breaches more"), tickets.MostBreaches)
	}
	return s
}

// short is a month in three letters.
func short(month string) string { return string([]rune(month)[:3]) }

func again(f tickets.Figures, w *words) section {
	s := section{title: w.say("again"), head: []string{w.say("what"), "", w.say("tickets")}, left: 3}
	for _, m := range f.Again {
		whose := m.Requester
		if whose == "" {
			whose = fmt.Sprintf(w.say("customers"), m.Customers)
		}
		s.rows = append(s.rows, []string{oneLine(m.What, 60), oneLine(whose, 40), numbers(m.Tickets)})
	}
	return s
}

// numbers names the newest tickets, and how many there are.
func numbers(list []int64) string {
	const most = 4
	var out []string
	for _, n := range list[max(0, len(list)-most):] {
		out = append(out, "#"+strconv.FormatInt(n, 10))
	}
	if len(list) > most {
		out = append([]string{strconv.Itoa(len(list)) + ": …"}, out...)
	}
	return strings.Join(out, " ")
}

func articles(f tickets.Figures, w *words) section {
	s := section{title: w.say("articles"), head: []string{w.say("article"), w.say("shown"), w.say("inserted"), w.say("solved")}, left: 1}
	for _, a := range f.Articles {
		s.rows = append(s.rows, []string{oneLine(or(a.Title, a.Article), 60), strconv.Itoa(a.Shown), strconv.Itoa(a.Inserted), strconv.Itoa(a.Solved)})
	}
	return s
}

func incidents(f tickets.Figures, w *words) section {
	s := section{title: w.say("incidents"), head: []string{w.say("ticket"), w.say("subject"), w.say("status"), w.say("tickets")}, left: 3}
	for _, v := range f.Incidents {
		status := w.statuses[v.Status]
		s.rows = append(s.rows, []string{"#" + strconv.FormatInt(v.Ticket, 10), oneLine(v.Subject, 60), or(status, string(v.Status)), strconv.Itoa(v.Tickets)})
	}
	return s
}

func letters(f tickets.Figures, w *words) section {
	s := section{title: w.say("letters"), head: []string{"", w.say("this"), w.say("before")}, left: 1}
	if f.New {
		s.head = s.head[:2]
	}
	a, b := f.Total.Period.Letters, f.Total.Before.Letters
	for _, l := range []struct {
		name        string
		now, before int
	}{
		{"mails", a.Mails, b.Mails}, {"bounced", a.Bounced, b.Bounced}, {"failed", a.Failed, b.Failed}, {"texts in", a.TextsIn, b.TextsIn}, {"texts out", a.Texts, b.Texts},
		{"calls in", a.CallsIn, b.CallsIn}, {"calls out", a.Calls, b.Calls}, {"quarantined", a.Quarantined, b.Quarantined},
	} {
		if l.now+l.before > 0 {
			s.rows = append(s.rows, []string{w.say(l.name), strconv.Itoa(l.now), strconv.Itoa(l.before)}[:len(s.head)])
		}
	}
	return s
}
