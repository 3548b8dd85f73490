package report

import (
	"image/color"
	"strconv"
	"strings"

	"golang.org/x/image/font"
)

// chart is what a picture shows, before it has places: columns from left to
// right that hold bars, or one line through their middles.
type chart struct {
	ticks  []float64 // values with a line of the grid, from 0 to above all others
	names  []string  // of the columns, up to two lines each; "" none
	legend []mark    // above it, where there is more than one thing

	bars []bar
	wide float64 // of one bar, CSS pixels

	line  []float64 // a value for each column; nil for bars
	color color.RGBA
	dots  bool // the line's values are marked
}

// bar stands in a column from one value to another.
type bar struct {
	column   int
	from, to float64
	color    color.RGBA
	aside    float64 // from the middle of its column to its own
	above    string  // what is written over it
}

// mark is one entry of a legend.
type mark struct {
	color color.RGBA
	name  string
}

const (
	edge     = 10 // around everything
	lineGap  = 16 // from one baseline to the next
	capitals = 11 // of capitals and digits above the baseline
)

// plan is where the parts of a chart have their places.
type plan struct {
	*chart
	*canvas
	left, right, top, bottom float64 // of the ground on which bars stand
}

// paint gives everything its place and draws it.
func (c *chart) paint(face font.Face) *canvas {
	p := plan{chart: c, canvas: newCanvas(chartWidth, chartHeight, paper, face), top: edge + 6, right: chartWidth - edge}
	for _, v := range c.ticks {
		p.left = max(p.left, p.width(strconv.Itoa(int(v))))
	}
	p.left += edge + 7
	if len(c.legend) > 0 {
		p.top = 44
		p.drawLegend()
	}
	lines := 1
	for _, name := range c.names {
		lines = max(lines, 1+strings.Count(name, "\n"))
	}
	p.bottom = chartHeight - edge - float64(lines)*lineGap - 8
	for _, b := range c.bars {
		if b.above != "" && b.to > c.ticks[len(c.ticks)-1]*0.9 { // there is room for what stands over it
			p.top += 12
			break
		}
	}
	p.drawGrid()
	p.drawNames()
	if c.line != nil {
		p.drawLine()
	}
	p.drawBars()
	return p.canvas
}

// x is the middle of a column.
func (p plan) x(column int) float64 {
	margin := 0.5 // of a column, before the first and after the last
	if p.line != nil {
		margin = 0.3
	}
	return p.left + (float64(column)+margin)/(float64(len(p.names))-1+2*margin)*(p.right-p.left)
}

// y is the height of a value.
func (p plan) y(value float64) float64 {
	return p.bottom - value/p.ticks[len(p.ticks)-1]*(p.bottom-p.top)
}

func (p plan) drawLegend() {
	x, base := float64(edge+4), 25.0
	for _, m := range p.legend {
		p.rect(m.color, x, base-12, x+13, base+1)
		p.text(ink, m.name, point{x + 18, base}, 0)
		x += 18 + p.width(m.name) + 18
	}
}

func (p plan) drawGrid() {
	for i, v := range p.ticks {
		y, stroke := p.y(v), faint
		if i == 0 {
			stroke = axis
		}
		p.rect(stroke, p.left, y-0.5, p.right, y+0.5)
		p.text(ink, strconv.Itoa(int(v)), point{p.left - 7, y + capitals/2}, 1)
	}
}

// drawNames keeps the first and the last name within the picture.
func (p plan) drawNames() {
	for i, name := range p.names {
		base := p.bottom + 8 + capitals
		half := p.width(name) / 2
		x := min(max(p.x(i), 4+half), chartWidth-4-half)
		for line := range strings.SplitSeq(name, "\n") {
			p.text(ink, line, point{x, base}, 0.5)
			base += lineGap
		}
	}
}

func (p plan) drawLine() {
	points := make([]point, len(p.line))
	for i, v := range p.line {
		points[i] = point{p.x(i), p.y(v)}
	}
	first, last := points[0], points[len(points)-1]
	p.polygon(pale(p.color), append([]point{{first.x, p.bottom - 0.5}}, append(points, point{last.x, p.bottom - 0.5})...)...)
	p.polyline(p.color, 2.5, points)
	if p.dots {
		for _, at := range points {
			p.disc(p.color, at, 3.5)
		}
	}
}

// pale is a colour as it looks through paper.
func pale(c color.RGBA) color.RGBA {
	mix := func(v uint8) uint8 { return uint8((int(v) + 4*255) / 5) } // #nosec G115 -- a mean of two octets
	return color.RGBA{mix(c.R), mix(c.G), mix(c.B), 0xff}
}

func (p plan) drawBars() {
	for _, b := range p.bars {
		// A width in whole pixels: all bars look alike wherever they fall.
		x := float64(whole(p.x(b.column)+b.aside-p.wide/2)) / sharp
		top, foot := p.y(b.to), p.bottom-0.5
		if b.from > 0 {
			foot = p.y(b.from) - 1 // parts of a stack stand apart
		}
		if b.to > b.from {
			p.rect(b.color, x, min(top, foot-1), x+p.wide, foot)
		}
		if b.above == "" {
			continue
		}
		middle, half := x+p.wide/2, p.width(b.above)/2
		p.rect(paper, middle-half-1, top-capitals-5, middle+half+1, top-2) // no line of the grid through figures
		p.text(ink, b.above, point{middle, top - 4}, 0.5)
	}
}
