package intake

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"frontdesk/phone"
	"frontdesk/store"
	"frontdesk/tickets"
)

// readCall reads a webhook of a customer's call: the number's own addresses,
// where Twilio says which number was called, and ours below [phone.LinePath].
func readCall(path string, h Hook, rules tickets.Rules) (event, error) {
	number, rest, err := phone.ParseLinePath(path)
	if err != nil {
		number, rest = "", strings.TrimPrefix(path, phone.PathVoice)
	}
	state, err := phone.ParseState(rest)
	if err != nil {
		return event{}, fmt.Errorf("%w: %w", errNoPath, err)
	}
	if state.Step == phone.StepStart {
		state.Open = h.Open
	}
	if number == "" {
		number = phone.ParseParty(h.Form.Get("To"), "").Number
	}
	l := lineOf(rules, number, false)
	e, err := phone.ParseCall(state, h.Form, l.brand.Country)
	if err != nil {
		return event{line: l}, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	return event{line: l, channel: tickets.ChannelVoice, key: e.Key(), contact: callContact(e.Call()), account: e.AccountSid, call: &e}, nil
}

func callContact(callSid string) string { return "call:" + callSid }

// How long a call that is over is not told of yet.
const (
	// recordingWait is for a recording that was announced, and for its download.
	recordingWait = time.Minute
	// transcriptWait is for the transcript of a recording that is ready.
	transcriptWait = 30 * time.Second
	// soundWait is for news of a recording after the end of a call: it
	// and the call's end are told at the same time, and the end may come first.
	soundWait = 15 * time.Second
)

// recordingFileKey is the key of the row with a recording's bytes.
func recordingFileKey(recordingSid string) string { return "media:" + recordingSid }

// lostKey is the key of the row that says that a recording will not come.
func lostKey(recordingSid string) string { return "lost:" + recordingSid }

// callView is a call as the rows of its contact show it.
type callView struct {
	phone.Call
	line  line
	began time.Time
	ended time.Time // received time of the row that said so
	// ready are the rows of recordings that are complete, by RecordingSid.
	ready map[string]store.ContactRow
	files map[string]store.ContactRow // rows with a recording's bytes
	asked map[string]time.Time        // when a recording was announced
	lost  map[string]bool             // recordings that were given up
	// follows: more may come, see mayFollow.
	follows bool
}

// viewCall folds the rows of one call. Rows that are no webhook of a call, and
// webhooks that cannot be read any more, are left out: a call is told of with
// what is known.
func viewCall(rows []store.ContactRow, rules tickets.Rules, plans map[string]phone.Plan) callView {
	v := callView{ready: map[string]store.ContactRow{}, files: map[string]store.ContactRow{}, asked: map[string]time.Time{}, lost: map[string]bool{}}
	var events []phone.CallEvent
	for _, row := range rows {
		if recording, ok := strings.CutPrefix(row.Key, "media:"); ok {
			v.files[recording] = row
			continue
		}
		if recording, ok := strings.CutPrefix(row.Key, "lost:"); ok {
			v.lost[recording] = true
			continue
		}
		h, err := readHook(row.Data)
		if err != nil {
			continue
		}
		e, err := readEvent(h, rules)
		if err != nil || e.call == nil {
			continue
		}
		events = append(events, *e.call)
		v.note(e, h, row)
	}
	plan := plans[v.line.phone.Number]
	v.Call, v.follows = plan.Fold(events), mayFollow(plan, events)
	return v
}

// mayFollow reports whether more may come of a call that is over: the webhooks of
// a call come in any order, and that of a recording some seconds late. Nothing
// follows where there is no voicemail box, or nothing was heard there.
func mayFollow(plan phone.Plan, events []phone.CallEvent) bool {
	return !plan.NoVoicemail && !slices.ContainsFunc(events, func(e phone.CallEvent) bool {
		return e.ParentCallSid == "" && e.State.Step == phone.StepSilent
	})
}

// note keeps when something was heard first.
func (v *callView) note(e event, h Hook, row store.ContactRow) {
	if e.line.known && !v.line.known {
		v.line = e.line
	}
	if v.began.IsZero() || h.At.Before(v.began) {
		v.began = h.At
	}
	c := e.call
	if c.ParentCallSid == "" && c.Status.Final() && (v.ended.IsZero() || row.Received.Before(v.ended)) {
		v.ended = row.Received
	}
	if c.Recording != nil {
		if at, have := v.asked[c.Recording.Sid]; !have || row.Received.Before(at) {
			v.asked[c.Recording.Sid] = row.Received
		}
		if c.State.Step == phone.StepRecording && c.Recording.Status == "completed" {
			v.ready[c.Recording.Sid] = row
		}
	}
}

// awaits is until when it is worth waiting before the call is told of: for a
// recording that was announced, for its download, for a transcript. Transcribed
// says whether one is to come for a recording.
func (v callView) awaits(transcribed func(phone.Recording) bool) (until time.Time) {
	wait := func(t time.Time) {
		if t.After(until) {
			until = t
		}
	}
	if v.follows && !v.Answered && len(v.Recordings) == 0 && !v.ended.IsZero() {
		wait(v.ended.Add(soundWait))
	}
	heard := map[string]bool{}
	for _, t := range v.Transcripts {
		heard[t.Sid] = true
	}
	for _, r := range v.Recordings {
		row, ready := v.ready[r.Sid]
		_, fetched := v.files[r.Sid]
		switch {
		case r.Status == "completed" && ready:
			if !fetched && row.Waiting {
				wait(row.Received.Add(recordingWait))
			}
			if len(heard) == 0 && transcribed(r) {
				wait(row.Received.Add(transcriptWait))
			}
		case r.Status == "" || r.Status == "in-progress":
			from := v.asked[r.Sid]
			if v.ended.After(from) {
				from = v.ended
			}
			wait(from.Add(recordingWait))
		}
	}
	return until
}

// attachments are the recordings that were fetched, in the order of their
// arrival.
func (v callView) attachments() []tickets.Attachment {
	var list []tickets.Attachment
	rows := slices.SortedFunc(maps.Values(v.files), func(a, b store.ContactRow) int { return cmp.Compare(a.ID, b.ID) })
	for n, row := range rows {
		list = append(list, recordingFile(row, v.line, v.began, n))
	}
	return list
}

// recordingFile names a recording by the time of the call, as the brand's clock
// shows it: agents save such files.
func recordingFile(row store.ContactRow, l line, began time.Time, n int) tickets.Attachment {
	if l.brand.Location != nil {
		began = began.In(l.brand.Location)
	}
	name := "voicemail-" + began.Format("2006-01-02-1504")
	if n > 0 {
		name += fmt.Sprintf("-%d", n+1)
	}
	return tickets.Attachment{Filename: name + ".mp3", ContentType: "audio/mpeg", Size: row.Size, SHA256: row.SHA256, Part: tickets.WholeRow, Ledger: row.ID}
}

// contactCall puts a call into the words of the decision.
func contactCall(v callView, rules tickets.Rules, transcribed func(phone.Recording) bool) *tickets.PhoneContact {
	c := &tickets.Call{
		Sid: v.Sid, Open: v.Open, Queue: v.Queue, Want: tickets.Want(v.Want), Ref: v.Ref,
		Began: v.began, Ended: v.ended, Duration: v.Duration, Answered: v.Answered, Agent: agentOf(rules, v.Agent),
		Spam: v.Spam(), Voicemail: v.Voicemail(), Recordings: v.attachments(), Lost: v.missing(), Awaits: v.awaits(transcribed), Transcript: v.transcript(),
	}
	return &tickets.PhoneContact{
		Line: tickets.TelAddress(v.line.phone.Number), Number: v.From.Number, Kind: string(v.From.Kind), Caller: v.Name, Call: c,
	}
}

// missing counts the recordings that will not come.
func (v callView) missing() (n int) {
	for recording := range v.lost {
		if _, fetched := v.files[recording]; !fetched {
			n++
		}
	}
	return n
}

// transcript is what was understood of all recordings.
func (v callView) transcript() string {
	var parts []string
	for _, t := range v.Transcripts {
		if text := strings.TrimSpace(t.Text); text != "" && t.Status == "completed" {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, "\n\n")
}

// agentOf returns the address of the agent with a number, "" when it is
// nobody's or not one person's.
func agentOf(rules tickets.Rules, number string) string {
	found := ""
	for address, a := range rules.Agents {
		if a.Phone != number || number == "" {
			continue
		}
		if found != "" {
			return ""
		}
		found = address
	}
	return found
}

// outgoing is a webhook of a call that the desk placed.
type outgoing struct {
	letter  int64
	sid     string
	step    phone.AlarmStep
	try     int
	form    url.Values
	status  phone.CallEvent
	alarm   *phone.AlarmPath
	bridge  *phone.BridgePath
	to      phone.Party
	ourLine string
}

func readAlarm(path string, h Hook, rules tickets.Rules) (event, error) {
	p, rest, err := phone.ReadAlarmPath(path)
	if err != nil {
		return event{}, fmt.Errorf("%w: %w", errNoPath, err)
	}
	return readOutgoing(outgoing{letter: p.Letter, alarm: &p}, p.Brand, rest, h, rules)
}

func readBridge(path string, h Hook, rules tickets.Rules) (event, error) {
	p, rest, err := phone.ReadBridgePath(path)
	if err != nil {
		return event{}, fmt.Errorf("%w: %w", errNoPath, err)
	}
	return readOutgoing(outgoing{letter: p.Letter, bridge: &p}, p.Brand, rest, h, rules)
}

func readOutgoing(o outgoing, brand, rest string, h Hook, rules tickets.Rules) (event, error) {
	var err error
	if o.step, o.try, err = phone.ParseAlarmPath(rest); err != nil {
		return event{}, fmt.Errorf("%w: %w", errNoPath, err)
	}
	from := phone.ParseParty(h.Form.Get("From"), "")
	l, err := brandLine(rules, brand, from.Number)
	if err != nil {
		return event{}, err
	}
	state := phone.State{}
	if o.step == phone.AlarmStatus {
		state.Step = phone.StepStatus
	}
	e, err := phone.ParseCall(state, h.Form, l.brand.Country)
	if err != nil {
		return event{line: l}, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	o.sid, o.form, o.status, o.to, o.ourLine = e.CallSid, h.Form, e, e.To, from.Number
	return event{line: l, channel: tickets.ChannelVoice, key: o.key(), account: e.AccountSid, out: &o}, nil
}

// key is unique among the steps of one call, and never one of a customer's
// call: each has its own CallSid.
func (o outgoing) key() string {
	switch o.step {
	case phone.AlarmStatus:
		return o.status.Key()
	case phone.AlarmAnswered:
		return phone.CallKey(o.sid) + "/answered"
	case phone.AlarmPressed:
		return fmt.Sprintf("%s/pressed/%d", phone.CallKey(o.sid), o.try)
	}
	return phone.CallKey(o.sid) + "/" + string(o.step)
}

// verdict is what the person or the customer did, and the TwiML that answers it.
// The path says all that is needed; nil: there is nothing to say.
func (o outgoing) verdict(publicURL, voice string, brand tickets.Brand) (string, []byte) {
	if o.alarm != nil {
		return o.alarmVerdict(publicURL, voice, brand)
	}
	p := o.bridge
	b := phone.Bridge{Base: publicURL + p.String(), Language: p.Language, Voice: voice, Brand: brand.Name, Ticket: p.Ticket, Name: p.Name, Customer: p.Customer, CallerID: p.Line}
	switch o.step {
	case phone.AlarmAnswered:
		return "", b.Ask()
	case phone.AlarmPressed:
		dials, doc := b.Pressed(o.form)
		if !dials {
			return "passed", doc
		}
		return "", doc
	case phone.AlarmDialed:
		d, doc := b.Dialed(o.form)
		if d.Bridged {
			return "connected", doc
		}
		return "unanswered", doc
	}
	return "", nil
}

func (o outgoing) alarmVerdict(publicURL, voice string, brand tickets.Brand) (string, []byte) {
	p := o.alarm
	a := phone.Alarm{Base: publicURL + p.String(), Language: p.Language, Voice: voice, Ticket: p.Ticket, Brand: brand.Name, Customer: p.Customer}
	switch o.step {
	case phone.AlarmAnswered:
		return "", a.Ask(1)
	case phone.AlarmPressed:
		v, doc := a.Pressed(o.try, o.form)
		return string(v), doc
	}
	return "", nil
}

// contactPressed puts news of a call that the desk placed into the words of the
// decision.
func contactPressed(e event) *tickets.PhoneContact {
	o := e.out
	verdict, _ := o.verdict("", "", e.line.brand)
	p := &tickets.Pressed{Letter: o.letter, Sid: o.sid, Verdict: verdict, Status: string(o.status.Status), Duration: o.status.Duration}
	// The other webhooks say "in-progress", or "completed" when the person hung
	// up on them; only the status callback says how the call ended.
	p.Ended = o.step == phone.AlarmStatus && o.status.Status.Final()
	return &tickets.PhoneContact{Line: tickets.TelAddress(o.ourLine), Number: o.to.Number, Kind: string(o.to.Kind), Pressed: p}
}
