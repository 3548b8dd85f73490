package parser

import (
	"strings"
	"unicode"
)

// Labels of the header block that Outlook and its kin put above the quoted
// message, in lower case, in the languages they are translated to.
var (
	fromLabels = words(`from de von van da fra från od от від kimden gönderen lähettäjä feladó expéditeur remitente remetente mittente afzender avsändare afsender avsender
		absender emisor nadawca odesílatel odosielateľ pošiljatelj pošiljalac expeditor de_la šalje от_кого від_кого подател από siuntėjas no saatja dari từ จาก 发件人 寄件者 寄件人
		差出人 送信者 보낸사람 보낸_사람 보낸이 من מאת frá kimdən gan ó anfonwyd_gan`)
	sentLabels = words(`sent date gesendet gesendet_am datum envoyé envoyé_le date_d'envoi enviado enviado_el enviado_em fecha data inviato data_di_invio verzonden
		sendt dato skickat sänt wysłano data_wysłania odesláno odoslané poslano poslano_dne trimis dată gönderilme gönderildi gönderme_tarihi tarih lähetetty päivämäärä päiväys elküldve
		dátum отправлено дата дата_отправки надіслано изпратено послато στάλθηκε ημερομηνία ημ/νία išsiųsta nosūtīts saadetud kuupäev tanggal terkirim đã_gửi ngày วันที่ ส่ง 发送时间 发送日期 时间 日期 寄件日期
		傳送時間 傳送日期 送信日時 日時 送信日 보낸_날짜 날짜 보낸날짜 보낸_시간 التاريخ تاريخ تم_الإرسال תאריך נשלח sent_on sent_at date_and_time data_e_hora sent_date`)
	toLabels = words(`to à a an aan til till para per кому до do komu pro címzett alıcı kime vastaanottaja pre za către catre prima προς kam kellele kepada tới đến ถึง 收件人 收件者
		宛先 받는사람 받는_사람 받는이 إلى אל cc kopia kopie copia cópia kópia копия копія kopio cci bcc destinataire destinatario destinatário empfänger ontvanger modtager mottagare
		odbiorca příjemce adresát primatelj prejemnik antwort_an reply-to reply_to répondre_à`)
	subjectLabels = words(`subject objet betreff asunto assunto oggetto onderwerp emne ämne тема temat předmět predmet tárgy konu aihe otsikko subiect θέμα tema tēma teema
		subyek perihal subjek chủ_đề tiêu_đề เรื่อง หัวเรื่อง 主题 主旨 件名 제목 الموضوع נושא naslov zadeva efni pwnc ábhar priority importance attachments wichtigkeit organization anlagen`)
)

// labelOf returns the label that opens the line ("from", "date", …) and
// whether the line has the shape "Label: value" at all.
func labelOf(line string) (label string, shaped bool) {
	s := strings.TrimLeftFunc(line, func(r rune) bool { return isBlankRune(r) || strings.ContainsRune("*_>|-", r) })
	i := colon(s)
	if i <= 0 || i > 60 {
		return "", false
	}
	s = strings.ToLower(strings.TrimFunc(s[:i], func(r rune) bool { return unicode.IsSpace(r) || r == '*' || r == '_' || r == '\u00a0' }))
	s = collapse(s)
	switch {
	case fromLabels[s]:
		return "from", true
	case sentLabels[s]:
		return "date", true
	case subjectLabels[s]:
		return "subject", true
	case toLabels[s]:
		return "to", true
	}
	return "", len(strings.Fields(s)) <= 3 && !strings.ContainsAny(s, "./")
}

// colon is the offset of the first colon of either width, -1 for none.
func colon(s string) int {
	narrow, wide := strings.IndexByte(s, ':'), strings.Index(s, "：")
	if narrow < 0 || wide >= 0 && wide < narrow {
		return wide
	}
	return narrow
}

// headerBlock reports the number of lines of a quoted header block that starts
// at lines[i], 0 for none: two different labels at least, three where none of
// them is a sender's.
func headerBlock(lines []string, i int) int {
	first, _ := labelOf(lines[i])
	if first == "" {
		return 0
	}
	if first == "from" && inlineLabels(lines[i]) {
		return 1
	}
	seen := map[string]bool{}
	n, misses, blanks := 0, 0, 0
	for j := i; j < len(lines) && j < i+14; j++ {
		if strings.TrimFunc(lines[j], isBlankRune) == "" {
			if blanks++; blanks > 1 && !(len(seen) < 3 && j+1 < len(lines)) || blanks > 4 {
				break
			}
			continue
		}
		l, shaped := labelOf(lines[j])
		if l == "" {
			if misses++; misses > 2 || !shaped && blanks > 0 && len(seen) >= 2 {
				break
			}
			if !shaped && len(seen) < 2 && j > i+2 {
				break
			}
			continue
		}
		misses = 0
		seen[l] = true
		n = j - i + 1
	}
	switch {
	case seen["from"] && len(seen) >= 3:
		return n
	case seen["from"] && seen["date"], seen["from"] && seen["subject"]:
		return n
	case seen["date"] && seen["to"] && seen["subject"]:
		return n
	case seen["from"] && seen["to"] && strings.Contains(lines[i], "@"):
		return n
	case first == "date" && seen["to"] && hasDate(lines[i]) && i > 0 && strings.TrimFunc(lines[i-1], isBlankRune) == "":
		return n
	case first == "from" && len(seen) == 1 && i > 0 && strings.TrimFunc(lines[i-1], isBlankRune) == "" && strings.Contains(lines[i], "@") && strings.HasSuffix(strings.TrimFunc(lines[i], isBlankRune), ">"):
		return n // Apple Mail's short form: "From: Name <user@example.net>"
	}
	return 0
}

// inlineLabels reports a header block on one line, as HTML without breaks
// makes it: "From: user@example.net Date: Thu, 24 Mar 2016 08:07:12 -0700".
func inlineLabels(line string) bool {
	if len(line) > 500 || !strings.Contains(line, "@") {
		return false
	}
	seen := map[string]bool{}
	words := strings.Fields(line)
	for i, w := range words {
		if i > 0 && strings.HasSuffix(w, ":") {
			if l, _ := labelOf(w); l != "" {
				seen[l] = true
			}
		}
	}
	return seen["date"] || seen["to"] && seen["subject"]
}

// originalWords are what clients write between dashes above a quoted message.
var originalWords = newPhrases([]string{
	"original message", "original mail", "original appointment", "originalnachricht", "ursprüngliche nachricht", "ursprüngliche mitteilung", "original-nachricht",
	"message d'origine", "message d’origine", "message original", "message initial", "courriel original", "mensaje original", "correo original", "mensagem original",
	"messaggio originale", "oorspronkelijk bericht", "origineel bericht", "oprindelig meddelelse", "oprindelig besked", "original meddelelse", "opprinnelig melding",
	"ursprungligt meddelande", "originalmeddelande", "alkuperäinen viesti", "oryginalna wiadomość", "wiadomość oryginalna", "wiadomość pierwotna", "původní zpráva", "pôvodná správa",
	"izvorna poruka", "originalna poruka", "izvirno sporočilo", "eredeti üzenet", "mesaj original", "mesajul original", "orijinal ileti", "orijinal mesaj", "özgün ileti",
	"исходное сообщение", "оригинальное сообщение", "оригинално съобщение", "первоначальное сообщение", "вихідне повідомлення", "αρχικό μήνυμα", "πρωτότυπο μήνυμα",
	"pesan asli", "tin nhắn gốc", "thư gốc", "ข้อความต้นฉบับ", "原始邮件", "原始郵件", "原邮件", "元のメッセージ", "オリジナルメッセージ", "원본 메시지", "원본 메일", "original mesaj",
	"الرسالة الأصلية", "ההודעה המקורית", "הודעה מקורית", "reply message", "reply above", "antwort oberhalb", "original besked", "urspr. nachricht", "originaal", "pradinis laiškas",
})

// messageWords are the words for a message, in lower case: a dashed line with
// one of them stands between messages whatever else it says.
var messageWords = []string{
	"message", "nachricht", "mensaje", "mensagem", "messaggio", "bericht", "besked", "meddelelse", "melding", "meddelande", "viesti", "wiadomo", "zpráva", "správa", "poruka", "sporočilo",
	"üzenet", "mesaj", "ileti", "сообщени", "письм", "повідомлення", "съобщение", "μήνυμα", "pesan", "tin nhắn", "邮件", "郵件", "メッセージ", "메시지", "رسالة", "הודעה", "e-mail", "email",
}

// replyAbove are the lines that help desks put above their text, lower case.
var replyAbove = newPhrases([]string{
	"reply above this line", "reply above this email", "type your reply above", "reply above the line", "write your reply above", "please reply above", "respond above this line", "write above this line", "reply below this line",
	"über dieser zeile", "oberhalb dieser zeile", "au-dessus de cette ligne", "encima de esta línea", "por encima de esta", "sopra questa riga", "acima desta linha", "boven deze regel", "ovanför den här raden", "over denne linje", "powyżej tej linii", "выше этой строки", "над этой строкой", "この線より上", "この行より上", "在此行上方", "이 줄 위에",
})

// forwardWords are what clients write above a forwarded message.
var forwardWords = newPhrases([]string{
	"forwarded message", "forwarded by", "begin forwarded message", "weitergeleitete nachricht", "anfang der weitergeleiteten", "anfang der weitergeleiteten e-mail", "weitergeleitet von",
	"message transféré", "message transmis", "début du message transféré", "début du message réexpédié", "mensaje reenviado", "inicio del mensaje reenviado", "mensagem encaminhada", "início da mensagem encaminhada",
	"messaggio inoltrato", "inizio messaggio inoltrato", "inizio del messaggio inoltrato", "doorgestuurd bericht", "begin doorgestuurd bericht", "videresendt meddelelse", "videresendt besked", "start på videresendt besked", "videresendt melding", "videresendt melding",
	"vidarebefordrat meddelande", "vidarebefordrat brev", "välitetty viesti", "edelleenlähetetty viesti", "przekazana wiadomość", "wiadomość przekazana", "początek przekazywanej wiadomości", "přeposlaná zpráva", "preposlaná správa", "proslijeđena poruka",
	"továbbított üzenet", "mesaj redirecționat", "mesajul redirecționat", "iletilen mesaj", "yönlendirilmiş mesaj", "iletilmiş mesaj", "iletilen ileti", "пересылаемое сообщение", "пересылаемое письмо", "пересланное сообщение", "переадресоване повідомлення", "начало переадресованного сообщения", "препратено съобщение",
	"προωθημένο μήνυμα", "pesan terusan", "chuyển tiếp", "转发的邮件", "转发邮件", "轉寄的郵件", "轉寄郵件", "已轉寄", "転送されたメッセージ", "転送メッセージ", "전달된 메시지", "الرسالة المحولة", "הודעה שהועברה",
})

// separator reads a line between two messages: "original", "forward" or "".
func separator(line string) string {
	s := strings.TrimFunc(line, isBlankRune)
	if len(s) < 6 || len(s) > 200 {
		return ""
	}
	in := strings.TrimFunc(s, func(r rune) bool {
		return r == '-' || r == '_' || r == '=' || r == '*' || r == '>' || r == '—' || r == '–' || r == '─' || r == '~' || r == '#' || unicode.IsSpace(r)
	})
	dashed := len(s)-len(in) >= 4 && strings.ContainsAny(s[:1]+s[len(s)-1:], "-_=*—–")
	if in == "" {
		return ""
	}
	if replyAbove.in(in) {
		return "original"
	}
	if dashed || strings.HasSuffix(in, ":") || strings.HasPrefix(s, "--") {
		if forwardWords.opens(in) != "" {
			return "forward"
		}
	}
	if !dashed && !strings.HasPrefix(s, "-") {
		if len(in) < 20 && strings.ToLower(strings.TrimSuffix(in, ":")) == "original message" {
			return "original"
		}
		return ""
	}
	low := strings.ToLower(in)
	if originalWords.in(low) {
		return "original"
	}
	if dashed && strings.HasSuffix(s, "--") && hasVerb(low) {
		return "original" // old Android, Zoho: "---- Ada wrote ----"
	}
	if len(s)-len(in) >= 8 && len(strings.Fields(low)) <= 4 && strings.HasPrefix(s, "--") {
		for _, w := range messageWords { // "-----Antwort Nachricht-----"
			if strings.Contains(low, w) {
				return "original"
			}
		}
	}
	return ""
}
