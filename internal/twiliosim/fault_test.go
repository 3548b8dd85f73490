package twiliosim

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestLostWebhooks(t *testing.T) {
	t.Parallel()
	s, d, _ := rig(t, Config{})
	s.Lose("sms", 2)
	for _, body := range []string{"one", "two", "three"} {
		if _, err := s.Text(Text{From: anna, To: us, Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(d.tickets, "|"); got != anna+": three" || len(s.Find("lost", "sms")) != 2 {
		t.Fatalf("tickets %q", got)
	}
	s.Lose("", -1)
	c, err := s.Dial(Inbound{From: anna, To: us})
	if err != nil || c.Heard[0] != "An application error has occurred. Goodbye." {
		t.Fatal(c, err)
	}
	s.Found()
	if c, err = s.Dial(Inbound{From: anna, To: us}); err != nil || !strings.HasPrefix(c.Heard[0], "Press 1") {
		t.Fatal(c, err)
	}
}

// A POST is taken and its answer never arrives.
func TestCutAnswer(t *testing.T) {
	t.Parallel()
	s, _, _ := rig(t, Config{})
	s.AddFault(Fault{Match: "/Messages", Method: "POST", N: 1, After: true, Cut: true})
	form := url.Values{"To": {anna}, "From": {us}, "Body": {"hello"}}
	req, err := http.NewRequest("POST", s.APIBase+s.account()+"/Messages.json", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(testSID, testToken)
	if res, err := http.DefaultClient.Do(req); err == nil {
		t.Fatalf("answered %d", res.StatusCode)
	}
	if sent := s.Outbox(); len(sent) != 1 || sent[0].Body != "hello" {
		t.Fatal(sent)
	}
}

func TestPagesNewestFirst(t *testing.T) {
	t.Parallel()
	s, _, _ := rig(t, Config{Now: func() time.Time { return time.Date(2026, 3, 29, 12, 0, 0, 0, time.UTC) }})
	for _, body := range []string{"a", "b", "c", "d", "e"} {
		if _, err := s.Text(Text{From: anna, To: us, Body: body}); err != nil {
			t.Fatal(err)
		}
		s.Advance(24 * time.Hour)
	}
	s.Wait()
	bodies := func(path string) string {
		all := ""
		for path != "" {
			var page struct {
				Messages []struct{ Body, Direction string }
				Next     string `json:"next_page_uri"`
			}
			get(t, s, path, &page)
			for _, m := range page.Messages {
				if m.Direction == "inbound" {
					all += m.Body
				}
			}
			path = page.Next
		}
		return all
	}
	base := s.account() + "/Messages.json?PageSize=2"
	for query, want := range map[string]string{"": "edcba", "&To=%2B15550100001": "edcba", "&From=%2B1": "", "&DateSent%3E=2026-03-31T00:00:00Z": "edc"} {
		if got := bodies(base + query); got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
}

func get(t *testing.T, s *Sim, path string, into any) {
	t.Helper()
	req, err := http.NewRequest("GET", s.APIBase+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(testSID, testToken)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}

// Direct needs no socket: the webhook reaches the handler as it would by HTTP.
func TestDirect(t *testing.T) {
	t.Parallel()
	d := &desk{token: testToken, sid: testSID, seen: map[string]bool{}, base: "https://desk.example"}
	s := New(Config{AccountSID: testSID, AuthToken: testToken, Transport: Direct(d)})
	s.AddNumber(Number{E164: us, SMSURL: "https://desk.example:8443/sms"})
	if _, err := s.Text(Text{From: anna, To: us, Body: "ä & b=c"}); err != nil {
		t.Fatal(err)
	}
	s.Wait()
	if got := strings.Join(d.tickets, "|"); got != anna+": ä & b=c" || d.bad != 0 {
		t.Fatal(got, d.bad)
	}
}
