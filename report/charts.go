package report

import (
	"fmt"
	"image/color"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"frontdesk/sla"
	"frontdesk/tickets"
)

// Image is one chart. It has a ground of its own, so that it reads in a dark
// letter, and no words of people: they might be in a script that its font lacks.
type Image struct {
	ID     string // name within the letter: "volume", "backlog", "answers", "kept"
	Title  string
	Alt    string // says in words what it shows
	PNG    []byte
	Width  int // shown so wide, in CSS pixels; the picture has twice as many
	Height int
}

const (
	chartWidth  = 560
	chartHeight = 280
	sharp       = 2 // pixels of the picture for each one shown
	most        = 62
)

var (
	paper  = color.RGBA{0xff, 0xff, 0xff, 0xff}
	ink    = color.RGBA{0x33, 0x33, 0x33, 0xff}
	faint  = color.RGBA{0xdd, 0xdd, 0xdd, 0xff}
	axis   = color.RGBA{0x99, 0x99, 0x99, 0xff}
	before = color.RGBA{0xb8, 0xbf, 0xc6, 0xff}
	// beside the brand's colour: told apart by most who do not tell red from green
	// (Okabe and Ito), and by their order, which is the legend's.
	others = []color.RGBA{{0xe6, 0x9f, 0x00, 0xff}, {0x00, 0x9e, 0x73, 0xff}, {0xcc, 0x79, 0xa7, 0xff}, {0x56, 0xb4, 0xe9, 0xff}, {0x99, 0x99, 0x99, 0xff}}
)

// Charts draws what there is to draw of the figures, at most four pictures.
// brand is the brand's colour, #rrggbb; any other value gives a calm blue.
func Charts(f tickets.Figures, language, brand string) ([]Image, error) {
	if f.Empty() {
		return nil, nil
	}
	d := drawing{f: f, w: spoken(language), main: brandColor(brand)}
	face, err := newFace()
	if err != nil {
		return nil, err
	}
	defer func() { _ = face.Close() }()
	var out []Image
	for _, plan := range []func() (Image, *chart){d.volume, d.backlog, d.answers, d.kept} {
		img, c := plan()
		if c == nil {
			continue
		}
		if img.PNG, err = c.paint(face).png(); err != nil {
			return nil, fmt.Errorf("draw chart %q: %w", img.ID, err)
		}
		img.Width, img.Height = chartWidth, chartHeight
		out = append(out, img)
	}
	return out, nil
}

var hexColor = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// brandColor reads a colour, and darkens one that would be lost on paper.
func brandColor(s string) color.RGBA {
	c := color.RGBA{0x2f, 0x6f, 0xab, 0xff}
	if hexColor.MatchString(s) {
		n, _ := strconv.ParseUint(s[1:], 16, 32)
		c = color.RGBA{uint8(n >> 16), uint8(n >> 8), uint8(n), 0xff} // #nosec G115 -- octets of a colour
	}
	for contrast(c) < 3 { // WCAG 2.2, 1.4.11: graphics
		c = color.RGBA{uint8(int(c.R) * 9 / 10), uint8(int(c.G) * 9 / 10), uint8(int(c.B) * 9 / 10), 0xff} // #nosec G115 -- less than the octet it was
	}
	return c
}

// contrast is that of a colour with white (WCAG 2.2, relative luminance).
func contrast(c color.RGBA) float64 {
	part := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 1.05 / (0.2126*part(c.R) + 0.7152*part(c.G) + 0.0722*part(c.B) + 0.05)
}

type drawing struct {
	f    tickets.Figures
	w    *words
	main color.RGBA
}

// bin is one bar of the volume: a day, or a week of a long period.
type bin struct {
	label   string
	long    string
	opened  map[tickets.Channel]int
	backlog int
}

// bins are the days, or the weeks when there are many days.
func (d drawing) bins() []bin {
	step := 1
	if len(d.f.Days) > most {
		step = 7
	}
	var out []bin
	for i, day := range d.f.Days {
		if i%step == 0 {
			b := bin{label: d.label(day.Date), long: d.w.day(day.Date), opened: map[tickets.Channel]int{}}
			if step > 1 {
				b.long = fmt.Sprintf(d.w.say("week of"), b.long)
			}
			out = append(out, b)
		}
		last := &out[len(out)-1]
		last.backlog = day.Backlog
		for c, n := range day.Opened {
			last.opened[c] += n
		}
	}
	return out
}

// label names a day below its bar: "Mon 16" in a week, "16" in a month, "16.11."
// in a longer time.
func (d drawing) label(day sla.Date) string {
	switch n := len(d.f.Days); {
	case n <= 8:
		return fmt.Sprintf("%s %d", d.w.days[weekday(day)], day.Day)
	case n <= 31:
		return strconv.Itoa(day.Day)
	}
	return fmt.Sprintf("%d.%d.", day.Day, day.Month)
}

func weekday(d sla.Date) int {
	sunday := sla.Date{Year: 2024, Month: 1, Day: 7}
	return ((d.Since(sunday) % 7) + 7) % 7
}

// volume stacks what came by channel.
func (d drawing) volume() (Image, *chart) {
	bins := d.bins()
	totals := map[tickets.Channel]int{}
	best, sum := 0, 0
	tops := make([]int, len(bins))
	for i, b := range bins {
		for c, n := range b.opened {
			totals[c] += n
			tops[i] += n
			sum += n
		}
		if tops[i] > tops[best] {
			best = i
		}
	}
	if sum == 0 {
		return Image{}, nil
	}
	var channels []tickets.Channel
	for c := range totals {
		channels = append(channels, c)
	}
	slices.SortFunc(channels, func(a, b tickets.Channel) int {
		if totals[a] != totals[b] {
			return totals[b] - totals[a]
		}
		return strings.Compare(string(a), string(b))
	})
	p := &chart{ticks: wholeTicks(slices.Max(tops)), names: thin(bins)}
	var parts []string
	heights := make([]int, len(bins))
	for i, c := range channels {
		for j, b := range bins {
			if n := b.opened[c]; n > 0 {
				p.bars = append(p.bars, bar{column: j, from: float64(heights[j]), to: float64(heights[j] + n), color: d.color(i)})
				heights[j] += n
			}
		}
		p.legend = append(p.legend, mark{d.color(i), d.w.channel(string(c))})
		parts = append(parts, fmt.Sprintf("%s %d", d.w.channel(string(c)), totals[c]))
	}
	p.wide = barWidth(len(bins))
	alt := fmt.Sprintf(d.w.say("alt volume"), sum, strings.Join(parts, ", "), bins[best].long, tops[best])
	return Image{ID: "volume", Title: d.w.say("chart volume"), Alt: alt}, p
}

// color is that of the i-th of several things.
func (d drawing) color(i int) color.RGBA {
	if i == 0 {
		return d.main
	}
	far := slices.DeleteFunc(slices.Clone(others), func(c color.RGBA) bool { return alike(c, d.main) })
	return far[(i-1)%len(far)]
}

// alike reports whether two colours are hard to tell apart, by their distance in
// RGB: at most two of the others are that near to one.
func alike(a, b color.RGBA) bool {
	part := func(x, y uint8) float64 { return float64(int(x)-int(y)) * float64(int(x)-int(y)) }
	return math.Sqrt(part(a.R, b.R)+part(a.G, b.G)+part(a.B, b.B)) < 90
}

func barWidth(n int) float64 { return min(44, 0.68*470/float64(max(n, 1))) }

// backlog is a line with the ground below it filled.
func (d drawing) backlog() (Image, *chart) {
	bins := d.bins()
	top := d.f.Total.Before.Backlog
	values := make([]float64, len(bins))
	for i, b := range bins {
		values[i] = float64(b.backlog)
		top = max(top, b.backlog)
	}
	if top == 0 || len(bins) < 2 {
		return Image{}, nil
	}
	p := &chart{ticks: wholeTicks(top), names: thin(bins), line: values, color: d.main, dots: len(bins) <= 31}
	alt := fmt.Sprintf(d.w.say("alt backlog"), d.f.Total.Before.Backlog, d.f.Total.Period.Backlog, top)
	return Image{ID: "backlog", Title: d.w.say("chart backlog"), Alt: alt}, p
}

// answers shows how long first responses took.
func (d drawing) answers() (Image, *chart) {
	p := &chart{wide: barWidth(len(d.f.Answers))}
	names := between(d.f.Answers, d.w)
	var parts []string
	sum, top := 0, 0
	for i, s := range d.f.Answers {
		p.bars = append(p.bars, bar{column: i, to: float64(s.Count), color: d.main, above: strconv.Itoa(s.Count)})
		sum, top = sum+s.Count, max(top, s.Count)
		parts = append(parts, fmt.Sprintf("%s %d", names[i], s.Count))
		p.names = append(p.names, d.bound(i))
	}
	if sum == 0 {
		return Image{}, nil
	}
	p.ticks = wholeTicks(top)
	alt := fmt.Sprintf(d.w.say("alt answers"), strings.Join(parts, ", "))
	return Image{ID: "answers", Title: d.w.say("chart answers"), Alt: alt}, p
}

// bound names a part of the distribution in little room: "< 1 h", "1–2 h", "> 3 d".
func (d drawing) bound(i int) string {
	list := d.f.Answers
	switch {
	case i == 0:
		return "< " + span(list[0].UpTo)
	case list[i].UpTo == 0:
		return "> " + span(list[i-1].UpTo)
	}
	a, b := span(list[i-1].UpTo), span(list[i].UpTo)
	if number, unit, ok := strings.Cut(a, " "); ok && strings.HasSuffix(b, unit) {
		a = number
	}
	return a + "–" + b
}

// kept compares promises and satisfaction, in percent, with the period before.
func (d drawing) kept() (Image, *chart) {
	p := &chart{ticks: []float64{0, 25, 50, 75, 100}}
	var parts []string
	compared := false
	add := func(name, narrow string, a float64, ok bool, b float64, okBefore bool) {
		if !ok {
			return
		}
		column, part := len(p.names), name+" "+d.w.percent(a, true)
		p.names = append(p.names, narrow)
		p.bars = append(p.bars, bar{column: column, to: 100 * a, color: d.main, above: strconv.Itoa(int(math.Round(100 * a)))})
		if okBefore {
			compared = true
			p.bars = append(p.bars, bar{column: column, to: 100 * b, color: before, above: strconv.Itoa(int(math.Round(100 * b)))})
			part += " (" + d.w.say("chart before") + " " + d.w.percent(b, true) + ")"
		}
		parts = append(parts, part)
	}
	a, b := d.f.Total.Period, d.f.Total.Before
	for _, clock := range sla.Clocks {
		share, ok := a.Promise(clock).Share()
		was, okBefore := b.Promise(clock).Share()
		add(d.w.clock(clock), d.w.narrow[string(clock)], share, ok, was, okBefore)
	}
	csat, was := a.Survey(tickets.SurveyCSAT), b.Survey(tickets.SurveyCSAT)
	add(d.w.say("good csat"), d.w.narrow["csat"], csat.Good, csat.Answered > 0, was.Good, was.Answered > 0)
	if len(p.names) == 0 {
		return Image{}, nil
	}
	p.wide = min(38, 0.36*470/float64(len(p.names)))
	p.legend = []mark{{d.main, d.w.say("chart period")}}
	if compared {
		p.legend = []mark{{before, d.w.say("chart before")}, {d.main, d.w.say("chart period")}}
		for i := range p.bars {
			if p.bars[i].aside = p.wide/2 + 1; p.bars[i].color == before {
				p.bars[i].aside *= -1
			}
		}
	}
	alt := fmt.Sprintf(d.w.say("alt kept"), strings.Join(parts, ", "))
	return Image{ID: "kept", Title: d.w.say("chart kept"), Alt: alt}, p
}

// wholeTicks are three to six whole numbers from 0 to above top.
func wholeTicks(top int) (ticks []float64) {
	step := 1
	for unit := 1; ; unit *= 10 {
		for _, n := range []int{1, 2, 5} {
			if step = n * unit; top <= 5*step {
				for v := 0; ; v += step {
					ticks = append(ticks, float64(v))
					if v >= top && v > 0 {
						return ticks
					}
				}
			}
		}
	}
}

// thin names the bins, as many as there is room for.
func thin(bins []bin) []string {
	names := make([]string, len(bins))
	every := (len(bins) + 15) / 16
	if len(bins) > 16 && len(bins[0].label) > 3 {
		every = (len(bins) + 9) / 10
	}
	for i, b := range bins {
		if i%every == 0 {
			names[i] = b.label
		}
	}
	return names
}
