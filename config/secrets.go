package config

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"unicode"
)

// redacted is what a secret says of itself, however it is asked.
const redacted = "[redacted]"

// maxSecret bounds a secret file.
const maxSecret = 64 << 10

// Secret is a value that never prints itself: not by fmt, slog, JSON or YAML,
// nor as an unexported field, where fmt asks no method (it prints an address then).
// The zero value is "no secret".
type Secret struct {
	hidden *hidden
}

type hidden struct {
	value  string
	source string
}

// NewSecret returns a secret that was not read from a file (tests, the demo).
func NewSecret(value string) Secret { return Secret{&hidden{value: value}} }

// Reveal returns the secret itself; "" when there is none.
func (s Secret) Reveal() string {
	if s.hidden == nil {
		return ""
	}
	return s.hidden.value
}

// IsSet reports whether there is a secret.
func (s Secret) IsSet() bool { return s.Reveal() != "" }

// Source returns where it was read: the name of a file, or credential:NAME.
func (s Secret) Source() string {
	if s.hidden == nil {
		return ""
	}
	return s.hidden.source
}

func (s Secret) String() string               { return redacted }
func (s Secret) GoString() string             { return redacted }
func (s Secret) Format(f fmt.State, _ rune)   { _, _ = f.Write([]byte(redacted)) }
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
func (s Secret) MarshalYAML() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
func (s Secret) LogValue() slog.Value         { return slog.StringValue(redacted) }

// What a file of a secret holds, as its key's tag kind says.
const (
	secretToken    = ""         // one word: a token, an API key
	secretPassword = "password" // blanks within it are its own: a phrase, or an app's secret (RFC 6749 appendix A.2)
	secretBytes    = "bytes"    // any bytes
)

// decode reads the file that the value names.
func (s *Secret) decode(l *loader, path string, n *node, kind string) {
	name, ok := l.scalar(path, n)
	if !ok || name == "" {
		return
	}
	file, fromSystemd, err := l.secretFile(name)
	if err != nil {
		l.add(path, "%v", err)
		return
	}
	raw, err := l.readSecret(file, fromSystemd)
	if err != nil {
		// The name as it was written: what a variable held may be the secret itself.
		l.add(path, "%q: %v", n.text, err)
		return
	}
	value := strings.TrimRight(string(raw), "\r\n")
	if kind != secretBytes && value != "" {
		value = strings.TrimSuffix(strings.TrimSuffix(string(raw), "\n"), "\r")
		if wrong := stray(value, kind); wrong != "" {
			l.add(path, "%q: holds %s: write the secret alone into it, on one line (printf %%s THE_SECRET > FILE)", n.text, wrong)
			return
		}
	}
	*s = Secret{&hidden{value, name}}
	if !s.IsSet() {
		l.add(path, "%q: file is empty: write the secret into it", n.text)
	}
}

// stray says what came into a secret by the way, "" when nothing did: copied
// from a page with a blank, written by an editor with a mark of its own. The
// other side would only say that it is wrong.
func stray(value, kind string) string {
	switch {
	case strings.HasPrefix(value, "\uFEFF"):
		return "a byte order mark at its beginning"
	case strings.ContainsAny(value, "\r\n"):
		return "more than one line"
	case strings.TrimSpace(value) != value:
		return "a blank at its beginning or end"
	case strings.ContainsFunc(value, unicode.IsControl):
		return "a control character"
	case kind == secretToken && strings.ContainsFunc(value, unicode.IsSpace):
		return "a blank"
	}
	return ""
}

// secretFile returns the file behind a *_file value, and whether systemd made it.
func (l *loader) secretFile(name string) (file string, fromSystemd bool, err error) {
	folder, _ := l.env("CREDENTIALS_DIRECTORY")
	credential, ok := strings.CutPrefix(name, "credential:")
	if !ok {
		file = l.absolute(name)
		return file, folder != "" && filepath.Dir(file) == filepath.Clean(folder), nil
	}
	if folder == "" {
		return "", false, fmt.Errorf("credential %q: $CREDENTIALS_DIRECTORY is not set: add LoadCredential=%s:/path/of/file to the unit", credential, credential)
	}
	if credential == "" || credential != filepath.Base(credential) || credential == ".." || credential == "." {
		return "", false, fmt.Errorf("credential %q: not a name", credential)
	}
	return filepath.Join(folder, credential), true, nil
}

// readSecret returns the bytes of a secret file that nobody else can read.
// systemd's own copies are exempt: it protects them by an access list that
// looks like group permission.
func (l *loader) readSecret(file string, fromSystemd bool) ([]byte, error) {
	info, err := l.stat(file)
	switch {
	case os.IsNotExist(err):
		return nil, fmt.Errorf("no such file: write the secret into it and chmod 600")
	case err != nil:
		return nil, cause(err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("not a file")
	case info.Mode().Perm()&0o077 != 0 && !fromSystemd:
		return nil, fmt.Errorf("mode %04o lets others read the secret: chmod 600", info.Mode().Perm())
	case info.Size() > maxSecret:
		return nil, fmt.Errorf("size %d above limit %d", info.Size(), maxSecret)
	}
	raw, err := l.readFile(file)
	return raw, cause(err)
}
