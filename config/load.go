package config

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// maxFile bounds the configuration file itself.
const maxFile = 4 << 20

// Load reads, checks and completes the configuration file at path. The error,
// if any, is a Findings with every mistake; the configuration is nil then.
// Load does not change anything on disk and may be called again for a reload.
func Load(path string) (*Config, error) {
	l := &loader{file: path, env: os.LookupEnv, stat: os.Stat, readFile: os.ReadFile}
	cfg := l.load()
	if len(l.findings) > 0 {
		return nil, l.findings.sorted()
	}
	return cfg, nil
}

// loader holds what one Load has seen. The functions stand for the machine, so
// that the fuzzer reads no files.
type loader struct {
	file     string // as given, for findings
	env      func(name string) (string, bool)
	stat     func(name string) (os.FileInfo, error)
	readFile func(name string) ([]byte, error)

	lines    places
	given    map[string]bool
	findings Findings
}

func (l *loader) load() *Config {
	text, err := l.read()
	if err != nil {
		l.addAt(0, "", err.Error())
		return nil
	}
	return l.parse(text)
}

// read returns the text of the file.
func (l *loader) read() ([]byte, error) {
	info, err := l.stat(l.file)
	switch {
	case os.IsNotExist(err):
		return nil, fmt.Errorf("no such file: make one with frontdesk init DIR, or name yours with --config FILE")
	case err != nil:
		return nil, cause(err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("not a file")
	case info.Size() > maxFile:
		return nil, fmt.Errorf("size %d above limit %d", info.Size(), maxFile)
	}
	text, err := l.readFile(l.file)
	return text, cause(err)
}

// parse turns the text into a configuration; mistakes are in l.findings.
func (l *loader) parse(text []byte) *Config {
	l.lines, l.given = places{"": 1}, map[string]bool{}
	tree := parseTree(text, l.addAt)
	if tree == nil {
		return nil
	}
	if tree.kind != kindMapping {
		l.addAt(tree.line, "", fmt.Sprintf("expected keys with values, found %s", tree.kind))
		return nil
	}
	cfg := &Config{Path: fullPath(l.file), file: l.file, lines: l.lines}
	l.decodeInto(tree, cfg)
	fill(cfg, l.has)
	check(cfg, l)
	return cfg
}

// add records a finding at the line of key, or of the nearest block around it.
func (l *loader) add(key, format string, args ...any) {
	l.addAt(l.lines.of(key), key, fmt.Sprintf(format, args...))
}

func (l *loader) addAt(line int, key, reason string) {
	l.findings = append(l.findings, Finding{l.file, line, key, reason})
}

// has reports whether the file gives a value for key.
func (l *loader) has(key string) bool { return l.given[key] }

// faulty reports whether key, or something below it, has a finding already:
// what is not readable is not checked again.
func (l *loader) faulty(key string) bool {
	for _, f := range l.findings {
		if f.Key == key || strings.HasPrefix(f.Key, key+".") || strings.HasPrefix(f.Key, key+"[") {
			return true
		}
	}
	return false
}

// variable matches ${NAME}, and $${NAME} which stands for the text ${NAME}.
var variable = regexp.MustCompile(`\$?\$\{([^}]*)\}`)

// expand puts environment variables into text.
func (l *loader) expand(key, text string) (expanded string, ok bool) {
	ok = true
	expanded = variable.ReplaceAllStringFunc(text, func(match string) string {
		if strings.HasPrefix(match, "$$") {
			return match[1:]
		}
		name := match[2 : len(match)-1]
		value, found := l.env(name)
		if !found {
			l.add(key, "environment variable %s is not set (write $${%s} for the text itself)", name, name)
			ok = false
		}
		return value
	})
	return expanded, ok
}

// absolute returns name relative to the folder of the configuration file.
func (l *loader) absolute(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return fullPath(filepath.Join(filepath.Dir(l.file), name))
}

func fullPath(name string) string {
	full, err := filepath.Abs(name)
	if err != nil { // the working folder is gone: the relative name is the best there is
		return name
	}
	return full
}

// cause strips the operation and the path from an error of package os: the
// finding names both in its own words.
func cause(err error) error {
	if p, ok := err.(*os.PathError); ok {
		return p.Err
	}
	return err
}
