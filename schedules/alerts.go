package schedules

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"frontdesk/store"
	"frontdesk/tickets"
)

// AlertOptions of NewAlerts.
type AlertOptions struct {
	DB       *store.DB
	Rules    func() tickets.Rules    // read at the start of each pass
	Settings func() tickets.Alerting // whom to tell
	Log      *slog.Logger            // nil: none
	Now      func() time.Time        // nil: time.Now; read once a pass
	Every    time.Duration           // default 30 s
	Wrote    func()                  // letters may be waiting; nil: nobody asks
	Node     string                  // names this machine in conditions that it alone sees

	// Mailboxes are the folders that are read, and after how long a silence of one
	// is told; their Polled and Error are looked up here.
	Mailboxes func() ([]tickets.WatchedMailbox, time.Duration)
	// Watch are the conditions that others see now: servers that are away, a disk
	// that is full. What is seen in the database is looked for here. The error is
	// of the look; prefixes of keys that it could not look at are in Blind.
	Watch []func(ctx context.Context, now time.Time) []tickets.Condition
	// Targets are where alerts are posted beside mail and text: webhook, command.
	Targets func() []string
	// Post hands an alert to a target. It is asked in an emergency, too, when the
	// database takes nothing.
	Post func(ctx context.Context, target string, body []byte) error
}

// Alerts tells the operators when the desk itself is sick, and when it is well
// again. A condition is a row: told once, seldom repeated, its end told once,
// across restarts and nodes. Letters about it go through the outbox, posts are
// kept until they were taken.
//
// When the database takes nothing, the posts leave at once, without a row, at
// most once an hour for each condition; the log has it in any case.
type Alerts struct {
	opt  AlertOptions
	beat atomic.Int64

	began   time.Time      // of the desk's own reading of mailboxes
	wall    time.Time      // of the last pass, by the desk's clock
	mono    time.Time      // the same, by the machine's
	jumped  time.Time      // when the clock jumped last
	jump    time.Duration  // by how much
	oldest  time.Time      // the ledger's oldest undecided row
	since   time.Time      // from when on it was that
	cried   map[string]cry // in an emergency, what was posted, by key
	failing string         // why passes fail

	mu   sync.Mutex
	open []tickets.Condition // what lasts, as of the last pass
}

// cry is what was posted without a row.
type cry struct {
	condition tickets.Condition
	since     time.Time
	at        time.Time
}

// Of posts that are not taken.
const (
	postClaim   = 2 * time.Minute
	postFirst   = 15 * time.Second
	postLast    = 15 * time.Minute
	postGiveUp  = 24 * time.Hour
	postsAtOnce = 50
)

const (
	jumpSlack = 2 * time.Minute
	jumpTold  = 10 * time.Minute // how long a jump counts as a condition
	cryAgain  = time.Hour
	cryLater  = 5 * time.Minute // when a target did not take it
	toldSince = 2 * time.Hour   // rows of alerts that are over are read for so long
)

// NewAlerts prepares the loop; it starts nothing.
func NewAlerts(opt AlertOptions) *Alerts {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Every <= 0 {
		opt.Every = 30 * time.Second
	}
	if opt.Wrote == nil {
		opt.Wrote = func() {}
	}
	if opt.Targets == nil {
		opt.Targets = func() []string { return nil }
	}
	if opt.Mailboxes == nil {
		opt.Mailboxes = func() ([]tickets.WatchedMailbox, time.Duration) { return nil, 0 }
	}
	a := &Alerts{opt: opt, cried: map[string]cry{}}
	a.alive()
	return a
}

// Beat returns when the loop last made progress: the watchdog's question.
func (a *Alerts) Beat() time.Time { return time.Unix(0, a.beat.Load()) }

func (a *Alerts) alive() { a.beat.Store(time.Now().UnixNano()) }

// Open lists what is wrong, as of the last pass.
func (a *Alerts) Open() []tickets.Condition {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.open)
}

// Run watches until ctx ends. It returns nil: what goes wrong is told by another
// way.
func (a *Alerts) Run(ctx context.Context) error {
	tick := time.NewTicker(a.opt.Every)
	defer tick.Stop()
	for {
		a.Pass(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Pass looks once, and tells what is to be told.
func (a *Alerts) Pass(ctx context.Context) {
	defer a.alive()
	now := a.opt.Now()
	if a.began.IsZero() || now.Before(a.began) {
		a.began = now
	}
	conditions := a.clock(now)
	for _, watch := range a.opt.Watch {
		conditions = append(conditions, watch(ctx, now)...)
	}
	if has(conditions, "disk ") { // what follows from it is told by it
		conditions = slices.DeleteFunc(conditions, func(c tickets.Condition) bool { return strings.HasPrefix(c.Key, "sweep ") })
	}
	stored, blind, err := a.stored(ctx, conditions, now)
	conditions = append(conditions, stored...)
	a.mu.Lock()
	a.open = conditions
	a.mu.Unlock()
	err = errors.Join(err, a.tell(ctx, conditions, blind, now))
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		a.emergency(ctx, conditions, err, now)
	} else {
		a.calm(ctx, conditions, now)
		err = a.posts(ctx, now)
	}
	a.remark(err)
}

// remark logs that passes fail, and that they do no more, once each.
func (a *Alerts) remark(err error) {
	switch {
	case err == nil && a.failing != "":
		a.opt.Log.Info("alerts kept again")
		a.failing = ""
	case err != nil && a.failing != err.Error():
		a.opt.Log.Error("alerts not kept", "err", err)
		a.failing = err.Error()
	}
}

// clock sees whether the desk's clock went as the machine's timer did.
func (a *Alerts) clock(now time.Time) []tickets.Condition {
	mono := time.Now()
	if !a.wall.IsZero() {
		by := now.Sub(a.wall) - mono.Sub(a.mono)
		if by.Abs() > jumpSlack {
			a.jumped, a.jump = mono, by
		}
	}
	a.wall, a.mono = now.Round(0), mono
	if a.jumped.IsZero() || mono.Sub(a.jumped) > jumpTold {
		return nil
	}
	c := tickets.ClockJumped(a.opt.Node, a.jump, now)
	c.Text, _, _ = strings.Cut(c.Text, "; it says") // the same text while it counts
	c.Text += ". What is due goes by it."
	return []tickets.Condition{c}
}

// stored are the conditions that are seen in the database. Blind names those that
// were not looked for.
func (a *Alerts) stored(ctx context.Context, others []tickets.Condition, now time.Time) (out []tickets.Condition, blind []string, err error) {
	add := func(c tickets.Condition, is bool) {
		if is {
			out = append(out, c)
		}
	}
	lost := func(e error, key string) {
		if e != nil {
			err, blind = errors.Join(err, e), append(blind, key)
		}
	}
	boxes, after := a.opt.Mailboxes()
	cursors, e := a.opt.DB.Cursors(ctx)
	lost(e, "mailbox ")
	for _, m := range boxes {
		// What is not fetched because the disk is full is no fault of the mailbox.
		if e != nil || has(others, "disk ") {
			blind = append(blind, "mailbox ")
			break
		}
		for _, cur := range cursors {
			if tickets.SameAddress(cur.Mailbox, m.Address) && cur.Folder == m.Folder {
				m.Polled, m.Error = cur.Polled, cur.Error
			}
		}
		c, is := tickets.SilentMailbox(m, after, a.began, now)
		add(c, is)
		if !is && m.Polled.Before(a.began) { // not read since the start: it may be silent still
			blind = append(blind, tickets.MailboxKey(m))
		}
	}
	id, queued, e := a.opt.DB.OldestLetter(ctx, now.Add(time.Hour))
	lost(e, "outbox")
	if c, is := tickets.WaitingLetter(id, queued, now); is && !has(others, "smtp ") { // one cause, one alert
		add(c, is)
	}
	received, _, e := a.opt.DB.Arrivals(ctx)
	lost(e, "ledger")
	if !received.Equal(a.oldest) || a.since.IsZero() || now.Before(a.since) {
		a.oldest, a.since = received, now
	}
	add(tickets.WaitingRow(a.oldest, a.since, now))
	n, last, e := a.opt.DB.Poisoned(ctx)
	lost(e, "poison")
	add(tickets.Poison(n, last))
	return out, blind, err
}

func has(list []tickets.Condition, prefix string) bool {
	return slices.ContainsFunc(list, func(c tickets.Condition) bool { return strings.HasPrefix(c.Key, prefix) })
}

// tell saves what has changed, with the letters and posts about it. Where nothing
// has, nothing is written.
func (a *Alerts) tell(ctx context.Context, conditions []tickets.Condition, blind []string, now time.Time) error {
	rules, to := a.opt.Rules(), a.opt.Settings()
	brands := slices.Sorted(maps.Keys(rules.Brands))
	if len(brands) == 0 {
		return nil
	}
	was, err := a.opt.DB.Alerts(ctx, now.Add(-toldSince))
	if err != nil {
		return err
	}
	steps := tickets.AlertSteps(was, conditions, a.opt.Node, blind, to.Repeat, now)
	if len(steps) == 0 {
		return nil
	}
	err = a.opt.DB.Decide(ctx, brands[0], func(tx *store.Tx) error {
		was, err := tx.Alerts(ctx, now.Add(-toldSince)) // another node may have come first
		if err != nil {
			return err
		}
		steps = tickets.AlertSteps(was, conditions, a.opt.Node, blind, to.Repeat, now)
		for _, s := range steps {
			if err := tx.SaveAlert(ctx, s.Alert); err != nil {
				return err
			}
			if err := a.keep(ctx, tx, s, now); err != nil {
				return err
			}
		}
		letters := tickets.AlertLetters(steps, conditions, to, rules, now)
		if len(letters) == 0 {
			return nil
		}
		_, err = tx.Save(ctx, 0, "", "", tickets.Change{Brand: brands[0], Letters: letters}, now)
		return err
	})
	if err != nil {
		return err
	}
	for _, s := range steps {
		if _, cried := a.cried[s.Key]; !cried {
			a.log(s)
		}
		delete(a.cried, s.Key) // it has a row now
	}
	a.opt.Wrote()
	return nil
}

// keep keeps a step for the targets that were not told of it in an emergency.
func (a *Alerts) keep(ctx context.Context, tx *store.Tx, s tickets.AlertStep, now time.Time) error {
	_, cried := a.cried[s.Key]
	if s.Event == "" || s.Event == tickets.AlertRaised && cried {
		return nil
	}
	for _, target := range a.opt.Targets() {
		if err := tx.AddAlertPost(ctx, target, string(a.body(s, now)), now); err != nil {
			return err
		}
	}
	return nil
}

// posted is an alert as webhooks and programs get it.
type posted struct {
	Event     tickets.AlertEvent `json:"event"`
	Condition string             `json:"condition"`
	Text      string             `json:"text"`
	Hint      string             `json:"hint,omitempty"`
	Mailbox   string             `json:"mailbox,omitempty"`
	Node      string             `json:"node"`
	Since     time.Time          `json:"since"`
	At        time.Time          `json:"at"`
}

func (a *Alerts) body(s tickets.AlertStep, now time.Time) []byte {
	b, err := json.Marshal(posted{Event: s.Event, Condition: s.Key, Text: s.Text, Hint: s.Hint, Mailbox: s.Mailbox, Node: a.opt.Node, Since: s.Since.UTC(), At: now.UTC()})
	if err != nil {
		panic(err) // strings and times marshal
	}
	return b
}

func (a *Alerts) log(s tickets.AlertStep) {
	switch s.Event {
	case "":
	case tickets.AlertRecovered:
		a.opt.Log.Info("alert over", "reason", s.Text)
	case tickets.AlertRaised:
		a.opt.Log.Error("alert", "reason", s.Text, "hint", s.Hint)
	default:
		a.opt.Log.Warn("alert lasts", "reason", s.Text, "hint", s.Hint)
	}
}

// emergency posts what no row could be written about, each at most once an hour.
// Of a full disk and what follows from it only the disk is told.
func (a *Alerts) emergency(ctx context.Context, conditions []tickets.Condition, why error, now time.Time) {
	if !has(conditions, "disk ") {
		conditions = append(conditions, tickets.DatabaseDown(a.opt.Node, shortened(why)))
	}
	for _, c := range conditions {
		was, cried := a.cried[c.Key]
		if cried && now.Sub(was.at) < cryAgain && was.at.Sub(now) < cryAgain {
			continue
		}
		if !cried {
			was.since = now
		}
		a.cried[c.Key] = cry{c, was.since, now}
		s := tickets.AlertStep{Alert: tickets.Alert{Condition: c, Since: was.since}, Event: tickets.AlertRaised}
		if cried {
			s.Event = tickets.AlertRepeated
		}
		a.log(s)
		a.post(ctx, s, now)
	}
}

// calm says what is over of what was posted without a row.
func (a *Alerts) calm(ctx context.Context, conditions []tickets.Condition, now time.Time) {
	for _, key := range slices.Sorted(maps.Keys(a.cried)) {
		if has(conditions, key) {
			continue
		}
		c := a.cried[key]
		s := tickets.AlertStep{Alert: tickets.Alert{Condition: c.condition, Since: c.since}, Event: tickets.AlertRecovered}
		a.log(s)
		a.post(ctx, s, now)
		delete(a.cried, key)
	}
}

// post hands a step to all targets now.
func (a *Alerts) post(ctx context.Context, s tickets.AlertStep, now time.Time) {
	for _, target := range a.opt.Targets() {
		if err := a.opt.Post(ctx, target, a.body(s, now)); err != nil {
			a.opt.Log.Error("alert not taken", "to", target, "err", err)
			if c, ok := a.cried[s.Key]; ok { // once more before the hour is over
				c.at = now.Add(cryLater - cryAgain)
				a.cried[s.Key] = c
			}
		}
		a.alive()
	}
}

// posts hands over what is due.
func (a *Alerts) posts(ctx context.Context, now time.Time) error {
	if a.opt.Post == nil {
		return nil
	}
	for range postsAtOnce {
		if ctx.Err() != nil {
			return nil
		}
		p, ok, err := a.opt.DB.ClaimAlertPost(ctx, now, now.Add(postClaim))
		if err != nil || !ok {
			return err
		}
		err = a.opt.Post(ctx, p.Target, []byte(p.Body))
		a.alive()
		switch {
		case err == nil, now.Sub(p.Since) > postGiveUp:
			if err != nil {
				a.opt.Log.Error("alert given up", "to", p.Target, "attempt", p.Attempts+1, "err", err)
			}
			err = a.opt.DB.EndAlertPost(ctx, p.ID)
		case ctx.Err() != nil: // being stopped: the claim runs out
			return nil
		default:
			wait := min(postFirst<<min(p.Attempts, 10), postLast)
			a.opt.Log.Warn("alert not taken", "to", p.Target, "attempt", p.Attempts+1, "retry", wait, "err", err)
			err = a.opt.DB.DelayAlertPost(ctx, p.ID, now.Add(wait))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// shortened is an error as an operator reads it at night.
func shortened(err error) string {
	text, _, _ := strings.Cut(err.Error(), "\n")
	return fmt.Sprintf("%.300s", text)
}
