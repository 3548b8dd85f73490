package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"frontdesk/internal/testmail"
)

// These are the figures that an operator asks for, measured on the binary that
// is installed, in a process of its own: make bench BENCH=Figure. Nothing but
// TestFiguresKeepTheirLimits fails over a figure.

// installed builds the binary as make build does.
func installed(tb testing.TB) string {
	tb.Helper()
	bin := filepath.Join(tb.TempDir(), "frontdesk")
	build := exec.CommandContext(tb.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", bin, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		tb.Fatalf("build: %v\n%s", err, out)
	}
	return bin
}

func megabytes(n int64) float64      { return float64(n) / (1 << 20) }
func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func binaryMB(tb testing.TB) float64 {
	tb.Helper()
	info, err := os.Stat(installed(tb))
	if err != nil {
		tb.Fatal(err)
	}
	return megabytes(info.Size())
}

// service is an installed desk of two brands with a mailbox each.
type service struct {
	tb       testing.TB
	bin, dir string
	manager  *net.UnixConn // stands for systemd
	office   *testmail.Office
	cmd      *exec.Cmd
}

// openService makes one that runs the binary bin.
func openService(tb testing.TB, bin string) *service { return openServiceOf(tb, bin, 2, "") }

// openServiceOf is one with so many mailboxes, two or more, and more
// configuration.
func openServiceOf(tb testing.TB, bin string, mailboxes int, more string) *service {
	tb.Helper()
	users := map[string]string{}
	for _, u := range []string{"support@one.test", "hilfe@two.test", "asha@one.test", "bikram@one.test", "chandra@one.test"} {
		users[u] = demoPassword
	}
	for n := range customers {
		users[customer(n)] = demoPassword
	}
	for n := 2; n < mailboxes; n++ {
		users[fmt.Sprintf("box%d@two.test", n)] = demoPassword
	}
	o, err := testmail.NewOffice("mx.office.test", users)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = o.Close() })
	dir, err := os.MkdirTemp("", "frontdesk") // short: the path of a socket has a limit
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	second := fmt.Sprintf(`  two:
    name: Two
    language: de
    mailboxes:
      - address: hilfe@two.test
        imap: {host: 127.0.0.1, port: %d, tls: none, username: hilfe@two.test, password_file: password}
        smtp: {host: 127.0.0.1, port: %d, tls: none, username: hilfe@two.test, password_file: password}
`, o.IMAP.Port(), o.SMTP.Port())
	for n := 2; n < mailboxes; n++ {
		second += fmt.Sprintf(`      - address: box%[1]d@two.test
        imap: {host: 127.0.0.1, port: %[2]d, tls: none, username: box%[1]d@two.test, password_file: password}
        smtp: {host: 127.0.0.1, port: %[3]d, tls: none, username: box%[1]d@two.test, password_file: password}
`, n, o.IMAP.Port(), o.SMTP.Port())
	}
	second += "queues:\n"
	for name, text := range map[string]string{
		"frontdesk.yaml": strings.Replace(oneBrand(o, "One", "one.test", more), "queues:\n", second, 1),
		"secret":         "a secret of figures, long enough for a key", "password": demoPassword,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	s := &service{tb: tb, bin: bin, dir: dir, office: o}
	if s.manager, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"}); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.manager.Close() })
	return s
}

// start runs the daemon and returns how long it took to say READY.
func (s *service) start() time.Duration {
	s.tb.Helper()
	s.cmd = exec.Command(s.bin, "run", "--config", filepath.Join(s.dir, "frontdesk.yaml"))
	s.cmd.Env = append(os.Environ(), "NOTIFY_SOCKET="+filepath.Join(s.dir, "notify"))
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		s.tb.Fatal(err)
	}
	s.tb.Cleanup(func() { _ = s.cmd.Process.Kill() })
	s.told("READY=1")
	return time.Since(began)
}

// told waits until the daemon has said what to its manager.
func (s *service) told(what string) {
	s.tb.Helper()
	if err := s.manager.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		s.tb.Fatal(err)
	}
	for buffer := make([]byte, 4096); ; {
		n, err := s.manager.Read(buffer)
		if err != nil {
			s.tb.Fatalf("the daemon does not say %s: %v", what, err)
		}
		if strings.HasPrefix(string(buffer[:n]), what) {
			return
		}
	}
}

func (s *service) stop() {
	s.tb.Helper()
	if err := errors.Join(s.cmd.Process.Signal(syscall.SIGTERM), s.cmd.Wait()); err != nil {
		s.tb.Fatal(err)
	}
}

// residentMB is the resident memory of the daemon after it has been left alone
// for ten seconds: it gives back what the start took after three or six.
func (s *service) residentMB() float64 {
	s.tb.Helper()
	<-time.After(10 * time.Second)
	return s.memoryMB("VmRSS:")
}

// peak forgets the highest resident memory so far; peakMB is that since then.
func (s *service) peak() {
	s.tb.Helper()
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", s.cmd.Process.Pid), []byte("5"), 0); err != nil {
		s.tb.Skipf("the peak of memory is reset in /proc, which Linux has: %v", err)
	}
}

func (s *service) peakMB() float64 { s.tb.Helper(); return s.memoryMB("VmHWM:") }

// memoryMB is a line of proc_pid_status(5).
func (s *service) memoryMB(line string) float64 {
	s.tb.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		s.tb.Skipf("memory is read from /proc, which Linux has: %v", err)
	}
	_, rest, _ := strings.Cut(string(status), line)
	var kilobytes int64
	if _, err := fmt.Sscan(rest, &kilobytes); err != nil {
		s.tb.Fatal(err)
	}
	return megabytes(kilobytes << 10)
}

// customers that the provider knows; each has a few acknowledgements an hour.
const customers = 400

func customer(n int) string { return fmt.Sprintf("maria@c%d.test", n%customers) }

// acknowledged lets the n-th mail arrive and returns how long it took from
// EXISTS until the provider had the acknowledgement.
func (s *service) acknowledged(n int) time.Duration {
	s.tb.Helper()
	return s.acknowledgedWith(n, "Content-Type: text/plain; charset=utf-8\r\n\r\n"+strings.Repeat("It has been offline since this morning, and we cannot print.\r\n", 40))
}

// withFile is the end of a mail with a file of so many megabytes that do not
// compress.
func withFile(n, megabytes int) string {
	file := make([]byte, megabytes<<20)
	rand.NewChaCha8([32]byte{byte(n)}).Read(file)
	var b strings.Builder
	b.WriteString("Content-Type: multipart/mixed; boundary=file\r\n\r\n--file\r\nContent-Type: text/plain\r\n\r\nThe log is attached.\r\n--file\r\n" +
		"Content-Type: application/zip\r\nContent-Disposition: attachment; filename=log.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n")
	for line := range slices.Chunk(file, 57) {
		b.WriteString(base64.StdEncoding.EncodeToString(line) + "\r\n")
	}
	return b.String() + "--file--\r\n"
}

// mail is the n-th mail, which ends with end.
func (s *service) mail(n int, end string) string {
	customer := customer(n)
	_, domain, _ := strings.Cut(customer, "@")
	return strings.Join([]string{
		"Return-Path: <" + customer + ">",
		"Authentication-Results: mx.office.test; dmarc=pass header.from=" + domain,
		"Received: from localhost by mx.office.test with ESMTP; " + time.Now().Format(time.RFC1123Z),
		"From: Maria Lopez <" + customer + ">", "To: support@one.test", fmt.Sprintf("Subject: Printer %d is offline", n),
		fmt.Sprintf("Message-ID: <%d@%s>", n, domain), "Date: " + time.Now().Format(time.RFC1123Z), "MIME-Version: 1.0", end,
	}, "\r\n")
}

// acknowledgedWith is acknowledged for a mail that ends with end.
func (s *service) acknowledgedWith(n int, end string) time.Duration {
	s.tb.Helper()
	customer, raw := customer(n), s.mail(n, end)
	seen := len(s.office.SMTP.Mails())
	began := time.Now()
	if _, err := s.office.IMAP.Append("support@one.test", "INBOX", []byte(raw)); err != nil { // the server says EXISTS within it
		s.tb.Fatal(err)
	}
	for more := 1; ; more++ {
		mails, err := s.office.SMTP.Wait(seen+more, time.Minute)
		if err != nil {
			s.tb.Fatalf("no acknowledgement of mail %d: %v", n, err)
		}
		if i := slices.IndexFunc(mails[seen:], func(m testmail.Accepted) bool { return slices.Contains(m.To, customer) }); i >= 0 {
			return mails[seen+i].At.Sub(began)
		}
	}
}

// BenchmarkFigureBinary is the size of what is installed.
func BenchmarkFigureBinary(b *testing.B) {
	for b.Loop() {
		b.ReportMetric(binaryMB(b), "MB")
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkFigureReady is the time from the start to READY, on a database that
// exists.
func BenchmarkFigureReady(b *testing.B) {
	s := openService(b, installed(b))
	s.start()
	s.stop()
	var took []time.Duration
	for b.Loop() {
		took = append(took, s.start())
		s.stop()
	}
	slices.Sort(took)
	b.ReportMetric(millis(took[len(took)/2]), "p50-ms")
	b.ReportMetric(millis(took[len(took)-1]), "max-ms")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkFigureMemory is the resident memory of an idle desk with two mailboxes.
func BenchmarkFigureMemory(b *testing.B) {
	s := openService(b, installed(b))
	s.start()
	defer s.stop()
	for b.Loop() {
		b.ReportMetric(s.residentMB(), "RSS-MB")
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkFigureAcknowledgement is the time that one mail takes on an idle desk,
// from EXISTS until the provider has accepted the acknowledgement, over 100 mails.
func BenchmarkFigureAcknowledgement(b *testing.B) {
	s := openService(b, installed(b))
	s.start()
	defer s.stop()
	s.acknowledged(0) // after the start
	var took []time.Duration
	for b.Loop() {
		for range 100 {
			<-time.After(50 * time.Millisecond) // its letters to agents have left, it waits again
			took = append(took, s.acknowledged(len(took)+1))
		}
	}
	slices.Sort(took)
	b.ReportMetric(millis(took[len(took)/2]), "p50-ms")
	b.ReportMetric(millis(took[len(took)*99/100]), "p99-ms")
	b.ReportMetric(0, "ns/op")
}

// TestFiguresKeepTheirLimits: small enough to run beside a mail server on the
// smallest machine that is rented out.
func TestFiguresKeepTheirLimits(t *testing.T) {
	if os.Getenv("TORTURE") != "1" {
		t.Skip("SKIP torture: it measures, which wants a quiet machine: make torture RUN=Figures")
	}
	if size := binaryMB(t); size >= 40 {
		t.Errorf("the binary has %.1f MB, the limit is 40", size)
	}
	s := openService(t, installed(t))
	s.start()
	s.stop()
	if took := s.start(); took >= time.Second {
		t.Errorf("READY after %v, the limit is 1 s", took)
	}
	if resident := s.residentMB(); resident >= 40 {
		t.Errorf("an idle desk with two mailboxes has %.1f MB, the limit is 40", resident)
	}
	s.stop()
}

// TestFiguresOfManyMailboxes: a hundred mailboxes on one small machine.
func TestFiguresOfManyMailboxes(t *testing.T) {
	if os.Getenv("TORTURE") != "1" {
		t.Skip("SKIP torture: it measures, which wants a quiet machine: make torture RUN=Figures")
	}
	s := openServiceOf(t, installed(t), 100, "")
	s.start()
	<-time.After(10 * time.Second) // all are connected
	resident := s.residentMB()
	t.Logf("100 mailboxes: %.1f MB resident", resident)
	if resident >= 120 {
		t.Errorf("an idle desk with 100 mailboxes has %.1f MB, the limit is 120", resident)
	}
	s.stop()
}

// TestFiguresOfLargeMails: a large mail takes little memory, however it comes
// and wherever its file goes.
func TestFiguresOfLargeMails(t *testing.T) {
	if os.Getenv("TORTURE") != "1" {
		t.Skip("SKIP torture: it measures, which wants a quiet machine: make torture RUN=Figures")
	}
	s := openServiceOf(t, installed(t), 2, fmt.Sprintf("lmtp: {listen: %q}\n", freePort(t)))
	s.start()
	idle := s.residentMB()
	above := func(what string, limit float64) {
		t.Helper()
		more := s.peakMB() - idle
		t.Logf("%s: %.0f MB above %.0f", what, more, idle)
		if more > limit {
			t.Errorf("%s: %.0f MB above %.0f idle, the limit is %.0f", what, more, idle, limit)
		}
		<-time.After(5 * time.Second) // its letters to agents have left
		s.peak()
	}
	s.peak()
	s.acknowledgedWith(1, withFile(1, 18))
	relayed := s.large("asha@one.test", 0)
	above("a mail of 25 MB by IMAP, its file to two agents", 64)

	from, err := mail.ParseAddress(headerOf(relayed.Raw, "From"))
	if err != nil {
		t.Fatal(err)
	}
	seen := len(s.office.SMTP.Mails())
	answer := strings.Join([]string{"Return-Path: <asha@one.test>", "Authentication-Results: mx.office.test; dmarc=pass header.from=one.test",
		"Received: from localhost by mx.office.test with ESMTP; " + time.Now().Format(time.RFC1123Z), "From: Asha <asha@one.test>", "To: " + from.Address,
		"Subject: Re: Printer", "In-Reply-To: " + headerOf(relayed.Raw, "Message-ID"), "Message-ID: <answer@one.test>", "Date: " + time.Now().Format(time.RFC1123Z), "MIME-Version: 1.0", withFile(2, 18)}, "\r\n")
	if _, err := s.office.IMAP.Append("support@one.test", "INBOX", []byte(answer)); err != nil {
		t.Fatal(err)
	}
	s.large(customer(1), seen)
	above("an agent's answer with a file of 18 MB, to the customer", 64)

	s.byLMTP(s.mail(3, withFile(3, 18)))
	s.large("asha@one.test", seen)
	above("a mail of 25 MB by LMTP, its file to two agents", 64)

	s.stop()
}

// headerOf is a field of a letter of ours, unfolded.
func headerOf(raw []byte, name string) string {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return ""
	}
	return m.Header.Get(name)
}

// large waits for a letter of more than 20 MB to an address, among those after
// the first seen.
func (s *service) large(to string, seen int) testmail.Accepted {
	s.tb.Helper()
	for n := seen + 1; ; n++ {
		mails, err := s.office.SMTP.Wait(n, time.Minute)
		if err != nil {
			s.tb.Fatalf("no letter with a file to %s: %v", to, err)
		}
		for _, m := range mails[seen:] {
			if slices.Contains(m.To, to) && len(m.Raw) > 20<<20 {
				return m
			}
		}
	}
}

// byLMTP hands a mail over.
func (s *service) byLMTP(raw string) {
	s.tb.Helper()
	yaml, err := os.ReadFile(filepath.Join(s.dir, "frontdesk.yaml"))
	if err != nil {
		s.tb.Fatal(err)
	}
	_, listen, _ := strings.Cut(string(yaml), "lmtp: {listen: ")
	listen, _, _ = strings.Cut(strings.Trim(listen, `"`), `"`)
	conn, err := net.Dial("tcp", listen)
	if err != nil {
		s.tb.Fatal(err)
	}
	c := smtp.NewClientLMTP(conn)
	defer c.Close()
	if err := c.SendMail("maria@c3.test", []string{"support@one.test"}, strings.NewReader(raw)); err != nil {
		s.tb.Fatal(err)
	}
}
