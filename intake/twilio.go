package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"frontdesk/phone"
	"frontdesk/store"
	"frontdesk/tickets"
)

// TwilioOptions describe the telephone's way in. The functions are asked at each
// webhook, so that a reload counts at once.
type TwilioOptions struct {
	DB    *store.DB
	Rules func() tickets.Rules
	// Verifier proves webhooks; nil: there is no telephone, and none is believed.
	Verifier func() *phone.Verifier
	// Account is the AccountSid that webhooks must name; "" any that the token
	// proves.
	Account func() string
	// PublicURL is the address that Twilio knows the desk by, up to the path.
	PublicURL func() string
	// Plans say what callers hear, by our number in E.164. Base, Number and Ring
	// are set here.
	Plans func() map[string]phone.Plan
	// Open reports whether a brand is open at a time. Nil: always.
	Open func(brand string, at time.Time) bool
	// OnDuty returns the numbers of the agents that a call to one of our numbers
	// rings at a time: a function of the configuration alone. Nil: nobody.
	OnDuty func(brand, number string, at time.Time) []string

	Log  *slog.Logger
	Now  func() time.Time
	Wake func(brand string) // rows were added
	// Full says why nothing may come in now; nil: never. Calls and texts that
	// begin are then refused, so that Twilio asks the fallback address; who is in
	// a call is heard to its end.
	Full func() error
	// Fetch is called when a row names files that are to be fetched.
	Fetch func()
	// Within is how long a webhook waits for its row to be on disk, default 5 s.
	// Twilio itself waits 15.
	Within time.Duration
}

// Twilio answers Twilio's webhooks. A webhook is proven, written to the ledger
// as it came, and only then answered; the answer follows from the configuration,
// the path and the row, never from a decision, so that callers hear us while
// everything else waits. The same webhook has one row and one answer, however
// often and late it comes.
//
// What it answers: 200 with TwiML, 204 to what only tells us something, 403 to
// what is not proven, 404 to what is not ours, 413 above phone.MaxWebhook, 503
// while nothing can be written, so that Twilio asks the fallback URL.
type Twilio struct {
	opt    TwilioOptions
	rows   *committer
	counts map[string]*atomic.Int64

	mu      sync.Mutex
	noted   map[string]time.Time // refused webhooks: when a source had its row
	hour    time.Time            // of the count that follows
	refused int                  // rows of refused webhooks in the hour
}

// Outcomes of a webhook, as they are counted.
const (
	webhookTaken      = "taken"
	webhookAgain      = "again"      // its row was there
	webhookRefused    = "refused"    // not proven
	webhookOversize   = "oversize"   // above the limit
	webhookUnknown    = "unknown"    // another method, path, account or number
	webhookUnreadable = "unreadable" // proven, and its parameters say nothing
	webhookDown       = "down"       // could not be written
)

// NewTwilio returns the handler of everything below /twilio/.
func NewTwilio(opt TwilioOptions) *Twilio { return newTwilio(opt, opt.DB) }

func newTwilio(opt TwilioOptions, db webhookLedger) *Twilio {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Wake == nil {
		opt.Wake = func(string) {}
	}
	if opt.Full == nil {
		opt.Full = neverFull
	}
	if opt.Fetch == nil {
		opt.Fetch = func() {}
	}
	if opt.Account == nil {
		opt.Account = func() string { return "" }
	}
	if opt.Open == nil {
		opt.Open = func(string, time.Time) bool { return true }
	}
	if opt.OnDuty == nil {
		opt.OnDuty = func(string, string, time.Time) []string { return nil }
	}
	if opt.Within == 0 {
		opt.Within = 5 * time.Second
	}
	t := &Twilio{opt: opt, rows: &committer{db: db, within: opt.Within}, counts: map[string]*atomic.Int64{}, noted: map[string]time.Time{}}
	for _, o := range []string{webhookTaken, webhookAgain, webhookRefused, webhookOversize, webhookUnknown, webhookUnreadable, webhookDown} {
		t.counts[o] = &atomic.Int64{}
	}
	return t
}

// Counts returns how many webhooks came, by outcome: taken, again, refused,
// oversize, unknown, unreadable, down.
func (t *Twilio) Counts() map[string]int64 {
	out := map[string]int64{}
	for o, n := range t.counts {
		out[o] = n.Load()
	}
	return out
}

// ServeHTTP answers one webhook.
func (t *Twilio) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, body, outcome := t.serve(r)
	t.counts[outcome].Add(1)
	switch {
	case body != nil:
		w.Header().Set("Content-Type", phone.ContentType)
		w.WriteHeader(status)
		_, _ = w.Write(body) // #nosec G705 -- TwiML, escaped by encoding/xml; Twilio is gone: it asks again, and gets the same
	case status < 400:
		w.WriteHeader(status)
	default:
		if status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", "60") // RFC 9110 section 10.2.3
		}
		http.Error(w, http.StatusText(status), status)
	}
}

func (t *Twilio) serve(r *http.Request) (status int, body []byte, outcome string) {
	verifier := t.opt.Verifier()
	if verifier == nil {
		return http.StatusForbidden, nil, webhookRefused
	}
	if r.Method != http.MethodPost {
		return http.StatusMethodNotAllowed, nil, webhookUnknown
	}
	hook, err := verifier.Read(r)
	switch {
	case errors.Is(err, phone.ErrWebhookSize):
		return http.StatusRequestEntityTooLarge, nil, webhookOversize
	case errors.Is(err, phone.ErrUnsigned):
		t.refuse(r, err)
		return http.StatusForbidden, nil, webhookRefused
	case err != nil:
		return http.StatusBadRequest, nil, webhookUnknown // the connection broke
	}
	if hook.Next {
		t.opt.Log.Debug("webhook signed with the next token")
	}
	return t.take(hook)
}

// take writes a proven webhook and answers it.
func (t *Twilio) take(hook phone.Webhook) (int, []byte, string) {
	now, rules := t.opt.Now(), t.opt.Rules()
	h := Hook{URI: phone.PathOf(hook.URI, t.opt.PublicURL()), Form: hook.Form, At: now.UTC()}
	h.Open = t.opens(h, rules)
	e, err := readEvent(h, rules)
	outcome := webhookTaken
	switch {
	case errors.Is(err, errNoPath):
		return http.StatusNotFound, nil, webhookUnknown
	case err != nil:
		t.opt.Log.Error("webhook cannot be read", "err", err)
		e, outcome = unreadable(h, rules), webhookUnreadable
	case t.opt.Account() != "" && e.account != t.opt.Account():
		t.opt.Log.Error("webhook of another account", "source", e.key)
		return http.StatusForbidden, nil, webhookRefused
	}
	if begins := e.text != nil || h.path() == phone.PathVoice; begins && t.opt.Full() != nil {
		return http.StatusServiceUnavailable, nil, webhookDown
	}
	it := item(e, h, now)
	stored, again, err := t.rows.add(it)
	if err != nil {
		t.opt.Log.Error("webhook not stored", "source", e.key, "err", err)
		return http.StatusServiceUnavailable, nil, webhookDown
	}
	if !again {
		t.opt.Wake(it.Brand)
		if len(it.Fetch) > 0 {
			t.opt.Fetch()
		}
	}
	if outcome == webhookUnreadable {
		return http.StatusBadRequest, nil, outcome
	}
	if again {
		outcome = webhookAgain
		if h, err = readHook(stored); err == nil {
			e, err = readEvent(h, rules)
		}
		if err != nil {
			t.opt.Log.Error("stored webhook cannot be read", "source", e.key, "err", err)
			return http.StatusServiceUnavailable, nil, webhookDown
		}
	}
	t.remark(e)
	status, body := t.answer(e, h)
	if !e.line.known {
		outcome = webhookUnknown
	}
	return status, body, outcome
}

// opens reports whether a call begins while the brand is open.
func (t *Twilio) opens(h Hook, rules tickets.Rules) bool {
	if h.path() != phone.PathVoice {
		return false
	}
	l := lineOf(rules, phone.ParseParty(h.Form.Get("To"), "").Number, false)
	return l.known && t.opt.Open(l.brand.Key, h.At)
}

// remark logs what an operator should know of a webhook.
func (t *Twilio) remark(e event) {
	switch {
	case !e.line.known:
		t.opt.Log.Error("webhook for a number that is not configured", "source", e.key)
	case e.call != nil && e.call.State.Step == phone.StepFallback:
		t.opt.Log.Warn("twilio could not use an answer", "call", e.call.CallSid, "reason", fmt.Sprintf("error %d", e.call.ErrorCode))
	}
}

// answer is what Twilio is told: a function of the configuration and the row.
func (t *Twilio) answer(e event, h Hook) (int, []byte) {
	switch {
	case e.text != nil:
		return http.StatusOK, phone.Nothing()
	case e.call != nil && e.call.State.Step.Answers():
		plan, ok := t.opt.Plans()[e.line.phone.Number]
		if !ok || !e.line.known {
			return http.StatusNotFound, nil // the fallback URL takes the call
		}
		plan.Number = e.line.phone.Number
		plan.Base = t.publicURL() + phone.LinePath(plan.Number)
		plan.Ring = t.opt.OnDuty(e.line.brand.Key, plan.Number, h.At)
		return http.StatusOK, plan.Answer(e.call.State, *e.call)
	case e.out != nil:
		if _, body := e.out.verdict(t.publicURL(), "", e.line.brand); body != nil {
			return http.StatusOK, body
		}
	}
	return http.StatusNoContent, nil
}

func (t *Twilio) publicURL() string { return strings.TrimRight(t.opt.PublicURL(), "/") }

// refusedAnHour bounds the rows that refused webhooks leave.
const refusedAnHour = 20

// refuse keeps that a webhook was not believed: a line in the log and a row in
// quarantine, without its body, once a minute for each source and twenty times
// an hour in all. A flood fills neither disk nor log; the counter has every one.
func (t *Twilio) refuse(r *http.Request, why error) {
	now := t.opt.Now()
	source, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		source = r.RemoteAddr
	}
	if !t.note(source, now) {
		return
	}
	rules := t.opt.Rules()
	h := Hook{URI: short(phone.PathOf(r.URL.EscapedPath(), t.opt.PublicURL())), At: now.UTC(), Refused: fmt.Sprintf("from %s: %v", source, why)}
	e := event{line: line{brand: firstBrand(rules)}, channel: channelOf(h.URI), key: fmt.Sprintf("refused:%s:%d", source, now.Unix()/60)}
	t.opt.Log.Warn("webhook refused", "source", e.key, "err", why)
	if _, _, err := t.rows.add(item(e, h, now)); err != nil {
		t.opt.Log.Error("webhook not stored", "source", e.key, "err", err)
		return
	}
	t.opt.Wake(e.line.brand.Key)
}

func (t *Twilio) note(source string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if hour := now.Truncate(time.Hour); !hour.Equal(t.hour) {
		t.hour, t.refused = hour, 0
		clear(t.noted)
	}
	if last, ok := t.noted[source]; ok && now.Sub(last) < time.Minute && now.Sub(last) >= 0 || t.refused >= refusedAnHour {
		return false
	}
	t.noted[source] = now
	t.refused++
	return true
}

// webhookLedger is what a webhook needs of the store.
type webhookLedger interface {
	Append(ctx context.Context, items []store.Item, cursor *store.Cursor) (added int, err error)
	Written(ctx context.Context, keys []string) (map[string][]byte, error)
}

// committer writes rows of many requests in one transaction: a commit costs the
// disk the same for one row and for two hundred. A row that comes alone is
// written at once; those that come meanwhile share the next one.
type committer struct {
	db     webhookLedger
	within time.Duration

	mu      sync.Mutex
	waiting []*pending
	busy    bool
}

// pending is a row that waits for its commit.
type pending struct {
	item   store.Item
	done   chan struct{}
	stored []byte // of the row that was there
	err    error
}

// mostTogether bounds one transaction.
const mostTogether = 200

var errLate = errors.New("not written in time")

// add returns after the row is on disk, or with an error when it is not known to
// be. Again tells that a row with this key was there; stored are its bytes.
func (c *committer) add(it store.Item) (stored []byte, again bool, err error) {
	p := &pending{item: it, done: make(chan struct{})}
	c.mu.Lock()
	c.waiting = append(c.waiting, p)
	if !c.busy {
		c.busy = true
		go c.run()
	}
	c.mu.Unlock()
	late := time.NewTimer(c.within)
	defer late.Stop()
	select {
	case <-p.done:
		return p.stored, p.stored != nil, p.err
	case <-late.C:
		return nil, false, errLate // it may be written yet: its key makes that harmless
	}
}

func (c *committer) run() {
	for {
		c.mu.Lock()
		n := min(len(c.waiting), mostTogether)
		batch := c.waiting[:n:n]
		c.waiting = c.waiting[n:]
		if c.busy = n > 0; !c.busy {
			c.waiting = nil
		}
		c.mu.Unlock()
		if n == 0 {
			return
		}
		c.commit(batch)
		for _, p := range batch {
			close(p.done)
		}
	}
}

// commit writes a batch. One row that cannot be written must not keep the others
// out: after a failure each is tried by itself.
func (c *committer) commit(batch []*pending) {
	ctx, cancel := context.WithTimeout(context.Background(), c.within)
	defer cancel()
	err := c.write(ctx, batch)
	if err == nil {
		return
	}
	for _, p := range batch {
		p.err = err
		if len(batch) > 1 && ctx.Err() == nil {
			p.err = c.write(ctx, []*pending{p})
		}
	}
}

func (c *committer) write(ctx context.Context, batch []*pending) error {
	items := make([]store.Item, len(batch))
	keys := make([]string, len(batch))
	for i, p := range batch {
		items[i], keys[i] = p.item, p.item.Key
	}
	added, err := c.db.Append(ctx, items, nil)
	if err != nil || added == len(batch) {
		return err
	}
	written, err := c.db.Written(ctx, keys)
	if err != nil {
		return err
	}
	for _, p := range batch {
		if data, ok := written[p.item.Key]; ok && (added == 0 || string(data) != string(p.item.Data)) {
			p.stored = data
		}
	}
	return nil
}
