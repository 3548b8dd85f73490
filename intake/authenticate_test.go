package intake

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"frontdesk/parser"
	"frontdesk/store"
	"frontdesk/tickets"
)

// readHeader makes a Mail of header text, as the parser would.
func readHeader(raw string) *parser.Mail {
	m := &parser.Mail{}
	head, _, _ := strings.Cut(strings.ReplaceAll(raw, "\r\n", "\n"), "\n\n")
	head = strings.ReplaceAll(strings.ReplaceAll(head, "\n ", " "), "\n\t", " ")
	for line := range strings.SplitSeq(head, "\n") {
		name, value, _ := strings.Cut(line, ":")
		m.Header = append(m.Header, parser.Field{Name: name, Value: strings.TrimSpace(value)})
		if name == "From" && m.From.Address == "" {
			a := value[strings.LastIndexAny(value, "< ")+1:]
			m.From.Address = strings.TrimSuffix(a, ">")
		}
	}
	return m
}

// Fields of the example below.
const (
	arPass   = "Authentication-Results: mx.baleyo.test; dmarc=pass (p=reject) header.from=baleyo.test\n"
	from     = "From: Asha <asha@baleyo.test>\n"
	lmtpHop  = "Received: from mx.baleyo.test\n\tby store.baleyo.test with LMTP\n\tid 4711 (envelope-from <x;y@z>)\n\tfor <support@baleyo.test>; Sat, 21 Nov 2026 10:00:00 +0000\n"
	border   = "Received: from evil.example (unknown [203.0.113.9])\n\tby mx.baleyo.test (Postfix) with ESMTPS id 1\n\tfor <support@baleyo.test>; Sat, 21 Nov 2026 10:00:00 +0000\n"
	loopback = "Received: from localhost (localhost [127.0.0.1])\n\tby mail.rig.test (Postfix) with ESMTP id 2; Sat, 21 Nov 2026 10:00:00 +0000\n"
	relayHop = "Received: from mx.baleyo.test (mx.baleyo.test [10.0.0.2])\n\tby relay.baleyo.test with ESMTP id 3; Sat, 21 Nov 2026 10:00:00 +0000\n"
)

func TestAuthenticationResults(t *testing.T) {
	t.Parallel()
	a := Authenticator{TrustedIDs: []string{"mx.baleyo.test"}, InternalRelays: []string{"relay.baleyo.test"}}
	ar := func(s string) string { return "Authentication-Results: " + s + "\n" }
	for _, c := range []struct {
		name   string
		header string
		want   bool
	}{
		// Where it stands.
		{"above the border", arPass + border + from, true},
		{"put into the mailbox without any Received", arPass + from, true},
		{"below the final delivery by LMTP", lmtpHop + arPass + border + from, true},
		{"below an internal relay", relayHop + arPass + border + from, true},
		{"authserv-id in other case", ar("MX.Baleyo.TEST; dmarc=pass header.from=baleyo.test") + border + from, true},
		{"with a version", ar("mx.baleyo.test 1; dmarc=pass header.from=baleyo.test") + border + from, true},
		{"forged below the border", border + arPass + from, false},
		{"forged below the border and LMTP", lmtpHop + border + arPass + from, false},
		{"forged, delivered from loopback", loopback + arPass + from, false},
		{"forged with a Received of LMTP", border + lmtpHop + arPass + from, false},
		{"forged, border is not the authserv-id", strings.Replace(border, "by mx.baleyo.test", "by in7.baleyo.test", 1) + arPass + from, false},
		{"HELO with a protocol in it", "Received: from x by y with LMTP id 9 (unknown [203.0.113.9]) by mx.baleyo.test with ESMTP\n" + arPass + from, false},
		{"HELO with LMTP in it", "Received: from with LMTP by mx.baleyo.test with ESMTP\n" + arPass + from, false},
		{"LMTP in a comment", "Received: from x (with LMTP) by mx.baleyo.test (with LMTP) with ESMTP\n" + arPass + from, false},
		{"submitted on a relay", strings.Replace(relayHop, "ESMTP", "ESMTPSA", 1) + arPass + from, false},
		{"fetched into the house", "Received: from pop.example by localhost with POP3\n" + arPass + from, false},
		{"another server's", ar("mx.evil.example; dmarc=pass header.from=baleyo.test") + border + from, false},
		{"id that begins like ours", ar("mx.baleyo.test.evil.example; dmarc=pass header.from=baleyo.test") + border + from, false},
		{"no id, as Microsoft 365", ar("spf=pass smtp.mailfrom=baleyo.test; dkim=pass header.d=baleyo.test;dmarc=pass action=none header.from=baleyo.test") + from, false},
		{"id in a comment", ar("(mx.baleyo.test) evil.example; dmarc=pass header.from=baleyo.test") + from, false},
		{"id in quotes", ar(`"mx.baleyo.test"; dmarc=pass header.from=baleyo.test`) + from, false},

		// What it says.
		{"dmarc for another domain", ar("mx.baleyo.test; dmarc=pass header.from=evil.example") + from, false},
		{"dmarc for a subdomain", ar("mx.baleyo.test; dmarc=pass header.from=sub.baleyo.test") + from, false},
		{"dmarc without header.from", ar("mx.baleyo.test; dmarc=pass") + from, false},
		{"dmarc with two header.from", ar("mx.baleyo.test; dmarc=pass header.from=baleyo.test header.from=evil.example") + from, false},
		{"dmarc fails, dkim passes", ar("mx.baleyo.test; dkim=pass header.d=baleyo.test; dmarc=fail header.from=baleyo.test") + from, false},
		{"dmarc none, dkim aligned", ar("mx.baleyo.test; dkim=pass header.d=mail.baleyo.test; dmarc=none header.from=baleyo.test") + from, true},
		{"dkim alone", ar("mx.baleyo.test; dkim=pass header.d=baleyo.test header.b=Ab/c+d==") + from, true},
		{"dkim, Gmail's way", ar("mx.baleyo.test; dkim=pass header.i=@baleyo.test header.s=s1 header.b=Ab/c+d") + from, true},
		{"dkim of another", ar("mx.baleyo.test; dkim=pass header.d=evil.example") + from, false},
		{"dkim of a public suffix", ar("mx.baleyo.test; dkim=pass header.d=test") + from, false},
		{"dkim fails", ar("mx.baleyo.test; dkim=fail header.d=baleyo.test") + from, false},
		{"two signatures, the second aligned", ar("mx.baleyo.test; dkim=pass header.d=esp.example; dkim=pass header.d=baleyo.test") + from, true},
		{"one signature with two domains", ar("mx.baleyo.test; dkim=pass header.d=esp.example header.d=baleyo.test") + from, false},
		{"spf alone, aligned", ar("mx.baleyo.test; spf=pass smtp.mailfrom=bounce@mail.baleyo.test") + from, true},
		{"spf of another", ar("mx.baleyo.test; spf=pass smtp.mailfrom=x@evil.example") + from, false},
		{"spf of the HELO name", ar("mx.baleyo.test; spf=pass smtp.helo=baleyo.test") + from, false},
		{"none", ar("mx.baleyo.test; none") + from, false},
		{"in two fields", ar("mx.baleyo.test; dkim=pass header.d=baleyo.test") + ar("mx.baleyo.test; dmarc=pass header.from=baleyo.test") + border + from, true},

		// What strangers put into it.
		{"two dmarc results", ar("mx.baleyo.test; dmarc=pass header.from=baleyo.test; dmarc=fail header.from=baleyo.test") + from, false},
		{"two dmarc results in two fields", arPass + ar("mx.baleyo.test; dmarc=fail header.from=baleyo.test") + from, false},
		{"semicolon in a quoted mailfrom", ar(`mx.baleyo.test; spf=fail smtp.mailfrom="x; dmarc=pass header.from=baleyo.test; a"@evil.example`) + from, false},
		{"the same, and a real dmarc", ar(`mx.baleyo.test; spf=pass smtp.mailfrom="x;dmarc=fail"@evil.example; dmarc=pass header.from=baleyo.test`) + from, true},
		{"semicolon in a comment", ar("mx.baleyo.test; spf=fail (x; dmarc=pass header.from=baleyo.test) smtp.mailfrom=evil.example") + from, false},
		{"nested comment", ar("mx.baleyo.test; spf=fail (a (b) ; dmarc=pass header.from=baleyo.test) smtp.mailfrom=evil.example") + from, false},
		{"escape in a comment", ar(`mx.baleyo.test; spf=fail (a \) ; dmarc=pass header.from=baleyo.test) smtp.mailfrom=evil.example`) + from, false},
		{"comment that does not end", ar("mx.baleyo.test; spf=fail (a; dmarc=pass header.from=baleyo.test") + from, false},
		{"comment that only ends", ar("mx.baleyo.test; spf=fail a); dmarc=pass header.from=baleyo.test") + from, false},
		{"quote that does not end", ar(`mx.baleyo.test; spf=fail smtp.mailfrom="a; dmarc=pass header.from=baleyo.test`) + from, false},
		{"mailfrom with a space", ar("mx.baleyo.test; spf=fail smtp.mailfrom=a b@evil.example; dmarc=pass header.from=baleyo.test") + from, false},
		{"domain in quotes", ar(`mx.baleyo.test; dmarc=pass header.from="baleyo.test"`) + from, false},
		{"no grammar", ar("mx.baleyo.test; dmarc=pass header.from=baleyo.test; garbage") + from, false},
		{"semicolon at the end", ar("mx.baleyo.test; dmarc=pass header.from=baleyo.test;") + from, true},

		// From.
		{"two From fields", arPass + from + "From: ceo@baleyo.test\n", false},
		{"two From addresses", arPass + "From: asha@baleyo.test, eve@evil.example\n", false},
		{"no From", arPass + "To: x@y.test\n", false},
		{"address in the name", arPass + `From: "asha@baleyo.test" <eve@evil.example>` + "\n", false},
		{"address in a comment", arPass + "From: eve@evil.example (asha@baleyo.test)\n", false},
		{"a comma in a quoted name", arPass + `From: "Khan, Asha" <asha@baleyo.test>` + "\n", true},
		{"From with a space before the colon", arPass + from + "From : eve@evil.example\n", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := a.Authenticate(t.Context(), readHeader(c.header+"\nhello"), nil)
			if got.Pass != c.want {
				t.Errorf("Pass = %v (%s: %s), want %v for\n%s", got.Pass, got.Method, got.Detail, c.want, c.header)
			}
			if got.Detail == "" || got.Pass && got.Method != "authentication-results" {
				t.Errorf("%+v does not say what was seen", got)
			}
		})
	}
}

// signer signs mails and holds the keys that DNS would.
type signer struct {
	key  ed25519.PrivateKey
	keys map[string]string
	asks int
}

func newSigner(domains ...string) *signer {
	pub, key, _ := ed25519.GenerateKey(nil)
	s := &signer{key: key, keys: map[string]string{}}
	for _, d := range domains {
		s.keys["s1._domainkey."+d] = "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(pub)
	}
	return s
}

func (s *signer) lookup(_ context.Context, name string) ([]string, error) {
	s.asks++
	if txt, ok := s.keys[name]; ok {
		return []string{txt}, nil
	}
	return nil, errors.New("no such name")
}

func (s *signer) sign(t *testing.T, domain, raw string) string {
	t.Helper()
	var b bytes.Buffer
	err := dkim.Sign(&b, strings.NewReader(raw), &dkim.SignOptions{
		Domain: domain, Selector: "s1", Signer: crypto.Signer(s.key), Hash: crypto.SHA256,
		HeaderKeys: []string{"From", "To", "Subject"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestDKIMVerifiedHere(t *testing.T) {
	t.Parallel()
	const mail = "From: Asha <asha@baleyo.test>\r\nTo: support@baleyo.test\r\nSubject: hello\r\n\r\nPlease unplug it.\r\n"
	s := newSigner("baleyo.test", "mail.baleyo.test", "evil.example")
	signed := s.sign(t, "baleyo.test", mail)
	tests := []struct {
		name string
		raw  string
		want bool
	}{
		{"aligned", signed, true},
		{"subdomain", s.sign(t, "mail.baleyo.test", mail), true},
		{"not signed", mail, false},
		{"stranger's domain", s.sign(t, "evil.example", mail), false},
		{"body changed", strings.Replace(signed, "unplug", "sell", 1), false},
		{"From changed", strings.Replace(signed, "asha@", "devi@", 1), false},
		{"second From on top", "From: devi@baleyo.test\r\n" + signed, false},
		{"with l=", strings.Replace(signed, "v=1;", "v=1; l=10;", 1), false},
		{"From not signed", strings.Replace(signed, "h=From:", "h=", 1), false},
		{"with LF line ends", strings.ReplaceAll(signed, "\r\n", "\n"), true},
		{"below an mbox line", "From asha Sat Nov 21 10:00:00 2026\n" + signed, true},
		{"delivered to us", "Received: from mx by desk with LMTP;\r\n\tSat, 21 Nov 2026 10:00:00 +0000\r\n" + signed, true},
		{"key unknown", strings.Replace(signed, "s=s1", "s=s2", 1), false},
		{"two signatures", s.sign(t, "evil.example", signed), true},
		{"many signatures of others first", strings.Repeat("DKIM-Signature: v=1; a=rsa-sha256; d=evil.example; s=x; h=From; bh=x; b=x\r\n", 6) + signed, false},
	}
	for _, c := range tests {
		a := Authenticator{LookupTXT: s.lookup}
		m := readHeader(c.raw)
		m.Header = withoutMboxLine(m.Header)
		got := a.Authenticate(t.Context(), m, []byte(c.raw))
		if got.Pass != c.want || got.Detail == "" || (got.Method == "dkim") != c.want {
			t.Errorf("%s: %+v, want Pass %v", c.name, got, c.want)
		}
	}
}

func withoutMboxLine(h []parser.Field) []parser.Field {
	if strings.HasPrefix(h[0].Name, "From ") && h[0].Name != "From " {
		return h[1:]
	}
	return h
}

func TestDKIMAsksForAlignedKeysOnly(t *testing.T) {
	t.Parallel()
	s := newSigner("evil.example")
	raw := s.sign(t, "evil.example", "From: asha@baleyo.test\r\nTo: x@y.test\r\nSubject: x\r\n\r\nhi\r\n")
	Authenticator{LookupTXT: s.lookup}.Authenticate(t.Context(), readHeader(raw), []byte(raw))
	if s.asks != 0 {
		t.Errorf("%d look-ups of names that a stranger chose", s.asks)
	}
}

func TestDKIMKeyInTestMode(t *testing.T) {
	t.Parallel()
	s := newSigner("baleyo.test")
	raw := s.sign(t, "baleyo.test", "From: asha@baleyo.test\r\nTo: x@y.test\r\nSubject: x\r\n\r\nhi\r\n")
	s.keys["s1._domainkey.baleyo.test"] += "; t=y"
	if got := (Authenticator{LookupTXT: s.lookup}).Authenticate(t.Context(), readHeader(raw), []byte(raw)); got.Pass {
		t.Errorf("%+v by a key in test mode", got)
	}
}

// A trusted server that speaks, but of nothing aligned, leaves room for DKIM;
// one that says fail does not.
func TestResultsBeforeDKIM(t *testing.T) {
	t.Parallel()
	s := newSigner("baleyo.test")
	raw := s.sign(t, "baleyo.test", "From: asha@baleyo.test\r\nTo: x@y.test\r\nSubject: x\r\n\r\nhi\r\n")
	a := Authenticator{TrustedIDs: []string{"mx.baleyo.test"}, LookupTXT: s.lookup}
	for _, c := range []struct {
		results, method string
		pass            bool
	}{
		{"spf=pass smtp.mailfrom=x@list.example", "dkim", true},
		{"dmarc=fail header.from=baleyo.test", "authentication-results", false},
		{"dkim=pass header.d=baleyo.test", "authentication-results", true},
	} {
		mail := fmt.Sprintf("Authentication-Results: mx.baleyo.test; %s\r\n%s", c.results, raw)
		got := a.Authenticate(t.Context(), readHeader(mail), []byte(mail))
		if got.Method != c.method || got.Pass != c.pass {
			t.Errorf("with %s: %+v, want %s %v", c.results, got, c.method, c.pass)
		}
	}
}

func FuzzAuthenticationResults(f *testing.F) {
	f.Add(`mx.baleyo.test; spf=fail smtp.mailfrom="x; dmarc=pass header.from=baleyo.test; a"@evil.example`)
	f.Add("mx.baleyo.test 1; dkim=pass (a (b)) header.d=x; dmarc=none")
	f.Fuzz(func(t *testing.T, s string) {
		rs, err := parseResults(s)
		if err != nil && len(rs) > 0 {
			t.Errorf("%q: results beside error %v", s, err)
		}
		for _, r := range rs {
			if r.method == "" || r.value == "" {
				t.Errorf("%q: empty result %+v", s, r)
			}
		}
	})
}

// A name server that does not answer is another thing than a key that is not there.
func TestDKIMWithoutAnswerIsForLater(t *testing.T) {
	t.Parallel()
	s := newSigner("baleyo.test")
	raw := s.sign(t, "baleyo.test", "From: asha@baleyo.test\r\nTo: x@y.test\r\nSubject: x\r\n\r\nhi\r\n")
	for _, c := range []struct {
		err   error
		later bool
	}{
		{&net.DNSError{Err: "server misbehaving", IsTemporary: true}, true},
		{&net.DNSError{Err: "i/o timeout", IsTimeout: true}, true},
		{&net.DNSError{Err: "no such host", IsNotFound: true}, false},
	} {
		a := Authenticator{LookupTXT: func(context.Context, string) ([]string, error) { return nil, c.err }}
		if got := a.Authenticate(t.Context(), readHeader(raw), []byte(raw)); got.Pass || got.Later != c.later {
			t.Errorf("%v: %+v, want Later %v", c.err, got, c.later)
		}
	}
	if got := (Authenticator{LookupTXT: s.lookup}).Authenticate(t.Context(), readHeader(raw), []byte(raw)); !got.Pass || got.Later {
		t.Errorf("with an answer: %+v", got)
	}
}

// A name server is away for some minutes: the agent's mail waits in the ledger,
// customers' mail goes on, and the agent's acts when the key can be had.
func TestAgentsMailWaitsForTheNameServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, rules := workerDesk(t, 2)
		rules.Agents = map[string]tickets.Agent{"asha@baleyo.test": {Name: "Asha", Address: "asha@baleyo.test"}}
		s := newSigner("baleyo.test")
		raw := s.sign(t, "baleyo.test", "From: asha@baleyo.test\r\nTo: support@baleyo.test\r\nSubject: #list\r\nMessage-ID: <a@baleyo.test>\r\n\r\n#list\r\n")
		mail := newItem("test:", Address{Brand: "baleyo", Mailbox: "support@baleyo.test"}, nil, []byte(raw), time.Now().Add(-240*time.Hour))
		if _, err := db.Append(t.Context(), []store.Item{mail}, nil); err != nil {
			t.Fatal(err)
		}
		away, asked := true, 0
		w := NewWorker(WorkerOptions{Brand: "baleyo", DB: db, Rules: func() tickets.Rules { return rules }, Auth: func(string) Authenticator {
			return Authenticator{LookupTXT: func(ctx context.Context, name string) ([]string, error) {
				asked++
				if away {
					return nil, &net.DNSError{Err: "server misbehaving", IsTemporary: true}
				}
				return s.lookup(ctx, name)
			}}
		}})
		undecided := func() int {
			t.Helper()
			if _, err := w.Pass(t.Context()); err != nil {
				t.Fatal(err)
			}
			tally, err := db.Tally(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			return tally.Undecided
		}
		for range 10 {
			if n := undecided(); n != 1 {
				t.Fatalf("%d rows undecided while the name server is away, want the agent's alone", n)
			}
			time.Sleep(time.Minute)
		}
		if asked > 8 {
			t.Errorf("asked %d times in ten minutes", asked)
		}
		away = false
		time.Sleep(10 * time.Minute)
		if n := undecided(); n != 0 {
			t.Errorf("%d rows undecided when it answers again", n)
		}
		e, err := db.Entry(t.Context(), 3)
		if err != nil || e.Disposition != tickets.DisposeRecorded || e.Reason != "commands" {
			t.Errorf("it became %s %s %q, %v; want it believed", e.Disposition, e.Reason, e.Detail, err)
		}
	})
}
