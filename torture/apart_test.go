package torture

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"frontdesk/internal/testdesk"
)

// apart runs a script in namespaces of its own; it skips where that is not
// allowed.
func apart(t *testing.T, flags, script string, args ...string) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root for a namespace of its own")
	}
	if out, err := exec.Command("unshare", flags, "true").CombinedOutput(); err != nil {
		t.Skipf("no namespaces here: %v: %s", err, out)
	}
	out, err := exec.Command("unshare", append([]string{flags, "sh", "-ec", script, "sh"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// TestZonesAreLinkedIn: case G08. On a machine without zoneinfo the
// configuration loads, and a zone that does not exist is a mistake, not UTC.
func TestZonesAreLinkedIn(t *testing.T) {
	t.Parallel()
	b := newBench(t, benchOptions{})
	bin, err := testdesk.Binary()
	if err != nil {
		t.Fatal(err)
	}
	const without = `for d in /usr/share/zoneinfo /usr/lib/zoneinfo /usr/share/lib/zoneinfo "$(go env GOROOT)/lib/time"; do
		if [ -d $d ]; then mount -t tmpfs none $d; fi
	done
	if [ -e /usr/share/zoneinfo/Asia ]; then echo "zones are still there"; exit 1; fi
	"$1" check --config "$2" 2>&1 || true`
	if out := apart(t, "-m", without, bin, b.d.Config()); strings.Contains(out, "timezone") || strings.Contains(out, "time zone") {
		t.Errorf("check without zones: %s", out)
	}
	broken := filepath.Join(b.d.Dir, "broken.yaml")
	text := strings.Replace(b.config(), "Asia/Kathmandu", "Asia/Atlantis", 1)
	if err := os.WriteFile(broken, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := apart(t, "-m", without, bin, broken); !strings.Contains(out, "Asia/Atlantis") {
		t.Errorf("check of a zone that is none: %s", out)
	}
}

// TestRemotePicturesAreNotFetched: case C09. A mail full of addresses is taken
// in, decided and its letter rendered by a process that can reach nothing; no
// call asks for a connection or a name.
func TestRemotePicturesAreNotFetched(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("no strace: make deps")
	}
	b := newBench(t, benchOptions{})
	bin, err := testdesk.Binary()
	if err != nil {
		t.Fatal(err)
	}
	mail := filepath.Join(b.d.Dir, "mail.eml")
	html := `<html><head><link rel=stylesheet href="http://198.51.100.1/a.css"><style>@import url(http://198.51.100.1/b.css);</style></head>
<body background="http://198.51.100.1/c.png"><img src="http://198.51.100.1/d.png"><p>The printer is offline.</p><a href="http://198.51.100.1/">here</a></body></html>`
	raw := fmt.Sprintf("From: maria@keller.test\r\nTo: %s\r\nSubject: offline\r\nMessage-ID: <1@keller.test>\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n%s\r\n", lmtpBox, html)
	if err := os.WriteFile(mail, []byte(raw), 0o600); err != nil {
		t.Fatal(err)
	}
	trace := filepath.Join(b.d.Dir, "trace")
	out := apart(t, "-n", `"$1" --version >/dev/null 2>&1 || true
	strace -f -e trace=connect,sendto,sendmsg -o "$4" "$1" deliver --mailbox `+lmtpBox+` --config "$2" < "$3"
	strace -f -e trace=connect,sendto,sendmsg -A -o "$4" "$1" decide --config "$2"
	"$1" tickets show 1 --config "$2"`, bin, b.d.Config(), mail, trace)
	if !strings.Contains(out, "printer is offline") {
		t.Errorf("the ticket: %s", out)
	}
	calls, err := os.ReadFile(trace)
	if err != nil || len(calls) == 0 {
		t.Fatalf("trace of %d bytes, %v", len(calls), err)
	}
	for _, line := range strings.Split(string(calls), "\n") {
		if strings.Contains(line, "AF_INET") {
			t.Errorf("asks the network: %s", line)
		}
	}
}
