package jcs

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"
)

// plain marks the bytes that stand for themselves in a JSON string, in ASCII.
var plain = func() (t [256]bool) {
	for c := 0x20; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// allPlain reports whether eight bytes are all plain: none has its high bit set or is below 0x20, a quotation mark or a backslash.
// A byte is zero exactly where taking 1 away borrows from its high bit, which it did not have; only a borrow from a byte below
// can say so wrongly, and that byte has said so before.
func allPlain(eight uint64) bool {
	const each, high = 0x0101010101010101, 0x8080808080808080
	quote, backslash := eight^each*'"', eight^each*'\\'
	return (eight|(eight-each*0x20)|(quote-each)|(backslash-each))&high == 0
}

// text reads the string that starts at pos, a quotation mark.
func (p *parser) text() (string, *Error) {
	start := p.pos + 1
	i := start
	for i+8 <= len(p.raw) && allPlain(binary.LittleEndian.Uint64(p.raw[i:])) {
		i += 8
	}
	for i < len(p.src) && plain[p.src[i]] {
		i++
	}
	if i < len(p.src) && p.src[i] == '"' {
		p.pos = i + 1
		return p.src[start:i], nil
	}
	return p.richText(start, i)
}

// richText is text for strings that are not plain ASCII: it has read from start
// to i and found nothing special so far.
func (p *parser) richText(start, i int) (string, *Error) {
	escaped := false
	for ; ; i++ {
		if i >= len(p.src) || p.src[i] < 0x20 {
			return "", p.fail(reasonSyntax, min(i, len(p.src)), "string not closed, or a control character in it")
		}
		if p.src[i] == '"' {
			break
		}
		if p.src[i] == '\\' {
			escaped = true
			i++
		}
	}
	text := p.src[start:i]
	p.pos = i + 1
	if !utf8.ValidString(text) {
		return "", p.fail(reasonUTF8, start, "not UTF-8")
	}
	if escaped {
		decoded, canonical, err := p.unescape(start, i)
		if err != nil {
			return "", err
		}
		if !canonical {
			p.rewrites++
		}
		text = decoded
	}
	return text, p.checkText(text, start)
}

// checkText refuses noncharacters and, in documents, text that is not in NFC.
func (p *parser) checkText(text string, offset int) *Error {
	if hasNoncharacter(text) {
		return p.fail(reasonNonchar, offset, "Unicode noncharacter")
	}
	if p.profile && !isNFC(text) {
		return p.fail(reasonNotNFC, offset, "not in Normalization Form C")
	}
	return nil
}

// hasNoncharacter reports whether valid UTF-8 text has a code point that Unicode
// reserves for ever: U+FDD0..U+FDEF and the last two of each plane.
func hasNoncharacter(text string) bool {
	for _, r := range text {
		if r >= 0xFDD0 && (r <= 0xFDEF || r&0xFFFE == 0xFFFE) {
			return true
		}
	}
	return false
}

// unescape decodes the escapes of src[start:end], the inside of a string, and says whether each is as appendQuoted writes it.
func (p *parser) unescape(start, end int) (decoded string, canonical bool, err *Error) {
	out := make([]byte, 0, end-start)
	canonical = true
	for i := start; i < end; {
		next := strings.IndexByte(p.src[i:end], '\\')
		if next < 0 {
			out = append(out, p.src[i:end]...)
			break
		}
		out = append(out, p.src[i:i+next]...)
		i += next
		r, length, reason := unescapeOne(p.src[i:end])
		if reason != "" {
			return "", false, p.fail(reason, i, "bad escape")
		}
		canonical = canonical && isEscape(p.src[i:i+length], r)
		out = utf8.AppendRune(out, r)
		i += length
	}
	return string(out), canonical, nil
}

// isEscape reports whether appendQuoted writes r so.
func isEscape(s string, r rune) bool {
	if r >= utf8.RuneSelf || plain[r] {
		return false
	}
	var room [6]byte
	return string(appendEscape(room[:0], byte(r))) == s
}

// unescapeOne decodes the escape at the start of s (RFC 8259 §7) and returns the
// character with the escape's length, or the reason to refuse it.
func unescapeOne(s string) (r rune, length int, reason string) {
	if len(s) < 2 {
		return 0, 0, reasonSyntax
	}
	if s[1] != 'u' {
		i := strings.IndexByte(`"\/bfnrt`, s[1])
		if i < 0 {
			return 0, 0, reasonSyntax
		}
		return rune("\"\\/\b\f\n\r\t"[i]), 2, ""
	}
	high, ok := hex4(s)
	switch {
	case !ok:
		return 0, 0, reasonSyntax
	case high < 0xD800 || high > 0xDFFF:
		return high, 6, ""
	}
	low, ok := hex4(s[6:])
	if high > 0xDBFF || !ok || low < 0xDC00 || low > 0xDFFF {
		return 0, 0, reasonSurrogate
	}
	return 0x10000 + (high-0xD800)<<10 + low - 0xDC00, 12, ""
}

// hex4 reads an escape of the form \uXXXX at the start of s.
func hex4(s string) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range []byte(s[2:6]) {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// appendQuoted appends valid text as RFC 8785 §3.2.2.2 writes it: only what must
// be escaped is, the shortest way, with lower-case hexadecimal digits.
func appendQuoted(dst []byte, text string) []byte {
	dst = append(dst, '"')
	done := 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		if plain[c] || c >= utf8.RuneSelf {
			continue
		}
		dst = appendEscape(append(dst, text[done:i]...), c)
		done = i + 1
	}
	return append(append(dst, text[done:]...), '"')
}

func appendEscape(dst []byte, c byte) []byte {
	if i := strings.IndexByte("\"\\\b\f\n\r\t", c); i >= 0 {
		return append(dst, '\\', `"\bfnrt`[i])
	}
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}

// compareNames orders names by their UTF-16 code units (RFC 8785 §3.2.3). In
// UTF-8 that is the order of bytes, except that a character beyond U+FFFF (lead
// byte F0 to F4) comes before U+E000..U+FFFF (lead byte EE or EF), since its
// first code unit is a surrogate.
func compareNames(a, b string) int {
	for i := 0; i < len(a) && i < len(b); i++ {
		if a[i] != b[i] {
			return int(utf16Rank(a[i])) - int(utf16Rank(b[i]))
		}
	}
	return len(a) - len(b)
}
