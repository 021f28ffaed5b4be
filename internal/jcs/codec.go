package jcs

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A type that reads itself from a Value implements unmarshaler, on its pointer.
type unmarshaler interface{ UnmarshalJCS(Value) error }

// A type that writes itself as a Value implements marshaler.
type marshaler interface{ MarshalJCS() (Value, error) }

// A type that writes itself as a text implements texter: in place of marshaler, with no Value in between.
type texter interface{ TextJCS() string }

// A type whose UnmarshalJCS takes nothing but what its MarshalJCS writes says so by the method OneFormJCS: Exact need not compare.
type oneForm interface{ OneFormJCS() }

// A type that knows its own zero says so as omitempty asks it.
type zeroer interface{ IsZero() bool }

var (
	valueType       = reflect.TypeFor[Value]()
	unmarshalerType = reflect.TypeFor[unmarshaler]()
	marshalerType   = reflect.TypeFor[marshaler]()
	texterType      = reflect.TypeFor[texter]()
	oneFormType     = reflect.TypeFor[oneForm]()
	zeroerType      = reflect.TypeFor[zeroer]()
)

// codec is how values of one Go type are read and written. Encoded nodes are not
// sealed.
type codec struct {
	decode func(Value, reflect.Value) *Error
	encode func(reflect.Value) (*node, *Error)
	exact  func(Value, reflect.Value) bool // see Exact; nil where it cannot be false
	write  appender                        // nil where what encode gives must be written
}

// codecs remembers the codec of every type met, by reflect.Type.
var codecs sync.Map

func codecOf(t reflect.Type) *codec {
	if c, ok := codecs.Load(t); ok {
		return c.(*codec)
	}
	pending := compiler{}
	c := pending.compile(t)
	for t, c := range pending {
		codecs.Store(t, c)
	}
	return c
}

// compiler holds the codecs being made; a type that contains itself finds its
// own there before it is complete.
type compiler map[reflect.Type]*codec

func (p compiler) compile(t reflect.Type) *codec {
	if c, ok := codecs.Load(t); ok {
		return c.(*codec)
	}
	if c, ok := p[t]; ok {
		return c
	}
	c := new(codec)
	p[t] = c
	*c = p.byKind(t)
	if reflect.PointerTo(t).Implements(unmarshalerType) && t.Kind() != reflect.Pointer {
		c.decode = decodeItself
	}
	if reflect.PointerTo(t).Implements(marshalerType) && t.Kind() != reflect.Pointer {
		c.encode, c.write = encodeItself, nil
	}
	if t.Implements(texterType) {
		c.encode, c.write = encodeText, writeText
	}
	if reflect.PointerTo(t).Implements(unmarshalerType) && t.Kind() != reflect.Pointer {
		c.exact = exactItself(c.encode)
	}
	if t.Implements(oneFormType) {
		c.exact = nil
	}
	return c
}

func (p compiler) byKind(t reflect.Type) codec {
	if t == valueType {
		return codec{decode: decodeRaw, encode: encodeRaw}
	}
	switch t.Kind() {
	case reflect.String:
		return codec{decode: decodeString, encode: encodeString, write: writeString}
	case reflect.Bool:
		return codec{decode: decodeBool, encode: encodeBool}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return codec{decode: decodeInt, encode: encodeInt, write: writeInt}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return codec{decode: decodeUint, encode: encodeUint}
	case reflect.Pointer:
		return pointerCodec(p.compile(t.Elem()))
	case reflect.Slice:
		return p.sliceCodec(t)
	case reflect.Map:
		return p.mapCodec(t)
	case reflect.Struct:
		return p.structCodec(t)
	default:
		return unsupported(t, "no JSON form")
	}
}

// unsupported is the codec of a type that has none: it fails when used.
func unsupported(t reflect.Type, why string) codec {
	fail := func() *Error { return &Error{Reason: reasonUnsupported, Detail: t.String() + ": " + why} }
	return codec{
		decode: func(Value, reflect.Value) *Error { return fail() },
		encode: func(reflect.Value) (*node, *Error) { return nil, fail() },
	}
}

func mismatch(want string, v Value) *Error {
	return &Error{Reason: reasonType, Detail: "want " + want + ", have " + v.Kind().String()}
}

func decodeRaw(v Value, into reflect.Value) *Error {
	into.Set(reflect.ValueOf(v))
	return nil
}

func encodeRaw(from reflect.Value) (*node, *Error) {
	if n := from.Interface().(Value).n; n != nil {
		return n, nil
	}
	return nil, &Error{Reason: reasonMissing, Detail: "absent value"}
}

func decodeItself(v Value, into reflect.Value) *Error {
	return ownError(into.Addr().Interface().(unmarshaler).UnmarshalJCS(v))
}

func encodeItself(from reflect.Value) (*node, *Error) {
	if !from.CanAddr() {
		copied := reflect.New(from.Type()).Elem()
		copied.Set(from)
		from = copied
	}
	v, err := from.Addr().Interface().(marshaler).MarshalJCS()
	if err != nil {
		return nil, ownError(err)
	}
	return encodeRaw(reflect.ValueOf(v))
}

// textOf is the text that a value writes itself as.
func textOf(from reflect.Value) string {
	if from.CanAddr() { // else a copy goes to the heap
		return from.Addr().Interface().(texter).TextJCS()
	}
	return from.Interface().(texter).TextJCS()
}

func encodeText(from reflect.Value) (*node, *Error) {
	return &node{kind: String, text: textOf(from)}, nil
}

// ownError makes a type's own error an *Error, as a copy that pointers may be
// added to.
func ownError(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := err.(*Error); ok {
		own := *e
		return &own
	}
	return &Error{Reason: reasonValue, Detail: err.Error(), cause: err}
}

func decodeString(v Value, into reflect.Value) *Error {
	text, ok := v.Text()
	if !ok {
		return mismatch("string", v)
	}
	into.SetString(text)
	return nil
}

func encodeString(from reflect.Value) (*node, *Error) {
	return &node{kind: String, text: from.String()}, nil
}

func decodeBool(v Value, into reflect.Value) *Error {
	b, ok := v.Bool()
	if !ok {
		return mismatch("boolean", v)
	}
	into.SetBool(b)
	return nil
}

func encodeBool(from reflect.Value) (*node, *Error) {
	return &node{kind: Bool, text: strconv.FormatBool(from.Bool())}, nil
}

func decodeInt(v Value, into reflect.Value) *Error {
	i, ok := v.Int()
	if !ok {
		return mismatch("integer", v)
	}
	if into.OverflowInt(i) {
		return &Error{Reason: reasonRange, Detail: "integer does not fit " + into.Kind().String()}
	}
	into.SetInt(i)
	return nil
}

func encodeInt(from reflect.Value) (*node, *Error) {
	return &node{kind: Number, text: strconv.FormatInt(from.Int(), 10)}, nil
}

func decodeUint(v Value, into reflect.Value) *Error {
	i, ok := v.Int()
	if !ok {
		return mismatch("integer", v)
	}
	if i < 0 || into.OverflowUint(uint64(i)) {
		return &Error{Reason: reasonRange, Detail: "integer does not fit " + into.Kind().String()}
	}
	into.SetUint(uint64(i))
	return nil
}

func encodeUint(from reflect.Value) (*node, *Error) {
	return &node{kind: Number, text: strconv.FormatUint(from.Uint(), 10)}, nil
}

func pointerCodec(elem *codec) codec {
	return codec{
		decode: func(v Value, into reflect.Value) *Error {
			into.Set(reflect.New(into.Type().Elem()))
			return elem.decode(v, into.Elem())
		},
		encode: func(from reflect.Value) (*node, *Error) {
			if from.IsNil() {
				return nil, &Error{Reason: reasonMissing, Detail: "nil pointer"}
			}
			return elem.encode(from.Elem())
		},
		exact: func(v Value, from reflect.Value) bool { return elem.isExact(v, from.Elem()) },
	}
}

func (p compiler) sliceCodec(t reflect.Type) codec {
	if t.Elem().Kind() == reflect.Uint8 {
		return unsupported(t, "bytes are written as multibase strings")
	}
	elem := p.compile(t.Elem())
	return codec{
		decode: func(v Value, into reflect.Value) *Error { return decodeSlice(elem, v, into) },
		encode: func(from reflect.Value) (*node, *Error) { return encodeSlice(elem, from) },
		exact:  func(v Value, from reflect.Value) bool { return exactSlice(elem, v, from) },
		write: func(dst []byte, from reflect.Value, depth int) ([]byte, bool) {
			return writeSlice(elem, dst, from, depth)
		},
	}
}

func decodeSlice(elem *codec, v Value, into reflect.Value) *Error {
	if v.Kind() != Array {
		return mismatch("array", v)
	}
	n := len(v.n.elements)
	if n == 0 {
		into.Set(reflect.MakeSlice(into.Type(), 0, 0)) // not nil, which is no array
	}
	into.Grow(n)
	into.SetLen(n)
	into.SetCap(n) // whoever appends copies
	for i, e := range v.n.elements {
		if err := elem.decode(e, into.Index(i)); err != nil {
			return err.at(i)
		}
	}
	return nil
}

func encodeSlice(elem *codec, from reflect.Value) (*node, *Error) {
	n := container(Array, contents{elements: make([]Value, from.Len())})
	for i := range n.elements {
		e, err := elem.encode(from.Index(i))
		if err != nil {
			return nil, err.at(i)
		}
		n.elements[i] = Value{e}
	}
	return n, nil
}

func (p compiler) mapCodec(t reflect.Type) codec {
	if t.Key().Kind() != reflect.String {
		return unsupported(t, "names are strings")
	}
	elem := p.compile(t.Elem())
	return codec{
		decode: func(v Value, into reflect.Value) *Error { return decodeMap(elem, v, into) },
		encode: func(from reflect.Value) (*node, *Error) { return encodeMap(elem, from) },
		exact:  func(v Value, from reflect.Value) bool { return exactMap(elem, v, from) },
	}
}

func decodeMap(elem *codec, v Value, into reflect.Value) *Error {
	if v.Kind() != Object {
		return mismatch("object", v)
	}
	t := into.Type()
	into.Set(reflect.MakeMapWithSize(t, len(v.n.members)))
	for _, m := range v.n.members {
		e := reflect.New(t.Elem()).Elem()
		if err := elem.decode(m.Value, e); err != nil {
			return err.in(m.Name)
		}
		into.SetMapIndex(reflect.ValueOf(m.Name).Convert(t.Key()), e)
	}
	return nil
}

func encodeMap(elem *codec, from reflect.Value) (*node, *Error) {
	n := container(Object, contents{members: make([]Member, 0, from.Len())})
	for entries := from.MapRange(); entries.Next(); {
		n.members = append(n.members, Member{Name: entries.Key().String()})
	}
	if err := sortMembers(n.members); err != nil {
		return nil, err
	}
	for i, m := range n.members {
		key := reflect.ValueOf(m.Name).Convert(from.Type().Key())
		e, err := elem.encode(from.MapIndex(key))
		if err != nil {
			return nil, err.in(m.Name)
		}
		n.members[i].Value = Value{e}
	}
	return n, nil
}

// field is one member of a struct's JSON form.
type field struct {
	name     string
	quoted   []byte // the name as it is written
	index    []int  // as reflect.Value.FieldByIndex takes it
	optional bool   // tagged omitempty
	zeroer   bool   // its type has IsZero
	*codec
}

func (p compiler) structCodec(t reflect.Type) codec {
	fields, err := p.fields(t, nil)
	if err != nil {
		return unsupported(t, err.Error())
	}
	if len(fields) == 0 {
		return unsupported(t, "no members")
	}
	slices.SortFunc(fields, func(a, b field) int { return compareNames(a.name, b.name) })
	for i := 1; i < len(fields); i++ {
		if fields[i].name == fields[i-1].name {
			return unsupported(t, "two fields named "+fields[i].name)
		}
	}
	c := codec{
		decode: func(v Value, into reflect.Value) *Error { return decodeStruct(fields, v, into) },
		encode: func(from reflect.Value) (*node, *Error) { return encodeStruct(fields, from) },
		exact:  func(v Value, from reflect.Value) bool { return exactStruct(fields, v, from) },
	}
	if writable(fields) {
		c.write = func(dst []byte, from reflect.Value, depth int) ([]byte, bool) {
			return writeStruct(fields, dst, from, depth)
		}
	}
	return c
}

// fields lists the members of struct t, those of embedded structs included.
// Every exported field has a json tag: its name, "omitempty" if optional, or "-".
func (p compiler) fields(t reflect.Type, index []int) ([]field, error) {
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		at := append(slices.Clone(index), i)
		tag, tagged := f.Tag.Lookup("json")
		switch {
		case f.Anonymous && !tagged && f.Type.Kind() == reflect.Struct:
			inner, err := p.fields(f.Type, at)
			if err != nil {
				return nil, err
			}
			fields = append(fields, inner...)
		case tag == "-" || !f.IsExported() && !tagged:
		default:
			name, option, _ := strings.Cut(tag, ",")
			if name == "" || option != "" && option != "omitempty" || !f.IsExported() {
				return nil, fmt.Errorf("field %s has no usable json tag", f.Name)
			}
			fields = append(fields, field{name, appendQuoted(nil, name), at, option != "", f.Type.Implements(zeroerType), p.compile(f.Type)})
		}
	}
	return fields, nil
}

// in is the field of a struct.
func (f *field) in(of reflect.Value) reflect.Value {
	if len(f.index) == 1 {
		return of.Field(f.index[0])
	}
	return of.FieldByIndex(f.index)
}

// decodeStruct walks fields and members together, both in canonical order.
func decodeStruct(fields []field, v Value, into reflect.Value) *Error {
	if v.Kind() != Object {
		return mismatch("object", v)
	}
	members := v.n.members
	for _, f := range fields {
		order := -1
		if len(members) > 0 {
			order = orderOf(f.name, members[0].Name)
		}
		switch {
		case order > 0:
			return (&Error{Reason: reasonUnknown, Detail: "unknown member"}).in(members[0].Name)
		case order < 0 && !f.optional:
			return (&Error{Reason: reasonMissing, Detail: "required member is missing"}).in(f.name)
		case order == 0:
			if err := f.decode(members[0].Value, f.in(into)); err != nil {
				return err.in(f.name)
			}
			members = members[1:]
		}
	}
	if len(members) > 0 {
		return (&Error{Reason: reasonUnknown, Detail: "unknown member"}).in(members[0].Name)
	}
	return nil
}

// orderOf is compareNames as −1, 0 or 1: most names are equal.
func orderOf(a, b string) int {
	if a == b {
		return 0
	}
	return cmp.Compare(compareNames(a, b), 0)
}

func encodeStruct(fields []field, from reflect.Value) (*node, *Error) {
	n := container(Object, contents{members: make([]Member, 0, len(fields))})
	for _, f := range fields {
		v := f.in(from)
		if f.optional && f.isEmpty(v) {
			continue
		}
		e, err := f.encode(v)
		if err != nil {
			return nil, err.in(f.name)
		}
		n.members = append(n.members, Member{f.name, Value{e}})
	}
	return n, nil
}

// isEmpty reports whether omitempty leaves v out: a zero value, also by the
// type's own IsZero, or nothing in a slice or map.
func (f *field) isEmpty(v reflect.Value) bool {
	if v.IsZero() {
		return true
	}
	if k := v.Kind(); k == reflect.Slice || k == reflect.Map {
		return v.Len() == 0
	}
	return f.zeroer && v.Interface().(zeroer).IsZero()
}

// Decode reads v into what into points to, strictly: names match json tags
// exactly ("name" or "name,omitempty"; every exported field of a struct has one
// or is embedded), a member without a field is refused at any depth, and a field
// without omitempty must have its member. It knows strings, booleans, integers,
// slices, maps by name, pointers, structs, Value (kept as it is), and types with
// a method UnmarshalJCS(Value) error on their pointer. What into held before is
// cleared; after an error it is not to be used. The error is an *Error with the
// place.
func (v Value) Decode(into any) error {
	target := reflect.ValueOf(into)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		return &Error{Reason: reasonUnsupported, Detail: "Decode wants a pointer"}
	}
	if _, err := v.decode(target.Elem()); err != nil {
		return err
	}
	return nil
}

func (v Value) decode(into reflect.Value) (*codec, *Error) {
	if v.IsZero() {
		return nil, &Error{Reason: reasonMissing, Detail: "absent value"}
	}
	c := codecOf(into.Type())
	into.SetZero()
	return c, c.decode(v, into)
}

// Unmarshal is ParseDocument and Decode.
func Unmarshal(data []byte, into any) error {
	v, err := ParseDocument(data)
	if err != nil {
		return err
	}
	return v.Decode(into)
}

// ValueOf returns the value that Decode would read into v's type. Fields tagged
// omitempty are left out when they are zero (IsZero, if the type has it) or have
// no elements. Types may write themselves with MarshalJCS() (Value, error), or as
// a text with TextJCS() string. It
// refuses what ParseDocument refuses inside a document, nil pointers and absent
// values; the error is an *Error.
func ValueOf(v any) (Value, error) { return valueOf(v, MaxSize) }

func valueOf(v any, most int) (Value, error) {
	if v == nil {
		return Value{}, &Error{Reason: reasonMissing, Detail: "nil"}
	}
	n, err := codecOf(reflect.TypeOf(v)).encode(reflect.ValueOf(v))
	if err == nil {
		err = checkProfile(n, 0)
	}
	if err != nil {
		return Value{}, err
	}
	seal(n, 0)
	if len(n.canonical) > most {
		return Value{}, tooLarge(most, 0)
	}
	return Value{n}, nil
}

// Marshal returns the canonical form of a document, an object: the bytes that
// ParseDocument accepts.
func Marshal(v any) ([]byte, error) { return marshal(v, MaxSize) }

// MarshalBundle is Marshal of at most MaxBundle bytes: those that ParseBundle accepts.
func MarshalBundle(v any) ([]byte, error) { return marshal(v, MaxBundle) }

func marshal(v any, most int) ([]byte, error) {
	if t := reflect.TypeOf(v); t != nil && t.Kind() == reflect.Struct {
		if c := codecOf(t); c.write != nil {
			if data, ok := c.write(make([]byte, 0, 512), reflect.ValueOf(v), 0); ok && len(data) <= most {
				return data, nil
			}
		}
	}
	value, err := valueOf(v, most)
	if err != nil {
		return nil, err
	}
	if value.Kind() != Object {
		return nil, &Error{Reason: reasonNotObject, Detail: "a document is an object"}
	}
	return value.Canonical(), nil
}
