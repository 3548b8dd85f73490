package main

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"frontdesk/internal/twiliosim"
	"frontdesk/parser"
	"frontdesk/phone"
	"frontdesk/tickets"
)

// TestStopStartHelp: who wants no texts gets none, and the agent hears of it;
// START undoes it; HELP is answered once.
func TestStopStartHelp(t *testing.T) {
	t.Parallel()
	s := newPhoneStage(t, phoneParts{})
	d := s.open()
	s.text(testCaller, "Where is my order?")
	s.sent(testCaller, "we have your message, ticket #1")
	m := s.mailTo("asha@one.test", "Where is my order?")
	s.text(testCaller, " sToP ")
	s.mailTo("asha@one.test", "opted out of texts")
	s.reply("asha@one.test", "Asha", m, "It leaves today.")
	receipt := s.mailTo("asha@one.test", "wants no texts from us (STOP)")
	if !strings.Contains(receipt.Text, "#from ADDRESS") {
		t.Errorf("no way out is named:\n%s", receipt.Text)
	}
	d.rest(s)
	if sent := s.textsTo(testCaller); len(sent) != 1 {
		t.Errorf("texts after STOP: %+v", sent)
	}
	s.text(testCaller, "START")
	m = s.mailTo("asha@one.test", "takes texts again")
	s.reply("asha@one.test", "Asha", m, "It leaves tomorrow.")
	s.sent(testCaller, "It leaves tomorrow.")
	s.text(testCaller, "Stop please, the wrong one!") // words, not the keyword
	s.mailTo("asha@one.test", "Stop please, the wrong one!")
	for range 3 {
		s.text("+4917655500010", "HELP")
	}
	d.rest(s)
	if sent := s.textsTo("+4917655500010"); len(sent) != 1 || !strings.Contains(sent[0].Body, "One") {
		t.Errorf("HELP: %+v", sent)
	}
	if n := d.count(); n != 1 {
		t.Errorf("%d tickets, want one", n)
	}
}

// TestStoppedAtTheCompanyFirst: the company knows of the STOP, and the desk does
// not: its refusal is told to the agent, and nothing more is tried.
func TestStoppedAtTheCompanyFirst(t *testing.T) {
	t.Parallel()
	s := newPhoneStage(t, phoneParts{})
	d := s.open()
	s.text(testCaller, "Where is my order?")
	m := s.mailTo("asha@one.test", "Where is my order?")
	s.sent(testCaller, "ticket #1")
	d.rest(s)
	s.sim.Lose("sms", 1)
	s.text(testCaller, "STOP")
	s.reply("asha@one.test", "Asha", m, "It leaves today.")
	if !waitUntil(func() bool { return strings.Contains(lettersOf(d, 1), "answer tel:"+testCaller+" failed") }) {
		t.Fatalf("letters: %s", lettersOf(d, 1))
	}
	if err := d.sweepNow(t.Context()); err != nil { // else within half a minute
		t.Fatal(err)
	}
	bounced := s.mailTo("asha@one.test", "wants no texts from")
	if !strings.Contains(bounced.Subject, "[One #1]") {
		t.Errorf("the report is in %q", bounced.Subject)
	}
	d.rest(s)
	s.reply("asha@one.test", "Asha", m, "Once more.")
	s.mailTo("asha@one.test", "wants no texts from us (STOP)")
	d.rest(s)
	posts := 0
	for _, e := range s.sim.Find("rest", "") {
		if e.Method == http.MethodPost && strings.HasSuffix(e.URL, "/Messages.json") {
			posts++
		}
	}
	if posts != 2 { // the acknowledgement, and the answer that was refused
		t.Errorf("%d requests to send, want 2", posts)
	}
}

// TestWhatsAppWindow: an answer after 25 hours waits; the template asks the
// customer to write; when they do, the answer leaves.
func TestWhatsAppWindow(t *testing.T) {
	t.Parallel()
	clock := newTestClock(t, time.Date(2026, 3, 4, 9, 0, 0, 0, time.UTC))
	const template = "HX0123456789abcdef0123456789abcdef"
	s := newPhoneStage(t, phoneParts{clock: clock, phones: fmt.Sprintf(`[{number: %q, whatsapp: true, whatsapp_template: %s}]`, testNumber, template)})
	d := s.process()
	d.mustStart()
	const from, to = "whatsapp:" + testCaller, "whatsapp:" + testNumber
	s.write(twiliosim.Text{From: from, To: to, Body: "Where is my order?", ProfileName: "Anna K."})
	m := s.mailTo("asha@one.test", "Where is my order?")
	if !strings.Contains(m.From.Name, "Anna K.") {
		t.Errorf("the mail comes From %+v", m.From)
	}
	s.sent(from, "ticket #1")
	s.reply("asha@one.test", "Asha", m, "I am looking.")
	s.sent(from, "I am looking.")
	clock.advance(25 * time.Hour)
	s.reply("asha@one.test", "Asha", m, "It left yesterday, and arrives today.")
	asked := waitText(t, s.sim, func(m twiliosim.Message) bool { return m.ContentSID != "" })
	if asked.ContentSID != template || asked.To != from || !strings.Contains(asked.ContentVariables, `"One"`) {
		t.Errorf("%+v", asked)
	}
	s.mailTo("asha@one.test", "last wrote more than 24 hours ago")
	s.reply("asha@one.test", "Asha", m, "And it is insured.") // no second template
	if !waitUntil(func() bool { return strings.Count(states(d, 1), "held") == 2 }) {
		t.Fatalf("letters: %s", states(d, 1))
	}
	for _, x := range s.sim.Outbox() {
		if strings.Contains(x.Body, "arrives today") || strings.Contains(x.Body, "insured") {
			t.Errorf("an answer left outside of the window: %+v", x)
		}
	}
	s.write(twiliosim.Text{From: from, To: to, Body: "Yes?", ProfileName: "Anna K."})
	s.sent(from, "arrives today")
	s.sent(from, "insured")
	s.mailTo("asha@one.test", "Yes?")
	s.sim.Wait()
	templates := 0
	for _, x := range s.sim.Outbox() {
		if x.ContentSID != "" {
			templates++
		}
		if x.ErrorCode != 0 {
			t.Errorf("failed: %+v", x)
		}
	}
	if n := len(d.json("tickets", "list")); templates != 1 || n != 1 {
		t.Errorf("%d templates, %d tickets, want one of each", templates, n)
	}
}

// states are the letters of a ticket with their states, a line a letter.
func states(d *realDesk, n int64) string {
	var b strings.Builder
	for _, x := range d.json("tickets", "show", fmt.Sprint(n))[0]["letters"].([]any) {
		l := x.(map[string]any)
		fmt.Fprintf(&b, "%v %v %v\n", l["kind"], l["to"], l["state"])
	}
	return b.String()
}

// lettersOf is states for a desk within the test.
func lettersOf(d *liveDesk, n int64) string {
	list, err := d.db.LettersWhere(d.t.Context(), letterStates, n, 100)
	if err != nil {
		d.t.Fatal(err)
	}
	var b strings.Builder
	for _, l := range list {
		fmt.Fprintf(&b, "%s %s %s\n", l.Kind, l.To, l.State)
	}
	return b.String()
}

// TestPictureByMMS: a picture that came by telephone is attached to the agent's
// mail, and its webhook cost one ticket.
func TestPictureByMMS(t *testing.T) {
	t.Parallel()
	s := newPhoneStage(t, phoneParts{sim: twiliosim.Config{Duplicate: true}})
	d := s.open()
	png := []byte("\x89PNG\r\n\x1a\nof a printer")
	s.write(twiliosim.Text{From: testCaller, To: testNumber, Body: "This is how it looks.", Media: []twiliosim.TextMedia{{Type: "image/png", Data: png}, {Type: "application/x-msdownload", Data: []byte("MZ")}}})
	m := s.mailTo("asha@one.test", "This is how it looks.")
	if len(m.Attachments) != 1 || string(m.Attachments[0].Data) != string(png) || m.Attachments[0].ContentType != "image/png" || !strings.HasSuffix(m.Attachments[0].Filename, ".png") {
		t.Errorf("attached: %+v", m.Attachments)
	}
	s.sent(testCaller, "We could not take")
	s.write(twiliosim.Text{From: testCaller, To: testNumber, Media: []twiliosim.TextMedia{{Type: "image/jpeg", Data: []byte("\xff\xd8 alone")}}}) // no words
	m = waitMail(t, s.office, "asha@one.test", "the second picture", func(m *parser.Mail) bool {
		return len(m.Attachments) == 1 && m.Attachments[0].ContentType == "image/jpeg"
	})
	d.rest(s)
	if !strings.Contains(m.Subject, "[One #1]") || d.count() != 1 {
		t.Errorf("%q, %d tickets", m.Subject, d.count())
	}
	for _, e := range s.sim.Find("note", "credentials-at-store") {
		t.Errorf("the credentials went on to another host: %+v", e)
	}
}

// TestUndeliveredText: the agent reads in the ticket's thread that an answer
// reached a landline, and is not let write there again.
func TestUndeliveredText(t *testing.T) {
	t.Parallel()
	s := newPhoneStage(t, phoneParts{})
	d := s.open()
	s.sim.SetCallee(testCaller, twiliosim.Callee{Answer: "unreachable"})
	s.text(testCaller, "Where is my order?")
	m := s.mailTo("asha@one.test", "Where is my order?")
	off := s.mailTo("asha@one.test", "was switched off or out of reach (undelivered, 30003)") // of the acknowledgement
	if !strings.Contains(off.Subject, "[One #1]") || !inThread(off, m) {
		t.Errorf("%q, References %v", off.Subject, off.References)
	}
	s.sim.SetCallee(testCaller, twiliosim.Callee{Answer: "landline"})
	s.reply("asha@one.test", "Asha", m, "It leaves today.")
	line := s.mailTo("asha@one.test", "a landline (undelivered, 30006)")
	if !strings.Contains(line.Text, "It leaves today.") || !inThread(line, m) {
		t.Errorf("the words are not given back, or not in the thread %v:\n%s", line.References, line.Text)
	}
	s.reply("asha@one.test", "Asha", m, "Tomorrow at the latest.")
	s.mailTo("asha@one.test", "takes no texts: answer by mail with #from ADDRESS, or #call")
	d.rest(s)
	if sent := s.textsTo(testCaller); len(sent) != 2 {
		t.Errorf("texts: %+v", sent)
	}
	if !strings.Contains(d.log(1), "bounced: answer to "+testCaller) {
		t.Errorf("the log:\n%s", d.log(1))
	}
}

// inThread reports whether a mail client shows m in the thread of first.
func inThread(m, first *parser.Mail) bool {
	for _, id := range append(m.References, m.InReplyTo...) {
		for _, of := range append(first.References, first.MessageID) {
			if id == of {
				return true
			}
		}
	}
	return false
}

var (
	linkPattern = regexp.MustCompile(`https://\S+`)
	filePattern = regexp.MustCompile(`href="([^"]*/files/[^"]*)"`)
)

// TestLongAnswerLeadsToThePage: what is too long for a text is cut, and its link
// leads to the whole answer with its files, for the one who got it.
func TestLongAnswerLeadsToThePage(t *testing.T) {
	t.Parallel()
	s := newPhoneStage(t, phoneParts{more: "texting: {segments: 2}\n"})
	d := s.open()
	s.text(testCaller, "How do I change the drum?")
	m := s.mailTo("asha@one.test", "How do I change the drum?")
	long := "First open the flap. " + strings.Repeat("Then turn the grey wheel by one notch. ", 20) + "At last close it: it says click."
	body := "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + long + "\r\n--b\r\nContent-Type: image/png\r\nContent-Disposition: attachment; filename=\"drum.png\"\r\n\r\nPNG of a drum\r\n--b--\r\n"
	raw := fmt.Sprintf("From: Asha <asha@one.test>\r\nTo: %s\r\nSubject: Re: %s\r\nMessage-ID: <long@one.test>\r\nIn-Reply-To: <%s>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n%s", m.ReplyTo[0].Address, m.Subject, m.MessageID, body)
	if err := s.office.Send("asha@one.test", demoPassword, []string{m.ReplyTo[0].Address}, []byte(raw)); err != nil {
		t.Fatal(err)
	}
	text := s.sent(testCaller, "First open the flap.")
	link := linkPattern.FindString(text.Body)
	if n := phone.Segments(text.Body); n.Segments > 2 || strings.Contains(text.Body, "click") || !strings.HasPrefix(link, phonePublic+"/t/") {
		t.Fatalf("%d segments: %q", n.Segments, text.Body)
	}
	for _, keeps := range []bool{true, false} { // the proxy keeps the path of the public URL, or takes it off
		page := s.page(link, keeps)
		if !strings.Contains(flat(page), "it says click.") {
			t.Errorf("the page does not show the answer:\n%s", page)
		}
		at := filePattern.FindStringSubmatch(page)
		if at == nil || !strings.HasPrefix(at[1], "/help/t/") {
			t.Fatalf("no file on the page, or not below the public URL: %v\n%s", at, page)
		}
		if file := s.page("https://desk.example"+at[1], keeps); !strings.Contains(file, "PNG of a drum") {
			t.Errorf("the file: %q", file)
		}
	}
	if status := s.get(link[:len(link)-1]+"x", true).StatusCode; status != http.StatusNotFound {
		t.Errorf("another link: %d", status)
	}
	d.rest(s)
}

// get fetches an address of the desk as the world sees it.
func (s *phoneStage) get(at string, keepsPath bool) *http.Response {
	s.t.Helper()
	if !keepsPath {
		at = strings.Replace(at, phonePublic, "https://desk.example", 1)
	}
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, at, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	res, err := viaProxy{s.address}.RoundTrip(r)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { res.Body.Close() })
	return res
}

func (s *phoneStage) page(at string, keepsPath bool) string {
	s.t.Helper()
	res := s.get(at, keepsPath)
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %d, %v", at, res.StatusCode, err)
	}
	return html.UnescapeString(string(body))
}

// TestBudgetOfTheDay: what a day may cost bounds the texts; what is over leaves
// tomorrow, an operator is told, and numbers that are not allowed get nothing.
func TestBudgetOfTheDay(t *testing.T) {
	t.Parallel()
	clock := newTestClock(t, time.Date(2026, 3, 4, 9, 0, 0, 0, time.UTC))
	s := newPhoneStage(t, phoneParts{clock: clock, twilio: ", segments_per_day: 3"})
	d := s.process()
	d.mustStart()
	for n := range 6 {
		s.text(fmt.Sprintf("+49176555001%02d", n), fmt.Sprintf("request %d", n))
	}
	s.text("+8801712345678", "from far away") // another country than the desk's numbers
	if !waitUntil(func() bool { return len(d.json("tickets", "list")) == 7 && settled(d) && len(s.sim.Outbox()) == 3 }) {
		t.Fatalf("%d tickets, %d texts", len(d.json("tickets", "list")), len(s.sim.Outbox()))
	}
	if !waitUntil(func() bool { return strings.Count(d.log(1000), "telephone limit met") >= 2 }) {
		t.Error("an operator is not told")
	}
	if log := d.log(1000); strings.Count(log, "telephone limit met") != 2 || !strings.Contains(log, "reason=segments") || !strings.Contains(log, "reason=prefix") {
		t.Errorf("an operator is not told, or more than once of each: %s", log)
	}
	clock.set(time.Date(2026, 3, 5, 0, 2, 0, 0, time.UTC))
	if err := d.stop(); err != nil { // the loops look by themselves within half a minute; this is quicker
		t.Error(err)
	}
	d.mustStart()
	if !waitUntil(func() bool { return len(s.sim.Outbox()) == 6 }) {
		t.Errorf("the next day: %d texts, want 6:\n%s", len(s.sim.Outbox()), d.log(20))
	}
	s.mailTo("asha@one.test", "the desk may not call or text numbers that begin like this one")
	s.sim.Wait()
	for _, m := range s.sim.Outbox() {
		if strings.HasPrefix(m.To, "+880") {
			t.Errorf("texted: %+v", m)
		}
	}
}

// TestTextsJoinAndClose: a stranger's token joins nothing; NO to the resolution
// reopens, YES closes.
func TestTextsJoinAndClose(t *testing.T) {
	t.Parallel()
	s := newPhoneStage(t, phoneParts{})
	d := s.open()
	s.text(testCaller, "The printer is dead.")
	m := s.mailTo("asha@one.test", "The printer is dead.")
	s.text("+4917655500020", "What about #1?") // not this number's
	if other := s.mailTo("asha@one.test", "What about #1?"); !strings.Contains(other.Subject, "[One #2]") {
		t.Errorf("a stranger's text is on %q", other.Subject)
	}
	s.reply("asha@one.test", "Asha", m, "#close\nA new fuse.\n")
	s.sent(testCaller, "A new fuse.\nIs it solved for you, too? Please reply YES or NO.")
	s.text(testCaller, "No, it smells now")
	m = s.mailTo("asha@one.test", "No, it smells now")
	d.rest(s)
	if tk, _ := d.ticket(1); tk.Status != tickets.StatusOpen {
		t.Errorf("after NO the ticket is %s", tk.Status)
	}
	s.reply("asha@one.test", "Asha", m, "#close\nA new printer.\n")
	s.sent(testCaller, "A new printer.")
	s.text(testCaller, "YES") // to the company it is START, too
	d.logHas(1, "confirmed: the customer confirmed the resolution")
	d.rest(s)
	if tk, _ := d.ticket(1); tk.Status != tickets.StatusClosed {
		t.Errorf("after YES the ticket is %s", tk.Status)
	}
	if n := d.count(); n != 2 {
		t.Errorf("%d tickets", n)
	}
}
