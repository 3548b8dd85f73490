//go:build !linux

package testmail

import (
	"errors"
	"os"
	"syscall"
)

// The rig runs on Linux; elsewhere its tests are skipped for want of programs.

func ownGroup(string) *syscall.SysProcAttr { return nil }
func onTerminal() *syscall.SysProcAttr     { return nil }
func killGroup(p *os.Process)              { _ = p.Kill() }

func openTerminal() (ours, theirs *os.File, err error) {
	return nil, nil, errors.New("open terminal: on Linux only")
}
