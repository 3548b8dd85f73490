// Package tickets holds the desk's domain and its decisions.
//
// Everything here is pure: plain values in, a [Change] out. There is no I/O,
// no clock (now is an argument), no logging and no database. The caller looks
// up what [Inbound.Keys] asks for, calls the decision, saves the Change in one
// transaction, and lets the outbox carry the letters away.
//
// Every decision carries its [Step] trace: the rules tried, in order, each
// with the value it saw and its verdict. The rule names (I1…, T1…) are those
// of docs/mail-rules.md.
package tickets
