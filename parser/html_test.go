package parser

import (
	"strings"
	"testing"
)

// htmlReplies are HTML bodies as clients make them, named after the client.
var htmlReplies = []struct{ name, doc, want string }{
	{"gmail", `<div dir="ltr">It works.<div><br></div><div>Ada</div></div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">On Mon, Mar 2, 2026 at 9:14 AM Desk &lt;<a href="mailto:desk@example.org">desk@example.org</a>&gt; wrote:<br></div><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex">Please restart.</blockquote></div>`, "It works.\n\nAda"},
	{"gmail without outer div", `It works.<br><blockquote class="gmail_quote">On Mon Desk wrote:<br>Please restart.</blockquote>`, "It works."},
	{"gmail signature", `<div>It works.</div><div>-- <br><div class="gmail_signature">Ada<br>Example Ltd</div></div>`, "It works."},
	{"outlook web renames classes", `<div>It works.</div><div class="x_gmail_quote">On Mon Desk wrote: restart</div>`, "It works."},
	{"apple", `<html><body>It works.<br><div><br><blockquote type="cite"><div>On 2 Mar 2026, at 09:14, Desk &lt;desk@example.org&gt; wrote:</div><div>Please restart.</div></blockquote></div></body></html>`, "It works."},
	{"thunderbird", `<p>It works.</p><div class="moz-cite-prefix">On 3/2/26 09:14, Desk wrote:<br></div><blockquote type="cite" cite="mid:x@example.org">Please restart.</blockquote>`, "It works."},
	{"thunderbird signature", `<p>It works.</p><pre class="moz-signature" cols="72">-- 
Ada</pre>`, "It works."},
	{"yahoo", `<div>It works.</div><div id="ydp1yahoo_quoted_1" class="ydp1yahoo_quoted"><div>On Monday, March 2, 2026, Desk wrote:</div><div>Please restart.</div></div>`, "It works."},
	{"proton", `<div>It works.</div><div class="protonmail_quote">On Monday, March 2nd, 2026 at 9:14 AM, Desk wrote:<br><blockquote class="protonmail_quote" type="cite">Please restart.</blockquote></div>`, "It works."},
	{"outlook desktop", `<div class=WordSection1><p class=MsoNormal>It works.<o:p></o:p></p><div><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'><p class=MsoNormal><b>Ab:</b> Desk<br><b>Gebimst:</b> heute<br></p></div></div><p class=MsoNormal>Please restart.</p></div>`, "It works."},
	{"outlook web", `<div>It works.</div><div id="appendonsend"></div><hr style="display:inline-block;width:98%" tabindex="-1"><div id="divRplyFwdMsg" dir="ltr"><b>From:</b> Desk<br><b>Sent:</b> Monday<br><b>To:</b> Ada<br><b>Subject:</b> Printer</div><div>Please restart.</div>`, "It works."},
	{"outlook mac", `<div>It works.</div><span id="OLK_SRC_BODY_SECTION"><div><b>From: </b>Desk<br></div>Please restart.</span>`, "It works."},
	{"outlook mobile", `<div>It works.</div><div id="ms-outlook-mobile-signature">Get <a href="https://aka.ms/x">Outlook for Android</a></div><div id="mail-editor-reference-message-container"><b>From:</b> Desk<br>Please restart.</div>`, "It works."},
	{"windows mail", `<div>It works.</div><div style="padding-top: 5px; border-top-color: rgb(229, 229, 229); border-top-width: 1px; border-top-style: solid;"><b>Fra:</b> Desk</div><div>Please restart.</div>`, "It works."},
	{"hotmail", `It works.<br><hr id="stopSpelling">Date: Mon, 2 Mar 2026<br>To: ada@example.net<br>Subject: Printer<br><br>Please restart.`, "It works."},
	{"zimbra", `<div>It works.</div><hr id="zwchr"><div><b>From: </b>"Desk" &lt;desk@example.org&gt;<br><b>To: </b>ada<br></div>Please restart.`, "It works."},
	{"zoho", `<div>It works.</div><div class="zmail_extra"><div>---- On Mon, 02 Mar 2026 09:14:05 +0100 <b>Desk &lt;desk@example.org&gt;</b> wrote ----</div>Please restart.</div>`, "It works."},
	{"spark", `<div name="messageBodySection">It works.</div><div name="messageReplySection">On 2 Mar 2026, Desk wrote:<blockquote>Please restart.</blockquote></div>`, "It works."},
	{"gmx", `<div>It works.</div><div name="quote" style="border-left: 2px solid #C3D9E5;"><div><b>Gesendet:</b> Montag<br><b>Von:</b> Desk</div>Please restart.</div>`, "It works."},
	{"mailru", `<p>It works.<br>Ada</p><br>Понедельник, 2 марта 2026, 9:14 +03:00 от Desk &lt;desk@example.org&gt;:<br><blockquote style="border-left:1px solid #fc2c38;">Please restart.</blockquote>`, "It works.\nAda"},
	{"yandex", `<div>It works.</div><div>02.03.2026, 09:14, "Desk" &lt;desk@example.org&gt;:</div><blockquote><p>Please restart.</p></blockquote>`, "It works."},
	{"front", `<div>It works.</div><blockquote class="front-blockquote">On March 2 Desk wrote: restart</blockquote>`, "It works."},
	{"plain blockquote under an attribution", `It works.<br>On Mon, Mar 2, 2026 at 9:14 AM, Desk wrote:<blockquote>Please restart.</blockquote>`, "It works."},
	{"attribution within the blockquote", `It works.<blockquote><div>On 2-Mar-2026, at 9:14 AM, Desk &lt;desk@example.org&gt; wrote:</div><div>Please restart.</div></blockquote>`, "It works."},
	{"own blockquote above a quote", `It works.<blockquote>as the manual says</blockquote><div>On 2-Mar-2026, at 9:14 AM, Desk wrote:</div><blockquote><div>Please<blockquote>restart</blockquote></div></blockquote>`, "It works.\n\n    as the manual says"},
	{"header block by rule", `It works.<br><div><hr><br>Date: Mon, 2 Mar 2026 09:14:05 +0100<br>To: <a href="mailto:ada@example.net">ada@example.net</a><br>From: desk@example.org<br>Subject: Printer<br><br>Please restart.</div>`, "It works."},
	{"header block on one line", `It works.<div><hr><div><font><b>From: desk@example.org</b> <b>Date: Mon, 2 Mar 2026 09:14:05 +0100</b></font></div><div>Please restart.</div></div>`, "It works."},
	{"answers between quotes", `<div>Hello,</div><blockquote type="cite">Which model?</blockquote><div>The 4000.</div><blockquote type="cite">Since when?</blockquote><div>Monday.</div>`, "Hello,\n\n> Which model?\n\nThe 4000.\n\n> Since when?\n\nMonday."},
	{"gmail answers within the quote", `<div class="gmail_quote"><div class="gmail_attr">On Mon, Mar 2, 2026 at 9:14 AM Desk &lt;desk@example.org&gt; wrote:<br></div><blockquote class="gmail_quote">Which model?</blockquote><div>The 4000.</div><blockquote class="gmail_quote">Since when?</blockquote><div>Monday.</div><blockquote class="gmail_quote">The desk</blockquote></div>`, "On Mon, Mar 2, 2026 at 9:14 AM Desk <desk@example.org> wrote:\n\n> Which model?\n\nThe 4000.\n\n> Since when?\n\nMonday."},
	{"nothing quoted", `<p>It does <b>not</b> work.</p><ul><li>lamp</li><li>fan<ol><li>left</li><li>right</li></ol></li></ul>`, "It does not work.\n\n- lamp\n- fan\n  1. left\n  2. right"},
	{"forwarded", `<div>Please look.</div><div class="gmail_quote">---------- Forwarded message ---------<br>From: Desk &lt;desk@example.org&gt;<br>Date: Mon, Mar 2, 2026<br>Subject: Printer<br>To: ada<br><br>Please restart.</div>`, "Please look.\n---------- Forwarded message ---------\nFrom: Desk <desk@example.org>\nDate: Mon, Mar 2, 2026\nSubject: Printer\nTo: ada\n\nPlease restart."},
	{"links as footnotes", `<p>See <a href="https://example.org/manual?x=1">the manual</a> and <a href="https://example.org/manual?x=1">again</a>, <a href="https://example.org">https://example.org</a>.</p>`, "See the manual [1] and again [1], https://example.org.\n\n[1] https://example.org/manual?x=1"},
	{"table", `<table><tr><th>item</th><th>pieces</th></tr><tr><td>lamp</td><td>2</td></tr></table>`, "item\tpieces\nlamp\t2"},
	{"phone with commands", `<div dir="auto">#close</div><div dir="auto">Thank you!</div>`, "#close\nThank you!"},
	{"preview text is hidden", `<div style="display:none;max-height:0">preview</div><p>It works.</p>`, "It works."},
}

func TestHTMLReply(t *testing.T) {
	t.Parallel()
	for _, h := range htmlReplies {
		t.Run(h.name, func(t *testing.T) {
			if got, cuts := findReply(htmlText(h.doc, 1<<20)); got != h.want {
				t.Errorf("visible reply\n got %q\nwant %q\ncuts %v\ntext\n%s", got, h.want, cuts, joinLines(htmlText(h.doc, 1<<20)))
			}
		})
	}
}

// TestSanitizeDropsActiveContent is guarantee C08: nothing that runs, loads,
// or sends survives.
func TestSanitizeDropsActiveContent(t *testing.T) {
	t.Parallel()
	for name, doc := range map[string]string{
		"script":             `<p>a</p><script>alert(1)</script>`,
		"script in svg":      `<svg><script>alert(1)</script></svg><p>a</p>`,
		"onerror":            `<img src=x onerror=alert(1)><p>a</p>`,
		"javascript link":    `<a href="javascript:alert(1)">a</a>`,
		"javascript obscure": `<a href=" &#x6A;ava&#x09;script:alert(1)">a</a>`,
		"style url":          `<p style="background:url(https://tracker.example/x)">a</p>`,
		"style element":      `<style>@import url(https://tracker.example/x);</style><p>a</p>`,
		"meta refresh":       `<meta http-equiv=refresh content="0;url=https://tracker.example/"><p>a</p>`,
		"form":               `<form action="https://tracker.example/"><input name=a><button>x</button></form><p>a</p>`,
		"base":               `<base href="https://tracker.example/"><a href="x">a</a>`,
		"data link":          `<a href="data:text/html,<script>alert(1)</script>">a</a>`,
		"iframe":             `<iframe src="https://tracker.example/"></iframe><p>a</p>`,
		"object":             `<object data="https://tracker.example/x.swf"></object><p>a</p>`,
		"remote image":       `<p>a</p><img src="https://tracker.example/x.gif">`,
		"remote image upper": `<p>a</p><IMG SRC='https://tracker.example/x.gif' ALT=x>`,
		"image srcset":       `<p>a</p><img srcset="https://tracker.example/x 2x">`,
		"background":         `<table background="https://tracker.example/x"><tr><td>a</td></tr></table>`,
		"link preload":       `<link rel=stylesheet href="https://tracker.example/x"><p>a</p>`,
		"comment condition":  `<!--[if mso]><script>alert(1)</script><![endif]--><p>a</p>`,
		"broken nesting":     `<<script>script>alert(1)</script><p>a</p>`,
		"vbscript":           `<a href="vbscript:x">a</a>`,
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.ToLower(sanitize(doc))
			for _, bad := range []string{"<script", "onerror", "javascript:", "url(", "<style", "<meta", "<form", "<input", "<base", "data:", "<iframe", "<object", "src=\"http", "srcset", "background", "<link", "vbscript", "<svg"} {
				if strings.Contains(got, bad) {
					t.Errorf("%q survives in %q", bad, got)
				}
			}
			if !strings.Contains(got, "a") {
				t.Errorf("text is lost: %q", got)
			}
		})
	}
}

func TestSanitizeKeepsInlinePictures(t *testing.T) {
	t.Parallel()
	got := sanitize(`<p>a <img src="cid:part1@example.org" alt="photo"></p>`)
	if !strings.Contains(got, `src="cid:part1@example.org"`) {
		t.Errorf("picture of the mail itself is lost: %q", got)
	}
}
