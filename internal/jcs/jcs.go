// Package jcs reads strict I-JSON (RFC 7493) and writes the JSON
// Canonicalization Scheme (RFC 8785), both in one pass over the bytes.
//
// A document is parsed once into a Value, which is immutable and keeps the
// canonical bytes of itself and of every value inside it: digests and
// signatures are computed from those bytes, never from a Go struct. Most
// callers want Unmarshal, Marshal and Digest. encoding/json is not used: it
// folds the case of names, keeps the last of two duplicates, and replaces lone
// surrogates.
package jcs

import (
	"bytes"
	"sort"
	"strconv"
	"strings"
)

const (
	// MaxSize is the largest document accepted, in bytes.
	MaxSize = 256 << 10
	// MaxBundle is the largest bundle of documents accepted, in bytes: each in it is a document of at most MaxSize.
	MaxBundle = 16 << 20
	// MaxDepth is how far arrays and objects may be nested; the outermost counts 1.
	MaxDepth = 32
	// MaxInt is the largest magnitude of an integer that every reader of
	// doubles keeps apart from its neighbours: 2^53 − 1 (RFC 7493 §2.2).
	MaxInt = 1<<53 - 1
)

// Kind says which of the six JSON types a Value has.
type Kind uint8

// Absent is the Kind of the zero Value; no parsed value has it.
const (
	Absent Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

// String returns the lower-case JSON name of the kind.
func (k Kind) String() string {
	return [...]string{"absent", "null", "boolean", "number", "string", "array", "object"}[k]
}

// A Value is one JSON value. It is immutable and safe for concurrent use. The
// zero Value is absent: the answer for a member that is not there.
type Value struct{ n *node }

// A Member is one name of an object with its value.
type Member struct {
	Name  string
	Value Value
}

// node holds a value. It changes only until canonical is set (see seal), which
// happens before anybody outside the package sees it.
type node struct {
	kind      Kind
	strict    bool   // it, and so all in it, is of Writ's profile (ParseDocument)
	offset    int32  // where the value starts in the input, for errors
	text      string // String: the decoded text. Null, Bool, Number: the canonical form
	canonical []byte
	*contents // Array and Object; nil in all others
}

// contents is what an array or object holds: apart from the node, since most nodes hold nothing.
type contents struct {
	members  []Member // Object: in canonical order, names distinct
	elements []Value  // Array
}

// container makes an array or object in one allocation.
func container(kind Kind, holds contents) *node {
	n := &struct {
		node
		holds contents
	}{node{kind: kind}, holds}
	n.contents = &n.holds
	return &n.node
}

// Kind returns the JSON type of v, or Absent.
func (v Value) Kind() Kind {
	if v.n == nil {
		return Absent
	}
	return v.n.kind
}

// IsZero reports whether v is absent. JSON's null is not absent.
func (v Value) IsZero() bool { return v.n == nil }

// Canonical returns the RFC 8785 form of v, nil if v is absent. The caller must
// not modify it.
func (v Value) Canonical() []byte {
	if v.n == nil {
		return nil
	}
	return v.n.canonical
}

// Members returns the members of an object in canonical order (RFC 8785 §3.2.3),
// nil for other kinds. The caller must not modify it.
func (v Value) Members() []Member {
	if v.n == nil || v.n.contents == nil {
		return nil
	}
	return v.n.members
}

// Elements returns the elements of an array, nil for other kinds. The caller
// must not modify it.
func (v Value) Elements() []Value {
	if v.n == nil || v.n.contents == nil {
		return nil
	}
	return v.n.elements
}

// Member returns the member of an object that has exactly this name.
func (v Value) Member(name string) (Value, bool) {
	members := v.Members()
	if len(members) > fewMembers {
		i, found := findMember(members, name)
		if !found {
			return Value{}, false
		}
		return members[i].Value, true
	}
	for i := range members {
		if members[i].Name == name {
			return members[i].Value, true
		}
	}
	return Value{}, false
}

// fewMembers is up to where comparing every name is faster than halving.
const fewMembers = 12

// findMember returns where name is in members, or where it belongs.
func findMember(members []Member, name string) (int, bool) {
	return sort.Find(len(members), func(i int) int { return compareNames(name, members[i].Name) })
}

// Text returns the text of a string.
func (v Value) Text() (string, bool) {
	if v.Kind() != String {
		return "", false
	}
	return v.n.text, true
}

// Int returns a number that is an integer of at most MaxInt in magnitude.
func (v Value) Int() (int64, bool) {
	if v.Kind() != Number {
		return 0, false
	}
	i, err := strconv.ParseInt(v.n.text, 10, 64)
	if err != nil || i > MaxInt || i < -MaxInt {
		return 0, false
	}
	return i, true
}

// Bool returns the truth of a boolean.
func (v Value) Bool() (value, ok bool) {
	if v.Kind() != Bool {
		return false, false
	}
	return v.n.text == "true", true
}

// Lookup returns the value at an RFC 6901 JSON Pointer ("" is v itself).
func (v Value) Lookup(pointer string) (Value, bool) {
	for pointer != "" {
		if pointer[0] != '/' {
			return Value{}, false
		}
		token, rest := pointer[1:], ""
		if i := strings.IndexByte(token, '/'); i >= 0 {
			token, rest = token[:i], token[i:]
		}
		next, ok := v.step(token)
		if !ok {
			return Value{}, false
		}
		v, pointer = next, rest
	}
	return v, !v.IsZero()
}

// step follows one reference token (RFC 6901 §4).
func (v Value) step(token string) (Value, bool) {
	switch v.Kind() {
	case Object:
		name, ok := unescapeToken(token)
		if !ok {
			return Value{}, false
		}
		return v.Member(name)
	case Array:
		i, err := strconv.Atoi(token)
		if err != nil || strconv.Itoa(i) != token || i < 0 || i >= len(v.n.elements) {
			return Value{}, false
		}
		return v.n.elements[i], true
	default:
		return Value{}, false
	}
}

// Without returns a copy of the object v without these members. Of a value that
// is no object it returns the zero Value.
func (v Value) Without(names ...string) Value {
	if v.Kind() != Object {
		return Value{}
	}
	kept := v.keep(names)
	rest := object(kept)
	rest.n.strict = v.n.strict && len(kept) > 0
	return rest
}

// keep are the members of an object but these.
func (v Value) keep(without []string) []Member {
	kept := make([]Member, 0, len(v.n.members))
	for _, m := range v.n.members {
		if !contains(without, m.Name) {
			kept = append(kept, m)
		}
	}
	return kept
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

// With returns a copy of the object v in which the member name is member; an
// absent member removes it. The absent Value counts as an object without
// members, so With builds objects from nothing. Of any other kind it returns the
// zero Value. Depth and size are not checked again.
func (v Value) With(name string, member Value) Value {
	if member.IsZero() {
		return v.Without(name)
	}
	if k := v.Kind(); k != Object && k != Absent {
		return Value{}
	}
	old := v.Members()
	i, found := findMember(old, name)
	members := make([]Member, 0, len(old)+1)
	members = append(append(members, old[:i]...), Member{name, member})
	if found {
		i++
	}
	return object(append(members, old[i:]...))
}

// object returns the object that has these members, which are in canonical
// order and sealed.
func object(members []Member) Value {
	n := container(Object, contents{members: members})
	seal(n, 0)
	return Value{n}
}

// Equal reports whether v and w are the same JSON value: whether their
// canonical bytes are equal.
func (v Value) Equal(w Value) bool {
	return v.n == w.n || v.n != nil && w.n != nil && bytes.Equal(v.n.canonical, w.n.canonical)
}

// MarshalJSON implements json.Marshaler; an absent value is written as null.
func (v Value) MarshalJSON() ([]byte, error) {
	if v.IsZero() {
		return []byte("null"), nil
	}
	return bytes.Clone(v.n.canonical), nil
}

// UnmarshalJSON implements json.Unmarshaler by Parse.
func (v *Value) UnmarshalJSON(data []byte) error {
	parsed, err := Parse(data)
	if err != nil {
		return err
	}
	*v = parsed
	return nil
}
