package torture

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"frontdesk/internal/testmail"
)

// twoDisks is a desk whose database is on one small disk and the bytes of large
// mails on another.
func twoDisks(t *testing.T, database, files string) (b *bench, folder string) {
	t.Helper()
	folder = filepath.Join(files, "blobs")
	b = newBench(t, benchOptions{dataDir: filepath.Join(database, "data"), wait: time.Minute,
		more: fmt.Sprintf("alerts: {disk_free: 1KB}\nblobs: {store: folder, folder: %q}\n", folder)})
	b.queue.body, b.queue.retry = map[int]string{}, 100*time.Millisecond
	return b, folder
}

// fill leaves about so much of a disk free, until it is removed.
func fill(t *testing.T, disk string, free int64) (remove func()) {
	t.Helper()
	file := filepath.Join(disk, "filler")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	for page := make([]byte, 64<<10); err == nil; {
		_, err = f.Write(page)
	}
	info, statErr := f.Stat()
	if statErr != nil {
		t.Fatal(statErr)
	}
	if err := errors.Join(f.Truncate(max(0, info.Size()-free)), f.Close()); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(file); err != nil {
			t.Error(err)
		}
	}
}

// blobFiles lists the files of blobs that are whole, by name.
func blobFiles(t *testing.T, folder string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && len(e.Name()) > 64 && !strings.HasSuffix(e.Name(), ".part") {
			found[e.Name()] = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// verified fails the test unless each row outside of the database has its bytes,
// and returns how many there are.
func (b *bench) verified() (n int) {
	b.t.Helper()
	got := b.d.JSON("blobs", "verify")[0]
	if bad, _ := got["bad"].([]any); len(bad) > 0 {
		b.t.Errorf("rows without their bytes: %v", bad)
	}
	return int(got["verified"].(float64))
}

// TestFilesDiskIsFull: A07. The disk of large mails' bytes is full and the
// database's is not, then the other way round. No row is without its bytes; small
// mail goes on while only the files' disk is full; what is refused comes again and
// is taken when there is room.
func TestFilesDiskIsFull(t *testing.T) {
	t.Parallel()
	database, files := smallVolume(t, "96m"), smallVolume(t, "16m") // the words of large mails are in the database, and indexed
	b, folder := twoDisks(t, database, files)
	b.d.MustStart()
	large := func(low, high int) {
		for n := low; n < high; n++ {
			b.queue.body[n] = noise(500 << 10)
		}
	}
	later := func() int { return b.queue.answered(451) + b.queue.answered(452) }
	large(0, 3)
	b.queue.deliver(t.Context(), 0, 3, 2)
	b.settle()
	if n := b.verified(); n != 3 {
		t.Fatalf("%d mails are outside of the database, want 3", n)
	}

	// The files' disk is full.
	free := fill(t, files, 600<<10) // one fits
	b.faults++
	large(3, 9)
	all := make(chan struct{})
	go func() { defer close(all); b.queue.deliver(t.Context(), 3, 9, 2) }()
	waitUntil(t, time.Minute, "large mail is put off", func() bool { return later() > 0 })
	had := b.accepted()
	b.queue.deliver(t.Context(), 9, 14, 2) // small ones
	waitUntil(t, time.Minute, "small mail is answered meanwhile", func() bool { return len(b.acknowledged()) >= had+5 })
	b.verified()
	if rows := b.d.JSON("blobs", "list"); len(rows) != 1 || rows[0]["rows"].(float64) > 4 {
		t.Errorf("the disk was not full: %v", rows)
	}
	free()
	<-all
	b.settle()
	if n := b.verified(); n != 9 {
		t.Errorf("%d mails are outside of the database, want 9", n)
	}

	// The database's disk is full.
	put, stray := later(), len(blobFiles(t, folder))-9
	free = fill(t, database, 0)
	b.faults++
	large(14, 16)
	all = make(chan struct{})
	go func() { defer close(all); b.queue.deliver(t.Context(), 14, 22, 2) }()
	waitUntil(t, time.Minute, "mail is put off", func() bool { return later()+b.queue.refused(452) > put+5 })
	for range 5 {
		if how, ended := b.d.Ends(200 * time.Millisecond); ended {
			t.Fatalf("the daemon ended on a full disk: %v\n%s", how, b.d.Log(30))
		}
	}
	free()
	<-all
	b.settle()
	if n := b.verified(); n != 11 {
		t.Errorf("%d mails are outside of the database, want 11", n)
	}
	left := len(blobFiles(t, folder)) - 11
	t.Logf("answers: %v, before the dot %v; %d blobs of no row before the database's disk was full, %d after", b.queue.answers, b.queue.early, stray, left)
	for n, answers := range b.queue.answers {
		if n != 250 && n != 451 && n != 452 {
			t.Errorf("%d answers of %d, want 250, 451 and 452 alone", answers, n)
		}
	}
	if err := b.d.Stop(); err != nil {
		t.Errorf("the daemon ended with %v", err)
	}
	b.account("A07 the files' disk is full, then the database's")
}

// TestKilledBetweenBytesAndRow: A07. The daemon is killed where the file of a large
// mail is to get its name, where its folder is to be synced, and where its row is to
// be written. No row is without its bytes; bytes without a row are found and deleted,
// and those alone.
func TestKilledBetweenBytesAndRow(t *testing.T) {
	t.Parallel()
	testmail.NeedReal(t, "strace")
	b, folder := twoDisks(t, t.TempDir(), t.TempDir())
	b.d.MustStart()
	var folders []string
	for i := range 256 {
		dir := filepath.Join(folder, fmt.Sprintf("%02x", i))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		folders = append(folders, "-P", dir)
	}
	b.d.Kill()
	points := [][]string{
		{"-e", "inject=rename,renameat,renameat2:signal=KILL"},
		append(folders, "-e", "inject=fsync:signal=KILL"),
		{"-P", b.database() + "-wal", "-e", "inject=pwrite64:signal=KILL"},
	}
	rounds := pick(1, 8)
	for n := range rounds * len(points) {
		b.d.MustStart()
		b.attach(points[n%len(points)]...)
		b.queue.body[n] = noise(300 << 10)
		sent := make(chan struct{})
		go func() { defer close(sent); b.queue.deliver(t.Context(), n, n+1, 1) }()
		if _, ended := b.d.Ends(time.Minute); !ended {
			t.Fatalf("the daemon lives: %q\n%s", points[n%len(points)], b.d.Log(10))
		}
		b.faults++
		b.d.Kill()
		b.d.MustStart()
		<-sent
		b.d.Kill()
	}
	b.d.MustStart()
	b.settle()
	rows, there := b.verified(), blobFiles(t, folder)
	t.Logf("%d kills left %d blobs of no row beside %d", b.faults, len(there)-rows, rows)
	if stray := len(there) - rows; rows < len(points)*rounds || stray < rounds || stray > 2*rounds {
		t.Errorf("%d blobs of %d rows, want at most %d more", len(there), rows, 2*rounds)
	}
	for _, path := range there { // as if two days had passed
		if old := time.Now().Add(-72 * time.Hour); os.Chtimes(path, old, old) != nil {
			t.Fatal(path)
		}
	}
	out, err := b.d.Run("blobs", "collect", "--force")
	if err != nil {
		t.Fatal(err, out)
	}
	if want := fmt.Sprintf("deleted from folder: %d", len(there)-rows); !strings.Contains(out, want) {
		t.Errorf("blobs collect: %q, want %q", out, want)
	}
	if n, left := b.verified(), len(blobFiles(t, folder)); n != rows || left != rows {
		t.Errorf("%d rows have their bytes, %d blobs are left, want %d", n, left, rows)
	}
	if err := b.d.Stop(); err != nil {
		t.Errorf("the daemon ended with %v", err)
	}
	b.account("A07 killed between bytes and row")
}

// attach has strace do something to the daemon that runs already, from now on.
func (b *bench) attach(args ...string) {
	b.t.Helper()
	cmd := exec.Command("strace", append([]string{"-f", "-o", filepath.Join(b.d.Dir, "strace"), "-p", strconv.Itoa(b.d.PID())}, args...)...)
	says, err := cmd.StderrPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	attached := make(chan bool, 1)
	go func() {
		for s := bufio.NewScanner(says); s.Scan(); {
			if strings.Contains(s.Text(), "attached") {
				select {
				case attached <- true:
				default:
				}
			}
		}
		_ = cmd.Wait() // with the daemon
		close(attached)
	}()
	if !<-attached {
		b.t.Fatal("strace did not attach")
	}
}
