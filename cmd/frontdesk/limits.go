package main

import (
	"net/http"
	"reflect"
	"strings"

	"frontdesk/config"
	"frontdesk/phone"
	"frontdesk/throttle"
)

// newGate stands between the world and the pages and webhooks.
func (dm *daemon) newGate() *throttle.Gate {
	return throttle.NewGate(dm.public(), dm.kindOf, func() throttle.Limits {
		h := dm.cfg().HTTP
		return throttle.Limits{Trusted: h.Proxies(), Pages: h.RequestsPerMinute, Presses: h.PostsPerMinute, Forged: h.ForgedPerMinute}
	})
}

// kindOf says which limit a request is under. Who unsubscribes is no press: a
// provider's servers do it for thousands of people, once for each (RFC 8058).
func (dm *daemon) kindOf(r *http.Request) throttle.Kind {
	path := phone.PathOf(r.URL.EscapedPath(), dm.cfg().HTTP.PublicURL)
	switch {
	case strings.HasPrefix(path, "/twilio/"):
		return throttle.Signed
	case r.Method == http.MethodGet, r.Method == http.MethodHead, strings.HasPrefix(path, "/u/"):
		return throttle.Page
	}
	return throttle.Press
}

// sameListeners reports whether b can follow a without a new listener: the
// limits are asked for at each request.
func sameListeners(a, b config.HTTP) bool {
	for _, h := range []*config.HTTP{&a, &b} {
		h.TrustedProxies, h.AdminHosts, h.RequestsPerMinute, h.PostsPerMinute, h.ForgedPerMinute = nil, nil, 0, 0, 0
	}
	return reflect.DeepEqual(a, b)
}
