package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"frontdesk/store/storetest"
)

// TestMain lets the test binary be the command frontdesk, so that scripts run
// the real thing in a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(stopping{m}, map[string]func(){
		"frontdesk": func() {
			os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
		},
		"follow": follow,
		"visit":  visit,
	})
}

// stopping ends what storetest started behind the tests.
type stopping struct{ m *testing.M }

func (s stopping) Run() int { return storetest.Run(s.m) }

// TestScripts runs testdata/script: one file per behaviour, read like a session.
// UPDATE_SCRIPTS=1 go test -run TestScripts/NAME writes what the commands print now
// into the files that cmp compares with.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "provider": tokenProvider},
	})
}

// exits is "exits CODE COMMAND ARG…": like exec, for scripts to which the exit
// code matters. stdout and stderr look at what it printed.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARG…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v: %v", args[1:], err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%v: exit code %d, want %d", args[1:], got, want)
	}
}
