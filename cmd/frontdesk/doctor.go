package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"frontdesk/config"
	"frontdesk/store"
)

func doctorCommand() *cobra.Command {
	var connect, asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor [--connect] [--json]",
		Short: "what would wake an operator at night",
		Long: `Doctor looks for what goes wrong quietly: letters that do not leave, mailboxes
that are not read any more, logins and secrets that end, mail that nobody decides
about, a growing quarantine, agents who are believed by their address alone, a
clock that went back, a disk that fills up, files that others may read, backups
that are old, were not verified or were never made.

With --connect it also asks the mail servers and the customers' pages when their
certificates end, and DNS whether your domains have SPF and DMARC policies.

Exit code 1: at least one finding.`,
		Example: "  frontdesk doctor || mail -s 'frontdesk needs you' root",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := openDesk(cmd, false)
			if err != nil {
				return err
			}
			defer d.Close()
			what := examinations
			if connect {
				what = slices.Concat(examinations, connected)
			}
			report, err := d.examine(cmd.Context(), now(), what)
			if err != nil {
				return failed(err)
			}
			return report.print(cmd, asJSON)
		},
	}
	cmd.Flags().BoolVar(&connect, "connect", false, "look at certificates and DNS, too")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// What doctor takes for too much.
const (
	oldLetter     = time.Hour
	oldRow        = 10 * time.Minute
	oldQuarantine = 72 * time.Hour
	muchHeld      = 50
	clockSlack    = 2 * time.Minute
	leastFree     = 1 << 30 // bytes on the disk of data_dir
)

// complaint is one finding of doctor.
type complaint struct {
	Check   string `json:"check"`
	Finding string `json:"finding"`
	Hint    string `json:"hint"`
}

// diagnosis is what doctor prints.
type diagnosis struct {
	OK       bool        `json:"ok"`
	Findings []complaint `json:"findings"`
	Checked  []string    `json:"checked"`
}

// examination is one thing that doctor looks at.
type examination struct {
	name string
	look func(d *desk, ctx context.Context, now time.Time, found func(hint, format string, args ...any)) error
}

var examinations = []examination{
	{"outbox", (*desk).examineOutbox},
	{"mailboxes", (*desk).examineMailboxes},
	{"logins", (*desk).examineLogins},
	{"ledger", (*desk).examineLedger},
	{"quarantine", (*desk).examineQuarantine},
	{"agents", (*desk).examineAgents},
	{"clock", (*desk).examineClock},
	{"disk", (*desk).examineDisk},
	{"permissions", (*desk).examinePermissions},
	{"database", (*desk).examineDatabase},
	{"blobs", (*desk).examineBlobs},
	{"backups", (*desk).examineBackups},
}

// connected are those that ask others than this machine.
var connected = []examination{
	{"certificates", (*desk).examineCertificates},
	{"dns", (*desk).examineDNS},
}

func (d *desk) examine(ctx context.Context, now time.Time, what []examination) (diagnosis, error) {
	out := diagnosis{Findings: []complaint{}}
	for _, e := range what {
		err := e.look(d, ctx, now, func(hint, format string, args ...any) {
			out.Findings = append(out.Findings, complaint{e.name, fmt.Sprintf(format, args...), hint})
		})
		if err != nil {
			return out, fmt.Errorf("look at %s: %w", e.name, err)
		}
		out.Checked = append(out.Checked, e.name)
	}
	out.OK = len(out.Findings) == 0
	return out, nil
}

func (r diagnosis) print(cmd *cobra.Command, asJSON bool) error {
	if asJSON {
		if err := printJSON(cmd.OutOrStdout(), r); err != nil {
			return err
		}
	} else {
		sick := map[string]bool{}
		for _, f := range r.Findings {
			sick[f.Check] = true
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n    hint: %s\n", f.Check, shown(f.Finding), f.Hint)
		}
		for _, name := range r.Checked {
			if !sick[name] {
				fmt.Fprintf(cmd.OutOrStdout(), "ok %s\n", name)
			}
		}
	}
	if !r.OK {
		return &exitError{code: exitFailed}
	}
	return nil
}

func (d *desk) examineOutbox(ctx context.Context, now time.Time, found func(string, string, ...any)) error {
	tally, err := d.db.OutboxTally(ctx)
	if err != nil {
		return err
	}
	if n := tally[store.LetterFailed]; n > 0 {
		found("frontdesk outbox list; then frontdesk outbox retry or drop", "%d letters failed", n)
	}
	if n := tally[store.LetterHeld]; n > 0 {
		found("frontdesk outbox list; then frontdesk outbox retry or drop", "%d letters are held", n)
	}
	waiting, err := d.db.LettersWhere(ctx, []string{store.LetterQueued, store.LetterDot}, 0, 1) // the oldest
	if err != nil || len(waiting) == 0 || now.Sub(waiting[0].Queued) < oldLetter {
		return err
	}
	l := waiting[0]
	found(fmt.Sprintf("frontdesk outbox show %d; frontdesk check --connect; is the daemon running?", l.ID),
		"letter %d to %s waits since %s (%d attempts)%s", l.ID, l.To, stamp(l.Queued), l.Attempts, after(": ", l.Code+" "+l.Detail))
	return nil
}

func (d *desk) examineMailboxes(ctx context.Context, now time.Time, found func(string, string, ...any)) error {
	boxes, err := d.mailboxes(ctx)
	if err != nil {
		return err
	}
	for _, b := range boxes {
		late := 3*b.poll.PollEvery + 5*time.Minute
		switch {
		case b.poll.IMAP == nil:
		case b.cursor.Error != "":
			why, todo, known := strings.Cut(b.cursor.Error, "\nhint: ")
			if !known {
				todo = "frontdesk check --connect"
			}
			found(todo, "%s: %s", b.Address, why)
		case b.cursor.Polled.IsZero():
			found("start the daemon, or frontdesk mailbox poll "+b.Address, "%s was never read", b.Address)
		case now.Sub(b.cursor.Polled) > late:
			found("is the daemon running? frontdesk mailbox poll "+b.Address, "%s was last read %s", b.Address, stamp(b.cursor.Polled))
		}
	}
	return nil
}

func (d *desk) examineLedger(ctx context.Context, now time.Time, found func(string, string, ...any)) error {
	oldest, _, err := d.db.Arrivals(ctx)
	if err == nil && !oldest.IsZero() && now.Sub(oldest) > oldRow {
		found("is the daemon running? frontdesk decide", "mail of %s is not decided yet", stamp(oldest))
	}
	return err
}

func (d *desk) examineQuarantine(ctx context.Context, now time.Time, found func(string, string, ...any)) error {
	held, err := d.db.Quarantine(ctx)
	if err != nil || len(held) == 0 {
		return err
	}
	switch {
	case len(held) > muchHeld:
		found("frontdesk quarantine list; then release or drop", "%d mails in quarantine", len(held))
	case now.Sub(held[0].Received) > oldQuarantine:
		found("frontdesk quarantine list; then release or drop", "%d mails in quarantine, the oldest of %s", len(held), stamp(held[0].Received))
	}
	return nil
}

func (d *desk) examineAgents(_ context.Context, _ time.Time, found func(string, string, ...any)) error {
	if d.cfg.AgentAuth == config.AgentAddressOnly {
		found("agent_auth: authenticated, and trusted_authserv_ids at each mailbox", "agent_auth is address-only: whoever forges an agent's address and has a reply address acts as that agent")
		return nil
	}
	for _, b := range d.cfg.Brands {
		for _, m := range b.Mailboxes {
			if len(m.TrustedAuthservIDs) == 0 {
				found("trusted_authserv_ids: [NAME], as your server names itself in Authentication-Results",
					"%s has no trusted_authserv_ids: agents whose mail carries no DKIM signature are held", m.Address)
			}
		}
	}
	return nil
}

func (d *desk) examineClock(ctx context.Context, now time.Time, found func(string, string, ...any)) error {
	if by := time.Duration(ahead.Load()); by.Abs() > clockSlack/4 {
		found("timedatectl: is the time synchronised, here and on the database's host?", "the database's clock is %s ahead of this machine's", by.Round(time.Second))
	}
	_, newest, err := d.db.Arrivals(ctx)
	if err == nil && newest.Sub(now) > clockSlack {
		found("timedatectl: is the time synchronised?", "the clock went back: the newest mail came at %s, and it is %s", stamp(newest), stamp(now.UTC()))
	}
	return err
}

func (d *desk) examineDisk(_ context.Context, _ time.Time, found func(string, string, ...any)) error {
	free, crowded, known, err := diskOf(d.cfg.DataDir)
	switch {
	case err != nil || !known:
		return err
	case free < leastFree:
		found("make room, or move data_dir", "%d MB free for %s", free>>20, d.cfg.DataDir)
	case crowded:
		found("make room, or move data_dir", "fewer than 1 %% of the file entries are free for %s", d.cfg.DataDir)
	}
	return nil
}

// examinePermissions looks at what the loader does not refuse: it does refuse
// secrets that others can read.
func (d *desk) examinePermissions(_ context.Context, _ time.Time, found func(string, string, ...any)) error {
	look := func(path string, forbidden os.FileMode, wrong string) {
		info, err := os.Stat(path)
		if err == nil && info.Mode().Perm()&forbidden != 0 {
			found("chmod "+wrong+" "+path, "%s has mode %04o", path, info.Mode().Perm())
		}
	}
	look(d.cfg.Path, 0o022, "go-w")
	look(d.cfg.DataDir, 0o027, "o-rwx,g-w")
	if d.cfg.Database.IsPostgres() {
		return nil
	}
	for _, suffix := range []string{"", "-wal", "-shm", ".sent"} {
		look(filepath.Join(d.cfg.DataDir, "frontdesk.db"+suffix), 0o077, "600")
	}
	return nil
}

func (d *desk) examineDatabase(_ context.Context, _ time.Time, found func(string, string, ...any)) error {
	for _, note := range d.db.Notes() {
		found("frontdesk backup FILE --verify", "%s", note)
	}
	return nil
}
