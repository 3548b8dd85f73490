// Package sla knows when a desk is open, what it has promised, and how each
// promise stands. It is for the decisions about tickets and for the schedules
// that watch them.
//
// # Scope
//
// [Calendar] turns opening hours, holidays and a time zone into arithmetic on
// instants. [Duration] is a span as people promise it: "24 hours", "4 business
// hours", "5 working days". [Policy] chooses the targets of a ticket. [Read]
// replays a ticket's events and tells how its four clocks stand: first
// response, next response, next update and resolution. [Reading.Explain] gives
// the pieces a due time is made of.
//
// Everything is pure: no clock (now is an argument), no I/O, no state between
// calls. A Calendar and a Policy are read-only once made and may be shared.
// What to do about a warning or a breach, whom to tell, and what an event means
// for a ticket's status are not decided here.
//
// # Guarantees
//
//   - A reading depends on the events, the calendar, the policy and now, on
//     nothing else. Reading it often or seldom makes no difference.
//   - What has happened stays: a breach that was read once is read at the same
//     instant ever after, whatever events are added at or after now; and so is
//     a warning, until the promise is changed for another.
//   - Where a target counts open time, moving an event within closed hours does
//     not change what remains. (The instant of closing is not within them: what
//     runs out there is due there.)
//   - Every function ends, also for a calendar that never opens; the search for
//     open time gives up after a hundred years and says so by ok = false.
//
// # Wall clocks
//
// Opening hours are times on the wall clock of the calendar's zone. A time that
// the clock skips when it is put forward is the first instant after the gap; a
// time that it shows twice when it is put back is the first of the two. So an
// hour that is skipped is not worked, and what holds when the clock is put back
// (open or closed) holds until the clock shows a new time.
//
// Instants come back in UTC.
package sla
