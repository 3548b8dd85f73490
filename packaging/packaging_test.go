package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func TestPackageVersion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ described, want string }{
		{"v1.2.3", "1.2.3"},
		{"1.2.3", "1.2.3"},
		{"v1.2.3-dirty", "1.2.3+dirty"},
		{"v1.2.3-rc1", "1.2.3~rc1"},
		{"v1.2.3-14-gabcdef0", "1.2.3+14.gabcdef0"},
		{"v1.2.3-rc1-14-gabcdef0-dirty", "1.2.3~rc1+14.gabcdef0+dirty"},
		{"abcdef0", "0.0.0~git20261121120000.abcdef0"},
		{"abcdef0-dirty", "0.0.0~git20261121120000.abcdef0+dirty"},
		{"devel", "0.0.0~git20261121120000"},
		{"", "0.0.0~git20261121120000"},
		{"$(reboot)", "0.0.0~git20261121120000"},
	} {
		if got := packageVersion(c.described, noon); got != c.want {
			t.Errorf("%q: got %q, want %q", c.described, got, c.want)
		}
	}
}

// TestVersionsSort asks dpkg: what comes later is newer.
func TestVersionsSort(t *testing.T) {
	t.Parallel()
	needs(t, "dpkg", "dpkg")
	order := []string{
		packageVersion("fffffff", noon), packageVersion("0000000", noon.Add(time.Minute)),
		packageVersion("v1.0.0-rc1", noon), packageVersion("v1.0.0", noon), packageVersion("v1.0.0-3-gabcdef0", noon), packageVersion("v1.0.1", noon),
	}
	for i := range order[1:] {
		if err := exec.CommandContext(t.Context(), "dpkg", "--compare-versions", order[i], "lt", order[i+1]).Run(); err != nil {
			t.Errorf("dpkg: %s is not before %s", order[i], order[i+1])
		}
	}
}

func TestLicencesAreKnown(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{"MIT License\n\nCopyright (c) 2026 A\n\nPermission is hereby granted, free of\ncharge, to any person", "MIT"},
		{"Redistribution and use in source and binary forms… Neither the name of", "BSD-3-Clause"},
		{"Redistribution and use in source and binary forms, with or without", "BSD-2-Clause"},
		{"   Apache License\n Version 2.0", "Apache-2.0"},
		{"all mine", ""},
	} {
		if got := spdx(c.text); got != c.want {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
	holders, rest := apart("The MIT License\n\nCopyright (c) 2026 A B <a@b>\nCopyright 2020 C\n\nPermission… The above copyright notice shall\n   Copyright [yyyy] [name of copyright owner]\n")
	if got := strings.Join(holders, "|"); got != "(c) 2026 A B <a@b>|2020 C" {
		t.Errorf("holders: %s", got)
	}
	if strings.Contains(rest, "2020") || !strings.Contains(rest, "above copyright notice") || !strings.Contains(rest, "[yyyy]") {
		t.Errorf("rest: %s", rest)
	}
}

// program builds the desk as make build does, in a copy of the sources.
func program(t *testing.T, root, version string) []byte {
	t.Helper()
	file := filepath.Join(root, "frontdesk")
	cmd := exec.CommandContext(t.Context(), "make", "build", "VERSION="+version)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make build: %v\n%s", err, out)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// copied makes a copy of the sources in a folder of its own.
func copySources(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "sources")
	err = filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		switch {
		case entry.IsDir() && (entry.Name() == ".git" || name == "dist" || entry.Name() == "testdata"):
			return filepath.SkipDir
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		case !entry.Type().IsRegular() || name == "frontdesk" || strings.HasSuffix(name, "_test.go") || name == ".git":
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), text, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// TestBuildIsReproducible: two folders, the same bytes.
func TestBuildIsReproducible(t *testing.T) {
	t.Parallel()
	needs(t, "make", "make")
	one, two := program(t, copySources(t), "1.2.3"), program(t, copySources(t), "1.2.3")
	if !bytes.Equal(one, two) {
		t.Errorf("%d and %d bytes, and not the same", len(one), len(two))
	}
	if other := program(t, copySources(t), "1.2.4"); bytes.Equal(one, other) {
		t.Error("another version gives the same bytes: nothing was compared")
	}
	if bytes.Contains(one, []byte(t.TempDir()[:5]+"TestBuildIs")) {
		t.Error("the folder is in the program")
	}
	if bytes.Contains(one, []byte("/go/pkg/mod/")) {
		t.Error("the folder of the modules is in the program")
	}
}

// TestBillOfMaterials: it lists what the compiler says, and the licences list
// the same.
func TestBillOfMaterials(t *testing.T) {
	t.Parallel()
	j := job{version: "1.2.3", root: mustAbs(t, ".."), stamp: noon}
	file := filepath.Join(t.TempDir(), "frontdesk")
	if err := j.build(context.Background(), runtime.GOARCH, file); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := j.origins(t.Context(), file, dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "sbom.cdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	var b bom
	if err := json.Unmarshal(text, &b); err != nil {
		t.Fatal(err)
	}
	if b.Format != "CycloneDX" || b.Spec != "1.5" || b.Version != 1 || !regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(b.Serial) {
		t.Errorf("head: %s %s %d %s", b.Format, b.Spec, b.Version, b.Serial)
	}
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(b.Components), len(info.Deps)+1; got != want { // and the standard library
		t.Errorf("%d components, want %d", got, want)
	}
	rights, err := os.ReadFile(filepath.Join(dir, "copyright"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range b.Components {
		if c.Name == "" || c.Version == "" || c.PURL != "pkg:golang/"+c.Name+"@"+c.Version {
			t.Errorf("component %+v", c)
		}
		if len(c.Licenses) != 1 {
			t.Errorf("%s: its licence is not known", c.Name)
		} else if id := c.Licenses[0].License.ID; strings.Contains(id, "GPL") {
			t.Errorf("%s is under %s", c.Name, id)
		}
		if !strings.Contains(string(rights), "\nFiles: vendor/"+c.Name+"/*\n") {
			t.Errorf("copyright does not speak of %s", c.Name)
		}
	}
	again := t.TempDir()
	if err := j.origins(t.Context(), file, again); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"sbom.cdx.json", "copyright"} {
		a, _ := os.ReadFile(filepath.Join(dir, name))
		b, _ := os.ReadFile(filepath.Join(again, name))
		if !bytes.Equal(a, b) {
			t.Errorf("%s is another the second time", name)
		}
	}
}

func mustAbs(t *testing.T, name string) string {
	t.Helper()
	abs, err := filepath.Abs(name)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}
