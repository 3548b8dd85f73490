package testmail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// IMAPOptions describe an in-process IMAP server.
type IMAPOptions struct {
	Users   map[string]string // password by user name, which is the address
	Folders []string          // that each user has beside INBOX
	Without []imap.Cap        // capabilities that it does not announce: MOVE, UIDPLUS
	// Before, when set, is called before each command on a selected folder
	// ("SEARCH", "FETCH", "STORE", "MOVE", "COPY", "EXPUNGE"); its error is the
	// answer.
	Before func(user, command string) error
	Tokens *OAuth // offers XOAUTH2 and OAUTHBEARER, too
}

// IMAP is an IMAP server that keeps its mail in memory.
type IMAP struct {
	opt   IMAPOptions
	l     *connListener
	srv   *imapserver.Server
	mem   *imapmemserver.Server
	ended chan struct{}

	mu        sync.Mutex
	users     map[string]*imapmemserver.User
	passwords map[string]string
	changed   chan struct{} // closed when mail came or changed
}

// Mail is one message in a folder.
type Mail struct {
	UID   uint32
	Flags []imap.Flag
	Date  time.Time // INTERNALDATE
	Raw   []byte
}

// Seen reports the \Seen flag.
func (m Mail) Seen() bool { return slices.Contains(m.Flags, imap.FlagSeen) }

// NewIMAP starts a server on 127.0.0.1.
func NewIMAP(opt IMAPOptions) (*IMAP, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start imap server: %w", err)
	}
	s := &IMAP{
		opt: opt, l: &connListener{Listener: l, conns: map[net.Conn]bool{}}, mem: imapmemserver.New(),
		ended: make(chan struct{}), changed: make(chan struct{}),
		users: map[string]*imapmemserver.User{}, passwords: map[string]string{},
	}
	for name, password := range opt.Users {
		s.AddUser(name, password)
	}
	caps := imap.CapSet{
		imap.CapIMAP4rev1: {}, imap.CapNamespace: {}, imap.CapUIDPlus: {}, imap.CapMove: {},
		imap.CapESearch: {}, imap.CapListExtended: {}, imap.CapListStatus: {}, imap.CapLiteralPlus: {},
	}
	for _, c := range opt.Without {
		delete(caps, c)
	}
	s.srv = imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return &imapSession{SessionIMAP4rev2: s.mem.NewSession().(imapserver.SessionIMAP4rev2), s: s}, nil, nil
		},
		Caps:         caps,
		InsecureAuth: true,
		Logger:       log.New(io.Discard, "", 0),
	})
	go func() {
		defer close(s.ended)
		_ = s.srv.Serve(s.l)
	}()
	return s, nil
}

// Close ends the server and its connections.
func (s *IMAP) Close() error {
	err := s.srv.Close()
	s.l.kick()
	<-s.ended
	return err
}

// Port is where it listens on 127.0.0.1.
func (s *IMAP) Port() int { return s.l.Addr().(*net.TCPAddr).Port }

// Addr is host:port.
func (s *IMAP) Addr() string { return s.l.Addr().String() }

// AddUser adds a user with INBOX and the folders of the options.
func (s *IMAP) AddUser(name, password string) {
	u := imapmemserver.NewUser(name, password)
	for _, folder := range append([]string{"INBOX"}, s.opt.Folders...) {
		_ = u.Create(folder, nil) // fails for a folder named twice only
	}
	s.mu.Lock()
	s.users[name], s.passwords[name] = u, password
	s.mu.Unlock()
	s.mem.AddUser(u)
}

// Kick closes all connections, as a restart of the server does.
func (s *IMAP) Kick() { s.l.kick() }

func (s *IMAP) user(name string) (*imapmemserver.User, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.users[name]
	if u == nil {
		return nil, fmt.Errorf("no imap user %q", name)
	}
	return u, nil
}

// Append delivers a mail.
func (s *IMAP) Append(user, folder string, raw []byte, flags ...imap.Flag) (uid uint32, err error) {
	return s.appendMail(user, folder, Mail{Raw: raw, Flags: flags})
}

func (s *IMAP) appendMail(user, folder string, m Mail) (uid uint32, err error) {
	u, err := s.user(user)
	if err != nil {
		return 0, err
	}
	d, err := u.Append(folder, literal{strings.NewReader(string(m.Raw))}, &imap.AppendOptions{Time: m.Date, Flags: m.Flags})
	if err != nil {
		return 0, fmt.Errorf("append to %s of %s: %w", folder, user, err)
	}
	s.notify()
	return uint32(d.UID), nil
}

// literal is a reader that knows its length.
type literal struct{ *strings.Reader }

// Renumber gives the folder a new UIDVALIDITY and its mails new UIDs, and drops
// all connections.
func (s *IMAP) Renumber(user, folder string) error {
	mails, err := s.Mails(user, folder)
	if err != nil {
		return err
	}
	u, err := s.user(user)
	if err != nil {
		return err
	}
	if err := errors.Join(u.Delete(folder), u.Create(folder, nil)); err != nil {
		return fmt.Errorf("renumber %s of %s: %w", folder, user, err)
	}
	for _, m := range mails {
		if _, err := s.appendMail(user, folder, m); err != nil {
			return err
		}
	}
	s.Kick()
	return nil
}

// Mails returns what is in a folder, in order of UID.
func (s *IMAP) Mails(user, folder string) (mails []Mail, err error) {
	err = s.asClient(user, folder, func(c *imapclient.Client) error {
		msgs, err := c.Fetch(imap.SeqSet{{Start: 1, Stop: 0}}, &imap.FetchOptions{
			UID: true, Flags: true, InternalDate: true, BodySection: []*imap.FetchItemBodySection{{Peek: true}},
		}).Collect()
		for _, m := range msgs {
			mails = append(mails, Mail{UID: uint32(m.UID), Flags: m.Flags, Date: m.InternalDate, Raw: m.BodySection[0].Bytes})
		}
		return err
	})
	return mails, err
}

// Expunge removes mails, as a person does in his mail client.
func (s *IMAP) Expunge(user, folder string, uids ...uint32) error {
	return s.asClient(user, folder, func(c *imapclient.Client) error {
		set := uidSet(uids)
		if err := c.Store(set, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close(); err != nil {
			return err
		}
		return c.UIDExpunge(set).Close()
	})
}

// AddFlags flags mails, as a person does in his mail client.
func (s *IMAP) AddFlags(user, folder string, flags []imap.Flag, uids ...uint32) error {
	return s.asClient(user, folder, func(c *imapclient.Client) error {
		return c.Store(uidSet(uids), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: flags}, nil).Close()
	})
}

func uidSet(uids []uint32) (set imap.UIDSet) {
	for _, uid := range uids {
		set.AddNum(imap.UID(uid))
	}
	return set
}

// asClient runs f on a connection of the user's own.
func (s *IMAP) asClient(user, folder string, f func(*imapclient.Client) error) error {
	s.mu.Lock()
	password := s.passwords[user]
	s.mu.Unlock()
	c, err := imapclient.DialInsecure(s.Addr(), nil)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if err := c.Login(user, password).Wait(); err != nil {
		return fmt.Errorf("log in as %s: %w", user, err)
	}
	mbox, err := c.Select(folder, nil).Wait()
	if err != nil {
		return fmt.Errorf("select %s of %s: %w", folder, user, err)
	}
	if mbox.NumMessages == 0 {
		return nil
	}
	return f(c)
}

// Wait returns the first mail of the folder that ok accepts, as soon as there
// is one. The error is ctx's, and says how many mails were there.
func (s *IMAP) Wait(ctx context.Context, user, folder string, ok func(Mail) bool) (Mail, error) {
	for {
		changed := s.change()
		mails, err := s.Mails(user, folder)
		if err != nil {
			return Mail{}, err
		}
		for _, m := range mails {
			if ok(m) {
				return m, nil
			}
		}
		select {
		case <-ctx.Done():
			return Mail{}, fmt.Errorf("no such mail among %d in %s of %s: %w", len(mails), folder, user, ctx.Err())
		case <-changed:
		}
	}
}

func (s *IMAP) change() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

func (s *IMAP) notify() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
}

// imapSession calls Before, and tells who waits.
type imapSession struct {
	imapserver.SessionIMAP4rev2
	s    *IMAP
	user string
}

func (t *imapSession) before(command string) error {
	if t.s.opt.Before == nil {
		return nil
	}
	return t.s.opt.Before(t.user, command)
}

func (t *imapSession) Login(username, password string) error {
	t.user = username
	return t.SessionIMAP4rev2.Login(username, password)
}

func (t *imapSession) Append(mailbox string, r imap.LiteralReader, options *imap.AppendOptions) (*imap.AppendData, error) {
	defer t.s.notify()
	return t.SessionIMAP4rev2.Append(mailbox, r, options)
}

func (t *imapSession) Search(kind imapserver.NumKind, criteria *imap.SearchCriteria, options *imap.SearchOptions) (*imap.SearchData, error) {
	if err := t.before("SEARCH"); err != nil {
		return nil, err
	}
	return t.SessionIMAP4rev2.Search(kind, criteria, options)
}

func (t *imapSession) Fetch(w *imapserver.FetchWriter, numSet imap.NumSet, options *imap.FetchOptions) error {
	if err := t.before("FETCH"); err != nil {
		return err
	}
	return t.SessionIMAP4rev2.Fetch(w, numSet, options)
}

func (t *imapSession) Store(w *imapserver.FetchWriter, numSet imap.NumSet, flags *imap.StoreFlags, options *imap.StoreOptions) error {
	if err := t.before("STORE"); err != nil {
		return err
	}
	defer t.s.notify()
	return t.SessionIMAP4rev2.Store(w, numSet, flags, options)
}

func (t *imapSession) Move(w *imapserver.MoveWriter, numSet imap.NumSet, dest string) error {
	if err := t.before("MOVE"); err != nil {
		return err
	}
	defer t.s.notify()
	return t.SessionIMAP4rev2.Move(w, numSet, dest)
}

func (t *imapSession) Copy(numSet imap.NumSet, dest string) (*imap.CopyData, error) {
	if err := t.before("COPY"); err != nil {
		return nil, err
	}
	defer t.s.notify()
	return t.SessionIMAP4rev2.Copy(numSet, dest)
}

func (t *imapSession) Expunge(w *imapserver.ExpungeWriter, uids *imap.UIDSet) error {
	if err := t.before("EXPUNGE"); err != nil {
		return err
	}
	defer t.s.notify()
	return t.SessionIMAP4rev2.Expunge(w, uids)
}

// Idle reports changes as they come. The library's own loses one that falls
// between the last command and IDLE.
func (t *imapSession) Idle(w *imapserver.UpdateWriter, stop <-chan struct{}) error {
	for {
		changed := t.s.change()
		if err := t.Poll(w, true); err != nil {
			return err
		}
		select {
		case <-stop:
			return nil
		case <-changed:
		}
	}
}

// connListener remembers connections, to drop them.
type connListener struct {
	net.Listener
	mu    sync.Mutex
	conns map[net.Conn]bool
}

func (l *connListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	t := &trackedConn{Conn: c, l: l}
	l.conns[t] = true
	return t, nil
}

func (l *connListener) kick() {
	l.mu.Lock()
	conns := make([]net.Conn, 0, len(l.conns))
	for c := range l.conns {
		conns = append(conns, c)
	}
	l.mu.Unlock()
	for _, c := range conns {
		_ = c.Close()
	}
}

type trackedConn struct {
	net.Conn
	l *connListener
}

func (c *trackedConn) Close() error {
	c.l.mu.Lock()
	delete(c.l.conns, c)
	c.l.mu.Unlock()
	return c.Conn.Close()
}
