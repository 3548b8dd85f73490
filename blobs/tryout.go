package blobs

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"time"
)

// place is what both are.
type place interface {
	Put(ctx context.Context, name string, data []byte) error
	Get(ctx context.Context, name string) (io.ReadCloser, error)
	Delete(ctx context.Context, name string) error
	Walk(ctx context.Context, f func(name string, size int64, put time.Time) error) error
}

// Check tells what is wrong with the folder: a blob is put, read and deleted.
func (f *Folder) Check(ctx context.Context) error { return tryOut(ctx, f) }

func tryOut(ctx context.Context, p place) (err error) {
	name, data := "check-"+strings.ToLower(rand.Text()), []byte("does it keep what it is given?")
	if err := p.Put(ctx, name, data); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Delete(ctx, name)) }()
	r, err := p.Get(ctx, name)
	if err != nil {
		return err
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err == nil && !bytes.Equal(got, data) {
		err = errors.New("what was read is not what was put")
	}
	return err
}
