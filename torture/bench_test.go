package torture

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"frontdesk/internal/testdesk"
	"frontdesk/internal/testmail"
	"frontdesk/parser"
)

// The desk of all tests here has two mailboxes: one that a mail server hands
// over to by LMTP, and, where a test has an IMAP server, one that it fetches.
const (
	lmtpBox = "desk@baleyo.test"
	imapBox = "support@baleyo.test" // a mailbox of the rig
)

// bench is a desk, the server that counts its letters, and the account of what
// was sent in.
type bench struct {
	t    *testing.T
	opt  benchOptions
	sink *testmail.SMTP
	d    *testdesk.Desk
	lmtp string // address of its LMTP listener

	mails  int // that came in by IMAP, each from another customer
	queue  *mta
	held   map[int]bool        // requests that belong into quarantine; nil: none, and who is blamed for kills is released
	blamed int                 // rows that were released so
	before []testmail.Accepted // letters that arrived before, from another sink
	faults int
}

type benchOptions struct {
	rig       *testmail.Rig  // the IMAP server; nil: the mailbox of LMTP alone
	imap      string         // more keys of the IMAP mailbox, "mark_seen: true"
	more      string         // more blocks of the configuration
	dataDir   string         // default "data" in the desk's folder
	wait      time.Duration  // more time to settle in
	sink      *testmail.SMTP // default: one of its own
	adminAddr string         // of the admin listener, "" none
	imapPort  int            // of a line to the rig; 0: straight to it
	smtpPort  int            // of a line to the sink; 0: straight to it
	clock     *testClock     // that the desk goes by; nil: the machine's
	http      string         // the whole block instead
}

// newBench makes a desk with an empty store; it starts nothing.
func newBench(t *testing.T, opt benchOptions) *bench {
	t.Helper()
	b := &bench{t: t, opt: opt, sink: opt.sink, lmtp: freeAddress(t)}
	if b.sink == nil {
		sink, err := testmail.NewSMTP(testmail.SMTPOptions{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = sink.Close() })
		b.sink = sink
	}
	b.queue = newMTA(b.lmtp)
	files := map[string]string{"frontdesk.yaml": b.config(), "secret": "a secret of tests, forty characters long"}
	if opt.rig != nil {
		files["support.pw"] = opt.rig.Password(imapBox)
	}
	b.d = testdesk.New(t, files)
	if opt.clock != nil {
		b.d.Env = opt.clock.env()
	}
	return b
}

// config is the desk's configuration. Limits on acknowledgements are out of the
// way: each mail is to have one.
func (b *bench) config() string {
	smtp := fmt.Sprintf("{host: 127.0.0.1, port: %d, tls: none}", cmp.Or(b.opt.smtpPort, b.sink.Port()))
	boxes := fmt.Sprintf("      - {address: %s, queue: support, intake: lmtp, smtp: %s}\n", lmtpBox, smtp)
	if r := b.opt.rig; r != nil {
		boxes += fmt.Sprintf(`      - address: %s
        queue: support
        imap: {host: 127.0.0.1, port: %d, tls: none, username: %s, password_file: support.pw}
        smtp: %s
        trusted_authserv_ids: [%s]
        %s
`, imapBox, cmp.Or(b.opt.imapPort, r.IMAPPort()), imapBox, smtp, testmail.RigHost, b.opt.imap)
	}
	data := b.opt.dataDir
	if data == "" {
		data = "data"
	}
	web := b.opt.http
	if web == "" {
		web = fmt.Sprintf(`{public_url: "", admin_listen: %q}`, b.opt.adminAddr)
	}
	return fmt.Sprintf(`data_dir: %s
database: sqlite
secret_file: secret
http: %s
lmtp: {listen: %q}
brands:
  baleyo:
    name: Baleyo
    language: en
    timezone: Asia/Kathmandu
    mailboxes:
%squeues:
  support: {team: first-line}
teams:
  first-line: {members: [asha@baleyo.test]}
agents:
  - {name: Asha, email: asha@baleyo.test}
categories:
  technical: {title: Technical Issues, respond_within: 2 business hours, keywords: [printer, offline, error]}
acknowledge: {per_domain_hour: 100000, global_hour: 100000}
incidents: {customers: 0}
%s`, data, web, b.lmtp, boxes, b.opt.more)
}

// freeAddress is a port that nothing listens on, below those that the system
// hands out and above those of the rig.
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

// request is the n-th customer's mail.
func request(n int, to string) (from string, raw []byte) {
	from = fmt.Sprintf("customer%d@flood.test", n)
	return from, fmt.Appendf(nil,
		"From: %s\r\nTo: %s\r\nSubject: request %d\r\nDate: %s\r\nMessage-ID: <%d.%d@flood.test>\r\n\r\nMy printer number %d is offline.\r\n",
		from, to, n, time.Now().Format(time.RFC1123Z), n, time.Now().UnixNano(), n)
}

// send hands requests low to high-1 to the rig, for the mailbox that is fetched.
func (b *bench) send(low, high int) {
	for i := low; i < high; i++ {
		from, raw := request(i, imapBox)
		b.opt.rig.Send(from, []string{imapBox}, raw)
	}
}

// waitForMails waits until Postfix has delivered n mails.
func waitForMails(t *testing.T, r *testmail.Rig, n int) {
	t.Helper()
	for limit := time.Now().Add(30 * time.Second); len(r.Mails(imapBox)) < n; {
		if time.Now().After(limit) {
			t.Fatalf("%d mails delivered, want %d", len(r.Mails(imapBox)), n)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// accepted is how many mails came in, by the account of whoever sent them.
func (b *bench) accepted() int { return b.mails + b.queue.accepted() }

// acknowledged returns what each customer got, by address.
func (b *bench) acknowledged() map[string][][]byte {
	got := map[string][][]byte{}
	for _, m := range slices.Concat(b.before, b.sink.Mails()) {
		if to := m.To[0]; strings.HasSuffix(to, "@flood.test") {
			got[to] = append(got[to], m.Raw)
		}
	}
	return got
}

// waiting counts letters that are on their way.
func (b *bench) waiting() (n int) {
	for _, l := range b.d.JSON("outbox", "list", "--limit", "100000") {
		if l["state"] == "queued" || l["state"] == "dot" {
			n++
		}
	}
	return n
}

// sums is what "reconcile" says of both mailboxes together.
type sums struct {
	rows, undecided int
	by              map[string]int
	wrong           []string // what the mailboxes have and the ledger has not, what cannot be read
}

func (b *bench) reconcile() sums {
	b.t.Helper()
	s := sums{by: map[string]int{}}
	for _, r := range b.d.JSON("reconcile") {
		s.rows += int(r["rows"].(float64))
		s.undecided += int(r["undecided"].(float64))
		by, _ := r["by_disposition"].(map[string]any)
		for k, n := range by {
			s.by[k] += int(n.(float64))
		}
		if missing, _ := r["missing"].([]any); len(missing) > 0 {
			s.wrong = append(s.wrong, fmt.Sprintf("%v: missing %v", r["mailbox"], missing))
		}
		if r["error"] != nil {
			s.wrong = append(s.wrong, fmt.Sprintf("%v: %v", r["mailbox"], r["error"]))
		}
	}
	return s
}

// finish lets the desk end its work in peace, stops it and settles the account
// as a row of the table.
func (b *bench) finish(name string) {
	b.t.Helper()
	b.d.MustStart()
	b.settle()
	if err := b.d.Stop(); err != nil {
		b.t.Errorf("the daemon ended with %v", err)
	}
	b.account(name)
}

// settle waits until no row and no letter waits.
func (b *bench) settle() {
	b.t.Helper()
	limit := time.Now().Add(2*time.Minute + time.Duration(b.accepted())*100*time.Millisecond + b.opt.wait)
	for {
		b.release()
		if len(b.acknowledged()) >= b.accepted()-len(b.held) {
			if s := b.reconcile(); s.undecided == 0 && s.rows >= b.accepted() && len(s.wrong) == 0 && b.waiting() == 0 {
				return
			}
		}
		if time.Now().After(limit) {
			b.t.Fatalf("not settled: %d accepted, %d acknowledged, %+v, %d letters wait", b.accepted(), len(b.acknowledged()), b.reconcile(), b.waiting())
		}
		<-time.After(200 * time.Millisecond)
	}
}

// release lets mail out of quarantine that is there because of our kills: a row
// that the daemon had in hand at five of its deaths is taken for their cause. An
// operator does so, too.
func (b *bench) release() {
	b.t.Helper()
	if b.faults < 5 || b.held != nil {
		return
	}
	for _, row := range b.d.JSON("quarantine", "list") {
		if row["reason"] != "poison" || !strings.Contains(fmt.Sprint(row["detail"]), "the program ended") {
			b.t.Fatalf("in quarantine: %v", row)
		}
		if out, err := b.d.Run("quarantine", "release", fmt.Sprint(row["id"])); err != nil {
			b.t.Fatal(err, out)
		}
		b.blamed++
		b.t.Logf("released: ledger row %v was in hand at five kills", row["id"])
	}
	if b.blamed > b.faults/4 { // the first of five may have hit several rows at once
		b.t.Fatalf("%d rows are blamed for %d kills", b.blamed, b.faults)
	}
}

// account compares what was sent in with the ledger, the tickets and the
// letters. Each mail is one message and one ticket, and its customer has one
// acknowledgement. A mail that an MTA brought twice, because our 250 was lost,
// is a row that says so. A second copy of a letter is allowed where the desk
// cannot know whether the first was taken: the same bytes, and so the same
// Message-ID.
func (b *bench) account(name string) {
	b.t.Helper()
	in := b.accepted()
	r := row{name: name, faults: b.faults, in: in}
	s := b.reconcile()
	for _, w := range s.wrong {
		b.t.Errorf("reconcile: %s", w)
	}
	again := s.by["duplicate"]
	if s.undecided != 0 || s.by["message"]+again+s.by["quarantined"] != s.rows || s.by["quarantined"] != len(b.held) {
		b.t.Errorf("reconcile: %+v, want messages, duplicates and %d in quarantine", s, len(b.held))
	}
	if brought := b.queue.doubts() + b.storedTwice(); again > brought {
		b.t.Errorf("%d rows came twice, but only %d mails were brought twice", again, brought)
	}
	subjects := map[string]int{}
	for _, t := range b.d.JSON("tickets", "list", "--limit", "1000000") {
		subject, _ := t["subject"].(string)
		subjects[subject]++
	}
	got := b.acknowledged()
	for n := range in {
		tickets, letters := subjects[fmt.Sprintf("request %d", n)], got[fmt.Sprintf("customer%d@flood.test", n)]
		switch {
		case b.held[n] && tickets == 0 && len(letters) == 0: // counted in quarantine above
			r.out++
		case tickets == 0 || len(letters) == 0:
			r.lost++
		default:
			r.out++
		}
		if tickets > 1 {
			r.doubled++
		}
		for _, l := range letters[min(1, len(letters)):] {
			r.doubt++
			if !bytes.Equal(l, letters[0]) {
				r.doubled++
				b.t.Errorf("customer %d has two different letters, %s and %s", n,
					parser.Parse(letters[0], parser.Options{}).MessageID, parser.Parse(l, parser.Options{}).MessageID)
			}
		}
	}
	if s.by["message"] != in-len(b.held) {
		b.t.Errorf("%d messages of %d mails", s.by["message"], in)
	}
	if doubts := b.doubts(); r.doubt > doubts {
		b.t.Errorf("%d second copies, but only %d letters were in doubt", r.doubt, doubts)
		r.doubled += r.doubt - doubts
	}
	record(b.t, r)
}

// doubts is how often a letter was sent again because nobody knew.
func (b *bench) doubts() (n int) {
	for _, l := range b.d.JSON("outbox", "list", "--all", "--limit", "1000000") {
		d, _ := l["doubts"].(float64)
		n += int(d)
	}
	return n
}

// database is the path of the desk's SQLite file.
func (b *bench) database() string {
	if filepath.IsAbs(b.opt.dataDir) {
		return filepath.Join(b.opt.dataDir, "frontdesk.db")
	}
	return filepath.Join(b.d.Dir, "data", "frontdesk.db")
}

// logged reports that the daemon's log has a line with all the words.
func (b *bench) logged(words ...string) bool { return b.times(words...) > 0 }

// times counts the lines of the daemon's log that have all the words.
func (b *bench) times(words ...string) (n int) {
	text, _ := os.ReadFile(filepath.Join(b.d.Dir, "log"))
lines:
	for line := range strings.Lines(string(text)) {
		for _, w := range words {
			if !strings.Contains(line, w) {
				continue lines
			}
		}
		n++
	}
	return n
}

// waitUntil waits for what is true soon; the test fails after limit.
func waitUntil(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", limit, what)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// replaced is the text with each old (of old, new, old, new, …) replaced, which must be there.
func replaced(t testing.TB, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("no %q in:\n%s", pairs[i], text)
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return text
}

// storedTwice counts the second copies in the mailbox that is fetched: Postfix
// brings a mail again whose taking Dovecot did not live to confirm.
func (b *bench) storedTwice() (n int) {
	if b.opt.rig == nil {
		return 0
	}
	seen := map[string]bool{}
	for _, raw := range b.opt.rig.Stored(imapBox) {
		id := parser.Parse(raw, parser.Options{}).MessageID
		if id != "" && seen[id] {
			n++
		}
		seen[id] = true
	}
	return n
}
