package schedules

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"frontdesk/sla"
	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

// town is a desk with customers all over the world and what they bought.
type town struct {
	*desk
	t      *testing.T
	begin  time.Time
	people []tickets.Person
	owned  map[int64][]tickets.Product // by person
	passes []time.Time                 // as the desk's clock said
	known  map[string]time.Time        // by day, zone and time: what knownAt found
}

// remindEvery is when the town's desk reminds: on the clock of Berlin.
var remindEvery = []tickets.Schedule{
	{Key: tickets.WarrantyReminder, Cron: "0 8 * * *", DaysBefore: []int{30, 7}},
	{Key: tickets.WarrantyExpired, Cron: "30 2 * * *"}, // skipped and repeated by the changes of the clock
	{Key: tickets.WarrantyExtension, Cron: "0 8 * * *", DaysBefore: []int{14}},
	{Key: tickets.RenewalReminder, Cron: "TZ=America/New_York 0 9 * * *", DaysBefore: []int{30, 7, 1}},
	{Key: tickets.ServiceReminder, Cron: "0 8 * * *"},
}

func openTown(t *testing.T, begin time.Time, customers, products, days int, seed uint64) *town {
	t.Helper()
	d := openDesk(t)
	// Brands are shared by tests: the map is made anew.
	brand := d.rules.Brands["baleyo"]
	brand.Location = mustZone(t, "Europe/Berlin")
	d.rules.Brands = map[string]tickets.Brand{"baleyo": brand}
	d.rules.Reminders = tickets.ReminderRules{Schedules: remindEvery}
	tn := &town{desk: d, t: t, begin: begin, owned: map[int64][]tickets.Product{}, known: map[string]time.Time{}}
	d.clock = func() time.Time { return begin }
	r := rand.New(rand.NewPCG(seed, 6))
	zones := []string{"", "", "Europe/London", "America/New_York", "Asia/Kathmandu", "Pacific/Honolulu", "Pacific/Auckland", "America/Santiago"}
	quiet := [][2]int{{0, 0}, {0, 0}, {22 * 60, 7 * 60}, {20 * 60, 9*60 + 30}, {12 * 60, 14 * 60}}
	var people []tickets.Person
	for i := range customers {
		q := quiet[r.IntN(len(quiet))]
		people = append(people, tickets.Person{
			Brand: "baleyo", Name: fmt.Sprintf("Customer %d", i), Addresses: []string{fmt.Sprintf("c%d@customer.example", i)},
			Prefs: tickets.Preferences{Timezone: zones[r.IntN(len(zones))], QuietFrom: q[0], QuietTo: q[1], NoReminders: i%17 == 16, DoNotContact: i%19 == 18},
		})
	}
	tn.change(tickets.Change{Brand: "baleyo", People: people})
	for i := range people {
		p, err := d.db.PersonByAddress(t.Context(), "baleyo", people[i].Addresses[0])
		if err != nil {
			t.Fatal(err)
		}
		tn.people = append(tn.people, p)
	}
	first := sla.DateOf(begin)
	day := func() sla.Date { return first.Add(r.IntN(days+60) - 10) }
	var bought []tickets.Product
	for i := range products {
		p := tickets.Product{Brand: "baleyo", Person: tn.people[r.IntN(customers)].ID, Serial: fmt.Sprintf("SN-%05d", i), Model: "LaserJet 400", Kind: tickets.KindOther, Retired: i%23 == 22}
		if i%3 != 2 {
			p.WarrantyUntil = day()
		}
		if i%3 != 1 {
			p.ContractUntil, p.Contract = day(), "Care Pack"
		}
		if i%11 == 5 {
			p.Kind = tickets.KindLaser
			p.Readings = []tickets.Reading{{At: begin.AddDate(0, 0, -20), Pages: 8000 + r.IntN(30000), By: "import"}}
		}
		bought = append(bought, p)
	}
	tn.change(tickets.Change{Brand: "baleyo", Products: bought})
	all, err := d.db.Products(t.Context(), store.ProductQuery{Brand: "baleyo", Limit: everything, Retired: true})
	if err != nil || len(all) != products {
		t.Fatalf("%d products, %v", len(all), err)
	}
	for _, p := range all {
		tn.owned[p.Person] = append(tn.owned[p.Person], p)
	}
	return tn
}

func (tn *town) change(c tickets.Change) {
	tn.t.Helper()
	err := tn.db.Decide(tn.t.Context(), c.Brand, func(tx *store.Tx) error {
		_, err := tx.Save(tn.t.Context(), 0, "", "", c, tn.now())
		return err
	})
	if err != nil {
		tn.t.Fatal(err)
	}
}

// passAt is one pass at a time that the desk's clock says.
func (tn *town) passAt(at time.Time) {
	tn.t.Helper()
	tn.clock = func() time.Time { return at }
	if err := tn.sweep.runs(tn.t.Context(), "baleyo", tn.rules, at); err != nil {
		tn.t.Fatal(err)
	}
	if err := tn.sweep.gather(tn.t.Context(), "baleyo", tn.rules, at); err != nil {
		tn.t.Fatal(err)
	}
	tn.passes = append(tn.passes, at)
}

// reminder is one letter: to whom, on which day of the customer's clock, and what.
type reminder struct {
	person int64
	at     time.Time
	what   string // "SN-00001 warranty_reminder, …", sorted
}

func (a reminder) String() string {
	return fmt.Sprintf("%d at %s: %s", a.person, a.at.UTC().Format("2006-01-02 15:04"), a.what)
}

func compareTold(a, b reminder) int {
	return cmp.Or(cmp.Compare(a.person, b.person), a.at.Compare(b.at), strings.Compare(a.what, b.what))
}

// letters are those that the desk wrote.
func (tn *town) letters() []reminder {
	tn.t.Helper()
	list, err := tn.db.LettersWhere(tn.t.Context(), nil, 0, everything)
	if err != nil {
		tn.t.Fatal(err)
	}
	var out []reminder
	for _, info := range list {
		l, _, _, err := tn.db.LetterByID(tn.t.Context(), info.ID)
		if err != nil {
			tn.t.Fatal(err)
		}
		if l.Kind != tickets.LetterReminder {
			tn.t.Errorf("a letter %s", l.Kind)
		}
		var items []string
		for _, i := range l.Data.Items {
			items = append(items, i.Serial+" "+i.Schedule)
		}
		slices.Sort(items)
		out = append(out, reminder{l.Person, info.Queued, strings.Join(items, ", ")})
	}
	slices.SortFunc(out, compareTold)
	return out
}

// wish is what should be told: by hand, without any of the desk's code.
type wish struct {
	product tickets.Product
	key     string
	day     string    // "2026-12-01" on the customer's clock
	until   string    // the last day on which it makes sense
	clock   string    // "08:00": not earlier that day
	known   time.Time // the desk can know of it from here on
	done    bool
}

// expected says what letters should have been written: it goes through all
// passes with everybody's wall clock and calendar in its hand.
func (tn *town) expected() []reminder {
	tn.t.Helper()
	var out []reminder
	for _, p := range tn.people {
		if p.Prefs.NoReminders || p.Prefs.DoNotContact {
			continue
		}
		zone := mustZone(tn.t, cmp.Or(p.Prefs.Timezone, "Europe/Berlin"))
		var wishes []*wish
		for _, product := range tn.owned[p.ID] {
			if !product.Retired {
				wishes = append(wishes, tn.wishes(product)...)
			}
		}
		written := map[string]bool{}
		for _, at := range tn.passes {
			if !slices.ContainsFunc(wishes, func(w *wish) bool { return !w.done && !at.Before(w.known) }) {
				continue
			}
			local := at.In(zone)
			if today := local.Format(time.DateOnly); !written[today] && !hush(p.Prefs, local.Hour()*60+local.Minute()) {
				if what := now(wishes, at, today, local.Format("15:04")); what != "" {
					written[today] = true
					out = append(out, reminder{p.ID, at, what})
				}
			}
		}
	}
	slices.SortFunc(out, compareTold)
	return out
}

func hush(p tickets.Preferences, minute int) bool {
	for m := p.QuietFrom; m != p.QuietTo; m = (m + 1) % (24 * 60) {
		if m == minute {
			return true
		}
	}
	return false
}

// now are the wishes that a letter of this moment says.
func now(wishes []*wish, at time.Time, today, clock string) string {
	ripe := false
	var list []*wish
	for _, w := range wishes {
		if w.done || w.day > today || at.Before(w.known) {
			continue
		}
		if today > w.until {
			w.done = true
			continue
		}
		list = append(list, w)
		ripe = ripe || w.day < today && clock >= "08:00" || w.day == today && clock >= w.clock
	}
	if !ripe {
		return ""
	}
	newest := map[string]*wish{}
	for _, w := range list {
		w.done = true
		if k := w.product.Serial + " " + w.key; newest[k] == nil || newest[k].day < w.day {
			newest[k] = w
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(newest)), ", ")
}

// wishes lists what is due of a product, ever, with when the desk can know.
func (tn *town) wishes(p tickets.Product) []*wish {
	var out []*wish
	plus := func(d sla.Date, days int) string {
		return time.Date(d.Year, d.Month, d.Day+days, 12, 0, 0, 0, time.UTC).Format(time.DateOnly)
	}
	add := func(key string, d sla.Date, shift int, until int, zone, clock string) {
		if d.IsZero() {
			return
		}
		w := &wish{product: p, key: key, day: plus(d, shift), until: plus(d, until), clock: clock}
		if w.known = tn.knownAt(plus(d, shift-1), zone, clock); !w.known.IsZero() {
			out = append(out, w)
		}
	}
	for _, n := range []int{30, 7} {
		add(tickets.WarrantyReminder, p.WarrantyUntil, -n, 0, "Europe/Berlin", "08:00")
	}
	add(tickets.WarrantyExpired, p.WarrantyUntil, 1, 31, "Europe/Berlin", "02:30")
	add(tickets.WarrantyExtension, p.WarrantyUntil, -14, 0, "Europe/Berlin", "08:00")
	for _, n := range []int{30, 7, 1} {
		add(tickets.RenewalReminder, p.ContractUntil, -n, 0, "America/New_York", "09:00")
	}
	if p.Kind == tickets.KindLaser && p.Readings[0].Pages >= 10000 {
		first := tn.firstRun("Europe/Berlin", "08:00")
		out = append(out, &wish{product: p, key: tickets.ServiceReminder, day: first.Format(time.DateOnly), until: "9999", clock: "08:00", known: first})
	}
	return out
}

// knownAt is the first pass after the run of the day before a day, or after the
// first run of all when that is not long past; zero: never.
func (tn *town) knownAt(dayBefore, zone, clock string) (known time.Time) {
	key := dayBefore + zone + clock
	if at, ok := tn.known[key]; ok {
		return at
	}
	defer func() { tn.known[key] = known }()
	place := mustZone(tn.t, zone)
	first := tn.firstRun(zone, clock)
	for _, at := range tn.passes {
		local := at.In(place)
		if today := local.Format(time.DateOnly); !at.Before(first) && (today > dayBefore || today == dayBefore && local.Format("15:04") >= clock) {
			if at.Equal(first) && dayBefore < first.In(place).AddDate(0, 0, -1).Format(time.DateOnly) {
				return time.Time{} // its day was over when the desk began
			}
			return at
		}
	}
	return time.Time{}
}

// firstRun is the first pass at or after the schedule's time of day.
func (tn *town) firstRun(zone, clock string) time.Time {
	place := mustZone(tn.t, zone)
	for i, at := range tn.passes {
		if i == 0 {
			continue // the schedule is met
		}
		was, is := tn.passes[0].In(place), at.In(place)
		if is.Format("15:04") >= clock && (was.Format("15:04") < clock || is.Format(time.DateOnly) > was.Format(time.DateOnly)) {
			return at
		}
	}
	return time.Time{}
}

func (tn *town) compare() {
	tn.t.Helper()
	got, want := tn.letters(), tn.expected()
	if len(want) == 0 {
		tn.t.Fatal("nothing was to be told")
	}
	wrong := 0
	for len(got)+len(want) > 0 && wrong < 20 {
		switch {
		case len(got) > 0 && len(want) > 0 && got[0].person == want[0].person && got[0].at.Equal(want[0].at.Truncate(time.Millisecond)) && got[0].what == want[0].what:
			got, want = got[1:], want[1:]
		case len(want) == 0 || len(got) > 0 && compareTold(got[0], want[0]) <= 0:
			tn.t.Errorf("a letter too many: %s", got[0])
			got, wrong = got[1:], wrong+1
		default:
			tn.t.Errorf("no letter: %s", want[0])
			want, wrong = want[1:], wrong+1
		}
	}
}

// TestRemindersAgainstACalendarByHand: months of reminders with restarts, three
// days' downtime, both changes of the clock and a clock that is set back: each
// due letter exactly once, on its day by the customer's own clock, in the hours
// that the customer likes, and never two on a day. What is expected is computed
// without the desk's code.
func TestRemindersAgainstACalendarByHand(t *testing.T) {
	t.Parallel()
	type size struct {
		begin                              string
		customers, products, days, restart int
		every                              time.Duration
	}
	for name, s := range map[string]size{
		"autumn": {"2026-09-20T09:00:00Z", 50, 150, 60, 8, 30 * time.Minute},
		"spring": {"2027-03-01T00:00:00Z", 50, 150, 60, 8, 30 * time.Minute},
		"year":   {"2026-09-20T09:00:00Z", 1000, 3000, 400, 40, 15 * time.Minute},
	} {
		if name == "year" && os.Getenv("TORTURE") != "1" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				begin := mustTime(t, s.begin)
				tn := openTown(t, begin, s.customers, s.products, s.days, 1)
				end, down := begin.AddDate(0, 0, s.days), begin.AddDate(0, 0, s.days/2)
				r := rand.New(rand.NewPCG(3, 4))
				n := int(end.Sub(begin) / s.every)
				restart := map[int]bool{}
				for len(restart) < s.restart {
					restart[r.IntN(n)] = true
				}
				back := begin.AddDate(0, 0, s.days/3).Truncate(24 * time.Hour).Add(10 * time.Hour)
				for i := range n {
					at := begin.Add(time.Duration(i) * s.every)
					if at.After(down) && at.Before(down.AddDate(0, 0, 3)) {
						continue
					}
					if restart[i] {
						tn.restart()
					}
					tn.passAt(at)
					if at.Equal(back) { // two hours, until it has caught up again
						for b := 2 * time.Hour; b > 0; b -= s.every {
							tn.passAt(at.Add(-b))
						}
					}
				}
				tn.compare()
				t.Logf("%d letters", len(tn.letters()))
			})
		})
	}
}

// What the preview says is what is then sent: to whom, on which day, of what, at
// the next pass after the time it names.
func TestThePreviewIsWhatIsThenSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const every = 30 * time.Minute
		begin := mustTime(t, "2026-10-10T09:00:00Z")
		tn := openTown(t, begin, 30, 90, 90, 7)
		at := begin
		for ; at.Before(begin.AddDate(0, 0, 5)); at = at.Add(every) {
			tn.passAt(at)
		}
		before := len(tn.letters())
		end := at.AddDate(0, 0, 40)
		plan, err := Preview(t.Context(), tn.db, tn.rules, "baleyo", at, end)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := Preview(t.Context(), tn.db, tn.rules, "baleyo", at, end); err != nil || len(again) != len(plan) {
			t.Fatalf("the preview changes something: %d letters, then %d, %v", len(plan), len(again), err)
		}
		if now := len(tn.letters()); now != before {
			t.Fatalf("the preview wrote %d letters", now-before)
		}
		start := at
		for ; !at.After(end); at = at.Add(every) {
			tn.passAt(at)
		}
		var got []reminder
		for _, l := range tn.letters() {
			if !l.at.Before(start) {
				got = append(got, l)
			}
		}
		var want []reminder
		for _, p := range plan {
			var items []string
			for _, i := range p.Letter.Data.Items {
				items = append(items, i.Serial+" "+i.Schedule)
			}
			slices.Sort(items)
			noticed := start.Add((p.At.Sub(start) + every - 1) / every * every)
			want = append(want, reminder{p.Letter.Person, noticed, strings.Join(items, ", ")})
		}
		slices.SortFunc(want, compareTold)
		if len(got) < 20 || !slices.EqualFunc(got, want, func(a, b reminder) bool { return compareTold(a, b) == 0 }) {
			t.Errorf("sent %d, planned %d", len(got), len(want))
			for i := range min(len(got), len(want)) {
				if compareTold(got[i], want[i]) != 0 {
					t.Fatalf("sent %s, planned %s", got[i], want[i])
				}
			}
		}
	})
}

// A crash between the record of the occurrence and the commit leaves nothing,
// and the next pass does it all: one letter. A crash after it changes nothing.
func TestACrashWithinARunLeavesOneLetter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin := mustTime(t, "2026-10-10T09:00:00Z")
		tn := openTown(t, begin, 1, 1, 1, 1)
		p := tn.owned[tn.people[0].ID][0]
		p.WarrantyUntil, p.ContractUntil, p.Readings = sla.Date{Year: 2026, Month: 11, Day: 10}, sla.Date{}, nil
		who := tn.people[0]
		who.Prefs = tickets.Preferences{}
		tn.change(tickets.Change{Brand: "baleyo", Products: []tickets.Product{p}, People: []tickets.Person{who}})
		tn.passAt(begin) // the schedules are met
		crash := errors.New("killed")
		run := func(at time.Time, after bool) {
			line := mustCron(t, remindEvery[0].Cron, mustZone(t, "Europe/Berlin"))
			job := func(ctx context.Context, tx *store.Tx, o Occurrence, rules tickets.Rules, now time.Time) (tickets.Change, error) {
				if !after {
					return tickets.Change{}, crash // the occurrence is recorded in the transaction already
				}
				return tn.sweep.remind(ctx, tx, o, rules, now)
			}
			if err := tn.sweep.run(t.Context(), line, remindEvery[0], job, "baleyo", tn.rules, at); !after && !errors.Is(err, crash) {
				t.Fatalf("the run: %v", err)
			}
			tn.restart()
		}
		day := mustTime(t, "2026-10-11T06:00:00Z") // 08:00 in Berlin
		run(day, false)
		if got := tn.letters(); len(got) != 0 {
			t.Fatalf("letters %v", got)
		}
		// The letter's transaction is undone after the letter was put into it.
		run(day, true)
		err := tn.db.Decide(t.Context(), "baleyo", func(tx *store.Tx) error {
			c, due, err := reminded(t.Context(), tx, "baleyo", who.ID, tn.rules, day)
			if err != nil || !due || len(c.Letters) != 1 {
				return fmt.Errorf("%d letters, due %t: %w", len(c.Letters), due, err)
			}
			if _, err := tx.Save(t.Context(), 0, "", "", c, day); err != nil {
				return err
			}
			return crash
		})
		if !errors.Is(err, crash) || len(tn.letters()) != 0 {
			t.Fatalf("%v, letters %v", err, tn.letters())
		}
		for i := range 5 {
			tn.restart()
			tn.passAt(day.Add(time.Duration(i) * time.Minute))
		}
		if got := tn.letters(); len(got) != 1 {
			t.Errorf("letters %v, want one", got)
		}
	})
}

// Two nodes whose clocks are five minutes apart: one letter, also when both hold
// that the lease is theirs.
func TestTwoNodesFiveMinutesApartRemindOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		begin := mustTime(t, "2026-10-10T09:00:00Z")
		r := rules
		brand := r.Brands["baleyo"]
		brand.Location = mustZone(t, "Europe/Berlin")
		r.Brands = map[string]tickets.Brand{"baleyo": brand}
		r.Reminders.Schedules = remindEvery
		nodes := []*store.DB{open(), open()}
		err := nodes[0].Decide(t.Context(), "baleyo", func(tx *store.Tx) error {
			_, err := tx.Save(t.Context(), 0, "", "", tickets.Change{Brand: "baleyo", Products: []tickets.Product{
				{Brand: "baleyo", Owner: tickets.Address{Address: customer}, Serial: "LJ-1", WarrantyUntil: sla.Date{Year: 2026, Month: 11, Day: 10}},
				{Brand: "baleyo", Owner: tickets.Address{Address: customer}, Serial: "LJ-2", ContractUntil: sla.Date{Year: 2026, Month: 10, Day: 18}},
			}}, begin)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for at := begin; at.Before(begin.AddDate(0, 0, 2)); at = at.Add(20 * time.Minute) {
			var both sync.WaitGroup
			for i, db := range nodes {
				both.Go(func() {
					now := at.Add(time.Duration(i) * 5 * time.Minute)
					s := New(Options{DB: db, Rules: func() tickets.Rules { return r }, Now: func() time.Time { return now }})
					if err := errors.Join(s.runs(t.Context(), "baleyo", r, now), s.gather(t.Context(), "baleyo", r, now)); err != nil {
						t.Error(err)
					}
				})
			}
			both.Wait()
		}
		list, err := nodes[0].LettersWhere(t.Context(), nil, 0, 100)
		if err != nil || len(list) != 1 {
			t.Errorf("letters %+v, %v, want one", list, err)
		}
	})
}
