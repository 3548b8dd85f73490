package intake

import (
	"context"
	"fmt"
	"slices"
)

// Reconciliation compares a folder on the server with the ledger. Server and
// Ledger are equal exactly when nothing is missing.
//
// Server counts the mails in the folder, and Ledger those of them that have a
// row, by UID or, after a change of UIDVALIDITY, by content. When mails are
// moved to a processed folder, people may file them on from there: both counts
// then take in the rows under the present UIDVALIDITY instead of the folder
// that they went to.
type Reconciliation struct {
	Mailbox   string   `json:"mailbox"`
	Folder    string   `json:"folder"`
	Server    int      `json:"server"`
	Ledger    int      `json:"ledger"`
	Undecided int      `json:"undecided"`         // rows of the mailbox, all folders
	Missing   []uint32 `json:"missing,omitempty"` // UIDs on the server without a row
}

// Reconcile compares the folder with the ledger. It changes neither.
func (m *Mailbox) Reconcile(ctx context.Context) (Reconciliation, error) {
	r := Reconciliation{Mailbox: m.opt.Address, Folder: m.opt.Folder}
	s, err := m.open(ctx)
	if err != nil {
		return r, err
	}
	defer s.close()
	uids, err := s.search(1)
	if err != nil {
		return r, err
	}
	// Rows first counted after the search: what came since is in neither.
	have, err := m.db.LedgerUIDs(ctx, m.opt.Address, m.opt.Folder, s.uidvalidity, 0)
	if err != nil {
		return r, fmt.Errorf("look up rows of %s: %w", m.opt.Address, err)
	}
	r.Missing = slices.DeleteFunc(slices.Clone(uids), func(uid uint32) bool { return have[uid] })
	if err := s.matchContent(ctx, &r); err != nil {
		return r, err
	}
	r.Server = len(uids)
	if m.opt.ProcessedFolder != "" {
		for uid := range have {
			if _, there := slices.BinarySearch(uids, uid); !there {
				r.Server++
			}
		}
	}
	r.Ledger = r.Server - len(r.Missing)
	t, err := m.db.Tally(ctx, m.opt.Address)
	if err != nil {
		return r, fmt.Errorf("count rows of %s: %w", m.opt.Address, err)
	}
	r.Undecided = t.Undecided
	return r, nil
}

// matchContent takes those out of Missing whose content has a row.
func (s *session) matchContent(ctx context.Context, r *Reconciliation) error {
	m, p := s.m, pass{session: s}
	found := map[uint32]bool{}
	c := census{known: map[[32]byte]int{}, met: map[[32]byte]int{}}
	for part := range slices.Chunk(r.Missing, batchUIDs) {
		_, err := s.fetch(ctx, part, func(ms []fetched) error {
			known, err := p.known(ctx, ms)
			if err != nil {
				return err
			}
			for i := range ms {
				c.met[ms[i].sum]++
				found[ms[i].uid] = c.met[ms[i].sum] <= known[ms[i].sum]
			}
			return nil
		})
		if err != nil && !refused(err) {
			return fmt.Errorf("compare %s with the ledger: %w", m.opt.Address, err)
		}
	}
	r.Missing = slices.DeleteFunc(r.Missing, func(uid uint32) bool { return found[uid] })
	if len(r.Missing) == 0 {
		r.Missing = nil
	}
	return nil
}
