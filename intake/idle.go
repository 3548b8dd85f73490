package intake

import (
	"context"
	"errors"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

var errEnded = errors.New("the imap server ended the connection")

// reason says why waiting ended.
type reason int

const (
	someNews reason = iota // messages came
	pollDue                // a pass is due
	idleOver               // IDLE ran for idleLimit: issue it again
	stopping               // ctx ended
)

// wait returns when messages came, when the next poll is due (due), when ctx
// ends, or with the error that ended the connection.
//
// IDLE is only a hint that saves waiting for the poll: a dead IDLE, an EXISTS
// that got lost, a server that never says anything are all caught by the pass
// that is made every Poll interval regardless.
func (s *session) wait(ctx context.Context) (due bool, err error) {
	poll := time.NewTimer(s.m.nextPass())
	defer poll.Stop()
	for {
		why, err := s.idle(ctx, poll.C)
		if err != nil || why != idleOver {
			return why == pollDue, err
		}
	}
}

// nextPass is how long to wait for the next pass at most: mails that could not
// be fetched are tried again before the poll is due.
func (m *Mailbox) nextPass() time.Duration {
	m.pass.Lock()
	defer m.pass.Unlock()
	d := m.opt.Poll
	for _, f := range m.fails {
		d = min(d, max(time.Until(f.next), 0))
	}
	return d
}

// idle is one IDLE command (RFC 2177) where the server has it, else mere
// waiting.
func (s *session) idle(ctx context.Context, poll <-chan time.Time) (why reason, err error) {
	if !s.client.Caps().Has(imap.CapIdle) || len(s.news) > 0 {
		return s.watch(ctx, poll, nil)
	}
	var cmd *imapclient.IdleCommand
	err = s.do("idle", func() (err error) {
		cmd, err = s.client.Idle()
		return err
	})
	if err != nil {
		return 0, err
	}
	over := time.NewTimer(idleLimit)
	defer over.Stop()
	why, err = s.watch(ctx, poll, over.C)
	ended := s.do("end idle", func() error {
		if err := cmd.Close(); err != nil {
			return err
		}
		return cmd.Wait()
	})
	return why, errors.Join(err, ended)
}

// watch blocks until there is something to do, and shows life meanwhile.
func (s *session) watch(ctx context.Context, poll, over <-chan time.Time) (reason, error) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		s.m.alive()
		select {
		case <-s.news:
			return someNews, nil
		case <-poll:
			return pollDue, nil
		case <-over:
			return idleOver, nil
		case <-s.client.Closed():
			return 0, errEnded
		case <-ctx.Done():
			return stopping, nil
		case <-tick.C:
		}
	}
}
