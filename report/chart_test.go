package report

import (
	"image/color"
	"math"
	"testing"
)

// What a chart shows is where its scale says: bars end at their values, parts of
// a stack stand on each other, and the line goes through its points.
func TestChartPlaces(t *testing.T) {
	t.Parallel()
	face, err := newFace()
	if err != nil {
		t.Fatal(err)
	}
	red, green := color.RGBA{0xcc, 0, 0, 0xff}, color.RGBA{0, 0x99, 0, 0xff}
	ticks := []float64{0, 50, 100}
	// rows are the lowest and the highest row of a colour, from the foot of the picture.
	rows := func(c *chart, want color.RGBA) (low, high int) {
		img := c.paint(face).img
		low = math.MaxInt
		for y := range img.Bounds().Dy() {
			for x := range img.Bounds().Dx() {
				if img.RGBAAt(x, y) == want {
					from := img.Bounds().Dy() - y
					low, high = min(low, from), max(high, from)
				}
			}
		}
		return low, high
	}
	near := func(what string, got, want int) {
		t.Helper()
		if d := got - want; d < -3 || d > 3 { // the gap between parts, and the stroke of the axis
			t.Errorf("%s: %d, want about %d", what, got, want)
		}
	}
	columns := func(bars ...bar) *chart {
		return &chart{ticks: ticks, names: []string{"a", "b"}, wide: 20, bars: bars}
	}
	foot, whole := rows(columns(bar{to: 100, color: red}), red)
	_, half := rows(columns(bar{to: 50, color: red}), red)
	near("half as high", half-foot, (whole-foot)/2)
	low, high := rows(columns(bar{to: 50, color: red}, bar{from: 50, to: 100, color: green}), green)
	near("upper part begins", low, half)
	near("upper part ends", high, whole)
	if low, high := rows(columns(bar{to: 0, color: red, above: "0"}), red); high != 0 {
		t.Errorf("a bar of nothing is drawn from %d to %d", low, high)
	}
	if _, high := rows(columns(bar{to: 0.1, color: red}), red); high == 0 {
		t.Error("a bar of little is not to be seen")
	}
	line := &chart{ticks: ticks, names: []string{"a", "b", "c"}, line: []float64{50, 100, 0}, color: red}
	_, high = rows(line, red)
	near("the line's highest point", high, whole+2) // half its stroke above
	// Names of two lines, and a value that stands over a bar, leave the scale right.
	c := columns(bar{to: 100, color: red, above: "100"}, bar{column: 1, to: 50, color: green})
	c.names = []string{"a\nb", "c"}
	foot, whole = rows(c, red)
	_, half = rows(c, green)
	near("half as high, with a value over it", half-foot, (whole-foot)/2)
}
