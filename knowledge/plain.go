package knowledge

import (
	"strconv"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
)

// plainText is Markdown as a person would write it in a mail without markup:
// paragraphs, lists with marks, links with their address behind them. HTML in it
// is left out, pictures are their description.
func plainText(markdown string) string {
	source := []byte(markdown)
	p := plainer{source}
	return strings.TrimSpace(strings.Join(p.blocks(goldmark.DefaultParser().Parse(text.NewReader(source))), "\n"))
}

type plainer struct{ source []byte }

// blocks are the lines of a block's children with an empty line between them.
func (p plainer) blocks(parent ast.Node) []string {
	var lines []string
	tight := false
	if item, ok := parent.(*ast.ListItem); ok {
		tight = item.Parent().(*ast.List).IsTight
	}
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		b := p.block(n)
		if len(b) == 0 {
			continue
		}
		if len(lines) > 0 && !tight {
			lines = append(lines, "")
		}
		lines = append(lines, b...)
	}
	return lines
}

func (p plainer) block(n ast.Node) []string {
	switch n := n.(type) {
	case *ast.List:
		return p.list(n)
	case *ast.Blockquote:
		return indented(p.blocks(n), "  ", "  ")
	case *ast.FencedCodeBlock, *ast.CodeBlock:
		return indented(p.lines(n), "    ", "    ")
	case *ast.ThematicBreak, *ast.HTMLBlock:
		return nil
	}
	var b strings.Builder
	p.inline(&b, n)
	return strings.Split(strings.TrimSpace(b.String()), "\n")
}

func (p plainer) list(n *ast.List) []string {
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
		lines = append(lines, indented(p.blocks(item), mark, strings.Repeat(" ", len(mark)))...)
	}
	return lines
}

func (p plainer) lines(n ast.Node) []string {
	var out []string
	for i := range n.Lines().Len() {
		line := n.Lines().At(i)
		out = append(out, strings.TrimRight(string(line.Value(p.source)), "\n"))
	}
	return out
}

func (p plainer) inline(b *strings.Builder, parent ast.Node) {
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Text:
			b.Write(n.Value(p.source))
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
		case *ast.RawHTML:
		case *ast.Link:
			p.link(b, n)
		default:
			p.inline(b, n)
		}
	}
}

func (p plainer) link(b *strings.Builder, n *ast.Link) {
	var said strings.Builder
	p.inline(&said, n)
	b.WriteString(said.String())
	if to := string(n.Destination); to != "" && to != said.String() {
		b.WriteString(" (" + to + ")")
	}
}

func indented(lines []string, first, rest string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		mark := rest
		if i == 0 {
			mark = first
		}
		out[i] = strings.TrimRight(mark+l, " ")
	}
	return out
}
