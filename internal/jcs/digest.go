package jcs

import (
	"crypto/sha256"
	"encoding/base64"
)

// multihash is the header of a SHA-256 multihash: the code, then the length.
const multihash = "\x12\x20"

// Digest returns the SHA-256 of prefix and canonical bytes as a base64url
// multibase multihash ("uEi…"), the only digest form in Writ's documents.
func Digest(prefix string, canonical []byte) string {
	var room [sha256.Size]byte
	h := sha256.New()
	h.Write([]byte(prefix))
	h.Write(canonical)
	return FormatDigest([sha256.Size]byte(h.Sum(room[:0])))
}

// FormatDigest writes a SHA-256 as Digest does.
func FormatDigest(sum [32]byte) string {
	var b [len(multihash) + sha256.Size]byte
	copy(b[copy(b[:], multihash):], sum[:])
	return EncodeBase64(b[:])
}

// ParseDigest reads what FormatDigest writes, in exactly that spelling.
func ParseDigest(s string) ([32]byte, error) {
	b, err := DecodeBase64(s)
	if err != nil {
		return [32]byte{}, err
	}
	if len(b) != len(multihash)+sha256.Size || string(b[:len(multihash)]) != multihash {
		return [32]byte{}, &Error{Reason: reasonEncoding, Detail: "not a SHA-256 multihash"}
	}
	return [32]byte(b[len(multihash):]), nil
}

// EncodeBase64 writes b as multibase base64url without padding ("u…").
func EncodeBase64(b []byte) string {
	var room [64]byte
	return string(appendBase64(room[:0], b))
}

func appendBase64(dst, b []byte) []byte {
	return base64.RawURLEncoding.AppendEncode(append(dst, 'u'), b)
}

// DecodeBase64 reads what EncodeBase64 writes. Go's decoder skips line ends and
// takes several last characters for one byte, so the result is written again
// and compared.
func DecodeBase64(s string) ([]byte, error) {
	if s == "" || s[0] != 'u' {
		return nil, &Error{Reason: reasonEncoding, Detail: "not multibase base64url"}
	}
	b, err := base64.RawURLEncoding.DecodeString(s[1:])
	if err != nil || !isForm(s, b) {
		return nil, &Error{Reason: reasonEncoding, Detail: "not strict base64url"}
	}
	return b, nil
}
