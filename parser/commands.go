package parser

import "strings"

// commandWords are the commands that may also begin with "/", "@" or "!".
var commandWords = words(`close reopen pending hold take assign note severity impact urgency category queue tag cc from merge split link spam
	block due time letter kb rma sms call ack escalate update away back incident renewed send release history list help`)

// cutCommands splits the visible reply into the command lines at its very top
// and the rest. Blank lines may stand before the first command, between two,
// and after the last. Commands begin with "#" in the result, whatever mark was
// typed. A body that begins with "##" loses one "#".
func cutCommands(reply string) (commands []string, body string) {
	rest := reply
	for {
		line, after := cutTextLine(skipBlank(rest))
		c, ok := commandLine(line)
		if !ok {
			break
		}
		commands = append(commands, c)
		rest = after
	}
	if len(commands) > 0 {
		rest = skipBlank(rest)
	}
	if trimmed := skipBlank(rest); strings.HasPrefix(trimmed, "##") {
		rest = trimmed[1:]
	}
	return commands, rest
}

// commandLine reads one command line and gives it its "#".
func commandLine(line string) (string, bool) {
	line = strings.TrimSpace(strings.Map(func(r rune) rune {
		switch r {
		case '\u00a0', '\u202f', '\u3000':
			return ' ' // phones type these
		case '\u200b', '\u200e', '\u200f', '\ufeff', '\u2060':
			return -1
		}
		return r
	}, line))
	if len(line) < 2 {
		return "", false
	}
	word := line[1:]
	if i := strings.IndexAny(word, " \t:,.;!?"); i >= 0 {
		word = word[:i]
	}
	switch line[0] {
	case '#':
		c := line[1] | 0x20
		return line, c >= 'a' && c <= 'z'
	case '/', '@', '!':
		return "#" + line[1:], commandWords[strings.ToLower(word)]
	}
	return "", false
}

// skipBlank drops blank lines from the start of s.
func skipBlank(s string) string {
	for s != "" {
		line, after := cutTextLine(s)
		if strings.TrimFunc(line, isBlankRune) != "" {
			return s
		}
		s = after
	}
	return s
}

// isBlankRune reports white space and what looks like nothing.
func isBlankRune(r rune) bool {
	switch r {
	case 'ᐧ', ' ', '\t', '\r', '\v', '\f', '\u00a0', '\u200b', '\u200c', '\u200d', '\u200e', '\u200f', '\u2060', '\ufeff', '\u3000', '\u202f', '\u00ad',
		'\u202a', '\u202b', '\u202c', '\u202d', '\u202e', '\u2066', '\u2067', '\u2068', '\u2069':
		return true
	}
	return false
}

// cutTextLine splits off the first line.
func cutTextLine(s string) (line, rest string) {
	line, rest, _ = strings.Cut(s, "\n")
	return line, rest
}
