package tickets

import "time"

// Alarm rings the people of a tier about a ticket, one after the other, by call
// and text, until one acknowledges with a key or by #ack. A voicemail box that
// "answers" presses nothing and so acknowledges nothing.
type Alarm struct {
	ID     int64 // 0 until stored
	Ticket int64
	Brand  string
	Tier   int
	Why    string
	People []string // agents' addresses, in the order in which they are rung

	State   AlarmState
	Attempt int       // attempts begun; the person of attempt n (from 1) is People[(n-1) % len]
	Most    int       // attempts after which it gives up
	Due     time.Time // when the attempt in hand counts as failed, or the next begins
	By      string    // who acknowledged or stopped it
	Started time.Time
	Ended   time.Time
}

// AlarmState is how an alarm stands.
type AlarmState string

// The states.
const (
	AlarmRinging      AlarmState = "ringing"
	AlarmAcknowledged AlarmState = "acknowledged"
	AlarmExhausted    AlarmState = "exhausted" // nobody acknowledged
	AlarmStopped      AlarmState = "stopped"   // the ticket needs it no more
)
