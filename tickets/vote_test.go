package tickets

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func surveyRules(change ...func(*Rules)) Rules {
	r := rulesForTest()
	r.Surveys = SurveyRules{Kinds: []SurveyKind{SurveyCSAT, SurveyNPS}, After: 24 * time.Hour, Window: 90 * 24 * time.Hour,
		Low: map[SurveyKind]int{SurveyCSAT: 2, SurveyNPS: 6}, FollowUp: 14 * 24 * time.Hour}
	r.Rewards = RewardRules{Feedback: 10, Referral: 50, Levels: []Level{{Key: "silver", Title: "Silver", Reward: "Cleaning", Points: 20}, {Key: "gold", Title: "Gold", Points: 60}}}
	for _, f := range change {
		f(&r)
	}
	return r
}

// askedAbout is ticket 42, closed an hour ago, with a survey that Maria was sent.
func askedAbout(kind SurveyKind, change ...func(*Found)) Found {
	t := stored(func(t *Ticket) {
		t.Status, t.Resolved, t.Closed = StatusClosed, noon.Add(-2*time.Hour), noon.Add(-time.Hour)
	})
	f := foundWith(t)
	f.Person = &Person{ID: 7, Brand: "baleyo", Name: "Maria Lopez", Addresses: []string{"maria@example.org"}}
	f.Survey = &Survey{ID: 5, Brand: "baleyo", Ticket: 42, Person: 7, Agent: asha.Address, Kind: kind, Asked: noon.Add(-time.Hour), Address: "maria@example.org"}
	f.Letters["survey@baleyo.test"] = &SentLetter{ID: 90, Ticket: 42, Kind: LetterSurvey, To: "maria@example.org"}
	f.Letters["older@baleyo.test"] = &SentLetter{ID: 80, Ticket: 42, Kind: LetterResolution, To: "maria@example.org"}
	for id, l := range f.Letters {
		f.ByMessageID[id] = []Hit{{Ticket: 42, Letter: l.ID, To: l.To}}
	}
	for _, c := range change {
		c(&f)
	}
	return f
}

// voting is Maria's reply to the survey letter.
func voting(text string, change ...func(*Inbound)) Inbound {
	return mail(append([]func(*Inbound){func(in *Inbound) {
		in.MessageID, in.Content, in.Text, in.Reply = "vote@example.org", [32]byte{8}, text, text
		in.Subject, in.ReplyPrefix, in.InReplyTo = "Re: [Baleyo #42] Printer is offline", true, []string{"survey@baleyo.test"}
		in.References = []string{"older@baleyo.test", "survey@baleyo.test"}
	}}, change...)...)
}

func TestVoteByMailMovesNothing(t *testing.T) {
	t.Parallel()
	c := Receive(askedAbout(SurveyNPS), voting("9 great service"), surveyRules(), noon)
	if len(c.Surveys) != 1 || c.Surveys[0].Score != 9 || c.Surveys[0].Comment != "great service" || !c.Surveys[0].Answered.Equal(noon) {
		t.Fatalf("surveys %+v", c.Surveys)
	}
	if c.Disposition != DisposeMessage || len(c.Tickets) != 1 || c.Tickets[0].Ticket.Status != StatusClosed || c.Tickets[0].Ticket.Version != 2 || letters(c) != "" {
		t.Errorf("%s %+v letters %q", c.Disposition, c.Tickets, letters(c))
	}
	if m := c.Tickets[0].Messages; len(m) != 1 || m[0].Text != "9 great service" {
		t.Errorf("messages %+v", m)
	}
	if len(c.Points) != 1 || c.Points[0].Points != 10 || c.Points[0].Key != "survey:5" || c.Points[0].Person != 7 {
		t.Errorf("points %+v", c.Points)
	}
}

func TestWhatIsNoVote(t *testing.T) {
	t.Parallel()
	asIs := func(*Inbound) {}
	for name, c := range map[string]struct {
		text  string
		mail  func(*Inbound)
		found func(*Found)
		votes bool // it votes, too
		open  bool // the ticket is open again
	}{
		"no score":                     {"It is broken again.", asIs, func(*Found) {}, false, true},
		"asks something":               {"4, but when do you come?", asIs, func(*Found) {}, true, true},
		"with a file":                  {"4", func(in *Inbound) { in.Attachments = []Attachment{{Filename: "a.png", ContentType: "image/png"}} }, func(*Found) {}, true, true},
		"vacation note":                {"5 days away", func(in *Inbound) { in.Kind = KindAutoReply }, func(*Found) {}, false, false},
		"automatic number":             {"5", func(in *Inbound) { in.Kind = KindAutoReply }, func(*Found) {}, false, false},
		"reply to another letter":      {"5", func(in *Inbound) { in.InReplyTo = []string{"older@baleyo.test"} }, func(*Found) {}, false, true},
		"thanks":                       {"Thank you!", asIs, func(*Found) {}, false, false},
		"over":                         {"5", asIs, func(f *Found) { f.Survey.Asked = noon.Add(-SurveyOpen) }, false, true},
		"answered more than a day ago": {"5", asIs, func(f *Found) { f.Survey.Answered = noon.Add(-SurveyEdit) }, false, true},
		"somebody else":                {"5", func(in *Inbound) { in.From.Address = "eve@elsewhere.test" }, func(f *Found) { f.Person = nil }, false, false},
	} {
		found := askedAbout(SurveyCSAT, c.found)
		got := Receive(found, voting(c.text, c.mail), surveyRules(), noon)
		if votes := len(got.Surveys) > 0; votes != c.votes {
			t.Errorf("%s: votes %v: %+v", name, votes, got.Surveys)
		}
		open := len(got.Tickets) == 1 && got.Tickets[0].Ticket.Status == StatusOpen
		if open != c.open {
			t.Errorf("%s: open %v, %s", name, open, got.Detail)
		}
	}
}

func TestAnswerIsChangedWithinADay(t *testing.T) {
	t.Parallel()
	answered := func(score int, comment string) func(*Found) {
		return func(f *Found) {
			f.Survey.Answered, f.Survey.Score, f.Survey.Comment = noon.Add(-time.Hour), score, comment
		}
	}
	c := Receive(askedAbout(SurveyCSAT, answered(5, "")), voting("1, it broke"), surveyRules(), noon)
	if len(c.Surveys) != 1 || c.Surveys[0].Score != 1 || !c.Surveys[0].Answered.Equal(noon.Add(-time.Hour)) || len(c.Points) != 0 {
		t.Errorf("changed: %+v, points %+v", c.Surveys, c.Points)
	}
	if !strings.Contains(letters(c), "agent-low-score→"+chandra.Address) || !strings.Contains(fmt.Sprint(c.Tickets[0].Events), "5 → 1") {
		t.Errorf("letters %q, events %v", letters(c), c.Tickets[0].Events)
	}
	if c := Receive(askedAbout(SurveyCSAT, answered(2, "")), voting("1"), surveyRules(), noon); letters(c) != "" {
		t.Errorf("low after low: %q", letters(c))
	}
	if c := Receive(askedAbout(SurveyCSAT, answered(4, "ok")), voting("4 ok"), surveyRules(), noon); len(c.Surveys) != 0 || len(c.Tickets[0].Events) != 0 {
		t.Errorf("the same again: %+v", c.Surveys)
	}
}

func TestLowScoreTellsSupervisors(t *testing.T) {
	t.Parallel()
	c := Receive(askedAbout(SurveyCSAT), voting("2, slow"), surveyRules(), noon)
	if letters(c) != "agent-low-score→"+chandra.Address {
		t.Fatalf("letters %q", letters(c))
	}
	l := c.Tickets[0].Letters[0]
	if l.Data.Survey == nil || l.Data.Survey.Score != 2 || l.Data.Text != "slow" || l.Data.Survey.Agent != asha.Address || !l.Agent {
		t.Errorf("%+v", l)
	}
	off := surveyRules(func(r *Rules) { r.Surveys.Low[SurveyCSAT] = -1 })
	if c := Receive(askedAbout(SurveyCSAT), voting("1"), off, noon); letters(c) != "" {
		t.Errorf("alert that is off: %q", letters(c))
	}
}

func TestVoteByButton(t *testing.T) {
	t.Parallel()
	press := func(survey int64, score int) Inbound {
		return Inbound{Ledger: 502, Channel: ChannelWeb, Brand: "baleyo", Mailbox: "support@baleyo.test", Received: noon, From: Address{Address: "maria@example.org"},
			Kind: KindMessage, Button: &Button{Ticket: 42, Person: 7, Address: "maria@example.org", Action: "vote", Survey: survey, Score: score, Text: " fine "}}
	}
	if k := press(5, 4).Keys(surveyRules()); k.Survey != 5 {
		t.Errorf("keys %+v", k)
	}
	c := Receive(askedAbout(SurveyCSAT), press(5, 4), surveyRules(), noon)
	if len(c.Surveys) != 1 || c.Surveys[0].Score != 4 || c.Surveys[0].Comment != "fine" || letters(c) != "" || c.Tickets[0].Ticket.Status != StatusClosed || c.Disposition != DisposeRecorded {
		t.Errorf("%+v %q", c.Surveys, letters(c))
	}
	for name, in := range map[string]Inbound{"other survey": press(6, 4), "off the scale": press(5, 9)} {
		if c := Receive(askedAbout(SurveyCSAT), in, surveyRules(), noon); len(c.Surveys) != 0 || c.Disposition != DisposeDiscarded {
			t.Errorf("%s: %+v", name, c)
		}
	}
	gone := askedAbout(SurveyCSAT)
	gone.Survey = nil
	if c := Receive(gone, press(5, 4), surveyRules(), noon); c.Disposition != DisposeDiscarded {
		t.Errorf("no survey: %+v", c)
	}
}

func TestLevelIsToldOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		before int
		want   string
	}{{0, ""}, {9, ""}, {10, "Silver"}, {19, "Silver"}, {20, ""}, {49, ""}, {50, "Gold"}, {200, ""}} {
		got := Receive(askedAbout(SurveyCSAT, func(f *Found) { f.Points = c.before }), voting("5"), surveyRules(), noon)
		told := ""
		for _, l := range got.Tickets[0].Letters {
			if l.Kind == LetterReward {
				told = l.Data.Level
				if l.Data.Code == "" || l.Data.Points != c.before+10 || !strings.HasPrefix(l.Key, "reward:7:") || l.To.Address != "maria@example.org" {
					t.Errorf("%+v", l)
				}
			}
		}
		if told != c.want {
			t.Errorf("%d points before: told %q, want %q", c.before, told, c.want)
		}
		if len(got.Codes) != 1 || got.Codes[0].Person != 7 || !strings.HasPrefix(got.Codes[0].Code, "MARIA-") {
			t.Errorf("codes %+v", got.Codes)
		}
	}
	quiet := askedAbout(SurveyCSAT, func(f *Found) { f.Points, f.Code, f.Person.Prefs.DoNotContact = 10, "MARIA-AAAA", true })
	if c := Receive(quiet, voting("5"), surveyRules(), noon); letters(c) != "" || len(c.Codes) != 0 || len(c.Points) != 1 {
		t.Errorf("do not contact: %q %+v", letters(c), c.Codes)
	}
}

func TestReferralCodes(t *testing.T) {
	t.Parallel()
	seen := map[string]int64{}
	for id := int64(1); id < 60_000; id++ {
		code := NewReferralCode("Kaya Öz", id)
		if other := seen[code]; other != 0 {
			t.Fatalf("%d and %d have %s", id, other, code)
		}
		seen[code] = id
		if got := referralCodes("my code is " + strings.ToLower(code) + "."); len(got) != 1 || got[0] != code {
			t.Fatalf("%s is read as %v", code, got)
		}
	}
	for _, id := range []int64{1 << 20, 1<<20 + 1, 1 << 40, 1<<62 + 3} {
		if code := NewReferralCode("", id); seen[code] != 0 || !strings.HasPrefix(code, "FRIEND-") || len(referralCodes(code)) != 1 {
			t.Errorf("%d: %s", id, code)
		}
	}
	for _, text := range []string{"", "no code", "KAYA-OI01", "2026-11-23", "A-7Q2F", "http://x.test/a-b"} {
		if got := referralCodes(text); len(got) != 0 {
			t.Errorf("%q: %v", text, got)
		}
	}
	if got := referralCodes("Code KAYA-7Q2F", "kaya-7q2f HP-4257 AB-2345 AC-2345 AD-2345 AE-2345 AF-2345 AG-2345 AH-2345"); len(got) != mostReferrals || got[0] != "KAYA-7Q2F" || got[1] != "HP-4257" {
		t.Errorf("%v", got)
	}
}

func TestReferralInAFirstMail(t *testing.T) {
	t.Parallel()
	code := &ReferralCode{Person: 3, Code: "KAYA-7Q2F"}
	in := mail(func(in *Inbound) { in.Reply = "code KAYA-7Q2F: my printer is offline" })
	if k := in.Keys(surveyRules()); len(k.Codes) != 1 {
		t.Errorf("keys %+v", k.Codes)
	}
	found := foundWith()
	found.Referral = code
	c := Receive(found, in, surveyRules(), noon)
	if len(c.Referrals) != 1 || c.Referrals[0].By != 3 || c.Referrals[0].State != "open" || len(c.Points) != 0 {
		t.Errorf("%+v", c.Referrals)
	}
	known := foundWith()
	known.Referral, known.Person = code, &Person{ID: 7, Addresses: []string{"maria@example.org"}}
	if c := Receive(known, in, surveyRules(), noon); len(c.Referrals) != 0 {
		t.Errorf("a customer of old: %+v", c.Referrals)
	}
}

func TestReferralIsAccepted(t *testing.T) {
	t.Parallel()
	r := Referral{Person: 7, By: 3, Ticket: 42, State: "open"}
	kaya := Person{ID: 3, Name: "Kaya", Addresses: []string{"kaya@example.org", "whatsapp:+491511"}, Phones: []string{"+491512"}}
	mariaIs := func(addresses ...string) *Person { return &Person{ID: 7, Addresses: addresses} }
	last := stored(func(t *Ticket) {
		t.ID, t.Requester, t.Participants = 40, 3, []Participant{{3, Address{"Kaya", "kaya@example.org"}, PartyRequester}}
	})
	for name, c := range map[string]struct {
		status Status
		who    *Person
		state  string
	}{
		"resolved":        {StatusResolved, mariaIs("maria@example.org"), "accepted"},
		"closed":          {StatusClosed, mariaIs("maria@example.org"), "accepted"},
		"open":            {StatusOpen, mariaIs("maria@example.org"), ""},
		"spam":            {StatusSpam, mariaIs("maria@example.org"), "refused"},
		"same address":    {StatusResolved, mariaIs("Kaya@Example.org"), "refused"},
		"same number":     {StatusResolved, mariaIs("maria@example.org", "tel:+491511"), "refused"},
		"same phone":      {StatusResolved, &Person{ID: 7, Phones: []string{"+491512"}}, "refused"},
		"the same person": {StatusResolved, &kaya, "refused"},
		"gone":            {StatusResolved, nil, "refused"},
	} {
		ticket := stored(func(t *Ticket) { t.Status = c.status })
		found := foundWith(last)
		got, due := AcceptReferral(r, *ticket, &kaya, c.who, last, found, surveyRules(), noon)
		if due != (c.state != "") {
			t.Errorf("%s: due %v", name, due)
			continue
		}
		if !due {
			continue
		}
		if got.Referrals[0].State != c.state || len(got.Points) != map[string]int{"accepted": 1}[c.state] {
			t.Errorf("%s: %+v, points %+v", name, got.Referrals, got.Points)
		}
		if c.state == "accepted" && letters(got) != "reward→kaya@example.org" {
			t.Errorf("%s: letters %q", name, letters(got))
		}
	}
}

func TestTextedVote(t *testing.T) {
	t.Parallel()
	rules := surveyRules(func(r *Rules) {
		b := r.Brands["baleyo"]
		b.Phones = []Phone{{Number: "+4930123", Queue: "support", Mailbox: "support@baleyo.test", Texts: true}}
		r.Brands["baleyo"], r.Texting = b, Texting{Join: 72 * time.Hour, Segments: 3}
	})
	texted := func(text string) Inbound {
		return Inbound{Ledger: 503, Channel: ChannelSMS, Brand: "baleyo", Received: noon, Kind: KindMessage, Text: text, Reply: text,
			Phone: &PhoneContact{Line: "tel:+4930123", Number: "+491511", Kind: "number", Text: &Text{Sid: "SM1"}}}
	}
	found := func(change ...func(*Found)) Found {
		f := askedAbout(SurveyCSAT, func(f *Found) {
			f.Survey.Address = "tel:+491511"
			f.Tickets[42].Participants = []Participant{{7, Address{"Maria", "tel:+491511"}, PartyRequester}}
			f.Texts, f.Person.Addresses = []int64{42}, []string{"tel:+491511"}
		})
		for _, c := range change {
			c(&f)
		}
		return f
	}
	if k := texted("5").Keys(rules); k.Asked != "tel:+491511" {
		t.Errorf("keys %q", k.Asked)
	}
	c := Receive(found(), texted("5 quick"), rules, noon)
	if len(c.Surveys) != 1 || c.Surveys[0].Score != 5 || len(c.Tickets) != 1 || c.Tickets[0].Ticket.Status != StatusClosed || letters(c) != "" {
		t.Errorf("%+v %q", c.Surveys, letters(c))
	}
	newer := func(f *Found) {
		open := stored(func(t *Ticket) {
			t.ID, t.Line, t.Participants, t.Updated = 50, "tel:+4930123", f.Tickets[42].Participants, noon.Add(-time.Minute)
		})
		f.Tickets[50], f.Texts = open, []int64{50, 42}
	}
	for name, f := range map[string]Found{
		"talked about since": found(newer),
		"a week later":       found(func(f *Found) { f.Survey.Asked = noon.Add(-SurveyText) }),
		"nobody asked":       found(func(f *Found) { f.Survey = nil }),
	} {
		if c := Receive(f, texted("5"), rules, noon); len(c.Surveys) != 0 {
			t.Errorf("%s: %+v", name, c.Surveys)
		}
	}
	if c := Receive(found(), texted("5 pages are missing"), rules, noon); len(c.Surveys) != 0 {
		t.Errorf("no vote: %+v", c.Surveys)
	}
}
