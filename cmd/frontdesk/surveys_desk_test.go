package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"frontdesk/internal/testmail"
	"frontdesk/parser"
	"frontdesk/store"
	"frontdesk/tickets"
)

// surveyDesk asks soon after each closure and has pages.
func surveyDesk(t *testing.T, o *testmail.Office) *liveDesk {
	t.Helper()
	yaml := oneBrand(o, "One", "one.test", `
surveys: {kinds: [csat], after: 1 second, window: 90 days}
rewards: {feedback: 10, referral: 50, levels: {silver: {points: 10, reward: A mug}, gold: {points: 60}}}
`)
	return openDeskAt(t, o, strings.Replace(yaml, `public_url: ""`, `public_url: "https://desk.one.test", listen: "127.0.0.1:0"`, 1))
}

// closed takes a request of a customer's to its confirmed closure, and returns
// the survey's letter.
func (d *liveDesk) closed(t *testing.T, customer, about, first string) *parser.Mail {
	t.Helper()
	o := d.office
	post(t, o, customer, customer, "support@one.test", mailText(first, "Subject: Help with "+about, "Message-ID: <"+about+"@example.test>"))
	got := waitMail(t, o, customer, "the acknowledgement", subject("Help with "+about))
	number := regexp.MustCompile(`\[One #\d+\]`).FindString(got.Subject)
	answerAs(t, o, "asha@one.test", number, "#close\nSwitched "+about+" on.")
	letter := waitMail(t, o, customer, "the resolution", text("Switched "+about+" on."))
	reply(t, o, customer, letter, "Yes, thanks!")
	waitMail(t, o, customer, "the confirmation", text("glad that your request"))
	return d.awaits(t, customer, "the survey", text("It is one question"))
}

// awaits looks every moment whether a mail that time causes has come.
func (d *liveDesk) awaits(t *testing.T, user, what string, ok func(*parser.Mail) bool) *parser.Mail {
	t.Helper()
	tick, limit := time.NewTicker(100*time.Millisecond), time.After(patience)
	defer tick.Stop()
	for {
		for _, m := range inboxOf(t, d.office, user) {
			if ok(m) {
				return m
			}
		}
		select {
		case <-limit:
			t.Fatalf("%s did not reach %s; there is: %s", what, user, strings.Join(subjects(t, d.office, user), " | "))
		case <-tick.C:
			if err := runSweep(t, d); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// reply answers a letter as a customer's mail client does, the letter quoted.
func reply(t *testing.T, o *testmail.Office, customer string, letter *parser.Mail, words string) {
	t.Helper()
	quoted := "> " + strings.ReplaceAll(strings.TrimSpace(letter.Text), "\n", "\n> ")
	post(t, o, customer, customer, letter.ReplyTo[0].Address, mailText(words+"\n\nOn Mon, 23 Nov 2026 at 10:00, One wrote:\n"+quoted,
		"Subject: Re: "+letter.Subject, "Message-ID: <re-"+letter.MessageID+">", "In-Reply-To: <"+letter.MessageID+">", "References: <"+letter.MessageID+">"))
}

var deskLink = regexp.MustCompile(`https://desk\.one\.test(/[^\s"<>]+)`)

// linksOf are the paths of all links to the desk in all letters of a customer.
func linksOf(t *testing.T, o *testmail.Office, user string) (paths []string) {
	t.Helper()
	for _, m := range inboxOf(t, o, user) {
		for _, found := range deskLink.FindAllStringSubmatch(m.Text+" "+m.HTML+" "+fmt.Sprint(m.Header), -1) {
			path, _, _ := strings.Cut(found[1], "#")
			paths = append(paths, path)
		}
	}
	return paths
}

// A closure, its survey, a vote by mail with the letter quoted below, the alert,
// the reopening: over IMAP and SMTP.
func TestSurveyOverMail(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "support@one.test", "asha@one.test", "bikram@one.test", "chandra@one.test", "maria@example.test")
	d := surveyDesk(t, o)
	letter := d.closed(t, "maria@example.test", "printer", "It will not print.")
	settle(t, nil, d)
	asha, maria := letterCount(t, o, "asha@one.test"), letterCount(t, o, "maria@example.test")
	reply(t, o, "maria@example.test", letter, "2, slow and not friendly")
	alert := waitMail(t, o, "chandra@one.test", "the alert", text("slow and not friendly"))
	settle(t, nil, d)
	if !strings.Contains(alert.Text, "2 of 5") {
		t.Errorf("the alert says\n%s", alert.Text)
	}
	if n := letterCount(t, o, "asha@one.test"); n != asha {
		t.Errorf("asha was told %d times of a vote", n-asha)
	}
	ticket, err := d.db.Ticket(t.Context(), 1)
	if err != nil || ticket.Status != tickets.StatusClosed {
		t.Errorf("status %s, want closed: a vote opens nothing; %v", ticket.Status, err)
	}
	s, err := d.db.SurveyOfTicket(t.Context(), 1)
	if err != nil || s.Score != 2 || s.Comment != "slow and not friendly" || s.Kind != tickets.SurveyCSAT || s.Agent == "" {
		t.Errorf("%+v, %v", s, err)
	}
	reward := waitMail(t, o, "maria@example.test", "the reward", text("A mug"))
	if n := letterCount(t, o, "maria@example.test"); n != maria+1 || !strings.Contains(reward.Text, "MARIA-") && !strings.Contains(reward.Text, "FRIEND-") {
		t.Errorf("%d letters, want the reward alone, with a code:\n%s", n-maria, reward.Text)
	}
	answerAs(t, o, "chandra@one.test", "[One #1]", "#reopen\nWe are sorry, and look again.")
	waitMail(t, o, "maria@example.test", "the answer", text("look again"))
	if ticket, err = d.db.Ticket(t.Context(), 1); err != nil || !ticket.Status.Open() {
		t.Errorf("status %s after #reopen, %v", ticket.Status, err)
	}
}

// H02, G13: scanners follow every link of every letter, and nothing changes; two
// posts at once are one vote.
func TestScannersDoNotVote(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "support@one.test", "asha@one.test", "bikram@one.test", "chandra@one.test", "tom@example.test", "new@example.test")
	d := surveyDesk(t, o)
	d.closed(t, "tom@example.test", "scanner", "It will not scan.")
	settle(t, nil, d)
	before, err := d.db.Tally(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	links := linksOf(t, o, "tom@example.test")
	survey := ""
	for _, path := range links {
		for _, method := range []string{"GET", "HEAD"} {
			w := httptest.NewRecorder()
			d.pages.ServeHTTP(w, httptest.NewRequest(method, "https://desk.one.test"+path, nil))
			if w.Code != http.StatusOK {
				t.Errorf("%s %s: %d", method, path, w.Code)
			}
		}
		if strings.HasPrefix(path, "/s/") {
			survey, _, _ = strings.Cut(path, "?")
		}
	}
	settle(t, nil, d)
	after, err := d.db.Tally(t.Context(), "")
	if err != nil || before.Total != after.Total || len(links) < 8 || survey == "" {
		t.Fatalf("%d links; rows before %d, after %d, %v", len(links), before.Total, after.Total, err)
	}
	s, err := d.db.SurveyOfTicket(t.Context(), 1)
	if err != nil || !s.Answered.IsZero() {
		t.Fatalf("%+v, %v", s, err)
	}
	w := httptest.NewRecorder()
	d.pages.ServeHTTP(w, httptest.NewRequest("GET", "https://desk.one.test"+survey+"?score=5", nil))
	form := url.Values{"score": {"5"}, "text": {"quick"}}
	for _, m := range regexp.MustCompile(`type="hidden" name="([a-z]+)" value="([^"]*)"`).FindAllStringSubmatch(w.Body.String(), -1) {
		form.Set(m[1], m[2])
	}
	codes := make(chan int, 2)
	for range cap(codes) {
		go func() {
			w := httptest.NewRecorder()
			r := httptest.NewRequest("POST", "https://desk.one.test"+survey, strings.NewReader(form.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			d.pages.ServeHTTP(w, r)
			codes <- w.Code
		}()
	}
	for range cap(codes) {
		if code := <-codes; code != http.StatusSeeOther {
			t.Errorf("post answered %d", code)
		}
	}
	reward := waitMail(t, o, "tom@example.test", "the reward", text("A mug"))
	s, err = d.db.SurveyOfTicket(t.Context(), 1)
	if err != nil || s.Score != 5 || s.Comment != "quick" {
		t.Errorf("%+v, %v", s, err)
	}
	if points, _, err := d.db.Earned(t.Context(), s.Person); points != 10 || err != nil {
		t.Errorf("%d points, %v", points, err)
	}
	// A friend comes with the code; when that request is solved, Tom has 60 points.
	code := regexp.MustCompile(`[A-Z]+-[2-9A-Z]{4}`).FindString(reward.Text)
	d.closed(t, "new@example.test", "fax", "My code is "+code+". It will not send.")
	d.awaits(t, "tom@example.test", "the second reward", text("gold"))
	if points, _, err := d.db.Earned(t.Context(), s.Person); points != 60 || err != nil {
		t.Errorf("%d points after the referral, %v", points, err)
	}
	tallies, err := d.db.SurveyTallies(t.Context(), store.SurveyQuery{From: time.Now().Add(-time.Hour), To: time.Now().Add(time.Hour)})
	if err != nil || len(tallies) != 1 || tallies[0].N != 1 || tallies[0].Good != 1 {
		t.Errorf("%+v, %v", tallies, err)
	}
}
