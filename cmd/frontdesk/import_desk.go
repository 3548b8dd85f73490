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
lead customers' later mails to the tickets. Attachments are named, not taken.
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
		client: &http.Client{Timeout: time.Minute}, wait: waitFor, done: func() { _ = bar.Add(1) },
	}
	if err := src.fetch(cmd.Context(), api); err != nil {
		return fmt.Errorf("fetch from %s: %w\nhint: run it again: what was fetched is kept", from, err)
	}
	return nil
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
	for try := 1; ; try++ {
		data, again, err := a.ask(ctx, u.String(), try)
		if err == nil {
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
	req.Header.Set("Accept", "application/json")
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
		return nil, 0, fmt.Errorf("%s: %s", req.URL.Path, res.Status)
	case len(data) > largestAnswer:
		return nil, 0, fmt.Errorf("%s: the answer is larger than %d MB", req.URL.Path, largestAnswer>>20)
	case !json.Valid(data):
		return nil, 0, fmt.Errorf("%s: the answer is no JSON\nhint: is --url the address of the desk?", req.URL.Path)
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

func importZammadCommand() *cobra.Command {
	return importDeskCommand(deskSource{name: "zammad", fetch: fetchZammad, read: readZammad},
		"conversations of Zammad",
		`Zammad takes in tickets and articles of Zammad's REST API: documents of
/api/v1/tickets?expand=true and /api/v1/ticket_articles/by_ticket/ID?expand=true,
which are known by their fields, not by the names of the files. The token needs
the permission ticket.agent.`,
		"  frontdesk import zammad saved/ --url https://desk.example.com --token-file token --mailbox support@example.com --dry-run")
}

func fetchZammad(ctx context.Context, a *deskAPI) error {
	a.header.Set("Authorization", "Token token="+a.token)
	for page := 1; ; page++ {
		query := url.Values{"expand": {"true"}, "per_page": {"100"}, "page": {strconv.Itoa(page)}}
		data, err := a.get(ctx, fmt.Sprintf("tickets-%06d.json", page), "api/v1/tickets", query, true)
		if err != nil {
			return err
		}
		var list []zammadTicket
		if err := json.Unmarshal(data, &list); err != nil {
			return fmt.Errorf("read the list of tickets: %w", err)
		}
		if len(list) == 0 {
			return nil
		}
		for _, t := range list {
			// A ticket that has changed since has other articles.
			name := fmt.Sprintf("articles-%d-%d.json", t.ID, t.UpdatedAt.Unix())
			if _, err := a.get(ctx, name, fmt.Sprintf("api/v1/ticket_articles/by_ticket/%d", t.ID), url.Values{"expand": {"true"}}, false); err != nil {
				return err
			}
		}
	}
}

type zammadTicket struct {
	ID        int64     `json:"id"`
	Number    string    `json:"number"`
	Title     string    `json:"title"`
	State     string    `json:"state"`
	Group     string    `json:"group"`
	Owner     string    `json:"owner"`
	Customer  string    `json:"customer"`
	Tags      []string  `json:"tags"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	CloseAt   time.Time `json:"close_at"`
}

type zammadArticle struct {
	ID          int64     `json:"id"`
	TicketID    int64     `json:"ticket_id"`
	From        string    `json:"from"`
	To          string    `json:"to"`
	Cc          string    `json:"cc"`
	Subject     string    `json:"subject"`
	Body        string    `json:"body"`
	ContentType string    `json:"content_type"`
	MessageID   string    `json:"message_id"`
	InReplyTo   string    `json:"in_reply_to"`
	Internal    bool      `json:"internal"`
	Sender      string    `json:"sender"` // Customer, Agent, System
	CreatedBy   string    `json:"created_by"`
	CreatedAt   time.Time `json:"created_at"`
	Attachments []struct {
		Filename string `json:"filename"`
	} `json:"attachments"`
	path string
}

// readZammad makes contacts of the documents.
func readZammad(files []jsonFile, h *historyImport) contactList {
	byID := map[int64]zammadTicket{}
	articles := map[int64]zammadArticle{}
	for _, f := range files {
		var list []json.RawMessage
		if err := json.Unmarshal(f.data, &list); err != nil {
			h.problems = append(h.problems, problem{f.path, "not a list: " + err.Error(), true})
			continue
		}
		for i, raw := range list {
			var a zammadArticle
			var t zammadTicket
			errA, errT := json.Unmarshal(raw, &a), json.Unmarshal(raw, &t)
			switch {
			case errT == nil && t.Number != "" && t.ID != 0:
				byID[t.ID] = t
			case errA == nil && a.TicketID != 0 && a.ID != 0:
				a.path = fmt.Sprintf("%s:%d", f.path, i+1)
				articles[a.ID] = a
			default:
				h.problems = append(h.problems, problem{fmt.Sprintf("%s:%d", f.path, i+1), "neither a ticket nor an article", true})
			}
		}
	}
	var out contactList
	for _, id := range sortedIDs(articles) {
		a := articles[id]
		t, known := byID[a.TicketID]
		if !known {
			h.problems = append(h.problems, problem{a.path, fmt.Sprintf("its ticket %d is not there", a.TicketID), true})
			continue
		}
		status, ok := statusOf(t.State)
		if !ok {
			h.wrong(a.path, "state %q is not known: as if it were closed", t.State)
			status = tickets.StatusClosed
		}
		p := foreignPart{
			desk: "zammad", id: strconv.FormatInt(a.ID, 10), number: t.Number, where: a.path, status: status, queue: t.Group, owner: t.Owner,
			tags: t.Tags, opened: t.CreatedAt, closed: t.CloseAt, title: t.Title, customer: t.Customer, by: a.CreatedBy,
			note: a.Internal || strings.EqualFold(a.Sender, "System"), out: strings.EqualFold(a.Sender, "Agent"),
			mail: pastMail{from: a.From, to: a.To, cc: a.Cc, subject: cmp.Or(a.Subject, t.Title), at: a.CreatedAt, text: a.Body, html: strings.Contains(a.ContentType, "html"), messageID: a.MessageID, inReplyTo: a.InReplyTo},
		}
		for _, f := range a.Attachments {
			p.mail.files = append(p.mail.files, f.Filename)
		}
		out = h.part(out, p)
	}
	return out
}

func importFreeScoutCommand() *cobra.Command {
	return importDeskCommand(deskSource{name: "freescout", fetch: fetchFreeScout, read: readFreeScout},
		"conversations of FreeScout",
		`Freescout takes in conversations of FreeScout's API: documents of
/api/conversations?embed=threads and /api/conversations/ID.`,
		"  frontdesk import freescout saved/ --url https://desk.example.com --token-file key --mailbox support@example.com --dry-run")
}

func fetchFreeScout(ctx context.Context, a *deskAPI) error {
	a.header.Set("X-FreeScout-API-Key", a.token)
	for page := 1; ; page++ {
		query := url.Values{"embed": {"threads"}, "page": {strconv.Itoa(page)}, "pageSize": {"50"}}
		data, err := a.get(ctx, fmt.Sprintf("conversations-%06d.json", page), "api/conversations", query, true)
		if err != nil {
			return err
		}
		var doc freeScoutDocument
		if err := json.Unmarshal(data, &doc); err != nil {
			return fmt.Errorf("read the list of conversations: %w", err)
		}
		for _, c := range doc.Embedded.Conversations {
			if len(c.Embedded.Threads) == 0 {
				if _, err := a.get(ctx, fmt.Sprintf("conversation-%d-%d.json", c.ID, c.UpdatedAt.Unix()), fmt.Sprintf("api/conversations/%d", c.ID), nil, false); err != nil {
					return err
				}
			}
		}
		if len(doc.Embedded.Conversations) == 0 || page >= doc.Page.TotalPages {
			return nil
		}
	}
}

type freeScoutPerson struct {
	Type      string `json:"type"`
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName"`
	Email     string `json:"email"`
}

func (p freeScoutPerson) show() string {
	if p.Email == "" {
		return ""
	}
	return strings.TrimSpace(p.FirstName+" "+p.LastName) + " <" + p.Email + ">"
}

type freeScoutConversation struct {
	ID        int64           `json:"id"`
	Number    int64           `json:"number"`
	Status    string          `json:"status"` // active, pending, closed, spam
	State     string          `json:"state"`  // published, draft, deleted
	Subject   string          `json:"subject"`
	Assignee  freeScoutPerson `json:"assignee"`
	Customer  freeScoutPerson `json:"customer"`
	CreatedAt time.Time       `json:"createdAt"`
	UpdatedAt time.Time       `json:"updatedAt"`
	ClosedAt  time.Time       `json:"closedAt"`
	Tags      []struct {
		Name string `json:"name"`
	} `json:"tags"`
	Embedded struct {
		Threads []struct {
			ID        int64           `json:"id"`
			Type      string          `json:"type"`  // customer, message, note, lineitem
			State     string          `json:"state"` // published, draft, hidden
			Body      string          `json:"body"`
			To        []string        `json:"to"`
			Cc        []string        `json:"cc"`
			CreatedBy freeScoutPerson `json:"createdBy"`
			CreatedAt time.Time       `json:"createdAt"`
			Embedded  struct {
				Attachments []struct {
					FileName string `json:"fileName"`
				} `json:"attachments"`
			} `json:"_embedded"`
		} `json:"threads"`
	} `json:"_embedded"`
	path string
}

type freeScoutDocument struct {
	Embedded struct {
		Conversations []freeScoutConversation `json:"conversations"`
	} `json:"_embedded"`
	Page struct {
		TotalPages int `json:"totalPages"`
	} `json:"page"`
}

// readFreeScout makes contacts of the documents.
func readFreeScout(files []jsonFile, h *historyImport) contactList {
	byID := map[int64]freeScoutConversation{}
	for _, f := range files {
		var doc freeScoutDocument
		var one freeScoutConversation
		errDoc, errOne := json.Unmarshal(f.data, &doc), json.Unmarshal(f.data, &one)
		if errDoc != nil && errOne != nil {
			h.problems = append(h.problems, problem{f.path, errDoc.Error(), true})
			continue
		}
		list := doc.Embedded.Conversations
		if one.ID != 0 {
			list = append(list, one)
		}
		for i, c := range list {
			c.path = fmt.Sprintf("%s:%d", f.path, i+1)
			if have, ok := byID[c.ID]; !ok || len(c.Embedded.Threads) >= len(have.Embedded.Threads) {
				byID[c.ID] = c
			}
		}
	}
	var out contactList
	for _, id := range sortedIDs(byID) {
		c := byID[id]
		if c.State == "draft" || c.State == "deleted" {
			continue
		}
		status, ok := statusOf(c.Status)
		if !ok {
			h.wrong(c.path, "status %q is not known: as if it were closed", c.Status)
			status = tickets.StatusClosed
		}
		var tags []string
		for _, t := range c.Tags {
			tags = append(tags, t.Name)
		}
		for _, t := range c.Embedded.Threads {
			if t.Type == "lineitem" || t.State == "draft" {
				continue
			}
			p := foreignPart{
				desk: "freescout", id: strconv.FormatInt(t.ID, 10), number: strconv.FormatInt(c.Number, 10), where: c.path, status: status, owner: c.Assignee.Email,
				tags: tags, opened: c.CreatedAt, closed: c.ClosedAt, title: c.Subject, customer: c.Customer.show(), by: t.CreatedBy.Email,
				note: t.Type == "note", out: t.Type == "message",
				mail: pastMail{from: t.CreatedBy.show(), to: strings.Join(t.To, ", "), cc: strings.Join(t.Cc, ", "), subject: c.Subject, at: t.CreatedAt, text: t.Body, html: true},
			}
			for _, f := range t.Embedded.Attachments {
				p.mail.files = append(p.mail.files, f.FileName)
			}
			out = h.part(out, p)
		}
	}
	return out
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
}

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
	return append(out, oldContact{
		where: p.where, at: m.at.UTC(), raw: m.bytes(), key: "import:" + p.desk + ":" + h.to.Brand + ":" + p.number + ":" + p.id,
		past: tickets.Past{Source: p.desk, Direction: direction, Numbers: []string{strings.ToLower(p.number)}, Ticket: &tickets.PastTicket{
			Subject: p.title, Status: p.status, Requester: requester, Assignee: h.agent(p.owner), Queue: h.queue(p.queue), Tags: tags, Opened: p.opened, Closed: p.closed,
		}},
	})
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
