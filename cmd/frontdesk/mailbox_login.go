package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"frontdesk/config"
	"frontdesk/oauth"
)

func mailboxLoginCommand() *cobra.Command {
	var device, asJSON bool
	var port int
	cmd := &cobra.Command{
		Use:   "login ADDRESS",
		Short: "log in to a provider that takes tokens (OAuth2)",
		Long: `Login gets a token for a mailbox whose provider takes no password (auth: xoauth2
or oauthbearer), stores it enciphered in the database, and tries IMAP and SMTP
with it. A running daemon uses it at once. Tokens are renewed by themselves; log
in again when mailbox list or doctor says so.

It prints an address that you open in a browser, where you log in as the mailbox.
Then the provider sends the browser back to a port of this machine. When the
browser runs on another machine, forward that port first,

    ssh -L 8765:localhost:8765 DESK-HOST frontdesk mailbox login --port 8765 ADDRESS

or paste the address that the browser ended at: that its page cannot be shown
does not matter. With --device you type a code at the provider instead; Google
allows that for no mailbox.

With grant: client_credentials nobody has to log in; login shows whether it works.`,
		Example: "  frontdesk mailbox login support@example.com",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := openDesk(cmd, false)
			if err != nil {
				return err
			}
			defer d.Close()
			m, err := d.tokenMailbox(args[0])
			if err != nil {
				return failed(err)
			}
			account := d.accounts.of(d.cfg, m)
			token, err := letIn(cmd, account, device, port, m.Address)
			if err != nil {
				return failed(fmt.Errorf("log in as %s: %w", m.Address, err))
			}
			return d.loggedIn(cmd, m, token, asJSON)
		},
	}
	cmd.Flags().BoolVar(&device, "device", false, "type a code at the provider instead of being sent back here")
	cmd.Flags().IntVar(&port, "port", 0, "port on localhost that the browser is sent back to (default: a free one)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// tokenMailbox finds a mailbox that logs in with tokens.
func (d *desk) tokenMailbox(address string) (config.Mailbox, error) {
	to, err := d.mailbox(address)
	if err != nil {
		return config.Mailbox{}, err
	}
	for _, b := range d.cfg.Brands {
		for _, m := range b.Mailboxes {
			if m.Address == to.Mailbox && m.Token() {
				return m, nil
			}
		}
	}
	return config.Mailbox{}, fmt.Errorf("%s logs in with a password: there is no token to fetch\nhint: auth: xoauth2 below imap and smtp, and oauth at the top of the file", to.Mailbox)
}

// letIn logs in by the app's grant.
func letIn(cmd *cobra.Command, account *oauth.Account, device bool, port int, address string) (oauth.Token, error) {
	ctx, say := cmd.Context(), cmd.ErrOrStderr()
	grant := account.App().Grant
	switch {
	case grant == oauth.GrantCredentials:
		return account.Credentials(ctx)
	case grant == oauth.GrantDevice || device:
		l, err := account.BeginDevice(ctx)
		if err != nil {
			return oauth.Token{}, err
		}
		fmt.Fprintf(say, "Open %s in a browser on any machine, type the code\n\n    %s\n\nand log in as %s. The code is good until %s.\n",
			shown(l.Address), shown(l.Code), address, l.Until.Format("15:04"))
		return l.Wait(ctx)
	}
	l, err := account.BeginCode(port)
	if err != nil {
		return oauth.Token{}, err
	}
	fmt.Fprintf(say, `Open this address in a browser and log in as %[1]s:

    %[2]s

The browser comes back to port %[3]d of this machine. When it runs on another one,
  - forward the port there first: ssh -L %[3]d:localhost:%[3]d %[4]s
  - or paste here the address that it ends at; it begins with http://localhost:%[3]d
`, address, l.URL, l.Port, hostname())
	browse(l.URL)
	go takePasted(cmd.InOrStdin(), say, l) // ends with the process: a terminal cannot be asked to give up
	return l.Wait(ctx)
}

// takePasted hands pasted addresses over until one is an answer.
func takePasted(in io.Reader, say io.Writer, l *oauth.CodeLogin) {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 64<<10)
	for lines.Scan() {
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		if err := l.Paste(lines.Text()); err == nil {
			return
		} else {
			fmt.Fprintln(say, err)
		}
	}
}

// browse opens an address where there is a browser to be seen: $BROWSER, or
// the desktop's own. Whether that works does not matter, the address is printed.
func browse(url string) {
	program, wanted := os.Getenv("BROWSER"), os.Getenv("DISPLAY")+os.Getenv("WAYLAND_DISPLAY") != ""
	switch {
	case program != "":
	case runtime.GOOS == "darwin":
		program = "open"
	case wanted:
		program = "xdg-open"
	default:
		return
	}
	command := exec.Command(program, url) // #nosec G204,G702 -- the program is the operator's own $BROWSER, without a shell
	if command.Start() == nil {
		go func() { _ = command.Wait() }()
	}
}

// loginReport is what "mailbox login --json" prints.
type loginReport struct {
	Address string     `json:"address"`
	Login   *loginJSON `json:"login"`
	Probes  []probed   `json:"probes"` // imap and smtp, tried with the new token
	OK      bool       `json:"ok"`
}

// loggedIn tries what the token is for, and says how that went.
func (d *desk) loggedIn(cmd *cobra.Command, m config.Mailbox, token oauth.Token, asJSON bool) error {
	login, err := d.loginOf(cmd.Context(), m)
	if err != nil {
		return failed(err)
	}
	report := loginReport{Address: m.Address, Login: login, OK: true}
	for _, p := range d.loginProbes(m) {
		found, err := runProbe(cmd.Context(), p)
		if err != nil {
			found = err.Error()
		}
		report.Probes = append(report.Probes, probed{p.name, p.key, err == nil, found})
		report.OK = report.OK && err == nil
	}
	if asJSON {
		err = printJSON(cmd.OutOrStdout(), report)
	} else {
		err = report.print(cmd.OutOrStdout(), login.app, token)
	}
	if err != nil || report.OK {
		return err
	}
	return &exitError{code: exitFailed}
}

// loginProbes are those of the mailbox among what "check --connect" asks.
func (d *desk) loginProbes(m config.Mailbox) []probe {
	tokens := d.accounts.of(d.cfg, m)
	try := func(ctx context.Context, auth config.AuthMethod, f func(token string) (string, error)) (found string, err error) {
		if !auth.Token() {
			return f("")
		}
		err = tokens.LogIn(ctx, func(token string) error {
			found, err = f(token)
			return err
		})
		return found, onOneLine(err)
	}
	var out []probe
	if m.IMAP != nil {
		out = append(out, probe{"imap", "imap", func(ctx context.Context) (string, error) {
			return try(ctx, m.IMAP.Auth, func(token string) (string, error) { return probeIMAPWith(ctx, *m.IMAP, token) })
		}})
	}
	return append(out, probe{"smtp", "smtp", func(ctx context.Context) (string, error) {
		return try(ctx, m.SMTP.Auth, func(token string) (string, error) { return probeSMTPWith(ctx, m.SMTP, token) })
	}})
}

func (r loginReport) print(out io.Writer, app config.OAuthApp, token oauth.Token) error {
	_, err := fmt.Fprintf(out, "%s: logged in with oauth.%s; the token is renewed by itself\n", r.Address, app.ID)
	if missing := missingScopes(app, token); missing != "" {
		_, e := fmt.Fprintf(out, "not granted: %s\n", shown(missing))
		err = errors.Join(err, e)
	}
	for _, p := range r.Probes {
		word := "ok"
		if !p.OK {
			word = "failed"
		}
		_, e := fmt.Fprintf(out, "%s %s: %s\n", word, p.Name, shown(p.Found))
		err = errors.Join(err, e)
	}
	return failed(err)
}

func missingScopes(c config.OAuthApp, t oauth.Token) string {
	app := appOf(c)
	return strings.Join(app.Missing(t.Scopes), " ")
}
