package phone

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The paths below the desk's public URL at which Twilio finds it. Those of
// [LinePath], [AlarmPath], [BridgePath] and [StatusPath] begin with one of them
// and say the rest themselves: a webhook is answered without looking anything up.
const (
	PathVoice    = "/twilio/voice"    // a number's voice URL; "/status" and "/fallback" below it
	PathSMS      = "/twilio/sms"      // a number's messaging URL; "/fallback" below it
	PathWhatsApp = "/twilio/whatsapp" // the same of a WhatsApp sender

	pathLine   = PathVoice + "/to"
	pathAlarm  = "/twilio/alarm"
	pathBridge = "/twilio/bridge"
)

// LinePath is where the calls of one of our numbers go on: the public URL and
// it are [Plan.Base]. Recordings are told without our number, so the path has it.
func LinePath(number string) string { return pathLine + "/" + strings.TrimPrefix(number, "+") }

// ParseLinePath reads what LinePath wrote. Rest is the state, for [ParseState].
func ParseLinePath(path string) (number, rest string, err error) {
	s, rest, err := cut(path, pathLine, 1)
	if err != nil {
		return "", "", err
	}
	number, err = plus(s[0])
	return number, rest, err
}

// AlarmPath names one call to a person on duty. Everything that is said to the
// person stands in it.
type AlarmPath struct {
	Brand    string // id of the brand
	Letter   int64  // of the outbox, that placed the call
	Ticket   int64
	Language string // of the person
	Customer string // name of who has the problem; cut after 60 runes
}

// String returns the path: Alarm.Base without the public URL.
func (p AlarmPath) String() string {
	return join(pathAlarm, segment(p.Brand), decimal(p.Letter), decimal(p.Ticket), segment(p.Language), spoken(p.Customer))
}

// ReadAlarmPath reads what String wrote. Rest is for [ParseAlarmPath].
func ReadAlarmPath(path string) (p AlarmPath, rest string, err error) {
	s, rest, err := cut(path, pathAlarm, 5)
	if err != nil {
		return p, "", err
	}
	r := reader{path: path}
	p = AlarmPath{Brand: r.value(s[0]), Letter: r.number(s[1]), Ticket: r.number(s[2]), Language: r.value(s[3]), Customer: r.spoken(s[4])}
	return p, rest, r.err
}

// BridgePath names one call to an agent who wants to be connected with a
// customer.
type BridgePath struct {
	Brand    string
	Letter   int64
	Ticket   int64
	Language string // of the agent
	Customer string // E.164
	Line     string // ours, E.164: what the customer sees
	Name     string // of the customer; cut after 60 runes
}

// String returns the path: Bridge.Base without the public URL.
func (p BridgePath) String() string {
	return join(pathBridge, segment(p.Brand), decimal(p.Letter), decimal(p.Ticket), segment(p.Language),
		strings.TrimPrefix(p.Customer, "+"), strings.TrimPrefix(p.Line, "+"), spoken(p.Name))
}

// ReadBridgePath reads what String wrote. Rest is for [ParseAlarmPath].
func ReadBridgePath(path string) (p BridgePath, rest string, err error) {
	s, rest, err := cut(path, pathBridge, 7)
	if err != nil {
		return p, "", err
	}
	r := reader{path: path}
	p = BridgePath{Brand: r.value(s[0]), Letter: r.number(s[1]), Ticket: r.number(s[2]), Language: r.value(s[3]),
		Customer: r.e164(s[4]), Line: r.e164(s[5]), Name: r.spoken(s[6])}
	return p, rest, r.err
}

// StatusPath is where a text that the desk sends is reported on. Give the URL
// [Retries].
type StatusPath struct {
	WhatsApp bool
	Brand    string
	Letter   int64
}

// String returns the path.
func (p StatusPath) String() string {
	if p.WhatsApp {
		return join(PathWhatsApp+"/status", segment(p.Brand), decimal(p.Letter))
	}
	return join(PathSMS+"/status", segment(p.Brand), decimal(p.Letter))
}

// ReadStatusPath reads what String wrote.
func ReadStatusPath(path string) (StatusPath, error) {
	p := StatusPath{WhatsApp: strings.HasPrefix(path, PathWhatsApp+"/")}
	prefix := PathSMS + "/status"
	if p.WhatsApp {
		prefix = PathWhatsApp + "/status"
	}
	s, rest, err := cut(path, prefix, 2)
	if err != nil || rest != "" {
		return p, fmt.Errorf("path %q: no status of a text", shorten(path, 40))
	}
	r := reader{path: path}
	p.Brand, p.Letter = r.value(s[0]), r.number(s[1])
	return p, r.err
}

func join(prefix string, segments ...string) string {
	return prefix + "/" + strings.Join(segments, "/")
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// spoken writes a name from outside so that no proxy can change it: one that
// decodes "%2F" or resolves ".." would break the signature.
func spoken(name string) string {
	name = clean(name, 60)
	if name == "" {
		return "-"
	}
	return base64.RawURLEncoding.EncodeToString([]byte(name))
}

// cut takes n segments after a prefix; rest begins with "/" or is "".
func cut(path, prefix string, n int) (segments []string, rest string, err error) {
	tail, ok := strings.CutPrefix(path, prefix+"/")
	parts := strings.SplitN(tail, "/", n+1)
	if !ok || len(parts) < n || len(path) > 2*maxPath {
		return nil, "", fmt.Errorf("path %q: want %d segments after %s", shorten(path, 40), n, prefix)
	}
	if len(parts) > n {
		rest = "/" + parts[n]
	}
	return parts[:n], rest, nil
}

func plus(digits string) (string, error) {
	if number := "+" + digits; e164.MatchString(number) {
		return number, nil
	}
	return "", fmt.Errorf("%q: no number", shorten(digits, 40))
}

// reader reads segments and keeps the first thing that was wrong.
type reader struct {
	path string
	err  error
}

func (r *reader) note(err error) {
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("path %q: %w", shorten(r.path, 40), err)
	}
}

func (r *reader) value(s string) string {
	v, err := value(s)
	if err == nil && !word(v) {
		err = fmt.Errorf("%q", shorten(v, 40))
	}
	r.note(err)
	return v
}

// word reports whether s may be what a brand or a language is called. It is no
// regular expression: a hundred times the letters of all scripts is two
// megabytes of program.
func word(s string) bool {
	for _, r := range s {
		if !unicode.In(r, unicode.L, unicode.N) && r != '_' && r != '.' && r != '-' {
			return false
		}
	}
	return utf8.RuneCountInString(s) <= 100
}

func (r *reader) number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err == nil && n < 0 {
		err = fmt.Errorf("%q", shorten(s, 40))
	}
	r.note(err)
	return n
}

func (r *reader) e164(s string) string {
	n, err := plus(s)
	r.note(err)
	return n
}

func (r *reader) spoken(s string) string {
	if s == "-" {
		return ""
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	r.note(err)
	return clean(string(b), 60)
}

// PathOf returns the path of a request target without query and without the
// path of the public URL: a proxy in front may keep that or take it off.
func PathOf(target, publicURL string) string {
	path, _, _ := strings.Cut(target, "?")
	u, err := url.Parse(publicURL)
	if err != nil {
		return path
	}
	if prefix := strings.TrimRight(u.EscapedPath(), "/"); prefix != "" && strings.HasPrefix(path, prefix+"/") {
		return strings.TrimPrefix(path, prefix)
	}
	return path
}
