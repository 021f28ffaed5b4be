package jcs

import (
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"sync"
	"unicode/utf8"
)

// multihash is the header of a SHA-256 multihash: the code, then the length.
const multihash = "\x12\x20"

// Digest returns the SHA-256 of prefix and canonical bytes as a base64url
// multibase multihash ("uEi…"), the only digest form in Writ's documents.
func Digest(prefix string, canonical []byte) string {
	h := newHasher(prefix)
	h.Write(canonical)
	return FormatDigest(h.sum())
}

// SumWithout is the SHA-256 of prefix and the canonical bytes of v.Without(names...), which are not written for it.
func (v Value) SumWithout(prefix string, names ...string) [32]byte {
	h := newHasher(prefix)
	if v.Kind() == Object {
		h.without(v.n, names)
	}
	return h.sum()
}

// hasher computes one SHA-256. What it hands to the hash, and gets from it, is in its own room: behind an interface the stack is no place.
type hasher struct {
	hash.Hash
	room [128]byte
}

var hashers = sync.Pool{New: func() any { return &hasher{Hash: sha256.New()} }}

func newHasher(prefix string) *hasher {
	h := hashers.Get().(*hasher)
	h.Reset()
	h.text(prefix)
	return h
}

// sum ends the use of h.
func (h *hasher) sum() (sum [sha256.Size]byte) {
	copy(sum[:], h.Sum(h.room[:0]))
	hashers.Put(h)
	return sum
}

func (h *hasher) text(s string) {
	for s != "" {
		n := copy(h.room[:], s)
		h.Write(h.room[:n])
		s = s[n:]
	}
}

// without writes an object that lacks these members: its canonical form around them.
func (h *hasher) without(n *node, names []string) {
	open := byte('{')
	from, to, at := 0, 0, 1 // from to to: members that are left, one after the other, and not written yet
	flush := func() {
		if from < to {
			h.room[0] = open
			h.Write(h.room[:1])
			h.Write(n.canonical[from:to])
			open = ','
		}
		from, to = 0, 0
	}
	for _, m := range n.members {
		end := at + quotedSize(m.Name) + 1 + len(m.Value.n.canonical)
		if contains(names, m.Name) {
			flush()
		} else {
			if from == 0 {
				from = at
			}
			to = end
		}
		at = end + 1
	}
	if flush(); open == '{' {
		h.text("{")
	}
	h.text("}")
}

// quotedSize is how many bytes appendQuoted appends.
func quotedSize(text string) int {
	for i := range len(text) {
		if c := text[i]; !plain[c] && c < utf8.RuneSelf {
			return len(appendQuoted(nil, text))
		}
	}
	return len(text) + 2
}

// FormatDigest writes a SHA-256 as Digest does.
func FormatDigest(sum [32]byte) string {
	var b [len(multihash) + sha256.Size]byte
	copy(b[copy(b[:], multihash):], sum[:])
	return EncodeBase64(b[:])
}

// ParseDigest reads what FormatDigest writes, in exactly that spelling.
func ParseDigest(s string) ([32]byte, error) {
	var room [64]byte
	b, err := decodeBase64(room[:0], s)
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
func DecodeBase64(s string) ([]byte, error) { return decodeBase64(nil, s) }

// DecodeKey is DecodeBase64 of 32 bytes: a salt, or another key.
func DecodeKey(s string) ([32]byte, error) {
	var room [64]byte
	b, err := decodeBase64(room[:0], s)
	if err == nil && len(b) != 32 {
		err = &Error{Reason: reasonEncoding, Detail: "not 32 bytes"}
	}
	if err != nil {
		return [32]byte{}, err
	}
	return [32]byte(b), nil
}

// decodeBase64 is DecodeBase64 into room, if that is enough.
func decodeBase64(room []byte, s string) ([]byte, error) {
	if s == "" || s[0] != 'u' {
		return nil, &Error{Reason: reasonEncoding, Detail: "not multibase base64url"}
	}
	b, err := base64.RawURLEncoding.AppendDecode(room, []byte(s[1:]))
	if err != nil || !isForm(s, b) {
		return nil, &Error{Reason: reasonEncoding, Detail: "not strict base64url"}
	}
	return b, nil
}
