package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"frontdesk/config"
)

// probeDeadline bounds each probe of "check --connect".
const probeDeadline = 10 * time.Second

// probesAtOnce bounds how many servers are asked at a time.
const probesAtOnce = 8

// probe is one thing that only a connection can show.
type probe struct {
	name string // what is asked, for people: "imap support@example.com"
	key  string // the block of the configuration that it belongs to

	// run returns a few words on what was found, or an error that says what to
	// do next. It gives up when ctx ends.
	run func(ctx context.Context) (found string, err error)
}

// probed is a probe with its result.
type probed struct {
	Name  string `json:"name"`
	Key   string `json:"key"`
	OK    bool   `json:"ok"`
	Found string `json:"found,omitempty"`
}

// checkReport is what "check --json" prints.
type checkReport struct {
	OK       bool            `json:"ok"`
	File     string          `json:"file"`
	Findings config.Findings `json:"findings"`
	Notes    config.Findings `json:"notes,omitempty"` // what is allowed and may not be meant
	Probes   []probed        `json:"probes,omitempty"`
}

func checkCommand() *cobra.Command {
	var connect, asJSON bool
	cmd := &cobra.Command{
		Use:   "check [--connect] [--json]",
		Short: "what is wrong with the configuration",
		Long: `Check reads the configuration exactly as run does before it starts and prints
every mistake as file:line: key: reason. With --connect it also logs in to each
mailbox, mail server, database and telephone account. It changes nothing and
sends nothing.

Lines that begin with "note" are allowed and may not be what you meant.

Exit code 0: nothing wrong; 1: at least one finding.`,
		Example: "  frontdesk check --config /etc/frontdesk/frontdesk.yaml --connect",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			file := configFile(cmd)
			report, cfg := checkFile(file)
			if cfg != nil && connect {
				report.connect(cmd.Context(), cfg, probesOf(cfg))
			}
			return report.print(cmd.OutOrStdout(), cfg, asJSON)
		},
	}
	cmd.Flags().BoolVar(&connect, "connect", false, "log in to each mailbox, mail server, database and telephone account, too")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// configFile returns the configuration file of a command: --config, then
// $FRONTDESK_CONFIG, then the place where packages put it.
func configFile(cmd *cobra.Command) string {
	if flag := cmd.Flag("config"); flag != nil && flag.Value.String() != "" {
		return flag.Value.String()
	}
	if file := os.Getenv("FRONTDESK_CONFIG"); file != "" {
		return file
	}
	return "/etc/frontdesk/frontdesk.yaml"
}

// checkFile loads file and tries the letters that it names; the configuration
// is nil when it has findings of its own.
func checkFile(file string) (*checkReport, *config.Config) {
	report := &checkReport{OK: true, File: file, Findings: config.Findings{}}
	cfg, err := config.Load(file)
	var findings config.Findings
	switch {
	case errors.As(err, &findings):
		report.add(findings...)
	case err != nil:
		report.add(config.Finding{File: file, Reason: err.Error()})
	default:
		report.add(letterFindings(cfg)...)
		report.add(deskFindings(cfg)...)
		report.Notes = deskNotes(cfg)
	}
	return report, cfg
}

func (r *checkReport) add(findings ...config.Finding) {
	r.Findings = append(r.Findings, findings...)
	r.OK = r.OK && len(r.Findings) == 0
}

// connect runs the probes, several at a time, and keeps their order.
func (r *checkReport) connect(ctx context.Context, cfg *config.Config, probes []probe) {
	found, errs := make([]string, len(probes)), make([]error, len(probes))
	var wait sync.WaitGroup
	slots := make(chan struct{}, probesAtOnce)
	for i, p := range probes {
		wait.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			found[i], errs[i] = runProbe(ctx, p)
		})
	}
	wait.Wait()
	for i, p := range probes {
		r.Probes = append(r.Probes, probed{p.name, p.key, errs[i] == nil, found[i]})
		if errs[i] != nil {
			r.add(cfg.Finding(p.key, p.name+": "+errs[i].Error()))
		}
	}
}

// runProbe gives one probe its deadline.
func runProbe(ctx context.Context, p probe) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, probeDeadline)
	defer cancel()
	found, err := p.run(ctx)
	if err != nil && ctx.Err() != nil {
		return "", fmt.Errorf("no answer within %s: check host, port and firewall", probeDeadline)
	}
	return found, err
}

// print writes the report; the error says nothing more and carries exit code 1
// when there is a finding.
func (r *checkReport) print(out io.Writer, cfg *config.Config, asJSON bool) error {
	var err error
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(r)
	} else {
		err = r.printText(out, cfg)
	}
	if err != nil {
		return failed(err)
	}
	if !r.OK {
		return &exitError{code: exitFailed}
	}
	return nil
}

func (r *checkReport) printText(out io.Writer, cfg *config.Config) error {
	var err error
	say := func(format string, args ...any) {
		if err == nil {
			_, err = fmt.Fprintf(out, format+"\n", args...)
		}
	}
	if cfg != nil && len(r.Findings) == len(r.failedProbes()) {
		say("ok %s: %s", r.File, summary(cfg))
	}
	for _, p := range r.Probes {
		if p.OK {
			say("ok %s: %s", p.Name, p.Found)
		}
	}
	for _, f := range r.Notes {
		say("note %s", f)
	}
	for _, f := range r.Findings {
		say("%s", f)
	}
	return err
}

// failedProbes returns the probes that found something wrong.
func (r *checkReport) failedProbes() []probed {
	var out []probed
	for _, p := range r.Probes {
		if !p.OK {
			out = append(out, p)
		}
	}
	return out
}

// summary says what a configuration holds.
func summary(cfg *config.Config) string {
	mailboxes, phones := 0, 0
	for _, b := range cfg.Brands {
		mailboxes += len(b.Mailboxes)
		phones += len(b.Phones)
	}
	return fmt.Sprintf("brands=%d mailboxes=%d phones=%d queues=%d agents=%d", len(cfg.Brands), mailboxes, phones, len(cfg.Queues), len(cfg.Agents))
}
