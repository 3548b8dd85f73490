package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	_ "github.com/emersion/go-message/charset" // all charsets
	"github.com/emersion/go-message/mail"
	gomail "github.com/wneessen/go-mail"
)

// The ideal pipe is the whole way of a mail at its simplest: two FETCHes of 50
// in flight, two parsers, one transaction for 50 mails (synchronous, with the
// raw mail and a full-text index), acknowledgements over one connection that is
// used again, marked sent by 50. It decides nothing, proves nothing, limits
// nothing, and loses letters when it is killed. What a desk does beside it is
// measured against it.

const idealGroup = 50

// idealJob is what the process of an ideal pipe is told, as JSON in idealEnv.
type idealJob struct {
	IMAP, User, Password string
	Sink                 int // port on loopback
	Database             string
}

// idealRun is what it answers on standard output.
type idealRun struct {
	Mails  int
	Stored float64 // seconds until the last mail was stored
	Acked  float64 // seconds until the last acknowledgement was accepted and marked

	cpu time.Duration // that the process used
}

const idealEnv = "FRONTDESK_BENCH_IDEAL"

// startIdeal runs an ideal pipe in a process of its own, as a desk is.
func startIdeal(t *section, job idealJob) idealRun {
	text, err := json.Marshal(job)
	if err != nil {
		t.Fatalf("ideal: %v", err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatalf("ideal: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.ctx, 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), idealEnv+"="+string(text))
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("ideal: %v\n%s", err, errs.Bytes())
	}
	var run idealRun
	if err := json.Unmarshal(out.Bytes(), &run); err != nil {
		t.Fatalf("ideal: %v in %s", err, out.Bytes())
	}
	run.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return run
}

// idealMain is the process; it reports whether it was asked for.
func idealMain() bool {
	text := os.Getenv(idealEnv)
	if text == "" {
		return false
	}
	var job idealJob
	check(json.Unmarshal([]byte(text), &job))
	check(json.NewEncoder(os.Stdout).Encode(job.run()))
	return true
}

// check ends the process: an ideal pipe handles no errors.
func check(err error) {
	if err != nil {
		panic(err)
	}
}

// simple is what an ideal pipe knows of a mail.
type simple struct {
	uid                             imap.UID
	id, parent, from, subject, text string
	refs                            []string
	date                            int64
	files                           int
	raw                             []byte
}

// ticketAck is an acknowledgement to be sent.
type ticketAck struct {
	id, ticket int64
	to         string
}

// idealStore stores groups.
type idealStore interface {
	save(ctx context.Context, group []simple) []ticketAck
	mark(ctx context.Context, ids []int64)
	close()
}

func (j idealJob) run() idealRun {
	ctx := context.Background()
	var db idealStore
	if strings.HasPrefix(j.Database, "postgres:") {
		db = openIdealPostgres(ctx, j.Database)
	} else {
		db = openIdealSQLite(ctx, j.Database)
	}
	defer db.close()
	c, err := imapclient.DialInsecure(j.IMAP, nil)
	check(err)
	defer c.Close()
	check(c.Login(j.User, j.Password).Wait())
	_, err = c.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait()
	check(err)
	found, err := c.UIDSearch(&imap.SearchCriteria{}, nil).Wait()
	check(err)
	began := time.Now()
	mails := j.mails(c, found.AllUIDs())
	acks, acked := make(chan []ticketAck, 10000), make(chan struct{})
	writing := make(chan struct{}, 1) // one transaction at a time
	go func() {
		defer close(acked)
		j.acknowledge(acks, func(ids []int64) {
			writing <- struct{}{}
			db.mark(ctx, ids)
			<-writing
		})
	}()
	var run idealRun
	group := make([]simple, 0, idealGroup)
	commit := func() {
		writing <- struct{}{}
		list := db.save(ctx, group)
		<-writing
		acks <- list
		run.Mails += len(group)
		group = group[:0]
	}
	for m := range mails {
		if group = append(group, <-m); len(group) == idealGroup {
			commit()
		}
	}
	if len(group) > 0 {
		commit()
	}
	run.Stored = time.Since(began).Seconds()
	close(acks)
	<-acked
	run.Acked = time.Since(began).Seconds()
	return run
}

// mails fetches and parses, in order.
func (j idealJob) mails(c *imapclient.Client, uids []imap.UID) <-chan chan simple {
	out, work := make(chan chan simple, 256), make(chan func(), 64)
	for range 2 {
		go func() {
			for f := range work {
				f()
			}
		}()
	}
	go func() {
		defer close(out)
		defer close(work)
		// Each FETCH is drained by itself: Dovecot holds back the OK of the
		// first while the second is not read.
		var flying []chan []simple
		next := func() {
			if len(uids) == 0 {
				return
			}
			n := min(len(uids), idealGroup)
			cmd, done := c.Fetch(imap.UIDSetNum(uids[:n]...), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{{Peek: true}}}), make(chan []simple, 1)
			uids, flying = uids[n:], append(flying, done)
			go func() { done <- drain(cmd) }()
		}
		next()
		next()
		for len(flying) > 0 {
			batch := <-flying[0]
			flying = flying[1:]
			next()
			for _, m := range batch {
				parsed := make(chan simple, 1)
				out <- parsed
				work <- func() { parsed <- parse(m) }
			}
		}
	}()
	return out
}

func drain(cmd *imapclient.FetchCommand) (list []simple) {
	for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
		var m simple
		for item := msg.Next(); item != nil; item = msg.Next() {
			switch v := item.(type) {
			case imapclient.FetchItemDataUID:
				m.uid = v.UID
			case imapclient.FetchItemDataBodySection:
				var err error
				m.raw, err = io.ReadAll(v.Literal)
				check(err)
			}
		}
		list = append(list, m)
	}
	check(cmd.Close())
	return list
}

func parse(m simple) simple {
	r, err := mail.CreateReader(bytes.NewReader(m.raw))
	check(err)
	m.id, _ = r.Header.MessageID()
	if l, _ := r.Header.MsgIDList("In-Reply-To"); len(l) > 0 {
		m.parent = l[0]
	}
	m.refs, _ = r.Header.MsgIDList("References")
	if l, _ := r.Header.AddressList("From"); len(l) > 0 {
		m.from = l[0].Address
	}
	m.subject, _ = r.Header.Subject()
	date, _ := r.Header.Date()
	m.date = date.Unix()
	for {
		part, err := r.NextPart()
		if err == io.EOF {
			return m
		}
		check(err)
		data, err := io.ReadAll(part.Body)
		check(err)
		inline, ok := part.Header.(*mail.InlineHeader)
		if !ok {
			m.files++
		} else if t, _, _ := inline.ContentType(); t == "text/plain" && m.text == "" {
			m.text = string(data)
		}
	}
}

// acknowledge sends over one connection, and marks what was accepted by groups.
func (j idealJob) acknowledge(lists <-chan []ticketAck, mark func([]int64)) {
	c, err := gomail.NewClient("127.0.0.1", gomail.WithPort(j.Sink), gomail.WithTLSPolicy(gomail.NoTLS), gomail.WithHELO("perf.example"))
	check(err)
	check(c.DialWithContext(context.Background()))
	defer c.Close()
	body := strings.Repeat("We answer within one business day; reply to this mail to add anything.\n", 14)
	var sent []int64
	for list := range lists {
		for _, a := range list {
			m := gomail.NewMsg()
			check(m.From(deskAddress))
			check(m.To(a.to))
			m.Subject(fmt.Sprintf("[perf.example #%d] We received your request", a.ticket))
			m.SetMessageID()
			m.SetDate()
			m.SetBodyString(gomail.TypeTextPlain, body)
			check(c.Send(m))
			if sent = append(sent, a.id); len(sent) == idealGroup {
				mark(sent)
				sent = sent[:0]
			}
		}
	}
	if len(sent) > 0 {
		mark(sent)
	}
}
