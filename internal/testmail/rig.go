package testmail

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/smtp"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

// TB is what the helpers for tests need of *testing.T. The demo links this
// package; it need not link package testing.
type TB interface {
	Helper()
	Cleanup(func())
	Logf(format string, args ...any)
	Skipf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// NeedReal skips the test unless the programs are installed and it runs as
// root, which Postfix insists on. With REQUIRE_REAL=1 in the environment that
// is a failure: a test that shows something on real servers must not pass by
// not running.
func NeedReal(t TB, programs ...string) {
	t.Helper()
	say := t.Skipf
	if os.Getenv("REQUIRE_REAL") == "1" {
		say = t.Fatalf
	}
	for _, p := range programs {
		if _, err := lookPath(p); err != nil {
			say("SKIP real-server: %s not found (make deps)", p)
		}
	}
	if os.Geteuid() != 0 {
		say("SKIP real-server: %s needs root to be started", programs[0])
	}
}

// lookPath finds programs in the folders of the system, too, which are not in
// everybody's PATH.
func lookPath(program string) (string, error) {
	if p, err := exec.LookPath(program); err == nil {
		return p, nil
	}
	for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/local/sbin", "/usr/lib/postfix/sbin"} {
		if p, err := exec.LookPath(filepath.Join(dir, program)); err == nil {
			return p, nil
		}
	}
	return "", fmt.Errorf("%s: %w", program, exec.ErrNotFound)
}

// Rig is a private Dovecot and Postfix in one folder, on loopback. All
// addresses in .test are local; nothing leaves the machine. The password of
// user a@b is pw-a.
//
// Mail to these local parts, of any domain, fails: nouser@ and full@ are
// accepted and bounced with a real DSN (5.1.1, 5.2.2), reject550@ and
// reject451@ are refused at RCPT; so is whoever has no mailbox. user+detail@
// goes to user@.
//
// Who submits with a login gets "Authentication-Results: mail.rig.test;
// dmarc=pass header.from=DOMAIN" above the border, and may use no other
// envelope sender than his own. The smarthost port takes anything from anybody,
// as port 25 does, and vouches for nobody.
type Rig struct {
	t TB
	*rigState
}

// rigState is what all handles on one rig share.
type rigState struct {
	dir    string
	port   int    // first of a block
	tokens *OAuth // nil: passwords only

	mu      sync.Mutex
	users   map[string]string // address → password
	routes  map[string]int    // domain → port of an LMTP server
	filled  int               // calls of Fill
	dovecot *process
	postfix *process
}

// RigUsers are the mailboxes of a rig: two brands, their agents, customers.
var RigUsers = []string{
	"support@baleyo.test", "sales@baleyo.test", "hilfe@sahara.test",
	"asha@baleyo.test", "bikram@baleyo.test", "devi@baleyo.test", "jana@sahara.test",
	"anna@cust.test", "bernd@cust.test", "away@cust.test",
}

// RigHost is the authserv-id of the rig, and its name in Received fields.
const RigHost = "mail.rig.test"

// The ports of a rig, counted from the first.
const (
	portIMAP = iota
	portIMAPS
	portLMTP
	portSASL
	portSMTP
	portSubmission
	portCount
)

// StartRig starts a rig and ends it with the test. It asks NeedReal first.
func StartRig(t TB) *Rig {
	t.Helper()
	return startRig(t, nil)
}

// StartOAuthRig is StartRig for servers that take tokens of a provider, too:
// Dovecot asks its introspection endpoint at each login, by IMAP and, for
// Postfix, by submission. A token needs the scope "mail".
func StartOAuthRig(t TB, tokens *OAuth) *Rig {
	t.Helper()
	return startRig(t, tokens)
}

func startRig(t TB, tokens *OAuth) *Rig {
	t.Helper()
	NeedReal(t, "dovecot", "doveadm", "postfix")
	r := &Rig{t: t, rigState: &rigState{tokens: tokens, users: map[string]string{}, routes: map[string]int{}}}
	for _, u := range RigUsers {
		local, _, _ := strings.Cut(u, "@")
		r.users[u] = "pw-" + local
	}
	dir, err := os.MkdirTemp("", "rig")
	if err != nil {
		t.Fatalf("rig: %v", err)
	}
	r.dir = dir
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := r.up(); err != nil {
		t.Fatalf("rig: %v", err)
	}
	return r
}

// up writes everything and starts both servers.
func (r *Rig) up() error {
	port, release, err := freePorts(portCount)
	if err != nil {
		return err
	}
	r.port = port
	err = errors.Join(r.folders(), r.certificate(), r.write("dovecot/oauth2.conf.ext", dovecotTokensConf),
		r.write("dovecot/dovecot.conf", dovecotConf), r.tables(),
		r.write("postfix/main.cf", postfixMain), r.write("postfix/master.cf", postfixMaster))
	release()
	if err != nil {
		return err
	}
	r.t.Cleanup(func() { r.Stop("postfix"); r.Stop("dovecot") })
	if err := r.start("dovecot"); err != nil {
		return err
	}
	return r.start("postfix")
}

// For returns the same rig for a subtest: what fails, fails that.
func (r *Rig) For(t TB) *Rig { return &Rig{t: t, rigState: r.rigState} }

// IMAPPort speaks plain IMAP with STARTTLS, IMAPSPort TLS from the start.
func (r *Rig) IMAPPort() int { return r.port + portIMAP }

// IMAPSPort is described at IMAPPort.
func (r *Rig) IMAPSPort() int { return r.port + portIMAPS }

// SMTPPort is the port 25 of the rig; SubmissionPort wants STARTTLS and a login.
func (r *Rig) SMTPPort() int { return r.port + portSMTP }

// SubmissionPort is described at SMTPPort.
func (r *Rig) SubmissionPort() int { return r.port + portSubmission }

// CAFile is the root that clients must trust; the certificate is for
// localhost and 127.0.0.1.
func (r *Rig) CAFile() string { return r.path("tls/server.pem") }

// Password of a user.
func (r *Rig) Password(address string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.users[address]
}

func (r *Rig) path(name string) string { return filepath.Join(r.dir, name) }

// freePorts reserves n consecutive ports below the range that the system hands
// out, until release is called.
func freePorts(n int) (first int, release func(), err error) {
	for range 200 {
		first = 20000 + rand.IntN(1200)*10
		var ls []net.Listener
		for i := range n {
			l, listenErr := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(first+i))
			if listenErr != nil {
				break
			}
			ls = append(ls, l)
		}
		release = func() {
			for _, l := range ls {
				_ = l.Close()
			}
		}
		if len(ls) == n {
			return first, release, nil
		}
		release()
	}
	return 0, nil, errors.New("no free ports")
}

const mailUID = 5000 // owns the mail; no account of that number is needed

// folders makes the tree. Daemons run as several users: all may pass through.
func (r *Rig) folders() error {
	if err := os.Chmod(r.dir, 0o755); err != nil {
		return err
	}
	for _, d := range []string{"dovecot", "run", "state", "mail", "sieve", "log", "tls", "postfix", "queue", "data"} {
		if err := os.Mkdir(r.path(d), 0o755); err != nil {
			return err
		}
	}
	u, err := user.Lookup("postfix")
	if err != nil {
		return fmt.Errorf("postfix has no user: %w", err)
	}
	uid, err := strconv.Atoi(u.Uid)
	return errors.Join(err, os.Chown(r.path("data"), uid, -1),
		os.Chown(r.path("mail"), mailUID, mailUID), os.Chown(r.path("sieve"), mailUID, mailUID))
}

func (r *Rig) certificate() error {
	cert, ca, err := Cert("localhost", "127.0.0.1", RigHost)
	if err != nil {
		return err
	}
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(r.path("tls/server.pem"), ca, 0o644),
		os.WriteFile(r.path("tls/server.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600))
}

// write fills in a configuration text.
func (r *Rig) write(name, text string) error {
	mechanisms, passdb, introspect := "", "", ""
	if r.tokens != nil {
		mechanisms, passdb, introspect = " xoauth2 oauthbearer", dovecotTokensPassdb, r.tokens.URL("introspect")
	}
	passdb = strings.ReplaceAll(passdb, "@DIR@", r.dir)
	fill := []string{"@TOKENMECHANISMS@", mechanisms, "@TOKENPASSDB@", passdb, "@INTROSPECT@", introspect, "@DIR@", r.dir, "@HOST@", RigHost, "@UID@", strconv.Itoa(mailUID)}
	for i, p := range []string{"IMAP", "IMAPS", "LMTP", "SASL", "SMTP", "SUBMISSION"} {
		fill = append(fill, "@"+p+"@", strconv.Itoa(r.port+i))
	}
	return os.WriteFile(r.path(name), []byte(strings.NewReplacer(fill...).Replace(text)), 0o644)
}

// tables writes who is there.
func (r *Rig) tables() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var passwd, boxes strings.Builder
	var names []string
	for u := range r.users {
		names = append(names, u)
	}
	sort.Strings(names)
	for _, u := range names {
		fmt.Fprintf(&passwd, "%s:{PLAIN}%s::::::\n", u, r.users[u])
		fmt.Fprintf(&boxes, "%s ok\n", u)
	}
	failing, transport := "/^(nouser|full|reject550|reject451)(\\+[^@]*)?@/ ok\n",
		"/^nouser(\\+[^@]*)?@/ error:5.1.1 user unknown\n/^full(\\+[^@]*)?@/ error:5.2.2 mailbox full\n"
	for domain, port := range r.routes {
		failing += fmt.Sprintf("/@%s$/ ok\n", domain)
		transport += fmt.Sprintf("/@%s$/ handover:inet:127.0.0.1:%d\n", domain, port)
	}
	return errors.Join(
		os.WriteFile(r.path("dovecot/passwd"), []byte(passwd.String()), 0o644),
		os.WriteFile(r.path("postfix/mailboxes"), []byte(boxes.String()), 0o644),
		r.write("postfix/domains", "/\\.test$/ ok\n"),
		r.write("postfix/failing", failing),
		r.write("postfix/aliases", "/^((nouser|full)(\\+[^@]*)?@.*)$/ $1\n"),
		r.write("postfix/transport", transport),
		r.write("postfix/access", "/^reject550(\\+[^@]*)?@/ 550 5.1.1 no such user here\n/^reject451(\\+[^@]*)?@/ 451 4.7.1 greylisted, try again later\n"),
		r.write("postfix/logins", "/^([^+@]*)(\\+[^@]*)?@(.*)$/ $1@$3\n"),
		r.write("postfix/vouch", "/@([^@]*)$/ PREPEND Authentication-Results: "+RigHost+"; dmarc=pass header.from=$1\n"))
}

// Stop ends "dovecot" or "postfix"; Start brings it back with the same mail.
func (r *Rig) Stop(server string) {
	r.t.Helper()
	p := r.server(server)
	if *p == nil {
		return
	}
	if err := (*p).stop(10 * time.Second); err != nil {
		r.t.Logf("rig: stop %s: %v", server, err)
	}
	*p = nil
}

// Start is described at Stop.
func (r *Rig) Start(server string) {
	r.t.Helper()
	if err := r.start(server); err != nil {
		r.t.Fatalf("rig: %v", err)
	}
}

func (r *Rig) server(name string) **process {
	if name == "dovecot" {
		return &r.dovecot
	}
	return &r.postfix
}

// start runs a server in the foreground, as our child, and waits for its ports.
func (r *Rig) start(server string) error {
	program, args, ports := "dovecot", []string{"-F", "-c", r.path("dovecot/dovecot.conf")}, []int{portIMAP, portIMAPS, portLMTP, portSASL}
	if server == "postfix" {
		// "postfix start" would leave us the child of a child. This makes the
		// queue's folders, then we run what it would run.
		if _, err := r.run("postfix", "-c", r.path("postfix"), "check"); err != nil {
			return err
		}
		program, args, ports = "master", []string{"-c", r.path("postfix"), "-s"}, []int{portSMTP, portSubmission}
	}
	p, err := startProcess(r.path("log/"+server+".start"), program, args...)
	if err != nil {
		return err
	}
	*r.server(server) = p
	for _, port := range ports {
		if err := p.waitPort(r.port+port, 20*time.Second); err != nil {
			return fmt.Errorf("start %s: %w\n%s", server, err, r.Log(20))
		}
	}
	return nil
}

// Log returns the last lines of all logs, for the message of a failing test.
func (r *Rig) Log(lines int) string {
	var b strings.Builder
	files, _ := filepath.Glob(r.path("log/*"))
	for _, f := range files {
		text, _ := os.ReadFile(f)
		all := strings.Split(strings.TrimSpace(string(text)), "\n")
		fmt.Fprintf(&b, "== %s\n%s\n", filepath.Base(f), strings.Join(all[max(0, len(all)-lines):], "\n"))
	}
	return b.String()
}

// run runs a short command.
func (r *Rig) run(program string, args ...string) (string, error) {
	path, err := lookPath(program)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", program, strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return string(out), nil
}

func (r *Rig) doveadm(args ...string) string {
	r.t.Helper()
	out, err := r.run("doveadm", append([]string{"-c", r.path("dovecot/dovecot.conf")}, args...)...)
	if err != nil {
		r.t.Fatalf("rig: %v", err)
	}
	return out
}

// AddUser adds a mailbox; it takes mail at once.
func (r *Rig) AddUser(address, password string) {
	r.t.Helper()
	r.mu.Lock()
	r.users[address] = password
	r.mu.Unlock()
	if err := r.reload(); err != nil {
		r.t.Fatalf("rig: add user %s: %v", address, err)
	}
	// Dovecot looks at its users once a second: one that was added within the
	// second of another's login is not known at once.
	var err error
	for limit := time.Now().Add(10 * time.Second); time.Now().Before(limit); <-time.After(50 * time.Millisecond) {
		if _, err = r.run("doveadm", "-c", r.path("dovecot/dovecot.conf"), "auth", "test", address, password); err == nil {
			return
		}
	}
	r.t.Fatalf("rig: %s cannot log in: %v", address, err)
}

// Route makes Postfix deliver all mail for a domain to an LMTP server on a
// port of this machine.
func (r *Rig) Route(domain string, port int) {
	r.t.Helper()
	r.mu.Lock()
	r.routes[domain] = port
	r.mu.Unlock()
	if err := r.reload(); err != nil {
		r.t.Fatalf("rig: route %s: %v", domain, err)
	}
}

func (r *Rig) reload() error {
	if err := r.tables(); err != nil {
		return err
	}
	_, err := r.run("postfix", "-c", r.path("postfix"), "reload")
	return err
}

// SetPassword changes a password, as an operator of the server does.
func (r *Rig) SetPassword(address, password string) {
	r.t.Helper()
	r.mu.Lock()
	r.users[address] = password
	r.mu.Unlock()
	if err := r.tables(); err != nil {
		r.t.Fatalf("rig: set password of %s: %v", address, err)
	}
}

// Flush makes Postfix try at once what it holds back.
func (r *Rig) Flush() {
	r.t.Helper()
	if _, err := r.run("postqueue", "-c", r.path("postfix"), "-f"); err != nil {
		r.t.Fatalf("rig: flush the queue: %v", err)
	}
}

// Kick ends the IMAP connections of a user.
func (r *Rig) Kick(address string) {
	r.t.Helper()
	_, _ = r.run("doveadm", "-c", r.path("dovecot/dovecot.conf"), "kick", address) // fails when there are none
}

// UIDReset gives INBOX a new UIDVALIDITY and its mails new UIDs.
func (r *Rig) UIDReset(address string) {
	r.t.Helper()
	old := r.doveadm("mailbox", "status", "-u", address, "uidvalidity", "INBOX")
	r.Kick(address)
	for _, pattern := range []string{"dovecot-uidvalidity*", "dovecot-uidlist", "dovecot.index*"} {
		files, _ := filepath.Glob(filepath.Join(r.maildir(address), pattern))
		for _, f := range files {
			_ = os.Remove(f)
		}
	}
	_, value, _ := strings.Cut(strings.TrimSpace(old), "uidvalidity=")
	n, err := strconv.Atoi(value)
	if err != nil {
		r.t.Fatalf("rig: uidvalidity of %s: %q", address, old)
	}
	r.doveadm("mailbox", "update", "--uid-validity", strconv.Itoa(n+1), "-u", address, "INBOX")
}

// Vacation switches a real auto-responder on.
func (r *Rig) Vacation(address string) {
	r.t.Helper()
	file := r.path("sieve/" + address + ".sieve")
	script := fmt.Sprintf("require [\"vacation\",\"vacation-seconds\"];\nvacation :seconds 0 :addresses [%q] :subject \"Out of office\" \"I am away until Monday. Your mail was not read.\";\n", address)
	err := os.WriteFile(file, []byte(script), 0o644)
	if err == nil {
		_, err = r.run("sievec", "-c", r.path("dovecot/dovecot.conf"), file)
	}
	if err == nil {
		err = os.Chown(strings.TrimSuffix(file, ".sieve")+".svbin", mailUID, mailUID)
	}
	if err != nil {
		r.t.Fatalf("rig: vacation of %s: %v", address, err)
	}
}

func (r *Rig) maildir(address string) string {
	local, domain, _ := strings.Cut(address, "@")
	return r.path(filepath.Join("mail", domain, local, "Maildir"))
}

// Fill puts mails, with LF, into the inbox of a user, as if they had been
// delivered a second apart, the last one now. It writes the maildir: ten
// thousand mails take a second.
func (r *Rig) Fill(address string, mails [][]byte) {
	r.t.Helper()
	dir := filepath.Join(r.maildir(address), "new")
	r.mu.Lock()
	r.filled++
	fill := r.filled
	r.mu.Unlock()
	began := time.Now().Add(-time.Duration(len(mails)) * time.Second)
	err := os.MkdirAll(dir, 0o755)
	for i, raw := range mails {
		at := began.Add(time.Duration(i) * time.Second)
		name := filepath.Join(dir, fmt.Sprintf("%d.M%06dP%d.rig,S=%d,W=%d", at.Unix(), i, fill, len(raw), len(raw)+bytes.Count(raw, []byte("\n"))))
		if err == nil {
			err = errors.Join(os.WriteFile(name, raw, 0o644), os.Chtimes(name, at, at))
		}
	}
	if err == nil {
		err = filepath.WalkDir(r.path("mail"), func(path string, _ os.DirEntry, err error) error {
			return errors.Join(err, os.Chown(path, mailUID, mailUID))
		})
	}
	if err != nil {
		r.t.Fatalf("rig: fill %s: %v", address, err)
	}
}

// Send hands a mail to the rig's port 25, as a stranger's server does.
func (r *Rig) Send(from string, to []string, raw []byte) {
	r.t.Helper()
	err := smtp.SendMail("127.0.0.1:"+strconv.Itoa(r.SMTPPort()), nil, from, to, raw)
	if err != nil {
		r.t.Fatalf("rig: send from %s to %v: %v\n%s", from, to, err, r.Log(10))
	}
}

// Mails returns what is in the inbox of a user, as delivered, oldest first.
// It reads the maildir: no IMAP connection, no flag changed.
func (r *Rig) Mails(address string) (mails [][]byte) {
	r.t.Helper()
	files, err := filepath.Glob(filepath.Join(r.maildir(address), "[cn]*", "*"))
	if err != nil {
		r.t.Fatalf("rig: %v", err)
	}
	// A maildir name begins with the second and the microsecond of delivery.
	slices.SortFunc(files, func(a, b string) int { return strings.Compare(filepath.Base(a), filepath.Base(b)) })
	for _, f := range files {
		if raw, err := os.ReadFile(f); err == nil { // renamed from new to cur meanwhile: seen next time
			mails = append(mails, raw)
		}
	}
	return mails
}

// Stored returns what is in all folders of a user, in no order.
func (r *Rig) Stored(address string) (mails [][]byte) {
	r.t.Helper()
	var files []string
	for _, pattern := range []string{"[cn]*/*", ".*/[cn]*/*"} {
		more, err := filepath.Glob(filepath.Join(r.maildir(address), pattern))
		if err != nil {
			r.t.Fatalf("rig: %v", err)
		}
		files = append(files, more...)
	}
	for _, f := range files {
		if raw, err := os.ReadFile(f); err == nil { // else it moved on: flags are in names
			mails = append(mails, raw)
		}
	}
	return mails
}

// Flagged counts the mails in the inbox of a user that carry a flag, by its
// letter in the names of a maildir: S is \Seen.
func (r *Rig) Flagged(address, letter string) (n int) {
	r.t.Helper()
	files, err := filepath.Glob(filepath.Join(r.maildir(address), "cur", "*"))
	if err != nil {
		r.t.Fatalf("rig: %v", err)
	}
	for _, f := range files {
		if _, flags, ok := strings.Cut(filepath.Base(f), ":2,"); ok && strings.Contains(flags, letter) {
			n++
		}
	}
	return n
}

// Wait returns the first mail in the inbox of a user that ok accepts, as soon
// as there is one; the test fails after limit.
func (r *Rig) Wait(address string, limit time.Duration, what string, ok func(raw []byte) bool) []byte {
	r.t.Helper()
	deadline := time.Now().Add(limit)
	for {
		for _, raw := range r.Mails(address) {
			if ok(raw) {
				return raw
			}
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("rig: no %s in the inbox of %s within %s; %d mails there, the last:\n%s\n%s", what, address, limit,
				len(r.Mails(address)), last(r.Mails(address)), r.Log(8))
		}
		pause()
	}
}

func last(mails [][]byte) []byte {
	if len(mails) == 0 {
		return nil
	}
	return mails[len(mails)-1]
}

// pause is the step in which files and ports of other programs are looked at:
// they tell nobody when they change.
func pause() { time.Sleep(10 * time.Millisecond) }
