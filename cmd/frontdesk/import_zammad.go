package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"frontdesk/tickets"
)

func importZammadCommand() *cobra.Command {
	return importDeskCommand(deskSource{name: "zammad", fetch: fetchZammad, read: readZammad},
		"conversations of Zammad",
		`Zammad takes in tickets and articles of Zammad's REST API: documents of
/api/v1/tickets?expand=true and /api/v1/ticket_articles/by_ticket/ID?expand=true,
which are known by their fields, not by the names of the files. Tags are in
tags-TICKETID.json, files in attachments/TICKETID/ARTICLEID/ID. The token
needs the permission ticket.agent.`,
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
			had := a.has(name)
			data, err := a.get(ctx, name, fmt.Sprintf("api/v1/ticket_articles/by_ticket/%d", t.ID), url.Values{"expand": {"true"}}, false)
			if err != nil {
				return err
			}
			if _, err := a.get(ctx, fmt.Sprintf("tags-%d.json", t.ID), "api/v1/tags", url.Values{"object": {"Ticket"}, "o_id": {strconv.FormatInt(t.ID, 10)}}, !had); err != nil {
				return err
			}
			if err := fetchZammadFiles(ctx, a, data); err != nil {
				return err
			}
		}
	}
}

func fetchZammadFiles(ctx context.Context, a *deskAPI, data []byte) error {
	var articles []zammadArticle
	if err := json.Unmarshal(data, &articles); err != nil {
		return fmt.Errorf("read a list of articles: %w", err)
	}
	for _, article := range articles {
		for _, f := range article.Attachments {
			name := zammadFile(article, f)
			if err := a.attachment(ctx, name, a.base.JoinPath("api/v1/ticket_attachment", name)); err != nil {
				return err
			}
		}
	}
	return nil
}

func zammadFile(a zammadArticle, f zammadAttachment) string {
	return fmt.Sprintf("%d/%d/%d", a.TicketID, a.ID, f.ID)
}

// These are fields of docs.zammad.org, "Tickets", "Articles" and "Tags". With
// expand=true people are their logins, mostly mail addresses.
type zammadTicket struct {
	ID        int64     `json:"id"`
	Number    string    `json:"number"`
	Title     string    `json:"title"`
	State     string    `json:"state"`
	Group     string    `json:"group"`
	Owner     string    `json:"owner"`
	Customer  string    `json:"customer"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	CloseAt   time.Time `json:"close_at"`
}

type zammadArticle struct {
	ID          int64              `json:"id"`
	TicketID    int64              `json:"ticket_id"`
	From        string             `json:"from"`
	To          string             `json:"to"`
	Cc          string             `json:"cc"`
	Subject     string             `json:"subject"`
	Body        string             `json:"body"`
	ContentType string             `json:"content_type"`
	MessageID   string             `json:"message_id"`
	InReplyTo   string             `json:"in_reply_to"`
	Internal    bool               `json:"internal"`
	Sender      string             `json:"sender"` // Customer, Agent, System
	CreatedBy   string             `json:"created_by"`
	CreatedAt   time.Time          `json:"created_at"`
	Attachments []zammadAttachment `json:"attachments"`
	path        string
}

type zammadAttachment struct {
	ID          int64          `json:"id"`
	Filename    string         `json:"filename"`
	Preferences map[string]any `json:"preferences"`
}

// says is what the preferences of the file say, "" nothing.
func (f zammadAttachment) says(key string) string {
	s, _ := f.Preferences[key].(string)
	return s
}

// zammadTags are the tags of a ticket: {"tags": ["a", "b"]} in tags-TICKETID.json.
func zammadTags(f jsonFile) (ticket int64, tags []string, ok bool) {
	name, isTags := strings.CutPrefix(path.Base(f.path), "tags-")
	if !isTags {
		return 0, nil, false
	}
	ticket, err := strconv.ParseInt(strings.TrimSuffix(name, ".json"), 10, 64)
	var doc struct {
		Tags []string `json:"tags"`
	}
	if err != nil || json.Unmarshal(f.data, &doc) != nil {
		return 0, nil, false
	}
	return ticket, doc.Tags, true
}

// readZammad makes contacts of the documents.
func readZammad(files []jsonFile, h *historyImport) contactList {
	byID := map[int64]zammadTicket{}
	articles := map[int64]zammadArticle{}
	tags := map[int64][]string{}
	for _, f := range files {
		if id, of, ok := zammadTags(f); ok {
			tags[id] = of
			continue
		}
		var list []json.RawMessage
		if err := json.Unmarshal(f.data, &list); err != nil {
			h.problems = append(h.problems, problem{f.path, "not a list: " + err.Error() + ": fetch it again", true})
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
			tags: tags[t.ID], opened: t.CreatedAt, closed: t.CloseAt, title: t.Title, customer: t.Customer, by: a.CreatedBy,
			note: a.Internal || strings.EqualFold(a.Sender, "System"), out: strings.EqualFold(a.Sender, "Agent"),
			mail: pastMail{from: a.From, to: a.To, cc: a.Cc, subject: cmp.Or(a.Subject, t.Title), at: a.CreatedAt, text: a.Body, html: strings.Contains(a.ContentType, "html"), messageID: a.MessageID, inReplyTo: a.InReplyTo},
		}
		for _, f := range a.Attachments {
			file := foreignFile{pastFile: pastFile{name: f.Filename, mime: cmp.Or(f.says("Mime-Type"), f.says("Content-Type"))}, path: filepath.Join(h.folder, folderOfFiles, filepath.FromSlash(zammadFile(a, f)))}
			if strings.HasPrefix(f.says("Content-Disposition"), "inline") {
				file.contentID = f.says("Content-ID")
			}
			p.files = append(p.files, file)
		}
		out = h.part(out, p)
	}
	return out
}
