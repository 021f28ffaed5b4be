package jcs

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unsafe"
)

// Parse reads one JSON value as I-JSON (RFC 7493): UTF-8, no duplicate names,
// no lone surrogates or noncharacters, at most MaxSize bytes and MaxDepth levels.
// Numbers with fraction or exponent are allowed and get their ECMAScript form; an
// integer beyond MaxInt only if it is that form already, so that no digit is
// lost. data is not kept. The error is an *Error.
func Parse(data []byte) (Value, error) { return parse(data, false, MaxSize) }

// ParseDocument is Parse with Writ's profile: an object, with no null, no empty
// array or object, no two names in one object that differ in case only, text
// and names in NFC, and numbers written as integers of at most MaxInt in
// magnitude. Case is compared character by character after lower-casing.
func ParseDocument(data []byte) (Value, error) { return parse(data, true, MaxSize) }

// ParseBundle is ParseDocument of at most MaxBundle bytes, for a file that has many documents inside. That none of these is larger
// than MaxSize is the caller's to check.
func ParseBundle(data []byte) (Value, error) { return parse(data, true, MaxBundle) }

func parse(data []byte, profile bool, most int) (Value, error) {
	if len(data) > most {
		return Value{}, tooLarge(most, most)
	}
	p := newParser(data, profile)
	n, err := p.document()
	if err != nil {
		return Value{}, err
	}
	seal(n, len(data))
	return Value{n}, nil
}

func tooLarge(most, offset int) *Error {
	return &Error{Reason: reasonSize, Offset: offset, Detail: "more than " + strconv.Itoa(most) + " bytes"}
}

// parser reads src from pos on. Texts are parts of src and canonical bytes parts
// of raw wherever the input is canonical already, so that the common document
// costs a handful of allocations. Both are the same bytes, a copy of the input
// that nobody writes to: whoever gets canonical bytes must not modify them.
type parser struct {
	src     string
	raw     []byte // the bytes of src
	pos     int
	depth   int
	profile bool
	// rewrites counts the departures from canonical form seen so far: a value
	// in which it did not rise is its own canonical form.
	rewrites int

	nodes    []node     // free
	lists    []contents // free
	members  []Member   // of the objects being read, innermost last
	elements []Value    // of the arrays being read, innermost last

	memberRoom  []Member // free, for those that nodes keep
	elementRoom []Value
}

// keep copies a list into free room, and returns it with the room that is left.
func keep[T any](room, list []T) (kept, left []T) {
	n := len(list)
	if n == 0 {
		return nil, room
	}
	if n > len(room) {
		room = make([]T, max(n, roomOf))
	}
	copy(room, list)
	return room[:n:n], room[n:]
}

// nodesOf is how many nodes share an allocation at most: beyond 32 KiB one is far dearer.
const nodesOf = 256

// roomOf is how many members or elements share an allocation.
const roomOf = 32

func newParser(data []byte, profile bool) *parser {
	raw := bytes.Clone(data)
	return &parser{
		src: unsafe.String(unsafe.SliceData(raw), len(raw)), raw: raw, profile: profile,
		nodes:    make([]node, min(4+len(data)/28, nodesOf)),
		members:  make([]Member, 0, 32),
		elements: make([]Value, 0, 16),
	}
}

func (p *parser) fail(reason string, offset int, detail string) *Error {
	return &Error{Reason: reason, Offset: offset, Detail: detail}
}

func (p *parser) syntax(detail string) *Error { return p.fail(reasonSyntax, p.pos, detail) }

// peek returns the next byte, 0 at the end (0 is no JSON either).
func (p *parser) peek() byte {
	if p.pos < len(p.src) {
		return p.src[p.pos]
	}
	return 0
}

// space skips white space (RFC 8259 §2).
func (p *parser) space() {
	start := p.pos
	for p.pos < len(p.src) && isSpace(p.src[p.pos]) {
		p.pos++
	}
	if p.pos != start {
		p.rewrites++
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

func (p *parser) document() (*node, *Error) {
	p.space()
	if p.profile && strings.IndexByte(`["tfn-0123456789`, p.peek()) >= 0 {
		return nil, p.fail(reasonNotObject, p.pos, "a document is an object")
	}
	n, err := p.value()
	if err != nil {
		return nil, err
	}
	p.space()
	if p.pos < len(p.src) {
		return nil, p.fail(reasonTrailing, p.pos, "something follows the value")
	}
	return n, nil
}

// value reads the value that starts at pos.
func (p *parser) value() (*node, *Error) {
	switch p.peek() {
	case '{':
		return p.container(Object)
	case '[':
		return p.container(Array)
	case '"':
		return p.stringValue()
	case 't':
		return p.literal(Bool, "true")
	case 'f':
		return p.literal(Bool, "false")
	case 'n':
		return p.literal(Null, "null")
	default:
		return p.number()
	}
}

// node takes a fresh node for a value that starts at offset.
func (p *parser) node(kind Kind, offset int) *node {
	if len(p.nodes) == 0 {
		p.nodes = make([]node, min(8+(len(p.src)-p.pos)/28, nodesOf))
	}
	n := &p.nodes[0]
	p.nodes = p.nodes[1:]
	n.kind, n.strict, n.offset = kind, p.profile, int32(offset)
	return n
}

// contents takes fresh contents for a node.
func (p *parser) contents() *contents {
	if len(p.lists) == 0 {
		p.lists = make([]contents, min(4+(len(p.src)-p.pos)/128, roomOf))
	}
	c := &p.lists[0]
	p.lists = p.lists[1:]
	return c
}

// share makes the input from n's offset to pos n's canonical form.
func (p *parser) share(n *node) { n.canonical = p.raw[n.offset:p.pos:p.pos] }

func (p *parser) literal(kind Kind, word string) (*node, *Error) {
	start := p.pos
	if len(p.src)-start < len(word) || p.src[start:start+len(word)] != word {
		return nil, p.syntax("no value")
	}
	if kind == Null && p.profile {
		return nil, p.fail(reasonNull, start, "null")
	}
	n := p.node(kind, start)
	n.text = word
	p.pos += len(word)
	p.share(n)
	return n, nil
}

func (p *parser) stringValue() (*node, *Error) {
	n := p.node(String, p.pos)
	rewrites := p.rewrites
	text, err := p.text()
	if err != nil {
		return nil, err
	}
	n.text = text
	if rewrites == p.rewrites {
		p.share(n)
	}
	return n, nil
}

// container reads an array or object with its contents.
func (p *parser) container(kind Kind) (*node, *Error) {
	n := p.node(kind, p.pos)
	n.contents = p.contents()
	rewrites := p.rewrites
	p.depth++
	if p.depth > MaxDepth {
		return nil, p.fail(reasonDepth, p.pos, "nested deeper than "+strconv.Itoa(MaxDepth))
	}
	read := p.array
	if kind == Object {
		read = p.object
	}
	p.pos++
	if err := read(n); err != nil {
		return nil, err
	}
	p.depth--
	if p.profile && len(n.members)+len(n.elements) == 0 {
		return nil, p.fail(reasonEmpty, int(n.offset), "empty "+kind.String())
	}
	if rewrites == p.rewrites {
		p.share(n)
	}
	return n, nil
}

// array reads what follows '[', to and with ']'.
func (p *parser) array(n *node) *Error {
	base := len(p.elements)
	for more := !p.closes(']'); more; {
		v, err := p.value()
		if err != nil {
			return err.at(len(p.elements) - base)
		}
		p.elements = append(p.elements, Value{v})
		if more, err = p.separator(']'); err != nil {
			return err
		}
	}
	n.elements, p.elementRoom = keep(p.elementRoom, p.elements[base:])
	p.elements = p.elements[:base]
	return nil
}

// object reads what follows '{', to and with '}'.
func (p *parser) object(n *node) *Error {
	base, ordered := len(p.members), true
	for more := !p.closes('}'); more; {
		m, err := p.member()
		if err != nil {
			return err
		}
		if len(p.members) > base && compareNames(p.members[len(p.members)-1].Name, m.Name) >= 0 {
			ordered = false
		}
		p.members = append(p.members, m)
		if more, err = p.separator('}'); err != nil {
			return err
		}
	}
	n.members, p.memberRoom = keep(p.memberRoom, p.members[base:])
	p.members = p.members[:base]
	if !ordered {
		p.rewrites++
		if err := sortMembers(n.members); err != nil {
			return err
		}
	}
	if p.profile {
		return checkCase(n.members)
	}
	return nil
}

func (p *parser) member() (Member, *Error) {
	if p.peek() != '"' {
		return Member{}, p.syntax("no member name")
	}
	name, err := p.text()
	if err != nil {
		return Member{}, err
	}
	p.space()
	if p.peek() != ':' {
		return Member{}, p.syntax("no colon").in(name)
	}
	p.pos++
	p.space()
	v, err := p.value()
	if err != nil {
		return Member{}, err.in(name)
	}
	return Member{name, Value{v}}, nil
}

// closes reads the end of an array or object if it comes next.
func (p *parser) closes(end byte) bool {
	p.space()
	if p.peek() != end {
		return false
	}
	p.pos++
	return true
}

// separator reads what follows a member or element: a comma (more follows) or end.
func (p *parser) separator(end byte) (more bool, err *Error) {
	if p.closes(end) {
		return false, nil
	}
	if p.peek() != ',' {
		return false, p.syntax("no comma or closing bracket")
	}
	p.pos++
	p.space()
	return true, nil
}

// sortMembers puts members in canonical order (RFC 8785 §3.2.3) and refuses
// equal names (RFC 7493 §2.3).
func sortMembers(members []Member) *Error {
	slices.SortFunc(members, func(a, b Member) int { return compareNames(a.Name, b.Name) })
	for i := 1; i < len(members); i++ {
		a, b := members[i-1], members[i]
		if repeated(a, b) {
			offset := int(max(a.Value.n.offset, b.Value.n.offset))
			return (&Error{Reason: reasonDuplicate, Offset: offset, Detail: "the name occurs twice"}).in(b.Name)
		}
	}
	return nil
}

// seal gives n, and everything in it that has none, its canonical bytes. size is
// a guess at their number.
func seal(n *node, size int) {
	if n.canonical == nil {
		appendCanonical(make([]byte, 0, max(size, sizeHint(n))), n)
	}
}

// sizeHint is the canonical length of an object whose members are sealed, and of most texts.
func sizeHint(n *node) int {
	if n.contents == nil {
		return len(n.text) + 2
	}
	size := 2
	for _, m := range n.members {
		size += len(m.Name) + len(m.Value.n.canonical) + 4
	}
	return size
}

// appendCanonical appends n and makes what it appended n's canonical form. A
// sealed node is copied and not written to: others may be reading it.
func appendCanonical(dst []byte, n *node) []byte {
	if n.canonical != nil {
		return append(dst, n.canonical...)
	}
	start := len(dst)
	switch n.kind {
	case Object:
		dst = appendMembers(dst, n.members)
	case Array:
		dst = appendElements(dst, n.elements)
	case String:
		dst = appendQuoted(dst, n.text)
	default:
		dst = append(dst, n.text...)
	}
	n.canonical = dst[start:len(dst):len(dst)]
	return dst
}

func appendMembers(dst []byte, members []Member) []byte {
	dst = append(dst, '{')
	for i, m := range members {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendQuoted(dst, m.Name), ':')
		dst = appendCanonical(dst, m.Value.n)
	}
	return append(dst, '}')
}

func appendElements(dst []byte, elements []Value) []byte {
	dst = append(dst, '[')
	for i, v := range elements {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendCanonical(dst, v.n)
	}
	return append(dst, ']')
}
