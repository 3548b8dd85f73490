package config

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// decoder is a value with a syntax of its own. n is never nil and never null;
// mistakes go to l.
type decoder interface {
	decode(l *loader, path string, n *node)
}

// keyed is one field of a block.
type keyed struct {
	name  string
	named bool // mapping NAME → block
	index int
	tag   reflect.StructTag
}

// fieldsOf returns the keys of a block in the order of the struct.
func fieldsOf(t reflect.Type) []keyed {
	var out []keyed
	for i := range t.NumField() {
		name, option, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if name == "" || name == "-" {
			continue
		}
		out = append(out, keyed{name, option == "named", i, t.Field(i).Tag})
	}
	return out
}

func keysOf(t reflect.Type) []string {
	var out []string
	for _, f := range fieldsOf(t) {
		out = append(out, f.name)
	}
	return out
}

// decodeInto fills the struct that target points at from the root of a file.
func (l *loader) decodeInto(tree *node, target any) {
	l.block("", tree, reflect.ValueOf(target).Elem())
}

// block decodes a mapping into a struct: known keys, then defaults for the rest.
func (l *loader) block(path string, n *node, v reflect.Value) {
	if n.kind != kindMapping {
		l.wrongShape(path, n, kindMapping)
		return
	}
	known := keysOf(v.Type())
	for _, e := range n.entries {
		key := join(path, e.key)
		l.lines[key] = e.line
		if !slices.Contains(known, e.key) {
			l.add(key, "unknown key%s", didYouMean(e.key, known))
		}
	}
	for _, f := range fieldsOf(v.Type()) {
		value := n.get(f.name)
		if value != nil && value.kind == kindNull {
			value = nil
		}
		l.field(join(path, f.name), value, v.Field(f.index), f)
	}
}

// field decodes one key of a block; a nil node means that it is absent.
func (l *loader) field(path string, n *node, v reflect.Value, f keyed) {
	if n != nil && n.kind == kindBroken {
		return
	}
	if n != nil {
		l.given[path] = true
		l.value(path, n, v, f)
		if f.tag.Get("required") == "true" && v.Kind() == reflect.Slice && v.Len() == 0 && !l.faulty(path) {
			l.add(path, "empty: %s", example(f.tag))
		}
		return
	}
	if f.tag.Get("required") == "true" {
		l.add(path, "missing: %s", example(f.tag))
		return
	}
	if text, ok := f.tag.Lookup("default"); ok && text != "" {
		l.value(path, defaultNode(text, v.Type()), v, f)
		return
	}
	if v.Kind() == reflect.Struct && !isDecoder(v) {
		l.block(path, &node{kind: kindMapping}, v)
	}
}

func example(tag reflect.StructTag) string {
	text := strings.TrimSuffix(tag.Get("doc"), ".")
	if first, _, ok := strings.Cut(text, ". "); ok {
		text = first
	}
	if e := tag.Get("example"); e != "" {
		text += fmt.Sprintf(" (example: %s)", e)
	}
	return text
}

// defaultNode is the tree of a default written in a tag.
func defaultNode(text string, t reflect.Type) *node {
	scalar := &node{kind: kindScalar, text: text}
	if t.Kind() != reflect.Slice {
		return scalar
	}
	list := &node{kind: kindSequence}
	for item := range strings.SplitSeq(text, ", ") {
		list.items = append(list.items, &node{kind: kindScalar, text: item})
	}
	return list
}

func isDecoder(v reflect.Value) bool {
	switch v.Addr().Interface().(type) {
	case decoder, *Secret:
		return true
	}
	return false
}

// value decodes n into v by the type of v.
func (l *loader) value(path string, n *node, v reflect.Value, f keyed) {
	if _, ok := l.lines[path]; !ok && n.line > 0 {
		l.lines[path] = n.line
	}
	switch target := v.Addr().Interface().(type) {
	case decoder:
		target.decode(l, path, n)
	case *Secret:
		target.decode(l, path, n, f.tag.Get("kind"))
	case **TimeOfDay:
		l.timeOfDay(path, n, target)
	case **time.Location:
		l.location(path, n, target)
	case *time.Duration:
		l.elapsed(path, n, target)
	case *map[string]string:
		l.stringMap(path, n, target)
	default:
		l.plain(path, n, v, f)
	}
}

// plain decodes what has no syntax of its own.
func (l *loader) plain(path string, n *node, v reflect.Value, f keyed) {
	switch v.Kind() {
	case reflect.Struct:
		l.block(path, n, v)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		l.value(path, n, v.Elem(), f)
	case reflect.Slice:
		if f.named {
			l.namedBlocks(path, n, v)
			return
		}
		l.list(path, n, v, f)
	case reflect.String:
		if text, ok := l.scalar(path, n); ok {
			l.text(path, text, n.text, v, f)
		}
	case reflect.Int:
		l.number(path, n, v, f)
	case reflect.Float64:
		l.fraction(path, n, v)
	case reflect.Bool:
		if text, ok := l.scalar(path, n); ok {
			l.boolean(path, text, n.text, v)
		}
	default:
		panic("config: no decoder for " + v.Type().String())
	}
}

func (l *loader) text(path, text, written string, v reflect.Value, f keyed) {
	if strings.ContainsAny(text, "\r\n\x00") {
		l.add(path, "holds a line break or a NUL: write it on one line")
		return
	}
	if allowed := f.tag.Get("allowed"); allowed != "" {
		words := strings.Split(allowed, "|")
		if !slices.Contains(words, text) {
			l.add(path, "unknown value %q%s", written, didYouMean(written, words))
			return
		}
	}
	if f.tag.Get("kind") == "path" {
		text = l.absolute(text)
	}
	if f.tag.Get("required") == "true" && strings.TrimSpace(text) == "" {
		l.add(path, "empty: %s", example(f.tag))
		return
	}
	v.SetString(text)
}

func (l *loader) number(path string, n *node, v reflect.Value, f keyed) {
	text, ok := l.scalar(path, n)
	if !ok {
		return
	}
	number, err := strconv.Atoi(text)
	low, high := bound(f.tag.Get("min"), -1<<31), bound(f.tag.Get("max"), 1<<31-1)
	switch {
	case err != nil:
		l.add(path, "%q is not a whole number (allowed: %s)", n.text, between(low, high))
	case number < low || number > high:
		l.add(path, "%q is out of bounds (allowed: %s)", n.text, between(low, high))
	default:
		v.SetInt(int64(number))
	}
}

// fraction decodes a number from 0 to 1.
func (l *loader) fraction(path string, n *node, v reflect.Value) {
	text, ok := l.scalar(path, n)
	if !ok {
		return
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || !(number >= 0 && number <= 1) { // NaN is neither
		l.add(path, "%q is not a share (allowed: 0 to 1, as in 0.5)", n.text)
		return
	}
	v.SetFloat(number)
}

func bound(text string, otherwise int) int {
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		panic("config: bad bound in tag: " + text)
	}
	return n
}

func between(low, high int) string {
	if high == 1<<31-1 {
		return fmt.Sprintf("%d or more", low)
	}
	return fmt.Sprintf("%d to %d", low, high)
}

func (l *loader) boolean(path, text, written string, v reflect.Value) {
	switch text {
	case "true", "false":
		v.SetBool(text == "true")
	default:
		l.add(path, "unknown value %q (allowed: true, false)", written)
	}
}

// list decodes a sequence. A single value stands for a list of one.
func (l *loader) list(path string, n *node, v reflect.Value, f keyed) {
	items := n.items
	switch {
	case n.kind == kindScalar && n.text == "":
	case n.kind == kindScalar:
		items = []*node{n}
	case n.kind != kindSequence:
		l.wrongShape(path, n, kindSequence)
		return
	}
	for i, item := range items {
		key := fmt.Sprintf("%s[%d]", path, i)
		if item.line > 0 {
			l.lines[key] = item.line
		}
		if item.kind == kindNull {
			l.add(key, "empty item")
			continue
		}
		element := reflect.New(v.Type().Elem()).Elem()
		l.value(key, item, element, f)
		v.Set(reflect.Append(v, element))
	}
}

// identifier is what a block may be called: one word of a command.
var identifier = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

// namedBlocks decodes a mapping NAME → block into a slice of structs with an ID.
func (l *loader) namedBlocks(path string, n *node, v reflect.Value) {
	if n.kind != kindMapping {
		l.wrongShape(path, n, kindMapping)
		return
	}
	for _, e := range n.entries {
		key := join(path, e.key)
		l.lines[key], l.given[key] = e.line, true
		if !identifier.MatchString(e.key) {
			l.add(key, "name %q is not one word (allowed: letters, digits, - and _)", e.key)
			continue
		}
		element := reflect.New(v.Type().Elem()).Elem()
		element.FieldByName("ID").SetString(e.key)
		value := e.value
		if value.kind == kindNull {
			value = &node{kind: kindMapping, line: e.line}
		}
		l.block(key, value, element)
		v.Set(reflect.Append(v, element))
	}
}

func (l *loader) stringMap(path string, n *node, target *map[string]string) {
	if n.kind != kindMapping {
		l.wrongShape(path, n, kindMapping)
		return
	}
	out := map[string]string{}
	for _, e := range n.entries {
		key := join(path, e.key)
		l.lines[key] = e.line
		if text, ok := l.scalar(key, e.value); ok {
			out[e.key] = text
		}
	}
	*target = maps.Clone(out)
}

// scalar returns the text of n with the environment put in.
func (l *loader) scalar(path string, n *node) (string, bool) {
	if n.kind != kindScalar {
		l.wrongShape(path, n, kindScalar)
		return "", false
	}
	return l.expand(path, n.text)
}

func (l *loader) wrongShape(path string, n *node, want nodeKind) {
	if n.kind == kindBroken {
		return
	}
	l.add(path, "expected %s, found %s", want, n.kind)
}
