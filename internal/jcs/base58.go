package jcs

import (
	"encoding/binary"
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
	limbs := make([]uint32, 0, MaxBase58/group+1) // least significant first
	for len(digits) > 0 {
		size := (len(digits)-1)%group + 1
		scale, carry := uint64(1), uint64(0)
		for _, c := range []byte(digits[:size]) {
			d := strings.IndexByte(alphabet58, c)
			if d < 0 {
				return nil, &Error{Reason: reasonEncoding, Detail: "not base58btc"}
			}
			scale, carry = scale*58, carry*58+uint64(d)
		}
		digits = digits[size:]
		for i, limb := range limbs {
			carry += uint64(limb) * scale
			limbs[i], carry = uint32(carry), carry>>32
		}
		if carry > 0 {
			limbs = append(limbs, uint32(carry))
		}
	}
	return append(make([]byte, zeros), fromLimbs(limbs)...), nil
}

// toLimbs splits a big-endian number into words, most significant first.
func toLimbs(b []byte) []uint32 {
	b = append(make([]byte, (4-len(b)%4)%4), b...)
	limbs := make([]uint32, len(b)/4)
	for i := range limbs {
		limbs[i] = binary.BigEndian.Uint32(b[4*i:])
	}
	return limbs
}

// fromLimbs is the big-endian number in words given least significant first.
func fromLimbs(limbs []uint32) []byte {
	b := make([]byte, 0, 4*len(limbs))
	for _, limb := range slices.Backward(limbs) {
		b = binary.BigEndian.AppendUint32(b, limb)
	}
	return trimZeros(b)
}

// trimZeros drops leading zeros.
func trimZeros[T uint32 | byte](s []T) []T {
	for len(s) > 0 && s[0] == 0 {
		s = s[1:]
	}
	return s
}
