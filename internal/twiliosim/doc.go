// Package twiliosim plays Twilio: for tests, and for the demo. It posts signed
// webhooks to an application, follows the TwiML it gets back with a scripted
// caller, and offers the part of the REST API that such an application calls.
//
// It deliberately shares no code with the application or with Twilio's library,
// so that a mistake in a signature or in a parameter's name is not made twice.
// The standard library only.
//
// Simulated: Say, Play, Pause, Gather (keys, speech, numDigits, finishOnKey,
// actionOnEmptyResult), Record (action, status callback, transcription, empty
// recording, hanging up), Dial (numbers, whisper, scripted outcome), Redirect,
// Hangup, Reject; Message with Body and Media; fallback URLs; connection
// overrides in the fragment of a URL (rc, rp, rt); STOP, START and HELP with
// error 21610; WhatsApp's 24 hours (63016); status callbacks, in order or not;
// recordings as wav and mp3, media by redirection, both behind Basic
// authentication; webhooks that are lost or delivered twice; REST requests that
// fail before or after their effect, or whose answer is lost.
//
// Not simulated: Enqueue, Conference, Stream, Pay, Studio, Conversations,
// Messaging Services beyond their SID, carriers, prices, real rate limits.
//
// Guessed, because no documentation says it: the order of a recording's callback
// and the call's end (Config.CompletedFirst), TranscriptionStatus failed outside
// 2 to 120 seconds, the fragment of a URL being left out of the signature.
package twiliosim
