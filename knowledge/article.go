package knowledge

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Audience says who may read an article.
type Audience string

// The audiences.
const (
	Customers Audience = "customers"
	Agents    Audience = "agents"
)

// Article is one file of the folder.
type Article struct {
	File     string // below the folder
	ID       string // lower case, one word
	Title    string
	Brands   []string // keys; nil all
	Language string   // ISO 639-1, "" every language
	Tags     []string
	Summary  string
	Link     string // http or https, "" none
	Audience Audience
	Body     string // as text, LF line ends
}

// For reports whether the article is for customers of a brand who write a
// language; "" stands for any.
func (a *Article) For(brand, language string) bool {
	return (brand == "" || len(a.Brands) == 0 || slices.Contains(a.Brands, brand)) &&
		(language == "" || a.Language == "" || a.Language == language)
}

// What a file may hold at most: an article is a page, not a manual.
const (
	MaxFile     = 128 << 10 // bytes
	maxTitle    = 200       // characters
	maxSummary  = 600
	maxTags     = 50
	maxTag      = 80
	maxLinkSize = 1000 // bytes
)

// Problem is what is wrong with a file, and where.
type Problem struct {
	File   string
	Line   int
	Reason string
}

func (p Problem) Error() string { return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Reason) }

// Parse reads one file; the name stands for the id where the file has none. The
// error joins a Problem for everything that is wrong.
func Parse(file string, text []byte) (Article, error) {
	r := &reading{a: Article{File: file, Audience: Customers}}
	if len(text) > MaxFile {
		return r.a, Problem{file, 1, fmt.Sprintf("size %d above limit %d", len(text), MaxFile)}
	}
	if !utf8.Valid(text) {
		return r.a, Problem{file, 1 + bytes.Count(text[:invalid(text)], []byte("\n")), "not UTF-8"}
	}
	front, body, ok := split(strings.ReplaceAll(string(text), "\r\n", "\n"))
	if !ok {
		return r.a, Problem{file, 1, "no front matter: the file begins with a line ---, the keys, and a second line ---"}
	}
	r.front(front)
	r.a.Body = plainText(body)
	r.complete()
	return r.a, errors.Join(r.wrong...)
}

// invalid is where the first byte that is no UTF-8 stands.
func invalid(text []byte) int {
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(text)
}

// split cuts the front matter from the body.
func split(text string) (front, body string, ok bool) {
	text = strings.TrimPrefix(text, "\ufeff")
	rest, ok := strings.CutPrefix(text, "---\n")
	if !ok {
		return "", "", false
	}
	if body, ok := strings.CutPrefix(rest, "---\n"); ok {
		return "", body, true
	}
	if front, body, ok = strings.Cut(rest, "\n---\n"); ok {
		return front, body, true
	}
	front, ok = strings.CutSuffix(rest, "\n---")
	return front, "", ok
}

// reading collects what one file says and what is wrong with it.
type reading struct {
	a     Article
	wrong []error
	lines map[string]int // of the keys
}

func (r *reading) add(line int, format string, args ...any) {
	r.wrong = append(r.wrong, Problem{r.a.File, line, fmt.Sprintf(format, args...)})
}

// front reads the keys. The parser of YAML has panicked on hostile text.
func (r *reading) front(text string) {
	defer func() {
		if p := recover(); p != nil {
			r.add(1, "front matter is not readable as YAML: %v", p)
		}
	}()
	r.lines = map[string]int{}
	file, err := parser.ParseBytes([]byte(text), 0, parser.AllowDuplicateMapKey())
	if err != nil {
		line, reason := 1, err.Error()
		if located, ok := errors.AsType[yaml.Error](err); ok {
			reason = located.GetMessage()
			if t := located.GetToken(); t != nil && t.Position != nil {
				line = t.Position.Line
			}
		}
		reason, _, _ = strings.Cut(reason, "\n")
		r.add(line+1, "front matter is not readable as YAML: %s", reason)
		return
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return
	}
	switch n := file.Docs[0].Body.(type) {
	case *ast.MappingNode:
		r.keys(n.Values)
	case *ast.MappingValueNode:
		r.keys([]*ast.MappingValueNode{n})
	default:
		r.add(2, "front matter: expected keys with values")
	}
}

// lineOf is a node's line in the file: the front matter begins on its second.
func lineOf(n ast.Node) int {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return 2
	}
	return n.GetToken().Position.Line + 1
}

// keyNames are the keys of the front matter.
var keyNames = []string{"audience", "brand", "brands", "id", "language", "link", "summary", "tags", "title"}

func (r *reading) keys(values []*ast.MappingValueNode) {
	for _, v := range values {
		key, line := v.Key.String(), lineOf(v.Key)
		if first := r.lines[key]; first != 0 {
			r.add(line, "%s: given twice, first on line %d", key, first)
			continue
		}
		r.lines[key] = line
		r.key(key, line, v.Value)
	}
}

func (r *reading) key(key string, line int, n ast.Node) {
	a := &r.a
	switch key {
	case "id":
		a.ID = strings.ToLower(r.text(key, n))
	case "title":
		a.Title = r.text(key, n)
	case "summary":
		a.Summary = r.text(key, n)
	case "link":
		a.Link = r.text(key, n)
	case "language":
		a.Language = strings.ToLower(r.text(key, n))
	case "audience":
		a.Audience = Audience(strings.ToLower(r.text(key, n)))
	case "brand", "brands":
		a.Brands = append(a.Brands, r.list(key, n)...)
	case "tags":
		a.Tags = r.list(key, n)
	default:
		r.add(line, "%s: unknown key (allowed: %s)", key, strings.Join(keyNames, ", "))
	}
}

// text is a value in one line, "" for none.
func (r *reading) text(key string, n ast.Node) string {
	switch n := n.(type) {
	case nil, *ast.NullNode:
		return ""
	case *ast.StringNode:
		return strings.Join(strings.Fields(n.Value), " ")
	case *ast.LiteralNode:
		return strings.Join(strings.Fields(n.Value.Value), " ")
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value
	}
	r.add(lineOf(n), "%s: expected a text", key)
	return ""
}

// list is a list, or one value that stands for a list of one.
func (r *reading) list(key string, n ast.Node) []string {
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		if one := r.text(key, n); one != "" {
			return []string{one}
		}
		return nil
	}
	var out []string
	for _, item := range s.Values {
		if one := r.text(key, item); one != "" {
			out = append(out, one)
		}
	}
	return out
}

var (
	idForm       = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)
	languageForm = regexp.MustCompile(`^[a-z]{2}$`)
)

// complete fills in the id and checks what was said.
func (r *reading) complete() {
	a := &r.a
	line := func(key string) int { return max(1, r.lines[key]) }
	if a.ID == "" {
		a.ID = strings.ToLower(strings.TrimSuffix(a.File[strings.LastIndexByte(a.File, '/')+1:], ".md"))
	}
	if !idForm.MatchString(a.ID) {
		r.add(line("id"), "id: %q (allowed: up to 64 of a-z, 0-9, dot, hyphen, underscore)", a.ID)
	}
	if a.Title == "" {
		r.add(line("title"), "title: missing")
	}
	r.atMost("title", a.Title, maxTitle)
	r.atMost("summary", a.Summary, maxSummary)
	if len(a.Tags) > maxTags {
		r.add(line("tags"), "tags: %d, at most %d", len(a.Tags), maxTags)
	}
	for _, t := range a.Tags {
		r.atMost("tags", t, maxTag)
	}
	if a.Language != "" && !languageForm.MatchString(a.Language) {
		r.add(line("language"), "language: %q (allowed: two letters, such as en or de)", a.Language)
	}
	if a.Audience != Customers && a.Audience != Agents {
		r.add(line("audience"), "audience: %q (allowed: customers, agents)", a.Audience)
	}
	if why := badLink(a.Link); why != "" {
		r.add(line("link"), "link: %s", why)
	}
	if strings.TrimSpace(a.Body) == "" && a.Link == "" {
		r.add(1, "no text below the front matter, and no link")
	}
}

func (r *reading) atMost(key, value string, n int) {
	if have := utf8.RuneCountInString(value); have > n {
		r.add(max(1, r.lines[key]), "%s: %d characters, at most %d", key, have, n)
	}
}

// badLink says why a link could not stand in a letter.
func badLink(link string) string {
	if link == "" {
		return ""
	}
	u, err := url.Parse(link)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return fmt.Sprintf("%q (allowed: https://…)", link)
	case len(link) > maxLinkSize:
		return fmt.Sprintf("%d bytes, at most %d", len(link), maxLinkSize)
	case strings.ContainsAny(link, " <>()\"'`\\"):
		return fmt.Sprintf("%q holds a character that a link in a letter cannot (write it as %%XX)", link)
	}
	return ""
}
