package intake

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"frontdesk/parser"
	"frontdesk/store"
	"frontdesk/tickets"
)

var workerRules = tickets.Rules{
	Keys:        tickets.Keyring{Current: tickets.Key{ID: 'k', Secret: []byte("0123456789abcdef0123456789abcdef")}},
	Brands:      map[string]tickets.Brand{"one": {Key: "one", Name: "One", Domain: "one.test", Language: "en", Location: time.UTC, Mailboxes: []tickets.Mailbox{{Address: "support@one.test", Queue: "support", Subaddressing: "+"}}}},
	Agents:      map[string]tickets.Agent{"asha@one.test": {ID: 1, Name: "Asha", Address: "asha@one.test", Role: tickets.RoleSupervisor}},
	Queues:      map[string]tickets.Queue{"support": {Key: "support", Tiers: [][]string{{"asha@one.test"}}}},
	MessageSize: 1 << 20,
	Ack:         tickets.AckLimits{SenderHour: 50, SenderDay: 200, Subject3h: 50, DomainHour: 1000, GlobalHour: 1000, Ticket10min: 10},
}

// workerWith is a worker over a fresh store with those mails in its ledger.
func workerWith(t *testing.T, parse func([]byte, parser.Options) *parser.Mail, now func() time.Time, mails ...string) (*Worker, *store.DB) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Database: filepath.Join(t.TempDir(), "desk.db"), Fast: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	var items []store.Item
	for i, m := range mails {
		items = append(items, store.Item{Key: fmt.Sprintf("imap:support@one.test:INBOX:1:%d", i+1), Brand: "one", Mailbox: "support@one.test", Folder: "INBOX", Queue: "support",
			Channel: tickets.ChannelMail, Received: now(), Data: []byte(strings.ReplaceAll(m, "\n", "\r\n"))})
	}
	if _, err := db.Append(t.Context(), items, nil); err != nil {
		t.Fatal(err)
	}
	return NewWorker(WorkerOptions{Brand: "one", DB: db, Rules: func() tickets.Rules { return workerRules }, Now: now, Parse: parse, Claim: time.Minute}), db
}

func letterOf(n int) string {
	return fmt.Sprintf("From: p%d@example.org\nTo: support@one.test\nSubject: Question %d\nMessage-ID: <%d@example.org>\n\nQuestion %d.\n", n, n, n, n)
}

// TestPoisonAmongOthers: A19, one mail that breaks the parser among a hundred is
// quarantined with its bytes after three attempts; the others go on.
func TestPoisonAmongOthers(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	var mails []string
	for i := range 100 {
		mails = append(mails, letterOf(i))
	}
	mails[41] = strings.Replace(mails[41], "Question 41.", "POISON", 1)
	parse := func(raw []byte, opt parser.Options) *parser.Mail {
		if strings.Contains(string(raw), "POISON") {
			panic("the parser met its master")
		}
		return parser.Parse(raw, opt)
	}
	w, db := workerWith(t, parse, func() time.Time { return now }, mails...)
	for range 4 {
		for {
			n, err := w.Pass(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				break
			}
		}
		now = now.Add(2 * time.Minute) // the claim of the poisoned one runs out
	}
	tally, err := db.Tally(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if tally.Undecided != 0 || tally.ByDisposition[tickets.DisposeMessage] != 99 || tally.ByDisposition[tickets.DisposeQuarantined] != 1 {
		t.Errorf("sums: %+v", tally)
	}
	held, err := db.Quarantine(t.Context())
	if err != nil || len(held) != 1 || held[0].Reason != "poison" || held[0].Attempts != 3 {
		t.Fatalf("quarantine: %+v, %v", held, err)
	}
	if raw, err := db.Raw(t.Context(), held[0].ID); err != nil || !strings.Contains(string(raw), "POISON") {
		t.Errorf("the bytes are gone: %q, %v", raw, err)
	}
}

func TestMailTheServerDoesNotHandOut(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	w, db := workerWith(t, nil, func() time.Time { return now }, UnfetchedField+": NO internal error\n\n", letterOf(1))
	if _, err := w.Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	held, err := db.Quarantine(t.Context())
	if err != nil || len(held) != 1 || held[0].Reason != "unfetched" || !strings.Contains(held[0].Detail, "internal error") {
		t.Errorf("quarantine: %+v, %v", held, err)
	}
}

// TestOversizeMailIsATicketThatSaysSo: the customer is told, the agent sees it.
func TestOversizeMailIsATicketThatSaysSo(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	w, db := workerWith(t, nil, func() time.Time { return now }, OversizeField+": 62914560\n"+letterOf(1))
	if _, err := w.Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	messages, err := db.Messages(t.Context(), 1)
	if err != nil || len(messages) != 1 || len(messages[0].Attachments) != 1 {
		t.Fatalf("messages: %+v, %v", messages, err)
	}
	if a := messages[0].Attachments[0]; a.Refused != "size" || a.Size != 62914560 {
		t.Errorf("attachment: %+v", a)
	}
	letters, err := db.LettersWhere(t.Context(), nil, 1, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range letters {
		full, _, _, err := db.LetterByID(t.Context(), l.ID)
		if err != nil {
			t.Fatal(err)
		}
		if l.Kind == tickets.LetterAcknowledgement && (len(full.Data.Refused) != 1 || full.Data.Refused[0].Size != 62914560) {
			t.Errorf("the acknowledgement does not tell: %+v", full.Data.Refused)
		}
	}
}

// TestPoisonThatEndsTheProcess: A19, a mail that takes the whole process down is
// quarantined unread when it has done so often enough. The rows that were claimed
// with it are claimed alone afterwards, and none is blamed for it.
func TestPoisonThatEndsTheProcess(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	var mails []string
	for i := range 40 {
		mails = append(mails, letterOf(i))
	}
	mails[17] = strings.Replace(mails[17], "Question 17.", "POISON", 1)
	parse := func(raw []byte, opt parser.Options) *parser.Mail {
		if strings.Contains(string(raw), "POISON") {
			t.Error("it was parsed once more")
		}
		return parser.Parse(raw, opt)
	}
	w, db := workerWith(t, parse, func() time.Time { return now }, mails...)
	poisoned := func(rows []store.Claimed) bool {
		return slices.ContainsFunc(rows, func(r store.Claimed) bool { return strings.Contains(string(r.Data), "POISON") })
	}
	for crash := 1; crash <= 5; crash++ { // the process ends with the poison in hand
		for {
			rows, err := db.ClaimLedger(t.Context(), "one", 50, now, now.Add(time.Minute))
			if err != nil {
				t.Fatal(err)
			}
			if crash == 1 && len(rows) != 40 || crash > 1 && len(rows) != 1 {
				t.Fatalf("crash %d: %d rows claimed together", crash, len(rows))
			}
			if poisoned(rows) {
				break
			}
			err = db.Decide(t.Context(), "one", func(tx *store.Tx) error {
				_, err := tx.SaveClaimed(t.Context(), rows[0], "", "", tickets.Change{Brand: "one", Disposition: tickets.DisposeDiscarded, Reason: "test"}, now)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		now = now.Add(2 * time.Minute)
	}
	for {
		n, err := w.Pass(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
	}
	held, err := db.Quarantine(t.Context())
	if err != nil || len(held) != 1 || held[0].Reason != "poison" || held[0].Attempts != 6 {
		t.Fatalf("quarantine: %+v, %v", held, err)
	}
	tally, err := db.Tally(t.Context(), "")
	if err != nil || tally.Undecided != 0 || tally.ByDisposition[tickets.DisposeMessage] != 22 {
		t.Errorf("sums: %+v, %v", tally, err)
	}
}
