package parser

import (
	"bytes"
	"crypto/sha256"
	"io"
)

// stretch is how many octets are read between two calls of Options.Passed.
const stretch = 256 << 10

// indexIn is bytes.Index that tells passed how it gets on.
func indexIn(b, sep []byte, passed func()) int {
	for at := 0; ; at += stretch {
		end := min(len(b), at+stretch+len(sep)-1)
		if i := bytes.Index(b[at:end], sep); i >= 0 {
			return at + i
		}
		if end == len(b) {
			return -1
		}
		passed()
	}
}

// transferred is the content of a part as it stands in the mail.
type transferred struct {
	octets   []byte
	encoding string
	passed   func()
}

// spared returns the content of p in its transfer encoding when it is so large
// that it is decoded as a stream; ok is false for all others, and for those
// that have to be looked into.
func (p *part) spared(opt Options) (t transferred, ok bool) {
	if opt.Large <= 0 || len(p.body) <= opt.Large || p.decoded != nil && p.encoding != "" {
		return t, false
	}
	t = transferred{p.body, p.transfer(), opt.Passed}
	if t.encoding == "uuencode" { // found by its begin line, whole
		return t, false
	}
	if t.encoding == "quoted-printable" && indexIn(t.octets, []byte("="), t.passed) < 0 {
		t.encoding = ""
	}
	head := make([]byte, 6)
	n, _ := io.ReadFull(t.open(), head)
	return t, !isTNEF(p, head[:n])
}

// measure reads the content of p through.
func (p *part) measure(t transferred) (size int, sum [32]byte) {
	h, r := sha256.New(), t.open()
	n, _ := io.Copy(h, r) // neither fails
	if r.run.foreign {
		p.tree.defect("damaged base64")
	}
	return int(n), [32]byte(h.Sum(nil))
}

// Open reads the content: from Data, or from the mail, which must still be
// there. It does not fail.
func (a *Attachment) Open() io.Reader {
	if a.body.octets != nil {
		return a.body.open()
	}
	return bytes.NewReader(a.Data)
}

func (t transferred) open() *decoder { return &decoder{t: t} }

// decoder undoes a transfer encoding as a stream, as decodeTransfer does at once.
type decoder struct {
	t    transferred
	pos  int // in t.octets
	told int // Passed, at this pos
	run  base64Run
	buf  []byte
	out  []byte // of buf: decoded, and not read yet
}

func (d *decoder) Read(b []byte) (int, error) {
	for len(d.out) == 0 {
		if d.pos == len(d.t.octets) {
			if d.out = d.run.flush(d.buf[:0]); len(d.out) == 0 {
				return 0, io.EOF
			}
			break
		}
		d.fill()
	}
	n := copy(b, d.out)
	d.out = d.out[n:]
	return n, nil
}

// decodeChunk is about how many octets are decoded at a time.
const decodeChunk = 32 << 10

func (d *decoder) fill() {
	if d.pos-d.told > stretch {
		d.t.passed()
		d.told = d.pos
	}
	end := min(d.pos+decodeChunk, len(d.t.octets))
	switch d.t.encoding {
	case "base64":
		d.buf = d.run.add(d.buf[:0], d.t.octets[d.pos:end])
		d.pos = end
	case "quoted-printable":
		for d.buf = d.buf[:0]; d.pos < end; {
			d.buf, d.pos = appendQP(d.buf, d.t.octets, d.pos)
		}
	default:
		d.buf = append(d.buf[:0], d.t.octets[d.pos:end]...)
		d.pos = end
	}
	d.out = d.buf
}
