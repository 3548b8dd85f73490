package notify

import (
	"strings"
	"testing"

	"frontdesk/tickets"
)

// Each step of a return has words of its own, in each language, by mail and by
// text; what an agent noted goes with it, but for the reason with which it was
// opened: that is for colleagues.
func TestEachStepOfAReturn(t *testing.T) {
	t.Parallel()
	said := map[string]string{}
	for _, lang := range []string{"en", "de"} {
		for _, status := range []tickets.ReturnStatus{tickets.ReturnOpen, tickets.ReturnReceived, tickets.ReturnInspected,
			tickets.ReturnReplaced, tickets.ReturnRefunded, tickets.ReturnRefused} {
			l := testLetter(tickets.LetterReturn, lang)
			r := *Sample(tickets.LetterReturn).Data.Return
			r.Status, r.Note = status, "A *word* on it"
			l.Data = tickets.LetterData{Return: &r}
			m := testMaterial(t, lang)
			p, err := Compose(l, m)
			if err != nil {
				t.Fatal(err)
			}
			if other := said[p.Plain]; other != "" {
				t.Errorf("%s/%s says what %s says", lang, status, other)
			}
			said[p.Plain] = lang + "/" + string(status)
			if !strings.Contains(p.Plain, "RMA-1234") {
				t.Errorf("%s/%s: no number:\n%s", lang, status, p.Plain)
			}
			if got := strings.Contains(p.Plain, "A *word* on it"); got == (status == tickets.ReturnOpen) {
				t.Errorf("%s/%s: the note is there: %v\n%s", lang, status, got, p.Plain)
			}
			if got := strings.Contains(p.Plain, "20457 Hamburg"); got != (status == tickets.ReturnOpen) {
				t.Errorf("%s/%s: the address is there: %v\n%s", lang, status, got, p.Plain)
			}
		}
	}
}

// Who could read an article nowhere is not told of it, and nobody is told of one
// for agents.
func TestArticlesInLetters(t *testing.T) {
	t.Parallel()
	all := []tickets.Article{
		{ID: "linked", Title: "With a link", Link: "https://help.example.com/x"},
		{ID: "paged", Title: "Without one"},
		{ID: "inside", Title: "For agents", Internal: true, Link: "https://inside.example.com/x"},
		{ID: "bad", Title: "Link that is none", Link: "javascript:alert(1)"},
	}
	for _, c := range []struct {
		name, url string
		agent     bool
		want      string
	}{
		{"customer", "https://desk.example", false, "linked paged bad"},
		{"customer without pages", "", false, "linked"},
		{"agent", "https://desk.example", true, "linked paged inside bad"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l, m := testLetter(tickets.LetterAcknowledgement, "en"), testMaterial(t, "en")
			l.Agent, l.Data, m.PublicURL = c.agent, tickets.LetterData{Articles: all}, c.url
			var got []string
			for _, a := range newView(l, m, spoken("en"), &words{}).Articles {
				got = append(got, a.ID)
				if strings.Contains(a.Link, "javascript") || c.agent != (a.Solved == "") && c.url != "" {
					t.Errorf("%+v", a)
				}
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %v, want %s", got, c.want)
			}
		})
	}
}
