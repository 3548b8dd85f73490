package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/semaphore"

	"frontdesk/store"
	"frontdesk/tickets"
)

const asha = "asha@baleyo.example"

// talk stores a ticket with everything that is said on one, and what was sent of
// it to whom.
func (s *site) talk(name string) tickets.Ticket {
	s.t.Helper()
	who := func(kind tickets.AuthorKind, address string) tickets.Author {
		return tickets.Author{Kind: kind, Address: tickets.Address{Address: address}}
	}
	at := func(n int) time.Time { return s.now.Add(time.Duration(n) * time.Minute) }
	tc := tickets.TicketChange{
		Ticket: tickets.Ticket{
			Brand: "baleyo", Mailbox: "support@baleyo.example", Queue: "support", Channel: tickets.ChannelSMS, Status: tickets.StatusOpen,
			Subject: "Printer offline", SubjectCore: "Printer offline", Language: "en", Version: 1, Opened: s.now, Updated: s.now,
			Participants: []tickets.Participant{
				{Address: tickets.Address{Name: "Maria Keller", Address: maria}, Role: tickets.PartyRequester},
				{Address: tickets.Address{Address: tom}, Role: tickets.PartyFollower},
				{Address: tickets.Address{Address: "eve@keller.example"}, Role: tickets.PartyProposed},
			},
		},
		Messages: []tickets.Message{
			{Direction: tickets.DirectionIn, At: at(0), Author: who(tickets.AuthorCustomer, maria), Text: "MARIA <b>asks</b>",
				Attachments: []tickets.Attachment{{Filename: "error.png", ContentType: "image/png", Size: 2048, Part: 0, Ledger: 7}}},
			{Direction: tickets.DirectionOut, At: at(1), Author: who(tickets.AuthorAgent, asha), Text: "ANSWER of " + asha + "\n" + strings.Repeat("long ", 500) + "END",
				Attachments: []tickets.Attachment{
					{Filename: "manual\".html", ContentType: "text/html", Size: 3 << 20, Part: 1, Ledger: 8},
					{Filename: "setup.exe", Refused: "type", Part: 2, Ledger: 8},
				}},
			{Direction: tickets.DirectionNote, At: at(2), Author: who(tickets.AuthorAgent, asha), Text: "NOTE",
				Attachments: []tickets.Attachment{{Filename: "secret.pdf", Part: 0, Ledger: 9}}},
			{Direction: tickets.DirectionHeld, At: at(3), Author: who(tickets.AuthorAgent, asha), Text: "HELD"},
			{Direction: tickets.DirectionIn, At: at(4), Author: who(tickets.AuthorThird, "mallory@elsewhere.example"), Text: "MALLORY"},
			{Direction: tickets.DirectionIn, At: at(5), Author: who(tickets.AuthorCustomer, tom), Text: "TOM"},
			{Direction: tickets.DirectionOut, At: at(6), Author: who(tickets.AuthorAgent, asha), Text: "FOR TOM ALONE"},
			{Direction: tickets.DirectionOut, At: at(7), Author: who(tickets.AuthorAgent, asha), Text: "DROPPED"},
		},
	}
	for i := range tc.Messages {
		tc.Messages[i].Channel, tc.Messages[i].Version = tickets.ChannelSMS, 1
	}
	for n, to := range []struct {
		carry   int
		address string
	}{{2, maria}, {2, tom}, {7, tom}, {8, maria}} {
		tc.Letters = append(tc.Letters, tickets.Letter{Brand: "baleyo", Mailbox: "support@baleyo.example", Kind: tickets.LetterAnswer,
			To: tickets.Address{Address: to.address}, Carry: to.carry, Key: fmt.Sprint(name, n)})
	}
	tc.Letters = append(tc.Letters, tickets.Letter{Brand: "baleyo", Mailbox: "support@baleyo.example", Kind: tickets.LetterMessage, Agent: true,
		To: tickets.Address{Address: asha}, Carry: 3, Key: name + "agent"})
	var saved store.Saved
	err := s.db.Decide(s.t.Context(), "baleyo", func(tx *store.Tx) (err error) {
		saved, err = tx.Save(s.t.Context(), 0, "", "", tickets.Change{Brand: "baleyo", Tickets: []tickets.TicketChange{tc}}, s.now)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.db.SetLetter(s.t.Context(), saved.Letters[3], store.LetterDropped, "test", s.now); err != nil {
		s.t.Fatal(err)
	}
	t, err := s.db.Ticket(s.t.Context(), saved.Tickets[0])
	if err != nil {
		s.t.Fatal(err)
	}
	return t
}

// Each sees what they wrote and what they were sent, and nothing else.
func TestPageShowsWhatThePersonWroteAndWasSent(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	rules := rules
	rules.Agents = map[string]tickets.Agent{asha: {Address: asha}}
	s.handler = s.with(func(o *Options) { o.Rules = func() tickets.Rules { return rules } })
	tk := s.talk("one")
	all := []string{"MARIA", "ANSWER", "NOTE", "HELD", "MALLORY", "TOM", "FOR TOM ALONE", "DROPPED"}
	for n, sees := range map[int][]string{0: {"MARIA", "ANSWER"}, 1: {"ANSWER", "TOM", "FOR TOM ALONE"}, 2: nil} {
		w := s.get("/t/" + token(tk, n))
		wantCode(t, w, 200)
		body := w.Body.String()
		for _, words := range all {
			want := false
			for _, seen := range sees {
				want = want || strings.Contains(seen, words)
			}
			if got := strings.Contains(body, words); got != want {
				t.Errorf("participant %d: %q shown is %v", n, words, got)
			}
		}
		if strings.Contains(body, asha) || strings.Contains(body, "secret.pdf") || strings.Contains(body, "setup.exe") {
			t.Errorf("participant %d sees what is not for them:\n%s", n, body)
		}
	}
	body := s.get("/t/" + token(tk, 0)).Body.String()
	for _, want := range []string{"MARIA &lt;b&gt;asks&lt;/b&gt;", "long END", "ANSWER of support@baleyo.example", "23 November 2026, 09:01", "2 KB", "3 MB", "Baleyo &amp; Söhne</strong>", "You</strong>"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in\n%s", want, body)
		}
	}
	if open, folded, _ := strings.Cut(body, "<details>"); !strings.Contains(open, "ANSWER") || !strings.Contains(folded, "MARIA") {
		t.Error("the newest answer is folded up, or what is older is not")
	}
}

func (s *site) with(edit func(*Options)) http.Handler {
	o := Options{DB: s.db, Rules: func() tickets.Rules { return rules }, Now: func() time.Time { return s.now },
		Brands: func() map[string]Brand {
			return map[string]Brand{"baleyo": {Name: "Baleyo & Söhne", Color: "#b4253c", Language: "en", Location: time.UTC}}
		},
		Open: func(_ context.Context, ledger int64, part int) ([]byte, error) {
			if ledger == 9 {
				return nil, errors.New("asked for a note's file")
			}
			return fmt.Appendf(nil, "<script>%d/%d", ledger, part), nil
		},
	}
	edit(&o)
	return New(o)
}

func TestPageServesFilesToBeSaved(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	s.handler = s.with(func(*Options) {})
	tk := s.talk("one")
	other := s.talk("two")
	all, err := s.db.Messages(t.Context(), tk.ID)
	if err != nil {
		t.Fatal(err)
	}
	path := func(participant, message, file int) string {
		return fmt.Sprintf("/t/%s/files/%d/%d", token(tk, participant), all[message].ID, file)
	}
	w := s.get(path(0, 1, 1))
	wantCode(t, w, 200)
	for name, want := range map[string]string{
		"Content-Type": "application/octet-stream", "Content-Disposition": `attachment; filename="manual\".html"`, "X-Content-Type-Options": "nosniff",
		"Content-Security-Policy": "default-src 'none'; sandbox", "Cache-Control": "no-store",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := w.Body.String(); got != "<script>8/1" {
		t.Errorf("%q", got)
	}
	if w := s.get(path(0, 0, 1)); w.Code != 200 || w.Header().Get("Content-Type") != "image/png" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if !strings.Contains(s.get("/t/"+token(tk, 0)).Body.String(), path(0, 1, 1)) {
		t.Error("the page has no link to the file")
	}
	stranger, err := s.db.Messages(t.Context(), other.ID)
	if err != nil {
		t.Fatal(err)
	}
	for name, at := range map[string]string{
		"refused":           path(0, 1, 2),
		"note":              path(0, 2, 1),
		"not sent to them":  path(1, 0, 1),
		"proposed":          path(2, 1, 1),
		"no such":           path(0, 1, 9),
		"zero":              path(0, 1, 0),
		"another ticket's":  fmt.Sprintf("/t/%s/files/%d/1", token(tk, 0), stranger[1].ID),
		"forged token":      "/t/abcdef/files/1/1",
		"not a number":      "/t/" + token(tk, 0) + "/files/x/y",
		"something more":    path(0, 1, 1) + "/more",
		"number that wraps": "/t/" + token(tk, 0) + "/files/99999999999999999999/1",
	} {
		if w := s.get(at); w.Code != 404 || strings.Contains(w.Body.String(), "<script>") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if w := s.do(httptest.NewRequest("POST", path(0, 1, 1), nil)); w.Code != 405 {
		t.Errorf("POST: %d", w.Code)
	}
	s.wantRows()
}

// Who saves a file slowly holds its memory: others who want files wait for it,
// bounded, and those who want pages do not.
func TestFilesInMemoryAreBounded(t *testing.T) {
	t.Parallel()
	s := openSite(t)
	open, release := make(chan bool, 10), make(chan bool)
	s.handler = s.with(func(o *Options) {
		o.Open = func(context.Context, int64, int) ([]byte, error) {
			open <- true
			<-release
			return []byte("file"), nil
		}
	})
	tk := s.talk("one")
	page := s.get("/t/" + token(tk, 0)).Body.String()
	_, link, _ := strings.Cut(page, `href="`)
	for !strings.Contains(strings.SplitN(link, `"`, 2)[0], "/files/") {
		_, link, _ = strings.Cut(link, `href="`)
	}
	link, _, _ = strings.Cut(link, `"`)
	p := &pages{files: semaphore.NewWeighted(filesRoom)}
	free, err := p.room(t.Context(), filesRoom)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.room(ctx, 1); err == nil {
		t.Error("room for a file while another takes all of it")
	}
	free()
	if free, err = p.room(t.Context(), 1<<40); err != nil {
		t.Errorf("a file larger than all room: %v", err)
	} else {
		free()
	}
	done := make(chan int)
	go func() { done <- s.get(link).Code }()
	<-open
	wantCode(t, s.get("/t/"+token(tk, 0)), 200) // a page while a file is fetched
	close(release)
	if code := <-done; code != http.StatusOK {
		t.Errorf("file: %d", code)
	}
}
