package parser

// Limits bounds what Parse looks at. The zero value means the defaults, which
// keep one message under 10 s and 256 MB whatever it is made of.
type Limits struct {
	Header    int // bytes of one header block, default 256 KB
	Fields    int // header fields, default 1,000
	Addresses int // addresses of one field, default 500
	Depth     int // nesting of multiparts and messages, default 50
	Parts     int // parts, default 2,000
	Text      int // bytes of text kept for Text, HTML and ReplyText each, default 1 MB
}

// Options of Parse. The zero value is usable.
type Options struct {
	Limits  Limits
	Country string // default country for phone numbers, ISO 3166-1 alpha-2
	// Patterns finds facts in the text: kind (order, serial, …) to a regular
	// expression in Go's syntax; its first group, if any, is the value.
	Patterns map[string]string
}
