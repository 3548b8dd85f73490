package main

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"frontdesk/store"
	"frontdesk/throttle"
)

// What /metrics says. No label is anybody's address but the desk's own
// mailboxes'. Ages are 0 when there is nothing. docs/operate.md says what to
// watch; the dashboard and the alert rules beside it name these.

// newDecisionTimes makes the histogram of decisions. brand: as configured.
func newDecisionTimes() *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "frontdesk_intake_decision_seconds", Help: "From the arrival of a mail, call or text in the ledger to the decision about it.",
		Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 3600, 86400},
	}, []string{"brand"})
}

func (dm *daemon) timeDecisions(brand string) func(time.Duration) {
	h := dm.took.WithLabelValues(brand)
	return func(took time.Duration) { h.Observe(max(0, took.Seconds())) }
}

// figures reads the desk's numbers when they are asked for.
type figures struct {
	dm *daemon

	mu      sync.Mutex
	counted time.Time // when the tallies below were made
	took    time.Duration
	ledger  store.Tally
	outbox  map[string]int
}

// describe makes the description of one metric and keeps it for Describe.
func describe(name, help string, labels ...string) *prometheus.Desc {
	d := prometheus.NewDesc("frontdesk_"+name, help, labels, nil)
	described = append(described, d)
	return d
}

var described []*prometheus.Desc

var (
	// version: of the program
	descBuild = describe("build_info", "Always 1; says which version runs.", "version", "go")
	descReady = describe("ready", "1 while /readyz answers 200: the database answers, every loop moves, and there is room.")

	// disposition: message, recorded, quarantined, discarded, duplicate
	descDecided = describe("intake_decided_total", "Ledger rows decided by this process.", "brand", "disposition")
	// disposition as above, and "undecided"
	descLedger = describe("store_ledger_rows", "Ledger rows by what became of them. Counted anew only so often that counting takes 2 % of the time.", "disposition")
	descWaits  = describe("intake_undecided_rows", "Ledger rows that are not decided yet.")
	descWaited = describe("intake_undecided_age_seconds", "Age of the oldest ledger row that is not decided yet.")
	// mailbox: configured address
	descPolled = describe("intake_mailbox_polled_timestamp_seconds", "When a mailbox was last read without an error.", "mailbox")
	descBroken = describe("intake_mailbox_error", "1 while the last pass over a mailbox failed.", "mailbox")

	descQuarantined   = describe("quarantine_mails", "Mails in quarantine that nobody has released or dropped.")
	descQuarantineAge = describe("quarantine_age_seconds", "Age of the oldest mail in quarantine.")

	// state: queued, dot, sent, failed, held, dropped, bounced
	descOutbox = describe("store_outbox_letters", "Letters by state. Counted anew only so often that counting takes 2 % of the time.", "state")
	descQueue  = describe("outbox_waiting_letters", "Letters that wait to leave: queued, or in doubt.")
	descOldest = describe("outbox_age_seconds", "Age of the oldest letter that should have left by now.")
	// state: held, failed
	descTrouble = describe("outbox_trouble_letters", "Letters that wait for an operator.", "state")
	// outcome: sent, deferred, failed, held, doubt, resent, lost
	descSent    = describe("letters_total", "Attempts at letters, texts and calls by this process, by how they ended. doubt: the answer to the last byte was not seen.", "outcome")
	descDialled = describe("notify_connections_total", "Connections opened to mail servers by this process.")

	// name: mailbox:<address>/<folder>, brand:<id>, schedules, node:<name>
	descLease = describe("lease_held", "1 for each lease that this node holds, of several nodes on one database.", "name")
	descEpoch = describe("lease_epoch", "The epoch of each lease that this node holds: it rises with each holder.", "name")
	descNodes = describe("nodes", "Nodes that live, as this one sees them.")
	descAhead = describe("clock_ahead_seconds", "How far the database's clock is ahead of this machine's.")

	descOpen       = describe("tickets_open", "Tickets that are not resolved.", "brand")
	descUnassigned = describe("tickets_unassigned", "Tickets that are not resolved and nobody's.", "brand")
	descOverdue    = describe("tickets_overdue", "Tickets that are not resolved and have missed a promised time.", "brand")

	// outcome: taken, again, refused, oversize, unknown, unreadable, down
	descWebhooks = describe("webhooks_total", "Webhooks of the telephone company by what became of them.", "outcome")
	// kind: page, press, webhook
	descLimited = describe("http_limited_total", "Requests answered 429, because one address asked for too much.", "kind")
	// outcome: stored, later, given-up, lost
	descFetches  = describe("fetches_total", "Attempts to fetch a recording or picture by what became of them.", "outcome")
	descFetching = describe("fetches_waiting", "Recordings and pictures that are still to be fetched.")
	descBrought  = describe("webhooks_lost_total", "Texts, calls and recordings that no webhook brought and the reconciler took in.")

	descSize   = describe("store_database_bytes", "What the database takes on disk.")
	descFree   = describe("disk_free_bytes", "What is free on the disk of data_dir.")
	descBackup = describe("backup_timestamp_seconds", "When frontdesk backup last ended well; 0 never.")
	// verified: whether it was restored and compared
	descVerified = describe("backup_verified", "1 when the newest backup was restored and compared.")
	descScrape   = describe("store_scrape_error", "1 when the database did not answer for these metrics.")
)

func (f *figures) Describe(c chan<- *prometheus.Desc) {
	for _, d := range described {
		c <- d
	}
}

// measured passes figures on.
type measured struct{ c chan<- prometheus.Metric }

func (m measured) gauge(d *prometheus.Desc, v float64, labels ...string) {
	m.c <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func (m measured) counter(d *prometheus.Desc, n int64, labels ...string) {
	m.c <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
}

func (f *figures) Collect(c chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	m := measured{c}
	build := currentBuild()
	m.gauge(descBuild, 1, build.Version, build.Go)
	m.gauge(descReady, truth(f.dm.unready(ctx) == nil))
	for brand, w := range f.dm.workers {
		for d, n := range w.Counts() {
			m.counter(descDecided, n, brand, string(d))
		}
	}
	f.letters(m)
	f.telephone(m)
	f.node(m)
	f.disk(m)
	err := f.stored(ctx, m)
	if err == nil {
		err = f.tallied(ctx, m)
	}
	m.gauge(descScrape, truth(err != nil))
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func (f *figures) letters(m measured) {
	s := f.dm.sender.Stats()
	for _, o := range []struct {
		outcome string
		n       int64
	}{{"sent", s.Sent}, {"deferred", s.Deferred}, {"failed", s.Failed}, {"held", s.Held}, {"doubt", s.Doubts}, {"resent", s.Resent}, {"lost", s.Lost}} {
		m.counter(descSent, o.n, o.outcome)
	}
	m.counter(descDialled, s.Dialled)
}

// node tells which part of several nodes' work is this one's.
func (f *figures) node(m measured) {
	for _, h := range f.dm.keeper.Holding() {
		m.gauge(descLease, 1, h.Lease)
		m.gauge(descEpoch, float64(h.Epoch), h.Lease)
	}
	s := f.dm.keeper.State()
	m.gauge(descNodes, float64(s.Peers))
	m.gauge(descAhead, s.Ahead.Seconds())
}

func (f *figures) telephone(m measured) {
	for outcome, n := range f.dm.phone.webhooks.Counts() {
		m.counter(descWebhooks, n, outcome)
	}
	for i, kind := range []string{"page", "press", "webhook"} {
		m.counter(descLimited, f.dm.gate.Refused(throttle.Kind(i)), kind)
	}
	for outcome, n := range f.dm.phone.fetcher.Counts() {
		m.counter(descFetches, n, outcome)
	}
	m.counter(descBrought, f.dm.phone.reconciler.Brought())
}

// disk tells what needs no database.
func (f *figures) disk(m measured) {
	dir := f.dm.cfg().DataDir
	if free, _, known, err := diskOf(dir); known && err == nil {
		m.gauge(descFree, float64(free))
	}
	if n, err := lastBackup(dir); err == nil {
		at := 0.0
		if !n.Time.IsZero() {
			at = float64(n.Time.Unix())
		}
		m.gauge(descBackup, at)
		m.gauge(descVerified, truth(n.Verified))
	}
}

// stored tells what the store knows at little cost.
func (f *figures) stored(ctx context.Context, m measured) error {
	at := now()
	v, err := f.dm.db.Vitals(ctx, at)
	if err != nil {
		return err
	}
	age := func(d *prometheus.Desc, since time.Time) {
		seconds := 0.0
		if !since.IsZero() {
			seconds = max(0, at.Sub(since).Seconds())
		}
		m.gauge(d, seconds)
	}
	m.gauge(descWaits, float64(v.Undecided))
	age(descWaited, v.OldestUndecided)
	m.gauge(descQuarantined, float64(v.Quarantined))
	age(descQuarantineAge, v.OldestHeld)
	m.gauge(descQueue, float64(v.Waiting))
	age(descOldest, v.OldestWaiting)
	m.gauge(descTrouble, float64(v.Held), store.LetterHeld)
	m.gauge(descTrouble, float64(v.Failed), store.LetterFailed)
	m.gauge(descFetching, float64(v.Fetches))
	m.gauge(descSize, float64(v.Size))
	for _, b := range f.dm.cfg().Brands {
		o := v.Open[b.ID]
		m.gauge(descOpen, float64(o.Open), b.ID)
		m.gauge(descUnassigned, float64(o.Unassigned), b.ID)
		m.gauge(descOverdue, float64(o.Overdue), b.ID)
	}
	cursors, err := f.dm.db.Cursors(ctx)
	if err != nil {
		return err
	}
	for _, cur := range cursors {
		m.gauge(descPolled, float64(cur.Polled.Unix()), cur.Mailbox)
		m.gauge(descBroken, truth(cur.Error != ""), cur.Mailbox)
	}
	return nil
}

// tallied tells what counts all there is: a million rows take a second, and a
// monitor asks every fifteen.
func (f *figures) tallied(ctx context.Context, m measured) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if began := time.Now(); began.Sub(f.counted) > 50*f.took {
		ledger, err := f.dm.db.Tally(ctx, "")
		if err != nil {
			return err
		}
		outbox, err := f.dm.db.OutboxTally(ctx)
		if err != nil {
			return err
		}
		f.ledger, f.outbox, f.counted, f.took = ledger, outbox, time.Now(), time.Since(began)
	}
	m.gauge(descLedger, float64(f.ledger.Undecided), "undecided")
	for d, n := range f.ledger.ByDisposition {
		m.gauge(descLedger, float64(n), string(d))
	}
	for s, n := range f.outbox {
		m.gauge(descOutbox, float64(n), s)
	}
	return nil
}
