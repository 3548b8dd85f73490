package tickets

import (
	"encoding/json"
	"testing"
	"time"
)

// Weeks and months begin at midnight of the zone, whatever the clocks do.
func TestPeriodsOfReports(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		period   ReportPeriod
		now      string
		from, to string
		hours    int
	}{
		{"on a Monday", Weekly, "2026-11-23T07:00:00Z", "2026-11-16", "2026-11-23", 168},
		{"on a Sunday", Weekly, "2026-11-22T12:00:00Z", "2026-11-09", "2026-11-16", 168},
		{"a minute into Monday", Weekly, "2026-11-22T23:01:00Z", "2026-11-16", "2026-11-23", 168},
		{"the clocks go back", Weekly, "2026-10-26T07:00:00Z", "2026-10-19", "2026-10-26", 169},
		{"the clocks go forward", Weekly, "2027-03-29T06:00:00Z", "2027-03-22", "2027-03-29", 167},
		{"over the new year", Weekly, "2027-01-04T07:00:00Z", "2026-12-28", "2027-01-04", 168},
		{"before 1970", Weekly, "1969-12-30T07:00:00Z", "1969-12-22", "1969-12-29", 168},
		{"a month", Monthly, "2026-12-01T07:00:00Z", "2026-11-01", "2026-12-01", 720},
		{"in January", Monthly, "2027-01-31T07:00:00Z", "2026-12-01", "2027-01-01", 744},
		{"February of a leap year", Monthly, "2028-03-15T07:00:00Z", "2028-02-01", "2028-03-01", 696},
		{"October has an hour more", Monthly, "2026-11-02T07:00:00Z", "2026-10-01", "2026-11-01", 745},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			now, err := time.Parse(time.RFC3339, c.now)
			if err != nil {
				t.Fatal(err)
			}
			before, from, to := c.period.Last(now, berlin)
			if f, u := from.In(berlin).Format("2006-01-02 15:04"), to.In(berlin).Format("2006-01-02 15:04"); f != c.from+" 00:00" || u != c.to+" 00:00" {
				t.Errorf("%s to %s, want %s to %s", f, u, c.from, c.to)
			}
			if got := to.Sub(from); got != time.Duration(c.hours)*time.Hour {
				t.Errorf("%s long, want %d hours", got, c.hours)
			}
			if earlier, from2, to2 := c.period.Last(from, berlin); !from2.Equal(before) || !to2.Equal(from) || !earlier.Before(before) {
				t.Errorf("the period before is %s to %s, not %s to %s", before, from, from2, to2)
			}
		})
	}
}

func TestSpread(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values []time.Duration
		want   Spread
	}{
		{nil, Spread{}},
		{[]time.Duration{5}, Spread{1, 0, 5}}, // the median is in milliseconds
		{[]time.Duration{time.Second}, Spread{1, time.Second, time.Second}},
		{[]time.Duration{3 * time.Second, time.Second}, Spread{2, 2 * time.Second, 3 * time.Second}},
		{[]time.Duration{9e9, 1e9, 2e9, 3e9, 4e9, 5e9, 6e9, 7e9, 8e9, 1e10}, Spread{10, 5500 * time.Millisecond, 9 * time.Second}},
		{[]time.Duration{9e9, 1e9, 2e9, 3e9, 4e9, 5e9, 6e9, 7e9, 8e9, 1e10, 11e9}, Spread{11, 6 * time.Second, 10 * time.Second}},
	} {
		if got := SpreadOf(c.values); got != c.want {
			t.Errorf("spread of %v: %+v, want %+v", c.values, got, c.want)
		}
	}
}

func TestSharesAreWhole(t *testing.T) {
	t.Parallel()
	list := SharesOf([]time.Duration{0, time.Hour - 1, time.Hour, 2 * time.Hour, 100 * aDay}, AnswerBounds)
	if list[0].Count != 2 || list[1].Count != 1 || list[2].Count != 1 || list[len(list)-1].Count != 1 || list[len(list)-1].UpTo != 0 {
		t.Errorf("shares %+v", list)
	}
}

// A report goes to those whom the schedule names, or to the brand's managers,
// each once, and shows each what the role may see.
func TestReadersOfReports(t *testing.T) {
	t.Parallel()
	rules := Rules{
		Brands: map[string]Brand{"baleyo": {Key: "baleyo", Language: "de", Mailboxes: []Mailbox{{Address: "support@baleyo.test"}}}},
		Agents: map[string]Agent{
			"asha@baleyo.test":  {Address: "asha@baleyo.test", Role: RoleSupervisor, ID: 1},
			"devi@baleyo.test":  {Address: "devi@baleyo.test", Role: RoleManager, ID: 2},
			"ewan@another.test": {Address: "ewan@another.test", Role: RoleManager, ID: 3, Brands: []string{"another"}},
		},
		Roles: map[Role]Rights{RoleSupervisor: {Hidden: []string{"email"}}},
	}
	f := Figures{Again: []MatterFigures{{What: "vpn", Requester: "maria@keller.example", Customers: 1}}}
	at := time.Date(2026, 11, 23, 7, 0, 0, 0, time.UTC)
	letters := func(to ...string) []Letter {
		c, err := Reports(f, Schedule{Key: "weekly_report", To: to}, "baleyo", rules, at)
		if err != nil {
			t.Fatal(err)
		}
		return c.Letters
	}
	list := letters()
	if len(list) != 1 || list[0].To.Address != "devi@baleyo.test" || list[0].Key != "weekly_report:baleyo:2026-11-23T07:00:00Z:devi@baleyo.test" || list[0].Language != "de" || !list[0].Agent || list[0].Kind != LetterReport {
		t.Errorf("without names: %+v", list)
	}
	list = letters("Asha@Baleyo.test", "asha@baleyo.test", "ewan@another.test", "board@baleyo.test")
	if len(list) != 2 || list[0].To.Address != "asha@baleyo.test" || list[1].To.Address != "board@baleyo.test" {
		t.Fatalf("by name: %+v", list)
	}
	for i, want := range []string{"", "maria@keller.example"} {
		var shown Figures
		if err := json.Unmarshal(list[i].Data.Figures, &shown); err != nil || shown.Again[0].Requester != want {
			t.Errorf("%s sees %q, want %q (%v)", list[i].To.Address, shown.Again[0].Requester, want, err)
		}
	}
}
