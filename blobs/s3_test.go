package blobs_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"frontdesk/blobs"
)

// storage runs a real S3 server over a folder and returns how it is reached.
func storage(t *testing.T) blobs.S3Options {
	t.Helper()
	program, err := exec.LookPath("versitygw")
	if err != nil {
		const how = "SKIP real-server: versitygw not found (go install github.com/versity/versitygw/cmd/versitygw@v1.8.0)"
		if os.Getenv("REQUIRE_REAL") == "1" {
			t.Fatal(how)
		}
		t.Skip(how)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	dir := t.TempDir()
	for _, d := range []string{"root/desk", "meta"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(program, "--quiet", "--port", address, "--access", "desk", "--secret", "secretsecret", "posix", "--sidecar", filepath.Join(dir, "meta"), filepath.Join(dir, "root"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	tick, limit := time.NewTicker(20*time.Millisecond), time.After(20*time.Second)
	defer tick.Stop()
	for {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			break
		}
		select {
		case <-tick.C:
		case <-limit:
			t.Fatal("the S3 server does not listen")
		}
	}
	return blobs.S3Options{Endpoint: "http://" + address, Bucket: "desk", Prefix: "mails/", AccessKey: "desk", SecretKey: "secretsecret", PathStyle: true}
}

func TestS3(t *testing.T) {
	t.Parallel()
	opt := storage(t)
	s, err := blobs.OpenS3(opt)
	if err != nil {
		t.Fatal(err)
	}
	keeps(t, s)
	for what, change := range map[string]func(*blobs.S3Options){
		"no such bucket":   func(o *blobs.S3Options) { o.Bucket = "elsewhere" },
		"the wrong secret": func(o *blobs.S3Options) { o.SecretKey = "guessed" },
	} {
		o := opt
		change(&o)
		s, err := blobs.OpenS3(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "hint: ") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Storage that fails, breaks off or never answers is an error, soon, and never a
// blob.
func TestS3Fails(t *testing.T) {
	t.Parallel()
	for what, answer := range map[string]http.HandlerFunc{
		"500":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"reset": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"cut": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			w.Header().Set("Last-Modified", "Sat, 21 Nov 2026 12:00:00 GMT")
			w.Header().Set("ETag", `"x"`)
			fmt.Fprint(w, "half")
		},
		"slow": func(_ http.ResponseWriter, r *http.Request) { // for as long as somebody waits
			_, _ = io.Copy(io.Discard, r.Body) // a client that goes is noticed after its body
			<-r.Context().Done()
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewUnstartedServer(answer)
			server.Start()
			t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
			s, err := blobs.OpenS3(blobs.S3Options{Endpoint: server.URL, Bucket: "desk", AccessKey: "a", SecretKey: "b", PathStyle: true, Timeout: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Get(t.Context(), name(1)); err == nil {
				t.Error("get: no error")
			}
			if err := s.Put(t.Context(), name(1), []byte("x")); err == nil && what != "cut" {
				t.Error("put: no error")
			}
		})
	}
}
