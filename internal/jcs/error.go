package jcs

import (
	"fmt"
	"strconv"
	"strings"
)

// Reason codes of Error. They are part of the protocol and never change.
const (
	reasonSize      = "json-size"           // more than MaxSize bytes
	reasonDepth     = "json-depth"          // nested deeper than MaxDepth
	reasonSyntax    = "json-syntax"         // not JSON (RFC 8259)
	reasonTrailing  = "json-trailing-data"  // something follows the value
	reasonUTF8      = "json-utf8"           // not UTF-8 (RFC 7493 §2.1)
	reasonSurrogate = "json-surrogate"      // half of a surrogate pair (RFC 7493 §2.1)
	reasonNonchar   = "json-noncharacter"   // U+FFFE and its like (RFC 7493 §2.1)
	reasonDuplicate = "json-duplicate-name" // two equal names in one object (RFC 7493 §2.3)
	reasonNumber    = "json-number"         // a number that a double does not keep (RFC 7493 §2.2); in documents: no integer
	reasonNotObject = "json-not-object"     // a document that is not an object
	reasonNull      = "json-null"           // null in a document
	reasonEmpty     = "json-empty"          // an empty array or object in a document
	reasonNotNFC    = "json-not-nfc"        // text in a document that is not in Unicode Normalization Form C
	reasonCase      = "json-case-variant"   // two names in one object of a document that differ in case only

	reasonUnknown     = "member-unknown"   // a member that the type does not have
	reasonMissing     = "member-missing"   // a required member is absent
	reasonType        = "member-type"      // another JSON type than expected
	reasonRange       = "member-range"     // an integer outside the range of its type
	reasonValue       = "member-value"     // refused by the type's own UnmarshalJCS or MarshalJCS
	reasonUnsupported = "type-unsupported" // a Go type that this package cannot read or write

	reasonEncoding = "encoding-invalid" // not the one spelling of a multibase string or digest
)

// An Error says why bytes or a value were refused and where. It repeats member
// names of the input (in Pointer) but never values.
type Error struct {
	Reason  string // stable code, kebab-case
	Pointer string // RFC 6901 JSON Pointer of the place; "" is the whole document
	Offset  int    // byte offset in the input, in errors of Parse and ParseDocument; else 0
	Detail  string // a sentence part for people; not stable

	cause error
}

// Error returns reason, place and detail in one line.
func (e *Error) Error() string {
	s := e.Reason
	if e.Pointer != "" {
		s += " at " + strconv.Quote(e.Pointer)
	}
	if e.Offset != 0 {
		s += fmt.Sprintf(" (byte %d)", e.Offset)
	}
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}

// Unwrap returns the error of a type's own UnmarshalJCS or MarshalJCS, if that
// is what e reports.
func (e *Error) Unwrap() error { return e.cause }

// in returns e with its pointer read from one level further out.
func (e *Error) in(name string) *Error {
	e.Pointer = "/" + escapeToken(name) + e.Pointer
	return e
}

// at is in for an element of an array.
func (e *Error) at(index int) *Error { return e.in(strconv.Itoa(index)) }

var tokenEscaper = strings.NewReplacer("~", "~0", "/", "~1")

// escapeToken writes a name as a reference token (RFC 6901 §3).
func escapeToken(name string) string { return tokenEscaper.Replace(name) }

// unescapeToken is the inverse; it refuses a tilde that escapes nothing.
func unescapeToken(token string) (string, bool) {
	if strings.IndexByte(token, '~') < 0 {
		return token, true
	}
	var b strings.Builder
	for i := 0; i < len(token); i++ {
		c := token[i]
		if c == '~' {
			i++
			if i == len(token) || token[i] != '0' && token[i] != '1' {
				return "", false
			}
			c = "~/"[token[i]-'0']
		}
		b.WriteByte(c)
	}
	return b.String(), true
}
