package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"frontdesk/tickets"
)

// SurveyQuery asks for the answers of a time.
type SurveyQuery struct {
	From, To                time.Time // answered at or after From and before To
	Brand, Agent, Category  string    // "" all
	ByAgent, ByCat, ByBrand bool      // one line for each; at most one of them
}

// SurveyTally is what customers answered to one kind of survey.
type SurveyTally struct {
	Group string // agent, category or brand, "" all together
	Kind  tickets.SurveyKind
	N     int // answers
	Asked int // surveys sent in the same time, whether answered or not
	Mean  float64
	// Good and Bad are shares of N, 0 to 1: of csat 4 and 5 against 1 and 2, of ces
	// 5 to 7 against 1 to 3, of nps 9 and 10 (promoters) against 0 to 6 (detractors).
	Good, Bad float64
	Scores    map[int]int // how often each was given
}

// NPS is the net promoter score, -100 to 100: promoters less detractors.
func (t SurveyTally) NPS() float64 { return 100 * (t.Good - t.Bad) }

// SurveyTallies counts answers, by group and kind. A group without answers to a
// kind that was asked has a line with N 0.
func (db *DB) SurveyTallies(ctx context.Context, q SurveyQuery) ([]SurveyTally, error) {
	group := `''`
	switch {
	case q.ByAgent:
		group = `agent`
	case q.ByCat:
		group = `category`
	case q.ByBrand:
		group = `brand`
	}
	var list []SurveyTally
	at := func(group string, kind tickets.SurveyKind) *SurveyTally {
		i := slices.IndexFunc(list, func(t SurveyTally) bool { return t.Group == group && t.Kind == kind })
		if i < 0 {
			i = len(list)
			list = append(list, SurveyTally{Group: group, Kind: kind, Scores: map[int]int{}})
		}
		return &list[i]
	}
	for _, column := range []string{"answered", "asked"} {
		// Served by surveys_answered and surveys_asked; reports ask, not the desk.
		err := db.read.each(ctx, `
			SELECT `+group+`, kind, score, COUNT(*) FROM surveys
			WHERE `+column+` > 0 AND `+column+` >= $1 AND `+column+` < $2
			AND ($3 = '' OR brand = $3) AND ($4 = '' OR agent = $4) AND ($5 = '' OR category = $5)
			GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
			[]any{ms(q.From), ms(q.To), q.Brand, q.Agent, q.Category},
			func(scan func(...any) error) error {
				var group string
				var kind tickets.SurveyKind
				var score, n int
				if err := scan(&group, &kind, &score, &n); err != nil {
					return err
				}
				if t := at(group, kind); column == "asked" {
					t.Asked += n
				} else {
					t.Scores[score] += n
				}
				return nil
			})
		if err != nil {
			return nil, fmt.Errorf("count answers of surveys: %w", err)
		}
	}
	for i := range list {
		list[i].sum()
	}
	slices.SortFunc(list, func(a, b SurveyTally) int {
		return strings.Compare(a.Group+"\x00"+string(a.Kind), b.Group+"\x00"+string(b.Kind))
	})
	return list, nil
}

// sum computes what the scores say together.
func (t *SurveyTally) sum() {
	bad, good := 2, 4
	switch t.Kind {
	case tickets.SurveyCES:
		bad, good = 3, 5
	case tickets.SurveyNPS:
		bad, good = 6, 9
	}
	var total, low, high int
	for score, n := range t.Scores {
		t.N += n
		total += score * n
		if score <= bad {
			low += n
		}
		if score >= good {
			high += n
		}
	}
	if t.N > 0 {
		t.Mean, t.Good, t.Bad = float64(total)/float64(t.N), float64(high)/float64(t.N), float64(low)/float64(t.N)
	}
}
