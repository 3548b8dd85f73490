package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// unmapProgram takes the program's own code and constants out of the resident
// memory; what is needed again comes back from the page cache, page by page,
// within microseconds. The kernel maps 64 KB or more around each page that is
// touched, so that after the start two thirds of the program counted as
// resident: parsing of the configuration, migrations, templates, the tables of
// all time zones, of which an idle desk needs nothing.
func unmapProgram() {
	program, err := os.Executable()
	if err != nil {
		return
	}
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer f.Close()
	for _, m := range untouched(f, program) {
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, m.from, m.to-m.from, unix.MADV_DONTNEED)
	}
}

// mapping is a stretch of the address space.
type mapping struct{ from, to uintptr }

// untouched reads smaps (proc_pid_smaps(5)) and returns where the file is mapped
// read-only without a page that differs from it: relocations and the breakpoints of a
// debugger are pages of the process's own, and would be lost.
func untouched(smaps io.Reader, file string) (list []mapping) {
	var m mapping
	ours := false
	for s := bufio.NewScanner(smaps); s.Scan(); {
		line := s.Text()
		var from, to uintptr
		var mode string
		if n, _ := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); n == 3 && strings.Contains(line[:strings.IndexByte(line, ' ')], "-") {
			_, path, _ := strings.Cut(line, "/")
			m, ours = mapping{from, to}, (mode == "r-xp" || mode == "r--p") && "/"+path == file
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		switch {
		case !ours:
		case name == "Anonymous", name == "Swap": // dirty alone says that the file was written of late
			ours = strings.TrimSpace(value) == "0 kB"
		case name == "VmFlags": // the last line of a mapping
			list, ours = append(list, m), false
		}
	}
	return list
}
