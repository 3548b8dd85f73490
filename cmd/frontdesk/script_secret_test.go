package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"

	"frontdesk/config"
	"frontdesk/parser"
)

// visit is a customer with the letter in the file of its argument: it opens the
// first link in it and prints the answer's code and the page.
func visit() {
	if err := openLink(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func openLink(file string) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	cfg, err := config.Load(os.Getenv("FRONTDESK_CONFIG"))
	if err != nil {
		return err
	}
	link := regexp.MustCompile(regexp.QuoteMeta(cfg.HTTP.PublicURL) + `/[^\s"<>#]+`).FindString(parser.Parse(raw, parser.Options{}).Text)
	if link == "" {
		return fmt.Errorf("no link in %s", file)
	}
	d, err := deskOf(context.Background(), cfg, true)
	if err != nil {
		return err
	}
	defer d.Close()
	dm, err := newDaemon(d, logger(io.Discard, cfg.Log))
	if err != nil {
		return err
	}
	w := httptest.NewRecorder()
	dm.public().ServeHTTP(w, httptest.NewRequest(http.MethodGet, link, nil))
	_, err = fmt.Printf("%d\n%s\n", w.Code, w.Body)
	return err
}
