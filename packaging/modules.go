package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
)

// module is one that is linked into the program, with its licence.
type module struct {
	path, version string
	sum           string // "h1:…" of go.sum; "" for the standard library
	licence       string // SPDX identifier, "" unknown
	holders       []string
	text          string // of the licence, without the lines that name its holders
	notice        string // of an Apache NOTICE file
}

// modules returns what is linked into a program: the modules that it names
// itself, and the standard library. In order of path.
func modules(ctx context.Context, root string, info *debug.BuildInfo) ([]module, error) {
	folders, err := moduleFolders(ctx, root)
	if err != nil {
		return nil, err
	}
	goroot, err := output(ctx, "go", "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	std, err := licensed(module{path: "std", version: strings.TrimPrefix(info.GoVersion, "go")}, strings.TrimSpace(string(goroot)))
	if err != nil {
		return nil, err
	}
	out := []module{std}
	for _, dep := range info.Deps {
		if dep.Replace != nil {
			dep = dep.Replace
		}
		folder, ok := folders[dep.Path]
		if !ok {
			return nil, fmt.Errorf("module %s: no folder: go mod download", dep.Path)
		}
		m, err := licensed(module{path: dep.Path, version: dep.Version, sum: dep.Sum}, folder)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b module) int { return strings.Compare(a.path, b.path) })
	return out, nil
}

// moduleFolders says where the sources of each module lie.
func moduleFolders(ctx context.Context, root string) (map[string]string, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-m", "-json", "all")
	cmd.Dir, cmd.Stderr = root, os.Stderr
	list, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list the modules: %w", err)
	}
	out := map[string]string{}
	for d := json.NewDecoder(bytes.NewReader(list)); ; {
		var m struct{ Path, Dir string }
		if err := d.Decode(&m); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, err
		}
		if m.Dir != "" {
			out[m.Path] = m.Dir
		}
	}
}

// licensed reads the licence in a module's folder.
func licensed(m module, folder string) (module, error) {
	file, text, err := firstOf(folder, "LICENSE*", "LICENCE*", "License*", "license*", "COPYING*", "LICENSE-*")
	if err != nil {
		return m, err
	}
	if file == "" && m.path != "std" {
		return m, fmt.Errorf("module %s: no licence in %s", m.path, folder)
	}
	m.licence = spdx(text)
	m.holders, m.text = apart(text)
	if m.path == "std" { // what Debian installs of Go has no LICENSE beside it
		m.licence = "BSD-3-Clause"
		return m, nil
	}
	_, m.notice, err = firstOf(folder, "NOTICE*")
	return m, err
}

// firstOf returns the first file in folder that meets one of the patterns.
func firstOf(folder string, patterns ...string) (name, text string, err error) {
	for _, p := range patterns {
		found, err := filepath.Glob(filepath.Join(folder, p))
		if err != nil {
			return "", "", err
		}
		for _, f := range found {
			if info, err := os.Stat(f); err != nil || !info.Mode().IsRegular() || strings.HasSuffix(f, ".go") {
				continue
			}
			raw, err := os.ReadFile(f)
			return f, string(raw), err
		}
	}
	return "", "", nil
}

// telling are sentences that stand in one licence only, in order of trial.
var telling = []struct{ says, id string }{
	{"Apache License", "Apache-2.0"},
	{"Mozilla Public License", "MPL-2.0"},
	{"Permission is hereby granted, free of charge", "MIT"},
	{"Neither the name", "BSD-3-Clause"},
	{"names of its contributors may be used to endorse", "BSD-3-Clause"},
	{"Redistribution and use in source and binary forms", "BSD-2-Clause"},
	{"Permission to use, copy, modify, and/or distribute", "ISC"},
	{"Permission to use, copy, modify, and distribute", "ISC"},
	{"SIL OPEN FONT LICENSE", "OFL-1.1"},
	{"The FreeType Project LICENSE", "FTL"},
	{"FreeType License", "FTL"},
	{"Creative Commons Attribution 4.0", "CC-BY-4.0"},
	{"This is free and unencumbered software", "Unlicense"},
}

// spdx names a licence by its text, "" when it is none of those we know.
func spdx(text string) string {
	flat := strings.Join(strings.Fields(text), " ")
	for _, t := range telling {
		if strings.Contains(flat, t.says) {
			return t.id
		}
	}
	return ""
}

// holder is a line that says whose copyright it is; "Copyright [yyyy] [name]"
// is Apache's advice, not a holder.
var holder = regexp.MustCompile(`^[\s*#/;]*(?:Copyright|©|\(c\))\s*(.*[0-9A-Za-z].*)$`)

// apart takes the lines that name holders out of a licence.
func apart(text string) (holders []string, rest string) {
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \t\r\n")
		m := holder.FindStringSubmatch(line)
		switch {
		case m == nil || len(line) > 160 || strings.Contains(line, "[yyyy]") || strings.Contains(line, "copyright owner") || strings.HasPrefix(m[1], "notice"):
			lines = append(lines, line)
		default:
			holders = append(holders, m[1])
		}
	}
	return holders, strings.Trim(strings.Join(lines, "\n"), "\n")
}
