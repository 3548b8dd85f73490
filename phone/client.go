package phone

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"
)

// Options configure a Client. AccountSID and AuthToken are required.
type Options struct {
	AccountSID string // begins with AC
	AuthToken  string
	// KeySID and KeySecret are an API key to log in with in place of the token;
	// "" the token. Only the token signs webhooks.
	KeySID, KeySecret string
	BaseURL           string            // "": https://api.twilio.com; tests and regions point it elsewhere
	Transport         http.RoundTripper // nil: http.DefaultTransport
	Timeout           time.Duration     // of one request; 0: 10 s
	Retries           int               // of one request, where repeating is safe; 0: 2, negative: none
}

// Client calls the REST API of one account. It may be used by several
// goroutines. Each method returns an [*Error].
type Client struct {
	account        string
	user, password string
	base           *url.URL
	trip           http.RoundTripper
	timeout        time.Duration
	retries        int
	wait           func(context.Context, time.Duration) error
}

// NewClient returns a Client; nothing is sent yet.
func NewClient(o Options) (*Client, error) {
	base, err := url.Parse(or(o.BaseURL, "https://api.twilio.com"))
	switch {
	case err != nil:
		return nil, fmt.Errorf("twilio base URL %q: %w", o.BaseURL, err)
	case base.Host == "" || base.Scheme != "https" && base.Scheme != "http":
		return nil, fmt.Errorf("twilio base URL %q: want https://host", o.BaseURL)
	case !sid.MatchString(o.AccountSID) || !strings.HasPrefix(o.AccountSID, "AC"):
		return nil, fmt.Errorf("twilio account %q: want AC and 32 hexadecimal digits", shorten(o.AccountSID, 4))
	case o.KeySID == "" && o.AuthToken == "", o.KeySID != "" && o.KeySecret == "":
		return nil, ErrNoToken
	}
	base = &url.URL{Scheme: base.Scheme, Host: base.Host, Path: strings.TrimRight(base.Path, "/")}
	c := &Client{account: o.AccountSID, user: o.AccountSID, password: o.AuthToken, base: base, trip: o.Transport, timeout: o.Timeout, retries: o.Retries, wait: wait}
	if o.KeySID != "" {
		c.user, c.password = o.KeySID, o.KeySecret
	}
	if c.trip == nil {
		c.trip = http.DefaultTransport
	}
	if c.timeout <= 0 {
		c.timeout = 10 * time.Second
	}
	switch {
	case o.Retries == 0:
		c.retries = 2
	case o.Retries < 0:
		c.retries = 0
	}
	return c, nil
}

// service returns the library's services for one operation. They are made anew
// each time, because the library knows no context.
func (c *Client) service(ctx context.Context, op string, safe bool) (*api.ApiService, transport) {
	t := transport{ctx: ctx, c: c, op: op, safe: safe}
	lib := &client.Client{Credentials: client.NewCredentials(c.user, c.password), HTTPClient: &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	lib.SetAccountSid(c.account)
	return api.NewApiServiceWithClient(lib), t
}

// Outgoing is a text to send. From and To are E.164, with "whatsapp:" in front
// for that channel.
type Outgoing struct {
	From, To string
	Text     string
	MediaURL []string // public addresses that Twilio fetches; United States and Canada, and WhatsApp
	// Callback gets the statuses of this text; give it [Retries].
	Callback string
	// Template is the ContentSid of an approved WhatsApp template, Variables its
	// values ([TemplateVariables]). Text is then not sent.
	Template, Variables string
	// Expires is how long Twilio may keep it waiting; 0: its 10 hours.
	Expires time.Duration
}

// SendMessage hands a text to Twilio and returns its MessageSid. That it was
// taken does not mean that it arrives: the status callback says so.
//
// It is never sent twice by itself. On an error whose Unknown is set ask
// [Client.FindMessage] before it is sent again.
func (c *Client) SendMessage(ctx context.Context, m Outgoing) (string, error) {
	lib, t := c.service(ctx, "send message", false)
	p := &api.CreateMessageParams{}
	p.SetTo(m.To)
	p.SetFrom(m.From)
	if m.Template != "" {
		p.SetContentSid(m.Template)
		if m.Variables != "" {
			p.SetContentVariables(m.Variables)
		}
	} else {
		p.SetBody(m.Text)
	}
	if len(m.MediaURL) > 0 {
		p.SetMediaUrl(m.MediaURL)
	}
	if m.Callback != "" {
		p.SetStatusCallback(m.Callback)
	}
	if m.Expires > 0 {
		p.SetValidityPeriod(max(1, int(m.Expires/time.Second)))
	}
	got, err := lib.CreateMessage(p)
	if err != nil {
		return "", t.asError(err)
	}
	return t.sidOf(got.Sid)
}

// Outcall is a call to place. From is our number, To E.164.
type Outcall struct {
	From, To string
	URL      string // asked for TwiML when it is answered: [Alarm], [Bridge]
	Callback string // gets the statuses initiated, ringing, answered and completed
	RingFor  time.Duration
}

// PlaceCall has Twilio call a number and returns the CallSid. The call has not
// begun to ring then. An account places one call a second; others wait there.
//
// As with [Client.SendMessage], look an unknown one up before it is placed again.
func (c *Client) PlaceCall(ctx context.Context, o Outcall) (string, error) {
	lib, t := c.service(ctx, "place call", false)
	p := &api.CreateCallParams{}
	p.SetTo(o.To)
	p.SetFrom(o.From)
	p.SetUrl(o.URL)
	p.SetMethod(http.MethodPost)
	if o.Callback != "" {
		p.SetStatusCallback(o.Callback)
		p.SetStatusCallbackMethod(http.MethodPost)
		p.SetStatusCallbackEvent([]string{"initiated", "ringing", "answered", "completed"})
	}
	p.SetTimeout(wholeSeconds(o.RingFor, 25))
	got, err := lib.CreateCall(p)
	if err != nil {
		return "", t.asError(err)
	}
	return t.sidOf(got.Sid)
}

// EndCall ends a call that is queued, ringing or in progress: somebody else has
// acknowledged meanwhile. A call that is over already is no error.
func (c *Client) EndCall(ctx context.Context, callSid string) error {
	if !sid.MatchString(callSid) {
		return &Error{Op: "end call", Text: "no CallSid"}
	}
	lib, t := c.service(ctx, "end call", true) // ending twice is ending once
	p := &api.UpdateCallParams{}
	p.SetStatus(string(CallCompleted))
	_, err := lib.UpdateCall(callSid, p)
	var e *Error
	if err = t.asError(err); errors.As(err, &e) && (e.Code == 21220 || e.Status == http.StatusNotFound) {
		return nil
	}
	return err
}

func (t transport) sidOf(got *string) (string, error) {
	if got == nil || !sid.MatchString(*got) {
		return "", &Error{Op: t.op, Temporary: true, Unknown: true, Text: "answer without a SID"}
	}
	return *got, nil
}

// Check logs in: it reads the account. It is for `check --connect`.
func (c *Client) Check(ctx context.Context) error {
	lib, t := c.service(ctx, "read account", true)
	got, err := lib.FetchAccount(c.account)
	if err != nil {
		return t.asError(err)
	}
	if got.Status != nil && *got.Status != "active" {
		return &Error{Op: t.op, Text: fmt.Sprintf("account is %q", *got.Status)}
	}
	return nil
}
