package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	"frontdesk/notify"
	"frontdesk/parser"
	"frontdesk/store"
	"frontdesk/tickets"
)

// keptFile is the size, as transferred, up to which a file is decoded at once.
const keptFile = 256 << 10

// filesOf reads the files of stored mails piece by piece.
func filesOf(db *store.DB) notify.OpenFile {
	return func(ctx context.Context, ledger int64, part int) (*notify.OpenedFile, error) {
		mail, err := db.Open(ctx, ledger)
		if err != nil {
			return nil, err
		}
		f := &notify.OpenedFile{Close: mail.Close}
		if part == tickets.WholeRow { // a recording or a picture
			f.Read = func() io.Reader { return &mailReader{r: bytes.NewReader(mail.Data), passed: mail.Passed} }
			h := sha256.New()
			if f.Size, err = io.Copy(h, f.Read()); err != nil {
				mail.Close()
				return nil, err
			}
			f.SHA256 = [32]byte(h.Sum(nil))
			return f, nil
		}
		m := parser.Parse(mail.Data, parser.Options{Large: keptFile, Passed: mail.Passed})
		if part < 0 || part >= len(m.Attachments) {
			mail.Close()
			return nil, fmt.Errorf("open attachment %d of row %d: the mail has %d", part, ledger, len(m.Attachments))
		}
		a := m.Attachments[part]
		f.Size, f.SHA256 = int64(a.Size), a.SHA256
		f.Read = func() io.Reader { return &mailReader{r: a.Open(), passed: mail.Passed} }
		return f, nil
	}
}

// mailReader reads of a mail that is mapped.
type mailReader struct {
	r      io.Reader
	passed func()
	since  int
}

func (m *mailReader) Read(b []byte) (n int, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil {
			n, err = 0, errors.New("the file of a large mail cannot be read: the disk fails")
		}
	}()
	n, err = m.r.Read(b)
	if m.since += n; m.since > 256<<10 {
		m.passed()
		m.since = 0
	}
	return n, err
}

// attachmentsOf reads whole files of stored mails.
func attachmentsOf(db *store.DB) notify.OpenAttachment {
	open := filesOf(db)
	return func(ctx context.Context, ledger int64, part int) ([]byte, error) {
		f, err := open(ctx, ledger, part)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		data := make([]byte, f.Size)
		_, err = io.ReadFull(f.Read(), data)
		return data, err
	}
}

// wholeLetter returns the rendering of a letter with its large files.
func wholeLetter(ctx context.Context, db *store.DB, raw []byte, info store.LetterInfo) ([]byte, error) {
	if len(info.Files) == 0 {
		return raw, nil
	}
	var b bytes.Buffer
	err := notify.WriteWhole(ctx, &b, raw, info.Files, filesOf(db))
	return b.Bytes(), err
}
