package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"reflect"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"frontdesk/config"
	"frontdesk/systemd"
)

func runCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "run",
		Short: "the daemon: take mail in, decide, send letters",
		Long: `Run reads the configuration, opens the store and works until it is told to
stop. SIGTERM or Ctrl-C lets it finish what it has in hand; SIGHUP makes it read
the configuration again (a file with mistakes is refused and the old one kept).
Under systemd it reports when it is ready, and answers the watchdog for as long
as its loops move.`,
		Example: "  frontdesk run --config /etc/frontdesk/frontdesk.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := openDesk(cmd, true)
			if err != nil {
				return err
			}
			log := logger(cmd.ErrOrStderr(), d.cfg.Log)
			dm, err := newDaemon(d, log)
			if err != nil {
				return failed(err)
			}
			return failed(underSystemd(cmd.Context(), dm, configFile(cmd)))
		},
	}
}

// underSystemd runs the daemon and keeps the service manager informed.
func underSystemd(ctx context.Context, dm *daemon, file string) error {
	// Before READY, not after: a reload that comes at once would end the process.
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	watched := make(chan struct{})
	ready := func() {
		notice(dm.log, "ready", systemd.Ready())
		go func() {
			defer close(watched)
			notice(dm.log, "watchdog", systemd.Watch(watching, func() error { return dm.alive(watching) }))
		}()
		go reloadOnHangup(ctx, dm, file, hangup)
	}
	began := false
	err := dm.run(ctx, func() { began = true; ready() }, func() { notice(dm.log, "stopping", systemd.Stopping()) })
	stop()
	if began {
		<-watched
	}
	return err
}

func notice(log *slog.Logger, what string, err error) {
	if err != nil {
		log.Warn("service manager", "event", what, "err", err)
	}
}

// reloadOnHangup reads the configuration again at each SIGHUP.
func reloadOnHangup(ctx context.Context, dm *daemon, file string, hangup <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			notice(dm.log, "reloading", systemd.Reloading())
			if err := dm.reload(ctx, file); err != nil {
				dm.log.Error("reload refused, the old configuration stays", "err", err)
			} else {
				dm.log.Info("reloaded", "source", file)
			}
			notice(dm.log, "ready", systemd.Ready())
		}
	}
}

// reload takes a new configuration over: rules, letters, servers and mailboxes
// at once; listeners and the database need a restart, which is said.
func (dm *daemon) reload(ctx context.Context, file string) error {
	cfg, err := config.Load(file)
	if err != nil {
		return err
	}
	old := dm.cfg()
	if cfg.DataDir != old.DataDir || cfg.Database != old.Database || !sameListeners(cfg.HTTP, old.HTTP) || cfg.LMTP != old.LMTP || cfg.Nodes != old.Nodes || !sameBlobs(cfg.Blobs, old.Blobs) {
		return fmt.Errorf("data_dir, database, blobs, nodes, http and lmtp cannot change while running\nhint: systemctl restart frontdesk")
	}
	if cfg.Outbox != old.Outbox || cfg.LettersDir != old.LettersDir {
		return fmt.Errorf("outbox and letters_dir cannot change while running\nhint: systemctl restart frontdesk")
	}
	if !reflect.DeepEqual(keyringOf(cfg), keyringOf(old)) { // all parts of the desk have to believe the same
		return fmt.Errorf("secret_file and old_secret_files cannot change while running\nhint: systemctl restart frontdesk")
	}
	if !sameBrands(cfg, old) {
		return fmt.Errorf("brands cannot come or go while running\nhint: systemctl restart frontdesk")
	}
	account, err := phoneAccountOf(cfg)
	if err != nil {
		return err
	}
	if (cfg.Twilio == nil) != (old.Twilio == nil) || (account.client == nil) != (dm.phone.client() == nil) {
		return fmt.Errorf("the telephone cannot come or go while running\nhint: systemctl restart frontdesk")
	}
	d := &desk{cfg: cfg, db: dm.db, articles: dm.current.Load().articles, accounts: dm.current.Load().accounts}
	if err := dm.sender.Reload(); err != nil { // a broken letter keeps the old ones
		return err
	}
	if err := d.meetAgents(ctx); err != nil {
		return err
	}
	dm.take(d, account)
	d.articles.look(dm.log)
	dm.placeMailboxes()
	dm.keeper.Look()
	if err := dm.welcome(ctx, d); err != nil { // taken over all the same
		dm.log.Warn("new agents without a guide", "err", err)
	}
	return nil
}

func sameBrands(a, b *config.Config) bool {
	if len(a.Brands) != len(b.Brands) {
		return false
	}
	for i := range a.Brands {
		if a.Brands[i].ID != b.Brands[i].ID {
			return false
		}
	}
	return true
}

// drain is how long what is in hand may take after a stop was asked for. The
// unit's TimeoutStopSec is longer.
const drain = 25 * time.Second

// drainUntrusted is the same when nothing can be written any more: what is in
// hand can only be refused.
const drainUntrusted = 3 * time.Second
