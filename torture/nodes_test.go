package torture

import (
	"bytes"
	"cmp"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	_ "github.com/jackc/pgx/v5/stdlib" // registers "pgx"

	"frontdesk/internal/testdesk"
	"frontdesk/internal/testmail"
	"frontdesk/parser"
	"frontdesk/store/storetest"
)

// The tests here run several daemons on one PostgreSQL.

// cluster is the database and what all its nodes have in common.
type cluster struct {
	t      testing.TB
	url    *url.URL // of the database, by its socket; nil: nodes know their way themselves
	lease  time.Duration
	brands int
	rig    *testmail.Rig // an IMAP mailbox of the first brand; nil none
	nodes  []*node
}

// node is one daemon: with a mail server of its own, which counts what this
// node sent, and a line of its own to the database, which can be cut.
type node struct {
	*testdesk.Desk
	name        string
	c           *cluster
	sink        *testmail.SMTP
	line        *line
	dsn         string // another way to the database; "" the line
	lmtp, admin string
}

func newCluster(t testing.TB, lease time.Duration, brands int) *cluster {
	t.Helper()
	u, err := url.Parse(storetest.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	return &cluster{t: t, url: u, lease: lease, brands: brands}
}

func brandBox(n int) string { return fmt.Sprintf("desk@b%d.test", n) }

// add makes a node; it starts nothing.
func (c *cluster) add(name string, slow time.Duration, env ...string) *node {
	c.t.Helper()
	sink, err := testmail.NewSMTP(testmail.SMTPOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	if slow > 0 {
		sink.On(testmail.StageDot, "", 0, testmail.Act{Delay: slow})
	}
	c.t.Cleanup(func() { _ = sink.Close() })
	n := &node{name: name, c: c, sink: sink, lmtp: freeAddress(c.t), admin: freeAddress(c.t)}
	if c.url != nil {
		n.line = newLine(c.t, c.url)
	}
	files := map[string]string{"frontdesk.yaml": n.config(), "secret": "a secret of tests, forty characters long"}
	if c.rig != nil {
		files["support.pw"] = c.rig.Password(imapBox)
	}
	n.Desk = testdesk.New(c.t, files)
	n.Env = env
	c.nodes = append(c.nodes, n)
	return n
}

// database is what the node connects to.
func (n *node) database() string {
	if n.dsn != "" || n.c.url == nil {
		return cmp.Or(n.dsn, "sqlite")
	}
	return n.line.url(n.c.url)
}

// rewrite writes the configuration again.
func (n *node) rewrite() {
	n.c.t.Helper()
	if err := os.WriteFile(n.Config(), []byte(n.config()), 0o600); err != nil {
		n.c.t.Fatal(err)
	}
}

func (n *node) config() string {
	smtp := fmt.Sprintf("{host: 127.0.0.1, port: %d, tls: none}", n.sink.Port())
	var brands strings.Builder
	for i := range n.c.brands {
		fmt.Fprintf(&brands, "  b%d:\n    name: Brand%d\n    language: en\n    timezone: UTC\n    mailboxes:\n", i, i)
		fmt.Fprintf(&brands, "      - {address: %s, queue: support, intake: lmtp, smtp: %s}\n", brandBox(i), smtp)
		if r := n.c.rig; r != nil && i == 0 {
			fmt.Fprintf(&brands, "      - {address: %s, queue: support, smtp: %s, imap: {host: 127.0.0.1, port: %d, tls: none, username: %[1]s, password_file: support.pw}, trusted_authserv_ids: [%[4]s]}\n",
				imapBox, smtp, r.IMAPPort(), testmail.RigHost)
		}
	}
	return fmt.Sprintf(`data_dir: data
database: %s
secret_file: secret
nodes: {name: %s, lease: %s}
http: {public_url: "", admin_listen: %q}
lmtp: {listen: %q}
brands:
%squeues:
  support: {team: first-line}
teams:
  first-line: {members: [asha@b0.test]}
agents:
  - {name: Asha, email: asha@b0.test}
acknowledge: {per_domain_hour: 100000, global_hour: 100000}
incidents: {customers: 0}
`, n.database(), n.name, n.c.lease, n.admin, n.lmtp, brands.String())
}

// line is a TCP proxy to the database. While it is cut nothing passes, and
// nothing is closed: a firewall that drops.
type line struct {
	l      net.Listener
	socket string

	mu   sync.Mutex
	open chan struct{} // closed while bytes pass
}

func newLine(t testing.TB, u *url.URL) *line {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	open := make(chan struct{})
	close(open)
	p := &line{l: l, socket: filepath.Join(u.Query().Get("host"), ".s.PGSQL.5432"), open: open}
	t.Cleanup(func() { _ = l.Close(); p.heal() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	return p
}

func (p *line) url(u *url.URL) string {
	return "postgres://postgres@" + p.l.Addr().String() + u.Path + "?sslmode=disable"
}

func (p *line) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("unix", p.socket)
	if err != nil {
		return
	}
	defer server.Close()
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
		both.Go(func() {
			defer way[0].Close()
			defer way[1].Close()
			b := make([]byte, 32<<10)
			for {
				n, err := way[0].Read(b)
				p.pass()
				if n > 0 {
					if _, err := way[1].Write(b[:n]); err != nil {
						return
					}
				}
				if err != nil {
					return
				}
			}
		})
	}
	both.Wait()
}

// pass waits while the line is cut.
func (p *line) pass() {
	p.mu.Lock()
	open := p.open
	p.mu.Unlock()
	<-open
}

func (p *line) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = make(chan struct{})
}

func (p *line) heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.open:
	default:
		close(p.open)
	}
}

// deliver brings requests low to high-1 by LMTP, to the nodes in turn and for
// the brands in turn, over some connections to each node, until all are
// accepted.
func (c *cluster) deliver(low, high int, to ...*node) {
	c.t.Helper()
	const connections = 4
	work := make([]chan int, len(to))
	var wg sync.WaitGroup
	for i, n := range to {
		work[i] = make(chan int, high-low)
		for range connections {
			wg.Go(func() {
				var client *smtp.Client
				for k := range work[i] {
					// What was answered with "later" is brought again, as an MTA does.
					for try := 0; ; try++ {
						err := n.bring(&client, k)
						if err == nil {
							break
						}
						if client != nil {
							_ = client.Close()
							client = nil
						}
						if try == 50 || codeOf(err)/100 == 5 {
							c.t.Errorf("request %d to node %s: %v", k, n.name, err)
							break
						}
						<-time.After(20 * time.Millisecond)
					}
				}
				if client != nil {
					_ = client.Close()
				}
			})
		}
	}
	for k := low; k < high; k++ {
		work[k%len(to)] <- k
	}
	for _, w := range work {
		close(w)
	}
	wg.Wait()
}

// bring hands one request to a node.
func (n *node) bring(client **smtp.Client, k int) error {
	box := brandBox(k / 2 % n.c.brands)
	from, raw := request(k, box)
	if *client == nil {
		conn, err := net.DialTimeout("tcp", n.lmtp, 5*time.Second)
		if err != nil {
			return err
		}
		*client = smtp.NewClientLMTP(conn)
		(*client).CommandTimeout, (*client).SubmissionTimeout = 90*time.Second, 90*time.Second
	}
	if err := (*client).Mail(from, nil); err != nil {
		return err
	}
	if err := (*client).Rcpt(box, nil); err != nil {
		return err
	}
	w, err := (*client).Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(raw); err != nil {
		return err
	}
	_, err = w.CloseWithLMTPResponse()
	return err
}

// letters returns what all mail servers together accepted: for each letter (an
// addressee and a Message-ID) its copies.
func (c *cluster) letters() map[string][][]byte {
	got := map[string][][]byte{}
	for _, n := range c.nodes {
		for _, m := range n.sink.Mails() {
			key := m.To[0] + " " + parser.Parse(m.Raw, parser.Options{}).MessageID
			got[key] = append(got[key], m.Raw)
		}
	}
	return got
}

// sent is how many copies of letters all mail servers accepted.
func (c *cluster) sent() (n int) {
	for _, node := range c.nodes {
		n += len(node.sink.Mails())
	}
	return n
}

// until waits for something to become true.
func (c *cluster) until(what string, limit time.Duration, ok func() bool) {
	c.t.Helper()
	began := time.Now()
	for !ok() {
		if time.Since(began) > limit {
			c.t.Fatalf("after %s: not %s; sent %d", limit, what, c.sent())
		}
		<-time.After(20 * time.Millisecond)
	}
}

// guide is the letter that an agent gets when the desk meets them: once, however
// many nodes begin at the same time.
const guide = 1

// settle waits until nothing waits any more: each of mails has its two letters
// (to the customer, and to the agent).
func (c *cluster) settle(n *node, mails int, limit time.Duration) {
	c.t.Helper()
	// Second copies are no letters: they are counted only when there seem to be enough.
	looked := 0
	c.until(fmt.Sprintf("%d letters", 2*mails), limit, func() bool {
		sent := c.sent()
		if sent < 2*mails+guide || sent == looked {
			return false
		}
		looked = sent
		return len(c.letters()) >= 2*mails+guide
	})
	c.until("an empty outbox", limit, func() bool {
		for _, l := range n.JSON("outbox", "list", "--limit", "100000") {
			if l["state"] == "queued" || l["state"] == "dot" {
				return false
			}
		}
		return true
	})
}

// account says what became of mails: each is one ticket with its two letters. A
// second copy is allowed for a letter that was in doubt, with the same bytes.
func (c *cluster) account(name string, n *node, mails, faults int) {
	t := c.t.(*testing.T)
	t.Helper()
	r := row{name: name, faults: faults, in: mails}
	subjects := map[string]int{}
	for _, ticket := range n.JSON("tickets", "list", "--limit", "1000000") {
		subject, _ := ticket["subject"].(string)
		subjects[subject]++
	}
	got := c.letters()
	to := map[string]int{}
	for key, copies := range got {
		address, _, _ := strings.Cut(key, " ")
		to[address]++
		for _, again := range copies[1:] {
			r.doubt++
			if !bytes.Equal(again, copies[0]) {
				t.Errorf("two different letters under %s", key)
				r.doubled++
			}
		}
	}
	for k := range mails {
		tickets, acks := subjects[fmt.Sprintf("request %d", k)], to[fmt.Sprintf("customer%d@flood.test", k)]
		if tickets == 0 || acks == 0 {
			r.lost++
		} else {
			r.out++
		}
		if tickets > 1 || acks > 1 {
			r.doubled++
		}
	}
	if to["asha@b0.test"] != mails+guide {
		t.Errorf("the agent has %d letters of %d tickets", to["asha@b0.test"], mails)
	}
	doubts := 0
	for _, l := range n.JSON("outbox", "list", "--all", "--limit", "1000000") {
		d, _ := l["doubts"].(float64)
		doubts += int(d)
	}
	if r.doubt > doubts {
		t.Errorf("%d second copies of %d letters in doubt", r.doubt, doubts)
		r.doubled += r.doubt - doubts
	}
	record(t, r)
}

// open opens the database beside the nodes.
func (c *cluster) open() *sql.DB {
	c.t.Helper()
	db, err := sql.Open("pgx", c.url.String())
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = db.Close() })
	return db
}

// metrics reads the figures of a node; "" when it does not answer.
func (n *node) metrics() string {
	client := http.Client{Timeout: 10 * time.Second}
	answer, err := client.Get("http://" + n.admin + "/metrics")
	if err != nil {
		return ""
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	return string(text)
}

// metric reads one figure of a node, 0 when there is none.
func (n *node) metric(name string) float64 {
	n.c.t.Helper()
	for l := range strings.Lines(n.metrics()) {
		if rest, ok := strings.CutPrefix(l, name+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				n.c.t.Fatal(err)
			}
			return v
		}
	}
	return 0
}

// leases lists what a node holds, as it says itself.
func (n *node) leases() (held []string) {
	for l := range strings.Lines(n.metrics()) {
		if rest, ok := strings.CutPrefix(l, `frontdesk_lease_held{name="`); ok {
			name, _, _ := strings.Cut(rest, `"`)
			held = append(held, name)
		}
	}
	return held
}

// holds reports whether a node holds a lease whose name begins so.
func (n *node) holds(prefix string) bool {
	return slices.ContainsFunc(n.leases(), func(l string) bool { return strings.HasPrefix(l, prefix) })
}

// spread waits until each node has a part of the brands.
func (c *cluster) spread(nodes ...*node) {
	c.t.Helper()
	c.until("spread", 30*time.Second, func() bool {
		for _, n := range nodes {
			if !n.holds("brand:") {
				return false
			}
		}
		return true
	})
}

func (n *node) signal(s syscall.Signal) {
	n.c.t.Helper()
	if err := syscall.Kill(n.PID(), s); err != nil {
		n.c.t.Fatal(err)
	}
}

// TestTwoNodesOneFrozen: G8. Two daemons on one PostgreSQL send the letters of a
// flood; one is frozen past its lease in the middle, and thawed. Each letter
// leaves once, both sent some, and what the thawed one still had in hand is
// refused.
func TestTwoNodesOneFrozen(t *testing.T) {
	t.Parallel()
	mails := pick(150, 2500)
	const lease = 3 * time.Second
	c := newCluster(t, lease, 3)
	a, b := c.add("a", 150*time.Millisecond), c.add("b", 50*time.Millisecond) // slow servers: there is a queue
	a.MustStart()
	b.MustStart()
	c.spread(a, b)
	delivered := make(chan struct{})
	go func() {
		defer close(delivered)
		c.deliver(0, mails, a, b)
	}()
	db := c.open()
	c.until("both sent some, and a with letters in hand", time.Minute, func() bool {
		hand := 0
		err := db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM letters WHERE state = 'queued' AND claimed_until > 0 AND node LIKE 'a:%'`).Scan(&hand)
		return err == nil && hand > 10 && len(a.sink.Mails()) > 10 && len(b.sink.Mails()) > 10
	})
	a.signal(syscall.SIGSTOP)
	before := len(a.sink.Mails())
	c.until("found out", lease+time.Minute, func() bool { return strings.Contains(b.Log(1<<20), "node is gone") })
	a.signal(syscall.SIGCONT) // it goes on with what it has in hand, and then as a node like any other
	<-delivered
	c.settle(b, mails, time.Minute+time.Duration(mails)*100*time.Millisecond)
	c.until("back", 30*time.Second, func() bool { return a.holds("brand:") })
	lost := a.metric(`frontdesk_letters_total{outcome="lost"}`)
	t.Logf("a sent %d (%d before it was frozen), b sent %d; a was refused %v late letters", len(a.sink.Mails()), before, len(b.sink.Mails()), lost)
	if lost == 0 {
		t.Error("nothing of the frozen node was refused: it had letters in hand")
	}
	c.account("G8 two nodes, one frozen past its lease", b, mails, 1)
	for _, n := range []*node{a, b} {
		if err := n.Stop(); err != nil {
			t.Errorf("node %s ended with %v", n.name, err)
		}
	}
}

// TestNodeCutOffFromTheDatabase: B13. A node that does not reach the database
// sends nothing after its lease, says that it is not ready, and answers a mail
// server with "later"; when the line heals it goes on, and nothing was doubled.
func TestNodeCutOffFromTheDatabase(t *testing.T) {
	t.Parallel()
	mails := pick(150, 1500)
	const lease = 3 * time.Second
	c := newCluster(t, lease, 3)
	a, b := c.add("a", 50*time.Millisecond), c.add("b", 50*time.Millisecond)
	a.MustStart()
	b.MustStart()
	c.spread(a, b)
	c.deliver(0, mails, a, b)
	c.until("both sent some", time.Minute, func() bool { return len(a.sink.Mails()) > 10 && len(b.sink.Mails()) > 10 })
	a.line.cut()
	cut := time.Now()
	<-time.After(lease) // what is on its way may end
	before := len(a.sink.Mails())
	hand := 2 * c.brands
	c.until("the other took over", lease+time.Minute+time.Duration(mails)*20*time.Millisecond, func() bool { return c.sent() >= 2*mails-hand })
	if !a.notReady("database") {
		t.Error("the node that is cut off says that it is ready")
	}
	late := mails
	if long { // it takes its time: a minute
		var client *smtp.Client
		began := time.Now()
		err := a.bring(&client, late)
		if code := codeOf(errOr(err)); code/100 != 4 {
			t.Errorf("LMTP at the node that is cut off: %v (%d), want 4xx", err, code)
		}
		t.Logf("LMTP at the node that is cut off: %v after %s", err, time.Since(began).Round(time.Second))
		if client != nil {
			_ = client.Close()
		}
	}
	if over := time.Until(cut.Add(pick(2*lease, 10*time.Minute))); over > 0 {
		<-time.After(over)
	}
	if n := len(a.sink.Mails()); n != before {
		t.Errorf("%d letters left the node after its lease", n-before)
	}
	t.Logf("cut off for %s; it sent %d in all, the other %d", time.Since(cut).Round(time.Second), before, len(b.sink.Mails()))
	a.line.heal()
	c.until("ready again", time.Minute, func() bool { return !a.notReady("") && a.holds("brand:") })
	c.deliver(mails, mails+1, a)
	c.settle(b, mails+1, 2*time.Minute)
	c.account("B13 a node cut off from the database", b, mails+1, 1)
}

func errOr(err error) error {
	if err == nil {
		return io.EOF
	}
	return err
}

// notReady asks /readyz, and whether it says no for this reason.
func (n *node) notReady(reason string) bool {
	client := http.Client{Timeout: 15 * time.Second}
	answer, err := client.Get("http://" + n.admin + "/readyz")
	if err != nil {
		return true
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	return answer.StatusCode != http.StatusOK && strings.Contains(string(text), reason)
}

// TestTwoNodesWithClocksApart: G06. One machine's clock is five minutes ahead.
// Both nodes go by the database's: no letter is taken from the other's hands or
// sent twice, and no ticket is opened in the future.
func TestTwoNodesWithClocksApart(t *testing.T) {
	t.Parallel()
	mails := pick(60, 500)
	c := newCluster(t, 3*time.Second, 3)
	a := c.add("a", 300*time.Millisecond)
	b := c.add("b", 300*time.Millisecond, "FRONTDESK_TESTING=1", "FRONTDESK_TEST_SKEW=5m")
	a.MustStart()
	b.MustStart()
	c.spread(a, b)
	c.deliver(0, mails, a, b)
	c.settle(a, mails, time.Minute+time.Duration(mails)*100*time.Millisecond)
	for _, n := range []*node{a, b} {
		if len(n.sink.Mails()) == 0 {
			t.Errorf("node %s sent nothing", n.name)
		}
		if lost := n.metric(`frontdesk_letters_total{outcome="lost"}`) + n.metric(`frontdesk_letters_total{outcome="resent"}`); lost != 0 {
			t.Errorf("node %s: %v letters were taken from it, or sent again", n.name, lost)
		}
	}
	if ahead := b.metric("frontdesk_clock_ahead_seconds"); ahead > -299 || ahead < -301 {
		t.Errorf("the database's clock is ahead of node b's by %v s, want -300", ahead)
	}
	for _, ticket := range a.JSON("tickets", "list", "--limit", "1000") {
		opened, err := time.Parse(time.RFC3339, fmt.Sprint(ticket["opened"]))
		if err != nil || time.Until(opened) > time.Minute {
			t.Fatalf("opened %v: %v", ticket["opened"], err)
		}
	}
	if out, _ := b.Run("doctor"); !strings.Contains(out, "the database's clock is -5m0s ahead of this machine's") {
		t.Errorf("doctor does not tell of the clock:\n%s", out)
	}
	c.account("G06 two nodes, clocks five minutes apart", a, mails, 1)
}

// TestMailboxOfANodeThatIsKilled: one of two nodes reads a mailbox of a real
// Dovecot. When it is killed the other reads on within the lease, and when it is
// stopped, at once; no mail is lost or doubled.
func TestMailboxOfANodeThatIsKilled(t *testing.T) {
	t.Parallel()
	testmail.NeedReal(t, "dovecot")
	const lease = 6 * time.Second
	const mailbox = "mailbox:" + imapBox + "/INBOX"
	c := newCluster(t, lease, 2)
	c.rig = testmail.StartRig(t)
	a, b := c.add("a", 0), c.add("b", 0)
	a.MustStart()
	b.MustStart()
	c.spread(a, b)
	c.until("the guide", 30*time.Second, func() bool { return c.sent() == guide })
	mails := 0
	// send brings some, and says how long the first took to be acknowledged.
	send := func(n int) time.Duration {
		began, had := time.Now(), c.sent()
		for range n {
			from, raw := request(mails, imapBox)
			c.rig.Send(from, []string{imapBox}, raw)
			mails++
		}
		c.until("acknowledged", time.Minute, func() bool { return c.sent() >= had+2 })
		took := time.Since(began)
		c.until("all acknowledged", time.Minute, func() bool { return c.sent() >= had+2*n })
		return took
	}
	send(5)
	reader := func() (holder, other *node) {
		c.until("read by somebody", 30*time.Second, func() bool { return a.holds(mailbox) || b.holds(mailbox) })
		if a.holds(mailbox) {
			return a, b
		}
		return b, a
	}
	holder, other := reader()
	holder.Kill()
	killed := send(5)
	if !other.holds(mailbox) {
		t.Errorf("node %s reads on without the lease", other.name)
	}
	listed := false // as an operator sees it
	for _, l := range other.JSON("nodes") {
		listed = listed || l["lease"] == mailbox && strings.HasPrefix(fmt.Sprint(l["node"]), other.name+":")
	}
	for _, m := range other.JSON("mailbox", "list") {
		listed = listed && (m["address"] != imapBox || strings.HasPrefix(fmt.Sprint(m["node"]), other.name+":"))
	}
	if !listed {
		t.Errorf("nodes: %v, mailboxes: %v, want %s to have %s", other.JSON("nodes"), other.JSON("mailbox", "list"), other.name, mailbox)
	}
	holder.MustStart()
	c.spread(a, b)
	holder, _ = reader()
	if err := holder.Stop(); err != nil {
		t.Errorf("node %s ended with %v", holder.name, err)
	}
	stopped := send(5)
	t.Logf("acknowledged %s after the kill, %s after the stop; the lease is %s", killed.Round(time.Millisecond), stopped.Round(time.Millisecond), lease)
	if killed > lease+15*time.Second {
		t.Errorf("%s until the mailbox of a killed node was read", killed)
	}
	if stopped > lease {
		t.Errorf("%s until the mailbox of a stopped node was read: it had been given back", stopped)
	}
	c.account("G8 reader of a mailbox killed and stopped", a, mails, 2)
	for _, r := range a.JSON("reconcile", "--mailbox", imapBox) {
		if r["server"] != float64(mails) || r["ledger"] != float64(mails) {
			t.Errorf("reconcile: %v, want %d of %d", r, mails, mails)
		}
	}
}

// TestRollingUpgrade: H08. Nodes that start together migrate once. While a node
// of this version works, a newer one migrates: the node goes on, for a migration
// only adds; and nobody of this version starts any more, with a word why.
func TestRollingUpgrade(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 3*time.Second, 3)
	nodes := []*node{c.add("a", 0), c.add("b", 0), c.add("c", 0)}
	var wg sync.WaitGroup
	for _, n := range nodes {
		wg.Go(func() {
			if err := n.Start(); err != nil {
				t.Errorf("node %s on an empty database: %v; its log:\n%s", n.name, err, n.Log(20))
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	c.spread(nodes...)
	c.deliver(0, 10, nodes...)
	a, b := nodes[0], nodes[1]
	if err := nodes[2].Stop(); err != nil {
		t.Error(err)
	}
	db := c.open()
	for _, text := range []string{ // what a later version may do
		`ALTER TABLE letters ADD COLUMN later TEXT NOT NULL DEFAULT ''`,
		`ALTER TABLE leases ADD COLUMN later BIGINT NOT NULL DEFAULT 0`,
		`CREATE TABLE later (id BIGINT PRIMARY KEY)`,
		`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, TRUE)`,
	} {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	c.deliver(10, 30, a, b)
	c.until("letters", time.Minute, func() bool { return c.sent() >= 60+guide })
	if err := nodes[2].Start(); err == nil {
		t.Error("a node starts on a newer schema")
	}
	if log := nodes[2].Log(3); !strings.Contains(log, "written by a newer frontdesk") || strings.Contains(log, "postgres:") {
		t.Errorf("it says: %s", log)
	}
	for _, n := range []*node{a, b} {
		if err := n.Stop(); err != nil {
			t.Errorf("node %s ended with %v", n.name, err)
		}
	}
	if n := len(c.letters()); n != 60+guide {
		t.Errorf("%d letters, want 60 and the guide", n)
	}
}

// BenchmarkNodes is how fast a flood over six brands is accepted, decided and
// answered: the figure of interest is the ratio. Everything is on one machine.
func BenchmarkNodes(b *testing.B) {
	const mails = 1200
	for _, count := range []int{1, 3} {
		b.Run(fmt.Sprintf("nodes=%d", count), func(b *testing.B) {
			var spent time.Duration
			for range b.N {
				c := newCluster(b, 30*time.Second, 6)
				for i := range count {
					c.add(string(rune('a'+i)), 0).MustStart()
				}
				c.spread(c.nodes...)
				began := time.Now()
				c.deliver(0, mails, c.nodes...)
				c.until("answered", 10*time.Minute, func() bool { return c.sent() >= 2*mails })
				spent += time.Since(began)
				for _, n := range c.nodes {
					if err := n.Stop(); err != nil {
						b.Error(err)
					}
				}
			}
			b.ReportMetric(float64(mails*b.N)/spent.Seconds(), "mails/s")
		})
	}
}
