//go:build !unix

package storetest

import "testing"

// Postgres skips: the private server is started on unix only.
func Postgres(t testing.TB) string {
	t.Skip("SKIP real-server: not built for this system")
	return ""
}

func stopPostgres() {}
