package phone

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"time"
)

// Message is a text that came: SMS, MMS or WhatsApp.
type Message struct {
	Sid        string // MessageSid
	AccountSid string
	From, To   Party
	Text       string // as written; may be empty when there is media
	Media      []Media
	Segments   int
	ServiceSid string // Messaging Service that took it, "" none
	At         time.Time

	// Consent is what the sender wants of further texts: Twilio's OptOutType,
	// else the word that is the whole message.
	Consent Consent

	// WhatsApp only. ProfileName is chosen by the sender and proves nothing.
	ProfileName string
	ReplyTo     string // MessageSid of the message that was answered
	Button      string // ButtonPayload of a template's quick reply
	Place       *Place
}

// Media is a file of a message. Fetch it with [Client.Media].
type Media struct {
	URL         string // as Twilio said; only ever fetched from our account's host
	ContentType string // as the sender's network said
}

// Place is a location that was sent.
type Place struct {
	Latitude, Longitude float64
	Label, Address      string
}

// maxMedia bounds the files of one message. Twilio sends at most ten.
const maxMedia = 10

// Key is the same for each delivery of one message.
func (m Message) Key() string { return MessageKey(m.Sid) }

// MessageKey is the key of a message that came.
func MessageKey(messageSid string) string { return "message:" + messageSid }

// Owned returns ErrNotOurs unless the message is of this account.
func (m Message) Owned(accountSid string) error { return owned(m.AccountSid, accountSid) }

// ParseMessage reads the webhook of a text that came, of any channel. Country
// reads numbers without country code, see [ParseParty]. An error means that
// MessageSid, which makes it unique, is missing or malformed.
func ParseMessage(form url.Values, country string) (Message, error) {
	m := Message{
		Sid: firstOf(form, "MessageSid", "SmsMessageSid", "SmsSid"), AccountSid: form.Get("AccountSid"),
		From: ParseParty(form.Get("From"), country), To: ParseParty(form.Get("To"), country),
		Text: clean(form.Get("Body"), 10*MaxText), Segments: number(form.Get("NumSegments"), 1),
		ServiceSid: form.Get("MessagingServiceSid"), At: parseTime(form.Get("DateSent")),
		ProfileName: clean(form.Get("ProfileName"), 100), ReplyTo: form.Get("OriginalRepliedMessageSid"),
		Button: clean(form.Get("ButtonPayload"), 300), Place: place(form),
	}
	if !sid.MatchString(m.Sid) {
		return Message{}, fmt.Errorf("webhook of a message: MessageSid %q", shorten(m.Sid, 40))
	}
	for n := range min(number(form.Get("NumMedia"), 0), maxMedia) {
		if at := form.Get("MediaUrl" + strconv.Itoa(n)); at != "" {
			m.Media = append(m.Media, Media{URL: at, ContentType: clean(form.Get("MediaContentType"+strconv.Itoa(n)), 100)})
		}
	}
	m.Consent = consentOf(form.Get("OptOutType"), m.Text, m.From.WhatsApp)
	return m, nil
}

func firstOf(form url.Values, names ...string) string {
	for _, name := range names {
		if v := form.Get(name); v != "" {
			return v
		}
	}
	return ""
}

func place(form url.Values) *Place {
	if !form.Has("Latitude") || !form.Has("Longitude") {
		return nil
	}
	lat, err1 := strconv.ParseFloat(form.Get("Latitude"), 64)
	long, err2 := strconv.ParseFloat(form.Get("Longitude"), 64)
	if err1 != nil || err2 != nil || !(lat >= -90 && lat <= 90) || !(long >= -180 && long <= 180) {
		return nil
	}
	return &Place{lat, long, clean(form.Get("Label"), 200), clean(form.Get("Address"), 300)}
}

// MessageStatus is the status callback of a text that the desk sent.
type MessageStatus struct {
	Sid        string
	AccountSid string
	From, To   Party
	Status     DeliveryStatus
	// Code is Twilio's error for a text that failed, 0 none; see [ReasonOf].
	Code int
}

// DeliveryStatus is Twilio's word for how far a text is.
type DeliveryStatus string

// The statuses. Undelivered and failed are final: Twilio does not try again.
const (
	DeliveryAccepted    DeliveryStatus = "accepted"
	DeliveryScheduled   DeliveryStatus = "scheduled"
	DeliveryQueued      DeliveryStatus = "queued"
	DeliverySending     DeliveryStatus = "sending"
	DeliverySent        DeliveryStatus = "sent"
	DeliveryDelivered   DeliveryStatus = "delivered"
	DeliveryUndelivered DeliveryStatus = "undelivered"
	DeliveryFailed      DeliveryStatus = "failed"
	DeliveryCanceled    DeliveryStatus = "canceled"
	DeliveryRead        DeliveryStatus = "read"
)

var deliveryRank = map[DeliveryStatus]int{
	DeliveryAccepted: 1, DeliveryScheduled: 2, DeliveryQueued: 3, DeliverySending: 4, DeliverySent: 5,
	DeliveryUndelivered: 6, DeliveryFailed: 7, DeliveryCanceled: 7, DeliveryDelivered: 8, DeliveryRead: 9,
}

// Final reports whether the text has arrived or never will. A text that was
// delivered may still be read.
func (s DeliveryStatus) Final() bool { return deliveryRank[s] >= 6 }

// Failed reports whether the text did not arrive: tell the agent.
func (s DeliveryStatus) Failed() bool {
	return s == DeliveryUndelivered || s == DeliveryFailed || s == DeliveryCanceled
}

// Later returns the one of two statuses that is further on, whatever the order
// in which they came. A text that arrived was not undelivered.
func Later(a, b DeliveryStatus) DeliveryStatus {
	if deliveryRank[b] > deliveryRank[a] {
		return b
	}
	return a
}

// Key is the same for each delivery of one status.
func (s MessageStatus) Key() string { return "message:" + s.Sid + "/status/" + string(s.Status) }

// Owned returns ErrNotOurs unless the text is of this account.
func (s MessageStatus) Owned(accountSid string) error { return owned(s.AccountSid, accountSid) }

// ParseMessageStatus reads the status callback of a text that was sent. An
// error means that MessageSid or MessageStatus is missing or unknown.
func ParseMessageStatus(form url.Values, country string) (MessageStatus, error) {
	s := MessageStatus{
		Sid: firstOf(form, "MessageSid", "SmsSid"), AccountSid: form.Get("AccountSid"),
		From: ParseParty(form.Get("From"), country), To: ParseParty(form.Get("To"), country),
		Status: DeliveryStatus(firstOf(form, "MessageStatus", "SmsStatus")), Code: number(form.Get("ErrorCode"), 0),
	}
	if !sid.MatchString(s.Sid) {
		return MessageStatus{}, fmt.Errorf("status of a message: MessageSid %q", shorten(s.Sid, 40))
	}
	if deliveryRank[s.Status] == 0 {
		return MessageStatus{}, fmt.Errorf("status of a message: MessageStatus %q", shorten(string(s.Status), 40))
	}
	return s, nil
}

// WhatsAppWindow is how long after the customer's last message free text may be
// sent by WhatsApp. Later Twilio takes it and fails it with error 63016; only an
// approved template arrives.
const WhatsAppWindow = 24 * time.Hour

// TemplateVariables writes the variables of a WhatsApp template, "1", "2", …, as
// the REST API wants them.
func TemplateVariables(values ...string) string {
	m := map[string]string{}
	for n, v := range values {
		m[strconv.Itoa(n+1)] = v
	}
	b, err := json.Marshal(m)
	if err != nil {
		panic(err) // strings marshal
	}
	return string(b)
}
