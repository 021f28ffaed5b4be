package log

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Signature types that Writ knows (signed-note.md, "Signature types").
const (
	typeEd25519     = 0x01 // a log's signature over the note text
	typeCosignature = 0x04 // a witness's timestamped signature (tlog-cosignature.md, "Ed25519 signed message")
	typeMLDSA       = 0x06 // the same with ML-DSA-44, which is read in policies and never counts

	mldsaPublicKeySize = 1312 // tlog-cosignature.md, "Format"
)

// Verifier is the public key of a log or of a witness, with its name. It is a note.Verifier.
type Verifier struct {
	name   string
	id     uint32
	kind   byte
	public ed25519.PublicKey
}

// ParseVerifier reads a verifier key, name+id+key (signed-note.md, "Verifier keys"): Ed25519, for a log or for
// a witness. String gives the same bytes back. Reason: key-syntax.
func ParseVerifier(vkey string) (*Verifier, error) {
	v, err := parseKey(vkey)
	if err == nil && v.kind == typeMLDSA {
		return nil, fault("key-syntax", "key %q is of type %#02x, ML-DSA-44; only 0x01 (log) and 0x04 (witness) are checked", v.name, v.kind)
	}
	return v, err
}

// parseKey reads also the keys whose signatures are ignored.
func parseKey(vkey string) (*Verifier, error) {
	name, rest, _ := strings.Cut(vkey, "+")
	_, encoded, _ := strings.Cut(rest, "+")
	key, err := decodeBase64(encoded)
	if err != nil || len(key) == 0 || !isKeyName(name) {
		return nil, fault("key-syntax", "%.200q is not name+id+key", vkey)
	}
	size := ed25519.PublicKeySize
	switch key[0] {
	case typeEd25519, typeCosignature:
	case typeMLDSA:
		size = mldsaPublicKeySize
	default:
		return nil, fault("key-syntax", "key %q is of type %#02x; only 0x01 (log) and 0x04 (witness) are known", name, key[0])
	}
	if len(key) != 1+size {
		return nil, fault("key-syntax", "key %q has %d bytes, want %d", name, len(key)-1, size)
	}
	v := newVerifier(name, key[0], key[1:])
	if v.String() != vkey {
		return nil, fault("key-syntax", "the id in %.200q is not that of the key", vkey)
	}
	return v, nil
}

func newVerifier(name string, kind byte, public ed25519.PublicKey) *Verifier {
	v := &Verifier{name: name, kind: kind, public: bytes.Clone(public)}
	sum := sha256.Sum256(append([]byte(name+"\n"), v.typed()...))
	v.id = binary.BigEndian.Uint32(sum[:])
	return v
}

func (v *Verifier) typed() []byte { return append([]byte{v.kind}, v.public...) }

// Name returns the key's name: for a log, its origin.
func (v *Verifier) Name() string { return v.name }

// KeyHash returns the key id that stands in signature lines.
func (v *Verifier) KeyHash() uint32 { return v.id }

// Public returns the Ed25519 public key.
func (v *Verifier) Public() ed25519.PublicKey { return bytes.Clone(v.public) }

// String returns the verifier key in its text form.
func (v *Verifier) String() string {
	return fmt.Sprintf("%s+%08x+%s", v.name, v.id, base64.StdEncoding.EncodeToString(v.typed()))
}

// Verify reports whether sig, without the key id, is this key's signature over the note text.
func (v *Verifier) Verify(text, sig []byte) bool {
	if v.kind == typeCosignature {
		return v.verifyCosignature(text, sig)
	}
	return ed25519.Verify(v.public, text, sig)
}

// verifyCosignature checks a timestamped_signature (tlog-cosignature.md, "Format"): the time stands before the
// signature and in the signed message. What the time says is the caller's business.
func (v *Verifier) verifyCosignature(text, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	seconds := binary.BigEndian.Uint64(sig)
	message := "cosignature/v1\ntime " + strconv.FormatUint(seconds, 10) + "\n" + string(text)
	return seconds <= math.MaxInt64 && ed25519.Verify(v.public, []byte(message), sig[8:])
}

// Signer signs a log's checkpoints. It is a note.Signer.
type Signer struct {
	Verifier
	sign func(message []byte) ([]byte, error)
}

// NewSigner returns the signer of the log called name, its origin. sign must make Ed25519 signatures (RFC 8032,
// deterministic) that public verifies: the same checkpoint signed after a crash must give the same bytes.
func NewSigner(name string, public ed25519.PublicKey, sign func(message []byte) ([]byte, error)) (*Signer, error) {
	if !isKeyName(name) {
		return nil, fault("key-syntax", "key name %q is empty or has spaces, control characters or a plus", name)
	}
	if len(public) != ed25519.PublicKeySize || sign == nil {
		return nil, fault("key-syntax", "a log's key must be Ed25519")
	}
	return &Signer{*newVerifier(name, typeEd25519, public), sign}, nil
}

// Sign returns the signature over a note text.
func (s *Signer) Sign(text []byte) ([]byte, error) { return s.sign(text) }
