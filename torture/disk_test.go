package torture

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"frontdesk/internal/testdesk"
	"frontdesk/internal/testmail"
)

// TestSyncFailsOnce: A05. One fdatasync answers EIO, the n-th. The mail in hand
// gets no 250; nothing is written after it, for the kernel takes pages that it
// could not write for written; the daemon says why and ends with an error, and
// systemd starts it again. The mail server brings again what was not accepted.
func TestSyncFailsOnce(t *testing.T) {
	t.Parallel()
	testmail.NeedReal(t, "strace")
	b := newBench(t, benchOptions{})
	for n, survived := 1, false; !survived; n += pick(5, 1) {
		if n > 200 {
			t.Fatal("no daemon survived: its 200th sync failed, too")
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		sent := make(chan struct{})
		low := b.queue.accepted()
		go func() { defer close(sent); b.queue.deliver(ctx, low, low+3, 2) }()
		survived = b.failsAt(n, sent)
		b.d.MustStart()
		<-sent
		cancel()
		b.d.Kill()
	}
	b.finish("A05 a sync fails once")
}

// failsAt runs the daemon until its n-th sync fails, and looks at how it ends,
// or until its work is done.
func (b *bench) failsAt(n int, sent <-chan struct{}) (survived bool) {
	b.t.Helper()
	err := b.d.Start(straced(b, "-e", "trace=fdatasync,fsync", "-e", fmt.Sprintf("inject=fdatasync,fsync:error=EIO:when=%d", n))...)
	defer b.d.Kill()
	if err != nil && !errors.Is(err, testdesk.ErrEndedEarly) {
		b.t.Fatal(err)
	}
	for limit := time.Now().Add(time.Minute); time.Now().Before(limit); {
		if how, ended := b.d.Ends(50 * time.Millisecond); ended {
			b.faults++
			if how == nil {
				b.t.Errorf("sync %d failed, and the daemon ended without an error", n)
			}
			if err == nil && !b.logged("level=ERROR", "database not trusted") {
				b.t.Errorf("sync %d failed, and the log does not say why the daemon ended:\n%s", n, b.d.Log(20))
			}
			return false
		}
		select {
		case <-sent:
			if len(b.acknowledged()) >= b.accepted() && b.waiting() == 0 {
				return true
			}
		default:
		}
	}
	b.t.Fatalf("sync %d failed, and the daemon went on; its log:\n%s", n, b.d.Log(20))
	return false
}

// TestDiskIsFull: A06. The database's volume runs full while mail comes in from
// both sides: LMTP answers 452, mail on the IMAP server stays as it is, and the
// daemon goes on. When there is room again everything comes in by itself.
func TestDiskIsFull(t *testing.T) {
	t.Parallel()
	rig := testmail.StartRig(t)
	volume := smallVolume(t, "32m")
	filler := filepath.Join(volume, "filler")
	if err := os.WriteFile(filler, make([]byte, 29<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, benchOptions{rig: rig, imap: "mark_seen: true\n        poll_every: 5s", dataDir: filepath.Join(volume, "data"), more: "alerts: {disk_free: 1KB}\n"})
	const mails, fetched = 40, 10
	b.queue.body = map[int]string{}
	for n := range mails {
		b.queue.body[n] = noise(20 << 10)
	}
	b.queue.retry = 100 * time.Millisecond
	b.d.MustStart()
	delivered := make(chan struct{})
	go func() { defer close(delivered); b.queue.deliver(t.Context(), 0, mails, 2) }()
	waitUntil(t, time.Minute, "452 for want of room", func() bool { return b.queue.answered(452) > 0 })
	b.faults++
	for n := mails; n < mails+fetched; n++ {
		from, raw := request(n, imapBox)
		rig.Send(from, []string{imapBox}, append(raw, noise(20<<10)...))
	}
	waitForMails(t, rig, fetched)
	for range 10 { // it stays so, and it stays up
		if how, ended := b.d.Ends(300 * time.Millisecond); ended {
			t.Fatalf("the daemon ended on a full disk: %v\n%s", how, b.d.Log(30))
		}
	}
	seen, stored := rig.Flagged(imapBox, "S"), b.reconcile().rows-b.queue.accepted()
	if seen > stored {
		t.Errorf("%d mails are marked as read, and %d are in the ledger", seen, stored)
	}
	if stored == fetched {
		t.Error("the disk was not full: every mail was taken")
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	<-delivered
	b.mails = fetched
	b.settle()
	for n, answers := range b.queue.answers {
		if n != 250 && n != 452 {
			t.Errorf("%d answers of %d, want 250 and 452 alone", answers, n)
		}
	}
	waitUntil(t, time.Minute, "all mails are marked as read", func() bool { return rig.Flagged(imapBox, "S") == fetched })
	if err := b.d.Stop(); err != nil {
		t.Errorf("the daemon ended with %v", err)
	}
	b.account("A06 disk full, then freed")
}

// smallVolume mounts a file system of a few megabytes in memory.
func smallVolume(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+size, "frontdesk-test", dir).CombinedOutput()
	if err != nil {
		t.Skipf("SKIP real-server: no file system can be mounted here (root may, outside of most containers): %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	return dir
}

// noise is text that no compression makes smaller than three quarters.
func noise(n int) string {
	b := make([]byte, n*3/4)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	text := base64.StdEncoding.EncodeToString(b)
	var lines strings.Builder
	for line := range slices.Chunk([]byte(text), 76) {
		lines.Write(line)
		lines.WriteString("\r\n")
	}
	return lines.String()
}
