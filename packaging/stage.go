package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// copied are files of the project as they stand: place in the stage → source.
var copied = map[string]string{
	"nfpm.yaml":            "packaging/nfpm.yaml",
	"frontdesk.yaml":       "packaging/frontdesk.yaml",
	"frontdesk.service":    "systemd/frontdesk.service",
	"backup.service":       "systemd/frontdesk-backup.service",
	"backup.timer":         "systemd/frontdesk-backup.timer",
	"frontdesk.sysusers":   "systemd/frontdesk.sysusers",
	"frontdesk.tmpfiles":   "systemd/frontdesk.tmpfiles",
	"sample.yaml":          "config/sample.yaml",
	"operate.md":           "docs/operate.md",
	"logging.md":           "docs/logging.md",
	"alerts.yaml":          "docs/prometheus-alerts.yaml",
	"dashboard.json":       "docs/grafana-dashboard.json",
	"README.md":            "README.md",
	"SECURITY.md":          "SECURITY.md",
	"lintian":              "packaging/deb/lintian-overrides",
	"scripts/deb.postinst": "packaging/deb/postinst",
	"scripts/deb.prerm":    "packaging/deb/prerm",
	"scripts/deb.postrm":   "packaging/deb/postrm",
	"scripts/rpm.post":     "packaging/rpm/post",
	"scripts/rpm.preun":    "packaging/rpm/preun",
	"scripts/rpm.postun":   "packaging/rpm/postun",
}

// stage writes everything that a package holds into dir. host is the program
// for this machine.
func (j *job) stage(ctx context.Context, arch, host, dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	program := filepath.Join(dir, "frontdesk")
	if err := j.build(ctx, arch, program); err != nil {
		return err
	}
	for to, from := range copied {
		text, err := os.ReadFile(filepath.Join(j.root, filepath.FromSlash(from)))
		if err != nil {
			return err
		}
		if err := write(filepath.Join(dir, filepath.FromSlash(to)), text); err != nil {
			return err
		}
	}
	if err := manuals(ctx, host, filepath.Join(dir, "man")); err != nil {
		return err
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		text, err := output(ctx, host, "completion", shell)
		if err != nil {
			return err
		}
		if err := write(filepath.Join(dir, "completion."+shell), text); err != nil {
			return err
		}
	}
	if err := j.changes(dir); err != nil {
		return err
	}
	return j.origins(ctx, program, dir)
}

// origins writes what the program is made of: the licences and the bill of
// materials.
func (j *job) origins(ctx context.Context, program, dir string) error {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	linked, err := modules(ctx, j.root, info)
	if err != nil {
		return err
	}
	if err := write(filepath.Join(dir, "copyright"), []byte(copyright(linked))); err != nil {
		return err
	}
	text, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	bill, err := billOfMaterials(packageVersion(j.version, j.stamp), text, info, linked, j.stamp)
	if err != nil {
		return err
	}
	return write(filepath.Join(dir, "sbom.cdx.json"), bill)
}

// manuals writes the manual pages, packed as the system's are.
func manuals(ctx context.Context, host, dir string) error {
	if _, err := output(ctx, host, "man", dir); err != nil {
		return err
	}
	pages, err := filepath.Glob(filepath.Join(dir, "*.1"))
	if err != nil {
		return err
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			return err
		}
		if err := write(page+".gz", packed(text)); err != nil {
			return err
		}
		if err := os.Remove(page); err != nil {
			return err
		}
	}
	return nil
}

// changes writes the change log of the project, and the short one that dpkg's
// tools read.
func (j *job) changes(dir string) error {
	text, err := os.ReadFile(filepath.Join(j.root, "CHANGELOG.md"))
	if err != nil {
		return err
	}
	entry := fmt.Sprintf("frontdesk (%s) unstable; urgency=medium\n\n  * What changed is in CHANGELOG.md.gz beside this file.\n\n -- %s  %s\n",
		packageVersion(j.version, j.stamp), maintainer, j.stamp.Format("Mon, 02 Jan 2006 15:04:05 -0700"))
	if err := write(filepath.Join(dir, "changelog.gz"), packed([]byte(entry))); err != nil {
		return err
	}
	return write(filepath.Join(dir, "CHANGELOG.md.gz"), packed(text))
}

// maintainer stands in the packages; nfpm.yaml has the same.
const maintainer = "frontdesk maintainers <maintainers@frontdesk.invalid>"

// output runs a command and returns what it printed.
func output(ctx context.Context, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var wrong bytes.Buffer
	cmd.Stderr = &wrong
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w: %s", filepath.Base(name), strings.Join(args, " "), err, wrong.String())
	}
	return out, nil
}

// packed is text as gzip -9n writes it: without name and time.
func packed(text []byte) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression) // the level is one
	_, _ = w.Write(text)                                    // a buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

func write(file string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o644)
}
