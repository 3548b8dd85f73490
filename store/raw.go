package store

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"os"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// maxRaw bounds what unpack makes: more than any size limit for mail.
const maxRaw = 1 << 30

// codec compresses raw bytes. Its memory is taken at the first use.
type codec struct {
	enc sync.Once
	dec sync.Once
	w   *zstd.Encoder
	r   *zstd.Decoder
}

// pack returns data as one zstd frame. It never fails.
func (c *codec) pack(data []byte) []byte {
	c.enc.Do(func() {
		var err error
		c.w, err = zstd.NewWriter(nil,
			zstd.WithEncoderLevel(zstd.SpeedFastest),
			zstd.WithEncoderConcurrency(2),
			zstd.WithWindowSize(256<<10),
			zstd.WithLowerEncoderMem(true))
		if err != nil {
			panic(err) // the options are constants
		}
	})
	return c.w.EncodeAll(data, make([]byte, 0, len(data)/2+64))
}

// unpack undoes pack.
func (c *codec) unpack(data []byte) ([]byte, error) {
	c.dec.Do(func() {
		var err error
		c.r, err = zstd.NewReader(nil,
			zstd.WithDecoderConcurrency(2),
			zstd.WithDecoderMaxMemory(maxRaw),
			zstd.WithDecoderLowmem(true))
		if err != nil {
			panic(err) // the options are constants
		}
	})
	out, err := c.r.DecodeAll(data, nil)
	if err != nil {
		return nil, fmt.Errorf("unpack %d stored bytes: %w", len(data), err)
	}
	return out, nil
}

// Pack takes the bytes of a large mail as they come and holds them compressed,
// in a file without a name: the mail is never in memory as a whole. It is not
// for several goroutines.
type Pack struct {
	file *os.File // nil: there is none to be had, and mem has the bytes
	mem  bytes.Buffer
	w    *zstd.Encoder
	sum  hash.Hash
	size int64
	into packSize
}

// packSize counts what is written through it.
type packSize struct {
	io.Writer
	n int64
}

func (c *packSize) Write(b []byte) (int, error) {
	n, err := c.Writer.Write(b)
	c.n += int64(n)
	return n, err
}

// NewPack begins one. Without a file to be had it is in memory.
func (db *DB) NewPack() *Pack {
	p := &Pack{sum: sha256.New()}
	p.into.Writer = &p.mem
	if f, err := db.spool(); err == nil {
		p.file, p.into.Writer = f, f
	}
	var err error
	p.w, err = zstd.NewWriter(&p.into,
		zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(256<<10),
		zstd.WithLowerEncoderMem(true))
	if err != nil {
		panic(err) // the options are constants
	}
	return p
}

// Write fails when the disk is full.
func (p *Pack) Write(b []byte) (int, error) {
	p.sum.Write(b)
	p.size += int64(len(b))
	return p.w.Write(b)
}

// Close ends the frame. Nothing may be written any more.
func (p *Pack) Close() error {
	if err := p.w.Close(); err != nil {
		return fmt.Errorf("compress a mail: %w", err)
	}
	p.w = nil
	return nil
}

// Drop lets go of the bytes, whoever still knows of p.
func (p *Pack) Drop() {
	if p.file != nil {
		_ = p.file.Close()
	}
	p.mem, p.w = bytes.Buffer{}, nil
}

// Size is how many bytes were written.
func (p *Pack) Size() int64 { return p.size }

// Sum is the SHA-256 of what was written.
func (p *Pack) Sum() (sum [32]byte) {
	copy(sum[:], p.sum.Sum(nil))
	return sum
}

// packed are the compressed bytes.
func (p *Pack) packed() *io.SectionReader {
	if p.file != nil {
		return io.NewSectionReader(p.file, 0, p.into.n)
	}
	return packedBytes(p.mem.Bytes())
}

func packedBytes(b []byte) *io.SectionReader {
	return io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b)))
}

// unpackFrom undoes pack from a stream; size is what will come of it.
func unpackFrom(packed io.Reader, size int64) ([]byte, error) {
	out := bytes.NewBuffer(make([]byte, 0, size))
	err := unpackInto(out, packed, size)
	return out.Bytes(), err
}

// unpackInto is unpackFrom for one who does not want the bytes in memory.
func unpackInto(out io.Writer, packed io.Reader, size int64) error {
	r, err := zstd.NewReader(packed,
		zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderMaxMemory(maxRaw),
		zstd.WithDecoderLowmem(true))
	if err != nil {
		return fmt.Errorf("unpack stored bytes: %w", err)
	}
	defer r.Close()
	n, err := io.Copy(out, io.LimitReader(r, size))
	switch {
	case err != nil:
	case n < size:
		err = io.ErrUnexpectedEOF
	default:
		var more int64
		if more, err = io.Copy(io.Discard, r); err == nil && more > 0 {
			err = fmt.Errorf("%d bytes more than were counted", more)
		}
	}
	if err != nil {
		return fmt.Errorf("unpack %d stored bytes, after %d: %w", size, n, err)
	}
	return nil
}
