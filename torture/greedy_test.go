package torture

import (
	"bufio"
	"crypto/rand"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// greedy are clients that want too much. Each returns when the server has had
// enough of it, or after 20 seconds.
var greedy = []func(net.Conn){
	func(c net.Conn) { _, _ = io.Copy(io.Discard, c) },
	func(c net.Conn) { // a byte of a header each half second
		drip(c, "GET / HTTP/1.1\r\nHost: desk\r\nX-A: ")
	},
	func(c net.Conn) { // a byte of a form each half second
		drip(c, "POST /t/x HTTP/1.1\r\nHost: desk\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 60000\r\n\r\n")
	},
	func(c net.Conn) { // a body of 100 MB
		fmt.Fprintf(c, "POST /twilio/voice HTTP/1.1\r\nHost: desk\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n", 100<<20)
		flood(c, 100<<20)
	},
	func(c net.Conn) { // a header of 64 KB
		fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: desk\r\nX-A: ")
		flood(c, 64<<10)
		fmt.Fprint(c, "\r\n\r\n")
		_, _ = io.Copy(io.Discard, c)
	},
	func(c net.Conn) { // asks and never reads
		for range 20 {
			if _, err := fmt.Fprint(c, "GET /nothing HTTP/1.1\r\nHost: desk\r\n\r\n"); err != nil {
				return
			}
		}
		time.Sleep(20 * time.Second)
	},
}

func drip(c net.Conn, begin string) {
	fmt.Fprint(c, begin)
	for {
		time.Sleep(500 * time.Millisecond)
		if _, err := c.Write([]byte("a")); err != nil {
			return
		}
	}
}

func flood(c net.Conn, n int) {
	b := []byte(strings.Repeat("a", 16<<10))
	for ; n > 0; n -= len(b) {
		if _, err := c.Write(b); err != nil {
			return
		}
	}
}

// crowd are n greedy clients at work, in a process of its own that gives way to
// the desk and to whoever measures: a flood comes from other machines, and takes
// none of the time of this one's processors.
type crowd struct {
	stop  io.Closer
	cmd   *exec.Cmd
	tried atomic.Int64 // connections
}

// crowdVariable is set in that process: "ADDRESS CLIENTS PAUSE".
const crowdVariable = "FRONTDESK_TORTURE_CROWD"

func TestMain(m *testing.M) {
	if job := os.Getenv(crowdVariable); job != "" {
		beGreedy(job)
		return
	}
	os.Exit(m.Run())
}

// newCrowd starts them. Who lost a connection comes again after a pause.
func newCrowd(t *testing.T, addr string, n int, pause time.Duration) *crowd {
	t.Helper()
	c := &crowd{cmd: exec.Command("nice", "-n", "19", os.Args[0])}
	c.cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %s", crowdVariable, addr, n, pause))
	c.cmd.Stderr = os.Stderr
	in, err := c.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c.stop = in
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			if n, err := strconv.ParseInt(s.Text(), 10, 64); err == nil {
				c.tried.Store(n)
			}
		}
	}()
	return c
}

// end ends them all; so does the end of the test process.
func (c *crowd) end() {
	_ = c.stop.Close()
	_ = c.cmd.Wait()
}

// beGreedy is the crowd's process: each client in its turn another kind, until
// standard input ends. It prints now and then how often they connected.
func beGreedy(job string) {
	var addr, text string
	var n int
	if _, err := fmt.Sscan(job, &addr, &n, &text); err != nil {
		panic(err)
	}
	pause, err := time.ParseDuration(text)
	if err != nil {
		panic(err)
	}
	var tried atomic.Int64
	for i := range n {
		go func() {
			for turn := i; ; turn++ {
				time.Sleep(time.Duration(mathrand.Int64N(int64(pause))))
				conn, err := net.DialTimeout("tcp", addr, 5*time.Second)
				if err != nil {
					continue
				}
				tried.Add(1)
				_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
				greedy[turn%len(greedy)](conn)
				_ = conn.Close()
			}
		}()
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	for {
		time.Sleep(100 * time.Millisecond)
		fmt.Println(tried.Load())
	}
}

// peak is the most memory that the process had so far, in MB.
func peak(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skip("no /proc here")
	}
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if m == nil {
		t.Fatal("no VmHWM in /proc/PID/status")
	}
	kb, _ := strconv.Atoi(string(m[1]))
	return kb >> 10
}

// customerPage brings one request in, answers it, and returns the link of its
// page from the answer.
func customerPage(b *bench) string {
	b.t.Helper()
	b.queue.deliver(b.t.Context(), 1, 2, 1)
	waitUntil(b.t, 20*time.Second, "an acknowledgement", func() bool { return len(b.acknowledged()) == 1 })
	if _, err := b.d.Run("tickets", "reply", "1", "--as", "asha", "It works again.", "--close"); err != nil {
		b.t.Fatal(err)
	}
	link := regexp.MustCompile(`http://[0-9.:]+/t/[a-z0-9-]+`)
	var found []byte
	waitUntil(b.t, 20*time.Second, "a letter with a link", func() bool {
		for _, m := range b.sink.Mails() {
			// A soft line break of quoted-printable may stand within the link.
			if found = link.Find([]byte(strings.ReplaceAll(string(m.Raw), "=\r\n", ""))); found != nil {
				return true
			}
		}
		return false
	})
	return string(found)
}

// TestGreedyHTTPClients: case H03. Clients that open connections and hold them,
// from one address that no limit of sources can tell apart, hinder nobody: a
// customer's page is there within a second all the time, so is the admin
// listener, a mail is taken, and memory stays within bounds.
func TestGreedyHTTPClients(t *testing.T) {
	n, hold, pause := 1500, 5*time.Second, 2*time.Second
	if os.Getenv("TORTURE") != "" {
		n, hold, pause = 10_000, time.Minute, 20*time.Second
	}
	public, admin := freeAddress(t), freeAddress(t)
	b := newBench(t, benchOptions{http: fmt.Sprintf(`{public_url: "http://%s", listen: %q, admin_listen: %q}`, public, public, admin)})
	b.d.MustStart()
	page := customerPage(b)
	before := peak(t, b.d.PID())

	crowd := newCrowd(t, public, n, pause)
	var ended sync.Once
	defer ended.Do(crowd.end)
	waitUntil(t, 3*time.Minute, "all greedy clients", func() bool { return crowd.tried.Load() >= int64(n) })
	var slowest time.Duration
	asked := 0
	for end := time.Now().Add(hold); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		for _, url := range []string{page, "http://" + admin + "/readyz"} {
			took, err := fetch(url)
			if err != nil {
				t.Fatalf("%s after %d requests: %v", url, asked, err)
			}
			slowest, asked = max(slowest, took), asked+1
		}
	}
	b.queue.deliver(t.Context(), 2, 3, 1)
	after := peak(t, b.d.PID())
	ended.Do(crowd.end)
	t.Logf("%d clients, %d connections tried: %d requests of others, the slowest %s; memory at most %d MB, before %d MB",
		n, crowd.tried.Load(), asked, slowest.Round(time.Millisecond), after, before)
	if slowest >= time.Second {
		t.Errorf("somebody waited %s", slowest)
	}
	if after > before+150 {
		t.Errorf("memory rose from %d to %d MB", before, after)
	}
	if asked < 20 {
		t.Errorf("only %d requests were tried", asked)
	}
}

// fetch gets an address on a connection of its own, as a browser: when that is
// closed before an answer came, it tries once more.
func fetch(url string) (time.Duration, error) {
	c := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	began := time.Now()
	r, err := c.Get(url)
	if err != nil {
		r, err = c.Get(url)
	}
	if err != nil {
		return 0, err
	}
	defer r.Body.Close()
	if _, err = io.Copy(io.Discard, r.Body); err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("HTTP %d", r.StatusCode)
	}
	return time.Since(began), err
}

// TestForwardedFieldsOfStrangers: case H04. Who is no trusted proxy gets no
// other limit by X-Forwarded-For, and no field changes where links lead.
func TestForwardedFieldsOfStrangers(t *testing.T) {
	public := freeAddress(t)
	b := newBench(t, benchOptions{http: fmt.Sprintf(`{public_url: "http://%s", listen: %q, admin_listen: "", trusted_proxies: [192.0.2.1], requests_per_minute: 9}`, public, public)})
	b.d.MustStart()
	page := customerPage(b)
	ask := func() (int, string) {
		r, err := http.NewRequest("GET", page, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "evil.example"
		for _, field := range []string{"X-Forwarded-For", "X-Real-Ip", "Forwarded", "X-Forwarded-Host", "X-Forwarded-Proto", "True-Client-Ip"} {
			r.Header.Set(field, map[string]string{
				"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "gopher", "Forwarded": "for=198.51.100.7;host=evil.example;proto=gopher",
			}[field])
			if r.Header.Get(field) == "" {
				r.Header.Set(field, "198.51.100."+strconv.Itoa(int(rand.Text()[0])))
			}
		}
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, _ := io.ReadAll(answer.Body)
		for name, values := range answer.Header {
			body = append(body, fmt.Sprintf("\n%s: %q", name, values)...)
		}
		if answer.StatusCode == http.StatusTooManyRequests && answer.Header.Get("Retry-After") == "" {
			t.Error("429 without Retry-After")
		}
		return answer.StatusCode, string(body)
	}
	for i, want := range []int{200, 200, 200, 429} {
		code, body := ask()
		if code != want {
			t.Errorf("request %d: HTTP %d, want %d", i, code, want)
		}
		if strings.Contains(body, "evil.example") || strings.Contains(body, "gopher") {
			t.Errorf("request %d: what a stranger wrote is in the answer:\n%s", i, body)
		}
	}
}

// A request of 64 KB of headers and a form of 100 MB are refused by name.
func TestOversizedRequests(t *testing.T) {
	public := freeAddress(t)
	b := newBench(t, benchOptions{http: fmt.Sprintf(`{public_url: "http://%s", listen: %q, admin_listen: ""}`, public, public)})
	b.d.MustStart()
	page := strings.TrimPrefix(customerPage(b), "http://"+public)
	for _, c := range []struct {
		name, request, body string
		want                int
	}{
		{"header", "GET " + page + " HTTP/1.1\r\nHost: x\r\nX-A: " + strings.Repeat("a", 64<<10) + "\r\n\r\n", "", 431},
		{"many fields", "GET " + page + " HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X-A: a\r\n", 9000) + "\r\n", "", 431},
		{"form", "POST " + page + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 104857600\r\n\r\n", strings.Repeat("a", 1<<20), 413},
		{"chunked form", "POST " + page + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n", "100000\r\n" + strings.Repeat("a", 1<<20) + "\r\n", 413},
		{"two lengths", "POST " + page + " HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", "abcd", 400},
		{"no host", "GET " + page + " HTTP/1.1\r\n\r\n", "", 400},
	} {
		conn, err := net.Dial("tcp", public)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		go func() { _, _ = io.WriteString(conn, c.request+c.body) }()
		line, err := bufio.NewReader(conn).ReadString('\n')
		_ = conn.Close()
		if !strings.HasPrefix(line, fmt.Sprintf("HTTP/1.1 %d ", c.want)) {
			t.Errorf("%s: got %q, %v; want %d", c.name, line, err, c.want)
		}
	}
}
