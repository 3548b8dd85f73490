package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"frontdesk/internal/testdesk"
	"frontdesk/internal/twiliosim"
	"frontdesk/store"
)

// TestAllWebhooksLostForAnHour: what no webhook brought, the reconciler brings,
// once, however often it looks and whatever comes late.
func TestAllWebhooksLostForAnHour(t *testing.T) {
	t.Parallel()
	clock := newTestClock(t, time.Date(2026, 3, 4, 9, 0, 0, 0, time.UTC))
	s := newPhoneStage(t, phoneParts{clock: clock, twilio: ", reconcile_every: 1 second, retention: delete", phones: fmt.Sprintf(`[{number: %q, whatsapp: true}]`, testNumber)})
	d := s.process()
	d.mustStart()
	s.sim.Lose("", -1)
	for n := range 3 {
		s.text(fmt.Sprintf("+4917655503%03d", n), fmt.Sprintf("lost text %d", n))
	}
	s.text("+4917655503000", "lost text 3") // to the same ticket as the first
	s.write(twiliosim.Text{From: "whatsapp:+4917655503009", To: "whatsapp:" + testNumber, Body: "lost text 4", Media: []twiliosim.TextMedia{{Type: "image/png", Data: []byte("png")}}})
	s.sim.Found()
	for _, name := range []string{"record-action", "recording-status", "call-status"} { // the caller is heard, and then the network is gone
		s.sim.Lose(name, -1)
	}
	s.call("+4917655503010", leaving(5))
	s.sim.Found()
	s.sim.Lose("", -1)
	s.call("+4917655503011", leaving(5)) // an error is all that is heard, and nobody leaves a message
	s.sim.Found()
	late := s.sim.Find("lost", "")
	if len(late) < 9 {
		t.Fatalf("%d webhooks lost", len(late))
	}
	clock.advance(time.Hour)
	texts := func() (all []string, files int) {
		for _, list := range d.json("tickets", "list", "--limit", "100") {
			for _, x := range d.json("tickets", "show", fmt.Sprint(list["id"]))[0]["messages"].([]any) {
				m := x.(map[string]any)
				all = append(all, m["text"].(string))
				files += len(m["attachments"].([]any))
			}
		}
		slices.Sort(all)
		return all, files
	}
	want := []string{"Called, and left no message.", "Left a voicemail.", "lost text 0", "lost text 1", "lost text 2", "lost text 3", "lost text 4"}
	if !waitUntil(func() bool {
		clock.advance(5 * time.Second) // the desk waits some seconds for a recording; a look takes a second where much else runs
		got, files := texts()
		return slices.Equal(got, want) && files == 2 && settled(d)
	}) {
		got, files := texts()
		t.Fatalf("%q with %d files, want %q with 2", got, files, want)
	}
	for _, e := range late { // and now they come after all
		uri, _, _ := strings.Cut(e.URL, "#")
		if status, _ := s.post(uri, e.Params); status/100 != 2 {
			t.Errorf("%s: %d", e.URL, status)
		}
	}
	clock.advance(10 * time.Minute)
	if !waitUntil(func() bool { return settled(d) && strings.Count(restLists(s), "/Recordings.json") > 2 }) {
		t.Errorf("undecided: %v", d.json("reconcile"))
	}
	if got, files := texts(); !slices.Equal(got, want) || files != 2 {
		t.Errorf("after the webhooks: %q with %d files", got, files)
	}
	if left := s.sim.Recordings(); len(left) != 0 {
		t.Errorf("recordings left at the company: %v", left)
	}
	if !t.Failed() {
		testdesk.Record(t, testdesk.Row{Name: "G14 every webhook is lost for an hour", Faults: len(late), In: len(want), Out: len(want)})
	}
}

// restLists are the lists that the desk asked for.
func restLists(s *phoneStage) string {
	var b strings.Builder
	for _, e := range s.sim.Find("rest", "") {
		if e.Method == http.MethodGet {
			fmt.Fprintln(&b, e.URL)
		}
	}
	return b.String()
}

// TestAnswerOfTheCompanyLost: the company took a text and its answer is lost:
// the text is found there, and sent to nobody twice.
func TestAnswerOfTheCompanyLost(t *testing.T) {
	t.Parallel()
	s := newPhoneStage(t, phoneParts{})
	d := s.open()
	s.text(testCaller, "Where is my order?")
	m := s.mailTo("asha@one.test", "Where is my order?")
	d.rest(s)
	cut := twiliosim.Fault{Match: "/Messages.json", Method: http.MethodPost, N: 1, After: true, Cut: true}
	s.sim.AddFault(cut)
	s.sim.Lose("message-status", -1) // nor does a report tell that it is there
	s.reply("asha@one.test", "Asha", m, "It leaves today.")
	s.sent(testCaller, "It leaves today.")
	d.rest(s)
	s.sim.Found()
	check := func(n int) {
		t.Helper()
		sent := s.textsTo(testCaller)
		if len(sent) != n {
			t.Fatalf("%d texts, want %d: %+v", len(sent), n, sent)
		}
		if l := letterOf(t, d, "answer"); l.State != store.LetterSent || l.MessageID != sent[n-1].SID {
			t.Errorf("the letter: %+v, at the company: %s", l, sent[n-1].SID)
		}
	}
	check(2) // the acknowledgement, and the answer
	// A report comes before anybody looks it up.
	s.sim.AddFault(cut)
	s.reply("asha@one.test", "Asha", m, "It left.")
	s.sent(testCaller, "It left.")
	d.rest(s)
	check(3)
	// The company did not take it: then it is sent once more.
	cut.After = false
	s.sim.AddFault(cut)
	s.reply("asha@one.test", "Asha", m, "It arrives.")
	s.sent(testCaller, "It arrives.")
	d.rest(s)
	check(4)
	if t.Failed() {
		return
	}
	testdesk.Record(t, testdesk.Row{Name: "F08 the answer to a text is lost", Faults: 3, In: 4, Out: 4})
}

// letterOf is the newest letter of a kind.
func letterOf(t *testing.T, d *liveDesk, kind string) store.LetterInfo {
	t.Helper()
	list, err := d.db.LettersWhere(t.Context(), letterStates, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range slices.Backward(list) {
		if string(l.Kind) == kind {
			return l
		}
	}
	t.Fatalf("no letter of kind %s in %+v", kind, list)
	return store.LetterInfo{}
}

// TestKilledBetweenPostAndAnswer: the desk is killed while the company has a
// text (and a call) in hand and has not answered; the next start finds them.
func TestKilledBetweenPostAndAnswer(t *testing.T) {
	t.Parallel()
	taken, killed := make(chan struct{}), make(chan struct{})
	hold := func(api http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/Messages.json") {
				api.ServeHTTP(w, r)
				return
			}
			kept := &nobody{header: http.Header{}}
			api.ServeHTTP(kept, r) // it is sent
			select {
			case taken <- struct{}{}:
				<-killed // and nobody hears of it
			case <-killed:
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(kept.status)
				_, _ = w.Write(kept.body)
			}
		})
	}
	s := newPhoneStage(t, phoneParts{api: hold})
	d := s.process()
	d.mustStart()
	s.text(testCaller, "Where is my order?")
	<-taken // the acknowledgement
	d.kill()
	close(killed)
	s.sim.Wait()
	d.mustStart()
	m := s.mailTo("asha@one.test", "Where is my order?")
	if !waitUntil(func() bool { return strings.Contains(states(d, 1), "acknowledgement tel:"+testCaller+" sent") }) {
		t.Fatalf("letters: %s\n%s", states(d, 1), d.log(30))
	}
	s.reply("asha@one.test", "Asha", m, "It leaves today.")
	s.sent(testCaller, "It leaves today.")
	if sent := s.textsTo(testCaller); len(sent) != 2 {
		t.Errorf("texts: %+v", sent)
	}
	if !strings.Contains(states(d, 1), "acknowledgement tel:"+testCaller+" sent") {
		t.Errorf("letters: %s", states(d, 1))
	}
	if n := len(s.sim.Find("webhook", "message-status")); n == 0 {
		t.Error("no report came")
	}
}

// nobody keeps an answer.
type nobody struct {
	header http.Header
	status int
	body   json.RawMessage
}

func (n *nobody) Header() http.Header    { return n.header }
func (n *nobody) WriteHeader(status int) { n.status = status }
func (n *nobody) Write(b []byte) (int, error) {
	n.body = append(n.body, b...)
	return len(b), nil
}
