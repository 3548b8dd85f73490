// Package report shows the figures of a desk to people and to programs: as text
// of 80 columns, as HTML that mail programs show, as charts, as JSON and as CSV.
//
// It counts nothing (tickets.Figures holds what was counted), reads no clock and
// does no input or output: the same figures give the same bytes.
//
// Text and HTML say the same, section by section: sections.go writes them once
// as tables of words.
package report
