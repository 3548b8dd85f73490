package store

import (
	"fmt"
	"slices"
	"strings"
)

// severities are the order of a query that gives none, worst first.
var severities = []string{"critical", "high", "medium", "low"}

// queueOrder returns ORDER BY of the queue, and the arguments with what it
// refers to appended: severity, worst first, then status, then order of
// arrival. A ticket whose severity nobody set stands before the least of them:
// it may be worse than that.
func queueOrder(order []string, args []any) (string, []any) {
	if len(order) == 0 {
		order = severities
	}
	var b strings.Builder
	b.WriteString(` ORDER BY
		CASE severity`)
	last := len(order) - 1
	for i, severity := range order {
		rank := i
		if i == last {
			rank++ // after those without
		}
		args = append(args, severity)
		fmt.Fprintf(&b, " WHEN $%d THEN %d", len(args), rank)
	}
	fmt.Fprintf(&b, ` ELSE %d END,
		CASE status WHEN 'new' THEN 0 WHEN 'open' THEN 1 WHEN 'pending' THEN 2 WHEN 'on_hold' THEN 3 WHEN 'resolved' THEN 4 ELSE 5 END,
		opened,
		id`, last)
	return b.String(), slices.Clip(args)
}
