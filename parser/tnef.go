package parser

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// tnef is what Outlook wraps into winmail.dat when it thinks that the reader
// has Outlook, too (MS-OXTNEF).
type tnef struct {
	body, html string
	rtf        []byte // compressed
	codepage   string
	files      []tnefFile
}

// tnefFile is one attachment in a TNEF.
type tnefFile struct {
	name, longName, mimeType, contentID string
	data                                []byte
}

const (
	tnefSignature = 0x223e9f78

	tnefBody       = 0x0002800c
	tnefCodepage   = 0x00069007
	tnefProps      = 0x00069003
	tnefRendData   = 0x00069002 // opens an attachment
	tnefTitle      = 0x00018010
	tnefData       = 0x0006800f
	tnefAttachment = 0x00069005

	mapiBody         = 0x1000
	mapiHTML         = 0x1013
	mapiRTF          = 0x1009
	mapiAttachData   = 0x3701
	mapiLongFilename = 0x3707
	mapiDisplayName  = 0x3001
	mapiMIMETag      = 0x370e
	mapiContentID    = 0x3712
	mapiMaxProps     = 10_000
)

// isTNEF reports a part that is or names itself a TNEF.
func isTNEF(p *part, data []byte) bool {
	if len(data) < 6 || binary.LittleEndian.Uint32(data) != tnefSignature {
		return false
	}
	return p.is("application/ms-tnef") || p.is("application/vnd.ms-tnef") || strings.EqualFold(fileName(p), "winmail.dat") || p.is("application/octet-stream")
}

// readTNEF reads the attributes of a TNEF in one pass. Lengths are checked
// against what is there; a damaged rest is left out. ok is false when nothing
// was found.
func readTNEF(data []byte) (t tnef, ok bool) {
	r := tnefReader{rest: data}
	if sig, good := r.u32(); !good || sig != tnefSignature {
		return t, false
	}
	r.take(2) // key
	for n := 0; n < 10_000; n++ {
		if _, good := r.take(1); !good { // level: message or attachment
			break
		}
		id, good := r.u32()
		length, good2 := r.u32()
		if !good || !good2 {
			break
		}
		value, good := r.take(int(length))
		if !good {
			break
		}
		r.take(2) // checksum: damage is found by the lengths, and shown anyway
		t.attribute(id, value)
	}
	return t, len(t.files) > 0 || t.body != "" || t.html != "" || t.rtf != nil
}

// tnefReader cuts octets off, with checks.
type tnefReader struct{ rest []byte }

func (r *tnefReader) take(n int) ([]byte, bool) {
	if n < 0 || n > len(r.rest) {
		return nil, false
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b, true
}

func (r *tnefReader) u32() (uint32, bool) {
	b, ok := r.take(4)
	if !ok {
		return 0, false
	}
	return binary.LittleEndian.Uint32(b), true
}

// attribute takes over one attribute.
func (t *tnef) attribute(id uint32, value []byte) {
	if id == tnefRendData {
		if len(t.files) < maxEmbedded {
			t.files = append(t.files, tnefFile{})
		}
		return
	}
	switch id {
	case tnefBody:
		if t.body == "" {
			t.body, _ = decodeText(bytes.TrimRight(value, "\x00"), t.codepage)
		}
		return
	case tnefCodepage:
		if len(value) >= 4 {
			t.codepage = codepageName(binary.LittleEndian.Uint32(value))
		}
		return
	case tnefProps:
		t.messageProps(value)
		return
	}
	if len(t.files) == 0 {
		return
	}
	f := &t.files[len(t.files)-1]
	switch id {
	case tnefTitle:
		f.name, _ = decodeText(bytes.TrimRight(value, "\x00"), t.codepage)
	case tnefData:
		f.data = value
	case tnefAttachment:
		f.props(value, t.codepage)
	}
}

// codepageName names a Windows code page.
func codepageName(cp uint32) string {
	switch cp {
	case 932:
		return "shift_jis"
	case 936:
		return "gb18030"
	case 949:
		return "euc-kr"
	case 950:
		return "big5"
	case 65001:
		return "utf-8"
	case 20866:
		return "koi8-r"
	}
	if cp >= 1250 && cp <= 1258 {
		return "windows-125" + string(rune('0'+cp-1250))
	}
	return ""
}

// messageProps takes the bodies over.
func (t *tnef) messageProps(data []byte) {
	eachProp(data, func(id uint16, kind uint16, value []byte) {
		switch id {
		case mapiBody:
			if t.body == "" {
				t.body = propText(kind, value, t.codepage)
			}
		case mapiRTF:
			t.rtf = value
		case mapiHTML:
			if t.html == "" {
				label := t.codepage
				if m := metaCharset(value); m != "" {
					label = m
				}
				t.html, _ = decodeText(bytes.TrimRight(value, "\x00"), label)
			}
		}
	})
}

// props takes over the properties of one attachment.
func (f *tnefFile) props(data []byte, codepage string) {
	eachProp(data, func(id uint16, kind uint16, value []byte) {
		switch id {
		case mapiLongFilename:
			f.longName = propText(kind, value, codepage)
		case mapiDisplayName:
			if f.longName == "" {
				f.longName = propText(kind, value, codepage)
			}
		case mapiMIMETag:
			f.mimeType = strings.ToLower(propText(kind, value, codepage))
		case mapiContentID:
			f.contentID = propText(kind, value, codepage)
		case mapiAttachData:
			if len(f.data) == 0 && len(value) > 16 {
				f.data = value[16:] // an embedded object, behind its interface id
			}
		}
	})
}

// MAPI property types (MS-OXCDATA section 2.11.1).
const (
	propString8 = 0x001e
	propUnicode = 0x001f
	propObject  = 0x000d
	propBinary  = 0x0102
	propMulti   = 0x1000
)

// eachProp calls f for the properties of a MAPI property list.
func eachProp(data []byte, f func(id, kind uint16, value []byte)) {
	r := tnefReader{rest: data}
	count, _ := r.u32()
	for range min(count, mapiMaxProps) {
		tag, ok := r.u32()
		if !ok {
			return
		}
		kind, id := uint16(tag), uint16(tag>>16) // #nosec G115 -- halves of a tag
		if id >= 0x8000 && !r.skipName() {
			return
		}
		if !r.values(id, kind, f) {
			return
		}
	}
}

// skipName skips the name of a named property.
func (r *tnefReader) skipName() bool {
	if _, ok := r.take(16); !ok {
		return false
	}
	kind, ok := r.u32()
	if !ok || kind == 0 {
		_, ok = r.take(4)
		return ok
	}
	n, ok := r.u32()
	if !ok {
		return false
	}
	return r.padded(n) != nil
}

// padded takes n octets and their padding to four; nil when they are not there.
func (r *tnefReader) padded(n uint32) []byte {
	if uint64(n) > uint64(len(r.rest)) {
		return nil
	}
	b, _ := r.take(int(n))
	if pad := int(-n & 3); pad <= len(r.rest) {
		r.take(pad)
	} else {
		r.rest = nil
	}
	if b == nil {
		b = []byte{}
	}
	return b
}

// values reads the values of one property.
func (r *tnefReader) values(id, kind uint16, f func(id, kind uint16, value []byte)) bool {
	base := kind &^ propMulti
	n := uint32(1)
	variable := base == propString8 || base == propUnicode || base == propObject || base == propBinary
	if variable || kind&propMulti != 0 {
		var ok bool
		if n, ok = r.u32(); !ok || n > mapiMaxProps {
			return false
		}
	}
	for range n {
		size := fixedSize(base)
		if variable {
			var ok bool
			if size, ok = r.u32(); !ok {
				return false
			}
		}
		value := r.padded(size)
		if value == nil {
			return false
		}
		f(id, base, value)
	}
	return true
}

// fixedSize returns the size of a property type of fixed size; two octets take
// four.
func fixedSize(kind uint16) uint32 {
	switch kind {
	case 0x0005, 0x0006, 0x0007, 0x0014, 0x0040:
		return 8
	case 0x0048:
		return 16
	}
	return 4
}

// propText decodes a string property.
func propText(kind uint16, value []byte, codepage string) string {
	if kind == propUnicode {
		return strings.TrimRight(strings.ReplaceAll(decodeUTF16(value, "utf-16le"), "\x00", ""), " ")
	}
	s, _ := decodeText(bytes.TrimRight(value, "\x00"), codepage)
	return s
}

// attachTNEF records the files of a TNEF and returns the body that it holds,
// which counts only when the mail shows no other.
func (b *bodyReader) attachTNEF(t tnef) []shown {
	for i, f := range t.files {
		name := f.longName
		if name == "" {
			name = f.name
		}
		if name == "" && len(f.data) == 0 {
			continue
		}
		a := Attachment{Filename: cleanFilename(toValid(name)), ContentType: f.mimeType, ContentID: strings.Trim(toValid(f.contentID), "<>"), Data: t.files[i].data}
		if !strings.Contains(a.ContentType, "/") {
			a.ContentType = typeByName(a.Filename)
		}
		a.Inline = a.ContentID != ""
		b.add(a)
	}
	if t.body == "" && t.html == "" && t.rtf != nil {
		t.body = rtfText(inflateRTF(t.rtf, b.p.lim.Text))
	}
	if b.wrapped == nil && (t.body != "" || t.html != "") {
		b.wrapped = []shown{{plain: newlines(clip(toValid(t.body), b.p.lim.Text)), hasPlain: t.body != "", html: clip(toValid(t.html), b.p.lim.Text), hasHTML: t.html != ""}}
	}
	return nil
}
