package intake

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"frontdesk/phone"
	"frontdesk/store"
	"frontdesk/tickets"
)

// TwilioReconcilerOptions describe the loop that looks for what no webhook
// brought.
type TwilioReconcilerOptions struct {
	DB *store.DB
	// Client is the account; it returns nil when the desk has no telephone.
	Client func() *phone.Client
	Rules  func() tickets.Rules
	// Every is the time between two passes, Days how far each looks back.
	Every func() time.Duration
	Days  func() int
	// Delete reports whether recordings that are stored here are deleted at the
	// telephone company.
	Delete func() bool
	Wake   func(brand string) // rows were added
	Fetch  func()             // files are named
	Log    *slog.Logger
	Now    func() time.Time
}

// TwilioReconciler takes in what the telephone company lists and no webhook
// brought: Twilio does not send a text's webhook again after it failed. What is
// listed has the form, the key and the way of the webhook, so that whichever
// comes first is the one. Of several nodes one looks, under a lease.
type TwilioReconciler struct {
	opt     TwilioReconcilerOptions
	beat    atomic.Int64
	missing atomic.Int64
}

// NewTwilioReconciler prepares a reconciler; it starts nothing.
func NewTwilioReconciler(opt TwilioReconcilerOptions) *TwilioReconciler {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Wake == nil {
		opt.Wake = func(string) {}
	}
	if opt.Fetch == nil {
		opt.Fetch = func() {}
	}
	if opt.Delete == nil {
		opt.Delete = func() bool { return false }
	}
	r := &TwilioReconciler{opt: opt}
	r.beat.Store(time.Now().UnixNano())
	return r
}

// Beat returns when the loop last made progress: the watchdog's question.
func (r *TwilioReconciler) Beat() time.Time { return time.Unix(0, r.beat.Load()) }

// Brought returns how many rows no webhook brought.
func (r *TwilioReconciler) Brought() int64 { return r.missing.Load() }

// twilioLease is the name of the lease; look is how often it is asked for, at least.
const (
	twilioLease = "twilio"
	look        = time.Minute
)

// Run looks at once and then at each interval, until ctx ends.
func (r *TwilioReconciler) Run(ctx context.Context) error {
	var last time.Time
	for {
		if now := r.opt.Now(); last.IsZero() || now.Sub(last) >= r.opt.Every() || now.Before(last) {
			if r.turn(ctx, now) {
				last = now
			}
		}
		r.beat.Store(time.Now().UnixNano())
		// The clock may be set, and the interval is read anew: so it is looked at
		// more often than there is something to do.
		soon := time.NewTimer(min(look, max(r.opt.Every(), time.Second)))
		select {
		case <-ctx.Done():
			soon.Stop()
			_ = r.opt.DB.Unlease(context.WithoutCancel(ctx), twilioLease) // else it runs out
			return nil
		case <-soon.C:
		}
	}
}

// turn makes one pass if it is this node's, and reports whether it is done.
func (r *TwilioReconciler) turn(ctx context.Context, now time.Time) bool {
	if r.opt.Client() == nil {
		return true
	}
	has, err := r.opt.DB.Lease(ctx, twilioLease, now, now.Add(r.opt.Every()+2*look))
	if err != nil && ctx.Err() == nil {
		r.opt.Log.Error("reconcile with twilio", "err", err)
	}
	if err != nil || !has {
		return false
	}
	if _, err := r.Pass(ctx); err != nil && ctx.Err() == nil {
		r.opt.Log.Error("reconcile with twilio", "err", err)
	}
	return true // what failed is asked again at the next interval
}

// TwilioReconciliation compares what the telephone company lists with the ledger.
type TwilioReconciliation struct {
	Listed  int      `json:"listed"`            // texts, ended calls and recordings of our numbers
	Ledger  int      `json:"ledger"`            // of them, those with a row
	Missing []string `json:"missing,omitempty"` // keys of the others
}

// Pass takes in what is missing. Missing are the keys of the rows that it added.
func (r *TwilioReconciler) Pass(ctx context.Context) (TwilioReconciliation, error) {
	client, now, rules := r.opt.Client(), r.opt.Now(), r.opt.Rules()
	l, err := listTwilio(ctx, r.opt.DB, client, rules, now, r.opt.Days())
	if err != nil {
		return l.TwilioReconciliation, err
	}
	for _, x := range l.missing {
		if err := r.take(ctx, client, x, rules, now); err != nil {
			return l.TwilioReconciliation, err
		}
	}
	if n := len(l.missing); n > 0 {
		r.opt.Log.Warn("webhooks were lost", "count", n)
		r.missing.Add(int64(n))
	}
	if r.opt.Delete() {
		r.deleteStored(ctx, client, l.recordings)
	}
	return l.TwilioReconciliation, nil
}

// CompareTwilio compares without changing anything, here or there.
func CompareTwilio(ctx context.Context, db *store.DB, client *phone.Client, rules tickets.Rules, now time.Time, days int) (TwilioReconciliation, error) {
	l, err := listTwilio(ctx, db, client, rules, now, days)
	return l.TwilioReconciliation, err
}

// listing is what was listed of our numbers.
type listing struct {
	TwilioReconciliation
	missing    []listedHook
	recordings []string // Sids
}

// listedHook is something listed as the webhook that should have brought it.
type listedHook struct {
	phone.Listed
	hook Hook
}

// onTheWay is how old something is before its webhook counts as lost.
const onTheWay = time.Minute

func listTwilio(ctx context.Context, db *store.DB, client *phone.Client, rules tickets.Rules, now time.Time, days int) (listing, error) {
	var l listing
	since := now.AddDate(0, 0, -days)
	messages, err := client.Messages(ctx, since)
	if err != nil {
		return l, err
	}
	calls, err := client.Calls(ctx, since)
	if err != nil {
		return l, err
	}
	recordings, err := client.Recordings(ctx, since)
	if err != nil {
		return l, err
	}
	all := ourTexts(messages, rules)
	var ends []listedHook
	called := map[string]string{} // CallSid → our number
	for _, c := range calls {
		if number := phone.ParseParty(c.Form.Get("To"), "").Number; lineOf(rules, number, false).known {
			called[c.Sid] = number
			ends = append(ends, listedHook{c, Hook{URI: phone.PathVoice + "/status", Form: c.Form, At: c.At}})
		}
	}
	for _, x := range recordings {
		// Those of a call that lasts are announced when it is over.
		if number, ok := called[x.Form.Get("CallSid")]; ok {
			l.recordings = append(l.recordings, x.Sid)
			all = append(all, listedHook{x, Hook{URI: phone.LinePath(number) + x.State.Path(), Form: x.Form, At: x.At}})
		}
	}
	// A call that is over and left nothing is told as missed, so its end is
	// taken in last.
	return l, l.compare(ctx, db, append(all, ends...), now)
}

func ourTexts(messages []phone.Listed, rules tickets.Rules) (all []listedHook) {
	for _, m := range messages {
		to := phone.ParseParty(m.Form.Get("To"), "")
		if !lineOf(rules, to.Number, to.WhatsApp).known {
			continue // another application of the account has this number
		}
		uri := phone.PathSMS
		if to.WhatsApp {
			uri = phone.PathWhatsApp
		}
		all = append(all, listedHook{m, Hook{URI: uri, Form: m.Form, At: m.At}})
	}
	return all
}

// compare finds what has no row.
func (l *listing) compare(ctx context.Context, db *store.DB, all []listedHook, now time.Time) error {
	var keys []string
	for _, x := range all {
		keys = append(keys, keysOf(x.Listed)...)
	}
	have, err := db.HasKeys(ctx, keys)
	if err != nil {
		return err
	}
	for _, x := range all {
		found := false
		for _, key := range keysOf(x.Listed) {
			found = found || have[key]
		}
		if !found && now.Sub(x.At) < onTheWay {
			continue
		}
		l.Listed++
		if found {
			l.Ledger++
			continue
		}
		l.Missing = append(l.Missing, x.Key)
		l.missing = append(l.missing, x)
	}
	return nil
}

// keysOf are the keys under which something listed may have a row. The list does
// not know the SequenceNumber of a call's last status, which is 0 where only its
// end is reported.
func keysOf(x phone.Listed) []string {
	keys := []string{x.Key}
	if x.State.Step == phone.StepStatus {
		for sequence := range 6 {
			e := phone.CallEvent{State: x.State, CallSid: x.Sid, Status: phone.CallStatus(x.Form.Get("CallStatus")), Sequence: sequence}
			keys = append(keys, e.Key())
		}
	}
	return keys
}

// take writes the row of one that was missing.
func (r *TwilioReconciler) take(ctx context.Context, client *phone.Client, x listedHook, rules tickets.Rules, now time.Time) error {
	if n := x.hook.Form.Get("NumMedia"); n != "" && n != "0" {
		media, err := client.MessageMedia(ctx, x.Sid)
		if err != nil {
			return err
		}
		for name, values := range media {
			x.hook.Form[name] = values
		}
	}
	e, err := readEvent(x.hook, rules)
	if err != nil {
		return fmt.Errorf("take in %s: %w", x.Key, err)
	}
	it := item(e, x.hook, now)
	if _, err := r.opt.DB.Append(ctx, []store.Item{it}, nil); err != nil {
		return err
	}
	r.opt.Wake(it.Brand)
	if len(it.Fetch) > 0 {
		r.opt.Fetch()
	}
	return nil
}

// deleteStored deletes those recordings at the telephone company whose bytes are
// here: what a crash or an outage left after the download.
func (r *TwilioReconciler) deleteStored(ctx context.Context, client *phone.Client, recordings []string) {
	keys := make([]string, len(recordings))
	for i, sid := range recordings {
		keys[i] = recordingFileKey(sid)
	}
	have, err := r.opt.DB.HasKeys(ctx, keys)
	if err != nil {
		r.opt.Log.Error("reconcile with twilio", "err", err)
		return
	}
	for i, sid := range recordings {
		if !have[keys[i]] {
			continue
		}
		if err := client.DeleteRecording(ctx, sid); err != nil {
			r.opt.Log.Warn("recording not deleted, tried again later", "source", keys[i], "err", err)
			return
		}
	}
}
