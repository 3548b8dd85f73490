package schedules

import (
	"testing"
	"time"
)

// FuzzCronLine: a line is refused, or says the same times however it is asked:
// each after the one before, none left out, in little time.
func FuzzCronLine(f *testing.F) {
	for _, s := range []string{"0 9 * * 1-5", "*/5 * * * *", "30 2 * 3,10 0", "0 0 30 2 *", "0 0 29 2 *", "TZ=Australia/Lord_Howe 15 2 * * *", "TZ=0 0 0 * * *", "CRON_TZ= 0 0 * * *", "59 23 31 12 7", "* 2 * * *", "0-59/0 * * * *", "TZ=Local 0 9 * * *", "0 9 * * 1-5 x", "@daily", "1-999999999 0 * * *"} {
		f.Add(s, int64(1774746000), uint8(1)) // the night of a change in Berlin
	}
	zones := []*time.Location{nil}
	for _, name := range []string{"Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			f.Fatal(err)
		}
		zones = append(zones, zone)
	}
	f.Fuzz(func(t *testing.T, line string, unix int64, place uint8) {
		zone := zones[int(place)%len(zones)]
		c, err := readCron(line, zone)
		if err != nil {
			return
		}
		began := time.Now()
		const day = 24 * time.Hour
		from := time.Unix(946684800+(unix%3e9+3e9)%3e9, 0) // 2000 to 2095
		first := c.next(from)
		if !first.IsZero() {
			if !first.After(from) || first.Sub(from) > 10*366*day { // 2096 to 2104 has no leap day
				t.Errorf("%q after %v: %v", line, from, first)
			}
			if mid := from.Add(first.Sub(from) / 2); !c.next(mid).Equal(first) {
				t.Errorf("%q after %v: %v, but after %v: %v", line, from, first, mid, c.next(mid))
			}
			if n := c.clock(first); n < 0 || n >= 24*60 {
				t.Errorf("%q at %v stands for minute %d", line, first, n)
			}
		}
		mid, until := from.Add(11*time.Hour+7*time.Minute), from.Add(2*day)
		all, parts := c.between(from, until), append(c.between(from, mid), c.between(mid, until)...)
		if len(all) != len(parts) {
			t.Fatalf("%q from %v: %d times in two days, %d in the two parts of them", line, from, len(all), len(parts))
		}
		for i, at := range all {
			if !at.Equal(parts[i]) || i > 0 && !at.After(all[i-1]) || !at.After(from) || at.After(until) {
				t.Errorf("%q: %v after %v; in parts %v", line, at, from, parts[i])
			}
			if at.Second() != 0 || at.Nanosecond() != 0 {
				t.Errorf("%q: %v is no minute", line, at)
			}
		}
		if last := c.latest(from); last.After(from) || from.Sub(last) > 366*day {
			t.Errorf("%q: the latest up to %v is %v", line, from, last)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%q took %v", line, took)
		}
	})
}
