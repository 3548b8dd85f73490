package main

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"frontdesk/intake"
	"frontdesk/internal/twiliosim"
	"frontdesk/parser"
	"frontdesk/phone"
	"frontdesk/store"
	"frontdesk/tickets"
)

func quietCommand(t *testing.T) (*cobra.Command, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	cmd := &cobra.Command{}
	cmd.SetContext(t.Context())
	cmd.SetOut(&out)
	cmd.SetErr(io.Discard)
	return cmd, &out
}

// unzipped are the files of an archive.
func unzipped(t *testing.T, data []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out[f.Name] = string(text)
	}
	return out
}

// nothingOf looks for a customer in every way that there is.
func nothingOf(t *testing.T, when string, d *desk, words ...string) {
	t.Helper()
	people, err := d.db.People(t.Context(), "", "", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range people {
		if strings.Contains(strings.Join(p.Addresses, " ")+p.Name, "maria") || strings.Contains(strings.Join(append(p.Phones, p.Addresses...), " "), testCaller) {
			t.Errorf("%s: %+v is there", when, p)
		}
	}
	all, err := d.db.Tickets(t.Context(), store.TicketQuery{Statuses: allStatuses, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, ticket := range all {
		whole, err := d.wholeTicket(t.Context(), ticket.ID, true)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := printJSON(&b, whole); err != nil {
			t.Fatal(err)
		}
		for _, w := range words {
			if strings.Contains(strings.ToLower(b.String()), strings.ToLower(w)) {
				t.Errorf("%s: %q is on ticket %d", when, w, ticket.ID)
			}
		}
	}
	for _, w := range words {
		found, err := d.db.Tickets(t.Context(), store.TicketQuery{Search: w, Statuses: allStatuses, Limit: 1000})
		if err != nil || len(found) > 0 {
			t.Errorf("%s: a search for %q finds %d, %v", when, w, len(found), err)
		}
	}
}

// TestErasedStaysErased: a customer is exported and erased; then the mailbox gets
// new UIDs, the telephone company is asked for what no webhook brought, and last
// week's backup is put back. Nothing of the customer is back, others are as they
// were, and who writes again is served.
func TestErasedStaysErased(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "support@one.test", "asha@one.test", "bikram@one.test", "chandra@one.test", "maria@one.test", "bert@one.test")
	live, sim := openPhoneDesk(t, o)
	ctx, db := t.Context(), live.db

	post(t, o, "maria@one.test", "Maria <maria@one.test>", "support@one.test", mailText("The xylophone is broken.", "Subject: Xylophone", "Message-ID: <one@maria.test>"))
	post(t, o, "bert@one.test", "Bert <bert@one.test>", "support@one.test", mailText("The trombone is broken.", "Subject: Trombone", "Message-ID: <one@bert.test>"))
	waitMail(t, o, "maria@one.test", "the acknowledgement", subject("[One #"))
	waitMail(t, o, "bert@one.test", "the acknowledgement", subject("[One #"))
	maria, err := db.PersonByAddress(ctx, "one", "maria@one.test")
	if err != nil {
		t.Fatal(err)
	}
	maria.Phones = []string{testCaller}
	if _, err := db.SavePerson(ctx, maria, time.Now()); err != nil {
		t.Fatal(err)
	}
	_, err = sim.Text(twiliosim.Text{From: testCaller, To: testNumber, Body: "My glockenspiel, too."})
	if err != nil {
		t.Fatal(err)
	}
	waitMail(t, o, "asha@one.test", "the text", text("glockenspiel"))
	acknowledged := func() bool { return len(sim.Outbox()) > 0 }
	if !waitUntil(acknowledged) {
		t.Fatal("the text was not acknowledged")
	}
	backup := filepath.Join(t.TempDir(), "before.db")
	if err := db.Backup(ctx, backup); err != nil {
		t.Fatal(err)
	}

	var archive bytes.Buffer
	if err := live.export(ctx, &archive, maria); err != nil {
		t.Fatal(err)
	}
	files := unzipped(t, archive.Bytes())
	everything := ""
	for _, name := range sortedKeys(files) {
		everything += name + "\n" + files[name]
	}
	for _, want := range []string{"xylophone is broken", "glockenspiel", "index.html", "mails/", "letters/", "acknowledgement"} {
		if !strings.Contains(everything, want) {
			t.Errorf("%q is not in the archive", want)
		}
	}
	for _, other := range []string{"trombone", "bert@one.test", "asha@one.test"} {
		if strings.Contains(strings.ToLower(everything), other) {
			t.Errorf("%q is in the archive", other)
		}
	}

	cmd, out := quietCommand(t)
	if err := live.erase(cmd, maria, erasing{yes: true}); err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`(?m)^own tickets: +2$`).MatchString(out.String()) {
		t.Errorf("%s", out)
	}
	words := []string{"xylophone", "glockenspiel", "maria@one.test", testCaller}
	nothingOf(t, "erased", live.desk, words...)

	if err := o.IMAP.Renumber("support@one.test", "INBOX"); err != nil {
		t.Fatal(err)
	}
	if !waitUntil(func() bool { // the mailbox was read under its new UIDVALIDITY
		c, err := db.Cursor(ctx, "support@one.test", "INBOX")
		return err == nil && c.UIDValidity > 1 && c.UID >= 2
	}) {
		c, _ := db.Cursor(ctx, "support@one.test", "INBOX")
		t.Fatalf("the mailbox was not read again: %+v", c)
	}
	client, err := newPhoneClient(live.cfg)
	if err != nil {
		t.Fatal(err)
	}
	r := intake.NewTwilioReconciler(intake.TwilioReconcilerOptions{DB: db, Client: func() *phone.Client { return client }, Rules: func() tickets.Rules { return live.rules },
		Every: func() time.Duration { return time.Hour }, Days: func() int { return 7 }})
	if got, err := r.Pass(ctx); err != nil || len(got.Missing) > 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if !waitUntil(func() bool { tally, err := db.Tally(ctx, ""); return err == nil && tally.Undecided == 0 }) {
		t.Fatal("rows are undecided")
	}
	nothingOf(t, "rescanned and reconciled", live.desk, words...)

	if !waitUntil(func() bool { n, err := db.Redactions(ctx); return err == nil && n == 0 || redactNow(t, live) }) {
		t.Error("copies at the telephone company wait")
	}
	for _, m := range sim.Outbox() {
		if m.To == testCaller && m.Body != "" {
			t.Errorf("the telephone company keeps %q", m.Body)
		}
	}

	live.stop()
	live.stop = func() {}
	cmd, out = quietCommand(t)
	if err := restore(cmd, live.cfg, backup, true); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "erased again: 1") {
		t.Errorf("%s", out)
	}
	data, err := os.ReadFile(databaseOf(live.cfg))
	if err != nil || bytes.Contains(bytes.ToLower(data), []byte("xylophone")) || bytes.Contains(data, []byte("maria@one.test")) {
		t.Error("the restored file holds the customer", err)
	}
	if !bytes.Contains(data, []byte("bert@one.test")) {
		t.Error("others are gone from the restored file")
	}
	again, err := deskOf(ctx, live.cfg, true)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	nothingOf(t, "restored", again, words...)
	if _, err := again.db.PersonByAddress(ctx, "one", "bert@one.test"); err != nil {
		t.Error(err)
	}
}

// redactNow does the redactor's next pass at once. It reports false: the caller
// looks again.
func redactNow(t *testing.T, live *liveDesk) bool {
	client, err := newPhoneClient(live.cfg)
	if err != nil {
		t.Fatal(err)
	}
	_, err = intake.NewRedactor(intake.RedactorOptions{DB: live.db, Client: func() *phone.Client { return client }}).Pass(t.Context())
	if err != nil {
		t.Error(err)
	}
	return false
}

// TestPasscodeByMail: an unproven question about an account is answered by a
// code; the reply with it proves who asks, and agents see it.
func TestPasscodeByMail(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "support@one.test", "asha@one.test", "bikram@one.test", "chandra@one.test", "maria@one.test")
	yaml := oneBrand(o, "One", "one.test", "categories:\n  account: {keywords: [password]}\npasscodes: {categories: [account]}\n")
	yaml = strings.Replace(yaml, "[asha@one.test, bikram@one.test]", "[asha@one.test]", 1)
	yaml = strings.Replace(yaml, "        trusted_authserv_ids: [mx.office.test]\n", "", 1) // nobody proves customers
	yaml = "agent_auth: address-only\n" + yaml
	live := openDeskAt(t, o, yaml)
	post(t, o, "maria@one.test", "Maria <maria@one.test>", "support@one.test", mailText("Which password did I set? I forgot my password.", "Subject: My password", "Message-ID: <one@maria.test>"))
	m := waitMail(t, o, "maria@one.test", "the passcode", subject("Your code"))
	code := regexp.MustCompile(`(?m)^\s*(\d{6})\s*$`).FindStringSubmatch(m.Text)
	if code == nil {
		t.Fatalf("no code in %q", m.Text)
	}
	waitMail(t, o, "asha@one.test", "the warning", text("not proven; do not disclose"))
	post(t, o, "maria@one.test", "Maria <maria@one.test>", m.ReplyTo[0].Address, mailText(code[1], "Subject: Re: "+m.Subject, "Message-ID: <two@maria.test>", "In-Reply-To: <"+m.MessageID+">"))
	waitMail(t, o, "asha@one.test", "the proof", func(m *parser.Mail) bool { return strings.Contains(m.Text, "proven by passcode") })
	ticket, err := live.db.Ticket(t.Context(), 1)
	if err != nil || ticket.Identity != tickets.IdentityPasscode {
		t.Errorf("%q, %v", ticket.Identity, err)
	}
}
