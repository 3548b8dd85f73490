package twiliosim

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Message is an SMS, MMS or WhatsApp message, inbound or outbound.
type Message struct {
	SID, From, To, Body, Direction, Status, MessagingServiceSID, ContentSID, ContentVariables, StatusCallback string
	ErrorCode                                                                                                 int
	Media                                                                                                     []string
	Created                                                                                                   time.Time
}

type medium struct {
	ctype string
	data  []byte
}

// Outbox returns the messages the application sent, oldest first.
func (s *Sim) Outbox() (sent []Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sid := range s.order {
		if m := s.msgs[sid]; m != nil && m.Direction != "inbound" {
			sent = append(sent, *m)
		}
	}
	return sent
}

// Text is an inbound message. From "whatsapp:+…" makes it a WhatsApp message.
type Text struct {
	From        string            `json:"from"`
	To          string            `json:"to"`
	Body        string            `json:"body"`
	ProfileName string            `json:"profile_name,omitempty"`
	Media       []TextMedia       `json:"media,omitempty"`
	Extra       map[string]string `json:"extra,omitempty"` // further parameters: ButtonPayload, Latitude, …
}

// TextMedia is one attachment, served by the Sim.
type TextMedia struct {
	Type string `json:"type"`
	Data []byte `json:"data"` // base64 in JSON
}

var stopWords = map[string]string{"STOP": "STOP", "STOPALL": "STOP", "UNSUBSCRIBE": "STOP", "CANCEL": "STOP", "END": "STOP", "QUIT": "STOP", "REVOKE": "STOP", "OPTOUT": "STOP",
	"START": "START", "YES": "START", "UNSTOP": "START", "HELP": "HELP", "INFO": "HELP"}

// Text delivers an inbound message and acts on the TwiML answer; it returns the
// message's SID. A webhook that fails is logged and not sent again, as Twilio does.
func (s *Sim) Text(t Text) (string, error) {
	s.mu.Lock()
	n, known := s.numbers[t.To]
	s.mu.Unlock()
	if !known {
		return "", fmt.Errorf("%s is not a number of this account", t.To)
	}
	m, p := s.incoming(t, n)
	if n.SMSURL == "" {
		return m.SID, nil
	}
	r := s.deliver("sms", n.SMSURL, "POST", p)
	root, err := document(r)
	if err != nil && n.SMSFallbackURL != "" {
		s.log(Event{Kind: "error", Name: "sms", Body: err.Error()})
		r = s.deliver("sms-fallback", n.SMSFallbackURL, "POST", set(clone(p), "ErrorCode", strings.Fields(err.Error())[0], "ErrorUrl", n.SMSURL))
		root, err = document(r)
	}
	if err != nil {
		s.log(Event{Kind: "error", Name: "sms", Body: err.Error() + " (the message is not sent again by Twilio)"})
		return m.SID, nil
	}
	s.obey(root, n.SMSURL, t, p)
	return m.SID, nil
}

// incoming stores an inbound message and returns its webhook's parameters.
func (s *Sim) incoming(t Text, n Number) (*Message, url.Values) {
	prefix := "SM"
	if len(t.Media) > 0 {
		prefix = "MM"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m := &Message{SID: SID(prefix), From: t.From, To: t.To, Body: t.Body, Direction: "inbound", Status: "received", MessagingServiceSID: n.MessagingServiceSID, Created: s.time()}
	p := set(url.Values{}, "MessageSid", m.SID, "SmsSid", m.SID, "SmsMessageSid", m.SID, "AccountSid", s.AccountSID, "From", t.From, "To", t.To, "Body", t.Body,
		"NumMedia", strconv.Itoa(len(t.Media)), "NumSegments", strconv.Itoa(segments(t.Body)), "SmsStatus", "received", "ApiVersion", "2010-04-01")
	if n.MessagingServiceSID != "" {
		p.Set("MessagingServiceSid", n.MessagingServiceSID)
	}
	if strings.HasPrefix(t.From, "whatsapp:") {
		whatsApp(t, p)
	} else {
		geo(p, "From", t.From)
		geo(p, "To", t.To)
	}
	for i, md := range t.Media {
		path := s.account() + "/Messages/" + m.SID + "/Media/" + SID("ME")
		s.media[path] = medium{md.Type, md.Data}
		m.Media = append(m.Media, s.APIBase+path)
		set(p, fmt.Sprintf("MediaUrl%d", i), s.APIBase+path, fmt.Sprintf("MediaContentType%d", i), md.Type)
	}
	for k, v := range t.Extra {
		p.Set(k, v)
	}
	s.msgs[m.SID] = m
	s.order = append(s.order, m.SID)
	s.window[t.From+" "+t.To] = m.Created
	s.keyword(t, p)
	return m, p
}

// keyword does what Twilio does by itself with STOP, START and HELP.
func (s *Sim) keyword(t Text, p url.Values) {
	word := stopWords[strings.ToUpper(strings.TrimSpace(t.Body))]
	if word == "" || strings.HasPrefix(t.From, "whatsapp:") {
		return
	}
	switch word {
	case "STOP":
		s.optout[t.To+" "+t.From] = true
	case "START":
		delete(s.optout, t.To+" "+t.From)
	}
	s.events = append(s.events, Event{Seq: len(s.events) + 1, Kind: "note", Name: "keyword-reply", Body: "Twilio itself answers " + word + " to " + t.From})
	if s.AdvancedOptOut {
		p.Set("OptOutType", word)
	}
}

func whatsApp(t Text, p url.Values) {
	kind := "text"
	if len(t.Media) > 0 {
		kind, _, _ = strings.Cut(t.Media[0].Type, "/")
	}
	id := strings.TrimPrefix(t.From, "whatsapp:+")
	set(p, "WaId", id, "ProfileName", t.ProfileName, "MessageType", kind, "ReferralNumMedia", "0",
		"ChannelMetadata", fmt.Sprintf(`{"type":"whatsapp","data":{"context":{"ProfileName":%q,"WaId":%q}}}`, t.ProfileName, id))
}

// obey follows the TwiML that answered a message.
func (s *Sim) obey(root *node, at string, t Text, p url.Values) {
	base, err := url.Parse(at)
	if err != nil {
		return
	}
	for hops := 0; root != nil && hops < 5; hops++ {
		var next *node
		for _, v := range root.kids {
			switch v.name {
			case "Message", "Sms", "Say": // "Say" is how document() hands over text/plain
				s.outgoing(answer(v, t, base))
			case "Redirect":
				if u, err := base.Parse(strings.TrimSpace(v.text)); err == nil {
					next, _ = document(s.deliver("sms-redirect", u.String(), v.attr["method"], p))
				}
			default:
				s.log(Event{Kind: "error", Name: "twiml", Body: "messaging verb not simulated: <" + v.name + ">"})
			}
		}
		root = next
	}
}

func answer(v *node, t Text, base *url.URL) *Message {
	m := &Message{From: or(v.attr["from"], t.To), To: or(v.attr["to"], t.From), Body: strings.TrimSpace(v.text), Direction: "outbound-reply"}
	for _, k := range v.kids {
		switch k.name {
		case "Body":
			m.Body = strings.TrimSpace(k.text)
		case "Media":
			m.Media = append(m.Media, strings.TrimSpace(k.text))
		}
	}
	if callback := or(v.attr["statusCallback"], v.attr["action"]); callback != "" {
		if u, err := base.Parse(callback); err == nil {
			m.StatusCallback = u.String()
		}
	}
	return m
}

// segments counts as the network does, roughly: characters of two units are
// counted as one.
func segments(body string) int {
	n, size, one := len([]rune(body)), 153, 160
	for _, r := range body {
		if r > 0x7e && !strings.ContainsRune("£¥èéùìòÇØøÅåÆæßÉ¤¡ÄÖÑÜ§¿äöñüàΔΦΓΛΩΠΨΣΘΞ€", r) {
			size, one = 67, 70
			break
		}
	}
	if n <= one {
		return 1
	}
	return (n + size - 1) / size
}

// outgoing stores a message and plays its delivery.
func (s *Sim) outgoing(m *Message) Message {
	prefix := "SM"
	if len(m.Media) > 0 {
		prefix = "MM"
	}
	s.mu.Lock()
	m.SID, m.Created, m.Status = SID(prefix), s.time(), "queued"
	s.msgs[m.SID] = m
	s.order = append(s.order, m.SID)
	taken := *m
	steps, code := s.fate(m)
	s.mu.Unlock()
	s.log(Event{Kind: "note", Name: "outbound", URL: m.From + " -> " + m.To, Body: m.Body + " " + strings.Join(m.Media, " ")})
	s.async(func() { s.playDelivery(m, steps, code) })
	return taken
}

// fate returns the statuses that a message goes through, and why it fails.
func (s *Sim) fate(m *Message) ([]string, int) {
	wa := strings.HasPrefix(m.To, "whatsapp:")
	switch {
	case wa && m.ContentSID == "" && m.Created.Sub(s.window[m.To+" "+m.From]) > 24*time.Hour:
		return []string{"queued", "failed"}, 63016
	case wa:
		return []string{"queued", "sent", "delivered", "read"}, 0
	case s.callees[m.To].Answer == "landline":
		return []string{"queued", "sent", "undelivered"}, 30006
	case s.callees[m.To].Answer == "unreachable":
		return []string{"queued", "sent", "undelivered"}, 30003
	}
	return []string{"queued", "sent", "delivered"}, 0
}

func (s *Sim) playDelivery(m *Message, steps []string, code int) {
	var all []url.Values
	for _, st := range steps {
		p := set(url.Values{}, "MessageSid", m.SID, "SmsSid", m.SID, "MessageStatus", st, "SmsStatus", st, "AccountSid", s.AccountSID, "From", m.From, "To", m.To, "ApiVersion", "2010-04-01")
		if m.MessagingServiceSID != "" {
			p.Set("MessagingServiceSid", m.MessagingServiceSID)
		}
		if st == "failed" || st == "undelivered" {
			p.Set("ErrorCode", strconv.Itoa(code))
		}
		if strings.HasPrefix(m.To, "whatsapp:") {
			set(p, "ChannelPrefix", "whatsapp", "ChannelToAddress", m.To)
			if st == "read" || st == "delivered" {
				p.Set("EventType", strings.ToUpper(st))
			}
		} else if st == "delivered" {
			p.Set("RawDlrDoneDate", s.Time().UTC().Format("0601021504"))
		}
		all = append(all, p)
	}
	s.mu.Lock()
	m.Status, m.ErrorCode = steps[len(steps)-1], code
	s.mu.Unlock()
	s.statuses("message-status", m.StatusCallback, "POST", all)
}
