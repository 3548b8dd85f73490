package parser

import (
	"strconv"
	"strings"
	"time"
)

// months maps the first letters of month names to their number: English, and
// the languages whose clients translate the Date field.
var months = map[string]time.Month{
	"jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
	"mär": 3, "mrz": 3, "mai": 5, "okt": 10, "dez": 12, "janv": 1, "fév": 2, "fev": 2, "mars": 3, "avr": 4, "juin": 6, "juil": 7,
	"aoû": 8, "aou": 8, "déc": 12, "ene": 1, "abr": 4, "ago": 8, "dic": 12, "gen": 1, "mag": 5, "giu": 6, "lug": 7, "set": 9, "ott": 10,
	"mei": 5, "maa": 3, "mrt": 3, "out": 10, "янв": 1, "фев": 2, "мар": 3, "апр": 4, "май": 5, "мая": 5, "июн": 6, "июл": 7, "авг": 8,
	"сен": 9, "окт": 10, "ноя": 11, "дек": 12, "maj": 5, "lis": 11, "gru": 12, "sty": 1, "lut": 2, "kwi": 4, "cze": 6, "lip": 7, "sie": 8, "wrz": 9, "paź": 10,
}

// zones holds the names that RFC 5322 section 4.3 allows and the ones that
// mail still carries; names without a place (EST in Sydney) mean the American
// ones, as the RFC says.
var zones = map[string]int{
	"ut": 0, "gmt": 0, "utc": 0, "z": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
	"wet": 0, "west": 1, "bst": 1, "cet": 1, "met": 1, "mez": 1, "cest": 2, "mesz": 2, "mest": 2, "eet": 2, "eest": 3, "msk": 3, "msd": 4,
	"jst": 9, "kst": 9, "hkt": 8, "sgt": 8, "aest": 10, "aedt": 11, "akst": -9, "akdt": -8, "hst": -10, "nzst": 12, "nzdt": 13,
}

// parseDate reads a Date field in any order and form seen in mail (RFC 5322
// section 3.3, its obsolete forms, asctime, ISO 8601, Exchange's local
// forms). The zero time when there is no day and year to be found.
func parseDate(raw string) time.Time {
	s := strings.TrimSpace(stripComments(raw))
	if s == "" || len(s) > 500 {
		return time.Time{}
	}
	if strings.HasPrefix(strings.ToLower(s), "date:") {
		s = strings.TrimSpace(s[5:])
	}
	if t, ok := parseISO(s); ok {
		return t
	}
	var d dateParts
	for _, tok := range strings.FieldsFunc(strings.ToLower(decodeHeader(s, "")), func(r rune) bool {
		return r == ' ' || r == ',' || r == '\t' || r == ';' || r == '"' || r == '\u00a0'
	}) {
		d.take(tok)
	}
	return d.time()
}

// parseISO reads RFC 3339 and its looser relatives.
func parseISO(s string) (time.Time, bool) {
	if len(s) < 10 || s[4] != '-' || s[7] != '-' {
		return time.Time{}, false
	}
	for _, layout := range []string{
		time.RFC3339Nano, "2006-01-02T15:04:05-0700", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02 15:04:05 -0700",
		"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05-0700", "2006-01-02 15:04:05.999999999 -0700 MST", "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02",
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return plausible(t)
		}
	}
	return time.Time{}, false
}

// plausible drops years that no mail has.
func plausible(t time.Time) (time.Time, bool) {
	if t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, false
	}
	return t, true
}

// dateParts collects the parts of a date from tokens in lower case.
type dateParts struct {
	day, year int
	month     time.Month
	h, m, s   int
	haveTime  bool
	am, pm    bool
	zone      int // seconds east
	zoned     bool
}

// take sorts one token in.
func (d *dateParts) take(tok string) {
	tok = strings.Trim(tok, ".")
	switch {
	case tok == "am" || tok == "a.m":
		d.am = true
	case tok == "pm" || tok == "p.m":
		d.pm = true
	case strings.ContainsRune(tok, ':'):
		d.takeTime(tok)
	case len(tok) > 1 && (tok[0] == '+' || tok[0] == '-') && isDigits(tok[1:]):
		d.takeOffset(tok)
	case isDigits(tok):
		d.takeNumber(tok)
	case strings.ContainsAny(tok, "-/.") && tok[0] >= '0' && tok[0] <= '9':
		d.takeNumeric(tok)
	default:
		d.takeWord(tok)
	}
}

// takeTime reads 10:00, 10:00:59, 10:00:59.123, 10:00:59pm, 10:00:59+0200.
func (d *dateParts) takeTime(tok string) {
	if i := strings.IndexAny(tok, "+-"); i > 0 {
		d.takeOffset(strings.ReplaceAll(tok[i:], ":", ""))
		tok = tok[:i]
	} else if i == 0 { // "+02:00"
		d.takeOffset(strings.ReplaceAll(tok, ":", ""))
		return
	}
	if i := strings.IndexByte(tok, 't'); i >= 8 { // "2026-01-02t10:00:00"
		d.takeNumeric(tok[:i])
		tok = tok[i+1:]
	}
	if t, ok := strings.CutSuffix(tok, "pm"); ok {
		tok, d.pm = t, true
	} else if t, ok := strings.CutSuffix(tok, "am"); ok {
		tok, d.am = t, true
	} else if t, ok := strings.CutSuffix(tok, "z"); ok {
		tok, d.zoned = t, true
	}
	if d.haveTime {
		return
	}
	p := strings.Split(tok, ":")
	n := [3]int{}
	for i := 0; i < len(p) && i < 3; i++ {
		v, _, _ := strings.Cut(p[i], ".")
		x, err := strconv.Atoi(v)
		if err != nil || x < 0 {
			return
		}
		n[i] = x
	}
	if n[0] > 24 || n[1] > 59 || n[2] > 60 {
		return
	}
	d.h, d.m, d.s, d.haveTime = n[0], n[1], n[2], true
}

// takeOffset reads +0200, -530, +02.
func (d *dateParts) takeOffset(tok string) {
	if d.zoned || len(tok) < 2 || !isDigits(tok[1:]) || len(tok) > 6 {
		return
	}
	n, _ := strconv.Atoi(tok[1:])
	h, m := n/100, n%100
	if len(tok) <= 3 {
		h, m = n, 0
	}
	if h > 15 || m > 59 {
		return // impossible: read as UTC
	}
	d.zone, d.zoned = h*3600+m*60, true
	if tok[0] == '-' {
		d.zone = -d.zone
	}
}

// takeNumber sorts a bare number: a day, a year.
func (d *dateParts) takeNumber(tok string) {
	n, err := strconv.Atoi(tok)
	switch {
	case err != nil:
	case len(tok) <= 2 && d.day == 0 && n >= 1 && n <= 31:
		d.day = n
	case len(tok) <= 2 && d.year == 0 && d.day > 0 && d.month > 0:
		d.year = fullYear(n)
	case len(tok) == 3 && d.year == 0: // RFC 5322 section 4.3: years counted from 1900
		d.year = 1900 + n
	case len(tok) == 4 && d.year == 0:
		d.year = n
	case len(tok) == 8 && d.year == 0: // 20260102
		d.year, d.month, d.day = n/10000, time.Month(n/100%100), n%100
	}
}

// takeNumeric reads 2-Jan-2026, 02.01.2026, 1/31/2026, 2026/01/31.
func (d *dateParts) takeNumeric(tok string) {
	p := strings.FieldsFunc(tok, func(r rune) bool { return r == '-' || r == '/' || r == '.' })
	if len(p) != 3 {
		return
	}
	if m, ok := monthName(p[1]); ok {
		d.takeNumber(p[0])
		d.month = m
		d.takeNumber(p[2])
		return
	}
	a, e1 := strconv.Atoi(p[0])
	b, e2 := strconv.Atoi(p[1])
	c, e3 := strconv.Atoi(p[2])
	if e1 != nil || e2 != nil || e3 != nil {
		return
	}
	day, month, year := a, b, c
	switch {
	case len(p[0]) == 4:
		year, month, day = a, b, c
	case strings.Contains(tok, "/") && b > 12 || strings.Contains(tok, "/") && a <= 12 && b <= 12:
		month, day = a, b // American order, what clients with slashes write
	}
	if month < 1 || month > 12 || day < 1 || day > 31 {
		return
	}
	d.day, d.month, d.year = day, time.Month(month), year
	if len(p[0]) != 4 && len(p[2]) <= 2 {
		d.year = fullYear(year)
	}
}

// takeWord reads a month, a zone, or a weekday, which is ignored.
func (d *dateParts) takeWord(tok string) {
	if m, ok := monthName(tok); ok && d.month == 0 {
		d.month = m
		return
	}
	if z, ok := zones[tok]; ok && !d.zoned {
		d.zone, d.zoned = z*3600, true
		return
	}
	for _, p := range []string{"gmt", "utc"} {
		if rest, ok := strings.CutPrefix(tok, p); ok && len(rest) > 1 {
			d.takeOffset(strings.ReplaceAll(rest, ":", ""))
			return
		}
	}
}

// monthName finds a month by name or the start of it.
func monthName(s string) (time.Month, bool) {
	if m, ok := months[s]; ok {
		return m, true
	}
	r := []rune(s)
	if len(r) > 20 {
		return 0, false
	}
	for _, n := range []int{4, 3} {
		if len(r) >= n {
			if m, ok := months[string(r[:n])]; ok && !weekday(s) {
				return m, true
			}
		}
	}
	return 0, false
}

// weekday reports names that start like a month: French mardi, Spanish martes.
func weekday(s string) bool { return s == "mardi" || s == "martes" || s == "martedì" || s == "marted" }

// time puts the parts together.
func (d *dateParts) time() time.Time {
	if d.day == 0 || d.month < 1 || d.month > 12 || d.year == 0 {
		return time.Time{}
	}
	if d.pm && d.h < 12 {
		d.h += 12
	}
	if d.am && d.h == 12 {
		d.h = 0
	}
	loc := time.UTC
	if d.zone != 0 {
		loc = time.FixedZone("", d.zone)
	}
	t := time.Date(d.year, d.month, d.day, d.h, d.m, d.s, 0, loc)
	t, _ = plausible(t)
	return t
}

// fullYear completes a year of two digits (RFC 5322 section 4.3).
func fullYear(n int) int {
	if n < 50 {
		return 2000 + n
	}
	if n < 100 {
		return 1900 + n
	}
	return n
}

func isDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
