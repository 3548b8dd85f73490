//go:build !linux && !darwin && !freebsd

package main

// diskOf knows nothing of disks here.
func diskOf(string) (free uint64, crowded, known bool, err error) { return 0, false, false, nil }
