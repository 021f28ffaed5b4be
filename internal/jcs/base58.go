package jcs

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"strings"
)

// MaxBase58 is the longest text that DecodeBase58 reads, in bytes. It leaves room
// for a key or signature of 128 bytes; the work grows with the square.
const MaxBase58 = 176

const (
	alphabet58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	group      = 5                      // base58 digits worked on at a time
	groupBase  = 58 * 58 * 58 * 58 * 58 // 58^group, below 2^32
	wordGroup  = 10                     // base58 digits read at a time: 58^wordGroup is below 2^64
)

// EncodeBase58 writes b as multibase base58btc ("z…"): the number that b is,
// big-endian, after one '1' for each leading zero byte.
func EncodeBase58(b []byte) string {
	zeros := len(b) - len(trimZeros(b))
	limbs := toLimbs(b[zeros:])
	var digits []byte // least significant first
	for len(limbs) > 0 {
		var rest uint64
		for i, limb := range limbs {
			rest = rest<<32 | uint64(limb)
			limbs[i], rest = uint32(rest/groupBase), rest%groupBase
		}
		limbs = trimZeros(limbs)
		for range group {
			digits = append(digits, alphabet58[rest%58])
			rest /= 58
		}
	}
	slices.Reverse(digits)
	return "z" + strings.Repeat("1", zeros) + strings.TrimLeft(string(digits), "1")
}

// DecodeBase58 reads what EncodeBase58 writes, up to MaxBase58 bytes of text.
func DecodeBase58(s string) ([]byte, error) {
	if s == "" || s[0] != 'z' || len(s) > MaxBase58 {
		return nil, &Error{Reason: reasonEncoding, Detail: "not multibase base58btc, or too long"}
	}
	digits := strings.TrimLeft(s[1:], "1")
	zeros := len(s) - 1 - len(digits)
	var words [MaxBase58/wordGroup + 1]uint64 // least significant first
	used := 0
	for len(digits) > 0 {
		size := (len(digits)-1)%wordGroup + 1
		scale, carry := uint64(1), uint64(0)
		for _, c := range []byte(digits[:size]) {
			d := values58[c]
			if d == 0 {
				return nil, &Error{Reason: reasonEncoding, Detail: "not base58btc"}
			}
			scale, carry = scale*58, carry*58+uint64(d-1)
		}
		digits = digits[size:]
		for i := range words[:used] {
			high, low := bits.Mul64(words[i], scale)
			low, over := bits.Add64(low, carry, 0)
			words[i], carry = low, high+over
		}
		if carry > 0 {
			words[used], used = carry, used+1
		}
	}
	return fromWords(make([]byte, zeros, zeros+8*used), words[:used]), nil
}

// values58 are 1 more than the digits that characters stand for, 0 for those that stand for none.
var values58 = func() (values [256]uint8) {
	for i, c := range []byte(alphabet58) {
		values[c] = uint8(i) + 1
	}
	return values
}()

// toLimbs splits a big-endian number into words, most significant first.
func toLimbs(b []byte) []uint32 {
	b = append(make([]byte, (4-len(b)%4)%4), b...)
	limbs := make([]uint32, len(b)/4)
	for i := range limbs {
		limbs[i] = binary.BigEndian.Uint32(b[4*i:])
	}
	return limbs
}

// fromWords appends the big-endian number in words given least significant first, without leading zeros.
func fromWords(b []byte, words []uint64) []byte {
	if len(words) == 0 {
		return b
	}
	last := len(words) - 1
	for shift := 56 - bits.LeadingZeros64(words[last])&^7; shift >= 0; shift -= 8 {
		b = append(b, byte(words[last]>>shift))
	}
	for _, word := range slices.Backward(words[:last]) {
		b = binary.BigEndian.AppendUint64(b, word)
	}
	return b
}

// trimZeros drops leading zeros.
func trimZeros[T uint32 | byte](s []T) []T {
	for len(s) > 0 && s[0] == 0 {
		s = s[1:]
	}
	return s
}
