package nodes

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
)

// Peer is a node that lives.
type Peer struct {
	Node    string
	Version string
	Leaving bool     // it is being stopped, and wants no more
	Unable  []string // leases that it gave away because it cannot do the work
}

// Spread says which node should have each lease: as many of a kind as the
// others have, or one more. Every node that sees the same peers comes to the
// same answer, and few leases move when a node comes or goes (rendezvous
// hashing, with a bound on what one node gets). The kind of a lease is what
// stands before its colon.
func Spread(names []string, peers []Peer) map[string]string {
	peers = slices.DeleteFunc(slices.Clone(peers), func(p Peer) bool { return p.Leaving })
	out := map[string]string{}
	if len(peers) == 0 {
		return out
	}
	total, load := map[string]int{}, map[[2]string]int{}
	for _, n := range names {
		total[kind(n)]++
	}
	// Those that few can have come first, or the others would fill who can.
	able := func(name string) (n int) {
		for _, p := range peers {
			if !p.unable(name) {
				n++
			}
		}
		return n
	}
	names = slices.Clone(names)
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(able(a), able(b)), strings.Compare(a, b))
	})
	for _, name := range names {
		k := kind(name)
		share := (total[k] + len(peers) - 1) / len(peers)
		of := func(p Peer) int { return load[[2]string{k, p.Node}] }
		best := slices.MinFunc(peers, func(a, b Peer) int {
			over := cmp.Compare(max(of(a), share-1), max(of(b), share-1)) // below the share all are alike
			return cmp.Or(order(a.unable(name), b.unable(name)), over, cmp.Compare(score(name, b.Node), score(name, a.Node)))
		})
		out[name] = best.Node
		load[[2]string{k, best.Node}]++
	}
	return out
}

func (p Peer) unable(name string) bool { return slices.Contains(p.Unable, name) }

// order puts false before true.
func order(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func kind(name string) string {
	k, _, _ := strings.Cut(name, ":")
	return k
}

// score is how much a node is the one for a name.
func score(name, node string) uint64 {
	sum := sha256.Sum256([]byte(name + "\x00" + node))
	return binary.BigEndian.Uint64(sum[:8])
}
