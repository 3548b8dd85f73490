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
	"frontdesk/store/storetest"
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

// On PostgreSQL an import leaves what it leaves on SQLite.
func TestImportOnPostgres(t *testing.T) {
	t.Parallel()
	mails := oldMails(7, 40)
	var got [][]string
	for _, database := range []string{filepath.Join(t.TempDir(), "desk.db"), storetest.Postgres(t)} {
		h := importRig(t, database)
		ctx, stop := context.WithCancel(t.Context())
		for h.count.Unfinished = true; h.count.Unfinished; ctx, stop = context.WithCancel(t.Context()) {
			h.count = historyCount{}
			groups := 0
			if err := h.run(ctx, mails, func(int) {
				if groups++; groups == 2 { // of a run, the others begin anew
					stop()
				}
			}); err != nil {
				t.Fatal(err)
			}
			stop()
		}
		stop()
		h.count = historyCount{}
		if err := h.run(t.Context(), mails, func(int) {}); err != nil || h.count.Known != len(mails) {
			t.Errorf("once more: %+v, %v", h.count, err)
		}
		got = append(got, grouped(t, h.db))
	}
	if len(got[0]) == 0 || !slices.Equal(got[0], got[1]) {
		t.Errorf("SQLite\n%s\nPostgreSQL\n%s", strings.Join(got[0], "\n"), strings.Join(got[1], "\n"))
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
		case req.URL.Path == "/api/v1/tags":
			fmt.Fprintf(w, `{"tags":["of-%s-%s"]}`, req.URL.Query().Get("object"), req.URL.Query().Get("o_id"))
		case req.URL.Path == "/api/v1/ticket_attachment/1/11/5":
			fmt.Fprint(w, "no JSON")
		case strings.HasPrefix(req.URL.Path, "/api/v1/ticket_attachment/"):
			w.WriteHeader(http.StatusNotFound)
		default:
			id := req.URL.Path[strings.LastIndex(req.URL.Path, "/")+1:]
			fmt.Fprintf(w, `[{"id":1%s,"ticket_id":%s,"from":"a@x.example","body":"hello","sender":"Customer","created_at":"2024-01-01T10:00:00Z","attachments":[{"id":5,"filename":"a.txt"}]}]`, id, id)
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
	if n := asked["/api/v1/ticket_attachment/1/11/5?"]; n != 1 {
		t.Errorf("an attachment that was there was fetched %d times", n)
	}
	h := importRig(t, filepath.Join(t.TempDir(), "desk.db"))
	h.folder = dir
	list := readZammad(files, h)
	if raw, err := list[0].make(); err != nil || !bytes.Contains(raw, []byte("bm8gSlNPTg==")) || !slices.Equal(list[0].past.Ticket.Tags, []string{"of-Ticket-1"}) {
		t.Errorf("%q %v %v", raw, list[0].past.Ticket, err)
	}
	if raw, err := list[1].make(); err != nil || !bytes.Contains(raw, []byte("[a.txt]")) || len(h.problems) != 1 || h.problems[0].Lost {
		t.Errorf("of one that is not there: %q %v %v", raw, h.problems, err)
	}
	if err := h.run(t.Context(), list.sort(), func(int) {}); err != nil || h.count.Messages != 2 || h.count.Tickets != 2 {
		t.Errorf("%+v %v %v", h.count, h.problems, err)
	}
}

// FreeScout lists active conversations only unless it is asked for others, and
// its token stays on its host, whatever it says of a file's address.
func TestFetchFreeScout(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		t.Errorf("another host was asked for %s with the key %q", req.URL, req.Header.Get("X-FreeScout-API-Key"))
	}))
	defer elsewhere.Close()
	var srv *httptest.Server
	srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		q := req.URL.Query()
		switch {
		case req.URL.Path == "/storage/attachment/7":
			if q.Get("token") != "x" || req.Header.Get("X-FreeScout-API-Key") != "s3cret" {
				t.Errorf("asked for the file with %s", req.URL)
			}
			fmt.Fprint(w, "a file")
		case req.URL.Path == "/storage/moved":
			http.Redirect(w, req, elsewhere.URL, http.StatusFound)
		case q.Get("status") != "active,pending,closed,spam" || q.Get("embed") != "threads,tags" || q.Get("sortOrder") != "asc":
			t.Errorf("asked for the list with %s", req.URL)
		default:
			fmt.Fprintf(w, `{"_embedded":{"conversations":[{"id":%[1]s,"number":%[1]s,"status":"closed","customer":{"email":"a@x.example"},"_embedded":{"tags":[{"id":1,"name":"vip"}],"threads":[
				{"id":1%[1]s,"type":"customer","body":"hello %[1]s","createdBy":{"email":"a@x.example"},"createdAt":"2024-01-01T10:00:00Z","_embedded":{"attachments":[
				{"id":7%[1]s,"fileName":"a.txt","fileUrl":"%[2]s/storage/attachment/7?id=7&token=x","mimeType":"text/plain"},
				{"id":8%[1]s,"fileName":"b.txt","fileUrl":"%[3]s/b.txt","mimeType":"text/plain"}]}}]}}]},"page":{"totalPages":2}}`, q.Get("page"), srv.URL, elsewhere.URL)
		}
	}))
	defer srv.Close()
	base, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	api := &deskAPI{base: base, dir: t.TempDir(), header: http.Header{}, token: "s3cret", client: &http.Client{CheckRedirect: sameHost(base)}, wait: waitFor, done: func() {}}
	if err := fetchFreeScout(t.Context(), api); err != nil {
		t.Fatal(err)
	}
	if _, again, err := api.ask(t.Context(), srv.URL+"/storage/moved", 1); err == nil {
		t.Errorf("it went along to another host, %v", again)
	}
	files, err := jsonFiles(api.dir)
	if err != nil {
		t.Fatal(err)
	}
	h := importRig(t, filepath.Join(t.TempDir(), "desk.db"))
	h.folder = api.dir
	list := readFreeScout(files, h)
	if err := h.run(t.Context(), list.sort(), func(int) {}); err != nil || h.count.Tickets != 2 || len(h.problems) != 2 {
		t.Errorf("%+v %v %v", h.count, h.problems, err)
	}
	if raw, err := list[0].make(); err != nil || !bytes.Contains(raw, []byte("YSBmaWxl")) || !slices.Equal(list[0].past.Ticket.Tags, []string{"vip"}) {
		t.Errorf("%q %v", raw, err)
	}
}

// RT hands out its lists in pages that say whether there is another; what it
// sent itself is not fetched.
func TestFetchRT(t *testing.T) {
	t.Parallel()
	asked := map[string]int{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		page := req.URL.Query().Get("page")
		asked[req.URL.Path+page]++
		if req.Header.Get("Authorization") != "token 1-2-s3cret" || strings.Contains(req.URL.Query().Get("fields"), "Parent") {
			t.Errorf("asked %s with %q", req.URL, req.Header.Get("Authorization"))
		}
		switch req.URL.Path + page {
		case "/rt/REST/2.0/tickets1":
			fmt.Fprint(w, `{"items":[{"id":"1","type":"ticket","Subject":"one","Status":"open","Queue":{"id":"1"},"Owner":{"id":"Nobody"},"Requestor":[{"id":"a@x.example"}],"LastUpdated":"2024-01-02T10:00:00Z"}],"next_page":"x","total":null}`)
		case "/rt/REST/2.0/tickets2":
			fmt.Fprint(w, `{"items":[]}`)
		case "/rt/REST/2.0/ticket/1/history1":
			fmt.Fprint(w, `{"items":[{"id":"10","type":"transaction","Type":"Create","ObjectId":"1","Creator":{"id":"a@x.example"},"Created":"2024-01-01T10:00:00Z"}],"next_page":"x"}`)
		case "/rt/REST/2.0/ticket/1/history2":
			if asked[req.URL.Path+page] == 1 {
				w.Header().Set("Retry-After", "11")
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			fmt.Fprint(w, `{"items":[{"id":"11","type":"transaction","Type":"EmailRecord","ObjectId":"1","Creator":{"id":"RT_System"},"Created":"2024-01-01T10:00:00Z","Data":"<rt-1@desk>"},
				{"id":"12","type":"transaction","Type":"Correspond","ObjectId":"1","Creator":{"id":"old staff"},"Created":"2024-01-01T11:00:00Z"}]}`)
		case "/rt/REST/2.0/user/old staff":
			fmt.Fprint(w, `{"id":7,"Name":"old staff","EmailAddress":"","Privileged":1}`)
		case "/rt/REST/2.0/ticket/1/attachments1":
			fmt.Fprint(w, `{"items":[{"id":"3","type":"attachment","TransactionId":"10","ContentType":"text/plain"},{"id":"4","type":"attachment","TransactionId":"11","ContentType":"text/plain"},{"id":"5","type":"attachment","TransactionId":{"id":"12"},"ContentType":"text/plain"}]}`)
		case "/rt/REST/2.0/attachment/3", "/rt/REST/2.0/attachment/5":
			fmt.Fprint(w, `{"id":3,"Headers":"From: a@x.example","Content":"aGVsbG8=\n"}`)
		default:
			t.Errorf("asked for %s", req.URL)
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer srv.Close()
	base, err := url.Parse(srv.URL + "/rt")
	if err != nil {
		t.Fatal(err)
	}
	var waited []time.Duration
	fail := errors.New("stopped")
	api := func() *deskAPI {
		return &deskAPI{base: base, header: http.Header{}, token: "1-2-s3cret", client: srv.Client(), done: func() {}, wait: func(_ context.Context, d time.Duration) error {
			waited = append(waited, d)
			return fail
		}}
	}
	dir := t.TempDir()
	for range 3 { // stopped, whole, nothing left to do
		a := api()
		a.dir = dir
		if err := fetchRT(t.Context(), a); !errors.Is(err, fail) {
			t.Fatalf("%v", err)
		}
		fail = nil
	}
	if !slices.Equal(waited, []time.Duration{11 * time.Second}) || asked["/rt/REST/2.0/attachment/3"] != 1 || asked["/rt/REST/2.0/ticket/1/history1"] != 1 || asked["/rt/REST/2.0/tickets1"] != 3 {
		t.Errorf("waited %v, asked %v", waited, asked)
	}
	files, err := jsonFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	h := importRig(t, filepath.Join(t.TempDir(), "desk.db"))
	h.folder = dir
	list := readRT(files, h)
	if err := h.run(t.Context(), list.sort(), func(int) {}); err != nil || h.count.Messages != 2 || h.count.Tickets != 1 || len(h.problems) != 0 {
		t.Errorf("%+v %v %v", h.count, h.problems, err)
	}
	if got := grouped(t, h.db); len(got) != 1 || !strings.Contains(got[0], " in out") {
		t.Errorf("%q", got)
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
