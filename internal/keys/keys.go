// Package keys keeps private keys and signs with them; it never gives one out. A Store is the file of named keys that a server makes
// for itself (seal, decision, log, hosted agents), a personal file holds one key of one person. Both are encrypted under a passphrase
// by age's scrypt recipient. Most callers want OpenStore and Store.Signer, or ReadPersonal.
package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
	"io"
	"math/big"

	"github.com/writ-trust/writ/did"
)

// The key types, as did.PublicKey.Type names them.
const (
	Ed25519 = "Ed25519"
	P256    = "P-256"
)

// secretSize is the length in bytes of an Ed25519 seed (RFC 8032 §5.1.5) and of a P-256 scalar.
const secretSize = 32

// Error is a refusal of this package.
type Error struct {
	// Reason is stable: key-exists, key-file-changed, key-file-missing, key-file-mode, key-file-size, key-file-syntax, key-name,
	// key-passphrase, key-type, key-unknown, key-work-factor.
	Reason string
	Path   string // the file, "" where none is concerned
	Detail string // for people; never says what a key or passphrase is
}

func (e *Error) Error() string {
	if e.Path == "" {
		return e.Reason + ": " + e.Detail
	}
	return e.Reason + ": " + e.Path + ": " + e.Detail
}

// A Signer signs with a private key that it does not show: no method returns it, and no verb of package fmt prints it.
// It is safe for concurrent use.
type Signer struct {
	public  did.PublicKey
	private *privateKey // a pointer, so that what prints a Signer by reflection meets an address
}

// privateKey has exactly one field set.
type privateKey struct {
	ed25519 ed25519.PrivateKey
	p256    *ecdsa.PrivateKey
}

// Generate makes a key of the type from what random gives, normally crypto/rand.Reader. The same bytes make the same key.
func Generate(keyType string, random io.Reader) (*Signer, error) {
	for {
		secret := make([]byte, secretSize)
		if _, err := io.ReadFull(random, secret); err != nil {
			return nil, fmt.Errorf("generate a key: %w", err)
		}
		s, err := fromSecret(keyType, secret)
		if err == nil || keyType != P256 {
			return s, err
		}
		// One scalar in 2^32 is zero or not below the order of P-256: draw again (FIPS 186-5 §A.2.2).
	}
}

// fromSecret makes the Signer of an Ed25519 seed or a P-256 scalar. Reason: key-type, also for a scalar out of range.
func fromSecret(keyType string, secret []byte) (*Signer, error) {
	switch keyType {
	case Ed25519:
		if len(secret) != ed25519.SeedSize {
			break
		}
		key := ed25519.NewKeyFromSeed(secret)
		return &Signer{did.FromEd25519(key.Public().(ed25519.PublicKey)), &privateKey{ed25519: key}}, nil
	case P256:
		key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), secret)
		if err != nil {
			break
		}
		public, err := did.FromP256(&key.PublicKey)
		if err != nil {
			return nil, fmt.Errorf("P-256 key: %w", err)
		}
		return &Signer{public, &privateKey{p256: key}}, nil
	default:
		return nil, &Error{Reason: "key-type", Detail: fmt.Sprintf("neither %s nor %s", Ed25519, P256)}
	}
	return nil, &Error{Reason: "key-type", Detail: "not a private key of type " + keyType}
}

// secret is the inverse of fromSecret. Only the encrypted file may see it.
func (s *Signer) secret() ([]byte, error) {
	if s.private.p256 != nil {
		return s.private.p256.Bytes()
	}
	return s.private.ed25519.Seed(), nil
}

// Public returns the public half.
func (s *Signer) Public() did.PublicKey { return s.public }

// Ed25519 returns the raw public half, for a log's signer of checkpoints (beside Sign). Reason: key-type, for a P-256 key.
func (s *Signer) Ed25519() (ed25519.PublicKey, error) {
	if s.private.ed25519 == nil {
		return nil, &Error{Reason: "key-type", Detail: "not an Ed25519 key"}
	}
	return s.private.ed25519.Public().(ed25519.PublicKey), nil
}

// Sign signs the message, the same bytes each time: Ed25519 by RFC 8032 §5.1.6; for P-256 r || s, 32 bytes each, over
// SHA-256(message), by RFC 6979. Either s may come out; package vc takes the lower.
func (s *Signer) Sign(message []byte) ([]byte, error) {
	if s.private.p256 == nil {
		return ed25519.Sign(s.private.ed25519, message), nil
	}
	digest := sha256.Sum256(message)
	der, err := s.private.p256.Sign(nil, digest[:], crypto.SHA256) // no randomness: RFC 6979
	if err != nil {
		return nil, fmt.Errorf("sign with P-256: %w", err)
	}
	return rawSignature(der)
}

// rawSignature turns the DER of an ECDSA signature (RFC 3279 §2.2.3) into r || s.
func rawSignature(der []byte) ([]byte, error) {
	var signature struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &signature); err != nil {
		return nil, fmt.Errorf("sign with P-256: %w", err)
	}
	raw := make([]byte, 2*secretSize)
	signature.R.FillBytes(raw[:secretSize])
	signature.S.FillBytes(raw[secretSize:])
	return raw, nil
}

// Format prints the type and the public half, whatever the verb.
func (s Signer) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "%s key %s", s.public.Type(), s.public.Multikey())
}
