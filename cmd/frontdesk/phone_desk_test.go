package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"frontdesk/internal/testmail"
	"frontdesk/internal/twiliosim"
	"frontdesk/parser"
	"frontdesk/store"
	"frontdesk/tickets"
)

// These helpers put whole desks between a mail provider and a telephone company,
// both within the test: real connections on loopback, real signatures.

// phonePublic is what the telephone company calls a desk. The path of it is not
// the desk's own: a proxy takes it away.
const phonePublic = "https://desk.example/help"

// phoneStage is a provider, a telephone company, and the configuration of a desk
// that nobody started yet.
type phoneStage struct {
	t       *testing.T
	office  *testmail.Office
	sim     *twiliosim.Sim
	address string // where the desk listens
	token   string // file
	api     string // where the company's API is
	parts   phoneParts
}

// phoneParts are what a stage has beyond one number, testNumber, without a menu.
type phoneParts struct {
	sim    twiliosim.Config // Account, token, API and transport are set
	twilio string           // more keys of the twilio block: ", allow: […]"
	phones string           // the brand's phones, in place of the one
	more   string           // at the end of the file
	closed bool             // the brand never opens while the test runs
	users  []string         // mailboxes beside those of the desk and its agents
	clock  *testClock       // of desk and company; nil: the machine's
	api    func(http.Handler) http.Handler
	edit   func(yaml string) string // last
}

// ashaPhone and the others are the agents' telephones.
const (
	ashaPhone    = "+4915200000001"
	bikramPhone  = "+4915200000002"
	chandraPhone = "+4915200000003"
)

func newPhoneStage(t *testing.T, parts phoneParts) *phoneStage {
	t.Helper()
	s := &phoneStage{t: t, parts: parts, address: freeAddress(t)}
	s.office = openOffice(t, append([]string{"support@one.test", "asha@one.test", "bikram@one.test", "chandra@one.test"}, parts.users...)...)
	var api http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.sim.ServeHTTP(w, r) })
	if parts.api != nil {
		api = parts.api(api)
	}
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	s.api = server.URL
	c := parts.sim
	c.AccountSID, c.AuthToken, c.APIBase, c.Transport = testAccount, testToken, s.api, viaProxy{s.address}
	if parts.clock != nil {
		c.Now = parts.clock.now
	}
	s.sim = twiliosim.New(c)
	t.Cleanup(s.sim.Wait)
	s.number(testNumber)
	s.token = filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(s.token, []byte(testToken), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// number configures a number at the telephone company.
func (s *phoneStage) number(e164 string) {
	at := phonePublic + "/twilio"
	s.sim.AddNumber(twiliosim.Number{E164: e164, VoiceURL: at + "/voice", StatusCallback: at + "/voice/status", SMSURL: at + "/sms#rc=3&rp=5xx,ct,rt"})
	s.sim.AddNumber(twiliosim.Number{E164: "whatsapp:" + e164, SMSURL: at + "/whatsapp"})
}

// yaml is the desk's configuration.
func (s *phoneStage) yaml() string {
	text := oneBrand(s.office, "One", "one.test", s.parts.more)
	phones := s.parts.phones
	if phones == "" {
		phones = fmt.Sprintf(`[{number: %q}]`, testNumber)
	}
	hours := `{mon-sun: "00:00-24:00"}`
	if s.parts.closed {
		hours = fmt.Sprintf(`{%s: "09:00-17:00"}`, strings.ToLower(time.Now().AddDate(0, 0, 3).Format("Mon")))
	}
	edit := strings.NewReplacer(
		`http: {public_url: "", admin_listen: ""}`, fmt.Sprintf("http: {public_url: %q, listen: %q, admin_listen: \"\"}\ntwilio: {account_sid: %s, auth_token_file: %s, api_base_url: %q%s}",
			phonePublic, s.address, testAccount, s.token, s.api, s.parts.twilio),
		"    mailboxes:", "    hours: "+hours+"\n    phones: "+phones+"\n    mailboxes:",
		"{name: Asha, email: asha@one.test}", fmt.Sprintf("{name: Asha, email: asha@one.test, phone: %q}", ashaPhone),
		"{name: Bikram, email: bikram@one.test}", fmt.Sprintf("{name: Bikram, email: bikram@one.test, phone: %q}", bikramPhone),
		"{name: Chandra, email: chandra@one.test, ", fmt.Sprintf("{name: Chandra, email: chandra@one.test, phone: %q, ", chandraPhone),
		"queues:\n  support: {team: first, tiers: [first]}", "queues:\n  support: {team: first, tiers: [first, second]}",
		"teams:\n  first: {members: [asha@one.test, bikram@one.test]}", "teams:\n  first: {members: [asha@one.test]}\n  second: {members: [bikram@one.test, chandra@one.test]}",
	)
	text = edit.Replace(text)
	if s.parts.edit != nil {
		text = s.parts.edit(text)
	}
	return text
}

// open runs the desk within the test, by the machine's clock.
func (s *phoneStage) open() *liveDesk {
	s.t.Helper()
	return openDeskAt(s.t, s.office, s.yaml())
}

// process makes a desk in a process of its own, by the stage's clock; it starts
// nothing.
func (s *phoneStage) process() *realDesk {
	s.t.Helper()
	d := newDeskProcess(s.t, map[string]string{"frontdesk.yaml": s.yaml(), "secret": "a secret of tests, forty characters long", "password": demoPassword})
	if s.parts.clock != nil {
		d.Env = []string{"FRONTDESK_TESTING=1", "FRONTDESK_TEST_CLOCK=" + s.parts.clock.file}
	}
	return d
}

// freeAddress is a port that nothing listens on, below those that the system
// hands out: no other test gets it.
func freeAddress(t testing.TB) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(10_000+rand.N(9_000)))
		if err != nil {
			continue
		}
		defer l.Close()
		return l.Addr().String()
	}
	t.Fatal("no free port")
	return ""
}

// testClock is the time of a desk in another process and of the company.
type testClock struct {
	t    *testing.T
	file string
	mu   sync.Mutex
	at   time.Time
}

func newTestClock(t *testing.T, at time.Time) *testClock {
	t.Helper()
	c := &testClock{t: t, file: filepath.Join(t.TempDir(), "clock")}
	c.set(at)
	return c
}

func (c *testClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *testClock) advance(d time.Duration) { c.set(c.now().Add(d)) }

func (c *testClock) set(at time.Time) {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
	if err := os.WriteFile(c.file+".new", []byte(at.Format(time.RFC3339Nano)), 0o600); err != nil {
		c.t.Fatal(err)
	}
	if err := os.Rename(c.file+".new", c.file); err != nil { // never half a time
		c.t.Fatal(err)
	}
}

// call is a call to testNumber.
func (s *phoneStage) call(from string, script ...twiliosim.Step) *twiliosim.Call {
	s.t.Helper()
	c, err := s.sim.Dial(twiliosim.Inbound{From: from, To: testNumber, Script: script})
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// text is an SMS to testNumber.
func (s *phoneStage) text(from, body string) {
	s.t.Helper()
	s.write(twiliosim.Text{From: from, To: testNumber, Body: body})
}

func (s *phoneStage) write(t twiliosim.Text) string {
	s.t.Helper()
	sid, err := s.sim.Text(t)
	if err != nil {
		s.t.Fatal(err)
	}
	return sid
}

func pressing(keys string) twiliosim.Step { return twiliosim.Step{Press: keys} }

func leaving(seconds int) twiliosim.Step {
	return twiliosim.Step{Leave: &twiliosim.Leave{Seconds: seconds, Key: "#"}}
}

// post delivers one webhook as the telephone company does.
func (s *phoneStage) post(uri string, form url.Values) (int, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, uri, strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	r.Header.Set("X-Twilio-Signature", twiliosim.Sign(testToken, uri, form))
	res, err := viaProxy{s.address}.RoundTrip(r)
	if err != nil {
		s.t.Errorf("post %s: %v", uri, err)
		return 0, ""
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Errorf("post %s: %v", uri, err)
	}
	return res.StatusCode, string(body)
}

// sent waits for a text of the desk to a number that has the words.
func (s *phoneStage) sent(to, words string) twiliosim.Message {
	s.t.Helper()
	return waitText(s.t, s.sim, func(m twiliosim.Message) bool { return m.To == to && strings.Contains(m.Body, words) })
}

// textsTo are the texts that went to a number.
func (s *phoneStage) textsTo(to string) (all []twiliosim.Message) {
	for _, m := range s.sim.Outbox() {
		if m.To == to {
			all = append(all, m)
		}
	}
	return all
}

// mailTo waits for a mail to a user whose subject or text has the words.
func (s *phoneStage) mailTo(user, words string) *parser.Mail {
	s.t.Helper()
	return waitMail(s.t, s.office, user, "mail with "+strconv.Quote(words), func(m *parser.Mail) bool {
		return strings.Contains(m.Subject+"\n"+flat(m.Text), words)
	})
}

// reply answers a mail as its reader's client does.
func (s *phoneStage) reply(user, name string, to *parser.Mail, text string) {
	s.t.Helper()
	address := to.From.Address
	if len(to.ReplyTo) > 0 {
		address = to.ReplyTo[0].Address
	}
	post(s.t, s.office, user, fmt.Sprintf("%s <%s>", name, user), address, mailText(text, "Subject: Re: "+strings.TrimPrefix(to.Subject, "Re: "),
		fmt.Sprintf("Message-ID: <%d@clients.test>", time.Now().UnixNano()), "In-Reply-To: <"+to.MessageID+">",
		"References: <"+strings.Join(append(to.References, to.MessageID), "> <")+">"))
}

// mails is a customer's mail to the desk.
func (s *phoneStage) mails(from, subject, text string) {
	s.t.Helper()
	user := from[strings.LastIndexByte(from, '<')+1 : len(from)-1]
	post(s.t, s.office, user, from, "support@one.test", mailText(text, "Subject: "+subject, fmt.Sprintf("Message-ID: <%d@clients.test>", time.Now().UnixNano())))
}

// rest waits until nothing is undecided, fetched or on its way, and the company
// has reported all.
func (d *liveDesk) rest(s *phoneStage) {
	d.t.Helper()
	for limit := time.Now().Add(60 * time.Second); !waitUntil(func() bool {
		for range 2 { // what was seen first may have caused something that was looked at before
			if s.sim.Wait(); !d.quiet() {
				return false
			}
		}
		return true
	}); {
		if time.Now().Before(limit) {
			continue
		}
		tally, err := d.db.Tally(d.t.Context(), "")
		outbox, err2 := d.db.OutboxTally(d.t.Context())
		d.t.Fatalf("the desk does not come to rest: %+v, %v; %v, %v", tally, err, outbox, err2)
	}
}

// stays reports that nothing is on its way, looked at twice: between two looks
// what was decided may have written a letter.
func (d *liveDesk) stays() bool {
	if !d.quiet() {
		return false
	}
	return d.quiet()
}

func (d *liveDesk) quiet() bool {
	ctx := context.Background()
	tally, err := d.db.Tally(ctx, "")
	if err != nil || tally.Undecided > 0 {
		return false
	}
	outbox, err := d.db.OutboxTally(ctx)
	if err != nil || outbox[store.LetterDot]+outbox[store.LetterQueued] > 0 {
		return false
	}
	next, err := d.db.NextFetch(ctx)
	return err == nil && next.IsZero()
}

// ticket loads a ticket with its messages.
func (d *liveDesk) ticket(n int64) (tickets.Ticket, []tickets.Message) {
	d.t.Helper()
	t, err := d.db.Ticket(d.t.Context(), n)
	if err != nil {
		d.t.Fatalf("ticket %d: %v", n, err)
	}
	messages, err := d.db.Messages(d.t.Context(), n)
	if err != nil {
		d.t.Fatal(err)
	}
	return t, messages
}

// count is how many tickets there are.
func (d *liveDesk) count() int {
	d.t.Helper()
	list, err := d.db.Tickets(d.t.Context(), store.TicketQuery{Statuses: allStatuses, Limit: 100_000})
	if err != nil {
		d.t.Fatal(err)
	}
	return len(list)
}

// log is a ticket's log, a line an event.
func (d *liveDesk) log(n int64) string {
	d.t.Helper()
	events, err := d.db.Events(d.t.Context(), n)
	if err != nil {
		d.t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range events {
		fmt.Fprintf(&b, "%s %s: %s\n", e.Who, e.What, e.Detail)
	}
	return b.String()
}

// says are the texts of messages, oldest first.
func says(messages []tickets.Message) (all []string) {
	for _, m := range messages {
		all = append(all, m.Text)
	}
	return all
}
