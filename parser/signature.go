package parser

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// signatureMark reports the lines that divide a text from a signature: "-- "
// (RFC 3676 section 4.3) and what editors make of it.
func signatureMark(line string) bool {
	s := strings.TrimFunc(line, isBlankRune)
	switch s {
	case "--", "—", "–", "---", "—-", "-—", "——", "__", "– –", "--\u00a0", "- --", "**", "-- --":
		return true
	}
	if len(s) >= 2 && strings.Trim(s, "_") == "" {
		return true // Outlook, Mailman
	}
	if len(s) >= 2 && strings.Trim(s, "-") == "" || len(s) >= 10 && strings.Trim(s, "=*~") == "" {
		return true
	}
	return false
}

// sentFrom are the openings of the lines that phones and apps append, in
// lower case.
var sentFrom = newPhrases([]string{
	"sent from", "sent with", "sent via", "sent by", "sent using", "sent on the", "sent on my", "sent through", "get outlook for", "from my iphone", "from my ipad", "from my android", "from my phone", "from my mobile", "someone from mobile",
	"envoyé de", "envoyé depuis", "envoyé à partir", "envoyé avec", "télécharger outlook", "obtenez outlook", "obtenir outlook", "provenance",
	"von meinem", "von meiner", "gesendet von", "gesendet mit", "gesendet über", "diese nachricht wurde von", "outlook für", "versendet mit", "verschickt mit", "holen sie sich outlook",
	"enviado desde", "enviado de", "enviado do", "enviado da", "enviado a partir", "enviado con", "enviado com", "enviado pelo", "enviado por", "enviado mediante", "obtener outlook", "obter o outlook", "baixe o outlook",
	"inviato da", "inviato dal", "inviato con", "inviata da", "inviato tramite", "scarica outlook", "ottieni outlook",
	"verzonden met", "verzonden vanaf", "verzonden via", "verstuurd vanaf", "verstuurd met", "verstuurd via", "outlook voor", "download outlook",
	"sendt fra", "sendt med", "sendt via", "skickat från", "skickat med", "skickat via", "hanki outlook", "hent outlook", "hämta outlook", "lähetetty", "sent fra",
	"wysłano z", "wysłane z", "wysłano za", "odesláno z", "odoslané z", "poslano z", "poslano iz", "poslano s", "послано с", "trimis de pe", "trimis din", "trimis de",
	"отправлено с", "отправлено из", "отправлено через", "надіслано з", "надіслано через", "изпратено от", "iphone'umdan", "iphone'dan", "androidden", "ipad'imden", "samsung", "στάλθηκε από", "elküldve", "küldve", "az iphone-omról",
	"dikirim dari", "được gửi từ", "đã gửi từ", "ส่งจาก", "发自", "從我的", "从我的", "來自", "寄件自", "iphoneから送信", "ipadから送信", "androidから送信", "나의 iphone", "내 iphone", "나의 ipad", "ارسال از", "أرسلت من", "مرسل من", "נשלח מ",
	"diese e-mail wurde von", "tapatalk", "via mobile", "typed on", "typed with", "please excuse typos", "please excuse brevity", "excuse typos",
	"bidalia nire", "enviat des", "изпратено от",
})

// sentEnds are the ends of such lines where the verb stands last.
var sentEnds = newPhrases([]string{" から送信", "から送信", "傳送", "发送", "'umdan gönderildi", "'dan gönderildi", "'ımdan gönderildi", "'imden gönderildi", "cihazımdan gönderildi", "iphone'umdan gönderildi", "에서 보냄", "에서 전송됨", "-ról küldve", "-ről küldve"})

var dropBrackets = strings.NewReplacer("[", "", "]", "") // of Markdown links

// mobileSignature reports a line that a phone or app appends.
func mobileSignature(line string) bool {
	s := strings.TrimFunc(line, func(r rune) bool { return isBlankRune(r) || strings.ContainsRune("<>()[]*_-—–~.\"'", r) })
	if s == "" || utf8.RuneCountInString(s) > 160 || strings.HasSuffix(s, "?") || strings.HasSuffix(s, ":") {
		return false
	}
	if strings.ContainsAny(s, "[]") {
		s = dropBrackets.Replace(s)
	}
	if p := sentFrom.opens(s); p != "" {
		return !ordinarySent(strings.ToLower(s), p)
	}
	return sentEnds.closes(s)
}

// ordinarySent reports sentences that only begin like a phone's signature: the
// openings end in a word, and what follows reads as a clause with its verb
// ("Sent by mistake, please ignore").
func ordinarySent(low, prefix string) bool {
	rest := strings.TrimLeft(strings.TrimPrefix(low, prefix), " ")
	if prefix == "samsung" || prefix == "provenance" {
		return true
	}
	words := strings.Fields(rest)
	if len(words) > 14 {
		return true
	}
	excuse := strings.Contains(rest, "excuse") || strings.Contains(rest, "typo") || strings.Contains(rest, "brevity")
	for _, w := range words { // "Sent from my desk, which is easier than my phone."
		if (w == "is" || w == "was" || w == "are" || w == "were" || w == "has" || w == "ist" || w == "war") && !excuse {
			return true
		}
	}
	switch prefix {
	case "sent by", "enviado por", "sent through", "sent via", "sent using", "sent with", "sent from":
		for _, w := range words {
			switch strings.Trim(w, ",.;") {
			case "mistake", "accident", "error", "yesterday", "today", "please", "you", "we", "i'll":
				return !excuse
			}
		}
	}
	return false
}

// dashName reports "-Name", the shortest signature there is.
func dashName(line string) bool {
	s := strings.TrimFunc(line, isBlankRune)
	rest := strings.TrimLeft(s, "-")
	n := len(strings.Fields(rest))
	if rest == s || rest == "" || n == 0 || n > 3 || len(rest) > 40 {
		return false
	}
	r, _ := utf8.DecodeRuneInString(rest)
	return unicode.IsLetter(r) && !strings.ContainsAny(rest, ":;,=/<>(){}[]!?\"0123456789")
}

// closings are the words that close a letter, in lower case and without what
// may stand around them.
var closings = words(`regards best_regards kind_regards warm_regards kindest_regards with_kind_regards with_best_regards many_thanks_and_regards thanks_and_regards thanks_&_regards
	best sincerely yours_sincerely sincerely_yours yours_faithfully yours_truly respectfully cordially best_wishes warmly rgds br
	mit_freundlichen_grüßen mit_freundlichen_grüssen freundliche_grüße freundliche_grüsse viele_grüße beste_grüße liebe_grüße mit_besten_grüßen mfg herzliche_grüße schöne_grüße
	cordialement bien_cordialement bien_à_vous salutations sincères_salutations amicalement saludos un_saludo atentamente saludos_cordiales cordiales_saludos
	cordiali_saluti distinti_saluti saluti un_saluto atenciosamente cumprimentos com_os_melhores_cumprimentos abraços att
	met_vriendelijke_groet met_vriendelijke_groeten vriendelijke_groet groeten mvg med_venlig_hilsen venlig_hilsen med_vennlig_hilsen vennlig_hilsen mvh hilsen med_vänlig_hälsning
	vänliga_hälsningar hälsningar med_vänliga_hälsningar ystävällisin_terveisin terveisin pozdrawiam z_poważaniem s_pozdravem s_úctou lep_pozdrav lijep_pozdrav srdačan_pozdrav
	с_уважением с_наилучшими_пожеланиями з_повагою поздрави saygılarımla iyi_çalışmalar üdvözlettel tisztelettel cu_stimă με_εκτίμηση salam_hormat hormat_kami trân_trọng 此致 敬具 よろしくお願いします 감사합니다 مع_التحية בברכה`)

// closing reports a line that closes a letter.
func closing(line string) bool {
	s := strings.ToLower(strings.TrimFunc(line, func(r rune) bool { return isBlankRune(r) || strings.ContainsRune(",.!-*_;:", r) }))
	return len(s) < 60 && closings[s]
}
