package tickets

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// missing asks, in the acknowledgement, for the facts that the category
// requires and that nobody told, and waits for the answer. Where no
// acknowledgement goes nothing is asked: a question nobody gets would only stop
// the clock. Calls and machines are not asked.
func (d *decision) missing(tc *TicketChange) {
	t := &tc.Ticket
	lacks := d.lacking(t)
	if len(lacks) == 0 || len(tc.Letters) == 0 || d.in.Channel == ChannelVoice {
		return
	}
	l := &tc.Letters[len(tc.Letters)-1]
	if l.Kind != LetterAcknowledgement {
		return
	}
	l.Data.Missing = lacks
	d.askFor(tc, "desk", lacks)
}

// askFor notes what the customer was asked for and waits.
func (d *decision) askFor(tc *TicketChange, who string, lacks []string) {
	tc.Ticket.Promises.Asked, tc.Ticket.Promises.AskedAt = lacks, d.now
	tc.event(d.now, who, "asked", "%s", strings.Join(lacks, ", "))
	d.trace("facts", tc.Ticket.Category, "missing: %s", strings.Join(lacks, ", "))
	tc.status(d.now, who, StatusPending)
}

// lacking lists the facts that the ticket's category requires and nobody told.
func (d *decision) lacking(t *Ticket) []string {
	var out []string
	for _, f := range d.rules.Categories[t.Category].Required {
		if t.Facts[f] == "" {
			out = append(out, f)
		}
	}
	return out
}

// told takes facts from a customer's later message: those that are recognised
// by their form, those that stand behind their name, and, when one single thing
// was asked, a short answer as a whole. What was known stays.
func (d *decision) told(tc *TicketChange) {
	t := &tc.Ticket
	facts := map[string]string{}
	for name, value := range d.in.Facts {
		facts[name] = value
	}
	for name, value := range named(d.in.Reply, t.Promises.Asked) {
		facts[name] = value
	}
	if answer := strings.TrimSpace(d.in.Reply); len(t.Promises.Asked) == 1 && facts[t.Promises.Asked[0]] == "" && brief(answer) {
		facts[t.Promises.Asked[0]] = answer
	}
	for _, name := range sortedKeys(facts) {
		if facts[name] == "" || t.Facts[name] != "" {
			continue
		}
		if len(tc.Ticket.Facts) == 0 {
			t.Facts = map[string]string{}
		} else {
			t.Facts = clone(t.Facts) // the stored ticket's map is not ours
		}
		t.Facts[name] = facts[name]
		tc.event(d.now, NormalAddress(d.in.From.Address), "fact", "%s: %s", name, excerpt(facts[name], 100))
	}
	t.Promises.Asked = slices.DeleteFunc(slices.Clone(t.Promises.Asked), func(f string) bool { return t.Facts[f] != "" })
}

func clone(m map[string]string) map[string]string {
	out := make(map[string]string, len(m)+1)
	for k, v := range m {
		out[k] = v
	}
	return out
}

// brief reports whether a reply is one short line that says something.
func brief(s string) bool {
	return s != "" && len(s) <= 80 && !strings.ContainsAny(s, "\n?") && strings.ContainsFunc(s, unicode.IsDigit)
}

// factNames are the words by which people name a fact in front of a colon.
var factNames = map[string][]string{
	"product":      {"product", "device", "model", "module", "produkt", "gerät", "modell", "modul"},
	"serial":       {"serial", "serial number", "serial no", "s/n", "seriennummer", "serien-nr", "gerätenummer"},
	"occurred":     {"occurred", "when", "since", "date", "wann", "seit", "zeitpunkt", "datum"},
	"error":        {"error", "error message", "message", "fehler", "fehlermeldung", "meldung"},
	"tried":        {"tried", "already tried", "steps", "versucht", "probiert", "bisher versucht"},
	"phone":        {"phone", "telephone", "mobile", "telefon", "handy", "rückruf"},
	"room":         {"room", "building", "location", "raum", "gebäude", "standort", "ort"},
	"organisation": {"organisation", "organization", "company", "firma", "unternehmen"},
	"expected":     {"expected", "expected result", "erwartet"},
	"first_time":   {"first time", "zum ersten mal", "erstmals"},
	"order":        {"order", "order number", "bestellung", "bestellnummer", "auftrag", "auftragsnummer"},
	"invoice":      {"invoice", "invoice number", "rechnung", "rechnungsnummer"},
}

// Limits of a line that names a fact, in characters.
const (
	longestFactName = 31
	longestFact     = 301
)

// namedLine reads a line such as "- Serial number: LX-4711": marks of a list, a
// name that begins with a letter, a colon or equals sign, a value.
func namedLine(line string) (name, value string, ok bool) {
	at := strings.IndexAny(line, ":=")
	if at <= 0 {
		return "", "", false
	}
	begin := strings.IndexFunc(line[:at], unicode.IsLetter)
	if begin < 0 || strings.ContainsFunc(line[:begin], notListMark) {
		return "", "", false
	}
	name = strings.TrimRight(line[begin:at], blanks)
	value = strings.TrimLeft(line[at+1:], blanks)
	if strings.ContainsFunc(name, notFactName) || utf8.RuneCountInString(name) > longestFactName {
		return "", "", false
	}
	if value == "" || strings.Contains(value, "\n") || utf8.RuneCountInString(value) > longestFact {
		return "", "", false
	}
	return name, value, true
}

// blanks are those of ASCII.
const blanks = " \t\n\f\r"

func notListMark(r rune) bool {
	return !strings.ContainsRune(blanks+">*•-–.)0123456789", r)
}

func notFactName(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !strings.ContainsRune(" /_.-", r)
}

// named finds lines such as "Serial number: LX-4711" for the facts asked.
func named(text string, asked []string) map[string]string {
	out := map[string]string{}
	n := 0
	for line := range strings.Lines(text) {
		if n++; n > 200 {
			break
		}
		name, value, ok := namedLine(strings.TrimSpace(line))
		if !ok {
			continue
		}
		word := strings.ToLower(strings.TrimSpace(name))
		for _, fact := range asked {
			if out[fact] == "" && (word == strings.ReplaceAll(fact, "_", " ") || slices.Contains(factNames[fact], word)) {
				out[fact] = strings.TrimSpace(value)
			}
		}
	}
	return out
}
