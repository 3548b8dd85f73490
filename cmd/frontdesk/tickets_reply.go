package main

import (
	"errors"

	"github.com/spf13/cobra"
)

func ticketsNoteCommand() *cobra.Command {
	var as string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "note N TEXT|-",
		Short:   "write something down that stays inside",
		Long:    `Note adds words to a ticket that only the team sees. "-" reads them from standard input.`,
		Example: "  frontdesk tickets note 1234 'Called back, nobody there.'",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return say(cmd, args, as, []string{"#note"}, asJSON)
		},
	}
	cmd.Flags().StringVar(&as, "as", "", "agent in whose name it is done")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

func ticketsReplyCommand() *cobra.Command {
	var as string
	var asJSON, closes bool
	cmd := &cobra.Command{
		Use:   "reply N TEXT|- [--as AGENT] [--close]",
		Short: "answer the customer",
		Long: `Reply sends words to the customer and to those who get copies, from the brand.
With --close it is the resolution letter, which asks for confirmation; lines
that begin with Problem:, Solution: and Workaround: become its parts. "-" reads
the text from standard input.`,
		Example: "  frontdesk tickets reply 1234 --as asha 'The licence is renewed.' --close",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && !closes {
				return errors.New("what is the answer? write the text, or - to read it from standard input")
			}
			var commands []string
			if closes {
				commands = []string{"#close"}
			}
			return say(cmd, args, as, commands, asJSON)
		},
	}
	cmd.Flags().StringVar(&as, "as", "", "agent in whose name it is done")
	cmd.Flags().BoolVar(&closes, "close", false, "the problem is solved: ask the customer to confirm")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// say does commands with the text of the second argument on the ticket of the first.
func say(cmd *cobra.Command, args []string, as string, commands []string, asJSON bool) error {
	ns, err := numbers(args[:1])
	if err != nil {
		return err
	}
	text := ""
	if len(args) == 2 {
		if text, err = words(cmd, args[1]); err != nil {
			return err
		}
	}
	return operateOn(cmd, ns[0], as, commands, text, asJSON)
}
