package rule

import (
	"strconv"
	"strings"
)

// The forms of texts. They are read byte by byte: a mandate has dozens of them, and each is read again with it.

// A byteSet says which bytes a form admits.
type byteSet [256]bool

func bytesOf(chars string) (set byteSet) {
	for _, c := range []byte(chars) {
		set[c] = true
	}
	return set
}

const (
	capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	smalls   = "abcdefghijklmnopqrstuvwxyz"
	digits   = "0123456789"
)

var (
	digit      = bytesOf(digits)
	small      = bytesOf(smalls)
	letter     = bytesOf(capitals + smalls)
	idByte     = bytesOf(smalls + digits + "-")
	bareByte   = bytesOf(capitals + smalls + digits + ":._/-")
	memberByte = bytesOf(capitals + smalls + digits + "_.-")
)

// spans says whether s is not empty and all of the set.
func (set *byteSet) spans(s string) bool { return s != "" && set.prefix(s) == len(s) }

// prefix is how many bytes at the start of s are of the set.
func (set *byteSet) prefix(s string) int {
	for i := range len(s) {
		if !set[s[i]] {
			return i
		}
	}
	return len(s)
}

// idText is isID as a regular expression, for schemas and people.
const idText = "^[a-z][a-z0-9-]{0,31}$"

func isID(s string) bool { return len(s) <= 32 && idByte.spans(s) && small[s[0]] }

// isBare says what needs no quotes: identifiers with a scheme, which no reader takes for words of the sentence.
func isBare(s string) bool {
	scheme, rest, ok := strings.Cut(s, ":")
	return ok && small.spans(scheme) && bareByte.spans(rest)
}

// cutAmount splits a value of protocol.md 2.2 at its point: 1 to 15 digits without a zero in front of others, and 0 or 1 to 4 more.
// How many these must be is the currency's to say.
func cutAmount(s string) (whole, fraction string, ok bool) {
	whole, fraction, point := strings.Cut(s, ".")
	ok = digit.spans(whole) && len(whole) <= 15 && (whole[0] != '0' || whole == "0")
	if point {
		ok = ok && digit.spans(fraction) && len(fraction) <= 4
	}
	return whole, fraction, ok
}

// parseDigits reads the digits before and after a point as one integer.
func parseDigits(whole, fraction string) (int64, error) {
	var room [32]byte
	return strconv.ParseInt(string(append(append(room[:0], whole...), fraction...)), 10, 64)
}

// isPointer says whether p is an RFC 6901 pointer to a member of an object, of objects only: no token is empty, or an array's.
func isPointer(p string) bool {
	for p != "" {
		if p[0] != '/' {
			return false
		}
		token, rest := p[1:], ""
		if i := strings.IndexByte(token, '/'); i >= 0 {
			token, rest = token[:i], token[i:]
		}
		if !isMemberToken(token) {
			return false
		}
		if p = rest; p == "" {
			return true
		}
	}
	return false
}

// isMemberToken refuses what is empty, what could be an array's index, and a tilde that escapes nothing.
func isMemberToken(token string) bool {
	if token == "" || token == "-" || digit.spans(token) {
		return false
	}
	for i := strings.IndexByte(token, '~'); i >= 0; i = strings.IndexByte(token, '~') {
		if i+1 == len(token) || token[i+1] != '0' && token[i+1] != '1' {
			return false
		}
		token = token[i+2:]
	}
	return true
}

// isPlainPointer says which pointers need no quotes.
func isPlainPointer(p string) bool {
	tokens, ok := strings.CutPrefix(p, "/")
	for more := ok; more; {
		var token string
		token, tokens, more = strings.Cut(tokens, "/")
		ok = ok && memberByte.spans(token)
	}
	return ok
}

// isClock says whether s is a time of the day, 00:00 to 24:00.
func isClock(s string) bool {
	return len(s) == 5 && s[2] == ':' && digit.spans(s[:2]) && digit.spans(s[3:]) && s[3] < '6' && (s < endOfDay || s == endOfDay)
}

// cityOf is the city of a zone that is named after one that people know it by.
func cityOf(zone string) (city string, ok bool) {
	area, city, _ := strings.Cut(zone, "/")
	switch area {
	case "Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific":
	default:
		return "", false
	}
	n := letter.prefix(city)
	ok = n > 1 && city[0] <= 'Z'
	for rest := city[n:]; ok && rest != ""; rest = rest[1+n:] {
		n = letter.prefix(rest[1:])
		ok = (rest[0] == '_' || rest[0] == '-') && n > 0
	}
	return city, ok
}
