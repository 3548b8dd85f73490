package tickets

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// What operators are told over a day, minute by minute: once, again while it
// lasts, once when it is over, and never in a flood.
func TestAlertsAreToldOnce(t *testing.T) {
	t.Parallel()
	sick := Condition{Key: "mailbox a", Text: "silent", Hint: "look"}
	other := Condition{Key: "mailbox a", Text: "wrong password", Hint: "look"}
	passing := Condition{Key: "clock n", Text: "jumped", Passing: true}
	type spell struct {
		from, to int // minutes
		c        Condition
	}
	for name, c := range map[string]struct {
		spells []spell
		want   string // minute:event
	}{
		"an hour":                 {[]spell{{10, 70, sick}}, "10:raised 70:recovered"},
		"a day":                   {[]spell{{0, 1440, sick}}, "0:raised 360:repeated 720:repeated 1080:repeated 1440:recovered"},
		"comes and goes":          {[]spell{{0, 1, sick}, {5, 6, sick}, {10, 11, sick}, {15, 16, sick}}, "0:raised 1:recovered"},
		"comes back and stays":    {[]spell{{0, 1, sick}, {5, 200, sick}}, "0:raised 1:recovered 60:raised 200:recovered"},
		"back after an hour":      {[]spell{{0, 1, sick}, {90, 91, sick}}, "0:raised 1:recovered 90:raised 91:recovered"},
		"something else is wrong": {[]spell{{0, 30, sick}, {30, 100, other}}, "0:raised 60:repeated 100:recovered"},
		"it happened":             {[]spell{{5, 900, passing}}, "5:raised"},
		"two":                     {[]spell{{5, 10, sick}, {7, 10, passing}}, "5:raised 7:raised 10:recovered"},
	} {
		rows := map[string]Alert{}
		var told []string
		for m := range 1500 {
			now := noon.Add(time.Duration(m) * time.Minute)
			var is []Condition
			for _, s := range c.spells {
				if m >= s.from && m < s.to {
					is = append(is, s.c)
				}
			}
			var was []Alert
			for _, a := range rows {
				if a.Cleared.IsZero() || now.Sub(a.Told) < 2*time.Hour {
					was = append(was, a)
				}
			}
			steps := AlertSteps(was, is, "n", nil, 6*time.Hour, now)
			for _, s := range steps {
				rows[s.Key] = s.Alert
				if s.Event != "" {
					told = append(told, fmt.Sprintf("%d:%s", m, s.Event))
				}
			}
			was = was[:0]
			for _, a := range rows {
				was = append(was, a)
			}
			if again := AlertSteps(was, is, "n", nil, 6*time.Hour, now); len(again) != 0 {
				t.Fatalf("%s: minute %d: a second look changes %+v", name, m, again)
			}
		}
		if got := strings.Join(told, " "); got != c.want {
			t.Errorf("%s: told %s, want %s", name, got, c.want)
		}
	}
}

// Who does not see a condition does not say that it is over.
func TestAlertsEndWhereTheyAreSeen(t *testing.T) {
	t.Parallel()
	was := []Alert{
		{Condition: Condition{Key: "disk one", Node: "one", Text: "x"}, Since: noon, Told: noon, Times: 1},
		{Condition: Condition{Key: "mailbox a", Text: "x"}, Since: noon, Told: noon, Times: 1},
		{Condition: Condition{Key: "ledger", Text: "x"}, Since: noon, Times: 0},
	}
	steps := AlertSteps(was, nil, "two", []string{"mailbox "}, time.Hour, noon.Add(time.Minute))
	if len(steps) != 1 || steps[0].Key != "ledger" || steps[0].Event != "" || steps[0].Cleared.IsZero() {
		t.Errorf("steps of another node, blind for mailboxes: %+v; want the end of the ledger's alone, told to nobody", steps)
	}
	// A clock that was a year ahead does not keep a condition silent.
	was = []Alert{{Condition: Condition{Key: "mailbox a", Text: "x"}, Since: noon, Told: noon.AddDate(1, 0, 0), Times: 1}}
	if steps := AlertSteps(was, []Condition{{Key: "mailbox a", Text: "x"}}, "n", nil, time.Hour, noon); len(steps) != 1 || steps[0].Event != AlertRepeated {
		t.Errorf("after a clock that was ahead: %+v", steps)
	}
}

// Letters about a sick mailbox leave by another; by one that can send yet when
// there is no other; and none is written where all are sick in sending.
func TestAlertsLeaveByAHealthyMailbox(t *testing.T) {
	t.Parallel()
	rules := Rules{Brands: map[string]Brand{
		"a": {Key: "a", Mailboxes: []Mailbox{{Address: "one@a.test"}, {Address: "two@a.test"}}, Phones: []Phone{{Number: "+4930900"}}},
		"b": {Key: "b", Mailboxes: []Mailbox{{Address: "three@b.test"}}},
	}}
	to := Alerting{Mail: []string{"Ops@elsewhere.test"}, Texts: []string{"+4917012345678"}, Line: "+4930900"}
	silent := func(m string) Condition { return Condition{Key: "mailbox " + m, Mailbox: m, Text: m + " is silent"} }
	mute := func(m string) Condition {
		return Condition{Key: "smtp " + m, Mailbox: m, Sending: true, Text: m + " cannot send"}
	}
	for name, c := range map[string]struct {
		open []Condition
		want string
	}{
		"one":             {[]Condition{silent("one@a.test")}, "two@a.test→ops@elsewhere.test tel:+4930900→tel:+4917012345678"},
		"a whole brand":   {[]Condition{silent("One@A.test"), mute("two@a.test")}, "three@b.test→ops@elsewhere.test tel:+4930900→tel:+4917012345678"},
		"all but sending": {[]Condition{mute("one@a.test"), silent("two@a.test"), mute("three@b.test")}, "two@a.test→ops@elsewhere.test tel:+4930900→tel:+4917012345678"},
		"all":             {[]Condition{mute("one@a.test"), mute("two@a.test"), mute("three@b.test")}, "tel:+4930900→tel:+4917012345678"},
		"none":            {[]Condition{{Key: "disk n", Text: "full"}}, "one@a.test→ops@elsewhere.test tel:+4930900→tel:+4917012345678"},
	} {
		steps := AlertSteps(nil, c.open, "n", nil, time.Hour, noon)
		var got []string
		for _, l := range AlertLetters(steps, c.open, to, rules, noon) {
			got = append(got, l.Mailbox+"→"+l.To.Address)
			if l.Key == "" || len(l.Data.Conditions) != len(c.open) || l.Priority != 0 {
				t.Errorf("%s: letter %+v", name, l)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
}

// The text of a condition says what to do, and does not change while it lasts.
func TestConditionsSayWhatToDo(t *testing.T) {
	t.Parallel()
	box := WatchedMailbox{Address: "a@b.test", Folder: "INBOX", Poll: time.Minute, Polled: noon}
	at := func(d time.Duration, e string) (Condition, bool) {
		box.Error = e
		return SilentMailbox(box, 15*time.Minute, noon.Add(-time.Hour), noon.Add(d))
	}
	if _, is := at(14*time.Minute, "x"); is {
		t.Error("told after 14 minutes")
	}
	c, is := at(15*time.Minute, "log in as a@b.test: imap: NO [AUTHENTICATIONFAILED] no\nhint: frontdesk mailbox login a@b.test")
	if !is || c.Hint != "frontdesk mailbox login a@b.test" || strings.Contains(c.Text, "hint:") {
		t.Errorf("got %+v, want the error's own hint", c)
	}
	if later, _ := at(15*time.Hour, box.Error); later != c {
		t.Errorf("the text changes while it lasts:\n%+v\n%+v", c, later)
	}
	for why, hint := range map[string]string{
		"log in as a: imap: NO no":                  "password_file",
		"connect to imap server: x509: certificate": "certificate",
		"dial tcp: connection refused":              "can be reached",
		`select "Posteingang": NO`:                  "imap.folder",
	} {
		if c, _ := at(time.Hour, why); !strings.Contains(c.Hint, hint) {
			t.Errorf("%q: hint %q, want one with %q", why, c.Hint, hint)
		}
	}
	if _, is := SilentMailbox(box, 15*time.Minute, noon.Add(time.Hour), noon.Add(time.Hour+time.Minute)); is {
		t.Error("a desk that has just begun is told of as silent")
	}
	box.Poll = time.Hour
	if _, is := at(2*time.Hour, ""); is {
		t.Error("a mailbox that is looked at each hour is silent after two")
	}
	if _, is := SilentServer("a@b.test", "n", "mx.test does not offer STARTTLS, and the configuration asks for it", noon, noon); !is {
		t.Error("encryption that was taken off is not told at once")
	}
	if _, is := SilentServer("a@b.test", "n", "dial tcp: connection refused", noon, noon.Add(4*time.Minute)); is {
		t.Error("a server that restarts is told of")
	}
}

// TestEndsAreToldInStages: what to do stands in each, and the text of a stage is
// the same for as long as it lasts.
func TestEndsAreToldInStages(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	e := Ending{Key: "secret oauth.mail", What: "The client secret of oauth.mail", When: "2027-06-30", Hint: "make a new one", Mailboxes: []string{"a@x.test", "b@x.test"}}
	last, told := "", []string{}
	for left := 40 * day; left > -10*day; left -= time.Hour {
		e.Left = left
		c, is := Ends(e)
		if is != (left < 31*day) {
			t.Fatalf("%s before: %v", left, is)
		}
		if !is || c.Text == last {
			continue
		}
		last = c.Text
		told = append(told, fmt.Sprintf("%g %s", left.Hours()/24, c.Text))
		if c.Hint != "make a new one" || !c.Passing || c.Mailbox != "a@x.test" || c.Also != "b@x.test" || c.Sending != (left <= 0) {
			t.Errorf("%+v", c)
		}
	}
	want := []string{
		"30.958333333333332 The client secret of oauth.mail ends within 30 days: on 2027-06-30. Then mail of a@x.test, b@x.test waits on its server and their letters in the outbox; none is lost.",
		"7.958333333333333 The client secret of oauth.mail ends within 7 days: on 2027-06-30. Then mail of a@x.test, b@x.test waits on its server and their letters in the outbox; none is lost.",
		"1.9583333333333333 The client secret of oauth.mail ends within a day: on 2027-06-30. Then mail of a@x.test, b@x.test waits on its server and their letters in the outbox; none is lost.",
		"0 The client secret of oauth.mail has ended on 2027-06-30. Mail of a@x.test, b@x.test waits on its server and their letters in the outbox; none is lost.",
	}
	if !slices.Equal(told, want) {
		t.Errorf("told\n%s\nwant\n%s", strings.Join(told, "\n"), strings.Join(want, "\n"))
	}
	open := []Condition{{Key: "secret", Mailbox: "one@a.test", Also: "two@a.test"}}
	rules := Rules{Brands: map[string]Brand{"a": {Key: "a", Mailboxes: []Mailbox{{Address: "one@a.test"}, {Address: "two@a.test"}, {Address: "three@a.test"}}}}}
	letters := AlertLetters(AlertSteps(nil, open, "n", nil, time.Hour, noon), open, Alerting{Mail: []string{"ops@x.test"}}, rules, noon)
	if len(letters) != 1 || letters[0].Mailbox != "three@a.test" {
		t.Errorf("%+v, want one by the mailbox that the end leaves well", letters)
	}
}

// TestRevokedLoginSaysWhatToDo: the provider's own words, and the command.
func TestRevokedLoginSaysWhatToDo(t *testing.T) {
	t.Parallel()
	why := "the login of a@b.test at login.example has ended (invalid_grant: Token has been expired or revoked.)\nhint: log in again: frontdesk mailbox login a@b.test"
	box := WatchedMailbox{Address: "a@b.test", Folder: "INBOX", Poll: time.Minute, Polled: noon, Error: why}
	c, is := SilentMailbox(box, 15*time.Minute, noon, noon.Add(time.Hour))
	if !is || c.Hint != "log in again: frontdesk mailbox login a@b.test" || !strings.Contains(c.Text, "revoked.).") {
		t.Errorf("reading: %v %+v", is, c)
	}
	c, is = SilentServer("a@b.test", "n", strings.ReplaceAll(why, "\n", " "), noon, noon.Add(time.Hour))
	if !is || c.Hint != "log in again: frontdesk mailbox login a@b.test" || strings.Contains(c.Text, "hint") {
		t.Errorf("sending: %v %+v", is, c)
	}
}
