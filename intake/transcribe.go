package intake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"

	"frontdesk/phone"
	"frontdesk/store"
	"frontdesk/tickets"
)

// TranscriberOptions describe the loop that has recordings written down by a
// program of the operator's.
type TranscriberOptions struct {
	DB    *store.DB
	Rules func() tickets.Rules
	// Command returns the program with its arguments, and the time that it has
	// for one recording. No program: recordings are passed over.
	Command func() (argv []string, limit time.Duration)
	Wake    func(brand string) // rows were added
	Log     *slog.Logger
	Now     func() time.Time
}

// Transcriber gives recordings to a program, one at a time: the recording on
// standard input, what it says on standard output. The text becomes a row of
// the ledger in the form of the telephone company's own transcript.
//
// A transcript is a help and no record: what waits when the desk stops is not
// written down, and nothing waits long for it.
type Transcriber struct {
	opt     TranscriberOptions
	waiting chan Recorded
	beat    atomic.Int64
}

// mostWaiting bounds the recordings in memory: they are less than a megabyte each.
const mostWaiting = 50

// NewTranscriber prepares a transcriber; it starts nothing.
func NewTranscriber(opt TranscriberOptions) *Transcriber {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Wake == nil {
		opt.Wake = func(string) {}
	}
	t := &Transcriber{opt: opt, waiting: make(chan Recorded, mostWaiting)}
	t.beat.Store(time.Now().UnixNano())
	return t
}

// Offer hands a recording over and does not wait. It is passed over when too
// many wait.
func (t *Transcriber) Offer(r Recorded) {
	if argv, _ := t.opt.Command(); len(argv) == 0 {
		return
	}
	select {
	case t.waiting <- r:
	default:
		t.opt.Log.Warn("recording not transcribed: too many wait", "source", recordingFileKey(r.Sid))
	}
}

// Beat returns when the loop last made progress, now while it has nothing to do.
func (t *Transcriber) Beat() time.Time {
	if at := t.beat.Load(); at != 0 {
		return time.Unix(0, at)
	}
	return time.Now()
}

// Run transcribes until ctx ends; the program that runs then is killed.
func (t *Transcriber) Run(ctx context.Context) error {
	t.beat.Store(0)
	for {
		select {
		case <-ctx.Done():
			return nil
		case r := <-t.waiting:
			t.beat.Store(time.Now().UnixNano())
			t.one(ctx, r)
			t.beat.Store(0)
		}
	}
}

func (t *Transcriber) one(ctx context.Context, r Recorded) {
	argv, limit := t.opt.Command()
	if len(argv) == 0 {
		return
	}
	began := time.Now()
	text, err := transcribe(ctx, argv, limit, r.Data)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		t.opt.Log.Warn("recording not transcribed", "source", recordingFileKey(r.Sid), "err", err)
	} else {
		t.opt.Log.Info("recording transcribed", "source", recordingFileKey(r.Sid), "took", time.Since(began).Round(time.Millisecond))
	}
	if err := t.store(ctx, r, text, err == nil); err != nil {
		t.opt.Log.Error("transcript not stored", "source", recordingFileKey(r.Sid), "err", err)
	}
}

// store writes the transcript as a row and lets the call go that may wait for
// it. One that failed has a row, too: nobody waits for it then.
func (t *Transcriber) store(ctx context.Context, r Recorded, text string, ok bool) error {
	raw, err := t.opt.DB.Raw(ctx, r.Ledger)
	if err != nil {
		return err
	}
	announced, err := readHook(raw)
	if err != nil {
		return err
	}
	h, err := transcriptHook(announced, r.Sid, text, ok, t.opt.Now())
	if err != nil {
		return err
	}
	e, err := readEvent(h, t.opt.Rules())
	if err != nil {
		return err
	}
	if _, err := t.opt.DB.Append(ctx, []store.Item{item(e, h, t.opt.Now())}, nil); err != nil {
		return err
	}
	if err := t.opt.DB.LetGo(ctx, r.Contact); err != nil {
		return err
	}
	t.opt.Wake(r.Brand)
	return nil
}

// transcriptHook is a transcript in the form of the webhook that Twilio would
// have sent, at the place of the call where the recording was announced. It is
// named after the recording: one recording has one.
func transcriptHook(announced Hook, recordingSid, text string, ok bool, now time.Time) (Hook, error) {
	number, rest, err := phone.ParseLinePath(announced.path())
	if err != nil {
		return Hook{}, err
	}
	state, err := phone.ParseState(rest)
	if err != nil {
		return Hook{}, err
	}
	state.Step = phone.StepTranscript
	form := url.Values{"RecordingSid": {recordingSid}, "TranscriptionSid": {recordingSid}, "TranscriptionStatus": {"completed"}, "TranscriptionText": {text}}
	for _, name := range []string{"AccountSid", "CallSid"} {
		form.Set(name, announced.Form.Get(name))
	}
	if !ok {
		form.Set("TranscriptionStatus", "failed")
	}
	return Hook{URI: phone.LinePath(number) + state.Path(), Form: form, At: now}, nil
}

// maxTranscript bounds what is read of the program, in bytes.
const maxTranscript = 64 << 10

// transcribe runs the program. It inherits nothing of the desk but a PATH: the
// desk's environment may hold secrets.
func transcribe(ctx context.Context, argv []string, limit time.Duration, recording []byte) (string, error) {
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...) // #nosec G204 -- the operator's own program, without a shell
	cmd.Stdin = bytes.NewReader(recording)
	out, told := &head{limit: maxTranscript}, &head{limit: 1000}
	cmd.Stdout, cmd.Stderr = out, told
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "HOME=" + os.TempDir()}
	cmd.Dir = os.TempDir()
	cmd.WaitDelay = 5 * time.Second // a grandchild may hold the pipe open
	killGroup(cmd)
	err := cmd.Run()
	text := strings.TrimSpace(strings.ToValidUTF8(out.String(), "\uFFFD"))
	switch {
	case ctx.Err() != nil:
		return "", fmt.Errorf("run %q: %w", argv[0], context.Cause(ctx))
	case err != nil:
		return "", fmt.Errorf("run %q: %w: %q", argv[0], err, strings.TrimSpace(told.String()))
	case text == "":
		return "", fmt.Errorf("run %q: %w", argv[0], errNoWords)
	}
	return text, nil
}

var errNoWords = errors.New("it wrote nothing")

// head keeps the beginning of what is written to it and takes all of it.
type head struct {
	bytes.Buffer
	limit int
}

func (h *head) Write(p []byte) (int, error) {
	if n := min(len(p), h.limit-h.Len()); n > 0 {
		h.Buffer.Write(p[:n])
	}
	return len(p), nil
}
