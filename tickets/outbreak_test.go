package tickets

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"frontdesk/sla"
)

// outage is what thirty people write when the same line is down, each in their
// own way.
var outage = []string{
	"No internet|Since about ten o'clock we have no internet connection at our office. The router blinks red.",
	"internet down|hi, internet is down here, nothing loads. router light is red",
	"Internet outage|Our internet connection is gone. Router restarted twice, still red.",
	"Connection lost|We lost the internet connection this morning, the router shows a red light.",
	"Router red, offline|The router has a red light and we are offline, no internet at all.",
	"URGENT no internet!!!|No internet in the whole building. Red light on the router. Please hurry!",
	"internet not working|The internet is not working, router is red. Tried another cable.",
	"Is there an outage?|Our internet went down and the router is red. Is there an outage?",
	"offline|We are offline. Internet is dead, router red.",
	"No connection|There is no internet connection since a while. The router's light is red, not green.",
	"Re: my line|internet connection dropped, router red, cannot reach anything",
	"internet weg|Hello, the internet connection is lost in our shop, router red, card payments fail.",
	"Broadband down|Internet down, the lamp of the router is red instead of green.",
	"Cannot work, no internet|Nobody can work: no internet connection, red router.",
	"router problem|the router is red and the internet connection is gone",
	"Internet connection interrupted|Connection to the internet interrupted. On the router the internet light is red.",
	"no internet at home office|My internet stopped, router light red. I work from home.",
	"Line dead?|Internet line dead, red light at the router since ten.",
	"Please help: internet|Please help, our internet connection does not come back. Router red.",
	"web and mail down|No internet: neither web nor mail. Router glows red.",
	"INTERNET|internet down router red",
	"Disruption|We have a disruption of the internet connection, router is red.",
	"No net|No internet since 10:05. Router red light, restarted without success.",
	"Internet failure|Complete internet failure. Router: red light.",
	"internet gone again|The internet connection is gone again and the router is red.",
	"Modem/router red|Red light on router, no internet connection.",
	"cannot connect|Cannot connect to the internet. The router shows red.",
	"Practice is offline|Our medical practice is offline, no internet, the router's light is red.",
	"School without internet|The whole school has no internet connection, all routers red.",
	"dead line|internet connection dead, router light red, please check",
}

// lately plays tickets that come one after the other: each sees those before it.
type lately struct {
	rules Rules
	like  []LikeTicket
	at    time.Time
	next  int64
}

func newLately() *lately {
	r := rulesForTest()
	r.Incident = IncidentRules{Customers: 5, Within: 30 * time.Minute, Alike: 0.5}
	r.Order = []string{"critical", "high", "medium", "low"}
	r.Matrix = Matrix{{3, 2}: "high", {3, 3}: "high", {3, 4}: "critical"}
	return &lately{rules: r, at: noon, next: 100}
}

func (l *lately) come(from, subject, text string) Change {
	l.next++
	l.at = l.at.Add(20 * time.Second)
	found := foundWith()
	found.Like = slices.Clone(l.like)
	c := Receive(found, mail(func(in *Inbound) {
		in.Ledger, in.MessageID, in.Content = l.next, fmt.Sprintf("%d@example.org", l.next), [32]byte{byte(l.next), byte(l.next >> 8), 7}
		in.From, in.Sender = Address{Address: from}, &from
		in.Subject, in.SubjectCore, in.Reply, in.Text, in.Received = subject, subject, text, text, l.at
	}), l.rules, l.at)
	t := c.Tickets[0].Ticket
	for _, j := range c.Join {
		for i := range l.like {
			if l.like[i].ID == j.Ticket {
				l.like[i].Incident = j.Incident
			}
		}
	}
	fresh := LikeTicket{ID: l.next, Requester: from, Words: subject + "\n" + text, Incident: t.Incident, Status: t.Status, Opened: l.at}
	l.like = append([]LikeTicket{fresh}, l.like...)
	return c
}

// TestOutageIsOneIncident lets thirty customers report the same within ten
// minutes, between ordinary mail: one incident, one letter to each supervisor,
// and every report is part of it, the ordinary mail not.
func TestOutageIsOneIncident(t *testing.T) {
	t.Parallel()
	l := newLately()
	ordinary := requests(t, "testdata/requests/dev.jsonl")
	letters, reports := 0, map[int64]bool{}
	for i, line := range outage {
		subject, text, _ := strings.Cut(line, "|")
		c := l.come(fmt.Sprintf("customer%d@example%d.test", i, i), subject, text)
		reports[l.next] = true
		for _, letter := range c.Tickets[0].Letters {
			if letter.Kind == LetterOutbreak {
				letters++
				if letter.Data.Incident == 0 || letter.Data.Count != 5 || !strings.Contains(letter.Data.Why, "5 customers since") {
					t.Errorf("letter says %+v", letter.Data)
				}
			}
		}
		o := ordinary[i]
		l.come(fmt.Sprintf("other%d@elsewhere.test", i), o.Subject, o.Body)
	}
	supervisors := 0
	for _, a := range l.rules.Agents {
		if a.Role.AtLeast(RoleSupervisor) {
			supervisors++
		}
	}
	want(t, "letters to supervisors", letters, supervisors)
	incidents, missed, wrong := map[int64]int{}, 0, 0
	for _, like := range l.like {
		switch {
		case like.Incident != 0:
			incidents[like.Incident]++
			if !reports[like.ID] {
				wrong++
				t.Errorf("part of the incident by mistake: %q", like.Words)
			}
		case reports[like.ID]:
			missed++
			t.Errorf("not part of the incident: %q", like.Words)
		}
	}
	if len(incidents) != 1 || missed+wrong > 0 {
		t.Errorf("incidents %v, %d reports missed, %d others taken in", incidents, missed, wrong)
	}
}

type request struct {
	Subject string
	Body    string `json:"text"`
}

func requests(t *testing.T, path string) []request {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []request
	for s := bufio.NewScanner(f); s.Scan(); {
		var r request
		if err := json.Unmarshal(s.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

// TestOrdinaryMailIsNoIncident lets all requests of a busy morning come within
// the time of an incident: they have little in common.
func TestOrdinaryMailIsNoIncident(t *testing.T) {
	t.Parallel()
	l := newLately()
	l.rules.Incident.Within = 10 * time.Hour
	for i, r := range requests(t, "testdata/requests/dev.jsonl") {
		c := l.come(fmt.Sprintf("customer%d@example%d.test", i, i), r.Subject, r.Body)
		if n := c.Tickets[0].Ticket.Incident; n != 0 {
			t.Errorf("request %d is part of incident #%d: %q", i+1, n, r.Subject)
		}
	}
}

// TestOneCustomerIsNoIncident takes ten mails of one person for what they are.
func TestOneCustomerIsNoIncident(t *testing.T) {
	t.Parallel()
	l := newLately()
	for range 10 {
		c := l.come("impatient@example.test", "No internet", "No internet connection, the router is red.")
		want(t, "incident", c.Tickets[0].Ticket.Incident, int64(0))
	}
}

// TestIncidentAnswersAll sends an agent's words on every ticket of the incident,
// each in its own thread, and resolves them all with #close.
func TestIncidentAnswersAll(t *testing.T) {
	t.Parallel()
	parent := stored(func(x *Ticket) { x.Incident = 42 })
	found := foundWith(parent)
	for i := range int64(30) {
		address := Address{Name: fmt.Sprintf("Customer %d", i), Address: fmt.Sprintf("c%d@example.test", i)}
		other := stored(func(x *Ticket) {
			x.ID, x.Incident, x.Requester = 100+i, 42, 200+i
			x.Participants = []Participant{{200 + i, address, PartyRequester}}
		})
		found.Parent = append(found.Parent, IncidentTicket{Ticket: *other, Last: Message{ID: 900 + i, Ticket: 100 + i, Direction: DirectionIn,
			MessageID: fmt.Sprintf("report%d@example.test", i), Author: Author{AuthorCustomer, 200 + i, address}}})
	}
	c := Receive(found, fromAgent(asha, 2, []string{"#incident all", "#close"}, "The line is repaired."), rulesForTest(), noon)
	seen := map[string]bool{}
	for _, tc := range c.Tickets {
		want(t, fmt.Sprintf("status of #%d", tc.Ticket.ID), tc.Ticket.Status, StatusResolved)
		for _, l := range tc.Letters {
			if l.Kind != LetterResolution {
				continue
			}
			if !strings.Contains(l.Data.Solution, "The line is repaired.") || seen[l.Key] {
				t.Errorf("letter %s to %s says %+v", l.Key, l.To.Address, l.Data)
			}
			seen[l.Key] = true
			if tc.Ticket.ID >= 100 && l.InReplyTo != fmt.Sprintf("report%d@example.test", tc.Ticket.ID-100) {
				t.Errorf("letter on #%d answers %q", tc.Ticket.ID, l.InReplyTo)
			}
		}
	}
	want(t, "resolution letters", len(seen), 31)
	if done := letter(t, c, LetterReceipt).Data.Done; !slices.ContainsFunc(done, func(s string) bool { return strings.Contains(s, "30 other tickets of incident #42") }) {
		t.Errorf("receipt says %q", done)
	}
	for _, command := range []string{"#incident all", "#incident none", "#incident 99999"} {
		c := Receive(foundWith(stored()), fromAgent(asha, 2, []string{command}, "x"), rulesForTest(), noon)
		want(t, "letters of "+command, letters(c), "agent-held→"+asha.Address)
	}
}

// TestIncidentClimbsOnce escalates the first ticket of an incident for all: the
// others tell their customers, and nobody else.
func TestIncidentClimbsOnce(t *testing.T) {
	t.Parallel()
	rules := rulesForTest()
	rules.Order = []string{"critical", "high", "low"}
	rules.Severities = map[string]Severity{"critical": {Key: "critical", Escalate: sla.Duration{Unit: sla.Immediately}}}
	rules.Policy = sla.Policy{Rules: []sla.Rule{{Name: "all", Targets: map[sla.Clock]sla.Target{sla.Resolution: {Within: sla.Duration{Count: 24, Unit: sla.Hour}}}}}}
	for _, c := range []struct {
		first int64
		want  string
	}{
		{42, "agent-escalation"},
		{41, ""},
	} {
		ticket := stored(func(x *Ticket) {
			x.Severity, x.Status, x.Assignee, x.Incident = "critical", StatusNew, "", c.first
			x.Promises.Told = []string{toldIncident}
		})
		found := foundWith(ticket)
		found.Log = map[int64][]sla.Event{42: {{At: ticket.Opened, Kind: sla.Opened, Status: "new", Facts: sla.Facts{Severity: "critical", Brand: "baleyo"}}}}
		for _, at := range []time.Time{noon, noon.Add(30 * time.Hour)} { // at once, and after the promise was missed
			change, _ := Watch(*ticket, found, rules, at)
			agents := 0
			for _, tc := range change.Tickets {
				for _, l := range tc.Letters {
					if l.Agent {
						agents++
					}
				}
			}
			if got := letters(change); (agents > 0) != (c.want != "") || !strings.Contains(got, c.want) {
				t.Errorf("part of #%d, %s: letters %q", c.first, at, got)
			}
		}
	}
}

// TestStrangerIsToldWithoutHisWords: an incident of forged requesters carries
// nothing of what the forger wrote to those whose addresses he took.
func TestStrangerIsToldWithoutHisWords(t *testing.T) {
	t.Parallel()
	l := newLately()
	for i := range 6 {
		c := l.come(fmt.Sprintf("victim%d@example%d.test", i, i), "WIN http://evil.test", "WIN a prize at http://evil.test now")
		tk := c.Tickets[0].Ticket
		tk.ID, tk.Incident, tk.Requester = l.next, 101, 7
		tk.Promises.Told = nil
		told, _ := Watch(tk, foundWith(&tk), l.rules, l.at)
		if n := letter(t, told, LetterIncident); n.Subject != "" || n.To.Name != "" {
			t.Errorf("the letter says %q to %q", n.Subject, n.To.Name)
		}
	}
	known := stored(func(x *Ticket) { x.Incident = 7 })
	told, _ := Watch(*known, foundWith(known), l.rules, l.at)
	want(t, "subject for a known requester", letter(t, told, LetterIncident).Subject, "Printer is offline")
}
