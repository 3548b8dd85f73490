package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestClockIsSetForTestsOnly(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "clock")
	set := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := map[string]string{"FRONTDESK_TEST_CLOCK": file}
	set("2031-02-03T04:05:06Z\n")
	if got := clock(func(k string) string { return env[k] })(); got.Year() == 2031 {
		t.Error("the test clock was honoured outside of a test")
	}
	env["FRONTDESK_TESTING"] = "1"
	read := clock(func(k string) string { return env[k] })
	if got, want := read(), time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC); !got.Equal(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	set("2031-02-10T04:05:06+01:00")
	if got, want := read(), time.Date(2031, 2, 10, 3, 5, 6, 0, time.UTC); !got.Equal(want) {
		t.Errorf("after a step: got %v, want %v", got, want)
	}
	set("half a lin")
	if got := read(); got.Year() != 2031 || got.Day() != 10 {
		t.Errorf("a file half written moved the clock to %v", got)
	}
}
