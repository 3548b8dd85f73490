package web

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"frontdesk/store"
	"frontdesk/tickets"
)

// A survey's page asks one question. A link with a score only chooses it: what
// counts is the form that is posted.

// asked is a survey with the one whose link was followed.
type asked struct {
	visit
	survey tickets.Survey
}

// errOver says that a survey cannot be answered any more.
var errOver = errors.New("survey is over")

// actionVote answers a survey.
const actionVote = "vote"

// choice is one score on the page.
type choice struct {
	Score   int
	Chosen  bool
	Meaning string // of the ends of the scale, for those who only hear it
}

func (p *pages) survey(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		p.ask(w, r)
	case http.MethodPost:
		p.vote(w, r)
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		p.problem(w, r, http.StatusMethodNotAllowed, nil)
	}
}

// asked finds what a survey's link leads to.
func (p *pages) asked(r *http.Request) (*asked, error) {
	rules := p.opt.Rules()
	id, err := rules.Keys.ParseSurveyToken(r.PathValue("token"))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoPage, err)
	}
	s, err := p.opt.DB.Survey(r.Context(), id)
	if err == nil && s.Asked.IsZero() {
		err = store.ErrNotFound
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("%w: survey %d: %w", errNoPage, id, err)
	}
	if err != nil {
		return nil, err
	}
	t, err := p.opt.DB.Ticket(r.Context(), s.Ticket)
	if err != nil {
		return nil, err
	}
	brand, known := p.opt.Brands()[s.Brand]
	if _, decides := rules.Brands[s.Brand]; !known || !decides {
		return nil, fmt.Errorf("%w: survey %d", errNoPage, id)
	}
	if err := p.welcome(r, s.Person); err != nil {
		return nil, err
	}
	a := &asked{survey: s, visit: visit{ticket: t, brand: brand, rules: rules, now: p.opt.Now(), token: normalToken(r)}}
	a.words = wordsOf(t.Language, brand.Language)
	a.person = tickets.Participant{Person: s.Person, Address: tickets.Address{Address: s.Address}}
	if s.Answered.IsZero() && !s.Open(a.now) {
		return a, errOver
	}
	return a, nil
}

// ask answers GET and HEAD. It reads, and nothing else.
func (p *pages) ask(w http.ResponseWriter, r *http.Request) {
	a, err := p.asked(r)
	switch {
	case errors.Is(err, errOver):
		p.problem(w, r, http.StatusGone, &a.visit)
	case err != nil:
		p.lost(w, r, err)
	case r.URL.Query().Get("done") == "1" || !a.survey.Open(a.now):
		p.render(w, r, http.StatusOK, a.thanks())
	default:
		chosen, typed := a.answered()
		if n, err := strconv.Atoi(r.URL.Query().Get("score")); err == nil && a.survey.Kind.Takes(n) {
			chosen = n
		}
		p.render(w, r, http.StatusOK, a.page("", chosen, typed))
	}
}

// answered is what was answered so far; the score is -1 when nothing was.
func (a *asked) answered() (int, string) {
	if a.survey.Answered.IsZero() {
		return -1, ""
	}
	return a.survey.Score, a.survey.Comment
}

func (a *asked) base(name, title string) page {
	pg := a.visit.base(name, title)
	pg.Link, pg.Topic = "/s/"+a.token, topic(a.ticket.Subject, a.words)
	return pg
}

func (a *asked) page(notice string, chosen int, typed string) page {
	q := a.words.Surveys[a.survey.Kind]
	question := q.Question
	if a.survey.Kind == tickets.SurveyNPS {
		question = fmt.Sprintf(q.Question, a.name())
	}
	pg := a.base("survey", question)
	pg.Notice, pg.Typed, pg.State = notice, typed, a.state()
	pg.LeastMeans, pg.MostMeans = q.Least, q.Most
	pg.Nonce = a.rules.Keys.Nonce("/s/"+a.token, actionVote)
	pg.Button = a.words.Send
	if !a.survey.Answered.IsZero() {
		pg.Button, pg.Says = a.words.Change, a.words.Answered
	}
	least, most := a.survey.Kind.Scale()
	for n := least; n <= most; n++ {
		c := choice{Score: n, Chosen: n == chosen}
		switch n {
		case least:
			c.Meaning = q.Least
		case most:
			c.Meaning = q.Most
		}
		pg.Choices = append(pg.Choices, c)
	}
	return pg
}

func (a *asked) thanks() page {
	pg := a.base("voted", a.words.Done)
	pg.Text = a.words.Voted
	if !a.survey.Open(a.now) {
		pg.Link = ""
	}
	return pg
}

// state names what was answered when the page was shown: two posts of one page
// with the same words are one row.
func (a *asked) state() string {
	s := a.survey
	sum := sha256.Sum256([]byte(s.Comment))
	return fmt.Sprintf("%d.%d.%s", stamp(s.Answered), s.Score, hex.EncodeToString(sum[:4]))
}

// vote takes a posted answer, as press does.
func (p *pages) vote(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		p.problem(w, r, badForm(err), nil)
		return
	}
	a, err := p.asked(r)
	if errors.Is(err, errOver) {
		p.problem(w, r, http.StatusGone, &a.visit)
		return
	}
	if err != nil {
		p.lost(w, r, err)
		return
	}
	score, bad := strconv.Atoi(r.PostForm.Get("score"))
	text := cleanText(r.PostForm.Get("text"))
	switch {
	case !a.rules.Keys.VerifyNonce(r.PostForm.Get("nonce"), "/s/"+a.token, actionVote):
		p.problem(w, r, http.StatusForbidden, &a.visit)
		return
	case !a.survey.Open(a.now):
		p.problem(w, r, http.StatusGone, &a.visit)
		return
	case bad != nil || !a.survey.Kind.Takes(score):
		p.render(w, r, http.StatusUnprocessableEntity, a.page(a.words.Choose, -1, text))
		return
	}
	if err := p.record(r, a, score, text); err != nil {
		p.lost(w, r, err)
		return
	}
	http.Redirect(w, r, "/s/"+a.token+"?done=1", http.StatusSeeOther)
}

// record writes the vote to the ledger. It returns nil only after the commit.
func (p *pages) record(r *http.Request, a *asked, score int, text string) error {
	s, t := a.survey, a.ticket
	data, err := json.Marshal(tickets.Button{
		Ticket: t.ID, Person: s.Person, Address: tickets.NormalAddress(s.Address), Action: actionVote, Text: text, Survey: s.ID, Score: score,
	})
	if err != nil {
		return err
	}
	key := a.key(fmt.Sprintf("vote %d %d", s.ID, score), r.PostForm.Get("state"), text)
	item := store.Item{
		Key: key, Brand: s.Brand, Mailbox: t.Mailbox, Queue: t.Queue,
		Channel: tickets.ChannelWeb, Received: a.now, SHA256: sha256.Sum256(data), Data: data,
	}
	added, err := p.opt.DB.Append(r.Context(), []store.Item{item}, nil)
	if err != nil {
		return err
	}
	if added > 0 {
		p.opt.Log.Info("pressed", "ticket", t.ID, "brand", s.Brand, "kind", actionVote)
	}
	p.opt.Wake(s.Brand)
	return nil
}

// recommended shows how a referral code is used. It changes nothing: the code
// counts in a first mail.
func (p *pages) recommended(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		p.problem(w, r, http.StatusMethodNotAllowed, nil)
		return
	}
	rules := p.opt.Rules()
	key, person, err := p.opt.DB.Recommended(r.Context(), tickets.NormalCode(r.PathValue("code")))
	if errors.Is(err, store.ErrNotFound) {
		err = errNoPage
	}
	if err == nil {
		err = p.welcome(r, person)
	}
	brand, known := p.opt.Brands()[key]
	decides := rules.Brands[key]
	if err == nil && (!known || len(decides.Mailboxes) == 0) {
		err = errNoPage
	}
	if err != nil {
		p.lost(w, r, err)
		return
	}
	words := acceptedWords(r)
	if r.Header.Get("Accept-Language") == "" {
		words = wordsOf(brand.Language)
	}
	pg := page{name: "referral", Words: words, Look: lookOf(brand.Color), Brand: brand.Name, Title: fmt.Sprintf(words.Recommended, brand.Name)}
	pg.Code, pg.Mailbox = tickets.NormalCode(r.PathValue("code")), decides.Mailboxes[0].Address
	p.render(w, r, http.StatusOK, pg)
}
