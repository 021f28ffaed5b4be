package did

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"math/big"

	"github.com/writ-trust/writ/internal/jcs"
)

// Sizes of what a PublicKey holds, in bytes.
const (
	ed25519Size     = 32 // RFC 8032 §5.1.5
	scalarSize      = 32 // one coordinate of P-256, and each half of its signatures
	compressedSize  = 33 // SEC 1 §2.3.3
	pointSize       = 65 // SEC 1 §2.3.3, uncompressed
	signatureSize   = 64 // both: R || S, or r || s
	maxMultikeySize = 64 // characters; the longest of ours has 49
)

// keyType says which algorithm a PublicKey belongs to. The zero value is no key.
type keyType uint8

const (
	typeEd25519 keyType = 1 + iota
	typeP256
)

// Multicodec prefixes (unsigned varints of 0xed and 0x1200), as a Multikey begins with.
var (
	ed25519Prefix = [2]byte{0xed, 0x01}
	p256Prefix    = [2]byte{0x80, 0x24}
)

// PublicKey is an Ed25519 or a P-256 public key. It is comparable: equal values are equal keys,
// whatever text they were read from, which is how two names of one key are recognised.
// The zero PublicKey verifies nothing.
type PublicKey struct {
	kind keyType
	data [pointSize]byte // Ed25519: 32 bytes, then zeros; P-256: the uncompressed point
}

// FromEd25519 takes an Ed25519 key. It returns the zero PublicKey if k is not one that
// ParseMultikey would accept.
func FromEd25519(k ed25519.PublicKey) PublicKey {
	key, err := ed25519Key(k)
	if err != nil {
		return PublicKey{}
	}
	return key
}

// FromP256 takes an ECDSA key, which must be on P-256 (reason did-key-type).
func FromP256(k *ecdsa.PublicKey) (PublicKey, error) {
	if k == nil || k.Curve != elliptic.P256() {
		return PublicKey{}, refuse("did-key-type", "not a key on P-256")
	}
	point, err := k.Bytes()
	if err != nil {
		return PublicKey{}, refuse("did-key-point", "not a point of P-256")
	}
	return p256Uncompressed(point)
}

// ParseMultikey reads the publicKeyMultibase of a Multikey (Controlled Identifiers 1.0, §2.2.2):
// base58btc multibase of the multicodec prefix and the key. Only ed25519-pub and p256-pub are
// known, each in exactly one spelling. Reasons: did-multikey, did-key-type, did-key-point.
func ParseMultikey(s string) (PublicKey, error) {
	if len(s) > maxMultikeySize {
		return PublicKey{}, refuse("did-key-type", "longer than a key of any known type")
	}
	raw, err := jcs.DecodeBase58(s)
	if err != nil || len(raw) < len(ed25519Prefix) {
		return PublicKey{}, refuse("did-multikey", "not base58btc multibase of a key")
	}
	switch prefix, key := [2]byte(raw), raw[2:]; prefix {
	case ed25519Prefix:
		return ed25519Key(key)
	case p256Prefix:
		return p256Key(key)
	}
	return PublicKey{}, refuse("did-key-type", "neither ed25519-pub nor p256-pub")
}

// ed25519Key checks an encoded Ed25519 point. Points of small order are refused, since for
// them one signature holds for many messages, and so are second spellings of a point
// (RFC 8032 §5.1.3 step 1). An encoding that is no point of the curve verifies nothing.
func ed25519Key(b []byte) (PublicKey, error) {
	if len(b) != ed25519Size {
		return PublicKey{}, refuse("did-multikey", "an Ed25519 key has %d bytes", ed25519Size)
	}
	y := [ed25519Size]byte(b)
	y[31] &= 0x7f // the sign of x
	if !isReduced(y) || smallOrder[y] {
		return PublicKey{}, refuse("did-key-point", "not a usable point of edwards25519")
	}
	key := PublicKey{kind: typeEd25519}
	copy(key.data[:], b)
	return key, nil
}

// isReduced reports whether the little-endian y is below 2^255 − 19.
func isReduced(y [ed25519Size]byte) bool {
	for _, b := range y[1:31] {
		if b != 0xff {
			return true
		}
	}
	return y[31] != 0x7f || y[0] < 0xed
}

// smallOrder has the y coordinates (little-endian, sign bit cleared) of the eight points whose
// order divides 8.
var smallOrder = map[[ed25519Size]byte]bool{
	{}:  true, // order 4
	{1}: true, // order 1
	{0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}: true, // order 2
	{0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
		0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a}: true, // order 8
	{0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
		0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05}: true, // order 8
}

// p256Key checks a compressed P-256 point (SEC 1 §2.3.4).
func p256Key(b []byte) (PublicKey, error) {
	if len(b) != compressedSize {
		return PublicKey{}, refuse("did-multikey", "a compressed P-256 key has %d bytes", compressedSize)
	}
	x, y := elliptic.UnmarshalCompressed(elliptic.P256(), b)
	if x == nil {
		return PublicKey{}, refuse("did-key-point", "not a point of P-256")
	}
	key := PublicKey{kind: typeP256}
	key.data[0] = 4
	x.FillBytes(key.data[1 : 1+scalarSize])
	y.FillBytes(key.data[1+scalarSize:])
	return key, nil
}

// p256Uncompressed checks 0x04 || x || y (SEC 1 §2.3.4).
func p256Uncompressed(b []byte) (PublicKey, error) {
	if _, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), b); err != nil {
		return PublicKey{}, refuse("did-key-point", "not a point of P-256")
	}
	return PublicKey{kind: typeP256, data: [pointSize]byte(b)}, nil
}

// compressed returns the compressed form of a P-256 key (SEC 1 §2.3.3).
func (k PublicKey) compressed() []byte {
	sign := k.data[pointSize-1] & 1
	return append([]byte{2 | sign}, k.data[1:1+scalarSize]...)
}

// IsZero reports whether k is no key.
func (k PublicKey) IsZero() bool { return k.kind == 0 }

// Type returns "Ed25519", "P-256", or "" for the zero PublicKey.
func (k PublicKey) Type() string {
	switch k.kind {
	case typeEd25519:
		return "Ed25519"
	case typeP256:
		return "P-256"
	}
	return ""
}

// Multikey returns the publicKeyMultibase form, "" for the zero PublicKey.
func (k PublicKey) Multikey() string {
	switch k.kind {
	case typeEd25519:
		return jcs.EncodeBase58(append(ed25519Prefix[:], k.data[:ed25519Size]...))
	case typeP256:
		return jcs.EncodeBase58(append(p256Prefix[:], k.compressed()...))
	}
	return ""
}

// String returns the Multikey form.
func (k PublicKey) String() string { return k.Multikey() }

// DID returns the did:key of k, "" for the zero PublicKey.
func (k PublicKey) DID() string {
	if k.IsZero() {
		return ""
	}
	return keyMethod + k.Multikey()
}

// Verify reports whether signature is one over message by k. Ed25519 follows RFC 8032 §5.1.7
// with the canonical encodings of R and S only. For P-256 the signature is r || s, 32 bytes
// each, over SHA-256(message); both s and n − s are accepted here, the proofs of package vc
// take the lower one only.
func (k PublicKey) Verify(message, signature []byte) bool {
	if len(signature) != signatureSize {
		return false
	}
	switch k.kind {
	case typeEd25519:
		return ed25519.Verify(k.data[:ed25519Size], message, signature)
	case typeP256:
		digest := sha256.Sum256(message)
		r := new(big.Int).SetBytes(signature[:scalarSize])
		s := new(big.Int).SetBytes(signature[scalarSize:])
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), k.data[:])
		return err == nil && ecdsa.Verify(key, digest[:], r, s)
	}
	return false
}
