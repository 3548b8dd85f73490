package store_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"frontdesk/sla"
	"frontdesk/store"
	"frontdesk/store/storetest"
	"frontdesk/tickets"
)

// fill gives every field of a struct, at any depth, a value of its own.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("text%d", *n))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint8:
		v.SetUint(uint64(*n % 256))
	case reflect.Float64:
		v.SetFloat(float64(*n) / 4)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[json.RawMessage]() {
			v.SetBytes(fmt.Appendf(nil, "%d", *n))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, n)
		fill(value, n)
		v.SetMapIndex(key, value)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(noon.Add(time.Duration(*n) * time.Minute)))
			return
		}
		if v.Type() == reflect.TypeFor[sla.Date]() {
			v.Set(reflect.ValueOf(sla.Date{Year: 2000 + *n%100, Month: time.December, Day: 1 + *n%28}))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	default:
		panic("fill: " + v.Kind().String())
	}
}

// A field that somebody adds to a ticket, a message or a letter and that the
// store forgets fails here.
func TestEveryFieldIsStored(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		first := save(t, db, 0, newTicket("anna@customer.example", "printer", "a@x"))
		person := must(db.PersonByAddress(t.Context(), "acme", "anna@customer.example"))(t).ID

		n := 100
		var ticket tickets.Ticket
		fill(reflect.ValueOf(&ticket).Elem(), &n)
		ticket.Dead, ticket.Stopped, ticket.Profile = nil, nil, tickets.Profile{Name: "Anna", Address: "anna@customer.example"} // they are looked up
		ticket.ID, ticket.Brand, ticket.Channel, ticket.Status, ticket.Requester = 0, "acme", tickets.ChannelWeb, tickets.StatusHold, person
		for i := range ticket.Participants {
			ticket.Participants[i].Person, ticket.Participants[i].Role = person, tickets.PartyFollower
		}
		var m tickets.Message
		fill(reflect.ValueOf(&m).Elem(), &n)
		m.Direction, m.Channel, m.Author.Person = tickets.DirectionHeld, tickets.ChannelShell, person
		var l tickets.Letter
		fill(reflect.ValueOf(&l).Elem(), &n)
		l.Brand, l.Person, l.Carry = "acme", person, 1
		for i := range l.Data.Articles {
			l.Data.Articles[i].Body = "" // a letter shows title and link
		}

		c := tickets.Change{Brand: "acme", Tickets: []tickets.TicketChange{{Ticket: ticket, Messages: []tickets.Message{m}, Letters: []tickets.Letter{l}}}}
		c.Tickets[0].Letters[0].Ticket = 0
		saved := save(t, db, 0, c)
		ticket.ID = saved.Tickets[0]
		diff(t, "new ticket", must(db.Ticket(t.Context(), ticket.ID))(t), ticket)
		m.ID, m.Ticket, m.Seq = saved.Messages[0], ticket.ID, 1
		diff(t, "message", must(db.Message(t.Context(), m.ID))(t), m)
		l.ID, l.Ticket, l.Message, l.Carry = saved.Letters[0], ticket.ID, m.ID, 0
		got, _, _, err := db.LetterByID(t.Context(), l.ID)
		if err != nil {
			t.Fatal(err)
		}
		diff(t, "letter", got, l)

		// The update writes them all, too.
		ticket.ID = first.Tickets[0]
		save(t, db, 0, tickets.Change{Brand: "acme", Tickets: []tickets.TicketChange{{Ticket: ticket}}})
		diff(t, "updated ticket", must(db.Ticket(t.Context(), ticket.ID))(t), ticket)
	})
}

func TestBlock(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		save(t, db, 0, newTicket("anna@customer.example", "printer", "a@x"))
		anna := must(db.PersonByAddress(t.Context(), "acme", "anna@customer.example"))(t)
		save(t, db, 0, tickets.Change{Brand: "acme", Block: []int64{anna.ID}})
		if p := must(db.Person(t.Context(), anna.ID))(t); !p.Blocked {
			t.Error("not blocked")
		}
	})
}
