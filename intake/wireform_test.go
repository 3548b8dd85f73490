package intake

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// A mail is read as it was signed, wherever the pieces in which it is read end.
func TestWireForm(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"empty":      "",
		"mbox":       "From maria@example.org Mon\nFrom: a\n\nb\n",
		"mixed":      "a\nb\r\nc\rd\r\r\n\n\r\n",
		"long":       strings.Repeat("12345678901234567\n1234567890123\r\n", 40_000), // all offsets within a piece
		"no ends":    strings.Repeat("x", 100_000),
		"ends alone": strings.Repeat("\n", 70_000),
	} {
		passed := 0
		got, err := io.ReadAll(iotest.HalfReader(newWireForm([]byte(raw), func() { passed++ })))
		want := []byte(raw)
		if _, after, ok := strings.Cut(raw, "\n"); ok && strings.HasPrefix(raw, "From ") {
			want = []byte(after)
		}
		want = bytes.ReplaceAll(bytes.ReplaceAll(want, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, want %d, %v", name, len(got), len(want), err)
		}
		if n := len(raw) / (300 << 10); passed < n {
			t.Errorf("%s: told %d times of %d bytes", name, passed, len(raw))
		}
	}
}
