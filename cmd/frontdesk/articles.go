package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"frontdesk/knowledge"
	"frontdesk/store"
)

func articlesCommand() *cobra.Command {
	return group("articles", "the knowledge base, and what it is good for",
		`Articles are Markdown files in the folder that knowledge_dir names. They are
suggested to customers in the acknowledgement and to agents with a new request;
an agent sends one with #kb.`,
		"  frontdesk articles list\n  frontdesk articles search paper jam",
		articlesListCommand(), articlesSearchCommand())
}

// articleJSON is what "articles list --json" prints, one object a line.
type articleJSON struct {
	ID       string   `json:"id"`
	Title    string   `json:"title,omitempty"`
	Brands   []string `json:"brands,omitempty"`
	Language string   `json:"language,omitempty"`
	Audience string   `json:"audience,omitempty"`
	Link     string   `json:"link,omitempty"`
	File     string   `json:"file,omitempty"`
	Shown    int      `json:"shown"`
	Inserted int      `json:"inserted"`
	Solved   int      `json:"solved"`
	Gone     bool     `json:"gone,omitempty"` // counted, and not in the folder any more
	Score    float64  `json:"score,omitempty"`
}

func articleToJSON(a knowledge.Article) articleJSON {
	return articleJSON{ID: a.ID, Title: a.Title, Brands: a.Brands, Language: a.Language, Audience: string(a.Audience), Link: a.Link, File: a.File}
}

func articlesListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list [--json]",
		Short: "which articles there are, and what came of them",
		Long: `List prints every article with how many acknowledgements named it (shown), how
many answers it stood in (inserted), and how many customers said that it solved
their request (solved). Articles that were counted and are not in the folder any
more are listed, too. Files that cannot be read are named on standard error.`,
		Example: "  frontdesk articles list",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, base, err := openArticles(cmd)
			if err != nil {
				return err
			}
			defer d.Close()
			counts, err := d.db.ArticleCounts(cmd.Context())
			if err != nil {
				return failed(err)
			}
			return printList(cmd, asJSON, listed(base.Articles(), counts),
				column[articleJSON]{"ID", func(a articleJSON) string { return a.ID }},
				column[articleJSON]{"LANGUAGE", func(a articleJSON) string { return a.Language }},
				column[articleJSON]{"AUDIENCE", func(a articleJSON) string { return a.Audience }},
				column[articleJSON]{"SHOWN", func(a articleJSON) string { return fmt.Sprint(a.Shown) }},
				column[articleJSON]{"INSERTED", func(a articleJSON) string { return fmt.Sprint(a.Inserted) }},
				column[articleJSON]{"SOLVED", func(a articleJSON) string { return fmt.Sprint(a.Solved) }},
				column[articleJSON]{"TITLE", func(a articleJSON) string { return a.Title }})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return cmd
}

// listed puts articles and counts together: first those that are there.
func listed(articles []knowledge.Article, counts []store.ArticleCount) []articleJSON {
	by := map[string]store.ArticleCount{}
	for _, c := range counts {
		by[c.Article] = c
	}
	var out []articleJSON
	add := func(a articleJSON) {
		c := by[a.ID]
		delete(by, a.ID)
		a.Shown, a.Inserted, a.Solved = c.Shown, c.Inserted, c.Solved
		out = append(out, a)
	}
	for _, a := range articles {
		add(articleToJSON(a))
	}
	for _, c := range counts {
		if _, left := by[c.Article]; left {
			add(articleJSON{ID: c.Article, Gone: true})
		}
	}
	return out
}

func articlesSearchCommand() *cobra.Command {
	var brand string
	var limit int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "search WORDS… [--brand B] [--limit N] [--json]",
		Short: "the articles that have these words",
		Long: `Search prints the articles that have most of the words, best first, in any
language: for people, who judge for themselves. Suggestions to customers are
stricter.`,
		Example: "  frontdesk articles search paper jam",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, base, err := openArticles(cmd)
			if err != nil {
				return err
			}
			defer d.Close()
			var list []articleJSON
			for _, h := range base.Search(brand, strings.Join(args, " "), limit) {
				a := articleToJSON(h.Article)
				a.Score = h.Score
				list = append(list, a)
			}
			return printList(cmd, asJSON, list,
				column[articleJSON]{"ID", func(a articleJSON) string { return a.ID }},
				column[articleJSON]{"LANGUAGE", func(a articleJSON) string { return a.Language }},
				column[articleJSON]{"SCORE", func(a articleJSON) string { return fmt.Sprintf("%.1f", a.Score) }},
				column[articleJSON]{"TITLE", func(a articleJSON) string { return a.Title }})
		},
	}
	f := cmd.Flags()
	f.StringVar(&brand, "brand", "", "of this brand")
	f.IntVar(&limit, "limit", 10, "at most so many")
	f.BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return cmd
}

// openArticles opens the desk and its articles; what cannot be read is said.
func openArticles(cmd *cobra.Command) (*desk, *knowledge.Base, error) {
	d, err := openDesk(cmd, false)
	if err != nil {
		return nil, nil, err
	}
	if d.articles == nil {
		_ = d.Close()
		return nil, nil, failed(errors.New("there is no knowledge base\nhint: name its folder in the configuration, knowledge_dir"))
	}
	f, err := d.articles.open()
	for _, one := range wrongs(err) {
		fmt.Fprintln(cmd.ErrOrStderr(), one)
	}
	return d, f.Base(), nil
}
