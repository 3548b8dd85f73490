//go:build unix

package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // registers "pgx"
)

// Postgres makes an empty database on the private server and returns its URL.
// Where PostgreSQL is not installed the test is skipped, or fails with
// REQUIRE_REAL=1.
func Postgres(t testing.TB) string {
	t.Helper()
	s, err := server()
	if errors.Is(err, exec.ErrNotFound) {
		const how = "SKIP real-server: postgres not found (apt install postgresql)"
		if os.Getenv("REQUIRE_REAL") == "1" {
			t.Fatal(how)
		}
		t.Skip(how)
	}
	if err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	name, err := s.newDatabase()
	if err != nil {
		t.Fatalf("make a database: %v", err)
	}
	return s.url(name)
}

// cluster is a running private server.
type cluster struct {
	dir   string // its unix socket and, in data, its files
	admin *sql.DB
	stdin io.Closer // while it is open the server runs
	sh    *exec.Cmd

	mu   sync.Mutex
	made int
}

var (
	server  = sync.OnceValues(func() (*cluster, error) { return start() })
	started *cluster
)

// watch runs a server until standard input ends, which it also does when the
// test binary is killed.
const watch = `dir=$1; shift
"$@" >"$dir/log" 2>&1 &
pid=$!
read -r end
kill -QUIT $pid
wait $pid
rm -rf "$dir"`

// start starts the server of this process, which is fast and keeps nothing
// through a crash.
func start() (s *cluster, err error) {
	started, err = startWith("fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=300", "shared_buffers=64MB")
	return started, err
}

// Server is a private PostgreSQL server as an operator has one: what it commits
// is on disk.
type Server struct{ c *cluster }

// StartServer starts one; Stop ends it and removes its files.
func StartServer() (*Server, error) {
	c, err := startWith("max_connections=100", "shared_buffers=128MB")
	if err != nil {
		c.stop()
		return nil, err
	}
	return &Server{c}, nil
}

// NewDatabase makes an empty database and returns its URL.
func (s *Server) NewDatabase() (url string, err error) {
	name, err := s.c.newDatabase()
	return s.c.url(name), err
}

// Stop ends the server.
func (s *Server) Stop() { s.c.stop() }

func startWith(settings ...string) (*cluster, error) {
	initdb, err := tool("initdb")
	if err != nil {
		return nil, err
	}
	postgres, err := tool("postgres")
	if err != nil {
		return nil, err
	}
	who, err := account()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "storetest")
	if err != nil {
		return nil, err
	}
	if who != nil {
		if err := os.Chown(dir, int(who.Credential.Uid), int(who.Credential.Gid)); err != nil {
			return nil, err
		}
	}
	data := filepath.Join(dir, "data")
	run := exec.Command(initdb, "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync")
	run.SysProcAttr, run.Dir = who, dir
	if out, err := run.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	s := &cluster{dir: dir}
	args := []string{"-c", watch, "sh", dir, postgres, "-D", data, "-k", dir, "-c", "listen_addresses="}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	s.sh = exec.Command("sh", args...)
	s.sh.SysProcAttr, s.sh.Dir = who, dir
	if s.stdin, err = s.sh.StdinPipe(); err != nil {
		return nil, err
	}
	if err := s.sh.Start(); err != nil {
		return nil, err
	}
	if s.admin, err = sql.Open("pgx", s.url("postgres")); err != nil {
		return s, err
	}
	s.admin.SetMaxOpenConns(1)
	return s, s.await()
}

// await waits until the server answers.
func (s *cluster) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		err := s.admin.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return fmt.Errorf("%w: %s", err, log)
		}
	}
}

// tool finds a PostgreSQL program in PATH, or where Debian keeps them.
func tool(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) == 0 {
		return "", fmt.Errorf("%s: %w", name, exec.ErrNotFound)
	}
	return slices.Max(found), nil
}

// account returns whom to run the server as: it refuses to run as root.
func account() (*syscall.SysProcAttr, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(err, err2); err != nil {
		return nil, err
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
}

func (s *cluster) url(database string) string {
	q := url.Values{"host": {s.dir}, "user": {"postgres"}, "sslmode": {"disable"}}
	return "postgres:///" + database + "?" + q.Encode()
}

func (s *cluster) newDatabase() (name string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made++
	name = fmt.Sprintf("test%d", s.made)
	_, err = s.admin.Exec(`CREATE DATABASE ` + name)
	return name, err
}

// stopPostgres ends the server of this process.
func stopPostgres() { started.stop() }

// stop ends a server, if it was started, and removes its files.
func (s *cluster) stop() {
	if s == nil {
		return
	}
	if s.admin != nil {
		s.admin.Close()
	}
	s.stdin.Close()
	_ = s.sh.Wait() // its status is that of a server told to quit
}
