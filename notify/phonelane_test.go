package notify

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"frontdesk/internal/testmail"
	"frontdesk/internal/twiliosim"
	"frontdesk/phone"
	"frontdesk/store"
	"frontdesk/tickets"
)

// These tests run against the simulated telephone company, in fake time, over a
// real store.

const (
	simAccount = "AC0123456789abcdef0123456789abcdef"
	simToken   = "0123456789abcdef0123456789abcdef"
	asha       = "+4917055501234"
)

// desk answers the webhooks of calls and notes those of texts.
type hooks struct {
	mu    sync.Mutex
	paths []string
}

func (h *hooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	h.paths = append(h.paths, r.URL.Path)
	h.mu.Unlock()
	w.Header().Set("Content-Type", phone.ContentType)
	if p, rest, err := phone.ReadAlarmPath(r.URL.Path); err == nil && rest == "" {
		_, _ = w.Write(phone.Alarm{Base: "https://desk.example" + p.String(), Language: p.Language, Ticket: p.Ticket, Customer: p.Customer}.Ask(1))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (h *hooks) count(part string) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.paths {
		if strings.Contains(p, part) {
			n++
		}
	}
	return n
}

// exchangeBench is a bench with a telephone.
type phoneBench struct {
	*bench
	sim    *twiliosim.Sim
	hooks  *hooks
	limits phone.Limits
}

func withPhone(t *testing.T, f func(t *testing.T, b *phoneBench)) {
	t.Helper()
	t.Parallel()
	inBubble(t, testmail.SMTPOptions{}, func(t *testing.T, bb *bench) {
		b := &phoneBench{bench: bb, hooks: &hooks{}, limits: phone.Limits{Prefixes: []string{"+49"}, Denied: []string{"+49137"}, Segments: 100, Calls: 10}}
		b.sim = twiliosim.New(twiliosim.Config{AccountSID: simAccount, AuthToken: simToken, APIBase: "https://sim.example", Transport: twiliosim.Direct(b.hooks)})
		b.sim.AddNumber(twiliosim.Number{E164: tickets.Number(ourLine)})
		b.sim.AddNumber(twiliosim.Number{E164: ourApp})
		b.opt.PublicURL = "https://desk.example"
		b.opt.Phone = &Telephone{
			Client: b.client(twiliosim.Direct(b.sim)),
			Lines:  func() map[string]Line { return map[string]Line{ourLine: {}, ourApp: {Template: "HX42"}} },
			Limits: func() phone.Limits { return b.limits },
			Zone:   mustLocation(t, "Europe/Berlin"),
		}
		rules := b.opt.Rules()
		rules.Agents["asha@baleyo.example"] = tickets.Agent{Name: "Asha", Address: "asha@baleyo.example", Phone: asha}
		b.opt.Rules = func() tickets.Rules { return rules }
		f(t, b)
		b.stop()
		b.sim.Wait()
	})
}

func (b *phoneBench) client(trip http.RoundTripper) *phone.Client {
	c, err := phone.NewClient(phone.Options{AccountSID: simAccount, AuthToken: simToken, BaseURL: "https://sim.example", Transport: trip})
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

// after lets time pass, and everything that is due in it.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func textTo(to, words string) tickets.Letter {
	l := letterTo(to)
	l.Mailbox, l.Data.Text = ourLine, words
	if strings.HasPrefix(to, "whatsapp:") {
		l.Mailbox = ourApp
	}
	return l
}

func ring(to string) tickets.Letter {
	l := textTo("tel:"+to, "")
	l.Kind, l.Agent, l.Data.From = tickets.LetterRing, true, "Maria Keller"
	return l
}

func (b *phoneBench) wantTexts(want ...string) []twiliosim.Message {
	b.t.Helper()
	var got []string
	sent := b.sim.Outbox()
	for _, m := range sent {
		got = append(got, m.Body)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		b.t.Fatalf("sent %q, want %q\n%s", got, want, b.log.b.String())
	}
	return sent
}

func TestTextIsSentOnce(t *testing.T) {
	withPhone(t, func(t *testing.T, b *phoneBench) {
		b.start()
		id := b.queue(textTo(anna, "Please try the other port."))[0]
		synctest.Wait()
		m := b.wantTexts("Please try the other port.")[0]
		i := b.wantState(id, store.LetterSent, 1)
		if i.MessageID != m.SID || m.From != "+49301234567" || m.To != "+4915112345678" {
			t.Errorf("%+v, stored as %q", m, i.MessageID)
		}
		want := phone.StatusPath{Brand: "baleyo", Letter: id}
		if m.StatusCallback != "https://desk.example"+want.String()+phone.Retries {
			t.Errorf("callback %q", m.StatusCallback)
		}
		if b.hooks.count(want.String()) != 3 {
			t.Errorf("webhooks %q", b.hooks.paths)
		}
		_, _, raw, err := b.db.LetterByID(t.Context(), id)
		shown, err2 := ShowPosted(raw)
		if err != nil || err2 != nil || !strings.Contains(shown, "1 segment (GSM-7, 26 of 160)") || !strings.Contains(shown, "other port") {
			t.Errorf("shown as %q: %v %v", shown, err, err2)
		}
		if spent, err := b.db.SpentOn(t.Context(), phone.Day(time.Now(), b.opt.Phone.Zone)); err != nil || spent != (store.Spent{Segments: 1}) {
			t.Errorf("spent %+v, %v", spent, err)
		}
		after(time.Hour)
		b.wantTexts("Please try the other port.")
	})
}

// F08, G5: the text was taken and its answer lost.
func TestLostAnswerSendsNoSecondText(t *testing.T) {
	for name, fault := range map[string]twiliosim.Fault{
		"cut":   {Match: "/Messages", Method: "POST", N: 1, After: true, Cut: true},
		"503":   {Match: "/Messages", Method: "POST", N: 1, After: true, Status: 503, Code: 20503},
		"proxy": {Match: "/Messages", Method: "POST", N: 1, After: true, Status: 502, Plain: true},
	} {
		t.Run(name, func(t *testing.T) {
			withPhone(t, func(t *testing.T, b *phoneBench) {
				b.sim.AddFault(fault)
				b.start()
				id := b.queue(textTo(anna, "Once."))[0]
				after(time.Minute)
				m := b.wantTexts("Once.")[0]
				if i := b.info(id); i.State != store.LetterSent || i.MessageID != m.SID || i.Doubts != 0 {
					t.Errorf("%+v", i)
				}
				if s := b.sender.Stats(); s.Doubts != 1 || s.Resent != 0 || s.Sent != 1 {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

// The text was not taken: it is sent again, once it is known.
func TestLostRequestIsSentAgain(t *testing.T) {
	withPhone(t, func(t *testing.T, b *phoneBench) {
		b.sim.AddFault(twiliosim.Fault{Match: "/Messages", Method: "POST", N: 1, Cut: true})
		b.start()
		id := b.queue(textTo(anna, "Once."))[0]
		synctest.Wait()
		b.wantTexts()
		if i := b.info(id); i.State != store.LetterDot {
			t.Fatalf("%+v", i)
		}
		after(lookAfter - time.Second)
		if n := len(b.sim.Find("rest", "api")); n != 1 {
			t.Errorf("%d requests: looked up too early", n)
		}
		after(time.Minute)
		b.wantTexts("Once.")
		b.wantState(id, store.LetterSent, 2)
	})
}

// Two letters with the same words to one number, both answers lost: two texts.
func TestSameWordsTwice(t *testing.T) {
	for name, faults := range map[string][]twiliosim.Fault{
		"both taken":   {{Match: "/Messages", Method: "POST", N: 2, After: true, Cut: true}},
		"first lost":   {{Match: "/Messages", Method: "POST", N: 1, Cut: true}},
		"second taken": {{Match: "/Messages", Method: "POST", N: 1, Cut: true}, {Match: "/Messages", Method: "POST", N: 1, After: true, Cut: true}},
		"both lost":    {{Match: "/Messages", Method: "POST", N: 2, Cut: true}},
		"lookup fails": {{Match: "/Messages", Method: "POST", N: 2, After: true, Cut: true}, {Match: "/Messages", Method: "GET", N: 5, Status: 500}},
	} {
		t.Run(name, func(t *testing.T) {
			withPhone(t, func(t *testing.T, b *phoneBench) {
				for _, f := range faults {
					b.sim.AddFault(f)
				}
				b.start()
				ids := b.queue(textTo(anna, "Yes."), textTo(anna, "Yes."))
				after(30 * time.Minute)
				b.wantTexts("Yes.", "Yes.")
				sids := map[string]bool{}
				for _, id := range ids {
					i := b.info(id)
					if i.State != store.LetterSent {
						t.Errorf("%+v", i)
					}
					sids[i.MessageID] = true
				}
				if len(sids) != 2 {
					t.Errorf("two letters have one text: %v", sids)
				}
			})
		})
	}
}

// dies is a carrier whose desk dies around the request.
type dies struct {
	*phone.Client
	taken bool // the request still went out
	kill  func()
}

func (d *dies) SendMessage(ctx context.Context, m phone.Outgoing) (string, error) {
	if d.taken {
		if _, err := d.Client.SendMessage(ctx, m); err != nil {
			return "", err
		}
	}
	d.kill()
	return "", io.ErrUnexpectedEOF
}

// A desk that dies between the dot and the answer looks the text up when it is
// back, whether it was taken or not.
func TestCrashAfterTheDot(t *testing.T) {
	for name, taken := range map[string]bool{"taken": true, "not taken": false} {
		t.Run(name, func(t *testing.T) {
			withPhone(t, func(t *testing.T, b *phoneBench) {
				deaf := &deafStore{DB: b.db}
				b.box = deaf
				client := b.client(twiliosim.Direct(b.sim))
				b.opt.Phone.Client = &dies{client, taken, deaf.die}
				b.start()
				id := b.queue(textTo(anna, "Once."))[0]
				synctest.Wait()
				b.stop() // nothing of it is stored any more
				if i := b.info(id); i.State != store.LetterDot {
					t.Fatalf("%+v", i)
				}
				before := len(b.sim.Outbox())
				b.box, b.opt.Phone.Client = b.db, client
				b.start()
				after(claimLease + time.Minute) // the claim of the dead one runs out
				b.wantTexts("Once.")
				if i := b.info(id); i.State != store.LetterSent || i.MessageID != b.sim.Outbox()[0].SID {
					t.Errorf("%+v", i)
				}
				if want := map[bool]int{true: 1}[taken]; before != want {
					t.Errorf("%d texts before, want %d", before, want)
				}
			})
		})
	}
}

// deafStore stores no results once its desk is dead.
type deafStore struct {
	*store.DB
	mu   sync.Mutex
	dead bool
}

func (d *deafStore) die() { d.mu.Lock(); defer d.mu.Unlock(); d.dead = true }

func (d *deafStore) Mark(ctx context.Context, results []store.Result) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dead {
		return 0, nil
	}
	return d.DB.Mark(ctx, results)
}

func TestCarrierRefuses(t *testing.T) {
	for _, c := range []struct {
		name, to string
		fault    *twiliosim.Fault
		code     string
		detail   string
	}{
		{"stopped", anna, &twiliosim.Fault{Match: "/Messages", Method: "POST", N: 1, Status: 400, Code: 21610}, "twilio 21610 stopped", "wants no texts from this number (STOP)"},
		{"window", "whatsapp:+4915112345678", &twiliosim.Fault{Match: "/Messages", Method: "POST", N: 1, Status: 400, Code: 63016}, "twilio 63016 window", "within 24 hours"},
		{"landline", anna, &twiliosim.Fault{Match: "/Messages", Method: "POST", N: 1, Status: 400, Code: 30006}, "twilio 30006 landline", "landline"},
		{"unknown code", anna, &twiliosim.Fault{Match: "/Messages", Method: "POST", N: 1, Status: 400, Code: 20999}, "twilio 20999", "simulated fault"},
	} {
		t.Run(c.name, func(t *testing.T) {
			withPhone(t, func(t *testing.T, b *phoneBench) {
				b.sim.AddFault(*c.fault)
				b.start()
				id := b.queue(textTo(c.to, "Hello."))[0]
				after(time.Hour)
				b.wantTexts()
				i := b.wantState(id, store.LetterFailed, 1)
				if i.Code != c.code || !strings.Contains(i.Detail, c.detail) {
					t.Errorf("%q %q", i.Code, i.Detail)
				}
				// The agents of the ticket are told as of a refused mail.
				untold, err := b.db.Untold(t.Context(), "baleyo", time.Now().Add(-2*time.Hour), 10)
				if err != nil || len(untold) != 1 || untold[0].ID != id {
					t.Errorf("untold %+v, %v", untold, err)
				}
			})
		})
	}
}

func TestCarrierAsksToWait(t *testing.T) {
	withPhone(t, func(t *testing.T, b *phoneBench) {
		slow := &waits{next: twiliosim.Direct(b.sim), seconds: "120", left: 1}
		b.opt.Phone.Client = b.client(slow)
		b.start()
		ids := b.queue(textTo(anna, "One."), textTo(anna, "Two."))
		after(119 * time.Second)
		b.wantTexts()
		if slow.asked != 1 {
			t.Errorf("asked %d times while it was told to wait", slow.asked)
		}
		if b.wantState(ids[0], store.LetterQueued, 1); b.info(ids[0]).Code != "twilio 20429 slow-down" {
			t.Errorf("%+v", b.info(ids[0]))
		}
		after(15 * time.Second)
		b.wantTexts("One.", "Two.")
	})
}

// waits answers 429 with Retry-After.
type waits struct {
	next    http.RoundTripper
	seconds string
	left    int
	asked   int
}

func (w *waits) RoundTrip(r *http.Request) (*http.Response, error) {
	w.asked++
	if w.left--; w.left >= 0 {
		return &http.Response{StatusCode: 429, Header: http.Header{"Retry-After": {w.seconds}}, Request: r,
			Body: io.NopCloser(strings.NewReader(`{"code":20429,"message":"Too Many Requests"}`))}, nil
	}
	return w.next.RoundTrip(r)
}

// A token that is refused, or a network that is away, keeps every letter, and is
// told once.
func TestCarrierAway(t *testing.T) {
	withPhone(t, func(t *testing.T, b *phoneBench) {
		b.sim.AddFault(twiliosim.Fault{Match: "/Messages", Method: "POST", N: 4, Status: 401, Code: 20003})
		b.start()
		var letters []tickets.Letter
		var want []string
		for n := range 40 {
			letters = append(letters, textTo(anna, fmt.Sprint("number ", n)))
			want = append(want, fmt.Sprint("number ", n))
		}
		b.queue(letters...)
		after(10 * time.Minute)
		b.wantTexts(want...) // in their order
		if n := b.log.count("telephone company away"); n != 1 {
			t.Errorf("told %d times", n)
		}
	})
}

// TestTroubleOfADroppedText: nothing waits for the telephone company any more.
func TestTroubleOfADroppedText(t *testing.T) {
	withPhone(t, func(t *testing.T, b *phoneBench) {
		b.sim.AddFault(twiliosim.Fault{Match: "/Messages", Method: "POST", N: 4, Status: 401, Code: 20003})
		b.start()
		ids := b.queue(textTo(anna, "Hello."))
		after(2 * time.Second)
		if len(b.sender.Troubles()) != 1 {
			t.Fatalf("troubles: %+v", b.sender.Troubles())
		}
		if err := b.db.SetLetter(t.Context(), ids[0], store.LetterDropped, "asha", time.Now()); err != nil {
			t.Fatal(err)
		}
		after(2 * time.Minute)
		if list := b.sender.Troubles(); len(list) != 0 {
			t.Errorf("troubles without a text: %+v", list)
		}
	})
}

// F09: a mistake, or somebody with bad intent, asks for five hundred texts to an
// expensive number and calls into a country that is not ours.
func TestForbiddenNumbers(t *testing.T) {
	withPhone(t, func(t *testing.T, b *phoneBench) {
		b.start()
		var letters []tickets.Letter
		for n := range 500 {
			to := []string{"tel:+499001234567", "tel:+491371234567", "tel:+491801234567", "tel:+79161234567"}[n%4]
			l := textTo(to, "Hello.")
			if n%8 > 3 {
				l.Kind, l.Agent, l.Data.From = tickets.LetterRing, true, "Maria"
			}
			letters = append(letters, l)
		}
		ids := b.queue(letters...)
		after(2 * time.Minute)
		b.wantTexts()
		if calls := b.sim.Calls(); len(calls) != 0 || len(b.sim.Find("rest", "api")) != 0 {
			t.Errorf("%d calls, %d requests", len(calls), len(b.sim.Find("rest", "api")))
		}
		for _, id := range ids {
			if i := b.info(id); i.State != store.LetterFailed || !strings.HasPrefix(i.Code, "limit ") {
				t.Fatalf("%+v", i)
			}
		}
		if n := b.log.count("telephone limit met"); n != 2 { // premium, prefix
			t.Errorf("%d alerts", n)
		}
		if strings.Contains(b.log.b.String(), "9001234567") {
			t.Error("a whole number in the log")
		}
		spent, err := b.db.SpentOn(t.Context(), phone.Day(time.Now(), b.opt.Phone.Zone))
		if err != nil || spent != (store.Spent{}) {
			t.Errorf("spent %+v, %v", spent, err)
		}
	})
}

// F07: what waits in the outbox when STOP comes does not leave; another line, and
// an agent, still get theirs, and so does the customer after START.
func TestQueuedTextAfterStop(t *testing.T) {
	withPhone(t, func(t *testing.T, b *phoneBench) {
		consent := func(c tickets.Change) {
			t.Helper()
			c.Brand = "baleyo"
			if err := b.db.Decide(t.Context(), "baleyo", func(tx *store.Tx) error {
				_, err := tx.Save(t.Context(), 0, "", "", c, time.Now())
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		pair := tickets.LineConsent{Number: anna, Line: ourLine}
		survey := textTo(anna, "How was it?")
		survey.Kind, survey.Data.Survey = tickets.LetterSurvey, &tickets.Survey{ID: 1, Kind: tickets.SurveyCSAT}
		agent := textTo(anna, "For an agent.")
		agent.Kind, agent.Agent, agent.Data.From = tickets.LetterRingText, true, "Maria Keller"
		stopped := b.queue(survey, textTo(anna, "An answer."))
		others := b.queue(textTo("whatsapp:"+tickets.Number(anna), "By WhatsApp."), agent)
		consent(tickets.Change{Stop: []tickets.LineConsent{pair}})
		b.start()
		after(time.Hour)
		for _, id := range stopped {
			if i := b.wantState(id, store.LetterFailed, 1); i.Code != tickets.CodeStopped || !strings.Contains(i.Detail, "STOP") {
				t.Errorf("letter %d: %q %q", id, i.Code, i.Detail)
			}
		}
		for _, id := range others {
			b.wantState(id, store.LetterSent, 1)
		}
		if n := len(b.sim.Outbox()); n != len(others) {
			t.Errorf("%d texts left, want %d", n, len(others))
		}
		consent(tickets.Change{Start: []tickets.LineConsent{pair}})
		again := b.queue(textTo(anna, "Welcome back."))[0]
		after(time.Hour)
		b.wantState(again, store.LetterSent, 1)
	})
}

// What is above the day's budget leaves the next day; alarms to agents' own
// numbers do not wait, alarms to anybody else's do.
func TestBudgetOfTheDay(t *testing.T) {
	withPhone(t, func(t *testing.T, b *phoneBench) {
		b.limits.Segments, b.limits.Calls = 5, 0
		b.start()
		var letters []tickets.Letter
		for n := range 8 {
			letters = append(letters, textTo(anna, fmt.Sprint("text ", n)))
		}
		ids := b.queue(letters...)
		synctest.Wait()
		b.wantTexts("text 0", "text 1", "text 2", "text 3", "text 4")
		if i := b.wantState(ids[7], store.LetterQueued, 1); i.Code != "limit segments" || i.Next.In(b.opt.Phone.Zone).Hour() != 0 {
			t.Errorf("%+v", i)
		}
		rings := b.queue(ring(asha), ring("+4915199999999"))
		time.Sleep(claimRest) // a burst has just been claimed
		synctest.Wait()
		b.wantState(rings[0], store.LetterSent, 1)
		if i := b.wantState(rings[1], store.LetterQueued, 1); i.Code != "limit calls" {
			t.Errorf("%+v", i)
		}
		if n := b.log.count("telephone limit met"); n != 2 { // segments, calls
			t.Errorf("%d alerts", n)
		}
		after(25 * time.Hour)
		if n := len(b.sim.Outbox()); n != 8 {
			t.Errorf("%d texts after a day", n)
		}
	})
}

func TestAlarmRingsAndHangsUp(t *testing.T) {
	withPhone(t, func(t *testing.T, b *phoneBench) {
		b.sim.SetCallee(asha, twiliosim.Callee{Script: []twiliosim.Step{{Silent: true}}})
		b.start()
		id := b.queue(ring(asha))[0]
		synctest.Wait()
		calls := b.sim.Calls()
		if len(calls) != 1 || calls[0].To != asha || calls[0].From != "+49301234567" {
			t.Fatalf("%+v\n%s", calls, b.log.b.String())
		}
		if i := b.wantState(id, store.LetterSent, 1); i.MessageID != calls[0].SID {
			t.Errorf("%+v", i)
		}
		if heard := strings.Join(calls[0].Heard, " "); !strings.Contains(heard, "Maria") || !strings.Contains(heard, "Critical ticket") {
			t.Errorf("heard %q", heard)
		}
		if b.hooks.count("/status") == 0 {
			t.Errorf("no status: %q", b.hooks.paths)
		}
		end := ring(asha)
		end.Kind, end.Data = tickets.LetterHangUp, tickets.LetterData{HangUp: id}
		over := b.queue(end)[0]
		synctest.Wait()
		b.wantState(over, store.LetterSent, 1)
		posts := 0
		for _, e := range b.sim.Find("rest", "api") {
			if e.Method == "POST" && strings.Contains(e.URL, calls[0].SID) {
				posts++
			}
		}
		if posts != 1 {
			t.Errorf("ended %d times", posts)
		}
	})
}

// A call whose answer was lost is not placed twice, and one that nobody needs
// any more is not placed at all.
func TestCallIsNotDoubled(t *testing.T) {
	withPhone(t, func(t *testing.T, b *phoneBench) {
		b.sim.AddFault(twiliosim.Fault{Match: "/Calls", Method: "POST", N: 1, After: true, Cut: true})
		b.start()
		id := b.queue(ring(asha))[0]
		after(time.Minute)
		i, calls := b.info(id), b.sim.Calls()
		if len(calls) != 1 || i.State != store.LetterSent || i.MessageID != calls[0].SID {
			t.Errorf("%+v, %+v", i, calls)
		}
	})
}

func TestHangUpBeforeTheCall(t *testing.T) {
	withPhone(t, func(t *testing.T, b *phoneBench) {
		b.sim.AddFault(twiliosim.Fault{Match: "/Calls", Method: "POST", N: 4, Status: 500})
		b.limits.Calls = 0
		b.start()
		id := b.queue(ring("+4915199999999"))[0] // not an agent's: waits for tomorrow
		synctest.Wait()
		end := ring(asha)
		end.Kind, end.Data = tickets.LetterHangUp, tickets.LetterData{HangUp: id}
		over := b.queue(end)[0]
		after(48 * time.Hour)
		if b.info(id).State != store.LetterDropped || b.info(over).State != store.LetterSent || len(b.sim.Calls()) != 0 {
			t.Errorf("%+v, %+v, %d calls", b.info(id), b.info(over), len(b.sim.Calls()))
		}
	})
}

// A call that was not placed in time rings nobody.
func TestStaleCall(t *testing.T) {
	withPhone(t, func(t *testing.T, b *phoneBench) {
		b.sim.AddFault(twiliosim.Fault{Match: "/Calls", Method: "POST", N: 1000, Status: 401, Code: 20003})
		b.start()
		id := b.queue(ring(asha))[0]
		after(time.Hour)
		if i := b.info(id); i.State != store.LetterFailed || i.Code != "expired" || len(b.sim.Calls()) != 0 {
			t.Errorf("%+v", i)
		}
	})
}

// The agent is called first; the customer's number is checked before.
func TestBridge(t *testing.T) {
	withPhone(t, func(t *testing.T, b *phoneBench) {
		bridge := func(customer string) tickets.Letter {
			l := ring(asha)
			l.Kind, l.Data = tickets.LetterBridge, tickets.LetterData{Number: customer, From: "Maria Keller"}
			return l
		}
		b.start()
		ids := b.queue(bridge("+4915112345678"), bridge("+499001234567"), bridge(""))
		synctest.Wait()
		b.wantState(ids[0], store.LetterSent, 1)
		if i := b.wantState(ids[1], store.LetterFailed, 1); i.Code != "limit premium" {
			t.Errorf("%+v", i)
		}
		b.wantState(ids[2], store.LetterFailed, 1)
		if calls := b.sim.Calls(); len(calls) != 1 || calls[0].To != asha || b.hooks.count("/twilio/bridge/baleyo/") == 0 {
			t.Errorf("%+v %q", calls, b.hooks.paths)
		}
		if spent, err := b.db.SpentOn(t.Context(), phone.Day(time.Now(), b.opt.Phone.Zone)); err != nil || spent.Calls != 2 {
			t.Errorf("spent %+v, %v", spent, err)
		}
	})
}

func TestWhatsAppTemplate(t *testing.T) {
	withPhone(t, func(t *testing.T, b *phoneBench) {
		l := textTo("whatsapp:+4915112345678", "")
		l.Kind = tickets.LetterTemplate
		b.start()
		id := b.queue(l)[0]
		synctest.Wait()
		i := b.wantState(id, store.LetterSent, 1)
		m := b.sim.Outbox()[0]
		if m.ContentSID != "HX42" || m.Body != "" || m.To != "whatsapp:+4915112345678" || m.From != ourApp ||
			m.ContentVariables != fmt.Sprintf(`{"1":"Baleyo","2":"%d"}`, i.Ticket) {
			t.Errorf("%+v", m)
		}
		if b.hooks.count("/twilio/whatsapp/status/baleyo/") == 0 {
			t.Errorf("webhooks %q", b.hooks.paths)
		}
	})
}

// Without a telephone account, or without its line, a text waits.
func TestTextWithoutItsLine(t *testing.T) {
	withPhone(t, func(t *testing.T, b *phoneBench) {
		b.opt.Phone = nil
		b.start()
		id := b.queue(textTo(anna, "Hello."))[0]
		synctest.Wait()
		if i := b.wantState(id, store.LetterQueued, 1); !strings.Contains(i.Detail, "no telephone account") {
			t.Errorf("%+v", i)
		}
		b.wantTexts()
	})
}

// A letter by mail and texts of two lines do not wait for each other.
func TestLinesAndMailboxesAreApart(t *testing.T) {
	withPhone(t, func(t *testing.T, b *phoneBench) {
		b.sim.AddFault(twiliosim.Fault{Match: "/Messages", Method: "POST", N: 1, Status: 401, Code: 20003})
		b.start()
		b.queue(textTo(anna, "first"))
		synctest.Wait()
		b.queue(letterTo("maria@keller.example"), textTo("whatsapp:+4915112345678", "second"))
		synctest.Wait()
		b.wantMails(supportBox, 1)
		b.wantTexts("second")
		after(time.Minute)
		b.wantTexts("second", "first")
	})
}
