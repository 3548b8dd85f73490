package tickets

import (
	"strings"
	"testing"
)

var shelf = map[string]Article{
	"jam":    {ID: "jam", Title: "Clear a paper jam", Summary: "Open the door.", Link: "https://help.test/jam", Body: "Open the rear door.\nPull."},
	"toner":  {ID: "toner", Title: "Change the toner", Body: "Shake it."},
	"drum":   {ID: "drum", Title: "The drum", Body: "Clean it.", Link: "https://help.test/drum"},
	"fuser":  {ID: "fuser", Title: "The fuser", Body: "Hot."},
	"limits": {ID: "limits", Title: "Refund limits", Body: "Up to 50.", Internal: true},
	"zephyr": {ID: "zephyr", Title: "Of another brand", Body: "x", Brands: []string{"zephyr"}},
}

// withShelf is a desk with articles, which suggests these for anything.
func withShelf(suggested ...string) Rules {
	r := rulesForTest()
	r.Suggest = func(brand, language, text string) []Article {
		var out []Article
		for _, id := range suggested {
			out = append(out, shelf[id])
		}
		return out
	}
	r.Article = func(id string) (Article, bool) { a, ok := shelf[id]; return a, ok }
	r.ArticleIDs = func() []string { return sortedKeys(shelf) }
	return r
}

func idsOf(list []Article) string {
	var out []string
	for _, a := range list {
		out = append(out, a.ID)
		if a.Body != "" {
			out = append(out, "with a body")
		}
	}
	return strings.Join(out, " ")
}

func usesOf(c Change) string {
	var out []string
	for _, tc := range c.Tickets {
		for _, u := range tc.Articles {
			out = append(out, u.What+":"+u.Article)
		}
	}
	return strings.Join(out, " ")
}

// The acknowledgement names at most three, none for agents alone; agents see all,
// with their ids.
func TestArticlesInTheAcknowledgement(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		name      string
		rules     Rules
		change    func(*Inbound)
		customer  string
		agents    string
		used      string
		noLetters bool
	}{
		{"several", withShelf("limits", "jam", "toner", "drum", "fuser"), nil, "jam toner drum", "limits jam toner drum fuser", "shown:jam shown:toner shown:drum", false},
		{"for agents alone", withShelf("limits"), nil, "", "limits", "", false},
		{"none fits", withShelf(), nil, "", "", "", false},
		{"no knowledge base", rulesForTest(), nil, "", "", "", false},
		{"not acknowledged", withShelf("jam"), func(in *Inbound) { in.From.Address = "noreply@example.org" }, "", "jam", "", true},
		{"a machine's mail", withShelf("jam"), func(in *Inbound) { in.Kind = KindAutoReply }, "", "jam", "", true},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			change := x.change
			if change == nil {
				change = func(*Inbound) {}
			}
			c := Receive(foundWith(), mail(change), x.rules, noon)
			if !x.noLetters {
				want(t, "to the customer", idsOf(letter(t, c, LetterAcknowledgement).Data.Articles), x.customer)
			}
			want(t, "to agents", idsOf(letter(t, c, LetterNewTicket).Data.Articles), x.agents)
			want(t, "counted", usesOf(c), x.used)
		})
	}
}

func TestSuggestIsAskedOnceInTheCustomersLanguage(t *testing.T) {
	t.Parallel()
	var asked []string
	r := withShelf()
	r.Suggest = func(brand, language, text string) []Article {
		asked = append(asked, brand+" "+language+" "+text)
		return nil
	}
	Receive(foundWith(), mail(func(in *Inbound) { in.Language = "de" }), r, noon)
	Receive(foundWith(), mail(), r, noon)
	want(t, "asked", strings.Join(asked, "|"), "baleyo de Printer is offline\nIt will not print.|baleyo en Printer is offline\nIt will not print.")
}

func TestKB(t *testing.T) {
	t.Parallel()
	const jam = "Clear a paper jam\n\nOpen the rear door.\nPull.\n\nhttps://help.test/jam"
	for _, x := range []struct {
		name, commands, text string
		letters, said, used  string
		problem              string
	}{
		{"alone", "#kb jam", "", "answer→maria@example.org agent-receipt→asha@baleyo.test", jam, "inserted:jam", ""},
		{"below words", "#kb JAM", "Please try this:", "answer→maria@example.org agent-receipt→asha@baleyo.test", "Please try this:\n\n" + jam, "inserted:jam", ""},
		{"two", "#kb jam|#kb toner", "", "answer→maria@example.org agent-receipt→asha@baleyo.test", jam + "\n\nChange the toner\n\nShake it.", "inserted:jam inserted:toner", ""},
		{"with the resolution", "#kb toner|#close", "", "resolution→maria@example.org agent-receipt→asha@baleyo.test", "Change the toner\n\nShake it.", "inserted:toner", ""},
		{"as a note", "#kb limits|#note", "For us:", "agent-receipt→asha@baleyo.test", "For us:\n\nRefund limits\n\nUp to 50.", "", ""},
		{"misspelt", "#kb jamm", "Hello", "agent-held→asha@baleyo.test", "Hello", "", `#kb: there is no article "jamm"; did you mean jam?`},
		{"unknown", "#kb somethingelse", "Hello", "agent-held→asha@baleyo.test", "Hello", "", `#kb: there is no article "somethingelse"`},
		{"for agents alone", "#kb limits", "Hello", "agent-held→asha@baleyo.test", "Hello", "", "#kb: the article limits is for agents alone; with #note it stays inside"},
		{"of another brand", "#kb zephyr", "", "agent-held→asha@baleyo.test", "", "", "#kb: the article zephyr is not for Baleyo"},
		{"no id", "#kb", "", "agent-held→asha@baleyo.test", "", "", "#kb: which article?"},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			c := Receive(foundWith(stored()), fromAgent(asha, 2, strings.Split(x.commands, "|"), x.text), withShelf(), noon)
			want(t, "letters", letters(c), x.letters)
			want(t, "counted", usesOf(c), x.used)
			m := c.Tickets[0].Messages[0]
			want(t, "text", m.Text, x.said)
			if x.problem != "" && !strings.HasPrefix(strings.Join(letter(t, c, LetterHeld).Data.Problems, "\n"), x.problem) {
				t.Errorf("problems %q, want %q", letter(t, c, LetterHeld).Data.Problems, x.problem)
			}
		})
	}
	t.Run("without a knowledge base", func(t *testing.T) {
		t.Parallel()
		c := Receive(foundWith(stored()), fromAgent(asha, 2, []string{"#kb jam"}, ""), rulesForTest(), noon)
		want(t, "problem", strings.Contains(letter(t, c, LetterHeld).Data.Problems[0], "no knowledge base"), true)
	})
}

// What was held with #kb goes out with the article once, not twice.
func TestKBHeldAndSentAnyway(t *testing.T) {
	t.Parallel()
	late := history()
	late = append(late, Message{ID: 3, Ticket: 42, Seq: 3, Version: 3, Direction: DirectionIn, Kind: KindMessage, Author: Author{AuthorCustomer, 7, Address{"Maria Lopez", "maria@example.org"}}, Text: "More", At: noon})
	ticket := stored(func(t *Ticket) { t.Version = 3 })
	found := foundWith(ticket)
	found.History = late
	c := Receive(found, fromAgent(asha, 2, []string{"#kb toner"}, "Try:"), withShelf(), noon)
	held := c.Tickets[0].Messages[0]
	want(t, "held", held.Text, "Try:")
	want(t, "counted", usesOf(c), "")
	held.Ticket = 42
	found.History = append(late, held)
	c = Receive(found, fromAgent(asha, 3, []string{"#send anyway"}, ""), withShelf(), noon)
	want(t, "sent", letter(t, c, LetterAnswer).Data.Text, "Try:\n\nChange the toner\n\nShake it.")
	want(t, "counted", usesOf(c), "inserted:toner")
}

func TestArticleSolvedIt(t *testing.T) {
	t.Parallel()
	press := func(s Status, id string) Change {
		ticket := stored(func(t *Ticket) {
			t.Status = s
			if s == StatusClosed {
				t.Closed = noon
			}
		})
		in := mail(func(in *Inbound) {
			in.Channel = ChannelWeb
			in.Button = &Button{Ticket: 42, Person: 7, Address: "maria@example.org", Action: "solved", Article: id}
		})
		return Receive(foundWith(ticket), in, withShelf(), noon)
	}
	for _, s := range []Status{StatusNew, StatusOpen, StatusPending, StatusHold, StatusResolved} {
		c := press(s, "jam")
		want(t, string(s), c.Tickets[0].Ticket.Status, StatusClosed)
		want(t, "letters", letters(c), "confirmed→maria@example.org agent-receipt→asha@baleyo.test")
		want(t, "counted", usesOf(c), "solved:jam")
		want(t, "told", strings.Join(letter(t, c, LetterReceipt).Data.Done, ""), "closed: the customer says that the article jam solved it")
	}
	for _, s := range []Status{StatusClosed, StatusSpam} {
		c := press(s, "jam")
		want(t, string(s), c.Tickets[0].Ticket.Status, s)
		want(t, "letters", letters(c), "")
		want(t, "counted", usesOf(c), "")
	}
	want(t, "without an article", press(StatusOpen, "").Tickets[0].Ticket.Status, StatusOpen)
}
