package notify

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	stdmime "mime"
	"mime/quotedprintable"
	"net/mail"
	"path"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/emersion/go-message"
	gomail "github.com/emersion/go-message/mail"
	"github.com/emersion/go-message/textproto"

	"frontdesk/store"
	"frontdesk/tickets"
)

// header makes the fields of a letter's mail.
func header(l tickets.Letter, m Material, subject, messageID string) (message.Header, error) {
	f := &fields{}
	f.add("Date", m.Now.In(m.zone()).Format("Mon, 02 Jan 2006 15:04:05 -0700")) // RFC 5322 section 3.6.1
	f.addresses("From", f.from(l, m))
	if m.Separator != "" {
		f.addresses("Reply-To", f.address("", m.relay(l)))
	}
	to, cc := m.shown(l)
	f.addresses("To", to...)
	f.addresses("Cc", cc...)
	f.words("Subject", subject)
	f.ids("Message-ID", messageID)
	f.thread(l, m)
	f.automatic(l, m, messageID)
	f.unsubscribe(l, m)
	if l.Agent {
		f.about(l, m)
	}
	return f.header()
}

// fields collects header fields in order; every value passes through add. The
// first error is kept.
type fields struct {
	list [][2]string
	err  error
}

func (f *fields) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}

func (f *fields) add(name, value string) {
	value, err := checked(name, value)
	switch {
	case err != nil:
		f.fail(err)
	case value != "":
		f.list = append(f.list, [2]string{name, value})
	}
}

// header returns the fields; go-message puts each new field on top, and writes
// Message-Id, which is right but is not what people search their mail for.
func (f *fields) header() (message.Header, error) {
	var h message.Header
	for i := len(f.list) - 1; i >= 0; i-- {
		name, value := f.list[i][0], f.list[i][1]
		if name == "Message-ID" {
			h.AddRaw([]byte(name + ": " + value + "\r\n"))
			continue
		}
		h.Add(name, value)
	}
	h.AddRaw([]byte("MIME-Version: 1.0\r\n"))
	return h, f.err
}

func (f *fields) addresses(name string, list ...*mail.Address) {
	if len(list) > 0 && f.err == nil {
		var h gomail.Header
		h.SetAddressList(name, list)
		f.add(name, h.Get(name))
	}
}

// words adds a field of free text, as encoded words where it is not ASCII (RFC 2047).
func (f *fields) words(name, value string) {
	if _, err := checked(name, value); err != nil {
		f.fail(err)
		return
	}
	f.add(name, stdmime.QEncoding.Encode("utf-8", value))
}

func (f *fields) ids(name string, ids ...string) {
	if len(ids) > 0 {
		f.add(name, "<"+strings.Join(ids, "> <")+">")
	}
}

func (f *fields) address(name, address string) *mail.Address {
	a, err := headerAddress(tickets.Address{Name: name, Address: address})
	if err != nil {
		f.fail(err)
	}
	return a
}

// from is the brand for a customer. For an agent it is the customer with the
// ticket, as their mail client's list shall show it, at the relay address: an
// answer to From reaches the customer, whatever the client does with Reply-To.
func (f *fields) from(l tickets.Letter, m Material) *mail.Address {
	if l.Agent {
		return f.address(agentSees(l, m), m.relay(l))
	}
	return f.address(m.Brand.sender(), l.Mailbox)
}

// relay is the signed address that an answer to the letter goes to; the
// mailbox itself without subaddressing.
func (m Material) relay(l tickets.Letter) string {
	to := tickets.Relay{Ticket: l.Ticket, Person: l.Person, Role: tickets.RelayCustomer}
	if l.Agent {
		to.Role, to.Version = tickets.RelayAgent, l.Version
	}
	return m.Keys.RelayAddress(l.Mailbox, m.Separator, to)
}

// agentSees is the display name of a letter to an agent: "Maria Keller (Baleyo
// #1234)". A letter about no ticket comes from the brand's desk.
func agentSees(l tickets.Letter, m Material) string {
	brand := oneLine(m.Brand.name(), 60)
	if l.Ticket == 0 {
		return brand + " " + spoken(letterLanguage(l, m.Brand)).desk
	}
	return customerName(l, m) + " (" + brand + " #" + strconv.FormatInt(l.Ticket, 10) + ")"
}

// customerName is the author of the words that a letter carries, else the requester.
func customerName(l tickets.Letter, m Material) string {
	candidates := []string{l.Data.From}
	if m.Ticket != nil {
		for _, p := range m.Ticket.Participants {
			if p.Role == tickets.PartyRequester {
				candidates = append([]string{p.Address.Name, p.Address.Address}, candidates...)
				break
			}
		}
	}
	if l.Kind == tickets.LetterNewTicket || l.Kind == tickets.LetterMessage {
		candidates = append([]string{l.Data.Author}, candidates...)
	}
	for _, c := range candidates {
		name, address, _ := strings.Cut(shownNumbers(oneLine(c, 120)), "<") // "Maria Keller <maria@keller.example>"
		if name = strings.Trim(name, ` "`); name == "" {
			name = strings.Trim(address, "<> ")
		}
		if name != "" {
			return oneLine(name, 60)
		}
	}
	return "?"
}

// shown are the addresses in To and Cc. An agent's address is not shown to
// customers, whoever put it into Cc.
func (m Material) shown(l tickets.Letter) (to, cc []*mail.Address) {
	visible := func(list []tickets.Address) []*mail.Address {
		var kept []tickets.Address
		for _, a := range list {
			if tickets.Number(a.Address) != "" { // takes part by telephone
				continue
			}
			if _, agent := m.Agents[tickets.NormalAddress(a.Address)]; l.Agent || !agent || tickets.SameAddress(a.Address, l.To.Address) {
				kept = append(kept, a)
			}
		}
		return headerAddresses(kept, l.To.Address)
	}
	to, cc = visible(l.HeaderTo), visible(l.HeaderCc)
	if len(to) == 0 && len(cc) == 0 {
		to = headerAddresses([]tickets.Address{l.To}, l.To.Address)
	}
	return to, cc
}

// thread adds what a mail client threads by. A customer's letter continues the
// customer's own thread. An agent has one thread for each ticket: a root that
// no mail has, then the earlier letters about it to this agent.
func (f *fields) thread(l tickets.Letter, m Material) {
	if !l.Agent {
		refs := references(l.References, l.InReplyTo)
		if msgID(l.InReplyTo) {
			f.ids("In-Reply-To", l.InReplyTo)
		}
		f.ids("References", refs...)
		return
	}
	if l.Ticket == 0 {
		return
	}
	root := m.Keys.MessageID(l.Ticket, "r"+strconv.FormatInt(l.Person, 10), m.Brand.Domain)
	refs := references(append([]string{root}, m.Earlier...), "")
	f.ids("In-Reply-To", refs[len(refs)-1])
	f.ids("References", refs...)
}

// automatic says that no person wrote the letter (RFC 3834 section 5), so that
// no machine answers it, and marks every letter so that one that comes back is
// known. Precedence is left out: RFC 2076 advises against it.
func (f *fields) automatic(l tickets.Letter, m Material, messageID string) {
	if l.Auto != tickets.AutoNone {
		f.add("Auto-Submitted", string(l.Auto))
		f.add("X-Auto-Response-Suppress", "All") // Exchange reads this one
	}
	f.add("X-Frontdesk-Loop", m.Keys.LoopMark(messageID))
}

// about lets an agent's mail client filter.
func (f *fields) about(l tickets.Letter, m Material) {
	f.words("X-Frontdesk-Brand", oneLine(l.Brand, 100))
	if l.Ticket == 0 {
		return
	}
	f.add("X-Frontdesk-Ticket", strconv.FormatInt(l.Ticket, 10))
	if t := m.Ticket; t != nil {
		f.words("X-Frontdesk-Queue", oneLine(t.Queue, 100))
		f.words("X-Frontdesk-Severity", oneLine(t.Severity, 100))
		if due := dueOf(l, t); !due.IsZero() {
			f.add("X-Frontdesk-Due", due.UTC().Format(time.RFC3339))
		}
	}
}

// dueOf is what a letter is about, else what is promised next, else the date that
// somebody set.
func dueOf(l tickets.Letter, t *tickets.Ticket) time.Time {
	if !l.Data.Due.IsZero() {
		return l.Data.Due
	}
	if next := t.Promises.NextDue(); !next.IsZero() {
		return next
	}
	return t.Due
}

// mime writes the mail: text and HTML as alternatives, and the files behind
// them when there are some (RFC 2046 section 5.1). Stored files are left out,
// and it says where they stand.
func mime(h message.Header, p Parts, files []File, messageID string) (raw []byte, stored []store.PlacedFile, err error) {
	b := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	b.Reset()
	if len(files) == 0 && len(p.Pictures) == 0 {
		err = alternatives(b, h, p, boundary(messageID, "alternative"))
	} else {
		stored, err = mixed(b, h, p, files, messageID)
	}
	return bytes.Clone(b.Bytes()), stored, err
}

// alternatives writes what nearly every letter is, a text and an HTML part, as
// mixed would write it.
func alternatives(b *bytes.Buffer, h message.Header, p Parts, boundary string) error {
	h.SetContentType("multipart/alternative", map[string]string{"boundary": boundary})
	if err := textproto.WriteHeader(b, h.Header); err != nil {
		return err
	}
	for _, part := range [2][2]string{{"text/plain", p.Plain}, {"text/html", p.HTML}} {
		if part[0] == "text/html" {
			b.WriteString("\r\n")
		}
		b.WriteString("--" + boundary + "\r\nContent-Type: " + part[0] + "; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n")
		w := quotedprintable.NewWriter(b)
		if _, err := io.WriteString(w, part[1]); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
	}
	b.WriteString("\r\n--" + boundary + "--\r\n")
	return nil
}

// mixed writes a mail with files, or with pictures that its HTML part shows.
func mixed(b *bytes.Buffer, h message.Header, p Parts, files []File, messageID string) (stored []store.PlacedFile, err error) {
	top, kind := "multipart/alternative", "alternative"
	if len(files) > 0 {
		top, kind = "multipart/mixed", "mixed"
	}
	h.SetContentType(top, map[string]string{"boundary": boundary(messageID, kind)})
	w, err := message.CreateWriter(b, h)
	if err != nil {
		return nil, err
	}
	texts := w
	if len(files) > 0 {
		var ah message.Header
		ah.SetContentType("multipart/alternative", map[string]string{"boundary": boundary(messageID, "alternative")})
		if texts, err = w.CreatePart(ah); err != nil {
			return nil, err
		}
	}
	if err := body(texts, "text/plain", p.Plain); err != nil {
		return nil, err
	}
	if err := page(texts, p, messageID); err != nil {
		return nil, err
	}
	if len(files) > 0 {
		if err := texts.Close(); err != nil {
			return nil, err
		}
	}
	for _, f := range files {
		at, err := attach(b, w, f)
		if err != nil {
			return nil, err
		}
		if f.Stored != nil {
			placed := *f.Stored
			placed.At = at
			stored = append(stored, placed)
		}
	}
	return stored, w.Close()
}

// boundary cannot stand in a quoted-printable or base64 body: both never have
// "=_" (RFC 2045 section 6.7). It depends on the letter alone.
func boundary(messageID, kind string) string {
	sum := sha256.Sum256([]byte(kind + "\x00" + messageID))
	return "=_" + hex.EncodeToString(sum[:12])
}

func body(w *message.Writer, contentType, text string) error {
	var h message.Header
	// go-message puts the last field on top.
	h.Set("Content-Transfer-Encoding", "quoted-printable")
	h.SetContentType(contentType, map[string]string{"charset": "utf-8"})
	return part(w, h, []byte(text))
}

func part(w *message.Writer, h message.Header, data []byte) error {
	p, err := w.CreatePart(h)
	if err != nil {
		return err
	}
	if _, err := p.Write(data); err != nil {
		return err
	}
	return p.Close()
}

// attach writes a file and returns where in b its content begins.
func attach(b *bytes.Buffer, w *message.Writer, f File) (at int, err error) {
	name := sentName(f.Name)
	contentType, encoding, data := attachedType(f.ContentType), "base64", f.Data
	if f.Stored != nil {
		encoding = f.Stored.Encoding
		if encoding == "base64" && strings.HasPrefix(contentType, "message/") {
			contentType = "application/octet-stream"
		}
	} else if strings.HasPrefix(contentType, "message/") {
		// base64 is not allowed around a message (RFC 2046 section 5.2.1).
		if plain, ok := sevenBit(data); ok {
			encoding, data = "7bit", plain
		} else {
			contentType = "application/octet-stream"
		}
	}
	var h message.Header
	params := map[string]string{}
	if name != "" {
		params["filename"] = name
	}
	h.Set("Content-Transfer-Encoding", encoding)
	// The standard library encodes parameters by RFC 2231. go-message would put
	// an encoded-word between quotation marks, which RFC 2047 section 5 forbids
	// and clients read literally once the name has a quotation mark of its own.
	h.Set("Content-Disposition", stdmime.FormatMediaType("attachment", params))
	h.SetContentType(contentType, nil)
	if err := fits(h); err != nil {
		return 0, err
	}
	p, err := w.CreatePart(h)
	if err != nil {
		return 0, err
	}
	at = b.Len()
	if f.Stored != nil {
		return at, nil
	}
	if _, err := p.Write(data); err != nil {
		return 0, err
	}
	return at, p.Close()
}

// attachedType is the media type that a file goes on with.
func attachedType(contentType string) string {
	if _, _, err := stdmime.ParseMediaType(contentType); err != nil || strings.HasPrefix(contentType, "multipart/") {
		return "application/octet-stream"
	}
	return contentType
}

// sentName is a file's name with its extension, in at most 200 octets: encoded
// (RFC 2231) it has three times as many, and no place to be folded at.
func sentName(name string) string {
	const most = 200
	name = oneLine(name, len(name))
	ext := path.Ext(name)
	if len(ext) > 20 {
		ext = ""
	}
	stem := strings.TrimSuffix(name, ext)
	for len(stem) > most-len(ext) {
		_, n := utf8.DecodeLastRuneInString(stem)
		stem = stem[:len(stem)-n]
	}
	return stem + ext
}

// fits passes the fields of a part through the choke point.
func fits(h message.Header) error {
	for f := h.Fields(); f.Next(); {
		if _, err := checked(f.Key(), f.Value()); err != nil {
			return err
		}
	}
	return nil
}

// sevenBit returns a message with CRLF line ends if it can travel as it is.
func sevenBit(data []byte) ([]byte, bool) {
	var b bytes.Buffer
	for line := range bytes.Lines(data) {
		line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		if len(line) > 998 || bytes.ContainsAny(line, "\r\x00") || !ascii(string(line)) {
			return nil, false
		}
		b.Write(line)
		b.WriteString("\r\n")
	}
	return b.Bytes(), true
}
