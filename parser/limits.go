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

	// Large is the size in bytes, as transferred, above which the content of an
	// attachment is not kept: its Data is nil, and [Attachment.Open] reads it from
	// raw again, which has to live on. 0 keeps all.
	Large int
	// Passed is called after each few hundred KB of raw that were read through,
	// and nothing of them is needed but what will be asked for again: who has
	// mapped raw from a file may let go of its pages. nil: nobody is told.
	Passed func()
}

// Limits that no deployment has a reason to change.
const (
	maxSubject     = 64 << 10 // bytes of one decoded header value
	maxMessageIDs  = 1000     // msg-ids of one References field
	maxMessageID   = 2000     // bytes of one msg-id
	maxReencoded   = 3        // messages inside base64 inside base64 …
	maxDefects     = 100      // defects reported of one mail
	maxLines       = 100_000  // lines that the reply finder looks at
	maxEmbedded    = 200      // files taken out of one uuencoded or TNEF body
	maxTextPatches = 64       // text parts joined into one body
)

// withDefaults fills what is zero or negative.
func (l Limits) withDefaults() Limits {
	fill := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	fill(&l.Header, 256<<10)
	fill(&l.Fields, 1000)
	fill(&l.Addresses, 500)
	fill(&l.Depth, 50)
	fill(&l.Parts, 2000)
	fill(&l.Text, 1<<20)
	return l
}
