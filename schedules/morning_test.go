package schedules

import (
	"testing"
	"testing/synctest"
	"time"

	"frontdesk/tickets"
)

// TestMorningLettersOnceADay sends each agent the queue once a morning, across
// restarts and a clock that is set to and fro, and not in the evening after a
// day's standstill.
func TestMorningLettersOnceADay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // it begins at midnight UTC
		d := openDesk(t)
		d.early = &TimeOfDay{Hour: 8, Location: time.UTC}
		d.ticket(func(x *tickets.Ticket) { x.Assignee = supervisor })
		d.run(7*time.Hour + 59*time.Minute)
		if n := d.lists(); n != 0 {
			t.Fatalf("%d letters before the hour", n)
		}
		d.run(2 * time.Minute)
		if n := d.lists(); n != 1 {
			t.Fatalf("%d letters after the hour, want the agent's own", n)
		}
		for i := range 6 {
			d.restart()
			d.ahead = []time.Duration{0, -2 * time.Hour, 2 * time.Hour}[i%3]
			d.run(20 * time.Minute)
		}
		if n := d.lists(); n != 1 {
			t.Errorf("%d letters after restarts and a clock set to and fro, want 1", n)
		}
		d.ahead = 0
		time.Sleep(40 * time.Hour) // nobody was there: it is evening two days later
		d.run(time.Hour)
		if n := d.lists(); n != 1 {
			t.Errorf("%d letters after a standstill until the evening, want 1", n)
		}
		d.run(5 * day)
		if n := d.lists(); n != 6 {
			t.Errorf("%d letters after five more mornings, want 6", n)
		}
	})
}
