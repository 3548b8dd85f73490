package nodes

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"frontdesk/store"
	"frontdesk/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// house is some nodes on one database, in a bubble: their rounds are made one
// after the other, and time passes between them.
type house struct {
	t     *testing.T
	path  string
	names []string
	nodes []*Keeper
	off   map[*Keeper]bool // frozen, or cut off
}

func newHouse(t *testing.T, names ...string) *house {
	return &house{t: t, path: filepath.Join(t.TempDir(), "desk.db"), names: names, off: map[*Keeper]bool{}}
}

// join starts a node.
func (h *house) join(name string) *Keeper {
	h.t.Helper()
	db, err := store.Open(h.t.Context(), store.Options{Database: h.path, Fast: true, Node: name})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = db.Close() })
	k := New(Options{DB: db, Names: func() []string { return h.names }, Version: "v1"})
	h.nodes = append(h.nodes, k)
	return k
}

// pass lets time go by, with a round of each node every two seconds.
func (h *house) pass(d time.Duration) {
	h.t.Helper()
	for end := time.Now().Add(d); ; time.Sleep(2 * time.Second) {
		for _, k := range h.nodes {
			if h.off[k] {
				continue
			}
			if err := k.Round(h.t.Context()); err != nil {
				h.t.Fatal(err)
			}
		}
		h.alone()
		if !time.Now().Before(end) {
			return
		}
	}
}

// alone holds at every moment: no lease has two holders.
func (h *house) alone() {
	h.t.Helper()
	for _, name := range h.names {
		var has []string
		for _, k := range h.nodes {
			if _, ok := k.Held(name); ok {
				has = append(has, k.opt.DB.Node())
			}
		}
		if len(has) > 1 {
			h.t.Fatalf("%s is held by %v", name, has)
		}
	}
}

// has lists what a node holds of the names.
func (h *house) has(k *Keeper) (list []string) {
	for _, f := range k.Holding() {
		if !strings.HasPrefix(f.Lease, presence) {
			list = append(list, f.Lease)
		}
	}
	return list
}

func (h *house) want(k *Keeper, n int) {
	h.t.Helper()
	if got := h.has(k); len(got) != n {
		h.t.Errorf("node %s has %v, want %d", k.opt.DB.Node(), got, n)
	}
}

func bubble(t *testing.T, f func(t *testing.T)) {
	t.Parallel()
	synctest.Test(t, f)
}

// Nodes come and go; the leases are spread evenly each time.
func TestNodesComeAndGo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHouse(t, named(Mailbox, 6)...)
		a := h.join("a")
		h.pass(0)
		h.want(a, 6)
		b := h.join("b")
		h.pass(10 * time.Second)
		h.want(a, 3)
		h.want(b, 3)
		c := h.join("c")
		h.pass(10 * time.Second)
		h.want(a, 2)
		h.want(b, 2)
		h.want(c, 2)
		b.leave(t.Context())
		h.off[b] = true
		h.pass(4 * time.Second)
		h.want(a, 3)
		h.want(c, 3)
		if rows, _, err := a.opt.DB.Leases(t.Context(), time.Now()); err != nil || len(Living(rows)) != 2 {
			t.Errorf("living: %+v, %v", Living(rows), err)
		}
	})
}

// A node that is killed is replaced within a lease's life, and not before.
func TestKilledNodeIsReplaced(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHouse(t, named(Mailbox, 4)...)
		a, b := h.join("a"), h.join("b")
		h.pass(10 * time.Second)
		h.want(a, 2)
		h.off[a] = true
		h.pass(15 * time.Second)
		h.want(b, 2) // a may be only slow
		h.pass(20 * time.Second)
		h.want(b, 4)
		h.want(a, 0) // by its own clock, without a word from the database
	})
}

// A node that was frozen past its lease finds that it holds nothing, and what
// it gets afterwards has a higher epoch.
func TestFrozenNodeStartsAnew(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHouse(t, named(Mailbox, 4)...)
		a, b := h.join("a"), h.join("b")
		h.pass(10 * time.Second)
		old := a.Holding()
		h.off[a] = true
		h.pass(time.Minute)
		h.want(b, 4)
		if got := h.has(a); len(got) != 0 {
			t.Errorf("after its lease it still has %v", got)
		}
		h.off[a] = false
		h.pass(10 * time.Second)
		h.want(a, 2)
		h.want(b, 2)
		for _, f := range a.Holding() {
			if strings.HasPrefix(f.Lease, presence) {
				continue // nothing is written in its name
			}
			if i := slices.IndexFunc(old, func(o store.Fence) bool { return o.Lease == f.Lease }); i >= 0 && f.Epoch <= old[i].Epoch {
				t.Errorf("%s has epoch %d again", f.Lease, f.Epoch)
			}
		}
	})
}

// Nothing moves while nothing happens, and a lease is renewed at a third of its
// life, not at each look.
func TestSteadyNodesWriteSeldom(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHouse(t, named(Mailbox, 3)...)
		a := h.join("a")
		h.pass(4 * time.Second)
		before, writes := a.Holding(), 0
		var until time.Time
		for range 60 {
			h.pass(0)
			time.Sleep(time.Second)
			rows, _, err := a.opt.DB.Leases(t.Context(), time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if !rows[0].Until.Equal(until) {
				writes, until = writes+1, rows[0].Until
			}
		}
		if writes < 5 || writes > 8 {
			t.Errorf("%d renewals in a minute of a lease of 30 s, want one each 10 s", writes)
		}
		if !slices.Equal(a.Holding(), before) {
			t.Errorf("%v became %v", before, a.Holding())
		}
	})
}

// What a node cannot do goes to another, and comes back when it can.
func TestUnableNodeGivesAway(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHouse(t, named(Mailbox, 4)...)
		a, b := h.join("a"), h.join("b")
		h.pass(10 * time.Second)
		for _, name := range h.has(a) {
			a.Unable(name)
		}
		h.pass(10 * time.Second)
		h.want(a, 0+2) // the fair share, of those it can
		for _, name := range h.has(a) {
			if a.unable[name] {
				t.Errorf("a has %s, which it gave away", name)
			}
		}
		for name := range a.unable {
			a.Able(name)
		}
		h.pass(10 * time.Second)
		h.want(a, 2)
		h.want(b, 2)
	})
}

// A lease whose node does not take it (its configuration knows nothing of it)
// is not left lying.
func TestLeaseThatIsLeftLying(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHouse(t, named(Mailbox, 6)...)
		a, b := h.join("a"), h.join("b")
		a.opt.Names = func() []string { return nil } // not reloaded yet
		h.pass(10 * time.Second)
		h.want(b, 3)
		h.pass(80 * time.Second)
		h.want(a, 0)
		h.want(b, 6)
	})
}

// At its end a node gives back kind by kind, as its loops end; the others take
// over at once.
func TestLeavingKindByKind(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHouse(t, append(named(Mailbox, 4), named(Brand, 4)...)...)
		a, b := h.join("a"), h.join("b")
		h.pass(10 * time.Second)
		a.Leave(t.Context(), Mailbox)
		if err := b.Round(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.alone()
		if got := h.has(b); len(got) != 4+2 {
			t.Errorf("right after a has left its mailboxes, b has %v", got)
		}
		a.leave(t.Context())
		if err := b.Round(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.want(b, 8)
	})
}

// The one node of a desk on SQLite holds everything and writes nothing.
func TestAlone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := newHouse(t, named(Mailbox, 4)...)
		a := h.join("a")
		a.opt.Alone = true
		if f, ok := a.Held(h.names[0]); !ok || f != (store.Fence{}) {
			t.Errorf("held: %v %v", f, ok)
		}
		a.Unable(h.names[0])
		a.Leave(t.Context(), Mailbox)
		if rows, _, err := a.opt.DB.Leases(t.Context(), time.Now()); err != nil || len(rows) != 0 {
			t.Errorf("leases: %v, %v", rows, err)
		}
	})
}

// On a real PostgreSQL two keepers run against each other: each lease has one
// holder, and the one that goes is replaced at once.
func TestKeepersOnPostgres(t *testing.T) {
	t.Parallel()
	url := storetest.Postgres(t)
	names := named(Mailbox, 8)
	start := func(node string, ahead time.Duration) (*Keeper, chan struct{}, func()) {
		db, err := store.Open(t.Context(), store.Options{Database: url, Node: node})
		if err != nil {
			t.Fatal(err)
		}
		changed := make(chan struct{}, 1)
		k := New(Options{DB: db, Names: func() []string { return names }, Life: 3 * time.Second,
			// A clock that is wrong means nothing here.
			Now: func() time.Time { return time.Now().Add(ahead) },
			Changed: func() {
				select {
				case changed <- struct{}{}:
				default:
				}
			}})
		done := make(chan struct{})
		ctx, cancel := context.WithCancel(context.Background())
		go func() { defer close(done); _ = k.Run(ctx) }()
		stop := func() { cancel(); <-done; _ = db.Close() }
		t.Cleanup(stop)
		return k, changed, stop
	}
	until := func(k *Keeper, changed chan struct{}, n int) {
		t.Helper()
		limit := time.After(20 * time.Second)
		for len(k.Holding()) != n+1 { // with its presence
			select {
			case <-changed:
			case <-limit:
				t.Fatalf("%s holds %v, want %d", k.opt.DB.Node(), k.Holding(), n)
			}
		}
	}
	a, aChanged, stopA := start("a", 0)
	until(a, aChanged, 8)
	b, bChanged, _ := start("b", 5*time.Minute)
	until(b, bChanged, 4)
	for _, f := range b.Holding() {
		if _, ok := a.Held(f.Lease); ok {
			t.Errorf("both hold %s", f.Lease)
		}
	}
	began := time.Now()
	stopA()
	until(b, bChanged, 8)
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("taken over after %s, although it was given back", took)
	}
}
