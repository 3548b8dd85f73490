package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Finding is one mistake in the configuration, in words for the operator.
type Finding struct {
	File   string `json:"file"`
	Line   int    `json:"line"`   // 1 is the first; 0 when the whole file is meant
	Key    string `json:"key"`    // brands.example.mailboxes[0].imap.tls; "" for the whole file
	Reason string `json:"reason"` // what is wrong and what would be right
}

// String returns "file:line: key: reason".
func (f Finding) String() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d", f.Line)
	}
	b.WriteString(": ")
	if f.Key != "" {
		b.WriteString(f.Key)
		b.WriteString(": ")
	}
	b.WriteString(f.Reason)
	return b.String()
}

// Findings is every mistake of one file, by line. As an error it prints one a line.
type Findings []Finding

func (f Findings) Error() string {
	lines := make([]string, len(f))
	for i, finding := range f {
		lines[i] = finding.String()
	}
	return strings.Join(lines, "\n")
}

// sorted returns the findings by line, then key, each once.
func (f Findings) sorted() Findings {
	slices.SortStableFunc(f, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Reason, b.Reason))
	})
	return slices.Compact(f)
}

// places is where the keys of a file are: key path → line.
type places map[string]int

// of returns the line of key, or of the nearest block around it.
func (p places) of(key string) int {
	for {
		if line, ok := p[key]; ok {
			return line
		}
		cut := strings.LastIndexAny(key, ".[")
		if cut < 0 {
			return 1
		}
		key = key[:cut]
	}
}

// Finding returns a finding at the place of key, for what only a connection or
// another package can find out.
func (c *Config) Finding(key, reason string) Finding {
	return Finding{c.file, c.lines.of(key), key, reason}
}

// nearest returns the one of words that is a typing mistake away from word, "" when none is near.
func nearest(word string, words []string) string {
	best, bestDistance := "", 1+max(1, len(word)/3)
	for _, w := range words {
		if d := distance(strings.ToLower(word), strings.ToLower(w)); d < bestDistance {
			best, bestDistance = w, d
		}
	}
	return best
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours between a and b (optimal string alignment).
func distance(a, b string) int {
	before, last, row := []int(nil), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, make([]int, len(b)+1)
	}
	return last[len(b)]
}

// didYouMean returns "did you mean X?" and the list of what is allowed, in the
// form that ends a reason.
func didYouMean(word string, words []string) string {
	hint := ""
	if w := nearest(word, words); w != "" {
		hint = fmt.Sprintf(", did you mean %s?", w)
	}
	return fmt.Sprintf("%s (allowed: %s)", hint, strings.Join(words, ", "))
}
