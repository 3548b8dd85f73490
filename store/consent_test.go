package store_test

import (
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

const (
	line     = "tel:+4930900"
	waLine   = "whatsapp:+4930900"
	number   = "+4915111"
	caller   = "tel:" + number
	waCaller = "whatsapp:" + number
)

// text is the decision on a first SMS, or on a first WhatsApp message.
func text(from, to, key string) tickets.Change {
	c := newTicket(from, "text", key)
	tk, m := &c.Tickets[0].Ticket, &c.Tickets[0].Messages[0]
	tk.Line, tk.Channel = to, tickets.ChannelOf(from)
	m.Channel, m.MessageID = tk.Channel, ""
	l := &c.Tickets[0].Letters[0]
	l.Mailbox = ""
	return c
}

func TestStopAndStart(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		sms := save(t, db, 0, text(caller, line, "1")).Tickets[0]
		whatsApp := save(t, db, 0, text(waCaller, waLine, "2")).Tickets[0]
		unlined := save(t, db, 0, text(caller, "", "3")).Tickets[0]
		check := func(what string, wantSMS, wantWhatsApp, wantUnlined []string) {
			t.Helper()
			for id, want := range map[int64][]string{sms: wantSMS, whatsApp: wantWhatsApp, unlined: wantUnlined} {
				diff(t, what, must(db.Ticket(t.Context(), id))(t).Stopped, want)
			}
			for to, want := range map[string]bool{line: wantSMS != nil, waLine: wantWhatsApp != nil} {
				if got := find(t, db, tickets.Keys{Number: number, Line: to}).Stopped; got != want {
					t.Errorf("%s: stopped on %s: %v, want %v", what, to, got, want)
				}
				from := caller
				if to == waLine {
					from = waCaller
				}
				if got := must(db.Stopped(t.Context(), from, to))(t); got != want {
					t.Errorf("%s: the sender finds %s stopped on %s: %v, want %v", what, from, to, got, want)
				}
			}
		}
		check("before", nil, nil, nil)
		stop := tickets.LineConsent{Number: caller, Line: line}
		save(t, db, 0, tickets.Change{Brand: "acme", Stop: []tickets.LineConsent{stop, stop, {}}})
		check("stop", []string{caller}, nil, []string{caller})
		// Another number, another line and another way are not meant.
		save(t, db, 0, tickets.Change{Brand: "acme", Start: []tickets.LineConsent{{Number: caller, Line: waLine}, {Number: waCaller, Line: line}}})
		check("another start", []string{caller}, nil, []string{caller})
		save(t, db, 0, tickets.Change{Brand: "acme", Stop: []tickets.LineConsent{{Number: waCaller, Line: waLine}}, Start: []tickets.LineConsent{stop}})
		check("start", nil, []string{waCaller}, nil)
	})
}

// A letter that the desk keeps until the customer writes leaves then; one that
// an operator holds or that is in doubt stays.
func TestHeldLettersLeaveWhenLetGo(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		ctx := t.Context()
		c := text(waCaller, waLine, "1")
		answer := func(to, key, held string) tickets.Letter {
			return tickets.Letter{Kind: tickets.LetterAnswer, To: tickets.Address{Address: to}, Key: key, Held: held}
		}
		c.Tickets[0].Letters = []tickets.Letter{
			answer(waCaller, "window", "window"), answer(waCaller, "operator", ""), answer(waCaller, "doubt", ""),
			answer(waCaller, "sender", ""), answer(caller, "other", "window"),
		}
		saved := save(t, db, 0, c)
		l, info, _, err := db.LetterByID(ctx, saved.Letters[0])
		if err != nil || l.Held != "window" || info.State != store.LetterHeld || info.Code != "window" || l.Mailbox != waLine {
			t.Fatalf("held letter: %+v, %+v, %v", l, info, err)
		}
		if l.Person == 0 || l.Person != must(db.Ticket(ctx, saved.Tickets[0]))(t).Requester {
			t.Errorf("the letter is to person %d, want the requester", l.Person)
		}
		out := claimLetters(t, db, noon)
		if len(out) != 3 {
			t.Fatalf("claimed %d letters, want 3 that are not held", len(out))
		}
		if err := db.SetLetter(ctx, saved.Letters[1], store.LetterHeld, "boss", noon); err != nil {
			t.Fatal(err)
		}
		mark(t, db, store.Result{ID: out[1].Letter.ID, Epoch: out[1].Epoch, State: store.LetterHeld, Detail: "in doubt"},
			store.Result{ID: out[2].Letter.ID, Epoch: out[2].Epoch, State: store.LetterHeld, Code: "63016", Detail: "outside the window"})

		ticket := saved.Tickets[0]
		save(t, db, 0, tickets.Change{Brand: "acme", Unhold: []tickets.HeldLetters{{Ticket: ticket + 1, To: waCaller}, {Ticket: ticket, To: "WhatsApp:" + number}}})
		var got []string
		for _, o := range claimLetters(t, db, noon) {
			got = append(got, o.Letter.Key)
			if o.Letter.Held != "" {
				t.Errorf("letter %q leaves and is held for %q", o.Letter.Key, o.Letter.Held)
			}
		}
		diff(t, "let go", got, []string{"window", "sender"})
		diff(t, "tally", must(db.OutboxTally(ctx))(t), map[string]int{store.LetterQueued: 2, store.LetterHeld: 3})
	})
}

func TestCancel(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		c := newTicket("anna@customer.example", "server down", "a@x")
		c.Tickets[0].Letters = []tickets.Letter{ring(1, "waits"), ring(1, "inhand"), ring(1, "dialled"), ring(1, "rang"), ring(1, "kept")}
		c.Tickets[0].Letters[4].Held = "window"
		saved := save(t, db, 0, c)
		ids := saved.Letters
		out := claimLetters(t, db, noon)
		mark(t, db, store.Result{ID: ids[0], Epoch: out[0].Epoch, State: store.LetterQueued, Next: noon.Add(time.Hour)})
		if err := db.MarkDot(t.Context(), ids[2], out[2].Epoch, nil, noon); err != nil {
			t.Fatal(err)
		}
		mark(t, db, store.Result{ID: ids[3], Epoch: out[3].Epoch, State: store.LetterSent, MessageID: "CA7"})
		save(t, db, 0, tickets.Change{Brand: "acme", Cancel: ids})
		want := []string{store.LetterDropped, store.LetterDropped, store.LetterDot, store.LetterSent, store.LetterDropped}
		for i, id := range ids {
			if _, info, _, err := db.LetterByID(t.Context(), id); err != nil || info.State != want[i] {
				t.Errorf("letter %d: %q, %v, want %q", i, info.State, err, want[i])
			}
		}
		if err := db.MarkDot(t.Context(), ids[1], out[1].Epoch, nil, noon); err == nil {
			t.Error("a cancelled call is placed")
		}
	})
}

// Reports on texts come in any order and more than once; the furthest counts.
func TestLaterReportCounts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		reports       []string
		state, report string // of the letter, from its last event
	}{
		{[]string{"delivered"}, store.LetterSent, "delivered"},
		{[]string{"bounced"}, store.LetterBounced, "bounced"},
		{[]string{"bounced", "delivered"}, store.LetterSent, "delivered"},
		{[]string{"delivered", "bounced"}, store.LetterSent, "delivered"},
		{[]string{"read", "delivered", "bounced", "delayed"}, store.LetterSent, "read"},
		{[]string{"delayed", "read"}, store.LetterSent, "read"},
		{[]string{"bounced", "delayed", "complained"}, store.LetterBounced, "bounced"},
		{[]string{"complained", "delayed"}, store.LetterSent, "delayed"},
	} {
		storetest.Each(t, func(t *testing.T, open func() *store.DB) {
			db := open()
			saved := save(t, db, 0, text(caller, line, "1"))
			out := claimLetters(t, db, noon)[0]
			mark(t, db, store.Result{ID: out.Letter.ID, Epoch: out.Epoch, State: store.LetterSent, MessageID: "SM1"})
			for _, r := range c.reports {
				save(t, db, 0, tickets.Change{Brand: "acme", Disposition: tickets.DisposeRecorded,
					Bounces: []tickets.LetterBounce{{Letter: out.Letter.ID, State: r, Detail: r, At: noon}}})
			}
			_, info, _, err := db.LetterByID(t.Context(), out.Letter.ID)
			if err != nil || info.State != c.state || info.Detail != c.report || info.MessageID != "SM1" {
				t.Errorf("after %q: %+v, %v, want %s, %s", c.reports, info, err, c.state, c.report)
			}
			events := must(db.Events(t.Context(), saved.Tickets[0]))(t)
			if last := events[len(events)-1].What; last != "letter "+c.report {
				t.Errorf("after %q the log ends with %q", c.reports, last)
			}
		})
	}
}

// A report says that a text arrived whose answer nobody heard: it is not sent
// again, and not looked up.
func TestReportEndsDoubt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		save(t, db, 0, text(caller, line, "1"))
		out := claimLetters(t, db, noon)[0]
		if err := db.MarkDot(t.Context(), out.Letter.ID, out.Epoch, nil, noon); err != nil {
			t.Fatal(err)
		}
		save(t, db, 0, tickets.Change{Brand: "acme", Disposition: tickets.DisposeRecorded, Bounces: []tickets.LetterBounce{{Letter: out.Letter.ID, State: "delivered", At: noon}}})
		if again := claimLetters(t, db, noon.Add(time.Hour)); len(again) != 0 {
			t.Errorf("handed out again: %+v", again)
		}
		if _, info, _, err := db.LetterByID(t.Context(), out.Letter.ID); err != nil || info.State != store.LetterSent || !info.Sent.Equal(noon) {
			t.Errorf("letter: %+v, %v", info, err)
		}
	})
}

func TestSentTexts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		c := text(caller, line, "1")
		c.Tickets[0].Letters = nil
		for _, key := range []string{"old", "new", "failed", "unknown", "mail"} {
			l := ack(caller, key)
			if key == "mail" {
				l = ack("anna@customer.example", key)
			}
			c.Tickets[0].Letters = append(c.Tickets[0].Letters, l)
		}
		save(t, db, 0, c)
		out := claimLetters(t, db, noon)
		results := []store.Result{
			{State: store.LetterSent, MessageID: "SMold", At: noon.Add(-time.Hour)},
			{State: store.LetterSent, MessageID: "SMnew", At: noon, Render: &store.Rendering{Raw: []byte("hello")}},
			{State: store.LetterFailed, MessageID: "SMfailed", At: noon},
			{State: store.LetterSent, At: noon},
			{State: store.LetterSent, MessageID: "m@x", At: noon},
		}
		for i := range results {
			results[i].ID, results[i].Epoch = out[i].Letter.ID, out[i].Epoch
		}
		if lost, err := db.Mark(t.Context(), results); lost != 0 || err != nil {
			t.Fatal(lost, err)
		}
		diff(t, "since noon", must(db.SentTexts(t.Context(), "Tel:"+number, noon))(t), []string{"SMnew", "SMfailed"})
		diff(t, "since before", must(db.SentTexts(t.Context(), caller, noon.Add(-time.Hour)))(t), []string{"SMold", "SMnew", "SMfailed"})
		diff(t, "to another", must(db.SentTexts(t.Context(), waCaller, noon))(t), []string(nil))
		_, _, raw, err := db.LetterByID(t.Context(), results[1].ID)
		if err != nil || string(raw) != "hello" {
			t.Errorf("rendering %q, %v", raw, err)
		}
	})
}

// The words of a text are stored before it leaves and come with the retry,
// though it has no Message-ID.
func TestRetryOfATextHasItsWords(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		save(t, db, 0, text(caller, line, "1"))
		one := claimLetters(t, db, noon)[0]
		if err := db.MarkDot(t.Context(), one.Letter.ID, one.Epoch, &store.Rendering{Raw: []byte("hello")}, noon); err != nil {
			t.Fatal(err)
		}
		two := claimLetters(t, db, noon.Add(time.Hour))[0]
		if string(two.Raw) != "hello" || two.MessageID != "" {
			t.Errorf("in doubt: %q, id %q", two.Raw, two.MessageID)
		}
		mark(t, db, store.Result{ID: two.Letter.ID, Epoch: two.Epoch, State: store.LetterQueued, Next: noon, Code: "429", MessageID: "SM1"})
		three := claimLetters(t, db, noon.Add(2*time.Hour))[0]
		if string(three.Raw) != "hello" || three.MessageID != "SM1" {
			t.Errorf("deferred: %q, id %q", three.Raw, three.MessageID)
		}
		mark(t, db, store.Result{ID: three.Letter.ID, Epoch: three.Epoch, State: store.LetterSent})
		if _, info, _, _ := db.LetterByID(t.Context(), three.Letter.ID); info.MessageID != "SM1" {
			t.Errorf("a result without an id changed it to %q", info.MessageID)
		}
	})
}

// The report on a text may be faster than the answer to its POST: the letter
// has its state from the one and its id from the other.
func TestReportBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ report, state string }{{"delivered", store.LetterSent}, {"bounced", store.LetterBounced}} {
		storetest.Each(t, func(t *testing.T, open func() *store.DB) {
			db := open()
			save(t, db, 0, text(caller, line, "1"))
			out := claimLetters(t, db, noon)[0]
			if err := db.MarkDot(t.Context(), out.Letter.ID, out.Epoch, &store.Rendering{Raw: []byte("hello")}, noon); err != nil {
				t.Fatal(err)
			}
			save(t, db, 0, tickets.Change{Brand: "acme", Disposition: tickets.DisposeRecorded,
				Bounces: []tickets.LetterBounce{{Letter: out.Letter.ID, State: c.report, Detail: c.report, At: noon}}})
			r := store.Result{ID: out.Letter.ID, Epoch: out.Epoch, State: store.LetterSent, MessageID: "SM1"}
			stale := r
			stale.Epoch--
			if lost := mark(t, db, stale, r, r); lost != 2 {
				t.Errorf("%d results lost, want that of another claim and the second one", lost)
			}
			_, info, _, err := db.LetterByID(t.Context(), r.ID)
			if err != nil || info.State != c.state || info.MessageID != "SM1" || info.Detail != c.report || info.Attempts != 1 {
				t.Errorf("after %q: %+v, %v", c.report, info, err)
			}
			diff(t, "texts", must(db.SentTexts(t.Context(), caller, noon.Add(-time.Hour)))(t), []string{"SM1"})
		})
	}
}
