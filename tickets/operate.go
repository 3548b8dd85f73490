package tickets

import (
	"slices"
	"strings"
	"time"
)

// Operation is what an operator does from the shell: the same commands that an
// agent writes on the first lines of a mail, and a text.
type Operation struct {
	By       Agent    // an agent, or an operator with RoleAdmin
	Brand    string   // for New
	Mailbox  string   // for New: which mailbox's queue and sender; "" the brand's first
	Ticket   int64    // 0 with New
	Commands []string // "#assign bikram"
	Text     string
	New      *NewRequest
	Product  *Product // what the ticket is about from now on; nil: it stays, the zero one: nothing
}

// NewRequest is a request that somebody brought in person, by letter, by word.
type NewRequest struct {
	From    Address
	Subject string
	Queue   string // "" the mailbox's
	Facts   map[string]string
}

// Keys says what has to be looked up before Operate decides.
func (op Operation) Keys(now time.Time) Keys {
	k := Keys{Brand: op.Brand, Now: now, Tickets: commandTickets(op.Commands)}
	if op.Ticket != 0 {
		k.Tickets = append(k.Tickets, op.Ticket)
		k.History = op.Ticket
	}
	return k
}

// Operate decides what an operator's act changes. done says what it did, a
// line each; when problems is not empty nothing may be saved.
func Operate(found Found, op Operation, rules Rules, now time.Time) (c Change, done, problems []string) {
	d := &decision{found: found, rules: rules, brand: rules.Brands[op.Brand], now: now}
	d.in = Inbound{
		Channel: ChannelShell, Brand: op.Brand, Mailbox: op.Mailbox, Received: now, Kind: KindMessage,
		Commands: op.Commands, Reply: op.Text, Auth: Auth{Pass: true, Method: "shell"},
	}
	d.c.Brand = op.Brand
	d.c.Tickets = make([]TicketChange, 0, maxTickets)
	if op.New != nil {
		d.operateNew(op)
	} else {
		t := d.followed(found.Tickets[op.Ticket])
		if t == nil {
			return Change{}, nil, []string{"there is no such ticket"}
		}
		d.in.Mailbox = t.Mailbox
		about := ""
		if op.Product != nil {
			about = d.setProduct(d.ticket(t), op.By, *op.Product)
		}
		if about == "" || len(op.Commands) > 0 || op.Text != "" {
			d.act(op.By, &capability{ticket: t, version: t.Version, how: "shell"})
		}
		if done, problems = d.collect(op.By); about != "" {
			done = append([]string{about}, done...)
		}
		d.c.Disposition = ""
		return d.done(), done, problems
	}
	done, problems = d.collect(op.By)
	d.c.Disposition = ""
	return d.done(), done, problems
}

// operateNew logs a request for somebody else.
func (d *decision) operateNew(op Operation) {
	if d.in.Mailbox == "" && len(d.brand.Mailboxes) > 0 {
		d.in.Mailbox = d.brand.Mailboxes[0].Address
	}
	if m, ok := d.brand.Mailbox(d.in.Mailbox); ok {
		d.in.Queue = m.Queue
	}
	if op.New.Queue != "" {
		d.in.Queue = op.New.Queue
	}
	d.in.Subject, d.in.SubjectCore, d.in.Facts = op.New.Subject, op.New.Subject, op.New.Facts
	d.in.Commands = append([]string{"#from " + op.New.From.Address}, op.Commands...)
	d.logFor(op.By, op.New.From)
}

// collect takes the letters to the operator back out of the change: what they
// say is printed instead.
func (d *decision) collect(by Agent) (done, problems []string) {
	take := func(l Letter) bool {
		if !l.Agent || !SameAddress(l.To.Address, by.Address) {
			return false
		}
		done, problems = append(done, l.Data.Done...), append(problems, l.Data.Problems...)
		return !strings.HasPrefix(string(l.Kind), "agent-new")
	}
	d.c.Letters = slices.DeleteFunc(d.c.Letters, take)
	for i := range d.c.Tickets {
		d.c.Tickets[i].Letters = slices.DeleteFunc(d.c.Tickets[i].Letters, take)
	}
	return done, problems
}
