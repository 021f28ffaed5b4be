package did

import (
	"encoding/base64"

	"github.com/writ-trust/writ/internal/jcs"
)

// maxJWKSize bounds a JWK, in bytes.
const maxJWKSize = 1024

// ParseJWK reads a public JSON Web Key (RFC 7517) of type OKP with curve Ed25519 (RFC 8037 §2)
// or EC with curve P-256 (RFC 7518 §6.2.1). It is stricter than RFC 7517: besides the key only
// alg, use and kid may stand in it, and must fit signatures. Reasons: did-jwk, did-key-type,
// did-key-point.
func ParseJWK(data []byte) (PublicKey, error) {
	if len(data) > maxJWKSize {
		return PublicKey{}, refuse("did-jwk", "longer than %d bytes", maxJWKSize)
	}
	v, err := jcs.Parse(data)
	if err != nil {
		return PublicKey{}, refuse("did-jwk", "%v", err)
	}
	for _, m := range v.Members() {
		if !jwkMembers[m.Name] {
			return PublicKey{}, refuse("did-jwk", "unknown or private member")
		}
	}
	return keyOfJWK(v)
}

var jwkMembers = map[string]bool{"kty": true, "crv": true, "x": true, "y": true, "alg": true, "use": true, "kid": true}

// keyOfJWK reads the key out of a parsed JWK and ignores members that it does not know, as
// RFC 7517 §4 asks. A private key (member d) is refused, and a key for encryption is of no type
// known here.
func keyOfJWK(v jcs.Value) (PublicKey, error) {
	if _, private := v.Member("d"); private {
		return PublicKey{}, refuse("did-jwk", "a private key")
	}
	if use, given := v.Member("use"); given && text(use) != "sig" {
		return PublicKey{}, refuse("did-key-type", "not for signatures")
	}
	switch kind := [2]string{memberText(v, "kty"), memberText(v, "crv")}; kind {
	case [2]string{"OKP", "Ed25519"}:
		return okpKey(v)
	case [2]string{"EC", "P-256"}:
		return ecKey(v)
	}
	return PublicKey{}, refuse("did-key-type", "neither OKP Ed25519 nor EC P-256")
}

func okpKey(v jcs.Value) (PublicKey, error) {
	x, okX := coordinate(v, "x")
	_, hasY := v.Member("y")
	if !okX || hasY || !algorithmIs(v, "EdDSA", "Ed25519") {
		return PublicKey{}, refuse("did-jwk", "not a JWK of RFC 8037")
	}
	return ed25519Key(x)
}

func ecKey(v jcs.Value) (PublicKey, error) {
	x, okX := coordinate(v, "x")
	y, okY := coordinate(v, "y")
	if !okX || !okY || !algorithmIs(v, "ES256") {
		return PublicKey{}, refuse("did-jwk", "not a JWK of RFC 7518 §6.2.1")
	}
	return p256Uncompressed(append(append([]byte{4}, x...), y...))
}

// coordinate reads a member of exactly 32 bytes in unpadded base64url.
func coordinate(v jcs.Value, name string) ([]byte, bool) {
	b, err := jcs.DecodeBase64("u" + memberText(v, name))
	return b, err == nil && len(b) == scalarSize
}

// algorithmIs reports whether alg is absent or one of those named.
func algorithmIs(v jcs.Value, names ...string) bool {
	alg, given := v.Member("alg")
	if !given {
		return true
	}
	for _, name := range names {
		if text(alg) == name {
			return true
		}
	}
	return false
}

// JWK returns the key as a JWK in the form whose digest is its thumbprint (RFC 7638 §3), nil
// for the zero PublicKey.
func (k PublicKey) JWK() []byte {
	b64 := base64.RawURLEncoding.EncodeToString
	switch k.kind {
	case typeEd25519:
		return []byte(`{"crv":"Ed25519","kty":"OKP","x":"` + b64(k.data[:ed25519Size]) + `"}`)
	case typeP256:
		x, y := k.data[1:1+scalarSize], k.data[1+scalarSize:]
		return []byte(`{"crv":"P-256","kty":"EC","x":"` + b64(x) + `","y":"` + b64(y) + `"}`)
	}
	return nil
}

// memberText returns a member that is a string, "" if there is none.
func memberText(v jcs.Value, name string) string {
	m, _ := v.Member(name)
	return text(m)
}

// text returns a string value, "" for any other.
func text(v jcs.Value) string {
	s, _ := v.Text()
	return s
}
