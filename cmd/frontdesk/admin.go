package main

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// admin serves /healthz (the process answers), /readyz (the database answers,
// the loops move, and there is room to take mail in) and /metrics, on a loopback
// address and to who asks for one.
func (dm *daemon) admin() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), dm.took, &figures{dm: dm})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		answerReady(w, r, dm.unready(r.Context()))
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !adminHost(r.Host, dm.cfg().HTTP.AdminHosts) {
			// RFC 9110 section 15.5.20.
			http.Error(w, "this is asked by a loopback address, or by a name in http.admin_hosts", http.StatusMisdirectedRequest)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// adminHost reports whether a Host field names the admin listener. The name of a
// page somebody visits may lead to 127.0.0.1, whoever owns it decides; the browser
// then lets that page read what the listener answers. HTTP/1.0 has no such field,
// and no browser speaks it.
func adminHost(host string, configured []string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().IsLoopback()
	}
	return host == "" || host == "localhost" ||
		slices.ContainsFunc(configured, func(name string) bool { return strings.EqualFold(strings.TrimSuffix(name, "."), host) })
}
