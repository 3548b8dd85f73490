package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"frontdesk/internal/twiliosim"
	"frontdesk/parser"
	"frontdesk/tickets"
)

// The demo's telephone company: it signs its webhooks as the real one does, and
// the desk calls its REST API over a loopback port.
const (
	demoAccount = "AC0000000000000000000000000000de30"
	demoToken   = "0000000000000000000000000000de30"
	demoLine    = "+97714000000"
	demoCaller  = "+9779812345678"
)

// exchange is a telephone company on loopback ports.
type exchange struct {
	sim    *twiliosim.Sim
	api    net.Listener
	server *http.Server
	desk   string // host:port at which the desk listens for it
}

// newExchange starts the company and picks a port for the desk's webhooks.
func newExchange() (*exchange, error) {
	api, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		_ = api.Close()
		return nil, err
	}
	x := &exchange{api: api, desk: free.Addr().String()}
	_ = free.Close()
	x.sim = twiliosim.New(twiliosim.Config{AccountSID: demoAccount, AuthToken: demoToken, APIBase: "http://" + api.Addr().String()})
	base := "http://" + x.desk + "/twilio"
	x.sim.AddNumber(twiliosim.Number{E164: demoLine, VoiceURL: base + "/voice", StatusCallback: base + "/voice/status", SMSURL: base + "/sms"})
	x.server = &http.Server{Handler: x.sim, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = x.server.Serve(api) }()
	return x, nil
}

func (x *exchange) close() {
	if x != nil {
		_ = x.server.Close()
	}
}

// voicemail is a customer who calls and leaves a message.
func (s *story) voicemail(ctx context.Context) error {
	s.tell.step("Ram calls Baleyo, presses 2 for support, and speaks after the tone")
	call, err := s.stage.phone.sim.Dial(twiliosim.Inbound{From: demoCaller, To: demoLine, CallerName: "RAM THAPA", Script: []twiliosim.Step{
		{Press: "2"}, {Leave: &twiliosim.Leave{Seconds: 12, Text: "Hello, this is Ram, my scanner shows error five.", Key: "#"}},
	}})
	if err != nil {
		return err
	}
	for _, heard := range call.Heard {
		s.tell.say("  Ram hears: %s", heard)
	}
	mail, err := s.inbox(ctx, "asha@baleyo.test", "the voicemail", about("#3"))
	if err != nil {
		return err
	}
	s.tell.letter("Asha gets the voicemail as a mail, with the recording attached", mail)
	if len(mail.Attachments) != 1 || mail.Attachments[0].ContentType != "audio/mpeg" {
		return fmt.Errorf("the mail carries %d files, want the recording", len(mail.Attachments))
	}
	s.tell.say("  attached: %s (%d KB)", mail.Attachments[0].Filename, len(mail.Attachments[0].Data)/1024)
	text, err := s.text(ctx, "the acknowledgement", "#3")
	if err != nil {
		return err
	}
	s.tell.say("Ram's phone buzzes: %q", text.Body)
	return nil
}

// textsBack is the agent's reply by mail, which the customer reads as a text.
func (s *story) textsBack(ctx context.Context) error {
	s.tell.step("Asha hits Reply, as always")
	if err := s.reply(ctx, "Asha", "asha@baleyo.test", "Hello Ram, error five is a paper jam. Please open the left flap.\n\n-- \nAsha, first line, Baleyo\n"); err != nil {
		return err
	}
	text, err := s.text(ctx, "Asha's answer", "left flap")
	if err != nil {
		return err
	}
	s.tell.say("Ram's phone buzzes, without quotes or signature: %q", text.Body)
	if err := expect(!strings.Contains(text.Body, "first line") && !strings.Contains(text.Body, ">"), "the text carries a signature or a quote"); err != nil {
		return err
	}
	s.tell.step("Ram texts back")
	if _, err := s.stage.phone.sim.Text(twiliosim.Text{From: demoCaller, To: demoLine, Body: "There was a paper clip. It works!"}); err != nil {
		return err
	}
	mail, err := s.inbox(ctx, "asha@baleyo.test", "Ram's text", func(m *parser.Mail) bool { return strings.Contains(m.Text, "paper clip") })
	if err != nil {
		return err
	}
	s.tell.letter("It joins the same ticket, and Asha's thread", mail)
	if err := s.reply(ctx, "Asha", "asha@baleyo.test", "#close\nA paper clip was in the feeder; it is out.\n"); err != nil {
		return err
	}
	if text, err = s.text(ctx, "the resolution", "paper clip was in"); err != nil {
		return err
	}
	s.tell.say("Asha closes it, and Ram reads: %q", text.Body)
	t, err := s.stage.desk.db.Ticket(ctx, 3)
	if err != nil {
		return err
	}
	return expect(t.Status == tickets.StatusResolved && t.Channel == tickets.ChannelVoice, "the call's ticket is not resolved")
}

// text waits for a text to Ram that holds the words.
func (s *story) text(ctx context.Context, what, words string) (twiliosim.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		for _, m := range s.stage.phone.sim.Outbox() {
			if m.To == demoCaller && strings.Contains(m.Body, words) {
				return m, nil
			}
		}
		select {
		case <-ctx.Done():
			return twiliosim.Message{}, fmt.Errorf("%s did not arrive at %s within %s", what, demoCaller, patience)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
