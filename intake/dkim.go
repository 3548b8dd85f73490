package intake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"frontdesk/parser"
	"frontdesk/tickets"
)

const (
	maxSignatures = 5
	dkimTimeout   = 5 * time.Second
)

// byDKIM verifies the signatures here (RFC 6376). Keys are asked for only where
// the signing domain is aligned with From's: a stranger's mail makes no look-ups
// of his choosing.
func (a Authenticator) byDKIM(ctx context.Context, m *parser.Mail, raw []byte, from string) tickets.Auth {
	if len(m.Values("DKIM-Signature")) == 0 {
		return tickets.Auth{Method: "none", Detail: "no DKIM signature"}
	}
	ctx, cancel := context.WithTimeout(ctx, dkimTimeout)
	defer cancel()
	checks, err := dkim.VerifyWithOptions(newWireForm(raw, a.Passed), &dkim.VerifyOptions{
		LookupTXT:        func(name string) ([]string, error) { return a.key(ctx, name, from) },
		MaxVerifications: maxSignatures,
	})
	if err != nil && !errors.Is(err, dkim.ErrTooManySignatures) {
		return tickets.Auth{Method: "none", Detail: "DKIM not verified: " + err.Error()}
	}
	var seen []string
	later := false
	for _, c := range checks {
		later = later || dkim.IsTempFail(c.Err)
		switch {
		case c.Err != nil:
			seen = append(seen, fmt.Sprintf("signature of %.100q: %s", c.Domain, strings.TrimPrefix(c.Err.Error(), "dkim: ")))
		case !aligned(c.Domain, from):
			seen = append(seen, fmt.Sprintf("signature of %.100q is not aligned with %s", c.Domain, from))
		default:
			return tickets.Auth{Pass: true, Method: "dkim", Detail: fmt.Sprintf("DKIM signature of %s verified here, aligned with %s", c.Domain, from)}
		}
	}
	return tickets.Auth{Method: "none", Detail: strings.Join(seen, "; "), Later: later}
}

// key looks a public key up. A key in test mode (t=y) proves nothing (RFC 6376
// section 3.6.1).
func (a Authenticator) key(ctx context.Context, name, from string) ([]string, error) {
	_, domain, ok := strings.Cut(name, "._domainkey.")
	if !ok || !aligned(domain, from) {
		return nil, fmt.Errorf("not asked for: not aligned with %s", from)
	}
	lookup := a.LookupTXT
	if lookup == nil {
		lookup = net.DefaultResolver.LookupTXT
	}
	txts, err := lookup(ctx, name)
	if err != nil {
		return nil, err
	}
	for _, txt := range txts {
		for tag := range strings.SplitSeq(txt, ";") {
			k, v, _ := strings.Cut(tag, "=")
			if strings.TrimSpace(k) == "t" && strings.Contains(v, "y") {
				return nil, errors.New("the key is in test mode")
			}
		}
	}
	return txts, nil
}

// wireForm reads a mail as it was signed: lines end with CRLF, and no mbox
// "From " line stands on top. It is read piece by piece: see Passed.
type wireForm struct {
	rest   []byte
	last   byte // read before rest
	out    []byte
	buf    []byte
	passed func()
	since  int // bytes read since passed was told
}

func newWireForm(raw []byte, passed func()) *wireForm {
	if bytes.HasPrefix(raw, []byte("From ")) {
		if i := bytes.IndexByte(raw, '\n'); i >= 0 {
			raw = raw[i+1:]
		}
	}
	return &wireForm{rest: raw, passed: passed, buf: make([]byte, 0, min(len(raw)+len(raw)/32, 33<<10))}
}

func (w *wireForm) Read(b []byte) (int, error) {
	if len(w.out) == 0 {
		if len(w.rest) == 0 {
			return 0, io.EOF
		}
		w.fill()
	}
	n := copy(b, w.out)
	w.out = w.out[n:]
	return n, nil
}

func (w *wireForm) fill() {
	in := w.rest[:min(len(w.rest), 32<<10)]
	w.rest, w.buf = w.rest[len(in):], w.buf[:0]
	if w.since += len(in); w.since > 256<<10 && w.passed != nil {
		w.passed()
		w.since = 0
	}
	for len(in) > 0 {
		i := bytes.IndexByte(in, '\n')
		if i < 0 {
			w.buf, w.last = append(w.buf, in...), in[len(in)-1]
			break
		}
		if i > 0 {
			w.buf, w.last = append(w.buf, in[:i]...), in[i-1]
		}
		if w.last != '\r' {
			w.buf = append(w.buf, '\r')
		}
		w.buf, w.last, in = append(w.buf, '\n'), '\n', in[i+1:]
	}
	w.out = w.buf
}
