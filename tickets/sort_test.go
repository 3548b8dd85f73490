package tickets

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The figures that sorting has to reach on requests that were not used for the
// rules (testdata/requests/README.md), in percent. make eval prints them.
const (
	minCategory = 85
	minSeverity = 80
	minRecall   = 95 // of the critical ones
)

func TestRequestsAreSorted(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"dev.jsonl", "test.jsonl"} {
		s := evaluate(t, name, rulesOfStandardDesk())
		recall, _ := s.critical()
		if got := part1(s.category, s.n); got < minCategory {
			t.Errorf("%s: category right in %.1f %%, want %d", name, got, minCategory)
		}
		if got := part1(s.severity, s.n); got < minSeverity {
			t.Errorf("%s: severity right in %.1f %%, want %d", name, got, minSeverity)
		}
		if recall < minRecall {
			t.Errorf("%s: %.1f %% of the critical ones found, want %d", name, recall, minRecall)
		}
	}
}

func TestRequestSetsAreLabelled(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, name := range []string{"dev.jsonl", "test.jsonl"} {
		langs := map[string]int{}
		for _, r := range mustRequests(t, name) {
			langs[r.Lang]++
			if was, ok := seen[r.Subject+r.Text]; ok {
				t.Errorf("%s and %s are the same request", was, r.ID)
			}
			seen[r.Subject+r.Text] = r.ID
			want(t, r.ID+": a known category", rulesOfStandardDesk().Categories[r.Category].Key, r.Category)
			want(t, r.ID+": a known severity", rulesOfStandardDesk().Severities[r.Severity].Key, r.Severity)
		}
		want(t, name+": as many in English as in German", langs["en"], langs["de"])
		if langs["en"] < 150 {
			t.Errorf("%s: %d in each language, want 150 or more", name, langs["en"])
		}
	}
}

// guessOf is the guess of the standard desk.
func guessOf(subject, text string) Guess {
	return Sort(Request{Subject: subject, Text: text}, rulesOfStandardDesk())
}

func TestSeverityIsGuessedFromWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, subject, text, want string }{
		{"a server is down", "Server is down", "Nobody can work.", "critical"},
		{"a server is down, German", "Server ausgefallen", "Keiner kann arbeiten.", "critical"},
		{"a database is down", "Our database is down", "", "critical"},
		{"no way around it", "Scanner shows an error", "There is no workaround.", "high"},
		{"no way around it, German", "Scanner zeigt Fehler", "Es gibt keine Umgehung.", "high"},
		{"a plain fault", "Scanner shows an error", "", "medium"},
		{"many customers", "Label error", "Several customers complain about an error on the label.", "high"},
		{"hundreds of customers", "Label error", "Hundreds of customers complain about an error on the label.", "critical"},
		{"a date is near", "Printer error", "The printer shows an error and the deadline is today.", "high"},
		{"a question", "Colours", "Is there a blue one?", "low"},
		{"a question, German", "Farben", "Gibt es das auch in Blau?", "low"},
		{"how it looks", "Typo on the start page", "Purely cosmetic.", "low"},
		{"people are in danger", "Charger", "There is smoke coming out of it.", "critical"},
		{"one's own line", "My internet is down", "", "high"},
		{"a test server", "Test server is down", "", "high"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if g := guessOf(c.subject, c.text); g.Severity != c.want {
				t.Errorf("%q %q: got %s, want %s\n%s", c.subject, c.text, g.Severity, c.want, strings.Join(g.Why, "\n"))
			}
		})
	}
}

func TestWhatIsNotMeantDoesNotCount(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, subject, text, atMost string }{
		{"not urgent", "Printer stripes", "This is not urgent.", "medium"},
		{"really not urgent", "Printer stripes", "It is really not so urgent.", "medium"},
		{"not urgent, German", "Streifen beim Drucken", "Dringend ist es nicht.", "medium"},
		{"no emergency", "Printer stripes", "No emergency, all others work.", "medium"},
		{"the server is not down", "Question", "The server is not down, I only want to know your opening hours.", "medium"},
		{"is it down for you?", "Status", "Is the server down for you?", "medium"},
		{"what if", "Emergency plan", "What do we do if the server is down and nobody can work?", "medium"},
		{"what if, German", "Notfallplan", "Was machen wir, wenn der Server ausgefallen ist und keiner arbeiten kann?", "medium"},
		{"an offer", "URGENT: last chance", "Limited offer! Act now and boost your sales immediately. Click here. Unsubscribe.", "low"},
		{"an offer, German", "DRINGEND: letzte Chance", "Angebot gilt nur heute! Jetzt zugreifen. Hier klicken. Newsletter abmelden.", "low"},
		{"a quoted mail", "Re: opening hours", "Are you open on Monday?\n\n> Server is down!\n> Nobody can work!", "low"},
		{"a signature", "Opening hours", "Are you open on Monday?\n-- \nEmergency desk: if the server is down call us immediately\nServer is down", "low"},
		{"a disclaimer", "Opening hours", "Are you open on Monday? This message may contain confidential information. Delete it immediately. Server is down.", "low"},
		{"thirty people who want drinks", "Party", "Do you serve drinks to 300 customers?", "low"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := guessOf(c.subject, c.text)
			rank := map[string]int{"low": 1, "medium": 2, "high": 3, "critical": 4}
			if rank[g.Severity] > rank[c.atMost] {
				t.Errorf("%q: got %s, want %s or less\n%s", c.text, g.Severity, c.atMost, strings.Join(g.Why, "\n"))
			}
		})
	}
}

func TestKeywordsOfTheConfiguration(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		keyword, text string
		hit           bool
	}{
		{"Rechnung", "Ihre Rechnungen stimmen nicht", true},
		{"Rechnung", "die Stromrechnung", true},
		{"Rechnung", "RECHNUNG", true},
		{"Rechnung", "die Berechtigung", false},
		{"port", "ports are closed", true},
		{"port", "a report", false},
		{"port", "support", false},
		{"bug", "a Bugatti", false},
		{"charge", "you are charging me", true},
		{"not working", "it is NOT\nworking", true},
		{"not working", "it is working", false},
		{"can't print", "I cannot print", true},
		{"Störung", "eine Stoerung", true},
		{"Störung", "eine Sto\u0308rung", true},
		{"error", "there is no error", false},
		{"invoice", "this is not about the invoice", false},
		{"Rechnung", "es geht nicht um die Rechnung", false},
		{"", "anything", false},
		{"...", "anything...", false},
	} {
		rules := Rules{Categories: map[string]Category{"x": {Key: "x", Title: "Zeug", Keywords: []string{c.keyword}}}}
		got := Sort(Request{Subject: "", Text: c.text}, rules).Category == "x"
		if got != c.hit {
			t.Errorf("keyword %q in %q: hit %v, want %v", c.keyword, c.text, got, c.hit)
		}
	}
}

func TestSubjectWeighsMoreThanText(t *testing.T) {
	t.Parallel()
	rules := Rules{Categories: map[string]Category{"a": {Key: "a", Keywords: []string{"apple"}}, "z": {Key: "z", Keywords: []string{"zebra"}}}}
	want(t, "the subject's", Sort(Request{Subject: "zebra", Text: "apple"}, rules).Category, "z")
	want(t, "in a tie the first by name", Sort(Request{Subject: "", Text: "zebra apple"}, rules).Category, "a")
	want(t, "one that is known stays", Sort(Request{Subject: "zebra", Category: "a"}, rules).Category, "a")
}

func TestStandardCategoriesByTitle(t *testing.T) {
	t.Parallel()
	for title, want := range map[string]string{"Technical Issues": "technical", "Billing and Payments": "billing", "Returns and Exchanges": "returns",
		"Account Management": "account", "Product Inquiries": "product", "Technik": "technical", "Rechnungen": "billing", "Umtausch und Rückgabe": "returns", "Garden": ""} {
		if got := (Category{Key: "c1", Title: title}).standard(); got != want {
			t.Errorf("%q: got %q, want %q", title, got, want)
		}
	}
}

func TestDefaultMatrix(t *testing.T) {
	t.Parallel()
	m, rank := DefaultMatrix(), map[string]int{"low": 1, "medium": 2, "high": 3, "critical": 4}
	want(t, "fields", len(m), 16)
	want(t, "the least", m[[2]int{1, 1}], "low")
	want(t, "the worst", m.worst(), "critical")
	for at, s := range m {
		for _, worse := range [][2]int{{at[0] + 1, at[1]}, {at[0], at[1] + 1}} {
			if w, ok := m[worse]; ok && rank[w] < rank[s] {
				t.Errorf("impact and urgency %v are %s, but %v are %s", at, s, worse, w)
			}
		}
	}
	want(t, "one person is never critical", m[[2]int{1, 4}], "high")
}

func TestNoSeverityIsGuessedWithoutMatrix(t *testing.T) {
	t.Parallel()
	rules := rulesOfStandardDesk()
	rules.Severities = map[string]Severity{"p1": {Key: "p1"}, "p2": {Key: "p2"}}
	g := Sort(Request{Subject: "Server is down"}, rules)
	want(t, "severity", g.Severity, "")
	want(t, "category all the same", g.Category, "technical")
	rules.Matrix = Matrix{{3, 4}: "p1"}
	want(t, "with a matrix", Sort(Request{Subject: "Server is down"}, rules).Severity, "p1")
}

func TestCategorysOwnSeverity(t *testing.T) {
	t.Parallel()
	rules := rulesOfStandardDesk()
	rules.Categories["garden"] = Category{Key: "garden", Keywords: []string{"tulip"}, Severity: "low"}
	want(t, "nothing else is known", Sort(Request{Subject: "tulips"}, rules).Severity, "low")
	want(t, "something is", Sort(Request{Subject: "tulips are broken"}, rules).Severity, "medium")
}

func TestConfiguredSigns(t *testing.T) {
	t.Parallel()
	rules := rulesOfStandardDesk()
	rules.Signs = []Sign{{Phrase: "line two", Impact: 4, Urgency: 4}, {Phrase: "canteen", Urgency: 1}}
	g := Sort(Request{Subject: "Line Two hums"}, rules)
	want(t, "impact and urgency", fmt.Sprint(g.Impact, g.Urgency), "4 4")
	want(t, "severity", g.Severity, "critical")
	want(t, "said why", strings.Contains(strings.Join(g.Why, "\n"), `configured sign: "line two"`), true)
	want(t, "can wait", Sort(Request{Subject: "The canteen door is broken"}, rules).Severity, "low")
	want(t, "not line two", Sort(Request{Subject: "This is not line two"}, rules).Severity == "critical", false)
}

func TestFavouredCustomers(t *testing.T) {
	t.Parallel()
	rules := rulesOfStandardDesk()
	for _, c := range []struct{ name, subject, plain, favoured string }{
		{"a question", "Is there a blue one?", "low", "medium"},
		{"a fault", "Scanner shows an error", "medium", "high"},
		{"a date is near", "Scanner shows an error, deadline is today", "high", "high"},
		{"many are hit, but nothing stands", "Several customers complain about wrong labels, the deadline is today", "high", "high"},
		{"critical already", "Server is down", "critical", "critical"},
	} {
		want(t, c.name, Sort(Request{Subject: c.subject}, rules).Severity, c.plain)
		want(t, c.name+", favoured", Sort(Request{Subject: c.subject, Favoured: "VIP"}, rules).Severity, c.favoured)
	}
}

// rulesWithSorting is the desk of the other tests, with the four severities.
func rulesWithSorting() Rules {
	r := rulesForTest()
	r.Severities = map[string]Severity{}
	for _, s := range standardSeverities {
		r.Severities[s] = Severity{Key: s, ResolveWithin: "72 hours"}
	}
	return r
}

func TestSortingIsToldOnTheTicket(t *testing.T) {
	t.Parallel()
	c := Receive(foundWith(), mail(func(in *Inbound) { in.Reply = "The printer shows an error. There is no workaround." }), rulesWithSorting(), noon)
	tk := c.Tickets[0].Ticket
	want(t, "category", tk.Category, "technical")
	want(t, "severity", tk.Severity, "high")
	if tk.Guess == nil || tk.Guess.By != "rules" || tk.Guess.Severity != "high" || len(tk.Guess.Why) == 0 {
		t.Fatalf("guess: %+v", tk.Guess)
	}
	want(t, "impact and urgency", fmt.Sprint(tk.Impact, tk.Urgency), fmt.Sprint(tk.Guess.Impact, tk.Guess.Urgency))
	told := false
	for _, e := range c.Tickets[0].Events {
		told = told || e.What == "sorted" && e.Who == "desk" && strings.Contains(e.Detail, "severity high") && strings.Contains(e.Detail, "no workaround")
	}
	want(t, "an event says why", told, true)
	traced := 0
	for _, s := range c.Trace {
		if s.Rule == "sort" {
			traced++
		}
	}
	want(t, "a line of trace for each hit and the result", traced, len(tk.Guess.Why)+1)
}

func TestVIPIsServedFirst(t *testing.T) {
	t.Parallel()
	rules := rulesWithSorting()
	rules.Contracts = map[string]Contract{"gold": {Key: "gold", VIP: true}, "basic": {Key: "basic"}}
	rules.Organisations = []Organisation{{Key: "acme", Domains: []string{"Example.ORG"}, Contract: "gold"}}
	severity := func(found Found, r Rules) string {
		return Receive(found, mail(func(in *Inbound) { in.Subject, in.SubjectCore, in.Reply = "Printer", "Printer", "It shows an error." }), r, noon).Tickets[0].Ticket.Severity
	}
	plain := rules
	plain.Organisations = nil
	person := func(p Person) Found { f := foundWith(); f.Person = &p; return f }
	want(t, "somebody", severity(foundWith(), plain), "medium")
	want(t, "a VIP", severity(person(Person{ID: 7, VIP: true}), plain), "high")
	want(t, "a contract", severity(person(Person{ID: 7, Contract: "gold"}), plain), "high")
	want(t, "a contract that promises nothing of it", severity(person(Person{ID: 7, Contract: "basic"}), plain), "medium")
	want(t, "the organisation's contract", severity(foundWith(), rules), "high")
}

// drawRequest makes a request of words that the lexicon knows, and others.
func drawRequest(t *rapid.T) (subject, text string) {
	words := rapid.SampledFrom([]string{"server", "is", "down", "not", "no", "workaround", "the", "Rechnung", "Störung", "größe", "urgent", "all", "40", "18,000", "customers",
		"cannot", "work", "?", ".", "!", ",", "please", "änderung", "can't", "today", "kein", "Problem", "wenn", "how", "do", "I", "(maybe)", "€", "12", "ÜBER", "ﬁ", "ǅ", "İ", "ß"})
	return strings.Join(rapid.SliceOfN(words, 0, 8).Draw(t, "subject"), " "), strings.Join(rapid.SliceOfN(words, 0, 60).Draw(t, "text"), " ")
}

func TestSortingIgnoresCaseAndLines(t *testing.T) {
	t.Parallel()
	rules := rulesOfStandardDesk()
	rapid.Check(t, func(t *rapid.T) {
		subject, text := drawRequest(t)
		first := Sort(Request{Subject: subject, Text: text}, rules)
		width := rapid.IntRange(1, 80).Draw(t, "width")
		for name, r := range map[string]Request{
			"again":   {Subject: subject, Text: text},
			"lower":   {Subject: lowerRunes(subject), Text: lowerRunes(text)},
			"upper":   {Subject: upperRunes(subject), Text: upperRunes(text)},
			"wrapped": {Subject: subject, Text: wrapped(text, width, "\n")},
			"crlf":    {Subject: subject, Text: wrapped(text, width, "\r\n")},
		} {
			if got := Sort(r, rules); got.describe() != first.describe() {
				t.Fatalf("%s: %q\ngot  %s\nwant %s", name, r.Text, got.describe(), first.describe())
			}
		}
	})
}

// wrapped breaks lines where a mail client would.
func wrapped(text string, width int, end string) string {
	var b strings.Builder
	at := 0
	for _, w := range strings.Fields(text) {
		if at > 0 && at+len(w) > width {
			b.WriteString(end)
			at = 0
		} else if at > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(w)
		at += len(w) + 1
	}
	return b.String()
}

// lowerRunes and upperRunes change letter by letter, as keyboards do.
func lowerRunes(s string) string { return strings.ToLower(s) }
func upperRunes(s string) string { return strings.ToUpper(s) }

func TestSortingIsBounded(t *testing.T) {
	t.Parallel()
	rules := rulesOfStandardDesk()
	for name, piece := range map[string]string{
		"words": "server is down ", "one word": "x", "umlauts": "ü", "questions": "?", "sentences": "down? ", "bytes": "\xff\xfe", "gaps": "nothing a b c ", "marks": "a\u0308\u0308", "numbers": "1,000,"} {
		text := strings.Repeat(piece, 1<<20/len(piece))
		n := 0
		for _, s := range readWords("", text) {
			n += len(s.words)
		}
		if n > maxReadWords {
			t.Errorf("%s: %d words read, want %d or fewer", name, n, maxReadWords)
		}
		began := time.Now()
		Sort(Request{Subject: text, Text: text}, rules)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s: 1 MB took %v", name, took)
		}
	}
}

// A comma that a mail client put on a line of its own is no empty line.
func TestLinesWithoutWordsPartNothing(t *testing.T) {
	t.Parallel()
	want(t, "sentences", len(sentencesOf("all\n,\nno\nserver")), 1)
	want(t, "an empty line does", len(sentencesOf("all\n\n- no server")), 2)
}

func FuzzSort(f *testing.F) {
	f.Add("Server is down", "Nobody can work!")
	f.Add("Rechnung 2024-1187", "Bitte korrigieren.\n\n> zitiert\n-- \nName")
	f.Add("", "1,000 ,,, ??? \xff can't isn't 18.000.000")
	rules := rulesOfStandardDesk()
	f.Fuzz(func(t *testing.T, subject, text string) {
		g, again := Sort(Request{Subject: subject, Text: text}, rules), Sort(Request{Subject: subject, Text: text}, rules)
		if g.describe() != again.describe() {
			t.Errorf("got %s, then %s", g.describe(), again.describe())
		}
		if g.Severity == "" || g.Impact < 1 || g.Impact > 4 || g.Urgency < 1 || g.Urgency > 4 {
			t.Errorf("got %+v", g)
		}
	})
}

func TestWordFiles(t *testing.T) {
	t.Parallel()
	k, err := readLexicons()
	if err != nil {
		t.Fatal(err)
	}
	forces := map[force]bool{}
	names := map[string]bool{}
	for _, s := range k.signs {
		forces[s.force], names[s.says] = true, true
		if s.impact == 0 && s.force == forceNone {
			t.Errorf("%q says nothing", s.says)
		}
	}
	for _, f := range []force{forceNow, forceStrong, forceWeak, forceDead, forceFault, forceAct, forceAsk, forceAround, forceCalm, forceTrifle, forceOver, forceNone} {
		want(t, fmt.Sprintf("a sign of force %q", f), forces[f], true)
		delete(forces, f)
	}
	for f := range maps.Keys(forces) {
		t.Errorf("unknown force %q", f)
	}
	for _, says := range []string{nothingGoes, noWayAround, looks, asksUs, breaksIn} {
		want(t, "a sign "+says, names[says], true)
	}
	r := wordReader{classes: map[string][]string{}}
	for text, wrong := range map[string]string{"[a] weight 1\n@nobody can": `no class "nobody"`, "[a] weight 1\n_ down": "a gap at an end", "down": "no [category]"} {
		if err := r.read(text, k.takeTopic); err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%q: got %v, want %q", text, err, wrong)
		}
	}
}
