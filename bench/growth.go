package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"time"
)

// measureGrowth is what becomes of intake when a lot is stored: the rate at
// which new mails, and replies to stored messages, are stored and decided, and
// the most memory on the way. A desk goes on from round to round: a copy of a
// million messages would take longer than what is measured.
func measureGrowth(t *section) {
	n, sink := t.size(600, 5), newSink(t)
	var all []*grown
	for _, stored := range t.stocks(1000, 10_000, 100_000, 1_000_000) {
		g := &grown{stored: stored, queue: newQueue(t, fmt.Sprintf("grown%d", stored), nil)}
		g.desk = g.queue.desk(t, sink, deskConfig{})
		t.stocked(g.desk, stored)
		all = append(all, g)
	}
	first, last := all[1], all[len(all)-1]
	round := 0
	t.rounds(func(count bool) {
		round++
		for _, g := range all {
			fresh, replies := make([][]byte, n), make([][]byte, n)
			r := rand.New(rand.NewPCG(corpusSeed, uint64(g.stored+round)))
			for i := range n {
				fresh[i], replies[i] = mailOf(plainMail, round*n+i), replyTo(1+r.IntN(g.stored), round*n+i)
			}
			g.take(&g.fresh, fresh, count)
			g.take(&g.replies, replies, count)
		}
	})
	for _, g := range all {
		if got, want := tickets(t, g.desk.database()), g.stored+round*n; got != want {
			t.Fatalf("%d tickets of %d stored and %d new ones: a reply opened another", got, g.stored, round*n)
		}
	}
	for _, what := range []struct {
		name  string
		rates func(*grown) []float64
	}{{"new mails", func(g *grown) []float64 { return g.fresh }}, {"replies", func(g *grown) []float64 { return g.replies }}} {
		for _, g := range all {
			t.add(fmt.Sprintf("%s, %d messages stored", what.name, g.stored), "mails/s", what.rates(g))
		}
		var ratio []float64
		for i, rate := range what.rates(last) {
			ratio = append(ratio, rate/what.rates(first)[i])
		}
		t.add(fmt.Sprintf("… %d against %d", last.stored, first.stored), "×", ratio).atLeast(0.8, 0.95)
	}
	for _, g := range all {
		t.add(fmt.Sprintf("highest memory on the way, %d messages stored", g.stored), "MB resident", g.peak)
	}
}

// grown is a desk with much in it.
type grown struct {
	stored               int
	queue                queue
	desk                 *desk
	fresh, replies, peak []float64 // of the rounds
}

// take lets mails wait, starts the desk and measures until all are decided.
func (g *grown) take(rates *[]float64, mails [][]byte, count bool) {
	g.queue.rig.Fill(g.queue.user, mails)
	from := g.desk.logSize()
	_, ready := g.desk.start()
	decided := g.desk.decided(from, len(mails), 5*time.Minute)
	if peak := g.desk.memory("VmHWM"); count {
		*rates = append(*rates, float64(len(mails))/decided.Sub(ready).Seconds())
		g.peak = append(g.peak, peak)
	}
	g.desk.stop()
}

func crlf(raw []byte) []byte { return bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n")) }
