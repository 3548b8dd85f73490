package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"time"
)

// Hook hands operators' alerts to what watches over the desk: an HTTP address, a
// program. It needs neither the database nor a mail server, so it works when
// those are what is sick.
type Hook struct {
	Settings func() HookSettings // asked each time: a reload counts at once
	client   http.Client
}

// HookSettings say where alerts go.
type HookSettings struct {
	URL     string   // POST of application/json; "" none
	Command []string // program and arguments, the JSON on its standard input; none
	Headers map[string]string
}

const (
	hookTimeout    = 10 * time.Second
	commandTimeout = 30 * time.Second
)

// NewHook prepares a hook. Redirections are not followed: what the operator wrote
// is where it goes.
func NewHook(settings func() HookSettings) *Hook {
	return &Hook{Settings: settings, client: http.Client{
		Timeout:       hookTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, TLSHandshakeTimeout: hookTimeout},
	}}
}

// Targets names what is configured: webhook, command.
func (h *Hook) Targets() []string {
	var out []string
	s := h.Settings()
	if s.URL != "" {
		out = append(out, "webhook")
	}
	if len(s.Command) > 0 {
		out = append(out, "command")
	}
	return out
}

// Post hands an alert, as JSON, to a target. It returns when the target has taken
// it: HTTP 2xx, exit code 0. A target that is configured no more takes everything.
func (h *Hook) Post(ctx context.Context, target string, body []byte) error {
	s := h.Settings()
	switch {
	case target == "webhook" && s.URL != "":
		return h.webhook(ctx, s, body)
	case target == "command" && len(s.Command) > 0:
		return runHook(ctx, s.Command, body)
	}
	return nil
}

func (h *Hook) webhook(ctx context.Context, s HookSettings, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, bytes.NewReader(body))
	if err != nil {
		return errors.New("alerts.webhook is no address")
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "frontdesk")
	for k, v := range s.Headers {
		r.Header.Set(k, v)
	}
	answer, err := h.client.Do(r)
	if err != nil {
		// The address may hold a secret: only its host is repeated.
		var deep interface{ Unwrap() error }
		if errors.As(err, &deep) {
			err = deep.Unwrap()
		}
		return fmt.Errorf("post to %s: %w", r.URL.Host, err)
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10))
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("post to %s: HTTP %d", r.URL.Host, answer.StatusCode)
	}
	return nil
}

func runHook(ctx context.Context, command []string, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	var said tail
	cmd := exec.CommandContext(ctx, command[0], command[1:]...) // #nosec G204 -- the operator's own program, without a shell
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(body), &said, &said
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	switch {
	case ctx.Err() != nil && err != nil:
		return fmt.Errorf("run %s: not done within %s", command[0], commandTimeout)
	case err != nil:
		return fmt.Errorf("run %s: %w%s", command[0], err, said.said())
	}
	return nil
}

// tail keeps the first words of what a program says.
type tail struct{ b []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p[:min(len(p), max(0, 300-len(t.b)))]...)
	return len(p), nil
}

func (t *tail) said() string {
	if s := oneLine(strings.TrimSpace(string(t.b)), 300); s != "" {
		return ": " + s
	}
	return ""
}
