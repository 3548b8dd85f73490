package tickets

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Keyring signs and verifies what leaves the desk and must be believed when it
// comes back: relay addresses, Message-IDs, envelope senders, page links. Each
// use has a purpose of its own in the MAC, so that none can stand for another.
//
// The key id is part of what is signed: a retired key's tokens are refused by
// name ("old key"). Ids are one of 32, so that two keys of a ring may share one.
type Keyring struct {
	Current Key
	Old     []Key // accepted for verification only
}

// Key is one signing secret of at least 32 bytes.
type Key struct {
	ID     byte // a letter or digit
	Secret []byte
}

// Errors of verification. ErrNoToken says that the text is not of our form at
// all; the others that it is, and is not to be believed.
var (
	ErrNoToken = errors.New("not a token of ours")
	ErrForged  = errors.New("signature does not match")
	ErrUnknown = errors.New("unknown key")
)

// base32Lower survives mail systems that fold the case of local parts.
var base32Lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// macBytes is 128 bits: enough against guessing, and short enough that a relay
// address stays within the 64 octets of a local part (RFC 5321 section 4.5.3.1.1).
const macBytes = 16

// mac is the one place where MACs are made; same is the one where they are compared.
func (k Key) mac(purpose, text string) string {
	h := hmac.New(sha256.New, k.Secret)
	fmt.Fprintf(h, "%s\x00%c\x00%s", purpose, k.ID, text)
	return base32Lower.EncodeToString(h.Sum(nil)[:macBytes])
}

func same(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }

// check returns nil when a key of this id made the MAC of text, ErrUnknown when
// there is none of this id, else ErrForged.
func (r Keyring) check(id byte, purpose, text, mac string) error {
	err := ErrUnknown
	for i := -1; i < len(r.Old); i++ {
		k := r.Current
		if i >= 0 {
			k = r.Old[i]
		}
		if k.ID != id || len(k.Secret) == 0 {
			continue
		}
		if same(k.mac(purpose, text), mac) {
			return nil
		}
		err = ErrForged
	}
	return err
}

// sign returns "text" + sep + key id and MAC.
func (r Keyring) sign(purpose, text, sep string) string {
	return text + sep + string(r.Current.ID) + r.Current.mac(purpose, text)
}

// verify takes apart what sign made. The text is compared in lower case, as
// mail systems may fold it.
func (r Keyring) verify(purpose, token, sep string) (string, error) {
	token = strings.ToLower(token)
	i := strings.LastIndex(token, sep)
	if i < 0 || len(token)-i-len(sep) != 1+base32Lower.EncodedLen(macBytes) {
		return "", ErrNoToken
	}
	text, id, mac := token[:i], token[i+len(sep)], token[i+len(sep)+1:]
	if err := r.check(id, purpose, text, mac); err != nil {
		return "", err
	}
	return text, nil
}

// Relay is what a relay address says: whoever writes to it writes on this
// ticket, as this person in this role, having seen this version of it.
type Relay struct {
	Ticket  int64 // 0 for letters about no ticket (quarantine list, guide)
	Person  int64
	Role    RelayRole
	Version int
}

// RelayRole is the side a relay address was given to.
type RelayRole byte

// The roles of relay addresses.
const (
	RelayAgent    RelayRole = 'a'
	RelayCustomer RelayRole = 'c'
)

// RelayAddress returns mailbox with the signed relay as its subaddress, or
// mailbox itself where sep is "" (no subaddressing): then the Message-ID of the
// letter says the same (see MessageID).
func (r Keyring) RelayAddress(mailbox, sep string, to Relay) string {
	local, domain, ok := strings.Cut(mailbox, "@")
	if sep == "" || !ok {
		return mailbox
	}
	text := fmt.Sprintf("%c%s-%s-%s", to.Role, b36(to.Ticket), b36(to.Person), b36(int64(to.Version)))
	return local + sep + r.sign("relay", text, "-") + "@" + domain
}

// ParseRelay reads a relay address of the mailbox. It returns ErrNoToken for
// any other address, ErrForged or ErrUnknown for one that is not to be believed.
func (r Keyring) ParseRelay(address, mailbox, sep string) (Relay, error) {
	token, ok := subaddress(address, mailbox, sep)
	if !ok {
		return Relay{}, ErrNoToken
	}
	text, err := r.verify("relay", token, "-")
	if err != nil {
		return Relay{}, looksLike(token, "ac", err)
	}
	f := strings.Split(text[1:], "-")
	if len(f) != 3 {
		return Relay{}, ErrNoToken
	}
	return Relay{Role: RelayRole(text[0]), Ticket: un36(f[0]), Person: un36(f[1]), Version: int(un36(f[2]))}, nil
}

// looksLike turns ErrNoToken into ErrForged for a subaddress that has the form
// of ours but the wrong length: a token damaged by a character is refused, not
// taken for a plain address.
func looksLike(token, roles string, err error) error {
	if !errors.Is(err, ErrNoToken) || token == "" || !strings.ContainsRune(roles, rune(token[0])) {
		return err
	}
	f := strings.Split(token[1:], "-")
	if len(f) < 3 || len(f[len(f)-1]) < macBytes {
		return err
	}
	for _, n := range f[:len(f)-1] {
		if _, bad := strconv.ParseUint(n, 36, 63); bad != nil {
			return err
		}
	}
	return ErrForged
}

// EnvelopeSender returns the VERP address (variable envelope return path) of a
// letter: a report sent to it names the letter for certain.
func (r Keyring) EnvelopeSender(mailbox, sep string, letter int64) string {
	local, domain, ok := strings.Cut(mailbox, "@")
	if sep == "" || !ok {
		return mailbox
	}
	return local + sep + r.sign("verp", "b"+b36(letter), "-") + "@" + domain
}

// ParseEnvelopeSender reads what EnvelopeSender made.
func (r Keyring) ParseEnvelopeSender(address, mailbox, sep string) (letter int64, err error) {
	token, ok := subaddress(address, mailbox, sep)
	if !ok {
		return 0, ErrNoToken
	}
	text, err := r.verify("verp", token, "-")
	if err != nil {
		if errors.Is(err, ErrNoToken) && len(token) > 20 && token[0] == 'b' && strings.Count(token, "-") == 1 {
			return 0, ErrForged
		}
		return 0, err
	}
	return un36(text[1:]), nil
}

// MessageID returns our Message-ID, without brackets:
// TICKET.MESSAGE.SIGNATURE@domain. message is "m" and a message's number for a
// letter that carries a person's words (its copies share it), "l" and the
// letter's number for any other, "r" and a person's number for the root of an
// agent's thread.
func (r Keyring) MessageID(ticket int64, message, domain string) string {
	return r.sign("msgid", fmt.Sprintf("%d.%s", ticket, message), ".") + "@" + domain
}

// ParseMessageID reads a Message-ID of ours, without brackets.
func (r Keyring) ParseMessageID(id string) (ticket int64, message string, err error) {
	left, _, ok := strings.Cut(id, "@")
	if !ok {
		return 0, "", ErrNoToken
	}
	text, err := r.verify("msgid", left, ".")
	if err != nil {
		return 0, "", err
	}
	t, m, _ := strings.Cut(text, ".")
	ticket, err = strconv.ParseInt(t, 10, 64)
	if err != nil {
		return 0, "", ErrNoToken
	}
	return ticket, m, nil
}

// LoopMark is the value of X-Frontdesk-Loop in a letter with the Message-ID id:
// only a letter of ours carries one that verifies.
func (r Keyring) LoopMark(id string) string {
	return string(r.Current.ID) + r.Current.mac("loop", strings.ToLower(id))
}

// VerifyLoopMark reports whether mark is ours for a letter with that Message-ID.
func (r Keyring) VerifyLoopMark(mark, id string) bool {
	return mark != "" && r.check(mark[0], "loop", strings.ToLower(id), mark[1:]) == nil
}

// PageToken signs a customer's page: the ticket and who may see it.
func (r Keyring) PageToken(ticket, person int64) string {
	return r.sign("page", b36(ticket)+"-"+b36(person), "-")
}

// ParsePageToken reads what PageToken made.
func (r Keyring) ParsePageToken(token string) (ticket, person int64, err error) {
	text, err := r.verify("page", token, "-")
	if err != nil {
		return 0, 0, err
	}
	t, p, ok := strings.Cut(text, "-")
	if !ok {
		return 0, 0, ErrNoToken
	}
	return un36(t), un36(p), nil
}

// SurveyToken signs the page of a survey.
func (r Keyring) SurveyToken(survey int64) string {
	return r.sign("survey", "s"+b36(survey), "-")
}

// ParseSurveyToken reads what SurveyToken made.
func (r Keyring) ParseSurveyToken(token string) (survey int64, err error) {
	text, err := r.verify("survey", token, "-")
	if err != nil {
		return 0, err
	}
	return un36(strings.TrimPrefix(text, "s")), nil
}

// Nonce signs a form on a customer's page, so that only a page we showed can post it.
func (r Keyring) Nonce(token, action string) string {
	return string(r.Current.ID) + r.Current.mac("nonce", token+"\x00"+action)
}

// VerifyNonce reports whether nonce was made for this page and action.
func (r Keyring) VerifyNonce(nonce, token, action string) bool {
	return nonce != "" && r.check(nonce[0], "nonce", token+"\x00"+action, nonce[1:]) == nil
}

// StripSubaddress removes the subaddress that follows sep from the local part;
// sep "" leaves the address as it is.
func StripSubaddress(address, sep string) string {
	at := strings.LastIndexByte(address, '@')
	if sep == "" || at < 0 {
		return address
	}
	if i := strings.Index(address[:at], sep); i > 0 {
		return address[:i] + address[at:]
	}
	return address
}

// subaddress returns what stands between the mailbox's local part and sep, and
// the @, when address is one of the mailbox's subaddresses.
func subaddress(address, mailbox, sep string) (string, bool) {
	address, mailbox = NormalAddress(address), NormalAddress(mailbox)
	local, domain, ok := strings.Cut(mailbox, "@")
	if !ok || sep == "" {
		return "", false
	}
	rest, ok := strings.CutPrefix(address, local+sep)
	if !ok {
		return "", false
	}
	token, ok := strings.CutSuffix(rest, "@"+domain)
	return token, ok && token != ""
}

func b36(n int64) string { return strconv.FormatInt(n, 36) }

func un36(s string) int64 {
	n, err := strconv.ParseInt(s, 36, 64)
	if err != nil {
		return 0
	}
	return n
}
