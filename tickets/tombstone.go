package tickets

import "strings"

// ReasonErased is the reason of a ledger row whose content was erased, or came
// back after it was.
const ReasonErased = "erased"

// The kinds of what is marked when it is erased.
const (
	MarkKey     = "key"     // key of a ledger row
	MarkContent = "content" // SHA-256 of what came in, as 64 hexadecimal digits
	MarkMail    = "mail"    // Message-ID
	MarkAddress = "address" // normal form; tel:+… of numbers
)

// Marks are the tombstones of a value under each key of the desk, the one of the
// current key first. Without the secret they neither tell what was erased nor
// let anybody try values. A desk whose secret is changed without keeping the old
// one forgets what they stand for.
func (r Keyring) Marks(kind, value string) []string {
	var out []string
	for _, k := range append([]Key{r.Current}, r.Old...) {
		if len(k.Secret) > 0 {
			out = append(out, string(k.ID)+k.mac("erased "+kind, strings.TrimSpace(value)))
		}
	}
	return out
}

// Mark is the tombstone of a value under the current key, "" without one.
func (r Keyring) Mark(kind, value string) string {
	if m := r.Marks(kind, value); len(m) > 0 && len(r.Current.Secret) > 0 {
		return m[0]
	}
	return ""
}
