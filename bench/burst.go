package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"frontdesk/internal/twiliosim"
)

const (
	burstAccount = "AC0123456789abcdef0123456789abcdef"
	burstToken   = "a-token-of-figures"
	burstNumber  = "+4930123456"
	burstPublic  = "https://desk.example/support"
)

// measureBurst delivers signed texts of as many customers at once, over 100
// connections, to a desk that decides and acknowledges them meanwhile; the
// company reports on each acknowledgement by webhooks of its own.
func measureBurst(t *section) {
	n := t.size(2000, 20)
	d, address := phoneDesk(t)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	var p50, p99, rate, all []float64
	round := 0
	d.start()
	t.rounds(func(count bool) {
		hooks := make([]*http.Request, n)
		for i := range hooks {
			hooks[i] = textHook(t, address, round*n+i)
		}
		round++
		began := time.Now()
		took := deliver(t, client, hooks)
		answered := time.Since(began).Seconds()
		for tickets := 0; tickets < round*n; time.Sleep(100 * time.Millisecond) {
			if time.Since(began) > 2*time.Minute {
				t.Fatalf("%d tickets, want %d; log of the desk:\n%s", tickets, round*n, d.log(10))
			}
			tickets = bytes.Count(d.run("tickets", "list", "--json", "--limit", "1000000"), []byte("\n"))
		}
		if count {
			p50, p99 = append(p50, percentile(took, 50)), append(p99, percentile(took, 99))
			rate, all = append(rate, float64(n)/answered), append(all, float64(n)/time.Since(began).Seconds())
		}
	})
	d.stop()
	t.add(fmt.Sprintf("webhook of a text answered, burst of %d, p50", n), "ms", p50)
	t.add("… p99", "ms", p99).atMost(250, 50)
	t.add("… answered", "texts/s", rate)
	t.add("… in a ticket", "texts/s", all)
}

// deliver sends the webhooks over 100 connections, and returns how many
// milliseconds each took, sorted. All must be answered with 2xx.
func deliver(t *section, client *http.Client, hooks []*http.Request) []float64 {
	took, wrong, work := make([]float64, len(hooks)), make([]error, len(hooks)), make(chan int)
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			for i := range work {
				began := time.Now()
				res, err := client.Do(hooks[i])
				if err == nil {
					_, _ = io.Copy(io.Discard, res.Body)
					if _ = res.Body.Close(); res.StatusCode/100 != 2 {
						err = fmt.Errorf("text %d: %s", i, res.Status)
					}
				}
				took[i], wrong[i] = float64(time.Since(began))/float64(time.Millisecond), err
			}
		})
	}
	for i := range hooks {
		work <- i
	}
	close(work)
	wg.Wait()
	if i := slices.IndexFunc(wrong, func(err error) bool { return err != nil }); i >= 0 {
		t.Fatalf("webhook: %v", wrong[i])
	}
	slices.Sort(took)
	return took
}

// phoneDesk is a desk with a telephone company beside it, and the address where
// it takes webhooks.
func phoneDesk(t *section) (d *desk, address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("desk: %v", err)
	}
	address = l.Addr().String()
	_ = l.Close() // the desk takes it
	var sim *twiliosim.Sim
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { sim.ServeHTTP(w, r) }))
	t.Cleanup(api.Close)
	sim = twiliosim.New(twiliosim.Config{AccountSID: burstAccount, AuthToken: burstToken, APIBase: api.URL, Transport: toDesk(address)})
	t.Cleanup(sim.Wait)
	sim.AddNumber(twiliosim.Number{E164: burstNumber, SMSURL: burstPublic + "/twilio/sms"})
	o := newOffice(t, deskAddress, deskAgent)
	d = officeDesk(t, o, []string{deskAddress}, deskConfig{agents: true, brand: fmt.Sprintf("    phones: [{number: %q}]\n", burstNumber), more: fmt.Sprintf(`http: {public_url: %q, listen: %q, admin_listen: ""}
twilio: {account_sid: %s, auth_token_file: token, api_base_url: %q, segments_per_day: 1000000}
`, burstPublic, address, burstAccount, api.URL)})
	if err := os.WriteFile(filepath.Join(d.dir, "token"), []byte(burstToken), 0o600); err != nil {
		t.Fatalf("desk: %v", err)
	}
	return d, address
}

// toDesk takes requests for the public address to the desk, as a proxy does.
type toDesk string

// RoundTrip sends the request.
func (to toDesk) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = "http", string(to)
	return http.DefaultTransport.RoundTrip(r)
}

// textHook is the webhook of the n-th customer's text.
func textHook(t *section, address string, n int) *http.Request {
	sid := twiliosim.SID("SM")
	form := url.Values{"MessageSid": {sid}, "SmsSid": {sid}, "AccountSid": {burstAccount}, "From": {fmt.Sprintf("+4917%09d", n)}, "To": {burstNumber},
		"Body": {fmt.Sprintf("Where is my order %d?", n)}, "NumMedia": {"0"}, "NumSegments": {"1"}, "SmsStatus": {"received"}, "ApiVersion": {"2010-04-01"}}
	const uri = burstPublic + "/twilio/sms"
	r, err := http.NewRequestWithContext(t.ctx, http.MethodPost, strings.Replace(uri, "https://desk.example", "http://"+address, 1), strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatalf("webhook: %v", err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	r.Header.Set("X-Twilio-Signature", twiliosim.Sign(burstToken, uri, form))
	return r
}
