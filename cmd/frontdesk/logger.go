package main

import (
	"context"
	"io"
	"log/slog"
	"os"

	"frontdesk/config"
)

// logger writes to w as the configuration asks. Under journald each line begins
// with its priority (sd-daemon(3)), and carries no time: the journal has one.
func logger(w io.Writer, c config.Log) *slog.Logger {
	level := slog.LevelInfo
	_ = level.UnmarshalText([]byte(c.Level))
	opt := &slog.HandlerOptions{Level: level}
	journal := os.Getenv("JOURNAL_STREAM") != ""
	if journal {
		opt.ReplaceAttr = func(groups []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey && len(groups) == 0 {
				return slog.Attr{}
			}
			return a
		}
	}
	make := func(w io.Writer) slog.Handler {
		if c.Format == "json" {
			return slog.NewJSONHandler(w, opt)
		}
		return slog.NewTextHandler(w, opt)
	}
	if !journal {
		return slog.New(make(w))
	}
	return slog.New(priority{err: make(prefix{w, "<3>"}), warn: make(prefix{w, "<4>"}), info: make(prefix{w, "<6>"}), debug: make(prefix{w, "<7>"})})
}

// prefix writes a mark before each line; a handler writes a line at a time.
type prefix struct {
	w    io.Writer
	mark string
}

func (p prefix) Write(line []byte) (int, error) {
	if _, err := p.w.Write(append([]byte(p.mark), line...)); err != nil {
		return 0, err
	}
	return len(line), nil
}

// priority hands each record to the handler of its level.
type priority struct{ err, warn, info, debug slog.Handler }

func (p priority) of(l slog.Level) slog.Handler {
	switch {
	case l >= slog.LevelError:
		return p.err
	case l >= slog.LevelWarn:
		return p.warn
	case l >= slog.LevelInfo:
		return p.info
	}
	return p.debug
}

func (p priority) Enabled(ctx context.Context, l slog.Level) bool { return p.of(l).Enabled(ctx, l) }
func (p priority) Handle(ctx context.Context, r slog.Record) error {
	return p.of(r.Level).Handle(ctx, r)
}
func (p priority) WithAttrs(a []slog.Attr) slog.Handler {
	return priority{p.err.WithAttrs(a), p.warn.WithAttrs(a), p.info.WithAttrs(a), p.debug.WithAttrs(a)}
}
func (p priority) WithGroup(g string) slog.Handler {
	return priority{p.err.WithGroup(g), p.warn.WithGroup(g), p.info.WithGroup(g), p.debug.WithGroup(g)}
}
