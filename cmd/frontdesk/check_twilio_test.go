package main

import (
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"frontdesk/config"
	"frontdesk/internal/twiliosim"
)

// twilioConfig is the example with its account at base.
func twilioConfig(t *testing.T, base string, more ...string) *config.Config {
	t.Helper()
	return exampleConfig(t, replacing(t, append([]string{"api_base_url: https://api.twilio.com", "api_base_url: " + base}, more...)...))
}

func TestConnectLogsInAtTwilio(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(twiliosim.New(twiliosim.Config{AccountSID: exampleSID, AuthToken: "tokenoftwilio"}))
	t.Cleanup(server.Close)
	closed, closedPort := listenLoopback(t)
	closed.Close()

	found, err := probeTwilio(t.Context(), twilioConfig(t, server.URL))
	want := "logged in to " + server.URL + ", phones=1; at Twilio their webhooks are https://desk.example.com/twilio/voice (voice) and https://desk.example.com/twilio/sms (texts)"
	if err != nil || found != want {
		t.Errorf("got  %s, %v\nwant %s", found, err, want)
	}
	wrong := twilioConfig(t, server.URL)
	wrong.Twilio.AuthToken = config.NewSecret("hunter2")
	keyed := twilioConfig(t, server.URL)
	keyed.Twilio.APIKeySID, keyed.Twilio.APIKeySecret = "SK0123456789abcdef0123456789abcdef", config.NewSecret("hunter2")
	short := twilioConfig(t, server.URL)
	short.Twilio.AccountSID = "AC1"
	mangled := twilioConfig(t, server.URL)
	mangled.Twilio.AuthToken = config.NewSecret("hunter2 ")
	for name, c := range map[string]struct {
		cfg  *config.Config
		want string
	}{
		"wrong token":       {wrong, "check account_sid and auth_token_file"},
		"wrong key":         {keyed, "check account_sid, api_key_sid and api_key_secret_file"},
		"mangled token":     {mangled, "write it into its file anew"},
		"short account SID": {short, "want AC and 32 hexadecimal digits"},
		"nothing listens":   {twilioConfig(t, fmt.Sprintf("http://127.0.0.1:%d", closedPort)), "nothing listens there"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			_, err := probeTwilio(ctx, c.cfg)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// TestCheckNamesWhatOnlyTheRoomsKnow: the findings stand at their lines.
func TestCheckNamesWhatOnlyTheRoomsKnow(t *testing.T) {
	t.Parallel()
	cfg := exampleConfig(t, func(text string) string { return "roles: {agent: {deny: [merg]}}\n" + text })
	report, _ := checkFile(cfg.Path)
	if report.OK || len(report.Findings) != 1 || report.Findings[0].Line != 1 || filepath.Base(report.Findings[0].File) != "frontdesk.yaml" {
		t.Errorf("findings: %v", report.Findings)
	}
}
