package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"frontdesk/intake"
	"frontdesk/parser"
	"frontdesk/store"
	"frontdesk/tickets"
)

const oldHead = "From: a@b.example\nDate: Mon, 15 Jan 2024 10:00:00 +0000\n"

// Mails of mbox files are what their authors wrote, whatever wrote the file.
func TestMboxForms(t *testing.T) {
	t.Parallel()
	line := "From a@b.example Mon Jan 15 10:00:00 2024\n"
	lf := func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }
	for _, c := range []struct {
		name, file string
		want       []string // with LF
		odd        int
	}{
		{"two, mboxrd", line + oldHead + "\n>From me\n>>From you\n\n" + line + oldHead + "\ntwo\n\n",
			[]string{oldHead + "\nFrom me\n>From you\n", oldHead + "\ntwo\n"}, 0},
		{"a sentence after an empty line", line + oldHead + "\none\n\nFrom here on it is quiet.\n\n",
			[]string{oldHead + "\none\n\nFrom here on it is quiet.\n"}, 0},
		{"mboxcl2: a body with what looks like a mail, unquoted",
			line + oldHead + "Content-Length: 55\n\nsee\n\n" + line + ">From x\n\n" + line + oldHead + "\ntwo\n\n",
			[]string{oldHead + "Content-Length: 55\n\nsee\n\n" + line + ">From x\n", oldHead + "\ntwo\n"}, 0},
		{"a Content-Length that is not so", line + oldHead + "Content-Length: 3\n\none and more\n\n" + line + oldHead + "\ntwo\n",
			[]string{oldHead + "Content-Length: 3\n\none and more\n", oldHead + "\ntwo\n"}, 0},
		{"CRLF, and no end of line at the end", lf(line + oldHead + "\none\n\n" + line + oldHead + "\ntwo"),
			[]string{oldHead + "\none\n", oldHead + "\ntwo"}, 0},
		{"something before the first", "what is this\n\n" + line + oldHead + "\none\n",
			[]string{oldHead + "\none\n"}, 1},
	} {
		for _, packed := range []bool{false, true} {
			name := filepath.Join(t.TempDir(), "old.mbox")
			data := []byte(c.file)
			if packed {
				var b bytes.Buffer
				w := gzip.NewWriter(&b)
				_, _ = w.Write(data)
				_ = w.Close()
				data = b.Bytes()
			}
			if err := os.WriteFile(name, data, 0o600); err != nil {
				t.Fatal(err)
			}
			m, err := openMbox(name)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			odd := 0
			err = m.scan(0, 0, func(s spot) error {
				raw, err := m.load(s)
				got = append(got, strings.ReplaceAll(string(raw), "\r\n", "\n"))
				return err
			}, func(int64, string, ...any) { odd++ })
			_ = m.done()
			if err != nil || !slices.Equal(got, c.want) || odd != c.odd {
				t.Errorf("%s: %q, odd %d, %v; want %q", c.name, got, odd, err, c.want)
			}
		}
	}
}

// When a mail was received: its last server's word, else its author's when the
// file agrees, else the file's.
func TestReceivedAt(t *testing.T) {
	t.Parallel()
	at := func(s string) time.Time {
		when, err := time.Parse("2006-01-02 15:04", s)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	for _, c := range []struct {
		head, file, want string
		odd              bool
	}{
		{"Received: from x by y; Mon, 15 Jan 2024 11:00:00 +0100\nDate: Mon, 15 Jan 2024 09:00:00 +0000\n", "2024-02-20 10:00", "2024-01-15 10:00", false},
		{"Date: Mon, 15 Jan 2024 09:00:00 +0000\n", "2024-01-15 10:00", "2024-01-15 09:00", false},
		{"Date: Mon, 15 Jan 2035 09:00:00 +0000\n", "2024-01-15 10:00", "2024-01-15 10:00", false},
		{"Date: Mon, 15 Jan 2018 09:00:00 +0000\n", "2024-01-15 10:00", "2024-01-15 10:00", false},
		{"Subject: none\n", "1970-01-01 00:00", "2024-01-01 00:00", true},
	} {
		got, odd := receivedAt([]byte(c.head), at(c.file), at("2024-01-01 00:00").Unix())
		if !got.Equal(at(c.want)) || (odd != "") != c.odd {
			t.Errorf("%q in a file of %s: %v, %q; want %s", c.head, c.file, got.UTC(), odd, c.want)
		}
	}
}

// oldMails are conversations, mixed, in order of time: the customer writes, the
// desk answers, the customer writes again.
func oldMails(seed uint64, conversations int) contactList {
	rnd := rand.New(rand.NewPCG(seed, 1))
	var out contactList
	for c := range conversations {
		at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rnd.IntN(300*24)) * time.Hour)
		last := ""
		for m := range 1 + rnd.IntN(5) {
			from, to := fmt.Sprintf("c%d@customer.example", c%17), "support@baleyo.example"
			if m%2 == 1 {
				from, to = to, from
			}
			id := fmt.Sprintf("m%d.%d@x.example", c, m)
			reply := ""
			if last != "" {
				reply = "In-Reply-To: <" + last + ">\r\n"
			}
			raw := fmt.Sprintf("From: %s\r\nTo: %s\r\nSubject: matter %d\r\nMessage-ID: <%s>\r\n%sDate: %s\r\n\r\nmessage %d\r\n", from, to, c, id, reply, at.Format(time.RFC1123Z), m)
			out = append(out, oldContact{where: id, at: at, raw: []byte(raw), past: tickets.Past{Source: "mail"}})
			last, at = id, at.Add(time.Duration(1+rnd.IntN(100))*time.Hour)
		}
	}
	return out.sort()
}

// importRig is a store with what an import needs.
func importRig(t testing.TB, path string) *historyImport {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Database: path, Fast: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	rules := tickets.Rules{Brands: map[string]tickets.Brand{"baleyo": {
		Key: "baleyo", Name: "Baleyo", Mailboxes: []tickets.Mailbox{{Address: "support@baleyo.example"}},
	}}}
	rules.Closing.ReopenWindow = 14 * 24 * time.Hour
	return &historyImport{
		db: db, real: db, rules: rules, to: intake.Address{Brand: "baleyo", Mailbox: "support@baleyo.example", Queue: "support"},
		parser: parser.Options{}, openSince: now().AddDate(100, 0, 0),
	}
}

// grouped says which messages share a ticket, and how each ticket stands.
func grouped(t testing.TB, db *store.DB) []string {
	t.Helper()
	var out []string
	for id := int64(1); ; id++ {
		ticket, err := db.Ticket(t.Context(), id)
		if errors.Is(err, store.ErrNotFound) {
			slices.Sort(out)
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		messages, err := db.Messages(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprintf("%s %s:", ticket.Status, ticket.Closed.Format(time.RFC3339))
		for _, m := range messages {
			line += " " + string(m.Direction) + m.MessageID
		}
		out = append(out, line)
	}
}

// Interrupted anywhere and run again, as often as it takes, an import leaves
// what one run leaves; run once more it adds nothing, and no letter was written.
func TestImportInterruptedAnywhere(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		mails := oldMails(seed, 60+int(seed)*40)
		whole := importRig(t, filepath.Join(t.TempDir(), "whole.db"))
		if err := whole.run(t.Context(), mails, func(int) {}); err != nil {
			t.Fatal(err)
		}
		if c := whole.count; c.Messages != len(mails) || c.Unfinished || c.Failed != 0 {
			t.Fatalf("seed %d: of %d mails: %+v %v", seed, len(mails), c, whole.problems)
		}
		h := importRig(t, filepath.Join(t.TempDir(), "often.db"))
		rnd := rand.New(rand.NewPCG(seed, 2))
		for range 50 {
			ctx, stop := context.WithCancel(t.Context())
			h.count = historyCount{}
			err := h.run(ctx, mails, func(int) {
				if rnd.IntN(2) == 0 {
					stop()
				}
			})
			stop()
			if err != nil {
				t.Fatal(err)
			}
			if !h.count.Unfinished {
				break
			}
		}
		if err := h.run(t.Context(), mails, func(int) {}); err != nil {
			t.Fatal(err)
		}
		h.count = historyCount{}
		if err := h.run(t.Context(), mails, func(int) {}); err != nil || h.count.Known != len(mails) || h.count.Messages != 0 {
			t.Errorf("seed %d: once more: %+v, %v", seed, h.count, err)
		}
		if got, want := grouped(t, h.db), grouped(t, whole.db); !slices.Equal(got, want) {
			t.Errorf("seed %d: interrupted\n%s\nat once\n%s", seed, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		letters, err := h.db.LettersWhere(t.Context(), nil, 0, 10)
		if err != nil || len(letters) != 0 {
			t.Errorf("seed %d: letters %v, %v", seed, letters, err)
		}
	}
}

// A fetch waits as long as the other desk asks for, goes on where it stopped,
// and tells nobody the token.
func TestFetchFromAnotherDesk(t *testing.T) {
	t.Parallel()
	asked := map[string]int{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Authorization") != "Token token=s3cret" {
			t.Errorf("Authorization %q", req.Header.Get("Authorization"))
		}
		asked[req.URL.Path+"?"+req.URL.Query().Get("page")]++
		switch {
		case asked["/api/v1/ticket_articles/by_ticket/2?"] == 1 && strings.HasSuffix(req.URL.Path, "/2"):
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusTooManyRequests)
		case req.URL.Path == "/api/v1/tickets" && req.URL.Query().Get("page") == "1":
			fmt.Fprint(w, `[{"id":1,"number":"11","title":"one","state":"closed","customer":"a@x.example"},{"id":2,"number":"12","title":"two","state":"open","customer":"b@x.example"}]`)
		case req.URL.Path == "/api/v1/tickets":
			fmt.Fprint(w, `[]`)
		default:
			id := req.URL.Path[strings.LastIndex(req.URL.Path, "/")+1:]
			fmt.Fprintf(w, `[{"id":1%s,"ticket_id":%s,"from":"a@x.example","body":"hello","sender":"Customer","created_at":"2024-01-01T10:00:00Z"}]`, id, id)
		}
	}))
	defer srv.Close()
	base, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var waited []time.Duration
	stopped := errors.New("stopped")
	var fail error = stopped
	api := func() *deskAPI {
		return &deskAPI{base: base, dir: dir, header: http.Header{}, token: "s3cret", client: srv.Client(), done: func() {}, wait: func(_ context.Context, d time.Duration) error {
			waited = append(waited, d)
			return fail
		}}
	}
	if err := fetchZammad(t.Context(), api()); !errors.Is(err, stopped) {
		t.Fatalf("%v", err)
	}
	fail = nil
	if err := fetchZammad(t.Context(), api()); err != nil {
		t.Fatal(err)
	}
	if len(waited) != 1 || waited[0] != 7*time.Second {
		t.Errorf("waited %v", waited)
	}
	if n := asked["/api/v1/ticket_articles/by_ticket/1?"]; n != 1 {
		t.Errorf("what was there was fetched %d times", n)
	}
	files, err := jsonFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	h := importRig(t, filepath.Join(t.TempDir(), "desk.db"))
	list := readZammad(files, h)
	if err := h.run(t.Context(), list.sort(), func(int) {}); err != nil || h.count.Messages != 2 || h.count.Tickets != 2 {
		t.Errorf("%+v %v %v", h.count, h.problems, err)
	}
}

// FuzzMbox reads any file without failing, and each byte belongs to one mail at most.
func FuzzMbox(f *testing.F) {
	f.Add([]byte("From a@b.example Mon Jan 15 10:00:00 2024\n" + oldHead + "Content-Length: 5\n\none\n\n"))
	f.Add([]byte("From \n\nFrom x 10:00\n\n>From"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m := &mboxFile{name: "x", r: bytes.NewReader(data), size: int64(len(data))}
		end := int64(0)
		_ = m.scan(0, 0, func(s spot) error {
			if s.off < end || s.size < 0 || s.off+s.size > m.size {
				t.Errorf("a mail at %d, %d bytes, of %d; the one before ended at %d", s.off, s.size, m.size, end)
			}
			end = s.off + s.size
			_, err := m.load(s)
			return err
		}, func(int64, string, ...any) {})
	})
}

// BenchmarkImport measures mails of 4 KB.
func BenchmarkImport(b *testing.B) {
	mails := oldMails(1, 3400)
	filler := bytes.Repeat([]byte("words of a customer who has much to say about it\r\n"), 75)
	for i := range mails {
		mails[i].raw = append(slices.Clip(mails[i].raw), filler...)
		sum := sha256.Sum256(mails[i].raw)
		mails[i].raw = fmt.Appendf(mails[i].raw, "%x\r\n", sum)
	}
	for b.Loop() {
		h := importRig(b, filepath.Join(b.TempDir(), "bench.db"))
		if err := h.run(b.Context(), mails, func(int) {}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(mails)*b.N)/b.Elapsed().Seconds(), "mails/s")
}
