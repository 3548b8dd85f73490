package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"frontdesk/config"
	"frontdesk/intake"
	"frontdesk/nodes"
	"frontdesk/notify"
	"frontdesk/parser"
	"frontdesk/phone"
	"frontdesk/schedules"
	"frontdesk/store"
	"frontdesk/throttle"
	"frontdesk/tickets"
)

// daemon is every loop of the desk, wired. Constructors start nothing; run
// starts the loops, and ends them last in, first out: nothing new comes in
// while what is there is still decided and sent.
type daemon struct {
	log *slog.Logger
	db  *store.DB

	current atomic.Pointer[desk]          // configuration and rules; a reload swaps them
	learned atomic.Pointer[tickets.Model] // what the desk learned of sorting; nil nothing yet

	wakeWorker map[string]chan struct{} // by brand: rows were added
	wakeSender chan struct{}            // letters may be waiting
	wakeSweep  chan struct{}            // something was decided: time may cause more at once

	keeper  *nodes.Keeper // of the leases that this node works under
	boxes   *mailboxes
	workers map[string]*intake.Worker
	sender  *notify.Sender
	sweep   *schedules.Sweep
	phone   *telephone
	room    *room
	gate    *throttle.Gate // before the pages and webhooks
	alerts  *schedules.Alerts
	fresh   *desk // whose new agents get the guide at the start
	took    *prometheus.HistogramVec
}

func newDaemon(d *desk, log *slog.Logger) (*daemon, error) {
	dm := &daemon{log: log, db: d.db, wakeWorker: map[string]chan struct{}{}, wakeSender: make(chan struct{}, 1), wakeSweep: make(chan struct{}, 1), workers: map[string]*intake.Worker{}, fresh: d, took: newDecisionTimes()}
	dm.current.Store(d)
	dm.keeper = dm.newKeeper()
	poll := time.Duration(0)
	if d.db.Shared() { // rows that another node took in wake nobody here
		poll = time.Second
	}
	dm.room = newRoom(dm.cfg)
	var err error
	if dm.phone, err = newTelephone(dm, d.cfg); err != nil {
		return nil, err
	}
	for _, b := range d.cfg.Brands {
		dm.wakeWorker[b.ID] = make(chan struct{}, 1)
		dm.workers[b.ID] = intake.NewWorker(intake.WorkerOptions{
			Parse: parse,
			Brand: b.ID, DB: d.db, Rules: dm.rules, Log: log, Now: now, Wake: dm.wakeWorker[b.ID], Parser: func() parser.Options { return parserOf(dm.cfg(), b.ID) },
			Auth:    func(mailbox string) intake.Authenticator { return authenticatorsOf(dm.cfg())(mailbox) },
			Decided: func() { wake(dm.wakeSender); wake(dm.wakeSweep) }, Took: dm.timeDecisions(b.ID),
			Lease: dm.lease(nodes.Brand + b.ID), Poll: poll,
			Plans: dm.phone.plans, Transcript: func(r phone.Recording) bool { return transcribed(dm.cfg(), r) },
		})
	}
	dm.boxes = newMailboxes(log, dm.wakeBrand, dm.reachable)
	dm.boxes.full = dm.room.full
	sender, err := notify.New(notify.Options{
		DB: d.db, Rules: dm.rules, Log: log, Now: now, Wake: dm.wakeSender,
		Brands: func() map[string]notify.Brand { return letterBrands(dm.cfg()) },
		Routes: func() map[string]notify.Route { return routesOf(dm.cfg(), dm.current.Load().accounts) },
		Phone:  dm.phone.sends(),
		Report: writeReport,
		Open:   attachmentsOf(d.db), OpenFile: filesOf(d.db), InDoubt: string(d.cfg.Outbox.InDoubt), Expire: d.cfg.Outbox.ExpireAfter,
		Connections: d.cfg.Outbox.Connections, PublicURL: d.cfg.HTTP.PublicURL, LettersDir: d.cfg.LettersDir,
	})
	if err != nil {
		return nil, err
	}
	dm.sender = sender
	dm.sweep = schedules.New(schedules.Options{
		DB: d.db, Rules: dm.rules, Log: log, Now: now, Wake: dm.wakeSweep, Wrote: func() { wake(dm.wakeSender) }, Supervisor: dm.supervisorTime, Morning: dm.morningTime, Keep: dm.keepTime,
		Jobs: reportJobs(d.db), Lease: dm.lease(nodes.Schedules),
	})
	dm.alerts = schedules.NewAlerts(dm.alertOptions())
	dm.gate = dm.newGate()
	return dm, nil
}

func (dm *daemon) cfg() *config.Config { return dm.current.Load().cfg }

// rules are those of the configuration, with what the desk learned meanwhile.
func (dm *daemon) rules() tickets.Rules {
	r := dm.current.Load().rules
	r.Learned = dm.learned.Load()
	return r
}

// take takes a configuration over, its telephone first: whoever sees the new
// numbers finds the plans of them.
func (dm *daemon) take(d *desk, account *phoneAccount) {
	dm.phone.account.Store(account)
	dm.current.Store(d)
}

func (dm *daemon) wakeBrand(brand string) {
	if c, ok := dm.wakeWorker[brand]; ok {
		wake(c)
	}
}

// wake leaves a word without waiting; one is enough however many rows came.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (dm *daemon) supervisorTime() *schedules.TimeOfDay {
	cfg := dm.cfg()
	if cfg.SupervisorMail == nil || len(cfg.Brands) == 0 {
		return nil
	}
	return &schedules.TimeOfDay{Hour: cfg.SupervisorMail.Hour, Minute: cfg.SupervisorMail.Minute, Location: cfg.Brands[0].Timezone}
}

func (dm *daemon) morningTime() *schedules.TimeOfDay {
	cfg := dm.cfg()
	if cfg.MorningMail == nil || len(cfg.Brands) == 0 {
		return nil
	}
	return &schedules.TimeOfDay{Hour: cfg.MorningMail.Hour, Minute: cfg.MorningMail.Minute, Location: cfg.Brands[0].Timezone}
}

// welcome writes the one-page guide to agents the desk had not met before.
func (dm *daemon) welcome(ctx context.Context, d *desk) error {
	for _, address := range d.fresh {
		a, ok := d.rules.Agent(address)
		if !ok {
			continue
		}
		c := tickets.Welcome(a, d.rules)
		err := dm.db.Decide(ctx, c.Brand, func(tx *store.Tx) error {
			_, err := tx.Save(ctx, 0, "", "", c, now())
			return err
		})
		if err != nil {
			return fmt.Errorf("welcome %s: %w", address, err)
		}
	}
	wake(dm.wakeSender)
	return nil
}

// run works until ctx ends. ready is called once everything listens; stopping
// when the end begins.
func (dm *daemon) run(ctx context.Context, ready, stopping func()) error {
	defer dm.db.Close()
	servers, err := dm.listen()
	if err != nil {
		return err
	}
	if err := dm.welcome(ctx, dm.fresh); err != nil {
		return err
	}
	inner := newLoops(dm.log)
	inner.start("sender", dm.sender.Run)
	inner.start("sweep", dm.sweep.Run)
	inner.start("alerts", dm.alerts.Run)
	inner.start("memory", dm.giveBack)
	inner.start("blobs", dm.sweepBlobs)
	inner.start("articles", dm.followArticles)
	inner.start("learn", func(ctx context.Context) error {
		return learnLoop(ctx, dm.log, dm.db.Lessons, dm.learned.Store, now, learnEvery)
	})
	middle := newLoops(dm.log)
	for brand, w := range dm.workers {
		middle.start("worker "+brand, w.Run)
	}
	outer := newLoops(dm.log)
	for _, s := range servers {
		outer.start(s.name, s.serve)
	}
	outer.start("mailboxes", dm.boxes.Run)
	dm.phone.start(outer)
	keeping := newLoops(dm.log)
	keeping.start("leases", dm.keeper.Run)
	dm.log.Info("ready", "version", currentBuild().Version, "mailboxes", len(mailboxesOf(dm.cfg(), dm.db, dm.current.Load().accounts, dm.log)), "node", dm.db.Node())
	ready()

	var broken error
	var limit time.Time
	select {
	case <-ctx.Done():
	case broken = <-outer.broken:
	case broken = <-middle.broken:
	case broken = <-inner.broken:
	case broken = <-keeping.broken:
	case <-dm.db.Untrusted():
		broken = dm.db.WhyUntrusted()
		limit = time.Now().Add(drainUntrusted)
		dm.log.Error("database not trusted", "err", broken)
		broken = fmt.Errorf("%w\nhint: look at the disk (dmesg, smartctl); the next start checks what is there, and nothing that was accepted is lost", broken)
	}
	stopping()
	dm.log.Info("stopping")
	if limit.IsZero() {
		limit = time.Now().Add(drain)
	}
	err = errors.Join(broken, outer.stop(limit))
	dm.keeper.Leave(context.Background(), nodes.Mailbox) // other nodes need not wait for the rest
	err = errors.Join(err, middle.stop(limit))
	dm.keeper.Leave(context.Background(), nodes.Brand)
	err = errors.Join(err, inner.stop(limit), keeping.stop(time.Now().Add(5*time.Second)))
	dm.log.Info("stopped")
	return err
}

// server is one listener with what answers on it.
type server struct {
	name  string
	serve func(context.Context) error
}

// listen opens every listener before anything starts: a taken port is an error
// of the start, not of an hour later.
func (dm *daemon) listen() ([]server, error) {
	cfg := dm.cfg()
	var out []server
	var opened []net.Listener
	open := func(what, address string, serve func(net.Listener) func(context.Context) error) error {
		if address == "" {
			return nil
		}
		l, err := net.Listen("tcp", address)
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		opened = append(opened, l)
		dm.log.Info("listening", "source", what, "address", l.Addr().String())
		out = append(out, server{what, serve(l)})
		return nil
	}
	err := errors.Join(
		open("http.admin_listen", cfg.HTTP.AdminListen, func(l net.Listener) func(context.Context) error { return serveHTTP(l, adminConnections, dm.admin()) }),
		open("http.listen", cfg.HTTP.Listen, func(l net.Listener) func(context.Context) error { return serveHTTP(l, cfg.HTTP.Connections, dm.gate) }),
		open("lmtp.listen", cfg.LMTP.Listen, func(l net.Listener) func(context.Context) error {
			s := intake.NewLMTP(intake.LMTPOptions{
				Current: func() []intake.Address { return addressesOf(dm.cfg()) }, MaxSize: max(int64(cfg.Limits.MessageSize)*2, 50<<20), Hostname: hostname(),
				DB: dm.db, Log: dm.log, Now: now, Wake: dm.wakeAll, Full: dm.room.full, Connections: cfg.LMTP.Connections,
			})
			return func(ctx context.Context) error { return s.Serve(ctx, l) }
		}),
	)
	if err != nil {
		for _, l := range opened {
			_ = l.Close()
		}
		return nil, err
	}
	return out, nil
}

func (dm *daemon) wakeAll() {
	for brand := range dm.wakeWorker {
		dm.wakeBrand(brand)
	}
}

func hostname() string {
	if h, err := os.Hostname(); err == nil {
		return h
	}
	return "localhost"
}

// adminConnections is more than monitors and people need; it is apart from what
// the world can use up.
const adminConnections = 50

// serveHTTP answers on l until ctx ends. The limits keep a slow or greedy
// client from holding what others need.
func serveHTTP(l net.Listener, connections int, h http.Handler) func(context.Context) error {
	return func(ctx context.Context) error {
		l := throttle.Limit(l, connections)
		s := &http.Server{
			Handler: l.Handler(h), ConnContext: l.Context, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second,
			WriteTimeout: 30 * time.Second, IdleTimeout: 60 * time.Second, MaxHeaderBytes: 32 << 10,
		}
		ended := make(chan error, 1)
		go func() { ended <- s.Serve(l) }()
		select {
		case err := <-ended:
			return err
		case <-ctx.Done():
		}
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := s.Shutdown(last); err != nil {
			_ = s.Close()
		}
		<-ended
		return nil
	}
}

// stale is how long a loop may be silent before it counts as stuck. It is well
// above the longest step of any of them (an SMTP answer may take five minutes).
const stale = 10 * time.Minute

// alive says whether the desk works: the database answers and every loop moved
// of late.
func (dm *daemon) alive(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := dm.db.Ping(ctx); err != nil {
		return fmt.Errorf("database: %w", err)
	}
	late := func(name string, beat time.Time) error {
		if quiet := time.Since(beat); quiet > stale {
			return fmt.Errorf("%s has not moved for %s", name, quiet.Round(time.Second))
		}
		return nil
	}
	err := errors.Join(late("sender", dm.sender.Beat()), late("sweep", dm.sweep.Beat()), late("alerts", dm.alerts.Beat()))
	if s := dm.keeper.State(); s.Quiet > dm.keeper.Life() {
		err = errors.Join(err, fmt.Errorf("leases: not renewed for %s: other nodes have the work of this one", s.Quiet.Round(time.Second)))
	}
	for brand, w := range dm.workers {
		err = errors.Join(err, late("worker "+brand, w.Beat()))
	}
	return errors.Join(err, dm.boxes.late(late), dm.phone.late(late))
}

// loops runs a set of loops that end together.
type loops struct {
	log    *slog.Logger
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	broken chan error // a loop ended by itself
}

func newLoops(log *slog.Logger) *loops {
	ctx, cancel := context.WithCancel(context.Background())
	return &loops{log: log, ctx: ctx, cancel: cancel, broken: make(chan error, 1)}
}

func (l *loops) start(name string, run func(context.Context) error) {
	l.wg.Go(func() {
		err := run(l.ctx)
		if l.ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled)) {
			return
		}
		select {
		case l.broken <- fmt.Errorf("%s ended: %w", name, err):
		default:
		}
	})
}

// stop ends the loops and waits for them until limit.
func (l *loops) stop(limit time.Time) error {
	l.cancel()
	done := make(chan struct{})
	go func() { l.wg.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-time.After(time.Until(limit)):
		return errors.New("a loop did not end in time; what it had in hand is tried again at the next start")
	}
}
