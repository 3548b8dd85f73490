package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"frontdesk/tickets"
)

// This file holds what the imports of other desks have in common: a folder of
// JSON documents as the other desk's API hands them out, and what fills it.

// deskSource is another desk.
type deskSource struct {
	name  string // also of the numbers' source
	fetch func(ctx context.Context, c *deskAPI) error
	read  func(files []jsonFile, h *historyImport) contactList
}

// jsonFile is one document of the folder.
type jsonFile struct {
	path string
	data []byte
}

func importDeskCommand(src deskSource, short, long, example string) *cobra.Command {
	var f historyFlags
	var from, tokenFile string
	cmd := &cobra.Command{
		Use:   src.name + " DIR --mailbox ADDRESS [--url URL --token-file FILE] [--dry-run]",
		Short: short,
		Long: long + `

DIR is a folder of JSON documents as that API hands them out. With --url they
are fetched into it first; what DIR has already is not fetched again, so that a
fetch that was stopped goes on. Answers of 429 and 503 are waited for as long as
Retry-After says.

People are matched by their addresses, agents by theirs or --agent. The numbers
lead customers' later mails to the tickets. Attachments are taken from
DIR/attachments; one that is not there is named in the message.
Nobody is written to; running it twice adds nothing.`,
		Example: example,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (from == "") != (tokenFile == "") {
				return errors.New("--url and --token-file go together")
			}
			return f.run(cmd, func(h *historyImport, since time.Time) (history, func(), error) {
				if from != "" {
					if err := fetchDesk(cmd, src, from, tokenFile, args[0]); err != nil {
						return nil, nil, err
					}
				}
				h.folder = args[0]
				files, err := jsonFiles(args[0])
				if err != nil {
					return nil, nil, err
				}
				list := slices.DeleteFunc(src.read(files, h), func(c oldContact) bool { return c.at.Before(since) })
				if len(list) == 0 && len(h.problems) == 0 {
					return nil, nil, fmt.Errorf("there are no conversations in %s", args[0])
				}
				return list.sort(), func() {}, nil
			})
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&from, "url", "", "address of the other desk, https://desk.example.com")
	cmd.Flags().StringVar(&tokenFile, "token-file", "", "file with the token of its API")
	return cmd
}

// jsonFiles reads the documents of a folder, in order of their names.
func jsonFiles(dir string) ([]jsonFile, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []jsonFile
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".json") || !e.Type().IsRegular() {
			continue
		}
		path := filepath.Join(dir, e.Name())
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		out = append(out, jsonFile{filepath.ToSlash(path), data})
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("there are no .json files in %s\nhint: --url fetches them", dir)
	}
	return out, nil
}

// deskAPI fetches documents into a folder.
type deskAPI struct {
	base   *url.URL
	dir    string
	header http.Header
	token  string
	client *http.Client
	wait   func(ctx context.Context, d time.Duration) error
	done   func()
}

func fetchDesk(cmd *cobra.Command, src deskSource, from, tokenFile, dir string) error {
	base, err := url.Parse(strings.TrimRight(from, "/"))
	if err != nil || base.Host == "" || base.Scheme != "https" && base.Hostname() != "127.0.0.1" && base.Hostname() != "localhost" {
		return fmt.Errorf("--url %q: https://HOST is needed", from)
	}
	token, err := os.ReadFile(tokenFile)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	bar := newBar(cmd, -1, "fetching")
	defer func() { _ = bar.Finish() }()
	api := &deskAPI{
		base: base, dir: dir, header: http.Header{}, token: strings.TrimSpace(string(token)),
		client: &http.Client{Timeout: time.Minute, CheckRedirect: sameHost(base)}, wait: waitFor, done: func() { _ = bar.Add(1) },
	}
	if err := src.fetch(cmd.Context(), api); err != nil {
		return fmt.Errorf("fetch from %s: %w\nhint: run it again: what was fetched is kept", from, err)
	}
	return nil
}

// sameHost follows no redirection to another host or to plain HTTP: the token
// goes along.
func sameHost(base *url.URL) func(*http.Request, []*http.Request) error {
	return func(req *http.Request, via []*http.Request) error {
		if req.URL.Host != base.Host || req.URL.Scheme != base.Scheme || len(via) > 5 {
			return fmt.Errorf("redirected to %q\nhint: --url takes the address that the desk really has", req.URL.Scheme+"://"+req.URL.Host)
		}
		return nil
	}
}

func waitFor(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// largestAnswer bounds one document; tries how often it is asked for.
const (
	largestAnswer = 64 << 20
	deskTries     = 8
)

// get returns a document: from the folder when it has it under that name, else
// from the API, and then the folder has it. fresh asks the API in any case.
func (a *deskAPI) get(ctx context.Context, name, path string, query url.Values, fresh bool) ([]byte, error) {
	file := filepath.Join(a.dir, name)
	if data, err := os.ReadFile(file); err == nil && !fresh {
		return data, nil
	}
	u := a.base.JoinPath(path)
	u.RawQuery = query.Encode()
	return a.keep(ctx, file, u, true)
}

// has reports whether the folder has a document.
func (a *deskAPI) has(name string) bool {
	_, err := os.Stat(filepath.Join(a.dir, name))
	return err == nil
}

// attachment fetches a file into the folder. One that is gone, forbidden or too
// large is passed over: the import says that it is not there.
func (a *deskAPI) attachment(ctx context.Context, name string, u *url.URL) error {
	file := filepath.Join(a.dir, folderOfFiles, filepath.FromSlash(name))
	if _, err := os.Stat(file); err == nil {
		return nil
	}
	_, err := a.keep(ctx, file, u, false)
	var refused *refusedError
	if errors.As(err, &refused) && refused.status != http.StatusUnauthorized {
		return nil
	}
	return err
}

// refusedError is an answer that another attempt would not change.
type refusedError struct {
	status int // of HTTP; 200 when the answer is too large
	text   string
}

func (e *refusedError) Error() string { return e.text }

// keep asks until there is an answer, and writes it whole or not at all.
func (a *deskAPI) keep(ctx context.Context, file string, u *url.URL, document bool) ([]byte, error) {
	for try := 1; ; try++ {
		data, again, err := a.ask(ctx, u.String(), try)
		if err == nil && document && !json.Valid(data) {
			return nil, fmt.Errorf("%s: the answer is no JSON\nhint: is --url the address of the desk?", u.Path)
		}
		if err == nil {
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				return nil, err
			}
			tmp := file + ".part"
			if err := os.WriteFile(tmp, data, 0o600); err != nil {
				return nil, err
			}
			a.done()
			return data, os.Rename(tmp, file)
		}
		if again == 0 || try == deskTries {
			return nil, err
		}
		if err := a.wait(ctx, again); err != nil {
			return nil, err
		}
	}
}

// ask asks once. again says after how long another attempt may help, 0 never.
func (a *deskAPI) ask(ctx context.Context, u string, try int) (data []byte, again time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return nil, 0, err
	}
	req.Header = a.header.Clone()
	later := min(time.Second<<try, time.Minute)
	res, err := a.client.Do(req)
	if err != nil {
		return nil, later, err
	}
	defer res.Body.Close()
	data, err = io.ReadAll(io.LimitReader(res.Body, largestAnswer+1))
	switch {
	case err != nil:
		return nil, later, err
	case res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= 500:
		if n, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && n > 0 {
			later = min(time.Duration(n)*time.Second, 10*time.Minute)
		}
		return nil, later, fmt.Errorf("%s: %s", req.URL.Path, res.Status)
	case res.StatusCode != http.StatusOK:
		return nil, 0, &refusedError{res.StatusCode, fmt.Sprintf("%s: %s", req.URL.Path, res.Status)}
	case len(data) > largestAnswer:
		return nil, 0, &refusedError{res.StatusCode, fmt.Sprintf("%s: the answer is larger than %d MB", req.URL.Path, largestAnswer>>20)}
	}
	return data, 0, nil
}

// mailAddress is the address in what a desk shows as a person, "" for none.
func mailAddress(s string) string {
	if i := strings.LastIndexByte(s, '<'); i >= 0 {
		s = strings.TrimSuffix(strings.TrimSpace(s[i+1:]), ">")
	}
	if s = strings.TrimSpace(s); strings.Count(s, "@") == 1 && !strings.ContainsAny(s, " ,;") {
		return s
	}
	return ""
}

// queue is a queue of the configuration with that name, "" for none.
func (h *historyImport) queue(name string) string {
	for _, key := range sortedKeys(h.rules.Queues) {
		if strings.EqualFold(key, strings.TrimSpace(name)) {
			return key
		}
	}
	return ""
}

// foreignPart is one message of another desk's conversation.
type foreignPart struct {
	desk, id, number, where string
	status                  tickets.Status
	queue, owner, title     string
	customer, by            string // as the desk shows them
	tags                    []string
	opened, closed          time.Time
	note, out               bool
	mail                    pastMail
	files                   []foreignFile
	words                   func(m *pastMail) error // reads what it says; nil: mail has it
}

// foreignFile is an attachment that lies in the folder of the documents.
type foreignFile struct {
	pastFile
	path   string
	unpack func(data []byte) ([]byte, error) // nil: the file is the attachment
}

// folderOfFiles holds the attachments, beside the documents.
const folderOfFiles = "attachments"

// part makes a contact of a message.
func (h *historyImport) part(out contactList, p foreignPart) contactList {
	m := p.mail
	direction := tickets.DirectionIn
	switch {
	case p.note:
		direction = tickets.DirectionNote
	case p.out:
		direction = tickets.DirectionOut
	}
	who := mailAddress(m.from)
	if by := mailAddress(p.by); by != "" && direction != tickets.DirectionIn {
		who = by // what it left from is the desk's address
	}
	requester := tickets.Address{Name: nameIn(p.customer), Address: mailAddress(p.customer)}
	if requester.Address == "" && direction == tickets.DirectionIn {
		requester = tickets.Address{Name: nameIn(m.from), Address: who}
	}
	if who == "" && direction == tickets.DirectionIn {
		who = requester.Address
	}
	switch {
	case m.at.Year() < 1985 || m.at.After(now().Add(24*time.Hour)):
		h.problems = append(h.problems, problem{p.where, fmt.Sprintf("message %s of %s has no time", p.id, p.number), true})
		return out
	case requester.Address == "":
		h.wrong(p.where, "message %s: ticket %s has no customer with a mail address", p.id, p.number)
	}
	m.fromName = nameIn(m.from)
	m.from = cmp.Or(who, h.to.Mailbox)
	if m.to == "" && direction == tickets.DirectionIn {
		m.to = h.to.Mailbox
	} else if m.to == "" && direction == tickets.DirectionOut {
		m.to = requester.Address
	}
	tags := make([]string, 0, len(p.tags))
	for _, t := range p.tags {
		tags = append(tags, strings.ReplaceAll(strings.TrimSpace(t), " ", "-"))
	}
	p.mail = m
	p.files = h.filesOf(&p)
	return append(out, oldContact{
		where: p.where, at: m.at.UTC(), make: p.bytes, key: "import:" + p.desk + ":" + h.to.Brand + ":" + p.number + ":" + p.id,
		past: tickets.Past{Source: p.desk, Direction: direction, Numbers: []string{strings.ToLower(p.number)}, Ticket: &tickets.PastTicket{
			Subject: p.title, Status: p.status, Requester: requester, Assignee: h.agent(p.owner), Queue: h.queue(p.queue), Tags: tags, Opened: p.opened, Closed: p.closed,
		}},
	})
}

// filesOf are the files of a message that can be taken; the others are named in
// it, and said.
func (h *historyImport) filesOf(p *foreignPart) (take []foreignFile) {
	size := int64(0)
	for _, f := range p.files {
		info, err := os.Stat(f.path)
		switch {
		case err != nil:
			h.wrong(p.where, "message %s: attachment %q is not at %s: only its name is taken", p.id, f.name, filepath.ToSlash(f.path))
		case (size+info.Size())*7/5 > maxMail:
			h.wrong(p.where, "message %s: attachment %q makes it larger than %d MB: only its name is taken", p.id, f.name, maxMail>>20)
		default:
			size += info.Size()
			take = append(take, f)
			continue
		}
		p.mail.lost = append(p.mail.lost, f.name)
	}
	return take
}

// bytes makes the mail with its files, which are read now.
func (p foreignPart) bytes() ([]byte, error) {
	m := p.mail
	if p.words != nil {
		if err := p.words(&m); err != nil {
			return nil, err
		}
	}
	for _, f := range p.files {
		data, err := os.ReadFile(f.path)
		if err == nil && f.unpack != nil {
			data, err = f.unpack(data)
		}
		if err != nil {
			return nil, fmt.Errorf("read attachment %q: %w", f.name, err)
		}
		f.data = data
		m.files = append(m.files, f.pastFile)
	}
	return m.bytes(), nil
}

// nameIn is the name before an address, "" for none.
func nameIn(s string) string {
	if i := strings.LastIndexByte(s, '<'); i > 0 {
		return strings.Trim(strings.TrimSpace(s[:i]), `"`)
	}
	return ""
}

func sortedIDs[T any](m map[int64]T) []int64 {
	out := make([]int64, 0, len(m))
	for id := range m {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}
