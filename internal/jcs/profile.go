package jcs

import (
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// isNFC reports whether valid text is in Normalization Form C, as ASCII always is.
func isNFC(text string) bool { return norm.NFC.IsNormalString(text) }

// smallObject is the number of members up to which comparing every pair of names
// is cheaper than a set.
const smallObject = 24

// checkCase refuses two members, in canonical order and distinct, whose names
// are equal in lower case: a reader that folds case takes them for one.
func checkCase(members []Member) *Error {
	if !slices.ContainsFunc(members, func(m Member) bool { return !isLower(m.Name) }) {
		return nil
	}
	clash := clashInPairs
	if len(members) > smallObject || slices.ContainsFunc(members, func(m Member) bool { return !isASCII(m.Name) }) {
		clash = clashInSet
	}
	if i := clash(members); i >= 0 {
		m := members[i]
		return (&Error{Reason: reasonCase, Offset: int(m.Value.n.offset), Detail: "another name differs in case only"}).in(m.Name)
	}
	return nil
}

// clashInPairs returns the index of the first member whose name is, in lower
// case, that of a member before it, or -1. Names are ASCII.
func clashInPairs(members []Member) int {
	for i := range members {
		for j := range i {
			if equalLower(members[i].Name, members[j].Name) {
				return i
			}
		}
	}
	return -1
}

// clashInSet is clashInPairs for any names and any number of them.
func clashInSet(members []Member) int {
	seen := make(map[string]bool, len(members))
	for i, m := range members {
		lower := strings.ToLower(m.Name)
		if seen[lower] {
			return i
		}
		seen[lower] = true
	}
	return -1
}

// equalLower reports whether two ASCII names are equal in lower case.
func equalLower(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if toLower(a[i]) != toLower(b[i]) {
			return false
		}
	}
	return true
}

func toLower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// isLower reports whether name is ASCII without capital letters, so that no
// other such name differs from it in case only.
func isLower(name string) bool {
	for i := 0; i < len(name); i++ {
		if c := name[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return true
}

// checkProfile refuses what ParseDocument refuses inside a document, in a value
// that was not parsed as one. depth is the number of containers around n.
func checkProfile(n *node, depth int) *Error {
	switch n.kind {
	case Null:
		return &Error{Reason: reasonNull, Detail: "null"}
	case Number:
		if !isSafeInteger(n.text) {
			return &Error{Reason: reasonNumber, Detail: "not an integer within 2^53"}
		}
	case String:
		return checkDocumentText(n.text)
	case Array, Object:
		if depth == MaxDepth {
			return &Error{Reason: reasonDepth, Detail: "nested too deep"}
		}
		if len(n.members)+len(n.elements) == 0 {
			return &Error{Reason: reasonEmpty, Detail: "empty " + n.kind.String()}
		}
		return checkContents(n, depth+1)
	}
	return nil
}

func checkContents(n *node, depth int) *Error {
	for i, v := range n.elements {
		if err := checkProfile(v.n, depth); err != nil {
			return err.at(i)
		}
	}
	for _, m := range n.members {
		if err := checkDocumentText(m.Name); err != nil {
			return err.in(m.Name)
		}
		if err := checkProfile(m.Value.n, depth); err != nil {
			return err.in(m.Name)
		}
	}
	return checkCase(n.members)
}

// checkDocumentText refuses Go strings that no document can hold.
func checkDocumentText(text string) *Error {
	switch {
	case isASCII(text):
		return nil
	case !utf8.ValidString(text):
		return &Error{Reason: reasonUTF8, Detail: "not UTF-8"}
	case hasNoncharacter(text):
		return &Error{Reason: reasonNonchar, Detail: "Unicode noncharacter"}
	case !isNFC(text):
		return &Error{Reason: reasonNotNFC, Detail: "not in Normalization Form C"}
	}
	return nil
}
