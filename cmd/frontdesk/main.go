// Command frontdesk is a support desk without a web screen for agents:
// customers mail, call and text; agents answer from their mail client.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Exit codes of every command.
const (
	exitDone   = 0
	exitFailed = 1  // failed, or a finding
	exitUsage  = 2  // the command line is wrong
	exitRetry  = 75 // EX_TEMPFAIL: try again later
)

// exitError carries the exit code of a command that has said what it has to say.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run executes one command line and returns its exit code. It is main without
// the process, so that tests can call it.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := rootCommand()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	var coded *exitError
	if errors.As(err, &coded) {
		if coded.err != nil {
			fmt.Fprintln(stderr, "frontdesk:", coded.err)
		}
		return coded.code
	}
	fmt.Fprintln(stderr, "frontdesk:", err)
	fmt.Fprintln(stderr, "hint: frontdesk help")
	return exitUsage
}

// failed marks err as the failure of a command that was called correctly.
func failed(err error) error {
	if err == nil {
		return nil
	}
	var coded *exitError
	if errors.As(err, &coded) {
		return err
	}
	return &exitError{exitFailed, err}
}
