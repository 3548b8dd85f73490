package main

import (
	"os"
	"path/filepath"
	"sync/atomic"
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

// A clock that is wrong follows the database's; one that is nearly right is left
// alone, so that it does not tremble with each answer.
func TestClockFollowsTheDatabase(t *testing.T) {
	t.Parallel()
	env := map[string]string{"FRONTDESK_TESTING": "1", "FRONTDESK_TEST_SKEW": "5m"}
	wrong := clock(func(k string) string { return env[k] })
	if off := time.Until(wrong()); off < 4*time.Minute || off > 6*time.Minute {
		t.Fatalf("the clock is off by %s", off)
	}
	var by atomic.Int64
	read := corrected(wrong, &by)
	for i, step := range []struct {
		by   time.Duration
		step bool
		want time.Duration
	}{
		{300 * time.Millisecond, false, 0},
		{-5 * time.Minute, true, -5 * time.Minute},
		{-5*time.Minute - 20*time.Millisecond, false, -5 * time.Minute},
		{-5*time.Minute - 2*time.Second, true, -5*time.Minute - 2*time.Second},
		{900 * time.Millisecond, true, 0}, // somebody set it right
		{-5 * time.Minute, true, -5 * time.Minute},
	} {
		if got := correct(&by, step.by); got != step.step || time.Duration(by.Load()) != step.want {
			t.Errorf("step %d: %v to %s, want %v to %s", i, got, time.Duration(by.Load()), step.step, step.want)
		}
	}
	if off := time.Until(read()); off.Abs() > time.Minute {
		t.Errorf("corrected, it is off by %s", off)
	}
}
