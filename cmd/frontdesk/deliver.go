package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"frontdesk/config"
	"frontdesk/intake"
)

func deliverCommand() *cobra.Command {
	var mailbox, recipient, sender string
	cmd := &cobra.Command{
		Use:   "deliver --mailbox ADDRESS [--recipient ADDRESS] [--sender ADDRESS] < MAIL",
		Short: "take one mail from a pipe",
		Long: `Deliver takes one mail from standard input into the ledger; the daemon decides
about it. It ends with 0 only when the mail is on disk, and with 75 whenever it
is not, whatever the reason: the mail server then keeps the mail and tries
again. That goes for a configuration that cannot be read and for a mailbox that
it does not name, too: both are mistakes of an operator, and a mail must not be
lost or bounced by them. Mail above the size limit is taken as well.

--recipient is the envelope recipient, where reply addresses survive; --sender
the envelope sender ("" for the null one). Exit code 2 is a wrong command line.

Postfix, master.cf:
  frontdesk unix - n n - 4 pipe flags=R user=frontdesk null_sender= argv=/usr/bin/frontdesk
      deliver --mailbox support@example.com --recipient ${original_recipient} --sender ${sender}`,
		Example: "  frontdesk deliver --mailbox support@example.com < mail.eml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var from *string
			if cmd.Flags().Changed("sender") {
				sender = reversePath(sender)
				from = &sender
			}
			return later(deliverMail(cmd, mailbox, recipient, from))
		},
	}
	f := cmd.Flags()
	f.StringVar(&mailbox, "mailbox", "", "mailbox of the configuration that the mail is for")
	f.StringVar(&recipient, "recipient", "", "envelope recipient")
	f.StringVar(&sender, "sender", "", "envelope sender")
	_ = cmd.MarkFlagRequired("mailbox")
	return cmd
}

// reversePath reads an envelope sender. Postfix's pipe(8) says MAILER-DAEMON for
// the null one unless null_sender is set, others write it as <>.
func reversePath(s string) string {
	s = strings.Trim(strings.TrimSpace(s), "<>")
	if strings.EqualFold(s, "MAILER-DAEMON") {
		return ""
	}
	return s
}

// later marks err as one that another attempt may not meet.
func later(err error) error {
	if err == nil {
		return nil
	}
	var coded *exitError
	if errors.As(err, &coded) && coded.err != nil {
		err = coded.err
	}
	return &exitError{exitRetry, fmt.Errorf("not taken, try again later: %w", err)}
}

func deliverMail(cmd *cobra.Command, mailbox, recipient string, sender *string) error {
	raw, err := io.ReadAll(cmd.InOrStdin())
	switch {
	case err != nil:
		return fmt.Errorf("read the mail: %w", err)
	case len(raw) == 0:
		return errors.New("there is no mail on standard input")
	}
	d, err := openDesk(cmd, false)
	if err != nil {
		return err
	}
	defer d.Close()
	to, err := d.mailbox(mailbox)
	if err != nil {
		return err
	}
	if err := newRoom(func() *config.Config { return d.cfg }).full(); err != nil {
		return err
	}
	return intake.Deliver(cmd.Context(), d.db, to, recipient, sender, raw, now())
}
