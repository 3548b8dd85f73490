package parser

import (
	"strings"
)

// daemonNames are the local parts that MTAs write from (RFC 2142 has only
// postmaster), lower case.
var daemonNames = words(`mailer-daemon postmaster mail-daemon maildaemon mailerdaemon mail.delivery.system mail-delivery-system mailadmin mailmaster mdaemon
	mail-delivery-subsystem maildelivery daemon mailsystem bounce bounces system-administrator poostmaster post-master sysadmin mailmarshal mailsweeper mailserver mail-server smtp-server antispam spamfilter mailguard`)

// daemonPhrases are display names of MTAs, lower case.
var daemonPhrases = []string{"mail delivery sub", "mail delivery sys", "delivery subsystem", "mailer-daemon", "mailer daemon", "system administrator", "mail administrator", "internet mail delivery", "mail system", "delivery status"}

// fromMachine tells what shows that an MTA wrote the mail, "" for nothing.
func (p *parse) fromMachine() string {
	if p.head.filled("X-Failed-Recipients") != "" {
		return "x-failed-recipients"
	}
	raw := strings.ToLower(p.head.filled("From"))
	if isDaemon(p.m.From.Address) || strings.TrimSpace(raw) == "<>" || strings.HasSuffix(strings.TrimSpace(raw), "<>") {
		return "from " + localPart(p.m.From.Address)
	}
	name := strings.ToLower(p.m.From.Name)
	for _, d := range daemonPhrases {
		if strings.Contains(name, d) {
			return "from " + d
		}
	}
	if rp := p.m.ReturnPath; rp != nil && (*rp == "" || isDaemon(*rp)) {
		return nullPath
	}
	return ""
}

// nullPath is the weakest sign of an MTA: vacation notices have it, too
// (RFC 3834 section 3.3).
const nullPath = "null return-path"

// isDaemon reports an address that MTAs write from.
func isDaemon(addr string) bool {
	return daemonNames[strings.ReplaceAll(localPart(addr), "_", "-")]
}

// localPart returns the local part in lower case.
func localPart(addr string) string {
	if at := strings.LastIndexByte(addr, '@'); at >= 0 {
		addr = addr[:at]
	}
	return strings.ToLower(addr)
}

// weakMachine reports senders that are programs but not always MTAs.
func (p *parse) weakMachine() bool {
	l := localPart(p.m.From.Address)
	for _, w := range []string{"no-reply", "noreply", "no_reply", "donotreply", "do-not-reply"} {
		if strings.HasPrefix(l, w) {
			return true
		}
	}
	return strings.HasSuffix(l, "-admin") || strings.HasSuffix(l, "-request") || strings.HasSuffix(l, "-owner") || strings.HasPrefix(l, "owner-") || strings.Contains(l, "bounce")
}

// failedSubjects are what the subjects of bounces say, lower case.
var failedSubjects = []string{
	"delivery status", "delivery failure", "delivery failed", "failure notice", "undeliver", "returned mail", "mail delivery", "mail failure", "mail error", "could not be delivered", "not delivered",
	"delivery problem", "delivery notification", "delivery report", "delivery error", "delivery has failed", "returned to sender", "message delivery", "mail system error", "non-delivery", "nondeliver", "non deliver", "failure delivery", "delivery unsuccessful",
	"failed delivery", "non delivery", "unable to deliver", "cannot deliver", "can't deliver", "couldn't be delivered", "bounced", "loop alert", "rejected", "email delivery", "user unknown", "delayed mail", "could not send message", "notice: mail delivery", "address not found", "message not delivered", "warning: message", "blocked by",
	"unzustellbar", "nicht zugestellt", "nicht zustellbar", "zustellung", "non remis", "non distribu", "échec de", "échec de la remise", "retourné", "no se puede entregar", "no entregado", "no se ha podido entregar", "mancato recapito", "impossibile recapitare", "non recapitabile", "não entregue", "falha na entrega", "falha de entrega",
	"onbestelbaar", "niet bezorgd", "kunne ikke leveres", "kunde inte levereras", "olevereras", "kan ikke leveres", "ei voitu toimittaa", "niedostarcz", "nie dostarczono", "zwrot", "nedoručiteln", "nedoručen", "не доставлен", "недоставлен", "ошибка доставки", "не удалось доставить", "не может быть доставлено", "teslim edilem", "iletilemedi",
	"配信できません", "配信不能", "送信エラー", "メールエラー", "エラー通知", "メール配信", "送信できません", "未送信", "宛先不明", "退信", "未送达", "无法投递", "投递失败", "系统退信", "無法傳遞", "無法傳送", "전송 실패", "배달 실패", "전송되지", "반송", "kézbesíthetetlen", "nu a fost livrat", "doručení", "δεν παραδόθηκε", "gagal",
}

// failedPhrases are what the texts of bounces say, lower case, white space
// collapsed.
var failedPhrases = []string{
	"trouble delivering", "rejected recipient", "recipients were affected", "non-delivered", "failure in delivering", "not deliverable", "error sending your message", "could not be delivered", "couldn't be delivered", "cannot be delivered", "can't be delivered", "was not delivered", "wasn't delivered", "not be delivered", "unable to deliver", "not able to deliver", "failed to deliver", "not delivered to", "has not been delivered", "undeliverable", "undelivered",
	"delivery to the following", "delivery failed", "delivery has failed", "delivery failure", "error delivering", "error while trying to deliver", "error occurred while trying to deliver", "error has occurred while attempting to deliver", "error while attempting to deliver", "did not reach the following", "returned to sender", "permanent fatal error", "delivery problems", "delivery errors",
	"transcript of session", "no such user", "failure reasons", "failed addresses", "could not send message", "could not deliver", "couldn't deliver", "delivering your message", "delivery attempt", "temporarily unable", "delivery temporarily", "duplicated message-id",
	"mailbox full", "mailfolder is full", "undeliverable mail", "unable to be delivered", "problems encountered during delivery", "was undeliverable", "have not been delivered", "sorry, no mailbox", "tried to deliver your message",
	"konnte nicht zugestellt", "nicht zugestellt werden", "konnten nicht", "n'a pas pu être", "n'a pu être", "n'a pas été remis", "no se pudo entregar", "no ha podido ser entregado", "non è stato possibile", "non è stato recapitato", "não pôde ser entregue", "não foi entregue", "kon niet worden", "niet worden afgeleverd", "kunde inte levereras", "не может быть доставлено", "не было доставлено", "не удалось доставить", "nie mogła zostać dostarczona", "nie została dostarczona",
	"送信できませんでした", "送信できません", "送信に失敗", "配信できません", "配信に失敗", "お届けできません", "エラーのため", "无法投递", "投递失败", "无法送达", "未能送达", "退信", "無法傳遞", "無法送達", "전달되지", "전송하지 못", "전송되지", "reporting-mta:", "final-recipient:", "diagnostic-code:", "the mail system", "remote host said", "smtp error from",
}

// weakPhrases stand in bounces, and in what machines write about other things.
var weakPhrases = []string{
	"is no longer", "your message to", "message was not", "does not exist", "was rejected by", "permanent error", "following address", "not listed in", "google groups", "is full", "mailbox is full", "message could not", "user unknown", "unknown user", "account is disabled", "rejected your message", "unable to send", "address rejected",
}

// saysOne returns the first of phrases that stands in text.
func saysOne(text string, phrases []string) string {
	for _, w := range phrases {
		if strings.Contains(text, w) {
			return w
		}
	}
	return ""
}

// fromForm decides by sender, subject and text whether a mail without status
// fields reports a failed delivery: half of the real ones have none.
func (r *reportResult) fromForm(p *parse, own, from string) {
	if from == "" && !p.weakMachine() {
		return
	}
	low := strings.ToLower(collapse(clip(own, 8<<10)))
	subject, phrase := saysOne(strings.ToLower(p.m.Subject), failedSubjects), saysOne(low, failedPhrases)
	if phrase == "" && (from != nullPath || subject != "") {
		phrase = saysOne(low, weakPhrases)
	}
	switch {
	case from == "x-failed-recipients":
		r.rule, r.value = from, decodeHeader(p.head.filled("X-Failed-Recipients"), p.charset)
	case from == nullPath && subject == "" && (phrase == "" || p.saysVacation(low) || !p.namesFailure(own)):
		return // somebody's notice
	case from == nullPath && phrase == "" && !p.namesFailure(own):
		return
	case from != "" && phrase != "":
		r.rule, r.value = "bounce-text", from+", "+phrase
	case from != "" && subject != "":
		r.rule, r.value = "bounce-subject", from+", "+subject
	case subject != "" && phrase != "":
		r.rule, r.value = "bounce-subject-and-text", subject+", "+phrase
	default:
		return
	}
	r.kind = KindBounce
	if saysOne(strings.ToLower(p.m.Subject), delayedSubjects) != "" || saysOne(low, delayedPhrases) != "" {
		r.kind = KindDelayed
	}
	b := &Bounce{}
	for _, v := range p.head.all("X-Failed-Recipients") {
		list, _ := parseAddresses(v, p.charset, 1000)
		for _, a := range list {
			b.addRecipient(reportAddress(a.Address))
		}
	}
	r.bounce = b
	b.completeFrom(own, p)
}

// namesFailure reports a text that names a failing address or quotes a
// server's refusal.
func (p *parse) namesFailure(own string) bool {
	for _, f := range failedIn(own, p) {
		if f.rank <= 3 {
			return true
		}
	}
	return replyClass(own) != 0 && enhancedCode(own) != ""
}

// saysVacation reports an answer for a person who is away, which a null
// return path alone must not turn into a bounce.
func (p *parse) saysVacation(low string) bool {
	return autoSubject(p.m.Subject) != "" || strings.Contains(low, "out of office") || strings.Contains(low, "out of the office") || strings.Contains(low, "on vacation")
}

var delayedSubjects = []string{"delayed", "(delay)", "warning: could not send", "still being retried", "verzögert", "delay)", "retardé", "retrasad", "задерж"}

var delayedPhrases = []string{"this is a warning message only", "this is a warning only", "will be retried", "do not need to resend", "will continue to try", "will keep trying", "delivery attempts will continue", "still trying", "has been delayed", "temporarily delayed", "no action is required on your part"}

// copyMarks open the copy of the returned mail in a report, lower case.
var copyMarks = newPhrases([]string{
	"below this line is a copy", "this is a copy of", "original message follows", "original message", "message headers follow", "returned message", "unsent message", "included is a copy", "header of the original", "headers of the original",
	"copy of the original", "original mail as follows", "message header follows", "undelivered message", "message text follows", "begin of original", "begin message", "original mail", "rejected message", "forwarded message", "the header was", "元のメール", "原邮件", "ursprüngliche nachricht", "en-têtes", "message header",
})

// copyFields open the header of a returned mail that follows without a mark.
var copyFields = newPhrases([]string{"received:", "return-path:", "message-id:", "mime-version:", "dkim-signature:", "x-originating-ip:", "delivered-to:", "authentication-results:", "x-mailer:"})

// splitReport divides a report from the copy of the mail that it returns.
func splitReport(text string) (own, copied string) {
	for pos := 0; pos < len(text); {
		line, _, more := strings.Cut(text[pos:], "\n")
		t := strings.TrimSpace(line)
		if pos > 0 && copyFields.opens(t) != "" && !strings.HasPrefix(line, "  ") {
			return text[:pos], text[pos:]
		}
		if pos > 0 && (strings.HasPrefix(t, "-") || strings.HasSuffix(t, ":") || strings.HasSuffix(t, ".")) && copyMarks.in(t) {
			if low := strings.ToLower(t); len(low) < 120 && copyMarks.in(strings.Trim(low, "-=*_ ")) && !strings.Contains(low, "will be") && !strings.Contains(low, "received at") && !strings.Contains(low, " your ") && opensCopy(low) {
				return text[:pos], text[pos+len(line):]
			}
		}
		if !more {
			break
		}
		pos += len(line) + 1
	}
	return text, ""
}

// opensCopy keeps sentences that only mention the original message from being
// taken for the mark above its copy.
func opensCopy(low string) bool {
	t := strings.Trim(low, "-=*_ ")
	return strings.HasPrefix(low, "-") || strings.HasSuffix(low, "follows.") || strings.HasSuffix(low, "follows:") || strings.HasSuffix(low, "follow.") || strings.HasSuffix(t, ":") && len(t) < 70
}

// completeFrom fills what the status fields left open from the report's text.
func (b *Bounce) completeFrom(own string, p *parse) {
	found := failedIn(own, p)
	if len(b.Recipients) == 0 && b.Recipient != "" {
		b.addRecipient(b.Recipient)
	}
	if len(b.Recipients) == 0 {
		for _, f := range found {
			b.addRecipient(f.addr)
		}
	}
	if b.Recipient == "" && len(b.Recipients) > 0 {
		b.Recipient = b.Recipients[0]
	}
	text := own
	for _, f := range found {
		if strings.EqualFold(f.addr, b.Recipient) {
			text = own[f.at:]
			break
		}
	}
	if b.Diagnostic == "" {
		b.Diagnostic = diagnosticIn(text, b.Recipient)
	}
	b.refineStatus(own, text)
}

// refineStatus replaces a missing or vague status by what the diagnostic or
// the transcript says.
func (b *Bounce) refineStatus(own, text string) {
	diag := lastCode(b.Diagnostic)
	if diag != "" && !strings.HasSuffix(diag, ".0.0") && b.Status != diag && (vague(b.Status) || replyClass(b.Diagnostic) == diag[0]) {
		if b.Status == "" || vague(b.Status) || diag[0] == '5' || b.Status[0] == '4' {
			b.Status = diag
		}
	}
	if vague(b.Status) {
		if c := codeAfterReply(text); c != "" {
			b.Status = c
		} else if c := codeAfterReply(own); c != "" {
			b.Status = c
		} else if c := enhancedCode(text); c != "" && b.Status == "" && c[0] != '2' {
			b.Status = c
		} else if c := enhancedCode(own); c != "" && b.Status == "" && c[0] != '2' {
			b.Status = c
		}
	}
}

// lastCode returns the code of a diagnostic that says most: a server may
// wrap another one's answer ("554 4.4.7 expired <421 4.4.2 timed out>").
func lastCode(diag string) string {
	best := ""
	for rest := diag; ; {
		var code string
		if code, rest = findCode(rest); code == "" {
			return best
		}
		if best == "" || vague(best) && !vague(code) {
			best = code
		}
	}
}

// codeAfterReply returns the first enhanced code that follows an SMTP reply
// code and is not vague: "550 5.1.1", "550-5.1.1", "550 #5.1.1".
func codeAfterReply(text string) string {
	for rest := text; ; {
		var code string
		code, rest = findCode(rest)
		if code == "" {
			return ""
		}
		at := len(text) - len(rest) - len(code)
		before := strings.TrimRight(text[max(0, at-8):at], " -#(:\n\t")
		if n := len(before); n >= 3 && before[n-3] == code[0] && isDigits(before[n-3:]) && !strings.HasSuffix(code, ".0.0") {
			return code
		}
	}
}

// finish decides hard or soft and the reason, and finds the mail that bounced.
func (b *Bounce) finish(p *parse, kind Kind, own, copied string) {
	returned := p.returnedHeader(copied)
	b.MessageID = parseMessageID(returned.filled("Message-ID"))
	if b.Recipient == "" || !strings.Contains(b.Recipient, "@") {
		if a := p.returnedRecipient(returned, b.Recipient); a != "" {
			b.Recipient = a
			b.Recipients = []string{a}
		}
	}
	if len(b.Recipients) < 2 {
		b.Recipients = nil
	}
	b.Diagnostic = clip(b.Diagnostic, 2000)
	b.Reason = bounceReason(b.Status, b.Diagnostic+" "+clip(own, 4000), b.Diagnostic)
	if b.Reason == "undefined" && kind == KindDelayed {
		b.Reason = "expired"
	}
	switch {
	case b.Status != "":
		b.Hard = b.Status[0] == '5'
	case replyClass(b.Diagnostic) != 0:
		b.Hard = replyClass(b.Diagnostic) == '5'
	default:
		b.Hard = goneReasons[b.Reason]
	}
}

// returnedHeader returns the header of the mail that came back: attached, or
// copied below the report.
func (p *parse) returnedHeader(copied string) header {
	var h header
	p.root.each(false, func(q *part) bool {
		switch {
		case len(h) > 0:
			return false
		case isMessage(q.ctype.value) && len(q.children) == 1:
			h = q.children[0].head
		case q.is("text/rfc822-headers") || q.is("message/rfc822-headers") || q.is("text/rfc822"):
			h, _, _ = splitHeader(append([]byte{'\n'}, q.content()...), 0, p.lim, nil)
		}
		return true
	})
	if len(h) == 0 && copied != "" {
		copied = strings.TrimLeft(copied, "-=*_ \n\t")
		h, _, _ = splitHeader([]byte(copied), 0, p.lim, nil)
		if !h.has("Message-ID") {
			if i := strings.Index(strings.ToLower(copied), "\nmessage-id:"); i >= 0 {
				more, _, _ := splitHeader([]byte(copied[i+1:]), 0, p.lim, nil)
				h = append(h, more...)
			}
		}
	}
	return h
}

// returnedRecipient guesses the failing recipient from the mail that came
// back, when the report does not name it.
func (p *parse) returnedRecipient(h header, local string) string {
	for _, name := range []string{"X-Envelope-To", "Envelope-To", "X-Failed-Recipients", "To", "Delivered-To"} {
		for _, v := range h.all(name) {
			list, _ := parseAddresses(v, "", 50)
			for _, a := range list {
				if strings.Contains(a.Address, "@") && (local == "" || localPart(a.Address) == localPart(local)) {
					return reportAddress(a.Address)
				}
			}
		}
	}
	if local != "" {
		return ""
	}
	for _, v := range h.all("Received") {
		if i := strings.LastIndex(v, " for <"); i >= 0 {
			if a := reportAddress(untilAngle(v[i+6:])); strings.Contains(a, "@") {
				return a
			}
		}
	}
	return ""
}
