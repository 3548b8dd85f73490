package main

import (
	"bytes"
	"os"

	"frontdesk/parser"
)

// parse is parser.Parse, unless FRONTDESK_TESTING=1 says that this is a test and
// FRONTDESK_TEST_POISON holds words: then a mail with these words ends the
// process at once, as a fault that nothing catches does.
func parse(raw []byte, opt parser.Options) *parser.Mail {
	words := os.Getenv("FRONTDESK_TEST_POISON")
	if words != "" && os.Getenv("FRONTDESK_TESTING") == "1" && bytes.Contains(raw, []byte(words)) {
		os.Exit(139)
	}
	return parser.Parse(raw, opt)
}
