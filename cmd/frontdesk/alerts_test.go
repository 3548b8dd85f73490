package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"frontdesk/schedules"
	"frontdesk/tickets"
)

// TestDeadMailboxIsTold: of two mailboxes one has a wrong password. The operator
// gets one letter by the other one, and one post to a webhook, that say what to
// do; and one word each when it is read again.
func TestDeadMailboxIsTold(t *testing.T) {
	t.Parallel()
	hook := newHookSink(t)
	o := openOffice(t, "support@one.test", "sales@one.test", "asha@one.test", "bikram@one.test", "chandra@one.test", "ops@else.test")
	yaml := func(user string) string {
		y := oneBrand(o, "One", "one.test", "alerts: {mail_to: [ops@else.test], webhook: \""+hook.url+"\"}\n")
		first, rest, _ := strings.Cut(y, "      - address: support@one.test")
		second := strings.ReplaceAll("      - address: support@one.test"+rest[:strings.Index(rest, "queues:")], "support@one.test", "sales@one.test")
		sick := strings.Replace("      - address: support@one.test"+rest, "username: support@one.test", "username: "+user, 1)
		i := strings.Index(sick, "queues:")
		return strings.ReplaceAll(first+sick[:i]+second+sick[i:], "trusted_authserv_ids", "poll_every: 1s\n        trusted_authserv_ids")
	}
	d := openDeskAt(t, o, yaml("nobody@one.test"))
	// As wired, but for a silence of seconds.
	opt := d.daemon.alertOptions()
	opt.Mailboxes = func() ([]tickets.WatchedMailbox, time.Duration) {
		list := watchedOf(d.daemon.cfg())
		for i := range list {
			list[i].Poll = time.Second
		}
		return list, 5 * time.Second
	}
	a := schedules.NewAlerts(opt)
	told := func() []string { return subjects(t, o, "ops@else.test") }
	wait(t, "the dead mailbox is told of", func() bool { a.Pass(t.Context()); return len(told()) > 0 && hook.n() > 0 })
	for range 5 {
		a.Pass(t.Context())
	}
	if got := told(); len(got) != 1 || !strings.Contains(got[0], "Alert: the desk needs you") {
		t.Errorf("the operator got %q, want one alert", got)
	}
	m := inboxOf(t, o, "ops@else.test")[0]
	if !strings.HasPrefix(m.From.Address, "sales") {
		t.Errorf("it came from %s, want the healthy mailbox", m.From.Address)
	}
	for _, want := range []string{"support@one.test", "log in as nobody@one.test", "password_file", "systemctl reload"} {
		if !strings.Contains(m.Text, want) {
			t.Errorf("the letter does not say %q:\n%s", want, m.Text)
		}
	}
	if got := hook.all(); len(got) != 1 || !strings.Contains(got[0], `"event":"raised","condition":"mailbox support@one.test INBOX"`) {
		t.Errorf("posted %q", got)
	}
	if err := d.reload(yaml("support@one.test")); err != nil {
		t.Fatal(err)
	}
	wait(t, "its recovery is told", func() bool { a.Pass(t.Context()); return len(told()) > 1 && hook.n() > 1 })
	for range 3 {
		a.Pass(t.Context())
	}
	if got := told(); len(got) != 2 || !strings.Contains(strings.Join(got, "\n"), "All well") {
		t.Errorf("the operator got %q", got)
	}
	if got := hook.all(); len(got) != 2 || !strings.Contains(got[1], `"event":"recovered"`) {
		t.Errorf("posted %q", got)
	}
}

// hookSink takes alerts as an operator's webhook does.
type hookSink struct {
	url string
	mu  sync.Mutex
	got []string
}

func newHookSink(t *testing.T) *hookSink {
	h := &hookSink{}
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.got = append(h.got, string(b))
	}))
	t.Cleanup(s.Close)
	h.url = s.URL
	return h
}

func (h *hookSink) all() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string{}, h.got...)
}

func (h *hookSink) n() int { return len(h.all()) }
