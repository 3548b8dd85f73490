package schedules

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"frontdesk/store"
	"frontdesk/tickets"
)

// hold puts a mail into quarantine.
func (d *desk) hold(n int) {
	d.t.Helper()
	data := fmt.Appendf(nil, "From: stranger@x.example\r\nSubject: %d\r\n\r\n", n)
	item := store.Item{Key: fmt.Sprintf("test:%d", n), Brand: "baleyo", Mailbox: "support@baleyo.example", Channel: tickets.ChannelMail, Received: d.now(), SHA256: sha256.Sum256(data), Data: data}
	if _, err := d.db.Append(d.t.Context(), []store.Item{item}, nil); err != nil {
		d.t.Fatal(err)
	}
	rows, err := d.db.ClaimLedger(d.t.Context(), "baleyo", 10, d.now(), d.now().Add(time.Minute))
	if err != nil || len(rows) == 0 {
		d.t.Fatal(len(rows), err)
	}
	err = d.db.Decide(d.t.Context(), "baleyo", func(tx *store.Tx) error {
		_, err := tx.Save(d.t.Context(), rows[0].ID, "stranger@x.example", "held", tickets.Change{Brand: "baleyo", Disposition: tickets.DisposeQuarantined, Reason: "loop"}, d.now())
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) lists() int { return len(d.letters(0)) }

func TestHeldMailIsListedOnceADay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // it begins at midnight UTC
		d := openDesk(t)
		d.at = &TimeOfDay{Hour: 8, Location: time.UTC}
		d.run(time.Minute)
		d.hold(1)
		d.run(7*time.Hour + 58*time.Minute)
		if n := d.lists(); n != 0 {
			t.Fatalf("%d lists before the hour", n)
		}
		d.run(2 * time.Minute)
		if n := d.lists(); n != 1 {
			t.Fatalf("%d lists after the hour, want 1", n)
		}
		for i := range 9 {
			d.restart()
			d.ahead = []time.Duration{0, -2 * time.Hour, 2 * time.Hour}[i%3]
			d.run(20 * time.Minute)
		}
		if n := d.lists(); n != 1 {
			t.Errorf("%d lists after restarts and a clock set to and fro, want 1", n)
		}
		d.ahead = 0
		d.run(9 * day)
		if n := d.lists(); n != 10 {
			t.Errorf("%d lists in ten days, want 10", n)
		}
	})
}

func TestMissedDaysCollapseIntoOneList(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t)
		d.at = &TimeOfDay{Hour: 8, Location: time.UTC}
		d.hold(1)
		time.Sleep(5*day + 12*time.Hour)
		d.run(time.Hour)
		if n := d.lists(); n != 1 {
			t.Errorf("%d lists after five missed days, want 1", n)
		}
	})
}

// The first list of a desk's life goes out after 08:00; a clock that then goes
// back to 06:00 must not find yesterday's list missing.
func TestClockBackOnTheFirstDaySendsNoSecondList(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t)
		d.at = &TimeOfDay{Hour: 8, Location: time.UTC}
		time.Sleep(8 * time.Hour)
		d.hold(1)
		d.pass()
		d.restart()
		d.ahead = -2 * time.Hour
		d.pass()
		if n := d.lists(); n != 1 {
			t.Errorf("%d lists, want 1", n)
		}
	})
}

func TestADayWithoutHeldMailHasNoList(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t)
		d.at = &TimeOfDay{Hour: 8, Location: time.UTC}
		d.run(9 * time.Hour)
		d.hold(1) // after the hour: it waits for tomorrow's
		d.restart()
		d.run(14 * time.Hour)
		if n := d.lists(); n != 0 {
			t.Errorf("%d lists, want 0", n)
		}
		d.run(10 * time.Hour)
		if n := d.lists(); n != 1 {
			t.Errorf("%d lists the next morning, want 1", n)
		}
	})
}

func TestHeldMailIsNotListedWithoutAnHour(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t)
		d.hold(1)
		d.run(2 * day)
		if n := d.lists(); n != 0 {
			t.Errorf("%d lists, want 0", n)
		}
	})
}
