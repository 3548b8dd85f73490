package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"frontdesk/config"
	"frontdesk/notify"
)

// letterLanguages are the languages that letters are written in.
var letterLanguages = []string{"en", "de"}

// letterFindings tries every letter of letters_dir, and finds folders there
// that no brand and no language has: their letters would never be used.
func letterFindings(cfg *config.Config) []config.Finding {
	if cfg.LettersDir == "" {
		return nil
	}
	var out []config.Finding
	add := func(reason string) { out = append(out, cfg.Finding("letters_dir", reason)) }
	if _, err := notify.LoadTemplates(cfg.LettersDir); err != nil {
		for _, one := range leaves(err) {
			add(one.Error())
		}
	}
	known := slices.Clone(letterLanguages)
	for _, b := range cfg.Brands {
		known = append(known, b.ID)
	}
	entries, err := os.ReadDir(cfg.LettersDir)
	if err != nil {
		add(err.Error())
	}
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && !slices.Contains(known, e.Name()) {
			add(fmt.Sprintf("folder %q is neither a brand nor a language (allowed: %s)", e.Name(), strings.Join(known, ", ")))
		}
	}
	return out
}

// leaves returns the errors that errors.Join put together, nested or not.
func leaves(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var out []error
	for _, e := range joined.Unwrap() {
		out = append(out, leaves(e)...)
	}
	return out
}
