package tickets

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"frontdesk/sla"
)

// waits is what waits to be told of Maria's printer, whose warranty ends in a
// week.
func waits(change ...func(*Reminded)) Reminded {
	today := sla.DateOf(noon)
	r := Reminded{
		Person:   Person{ID: 7, Brand: "baleyo", Name: "Maria Lopez", Addresses: []string{"maria@example.org"}, Phones: []string{"+4915112345678"}},
		Products: map[int64]Product{3: {ID: 3, Brand: "baleyo", Person: 7, Serial: "LJ-1", Model: "LaserJet", Kind: KindLaser, WarrantyUntil: today.Add(7)}},
		Dues:     []Due{{ID: 1, Schedule: WarrantyReminder, Occurrence: today.Add(7).String(), Subject: "product:3:7", Person: 7, Product: 3, Date: today.Add(7), Days: 7, Day: today, Next: noon.Add(-time.Hour), State: DueWaiting}},
	}
	for _, f := range change {
		f(&r)
	}
	return r
}

func TestWhetherAndHowACustomerIsReminded(t *testing.T) {
	t.Parallel()
	today := sla.DateOf(noon) // 2 March 2026
	rules := rulesForTest()
	b := rules.Brands["baleyo"]
	b.Phones = []Phone{{Number: "+493012345", Texts: true}}
	rules.Brands["baleyo"] = b
	prefs := func(f func(*Preferences)) func(*Reminded) { return func(r *Reminded) { f(&r.Person.Prefs) } }
	due := func(f func(*Due)) func(*Reminded) { return func(r *Reminded) { f(&r.Dues[0]) } }
	product := func(f func(*Product)) func(*Reminded) {
		return func(r *Reminded) { p := r.Products[3]; f(&p); r.Products[3] = p }
	}
	texts := prefs(func(p *Preferences) { p.Channel = ChannelSMS })
	for _, c := range []struct {
		name   string
		r      Reminded
		to     string // "" no letter
		state  DueState
		detail string // in Why, or the time of Next
	}{
		{"by mail", waits(), "maria@example.org", DueSent, ""},
		{"unsubscribed", waits(prefs(func(p *Preferences) { p.NoReminders = true })), "", DueStopped, "unsubscribed"},
		{"do not contact", waits(prefs(func(p *Preferences) { p.DoNotContact = true })), "", DueStopped, "answers only"},
		{"no surveys is another matter", waits(prefs(func(p *Preferences) { p.NoSurveys = true })), "maria@example.org", DueSent, ""},
		{"blocked", waits(func(r *Reminded) { r.Person.Blocked = true }), "", DueStopped, "blocked"},
		{"the address bounced", waits(func(r *Reminded) { r.Suppressed = []string{"maria@example.org"} }), "", DueStopped, "bounced"},
		{"another address did not", waits(func(r *Reminded) {
			r.Person.Addresses, r.Suppressed = append(r.Person.Addresses, "m2@example.org"), []string{"maria@example.org"}
		}), "m2@example.org", DueSent, ""},
		{"nobody reads it", waits(func(r *Reminded) { r.Person.Addresses = []string{"no-reply@example.org"} }), "", DueStopped, "nobody reads"},
		{"one of our own", waits(func(r *Reminded) { r.Person.Addresses = []string{"support@baleyo.test"} }), "", DueStopped, "desk's own"},
		{"no way at all", waits(func(r *Reminded) { r.Person.Addresses, r.Person.Phones = nil, nil }), "", DueStopped, "no mail address"},
		{"prefers texts", waits(texts), "tel:+4915112345678", DueSent, ""},
		{"prefers texts and said STOP", waits(texts, func(r *Reminded) {
			r.Stopped = []LineConsent{{Number: "tel:+4915112345678", Line: "tel:+493012345"}}
		}), "maria@example.org", DueSent, ""},
		{"has a number only", waits(func(r *Reminded) { r.Person.Addresses = []string{"tel:+4915112345678"} }), "tel:+4915112345678", DueSent, ""},
		{"had one today", waits(func(r *Reminded) { r.Told = []sla.Date{today} }), "", DueWaiting, "2026-03-03 08:00"},
		{"quiet hours", waits(prefs(func(p *Preferences) { p.QuietFrom, p.QuietTo = 11*60, 15*60+30 })), "", DueWaiting, "2026-03-02 15:30"},
		{"quiet hours over midnight", waits(prefs(func(p *Preferences) { p.QuietFrom, p.QuietTo = 11*60, 9*60 })), "", DueWaiting, "2026-03-03 09:00"},
		{"its hour has not come", waits(due(func(d *Due) { d.Next = noon.Add(time.Hour) })), "", DueWaiting, "2026-03-02 13:00"},
		{"tomorrow where the customer is", waits(prefs(func(p *Preferences) { p.Timezone = "Pacific/Kiritimati" }), func(r *Reminded) {
			r.Told = []sla.Date{today.Add(1)}
		}), "", DueWaiting, "2026-03-03 18:00"},
		{"a zone that nobody knows", waits(prefs(func(p *Preferences) { p.Timezone = "Mars/Olympus" })), "maria@example.org", DueSent, ""},
		{"the day has passed", waits(func(r *Reminded) {
			r.Dues[0].Date, r.Dues[0].Day = today.Add(-1), today.Add(-8)
			p := r.Products[3]
			p.WarrantyUntil = today.Add(-1)
			r.Products[3] = p
		}), "", DueExpired, "has passed"},
		{"the warranty was extended", waits(product(func(p *Product) { p.WarrantyUntil = today.Add(400) })), "", DueStopped, "another day"},
		{"somebody else has it", waits(product(func(p *Product) { p.Person = 8 })), "", DueStopped, "somebody else"},
		{"not in use", waits(product(func(p *Product) { p.Retired = true })), "", DueStopped, "not in use"},
		{"gone", waits(func(r *Reminded) { r.Products = nil }), "", DueStopped, "not in use"},
		{"serviced meanwhile", waits(due(func(d *Due) { d.Schedule, d.Subject, d.Date = ServiceReminder, "product:3:service:0", sla.Date{} }), product(func(p *Product) { p.ServicedAt = 9000 })), "", DueStopped, "serviced"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, _ := Gather(c.r, rules, noon)
			d := c.r.Dues[0]
			if len(got.Dues) > 0 {
				d = got.Dues[0]
			}
			to := ""
			if len(got.Letters) > 0 {
				to = got.Letters[0].To.Address
			}
			if to != c.to || d.State != c.state || len(got.Letters) > 1 {
				t.Errorf("to %q, %s (%s), want %q, %s", to, d.State, d.Why, c.to, c.state)
			}
			if !strings.Contains(d.Why+d.Next.UTC().Format(" 2006-01-02 15:04"), c.detail) {
				t.Errorf("why %q, next %s, want %q", d.Why, d.Next.UTC(), c.detail)
			}
		})
	}
}

// After a standstill the last of several reminders of one date is told, the
// others are recorded; days are counted from today.
func TestOfSeveralRemindersTheLastIsTold(t *testing.T) {
	t.Parallel()
	today := sla.DateOf(noon)
	r := waits(func(r *Reminded) {
		old := r.Dues[0]
		old.ID, old.Days, old.Subject, old.Day = 2, 30, "product:3:30", today.Add(-23)
		r.Dues = append([]Due{old}, r.Dues...)
		r.Dues[1].Day = today.Add(-2) // noticed two days late
		p := r.Products[3]
		p.WarrantyUntil = today.Add(5)
		r.Products[3] = p
		r.Dues[0].Date, r.Dues[1].Date = today.Add(5), today.Add(5)
	})
	got, _ := Gather(r, rulesForTest(), noon)
	if len(got.Letters) != 1 || len(got.Letters[0].Data.Items) != 1 || got.Letters[0].Data.Items[0].Days != 5 {
		t.Fatalf("letters %+v", got.Letters)
	}
	for _, d := range got.Dues {
		if want := map[int64]DueState{1: DueSent, 2: DueExpired}[d.ID]; d.State != want {
			t.Errorf("due %d: %s, want %s", d.ID, d.State, want)
		}
	}
}

// A service is due by readings alone: at each span after the last service, once.
func TestServiceByTheMeter(t *testing.T) {
	t.Parallel()
	read := func(pages ...int) (out []Reading) {
		for i, n := range pages {
			out = append(out, Reading{At: noon.AddDate(0, 0, i-10), Pages: n})
		}
		return out
	}
	for _, c := range []struct {
		name string
		p    Product
		want string // occurrence, pages; "" none
	}{
		{"no reading", Product{Kind: KindLaser}, ""},
		{"laser, not yet", Product{Kind: KindLaser, Readings: read(9999)}, ""},
		{"laser", Product{Kind: KindLaser, Readings: read(5000, 10000)}, "10000 10000"},
		{"laser, later", Product{Kind: KindLaser, Readings: read(14000)}, "10000 14000"},
		{"laser, the next span", Product{Kind: KindLaser, Readings: read(31000)}, "30000 31000"},
		{"inkjet, not yet", Product{Kind: KindInkjet, Readings: read(6999)}, ""},
		{"inkjet", Product{Kind: KindInkjet, Readings: read(7000)}, "7000 7000"},
		{"since the service", Product{Kind: KindInkjet, ServicedAt: 6000, Readings: read(12999)}, ""},
		{"since the service, due", Product{Kind: KindInkjet, ServicedAt: 6000, Readings: read(13100)}, "13000 7100"},
		{"a reading from before the service", Product{Kind: KindLaser, ServicedAt: 1000, ServicedOn: sla.DateOf(noon), Readings: read(30000)}, ""},
		{"of another kind", Product{Kind: KindOther, Readings: read(99999)}, ""},
		{"retired", Product{Kind: KindLaser, Retired: true, Readings: read(10000)}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.p.ID, c.p.Person = 3, 7
			got := ""
			for _, d := range Reminders(Schedule{Key: ServiceReminder}, []Product{c.p}, sla.DateOf(noon), sla.DateOf(noon), noon, ReminderRules{}) {
				got += strings.TrimSpace(d.Occurrence + " " + strconv.Itoa(d.Pages))
			}
			if got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
