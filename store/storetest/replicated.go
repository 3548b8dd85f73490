//go:build unix

package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Replicated is a primary PostgreSQL server and a standby that each commit waits
// for, as operators have them who want to lose nothing with a machine.
type Replicated struct {
	t    testing.TB
	dir  string
	who  *syscall.SysProcAttr
	port [2]string
	run  [2]*running
}

type running struct {
	stdin io.Closer // while it is open the server runs
	sh    *exec.Cmd
}

// watchPlain is watch, but the files stay.
const watchPlain = `"$@" >>"$0" 2>&1 &
pid=$!
read -r end
kill -QUIT $pid
wait $pid`

// StartReplicated starts both; they end with the test. Where PostgreSQL is not
// installed the test is skipped, or fails with REQUIRE_REAL=1.
func StartReplicated(t testing.TB) *Replicated {
	t.Helper()
	Postgres(t) // asks for it, in its own words
	r := &Replicated{t: t}
	if err := r.up(); err != nil {
		t.Fatalf("start PostgreSQL with a standby: %v", err)
	}
	return r
}

func (r *Replicated) up() (err error) {
	if r.who, err = account(); err != nil {
		return err
	}
	if r.dir, err = os.MkdirTemp("", "storetest"); err != nil {
		return err
	}
	r.t.Cleanup(func() {
		r.Stop(0)
		r.Stop(1)
		_ = os.RemoveAll(r.dir)
	})
	if r.who != nil {
		if err := os.Chown(r.dir, int(r.who.Credential.Uid), int(r.who.Credential.Gid)); err != nil {
			return err
		}
	}
	for i := range r.port {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer l.Close() // after both: they are to differ
		_, r.port[i], _ = net.SplitHostPort(l.Addr().String())
		l.Close()
	}
	if err := r.tool("initdb", "-D", r.data(0), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync"); err != nil {
		return err
	}
	if err := r.start(0); err != nil {
		return err
	}
	from := fmt.Sprintf("host=127.0.0.1 port=%s user=postgres application_name=standby", r.port[0])
	if err := r.tool("pg_basebackup", "-d", from, "-D", r.data(1), "-R", "-X", "stream", "-c", "fast", "--no-sync"); err != nil {
		return err
	}
	if err := r.start(1); err != nil {
		return err
	}
	return r.ask(0, func(ctx context.Context, db *sql.DB) error {
		for _, text := range []string{`ALTER SYSTEM SET synchronous_standby_names = 'standby'`, `SELECT pg_reload_conf()`, `CREATE DATABASE desk`} {
			if _, err := db.ExecContext(ctx, text); err != nil {
				return err
			}
		}
		for state := ""; state != "sync"; {
			if err := db.QueryRowContext(ctx, `SELECT sync_state FROM pg_stat_replication`).Scan(&state); err != nil && !errors.Is(err, sql.ErrNoRows) {
				return fmt.Errorf("wait for the standby: %w", err)
			}
		}
		return nil
	})
}

func (r *Replicated) data(i int) string { return filepath.Join(r.dir, fmt.Sprintf("data%d", i)) }

// tool runs a program of PostgreSQL to its end.
func (r *Replicated) tool(name string, args ...string) error {
	path, err := tool(name)
	if err != nil {
		return err
	}
	cmd := exec.Command(path, args...)
	cmd.SysProcAttr, cmd.Dir = r.who, r.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}

// URL names both servers: who connects takes the one that may be written to.
func (r *Replicated) URL() string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%s,127.0.0.1:%s/desk?target_session_attrs=read-write&connect_timeout=5&sslmode=disable", r.port[0], r.port[1])
}

// Start starts the first or the second server (0, 1) and waits until it answers.
func (r *Replicated) Start(i int) {
	r.t.Helper()
	if err := r.start(i); err != nil {
		r.t.Fatalf("start PostgreSQL: %v", err)
	}
}

func (r *Replicated) start(i int) error {
	postgres, err := tool("postgres")
	if err != nil {
		return err
	}
	log := r.data(i) + ".log"
	sh := exec.Command("sh", "-c", watchPlain, log, postgres, "-D", r.data(i), "-k", "", "-p", r.port[i],
		"-c", "listen_addresses=127.0.0.1", "-c", "shared_buffers=64MB", "-c", "max_connections=100")
	sh.SysProcAttr, sh.Dir = r.who, r.dir
	stdin, err := sh.StdinPipe()
	if err != nil {
		return err
	}
	if err := sh.Start(); err != nil {
		return err
	}
	r.run[i] = &running{stdin, sh}
	if err := r.ask(i, func(context.Context, *sql.DB) error { return nil }); err != nil {
		text, _ := os.ReadFile(log)
		return fmt.Errorf("%w: %s", err, text)
	}
	return nil
}

// Stop ends a server at once, as "pg_ctl stop -m immediate" does: nothing is
// finished, and what was not synced has to come from the log of writes.
func (r *Replicated) Stop(i int) {
	if r.run[i] == nil {
		return
	}
	r.run[i].stdin.Close()
	_ = r.run[i].sh.Wait() // its status is that of a server told to quit
	r.run[i] = nil
}

// Promote makes the standby the primary.
func (r *Replicated) Promote() {
	r.t.Helper()
	err := r.ask(1, func(ctx context.Context, db *sql.DB) error {
		var ok bool
		err := db.QueryRowContext(ctx, `SELECT pg_promote(true, 30)`).Scan(&ok)
		if err == nil && !ok {
			err = errors.New("not within 30 s")
		}
		return err
	})
	if err != nil {
		r.t.Fatalf("promote the standby: %v", err)
	}
}

// ask waits until a server answers, and asks it.
func (r *Replicated) ask(i int, f func(context.Context, *sql.DB) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	db, err := sql.Open("pgx", fmt.Sprintf("postgres://postgres@127.0.0.1:%s/postgres?sslmode=disable", r.port[i]))
	if err != nil {
		return err
	}
	defer db.Close()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		err := db.PingContext(ctx)
		if err == nil {
			return f(ctx, db)
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return err
		}
	}
}

// Log returns the last lines of both servers' logs.
func (r *Replicated) Log(n int) string {
	var b strings.Builder
	for i := range r.port {
		text, _ := os.ReadFile(r.data(i) + ".log")
		lines := strings.Split(string(text), "\n")
		fmt.Fprintf(&b, "== %d\n%s\n", i, strings.Join(lines[max(0, len(lines)-n):], "\n"))
	}
	return b.String()
}
