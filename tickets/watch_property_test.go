package tickets

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestPromisesAreToldOnce lives through random histories: mails of the customer
// and of agents with commands, looks that come in time, late by hours or after
// the clock was set back, each followed by a second one. Whatever happens,
// nothing is told twice, each event of the log is unique for its promise, a
// ticket that was looked at wants no look before it is due, and a customer gets
// no news about a ticket that is resolved, closed, spam or paused.
func TestPromisesAreToldOnce(t *testing.T) {
	t.Parallel()
	berlin := mustZone(t, "Europe/Berlin")
	base := promising(t, berlin)
	rapid.Check(t, func(rt *rapid.T) {
		now := time.Date(2026, 3, 27, 12, 0, 0, 0, berlin).Add(time.Duration(rapid.IntRange(0, 60*72).Draw(rt, "start")) * time.Minute)
		d := openPromiser(rt, base, now)
		d.open(rapid.SampledFrom(base.Order).Draw(rt, "severity"))
		for n := rapid.IntRange(1, 14).Draw(rt, "acts"); n > 0; n-- {
			act(rt, d)
			check(rt, d)
		}
		d.until(d.now.Add(3 * 24 * time.Hour))
		check(rt, d)
	})
}

// act does one thing that may happen to a ticket.
func act(rt *rapid.T, d *promiser) {
	by := rapid.SampledFrom([]Agent{asha, eva, chandra}).Draw(rt, "agent")
	write := func(commands []string, text string) {
		d.now = d.now.Add(time.Second)
		d.agent(by, commands, text)
	}
	switch rapid.SampledFrom([]string{"wait", "late", "back", "customer", "answer", "close", "pending", "hold", "reopen", "severity", "matrix", "escalate", "ack", "take", "update", "note", "spam"}).Draw(rt, "act") {
	case "wait":
		d.until(d.now.Add(time.Duration(rapid.IntRange(1, 60*30).Draw(rt, "minutes")) * time.Minute))
	case "late":
		d.now = d.now.Add(time.Duration(rapid.IntRange(1, 60*24*6).Draw(rt, "minutes")) * time.Minute)
		d.look()
	case "back":
		d.now = d.now.Add(-2 * time.Hour)
		d.look()
	case "customer":
		d.now = d.now.Add(time.Second)
		n := byte(len(d.found.History))
		d.receive(mail(func(in *Inbound) {
			in.Content, in.MessageID = [32]byte{7, n}, fmt.Sprintf("m%d@example.org", n)
			in.Reply = rapid.SampledFrom([]string{"Any news?", "Thanks, solved!", "Still broken."}).Draw(rt, "words")
			d.cites(in)
		}))
	case "answer":
		write(nil, "Please try again.")
	case "close":
		write([]string{"#close"}, "It is repaired.")
	case "pending":
		write([]string{"#pending"}, "Which model is it?")
	case "hold":
		write([]string{"#hold"}, "")
	case "reopen":
		write([]string{"#reopen"}, "")
	case "severity":
		write([]string{"#severity " + rapid.SampledFrom(d.rules.Order).Draw(rt, "to")}, "")
	case "matrix":
		write([]string{"#category " + rapid.SampledFrom([]string{"technical", "billing"}).Draw(rt, "category")}, "")
	case "escalate":
		write([]string{"#escalate because"}, "")
	case "ack":
		write([]string{"#ack"}, "")
	case "take":
		write([]string{"#take"}, "")
	case "update":
		write([]string{"#update"}, "A part is ordered.")
	case "note":
		write([]string{"#note"}, "Odd.")
	case "spam":
		write([]string{"#spam"}, "")
	}
}

// check holds what was saved against the promises of Watch. The harness itself
// fails on a letter's key that is used twice and on a look that leaves work.
func check(rt *rapid.T, d *promiser) {
	news := map[LetterKind]bool{LetterUpdate: true, LetterDelay: true, LetterEscalated: true}
	for _, s := range d.saved {
		for _, l := range s.letters {
			if news[l.Kind] && s.cause && !s.before.working() {
				rt.Fatalf("%s to the customer of a ticket that was %s", l.Kind, s.before)
			}
			if l.Kind == LetterUpdate && s.before == StatusPending {
				rt.Fatalf("an update while the customer is to answer")
			}
		}
	}
	d.saved = d.saved[:0]
	seen := map[string]bool{}
	for _, e := range d.logged {
		if e.What != "warned" && e.What != "breached" {
			continue
		}
		if line := e.What + " " + e.Detail; seen[line] {
			rt.Fatalf("%q twice in the log", line)
		} else {
			seen[line] = true
		}
	}
	told := d.ticket().Promises.Told
	for i, k := range told {
		for _, other := range told[i+1:] {
			if k == other {
				rt.Fatalf("%q is noted twice", k)
			}
		}
	}
	if n := len(told); n > 60 {
		rt.Fatalf("%d notes of what was told: %s", n, strings.Join(told, "\n"))
	}
	for i, log := 1, d.found.Log[d.id]; i < len(log); i++ {
		if log[i].At.Before(log[i-1].At) {
			rt.Fatalf("the log goes back at %d: %v", i, log)
		}
	}
}
