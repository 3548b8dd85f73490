package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestBackupUnderLoad: backups that are made while mail comes in, is decided and
// answered are whole, each for the moment it was made.
func TestBackupUnderLoad(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "support@one.test", "asha@one.test", "bikram@one.test", "chandra@one.test", "maria@example.test")
	d := openDeskAt(t, o, oneBrand(o, "One", "one.test", "acknowledge: {per_sender_hour: 10000, per_sender_day: 10000}\n"))
	ctx, stop := context.WithCancel(t.Context())
	var load sync.WaitGroup
	posted := 0
	load.Go(func() {
		pace := time.NewTicker(20 * time.Millisecond)
		defer pace.Stop()
		for ctx.Err() == nil {
			posted++
			post(t, o, "maria@example.test", "Maria <maria@example.test>", "support@one.test",
				mailText(strings.Repeat("Help me with it, please.\n", 50), fmt.Sprintf("Subject: Help %d", posted), fmt.Sprintf("Message-ID: <%d@example.test>", posted)))
			<-pace.C
		}
	})
	dir, last := t.TempDir(), int64(0)
	for n := range 3 {
		waitForRows(t, d, int(last)+10) // each has more than the one before
		file := filepath.Join(dir, fmt.Sprintf("%d.db", n))
		var out, wrong bytes.Buffer
		if code := run(t.Context(), []string{"backup", file, "--verify", "--json", "--config", d.cfg.Path}, nil, &out, &wrong); code != 0 {
			t.Errorf("backup %d: exit code %d: %s", n, code, wrong.String())
			break
		}
		var made backupJSON
		if err := json.Unmarshal(out.Bytes(), &made); err != nil {
			t.Fatal(err)
		}
		if !made.Verified || made.Rows["ledger"] < last+10 {
			t.Errorf("backup %d: %+v after %d rows", n, made, last)
		}
		last = made.Rows["ledger"]
	}
	stop()
	load.Wait()
	if int64(posted) < last {
		t.Errorf("%d mails in the last backup, %d were sent", last, posted)
	}
}

// waitForRows waits until the ledger has so many.
func waitForRows(t *testing.T, d *liveDesk, n int) {
	t.Helper()
	have := 0
	if !waitUntil(func() bool {
		tally, err := d.db.Tally(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		have = tally.Total
		return have >= n
	}) {
		t.Fatalf("%d rows, waiting for %d", have, n)
	}
}
