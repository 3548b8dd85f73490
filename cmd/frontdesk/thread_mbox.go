package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// mails hands out mails one after the other, and stops at the first error.
type mails func(each func(name string, raw []byte) error) error

// mailsOf reads mails of a folder, in order of the file names (hidden files and
// folders left out), or of an mbox file, where they are named 1, 2, ….
func mailsOf(path string) (mails, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return func(f func(string, []byte) error) error { return eachFile(path, f) }, nil
	}
	return func(f func(string, []byte) error) error { return eachOfMbox(path, f) }, nil
}

func eachFile(dir string, f func(name string, raw []byte) error) error {
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || !e.Type().IsRegular() {
			continue
		}
		raw, err := readMail(nil, filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		if err := f(e.Name(), raw); err != nil {
			return fmt.Errorf("%s: %w", e.Name(), err)
		}
	}
	return nil
}

// separator is the line before each mail of an mbox file. The time of day in it
// tells it from a sentence that begins with "From".
var separator = regexp.MustCompile(`^From .*\d\d:\d\d`)

// eachOfMbox splits an mbox file (RFC 4155, appendix A): a mail begins with a
// separator after an empty line; ">From " in a body loses one ">" (mboxrd).
func eachOfMbox(path string, f func(name string, raw []byte) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	in := bufio.NewReaderSize(file, 1<<16)
	var mail bytes.Buffer
	n, begun, empty := 0, false, true
	end := func() error {
		if !begun {
			return nil
		}
		n++
		err := f(fmt.Sprint(n), bytes.Clone(mail.Bytes()))
		mail.Reset()
		return err
	}
	for {
		line, err := in.ReadBytes('\n')
		switch {
		case empty && separator.Match(line):
			if err := end(); err != nil {
				return err
			}
			begun = true
		case begun && mail.Len() < maxMail:
			mail.Write(unquoted(line))
		}
		empty = len(bytes.TrimRight(line, "\r\n")) == 0
		if errors.Is(err, io.EOF) {
			if n == 0 && !begun {
				return fmt.Errorf("%s is no mbox file: no line begins with \"From \"", path)
			}
			return end()
		}
		if err != nil {
			return err
		}
	}
}

// unquoted takes one ">" off a quoted From line.
func unquoted(line []byte) []byte {
	if rest := bytes.TrimLeft(line, ">"); len(rest) < len(line) && bytes.HasPrefix(rest, []byte("From ")) {
		return line[1:]
	}
	return line
}
