//go:build !unix

package storetest

import (
	"errors"
	"testing"
)

// Postgres skips: the private server is started on unix only.
func Postgres(t testing.TB) string {
	t.Skip("SKIP real-server: not built for this system")
	return ""
}

func stopPostgres() {}

// Server is started on unix only.
type Server struct{}

// StartServer says so.
func StartServer() (*Server, error) { return nil, errors.New("not built for this system") }

// NewDatabase is not called.
func (*Server) NewDatabase() (string, error) { return "", nil }

// Stop is not called.
func (*Server) Stop() {}
