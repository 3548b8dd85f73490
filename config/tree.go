package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxDepth bounds nesting: the deepest key of a sound file is at 6.
const maxDepth = 20

// nodeKind is the shape of a YAML value.
type nodeKind string

const (
	kindScalar   nodeKind = "a value"
	kindMapping  nodeKind = "a block of keys"
	kindSequence nodeKind = "a list"
	kindNull     nodeKind = "nothing"
	kindBroken   nodeKind = "something unreadable" // reported already
)

// node is one YAML value without the types that YAML guesses: a scalar is the
// text that was written, so that 2026-12-25, +4930 and 09:30 stay what they are.
type node struct {
	kind    nodeKind
	text    string // of a scalar, unquoted
	line    int
	entries []entry // of a mapping, in file order
	items   []*node // of a sequence
}

type entry struct {
	key   string
	line  int
	value *node
}

// get returns the value of key, nil when the mapping has none.
func (n *node) get(key string) *node {
	for _, e := range n.entries {
		if e.key == key {
			return e.value
		}
	}
	return nil
}

// parseTree reads YAML text. It reports through add; a nil result means that
// nothing could be read, an empty text is an empty mapping.
func parseTree(text []byte, add func(line int, key, reason string)) (tree *node) {
	// The YAML parser has panicked on hostile text; here that is one more mistake.
	defer func() {
		if p := recover(); p != nil {
			add(1, "", fmt.Sprintf("not readable as YAML: %v", p))
			tree = nil
		}
	}()
	file, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		line, reason := syntaxError(err)
		add(line, "", reason+bracesHint(text, line))
		return nil
	}
	builder := treeBuilder{add: add}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return &node{kind: kindMapping, line: 1}
	}
	for _, doc := range file.Docs[1:] {
		if doc.Body != nil {
			add(lineOf(doc.Body), "", "second document: one file holds one configuration")
		}
	}
	return builder.node(file.Docs[0].Body, "", 0)
}

// syntaxError returns the place and words of a parser's error.
func syntaxError(err error) (line int, reason string) {
	var located yaml.Error
	if !errors.As(err, &located) {
		return 1, "not readable as YAML: " + firstLine(err.Error())
	}
	line = 1
	if t := located.GetToken(); t != nil && t.Position != nil {
		line = max(1, t.Position.Line)
	}
	return line, "not readable as YAML: " + firstLine(located.GetMessage())
}

// bracesHint explains what {host: ${HOST}} does: YAML ends the value at the
// first brace, and says so in words that point nowhere.
func bracesHint(text []byte, line int) string {
	lines := strings.Split(string(text), "\n")
	if line > len(lines) || !variable.MatchString(lines[line-1]) {
		return ""
	}
	return `: inside braces a variable needs quotes (example: {host: "${HOST}"})`
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

type treeBuilder struct {
	add func(line int, key, reason string)
}

func (b treeBuilder) node(n ast.Node, path string, depth int) *node {
	line := lineOf(n)
	if depth > maxDepth {
		b.add(line, path, fmt.Sprintf("nested deeper than %d levels", maxDepth))
		return &node{kind: kindBroken, line: line}
	}
	switch n := n.(type) {
	case nil, *ast.NullNode, *ast.CommentGroupNode:
		return &node{kind: kindNull, line: line}
	case *ast.MappingNode:
		return b.mapping(n.Values, line, path, depth)
	case *ast.MappingValueNode:
		return b.mapping([]*ast.MappingValueNode{n}, line, path, depth)
	case *ast.SequenceNode:
		out := &node{kind: kindSequence, line: line}
		for i, item := range n.Values {
			out.items = append(out.items, b.node(item, fmt.Sprintf("%s[%d]", path, i), depth+1))
		}
		return out
	case *ast.StringNode:
		return &node{kind: kindScalar, text: n.Value, line: line}
	case *ast.LiteralNode:
		return &node{kind: kindScalar, text: n.Value.Value, line: line}
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return &node{kind: kindScalar, text: n.GetToken().Value, line: line}
	default: // anchors, aliases, tags, merge keys: a file that people read in one go needs none
		b.add(line, path, fmt.Sprintf("YAML %s is not supported: write the value out", strings.ToLower(n.Type().String())))
		return &node{kind: kindBroken, line: line}
	}
}

func (b treeBuilder) mapping(values []*ast.MappingValueNode, line int, path string, depth int) *node {
	out := &node{kind: kindMapping, line: line}
	for _, v := range values {
		keyLine := lineOf(v.Key)
		key, ok := keyText(v.Key)
		if !ok {
			b.add(keyLine, path, fmt.Sprintf("YAML %s as a key is not supported", strings.ToLower(v.Key.Type().String())))
			continue
		}
		child := join(path, key)
		if i := out.index(key); i >= 0 {
			b.add(keyLine, child, fmt.Sprintf("given twice, first on line %d", out.entries[i].line))
			continue
		}
		out.entries = append(out.entries, entry{key, keyLine, b.node(v.Value, child, depth+1)})
	}
	return out
}

func (n *node) index(key string) int {
	for i, e := range n.entries {
		if e.key == key {
			return i
		}
	}
	return -1
}

// keyText returns the text of a key that is a plain word, number or string.
func keyText(key ast.MapKeyNode) (string, bool) {
	switch k := key.(type) {
	case *ast.StringNode:
		return k.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		return k.GetToken().Value, true
	}
	return "", false
}

func lineOf(n ast.Node) int {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return 1
	}
	return max(1, n.GetToken().Position.Line)
}

// join returns the path of key below path.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
