package phone

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Call is what the events of one call make together.
type Call struct {
	Sid      string
	From, To Party
	Name     string // CallerName
	Stir     string

	Open  bool // the desk was open
	Queue string
	Want  Purpose
	Ref   string

	Status   CallStatus
	Duration time.Duration
	// Answered says that an agent took the call with a key and spoke to the
	// caller; Agent is the number that did.
	Answered bool
	Agent    string

	Recordings  []Recording  // by Sid; Status "completed" ones are there to fetch
	Transcripts []Transcript // by Sid
}

// Ended reports whether the call is over.
func (c Call) Ended() bool { return c.Status.Final() }

// Voicemail reports whether a message was left that can be fetched.
func (c Call) Voicemail() bool {
	return slices.ContainsFunc(c.Recordings, func(r Recording) bool { return r.Status == "completed" })
}

// Pending reports whether a recording was announced that is not ready yet. Wait
// a minute for it after the call's end, not longer: the callback may be lost.
func (c Call) Pending() bool {
	return !c.Voicemail() && slices.ContainsFunc(c.Recordings, func(r Recording) bool { return r.Status == "" || r.Status == "in-progress" })
}

// Missed reports whether the call is over and left nothing but its number: no
// agent, no message, no wish keyed.
func (c Call) Missed() bool {
	return c.Ended() && !c.Answered && !c.Voicemail() && !c.Pending() && c.Want != PurposeCallback && (c.Want != PurposeMeter || c.Ref == "")
}

// Spam reports whether the network says that the caller's number is false.
func (c Call) Spam() bool { return failedStir[c.Stir] }

var failedStir = map[string]bool{"TN-Validation-Failed-A": true, "TN-Validation-Failed-B": true, "TN-Validation-Failed-C": true, "TN-Validation-Failed": true}

// Fold makes one call of its events. They may come in any order and more than
// once, and some may be missing; the result is the same for the same set. Give
// it the events of one call, those of agents' legs included ([CallEvent.Call]).
func (p Plan) Fold(events []CallEvent) Call {
	unique := map[string]CallEvent{}
	for _, e := range events {
		unique[e.Key()] = e
	}
	keys := slices.Sorted(maps.Keys(unique))
	c := Call{}
	best := State{}
	recordings := map[string]Recording{}
	last := -2
	for _, key := range keys {
		e := unique[key]
		c.Sid = e.Call()
		if e.ParentCallSid != "" {
			c.foldAgent(e)
			continue
		}
		c.foldHead(e)
		if _, s := p.Next(e.State, e); further(s, best) && e.State.Step != StepStatus {
			best = s
		}
		c.foldStatus(e, &last)
		c.foldSound(e, recordings)
	}
	c.Open, c.Queue, c.Want, c.Ref = best.Open, best.Queue, best.Want, best.Ref
	c.Recordings = slices.SortedFunc(maps.Values(recordings), func(a, b Recording) int { return cmp.Compare(a.Sid, b.Sid) })
	return c
}

func (c *Call) foldHead(e CallEvent) {
	if c.From.Raw == "" {
		c.From = e.From
	}
	if c.To.Raw == "" {
		c.To = e.To
	}
	c.Name = cmp.Or(c.Name, e.CallerName)
	c.Stir = cmp.Or(c.Stir, e.Stir)
	c.Duration = max(c.Duration, e.Duration)
	if e.Dialed != nil && e.Dialed.Bridged {
		c.Answered = true
	}
}

func (c *Call) foldAgent(e CallEvent) {
	if e.State.Step == StepAccept && e.Keys == acceptKey {
		c.Agent = e.To.Number
	}
}

// foldStatus orders by Twilio's SequenceNumber, then by how far the status is:
// the parameters of a TwiML request say "in-progress" and may arrive last.
func (c *Call) foldStatus(e CallEvent, last *int) {
	switch rank := cmp.Compare(callRank[e.Status], callRank[c.Status]); {
	case rank > 0, rank == 0 && e.Sequence > *last:
		c.Status, *last = e.Status, e.Sequence
	}
}

func (c *Call) foldSound(e CallEvent, recordings map[string]Recording) {
	if r := e.Recording; r != nil && e.State.Step != StepTranscript {
		have, seen := recordings[r.Sid]
		if !seen || recordingRank[r.Status] > recordingRank[have.Status] {
			if r.Duration == 0 {
				r.Duration = have.Duration
			}
			recordings[r.Sid] = *r
		}
	}
	if e.Transcript != nil {
		c.Transcripts = append(c.Transcripts, *e.Transcript) // keys are sorted by Sid
	}
}

var recordingRank = map[string]int{"": 0, "in-progress": 1, "absent": 2, "failed": 2, "completed": 3}

// further reports whether a knows more than b. States only ever gain facts, so
// the one with most of them is the last; the rest decides ties the same way in
// every order.
func further(a, b State) bool {
	return cmp.Or(cmp.Compare(a.facts(), b.facts()), cmp.Compare(a.Path(), b.Path())) > 0
}

func (s State) facts() int {
	n := 0
	for _, known := range []bool{s.Open, s.Queue != "", s.Want != "", s.Ref != ""} {
		if known {
			n++
		}
	}
	return n
}
