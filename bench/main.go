// Command bench measures the desk as its operator has it: the installed binary,
// in a process of its own, beside real mail servers.
//
// It prints one table: what was measured, the least, the median and the most of
// the rounds, and the target where there is one. A figure is recorded, never
// asserted: bench ends with 1 only when something could not be measured.
//
// What is compared is measured in turns within one run (ideal, desk, ideal,
// desk, …), each turn on a fresh state, because machines drift. Throughput is
// given as a ratio to the ideal pipe (ideal.go), the same way without any of a
// desk's duties.
//
//	go run ./bench                        # all, about 20 minutes
//	go run ./bench -only 'backlog|idle'   # sections by regular expression
//	go run ./bench -profile DIR           # keeps CPU profiles of the desk
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"frontdesk/internal/testmail"
)

type options struct {
	rounds  int
	only    *regexp.Regexp
	json    bool
	profile string // folder, "" none
	quick   bool   // a few mails, one round: does everything still work?
	dir     string // where databases are written; "" the folder for temporary files
}

// bench is one run.
type bench struct {
	opt     options
	root    string // of the module
	dir     string // everything that is written
	bin     string
	log     io.Writer
	figures []*figure
	broken  []string // what could not be measured
	skipped []string
	rig     *testmail.Rig // real Dovecot, started once it is asked for
	last    []func()      // ends what sections share
	profile int
}

// sections are all there is to measure, in the order of the table.
var sections = []struct {
	name string
	run  func(*section)
}{
	{"binary", measureBinary},
	{"backlog", measureBacklog},
	{"backlog mix", measureMix},
	{"idle desk", measureLatency},
	{"memory", measureMemory},
	{"start", measureStart},
	{"telephone", measureBurst},
	{"postgres", measurePostgres},
	{"growth", measureGrowth},
}

func main() {
	if idealMain() {
		return
	}
	var opt options
	only := flag.String("only", ".", "sections to measure, a regular expression")
	flag.IntVar(&opt.rounds, "rounds", 5, "rounds of each measurement")
	flag.BoolVar(&opt.json, "json", false, "print JSON in place of the table")
	flag.StringVar(&opt.profile, "profile", "", "keep CPU profiles of the desk in this folder")
	flag.BoolVar(&opt.quick, "quick", false, "a few mails, one round: does everything still work?")
	flag.StringVar(&opt.dir, "dir", "", "where databases are written (default the folder for temporary files)")
	flag.Parse()
	var err error
	if opt.only, err = regexp.Compile(*only); err != nil || flag.NArg() > 0 || opt.rounds < 1 {
		fmt.Fprintf(os.Stderr, "bench: -only %q: %v; arguments %q; -rounds %d\n", *only, err, flag.Args(), opt.rounds)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	b, err := run(ctx, opt, os.Stderr)
	if err == nil {
		err = b.print(os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures. The error is that of a run which could not begin.
func run(ctx context.Context, opt options, log io.Writer) (*bench, error) {
	if opt.quick {
		opt.rounds = 1
	}
	b := &bench{opt: opt, log: log}
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return nil, fmt.Errorf("find the module: %w", err)
	}
	b.root = filepath.Dir(strings.TrimSpace(string(out)))
	if opt.profile != "" {
		if b.opt.profile, err = filepath.Abs(opt.profile); err == nil {
			err = os.MkdirAll(b.opt.profile, 0o755)
		}
		if err != nil {
			return nil, err
		}
	}
	if b.dir, err = os.MkdirTemp(opt.dir, "fdbench"); err != nil { // short: the path of a socket has a limit
		return nil, err
	}
	defer os.RemoveAll(b.dir)
	defer func() {
		for _, f := range b.last {
			defer f()
		}
	}()
	if err := b.buildDesk(); err != nil {
		return nil, err
	}
	for _, s := range sections {
		if opt.only != nil && !opt.only.MatchString(s.name) {
			continue
		}
		began := time.Now()
		fmt.Fprintf(log, "bench: %s …", s.name)
		b.section(ctx, s.name, s.run)
		fmt.Fprintf(log, " %v\n", time.Since(began).Round(time.Second))
	}
	return b, nil
}

func (b *bench) print(w io.Writer) error {
	show := printTable
	if b.opt.json {
		show = printJSON
	}
	if err := show(w, b.figures); err != nil {
		return err
	}
	for _, s := range b.skipped {
		fmt.Fprintln(os.Stderr, "bench: NOT MEASURED:", s)
	}
	if len(b.broken) > 0 {
		return fmt.Errorf("not measured:\n%s", strings.Join(b.broken, "\n"))
	}
	return nil
}

// profileFile names the next profile, "" when none are kept.
func (b *bench) profileFile(section string) string {
	if b.opt.profile == "" {
		return ""
	}
	b.profile++
	return filepath.Join(b.opt.profile, fmt.Sprintf("%s-%03d.pprof", strings.ReplaceAll(section, " ", "-"), b.profile))
}

// section is one part of the run; it is to the helpers what *testing.T is in
// tests.
type section struct {
	b        *bench
	ctx      context.Context
	name     string
	cleanups []func()
}

var _ testmail.TB = (*section)(nil)

type (
	fatal   string
	skipped string
)

// section runs one. What fails in it ends it, and the others go on.
func (b *bench) section(ctx context.Context, name string, run func(*section)) {
	s := &section{b: b, ctx: ctx, name: name}
	defer func() {
		switch p := recover().(type) {
		case nil:
		case fatal:
			b.broken = append(b.broken, name+": "+string(p))
		case skipped:
			b.skipped = append(b.skipped, name+": "+string(p))
		default:
			panic(p)
		}
	}()
	defer s.cleanup()
	run(s)
}

func (s *section) cleanup() {
	for i := len(s.cleanups) - 1; i >= 0; i-- {
		s.cleanups[i]()
	}
	s.cleanups = nil
}

// Helper does nothing.
func (s *section) Helper() {}

// Cleanup runs f at the end of the section.
func (s *section) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }

// Logf tells whoever watches.
func (s *section) Logf(format string, args ...any) { fmt.Fprintf(s.b.log, "\n  "+format, args...) }

// Skipf ends the section: it cannot be measured here.
func (s *section) Skipf(format string, args ...any) { panic(skipped(fmt.Sprintf(format, args...))) }

// Fatalf ends the section: something is wrong.
func (s *section) Fatalf(format string, args ...any) { panic(fatal(fmt.Sprintf(format, args...))) }

// add adds a figure to the table.
func (s *section) add(what, unit string, rounds []float64) *figure {
	f := newFigure(s.name, what, unit, rounds)
	s.b.figures = append(s.b.figures, f)
	return f
}

// size is how many of something: few in a quick run.
func (s *section) size(whole, quick int) int {
	if s.b.opt.quick {
		return quick
	}
	return whole
}

// rounds calls f once without counting it, to warm up what the rounds share, and
// then for each round.
func (s *section) rounds(f func(count bool)) {
	if !s.b.opt.quick {
		f(false)
	}
	for range s.b.opt.rounds {
		if s.ctx.Err() != nil {
			s.Fatalf("interrupted")
		}
		f(true)
	}
}

// dovecot is the real mail server that sections share. Its Postfix only makes it
// whole.
func (s *section) dovecot() *testmail.Rig {
	if s.b.rig == nil {
		servers := &section{b: s.b, ctx: s.ctx, name: "servers"}
		s.b.rig = testmail.StartRig(servers)
		s.b.last = append(s.b.last, servers.cleanup)
	}
	return s.b.rig.For(s)
}
