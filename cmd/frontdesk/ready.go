package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// unready says why the desk should be sent nothing now, a line each: the database
// does not answer, a loop does not move, the disk is nearly full. The watchdog
// asks alive alone: a restart makes no room.
func (dm *daemon) unready(ctx context.Context) []string {
	var out []string
	if err := dm.alive(ctx); err != nil {
		for _, one := range leaves(err) {
			out = append(out, one.Error())
		}
	}
	if err := dm.room.full(); err != nil {
		out = append(out, "disk: "+err.Error())
	}
	return out
}

// answerReady answers /readyz in plain text, or in JSON to who accepts it.
func answerReady(w http.ResponseWriter, r *http.Request, why []string) {
	status := http.StatusOK
	if len(why) > 0 {
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "30")
	}
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(struct {
			Ready   bool     `json:"ready"`
			Reasons []string `json:"reasons"`
		}{len(why) == 0, append([]string{}, why...)})
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	if len(why) == 0 {
		why = []string{"ready"}
	}
	fmt.Fprintln(w, strings.Join(why, "\n"))
}
