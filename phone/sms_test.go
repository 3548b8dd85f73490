package phone

import (
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseMessage(t *testing.T) {
	t.Parallel()
	number := func(n string) Party { return Party{Raw: n, Kind: PartyNumber, Number: n} }
	base := form("MessageSid", smsSid, "SmsSid", smsSid, "SmsMessageSid", smsSid, "AccountSid", account, "From", "+4915112345678", "To", "+49301234567",
		"Body", "it still burns 🔥\r\n", "NumMedia", "0", "NumSegments", "1", "SmsStatus", "received", "ApiVersion", "2010-04-01", "FromCity", "KÖLN", "Surprise", "1")
	plus := func(kv ...string) url.Values {
		v := form(kv...)
		for name, value := range base {
			if !v.Has(name) {
				v[name] = value
			}
		}
		return v
	}
	want := Message{Sid: smsSid, AccountSid: account, From: number("+4915112345678"), To: number("+49301234567"), Text: "it still burns 🔥\n", Segments: 1}
	for _, c := range []struct {
		name string
		form url.Values
		want func(Message) Message
	}{
		{"sms", base, func(m Message) Message { return m }},
		{"older name of the SID", func() url.Values { v := plus(); v.Del("MessageSid"); return v }(), func(m Message) Message { return m }},
		{"mms", plus("NumMedia", "2", "MediaUrl0", "https://a", "MediaContentType0", "image/png", "MediaUrl1", "https://b", "MediaContentType1", "text/vcard"), func(m Message) Message {
			m.Media = []Media{{"https://a", "image/png"}, {"https://b", "text/vcard"}}
			return m
		}},
		{"fewer files than said", plus("NumMedia", "999999", "MediaUrl0", "https://a"), func(m Message) Message { m.Media = []Media{{URL: "https://a"}}; return m }},
		{"stop", plus("Body", " sToP "), func(m Message) Message { m.Text, m.Consent = " sToP ", ConsentStop; return m }},
		{"opt-out by its own word", plus("Body", "Genug", "OptOutType", "STOP"), func(m Message) Message { m.Text, m.Consent = "Genug", ConsentStop; return m }},
		{"service", plus("MessagingServiceSid", "MG1"), func(m Message) Message { m.ServiceSid = "MG1"; return m }},
		{"short code", plus("From", "72345"), func(m Message) Message { m.From = Party{Raw: "72345", Kind: PartyShortCode}; return m }},
		{"whatsapp", plus("From", "whatsapp:+4915112345678", "To", "whatsapp:+49301234567", "ProfileName", "Anna \x1b[31m", "WaId", "4915112345678", "MessageType", "text", "ChannelMetadata", "{}",
			"OriginalRepliedMessageSid", "SM9", "ButtonPayload", "yes", "Body", "yes"), func(m Message) Message {
			m.From, m.To = Party{"whatsapp:+4915112345678", PartyNumber, "+4915112345678", true}, Party{"whatsapp:+49301234567", PartyNumber, "+49301234567", true}
			m.Text, m.ProfileName, m.ReplyTo, m.Button = "yes", "Anna [31m", "SM9", "yes"
			return m
		}},
		{"place", plus("Latitude", "52.5", "Longitude", "13.4", "Label", "Office"), func(m Message) Message { m.Place = &Place{52.5, 13.4, "Office", ""}; return m }},
		{"no place on earth", plus("Latitude", "NaN", "Longitude", "13.4"), func(m Message) Message { return m }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseMessage(c.form, "DE")
			if diff := cmp.Diff(c.want(want), got); diff != "" || err != nil {
				t.Errorf("%v %s", err, diff)
			}
			if got.Key() != "message:"+smsSid || got.Owned(account) != nil || got.Owned("AC1") == nil {
				t.Error(got.Key())
			}
		})
	}
	for _, v := range []url.Values{{}, form("MessageSid", "SM1"), form("MessageSid", "../"+smsSid)} {
		if m, err := ParseMessage(v, ""); err == nil {
			t.Errorf("%v: taken as %+v", v, m)
		}
	}
}

func TestParseMessageStatus(t *testing.T) {
	t.Parallel()
	v := form("MessageSid", smsSid, "MessageStatus", "undelivered", "SmsStatus", "undelivered", "To", "+4915112345678", "From", "+49301234567", "AccountSid", account, "ErrorCode", "30006")
	s, err := ParseMessageStatus(v, "")
	if err != nil || s.Key() != "message:"+smsSid+"/status/undelivered" || ReasonOf(s.Code) != ReasonLandline || !s.Status.Failed() || s.Owned(account) != nil {
		t.Error(s, err)
	}
	for _, v := range []url.Values{{}, form("MessageSid", smsSid), form("MessageSid", smsSid, "MessageStatus", "melted"), form("MessageStatus", "sent")} {
		if s, err := ParseMessageStatus(v, ""); err == nil {
			t.Errorf("%v: taken as %+v", v, s)
		}
	}
}

// Statuses arrive in any order; the last one is the same.
func TestLater(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		all  []DeliveryStatus
		want DeliveryStatus
	}{
		{[]DeliveryStatus{"queued", "sent", "delivered"}, "delivered"},
		{[]DeliveryStatus{"delivered", "queued", "sent"}, "delivered"},
		{[]DeliveryStatus{"read", "delivered", "sent"}, "read"},
		{[]DeliveryStatus{"undelivered", "sent", "queued"}, "undelivered"},
		{[]DeliveryStatus{"undelivered", "delivered"}, "delivered"},
		{[]DeliveryStatus{"failed", "queued"}, "failed"},
	} {
		var got DeliveryStatus
		for _, s := range c.all {
			got = Later(got, s)
		}
		if got != c.want || !got.Final() {
			t.Errorf("%v: got %q, want %q", c.all, got, c.want)
		}
	}
}

// F07: the whole message is the word.
func TestKeyword(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Consent{
		"STOP": ConsentStop, " sToP ": ConsentStop, "stop\n": ConsentStop, "StopAll": ConsentStop, "unsubscribe": ConsentStop, "Cancel": ConsentStop, "END": ConsentStop, "quit": ConsentStop,
		"revoke": ConsentStop, "OptOut": ConsentStop, "Stopp": ConsentStop, "abmelden": ConsentStop, "Abbestellen": ConsentStop,
		"START": ConsentStart, "yes": ConsentStart, "Unstop": ConsentStart, "anmelden": ConsentStart,
		"help": ConsentHelp, "Info": ConsentHelp, "Hilfe": ConsentHelp,
		"Stop please": ConsentNone, "please stop": ConsentNone, "stop.": ConsentNone, "": ConsentNone, "the end": ConsentNone, "Ja": ConsentNone, "STOP STOP": ConsentNone, "нет": ConsentNone,
	} {
		if got := Keyword(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestConsentByChannel(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		optOut, text string
		whatsApp     bool
		want         Consent
	}{
		{"", "STOP", true, ConsentStop},
		{"", "yes", true, ConsentNone},
		{"", "info", true, ConsentNone},
		{"HELP", "was ist das", false, ConsentHelp},
		{"nonsense", "START", false, ConsentStart},
	} {
		if got := consentOf(c.optOut, c.text, c.whatsApp); got != c.want {
			t.Errorf("%+v: got %q", c, got)
		}
	}
}

func TestTemplateVariables(t *testing.T) {
	t.Parallel()
	if got := TemplateVariables("Anna", `"1042"`); got != `{"1":"Anna","2":"\"1042\""}` {
		t.Error(got)
	}
}
