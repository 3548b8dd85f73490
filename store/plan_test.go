package store_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"frontdesk/sla"
	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

// scans are statements that may read a whole table: what they read is small,
// or it is people who ask.
var scans = map[string]string{
	"WHERE returned <> ''":              "people ask this; the index holds the few with a return",
	"EXISTS (SELECT 1 FROM tombstones)": "its first row",
	"FROM cursors":                      "one row per folder",
	"FROM runs WHERE brand":             "one row for each schedule of the brand",
	"FROM unindexed":                    "what waits for the index",
	"SUM(CASE WHEN assignee = ''":       "the index of what is open: the work of the desk",
	"(SELECT COUNT(*) FROM fetches)":    "indexes of what waits, and the few files to be fetched",
	"FROM letters GROUP BY state":       "the operator's tally",
	"SELECT disposition, COUNT(*)":      "the operator's tally",
	"LEFT JOIN addresses a ON a.person = p.id\n\t\tWHERE p.id IN (\n\t\t\tSELECT p.id FROM people p": "people like a name",
	"p.id IN (SELECT p.id FROM products p WHERE TRUE":                                                "products like a word",
	"MIN(CASE WHEN claimed_until":                                                                    "the index of what is not sent yet",
	"SELECT ticket FROM lately ORDER BY":                                                             "its oldest rows",
	"FROM referrals r JOIN":                                                                          "those that are open: few",
	"ORDER BY id DESC LIMIT 1), 0)":                                                                  "the last row",
	"SELECT COALESCE(MAX(id), 0) + 1 FROM letters":                                                   "the last row",
	"AND l.trace <> '' AND l.disposition <> 'quarantined'":                                           "once a night, a few rows a pass",
	"FROM alerts WHERE":                                                                              "one row for each thing that was ever wrong",
	"FROM alert_posts WHERE":                                                                         "what is not taken yet: mostly nothing",
	"FROM brands":                                                                                    "one row per brand; the work of the desk, of which few are away",
}

// Every statement that the desk runs for a mail, a letter or a sweep is served
// by an index, whatever the tables hold.
func TestStatementsUseIndexes(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	ctx := t.Context()
	if _, err := db.Append(ctx, items(1, 3), &store.Cursor{Mailbox: "support@example.org", Folder: "INBOX"}); err != nil {
		t.Fatal(err)
	}
	rows := claim(t, db, 3, noon)
	c := newTicket("anna@customer.example", "printer", "a@x")
	c.Tickets[0].Messages[0].Cites = []string{"b@x", "c@x"}
	first := save(t, db, rows[0].ID, c)
	c = newTicket("anna@customer.example", "printer", "b@x")
	c.Tickets[0].MoveFrom = []tickets.Move{{Ticket: first.Tickets[0]}}
	c.Suppress, c.Release, c.Drop, c.Block = []string{"x@y"}, []int64{1}, []int64{2}, []int64{1}
	c.Bounces = []tickets.LetterBounce{{Letter: first.Letters[0], State: "delayed"}}
	second := save(t, db, rows[1].ID, c)
	ticket := must(db.Ticket(ctx, second.Tickets[0]))(t)
	save(t, db, rows[2].ID, tickets.Change{Brand: "acme", Disposition: tickets.DisposeDuplicate, Duplicate: second.Messages[0],
		Tickets: []tickets.TicketChange{{Ticket: ticket, Messages: []tickets.Message{message("anna@customer.example", "printer", "d@x")}}}})
	find(t, db, tickets.Keys{
		Tickets: []int64{1, 2, 3}, Cites: []string{"b@x", "c@x", "zz@x"}, MessageID: "q@x", ThreadRoot: "cafe", Subject: "printer",
		Sender: "anna@customer.example", Content: [32]byte{1}, Letter: 1, History: 1,
	})
	for _, o := range claimLetters(t, db, noon) {
		if err := db.MarkDot(ctx, o.Letter.ID, o.Epoch, &store.Rendering{MessageID: "m@x"}, noon); err != nil {
			t.Fatal(err)
		}
		mark(t, db, store.Result{ID: o.Letter.ID, Epoch: o.Epoch, State: store.LetterFailed, ServerIDs: []string{"s@x"}})
	}
	must(db.ClaimLetters(ctx, store.LetterClaim{Now: noon, Until: noon, Mailboxes: []string{"a@b", "c@d"}, Limit: 5}))(t)
	if err := db.SetLetter(ctx, 1, store.LetterQueued, "boss", noon); err != nil {
		t.Fatal(err)
	}
	must(db.NextLetter(ctx))(t)
	must(db.LettersWait(ctx, "support@example.org"))(t)
	must(db.Vitals(ctx, noon))(t)
	must(db.LetterIDs(ctx, 1, "anna@customer.example"))(t)
	must(db.LetterTickets(ctx, []int64{1, 2}, false))(t)
	must(db.LetterTickets(ctx, []int64{1, 2}, true))(t)
	must(db.LettersWhere(ctx, nil, 1, 0))(t)
	must(db.Known(ctx, "support@example.org", "INBOX", [][32]byte{{1}, {2}}))(t)
	must(db.LedgerUIDs(ctx, "support@example.org", "INBOX", 7, 1))(t)
	must(db.Quarantine(ctx))(t)
	must(db.Entry(ctx, 1))(t)
	must(db.EntriesOfTicket(ctx, 1))(t)
	must(db.Tickets(ctx, store.TicketQuery{Brand: "acme"}))(t)
	must(db.Tickets(ctx, store.TicketQuery{Brand: "acme", Customer: "anna@customer.example", Statuses: []tickets.Status{"closed"}}))(t)
	must(db.Tickets(ctx, store.TicketQuery{Search: "fire"}))(t)
	must(db.Messages(ctx, 1))(t)
	must(db.Events(ctx, 1))(t)
	must(db.Silent(ctx, "acme", noon, false, 1))(t)
	must(db.Due(ctx, "acme", noon, 1))(t)
	must(db.PersonByAddress(ctx, "acme", "anna@customer.example"))(t)
	usePhone(t, db)
	usePromises(t, db)
	useArticles(t, db)
	useSurveys(t, db)
	useProducts(t, db)
	useReminders(t, db)
	must(db.Figures(ctx, store.FiguresQuery{Brand: "acme", Before: noon.Add(-time.Hour), From: noon, To: noon.Add(time.Hour), Now: noon, Most: 3}))(t)
	must(db.Lease(ctx, "x", noon, noon.Add(time.Minute)))(t)
	useLoops(t, db)

	plans, err := store.Plans(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	if len(plans) < 60 {
		t.Errorf("only %d statements were looked at", len(plans))
	}
	if testing.Verbose() {
		for text, plan := range plans {
			t.Logf("%s\n%s", text, plan)
		}
	}
	for _, index := range []string{"ledger_contact", "fetches_ledger", "participants_line", "participants_person", "messages_texts", "alarms_ringing", "alarms_ticket", "letters_texts", "sqlite_autoindex_phones_1", "sqlite_autoindex_stops_1",
		"tickets_product", "products_owner", "products_warranty", "products_contract", "products_worn", "sqlite_autoindex_products_1", "sqlite_autoindex_readings_1",
		"tickets_watch", "tickets_incident", "tickets_opened", "COVERING INDEX tickets_open", "events_clock", "events_report", "messages_phone", "lessons_at",
		"surveys_due", "surveys_follow_up", "surveys_address", "surveys_asked", "surveys_person", "points_person", "referrals_open"} {
		if !used(plans, index) {
			t.Errorf("no statement uses the index %s", index)
		}
	}
	// All rows of a brand are as good as all rows. A SEARCH that names no index
	// looks for the least or greatest key, through all rows that are not meant.
	whole := regexp.MustCompile(`(?m)^[ |` + "`" + `-]*(SCAN \w+( USING (COVERING )?INDEX \w+)?|SEARCH \w+|SEARCH .*\(brand=\?\).*)$`)
	for text, plan := range plans {
		// The plan of an INSERT names the tables that refer to the new row; they
		// are not read.
		allowed := strings.Contains(text, "INSERT INTO")
		for part := range scans {
			allowed = allowed || strings.Contains(text, part)
		}
		for _, line := range whole.FindAllString(plan, -1) {
			// Partial indexes of what is waiting, and the search index, are small or asked well.
			if allowed || strings.Contains(line, "letters_waiting") || strings.Contains(line, "ledger_undecided") || strings.Contains(line, "ledger_quarantined") || strings.HasPrefix(line, "SCAN search VIRTUAL") {
				continue
			}
			t.Errorf("%s\n%s", text, plan)
		}
	}
}

func used(plans map[string]string, index string) bool {
	for _, plan := range plans {
		if strings.Contains(plan, index+" ") || strings.HasSuffix(plan, index) {
			return true
		}
	}
	return false
}

// useLoops runs what the loops of a desk ask again and again.
func useLoops(t *testing.T, db *store.DB) {
	ctx := t.Context()
	for _, err := range []error{
		func() error { _, err := db.NextAlarm(ctx); return err }(),
		func() error { _, err := db.Alerts(ctx, noon); return err }(),
		func() error { _, _, err := db.ClaimAlertPost(ctx, noon, noon); return err }(),
		func() error { _, _, err := db.Poisoned(ctx); return err }(),
		func() error { _, _, err := db.OldestLetter(ctx, noon); return err }(),
		func() error { _, err := db.Untold(ctx, "acme", noon, 1); return err }(),
		func() error { _, err := db.ClaimFresh(ctx, "acme", 1, noon, noon, noon); return err }(),
		func() error { _, err := db.DuePersons(ctx, "acme", noon, 1); return err }(),
		func() error { _, err := db.Waiting(ctx, "acme"); return err }(),
		func() error { _, err := db.Runs(ctx, "acme"); return err }(),
		func() error { _, err := db.RemindedSince(ctx, "acme", noon, noon); return err }(),
		func() error { _, _, err := db.Arrivals(ctx); return err }(),
		func() error { _, err := db.Cursors(ctx); return err }(),
		func() error { _, err := db.Index(ctx, 1); return err }(),
		func() error { _, err := db.Retain(ctx, store.Kept{}, 1, noon); return err }(),
		func() error {
			_, err := db.Retain(ctx, store.Kept{RawMail: noon, Recordings: noon, ClosedTickets: noon, Quarantine: noon, LedgerDetails: noon, SurveyComments: noon}, 1, noon)
			return err
		}(),
		func() error { _, err := db.ClaimRedactions(ctx, 1, noon, noon); return err }(),
		func() error { _, _, err := db.TakeLease(ctx, "x", "", time.Minute, noon); return err }(),
		func() error { _, err := db.RenewLeases(ctx, nil, time.Minute, noon); return err }(),
		db.RenewLedger(ctx, []store.Claimed{{ID: 1}}, noon),
		db.ReturnLedger(ctx, []store.Claimed{{ID: 1}}),
		db.PutOffLedger(ctx, []store.Claimed{{ID: 1}}, noon),
		db.TakeOver(ctx, "acme"),
		func() error { _, err := db.Bury(ctx, "n", noon); return err }(),
	} {
		if err != nil && !errors.Is(err, store.ErrLost) {
			t.Fatal(err)
		}
	}
}

// usePromises runs the statements of clocks, assignment and incidents.
func usePromises(t *testing.T, db *store.DB) {
	ctx := t.Context()
	c := clocked(promised("anna@customer.example", noon, noon), sla.Event{At: noon, Kind: sla.Opened})
	c.Away = []tickets.Absence{{Agent: "asha@example.org", Until: noon}, {Agent: "bikram@example.org"}}
	c.Lessons = []tickets.Lesson{{Category: "billing", At: noon}}
	for range 70 { // the pruning comes by
		c.Tickets = append(c.Tickets, c.Tickets[0])
	}
	saved := save(t, db, 0, c)
	save(t, db, 0, tickets.Change{Brand: "acme", Join: []tickets.IncidentJoin{{Ticket: saved.Tickets[0], Incident: saved.Tickets[0]}, {Ticket: saved.Tickets[1], Incident: saved.Tickets[0]}}})
	if f := find(t, db, tickets.Keys{Sender: "anna@customer.example", Opens: true, LikeSince: noon, History: saved.Tickets[0]}); len(f.Parent) != 1 || len(f.Like) == 0 {
		t.Errorf("found %d of the incident, %d like it", len(f.Parent), len(f.Like))
	}
	must(db.Watching(ctx, "acme", noon, 1))(t)
	must(db.NextWatch(ctx))(t)
	must(db.Log(ctx, 1))(t)
	must(db.Desk(ctx, noon))(t)
	must(db.Lessons(ctx, noon, 1))(t)
	must(db.Recurring(ctx, "acme", noon, 1))(t)
	must(db.Tickets(ctx, store.TicketQuery{Assignee: "asha@example.org"}))(t)
	must(db.Tickets(ctx, store.TicketQuery{Unassigned: true, Queue: "support"}))(t)
	must(db.Tickets(ctx, store.TicketQuery{Brand: "acme", Promised: noon, Order: []string{"high", "low"}}))(t)
}

// useSurveys runs the statements of surveys, points and referrals.
func useSurveys(t *testing.T, db *store.DB) {
	ctx := t.Context()
	ticket, s := closedTicket(t, db, "acme", "anna@customer.example", "survey@x", noon)
	answer(t, db, s, tickets.SurveyCSAT, noon, 5)
	customer(t, db, "acme", ticket.Requester)
	save(t, db, 0, tickets.Change{Brand: "acme", Points: []tickets.PointEntry{{Person: ticket.Requester, Points: 1, Why: "feedback", Key: "p"}},
		Codes: []tickets.ReferralCode{{Person: ticket.Requester, Code: "ANNA-AAAA"}}, Referrals: []tickets.Referral{{Person: ticket.Requester, By: 7, Ticket: ticket.ID, State: "open"}, {Person: ticket.Requester, State: "refused"}}})
	must(db.SurveysOf(ctx, ticket.Requester))(t)
	must(db.SurveysDue(ctx, "acme", noon, 1))(t)
	must(db.FollowUpsDue(ctx, "acme", noon, 1))(t)
	must(db.Points(ctx, ticket.Requester))(t)
	must(db.ReferralsDone(ctx, "acme", 1))(t)
	find(t, db, tickets.Keys{Survey: s.ID, Codes: []string{"ANNA-AAAA"}})
	find(t, db, tickets.Keys{Asked: "tel:+491511234567", Line: line, Now: noon})
	err := db.Decide(ctx, "acme", func(tx *store.Tx) error {
		_, err := tx.LastTicket(ctx, ticket.Requester)
		_, _, err2 := tx.Earned(ctx, ticket.Requester)
		_, err3 := tx.Referral(ctx, ticket.Requester)
		return errors.Join(err, err2, err3)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// usePhone runs the statements of calls, texts and alarms.
func usePhone(t *testing.T, db *store.DB) {
	ctx := t.Context()
	add(t, db, webhook("sms:MM1", "text:MM1", tickets.ChannelSMS, media(0), media(1)))
	files := claimFetches(t, db, 2, noon)
	if err := db.Fetched(ctx, files[0], file(files[0])); err != nil {
		t.Fatal(err)
	}
	if err := db.FetchFailed(ctx, files[1], "404", noon); err != nil {
		t.Fatal(err)
	}
	must(db.NextFetch(ctx))(t)
	contact(t, db, "text:MM1")
	if err := db.LetGo(ctx, "text:MM1"); err != nil {
		t.Fatal(err)
	}
	c := text(caller, line, "text:1")
	c.Alarms = []tickets.Alarm{ringing(0)}
	c.Stop, c.Start = []tickets.LineConsent{{Number: caller, Line: line}}, []tickets.LineConsent{{Number: caller, Line: waLine}}
	c.Tickets[0].Letters = append(c.Tickets[0].Letters, ring(-1, "ring:1"))
	saved := save(t, db, 0, c)
	into := text(waCaller, waLine, "text:2")
	into.Tickets[0].MoveFrom = []tickets.Move{{Ticket: saved.Tickets[0]}}
	into.Unhold, into.Cancel = []tickets.HeldLetters{{Ticket: saved.Tickets[0], To: caller}}, saved.Letters
	save(t, db, 0, into)
	a := alarm(t, db, saved.Alarms[0])
	save(t, db, 0, tickets.Change{Brand: "acme", Alarms: []tickets.Alarm{a}})
	must(db.Alarms(ctx, "acme", noon, 9))(t)
	find(t, db, tickets.Keys{Number: number, Line: line, Sender: caller, Contact: "text:MM1", History: a.Ticket, Letter: saved.Letters[1]})
	must(db.SentTexts(ctx, caller, noon))(t)
	must(db.SentTo(ctx, 1, saved.Tickets...))(t)
	must(db.Tickets(ctx, store.TicketQuery{Person: 1, Statuses: []tickets.Status{"closed"}}))(t)
	must(db.Spend(ctx, "2026-03-29", store.Spent{Calls: 1}, store.Spent{Calls: 2}))(t)
	must(db.SpentOn(ctx, "2026-03-29"))(t)
}
