package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"frontdesk/internal/testmail"
)

// newOffice starts a mail provider in this process whose users have a mailbox
// and may submit. Unlike Dovecot, which waits up to half a second, it tells of
// a new mail at once: latency is counted from there.
func newOffice(t *section, users ...string) *testmail.Office {
	known := map[string]string{}
	for _, u := range users {
		known[u] = mailPw
	}
	o, err := testmail.NewOffice(authservID, known)
	if err != nil {
		t.Fatalf("office: %v", err)
	}
	t.Cleanup(func() { _ = o.Close() })
	return o
}

// officeDesk is a desk whose only provider it is.
func officeDesk(t *section, o *testmail.Office, users []string, c deskConfig) *desk {
	c.imap, c.users, c.smtp, c.smtpLogin = o.IMAP.Port(), users, o.SMTP.Port(), true
	return newDesk(t, c)
}

// measureLatency is about one mail on an idle desk, from EXISTS until the SMTP
// server has the acknowledgement, after letters to agents have left.
func measureLatency(t *section) {
	const customers = 400 // each has a few acknowledgements an hour
	n := t.size(100, 3)
	users := []string{deskAddress, deskAgent}
	for i := range customers {
		users = append(users, stockAddress(i))
	}
	o := newOffice(t, users...)
	d := officeDesk(t, o, users[:1], deskConfig{agents: true})
	d.start()
	var p50, p99 []float64
	mail := 0
	t.rounds(func(count bool) {
		var took []float64
		for range n {
			time.Sleep(50 * time.Millisecond) // it is idle again
			mail++
			from := stockAddress(mail % customers)
			took = append(took, acknowledged(t, o, d, from, requestOf(from, mail)))
		}
		slices.Sort(took)
		if count {
			p50, p99 = append(p50, percentile(took, 50)), append(p99, percentile(took, 99))
		}
	})
	d.stop()
	t.add(fmt.Sprintf("EXISTS → acknowledgement accepted, %d mails, p50", n), "ms", p50).atMost(40, 15)
	t.add("… p99", "ms", p99).atMost(150, 0)
}

// requestOf is the n-th mail of a customer of the stock, as the provider keeps it.
func requestOf(from string, n int) []byte {
	return []byte(strings.Join([]string{
		"Return-Path: <" + from + ">", "Authentication-Results: " + authservID + "; dmarc=pass header.from=customer.example",
		"From: Maria Lopez <" + from + ">", "To: " + deskAddress, fmt.Sprintf("Subject: Printer %d", n), fmt.Sprintf("Message-ID: <%d.%s>", n, from),
		"Date: " + time.Now().Format(time.RFC1123Z), "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "",
		strings.Repeat(sentences[n%len(sentences)]+".\r\n", 40),
	}, "\r\n"))
}

// acknowledged lets a mail of a customer arrive and returns how many
// milliseconds later the provider had accepted the acknowledgement.
func acknowledged(t *section, o *testmail.Office, d *desk, from string, raw []byte) float64 {
	seen := len(o.SMTP.Mails())
	began := time.Now()
	if _, err := o.IMAP.Append(deskAddress, "INBOX", raw); err != nil { // the server says EXISTS within it
		t.Fatalf("mail of %s: %v", from, err)
	}
	for more := 1; ; more++ {
		mails, err := o.SMTP.Wait(seen+more, time.Minute)
		if err != nil {
			t.Fatalf("no acknowledgement to %s: %v; log of the desk:\n%s", from, err, d.log(10))
		}
		if i := slices.IndexFunc(mails[seen:], func(m testmail.Accepted) bool { return slices.Contains(m.To, from) }); i >= 0 {
			return float64(mails[seen+i].At.Sub(began)) / float64(time.Millisecond)
		}
	}
}
