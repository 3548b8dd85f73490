package main

import (
	"fmt"
	"testing"
	"time"

	"frontdesk/sla"
	"frontdesk/tickets"
)

func TestClocksAreNamedAsPeopleNameThem(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"": "[first response next response next update resolution]", "resolution": "[resolution]", "Resol": "[resolution]",
		"first": "[first response]", "first-response": "[first response]", "next-update": "[next update]", "next r": "[next response]",
	} {
		got, err := clocksNamed(word)
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("%q: got %v, %v; want %s", word, got, err, want)
		}
	}
	for _, word := range []string{"next", "lunch", " ", "-", "resolutions"} { // next is two
		if got, err := clocksNamed(word); err == nil {
			t.Errorf("%q: got %v", word, got)
		}
	}
}

// TestReportOfClocksOutlivesAMachineThatIsLate: what the log says has happened,
// also while the machine's clock says it has not.
func TestReportOfClocksOutlivesAMachineThatIsLate(t *testing.T) {
	t.Parallel()
	opened := time.Date(2026, 3, 6, 5, 0, 0, 0, time.UTC)
	log := clockEvents([]tickets.Event{
		{At: opened, What: "opened", Clock: &sla.Event{Kind: sla.Opened, Status: "new", Facts: sla.Facts{Customer: "gold"}}},
		{At: opened.Add(time.Minute), What: "note"},
		{At: opened.Add(time.Hour), What: "answered", Clock: &sla.Event{Kind: sla.Answered}},
	})
	if len(log) != 2 || !log[1].At.Equal(opened.Add(time.Hour)) {
		t.Fatalf("log: %+v", log)
	}
	policy := sla.Policy{Rules: []sla.Rule{{Name: "all", Targets: map[sla.Clock]sla.Target{sla.FirstResponse: {Within: sla.Duration{Count: 2, Unit: sla.Hour}}}}}}
	brand := tickets.Brand{Calendar: sla.Always(time.UTC)}
	r := reportClocks(tickets.Ticket{ID: 1}, brand, policy, log, []sla.Clock{sla.FirstResponse}, opened.Add(-time.Hour))
	if len(r.Clocks) != 1 || r.Clocks[0].State != sla.StateMet || r.Contract != "gold" || !r.Now.Equal(opened.Add(time.Hour)) {
		t.Errorf("got %+v", r)
	}
	if r := reportClocks(tickets.Ticket{}, brand, policy, nil, sla.Clocks[:], opened); r.Clocks == nil || len(r.Clocks) != 0 {
		t.Errorf("without a log: %+v", r.Clocks)
	}
}
