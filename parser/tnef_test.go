package parser

import (
	"encoding/binary"
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
