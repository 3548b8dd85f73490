package store_test

import (
	"reflect"
	"testing"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
)

// The files of a rendering are known to the next attempt, and to whoever looks.
func TestRenderingWithFiles(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		save(t, db, 0, newTicket("anna@customer.example", "printer", "a@x"))
		one := claimLetters(t, db, noon)[0]
		r := &store.Rendering{MessageID: "ours@acme", Raw: []byte("Subject: x\r\n\r\n\r\n--b--\r\n"), Files: []store.PlacedFile{
			{At: 14, Ledger: 7, Part: 3, Encoding: "base64", Wire: 3 << 20, Size: 2 << 20, SHA256: []byte("sum")},
			{At: 14, Ledger: 8, Part: -1, Encoding: "7bit", Wire: 1, Size: 1, SHA256: []byte("sum")},
		}}
		if err := db.MarkDot(t.Context(), one.Letter.ID, one.Epoch, r, noon); err != nil {
			t.Fatal(err)
		}
		two := claimLetters(t, db, noon.Add(2*time.Hour))[0]
		if string(two.Raw) != string(r.Raw) || !reflect.DeepEqual(two.Files, r.Files) {
			t.Errorf("claimed: %q with %+v", two.Raw, two.Files)
		}
		_, info, raw, err := db.LetterByID(t.Context(), one.Letter.ID)
		if err != nil || string(raw) != string(r.Raw) || !reflect.DeepEqual(info.Files, r.Files) {
			t.Errorf("looked at: %q with %+v, %v", raw, info.Files, err)
		}
	})
}
