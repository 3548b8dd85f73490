package parser

func isTNEF(p *part, data []byte) bool { return false }

type tnef struct{}

func readTNEF(data []byte) (tnef, bool) { return tnef{}, false }

func (b *bodyReader) attachTNEF(t tnef) []shown { return nil }
