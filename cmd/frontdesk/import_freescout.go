package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"frontdesk/tickets"
)

func importFreeScoutCommand() *cobra.Command {
	return importDeskCommand(deskSource{name: "freescout", fetch: fetchFreeScout, read: readFreeScout},
		"conversations of FreeScout",
		`Freescout takes in conversations of FreeScout's API (its module "API &
Webhooks"): documents of /api/conversations?embed=threads,tags and
/api/conversations/ID?embed=threads,tags. Files are in attachments/ID.`,
		"  frontdesk import freescout saved/ --url https://desk.example.com --token-file key --mailbox support@example.com --dry-run")
}

func fetchFreeScout(ctx context.Context, a *deskAPI) error {
	a.header.Set("X-FreeScout-API-Key", a.token)
	for page := 1; ; page++ {
		// Without status the API lists active ones only; oldest first, so that
		// what comes meanwhile moves no page.
		query := url.Values{
			"embed": {"threads,tags"}, "status": {"active,pending,closed,spam"}, "sortField": {"createdAt"}, "sortOrder": {"asc"},
			"page": {strconv.Itoa(page)}, "pageSize": {"50"},
		}
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
				data, err := a.get(ctx, fmt.Sprintf("conversation-%d-%d.json", c.ID, c.UpdatedAt.Unix()), fmt.Sprintf("api/conversations/%d", c.ID), url.Values{"embed": {"threads,tags"}}, false)
				if err != nil {
					return err
				}
				if err := json.Unmarshal(data, &c); err != nil {
					return fmt.Errorf("read conversation %d: %w", c.ID, err)
				}
			}
			if err := fetchFreeScoutFiles(ctx, a, c); err != nil {
				return err
			}
		}
		if len(doc.Embedded.Conversations) == 0 || page >= doc.Page.TotalPages {
			return nil
		}
	}
}

// fetchFreeScoutFiles fetches what lies on the desk's own host: the token goes
// along.
func fetchFreeScoutFiles(ctx context.Context, a *deskAPI, c freeScoutConversation) error {
	for _, t := range c.Embedded.Threads {
		for _, f := range t.Embedded.Attachments {
			u, err := url.Parse(f.FileURL)
			if err != nil || u.Host != a.base.Host || u.Scheme != a.base.Scheme {
				continue
			}
			if err := a.attachment(ctx, strconv.FormatInt(f.ID, 10), u); err != nil {
				return err
			}
		}
	}
	return nil
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

// These are fields of api-docs.freescout.net, "Get Conversation".
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
	Embedded  struct {
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
					ID       int64  `json:"id"`
					FileName string `json:"fileName"`
					FileURL  string `json:"fileUrl"`
					MimeType string `json:"mimeType"`
				} `json:"attachments"`
			} `json:"_embedded"`
		} `json:"threads"`
		Tags []struct {
			Name string `json:"name"`
		} `json:"tags"`
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
			h.problems = append(h.problems, problem{f.path, errDoc.Error() + ": fetch it again", true})
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
		for _, t := range c.Embedded.Tags {
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
				p.files = append(p.files, foreignFile{pastFile: pastFile{name: f.FileName, mime: f.MimeType}, path: filepath.Join(h.folder, folderOfFiles, strconv.FormatInt(f.ID, 10))})
			}
			out = h.part(out, p)
		}
	}
	return out
}
