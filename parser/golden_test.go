package parser

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the goldens of testdata anew")

// golden is the part of a Mail that the goldens hold: all but the raw fields
// and data.
type golden struct {
	*Mail
	Header      any `json:"Header,omitempty"`
	Content     any `json:"Content,omitempty"`
	Attachments []goldenAttachment
}

type goldenAttachment struct {
	Filename, ContentType, ContentID, Data string
	Inline                                 bool
}

// TestGolden reads testdata/<oddity>.eml and compares with
// <oddity>.want.json; the first header line of each mail tells its origin.
func TestGolden(t *testing.T) {
	t.Parallel()
	names, _ := filepath.Glob("testdata/*.eml")
	if len(names) < 40 {
		t.Fatalf("only %d fixtures", len(names))
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".eml"), func(t *testing.T) {
			raw, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			m := Parse(raw, Options{Country: "DE"})
			checkMail(t, raw, m)
			checkSpared(t, raw)
			g := golden{Mail: m}
			for _, a := range m.Attachments {
				g.Attachments = append(g.Attachments, goldenAttachment{a.Filename, a.ContentType, a.ContentID, clip(toValid(string(a.Data)), 100), a.Inline})
			}
			got, err := json.MarshalIndent(g, "", " ")
			if err != nil {
				t.Fatal(err)
			}
			want := strings.TrimSuffix(name, ".eml") + ".want.json"
			if *update {
				if err := os.WriteFile(want, append(got, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			have, err := os.ReadFile(want)
			if err != nil {
				t.Fatalf("%v (go test ./parser -update writes it)", err)
			}
			if d := cmp.Diff(strings.TrimSpace(string(have)), string(got)); d != "" {
				t.Errorf("reading of %s changed (-want +got):\n%s", name, d)
			}
		})
	}
}
