package tickets

// force is what a sign says about the urgency.
type force string

// The forces, strongest first.
const (
	forceNow    force = "now"    // harm is being done: urgency 4
	forceStrong force = "strong" // somebody is stopped, or a near date will be missed: urgency 3
	forceWeak   force = "weak"   // pressure; two different ones count as a strong one
	forceDead   force = "dead"   // one thing does nothing any more: a fault, and a weak sign of pressure
	forceFault  force = "fault"  // something is wrong: it has to be dealt with
	forceAct    force = "act"    // something is to be done
	forceAsk    force = "ask"    // somebody wants to know
	forceAround force = "around" // something is wrong, and there is a way around it
	forceCalm   force = "calm"   // can wait
	forceTrifle force = "trifle" // looks, wishes, remarks
	forceOver   force = "over"   // it was bad and is over
	forceNone   force = ""       // says nothing about it
)

// sign is what a group of phrases in words/signs.txt says.
type sign struct {
	says   string // for people: "nobody can work"
	impact int    // 0 says nothing about it
	force  force
}

// Signs that mean more than their force.
const (
	nothingGoes = "nothing goes any more"
	noWayAround = "no way around it"
	looks       = "how it looks"
	asksUs      = "somebody asks us to do it"
	breaksIn    = "somebody breaks in"
)

// topic is what a group of phrases in words/topics.txt speaks for, by how much.
type topic struct {
	category string
	weight   int
}

var countWords = map[string]int{
	"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "hundred": 100, "hundreds": 200, "dozens": 30, "dozen": 12, "thousand": 1000,
	"zwei": 2, "drei": 3, "vier": 4, "fuenf": 5, "sechs": 6, "sieben": 7, "acht": 8, "neun": 9, "zehn": 10, "elf": 11, "zwoelf": 12, "fuenfzehn": 15, "zwanzig": 20, "dreissig": 30, "vierzig": 40, "fuenfzig": 50, "sechzig": 60, "hundert": 100, "hunderte": 200, "dutzende": 30, "tausend": 1000,
}
