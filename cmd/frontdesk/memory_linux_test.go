package main

import (
	"os"
	"slices"
	"strings"
	"testing"
)

func TestUntouched(t *testing.T) {
	t.Parallel()
	const tail = "Size: 4 kB\nShared_Dirty: %s kB\nPrivate_Dirty: 0 kB\nAnonymous: %a kB\nSwap: 0 kB\nVmFlags: rd ex mr mw me\n"
	mapped := func(head, dirty, anonymous string) string {
		return head + "\n" + strings.NewReplacer("%s", dirty, "%a", anonymous).Replace(tail)
	}
	smaps := mapped("00400000-0139d000 r-xp 00000000 fe:00 99 /usr/bin/frontdesk", "0", "0") +
		mapped("0139d000-0258f000 r--p 00f9d000 fe:00 99 /usr/bin/frontdesk", "0", "4") + // relocated
		mapped("0258f000-027ce000 rw-p 0218f000 fe:00 99 /usr/bin/frontdesk", "0", "0") +
		mapped("027ce000-027cf000 r--p 0218f000 fe:00 99 /usr/bin/frontdesk", "8", "0") + // written to the disk just now
		mapped("027cf000-027d0000 r--p 00000000 fe:00 98 /usr/bin/frontdesk.old", "0", "0") +
		mapped("7ff5553f0000-7ff5555f0000 r--p 00000000 00:00 0", "0", "0") +
		mapped("7ff5555f0000-7ff5555f1000 r--p 00f9d000 fe:00 99 /usr/bin/frontdesk", "0", "0")
	want := []mapping{{0x400000, 0x139d000}, {0x27ce000, 0x27cf000}, {0x7ff5555f0000, 0x7ff5555f1000}}
	if got := untouched(strings.NewReader(smaps), "/usr/bin/frontdesk"); !slices.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
	// The kernel's own words: this program's code is among them, and running on
	// after it was taken away is the rest of the test.
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	if got := untouched(f, program); len(got) == 0 {
		t.Error("nothing of the program is mapped and untouched")
	}
	unmapProgram()
}
