package nodes

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

func named(kind string, n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("%s%d", kind, i))
	}
	return names
}

func peersOf(nodes ...string) (peers []Peer) {
	for _, n := range nodes {
		peers = append(peers, Peer{Node: n})
	}
	return peers
}

// loads counts what each node gets.
func loads(should map[string]string) map[string]int {
	n := map[string]int{}
	for _, node := range should {
		n[node]++
	}
	return n
}

func TestSpreadIsEven(t *testing.T) {
	t.Parallel()
	for _, mailboxes := range []int{1, 2, 3, 7, 100} {
		for _, nodes := range []int{1, 2, 3, 5} {
			should := Spread(named(Mailbox, mailboxes), peersOf(named("n", nodes)...))
			if len(should) != mailboxes {
				t.Fatalf("%d of %d mailboxes have a node", len(should), mailboxes)
			}
			most := slices.Max(slices.Collect(maps.Values(loads(should))))
			if share := (mailboxes + nodes - 1) / nodes; most > share {
				t.Errorf("%d mailboxes, %d nodes: one has %d, want at most %d", mailboxes, nodes, most, share)
			}
		}
	}
}

// Kinds are spread each by itself: whoever has the brands has not all the
// mailboxes for it.
func TestSpreadOfEachKind(t *testing.T) {
	t.Parallel()
	should := Spread(append(named(Mailbox, 4), named(Brand, 4)...), peersOf("a", "b"))
	for _, kind := range []string{Mailbox, Brand} {
		n := 0
		for name, node := range should {
			if node == "a" && strings.HasPrefix(name, kind) {
				n++
			}
		}
		if n != 2 {
			t.Errorf("node a has %d of 4 %s", n, kind)
		}
	}
}

// Everybody who sees the same nodes comes to the same answer, whatever the order.
func TestSpreadIsTheSameForAll(t *testing.T) {
	t.Parallel()
	names, peers := named(Mailbox, 50), peersOf("a", "b", "c")
	want := Spread(names, peers)
	slices.Reverse(names)
	slices.Reverse(peers)
	if got := Spread(names, peers); !maps.Equal(got, want) {
		t.Errorf("%v and %v", got, want)
	}
}

func TestSpreadMovesFew(t *testing.T) {
	t.Parallel()
	names := named(Mailbox, 100)
	moved := func(before, after []Peer) (n int) {
		old := Spread(names, before)
		for name, node := range Spread(names, after) {
			if old[name] != node {
				n++
			}
		}
		return n
	}
	// A third has to move to the third node; a few more move for the balance.
	if n := moved(peersOf("a", "b"), peersOf("a", "b", "c")); n < 33 || n > 55 {
		t.Errorf("%d of 100 move when a third node comes", n)
	}
	if n := moved(peersOf("a", "b", "c"), peersOf("a", "b")); n < 33 || n > 55 {
		t.Errorf("%d of 100 move when one of three goes", n)
	}
}

func TestSpreadLeavesOutWhoCannot(t *testing.T) {
	t.Parallel()
	names := named(Mailbox, 10)
	a, b := Peer{Node: "a"}, Peer{Node: "b", Unable: names[:8]}
	should := Spread(names, []Peer{a, b})
	for _, name := range names[:8] {
		if should[name] != "a" {
			t.Errorf("%s for %s, which cannot read it", name, should[name])
		}
	}
	a.Unable = names // nobody can: it has a node all the same
	if should = Spread(names, []Peer{a, b}); len(should) != 10 {
		t.Errorf("%d of 10 have a node", len(should))
	}
	a.Leaving = true
	if n := loads(Spread(names, []Peer{a, b})); n["b"] != 10 {
		t.Errorf("beside one that is being stopped: %v", n)
	}
	b.Leaving = true
	if should = Spread(names, []Peer{a, b}); len(should) != 0 {
		t.Errorf("all are being stopped: %v", should)
	}
}
