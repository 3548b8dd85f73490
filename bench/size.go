package main

import "os"

// measureBinary is the size of what is installed.
func measureBinary(t *section) {
	info, err := os.Stat(t.b.bin)
	if err != nil {
		t.Fatalf("binary: %v", err)
	}
	t.add("size", "MB", []float64{float64(info.Size()) / (1 << 20)}).atMost(40, 0)
}
