package phone

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	api "github.com/twilio/twilio-go/rest/api/v2010"
)

// pageSize and maxPages bound one listing: 20,000 rows. What is older is listed
// next time, from a later beginning.
const (
	pageSize = 200
	maxPages = 100
)

// slack is subtracted where Twilio filters by day, or its clock is not ours.
const slack = 24 * time.Hour

// Listed is something that the REST API lists, in the form of the webhook that
// should have brought it. The reconciler writes it into the ledger under Key
// and everything else goes the same way.
type Listed struct {
	// Key is the one of the webhook for a message and a recording. That of a call
	// is its own: a call whose callbacks came has one status more, of no effect.
	Key  string
	Sid  string
	At   time.Time
	Form url.Values // parameters as of the webhook; some are missing
	// State is where a call or recording belongs: the listing does not know what
	// was pressed.
	State State
}

// Messages lists the texts that came since a time, oldest first. Those that the
// desk sent are left out.
func (c *Client) Messages(ctx context.Context, since time.Time) ([]Listed, error) {
	p := &api.ListMessageParams{}
	p.SetDateSentAfter(since.UTC().Add(-slack))
	p.SetPageSize(pageSize)
	var out []Listed
	err := c.eachMessage(ctx, "list messages", p, func(m api.ApiV2010Message) bool {
		at := parseTime(text(m.DateCreated))
		if text(m.Direction) == "inbound" && !at.Before(since.Truncate(time.Second)) {
			out = append(out, listedMessage(m, at))
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	reverse(out)
	return out, nil
}

func listedMessage(m api.ApiV2010Message, at time.Time) Listed {
	form := url.Values{}
	set := func(name string, value *string) {
		if value != nil {
			form.Set(name, *value)
		}
	}
	set("MessageSid", m.Sid)
	set("AccountSid", m.AccountSid)
	set("From", m.From)
	set("To", m.To)
	set("Body", m.Body)
	set("NumSegments", m.NumSegments)
	set("NumMedia", m.NumMedia)
	set("MessagingServiceSid", m.MessagingServiceSid)
	form.Set("SmsStatus", "received")
	form.Set("DateSent", at.Format(time.RFC1123Z))
	return Listed{Key: MessageKey(text(m.Sid)), Sid: text(m.Sid), At: at, Form: form}
}

// MessageMedia returns the parameters MediaUrl0, MediaContentType0, … of a
// message that was listed: the listing itself counts the files only.
func (c *Client) MessageMedia(ctx context.Context, messageSid string) (url.Values, error) {
	if !sid.MatchString(messageSid) {
		return nil, &Error{Op: "list media", Text: "no MessageSid"}
	}
	lib, t := c.service(ctx, "list media", true)
	p := &api.ListMediaParams{}
	p.SetPageSize(maxMedia)
	page, err := lib.PageMedia(messageSid, p, "", "")
	if err != nil {
		return nil, t.asError(err)
	}
	form := url.Values{}
	for n, m := range page.MediaList {
		if n < maxMedia && sid.MatchString(text(m.Sid)) {
			form.Set("MediaUrl"+strconv.Itoa(n), c.base.String()+c.accountPath()+"/Messages/"+messageSid+"/Media/"+text(m.Sid))
			form.Set("MediaContentType"+strconv.Itoa(n), text(m.ContentType))
		}
	}
	form.Set("NumMedia", strconv.Itoa(len(form)/2))
	return form, nil
}

// Calls lists the calls that came since a time and are over, oldest first, each
// as a status callback. Legs to agents and calls of the desk are left out.
func (c *Client) Calls(ctx context.Context, since time.Time) ([]Listed, error) {
	p := &api.ListCallParams{}
	p.SetStartTimeAfter(since.UTC().Add(-slack))
	p.SetPageSize(pageSize)
	var out []Listed
	err := c.eachCall(ctx, "list calls", p, func(call api.ApiV2010Call) bool {
		at := parseTime(text(call.DateCreated))
		if text(call.Direction) == "inbound" && CallStatus(text(call.Status)).Final() && !at.Before(since.Truncate(time.Second)) {
			out = append(out, listedCall(call, at))
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	reverse(out)
	return out, nil
}

func listedCall(call api.ApiV2010Call, at time.Time) Listed {
	form := url.Values{}
	for name, value := range map[string]*string{"CallSid": call.Sid, "AccountSid": call.AccountSid, "From": call.From, "To": call.To,
		"Direction": call.Direction, "CallStatus": call.Status, "CallDuration": call.Duration, "CallerName": call.CallerName} {
		if value != nil {
			form.Set(name, *value)
		}
	}
	form.Set("Timestamp", at.Format(time.RFC1123Z))
	key := statusKey(text(call.Sid), CallStatus(text(call.Status)), -1)
	return Listed{Key: key, Sid: text(call.Sid), At: at, Form: form, State: State{Step: StepStatus}}
}

// Recordings lists the recordings made since a time, oldest first, those that
// are not ready left out.
func (c *Client) Recordings(ctx context.Context, since time.Time) ([]Listed, error) {
	p := &api.ListRecordingParams{}
	p.SetDateCreatedAfter(since.UTC().Add(-slack))
	p.SetPageSize(pageSize)
	lib, t := c.service(ctx, "list recordings", true)
	var out []Listed
	next := ""
	for range maxPages {
		page, err := lib.PageRecording(p, pageToken(next), pageNumber(next))
		if err != nil {
			return nil, t.asError(err)
		}
		for _, r := range page.Recordings {
			at := parseTime(text(r.DateCreated))
			if text(r.Status) == "completed" && !at.Before(since.Truncate(time.Second)) {
				out = append(out, listedRecording(r, at))
			}
		}
		if next = text(page.NextPageUri); next == "" {
			break
		}
	}
	reverse(out)
	return out, nil
}

func listedRecording(r api.ApiV2010Recording, at time.Time) Listed {
	form := url.Values{}
	for name, value := range map[string]*string{"RecordingSid": r.Sid, "CallSid": r.CallSid, "AccountSid": r.AccountSid, "RecordingStatus": r.Status, "RecordingDuration": r.Duration} {
		if value != nil {
			form.Set(name, *value)
		}
	}
	form.Set("RecordingStartTime", at.Format(time.RFC1123Z))
	return Listed{Key: RecordingKey(text(r.Sid), text(r.Status)), Sid: text(r.Sid), At: at, Form: form, State: State{Step: StepRecording}}
}

// FindMessage looks for a text that may have been sent: the same sender,
// recipient and words, not before since, the time at which it was first tried.
// It returns "" when there is none. Known are the MessageSids of other texts
// with the same words that the desk knows it sent.
//
// Twilio lists a text at once when it is taken; wait a few seconds all the same,
// because the request may still be on its way.
func (c *Client) FindMessage(ctx context.Context, m Outgoing, since time.Time, known ...string) (string, error) {
	p := &api.ListMessageParams{}
	p.SetFrom(m.From)
	p.SetTo(m.To)
	p.SetPageSize(pageSize)
	found := ""
	err := c.eachMessage(ctx, "look message up", p, func(got api.ApiV2010Message) bool {
		if parseTime(text(got.DateCreated)).Before(since.Add(-time.Minute)) {
			return false // newest first: what follows is older
		}
		same := m.Template != "" || strings.TrimSpace(text(got.Body)) == strings.TrimSpace(m.Text)
		if same && text(got.Direction) != "inbound" && !oneOf(text(got.Sid), known...) {
			found = text(got.Sid) // the oldest one in question
		}
		return true
	})
	return found, err
}

// FindCall looks for a call that may have been placed: our number, the number
// called, not before since. It returns "" when there is none.
func (c *Client) FindCall(ctx context.Context, o Outcall, since time.Time, known ...string) (string, error) {
	p := &api.ListCallParams{}
	p.SetFrom(o.From)
	p.SetTo(o.To)
	p.SetPageSize(pageSize)
	found := ""
	err := c.eachCall(ctx, "look call up", p, func(got api.ApiV2010Call) bool {
		if parseTime(text(got.DateCreated)).Before(since.Add(-time.Minute)) {
			return false
		}
		if text(got.Direction) == "outbound-api" && !oneOf(text(got.Sid), known...) {
			found = text(got.Sid)
		}
		return true
	})
	return found, err
}

func (c *Client) eachMessage(ctx context.Context, op string, p *api.ListMessageParams, each func(api.ApiV2010Message) bool) error {
	lib, t := c.service(ctx, op, true)
	next := ""
	for range maxPages {
		page, err := lib.PageMessage(p, pageToken(next), pageNumber(next))
		if err != nil {
			return t.asError(err)
		}
		for _, m := range page.Messages {
			if !each(m) {
				return nil
			}
		}
		if next = text(page.NextPageUri); next == "" {
			return nil
		}
	}
	return nil
}

func (c *Client) eachCall(ctx context.Context, op string, p *api.ListCallParams, each func(api.ApiV2010Call) bool) error {
	lib, t := c.service(ctx, op, true)
	next := ""
	for range maxPages {
		page, err := lib.PageCall(p, pageToken(next), pageNumber(next))
		if err != nil {
			return t.asError(err)
		}
		for _, call := range page.Calls {
			if !each(call) {
				return nil
			}
		}
		if next = text(page.NextPageUri); next == "" {
			return nil
		}
	}
	return nil
}

// pageToken and pageNumber read the address of the next page, which is relative
// and holds both.
func pageToken(next string) string  { return pageParameter(next, "PageToken") }
func pageNumber(next string) string { return pageParameter(next, "Page") }

func pageParameter(next, name string) string {
	u, err := url.Parse(next)
	if err != nil {
		return ""
	}
	return u.Query().Get(name)
}

func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

func reverse(all []Listed) {
	for i, j := 0, len(all)-1; i < j; i, j = i+1, j-1 {
		all[i], all[j] = all[j], all[i]
	}
}
