package notify

import (
	"cmp"
	"slices"
	"time"
)

// Trouble is a server that takes no letters of a mailbox, or a telephone company
// none of a number.
type Trouble struct {
	Mailbox string
	Since   time.Time // of the first failure in a row
	Why     string    // of the last one
}

// Troubles lists what keeps letters from leaving now, by mailbox. It ends when
// the server takes one.
func (s *Sender) Troubles() []Trouble {
	s.sick.Lock()
	defer s.sick.Unlock()
	var out []Trouble
	for _, t := range s.troubles {
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b Trouble) int { return cmp.Compare(a.Mailbox, b.Mailbox) })
	return out
}

// trouble notes that the server of a mailbox is away; nil that it is back.
func (s *Sender) trouble(mailbox string, err error) {
	s.sick.Lock()
	defer s.sick.Unlock()
	if err == nil {
		delete(s.troubles, mailbox)
		return
	}
	t, was := s.troubles[mailbox]
	if !was {
		t = Trouble{Mailbox: mailbox, Since: s.opt.Now()}
	}
	t.Why = oneLine(err.Error(), 300)
	s.troubles[mailbox] = t
}
