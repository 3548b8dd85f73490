package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"frontdesk/config"
	"frontdesk/intake"
	"frontdesk/notify"
	"frontdesk/phone"
	"frontdesk/web"
)

// telephone is the telephone's way in, wired: webhooks, the loops behind them,
// and the account as it is configured now.
type telephone struct {
	dm      *daemon
	account atomic.Pointer[phoneAccount]
	wake    chan struct{} // files are named

	webhooks    *intake.Twilio
	fetcher     *intake.Fetcher
	redactor    *intake.Redactor
	transcriber *intake.Transcriber
	reconciler  *intake.TwilioReconciler
}

// phoneAccount is what a configuration says of the telephone, made once. All of
// it is empty without a twilio block.
type phoneAccount struct {
	verifier *phone.Verifier
	client   *phone.Client
	plans    map[string]phone.Plan
}

func phoneAccountOf(cfg *config.Config) (*phoneAccount, error) {
	verifier, err := verifierOf(cfg)
	if err != nil {
		return nil, err
	}
	client, err := phoneClientOf(cfg)
	if err != nil {
		return nil, err
	}
	return &phoneAccount{verifier, client, plansOf(cfg)}, nil
}

func newTelephone(dm *daemon, cfg *config.Config) (*telephone, error) {
	t := &telephone{dm: dm, wake: make(chan struct{}, 1)}
	account, err := phoneAccountOf(cfg)
	if err != nil {
		return nil, err
	}
	t.account.Store(account)
	fetch := func() { wake(t.wake) }
	t.webhooks = intake.NewTwilio(intake.TwilioOptions{
		DB: dm.db, Rules: dm.rules, Log: dm.log, Now: now, Wake: dm.wakeBrand, Fetch: fetch, Full: dm.room.full,
		Verifier: func() *phone.Verifier { return t.account.Load().verifier }, Account: func() string { return t.twilio().AccountSID },
		PublicURL: func() string { return dm.cfg().HTTP.PublicURL }, Plans: t.plans,
		Open: func(brand string, at time.Time) bool {
			calendar := dm.rules().Brands[brand].Calendar
			return calendar == nil || calendar.Open(at)
		},
		OnDuty: func(_, number string, at time.Time) []string { return onDuty(dm.cfg(), dm.rules(), number, at) },
	})
	t.transcriber = intake.NewTranscriber(intake.TranscriberOptions{
		DB: dm.db, Rules: dm.rules, Log: dm.log, Now: now, Wake: dm.wakeBrand,
		Command: func() ([]string, time.Duration) { return transcriberOf(t.twilio()) },
	})
	t.fetcher = intake.NewFetcher(intake.FetcherOptions{
		DB: dm.db, Log: dm.log, Now: now, Wake: dm.wakeBrand, Woken: t.wake, Client: t.client, Delete: t.deletes, Stored: t.transcriber.Offer,
		Limit: func() int64 { return max(int64(dm.cfg().Limits.MessageSize), mostMedia) },
	})
	t.redactor = intake.NewRedactor(intake.RedactorOptions{DB: dm.db, Log: dm.log, Now: now, Client: t.client})
	t.reconciler = intake.NewTwilioReconciler(intake.TwilioReconcilerOptions{
		DB: dm.db, Rules: dm.rules, Log: dm.log, Now: now, Wake: dm.wakeBrand, Fetch: fetch, Client: t.client, Delete: t.deletes,
		Every: func() time.Duration { return t.twilio().ReconcileEvery }, Days: func() int { return t.twilio().ReconcileDays },
	})
	return t, nil
}

// mostMedia is above what a telephone company carries in one file (Twilio takes
// 16 MB by WhatsApp), and half an hour of voicemail.
const mostMedia = 20 << 20

func (t *telephone) plans() map[string]phone.Plan { return t.account.Load().plans }
func (t *telephone) client() *phone.Client        { return t.account.Load().client }

// twilio is the account's block, an empty one when there is none.
func (t *telephone) twilio() config.Twilio {
	if c := t.dm.cfg().Twilio; c != nil {
		return *c
	}
	return config.Twilio{}
}

func (t *telephone) deletes() bool { return t.twilio().Retention == config.RetentionDelete }

func transcriberOf(c config.Twilio) ([]string, time.Duration) {
	if c.Transcribe != config.TranscribeCommand {
		return nil, 0
	}
	return c.TranscribeCommand, c.TranscribeTimeout
}

// transcribed reports whether a transcript of a recording is to be expected.
// Twilio takes those above 2 and below 120 seconds.
func transcribed(cfg *config.Config, r phone.Recording) bool {
	if cfg.Twilio == nil {
		return false
	}
	switch cfg.Twilio.Transcribe {
	case config.TranscribeCommand:
		return true
	case config.TranscribeTwilio:
		return r.Duration > 2*time.Second && r.Duration < 2*time.Minute
	}
	return false
}

// start starts the loops; without a telephone there are none.
func (t *telephone) start(l *loops) {
	if t.client() == nil {
		return
	}
	l.start("twilio", t.reconciler.Run)
	l.start("fetcher", t.fetcher.Run)
	l.start("redactor", t.redactor.Run)
	l.start("transcriber", t.transcriber.Run)
}

// late says which loop does not move.
func (t *telephone) late(late func(string, time.Time) error) error {
	if t.client() == nil {
		return nil
	}
	return errors.Join(late("twilio", t.reconciler.Beat()), late("fetcher", t.fetcher.Beat()), late("redactor", t.redactor.Beat()))
}

// carrier posts texts and calls with the account as it is configured now.
type carrier struct{ *telephone }

func (c carrier) SendMessage(ctx context.Context, m phone.Outgoing) (string, error) {
	return c.client().SendMessage(ctx, m)
}

func (c carrier) PlaceCall(ctx context.Context, o phone.Outcall) (string, error) {
	return c.client().PlaceCall(ctx, o)
}

func (c carrier) EndCall(ctx context.Context, callSid string) error {
	return c.client().EndCall(ctx, callSid)
}

func (c carrier) FindMessage(ctx context.Context, m phone.Outgoing, since time.Time, known ...string) (string, error) {
	return c.client().FindMessage(ctx, m, since, known...)
}

func (c carrier) FindCall(ctx context.Context, o phone.Outcall, since time.Time, known ...string) (string, error) {
	return c.client().FindCall(ctx, o, since, known...)
}

// sends is how texts and calls leave, nil without a telephone.
func (t *telephone) sends() *notify.Telephone {
	if t.client() == nil {
		return nil
	}
	out := &notify.Telephone{
		Client: carrier{t}, Lines: func() map[string]notify.Line { return phoneRoutesOf(t.dm.cfg()) },
		Limits: func() phone.Limits { return limitsOf(t.dm.cfg()) },
	}
	if brands := t.dm.cfg().Brands; len(brands) > 0 {
		out.Zone = brands[0].Timezone
	}
	return out
}

// public is what http.listen serves: the telephone's webhooks below /twilio/ and
// the customers' pages. The webhooks pass no ServeMux: it cleans paths, and what
// was signed is the path as it came.
//
// Below the path of http.public_url both are found as well as at the root: a
// proxy may take that path off, or keep it.
func (dm *daemon) public() http.Handler {
	pages, prefix := dm.pages(), publicPath(dm.cfg())
	below := http.StripPrefix(prefix, pages)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := phone.PathOf(r.URL.EscapedPath(), dm.cfg().HTTP.PublicURL)
		if strings.HasPrefix(path, "/twilio/") {
			dm.phone.webhooks.ServeHTTP(w, r)
			return
		}
		if prefix != "" && strings.HasPrefix(r.URL.Path, prefix+"/") {
			below.ServeHTTP(w, r)
			return
		}
		pages.ServeHTTP(w, r)
	})
}

// publicPath is the path of http.public_url, "" mostly.
func publicPath(cfg *config.Config) string {
	u, err := url.Parse(cfg.HTTP.PublicURL)
	if err != nil {
		return ""
	}
	return strings.TrimRight(u.Path, "/")
}

func (dm *daemon) pages() http.Handler {
	return web.New(web.Options{
		DB: dm.db, Rules: dm.rules, Log: dm.log, Now: now, Wake: dm.wakeBrand, Full: dm.room.full, Open: web.OpenAttachment(attachmentsOf(dm.db)), Prefix: publicPath(dm.cfg()),
		Brands: func() map[string]web.Brand {
			out := map[string]web.Brand{}
			for _, b := range dm.cfg().Brands {
				out[b.ID] = web.Brand{Name: b.Name, Color: b.Color, Language: b.Language, Location: b.Timezone}
			}
			return out
		},
	})
}
