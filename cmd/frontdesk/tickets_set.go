package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func ticketsSetCommand() *cobra.Command {
	var as string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "set N KEY=VALUE…",
		Short: "change what a ticket says",
		Long: `Set changes a ticket as an agent's command lines do, all of them or none:

  status     open, pending, on_hold, resolved, closed or spam. resolved sends the
             resolution letter with the last answer; closed sends nothing
  until      with status=pending or on_hold: a date such as 2026-12-24 or monday
  assignee   an agent's address or name, or none
  severity, category, queue, impact, urgency, due, time
  tag        +word or -word, several separated by commas
  cc         +address or -address, several separated by commas
  requester  another customer's address
  product    serial number of what it is about, or none
  link       the number of another ticket
  return     why something goes back, or how far it is: received, inspected,
             replaced, refunded, refused`,
		Example: "  frontdesk tickets set 1234 assignee=bikram severity=high tag=+vip,-trial\n  frontdesk tickets set 1234 status=pending until=monday",
		Args:    cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			ns, err := numbers(args[:1])
			if err != nil {
				return err
			}
			product, pairs := productPair(args[1:])
			commands, err := commandsOf(pairs)
			if err != nil {
				return err
			}
			if product != nil {
				return setTicketProduct(cmd, ns[0], as, *product, commands, asJSON)
			}
			return operateOn(cmd, ns[0], as, commands, "", asJSON)
		},
	}
	cmd.Flags().StringVar(&as, "as", "", "agent in whose name it is done")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// statusCommands says which command sets a status.
var statusCommands = map[string]string{
	"open": "#reopen", "pending": "#pending", "on_hold": "#hold", "hold": "#hold",
	"resolved": "#close", "closed": "#close silently", "spam": "#spam",
}

// setKeys says which command sets a key.
var setKeys = map[string]string{
	"assignee": "#assign", "assign": "#assign", "severity": "#severity", "category": "#category", "queue": "#queue",
	"impact": "#impact", "urgency": "#urgency", "due": "#due", "time": "#time", "tag": "#tag", "tags": "#tag",
	"cc": "#cc", "requester": "#from", "link": "#link",
	"return": "#rma",
}

// commandsOf puts KEY=VALUE words into the command lines that an agent writes.
func commandsOf(pairs []string) ([]string, error) {
	var out []string
	until := ""
	for _, pair := range pairs {
		key, value, ok := strings.Cut(pair, "=")
		key, value = strings.ToLower(strings.TrimSpace(key)), strings.TrimSpace(value)
		if !ok {
			return nil, fmt.Errorf("%q: write KEY=VALUE, as in status=pending", pair)
		}
		line, err := commandOf(key, value)
		switch {
		case err != nil:
			return nil, err
		case key == "until":
			until = value
		default:
			out = append(out, line)
		}
	}
	if until == "" {
		return out, nil
	}
	i := slices.IndexFunc(out, func(line string) bool { return line == "#pending" || line == "#hold" })
	if i < 0 {
		return nil, fmt.Errorf("until=%s: goes with status=pending or status=on_hold", until)
	}
	out[i] += " until " + until
	return out, nil
}

func commandOf(key, value string) (string, error) {
	switch word, known := setKeys[key]; {
	case key == "until":
		return "", nil
	case key == "status":
		line, ok := statusCommands[strings.ToLower(value)]
		if !ok {
			return "", fmt.Errorf("status=%s: no such status (one of %s)", value, strings.Join(sortedKeys(statusCommands), ", "))
		}
		return line, nil
	case !known:
		return "", fmt.Errorf("%s=%s: no such key (one of status, until, %s)", key, value, strings.Join(sortedKeys(setKeys), ", "))
	case key == "tag" || key == "tags" || key == "cc":
		return word + " " + signed(value), nil
	default:
		return strings.TrimSpace(word + " " + value), nil
	}
}

// signed makes "vip,-trial" what #tag takes: "+vip -trial".
func signed(value string) string {
	var out []string
	for _, w := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' }) {
		if w[0] != '+' && w[0] != '-' {
			w = "+" + w
		}
		out = append(out, w)
	}
	return strings.Join(out, " ")
}

func ticketsMergeCommand() *cobra.Command {
	var as string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "merge N INTO",
		Short: "move everything of one ticket into another",
		Long: `Merge moves the messages and people of ticket N into ticket INTO. Mail that
still answers N joins INTO from then on. It cannot be taken back.`,
		Example: "  frontdesk tickets merge 1235 1234",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			ns, err := numbers(args)
			if err != nil {
				return err
			}
			return operateOn(cmd, ns[0], as, []string{fmt.Sprintf("#merge %d", ns[1])}, "", asJSON)
		},
	}
	cmd.Flags().StringVar(&as, "as", "", "agent in whose name it is done")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

func ticketsSplitCommand() *cobra.Command {
	var as string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "split N",
		Short: "make a ticket of its own of the newest message",
		Long: `Split takes the customer's newest message off ticket N and makes a new ticket of
it, linked to N. The message that opened N cannot be split off.`,
		Example: "  frontdesk tickets split 1234",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ns, err := numbers(args)
			if err != nil {
				return err
			}
			return operateOn(cmd, ns[0], as, []string{"#split"}, "", asJSON)
		},
	}
	cmd.Flags().StringVar(&as, "as", "", "agent in whose name it is done")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}
