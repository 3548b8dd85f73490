package intake

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/emersion/go-imap/v2"
)

// Marks on the server (\Seen, the processed folder) are decoration for people
// who look into the mailbox. They are made after the rows are on disk, never
// asked for, and what a crash left out is made up for.

func (m *Mailbox) marks() bool { return m.opt.MarkSeen || m.opt.ProcessedFolder != "" }

// leave notes mails whose rows are on disk, to be marked when the FETCH that
// brought them has ended.
func (m *Mailbox) leave(ms []fetched) {
	if !m.marks() {
		return
	}
	for i := range ms {
		m.unset[ms[i].uid] = true
	}
}

// mark sets what is to be set. A failure is logged and tried again on the next
// pass; it is no failure of the intake.
func (m *Mailbox) mark(s *session) {
	if len(m.unset) == 0 {
		return
	}
	uids := slices.Sorted(maps.Keys(m.unset))
	for part := range slices.Chunk(uids, batchUIDs) {
		if err := s.mark(part); err != nil {
			if text := err.Error(); text != m.markErr { // once, not on each pass
				m.markErr = text
				m.opt.Log.Warn("mails not marked", "uid", part[0], "count", len(part), "err", err)
			}
			return
		}
		m.markErr = ""
		for _, uid := range part {
			delete(m.unset, uid)
		}
	}
}

// repairMarks makes up for marks that are missing: those that failed, and once
// a start those that the last run left out when it was killed between commit
// and mark. A mail that has a row does not belong into the folder when mails
// are moved. Of flags only the tail is looked at: a person may have unset them.
func (m *Mailbox) repairMarks(ctx context.Context, s *session) {
	if m.marks() && !m.checked {
		if err := m.missingMarks(ctx, s); err != nil {
			m.opt.Log.Warn("marks not checked", "err", err)
			return
		}
		m.checked = true
	}
	m.mark(s)
}

// missingMarks finds mails with a row and without a mark.
func (m *Mailbox) missingMarks(ctx context.Context, s *session) error {
	low, without := uint32(1), imap.FlagDeleted // \Deleted: moved, and only the EXPUNGE is wanting
	if m.opt.ProcessedFolder == "" {
		cur, err := m.db.Cursor(ctx, m.opt.Address, m.opt.Folder)
		if err != nil {
			return err
		}
		low, without = uint32(max(1, int64(cur.UID)-tailWindow+1)), imap.FlagSeen // #nosec G115 -- between 1 and a UID
	}
	uids, err := s.search(low, without)
	if err != nil {
		return err
	}
	have, err := m.db.LedgerUIDs(ctx, m.opt.Address, m.opt.Folder, s.uidvalidity, low)
	if err != nil {
		return err
	}
	for _, uid := range uids {
		if have[uid] || m.matched[uid] {
			m.unset[uid] = true
		}
	}
	return nil
}

// mark sets \Seen and moves, as configured. UIDs that are gone are no error.
func (s *session) mark(uids []uint32) error {
	var set imap.UIDSet
	for _, uid := range uids {
		set.AddNum(imap.UID(uid))
	}
	if s.m.opt.MarkSeen {
		if err := s.flag(set, imap.FlagSeen); err != nil {
			return err
		}
	}
	if s.m.opt.ProcessedFolder == "" {
		return nil
	}
	return s.move(set, s.m.opt.ProcessedFolder)
}

func (s *session) flag(set imap.UIDSet, flag imap.Flag) error {
	return s.do("set "+string(flag), func() error {
		return s.client.Store(set, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{flag}}, nil).Close()
	})
}

// move moves mails, and makes the folder when there is none yet.
func (s *session) move(set imap.UIDSet, folder string) error {
	err := s.moveOnce(set, folder)
	if !refused(err) {
		return err
	}
	// RFC 9051 section 6.3.12: the server says TRYCREATE, some only NO.
	if createErr := s.do("create "+strconv.Quote(folder), func() error {
		return s.client.Create(folder, nil).Wait()
	}); createErr != nil {
		return err
	}
	return s.moveOnce(set, folder)
}

// moveOnce uses MOVE (RFC 6851) where the server has it. The client's own
// substitute does not wait for COPY before it expunges, which loses mail when
// COPY is refused; so the steps are taken here one after the other. Without
// UIDPLUS (RFC 4315) nothing is expunged: EXPUNGE would take what people have
// deleted along.
func (s *session) moveOnce(set imap.UIDSet, folder string) error {
	caps := s.client.Caps()
	if caps.Has(imap.CapMove) {
		return s.do("move to "+strconv.Quote(folder), func() error {
			_, err := s.client.Move(set, folder).Wait()
			return err
		})
	}
	err := s.do("copy to "+strconv.Quote(folder), func() error {
		_, err := s.client.Copy(set, folder).Wait()
		return err
	})
	if err != nil {
		return err
	}
	if err := s.flag(set, imap.FlagDeleted); err != nil {
		return fmt.Errorf("after copy to %q: %w", folder, err)
	}
	if !caps.Has(imap.CapUIDPlus) {
		return nil
	}
	return s.do("expunge", func() error {
		cmd := s.client.UIDExpunge(set)
		for cmd.Next() != 0 { // these are told to nobody else: the next mail would be no growth
			s.exists.Add(-1)
		}
		return cmd.Close()
	})
}
