// Package intake takes contacts in: IMAP mailboxes, LMTP and pipes write raw
// bytes to the ledger; the worker turns ledger rows into decisions.
//
// What it guarantees: a flag, a move, a 250 or an exit code 0 comes after the
// row is on disk, never before; each item has one row; a mail that cannot be
// handled is quarantined with its bytes after a bounded number of attempts, and
// the next one goes on.
package intake
