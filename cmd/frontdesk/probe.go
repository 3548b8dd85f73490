package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	_ "github.com/jackc/pgx/v5/stdlib" // driver "pgx"
	"github.com/wneessen/go-mail"
	_ "modernc.org/sqlite" // driver "sqlite"

	"frontdesk/config"
	"frontdesk/phone"
)

// probesOf lists what "check --connect" asks, in the order of the file.
func probesOf(cfg *config.Config) []probe {
	probes := []probe{databaseProbe(cfg)}
	tokens := &probeTokens{cfg: cfg}
	for _, b := range cfg.Brands {
		for i, m := range b.Mailboxes {
			key := fmt.Sprintf("brands.%s.mailboxes[%d]", b.ID, i)
			if m.IMAP != nil {
				probes = append(probes, probe{"imap " + m.Address, key + ".imap", func(ctx context.Context) (string, error) {
					return tokens.run(ctx, m, m.IMAP.Auth, func(token string) (string, error) { return probeIMAPWith(ctx, *m.IMAP, token) })
				}})
			}
			probes = append(probes, probe{"smtp " + m.Address, key + ".smtp", func(ctx context.Context) (string, error) {
				return tokens.run(ctx, m, m.SMTP.Auth, func(token string) (string, error) { return probeSMTPWith(ctx, m.SMTP, token) })
			}})
		}
	}
	if cfg.Twilio != nil {
		probes = append(probes, probe{"twilio", "twilio", func(ctx context.Context) (string, error) { return probeTwilio(ctx, cfg) }})
	}
	return probes
}

func databaseProbe(cfg *config.Config) probe {
	if cfg.Database.IsPostgres() {
		return probe{"database", "database", func(ctx context.Context) (string, error) { return probePostgres(ctx, string(cfg.Database)) }}
	}
	return probe{"database", "data_dir", func(ctx context.Context) (string, error) { return probeSQLite(ctx, cfg.DataDir) }}
}

// probePostgres pings the server. The driver's errors may quote the URL, so
// only what they wrap is shown.
func probePostgres(ctx context.Context, url string) (string, error) {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return "", errors.New("not a database URL: see the example in the commented configuration")
	}
	defer db.Close()
	var version string
	if err := db.QueryRowContext(ctx, "SHOW server_version").Scan(&version); err != nil {
		return "", fmt.Errorf("%s: check host, user, password and that the database exists (createdb)", innermost(err))
	}
	return "PostgreSQL " + version, nil
}

// innermost returns the text of the error at the end of the chain.
func innermost(err error) string {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err.Error()
		}
		err = next
	}
}

// probeSQLite shows that the data folder, or the nearest one above it that is
// there, can be written, and that an existing database opens.
func probeSQLite(ctx context.Context, dataDir string) (string, error) {
	file := filepath.Join(dataDir, "frontdesk.db")
	folder, err := nearestFolder(dataDir)
	if err != nil {
		return "", err
	}
	if err := writable(folder); err != nil {
		return "", fmt.Errorf("folder %q cannot be written: %w: chown it to the user that runs frontdesk", folder, err)
	}
	if _, err := os.Stat(file); err != nil {
		return fmt.Sprintf("%s will be made by the first run", file), nil
	}
	db, err := sql.Open("sqlite", "file:"+uriPath(file)+"?mode=rw")
	if err != nil {
		return "", err
	}
	defer db.Close()
	var tables int
	if err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table'").Scan(&tables); err != nil {
		return "", fmt.Errorf("%s: %w: restore a backup (frontdesk restore FILE) or check the disk", file, err)
	}
	return fmt.Sprintf("%s, tables=%d", file, tables), nil
}

// uriPath writes a file name for an SQLite URI.
func uriPath(name string) string {
	return strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(name)
}

// nearestFolder returns dir, or the folder above it that exists.
func nearestFolder(dir string) (string, error) {
	for {
		info, err := os.Stat(dir)
		if err == nil && info.IsDir() {
			return dir, nil
		}
		if err == nil {
			return "", fmt.Errorf("%q is not a folder", dir)
		}
		if !errors.Is(err, os.ErrNotExist) || dir == filepath.Dir(dir) {
			return "", err
		}
		dir = filepath.Dir(dir)
	}
}

func writable(folder string) error {
	f, err := os.CreateTemp(folder, ".frontdesk-check-*")
	if err != nil {
		var p *os.PathError
		if errors.As(err, &p) {
			return p.Err
		}
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// probeIMAP logs in and selects the folder. Whatever the library does with its
// deadlines, the connection dies with ctx.
func probeIMAP(ctx context.Context, server config.IMAP) (string, error) {
	return probeIMAPWith(ctx, server, "")
}

// probeIMAPWith is probeIMAP with a token, "" the password.
func probeIMAPWith(ctx context.Context, server config.IMAP, token string) (string, error) {
	settings, err := tlsSettings(server.Host, server.CAFile)
	if err != nil {
		return "", err
	}
	conn, err := dial(ctx, server.Host, server.Port, server.TLS, settings)
	if err != nil {
		return "", connectHint(err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()

	client, err := imapSession(conn, server.TLS, settings)
	if err != nil {
		return "", connectHint(err)
	}
	if token != "" {
		err = bearerIMAP(client, server, token)
	} else if err = client.Login(server.Username, server.Password.Reveal()).Wait(); err != nil {
		err = loginHint("login", err)
	}
	if err != nil {
		return "", err
	}
	selected, err := client.Select(server.Folder, &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil {
		return "", fmt.Errorf("select folder %q: %w: check the name of folder", server.Folder, err)
	}
	if err := client.Logout().Wait(); err != nil {
		return "", fmt.Errorf("logout: %w", err)
	}
	return fmt.Sprintf("logged in to %s, messages=%d in %q", address(server.Host, server.Port), selected.NumMessages, server.Folder), nil
}

// imapSession greets the server, after STARTTLS where that is wanted.
func imapSession(conn net.Conn, mode config.TLSMode, settings *tls.Config) (*imapclient.Client, error) {
	options := &imapclient.Options{TLSConfig: settings}
	if mode == config.TLSStartTLS {
		return imapclient.NewStartTLS(conn, options)
	}
	client := imapclient.New(conn, options)
	return client, client.WaitGreeting()
}

// dial connects, with TLS from the first byte in mode implicit.
func dial(ctx context.Context, host string, port int, mode config.TLSMode, settings *tls.Config) (net.Conn, error) {
	if mode == config.TLSImplicit {
		return (&tls.Dialer{Config: settings}).DialContext(ctx, "tcp", address(host, port))
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", address(host, port))
}

func address(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }

// tlsSettings trusts caFile alone when it is given, else the system's authorities.
func tlsSettings(host, caFile string) (*tls.Config, error) {
	settings := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if caFile == "" {
		return settings, nil
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("ca_file: %w", err)
	}
	settings.RootCAs = x509.NewCertPool()
	if !settings.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("ca_file %q holds no PEM certificate", caFile)
	}
	return settings, nil
}

// probeSMTP greets the server and logs in; no mail is sent.
func probeSMTP(ctx context.Context, server config.SMTP) (string, error) {
	return probeSMTPWith(ctx, server, "")
}

// probeSMTPWith is probeSMTP with a token, "" the password.
func probeSMTPWith(ctx context.Context, server config.SMTP, token string) (string, error) {
	settings, err := tlsSettings(server.Host, server.CAFile)
	if err != nil {
		return "", err
	}
	options := []mail.Option{mail.WithPort(server.Port), mail.WithTimeout(probeDeadline), mail.WithTLSConfig(settings)}
	switch server.TLS {
	case config.TLSImplicit:
		options = append(options, mail.WithSSL())
	case config.TLSStartTLS:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	default:
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	}
	bearer, explain := bearerSMTP(server, token)
	if token != "" {
		options = append(options, mail.WithSMTPAuthCustom(bearer))
	} else if server.Username != "" {
		options = append(options, mail.WithSMTPAuth(smtpAuth(server)), mail.WithUsername(server.Username), mail.WithPassword(server.Password.Reveal()))
	}
	client, err := mail.NewClient(server.Host, options...)
	if err != nil {
		return "", err
	}
	if err := client.DialWithContext(ctx); err != nil {
		if token != "" {
			return "", explain(err)
		}
		if server.Username != "" && server.TLS == config.TLSNone && strings.HasSuffix(err.Error(), "does not support SMTP AUTH") {
			// What the sender does, too: a relay beside the desk that asks for no
			// login gets none.
			server.Username = ""
			found, err := probeSMTP(ctx, server)
			return strings.Replace(found, "no login", "which offers no login: the username is not used", 1), err
		}
		return "", smtpHint(err)
	}
	if err := client.Close(); err != nil {
		return "", fmt.Errorf("quit: %w", err)
	}
	if server.Username == "" {
		return fmt.Sprintf("greeted by %s, no login", address(server.Host, server.Port)), nil
	}
	return "logged in to " + address(server.Host, server.Port), nil
}

// probeTwilio logs in to the account; nothing is sent and nobody is called.
func probeTwilio(ctx context.Context, cfg *config.Config) (string, error) {
	client, err := newPhoneClient(cfg)
	if err != nil {
		return "", err
	}
	if err := client.Check(ctx); err != nil {
		return "", twilioHint(cfg, err)
	}
	phones := 0
	for _, b := range cfg.Brands {
		phones += len(b.Phones)
	}
	return fmt.Sprintf("logged in to %s, phones=%d; at Twilio their webhooks are %s (voice) and %s (texts)",
		cfg.Twilio.APIBaseURL, phones, cfg.HTTP.PublicURL+phone.PathVoice, cfg.HTTP.PublicURL+phone.PathSMS), nil
}

func twilioHint(cfg *config.Config, err error) error {
	if strings.Contains(err.Error(), "Illegal chars") { // the library's words: nothing was sent
		return errors.New("the auth token or the secret of the API key holds characters that Twilio never gives: write it into its file anew")
	}
	var e *phone.Error
	if errors.As(err, &e) && (e.Status == 401 || e.Status == 403) {
		if cfg.Twilio.APIKeySID != "" {
			return fmt.Errorf("%s: check account_sid, api_key_sid and api_key_secret_file", oneLine(err))
		}
		return fmt.Errorf("%s: check account_sid and auth_token_file", oneLine(err))
	}
	return connectHint(err)
}

func smtpAuth(server config.SMTP) mail.SMTPAuthType {
	if server.TLS == config.TLSNone {
		return mail.SMTPAuthPlainNoEnc // the configuration allowed it: loopback, or insecure: true
	}
	return mail.SMTPAuthAutoDiscover
}

// smtpHint tells a refused login from a refused connection.
func smtpHint(err error) error {
	if strings.Contains(err.Error(), "AUTH") || strings.Contains(err.Error(), "535") {
		return loginHint("login", err)
	}
	return connectHint(err)
}

func loginHint(what string, err error) error {
	return fmt.Errorf("%s: %s: check username, password_file and auth", what, oneLine(err))
}

// connectHint adds what to look at next to an error of a connection.
func connectHint(err error) error {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var record tls.RecordHeaderError
	var dns *net.DNSError
	hint := "check host, port and tls"
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		hint = "nothing listens there: check host and port, and that the server runs"
	case errors.As(err, &dns):
		hint = "check the spelling of host"
	case errors.As(err, &unknown):
		hint = "name the authority in ca_file"
	case errors.As(err, &name):
		hint = "host must be a name in the server's certificate"
	case errors.As(err, &record):
		hint = "the server does not speak TLS on this port: try tls: starttls, or another port"
	}
	return fmt.Errorf("%s: %s", oneLine(err), hint)
}

func oneLine(err error) string {
	return strings.Join(strings.Fields(err.Error()), " ")
}
