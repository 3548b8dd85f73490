package tickets

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Command is one command line of an agent's mail, checked.
type Command struct {
	Name   string // without "#"
	Arg    string // as written, spaces trimmed
	Words  []string
	Number int64     // merge, link, impact, urgency
	Until  time.Time // pending, hold, due
	Min    int       // time
	Note   string    // rma: the reason, or a word on the step
	Add    []string  // tag, cc
	Remove []string
}

// commandSpec says how a command is written. check fills the Command and
// returns what is wrong, in words for the agent.
type commandSpec struct {
	usage string
	min   Role // who may; "" every agent
	later bool // known, but not built yet
	check func(c *Command, rules Rules, now time.Time) string
}

var commandSpecs = map[string]commandSpec{
	"close":    {usage: "#close (with text: the resolution letter)", check: oneOf("", "silently")},
	"reopen":   {usage: "#reopen", check: noArg},
	"pending":  {usage: "#pending [until DATE]", check: until},
	"hold":     {usage: "#hold [until DATE]", check: until},
	"take":     {usage: "#take", check: noArg},
	"assign":   {usage: "#assign WHO|none", check: assignee},
	"note":     {usage: "#note (the text stays inside)", check: anything},
	"severity": {usage: "#severity LEVEL", check: severity},
	"impact":   {usage: "#impact 1-4", check: level},
	"urgency":  {usage: "#urgency 1-4", check: level},
	"category": {usage: "#category NAME", check: category},
	"queue":    {usage: "#queue NAME", check: queue},
	"tag":      {usage: "#tag +a -b", check: plusMinus},
	"cc":       {usage: "#cc +address -address", check: plusMinusAddress},
	"from":     {usage: "#from ADDRESS", check: address},
	"merge":    {usage: "#merge NUMBER", check: number},
	"split":    {usage: "#split", check: noArg},
	"link":     {usage: "#link NUMBER", check: number},
	"spam":     {usage: "#spam", check: noArg},
	"block":    {usage: "#block", check: noArg},
	"due":      {usage: "#due DATE", check: date},
	"time":     {usage: "#time 15m", check: minutes},
	"letter":   {usage: "#letter missing", check: letterName},
	"send":     {usage: "#send anyway", check: oneOf("anyway")},
	"release":  {usage: "#release NUMBER…", min: RoleSupervisor, check: numbers},
	"history":  {usage: "#history", check: noArg},
	"list":     {usage: "#list", check: anything},
	"help":     {usage: "#help", check: anything},
	"sms":      {usage: "#sms (the text goes to the customer's phone)", check: noArg},
	"call":     {usage: "#call (rings you, then the customer)", check: noArg},
	"ack":      {usage: "#ack", check: noArg},
	"escalate": {usage: "#escalate [why]", check: anything},
	"update":   {usage: "#update TEXT (for the next status update; or write it below)", check: anything},
	"away":     {usage: "#away until DATE", check: date},
	"back":     {usage: "#back", check: noArg},
	"renewed":  {usage: "#renewed [DATE] (the contract of the ticket's product)", check: until},
	"incident": {usage: "#incident [all|NUMBER|none]", check: incident},
	"kb":       {usage: "#kb ID (the article goes below your text, or alone)", check: article},
	"rma":      {usage: "#rma [reason], then #rma received|inspected|replaced|refunded|refused [note]", check: rma},
}

// CommandNames lists the commands, sorted.
func CommandNames() []string { return sortedKeys(commandSpecs) }

// ParseCommands checks all command lines ("#close", "#assign bikram"). When
// any is wrong nothing of the mail may be done: problems says why, a line each.
func ParseCommands(lines []string, who Agent, rules Rules, now time.Time) (commands []Command, problems []string) {
	for _, line := range lines {
		c, problem := parseCommand(line, who, rules, now)
		if problem != "" {
			problems = append(problems, problem)
			continue
		}
		commands = append(commands, c)
	}
	if len(problems) == 0 {
		if p := conflict(commands); p != "" {
			problems = append(problems, p)
		}
	}
	return commands, problems
}

func parseCommand(line string, who Agent, rules Rules, now time.Time) (Command, string) {
	name, arg, _ := strings.Cut(strings.TrimLeft(strings.TrimSpace(line), "#"), " ")
	name = strings.ToLower(strings.TrimRight(name, ":.,;!?"))
	c := Command{Name: name, Arg: strings.TrimSpace(arg), Words: strings.Fields(arg)}
	spec, ok := commandSpecs[name]
	switch {
	case !ok:
		return c, fmt.Sprintf("#%s: unknown command%s", name, didYouMean(name, CommandNames()))
	case spec.later:
		return c, fmt.Sprintf("#%s: not yet available", name)
	case rules.denied(who, name, spec.min) != "":
		return c, rules.denied(who, name, spec.min)
	}
	if wrong := spec.check(&c, rules, now); wrong != "" {
		return c, fmt.Sprintf("#%s: %s (write: %s)", name, wrong, spec.usage)
	}
	return c, ""
}

// conflict names two commands that cannot both be meant.
func conflict(commands []Command) string {
	ends, seen := []string{}, map[string]int{}
	for _, c := range commands {
		seen[c.Name]++
		switch c.Name {
		case "tag", "cc", "time", "note", "release", "kb":
		case "link":
			if seen["link"] > maxTickets/2 {
				return fmt.Sprintf("#link: at most %d in one mail", maxTickets/2)
			}
		default:
			if seen[c.Name] > 1 {
				return fmt.Sprintf("#%s twice in one mail: which is meant?", c.Name)
			}
		}
		switch c.Name {
		case "close", "reopen", "pending", "hold", "spam", "block", "merge", "split":
			if !slices.Contains(ends, c.Name) {
				ends = append(ends, c.Name)
			}
		}
	}
	for _, pair := range contradictions {
		if seen[pair[0]] > 0 && seen[pair[1]] > 0 {
			return fmt.Sprintf("#%s and #%s in one mail: which is meant?", pair[0], pair[1])
		}
	}
	if slices.Equal(ends, []string{"spam", "block"}) || slices.Equal(ends, []string{"block", "spam"}) || len(ends) < 2 {
		return ""
	}
	return fmt.Sprintf("#%s and #%s in one mail: which is meant?", ends[0], ends[1])
}

// contradictions are pairs of which one sends what the other keeps or moves away.
var contradictions = [][2]string{
	{"sms", "note"}, {"sms", "update"}, {"sms", "letter"}, {"sms", "spam"}, {"sms", "block"}, {"sms", "merge"}, {"sms", "split"},
	{"call", "spam"}, {"call", "block"}, {"call", "merge"}, {"call", "split"},
	{"rma", "spam"}, {"rma", "block"}, {"rma", "merge"}, {"rma", "split"},
}

func didYouMean(word string, known []string) string {
	if near := Nearest(word, known); near != "" {
		return "; did you mean #" + near + "?"
	}
	return "; #help lists all commands"
}

// Nearest returns the known word that is closest to word, "" when none is near.
func Nearest(word string, known []string) string {
	best, least := "", 1+max(1, len(word)/2)
	for _, k := range known {
		if n := distance(word, k); n < least {
			best, least = k, n
		}
	}
	return best
}

// distance is the number of letters to insert, drop, change or swap.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	d := make([][]int, len(x)+1)
	for i := range d {
		d[i] = make([]int, len(y)+1)
		d[i][0] = i
	}
	for j := range y {
		d[0][j+1] = j + 1
	}
	for i := range x {
		for j := range y {
			cost := 1
			if x[i] == y[j] {
				cost = 0
			}
			d[i+1][j+1] = min(d[i][j+1]+1, d[i+1][j]+1, d[i][j]+cost)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				d[i+1][j+1] = min(d[i+1][j+1], d[i-1][j-1]+1)
			}
		}
	}
	return d[len(x)][len(y)]
}

// commandTickets lists the tickets that commands name, to be looked up.
func commandTickets(lines []string) []int64 {
	var out []int64
	for _, line := range lines {
		f := strings.Fields(strings.ToLower(line))
		if len(f) == 2 && (f[0] == "#merge" || f[0] == "#link" || f[0] == "#incident") {
			if n, err := strconv.ParseInt(strings.TrimPrefix(f[1], "#"), 10, 64); err == nil {
				out = append(out, n)
			}
		}
	}
	return out
}

func noArg(c *Command, _ Rules, _ time.Time) string {
	if c.Arg != "" {
		return fmt.Sprintf("takes nothing, got %q; text for the customer goes below, after an empty line", c.Arg)
	}
	return ""
}

func anything(*Command, Rules, time.Time) string { return "" }

func oneOf(allowed ...string) func(*Command, Rules, time.Time) string {
	return func(c *Command, _ Rules, _ time.Time) string {
		c.Arg = strings.ToLower(c.Arg)
		if slices.Contains(allowed, c.Arg) {
			return ""
		}
		return fmt.Sprintf("%q is not known here", c.Arg)
	}
}

func number(c *Command, _ Rules, _ time.Time) string {
	n, err := strconv.ParseInt(strings.TrimPrefix(c.Arg, "#"), 10, 64)
	if err != nil || n <= 0 {
		return fmt.Sprintf("%q is not a ticket number", c.Arg)
	}
	c.Number = n
	return ""
}

func numbers(c *Command, _ Rules, _ time.Time) string {
	if len(c.Words) == 0 {
		return "which? the numbers stand in the daily list"
	}
	for _, w := range c.Words {
		if n, err := strconv.ParseInt(strings.Trim(w, "#,"), 10, 64); err != nil || n <= 0 {
			return fmt.Sprintf("%q is not a number", w)
		}
	}
	return ""
}

// incident reads #incident: bare makes the ticket the parent of one, "all"
// sends the mail's words on each of its tickets, a number joins another's, none
// leaves it.
func incident(c *Command, _ Rules, _ time.Time) string {
	switch arg := strings.ToLower(c.Arg); arg {
	case "", "all", "none":
		c.Arg = arg
		return ""
	}
	return number(c, Rules{}, time.Time{})
}

func level(c *Command, _ Rules, _ time.Time) string {
	n, err := strconv.Atoi(c.Arg)
	if err != nil || n < 1 || n > 4 {
		return fmt.Sprintf("%q is not 1, 2, 3 or 4", c.Arg)
	}
	c.Number = int64(n)
	return ""
}

func key[V any](what string, arg string, m map[string]V) (string, string) {
	k := strings.ToLower(arg)
	if _, ok := m[k]; ok {
		return k, ""
	}
	hint := "one of " + strings.Join(sortedKeys(m), ", ")
	if near := Nearest(k, sortedKeys(m)); near != "" && k != "" {
		hint = "did you mean " + near + "?"
	}
	return "", fmt.Sprintf("%q is no %s; %s", arg, what, hint)
}

func severity(c *Command, r Rules, _ time.Time) (wrong string) {
	c.Arg, wrong = key("severity", c.Arg, r.Severities)
	return wrong
}

func category(c *Command, r Rules, _ time.Time) (wrong string) {
	c.Arg, wrong = key("category", c.Arg, r.Categories)
	return wrong
}

func queue(c *Command, r Rules, _ time.Time) (wrong string) {
	c.Arg, wrong = key("queue", c.Arg, r.Queues)
	return wrong
}

// assignee takes an agent's address, name or the part before the @; "none".
func assignee(c *Command, r Rules, _ time.Time) string {
	w := strings.ToLower(strings.TrimPrefix(c.Arg, "@"))
	if w == "none" || w == "nobody" {
		c.Arg = ""
		return ""
	}
	var names []string
	for _, k := range sortedKeys(r.Agents) {
		local, _, _ := strings.Cut(k, "@")
		if w == k || w == local || w == strings.ToLower(r.Agents[k].Name) {
			c.Arg = k
			return ""
		}
		names = append(names, local)
	}
	if near := Nearest(w, names); near != "" && w != "" {
		return fmt.Sprintf("nobody here is called %q; did you mean %s?", c.Arg, near)
	}
	return fmt.Sprintf("nobody here is called %q; one of %s", c.Arg, strings.Join(names, ", "))
}

func address(c *Command, r Rules, _ time.Time) string {
	c.Arg = strings.Trim(c.Arg, "<>")
	if r.Ours(c.Arg) {
		return fmt.Sprintf("%s is the desk's own address", c.Arg)
	}
	if !plausible(c.Arg) {
		return fmt.Sprintf("%q is not an address", c.Arg)
	}
	return ""
}

func plausible(a string) bool {
	local, domain, ok := strings.Cut(a, "@")
	return ok && local != "" && strings.Contains(domain, ".") && !strings.ContainsAny(a, " \t\r\n<>(),;:\"[]")
}

func plusMinus(c *Command, _ Rules, _ time.Time) string {
	for _, w := range c.Words {
		w = strings.Trim(w, ",")
		switch {
		case strings.HasPrefix(w, "+") && len(w) > 1:
			c.Add = append(c.Add, strings.ToLower(w[1:]))
		case strings.HasPrefix(w, "-") && len(w) > 1:
			c.Remove = append(c.Remove, strings.ToLower(w[1:]))
		default:
			return fmt.Sprintf("%q: begin each with + or -", w)
		}
	}
	if len(c.Words) == 0 {
		return "what to add or remove?"
	}
	return ""
}

func plusMinusAddress(c *Command, r Rules, now time.Time) string {
	if wrong := plusMinus(c, r, now); wrong != "" {
		return wrong
	}
	for _, a := range c.Add {
		if agent, ok := r.Agent(a); ok {
			return fmt.Sprintf("%s is in the team and would read as a customer; #assign or #note", agent.Name)
		}
		if r.Ours(a) {
			return fmt.Sprintf("%s is the desk's own address", a)
		}
	}
	for _, a := range slices.Concat(c.Add, c.Remove) {
		if !plausible(a) {
			return fmt.Sprintf("%q is not an address", a)
		}
	}
	return ""
}

func minutes(c *Command, _ Rules, _ time.Time) string {
	d, err := time.ParseDuration(strings.ReplaceAll(c.Arg, " ", ""))
	if n, bad := strconv.Atoi(c.Arg); bad == nil {
		d, err = time.Duration(n)*time.Minute, nil
	}
	if err != nil || d <= 0 || d > 24*time.Hour {
		return fmt.Sprintf("%q is not a time such as 15m or 1h30m", c.Arg)
	}
	c.Min = int(d.Round(time.Minute) / time.Minute)
	return ""
}

func letterName(c *Command, _ Rules, _ time.Time) string {
	c.Arg = strings.ToLower(c.Arg)
	if c.Arg != string(LetterMissing) {
		return fmt.Sprintf("%q is no letter that can be asked for", c.Arg)
	}
	return ""
}

func until(c *Command, r Rules, now time.Time) string {
	if c.Arg == "" {
		return ""
	}
	arg := strings.TrimSpace(strings.TrimPrefix(strings.ToLower(c.Arg), "until"))
	t, ok := ParseDate(arg, now, now.Location())
	if !ok {
		return fmt.Sprintf("%q is not a date such as 2026-12-24, 24.12.2026, monday or 3 days", arg)
	}
	c.Until = t
	return ""
}

func date(c *Command, r Rules, now time.Time) string {
	if c.Arg == "" {
		return "when?"
	}
	return until(c, r, now)
}

var weekdays = map[string]time.Weekday{
	"monday": 1, "tuesday": 2, "wednesday": 3, "thursday": 4, "friday": 5, "saturday": 6, "sunday": 0,
	"mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6, "sun": 0,
	"montag": 1, "dienstag": 2, "mittwoch": 3, "donnerstag": 4, "freitag": 5, "samstag": 6, "sonntag": 0,
}

// ParseDate reads the dates an agent writes: 2026-12-24, 2026-12-24 14:00,
// 24.12.2026, tomorrow, monday, 3 days, 2 weeks. Only times after now count;
// a date without a time means its start in loc.
func ParseDate(s string, now time.Time, loc *time.Location) (time.Time, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	local := now.In(loc)
	day := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, loc)
	if s == "tomorrow" || s == "morgen" {
		return day.AddDate(0, 0, 1), true
	}
	if w, ok := weekdays[s]; ok {
		ahead := (int(w) - int(day.Weekday()) + 7) % 7
		if ahead == 0 {
			ahead = 7
		}
		return day.AddDate(0, 0, ahead), true
	}
	if f := strings.Fields(s); len(f) == 2 {
		if n, err := strconv.Atoi(f[0]); err == nil && n > 0 && n < 1000 {
			switch strings.TrimRight(f[1], "sen") {
			case "day", "tag":
				return day.AddDate(0, 0, n), true
			case "week", "woch":
				return day.AddDate(0, 0, 7*n), true
			case "hour", "stund":
				return now.Add(time.Duration(n) * time.Hour), true
			}
		}
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04", "2006-01-02", "02.01.2006 15:04", "02.01.2006", "2.1.2006"} {
		if t, err := time.ParseInLocation(layout, strings.ToUpper(s), loc); err == nil {
			return t, t.After(now)
		}
	}
	return time.Time{}, false
}
