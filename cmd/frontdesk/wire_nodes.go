package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"frontdesk/config"
	"frontdesk/nodes"
	"frontdesk/store"
	"frontdesk/tickets"
)

// nodeName is what this process is called among several: the name for people,
// and something that no other process has. One that was started again must not
// take the leases of the one before for its own.
func nodeName(cfg *config.Config) string {
	name := cfg.Nodes.Name
	if name == "" {
		name = hostname()
	}
	return name + ":" + strings.ToLower(rand.Text()[:6])
}

// newKeeper keeps the leases of this node.
func (dm *daemon) newKeeper() *nodes.Keeper {
	return nodes.New(nodes.Options{
		DB: dm.db, Names: dm.leases, Life: dm.cfg().Nodes.Lease, Version: currentBuild().Version, Log: dm.log,
		Now: machine, Alone: !dm.db.Shared(), Changed: dm.leasesChanged,
		Clock: func(by time.Duration) { dm.followClock(by) },
	})
}

func mailboxLease(address, folder string) string {
	return nodes.Mailbox + tickets.NormalAddress(address) + "/" + folder
}

// leases are the names of what one node at a time may do here.
func (dm *daemon) leases() []string {
	names := []string{nodes.Schedules}
	for _, b := range dm.cfg().Brands {
		names = append(names, nodes.Brand+b.ID)
	}
	for _, o := range mailboxesOf(dm.cfg(), dm.db, dm.current.Load().accounts, dm.log) {
		names = append(names, mailboxLease(o.Address, o.Folder))
	}
	return names
}

// leasesChanged lets the loops find out what is theirs now.
func (dm *daemon) leasesChanged() {
	dm.placeMailboxes()
	dm.wakeAll()
	wake(dm.wakeSweep)
}

// placeMailboxes hands the mailboxes to their loops, with the leases they are
// read under.
func (dm *daemon) placeMailboxes() {
	var list []folder
	for _, o := range mailboxesOf(dm.cfg(), dm.db, dm.current.Load().accounts, dm.log) {
		lease := mailboxLease(o.Address, o.Folder)
		fence, mine := dm.keeper.Held(lease)
		list = append(list, folder{lease, fence, mine, o})
	}
	dm.boxes.set(list)
}

// reachable tells the keeper whether a mailbox can be read from here.
func (dm *daemon) reachable(lease string, can bool) {
	if can {
		dm.keeper.Able(lease)
	} else {
		dm.keeper.Unable(lease)
	}
}

// lease returns what a loop asks before it works.
func (dm *daemon) lease(name string) func() (store.Fence, bool) {
	return func() (store.Fence, bool) { return dm.keeper.Held(name) }
}

// followClock corrects the desk's clock, and says so when it makes a step.
func (dm *daemon) followClock(by time.Duration) {
	if toldTime() || !correct(&ahead, by) {
		return
	}
	dm.log.Warn("clock differs from the database's, which is followed", "reason", fmt.Sprintf("it is %s ahead", by.Round(time.Millisecond)))
}

// sameClock corrects the clock of a command: what it writes is compared with
// what the nodes write.
func sameClock(ctx context.Context, db *store.DB) error {
	if !db.Shared() || toldTime() {
		return nil
	}
	began := machine()
	_, clock, err := db.Leases(ctx, began)
	if err == nil {
		correct(&ahead, clock.Sub(began))
	}
	return err
}
