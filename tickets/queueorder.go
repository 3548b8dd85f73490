package tickets

import (
	"cmp"
	"slices"
)

// statusOrder is how soon a ticket of each status wants to be looked at.
var statusOrder = []Status{StatusNew, StatusOpen, StatusPending, StatusHold, StatusResolved}

// QueueOrder returns the tickets in the order in which they are to be worked on
// (row B6): by severity, worst first as Rules.Order says, then by status, then
// in order of arrival. A ticket whose severity nobody set stands before those of
// the least one: it may be worse than that. list stays as it is.
func QueueOrder(list []Ticket, rules Rules) []Ticket {
	out := slices.Clone(list)
	slices.SortStableFunc(out, func(a, b Ticket) int {
		return cmp.Or(
			cmp.Compare(rules.rank(a.Severity), rules.rank(b.Severity)),
			cmp.Compare(statusRank(a.Status), statusRank(b.Status)),
			a.Opened.Compare(b.Opened), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// rank is the place of a severity in the order; an unknown one stands before the last.
func (r Rules) rank(severity string) int {
	last := len(r.Order) - 1
	switch i := slices.Index(r.Order, severity); {
	case i < 0:
		return 2*last - 1
	default:
		return 2 * i
	}
}

func statusRank(s Status) int {
	if i := slices.Index(statusOrder, s); i >= 0 {
		return i
	}
	return len(statusOrder)
}
