package parser

import (
	"bytes"
	"encoding/base64"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// sentences are texts that no rule takes for anything but text.
func sentences() *rapid.Generator[string] {
	word := rapid.StringMatching(`[a-zäöüéñ]{2,9}`)
	line := rapid.Custom(func(t *rapid.T) string {
		return "We " + strings.Join(rapid.SliceOfN(word, 2, 9).Draw(t, "words"), " ") + "."
	})
	return rapid.Custom(func(t *rapid.T) string { return strings.Join(rapid.SliceOfN(line, 1, 6).Draw(t, "lines"), "\n") })
}

// TestQuoteNeverHidesTheAnswer: whatever is said above it, a quote below an
// attribution goes and the answer stays.
func TestQuoteNeverHidesTheAnswer(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		answer, old := sentences().Draw(t, "answer"), sentences().Draw(t, "old")
		a := rapid.SampledFrom(attributions).Draw(t, "client")
		body := answer + "\n\n" + a.lines + "\n> " + strings.ReplaceAll(old, "\n", "\n> ") + "\n"
		if got, cuts := findReply(plainLines(body)); got != answer {
			t.Fatalf("got %q, want %q, cuts %v", got, answer, cuts)
		}
	})
}

// TestContentIsBlindToTransport: line ends and trace fields do not change the
// content hash, and the text of both copies is the same.
func TestContentIsBlindToTransport(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := sentences().Draw(t, "text")
		own := "From: ada@example.net\nSubject: lamp\nMessage-ID: <1@example.net>\n\n" + text + "\n"
		hops := rapid.IntRange(0, 5).Draw(t, "hops")
		other := strings.Repeat("Received: from a by b; Mon, 2 Mar 2026 09:14:05 +0100\n", hops) + "X-Spam: no\n" + own
		if rapid.Bool().Draw(t, "CRLF") {
			other = strings.ReplaceAll(other, "\n", "\r\n")
		}
		a, b := Parse([]byte(own), Options{}), Parse([]byte(other), Options{})
		if a.Content != b.Content || a.Text != b.Text {
			t.Fatalf("two ways of one mail differ: %q and %q", a.Text, b.Text)
		}
	})
}

// TestEncodedWordsRoundTrip reads what the standard library writes.
func TestEncodedWordsRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := strings.Join(strings.Fields(rapid.StringMatching(`[ -~äöü漢字🎉]{1,80}`).Draw(t, "text")), " ")
		if strings.Contains(want, "=?") {
			t.Skip("not a plain text")
		}
		enc := rapid.SampledFrom([]mime.WordEncoder{mime.QEncoding, mime.BEncoding}).Draw(t, "encoding")
		if got := decodeHeader(enc.Encode("utf-8", want), ""); got != want {
			t.Fatalf("decodeHeader(%q) = %q, want %q", enc.Encode("utf-8", want), got, want)
		}
	})
}

// TestAddressesRoundTrip reads what the standard library writes.
func TestAddressesRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := collapse(rapid.StringMatching(`[A-Za-zäöü ,."()<>@;:-]{0,30}`).Draw(t, "name"))
		addr := rapid.StringMatching(`[a-z0-9._+-]{0,10}[a-z]@[a-z]{1,8}\.example`).Draw(t, "address")
		field := (&mail.Address{Name: name, Address: addr}).String()
		got, _ := parseAddresses(field+", other@example.net", "", 10)
		trimmed := strings.Trim(name, `"' `) // what is nothing but quotes is no name
		if len(got) != 2 || got[0].Address != addr || strings.Trim(got[0].Name, `"' `) != trimmed {
			t.Fatalf("parseAddresses(%q) = %+v, want %q <%s>", field, got, name, addr)
		}
	})
}

// TestTransferRoundTrip reads what the standard library writes.
func TestTransferRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.SliceOf(rapid.Byte()).Draw(t, "data")
		wrapped := base64.StdEncoding.EncodeToString(data)
		for i := 76; i < len(wrapped); i += 78 {
			wrapped = wrapped[:i] + "\r\n" + wrapped[i:]
		}
		if got, ok := decodeBase64([]byte(wrapped)); !ok || !bytes.Equal(got, data) {
			t.Fatalf("base64 %q: %q", wrapped, got)
		}
		var b bytes.Buffer
		w := quotedprintable.NewWriter(&b)
		w.Binary = true
		w.Write(data)
		w.Close()
		if got := decodeQP(b.Bytes()); !bytes.Equal(got, data) {
			t.Fatalf("quoted-printable %q: %q, want %q", b.Bytes(), got, data)
		}
	})
}
