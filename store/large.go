package store

import (
	"context"
	"runtime/debug"
	"sync"

	"golang.org/x/sync/semaphore"
)

// LargeMail is the size in bytes above which a mail is handled by itself: it is
// compressed while it comes in, and loaded by who needs it, who holds [DB.Large].
const LargeMail = 1 << 20

// largeRoom is how many bytes of large mails are in hand at a time in one
// process: one of the usual limit of 25 MB, or several smaller ones.
const largeRoom = 32 << 20

// large counts the bytes of large mails in hand.
type large struct {
	once  sync.Once
	bytes *semaphore.Weighted
}

// tidy is how much garbage, in percent of what is in use, may lie about while a
// large mail is in hand: left to itself the collector would let as much again
// gather, and a mail of 25 MB cost 100.
const tidy = 10

// collector is how eager the garbage collector is: one for the whole process.
var collector struct {
	sync.Mutex
	eager int // large mails in hand
	usual int // percent, when there are none
}

// CollectUsually sets how much garbage, in percent of what is in use, may lie
// about while no large mail is in hand.
func CollectUsually(percent int) {
	collector.Lock()
	defer collector.Unlock()
	if collector.usual = percent; collector.eager == 0 {
		debug.SetGCPercent(percent)
	}
}

func collectEagerly() {
	collector.Lock()
	defer collector.Unlock()
	if collector.eager++; collector.eager == 1 {
		collector.usual = debug.SetGCPercent(tidy)
	}
}

func collectAsUsual() {
	collector.Lock()
	defer collector.Unlock()
	if collector.eager--; collector.eager == 0 {
		debug.SetGCPercent(collector.usual)
	}
}

// Large waits until a large mail of size bytes may be in memory, and returns
// what gives its room back. Whoever holds room must not ask for more: two that
// wait for each other would wait for ever.
func (db *DB) Large(ctx context.Context, size int64) (release func(), err error) {
	if db == nil || size <= LargeMail {
		return func() {}, nil
	}
	db.large.once.Do(func() { db.large.bytes = semaphore.NewWeighted(largeRoom) })
	size = min(size, largeRoom)
	if err := db.large.bytes.Acquire(ctx, size); err != nil {
		return nil, err
	}
	collectEagerly()
	return sync.OnceFunc(func() {
		collectAsUsual()
		// What such a mail took is garbage now. Left to itself, the collector
		// waits until as much again was taken, and keeps it for minutes.
		debug.FreeOSMemory()
		db.large.bytes.Release(size)
	}), nil
}
