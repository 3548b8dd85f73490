package store

import (
	"fmt"
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
