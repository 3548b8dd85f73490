package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"frontdesk/config"
)

// openTLS listens with a certificate that ends at end; it is its own authority.
func openTLS(t *testing.T, end time.Time) (port int, caFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: end.AddDate(0, -3, 0), NotAfter: end, IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	raw, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	caFile = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(caFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: key}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.(*tls.Conn).Handshake()
			_ = conn.Close() // says nothing: the certificate is all that is wanted
		}
	}()
	return l.Addr().(*net.TCPAddr).Port, caFile
}

func TestCertificatesThatEnd(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for _, c := range []struct {
		name string
		end  time.Time
		says string
	}{
		{"far", now.AddDate(0, 0, 60), ""},
		{"soon", now.AddDate(0, 0, 5).Add(time.Hour), "5 days from now"},
		{"over", now.AddDate(0, 0, -2), "-2 days from now"},
	} {
		port, ca := openTLS(t, c.end)
		d := &desk{cfg: &config.Config{Brands: []config.Brand{{ID: "one", Mailboxes: []config.Mailbox{{
			Address: "support@one.test",
			IMAP:    &config.IMAP{Host: "127.0.0.1", Port: port, TLS: config.TLSImplicit, CAFile: ca},
			SMTP:    config.SMTP{Host: "127.0.0.1", Port: 1, TLS: config.TLSImplicit}, // nobody there: not this check's finding
		}}}}}}
		var said []string
		err := d.examineCertificates(t.Context(), now, func(_, format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) })
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case c.says == "" && len(said) > 0, c.says != "" && (len(said) != 1 || !strings.Contains(said[0], c.says) || !strings.HasPrefix(said[0], "imap support@one.test")):
			t.Errorf("%s: %q, want %q", c.name, said, c.says)
		}
	}
}

func TestPoliciesOfADomain(t *testing.T) {
	t.Parallel()
	gone := &net.DNSError{Err: "no such host", IsNotFound: true}
	for _, c := range []struct {
		name       string
		spf, dmarc []string
		err        error
		want       []string
	}{
		{"both", []string{"other", "v=spf1 mx -all"}, []string{"v=DMARC1; p=none"}, nil, nil},
		{"none", nil, nil, gone, []string{"has no SPF policy", "has no DMARC policy"}},
		{"two", []string{"v=spf1 a", "V=SPF1 mx"}, []string{"v=DMARC1"}, nil, []string{"has 2 SPF policies"}},
		{"no DNS here", nil, nil, errors.New("connection refused"), nil},
		{"DNS is slow", nil, nil, &net.DNSError{Err: "i/o timeout", IsTimeout: true}, nil},
	} {
		lookup := func(_ context.Context, name string) ([]string, error) {
			list := c.spf
			if strings.HasPrefix(name, "_dmarc.") {
				list = c.dmarc
			}
			if list == nil {
				return nil, c.err
			}
			return list, nil
		}
		var said []string
		examineDomain(t.Context(), lookup, "one.test", func(_, format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) })
		if len(said) != len(c.want) {
			t.Errorf("%s: %q, want %q", c.name, said, c.want)
			continue
		}
		for i := range said {
			if !strings.Contains(said[i], c.want[i]) {
				t.Errorf("%s: %q, want %q", c.name, said[i], c.want[i])
			}
		}
	}
}
