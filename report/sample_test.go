package report_test

import (
	"time"

	"frontdesk/sla"
	"frontdesk/tickets"
)

const day = 24 * time.Hour

// desk is a small fixed desk in a week in which the clocks change.
func desk() tickets.Figures {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err)
	}
	at := func(d, h int) time.Time { return time.Date(2026, 10, d, h, 0, 0, 0, zone).UTC() }
	spread := func(n int, median, p90 time.Duration) tickets.Spread {
		return tickets.Spread{Count: n, Median: median, P90: p90}
	}
	f := tickets.Figures{
		Title: "weekly", Brand: "baleyo", Name: "Baleyo", Zone: "Europe/Berlin", Made: at(26, 8), From: at(19, 0), To: at(26, 0), Before: at(12, 0),
		Total: tickets.Group{
			Period: tickets.Tally{
				Opened: 124, Responded: 117, Resolved: 109, Closed: 96, Reopened: 7, Backlog: 46, Answered: 231, Worked: 3125,
				FirstResponse: spread(118, 72*time.Minute, 9*time.Hour+20*time.Minute), FirstResponseBusiness: spread(118, 48*time.Minute, 5*time.Hour),
				Resolution: spread(109, 20*time.Hour, 3*day+4*time.Hour), ResolutionBusiness: spread(109, 7*time.Hour+30*time.Minute, 22*time.Hour),
				Promises: []tickets.PromiseFigures{{Clock: sla.FirstResponse, Kept: 112, Broken: 6}, {Clock: sla.NextResponse, Kept: 61, Broken: 9}, {Clock: sla.NextUpdate, Kept: 14}, {Clock: sla.Resolution, Kept: 98, Broken: 11}},
				Surveys: []tickets.SurveyFigures{
					{Kind: tickets.SurveyCSAT, Asked: 80, Answered: 31, Mean: 4.4, Good: 0.871, Bad: 0.065, Scores: map[int]int{5: 20, 4: 7, 3: 2, 1: 2}},
					{Kind: tickets.SurveyCES, Asked: 12, Answered: 5, Mean: 5.8, Good: 0.8, Scores: map[int]int{7: 2, 6: 2, 3: 1}},
					{Kind: tickets.SurveyNPS, Asked: 20, Answered: 9, Mean: 8.2, Good: 0.556, Bad: 0.111, Scores: map[int]int{10: 3, 9: 2, 8: 3, 4: 1}},
				},
				Letters: tickets.Outgoing{Mails: 512, Texts: 38, Calls: 6, Failed: 1, Bounced: 4, TextsIn: 41, CallsIn: 22, Quarantined: 3},
			},
			Before: tickets.Tally{
				Opened: 103, Responded: 103, Resolved: 112, Closed: 104, Reopened: 7, Backlog: 31, Answered: 240, Worked: 3300,
				FirstResponse: spread(101, 61*time.Minute, 8*time.Hour), FirstResponseBusiness: spread(101, 44*time.Minute, 4*time.Hour),
				Resolution: spread(112, 22*time.Hour, 4*day), ResolutionBusiness: spread(112, 8*time.Hour, 25*time.Hour),
				Promises: []tickets.PromiseFigures{{Clock: sla.FirstResponse, Kept: 99, Broken: 2}, {Clock: sla.NextResponse, Kept: 66, Broken: 4}, {Clock: sla.Resolution, Kept: 108, Broken: 4}},
				Surveys:  []tickets.SurveyFigures{{Kind: tickets.SurveyCSAT, Asked: 77, Answered: 25, Mean: 4.2, Good: 0.84, Bad: 0.08, Scores: map[int]int{5: 14, 4: 7, 3: 2, 2: 2}}},
				Letters:  tickets.Outgoing{Mails: 498, Texts: 44, Calls: 2, Bounced: 5, TextsIn: 47, CallsIn: 31},
			},
		},
		Queues: []tickets.Group{
			{Key: "support", Period: tickets.Tally{Opened: 101, Responded: 97, Resolved: 92, Backlog: 39, FirstResponse: spread(97, 65*time.Minute, 8*time.Hour), Resolution: spread(92, 21*time.Hour, 3*day)}},
			{Key: "sales", Period: tickets.Tally{Opened: 23, Responded: 20, Resolved: 17, Backlog: 7, FirstResponse: spread(21, 2*time.Hour+5*time.Minute, day), Resolution: spread(17, 9*time.Hour, 2*day)}},
		},
		Channels: []tickets.Group{
			{Key: "email", Period: tickets.Tally{Opened: 81, Responded: 78, Resolved: 75, Backlog: 33, FirstResponse: spread(77, 80*time.Minute, 9*time.Hour), Resolution: spread(75, day, 4*day)}},
			{Key: "voice", Period: tickets.Tally{Opened: 22, Responded: 20, Resolved: 19, Backlog: 8, FirstResponse: spread(20, 35*time.Minute, 3*time.Hour), Resolution: spread(19, 5*time.Hour, 2*day)}},
			{Key: "sms", Period: tickets.Tally{Opened: 17, Responded: 16, Resolved: 13, Backlog: 5, FirstResponse: spread(17, 22*time.Minute, 2*time.Hour), Resolution: spread(13, 4*time.Hour, day)}},
			{Key: "whatsapp", Period: tickets.Tally{Opened: 4, Responded: 3, Resolved: 2, FirstResponse: spread(3, 18*time.Minute, 40*time.Minute)}},
		},
		Categories: []tickets.Group{
			{Key: "technical", Title: "Technical Issues", Period: tickets.Tally{Opened: 70, Responded: 68, Resolved: 61, Backlog: 30, FirstResponse: spread(66, 55*time.Minute, 6*time.Hour), Resolution: spread(61, 25*time.Hour, 4*day)}},
			{Key: "returns", Title: "Returns and Exchanges", Period: tickets.Tally{Opened: 31, Responded: 29, Resolved: 28, Backlog: 9, FirstResponse: spread(30, 95*time.Minute, day), Resolution: spread(28, 2*day+3*time.Hour, 6*day)}},
			{Key: "", Period: tickets.Tally{Opened: 23, Responded: 20, Resolved: 20, Backlog: 7, FirstResponse: spread(22, 70*time.Minute, day), Resolution: spread(20, 11*time.Hour, 2*day)}},
		},
		Agents: []tickets.Group{
			{Key: "asha@baleyo.test", Title: "Asha", Period: tickets.Tally{Answered: 120, Resolved: 58, Worked: 1730, Backlog: 19, Surveys: []tickets.SurveyFigures{{Kind: tickets.SurveyCSAT, Answered: 18, Mean: 4.6}}}},
			{Key: "bikram@baleyo.test", Title: "Bikram", Period: tickets.Tally{Answered: 111, Resolved: 51, Worked: 1395, Backlog: 21, Surveys: []tickets.SurveyFigures{{Kind: tickets.SurveyCSAT, Answered: 13, Mean: 4.1}}}},
		},
		Answers: []tickets.Share{{UpTo: time.Hour, Count: 52}, {UpTo: 2 * time.Hour, Count: 24}, {UpTo: 4 * time.Hour, Count: 15}, {UpTo: 8 * time.Hour, Count: 12}, {UpTo: day, Count: 10}, {UpTo: 3 * day, Count: 5}, {}},
		Ages:    []tickets.Share{{UpTo: day, Count: 14}, {UpTo: 3 * day, Count: 16}, {UpTo: 7 * day, Count: 9}, {UpTo: 30 * day, Count: 6}, {Count: 1}},
		Breaches: []tickets.BreachFigures{
			{Ticket: 1291, Clock: sla.Resolution, At: at(25, 1), Severity: "high", Subject: "Scanner makes stripes", Assignee: "asha@baleyo.test"},
			{Ticket: 1260, Clock: sla.FirstResponse, At: at(22, 14), Severity: "medium", Subject: "Rechnung <b>4711</b> & die \"Mahnung\" dazu, die schon wieder kam, obwohl bezahlt ist"},
		},
		Again: []tickets.MatterFigures{
			{What: "LaserJet 4: paper jam", Customers: 6, Tickets: []int64{1201, 1208, 1215, 1222, 1240, 1262, 1266}, Category: "technical"},
			{What: "login vpn", Requester: "maria@keller.example", Customers: 1, Tickets: []int64{1233, 1280}},
		},
		Articles:   []tickets.ArticleFigure{{Article: "paper-jam", Title: "Clearing a paper jam", Shown: 31, Inserted: 6, Solved: 9}, {Article: "vpn", Shown: 12, Solved: 1}},
		Incidents:  []tickets.IncidentView{{Ticket: 1215, Subject: "No phones at all", Opened: at(21, 9), Tickets: 7, Status: tickets.StatusResolved}},
		OpenByTime: 46,
	}
	opened := []map[tickets.Channel]int{
		{"email": 17, "voice": 5, "sms": 3, "whatsapp": 1}, {"email": 14, "voice": 4, "sms": 4}, {"email": 15, "voice": 6, "sms": 2, "whatsapp": 2},
		{"email": 13, "voice": 3, "sms": 3}, {"email": 14, "voice": 4, "sms": 4, "whatsapp": 1}, {"email": 6, "sms": 1}, {"email": 2},
	}
	for i, backlog := range []int{33, 37, 44, 45, 41, 44, 46} {
		f.Days = append(f.Days, tickets.DayFigures{Date: sla.Date{Year: 2026, Month: 10, Day: 19 + i}, Opened: opened[i], Resolved: 15, Backlog: backlog})
	}
	return f
}
