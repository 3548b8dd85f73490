package parser

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/gogs/chardet"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// charsetAliases names what the WHATWG and IANA tables lack and mail has.
var charsetAliases = map[string]encoding.Encoding{
	"cp932": japanese.ShiftJIS, "ms932": japanese.ShiftJIS, "windows-932": japanese.ShiftJIS,
	"x-sjis": japanese.ShiftJIS, "shift-jis": japanese.ShiftJIS, "sjis": japanese.ShiftJIS,
	"iso-2022-jp-ms": japanese.ISO2022JP, "iso-2022-jp-1": japanese.ISO2022JP,
	"iso-2022-jp-2": japanese.ISO2022JP, "iso-2022-jp-3": japanese.ISO2022JP, "cp50220": japanese.ISO2022JP, "cp50221": japanese.ISO2022JP,
	"eucjp": japanese.EUCJP, "euc_jp": japanese.EUCJP, "x-euc-jp": japanese.EUCJP, "eucjp-ms": japanese.EUCJP, "cp51932": japanese.EUCJP,
	"cp949": korean.EUCKR, "ms949": korean.EUCKR, "uhc": korean.EUCKR, "ks_c_5601-1987": korean.EUCKR,
	"ksc5601": korean.EUCKR, "euc_kr": korean.EUCKR, "euckr": korean.EUCKR, "x-windows-949": korean.EUCKR,
	"cp936": simplifiedchinese.GB18030, "ms936": simplifiedchinese.GB18030, "windows-936": simplifiedchinese.GB18030,
	"gb2312-80": simplifiedchinese.GB18030, "gb_2312-80": simplifiedchinese.GB18030, "gb_2312": simplifiedchinese.GB18030,
	"x-gbk": simplifiedchinese.GB18030, "euc-cn": simplifiedchinese.GB18030, "euccn": simplifiedchinese.GB18030,
	"hz": simplifiedchinese.HZGB2312, "hz-gb-2312": simplifiedchinese.HZGB2312,
	"cp950": traditionalchinese.Big5, "big5-tw": traditionalchinese.Big5, "big-5": traditionalchinese.Big5, "x-x-big5": traditionalchinese.Big5,
	"cp437": charmap.CodePage437, "ibm437": charmap.CodePage437, "cp-437": charmap.CodePage437,
	"cp850": charmap.CodePage850, "cp-850": charmap.CodePage850, "ibm850": charmap.CodePage850,
	"cp852": charmap.CodePage852, "ibm852": charmap.CodePage852, "cp855": charmap.CodePage855,
	"cp858": charmap.CodePage858, "cp860": charmap.CodePage860, "cp862": charmap.CodePage862,
	"cp863": charmap.CodePage863, "cp865": charmap.CodePage865, "cp866": charmap.CodePage866,
	"ansi": charmap.Windows1252, "latin-1": charmap.Windows1252, "latin1": charmap.Windows1252,
	"iso8859": charmap.Windows1252, "iso-8859": charmap.Windows1252, "8859-1": charmap.Windows1252,
	"iso8859_1": charmap.Windows1252, "iso_8859_1": charmap.Windows1252, "8bit": charmap.Windows1252,
	"latin2": charmap.ISO8859_2, "latin-2": charmap.ISO8859_2, "iso8859_2": charmap.ISO8859_2,
	"latin9": charmap.ISO8859_15, "latin-9": charmap.ISO8859_15, "iso8859_15": charmap.ISO8859_15,
	"macintosh": charmap.Macintosh, "mac": charmap.Macintosh, "x-mac-roman": charmap.Macintosh, "x-roman8": charmap.Macintosh,
	"koi8": charmap.KOI8R, "koi8r": charmap.KOI8R, "koi8u": charmap.KOI8U, "koi": charmap.KOI8R,
	"tis620": charmap.Windows874, "tis-620": charmap.Windows874, "x-windows-874": charmap.Windows874,
	"iso-8859-8-i": charmap.ISO8859_8, "iso-8859-8-e": charmap.ISO8859_8, "iso-8859-6-i": charmap.ISO8859_6, "iso-8859-6-e": charmap.ISO8859_6,
}

// cleanLabel brings a charset label to the form of the tables: real mail has
// quotes, blanks, language suffixes and whole parameters in it.
func cleanLabel(label string) string {
	label = strings.ToLower(strings.Trim(label, " \t\r\n\"'`;,<>()="))
	label = strings.TrimPrefix(label, "charset=")
	label = strings.Trim(label, "\"' ")
	if i := strings.IndexAny(label, "*; \"'"); i > 0 { // RFC 2231 section 5: charset*language
		label = label[:i]
	}
	return label
}

// lookupCharset returns the encoding of a clean label, nil when unknown.
func lookupCharset(label string) encoding.Encoding {
	if e, ok := charsetAliases[label]; ok {
		return e
	}
	if e, err := htmlindex.Get(label); err == nil {
		return e
	}
	for _, alt := range []string{
		strings.Replace(label, "cp125", "windows-125", 1),
		strings.Replace(label, "cp-125", "windows-125", 1),
		strings.Replace(label, "windows125", "windows-125", 1),
		strings.Replace(label, "win-125", "windows-125", 1),
		strings.Replace(label, "iso8859-", "iso-8859-", 1),
		strings.Replace(label, "iso-8859_", "iso-8859-", 1),
		strings.ReplaceAll(label, "_", "-"),
		strings.TrimPrefix(label, "x-"),
	} {
		if alt == label {
			continue
		}
		if e, ok := charsetAliases[alt]; ok {
			return e
		}
		if e, err := htmlindex.Get(alt); err == nil {
			return e
		}
	}
	if e, err := ianaindex.MIME.Encoding(label); err == nil && e != nil {
		return e
	}
	return nil
}

// unlabelled holds labels that promise nothing about 8-bit octets.
var unlabelled = map[string]bool{
	"": true, "us-ascii": true, "ascii": true, "ansi_x3.4-1968": true, "unknown": true, "unknown-8bit": true, "x-unknown": true,
	"default": true, "default_charset": true, "_autodetect": true, "none": true, "binary": true, "7bit": true, "646": true, "iso646-us": true,
	"user-defined": true, "x-user-defined": true, "_iso-2022-jp$esc": true, "us_ascii": true, "usascii": true, "x-unknown-8bit": true,
}

// decodeText turns octets of the labelled charset into valid UTF-8: by label,
// else by what the octets are, else as windows-1252. It never gives up. The
// second result is a defect, "" when the label was right.
func decodeText(data []byte, label string) (string, string) {
	label = cleanLabel(label)
	switch label {
	case "utf-7", "utf7", "unicode-1-1-utf-7", "x-unicode-2-0-utf-7":
		return toValid(decodeUTF7(data)), ""
	case "utf-16", "utf16", "unicode", "ucs-2", "iso-10646-ucs-2", "utf-16le", "utf-16be":
		return toValid(decodeUTF16(data, label)), ""
	case "utf-32", "utf32", "ucs-4", "iso-10646-ucs-4", "utf-32le", "utf-32be":
		return toValid(decodeUTF32(data, label)), ""
	}
	if s, ok := decodeBOM(data); ok {
		return s, ""
	}
	ascii := isASCII(data)
	if ascii && !bytes.ContainsAny(data, "\x1b~") { // ISO-2022 and HZ are 7-bit
		return toValid(string(data)), ""
	}
	valid := utf8.Valid(data)
	if valid && (label == "utf-8" || label == "utf8") {
		return toValid(string(data)), ""
	}
	if unlabelled[label] {
		if ascii && !bytes.Contains(data, []byte("\x1b$")) {
			return toValid(string(data)), ""
		}
		s, as := guessText(data)
		return s, "8-bit text without a charset, read as: " + as
	}
	enc := lookupCharset(label)
	switch {
	case label == "utf-8" || label == "utf8" || strings.Trim(label, "_-. 8") == "utf":
		if valid {
			return toValid(string(data)), ""
		}
		return decodeBrokenUTF8(data)
	case enc == nil:
		s, as := guessText(data)
		return s, "unknown charset, read as " + as + ": " + clip(label, 40)
	case valid && !ascii && enc == charmap.Windows1252:
		// Web forms and scripts that label UTF-8 as Latin-1.
		return toValid(string(data)), "utf-8 text labelled as: " + clip(label, 40)
	}
	out, err := enc.NewDecoder().Bytes(data)
	if err != nil {
		s, as := guessText(data)
		return s, "text is not in its charset, read as " + as + ": " + clip(label, 40)
	}
	return toValid(string(out)), ""
}

// decodeBrokenUTF8 reads text labelled UTF-8 that is not: a few damaged octets
// become U+FFFD, a text in another charset is guessed.
func decodeBrokenUTF8(data []byte) (string, string) {
	good, bad := 0, 0
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			bad++
		case n > 1:
			good++
		}
		i += n
	}
	if good > bad {
		return toValid(string(data)), "invalid octets in utf-8 text"
	}
	s, as := guessText(data)
	return s, "text labelled utf-8 is not, read as: " + as
}

// guessText decodes octets whose charset nobody told: UTF-8 when valid, then
// what the detector is sure of, then windows-1252.
func guessText(data []byte) (text, charset string) {
	if utf8.Valid(data) && !bytes.Contains(data, []byte("\x1b$")) {
		return toValid(string(data)), "utf-8"
	}
	sample := data[:min(len(data), 16<<10)]
	// The detector needs some text to be any good; short values are far more
	// often western than what it guesses.
	if len(sample) >= 24 || bytes.Contains(sample, []byte("\x1b$")) {
		if label := detectCharset(sample); label != "" {
			if enc := lookupCharset(label); enc != nil && label != "utf-8" {
				if out, err := enc.NewDecoder().Bytes(data); err == nil {
					return toValid(string(out)), label
				}
			}
		}
	}
	out, _ := charmap.Windows1252.NewDecoder().Bytes(data)
	return toValid(string(out)), "windows-1252"
}

// detectCharset asks the detector; "" when it is not sure. Its results come in
// the order in which its goroutines end, so that ties are settled here.
func detectCharset(sample []byte) string {
	all, err := chardet.NewTextDetector().DetectAll(sample)
	if err != nil {
		return ""
	}
	best, confidence := "", 29
	for _, r := range all {
		label := strings.ToLower(r.Charset)
		if r.Confidence > confidence || r.Confidence == confidence && best != "" && label < best {
			best, confidence = label, r.Confidence
		}
	}
	return best
}

// decodeBOM decodes text that says by its first octets what it is.
func decodeBOM(data []byte) (string, bool) {
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		if utf8.Valid(data) {
			return toValid(string(data[3:])), true
		}
	case bytes.HasPrefix(data, []byte("\xff\xfe\x00\x00")), bytes.HasPrefix(data, []byte("\x00\x00\xfe\xff")):
		return toValid(decodeUTF32(data, "utf-32")), true
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return toValid(decodeUTF16(data, "utf-16")), true
	}
	return "", false
}

// decodeUTF16 decodes UTF-16 by label and byte order mark; without either it
// is big endian (RFC 2781 section 4.3), unless most high octets say otherwise.
func decodeUTF16(data []byte, label string) string {
	little := label == "utf-16le"
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
		little, data = true, data[2:]
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		little, data = false, data[2:]
	case label == "utf-16le" || label == "utf-16be":
	default:
		odd, even := 0, 0
		for i := 0; i+1 < len(data) && i < 4096; i += 2 {
			if data[i] == 0 {
				even++
			}
			if data[i+1] == 0 {
				odd++
			}
		}
		little = odd > even
	}
	var order binary.ByteOrder = binary.BigEndian
	if little {
		order = binary.LittleEndian
	}
	units := make([]uint16, 0, len(data)/2)
	for i := 0; i+1 < len(data); i += 2 {
		units = append(units, order.Uint16(data[i:]))
	}
	return string(utf16.Decode(units))
}

// decodeUTF32 decodes UTF-32; invalid code points become U+FFFD.
func decodeUTF32(data []byte, label string) string {
	little := label == "utf-32le"
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe\x00\x00")):
		little, data = true, data[4:]
	case bytes.HasPrefix(data, []byte("\x00\x00\xfe\xff")):
		little, data = false, data[4:]
	case label == "utf-32" || label == "utf32":
		little = len(data) >= 4 && data[0] != 0
	}
	var order binary.ByteOrder = binary.BigEndian
	if little {
		order = binary.LittleEndian
	}
	var b strings.Builder
	for i := 0; i+3 < len(data); i += 4 {
		b.WriteRune(rune(min(order.Uint32(data[i:]), 0x7fffffff))) // WriteRune writes U+FFFD for what is no rune
	}
	return b.String()
}

// decodeUTF7 decodes UTF-7 (RFC 2152). Damaged shifts are kept as they stand.
func decodeUTF7(data []byte) string {
	const shift = '+'
	var b strings.Builder
	for i := 0; i < len(data); {
		if data[i] != shift {
			b.WriteByte(data[i])
			i++
			continue
		}
		j := i + 1
		for j < len(data) && isBase64(data[j]) {
			j++
		}
		run := data[i+1 : j]
		if len(run) == 0 { // "+-" is a plus sign
			b.WriteByte(shift)
			i = j
			if j < len(data) && data[j] == '-' {
				i++
			}
			continue
		}
		out, err := base64.RawStdEncoding.DecodeString(string(run))
		if err != nil && len(out) < 2 {
			b.Write(data[i:j])
		} else {
			b.WriteString(decodeUTF16(out[:len(out)&^1], "utf-16be"))
		}
		i = j
		if j < len(data) && data[j] == '-' {
			i++
		}
	}
	return b.String()
}

func isBase64(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/'
}

func isASCII[T string | []byte](s T) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// toValid replaces NUL and invalid octets by U+FFFD.
func toValid(s string) string {
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	}
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// clip cuts s to at most n bytes at a rune boundary.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
