package main

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func importRTCommand() *cobra.Command {
	return importDeskCommand(deskSource{name: "rt", fetch: fetchRT, read: readRT},
		"tickets of Request Tracker",
		`Rt takes in tickets of Request Tracker 5 by its REST 2 API: documents of
/REST/2.0/tickets, /REST/2.0/ticket/ID/history and /REST/2.0/ticket/ID/attachments
with the fields that docs/import.md names, and of /REST/2.0/attachment/ID as
attachments/ID.json. --url is what stands before /REST, the token one of
"Auth Tokens" of a user who may see tickets, comments and outgoing mail.`,
		"  frontdesk import rt saved/ --url https://rt.example.com --token-file token --mailbox support@example.com --dry-run")
}

// rtFields are what the lists are asked for. Parent is not among those of
// attachments: RT 5.0.3 answers 500 for one that has none.
var rtFields = map[string]url.Values{
	"tickets": {
		"fields": {"Subject,Status,Owner,Queue,Requestor,Created,Resolved,LastUpdated,Type"}, "fields[Queue]": {"Name"},
		"fields[Owner]": {"Name,EmailAddress,RealName"}, "fields[Requestor]": {"Name,EmailAddress,RealName"},
		"query": {"id > 0"}, "orderby": {"id"}, "order": {"ASC"},
	},
	"history":     {"fields": {"Type,ObjectId,Creator,Created,Data"}, "fields[Creator]": {"Name,EmailAddress,RealName"}},
	"attachments": {"fields": {"TransactionId,ContentType,Filename"}},
}

// rtMostPages bounds a list that never says that it ends.
const rtMostPages = 100_000

func fetchRT(ctx context.Context, a *deskAPI) error {
	a.header.Set("Authorization", "token "+a.token)
	return a.rtList(ctx, "tickets", "tickets", "REST/2.0/tickets", true, func(page rtPage) error {
		for _, t := range page.Items {
			if err := a.rtTicket(ctx, t); err != nil {
				return err
			}
		}
		return nil
	})
}

// rtList fetches all pages of a list.
func (a *deskAPI) rtList(ctx context.Context, kind, name, path string, fresh bool, each func(rtPage) error) error {
	for n := 1; n < rtMostPages; n++ {
		query := url.Values{"per_page": {"100"}, "page": {strconv.Itoa(n)}}
		for k, v := range rtFields[kind] {
			query[k] = v
		}
		data, err := a.get(ctx, fmt.Sprintf("%s-%06d.json", name, n), path, query, fresh)
		if err != nil {
			return err
		}
		var page rtPage
		if err := json.Unmarshal(data, &page); err != nil {
			return fmt.Errorf("read the list of %s: %w", path, err)
		}
		if err := each(page); err != nil {
			return err
		}
		if page.NextPage == "" || len(page.Items) == 0 {
			return nil
		}
	}
	return fmt.Errorf("the list of %s does not end", path)
}

// rtTicket fetches what was said on a ticket. One that has changed since has
// other lists; an attachment never changes.
func (a *deskAPI) rtTicket(ctx context.Context, t rtItem) error {
	id, said, who := t.number(), map[int64]bool{}, map[string]bool{}
	err := a.rtList(ctx, "history", fmt.Sprintf("history-%d-%d", id, t.LastUpdated.Unix()), fmt.Sprintf("REST/2.0/ticket/%d/history", id), false, func(page rtPage) error {
		for _, i := range page.Items {
			if said[i.number()] = i.speaks(); i.speaks() && !i.by(t) {
				who[i.Creator.id] = true
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, name := range sortedKeys(who) {
		if err := a.rtUser(ctx, name); err != nil {
			return err
		}
	}
	return a.rtList(ctx, "attachments", fmt.Sprintf("attachments-%d-%d", id, t.LastUpdated.Unix()), fmt.Sprintf("REST/2.0/ticket/%d/attachments", id), false, func(page rtPage) error {
		for _, i := range page.Items {
			if !said[i.TransactionID.number()] {
				continue // a copy of what RT sent
			}
			if err := a.attachment(ctx, fmt.Sprintf("%d.json", i.number()), a.base.JoinPath("REST/2.0/attachment", strconv.FormatInt(i.number(), 10))); err != nil {
				return err
			}
		}
		return nil
	})
}

// rtUser fetches who somebody is, if the token may see it: whether he is of the
// team is in no list.
func (a *deskAPI) rtUser(ctx context.Context, name string) error {
	name = url.PathEscape(name)
	_, err := a.get(ctx, "user-"+name+".json", "REST/2.0/user/"+name, nil, false)
	var refused *refusedError
	if errors.As(err, &refused) && refused.status != http.StatusUnauthorized {
		return nil
	}
	return err
}

// rtPage is a page of a list.
type rtPage struct {
	Items    []rtItem `json:"items"`
	NextPage string   `json:"next_page"`
}

// rtItem is a ticket, a transaction or an attachment of a list, by its type.
type rtItem struct {
	self rtRef
	Kind string `json:"type"`

	Subject     string    `json:"Subject"`
	Status      string    `json:"Status"`
	Queue       rtRef     `json:"Queue"`
	Owner       rtRef     `json:"Owner"`
	Requestor   []rtRef   `json:"Requestor"`
	Created     time.Time `json:"Created"`
	Resolved    time.Time `json:"Resolved"`
	LastUpdated time.Time `json:"LastUpdated"`
	What        string    `json:"Type"` // of a transaction: Create, Correspond, Comment, EmailRecord and more

	ObjectID rtRef  `json:"ObjectId"` // the ticket of a transaction
	Creator  rtRef  `json:"Creator"`
	Data     string `json:"Data"`

	TransactionID rtRef  `json:"TransactionId"`
	ContentType   string `json:"ContentType"`
	Filename      string `json:"Filename"`

	path string
}

// UnmarshalJSON reads the item and what it is, which has the same form as what
// it refers to.
func (i *rtItem) UnmarshalJSON(data []byte) error {
	type plain rtItem
	if err := json.Unmarshal(data, (*plain)(i)); err != nil {
		return err
	}
	return json.Unmarshal(data, &i.self)
}

// number is the id, 0 when it is none.
func (i rtItem) number() int64 { return i.self.number() }

// by reports whether a requestor of the ticket did it.
func (i rtItem) by(t rtItem) bool {
	return slices.ContainsFunc(t.Requestor, func(r rtRef) bool { return r.id == i.Creator.id })
}

// speaks reports whether somebody said something by a transaction.
func (i rtItem) speaks() bool {
	return i.What == "Create" || i.What == "Correspond" || i.What == "Comment"
}

// rtRef is what RT refers to: an object with an id, or only the id, as a word
// or a number.
type rtRef struct {
	id, name, mail, realName string
	privileged               bool
}

func (r *rtRef) UnmarshalJSON(data []byte) error {
	var o struct {
		ID         any    `json:"id"`
		Name       string `json:"Name"`
		Mail       string `json:"EmailAddress"`
		RealName   string `json:"RealName"`
		Privileged any    `json:"Privileged"`
	}
	if len(data) > 0 && data[0] == '{' {
		if err := json.Unmarshal(data, &o); err != nil {
			return err
		}
	} else if err := json.Unmarshal(data, &o.ID); err != nil {
		return err
	}
	*r = rtRef{id: rtWord(o.ID), name: o.Name, mail: o.Mail, realName: o.RealName, privileged: rtWord(o.Privileged) == "1"}
	return nil
}

func rtWord(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

// number is the id as a number, 0 when it is none.
func (r rtRef) number() int64 {
	n, err := strconv.ParseInt(r.id, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// address is the mail address, which of somebody who wrote by mail is the name too.
func (r rtRef) address() string {
	return cmp.Or(mailAddress(r.mail), mailAddress(r.name), mailAddress(r.id))
}

func (r rtRef) show() string {
	switch {
	case r.address() == "":
		return ""
	case r.realName == "" || mailAddress(r.realName) != "":
		return r.address()
	}
	return (&mail.Address{Name: r.realName, Address: r.address()}).String()
}

// rtDesk is what the documents hold.
type rtDesk struct {
	tickets map[int64]rtItem
	said    map[int64]rtItem   // transactions, by their ids
	parts   map[int64][]rtItem // attachments of a transaction
	team    map[string]bool    // users who are privileged, by their names
}

// readRT makes contacts of the documents.
func readRT(files []jsonFile, h *historyImport) contactList {
	d := rtDesk{map[int64]rtItem{}, map[int64]rtItem{}, map[int64][]rtItem{}, map[string]bool{}}
	for _, f := range files {
		var page rtPage
		err := json.Unmarshal(f.data, &page)
		if err == nil && page.Items == nil {
			err = d.user(f.data)
		}
		if err != nil {
			h.problems = append(h.problems, problem{f.path, "no list and no user of RT: " + err.Error() + ": fetch it again", true})
			continue
		}
		for n, i := range page.Items {
			i.path = fmt.Sprintf("%s:%d", f.path, n+1)
			d.add(i, h)
		}
	}
	var out contactList
	sentAs := d.sentAs()
	for _, id := range sortedIDs(d.said) {
		if i := d.said[id]; i.speaks() {
			out = d.contact(out, i, sentAs[id], h)
		}
	}
	return out
}

func (d *rtDesk) add(i rtItem, h *historyImport) {
	id := i.number()
	switch {
	case id != 0 && i.Kind == "ticket":
		if have, ok := d.tickets[id]; !ok || !i.LastUpdated.Before(have.LastUpdated) {
			d.tickets[id] = i
		}
	case id != 0 && i.Kind == "transaction":
		d.said[id] = i
	case id != 0 && i.Kind == "attachment":
		of := i.TransactionID.number()
		if !slices.ContainsFunc(d.parts[of], func(o rtItem) bool { return o.self.id == i.self.id }) {
			d.parts[of] = append(d.parts[of], i)
		}
	default:
		h.problems = append(h.problems, problem{i.path, "neither a ticket nor a transaction nor an attachment", true})
	}
}

func (d *rtDesk) user(data []byte) error {
	var u rtRef
	if err := json.Unmarshal(data, &u); err != nil {
		return err
	}
	if u.name == "" {
		return errors.New("neither items nor Name")
	}
	d.team[u.name] = u.privileged
	return nil
}

// sentAs are the Message-IDs by which RT sent what was said: the record of the
// mail follows it. Customers' answers cite it.
func (d *rtDesk) sentAs() map[int64]string {
	out, last := map[int64]string{}, map[string]int64{}
	for _, id := range sortedIDs(d.said) {
		i := d.said[id]
		switch {
		case i.speaks():
			last[i.ObjectID.id] = id
		case i.What == "EmailRecord" && last[i.ObjectID.id] != 0 && out[last[i.ObjectID.id]] == "":
			out[last[i.ObjectID.id]] = strings.TrimSpace(i.Data)
		}
	}
	return out
}

// contact makes a contact of what was said.
func (d *rtDesk) contact(out contactList, i rtItem, sentAs string, h *historyImport) contactList {
	t, known := d.tickets[i.ObjectID.number()]
	if !known {
		h.problems = append(h.problems, problem{i.path, fmt.Sprintf("its ticket %s is not there", i.ObjectID.id), true})
		return out
	}
	parts := d.parts[i.number()]
	slices.SortFunc(parts, func(a, b rtItem) int { return cmp.Compare(a.number(), b.number()) })
	if len(parts) == 0 {
		if i.What != "Create" { // a ticket may be opened without a word
			h.problems = append(h.problems, problem{i.path, fmt.Sprintf("transaction %s: what it says is not there", i.self.id), true})
		}
		return out
	}
	head, err := h.rtPart(parts[0])
	if err != nil {
		h.problems = append(h.problems, problem{i.path, fmt.Sprintf("transaction %s: %v", i.self.id, err), true})
		return out
	}
	status, ok := statusOf(t.Status)
	if !ok {
		h.wrong(t.path, "status %q is not known: as if it were closed", t.Status)
		status, _ = statusOf("closed")
	}
	_, agent := h.rules.Agent(i.Creator.address())
	agent = (agent || d.team[i.Creator.id]) && !i.by(t)
	p := foreignPart{
		desk: "rt", id: i.self.id, number: t.self.id, where: i.path, status: status, owner: t.Owner.address(), title: t.Subject, queue: cmp.Or(t.Queue.name, t.Queue.id),
		by: i.Creator.address(), opened: t.Created,
		// A request that an agent wrote down was sent to nobody.
		note: i.What == "Comment" || i.What == "Create" && agent, out: i.What == "Correspond" && agent,
		mail: pastMail{
			from: cmp.Or(head.get("From"), i.Creator.show()), to: head.get("To"), cc: head.get("Cc"), subject: cmp.Or(head.get("Subject"), t.Subject),
			messageID: head.get("Message-ID"), inReplyTo: head.get("In-Reply-To"), at: i.Created,
		},
	}
	if t.Resolved.Year() > 1970 {
		p.closed = t.Resolved
	}
	if len(t.Requestor) > 0 {
		p.customer = t.Requestor[0].show()
	}
	if p.out {
		p.mail.messageID = cmp.Or(sentAs, p.mail.messageID)
	}
	// Each mail of RT's cites this, and so do the answers to it.
	if _, host, ok := strings.Cut(strings.Trim(sentAs, "<>"), "@"); ok {
		p.mail.references = "<RT-Ticket-" + t.self.id + "@" + host + ">"
	}
	h.rtWords(&p, parts)
	return h.part(out, p)
}

// rtWords finds the parts that say it; the others are files.
func (h *historyImport) rtWords(p *foreignPart, parts []rtItem) {
	var plain, html *rtItem
	for n, part := range parts {
		kind := strings.ToLower(part.ContentType)
		switch {
		case strings.HasPrefix(kind, "multipart/"):
		case part.Filename == "" && kind == "text/plain" && plain == nil && html == nil:
			plain = &parts[n]
		case part.Filename == "" && kind == "text/html" && html == nil:
			html = &parts[n]
		default:
			p.files = append(p.files, foreignFile{
				pastFile: pastFile{name: cmp.Or(part.Filename, "part-"+part.self.id), mime: part.ContentType},
				path:     h.rtPath(part), unpack: rtContent,
			})
		}
	}
	p.words = func(m *pastMail) error {
		for _, w := range []struct {
			part *rtItem
			to   *string
		}{{plain, &m.text}, {html, &m.also}} {
			if w.part == nil {
				continue
			}
			doc, err := h.rtPart(*w.part)
			if err != nil {
				return err
			}
			text, err := doc.content()
			if err != nil {
				return err
			}
			*w.to = string(text)
		}
		if plain == nil && html != nil {
			m.text, m.also, m.html = m.also, "", true
		}
		return nil
	}
}

// rtPart is a document of /REST/2.0/attachment/ID.
type rtDocument struct {
	Headers string  `json:"Headers"`
	Content *string `json:"Content"` // base64; null of a part that holds others
	fields  mail.Header
}

func (h *historyImport) rtPath(part rtItem) string {
	return filepath.Join(h.folder, folderOfFiles, strconv.FormatInt(part.number(), 10)+".json")
}

// rtPart reads a part.
func (h *historyImport) rtPart(part rtItem) (*rtDocument, error) {
	path := h.rtPath(part)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is not there: fetch /REST/2.0/attachment/%s", filepath.ToSlash(path), part.self.id)
	}
	if err != nil {
		return nil, err
	}
	return rtRead(data)
}

func rtRead(data []byte) (*rtDocument, error) {
	var doc rtDocument
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("read the attachment: %w", err)
	}
	if m, err := mail.ReadMessage(strings.NewReader(strings.TrimSpace(doc.Headers) + "\n\n")); err == nil {
		doc.fields = m.Header
	}
	return &doc, nil
}

// get is a field of the part's header, "" none.
func (d *rtDocument) get(name string) string { return d.fields.Get(name) }

func (d *rtDocument) content() ([]byte, error) {
	if d.Content == nil {
		return nil, nil
	}
	return base64.StdEncoding.DecodeString(strings.Join(strings.Fields(*d.Content), ""))
}

func rtContent(data []byte) ([]byte, error) {
	doc, err := rtRead(data)
	if err != nil {
		return nil, err
	}
	return doc.content()
}
