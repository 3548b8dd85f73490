package store_test

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"frontdesk/sla"
	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

func day(text string) sla.Date {
	d, err := sla.ParseDate(text)
	if err != nil {
		panic(err)
	}
	return d
}

func reading(days, pages int) tickets.Reading {
	return tickets.Reading{At: noon.AddDate(0, 0, days), Pages: pages, By: "anna@customer.example"}
}

func product(serial string, change ...func(*tickets.Product)) tickets.Product {
	p := tickets.Product{Brand: "acme", Serial: serial, Model: "LX-300", Kind: tickets.KindLaser, Owner: tickets.Address{Name: "Anna", Address: "anna@customer.example"}}
	for _, f := range change {
		f(&p)
	}
	return p
}

func saveProducts(t *testing.T, db *store.DB, list ...tickets.Product) []int64 {
	t.Helper()
	return save(t, db, 0, tickets.Change{Brand: "acme", Products: list}).Products
}

// A field that somebody adds to a product or to a person's preferences and that
// the store forgets fails here.
func TestEveryFieldOfAProductIsStored(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		for _, known := range []bool{false, true} {
			n := 100
			var p tickets.Product
			fill(reflect.ValueOf(&p).Elem(), &n)
			p.ID, p.Brand, p.Serial, p.Kind, p.Person = 0, "acme", "SN1", tickets.KindInkjet, 0
			p.Owner = tickets.Address{Name: "Anna", Address: "anna@customer.example"}
			if known {
				p.Model, p.ID = "another", 1
			}
			p.ID = saveProducts(t, db, p)[0]
			p.Person = must(db.PersonByAddress(t.Context(), "acme", "anna@customer.example"))(t).ID
			diff(t, "product", must(db.Product(t.Context(), p.ID))(t), p)
			diff(t, "by serial", must(db.ProductBySerial(t.Context(), "acme", " sn 1"))(t), p)
		}

		n := 7
		anna := must(db.PersonByAddress(t.Context(), "acme", "anna@customer.example"))(t)
		fill(reflect.ValueOf(&anna.Prefs).Elem(), &n)
		must(db.SavePerson(t.Context(), anna, noon))(t)
		diff(t, "person", must(db.Person(t.Context(), anna.ID))(t), anna)
	})
}

func TestProducts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		ctx := t.Context()
		id := saveProducts(t, db, product("sn 1 a", func(p *tickets.Product) { p.Readings = []tickets.Reading{reading(0, 100), reading(9, 900)} }))[0]

		// What is given of a known one is added; nothing is lost, no reading comes twice.
		again := saveProducts(t, db, tickets.Product{Serial: "SN1A", Notes: "left at the door", Readings: []tickets.Reading{reading(5, 500), reading(0, 100)}})
		diff(t, "ids", again, []int64{id})
		p := must(db.Product(ctx, id))(t)
		diff(t, "readings", p.Readings, []tickets.Reading{reading(0, 100), reading(5, 500), reading(9, 900)})
		diff(t, "what was known", []string{p.Serial, p.Model, string(p.Kind), p.Notes, p.Owner.Address, p.Owner.Name}, []string{"SN1A", "LX-300", "laser", "left at the door", "anna@customer.example", "Anna"})

		// An update is the whole product; its readings stay.
		p.Readings, p.Model, p.Person, p.Owner = nil, "LX-301", 0, tickets.Address{}
		saveProducts(t, db, p)
		got := must(db.Product(ctx, id))(t)
		diff(t, "updated", []any{got.Model, got.Person, len(got.Readings)}, []any{"LX-301", int64(0), 3})

		if _, err := db.ProductBySerial(ctx, "acme", "SN2"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("unknown serial: %v", err)
		}
		if _, err := db.ProductBySerial(ctx, "other", "SN1A"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("another brand's: %v", err)
		}
		err := db.Decide(ctx, "acme", func(tx *store.Tx) error {
			_, err := tx.Save(ctx, 0, "", "", tickets.Change{Brand: "acme", Products: []tickets.Product{{ID: 99, Serial: "SN9"}}}, noon)
			return err
		})
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("update of nothing: %v", err)
		}
	})
}

func serials(list []tickets.Product) []string {
	var out []string
	for _, p := range list {
		out = append(out, p.Serial)
	}
	return out
}

// What reminders ask: by the last day, by wear since the service; never what
// is retired, never another brand's, never without readings.
func TestProductsThatAreDue(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		ctx := t.Context()
		until := func(w, c string) func(*tickets.Product) {
			return func(p *tickets.Product) {
				if w != "" {
					p.WarrantyUntil = day(w)
				}
				if c != "" {
					p.ContractUntil = day(c)
				}
			}
		}
		printed := func(kind tickets.ProductKind, serviced int, pages ...int) func(*tickets.Product) {
			return func(p *tickets.Product) {
				p.Kind, p.ServicedAt = kind, serviced
				for i, n := range pages {
					p.Readings = append(p.Readings, reading(i, n))
				}
			}
		}
		retired := func(p *tickets.Product) { p.Retired = true }
		saveProducts(t, db,
			product("W3", until("2026-12-31", "")), product("W1", until("2026-12-01", "2027-01-01")), product("W2", until("2026-12-02", "")),
			product("W0", until("2026-11-30", "")), product("W4", until("2027-01-01", "")), product("WR", until("2026-12-15", ""), retired),
			product("C1", until("", "2026-12-15")),
			product("P1", printed(tickets.KindLaser, 0, 5_000, 10_000)), product("P2", printed(tickets.KindLaser, 20_000, 8_000, 29_999)),
			product("P3", printed(tickets.KindLaser, 12_000, 30_000)), product("P4", printed(tickets.KindInkjet, 0, 40_000)),
			product("P5", printed(tickets.KindLaser, 0, 90_000), retired), product("P6", printed(tickets.KindLaser, 50_000)),
			product("P7", printed(tickets.KindLaser, 40_000, 30_000)))
		save(t, db, 0, tickets.Change{Brand: "zeta", Products: []tickets.Product{{Serial: "Z1", WarrantyUntil: day("2026-12-15")}}})

		ending := func(what store.Ending, first, last string, n int) []string {
			return serials(must(db.ProductsEnding(ctx, "acme", what, day(first), day(last), n))(t))
		}
		diff(t, "warranty in December", ending(store.EndingWarranty, "2026-12-01", "2026-12-31", 9), []string{"W1", "W2", "W3"})
		diff(t, "two of them", ending(store.EndingWarranty, "2026-12-01", "2026-12-31", 2), []string{"W1", "W2"})
		diff(t, "contract", ending(store.EndingContract, "2026-12-15", "2027-01-01", 9), []string{"C1", "W1"})
		diff(t, "one day", ending(store.EndingWarranty, "2026-12-02", "2026-12-02", 9), []string{"W2"})
		worn := func(kind tickets.ProductKind, pages int) []string {
			return serials(must(db.ProductsWorn(ctx, "acme", kind, pages, 9))(t))
		}
		diff(t, "laser, 10,000", worn(tickets.KindLaser, 10_000), []string{"P3", "P1"})
		diff(t, "laser, 9,999", worn(tickets.KindLaser, 9_999), []string{"P3", "P1", "P2"})
		diff(t, "inkjet, 7,000", worn(tickets.KindInkjet, 7_000), []string{"P4"})

		// A service brings it back to nothing.
		p := must(db.ProductBySerial(ctx, "acme", "P3"))(t)
		p.ServicedAt, p.ServicedOn = 30_000, day("2026-03-10")
		saveProducts(t, db, p)
		diff(t, "after the service", worn(tickets.KindLaser, 10_000), []string{"P1"})
	})
}

func TestProductsAreSearched(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		saveProducts(t, db, product("A1"), product("B2", func(p *tickets.Product) {
			p.Owner = tickets.Address{Name: "José 50%", Address: "jose@other.example"}
			p.Model, p.Contract = "Büro_Jet", "Care Pack"
		}), product("C3", func(p *tickets.Product) { p.Retired = true }))
		search := func(q store.ProductQuery) []string { return serials(must(db.Products(t.Context(), q))(t)) }
		for want, q := range map[string][]store.ProductQuery{
			"A1 B2":    {{}, {Brand: "acme"}},
			"A1 B2 C3": {{Retired: true}},
			"A1":       {{Search: "a1"}, {Search: "anna@"}, {Search: "lx-300"}, {Limit: 1}},
			"B2":       {{Search: "JOSE"}, {Search: "50%"}, {Search: "buro_jet"}, {Search: "care p"}},
			"":         {{Brand: "zeta"}, {Search: "5_%"}, {Person: 99}},
		} {
			for _, q := range q {
				var text string
				for i, s := range search(q) {
					if i > 0 {
						text += " "
					}
					text += s
				}
				if text != want {
					t.Errorf("%+v: got %q, want %q", q, text, want)
				}
			}
		}
	})
}

// A decision sees what the customer has, the product that a mail names whoever
// has it, and what its tickets are about.
func TestFindProducts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		c := newTicket("anna@customer.example", "printer", "a@x")
		ticket := save(t, db, 0, c).Tickets[0]
		var mine []tickets.Product
		for i := range 22 {
			mine = append(mine, product("M"+string(rune('A'+i))))
		}
		mine[21].Retired, mine[20].Readings = true, []tickets.Reading{reading(0, 5), reading(1, 6)}
		ids := saveProducts(t, db, mine...)
		other := saveProducts(t, db, product("X1", func(p *tickets.Product) { p.Owner = tickets.Address{Address: tickets.TelAddress(number)} }))[0]
		tk := must(db.Ticket(t.Context(), ticket))(t)
		tk.Product = other
		save(t, db, 0, tickets.Change{Brand: "acme", Tickets: []tickets.TicketChange{{Ticket: tk}}})

		f := find(t, db, tickets.Keys{Sender: "anna@customer.example", Opens: true, Serial: "x 1"})
		if len(f.Products) != 20 || f.Products[0].ID != ids[20] || f.Products[19].ID != ids[1] || len(f.Products[0].Readings) != 2 {
			t.Errorf("of Anna: %v", serials(f.Products))
		}
		if f.Serial == nil || f.Serial.ID != other || f.Serial.Owner.Address != tickets.TelAddress(number) || f.About != nil {
			t.Errorf("by serial: %+v, about %v", f.Serial, f.About)
		}
		f = find(t, db, tickets.Keys{Sender: "agent@example.org", History: ticket, Tickets: []int64{ticket}})
		if len(f.Products) != 20 || f.Serial != nil || f.About[other] == nil || f.About[other].Serial != "X1" {
			t.Errorf("of the ticket: %v, about %v", serials(f.Products), f.About)
		}
		f = find(t, db, tickets.Keys{Sender: tickets.TelAddress(number), Number: number, Line: line, Opens: true})
		diff(t, "of the caller", serials(f.Products), []string{"X1"})
		f = find(t, db, tickets.Keys{Sender: "new@customer.example", Opens: true, Serial: "nobody's"})
		if len(f.Products) != 0 || f.Serial != nil {
			t.Errorf("of a stranger: %v, %v", f.Products, f.Serial)
		}

		// A number that two have is nobody's for certain.
		for _, a := range []string{"one@customer.example", "two@customer.example"} {
			must(db.SavePerson(t.Context(), tickets.Person{Brand: "acme", Addresses: []string{a}, Phones: []string{"+4930999"}}, noon))(t)
		}
		saveProducts(t, db, product("T1", func(p *tickets.Product) { p.Owner = tickets.Address{Address: "one@customer.example"} }))
		f = find(t, db, tickets.Keys{Sender: "tel:+4930999", Number: "+4930999", Line: line, Opens: true})
		if len(f.Products) != 0 {
			t.Errorf("of a shared number: %v", serials(f.Products))
		}
		err := db.Decide(t.Context(), "acme", func(tx *store.Tx) error {
			got, err := tx.Owners(t.Context(), "acme", []string{"tel:+4930999", "one@customer.example", "no@customer.example"})
			diff(t, "owners", []int{len(got["tel:+4930999"]), len(got["one@customer.example"]), len(got["no@customer.example"])}, []int{2, 1, 0})
			have, err2 := tx.ProductsBySerial(t.Context(), "acme", []string{"X1", "T1", "NO"})
			if len(have) != 2 || !slices.Equal(serials([]tickets.Product{have["T1"]}), []string{"T1"}) {
				t.Errorf("by serials: %v", have)
			}
			return errors.Join(err, err2)
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// useProducts runs the statements of products.
func useProducts(t *testing.T, db *store.DB) {
	ctx := t.Context()
	id := saveProducts(t, db, product("S1", func(p *tickets.Product) { p.Readings = []tickets.Reading{reading(0, 5)} }))[0]
	p := must(db.Product(ctx, id))(t)
	saveProducts(t, db, p, product("S1"), product("S2", func(p *tickets.Product) { p.Owner = tickets.Address{Address: "tel:+4930888"} }))
	must(db.ProductBySerial(ctx, "acme", "S1"))(t)
	must(db.ProductsEnding(ctx, "acme", store.EndingWarranty, day("2026-01-01"), day("2026-02-01"), 9))(t)
	must(db.ProductsEnding(ctx, "acme", store.EndingContract, day("2026-01-01"), day("2026-02-01"), 9))(t)
	must(db.ProductsWorn(ctx, "acme", tickets.KindLaser, 1, 9))(t)
	must(db.Products(ctx, store.ProductQuery{Brand: "acme", Search: "x"}))(t)
	must(db.Products(ctx, store.ProductQuery{Person: 1}))(t)
	must(db.Tickets(ctx, store.TicketQuery{Product: id, Statuses: []tickets.Status{"closed", "open"}}))(t)
	ticket := must(db.Ticket(ctx, 1))(t)
	ticket.Product = id
	save(t, db, 0, tickets.Change{Brand: "acme", Tickets: []tickets.TicketChange{{Ticket: ticket}}})
	find(t, db, tickets.Keys{Sender: "anna@customer.example", Number: "+4930888", Opens: true, Serial: "S1", Tickets: []int64{1}})
	must(0, db.Decide(ctx, "acme", func(tx *store.Tx) error {
		if _, err := tx.Owners(ctx, "acme", []string{"a@b", "tel:+4930888"}); err != nil {
			return err
		}
		_, err := tx.ProductsBySerial(ctx, "acme", []string{"S1"})
		return errors.Join(err, func() error { _, err := tx.Product(ctx, id); return err }())
	}))(t)
}
