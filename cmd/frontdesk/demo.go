package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"frontdesk/config"
	"frontdesk/internal/testmail"
)

func demoCommand() *cobra.Command {
	var once bool
	cmd := &cobra.Command{
		Use:   "demo [--once]",
		Short: "the whole desk at work, on parts within this process",
		Long: `Demo starts a mail server (IMAP and SMTP), a telephone company and the desk in this process, on
loopback ports and in a temporary folder, and plays a story: a customer mails,
an agent answers from a mail client, mistypes a command, resolves the request,
the customer confirms; another calls, leaves a voicemail, and is answered by text. Everything shown is a real message that went through real
connections. Then it stays up, so that you can join with your own mail client,
until Ctrl-C. Nothing outside the temporary folder is touched.`,
		Example: "  frontdesk demo\n  frontdesk demo --once",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return failed(demo(cmd.Context(), cmd.OutOrStdout(), once))
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "end after the story; exit code 1 if a step of it failed")
	return cmd
}

// demo plays the story, and stays up after it unless once.
func demo(ctx context.Context, out io.Writer, once bool) error {
	stage, err := newStage(ctx)
	if err != nil {
		return err
	}
	defer stage.close()
	tell := newTeller(out)
	story := &story{stage: stage, tell: tell}
	err = story.play(ctx)
	if err != nil && ctx.Err() == nil {
		tell.wrong(err)
	}
	if once || ctx.Err() != nil {
		return errors.Join(err, stage.close())
	}
	tell.join(stage)
	select {
	case <-ctx.Done():
	case <-stage.ended:
	}
	return errors.Join(err, stage.close())
}

// stage is a provider and a desk that uses it.
type stage struct {
	folder string
	office *testmail.Office
	phone  *exchange
	desk   *desk
	cancel context.CancelFunc
	ended  chan struct{} // closed when the daemon has ended
	err    error         // of the daemon; read after ended
	closed bool
	ready  time.Duration // from nothing to ready
}

const demoPassword = "demo"

var demoUsers = []string{
	"support@baleyo.test", "hilfe@zephyr.test", "asha@baleyo.test", "devi@baleyo.test", "maria@example.test", "jonas@example.test",
}

// newStage starts everything and returns when the desk is ready.
func newStage(ctx context.Context) (s *stage, err error) {
	began := time.Now()
	s = &stage{ended: make(chan struct{})}
	defer func() {
		if err != nil {
			_ = s.close()
		}
	}()
	if s.folder, err = os.MkdirTemp("", "frontdesk-demo-"); err != nil {
		return s, err
	}
	users := map[string]string{}
	for _, u := range demoUsers {
		users[u] = demoPassword
	}
	if s.office, err = testmail.NewOffice("mx.demo.test", users); err != nil {
		return s, err
	}
	if s.phone, err = newExchange(); err != nil {
		return s, err
	}
	cfg, err := s.configure()
	if err != nil {
		return s, err
	}
	log, err := os.Create(filepath.Join(s.folder, "log"))
	if err != nil {
		return s, err
	}
	if s.desk, err = deskOf(ctx, cfg, true); err != nil {
		return s, err
	}
	dm, err := newDaemon(s.desk, logger(log, cfg.Log))
	if err != nil {
		return s, err
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.cancel = cancel
	up := make(chan struct{})
	go func() {
		defer close(s.ended)
		s.err = dm.run(running, func() { close(up) }, func() {})
	}()
	select {
	case <-up:
	case <-s.ended:
		return s, errors.Join(errors.New("the desk did not start"), s.err)
	}
	s.ready = time.Since(began)
	return s, nil
}

// configure writes a configuration as an operator would, and reads it back.
func (s *stage) configure() (*config.Config, error) {
	write := func(name, text string) error { return os.WriteFile(filepath.Join(s.folder, name), []byte(text), 0o600) }
	secret := fmt.Sprintf("demo secret of %s, not for anything else", s.folder)
	text := fmt.Sprintf(demoConfig, s.office.IMAP.Port(), s.office.SMTP.Port(), s.phone.desk, s.phone.api.Addr())
	err := errors.Join(write("secret", secret), write("mail.password", demoPassword), write("twilio.token", demoToken), write("frontdesk.yaml", text))
	if err != nil {
		return nil, err
	}
	return config.Load(filepath.Join(s.folder, "frontdesk.yaml"))
}

// close ends the desk and the provider and removes the folder; it may be
// called twice.
func (s *stage) close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	if s.cancel != nil {
		s.cancel()
		<-s.ended
	} else if s.desk != nil {
		_ = s.desk.Close()
	}
	if s.office != nil {
		_ = s.office.Close()
	}
	s.phone.close()
	return errors.Join(s.err, os.RemoveAll(s.folder))
}

// demoConfig serves two brands; %[1]d is the IMAP port, %[2]d the SMTP port,
// %[3]s where the telephone company finds the desk, %[4]s where the desk finds it.
const demoConfig = `data_dir: data
database: sqlite
secret_file: secret
http: {listen: "%[3]s", public_url: "http://%[3]s", admin_listen: ""}
twilio: {account_sid: ` + demoAccount + `, auth_token_file: twilio.token, api_base_url: "http://%[4]s"}
brands:
  baleyo:
    name: Baleyo
    language: en
    timezone: Asia/Kathmandu
    signature: The Baleyo support team
    mailboxes:
      - address: support@baleyo.test
        queue: support
        imap: {host: 127.0.0.1, port: %[1]d, tls: none, username: support@baleyo.test, password_file: mail.password}
        smtp: {host: 127.0.0.1, port: %[2]d, tls: none, username: support@baleyo.test, password_file: mail.password}
        trusted_authserv_ids: [mx.demo.test]
    phones:
      - {number: "` + demoLine + `", greeting: Thank you for calling Baleyo., menu: {"1": sales, "2": support}}
  zephyr:
    name: Zephyr
    language: de
    timezone: Europe/Berlin
    signature: Ihr Zephyr-Team
    color: "#7a2e0e"
    mailboxes:
      - address: hilfe@zephyr.test
        queue: support
        imap: {host: 127.0.0.1, port: %[1]d, tls: none, username: hilfe@zephyr.test, password_file: mail.password}
        smtp: {host: 127.0.0.1, port: %[2]d, tls: none, username: hilfe@zephyr.test, password_file: mail.password}
        trusted_authserv_ids: [mx.demo.test]
queues:
  support: {team: first-line, tiers: [first-line, head]}
  sales: {team: first-line}
teams:
  first-line: {members: [asha@baleyo.test]}
  head: {members: [devi@baleyo.test]}
agents:
  - {name: Asha, email: asha@baleyo.test, role: agent}
  - {name: Devi, email: devi@baleyo.test, role: manager}
categories:
  technical: {title: Technical Issues, respond_within: 2 business hours, keywords: [printer, offline, error]}
  billing: {title: Billing and Payments, respond_within: 4 business hours, keywords: [invoice, refund]}
`
