package parser

func detectLanguage(s string) string { return "" }
