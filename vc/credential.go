// Package vc reads and signs verifiable credentials and presentations (W3C VCDM 2.0) secured with
// Data Integrity proofs of the JCS suites, eddsa-jcs-2022 and ecdsa-jcs-2019.
//
// It knows structure and signatures, not meaning: what a mandate may say is package spec, whose
// keys count is package verifier. Everything is pure: instants are handed in. Start with Sign and
// Verify for proofs, ReadCredential and ReadPresentation for structure.
package vc

import (
	"regexp"
	"time"

	"github.com/writ-trust/writ/internal/jcs"
)

// What every document of VCDM 2.0 begins its @context with, and the types it has.
const (
	Context          = "https://www.w3.org/ns/credentials/v2"
	TypeCredential   = "VerifiableCredential"
	TypePresentation = "VerifiablePresentation"
)

// Credential is the structure that VCDM 2.0 gives every credential. Parts whose content is not
// VCDM's stay parsed values. Lists that VCDM lets be a single object are lists here.
type Credential struct {
	Context    []string    // in order, the first is Context
	ID         string      // a URL, or empty
	Type       []string    // in order, contains TypeCredential
	Issuer     string      // a URL: issuer, or its id
	ValidFrom  time.Time   // zero if absent
	ValidUntil time.Time   // zero if absent
	Subjects   []jcs.Value // objects, at least one
	Status     []jcs.Value // objects with a type
	Evidence   []jcs.Value // objects with a type
}

// ReadCredential checks the structure of a credential (VCDM 2.0 §4) and takes it apart. It is
// stricter than VCDM in two places: contexts are URLs only, never inline definitions that would
// change the meaning of terms, and times are UTC with a Z. The proof is not looked at, and
// members unknown to VCDM are left to the type that defines them.
// Reasons, with pointers: vc-context, vc-type, vc-id, vc-issuer, vc-time, vc-subject, vc-status,
// vc-evidence.
func ReadCredential(doc jcs.Value) (Credential, error) {
	r := reader{doc: doc}
	c := Credential{
		Context:    r.context(),
		ID:         r.optionalURL("id", "vc-id"),
		Type:       r.types(TypeCredential),
		Issuer:     r.issuer(),
		ValidFrom:  r.time("validFrom"),
		ValidUntil: r.time("validUntil"),
		Subjects:   r.objects("credentialSubject", "vc-subject"),
		Status:     r.typed("credentialStatus", "vc-status"),
		Evidence:   r.typed("evidence", "vc-evidence"),
	}
	if len(c.Subjects) == 0 {
		r.fail("vc-subject", "/credentialSubject", "absent or empty")
	}
	if !c.ValidUntil.IsZero() && c.ValidUntil.Before(c.ValidFrom) {
		r.fail("vc-time", "/validUntil", "before validFrom")
	}
	if r.err != nil {
		return Credential{}, r.err
	}
	return c, nil
}

// CheckAt tells whether the credential is in its validity at an instant, which is [validFrom,
// validUntil). Reasons: vc-early, vc-expired.
func (c Credential) CheckAt(at time.Time) error {
	switch {
	case at.Before(c.ValidFrom):
		return refuse("vc-early", "/validFrom", "not valid yet")
	case !c.ValidUntil.IsZero() && !at.Before(c.ValidUntil):
		return refuse("vc-expired", "/validUntil", "not valid any more")
	}
	return nil
}

// reader takes a document apart; err is the first mistake met.
type reader struct {
	doc jcs.Value
	err error
}

func (r *reader) fail(reason, pointer, detail string) {
	if r.err == nil {
		r.err = refuse(reason, pointer, "%s", detail)
	}
}

// context reads @context (VCDM 2.0 §4.3): an array of distinct URLs, ours first.
func (r *reader) context() []string {
	v, _ := r.doc.Member("@context")
	contexts, ok := distinctStrings(v)
	if !ok || contexts[0] != Context {
		r.fail("vc-context", "/@context", "not an array of distinct URLs that begins with "+Context)
	}
	return contexts
}

// types reads type (VCDM 2.0 §4.5): one or more distinct names, want among them.
func (r *reader) types(want string) []string {
	v, _ := r.doc.Member("type")
	types, ok := stringOrStrings(v)
	if !ok || !hasType(r.doc, want) {
		r.fail("vc-type", "/type", "not a list of distinct types with "+want)
	}
	return types
}

// issuer reads issuer (VCDM 2.0 §4.7): a URL, or an object whose id is one.
func (r *reader) issuer() string {
	v, _ := r.doc.Member("issuer")
	return r.urlOrID(v, "vc-issuer", "/issuer")
}

// urlOrID reads a URL, or the id of an object.
func (r *reader) urlOrID(v jcs.Value, reason, pointer string) string {
	if v.Kind() == jcs.Object {
		v, _ = v.Member("id")
		pointer += "/id"
	}
	s, _ := v.Text()
	if !isURL(s) {
		r.fail(reason, pointer, "not a URL")
	}
	return s
}

// optionalURL reads a member that is absent or a URL.
func (r *reader) optionalURL(name, reason string) string {
	v, given := r.doc.Member(name)
	if !given {
		return ""
	}
	s, _ := v.Text()
	if !isURL(s) {
		r.fail(reason, "/"+name, "not a URL")
	}
	return s
}

// time reads a member that is absent or a time (VCDM 2.0 §4.9).
func (r *reader) time(name string) time.Time {
	v, given := r.doc.Member(name)
	if !given {
		return time.Time{}
	}
	s, _ := v.Text()
	t, err := parseTime("vc-time", "/"+name, s)
	if err != nil && r.err == nil {
		r.err = err
	}
	return t
}

// objects reads a member that is absent, an object, or an array of objects.
func (r *reader) objects(name, reason string) []jcs.Value {
	v, given := r.doc.Member(name)
	if !given {
		return nil
	}
	list := v.Elements()
	if v.Kind() == jcs.Object {
		list = []jcs.Value{v}
	}
	for _, element := range list {
		if element.Kind() != jcs.Object || len(element.Members()) == 0 {
			list = nil
			break
		}
	}
	if len(list) == 0 {
		r.fail(reason, "/"+name, "neither an object nor an array of objects, or empty")
	}
	return list
}

// typed is objects that must each have a type (VCDM 2.0 §§4.10, 5.6).
func (r *reader) typed(name, reason string) []jcs.Value {
	list := r.objects(name, reason)
	for _, element := range list {
		v, _ := element.Member("type")
		if _, ok := stringOrStrings(v); !ok {
			r.fail(reason, "/"+name, "an entry has no type")
		}
	}
	return list
}

// hasType reports whether a document's type is or contains name.
func hasType(doc jcs.Value, name string) bool {
	v, _ := doc.Member("type")
	types, _ := stringOrStrings(v)
	for _, t := range types {
		if t == name {
			return true
		}
	}
	return false
}

// stringOrStrings reads one string as a list of it, or an array of distinct strings.
func stringOrStrings(v jcs.Value) ([]string, bool) {
	if s, ok := v.Text(); ok {
		return []string{s}, s != ""
	}
	return distinctStrings(v)
}

// distinctStrings reads an array of one or more strings, none empty, none twice.
func distinctStrings(v jcs.Value) ([]string, bool) {
	var list []string
	seen := map[string]bool{"": true}
	for _, element := range v.Elements() {
		s, _ := element.Text()
		if seen[s] {
			return nil, false
		}
		seen[s] = true
		list = append(list, s)
	}
	return list, len(list) > 0
}

// isURL reports whether s has the form of an absolute URL or URN (RFC 3986 §3), by its scheme and
// the absence of what no URL contains.
func isURL(s string) bool { return urlForm.MatchString(s) }

var urlForm = regexp.MustCompile("^[A-Za-z][A-Za-z0-9+.-]*:[^\\x00-\\x20\\x7f-\\x{10ffff}\"<>\\\\^`{|}]+$")
