package schedules

import (
	"testing"
	"testing/synctest"
	"time"

	"frontdesk/store"
)

// TestWhatWasDueBeforeARestoreIsHeld: the desk may have asked in the time that
// the backup does not know of. What comes due afterwards leaves.
func TestWhatWasDueBeforeARestoreIsHeld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := openDesk(t)
		old := d.resolved()
		time.Sleep(day)
		young := d.resolved()
		time.Sleep(2*day + time.Hour) // nobody sweeps: the backup was made before
		if _, err := d.db.NoteRestore(t.Context(), d.now()); err != nil {
			t.Fatal(err)
		}
		d.restart()
		d.run(day)
		d.want(old, "resolved", "silence")
		d.want(young, "resolved", "silence")
		for ticket, want := range map[int64]string{old: store.LetterHeld, young: store.LetterQueued} {
			letters, err := d.db.LettersWhere(t.Context(), nil, ticket, 0)
			if err != nil {
				t.Fatal(err)
			}
			if letters[0].State != want {
				t.Errorf("the letter about #%d is %s, want %s", ticket, letters[0].State, want)
			}
		}
	})
}
