package jcs

import "reflect"

// Exact reports that v was read as Writ's profile and is what ValueOf writes of from, into which v was decoded: that no optional
// member says nothing ("", 0, false), and that types of their own form write what they read. It writes nothing but these, so it is
// far cheaper than ValueOf and Equal. False may mean that it cannot tell: then ask those.
func (v Value) Exact(from any) bool {
	of := reflect.ValueOf(from)
	if v.n == nil || !v.n.strict || of.Kind() != reflect.Pointer || of.IsNil() {
		return false
	}
	return codecOf(of.Type().Elem()).isExact(v, of.Elem())
}

// DecodeWithout is Decode of v.Without(names...), and then Exact of it, which is not written for either.
func (v Value) DecodeWithout(into any, names ...string) (exact bool, err error) {
	target := reflect.ValueOf(into)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		return false, &Error{Reason: reasonUnsupported, Detail: "DecodeWithout wants a pointer"}
	}
	var rest Value
	if v.Kind() == Object {
		kept := v.keep(names)
		rest.n = container(Object, contents{members: kept})
		rest.n.strict = v.n.strict && len(kept) > 0
	}
	c, failure := rest.decode(target.Elem())
	if failure != nil {
		return false, failure
	}
	return rest.n.strict && c.isExact(rest, target.Elem()), nil
}

func (c *codec) isExact(v Value, from reflect.Value) bool { return c.exact == nil || c.exact(v, from) }

func exactSlice(elem *codec, v Value, from reflect.Value) bool {
	if len(v.n.elements) != from.Len() {
		return false
	}
	for i, e := range v.n.elements {
		if !elem.isExact(e, from.Index(i)) {
			return false
		}
	}
	return true
}

func exactMap(elem *codec, v Value, from reflect.Value) bool {
	if elem.exact == nil {
		return from.Len() == len(v.n.members)
	}
	for _, m := range v.n.members {
		e := from.MapIndex(reflect.ValueOf(m.Name).Convert(from.Type().Key()))
		if !e.IsValid() || !elem.exact(m.Value, e) {
			return false
		}
	}
	return true
}

// exactStruct walks fields and members together, as decodeStruct does.
func exactStruct(fields []field, v Value, from reflect.Value) bool {
	members := v.n.members
	for _, f := range fields {
		if len(members) == 0 || members[0].Name != f.name {
			continue
		}
		inside := f.in(from)
		if f.optional && f.isEmpty(inside) || !f.isExact(members[0].Value, inside) {
			return false
		}
		members = members[1:]
	}
	return len(members) == 0
}

// exactItself compares what the type writes.
func exactItself(encode func(reflect.Value) (*node, *Error)) func(Value, reflect.Value) bool {
	return func(v Value, from reflect.Value) bool {
		n, err := encode(from)
		if err != nil {
			return false
		}
		seal(n, 0)
		return v.Equal(Value{n})
	}
}
