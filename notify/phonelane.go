package notify

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"frontdesk/phone"
	"frontdesk/store"
	"frontdesk/tickets"
)

// Telephone is how texts and calls leave. What it guarantees: a text or call
// whose fate is not known is looked up at the telephone company before it is
// tried again, so that nobody gets it twice; nothing goes to a number that is not
// allowed; and what a day may cost is spent before anything is posted.
type Telephone struct {
	Client Carrier                // *phone.Client is one
	Lines  func() map[string]Line // our numbers by address, tel:+… and whatsapp:+…; read at the start of each pass
	Limits func() phone.Limits    // whom the desk may call and text, and how much a day
	Zone   *time.Location         // of the budget's day; nil UTC
}

// Carrier is what the sender asks of the telephone company.
type Carrier interface {
	SendMessage(ctx context.Context, m phone.Outgoing) (string, error)
	PlaceCall(ctx context.Context, o phone.Outcall) (string, error)
	EndCall(ctx context.Context, callSid string) error
	FindMessage(ctx context.Context, m phone.Outgoing, since time.Time, known ...string) (string, error)
	FindCall(ctx context.Context, o phone.Outcall, since time.Time, known ...string) (string, error)
}

// carrierLimit is for one conversation with the telephone company, its client's
// retries included. It fits into the grace of a desk that is being stopped.
const carrierLimit = stopGrace - 2*time.Second

// exchange is what the sender remembers of the telephone beside the store: what
// is not marked yet, and what was told today. It may all be forgotten.
type exchange struct {
	mu     sync.Mutex
	taken  map[string]time.Time // Sids that letters have got, and when
	doubts map[int64]time.Time  // letters in doubt, since when
	told   map[string]string    // refusals that were told, and on which day
}

func newExchange() *exchange {
	return &exchange{taken: map[string]time.Time{}, doubts: map[int64]time.Time{}, told: map[string]string{}}
}

// take notes that a Sid belongs to a letter.
func (x *exchange) take(sid string, letter int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	now := time.Now()
	if len(x.taken) > 10_000 {
		maps.DeleteFunc(x.taken, func(_ string, at time.Time) bool { return now.Sub(at) > time.Hour })
	}
	x.taken[sid] = now
	delete(x.doubts, letter)
}

func (x *exchange) known() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Collect(maps.Keys(x.taken))
}

// once reports whether a refusal is told for the first time on a day.
func (x *exchange) once(what, day string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.told[what] == day {
		return false
	}
	x.told[what] = day
	return true
}

// telephone makes one attempt at a letter to a telephone and stores how it ended.
// A line has one worker: what it says to a number keeps its order, and while one
// text is looked up no other with the same words is on its way.
func (l *lane) telephone(ctx context.Context, j job) {
	s := l.s
	keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), carrierLimit)
	defer cancel()
	mail, err := s.prepare(keep, j)
	if err != nil {
		s.refuse(j.out, mail, err)
		return
	}
	if j.out.Letter.Kind == tickets.LetterHangUp {
		l.hangUp(keep, j)
		return
	}
	p, err := readPosted(mail.raw)
	if err != nil {
		s.refuse(j.out, mail, fmt.Errorf("read the rendering: %w", err))
		return
	}
	if j.out.State == store.LetterDot {
		l.lookUp(keep, j, p)
		return
	}
	if stopped, err := s.stopped(keep, j.out.Letter, p); err != nil || stopped {
		s.notWanted(j, mail, err)
		return
	}
	if refusal, err := s.afford(keep, j.out.Letter, p); err != nil || refusal != phone.Allowed {
		s.notAfforded(j, mail, refusal, err)
		return
	}
	if err := s.markDot(keep, j.out, mail); err != nil {
		l.unsent(ctx, j, mail, err)
		return
	}
	l.post(keep, j, p)
}

// post hands a letter to the telephone company. Its state is in doubt before.
func (l *lane) post(ctx context.Context, j job, p posted) {
	s, began := l.s, time.Now()
	var sid string
	var err error
	if p.Call != nil {
		sid, err = s.opt.Phone.Client.PlaceCall(ctx, *p.Call)
	} else {
		sid, err = s.opt.Phone.Client.SendMessage(ctx, *p.Text)
	}
	if err != nil {
		l.notPosted(j, err)
		return
	}
	l.took(j, sid, "taken", time.Since(began))
}

// took stores that the telephone company has a letter.
func (l *lane) took(j job, sid, how string, took time.Duration) {
	s, out := l.s, j.out
	l.back()
	s.exchange.take(sid, out.Letter.ID)
	s.counts.sent.Add(1)
	s.log.Info("letter sent", "letter", out.Letter.ID, "ticket", out.Letter.Ticket, "call", sid, "attempt", out.Attempts+1, "took", took.Round(time.Millisecond))
	s.finish(out, store.Result{State: store.LetterSent, Detail: how + " by the telephone company: " + sid, MessageID: sid}, nil)
}

// notPosted stores why a letter was not taken, or that nobody knows.
func (l *lane) notPosted(j job, err error) {
	s, out, now := l.s, j.out, l.s.opt.Now()
	var e *phone.Error
	switch {
	case !errors.As(err, &e) || e.Unknown:
		l.inDoubt(j, err)
	case e.Temporary && (e.Status == 0 || e.Reason == phone.ReasonAuth || e.Reason == phone.ReasonSlowDown):
		// Not this letter's fault: none would be taken now.
		l.awayFor(err, e.After)
		s.counts.deferred.Add(1)
		s.finish(out, store.Result{State: store.LetterQueued, Next: now.Add(e.After), Code: twilioCode(e), Detail: oneLine(err.Error(), 500)}, nil)
		s.giveBack(l.drain())
	case e.Temporary:
		wait := max(e.After, Backoff(ClassTemporary, out.Attempts+1, out.Letter.ID))
		s.counts.deferred.Add(1)
		s.log.Info("letter deferred", "letter", out.Letter.ID, "ticket", out.Letter.Ticket, "attempt", out.Attempts+1, "retry", wait.Round(time.Second), "err", err)
		s.finish(out, store.Result{State: store.LetterQueued, Next: now.Add(wait), Code: twilioCode(e), Detail: oneLine(err.Error(), 500)}, nil)
	default:
		l.back()
		s.counts.failed.Add(1)
		s.log.Warn("letter refused", "letter", out.Letter.ID, "ticket", out.Letter.Ticket, "err", err)
		s.finish(out, store.Result{State: store.LetterFailed, Code: twilioCode(e), Detail: inWords(e)}, nil)
	}
}

// twilioCode is the Code of a result: "twilio 21610 stopped". The decision about
// a letter that did not arrive reads it (tickets.Undelivered).
func twilioCode(e *phone.Error) string {
	switch {
	case e.Code != 0 && e.Reason != phone.ReasonNone:
		return fmt.Sprintf("twilio %d %s", e.Code, e.Reason)
	case e.Code != 0:
		return fmt.Sprintf("twilio %d", e.Code)
	case e.Status != 0:
		return fmt.Sprintf("twilio HTTP %d", e.Status)
	}
	return ""
}

// reasons tell an agent what a refusal means and what to do.
var reasons = map[phone.Reason]string{
	phone.ReasonBadNumber:    "this number cannot be called or texted",
	phone.ReasonRegion:       "the telephone account may not write to this country",
	phone.ReasonSender:       "our number cannot send this",
	phone.ReasonTooLong:      "the text is too long",
	phone.ReasonStopped:      "the customer wants no texts from this number (STOP): answer by mail or call",
	phone.ReasonNoSuchNumber: "nobody has this number",
	phone.ReasonLandline:     "a landline, which takes no texts",
	phone.ReasonFiltered:     "a network took the text for spam",
	phone.ReasonUnregistered: "our number is not registered for texts to this country",
	phone.ReasonWindow:       "WhatsApp takes an answer only within 24 hours of the customer's last message",
	phone.ReasonTrial:        "a trial account writes to verified numbers alone",
}

func inWords(e *phone.Error) string {
	said := oneLine(e.Text, 300)
	switch meant := reasons[e.Reason]; {
	case meant == "":
		return said
	case said == "":
		return meant
	default:
		return meant + ": " + said
	}
}

// stopped reports whether a text is to a customer who wants none from its line.
// It may have waited in the outbox since before the STOP came.
func (s *Sender) stopped(ctx context.Context, l tickets.Letter, p posted) (bool, error) {
	if p.Call != nil || l.Agent {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, storeLimit)
	defer cancel()
	return s.db.Stopped(ctx, l.To.Address, l.Mailbox)
}

// notWanted ends a text that its customer does not want any more, as if the
// telephone company had refused it; with an error, it is tried again.
func (s *Sender) notWanted(j job, mail *prepared, err error) {
	if err != nil {
		s.put(j.out, &failure{class: ClassConnection, detail: oneLine("who wants no texts: "+err.Error(), 500)}, mail.fresh)
		return
	}
	s.counts.failed.Add(1)
	s.log.Warn("letter refused", "letter", j.out.Letter.ID, "ticket", j.out.Letter.Ticket, "err", tickets.CodeStopped)
	s.finish(j.out, store.Result{State: store.LetterFailed, Code: tickets.CodeStopped, Detail: reasons[phone.ReasonStopped]}, mail.fresh)
}

// afford asks whether the limits let a letter out, and spends it.
func (s *Sender) afford(ctx context.Context, l tickets.Letter, p posted) (phone.Refusal, error) {
	ctx, cancel := context.WithTimeout(ctx, storeLimit)
	defer cancel()
	limits, day := s.opt.Phone.Limits(), s.budgetDay()
	if s.alarmsAgent(l) { // what rings people for a critical ticket counts, and is never too dear
		limits.Segments, limits.Calls = math.MaxInt32, math.MaxInt32
	}
	spent, err := s.db.SpentOn(ctx, day)
	if err != nil {
		return phone.Allowed, err
	}
	more, refusal := p.cost(l, limits, phone.Spent(spent))
	if refusal != phone.Allowed {
		return refusal, nil
	}
	ok, err := s.db.Spend(ctx, day, more, store.Spent{Segments: limits.Segments, Calls: limits.Calls})
	switch {
	case err != nil || ok:
		return phone.Allowed, err
	case p.Call != nil:
		return phone.RefusedCalls, nil
	}
	return phone.RefusedSegments, nil
}

// cost is what a letter takes of the day, and whether it may.
func (p posted) cost(l tickets.Letter, limits phone.Limits, spent phone.Spent) (store.Spent, phone.Refusal) {
	if p.Call == nil {
		n := max(1, phone.Segments(p.Text.Text).Segments)
		to := phone.ParseParty(p.Text.To, "")
		if to.WhatsApp { // counts messages
			n = 1
		}
		return store.Spent{Segments: n}, limits.Text(to, n, spent)
	}
	refusal := limits.Call(phone.ParseParty(p.Call.To, ""), spent)
	if l.Kind != tickets.LetterBridge || refusal != phone.Allowed {
		return store.Spent{Calls: 1}, refusal
	}
	spent.Calls++ // the other leg, to the customer
	return store.Spent{Calls: 2}, limits.Call(phone.ParseParty(l.Data.Number, ""), spent)
}

// alarmsAgent reports whether a letter rings or texts an agent of the
// configuration, at the number that stands there.
func (s *Sender) alarmsAgent(l tickets.Letter) bool {
	if l.Kind == tickets.LetterAlert { // to an operator's number of the configuration
		return true
	}
	if l.Kind != tickets.LetterRing && l.Kind != tickets.LetterRingText {
		return false
	}
	number := tickets.Number(l.To.Address)
	for _, a := range s.opt.Rules().Agents {
		if a.Phone != "" && a.Phone == number {
			return true
		}
	}
	return false
}

func (s *Sender) budgetDay() string { return phone.Day(s.opt.Now(), s.opt.Phone.Zone) }

// notAfforded stores that the limits keep a letter here: for good, or until the
// next day when its budget is used up. An operator is told once a day of each
// reason: something runs away, or a limit is small.
func (s *Sender) notAfforded(j job, mail *prepared, refusal phone.Refusal, err error) {
	out := j.out
	if err != nil {
		s.put(out, &failure{class: ClassConnection, detail: oneLine("budget of the day: "+err.Error(), 500)}, mail.fresh)
		return
	}
	if s.exchange.once(string(refusal), s.budgetDay()) {
		s.log.Error("telephone limit met", "reason", string(refusal), "letter", out.Letter.ID, "ticket", out.Letter.Ticket,
			"mailbox", out.Letter.Mailbox, "to", phone.Mask(tickets.Number(out.Letter.To.Address)))
	}
	r := store.Result{Code: "limit " + string(refusal), Detail: refusals[refusal]}
	if refusal.Budget() {
		s.counts.deferred.Add(1)
		r.State, r.Next = store.LetterQueued, s.tomorrow(out.Letter.ID)
	} else {
		s.counts.failed.Add(1)
		r.State = store.LetterFailed
	}
	s.finish(out, r, mail.fresh)
}

// refusals tell an agent why nothing was sent.
var refusals = map[phone.Refusal]string{
	phone.RefusedNumber:   "this is no number that can be called",
	phone.RefusedPrefix:   "the desk may not call or text numbers that begin like this one",
	phone.RefusedPremium:  "this number costs more than a call: the desk does not call or text it",
	phone.RefusedSegments: "the day's texts are used up: it leaves tomorrow",
	phone.RefusedCalls:    "the day's calls are used up: it leaves tomorrow",
}

// tomorrow is when the next day's budget begins, spread over a minute.
func (s *Sender) tomorrow(letter int64) time.Time {
	zone := s.opt.Phone.Zone
	if zone == nil {
		zone = time.UTC
	}
	y, m, d := s.opt.Now().In(zone).Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, zone).Add(jitter(letter, time.Minute))
}
