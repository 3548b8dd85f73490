package testmail

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// process is a server that we started, in the foreground, in a process group of
// its own. Its output goes to a file: a daemon that inherited ours would keep
// "go test" waiting for ever.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it ended
	err  error         // then: how
}

func startProcess(logFile, program string, args ...string) (*process, error) {
	path, err := lookPath(program)
	if err != nil {
		return nil, err
	}
	out, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	p := &process{cmd: exec.Command(path, args...), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.Env = append(os.Environ(), "LC_ALL=C")
	p.cmd.SysProcAttr = ownGroup(program)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	go func() {
		defer close(p.done)
		p.err = p.cmd.Wait()
	}()
	return p, nil
}

// waitPort waits until something listens on the port, or the process ended.
func (p *process) waitPort(port int, limit time.Duration) error {
	for deadline := time.Now().Add(limit); ; pause() {
		c, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err == nil {
			return c.Close()
		}
		select {
		case <-p.done:
			return fmt.Errorf("it ended: %w", p.err)
		default:
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("port %d is not up after %s", port, limit)
		}
	}
}

// stop asks the process to end and, after limit, ends it and its children.
func (p *process) stop(limit time.Duration) error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	var err error
	select {
	case <-p.done:
	case <-time.After(limit):
		err = errors.New("did not end on SIGTERM")
	}
	killGroup(p.cmd.Process) // and helpers that still wait for their clients
	<-p.done
	return err
}
