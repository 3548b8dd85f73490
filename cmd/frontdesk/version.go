package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// version is set by the release build (-ldflags "-X main.version=1.2.3").
var version = ""

// buildInfo is what "version --json" prints.
type buildInfo struct {
	Version  string `json:"version"`
	Revision string `json:"revision"` // commit; "" when built outside a checkout
	Modified bool   `json:"modified"` // the checkout had changes
	Time     string `json:"time"`     // of the commit, RFC 3339
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version [--json]",
		Short: "which build this is",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			info := currentBuild()
			if asJSON {
				return failed(json.NewEncoder(cmd.OutOrStdout()).Encode(info))
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), info)
			return failed(err)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

func (b buildInfo) String() string {
	text := "frontdesk " + b.Version
	if b.Revision != "" {
		text += fmt.Sprintf(" (%.12s)", b.Revision)
	}
	return text + " " + b.Go + " " + b.Platform
}

// currentBuild reads what the compiler left in the binary.
func currentBuild() buildInfo {
	info := buildInfo{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	built, ok := debug.ReadBuildInfo()
	if !ok {
		return info
	}
	if info.Version == "" {
		info.Version = built.Main.Version
	}
	if info.Version == "" || info.Version == "(devel)" {
		info.Version = "devel"
	}
	for _, s := range built.Settings {
		switch s.Key {
		case "vcs.revision":
			info.Revision = s.Value
		case "vcs.time":
			info.Time = s.Value
		case "vcs.modified":
			info.Modified = s.Value == "true"
		}
	}
	return info
}

// manDate is the date of man pages made by a build that knows no commit: the
// same sources give the same pages.
var manDate = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func manCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "man DIR",
		Short:   "write the manual pages",
		Long:    "Man writes one manual page (section 1) for each command into DIR.",
		Example: "  frontdesk man /usr/local/share/man/man1",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return failed(writeManuals(cmd.Root(), args[0]))
		},
	}
}

func writeManuals(root *cobra.Command, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { // #nosec G301 -- manual pages are for everybody
		return err
	}
	info, date := currentBuild(), manDate
	if t, err := time.Parse(time.RFC3339, info.Time); err == nil {
		date = t
	}
	root.DisableAutoGenTag = true
	header := &doc.GenManHeader{Title: "FRONTDESK", Section: "1", Date: &date, Source: "frontdesk " + info.Version}
	if err := doc.GenManTree(root, header, filepath.Clean(dir)); err != nil {
		return fmt.Errorf("manual pages: %w", err)
	}
	return nil
}
