package main

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// admin serves /healthz (the process answers), /readyz (the database answers,
// the loops move, and there is room to take mail in) and /metrics, on a loopback
// address.
func (dm *daemon) admin() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), figures{dm})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		answerReady(w, r, dm.unready(r.Context()))
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return mux
}

// figures reads the desk's numbers when they are asked for.
type figures struct{ dm *daemon }

var (
	// disposition: message, recorded, quarantined, discarded, duplicate
	descDecided = prometheus.NewDesc("frontdesk_intake_decided_total", "Ledger rows decided by this process.", []string{"brand", "disposition"}, nil)
	// disposition as above, and "undecided"
	descLedger = prometheus.NewDesc("frontdesk_store_ledger_rows", "Ledger rows by what became of them.", []string{"disposition"}, nil)
	// state: queued, dot, sent, failed, held, dropped, bounced
	descOutbox = prometheus.NewDesc("frontdesk_store_outbox_letters", "Letters by state.", []string{"state"}, nil)
	// mailbox: configured address
	descPolled = prometheus.NewDesc("frontdesk_intake_mailbox_polled_timestamp_seconds", "When a mailbox was last read without an error.", []string{"mailbox"}, nil)
	descBroken = prometheus.NewDesc("frontdesk_intake_mailbox_error", "1 while the last pass over a mailbox failed.", []string{"mailbox"}, nil)
	// outcome: taken, again, refused, oversize, unknown, unreadable, down
	descWebhooks = prometheus.NewDesc("frontdesk_webhooks_total", "Webhooks of the telephone company by what became of them.", []string{"outcome"}, nil)
	// outcome: stored, later, given-up, lost
	descFetches = prometheus.NewDesc("frontdesk_fetches_total", "Attempts to fetch a recording or picture by what became of them.", []string{"outcome"}, nil)
	descBrought = prometheus.NewDesc("frontdesk_webhooks_lost_total", "Texts, calls and recordings that no webhook brought and the reconciler took in.", nil, nil)
	// name: mailbox:<address>/<folder>, brand:<id>, schedules, node:<name>
	descLease = prometheus.NewDesc("frontdesk_lease_held", "1 for each lease that this node holds, of several nodes on one database.", []string{"name"}, nil)
	descEpoch = prometheus.NewDesc("frontdesk_lease_epoch", "The epoch of each lease that this node holds: it rises with each holder.", []string{"name"}, nil)
	descNodes = prometheus.NewDesc("frontdesk_nodes", "Nodes that live, as this one sees them.", nil, nil)
	descAhead = prometheus.NewDesc("frontdesk_clock_ahead_seconds", "How far the database's clock is ahead of this machine's.", nil, nil)
	// outcome: sent, deferred, failed, held, doubt, resent, lost (another node had claimed it)
	descLetters = prometheus.NewDesc("frontdesk_letters_total", "Attempts of this process to send letters by how they ended.", []string{"outcome"}, nil)
	descScrape  = prometheus.NewDesc("frontdesk_store_scrape_error", "1 when the database did not answer for these metrics.", nil, nil)
)

func (f figures) Describe(c chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descDecided, descLedger, descOutbox, descPolled, descBroken, descWebhooks, descFetches, descBrought, descLease, descEpoch, descNodes, descAhead, descLetters, descScrape} {
		c <- d
	}
}

func (f figures) Collect(c chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for brand, w := range f.dm.workers {
		for d, n := range w.Counts() {
			c <- prometheus.MustNewConstMetric(descDecided, prometheus.CounterValue, float64(n), brand, string(d))
		}
	}
	f.telephone(c)
	f.node(c)
	failed := 0.0
	if err := f.stored(ctx, c); err != nil {
		failed = 1
	}
	c <- prometheus.MustNewConstMetric(descScrape, prometheus.GaugeValue, failed)
}

// node tells what this process does, of several and by itself.
func (f figures) node(c chan<- prometheus.Metric) {
	for _, h := range f.dm.keeper.Holding() {
		c <- prometheus.MustNewConstMetric(descLease, prometheus.GaugeValue, 1, h.Lease)
		c <- prometheus.MustNewConstMetric(descEpoch, prometheus.GaugeValue, float64(h.Epoch), h.Lease)
	}
	s := f.dm.keeper.State()
	c <- prometheus.MustNewConstMetric(descNodes, prometheus.GaugeValue, float64(s.Peers))
	c <- prometheus.MustNewConstMetric(descAhead, prometheus.GaugeValue, s.Ahead.Seconds())
	sent := f.dm.sender.Stats()
	for outcome, n := range map[string]int64{"sent": sent.Sent, "deferred": sent.Deferred, "failed": sent.Failed, "held": sent.Held, "doubt": sent.Doubts, "resent": sent.Resent, "lost": sent.Lost} {
		c <- prometheus.MustNewConstMetric(descLetters, prometheus.CounterValue, float64(n), outcome)
	}
}

func (f figures) telephone(c chan<- prometheus.Metric) {
	counter := func(d *prometheus.Desc, n int64, labels ...string) {
		c <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	for outcome, n := range f.dm.phone.webhooks.Counts() {
		counter(descWebhooks, n, outcome)
	}
	for outcome, n := range f.dm.phone.fetcher.Counts() {
		counter(descFetches, n, outcome)
	}
	counter(descBrought, f.dm.phone.reconciler.Brought())
}

func (f figures) stored(ctx context.Context, c chan<- prometheus.Metric) error {
	tally, err := f.dm.db.Tally(ctx, "")
	if err != nil {
		return err
	}
	gauge := func(d *prometheus.Desc, v float64, label string) {
		c <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, label)
	}
	gauge(descLedger, float64(tally.Undecided), "undecided")
	for d, n := range tally.ByDisposition {
		gauge(descLedger, float64(n), string(d))
	}
	states, err := f.dm.db.OutboxTally(ctx)
	if err != nil {
		return err
	}
	for s, n := range states {
		gauge(descOutbox, float64(n), s)
	}
	cursors, err := f.dm.db.Cursors(ctx)
	if err != nil {
		return err
	}
	for _, cur := range cursors {
		broken := 0.0
		if cur.Error != "" {
			broken = 1
		}
		gauge(descPolled, float64(cur.Polled.Unix()), cur.Mailbox)
		gauge(descBroken, broken, cur.Mailbox)
	}
	return nil
}
