package notify

import (
	"context"
	"errors"
	"strings"
	"time"

	"frontdesk/phone"
	"frontdesk/store"
	"frontdesk/tickets"
)

// lookAfter is how long after a request of unknown fate the telephone company
// is asked what became of it: the request may still be on its way.
const lookAfter = 5 * time.Second

// inDoubt leaves a letter in doubt: it is looked up soon.
func (l *lane) inDoubt(j job, err error) {
	s, out := l.s, j.out
	s.counts.doubts.Add(1)
	s.log.Warn("letter in doubt", "letter", out.Letter.ID, "ticket", out.Letter.Ticket, "err", err)
	s.exchange.doubt(out.Letter.ID)
	l.dropped(err)
	s.lookAgain(out, lookAfter)
}

// lookAgain puts a letter in doubt back, as one in doubt.
func (s *Sender) lookAgain(out store.Outgoing, after time.Duration) {
	s.finish(out, store.Result{State: store.LetterDot, Next: s.opt.Now().Add(after), Detail: "in doubt: the telephone company may have it"}, nil)
}

// doubt notes since when a letter is in doubt, and returns it.
func (x *exchange) doubt(letter int64) time.Time {
	x.mu.Lock()
	defer x.mu.Unlock()
	if _, ok := x.doubts[letter]; !ok {
		x.doubts[letter] = time.Now()
	}
	return x.doubts[letter]
}

func (x *exchange) settled(letter int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.doubts, letter)
}

// lookUp asks what became of a letter in doubt: of one whose answer was lost, or
// that a desk had in hand that died. Messages and calls have no key by which a
// second request would be known as the first, so the list is searched for the
// same words to the same number, and what belongs to other letters left out.
func (l *lane) lookUp(ctx context.Context, j job, p posted) {
	s, out := l.s, j.out
	if wait := lookAfter - time.Since(s.exchange.doubt(out.Letter.ID)); wait > 0 {
		s.lookAgain(out, wait)
		return
	}
	began := time.Now()
	sid, err := s.find(ctx, out, p)
	switch {
	case err != nil:
		l.notFoundOut(out, err)
	case sid != "":
		l.took(j, sid, "found", time.Since(began))
	default:
		l.back()
		s.exchange.settled(out.Letter.ID)
		s.counts.resent.Add(1)
		s.log.Info("letter in doubt was not taken", "letter", out.Letter.ID, "ticket", out.Letter.Ticket)
		s.finish(out, store.Result{State: store.LetterQueued, Next: s.opt.Now()}, nil) // its attempt is counted
	}
}

// find returns the Sid of a letter in doubt, "" when the telephone company does
// not have it.
func (s *Sender) find(ctx context.Context, out store.Outgoing, p posted) (string, error) {
	call, cancel := context.WithTimeout(ctx, storeLimit)
	defer cancel()
	// What left shortly before may have the same words; clocks differ.
	known, err := s.db.SentTexts(call, out.Letter.To.Address, out.Queued.Add(-time.Hour))
	if err != nil {
		return "", err
	}
	known = append(known, s.exchange.known()...)
	if p.Call != nil {
		return s.opt.Phone.Client.FindCall(ctx, *p.Call, out.Queued, known...)
	}
	return s.opt.Phone.Client.FindMessage(ctx, *p.Text, out.Queued, known...)
}

// notFoundOut keeps a letter in doubt that could not be looked up, unless it is
// of no use any more.
func (l *lane) notFoundOut(out store.Outgoing, err error) {
	s := l.s
	if why := givenUp(out, nil, s.opt.Expire, s.opt.Now()); why != "" {
		s.exchange.settled(out.Letter.ID)
		s.counts.failed.Add(1)
		s.log.Warn("letter given up", "letter", out.Letter.ID, "ticket", out.Letter.Ticket, "err", err)
		s.finish(out, store.Result{State: store.LetterFailed, Code: "expired", Detail: oneLine("in doubt: "+err.Error(), 500)}, nil)
		return
	}
	wait := Backoff(ClassConnection, out.Attempts, out.Letter.ID)
	var e *phone.Error
	if errors.As(err, &e) {
		wait = max(wait, e.After)
		l.awayFor(err, e.After)
	}
	s.log.Warn("letter in doubt not looked up", "letter", out.Letter.ID, "ticket", out.Letter.Ticket, "retry", wait.Round(time.Second), "err", err)
	s.lookAgain(out, wait)
}

// hangUp ends the call of another letter: somebody else has acknowledged. A call
// that was not placed yet is not placed any more.
func (l *lane) hangUp(ctx context.Context, j job) {
	s, out := l.s, j.out
	_, call, _, err := s.db.LetterByID(ctx, out.Letter.Data.HangUp)
	switch {
	case errors.Is(err, store.ErrNotFound):
		s.ended(out, "there is no such call")
		return
	case err != nil:
		s.put(out, &failure{class: ClassConnection, detail: oneLine(err.Error(), 500)}, nil)
		return
	}
	switch {
	case call.State == store.LetterSent && strings.HasPrefix(call.MessageID, "CA"):
		if err = s.opt.Phone.Client.EndCall(ctx, call.MessageID); err == nil {
			l.back()
			s.ended(out, "ended "+call.MessageID)
		} else {
			l.notPosted(j, sure(err))
		}
	case call.State == store.LetterQueued:
		err = s.db.SetLetter(ctx, call.ID, store.LetterDropped, "desk", s.opt.Now())
		if err == nil {
			s.ended(out, "was not placed yet")
			return
		}
		fallthrough // it has begun just now
	case call.State == store.LetterDot:
		s.finish(out, store.Result{State: store.LetterQueued, Next: s.opt.Now().Add(time.Second), Detail: "the call is being placed"}, nil)
	default:
		s.ended(out, "the call is "+call.State)
	}
}

// ended stores that there is nothing left to end.
func (s *Sender) ended(out store.Outgoing, how string) {
	s.counts.sent.Add(1)
	s.finish(out, store.Result{State: store.LetterSent, Detail: how}, nil)
}

// sure takes the doubt from an error of a request that may be repeated.
func sure(err error) error {
	var e *phone.Error
	if !errors.As(err, &e) || !e.Unknown {
		return err
	}
	known := *e
	known.Unknown = false
	return &known
}

// staleCall is the age from which nothing rings any more: who is called a
// quarter of an hour late was needed then.
const staleCall = 15 * time.Minute

func ringsNow(kind tickets.LetterKind) bool {
	return kind.Call() || kind == tickets.LetterRingText
}
