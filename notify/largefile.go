package notify

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"frontdesk/store"
	"frontdesk/tickets"
)

// largeFile is the size in bytes above which a file goes from its mail in the
// ledger to the SMTP server without being in memory. Its rendering is kept
// without it: the ledger has it already, and its hash says that it is the same.
const largeFile = store.LargeMail

// stored says how a large file of a message will stand in a letter.
func (s *Sender) stored(ctx context.Context, ledger int64, a tickets.Attachment) (*store.PlacedFile, error) {
	p := &store.PlacedFile{Ledger: ledger, Part: a.Part, Encoding: "base64", Wire: base64Wire(int64(a.Size)), Size: int64(a.Size), SHA256: a.SHA256[:]}
	if !strings.HasPrefix(attachedType(a.ContentType), "message/") {
		return p, nil
	}
	f, err := s.opt.OpenFile(ctx, ledger, a.Part)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var n counter
	switch err := writeSevenBit(&n, f.Read()); {
	case err == nil:
		p.Encoding, p.Wire = "7bit", int64(n)
	case !errors.Is(err, errNotSevenBit):
		return nil, err
	}
	return p, nil
}

type counter int64

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

// content is a mail with the large files that stand in it.
type content struct {
	raw    []byte
	files  []store.PlacedFile
	opened []*OpenedFile
}

// open opens the files of a letter; they have to be what they were when it was
// written.
func (s *Sender) open(ctx context.Context, mail *prepared, until time.Time) (c content, err error) {
	c = content{raw: mail.raw, files: mail.files}
	if len(c.files) == 0 {
		return c, nil
	}
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), until)
	defer cancel()
	if c.opened, err = openFiles(ctx, s.opt.OpenFile, c.files); errors.Is(err, store.ErrNotFound) || errors.Is(err, errOtherFile) {
		return c, &failure{class: ClassPermanent, detail: err.Error()}
	}
	return c, err
}

var errOtherFile = errors.New("it is not what it was when the letter was written")

func openFiles(ctx context.Context, open OpenFile, files []store.PlacedFile) (opened []*OpenedFile, err error) {
	for _, p := range files {
		var f *OpenedFile
		if f, err = open(ctx, p.Ledger, p.Part); err == nil {
			opened = append(opened, f)
			if f.Size != p.Size || string(f.SHA256[:]) != string(p.SHA256) {
				err = errOtherFile
			}
		}
		if err != nil {
			content{opened: opened}.close()
			return nil, fmt.Errorf("file of ledger row %d: %w", p.Ledger, err)
		}
	}
	return opened, nil
}

func (c content) close() {
	for _, f := range c.opened {
		f.Close()
	}
}

// size is that of the whole mail.
func (c content) size() int64 {
	n := int64(len(c.raw))
	for _, f := range c.files {
		n += f.Wire
	}
	return n
}

// write writes the mail. Each Write to w begins with the start of a line.
func (c content) write(w io.Writer) error {
	from := 0
	for i, p := range c.files {
		if _, err := w.Write(c.raw[from:p.At]); err != nil {
			return err
		}
		from = p.At
		write := writeBase64
		if p.Encoding == "7bit" {
			write = writeSevenBit
		}
		if err := write(w, c.opened[i].Read()); err != nil {
			return err
		}
	}
	_, err := w.Write(c.raw[from:])
	return err
}

// WriteWhole writes a rendering with its files.
func WriteWhole(ctx context.Context, w io.Writer, raw []byte, files []store.PlacedFile, open OpenFile) error {
	c := content{raw: raw, files: files}
	var err error
	if c.opened, err = openFiles(ctx, open, files); err != nil {
		return err
	}
	defer c.close()
	return c.write(w)
}

const base64Line = 57 // bytes in a line of 76 digits (RFC 2045 section 6.8)

// base64Wire is how much n bytes become.
func base64Wire(n int64) int64 {
	lines := (n + base64Line - 1) / base64Line
	return (n+2)/3*4 + 2*max(lines-1, 0)
}

// writeBase64 writes lines with CRLF between them, as go-message does.
func writeBase64(w io.Writer, r io.Reader) error {
	in := bufio.NewReaderSize(r, 32<<10)
	data, line := make([]byte, base64Line), make([]byte, 0, 80)
	for first := true; ; first = false {
		n, err := io.ReadFull(in, data)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return err
		}
		if n == 0 {
			return nil
		}
		if !first {
			if _, err := io.WriteString(w, "\r\n"); err != nil {
				return err
			}
		}
		if _, err := w.Write(base64.StdEncoding.AppendEncode(line[:0], data[:n])); err != nil {
			return err
		}
	}
}

// errNotSevenBit says that a message cannot travel as it is.
var errNotSevenBit = errors.New("not 7bit with lines of 998 octets")

// writeSevenBit is sevenBit for a stream.
func writeSevenBit(w io.Writer, r io.Reader) error {
	in := bufio.NewReaderSize(r, 32<<10)
	for {
		line, err := in.ReadSlice('\n')
		if len(line) > 0 && err != bufio.ErrBufferFull {
			plain, ok := sevenBit(line)
			if !ok {
				return errNotSevenBit
			}
			if _, err := w.Write(plain); err != nil {
				return err
			}
		}
		switch err {
		case nil:
		case io.EOF:
			return nil
		case bufio.ErrBufferFull:
			return errNotSevenBit
		default:
			return err
		}
	}
}
