//go:build !race

package schedules

import "time"

// tick of the longest test.
const tick = time.Minute
