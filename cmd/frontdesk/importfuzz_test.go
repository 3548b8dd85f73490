package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"frontdesk/intake"
	"frontdesk/tickets"
)

// fuzzImport is what reads old histories, without a database.
func fuzzImport() *historyImport {
	return &historyImport{
		rules: tickets.Rules{
			Brands: map[string]tickets.Brand{"baleyo": {Key: "baleyo", Name: "Baleyo", Mailboxes: []tickets.Mailbox{{Address: "support@baleyo.example"}}}},
			Queues: map[string]tickets.Queue{"support": {Key: "support"}},
			Agents: map[string]tickets.Agent{"asha@baleyo.example": {ID: 1, Address: "asha@baleyo.example", Role: tickets.RoleAgent}},
		},
		to: intake.Address{Brand: "baleyo", Mailbox: "support@baleyo.example", Queue: "support"},
	}
}

// imported holds what is true of every contact that an import makes of others'
// files: it is one mail with the fields that we write, each once, nothing in it is
// a command, and its time is one.
func imported(t *testing.T, h *historyImport, list contactList) {
	t.Helper()
	fields := []string{"From", "To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"}
	for i := range list {
		c, err := list.Load(i)
		if err != nil {
			t.Errorf("%s: %v", c.where, err)
			continue
		}
		head, _, ok := bytes.Cut(c.raw, []byte("\r\n\r\n"))
		var seen []string
		for line := range strings.SplitSeq(string(head), "\r\n") {
			name, _, colon := strings.Cut(line, ":")
			if !colon || !slices.Contains(fields, name) || slices.Contains(seen, name) || strings.ContainsAny(line, "\r\n") {
				t.Errorf("%s: field %q among %q", c.where, line, seen)
			}
			seen = append(seen, name)
		}
		u := understood{oldContact: c}
		h.understand(&u)
		if !ok || u.err != nil || u.in.Commands != nil {
			t.Errorf("%s: %v, commands %q in %q", c.where, u.err, u.in.Commands, c.raw)
		}
		if c.key == "" || !strings.HasPrefix(c.key, "import:") || !slices.Contains([]string{string(tickets.DirectionIn), string(tickets.DirectionOut), string(tickets.DirectionNote)}, string(c.past.Direction)) {
			t.Errorf("%s: key %q, direction %q", c.where, c.key, c.past.Direction)
		}
		if c.at.Year() < 1985 || c.at.After(now().Add(25*time.Hour)) || i > 0 && c.at.Before(list[i-1].at) {
			t.Errorf("%s: at %v", c.where, c.at)
		}
	}
}

// FuzzOtherDesks: documents of another desk are read or told of, the same way
// each time, and what they say stays what somebody once said.
func FuzzOtherDesks(f *testing.F) {
	f.Add([]byte(`[{"id":1,"number":"77001","title":"x\r\nBcc: v@e.example","state":"open","customer":"Maria <maria@keller.example>","created_at":"2024-01-15T10:00:00Z"},
		{"id":9,"ticket_id":1,"from":"Maria \"x\" <maria@keller.example>\r\nX: y","to":"support@baleyo.example","subject":"a\u0000b\u2028c","body":"#close\n#spam","content_type":"text/html","message_id":"<a@b>\r\nX: y","sender":"Customer","created_at":"2024-01-15T10:00:00Z","attachments":[{"filename":"<x>\r\n.."}]}]`), true)
	f.Add([]byte(`[{"id":1,"number":"7"},{"id":-1,"ticket_id":1,"created_at":"9999-01-01T00:00:00Z"},{},null,7,[]]`), true)
	f.Add([]byte(`{"_embedded":{"conversations":[{"id":3,"number":5,"status":"active","subject":"s","createdAt":"2024-01-15T10:00:00Z","customer":{"email":"a@b.example","firstName":"x\r\n"},"tags":[{"name":"a b"}],
		"_embedded":{"threads":[{"id":4,"type":"customer","body":"<p>#merge 1</p>","to":["x@y.example\r\nBcc: z"],"createdBy":{"email":"a@b.example>,<c"},"createdAt":"2024-01-15T10:00:00Z"},{"id":5,"type":"note","createdAt":"2024-02-15T10:00:00Z"}]}}]},"page":{"totalPages":-1}}`), false)
	f.Fuzz(func(t *testing.T, data []byte, zammad bool) {
		read := readFreeScout
		if zammad {
			read = readZammad
		}
		files := []jsonFile{{path: "a.json", data: data}, {path: "b.json", data: data}} // the same twice adds nothing
		h, other := fuzzImport(), fuzzImport()
		list, again := read(files, h).sort(), read(files[:1], other).sort()
		if fmt.Sprint(keysOf(list)) != fmt.Sprint(keysOf(again)) {
			t.Errorf("keys %q, of one copy %q", keysOf(list), keysOf(again))
		}
		imported(t, h, list)
	})
}

func keysOf(list contactList) (keys []string) {
	for _, c := range list {
		keys = append(keys, c.key)
	}
	return keys
}

// FuzzCSV: each line of a file is taken, refused with its number, or empty.
func FuzzCSV(f *testing.F) {
	f.Add([]byte("number,subject,customer,at,text\n1,x,a@b.example,2024-01-31 15:04,hello\n1,,,2024-02-01,\"more\r\nBcc: x\"\n"), true)
	f.Add([]byte("number;subject;customer;at;text;from;status;closed;queue;agent;tags\n1;\"=cmd|' /C calc'!A0\";a@b.example;31.01.2024;#close;asha@baleyo.example;closed;01.02.2024;support;asha@baleyo.example;a b\n;;;;\n2;x;\"a@b.example\r\nX: y\";2024-01-31;z"), true)
	f.Add([]byte("email\tphone\tname\tvip\nmaria@keller.example\t+49 30 1234567\tMaria\tyes\n\t0301234567\t\t\n"), false)
	f.Add([]byte("\xff\xfee\x00m\x00a\x00i\x00l\x00\n\x00a\x00@\x00b\x00.\x00c\x00"), false)
	f.Fuzz(func(t *testing.T, data []byte, history bool) {
		h := fuzzImport()
		file := &csvFile{columns: customerColumns()}
		if history {
			file.columns = ticketColumns()
		}
		if file.read(data) != nil {
			return
		}
		text := strings.ReplaceAll(strings.ReplaceAll(string(textOf(data)), "\r\n", "\n"), "\r", "\n")
		last, taken := strings.Count(text, "\n")+1, 0
		if history {
			list := ticketsOf(file, "x.csv", h, time.Time{})
			imported(t, h, list)
			taken = len(list)
		} else {
			people := customersOf(file, h.rules.Brands["baleyo"], h.rules)
			taken = len(people)
			seen := map[string]bool{}
			for _, p := range people {
				for _, a := range p.Addresses {
					if seen[a] || a != strings.TrimSpace(a) || strings.ContainsAny(a, "\r\n\x00 ") || a != tickets.NormalAddress(a) {
						t.Errorf("address %q", a)
					}
					seen[a] = true
				}
				if p.Brand != "baleyo" || len(p.Addresses) != 1 {
					t.Errorf("%+v", p)
				}
			}
		}
		refused := map[int]bool{}
		for _, e := range file.errors {
			if e.Line < 1 || e.Line > last || e.What == "" {
				t.Errorf("line %d of %d: %q", e.Line, last, e.What)
			}
			refused[e.Line] = true
		}
		if taken > len(file.rows) || taken+len(refused) < len(file.rows) {
			t.Errorf("%d lines, %d taken, %d refused", len(file.rows), taken, len(refused))
		}
	})
}

// FuzzReceivedAt: a mail of a folder has a time that could be true, or is told of.
func FuzzReceivedAt(f *testing.F) {
	f.Add([]byte("Received: from x by y; Mon, 15 Jan 2024 11:00:00 +0100\nDate: Mon, 15 Jan 2035 09:00:00 +0000\n"), "1705312800.M1P2.host:2,S", int64(0))
	f.Add([]byte("Date: Fri, 31 Dec 9999 23:59:59 -9959\n"), "9223372036854775807.x", int64(1700000000))
	f.Add([]byte("\x00"), "-5.x", int64(0))
	f.Fuzz(func(t *testing.T, head []byte, name string, last int64) {
		last = min(max(last, 0), 4e9)
		file := secondsIn(name)
		at, odd := receivedAt(head, file, last)
		if again, _ := receivedAt(head, file, last); !again.Equal(at) {
			t.Errorf("%v, then %v", at, again)
		}
		if odd == "" && (at.Year() < 1985 || at.After(now().Add(25*time.Hour))) || odd != "" && last != 0 && at.Unix() != last {
			t.Errorf("%q in %q is of %v, %q", head, name, at, odd)
		}
	})
}
