package jcs

import (
	"math"
	"strconv"
)

// number reads a number (RFC 8259 §6).
func (p *parser) number() (*node, *Error) {
	start := p.pos
	integer, ok := p.scanNumber()
	if !ok {
		return nil, p.syntax("no value")
	}
	literal := p.src[start:p.pos]
	n := p.node(Number, start)
	if integer && len(literal) <= 15 && literal != "-0" {
		n.text = literal
		p.share(n)
		return n, nil
	}
	text, ok := canonicalNumber(literal, integer)
	if !ok || p.profile && (!integer || literal == "-0" || !isSafeInteger(text)) {
		return nil, p.fail(reasonNumber, start, "not a number that every reader keeps")
	}
	n.text = text
	if text == literal {
		p.share(n)
	} else {
		p.rewrites++
	}
	return n, nil
}

// scanNumber moves pos behind a number and says whether it has neither fraction
// nor exponent.
func (p *parser) scanNumber() (integer, ok bool) {
	if p.peek() == '-' {
		p.pos++
	}
	if p.peek() == '0' {
		p.pos++
	} else if !p.digits() {
		return false, false
	}
	integer = true
	if p.peek() == '.' {
		p.pos++
		if integer = false; !p.digits() {
			return false, false
		}
	}
	if p.peek()|0x20 == 'e' {
		p.pos++
		if p.peek() == '+' || p.peek() == '-' {
			p.pos++
		}
		if integer = false; !p.digits() {
			return false, false
		}
	}
	return integer, true
}

func (p *parser) digits() bool {
	start := p.pos
	for c := p.peek(); '0' <= c && c <= '9'; c = p.peek() {
		p.pos++
	}
	return p.pos > start
}

// canonicalNumber returns the ECMAScript form of a literal (RFC 8785 §3.2.2.3).
// It refuses infinity, and an integer whose digits would change: 2^53 + 1 would
// come back as 2^53.
func canonicalNumber(literal string, integer bool) (string, bool) {
	f, err := strconv.ParseFloat(literal, 64)
	if err != nil {
		return "", false
	}
	text := string(appendNumber(nil, f))
	return text, !integer || text == literal || literal == "-0"
}

// appendNumber appends a finite double as ECMAScript's Number::toString does:
// the shortest digits that read back as f, with an exponent outside 1e-6..1e21.
func appendNumber(dst []byte, f float64) []byte {
	if f == 0 {
		return append(dst, '0') // also for -0
	}
	if a := math.Abs(f); a >= 1e-6 && a < 1e21 {
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	if n := len(dst); dst[n-2] == '0' && dst[n-3] == '-' { // e-09 is e-9
		dst = append(dst[:n-2], dst[n-1])
	}
	return dst
}

// isSafeInteger reports whether canonical text is an integer of at most MaxInt
// in magnitude.
func isSafeInteger(text string) bool {
	i, err := strconv.ParseInt(text, 10, 64)
	return err == nil && -MaxInt <= i && i <= MaxInt
}
