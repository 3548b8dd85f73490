package sla

import (
	"slices"
	"sync"
	"testing"
	"time"
	_ "time/tzdata"
)

// The simulator says how clocks stand by living through every minute: it looks
// at the wall clock, at the ticket's status, and counts. It shares no
// arithmetic with the package. Times are minutes since simStart.
//
// Its loops are not watched by the race detector, which makes them thirty times
// as slow: nothing in them is shared, and what they are compared with is watched.

const (
	simYears   = 2
	simMinutes = (simYears*365 + 200) * 24 * 60 // two years, and room for due times behind them
)

var simStart = time.Date(2025, time.December, 25, 0, 0, 0, 0, time.UTC)

func at(minute int) time.Time { return simStart.Add(time.Duration(minute) * time.Minute) }

// world is the hours of a desk and, minute by minute, what they mean.
type world struct {
	name  string
	hours Hours

	calendar *Calendar
	open     []bool
	date     []int32 // yyyymmdd on the wall, never going back
	wall     []int16 // minute of that day, never going back
}

// live fills the world by walking through it with a wall clock. When the clock
// is put back, its old time holds until it shows a new one.
//
//go:norace
func (w *world) live() {
	calendar, err := NewCalendar(w.hours)
	if err != nil {
		panic(err)
	}
	w.calendar = calendar
	w.open = make([]bool, simMinutes)
	w.date = make([]int32, simMinutes)
	w.wall = make([]int16, simMinutes)
	var date int32
	var wall int16
	for m := range simMinutes {
		// Clocks change at quarters of an hour.
		var d int32
		var n int16
		if m%15 == 0 {
			t := at(m).In(w.hours.Location)
			year, month, day := t.Date()
			d, n = int32(year*10000+int(month)*100+day), int16(t.Hour()*60+t.Minute())
		} else {
			d, n = w.shownLast(m)
		}
		if d > date || d == date && n > wall {
			date, wall = d, n
		}
		w.date[m], w.wall[m] = date, wall
		w.open[m] = w.works(date, int(wall))
	}
}

// shownLast is what the clock on the wall shows a minute after the quarter.
//
//go:norace
func (w *world) shownLast(m int) (int32, int16) {
	t := at(m - m%15).In(w.hours.Location)
	year, month, day := t.Date()
	return int32(year*10000 + int(month)*100 + day), int16(t.Hour()*60 + t.Minute() + m%15)
}

// works reads the hours as a person would.
//
//go:norace
func (w *world) works(date int32, minute int) bool {
	day := Date{int(date / 10000), time.Month(date / 100 % 100), int(date % 100)}
	if spans, ok := w.hours.Days[day]; ok {
		return within(spans, minute)
	}
	if slices.Contains(w.hours.Holidays.Dates, day) {
		return false
	}
	for _, y := range w.hours.Holidays.Yearly {
		if y.First.Month == day.Month && y.First.Day == day.Day {
			return false
		}
	}
	weekday := time.Date(day.Year, day.Month, day.Day, 0, 0, 0, 0, time.UTC).Weekday()
	return within(w.hours.Week[weekday], minute) || within(w.hours.Week[(weekday+6)%7], minute+24*60)
}

//go:norace
func within(spans []Span, minute int) bool {
	return slices.ContainsFunc(spans, func(s Span) bool { return minute >= s.Open && minute < s.Close })
}

// add walks until the desk has been open for so many minutes.
func (w *world) add(m, minutes int) int {
	for ; minutes > 0; m++ {
		if w.open[m] {
			minutes--
		}
	}
	return m
}

func (w *world) between(a, b int) (n int) {
	for ; a < b; a++ {
		if w.open[a] {
			n++
		}
	}
	return n
}

// workingDays walks to the end of n working days.
func (w *world) workingDays(m, n int) int {
	for !w.open[m] {
		m++
	}
	tod, date := w.wall[m], w.date[m]
	if w.wall[m-1] == tod { // it stands until the clock shows a new time: all of that minute is over
		tod++
	}
	for ; n > 0; m++ {
		if w.open[m] && w.date[m] != date {
			date = w.date[m]
			n--
		}
	}
	m-- // the first open minute of the last day
	end := m
	for ; w.date[m] == date && w.wall[m] < tod; m++ {
		if w.open[m] {
			end = m + 1
		}
	}
	if w.date[m] == date && w.open[m] {
		return m
	}
	return end
}

// worlds are made when they are first asked for, once.
var worlds = sync.OnceValue(func() []*world {
	out := []*world{
		{name: "seed", hours: seedHours("Asia/Kathmandu")},
		{name: "seed in a zone with DST", hours: seedHours("Europe/Berlin")},
		{name: "lunch", hours: Hours{Location: mustZone("America/New_York"), Week: everyDay(Span{8 * 60, 12 * 60}, Span{13*60 + 15, 17*60 + 45})}},
		{name: "nights over the change", hours: Hours{Location: mustZone("Europe/Berlin"), Week: everyDay(Span{30, 150}, Span{150, 195}, Span{22 * 60, 24 * 60})}},
		{name: "across midnight", hours: Hours{Location: mustZone("America/Santiago"), Week: everyDay(Span{20 * 60, 29 * 60})}},
		{name: "half an hour", hours: Hours{Location: mustZone("Australia/Lord_Howe"), Week: everyDay(Span{60, 110}, Span{115, 130}, Span{600, 900})}},
		{name: "gap at midnight", hours: Hours{Location: mustZone("Asia/Beirut"), Week: everyDay(Span{0, 60}, Span{18 * 60, 24 * 60})}},
		{name: "always", hours: Hours{Location: mustZone("America/Sao_Paulo"), Week: everyDay(Span{0, 24 * 60})}},
	}
	var wait sync.WaitGroup
	for i, w := range out {
		w.hours.Holidays = Holidays{
			Dates:  []Date{{2026, 4, 3}, {2026, 4, 6}, {2027, 3, 26}},
			Yearly: []Yearly{{First: Date{2000, 12, 25}}, {First: Date{2000, 1, 1}}},
		}
		w.hours.Days = map[Date][]Span{
			{2026, 12, 24}:               {{8 * 60, 12 * 60}},
			{2026, 5, 1 + i}:             nil,
			{2026, 10, 25}:               {{60, 150}, {10 * 60, 11 * 60}},
			{2027, 3, 28}:                {{60, 140}, {170, 200}},
			{2027, time.September, 1}:    {{0, 24 * 60}},
			{2027, time.December, 25}:    {{600, 660}},
			{2026, time.February, 3 * 7}: {{11 * 60, 12 * 60}},
		}
		wait.Go(w.live)
	}
	wait.Wait()
	return out
})

func everyDay(spans ...Span) (week [7][]Span) {
	for d := range week {
		week[d] = spans
	}
	return week
}

func mustZone(name string) *time.Location {
	loc, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return loc
}

// seedHours are Mon–Fri 10:00–17:40, Sat 09:30–13:30, Sun closed.
func seedHours(zone string) Hours {
	h := Hours{Location: mustZone(zone)}
	for d := time.Monday; d <= time.Friday; d++ {
		h.Week[d] = []Span{{10 * 60, 17*60 + 40}}
	}
	h.Week[time.Saturday] = []Span{{9*60 + 30, 13*60 + 30}}
	return h
}

// simMeter counts one promise, minute by minute.
type simMeter struct {
	w       *world
	d       Duration
	left    int  // minutes; below 0 is overdue
	whole   int  // minutes allowed
	due     int  // reached then, -1 not yet
	fixed   int  // working days without a pause end then; -1 no such
	paused  int  // minutes that would have counted
	held    int  // paused since, -1 is running
	ripe    bool // when it was paused no minute was left, and it was not late
	warnSec int  // seconds of the whole until the warning, -1 none
	warn    int  // in seconds since simStart, -1 not yet
}

func newSimMeter(w *world, d Duration, warn Warn, start int) *simMeter {
	s := &simMeter{w: w, d: d, due: -1, fixed: -1, held: -1, warnSec: -1, warn: -1}
	switch d.Unit {
	case Hour:
		s.whole = d.Count * 60
	case BusinessHour:
		s.whole = d.Count * 60
	case WorkingDay:
		s.fixed = w.workingDays(start, d.Count)
		s.whole = w.between(start, s.fixed)
	case Immediately:
	default:
		panic(d.Unit)
	}
	s.left = s.whole
	if s.left == 0 {
		s.due = start
	}
	if warn.Percent > 0 {
		s.warnSec = s.whole * 60 * warn.Percent / 100
	}
	if warn.Before > 0 {
		before := max(s.whole*60-int(warn.Before/time.Second), 0)
		if s.warnSec < 0 || before < s.warnSec {
			s.warnSec = before
		}
	}
	if s.warnSec == 0 {
		s.warn = start * 60
	}
	return s
}

//go:norace
func (s *simMeter) counts(m int) bool {
	return s.d.Unit == Hour || s.d.Unit == Immediately || s.w.open[m]
}

// first is the first minute from m on that counts.
func (s *simMeter) first(m int) int {
	for !s.counts(m) {
		m++
	}
	return m
}

// settle notices that the clock was stopped or let go at instant m.
func (s *simMeter) settle(m int, paused bool) {
	switch {
	case paused && s.held < 0:
		s.ripe = s.left <= 0 && s.dueAt(m) >= m
		s.held = m
	case !paused && s.held >= 0:
		if s.ripe { // it had no minute left, and was not late when it was stopped
			if s.fixed >= 0 && s.paused == 0 {
				s.fixed = max(s.fixed, s.first(m))
			} else {
				s.due = s.first(m)
			}
		}
		if s.warn >= s.held*60 { // as much for the warning
			s.warn = max(s.warn, m*60)
		}
		s.held = -1
	}
}

// live is the minute from m on.
//
//go:norace
func (s *simMeter) live(m int) {
	if !s.counts(m) {
		return
	}
	if s.held >= 0 {
		s.paused++
		return
	}
	gone := (s.whole - s.left) * 60 // seconds
	if s.warn < 0 && s.warnSec > gone && s.warnSec <= gone+60 {
		s.warn = m*60 + s.warnSec - gone
	}
	if s.left--; s.left == 0 {
		s.due = m + 1
	}
}

// dueAt is when it is due if the clock runs from m on.
//
//go:norace
func (s *simMeter) dueAt(m int) int {
	switch {
	case s.fixed >= 0 && s.paused == 0 && s.held >= 0 && s.ripe:
		return max(s.fixed, s.first(m))
	case s.fixed >= 0 && s.paused == 0:
		return s.fixed
	case s.held >= 0 && s.ripe:
		return s.first(m)
	case s.due >= 0:
		return s.due
	}
	for left := s.left; ; m++ {
		if s.counts(m) {
			if left--; left == 0 {
				return m + 1
			}
		}
	}
}

// warnAt is when the warning comes if the clock runs from m on, in seconds.
//
//go:norace
func (s *simMeter) warnAt(m int) int {
	if s.warn >= 0 {
		return s.warn
	}
	for gone := (s.whole - s.left) * 60; ; m++ {
		if s.counts(m) {
			if s.warnSec <= gone+60 {
				return m*60 + s.warnSec - gone
			}
			gone += 60
		}
	}
}

// simRun is one promise in the simulator.
type simRun struct {
	w        *world
	target   Target
	start    int
	meters   []*simMeter
	statuses []string // of each minute since start; "\x00" is done
	status   string
	done     bool
	void     bool
	stopped  int       // -1 not
	warned   int       // seconds, -1 not
	broken   int       // -1 not
	first    *simMeter // which broke, or was due first when a run stopped that may resume
	dueThen  int       // when it was due
}

func newSimRun(w *world, t Target, start int, status string) *simRun {
	r := &simRun{w: w, target: t, start: start, status: status, stopped: -1, warned: -1, broken: -1}
	r.measure(start)
	return r
}

func (r *simRun) measure(from int) {
	r.meters = nil
	for _, d := range []Duration{r.target.Within, r.target.AtMost} {
		if d.Unit != "" && d.Unit != Never {
			r.meters = append(r.meters, newSimMeter(r.w, d, r.target.Warn, from))
		}
	}
}

//go:norace
func (r *simRun) paused() bool { return r.done || slices.Contains(r.target.Pause, r.status) }

// look is what a watcher sees at instant m, before anything happens at it.
//
//go:norace
func (r *simRun) look(m int) {
	if r.stopped >= 0 || r.paused() || r.broken >= 0 {
		return
	}
	for _, s := range r.meters {
		if s.warnSec >= 0 && s.warn >= 0 && s.warn <= m*60 && r.warned < 0 {
			r.warned = r.firstWarning(m)
		}
	}
	// Nobody needs to ask for the due time before some meter has run out.
	for _, s := range r.meters {
		if s.left <= 0 {
			if due := r.due(m); due < m {
				r.broken = due
				r.first = r.firstDue(m)
			}
			break
		}
	}
}

func (r *simRun) due(m int) int {
	due := -1
	for _, s := range r.meters {
		if d := s.dueAt(m); due < 0 || d < due {
			due = d
		}
	}
	return due
}

func (r *simRun) firstDue(m int) *simMeter {
	first := r.meters[0]
	if len(r.meters) > 1 && r.meters[1].dueAt(m) < first.dueAt(m) {
		first = r.meters[1]
	}
	return first
}

func (r *simRun) firstWarning(m int) int {
	warn := -1
	for _, s := range r.meters {
		if s.warnSec < 0 {
			continue
		}
		if d := s.warnAt(m); warn < 0 || d < warn {
			warn = d
		}
	}
	return warn
}

func (r *simRun) settle(m int) {
	if r.stopped >= 0 {
		return
	}
	for _, s := range r.meters {
		s.settle(m, r.paused())
	}
}

// live is the minute from m on.
//
//go:norace
func (r *simRun) live(m int) {
	if r.stopped >= 0 && !r.done {
		return
	}
	if r.done {
		r.statuses = append(r.statuses, "\x00")
	} else {
		r.statuses = append(r.statuses, r.status)
	}
	for _, s := range r.meters {
		s.live(m)
	}
}

// change lives the run again with another promise.
func (r *simRun) change(t Target, m int) {
	if r.broken >= 0 || r.stopped >= 0 || r.target.equal(t) {
		return
	}
	r.target = t
	if t.Change == ChangeAnew {
		r.measure(m)
	} else {
		r.measure(r.start)
		for i, status := range r.statuses {
			for _, s := range r.meters {
				s.settle(r.start+i, status == "\x00" || slices.Contains(t.Pause, status))
				s.live(r.start + i)
			}
		}
		for _, s := range r.meters {
			s.settle(m, r.paused())
			if due := s.dueAt(m); due < m {
				s.whole, s.left, s.paused, s.fixed = s.whole-s.left, 0, 0, s.first(m)
				s.ripe = s.held >= 0
				s.due = s.fixed
			}
			if s.warn >= 0 {
				s.warn = max(s.warn, m*60)
			}
		}
	}
	if warn := r.firstWarning(m); warn > m*60 {
		r.warned = -1
	}
}

// simulator is a ticket that is lived through.
type simulator struct {
	w        *world
	p        Policy
	runs     map[Clock][]*simRun
	latest   [len(Clocks)]*simRun // of each clock, to be quick
	open     bool
	facts    Facts
	status   string
	answered bool
	waiting  bool
}

// live lives through the events until now.
//
//go:norace
func (s *simulator) live(events []simEvent, now int) {
	s.runs = map[Clock][]*simRun{}
	if len(events) == 0 {
		return
	}
	next := 0
	for m := events[0].minute; ; m++ {
		s.each(func(r *simRun) { r.look(m) })
		for next < len(events) && events[next].minute == m {
			s.take(events[next].Event, m)
			s.each(func(r *simRun) { r.settle(m); r.look(m) })
			next++
		}
		if m == now {
			return
		}
		s.each(func(r *simRun) { r.live(m) })
	}
}

//go:norace
func (s *simulator) each(do func(*simRun)) {
	for _, r := range s.latest {
		if r != nil {
			do(r)
		}
	}
}

func (s *simulator) running(clock Clock) *simRun {
	if n := len(s.runs[clock]); n > 0 && s.runs[clock][n-1].stopped < 0 {
		return s.runs[clock][n-1]
	}
	return nil
}

func (s *simulator) start(clock Clock, m int) {
	r := newSimRun(s.w, s.p.Choose(clock, s.facts).Target, m, s.status)
	s.runs[clock] = append(s.runs[clock], r)
	s.latest[slices.Index(Clocks[:], clock)] = r
}

func (s *simulator) stop(clock Clock, m int) bool {
	r := s.running(clock)
	if r != nil {
		r.stopped = m
	}
	return r != nil
}

func (s *simulator) ended() bool {
	return slices.Contains(s.p.Done, s.status) || slices.Contains(s.p.Void, s.status)
}

func (s *simulator) take(e Event, m int) {
	switch {
	case !s.open && e.Kind == Opened:
		s.open, s.facts, s.status = true, e.Facts, e.Status
		s.start(FirstResponse, m)
		s.start(NextUpdate, m)
		s.start(Resolution, m)
	case !s.open:
	case e.Kind == Wrote:
		s.waiting = true
		if s.answered && !s.ended() && s.running(NextResponse) == nil {
			s.start(NextResponse, m)
		}
	case e.Kind == Answered, e.Kind == Updated:
		if e.Kind == Answered {
			s.stop(FirstResponse, m)
			s.stop(NextResponse, m)
			s.answered, s.waiting = true, false
		}
		if s.stop(NextUpdate, m) {
			s.start(NextUpdate, m)
		}
	case e.Kind == FactsChanged:
		s.facts = e.Facts
		for _, clock := range Clocks {
			if r := s.running(clock); r != nil {
				r.change(s.p.Choose(clock, s.facts).Target, m)
			}
		}
	case e.Kind == StatusChanged:
		s.moved(e.Status, m)
	}
}

func (s *simulator) moved(status string, m int) {
	ended := s.ended()
	s.status = status
	isVoid := slices.Contains(s.p.Void, status)
	for _, clock := range Clocks {
		if r := s.running(clock); r != nil {
			r.status = status
			if s.ended() {
				r.stopped, r.void = m, isVoid
				r.done = clock == Resolution && !isVoid && s.p.Reopen == ReopenResume
				if r.done && len(r.meters) > 0 && r.broken < 0 { // the clock goes on; what is read is of now
					r.first = r.firstDue(m)
					r.dueThen = r.first.dueAt(m)
				}
				for _, meter := range r.meters {
					meter.settle(m, r.done || meter.held >= 0)
				}
			}
		}
	}
	switch {
	case s.ended() && !isVoid:
		s.answered = true
		if !ended {
			s.waiting = false
		}
	case ended && !s.ended():
		s.again(m)
	}
}

func (s *simulator) again(m int) {
	if !s.answered {
		s.start(FirstResponse, m)
	}
	if s.waiting && s.answered {
		s.start(NextResponse, m)
	}
	s.start(NextUpdate, m)
	if runs := s.runs[Resolution]; len(runs) > 0 && runs[len(runs)-1].done {
		r := runs[len(runs)-1]
		r.stopped, r.done, r.status = -1, false, s.status
		if r.broken < 0 {
			r.first = nil
		}
		return
	}
	s.start(Resolution, m)
}

// read is the readings in the words of the package.
func (s *simulator) read(now int) (out []Reading) {
	for _, clock := range Clocks {
		reading := Reading{Clock: clock, Run: Run{State: StateNotSet}}
		for i, r := range s.runs[clock] {
			if len(r.meters) == 0 {
				continue
			}
			if i == len(s.runs[clock])-1 {
				reading.Run = r.read(now)
			} else {
				reading.Earlier = append(reading.Earlier, r.read(now))
			}
		}
		out = append(out, reading)
	}
	return out
}

func (r *simRun) read(now int) Run {
	end := now
	if r.stopped >= 0 {
		end = r.stopped
	}
	out := Run{Target: r.target, Started: at(r.start)}
	switch {
	case r.broken >= 0:
		out.State, out.Breached = StateBreached, at(r.broken)
	case r.void:
		out.State = StateVoid
	case r.stopped >= 0:
		out.State = StateMet
	case r.paused():
		out.State = StatePaused
	default:
		out.State = StateRunning
	}
	if r.stopped >= 0 {
		out.Stopped = at(r.stopped)
	}
	first := r.first
	if first == nil {
		first = r.firstDue(end)
	}
	out.Remaining = time.Duration(first.left) * time.Minute
	if r.warned >= 0 {
		out.Warned, out.WarnAt = true, simStart.Add(time.Duration(r.warned)*time.Second)
	}
	if out.State == StatePaused {
		return out
	}
	switch {
	case r.broken >= 0:
		out.Due = out.Breached
	case r.done:
		out.Due = at(r.dueThen)
	default:
		out.Due = at(first.dueAt(end))
	}
	if out.State == StateRunning && r.warned < 0 {
		if warn := r.firstWarning(end); warn >= 0 {
			out.WarnAt = simStart.Add(time.Duration(warn) * time.Second)
		}
	}
	return out
}

// simEvent is an event and its minute.
type simEvent struct {
	Event
	minute int
}

// TestWorldsAreNotDull checks that the worlds show what they are there for.
func TestWorldsAreNotDull(t *testing.T) {
	for _, w := range worlds() {
		changes := 0
		for m := 1; m < simMinutes; m++ {
			if w.open[m] != w.open[m-1] {
				changes++
			}
		}
		if changes < 10 {
			t.Errorf("%s: opens and closes %d times", w.name, changes)
		}
	}
}
