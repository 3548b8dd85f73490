package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"frontdesk/parser"
	"frontdesk/tickets"
)

// shelfForTest is a folder with three articles and one file that is none.
func shelfForTest(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"paper-jam.md": "---\ntitle: Clear a paper jam\nlanguage: en\ntags: [paper jam, paper stuck]\nlink: https://help.one.test/jam\n---\nOpen the *rear* door.\n",
		"toner.md":     "---\ntitle: Change the toner cartridge\nlanguage: en\ntags: [toner low, replace toner]\n---\n1. Shake it.\n2. Push it in.\n",
		"inside.md":    "---\ntitle: Paper jam by serial number\nlanguage: en\ntags: [paper jam, paper stuck]\naudience: agents\n---\nSerials below 500 get a new roller.\n",
		"broken.md":    "no front matter\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A whole desk: a request is acknowledged with an article, scanners follow every
// link and change nothing, the customer presses "this solved it", and the ticket
// is closed, confirmed, told and counted. Then an agent sends an article by mail.
func TestArticleFromTheAcknowledgementToTheCount(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "support@one.test", "asha@one.test", "bikram@one.test", "chandra@one.test", "maria@keller.example")
	l, port := listenLoopback(t)
	_ = l.Close() // the desk takes it
	base := fmt.Sprintf("http://127.0.0.1:%d", port)
	yaml := strings.Replace(oneBrand(o, "One", "one.test", "knowledge_dir: "+shelfForTest(t)+"\n"), `public_url: ""`, fmt.Sprintf(`public_url: %q, listen: "127.0.0.1:%d"`, base, port), 1)
	d := openDeskAt(t, o, yaml)
	post(t, o, "maria@keller.example", "Maria Keller <maria@keller.example>", "support@one.test",
		mailText("The paper is stuck again in our printer, a paper jam every day.", "Subject: paper jam", "Message-ID: <jam@keller.example>"))

	ack := waitMail(t, o, "maria@keller.example", "the acknowledgement", subject("paper jam"))
	for part, want := range map[string]bool{"Clear a paper jam": true, "https://help.one.test/jam": true, "This solved it": true, "serial number": false, "Shake it": false} {
		if strings.Contains(ack.Text, part) != want {
			t.Errorf("%q in the acknowledgement is %v:\n%s", part, !want, ack.Text)
		}
	}
	told := waitMail(t, o, "asha@one.test", "the new ticket", text("new request #1"))
	for _, want := range []string{"#kb paper-jam", "#kb inside, for agents alone"} {
		if !strings.Contains(strings.ReplaceAll(told.Text, "`", ""), want) {
			t.Errorf("no %q in\n%s", want, told.Text)
		}
	}

	page := regexp.MustCompile(regexp.QuoteMeta(base) + `/t/[^\s#]+\?article=paper-jam`).FindString(ack.Text)
	if page == "" {
		t.Fatalf("no button in\n%s", ack.Text)
	}
	var body string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodGet} {
		body += fetch(t, method, page, nil)
	}
	settle(t, nil, d)
	if tk, err := d.db.Ticket(t.Context(), 1); err != nil || tk.Status != tickets.StatusNew {
		t.Fatalf("after the scanners: %s, %v", tk.Status, err)
	}
	nonce := regexp.MustCompile(`name="action" value="solved">\s*<input type="hidden" name="nonce" value="([^"]+)"`).FindStringSubmatch(body)
	if nonce == nil {
		t.Fatalf("no form in\n%s", body)
	}
	path, _, _ := strings.Cut(page, "?")
	press := url.Values{"action": {"solved"}, "nonce": {nonce[1]}, "article": {"paper-jam"}}
	fetch(t, http.MethodPost, path, press)
	fetch(t, http.MethodPost, path, press)
	waitMail(t, o, "maria@keller.example", "the confirmation", text("closed"))
	waitMail(t, o, "asha@one.test", "word of it", text("the article paper-jam solved it"))
	if tk, err := d.db.Ticket(t.Context(), 1); err != nil || tk.Status != tickets.StatusClosed {
		t.Errorf("after the press: %s, %v", tk.Status, err)
	}

	// The agent sends another by mail.
	answer := func(id string) {
		post(t, o, "asha@one.test", "Asha <asha@one.test>", replyTo(told), mailText("#kb "+id+"\n\nPlease try this.", "Subject: Re: "+told.Subject, "Message-ID: <"+id+"@one.test>", "In-Reply-To: <"+told.MessageID+">"))
	}
	answer("tonerr")
	waitMail(t, o, "asha@one.test", "the receipt", text("did you mean toner?"))
	answer("toner")
	got := waitMail(t, o, "maria@keller.example", "the article", text("Push it in"))
	if !strings.Contains(got.Text, "Please try this.") || !strings.Contains(got.Text, "1. Shake it.") {
		t.Errorf("the answer:\n%s", got.Text)
	}
	counts, err := d.db.TopArticles(t.Context(), "one", time.Time{}, time.Now().Add(time.Hour), 9)
	if err != nil || fmt.Sprint(counts) != "[{paper-jam 1 0 1} {toner 0 1 0}]" {
		t.Errorf("counted %v, %v", counts, err)
	}
}

// replyTo is where the answer to a letter goes.
func replyTo(m *parser.Mail) string {
	if len(m.ReplyTo) > 0 {
		return m.ReplyTo[0].Address
	}
	return m.From.Address
}

func fetch(t *testing.T, method, address string, form url.Values) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s %v\n%s", method, address, answer.Status, err, body)
	}
	return string(body)
}
