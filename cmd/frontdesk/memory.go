package main

import (
	"context"
	"runtime/debug"
	"time"
)

// quietFor is how long the desk has nothing to do before it gives back what a
// busy time (the start is one) took.
const quietFor = 3 * time.Second

// giveBack returns memory to the machine once after each busy time. Go keeps
// freed memory for minutes; a desk is idle most of its life, beside a mail
// server that can use it.
func (dm *daemon) giveBack(ctx context.Context) error {
	tick := time.NewTicker(quietFor)
	defer tick.Stop()
	given, last := false, dm.work()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		switch work := dm.work(); {
		case work != last:
			given, last = false, work
		case !given:
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
