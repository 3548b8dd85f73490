// Package nodes says which of several daemons on one database does what: it
// keeps a lease for each piece of work that one node at a time may do (a
// mailbox, the decisions of a brand, the schedules), spreads them evenly over
// the nodes that live, and gives them back at the end.
//
// What it guarantees:
//   - A lease has one holder at a time, by the database's clock. It is renewed
//     at a third of its life; a node that does not reach the database stops
//     holding it when its own clock says so, which is never later.
//   - Each take has a higher epoch, handed out as a store.Fence: what a node
//     that was frozen past its lease writes in its name is refused.
//   - What a dead node held is taken within the lease's life, and what it had
//     claimed of the outbox is free then.
//
// It does none of that work, and decides nothing about mail. Where no other
// node can be (SQLite), everything is held without a row and without a write.
package nodes
