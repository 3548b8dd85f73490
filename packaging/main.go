// Command packaging makes the packages that operators install: it builds the
// program for each architecture, writes what belongs beside it (manual pages,
// completion, licences, bill of materials) into a folder, and has nfpm wrap the
// folder as deb and rpm. make packages runs it; it is no part of the program.
//
// The same checkout gives the same bytes: no path, no clock and no order of a
// map gets in. The time of all files is that of the commit.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// nfpm is run from its sources, at one version.
const nfpm = "github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.0"

func main() {
	version := flag.String("version", "", "version of the program, as git describe says it")
	arches := flag.String("arch", runtime.GOARCH, "architectures, as Go names them: amd64,arm64")
	formats := flag.String("format", "deb,rpm", "what to make: deb,rpm")
	out := flag.String("out", "dist", "folder for the packages")
	flag.Parse()
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	job := job{version: *version, arches: strings.Split(*arches, ","), formats: strings.Split(*formats, ","), out: *out}
	if err := job.run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "packaging:", err)
		os.Exit(1)
	}
}

// job is what was asked for.
type job struct {
	version string
	arches  []string
	formats []string
	out     string

	root  string    // of the project
	stamp time.Time // of every file in the packages
}

func (j *job) run(ctx context.Context) (err error) {
	if j.root, err = projectRoot(ctx); err != nil {
		return err
	}
	j.stamp = stampOf(ctx, j.root)
	if j.out, err = filepath.Abs(j.out); err != nil {
		return err
	}
	host := filepath.Join(j.out, "stage", "frontdesk") // makes the manual pages, whatever is packaged
	if err := j.build(ctx, runtime.GOARCH, host); err != nil {
		return err
	}
	tool := filepath.Join(j.out, "stage", "nfpm")
	if err := j.tool(ctx, tool); err != nil {
		return err
	}
	for _, arch := range j.arches {
		dir := filepath.Join(j.out, "stage", arch)
		if err := j.stage(ctx, arch, host, dir); err != nil {
			return fmt.Errorf("%s: %w", arch, err)
		}
		for _, format := range j.formats {
			if err := j.wrap(ctx, tool, arch, format, dir); err != nil {
				return fmt.Errorf("%s for %s: %w", format, arch, err)
			}
		}
	}
	return nil
}

// projectRoot is the folder of go.mod.
func projectRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	file := strings.TrimSpace(string(out))
	if err != nil || filepath.Base(file) != "go.mod" {
		return "", errors.Join(errors.New("run it inside the project"), err)
	}
	return filepath.Dir(file), nil
}

// stampOf is the time of the commit; SOURCE_DATE_EPOCH says otherwise.
func stampOf(ctx context.Context, root string) time.Time {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		out, _ := exec.CommandContext(ctx, "git", "-C", root, "log", "-1", "--format=%ct").Output()
		text = strings.TrimSpace(string(out))
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(n, 0).UTC()
	}
	return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) // outside a checkout
}

// build builds the program, by the command that make build uses.
func (j *job) build(ctx context.Context, arch, file string) error {
	args := []string{"build", "-trimpath", "-ldflags", "-s -w -X main.version=" + j.version, "-o", file, "./cmd/frontdesk"}
	return j.do(ctx, "go", args, "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
}

// tool builds nfpm for this machine. Its own go.mod decides on its modules, not
// that of the project.
func (j *job) tool(ctx context.Context, file string) error {
	if _, err := os.Stat(file); err == nil {
		return nil
	}
	err := j.do(ctx, "go", []string{"install", nfpm}, "GOBIN="+filepath.Dir(file), "CGO_ENABLED=0", "GOFLAGS=")
	if err != nil {
		return fmt.Errorf("build nfpm: %w", err)
	}
	return nil
}

// wrap makes one package of a staged folder.
func (j *job) wrap(ctx context.Context, tool, arch, format, dir string) error {
	cmd := exec.CommandContext(ctx, tool, "package", "--config", "nfpm.yaml", "--packager", format, "--target", j.out)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(),
		"VERSION="+packageVersion(j.version, j.stamp), "ARCH="+arch,
		"SOURCE_DATE_EPOCH="+strconv.FormatInt(j.stamp.Unix(), 10))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

// do runs a command in the project's folder; what it says is shown.
func (j *job) do(ctx context.Context, name string, args []string, env ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = j.root, append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd.Run()
}
