package parser

import (
	"bytes"
	"strings"
)

// Protection says how a mail is signed or encrypted. Status is "unknown": this
// package holds no keys; whoever has them can check the raw mail.
type Protection struct {
	Kind   string `json:"kind"`   // "smime-signed", "smime-encrypted", "pgp-signed", "pgp-encrypted"
	Form   string `json:"form"`   // "detached" (multipart/signed), "opaque", "inline" (armor in the text)
	Status string `json:"status"` // "unknown"
}

// protection looks at the structure (RFC 1847, RFC 3156, RFC 8551) and, for
// inline PGP, at the text.
func (p *parse) protection() *Protection {
	var found *Protection
	note := func(kind, form string) {
		if found == nil {
			found = &Protection{Kind: kind, Form: form, Status: "unknown"}
		}
	}
	p.root.each(false, func(q *part) bool {
		switch q.ctype.value {
		case "multipart/signed":
			if strings.Contains(strings.ToLower(q.ctype.params["protocol"]), "pgp") {
				note("pgp-signed", "detached")
			} else {
				note("smime-signed", "detached")
			}
		case "multipart/encrypted":
			note("pgp-encrypted", "detached")
		case "application/pkcs7-mime", "application/x-pkcs7-mime":
			if strings.HasPrefix(strings.ToLower(q.ctype.params["smime-type"]), "signed") || opaqueContent(q.content()) != nil {
				note("smime-signed", "opaque")
			} else {
				note("smime-encrypted", "opaque")
			}
		}
		return found == nil
	})
	switch {
	case strings.Contains(p.m.Text, "-----BEGIN PGP SIGNED MESSAGE-----"):
		note("pgp-signed", "inline")
	case strings.Contains(p.m.Text, "-----BEGIN PGP MESSAGE-----"):
		note("pgp-encrypted", "inline")
	}
	return found
}

// openOpaque reads the mail inside an opaque S/MIME signature (RFC 8551
// section 3.5.2), so that its text is not lost; nil when p is none.
func (w *walker) openOpaque(p *part) {
	if p.ctype.value != "application/pkcs7-mime" && p.ctype.value != "application/x-pkcs7-mime" || w.recoded >= maxReencoded || p.depth >= w.lim.Depth {
		return
	}
	inner := opaqueContent(p.content())
	if inner == nil {
		return
	}
	sub := &walker{raw: inner, lim: w.lim, open: map[string][]int{}, parts: w.parts, recoded: w.recoded + 1, defects: w.defects, charset: w.charset, passed: w.passed}
	head, at, _ := splitHeader(inner, 0, w.lim, nil)
	child := sub.newPart(head, p)
	p.children = []*part{child}
	sub.fill(child, at)
	w.parts = sub.parts
}

// ber is one element of the basic encoding rules (X.690): tag octet, content,
// and what follows it.
type ber struct {
	tag     byte
	content []byte
	rest    []byte
}

// readBER reads one element; lengths of the indefinite form end where their
// content ends, which depth bounds.
func readBER(b []byte, depth int) (e ber, ok bool) {
	if len(b) < 2 || depth > 20 || b[0]&0x1f == 0x1f {
		return e, false
	}
	e.tag = b[0]
	n, head := int(b[1]), 2
	switch {
	case n == 0x80:
		return indefinite(b, depth)
	case n > 0x80:
		k := n & 0x7f
		if k > 4 || len(b) < 2+k {
			return e, false
		}
		n = 0
		for _, c := range b[2 : 2+k] {
			n = n<<8 | int(c)
		}
		head += k
	}
	if n < 0 || n > len(b)-head {
		return e, false
	}
	e.content, e.rest = b[head:head+n], b[head+n:]
	return e, true
}

// indefinite reads an element whose content ends with two zero octets.
func indefinite(b []byte, depth int) (e ber, ok bool) {
	rest := b[2:]
	for range 10_000 {
		if len(rest) >= 2 && rest[0] == 0 && rest[1] == 0 {
			return ber{tag: b[0], content: b[2 : len(b)-len(rest)], rest: rest[2:]}, true
		}
		in, ok := readBER(rest, depth+1)
		if !ok {
			return e, false
		}
		rest = in.rest
	}
	return e, false
}

// Object identifiers of CMS (RFC 5652 section 4 and 5), as encoded.
var (
	oidSignedData = []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02}
	oidData       = []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01}
)

// opaqueContent returns the content of a CMS SignedData, nil for anything
// else: ContentInfo, [0], SignedData, version, digests, content, [0], octets.
func opaqueContent(der []byte) []byte {
	info, ok := readBER(der, 0)
	if !ok || info.tag != 0x30 {
		return nil
	}
	oid, ok := readBER(info.content, 0)
	if !ok || oid.tag != 0x06 || !bytes.Equal(oid.content, oidSignedData) {
		return nil
	}
	wrap, ok := readBER(oid.rest, 0)
	if !ok || wrap.tag != 0xa0 {
		return nil
	}
	signed, ok := readBER(wrap.content, 0)
	if !ok {
		return nil
	}
	version, ok := readBER(signed.content, 0)
	if !ok {
		return nil
	}
	digests, ok := readBER(version.rest, 0)
	if !ok {
		return nil
	}
	content, ok := readBER(digests.rest, 0)
	if !ok || content.tag != 0x30 {
		return nil
	}
	kind, ok := readBER(content.content, 0)
	if !ok || !bytes.Equal(kind.content, oidData) {
		return nil
	}
	octets, ok := readBER(kind.rest, 0)
	if !ok || octets.tag != 0xa0 {
		return nil
	}
	return octetString(octets.content, 0)
}

// octetString joins the chunks of an octet string.
func octetString(b []byte, depth int) []byte {
	e, ok := readBER(b, 0)
	if !ok || depth > 3 {
		return nil
	}
	if e.tag == 0x04 {
		return e.content
	}
	if e.tag != 0x24 {
		return nil
	}
	var out []byte
	for rest := e.content; len(rest) > 0; {
		c, ok := readBER(rest, 0)
		if !ok {
			break
		}
		if c.tag == 0x04 {
			out = append(out, c.content...)
		}
		rest = c.rest
	}
	return out
}
