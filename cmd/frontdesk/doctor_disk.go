//go:build linux || darwin || freebsd

package main

import "golang.org/x/sys/unix"

// volumeOf tells how large the disk of dir is, and how much of it is free for
// everybody.
func volumeOf(dir string) (free, size uint64, known bool) {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return 0, 0, false
	}
	return uint64(fs.Bavail) * uint64(fs.Bsize), uint64(fs.Blocks) * uint64(fs.Bsize), true // #nosec G115 -- no file system has a negative size
}

// diskOf tells how many bytes are free on the disk of dir for everybody, and
// whether nearly all file entries are taken.
func diskOf(dir string) (free uint64, crowded, known bool, err error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return 0, false, false, err
	}
	free = uint64(fs.Bavail) * uint64(fs.Bsize) // #nosec G115 -- as above
	return free, fs.Files > 0 && uint64(fs.Ffree)*100 < uint64(fs.Files), true, nil
}
