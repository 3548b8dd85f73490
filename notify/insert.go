package notify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/emersion/go-message"

	"frontdesk/tickets"
)

// Insert is a part of a letter that no template can write: the tables and
// pictures of a report. Its HTML names a picture by "cid:" and the picture's id.
type Insert struct {
	Title, Days string // of the report, one line each
	Plain       string
	HTML        string
	Pictures    []Picture
}

// Picture is a PNG that the HTML part shows (RFC 2387, RFC 2392).
type Picture struct {
	ID  string // Content-ID, without brackets
	PNG []byte
}

// WriteReport turns the figures of a report into a part of its letter. language
// is an ISO 639-1 code, color the brand's, #rrggbb; cid makes the Content-ID of
// a picture out of its name. The same arguments give the same bytes.
type WriteReport func(figures json.RawMessage, language, color string, cid func(name string) string) (Insert, error)

// insert writes the report of a letter that has figures.
func (m Material) insert(l tickets.Letter, language string) (Insert, error) {
	if len(l.Data.Figures) == 0 || m.Report == nil {
		return Insert{}, nil
	}
	in, err := m.Report(l.Data.Figures, language, m.Brand.Color, func(name string) string {
		return name + "." + strconv.FormatInt(l.ID, 10) + "@" + m.Brand.Domain
	})
	if err != nil {
		return Insert{}, fmt.Errorf("write the report: %w", err)
	}
	return in, nil
}

// report puts a report into the view.
func (v *view) report(in Insert, w *words) {
	v.ReportTitle, v.ReportDays = w.put(oneLine(in.Title, 120)), w.put(oneLine(in.Days, 80))
	v.Report = w.block(in.Plain, in.HTML)
}

// block is put for words that are HTML of their own in the HTML part. Its mark
// stands in a paragraph alone.
func (w *words) block(plain, html string) Words {
	mark := w.put(plain)
	if mark != "" {
		w.blocks = append(w.blocks, [2]string{paragraph + string(mark) + "</p>", html})
	}
	return mark
}

// placed puts the HTML of blocks in the place of their marks. Nothing of people
// was expanded yet, and marks within the blocks stay what they are: characters.
func (w *words) placed(html string) string {
	for _, b := range w.blocks {
		html = strings.ReplaceAll(html, b[0], b[1])
	}
	return html
}

// page writes the HTML part: alone, or with the pictures that it shows (RFC 2387).
func page(w *message.Writer, p Parts, messageID string) error {
	if len(p.Pictures) == 0 {
		return body(w, "text/html", p.HTML)
	}
	var h message.Header
	h.SetContentType("multipart/related", map[string]string{"boundary": boundary(messageID, "related"), "type": "text/html"})
	related, err := w.CreatePart(h)
	if err != nil {
		return err
	}
	if err := body(related, "text/html", p.HTML); err != nil {
		return err
	}
	for _, picture := range p.Pictures {
		var h message.Header
		name, _, _ := strings.Cut(picture.ID, ".")
		h.Set("Content-Transfer-Encoding", "base64")
		h.Set("Content-Disposition", `inline; filename="`+name+`.png"`)
		h.Set("Content-Id", "<"+picture.ID+">")
		h.SetContentType("image/png", nil)
		if err := fits(h); err != nil {
			return err
		}
		if err := part(related, h, bytes.Clone(picture.PNG)); err != nil {
			return err
		}
	}
	return related.Close()
}
