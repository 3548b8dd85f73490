package notify

import (
	"strings"
	"time"

	"frontdesk/tickets"
)

// shownReturn is a return as its letters tell of it.
type shownReturn struct {
	Number  string  // "RMA-1234"
	Product Words   // model and serial number, "" not known
	Status  string  // "open", "received", "inspected", "replaced", "refunded" or "refused"
	Until   string  // last day to send it: "7 December 2026"
	Address []Words // lines of where it goes
	Note    Words   // the agent's word on the step; not of the first letter, where it is for colleagues
}

func (v *view) returned(d tickets.LetterData, say func(string) Words, lang *language, w *words) {
	r := d.Return
	if r == nil {
		return
	}
	v.Return = &shownReturn{
		Number: oneLine(r.Number, 40), Product: w.put(oneLine(strings.TrimSpace(r.Product+" "+r.Serial), 120)),
		Status: string(r.Status), Until: lang.day(r.Until.Year, r.Until.Month, r.Until.Day),
	}
	for line := range strings.Lines(r.Address) {
		if a := w.put(oneLine(line, 120)); a != "" {
			v.Return.Address = append(v.Return.Address, a)
		}
	}
	if r.Status != tickets.ReturnOpen {
		v.Return.Note = say(r.Note)
	}
}

func sampleReturn(at time.Time) *tickets.Return {
	r := &tickets.Return{
		Number: "RMA-1234", Product: "LX 300", Serial: "SN47118823", Status: tickets.ReturnOpen,
		Address: "Baleyo Returns\nDock 4\nHarbour Road 12\n20457 Hamburg", At: at,
	}
	r.Until.Year, r.Until.Month, r.Until.Day = 2026, time.December, 7
	return r
}
