package phone

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// story is a call out of hours: menu, 2, a message, its recording, its
// transcript, the end.
func story(t testing.TB) []CallEvent {
	s := State{Queue: "support"}
	at := func(step Step) State { n := s; n.Step = step; return n }
	return []CallEvent{
		mustCall(t, State{}, voice("CallStatus", "ringing", "CallerName", "ANNA")),
		mustCall(t, State{Step: StepMenu, Try: 1}, voice("Digits", "2")),
		mustCall(t, at(StepRecorded), voice("RecordingSid", recSid, "RecordingDuration", "12", "Digits", "#")),
		mustCall(t, at(StepRecording), form("CallSid", callSid, "RecordingSid", recSid, "RecordingStatus", "completed", "RecordingDuration", "12")),
		mustCall(t, at(StepTranscript), voice("TranscriptionSid", trSid, "TranscriptionStatus", "completed", "TranscriptionText", "fire", "RecordingSid", recSid, "CallStatus", "completed")),
		mustCall(t, State{Step: StepStatus}, voice("CallStatus", "completed", "CallDuration", "31", "SequenceNumber", "0")),
	}
}

func TestFoldAnyOrder(t *testing.T) {
	t.Parallel()
	p := fullPlan()
	events := story(t)
	want := p.Fold(events)
	if diff := cmp.Diff(Call{
		Sid: callSid, From: events[0].From, To: events[0].To, Name: "ANNA", Queue: "support", Status: CallCompleted, Duration: 31 * time.Second,
		Recordings: []Recording{{Sid: recSid, Status: "completed", Duration: 12 * time.Second}}, Transcripts: []Transcript{{trSid, "completed", "fire"}},
	}, want); diff != "" {
		t.Fatal(diff)
	}
	if !want.Ended() || !want.Voicemail() || want.Pending() || want.Missed() {
		t.Error(want)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		mixed := append([]CallEvent{}, events...)
		mixed = append(mixed, events[rng.IntN(len(events))], events[rng.IntN(len(events))])
		rng.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		if diff := cmp.Diff(want, p.Fold(mixed)); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestFold(t *testing.T) {
	t.Parallel()
	p := fullPlan()
	start := mustCall(t, State{}, voice("CallStatus", "ringing"))
	end := mustCall(t, State{Step: StepStatus}, voice("CallStatus", "completed", "CallDuration", "5", "SequenceNumber", "3"))
	menu := func(open bool, key string) CallEvent {
		return mustCall(t, State{Step: StepMenu, Open: open, Try: 1}, voice("Digits", key))
	}
	for _, c := range []struct {
		name   string
		events []CallEvent
		check  func(Call) bool
	}{
		{"nothing", nil, func(c Call) bool { return c.Sid == "" && !c.Missed() }},
		{"in progress", []CallEvent{start}, func(c Call) bool { return !c.Ended() && !c.Missed() }},
		{"hung up at once", []CallEvent{start, end}, func(c Call) bool { return c.Missed() && c.Duration == 5*time.Second }},
		{"chose a queue and hung up", []CallEvent{start, menu(false, "1"), end}, func(c Call) bool { return c.Missed() && c.Queue == "sales" }},
		{"call back", []CallEvent{start, menu(false, "9"), end}, func(c Call) bool { return !c.Missed() && c.Want == PurposeCallback }},
		{"about a ticket", []CallEvent{start, menu(true, "3"), mustCall(t, State{Step: StepNumber, Open: true, Try: 1, Want: PurposeTicket}, voice("Digits", "1042")), end},
			func(c Call) bool { return c.Want == PurposeTicket && c.Ref == "1042" && c.Open && c.Missed() }},
		{"meter reading", []CallEvent{start, menu(true, "4"), mustCall(t, State{Step: StepNumber, Open: true, Try: 1, Want: PurposeMeter}, voice("Digits", "12345")), end},
			func(c Call) bool { return c.Want == PurposeMeter && c.Ref == "12345" && !c.Missed() }},
		{"meter chosen, no reading", []CallEvent{start, menu(true, "4"), end}, func(c Call) bool { return c.Missed() }},
		{"recording not ready", []CallEvent{start, mustCall(t, State{Step: StepRecorded}, voice("RecordingSid", recSid, "RecordingDuration", "3", "Digits", "hangup", "CallStatus", "completed"))},
			func(c Call) bool { return c.Ended() && c.Pending() && !c.Missed() && !c.Voicemail() }},
		{"recording came to nothing", []CallEvent{start, end, mustCall(t, State{Step: StepRecording}, form("CallSid", callSid, "RecordingSid", recSid, "RecordingStatus", "absent"))},
			func(c Call) bool { return c.Missed() && !c.Pending() }},
		{"an agent took it", []CallEvent{start, mustCall(t, State{Step: StepAccept, Open: true}, voice("CallSid", childSid, "ParentCallSid", callSid, "To", "+9779800000001", "Digits", "1")),
			mustCall(t, State{Step: StepDialed, Open: true}, voice("DialCallStatus", "completed", "DialBridged", "true", "DialCallDuration", "30")), end},
			func(c Call) bool {
				return c.Answered && c.Agent == "+9779800000001" && !c.Missed() && c.Sid == callSid && c.From.Number == "+4915112345678"
			}},
		{"an agent's voicemail box", []CallEvent{start, mustCall(t, State{Step: StepWhisper, Open: true}, voice("CallSid", childSid, "ParentCallSid", callSid)),
			mustCall(t, State{Step: StepDialed, Open: true}, voice("DialCallStatus", "completed", "DialBridged", "false")), end},
			func(c Call) bool { return !c.Answered && c.Agent == "" && c.Missed() }},
		{"status before its beginning", []CallEvent{end, mustCall(t, State{Step: StepStatus}, voice("CallStatus", "ringing", "SequenceNumber", "1")), mustCall(t, State{Step: StepStatus}, voice("CallStatus", "in-progress", "SequenceNumber", "2"))},
			func(c Call) bool { return c.Status == CallCompleted }},
		{"false number", []CallEvent{mustCall(t, State{}, voice("StirVerstat", "TN-Validation-Failed-C"))}, func(c Call) bool { return c.Spam() }},
		{"a long message after a short one", []CallEvent{start, end,
			mustCall(t, State{Step: StepRecording}, form("CallSid", callSid, "RecordingSid", "RE11111111111111111111111111111111", "RecordingStatus", "completed")),
			mustCall(t, State{Step: StepRecording}, form("CallSid", callSid, "RecordingSid", recSid, "RecordingStatus", "completed"))}, func(c Call) bool { return len(c.Recordings) == 2 && c.Voicemail() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := p.Fold(c.events); !c.check(got) {
				t.Errorf("got %+v", got)
			}
		})
	}
}
