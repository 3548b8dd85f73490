package parser

import (
	"strings"

	"golang.org/x/net/html/atom"
)

// marker is what an element's attributes say about the text in it or after it.
type marker struct {
	quote string // the element is a quote
	sign  string // the element is a signature
	start string // from here on all is quoted
}

// quoteClasses are the classes of elements that hold a quoted message, by the
// client that writes them.
var quoteClasses = map[string]string{
	"gmail_quote": "html-gmail", "gmail_quote_container": "html-gmail", "gmail_attr": "html-gmail", "gmail_extra_quote": "html-gmail",
	"yahoo_quoted": "html-yahoo", "yahoo-quoted": "html-yahoo", "ymail_quote": "html-yahoo",
	"protonmail_quote": "html-proton", "tutanota_quote": "html-tuta",
	"moz-cite-prefix": "html-thunderbird", "moz-email-headers-table": "html-thunderbird",
	"zmail_extra": "html-zoho", "zmail_extra_hr": "html-zoho", "zoho_quote": "html-zoho",
	"airmail_extra": "html-airmail", "airmail_on": "html-airmail", "front-blockquote": "html-front",
	"mb_quote": "html-mailbird", "mailbird-quote": "html-mailbird", "iwc-quoted": "html-iwc", "fastmail-quote": "html-fastmail",
	"mail_android_quote": "html-mailru", "mail-quote-collapse": "html-mailru", "js-helper-quote": "html-mailru",
	"plainmail_quote": "html-webmail", "reply-quote": "html-webmail", "email_quote": "html-webmail", "quotedtext": "html-webmail",
	"freescout_quote": "html-helpdesk", "zd-comment-history": "html-helpdesk", "hs_reply": "html-hubspot", "hs_quote": "html-hubspot",
	"ms-outlook-mobile-reference-message": "html-outlook-mobile",
}

// signClasses are the classes and ids of signatures.
var signClasses = map[string]string{
	"gmail_signature": "html-signature-gmail", "gmail_signature_prefix": "html-signature-gmail", "moz-signature": "html-signature-thunderbird",
	"protonmail_signature_block": "html-signature-proton", "applemailsignature": "html-signature-apple", "apple-mail-signature": "html-signature-apple",
	"lineBreakAtBeginningOfSignature": "html-signature-apple", "ms-outlook-mobile-signature": "html-signature-outlook", "outlooksignature": "html-signature-outlook",
	"yahoo_signature": "html-signature-yahoo", "ymail_android_signature": "html-signature-yahoo", "tutanota_signature": "html-signature-tuta",
	"mailbird-signature": "html-signature-mailbird", "zmail_signature": "html-signature-zoho", "bloop_sign": "html-signature-airmail",
	"signature-block": "html-signature", "sh-signature": "html-signature", "mail-signature": "html-signature",
}

// quoteIDs are the ids of elements that hold a quoted message.
var quoteIDs = map[string]string{
	"olk_src_body_section": "html-outlook-mac", "mail-editor-reference-message-container": "html-outlook", "isforwardcontent": "html-naver",
	"reply-intro": "html-helpdesk", "replysplit": "html-webmail", "yahoo_quoted": "html-yahoo", "oriMsgHtmlSeperator": "html-outlook", "qt": "html-fastmail",
}

// startIDs are the ids of elements after which all is quoted.
var startIDs = map[string]string{
	"divrplyfwdmsg": "html-outlook-web", "stopspelling": "html-hotmail", "appendonsend": "html-outlook-web", "orimsghtmlseperator": "html-outlook-web",
	"zwchr": "html-zimbra", "ms-outlook-mobile-body-separator-line": "html-outlook-mobile", "mailcontent_quote": "html-webmail",
}

// clientMarker reads the marks that mail clients leave on quotes, signatures
// and the lines between messages.
func clientMarker(tag atom.Atom, attrs map[string]string) marker {
	if len(attrs) == 0 {
		return marker{}
	}
	var m marker
	if id := strings.TrimPrefix(strings.ToLower(attrs["id"]), "x_"); id != "" {
		m.quote, m.start, m.sign = quoteIDs[id], startIDs[id], signClasses[id]
		if strings.HasPrefix(id, "yahoo_quoted") {
			m.quote = "html-yahoo"
		}
		if id == "signature" || strings.HasPrefix(id, "ms-outlook-mobile-signature") || strings.HasPrefix(id, "applemailsignature") {
			m.sign = "html-signature"
		}
	}
	for _, c := range strings.Fields(strings.ToLower(clip(attrs["class"], 500))) {
		c = strings.TrimPrefix(c, "x_") // Outlook's web client renames classes
		if r := quoteClasses[c]; r != "" {
			m.quote = r
		}
		if r := signClasses[c]; r != "" {
			m.sign = r
		}
		if strings.Contains(c, "yahoo_quoted") {
			m.quote = "html-yahoo"
		}
	}
	if n := attrs["name"]; n == "messageReplySection" || n == "quote" && tag == atom.Div {
		m.quote = "html-spark" // Spark; GMX and WEB.DE name their div "quote"
	}
	if dm := attrs["data-marker"]; dm == "__QUOTED_TEXT__" || dm == "__HEADERS__" {
		m.quote = "html-zimbra"
	}
	switch {
	case tag == atom.Blockquote && m.quote == "" && (strings.EqualFold(attrs["type"], "cite") || attrs["cite"] != "" || attrs["class"] != ""):
		m.quote = "html-blockquote-cite"
	case tag == atom.Hr && m.start == "" && outlookRule(attrs):
		m.start = "html-outlook-rule"
	case (tag == atom.Div || tag == atom.P) && attrs["style"] != "" && m.start == "" && borderTop(attrs["style"]):
		m.start = "html-outlook-border"
	}
	return m
}

// outlookRule reports the rule that Outlook 2003 and its web client draw
// between an answer and the message it answers.
func outlookRule(a map[string]string) bool {
	return a["tabindex"] == "-1"
}

// borderTop reports Outlook's and Windows Mail's line above the quoted header:
// a top border alone, with a padding.
func borderTop(style string) bool {
	s := strings.ToLower(strings.Map(func(r rune) rune {
		if r == ' ' || r == '\n' || r == '\t' || r == '\r' {
			return -1
		}
		return r
	}, clip(style, 1000)))
	switch {
	case strings.Contains(s, "border:none;border-top:solid") && strings.Contains(s, "padding:3.0pt0"):
		return true
	case strings.Contains(s, "border-top-width:1px") && strings.Contains(s, "border-top-style:solid") && strings.Contains(s, "padding-top:5px"):
		return true
	case strings.HasPrefix(s, "border-top:solid#") && strings.Contains(s, "padding:3"):
		return true
	case strings.Contains(s, "border-width:1ptmediummedium") && strings.Contains(s, "padding:3"): // border-style: solid none none
		return true
	}
	return false
}
