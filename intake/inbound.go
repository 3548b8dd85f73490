package intake

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"frontdesk/parser"
	"frontdesk/store"
	"frontdesk/tickets"
)

// inbound puts a parsed mail into the words of the decision. Command lines
// count in an agent's mail only: a customer may begin a line with "#".
func inbound(row store.Claimed, m *parser.Mail, auth tickets.Auth, rules tickets.Rules) tickets.Inbound {
	in := tickets.Inbound{
		Ledger: row.ID, Channel: row.Channel, Brand: row.Brand, Mailbox: row.Mailbox, Queue: row.Queue,
		Received: row.Received, Released: row.Released, Answered: row.Answered,
		MessageID: short(m.MessageID), InReplyTo: shortAll(m.InReplyTo), References: shortAll(m.References),
		From: address(m.From), ReplyTo: addresses(m.ReplyTo), To: addresses(m.To), Cc: addresses(m.Cc),
		Sender: row.Sender, Recipients: recipients(row, m),
		Subject: short(subject(m)), SubjectCore: short(m.SubjectCore), ReplyPrefix: m.ReplyPrefix, Date: m.Date, ThreadRoot: m.ThreadRoot,
		Kind: tickets.Kind(m.Kind), Signals: signals(m), Bounce: bounce(m),
		Text: m.Text, Reply: m.ReplyText, Language: m.Language, Phones: m.Phones, Facts: facts(m),
		Attachments: attachments(row, m), Forwarded: forwarded(m), Content: m.Content,
		Hops: len(m.Received), Loop: m.Get("X-Frontdesk-Loop"), Auth: auth, Defects: m.Defects,
	}
	if in.Sender == nil {
		in.Sender = m.ReturnPath
	}
	if _, agent := rules.Agent(in.From.Address); agent {
		in.Reply, in.Commands = m.Body, m.Commands
		switch {
		case onlyOthersWords(m):
			in.Reply, in.Commands = "", nil
		case in.Forwarded != nil:
			in.Reply = beforeForward(m.Body)
		}
	}
	return in
}

// pressed puts a button on a customer's page into the words of the decision.
func pressed(row store.Claimed) (tickets.Inbound, error) {
	var b tickets.Button
	if err := json.Unmarshal(row.Data, &b); err != nil {
		return tickets.Inbound{}, fmt.Errorf("read button of row %d: %w", row.ID, err)
	}
	return tickets.Inbound{
		Ledger: row.ID, Channel: row.Channel, Brand: row.Brand, Mailbox: row.Mailbox, Queue: row.Queue,
		Received: row.Received, From: tickets.Address{Address: b.Address}, Kind: tickets.KindMessage, Content: row.SHA256, Button: &b,
	}, nil
}

// longest is how many bytes of a text are compared and looked up by: two such
// and some numbers make an entry of an index, which PostgreSQL limits to 2,700.
const longest = 900

// short cuts a text that is longer than any that a person or a program means,
// so that different ones stay different. The raw mail has it whole.
func short(s string) string {
	if len(s) <= longest {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return strings.ToValidUTF8(s[:longest-24], "") + "…" + hex.EncodeToString(sum[:8])
}

func shortAll(list []string) []string {
	for i, s := range list {
		if len(s) > longest {
			list = slices.Clone(list)
			list[i] = short(s)
		}
	}
	return list
}

func address(a parser.Address) tickets.Address {
	return tickets.Address{Name: a.Name, Address: short(a.Address)}
}

func addresses(list []parser.Address) []tickets.Address {
	var out []tickets.Address
	for _, a := range list {
		out = append(out, address(a))
	}
	return out
}

// recipients lists every place where a relay address may stand. Envelope
// recipients come first; Delivered-To and X-Original-To are habits of some
// MTAs, and To and Cc are what the sender's client wrote.
func recipients(row store.Claimed, m *parser.Mail) []string {
	out := slices.Concat(row.Recipients, m.DeliveredTo)
	for _, a := range slices.Concat(m.To, m.Cc) {
		out = append(out, a.Address)
	}
	return out
}

func subject(m *parser.Mail) string {
	if s := strings.TrimSpace(m.SubjectCore); s != "" {
		return m.Subject
	}
	return strings.TrimSpace(m.Subject)
}

func signals(m *parser.Mail) []string {
	var out []string
	for _, s := range m.Signals {
		out = append(out, s.Rule+"="+s.Value)
	}
	return out
}

func bounce(m *parser.Mail) *tickets.Bounce {
	if m.Bounce == nil {
		return nil
	}
	b := m.Bounce
	return &tickets.Bounce{Recipient: b.Recipient, Status: b.Status, Hard: b.Hard, Diagnostic: b.Diagnostic, MessageID: short(b.MessageID)}
}

func facts(m *parser.Mail) map[string]string {
	out := map[string]string{}
	if len(m.Phones) > 0 {
		out["phone"] = m.Phones[0]
	}
	for _, f := range m.Facts {
		if _, have := out[f.Kind]; !have {
			out[f.Kind] = f.Value
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// oversize returns the size of a mail of which only the first part was taken in.
func oversize(raw []byte) (size int, ok bool) {
	rest, ok := bytes.CutPrefix(raw, []byte(OversizeField+": "))
	if !ok {
		return 0, false
	}
	line, _, _ := bytes.Cut(rest, []byte("\r\n"))
	size, err := strconv.Atoi(string(line))
	return size, err == nil
}

// attachments lists the files of a mail. Those of an oversize one were cut off
// somewhere: the mail as a whole stands for them, refused for its size.
func attachments(row store.Claimed, m *parser.Mail) []tickets.Attachment {
	if size, ok := oversize(row.Data); ok {
		return []tickets.Attachment{{Filename: "message.eml", ContentType: "message/rfc822", Size: size, Part: -1, Refused: "size"}}
	}
	var out []tickets.Attachment
	for i, a := range m.Attachments {
		out = append(out, tickets.Attachment{
			Filename: a.Filename, ContentType: a.ContentType, ContentID: a.ContentID,
			Inline: a.Inline, Size: a.Size, SHA256: a.SHA256, Part: i,
		})
	}
	return out
}

func forwarded(m *parser.Mail) *tickets.Forwarded {
	if m.Forwarded == nil {
		return nil
	}
	f := m.Forwarded
	return &tickets.Forwarded{From: address(f.From), Subject: f.Subject, Text: f.Text, Date: f.Date}
}

// forwardMark is the line with which clients begin an inline forward.
var forwardMark = regexp.MustCompile(`(?mi)^[ >]*(-{2,}.*(forwarded|weitergeleitete|original|ursprüngliche).*-*|begin forwarded message:|anfang der weitergeleiteten (nachricht|e-mail):)\s*$`)

// beforeForward is what stands above the forwarded message: the agent's own words.
func beforeForward(body string) string {
	if at := forwardMark.FindStringIndex(body); at != nil {
		return strings.TrimSpace(body[:at[0]])
	}
	return body
}
