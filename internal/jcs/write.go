package jcs

import (
	"reflect"
	"strconv"
)

// An appender appends the canonical form of a Go value inside depth containers, without making a Value of it. It says false where ValueOf
// would refuse, which then says why, and where it cannot tell.
type appender func(dst []byte, from reflect.Value, depth int) ([]byte, bool)

// appenderOf is how a codec's values are written: as its own, or as what it encodes.
func (c *codec) appenderOf() appender {
	if c.write != nil {
		return c.write
	}
	return func(dst []byte, from reflect.Value, depth int) ([]byte, bool) {
		n, err := c.encode(from)
		if err != nil || checkProfile(n, depth) != nil {
			return nil, false
		}
		if n.canonical == nil {
			seal(n, 0)
		}
		return append(dst, n.canonical...), true
	}
}

func writeString(dst []byte, from reflect.Value, _ int) ([]byte, bool) {
	text := from.String()
	if checkDocumentText(text) != nil {
		return nil, false
	}
	return appendQuoted(dst, text), true
}

func writeText(dst []byte, from reflect.Value, _ int) ([]byte, bool) {
	text := textOf(from)
	if checkDocumentText(text) != nil {
		return nil, false
	}
	return appendQuoted(dst, text), true
}

func writeInt(dst []byte, from reflect.Value, _ int) ([]byte, bool) {
	i := from.Int()
	return strconv.AppendInt(dst, i, 10), -MaxInt <= i && i <= MaxInt
}

func writeSlice(elem *codec, dst []byte, from reflect.Value, depth int) (_ []byte, ok bool) {
	if depth == MaxDepth || from.Len() == 0 {
		return nil, false
	}
	write, next := elem.appenderOf(), byte('[')
	for i := range from.Len() {
		if dst, ok = write(append(dst, next), from.Index(i), depth+1); !ok {
			return nil, false
		}
		next = ','
	}
	return append(dst, ']'), true
}

func writeStruct(fields []field, dst []byte, from reflect.Value, depth int) (_ []byte, ok bool) {
	if depth == MaxDepth {
		return nil, false
	}
	next := byte('{')
	for i := range fields {
		f := &fields[i]
		v := f.in(from)
		if f.optional && f.isEmpty(v) {
			continue
		}
		dst = append(append(append(dst, next), f.quoted...), ':')
		if dst, ok = f.appenderOf()(dst, v, depth+1); !ok {
			return nil, false
		}
		next = ','
	}
	return append(dst, '}'), next == ',' // an object without members is none
}

// writable says whether names can stand in a document together, whatever their values are.
func writable(fields []field) bool {
	var members []Member
	for _, f := range fields {
		members = append(members, Member{f.name, Value{&node{kind: Null}}})
		if checkDocumentText(f.name) != nil {
			return false
		}
	}
	return checkCase(members) == nil
}
