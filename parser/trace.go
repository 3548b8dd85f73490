package parser

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// maxTrace bounds the Received fields that are read.
const maxTrace = 100

// parseReceived reads one Received field (RFC 5321 section 4.4): "from x by y
// with z id i for r; date". Text after an unknown word is skipped.
func parseReceived(v string) Trace {
	var t Trace
	clauses := v
	if i := strings.LastIndexByte(v, ';'); i >= 0 {
		clauses = v[:i]
		t.Time = parseDate(v[i+1:])
	}
	words := strings.Fields(stripComments(clauses))
	for i := 0; i+1 < len(words); i++ {
		switch strings.ToLower(words[i]) {
		case "from":
			set(&t.From, words[i+1])
		case "by":
			set(&t.By, words[i+1])
		case "with":
			set(&t.With, words[i+1])
		}
	}
	return t
}

// set fills s when it is still empty.
func set(s *string, v string) {
	if *s == "" {
		*s = cleanValue(strings.Trim(v, "<>;,"))
	}
}

// threadRoot returns the hex of the 22 octets that open Outlook's
// Thread-Index: the same in all mails of a thread (MS-OXOMSG section 2.2.1.3).
func threadRoot(v string) string {
	v = strings.Join(strings.Fields(v), "")
	raw, err := base64.StdEncoding.DecodeString(v)
	if err != nil {
		raw, err = base64.RawStdEncoding.DecodeString(strings.TrimRight(v, "="))
	}
	if err != nil || len(raw) < 22 {
		return ""
	}
	return hex.EncodeToString(raw[:22])
}
