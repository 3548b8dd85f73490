package report

import (
	"bytes"
	"fmt"
	"image/color"
	"image/png"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

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
	before = color.RGBA{0xb8, 0xbf, 0xc6, 0xff}
	// beside the brand's colour: told apart by most who do not tell red from green
	// (Okabe and Ito), and by their order, which is the legend's.
	others = []color.RGBA{{0xe6, 0x9f, 0x00, 0xff}, {0x00, 0x9e, 0x73, 0xff}, {0xcc, 0x79, 0xa7, 0xff}, {0x56, 0xb4, 0xe9, 0xff}, {0x99, 0x99, 0x99, 0xff}}
)

// fonts are embedded: the same figures give the same picture everywhere.
var fonts = font.NewCache(liberation.Collection())

// Charts draws what there is to draw of the figures, at most four pictures.
// brand is the brand's colour, #rrggbb; any other value gives a calm blue.
func Charts(f tickets.Figures, language, brand string) ([]Image, error) {
	if f.Empty() {
		return nil, nil
	}
	d := drawing{f: f, w: spoken(language), main: brandColor(brand)}
	var out []Image
	for _, chart := range []func() (Image, *plot.Plot, []mark){d.volume, d.backlog, d.answers, d.kept} {
		img, p, legend := chart()
		if p == nil {
			continue
		}
		var err error
		if img.PNG, err = picture(p, legend); err != nil {
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
		c = color.RGBA{uint8(n >> 16), uint8(n >> 8), uint8(n), 0xff}
	}
	for contrast(c) < 3 { // WCAG 2.2, 1.4.11: graphics
		c = color.RGBA{uint8(int(c.R) * 9 / 10), uint8(int(c.G) * 9 / 10), uint8(int(c.B) * 9 / 10), 0xff}
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

// mark is one entry of a legend.
type mark struct {
	color color.RGBA
	name  string
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
func (d drawing) volume() (Image, *plot.Plot, []mark) {
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
		return Image{}, nil, nil
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
	p := d.blank(slices.Max(tops))
	var below *plotter.BarChart
	var legend []mark
	var parts []string
	for i, c := range channels {
		values := make(plotter.Values, len(bins))
		for j, b := range bins {
			values[j] = float64(b.opened[c])
		}
		bar := bars(values, d.barWidth(len(bins)), d.color(i))
		if below != nil {
			bar.StackOn(below)
		}
		p.Add(bar)
		below = bar
		legend = append(legend, mark{d.color(i), d.w.channel(string(c))})
		parts = append(parts, fmt.Sprintf("%s %d", d.w.channel(string(c)), totals[c]))
	}
	d.labels(p, bins)
	alt := fmt.Sprintf(d.w.say("alt volume"), sum, strings.Join(parts, ", "), bins[best].long, tops[best])
	return Image{ID: "volume", Title: d.w.say("chart volume"), Alt: alt}, p, legend
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

func (d drawing) barWidth(n int) vg.Length { return vg.Points(min(44, 0.68*470/float64(max(n, 1)))) }

func bars(values plotter.Values, width vg.Length, c color.RGBA) *plotter.BarChart {
	b, err := plotter.NewBarChart(values, width)
	if err != nil {
		panic(err) // no values, or one that is no number: neither comes here
	}
	b.Color, b.LineStyle.Color, b.LineStyle.Width = c, paper, vg.Points(1) // parts of a stack stand apart
	return b
}

// backlog is a line with the ground below it filled.
func (d drawing) backlog() (Image, *plot.Plot, []mark) {
	bins := d.bins()
	top := d.f.Total.Before.Backlog
	points := make(plotter.XYs, len(bins))
	for i, b := range bins {
		points[i] = plotter.XY{X: float64(i), Y: float64(b.backlog)}
		top = max(top, b.backlog)
	}
	if top == 0 || len(bins) < 2 {
		return Image{}, nil, nil
	}
	p := d.blank(top)
	line, dots, err := plotter.NewLinePoints(points)
	if err != nil {
		panic(err)
	}
	light := d.main
	light.A = 0xff
	mix := func(v uint8) uint8 { return uint8((int(v) + 4*255) / 5) }
	line.FillColor = color.RGBA{mix(light.R), mix(light.G), mix(light.B), 0xff}
	line.LineStyle.Color, line.LineStyle.Width = d.main, vg.Points(2.5)
	dots.Shape, dots.Color, dots.Radius = draw.CircleGlyph{}, d.main, vg.Points(3.5)
	p.Add(line)
	if len(bins) <= 31 {
		p.Add(dots)
	}
	d.labels(p, bins)
	p.X.Min, p.X.Max = -0.3, float64(len(bins))-0.7
	alt := fmt.Sprintf(d.w.say("alt backlog"), d.f.Total.Before.Backlog, d.f.Total.Period.Backlog, top)
	return Image{ID: "backlog", Title: d.w.say("chart backlog"), Alt: alt}, p, nil
}

// answers shows how long first responses took.
func (d drawing) answers() (Image, *plot.Plot, []mark) {
	values := make(plotter.Values, len(d.f.Answers))
	names := between(d.f.Answers, d.w)
	var parts, short []string
	sum, top := 0, 0
	for i, s := range d.f.Answers {
		values[i] = float64(s.Count)
		sum, top = sum+s.Count, max(top, s.Count)
		parts = append(parts, fmt.Sprintf("%s %d", names[i], s.Count))
		short = append(short, d.bound(i))
	}
	if sum == 0 {
		return Image{}, nil, nil
	}
	p := d.blank(top)
	p.Add(bars(values, d.barWidth(len(values)), d.main))
	p.Add(d.above(values, nil))
	d.nominal(p, short)
	alt := fmt.Sprintf(d.w.say("alt answers"), strings.Join(parts, ", "))
	return Image{ID: "answers", Title: d.w.say("chart answers"), Alt: alt}, p, nil
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
func (d drawing) kept() (Image, *plot.Plot, []mark) {
	var names, parts []string
	var now, then plotter.Values
	var shown, shownThen []string
	add := func(name, narrow string, a float64, ok bool, b float64, okBefore bool) {
		if !ok {
			return
		}
		names = append(names, narrow)
		now, then = append(now, 100*a), append(then, 100*b)
		shown = append(shown, strconv.Itoa(int(math.Round(100*a))))
		was := ""
		if okBefore {
			was = strconv.Itoa(int(math.Round(100 * b)))
		}
		shownThen = append(shownThen, was)
		part := name + " " + d.w.percent(a, true)
		if okBefore {
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
	if len(names) == 0 {
		return Image{}, nil, nil
	}
	p := d.blank(100)
	p.Y.Tick.Marker = ticks{0, 25, 50, 75, 100}
	legend := []mark{{d.main, d.w.say("chart period")}}
	wide := vg.Points(min(38, 0.36*470/float64(len(names))))
	main, old := bars(now, wide, d.main), bars(then, wide, before)
	if strings.Join(shownThen, "") != "" {
		old.Offset, main.Offset = -wide/2-vg.Points(1), wide/2+vg.Points(1)
		p.Add(old, d.above(then, &label{shownThen, old.Offset}))
		legend = []mark{{before, d.w.say("chart before")}, {d.main, d.w.say("chart period")}}
	}
	p.Add(main, d.above(now, &label{shown, main.Offset}))
	d.nominal(p, names)
	alt := fmt.Sprintf(d.w.say("alt kept"), strings.Join(parts, ", "))
	return Image{ID: "kept", Title: d.w.say("chart kept"), Alt: alt}, p, legend
}

// label says what stands above bars that are moved aside.
type label struct {
	said   []string
	offset vg.Length
}

// above writes each bar's value over it.
func (d drawing) above(values plotter.Values, l *label) *plotter.Labels {
	xy := plotter.XYLabels{XYs: make(plotter.XYs, len(values)), Labels: make([]string, len(values))}
	for i, v := range values {
		xy.XYs[i] = plotter.XY{X: float64(i), Y: v}
		if xy.Labels[i] = strconv.Itoa(int(v)); l != nil {
			xy.Labels[i] = l.said[i]
		}
	}
	labels, err := plotter.NewLabels(xy)
	if err != nil {
		panic(err)
	}
	for i := range labels.TextStyle {
		labels.TextStyle[i] = style(15, text.XCenter, text.YBottom)
	}
	labels.Offset = vg.Point{Y: vg.Points(3)}
	if l != nil {
		labels.Offset.X = l.offset
	}
	return labels
}

// blank is an empty chart for whole numbers up to top.
func (d drawing) blank(top int) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = paper
	p.TextHandler = text.Plain{Fonts: fonts}
	p.Y.Min, p.X.LineStyle.Width = 0, 0
	p.Y.LineStyle.Width, p.Y.Tick.LineStyle.Width, p.X.Tick.LineStyle.Width = 0, 0, 0
	p.Y.Tick.Length, p.X.Tick.Length = 0, vg.Points(3)
	p.Y.Tick.Label, p.X.Tick.Label = style(15, text.XRight, text.YCenter), style(15, text.XCenter, text.YTop)
	p.X.Padding, p.Y.Padding = vg.Points(4), vg.Points(4)
	marks := wholeTicks(top)
	p.Y.Tick.Marker = marks
	p.Y.Max = marks[len(marks)-1]
	grid := plotter.NewGrid()
	grid.Vertical.Width, grid.Vertical.Color = 0, nil
	grid.Horizontal.Color, grid.Horizontal.Width = faint, vg.Points(1)
	p.Add(grid)
	return p
}

// style is the text of charts: large enough to read when a telephone shows the
// chart at half its width.
func style(size float64, x text.XAlignment, y text.YAlignment) text.Style {
	return text.Style{Color: ink, Font: font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Points(size)}, XAlign: x, YAlign: y, Handler: text.Plain{Fonts: fonts}}
}

// ticks are places on the axis.
type ticks []float64

func (t ticks) Ticks(_, _ float64) []plot.Tick {
	out := make([]plot.Tick, len(t))
	for i, v := range t {
		out[i] = plot.Tick{Value: v, Label: strconv.Itoa(int(v))}
	}
	return out
}

// wholeTicks are three to six whole numbers from 0 to above top.
func wholeTicks(top int) ticks {
	step := 1
	for unit := 1; ; unit *= 10 {
		for _, n := range []int{1, 2, 5} {
			if step = n * unit; top <= 5*step {
				var out ticks
				for v := 0; ; v += step {
					out = append(out, float64(v))
					if v >= top && v > 0 {
						return out
					}
				}
			}
		}
	}
}

// labels names the bins, as many as there is room for.
func (d drawing) labels(p *plot.Plot, bins []bin) {
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
	d.nominal(p, names)
}

func (d drawing) nominal(p *plot.Plot, names []string) {
	marks := make([]plot.Tick, len(names))
	for i, n := range names {
		marks[i] = plot.Tick{Value: float64(i), Label: n}
	}
	p.X.Tick.Marker = plot.ConstantTicks(marks)
	p.X.Min, p.X.Max = -0.5, float64(len(names))-0.5
}

// picture draws a plot below its legend.
func picture(p *plot.Plot, legend []mark) ([]byte, error) {
	img := vgimg.NewWith(vgimg.UseWH(vg.Points(chartWidth), vg.Points(chartHeight)), vgimg.UseDPI(72*sharp), vgimg.UseBackgroundColor(paper))
	c := draw.New(img)
	const edge = 10
	top := edge + 6.0
	if len(legend) > 0 {
		top = 40
		x := vg.Points(edge + 4)
		y := c.Max.Y - vg.Points(19)
		for _, m := range legend {
			c.FillPolygon(m.color, []vg.Point{{X: x, Y: y - 6}, {X: x + 13, Y: y - 6}, {X: x + 13, Y: y + 7}, {X: x, Y: y + 7}})
			s := style(15, text.XLeft, text.YCenter)
			c.FillText(s, vg.Point{X: x + 18, Y: y}, m.name)
			x += 18 + s.Width(m.name) + 18
		}
	}
	p.Draw(draw.Crop(c, vg.Points(edge), -vg.Points(edge), vg.Points(edge), -vg.Points(top)))
	var b bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestCompression}
	err := enc.Encode(&b, img.Image())
	return b.Bytes(), err
}
