package web

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
)

// look are the colours of a page, made from the brand's so that everything on
// it can be read: text stands out at 4.5 to 1, what marks a control at 3 to 1
// (WCAG 2.2, 1.4.3 and 1.4.11).
type look struct {
	Brand   template.CSS // the bar and the main button
	OnBrand template.CSS // text on it
	Light   template.CSS // the brand's colour as text and edges on white
	Dark    template.CSS // the same on the dark page
}

// The grounds of the two schemes, as pages/layout.html has them.
var (
	lightGround = rgb{255, 255, 255}
	darkGround  = rgb{28, 29, 33}
)

// fallback is the colour of pages that belong to no brand.
var fallback = rgb{0x1f, 0x4e, 0x79}

// lookOf reads #rrggbb; anything else gives the fallback.
func lookOf(color string) look {
	c, ok := readColor(color)
	if !ok {
		c = fallback
	}
	on := rgb{255, 255, 255}
	if dark := (rgb{0, 0, 0}); contrast(c, dark) > contrast(c, on) {
		on = dark
	}
	return look{c.css(), on.css(), c.against(lightGround).css(), c.against(darkGround).css()}
}

type rgb [3]uint8

func readColor(s string) (c rgb, ok bool) {
	if len(s) != 7 || s[0] != '#' {
		return c, false
	}
	n, err := strconv.ParseUint(s[1:], 16, 32)
	return rgb{uint8(n >> 16), uint8(n >> 8), uint8(n)}, err == nil // #nosec G115 -- octets of a colour
}

// css is safe in a style element: it is made of numbers.
func (c rgb) css() template.CSS {
	return template.CSS(fmt.Sprintf("#%02x%02x%02x", c[0], c[1], c[2])) // #nosec G203 -- made of numbers
}

// against moves the colour away from the ground until it can be read on it.
func (c rgb) against(ground rgb) rgb {
	to := rgb{0, 0, 0}
	if luminance(ground) < 0.18 {
		to = rgb{255, 255, 255}
	}
	for step := range 20 {
		if m := c.mix(to, float64(step)/20); contrast(m, ground) >= 4.5 {
			return m
		}
	}
	return to
}

func (c rgb) mix(with rgb, share float64) (out rgb) {
	for i := range c {
		out[i] = uint8(math.Round(float64(c[i])*(1-share) + float64(with[i])*share))
	}
	return out
}

// contrast and luminance are as WCAG 2.2 defines them.
func contrast(a, b rgb) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(c rgb) float64 {
	part := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 0.2126*part(c[0]) + 0.7152*part(c[1]) + 0.0722*part(c[2])
}
