package config

import (
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// mustGolden compares got with a golden file, or writes it with -update.
func mustGolden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got), go test -update writes it anew:\n%s", file, diff)
	}
}

func openSampleFolder(t testing.TB) string {
	t.Helper()
	dir := openFolder(t)
	mustWrite(t, filepath.Join(dir, "mail.password"), "x\n", 0o600)
	mustWrite(t, filepath.Join(dir, "oauth.secret"), "x\n", 0o600)
	mustWrite(t, filepath.Join(dir, "s3.secret"), "x\n", 0o600)
	return dir
}

func TestSampleIsTheStruct(t *testing.T) {
	t.Parallel()
	mustGolden(t, "sample.yaml", string(Sample()))
}

func TestSampleLoads(t *testing.T) {
	t.Parallel()
	dir := openSampleFolder(t)
	cfg := mustLoad(t, dir, string(Sample()), nil)
	if got, want := cfg.DataDir, filepath.Join(dir, "data"); got != want {
		t.Errorf("data_dir: got %q, want %q", got, want)
	}
}

// TestSampleLoadsWithEveryKeyOn takes the # from every key that is off: the
// examples must be real, too.
func TestSampleLoadsWithEveryKeyOn(t *testing.T) {
	t.Parallel()
	dir := openSampleFolder(t)
	for _, folder := range []string{"letters", "knowledge"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	mustWrite(t, filepath.Join(dir, "holidays.ics"), "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", 0o644)
	mustWrite(t, filepath.Join(dir, "secret.2026"), strings.Repeat("0123456789abcdef", 3), 0o600)
	mustWrite(t, filepath.Join(dir, "ca.pem"), testCertificate, 0o644)
	off := regexp.MustCompile(`(?m)^#(  |[^ \n])`)
	all := off.ReplaceAllString(string(Sample()), "$1")
	if strings.Contains(all, "\n#twilio") || !strings.Contains(all, "\ntwilio:") {
		t.Fatalf("keys are off still:\n%s", all)
	}
	cfg := mustLoad(t, dir, all, map[string]string{"TWILIO_ACCOUNT_SID": "AC1"})
	if len(cfg.Schedules) != 1 || cfg.Twilio == nil || len(cfg.Brands[0].Phones) != 1 {
		t.Errorf("keys are missing: %+v", cfg)
	}
}

// TestEveryKeyIsDocumented: meaning, and default or "required", and a value to show.
func TestEveryKeyIsDocumented(t *testing.T) {
	t.Parallel()
	var walk func(typ reflect.Type, path string)
	walk = func(typ reflect.Type, path string) {
		for _, f := range fieldsOf(typ) {
			key, inner := join(path, f.name), typ.Field(f.index).Type
			for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
				inner = inner.Elem()
			}
			if doc := f.tag.Get("doc"); len(doc) < 8 || !strings.Contains(".!\"", doc[len(doc)-1:]) {
				t.Errorf("%s: no sentence in doc: %q", key, doc)
			}
			if inner.Kind() == reflect.Struct && len(fieldsOf(inner)) > 0 {
				walk(inner, key)
				continue
			}
			_, hasDefault := f.tag.Lookup("default")
			if !hasDefault && f.tag.Get("says") == "" && f.tag.Get("required") == "" && f.tag.Get("example") == "" {
				t.Errorf("%s: neither default nor says nor required", key)
			}
			if f.tag.Get("default") == "" && f.tag.Get("example") == "" && f.tag.Get("allowed") == "" {
				t.Errorf("%s: no example", key)
			}
			if f.tag.Get("default") != "" && f.tag.Get("required") != "" {
				t.Errorf("%s: required, and a default", key)
			}
		}
	}
	walk(reflect.TypeFor[Config](), "")
}

func TestDefaultHoursAreWhatTheTagSays(t *testing.T) {
	t.Parallel()
	f, _ := reflect.TypeFor[Brand]().FieldByName("Hours")
	day, spans, _ := strings.Cut(f.Tag.Get("default"), " ")
	cfg := mustLoad(t, openFolder(t), strings.Replace(sound, "name: Example", "name: Example\n    hours: {"+day+": \""+spans+"\"}", 1), nil)
	if diff := cmp.Diff(defaultHours(), cfg.Brands[0].Hours); diff != "" {
		t.Errorf("tag and default differ:\n%s", diff)
	}
	if defaultHours()[time.Sunday] != nil {
		t.Error("open on Sunday")
	}
}

func TestDefaultListsAreWhatTheTagsSay(t *testing.T) {
	t.Parallel()
	var categories, severities []string
	for _, c := range defaultCategories() {
		categories = append(categories, c.ID)
	}
	for _, s := range defaultSeverities() {
		severities = append(severities, s.ID+" "+s.ResolveWithin.String())
	}
	typ := reflect.TypeFor[Config]()
	f, _ := typ.FieldByName("Categories")
	for _, id := range categories {
		if !strings.Contains(f.Tag.Get("says"), id) {
			t.Errorf("categories: tag does not name %s", id)
		}
	}
	f, _ = typ.FieldByName("Severities")
	if got, want := f.Tag.Get("says"), strings.Join(severities, ", "); got != want {
		t.Errorf("severities: tag says %q, default is %q", got, want)
	}
}

// TestReadmeLoads: the configuration that newcomers copy first is sound.
func TestReadmeLoads(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	if len(blocks) == 0 {
		t.Fatal("no yaml in README.md")
	}
	for _, block := range blocks {
		mustLoad(t, openSampleFolder(t), block[1], nil)
	}
}
