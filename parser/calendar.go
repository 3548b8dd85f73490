package parser

func (p *parse) calendar() *Calendar { return nil }
