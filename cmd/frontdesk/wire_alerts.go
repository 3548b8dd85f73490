package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"frontdesk/config"
	"frontdesk/notify"
	"frontdesk/schedules"
	"frontdesk/tickets"
)

// alertingOf says whom operators' alerts go to.
func alertingOf(cfg *config.Config) tickets.Alerting {
	return tickets.Alerting{Mail: cfg.Alerts.MailTo, Texts: cfg.Alerts.TextTo, Line: cfg.AlertLine(), Repeat: cfg.Alerts.RepeatEvery}
}

func hookOf(cfg *config.Config) notify.HookSettings {
	return notify.HookSettings{URL: cfg.Alerts.Webhook, Command: cfg.Alerts.Command}
}

// host names this machine in conditions that it alone sees: the same after a
// restart, so that a condition that it saw before is over then.
func (dm *daemon) host() string {
	if name := dm.cfg().Nodes.Name; name != "" {
		return name
	}
	return hostname()
}

// alertOptions are the desk's own alerts, wired. Other rooms contribute what they
// see as a function of Watch.
func (dm *daemon) alertOptions() schedules.AlertOptions {
	hook := notify.NewHook(func() notify.HookSettings { return hookOf(dm.cfg()) })
	return schedules.AlertOptions{
		DB: dm.db, Rules: dm.rules, Log: dm.log, Now: now, Wrote: func() { wake(dm.wakeSender) }, Node: dm.host(),
		Settings: func() tickets.Alerting { return alertingOf(dm.cfg()) },
		Mailboxes: func() ([]tickets.WatchedMailbox, time.Duration) {
			return watchedOf(dm.cfg()), dm.cfg().Alerts.MailboxSilentFor
		},
		Watch:   []func(context.Context, time.Time) []tickets.Condition{dm.disk, dm.storage, dm.servers, dm.sweeping, dm.logins()},
		Targets: hook.Targets, Post: hook.Post,
	}
}

// watchedOf are the folders whose silence is told.
func watchedOf(cfg *config.Config) []tickets.WatchedMailbox {
	var out []tickets.WatchedMailbox
	for _, b := range cfg.Brands {
		for _, m := range b.Mailboxes {
			if m.IMAP != nil {
				out = append(out, tickets.WatchedMailbox{Address: m.Address, Folder: m.IMAP.Folder, Poll: m.PollEvery})
			}
		}
	}
	return out
}

// disk is the condition of too little space.
func (dm *daemon) disk(context.Context, time.Time) []tickets.Condition {
	low, mark := dm.room.look()
	if !low {
		return nil
	}
	return []tickets.Condition{tickets.DiskLow(dm.host(), dm.cfg().DataDir, mark)}
}

// servers are the conditions of mail servers that take no letters.
func (dm *daemon) servers(_ context.Context, now time.Time) []tickets.Condition {
	var out []tickets.Condition
	for _, t := range dm.sender.Troubles() {
		if c, is := tickets.SilentServer(t.Mailbox, dm.host(), t.Why, t.Since, now); is {
			out = append(out, c)
		}
	}
	return out
}

func (dm *daemon) sweeping(_ context.Context, now time.Time) []tickets.Condition {
	why, since := dm.sweep.Failing()
	if why == "" {
		return nil
	}
	why, _, _ = strings.Cut(why, "\n")
	if c, is := tickets.SweepFails(dm.host(), why, since, now); is {
		return []tickets.Condition{c}
	}
	return nil
}

// logins are the conditions of app secrets and logins of mailboxes that end. When
// they cannot be looked up they are as they were: an end that comes back is told
// again.
func (dm *daemon) logins() func(context.Context, time.Time) []tickets.Condition {
	var last []tickets.Condition
	return func(ctx context.Context, now time.Time) []tickets.Condition {
		d := dm.current.Load()
		if list, err := d.endings(ctx, now); err == nil {
			last = list
		}
		return last
	}
}

// endings are the conditions of secrets and logins that end.
func (d *desk) endings(ctx context.Context, now time.Time) (out []tickets.Condition, err error) {
	add := func(e tickets.Ending) {
		if c, is := tickets.Ends(e); is {
			out = append(out, c)
		}
	}
	users := map[string][]string{} // mailboxes by app
	for _, b := range d.cfg.Brands {
		for _, m := range b.Mailboxes {
			l, err := d.loginOf(ctx, m)
			if err != nil {
				return nil, err
			}
			if l == nil {
				continue
			}
			users[l.App] = append(users[l.App], m.Address)
			if !l.login.Ends.IsZero() { // its day moves when the token is renewed
				add(tickets.Ending{Key: "login " + m.Address, What: fmt.Sprintf("The login of %s at %s", m.Address, l.Provider), Left: l.login.Ends.Sub(now),
					Hint: "frontdesk mailbox login " + m.Address, Mailboxes: []string{m.Address}})
			}
		}
	}
	for _, app := range d.cfg.OAuth {
		if app.SecretExpires == nil || len(users[app.ID]) == 0 {
			continue
		}
		add(tickets.Ending{Key: "secret oauth." + app.ID, What: "The client secret of oauth." + app.ID, When: app.SecretExpires.String(), Left: app.SecretExpires.AddDate(0, 0, 1).Sub(now),
			Hint: newSecret(app), Mailboxes: users[app.ID]})
	}
	return out, nil
}

// alertNotes say when nobody would be told: a single mailbox carries no letter
// about its own silence.
func alertNotes(cfg *config.Config) config.Findings {
	mailboxes := 0
	for _, b := range cfg.Brands {
		mailboxes += len(b.Mailboxes)
	}
	a := cfg.Alerts
	other := len(a.TextTo) > 0 || a.Webhook != "" || len(a.Command) > 0
	switch {
	case len(a.MailTo) == 0 && !other:
		return config.Findings{cfg.Finding("alerts", "nobody is told when a mailbox cannot be read or the disk is full: the log alone has it (example: alerts: {mail_to: [ops@example.com], webhook: https://…})")}
	case len(a.MailTo) > 0 && !other && mailboxes == 1:
		return config.Findings{cfg.Finding("alerts.mail_to", "the desk has one mailbox: when its mail server is down, the alert about it waits there, too; sms_to, webhook or command reach you then")}
	}
	return nil
}
