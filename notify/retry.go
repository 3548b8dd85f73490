package notify

import (
	"errors"
	"hash/fnv"
	"net/textproto"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"frontdesk/store"
	"frontdesk/tickets"
)

// Class says why a letter did not leave, which decides when it is tried again.
type Class string

// The classes.
const (
	ClassConnection Class = "connection" // no server to talk to: not the letter's fault
	ClassTemporary  Class = "temporary"  // the server said 4xx
	ClassGreylist   Class = "greylist"   // the server said 4xx and means "come again in a while"
	ClassPermanent  Class = "permanent"  // the server said 5xx, or the letter cannot be sent at all
)

// maxBackoff is the longest wait between two attempts of a letter.
const maxBackoff = time.Hour

// Backoff returns how long to wait after attempt (from 1) has failed. Waits
// double up to an hour; a connection starts at 5 s, because a server that is
// being restarted is back in seconds; greylisting servers want 5 minutes.
// letter spreads the letters of one outage over the last tenth of the wait.
func Backoff(class Class, attempt int, letter int64) time.Duration {
	wait := time.Minute
	switch class {
	case ClassConnection:
		wait = 5 * time.Second
	case ClassGreylist:
		wait = 5 * time.Minute
	}
	for i := 1; i < attempt && wait < maxBackoff; i++ {
		wait *= 2
	}
	wait = min(wait, maxBackoff)
	return wait - jitter(letter, wait/10)
}

// jitter is a number below span that depends on the letter alone, so that a
// test and an operator can compute it.
func jitter(letter int64, span time.Duration) time.Duration {
	if span <= 0 {
		return 0
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(strconv.FormatInt(letter, 10)))
	return time.Duration(h.Sum32()) % span
}

// failure is why one attempt did not end with a 2xx.
type failure struct {
	class  Class
	code   string // "550 5.1.1", "" when the server said nothing
	detail string
	doubt  bool // the final dot may have arrived: the server may have taken the letter
}

func (f *failure) Error() string {
	if f.code != "" {
		return f.code + " " + f.detail
	}
	return f.detail
}

// failed makes a failure of what a command returned. stage is the command, for people.
func failed(stage string, err error) *failure {
	var reply *textproto.Error
	if !errors.As(err, &reply) {
		return &failure{class: ClassConnection, detail: stage + ": " + err.Error()}
	}
	enhanced, text := enhancedStatus(reply.Msg)
	f := &failure{class: ClassTemporary, code: strings.TrimSpace(strconv.Itoa(reply.Code) + " " + enhanced), detail: stage + ": " + text}
	switch {
	case reply.Code == 421: // the server closes the connection (RFC 5321 section 3.8)
		f.class = ClassConnection
	case reply.Code >= 500 && reply.Code < 600:
		f.class = ClassPermanent
	case greylisted.MatchString(text):
		f.class = ClassGreylist
	}
	return f
}

var (
	statusForm = regexp.MustCompile(`^([245]\.\d{1,3}\.\d{1,3})[ \n]?`)
	greylisted = regexp.MustCompile(`(?i)gr[ae]y-?list`)
)

// enhancedStatus takes the enhanced status code off a reply's text (RFC 2034):
// it stands at the start of every line.
func enhancedStatus(text string) (status, rest string) {
	var lines []string
	for _, line := range strings.Split(text, "\n") {
		if m := statusForm.FindStringSubmatch(line); m != nil {
			status, line = m[1], line[len(m[0]):]
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	return status, oneLine(strings.Join(lines, " "), 500)
}

var (
	bracketed = regexp.MustCompile(`<([^<>\s@]{1,200}@[^<>\s@]{1,200})>`)
)

// serverIDs finds the msg-ids that a server gave a mail in the text of its 250:
// servers that rewrite the Message-ID name the new one here, and answers cite
// it. A queue id alone ("queued as 4F2A1B") is no msg-id; it stays in the text.
func serverIDs(text string) []string {
	var ids []string
	for _, m := range bracketed.FindAllStringSubmatch(text, 5) {
		if msgID(m[1]) && !slices.Contains(ids, m[1]) {
			ids = append(ids, m[1])
		}
	}
	return ids
}

// staleAck is the age from which an acknowledgement is only sent if the ticket
// still waits for somebody.
const staleAck = time.Hour

// givenUp returns why a letter is not sent any more, "" when it is. t is its
// ticket, nil when it has none or it was not loaded.
func givenUp(out store.Outgoing, t *tickets.Ticket, expire time.Duration, now time.Time) string {
	l := out.Letter
	switch {
	case !l.NotAfter.IsZero() && now.After(l.NotAfter):
		return "expired: of no use after " + l.NotAfter.UTC().Format(time.RFC3339)
	case expire > 0 && now.Sub(out.Queued) > expire:
		return "expired: not sent within " + expire.String()
	case ringsNow(l.Kind) && now.Sub(out.Queued) > staleCall:
		return "expired: too late to ring anybody"
	case l.Kind == tickets.LetterAcknowledgement && t != nil && !t.Status.Open() && now.Sub(out.Queued) > staleAck:
		return "expired: the ticket is " + string(t.Status) + ", an acknowledgement would only confuse"
	}
	return ""
}
