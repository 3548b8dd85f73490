package phone

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	api "github.com/twilio/twilio-go/rest/api/v2010"
)

// File is something that was fetched.
type File struct {
	ContentType string
	Data        []byte
}

// Format is how a recording is encoded.
type Format string

// The formats: 30 seconds are 120 KB as mp3 and 480 KB as wav.
const (
	MP3 Format = "mp3"
	WAV Format = "wav"
)

// maxHops bounds redirections of one download.
const maxHops = 3

// Recording fetches a voicemail by its Sid, at most limit bytes. It is built
// from our own account and host: what address a webhook named does not matter.
//
// ReasonNotFound may mean that it is not ready: Temporary is set then, try again
// after 2, 5 and 15 seconds, and give up when a day has passed.
func (c *Client) Recording(ctx context.Context, recordingSid string, format Format, limit int64) (File, error) {
	op := "fetch recording"
	if !sid.MatchString(recordingSid) || !strings.HasPrefix(recordingSid, "RE") {
		return File{}, &Error{Op: op, Text: "no RecordingSid"}
	}
	at := *c.base
	at.Path += c.accountPath() + "/Recordings/" + recordingSid + "." + string(format)
	return c.fetch(ctx, op, &at, limit)
}

// Media fetches a file of a message, at most limit bytes, from the address that
// the webhook named. An address that is not of our account on the configured
// host is refused: a stranger's would get our credentials, and could be inside
// our own network.
func (c *Client) Media(ctx context.Context, rawURL string, limit int64) (File, error) {
	op := "fetch media"
	at, err := c.ours(rawURL)
	if err != nil {
		return File{}, &Error{Op: op, Text: err.Error()}
	}
	return c.fetch(ctx, op, at, limit)
}

// ours returns the URL if it is a file of a message of our account. Nothing is
// resolved or decoded: it either is of the exact form or it is not.
func (c *Client) ours(rawURL string) (*url.URL, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("address of a file cannot be read")
	}
	if u.Scheme != c.base.Scheme || u.Host != c.base.Host || u.User != nil || u.Opaque != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("file at %q: not the host of our account", shorten(u.Host, 60))
	}
	rest, found := strings.CutPrefix(u.EscapedPath(), c.base.Path+c.accountPath()+"/Messages/")
	message, media, _ := strings.Cut(rest, "/Media/")
	if !found || !sid.MatchString(message) || !sid.MatchString(media) {
		return nil, fmt.Errorf("address of a file: not of our account")
	}
	return u, nil
}

func (c *Client) accountPath() string { return "/2010-04-01/Accounts/" + c.account }

// fetch downloads with our credentials on the first host alone. Media are
// answered with a redirection to a store that takes the signature in its query.
func (c *Client) fetch(ctx context.Context, op string, at *url.URL, limit int64) (File, error) {
	t := transport{ctx: ctx, c: c, op: op, safe: true}
	var last *Error
	for attempt := 0; ; attempt++ {
		f, err := c.fetchOnce(t, at, limit)
		if err == nil {
			return f, nil
		}
		if last = err; attempt >= c.retries || !t.repeatable(err) {
			return File{}, last
		}
		if err := c.wait(ctx, pause(attempt, last.After)); err != nil {
			return File{}, t.networkError(err)
		}
	}
}

func (c *Client) fetchOnce(t transport, at *url.URL, limit int64) (File, *Error) {
	ctx, cancel := context.WithTimeout(t.ctx, 6*c.timeout)
	defer cancel()
	for hop := range maxHops + 1 {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
		if err != nil {
			return File{}, &Error{Op: t.op, Text: "address cannot be used"}
		}
		if hop == 0 {
			req.SetBasicAuth(c.user, c.password)
		}
		res, err := c.trip.RoundTrip(req)
		if err != nil {
			return File{}, asErr(t.networkError(err))
		}
		if res.StatusCode < 300 || res.StatusCode > 399 {
			return readFile(t, res, limit)
		}
		_ = res.Body.Close()
		if at, err = c.redirected(at, res.Header.Get("Location")); err != nil {
			return File{}, &Error{Op: t.op, Status: res.StatusCode, Text: err.Error()}
		}
	}
	return File{}, &Error{Op: t.op, Text: "too many redirections"}
}

// redirected follows to https only, or to where the base itself is: a simulator
// speaks http.
func (c *Client) redirected(from *url.URL, location string) (*url.URL, error) {
	to, err := from.Parse(location)
	if err != nil || location == "" {
		return nil, fmt.Errorf("redirected nowhere")
	}
	if to.Scheme != "https" && (to.Scheme != c.base.Scheme || to.Host != c.base.Host) {
		return nil, fmt.Errorf("redirected to %q without TLS", shorten(to.Host, 60))
	}
	return to, nil
}

func readFile(t transport, res *http.Response, limit int64) (File, *Error) {
	defer res.Body.Close()
	if res.StatusCode < 200 || res.StatusCode > 299 {
		body, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10)) // an error's text; half of it is as good
		e := statusError(t.op, true, res, body)
		if res.StatusCode == http.StatusNotFound {
			e.Reason, e.Temporary = ReasonNotFound, true
		}
		return File{}, e
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	switch {
	case err != nil:
		return File{}, asErr(t.networkError(err))
	case int64(len(data)) > limit:
		return File{}, &Error{Op: t.op, Reason: ReasonTooLong, Text: fmt.Sprintf("above the limit of %d bytes", limit)}
	}
	return File{ContentType: res.Header.Get("Content-Type"), Data: data}, nil
}

func asErr(err error) *Error {
	e, ok := err.(*Error)
	if !ok {
		return &Error{Op: "fetch", Temporary: true, err: err, Text: plainNetError(err)}
	}
	return e
}

// DeleteRecording deletes a recording at Twilio, after it is stored here. One
// that is gone already is no error.
func (c *Client) DeleteRecording(ctx context.Context, recordingSid string) error {
	if !sid.MatchString(recordingSid) || !strings.HasPrefix(recordingSid, "RE") {
		return &Error{Op: "delete recording", Text: "no RecordingSid"}
	}
	lib, t := c.service(ctx, "delete recording", true)
	return goneIsFine(t.asError(lib.DeleteRecording(recordingSid, nil)))
}

// RedactMessage empties the words of a text at Twilio. One that is gone is no
// error.
func (c *Client) RedactMessage(ctx context.Context, messageSid string) error {
	if !sid.MatchString(messageSid) {
		return &Error{Op: "redact message", Text: "no MessageSid"}
	}
	lib, t := c.service(ctx, "redact message", true)
	p := &api.UpdateMessageParams{}
	p.SetBody("")
	_, err := lib.UpdateMessage(messageSid, p)
	return goneIsFine(t.asError(err))
}

func goneIsFine(err error) error {
	if e, ok := err.(*Error); ok && e.Status == http.StatusNotFound {
		return nil
	}
	return err
}
