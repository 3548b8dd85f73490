package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"frontdesk/parser"
	"frontdesk/tickets"
)

// corpusFolder holds labelled mails beside the checkout; they are not ours to
// keep in it.
const corpusFolder = "../../../shared/corpus/thread"

type threadCase struct {
	Name  string            `json:"name"`
	Mails map[string]string `json:"mails"` // file → label of its conversation
}

// TestThreadCorpus holds the share of labelled cases that are threaded right,
// and that mails of different conversations are hardly ever joined.
func TestThreadCorpus(t *testing.T) {
	t.Parallel()
	file, err := os.Open(filepath.Join(corpusFolder, "cases.jsonl"))
	if err != nil {
		t.Skipf("SKIP corpus: %s not found: put the labelled mails there to measure threading", corpusFolder)
	}
	defer file.Close()
	var sum pairs
	cases, right := 0, 0
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var c threadCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(corpusFolder, c.Name)); err != nil {
			continue // the other half is kept apart
		}
		got := mustThread(t, c)
		p := compare(c.Mails, got)
		cases++
		if p.wrong == 0 && p.missed == 0 {
			right++
		} else {
			t.Logf("%s: got %v, want %v", c.Name, got, c.Mails)
		}
		sum.joined, sum.wrong, sum.missed = sum.joined+p.joined, sum.wrong+p.wrong, sum.missed+p.missed
	}
	precision := float64(sum.joined-sum.wrong) / float64(sum.joined)
	t.Logf("cases %d of %d, pair precision %.4f", right, cases, precision)
	if float64(right) < 0.96*float64(cases) || precision < 0.995 {
		t.Errorf("threading fell below 96 %% of cases or 99.5 %% pair precision")
	}
}

// pairs counts pairs of mails: joined, of them wrongly, and missed.
type pairs struct{ joined, wrong, missed int }

func compare(want, got map[string]string) (p pairs) {
	for _, a := range sortedKeys(want) {
		for _, b := range sortedKeys(want) {
			if a >= b {
				continue
			}
			same, joined := want[a] == want[b], got[a] == got[b]
			if joined {
				p.joined++
			}
			switch {
			case joined && !same:
				p.wrong++
			case same && !joined:
				p.missed++
			}
		}
	}
	return p
}

var (
	tokenMark = regexp.MustCompile(`@@TOKEN:(\w+)@@`)
	replyMark = regexp.MustCompile(`@@REPLYADDR:(\w+)@@`)
)

func mustThread(t *testing.T, c threadCase) map[string]string {
	t.Helper()
	f := threadFlags{relay: "support+{id}@desk.example", tag: "[Ticket#{id}]"}
	foreign, err := f.foreign()
	if err != nil {
		t.Fatal(err)
	}
	source := func(each func(string, []byte) error) error {
		for _, name := range sortedKeys(c.Mails) {
			raw, err := os.ReadFile(filepath.Join(corpusFolder, c.Name, name))
			if err != nil {
				return err
			}
			raw = tokenMark.ReplaceAll(raw, []byte("[Ticket#$1]"))
			raw = replyMark.ReplaceAll(raw, []byte("support+$1@desk.example"))
			if err := each(name, raw); err != nil {
				return err
			}
		}
		return nil
	}
	found, err := threadAll(t.Context(), source, "support@desk.example", foreign)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, m := range found {
		got[m.Name] = m.Conversation
	}
	return got
}

func TestForeignPattern(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ pattern, text, want string }{
		{"[Ticket#{id}]", "Re: [Ticket#1041] Printer", "1041"},
		{"[Ticket#{id}]", "Re: [TICKET # 1041 ] Printer", "1041"},
		{"[Ticket#{id}]", "about ticket#1041, the printer", "1041"},
		{"[Ticket#{id}]", "Printer that is offline again [Ticket#1041", "1041"},
		{"[Ticket#{id}]", "Re: MyTicket#1041 Printer", ""},
		{"[Ticket#{id}]", "Order #1041", ""},
		{"[Case {id}]", "AW: [case0007]", "0007"},
		{"support+{id}@desk.example", "support+1041@desk.example", "1041"},
		{"support+{id}@desk.example", "support+a1-b2@DESK.example", "a1-b2"},
		{"support+{id}@desk.example", "supportX1041@desk.example", ""},
		{"support+{id}@desk.example", "support+1041@deskXexample", ""},
		{"##{id}##", "##12##", "12"},
	} {
		re, err := foreignPattern("--tag", c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if m := re.FindStringSubmatch(c.text); m != nil {
			got = m[1]
		}
		if got != c.want {
			t.Errorf("%s in %q: got %q, want %q", c.pattern, c.text, got, c.want)
		}
	}
	if _, err := foreignPattern("--tag", "no id"); err == nil {
		t.Error("a pattern without {id} is taken")
	}
}

func TestMbox(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "old.mbox")
	text := "From - Mon Mar  2 08:20:00 2026\nSubject: one\n\nFirst.\n\nFrom here on it is text.\n>From a line, quoted.\n>>From twice.\n\n" +
		"From maria@keller.example Mon Mar  2 08:20:00 2026 +0100\r\nSubject: two\r\n\r\nSecond.\r\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var got []string
	err := eachOfMbox(file, func(name string, raw []byte) error {
		got = append(got, name+": "+string(raw))
		return nil
	})
	want := []string{
		"1: Subject: one\n\nFirst.\n\nFrom here on it is text.\nFrom a line, quoted.\n>From twice.\n\n",
		"2: Subject: two\r\n\r\nSecond.\r\n",
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

// TestThreadStrangers: a mark or an id that leaked makes nobody a participant.
func TestThreadStrangers(t *testing.T) {
	t.Parallel()
	f := threadFlags{relay: "support+{id}@desk.example", tag: "[Ticket#{id}]"}
	const (
		first = "From: Maria Keller <maria@keller.example>\nTo: support@desk.example\nSubject: Printer offline\nMessage-ID: <one@keller.example>\n\nIt is offline.\n"
		own   = "X-Corpus-Direction: out\nX-Corpus-Answers: 1\nFrom: support@desk.example\nTo: maria@keller.example\nSubject: [Ticket#7] Printer offline\nMessage-ID: <answer@desk.example>\n\nWhich?\n"
	)
	for _, c := range []struct {
		name, mail string
		joins      bool // as an unverified third party
	}{
		{"tag and subject", "From: Mallory <m@elsewhere.example>\nSubject: Re: [Ticket#7] Printer offline\n\nHi.\n", false},
		{"tag and relay address", "From: m@elsewhere.example\nTo: support+7@desk.example\nSubject: Re: [Ticket#7] Printer offline\n\nHi.\n", false},
		{"tag, other subject, same domain", "From: boss@keller.example\nSubject: [Ticket#7] Holidays\n\nHi.\n", false},
		{"tag, subject, shared provider", "From: a@gmail.com\nSubject: Re: [Ticket#7] Printer offline\n\nHi.\n", false},
		{"tag, subject, same organisation", "From: boss@keller.example\nSubject: Fwd: [Ticket#7] Printer offline\n\nHi.\n", true},
		{"tag, subject, same name", "From: Maria Keller <maria77@gmail.com>\nSubject: Re: [Ticket#7] Printer offline\n\nHi.\n", true},
		{"cites the customer's mail", "From: m@elsewhere.example\nSubject: Re: Printer offline\nIn-Reply-To: <one@keller.example>\n\nHi.\n", false},
		{"cites the desk's mail", "From: m@elsewhere.example\nSubject: Re: Printer offline\nIn-Reply-To: <answer@desk.example>\n\nHi.\n", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			foreign, err := f.foreign()
			if err != nil {
				t.Fatal(err)
			}
			th := openThreader(t, "support@desk.example", foreign)
			var last threaded
			for i, raw := range []string{first, own, c.mail} {
				if last, err = th.add(t.Context(), string(rune('1'+i)), parser.Parse(bytes.ReplaceAll([]byte(raw), []byte("\n"), []byte("\r\n")), parser.Options{})); err != nil {
					t.Fatal(err)
				}
			}
			if joined := last.ticket == 1; joined != c.joins {
				t.Errorf("joined %v, want %v", joined, c.joins)
			}
			ticket, err := th.db.Ticket(t.Context(), 1)
			if err != nil {
				t.Fatal(err)
			}
			from := parser.Parse([]byte(c.mail), parser.Options{}).From.Address
			if ticket.Verified(from) {
				t.Errorf("%s became a participant", from)
			}
			third := slices.ContainsFunc(ticket.Participants, func(p tickets.Participant) bool { return p.Role == tickets.PartyThird })
			if third != c.joins {
				t.Errorf("third party %v, want %v: %v", third, c.joins, ticket.Participants)
			}
		})
	}
}

func openThreader(t *testing.T, mailbox string, foreign *tickets.Foreign) *threader {
	t.Helper()
	th, err := newThreader(t.Context(), t.TempDir(), mailbox, foreign)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { th.db.Close() })
	return th
}
