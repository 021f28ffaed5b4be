package status

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"io"
)

// How many entries a list has. The least is the specification's (§4.2, herd privacy); the most,
// one mebibyte of bits, bounds what a decompression may cost.
const (
	MinEntries = 131_072
	MaxEntries = 8_388_608
)

// Bits is a bitstring: entry 0 is the most significant bit of the first byte (§3.3). It is a
// multiple of 8 entries long. The zero Bits is empty, and no valid list.
type Bits struct{ bytes []byte }

// NewBits returns entries unset bits. entries is rounded up to a multiple of 8 and brought into
// MinEntries…MaxEntries.
func NewBits(entries int) Bits {
	entries = min(max(entries, MinEntries), MaxEntries)
	return Bits{bytes: make([]byte, (entries+7)/8)}
}

// Len returns the number of entries.
func (b Bits) Len() int { return 8 * len(b.bytes) }

// Get returns entry index. Reason: status-index (out of range).
func (b Bits) Get(index int) (bool, error) {
	if index < 0 || index >= b.Len() {
		return false, refuse("status-index", "", "the list has %d entries", b.Len())
	}
	return b.bytes[index/8]&mask(index) != 0, nil
}

// Set changes entry index, in every copy of b. Reason: status-index (out of range).
func (b Bits) Set(index int, set bool) error {
	if index < 0 || index >= b.Len() {
		return refuse("status-index", "", "the list has %d entries", b.Len())
	}
	b.bytes[index/8] &^= mask(index)
	if set {
		b.bytes[index/8] |= mask(index)
	}
	return nil
}

func mask(index int) byte { return 0x80 >> (index % 8) }

// Encode returns the encodedList: multibase base64url of the gzip of the bits (§3.3). The gzip
// header has no time and no name, so equal bits give equal text (by one version of the compressor).
func (b Bits) Encode() string {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		panic(err) // the level is a constant that exists
	}
	w.Write(b.bytes) // a bytes.Buffer takes everything
	w.Close()
	return encodeBase64(out.Bytes())
}

// encodeBase64 writes multibase base64url without padding (§3.3).
func encodeBase64(b []byte) string { return "u" + base64.RawURLEncoding.EncodeToString(b) }

// decodeBase64 reads exactly what encodeBase64 writes: Go's decoder alone would skip line ends and
// take several last characters for one byte.
func decodeBase64(s string) ([]byte, bool) {
	if s == "" {
		return nil, false
	}
	b, err := base64.RawURLEncoding.DecodeString(s[1:])
	return b, err == nil && encodeBase64(b) == s
}

// Decode reads an encodedList (§3.4): one gzip member and nothing behind it, of MinEntries to
// MaxEntries entries. At most MaxEntries bits are ever decompressed, whatever the input promises.
// Reasons, at /credentialSubject/encodedList: status-encoding, status-size.
func Decode(encoded string) (Bits, error) {
	const pointer = "/credentialSubject/encodedList"
	compressed, ok := decodeBase64(encoded)
	if !ok {
		return Bits{}, refuse("status-encoding", pointer, "not multibase base64url")
	}
	in := bytes.NewReader(compressed)
	r, err := gzip.NewReader(in)
	if err != nil {
		return Bits{}, refuse("status-encoding", pointer, "not gzip")
	}
	r.Multistream(false)
	raw, err := io.ReadAll(io.LimitReader(r, MaxEntries/8+1))
	switch {
	case len(raw) > MaxEntries/8:
		return Bits{}, refuse("status-size", pointer, "more than %d entries", MaxEntries)
	case err != nil || in.Len() != 0:
		return Bits{}, refuse("status-encoding", pointer, "not one whole gzip member")
	case len(raw) < MinEntries/8:
		return Bits{}, refuse("status-size", pointer, "fewer than %d entries", MinEntries)
	}
	return Bits{bytes: raw}, nil
}
