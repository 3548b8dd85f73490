package main

import (
	"fmt"
	"sync"
	"time"

	"frontdesk/config"
	"frontdesk/intake"
)

// Without alerts.disk_free the low-water mark is usualMark, or of a small disk a
// part: a desk on a few hundred megabytes is to work, too.
const (
	usualMark = 500 << 20
	smallPart = 20
	markEvery = time.Second // how often the disk is asked at most
)

// room watches the disk of data_dir. Below the mark nothing comes in; it goes on
// when a quarter more is free, so that a disk at the mark does not flap.
type room struct {
	cfg  func() *config.Config
	size func(dir string) (free, size uint64, known bool)

	mu    sync.Mutex
	asked time.Time
	low   bool
	mark  uint64
}

func newRoom(cfg func() *config.Config) *room { return &room{cfg: cfg, size: volumeOf} }

// full is the question of each way in.
func (r *room) full() error {
	if low, mark := r.look(); low {
		return fmt.Errorf("%w: less than %d MB are free for %s (alerts.disk_free)", intake.ErrFull, mark>>20, r.cfg().DataDir)
	}
	return nil
}

// look says whether too little is free, and what the mark is.
func (r *room) look() (low bool, mark uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if since := time.Since(r.asked); !r.asked.IsZero() && since < markEvery {
		return r.low, r.mark
	}
	r.asked = time.Now()
	free, size, known := r.size(r.cfg().DataDir)
	if !known {
		r.low = false
		return false, 0
	}
	r.mark = markOf(r.cfg(), size)
	r.low = isLow(r.low, free, r.mark)
	return r.low, r.mark
}

// markOf is the low-water mark of a disk.
func markOf(cfg *config.Config, size uint64) uint64 {
	if own := cfg.Alerts.DiskFree; own > 0 {
		return uint64(own)
	}
	return min(usualMark, size/smallPart)
}

// isLow decides with hysteresis.
func isLow(was bool, free, mark uint64) bool {
	if was {
		return free < mark+mark/4
	}
	return free < mark
}
