package main

import "testing"

func TestReversePath(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "<>": "", "MAILER-DAEMON": "", "mailer-daemon": "",
		"maria@keller.example": "maria@keller.example", "<maria@keller.example>": "maria@keller.example",
		"mailer-daemon@keller.example": "mailer-daemon@keller.example",
	} {
		if got := reversePath(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
