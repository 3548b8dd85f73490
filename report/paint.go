package report

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// canvas is a picture with an origin at its upper left; its places and sizes
// are CSS pixels.
type canvas struct {
	img  *image.RGBA
	face font.Face // not for several goroutines
}

type point struct{ x, y float64 }

// textSize is large enough to read when a telephone shows a chart at half its
// width.
const textSize = 15

// newFace reads the font, which is embedded: the same figures give the same
// picture everywhere. It takes a millisecond or two, so that nobody needs to
// keep it until the next report.
func newFace() (font.Face, error) {
	f, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return nil, fmt.Errorf("read the font of charts: %w", err)
	}
	return opentype.NewFace(f, &opentype.FaceOptions{Size: textSize, DPI: 72 * sharp, Hinting: font.HintingNone})
}

func newCanvas(width, height int, ground color.Color, face font.Face) *canvas {
	img := image.NewRGBA(image.Rect(0, 0, width*sharp, height*sharp))
	draw.Draw(img, img.Bounds(), image.NewUniform(ground), image.Point{}, draw.Src)
	return &canvas{img: img, face: face}
}

func (c *canvas) png() ([]byte, error) {
	var b bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestCompression}
	err := enc.Encode(&b, c.img)
	return b.Bytes(), err
}

func whole(v float64) int { return int(math.Round(v * sharp)) }

// rect fills a rectangle whose edges fall on pixels: straight edges are sharp.
func (c *canvas) rect(fill color.Color, x0, y0, x1, y1 float64) {
	draw.Draw(c.img, image.Rect(whole(x0), whole(y0), whole(x1), whole(y1)), image.NewUniform(fill), image.Point{}, draw.Over)
}

// polygon fills the ground that the corners enclose.
func (c *canvas) polygon(fill color.Color, corners ...point) {
	low, high := corners[0], corners[0]
	for _, p := range corners {
		low, high = point{min(low.x, p.x), min(low.y, p.y)}, point{max(high.x, p.x), max(high.y, p.y)}
	}
	// The rasterizer has the size of the shape: it clears and reads all of itself.
	box := image.Rect(int(low.x*sharp), int(low.y*sharp), int(high.x*sharp)+1, int(high.y*sharp)+1)
	r := vector.NewRasterizer(box.Dx(), box.Dy())
	for i, p := range corners {
		x, y := float32(p.x*sharp)-float32(box.Min.X), float32(p.y*sharp)-float32(box.Min.Y)
		if i == 0 {
			r.MoveTo(x, y)
		} else {
			r.LineTo(x, y)
		}
	}
	r.ClosePath()
	r.Draw(c.img, box, image.NewUniform(fill), image.Point{})
}

func (c *canvas) disc(fill color.Color, at point, radius float64) {
	const corners = 48 // more than anybody sees
	var around [corners]point
	for i := range around {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / corners)
		around[i] = point{at.x + radius*cos, at.y + radius*sin}
	}
	c.polygon(fill, around[:]...)
}

// polyline draws a line through points, with round corners and ends.
func (c *canvas) polyline(ink color.Color, width float64, points []point) {
	for i, b := range points {
		c.disc(ink, b, width/2)
		if i == 0 {
			continue
		}
		a := points[i-1]
		length := math.Hypot(b.x-a.x, b.y-a.y)
		if length == 0 {
			continue
		}
		dx, dy := (b.y-a.y)/length*width/2, (a.x-b.x)/length*width/2
		c.polygon(ink, point{a.x + dx, a.y + dy}, point{b.x + dx, b.y + dy}, point{b.x - dx, b.y - dy}, point{a.x - dx, a.y - dy})
	}
}

// width is that of the widest line of s.
func (c *canvas) width(s string) (widest float64) {
	for line := range strings.SplitSeq(s, "\n") {
		widest = max(widest, float64(font.MeasureString(c.face, line))/64/sharp)
	}
	return widest
}

// text writes one line. at is its baseline, at its left end for align 0, its
// middle for 0.5 and its right end for 1.
func (c *canvas) text(ink color.Color, s string, at point, align float64) {
	x := at.x*sharp - align*float64(font.MeasureString(c.face, s))/64
	d := font.Drawer{Dst: c.img, Src: image.NewUniform(ink), Face: c.face, Dot: fixed.P(int(math.Round(x)), whole(at.y))}
	d.DrawString(s)
}
