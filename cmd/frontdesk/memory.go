package main

import (
	"context"
	"os"
	"runtime/debug"
	"time"

	"frontdesk/store"
)

// quietFor is how long the desk has nothing to do before it gives back what a
// busy time (the start is one) took.
const quietFor = 3 * time.Second

// How much garbage may lie about, in percent of what is in use: collecting it
// takes a tenth of a busy desk's time at Go's own 100, and memory is what an
// idle one should not take.
const (
	garbageBusy = 200
	garbageIdle = 100
)

// giveBack returns memory to the machine once after each busy time. Go keeps
// freed memory for minutes; a desk is idle most of its life, beside a mail
// server that can use it.
func (dm *daemon) giveBack(ctx context.Context) error {
	tick := time.NewTicker(quietFor)
	defer tick.Stop()
	given, last := false, dm.work()
	collect := store.CollectUsually
	if os.Getenv("GOGC") != "" { // the operator knows better
		collect = func(int) {}
	}
	collect(garbageBusy) // the start is a busy time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		switch work := dm.work(); {
		case work != last:
			given, last = false, work
			collect(garbageBusy)
		case !given:
			collect(garbageIdle)
			debug.FreeOSMemory()
			unmapProgram()
			given = true
		}
	}
}

// work counts what was decided and sent so far.
func (dm *daemon) work() int64 {
	s := dm.sender.Stats()
	n := s.Sent + s.Deferred + s.Failed
	for _, w := range dm.workers {
		for _, c := range w.Counts() {
			n += c
		}
	}
	return n
}
