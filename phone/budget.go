package phone

import (
	"strings"
	"time"

	"github.com/nyaruka/phonenumbers"
)

// Limits say whom the desk may call and text, and how much of it a day. A leak
// or a mistake then costs one day's budget and no more: calls to expensive
// numbers are how stolen telephone accounts are turned into money.
type Limits struct {
	// Prefixes are the beginnings of numbers that are allowed, with "+": "+49",
	// "+4420". None allows nothing.
	Prefixes []string
	// Denied are beginnings that are not, within those: "+49900".
	Denied []string
	// Segments and Calls are the most of one day; 0 allows none.
	Segments, Calls int
}

// Spent is what one day has used. Its day is [Day].
type Spent struct {
	Segments, Calls int
}

// Refusal says why something is not sent.
type Refusal string

// The refusals. Budget ones end with the day; the others are for ever.
const (
	Allowed         Refusal = ""
	RefusedNumber   Refusal = "number"   // no number that can be called
	RefusedPrefix   Refusal = "prefix"   // not among the allowed ones
	RefusedPremium  Refusal = "premium"  // costs the caller more than a call
	RefusedSegments Refusal = "segments" // the day's texts are used up
	RefusedCalls    Refusal = "calls"    // the day's calls are used up
)

// Budget reports whether the refusal ends with the day. Alert a person: either
// the budget is small, or something runs away.
func (r Refusal) Budget() bool { return r == RefusedSegments || r == RefusedCalls }

// Text says whether a text of so many segments may go to a party, after what the
// day has spent.
func (l Limits) Text(to Party, segments int, spent Spent) Refusal {
	if r := l.number(to); r != Allowed {
		return r
	}
	if spent.Segments+max(segments, 1) > l.Segments {
		return RefusedSegments
	}
	return Allowed
}

// Call says whether a party may be called, after what the day has spent.
func (l Limits) Call(to Party, spent Spent) Refusal {
	if r := l.number(to); r != Allowed {
		return r
	}
	if spent.Calls+1 > l.Calls {
		return RefusedCalls
	}
	return Allowed
}

func (l Limits) number(to Party) Refusal {
	switch {
	case !to.Known():
		return RefusedNumber
	case !begins(to.Number, l.Prefixes), begins(to.Number, l.Denied):
		return RefusedPrefix
	case premium(to.Number):
		return RefusedPremium
	}
	return Allowed
}

// begins reports whether a number begins with one of the prefixes. A prefix that
// is not "+" and digits allows nothing: "" would allow the world.
func begins(number string, prefixes []string) bool {
	for _, p := range prefixes {
		if len(p) > 1 && p[0] == '+' && p[1:] == digitsOf(p) && strings.HasPrefix(number, p) {
			return true
		}
	}
	return false
}

// premium reports numbers that share the price with whoever is called, as far as
// the numbering plans say. Exchanges ignore digits too many: one that no plan
// knows is premium when its beginning is.
func premium(number string) bool {
	parsed, err := phonenumbers.Parse(number, "")
	if err != nil {
		return true
	}
	switch parsed.GetCountryCode() {
	case 979, 881, 882, 883: // international premium rate; satellites and networks
		return true
	}
	for range surplus {
		switch phonenumbers.GetNumberType(parsed) {
		case phonenumbers.PREMIUM_RATE, phonenumbers.SHARED_COST:
			return true
		case phonenumbers.UNKNOWN:
		default:
			return false
		}
		number = number[:len(number)-1]
		if parsed, err = phonenumbers.Parse(number, ""); err != nil {
			return false
		}
	}
	return false
}

// surplus is how many digits too many are seen through, plus one.
const surplus = 6

// Day names the day of a budget, "2026-03-29", in the desk's time zone (nil:
// UTC). A day of 23 or 25 hours has the same budget.
func Day(now time.Time, zone *time.Location) string {
	if zone == nil {
		zone = time.UTC
	}
	return now.In(zone).Format(time.DateOnly)
}
