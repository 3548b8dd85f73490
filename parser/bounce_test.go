package parser

import "testing"

// bounceForms are reports without status fields, in the forms that MTAs give
// them, named after the MTA; texts shortened to what the form needs.
var bounceForms = []struct {
	name, head, body          string
	recipient, status, reason string
}{
	{"exim", "From: Mail Delivery System <Mailer-Daemon@mx.example.net>\nSubject: Mail delivery failed: returning message to sender", "could not be delivered to one or more recipients:\n\n  bob@example.com\n    host mx.example.com [192.0.2.1]: 550 5.7.1 blocked by policy\n\n------ This is a copy of the message, including all the headers. ------\n\nReturn-path: <desk@example.org>\n", "bob@example.com", "5.7.1", "blocked"},
	{"exim routing", "From: Mail Delivery System <Mailer-Daemon@mx.example.net>\nSubject: Mail delivery failed: returning message to sender", "The following address(es) failed:\n\n  bob@example.com\n    Unrouteable address\n", "bob@example.com", "", "userunknown"},
	{"exim alias", "From: Mail Delivery System <Mailer-Daemon@mx.example.net>\nSubject: Mail delivery failed: returning message to sender", "The following address(es) failed:\n\n  real@inside.example\n    (ultimately generated from bob@example.com)\n    mailbox is full\n", "real@inside.example", "", "mailboxfull"},
	{"exim delay", "From: Mail Delivery System <Mailer-Daemon@mx.example.net>\nSubject: Warning: message 1abc delayed 24 hours", "has been delayed. The address to which it has not yet been delivered is:\n\n  bob@example.com\n    Delay reason: connection timed out\n", "bob@example.com", "", "expired"},
	{"qmail", "From: MAILER-DAEMON@mx.example.net\nSubject: failure notice", "wasn't able to deliver\n\n<bob@example.com>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n--- Below this line is a copy of the message.\n", "bob@example.com", "5.1.1", "userunknown"},
	{"qmail expired", "From: MAILER-DAEMON@mx.example.net\nSubject: failure notice", "<bob@example.com>:\nConnection refused (#4.4.1)\nit has been in the queue too long.\n", "bob@example.com", "4.4.1", "expired"},
	{"postfix without parts", "From: MAILER-DAEMON@mx.example.net (Mail Delivery System)\nSubject: Undelivered Mail Returned to Sender", "<bob@example.com> (expanded from <all@example.org>): host mx.example.com[192.0.2.1]\n    said: 554 5.7.26 not authenticated (in reply to end of DATA command)\n", "bob@example.com", "5.7.26", "authfailure"},
	{"sendmail", "From: Mail Delivery Subsystem <MAILER-DAEMON@mx.example.net>\nSubject: Returned mail: User unknown", "   ----- The following addresses had permanent fatal errors -----\n<bob@example.com>\n\n   ----- Transcript of session follows -----\n... while talking to mx.example.com.:\n>>> RCPT To:<bob@example.com>\n<<< 550 5.1.1 unknown user\n550 5.1.1 <bob@example.com>... User unknown\n", "bob@example.com", "5.1.1", "userunknown"},
	{"old sendmail", "From: Mail Delivery Subsystem <MAILER-DAEMON@mx.example.net>\nSubject: Returned mail: Host unknown", "   ----- Transcript of session follows -----\n554 <bob@example.com>... 550 Host unknown\n\n   ----- Unsent message follows -----\nFrom: desk@example.org\n", "bob@example.com", "", "hostunknown"},
	{"exchange 5.5", "From: System Administrator <postmaster@example.com>\nSubject: Undeliverable: lamp", "Your message\n\n  To:      bob@example.com\n  Subject: lamp\n\ndid not reach the following recipient(s):\n\nbob@example.com on Mon, 2 Mar 2026 09:14:05 +0100\n    The recipient name is not recognized\n", "bob@example.com", "", "userunknown"},
	{"office365 text", "From: Microsoft Outlook <postmaster@example.com>\nReturn-Path: <>\nSubject: Undeliverable: lamp", "Delivery has failed to these recipients or groups:\n\nBob (bob@example.com)<mailto:bob@example.com>\nThe address wasn't found.\n\nRemote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup'\n", "bob@example.com", "5.1.10", "userunknown"},
	{"gmail text", "From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>\nX-Failed-Recipients: bob@example.com\nSubject: Delivery Status Notification (Failure)", "Delivery to the following recipient failed permanently:\n\n     bob@example.com\n\nTechnical details: 550 5.2.1 inactive account\n", "bob@example.com", "5.2.1", "suspend"},
	{"gmail delay", "From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>\nSubject: Delivery Status Notification (Delay)", "Delivery to the following recipient has been delayed:\n\n     bob@example.com\n\nMessage will be retried for 2 more day(s)\n", "bob@example.com", "", "expired"},
	{"yahoo", "From: MAILER-DAEMON@yahoo.com\nSubject: Failure Notice", "Sorry, we were unable to deliver your message to the following address.\n\n<bob@example.com>:\nRemote host said:\n552 5.2.2 quota exceeded\n[RCPT_TO]\n", "bob@example.com", "5.2.2", "mailboxfull"},
	{"gmx", "From: MAILER-DAEMON@gmx.example\nSubject: Mail delivery failed: returning message to sender", "The following address failed:\n\n\"bob@example.com\":\nSMTP error from remote server after RCPT command:\nhost: mx.example.com\n5.1.1 no such user\n", "bob@example.com", "5.1.1", "userunknown"},
	{"1und1", "From: \"Mail Delivery System\" <mailer-daemon@kundenserver.example>\nSubject: Mail delivery failed: returning message to sender", "The following address failed:\n\nbob@example.com:\n\nFor the following reason:\n\nMail size limit exceeded.\n", "bob@example.com", "", "mesgtoobig"},
	{"opensmtpd", "From: Mailer Daemon <MAILER-DAEMON@mx.example.net>\nSubject: Delivery status notification: error", "    An error has occurred while attempting to deliver a message for\n    the following list of recipients:\n\nbob@example.com: 550 5.1.1 unknown\n\n    Below is a copy of the original message:\n", "bob@example.com", "5.1.1", "userunknown"},
	{"dragonfly", "From: MAILER-DAEMON <>\nSubject: Mail delivery failed", "There was an error delivering your mail to <bob@example.com>.\n\nmx.example.com [192.0.2.1] did not like our RCPT TO:\n550 5.1.1 unknown\n\nMessage headers follow.\n", "bob@example.com", "5.1.1", "userunknown"},
	{"courier", "From: postmaster@mx.example.net\nSubject: NOTICE: mail delivery status.", "                           UNDELIVERABLE MAIL\n\nYour message to the following recipients cannot be delivered:\n\n<bob@example.com>:\n    mx.example.com [192.0.2.1]:\n>>> RCPT TO:<bob@example.com>\n<<< 550 5.1.1 unknown\n", "bob@example.com", "5.1.1", "userunknown"},
	{"imail", "From: \"Postmaster\" <postmaster@mx.example.net>\nSubject: Undeliverable Mail", "undeliverable to bob@example.com\n\nOriginal message follows.\n", "bob@example.com", "", "undefined"},
	{"notes", "From: Postmaster@example.com\nSubject: Undeliverable message", "------- Failure Reasons  --------\n\nUser not listed in public Name & Address Book\nbob@example.com\n\n\n------- Returned Message --------\nReceived: x\n", "bob@example.com", "", "userunknown"},
	{"domino", "From: Postmaster@example.com\nSubject: DELIVERY FAILURE: User bob (bob@example.com) not listed in Domino Directory", "Your message\n\n  Subject: lamp\n\nwas not delivered to:\n\n  bob@example.com\n\nbecause:\n\n  User bob (bob@example.com) not listed in Domino Directory\n", "bob@example.com", "", "userunknown"},
	{"james", "From: postmaster@mx.example.net\nReturn-Path: <>\nSubject: Re:lamp", "could not be delivered to one or more recipients.\n\nMessage details:\n  Subject: lamp\n  MAIL FROM: desk@example.org\n  RCPT TO: bob@example.com\n\nError message:\n550 5.1.1 unknown user\n", "bob@example.com", "5.1.1", "userunknown"},
	{"mailmarshal", "From: MailMarshal@mx.example.net\nReturn-Path: <>\nSubject: Undeliverable Mail: \"lamp\"", "Your message:\n   From:    desk@example.org\n   Subject: lamp\n\nCould not be delivered because of\n\n550 5.1.1 User unknown\n\nThe following recipients were affected:\n    bob@example.com\n", "bob@example.com", "5.1.1", "userunknown"},
	{"interscan", "From: postmaster@mx.example.net\nSubject: Mail could not be delivered", "Sent >>> RCPT TO:<bob@example.com>\nReceived <<< 550 5.1.1 <bob@example.com>... user unknown\n\nUnable to deliver message to <bob@example.com>\n", "bob@example.com", "5.1.1", "userunknown"},
	{"x6", "From: MAILER-DAEMON@mx.example.net\nSubject: There was an error sending your mail", "We had trouble delivering your message. Full details follow:\n\nSubject: 'lamp'\n\n1 error(s):\n\nSMTP Server <mx.example.com> rejected recipient <bob@example.com>\n  (Error following RCPT command). It responded as follows: [550 5.1.1 unknown]\n", "bob@example.com", "5.1.1", "userunknown"},
	{"verizon", "From: post_master@vtext.example\nSubject: Undeliverable Message", "Message could not be delivered to mobile.\nError: No valid recipients for this MM\n\nTo: 5551234567@vtext.example\n", "5551234567@vtext.example", "", "undefined"},
	{"facebook", "From: Facebook <mailer-daemon@mx.facebook.example>\nSubject: Sorry, your message could not be delivered", "This message could not be delivered due to the recipient's limits.\n\nFinal-Recipient: rfc822; bob@example.com\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 RCP-P2\n", "bob@example.com", "5.1.1", "userunknown"},
	{"biglobe", "From: postmaster@biglobe.example\nSubject: Returned mail", "   ----- The following addresses had delivery problems -----\nbob@example.com\n\n   ----- Non-delivered information -----\nThe number of messages in recipient's mailbox exceeded the local limit.\n", "bob@example.com", "", "mailboxfull"},
	{"activehunter", "From: \"MAILER-DAEMON\" <MAILER-DAEMON@example.jp>\nSubject: FAILURE NOTICE : lamp", "  ----- The following addresses had permanent fatal errors -----\n\n>>> bob@example.com <bob@example.com>\n\n  ----- Transcript of session follows -----\n550 sorry, no mailbox here by that name (#5.1.1 - chkusr)\n", "bob@example.com", "5.1.1", "userunknown"},
	{"mfilter", "From: POSTMASTER <postmaster@example.jp>\nSubject: failure notice", "このメールは自動的に送信しています。\n送信できませんでした。\nbob@example.com\n\n-------server message\n550 5.1.1 unknown user\n\n-------SMTP command\nRCPT TO\n\n-------original message\nReceived: x\n", "bob@example.com", "5.1.1", "userunknown"},
	{"ezweb", "From: Postmaster@ezweb.example\nReturn-Path: <>\nSubject: Mail System Error - Returned Mail", "The user(s) account is temporarily over quota.\n\n<bob@example.com>\n", "bob@example.com", "", "mailboxfull"},
	{"zoho", "From: mailer-daemon@mail.zoho.example\nSubject: Undelivered Mail Returned to Sender", "could not be delivered to one or more of its recipients.\n\nbob@example.com Invalid Address, ERROR_CODE :550, ERROR_CODE :5.1.1 unknown\n\nReceived:from x\n", "bob@example.com", "5.1.1", "userunknown"},
	{"mimecast", "From: postmaster <postmaster@mx.example.net>\nReturn-Path: <>\nSubject: [Postmaster] Email Delivery Failure", "An email that you attempted to send to the following address could not be delivered:\n-- bob@example.com\n\nAdditional information follows :\n-- 5.4.1 Recipient address rejected: Access denied.\n", "bob@example.com", "5.4.1", "filtered"},
	{"fml", "From: list-admin@example.com\nSubject: Loop Alert: Duplicated Message-ID (lamps ML)", "Duplicated Message-ID in <lamps@example.com>.\n\nOriginal mail as follows:\n\n   From x\n", "lamps@example.com", "", "systemerror"},
	{"german gateway", "From: postmaster@mx.example.net\nSubject: Nachricht unzustellbar: Lampe", "Ihre Nachricht konnte nicht zugestellt werden:\n\n  bob@example.com\n  550 5.1.1 Empfänger unbekannt\n", "bob@example.com", "5.1.1", "userunknown"},
	{"french gateway", "From: postmaster@mx.example.net\nSubject: Message non remis : lampe", "Votre message n'a pas pu être remis à bob@example.com\n550 5.2.2 boîte pleine\n", "bob@example.com", "5.2.2", "mailboxfull"},
	{"russian gateway", "From: mailer-daemon@mx.example.net\nSubject: Ваше сообщение не доставлено", "Ваше письмо не может быть доставлено:\n\n  bob@example.com\n    550 5.1.1 unknown\n", "bob@example.com", "5.1.1", "userunknown"},
}

func TestBounceForms(t *testing.T) {
	t.Parallel()
	for _, c := range bounceForms {
		t.Run(c.name, func(t *testing.T) {
			m := Parse([]byte(c.head+"\nTo: desk@example.org\nContent-Type: text/plain; charset=utf-8\n\n"+c.body), Options{})
			if m.Kind != KindBounce && m.Kind != KindDelayed {
				t.Fatalf("kind %s, signals %v", m.Kind, m.Signals)
			}
			if b := m.Bounce; b.Recipient != c.recipient || b.Status != c.status || b.Reason != c.reason {
				t.Errorf("recipient %q status %q reason %q\n    want %q, %q, %q\ndiagnostic %q", b.Recipient, b.Status, b.Reason, c.recipient, c.status, c.reason, b.Diagnostic)
			}
		})
	}
}

// TestNoBounce has mails of people and programs that resemble bounces.
func TestNoBounce(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"forwarded by a customer":    "From: Ada <ada@example.net>\nTo: desk@example.org\nSubject: Fwd: Undelivered Mail Returned to Sender\n\nWhat does this mean?\n\n---------- Forwarded message ---------\nFrom: MAILER-DAEMON@example.com\nSubject: Undelivered Mail Returned to Sender\n\n<bob@example.com>: 550 5.1.1 unknown\n",
		"question about a bounce":    "From: Ada <ada@example.net>\nSubject: Delivery failed\n\nMy mail to bob@example.com could not be delivered: 550 5.1.1 user unknown. Why?\n",
		"delivery of a parcel":       "From: Ada <ada@example.net>\nSubject: delivery failure\n\nThe parcel could not be delivered.\n",
		"postmaster as a person":     "From: Bob <postmaster@example.com>\nSubject: your certificate\n\nIt ends in May.\n",
		"vacation with a null path":  "Return-Path: <>\nFrom: Bob <bob@example.com>\nSubject: away\n\nBob is no longer with us, write to eve@example.com.\n",
		"notice with a null path":    "Return-Path: <>\nFrom: shop@example.com\nSubject: your order\n\nYour message to us was received.\n",
		"shop's no-reply":            "From: noreply@shop.example\nSubject: Your order 12\n\nThe address does not exist, please correct it.\n",
		"system administrator human": "From: Eve <eve@example.com>\nSubject: Re: mail error\n\nI see the error, too.\n",
	} {
		t.Run(name, func(t *testing.T) {
			if m := Parse([]byte(raw), Options{}); m.Kind == KindBounce || m.Kind == KindDelayed {
				t.Errorf("kind %s, signals %v", m.Kind, m.Signals)
			}
		})
	}
}
