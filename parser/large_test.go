package parser

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// checkSpared reads raw with and without the content of its attachments: all else
// is the same, and Open reads what was left out.
func checkSpared(t *testing.T, raw []byte) (left int) {
	t.Helper()
	m, spared := Parse(raw, Options{Country: "DE"}), Parse(raw, Options{Country: "DE", Large: 1})
	if len(m.Attachments) != len(spared.Attachments) {
		t.Fatalf("%d attachments, %d when they are not kept", len(m.Attachments), len(spared.Attachments))
	}
	for i := range spared.Attachments {
		a, want := &spared.Attachments[i], m.Attachments[i].Data
		if a.Data == nil && a.Size > 0 {
			left++
		}
		got, err := io.ReadAll(iotest.OneByteReader(a.Open()))
		if len(want) > 100<<10 {
			got, err = io.ReadAll(a.Open())
		}
		if err != nil || !bytes.Equal(got, want) || a.Size != len(want) || a.SHA256 != sha256.Sum256(want) {
			t.Errorf("attachment %d, %q: %d bytes of %d, size %d, %v", i, a.Filename, len(got), len(want), a.Size, err)
		}
	}
	if d := cmp.Diff(m, spared, cmpopts.IgnoreFields(Attachment{}, "Data"), cmpopts.IgnoreUnexported(Attachment{})); d != "" {
		t.Errorf("read in another way when attachments are not kept (-kept +not):\n%s", d)
	}
	return left
}

// What a large attachment is does not depend on how it is decoded, however it is
// damaged, and Parse says all the way how far it is.
func TestLargeAttachments(t *testing.T) {
	t.Parallel()
	noise := make([]byte, 1<<20)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(noise)
	whole := base64.StdEncoding.EncodeToString(noise)
	var lines strings.Builder
	for rest := whole; rest != ""; {
		n := min(76, len(rest))
		lines.WriteString(rest[:n] + "\r\n")
		rest = rest[n:]
	}
	text := strings.Repeat("Stra=C3=9Fe =\r\n and a blank  \r\n=zz = \r\n", 20_000)
	for name, part := range map[string]string{
		"base64":         "Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" + lines.String(),
		"one line":       "Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" + whole,
		"damaged":        "Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" + strings.ReplaceAll(lines.String(), "A\r\n", "=*\r\n") + "QQ",
		"not base64":     "Content-Type: text/csv; name=a.csv\r\nContent-Transfer-Encoding: base64\r\n\r\n" + strings.Repeat("a b c d\r\n", 50_000),
		"quoted":         "Content-Type: text/csv; name=a.csv\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + text,
		"long line":      "Content-Type: text/csv; name=a.csv\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + strings.ReplaceAll(text, "\r\n", "=0A"),
		"nothing quoted": "Content-Type: text/csv; name=a.csv\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + strings.Repeat("a b c d  \r\n", 50_000),
		"as it is":       "Content-Type: text/csv; name=a.csv\r\n\r\n" + strings.Repeat("a b c d\r\n--\r\n", 50_000),
		"message":        "Content-Type: message/rfc822\r\n\r\nFrom: a@b.test\r\nSubject: x\r\n\r\n" + strings.Repeat("a b c d\r\n", 50_000),
	} {
		t.Run(name, func(t *testing.T) {
			raw := []byte("From: a@b.test\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSee the file.\r\n--b\r\nContent-Disposition: attachment; filename=file\r\n" + part + "\r\n--b--\r\n")
			if n := checkSpared(t, raw); n != 1 {
				t.Errorf("%d attachments were left out", n)
			}
			if name == "one line" {
				return
			}
			passed := 0
			Parse(raw, Options{Large: 1, Passed: func() { passed++ }})
			if want := 2 * (len(raw)/stretch - 1); passed < want { // hashed, searched, decoded
				t.Errorf("%d bytes: told %d times, want %d", len(raw), passed, want)
			}
		})
	}
	// What is looked into is kept, and uuencoded files are found whole.
	for _, part := range []string{
		"Content-Type: application/ms-tnef\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString(append([]byte{0x78, 0x9f, 0x3e, 0x22}, noise...)),
		"Content-Type: application/zip\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 a\r\n#86)C\r\nend\r\n",
	} {
		if n := checkSpared(t, []byte("From: a@b.test\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"+part+"\r\n--b--\r\n")); n != 0 {
			t.Errorf("%d attachments were left out of %q", n, part[:40])
		}
	}
}

// A file of 20 MB takes no memory when it is not kept.
func TestLargeAttachmentTakesNoMemory(t *testing.T) {
	line := strings.Repeat("QUJD", 19) + "\r\n"
	raw := []byte("From: a@b.test\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSee the file.\r\n--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
		strings.Repeat(line, (20<<20)/len(line)) + "\r\n--b--\r\n")
	r := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			Parse(raw, Options{Large: 256 << 10})
		}
	})
	if r.AllocedBytesPerOp() > 2<<20 {
		t.Errorf("%d KB to read a mail of 20 MB", r.AllocedBytesPerOp()>>10)
	}
}
