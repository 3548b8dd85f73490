package store

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
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

// Pack takes the bytes of a large mail as they come and holds them compressed:
// the mail as a whole is never in memory. It is not for several goroutines.
type Pack struct {
	out  bytes.Buffer
	w    *zstd.Encoder
	sum  hash.Hash
	size int64
}

// NewPack begins one of about expect bytes; 0 when nobody knows.
func NewPack(expect int64) *Pack {
	p := &Pack{sum: sha256.New()}
	// As much as comes when nothing can be compressed, so that the buffer is not
	// copied while it grows; what is not used of it is no memory.
	p.out.Grow(int(expect) + int(expect)/1000 + 64<<10)
	var err error
	p.w, err = zstd.NewWriter(&p.out,
		zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(256<<10),
		zstd.WithLowerEncoderMem(true))
	if err != nil {
		panic(err) // the options are constants
	}
	return p
}

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
func (p *Pack) Drop() { p.out, p.w = bytes.Buffer{}, nil }

// Size is how many bytes were written.
func (p *Pack) Size() int64 { return p.size }

// Sum is the SHA-256 of what was written.
func (p *Pack) Sum() (sum [32]byte) {
	copy(sum[:], p.sum.Sum(nil))
	return sum
}

// unpackFrom undoes pack from a stream; size is what will come of it.
func unpackFrom(packed io.Reader, size int64) ([]byte, error) {
	r, err := zstd.NewReader(packed,
		zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderMaxMemory(maxRaw),
		zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, fmt.Errorf("unpack stored bytes: %w", err)
	}
	defer r.Close()
	out := make([]byte, size)
	n, err := io.ReadFull(r, out)
	if err == nil {
		var more int64
		if more, err = io.Copy(io.Discard, r); more > 0 {
			err = fmt.Errorf("%d bytes more than were counted", more)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("unpack %d stored bytes, after %d: %w", size, n, err)
	}
	return out, nil
}
