package testmail

import (
	"bytes"
	"fmt"
	"net/smtp"
	"strings"
	"time"
)

// Office is a small mail provider in this process: what is submitted by SMTP,
// with a login, lands in the IMAP inbox of its recipient. A subaddress
// (user+anything@) goes to its user. As a good provider does, it records on
// delivery who logged in, in Authentication-Results (RFC 8601).
type Office struct {
	IMAP *IMAP
	SMTP *SMTP
	// Host is the authserv-id and the name in Received fields.
	Host string
}

// NewOffice starts a provider for the users (address to password).
func NewOffice(host string, users map[string]string) (*Office, error) {
	o := &Office{Host: host}
	var err error
	if o.IMAP, err = NewIMAP(IMAPOptions{Users: users, Folders: []string{"Sent", "Drafts", "Trash"}}); err != nil {
		return nil, err
	}
	if o.SMTP, err = NewSMTP(SMTPOptions{Users: users, Deliver: o.deliver, Known: func(to string) bool { return users[baseAddress(to)] != "" }}); err != nil {
		_ = o.IMAP.Close()
		return nil, err
	}
	return o, nil
}

// Close ends both servers.
func (o *Office) Close() error {
	err := o.SMTP.Close()
	if e := o.IMAP.Close(); err == nil {
		err = e
	}
	return err
}

func (o *Office) deliver(m Accepted) error {
	for _, to := range m.To {
		user := baseAddress(to)
		if _, err := o.IMAP.Append(user, "INBOX", o.stamp(m, to)); err != nil {
			return reply(550, fmt.Sprintf("5.1.1 %s: %v", to, err))
		}
	}
	return nil
}

// stamp writes the trace fields of a delivery above the mail, newest first.
func (o *Office) stamp(m Accepted, to string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "Return-Path: <%s>\r\nDelivered-To: %s\r\n", m.From, to)
	if m.User != "" {
		_, domain, _ := strings.Cut(m.User, "@")
		result := "fail"
		if from := headerFrom(m.Raw); baseAddress(from) == m.User {
			result = "pass"
		}
		fmt.Fprintf(&b, "Authentication-Results: %s;\r\n auth=pass smtp.auth=%s;\r\n dmarc=%s header.from=%s\r\n", o.Host, m.User, result, domain)
	}
	fmt.Fprintf(&b, "Received: from localhost (localhost [127.0.0.1])\r\n by %s with ESMTPA;\r\n %s\r\n", o.Host, m.At.Format(time.RFC1123Z))
	b.Write(m.Raw)
	return b.Bytes()
}

// headerFrom returns the addr-spec of the From field, as plainly as a provider
// needs it to compare it with a login.
func headerFrom(raw []byte) string {
	head, _, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	for _, line := range strings.Split(strings.ReplaceAll(string(head), "\r\n ", " "), "\r\n") {
		if len(line) > 5 && strings.EqualFold(line[:5], "from:") {
			v := line[5:]
			if i, j := strings.LastIndexByte(v, '<'), strings.LastIndexByte(v, '>'); i >= 0 && j > i {
				v = v[i+1 : j]
			}
			return strings.ToLower(strings.TrimSpace(v))
		}
	}
	return ""
}

func baseAddress(address string) string {
	local, domain, _ := strings.Cut(strings.ToLower(address), "@")
	local, _, _ = strings.Cut(local, "+")
	return local + "@" + domain
}

// Send submits a mail as a mail client does: by SMTP, logged in as user.
func (o *Office) Send(user, password string, to []string, raw []byte) error {
	return o.SendFrom(user, user, password, to, raw)
}

// SendFrom is Send with an envelope sender of one's own, as a forger writes it.
func (o *Office) SendFrom(sender, user, password string, to []string, raw []byte) error {
	host, _, _ := strings.Cut(o.SMTP.Addr(), ":")
	return smtp.SendMail(o.SMTP.Addr(), smtp.PlainAuth("", user, password, host), sender, to, raw)
}
