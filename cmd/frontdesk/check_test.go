package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"frontdesk/config"
)

// listenLoopback returns a listener on a free port, closed at the end.
func listenLoopback(t *testing.T) (net.Listener, int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, l.Addr().(*net.TCPAddr).Port
}

// authority signs certificates for 127.0.0.1.
type authority struct {
	certificate tls.Certificate
	file        string // PEM, for ca_file
}

// openAuthority makes a self-signed certificate that is its own authority.
func openAuthority(t *testing.T) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644); err != nil {
		t.Fatal(err)
	}
	return authority{tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file}
}

// TestConnectOverTLS: both ways of TLS, with the authority known and not.
func TestConnectOverTLS(t *testing.T) {
	t.Parallel()
	a := openAuthority(t)
	settings := &tls.Config{Certificates: []tls.Certificate{a.certificate}, MinVersion: tls.VersionTLS12}
	imapPlain, imapStart := listenLoopback(t)
	imapTLS, imapImplicit := listenLoopback(t)
	memory := imapmemserver.New()
	account := imapmemserver.NewUser("u", "hunter2")
	if err := account.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	memory.AddUser(account)
	imapServer := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return memory.NewSession(), nil, nil
		},
		TLSConfig: settings,
		Logger:    log.New(io.Discard, "", 0),
	})
	go imapServer.Serve(imapPlain)
	go imapServer.Serve(tls.NewListener(imapTLS, settings))
	t.Cleanup(func() { imapServer.Close() })

	smtpPlain, smtpStart := listenLoopback(t)
	smtpTLS, smtpImplicit := listenLoopback(t)
	smtpServer := smtp.NewServer(smtpDoor{"u", "hunter2"})
	smtpServer.TLSConfig, smtpServer.ErrorLog = settings, log.New(io.Discard, "", 0)
	go smtpServer.Serve(smtpPlain)
	go smtpServer.Serve(tls.NewListener(smtpTLS, settings))
	t.Cleanup(func() { smtpServer.Close() })

	password := config.NewSecret("hunter2")
	for _, c := range []struct {
		name, caFile, want string
		mode               config.TLSMode
		imap, smtp         int
	}{
		{"starttls", a.file, "", config.TLSStartTLS, imapStart, smtpStart},
		{"implicit", a.file, "", config.TLSImplicit, imapImplicit, smtpImplicit},
		{"starttls, authority unknown", "", "name the authority in ca_file", config.TLSStartTLS, imapStart, smtpStart},
		{"implicit, authority unknown", "", "name the authority in ca_file", config.TLSImplicit, imapImplicit, smtpImplicit},
		{"implicit on a plain port", a.file, "try tls: starttls", config.TLSImplicit, imapStart, smtpStart},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, imapErr := probeIMAP(t.Context(), config.IMAP{
				Host: "127.0.0.1", Port: c.imap, TLS: c.mode, CAFile: c.caFile, Username: "u", Password: password, Auth: config.AuthPassword, Folder: "INBOX",
			})
			_, smtpErr := probeSMTP(t.Context(), config.SMTP{
				Host: "127.0.0.1", Port: c.smtp, TLS: c.mode, CAFile: c.caFile, Username: "u", Password: password, Auth: config.AuthPassword,
			})
			for what, err := range map[string]error{"imap": imapErr, "smtp": smtpErr} {
				if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
					t.Errorf("%s: got %v, want %q", what, err, c.want)
				}
			}
		})
	}
}

// openIMAP starts a mail server in memory with one user, and returns its port.
func openIMAP(t *testing.T, user, password string) int {
	t.Helper()
	l, port := listenLoopback(t)
	memory := imapmemserver.New()
	account := imapmemserver.NewUser(user, password)
	if err := account.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	memory.AddUser(account)
	server := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return memory.NewSession(), nil, nil
		},
		InsecureAuth: true,
	})
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return port
}

// smtpDoor lets one user in and takes no mail.
type smtpDoor struct{ user, password string }

func (d smtpDoor) NewSession(*smtp.Conn) (smtp.Session, error) { return d, nil }
func (d smtpDoor) AuthMechanisms() []string                    { return []string{sasl.Plain} }
func (d smtpDoor) Mail(string, *smtp.MailOptions) error        { return errors.New("no mail here") }
func (d smtpDoor) Rcpt(string, *smtp.RcptOptions) error        { return errors.New("no mail here") }
func (d smtpDoor) Data(io.Reader) error                        { return errors.New("no mail here") }
func (d smtpDoor) Reset()                                      {}
func (d smtpDoor) Logout() error                               { return nil }
func (d smtpDoor) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != d.user || password != d.password {
			return smtp.ErrAuthFailed
		}
		return nil
	}), nil
}

func openSMTP(t *testing.T, user, password string) int {
	t.Helper()
	l, port := listenLoopback(t)
	server := smtp.NewServer(smtpDoor{user, password})
	server.AllowInsecureAuth = true
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return port
}

// mustConfig writes and loads a configuration with one mailbox.
func mustConfig(t *testing.T, imapPort, smtpPort int, folder string) *config.Config {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"secret":  strings.Repeat("s", 40),
		"mail.pw": "hunter2",
		"frontdesk.yaml": fmt.Sprintf(`data_dir: data
secret_file: secret
brands:
  example:
    name: Example
    mailboxes:
      - address: support@example.com
        imap: {host: 127.0.0.1, port: %d, tls: none, password_file: mail.pw, folder: %q}
        smtp: {host: 127.0.0.1, port: %d, tls: none, username: support@example.com, password_file: mail.pw}
agents: [{email: asha@example.com}]
`, imapPort, folder, smtpPort),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := config.Load(filepath.Join(dir, "frontdesk.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func connectReport(t *testing.T, cfg *config.Config) (*checkReport, string) {
	t.Helper()
	report := &checkReport{OK: true, File: cfg.Path, Findings: config.Findings{}}
	report.connect(t.Context(), cfg, probesOf(cfg))
	var out strings.Builder
	err := report.print(&out, cfg, false)
	var coded *exitError
	if wrong := errors.As(err, &coded) == report.OK; wrong {
		t.Errorf("ok=%v, but the command ends with %v", report.OK, err)
	}
	if strings.Contains(out.String(), "hunter2") {
		t.Errorf("leaks the password:\n%s", out.String())
	}
	return report, out.String()
}

func TestConnectLogsIn(t *testing.T) {
	t.Parallel()
	imapPort, smtpPort := openIMAP(t, "support@example.com", "hunter2"), openSMTP(t, "support@example.com", "hunter2")
	report, out := connectReport(t, mustConfig(t, imapPort, smtpPort, "INBOX"))
	if !report.OK {
		t.Fatalf("findings:\n%s", out)
	}
	for _, want := range []string{
		"frontdesk.db will be made by the first run",
		fmt.Sprintf("ok imap support@example.com: logged in to 127.0.0.1:%d, messages=0 in \"INBOX\"\n", imapPort),
		fmt.Sprintf("ok smtp support@example.com: logged in to 127.0.0.1:%d\n", smtpPort),
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
}

func TestConnectSaysWhatToDo(t *testing.T) {
	t.Parallel()
	closed, closedPort := listenLoopback(t)
	closed.Close()
	for _, c := range []struct {
		name     string
		cfg      func(t *testing.T) *config.Config
		findings []string
	}{
		{"wrong password", func(t *testing.T) *config.Config {
			return mustConfig(t, openIMAP(t, "support@example.com", "other"), openSMTP(t, "support@example.com", "other"), "INBOX")
		}, []string{
			":8: brands.example.mailboxes[0].imap: imap support@example.com: login: ",
			":9: brands.example.mailboxes[0].smtp: smtp support@example.com: login: ",
			"check username, password_file and auth",
		}},
		{"nothing listens", func(t *testing.T) *config.Config { return mustConfig(t, closedPort, closedPort, "INBOX") }, []string{
			":8: brands.example.mailboxes[0].imap: ", ":9: brands.example.mailboxes[0].smtp: ", "nothing listens there",
		}},
		{"no such folder", func(t *testing.T) *config.Config {
			return mustConfig(t, openIMAP(t, "support@example.com", "hunter2"), openSMTP(t, "support@example.com", "hunter2"), "Support")
		}, []string{`select folder "Support"`, "check the name of folder"}},
		{"data folder is a file", func(t *testing.T) *config.Config {
			cfg := mustConfig(t, openIMAP(t, "support@example.com", "hunter2"), openSMTP(t, "support@example.com", "hunter2"), "INBOX")
			if err := os.WriteFile(cfg.DataDir, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			return cfg
		}, []string{":1: data_dir: database: ", "is not a folder"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			report, out := connectReport(t, c.cfg(t))
			if report.OK {
				t.Errorf("nothing found:\n%s", out)
			}
			for _, want := range c.findings {
				if !strings.Contains(out, want) {
					t.Errorf("no %q in:\n%s", want, out)
				}
			}
		})
	}
}

// TestProbeEndsWithItsContext: a server that accepts and says nothing holds
// nobody up.
func TestProbeEndsWithItsContext(t *testing.T) {
	t.Parallel()
	silent, port := listenLoopback(t)
	asked := make(chan struct{}, 2)
	go func() {
		for {
			if _, err := silent.Accept(); err != nil {
				return
			}
			asked <- struct{}{}
		}
	}()
	cfg := mustConfig(t, port, port, "INBOX")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := probeIMAP(ctx, *cfg.Brands[0].Mailboxes[0].IMAP)
		done <- err
	}()
	<-asked
	cancel()
	if err := <-done; err == nil {
		t.Error("no error from a silent server")
	}
}
