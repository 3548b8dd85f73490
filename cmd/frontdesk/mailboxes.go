package main

import (
	"context"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"frontdesk/intake"
	"frontdesk/store"
)

// mailboxes runs a loop for each IMAP folder that is this node's. A reload, or a
// lease that comes or goes, hands it a new list: folders whose settings changed
// are read anew, the others are left alone.
type mailboxes struct {
	log  *slog.Logger
	wake func(brand string)
	full func() error // why nothing may come in
	// reach tells that a folder cannot be read from here, or can again.
	reach func(lease string, can bool)
	lists chan []folder
	after time.Duration // giveAway; tests shorten it

	mu      sync.Mutex
	running map[string]*running              // by lease
	away    map[string]intake.MailboxOptions // by lease, what was given away because it could not be read
}

// folder is an IMAP folder to read, under its lease.
type folder struct {
	lease string
	fence store.Fence
	mine  bool // false: another node reads it
	opt   intake.MailboxOptions
}

type running struct {
	folder
	box    *intake.Mailbox
	cancel context.CancelFunc
	done   chan struct{}
}

const (
	// giveAway is how long a folder cannot be read before another node may try:
	// longer than a mail server takes to restart.
	giveAway   = 2 * time.Minute
	reachEvery = 10 * time.Second
)

func newMailboxes(log *slog.Logger, wake func(string), reach func(lease string, can bool)) *mailboxes {
	return &mailboxes{log: log, wake: wake, reach: reach, lists: make(chan []folder, 1), after: giveAway, running: map[string]*running{}, away: map[string]intake.MailboxOptions{}}
}

// set replaces the list; the newest wins.
func (m *mailboxes) set(list []folder) {
	select {
	case <-m.lists:
	default:
	}
	m.lists <- list
}

// Run follows the list until ctx ends, and returns when all loops have.
func (m *mailboxes) Run(ctx context.Context) error {
	var probing sync.WaitGroup
	defer probing.Wait()
	probing.Go(func() { m.probe(ctx) })
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

func (m *mailboxes) follow(ctx context.Context, list []folder) {
	want := map[string]folder{}
	for _, f := range list {
		if f.mine {
			want[f.lease] = f
		}
	}
	var ending []*running
	m.mu.Lock()
	for k, r := range m.running {
		if f, ok := want[k]; ok && sameFolder(f, r.folder) {
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
	for k, f := range want {
		if m.running[k] == nil && ctx.Err() == nil {
			m.running[k] = m.begin(ctx, f)
		}
	}
	for _, f := range list {
		if _, ok := m.away[f.lease]; ok {
			m.away[f.lease] = f.opt // as it is configured now
		}
	}
}

// sameFolder compares settings and lease. Functions are no settings, and are
// equal to nothing, not even to themselves.
func sameFolder(a, b folder) bool {
	if a.opt.Tokens != b.opt.Tokens { // what an account remembers is no setting
		return false
	}
	a.opt.Tokens, b.opt.Tokens = nil, nil
	a.opt.Now, a.opt.Wake, b.opt.Now, b.opt.Wake = nil, nil, nil, nil
	return reflect.DeepEqual(a, b)
}

func (m *mailboxes) begin(ctx context.Context, f folder) *running {
	o := f.opt
	o.Wake, o.Now, o.Full = func() { m.wake(f.opt.Brand) }, now, m.full
	ctx, cancel := context.WithCancel(store.Fenced(ctx, f.fence))
	r := &running{folder: f, box: intake.NewMailbox(o), cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		if err := r.box.Run(ctx); err != nil && ctx.Err() == nil {
			m.log.Error("mailbox loop ended", "mailbox", o.Address, "err", err)
		}
	}()
	return r
}

// probe gives folders away that cannot be read from here, and looks whether
// they can be again.
func (m *mailboxes) probe(ctx context.Context) {
	tick := time.NewTicker(reachEvery)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		m.judge()
		if n%6 == 5 {
			m.knock(ctx)
		}
	}
}

// judge looks at the folders that are read.
func (m *mailboxes) judge() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for lease, r := range m.running {
		_, gone := m.away[lease]
		switch down := r.box.Down(); {
		case down > m.after && !gone:
			m.away[lease] = r.opt
			m.reach(lease, false)
		case down == 0 && gone:
			delete(m.away, lease)
			m.reach(lease, true)
		}
	}
}

// knock tries the folders that another node reads because this one could not.
func (m *mailboxes) knock(ctx context.Context) {
	try := map[string]intake.MailboxOptions{}
	m.mu.Lock()
	for lease, opt := range m.away {
		if m.running[lease] == nil {
			try[lease] = opt
		}
	}
	m.mu.Unlock()
	for lease, opt := range try {
		if intake.NewMailbox(opt).Reach(ctx) != nil {
			continue
		}
		m.mu.Lock()
		delete(m.away, lease)
		m.mu.Unlock()
		m.reach(lease, true)
	}
}

// late asks each mailbox when it last moved.
func (m *mailboxes) late(ask func(name string, beat time.Time) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.running {
		if err := ask("mailbox "+r.opt.Address+" "+r.opt.Folder, r.box.Beat()); err != nil {
			return err
		}
	}
	return nil
}
