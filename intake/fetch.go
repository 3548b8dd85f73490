package intake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"frontdesk/store"
	"frontdesk/tickets"
)

const (
	batchUIDs  = 500       // UIDs named in one FETCH
	groupMails = 50        // mails committed together: more gains nothing
	groupBytes = 4 << 20   // or as many bytes
	keepBytes  = 256 << 10 // of an oversize mail
)

// Fields that stand above a mail that could not be taken as it is. They are
// ours: the bytes of the mail follow them.
const (
	// OversizeField heads the first part of a mail above MaxSize; its value is
	// the size of the mail in bytes. The row exists, so the mail is never
	// fetched again.
	OversizeField = "X-Frontdesk-Oversize"
	// UnfetchedField heads what could be had of a mail that the server does
	// not hand out, often nothing; its value says why.
	UnfetchedField = "X-Frontdesk-Unfetched"
)

// unfetched returns why the mail of a row could not be fetched; ok is false for
// mails that were.
func unfetched(raw []byte) (why string, ok bool) {
	rest, ok := bytes.CutPrefix(raw, []byte(UnfetchedField+": "))
	if !ok {
		return "", false
	}
	line, _, _ := bytes.Cut(rest, []byte("\r\n"))
	return string(line), true
}

// fetched is one mail as it came from the server.
type fetched struct {
	uid  uint32
	size int64 // RFC822.SIZE, 0 when not said
	date time.Time
	data []byte // whole, or the first part below OversizeField
	sum  [32]byte
	pack *store.Pack // a large mail, in place of data
	free func()      // gives the room of a large one back, once; else nil
}

// drop is called when the mail is stored, or is not to be.
func (f *fetched) drop() {
	if f != nil && f.free != nil {
		if f.pack != nil {
			f.pack.Drop()
		}
		f.free()
	}
}

// search returns the UIDs from low on that are in the folder, ascending.
func (s *session) search(low uint32, without ...imap.Flag) (uids []uint32, err error) {
	low = max(low, 1)
	err = s.do("search "+strconv.Quote(s.m.opt.Folder), func() error {
		d, err := s.client.UIDSearch(&imap.SearchCriteria{
			UID:     []imap.UIDSet{{imap.UIDRange{Start: imap.UID(low), Stop: 0}}},
			NotFlag: without,
		}, nil).Wait()
		if err != nil {
			return err
		}
		uids, err = foundUIDs(d, low)
		return err
	})
	return uids, err
}

// foundUIDs reads a search result. "UID n:*" names the last message even when
// it is below n (RFC 9051 section 9, seq-range).
func foundUIDs(d *imap.SearchData, low uint32) ([]uint32, error) {
	set, ok := d.All.(imap.UIDSet)
	if !ok {
		return nil, nil
	}
	nums, ok := set.Nums()
	if !ok {
		return nil, errors.New("the server answered with an open range")
	}
	uids := make([]uint32, 0, len(nums))
	for _, n := range nums {
		if uint32(n) >= low {
			uids = append(uids, uint32(n))
		}
	}
	slices.Sort(uids)
	return uids, nil
}

// errCommit marks an error of the ledger, not of the server.
type errCommit struct{ error }

func (e errCommit) Unwrap() error { return e.error }

// fetch reads mails in one command and hands them to commit in groups, while
// the rest still streams in: memory holds one group. It returns which of uids
// did not come, and the first error; what was complete before an error is
// handed over still.
//
// A mail counts as complete when its literal has the length it announced and
// the response around it ended well, which shows when the next one or the
// command's OK arrives: the client takes a dropped connection within a literal
// for its end.
//
// Only UID, RFC822.SIZE, INTERNALDATE and BODY.PEEK[] are asked for. The client
// gives up a connection on any quirk in an ENVELOPE or BODYSTRUCTURE.
func (s *session) fetch(ctx context.Context, uids []uint32, commit func([]fetched) error) (missing []uint32, err error) {
	came := make(map[uint32]bool, len(uids))
	g := group{commit: func(ms []fetched) error {
		s.wire.disarm() // the server waits for us now
		defer s.wire.arm()
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := commit(ms); err != nil {
			return errCommit{err}
		}
		for i := range ms {
			came[ms[i].uid] = true
		}
		s.m.alive()
		return nil
	}, hold: func(size int64) (func(), error) {
		s.wire.disarm() // the server waits for us until other large mails are stored
		defer s.wire.arm()
		return s.m.opt.DB.Large(ctx, size)
	}}
	what := fmt.Sprintf("fetch uid %d", uids[0])
	if len(uids) > 1 {
		what = fmt.Sprintf("fetch uids %d to %d", uids[0], uids[len(uids)-1])
	}
	err = s.do(what, func() error { return s.stream(uids, &g) })
	for _, uid := range uids {
		if !came[uid] {
			missing = append(missing, uid)
		}
	}
	return missing, err
}

// stream runs the FETCH command.
func (s *session) stream(uids []uint32, g *group) error {
	var set imap.UIDSet
	for _, uid := range uids {
		set.AddNum(imap.UID(uid))
	}
	limit := s.m.opt.MaxSize
	cmd := s.client.Fetch(set, &imap.FetchOptions{
		UID: true, RFC822Size: true, InternalDate: true,
		BodySection: []*imap.FetchItemBodySection{{
			Peek: true,
			// One byte over the limit tells an oversize mail, whatever
			// RFC822.SIZE says (some servers estimate it).
			Partial: &imap.SectionPartial{Offset: 0, Size: limit + 1},
		}},
	})
	var held *fetched
	var err error
	for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
		if err := g.add(held); err != nil {
			held.drop()
			s.wire.shut() // the rest of the answer is not wanted
			_ = cmd.Close()
			return err
		}
		if held, err = readMail(msg, limit, g.hold, s.m.opt.DB.NewPack); err != nil {
			s.lost()
			break
		}
	}
	if endErr := cmd.Close(); err == nil {
		err = endErr
	}
	if err != nil {
		held.drop()
		held = nil
	}
	if addErr := g.add(held); addErr != nil {
		held.drop()
		return addErr
	}
	return errors.Join(g.flush(), err)
}

// lost ends the connection after a literal that was cut short, and waits until
// the client has noticed. The command is drained only then: draining reads the
// literal on, and would meet the client's own reader in one buffer.
func (s *session) lost() {
	s.wire.shut()
	<-s.client.Closed()
}

// group collects mails for one commit.
type group struct {
	commit func([]fetched) error
	hold   func(size int64) (free func(), err error) // waits for the room of a large mail
	mails  []fetched
	bytes  int
}

// add takes a complete mail; nil is none. A large one is committed at once:
// the next may need its room.
func (g *group) add(m *fetched) error {
	if m == nil {
		return nil
	}
	g.mails = append(g.mails, *m)
	g.bytes += len(m.data)
	if m.pack == nil && len(g.mails) < groupMails && g.bytes < groupBytes {
		return nil
	}
	return g.flush()
}

func (g *group) flush() error {
	if len(g.mails) == 0 {
		return nil
	}
	err := g.commit(g.mails)
	for i := range g.mails {
		g.mails[i].drop()
	}
	clear(g.mails) // holds on to no mail
	g.mails, g.bytes = g.mails[:0], 0
	return err
}

// readMail reads one FETCH response; nil when it holds no mail. After an error
// the connection is lost, and msg must not be read on.
func readMail(msg *imapclient.FetchMessageData, limit int64, hold func(int64) (func(), error), pack func() *store.Pack) (_ *fetched, err error) {
	var m fetched
	defer func() {
		if err != nil {
			m.drop()
		}
	}()
	complete, oversize := false, int64(0)
	for item := msg.Next(); item != nil; item = msg.Next() {
		switch item := item.(type) {
		case imapclient.FetchItemDataUID:
			m.uid = uint32(item.UID)
		case imapclient.FetchItemDataRFC822Size:
			m.size = item.Size
		case imapclient.FetchItemDataInternalDate:
			m.date = item.Time
		case imapclient.FetchItemDataBodySection:
			if item.Literal == nil { // NIL: the server has no bytes for us
				continue
			}
			if item.Literal.Size() > limit {
				oversize = item.Literal.Size()
			}
			if size := item.Literal.Size(); size > store.LargeMail && oversize == 0 && m.pack == nil {
				if m.free, err = hold(size); err != nil {
					return nil, err
				}
				m.pack = pack()
				err = packLiteral(m.pack, item.Literal)
			} else {
				m.data, err = readLiteral(item.Literal, oversize > 0)
			}
			if err != nil {
				return nil, err
			}
			complete = true
		}
	}
	if !complete || m.uid == 0 {
		m.drop()
		return nil, nil
	}
	if m.pack != nil {
		m.sum = m.pack.Sum()
		return &m, nil
	}
	if oversize > 0 {
		head := fmt.Sprintf("%s: %d\r\n", OversizeField, max(m.size, oversize))
		m.data = append([]byte(head), m.data...)
	}
	m.sum = sha256.Sum256(m.data)
	return &m, nil
}

// readLiteral reads a literal to its announced end, but keeps the first part
// only when that is enough.
func readLiteral(l imap.LiteralReader, part bool) (data []byte, err error) {
	keep := l.Size()
	if part {
		keep = min(keep, keepBytes)
	}
	data = make([]byte, keep)
	n, err := io.ReadFull(l, data)
	if err != nil {
		return nil, fmt.Errorf("connection ended %d bytes into %d", n, l.Size())
	}
	rest, err := io.Copy(io.Discard, l)
	if err != nil || rest != l.Size()-keep {
		return nil, fmt.Errorf("connection ended %d bytes into %d", keep+rest, l.Size())
	}
	return data, nil
}

// packLiteral reads a literal to its announced end, and compresses it meanwhile.
func packLiteral(p *store.Pack, l imap.LiteralReader) error {
	n, err := io.Copy(p, l)
	if file, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("keep a mail of %d bytes: %w", l.Size(), file)
	}
	if err != nil || n != l.Size() {
		return fmt.Errorf("connection ended %d bytes into %d", n, l.Size())
	}
	return p.Close()
}

// key names a mail for ever.
func (m *Mailbox) key(uid uint32) string {
	return fmt.Sprintf("imap:%s:%s:%d:%d", m.opt.Address, m.opt.Folder, m.valid, uid)
}

// item makes the ledger row. It was received when the server took it
// (INTERNALDATE): an outage of ours shortens nobody's clock. A date of the
// future or none is replaced by now.
func (m *Mailbox) item(f *fetched) store.Item {
	now := m.opt.Now()
	received := f.date
	if received.IsZero() || received.After(now) {
		received = now
	}
	return store.Item{
		Key:      m.key(f.uid),
		Brand:    m.opt.Brand,
		Mailbox:  m.opt.Address,
		Folder:   m.opt.Folder,
		Queue:    m.opt.Queue,
		Channel:  tickets.ChannelMail,
		Received: received,
		SHA256:   f.sum,
		Data:     f.data,
		Pack:     f.pack,
	}
}
