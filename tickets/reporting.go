package tickets

import (
	"encoding/json"
	"slices"
	"time"
)

// ReportKeys are the schedules that send reports, and their periods.
var ReportKeys = map[string]ReportPeriod{"weekly_report": Weekly, "monthly_report": Monthly}

// Reports writes the letters of a report of a brand, one for each reader: those
// that the schedule names, or the brand's managers where it names none. Who is
// an agent of other brands only gets none. at is the occurrence: each happens
// once for each reader.
func Reports(f Figures, s Schedule, brand string, rules Rules, at time.Time) (Change, error) {
	b := rules.Brands[brand]
	c := Change{Brand: brand}
	for _, a := range rules.readers(s, brand) {
		figures, err := json.Marshal(rules.shownTo(f, a))
		if err != nil {
			return Change{}, err
		}
		key := s.Key + ":" + brand + ":" + at.UTC().Format(time.RFC3339) + ":" + a.Address
		c.Letters = append(c.Letters, looseLetter(a, b, "", LetterReport, key, LetterData{Figures: figures}))
	}
	return c, nil
}

// readers are who gets a report, in order, each once.
func (r Rules) readers(s Schedule, brand string) (list []Agent) {
	add := func(a Agent) {
		if !slices.ContainsFunc(list, func(b Agent) bool { return b.Address == a.Address }) {
			list = append(list, a)
		}
	}
	for _, to := range s.To {
		a, known := r.Agent(to)
		switch {
		case !known: // somebody outside of the team, whom the operator named
			add(Agent{Address: NormalAddress(to), Role: RoleManager})
		case a.WorksFor(brand):
			add(a)
		}
	}
	if len(s.To) > 0 {
		return list
	}
	for _, address := range sortedKeys(r.Agents) {
		if a := r.Agents[address]; a.Role == RoleManager && a.WorksFor(brand) {
			add(a)
		}
	}
	return list
}

// shownTo takes out of figures what the role of their reader may not see.
func (r Rules) shownTo(f Figures, reader Agent) Figures {
	f.Again = slices.Clone(f.Again)
	if slices.Contains(r.Roles[reader.Role].Hidden, "email") {
		for i := range f.Again {
			if m := &f.Again[i]; m.Requester != "" {
				m.Requester = ""
			}
		}
	}
	return f
}
