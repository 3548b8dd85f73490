package nodes

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"frontdesk/store"
)

// Options of New.
type Options struct {
	DB *store.DB
	// Names are the leases this node could use; read each round.
	Names func() []string
	// Life is how long a lease outlives its last renewal, default 30 s: a node
	// that died is replaced after it.
	Life    time.Duration
	Version string // told to the other nodes
	Log     *slog.Logger
	Now     func() time.Time // this machine's clock; nil: time.Now
	// Changed is called when leases came or went, from the keeper's goroutine.
	Changed func()
	// Clock is told how far the database's clock is ahead of this machine's.
	Clock func(ahead time.Duration)
	// Alone says that there can be no other node: everything is held at once,
	// and no row is written.
	Alone bool
}

// Kinds of leases, as their names begin. What stands alone is a lease itself.
const (
	Mailbox   = "mailbox:" // mailbox:<address>/<folder>
	Brand     = "brand:"   // brand:<id>, its decisions
	Schedules = "schedules"
	presence  = "node:" // node:<name>, that the node lives
)

// Keeper keeps the leases of one node.
type Keeper struct {
	opt   Options
	every time.Duration
	kick  chan struct{}
	round sync.Mutex // one round at a time: Run's, or one at the end

	mu      sync.Mutex
	held    map[string]hold // with the node's own presence
	ending  map[string]bool // held still, and used no more: given back with the next round
	free    map[string]time.Time
	unable  map[string]bool
	foreign []string // leases of others that this node has no use for
	left    []string // kinds that this node is done with
	peers   int
	ahead   time.Duration
	renewed time.Time // the last round in which the database answered
	told    string    // what the presence says
	failing string
}

// hold is a lease in hand, until by the machine's clock: counted from before
// the database was asked, so that it ends here first.
type hold struct {
	fence store.Fence
	until time.Time
}

// New prepares a keeper; it starts nothing.
func New(opt Options) *Keeper {
	if opt.Life <= 0 {
		opt.Life = 30 * time.Second
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Changed == nil {
		opt.Changed = func() {}
	}
	if opt.Clock == nil {
		opt.Clock = func(time.Duration) {}
	}
	return &Keeper{
		opt: opt, every: max(opt.Life/15, 100*time.Millisecond), kick: make(chan struct{}, 1), renewed: time.Now(),
		held: map[string]hold{}, ending: map[string]bool{}, free: map[string]time.Time{}, unable: map[string]bool{},
	}
}

// Held returns the fence of a lease that this node holds now. Without other
// nodes it is the zero Fence.
func (k *Keeper) Held(name string) (store.Fence, bool) {
	if k.opt.Alone {
		return store.Fence{}, true
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	h, ok := k.held[name]
	if !ok || k.ending[name] || !time.Now().Before(h.until) {
		return store.Fence{}, false
	}
	return h.fence, true
}

// Holding lists the leases that this node holds now, by name.
func (k *Keeper) Holding() []store.Fence {
	k.mu.Lock()
	defer k.mu.Unlock()
	var out []store.Fence
	for _, name := range slices.Sorted(maps.Keys(k.held)) {
		if h := k.held[name]; time.Now().Before(h.until) && !k.ending[name] {
			out = append(out, h.fence)
		}
	}
	return out
}

// State is what an operator asks about this node.
type State struct {
	Alone bool
	Peers int           // nodes that live, with this one
	Ahead time.Duration // how far the database's clock is ahead of this machine's
	Quiet time.Duration // how long ago the database was reached
}

// State returns how the keeper is.
func (k *Keeper) State() State {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.opt.Alone {
		return State{Alone: true, Peers: 1}
	}
	return State{Peers: k.peers, Ahead: k.ahead, Quiet: time.Since(k.renewed)}
}

// Life is how long a lease outlives its last renewal.
func (k *Keeper) Life() time.Duration { return k.opt.Life }

// Unable says that this node cannot do the work of a lease: it is given to
// another node, if there is one, until Able.
func (k *Keeper) Unable(name string) { k.able(name, false) }

// Able takes Unable back.
func (k *Keeper) Able(name string) { k.able(name, true) }

func (k *Keeper) able(name string, is bool) {
	k.mu.Lock()
	changed := k.unable[name] == is
	if is {
		delete(k.unable, name)
	} else {
		k.unable[name] = true
	}
	k.mu.Unlock()
	if changed {
		k.Look()
	}
}

// Look makes the next round come at once: names have changed.
func (k *Keeper) Look() {
	select {
	case k.kick <- struct{}{}:
	default:
	}
}

// Run keeps the leases until ctx ends, and then gives all of them back. It
// returns nil: what goes wrong is logged and tried again.
func (k *Keeper) Run(ctx context.Context) error {
	if k.opt.Alone {
		k.opt.Changed()
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(k.every)
	defer tick.Stop()
	for {
		k.tell(ctx, k.Round(ctx))
		select {
		case <-ctx.Done():
			k.leave(ctx)
			return nil
		case <-k.kick:
		case <-tick.C:
		}
	}
}

// tell logs that rounds fail, and that they do no more, once each.
func (k *Keeper) tell(ctx context.Context, err error) {
	switch {
	case err == nil && k.failing != "":
		k.opt.Log.Info("leases kept again")
		k.failing = ""
	case err != nil && ctx.Err() == nil && k.failing == "":
		k.opt.Log.Error("leases not renewed", "err", err)
		k.failing = err.Error()
	}
}

// Round looks once at who lives and who has what, renews, takes and gives back.
func (k *Keeper) Round(ctx context.Context) error {
	k.round.Lock()
	defer k.round.Unlock()
	changed := k.expire()
	more, err := k.lookAround(ctx)
	if k.expire() || more || changed {
		k.opt.Changed()
	}
	return err
}

// expire drops what has run out by the machine's clock.
func (k *Keeper) expire() (changed bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for name, h := range k.held {
		if !time.Now().Before(h.until) {
			k.drop(name, "ran out before it was renewed")
			changed = true
		}
	}
	return changed
}

// drop forgets a lease. mu is held.
func (k *Keeper) drop(name, why string) {
	delete(k.held, name)
	delete(k.ending, name)
	k.opt.Log.Warn("lease lost", "lease", name, "reason", why)
}

// limit is how long one question to the database may take: a round that hangs
// must not outlast the lease.
func (k *Keeper) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, min(k.opt.Life/6, 5*time.Second))
}

func (k *Keeper) lookAround(ctx context.Context) (changed bool, err error) {
	rows, err := k.read(ctx)
	if err != nil {
		return false, err
	}
	k.meet(rows)
	if changed, err = k.renew(ctx); err != nil {
		return changed, err
	}
	if err := k.appear(ctx); err != nil {
		return changed, err
	}
	ended, err := k.end(ctx)
	if err != nil {
		return changed || ended, err
	}
	peers, err := k.living(ctx, rows)
	if err != nil {
		return changed || ended, err
	}
	took, err := k.place(ctx, rows, peers)
	return changed || ended || took, err
}

// read lists the leases, and compares the clocks by the way.
func (k *Keeper) read(ctx context.Context) ([]store.LeaseRow, error) {
	ctx, cancel := k.limit(ctx)
	defer cancel()
	began, now := time.Now(), k.opt.Now()
	rows, clock, err := k.opt.DB.Leases(ctx, now)
	if err != nil {
		return nil, err
	}
	took := time.Since(began)
	k.mu.Lock()
	k.renewed = time.Now()
	if took < time.Second {
		k.ahead = clock.Sub(now.Add(took / 2))
	}
	ahead := k.ahead
	k.mu.Unlock()
	k.opt.Clock(ahead)
	return rows, nil
}

// renew makes what is in hand last, when a third of its life is over.
func (k *Keeper) renew(ctx context.Context) (changed bool, err error) {
	began := time.Now()
	var fences []store.Fence
	k.mu.Lock()
	due := false
	for _, h := range k.held {
		fences = append(fences, h.fence)
		due = due || h.until.Sub(began) <= k.opt.Life*2/3
	}
	k.mu.Unlock()
	if !due {
		return false, nil
	}
	// One after the other in the same order on every node: they are rows that
	// are locked together.
	slices.SortFunc(fences, func(a, b store.Fence) int { return strings.Compare(a.Lease, b.Lease) })
	ctx, cancel := k.limit(ctx)
	defer cancel()
	kept, err := k.opt.DB.RenewLeases(ctx, fences, k.opt.Life, k.opt.Now())
	if err != nil {
		return false, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, f := range fences {
		if slices.Contains(kept, f) {
			k.held[f.Lease] = hold{f, began.Add(k.opt.Life)}
		} else {
			k.drop(f.Lease, "another node has it")
			changed = true
		}
	}
	return changed, nil
}

// word is what a node says of itself with its presence.
type word struct {
	Version string   `json:"version,omitempty"`
	Unable  []string `json:"unable,omitempty"`
	Leaving bool     `json:"leaving,omitempty"`
}

func (k *Keeper) word() word {
	k.mu.Lock()
	defer k.mu.Unlock()
	cannot := slices.Compact(slices.Sorted(slices.Values(slices.AppendSeq(slices.Clone(k.foreign), maps.Keys(k.unable)))))
	return word{k.opt.Version, cannot, len(k.left) > 0}
}

// meet notes which leases of other nodes this one has no name for: while a new
// configuration goes from node to node, they are not for it.
func (k *Keeper) meet(rows []store.LeaseRow) {
	names := k.opt.Names()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.foreign = nil
	for _, r := range rows {
		if strings.Contains(r.Name, ":") && !strings.HasPrefix(r.Name, presence) && !slices.Contains(names, r.Name) {
			k.foreign = append(k.foreign, r.Name)
		}
	}
}

func (k *Keeper) self() string { return presence + k.opt.DB.Node() }

// appear says that this node lives, and what it has to say.
func (k *Keeper) appear(ctx context.Context) error {
	data, err := json.Marshal(k.word())
	if err != nil {
		return err
	}
	k.mu.Lock()
	h, here := k.held[k.self()]
	same := k.told == string(data)
	k.mu.Unlock()
	switch {
	case !here:
		_, err = k.take(ctx, k.self(), string(data))
	case !same:
		ctx, cancel := k.limit(ctx)
		defer cancel()
		err = k.opt.DB.NoteLease(ctx, h.fence, string(data))
	}
	if err == nil {
		k.mu.Lock()
		k.told = string(data)
		k.mu.Unlock()
	}
	return err
}

func (k *Keeper) take(ctx context.Context, name, data string) (bool, error) {
	ctx, cancel := k.limit(ctx)
	defer cancel()
	began := time.Now()
	f, ok, err := k.opt.DB.TakeLease(ctx, name, data, k.opt.Life, k.opt.Now())
	if err != nil || !ok {
		return false, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.held[name] = hold{f, began.Add(k.opt.Life)}
	return true, nil
}

// end gives back what was put down a round ago: its loops have ended since, or
// are refused.
func (k *Keeper) end(ctx context.Context) (ended bool, err error) {
	k.mu.Lock()
	var fences []store.Fence
	for name := range k.ending {
		fences = append(fences, k.held[name].fence)
	}
	k.mu.Unlock()
	if len(fences) == 0 {
		return false, nil
	}
	ctx, cancel := k.limit(ctx)
	defer cancel()
	if err := k.opt.DB.EndLeases(ctx, fences); err != nil {
		return false, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, f := range fences {
		delete(k.held, f.Lease)
		delete(k.ending, f.Lease)
	}
	return true, nil
}

// Living reads from the leases which nodes live.
func Living(rows []store.LeaseRow) (peers []Peer) {
	for _, r := range rows {
		if node, ok := strings.CutPrefix(r.Name, presence); ok && r.Held {
			var w word
			_ = json.Unmarshal([]byte(r.Data), &w) // of another version: what it cannot say, it does not
			peers = append(peers, Peer{Node: node, Version: w.Version, Leaving: w.Leaving, Unable: w.Unable})
		}
	}
	return peers
}

// living is Living with this node as it is now; it buries the dead.
func (k *Keeper) living(ctx context.Context, rows []store.LeaseRow) ([]Peer, error) {
	own := k.word()
	peers := slices.DeleteFunc(Living(rows), func(p Peer) bool { return p.Node == k.opt.DB.Node() })
	peers = append(peers, Peer{Node: k.opt.DB.Node(), Version: own.Version, Leaving: own.Leaving, Unable: own.Unable})
	k.mu.Lock()
	k.peers = len(peers)
	k.mu.Unlock()
	for _, r := range rows {
		node, ok := strings.CutPrefix(r.Name, presence)
		if !ok || r.Held || node == k.opt.DB.Node() {
			continue
		}
		if err := k.bury(ctx, node); err != nil {
			return nil, err
		}
	}
	return peers, nil
}

func (k *Keeper) bury(ctx context.Context, node string) error {
	ctx, cancel := k.limit(ctx)
	defer cancel()
	letters, err := k.opt.DB.Bury(ctx, node, k.opt.Now())
	if err == nil {
		err = k.opt.DB.ForgetLease(ctx, presence+node, k.opt.Now())
	}
	if err == nil {
		k.opt.Log.Warn("node is gone", "node", node, "count", letters)
	}
	return err
}

// place takes what is this node's, and puts down what is another's.
func (k *Keeper) place(ctx context.Context, rows []store.LeaseRow, peers []Peer) (changed bool, err error) {
	now := map[string]store.LeaseRow{}
	for _, r := range rows {
		now[r.Name] = r
	}
	names := k.names()
	should := Spread(names, peers)
	changed = k.putDown(names, should)
	for _, name := range names {
		if !k.wants(name, should[name], now[name]) {
			continue
		}
		took, err := k.take(ctx, name, "")
		if err != nil {
			return changed, err
		}
		if took {
			k.opt.Log.Info("lease taken", "lease", name)
			changed = true
		}
	}
	return changed, nil
}

// names are the leases that this node could use, but for what it is done with.
func (k *Keeper) names() []string {
	all := k.opt.Names()
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(all), func(n string) bool {
		return slices.ContainsFunc(k.left, func(kind string) bool { return strings.HasPrefix(n, kind) })
	})
}

// putDown ends the use of leases that another node should have, or that nobody
// asks for any more.
func (k *Keeper) putDown(names []string, should map[string]string) (changed bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for name := range k.held {
		if name == k.self() || k.ending[name] {
			continue
		}
		if to, ok := should[name]; slices.Contains(names, name) && (!ok || to == k.opt.DB.Node()) {
			continue
		}
		k.ending[name] = true
		k.opt.Log.Info("lease given back", "lease", name)
		changed = true
	}
	return changed
}

// wants says whether this node takes a lease now: one that is its own, or one
// that was left lying for a whole life because its node does not take it.
func (k *Keeper) wants(name, should string, row store.LeaseRow) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, have := k.held[name]
	if have || row.Held && row.Node != k.opt.DB.Node() {
		delete(k.free, name)
		return false
	}
	if should == k.opt.DB.Node() {
		delete(k.free, name)
		return true
	}
	if k.free[name].IsZero() {
		k.free[name] = time.Now()
	}
	return len(k.left) == 0 && !k.unable[name] && time.Since(k.free[name]) > k.opt.Life
}

// Leave gives the leases of a kind back at once and takes none of it any more:
// this node is being stopped, and the loops that used them have ended.
func (k *Keeper) Leave(ctx context.Context, kind string) {
	if k.opt.Alone {
		return
	}
	k.round.Lock()
	defer k.round.Unlock()
	k.mu.Lock()
	k.left = append(k.left, kind)
	var fences []store.Fence
	for name, h := range k.held {
		if strings.HasPrefix(name, kind) && name != k.self() {
			fences = append(fences, h.fence)
			delete(k.held, name)
			delete(k.ending, name)
		}
	}
	k.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	err := k.opt.DB.EndLeases(ctx, fences)
	if err == nil {
		err = k.appear(ctx)
	}
	if err != nil {
		k.opt.Log.Warn("leases kept until they run out", "err", err)
	}
}

// leave gives back everything. Where the database does not answer, it runs out.
func (k *Keeper) leave(ctx context.Context) {
	k.Leave(ctx, "")
	k.mu.Lock()
	h, here := k.held[k.self()]
	delete(k.held, k.self())
	k.mu.Unlock()
	if !here {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	err := k.opt.DB.EndLeases(ctx, []store.Fence{h.fence})
	if err == nil {
		err = k.opt.DB.ForgetLease(ctx, k.self(), k.opt.Now())
	}
	if err != nil {
		k.opt.Log.Warn("leases kept until they run out", "err", err)
	}
}
