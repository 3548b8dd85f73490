package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"frontdesk/sla"
	"frontdesk/tickets"
)

// JSON is the figures as one JSON document, with an LF at its end. The names of
// its fields do not change.
func JSON(f tickets.Figures) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(f)
	return b.Bytes(), err
}

// CSV is the figures as one table (RFC 4180), a number a line:
//
//	from,to,brand,by,key,title,metric,value
//
// from and to are days of the zone, to the last one. by is "total", "brand",
// "queue", "category", "channel", "agent", "day", "first_response" or "age".
// Times are in seconds, shares between 0 and 1; what is not known has no line.
func CSV(f tickets.Figures) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	t := &tidy{w: w, f: f, zone: zoneOf(f)}
	_ = w.Write([]string{"from", "to", "brand", "by", "key", "title", "metric", "value"})
	t.period(f.From, f.To)
	for _, g := range f.Groups() {
		for _, one := range g.List {
			t.tally(g.By, one, one.Period)
		}
	}
	t.distributions()
	t.period(f.Before, f.From)
	for _, g := range f.Groups() {
		for _, one := range g.List {
			t.tally(g.By, one, one.Before)
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

// tidy writes lines of one period.
type tidy struct {
	w        *csv.Writer
	f        tickets.Figures
	zone     *time.Location
	from, to string
}

func (t *tidy) period(from, to time.Time) {
	t.from, t.to = sla.DateOf(from.In(t.zone)).String(), sla.DateOf(to.Add(-time.Nanosecond).In(t.zone)).String()
}

func (t *tidy) line(by, key, title, metric string, value float64) {
	_ = t.w.Write([]string{t.from, t.to, t.f.Brand, by, safe(key), safe(title), metric, strconv.FormatFloat(value, 'f', -1, 64)})
}

// safe keeps a spreadsheet from taking words for a formula.
func safe(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

func (t *tidy) tally(by string, g tickets.Group, v tickets.Tally) {
	line := func(metric string, value float64) { t.line(by, g.Key, g.Title, metric, value) }
	count := func(metric string, n int) { line(metric, float64(n)) }
	count("opened", v.Opened)
	count("responded", v.Responded)
	count("resolved", v.Resolved)
	count("closed", v.Closed)
	count("reopened", v.Reopened)
	if by == "total" || t.to == sla.DateOf(t.f.To.Add(-time.Nanosecond).In(t.zone)).String() { // of groups it is known of now alone
		count("backlog", v.Backlog)
	}
	count("answered", v.Answered)
	count("worked_minutes", v.Worked)
	if rate, ok := v.ResponseRate(); ok {
		line("response_rate", rate)
	}
	if rate, ok := v.ReopenRate(); ok {
		line("reopen_rate", rate)
	}
	for _, s := range []struct {
		name string
		tickets.Spread
	}{{"first_response", v.FirstResponse}, {"first_response_business", v.FirstResponseBusiness}, {"resolution", v.Resolution}, {"resolution_business", v.ResolutionBusiness}} {
		if s.Count > 0 {
			count(s.name+"_count", s.Count)
			line(s.name+"_median_seconds", s.Median.Seconds())
			line(s.name+"_p90_seconds", s.P90.Seconds())
		}
	}
	for _, p := range v.Promises {
		name := strings.ReplaceAll(string(p.Clock), " ", "_")
		count("kept_"+name, p.Kept)
		count("broken_"+name, p.Broken)
	}
	for _, s := range v.Surveys {
		count(string(s.Kind)+"_asked", s.Asked)
		count(string(s.Kind)+"_answered", s.Answered)
		if s.Answered > 0 {
			line(string(s.Kind)+"_mean", s.Mean)
			line(string(s.Kind)+"_good", s.Good)
			line(string(s.Kind)+"_bad", s.Bad)
		}
		if s.Kind == tickets.SurveyNPS && s.Answered > 0 {
			line("nps", s.NPS())
		}
	}
	if by != "total" && by != "brand" {
		return
	}
	o := v.Letters
	for _, l := range []struct {
		name string
		n    int
	}{{"mails", o.Mails}, {"texts", o.Texts}, {"calls", o.Calls}, {"failed", o.Failed}, {"bounced", o.Bounced}, {"texts_in", o.TextsIn}, {"calls_in", o.CallsIn}, {"quarantined", o.Quarantined}} {
		count(l.name, l.n)
	}
}

// distributions are the days, and how answers and open tickets are spread.
func (t *tidy) distributions() {
	from, to := t.from, t.to
	for _, d := range t.f.Days {
		t.from, t.to = d.Date.String(), d.Date.String()
		opened := 0
		for _, n := range d.Opened {
			opened += n
		}
		t.line("day", t.from, "", "opened", float64(opened))
		t.line("day", t.from, "", "resolved", float64(d.Resolved))
		t.line("day", t.from, "", "backlog", float64(d.Backlog))
	}
	t.from, t.to = from, to
	bound := func(list []tickets.Share, i int) string {
		if list[i].UpTo == 0 {
			return "above_" + strconv.Itoa(int(list[i-1].UpTo.Seconds()))
		}
		return "below_" + strconv.Itoa(int(list[i].UpTo.Seconds()))
	}
	for i, s := range t.f.Answers {
		t.line("first_response", bound(t.f.Answers, i), "", "tickets", float64(s.Count))
	}
	for i, s := range t.f.Ages {
		t.line("age", bound(t.f.Ages, i), "", "tickets", float64(s.Count))
	}
}
