package main

import (
	"fmt"
	"strings"
)

// copyright writes the licences of everything that is linked in, in Debian's
// machine-readable form (copyright-format 1.0).
func copyright(linked []module) string {
	var out strings.Builder
	out.WriteString(`Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: frontdesk
Comment: The program is linked statically. A paragraph whose files begin with
 vendor/ is for one Go module in it, std for the standard library of Go.

Files: *
Copyright: the authors of frontdesk
License: frontdesk

License: frontdesk
 The terms are those under which you were given frontdesk; the sources name
 none yet.
`)
	texts := licenceTexts{}
	for _, m := range linked {
		fmt.Fprintf(&out, "\nFiles: vendor/%s/*\nCopyright: %s\nLicense: %s\n", m.path, indented(holdersOf(m)), texts.name(m))
		fmt.Fprintf(&out, "Comment: version %s\n", strings.TrimPrefix(m.version, "v"))
		if m.notice != "" {
			out.WriteString(" .\n" + body(m.notice))
		}
	}
	for _, t := range texts.list {
		fmt.Fprintf(&out, "\nLicense: %s\n%s", t.name, body(t.text))
	}
	return out.String()
}

func holdersOf(m module) []string {
	if len(m.holders) == 0 {
		return []string{"the authors of " + m.path}
	}
	return m.holders
}

// licenceTexts keeps each text once.
type licenceTexts struct {
	list []licenceText
}

type licenceText struct{ name, text, flat string }

// name returns the name under which the licence of m stands: its identifier,
// with a number when the words differ from those seen before.
func (l *licenceTexts) name(m module) string {
	id, text := m.licence, m.text
	if id == "Apache-2.0" {
		text = "On Debian systems the full text is in /usr/share/common-licenses/Apache-2.0;\nelsewhere at https://www.apache.org/licenses/LICENSE-2.0."
	}
	if id == "" {
		id = "other"
	}
	flat := strings.Join(strings.Fields(text), " ")
	same := 0
	for _, t := range l.list {
		if t.name == id || strings.HasPrefix(t.name, id+"-text") {
			if t.flat == flat {
				return t.name
			}
			same++
		}
	}
	name := id
	if same > 0 {
		name = fmt.Sprintf("%s-text%d", id, same+1)
	}
	l.list = append(l.list, licenceText{name, text, flat})
	return name
}

// indented puts the second and later lines of a field where they belong.
func indented(lines []string) string { return strings.Join(lines, "\n           ") }

// body writes free text as the continuation of a field.
func body(text string) string {
	var out strings.Builder
	for line := range strings.Lines(strings.TrimRight(text, "\n") + "\n") {
		line = strings.TrimRight(line, " \t\r\n")
		if line == "" {
			line = "."
		}
		out.WriteString(" " + line + "\n")
	}
	return out.String()
}
