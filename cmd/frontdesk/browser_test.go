package main

import (
	"context"
	_ "embed"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"frontdesk/internal/testmail"
	"frontdesk/notify"
	"frontdesk/parser"
	"frontdesk/sla"
	"frontdesk/store"
	"frontdesk/tickets"
)

// What customers see and press, in Chromium. Two variables of the environment
// help a person who looks: PICTURES names a folder for pictures of all that is
// checked, AXE the file axe.min.js, whose rules are then checked as well.

// browser is one Chromium without a window.
type browser struct{ ctx context.Context }

func openBrowser(t *testing.T) *browser {
	t.Helper()
	testmail.NeedReal(t, "chromium")
	flags := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-dev-shm-usage", true))
	ctx, end := chromedp.NewExecAllocator(context.Background(), flags...)
	t.Cleanup(end)
	ctx, end = chromedp.NewContext(ctx)
	t.Cleanup(end)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start chromium: %v", err)
	}
	return &browser{ctx}
}

// tab is a new tab with a deadline for all that happens in it.
func (b *browser) tab(t *testing.T) context.Context {
	t.Helper()
	ctx, end := chromedp.NewContext(b.ctx)
	t.Cleanup(end)
	if err := chromedp.Do(ctx); err != nil { // a deadline here would be the browser's
		t.Fatalf("open a tab: %v", err)
	}
	ctx, late := context.WithTimeout(ctx, time.Minute)
	t.Cleanup(late)
	return ctx
}

func do(t *testing.T, tab context.Context, what string, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(tab, actions...); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// answer is what a script says.
func answer[T any](t *testing.T, tab context.Context, what, script string) T {
	t.Helper()
	said, err := chromedp.Run(tab, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	return said
}

// stay lets a page's scripts, redirections and refreshes happen.
var stay = chromedp.Evaluate[chromedp.Void](`new Promise(done => setTimeout(() => done(true), 1000))`, chromedp.EvalAwaitPromise)

// follow opens each link in a tab of its own, as a scanner does that runs what
// it finds, and stays a second.
func (b *browser) follow(t *testing.T, links []string) {
	t.Helper()
	var wait sync.WaitGroup
	for _, link := range links {
		tab := b.tab(t)
		wait.Go(func() {
			r, err := chromedp.Run(tab, chromedp.NavigateResponse(link))
			if err == nil {
				err = chromedp.Do(tab, stay)
			}
			if err != nil || r.Status != http.StatusOK {
				t.Errorf("follow %s: %+v, %v", link, r, err)
			}
		})
	}
	wait.Wait()
}

//go:embed testdata/flaws.js
var flaws string

// view is a window and what its owner likes.
type view struct {
	width  int64
	scheme string
}

var views = []view{{390, "light"}, {390, "dark"}, {1200, "light"}, {1200, "dark"}}

func (v view) set(ctx context.Context, tab *chromedp.Target) error {
	if _, err := chromedp.EmulateViewport(v.width, 800)(ctx, tab); err != nil {
		return err
	}
	_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: v.scheme}},
	})
	return err
}

// readable checks what a tab shows in all views: names, language, contrast, no
// scrolling sideways. A page has one heading of the first level, a letter none.
func readable(t *testing.T, tab context.Context, name string, headings int, views []view) {
	t.Helper()
	for _, v := range views {
		do(t, tab, name, chromedp.Func(v.set))
		found := answer[[]string](t, tab, name, fmt.Sprintf("(%s)(%d)", flaws, headings))
		if axe := os.Getenv("AXE"); axe != "" {
			found = append(found, violations(t, tab, axe, headings)...)
		}
		for _, f := range found {
			t.Errorf("%s at %d px, %s: %s", name, v.width, v.scheme, f)
		}
		if dir := os.Getenv("PICTURES"); dir != "" {
			png, err := chromedp.Run(tab, chromedp.FullScreenshot(100))
			if err != nil {
				t.Fatal(err)
			}
			mustWrite(t, filepath.Join(dir, fmt.Sprintf("%s-%d-%s.png", name, v.width, v.scheme)), string(png), 0o644)
		}
	}
}

// violations are what axe-core finds. A letter is shown within somebody else's
// page, which has the landmarks and the heading; and axe-core takes the ground
// of a page that sets none for white, in the dark as well.
func violations(t *testing.T, tab context.Context, file string, headings int) []string {
	t.Helper()
	script, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	options := "{}"
	if headings == 0 {
		options = `{rules: Object.fromEntries(["landmark-one-main", "page-has-heading-one", "region", "color-contrast"].map(r => [r, {enabled: false}]))}`
	}
	return answer[[]string](t, tab, "axe", string(script)+`
		;axe.run(`+options+`).then(r => r.violations.map(v => "axe " + v.id + ": " + v.nodes.map(n => n.html + " " + n.failureSummary).join(" | ")))`)
}

func TestInABrowser(t *testing.T) {
	t.Parallel()
	b := openBrowser(t)
	t.Run("story", func(t *testing.T) { t.Parallel(); storyInABrowser(t, b) })
	t.Run("letters", func(t *testing.T) { t.Parallel(); lettersInABrowser(t, b) })
}

// visitor is a customer of one desk with her letters and a browser.
type visitor struct {
	*browser
	t    *testing.T
	desk *liveDesk
	base string // of the desk's pages
}

const (
	maria      = "maria@keller.example"
	mainButton = chromedp.CSS("button.main") // the first of a page
)

func openVisitor(t *testing.T, b *browser) *visitor {
	t.Helper()
	o := openOffice(t, "support@one.test", "asha@one.test", "bikram@one.test", "chandra@one.test", maria)
	address := freeAddress(t)
	base := "http://" + address
	yaml := oneBrand(o, "One", "one.test", "knowledge_dir: "+shelfForTest(t)+`
surveys: {kinds: [csat], after: 1 second}
returns: {days: 30, address: {one: "One Returns, Dock 4, 12345 Springfield"}}
`)
	yaml = strings.Replace(yaml, `public_url: ""`, fmt.Sprintf(`public_url: %q, listen: %q`, base, address), 1)
	yaml = strings.Replace(yaml, "    name: One\n", "    name: One\n    color: \"#b4253c\"\n", 1)
	return &visitor{b, t, openDeskAt(t, o, yaml), base}
}

// links are all that lead to the desk from maria's letters, those in headers
// included.
func (v *visitor) links() (links []string) {
	for _, m := range inboxOf(v.t, v.desk.office, maria) {
		links = append(links, v.linksOf(m)...)
	}
	slices.Sort(links)
	return slices.Compact(links)
}

func (v *visitor) linksOf(m *parser.Mail) []string {
	return regexp.MustCompile(regexp.QuoteMeta(v.base)+`/[^\s"<>]+`).FindAllString(m.Text+" "+m.HTML+" "+fmt.Sprint(m.Header), -1)
}

func (v *visitor) link(m *parser.Mail, part string) string {
	v.t.Helper()
	for _, l := range v.linksOf(m) {
		if strings.Contains(l, part) {
			return l
		}
	}
	v.t.Fatalf("no link with %q in\n%s", part, m.Text)
	return ""
}

// rests waits until all that came is decided, and all letters have left.
func (v *visitor) rests() {
	v.t.Helper()
	if !waitUntil(func() bool { return v.desk.stays() }) {
		v.t.Fatal("the desk does not come to rest")
	}
}

// state is all that a press could change, to be compared.
func (v *visitor) state() string {
	v.t.Helper()
	v.rests()
	ctx := v.t.Context()
	tally, err := v.desk.db.Tally(ctx, "")
	if err != nil {
		v.t.Fatal(err)
	}
	p, err := v.desk.db.PersonByAddress(ctx, "one", maria)
	if err != nil {
		v.t.Fatal(err)
	}
	tk, err := v.desk.db.Ticket(ctx, 1)
	if err != nil {
		v.t.Fatal(err)
	}
	s, _ := v.desk.db.SurveyOfTicket(ctx, 1) // none: no answer
	return fmt.Sprint(tally.Total, tk.Status, p.Prefs, s.Answered.IsZero(), len(inboxOf(v.t, v.desk.office, maria)))
}

// scanned follows every link that there is, and nothing may have happened.
func (v *visitor) scanned(least int) {
	v.t.Helper()
	before, links := v.state(), v.links()
	if len(links) < least {
		v.t.Errorf("only %d links: %q", len(links), links)
	}
	v.follow(v.t, links)
	if after := v.state(); after != before {
		v.t.Errorf("scanners changed %s to %s by following %q", before, after, links)
	}
}

// opens shows a page to a person and checks how it looks.
func (v *visitor) opens(name, link string) context.Context {
	v.t.Helper()
	tab := v.tab(v.t)
	do(v.t, tab, "open "+link, chromedp.Navigate(link))
	readable(v.t, tab, name, 1, views)
	return tab
}

// reminds tells maria that the warranties of her two printers end.
func (v *visitor) reminds() *parser.Mail {
	v.t.Helper()
	now := time.Now()
	today := sla.DateOf(now)
	p, err := v.desk.db.PersonByAddress(v.t.Context(), "one", maria)
	if err != nil {
		v.t.Fatal(err)
	}
	v.save(tickets.Change{Products: []tickets.Product{
		{Brand: "one", Person: p.ID, Serial: "SN-1", Model: "LaserJet 400", Kind: tickets.KindOther, WarrantyUntil: today.Add(14)},
		{Brand: "one", Person: p.ID, Serial: "SN-2", Model: "LaserJet 500", Kind: tickets.KindOther, WarrantyUntil: today.Add(30)},
	}})
	var dues []tickets.Due
	for serial, d := range map[string]tickets.Due{
		"SN-1": {Schedule: tickets.WarrantyExtension, Days: 14}, "SN-2": {Schedule: tickets.WarrantyReminder, Days: 30},
	} {
		product, err := v.desk.db.ProductBySerial(v.t.Context(), "one", serial)
		if err != nil {
			v.t.Fatal(err)
		}
		d.Brand, d.Person, d.Product, d.Subject = "one", p.ID, product.ID, tickets.DueSubject(product.ID)
		d.Date, d.Occurrence = product.WarrantyUntil, product.WarrantyUntil.String()
		d.Day, d.Found, d.Next, d.State = today, now, now, tickets.DueWaiting
		dues = append(dues, d)
	}
	v.save(tickets.Change{Dues: dues})
	return v.desk.awaits(v.t, maria, "the reminder", text("LaserJet 500"))
}

func (v *visitor) save(c tickets.Change) {
	v.t.Helper()
	c.Brand = "one"
	err := v.desk.db.Decide(v.t.Context(), "one", func(tx *store.Tx) error {
		_, err := tx.Save(v.t.Context(), 0, "", "", c, time.Now())
		return err
	})
	if err != nil {
		v.t.Fatal(err)
	}
}

// H02, G13: a browser that runs what it finds follows every link of a customer's
// letters, and nothing happens; a person's clicks do what the buttons say, and a
// double click does it once.
func storyInABrowser(t *testing.T, b *browser) {
	v := openVisitor(t, b)
	o := v.desk.office
	post(t, o, maria, "Maria Keller <"+maria+">", "support@one.test", photoMail("The paper is stuck again in our printer, a paper jam every day.", "Subject: paper jam", "Message-ID: <jam@keller.example>"))
	ack := waitMail(t, o, maria, "the acknowledgement", text("Clear a paper jam"))
	answerAs(t, o, "asha@one.test", "[One #1]", "#rma anyway: it jams every day\n\nPlease send it to us.\nWe have packed a new one.")
	waitMail(t, o, maria, "the return", text("Dock 4"))
	reminder := v.reminds()
	talk := v.opens("ticket", v.link(ack, "?article="))
	do(t, talk, "unfold", chromedp.Click(chromedp.CSS("summary")))
	readable(t, talk, "ticket-unfolded", 1, views)
	do(t, talk, "the page shows all", chromedp.WaitVisible(chromedp.CSS(`a[download]`)), chromedp.WaitVisible(chromedp.CSS(`#h-return`)), chromedp.WaitVisible(chromedp.CSS(`#article button`)))
	answerAs(t, o, "asha@one.test", "[One #1]", "#close\nA new printer is on its way.")
	resolution := waitMail(t, o, maria, "the resolution", text("on its way"))
	v.scanned(5)

	confirm := v.opens("confirm", v.link(resolution, "/t/"))
	do(t, confirm, "confirm", chromedp.DoubleClick(mainButton), chromedp.WaitVisible(chromedp.CSS(`[role=status] h1`)))
	readable(t, confirm, "confirmed", 1, views)
	survey := v.desk.awaits(t, maria, "the survey", text("It is one question"))
	v.scanned(6)
	if tk, err := v.desk.db.Ticket(t.Context(), 1); err != nil || tk.Status != tickets.StatusClosed {
		t.Errorf("after the click: %s, %v", tk.Status, err)
	}

	v.votes(v.link(survey, "/s/"))
	v.accepts(v.link(reminder, "/o/"))
	v.unsubscribes(v.link(reminder, "/u/"))
	v.scanned(6)
	v.opens("problem", v.base+"/t/nobody")
}

// ledger is how many rows there are.
func (v *visitor) ledger() int {
	v.t.Helper()
	v.rests()
	tally, err := v.desk.db.Tally(v.t.Context(), "")
	if err != nil {
		v.t.Fatal(err)
	}
	return tally.Total
}

func (v *visitor) votes(link string) {
	v.t.Helper()
	before := v.ledger()
	link, _, _ = strings.Cut(link, "?")
	tab := v.opens("survey", link)
	do(v.t, tab, "vote", chromedp.Click(`//label[input[@value="4"]]`), chromedp.SendKeys(chromedp.ID("comment"), "quick & kind"))
	readable(v.t, tab, "survey-chosen", 1, views)
	do(v.t, tab, "vote", chromedp.DoubleClick(mainButton), chromedp.WaitVisible(chromedp.CSS(`[role=status] h1`)))
	readable(v.t, tab, "voted", 1, views)
	if n := v.ledger(); n != before+1 {
		v.t.Errorf("a double click made %d rows", n-before)
	}
	if s, err := v.desk.db.SurveyOfTicket(v.t.Context(), 1); err != nil || s.Score != 4 || s.Comment != "quick & kind" {
		v.t.Errorf("the vote is %+v, %v", s, err)
	}
}

func (v *visitor) accepts(link string) {
	v.t.Helper()
	before := v.ledger()
	tab := v.opens("offer", link)
	do(v.t, tab, "accept", chromedp.DoubleClick(mainButton), chromedp.WaitVisible(`//h1[contains(., "noted")]`))
	readable(v.t, tab, "accepted", 1, views)
	if n := v.ledger(); n != before+1 {
		v.t.Errorf("a double click made %d rows", n-before)
	}
	if tk, err := v.desk.db.Ticket(v.t.Context(), 2); err != nil || !strings.Contains(tk.Subject, "LaserJet 400") {
		v.t.Errorf("the ticket of the offer: %q, %v", tk.Subject, err)
	}
}

func (v *visitor) unsubscribes(link string) {
	v.t.Helper()
	tab := v.opens("unsubscribe", link)
	do(v.t, tab, "unsubscribe", chromedp.DoubleClick(mainButton), chromedp.WaitVisible(chromedp.CSS(`.notice[role=status]`)))
	readable(v.t, tab, "unsubscribed", 1, views)
	p, err := v.desk.db.PersonByAddress(v.t.Context(), "one", maria)
	if err != nil || !p.Prefs.NoReminders || p.Prefs.NoSurveys {
		v.t.Errorf("wishes after the click: %+v, %v", p.Prefs, err)
	}
}

// photoMail is a mail with a picture attached.
func photoMail(body string, fields ...string) []byte {
	return []byte(strings.Join(fields, "\r\n") + "\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
		"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + body + "\r\n" +
		"--b\r\nContent-Type: image/png\r\nContent-Disposition: attachment; filename=\"the jam.png\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
		base64.StdEncoding.EncodeToString([]byte("\x89PNG\r\n\x1a\n"+strings.Repeat("x", 600))) + "\r\n--b--\r\n")
}

// lettersInABrowser checks how every kind of letter reads as HTML on a phone, and
// the main ones on a wide screen as well.
func lettersInABrowser(t *testing.T, b *browser) {
	pages := map[string]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(pages[r.URL.Path]))
	}))
	t.Cleanup(server.Close)
	var names []string
	for _, kind := range notify.Kinds {
		for _, lang := range []string{"en", "de"} {
			if !notify.TextOnly(kind) {
				name := string(kind) + "-" + lang
				names, pages["/"+name] = append(names, name), letterPage(t, kind, lang)
			}
		}
	}
	tab := b.tab(t)
	for _, name := range names {
		do(t, tab, name, chromedp.Navigate(server.URL+"/"+url.PathEscape(name)))
		seen := views[:2]
		if os.Getenv("PICTURES") != "" {
			seen = views
		}
		readable(t, tab, "letter-"+name, 0, seen)
	}
}

// letterPage is the HTML of a sample letter, its pictures within.
func letterPage(t *testing.T, kind tickets.LetterKind, lang string) string {
	t.Helper()
	templates, err := notify.LoadTemplates("")
	if err != nil {
		t.Fatal(err)
	}
	l := notify.Sample(kind)
	l.Language, l.Agent = lang, strings.HasPrefix(string(kind), "agent-")
	if kind == tickets.LetterReport {
		if l.Data.Figures, err = os.ReadFile(filepath.Join("..", "..", "report", "testdata", "desk.json")); err != nil {
			t.Fatal(err)
		}
	}
	p, err := notify.Compose(l, notify.Material{
		Templates: templates, Separator: "+", Report: writeReport, PublicURL: "https://desk.baleyo.example", Now: time.Date(2026, 11, 23, 8, 20, 0, 0, time.UTC),
		Keys:   tickets.Keyring{Current: tickets.Key{ID: 'a', Secret: []byte(strings.Repeat("k", 32))}},
		Brand:  notify.Brand{Key: "baleyo", Name: "Baleyo", Sender: "Baleyo Support", Color: "#b03060", Language: lang, Location: time.UTC, Domain: "baleyo.example"},
		Ticket: &tickets.Ticket{ID: 1234, Brand: "baleyo", Status: tickets.StatusOpen, Queue: "support", Participants: []tickets.Participant{{Person: 3, Role: tickets.PartyRequester, Address: tickets.Address{Address: maria}}}},
	})
	if err != nil {
		t.Fatalf("%s in %s: %v", kind, lang, err)
	}
	page := p.HTML
	for _, pic := range p.Pictures {
		page = strings.ReplaceAll(page, "cid:"+pic.ID, "data:image/png;base64,"+base64.StdEncoding.EncodeToString(pic.PNG))
	}
	return page
}
