package notify

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"frontdesk/tickets"
)

//go:embed letters
var embedded embed.FS

// A letter's words are one file for each kind and language. A mail begins with
// "Subject: …"; the Markdown after it is its body. What goes to a telephone is
// written beside it, above the subject, as a short form of the same letter:
//
//	{{define "text" -}}
//	{{.Brand}}: your request #{{.Number}} is open again, and we are on it.
//	{{- end}}
//
// Every letter that a customer can get has one: one or two sentences, no
// Markdown, characters of GSM-7 where the language allows, one segment of 160
// where nobody's own words are in it (TestEachTextInEachLanguage counts). It sees
// the same fields, and .Page (link to the customer's page), .Attached (files of
// an answer) and .Mailbox (the brand's mail address) beside them. People's words
// in it are shortened by the code when the whole is too long.

// Kinds lists the kinds of letter that have a template, customers' first.
var Kinds = []tickets.LetterKind{
	tickets.LetterAcknowledgement, tickets.LetterRefused, tickets.LetterAnswer, tickets.LetterMissing,
	tickets.LetterResolution, tickets.LetterConfirmed, tickets.LetterSilence, tickets.LetterClosed,
	tickets.LetterReopened, tickets.LetterPriority, tickets.LetterIncident, tickets.LetterEscalated, tickets.LetterUpdate, tickets.LetterDelay,
	tickets.LetterSurvey, tickets.LetterFollowUp, tickets.LetterReward,
	tickets.LetterReminder, tickets.LetterReturn, tickets.LetterPasscode,
	tickets.LetterMissedCall, tickets.LetterHelp, tickets.LetterTemplate,
	tickets.LetterNewTicket, tickets.LetterMessage, tickets.LetterReceipt, tickets.LetterHeld,
	tickets.LetterHistory, tickets.LetterList, tickets.LetterGuide, tickets.LetterBounced,
	tickets.LetterQuarantine, tickets.LetterRefusal,
	tickets.LetterOutbreak, tickets.LetterMorning, tickets.LetterTeam, tickets.LetterReport, tickets.LetterAlert,
	tickets.LetterEscalation, tickets.LetterWarning, tickets.LetterBreach, tickets.LetterAskUpdate,
	tickets.LetterLowScore,
	tickets.LetterRingText,
}

// TextOnly reports whether a kind of letter goes to telephones alone: its
// template is the short form and nothing else.
func TextOnly(kind tickets.LetterKind) bool {
	switch kind {
	case tickets.LetterMissedCall, tickets.LetterHelp, tickets.LetterTemplate, tickets.LetterRingText:
		return true
	}
	return false
}

// Templates are the letters' texts: the embedded ones, and those of the operator's
// folder that stand before them. They are read-only after LoadTemplates and may
// be used by many goroutines.
type Templates struct {
	at map[string]*Template // by brand/lang/kind, lang/kind; embedded under =lang/kind
}

// Template is one letter's text in one language.
type Template struct {
	Source   string // "de/answer.md (built in)", or the file's path
	Language string
	tmpl     *template.Template
}

// LoadTemplates reads the embedded templates and, when dir is not "", those of
// dir: <brand>/<language>/<kind>.md and <language>/<kind>.md. Every template
// is tried on sample data; the error joins what is wrong with any of them.
func LoadTemplates(dir string) (*Templates, error) {
	l := &Templates{at: map[string]*Template{}}
	errs := []error{l.load(embedded, "letters", "=", func(p string) string {
		return strings.TrimPrefix(p, "letters/") + " (built in)"
	})}
	if dir != "" {
		if _, err := os.Stat(dir); err != nil {
			return l, errors.Join(append(errs, fmt.Errorf("letters_dir: %w", err))...)
		}
		errs = append(errs, l.load(os.DirFS(dir), ".", "", func(p string) string { return filepath.Join(dir, filepath.FromSlash(p)) }))
	}
	return l, errors.Join(errs...)
}

// load reads all *.md below root. Files that are no letter's are an error:
// a misspelt name would otherwise never be used and nobody would know.
func (l *Templates) load(fsys fs.FS, root, prefix string, name func(string) string) error {
	var errs []error
	walk := fs.WalkDir(fsys, root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(p) != ".md" {
			return err
		}
		rel := strings.TrimPrefix(strings.TrimPrefix(p, root), "/")
		parts := strings.Split(strings.TrimSuffix(rel, ".md"), "/")
		kind := tickets.LetterKind(parts[len(parts)-1])
		if len(parts) < 2 || len(parts) > 3 || !slices.Contains(Kinds, kind) {
			errs = append(errs, fmt.Errorf("%s: no letter has this name (form: [brand/]language/kind.md)", name(p)))
			return nil
		}
		source, err := fs.ReadFile(fsys, p)
		if err != nil {
			return err
		}
		t, err := parseLetter(name(p), parts[len(parts)-2], string(source))
		if err == nil {
			err = t.try(kind)
		}
		if err != nil {
			errs = append(errs, err)
			return nil
		}
		l.at[prefix+strings.Join(parts, "/")] = t
		return nil
	})
	return errors.Join(append(errs, walk)...)
}

func parseLetter(source, lang, text string) (*Template, error) {
	t, err := template.New(source).Option("missingkey=error").Parse(strings.ReplaceAll(text, "\r\n", "\n"))
	if err != nil {
		return nil, err // begins with the file's name and line
	}
	return &Template{Source: source, Language: lang, tmpl: t}, nil
}

// Find returns the template of a letter: the operator's for brand and
// language, the operator's for the language, the embedded one, the embedded
// English one.
func (l *Templates) Find(brand, lang string, kind tickets.LetterKind) (*Template, bool) {
	for _, at := range []string{brand + "/" + lang + "/", lang + "/", "=" + lang + "/", "=en/"} {
		if t, ok := l.at[at+string(kind)]; ok {
			return t, true
		}
	}
	return nil, false
}

// builtin returns the embedded template: what is sent when an operator's fails.
func (l *Templates) builtin(lang string, kind tickets.LetterKind) (*Template, bool) {
	for _, at := range []string{"=" + lang + "/", "=en/"} {
		if t, ok := l.at[at+string(kind)]; ok {
			return t, true
		}
	}
	return nil, false
}

// run executes the template on a view and splits the subject from the body.
func (t *Template) run(v *view) (subject, body string, err error) {
	b := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	b.Reset()
	if err := t.tmpl.Execute(b, v); err != nil {
		return "", "", err
	}
	head, body, ok := strings.Cut(strings.TrimLeft(b.String(), "\n"), "\n")
	subject, found := strings.CutPrefix(head, "Subject:")
	if !ok || !found {
		return "", "", fmt.Errorf("%s: the first line after the comment is not \"Subject: …\"", t.Source)
	}
	return strings.TrimSpace(subject), body, nil
}

// short executes the short form on a view. False means that the template has none.
func (t *Template) short(v *view) (string, bool, error) {
	form := t.tmpl.Lookup("text")
	if form == nil {
		return "", false, nil
	}
	var b bytes.Buffer
	err := form.Execute(&b, v)
	return b.String(), true, err
}

// try runs the template on a letter with nothing and on one with everything
// said, so that a field that does not exist is found at start.
func (t *Template) try(kind tickets.LetterKind) error {
	for _, l := range []tickets.Letter{{Kind: kind}, Sample(kind)} {
		v := newView(l, Material{}, spoken(t.Language), &words{})
		_, has, err := t.short(v)
		switch {
		case err != nil:
			return err
		case TextOnly(kind) && !has:
			return fmt.Errorf("%s: no {{define \"text\"}}: this letter goes to telephones alone", t.Source)
		case TextOnly(kind):
			continue
		}
		if _, _, err := t.run(v); err != nil {
			return err
		}
	}
	return nil
}
