package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"frontdesk/tickets"

	"golang.org/x/text/unicode/norm"
)

const (
	maxIndexed  = 200_000 // bytes of a message that are searchable
	maxTerms    = 32      // words of a search that count
	maxTermRune = 64      // runes of a word that count
	maxHits     = 1000    // tickets a search finds
	maxPending  = 2000    // messages a search indexes first
)

// searchDialect is how a database keeps and asks the index. Both are given
// words, never text: what a word is, in which script, is decided here.
type searchDialect struct {
	add   string                          // $1 message, $2 document
	doc   func(words []string) string     // document of a message
	query func(phrases [][]string) string // all phrases must stand in the message
	where string                          // condition on message m, with the query as $1
	table string                          // what stands between DELETE FROM and IN
}

var sqliteSearch = searchDialect{
	add: `INSERT INTO search (rowid, words) VALUES ($1, $2)`,
	doc: func(words []string) string { return strings.Join(words, " ") },
	// Words hold letters, digits and marks only: nothing in them ends a quote.
	query: func(phrases [][]string) string {
		var terms []string
		for _, p := range phrases {
			terms = append(terms, `"`+strings.Join(p, " ")+`"`)
		}
		return strings.Join(terms, " AND ")
	},
	where: `m.id IN (SELECT rowid FROM search WHERE search MATCH $1)`,
	table: `search WHERE rowid`,
}

var postgresSearch = searchDialect{
	add: `INSERT INTO search (message, words) VALUES ($1, CAST($2 AS TSVECTOR))`,
	doc: func(words []string) string {
		var b strings.Builder
		for i, w := range words {
			fmt.Fprintf(&b, "'%s':%d ", w, min(i+1, 16383)) // the last position a tsvector has
		}
		return b.String()
	},
	query: func(phrases [][]string) string {
		var terms []string
		for _, p := range phrases {
			terms = append(terms, "('"+strings.Join(p, "' <-> '")+"')")
		}
		return strings.Join(terms, " & ")
	},
	where: `m.id IN (SELECT message FROM search WHERE words @@ CAST($1 AS TSQUERY))`,
	table: `search WHERE message`,
}

func (e *sqliteEngine) search() searchDialect   { return sqliteSearch }
func (e *postgresEngine) search() searchDialect { return postgresSearch }

// fold returns s in lower case and without accents of Latin, Greek and
// Cyrillic letters: é and e, ß and ss, ﬁ and fi are the same word.
func fold(s string) string {
	ascii := true
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 || 'A' <= s[i] && s[i] <= 'Z' {
			ascii = false
			break
		}
	}
	if ascii {
		return s
	}
	s = norm.NFKD.String(s)
	s = strings.Map(func(r rune) rune {
		if r >= 0x300 && r <= 0x36F {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
	return foldPairs.Replace(norm.NFC.String(s))
}

var foldPairs = strings.NewReplacer("ß", "ss", "æ", "ae", "œ", "oe", "ø", "o", "ł", "l", "đ", "d", "ı", "i", "ς", "σ")

// unspaced are scripts written without spaces between words: each of their
// letters counts as a word, and a word of them as a phrase.
var unspaced = []*unicode.RangeTable{unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar}

// words splits folded text into words: runs of letters, digits and the marks on
// them. At most n runes of a word are kept.
func words(text string) (list []string) {
	var word []rune
	end := func() {
		if len(word) > 0 {
			list = append(list, string(word))
			word = word[:0]
		}
	}
	for _, r := range fold(text) {
		switch {
		case unicode.In(r, unspaced...) && unicode.IsLetter(r):
			end()
			list = append(list, string(r))
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) && len(word) > 0:
			if len(word) < maxTermRune {
				word = append(word, r)
			}
		default:
			end()
		}
	}
	end()
	return list
}

// phrases splits what somebody searches for at spaces; what stands between
// them (an address, a number with a dash, a sentence without spaces) is a
// phrase. Any text gives a query; one without letters and digits gives none.
func phrases(text string) (list [][]string) {
	n := 0
	for _, field := range strings.Fields(text) {
		w := words(field)
		if len(w) > maxTerms-n {
			w = w[:maxTerms-n]
		}
		if len(w) > 0 {
			list = append(list, w)
			n += len(w)
		}
	}
	return list
}

// ticketNumber reads "123" and "#123".
func ticketNumber(text string) (int64, bool) {
	id, err := strconv.ParseInt(strings.TrimPrefix(strings.TrimSpace(text), "#"), 10, 64)
	return id, err == nil && id > 0
}

// searchTickets returns the newest tickets with a message that has all words,
// or whose number the text is. What is not in the index yet is put in first.
func (db *DB) searchTickets(ctx context.Context, text string) (ids []int64, err error) {
	if id, ok := ticketNumber(text); ok {
		if ids = append(ids, id); strings.Contains(text, "#") {
			return ids, nil
		}
	}
	ask := phrases(text)
	if len(ask) == 0 {
		return ids, nil
	}
	if _, err := db.Index(ctx, maxPending); err != nil {
		return nil, err
	}
	d := db.engine.search()
	found, err := idList(ctx, db.read, `
		SELECT m.ticket FROM messages m
		WHERE `+d.where+`
		GROUP BY m.ticket
		ORDER BY m.ticket DESC LIMIT $2`, d.query(ask), int64(maxHits))
	if err != nil {
		return nil, fmt.Errorf("search %q: %w", text, err)
	}
	return append(ids, found...), nil
}

// Index adds messages that the search index does not have yet, at most n, and
// returns how many it added.
func (db *DB) Index(ctx context.Context, n int) (added int, err error) {
	var pending int
	if err := db.read.get(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM unindexed LIMIT 1) AS p`, nil, &pending); err != nil {
		return 0, fmt.Errorf("look for messages to index: %w", err)
	}
	if pending == 0 {
		return 0, nil
	}
	err = db.write(ctx, func(tx *Tx) error { added, err = tx.index(ctx, n); return err })
	if err != nil {
		return 0, fmt.Errorf("index %d messages: %w", n, err)
	}
	return added, nil
}

func (tx *Tx) index(ctx context.Context, n int) (added int, err error) {
	d := tx.db.engine.search()
	docs := make(map[int64]string)
	// Taken out first: of two that index at a time, the second waits and finds
	// nothing left.
	ids, err := idList(ctx, tx, `
		DELETE FROM unindexed WHERE message IN (SELECT message FROM unindexed ORDER BY message LIMIT $1)
		RETURNING message`, int64(n))
	if err != nil {
		return 0, err
	}
	err = chunks(ids, maxIn, func(ids []int64) error {
		values, args := in(nil, ids)
		messages, err := loadMessages(ctx, tx, `id IN `+values, args...)
		for i := range messages {
			docs[messages[i].ID] = d.doc(documentOf(&messages[i]))
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		if err := tx.later(ctx, d.add, id, docs[id]); err != nil {
			return 0, fmt.Errorf("message %d: %w", id, err)
		}
	}
	return len(ids), nil
}

// documentOf returns the words by which a message is found.
func documentOf(m *tickets.Message) []string {
	text := m.Text
	if len(text) > maxIndexed {
		text = strings.ToValidUTF8(text[:maxIndexed], "")
	}
	parts := []string{m.Subject, m.Author.Address.Name, m.Author.Address.Address, text}
	for _, a := range m.Attachments {
		parts = append(parts, a.Filename)
	}
	return words(strings.Join(parts, "\n"))
}
