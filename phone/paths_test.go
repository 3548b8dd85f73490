package phone_test

import (
	"net/url"
	"strings"
	"testing"

	"frontdesk/phone"

	"pgregory.net/rapid"
)

func TestPathsRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.StringMatching(`\+[1-9][0-9]{6,14}`)
		brand := rapid.StringMatching(`[a-z][a-z0-9_.-]{0,20}`)
		name := rapid.StringN(0, 60, -1)
		rest := rapid.SampledFrom([]string{"", "/pressed/1", "/status"}).Draw(t, "rest")
		id := rapid.Int64Min(0)

		a := phone.AlarmPath{Brand: brand.Draw(t, "brand"), Letter: id.Draw(t, "letter"), Ticket: id.Draw(t, "ticket"), Language: "de", Customer: name.Draw(t, "name")}
		plain(t, a.String())
		gotA, gotRest, err := phone.ReadAlarmPath(a.String() + rest)
		a.Customer = gotA.Customer // control characters are left out of it
		if err != nil || gotA != a || gotRest != rest {
			t.Fatalf("%+v %q %v", gotA, gotRest, err)
		}
		b := phone.BridgePath{Brand: a.Brand, Letter: a.Letter, Ticket: a.Ticket, Customer: number.Draw(t, "customer"), Line: number.Draw(t, "line"), Name: "<Dial>/../é"}
		plain(t, b.String())
		if gotB, gotRest, err := phone.ReadBridgePath(b.String() + rest); err != nil || gotB != b || gotRest != rest {
			t.Fatalf("%+v %q %v", gotB, gotRest, err)
		}
		s := phone.StatusPath{WhatsApp: rapid.Bool().Draw(t, "whatsapp"), Brand: a.Brand, Letter: a.Letter}
		if gotS, err := phone.ReadStatusPath(s.String()); err != nil || gotS != s {
			t.Fatalf("%+v %v", gotS, err)
		}
		if line, gotRest, err := phone.ParseLinePath(phone.LinePath(b.Line) + rest); err != nil || line != b.Line || gotRest != rest {
			t.Fatalf("%q %q %v", line, gotRest, err)
		}
	})
}

// plain fails for what a proxy may write in another way.
func plain(t *rapid.T, path string) {
	t.Helper()
	if u, err := url.Parse("https://desk.example" + path); err != nil || u.Path != path || strings.Contains(path, "//") || len(path) > 600 {
		t.Fatalf("%q %v", path, err)
	}
}

func TestPathsOfStrangers(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"", "/twilio/voice", "/twilio/voice/to", "/twilio/voice/to/", "/twilio/voice/to/12a", "/twilio/voice/to/0301234567",
		"/twilio/alarm", "/twilio/alarm/baleyo/1/2/en", "/twilio/alarm/baleyo/x/2/en/-", "/twilio/alarm/baleyo/1/-2/en/-", "/twilio/alarm/bal%2Feyo/1/2/en/-", "/twilio/alarm/baleyo/1/2/en/!",
		"/twilio/bridge/baleyo/1/2/en/1/4930123456/-", "/twilio/sms/status/baleyo", "/twilio/sms/status/baleyo/1/more", "/twilio/sms/status/baleyo/99999999999999999999",
		"/twilio/alarm/" + strings.Repeat("x", 700) + "/1/2/en/-"} {
		if n, _, err := phone.ParseLinePath(path); err == nil {
			t.Errorf("line %q of %q", n, path)
		}
		if p, _, err := phone.ReadAlarmPath(path); err == nil {
			t.Errorf("%+v of %q", p, path)
		}
		if p, _, err := phone.ReadBridgePath(path); err == nil {
			t.Errorf("%+v of %q", p, path)
		}
		if p, err := phone.ReadStatusPath(path); err == nil {
			t.Errorf("%+v of %q", p, path)
		}
	}
}

func TestPathOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ target, public, want string }{
		{"/twilio/sms?x=1", "https://desk.example", "/twilio/sms"},
		{"/desk/twilio/sms", "https://desk.example/desk", "/twilio/sms"},
		{"/twilio/sms", "https://desk.example/desk/", "/twilio/sms"},
		{"/deskx/twilio/sms", "https://desk.example/desk", "/deskx/twilio/sms"},
		{"/twilio/voice/menu/open/1/%2E%2E/-/-", "https://desk.example/", "/twilio/voice/menu/open/1/%2E%2E/-/-"},
	} {
		if got := phone.PathOf(c.target, c.public); got != c.want {
			t.Errorf("PathOf(%q, %q) = %q, want %q", c.target, c.public, got, c.want)
		}
	}
}
