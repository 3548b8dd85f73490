package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/textproto"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"frontdesk/store"
	"frontdesk/tickets"
)

// prepared is a letter ready for SMTP.
type prepared struct {
	envelope envelope
	raw      []byte
	files    []store.PlacedFile
	id       string           // Message-ID
	fresh    *store.Rendering // what the store does not have yet
}

// givenUpError says that a letter is not sent any more.
type givenUpError string

func (e givenUpError) Error() string { return string(e) }

// laterError says that something other than the letter is at fault: it is
// tried again.
type laterError struct{ err error }

func (e laterError) Error() string { return e.err.Error() }
func (e laterError) Unwrap() error { return e.err }

// prepare renders a letter, or takes its first rendering. Errors are a
// givenUpError, a laterError, or the letter's own fault.
func (s *Sender) prepare(ctx context.Context, j job) (*prepared, error) {
	ctx, cancel := context.WithTimeout(ctx, storeLimit)
	defer cancel()
	l := j.out.Letter
	if j.about == nil {
		alone := []job{j}
		if err := s.lookUpTickets(ctx, alone); err != nil {
			return nil, laterError{err}
		}
		j = alone[0]
	}
	ticket := j.about.ticket
	var err error
	telephone := tickets.Number(l.To.Address) != ""
	// A text in doubt is looked up before it can be given up.
	if why := givenUp(j.out, ticket, s.opt.Expire, s.opt.Now()); why != "" && !(telephone && j.out.State == store.LetterDot) {
		return nil, givenUpError(why)
	}
	p := &prepared{raw: j.out.Raw, files: j.out.Files, id: j.out.MessageID}
	if l.Kind == tickets.LetterHangUp { // is not written
		return p, nil
	}
	if p.raw == nil {
		m, err := s.material(ctx, j, ticket)
		if err != nil {
			return nil, laterError{err}
		}
		if p.fresh, err = render(l, m); err != nil {
			return nil, fmt.Errorf("write the letter: %w", err)
		}
		p.raw, p.files, p.id = p.fresh.Raw, p.fresh.Files, p.fresh.MessageID
	}
	if telephone {
		return p, nil
	}
	p.envelope, err = envelopeOf(l, j.desk.rules, p.raw)
	return p, err
}

// about is what a letter is about.
type about struct{ ticket *tickets.Ticket } // nil: nothing, or erased meanwhile

// lookUpTickets finds what letters are about, one query for those to customers
// and one for those to agents.
func (s *Sender) lookUpTickets(ctx context.Context, jobs []job) error {
	ctx, cancel := context.WithTimeout(ctx, storeLimit)
	defer cancel()
	for _, agents := range []bool{false, true} {
		var ids []int64
		for _, j := range jobs {
			if l := j.out.Letter; l.Ticket != 0 && wholeTicket(l) == agents && !slices.Contains(ids, l.Ticket) {
				ids = append(ids, l.Ticket)
			}
		}
		found := map[int64]*tickets.Ticket{}
		if len(ids) > 0 {
			var err error
			if found, err = s.db.LetterTickets(ctx, ids, agents); err != nil {
				return err
			}
		}
		for i := range jobs {
			if l := jobs[i].out.Letter; wholeTicket(l) == agents {
				jobs[i].about = &about{found[l.Ticket]}
			}
		}
	}
	return nil
}

// wholeTicket reports whether more of the ticket goes into a letter than what a
// customer's mail says.
func wholeTicket(l tickets.Letter) bool { return l.Agent || tickets.Number(l.To.Address) != "" }

// material gathers what the rendering needs.
func (s *Sender) material(ctx context.Context, j job, ticket *tickets.Ticket) (Material, error) {
	l := j.out.Letter
	m := Material{
		Templates: s.templates.Load(),
		Brand:     j.desk.brands[l.Brand],
		Keys:      j.desk.rules.Keys,
		Separator: separator(l, j.desk.rules),
		Ticket:    ticket,
		Agents:    j.desk.rules.Agents,
		PublicURL: s.opt.PublicURL,
		Now:       s.opt.Now(),
		Report:    s.opt.Report,
	}
	if m.Brand.Domain == "" {
		m.Brand.Domain = tickets.Domain(l.Mailbox)
	}
	if tickets.Number(l.To.Address) != "" {
		return s.phoneMaterial(ctx, j, m)
	}
	var err error
	if l.Agent && l.Ticket != 0 {
		if m.Earlier, err = s.db.LetterIDs(ctx, l.Ticket, tickets.NormalAddress(l.To.Address)); err != nil {
			return m, err
		}
	}
	if l.Message != 0 {
		m.Files, err = s.files(ctx, l.Message)
	}
	if err == nil && len(l.Data.Attach) > 0 {
		var mails []File
		mails, err = s.mails(ctx, l.Data.Attach)
		m.Files = append(m.Files, mails...)
	}
	return m, err
}

// phoneMaterial adds what a text or call needs. Files stay here: a text links to
// the page that has them.
func (s *Sender) phoneMaterial(ctx context.Context, j job, m Material) (Material, error) {
	l := j.out.Letter
	m.Line, m.Segments = j.desk.lines[tickets.NormalAddress(l.Mailbox)], j.desk.rules.Texting.Segments
	brand := j.desk.rules.Brands[l.Brand]
	if len(brand.Mailboxes) > 0 {
		m.Email = brand.Mailboxes[0].Address
	}
	box, _ := brand.Mailbox(m.mailbox(l))
	m.Separator = box.Subaddressing
	if l.Message == 0 || l.Kind != tickets.LetterAnswer {
		return m, nil
	}
	msg, err := s.db.Message(ctx, l.Message)
	if errors.Is(err, store.ErrNotFound) {
		return m, nil
	}
	for _, a := range msg.Attachments {
		if a.Refused == "" {
			m.Attached++
		}
	}
	return m, err
}

func separator(l tickets.Letter, r tickets.Rules) string {
	box, _ := r.Brands[l.Brand].Mailbox(l.Mailbox)
	return box.Subaddressing
}

// files are the attachments of the message that a letter carries, but for
// those that were refused.
func (s *Sender) files(ctx context.Context, message int64) ([]File, error) {
	msg, err := s.db.Message(ctx, message)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var files []File
	for _, a := range msg.Attachments {
		if a.Refused != "" || s.opt.Open == nil {
			continue
		}
		ledger := msg.Ledger
		if a.Ledger != 0 { // let go later than it came: #send anyway
			ledger = a.Ledger
		}
		file := File{Name: fileName(a, msg), ContentType: a.ContentType}
		if a.Size > largeFile && s.opt.OpenFile != nil {
			file.Stored, err = s.stored(ctx, ledger, a)
		} else {
			file.Data, err = s.opt.Open(ctx, ledger, a.Part)
		}
		if err != nil {
			return nil, fmt.Errorf("attachment %q: %w", a.Filename, err)
		}
		files = append(files, file)
	}
	return files, nil
}

var plainEnding = regexp.MustCompile(`^[a-z0-9]{1,10}$`)

// fileName names a file that came without a name: a recording or a picture from
// a telephone, by what it is and when it came.
func fileName(a tickets.Attachment, msg tickets.Message) string {
	if a.Filename != "" || a.Part != tickets.WholeRow {
		return a.Filename
	}
	kind, what, _ := strings.Cut(strings.ToLower(a.ContentType), "/")
	name := map[string]string{"audio": "recording", "image": "picture", "video": "film"}[kind]
	if name == "" {
		name = "file"
	}
	if msg.Channel == tickets.ChannelVoice && kind == "audio" {
		name = "voicemail"
	}
	ending, _, _ := strings.Cut(what, ";")
	switch ending = strings.TrimSpace(ending); {
	case ending == "mpeg" && kind == "audio":
		ending = ".mp3"
	case plainEnding.MatchString(ending):
		ending = "." + ending
	default:
		ending = ""
	}
	return name + "-" + msg.At.UTC().Format("2006-01-02-1504") + ending
}

// envelopeOf is sender and recipient for SMTP. The sender is null for a letter
// that no report shall answer (RFC 3834 section 3.3), else it names the letter,
// so that a report does.
func envelopeOf(l tickets.Letter, r tickets.Rules, raw []byte) (envelope, error) {
	to, needs, err := wireAddress(l.To.Address)
	if err != nil {
		return envelope{}, err
	}
	e := envelope{to: to, utf8: needs || !ascii8(raw)}
	if !l.NullSender {
		from, needs, err := wireAddress(r.Keys.EnvelopeSender(l.Mailbox, separator(l, r), l.ID))
		if err != nil {
			return envelope{}, err
		}
		e.from, e.utf8 = from, e.utf8 || needs
	}
	return e, nil
}

// ascii8 reports whether a mail is ASCII. Bodies are encoded, so that only a
// header field with a non-ASCII address makes it not.
func ascii8(raw []byte) bool {
	head, _, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	return ascii(string(head))
}

// markDot commits that the final dot goes out now.
func (s *Sender) markDot(ctx context.Context, out store.Outgoing, mail *prepared) error {
	call, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeLimit)
	defer cancel()
	err := s.db.MarkDot(call, out.Letter.ID, out.Epoch, mail.fresh, s.opt.Now())
	if err == nil {
		mail.fresh = nil // stored
	}
	return err
}

// refuse stores that a letter could not be prepared.
func (s *Sender) refuse(out store.Outgoing, mail *prepared, err error) {
	var later laterError
	if errors.As(err, &later) {
		s.put(out, &failure{class: ClassTemporary, detail: oneLine(err.Error(), 500)}, nil)
		return
	}
	code := ""
	var old givenUpError
	if errors.As(err, &old) {
		code = "expired"
	}
	s.counts.failed.Add(1)
	s.log.Warn("letter given up", "letter", out.Letter.ID, "ticket", out.Letter.Ticket, "err", err)
	s.finish(out, store.Result{State: store.LetterFailed, Code: code, Detail: oneLine(err.Error(), 500)}, nil)
}

// put defers a letter.
func (s *Sender) put(out store.Outgoing, f *failure, fresh *store.Rendering) {
	wait := Backoff(f.class, out.Attempts+1, out.Letter.ID)
	s.counts.deferred.Add(1)
	s.log.Info("letter deferred", "letter", out.Letter.ID, "ticket", out.Letter.Ticket, "attempt", out.Attempts+1, "retry", wait.Round(time.Second), "err", f)
	s.finish(out, store.Result{State: store.LetterQueued, Next: s.opt.Now().Add(wait), Code: f.code, Detail: f.detail}, fresh)
}

// finish stores a result of a letter.
func (s *Sender) finish(out store.Outgoing, r store.Result, fresh *store.Rendering) {
	r.ID, r.Epoch, r.At, r.Render = out.Letter.ID, out.Epoch, s.opt.Now(), fresh
	s.result(r)
}

// accepted stores that a mail server took a letter. The channel is closed when
// that is stored; it is nil when it is noted, which is as good. more says that
// the next letter is in hand already.
func (s *Sender) accepted(out store.Outgoing, text string, more bool) <-chan struct{} {
	r := outcome{Result: store.Result{ID: out.Letter.ID, Epoch: out.Epoch, State: store.LetterSent, Code: "250", Detail: text,
		ServerIDs: serverIDs(text), At: s.opt.Now()}}
	if s.db.NoteSent(r.Result) {
		r.patient = more
	} else {
		r.stored = make(chan struct{})
	}
	s.results <- r
	return r.stored
}

// replyCode is the server's reply in an error, "" when there was none.
func replyCode(err error) string {
	var reply *textproto.Error
	if !errors.As(err, &reply) {
		return ""
	}
	status, _ := enhancedStatus(reply.Msg)
	return strings.TrimSpace(strconv.Itoa(reply.Code) + " " + status)
}
