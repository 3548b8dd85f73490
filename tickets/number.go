package tickets

import "strings"

// Telephone numbers stand among a ticket's addresses as URIs: "tel:+4930123456"
// (RFC 3966) takes texts and calls, "whatsapp:+4930123456" WhatsApp. So a
// participant, a letter's recipient and the line a letter leaves from are
// addresses like any other, and the scheme says which way a letter goes.
const (
	schemeTel      = "tel:"
	schemeWhatsApp = "whatsapp:"
)

// TelAddress is the address of a number in E.164 for texts and calls; "" for "".
func TelAddress(number string) string { return schemed(schemeTel, number) }

// WhatsAppAddress is the address of a number in E.164 for WhatsApp; "" for "".
func WhatsAppAddress(number string) string { return schemed(schemeWhatsApp, number) }

func schemed(scheme, number string) string {
	if number == "" {
		return ""
	}
	return scheme + number
}

// Number returns the number in E.164 of an address made by TelAddress or
// WhatsAppAddress, and "" for a mail address.
func Number(address string) string {
	a := NormalAddress(address)
	for _, scheme := range []string{schemeTel, schemeWhatsApp} {
		if n, ok := strings.CutPrefix(a, scheme); ok {
			return n
		}
	}
	return ""
}

// ChannelOf is the way a letter to an address goes: ChannelSMS for tel:,
// ChannelWhatsApp for whatsapp:, else ChannelMail. Whether a letter to a tel:
// address is a text or a call is said by its kind (LetterKind.Call).
func ChannelOf(address string) Channel {
	switch a := NormalAddress(address); {
	case strings.HasPrefix(a, schemeTel):
		return ChannelSMS
	case strings.HasPrefix(a, schemeWhatsApp):
		return ChannelWhatsApp
	}
	return ChannelMail
}
