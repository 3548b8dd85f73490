package parser

import "strings"

// RequiredFacts are what a desk wants to know of a problem, in the order in
// which it asks: who, how to reach them, when it happened, what is affected,
// what it said, what was tried, what was expected, whether it is new.
var RequiredFacts = []string{"name", "phone", "occurred", "product", "error", "screenshot", "tried", "expected", "first_time"}

// Missing returns which of the required facts the mail does not hold, in
// their order; nil required means [RequiredFacts]. It is a hint for the agent:
// words of a dozen languages are known, and a fact said in other words is
// reported missing. Kinds of [Options.Patterns] (order, serial) count as the
// product; any of their names may be required, too.
func (m *Mail) Missing(required []string) []string {
	if required == nil {
		required = RequiredFacts
	}
	low := strings.ToLower(collapse(clip(m.ReplyText, maxFactText)))
	var out []string
	for _, r := range required {
		if !m.holds(r, low) {
			out = append(out, r)
		}
	}
	return out
}

// holds reports whether one fact is there.
func (m *Mail) holds(fact, low string) bool {
	switch fact {
	case "name":
		return m.From.Name != ""
	case "email":
		return m.From.Address != ""
	case "phone":
		return len(m.Phones) > 0
	case "product":
		return m.hasFact("order") || m.hasFact("serial") || m.hasFact("product") || saysOne(low, factWords[fact]) != ""
	case "screenshot":
		return m.hasFact(fact) || m.hasPicture()
	case "occurred":
		return hasDate(low) || hasWeekday(low) || saysOne(low, factWords[fact]) != ""
	}
	return m.hasFact(fact) || saysOne(low, factWords[fact]) != ""
}

func (m *Mail) hasFact(kind string) bool {
	for _, f := range m.Facts {
		if f.Kind == kind {
			return true
		}
	}
	return false
}

// hasPicture reports an attached picture or film.
func (m *Mail) hasPicture() bool {
	for _, a := range m.Attachments {
		if strings.HasPrefix(a.ContentType, "image/") || strings.HasPrefix(a.ContentType, "video/") {
			return true
		}
	}
	return false
}

// factWords are the words by which people say a fact, lower case.
var factWords = map[string][]string{
	"occurred":   {"today", "yesterday", "this morning", "last night", "since ", " ago", "heute", "gestern", "seit ", "letzte woche", "aujourd'hui", "hier", "depuis", "hoy", "ayer", "desde", "oggi", "ieri", "da ieri", "hoje", "ontem", "vandaag", "gisteren", "sinds", "dzisiaj", "wczoraj", "idag", "igår", "сегодня", "вчера", "今日", "昨日", "今天", "昨天"},
	"product":    {"serial number", "model ", "order number", "invoice number", "seriennummer", "modell", "bestellnummer", "auftragsnummer", "rechnungsnummer", "numéro de série", "numéro de commande", "modèle", "número de serie", "número de pedido", "modelo", "numero di serie", "numero d'ordine", "modello", "serienummer", "bestelnummer", "ordernummer", "numer seryjny", "numer zamówienia", "серийный номер", "номер заказа", "シリアル", "注文番号", "序列号", "订单号"},
	"error":      {"error message", "says ", "fehlermeldung", "message d'erreur", "mensaje de error", "messaggio di errore", "mensagem de erro", "foutmelding", "komunikat błędu", "felmeddelande", "сообщение об ошибке", "エラーメッセージ", "错误信息"},
	"tried":      {"i tried", "we tried", "i have tried", "already restarted", "i restarted", "reinstalled", "habe versucht", "haben versucht", "ausprobiert", "neu gestartet", "neu installiert", "j'ai essayé", "nous avons essayé", "redémarré", "he intentado", "hemos intentado", "he probado", "reinici", "ho provato", "abbiamo provato", "riavviat", "tentei", "tentámos", "tentamos", "geprobeerd", "herstart", "próbowałem", "próbowałam", "zrestartowa", "försökt", "provat", "пробовал", "пытал", "перезагру", "試しました", "再起動", "试过", "重启"},
	"expected":   {"should ", "expected", "supposed to", "sollte", "erwartet", "devrait", "attendu", "debería", "esperaba", "dovrebbe", "mi aspettavo", "deveria", "esperava", "zou moeten", "verwacht", "powinn", "oczekiwa", "borde", "förvänta", "должен", "должна", "должно", "ожида", "はずです", "应该"},
	"first_time": {"first time", "never before", "again", "every time", "always", "zum ersten mal", "erstmals", "wieder", "jedes mal", "immer", "première fois", "encore", "à chaque fois", "toujours", "primera vez", "otra vez", "siempre", "cada vez", "prima volta", "di nuovo", "ogni volta", "sempre", "primeira vez", "novamente", "eerste keer", "opnieuw", "steeds", "pierwszy raz", "znowu", "zawsze", "första gången", "igen", "впервые", "снова", "опять", "初めて", "また", "第一次", "又"},
}
