package report

// WordsMissing compares the words of a language with the English ones.
func WordsMissing(code string) (missing, extra []string) {
	en, other := languages["en"], languages[code]
	compare := func(a, b map[string]string) (lacks []string) {
		for name := range a {
			if _, ok := b[name]; !ok {
				lacks = append(lacks, name)
			}
		}
		return lacks
	}
	missing = append(compare(en.texts, other.texts), compare(en.clocks, other.clocks)...)
	missing = append(missing, compare(en.narrow, other.narrow)...)
	return append(missing, compare(en.titles, other.titles)...), compare(other.texts, en.texts)
}
