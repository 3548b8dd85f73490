package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"frontdesk/tickets"
)

// Person loads one person (ErrNotFound).
func (db *DB) Person(ctx context.Context, id int64) (tickets.Person, error) {
	p, err := onePerson(ctx, db.read, `p.id = $1`, id)
	if err != nil {
		return tickets.Person{}, fmt.Errorf("load person %d: %w", id, err)
	}
	return p, nil
}

// PersonByAddress finds who has the address in the brand (ErrNotFound).
func (db *DB) PersonByAddress(ctx context.Context, brand, address string) (tickets.Person, error) {
	p, err := personByAddress(ctx, db.read, brand, address)
	if err != nil {
		return tickets.Person{}, fmt.Errorf("load person %q of brand %q: %w", address, brand, err)
	}
	return p, nil
}

func personByAddress(ctx context.Context, q querier, brand, address string) (tickets.Person, error) {
	return onePerson(ctx, q, hasAddress, brand, tickets.NormalAddress(address))
}

// hasAddress selects who has the address $2 in the brand $1. Served by the
// primary key of addresses.
const hasAddress = `p.id = (SELECT person FROM addresses WHERE brand = $1 AND address = $2)`

func onePerson(ctx context.Context, q querier, where string, args ...any) (tickets.Person, error) {
	list, err := persons(ctx, q, where, args...)
	if err != nil {
		return tickets.Person{}, err
	}
	if len(list) == 0 {
		return tickets.Person{}, ErrNotFound
	}
	return list[0], nil
}

// persons loads persons with their addresses, in order of id.
func persons(ctx context.Context, q querier, where string, args ...any) (list []tickets.Person, err error) {
	err = q.each(ctx, selectPersons+where+personOrder, args, personRow(&list))
	return list, err
}

// selectPersons, with a condition and personOrder, gives the rows that
// personRow takes: one for each address. Addresses by addresses_of.
const selectPersons = `
		SELECT
			p.id,
			p.brand,
			p.name,
			p.phones,
			p.language,
			p.org,
			p.blocked,
			p.notes,
			p.vip,
			p.contract,
			p.prefs,
			a.address
		FROM people p
		LEFT JOIN addresses a ON a.person = p.id
		WHERE `

const personOrder = `
		ORDER BY p.id, a.position`

func personRow(list *[]tickets.Person) rowFunc {
	return func(scan func(...any) error) error {
		var p tickets.Person
		var address sql.NullString
		if err := scan(&p.ID, &p.Brand, &p.Name, jsonDest{&p.Phones}, &p.Language, &p.Org, &p.Blocked, &p.Notes, &p.VIP, &p.Contract, jsonDest{&p.Prefs}, &address); err != nil {
			return err
		}
		if n := len(*list); n == 0 || (*list)[n-1].ID != p.ID {
			*list = append(*list, p)
		}
		if address.Valid {
			last := &(*list)[len(*list)-1]
			last.Addresses = append(last.Addresses, address.String)
		}
		return nil
	}
}

// People lists persons of a brand ("" all brands) whose name or address
// contains match ("" all), agents not among them. A limit of 0 is 100.
func (db *DB) People(ctx context.Context, brand, match string, limit int) ([]tickets.Person, error) {
	if limit <= 0 {
		limit = 100
	}
	// A look through all persons of the brand: people ask this, not the desk.
	list, err := persons(ctx, db.read, `p.id IN (
			SELECT p.id FROM people p
			WHERE p.brand <> '' AND ($1 = '' OR p.brand = $1)
			AND ($2 = '' OR p.folded LIKE $3 ESCAPE '!' OR EXISTS (
				SELECT 1 FROM addresses a WHERE a.person = p.id AND a.address LIKE $4 ESCAPE '!'))
			ORDER BY p.id LIMIT $5)`,
		brand, match, containing(fold(match)), containing(tickets.NormalAddress(match)), int64(limit))
	if err != nil {
		return nil, fmt.Errorf("list people like %q: %w", match, err)
	}
	return list, nil
}

var likeEscaper = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

// containing is a LIKE pattern for texts that contain s, with ! as escape.
func containing(s string) string { return "%" + likeEscaper.Replace(s) + "%" }

// SavePerson updates name, addresses, phones, language, organisation, blocked,
// notes, terms and preferences of a person, or makes one (ID 0). An address that another person
// of the brand has is an error that names that person.
func (db *DB) SavePerson(ctx context.Context, p tickets.Person, now time.Time) (id int64, err error) {
	err = db.write(ctx, func(tx *Tx) error { id, err = tx.savePerson(ctx, p, now); return err })
	if err != nil {
		return 0, fmt.Errorf("save person %d: %w", p.ID, err)
	}
	return id, nil
}

func (tx *Tx) savePerson(ctx context.Context, p tickets.Person, now time.Time) (int64, error) {
	args := []any{p.Name, fold(p.Name), jsonArg(p.Phones), p.Language, p.Org, p.Blocked, p.Notes, ms(now), p.VIP, p.Contract, objectArg(p.Prefs)}
	var err error
	if p.ID == 0 {
		err = tx.get(ctx, `
			INSERT INTO people (
				name,
				folded,
				phones,
				language,
				org,
				blocked,
				notes,
				changed,
				vip,
				contract,
				prefs,
				brand
			) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
			RETURNING id, brand`, append(args, p.Brand), &p.ID, &p.Brand)
	} else {
		err = tx.get(ctx, `
			UPDATE people SET
				name = $1,
				folded = $2,
				phones = $3,
				language = $4,
				org = $5,
				blocked = $6,
				notes = $7,
				changed = $8,
				vip = $9,
				contract = $10,
				prefs = $11
			WHERE id = $12
			RETURNING id, brand`, append(args, p.ID), &p.ID, &p.Brand)
	}
	if err != nil {
		return 0, notFound(err)
	}
	if err := tx.savePhones(ctx, p); err != nil {
		return 0, err
	}
	return p.ID, tx.saveAddresses(ctx, p)
}

// saveAddresses makes the person's addresses those of p, in their order.
func (tx *Tx) saveAddresses(ctx context.Context, p tickets.Person) error {
	var want []string
	for _, a := range p.Addresses {
		if a = tickets.NormalAddress(a); a != "" && !slices.Contains(want, a) {
			want = append(want, a)
		}
	}
	if _, err := tx.exec(ctx, `DELETE FROM addresses WHERE person = $1`, p.ID); err != nil {
		return err
	}
	for i, a := range want {
		n, err := tx.exec(ctx, `
			INSERT INTO addresses (brand, address, person, position) VALUES ($1, $2, $3, $4)
			ON CONFLICT (brand, address) DO NOTHING`, p.Brand, a, p.ID, int64(i))
		if err != nil {
			return err
		}
		if n == 0 {
			return tx.addressTaken(ctx, p.Brand, a)
		}
	}
	tx.cache.persons = nil
	return nil
}

func (tx *Tx) addressTaken(ctx context.Context, brand, address string) error {
	other, err := personByAddress(ctx, tx, brand, address)
	if err != nil {
		return err
	}
	return fmt.Errorf("address %q belongs to person %d (%q)", address, other.ID, other.Name)
}

// personKey names a person by brand and normal address.
type personKey struct{ brand, address string }

// person returns who has the address in the brand, making a person when nobody
// has it. An empty address is nobody: 0.
func (tx *Tx) person(ctx context.Context, brand string, a tickets.Address) (id int64, isNew bool, err error) {
	key := personKey{brand, tickets.NormalAddress(a.Address)}
	if key.address == "" {
		return 0, false, nil
	}
	if id, ok := tx.cache.persons[key]; ok && id != 0 {
		return id, false, nil
	} else if !ok {
		err := tx.get(ctx, `SELECT person FROM addresses WHERE brand = $1 AND address = $2`, []any{key.brand, key.address}, &id)
		if err == nil {
			tx.rememberPerson(key, id)
			return id, false, nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return 0, false, fmt.Errorf("look up person %q: %w", key.address, err)
		}
	}
	if id, err = tx.sibling(ctx, key); err != nil {
		return 0, false, fmt.Errorf("look up person %q: %w", key.address, err)
	}
	isNew = id == 0
	if isNew {
		if id, err = tx.newPerson(ctx, key, a.Name); err != nil {
			return 0, false, fmt.Errorf("make person %q: %w", key.address, err)
		}
	}
	tx.rememberPerson(key, id)
	return id, isNew, nil
}

// rememberPerson notes who has an address, 0 for nobody.
func (tx *Tx) rememberPerson(key personKey, id int64) {
	if tx.cache.persons == nil {
		tx.cache.persons = make(map[personKey]int64)
	}
	tx.cache.persons[key] = id
}

// numbers are what an address says of a person's telephone: its own number, or
// nothing.
func numbers(address string) []string {
	if n := tickets.Number(address); n != "" {
		return []string{n}
	}
	return nil
}

func (tx *Tx) newPerson(ctx context.Context, key personKey, name string) (id int64, err error) {
	id, err = tx.insert(ctx, `
		INSERT INTO people (
			brand,
			name,
			folded,
			phones,
			language,
			org,
			blocked,
			notes,
			changed
		) VALUES ($1, $2, $3, $4, '', '', FALSE, '', 0)`, []any{key.brand, name, fold(name), jsonArg(numbers(key.address))})
	if err != nil {
		return 0, err
	}
	for _, n := range numbers(key.address) {
		if err := tx.addPhone(ctx, key.brand, n, id); err != nil {
			return 0, err
		}
	}
	return id, tx.later(ctx, `INSERT INTO addresses (brand, address, person, position) VALUES ($1, $2, $3, 0)`, key.brand, key.address, id)
}
