package tickets

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestRelayAddressRoundTrip(t *testing.T) {
	t.Parallel()
	keys := Keyring{Current: secret}
	rapid.Check(t, func(t *rapid.T) {
		want := Relay{
			Ticket: rapid.Int64Range(0, 1e12).Draw(t, "ticket"), Person: rapid.Int64Range(0, 1e9).Draw(t, "person"),
			Role:    rapid.SampledFrom([]RelayRole{RelayAgent, RelayCustomer}).Draw(t, "role"),
			Version: rapid.IntRange(0, 1e6).Draw(t, "version"),
		}
		address := keys.RelayAddress("support@baleyo.test", "+", want)
		if local, _, _ := strings.Cut(address, "@"); len(local) > 64 {
			t.Fatalf("local part of %d octets: %s", len(local), address)
		}
		for _, a := range []string{address, strings.ToUpper(address)} {
			got, err := keys.ParseRelay(a, "Support@baleyo.test", "+")
			if err != nil || got != want {
				t.Fatalf("%s: got %+v, %v; want %+v", a, got, err, want)
			}
		}
	})
}

// TestRelayAlteredByOneCharacter: E05.
func TestRelayAlteredByOneCharacter(t *testing.T) {
	t.Parallel()
	keys := Keyring{Current: secret}
	good := keys.RelayAddress("support@baleyo.test", "+", Relay{1042, 7, RelayAgent, 3})
	start, end := len("support+"), strings.IndexByte(good, '@')
	for i := start; i < end; i++ {
		for _, c := range []byte{'a', 'c', '7', '-', 'z'} {
			bad := []byte(good)
			if bad[i] == c {
				continue
			}
			bad[i] = c
			if r, err := keys.ParseRelay(string(bad), "support@baleyo.test", "+"); err == nil {
				t.Errorf("%s was believed: %+v", bad, r)
			}
		}
	}
	for _, cut := range []string{good[:end-1] + good[end:], good[:start+2] + good[start+3:]} {
		if _, err := keys.ParseRelay(cut, "support@baleyo.test", "+"); !errors.Is(err, ErrForged) {
			t.Errorf("%s: got %v, want ErrForged", cut, err)
		}
	}
}

func TestRelayOfARetiredKey(t *testing.T) {
	t.Parallel()
	old := Keyring{Current: Key{'o', []byte("another secret, of thirty-two byt")}}
	address := old.RelayAddress("support@baleyo.test", "+", Relay{1, 2, RelayAgent, 3})
	if _, err := (Keyring{Current: secret}).ParseRelay(address, "support@baleyo.test", "+"); !errors.Is(err, ErrUnknown) {
		t.Errorf("got %v, want ErrUnknown", err)
	}
	if _, err := (Keyring{Current: secret, Old: []Key{old.Current}}).ParseRelay(address, "support@baleyo.test", "+"); err != nil {
		t.Errorf("a key kept for verification: %v", err)
	}
}

// TestPurposesDoNotMix: what was signed for one use is nothing in another.
func TestPurposesDoNotMix(t *testing.T) {
	t.Parallel()
	keys := Keyring{Current: secret}
	sender := keys.EnvelopeSender("support@baleyo.test", "+", 99)
	if _, err := keys.ParseRelay(sender, "support@baleyo.test", "+"); err == nil {
		t.Error("an envelope sender passed for a relay address")
	}
	relay := keys.RelayAddress("support@baleyo.test", "+", Relay{99, 0, RelayCustomer, 0})
	if _, err := keys.ParseEnvelopeSender(relay, "support@baleyo.test", "+"); err == nil {
		t.Error("a relay address passed for an envelope sender")
	}
	if _, _, err := keys.ParsePageToken(strings.TrimPrefix(strings.Split(relay, "@")[0], "support+")); err == nil {
		t.Error("a relay token passed for a page token")
	}
	id := keys.MessageID(42, "l7", "baleyo.test")
	if ticket, m, err := keys.ParseMessageID(id); err != nil || ticket != 42 || m != "l7" {
		t.Errorf("%s: got %d %s %v", id, ticket, m, err)
	}
	if keys.VerifyLoopMark(keys.LoopMark(id), "other"+id) || !keys.VerifyLoopMark(keys.LoopMark(id), id) {
		t.Error("a loop mark belongs to one Message-ID")
	}
}

func TestPlainAddressIsNoToken(t *testing.T) {
	t.Parallel()
	keys := Keyring{Current: secret}
	for _, a := range []string{"support@baleyo.test", "support+invoices@baleyo.test", "support+a@baleyo.test", "other+a1-2-3-kaaaa@baleyo.test", "", "@", "support+@baleyo.test", "support+april-newsletter-2026@baleyo.test"} {
		if _, err := keys.ParseRelay(a, "support@baleyo.test", "+"); !errors.Is(err, ErrNoToken) {
			t.Errorf("%q: got %v, want ErrNoToken", a, err)
		}
	}
}

func FuzzTokens(f *testing.F) {
	keys := Keyring{Current: secret}
	f.Add(keys.RelayAddress("support@baleyo.test", "+", Relay{1, 2, RelayAgent, 3}))
	f.Add(keys.MessageID(42, "l7", "baleyo.test"))
	f.Add(keys.PageToken(3, 4))
	other := Keyring{Current: Key{'k', []byte("not the secret that signed these!")}}
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := other.ParseRelay(s, "support@baleyo.test", "+"); err == nil {
			t.Errorf("%q verifies under another secret", s)
		}
		if _, err := other.ParseEnvelopeSender(s, "support@baleyo.test", "+"); err == nil {
			t.Errorf("%q verifies under another secret", s)
		}
		if _, _, err := other.ParseMessageID(s); err == nil {
			t.Errorf("%q verifies under another secret", s)
		}
		if _, _, err := other.ParsePageToken(s); err == nil {
			t.Errorf("%q verifies under another secret", s)
		}
	})
}

// TestKeysOfOneID: ids are one of 32, so an old key may have that of the new one.
// What it signed was refused as forged then.
func TestKeysOfOneID(t *testing.T) {
	t.Parallel()
	old := Key{'k', []byte("an old secret, of thirty-two byte")}
	former := Keyring{Current: old}
	ring := Keyring{Current: Key{'k', []byte("a new secret, of thirty-two bytes")}, Old: []Key{{'z', []byte("quite another one, of thirty-two")}, old}}
	if _, _, err := ring.ParsePageToken(former.PageToken(7, 8)); err != nil {
		t.Errorf("a page's link: %v", err)
	}
	if !ring.VerifyNonce(former.Nonce("token", "confirm"), "token", "confirm") || !ring.VerifyLoopMark(former.LoopMark("1.l1@one.test"), "1.l1@one.test") {
		t.Error("a form or a loop mark is not believed")
	}
	other := Keyring{Current: Key{'k', []byte("a secret of somebody else, 32 byt")}}
	if _, _, err := ring.ParsePageToken(other.PageToken(7, 8)); !errors.Is(err, ErrForged) {
		t.Errorf("a stranger's key of the same id: %v, want ErrForged", err)
	}
	if ring.VerifyNonce("", "token", "confirm") || ring.VerifyLoopMark("", "x") || (Keyring{}).VerifyNonce("k", "", "") {
		t.Error("nothing is believed")
	}
}
