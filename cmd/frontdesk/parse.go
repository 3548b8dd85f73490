package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"frontdesk/parser"
)

func parseCommand() *cobra.Command {
	var asJSON, explain bool
	var country string
	cmd := &cobra.Command{
		Use:   "parse [--json] [--explain] FILE|-",
		Short: "how the desk understands one mail",
		Long: `Reads one mail from FILE, or from standard input with "-", and prints what the
desk understands of it. It never fails on any mail: what is broken is listed as
a defect. --json prints everything for scripts, --explain the rule behind each
decision: the kind of the mail and every cut in the visible reply.`,
		Example: "  frontdesk parse --explain mail.eml\n  curl -s $URL | frontdesk parse --json -",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			raw, err := readMail(cmd.InOrStdin(), args[0])
			if err != nil {
				return failed(err)
			}
			m := parser.Parse(raw, parser.Options{Country: country})
			if asJSON {
				return failed(printMailJSON(cmd.OutOrStdout(), m))
			}
			printMail(cmd.OutOrStdout(), m, explain)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&explain, "explain", false, "print the rule behind each decision")
	cmd.Flags().StringVar(&country, "country", "", "default country of phone numbers, as in DE")
	return cmd
}

// maxMail bounds what parse reads.
const maxMail = 64 << 20

// readMail reads the mail that arg names.
func readMail(stdin io.Reader, arg string) ([]byte, error) {
	if arg == "-" {
		return io.ReadAll(io.LimitReader(stdin, maxMail))
	}
	f, err := os.Open(arg)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxMail))
}

// mailJSON is the output of parse --json; its keys are a contract.
type mailJSON struct {
	MessageID   string             `json:"message_id"`
	InReplyTo   []string           `json:"in_reply_to"`
	References  []string           `json:"references"`
	From        parser.Address     `json:"from"`
	Sender      *parser.Address    `json:"sender,omitempty"`
	ReplyTo     []parser.Address   `json:"reply_to"`
	To          []parser.Address   `json:"to"`
	Cc          []parser.Address   `json:"cc"`
	ReturnPath  *string            `json:"return_path"`
	DeliveredTo []string           `json:"delivered_to"`
	Subject     string             `json:"subject"`
	SubjectCore string             `json:"subject_core"`
	ReplyPrefix bool               `json:"reply_prefix"`
	ForwardPref bool               `json:"forward_prefix"`
	Date        string             `json:"date"`
	ThreadTopic string             `json:"thread_topic,omitempty"`
	ThreadRoot  string             `json:"thread_root,omitempty"`
	Text        string             `json:"text"`
	HTML        string             `json:"html"`
	ReplyText   string             `json:"reply_text"`
	Body        string             `json:"body"`
	Cuts        []parser.Cut       `json:"cuts"`
	Attachments []attachmentJSON   `json:"attachments"`
	Forwarded   *forwardedJSON     `json:"forwarded,omitempty"`
	Kind        parser.Kind        `json:"kind"`
	Signals     []parser.Signal    `json:"signals"`
	Bounce      *parser.Bounce     `json:"bounce"`
	Calendar    *calendarJSON      `json:"calendar,omitempty"`
	Protection  *parser.Protection `json:"protection,omitempty"`
	Language    string             `json:"language"`
	Commands    []string           `json:"commands"`
	Phones      []string           `json:"phones"`
	Facts       []parser.Fact      `json:"facts"`
	Missing     []string           `json:"missing"`
	Defects     []string           `json:"defects"`
	Content     string             `json:"content"`
	Size        int                `json:"size"`
}

type attachmentJSON struct {
	Filename    string `json:"filename"`
	ContentType string `json:"content_type"`
	Size        int    `json:"size"`
	Inline      bool   `json:"inline"`
	ContentID   string `json:"content_id"`
	SHA256      string `json:"sha256"`
}

type forwardedJSON struct {
	From    parser.Address   `json:"from"`
	To      []parser.Address `json:"to"`
	Date    string           `json:"date"`
	Subject string           `json:"subject"`
	Text    string           `json:"text"`
}

type calendarJSON struct {
	Method    string `json:"method"`
	Summary   string `json:"summary"`
	Location  string `json:"location"`
	Organizer string `json:"organizer"`
	Start     string `json:"start"`
	End       string `json:"end"`
}

// list makes an absent list [] and not null.
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// stamp writes a time as RFC 3339, the zero time as "".
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

// mailToJSON brings a mail into the form that parse --json prints.
func mailToJSON(m *parser.Mail) mailJSON {
	j := mailJSON{
		MessageID: m.MessageID, InReplyTo: list(m.InReplyTo), References: list(m.References),
		From: m.From, ReplyTo: list(m.ReplyTo), To: list(m.To), Cc: list(m.Cc), ReturnPath: m.ReturnPath, DeliveredTo: list(m.DeliveredTo),
		Subject: m.Subject, SubjectCore: m.SubjectCore, ReplyPrefix: m.ReplyPrefix, ForwardPref: m.ForwardPref, Date: stamp(m.Date),
		ThreadTopic: m.ThreadTopic, ThreadRoot: m.ThreadRoot, Text: m.Text, HTML: m.HTML, ReplyText: m.ReplyText, Body: m.Body,
		Cuts: list(m.Cuts), Attachments: make([]attachmentJSON, 0, len(m.Attachments)), Kind: m.Kind, Signals: list(m.Signals), Bounce: m.Bounce,
		Language: m.Language, Commands: list(m.Commands), Phones: list(m.Phones), Facts: list(m.Facts), Missing: list(m.Missing(nil)), Defects: list(m.Defects),
		Content: hex.EncodeToString(m.Content[:]), Size: m.Size,
	}
	if m.Sender != (parser.Address{}) {
		j.Sender = &m.Sender
	}
	for _, a := range m.Attachments {
		j.Attachments = append(j.Attachments, attachmentJSON{a.Filename, a.ContentType, a.Size, a.Inline, a.ContentID, hex.EncodeToString(a.SHA256[:])})
	}
	j.Protection = m.Protection
	if f := m.Forwarded; f != nil {
		j.Forwarded = &forwardedJSON{f.From, list(f.To), stamp(f.Date), f.Subject, f.Text}
	}
	if c := m.Calendar; c != nil {
		j.Calendar = &calendarJSON{c.Method, c.Summary, c.Location, c.Organizer, stamp(c.Start), stamp(c.End)}
	}
	return j
}

// printMailJSON writes one JSON object, indented, with HTML left readable.
func printMailJSON(w io.Writer, m *parser.Mail) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(mailToJSON(m))
}

// printMail writes a mail for people: head, visible reply, and with explain
// the rules behind it.
func printMail(w io.Writer, m *parser.Mail, explain bool) {
	line := func(key, value string) {
		if value != "" {
			fmt.Fprintf(w, "%-12s %s\n", key+":", value)
		}
	}
	line("from", showAddress(m.From))
	for _, a := range m.To {
		line("to", showAddress(a))
	}
	for _, a := range m.Cc {
		line("cc", showAddress(a))
	}
	line("date", stamp(m.Date))
	line("subject", m.Subject)
	line("message-id", m.MessageID)
	line("kind", string(m.Kind))
	line("language", m.Language)
	if b := m.Bounce; b != nil {
		line("bounce", strings.TrimSpace(fmt.Sprintf("%s %s %s hard=%t", b.Recipient, b.Status, b.Reason, b.Hard)))
		line("diagnostic", b.Diagnostic)
	}
	for _, a := range m.Attachments {
		line("attachment", fmt.Sprintf("%q %s, %d bytes", a.Filename, a.ContentType, a.Size))
	}
	for _, c := range m.Commands {
		line("command", c)
	}
	if explain {
		explainMail(w, m, line)
	}
	fmt.Fprintf(w, "\n%s\n", m.ReplyText)
}

// explainMail writes the rules behind the decisions.
func explainMail(w io.Writer, m *parser.Mail, line func(key, value string)) {
	line("core", m.SubjectCore)
	for i, s := range m.Signals {
		verdict := "also"
		if i == 0 {
			verdict = "decides"
		}
		line("signal", fmt.Sprintf("%s %q says %s (%s)", s.Rule, s.Value, s.Kind, verdict))
	}
	if len(m.Signals) == 0 {
		line("signal", "none: a person wrote it")
	}
	text := strings.Split(m.Text, "\n")
	for _, c := range m.Cuts {
		first := ""
		if c.From >= 1 && c.From <= len(text) {
			first = text[c.From-1]
		}
		line("cut", fmt.Sprintf("lines %d-%d by %s: %q", c.From, c.To, c.Rule, shorten(first, 60)))
	}
	for _, f := range m.Facts {
		line("fact", fmt.Sprintf("%s %q (line %d)", f.Kind, f.Value, f.Line))
	}
	if m.Kind == parser.KindMessage {
		line("missing", strings.Join(m.Missing(nil), ", "))
	}
	for _, d := range m.Defects {
		line("defect", d)
	}
}

// showAddress writes an address as people do.
func showAddress(a parser.Address) string {
	switch {
	case a.Name == "":
		return a.Address
	case a.Address == "":
		return fmt.Sprintf("%q", a.Name)
	}
	return fmt.Sprintf("%q <%s>", a.Name, a.Address)
}

// shorten cuts s to n characters.
func shorten(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
