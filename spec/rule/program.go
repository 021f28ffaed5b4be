package rule

import (
	"math/bits"
	"strconv"
	"strings"
)

// Bounds of a pattern.
const (
	maxPattern = 128 // bytes
	maxRepeat  = 64
	maxStates  = 512 // of its program, the accepting one included
)

// item is one part of a pattern: characters of a set, least to most of them.
type item struct {
	set         charset
	source      string // the character, or the class with its brackets
	class       bool
	least, most int
}

// charset is a set of ASCII characters.
type charset [2]uint64

func (s *charset) add(c byte)     { s[c>>6] |= 1 << (c & 63) }
func (s charset) has(c byte) bool { return c < 128 && s[c>>6]>>(c&63)&1 == 1 }

const (
	metaCharacters = `\[]{}()|?*+.^$`
	escapable      = metaCharacters + `-`
)

// patternReader reads the text of a pattern from the left.
type patternReader struct{ text, rest string }

func (r *patternReader) fail(detail string) error {
	return refuse(ReasonPatternInvalid, "/matches", "at byte "+strconv.Itoa(len(r.text)-len(r.rest))+": "+detail)
}

// next takes one character; 0 at the end.
func (r *patternReader) next() byte {
	if r.rest == "" {
		return 0
	}
	c := r.rest[0]
	r.rest = r.rest[1:]
	return c
}

func (r *patternReader) take(c byte) bool {
	if r.rest == "" || r.rest[0] != c {
		return false
	}
	r.rest = r.rest[1:]
	return true
}

// parseItems reads a pattern; the grammar stands at type pattern.
func parseItems(text string) ([]item, error) {
	r := &patternReader{text, text}
	if text == "" || len(text) > maxPattern {
		return nil, r.fail("a pattern has 1 to " + strconv.Itoa(maxPattern) + " bytes")
	}
	var items []item
	for r.rest != "" {
		it, err := r.atom()
		if err != nil {
			return nil, err
		}
		if err := r.repeat(&it); err != nil {
			return nil, err
		}
		items = append(items, it)
	}
	return items, nil
}

func (r *patternReader) atom() (it item, err error) {
	it.least, it.most = 1, 1
	if r.take('[') {
		return r.class(it)
	}
	c, err := r.character(metaCharacters)
	it.set.add(c & 127)
	it.source = string(rune(c))
	return it, err
}

// character takes one that stands for itself: not one of the reserved, or escaped.
func (r *patternReader) character(reserved string) (byte, error) {
	c := r.next()
	switch {
	case c < ' ' || c > '~':
		return 0, r.fail("a printable ASCII character must stand here")
	case c == '\\':
		if c = r.next(); c == 0 || strings.IndexByte(escapable, c) < 0 {
			return 0, r.fail("only " + escapable + " are escaped")
		}
	case strings.IndexByte(reserved, c) >= 0:
		return 0, r.fail("this character has no meaning here; escape it if it stands for itself")
	}
	return c, nil
}

func (r *patternReader) class(it item) (item, error) {
	begin := len(r.text) - len(r.rest) - 1
	for it.class = true; !r.take(']'); {
		if err := r.part(&it.set); err != nil {
			return it, err
		}
	}
	if it.set == (charset{}) {
		return it, r.fail("a class has a character")
	}
	it.source = r.text[begin : len(r.text)-len(r.rest)]
	return it, nil
}

// part reads a character of a class, or a range within A–Z, a–z or 0–9.
func (r *patternReader) part(set *charset) error {
	from, err := r.character(`\[]^-`)
	if err != nil {
		return err
	}
	to := from
	if r.take('-') {
		to = r.next()
		if alphabet(from) == 0 || alphabet(from) != alphabet(to) || from >= to {
			return r.fail("a range is within A-Z, a-z or 0-9, and rises")
		}
	}
	for ; from <= to; from++ {
		set.add(from)
	}
	return nil
}

// alphabet tells the three in which ranges are allowed; 0 is none of them.
func alphabet(c byte) byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return 'A'
	case 'a' <= c && c <= 'z':
		return 'a'
	case '0' <= c && c <= '9':
		return '0'
	}
	return 0
}

func (r *patternReader) repeat(it *item) error {
	if r.take('?') {
		it.least = 0
		return nil
	}
	if !r.take('{') {
		return nil
	}
	var ok bool
	if it.least, ok = r.number(); !ok {
		return r.fail("a count is 0 to " + strconv.Itoa(maxRepeat) + ", without leading zeros")
	}
	it.most = it.least
	if r.take(',') {
		if it.most, ok = r.number(); !ok || it.most <= it.least {
			return r.fail("the second count is above the first, at most " + strconv.Itoa(maxRepeat))
		}
	}
	if it.most == 0 || !r.take('}') {
		return r.fail("a count is {n} or {n,m}, above zero")
	}
	return nil
}

func (r *patternReader) number() (int, bool) {
	end := 0
	for end < len(r.rest) && end < 3 && '0' <= r.rest[end] && r.rest[end] <= '9' {
		end++
	}
	digits := r.rest[:end]
	r.rest = r.rest[end:]
	n, err := strconv.Atoi(digits)
	return n, err == nil && n <= maxRepeat && strconv.Itoa(n) == digits
}

// program recognises a pattern: state i has read what the first i characters of the pattern, written out, stand for.
// All states are stepped at once, as bits, so a text costs the same whatever the pattern: one step a character.
type program struct {
	length   int        // of the pattern written out with every item as often as it may be; also the accepting state
	words    int        // of 64 states each
	follow   [][]uint64 // by character: the states that may read it
	optional []uint64   // the states that may go on without reading
}

type states [maxStates / 64]uint64

func compile(items []item) (program, error) {
	p := program{}
	for _, it := range items {
		p.length += it.most
	}
	if p.length >= maxStates {
		return program{}, refuse(ReasonPatternInvalid, "/matches", "the pattern admits more than "+strconv.Itoa(maxStates-1)+" characters")
	}
	p.words = p.length/64 + 1
	p.optional = make([]uint64, p.words)
	p.follow = make([][]uint64, 128)
	state := 0
	for _, it := range items {
		for n := range it.most {
			p.allow(state, it, n >= it.least)
			state++
		}
	}
	return p, nil
}

func (p *program) allow(state int, it item, optional bool) {
	bit := uint64(1) << (state & 63)
	if optional {
		p.optional[state>>6] |= bit
	}
	for c := range byte(128) {
		if !it.set.has(c) {
			continue
		}
		if p.follow[c] == nil {
			p.follow[c] = make([]uint64, p.words)
		}
		p.follow[c][state>>6] |= bit
	}
}

// match reports whether the whole text has the form.
func (p *program) match(text string) bool {
	if len(text) > p.length {
		return false
	}
	var s states
	s[0] = 1
	p.skip(&s)
	for i := range len(text) {
		if c := text[i]; c >= 128 || p.follow[c] == nil {
			return false
		}
		p.step(&s, p.follow[text[i]])
		p.skip(&s)
	}
	return s[p.length>>6]>>(p.length&63)&1 == 1
}

// step moves the states that read the character on by one.
func (p *program) step(s *states, follow []uint64) {
	var carry uint64
	for w := range p.words {
		moved := s[w] & follow[w]
		s[w] = moved<<1 | carry
		carry = moved >> 63
	}
}

// skip adds the states that are reached without reading. Where a state is in a row of optional ones, adding it to the
// row carries through all that follow and one beyond: those are the bits that the addition changes.
func (p *program) skip(s *states) {
	var carry uint64
	for w := range p.words {
		row := p.optional[w]
		var sum uint64
		sum, carry = bits.Add64(row, s[w]&row, carry)
		s[w] |= sum ^ row
	}
}
