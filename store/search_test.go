package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

func found(t testing.TB, db *store.DB, text string) []int64 {
	t.Helper()
	list, err := db.Tickets(t.Context(), store.TicketQuery{Search: text})
	if err != nil {
		t.Fatalf("search %q: %v", text, err)
	}
	var ids []int64
	for _, ticket := range list {
		ids = append(ids, ticket.ID)
	}
	slices.Sort(ids)
	return ids
}

func TestSearch(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		for i, m := range []struct{ from, subject, text string }{
			{"anna@customer.example", "Drucker im Büro", "Der Straßenplan läßt sich nicht drucken, Fehler E-1234."},
			{"josé@café.example", "Facture", "Où est ma facture ? Ça fait 3 semaines, NAÏVE façade."},
			{"tanaka@example.jp", "見積書について", "お世話になっております。見積書をお送りください。プリンター"},
			{"ivan@example.ru", "Принтер", "Принтер не работает, ёлка горит."},
			{"mona@example.eg", "طابعة", "الطابعة لا تعمل منذ أمس"},
			{"priya@example.in", "प्रिंटर", "मेरा प्रिंटर काम नहीं कर रहा है"},
			{"somchai@example.th", "เครื่องพิมพ์", "เครื่องพิมพ์ไม่ทำงาน"},
			{"kim@example.kr", "프린터", "프린터가 작동하지 않습니다"},
		} {
			c := newTicket(m.from, m.subject, fmt.Sprint(i, "@x"))
			c.Tickets[0].Messages[0].Text = m.text
			c.Tickets[0].Messages[0].Attachments = []tickets.Attachment{{Filename: fmt.Sprintf("scan%d.pdf", i)}}
			save(t, db, 0, c)
		}
		for text, want := range map[string][]int64{
			"drucker":             {1},
			"BURO büro":           {1},
			"strassenplan":        {1},
			"läßt lasst":          {1},
			"e-1234":              {1},
			"E 1234":              {1},
			"1234":                {1},
			"naive facade":        {2},
			"facture drucker":     nil,
			"josé@café.example":   {2},
			"jose@cafe":           {2},
			"customer.example":    {1},
			"見積書":                 {3},
			"積書":                  {3},
			"書積":                  nil,
			"プリンター":               {3},
			"принтер":             {4},
			"ПРИНТЕР ёлка":        {4},
			"الطابعة":             {5},
			"प्रिंटर":             {6},
			"พิมพ์":               {7},
			"프린터가":                {8},
			"scan2.pdf":           {3},
			"pdf":                 {1, 2, 3, 4, 5, 6, 7, 8},
			"#3":                  {3},
			" 3 ":                 {2, 3}, // the ticket, and who waits for 3 weeks
			"99":                  nil,
			"":                    {1, 2, 3, 4, 5, 6, 7, 8},
			"!!! ???":             nil,
			"nothing of the kind": nil,
		} {
			if got := found(t, db, text); !slices.Equal(got, want) {
				t.Errorf("search %q: %v, want %v", text, got, want)
			}
		}
		if n, err := db.Index(t.Context(), 10); n != 0 || err != nil {
			t.Errorf("left to index: %d, %v", n, err)
		}
	})
}

// hostile are texts that mean something to one of the query languages.
var hostile = []string{
	`"`, `'`, `''''`, `a" OR "b`, `NEAR(a b)`, `a AND`, `NOT`, `*`, `a*`, `^a`, `words:a`, `{a b}:c`, `a:*`, `a & | !`, `<->`, `(((`, `-`, `--`, `;`,
	`\`, `\'`, "a\x00b", "\xff\xfe", "%", "_", strings.Repeat("a ", 1000), strings.Repeat("é", 5000), strings.Repeat("見", 500), `') DROP TABLE tickets; --`,
	"\u202e\u200b", "🙂", "a\u0301\u0301\u0301", "ﬁ", "Ⅷ", "①", "#", "#-1", "99999999999999999999", "+1", "1e5", "0x10", "a'b", "it's",
}

func TestHostileSearch(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		for i, text := range hostile {
			c := newTicket("anna@customer.example", "x", fmt.Sprint(i, "@x"))
			c.Tickets[0].Messages[0].Text = text
			save(t, db, 0, c)
		}
		for i, text := range hostile {
			got := found(t, db, text)
			if strings.ContainsAny(text, "abcé見") && len(text) < 100 && !slices.Contains(got, int64(i+1)) {
				t.Errorf("search %q: %v, want its own ticket %d", text, got, i+1)
			}
		}
	})
}

func TestIndexInParts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		for i := range 7 {
			save(t, db, 0, newTicket("anna@customer.example", "x", fmt.Sprint(i, "@x")))
		}
		var got []int
		for range 4 {
			got = append(got, must(db.Index(t.Context(), 3))(t))
		}
		diff(t, "indexed", got, []int{3, 3, 1, 0})
	})
}

func FuzzSearch(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	db := storetest.SQLite(f)
	save(f, db, 0, newTicket("anna@customer.example", "printer", "a@x"))
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := db.Tickets(t.Context(), store.TicketQuery{Search: text}); err != nil {
			t.Errorf("search %q: %v", text, err)
		}
	})
}
