//go:build !linux

package testdesk

import "syscall"

// ownGroup lets Kill end the daemon with what it is wrapped in.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
