package parser

import (
	"bytes"
	"crypto/sha256"
	"strings"
)

// contentHash identifies a mail by what its author sent: six fields and the
// body. Trace fields (Received, Delivered-To, Return-Path, X-…) and line ends
// differ between two ways of one mail and do not count.
func contentHash(h header, body []byte, passed func()) [32]byte {
	sum := sha256.New()
	for _, name := range []string{"From", "To", "Cc", "Subject", "Date", "Message-ID"} {
		sum.Write([]byte(name))
		for _, v := range h.all(name) {
			sum.Write([]byte{':'})
			sum.Write([]byte(strings.Join(strings.Fields(v), " ")))
		}
		sum.Write([]byte{'\n'})
	}
	blank := 0 // line ends held back: trailing ones do not count
	for pos, from := 0, 0; pos < len(body); {
		line, next := nextLine(body, pos)
		pos = next
		if pos-from > stretch {
			passed()
			from = pos
		}
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(bytes.TrimRight(line, " \t\r")) == 0 {
			blank++
			continue
		}
		for ; blank > 0; blank-- {
			sum.Write([]byte{'\n'})
		}
		sum.Write(line)
		blank = 1
	}
	return [32]byte(sum.Sum(nil))
}
