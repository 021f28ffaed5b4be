package log

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"

	"github.com/transparency-dev/merkle/rfc6962"
)

// Hash is a node of the tree: SHA-256 as RFC 6962 uses it.
type Hash [sha256.Size]byte

// String returns the hash in standard base64, as checkpoints and proofs write it.
func (h Hash) String() string { return base64.StdEncoding.EncodeToString(h[:]) }

// ParseHash reads a hash in standard base64, canonical form only.
func ParseHash(s string) (Hash, error) {
	var read, written [2 * sha256.Size]byte
	if len(s) == base64.StdEncoding.EncodedLen(sha256.Size) {
		b, err := base64.StdEncoding.AppendDecode(read[:0], []byte(s))
		if err == nil && len(b) == sha256.Size && string(base64.StdEncoding.AppendEncode(written[:0], b)) == s {
			return Hash(b), nil
		}
	}
	return Hash{}, errors.New("not a base64 SHA-256 hash")
}

// RecordHash returns an entry's leaf hash. RFC 6962 §2.1: the prefix 0x00 keeps an entry from passing as an inner node.
func RecordHash(entry []byte) Hash {
	var buffer [1 + MaxEntrySize]byte // on the stack for all entries that Stage takes
	return sha256.Sum256(append(buffer[:1], entry...))
}

// nodeHash returns the hash of an inner node. RFC 6962 §2.1: prefix 0x01.
func nodeHash(left, right Hash) Hash {
	b := [1 + 2*sha256.Size]byte{0x01}
	copy(b[1:], left[:])
	copy(b[1+sha256.Size:], right[:])
	return sha256.Sum256(b[:])
}

// hasher is RFC 6962's, without state: it allocates nothing but what it returns.
type hasher struct{ *rfc6962.Hasher }

var treeHasher = hasher{rfc6962.DefaultHasher}

func (hasher) HashChildren(left, right []byte) []byte {
	h := nodeHash(Hash(left), Hash(right))
	return h[:]
}

// emptyRoot is the root of a tree without entries. RFC 6962 §2.1: the hash of nothing.
var emptyRoot = Hash(sha256.Sum256(nil))
