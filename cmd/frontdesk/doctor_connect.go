package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"frontdesk/config"
)

// What doctor looks at outside of the machine, when it is told to.

const certificateSoon = 14 * 24 * time.Hour

// examineCertificates asks each mail server, and the customers' pages, when
// their certificate ends. A server that does not answer is check --connect's
// finding.
func (d *desk) examineCertificates(ctx context.Context, now time.Time, found func(string, string, ...any)) error {
	var seen []string
	look := func(name, host string, port int, ends func(context.Context, *tls.Config) error, caFile string) {
		where := address(host, port)
		if slices.Contains(seen, where) {
			return
		}
		seen = append(seen, where)
		end, err := certificateEnd(ctx, host, caFile, ends)
		if err != nil || end.IsZero() {
			return
		}
		if left := end.Sub(now); left < certificateSoon {
			found("renew the certificate of "+where+", or ask whoever runs it", "%s: the certificate of %s ends on %s, %d days from now", name, where, stamp(end), int(left.Hours()/24))
		}
	}
	for _, b := range d.cfg.Brands {
		for _, m := range b.Mailboxes {
			if m.IMAP != nil && m.IMAP.TLS != config.TLSNone {
				look("imap "+m.Address, m.IMAP.Host, m.IMAP.Port, func(ctx context.Context, s *tls.Config) error { return greetIMAP(ctx, *m.IMAP, s) }, m.IMAP.CAFile)
			}
			if m.SMTP.TLS != config.TLSNone {
				look("smtp "+m.Address, m.SMTP.Host, m.SMTP.Port, func(ctx context.Context, s *tls.Config) error { return greetSMTP(ctx, m.SMTP, s) }, m.SMTP.CAFile)
			}
		}
	}
	if u, err := url.Parse(d.cfg.HTTP.PublicURL); err == nil && u.Scheme == "https" && u.Port() == "" {
		look("http.public_url", u.Hostname(), 443, func(ctx context.Context, s *tls.Config) error {
			conn, err := dial(ctx, u.Hostname(), 443, config.TLSImplicit, s)
			if err == nil {
				err = conn.Close()
			}
			return err
		}, "")
	}
	return nil
}

// certificateEnd greets a server and returns when its certificate ends. One
// that has ended already is no error here: it is what is looked for.
func certificateEnd(ctx context.Context, host, caFile string, greet func(context.Context, *tls.Config) error) (end time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, probeDeadline)
	defer cancel()
	settings, err := tlsSettings(host, caFile)
	if err != nil {
		return end, err
	}
	settings.VerifyConnection = func(s tls.ConnectionState) error {
		end = s.PeerCertificates[0].NotAfter // it was verified
		return nil
	}
	err = greet(ctx, settings)
	if refused, ok := errors.AsType[*tls.CertificateVerificationError](err); ok && len(refused.UnverifiedCertificates) > 0 {
		end = refused.UnverifiedCertificates[0].NotAfter
	}
	if !end.IsZero() {
		err = nil
	}
	return end, err
}

func greetIMAP(ctx context.Context, server config.IMAP, settings *tls.Config) error {
	conn, err := dial(ctx, server.Host, server.Port, server.TLS, settings)
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	client, err := imapSession(conn, server.TLS, settings)
	if err != nil {
		return err
	}
	return client.Logout().Wait()
}

func greetSMTP(ctx context.Context, server config.SMTP, settings *tls.Config) error {
	options := []mail.Option{mail.WithPort(server.Port), mail.WithTimeout(probeDeadline), mail.WithTLSConfig(settings)}
	if server.TLS == config.TLSImplicit {
		options = append(options, mail.WithSSL())
	} else {
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	client, err := mail.NewClient(server.Host, options...)
	if err != nil {
		return err
	}
	if err := client.DialWithContext(ctx); err != nil {
		return err
	}
	return client.Close()
}

// examineDNS looks whether receivers can tell the desk's letters from forged
// ones. A name that does not resolve from here says nothing.
func (d *desk) examineDNS(ctx context.Context, _ time.Time, found func(string, string, ...any)) error {
	var seen []string
	for _, b := range d.cfg.Brands {
		for _, m := range b.Mailboxes {
			_, domain, _ := strings.Cut(m.Address, "@")
			if domain == "" || slices.Contains(seen, domain) {
				continue
			}
			seen = append(seen, domain)
			examineDomain(ctx, net.DefaultResolver.LookupTXT, domain, found)
		}
	}
	return nil
}

// examineDomain reads the policies of one domain (RFC 7208 section 3, RFC 7489
// section 6.1). DKIM keys have names that only the mail server knows.
func examineDomain(ctx context.Context, lookup func(context.Context, string) ([]string, error), domain string, found func(string, string, ...any)) {
	ctx, cancel := context.WithTimeout(ctx, probeDeadline)
	defer cancel()
	policies := func(name, begins string) (n int, known bool) {
		list, err := lookup(ctx, name)
		var gone *net.DNSError
		if err != nil && (!errors.As(err, &gone) || !gone.IsNotFound) {
			return 0, false
		}
		for _, text := range list {
			if strings.HasPrefix(strings.ToLower(text), begins) {
				n++
			}
		}
		return n, true
	}
	spf, known := policies(domain, "v=spf1")
	switch {
	case !known:
		return
	case spf == 0:
		found(fmt.Sprintf("publish a TXT record of %s that names your mail server: v=spf1 … -all", domain), "%s has no SPF policy: receivers may take its letters for spam", domain)
	case spf > 1:
		found("merge them into one TXT record", "%s has %d SPF policies: receivers ignore all of them", domain, spf)
	}
	if dmarc, known := policies("_dmarc."+domain, "v=dmarc1"); known && dmarc == 0 {
		found(fmt.Sprintf("publish a TXT record of _dmarc.%s, at first: v=DMARC1; p=none; rua=mailto:…; and have your mail server sign with DKIM", domain),
			"%s has no DMARC policy: anybody may write in its name", domain)
	}
}
