// Package throttle keeps one client from taking what all of them need: it says
// where a request comes from, how much more that source may ask, and how many
// connections are held.
//
// What it guarantees: memory is bounded, however many sources there are; a
// source that is refused is told when to come again (RFC 6585 section 4); a new
// connection is always taken, and the one that has waited longest for its next
// request makes room for it. Counts are of this process, and gone with it: they
// defend, they account for nothing.
package throttle
