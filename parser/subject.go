package parser

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// replyPrefixes are the words that clients put before the subject of an
// answer, in lower case without the colon. They count only with a colon (or a
// counter and a colon) behind them. RV is Outlook's Spanish forward, which
// people use to answer: it counts as both.
var replyPrefixes = words(`re aw antw antwort sv vs odp ynt yan res resp rif r ref réf bls balas atb ats vá rv
	απ σχετ απάντηση отв ответ отг відп відповідь одг одговор odg odgovor reply respuesta risposta réponse rép rep resposta
	svar antwoord trả_lời vastus vastaus odpověď odpoveď răspuns rasp risp 回复 回覆 答复 答覆 回信 返信 回 답장 회신 ตอบ ตอบกลับ رد השב תשובה`)

// forwardPrefixes are the words before a forwarded subject.
var forwardPrefixes = words(`fwd fw wg tr rv enc i fs vb vl pd doorst doorsturen videresend weitergeleitet trs továbbítás tov ilt i̇lt iletilen
	прд пересл пер препр πρθ προώθ chuyển_tiếp prensl 转发 轉寄 转寄 轉發 転送 전달 ส่งต่อ إعادة_توجيه הועבר preposielanie přeposl
	preposl reenv reenvío inoltra inoltro forward forwarded videresendt vidarebefordrat välitetty yml edasi persiunčiama`)

// words makes a set of blank-separated words; "_" stands for a blank inside a
// word.
func words(s string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(s) {
		m[strings.ReplaceAll(w, "_", " ")] = true
	}
	return m
}

// subjectCore strips reply and forward prefixes, list tags and ticket tags and
// collapses blanks. subject is decoded. It answers what was stripped.
func subjectCore(subject string) (core string, reply, forward bool) {
	s := collapse(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) || r == '\uFEFF' {
			return -1
		}
		return r
	}, subject))
	for range 100 {
		rest, kind := cutPrefix(s)
		if kind == prefixNone {
			break
		}
		reply = reply || kind == prefixReply || kind == prefixBoth
		forward = forward || kind == prefixForward || kind == prefixBoth
		s = rest
	}
	s, f := cutForwardSuffix(s)
	return stripTicketTags(s), reply, forward || f
}

type prefixKind int

const (
	prefixNone prefixKind = iota
	prefixReply
	prefixForward
	prefixBoth
	prefixTag
)

// cutPrefix takes one prefix off.
func cutPrefix(s string) (rest string, kind prefixKind) {
	if s == "" {
		return s, prefixNone
	}
	if s[0] == '[' {
		return cutTag(s)
	}
	colon := prefixColon(s)
	if colon < 0 {
		return s, prefixNone
	}
	r, n := utf8.DecodeRuneInString(s[colon:])
	if r != ':' && r != '：' {
		return s, prefixNone
	}
	word := strings.ToLower(strings.TrimSpace(s[:colon]))
	rest = strings.TrimSpace(s[colon+n:])
	word = stripCounter(word)
	switch {
	case replyPrefixes[word] && forwardPrefixes[word]:
		return rest, prefixBoth
	case forwardPrefixes[word]:
		return rest, prefixForward
	case replyPrefixes[word]:
		return rest, prefixReply
	case word == "automatic reply" || word == "automatische antwort" || word == "réponse automatique":
		return rest, prefixReply
	}
	return s, prefixNone
}

// prefixColon returns where the colon of a possible prefix is, -1 for none:
// within the first 24 characters.
func prefixColon(s string) int {
	n := 0
	for i, r := range s {
		if r == ':' || r == '：' {
			return i
		}
		if n++; n > 24 {
			return -1
		}
	}
	return -1
}

// stripCounter takes the counter off "re[2]", "re (3)", "re^2", "aw4", "re*2".
func stripCounter(w string) string {
	t := strings.TrimRight(w, "0123456789[]()^* \u00a0")
	if t == "" {
		return w
	}
	return t
}

// cutTag takes a leading "[…]" off: a list tag or a ticket tag. A tag that is
// all there is stays.
func cutTag(s string) (rest string, kind prefixKind) {
	i := strings.IndexByte(s, ']')
	if i < 0 || i > 60 {
		return s, prefixNone
	}
	rest = strings.TrimSpace(s[i+1:])
	rest = strings.TrimSpace(strings.TrimPrefix(rest, ":"))
	word := strings.ToLower(strings.TrimSpace(s[1:i]))
	switch {
	case strings.HasPrefix(word, "fwd:") || strings.HasPrefix(word, "fw:"):
		in := strings.TrimSpace(s[strings.IndexByte(s, ':')+1 : i]) // "[Fwd: subject]" of old Thunderbirds
		return strings.TrimSpace(in + " " + rest), prefixForward
	case rest == "" && !isTicketTag(s[1:i]):
		return s, prefixNone
	}
	return rest, prefixTag
}

// cutForwardSuffix handles "(fwd)" at the end (Pine, mutt).
func cutForwardSuffix(s string) (string, bool) {
	low := strings.ToLower(s)
	if strings.HasSuffix(low, " (fwd)") || low == "(fwd)" {
		return strings.TrimSpace(s[:len(s)-5]), true
	}
	return s, false
}

// isTicketTag reports whether the text between brackets names a ticket:
// "Baleyo #1234", "Ticket#12", "#12", "Ticket: 12", "Case 00012".
func isTicketTag(in string) bool {
	in = strings.TrimSpace(in)
	digits := len(in)
	for digits > 0 && in[digits-1] >= '0' && in[digits-1] <= '9' {
		digits--
	}
	if digits == len(in) || len(in) > 60 {
		return false
	}
	head := strings.TrimRight(in[:digits], " ")
	if strings.HasSuffix(head, "#") || strings.HasSuffix(head, "№") {
		return true
	}
	switch strings.ToLower(strings.TrimRight(head, ":-. ")) {
	case "ticket", "case", "request", "issue", "incident", "ref", "id", "tt", "sr", "anfrage", "vorgang", "tarea", "demande", "nr":
		return true
	}
	return false
}

// stripTicketTags removes ticket tags wherever they stand and "Ticket#12:"
// at the front.
func stripTicketTags(s string) string {
	for from := 0; ; {
		i := strings.IndexByte(s[from:], '[')
		if i < 0 {
			break
		}
		i += from
		j := strings.IndexByte(s[i:], ']')
		if j < 0 {
			break
		}
		if !isTicketTag(s[i+1 : i+j]) {
			from = i + 1
			continue
		}
		s = strings.TrimRight(s[:i], " ") + " " + strings.TrimLeft(s[i+j+1:], " ")
		from = i
	}
	return collapse(s)
}
