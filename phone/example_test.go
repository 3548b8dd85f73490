package phone_test

import (
	"fmt"
	"net/url"

	"frontdesk/phone"
)

func ExampleParseParty() {
	for _, raw := range []string{"030 1234567", "whatsapp:+4915112345678", "+266696687", "sip:anna@pbx.example"} {
		p := phone.ParseParty(raw, "DE")
		fmt.Printf("%s %q known=%v\n", p.Kind, p.Number, p.Known())
	}
	// Output:
	// number "+49301234567" known=true
	// number "+4915112345678" known=true
	// withheld "" known=false
	// sip "" known=false
}

func ExampleSegments() {
	fmt.Println(phone.Segments("Ihr Ticket 1042 ist gelöst."))
	fmt.Println(phone.Segments("Ihr Ticket 1042 ist gelöst 👍"))
	// Output:
	// {GSM-7 27 1}
	// {UCS-2 29 1}
}

func ExampleShorten() {
	text := "The spare part has arrived. Our technician comes on Tuesday between nine and eleven; please make sure that somebody is there to let him in, and keep the invoice at hand."
	short, cut := phone.Shorten(text, 1, "https://desk.example/t/x7")
	fmt.Println(cut)
	fmt.Println(short)
	// Output:
	// true
	// The spare part has arrived. Our technician comes on Tuesday between nine and eleven; please make sure that somebody is there to let... https://desk.example/t/x7
}

func ExampleKeyword() {
	for _, text := range []string{" sToP ", "Stop please", "Hilfe"} {
		fmt.Printf("%q: %q\n", text, phone.Keyword(text))
	}
	// Output:
	// " sToP ": "stop"
	// "Stop please": ""
	// "Hilfe": "help"
}

func ExampleLimits() {
	limits := phone.Limits{Prefixes: []string{"+49"}, Denied: []string{"+49137"}, Segments: 100}
	for _, to := range []string{"+4915112345678", "+2348031234567", "+499001123456"} {
		fmt.Printf("%q\n", limits.Text(phone.ParseParty(to, ""), 1, phone.Spent{Segments: 12}))
	}
	// Output:
	// ""
	// "prefix"
	// "premium"
}

// A webhook says by its path what the call has come to, and is answered from the
// plan alone.
func ExamplePlan() {
	plan := phone.Plan{Base: "https://desk.example/twilio/voice", Brand: "Baleyo", Menu: []phone.Choice{{Key: "2", Queue: "support", Label: "support"}}}
	state, err := phone.ParseState("/menu/closed/1/-/-/-")
	if err != nil {
		panic(err)
	}
	form := url.Values{"CallSid": {"CA0123456789abcdef0123456789abcdef"}, "From": {"+4915112345678"}, "To": {"+49301234567"}, "Digits": {"2"}}
	event, err := phone.ParseCall(state, form, "DE")
	if err != nil {
		panic(err)
	}
	scene, next := plan.Next(state, event)
	fmt.Println(event.Key())
	fmt.Println(scene, next.Queue)
	// Output:
	// call:CA0123456789abcdef0123456789abcdef/menu/closed/1/-/-/-
	// voicemail support
}

func ExampleAlarm() {
	alarm := phone.Alarm{Base: "https://desk.example/twilio/alarm/7f3a", Ticket: 1042, Customer: "Anna <Dial>"}
	verdict, _ := alarm.Pressed(1, url.Values{}) // a voicemail box answered
	fmt.Printf("%q\n", verdict)
	verdict, twiml := alarm.Pressed(2, url.Values{"Digits": {"1"}})
	fmt.Printf("%q\n%s", verdict, twiml)
	// Output:
	// ""
	// "acknowledged"
	// <?xml version="1.0" encoding="UTF-8"?>
	// <Response>
	//   <Say language="en-GB">Ticket 1 0 4 2 is yours. Goodbye.</Say>
	//   <Hangup></Hangup>
	// </Response>
}
