package main

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"mime/quotedprintable"
	"strings"
	"time"
)

// Kinds of mail. Of every mail the customer is another one, so that each is to
// be acknowledged.
const (
	plainMail       = "plain"       // text of 1 to 5 KB below 2 KB of header
	alternativeMail = "alternative" // text and HTML
	attachmentMail  = "attachment"  // text and a file of 200 KB
)

// corpusSeed makes the corpus the same in each run, byte for byte.
const corpusSeed = 42

// fileBytes is the size of an attachment before base64.
const fileBytes = 200_000

var (
	// Ordinary sentences: of words thrown together the desk reads alarms that
	// nobody raised, and what it does about them is not intake.
	sentences = strings.Split(strings.TrimSpace(`
I bought the small grey model from your shop in spring and have been happy with it since then
My customer number is on the invoice that I received together with the parcel
Could you please tell me which of the two plans suits an office of twelve people
The page about delivery says three to five days, and I would like to know whether that holds for islands, too
We moved to another street last month, so please use the new address for the next delivery
The box came with two cables, although the list in it names three of them
I would like to change the name on my account, because I married in June
Your colleague on the telephone was very friendly and told me to write to this address
The manual explains how to add a second person, but my menu looks different from the picture
Is there a way to have the monthly statement as a table instead of a document
Please send me the offer that you mentioned once more, I cannot find it in my mailbox
Our accountant asks for the tax number of your company on every bill
I have attached nothing yet, but can send pictures of the label when you need them
The colour on the picture in the shop looks darker than the one that I have here
How long do you keep the data of people who do not use the service any more
We use it with the newest version of the browser on a tablet and on two desktop machines
When I turn the knob to the left the light goes green, and after a while it turns blue
My neighbour took the parcel for me and says that the driver was in a hurry
I wrote to you on the twelfth as well, that letter was about another order
The second line of the address is missing on the sticker, which confuses the postman
Can I pay by bank transfer for the whole year, or only month by month
Thank you for the quick answer last time, it worked at once
There is a new cartridge in it now, and the pages look fine again
If that is possible, I would like to collect it myself at the warehouse on Saturday
The export has a column for the date and one for the total, and we need one for the project
We are a school and heard that there is another price for schools
Please confirm that the subscription ends in December as agreed
I am writing on behalf of my mother, who does not use mail herself
The screen shows four small squares and a line of text that I do not understand
Which paper do you recommend for photographs that are going to hang in the sun`), "\n")
	accents  = []string{"Müller", "café", "größer", "José", "Łódź", "Øresund", "façade", "日本語", "Привет", "€ 129,90", "“quoted”"}
	first    = strings.Fields("Anna Ben Carla David Eva Farid Grace Hugo Ines Jan Katja Liam Maria Nils Olga Pedro Rosa Sven Tina Vera")
	last     = strings.Fields("Schmidt Jones Garcia Novak Rossi Dubois Kim Nguyen Silva Kowalski Hansen Murphy Okafor Patel Haddad Weber")
	subjects = []string{"Logging in since the update", "Invoice %d shows wrong total", "Refund for order %d", "Question about the app, case %d",
		"Question about plan %d", "Where is my parcel %d?", "Password reset %d never arrives", "Export misses column %d", "Change billing contact %d", "Screenshot of error %d"}
	programs = []string{"Apple Mail (2.3774)", "Microsoft Outlook 16.0", "Thunderbird 128.3", "Roundcube 1.6"}
)

// kindOf returns which kind the n-th mail of the mix is: 70 of 100 plain, 20
// alternative, 10 with an attachment, spread evenly.
func kindOf(n int) string {
	switch n * 7 % 10 {
	case 0:
		return attachmentMail
	case 3, 6:
		return alternativeMail
	}
	return plainMail
}

// corpus returns n mails of a kind, or of the mix, with LF as Maildir keeps them.
func corpus(kind string, n int) [][]byte {
	mails := make([][]byte, n)
	for i := range mails {
		k := kind
		if kind == "mix" {
			k = kindOf(i)
		}
		mails[i] = mailOf(k, i)
	}
	return mails
}

// mailOf writes the n-th mail of a kind.
func mailOf(kind string, n int) []byte {
	r := rand.New(rand.NewPCG(corpusSeed, uint64(n)<<8|uint64(kind[0])))
	name, address := person(r, kind, n)
	subject := subjects[r.IntN(len(subjects))]
	if strings.Contains(subject, "%d") {
		subject = fmt.Sprintf(subject, r.IntN(99999))
	}
	var b strings.Builder
	header(&b, r, name, address, subject, messageID(kind, n), n)
	text := prose(r, 1000+r.IntN(4000)) + "\nRegards\n" + name + "\n"
	switch kind {
	case alternativeMail:
		edge := fmt.Sprintf("----=_Part_%016x", r.Uint64())
		fmt.Fprintf(&b, "Content-Type: multipart/alternative;\n\tboundary=%q\n\n--%s\n", edge, edge)
		textPart(&b, r, text)
		fmt.Fprintf(&b, "\n--%s\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n%s\n--%s--\n", edge, printable(markup(r, text)), edge)
	case attachmentMail:
		edge := fmt.Sprintf("----=_Mixed_%016x", r.Uint64())
		fmt.Fprintf(&b, "Content-Type: multipart/mixed;\n\tboundary=%q\n\n--%s\n", edge, edge)
		textPart(&b, r, text)
		fmt.Fprintf(&b, "\n--%s\nContent-Type: application/pdf; name=\"invoice-%d.pdf\"\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=\"invoice-%d.pdf\"\n\n%s\n--%s--\n",
			edge, n, n, lines64(random(r, fileBytes)), edge)
	default:
		textPart(&b, r, text)
	}
	return []byte(b.String())
}

func messageID(kind string, n int) string { return fmt.Sprintf("%s.%05d@mail.example", kind, n) }

func person(r *rand.Rand, kind string, n int) (name, address string) {
	f, l := first[r.IntN(len(first))], last[r.IntN(len(last))]
	return f + " " + l, fmt.Sprintf("%s.%s.%s%d@shop%d.example", strings.ToLower(f), strings.ToLower(l), kind[:3], n, n%50)
}

// header writes what mails carry when they have come a long way: a third of a
// plain mail.
func header(b *strings.Builder, r *rand.Rand, name, address, subject, id string, n int) {
	_, domain, _ := strings.Cut(address, "@")
	at := time.Date(2026, 8, 1, 0, 0, 37*n, 0, time.UTC)
	fmt.Fprintf(b, "Return-Path: <%s>\nDelivered-To: %s\n", address, deskAddress)
	fmt.Fprintf(b, "Authentication-Results: %s;\n\tdkim=pass header.d=%s header.s=s1 header.b=%08x;\n\tspf=pass smtp.mailfrom=%s;\n\tdmarc=pass (p=none) header.from=%s\n",
		authservID, domain, r.Uint32(), domain, domain)
	for i, hop := range []string{"mx1.perf.example", fmt.Sprintf("out-%d.%s", r.IntN(40), domain), fmt.Sprintf("[192.0.2.%d]", r.IntN(254))} {
		fmt.Fprintf(b, "Received: from %s (%s [198.51.100.%d])\n\tby mx%d.perf.example (Postfix) with ESMTPS id %010X\n\tfor <%s>; %s\n",
			hop, hop, r.IntN(254), i, r.Uint64()>>24, deskAddress, at.Add(-time.Duration(i)*time.Second).Format(time.RFC1123Z))
	}
	fmt.Fprintf(b, "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=%s; s=s1;\n\tt=%d; h=from:to:subject:date:message-id:mime-version:content-type;\n\tbh=%s;\n\tb=%s\n",
		domain, at.Unix(), base64.StdEncoding.EncodeToString(random(r, 32)), strings.ReplaceAll(strings.TrimRight(lines64(random(r, 256)), "\n"), "\n", "\n\t"))
	if r.IntN(2) == 0 {
		fmt.Fprintf(b, "X-Spam-Status: No, score=%.1f required=5.0 tests=DKIM_SIGNED,DKIM_VALID,\n\tDKIM_VALID_AU,SPF_PASS autolearn=ham\n", r.Float64()*5-3)
	}
	fmt.Fprintf(b, "Message-ID: <%s>\nDate: %s\nFrom: %s <%s>\nTo: Support <%s>\nSubject: %s\nX-Mailer: %s\nMIME-Version: 1.0\n",
		id, at.Format(time.RFC1123Z), name, address, deskAddress, subject, programs[r.IntN(len(programs))])
}

// prose makes paragraphs of at least size bytes, in four of ten with letters
// beyond ASCII.
func prose(r *rand.Rand, size int) string {
	foreign := r.IntN(10) < 4
	var b strings.Builder
	b.WriteString("Hello,\n\n")
	for b.Len() < size {
		for range 2 + r.IntN(4) {
			column := 0
			for w := range strings.FieldsSeq(sentences[r.IntN(len(sentences))]) {
				if foreign && r.IntN(30) == 0 {
					w = accents[r.IntN(len(accents))]
				}
				if column+len(w) > 74 {
					b.WriteByte('\n')
					column = 0
				} else if column > 0 {
					b.WriteByte(' ')
				}
				b.WriteString(w)
				column += len(w) + 1
			}
			b.WriteString(".\n")
		}
		if r.IntN(7) == 0 {
			fmt.Fprintf(&b, "https://portal.shop.example/case/%d?ref=%08x\n", r.IntN(99999), r.Uint32())
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// textPart writes the rest of a header, and a body in one of the encodings that
// mail clients use.
func textPart(b *strings.Builder, r *rand.Rand, text string) {
	switch n := r.IntN(10); {
	case n < 7:
		fmt.Fprintf(b, "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n%s", text)
	case n < 9:
		fmt.Fprintf(b, "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n%s", printable(text))
	default:
		fmt.Fprintf(b, "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n%s", lines64([]byte(text)))
	}
}

func markup(r *rand.Rand, text string) string {
	var b strings.Builder
	b.WriteString(`<!DOCTYPE html><html><head><meta charset="utf-8"><style>body{font:14px Arial,sans-serif;color:#222}td{padding:4px}</style></head><body>`)
	for p := range strings.SplitSeq(text, "\n\n") {
		fmt.Fprintf(&b, "<p style=\"margin:0 0 12px 0\">%s</p>\n", strings.ReplaceAll(strings.ReplaceAll(p, "&", "&amp;"), "\n", "<br>\n"))
	}
	fmt.Fprintf(&b, "<table><tr><td>Case</td><td><b>%d</b></td></tr></table><img src=\"https://t.example/%08x.gif\" width=\"1\" height=\"1\"></body></html>\n", r.IntN(9999), r.Uint32())
	return b.String()
}

// printable is quoted-printable with LF.
func printable(text string) string {
	var b strings.Builder
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write([]byte(text)) // a Builder takes everything
	_ = w.Close()
	return strings.ReplaceAll(b.String(), "\r\n", "\n")
}

// lines64 is base64 in lines of 76.
func lines64(data []byte) string {
	s := base64.StdEncoding.EncodeToString(data)
	var b strings.Builder
	for len(s) > 76 {
		b.WriteString(s[:76] + "\n")
		s = s[76:]
	}
	return b.String() + s + "\n"
}

func random(r *rand.Rand, n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(r.Uint32())
	}
	return out
}

// replyTo writes a reply to the k-th message of the stock.
func replyTo(k, n int) []byte {
	r := rand.New(rand.NewPCG(corpusSeed, uint64(n)<<8|'r'))
	var b strings.Builder
	address, cited := stockAddress(k), stockMessageID(k)
	header(&b, r, "Customer", address, "Re: printer", fmt.Sprintf("reply.%d.%d@customer.example", k, n), n%1000)
	fmt.Fprintf(&b, "In-Reply-To: <%s>\nReferences: <%s>\n", cited, cited)
	textPart(&b, r, prose(r, 300+r.IntN(1500))+"\nOn Monday, Support wrote:\n> "+strings.ReplaceAll(prose(r, 1500), "\n", "\n> ")+"\n")
	return []byte(b.String())
}
