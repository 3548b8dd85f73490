// Package torture holds the tests that break what a desk stands on: its process,
// its disk, its data, its mail servers. Each runs the real binary from outside,
// sends mail in and keeps its own account of it, breaks something, lets the desk
// go on, and then settles the account: "frontdesk reconcile" and the letters that
// arrived say whether anything was lost or doubled.
//
// "make test" runs each with small numbers, "make torture" (TORTURE=1) at
// length. Each test adds a row to a table (testdesk.Record), which "make torture"
// prints at the end.
package torture
