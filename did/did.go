// Package did reads decentralized identifiers (W3C DID 1.0), their documents and their keys.
//
// Everything here is pure: did:key and did:jwk carry their key in their name, so KeyOf answers
// without asking anybody. Documents of did:web are parsed here and fetched by package did/web.
// Only keys that sign Writ's documents are known: Ed25519 and P-256. Start with KeyOf.
package did

import (
	"context"
	"fmt"
	"strings"

	"github.com/writ-trust/writ/internal/jcs"
)

// Error is what this package refuses with: a stable reason code and, for documents, the JSON
// Pointer of the place.
type Error = jcs.Error

func refuse(reason, format string, args ...any) error {
	return &Error{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

// The beginnings of the DIDs of each method known here.
const (
	keyMethod = "did:key:"
	jwkMethod = "did:jwk:"
	webMethod = "did:web:"
)

// MaxSize bounds a DID, in bytes.
const MaxSize = 2048

// A Resolver finds the document of a DID. Errors are of type *Error where the DID or its
// document is at fault.
type Resolver interface {
	Resolve(ctx context.Context, did string) (Document, error)
}

// Pure resolves did:key and did:jwk, without network. Its zero value is ready.
type Pure struct{}

// Resolve returns the document of a did:key or a did:jwk: one method, good for every purpose.
func (Pure) Resolve(_ context.Context, did string) (Document, error) {
	key, err := KeyOf(did)
	if err != nil {
		return Document{}, err
	}
	id := []string{MethodID(did)}
	return Document{
		ID:                   did,
		Methods:              []VerificationMethod{{ID: id[0], Controller: did, Key: key}},
		AssertionMethod:      id,
		Authentication:       id,
		CapabilityDelegation: id,
	}, nil
}

// KeyOf returns the key that a did:key or did:jwk names. Reasons: did-method for any other
// method, and those of ParseMultikey and ParseJWK.
func KeyOf(did string) (PublicKey, error) {
	if len(did) > MaxSize {
		return PublicKey{}, refuse("did-syntax", "longer than %d bytes", MaxSize)
	}
	if multikey, ok := strings.CutPrefix(did, keyMethod); ok {
		return ParseMultikey(multikey)
	}
	if encoded, ok := strings.CutPrefix(did, jwkMethod); ok {
		jwk, err := jcs.DecodeBase64("u" + encoded)
		if err != nil {
			return PublicKey{}, refuse("did-jwk", "not base64url of a JWK")
		}
		return ParseJWK(jwk)
	}
	return PublicKey{}, refuse("did-method", "neither did:key nor did:jwk")
}

// HasKey tells whether a DID may name the key with this Multikey: that it does, or that it does not say. A did:key that Check
// accepts has its key in one spelling, so that texts are compared.
func HasKey(did, multikey string) bool {
	if name, ok := strings.CutPrefix(did, keyMethod); ok {
		return name == multikey
	}
	key, err := KeyOf(did)
	return err != nil || key.Multikey() == multikey
}

// MethodID returns the only verification method of a did:key or did:jwk, and "" for other DIDs,
// whose documents say what theirs are called. The DID itself is not checked.
func MethodID(did string) string {
	if multikey, ok := strings.CutPrefix(did, keyMethod); ok {
		return did + "#" + multikey
	}
	if strings.HasPrefix(did, jwkMethod) {
		return did + "#0"
	}
	return ""
}

// Check tells whether did is a DID of a method known here (key, jwk, web) and well formed: with
// a usable key, or with a host name. Reasons: did-syntax, did-method, and those of KeyOf.
func Check(did string) error {
	name, ok := strings.CutPrefix(did, webMethod)
	if !ok {
		_, err := KeyOf(did)
		return err
	}
	if len(did) > MaxSize || !isWebName(name) {
		return refuse("did-syntax", "not a did:web of a host name and plain path segments")
	}
	return nil
}

// isWebName checks the method-specific part of did:web in its one spelling here: a lower-case host
// name (not an address: its last label begins with a letter), a port after %3A, path segments
// that begin with a letter or digit and need no further encoding.
func isWebName(name string) bool {
	name, path, hasPath := strings.Cut(name, ":")
	for more := hasPath; more; {
		var segment string
		segment, path, more = strings.Cut(path, ":")
		if segment == "" || !isAlphanumeric(segment[0]) || !consistsOf(segment, func(c byte) bool { return isAlphanumeric(c) || strings.IndexByte("._-", c) >= 0 }) {
			return false
		}
	}
	host, port, hasPort := strings.Cut(name, "%3A")
	if hasPort && (port == "" || port[0] == '0' || len(port) > 5 || !consistsOf(port, isDigit)) {
		return false
	}
	for more := true; more; {
		var label string
		if label, host, more = strings.Cut(host, "."); !isLabel(label) {
			return false
		}
		if !more && isDigit(label[0]) {
			return false
		}
	}
	return true
}

// isLabel checks one label of a host name (RFC 1123 §2.1), in lower case.
func isLabel(s string) bool {
	return s != "" && len(s) <= 63 && s[0] != '-' && s[len(s)-1] != '-' &&
		consistsOf(s, func(c byte) bool { return isDigit(c) || 'a' <= c && c <= 'z' || c == '-' })
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isAlphanumeric(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func consistsOf(s string, in func(byte) bool) bool {
	for i := range len(s) {
		if !in(s[i]) {
			return false
		}
	}
	return true
}
