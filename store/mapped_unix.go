//go:build unix

package store

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// mapping is a file in the address space; the zero value is none.
type mapping struct{ bytes []byte }

func mapFile(f *os.File, size int64) ([]byte, mapping, error) {
	b, err := unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, mapping{}, fmt.Errorf("map a large mail: %w", err)
	}
	return b, mapping{b}, nil
}

// passed takes the pages out of the resident memory: what is needed again comes
// back from the page cache.
func (m mapping) passed() {
	if m.bytes != nil {
		_ = unix.Madvise(m.bytes, unix.MADV_DONTNEED)
	}
}

func (m mapping) close() {
	if m.bytes != nil {
		_ = unix.Munmap(m.bytes)
	}
}
