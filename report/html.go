package report

import (
	"encoding/base64"
	"fmt"
	"html"
	"regexp"
	"strings"

	"frontdesk/tickets"
)

// HTMLBody is the report as a piece of HTML for a mail: tables, styles inline,
// no colour set on text or ground, so that a dark theme can choose both. The
// charts are asked for by source, which is given an ID and returns a URL:
// "cid:…" in a mail.
func HTMLBody(f tickets.Figures, charts []Image, language string, source func(id string) string) string {
	w := spoken(language)
	var b strings.Builder
	for _, line := range intro(f, w) {
		fmt.Fprintf(&b, "<p style=\"margin:0 0 12px\">%s</p>\n", html.EscapeString(line))
	}
	list := sections(f, w)
	for i, s := range list {
		writeSection(&b, s)
		if i == 0 { // what was said in numbers is shown next
			for _, c := range charts {
				writeChart(&b, c, source(c.ID))
			}
		}
	}
	return b.String()
}

const heading = `<h2 style="font-size:17px;line-height:1.3;margin:28px 0 8px">%s</h2>` + "\n"

func writeChart(b *strings.Builder, c Image, source string) {
	fmt.Fprintf(b, heading, html.EscapeString(c.Title))
	fmt.Fprintf(b, `<img src="%s" alt="%s" width="%d" style="display:block;width:100%%;max-width:%dpx;height:auto;border:0;border-radius:6px">`+"\n",
		html.EscapeString(source), html.EscapeString(c.Alt), c.Width, c.Width)
}

func writeSection(b *strings.Builder, s section) {
	fmt.Fprintf(b, heading, html.EscapeString(s.title))
	b.WriteString(`<table style="width:100%;border-collapse:collapse;font-size:14px;line-height:1.35">` + "\n")
	if !blank(s.head) {
		b.WriteString("<tr>")
		for i, h := range s.head {
			tag := `th scope="col"`
			if h == "" { // a heading without words is one too many for those who hear it
				tag = "td"
			}
			fmt.Fprintf(b, `<%s style="%s;font-size:12px;font-weight:bold;vertical-align:bottom;border-bottom:2px solid #999999">%s</%.2s>`, tag, s.cell(i), breakable(h), tag)
		}
		b.WriteString("</tr>\n")
	}
	for _, row := range s.rows {
		b.WriteString("<tr>")
		for i, cell := range row {
			fmt.Fprintf(b, `<td dir="auto" style="%s;vertical-align:top;border-bottom:1px solid #99999966">%s</td>`, s.cell(i), marked(cell))
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</table>\n")
	if s.note != "" {
		fmt.Fprintf(b, "<p style=\"margin:8px 0 0;font-size:14px\">%s</p>\n", html.EscapeString(s.note))
	}
}

// cell is the style of a column: words left, numbers right and never broken.
func (s section) cell(i int) string {
	switch {
	case i < s.left && s.left == 1: // names, which are not torn apart where they have room
		return "padding:5px 6px 5px 0;text-align:left;overflow-wrap:break-word;hyphens:auto"
	case i == 0 && s.numbered():
		return "padding:5px 8px 5px 0;text-align:left;white-space:nowrap"
	case i < s.left && i > 1: // words of ours
		return "padding:5px 6px 5px 0;text-align:left;overflow-wrap:break-word"
	case i < s.left: // subjects and addresses
		return "padding:5px 6px 5px 0;text-align:left;overflow-wrap:anywhere"
	case s.last && i == len(s.head)-1:
		return "padding:5px 0 5px 10px;text-align:left"
	}
	return "padding:5px 0 5px 8px;text-align:right;overflow-wrap:break-word"
}

// numbered says whether the rows begin with a ticket's number.
func (s section) numbered() bool {
	return len(s.rows) > 0 && ticketNumber.MatchString(s.rows[0][0])
}

var ticketNumber = regexp.MustCompile(`^#\d+$`)

// marked hides arrows from screen readers: the words beside them say the same.
func marked(cell string) string {
	cell = unit.ReplaceAllString(cell, "$1\u00a0$2")
	for _, arrow := range []string{up, down} {
		if rest, ok := strings.CutPrefix(cell, arrow+" "); ok {
			return `<span aria-hidden="true">` + arrow + "\u00a0</span>" + html.EscapeString(rest)
		}
	}
	return html.EscapeString(cell)
}

// unit is a number with its unit, which are not parted at the end of a line.
var unit = regexp.MustCompile(`(\d) (%|d\b|h\b|min\b|\pL{3}\b)`)

// breakable is a heading that may break at its hyphen where there is no room.
func breakable(h string) string {
	if flat := unbroken(h); flat != h {
		before, after, _ := strings.Cut(h, "-")
		return html.EscapeString(before) + "&shy;" + html.EscapeString(after)
	}
	return html.EscapeString(h)
}

// HTML is the report as a whole page with its charts in it, for a browser.
func HTML(f tickets.Figures, language, brand string) (string, error) {
	w := spoken(language)
	charts, err := Charts(f, language, brand)
	if err != nil {
		return "", err
	}
	urls := map[string]string{}
	for _, c := range charts {
		urls[c.ID] = "data:image/png;base64," + base64.StdEncoding.EncodeToString(c.PNG)
	}
	if _, ok := languages[strings.ToLower(language)]; !ok {
		language = "en"
	}
	c := brandColor(brand)
	title := html.EscapeString(titleOf(f, w))
	return strings.NewReplacer(
		"LANG", html.EscapeString(strings.ToLower(language)), "TITLE", title,
		"COLOR", fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B),
	).Replace(pageHead) + HTMLBody(f, charts, language, func(id string) string { return urls[id] }) + pageFoot, nil
}

const pageHead = `<!DOCTYPE html>
<html lang="LANG">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>TITLE</title>
<style>:root { color-scheme: light dark; }</style>
</head>
<body style="margin:0;padding:0">
<main style="max-width:600px;margin:0 auto;padding:20px 16px;border-top:4px solid COLOR;font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;font-size:16px;line-height:1.5;overflow-wrap:break-word">
<h1 style="font-size:22px;line-height:1.3;margin:0 0 12px">TITLE</h1>
`

const pageFoot = `</main>
</body>
</html>
`
