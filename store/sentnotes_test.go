package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/tickets"
)

// TestSentIsRecalled: a daemon is killed between a mail server's answer and its
// place in the database. The next one knows which letters left.
func TestSentIsRecalled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open := func(file string, daemon bool) *store.DB {
		t.Helper()
		db, err := store.Open(t.Context(), store.Options{Database: file, Daemon: daemon, Node: "n"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	db := open(filepath.Join(dir, "desk.db"), true)
	var letters []tickets.Letter
	for i := range 4 {
		letters = append(letters, tickets.Letter{Brand: "b", Mailbox: "m@b.test", Kind: tickets.LetterAnswer, To: tickets.Address{Address: fmt.Sprintf("c%d@d.test", i)}})
	}
	err := db.Decide(t.Context(), "b", func(tx *store.Tx) error {
		_, err := tx.Save(t.Context(), 0, "", "", tickets.Change{Brand: "b", Letters: letters}, noon)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	list := claimLetters(t, db, noon)
	sent := func(o store.Outgoing) store.Result {
		return store.Result{ID: o.Letter.ID, Epoch: o.Epoch, State: store.LetterSent, Code: "250", Detail: "queued as 4F2A", ServerIDs: []string{"x@mx.test"}, At: noon}
	}
	for _, o := range list {
		must(0, db.MarkDot(t.Context(), o.Letter.ID, o.Epoch, &store.Rendering{MessageID: "m", Raw: []byte("x")}, noon))(t)
	}
	for _, o := range list[:3] {
		if !db.NoteSent(sent(o)) {
			t.Fatal("a daemon with a disk noted nothing")
		}
	}
	if refused := (store.Result{ID: list[3].Letter.ID, Epoch: list[3].Epoch, State: store.LetterFailed}); db.NoteSent(refused) {
		t.Error("a refusal was noted as sent")
	}
	// An operator has sent the third one again: what is known of it is old.
	must(0, db.SetLetter(t.Context(), list[2].Letter.ID, store.LetterQueued, "asha", noon))(t)

	left := filepath.Join(t.TempDir(), "desk.db") // what a process that is killed leaves
	for _, suffix := range []string{"", "-wal", ".sent"} {
		data := must(os.ReadFile(filepath.Join(dir, "desk.db"+suffix)))(t)
		if suffix == ".sent" {
			data = append([]byte("\x00\x00\x00\n"), append(data, `{"letter":4,"epoch":1`...)...)
		}
		must(0, os.WriteFile(left+suffix, data, 0o600))(t)
	}
	if open(left, false).NoteSent(sent(list[3])) {
		t.Error("a command noted a letter")
	}
	next := open(left, true)
	for i, want := range []string{store.LetterSent, store.LetterSent, store.LetterQueued, store.LetterDot} {
		_, info, _, err := next.LetterByID(t.Context(), list[i].Letter.ID)
		if err != nil || info.State != want {
			t.Errorf("letter %d: %q, %v; want %q", i, info.State, err, want)
		}
		if want == store.LetterSent && (!info.Sent.Equal(noon) || info.Detail != "queued as 4F2A" || info.Code != "250" || info.Attempts != 1) {
			t.Errorf("letter %d: %+v", i, info)
		}
	}
	if info := must(os.Stat(left + ".sent"))(t); info.Size() != 0 {
		t.Errorf("%d octets are left of what is stored", info.Size())
	}

	// What is stored is forgotten, and a daemon that has stored everything leaves
	// no file.
	mark(t, db, sent(list[0]), sent(list[1]), sent(list[2]))
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "desk.db.sent")); err == nil {
		t.Error("a file of notes is left of a daemon that was stopped")
	}
}

// TestNotesOfLettersStaySmall: they are cut when everything in them is stored,
// and the disk being full costs the notes alone.
func TestNotesOfLettersStaySmall(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "desk.db")
	db, err := store.Open(t.Context(), store.Options{Database: file, Daemon: true, Fast: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	size := func() int64 { return must(os.Stat(file + ".sent"))(t).Size() }
	long := store.Result{Epoch: 1, State: store.LetterSent, Detail: string(make([]byte, 400)), At: time.Unix(0, 0)}
	var all []store.Result
	for long.ID = 1; size() < 100<<10; long.ID++ {
		if !db.NoteSent(long) {
			t.Fatal("not noted")
		}
		all = append(all, long)
	}
	mark(t, db, all[1:]...)
	if size() < 100<<10 {
		t.Error("a note was lost that is not stored")
	}
	mark(t, db, all[0])
	if size() != 0 {
		t.Errorf("%d octets are left", size())
	}
	for ; db.NoteSent(long); long.ID++ {
		if long.ID > 1e5 {
			t.Fatal("the file grows without bound")
		}
	}
}
