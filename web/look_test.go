package web

import (
	"fmt"
	"reflect"
	"testing"
)

// Whatever colour a brand has, its page can be read.
func TestEveryBrandColorCanBeRead(t *testing.T) {
	must := func(css any) rgb {
		c, ok := readColor(fmt.Sprint(css))
		if !ok {
			t.Fatalf("%v is no colour", css)
		}
		return c
	}
	for r := 0; r < 256; r += 15 {
		for g := 0; g < 256; g += 15 {
			for b := 0; b < 256; b += 15 {
				l := lookOf(fmt.Sprintf("#%02x%02x%02x", r, g, b))
				for name, got := range map[string]float64{
					"text on the bar":     contrast(must(l.Brand), must(l.OnBrand)),
					"accent on white":     contrast(must(l.Light), lightGround),
					"accent on dark page": contrast(must(l.Dark), darkGround),
				} {
					if got < 4.5 {
						t.Errorf("#%02x%02x%02x: %s has %.2f to 1", r, g, b, name, got)
					}
				}
			}
		}
	}
}

func TestColorsThatAreNone(t *testing.T) {
	for _, s := range []string{"", "red", "#fff", "#12345g", "#1234567", "}body{x:y", "#-12345", "#+12345"} {
		if got := lookOf(s).Brand; got != fallback.css() {
			t.Errorf("%q gives %s", s, got)
		}
	}
}

// Each language says everything that English says.
func TestLanguagesAreComplete(t *testing.T) {
	for name, w := range spoken {
		v := reflect.ValueOf(*w)
		for i := range v.NumField() {
			f, field := v.Field(i), v.Type().Field(i).Name
			if f.IsZero() {
				t.Errorf("%s: no %s", name, field)
			}
			if f.Kind() == reflect.Map && f.Len() != reflect.ValueOf(*english).Field(i).Len() {
				t.Errorf("%s: %s has %d entries, English %d", name, field, f.Len(), reflect.ValueOf(*english).Field(i).Len())
			}
		}
		for action, f := range w.Forms {
			if en := english.Forms[action]; f.Heading == "" || f.Button == "" || f.Note == "" || (f.Field == "") != (en.Field == "") || f.Main != en.Main || f.Required != en.Required {
				t.Errorf("%s: form %s: %+v", name, action, f)
			}
		}
	}
}
