package phone

import (
	"errors"
	"fmt"
	"regexp"
	"time"
)

// Reason is what a number of Twilio's means for the desk.
type Reason string

// The reasons.
const (
	ReasonNone         Reason = ""
	ReasonAuth         Reason = "auth"          // account or token: a person must act
	ReasonSlowDown     Reason = "slow-down"     // too many requests
	ReasonNotFound     Reason = "not-found"     // no such thing, or not ready yet
	ReasonBadNumber    Reason = "bad-number"    // cannot be called or texted
	ReasonRegion       Reason = "region"        // the country is not enabled on the account
	ReasonSender       Reason = "sender"        // our number cannot send this
	ReasonTooLong      Reason = "too-long"      // above MaxText
	ReasonStopped      Reason = "stopped"       // the customer said STOP: set the flag
	ReasonUnreachable  Reason = "unreachable"   // switched off or out of reach
	ReasonNoSuchNumber Reason = "no-such"       // nobody has this number
	ReasonLandline     Reason = "landline"      // takes no texts
	ReasonFiltered     Reason = "filtered"      // a network took it for spam
	ReasonUnregistered Reason = "unregistered"  // United States: the brand is not registered for texts
	ReasonWindow       Reason = "window"        // WhatsApp: more than 24 hours, only a template
	ReasonTrial        Reason = "trial-account" // a trial account writes to verified numbers alone
)

var reasons = map[int]Reason{
	20003: ReasonAuth, 20404: ReasonNotFound, 20429: ReasonSlowDown, 14107: ReasonSlowDown, 30001: ReasonSlowDown,
	21211: ReasonBadNumber, 21214: ReasonBadNumber, 21217: ReasonBadNumber, 21614: ReasonBadNumber, 21401: ReasonBadNumber,
	21408: ReasonRegion, 21215: ReasonRegion,
	21210: ReasonSender, 21212: ReasonSender, 21213: ReasonSender, 21603: ReasonSender, 21606: ReasonSender, 21659: ReasonSender,
	21617: ReasonTooLong, 21610: ReasonStopped, 21608: ReasonTrial, 21219: ReasonTrial,
	30003: ReasonUnreachable, 30005: ReasonNoSuchNumber, 30006: ReasonLandline, 30007: ReasonFiltered, 30034: ReasonUnregistered,
	63016: ReasonWindow,
}

// ReasonOf returns what an error code of Twilio's means for the desk, ReasonNone
// for one that means nothing particular.
func ReasonOf(code int) Reason { return reasons[code] }

// Error is a request that did not succeed. Each error of [Client]'s methods is
// one, or the context's.
type Error struct {
	Op     string // "send message", "fetch recording RE…"
	Status int    // of HTTP; 0 when no answer came
	Code   int    // Twilio's, 0 none
	Reason Reason
	Text   string // Twilio's words, numbers masked
	// Temporary says that the same may succeed later. A refused login counts as
	// temporary: what waits leaves once the token is mended.
	Temporary bool
	// Unknown says that the request may have had its effect: no answer came, or
	// one from in between. Look it up before it is sent again.
	Unknown bool
	// After is how long Twilio asks to wait, 0 unsaid.
	After time.Duration
	err   error
}

func (e *Error) Error() string {
	text := e.Op
	switch {
	case e.Status != 0 && e.Code != 0:
		text += fmt.Sprintf(": twilio %d, code %d", e.Status, e.Code)
	case e.Status != 0:
		text += fmt.Sprintf(": twilio %d", e.Status)
	}
	if e.Reason != ReasonNone {
		text += " (" + string(e.Reason) + ")"
	}
	if e.Text != "" {
		text += ": " + e.Text
	}
	if e.Unknown {
		text += "; it may have had its effect"
	}
	return text
}

// Unwrap returns the error of the network, if there was one.
func (e *Error) Unwrap() error { return e.err }

// Temporary reports whether an error may pass: errors of this package say so
// themselves, others may not.
func Temporary(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Temporary
}

// longDigits are numbers and the tails of SIDs in texts that Twilio wrote.
var longDigits = regexp.MustCompile(`\+?[0-9][0-9 ()-]{5,}[0-9]`)

// maskText shortens numbers in a text.
func maskText(text string) string {
	return longDigits.ReplaceAllStringFunc(shorten(clean(text, 300), 300), Mask)
}
