package notify

import (
	"bytes"
	"html"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
)

// markdown renders the templates' own Markdown. Raw HTML in them is dropped
// (goldmark's default), so that an override cannot bring in remote images.
var markdown = goldmark.New()

var brandColor = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// fallbackColor is a calm blue that reads on white and on black.
const fallbackColor = "#2f6fab"

// htmlPage renders Markdown as the HTML part: one column that a phone shows
// without zooming, styles inline because many clients drop <style>, no image,
// nothing loaded from anywhere, no colour set on text or ground so that a
// client's dark mode can choose both.
func htmlPage(doc ast.Node, source []byte, w *words, lang, title, color string) (string, error) {
	var body bytes.Buffer
	if err := markdown.Renderer().Render(&body, source, doc); err != nil {
		return "", err
	}
	if !brandColor.MatchString(color) {
		color = fallbackColor
	}
	styled := w.placed(styles(color).Replace(score.ReplaceAllString(button.ReplaceAllString(body.String(), `<a class="b" href="$1">`), `<a class="s" href="$1">`)))
	page := strings.NewReplacer("LANG", html.EscapeString(lang), "TITLE", html.EscapeString(title), "COLOR", color).Replace(htmlHead) +
		w.expand(styled, htmlWords) + htmlFoot
	return page, nil
}

// button is a link with the title "button" in Markdown: [Yes](https://… "button").
var button = regexp.MustCompile(`<a href="([^"]*)" title="button">`)

// score is a link with the title "score": one of a row of numbers. The text part
// leaves the row out; it has the link to their page.
var score = regexp.MustCompile(`<a href="([^"]*)" title="score">`)

// paragraph begins each paragraph.
const paragraph = `<p dir="auto" style="margin:0 0 16px">`

// styles puts a style on each tag that goldmark writes. Words of people are
// still marks at this point: no tag of theirs can be meant.
func styles(color string) *strings.Replacer {
	return strings.NewReplacer(
		"<p>", paragraph,
		"<ul>", `<ul style="margin:0 0 16px;padding:0 0 0 24px">`,
		"<ol>", `<ol style="margin:0 0 16px;padding:0 0 0 24px">`,
		"<li>", `<li dir="auto" style="margin:0 0 4px">`,
		"<h2>", `<h2 style="font-size:17px;line-height:1.3;margin:24px 0 8px">`,
		"<hr>", `<hr style="border:0;border-top:1px solid #999999;margin:24px 0">`,
		"<blockquote>", `<blockquote style="margin:0 0 16px;padding:0 0 0 12px;border-left:3px solid #999999">`,
		"<code>", `<code style="font-family:Consolas,Menlo,monospace;font-size:14px">`,
		`<a class="s" href=`, `<a style="display:inline-block;min-width:22px;margin:0 4px 8px 0;padding:9px 8px;border:2px solid `+color+`;border-radius:6px;font-weight:bold;text-align:center;text-decoration:none" href=`,
		`<a class="b" href=`, `<a style="display:inline-block;margin:0 8px 8px 0;padding:10px 18px;border:2px solid `+color+`;border-radius:6px;font-weight:bold;text-decoration:none" href=`,
	)
}

const htmlHead = `<!DOCTYPE html>
<html lang="LANG">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>TITLE</title>
<style>:root { color-scheme: light dark; supported-color-schemes: light dark; }</style>
</head>
<body style="margin:0;padding:0">
<div style="max-width:600px;margin:0 auto;padding:20px 16px;border-top:4px solid COLOR;font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;font-size:16px;line-height:1.5;overflow-wrap:anywhere">
`

const htmlFoot = `</div>
</body>
</html>
`
