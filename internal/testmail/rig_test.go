package testmail

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

func letter(from, to, subject string) []byte {
	return fmt.Appendf(nil, "From: %s\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <%s@cust.test>\r\n\r\nHello, my printer is on fire. Größe XL.\r\n",
		from, to, subject, strings.ReplaceAll(subject, " ", "-"))
}

func subject(s string) func([]byte) bool {
	return func(raw []byte) bool { return bytes.Contains(raw, []byte("\nSubject: "+s)) }
}

func TestRigDeliversAndClientsAnswer(t *testing.T) {
	t.Parallel()
	r := StartRig(t)
	r.Send("anna@cust.test", []string{"asha+x1@baleyo.test"}, letter("anna@cust.test", "asha@baleyo.test", "fire one"))
	raw := r.Wait("asha@baleyo.test", 10*time.Second, "the mail", subject("fire one"))
	if !bytes.Contains(raw, []byte("asha+x1@baleyo.test")) {
		t.Errorf("the subaddress is lost:\n%s", raw)
	}
	for _, client := range []string{"mutt", "s-nail"} {
		MUA(t, r, client, "asha@baleyo.test", "Please unplug it with "+client+".", MUAOptions{})
		raw := r.Wait("anna@cust.test", 20*time.Second, "answer by "+client, func(raw []byte) bool {
			return bytes.Contains(raw, []byte("unplug it with "+client))
		})
		head, _, _ := bytes.Cut(raw, []byte("\n\n"))
		before, _, _ := bytes.Cut(head, []byte("ESMTPSA"))
		if !bytes.Contains(before, []byte("Authentication-Results: mail.rig.test; dmarc=pass header.from=baleyo.test")) {
			t.Errorf("%s: nobody vouches for the sender above the border:\n%s", client, head)
		}
		if !bytes.Contains(head, []byte("In-Reply-To: <fire-one@cust.test>")) {
			t.Errorf("%s: no In-Reply-To:\n%s", client, head)
		}
	}
}

func TestRigFails(t *testing.T) {
	t.Parallel()
	r := StartRig(t)
	r.Send("anna@cust.test", []string{"nouser@baleyo.test"}, letter("anna@cust.test", "nouser@baleyo.test", "to nobody"))
	r.Wait("anna@cust.test", 10*time.Second, "bounce", func(raw []byte) bool {
		return bytes.Contains(raw, []byte("Status: 5.1.1")) && bytes.Contains(raw, []byte("multipart/report"))
	})
	r.Vacation("away@cust.test")
	r.Send("anna@cust.test", []string{"away@cust.test"}, letter("anna@cust.test", "away@cust.test", "are you there"))
	r.Wait("anna@cust.test", 10*time.Second, "out of office", func(raw []byte) bool {
		return bytes.Contains(raw, []byte("Auto-Submitted: auto-replied"))
	})
}
