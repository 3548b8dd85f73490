package torture

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// toxic is a line to a server that can be made slow, deaf or broken while
// connections are open. What happens to a line is named as toxiproxy names it.
type toxic struct {
	t     testing.TB
	p     *toxiproxy.Proxy
	at    string
	names []string
	made  int
}

// newToxic makes a line to upstream ("127.0.0.1:143"); it ends with the test.
func newToxic(t testing.TB, upstream string) *toxic {
	t.Helper()
	quiet()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	x := &toxic{t: t, p: toxiproxy.NewProxy(server, t.Name(), "127.0.0.1:0", upstream)}
	x.heal()
	x.at = x.p.Listen // the proxy writes it anew whenever it starts
	t.Cleanup(x.p.Stop)
	return x
}

// quiet ends the notes that the proxy makes for itself.
var quiet = sync.OnceFunc(func() { zerolog.SetGlobalLevel(zerolog.Disabled) })

// addr is where clients connect to. It stays the same when the line is broken and healed.
func (x *toxic) addr() string { return x.at }

func (x *toxic) port() int {
	x.t.Helper()
	_, port, err := net.SplitHostPort(x.addr())
	if err != nil {
		x.t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		x.t.Fatal(err)
	}
	return n
}

// add puts a toxic ("limit_data", "downstream": from the server) on all
// connections, open ones too. attributes are JSON: `"bytes": 100`.
func (x *toxic) add(kind, stream, attributes string) {
	x.t.Helper()
	x.made++
	name := fmt.Sprintf("%s%d", kind, x.made)
	text := fmt.Sprintf(`{"name": %q, "type": %q, "stream": %q, "attributes": {%s}}`, name, kind, stream, attributes)
	if _, err := x.p.Toxics.AddToxicJson(strings.NewReader(text)); err != nil {
		x.t.Fatalf("toxic %s: %v", text, err)
	}
	x.names = append(x.names, name)
}

// drop takes the toxics of one kind away.
func (x *toxic) drop(kind string) {
	x.t.Helper()
	x.names = slices.DeleteFunc(x.names, func(name string) bool {
		if !strings.HasPrefix(name, kind) {
			return false
		}
		if err := x.p.Toxics.RemoveToxic(x.t.Context(), name); err != nil {
			x.t.Fatalf("take toxic %s away: %v", name, err)
		}
		return true
	})
}

// clear takes all toxics away. What was held back by some is lost, with its connection.
func (x *toxic) clear() { x.drop("") }

// sever ends all connections and refuses new ones, until heal.
func (x *toxic) sever() { x.p.Stop() }

func (x *toxic) heal() {
	x.t.Helper()
	if err := x.p.Start(); err != nil && !errors.Is(err, toxiproxy.ErrProxyAlreadyStarted) {
		x.t.Fatalf("line to %s: %v", x.p.Upstream, err)
	}
}
