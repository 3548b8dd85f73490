package parser_test

import (
	"fmt"

	"frontdesk/parser"
)

// A reply: what the customer wrote, and what was left out, and why.
func ExampleParse() {
	m := parser.Parse([]byte(`From: Ada Byron <ada@example.net>
To: desk@example.org
Subject: Re: [Example #12] Lamp
Content-Type: text/plain; charset=utf-8

It is still dark.

On Mon, Mar 2, 2026 at 9:14 AM Desk <desk@example.org> wrote:
> Is it plugged in?
`), parser.Options{})
	fmt.Println(m.From.Address, m.SubjectCore, m.Kind)
	fmt.Println(m.ReplyText)
	for _, c := range m.Cuts {
		fmt.Printf("lines %d-%d left out by %s\n", c.From, c.To, c.Rule)
	}
	// Output:
	// ada@example.net Lamp message
	// It is still dark.
	// lines 3-4 left out by on-wrote
}

// A bounce without a delivery-status part is understood, too.
func ExampleParse_bounce() {
	m := parser.Parse([]byte(`Return-Path: <>
From: MAILER-DAEMON@mx.example.net
To: desk@example.org
Subject: failure notice

<ada@example.net>:
Remote host said: 552 5.2.2 mailbox full

--- Below this line is a copy of the message.

Message-ID: <letter@example.org>
`), parser.Options{})
	b := m.Bounce
	fmt.Println(m.Kind, b.Recipient, b.Status, b.Reason, b.Hard, b.MessageID)
	fmt.Println("because of", m.Signals[0].Rule)
	// Output:
	// bounce ada@example.net 5.2.2 mailboxfull true letter@example.org
	// because of bounce-text
}

// Commands stand at the very top, before the text for the customer.
func ExampleParse_commands() {
	m := parser.Parse([]byte(`From: agent@example.org
Subject: Re: lamp

#pending until friday
#tag +lamp

We ordered a new one.
`), parser.Options{})
	fmt.Printf("%q\n%q\n", m.Commands, m.Body)
	// Output:
	// ["#pending until friday" "#tag +lamp"]
	// "We ordered a new one."
}

// What is broken is reported, and the rest is read.
func ExampleParse_defects() {
	m := parser.Parse([]byte("From: ada@example.net\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nIt is dark.\n"), parser.Options{})
	fmt.Println(m.Text)
	fmt.Println(m.Defects)
	// Output:
	// It is dark.
	// [multipart not closed]
}
