package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"frontdesk/sla"
	"frontdesk/tickets"
)

// ProductQuery selects products. The zero value is all of all brands that are
// in use.
type ProductQuery struct {
	Brand   string
	Person  int64  // who has them; 0 anybody
	Search  string // part of serial, model, contract, or of the name or an address of who has it
	Retired bool   // those that are not in use any more, too
	Limit   int    // 0: 100
}

// Products lists products, oldest first.
func (db *DB) Products(ctx context.Context, q ProductQuery) ([]tickets.Product, error) {
	where, args := `TRUE`, []any{}
	and := func(text string, value any) {
		args = append(args, value)
		where += fmt.Sprintf(" AND "+text, len(args))
	}
	if q.Brand != "" {
		and(`p.brand = $%d`, q.Brand)
	}
	if q.Person != 0 { // products_owner
		and(`p.owner = $%d`, q.Person)
	}
	if !q.Retired {
		where += ` AND p.retired = FALSE`
	}
	if q.Search != "" {
		and(`(p.folded LIKE $%[1]d ESCAPE '!' OR p.owner IN (
				SELECT o.id FROM people o WHERE o.folded LIKE $%[1]d ESCAPE '!'
				UNION SELECT a.person FROM addresses a WHERE a.address LIKE $%[1]d ESCAPE '!'))`, containing(fold(q.Search)))
	}
	if q.Limit <= 0 {
		q.Limit = 100
	}
	args = append(args, int64(q.Limit))
	// A look through all products of the brand: people ask this, not the desk.
	list, err := products(ctx, db.read, fmt.Sprintf(`p.id IN (SELECT p.id FROM products p WHERE %s ORDER BY p.id LIMIT $%d)`, where, len(args)), args...)
	if err != nil {
		return nil, fmt.Errorf("list products like %q: %w", q.Search, err)
	}
	return list, nil
}

// Product loads one product (ErrNotFound).
func (db *DB) Product(ctx context.Context, id int64) (tickets.Product, error) {
	p, err := oneProduct(ctx, db.read, `p.id = $1`, id)
	if err != nil {
		return p, fmt.Errorf("load product %d: %w", id, err)
	}
	return p, nil
}

// Product loads one product for a decision (ErrNotFound).
func (tx *Tx) Product(ctx context.Context, id int64) (tickets.Product, error) {
	p, err := oneProduct(ctx, tx, `p.id = $1`, id)
	if err != nil {
		return p, fmt.Errorf("load product %d: %w", id, err)
	}
	return p, nil
}

// bySerial selects the product of the brand $1 with the serial number $2.
// Served by the unique (brand, serial).
const bySerial = `p.brand = $1 AND p.serial = $2`

// ProductBySerial finds the product of a brand by its serial number, however it
// is written (ErrNotFound).
func (db *DB) ProductBySerial(ctx context.Context, brand, serial string) (tickets.Product, error) {
	p, err := oneProduct(ctx, db.read, bySerial, brand, tickets.NormalSerial(serial))
	if err != nil {
		return p, fmt.Errorf("load product %q of brand %q: %w", serial, brand, err)
	}
	return p, nil
}

// ProductsBySerial finds those of the serial numbers, in normal form, that the
// brand has.
func (tx *Tx) ProductsBySerial(ctx context.Context, brand string, serials []string) (map[string]tickets.Product, error) {
	out := make(map[string]tickets.Product, len(serials))
	err := chunks(serials, maxIn, func(serials []string) error {
		values, args := in([]any{brand}, serials)
		list, err := products(ctx, tx, `p.brand = $1 AND p.serial IN `+values, args...) // the unique (brand, serial)
		for _, p := range list {
			out[p.Serial] = p
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load products of brand %q: %w", brand, err)
	}
	return out, nil
}

// Owners finds who has each of the addresses in a brand: mail addresses in
// normal form, or tel:+…, which everybody has whose profile has the number.
func (tx *Tx) Owners(ctx context.Context, brand string, addresses []string) (map[string][]int64, error) {
	out := make(map[string][]int64, len(addresses))
	var numbers []string
	for _, a := range addresses {
		if n := tickets.Number(a); n != "" {
			numbers = append(numbers, n)
		}
	}
	add := func(scan func(...any) error) error {
		var address string
		var person int64
		err := scan(&address, &person)
		if !slices.Contains(out[address], person) {
			out[address] = append(out[address], person)
		}
		return err
	}
	// Served by the primary keys of addresses and phones.
	err := chunks(addresses, maxIn, func(list []string) error {
		values, args := in([]any{brand}, list)
		return tx.each(ctx, `SELECT address, person FROM addresses WHERE brand = $1 AND address IN `+values, args, add)
	})
	if err == nil {
		err = chunks(numbers, maxIn, func(list []string) error {
			values, args := in([]any{brand}, list)
			return tx.each(ctx, `SELECT 'tel:' || number, person FROM phones WHERE brand = $1 AND number IN `+values, args, add)
		})
	}
	if err != nil {
		return nil, fmt.Errorf("look up customers of brand %q: %w", brand, err)
	}
	return out, nil
}

// Ending is the day that a product is asked by.
type Ending string

// The days.
const (
	EndingWarranty Ending = "warranty_until"
	EndingContract Ending = "contract_until"
)

// ProductsEnding lists products in use of a brand whose warranty or contract
// has its last day in first … last, both included: the earliest first, at most n.
func (db *DB) ProductsEnding(ctx context.Context, brand string, what Ending, first, last sla.Date, n int) ([]tickets.Product, error) {
	if what != EndingWarranty && what != EndingContract {
		return nil, fmt.Errorf("list products by %q: no such day", what)
	}
	day := string(what)
	// Served by products_warranty, products_contract.
	ids, err := idList(ctx, db.read, `
		SELECT id FROM products
		WHERE retired = FALSE AND brand = $1 AND `+day+` <> '' AND `+day+` >= $2 AND `+day+` <= $3
		ORDER BY `+day+`, id LIMIT $4`, brand, dateArg(first), dateArg(last), int64(n))
	if err == nil {
		var list []tickets.Product
		if list, err = productsByID(ctx, db.read, ids); err == nil {
			return list, nil
		}
	}
	return nil, fmt.Errorf("list products of brand %q with %s from %v to %v: %w", brand, what, first, last, err)
}

// ProductsWorn lists products in use of a brand and kind that printed at least
// so many pages since their last service, by what was reported: the most worn
// first, at most n. A product without readings is never among them.
func (db *DB) ProductsWorn(ctx context.Context, brand string, kind tickets.ProductKind, pages, n int) ([]tickets.Product, error) {
	// Served by products_worn, backwards.
	ids, err := idList(ctx, db.read, `
		SELECT id FROM products
		WHERE retired = FALSE AND worn > 0 AND brand = $1 AND kind = $2 AND worn >= $3
		ORDER BY worn DESC, id DESC LIMIT $4`, brand, string(kind), int64(pages), int64(n))
	if err == nil {
		var list []tickets.Product
		if list, err = productsByID(ctx, db.read, ids); err == nil {
			return list, nil
		}
	}
	return nil, fmt.Errorf("list %s products of brand %q to be serviced: %w", kind, brand, err)
}

// productsByID loads products in the order of ids.
func productsByID(ctx context.Context, q querier, ids []int64) ([]tickets.Product, error) {
	list := make([]tickets.Product, 0, len(ids))
	err := chunks(ids, maxIn, func(ids []int64) error {
		values, args := in(nil, ids)
		found, err := products(ctx, q, `p.id IN `+values, args...)
		slices.SortFunc(found, func(a, b tickets.Product) int { return slices.Index(ids, a.ID) - slices.Index(ids, b.ID) })
		list = append(list, found...)
		return err
	})
	return list, err
}

func oneProduct(ctx context.Context, q querier, where string, args ...any) (tickets.Product, error) {
	list, err := products(ctx, q, where, args...)
	if err != nil {
		return tickets.Product{}, err
	}
	if len(list) == 0 {
		return tickets.Product{}, ErrNotFound
	}
	return list[0], nil
}

// products loads products with their readings, in order of id.
func products(ctx context.Context, q querier, where string, args ...any) (list []tickets.Product, err error) {
	err = q.each(ctx, selectProducts+where+productOrder, args, productRow(&list))
	return list, err
}

// selectProducts, with a condition and productOrder, gives the rows that
// productRow takes: one for each reading. Readings by their primary key, the
// owner's address by addresses_of.
const selectProducts = `
		SELECT
			p.id,
			p.brand,
			p.owner,
			o.name,
			(SELECT a.address FROM addresses a WHERE a.person = p.owner ORDER BY a.position LIMIT 1),
			p.serial,
			p.model,
			p.kind,
			p.bought,
			p.warranty_until,
			p.contract_until,
			p.contract,
			p.serviced_at,
			p.serviced_on,
			p.retired,
			p.notes,
			r.at,
			r.pages,
			r.said_by
		FROM products p
		LEFT JOIN people o ON o.id = p.owner
		LEFT JOIN readings r ON r.product = p.id
		WHERE `

const productOrder = `
		ORDER BY p.id, r.at, r.pages`

func productRow(list *[]tickets.Product) rowFunc {
	return func(scan func(...any) error) error {
		var p tickets.Product
		var name, address, by sql.NullString
		var pages, read sql.NullInt64
		err := scan(&p.ID, &p.Brand, idDest{&p.Person}, &name, &address, &p.Serial, &p.Model, &p.Kind,
			dateDest{&p.Bought}, dateDest{&p.WarrantyUntil}, dateDest{&p.ContractUntil}, &p.Contract,
			&p.ServicedAt, dateDest{&p.ServicedOn}, &p.Retired, &p.Notes, &read, &pages, &by)
		if err != nil {
			return err
		}
		if n := len(*list); n == 0 || (*list)[n-1].ID != p.ID {
			p.Owner = tickets.Address{Name: name.String, Address: address.String}
			*list = append(*list, p)
		}
		if by.Valid {
			last := &(*list)[len(*list)-1]
			last.Readings = append(last.Readings, tickets.Reading{At: at(read.Int64), Pages: int(pages.Int64), By: by.String})
		}
		return nil
	}
}

// dateArg is a day as stored, "" for none.
func dateArg(d sla.Date) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

// dateDest scans a stored day.
type dateDest struct{ d *sla.Date }

func (d dateDest) Scan(v any) error {
	var s sql.NullString
	if err := s.Scan(v); err != nil {
		return err
	}
	*d.d = sla.Date{}
	if s.String == "" {
		return nil
	}
	return d.d.UnmarshalText([]byte(s.String))
}

// products creates or updates products. One with ID 0 whose serial number is
// known is that product: what is given of it is added.
func (s *saver) products(ctx context.Context) error {
	s.saved.Products = make([]int64, len(s.c.Products))
	for i, p := range s.c.Products {
		if err := s.product(ctx, p, &s.saved.Products[i]); err != nil {
			return fmt.Errorf("%q: %w", p.Serial, err)
		}
	}
	return nil
}

func (s *saver) product(ctx context.Context, p tickets.Product, id *int64) error {
	if p.Serial = tickets.NormalSerial(p.Serial); p.Serial == "" {
		return errors.New("a product needs a serial number")
	}
	if p.Brand == "" {
		p.Brand = s.c.Brand
	}
	if p.Kind == "" {
		p.Kind = tickets.KindOther
	}
	if p.Person == 0 && p.Owner.Address != "" {
		var err error
		if p.Person, err = s.owner(ctx, p.Brand, p.Owner); err != nil {
			return err
		}
	}
	if p.ID == 0 {
		have, err := oneProduct(ctx, s.tx, bySerial, p.Brand, p.Serial)
		if err == nil {
			p = have.With(p)
		} else if !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	var err error
	if *id = p.ID; p.ID != 0 {
		err = s.tx.updateProduct(ctx, p, productArgs(&p, s.now))
	} else {
		err = s.tx.insertProduct(ctx, productArgs(&p, s.now), id)
	}
	if err != nil {
		return err
	}
	if err := s.tx.saveReadings(ctx, &p); err != nil {
		return fmt.Errorf("readings: %w", err)
	}
	if p.ID == 0 && len(p.Readings) == 0 && p.ServicedAt == 0 {
		return nil // nothing was printed that we know of
	}
	// Served by the unique (brand, serial) and the primary key of readings, backwards.
	return s.tx.later(ctx, `
		UPDATE products SET worn = COALESCE((
			SELECT r.pages FROM readings r WHERE r.product = products.id ORDER BY r.at DESC, r.pages DESC LIMIT 1
		), serviced_at) - serviced_at
		WHERE brand = $1 AND serial = $2`, p.Brand, p.Serial)
}

// owner is who gets a product. A number may stand in a profile that has it not
// as an address.
func (s *saver) owner(ctx context.Context, brand string, a tickets.Address) (int64, error) {
	a.Address = tickets.NormalAddress(a.Address)
	if tickets.Number(a.Address) != "" {
		have, err := s.tx.Owners(ctx, brand, []string{a.Address})
		if err != nil {
			return 0, err
		}
		if ids := have[a.Address]; len(ids) > 0 {
			if len(ids) > 1 {
				return 0, fmt.Errorf("%d customers have the number %s", len(ids), tickets.Number(a.Address))
			}
			return ids[0], nil
		}
	}
	id, _, err := s.tx.person(ctx, brand, a)
	return id, err
}

// productArgs are a product's columns in the order of the statements below.
func productArgs(p *tickets.Product, now time.Time) []any {
	return []any{
		p.Brand, p.Serial, idArg(p.Person), p.Model, string(p.Kind),
		dateArg(p.Bought), dateArg(p.WarrantyUntil), dateArg(p.ContractUntil), p.Contract,
		int64(p.ServicedAt), dateArg(p.ServicedOn), p.Retired, p.Notes,
		fold(strings.Join([]string{p.Serial, p.Model, p.Contract}, " ")), ms(now),
	}
}

func (tx *Tx) insertProduct(ctx context.Context, args []any, id *int64) error {
	return tx.insertLater(ctx, `
		INSERT INTO products (
			brand,
			serial,
			owner,
			model,
			kind,
			bought,
			warranty_until,
			contract_until,
			contract,
			serviced_at,
			serviced_on,
			retired,
			notes,
			folded,
			changed
		) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`, args, func(n int64) { *id = n })
}

// updateProduct makes a stored product what is given.
func (tx *Tx) updateProduct(ctx context.Context, p tickets.Product, args []any) error {
	return tx.note(tx.session.later(ctx, statement{text: `
		UPDATE products SET
			serial = $2,
			owner = $3,
			model = $4,
			kind = $5,
			bought = $6,
			warranty_until = $7,
			contract_until = $8,
			contract = $9,
			serviced_at = $10,
			serviced_on = $11,
			retired = $12,
			notes = $13,
			folded = $14,
			changed = $15
		WHERE id = $16 AND brand = $1`, args: append(args, p.ID),
		met: func(n int64) error {
			if n == 0 {
				return ErrNotFound
			}
			return nil
		}}))
}

// saveReadings adds the readings that are not known yet. None is removed.
func (tx *Tx) saveReadings(ctx context.Context, p *tickets.Product) error {
	if p.ID != 0 {
		var args []any
		for _, r := range p.Readings {
			args = append(args, p.ID, ms(r.At), int64(r.Pages), r.By)
		}
		return tx.insertRows(ctx, `INSERT INTO readings (product, at, pages, said_by) VALUES`, `ON CONFLICT DO NOTHING`, 4, args)
	}
	for _, r := range p.Readings { // the number of a new product is not known before its row is written
		err := tx.later(ctx, `
			INSERT INTO readings (product, at, pages, said_by)
			SELECT id, CAST($3 AS BIGINT), CAST($4 AS BIGINT), CAST($5 AS TEXT) FROM products WHERE brand = $1 AND serial = $2
			ON CONFLICT DO NOTHING`, p.Brand, p.Serial, ms(r.At), int64(r.Pages), r.By)
		if err != nil {
			return err
		}
	}
	return nil
}

const maxProducts = 20

// products asks what the sender, everybody with the number, and the requester
// of the ticket in hand have; takeProducts keeps what is theirs.
func (f *finder) products(ctx context.Context) error {
	if !f.keys.Opens && f.keys.History == 0 {
		return nil
	}
	// Served by products_owner, backwards, for each of them; who they are by the
	// primary keys of addresses, phones and tickets. Many desks know of no products
	// at all.
	return f.tx.eachLater(ctx, selectProducts+`EXISTS (SELECT 1 FROM products) AND p.id IN (
			SELECT id FROM products WHERE retired = FALSE AND owner IN (
				SELECT person FROM addresses WHERE brand = $1 AND address = $2
				UNION SELECT person FROM phones WHERE brand = $1 AND number = $3
				UNION SELECT requester FROM tickets WHERE id = $4 AND brand = $1)
			ORDER BY id DESC`+limit(maxProducts)+`)
		ORDER BY p.id DESC, r.at, r.pages`, []any{f.keys.Brand, f.keys.Sender, f.keys.Number, f.keys.History}, productRow(&f.found.Products))
}

// takeProducts keeps the products of the person who was found and of the
// requester: of a number that several have, none is meant.
func (f *finder) takeProducts(context.Context) error {
	theirs := make(map[int64]bool)
	if p := f.found.Person; p != nil {
		theirs[p.ID] = true
	}
	if t := f.found.Tickets[f.keys.History]; t != nil {
		theirs[t.Requester] = true
	}
	f.found.Products = slices.DeleteFunc(f.found.Products, func(p tickets.Product) bool { return !theirs[p.Person] })
	return nil
}

func (f *finder) serial(ctx context.Context) error {
	if f.keys.Serial == "" {
		return nil
	}
	var list []tickets.Product
	row := productRow(&list)
	return f.tx.eachLater(ctx, selectProducts+bySerial+productOrder, []any{f.keys.Brand, f.keys.Serial}, func(scan func(...any) error) error {
		err := row(scan)
		if len(list) > 0 {
			f.found.Serial = &list[0]
		}
		return err
	})
}

// about finds the products that the tickets are about.
func (f *finder) about(ctx context.Context) error {
	var ids []int64
	for _, t := range f.found.Tickets {
		if t.Product != 0 && !slices.Contains(ids, t.Product) {
			ids = append(ids, t.Product)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	f.found.About = make(map[int64]*tickets.Product)
	values, args := in([]any{f.keys.Brand}, ids[:min(len(ids), maxIn)])
	var list []tickets.Product
	row := productRow(&list)
	return f.tx.eachLater(ctx, selectProducts+`p.brand = $1 AND p.id IN `+values+productOrder, args, func(scan func(...any) error) error {
		err := row(scan)
		for i := range list {
			f.found.About[list[i].ID] = &list[i]
		}
		return err
	})
}
