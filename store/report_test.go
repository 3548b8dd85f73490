package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"frontdesk/sla"
	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

// A month of random tickets, and the month before, of two brands: every figure
// is that of a count by brute force over the same stories, on both databases.
func TestFiguresAgainstBruteForce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		for seed := range uint64(3) {
			w := newWorld(seed)
			w.base = int64(len(must(db.Tickets(t.Context(), store.TicketQuery{Statuses: everyStatus, Limit: 1_000_000}))(t)))
			w.brands = [2]string{fmt.Sprintf("one%d", seed), fmt.Sprintf("two%d", seed)}
			w.play(t, db)
			for _, brand := range w.brands {
				q := w.query(brand)
				got := must(db.Figures(t.Context(), q))(t)
				w.compare(t, fmt.Sprintf("seed %d, brand %s", seed, brand), got, brand, q)
			}
		}
	})
}

// Without a brand all are counted together: each amount is the sum of the brands'.
func TestFiguresOfAllBrands(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	w := newWorld(7)
	w.play(t, db)
	q := w.query("")
	all := must(db.Figures(t.Context(), q))(t)
	w.compare(t, "all", all, "", q)
	if len(all.Brands) != 2 || all.Brands[0].Period.Opened+all.Brands[1].Period.Opened != all.Total.Period.Opened {
		t.Errorf("brands %+v of total %+v", all.Brands, all.Total.Period)
	}
}

var everyStatus = []tickets.Status{
	tickets.StatusNew, tickets.StatusOpen, tickets.StatusPending, tickets.StatusHold,
	tickets.StatusResolved, tickets.StatusClosed, tickets.StatusMerged, tickets.StatusSpam,
}

// story is what happened to one ticket.
type story struct {
	t      tickets.Ticket
	events []tickets.Event
}

// world is random stories around the change of the clocks in Berlin.
type world struct {
	r                *rand.Rand
	zone             *time.Location
	before, from, to time.Time
	now              time.Time
	brands           [2]string
	agents           []string
	base             int64
	stories          []story
}

func newWorld(seed uint64) *world {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err)
	}
	day := func(month time.Month, d int) time.Time { return time.Date(2026, month, d, 0, 0, 0, 0, zone) }
	return &world{
		r: rand.New(rand.NewPCG(seed, 1)), zone: zone, before: day(9, 1), from: day(10, 1), to: day(11, 1), now: day(11, 3).Add(9 * time.Hour),
		brands: [2]string{"acme", "bolt"}, agents: []string{"asha@desk.example", "bikram@desk.example", "chandra@desk.example"},
	}
}

func (w *world) query(brand string) store.FiguresQuery {
	agents := map[string]bool{}
	for _, a := range w.agents {
		agents[a] = true
	}
	return store.FiguresQuery{Brand: brand, Before: w.before, From: w.from, To: w.to, Now: w.now, Zone: w.zone, Agents: agents, Most: 10, Business: half}
}

// half stands for a calendar.
func half(_ string, a, b time.Time) time.Duration { return b.Sub(a) / 2 }

func pick[T any](w *world, list ...T) T { return list[w.r.IntN(len(list))] }

// story invents a ticket that lives for up to a month.
func (w *world) story() story {
	begin := w.before.Add(-20 * 24 * time.Hour)
	at := begin.Add(time.Duration(w.r.Int64N(int64(w.now.Sub(begin))))).Truncate(time.Millisecond)
	if w.r.IntN(15) == 0 { // at the very edges
		at = pick(w, w.before, w.from, w.to, w.from.Add(-time.Millisecond), w.to.Add(-time.Millisecond))
	}
	s := story{t: tickets.Ticket{
		Brand: pick(w, w.brands[:]...), Mailbox: "support@example.org", Queue: pick(w, "support", "sales"), Category: pick(w, "", "technical", "billing"),
		Channel: pick(w, tickets.ChannelMail, tickets.ChannelMail, tickets.ChannelVoice, tickets.ChannelSMS), Status: tickets.StatusNew,
		Subject: "x", Language: "en", Version: 1, Opened: at.UTC(), Updated: at.UTC(), Assignee: pick(w, append(w.agents, "")...),
		Participants: []tickets.Participant{{Address: tickets.Address{Address: fmt.Sprintf("c%d@customer.example", w.r.IntN(50))}, Role: tickets.PartyRequester}},
	}}
	s.event(at, "customer@x", "opened", "by email", nil)
	for range w.r.IntN(9) {
		if at = at.Add(time.Duration(w.r.Int64N(int64(80 * time.Hour)))).Truncate(time.Millisecond); !at.Before(w.now) {
			break
		}
		w.happen(&s, at)
	}
	return s
}

func (s *story) event(at time.Time, who, what, detail string, clock *sla.Event) {
	s.events = append(s.events, tickets.Event{At: at.UTC(), Who: who, What: what, Detail: detail, Clock: clock})
}

func (s *story) status(at time.Time, who string, to tickets.Status) {
	if s.t.Status == to {
		return
	}
	s.event(at, who, "status", fmt.Sprintf("%s → %s", s.t.Status, to), nil)
	s.t.Status = to
}

func (w *world) happen(s *story, at time.Time) {
	agent := pick(w, w.agents...)
	switch w.r.IntN(9) {
	case 0, 1, 2:
		s.event(at, agent, "answered", "answer to c@x", nil)
		if s.t.Answered.IsZero() {
			s.t.Answered = at.UTC()
			s.kept(sla.FirstResponse, at)
		}
		s.status(at, agent, pick(w, tickets.StatusPending, tickets.StatusOpen, tickets.StatusResolved))
	case 3:
		if s.t.Status != tickets.StatusResolved {
			s.kept(sla.Resolution, at)
		}
		s.status(at, agent, tickets.StatusResolved)
	case 4:
		s.status(at, pick(w, agent, "desk", "customer@x"), tickets.StatusClosed)
	case 5:
		s.status(at, "customer@x", tickets.StatusOpen)
	case 6:
		s.event(at, agent, "time", fmt.Sprintf("none → %d min, 99 in all", 1+w.r.IntN(90)), nil)
	case 7:
		s.event(at, "desk", "breached", fmt.Sprintf("%s within 2 hours was due today", pick(w, sla.Clocks[:]...)), nil)
	case 8:
		if w.r.IntN(6) == 0 {
			s.status(at, agent, pick(w, tickets.StatusSpam, tickets.StatusMerged))
			s.t.MergedInto = 0
			if s.t.Status == tickets.StatusMerged {
				s.t.MergedInto = 1
			}
		}
	}
}

func (s *story) kept(c sla.Clock, at time.Time) {
	p := &s.t.Promises
	p.Clocks = slices.DeleteFunc(p.Clocks, func(v tickets.ClockView) bool { return v.Clock == c })
	p.Clocks = append(p.Clocks, tickets.ClockView{Clock: c, State: sla.StateMet, Stopped: at.UTC(), Within: "2 hours"})
}

func (w *world) play(t *testing.T, db *store.DB) {
	t.Helper()
	for range 400 {
		w.stories = append(w.stories, w.story())
	}
	for i, s := range w.stories {
		save(t, db, 0, tickets.Change{Brand: s.t.Brand, Tickets: []tickets.TicketChange{{Ticket: s.t, Events: s.events}}})
		w.stories[i].t.ID = w.base + int64(i) + 1
	}
}

// counted are the stories of a brand that count.
func (w *world) counted(brand string) (list []story) {
	for _, s := range w.stories {
		if (brand == "" || s.t.Brand == brand) && s.t.Status != tickets.StatusSpam && s.t.Status != tickets.StatusMerged {
			list = append(list, s)
		}
	}
	return list
}

func working(s tickets.Status) bool {
	return s == tickets.StatusNew || s == tickets.StatusOpen || s == tickets.StatusPending || s == tickets.StatusHold
}

// openAt replays a story: was it open just before an instant?
func (s story) openAt(at time.Time) bool {
	if !s.t.Opened.Before(at) {
		return false
	}
	is := tickets.StatusNew
	for _, e := range s.events {
		if e.What == "status" && e.At.Before(at) {
			_, to, _ := strings.Cut(e.Detail, " → ")
			is = tickets.Status(to)
		}
	}
	return working(is)
}

// tally counts a period by brute force, of the stories that belong.
func (w *world) tally(list []story, from, to time.Time, agent string) tickets.Tally {
	in := func(at time.Time) bool { return !at.IsZero() && !at.Before(from) && at.Before(to) }
	var c tickets.Tally
	var first, solved []time.Duration
	kept, broken := map[sla.Clock]int{}, map[sla.Clock]int{}
	for _, s := range list {
		mine := agent == "" || s.t.Assignee == agent
		if in(s.t.Opened) && mine {
			c.Opened++
			if !s.t.Answered.IsZero() {
				c.Responded++
			}
		}
		var resolvedAt time.Time
		var resolver string
		var closed, reopened bool
		missed := map[sla.Clock]bool{}
		answered := false
		for _, e := range s.events {
			if e.What == "answered" && !answered {
				if answered = true; in(e.At) && (agent == "" || e.Who == agent) {
					first = append(first, e.At.Sub(s.t.Opened))
				}
			}
			if !in(e.At) {
				continue
			}
			a, b, _ := strings.Cut(e.Detail, " → ")
			was, is := tickets.Status(a), tickets.Status(b)
			switch e.What {
			case "answered":
				if agent == "" || e.Who == agent {
					c.Answered++
				}
			case "time":
				var n int
				fmt.Sscanf(b, "%d", &n)
				if agent == "" || e.Who == agent {
					c.Worked += n
				}
			case "breached":
				name, _, _ := strings.Cut(e.Detail, " within")
				missed[sla.Clock(name)] = true
			case "status":
				if working(was) && (is == tickets.StatusResolved || is == tickets.StatusClosed) {
					resolvedAt, resolver = e.At, e.Who
				}
				closed = closed || is == tickets.StatusClosed
				reopened = reopened || working(is) && (was == tickets.StatusResolved || was == tickets.StatusClosed)
			}
		}
		if !slices.Contains(w.agents, resolver) {
			resolver = s.t.Assignee
		}
		if !resolvedAt.IsZero() && (agent == "" || resolver == agent) {
			c.Resolved++
			solved = append(solved, resolvedAt.Sub(s.t.Opened))
		}
		if !mine {
			continue
		}
		if closed {
			c.Closed++
		}
		if reopened {
			c.Reopened++
		}
		for _, clock := range sla.Clocks {
			if missed[clock] {
				broken[clock]++
			} else if v := s.t.Promises.Clock(clock); in(v.Stopped) {
				kept[clock]++
			}
		}
	}
	halves := func(list []time.Duration) []time.Duration {
		out := make([]time.Duration, len(list))
		for i, d := range list {
			out[i] = d / 2
		}
		return out
	}
	c.FirstResponseBusiness, c.ResolutionBusiness = tickets.SpreadOf(halves(first)), tickets.SpreadOf(halves(solved))
	c.FirstResponse, c.Resolution = tickets.SpreadOf(first), tickets.SpreadOf(solved)
	for _, clock := range sla.Clocks {
		if kept[clock]+broken[clock] > 0 {
			c.Promises = append(c.Promises, tickets.PromiseFigures{Clock: clock, Kept: kept[clock], Broken: broken[clock]})
		}
	}
	return c
}

func (w *world) compare(t *testing.T, what string, got tickets.Figures, brand string, q store.FiguresQuery) {
	t.Helper()
	list := w.counted(brand)
	if len(list) < 100 {
		t.Fatalf("%s: only %d stories", what, len(list))
	}
	check := func(by string, g tickets.Group, of []story, agent string) {
		t.Helper()
		now, then := w.tally(of, w.from, w.to, agent), w.tally(of, w.before, w.from, agent)
		now.Backlog, then.Backlog = g.Period.Backlog, g.Before.Backlog // below
		diff(t, fmt.Sprintf("%s: %s %q", what, by, g.Key), []tickets.Tally{g.Period, g.Before}, []tickets.Tally{now, then})
	}
	open := func(of []story, at time.Time) (n int) {
		for _, s := range of {
			if s.openAt(at) {
				n++
			}
		}
		return n
	}
	check("total", got.Total, list, "")
	if got.Total.Period.Backlog != open(list, w.to) || got.Total.Before.Backlog != open(list, w.from) || got.OpenByTime != open(list, w.now) {
		t.Errorf("%s: backlog %d, before %d, now %d; want %d, %d, %d", what, got.Total.Period.Backlog, got.Total.Before.Backlog, got.OpenByTime,
			open(list, w.to), open(list, w.from), open(list, w.now))
	}
	of := func(match func(tickets.Ticket) bool) (some []story) {
		for _, s := range list {
			if match(s.t) {
				some = append(some, s)
			}
		}
		return some
	}
	for _, by := range got.Groups() {
		for _, g := range by.List {
			if by.By == "total" {
				continue
			}
			agent := ""
			some := of(func(t tickets.Ticket) bool {
				return g.Key == map[string]string{"brand": t.Brand, "queue": t.Queue, "category": t.Category, "channel": string(t.Channel)}[by.By]
			})
			mine := some
			if by.By == "agent" {
				agent, some = g.Key, list
				mine = of(func(t tickets.Ticket) bool { return t.Assignee == agent })
			}
			check(by.By, g, some, agent)
			if g.Period.Backlog != open(mine, w.now) {
				t.Errorf("%s: %s %q: backlog %d, want %d", what, by.By, g.Key, g.Period.Backlog, open(mine, w.now))
			}
		}
	}
	if len(got.Days) != 31 {
		t.Fatalf("%s: %d days", what, len(got.Days))
	}
	for _, d := range got.Days {
		begin, end := d.Date.At(0, w.zone), d.Date.Add(1).At(0, w.zone)
		opened := map[tickets.Channel]int{}
		for _, s := range list {
			if !s.t.Opened.Before(begin) && s.t.Opened.Before(end) {
				opened[s.t.Channel]++
			}
		}
		diff(t, fmt.Sprintf("%s: opened on %s", what, d.Date), d.Opened, opened)
		if want := open(list, end); d.Backlog != want {
			t.Errorf("%s: backlog of %s: %d, want %d", what, d.Date, d.Backlog, want)
		}
	}
	w.compareLists(t, what, got, list)
}

// compareLists checks the distributions and the list of broken promises.
func (w *world) compareLists(t *testing.T, what string, got tickets.Figures, list []story) {
	t.Helper()
	sum := func(shares []tickets.Share) (n int) {
		for _, s := range shares {
			n += s.Count
		}
		return n
	}
	if sum(got.Answers) != got.Total.Period.FirstResponse.Count {
		t.Errorf("%s: %d answers spread, %d counted", what, sum(got.Answers), got.Total.Period.FirstResponse.Count)
	}
	var want []string
	for _, s := range list {
		for _, e := range s.events {
			if e.What == "breached" && !e.At.Before(w.from) && e.At.Before(w.to) {
				want = append(want, fmt.Sprintf("%s %d %s", e.At.Format(time.RFC3339Nano), s.t.ID, e.Detail))
			}
		}
	}
	slices.SortFunc(want, func(a, b string) int { return strings.Compare(b, a) })
	var have []string
	for _, b := range got.Breaches {
		have = append(have, fmt.Sprintf("%s %d %s", b.At.Format(time.RFC3339Nano), b.Ticket, b.Detail))
	}
	slices.SortFunc(have, func(a, b string) int { return strings.Compare(b, a) })
	diff(t, what+": broken promises", have, want[:min(len(want), tickets.MostBreaches)])
}

// An empty desk has figures, all of them nothing.
func TestFiguresOfAnEmptyDesk(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		w := newWorld(1)
		f := must(open().Figures(t.Context(), w.query("acme")))(t)
		if !f.New || !f.Empty() || len(f.Days) != 31 || f.Total.Period.FirstResponse.Count != 0 {
			t.Errorf("figures of nothing: %+v", f)
		}
	})
}

// Letters, calls, texts and held mail are counted in the period in which they
// were, of the brand that was asked for.
func TestFiguresOfLetters(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		ctx := t.Context()
		at := func(days int) time.Time { return noon.AddDate(0, 0, days) }
		write := func(brand string, days int, to string, kind tickets.LetterKind, state string) {
			l := ack(to, fmt.Sprint(brand, days, to, kind, state))
			l.Brand, l.Kind = brand, kind
			var saved store.Saved
			err := db.Decide(ctx, brand, func(tx *store.Tx) (err error) {
				saved, err = tx.Save(ctx, 0, "", "", tickets.Change{Brand: brand, Letters: []tickets.Letter{l}}, at(days))
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range must(db.ClaimLetters(ctx, store.LetterClaim{Now: at(days), Until: at(days), Mailboxes: []string{l.Mailbox}, Limit: 5}))(t) {
				if o.Letter.ID == saved.Letters[0] {
					mark(t, db, store.Result{ID: o.Letter.ID, Epoch: o.Epoch, State: state, At: at(days)})
				}
			}
		}
		for _, days := range []int{-9, -8, -3, -2, -1, 1} {
			write("acme", days, "anna@customer.example", tickets.LetterAnswer, store.LetterSent)
		}
		write("acme", 2, "bob@customer.example", tickets.LetterAnswer, store.LetterFailed)
		write("bolt", 2, "carl@customer.example", tickets.LetterAnswer, store.LetterSent)
		q := store.FiguresQuery{Brand: "acme", Before: at(-10), From: at(-5), To: at(5), Now: at(5), Most: 5}
		f := must(db.Figures(ctx, q))(t)
		diff(t, "letters", []tickets.Outgoing{f.Total.Period.Letters, f.Total.Before.Letters}, []tickets.Outgoing{{Mails: 4, Failed: 1}, {Mails: 2}})
		q.Brand = ""
		if f = must(db.Figures(ctx, q))(t); f.Total.Period.Letters.Mails != 5 {
			t.Errorf("of all brands: %+v", f.Total.Period.Letters)
		}
	})
}
