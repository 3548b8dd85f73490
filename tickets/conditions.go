package tickets

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The conditions that every desk watches, each a function of what was read.

// WatchedMailbox is an IMAP folder as the alerts see it.
type WatchedMailbox struct {
	Address, Folder string
	Poll            time.Duration // how often it is looked at
	Polled          time.Time     // last pass without an error; zero never
	Error           string        // why the last one failed, "" when it did not. A line "hint: …" in it says what to do
}

// SilentMailbox is the dead man's switch of a mailbox: no successful pass for
// longer than after. since is when the desk began to read it: before that its
// silence says nothing.
func SilentMailbox(m WatchedMailbox, after time.Duration, since, now time.Time) (Condition, bool) {
	last := m.Polled
	if since.After(last) {
		last = since
	}
	if after <= 0 || now.Sub(last) < max(after, 3*m.Poll) {
		return Condition{}, false
	}
	c := Condition{Key: MailboxKey(m), Mailbox: m.Address}
	read := "was never read"
	if !m.Polled.IsZero() {
		read = "was last read at " + m.Polled.UTC().Format("2006-01-02 15:04 UTC")
	}
	why, hint := splitHint(m.Error)
	c.Text = fmt.Sprintf("Mailbox %s %s: mail to it waits on its server, none is lost.", m.Address, read)
	c.Hint = hint
	switch {
	case why == "":
		c.Text += " The server does not answer."
	default:
		c.Text += " The error: " + why + "."
	}
	if hint == "" {
		c.Hint = mailboxHint(why, m.Address)
	}
	return c, true
}

// MailboxKey is the key of a mailbox's silence.
func MailboxKey(m WatchedMailbox) string { return "mailbox " + m.Address + " " + m.Folder }

// mailboxHint is what to do about an error of an IMAP server.
func mailboxHint(why, address string) string {
	low := strings.ToLower(why)
	switch {
	case strings.Contains(low, "log in"), strings.Contains(low, "authenticat"):
		return "The server refuses the login: put the right password into password_file (an app password where the provider wants one), then: systemctl reload frontdesk; frontdesk mailbox poll " + address
	case strings.Contains(low, "certificate"), strings.Contains(low, "tls"):
		return "The server's certificate is not believed: renew it, or set ca_file and host to what it says, then: frontdesk check --connect"
	case strings.Contains(low, "select"):
		return "The folder cannot be opened: check imap.folder, then: frontdesk check --connect"
	}
	return "See that the server runs and can be reached from here: frontdesk check --connect; frontdesk mailbox poll " + address
}

// splitHint takes the "hint: …" line off an error.
func splitHint(text string) (why, hint string) {
	why, hint, _ = strings.Cut(text, "hint: ")
	return strings.TrimRight(strings.TrimSpace(why), "."), strings.TrimSpace(hint)
}

// SilentServer is about a mailbox whose letters do not leave: the SMTP server is
// away, or refuses encryption or the login, since a time.
func SilentServer(mailbox, node, why string, since, now time.Time) (Condition, bool) {
	low := strings.ToLower(why)
	hint, after := "", 5*time.Minute
	switch {
	case strings.Contains(low, "certificate"), strings.Contains(low, "x509"):
		hint, after = "The server's certificate is not believed, and no letter leaves in the clear: renew it, or set ca_file and host to what it says, then: frontdesk check --connect", 0
	case strings.Contains(low, "starttls"), strings.Contains(low, "tls"):
		hint, after = "The server offers no encryption any more, and no letter leaves in the clear. Somebody between may take it off: find out why, then: frontdesk check --connect", 0
	case strings.Contains(low, "auth"), strings.Contains(low, "535"), strings.Contains(low, "534"), strings.Contains(low, "530"):
		hint, after = "The server refuses the login: put the right password into smtp.password_file, then: systemctl reload frontdesk; frontdesk check --connect", 0
	}
	if now.Sub(since) < after {
		return Condition{}, false
	}
	why, own := splitHint(why)
	if own != "" {
		hint = own
	}
	if hint == "" {
		hint = "See that the server runs and can be reached from here: frontdesk check --connect; frontdesk outbox list"
	}
	return Condition{
		Key: "smtp " + mailbox + " " + node, Node: node, Mailbox: mailbox, Sending: true, Hint: hint,
		Text: fmt.Sprintf("Letters of %s do not leave since %s; they wait in the outbox, none is lost. The error: %s.", mailbox, since.UTC().Format("2006-01-02 15:04 UTC"), why),
	}, true
}

// Ages from which what waits is told of.
const (
	oldestLetter    = 2 * time.Hour
	oldestUndecided = 15 * time.Minute
)

// WaitingLetter is about the oldest letter in the outbox.
func WaitingLetter(id int64, queued, now time.Time) (Condition, bool) {
	if id == 0 || now.Sub(queued) < oldestLetter {
		return Condition{}, false
	}
	return Condition{
		Key: "outbox", Text: fmt.Sprintf("Letter %d waits in the outbox since %s.", id, queued.UTC().Format("2006-01-02 15:04 UTC")),
		Hint: fmt.Sprintf("frontdesk outbox show %d says why; frontdesk outbox retry or drop", id),
	}, true
}

// WaitingRow is about the oldest row of the ledger that nobody decides. since is
// from when on it has been the oldest: how old the mail is says nothing, it may
// have waited on its server.
func WaitingRow(received, since, now time.Time) (Condition, bool) {
	if received.IsZero() || now.Sub(since) < oldestUndecided {
		return Condition{}, false
	}
	return Condition{
		Key: "ledger", Text: fmt.Sprintf("Mail of %s is in the ledger and is not decided.", received.UTC().Format("2006-01-02 15:04 UTC")),
		Hint: "journalctl -u frontdesk -p warning says why; frontdesk doctor",
	}, true
}

// Poison is about mails that could not be handled and wait in quarantine. last
// is the newest of them.
func Poison(n int, last int64) (Condition, bool) {
	if n == 0 {
		return Condition{}, false
	}
	return Condition{
		Key: "poison", Passing: true,
		Text: fmt.Sprintf("%d mails could not be handled and wait in quarantine as they came, the newest is %d.", n, last),
		Hint: fmt.Sprintf("frontdesk quarantine show %d; release tries it again, drop leaves it", last),
	}, true
}

// DiskLow is about a disk with fewer free bytes than the low-water mark.
func DiskLow(node, dir string, mark uint64) Condition {
	return Condition{
		Key: "disk " + node, Node: node,
		Text: fmt.Sprintf("Less than %d MB are free for %s: nothing is taken in until there is room. Mail waits on its server, none is lost; letters still leave.", mark>>20, dir),
		Hint: "Make room, or move data_dir; taking in goes on by itself (alerts.disk_free)",
	}
}

// BlobsDown is about a place of large mails outside of the database.
func BlobsDown(node, place string) Condition {
	return Condition{
		Key: "blobs " + place + " " + node, Node: node,
		Text: fmt.Sprintf("The %s that keeps the bytes of large mails does not answer. Large mail waits on its server and letters with such files wait here; everything else goes on, and nothing is lost.", place),
		Hint: "frontdesk doctor says why; it goes on by itself when the storage answers (blobs)",
	}
}

// DatabaseDown is about a database that does not take what the desk writes.
func DatabaseDown(node, why string) Condition {
	return Condition{
		Key: "database " + node, Node: node,
		Text: "The database does not take what the desk writes: " + why + ". Nothing is acknowledged to any server meanwhile, and nothing is lost.",
		Hint: "frontdesk doctor; journalctl -u frontdesk -p err; is the disk full, is PostgreSQL running?",
	}
}

// SweepFails is about what is due and cannot be looked at.
func SweepFails(node, why string, since, now time.Time) (Condition, bool) {
	if now.Sub(since) < 2*time.Minute {
		return Condition{}, false
	}
	return Condition{
		Key: "sweep " + node, Node: node,
		Text: "What is due (reminders, escalations, daily letters) is not done since " + since.UTC().Format("2006-01-02 15:04 UTC") + ": " + why + ".",
		Hint: "journalctl -u frontdesk -p err; frontdesk doctor",
	}, true
}

// Ending is something of a provider of mail that ends on a known day, such as the
// secret of an app.
type Ending struct {
	Key       string        // "oauth mail"
	What      string        // "The client secret of oauth.mail"
	When      string        // the day, "2027-06-30"; "" where it moves
	Left      time.Duration // until then
	Hint      string        // how to come by another one
	Mailboxes []string      // that cannot be read nor send afterwards
}

// endingDays are the days before an end at which it is told, once each. With the
// end itself they are all there is: what has ended shows in its mailboxes.
var endingDays = []int{1, 7, 30}

// Ends is the condition of what ends soon, or has. It is told at each of its
// stages and never repeated in between.
func Ends(e Ending) (Condition, bool) {
	day := ""
	if e.When != "" {
		day = " on " + e.When
	}
	c := Condition{Key: e.Key, Hint: e.Hint, Passing: true}
	for i, m := range e.Mailboxes {
		if i == 0 {
			c.Mailbox = m
		} else {
			c.Also = strings.TrimSpace(c.Also + " " + m)
		}
	}
	of := "Then mail of "
	switch left := int(e.Left.Hours() / 24); {
	case e.Left <= 0:
		c.Text, c.Sending, of = e.What+" has ended"+day+".", true, "Mail of "
	default:
		i := slices.IndexFunc(endingDays, func(n int) bool { return left <= n })
		switch {
		case i < 0:
			return Condition{}, false
		case endingDays[i] == 1:
			c.Text = e.What + " ends within a day" + strings.Replace(day, " on ", ": on ", 1) + "."
		default:
			c.Text = fmt.Sprintf("%s ends within %d days%s.", e.What, endingDays[i], strings.Replace(day, " on ", ": on ", 1))
		}
	}
	if len(e.Mailboxes) > 0 {
		c.Text += " " + of + strings.Join(e.Mailboxes, ", ") + " waits on its server and their letters in the outbox; none is lost."
	}
	return c, true
}

// ClockJumped is about a clock that went another way than time does.
func ClockJumped(node string, by time.Duration, now time.Time) Condition {
	return Condition{
		Key: "clock " + node, Node: node, Passing: true,
		Text: fmt.Sprintf("The clock of %s jumped by %s; it says %s now. What is due goes by it.", node, by.Round(time.Second), now.UTC().Format("2006-01-02 15:04 UTC")),
		Hint: "timedatectl: is the time right, is it synchronised?",
	}
}
