package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"frontdesk/config"
	"frontdesk/intake"
	"frontdesk/notify"
	"frontdesk/parser"
	"frontdesk/store"
	"frontdesk/tickets"
)

// This file and its sisters translate the configuration into the words of each
// room: wire_promises.go what is promised, wire_phone.go the telephone. No room
// knows the configuration; nothing here decides anything.

// desk is an open store with the configuration it belongs to: what most
// commands work on.
type desk struct {
	cfg      *config.Config
	db       *store.DB
	rules    tickets.Rules
	articles *shelf // nil without a knowledge base
	accounts *accounts
	places   blobPlaces
	fresh    []string // agents the store had not met before
}

// openDesk loads the configuration named by the command's flags and opens its
// store. daemon takes the lock of the data folder.
func openDesk(cmd *cobra.Command, daemon bool) (*desk, error) {
	cfg, err := config.Load(configFile(cmd))
	if err != nil {
		return nil, failed(fmt.Errorf("%w\nhint: frontdesk check --config %s", err, configFile(cmd)))
	}
	d, err := deskOf(cmd.Context(), cfg, daemon)
	return d, failed(err)
}

// deskOf opens the store of a configuration.
func deskOf(ctx context.Context, cfg *config.Config, daemon bool) (*desk, error) {
	if err := os.MkdirAll(cfg.DataDir, 0o750); err != nil {
		return nil, fmt.Errorf("make data_dir: %w", err)
	}
	places, err := blobPlacesOf(cfg)
	if err != nil {
		return nil, err
	}
	opt := store.Options{Database: databaseOf(cfg), Daemon: daemon, CopyFirst: true, Keys: keyringOf(cfg), Blobs: places.options(cfg), Spool: cfg.DataDir}
	if daemon {
		opt.Node, opt.Idle = nodeName(cfg), max(cfg.Nodes.Lease/2, 2*time.Second)
	}
	db, err := store.Open(ctx, opt)
	if errors.Is(err, store.ErrCorrupt) {
		return nil, fmt.Errorf("%w\nhint: frontdesk restore BACKUP --force moves the damaged file aside; mail that is still in the mailboxes is fetched again", err)
	}
	if err != nil {
		return nil, err
	}
	if err := sameClock(ctx, db); err != nil {
		_ = db.Close()
		return nil, err
	}
	if err := places.prepare(ctx, db, string(cfg.Blobs.Store)); err != nil {
		_ = db.Close()
		return nil, err
	}
	d := &desk{cfg: cfg, db: db, accounts: newAccounts(db), places: places}
	if err := d.meetAgents(ctx); err != nil {
		_ = db.Close()
		return nil, err
	}
	if daemon { // before it serves
		if _, err := eraseAgain(ctx, db, cfg); err != nil {
			_ = db.Close()
			return nil, err
		}
	}
	return d, nil
}

func (d *desk) Close() error { return d.db.Close() }

// meetAgents gives each agent of the configuration a person in the store, and
// makes the rules.
func (d *desk) meetAgents(ctx context.Context) error {
	if wrong := deskFindings(d.cfg); len(wrong) > 0 {
		return wrong
	}
	ids, fresh, err := d.db.Agents(ctx, agentsOf(d.cfg))
	if err != nil {
		return fmt.Errorf("store the agents: %w", err)
	}
	rules, err := rulesOf(d.cfg, ids)
	if err != nil {
		return err
	}
	d.articles = shelfOf(d.cfg, d.articles)
	d.articles.into(&rules)
	d.rules, d.fresh = rules, fresh
	return nil
}

func databaseOf(cfg *config.Config) string {
	if cfg.Database.IsPostgres() {
		return string(cfg.Database)
	}
	return filepath.Join(cfg.DataDir, "frontdesk.db")
}

func agentsOf(cfg *config.Config) []tickets.Agent {
	var out []tickets.Agent
	for _, a := range cfg.Agents {
		out = append(out, tickets.Agent{
			Name: a.Name, Address: tickets.NormalAddress(a.Email), Phone: a.Phone,
			Role: tickets.Role(a.Role), Skills: a.Skills, MaxOpen: a.MaxOpen, Brands: a.Brands,
		})
	}
	return out
}

// rulesOf puts the configuration into the words of the domain. ids are the
// agents' person ids by address. The error says which hours and holidays cannot
// be read: without them no time can be promised.
func rulesOf(cfg *config.Config, ids map[string]int64) (tickets.Rules, error) {
	r := tickets.Rules{
		Keys:   keyringOf(cfg),
		Brands: map[string]tickets.Brand{}, Agents: map[string]tickets.Agent{}, Queues: map[string]tickets.Queue{},
		Categories: map[string]tickets.Category{}, Severities: map[string]tickets.Severity{},
		MessageSize: int64(cfg.Limits.MessageSize), AttachmentTypes: cfg.Limits.AttachmentTypes,
		Ack: tickets.AckLimits{
			SenderHour: cfg.Acknowledge.PerSenderHour, SenderDay: cfg.Acknowledge.PerSenderDay,
			Subject3h: cfg.Acknowledge.SameSubject3h, DomainHour: cfg.Acknowledge.PerDomainHour,
			GlobalHour: cfg.Acknowledge.GlobalHour, Ticket10min: 10, MaxAge: cfg.Acknowledge.MaxAge, Bulk: cfg.Acknowledge.Bulk,
		},
		Closing: tickets.Closing{
			RemindAfter: cfg.Closing.RemindAfter, CloseAfter: cfg.Closing.CloseAfter, ReopenWindow: cfg.Closing.ReopenWindow,
		},
		AddressOnly: cfg.AgentAuth == config.AgentAddressOnly,
	}
	var wrong []error
	for _, b := range cfg.Brands {
		brand := brandOf(b)
		var err error
		if brand.Calendar, err = calendarOf(b); err != nil {
			wrong = append(wrong, fmt.Errorf("hours of brand %s: %w", b.ID, err))
		}
		r.Brands[b.ID] = brand
	}
	for i, a := range agentsOf(cfg) {
		a.ID = ids[a.Address]
		var err error
		if a.Calendar, err = agentCalendar(cfg, cfg.Agents[i]); err != nil {
			wrong = append(wrong, fmt.Errorf("hours of agent %s: %w", a.Address, err))
		}
		r.Agents[a.Address] = a
	}
	promisesOf(&r, cfg)
	r.Texting = textingOf(cfg)
	r.Returns = returnsOf(cfg)
	r.Reminders = remindersOf(cfg)
	surveysOf(&r, cfg)
	r.Passcodes = passcodesOf(cfg)
	return r, errors.Join(wrong...)
}

// keyringOf makes the signing keys.
func keyringOf(cfg *config.Config) tickets.Keyring {
	ring := tickets.Keyring{Current: keyOf(cfg.Secret)}
	for _, s := range cfg.OldSecrets {
		ring.Old = append(ring.Old, keyOf(s))
	}
	return ring
}

// keyOf makes a key. Its id follows from the secret, so that what an older
// secret signed is refused by name, not as forged. Two secrets may have the same.
func keyOf(s config.Secret) tickets.Key {
	secret := []byte(s.Reveal())
	sum := sha256.Sum256(append([]byte("key id\x00"), secret...))
	const ids = "abcdefghijklmnopqrstuvwxyz234567"
	return tickets.Key{ID: ids[sum[0]%32], Secret: secret}
}

func brandOf(b config.Brand) tickets.Brand {
	out := tickets.Brand{
		Key: b.ID, Name: b.Name, Domain: b.Domain, Language: b.Language, Location: b.Timezone, Signature: b.Signature,
		Phones: phonesOf(b), Country: b.Country,
	}
	for _, m := range b.Mailboxes {
		out.Mailboxes = append(out.Mailboxes, tickets.Mailbox{Address: m.Address, Queue: m.Queue, Subaddressing: m.Subaddressing})
	}
	return out
}

func tiersOf(cfg *config.Config, q config.Queue) [][]string {
	var out [][]string
	for _, id := range q.Tiers {
		if i := slices.IndexFunc(cfg.Teams, func(t config.Team) bool { return t.ID == id }); i >= 0 {
			out = append(out, cfg.Teams[i].Members)
		}
	}
	return out
}

// letterBrands says how the brands' letters look.
func letterBrands(cfg *config.Config) map[string]notify.Brand {
	out := map[string]notify.Brand{}
	for _, b := range cfg.Brands {
		out[b.ID] = notify.Brand{
			Key: b.ID, Name: b.Name, Sender: b.Sender, Signature: b.Signature, Color: b.Color,
			Language: b.Language, Location: b.Timezone, Domain: b.Domain,
		}
	}
	return out
}

// routesOf says which server takes the letters of each mailbox.
func routesOf(cfg *config.Config, logins *accounts) map[string]notify.Route {
	out := map[string]notify.Route{}
	for _, b := range cfg.Brands {
		for _, m := range b.Mailboxes {
			mechanism, tokens := logins.smtp(cfg, m)
			out[m.Address] = notify.Route{
				Host: m.SMTP.Host, Port: m.SMTP.Port, TLS: string(m.SMTP.TLS), CAFile: m.SMTP.CAFile,
				Username: m.SMTP.Username, Password: m.SMTP.Password.Reveal(), Mechanism: mechanism, Tokens: tokens,
			}
		}
	}
	return out
}

// mailboxesOf lists the IMAP folders that the desk reads.
func mailboxesOf(cfg *config.Config, db *store.DB, logins *accounts, log *slog.Logger) []intake.MailboxOptions {
	var out []intake.MailboxOptions
	for _, b := range cfg.Brands {
		for _, m := range b.Mailboxes {
			if m.IMAP == nil {
				continue
			}
			mechanism, tokens := logins.imap(cfg, m)
			out = append(out, intake.MailboxOptions{
				Brand: b.ID, Address: m.Address, Queue: m.Queue,
				Host: m.IMAP.Host, Port: m.IMAP.Port, TLS: string(m.IMAP.TLS), CAFile: m.IMAP.CAFile,
				Username: m.IMAP.Username, Password: m.IMAP.Password.Reveal(), Mechanism: mechanism, Tokens: tokens, Folder: m.IMAP.Folder,
				ProcessedFolder: m.ProcessedFolder, MarkSeen: m.MarkSeen, Poll: m.PollEvery,
				MaxSize: max(int64(cfg.Limits.MessageSize)*2, 50<<20), // base64 and headers make a mail larger than what is in it
				DB:      db, Log: log, Now: now,
			})
		}
	}
	return out
}

// addressesOf lists the mailboxes that LMTP and the pipe deliver to.
func addressesOf(cfg *config.Config) []intake.Address {
	var out []intake.Address
	for _, b := range cfg.Brands {
		for _, m := range b.Mailboxes {
			out = append(out, intake.Address{Brand: b.ID, Mailbox: m.Address, Queue: m.Queue, Subaddressing: m.Subaddressing})
		}
	}
	return out
}

// authenticatorsOf says how mail to each mailbox is authenticated.
func authenticatorsOf(cfg *config.Config) func(mailbox string) intake.Authenticator {
	by := map[string]intake.Authenticator{}
	for _, b := range cfg.Brands {
		for _, m := range b.Mailboxes {
			by[m.Address] = intake.Authenticator{TrustedIDs: m.TrustedAuthservIDs, InternalRelays: m.InternalRelays}
		}
	}
	return func(mailbox string) intake.Authenticator { return by[mailbox] }
}

// parserOf says what is looked for in a brand's mail.
func parserOf(cfg *config.Config, brand string) parser.Options {
	opt := parser.Options{Patterns: cfg.Facts}
	if i := slices.IndexFunc(cfg.Brands, func(b config.Brand) bool { return b.ID == brand }); i >= 0 {
		opt.Country = cfg.Brands[i].Country
	}
	return opt
}
