package notify

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
)

// plainWidth is where the text part's own sentences are wrapped: quoted twice
// they still fit the 78 columns of RFC 5322 section 2.1.1. Words of people are
// never wrapped; the transfer encoding takes care of their long lines.
const plainWidth = 72

// heldSpace stands for a space at which wrap does not break, until it is done.
const heldSpace = string(markHeld)

// plainText renders Markdown as the text part of a letter.
func plainText(doc ast.Node, source []byte, w *words) string {
	p := &plainer{source: source, words: w}
	return strings.TrimRight(strings.Join(p.blocks(doc, plainWidth), "\n"), "\n ") + "\n"
}

// plainer turns nodes into lines; each function returns its node's lines
// without the prefix that the block around it adds.
type plainer struct {
	source []byte
	words  *words
}

// blocks renders the children of a block with an empty line between them.
func (p *plainer) blocks(parent ast.Node, width int) []string {
	var lines []string
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		b := p.block(n, width)
		if len(b) == 0 {
			continue
		}
		if len(lines) > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, b...)
	}
	return lines
}

func (p *plainer) block(n ast.Node, width int) []string {
	switch n := n.(type) {
	case *ast.Heading:
		title := strings.Join(p.paragraph(n, width), " ")
		return []string{title, strings.Repeat("-", utf8.RuneCountInString(title))}
	case *ast.List:
		return p.list(n, width)
	case *ast.Blockquote:
		return prefixed(p.blocks(n, width-2), "> ", "> ")
	case *ast.ThematicBreak:
		return []string{strings.Repeat("_", 40)}
	case *ast.FencedCodeBlock, *ast.CodeBlock:
		return p.code(n)
	default:
		if scoreRow(n) {
			return nil
		}
		return p.paragraph(n, width)
	}
}

// scoreRow reports whether a paragraph is a row of scores.
func scoreRow(n ast.Node) bool {
	link, ok := n.FirstChild().(*ast.Link)
	return ok && string(link.Title) == "score"
}

func (p *plainer) list(n *ast.List, width int) []string {
	var lines []string
	number := n.Start
	for item := n.FirstChild(); item != nil; item = item.NextSibling() {
		mark := "- "
		if n.IsOrdered() {
			mark = strconv.Itoa(number) + ". "
			number++
		}
		if len(lines) > 0 && !n.IsTight {
			lines = append(lines, "")
		}
		lines = append(lines, prefixed(p.blocks(item, width-len(mark)), mark, strings.Repeat(" ", len(mark)))...)
	}
	return lines
}

func (p *plainer) code(n ast.Node) []string {
	var lines []string
	for i := range n.Lines().Len() {
		seg := n.Lines().At(i)
		line := strings.TrimRight(string(seg.Value(p.source)), "\n")
		lines = append(lines, "    "+p.words.expand(line, verbatim))
	}
	return lines
}

// paragraph wraps the sentences of a paragraph. Words that are a paragraph of
// their own are shown as they are.
func (p *plainer) paragraph(n ast.Node, width int) []string {
	text := p.inline(n)
	if said, ok := p.words.lone(text); ok {
		return strings.Split(said, "\n")
	}
	var lines []string
	for _, hard := range strings.Split(p.words.expand(text, verbatim), "\n") {
		for _, line := range wrap(hard, width) {
			lines = append(lines, strings.ReplaceAll(line, heldSpace, " "))
		}
	}
	return lines
}

// inline returns the text of a node with "\n" for hard line breaks only.
func (p *plainer) inline(parent ast.Node) string {
	var b strings.Builder
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Text:
			b.Write(n.Segment.Value(p.source))
			switch {
			case n.HardLineBreak():
				b.WriteByte('\n')
			case n.SoftLineBreak():
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(n.Value)
		case *ast.AutoLink:
			b.Write(n.URL(p.source))
		case *ast.Link:
			b.WriteString(p.inline(n) + ": " + string(n.Destination))
		case *ast.RawHTML:
			// dropped, as in the HTML part
		case *ast.CodeSpan:
			b.WriteString(strings.ReplaceAll(p.inline(n), " ", heldSpace)) // a command stays on one line
		default: // emphasis
			b.WriteString(p.inline(n))
		}
	}
	return b.String()
}

// wrap breaks a line at spaces. A word longer than width stands alone.
func wrap(line string, width int) []string {
	if lined(line) && len(line) <= width {
		return []string{line}
	}
	var lines []string
	current, n := make([]byte, 0, min(len(line), 4*width)), 0
	for word := range strings.FieldsSeq(line) {
		l := utf8.RuneCountInString(word)
		if len(current) > 0 && n+1+l > width {
			lines = append(lines, string(current))
			current, n = current[:0], 0
		}
		if len(current) > 0 {
			current = append(current, ' ')
			n++
		}
		current = append(current, word...)
		n += l
	}
	return append(lines, string(current))
}

func prefixed(lines []string, first, rest string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		p := rest
		if i == 0 {
			p = first
		}
		if l == "" {
			p = strings.TrimRight(p, " ")
		}
		out[i] = p + l
	}
	return out
}
