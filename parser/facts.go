package parser

func (p *parse) findFacts() {}
