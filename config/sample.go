package config

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
)

// sampleHead explains the sample to who opens it first.
const sampleHead = `# Configuration of frontdesk. Check it with: frontdesk check --config THIS FILE
#
# A key whose line begins with # is off and has its default; take the # away to
# set it. ${NAME} is replaced by an environment variable. Relative paths begin
# at the folder of this file. A *_file key names a file that holds one secret
# (chmod 600); credential:NAME reads it from systemd's LoadCredential.
`

// sampleWidth is where comments of the sample are folded.
const sampleWidth = 100

// starting is what the sample sets beside the required keys: together they are
// a desk that starts.
var starting = map[string]string{
	"data_dir":                                       "data",
	"secret_file":                                    "secret",
	"brands.example.name":                            "Example",
	"brands.example.language":                        "en",
	"brands.example.timezone":                        "UTC",
	"brands.example.hours":                           `{mon-fri: "09:00-17:00"}`,
	"brands.example.mailboxes[0].imap.host":          "imap.example.com",
	"brands.example.mailboxes[0].imap.password_file": "mail.password",
	"brands.example.mailboxes[0].smtp.username":      "support@example.com",
	"brands.example.mailboxes[0].smtp.password_file": "mail.password",
	"agents[0].name":                                 "Asha",
	"agents[0].role":                                 "admin",
}

// Sample returns the commented starting configuration: every key with its
// meaning, default and an example, made from the tags of Config. It loads once
// the files "secret" and "mail.password" are beside it.
func Sample() []byte {
	s := &sampler{}
	s.out.WriteString(sampleHead)
	s.block(reflect.TypeFor[Config](), "", 0, false)
	return s.out.Bytes()
}

type sampler struct {
	out  bytes.Buffer
	item bool // the next key begins an item of a list
}

// block writes the keys of a struct; off means that the whole block is off.
func (s *sampler) block(t reflect.Type, path string, indent int, off bool) {
	for _, f := range fieldsOf(t) {
		key := join(path, f.name)
		if indent == 0 {
			s.out.WriteByte('\n')
		}
		s.comment(describe(f.tag), indent, off)
		s.key(t.Field(f.index).Type, key, f, indent, off || !isActive(key, f.tag))
	}
}

// key writes one key with its value or the block below it.
func (s *sampler) key(t reflect.Type, path string, f keyed, indent int, off bool) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case f.named:
		s.line(f.name+":", indent, off)
		name := f.tag.Get("key")
		s.line(name+":", indent+2, off)
		s.block(t.Elem(), join(path, name), indent+4, off)
		if more := f.tag.Get("more"); more != "" {
			for line := range strings.SplitSeq(more, "|") {
				s.line(line, indent+2, off)
			}
		}
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct && len(fieldsOf(t.Elem())) > 0:
		s.line(f.name+":", indent, off)
		s.item = true
		s.block(t.Elem(), path+"[0]", indent+4, off)
	case t.Kind() == reflect.Struct && len(fieldsOf(t)) > 0:
		s.line(f.name+":", indent, off)
		s.block(t, path, indent+2, off)
	default:
		s.line(f.name+": "+sampleValue(path, t, f.tag), indent, off)
	}
}

func isActive(path string, tag reflect.StructTag) bool {
	for key := range starting {
		if key == path || strings.HasPrefix(key, path+".") || strings.HasPrefix(key, path+"[") {
			return true
		}
	}
	return tag.Get("required") == "true"
}

// sampleValue returns the value of a key as YAML.
func sampleValue(path string, t reflect.Type, tag reflect.StructTag) string {
	if v, ok := starting[path]; ok {
		return v
	}
	value, ok := tag.Lookup("example")
	if !ok {
		value = tag.Get("default")
		if t.Kind() == reflect.Slice {
			return "[" + value + "]"
		}
	} else if strings.HasPrefix(value, "[") || strings.HasPrefix(value, "{") || strings.HasPrefix(value, `"`) {
		return value
	}
	if value == "" || strings.ContainsAny(value, "#{}") || strings.HasPrefix(value, "0") {
		return `"` + value + `"`
	}
	return value
}

// describe returns the comment of a key.
func describe(tag reflect.StructTag) string {
	text := tag.Get("doc")
	if allowed := tag.Get("allowed"); allowed != "" {
		text += " One of: " + strings.ReplaceAll(allowed, "|", ", ") + "."
	}
	value, hasDefault := tag.Lookup("default")
	switch says := tag.Get("says"); {
	case tag.Get("required") == "true":
		text += " Required."
	case says != "":
		text += " Default: " + says + "."
	case hasDefault && value == "":
		text += " Default: none."
	case hasDefault:
		text += " Default: " + value + "."
	}
	return text
}

// line writes one line of YAML, behind a # when it is off.
func (s *sampler) line(text string, indent int, off bool) {
	if s.item {
		text, indent, s.item = "- "+text, indent-2, false
	}
	if off {
		s.out.WriteByte('#')
	}
	fmt.Fprintf(&s.out, "%s%s\n", strings.Repeat(" ", indent), text)
}

// comment writes text folded; within a block that is off, its # stays when the
// block is switched on.
func (s *sampler) comment(text string, indent int, off bool) {
	mark := ""
	if off {
		mark = "#"
	}
	line := ""
	flush := func() {
		if line != "" {
			fmt.Fprintf(&s.out, "%s%s# %s\n", mark, strings.Repeat(" ", indent), line)
		}
	}
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word)+indent > sampleWidth {
			flush()
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	flush()
}
