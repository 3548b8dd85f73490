package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"frontdesk/intake"
	"frontdesk/parser"
	"frontdesk/store"
	"frontdesk/tickets"
)

// threadFlags are the flags of "thread".
type threadFlags struct {
	relay, tag, mailbox string
	asJSON              bool
}

func threadCommand() *cobra.Command {
	var f threadFlags
	cmd := &cobra.Command{
		Use:   "thread [--relay PATTERN] [--tag PATTERN] [--mailbox ADDRESS] [--json] DIR|MBOX",
		Short: "what would the desk make of an old mailbox",
		Long: `Thread puts the mails of a folder (in order of their file names) or of an mbox
file into conversations, with the rules that the desk uses. Nothing is written
and no configuration is needed.

A PATTERN with {id} in it says which reply addresses and subject tags another
help desk used; they count for those who take part in the conversation. A mail
with the field "X-Corpus-Direction: out", or from the mailbox itself, is the
desk's own: it belongs to the conversation of the file that X-Corpus-Answers
names, else of the mail it cites.`,
		Example: "  frontdesk thread --tag '[Case {id}]' --mailbox help@example.com old/\n  frontdesk thread --json archive.mbox",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			foreign, err := f.foreign()
			if err != nil {
				return err
			}
			source, err := mailsOf(args[0])
			if err != nil {
				return failed(err)
			}
			bar := newBar(cmd, -1, "mails") // how many there are is known at the end
			found, err := threadAll(cmd.Context(), func(each func(string, []byte) error) error {
				return source(func(name string, raw []byte) error {
					_ = bar.Add(1)
					return each(name, raw)
				})
			}, f.mailbox, foreign)
			_ = bar.Finish()
			if err != nil {
				return failed(err)
			}
			return f.print(cmd, found)
		},
	}
	cmd.Flags().StringVar(&f.relay, "relay", "support+{id}@desk.example", "reply addresses of the other desk")
	cmd.Flags().StringVar(&f.tag, "tag", "[Ticket#{id}]", "subject tags of the other desk")
	cmd.Flags().StringVar(&f.mailbox, "mailbox", "support@desk.example", "address that customers wrote to")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print one JSON document")
	return cmd
}

func (f *threadFlags) foreign() (*tickets.Foreign, error) {
	relay, err := foreignPattern("--relay", f.relay)
	if err != nil {
		return nil, err
	}
	if relay != nil {
		relay = regexp.MustCompile(`^(?:` + relay.String() + `)$`)
	}
	tag, err := foreignPattern("--tag", f.tag)
	return &tickets.Foreign{Relay: relay, Tag: tag, Tickets: map[string]int64{}}, err
}

// foreignPattern makes a regular expression of a pattern with {id}; blanks may
// be more or fewer, case does not matter, and the brackets around a tag may be
// lost: people write "about Ticket#12", and clients cut long subjects. "" is no
// pattern.
func foreignPattern(flag, pattern string) (*regexp.Regexp, error) {
	if pattern == "" {
		return nil, nil
	}
	before, behind, ok := strings.Cut(pattern, "{id}")
	if !ok || strings.Contains(behind, "{id}") {
		return nil, fmt.Errorf("%s %q: write {id} once, where the number stands", flag, pattern)
	}
	open, close := "", ""
	if rest, ok := strings.CutPrefix(before, "["); ok && strings.HasSuffix(behind, "]") {
		before, behind, open, close = rest, strings.TrimSuffix(behind, "]"), `(?:\[|\b)\s*`, `(?:\s*\]|\b)`
	}
	return regexp.Compile(`(?i)` + open + loosely(before) + `([0-9a-z]+(?:[._-][0-9a-z]+)*)` + loosely(behind) + close)
}

// loosely quotes text, with any number of blanks around its punctuation.
func loosely(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == ' ':
			b.WriteString(`\s*`)
		case strings.ContainsRune("[]#:()", r):
			b.WriteString(`\s*` + regexp.QuoteMeta(string(r)) + `\s*`)
		default:
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	return b.String()
}

func (f *threadFlags) print(cmd *cobra.Command, found []threaded) error {
	conversations := map[string]string{}
	for _, t := range found {
		conversations[t.Name] = t.Conversation
	}
	if f.asJSON {
		return printJSON(cmd.OutOrStdout(), map[string]any{"conversations": conversations})
	}
	return printList(cmd, false, found,
		column[threaded]{"MAIL", func(t threaded) string { return t.Name }},
		column[threaded]{"CONVERSATION", func(t threaded) string { return t.Conversation }},
		column[threaded]{"RULE", func(t threaded) string { return t.Rule }},
		column[threaded]{"FROM", func(t threaded) string { return t.From }},
		column[threaded]{"SUBJECT", func(t threaded) string { return t.Subject }})
}

// threaded is one mail and the conversation it belongs to.
type threaded struct {
	Name         string
	Conversation string
	Rule         string
	From         string
	Subject      string
	ticket       int64
}

// threader puts mails into conversations. Its store is thrown away.
type threader struct {
	db     *store.DB
	rules  tickets.Rules
	to     intake.Address
	clock  time.Time
	byName map[string]int64       // file name → ticket
	own    map[string]tickets.Hit // Message-ID of the desk's own mails → where they belong
}

// threadBrand is the one brand of a threader.
const threadBrand = "desk"

// threadBrandName is what nobody writes before a number: all marks in the mails
// are another desk's.
const threadBrandName = "frontdesk thread"

// threadAll threads the mails of a source in their order.
func threadAll(ctx context.Context, source mails, mailbox string, foreign *tickets.Foreign) ([]threaded, error) {
	dir, err := os.MkdirTemp("", "frontdesk-thread-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	t, err := newThreader(ctx, dir, mailbox, foreign)
	if err != nil {
		return nil, err
	}
	defer t.db.Close()
	var out []threaded
	err = source(func(name string, raw []byte) error {
		found, err := t.add(ctx, name, parser.Parse(raw, parser.Options{}))
		out = append(out, found)
		return err
	})
	return out, err
}

// newThreader makes a threader whose store lies in dir.
func newThreader(ctx context.Context, dir, mailbox string, foreign *tickets.Foreign) (*threader, error) {
	db, err := store.Open(ctx, store.Options{Database: filepath.Join(dir, "thread.db"), Fast: true})
	if err != nil {
		return nil, err
	}
	return &threader{
		db: db, rules: threadRules(mailbox, foreign), byName: map[string]int64{}, own: map[string]tickets.Hit{},
		to: intake.Address{Brand: threadBrand, Mailbox: mailbox, Subaddressing: "+"},
	}, nil
}

// threadRules are those of a desk without agents, which answers list mail, too.
func threadRules(mailbox string, foreign *tickets.Foreign) tickets.Rules {
	return tickets.Rules{
		Brands: map[string]tickets.Brand{threadBrand: {
			Key: threadBrand, Name: threadBrandName, Domain: tickets.Domain(mailbox), Language: "en",
			Mailboxes: []tickets.Mailbox{{Address: mailbox, Subaddressing: "+"}},
		}},
		Foreign: foreign,
		Ack:     tickets.AckLimits{Bulk: true},
	}
}

// add threads one mail.
func (t *threader) add(ctx context.Context, name string, m *parser.Mail) (out threaded, err error) {
	t.tick(m)
	out = threaded{Name: name, Conversation: "alone-" + name, From: m.From.Address, Subject: m.Subject}
	err = t.db.Decide(ctx, threadBrand, func(tx *store.Tx) error {
		var err error
		if t.isOwn(m) {
			out.ticket, out.Rule, err = t.addOwn(ctx, tx, m)
		} else {
			out.ticket, out.Rule, err = t.addOther(ctx, tx, m)
		}
		return err
	})
	if out.ticket != 0 {
		t.byName[name] = out.ticket
		out.Conversation = strconv.FormatInt(out.ticket, 10)
	}
	return out, err
}

// tick moves the clock to when the mail came, by its newest Received field or
// its Date, but never back: the order of the files is the order of arrival.
func (t *threader) tick(m *parser.Mail) {
	at := m.Date
	if len(m.Received) > 0 && !m.Received[0].Time.IsZero() {
		at = m.Received[0].Time
	}
	if at.After(t.clock) {
		t.clock = at.UTC()
		return
	}
	t.clock = t.clock.Add(time.Second)
}

func (t *threader) isOwn(m *parser.Mail) bool {
	return strings.EqualFold(strings.TrimSpace(m.Get("X-Corpus-Direction")), "out") || tickets.SameAddress(m.From.Address, t.to.Mailbox)
}

// addOther takes a mail of somebody else through the rules.
func (t *threader) addOther(ctx context.Context, tx *store.Tx, m *parser.Mail) (ticket int64, rule string, err error) {
	in := t.understand(m, tickets.Auth{Method: "none"})
	found, err := t.find(ctx, tx, in)
	if err != nil {
		return 0, "", err
	}
	c := tickets.Receive(found, in, t.rules, t.clock)
	rule = lastAccepted(c)
	for i := range c.Tickets {
		c.Tickets[i].Letters = nil // nobody is written to
	}
	c.Letters = nil
	saved, err := tx.Save(ctx, 0, in.From.Address, in.Subject, c, t.clock)
	switch {
	case err != nil:
		return 0, "", err
	case c.Duplicate != 0:
		return found.Duplicate.Ticket, "I2", nil
	case len(saved.Tickets) > 0:
		return saved.Tickets[0], rule, nil
	}
	return t.reportedOn(in, found), string(c.Reason), nil
}

// understand puts a mail into the words of the decision; the other desk's tag
// is no part of what the mail is about.
func (t *threader) understand(m *parser.Mail, auth tickets.Auth) tickets.Inbound {
	in := intake.Understand(claimed(t.to, t.clock), m, auth, t.rules)
	if tag := t.rules.Foreign.Tag; tag != nil {
		in.SubjectCore = strings.Join(strings.Fields(tag.ReplaceAllString(in.SubjectCore, " ")), " ")
	}
	return in
}

// find looks up what the rules ask for. The desk's own mails are letters to
// them, as those of a running desk are.
func (t *threader) find(ctx context.Context, tx *store.Tx, in tickets.Inbound) (tickets.Found, error) {
	keys := in.Keys(t.rules)
	for _, id := range keys.Cites {
		if h, ok := t.own[id]; ok {
			keys.Tickets = append(keys.Tickets, h.Ticket)
		}
	}
	found, err := tx.Find(ctx, keys)
	for _, id := range keys.Cites {
		if h, ok := t.own[id]; ok {
			found.ByMessageID[id] = []tickets.Hit{h}
		}
	}
	return found, err
}

// reportedOn is the ticket of the desk's own mail that a report is about.
func (t *threader) reportedOn(in tickets.Inbound, found tickets.Found) int64 {
	switch in.Kind {
	case tickets.KindBounce, tickets.KindDelayed, tickets.KindComplaint, tickets.KindFeedback, tickets.KindReadReceipt:
	default:
		return 0
	}
	for _, id := range in.Keys(t.rules).Cites {
		for _, h := range found.ByMessageID[id] {
			return h.Ticket
		}
	}
	return 0
}

// lastAccepted names the rule that put a mail where it is.
func lastAccepted(c tickets.Change) string {
	for _, s := range slices.Backward(c.Trace) {
		if s.Rule[0] == 'T' && (strings.HasPrefix(s.Verdict, "accepted") || strings.HasPrefix(s.Verdict, "new ticket")) {
			return s.Rule
		}
	}
	return ""
}

// addOwn records a mail that the desk sent.
func (t *threader) addOwn(ctx context.Context, tx *store.Tx, m *parser.Mail) (ticket int64, rule string, err error) {
	in := t.understand(m, tickets.Auth{Pass: true, Method: "own"})
	found, err := t.find(ctx, tx, in)
	if err != nil {
		return 0, "", err
	}
	ticket = t.answered(m, in, found)
	c := tickets.TicketChange{Ticket: t.begun(in)}
	if ticket != 0 {
		have, err := tx.Ticket(ctx, ticket)
		if err != nil {
			return 0, "", err
		}
		c.Ticket = *have
	}
	c.Ticket.Participants = t.writtenTo(c.Ticket.Participants, in)
	c.Ticket.Version++
	c.Messages = []tickets.Message{t.sent(in, c.Ticket.Version)}
	saved, err := tx.Save(ctx, 0, in.From.Address, in.Subject, tickets.Change{Brand: threadBrand, Tickets: []tickets.TicketChange{c}}, t.clock)
	if err != nil {
		return 0, "", err
	}
	ticket = saved.Tickets[0]
	t.know(m, ticket, saved.Messages[0])
	return ticket, "own", nil
}

// answered is the ticket that an own mail is about: of the file it names, else
// of a mail it cites; 0 for one that begins a conversation.
func (t *threader) answered(m *parser.Mail, in tickets.Inbound, found tickets.Found) int64 {
	if n := t.byName[strings.TrimSpace(m.Get("X-Corpus-Answers"))]; n != 0 {
		return n
	}
	for _, id := range in.Keys(t.rules).Cites {
		for _, h := range found.ByMessageID[id] {
			if h.Ticket != 0 {
				return h.Ticket
			}
		}
	}
	return 0
}

// begun is a conversation that the desk began itself.
func (t *threader) begun(in tickets.Inbound) tickets.Ticket {
	return tickets.Ticket{
		Brand: threadBrand, Mailbox: t.to.Mailbox, Channel: tickets.ChannelMail, Status: tickets.StatusOpen,
		Subject: in.Subject, SubjectCore: in.SubjectCore, ThreadRoot: in.ThreadRoot, Opened: t.clock, Updated: t.clock,
	}
}

// writtenTo adds those to whom the desk wrote: it let them in by doing so.
func (t *threader) writtenTo(have []tickets.Participant, in tickets.Inbound) []tickets.Participant {
	out := slices.Clone(have)
	for _, a := range slices.Concat(in.To, in.Cc) {
		if tickets.NormalAddress(a.Address) == "" || t.rules.Ours(a.Address) {
			continue
		}
		i := slices.IndexFunc(out, func(p tickets.Participant) bool { return tickets.SameAddress(p.Address.Address, a.Address) })
		switch {
		case i < 0 && len(out) == 0:
			out = append(out, tickets.Participant{Address: a, Role: tickets.PartyRequester})
		case i < 0:
			out = append(out, tickets.Participant{Address: a, Role: tickets.PartyFollower})
		case out[i].Role != tickets.PartyRequester:
			out[i].Role = tickets.PartyFollower
		}
	}
	return out
}

func (t *threader) sent(in tickets.Inbound, version int) tickets.Message {
	return tickets.Message{
		Direction: tickets.DirectionOut, Channel: tickets.ChannelMail, Kind: tickets.KindMessage, Version: version,
		Author:    tickets.Author{Kind: tickets.AuthorDesk, Address: in.From},
		MessageID: in.MessageID, InReplyTo: in.InReplyTo, Cites: in.Keys(t.rules).Cites, Subject: in.Subject, Text: in.Reply,
		Content: in.Content, ThreadRoot: in.ThreadRoot, At: t.clock, Date: in.Date,
	}
}

// know remembers by what later mails may name an own mail: its Message-ID, and
// the other desk's number in its subject and reply addresses.
func (t *threader) know(m *parser.Mail, ticket, message int64) {
	if m.MessageID != "" {
		to := ""
		if len(m.To) > 0 {
			to = tickets.NormalAddress(m.To[0].Address)
		}
		t.own[m.MessageID] = tickets.Hit{Ticket: ticket, Message: message, Letter: message, To: to}
	}
	f := t.rules.Foreign
	mark := func(re *regexp.Regexp, text string) {
		if re == nil {
			return
		}
		for _, id := range re.FindAllStringSubmatch(text, -1) {
			if id := strings.ToLower(id[1]); f.Tickets[id] == 0 {
				f.Tickets[id] = ticket
			}
		}
	}
	mark(f.Tag, m.Subject)
	for _, a := range append(slices.Clone(m.ReplyTo), m.From) {
		mark(f.Relay, tickets.NormalAddress(a.Address))
	}
}
