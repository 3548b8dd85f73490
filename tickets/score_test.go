package tickets

import "testing"

func TestReadScore(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		reply   string
		kind    SurveyKind
		score   int
		comment string
	}{
		{"9 great service", SurveyNPS, 9, "great service"},
		{"8, fast and friendly", SurveyNPS, 8, "fast and friendly"},
		{"8, schnell und freundlich", SurveyNPS, 8, "schnell und freundlich"},
		{"5/5", SurveyCSAT, 5, ""},
		{"5 / 5 !!!", SurveyCSAT, 5, ""},
		{"5", SurveyCSAT, 5, ""},
		{" 5. ", SurveyCSAT, 5, ""},
		{"10", SurveyNPS, 10, ""},
		{"10/10 would recommend", SurveyNPS, 10, "would recommend"},
		{"0", SurveyNPS, 0, ""},
		{"0 – nobody called me back", SurveyNPS, 0, "nobody called me back"},
		{"8 out of 10: quick", SurveyNPS, 8, "quick"},
		{"8 von 10, danke", SurveyNPS, 8, "danke"},
		{"4 von 5", SurveyCSAT, 4, ""},
		{"Hello,\n\n9 - great service\n\nKaya", SurveyNPS, 9, "great service\n\nKaya"},
		{"Guten Tag Frau Weber,\n\n8, sehr freundlich", SurveyNPS, 8, "sehr freundlich"},
		{"Hi team\n5\nAll good.", SurveyCSAT, 5, "All good."},
		{"Score: 7", SurveyNPS, 7, ""},
		{"My score is 7, it took long", SurveyNPS, 7, "it took long"},
		{"Bewertung: 4", SurveyCSAT, 4, ""},
		{"Meine Antwort: 6", SurveyCES, 6, ""},
		{"I'd give you a 9", SurveyNPS, 9, ""},
		{"I give you a 9, thanks", SurveyNPS, 9, "thanks"},
		{"Ich gebe Ihnen eine 9", SurveyNPS, 9, ""},
		{"Ich gebe eine 9!", SurveyNPS, 9, ""},
		{"Eine klare 10", SurveyNPS, 10, ""},
		{"Von mir 8 Punkte, gern wieder", SurveyNPS, 8, "gern wieder"},
		{"4 stars", SurveyCSAT, 4, ""},
		{"4 Sterne, weil es gedauert hat", SurveyCSAT, 4, "weil es gedauert hat"},
		{"★★★★☆ nice", SurveyCSAT, 4, "nice"},
		{"⭐️⭐️⭐️⭐️⭐️", SurveyCSAT, 5, ""},
		{"nine", SurveyNPS, 9, ""},
		{"Neun, super Service", SurveyNPS, 9, "super Service"},
		{"*5*", SurveyCSAT, 5, ""},
		{"(4)", SurveyCSAT, 4, ""},
		{"7 very easy", SurveyCES, 7, "very easy"},
		{"2 still broken", SurveyCSAT, 2, "still broken"},
		{"5 👍", SurveyCSAT, 5, "👍"},
	} {
		score, comment, ok := ReadScore(c.reply, c.kind)
		if !ok || score != c.score || comment != c.comment {
			t.Errorf("%s %q: %d %q %v, want %d %q", c.kind, c.reply, score, comment, ok, c.score, c.comment)
		}
	}
}

func TestNoScore(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		reply string
		kind  SurveyKind
	}{
		{"", SurveyCSAT},
		{"thanks", SurveyCSAT},
		{"Hello,\n\nthe printer is broken again", SurveyCSAT},
		{"6", SurveyCSAT},
		{"0", SurveyCSAT},
		{"11", SurveyNPS},
		{"8", SurveyCES},
		{"8/10", SurveyCSAT},
		{"5/5", SurveyNPS},
		{"-3", SurveyCSAT},
		{"4.5", SurveyCSAT},
		{"4,5", SurveyCSAT},
		{"4,5 Sterne", SurveyCSAT},
		{"100", SurveyNPS},
		{"2 pages are missing", SurveyCSAT},
		{"2 Seiten fehlen", SurveyCSAT},
		{"3 more things:", SurveyCSAT},
		{"5 Uhr passt", SurveyCSAT},
		{"5:30 would be good", SurveyNPS},
		{"9am works", SurveyNPS},
		{"5% off?", SurveyCSAT},
		{"1. the tray is stuck\n2. the fan is loud", SurveyCSAT},
		{"3/4 of the pages are empty", SurveyCSAT},
		{"1 of 3 printers works", SurveyCSAT},
		{"2 2 2", SurveyCSAT},
		{"The answer came on the 5", SurveyCSAT},
		{"ticket 5 is open", SurveyCSAT},
		{"+49 30 123456", SurveyCSAT},
		{"5th floor", SurveyCSAT},
	} {
		if score, comment, ok := ReadScore(c.reply, c.kind); ok {
			t.Errorf("%s %q: %d %q, want no vote", c.kind, c.reply, score, comment)
		}
	}
}
