package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"frontdesk/tickets"
)

const (
	maxMatters    = 10_000 // newest tickets that are compared
	maxMatterWord = 8      // words of a subject that count
	cameBack      = 2      // tickets of one customer about a matter
	cameFrom      = 3      // customers with the same matter
)

// Recurring is a matter that came up more than once.
type Recurring struct {
	Requester string  // address, "" across customers
	Words     string  // what all subjects have in common, sorted
	Product   string  // of all of them, "" when they differ
	Category  string  // of all of them, "" when they differ
	Customers int     // how many different ones
	Tickets   []int64 // oldest first
	Last      time.Time
}

// Recurring returns the matters of a brand that came up again among the tickets
// opened since a time, those with the most tickets first, at most n: of one
// customer (two tickets about the same), and across customers (three of them).
// The same is a product with its category, or two words of the subject, or the
// only one it has. A ticket is in one matter of its customer and in one across
// customers. At most the newest 10,000 tickets are compared.
func (db *DB) Recurring(ctx context.Context, brand string, since time.Time, n int) ([]Recurring, error) {
	return db.recurring(ctx, brand, since, forever, n)
}

// forever is behind all that was opened.
var forever = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// recurring is Recurring among the tickets opened before a time.
func (db *DB) recurring(ctx context.Context, brand string, since, until time.Time, n int) ([]Recurring, error) {
	var list []*matter
	// Served by tickets_opened, backwards; who it is by the primary keys.
	err := db.read.each(ctx, `
		SELECT
			t.id,
			t.requester,
			COALESCE((SELECT p.address FROM participants p WHERE p.ticket = t.id AND p.role = 'requester' ORDER BY p.position LIMIT 1), ''),
			t.subject_core,
			t.category,
			t.facts,
			t.opened
		FROM tickets t
		WHERE t.brand = $1 AND t.opened >= $2 AND t.opened < $3 AND t.status NOT IN ('merged', 'spam')
		ORDER BY t.opened DESC, t.brand DESC, t.id DESC LIMIT $4`, []any{brand, ms(since), ms(until), int64(maxMatters)},
		func(scan func(...any) error) error {
			m := new(matter)
			var subject string
			var facts map[string]string
			err := scan(&m.ticket, &m.person, &m.requester, &subject, &m.category, jsonDest{&facts}, timeDest{&m.opened})
			m.product, m.words = facts["product"], matterWords(subject)
			list = append(list, m)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("look for recurring matters of brand %q: %w", brand, err)
	}
	slices.Reverse(list)
	found := slices.Concat(ofCustomers(list), acrossCustomers(list))
	slices.SortStableFunc(found, func(a, b Recurring) int {
		return cmp.Or(cmp.Compare(len(b.Tickets), len(a.Tickets)), b.Last.Compare(a.Last), cmp.Compare(a.Tickets[0], b.Tickets[0]))
	})
	return found[:min(n, len(found))], nil
}

// matter is a ticket as far as it is compared.
type matter struct {
	ticket    int64
	person    int64
	requester string
	words     []string // sorted, each once
	product   string
	category  string
	opened    time.Time
}

// matterKey is what two tickets have in common.
type matterKey struct{ product, category, words string }

// keys returns what another ticket may have in common with this one; shared
// tells words that another ticket has.
func (m *matter) keys(shared func(word string) bool) (list []matterKey) {
	if product := fold(strings.TrimSpace(m.product)); product != "" {
		list = append(list, matterKey{product: product, category: m.category})
	}
	for i, a := range m.words {
		for _, b := range m.words[i+1:] {
			if shared(a) && shared(b) {
				list = append(list, matterKey{words: a + " " + b})
			}
		}
	}
	if len(m.words) == 1 {
		list = append(list, matterKey{words: m.words[0]})
	}
	return list
}

// ofCustomers returns what came back of each customer.
func ofCustomers(list []*matter) (found []Recurring) {
	byPerson := make(map[int64][]*matter)
	for _, m := range list {
		if m.person != 0 {
			byPerson[m.person] = append(byPerson[m.person], m)
		}
	}
	for _, person := range slices.Sorted(maps.Keys(byPerson)) {
		for _, same := range groups(byPerson[person], func(list []*matter) int { return len(list) }, cameBack) {
			r := recurring(same)
			r.Requester = tickets.NormalAddress(same[len(same)-1].requester)
			found = append(found, r)
		}
	}
	return found
}

// acrossCustomers returns what several customers have.
func acrossCustomers(list []*matter) (found []Recurring) {
	for _, same := range groups(list, customers, cameFrom) {
		found = append(found, recurring(same))
	}
	return found
}

func customers(list []*matter) int {
	who := make(map[int64]bool)
	for _, m := range list {
		who[m.person] = true
	}
	return len(who)
}

// group is tickets that have something in common.
type group struct {
	key  matterKey
	list []*matter
	size int
}

// groups puts together what has something in common: the largest group first,
// then of the others what is left of them, as long as size is at least least.
func groups(list []*matter, size func([]*matter) int, least int) (found [][]*matter) {
	waiting := candidates(list, size, least)
	taken := make(map[int64]bool)
	for len(waiting) > 0 {
		g := waiting[0]
		waiting = waiting[1:]
		g.list = slices.DeleteFunc(g.list, func(m *matter) bool { return taken[m.ticket] })
		before := g.size
		switch g.size = size(g.list); {
		case g.size < least:
		case g.size < before: // a larger one took of it: its turn comes later
			i, _ := slices.BinarySearchFunc(waiting, g, (*group).compare)
			waiting = slices.Insert(waiting, i, g)
		default:
			for _, m := range g.list {
				taken[m.ticket] = true
			}
			found = append(found, g.list)
		}
	}
	return found
}

// candidates returns everything that at least so many have in common, the
// largest first. Words that only one ticket has are not tried with others.
func candidates(list []*matter, size func([]*matter) int, least int) (all []*group) {
	seen := make(map[string]int)
	for _, m := range list {
		for _, w := range m.words {
			seen[w]++
		}
	}
	byKey := make(map[matterKey][]*matter)
	for _, m := range list {
		for _, k := range m.keys(func(word string) bool { return seen[word] > 1 }) {
			byKey[k] = append(byKey[k], m)
		}
	}
	for k, list := range byKey {
		if n := size(list); n >= least {
			all = append(all, &group{k, list, n})
		}
	}
	slices.SortFunc(all, (*group).compare)
	return all
}

// compare puts the larger group first, and one with a product before one with
// words in common.
func (g *group) compare(h *group) int {
	return cmp.Or(cmp.Compare(h.size, g.size), cmp.Compare(h.key.product, g.key.product), cmp.Compare(g.key.category, h.key.category), cmp.Compare(g.key.words, h.key.words))
}

// recurring says what the tickets of a group have in common.
func recurring(list []*matter) Recurring {
	last := list[len(list)-1]
	r := Recurring{Product: last.product, Category: last.category, Customers: customers(list), Last: last.opened}
	common := slices.Clone(last.words)
	for _, m := range list {
		r.Tickets = append(r.Tickets, m.ticket)
		if fold(m.product) != fold(r.Product) {
			r.Product = ""
		}
		if m.category != r.Category {
			r.Category = ""
		}
		common = slices.DeleteFunc(common, func(w string) bool { return !slices.Contains(m.words, w) })
	}
	r.Words = strings.Join(common, " ")
	return r
}

// matterWords are the words of a subject that say what it is about, sorted. Of
// a script without spaces each two letters that follow each other are one.
func matterWords(subject string) (list []string) {
	before := ""
	for _, w := range words(subject) {
		r, n := utf8.DecodeRuneInString(w)
		if unicode.In(r, unspaced...) && n == len(w) {
			before, w = w, before+w
		} else {
			before = ""
		}
		if utf8.RuneCountInString(w) < 2 || len(w) < 3 || strings.Trim(w, "0123456789") == "" || idle[w] || slices.Contains(list, w) {
			continue
		}
		if list = append(list, w); len(list) == maxMatterWord {
			break
		}
	}
	slices.Sort(list)
	return list
}

// idle are words of subjects that do not say what they are about.
var idle = wordSet(`
	about after again all and any are but can cannot could does for from get got has have help hello how into its issue issues
	just more need not now our please possible problem problems question questions regarding request still support thank
	thanks that the this ticket urgent was what when where who why will with you your
	aber alle als anfrage auf aus bei bitte brauche das dass dem den der des die dringend ein eine einen einer es frage fragen
	für habe haben hallo hilfe ich ihr ihre immer ist kann kein keine mehr mein meine meinem meinen meiner mit nach nicht noch
	nur oder probleme schon sehr sich sie sind und uns unser unsere vom von war warum was wie wieder wir wird zu zum zur`)

func wordSet(list string) map[string]bool {
	set := make(map[string]bool)
	for _, w := range words(list) {
		set[w] = true
	}
	return set
}
