//go:build race

package schedules

import "time"

// tick of the longest test: the race detector makes each pass ten times as long.
const tick = 10 * time.Minute
