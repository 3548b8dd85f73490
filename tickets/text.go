package tickets

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// show is "Name <address>", or what there is of it.
func show(a Address) string {
	if n := Number(a.Address); n != "" {
		a.Address = n
	}
	switch {
	case a.Name == "":
		return a.Address
	case a.Address == "":
		return a.Name
	}
	return a.Name + " <" + a.Address + ">"
}

// excerpt is the text in one line, cut at a word before n runes.
func excerpt(text string, n int) string {
	var b strings.Builder // no more of a long text than is shown
	left := n
	for word := range strings.FieldsSeq(text) {
		if b.Len() > 0 {
			word = " " + word
		}
		for _, r := range word {
			if left == 0 {
				return cutAtWord(b.String()) + " …"
			}
			b.WriteRune(r)
			left--
		}
	}
	return b.String()
}

// cutAtWord leaves out a word that was cut in the second half of s.
func cutAtWord(s string) string {
	if i := strings.LastIndexByte(s, ' '); i > len(s)/2 {
		return s[:i]
	}
	return s
}
