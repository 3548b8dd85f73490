//go:build !unix

package storetest

import "testing"

// Replicated is started on unix only.
type Replicated struct{}

// StartReplicated skips.
func StartReplicated(t testing.TB) *Replicated {
	t.Skip("SKIP real-server: not built for this system")
	return nil
}

// URL is not called.
func (*Replicated) URL() string { return "" }

// Start is not called.
func (*Replicated) Start(int) {}

// Stop is not called.
func (*Replicated) Stop(int) {}

// Promote is not called.
func (*Replicated) Promote() {}

// Log is not called.
func (*Replicated) Log(int) string { return "" }
