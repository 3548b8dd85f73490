package parser

import "strings"

// unflow joins the flowed lines of format=flowed text (RFC 3676): a line that
// ends in a blank goes on in the next one of the same quote depth. Quote marks
// stay. delSp says that the blank is no part of the text (section 4.1).
func unflow(s string, delSp bool) string {
	var b strings.Builder
	b.Grow(len(s))
	open, depth := false, 0 // a paragraph is being joined, at this quote depth
	for i, line := range strings.Split(s, "\n") {
		d, text := quoteDepth(line)
		text = strings.TrimPrefix(text, " ")                   // space-stuffing, section 4.4
		flows := strings.HasSuffix(text, " ") && text != "-- " // section 4.3: the signature mark is fixed
		if flows && delSp {
			text = text[:len(text)-1]
		}
		if open && d == depth && text != "-- " {
			b.WriteString(text)
		} else {
			if i > 0 {
				b.WriteByte('\n')
			}
			if d > 0 {
				b.WriteString(strings.Repeat(">", min(d, 50)))
				b.WriteByte(' ')
			}
			b.WriteString(text)
		}
		open, depth = flows, d
	}
	return b.String()
}

// quoteDepth counts the ">" that open a line of flowed text (section 4.5).
func quoteDepth(line string) (int, string) {
	d := 0
	for d < len(line) && line[d] == '>' {
		d++
	}
	return d, line[d:]
}
