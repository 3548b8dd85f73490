package schedules

import (
	"context"
	"fmt"
	"slices"
	"time"

	"frontdesk/sla"
	"frontdesk/store"
	"frontdesk/tickets"
)

// Planned is one reminder that will be sent when nothing changes until then.
type Planned struct {
	At     time.Time
	Letter tickets.Letter
	Dues   []tickets.Due // what it tells
}

// Timed is one schedule of a brand with its next time.
type Timed struct {
	Brand    string
	Schedule tickets.Schedule
	Last     time.Time // that was seen to, zero none
	Next     time.Time // zero: never
}

// List says when the schedules of the brands run.
func List(ctx context.Context, db *store.DB, rules tickets.Rules, brand string, now time.Time) ([]Timed, error) {
	far, err := db.Runs(ctx, brand)
	if err != nil {
		return nil, err
	}
	var out []Timed
	for _, s := range rules.Reminders.Schedules {
		line, err := readCron(s.Cron, rules.Brands[brand].Location)
		if err != nil {
			return nil, fmt.Errorf("schedule %s: %w", s.Key, err)
		}
		out = append(out, Timed{brand, s, far[s.Key].At, line.next(now)})
	}
	return out, nil
}

// rehearsal plays the schedules of a brand in memory: the same questions and the
// same decisions as the sweep, and nothing written.
type rehearsal struct {
	db     *store.DB
	rules  tickets.Rules
	brand  string
	who    owners
	dues   map[int64][]tickets.Due // waiting, by person
	known  map[string]bool         // by schedule, occurrence and subject
	loaded map[int64]tickets.Reminded
	last   int64 // id of the newest made up
	out    []Planned
}

// Preview lists the reminders of a brand that will leave from now until until:
// whom, when, of what. Only what is known now is in it; the limit on reminders
// in an hour is not.
func Preview(ctx context.Context, db *store.DB, rules tickets.Rules, brand string, now, until time.Time) ([]Planned, error) {
	r := &rehearsal{db: db, rules: rules, brand: brand, who: owners{}, dues: map[int64][]tickets.Due{}, known: map[string]bool{}, loaded: map[int64]tickets.Reminded{}, last: 1 << 60}
	waiting, err := db.Waiting(ctx, brand)
	if err != nil {
		return nil, err
	}
	for _, d := range waiting {
		r.dues[d.Person] = append(r.dues[d.Person], d)
	}
	events, err := r.occurrences(ctx, now, until)
	if err != nil {
		return nil, err
	}
	for at := now; !at.After(until); {
		for len(events) > 0 && !events[0].when.After(at) {
			if err := r.run(ctx, events[0].do); err != nil {
				return nil, err
			}
			events = events[1:]
		}
		next, err := r.gather(ctx, at)
		if err != nil {
			return nil, err
		}
		if len(events) > 0 && (next.IsZero() || events[0].when.Before(next)) {
			next = events[0].when
		}
		if next.IsZero() {
			break
		}
		at = next
	}
	return r.out, nil
}

// event is an occurrence, and when it is noticed.
type event struct {
	when time.Time
	do   Occurrence
}

// occurrences lists what the reminder schedules do, in order of time.
func (r *rehearsal) occurrences(ctx context.Context, now, until time.Time) ([]event, error) {
	far, err := r.db.Runs(ctx, r.brand)
	if err != nil {
		return nil, err
	}
	var out []event
	for _, s := range r.rules.Reminders.Schedules {
		if !s.IsReminder() {
			continue
		}
		line, err := readCron(s.Cron, r.rules.Brands[r.brand].Location)
		if err != nil {
			return nil, fmt.Errorf("schedule %s: %w", s.Key, err)
		}
		was := far[s.Key]
		was.Brand, was.Schedule = r.brand, s.Key
		for at := now; !at.IsZero() && !at.After(until); at = line.next(at) {
			p := planned(line, s, was, at)
			for _, o := range p.do {
				out = append(out, event{at, o})
			}
			was = p.run
		}
	}
	slices.SortStableFunc(out, func(a, b event) int { return a.when.Compare(b.when) })
	return out, nil
}

// run notes what an occurrence finds that was not found before.
func (r *rehearsal) run(ctx context.Context, o Occurrence) error {
	list, err := found(ctx, r.db, o, r.rules, r.who)
	if err != nil {
		return err
	}
	for _, d := range list {
		key := d.Schedule + " " + d.Occurrence + " "
		if err := r.remember(ctx, d.Product); err != nil {
			return err
		}
		if r.known[key+d.Subject] || r.known[key+tickets.DueSubject(d.Product)] {
			continue
		}
		r.known[key+d.Subject] = true
		r.last++
		d.ID = r.last
		r.dues[d.Person] = append(r.dues[d.Person], d)
	}
	return nil
}

// remember loads what was ever found of a product, once.
func (r *rehearsal) remember(ctx context.Context, product int64) error {
	key := fmt.Sprint(product)
	if r.known[key] {
		return nil
	}
	r.known[key] = true
	list, err := r.db.DuesOf(ctx, product)
	for _, d := range list {
		r.known[d.Schedule+" "+d.Occurrence+" "+d.Subject] = true
	}
	return err
}

// gather decides about everybody for whom something waits that wants to be
// looked at by now. It returns when the next does.
func (r *rehearsal) gather(ctx context.Context, now time.Time) (next time.Time, err error) {
	for _, person := range r.persons() {
		if len(r.dues[person]) == 0 {
			continue
		}
		if first := earliest(r.dues[person]); !first.After(now) {
			if err := r.decide(ctx, person, now); err != nil {
				return next, err
			}
		}
		if first := earliest(r.dues[person]); !first.IsZero() && (next.IsZero() || first.Before(next)) {
			next = first
		}
	}
	return next, nil
}

func (r *rehearsal) persons() []int64 {
	var out []int64
	for id := range r.dues {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

// earliest is when the first of what waits wants to be looked at; zero: nothing waits.
func earliest(dues []tickets.Due) (first time.Time) {
	for _, d := range dues {
		if first.IsZero() || d.Next.Before(first) {
			first = d.Next
		}
	}
	return first
}

// decide is the decision of the sweep on one customer, kept in memory.
func (r *rehearsal) decide(ctx context.Context, person int64, now time.Time) error {
	who, ok := r.loaded[person]
	if !ok {
		var err error
		if who, err = r.db.Reminded(ctx, r.brand, person); err != nil {
			delete(r.dues, person) // gone, or not to be read: nothing will be sent
			return nil
		}
	}
	who.Dues = r.dues[person]
	for _, d := range who.Dues {
		if _, have := who.Products[d.Product]; !have {
			if p, err := r.db.Product(ctx, d.Product); err == nil {
				who.Products[d.Product] = p
			}
		}
	}
	c, _ := tickets.Gather(who, r.rules, now)
	var told []tickets.Due
	for _, d := range c.Dues {
		i := slices.IndexFunc(who.Dues, func(w tickets.Due) bool { return w.ID == d.ID })
		who.Dues[i] = d
		if d.State == tickets.DueSent {
			told = append(told, d)
		}
	}
	r.dues[person] = slices.DeleteFunc(who.Dues, func(d tickets.Due) bool { return d.State != tickets.DueWaiting })
	if len(r.dues[person]) > 0 && !earliest(r.dues[person]).After(now) {
		return fmt.Errorf("what waits for person %d does not end", person)
	}
	for _, l := range c.Letters {
		who.Told = append(slices.Clip(who.Told), sla.DateOf(now.In(who.Person.Zone(r.rules.Brands[r.brand]))))
		r.out = append(r.out, Planned{now, l, told})
	}
	who.Dues = nil
	r.loaded[person] = who
	return nil
}

// RunNow runs one schedule of a brand as if it were due at now, for the days
// since it last ran, and tells what it finds. With send it notes that, as the
// sweep would; the sweep's own times are not moved, and what was noted is not
// found again.
func RunNow(ctx context.Context, db *store.DB, rules tickets.Rules, brand, key string, now time.Time, send bool) ([]tickets.Due, error) {
	i := slices.IndexFunc(rules.Reminders.Schedules, func(s tickets.Schedule) bool { return s.Key == key })
	if i < 0 {
		return nil, fmt.Errorf("no schedule %q", key)
	}
	s := rules.Reminders.Schedules[i]
	if !s.IsReminder() {
		return nil, fmt.Errorf("schedule %q sends no reminders", key)
	}
	line, err := readCron(s.Cron, rules.Brands[brand].Location)
	if err != nil {
		return nil, err
	}
	far, err := db.Runs(ctx, brand)
	if err != nil {
		return nil, err
	}
	since := far[key].At
	if since.IsZero() || since.After(now) {
		since = line.latest(now.Add(-time.Second))
	}
	o := Occurrence{Brand: brand, Schedule: s, At: now.In(line.zone), Since: since, Clock: line.clock(line.next(now))}
	r := &rehearsal{db: db, rules: rules, brand: brand, who: owners{}, dues: map[int64][]tickets.Due{}, known: map[string]bool{}}
	if err := r.run(ctx, o); err != nil {
		return nil, err
	}
	var out []tickets.Due
	for _, person := range r.persons() {
		for _, d := range r.dues[person] {
			d.ID = 0
			out = append(out, d)
		}
	}
	if !send || len(out) == 0 {
		return out, nil
	}
	err = db.Decide(ctx, brand, func(tx *store.Tx) error {
		_, err := tx.Save(ctx, 0, "", "", tickets.Change{Brand: brand, Dues: out}, now)
		return err
	})
	return out, err
}
