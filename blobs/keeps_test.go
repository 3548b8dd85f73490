package blobs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"testing"
	"time"
)

type place interface {
	Put(ctx context.Context, name string, data []byte) error
	Get(ctx context.Context, name string) (io.ReadCloser, error)
	Delete(ctx context.Context, name string) error
	Walk(ctx context.Context, f func(name string, size int64, put time.Time) error) error
	Check(ctx context.Context) error
}

func name(n int) string { return fmt.Sprintf("%02x%062x-%016x", n, n, n) }

func walk(t *testing.T, p place) map[string]int64 {
	t.Helper()
	got := map[string]int64{}
	err := p.Walk(t.Context(), func(name string, size int64, put time.Time) error {
		if since := time.Since(put); since < -time.Minute || since > 10*time.Minute {
			t.Errorf("%s was put at %s", name, put)
		}
		got[name] = size
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// keeps is what every place of blobs does.
func keeps(t *testing.T, p place) {
	t.Helper()
	ctx := t.Context()
	if err := p.Check(ctx); err != nil {
		t.Fatal(err)
	}
	want := map[string][]byte{}
	for n, size := range []int{0, 1, 300 << 10, 6 << 20} {
		data := make([]byte, size)
		for i := range data {
			data[i] = byte(rand.Uint32())
		}
		want[name(n)] = data
		if err := p.Put(ctx, name(n), data); err != nil {
			t.Fatal(err)
		}
	}
	for name, data := range want {
		r, err := p.Get(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	got := walk(t, p)
	if len(got) != len(want) {
		t.Errorf("%d are listed, %d were put", len(got), len(want))
	}
	for name, size := range got {
		if int(size) != len(want[name]) {
			t.Errorf("%s is listed with %d bytes", name, size)
		}
	}
	if _, err := p.Get(ctx, name(99)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("get of what was never put: %v", err)
	}
	stop := errors.New("stop")
	if err := p.Walk(ctx, func(string, int64, time.Time) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("walk goes on: %v", err)
	}
	for name := range want {
		for range 2 { // there may be none
			if err := p.Delete(ctx, name); err != nil {
				t.Error(err)
			}
		}
		if _, err := p.Get(ctx, name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("get of what was deleted: %v", err)
		}
	}
	for _, bad := range []string{"", "ab", "../../etc/passwd", "AB/cd", "a/b/c", "..."} {
		if err := p.Put(ctx, bad, nil); err == nil {
			t.Errorf("put %q", bad)
		}
		if _, err := p.Get(ctx, bad); err == nil {
			t.Errorf("got %q", bad)
		}
		if err := p.Delete(ctx, bad); err == nil {
			t.Errorf("deleted %q", bad)
		}
	}
}
