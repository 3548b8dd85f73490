package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"frontdesk/config"
	"frontdesk/knowledge"
	"frontdesk/tickets"
)

// shelf is the folder of articles of a configuration. It is read when it is
// first asked, so that a command that needs no article reads none.
type shelf struct {
	dir    string
	open   func() (*knowledge.Folder, error)
	mu     sync.Mutex
	told   bool   // what was wrong at the opening was said
	silent string // the last failure to read the folder, said once
}

// newShelf returns nil without a folder.
func newShelf(dir string) *shelf {
	if dir == "" {
		return nil
	}
	return &shelf{dir: dir, open: sync.OnceValues(func() (*knowledge.Folder, error) { return knowledge.Open(dir) })}
}

// shelfOf keeps the shelf of before where the folder is the same.
func shelfOf(cfg *config.Config, before *shelf) *shelf {
	if before != nil && before.dir == cfg.KnowledgeDir {
		return before
	}
	return newShelf(cfg.KnowledgeDir)
}

func (s *shelf) base() *knowledge.Base {
	f, _ := s.open() // what is wrong is said where the folder is followed
	return f.Base()
}

// into gives the articles to the rules.
func (s *shelf) into(r *tickets.Rules) {
	if s == nil {
		return
	}
	r.Suggest = func(brand, language, text string) []tickets.Article {
		var out []tickets.Article
		for _, h := range s.base().Suggest(brand, language, text) {
			out = append(out, articleOf(h.Article, h.Score))
		}
		return out
	}
	r.Article = func(id string) (tickets.Article, bool) {
		a, ok := s.base().Article(id)
		return articleOf(a, 0), ok
	}
	r.ArticleIDs = func() []string { return s.base().IDs() }
}

func articleOf(a knowledge.Article, score float64) tickets.Article {
	return tickets.Article{
		ID: a.ID, Title: a.Title, Summary: a.Summary, Link: a.Link, Body: a.Body, Score: score,
		Internal: a.Audience == knowledge.Agents, Brands: a.Brands,
	}
}

// returnsOf says what may go back.
func returnsOf(cfg *config.Config) tickets.ReturnRules {
	return tickets.ReturnRules{Days: cfg.Returns.Days, SendDays: cfg.Returns.SendDays, Address: cfg.Returns.Address}
}

// look reads what changed in the folder, and says what is wrong with it: once,
// until it changes again.
func (s *shelf) look(log *slog.Logger) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.open()
	changed := false
	if s.told {
		changed, err = f.Look()
	}
	s.told = true
	failure := ""
	for _, one := range wrongs(err) {
		if p, ok := errors.AsType[knowledge.Problem](one); ok {
			log.Warn("article refused", "file", p.File, "err", p)
			continue
		}
		if failure = one.Error(); failure != s.silent {
			log.Warn("articles not read", "file", s.dir, "err", one)
		}
	}
	s.silent = failure
	if changed {
		log.Info("articles read", "file", s.dir, "count", len(f.Base().IDs()))
	}
}

// articlesEvery is how often the folder is looked at.
const articlesEvery = 30 * time.Second

// followArticles keeps the articles as their files are. A reload looks, too.
func (dm *daemon) followArticles(ctx context.Context) error {
	tick := time.NewTicker(articlesEvery)
	defer tick.Stop()
	for {
		dm.current.Load().articles.look(dm.log)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// wrongs are the single errors that err joins, none for nil.
func wrongs(err error) []error {
	if err == nil {
		return nil
	}
	return leaves(err)
}

// articleNotes are what is wrong with the articles: the desk works without them.
func articleNotes(cfg *config.Config) config.Findings {
	if cfg.KnowledgeDir == "" {
		return nil
	}
	_, err := knowledge.Open(cfg.KnowledgeDir)
	var out config.Findings
	for _, one := range wrongs(err) {
		out = append(out, cfg.Finding("knowledge_dir", one.Error()))
	}
	return out
}
