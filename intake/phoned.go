package intake

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"frontdesk/parser"
	"frontdesk/phone"
	"frontdesk/store"
	"frontdesk/tickets"
)

// heard is a row of a phone channel, understood as far as it can be without the
// other rows of its contact.
type heard struct {
	hook  Hook
	event event
	file  bool // the row's bytes are a recording or a picture
}

// ofPhone reports whether a row came by telephone.
func ofPhone(c tickets.Channel) bool {
	return c == tickets.ChannelVoice || c == tickets.ChannelSMS || c == tickets.ChannelWhatsApp
}

// hear reads a row of a phone channel. Held is what becomes of one that nobody
// is asked about: it waits in quarantine, and is read again when released.
func hear(row store.Claimed, rules tickets.Rules) (x *heard, held *tickets.Change, err error) {
	if strings.HasPrefix(row.Key, "media:") {
		return &heard{file: true}, nil, nil
	}
	h, err := readHook(row.Data)
	if err != nil {
		return nil, nil, fmt.Errorf("row %d: %w", row.ID, err)
	}
	if h.Refused != "" {
		return nil, heldBack(row, "unsigned", "webhook not proven, its body was not kept: "+h.Refused), nil
	}
	e, err := readEvent(h, rules)
	switch {
	case err != nil:
		return nil, heldBack(row, "webhook", err.Error()), nil
	case !e.line.known:
		return nil, heldBack(row, "unknown-number", fmt.Sprintf("came to %s, which the configuration does not have", phone.Mask(h.Form.Get("To")))), nil
	}
	return &heard{hook: h, event: e}, nil, nil
}

func heldBack(row store.Claimed, reason, detail string) *tickets.Change {
	return &tickets.Change{
		Brand: row.Brand, Disposition: tickets.DisposeQuarantined, Reason: reason, Detail: detail,
		Trace: []tickets.Step{{Rule: "F01", Value: row.Key, Verdict: "quarantined: " + detail}},
	}
}

// inContact completes a row with the other rows of its contact, as the
// transaction that decides it sees them.
func (w *Worker) inContact(ctx context.Context, tx *store.Tx, c *contact, rules tickets.Rules) (tickets.Inbound, error) {
	x, row := c.heard, c.row
	name := cmp.Or(row.Contact, x.event.contact)
	var rows []store.ContactRow
	if name != "" {
		var err error
		if rows, err = tx.Contact(ctx, name); err != nil {
			return tickets.Inbound{}, err
		}
	}
	return w.phoned(row, *x, name, rows, rules)
}

// phoned puts a row of a phone channel into the words of the decision. Rows are
// all rows of its contact.
func (w *Worker) phoned(row store.Claimed, x heard, name string, rows []store.ContactRow, rules tickets.Rules) (tickets.Inbound, error) {
	in := tickets.Inbound{
		Ledger: row.ID, Channel: row.Channel, Brand: row.Brand, Mailbox: row.Mailbox, Queue: row.Queue,
		Received: row.Received, Released: row.Released, Answered: row.Answered, Date: x.hook.At,
		Kind: tickets.KindMessage, Content: row.SHA256,
	}
	words := ""
	switch e := x.event; {
	case x.file:
		p, err := w.phonedFile(row, name, rows, rules)
		if err != nil {
			return in, err
		}
		in.Phone = p
	case e.call != nil:
		v := viewCall(rows, rules, w.opt.Plans())
		in.Phone, in.Date = contactCall(v, rules, w.opt.Transcript), v.began
		words = in.Phone.Call.Transcript
	case e.text != nil:
		in.Phone, in.Attachments = contactText(e, rows)
		words = wordsOf(e.text)
		in.Text, in.Reply = words, words
	case e.status != nil:
		in.Phone = contactDelivery(e)
	case e.out != nil:
		in.Phone = contactPressed(e)
	}
	in.From = tickets.Address{Name: in.Phone.Caller, Address: numberAddress(in.Phone)}
	w.read(&in, words, rules)
	return in, nil
}

// numberAddress is the other end's address on the channel of the line.
func numberAddress(p *tickets.PhoneContact) string {
	return lineAddress(p.Number, tickets.ChannelOf(p.Line) == tickets.ChannelWhatsApp)
}

// read finds language, numbers and facts in words that were texted or spoken:
// what is looked for in mail is looked for here.
func (w *Worker) read(in *tickets.Inbound, words string, rules tickets.Rules) {
	in.Language = rules.Brands[in.Brand].Language
	if strings.TrimSpace(words) == "" {
		return
	}
	const head = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
	m := w.opt.Parse([]byte(head+words), w.opt.Parser())
	in.Language, in.Phones, in.Facts = cmp.Or(m.Language, in.Language), m.Phones, facts(&parser.Mail{Facts: m.Facts})
}

// phonedFile is a recording or a picture by itself. What it belongs to is told
// by the row that named it.
func (w *Worker) phonedFile(row store.Claimed, name string, rows []store.ContactRow, rules tickets.Rules) (*tickets.PhoneContact, error) {
	i := slices.IndexFunc(rows, func(r store.ContactRow) bool { return r.ID == row.ID })
	if i < 0 {
		return nil, fmt.Errorf("row %d of contact %q is not among its rows", row.ID, name)
	}
	if strings.HasPrefix(name, "call:") {
		v := viewCall(rows, rules, w.opt.Plans())
		p := contactCall(v, rules, w.opt.Transcript)
		list := p.Call.Recordings
		at := slices.IndexFunc(list, func(a tickets.Attachment) bool { return a.Ledger == row.ID })
		p.Call, p.File = nil, &tickets.File{Contact: name, Attachment: list[at]}
		return p, nil
	}
	for _, r := range rows {
		h, err := readHook(r.Data)
		if err != nil || strings.HasPrefix(r.Key, "media:") {
			continue
		}
		e, err := readEvent(h, rules)
		if err != nil || e.text == nil {
			continue
		}
		p, files := contactText(e, rows)
		if at := slices.IndexFunc(files, func(a tickets.Attachment) bool { return a.Ledger == row.ID }); at >= 0 {
			p.Text, p.File = nil, &tickets.File{Contact: name, Attachment: files[at]}
			return p, nil
		}
	}
	return nil, fmt.Errorf("row %d: nothing of contact %q names %q", row.ID, name, row.Key)
}
