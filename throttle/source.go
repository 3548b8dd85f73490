package throttle

import (
	"net/http"
	"net/netip"
	"strings"
)

// Source returns the address that a request comes from: the peer's, or where the
// peer is a proxy in trusted, the nearest address in X-Forwarded-For that is
// not one of them. What stands before it there, anybody may have written.
//
// The zero Addr says that only trusted proxies are known: the proxy tells no
// address, or the request is its own.
func Source(r *http.Request, trusted []netip.Prefix) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	if at := plain(peer.Addr()); !within(at, trusted) {
		return at
	}
	told := r.Header.Values("X-Forwarded-For")
	for i := len(told) - 1; i >= 0; i-- {
		for rest := told[i]; rest != ""; {
			at := strings.LastIndexByte(rest, ',')
			hop, ok := address(rest[at+1:])
			rest = rest[:max(at, 0)]
			switch {
			case !ok:
				return netip.Addr{} // what is nearer was a proxy, what is farther is hearsay
			case !within(hop, trusted):
				return hop
			}
		}
	}
	return netip.Addr{}
}

// address reads one element: an address, with a port as some proxies add it.
func address(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	if a, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return plain(a), true
	}
	a, err := netip.ParseAddrPort(text)
	return plain(a.Addr()), err == nil
}

// plain is an address by the one name that it is compared by.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

func within(a netip.Addr, all []netip.Prefix) bool {
	for _, p := range all {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
