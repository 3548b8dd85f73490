package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"frontdesk/internal/testmail"
)

// tokenProvider is "provider": a provider of tokens with the mail servers that
// take them, for support@example.com. It sets $AUTH_URL, $TOKEN_URL, $DEVICE_URL,
// $IMAP_PORT and $SMTP_PORT, and lets any device in that asks.
func tokenProvider(ts *testscript.TestScript, _ bool, args []string) {
	tokens, err := testmail.NewOAuth("desk", "app-secret")
	ts.Check(err)
	ts.Defer(func() { _ = tokens.Close() })
	users := map[string]string{"support@example.com": "not-this-way"}
	imap, err := testmail.NewIMAP(testmail.IMAPOptions{Users: users, Tokens: tokens})
	ts.Check(err)
	ts.Defer(func() { _ = imap.Close() })
	smtp, err := testmail.NewSMTP(testmail.SMTPOptions{Users: users, Tokens: tokens})
	ts.Check(err)
	ts.Defer(func() { _ = smtp.Close() })
	for name, value := range map[string]string{
		"AUTH_URL": tokens.URL("authorize"), "TOKEN_URL": tokens.URL("token"), "DEVICE_URL": tokens.URL("device"),
		"IMAP_PORT": strconv.Itoa(imap.Port()), "SMTP_PORT": strconv.Itoa(smtp.Port()),
	} {
		ts.Setenv(name, value)
	}
	if len(args) == 1 {
		tokens.SetUser(args[0])
	}
	tokens.SetDeviceUser("support@example.com")
}

// follow is a browser: it opens an address and follows where it leads.
func follow() {
	r, err := http.Get(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_, _ = io.Copy(io.Discard, r.Body)
	_ = r.Body.Close()
}
