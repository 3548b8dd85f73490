package main

import (
	"context"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"frontdesk/intake"
)

// mailboxes runs a loop for each IMAP folder. A reload hands it a new list:
// folders whose settings changed are read anew, the others are left alone.
type mailboxes struct {
	log   *slog.Logger
	wake  func(brand string)
	lists chan []intake.MailboxOptions

	mu      sync.Mutex
	running map[string]*running // by address and folder
}

type running struct {
	opt    intake.MailboxOptions
	box    *intake.Mailbox
	cancel context.CancelFunc
	done   chan struct{}
}

func newMailboxes(log *slog.Logger, wake func(string)) *mailboxes {
	return &mailboxes{log: log, wake: wake, lists: make(chan []intake.MailboxOptions, 1), running: map[string]*running{}}
}

// set replaces the list; the newest wins.
func (m *mailboxes) set(list []intake.MailboxOptions) {
	select {
	case <-m.lists:
	default:
	}
	m.lists <- list
}

// Run follows the list until ctx ends, and returns when all loops have.
func (m *mailboxes) Run(ctx context.Context) error {
	for {
		select {
		case list := <-m.lists:
			m.follow(ctx, list)
		case <-ctx.Done():
			m.follow(ctx, nil)
			return nil
		}
	}
}

func (m *mailboxes) follow(ctx context.Context, list []intake.MailboxOptions) {
	want := map[string]intake.MailboxOptions{}
	for _, o := range list {
		want[o.Address+" "+o.Folder] = o
	}
	var ending []*running
	m.mu.Lock()
	for k, r := range m.running {
		if o, ok := want[k]; ok && reflect.DeepEqual(o, r.opt) {
			continue
		}
		r.cancel()
		ending = append(ending, r)
		delete(m.running, k)
	}
	m.mu.Unlock()
	for _, r := range ending { // the watchdog asks meanwhile
		<-r.done
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for k, o := range want {
		if m.running[k] == nil && ctx.Err() == nil {
			m.running[k] = m.begin(ctx, o)
		}
	}
}

func (m *mailboxes) begin(ctx context.Context, o intake.MailboxOptions) *running {
	settings := o
	o.Wake, o.Now = func() { m.wake(settings.Brand) }, now
	ctx, cancel := context.WithCancel(ctx)
	r := &running{opt: settings, box: intake.NewMailbox(o), cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		if err := r.box.Run(ctx); err != nil && ctx.Err() == nil {
			m.log.Error("mailbox loop ended", "mailbox", o.Address, "err", err)
		}
	}()
	return r
}

// late asks each mailbox when it last moved.
func (m *mailboxes) late(ask func(name string, beat time.Time) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k, r := range m.running {
		if err := ask("mailbox "+k, r.box.Beat()); err != nil {
			return err
		}
	}
	return nil
}
