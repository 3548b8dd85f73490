package config

import (
	"crypto/x509"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// minSecret is the least number of bytes of secret_file: 256 bits.
const minSecret = 32

// check finds what is readable but wrong: values that contradict each other,
// references that point nowhere, files that are not there.
func check(cfg *Config, l *loader) {
	c := &checker{cfg: cfg, loader: l}
	c.top()
	c.blobs()
	c.twilio()
	c.listeners()
	c.oauth()
	c.people()
	for i := range cfg.Brands {
		c.brand(&cfg.Brands[i])
	}
	c.mailAddresses()
	c.sorting()
	c.contracts()
	c.roles()
	c.surveys()
	c.law()
	c.alerts()
	c.returns()
	c.schedules()
	c.reminders()
}

type checker struct {
	*loader
	cfg *Config
}

// at adds a finding unless the key has one: one mistake, one line.
func (c *checker) at(key, format string, args ...any) {
	if !c.faulty(key) {
		c.add(key, format, args...)
	}
}

func (c *checker) top() {
	for name, pattern := range c.cfg.Facts {
		if _, err := regexp.Compile(pattern); err != nil {
			c.at("facts."+name, "%q is no regular expression: %v", pattern, err)
		}
	}
	cfg := c.cfg
	if n := len(cfg.Secret.Reveal()); cfg.Secret.IsSet() && n < minSecret {
		c.at("secret_file", "%d bytes are too few: write %d random ones (example: openssl rand -hex 32)", n, minSecret)
	}
	c.oldSecrets()
	if info, err := c.stat(cfg.DataDir); err == nil && !info.IsDir() {
		c.at("data_dir", "not a folder")
	}
	c.folder("letters_dir", cfg.LettersDir)
	c.folder("knowledge_dir", cfg.KnowledgeDir)
	if cfg.Closing.CloseAfter <= cfg.Closing.RemindAfter && cfg.Closing.RemindAfter > 0 {
		c.at("closing.close_after", "not longer than remind_after: the customer would be asked after the ticket is closed")
	}
	if cfg.Nodes.Lease < 3*time.Second || cfg.Nodes.Lease > 5*time.Minute {
		c.at("nodes.lease", "%s is out of bounds (allowed: 3s to 5m)", cfg.Nodes.Lease)
	}
	for i, t := range cfg.Limits.AttachmentTypes {
		if !mediaType.MatchString(t) {
			c.at(fmt.Sprintf("limits.attachment_types[%d]", i), "%q is not a media type (allowed: application/pdf, image/*)", t)
		}
	}
}

// oldSecrets checks what is believed beside secret_file.
func (c *checker) oldSecrets() {
	seen := map[string]string{c.cfg.Secret.Reveal(): "secret_file"}
	for i, s := range c.cfg.OldSecrets {
		key := fmt.Sprintf("old_secret_files[%d]", i)
		switch n, other := len(s.Reveal()), seen[s.Reveal()]; {
		case !s.IsSet():
		case n < minSecret:
			c.at(key, "%d bytes are too few for a secret of the desk: was it ever secret_file? (allowed: %d or more)", n, minSecret)
		case other != "":
			c.at(key, "holds the same as %s: keep a copy of the old file before you write a new secret", other)
		}
		seen[s.Reveal()] = key
	}
}

var mediaType = regexp.MustCompile(`^[a-z0-9]+/[a-z0-9.+*_-]+$`)

// folder checks a folder that is named in the file.
func (c *checker) folder(key, name string) {
	if name == "" {
		return
	}
	if info, err := c.stat(name); err != nil || !info.IsDir() {
		c.at(key, "no such folder: make it, or remove the line")
	}
}

// url checks an http(s) address without query and fragment.
func (c *checker) url(key, text string) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		c.at(key, "not a web address (example: https://desk.example.com)")
	}
}

func (c *checker) listeners() {
	h := c.cfg.HTTP
	if h.PublicURL != "" {
		c.url("http.public_url", h.PublicURL)
	}
	for i, text := range h.TrustedProxies {
		if _, err := network(text); err != nil {
			c.at(fmt.Sprintf("http.trusted_proxies[%d]", i), "%v", err)
		}
	}
	for i, name := range h.AdminHosts {
		if strings.TrimSpace(name) == "" || strings.ContainsAny(name, ":/ *") {
			c.at(fmt.Sprintf("http.admin_hosts[%d]", i), "%q is not a name of a host (example: metrics.example.com)", name)
		}
	}
	taken := map[string]string{}
	for _, listener := range []struct {
		key, address string
		loopback     bool
	}{
		{"http.listen", h.Listen, false},
		{"http.admin_listen", h.AdminListen, true},
		{"lmtp.listen", c.cfg.LMTP.Listen, false},
	} {
		if listener.address == "" {
			continue
		}
		host, port, err := hostPort(listener.address)
		switch other := taken[listener.address]; {
		case err != nil:
			c.at(listener.key, "%v", err)
		case listener.loopback && !isLoopback(host):
			c.at(listener.key, "%q can be reached from other machines, and nothing protects it (allowed: 127.0.0.1:%d, [::1]:%d)", listener.address, port, port)
		case other != "" && port != 0:
			c.at(listener.key, "%q is taken by %s", listener.address, other)
		}
		taken[listener.address] = listener.key
	}
}

// hostPort splits a listening address.
func hostPort(address string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(address)
	port, err2 := strconv.Atoi(text)
	if err != nil || err2 != nil || port < 0 || port > 65535 {
		return "", 0, fmt.Errorf("%q is not host:port (example: 127.0.0.1:8025)", address)
	}
	return host, port, nil
}

// isLoopback reports whether host is surely this machine: no name is looked up.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

func (c *checker) people() {
	cfg := c.cfg
	agents, teams := map[string]int{}, ids(cfg.Teams, func(t Team) string { return t.ID })
	for i, a := range cfg.Agents {
		key := fmt.Sprintf("agents[%d]", i)
		c.address(key+".email", a.Email)
		if first, twice := agents[a.Email]; twice && a.Email != "" {
			c.at(key+".email", "%q is agents[%d] already", a.Email, first)
		} else {
			agents[a.Email] = i
		}
		if a.Phone != "" {
			c.phone(key+".phone", a.Phone)
		}
		for j, b := range a.Brands {
			c.reference(fmt.Sprintf("%s.brands[%d]", key, j), b, "brand", ids(cfg.Brands, func(b Brand) string { return b.ID }))
		}
		if a.Hours == nil && a.Timezone != nil {
			c.at(key+".timezone", "of no use without hours: remove it, or say when the agent works")
		}
	}
	for _, t := range cfg.Teams {
		for i, member := range t.Members {
			if _, ok := agents[member]; !ok && c.has("teams") && !c.faulty("agents") {
				c.at(fmt.Sprintf("teams.%s.members[%d]", t.ID, i), "%q is not an agent%s", member, didYouMean(member, emails(cfg.Agents)))
			}
		}
	}
	for _, q := range cfg.Queues {
		c.reference("queues."+q.ID+".team", q.Team, "team", teams)
		for i, tier := range q.Tiers {
			c.reference(fmt.Sprintf("queues.%s.tiers[%d]", q.ID, i), tier, "team", teams)
		}
	}
}

func ids[T any](list []T, id func(T) string) []string {
	out := make([]string, len(list))
	for i, item := range list {
		out[i] = id(item)
	}
	return out
}

func emails(agents []Agent) []string {
	return ids(agents, func(a Agent) string { return a.Email })
}

// reference checks that name is one of known; kind says of what.
func (c *checker) reference(key, name, kind string, known []string) {
	if name != "" && len(known) > 0 && !slices.Contains(known, name) {
		c.at(key, "no %s %q%s", kind, name, didYouMean(name, known))
	}
}

// address checks a plain mail address.
func (c *checker) address(key, address string) {
	if address == "" {
		return // "missing" is reported already
	}
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Address != address || parsed.Name != "" {
		c.at(key, "%q is not a mail address (example: name@example.com)", address)
	}
}

var phoneNumber = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

func (c *checker) phone(key, number string) {
	if !phoneNumber.MatchString(number) {
		c.at(key, "%q is not an international number (example: \"+4930123456\")", number)
	}
}

var (
	color    = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)
	hostName = regexp.MustCompile(`^([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$`)
)

func (c *checker) brand(b *Brand) {
	if b.Country != "" && !countryCode.MatchString(b.Country) {
		c.at("brands."+b.ID+".country", "%q is not two capital letters (example: DE)", b.Country)
	}
	key := "brands." + b.ID
	if b.Color != "" && !color.MatchString(b.Color) {
		c.at(key+".color", "%q is not a colour (example: #1f4e79)", b.Color)
	}
	if b.Domain != "" && !hostName.MatchString(b.Domain) {
		c.at(key+".domain", "%q is not a domain name", b.Domain)
	}
	for i := range b.Mailboxes {
		c.mailbox(fmt.Sprintf("%s.mailboxes[%d]", key, i), &b.Mailboxes[i])
	}
	for i := range b.Phones {
		c.line(fmt.Sprintf("%s.phones[%d]", key, i), b, &b.Phones[i])
	}
}

func (c *checker) mailbox(key string, m *Mailbox) {
	c.address(key+".address", m.Address)
	c.reference(key+".queue", m.Queue, "queue", ids(c.cfg.Queues, func(q Queue) string { return q.ID }))
	switch {
	case m.Intake == IntakeIMAP && m.IMAP == nil:
		c.at(key+".imap", "missing: intake imap fetches from it")
	case m.Intake != IntakeIMAP && m.IMAP != nil:
		c.at(key+".intake", "%s does not use the imap block: remove one of them", m.Intake)
	case m.Intake == IntakeLMTP && c.cfg.LMTP.Listen == "":
		c.at(key+".intake", "lmtp needs lmtp.listen at the top of the file (example: 127.0.0.1:8024)")
	}
	c.tokens(key, m)
	if len(m.Subaddressing) > 1 || strings.ContainsAny(m.Subaddressing, "@ \t<>\",;:.") {
		c.at(key+".subaddressing", "%q is not a separator (allowed: +, -, = or \"\")", m.Subaddressing)
	}
	if local, _, _ := strings.Cut(m.Address, "@"); m.Subaddressing == "+" && strings.Contains(local, "+") {
		c.at(key+".address", "%q holds the subaddressing separator", m.Address)
	}
	for i, name := range m.InternalRelays {
		if !hostName.MatchString(name) {
			c.at(fmt.Sprintf("%s.internal_relays[%d]", key, i), "%q is not a host name", name)
		}
	}
	if m.IMAP != nil {
		i := m.IMAP
		c.server(key+".imap", i.Host, i.TLS, i.Insecure, i.CAFile)
		if !i.Password.IsSet() && i.Auth == AuthPassword {
			c.at(key+".imap.password_file", "missing: file with the password of %s", i.Username)
		}
		if m.ProcessedFolder != "" && m.ProcessedFolder == i.Folder {
			c.at(key+".processed_folder", "is the folder that is read")
		}
	}
	s := &m.SMTP
	c.server(key+".smtp", s.Host, s.TLS, s.Insecure, s.CAFile)
	switch {
	case s.Username != "" && !s.Password.IsSet() && s.Auth == AuthPassword:
		c.at(key+".smtp.password_file", "missing: file with the password of %s", s.Username)
	case s.Username == "" && s.Password.IsSet():
		c.at(key+".smtp.username", "missing: there is a password and nobody to log in")
	}
}

// server checks what IMAP and SMTP have in common.
func (c *checker) server(key, host string, mode TLSMode, insecure bool, caFile string) {
	if host == "" {
		return // "missing" is reported already
	}
	if _, err := netip.ParseAddr(host); err != nil && !hostName.MatchString(host) {
		c.at(key+".host", "%q is not a host name or address", host)
	}
	if mode == TLSNone && !insecure && !isLoopback(host) {
		c.at(key+".tls", "none would send the password in clear text to %s (allowed: starttls, implicit, or insecure: true beside it)", host)
	}
	if caFile == "" {
		return
	}
	pem, err := c.readRegular(caFile)
	switch {
	case err != nil:
		c.at(key+".ca_file", "%v", err)
	case !x509.NewCertPool().AppendCertsFromPEM(pem):
		c.at(key+".ca_file", "holds no PEM certificate")
	}
}

// readRegular returns a file of moderate size.
func (c *checker) readRegular(name string) ([]byte, error) {
	info, err := c.stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("no such file")
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("size %d above limit %d", info.Size(), maxFile)
	}
	raw, err := c.readFile(name)
	return raw, cause(err)
}

// mailAddresses checks that each address and number has one meaning.
func (c *checker) mailAddresses() {
	mailboxes, numbers := map[string]string{}, map[string]string{}
	for _, b := range c.cfg.Brands {
		for i, m := range b.Mailboxes {
			key := fmt.Sprintf("brands.%s.mailboxes[%d].address", b.ID, i)
			if other, twice := mailboxes[m.Address]; twice && m.Address != "" {
				c.at(key, "%q is %s already", m.Address, other)
			} else {
				mailboxes[m.Address] = key
			}
		}
		for i, p := range b.Phones {
			key := fmt.Sprintf("brands.%s.phones[%d].number", b.ID, i)
			if other, twice := numbers[p.Number]; twice && p.Number != "" {
				c.at(key, "%q is %s already", p.Number, other)
			} else {
				numbers[p.Number] = key
			}
		}
	}
	for i, a := range c.cfg.Agents {
		if other, both := mailboxes[a.Email]; both && a.Email != "" {
			c.at(fmt.Sprintf("agents[%d].email", i), "%q is %s: an agent's own mail would open tickets", a.Email, other)
		}
		if other, both := numbers[a.Phone]; both && a.Phone != "" {
			c.at(fmt.Sprintf("agents[%d].phone", i), "%q is %s: the desk would ring itself", a.Phone, other)
		}
	}
}

func (c *checker) schedules() {
	for _, s := range c.cfg.Schedules {
		key := "schedules." + s.ID
		if s.Cron != "" {
			if err := checkCron(s.Cron); err != nil {
				c.at(key+".cron", "%q: %v", s.Cron, err)
			}
		}
		for i, to := range s.To {
			c.address(fmt.Sprintf("%s.to[%d]", key, i), to)
		}
	}
}

// cronFrom is a day from which every line that can fire does so within the
// parser's horizon of five years, leap days included.
var cronFrom = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// checkCron reports what is wrong with a line of five fields. The parser
// panics on some zones (TZ=0), accepts macros that are not five fields, and
// takes lines that never fire.
func checkCron(line string) (err error) {
	const form = "allowed: minute hour day month weekday, as in 0 8 * * mon"
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("not a cron line (%s)", form)
		}
	}()
	rest := line
	if zone, after, ok := strings.Cut(line, " "); ok && (strings.HasPrefix(zone, "TZ=") || strings.HasPrefix(zone, "CRON_TZ=")) {
		_, name, _ := strings.Cut(zone, "=")
		if _, err := time.LoadLocation(name); err != nil || name == "" || name == "Local" {
			return fmt.Errorf("unknown time zone %q", name)
		}
		rest = after
	}
	if n := len(strings.Fields(rest)); n != 5 {
		return fmt.Errorf("%d fields instead of five (%s)", n, form)
	}
	schedule, err := cron.ParseStandard(line)
	if err != nil {
		return fmt.Errorf("%w (%s)", err, form)
	}
	if schedule.Next(cronFrom).IsZero() {
		return fmt.Errorf("never comes: there is no such day")
	}
	return nil
}

// commandWord is the shape of an agents' command; "#" before it is understood.
var commandWord = regexp.MustCompile(`^#?[a-z]+$`)

// countryCode is ISO 3166-1 alpha-2.
var countryCode = regexp.MustCompile(`^[A-Z]{2}$`)
