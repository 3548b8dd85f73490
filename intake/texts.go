package intake

import (
	"fmt"
	"mime"
	"slices"
	"strconv"
	"strings"

	"frontdesk/phone"
	"frontdesk/store"
	"frontdesk/tickets"
)

// readText reads a text that came: SMS, MMS or WhatsApp. Which of them its
// sender says; the fallback URL has the same parameters.
func readText(path string, h Hook, rules tickets.Rules) (event, error) {
	base := phone.PathSMS
	if strings.HasPrefix(path, phone.PathWhatsApp) {
		base = phone.PathWhatsApp
	}
	if rest := strings.TrimPrefix(path, base); rest != "" && rest != "/" && rest != "/fallback" {
		return event{}, fmt.Errorf("%w: %q", errNoPath, short(rest))
	}
	to := phone.ParseParty(h.Form.Get("To"), "")
	l := lineOf(rules, to.Number, to.WhatsApp)
	m, err := phone.ParseMessage(h.Form, l.brand.Country)
	if err != nil {
		return event{line: l}, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	return event{line: l, channel: textChannel(to.WhatsApp), key: m.Key(), contact: m.Key(), account: m.AccountSid, text: &m}, nil
}

func textChannel(whatsApp bool) tickets.Channel {
	if whatsApp {
		return tickets.ChannelWhatsApp
	}
	return tickets.ChannelSMS
}

// textStatus is a report on a text that the desk sent.
type textStatus struct {
	phone.MessageStatus
	letter int64
}

func readTextStatus(path string, h Hook, rules tickets.Rules) (event, error) {
	p, err := phone.ReadStatusPath(path)
	if err != nil {
		return event{}, fmt.Errorf("%w: %w", errNoPath, err)
	}
	l, err := brandLine(rules, p.Brand, phone.ParseParty(h.Form.Get("From"), "").Number)
	if err != nil {
		return event{}, err
	}
	s, err := phone.ParseMessageStatus(h.Form, l.brand.Country)
	if err != nil {
		return event{line: l}, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	return event{line: l, channel: textChannel(p.WhatsApp), key: s.Key(), account: s.AccountSid, status: &textStatus{s, p.Letter}}, nil
}

// textMediaKey is the key of the row with the bytes of a text's file, counted
// from 0.
func textMediaKey(messageSid string, n int) string {
	return "media:" + messageSid + ":" + strconv.Itoa(n)
}

// textFilename names the file of a text: its sender's name for it is not told.
func textFilename(n int, contentType string) string {
	kind, _, _ := strings.Cut(contentType, "/")
	switch kind {
	case "image", "audio", "video":
	default:
		kind = "file"
	}
	return fmt.Sprintf("%s-%d%s", kind, n+1, extension(contentType))
}

// extensions are those of what telephones send; the system's table knows others,
// and is another on each system.
var extensions = map[string]string{
	"image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/webp": ".webp", "image/heic": ".heic",
	"audio/amr": ".amr", "audio/mpeg": ".mp3", "audio/ogg": ".ogg", "audio/mp4": ".m4a", "audio/aac": ".aac",
	"video/mp4": ".mp4", "video/3gpp": ".3gp", "video/quicktime": ".mov",
	"application/pdf": ".pdf", "text/plain": ".txt", "text/vcard": ".vcf", "text/x-vcard": ".vcf", "text/calendar": ".ics",
}

func extension(contentType string) string {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return ""
	}
	return extensions[strings.ToLower(kind)]
}

// contactText puts a text into the words of the decision. Rows are those of its
// contact: its files among them.
func contactText(e event, rows []store.ContactRow) (*tickets.PhoneContact, []tickets.Attachment) {
	m := e.text
	var files []tickets.Attachment
	for n, media := range m.Media {
		key := textMediaKey(m.Sid, n)
		if i := slices.IndexFunc(rows, func(r store.ContactRow) bool { return r.Key == key }); i >= 0 {
			files = append(files, textFile(rows[i], n, media))
		}
	}
	return &tickets.PhoneContact{
		Line: lineAddress(e.line.phone.Number, m.To.WhatsApp), Number: m.From.Number, Kind: string(m.From.Kind), Caller: m.ProfileName,
		Text: &tickets.Text{Sid: m.Sid, Consent: tickets.Consent(m.Consent), Lost: len(m.Media) - len(files)},
	}, files
}

func textFile(row store.ContactRow, n int, media phone.Media) tickets.Attachment {
	return tickets.Attachment{Filename: textFilename(n, media.ContentType), ContentType: media.ContentType,
		Size: row.Size, SHA256: row.SHA256, Part: tickets.WholeRow, Ledger: row.ID}
}

func lineAddress(number string, whatsApp bool) string {
	if whatsApp {
		return tickets.WhatsAppAddress(number)
	}
	return tickets.TelAddress(number)
}

// wordsOf is what a text says; a place that was sent is put into words.
func wordsOf(m *phone.Message) string {
	text := m.Text
	if p := m.Place; p != nil {
		where := strings.Join(slices.DeleteFunc([]string{p.Label, p.Address, fmt.Sprintf("%.6f, %.6f", p.Latitude, p.Longitude)}, func(s string) bool { return s == "" }), "\n")
		text = strings.TrimSpace(text + "\n" + where)
	}
	return text
}

// contactDelivery puts a report on a text of ours into the words of the decision.
func contactDelivery(e event) *tickets.PhoneContact {
	s := e.status
	return &tickets.PhoneContact{
		Line: lineAddress(s.From.Number, s.From.WhatsApp), Number: s.To.Number, Kind: string(s.To.Kind),
		Delivery: &tickets.Delivery{Letter: s.letter, Sid: s.Sid, Status: string(s.Status), Failed: s.Status.Failed(), Code: s.Code, Reason: string(phone.ReasonOf(s.Code))},
	}
}
