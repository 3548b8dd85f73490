package web

import (
	"context"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"frontdesk/tickets"
)

// A page shows a person what that person wrote, and what was sent to that person
// in letters: nothing that was said between the desk and somebody else on the
// ticket, no notes, nothing of a message that was held. A text that was too long
// for a telephone leads here.

// message is one of them, as the page shows it.
type message struct {
	id    int64
	Ours  bool
	Who   string
	When  string
	At    string // RFC 3339
	Text  string
	Files []file

	stored tickets.Message
}

// file is an attachment of a message.
type file struct {
	Name, Size, Link string
}

// mostShown bounds a page; who needs more asks.
const mostShown = 50

// load adds the messages that the visitor may see, newest first.
func (p *pages) load(r *http.Request, v *visit) error {
	if v.person.Role != tickets.PartyRequester && v.person.Role != tickets.PartyFollower {
		return nil // gets no letters before an agent accepts them
	}
	ctx := r.Context()
	all, err := p.opt.DB.Messages(ctx, v.ticket.ID)
	if err != nil {
		return err
	}
	sent, err := p.opt.DB.SentTo(ctx, v.person.Person, v.ticket.ID, v.asked)
	if err != nil {
		return err
	}
	for _, m := range slices.Backward(all) {
		if len(v.messages) < mostShown && v.sees(m, sent) {
			v.messages = append(v.messages, v.message(m, p.opt.Open != nil))
		}
	}
	return nil
}

func (v *visit) sees(m tickets.Message, sent []int64) bool {
	switch m.Direction {
	case tickets.DirectionOut:
		return slices.Contains(sent, m.ID)
	case tickets.DirectionIn:
		return m.Author.Person == v.person.Person
	}
	return false
}

func (v *visit) message(m tickets.Message, files bool) message {
	out := message{
		id: m.ID, Ours: m.Direction == tickets.DirectionOut, Who: v.words.You, stored: m,
		When: v.words.moment(m.At, v.brand.Location), At: m.At.UTC().Format(time.RFC3339), Text: v.shown(m.Text),
	}
	if out.Ours {
		out.Who = v.name()
	}
	for i, a := range m.Attachments {
		if a.Refused == "" && files {
			out.Files = append(out.Files, file{fileName(a, v.words), fileSize(a.Size), fmt.Sprintf("%s/files/%d/%d", v.path, m.ID, i+1)})
		}
	}
	return out
}

// shown is what a letter would show of somebody's words.
func (v *visit) shown(text string) string {
	box, _ := v.rules.Brands[v.ticket.Brand].Mailbox(v.ticket.Mailbox)
	return tickets.Withheld(cleanText(text), v.rules.Agents, v.ticket.Mailbox, box.Subaddressing, v.person.Address.Address)
}

// moment shows a time: "23 November 2026, 14:05".
func (w *words) moment(t time.Time, zone *time.Location) string {
	if zone == nil {
		zone = time.UTC
	}
	t = t.In(zone)
	return fmt.Sprintf(w.When, t.Day(), w.Months[t.Month()-1], t.Year(), t.Hour(), t.Minute())
}

func fileName(a tickets.Attachment, w *words) string {
	if a.Filename == "" {
		return w.File
	}
	return topic(a.Filename, w)
}

func fileSize(n int) string {
	switch {
	case n <= 0:
		return ""
	case n < 1<<20:
		return strconv.Itoa(max(1, n>>10)) + " KB"
	}
	return strconv.Itoa(n>>20) + " MB"
}

// newest are the newest message of ours and what is newer still; the others are
// folded up.
func newest(all []message) (open, folded []message) {
	n := slices.IndexFunc(all, func(m message) bool { return m.Ours })
	return all[:n+1], all[n+1:]
}

// file serves an attachment of a message that the page shows, to be saved: it
// never becomes a page of our own.
func (p *pages) file(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		p.problem(w, r, http.StatusMethodNotAllowed, nil)
		return
	}
	v, err := p.visit(r)
	if err != nil {
		p.lost(w, r, err)
		return
	}
	m, a, ok := v.attachment(r.PathValue("message"), r.PathValue("file"))
	if !ok || p.opt.Open == nil {
		p.problem(w, r, http.StatusNotFound, v)
		return
	}
	ledger := m.Ledger
	if a.Ledger != 0 {
		ledger = a.Ledger
	}
	free, err := p.room(r.Context(), a.Size)
	if err != nil {
		p.lost(w, r, err)
		return
	}
	defer free()
	data, err := p.opt.Open(r.Context(), ledger, a.Part)
	if err != nil {
		p.lost(w, r, fmt.Errorf("attachment %q of message %d: %w", a.Filename, m.ID, err))
		return
	}
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Content-Type", safeType(a.ContentType))
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": fileName(a, v.words)}))
	h.Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(data) // a client that went away needs no file
}

// What files take of memory while they are fetched and saved by slow readers: a
// link and a thousand connections must not be enough to use all of it up.
const (
	filesRoom = 64 << 20
	fileWaits = 5 * time.Second // for room
)

// room waits for the memory that a file of size bytes takes: the mail that it is
// in is read for it. free gives it back.
func (p *pages) room(ctx context.Context, size int) (free func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, fileWaits)
	defer cancel()
	n := min(2*int64(max(size, 0))+1<<20, filesRoom)
	if err := p.files.Acquire(ctx, n); err != nil {
		return nil, fmt.Errorf("wait for others who save files: %w", err)
	}
	return func() { p.files.Release(n) }, nil
}

// attachment finds a file of a message that the visitor sees.
func (v *visit) attachment(message, file string) (tickets.Message, tickets.Attachment, bool) {
	id, err1 := strconv.ParseInt(message, 10, 64)
	n, err2 := strconv.Atoi(file)
	if err1 != nil || err2 != nil {
		return tickets.Message{}, tickets.Attachment{}, false
	}
	for _, m := range v.messages {
		if all := m.stored.Attachments; m.id == id && n >= 1 && n <= len(all) && all[n-1].Refused == "" {
			return m.stored, all[n-1], true
		}
	}
	return tickets.Message{}, tickets.Attachment{}, false
}

// safeType is the type of a file that a browser may be told; any other is bytes.
func safeType(contentType string) string {
	t, _, err := mime.ParseMediaType(contentType)
	known := []string{"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "audio/mpeg", "audio/wav", "audio/ogg", "video/mp4"}
	if err != nil || !slices.Contains(known, strings.ToLower(t)) {
		return "application/octet-stream"
	}
	return strings.ToLower(t)
}
