// Package torture holds the tests that break what a desk stands on: its process,
// its disk, its data, its mail servers. Each runs the real binary from outside,
// sends mail in and keeps its own account of it, breaks something, lets the desk
// go on, and then settles the account: "frontdesk reconcile" and the letters that
// arrived say whether anything was lost or doubled.
//
// "make test" runs each with small numbers, "make torture" (TORTURE=1) at
// length. A run at length takes about half an hour, most of it waiting for leases,
// backoffs and lines that are dead on purpose; it wants two processors and root,
// for strace, small file systems and private mail servers. Each test adds a row to
// a table (testdesk.Record), which "make torture" prints at the end.
package torture
