package intake

import (
	"context"
	"fmt"

	"frontdesk/store"
)

// commitUnknown appends doubtful mails, unless their content has a row: after
// a change of UIDVALIDITY the mails that were matched by content stand there
// without a row of their own.
func (p *pass) commitUnknown(ctx context.Context, have map[uint32]bool, ms []fetched) error {
	known, err := p.known(ctx, ms)
	if err != nil {
		return err
	}
	var items []store.Item
	var kept []fetched
	for i := range ms {
		if known[ms[i].sum] > 0 {
			p.m.matched[ms[i].uid] = true
			continue
		}
		items, kept = append(items, p.again(&ms[i], have)), append(kept, ms[i])
	}
	if len(items) == 0 {
		return nil
	}
	if err := p.append(ctx, items, nil); err != nil {
		return err
	}
	for i := range kept {
		p.m.matched[kept[i].uid] = true
	}
	p.m.leave(kept)
	return nil
}

// again makes the row of a mail whose UID another mail may have had, on a
// server that was restored from a backup.
func (p *pass) again(f *fetched, have map[uint32]bool) store.Item {
	item := p.m.item(f)
	if have[f.uid] {
		item.Key = fmt.Sprintf("imap:%s:%s#%x:%d:%d", p.m.opt.Address, p.m.opt.Folder, f.sum[:8], p.uidvalidity, f.uid)
	}
	return item
}

func (p *pass) known(ctx context.Context, ms []fetched) (map[[32]byte]int, error) {
	sums := make([][32]byte, len(ms))
	for i := range ms {
		sums[i] = ms[i].sum
	}
	known, err := p.m.db.Known(ctx, p.m.opt.Address, p.m.opt.Folder, sums)
	if err != nil {
		return nil, fmt.Errorf("look up %d mails of %s by content: %w", len(sums), p.m.opt.Address, err)
	}
	return known, nil
}

// rescan reads the whole folder after its UIDs were handed out anew (a new
// UIDVALIDITY, RFC 9051 section 2.3.1.1, or a server restored from a backup)
// and appends what the ledger does not know by content. Of mails that are
// equal to the byte, as many are new as there are more than rows. The cursor
// moves at the end: a re-scan that was interrupted begins again, and rows it
// had written are known by then.
func (p *pass) rescan(ctx context.Context) error {
	old := p.cur.UIDValidity
	uids, err := p.search(1)
	if err != nil {
		return err
	}
	have, err := p.m.db.LedgerUIDs(ctx, p.m.opt.Address, p.m.opt.Folder, p.uidvalidity, 0)
	if err != nil {
		return fmt.Errorf("look up rows of %s: %w", p.m.opt.Address, err)
	}
	clear(p.m.matched)
	p.done = map[uint32]bool{}
	c := census{known: map[[32]byte]int{}, met: map[[32]byte]int{}, have: have}
	err = p.take(ctx, uids, func(ctx context.Context, ms []fetched) error { return p.commitCensus(ctx, &c, ms) })
	if err != nil {
		return err
	}
	p.cur.UIDValidity, p.cur.UID = p.uidvalidity, 0
	if len(uids) > 0 {
		p.cur.UID = uids[len(uids)-1]
	}
	p.cur.Polled, p.cur.Error = p.m.opt.Now(), ""
	if err := p.m.db.SetCursor(ctx, p.cur); err != nil {
		return fmt.Errorf("keep new uidvalidity of %s: %w", p.m.opt.Address, err)
	}
	p.m.opt.Log.Info("folder renumbered, matched by content", "was", old, "is", p.uidvalidity,
		"known", len(p.m.matched), "added", p.added)
	return nil
}

// census counts mails of equal content on both sides.
type census struct {
	known map[[32]byte]int // rows of the ledger before this re-scan appended any
	met   map[[32]byte]int // mails of the server
	have  map[uint32]bool  // UIDs with a row under the present UIDVALIDITY
}

func (p *pass) commitCensus(ctx context.Context, c *census, ms []fetched) error {
	known, err := p.known(ctx, ms)
	if err != nil {
		return err
	}
	for s, n := range known {
		if _, ok := c.known[s]; !ok {
			c.known[s] = n
		}
	}
	var items []store.Item
	var kept []fetched
	for i := range ms {
		f := &ms[i]
		if _, ok := c.known[f.sum]; !ok {
			c.known[f.sum] = 0 // what is appended below must not count as known
		}
		c.met[f.sum]++
		if c.met[f.sum] <= c.known[f.sum] {
			p.m.matched[f.uid] = true
			if p.m.opt.ProcessedFolder != "" {
				kept = append(kept, *f)
			}
			continue
		}
		items, kept = append(items, p.again(f, c.have)), append(kept, *f)
	}
	if len(items) > 0 {
		if err := p.append(ctx, items, nil); err != nil {
			return err
		}
	}
	p.m.leave(kept)
	return nil
}
