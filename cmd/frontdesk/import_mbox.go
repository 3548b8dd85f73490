package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"frontdesk/parser"
)

// This file reads mbox files (RFC 4155) of any size: where its mails lie and
// when each was received, and then one mail at a time.

// spot is where a mail lies. A file of millions needs little memory.
type spot struct {
	at   int64 // received, unix seconds
	off  int64 // of the mail, behind its From_ line
	size int64
	file int32
	raw  bool // mboxcl2: lines that begin with From are not quoted
}

// mboxFile is an mbox file that is being imported.
type mboxFile struct {
	name string // as the user wrote it
	r    io.ReaderAt
	size int64
	sent bool // a folder of mail that was sent
	done func() error
}

// openMbox opens a file; one that is packed with gzip is unpacked into a file
// that nobody else sees.
func openMbox(name string) (*mboxFile, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s is a folder\nhint: frontdesk import maildir", name)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	m := &mboxFile{name: name, r: f, size: info.Size(), done: f.Close, sent: isSentFolder(strings.TrimSuffix(filepath.Base(name), ".gz"))}
	var magic [2]byte
	if n, _ := f.ReadAt(magic[:], 0); n < 2 || magic != [2]byte{0x1f, 0x8b} {
		return m, nil
	}
	defer f.Close()
	tmp, err := os.CreateTemp("", "frontdesk-import-")
	if err != nil {
		return nil, err
	}
	_ = os.Remove(tmp.Name()) // it goes with the process
	packed, err := gzip.NewReader(bufio.NewReaderSize(f, 1<<20))
	if err == nil {
		m.size, err = io.Copy(tmp, packed) // #nosec G110 -- the operator's own file; what it fills is his disk
	}
	if err != nil && m.size == 0 {
		_ = tmp.Close()
		return nil, fmt.Errorf("unpack %s: %w", name, err)
	}
	m.r, m.done = tmp, tmp.Close
	return m, err // what could be unpacked is there
}

// isSentFolder knows the names that clients give to the folder of sent mail.
func isSentFolder(name string) bool {
	name = strings.ToLower(strings.TrimLeft(name, "."))
	if i := strings.LastIndexAny(name, "./"); i >= 0 && !strings.HasSuffix(name, ".mbox") && !strings.HasSuffix(name, ".mbx") {
		name = name[i+1:]
	}
	name = strings.TrimSuffix(strings.TrimSuffix(name, ".mbox"), ".mbx")
	return slices.Contains([]string{
		"sent", "sent items", "sent messages", "sent mail", "sent-mail", "outbox", "gesendet", "gesendete objekte", "gesendete elemente",
	}, name)
}

// lines reads a file line by line and says where each begins.
type lines struct {
	in  *bufio.Reader
	off int64 // of the next line
}

// next returns a line with its end, cut after 64 KB; n is its whole length.
func (l *lines) next() (line []byte, n int64, err error) {
	for {
		part, err := l.in.ReadSlice('\n')
		if n == 0 {
			line = append(line[:0:0], part...)
		}
		n += int64(len(part))
		if !errors.Is(err, bufio.ErrBufferFull) {
			l.off += n
			return line, n, err
		}
	}
}

// largestHead bounds what is read of a mail to find out when it was received.
const largestHead = 256 << 10

// scan tells each mail of the file: where it lies and when it was received. What
// is wrong with one is told to wrong, with its place.
func (m *mboxFile) scan(number int32, last int64, each func(spot) error, wrong func(off int64, format string, args ...any)) error {
	in := &lines{in: bufio.NewReaderSize(io.NewSectionReader(m.r, 0, m.size), 1<<16)}
	var (
		cur   spot
		from  string
		head  bytes.Buffer
		begun bool
		body  bool  // the head has ended
		until int64 // the end that Content-Length names; 0 none that holds
		empty = true
		n     int
		lead  bool
	)
	end := func(at int64) error {
		if !begun {
			return nil
		}
		n++
		cur.size = at - cur.off
		when, odd := receivedAt(head.Bytes(), fromTime(from), last)
		if odd != "" {
			wrong(cur.off, "%s", odd)
		}
		cur.at = when.Unix()
		last = cur.at
		return each(cur)
	}
	for {
		at := in.off
		line, _, err := in.next()
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read %s: %w", m.name, err)
		}
		switch {
		case empty && at >= until && separator.Match(line):
			if err := end(at); err != nil {
				return err
			}
			begun, body, until, from = true, false, 0, string(bytes.TrimRight(line, "\r\n"))
			cur = spot{off: in.off, file: number}
			head.Reset()
		case !begun && len(bytes.TrimSpace(line)) > 0 && !lead:
			lead = true
			wrong(at, "no mail begins here: passed over up to the first line \"From ADDRESS DATE\"")
		case begun && !body:
			if len(bytes.TrimRight(line, "\r\n")) == 0 {
				body = true
				if until = m.contentLength(head.Bytes(), in.off); until != 0 {
					cur.raw = m.unquotedFrom(in.off, until)
				}
			} else if head.Len() < largestHead {
				head.Write(line)
			}
		}
		empty = len(bytes.TrimRight(line, "\r\n")) == 0
		if errors.Is(err, io.EOF) {
			if !begun {
				return fmt.Errorf("%s is no mbox file: no line begins with \"From ADDRESS DATE\"", m.name)
			}
			return end(in.off)
		}
	}
}

// contentLength is where the mail ends as its own field says (mboxcl), 0 when
// it says nothing or what is not so: another mail has to begin there.
func (m *mboxFile) contentLength(head []byte, body int64) int64 {
	for line := range bytes.Lines(head) {
		name, value, ok := bytes.Cut(line, []byte{':'})
		if !ok || !bytes.EqualFold(name, []byte("Content-Length")) {
			continue
		}
		n, err := strconv.ParseInt(string(bytes.TrimSpace(value)), 10, 64)
		if err != nil || n < 0 || body+n > m.size {
			return 0
		}
		at := body + n
		var behind [64]byte
		got, _ := m.r.ReadAt(behind[:], at)
		rest := bytes.TrimLeft(behind[:got], "\r\n")
		if at == m.size || got > 0 && len(rest) == 0 || len(rest) < got && bytes.HasPrefix(rest, []byte("From ")) {
			return at
		}
		return 0
	}
	return 0
}

// unquotedFrom reports whether lines that begin with From stand in a body as
// they are (mboxcl2); what looks quoted in it then is what was written.
func (m *mboxFile) unquotedFrom(body, end int64) bool {
	in := &lines{in: bufio.NewReaderSize(io.NewSectionReader(m.r, body, end-body), 1<<16)}
	for {
		line, _, err := in.next()
		if bytes.HasPrefix(line, []byte("From ")) {
			return true
		}
		if err != nil {
			return false
		}
	}
}

// load reads a mail, with the line ends that mail has on its way.
func (m *mboxFile) load(s spot) ([]byte, error) {
	size := min(s.size, maxMail)
	data := make([]byte, size)
	if n, err := m.r.ReadAt(data, s.off); err != nil && (!errors.Is(err, io.EOF) || int64(n) < size) {
		return nil, fmt.Errorf("read %s at %d: %w", m.name, s.off, err)
	}
	data = trimLast(data) // the empty line before the next mail
	out := bytes.NewBuffer(make([]byte, 0, len(data)+len(data)/32+64))
	for line := range bytes.Lines(data) {
		if !s.raw {
			line = unquoted(line)
		}
		text, ended := bytes.CutSuffix(line, []byte("\n"))
		out.Write(bytes.TrimSuffix(text, []byte("\r")))
		if ended {
			out.WriteString("\r\n")
		}
	}
	return out.Bytes(), nil
}

// trimLast takes off the empty line that parts a mail from the next.
func trimLast(data []byte) []byte {
	for _, end := range []string{"\r\n\r\n", "\n\n"} {
		if bytes.HasSuffix(data, []byte(end)) {
			return data[:len(data)-len(end)/2]
		}
	}
	return data
}

// fromTime is the time in a From_ line, "From a@b.example Thu Nov 12 10:00:00
// 2026": UTC by RFC 4155, in practice any zone.
func fromTime(line string) time.Time {
	fields := strings.Fields(line)
	for i := 1; i < len(fields); i++ {
		text := strings.Join(fields[i:], " ")
		for _, layout := range []string{time.ANSIC, "Mon Jan _2 15:04:05 -0700 2006", "Mon Jan _2 15:04:05 MST 2006", "Mon Jan _2 15:04:05 2006 -0700", "Mon Jan _2 15:04 2006"} {
			if t, err := time.Parse(layout, text); err == nil {
				return t
			}
		}
	}
	return time.Time{}
}

// apart is how far a file's own time of a mail may be from what the mail says.
const apart = 48 * time.Hour

// receivedAt says when a mail was received: as the last server that it passed
// noted (the topmost Received), else as its author dated it when the file does
// not say something quite different, else as the file says. Of a mail without
// any believable time it says so, and takes that of the mail before it.
func receivedAt(head []byte, file time.Time, last int64) (time.Time, string) {
	m := parser.Parse(append(slices.Clip(head), '\n'), parser.Options{})
	limit := now().Add(24 * time.Hour)
	likely := func(t time.Time) bool { return t.Year() >= 1985 && t.Before(limit) }
	if len(m.Received) > 0 && likely(m.Received[0].Time) {
		return m.Received[0].Time, ""
	}
	switch near := math.Abs(m.Date.Sub(file).Hours()) <= apart.Hours(); {
	case likely(m.Date) && (near || !likely(file)):
		return m.Date, ""
	case likely(file):
		return file, ""
	}
	said := "it has no date"
	if !m.Date.IsZero() {
		said = "its date is " + m.Date.UTC().Format(time.RFC3339)
	}
	if last == 0 {
		return time.Date(1985, 1, 1, 0, 0, 0, 0, time.UTC), said + ": put before all others"
	}
	return time.Unix(last, 0), said + ": put beside the mail before it"
}
