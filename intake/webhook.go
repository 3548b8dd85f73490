package intake

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"frontdesk/phone"
	"frontdesk/store"
	"frontdesk/tickets"
)

// Hook is a webhook of the telephone company as it stands in the ledger: what
// was proven, and the two things about its arrival that cannot be had later.
// What the reconciler listed and what a transcriber wrote have the same form.
type Hook struct {
	// URI is the request's path below the public URL, query included.
	URI string `json:"uri"`
	// Form holds the parameters, all of them, as they came.
	Form url.Values `json:"form"`
	// At is when it came; of what was listed, when it happened.
	At time.Time `json:"at"`
	// Open says whether the brand was open when a call began. The rest of a call
	// carries it in its path.
	Open bool `json:"open,omitempty"`
	// Refused says why a webhook was not believed. Form is empty then.
	Refused string `json:"refused,omitempty"`
}

// readHook reads the bytes of a ledger row.
func readHook(data []byte) (Hook, error) {
	var h Hook
	if err := json.Unmarshal(data, &h); err != nil {
		return Hook{}, fmt.Errorf("read webhook: %w", err)
	}
	return h, nil
}

func (h Hook) data() []byte {
	b, err := json.Marshal(h)
	if err != nil {
		panic(err) // strings and a time marshal
	}
	return b
}

func (h Hook) path() string {
	path, _, _ := strings.Cut(h.URI, "?")
	return path
}

// line is one of our numbers with its brand.
type line struct {
	brand tickets.Brand
	phone tickets.Phone
	known bool // the configuration has it
}

// lineOf finds one of our numbers. One that the configuration does not have
// belongs to the first brand: what came for it waits in quarantine there until
// somebody configures it.
func lineOf(rules tickets.Rules, number string, whatsApp bool) line {
	for _, b := range rules.Brands {
		for _, p := range b.Phones {
			if p.Number == number && number != "" && (!whatsApp || p.WhatsApp) {
				return line{b, p, true}
			}
		}
	}
	return line{brand: firstBrand(rules)}
}

func firstBrand(rules tickets.Rules) tickets.Brand {
	keys := make([]string, 0, len(rules.Brands))
	for k := range rules.Brands {
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return tickets.Brand{}
	}
	return rules.Brands[slices.Min(keys)]
}

// mailbox is the mail address that the agents' letters about a line come from.
func (l line) mailbox() tickets.Mailbox {
	for _, m := range l.brand.Mailboxes {
		if m.Address == l.phone.Mailbox || l.phone.Mailbox == "" {
			return m
		}
	}
	if len(l.brand.Mailboxes) > 0 && l.phone.Mailbox == "" {
		return l.brand.Mailboxes[0]
	}
	return tickets.Mailbox{Address: l.phone.Mailbox}
}

// event is a webhook, read: what it is about. Of call, text, status and out
// exactly one is set.
type event struct {
	line    line
	channel tickets.Channel
	key     string // of its ledger row, the same for each delivery
	contact string // Item.Contact
	account string // AccountSid

	call   *phone.CallEvent
	text   *phone.Message
	status *textStatus
	out    *outgoing
}

// Errors of readEvent.
var (
	// errNoPath: nothing of ours is at this address.
	errNoPath = errors.New("no such webhook")
	// errUnreadable: the parameters do not say what it is.
	errUnreadable = errors.New("webhook cannot be read")
)

// readEvent reads a webhook: the same for the handler, which needs its key and
// its answer, for the worker and for the reconciler. The line of an error is
// where the row belongs.
func readEvent(h Hook, rules tickets.Rules) (event, error) {
	path := h.path()
	for _, way := range []struct {
		prefix string
		read   func(string, Hook, tickets.Rules) (event, error)
	}{
		{phone.PathSMS + "/status/", readTextStatus},
		{phone.PathWhatsApp + "/status/", readTextStatus},
		{phone.PathVoice, readCall},
		{phone.PathSMS, readText},
		{phone.PathWhatsApp, readText},
		{"/twilio/alarm/", readAlarm},
		{"/twilio/bridge/", readBridge},
	} {
		rest, ok := strings.CutPrefix(path, way.prefix)
		if ok && (rest == "" || strings.HasSuffix(way.prefix, "/") || rest[0] == '/') {
			return way.read(path, h, rules)
		}
	}
	return event{}, errNoPath
}

// brandLine is the line of what the desk itself placed or sent: the path names
// the brand.
func brandLine(rules tickets.Rules, key, number string) (line, error) {
	b, ok := rules.Brands[key]
	if !ok {
		return line{}, fmt.Errorf("%w: brand %q", errNoPath, key)
	}
	l := line{brand: b, known: true}
	for _, p := range b.Phones {
		if p.Number == number || l.phone.Number == "" {
			l.phone = p
		}
	}
	return l, nil
}

// item is the ledger row of a webhook.
func item(e event, h Hook, now time.Time) store.Item {
	data := h.data()
	box := e.line.mailbox()
	queue := e.line.phone.Queue
	if queue == "" {
		queue = box.Queue
	}
	return store.Item{
		Key: e.key, Brand: e.line.brand.Key, Mailbox: box.Address, Queue: queue, Channel: e.channel,
		Received: now, SHA256: sha256.Sum256(data), Data: data, Contact: e.contact,
		Hold: e.hold(now), Fetch: e.files(),
	}
}

// unreadable is the event of a webhook that was proven and says nothing that we
// understand: Twilio may have changed it, so its bytes wait for a person.
func unreadable(h Hook, rules tickets.Rules) event {
	sum := sha256.Sum256([]byte(h.URI + "\n" + h.Form.Encode()))
	return event{line: line{brand: firstBrand(rules)}, channel: channelOf(h.path()), key: "webhook:" + hex.EncodeToString(sum[:16])}
}

func channelOf(path string) tickets.Channel {
	switch {
	case strings.HasPrefix(path, phone.PathSMS):
		return tickets.ChannelSMS
	case strings.HasPrefix(path, phone.PathWhatsApp):
		return tickets.ChannelWhatsApp
	}
	return tickets.ChannelVoice
}

// mediaHold is how long a text waits for its pictures before it is decided
// without them.
const mediaHold = time.Minute

// hold says until when the row is not decided: a text with files waits for them.
func (e event) hold(now time.Time) time.Time {
	if e.text != nil && len(e.text.Media) > 0 {
		return now.Add(mediaHold)
	}
	return time.Time{}
}

// files are what is to be fetched for the row.
func (e event) files() (list []store.Fetch) {
	switch {
	case e.text != nil:
		for n, m := range e.text.Media {
			list = append(list, store.Fetch{Key: textMediaKey(e.text.Sid, n), URL: m.URL, ContentType: m.ContentType, Filename: textFilename(n, m.ContentType)})
		}
	case e.call != nil && e.call.State.Step == phone.StepRecording && e.call.Recording.Status == "completed":
		list = append(list, store.Fetch{Key: recordingFileKey(e.call.Recording.Sid), RecordingSid: e.call.Recording.Sid, ContentType: "audio/mpeg", Filename: "voicemail.mp3"})
	}
	return list
}
