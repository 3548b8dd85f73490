package twiliosim

import (
	"bytes"
	"encoding/binary"
	"math"
)

// WAV is a 440 Hz tone, 8 kHz 16-bit mono, as Twilio's recordings are.
func WAV(seconds int) []byte {
	n := seconds * 8000
	var b bytes.Buffer
	b.WriteString("RIFF")
	binary.Write(&b, binary.LittleEndian, uint32(36+2*n))
	b.WriteString("WAVEfmt ")
	binary.Write(&b, binary.LittleEndian, uint32(16))
	binary.Write(&b, binary.LittleEndian, []uint16{1, 1})
	binary.Write(&b, binary.LittleEndian, []uint32{8000, 16000})
	binary.Write(&b, binary.LittleEndian, []uint16{2, 16})
	b.WriteString("data")
	binary.Write(&b, binary.LittleEndian, uint32(2*n))
	for i := range n {
		binary.Write(&b, binary.LittleEndian, int16(8000*math.Sin(2*math.Pi*440*float64(i)/8000)))
	}
	return b.Bytes()
}

// MP3 is silence: MPEG-1 layer III frames (32 kbit/s, 44.1 kHz, mono) whose side
// information is all zero. A frame lasts 26.12 ms.
func MP3(seconds int) []byte {
	frame := make([]byte, 104)
	copy(frame, []byte{0xff, 0xfb, 0x10, 0xc4})
	return bytes.Repeat(frame, max(1, seconds*38+seconds*28/100))
}
