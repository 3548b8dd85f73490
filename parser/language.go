package parser

import (
	"iter"
	"math/bits"
	"sort"
	"unicode"
	"unicode/utf8"
)

// stopWords are the small words of the languages that share the Latin or the
// Cyrillic script. Words that several languages have count for each.
var stopWords = map[string]map[string]bool{
	"en": words(`the and you is not it of to in for that this with have are was my we can be on your but please would from hello thanks has will do does when what there an`),
	"de": words(`der die das und ich ist nicht sie ein eine mit für auf es zu wir den von dem haben habe bitte kann sich auch bei wird ihre ihr aus nach wie noch mein hallo sind oder wenn`),
	"fr": words(`le la les et je vous ne pas est une un de des que pour dans avec sur nous ce mon votre qui il au merci bonjour sont été avons cette plus par mais`),
	"es": words(`el la los las que y no en un una es por para con mi su se me lo del hola gracias pero como está tengo ha he muy este esta son puede más`),
	"it": words(`il la che di e non un una per con sono ho mi è del della si lo gli come questo più anche grazie buongiorno ma ci nel alla vostro potete essere`),
	"pt": words(`o a que e não um uma os as em para com do da por meu se mais mas foi está obrigado olá eu você são isso ao pela como na no tem`),
	"nl": words(`de het een en ik is niet van je dat met voor op zijn wij te er maar mijn kan hebben heb deze wordt ook om naar bij aan dit hallo bedankt graag u uw`),
	"sv": words(`och att det jag är en ett inte på för med som har den vi kan om till av men min hej tack från ni mitt eller så när var finns`),
	"da": words(`og at det jeg er en et ikke på for med som har den vi kan om til af men min hej tak fra jer mit eller når hvad være blev`),
	"no": words(`og at det jeg er en et ikke på for med som har den vi kan om til av men min hei takk fra dere mitt eller når hva være ble`),
	"fi": words(`ja on ei se että en olen kun niin mutta minun ole voi jos hei kiitos tämä myös tai ovat oli mitä miten sen te`),
	"pl": words(`i w nie na się że do jest to z proszę mam czy jak dzień dobry dziękuję o po ale mi nam mój od są przez za dla już tak`),
	"cs": words(`a je v na se že to do s nebo jsem prosím dobrý den děkuji jak ale pro po mi jsou není bych máte z už také při`),
	"sk": words(`a je v na sa že to do s alebo som prosím dobrý deň ďakujem ako ale pre po mi sú nie by máte z už tiež pri`),
	"hu": words(`a az és nem hogy is van egy ez meg de kérem csak ha már köszönöm jó napot lehet volt én ön mert vagy mint`),
	"ro": words(`și nu este în la de cu pe un o să am că pentru mai din vă bună ziua mulțumesc sunt dar ce ați acest`),
	"tr": words(`ve bir bu için ne da de çok ile var ben merhaba teşekkürler değil mi ama daha gibi olarak lütfen yok kadar sonra`),
	"ru": words(`и в не на я что с по это как у но мы вы он за из все так же для здравствуйте спасибо пожалуйста мне меня есть если`),
	"uk": words(`і в не на я що з по це як у але ми ви він за із все так для вітаю дякую будь ласка мені мене є якщо та`),
	"bg": words(`и в не на аз че с по това как но ние вие той за от все така благодаря моля мен ми съм са ако да се`),
	"sr": words(`и у не на ја да са по ово као али ми ви он за из све тако хвала молим мени ме је ако се`),
	"hr": words(`i u ne na ja da sa po ovo kao ali mi vi on za iz sve tako hvala molim meni me je ako se sam`),
	"id": words(`dan yang di tidak saya ini itu untuk dengan ke dari ada akan bisa sudah terima kasih mohon kami anda pada`),
	"vi": words(`và là không có tôi của cho được với này các một đã xin cảm ơn bạn để trong những khi`),
	"ca": words(`el la els les que i no en un una és per amb meu si però com està tinc ha he molt aquest aquesta són hola gràcies`),
}

// wordLanguages maps each small word to the languages that have it, as bits in
// the order of languageNames: one look-up a word.
var wordLanguages, languageNames = func() (map[string]uint32, []string) {
	names := make([]string, 0, len(stopWords))
	for lang := range stopWords {
		names = append(names, lang)
	}
	sort.Strings(names)
	sets := map[string]uint32{}
	for i, lang := range names {
		for w := range stopWords[lang] {
			sets[w] |= 1 << i
		}
	}
	return sets, names
}()

// detectLanguage names the language of a text (ISO 639-1), "" when unsure. By
// script where one is enough, else by small words: the best must have several
// and clearly more than the next.
func detectLanguage(s string) string {
	s = clip(s, 8<<10)
	if l := languageByScript(s); l != "" {
		return l
	}
	var scores [32]int
	n := 0
	for w := range lowerWords(s) {
		if n++; n > 400 {
			break
		}
		for set := wordLanguages[string(w)]; set != 0; set &= set - 1 {
			scores[bits.TrailingZeros32(set)]++
		}
	}
	best, most, second := "", 0, 0
	for i, lang := range languageNames {
		switch {
		case scores[i] > most:
			best, most, second = lang, scores[i], most
		case scores[i] > second:
			second = scores[i]
		}
	}
	if most < 3 || most*8 < n || most*4 < second*5 {
		return ""
	}
	return best
}

// lowerWords yields the words of a text in lower case, each only until the
// next: it makes none that nobody asks for.
func lowerWords(s string) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		word := make([]byte, 0, 64)
		for _, r := range s {
			if r = unicode.ToLower(r); unicode.IsLetter(r) || r == '\'' {
				word = utf8.AppendRune(word, r)
				continue
			}
			if len(word) > 0 && !yield(word) {
				return
			}
			word = word[:0]
		}
		if len(word) > 0 {
			yield(word)
		}
	}
}

// languageByScript names the languages whose script tells them.
func languageByScript(s string) string {
	var kana, han, hangul, greek, hebrew, arabic, thai, persian, letters int
	for _, r := range s {
		if r < 0x250 {
			if unicode.IsLetter(r) {
				letters++
			}
			continue
		}
		switch {
		case unicode.In(r, unicode.Hiragana, unicode.Katakana):
			kana++
		case unicode.Is(unicode.Han, r):
			han++
		case unicode.Is(unicode.Hangul, r):
			hangul++
		case unicode.Is(unicode.Greek, r):
			greek++
		case unicode.Is(unicode.Hebrew, r):
			hebrew++
		case unicode.Is(unicode.Thai, r):
			thai++
		case r == 'پ' || r == 'چ' || r == 'ژ' || r == 'گ' || r == 'ی' || r == 'ک':
			persian++
		case unicode.Is(unicode.Arabic, r):
			arabic++
		}
	}
	most := func(n int) bool { return n >= 4 && n*3 > letters }
	switch {
	case most(kana+han) && kana*8 > han:
		return "ja"
	case most(han):
		return "zh"
	case most(hangul):
		return "ko"
	case most(greek):
		return "el"
	case most(hebrew):
		return "he"
	case most(thai):
		return "th"
	case most(arabic+persian) && persian*12 > arabic:
		return "fa"
	case most(arabic):
		return "ar"
	}
	return ""
}
