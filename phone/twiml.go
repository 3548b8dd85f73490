package phone

import (
	"encoding/xml"
	"strings"
)

// Retries is the fragment of every callback URL whose loss would lose something.
// By default Twilio tries again only when it could not connect; with this also
// after our 503 and after a timeout, three times. The fragment never reaches us
// and is not signed.
const Retries = "#rc=3&rp=5xx,ct,rt"

// Nothing is the answer to a text: an empty document. Answers to texts leave by
// the outbox, not as TwiML: they have a delivery status there and a retry.
func Nothing() []byte { return document() }

// ContentType is that of TwiML. Twilio refuses others with error 12300.
const ContentType = "text/xml; charset=utf-8"

// The verbs, with the attributes that are used. Their order is fixed, so the
// same scene is the same bytes.
type (
	say struct {
		XMLName  xml.Name `xml:"Say"`
		Language string   `xml:"language,attr"`
		Voice    string   `xml:"voice,attr,omitempty"`
		Text     string   `xml:",chardata"`
	}
	gather struct {
		XMLName     xml.Name `xml:"Gather"`
		Action      string   `xml:"action,attr"`
		Method      string   `xml:"method,attr"`
		NumDigits   int      `xml:"numDigits,attr,omitempty"`
		Timeout     int      `xml:"timeout,attr"`
		FinishOnKey *string  `xml:"finishOnKey,attr,omitempty"` // "" lets # be a key like others
		Says        []any
	}
	redirect struct {
		XMLName xml.Name `xml:"Redirect"`
		Method  string   `xml:"method,attr"`
		URL     string   `xml:",chardata"`
	}
	record struct {
		XMLName            xml.Name `xml:"Record"`
		Action             string   `xml:"action,attr"`
		Method             string   `xml:"method,attr"`
		MaxLength          int      `xml:"maxLength,attr"`
		Timeout            int      `xml:"timeout,attr"`
		FinishOnKey        string   `xml:"finishOnKey,attr"`
		PlayBeep           bool     `xml:"playBeep,attr"`
		StatusCallback     string   `xml:"recordingStatusCallback,attr"`
		StatusMethod       string   `xml:"recordingStatusCallbackMethod,attr"`
		StatusEvents       string   `xml:"recordingStatusCallbackEvent,attr"`
		Transcribe         bool     `xml:"transcribe,attr,omitempty"`
		TranscribeCallback string   `xml:"transcribeCallback,attr,omitempty"`
	}
	dial struct {
		XMLName  xml.Name `xml:"Dial"`
		Action   string   `xml:"action,attr"`
		Method   string   `xml:"method,attr"`
		Timeout  int      `xml:"timeout,attr"`
		CallerID string   `xml:"callerId,attr,omitempty"`
		Numbers  []dialNumber
	}
	dialNumber struct {
		XMLName xml.Name `xml:"Number"`
		URL     string   `xml:"url,attr,omitempty"`
		Method  string   `xml:"method,attr,omitempty"`
		Number  string   `xml:",chardata"`
	}
	hangup struct {
		XMLName xml.Name `xml:"Hangup"`
	}
)

// maxSpoken bounds one <Say>, in runes: Twilio refuses more than 4096.
const maxSpoken = 1000

// said makes one <Say>, or none of empty lines. Its text is escaped when the
// document is written, and what XML cannot hold is replaced, so a caller named
// "<Dial>" is spoken as that.
func said(language, voice string, lines ...string) say {
	var parts []string
	for _, line := range lines {
		if line = strings.Join(strings.Fields(clean(line, maxSpoken)), " "); line != "" {
			parts = append(parts, line)
		}
	}
	return say{Language: wordsOf(language).locale, Voice: voice, Text: shorten(strings.Join(parts, " "), maxSpoken)}
}

// document writes verbs as one TwiML document.
func document(verbs ...any) []byte {
	type response struct {
		XMLName xml.Name `xml:"Response"`
		Verbs   []any
	}
	kept := make([]any, 0, len(verbs))
	for _, v := range verbs {
		if s, ok := v.(say); !ok || s.Text != "" {
			kept = append(kept, v)
		}
	}
	b, err := xml.MarshalIndent(response{Verbs: kept}, "", "  ")
	if err != nil {
		panic(err) // the verbs are ours and marshal
	}
	return append([]byte(xml.Header), append(b, '\n')...)
}

// spell puts blanks between digits, so that a voice reads "1 0 4 2" and not one
// thousand and forty-two.
func spell(digits string) string { return strings.Join(strings.Split(digits, ""), " ") }
