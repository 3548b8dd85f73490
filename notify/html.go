package notify

import (
	"bytes"
	"html"
	"regexp"
	"strings"
	"sync"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
)

// markdown renders the templates' own Markdown. Raw HTML in them is dropped
// (goldmark's default), so that an override cannot bring in remote images.
var markdown = goldmark.New()

var brandColor = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// fallbackColor is a calm blue that reads on white and on black.
const fallbackColor = "#2f6fab"

// buffers are what a letter was put together in, for the next one.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// htmlPage renders Markdown as the HTML part: one column that a phone shows
// without zooming, styles inline because many clients drop <style>, no image,
// nothing loaded from anywhere, no colour set on text or ground so that a
// client's dark mode can choose both.
func htmlPage(doc ast.Node, source []byte, w *words, lang, title, color string) (string, error) {
	rendered := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(rendered)
	rendered.Reset()
	if err := markdown.Renderer().Render(rendered, source, doc); err != nil {
		return "", err
	}
	if !brandColor.MatchString(color) {
		color = fallbackColor
	}
	body := w.placed(styled(rendered.String(), color))
	var page strings.Builder
	page.Grow(len(htmlHead) + len(body) + len(body)/2 + len(htmlFoot))
	for part := range strings.SplitSeq(htmlHead, "@") {
		switch part {
		case "lang":
			page.WriteString(html.EscapeString(lang))
		case "title":
			page.WriteString(html.EscapeString(title))
		case "color":
			page.WriteString(color)
		default:
			page.WriteString(part)
		}
	}
	w.expandTo(&page, body, htmlWords)
	page.WriteString(htmlFoot)
	return page.String(), nil
}

// paragraph begins each paragraph.
const paragraph = `<p dir="auto" style="margin:0 0 16px">`

// tagStyles gives the tags that goldmark writes their style.
var tagStyles = map[string]string{
	"<p>":          paragraph,
	"<ul>":         `<ul style="margin:0 0 16px;padding:0 0 0 24px">`,
	"<ol>":         `<ol style="margin:0 0 16px;padding:0 0 0 24px">`,
	"<li>":         `<li dir="auto" style="margin:0 0 4px">`,
	"<h2>":         `<h2 style="font-size:17px;line-height:1.3;margin:24px 0 8px">`,
	"<hr>":         `<hr style="border:0;border-top:1px solid #999999;margin:24px 0">`,
	"<blockquote>": `<blockquote style="margin:0 0 16px;padding:0 0 0 12px;border-left:3px solid #999999">`,
	"<code>":       `<code style="font-family:Consolas,Menlo,monospace;font-size:14px">`,
}

// titleStyles gives links with these titles their style: a button is a link with
// the title "button" in Markdown, [Yes](https://… "button"); "score" is one of a
// row of numbers, which the text part leaves out, because it has the link to
// their page.
var titleStyles = map[string]string{
	"score":  `<a style="display:inline-block;min-width:22px;margin:0 4px 8px 0;padding:9px 8px;border:2px solid COLOR;border-radius:6px;font-weight:bold;text-align:center;text-decoration:none" href="`,
	"button": `<a style="display:inline-block;margin:0 8px 8px 0;padding:10px 18px;border:2px solid COLOR;border-radius:6px;font-weight:bold;text-decoration:none" href="`,
}

// styled puts a style on each tag that goldmark writes. Words of people are
// still marks at this point: no tag of theirs can be meant.
func styled(page, color string) string {
	var b strings.Builder
	b.Grow(2 * len(page))
	for {
		at := strings.IndexByte(page, '<')
		if at < 0 {
			b.WriteString(page)
			return b.String()
		}
		b.WriteString(page[:at])
		page = page[at:]
		tag := page[:strings.IndexByte(page, '>')+1]
		page = page[len(tag):]
		if tag == "" { // no end
			b.WriteString(page)
			return b.String()
		}
		b.WriteString(styledTag(tag, color))
	}
}

// styledTag returns a tag with its style.
func styledTag(tag, color string) string {
	if with, ok := tagStyles[tag]; ok {
		return with
	}
	if link, ok := strings.CutPrefix(tag, `<a href="`); ok {
		if address, title, ok := strings.Cut(link, `" title="`); ok {
			if with, ok := titleStyles[strings.TrimSuffix(title, `">`)]; ok {
				return strings.Replace(with, "COLOR", color, 1) + address + `">`
			}
		}
	}
	return tag
}

const htmlHead = `<!DOCTYPE html>
<html lang="@lang@">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>@title@</title>
<style>:root { color-scheme: light dark; supported-color-schemes: light dark; }</style>
</head>
<body style="margin:0;padding:0">
<div style="max-width:600px;margin:0 auto;padding:20px 16px;border-top:4px solid @color@;font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;font-size:16px;line-height:1.5;overflow-wrap:anywhere">
`

const htmlFoot = `</div>
</body>
</html>
`
