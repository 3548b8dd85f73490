package parser

// forwardedMessage describes what the mail forwards.
func (p *parse) forwardedMessage() *Forwarded { return nil }
