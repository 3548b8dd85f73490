package schedules

import (
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"frontdesk/sla"
)

// cronLine is a line of five fields on the clock of a place.
//
// At the changes of the clock it goes by the rules of Debian's cron: a time that
// the clock skips is the first instant after the gap, one that it shows twice
// comes the first time only. Lines with * in the minute or the hour run by the
// hours that there are: 23 or 25 of them on such a day.
type cronLine struct {
	fields cron.Schedule
	zone   *time.Location
	every  bool // * in the minute or the hour
}

// readCron reads a line; "TZ=Zone " or "CRON_TZ=Zone " may stand before it, else
// it goes by zone (nil UTC). A zone that is not known is an error: nothing runs
// by UTC instead.
func readCron(line string, zone *time.Location) (c cronLine, err error) {
	defer func() {
		if p := recover(); p != nil { // the parser does so on some lines
			err = fmt.Errorf("cron line %q: %v", line, p)
		}
	}()
	rest := strings.TrimSpace(line)
	if first, after, ok := strings.Cut(rest, " "); ok && (strings.HasPrefix(first, "TZ=") || strings.HasPrefix(first, "CRON_TZ=")) {
		_, name, _ := strings.Cut(first, "=")
		if zone, err = time.LoadLocation(name); err != nil || name == "" || name == "Local" {
			return c, fmt.Errorf("cron line %q: unknown time zone %q", line, name)
		}
		rest = strings.TrimSpace(after)
	}
	f := strings.Fields(rest)
	if len(f) != 5 {
		return c, fmt.Errorf("cron line %q: %d fields instead of five", line, len(f))
	}
	if zone == nil {
		zone = time.UTC
	}
	c = cronLine{zone: zone, every: strings.HasPrefix(f[0], "*") || strings.HasPrefix(f[1], "*")}
	if c.fields, err = cron.ParseStandard(rest); err != nil {
		return c, fmt.Errorf("cron line %q: %w", line, err)
	}
	return c, nil
}

// widest is more than any change of a clock but the loss of a whole day.
const widest = 3 * time.Hour

// next returns the first occurrence after t; zero when there is none within five
// years.
func (c cronLine) next(t time.Time) time.Time {
	if c.every {
		return c.fields.Next(t.In(c.zone))
	}
	// The parser counts on a clock that never changes; what it finds is then put
	// on the clock of the place.
	for shown := wall(t.In(c.zone)).Add(-widest); ; {
		if shown = c.fields.Next(shown); shown.IsZero() {
			return shown
		}
		if at := sla.DateOf(shown).At(shown.Hour()*60+shown.Minute(), c.zone); at.After(t) {
			return at
		}
	}
}

// clock is the time of day that an occurrence stands for, in minutes since
// midnight: of one that the clock skipped, the time that was skipped.
func (c cronLine) clock(at time.Time) int {
	if !c.every {
		for shown := wall(at.In(c.zone)).Add(-widest); ; {
			if shown = c.fields.Next(shown); shown.IsZero() {
				break
			}
			minutes := shown.Hour()*60 + shown.Minute()
			if is := sla.DateOf(shown).At(minutes, c.zone); is.Equal(at) {
				return minutes
			} else if is.After(at) {
				break
			}
		}
	}
	local := at.In(c.zone)
	return local.Hour()*60 + local.Minute()
}

// mostOccurrences bounds a look over a long gap: a line of every minute has as
// many in a week.
const mostOccurrences = 10080

// between lists the occurrences after from up to until, the newest ones when
// there are too many.
func (c cronLine) between(from, until time.Time) []time.Time {
	var out []time.Time
	for at := c.next(from); !at.IsZero() && !at.After(until); at = c.next(at) {
		if out = append(out, at); len(out) > 2*mostOccurrences {
			out = append(out[:0], out[len(out)-mostOccurrences:]...)
		}
	}
	return out
}

// latest is the newest occurrence up to now, as far as a year back; without one
// it is a day ago.
func (c cronLine) latest(now time.Time) time.Time {
	for _, back := range []time.Duration{time.Hour, 25 * time.Hour, 8 * 24 * time.Hour, 366 * 24 * time.Hour} {
		if list := c.between(now.Add(-back), now); len(list) > 0 {
			return list[len(list)-1]
		}
	}
	return now.Add(-24 * time.Hour)
}
