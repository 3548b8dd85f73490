package intake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"

	"frontdesk/store"
)

// pass is one look at the folder. Mailbox.pass is held.
type pass struct {
	*session
	cur    store.Cursor
	stored uint32 // UID of the cursor on disk
	added  int

	wanted []uint32        // UIDs above the cursor that lack a row, ascending
	done   map[uint32]bool // of those, what has a row now or is gone
	first  int             // wanted[:first] is done
	top    uint32          // highest UID seen in the folder
}

// run takes what is new.
func (p *pass) run(ctx context.Context, tail bool) error {
	low := p.cur.UID + 1
	if tail {
		low = uint32(max(1, int64(p.cur.UID)-tailWindow+1)) // #nosec G115 -- between 1 and a UID
	}
	for uid := range p.m.fails {
		low = min(low, uid)
	}
	uids, err := p.search(low)
	if err != nil {
		return err
	}
	have, err := p.m.db.LedgerUIDs(ctx, p.m.opt.Address, p.m.opt.Folder, p.uidvalidity, low)
	if err != nil {
		return fmt.Errorf("look up rows of %s from uid %d: %w", p.m.opt.Address, low, err)
	}
	doubtful := p.sort(uids, have)
	p.forget(uids, have)
	if err := p.take(ctx, doubtful, func(ctx context.Context, ms []fetched) error { return p.commitUnknown(ctx, have, ms) }); err != nil {
		return err
	}
	if err := p.takeNew(ctx); err != nil {
		return err
	}
	p.cur.UID = p.reached()
	return nil
}

// freshUIDs is how many mails of a backlog are fetched before it is asked what came
// in meanwhile.
const freshUIDs = 100

// takeNew fetches what is wanted, oldest first. While a backlog is fetched, what
// comes in is looked for again and again: it would otherwise be seen when all of it
// is here.
func (p *pass) takeNew(ctx context.Context) error {
	waits := slices.Clone(p.wanted)
	size := freshUIDs
	if len(waits) <= batchUIDs {
		size = batchUIDs
	}
	for part := range slices.Chunk(waits, size) {
		if err := p.take(ctx, part, p.commitNew); err != nil {
			return err
		}
		if size == batchUIDs {
			return nil
		}
		fresh, err := p.search(p.top + 1)
		if err != nil {
			return err
		}
		if len(fresh) == 0 {
			continue
		}
		p.wanted, p.top = append(p.wanted, fresh...), fresh[len(fresh)-1]
		if err := p.take(ctx, slices.Clone(fresh), p.commitNew); err != nil {
			return err
		}
	}
	return nil
}

// sort divides the UIDs: those above the cursor and without a row are wanted.
// Doubtful, to be matched by content, is what has no row below the cursor (it
// became visible late, or was matched by content before), and what has one
// above it (from a pass that left a bad mail behind, or from before the server
// was restored from a backup and handed the UID out again).
func (p *pass) sort(uids []uint32, have map[uint32]bool) (doubtful []uint32) {
	p.top, p.done = p.cur.UID, map[uint32]bool{}
	for _, uid := range uids {
		p.top = max(p.top, uid)
		above := uid > p.cur.UID
		switch {
		case p.m.matched[uid]:
		case above && !have[uid]:
			p.wanted = append(p.wanted, uid)
		case above != have[uid]: // one without the other
		default:
			doubtful = append(doubtful, uid)
		}
	}
	return doubtful
}

// forget drops failures of mails that left the folder or came in otherwise.
func (p *pass) forget(uids []uint32, have map[uint32]bool) {
	maps.DeleteFunc(p.m.fails, func(uid uint32, _ *failure) bool {
		_, there := slices.BinarySearch(uids, uid)
		return !there || have[uid]
	})
}

// take fetches uids and commits them, and leaves marks behind. UIDs that failed
// before are fetched one by one after the others, when their time has come:
// one bad mail must not hold up the rest.
func (p *pass) take(ctx context.Context, uids []uint32, commit func(context.Context, []fetched) error) error {
	var lone []uint32
	uids = slices.DeleteFunc(uids, func(uid uint32) bool {
		f := p.m.fails[uid]
		if f != nil && !f.next.After(time.Now()) {
			lone = append(lone, uid)
		}
		return f != nil
	})
	for part := range slices.Chunk(uids, batchUIDs) {
		missing, err := p.fetch(ctx, part, func(ms []fetched) error { return commit(ctx, ms) })
		if err != nil && !refused(err) {
			return p.broke(missing, err)
		}
		p.m.mark(p.session)
		if missing, err = p.still(missing); err != nil {
			return err
		}
		lone = append(lone, missing...)
	}
	for i, uid := range lone {
		if i == 5 && p.added == 0 {
			return errors.New("fetch: the server hands out nothing") // not this mail's fault
		}
		if err := p.alone(ctx, uid, commit); err != nil {
			return err
		}
	}
	return nil
}

// refused reports that the server answered NO or BAD, and so still answers.
func refused(err error) bool {
	var e *imap.Error
	return errors.As(err, &e) && e.Type != imap.StatusResponseTypeBye
}

// broke notes that the connection ended within a FETCH: the mail in flight is
// suspect, the lowest that did not come.
func (p *pass) broke(missing []uint32, err error) error {
	var own errCommit
	if len(missing) > 0 && !errors.As(err, &own) && !errors.Is(err, context.Canceled) {
		p.m.fail(missing[0], err)
	}
	return err
}

// still returns which of the UIDs are in the folder yet: what was expunged
// between SEARCH and FETCH is no error, and done.
func (p *pass) still(uids []uint32) ([]uint32, error) {
	if len(uids) == 0 {
		return nil, nil
	}
	now, err := p.search(uids[0])
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(uids), func(uid uint32) bool {
		_, there := slices.BinarySearch(now, uid)
		if !there {
			p.done[uid] = true
		}
		return !there
	}), nil
}

// alone fetches one UID by itself and, when that failed often enough, records
// it as it is.
func (p *pass) alone(ctx context.Context, uid uint32, commit func(context.Context, []fetched) error) error {
	one := func(ms []fetched) error { return commit(ctx, ms) }
	missing, err := p.fetch(ctx, []uint32{uid}, one)
	if len(missing) == 0 && err == nil {
		delete(p.m.fails, uid)
		p.m.mark(p.session)
		return nil
	}
	if err == nil {
		if missing, err = p.still(missing); err != nil || len(missing) == 0 {
			return err
		}
		err = fmt.Errorf("fetch uid %d: the server sent no mail", uid)
	}
	alive := refused(err) || len(missing) > 0 && p.wireOpen()
	if !alive {
		err = p.broke(missing, err)
	} else {
		p.m.fail(uid, err)
	}
	if f := p.m.fails[uid]; f != nil && p.m.hopeless(f) {
		if recordErr := commit(ctx, []fetched{p.remains(uid, f, alive)}); recordErr != nil {
			return recordErr
		}
		p.m.opt.Log.Warn("mail recorded without its bytes", "uid", uid, "attempt", f.n, "err", f.err)
		delete(p.m.fails, uid)
	}
	if alive {
		return nil
	}
	return err
}

// wireOpen reports that the connection can carry another command.
func (s *session) wireOpen() bool {
	return s.client.State() == imap.ConnStateSelected && !s.wire.stalled.Load()
}

// fail counts a failure of uid and says when to try again.
func (m *Mailbox) fail(uid uint32, err error) {
	f := m.fails[uid]
	if f == nil {
		f = &failure{first: time.Now()}
		m.fails[uid] = f
	}
	f.n++
	f.err, f.next = err, time.Now().Add(m.backoff(f.n))
	m.opt.Log.Debug("mail not fetched", "uid", uid, "attempt", f.n, "err", err)
}

func (m *Mailbox) hopeless(f *failure) bool {
	return f.n >= m.giveUp && time.Since(f.first) >= m.giveUpAge
}

// remains makes a row of a mail that the server does not hand out: the reason,
// and the header where that can be had.
func (p *pass) remains(uid uint32, f *failure, alive bool) fetched {
	why := strings.Map(func(r rune) rune {
		if r < ' ' || r == 127 {
			return ' '
		}
		return r
	}, f.err.Error())
	data := fmt.Appendf(nil, "%s: %.500s\r\n", UnfetchedField, why)
	if alive {
		data = append(data, p.header(uid)...)
	}
	data = append(data, "\r\n"...)
	return fetched{uid: uid, data: data, sum: sha256.Sum256(data)}
}

// header fetches the header of a mail, as far as that works.
func (p *pass) header(uid uint32) (data []byte) {
	_ = p.do("fetch header of uid "+strconv.Itoa(int(uid)), func() error {
		cmd := p.client.Fetch(imap.UIDSetNum(imap.UID(uid)), &imap.FetchOptions{
			UID: true,
			BodySection: []*imap.FetchItemBodySection{{
				Specifier: imap.PartSpecifierHeader, Peek: true,
				Partial: &imap.SectionPartial{Offset: 0, Size: keepBytes},
			}},
		})
		for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
			m, err := readMail(msg, keepBytes, nil, nil)
			if err != nil {
				p.lost()
				_ = cmd.Close()
				return err
			}
			if m != nil {
				data = m.data
			}
		}
		return cmd.Close()
	})
	if data = bytes.TrimRight(data, "\r\n"); len(data) == 0 {
		return nil
	}
	return append(data, "\r\n"...)
}

// commitNew appends mails above the cursor, with the cursor.
func (p *pass) commitNew(ctx context.Context, ms []fetched) error {
	for i := range ms {
		p.done[ms[i].uid] = true
	}
	items := make([]store.Item, len(ms))
	for i := range ms {
		items[i] = p.m.item(&ms[i])
	}
	cur := p.cur
	cur.UID, cur.Polled, cur.Error = p.reached(), p.m.opt.Now(), ""
	if err := p.append(ctx, items, &cur); err != nil {
		return err
	}
	p.cur, p.stored = cur, cur.UID
	for i := range ms {
		if ms[i].uid > cur.UID {
			p.m.matched[ms[i].uid] = true // no doubt about it, see sort
		}
	}
	p.m.leave(ms)
	return nil
}

// reached is the highest UID below which nothing is wanting.
func (p *pass) reached() uint32 {
	for p.first < len(p.wanted) && p.done[p.wanted[p.first]] {
		p.first++
	}
	if p.first < len(p.wanted) {
		return max(p.cur.UID, p.wanted[p.first]-1)
	}
	return p.top
}

// append commits and tells whoever waits for rows.
func (p *pass) append(ctx context.Context, items []store.Item, cur *store.Cursor) error {
	n, err := p.m.db.Append(ctx, items, cur)
	if err != nil {
		return fmt.Errorf("append %d mails of %s: %w", len(items), p.m.opt.Address, err)
	}
	p.added += n
	if n > 0 {
		p.m.opt.Wake()
	}
	return nil
}
