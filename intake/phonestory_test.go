package intake

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"frontdesk/internal/twiliosim"
	"frontdesk/phone"
	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

// fetcher fetches for a desk, and notes what it stored.
func (d *phoneDesk) fetcher(stored func(Recorded)) *Fetcher {
	return NewFetcher(FetcherOptions{DB: d.db, Client: func() *phone.Client { return d.client }, Limit: func() int64 { return 1 << 20 }, Now: d.now, Stored: stored})
}

func (d *phoneDesk) reconciler(remove bool) *TwilioReconciler {
	return NewTwilioReconciler(TwilioReconcilerOptions{DB: d.db, Client: func() *phone.Client { return d.client }, Rules: func() tickets.Rules { return d.rules }, Now: d.now,
		Every: func() time.Duration { return time.Hour }, Days: func() int { return 3 }, Delete: func() bool { return remove }})
}

// decide decides all that is due.
func (d *phoneDesk) decide() {
	d.t.Helper()
	for {
		n, err := d.worker.Pass(context.Background())
		if err != nil {
			d.t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

// fetch fetches all that is due.
func (d *phoneDesk) fetch(f *Fetcher) {
	d.t.Helper()
	for {
		n, err := f.Pass(context.Background())
		if err != nil {
			d.t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

// told returns the tickets with their messages, and fails for what was not
// decided well.
func (d *phoneDesk) told() (all [][]tickets.Message) {
	d.t.Helper()
	ctx := context.Background()
	held, err := d.db.Quarantine(ctx)
	if err != nil || len(held) > 0 {
		d.t.Errorf("in quarantine: %+v, %v", held, err)
	}
	list, err := d.db.Tickets(ctx, store.TicketQuery{Brand: "baleyo", Statuses: []tickets.Status{tickets.StatusNew, tickets.StatusOpen, tickets.StatusPending, tickets.StatusResolved}, Limit: 100})
	if err != nil {
		d.t.Fatal(err)
	}
	for _, t := range list {
		messages, err := d.db.Messages(ctx, t.ID)
		if err != nil {
			d.t.Fatal(err)
		}
		all = append(all, messages)
	}
	return all
}

func files(messages []tickets.Message) (list []tickets.Attachment) {
	for _, m := range messages {
		list = append(list, m.Attachments...)
	}
	return list
}

// F05: a voicemail with every webhook twice, shuffled, the end first, and a
// recording that is not ready at first: one ticket, with the recording once.
func TestVoicemailBecomesATicket(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]twiliosim.Config{
		"in order":                   {},
		"twice, shuffled, end first": {Duplicate: true, ShuffleStatus: true, CompletedFirst: true},
		"recording is late":          {RecordingLag: 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newPhoneDesk(t, c)
			call, err := d.sim.Dial(twiliosim.Inbound{From: annaNumber, To: ourNumber, CallerName: "ANNA", Script: []twiliosim.Step{press("2"), leaves(12)}})
			if err != nil {
				t.Fatal(err)
			}
			d.sim.Wait()
			f := d.fetcher(nil)
			d.decide()
			for range 8 {
				d.fetch(f)
				d.decide()
				d.advance(10 * time.Second)
			}
			d.advance(2 * time.Minute)
			d.decide()
			all := d.told()
			if len(all) != 1 {
				t.Fatalf("%d tickets", len(all))
			}
			got := files(all[0])
			if len(got) != 1 || got[0].ContentType != "audio/mpeg" || got[0].Filename != "voicemail-2026-03-04-2100.mp3" || got[0].Part != tickets.WholeRow {
				t.Fatalf("%+v", got)
			}
			raw, err := d.db.Raw(t.Context(), got[0].Ledger)
			if err != nil || len(raw) != got[0].Size || raw[0] != 0xff {
				t.Errorf("%d bytes, want %d, %v", len(raw), got[0].Size, err)
			}
			text := ""
			for _, m := range all[0] {
				text += m.Text
			}
			if strings.Count(text, "My printer is on fire.") != 1 {
				t.Errorf("transcript: %q", text)
			}
			if n := len(d.sim.Recordings()); n != 1 {
				t.Errorf("%d recordings are left of %s", n, call.SID)
			}
		})
	}
}

// The recording cannot be fetched for a while: the call is told of after a
// minute all the same, and the recording follows.
func TestRecordingThatComesLater(t *testing.T) {
	t.Parallel()
	d := newPhoneDesk(t, twiliosim.Config{})
	d.sim.AddFault(twiliosim.Fault{Match: "/Recordings/", N: 6, Status: 503, Code: 20503})
	if _, err := d.sim.Dial(twiliosim.Inbound{From: annaNumber, To: ourNumber, Script: []twiliosim.Step{press("2"), leaves(12)}}); err != nil {
		t.Fatal(err)
	}
	d.sim.Wait()
	f := d.fetcher(nil)
	d.fetch(f)
	d.decide()
	if n := len(d.told()); n != 0 {
		t.Fatalf("%d tickets at once, want none before the recording had its minute", n)
	}
	d.advance(recordingWait + time.Second)
	d.decide()
	all := d.told()
	if len(all) != 1 || len(files(all[0])) != 0 {
		t.Fatalf("after a minute: %+v", all)
	}
	for range 8 {
		d.fetch(f)
		d.advance(5 * time.Minute)
	}
	d.decide()
	if all = d.told(); len(all) != 1 || len(files(all[0])) != 1 {
		t.Errorf("after the outage: %+v", all)
	}
	if got := f.Counts(); got["stored"] != 1 || got["later"] != 6 {
		t.Errorf("%v", got)
	}
}

// A recording that is gone at Twilio is given up after a day, not asked for ever.
func TestRecordingIsGivenUp(t *testing.T) {
	t.Parallel()
	d := newPhoneDesk(t, twiliosim.Config{})
	if _, err := d.sim.Dial(twiliosim.Inbound{From: annaNumber, To: ourNumber, Script: []twiliosim.Step{press("2"), leaves(12)}}); err != nil {
		t.Fatal(err)
	}
	d.sim.Wait()
	if err := d.client.DeleteRecording(t.Context(), d.sim.Recordings()[0]); err != nil {
		t.Fatal(err)
	}
	f := d.fetcher(nil)
	for range 200 {
		d.fetch(f)
		d.advance(10 * time.Minute)
		d.decide()
	}
	next, err := d.db.NextFetch(t.Context())
	if got := f.Counts(); got["given-up"] != 1 || got["stored"] != 0 || got["later"] > 110 || !next.IsZero() || err != nil {
		t.Errorf("%v, next %v, %v", got, next, err)
	}
	all := d.told()
	if len(all) != 1 {
		t.Fatalf("%+v", all)
	}
	if n := len(all[0]); n != 2 || all[0][n-1].Direction != tickets.DirectionNote || !strings.Contains(all[0][n-1].Text, "could not be fetched") {
		t.Errorf("%+v", all[0])
	}
}

// What a webhook names elsewhere is never fetched, signed or not.
func TestNothingIsFetchedElsewhere(t *testing.T) {
	t.Parallel()
	d := newPhoneDesk(t, twiliosim.Config{})
	asked := 0
	elsewhere := roundTrip(func(r *http.Request) (*http.Response, error) {
		if r.URL.Host != "api.twilio.test" {
			asked++
		}
		return twiliosim.Direct(d.sim).RoundTrip(r)
	})
	var err error
	d.client, err = phone.NewClient(phone.Options{AccountSID: simAccount, AuthToken: simToken, BaseURL: d.sim.APIBase, Transport: elsewhere, Retries: -1})
	if err != nil {
		t.Fatal(err)
	}
	state := phone.State{Step: phone.StepRecording}
	d.post(hook(phone.LinePath(ourNumber)+state.Path(), form("CallSid", twiliosim.SID("CA"), "RecordingSid", twiliosim.SID("RE"), "RecordingStatus", "completed", "RecordingUrl", "http://169.254.169.254/latest/meta-data")))
	for _, at := range []string{"http://169.254.169.254/latest", "https://api.twilio.test.evil.example/2010-04-01/x", "https://api.twilio.test/2010-04-01/Accounts/AC" + strings.Repeat("f", 32) + "/Messages/" + twiliosim.SID("MM") + "/Media/" + twiliosim.SID("ME")} {
		d.post(hook(phone.PathSMS, form("MessageSid", twiliosim.SID("MM"), "From", annaNumber, "To", ourNumber, "Body", "x", "NumMedia", "1", "MediaUrl0", at, "MediaContentType0", "image/png")))
	}
	f := d.fetcher(nil)
	d.fetch(f)
	if got := f.Counts(); asked != 0 || got["given-up"] != 3 || got["later"] != 1 {
		t.Errorf("%d requests elsewhere, %v", asked, got)
	}
	d.decide() // nobody waits for what was given up
	if all := d.told(); len(all) == 0 {
		t.Error("nobody was told of the texts")
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A picture is part of the text that it came with.
func TestTextWithPictures(t *testing.T) {
	t.Parallel()
	d := newPhoneDesk(t, twiliosim.Config{})
	for _, to := range []string{ourNumber, "whatsapp:" + ourNumber} {
		from := annaNumber
		if strings.HasPrefix(to, "whatsapp:") {
			from = "whatsapp:" + annaNumber
		}
		_, err := d.sim.Text(twiliosim.Text{From: from, To: to, Body: "Look at this", Media: []twiliosim.TextMedia{{Type: "image/png", Data: []byte("png")}, {Type: "application/x-evil", Data: []byte("exe")}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	d.decide()
	if n := len(d.told()); n != 0 {
		t.Fatalf("%d tickets before the pictures", n)
	}
	d.fetch(d.fetcher(nil))
	d.decide()
	all := d.told()
	if len(all) != 2 {
		t.Fatalf("%d tickets", len(all))
	}
	for _, messages := range all {
		got := files(messages[:1])
		if len(got) != 2 || got[0].Filename != "image-1.png" || got[0].Refused != "" || got[1].Filename != "file-2" {
			t.Errorf("%+v", got)
		}
		if raw, err := d.db.Raw(t.Context(), got[0].Ledger); err != nil || string(raw) != "png" {
			t.Errorf("%q, %v", raw, err)
		}
	}
}

// G14: every webhook is lost for an hour. Each text and voicemail is taken in
// once, however often is looked, and a webhook that comes after all adds nothing.
func TestLostWebhooksAreMadeUpFor(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); lostAndFound(t, newPhoneDesk(t, twiliosim.Config{})) })
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		lostAndFound(t, newPhoneDeskIn(t, twiliosim.Config{}, storetest.Postgres(t)))
	})
}

func lostAndFound(t *testing.T, d *phoneDesk) {
	var late []twiliosim.Event
	d.sim.Lose("", -1)
	for _, body := range []string{"one", "two", "three"} {
		if _, err := d.sim.Text(twiliosim.Text{From: annaNumber, To: ourNumber, Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.sim.Text(twiliosim.Text{From: "whatsapp:+491701112223", To: "whatsapp:" + ourNumber, Body: "four", Media: []twiliosim.TextMedia{{Type: "image/png", Data: []byte("png")}}}); err != nil {
		t.Fatal(err)
	}
	d.sim.Found()
	d.sim.Lose("recording-status", -1)
	d.sim.Lose("transcription", -1)
	d.sim.Lose("call-status", -1)
	if _, err := d.sim.Dial(twiliosim.Inbound{From: "+491705556667", To: ourNumber, Script: []twiliosim.Step{press("2"), leaves(12)}}); err != nil {
		t.Fatal(err)
	}
	d.sim.Wait()
	late = d.sim.Find("lost", "")
	d.advance(time.Hour)
	r, f := d.reconciler(true), d.fetcher(nil)
	for range 3 {
		if _, err := r.Pass(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.fetch(f)
		d.decide()
		d.advance(2 * time.Minute)
		d.decide()
	}
	if got := r.Brought(); got != 6 { // four texts, a recording, the end of a call
		t.Errorf("brought %d", got)
	}
	if got, err := CompareTwilio(t.Context(), d.db, d.client, d.rules, d.now(), 3); err != nil || got.Listed != 5 || got.Ledger != 5 || got.Missing != nil {
		t.Errorf("%+v, %v", got, err) // the recording is deleted there by now
	}
	check := func() {
		t.Helper()
		var texts []string
		sound := 0
		for _, messages := range d.told() {
			for _, m := range messages {
				if m.Direction == tickets.DirectionIn && m.Channel != tickets.ChannelVoice {
					texts = append(texts, m.Text)
				}
			}
			for _, a := range files(messages) {
				if a.ContentType == "audio/mpeg" {
					sound++
				}
			}
		}
		slices.Sort(texts)
		if strings.Join(texts, " ") != "four one three two" || sound != 1 {
			t.Errorf("%q, %d recordings", texts, sound)
		}
	}
	check()
	if n := len(d.sim.Recordings()); n != 0 {
		t.Errorf("%d recordings are left at the telephone company", n)
	}
	for _, e := range late {
		u := strings.TrimPrefix(e.URL, deskURL)
		u, _, _ = strings.Cut(u, "#")
		if w := d.post(hook(u, e.Params)); w.Code >= 300 {
			t.Errorf("%s: %d", e.URL, w.Code)
		}
	}
	d.fetch(f)
	d.decide()
	d.advance(2 * time.Minute)
	d.decide()
	check()
}

// A crash between storing a recording and deleting it there: the reconciler
// deletes it, and keeps what is not here.
func TestRecordingsAreDeletedOnceStored(t *testing.T) {
	t.Parallel()
	d := newPhoneDesk(t, twiliosim.Config{})
	for range 2 {
		if _, err := d.sim.Dial(twiliosim.Inbound{From: annaNumber, To: ourNumber, Script: []twiliosim.Step{press("2"), leaves(12)}}); err != nil {
			t.Fatal(err)
		}
	}
	d.sim.Wait()
	list, err := d.db.ClaimFetches(t.Context(), 1, d.now(), d.now().Add(time.Hour)) // one hangs
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	d.fetch(d.fetcher(nil)) // stored, and not deleted
	d.advance(2 * time.Minute)
	if _, err := d.reconciler(false).Pass(t.Context()); err != nil || len(d.sim.Recordings()) != 2 {
		t.Fatal(d.sim.Recordings(), err)
	}
	if _, err := d.reconciler(true).Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := d.sim.Recordings(); len(left) != 1 || left[0] != list[0].RecordingSid {
		t.Errorf("%v are left, want %s", left, list[0].RecordingSid)
	}
}

// A withheld number is nobody's profile, whatever digits stand in its place.
func TestWithheldCallersAreNobody(t *testing.T) {
	t.Parallel()
	d := newPhoneDesk(t, twiliosim.Config{})
	for _, from := range []string{"+266696687", "anonymous"} {
		if _, err := d.sim.Dial(twiliosim.Inbound{From: from, To: ourNumber, Script: []twiliosim.Step{press("2"), leaves(12)}}); err != nil {
			t.Fatal(err)
		}
	}
	d.sim.Wait()
	d.fetch(d.fetcher(nil))
	d.decide()
	d.advance(2 * time.Minute)
	d.decide()
	list, err := d.db.Tickets(t.Context(), store.TicketQuery{Brand: "baleyo", Limit: 10})
	if err != nil || len(list) != 2 {
		t.Fatalf("%d tickets, %v", len(list), err)
	}
	for _, x := range list {
		if x.Requester != 0 && len(x.Participants) > 0 {
			t.Errorf("ticket %d: requester %d, participants %+v", x.ID, x.Requester, x.Participants)
		}
	}
	if p, err := d.db.PersonByAddress(t.Context(), "baleyo", "tel:+266696687"); err == nil {
		t.Errorf("a profile of nobody: %+v", p)
	}
}

// The number that was not configured is configured, and its text released.
func TestTextOfANumberConfiguredLater(t *testing.T) {
	t.Parallel()
	d := newPhoneDesk(t, twiliosim.Config{})
	d.post(hook(phone.PathSMS, form("MessageSid", twiliosim.SID("SM"), "From", annaNumber, "To", "+49305550000", "Body", "hello")))
	d.decide()
	held, err := d.db.Quarantine(t.Context())
	if err != nil || len(held) != 1 || held[0].Reason != "unknown-number" {
		t.Fatalf("%+v, %v", held, err)
	}
	b := d.rules.Brands["baleyo"]
	b.Phones = append(b.Phones, tickets.Phone{Number: "+49305550000", Queue: "support", Mailbox: "support@baleyo.test", Texts: true})
	d.rules.Brands["baleyo"] = b
	if _, err := d.db.ReleaseQuarantined(t.Context(), []int64{held[0].ID}, "operator", d.now()); err != nil {
		t.Fatal(err)
	}
	d.decide()
	if all := d.told(); len(all) != 1 || all[0][0].Text != "hello" {
		t.Errorf("%+v", all)
	}
}

// script writes a program for the operator's part.
func script(t *testing.T, body string) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "transcribe")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return []string{path}
}

// A program's transcript is a row in the form of Twilio's, once for a recording.
func TestTranscriptByAProgram(t *testing.T) {
	t.Parallel()
	d := newPhoneDesk(t, twiliosim.Config{})
	p := d.plans[ourNumber]
	p.Transcribe = false
	d.plans[ourNumber] = p
	tr := NewTranscriber(TranscriberOptions{DB: d.db, Rules: func() tickets.Rules { return d.rules }, Now: d.now,
		Command: func() ([]string, time.Duration) {
			return script(t, `echo "$(wc -c) bytes of sound; knows $(env | cut -d= -f1 | grep -vx -e PATH -e LANG -e HOME -e PWD -e OLDPWD -e SHLVL -e _ | wc -l) secrets"`), time.Minute
		}})
	if _, err := d.sim.Dial(twiliosim.Inbound{From: annaNumber, To: ourNumber, Script: []twiliosim.Step{press("2"), leaves(12)}}); err != nil {
		t.Fatal(err)
	}
	d.sim.Wait()
	var got []Recorded
	d.fetch(d.fetcher(func(r Recorded) { got = append(got, r) }))
	d.decide()
	if n := len(d.told()); n != 0 {
		t.Fatalf("%d tickets before the transcript had its time", n)
	}
	for range 2 {
		tr.one(t.Context(), got[0])
	}
	d.decide()
	all := d.told()
	if len(all) != 1 || !strings.Contains(all[0][0].Text, "bytes of sound; knows 0 secrets") || len(files(all[0])) != 1 {
		t.Errorf("%+v", all)
	}
	row, err := d.db.HasKeys(t.Context(), []string{"transcript:" + got[0].Sid})
	if err != nil || len(row) != 1 {
		t.Errorf("%v, %v", row, err)
	}
}

// A program that fails, says nothing, or hangs with a child: the call waits no
// longer for it.
func TestProgramThatDoesNotTranscribe(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("no sh")
	}
	t.Parallel()
	for name, c := range map[string]struct {
		body, want string
		limit      time.Duration
	}{
		"fails":         {"echo half; echo broken >&2; exit 3", "broken", time.Minute},
		"says nothing":  {"cat >/dev/null", "wrote nothing", time.Minute},
		"hangs":         {"sleep 600 & sleep 600", "deadline exceeded", 200 * time.Millisecond},
		"does not read": {"echo words", "", time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			text, err := transcribe(t.Context(), script(t, c.body), c.limit, make([]byte, 1<<20))
			if c.want == "" && (err != nil || text != "words") || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%q, %v", text, err)
			}
			if time.Since(began) > 30*time.Second {
				t.Errorf("took %s", time.Since(began))
			}
		})
	}
}

// An agent takes the call with a key: the ticket says who, and nobody is texted
// that the call was missed.
func TestCallThatAnAgentTakes(t *testing.T) {
	t.Parallel()
	d := newPhoneDesk(t, twiliosim.Config{ShuffleStatus: true, Duplicate: true})
	d.open = true
	d.sim.SetCallee(agentPhone, twiliosim.Callee{Script: []twiliosim.Step{press("1")}})
	if _, err := d.sim.Dial(twiliosim.Inbound{From: annaNumber, To: ourNumber, Script: []twiliosim.Step{press("2")}}); err != nil {
		t.Fatal(err)
	}
	d.sim.Wait()
	d.decide()
	all := d.told()
	if len(all) != 1 || len(all[0]) != 1 || !strings.Contains(all[0][0].Text, "Asha") {
		t.Errorf("%+v", all)
	}
	letters, err := d.db.LettersWhere(t.Context(), nil, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range letters {
		if l.Kind == tickets.LetterMissedCall {
			t.Errorf("%+v", l)
		}
	}
}
