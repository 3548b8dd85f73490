package tickets

import (
	"embed"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// What the desk knows of language without being told stands in words/*.txt: it
// knows English and German, not a trade. A desk adds its own words in its
// configuration.
//
//go:embed words/*.txt
var wordFiles embed.FS

// knowledge is all of words/*.txt.
type knowledge struct {
	signs  []sign
	topics []topic
	words  vocabulary
	draft  *drafting // while it is read
}

// lexicons reads the word files once.
var lexicons = sync.OnceValue(func() *knowledge {
	k, err := readLexicons()
	if err != nil {
		panic(err) // built in, and tested
	}
	return k
})

func readLexicons() (*knowledge, error) {
	r := wordReader{classes: map[string][]string{}}
	k := &knowledge{draft: newDrafting()}
	files := []struct {
		name string
		take func(head string, p phrase) error
	}{
		{"classes", nil},
		{"signs", k.takeSign},
		{"topics", k.takeTopic},
		{"others", k.takeOther},
	}
	for _, f := range files {
		raw, err := wordFiles.ReadFile("words/" + f.name + ".txt")
		if err != nil {
			return nil, err
		}
		if err := r.read(string(raw), f.take); err != nil {
			return nil, fmt.Errorf("read %s.txt: %w", f.name, err)
		}
	}
	k.draft.words()
	var err error
	k.words, err = k.draft.done()
	k.draft = nil
	return k, err
}

// wordReader reads a word file: # begins a comment, [head] a group, @name a
// class; the other lines are phrases between commas.
type wordReader struct {
	classes map[string][]string
}

func (r *wordReader) read(text string, take func(head string, p phrase) error) error {
	head := ""
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "["):
			head = line
		case take == nil && strings.HasPrefix(line, "@"):
			head = line[1:]
			r.classes[head] = []string{}
		default:
			if err := r.readLine(line, head, take); err != nil {
				return fmt.Errorf("line %d: %w", i+1, err)
			}
		}
	}
	return nil
}

func (r *wordReader) readLine(line, head string, take func(head string, p phrase) error) error {
	for _, s := range strings.Split(line, ",") {
		if s = strings.TrimSpace(s); s == "" {
			continue
		}
		if take == nil {
			r.classes[head] = append(r.classes[head], s)
			continue
		}
		p, err := r.phrase(s)
		if err == nil {
			err = take(head, p)
		}
		if err != nil {
			return fmt.Errorf("%q: %w", s, err)
		}
	}
	return nil
}

// phrase reads one phrase: words with alternatives (a|b), "_" for a gap, * for
// more of the word, @name for a class.
func (r *wordReader) phrase(s string) (phrase, error) {
	var p phrase
	fields := strings.Fields(s)
	for i, w := range fields {
		c := choice{text: w}
		for _, a := range strings.Split(w, "|") {
			if name, ok := strings.CutPrefix(a, "@"); ok {
				class := r.classes[name]
				if class == nil {
					return p, fmt.Errorf("no class %q", name)
				}
				c.patterns = append(c.patterns, class...)
			} else if w != gap {
				c.patterns = append(c.patterns, a)
			}
		}
		if w == gap && (i == 0 || i == len(fields)-1) {
			return p, fmt.Errorf("a gap at an end")
		}
		p.words = append(p.words, c)
	}
	return p, nil
}

func (k *knowledge) takeSign(head string, p phrase) error {
	name, rest, ok := strings.Cut(strings.TrimPrefix(head, "["), "]")
	if !ok {
		return fmt.Errorf("no [sign] before it")
	}
	if n := len(k.signs); n == 0 || k.signs[n-1].says != name {
		x := sign{says: name}
		for f := strings.Fields(rest); len(f) > 1; f = f[2:] {
			switch f[0] {
			case "impact":
				x.impact, _ = strconv.Atoi(f[1])
			case "force":
				x.force = force(f[1])
			}
		}
		k.signs = append(k.signs, x)
	}
	p.group = len(k.signs) - 1
	k.draft.phrase(inSigns, p)
	return nil
}

func (k *knowledge) takeTopic(head string, p phrase) error {
	name, rest, ok := strings.Cut(strings.TrimPrefix(head, "["), "] weight ")
	weight, err := strconv.Atoi(rest)
	if !ok || err != nil {
		return fmt.Errorf("no [category] weight N before it")
	}
	if n := len(k.topics); n == 0 || k.topics[n-1] != (topic{name, weight}) {
		k.topics = append(k.topics, topic{name, weight})
	}
	p.group = len(k.topics) - 1
	k.draft.phrase(inTopics, p)
	return nil
}

func (k *knowledge) takeOther(head string, p phrase) error {
	into, ok := otherHeads[head]
	if !ok {
		return fmt.Errorf("unknown group %q", head)
	}
	k.draft.phrase(into, p)
	return nil
}

var otherHeads = map[string]lexicon{"[disclaimers]": inDisclaimers, "[sales]": inSales, "[private]": inPrivate, "[people]": inPeople, "[places]": inPlaces, "[howto]": inHowto, "[inform]": inInform, "[units]": inUnits}
