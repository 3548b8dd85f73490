package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"frontdesk/config"
)

func initCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "init DIR",
		Short: "a commented starting configuration",
		Long: `Init writes into DIR a configuration in which every key is explained, a fresh
secret, an empty place for the mailbox password, and the data folder. It
overwrites nothing: when one of the files is there already, nothing is written.`,
		Example: "  frontdesk init /etc/frontdesk",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := args[0]
			if err := initFolder(dir); err != nil {
				return failed(err)
			}
			file := filepath.Join(dir, "frontdesk.yaml")
			_, err := fmt.Fprintf(cmd.OutOrStdout(), `made %s
next: edit it (brand, mailbox, agents), write the mailbox password into %s, then
      frontdesk check --connect --config %s
`, file, filepath.Join(dir, "mail.password"), file)
			return failed(err)
		},
	}
}

// startFile is one file of a fresh configuration.
type startFile struct {
	name string
	text []byte
	mode fs.FileMode
}

// initFolder writes the starting configuration into dir, all of it or nothing.
func initFolder(dir string) error {
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return fmt.Errorf("make a secret: %w", err)
	}
	files := []startFile{
		{"secret", []byte(hex.EncodeToString(secret) + "\n"), 0o600},
		{"mail.password", []byte("change-me\n"), 0o600},
		{"frontdesk.yaml", config.Sample(), 0o644}, // last: who sees it sees the others
	}
	for _, f := range slices.Backward(files) {
		if _, err := os.Lstat(filepath.Join(dir, f.name)); err == nil {
			return fmt.Errorf("%q is there already: nothing was written", filepath.Join(dir, f.name))
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { // #nosec G301 -- secrets in it have modes of their own
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "data"), 0o750); err != nil {
		return err
	}
	for _, f := range files {
		if err := writeNew(filepath.Join(dir, f.name), f.text, f.mode); err != nil {
			return err
		}
	}
	return nil
}

// writeNew writes a file that must not be there, and makes it durable: a secret
// that is lost after the first letter breaks its links.
func writeNew(name string, text []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
}
