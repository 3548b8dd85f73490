package parser

import (
	"strings"
	"unicode/utf8"
)

// phrases are sought together: the text is read once, whatever their number,
// and a place that begins like none of them costs one look at two octets. Each
// phrase is in lower case and has two octets at least; the text may be in any
// case: it is compared as strings.ToLower would have it.
type phrases struct {
	list []string
	// first has, for each octet, those that follow it at the beginning of a
	// phrase, as bits of their last six: enough to tell most places apart.
	first [256]uint64
	by    [256][]int // phrases that begin with the octet, in order
	// last and ends are the same for the two octets at the end.
	last [256]uint64
	ends [256][]int
}

func newPhrases(list []string) *phrases {
	p := &phrases{list: list}
	for k, w := range list {
		n := len(w)
		p.first[w[0]] |= 1 << (w[1] & 63)
		p.by[w[0]] = append(p.by[w[0]], k)
		p.last[w[n-1]] |= 1 << (w[n-2] & 63)
		p.ends[w[n-1]] = append(p.ends[w[n-1]], k)
	}
	return p
}

// in reports whether one of the phrases stands in text.
func (p *phrases) in(text string) bool {
	text = lowerWide(text)
	for i := 0; i+1 < len(text); i++ {
		c := small[text[i]]
		if p.first[c]>>(small[text[i+1]]&63)&1 == 0 {
			continue
		}
		for _, k := range p.by[c] {
			if opensWith(text[i:], p.list[k]) {
				return true
			}
		}
	}
	return false
}

// opens returns the first phrase of the list that text begins with, "" none.
func (p *phrases) opens(text string) string {
	if len(text) < 2 || text[0]|text[1] < utf8.RuneSelf && p.first[small[text[0]]]>>(small[text[1]]&63)&1 == 0 {
		return ""
	}
	text = lowerWide(text)
	for _, k := range p.by[small[text[0]]] {
		if opensWith(text, p.list[k]) {
			return p.list[k]
		}
	}
	return ""
}

// closes reports whether text ends with one of the phrases.
func (p *phrases) closes(text string) bool {
	n := len(text)
	if n < 2 || text[n-1]|text[n-2] < utf8.RuneSelf && p.last[small[text[n-1]]]>>(small[text[n-2]]&63)&1 == 0 {
		return false
	}
	text = lowerWide(text)
	for _, k := range p.ends[small[text[len(text)-1]]] {
		if w := p.list[k]; len(w) <= len(text) && opensWith(text[len(text)-len(w):], w) {
			return true
		}
	}
	return false
}

// small has the small letter for each of ASCII's capitals.
var small = func() (t [256]byte) {
	for i := range t {
		t[i] = byte(i)
		if 'A' <= i && i <= 'Z' {
			t[i] += 'a' - 'A'
		}
	}
	return t
}()

// lowerWide brings a text with letters outside ASCII into lower case. ASCII
// stays as it is: its letters are made small as they are compared, without a
// copy.
func lowerWide(text string) string {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return strings.ToLower(text)
		}
	}
	return text
}

// opensWith reports whether text begins with the phrase w.
func opensWith(text, w string) bool {
	if len(text) < len(w) {
		return false
	}
	for i := range len(w) {
		if small[text[i]] != w[i] {
			return false
		}
	}
	return true
}
