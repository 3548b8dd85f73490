package intake

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"frontdesk/internal/testmail"
	"frontdesk/store"
)

// largeMail is a mail of so many megabytes that do not compress.
func largeMail(n, megabytes int) string {
	r := rand.New(rand.NewPCG(uint64(n), 1))
	var b strings.Builder
	b.WriteString(mailText(n))
	for line := make([]byte, 76); b.Len() < megabytes<<20; {
		for i := range line {
			line[i] = byte('0' + r.IntN(75))
		}
		b.Write(line)
		b.WriteString("\r\n")
	}
	return b.String()
}

// stored is what the ledger has of each mail, large or not.
func (b *bench) stored() (all []string) {
	b.t.Helper()
	rows, err := b.db.ClaimLedger(b.t.Context(), "baleyo", 100, time.Unix(1, 0), time.Unix(1, 0))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, row := range rows {
		if large := row.Size > store.LargeMail; large != (row.Data == nil) {
			b.t.Errorf("row %d of %d bytes came with %d", row.ID, row.Size, len(row.Data))
		}
		raw, err := b.db.Raw(b.t.Context(), row.ID)
		if err != nil {
			b.t.Fatal(err)
		}
		all = append(all, string(raw))
	}
	return all
}

// gone reports that nobody holds room for a large mail.
func gone(t *testing.T, db *store.DB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	free, err := db.Large(ctx, 1<<40) // all there is
	if err != nil {
		t.Fatalf("room for large mails was not given back: %v", err)
	}
	free()
}

// Large mails are taken in byte for byte among small ones, from several
// mailboxes at once that wait for each other's room.
func TestLargeMails(t *testing.T) {
	t.Parallel()
	b := newBench(t, testmail.IMAPOptions{})
	b.opt.MaxSize, b.opt.DB = 50<<20, b.db.DB
	var want []string
	for n, size := range []int{0, 3, 0, 0, 20, 18, 0} {
		mail := mailText(n)
		if size > 0 {
			mail = largeMail(n, size)
		}
		want = append(want, mail)
		b.append(mail)
	}
	b.poll(b.mailbox(), len(want))
	for i, got := range b.stored() {
		if got != want[i] {
			t.Errorf("mail %d: %d bytes stored, %d sent", i, len(got), len(want[i]))
		}
	}
	gone(t, b.db.DB)
}

// A connection that ends within a large literal leaves no row and holds no room;
// the next one brings the mail whole.
func TestLargeMailCutShort(t *testing.T) {
	t.Parallel()
	b := newBench(t, testmail.IMAPOptions{})
	b.opt.MaxSize, b.opt.DB = 50<<20, b.db.DB
	mail := largeMail(1, 3)
	b.append(mail)
	proxy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	var cut atomic.Int64
	cut.Store(2 << 20) // bytes that the first connection carries to us
	go func() {
		for {
			client, err := proxy.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", b.srv.Port()))
			if err != nil {
				_ = client.Close()
				return
			}
			most := cut.Swap(1 << 40)
			go func() { _, _ = io.Copy(server, client); _ = server.Close() }()
			go func() { _, _ = io.Copy(client, io.LimitReader(server, most)); _ = client.Close() }()
		}
	}()
	b.opt.Port = proxy.Addr().(*net.TCPAddr).Port
	m := b.mailbox()
	if _, err := m.Poll(t.Context()); err == nil || !strings.Contains(err.Error(), "connection ended") {
		t.Fatalf("Poll = %v, want a connection that ended", err)
	}
	if b.rows() != 0 {
		t.Fatal("a row of half a mail")
	}
	gone(t, b.db.DB)
	var got int
	for range 20 { // a mail that failed is tried again by itself, after a while
		if got, err = m.Poll(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got == 1 {
			break
		}
	}
	if all := b.stored(); len(all) != 1 || all[0] != mail {
		t.Errorf("%d rows", len(all))
	}
	gone(t, b.db.DB)
}

// A large mail by LMTP: all mailboxes get it, byte for byte below our trace
// field; one that is too large is refused, and nothing is left in hand.
func TestLargeMailByLMTP(t *testing.T) {
	t.Parallel()
	b := newLMTPBenchUpTo(t, 4<<20)
	c := b.dial()
	mail := largeMail(1, 3)
	c.envelope("maria@example.org", "support@baleyo.test", "hilfe@sahara.test")
	c.say(mail + ".\r\n")
	c.want("250 ")
	c.want("250 ")
	rows := b.rows()
	if len(rows) != 2 {
		t.Fatalf("%d rows", len(rows))
	}
	for _, row := range rows {
		raw, err := b.db.Raw(t.Context(), row.ID)
		if err != nil {
			t.Fatal(err)
		}
		if head, ok := strings.CutSuffix(string(raw), mail); !ok || !strings.HasPrefix(head, "Received: ") {
			t.Errorf("%s: %d bytes stored of %d", row.Mailbox, len(raw), len(mail))
		}
	}
	c.envelope("maria@example.org", "support@baleyo.test")
	c.say(largeMail(2, 5) + ".\r\n")
	c.want("552 ")
	if n := len(b.rows()); n != 2 {
		t.Errorf("%d rows after one that is too large", n)
	}
	gone(t, b.db.DB)
}
