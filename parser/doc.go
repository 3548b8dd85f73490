// Package parser understands one mail: bytes in, a [Mail] out.
//
// It never fails and never panics: what is broken is reported in
// [Mail.Defects] and the rest is still understood. It is bounded in time and
// memory whatever the input (see [Limits]), does no I/O, keeps no state and
// may be called from many goroutines. It decides nothing about tickets: it
// reports what a mail says, and which rule made it say so.
//
// # How a mail is read
//
// [Parse] takes these steps, each in the file of its name:
//
//   - header: the fields, unfolded. Repaired are mbox "From " lines, lines
//     that lost their folding or their colon, a missing blank line, empty and
//     doubled fields (the first filled one counts).
//   - walk: the MIME tree in one pass over the octets, whatever the nesting:
//     all open boundaries are known while a line is read, so that missing
//     close delimiters, boundaries used twice and boundaries never declared
//     cost nothing. Parts nested deeper than [Limits.Depth], or more than
//     [Limits.Parts], stay as they are.
//   - transfer, charset, encodedword, params: decoding. A charset is taken by
//     its label, else by what the octets are, else as windows-1252; the result
//     is valid UTF-8 and never empty.
//   - body: the visible text. Alternatives give one plain and one HTML form,
//     parts beside each other are joined. Files inside the text (uuencode,
//     yEnc), in a TNEF (winmail.dat) and behind an opaque S/MIME signature are
//     opened. AppleDouble resource forks are dropped.
//   - html, sanitize: HTML as text with links as footnotes, and HTML that is
//     safe to show: no scripts, styles, forms, frames, nor anything fetched
//     from elsewhere.
//   - kind, report, bounceforms: what class of mail it is.
//   - quote, attribution, signature: the visible reply.
//   - commands, facts, language: what the reply holds.
//
// # The visible reply
//
// [Mail.ReplyText] is what the sender wrote, without quoted history and
// signature. It only hides: [Mail.Text] is whole, and [Mail.Cuts] names the
// rule and the lines of each stretch left out. The rules, in the order in
// which they count:
//
//	on-wrote             "On … Ada wrote:" in the forms of forty languages
//	outlook-header       From/Sent/To/Subject as a block above the quote
//	original-message     "-----Original Message-----" and its translations
//	forwarded-message    the head of a message that is forwarded without a word
//	quote                lines that begin with ">"
//	html-…               an element that a client marks as a quote
//	html-signature…      an element that a client marks as a signature
//	signature-delimiter  "-- ", "____" and what editors make of them
//	signature-closing    a closing with a card of several lines under it
//	signature-dash       a name behind a dash on the last line
//	mobile-signature     "Sent from my phone" and its translations
//	pgp-armor            the lines of inline PGP
//	footnote             links that only the hidden text cites
//
// Answers between quotes are kept whole, quotes and all. A forwarded message
// is kept: it is the message. A mail of quotes alone shows them.
//
// # Kinds and bounces
//
// Every rule that matched stands in [Mail.Signals]; the first decides
// [Mail.Kind]. Reports come first (RFC 3464, RFC 5965, RFC 8098), then the
// forms of MTAs that write no such report, which are half of all: these need
// a sender that is a machine and a text or subject that says what failed, so
// that a person who asks about a bounce is a person. Answers by machine
// follow (RFC 3834: any Auto-Submitted but "no"), then lists.
//
// [Bounce.Status] is the report's code unless that is vague (x.0.0, x.4.7)
// and the server's own answer says more. [Bounce.Hard] means 5.x.x, or, with
// no code, an address that is gone. [Bounce.Reason] is one of: authfailure,
// badreputation, blocked, contenterror, exceedlimit, expired, filtered,
// hasmoved, hostunknown, mailboxfull, mailererror, mesgtoobig, networkerror,
// norelaying, notaccept, policyviolation, rejected, requireptr,
// securityerror, spamdetected, speeding, suspend, syntaxerror, systemerror,
// systemfull, toomanyconn, undefined, userunknown, virusdetected.
//
// # What it does not do
//
// It checks no signature (see [Protection]) and looks nothing up. Of RTF, the
// body of some TNEFs, it reads the text alone. The date of a mail is shown,
// never trusted. The threading of mails belongs to the ticket rules.
package parser
