package rule

import (
	"regexp"
	"strings"
)

// maxTypeLength limits action types and patterns, in bytes.
const maxTypeLength = 128

var typeForm = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$`)

// ValidType reports whether s is an action type (documents.md section 1) of at most 128 bytes.
func ValidType(s string) bool { return len(s) <= maxTypeLength && typeForm.MatchString(s) }

// ValidPattern reports whether s may stand among a mandate's actions: a type, or a type followed by ".*".
func ValidPattern(s string) bool {
	return len(s) <= maxTypeLength && ValidType(strings.TrimSuffix(s, ".*"))
}

// MatchAction reports whether the pattern covers the action type: byte for byte, or, where it ends with ".*", by one
// or more whole segments more. An invalid pattern or type matches nothing.
func MatchAction(pattern, actionType string) bool {
	if !ValidPattern(pattern) || !ValidType(actionType) {
		return false
	}
	if stem, open := strings.CutSuffix(pattern, "*"); open {
		return strings.HasPrefix(actionType, stem) // stem ends with a point, and a type never does
	}
	return pattern == actionType
}

// CoversPattern reports whether every type that inner matches is matched by outer.
func CoversPattern(outer, inner string) bool {
	if !ValidPattern(outer) || !ValidPattern(inner) {
		return false
	}
	if stem, open := strings.CutSuffix(outer, "*"); open {
		return strings.HasPrefix(inner, stem)
	}
	return outer == inner
}
