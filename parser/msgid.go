package parser

import "strings"

// parseMessageIDs reads a list of msg-ids (RFC 5322 section 3.6.4) without
// their brackets, in order, each once. Accepted: missing brackets, commas,
// blanks that folding put inside an id, comments and phrases between them
// ("Message from … of …" of old mailers).
func parseMessageIDs(raw string) []string {
	var ids []string
	seen := map[string]bool{}
	add := func(id string) {
		id = cleanMessageID(id)
		if id != "" && !seen[id] && len(ids) < maxMessageIDs {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	rest := raw
	for {
		lt := strings.IndexByte(rest, '<')
		if lt < 0 {
			break
		}
		addBare(rest[:lt], add)
		gt := strings.IndexByte(rest[lt:], '>')
		if gt < 0 {
			add(rest[lt+1:])
			return ids
		}
		id := rest[lt+1 : lt+gt]
		if i := strings.LastIndexByte(id, '<'); i >= 0 {
			id = id[i+1:] // "<<id>>", or one that lost its ">"
		}
		add(id)
		rest = rest[lt+gt+1:]
	}
	addBare(rest, add)
	return ids
}

// addBare finds ids that lost both brackets among other text.
func addBare(s string, add func(string)) {
	if strings.IndexByte(s, '@') < 0 {
		return
	}
	for _, f := range strings.FieldsFunc(stripComments(s), func(r rune) bool {
		return r == ' ' || r == '\t' || r == ',' || r == ';' || r == '"' || r == '>' || r == '\n' || r == '\r'
	}) {
		if at := strings.IndexByte(f, '@'); at > 0 && at < len(f)-1 {
			add(f)
		}
	}
}

// cleanMessageID drops what is no part of an id; "" when nothing is left.
func cleanMessageID(id string) string {
	if len(id) > maxMessageID {
		return ""
	}
	id = strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7f || r == '<' || r == '>' {
			return -1
		}
		return r
	}, toValid(id))
	return strings.Trim(id, `"',;`)
}

// parseMessageID reads a Message-ID field: one id, "" when there is none.
func parseMessageID(raw string) string {
	raw = strings.TrimSpace(raw)
	if strings.Contains(raw, "=?") {
		raw = decodeHeader(raw, "")
	}
	if ids := parseMessageIDs(raw); len(ids) > 0 {
		return ids[0]
	}
	return cleanMessageID(raw) // no brackets, no "@": still unique
}
