package main

import (
	"errors"

	"github.com/spf13/cobra"
)

func parseCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "parse [--json] FILE|-",
		Short: "how the desk understands one mail",
		Args:  cobra.ExactArgs(1),
		RunE:  func(cmd *cobra.Command, args []string) error { return failed(errors.New("not built")) },
	}
}
