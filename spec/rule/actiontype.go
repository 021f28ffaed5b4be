package rule

import "strings"

// maxTypeLength limits action types and patterns, in bytes.
const maxTypeLength = 128

// ValidType reports whether s is an action type (protocol.md 2.4): segments of small letters, digits and
// underscores that begin with a letter, joined by points, at most 128 bytes.
func ValidType(s string) bool {
	if len(s) > maxTypeLength {
		return false
	}
	first := true // of a segment
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z':
			first = false
		case !first && ('0' <= c && c <= '9' || c == '_'):
		case !first && c == '.':
			first = true
		default:
			return false
		}
	}
	return !first
}

// ValidPattern reports whether s may stand among a mandate's actions: a type, or a type followed by ".*".
func ValidPattern(s string) bool {
	return len(s) <= maxTypeLength && ValidType(strings.TrimSuffix(s, ".*"))
}

// MatchAction reports whether the pattern covers the action type: byte for byte, or, where it ends with ".*", by one
// or more whole segments more. An invalid pattern or type matches nothing.
func MatchAction(pattern, actionType string) bool {
	return covers(pattern, actionType) && ValidPattern(pattern) && ValidType(actionType)
}

// CoversPattern reports whether every type that inner matches is matched by outer.
func CoversPattern(outer, inner string) bool {
	return covers(outer, inner) && ValidPattern(outer) && ValidPattern(inner)
}

// covers compares bytes; of an open pattern the stem ends with a point, and a type never does.
func covers(outer, inner string) bool {
	if stem, open := strings.CutSuffix(outer, "*"); open {
		return strings.HasPrefix(inner, stem)
	}
	return outer == inner
}
