package parser

import (
	"strings"
	"testing"
)

// attributions holds one line, or several, by which a client says who wrote
// what follows, named after the client and its language.
var attributions = []struct{ name, lines string }{
	{"gmail en", "On Mon, Mar 2, 2026 at 9:14 AM Ada Byron <ada@example.net> wrote:"},
	{"gmail en wrapped", "On Mon, Mar 2, 2026 at 9:14 AM Ada Augusta Byron\n<ada.augusta.byron@mail.example.net> wrote:"},
	{"gmail en wrapped in the address", "On Mon, Mar 2, 2026 at 9:14 AM Ada via Desk <\nada@example.net> wrote:"},
	{"gmail de", "Am Mo., 2. März 2026 um 09:14 Uhr schrieb Ada Byron <ada@example.net>:"},
	{"gmail de name first", "Ada Byron <ada@example.net> schrieb am Mo., 2. März 2026, 09:14:"},
	{"gmail fr", "Le lun. 2 mars 2026 à 09:14, Ada Byron <ada@example.net> a écrit :"},
	{"gmail es", "El lun, 2 mar 2026 a las 9:14, Ada Byron (<ada@example.net>) escribió:"},
	{"gmail it", "Il giorno lun 2 mar 2026 alle ore 09:14 Ada Byron <ada@example.net> ha scritto:"},
	{"gmail pt", "Em seg., 2 de mar. de 2026 às 09:14, Ada Byron <ada@example.net> escreveu:"},
	{"gmail pt-PT", "Ada Byron <ada@example.net> escreveu no dia segunda, 2/03/2026 à(s) 09:14:"},
	{"gmail nl", "Op ma 2 mrt 2026 om 09:14 schreef Ada Byron <ada@example.net>:"},
	{"gmail pl", "pon., 2 mar 2026 o 09:14 Ada Byron <ada@example.net> napisał(a):"},
	{"gmail cs", "po 2. 3. 2026 v 9:14 odesílatel Ada Byron <ada@example.net> napsal:"},
	{"gmail sk", "po 2. 3. 2026 o 9:14 Ada Byron <ada@example.net> napísal(a):"},
	{"gmail ru", "пн, 2 мар. 2026 г. в 09:14, Ada Byron <ada@example.net>:"},
	{"gmail uk", "пн, 2 бер. 2026 р. о 09:14 Ada Byron <ada@example.net> пише:"},
	{"gmail bg", "На пн, 2.03.2026 г. в 9:14 Ada Byron <ada@example.net> написа:"},
	{"gmail sr", "пон, 2. мар 2026. у 09:14 Ada Byron <ada@example.net> је написао/ла:"},
	{"gmail hr", "pon, 2. ožu 2026. u 09:14 Ada Byron <ada@example.net> napisao je:"},
	{"gmail sl", "V V pon., 2. mar. 2026 ob 09:14 je oseba Ada Byron <ada@example.net> napisala:"},
	{"gmail hu", "Ada Byron <ada@example.net> ezt írta (időpont: 2026. márc. 2., H, 9:14):"},
	{"gmail ro", "lun., 2 mar. 2026 la 09:14, Ada Byron <ada@example.net> a scris:"},
	{"gmail sv", "Den mån 2 mars 2026 kl 09:14 skrev Ada Byron <ada@example.net>:"},
	{"gmail da", "Den man. 2. mar. 2026 kl. 09.14 skrev Ada Byron <ada@example.net>:"},
	{"gmail no", "man. 2. mar. 2026 kl. 09:14 skrev Ada Byron <ada@example.net>:"},
	{"gmail fi", "ma 2. maalisk. 2026 klo 9.14 Ada Byron (ada@example.net) kirjoitti:"},
	{"gmail et", "Kuupäev E, 2. märts 2026 kell 09:14 kirjutas Ada Byron <ada@example.net>:"},
	{"gmail lv", "Ada Byron (<ada@example.net>) rakstīja (pirmd., 2026. g. 2. marts, plkst. 09:14):"},
	{"gmail lt", "2026-03-02, pr, 09:14 Ada Byron <ada@example.net> rašė:"},
	{"gmail el", "Στις Δευ 2 Μαρ 2026 στις 9:14 π.μ., ο χρήστης Ada Byron <ada@example.net> έγραψε:"},
	{"gmail tr", "Ada Byron <ada@example.net>, 2 Mar 2026 Pzt, 09:14 tarihinde şunu yazdı:"},
	{"gmail he", "\u202bבתאריך יום ב׳, 2 במרץ 2026 ב-9:14 מאת \u202aAda Byron\u202c\u200f <\u202aada@example.net\u202c\u200f>:\u202c"},
	{"gmail ar", "في الاثنين، 2 مارس 2026 في 9:14 ص تمت كتابة ما يلي بواسطة Ada Byron <ada@example.net>:"},
	{"gmail fa", "در تاریخ دوشنبه ۲ مارس ۲۰۲۶، ۹:۱۴ Ada Byron <ada@example.net> نوشت:"},
	{"gmail vi", "Vào Th 2, 2 thg 3, 2026 vào lúc 09:14 Ada Byron <ada@example.net> đã viết:"},
	{"gmail id", "Pada tanggal Sen, 2 Mar 2026 pukul 09.14 Ada Byron <ada@example.net> menulis:"},
	{"gmail th", "ในวันที่ จ. 2 มี.ค. 2026 เวลา 09:14 Ada Byron <ada@example.net> เขียนว่า:"},
	{"gmail ja", "2026年3月2日(月) 9:14 Ada Byron <ada@example.net>:"},
	{"gmail ko", "2026년 3월 2일 (월) 오전 9:14, Ada Byron <ada@example.net>님이 작성:"},
	{"gmail zh-CN", "Ada Byron <ada@example.net> 于2026年3月2日周一 09:14写道："},
	{"gmail zh-TW", "Ada Byron <ada@example.net> 於 2026年3月2日 週一 上午9:14寫道："},
	{"gmail ca", "Missatge de Ada Byron <ada@example.net> del dia dl., 2 de març 2026 a les 9:14:"},
	{"gmail old", "2026/3/2 Ada Byron <ada@example.net>"},
	{"gmail old iso", "2026-03-02 9:14 GMT+01:00 Ada Byron <ada@example.net>:"},
	{"apple en", "On 2 Mar 2026, at 09:14, Ada Byron <ada@example.net> wrote:"},
	{"apple en us", "On Mar 2, 2026, at 9:14 AM, Ada Byron <ada@example.net> wrote:"},
	{"apple de", "Am 02.03.2026 um 09:14 schrieb Ada Byron <ada@example.net>:"},
	{"apple fr", "Le 2 mars 2026 à 09:14, Ada Byron <ada@example.net> a écrit :"},
	{"apple es", "El 2 mar 2026, a las 9:14, Ada Byron <ada@example.net> escribió:"},
	{"apple it", "Il giorno 2 mar 2026, alle ore 09:14, Ada Byron <ada@example.net> ha scritto:"},
	{"apple nl", "Op 2 mrt. 2026 om 09:14 heeft Ada Byron <ada@example.net> het volgende geschreven:"},
	{"apple pt", "Em 2 de mar. de 2026, à(s) 09:14, Ada Byron <ada@example.net> escreveu:"},
	{"apple sv", "2 mars 2026 kl. 09:14 skrev Ada Byron <ada@example.net>:"},
	{"apple da", "Den 2. mar. 2026 kl. 09.14 skrev Ada Byron <ada@example.net>:"},
	{"apple fi", "Ada Byron <ada@example.net> kirjoitti 2.3.2026 kello 9.14:"},
	{"apple pl", "Wiadomość napisana przez Ada Byron <ada@example.net> w dniu 2 mar 2026, o godz. 09:14:"},
	{"apple ru", "2 марта 2026 г., в 09:14, Ada Byron <ada@example.net> написал(а):"},
	{"apple tr", "Ada Byron <ada@example.net> şunları yazdı (2 Mar 2026 09:14):"},
	{"apple ja", "2026/03/02 9:14、Ada Byron <ada@example.net>のメール:"},
	{"apple ko", "2026. 3. 2. 오전 9:14, Ada Byron <ada@example.net> 작성:"},
	{"apple zh", "在 2026年3月2日，上午9:14，Ada Byron <ada@example.net> 写道："},
	{"apple hu", "2026. márc. 2. dátummal, 9:14 időpontban Ada Byron <ada@example.net> írta:"},
	{"apple cs", "2. 3. 2026 v 9:14, Ada Byron <ada@example.net>:"},
	{"thunderbird en", "On 3/2/26 09:14, Ada Byron wrote:"},
	{"thunderbird de", "Am 02.03.26 um 09:14 schrieb Ada Byron:"},
	{"thunderbird fr", "Le 02/03/2026 à 09:14, Ada Byron a écrit :"},
	{"thunderbird es", "El 2/3/26 a las 9:14, Ada Byron escribió:"},
	{"thunderbird it", "Il 02/03/26 09:14, Ada Byron ha scritto:"},
	{"thunderbird nl", "Op 02-03-2026 om 09:14 schreef Ada Byron:"},
	{"thunderbird pl", "W dniu 2.03.2026 o 09:14, Ada Byron pisze:"},
	{"thunderbird ru", "02.03.2026 09:14, Ada Byron пишет:"},
	{"thunderbird sv", "Den 2026-03-02 kl. 09:14, skrev Ada Byron:"},
	{"thunderbird cs", "Dne 02. 03. 26 v 9:14 Ada Byron napsal(a):"},
	{"thunderbird hu", "2026. 03. 02. 9:14 keltezéssel, Ada Byron írta:"},
	{"thunderbird pt", "Em 02/03/2026 09:14, Ada Byron escreveu:"},
	{"thunderbird uk", "02.03.26 09:14, Ada Byron пише:"},
	{"thunderbird ro", "Pe 02.03.2026 09:14, Ada Byron a scris:"},
	{"thunderbird da", "Den 02.03.2026 kl. 09.14 skrev Ada Byron:"},
	{"thunderbird el", "Στις 2/3/26 09:14, ο/η Ada Byron έγραψε:"},
	{"thunderbird ja", "On 2026/03/02 9:14, Ada Byron wrote:"},
	{"yandex", "02.03.2026, 09:14, \"Ada Byron\" <ada@example.net>:"},
	{"mailru", "Понедельник, 2 марта 2026, 9:14 +03:00 от Ada Byron <ada@example.net>:"},
	{"proton", "On Monday, March 2nd, 2026 at 9:14 AM, Ada Byron <ada@example.net> wrote:"},
	{"proton de", "Ada Byron <ada@example.net> schrieb am Montag, 2. März 2026 um 09:14:"},
	{"yahoo", "On Monday, March 2, 2026 at 09:14:22 AM GMT+1, Ada Byron <ada@example.net> wrote:"},
	{"yahoo old", "--- On Mon, 3/2/26, Ada Byron <ada@example.net> wrote:"},
	{"yahoo de", "Am Montag, 2. März 2026 um 09:14:22 MEZ hat Ada Byron <ada@example.net> Folgendes geschrieben:"},
	{"yahoo fr", "Le lundi 2 mars 2026 à 09:14:22 UTC+1, Ada Byron <ada@example.net> a écrit :"},
	{"yahoo es", "El lunes, 2 de marzo de 2026, 09:14:22 CET, Ada Byron <ada@example.net> escribió:"},
	{"outlook mac", "On 02/03/2026, 09:14, \"Ada Byron\" <ada@example.net> wrote:"},
	{"samsung name first", "Ada Byron <ada@example.net> wrote:"},
	{"exchange activesync", "On Mon, Mar 2, 2026 at 9:14 AM, Ada Byron <ada@example.net> sent:"},
	{"four lines", "On Nov 30, 2026, at 12:47 PM, Somebody <\n416ffd3258d4d2fa4c85cfa4c44e1721d66e3e8f4\n@example.com>wrote:"},
	{"android", "---- Ada Byron wrote ----"},
	{"zoho", "---- On Mon, 02 Mar 2026 09:14:05 +0100 Ada <ada@example.net> wrote ----"},
	{"kmail", "On Monday, 2 March 2026 09:14:05 CET Ada Byron wrote:"},
	{"mutt", "* Ada Byron <ada@example.net> [2026-03-02 09:14]:"},
	{"mutt en", "On Mon, Mar 02, 2026 at 09:14:05AM +0100, Ada Byron wrote:"},
	{"roundcube", "On 2026-03-02 09:14, Ada Byron wrote:"},
	{"roundcube de", "Am 2026-03-02 09:14, schrieb Ada Byron:"},
	{"zimbra de", "Ada Byron schrieb am 02.03.26 um 09:14:"},
	{"gmx app", "Am 02.03.26, 09:14 schrieb \"Ada Byron\" <ada@example.net>:"},
	{"k9", "Am 2. März 2026 09:14:05 MEZ schrieb Ada Byron <ada@example.net>:"},
	{"k9 en", "On 2 March 2026 09:14:05 CET, Ada Byron <ada@example.net> wrote:"},
}

// TestReplyAboveQuote checks every attribution with marked quotes and without,
// as some phones leave the marks out.
func TestReplyAboveQuote(t *testing.T) {
	t.Parallel()
	for _, a := range attributions {
		for kind, body := range map[string]string{
			"marked":   "It works now, thank you.\n\nOne more thing: the invoice is missing.\n\n" + a.lines + "\n> Please restart the machine.\n>\n> The desk\n",
			"blank":    "It works now, thank you.\n\nOne more thing: the invoice is missing.\n\n" + a.lines + "\n\n> Please restart the machine.\n>\n> The desk\n",
			"unmarked": "It works now, thank you.\n\nOne more thing: the invoice is missing.\n\n" + a.lines + "\n\nPlease restart the machine.\n\nThe desk\n",
			"tight":    "It works now, thank you.\n\nOne more thing: the invoice is missing.\n" + a.lines + "\n> Please restart the machine.\n",
		} {
			if kind == "unmarked" && (strings.HasPrefix(a.name, "gmail old") || a.name == "mutt" || a.name == "samsung name first") {
				continue // these clients always mark
			}
			t.Run(a.name+" "+kind, func(t *testing.T) {
				got, cuts := findReply(plainLines(body))
				if want := "It works now, thank you.\n\nOne more thing: the invoice is missing."; got != want {
					t.Errorf("visible reply\n got %q\nwant %q\ncuts %v\nbody\n%s", got, want, cuts, body)
				}
			})
		}
	}
}

// headerBlocks are what Outlook and its kin put above a quoted message.
var headerBlocks = []struct{ name, lines string }{
	{"outlook en", "From: Ada Byron <ada@example.net>\nSent: Monday, March 2, 2026 9:14 AM\nTo: Desk <desk@example.org>\nSubject: RE: Printer"},
	{"outlook en emphasis", "*From:* Ada Byron <ada@example.net>\n*Sent:* Monday, March 2, 2026 9:14 AM\n*To:* Desk <desk@example.org>\n*Subject:* RE: Printer"},
	{"outlook de", "Von: Ada Byron <ada@example.net>\nGesendet: Montag, 2. März 2026 09:14\nAn: Desk <desk@example.org>\nBetreff: AW: Drucker"},
	{"outlook fr", "De : Ada Byron <ada@example.net>\nEnvoyé : lundi 2 mars 2026 09:14\nÀ : Desk <desk@example.org>\nObjet : RE: Imprimante"},
	{"outlook es", "De: Ada Byron <ada@example.net>\nEnviado: lunes, 2 de marzo de 2026 9:14\nPara: Desk <desk@example.org>\nAsunto: RE: Impresora"},
	{"outlook it", "Da: Ada Byron <ada@example.net>\nInviato: lunedì 2 marzo 2026 09:14\nA: Desk <desk@example.org>\nOggetto: R: Stampante"},
	{"outlook pt", "De: Ada Byron <ada@example.net>\nEnviado: segunda-feira, 2 de março de 2026 09:14\nPara: Desk <desk@example.org>\nAssunto: RE: Impressora"},
	{"outlook nl", "Van: Ada Byron <ada@example.net>\nVerzonden: maandag 2 maart 2026 09:14\nAan: Desk <desk@example.org>\nOnderwerp: RE: Printer"},
	{"outlook da", "Fra: Ada Byron <ada@example.net>\nSendt: 2. marts 2026 09:14\nTil: Desk <desk@example.org>\nEmne: SV: Printer"},
	{"outlook no", "Fra: Ada Byron <ada@example.net>\nSendt: mandag 2. mars 2026 09:14\nTil: Desk <desk@example.org>\nEmne: SV: Skriver"},
	{"outlook sv", "Från: Ada Byron <ada@example.net>\nSkickat: den 2 mars 2026 09:14\nTill: Desk <desk@example.org>\nÄmne: SV: Skrivare"},
	{"outlook fi", "Lähettäjä: Ada Byron <ada@example.net>\nLähetetty: maanantai 2. maaliskuuta 2026 9.14\nVastaanottaja: Desk <desk@example.org>\nAihe: VS: Tulostin"},
	{"outlook pl", "Od: Ada Byron <ada@example.net>\nWysłano: poniedziałek, 2 marca 2026 09:14\nDo: Desk <desk@example.org>\nTemat: ODP: Drukarka"},
	{"outlook cs", "Od: Ada Byron <ada@example.net>\nOdesláno: pondělí 2. března 2026 9:14\nKomu: Desk <desk@example.org>\nPředmět: RE: Tiskárna"},
	{"outlook sk", "Od: Ada Byron <ada@example.net>\nOdoslané: pondelok 2. marca 2026 9:14\nKomu: Desk <desk@example.org>\nPredmet: RE: Tlačiareň"},
	{"outlook hu", "Feladó: Ada Byron <ada@example.net>\nElküldve: 2026. március 2., hétfő 9:14\nCímzett: Desk <desk@example.org>\nTárgy: RE: Nyomtató"},
	{"outlook ro", "De la: Ada Byron <ada@example.net>\nTrimis: luni, 2 martie 2026 09:14\nCătre: Desk <desk@example.org>\nSubiect: RE: Imprimantă"},
	{"outlook ru", "От: Ada Byron <ada@example.net>\nОтправлено: 2 марта 2026 г. 9:14\nКому: Desk <desk@example.org>\nТема: RE: Принтер"},
	{"outlook uk", "Від: Ada Byron <ada@example.net>\nНадіслано: понеділок, 2 березня 2026 р. 09:14\nКому: Desk <desk@example.org>\nТема: RE: Принтер"},
	{"outlook bg", "От: Ada Byron <ada@example.net>\nИзпратено: понеделник, 2 март 2026 г. 09:14\nДо: Desk <desk@example.org>\nТема: RE: Принтер"},
	{"outlook el", "Από: Ada Byron <ada@example.net>\nΣτάλθηκε: Δευτέρα, 2 Μαρτίου 2026 9:14\nΠρος: Desk <desk@example.org>\nΘέμα: ΑΠ: Εκτυπωτής"},
	{"outlook tr", "Kimden: Ada Byron <ada@example.net>\nGönderildi: 2 Mart 2026 Pazartesi 09:14\nKime: Desk <desk@example.org>\nKonu: YNT: Yazıcı"},
	{"outlook ja", "差出人: Ada Byron <ada@example.net>\n送信日時: 2026年3月2日 9:14\n宛先: Desk <desk@example.org>\n件名: RE: プリンター"},
	{"outlook ko", "보낸 사람: Ada Byron <ada@example.net>\n보낸 날짜: 2026년 3월 2일 월요일 오전 9:14\n받는 사람: Desk <desk@example.org>\n제목: RE: 프린터"},
	{"outlook zh", "发件人: Ada Byron <ada@example.net>\n发送时间: 2026年3月2日 9:14\n收件人: Desk <desk@example.org>\n主题: 回复: 打印机"},
	{"outlook zh wide colon", "发件人：Ada Byron <ada@example.net>\n发送时间：2026年3月2日 9:14\n收件人：Desk <desk@example.org>\n主题：回复: 打印机"},
	{"outlook zh-TW", "寄件者: Ada Byron <ada@example.net>\n寄件日期: 2026年3月2日 上午 09:14\n收件者: Desk <desk@example.org>\n主旨: RE: 印表機"},
	{"outlook ar", "من: Ada Byron <ada@example.net>\nتم الإرسال: 2 مارس 2026 09:14\nإلى: Desk <desk@example.org>\nالموضوع: رد: طابعة"},
	{"outlook he", "מאת: Ada Byron <ada@example.net>\nנשלח: 2 מרץ 2026 09:14\nאל: Desk <desk@example.org>\nנושא: RE: מדפסת"},
	{"outlook hr", "Šalje: Ada Byron <ada@example.net>\nPoslano: 2. ožujka 2026. 9:14\nPrima: Desk <desk@example.org>\nPredmet: RE: Pisač"},
	{"outlook vi", "Từ: Ada Byron <ada@example.net>\nĐã gửi: 02 Tháng Ba 2026 09:14\nTới: Desk <desk@example.org>\nChủ đề: RE: Máy in"},
	{"outlook th", "จาก: Ada Byron <ada@example.net>\nส่ง: 2 มีนาคม 2569 9:14\nถึง: Desk <desk@example.org>\nเรื่อง: RE: เครื่องพิมพ์"},
	{"original message", "-----Original Message-----\nFrom: Ada Byron [mailto:ada@example.net]\nSent: Monday, March 2, 2026 9:14 AM\nTo: Desk\nSubject: RE: Printer"},
	{"original message de", "-----Ursprüngliche Nachricht-----\nVon: Ada Byron [mailto:ada@example.net]\nGesendet: Montag, 2. März 2026 09:14\nAn: Desk\nBetreff: AW: Drucker"},
	{"original message fr", "-----Message d'origine-----\nDe : Ada Byron [mailto:ada@example.net]\nEnvoyé : lundi 2 mars 2026 09:14\nÀ : Desk\nObjet : Imprimante"},
	{"original message alone", "-------- Original Message --------"},
	{"gmx original", "Gesendet: Montag, 02. März 2026 um 09:14 Uhr\nVon: \"Ada Byron\" <ada@example.net>\nAn: desk@example.org\nBetreff: Drucker"},
	{"hotmail", "Date: Mon, 2 Mar 2026 09:14:05 +0100\nSubject: Printer\nFrom: ada@example.net\nTo: desk@example.org"},
	{"outlook underscores", "________________________________\nFrom: Ada Byron <ada@example.net>\nSent: Monday, March 2, 2026 9:14 AM\nTo: Desk <desk@example.org>\nSubject: RE: Printer"},
	{"outlook underscores de", "________________________________\nVon: Ada Byron <ada@example.net>\nGesendet: Montag, 2. März 2026 09:14\nAn: Desk <desk@example.org>\nBetreff: Re: Drucker"},
	{"samsung", "-------- Original message --------\nFrom: Ada Byron <ada@example.net>\nDate: 02/03/2026 09:14 (GMT+01:00)\nTo: desk@example.org\nSubject: Printer"},
	{"lotus notes", "Ada Byron <ada@example.net> wrote on 02.03.2026 09:14:05:"},
	{"qq", "------------------ 原始邮件 ------------------\n发件人: \"ada\"<ada@example.net>;\n发送时间: 2026年3月2日(星期一) 上午9:14\n收件人: \"desk\"<desk@example.org>;\n主题: 打印机"},
	{"help desk line", "##- Please type your reply above this line -##"},
	{"help desk line de", "--- Bitte antworten Sie oberhalb dieser Zeile ---"},
	{"netease", "At 2026-03-02 09:14:05, \"Ada Byron\" <ada@example.net> wrote:"},
	{"foxmail", "发件人： Ada Byron\n发送时间： 2026-03-02 09:14\n收件人： desk\n主题： 打印机"},
}

func TestReplyAboveHeaderBlock(t *testing.T) {
	t.Parallel()
	for _, h := range headerBlocks {
		t.Run(h.name, func(t *testing.T) {
			body := "It works now, thank you.\n\n" + h.lines + "\n\nPlease restart the machine.\n\nThe desk\n"
			if got, cuts := findReply(plainLines(body)); got != "It works now, thank you." {
				t.Errorf("visible reply\n got %q\ncuts %v\nbody\n%s", got, cuts, body)
			}
		})
	}
}

// TestReplyIsKept holds texts that look like quotes, signatures or headers to
// some rule and are the writer's own.
func TestReplyIsKept(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"prose that ends in wrote":      "The manual says what the author wrote:\n\nnever open the lid.\n\nIs that right?",
		"prose with a date":             "On 3 March 2026 I called you. Nobody wrote back.\n\nWhat now?",
		"sent from the desk":            "It works.\n\nSent from my desk, which is easier than my phone.",
		"prose with on":                 "On Monday the printer stopped.\nOn Tuesday it burned.\n\nPlease help.",
		"a list of settings":            "My settings:\n\nServer: mail.example.net\nPort: 993\nUser: ada\n\nWhat is wrong?",
		"a note with a subject":         "The letter I got had this\n\nSubject: your order\n\nand nothing else.",
		"a bullet list":                 "Two things:\n\n- the lamp\n- the fan",
		"a dash list that ends":         "Order:\n- two lamps\n- one fan",
		"a table":                       "| item | pieces |\n| lamp | 2 |\n\nPlease deliver.",
		"sent from in prose":            "The parcel was sent from Berlin?\n\nIt never came.",
		"a quote of mine":               "> never open the lid\n\nThat is what the label says. May I?",
		"a question under each point":   "Hello,\n\n> Which model?\n\nThe 4000.\n\n> Since when?\n\nMonday.",
		"a short closing":               "It works.\n\nBest regards,\nAda",
		"a price with a colon":          "Total: 40 EUR\nPaid: 30 EUR\n\nWhere is the rest?",
		"a code block":                  "error:\n\n    panic: runtime error\n    goroutine 1 [running]:\n\nWhat is it?",
		"a mail address with a colon":   "Please write to ada@example.net:\nshe knows more.",
		"time in prose with a colon":    "We met on 2 March at 9:14 with Ada <ada@example.net> and agreed:\n\nno returns.",
		"only a greeting":               "Hello",
		"dashes inside":                 "first part\n\n-----\n\nsecond part is much longer than any signature would be,\nline two of it,\nline three of it,\nline four of it,\nline five of it,\nline six of it,\nline seven of it,\nline eight of it,\nline nine of it.",
		"a sentence that starts with -": "I measured:\n-5 degrees at night",
	} {
		t.Run(name, func(t *testing.T) {
			if got, cuts := findReply(plainLines(body)); got != body {
				t.Errorf("visible reply\n got %q\nwant %q\ncuts %v", got, body, cuts)
			}
		})
	}
}

// TestReplyShapes has mails whose shape, not their language, is hard; named
// after what makes them so.
func TestReplyShapes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, body, want string }{
		{"signature delimiter", "It works.\n\n-- \nAda\nExample Ltd", "It works."},
		{"signature above the quote", "It works.\n\n-- \nAda\n\nOn Mon, Mar 2, 2026 at 9:14 AM Desk <desk@example.org> wrote:\n> restart", "It works."},
		{"list footer", "It works.\n\n_______________________________________________\nlamps mailing list\nlamps@example.org", "It works."},
		{"quote below only", "It works.\n\n> restart\n> please", "It works."},
		{"answer below the quote", "On Mon, Mar 2, 2026 at 9:14 AM Desk <desk@example.org> wrote:\n> Is it dark?\n\nYes, it is.", "Yes, it is."},
		{"answers between", "On Mon, Mar 2, 2026 at 9:14 AM Desk <desk@example.org> wrote:\n> Is it dark?\n\nYes.\n\n> Since when?\n\nMonday.\n\n> Thanks", "On Mon, Mar 2, 2026 at 9:14 AM Desk <desk@example.org> wrote:\n> Is it dark?\n\nYes.\n\n> Since when?\n\nMonday."},
		{"nothing but a quote", "> restart", "> restart"},
		{"two levels", "It works.\n\nOn Mon, Mar 2, 2026 at 9:14 AM Desk <desk@example.org> wrote:\n> restart\n>\n> On Sun, Mar 1, 2026 at 9:14 AM Ada wrote:\n>> dark", "It works."},
		{"attribution of Yahoo on the line of the answer", "It works--- On Mon, 3/2/26, Desk <desk@example.org> wrote:\n> restart", "It works"},
		{"wrapped link in the quote", "It works.\n\nOn Mon, Mar 2, 2026 at 9:14 AM Desk <desk@example.org> wrote:\n> see (http://example.org/very/long\n/link)\n> and restart", "It works."},
		{"link alone between quotes", "It works.\n\nOn Mon, Mar 2, 2026 at 9:14 AM Desk <desk@example.org> wrote:\n\n>\n> answer here\n>\n (http://example.org/c/x) >\n> bye\n>", "It works."},
		{"shouting with marks", "See us\n>>> >>>  http://shop.example <<<\nor call.", "See us\n>>> >>>  http://shop.example <<<\nor call."},
		{"wrapped header block", "It works.\n\n  *From:* desk@example.org [mailto:\ndesk@example.org]\n  *Sent:* Monday, March 2, 2026 3:05 PM\n  *To:* ada@example.net\n  *Subject:* lamp\n", "It works."},
		{"two answers without marks", "It works.\n\nOn Mon, Mar 2, 2026 at 12:42 PM -0800, \"Desk\" <desk@example.org> wrote:\n\nHi,\nis it dark?\n\nOn Mar 1, 2026, at 11:55 AM, Ada <ada@example.net> wrote:\n\ndark\n", "It works."},
		{"answer under the quote at once", "On 03/02/2026 07:10 AM, Desk wrote:\n\n>\n> Test\nIt works.", "It works."},
		{"phone signature above the quote", "It works.\n\nSent from my iPhone\n\nOn 2 Mar 2026, at 09:14, Desk <desk@example.org> wrote:\n\n> restart", "It works."},
		{"Get Outlook above a header block", "It works.\n\nGet Outlook for iOS\n________________________________\nFrom: Desk <desk@example.org>\nSent: Monday\nTo: Ada\nSubject: lamp\n\nrestart", "It works."},
		{"quote in bars", "It works.\n\n2026/3/2 Desk <desk@example.org>\n\n| restart\n| please", "It works."},
		{"closing with a card", "It works.\n\nBest regards,\n\nAda Byron\nExample Ltd\nPhone 030 1234", "It works."},
		{"name behind a dash", "It works.\n\n-Ada", "It works."},
		{"forward with words", "Please look.\n\n---------- Forwarded message ---------\nFrom: Bob <bob@example.com>\nDate: Mon, Mar 2, 2026\nSubject: lamp\nTo: ada\n\nIt is dark.", "Please look.\n\n---------- Forwarded message ---------\nFrom: Bob <bob@example.com>\nDate: Mon, Mar 2, 2026\nSubject: lamp\nTo: ada\n\nIt is dark."},
		{"empty", "", ""},
		{"blank", "\n \n\u00a0\n", ""},
		{"from line in the text of mbox", ">From the start it was dark.\n\nIt is still.", ">From the start it was dark.\n\nIt is still."},
		{"tracking mark of Streak", "It works.\n\nᐧ", "It works."},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, cuts := findReply(plainLines(c.body)); got != c.want {
				t.Errorf("visible reply\n got %q\nwant %q\ncuts %v", got, c.want, cuts)
			}
		})
	}
}
