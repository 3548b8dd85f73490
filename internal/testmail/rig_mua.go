package testmail

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// MUAOptions say how a person answers.
type MUAOptions struct {
	Subject   string // answers the newest mail whose subject matches this pattern (mutt's ~s); "": the newest
	Name      string // display name of the person; "": from the address
	All       bool   // reply to all
	Bottom    bool   // text below the quote
	NoReplyTo bool   // answer From although there is a Reply-To
	Attach    string // file to attach (mutt only)
}

// MUA makes a real mail client ("mutt" or "s-nail") answer a mail in the inbox
// of a user of the rig, with text. Headers, quoting and encoding are what that
// client really makes. It returns when the client has sent the answer.
func MUA(t TB, r *Rig, client, user, text string, opt MUAOptions) {
	t.Helper()
	NeedReal(t, client)
	home, err := os.MkdirTemp("", "mua")
	if err != nil {
		t.Fatalf("%s: %v", client, err)
	}
	defer os.RemoveAll(home)
	if opt.Name == "" {
		local, _, _ := strings.Cut(user, "@")
		opt.Name = strings.ToUpper(local[:1]) + local[1:]
	}
	m := mua{r: r, home: home, user: user, text: text, opt: opt}
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	run := m.mutt
	if client == "s-nail" {
		run = m.snail
	}
	if out, err := run(ctx); err != nil {
		t.Fatalf("%s of %s did not answer: %v\n%s\n%s", client, user, err, out, r.Log(8))
	}
}

type mua struct {
	r          *Rig
	home, user string
	text       string
	opt        MUAOptions
}

func (m *mua) env() []string {
	return append(os.Environ(), "HOME="+m.home, "TERM=xterm", "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "MAILRC=/dev/null")
}

func (m *mua) login() string { return strings.Replace(m.user, "@", "%40", 1) }

// mutt answers on a terminal of its own; the keys are pushed, the editor is a
// script that adds the text.
func (m *mua) mutt(ctx context.Context) (screen string, err error) {
	editor := "#!/bin/sh\nf=\"$1\"\ncat \"$HOME/text\" >\"$f.new\"; echo >>\"$f.new\"; cat \"$f\" >>\"$f.new\"\n"
	if m.opt.Bottom {
		editor = "#!/bin/sh\nf=\"$1\"\ncat \"$f\" >\"$f.new\"; echo >>\"$f.new\"; cat \"$HOME/text\" >>\"$f.new\"\n"
	}
	editor += "cat \"$f.new\" >\"$f\"; rm \"$f.new\"\n"
	if err := m.files(map[string]string{"text": m.text + "\n", "editor": editor, "muttrc": m.muttrc()}); err != nil {
		return "", err
	}
	if err := os.Chmod(filepath.Join(m.home, "editor"), 0o755); err != nil {
		return "", err
	}
	keys := "<last-entry>"
	if m.opt.Subject != "" {
		keys += "<search-reverse>~s '" + m.opt.Subject + "'<enter>"
	}
	if m.opt.All {
		keys += "<group-reply>"
	} else {
		keys += "<reply>"
	}
	if m.opt.Attach != "" {
		keys += "<attach-file>" + m.opt.Attach + "<enter>"
	}
	keys += "<send-message><quit>"
	cmd := exec.CommandContext(ctx, "mutt", "-n", "-F", filepath.Join(m.home, "muttrc"), "-e", "push \""+keys+"\"")
	cmd.Env, cmd.Dir = m.env(), m.home
	return onScreen(cmd)
}

func (m *mua) muttrc() string {
	replyTo := "yes"
	if m.opt.NoReplyTo {
		replyTo = "no"
	}
	_, domain, _ := strings.Cut(m.user, "@")
	return fmt.Sprintf(`set realname="%s" from="%s" use_from=yes use_envelope_from=yes hostname="%s"
set imap_user="%s" imap_pass="%s" smtp_pass="%s"
set folder="imaps://localhost:%d/" spoolfile="+INBOX" record="+Sent" postponed="+Drafts"
set smtp_url="smtp://%s@localhost:%d/"
set ssl_starttls=yes ssl_force_tls=yes ssl_ca_certificates_file="%s" certificate_file="%s/certs"
set editor="%s/editor" autoedit=yes edit_headers=no include=yes fast_reply=yes copy=yes reply_to=%s
set sleep_time=0 sort=date-received quit=yes confirmappend=no move=no delete=yes mark_old=no wait_key=no beep=no
set timeout=1 abort_unmodified=no abort_nosubject=no abort_noattach=no recall=no
`, m.opt.Name, m.user, domain, m.user, m.r.Password(m.user), m.r.Password(m.user), m.r.IMAPSPort(), m.login(),
		m.r.SubmissionPort(), m.r.CAFile(), m.home, m.home, replyTo)
}

// snail answers in batch mode.
func (m *mua) snail(ctx context.Context) (out string, err error) {
	reply, quote, body := "Reply", "unset quote", m.text+"\n\n~:set quote=noheading\n~Q"
	if m.opt.All {
		reply = "reply"
	}
	if m.opt.Bottom {
		quote, body = "set quote=noheading", m.text
	}
	which := "$"
	if m.opt.Subject != "" {
		which = "\"@subject@" + m.opt.Subject + "\""
	}
	_, domain, _ := strings.Cut(m.user, "@")
	args := []string{"-n", "-#", "-S", "v15-compat", "-S", "sendwait", "-S", fmt.Sprintf("from=%s <%s>", m.opt.Name, m.user),
		"-S", "hostname=" + domain,
		"-S", fmt.Sprintf("mta=smtp://%s:%s@localhost:%d", m.login(), m.r.Password(m.user), m.r.SubmissionPort()),
		"-S", "smtp-use-starttls", "-S", "smtp-auth=plain", "-S", "tls-ca-file=" + m.r.CAFile(), "-S", "tls-ca-no-defaults",
		"-S", "tls-verify=strict", "-S", "indentprefix=> ", "-S", `quote-inject-head=On %d, %r wrote:\n`, "-S", "newmail=nopoll",
	}
	if !m.opt.NoReplyTo {
		args = append(args, "-S", "reply-to-honour")
	}
	args = append(args, "-f", fmt.Sprintf("imaps://%s:%s@localhost:%d/INBOX", m.login(), m.r.Password(m.user), m.r.IMAPSPort()))
	cmd := exec.CommandContext(ctx, "s-nail", args...)
	cmd.Env, cmd.Dir = m.env(), m.home
	cmd.Stdin = strings.NewReader(fmt.Sprintf("%s\n%s %s\n%s\n~.\nexit\n", quote, reply, which, body))
	b, err := cmd.CombinedOutput()
	return string(b), err
}

func (m *mua) files(texts map[string]string) error {
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(m.home, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// onScreen runs a program on a terminal and returns what it drew.
func onScreen(cmd *exec.Cmd) (screen string, err error) {
	ours, theirs, err := openTerminal()
	if err != nil {
		return "", err
	}
	defer ours.Close()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = theirs, theirs, theirs
	cmd.SysProcAttr = onTerminal()
	if err := cmd.Start(); err != nil {
		_ = theirs.Close()
		return "", err
	}
	_ = theirs.Close()
	var b bytes.Buffer
	drawn := make(chan struct{})
	go func() {
		defer close(drawn)
		_, _ = io.Copy(&b, ours) // ends with EIO when the program does
	}()
	err = cmd.Wait()
	<-drawn
	return b.String(), err
}
