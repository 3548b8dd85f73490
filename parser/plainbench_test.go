package parser

import (
	"strings"
	"testing"
)

// ordinarySentences are what customers write: nothing in them is quoted,
// signed or forwarded, and few words look like it.
var ordinarySentences = strings.Split(strings.TrimSpace(`
I bought the small grey model from your shop in spring and have been happy with it since then
My customer number is on the invoice that I received together with the parcel
The page about delivery says three to five days, and I would like to know whether that holds for islands, too
We moved to another street last month, so please use the new address for the next delivery
Your colleague on the telephone was very friendly and told me to write to this address
Is there a way to have the monthly statement as a table instead of a document
Our accountant, Frau Müller, asks for the tax number of your company on every bill
The colour on the picture in the shop looks darker than the one that I have here
I wrote to you on the twelfth as well, that letter was about another order of € 129,90
There is a new cartridge in it now, and the pages look fine again
The screen shows four small squares and a line of text that I do not understand
Please confirm that the subscription 4711 ends in December 2026 as agreed`), "\n")

// ordinaryText is about size octets of them, in lines as clients break them.
func ordinaryText(size int) string {
	var b strings.Builder
	b.WriteString("Hello,\n\n")
	col := 0
	for i := 0; b.Len() < size; i++ {
		for w := range strings.FieldsSeq(ordinarySentences[i%len(ordinarySentences)] + ".") {
			if col+len(w) > 72 {
				b.WriteByte('\n')
				col = 0
			}
			b.WriteString(w)
			b.WriteByte(' ')
			col += len(w) + 1
		}
		if i%4 == 3 {
			b.WriteString("\n\n")
			col = 0
		}
	}
	b.WriteString("\n\nKind regards\nAnna Schmidt\n")
	return b.String()
}

// ordinaryMail is a plain mail with the text of about size octets.
func ordinaryMail(size int) []byte {
	return []byte("Return-Path: <anna@example.net>\r\nReceived: from mx.example.net (mx.example.net [192.0.2.1]) by desk.example.org with ESMTPS id x1; Mon, 2 Mar 2026 09:14:05 +0100\r\n" +
		"DKIM-Signature: v=1; a=rsa-sha256; d=example.net; s=s1; h=from:to:subject; bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=; b=" + strings.Repeat("dzdVyOfAKCdLXdJOc9G2q8LoXSlEniSb", 10) + "\r\n" +
		"From: Anna Schmidt <anna@example.net>\r\nTo: Desk <desk@example.org>\r\nSubject: Invoice 4711 shows wrong total\r\nDate: Mon, 2 Mar 2026 09:14:05 +0100\r\n" +
		"Message-ID: <1@example.net>\r\nX-Mailer: Thunderbird 128.3\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" +
		strings.ReplaceAll(ordinaryText(size), "\n", "\r\n"))
}

// BenchmarkParsePlain is what a desk reads most: a plain mail of 5 KB.
func BenchmarkParsePlain(b *testing.B) {
	raw := ordinaryMail(5000)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		Parse(raw, Options{Country: "DE"})
	}
}
