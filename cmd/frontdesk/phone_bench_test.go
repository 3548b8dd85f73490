package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"frontdesk/internal/twiliosim"
)

// BenchmarkFigurePhoneBurst delivers 2,000 signed texts of as many customers at
// once, over 100 connections, to the installed desk, which decides and
// acknowledges them meanwhile; the company reports on each acknowledgement by
// webhooks of its own. It fails when one is not answered with 2xx or is not in a
// ticket of its own.
func BenchmarkFigurePhoneBurst(b *testing.B) {
	const burst, connections = 2000, 100
	d := openPhoneService(b)
	d.start()
	defer d.stop()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
	round := 0
	for b.Loop() {
		hooks := make([]*http.Request, burst)
		for n := range hooks {
			hooks[n] = d.hook(round*burst + n)
		}
		round++
		took, work := make([]time.Duration, burst), make(chan int)
		var wg sync.WaitGroup
		began := time.Now()
		for range connections {
			wg.Go(func() {
				for n := range work {
					start := time.Now()
					res, err := client.Do(hooks[n])
					if err != nil {
						b.Error(err)
						continue
					}
					_, _ = io.Copy(io.Discard, res.Body)
					if _ = res.Body.Close(); res.StatusCode/100 != 2 {
						b.Errorf("text %d: %s", n, res.Status)
					}
					took[n] = time.Since(start)
				}
			})
		}
		for n := range burst {
			work <- n
		}
		close(work)
		wg.Wait()
		answered := time.Since(began)
		for d.tickets() < round*burst {
			if time.Since(began) > 2*time.Minute {
				b.Fatalf("%d tickets, want %d", d.tickets(), round*burst)
			}
			<-time.After(100 * time.Millisecond)
		}
		b.ReportMetric(burst/time.Since(began).Seconds(), "tickets/s")
		slices.Sort(took)
		b.ReportMetric(millis(took[burst/2]), "p50-ms")
		b.ReportMetric(millis(took[burst*99/100]), "p99-ms")
		b.ReportMetric(millis(took[burst-1]), "max-ms")
		b.ReportMetric(burst/answered.Seconds(), "webhooks/s")
	}
	b.ReportMetric(0, "ns/op")
}

// phoneService is the installed desk with a telephone company beside it.
type phoneService struct {
	*service
	stage *phoneStage
}

func openPhoneService(b *testing.B) *phoneService {
	b.Helper()
	s := &phoneService{service: openService(b, installed(b)), stage: &phoneStage{address: freeAddress(b), parts: phoneParts{twilio: ", segments_per_day: 1000000", more: "acknowledge: {per_domain_hour: 1000000, global_hour: 1000000}\n"}}}
	var sim *twiliosim.Sim
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { sim.ServeHTTP(w, r) }))
	b.Cleanup(api.Close)
	sim = twiliosim.New(twiliosim.Config{AccountSID: testAccount, AuthToken: testToken, APIBase: api.URL, Transport: viaProxy{s.stage.address}})
	b.Cleanup(sim.Wait)
	sim.AddNumber(twiliosim.Number{E164: testNumber, SMSURL: phonePublic + "/twilio/sms"})
	s.stage.office, s.stage.sim, s.stage.api, s.stage.token = s.office, sim, api.URL, filepath.Join(s.dir, "token")
	for name, text := range map[string]string{"token": testToken, "frontdesk.yaml": s.stage.yaml()} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return s
}

// hook is the webhook of the n-th customer's text.
func (s *phoneService) hook(n int) *http.Request {
	s.tb.Helper()
	sid := twiliosim.SID("SM")
	form := url.Values{"MessageSid": {sid}, "SmsSid": {sid}, "AccountSid": {testAccount}, "From": {fmt.Sprintf("+4917%09d", n)}, "To": {testNumber},
		"Body": {fmt.Sprintf("Where is my order %d?", n)}, "NumMedia": {"0"}, "NumSegments": {"1"}, "SmsStatus": {"received"}, "ApiVersion": {"2010-04-01"}}
	const uri = phonePublic + "/twilio/sms"
	r, err := http.NewRequest(http.MethodPost, strings.Replace(uri, "https://desk.example", "http://"+s.stage.address, 1), strings.NewReader(form.Encode()))
	if err != nil {
		s.tb.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	r.Header.Set("X-Twilio-Signature", twiliosim.Sign(testToken, uri, form))
	return r
}

// tickets counts them.
func (s *phoneService) tickets() int {
	s.tb.Helper()
	out, err := exec.CommandContext(s.tb.Context(), s.bin, "tickets", "list", "--json", "--limit", "1000000", "--config", filepath.Join(s.dir, "frontdesk.yaml")).Output()
	if err != nil {
		s.tb.Fatal(err)
	}
	return bytes.Count(out, []byte("\n"))
}
