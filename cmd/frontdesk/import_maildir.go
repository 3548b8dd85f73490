package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// This file reads Maildirs, their subfolders, and plain folders of mails, one
// mail in each file.

// dirFile is one mail of a folder.
type dirFile struct {
	path string
	at   int64 // received, unix seconds
	sent bool
}

// maildirFiles tells each mail below a folder. Of a Maildir (a folder with cur
// or new) the mails of cur and new are taken, those of tmp never: they are not
// whole. What was deleted (flag T) is left out.
func maildirFiles(dir string, each func(dirFile) error, wrong func(path string, format string, args ...any)) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is no folder\nhint: frontdesk import mbox", dir)
	}
	found, last := 0, int64(0)
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			wrong(path, "%v", err)
			return nil
		}
		if e.IsDir() {
			if e.Name() == "tmp" && isMaildir(filepath.Dir(path)) {
				return filepath.SkipDir
			}
			return nil
		}
		if !isMail(path, e) {
			return nil
		}
		found++
		head, err := readHead(path)
		if err != nil {
			wrong(path, "%v", err)
			return nil
		}
		at, odd := receivedAt(head, fileTime(path, e), last)
		if odd != "" {
			wrong(path, "%s", odd)
		}
		last = at.Unix()
		return each(dirFile{path: path, at: last, sent: isSentFolder(folderOf(path))})
	})
	if err == nil && found == 0 {
		err = fmt.Errorf("there is no mail in %s", dir)
	}
	return err
}

func isMaildir(dir string) bool {
	return slices.ContainsFunc([]string{"cur", "new"}, func(sub string) bool {
		info, err := os.Stat(filepath.Join(dir, sub))
		return err == nil && info.IsDir()
	})
}

// isMail reports whether a file is a mail, not a server's own (dovecot.index,
// maildirsize, courierimapuiddb).
func isMail(path string, e fs.DirEntry) bool {
	dir, name := filepath.Base(filepath.Dir(path)), e.Name()
	switch {
	case !e.Type().IsRegular() || strings.HasPrefix(name, "."):
		return false
	case dir == "cur" || dir == "new":
		_, flags, _ := strings.Cut(name, ":2,")
		return !strings.Contains(flags, "T")
	case isMaildir(filepath.Dir(path)):
		return false
	}
	for _, own := range []string{"dovecot", "maildir", "courier", "subscriptions", "cyrus."} {
		if strings.HasPrefix(name, own) {
			return false
		}
	}
	return true
}

// folderOf is the name of the mail folder that a file lies in.
func folderOf(path string) string {
	dir := filepath.Dir(path)
	if base := filepath.Base(dir); base == "cur" || base == "new" {
		dir = filepath.Dir(dir)
	}
	return filepath.Base(dir)
}

// fileTime is when the file was delivered: the seconds at the beginning of a
// Maildir's file name, else when it was written.
func fileTime(path string, e fs.DirEntry) time.Time {
	if at := secondsIn(e.Name()); !at.IsZero() {
		return at
	}
	if info, err := e.Info(); err == nil {
		return info.ModTime()
	}
	return time.Time{}
}

// secondsIn reads the seconds at the beginning of a Maildir's file name; zero
// when there are none.
func secondsIn(name string) time.Time {
	digits, _, ok := strings.Cut(name, ".")
	if n, err := strconv.ParseInt(digits, 10, 64); ok && err == nil && n > 400_000_000 {
		return time.Unix(n, 0)
	}
	return time.Time{}
}

func readHead(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 32<<10))
	if err != nil {
		return nil, err
	}
	for _, end := range []string{"\n\n", "\n\r\n"} {
		if i := strings.Index(string(data), end); i >= 0 {
			data = data[:i+1]
		}
	}
	return data, nil
}
