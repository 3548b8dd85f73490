package notify

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"frontdesk/store"
	"frontdesk/tickets"
)

// TestEscalationBringsTheMails attaches whole mails as they came, leaves out
// what was erased or does not fit, and tells of a failure of the store.
func TestEscalationBringsTheMails(t *testing.T) {
	t.Parallel()
	rows := map[int64]string{
		501: "From: maria@keller.example\r\nSubject: Printer offline\r\n\r\nIt is offline.\r\n.\r\nFrom here on, too.\r\n",
		503: "From: maria@keller.example\r\nSubject: Bild\r\nContent-Transfer-Encoding: 8bit\r\n\r\nÜbrigens\r\n",
		504: strings.Repeat("x", mostMails),
		505: "From: bikram@baleyo.example\n\nbare line ends\n",
	}
	s := &Sender{opt: Options{Open: func(_ context.Context, row int64, part int) ([]byte, error) {
		if part != tickets.WholeRow {
			t.Errorf("part %d was asked for", part)
		}
		if row == 599 {
			return nil, fmt.Errorf("disk is gone")
		}
		raw, ok := rows[row]
		if !ok {
			return nil, fmt.Errorf("row %d: %w", row, store.ErrNotFound)
		}
		return []byte(raw), nil
	}}}
	if _, err := s.mails(t.Context(), []int64{501, 599}); err == nil {
		t.Error("a mail that cannot be read was left out in silence")
	}
	files, err := s.mails(t.Context(), []int64{501, 502, 503, 504, 505})
	if err != nil {
		t.Fatal(err)
	}
	m := testMaterial(t, "en")
	m.Files = files
	l := testLetter(tickets.LetterEscalation, "en")
	raw, _, err := Render(l, m)
	if err != nil {
		t.Fatal(err)
	}
	var shown strings.Builder // the attachments as they stand on the wire, without the letter itself
	_, rest, _ := strings.Cut(string(raw), "</html>")
	shown.WriteString(strings.ReplaceAll(rest, "\r\n", "\n"))
	golden := filepath.Join("testdata", "escalation-mails.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(shown.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), shown.String()); d != "" {
		t.Errorf("attachments differ (-want +got), -update to accept:\n%s", d)
	}
}
