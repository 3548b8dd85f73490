// Package knowledge holds the articles that answer common requests, and finds
// the few that fit a new one.
//
// An article is a Markdown file with front matter, in a folder that the operator
// keeps as he likes (with git, by hand); the desk reads it and writes nothing:
//
//	---
//	id: paper-jam            # default: the file's name
//	title: Clear a paper jam
//	brand: [baleyo]          # whose customers it is for; default all
//	language: en             # of its words; default: it suits every language
//	tags: [paper jam, paper stuck, E-52]
//	summary: How to open the rear door and take the paper out.
//	link: https://www.example.com/help/paper-jam
//	audience: customers      # or agents: shown to nobody else
//	---
//	Switch the printer off. …
//
// [Folder] reads it again where something changed; a file that cannot be read is
// refused by name, and what it said before stays. [Base.Suggest] finds articles
// for a request: rather none than a wrong one. [Base.Search] finds them for
// people, who judge for themselves.
//
// Finding is BM25 over title, tags, summary and body, in memory and not in SQL:
// the answer is then the same on SQLite and on PostgreSQL, depends on the text
// and the articles alone, and costs no transaction anything. A few thousand
// articles fit easily: on a busy machine of two cores, 5,000 of 2 KB are indexed
// in about a second, and a request that has words of each of them is answered in
// 20 ms (BenchmarkIndex5000, BenchmarkSuggest5000).
package knowledge
