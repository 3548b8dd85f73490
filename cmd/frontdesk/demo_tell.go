package main

import (
	"fmt"
	"io"
	"mime"
	"os"
	"strings"

	"github.com/mattn/go-isatty"

	"frontdesk/parser"
	"frontdesk/tickets"
)

// teller narrates the demo on a terminal, in colour where there is one.
type teller struct {
	out   io.Writer
	color bool
	steps int
}

func newTeller(out io.Writer) *teller {
	f, ok := out.(*os.File)
	return &teller{out: out, color: ok && isatty.IsTerminal(f.Fd()) && os.Getenv("NO_COLOR") == ""}
}

func (t *teller) paint(code, text string) string {
	if !t.color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (t *teller) title(text string) { fmt.Fprintf(t.out, "%s\n\n", t.paint("1", text)) }

func (t *teller) say(format string, args ...any) { fmt.Fprintf(t.out, format+"\n", args...) }

func (t *teller) step(text string) {
	t.steps++
	fmt.Fprintf(t.out, "\n%s\n", t.paint("1;36", fmt.Sprintf("%d. %s", t.steps, text)))
}

func (t *teller) wrong(err error) { fmt.Fprintf(t.out, "\n%s %v\n", t.paint("1;31", "failed:"), err) }

// letter shows a message as a mail client does: the fields people look at, and
// the plain text.
func (t *teller) letter(caption string, m *parser.Mail) {
	fmt.Fprintf(t.out, "%s\n", caption+":")
	bar := t.paint("2", "  │ ")
	line := func(s string) { fmt.Fprintln(t.out, strings.TrimRight(bar+s, " ")) }
	line(t.paint("2", "From:    ") + shownAddress(m.From))
	for _, a := range m.To {
		line(t.paint("2", "To:      ") + shownAddress(a))
	}
	line(t.paint("2", "Subject: ") + m.Subject)
	line("")
	for l := range strings.Lines(strings.TrimSpace(m.Text)) {
		line(strings.TrimRight(l, "\r\n"))
	}
}

// shownAddress shortens a relay address to what is worth reading.
func shownAddress(a parser.Address) string {
	address := a.Address
	if local, domain, ok := strings.Cut(address, "@"); ok {
		if user, token, ok := strings.Cut(local, "+"); ok && len(token) > 20 {
			address = user + "+" + token[:8] + "…@" + domain
		}
	}
	if a.Name == "" {
		return address
	}
	return fmt.Sprintf("%q <%s>", a.Name, address)
}

func (t *teller) trace(steps []tickets.Step) {
	for _, s := range steps {
		mark := "  "
		if strings.HasPrefix(s.Verdict, "accepted") {
			mark = t.paint("32", "→ ")
		}
		value := s.Value
		if len(value) > 44 {
			value = value[:40] + " …"
		}
		fmt.Fprintf(t.out, "  %s%-12s %-45s %s\n", mark, s.Rule, value, s.Verdict)
	}
}

func (t *teller) events(events []tickets.Event) {
	t.say("\nThe whole log of #1, append-only:")
	for _, e := range events {
		fmt.Fprintf(t.out, "    %s  %-20s %s: %s\n", e.At.Format("15:04:05"), e.Who, e.What, e.Detail)
	}
}

// join tells how to take part with a mail client of one's own.
func (t *teller) join(s *stage) {
	t.step("Join with any mail client, until Ctrl-C")
	t.say("  IMAP  127.0.0.1 port %d, no encryption\n  SMTP  127.0.0.1 port %d, no encryption, with login\n  users %s\n  password for all: %s", s.office.IMAP.Port(), s.office.SMTP.Port(), strings.Join(demoUsers[2:], ", "), demoPassword)
	t.say("  Write as maria@example.test to support@baleyo.test, and answer as asha@baleyo.test.")
	t.say("  With another shell:\n    export FRONTDESK_CONFIG=%s/frontdesk.yaml\n    frontdesk tickets list; frontdesk explain 1; frontdesk outbox list --all; tail %s/log", s.folder, s.folder)
}

func mimeWord(s string) string { return mime.QEncoding.Encode("utf-8", s) }
