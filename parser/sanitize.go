package parser

import (
	"regexp"
	"strings"
	"sync"

	"github.com/microcosm-cc/bluemonday"
)

// policy is what HTML may hold when it is shown: text, structure, links that
// a person must click, pictures of the mail itself. No script, style, form,
// frame, base, meta, and nothing fetched from elsewhere.
var policy = sync.OnceValue(func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "div", "span", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "b", "strong", "i", "em", "u", "s", "strike", "del", "ins",
		"sub", "sup", "small", "big", "tt", "code", "pre", "kbd", "samp", "blockquote", "q", "cite", "abbr", "address", "center", "font",
		"ul", "ol", "li", "dl", "dt", "dd", "table", "thead", "tbody", "tfoot", "tr", "td", "th", "caption", "colgroup", "col")
	p.AllowAttrs("colspan", "rowspan").Matching(regexp.MustCompile(`^[0-9]{1,3}$`)).OnElements("td", "th")
	p.AllowAttrs("dir").Matching(regexp.MustCompile(`^(?:ltr|rtl|auto)$`)).Globally()
	p.AllowAttrs("type").Matching(regexp.MustCompile(`^cite$`)).OnElements("blockquote")
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("src", "alt").OnElements("img")
	p.AllowURLSchemes("http", "https", "mailto", "tel", "cid")
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(false)
	p.RequireNoFollowOnLinks(true)
	p.RequireNoReferrerOnLinks(true)
	p.SkipElementsContent("title", "noscript", "template", "svg", "math", "object", "select", "textarea")
	return p
})

// remoteSource matches a picture that would be fetched from elsewhere.
var remoteSource = regexp.MustCompile(`(<img[^>]*?) src="(?:[^c"][^"]*|c[^i"][^"]*)"`)

// sanitize returns HTML that is safe to show; a document without text or
// pictures is "".
func sanitize(doc string) string {
	out := policy().Sanitize(doc)
	if strings.Contains(out, "<img") {
		out = remoteSource.ReplaceAllString(out, "$1") // never fetched: pictures of others track
	}
	return strings.TrimSpace(out)
}
