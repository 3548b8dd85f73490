package notify

import (
	"time"

	"frontdesk/tickets"
)

// promises says what a letter tells of the desk's promises.
func (v *view) promises(d tickets.LetterData, lang *language, zone *time.Location, w *words) {
	v.Due, v.SolveBy, v.Opens = lang.moment(d.Due, zone), lang.moment(d.SolveBy, zone), lang.opens(d.Opens, d.At, zone)
	v.Promise, v.Left = w.put(lang.span(d.Promise)), w.put(d.Left)
	if name, known := lang.clocks[d.Clock]; known {
		v.Clock, v.ClockName = d.Clock, name
	}
}

// opens says when the desk opens: "Monday 10:00" within the six days after from,
// else with the date.
func (l *language) opens(t, from time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	local := t.In(zone)
	if soon := !from.IsZero() && t.Sub(from) < 6*24*time.Hour; !soon {
		return l.moment(t, zone)
	}
	return l.days[local.Weekday()] + " " + local.Format("15:04") + l.oclock
}
