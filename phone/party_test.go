package phone

import "testing"

func TestParseParty(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		raw, country string
		kind         PartyKind
		number       string
		whatsApp     bool
	}{
		{"+4915112345678", "", PartyNumber, "+4915112345678", false},
		{"+15550100042", "DE", PartyNumber, "+15550100042", false},
		{"+97714000000", "NP", PartyNumber, "+97714000000", false},
		{"whatsapp:+4915112345678", "", PartyNumber, "+4915112345678", true},
		{"WhatsApp:+4915112345678", "", PartyNumber, "+4915112345678", true},
		{"030 1234567", "DE", PartyNumber, "+49301234567", false},
		{"0049 30 1234567", "DE", PartyNumber, "+49301234567", false},
		{"(415) 555-2671", "US", PartyNumber, "+14155552671", false},
		{"030 1234567", "", PartyName, "", false},
		{"", "DE", PartyWithheld, "", false},
		{"anonymous", "DE", PartyWithheld, "", false},
		{"Anonymous", "", PartyWithheld, "", false},
		{"Restricted", "", PartyWithheld, "", false},
		{"UNAVAILABLE", "", PartyWithheld, "", false},
		{"+266696687", "DE", PartyWithheld, "", false},
		{"+86282452253", "DE", PartyWithheld, "", false},
		{"+8656696", "", PartyWithheld, "", false},
		{"+2562533", "", PartyWithheld, "", false},
		{"+7378742833", "", PartyWithheld, "", false},
		{"sip:anonymous@anonymous.invalid", "", PartyWithheld, "", false},
		{"sip:+4930123456@pbx.example", "DE", PartySIP, "", false},
		{"client:agent1", "", PartyClient, "", false},
		{"72345", "US", PartyShortCode, "", false},
		{"DHL", "DE", PartyName, "", false},
		{"+", "DE", PartyName, "", false},
		{"+0123456789", "DE", PartyName, "", false},
		{"+49151123456781234567", "DE", PartyName, "", false},
	} {
		got := ParseParty(c.raw, c.country)
		if got.Kind != c.kind || got.Number != c.number || got.WhatsApp != c.whatsApp || got.Raw != c.raw {
			t.Errorf("%q in %q: got %+v, want %s %q", c.raw, c.country, got, c.kind, c.number)
		}
		if got.Known() != (c.number != "") {
			t.Errorf("%q: known %v", c.raw, got.Known())
		}
	}
}

func TestPartyAddress(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{"+4915112345678": "+4915112345678", "whatsapp:+4915112345678": "whatsapp:+4915112345678", "+266696687": "", "sip:a@b": "", "12345": ""} {
		if got := ParseParty(raw, "").Address(); got != want {
			t.Errorf("%q: got %q, want %q", raw, got, want)
		}
	}
}

func TestNormalize(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, country, want string }{
		{"tel:+49-30-1234567", "", "+49301234567"},
		{"+49 (0)30 1234567", "DE", "+49301234567"},
		{" +44 20 7946 0018 ", "", "+442079460018"},
		{"9779800000001", "NP", "+9779800000001"},
		{"123", "DE", ""},
		{"call me", "DE", ""},
		{"", "DE", ""},
		{"+49301234567;ext=12", "", ""},
		{"000000000000000000000000000000000000000000000000", "DE", ""},
	} {
		got, ok := Normalize(c.in, c.country)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%q in %q: got %q %v, want %q", c.in, c.country, got, ok, c.want)
		}
	}
}

func TestMask(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"+4915112345678": "+49…678", "12345": "…", "": "…"} {
		if got := Mask(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
