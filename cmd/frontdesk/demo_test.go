package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestDemoTellsTheWholeStory plays the demo as a newcomer does.
func TestDemoTellsTheWholeStory(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := demo(t.Context(), &out, true); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{"[Baleyo #1] Printer is offline", "did you mean #close", "replaced the drum", "Ticket #1 is closed", "[Zephyr #2]", "voicemail-", "open the left flap", "There was a paper clip", "0 undecided"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the story does not tell %q:\n%s", want, out.String())
		}
	}
}
