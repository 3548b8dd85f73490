package main

import (
	"testing"

	"frontdesk/internal/testdesk"
	"frontdesk/internal/testmail"
)

// realDesk is the daemon as an operator runs it: the binary, a configuration
// file, a process of its own.
type realDesk struct{ *testdesk.Desk }

// newRealDesk writes the configuration and the files it names; it starts
// nothing.
func newRealDesk(t *testing.T, config string, r *testmail.Rig) *realDesk {
	t.Helper()
	return newDeskProcess(t, map[string]string{
		"frontdesk.yaml": config,
		"secret":         "a secret of tests, forty characters long",
		"support.pw":     r.Password("support@baleyo.test"),
		"hilfe.pw":       r.Password("hilfe@sahara.test"),
	})
}

// newDeskProcess is newRealDesk for any files, among them frontdesk.yaml.
func newDeskProcess(t *testing.T, files map[string]string) *realDesk {
	t.Helper()
	return &realDesk{testdesk.New(t, files)}
}

// commandsFor runs commands of the same desk in a subtest: what fails, fails
// that.
func (d *realDesk) commandsFor(t *testing.T) *realDesk { return &realDesk{d.For(t)} }

func (d *realDesk) log(n int) string                     { return d.Log(n) }
func (d *realDesk) mustStart()                           { d.MustStart() }
func (d *realDesk) stop() error                          { return d.Stop() }
func (d *realDesk) kill()                                { d.Kill() }
func (d *realDesk) run(args ...string) (string, error)   { return d.Run(args...) }
func (d *realDesk) json(args ...string) []map[string]any { return d.JSON(args...) }
