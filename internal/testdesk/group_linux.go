package testdesk

import "syscall"

// ownGroup lets Kill end the daemon with what it is wrapped in, and the kernel
// when the test process dies before it could: at its time limit it ends without
// cleaning up.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
