package vc

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/asn1"
	"math/big"

	"github.com/writ-trust/writ/did"
)

// NewEd25519Signer signs with a key in memory. It panics if k has a wrong length.
func NewEd25519Signer(k ed25519.PrivateKey) Signer {
	return ed25519Signer{key: k, public: did.FromEd25519(k.Public().(ed25519.PublicKey))}
}

type ed25519Signer struct {
	key    ed25519.PrivateKey
	public did.PublicKey
}

func (s ed25519Signer) Public() did.PublicKey { return s.public }

func (s ed25519Signer) Sign(message []byte) ([]byte, error) {
	return ed25519.Sign(s.key, message), nil
}

// NewP256Signer signs with a key in memory, deterministically (RFC 6979), so that signing again
// gives the same bytes. It refuses a key on another curve.
func NewP256Signer(k *ecdsa.PrivateKey) (Signer, error) {
	public, err := did.FromP256(&k.PublicKey)
	return p256Signer{key: k, public: public}, err
}

type p256Signer struct {
	key    *ecdsa.PrivateKey
	public did.PublicKey
}

func (s p256Signer) Public() did.PublicKey { return s.public }

func (s p256Signer) Sign(message []byte) ([]byte, error) {
	digest := sha256.Sum256(message)
	der, err := s.key.Sign(nil, digest[:], crypto.SHA256) // no randomness: RFC 6979
	if err != nil {
		return nil, err
	}
	var halves struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &halves); err != nil {
		return nil, err
	}
	signature := make([]byte, signatureSize)
	halves.R.FillBytes(signature[:signatureSize/2])
	halves.S.FillBytes(signature[signatureSize/2:])
	return signature, nil
}
