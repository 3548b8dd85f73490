package parser

import (
	"encoding/binary"
	"encoding/hex"
	"testing"
)

// makeTNEF makes a TNEF with one file under a long name, as Outlook does.
func makeTNEF(name string, data []byte) []byte {
	le := binary.LittleEndian
	out := le.AppendUint32(nil, tnefSignature)
	out = le.AppendUint16(out, 1)
	attribute := func(level byte, id uint32, value []byte) {
		out = append(out, level)
		out = le.AppendUint32(out, id)
		out = le.AppendUint32(out, uint32(len(value)))
		out = append(out, value...)
		sum := 0
		for _, c := range value {
			sum += int(c)
		}
		out = le.AppendUint16(out, uint16(sum))
	}
	attribute(1, tnefCodepage, le.AppendUint32(le.AppendUint32(nil, 1252), 0))
	props := le.AppendUint32(nil, 1)
	props = le.AppendUint32(props, mapiBody<<16|propString8)
	props = le.AppendUint32(props, 1)
	props = le.AppendUint32(props, 5)
	props = append(props, "body\x00\x00\x00\x00"...)
	attribute(1, tnefProps, props)
	attribute(2, tnefRendData, make([]byte, 14))
	attribute(2, tnefTitle, []byte("SHORT~1.TXT\x00"))
	attribute(2, tnefData, data)
	long := []byte{}
	for _, r := range name + "\x00" {
		long = le.AppendUint16(long, uint16(r))
	}
	file := le.AppendUint32(nil, 2)
	file = le.AppendUint32(file, mapiLongFilename<<16|propUnicode)
	file = le.AppendUint32(file, 1)
	file = le.AppendUint32(file, uint32(len(long)))
	file = append(file, long...)
	for len(file)%4 != 0 {
		file = append(file, 0)
	}
	file = le.AppendUint32(file, 0x80100000|0x0003) // a named property, skipped
	file = append(file, make([]byte, 16)...)
	file = le.AppendUint32(file, 0)
	file = le.AppendUint32(file, 7)
	file = le.AppendUint32(file, 42)
	attribute(2, tnefAttachment, file)
	return out
}

func TestTNEF(t *testing.T) {
	t.Parallel()
	got, ok := readTNEF(makeTNEF("Übersicht März.txt", []byte("content")))
	if !ok || len(got.files) != 1 || got.body != "body" {
		t.Fatalf("read %+v, %t", got, ok)
	}
	if f := got.files[0]; f.longName != "Übersicht März.txt" || f.name != "SHORT~1.TXT" || string(f.data) != "content" {
		t.Errorf("file %+v", f)
	}
}

// TestTNEFDamaged cuts a TNEF at every octet and flips each: nothing may
// happen but less being found.
func TestTNEFDamaged(t *testing.T) {
	t.Parallel()
	whole := makeTNEF("a.txt", []byte("content"))
	for i := range whole {
		readTNEF(whole[:i])
		for _, v := range []byte{0, 0x7f, 0xff} {
			bad := append([]byte{}, whole...)
			bad[i] = v
			readTNEF(bad)
		}
	}
}

// TestInflateRTF reads the example of MS-OXRTFCP section 4.1.
func TestInflateRTF(t *testing.T) {
	t.Parallel()
	data, err := hex.DecodeString("2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(inflateRTF(data, 1000)), "{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"; got != want {
		t.Errorf("inflated %q, want %q", got, want)
	}
	for i := range data {
		inflateRTF(data[:i], 1000)
	}
}

func TestRTFText(t *testing.T) {
	t.Parallel()
	for doc, want := range map[string]string{
		`{\rtf1\ansi\ansicpg1252\pard hello world}`:                                   "hello world",
		`{\rtf1{\fonttbl{\f0 Arial;}}{\*\generator x}gr\'f6\'dfer\par two\tab three}`: "größer\ntwo\tthree",
		`{\rtf1\uc1 \u228?\u-10179?x\{\}}`:                                            "ä\uFFFDx{}",
		`{\rtf1\ansicpg932 \'93\'fa\'96{}`:                                            "日\uFFFD",
		`{{{{`:                                                                        "",
		`\`:                                                                           "",
	} {
		if got := rtfText([]byte(doc)); got != want {
			t.Errorf("rtfText(%q) = %q, want %q", doc, got, want)
		}
	}
}
