package did

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
)

// Limits on a DID document.
const (
	MaxDocumentSize = 64 << 10 // bytes
	maxMethods      = 128      // verification methods, embedded ones included
)

// The verification relationships that Writ uses (Controlled Identifiers 1.0, §2.3), which are
// also the names of a proof's purposes.
const (
	AssertionMethod      = "assertionMethod"
	Authentication       = "authentication"
	CapabilityDelegation = "capabilityDelegation"
)

// Document is what Writ uses of a DID document. Relationships list method ids.
type Document struct {
	ID                   string
	Methods              []VerificationMethod // in the document's order, with known key types only
	AssertionMethod      []string
	Authentication       []string
	CapabilityDelegation []string
}

// VerificationMethod is one key of a document.
type VerificationMethod struct {
	ID         string // absolute DID URL
	Controller string // a DID
	Key        PublicKey
	Until      time.Time // the key counts before this instant (its expires or revoked); zero: no end
}

// Key returns the key of the method with this id, if the document lists it for the purpose, the
// document's subject controls it, and it counts at the given instant. Reasons: did-method-unknown,
// did-purpose, did-controller, did-key-ended.
func (d Document) Key(methodID, purpose string, at time.Time) (PublicKey, error) {
	i := slices.IndexFunc(d.Methods, func(m VerificationMethod) bool { return m.ID == methodID })
	if i < 0 {
		return PublicKey{}, refuse("did-method-unknown", "no such verification method with a known key type")
	}
	method := d.Methods[i]
	switch {
	case !slices.Contains(d.relationship(purpose), methodID):
		return PublicKey{}, refuse("did-purpose", "the method is not listed under %s", purpose)
	case method.Controller != d.ID:
		return PublicKey{}, refuse("did-controller", "the method is controlled by another DID")
	case !method.Until.IsZero() && !at.Before(method.Until):
		return PublicKey{}, refuse("did-key-ended", "the key expired or was revoked")
	}
	return method.Key, nil
}

func (d Document) relationship(purpose string) []string {
	switch purpose {
	case AssertionMethod:
		return d.AssertionMethod
	case Authentication:
		return d.Authentication
	case CapabilityDelegation:
		return d.CapabilityDelegation
	}
	return nil
}

// ParseDocument reads the JSON of a DID document (DID 1.0 §5) that must be about did. Members and
// key types that it does not know are passed over, since the document is somebody else's; what it
// knows must be right. Methods may be given once by id; relationships refer to them or embed them.
// Reasons: did-document with the pointer, did-document-size, did-document-subject.
func ParseDocument(data []byte, did string) (Document, error) {
	if len(data) > MaxDocumentSize {
		return Document{}, refuse("did-document-size", "longer than %d bytes", MaxDocumentSize)
	}
	v, err := jcs.Parse(data)
	if err != nil {
		return Document{}, err
	}
	if memberText(v, "id") != did {
		return Document{}, &Error{Reason: "did-document-subject", Pointer: "/id", Detail: "the document is not about this DID"}
	}
	p := documentParser{doc: Document{ID: did}, seen: map[string]bool{}}
	p.list(v, "verificationMethod", p.method)
	p.doc.AssertionMethod = p.relationship(v, AssertionMethod)
	p.doc.Authentication = p.relationship(v, Authentication)
	p.doc.CapabilityDelegation = p.relationship(v, CapabilityDelegation)
	if p.err != nil {
		return Document{}, p.err
	}
	return p.doc, nil
}

// documentParser gathers a Document; err is the first mistake met, after which nothing counts.
type documentParser struct {
	doc  Document
	seen map[string]bool // ids of methods, those of unknown key types included
	err  error
}

func (p *documentParser) fail(pointer, detail string) {
	if p.err == nil {
		p.err = &Error{Reason: "did-document", Pointer: pointer, Detail: detail}
	}
}

// list calls each for every element of an array member, if there is such a member.
func (p *documentParser) list(v jcs.Value, name string, each func(v jcs.Value, pointer string)) {
	member, given := v.Member(name)
	if given && member.Kind() != jcs.Array {
		p.fail("/"+name, "not an array")
		return
	}
	for i, element := range member.Elements() {
		each(element, fmt.Sprintf("/%s/%d", name, i))
	}
}

// relationship returns the ids of the methods under a relationship, each a reference or an
// embedded method.
func (p *documentParser) relationship(v jcs.Value, name string) (ids []string) {
	p.list(v, name, func(v jcs.Value, pointer string) {
		id := text(v)
		if v.Kind() == jcs.Object {
			p.method(v, pointer)
			id = memberText(v, "id")
		}
		if id == "" {
			p.fail(pointer, "neither a reference nor a method")
		}
		ids = append(ids, p.absolute(id))
	})
	return ids
}

// method reads a verification method and keeps it if its key type is known.
func (p *documentParser) method(v jcs.Value, pointer string) {
	id := p.absolute(memberText(v, "id"))
	if !strings.Contains(id, "#") || p.seen[id] || len(p.seen) == maxMethods {
		p.fail(pointer, "a method without an id of its own, or one too many")
		return
	}
	p.seen[id] = true
	until, err := endOf(v)
	if err != nil {
		p.fail(pointer, "expires or revoked is not a time")
		return
	}
	key, err := methodKey(v)
	if err != nil {
		p.fail(pointer, err.Error())
		return
	}
	if !key.IsZero() {
		p.doc.Methods = append(p.doc.Methods, VerificationMethod{
			ID: id, Controller: memberText(v, "controller"), Key: key, Until: until,
		})
	}
}

// absolute resolves a reference that is only a fragment against the document's subject.
func (p *documentParser) absolute(id string) string {
	if strings.HasPrefix(id, "#") {
		return p.doc.ID + id
	}
	return id
}

// methodKey returns the key of a method, zero if its type is not one we know or its key is of
// another algorithm. A key that is of a known algorithm and malformed is an error.
func methodKey(v jcs.Value) (key PublicKey, err error) {
	switch memberText(v, "type") {
	case "Multikey":
		key, err = ParseMultikey(memberText(v, "publicKeyMultibase"))
	case "JsonWebKey", "JsonWebKey2020":
		jwk, _ := v.Member("publicKeyJwk")
		key, err = keyOfJWK(jwk)
	}
	if e, ok := err.(*Error); ok && e.Reason == "did-key-type" {
		return PublicKey{}, nil
	}
	return key, err
}

// endOf returns the earlier of a method's expires and revoked (Controlled Identifiers 1.0, §2.2),
// zero if it has neither.
func endOf(v jcs.Value) (end time.Time, err error) {
	for _, name := range []string{"expires", "revoked"} {
		member, given := v.Member(name)
		if !given {
			continue
		}
		t, err := time.Parse(time.RFC3339, text(member))
		if err != nil {
			return time.Time{}, err
		}
		if end.IsZero() || t.Before(end) {
			end = t
		}
	}
	return end, nil
}
