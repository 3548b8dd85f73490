package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
)

// Rendering is what the first attempt stores: a retry sends the same bytes.
type Rendering struct {
	MessageID string
	Raw       []byte
	Files     []PlacedFile // in the order of their places
}

// PlacedFile is a large file of a letter, which stands in a mail of the ledger
// already: its rendering is kept without it.
type PlacedFile struct {
	At       int    `json:"at"` // Raw goes on behind it from here
	Ledger   int64  `json:"ledger"`
	Part     int    `json:"part"`     // as in tickets.Attachment
	Encoding string `json:"encoding"` // transfer encoding in the letter: "base64" or "7bit"
	Wire     int64  `json:"wire"`     // bytes, encoded
	Size     int64  `json:"size"`     // bytes of the content
	SHA256   []byte `json:"sha256"`   // of the content
}

// withFiles opens the stored bytes of a rendering whose files are elsewhere; a
// frame of zstd never begins so. Their JSON follows, behind its length.
var withFiles = []byte("FILES\x00")

func (db *DB) packRendering(r *Rendering) []byte {
	if r == nil {
		return nil
	}
	packed := db.raw.pack(r.Raw)
	if len(r.Files) == 0 {
		return packed
	}
	files, err := json.Marshal(r.Files)
	if err != nil {
		panic(err) // numbers and strings
	}
	out := binary.AppendUvarint(bytes.Clone(withFiles), uint64(len(files)))
	return append(append(out, files...), packed...)
}

// unpackRendering undoes packRendering.
func (db *DB) unpackRendering(packed []byte) (raw []byte, files []PlacedFile, err error) {
	if rest, ok := bytes.CutPrefix(packed, withFiles); ok {
		n, k := binary.Uvarint(rest)
		if k <= 0 || n > uint64(len(rest)-k) { // #nosec G115 -- k is at most what was read of rest
			return nil, nil, errors.New("unpack a rendering: the list of its files is cut short")
		}
		end := k + int(n) // #nosec G115 -- at most len(rest)
		if err := json.Unmarshal(rest[k:end], &files); err != nil {
			return nil, nil, fmt.Errorf("unpack a rendering: %w", err)
		}
		packed = rest[end:]
	}
	raw, err = db.raw.unpack(packed)
	for _, f := range files {
		if err == nil && (f.At < 0 || f.At > len(raw)) {
			err = fmt.Errorf("unpack a rendering of %d bytes: a file at %d", len(raw), f.At)
		}
	}
	return raw, files, err
}
