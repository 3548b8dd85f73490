package twiliosim

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// control is the Sim's own interface below /sim/: POST call, text, number,
// callee, fault, lose, advance, wait, reset; GET events, outbox, calls. It is for
// people and other processes, and only ever on loopback.
func (s *Sim) control(w http.ResponseWriter, r *http.Request) {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, 16<<20))
	res, err := s.command(strings.TrimPrefix(r.URL.Path, "/sim/"), dec)
	switch {
	case err != nil:
		out(w, 400, map[string]string{"error": err.Error()})
	case res == nil:
		http.NotFound(w, r)
	default:
		out(w, 200, res)
	}
}

var done = map[string]bool{"ok": true}

func (s *Sim) command(name string, dec *json.Decoder) (any, error) {
	switch name {
	case "call":
		return with(dec, func(in Inbound) (any, error) { return s.Dial(in) })
	case "text":
		return with(dec, func(t Text) (any, error) {
			sid, err := s.Text(t)
			return map[string]string{"sid": sid}, err
		})
	case "number":
		return with(dec, func(n Number) (any, error) { s.AddNumber(n); return done, nil })
	case "callee":
		return with(dec, func(c struct {
			Number string
			Callee
		}) (any, error) {
			s.SetCallee(c.Number, c.Callee)
			return done, nil
		})
	case "fault":
		return with(dec, func(f Fault) (any, error) { s.AddFault(f); return done, nil })
	case "lose":
		return with(dec, func(l struct {
			Name string
			N    int
		}) (any, error) {
			s.Lose(l.Name, l.N)
			return done, nil
		})
	case "advance":
		return with(dec, func(d struct{ Seconds int }) (any, error) {
			s.Advance(time.Duration(d.Seconds) * time.Second)
			return done, nil
		})
	case "reset":
		s.Reset()
		return done, nil
	case "events":
		return s.Events(), nil
	case "wait":
		s.Wait()
		return done, nil
	case "outbox":
		s.Wait()
		return s.Outbox(), nil
	case "calls":
		s.Wait()
		return s.Calls(), nil
	}
	return nil, nil
}

func with[T any](dec *json.Decoder, do func(T) (any, error)) (any, error) {
	var v T
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	return do(v)
}
