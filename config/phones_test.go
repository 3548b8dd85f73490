package config

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// withPhones is a sound configuration whose brand has the numbers.
func withPhones(more string, numbers ...string) string {
	phones := "    phones:\n"
	for _, n := range numbers {
		phones += "      - number: \"" + n + "\"\n" + more
	}
	return strings.Replace(sound, "agents:", phones+"agents:", 1) + `
http: {public_url: "https://desk.example.com/"}
twilio: {account_sid: AC1, auth_token_file: twilio.token}
`
}

// TestWhomADeskMayCallByDefault: the countries of its own numbers, and of those
// that share +1 not the dear ones.
func TestWhomADeskMayCallByDefault(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		numbers     []string
		allow, deny string
	}{
		{[]string{"+4930123456"}, "[+49]", "[]"},
		{[]string{"+4930123456", "+498912345678", "+97714000000"}, "[+49 +977]", "[]"},
		{[]string{"+12025550123"}, "[+1]", fmt.Sprint(shared)},
		{[]string{"+14165550123"}, "[+1]", fmt.Sprint(shared)},
		{[]string{"+18765550123"}, "[+1876]", "[]"}, // Jamaica
		{[]string{"+12025550123", "+18765550123"}, "[+1 +1876]", strings.Replace(fmt.Sprint(shared), " +1876", "", 1)},
	} {
		cfg := mustLoad(t, openFolder(t), withPhones("", c.numbers...), nil)
		if allow, deny := fmt.Sprint(cfg.Twilio.Allow), fmt.Sprint(cfg.Twilio.Deny); allow != c.allow || deny != c.deny {
			t.Errorf("%v: allow %s, deny %s; want %s, %s", c.numbers, allow, deny, c.allow, c.deny)
		}
	}
	cfg := mustLoad(t, openFolder(t), strings.Replace(withPhones("", "+12025550123"), "twilio.token}", "twilio.token, allow: \"+1202\"}", 1), nil)
	if allow, deny := fmt.Sprint(cfg.Twilio.Allow), fmt.Sprint(cfg.Twilio.Deny); allow != "[+1202]" || deny != "[]" {
		t.Errorf("given: allow %s, deny %s", allow, deny)
	}
}

func TestPhoneThatSaysNothingHasSensibleDefaults(t *testing.T) {
	t.Parallel()
	cfg := mustLoad(t, openFolder(t), withPhones("", "+4930123456"), nil)
	want := Phone{
		Number: "+4930123456", Queue: "support", Mailbox: "support@example.com", RingFor: 20 * time.Second,
		Voicemail: true, MaxMessage: 3 * time.Minute, Texts: true,
	}
	if got := cfg.Brands[0].Phones[0]; fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestMenuIsReadInItsOrder: callers hear the keys as the file has them.
func TestMenuIsReadInItsOrder(t *testing.T) {
	t.Parallel()
	menu := `        menu: {"9": callback, "2": support, "1": existing, "*": meter}` + "\n"
	cfg := mustLoad(t, openFolder(t), withPhones(menu, "+4930123456"), nil)
	if got, want := fmt.Sprint(cfg.Brands[0].Phones[0].Menu), "[{9 callback } {2  support} {1 existing } {* meter }]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Warn{
		"75%": {Percent: 75}, "1 %": {Percent: 1}, "2 hours": {Before: 2 * time.Hour}, "90m": {Before: 90 * time.Minute}, "never": {},
	} {
		cfg := mustLoad(t, openFolder(t), sound+"promises: {warn: "+text+"}\n", nil)
		if cfg.Promises.Warn != want {
			t.Errorf("%s: got %+v, want %+v", text, cfg.Promises.Warn, want)
		}
	}
}

func TestAgentsHoursAreInTheZoneOfTheirFirstBrand(t *testing.T) {
	t.Parallel()
	const agents = `agents:
  - email: asha@example.com
    hours: {mon-fri: "08:00-12:00"}
  - email: bikram@example.com
    hours: {mon-fri: "08:00-12:00"}
    timezone: America/New_York
  - email: chandra@example.com
    brands: [other, example]
    hours: {mon-fri: "08:00-12:00"}
  - email: devi@example.com
`
	const other = `  other:
    name: Other
    timezone: Asia/Kathmandu
    mailboxes:
      - address: support@other.example
        smtp: {host: 127.0.0.1, tls: none}
`
	text := strings.Replace(strings.Replace(sound, "agents:\n  - email: Asha@example.com\n", other+agents, 1), "name: Example", "name: Example\n    timezone: Europe/Berlin", 1)
	cfg := mustLoad(t, openFolder(t), text, nil)
	var got []string
	for _, a := range cfg.Agents {
		got = append(got, fmt.Sprint(a.Timezone, a.Hours != nil))
	}
	want := "[Europe/Berlin true America/New_York true Asia/Kathmandu true UTC false]"
	if fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestMorningMailOff(t *testing.T) {
	t.Parallel()
	for _, off := range []string{"off", `""`} {
		cfg := mustLoad(t, openFolder(t), sound+"morning_mail: "+off+"\n", nil)
		if cfg.MorningMail != nil {
			t.Errorf("%s: got %v", off, cfg.MorningMail)
		}
	}
}
