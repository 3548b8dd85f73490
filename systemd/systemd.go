// Package systemd tells the service manager how the daemon is: ready,
// reloading, stopping, alive (sd_notify(3)). Outside of systemd every function
// does nothing. It also holds the unit and its companions, for the packages
// that install them.
package systemd

import (
	"context"
	"embed"
	"fmt"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"
)

// Files holds frontdesk.service, frontdesk.sysusers and frontdesk.tmpfiles.
//
//go:embed frontdesk.service frontdesk.sysusers frontdesk.tmpfiles
var Files embed.FS

// Ready says that the start, or a reload, is done. It may be called again.
func Ready() error { return notify(daemon.SdNotifyReady) }

// Reloading says that a reload has begun; Ready ends it, whether the new file was taken or refused. The time
// stamp lets systemd tell this reload from an earlier one (Type=notify-reload).
func Reloading() error {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return fmt.Errorf("monotonic clock: %w", err)
	}
	return notify(fmt.Sprintf("%s\nMONOTONIC_USEC=%d", daemon.SdNotifyReloading, now.Nano()/int64(time.Microsecond)))
}

// Stopping says that the end has begun.
func Stopping() error { return notify(daemon.SdNotifyStopping) }

// Status sets the line that "systemctl status" shows.
func Status(text string) error {
	return notify("STATUS=" + strings.Join(strings.Fields(text), " "))
}

// Watchdog returns after how much silence systemd kills the process; 0 when it
// does not watch it.
func Watchdog() (time.Duration, error) {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return 0, fmt.Errorf("watchdog: %w", err)
	}
	return interval, nil
}

// Watch tells systemd that the process is alive for as long as alive returns
// nil, three times in each watchdog interval, until ctx ends. An error of alive,
// and an alive that does not return, mean silence: systemd restarts the daemon
// when that lasts, and "systemctl status" shows the last error. Without a
// watchdog it returns at once.
func Watch(ctx context.Context, alive func() error) error {
	interval, err := Watchdog()
	if err != nil || interval == 0 {
		return err
	}
	return watch(ctx, interval, alive, notify)
}

// watch is Watch with its surroundings as arguments.
func watch(ctx context.Context, interval time.Duration, alive func() error, send func(string) error) error {
	tick := time.NewTicker(interval / 3)
	defer tick.Stop()
	sick := false
	for {
		state := daemon.SdNotifyWatchdog
		if err := alive(); err != nil {
			sick, state = true, "STATUS=not alive: "+strings.Join(strings.Fields(err.Error()), " ")
		} else if sick {
			sick, state = false, state+"\nSTATUS=alive again"
		}
		if err := send(state); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func notify(state string) error {
	if _, err := daemon.SdNotify(false, state); err != nil {
		return fmt.Errorf("sd_notify: %w", err)
	}
	return nil
}
