package torture

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"frontdesk/internal/testmail"
)

// A power cut differs from a kill in what the kernel had not written yet. It is
// played here: strace writes down what the daemon does to its files while mail
// comes in; then a folder is made as a disk could hold it at some instant. What
// was synced is there. Of what was not, each write may be there, or not, or some
// of its sectors; a file whose name was not synced may be missing.

// event is one thing that happened to a file.
type event struct {
	at     time.Time
	kind   string // "write", "truncate", "sync", "create", "remove", "syncdir"
	file   string // base name
	offset int64
	data   []byte
	size   int64 // of truncate
	until  int   // of sync: index of the first event that it does not cover
}

var (
	traced  = regexp.MustCompile(`^(\d+) +(\d+)\.(\d+) (.*)$`)
	resumed = regexp.MustCompile(`^<\.\.\. (\w+) resumed>(.*)$`)
	calls   = regexp.MustCompile(`^(\w+)\((\d+)<([^>]*)>(?:, (.*))?\) += (\d+)`)
	removes = regexp.MustCompile(`^unlink(?:at)?\(.*"([^"]*)"(?:, 0)?\) += 0`)
	opens   = regexp.MustCompile(`^open(?:at)?\(.*O_CREAT.*\) += \d+<([^>]*)>`)
)

// plain undoes strace's -xx.
func plain(s string) string {
	b, err := hex.DecodeString(strings.ReplaceAll(s, `\x`, ""))
	if err != nil {
		return s // not in hex
	}
	return string(b)
}

// recorded reads what strace wrote, as far as it is about files in dir. A write
// stands where its call began, a sync where it ended.
func recorded(t *testing.T, file, dir string) (events []event) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	type half struct {
		text  string
		index int
	}
	begun := map[string]half{}
	exists := map[string]bool{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		m := traced.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		sec, _ := strconv.ParseInt(m[2], 10, 64)
		micro, _ := strconv.ParseInt(m[3], 10, 64)
		at, text, index := time.Unix(sec, micro*1000), m[4], len(events)
		if cut, ok := strings.CutSuffix(text, " <unfinished ...>"); ok {
			begun[m[1]] = half{cut, index}
			continue
		}
		if r := resumed.FindStringSubmatch(text); r != nil {
			b, ok := begun[m[1]]
			if !ok {
				continue
			}
			delete(begun, m[1])
			text, index = b.text+r[2], b.index
		}
		if o := opens.FindStringSubmatch(text); o != nil {
			path := plain(o[1])
			if filepath.Dir(path) == dir && !exists[path] {
				exists[path] = true
				events = append(events, event{at: at, kind: "create", file: filepath.Base(path)})
			}
			continue
		}
		if r := removes.FindStringSubmatch(text); r != nil {
			if path := plain(r[1]); filepath.Dir(path) == dir {
				delete(exists, path)
				events = append(events, event{at: at, kind: "remove", file: filepath.Base(path)})
			}
			continue
		}
		c := calls.FindStringSubmatch(text)
		if c == nil {
			continue
		}
		path := plain(c[3])
		switch {
		case path == dir && (c[1] == "fsync" || c[1] == "fdatasync"):
			events = append(events, event{at: at, kind: "syncdir", until: index})
		case filepath.Dir(path) != dir:
		case c[1] == "pwrite64":
			first := strings.IndexByte(c[4], '"') + 1
			last := strings.LastIndexByte(c[4], '"')
			var size int
			var offset int64
			if _, err := fmt.Sscanf(c[4][last+1:], ", %d, %d", &size, &offset); err != nil {
				t.Fatalf("strace: %.200s: %v", text, err)
			}
			e := event{at: at, kind: "write", file: filepath.Base(path), offset: offset, data: []byte(plain(c[4][first:last]))}
			if len(e.data) != size {
				t.Fatalf("strace wrote %d bytes of %d down", len(e.data), size)
			}
			events = append(events, e)
		case c[1] == "ftruncate":
			size, err := strconv.ParseInt(c[4], 10, 64)
			if err != nil {
				t.Fatalf("strace: %q: %v", text, err)
			}
			events = append(events, event{at: at, kind: "truncate", file: filepath.Base(path), size: size})
		case c[1] == "fsync" || c[1] == "fdatasync":
			events = append(events, event{at: at, kind: "sync", file: filepath.Base(path), until: index})
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return events
}

// What becomes of writes that were not synced.
const (
	cutNone   = iota // all are lost
	cutAll           // all are there: the daemon alone was killed
	cutSome          // each may be there
	cutSector        // each sector of 512 bytes may be
	cutModes
)

// diskAt returns the files as the disk may hold them when the power fails after
// events[:cut].
func diskAt(events []event, cut, mode int, chance *rand.Rand) map[string][]byte {
	durable := map[string]int{} // by file: events below are on disk
	named := 0                  // names made before are on disk
	for _, e := range events[:cut] {
		switch e.kind {
		case "sync":
			durable[e.file] = e.until
		case "syncdir":
			named = e.until
		}
	}
	files := map[string][]byte{}
	gone := map[string]bool{}
	for i, e := range events[:cut] {
		if e.kind == "create" && i >= named && durable[e.file] == 0 && mode != cutAll && chance.IntN(2) == 0 {
			gone[e.file] = true
		}
		there := i < durable[e.file] || mode == cutAll || mode == cutSome && chance.IntN(2) == 0
		switch {
		case e.kind == "create":
			if files[e.file] == nil {
				files[e.file] = []byte{}
			}
		case e.kind == "remove":
			if i < named || mode == cutAll || chance.IntN(2) == 0 {
				delete(files, e.file)
			}
		case e.kind == "truncate" && there:
			files[e.file] = resized(files[e.file], e.size)
		case e.kind == "write" && there:
			files[e.file] = written(files[e.file], e.offset, e.data)
		case e.kind == "write" && mode == cutSector:
			for at := 0; at < len(e.data); at += 512 {
				if chance.IntN(2) == 0 {
					files[e.file] = written(files[e.file], e.offset+int64(at), e.data[at:min(at+512, len(e.data))])
				}
			}
		}
	}
	maps.DeleteFunc(files, func(name string, _ []byte) bool { return gone[name] })
	return files
}

func resized(b []byte, size int64) []byte {
	if int64(len(b)) >= size {
		return b[:size:size]
	}
	return append(b, make([]byte, size-int64(len(b)))...)
}

func written(b []byte, offset int64, data []byte) []byte {
	if end := offset + int64(len(data)); int64(len(b)) < end {
		b = resized(b, end)
	}
	copy(b[offset:], data)
	return b
}

// TestPowerCut: nothing that was answered with a 250 is lost, and no letter is
// doubled beyond those in doubt, whatever instant the power fails at.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	testmail.NeedReal(t, "strace")
	mails, cuts := pick(12, 40), pick(5, 120)
	b := newBench(t, benchOptions{})
	dir := filepath.Join(b.d.Dir, "data")
	err := b.d.Start(straced(b, "-y", "-xx", "-ttt", "-s", "1000000", "--seccomp-bpf",
		"-e", "trace=open,openat,unlink,unlinkat,pwrite64,ftruncate,fsync,fdatasync")...)
	if err != nil {
		t.Fatalf("%v\n%s", err, b.d.Log(20))
	}
	b.queue.deliver(t.Context(), 0, mails, 2)
	waitUntil(t, time.Minute, "all are acknowledged", func() bool { return len(b.acknowledged()) == mails })
	b.d.Kill()
	events := recorded(t, filepath.Join(b.d.Dir, "strace"), dir)
	first := slices.IndexFunc(events, func(e event) bool { return len(b.queue.before(e.at)) > 0 })
	t.Logf("%d events, the first 250 before number %d", len(events), first)
	if first < 0 {
		t.Fatal("no event after the first 250")
	}
	slots := make(chan struct{}, 2)
	var replays sync.WaitGroup
	for n := range cuts {
		slots <- struct{}{}
		replays.Go(func() {
			defer func() { <-slots }()
			chance := rand.New(rand.NewPCG(uint64(n), 1))
			cut := first + (len(events)-first)*(n+1)/(cuts+1)
			if n%10 == 9 { // before anything was accepted, too
				cut = 1 + chance.IntN(first)
			}
			name := fmt.Sprintf("cut%d-mode%d", cut, n%cutModes)
			t.Run(name, func(t *testing.T) { b.afterCut(t, events, cut, n%cutModes, chance) })
		})
	}
	replays.Wait()
}

// afterCut opens what the disk held with the desk, brings what was not accepted
// by then, and settles the account.
func (b *bench) afterCut(t *testing.T, events []event, cut, mode int, chance *rand.Rand) {
	at := events[cut-1].at
	after := newBench(t, benchOptions{})
	after.faults = 1
	after.queue.raw = b.queue.raw
	for n := range b.queue.before(at) {
		after.queue.taken[n] = at
	}
	for _, m := range b.sink.Mails() {
		if m.At.Before(at) {
			after.before = append(after.before, m)
		}
	}
	mails := len(b.queue.taken)
	after.queue.unsure = mails - len(after.queue.taken)
	dir := filepath.Join(after.d.Dir, "data")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	for name, data := range diskAt(events, cut, mode, chance) {
		if strings.HasSuffix(name, "-shm") {
			continue // mapped memory, which nobody syncs: it is made anew
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	after.d.MustStart()
	for n := range mails {
		if _, taken := after.queue.before(time.Now())[n]; !taken {
			after.queue.deliver(t.Context(), n, n+1, 1)
		}
	}
	after.settle()
	if err := after.d.Stop(); err != nil {
		t.Errorf("the daemon ended with %v", err)
	}
	after.account("G1 power cut, unsynced writes dropped or torn")
}
