//go:build unix

package intake

import (
	"os/exec"
	"syscall"
)

// killGroup has the end of the context end all that the program started: a shell
// script is not what keeps the processor busy.
func killGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
