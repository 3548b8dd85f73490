package phone

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// transport carries the requests of one call of the library: it gives them the
// caller's context, the configured host and the bounded retries that the library
// lacks. The library builds its host from TWILIO_REGION and TWILIO_EDGE too; as
// the host is always replaced, the environment changes nothing.
type transport struct {
	ctx  context.Context
	c    *Client
	op   string
	safe bool // the request may be repeated: it reads, or deletes
}

// maxAnswer bounds what is read of an answer in JSON, in bytes. A page of a
// thousand messages has about 1.5 MB.
const maxAnswer = 8 << 20

// RoundTrip returns an *Error for an answer that is no success, so that Retry-After
// and answers that are not JSON are not lost in the library.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close() // each attempt reads a copy
	}
	for attempt := 0; ; attempt++ {
		res, err := t.once(r)
		var e *Error
		if err == nil || !errors.As(err, &e) || attempt >= t.c.retries || !t.repeatable(e) {
			return res, err
		}
		if err := t.c.wait(t.ctx, pause(attempt, e.After)); err != nil {
			return nil, err
		}
	}
}

// repeatable says whether the request may be made again at once. One that only
// reads may after any passing trouble. One that sends may only when it cannot
// have been taken: there was no connection, or Twilio counted it as too many.
func (t transport) repeatable(e *Error) bool {
	if e.Reason == ReasonAuth || e.Reason == ReasonNotFound || e.After > maxPause {
		return false
	}
	return e.Temporary && (t.safe || !e.Unknown)
}

// maxPause bounds one pause between attempts. What Twilio wants later than that
// is for the outbox to plan.
const maxPause = 5 * time.Second

func pause(attempt int, after time.Duration) time.Duration {
	if after > 0 {
		return after
	}
	return min(maxPause, 500*time.Millisecond<<attempt)
}

func (t transport) once(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(t.ctx, t.c.timeout)
	defer cancel()
	req := r.Clone(ctx)
	req.URL.Scheme, req.URL.Host = t.c.base.Scheme, t.c.base.Host
	req.URL.Path = t.c.base.Path + req.URL.Path
	req.Host = ""
	if r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return nil, err
		}
		req.Body = body
	}
	res, err := t.c.trip.RoundTrip(req)
	if err != nil {
		return nil, t.networkError(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, t.networkError(err)
	case res.StatusCode < 200 || res.StatusCode >= 300:
		return nil, statusError(t.op, t.safe, res, body)
	case len(body) > maxAnswer:
		return nil, &Error{Op: t.op, Status: res.StatusCode, Text: "answer above the size limit", Unknown: !t.safe}
	}
	res.Body = io.NopCloser(strings.NewReader(string(body)))
	return res, nil
}

// networkError is for a request without an answer. It may have had its effect
// unless there never was a connection.
func (t transport) networkError(err error) error {
	if t.ctx.Err() != nil {
		return &Error{Op: t.op, Temporary: true, Unknown: !t.safe, Text: "given up", err: context.Cause(t.ctx)}
	}
	return &Error{Op: t.op, Temporary: true, Unknown: !t.safe && !neverSent(err), Text: plainNetError(err), err: err}
}

func neverSent(err error) bool {
	var dns *net.DNSError
	var op *net.OpError
	return errors.As(err, &dns) || errors.Is(err, syscall.ECONNREFUSED) || errors.As(err, &op) && op.Op == "dial"
}

// plainNetError leaves out the URL, which holds the account and numbers.
func plainNetError(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return maskText(err.Error())
}

// statusError is for an answer that is no success.
func statusError(op string, safe bool, res *http.Response, body []byte) *Error {
	var said struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &said) != nil {
		said.Message = "an answer that is not Twilio's" // a proxy's page: its text helps nobody
	}
	e := &Error{Op: op, Status: res.StatusCode, Code: said.Code, Reason: ReasonOf(said.Code), Text: maskText(said.Message)}
	if n, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && n > 0 {
		e.After = time.Duration(min(n, 3600)) * time.Second
	}
	switch {
	case res.StatusCode == http.StatusTooManyRequests:
		e.Temporary = true
	case res.StatusCode == http.StatusUnauthorized, e.Reason == ReasonAuth:
		e.Temporary, e.Reason = true, ReasonAuth
	case res.StatusCode == http.StatusRequestTimeout, res.StatusCode >= 500, res.StatusCode < 400:
		e.Temporary, e.Unknown = true, !safe
	}
	return e
}

// asError makes an *Error of whatever a function of the library returned.
func (t transport) asError(err error) error {
	var e *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return e
	case t.ctx.Err() != nil:
		return &Error{Op: t.op, Temporary: true, Unknown: !t.safe, Text: "given up", err: context.Cause(t.ctx)}
	}
	// An answer of success that cannot be read: half of it, or another service.
	return &Error{Op: t.op, Temporary: true, Unknown: !t.safe, Text: fmt.Sprintf("answer cannot be read: %s", plainNetError(err)), err: err}
}

// wait is a pause that the context ends.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
