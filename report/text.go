package report

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"frontdesk/tickets"
)

// width is that of a terminal and of a mail's text part.
const width = 80

// Text is the report as text of at most 80 columns, with LF line ends. The
// first line is the title.
func Text(f tickets.Figures, language string) string {
	w := spoken(language)
	title := titleOf(f, w)
	return title + "\n" + strings.Repeat("=", utf8.RuneCountInString(title)) + "\n\n" + TextBody(f, language)
}

// TextBody is Text without the title.
func TextBody(f tickets.Figures, language string) string {
	w := spoken(language)
	var b strings.Builder
	for _, line := range intro(f, w) {
		for _, l := range wrap(line, width) {
			b.WriteString(l + "\n")
		}
	}
	for _, s := range sections(f, w) {
		b.WriteString("\n" + s.title + "\n" + strings.Repeat("-", utf8.RuneCountInString(s.title)) + "\n")
		b.WriteString(table(s))
		if s.note != "" {
			b.WriteString(s.note + "\n")
		}
	}
	return b.String()
}

// table aligns a section. The widest column left gives way when a line would be
// too long.
func table(s section) string {
	rows := s.rows
	if !blank(s.head) {
		rows = append([][]string{flat(s.head)}, rows...)
	}
	columns := make([]int, len(s.head))
	for _, row := range rows {
		for i, cell := range row {
			columns[i] = max(columns[i], utf8.RuneCountInString(cell))
		}
	}
	shrink(columns)
	var b strings.Builder
	for _, row := range rows {
		line := ""
		for i, cell := range row {
			cell = cut(cell, columns[i])
			space := strings.Repeat(" ", columns[i]-utf8.RuneCountInString(cell))
			if left := i < s.left || s.last && i == len(row)-1; left {
				cell += space
			} else {
				cell = space + cell
			}
			if i > 0 {
				line += "  "
			}
			line += cell
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}

func blank(head []string) bool { return strings.Join(head, "") == "" }

// flat takes the places out of headings at which they may break.
func flat(head []string) []string {
	out := make([]string, len(head))
	for i, h := range head {
		out[i] = unbroken(h)
	}
	return out
}

// unbroken is a heading without the hyphen that says where it may break.
func unbroken(h string) string {
	before, after, ok := strings.Cut(h, "-")
	if r, _ := utf8.DecodeRuneInString(after); ok && unicode.IsLower(r) {
		return before + after
	}
	return h
}

// shrink takes from the widest column until the line fits.
func shrink(columns []int) {
	for {
		total, widest := 2*(len(columns)-1), 0
		for i, c := range columns {
			total += c
			if c > columns[widest] {
				widest = i
			}
		}
		if total <= width {
			return
		}
		columns[widest]--
	}
}

func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:max(n-1, 0)]) + "…"
	}
	return s
}

// wrap breaks a line at spaces.
func wrap(line string, width int) []string {
	var lines []string
	current := ""
	for _, word := range strings.Fields(line) {
		if current != "" && utf8.RuneCountInString(current)+1+utf8.RuneCountInString(word) > width {
			lines = append(lines, current)
			current = ""
		}
		if current != "" {
			current += " "
		}
		current += word
	}
	return append(lines, current)
}

// oneLine makes words of people fit for a cell: no line ends, no control
// characters, nothing that turns the direction of writing, at most n runes.
func oneLine(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x200e, r == 0x200f, r == utf8.RuneError, r >= 0xe000 && r <= 0xf8ff:
			return -1
		}
		return r
	}, s)
	return cut(strings.Join(strings.Fields(s), " "), n)
}
