// Package phone speaks Twilio's wire: it verifies and reads webhooks, says what
// a caller hears, and calls the REST API. It is for intake, which takes what
// comes, and for notify, which sends what leaves.
//
// It holds no state and decides nothing about tickets: what a call or a text
// means for the desk is decided elsewhere, from the values made here. It opens
// no database, starts no goroutine, and only [Client] touches the network.
//
// # What it guarantees
//
//   - A webhook is believed only with a signature over the public URL as it was
//     configured, the raw request line and every parameter; without a token
//     nothing is believed ([NewVerifier], [Verifier.Read]).
//   - Every event has one key that is the same however often, late or by which
//     way it comes: [CallEvent.Key], [Message.Key], [MessageStatus.Key]. What
//     the REST API lists gets the same keys as the webhooks ([Client.Messages],
//     [Client.Recordings]).
//   - Events of one call may come in any order and more than once; the call they
//     make is the same ([Plan.Fold]).
//   - What a caller hears is a pure function of a [Plan], the state in the path
//     and the keys pressed ([Plan.Answer]). Words from outside are spoken, never
//     obeyed.
//   - Only a pressed key accepts or acknowledges; a voicemail box that "answers"
//     does neither ([Alarm], [Plan]).
//   - Credentials go to the configured host and our own account's paths, never
//     to an address that a webhook names, and never along with a redirection.
//   - Nothing that may have been sent is sent again by itself: [Error.Unknown]
//     says so, and [Client.FindMessage] and [Client.FindCall] look it up.
//
// # Where the facts come from
//
// Twilio's pages on webhook security, TwiML, the 2010-04-01 API and connection
// overrides; GSM 03.38 (3GPP TS 23.038) and concatenation in 3GPP TS 23.040 for
// segments; ITU-T E.164 for numbers. What those pages leave open and real
// payloads showed is said at the line that relies on it.
package phone
