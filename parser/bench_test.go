package parser

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset"
	"github.com/jhillyerd/enmime/v2"
)

// seededMails makes the same 200 mails on every run, of the kinds that a desk
// gets: replies with quotes, HTML, pictures, bounces.
func seededMails() [][]byte {
	rng := rand.New(rand.NewPCG(7, 11))
	words := strings.Fields("printer invoice order please restart broken thank you machine not since monday screen error again the a and of to lamp delivery")
	sentence := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteString(words[rng.IntN(len(words))])
			b.WriteByte(' ')
		}
		return strings.TrimSpace(b.String()) + ".\r\n"
	}
	mails := make([][]byte, 200)
	for i := range mails {
		head := fmt.Sprintf("Return-Path: <ada%d@example.net>\r\nReceived: from mx.example.net (mx.example.net [192.0.2.1]) by desk.example.org with ESMTPS id x%d; Mon, 2 Mar 2026 09:14:05 +0100\r\n"+
			"From: =?utf-8?q?Ada_M=C3=BCller?= <ada%d@example.net>\r\nTo: Desk <desk@example.org>\r\nSubject: Re: [Example #%d] =?utf-8?b?RHJ1Y2tlciBkcsO8Y2t0IG5pY2h0?=\r\nDate: Mon, 2 Mar 2026 09:14:05 +0100\r\n"+
			"Message-ID: <%d@example.net>\r\nIn-Reply-To: <1@example.org>\r\nReferences: <0@example.org> <1@example.org>\r\nMIME-Version: 1.0\r\n", i, i, i, i, i)
		text := sentence(20) + "\r\n" + sentence(30) + "\r\nOn Mon, Mar 2, 2026 at 9:14 AM Desk <desk@example.org> wrote:\r\n"
		for range 10 {
			text += "> " + sentence(9)
		}
		html := "<html><body><div dir=\"ltr\">" + sentence(50) + "<br></div><div class=\"gmail_quote\">On Mon, Mar 2, 2026 Desk wrote:<blockquote class=\"gmail_quote\"><p>" + strings.Repeat("<b>"+sentence(12)+"</b><br>", 10) + "</p></blockquote></div></body></html>\r\n"
		switch i % 4 {
		case 0:
			mails[i] = []byte(head + "Content-Type: text/plain; charset=utf-8\r\n\r\n" + text)
		case 1:
			mails[i] = []byte(head + "Content-Type: multipart/alternative; boundary=\"b1\"\r\n\r\n--b1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + text + "\r\n--b1\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + strings.ReplaceAll(html, "=", "=3D") + "\r\n--b1--\r\n")
		case 2:
			picture := strings.Repeat("iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAYAAAAf8/9hAAAAGXRFWHRTb2Z0d2FyZQBBZG9i\r\n", 1500)
			mails[i] = []byte(head + "Content-Type: multipart/mixed; boundary=\"b1\"\r\n\r\n--b1\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + html + "\r\n--b1\r\nContent-Type: image/png; name=\"photo.png\"\r\nContent-Disposition: attachment; filename=\"photo.png\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + picture + "\r\n--b1--\r\n")
		case 3:
			mails[i] = []byte("Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example.net\r\nTo: desk@example.org\r\nSubject: Undelivered Mail Returned to Sender\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=r\r\n\r\n--r\r\nContent-Type: text/plain\r\n\r\n" + text + "\r\n--r\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\nFinal-Recipient: rfc822; ada@example.net\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--r\r\nContent-Type: message/rfc822\r\n\r\n" + head + "\r\n" + text + "\r\n--r--\r\n")
		}
	}
	return mails
}

// benchmark runs parse over the seeded mails and reports messages and bytes a
// second.
func benchmark(b *testing.B, parse func([]byte) error) {
	mails := seededMails()
	size := 0
	for _, m := range mails {
		size += len(m)
	}
	b.SetBytes(int64(size / len(mails)))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if err := parse(mails[i%len(mails)]); err != nil {
			b.Fatal(err)
		}
		i++
	}
	b.ReportMetric(float64(i)/b.Elapsed().Seconds(), "messages/s")
}

func BenchmarkParse(b *testing.B) {
	benchmark(b, func(raw []byte) error { Parse(raw, Options{}); return nil })
}

// BenchmarkEnmime reads the same mails with enmime: MIME tree, bodies and
// attachments, without reply, kind, bounce, language, sanitising.
func BenchmarkEnmime(b *testing.B) {
	benchmark(b, func(raw []byte) error {
		_, err := enmime.ReadEnvelope(bytes.NewReader(raw))
		return err
	})
}

// BenchmarkGoMessage is the least a reader does: walk the parts with
// go-message and read them.
func BenchmarkGoMessage(b *testing.B) {
	benchmark(b, func(raw []byte) error {
		e, err := message.Read(bytes.NewReader(raw))
		if err != nil && !message.IsUnknownCharset(err) {
			return err
		}
		return e.Walk(func(_ []int, e *message.Entity, err error) error {
			if err == nil && e.MultipartReader() == nil {
				_, err = io.Copy(io.Discard, e.Body)
			}
			return err
		})
	})
}
