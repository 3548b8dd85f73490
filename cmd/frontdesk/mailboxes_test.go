package main

import (
	"log/slog"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"frontdesk/intake"
	"frontdesk/internal/testmail"
	"frontdesk/store/storetest"
)

// reached keeps what mailboxes tell of what they can read.
type reached struct {
	mu   sync.Mutex
	said []bool
	news chan struct{}
}

func (r *reached) tell(_ string, can bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said = append(r.said, can)
	r.news <- struct{}{}
}

func (r *reached) last() (can, told bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.said) == 0 {
		return false, false
	}
	return r.said[len(r.said)-1], true
}

// A folder that cannot be read from here is given away; one that is read
// elsewhere since is knocked at, and asked for again once the door opens.
func TestMailboxThatCannotBeReadIsGivenAway(t *testing.T) {
	t.Parallel()
	const user = "support@one.test"
	imap, err := testmail.NewIMAP(testmail.IMAPOptions{Users: map[string]string{user: "secret"}})
	if err != nil {
		t.Fatal(err)
	}
	defer imap.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	options := func(addr string) intake.MailboxOptions {
		_, port, _ := net.SplitHostPort(addr)
		n, _ := strconv.Atoi(port)
		return intake.MailboxOptions{Brand: "one", Address: user, Folder: "INBOX", Host: "127.0.0.1", Port: n, TLS: "none", Username: user, Password: "secret", DB: storetest.SQLite(t), Log: slog.New(slog.DiscardHandler)}
	}
	r := &reached{news: make(chan struct{}, 10)}
	m := newMailboxes(slog.New(slog.DiscardHandler), func(string) {}, r.tell)
	m.after = time.Millisecond
	const lease = "mailbox:support@one.test/INBOX"
	away, home := options(closed.Addr().String()), options(imap.Addr())
	m.follow(t.Context(), []folder{{lease: lease, mine: true, opt: away}})
	for limit := time.Now().Add(20 * time.Second); ; {
		if can, told := r.last(); told {
			if can {
				t.Fatal("a mailbox whose server is away can be read")
			}
			break
		}
		if time.Now().After(limit) {
			t.Fatal("it is not given away")
		}
		m.judge()
		<-time.After(5 * time.Millisecond)
	}
	m.judge()
	m.follow(t.Context(), []folder{{lease: lease, mine: false, opt: away}}) // another node has it
	m.knock(t.Context())
	if len(r.said) != 1 {
		t.Fatalf("told %v, want once that it cannot be read", r.said)
	}
	m.follow(t.Context(), []folder{{lease: lease, mine: false, opt: home}})
	m.knock(t.Context())
	if can, _ := r.last(); !can || len(r.said) != 2 {
		t.Errorf("told %v: it can be read again", r.said)
	}
	m.follow(t.Context(), []folder{{lease: lease, mine: true, opt: home}})
	first := m.running[lease]
	m.follow(t.Context(), []folder{{lease: lease, mine: true, opt: home}})
	if m.running[lease] != first {
		t.Error("a list with the same settings and lease begins the mailbox anew")
	}
	m.follow(t.Context(), nil)
}
