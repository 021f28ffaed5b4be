package jcs

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

type person struct {
	Name string `json:"name"`
	Age  uint8  `json:"age,omitempty"`
}

type envelope struct {
	ID   string `json:"id"`
	Mode string `json:"mode,omitempty"`
}

// shout is a string that must be written in capitals.
type shout string

var errQuiet = errors.New("not loud enough")

func (s *shout) UnmarshalJCS(v Value) error {
	text, _ := v.Text()
	if text != strings.ToUpper(text) || text == "" {
		return errQuiet
	}
	*s = shout(text)
	return nil
}

func (s shout) MarshalJCS() (Value, error) {
	if s == "" {
		return Value{}, errQuiet
	}
	return ValueOf(strings.ToUpper(string(s)))
}

// moment has its methods on the pointer and its own idea of being empty.
type moment struct{ t time.Time }

func (m *moment) UnmarshalJCS(v Value) (err error) {
	var text string
	if err := v.Decode(&text); err != nil {
		return err
	}
	m.t, err = time.Parse(time.RFC3339, text)
	return err
}

func (m *moment) MarshalJCS() (Value, error) { return ValueOf(m.t.Format(time.RFC3339)) }
func (m moment) IsZero() bool                { return m.t.IsZero() }

type document struct {
	envelope
	Kind     string            `json:"kind"`
	People   []person          `json:"people,omitempty"`
	Chief    *person           `json:"chief,omitempty"`
	Parent   *document         `json:"parent,omitempty"`
	Labels   map[string]string `json:"labels,omitempty"`
	Extra    Value             `json:"extra,omitempty"`
	Loud     shout             `json:"loud,omitempty"`
	At       moment            `json:"at,omitempty"`
	Final    bool              `json:"final,omitempty"`
	Count    int64             `json:"count,omitempty"`
	Deputy   person            `json:"deputy,omitempty"`
	Ignored  string            `json:"-"`
	internal int
}

const full = `{"at":"2026-12-01T00:00:00Z","chief":{"name":"Ada"},"count":-5,"deputy":{"age":7,"name":"Bo"},"extra":[1,{"x":2}],` +
	`"final":true,"id":"1","kind":"k","labels":{"a":"b"},"loud":"HEY","mode":"test","parent":{"id":"0","kind":"k"},"people":[{"age":200,"name":"Cy"}]}`

func TestDecodeAndMarshal(t *testing.T) {
	var d document
	d.Ignored, d.internal = "before", 1
	if err := Unmarshal([]byte(full), &d); err != nil {
		t.Fatal(err)
	}
	want := document{
		envelope: envelope{"1", "test"}, Kind: "k", People: []person{{"Cy", 200}}, Chief: &person{Name: "Ada"},
		Parent: &document{envelope: envelope{ID: "0"}, Kind: "k"}, Labels: map[string]string{"a": "b"}, Extra: d.Extra,
		Loud: "HEY", At: moment{time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}, Final: true, Count: -5, Deputy: person{"Bo", 7},
	}
	if !reflect.DeepEqual(d, want) {
		t.Errorf("got %+v\nwant %+v", d, want)
	}
	if string(d.Extra.Canonical()) != `[1,{"x":2}]` {
		t.Errorf("extra is %s", d.Extra.Canonical())
	}
	for _, v := range []any{d, &d} {
		if out, err := Marshal(v); err != nil || string(out) != full {
			t.Errorf("came back as %s (%v)", out, err)
		}
	}
}

func TestOmitEmpty(t *testing.T) {
	d := document{envelope: envelope{ID: "1"}, People: []person{}, Labels: map[string]string{}, At: moment{time.Time{}.UTC()}}
	out, err := Marshal(d)
	if err != nil || string(out) != `{"id":"1","kind":""}` {
		t.Errorf("written as %s (%v)", out, err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	base := `{"id":"1","kind":"k"`
	for _, r := range []refusal{
		{`{"kind":"k"}`, "member-missing", "/id"},
		{`{"id":"1"}`, "member-missing", "/kind"},
		{`{"ID":"1","kind":"k"}`, "member-unknown", "/ID"},
		{`{"id":"1","kind":"k","Mode":"test"}`, "member-unknown", "/Mode"},
		{base + `,"zeta":1}`, "member-unknown", "/zeta"},
		{base + `,"Ignored":"x"}`, "member-unknown", "/Ignored"},
		{base + `,"internal":1}`, "member-unknown", "/internal"},
		{base + `,"chief":{"name":"Ada","x":1}}`, "member-unknown", "/chief/x"},
		{base + `,"people":[{"name":"a"},{"age":1}]}`, "member-missing", "/people/1/name"},
		{base + `,"people":{"name":"a"}}`, "member-type", "/people"},
		{base + `,"chief":"Ada"}`, "member-type", "/chief"},
		{base + `,"mode":1}`, "member-type", "/mode"},
		{base + `,"final":"true"}`, "member-type", "/final"},
		{base + `,"count":"1"}`, "member-type", "/count"},
		{base + `,"labels":{"a":1}}`, "member-type", "/labels/a"},
		{base + `,"labels":["a"]}`, "member-type", "/labels"},
		{base + `,"deputy":{"name":"Bo","age":256}}`, "member-range", "/deputy/age"},
		{base + `,"deputy":{"name":"Bo","age":-1}}`, "member-range", "/deputy/age"},
		{base + `,"loud":"hey"}`, "member-value", "/loud"},
		{base + `,"at":5}`, "member-type", "/at"},
		{base + `,"at":"yesterday"}`, "member-value", "/at"},
		{base + `,"parent":{"id":"0","kind":"k","parent":{"id":7,"kind":"k"}}}`, "member-type", "/parent/parent/id"},
		{base + `,"extra":null}`, "json-null", "/extra"},
	} {
		var d document
		checkRefusal(t, "Unmarshal", r, Unmarshal([]byte(r.in), &d))
	}
}

// TestDecodeNull covers values of Parse, which may have nulls: nothing but a
// Value takes one.
func TestDecodeNull(t *testing.T) {
	v := parse1(t, `{"id":"1","kind":"k","chief":null}`)
	checkRefusal(t, "Decode", refusal{"null", "member-type", "/chief"}, v.Decode(new(document)))
	var raw map[string]Value
	if err := v.Decode(&raw); err != nil || raw["chief"].Kind() != Null {
		t.Errorf("chief is %v (%v)", raw["chief"].Kind(), err)
	}
}

func TestOwnErrorIsKept(t *testing.T) {
	var d document
	if err := Unmarshal([]byte(`{"id":"1","kind":"k","loud":"hey"}`), &d); !errors.Is(err, errQuiet) {
		t.Errorf("the type's own error is lost: %v", err)
	}
}

func TestDecodeTarget(t *testing.T) {
	v := parse1(t, `{"name":"Ada"}`)
	var none *person
	for _, into := range []any{nil, person{}, none} {
		if err := v.Decode(into); reasonOf(err) != reasonUnsupported {
			t.Errorf("Decode into %#v: %v", into, err)
		}
	}
	if err := (Value{}).Decode(new(person)); reasonOf(err) != reasonMissing {
		t.Errorf("Decode of nothing: %v", err)
	}
	p := person{"Bo", 9}
	if err := v.Decode(&p); err != nil || p != (person{Name: "Ada"}) {
		t.Errorf("decoded over %+v (%v)", p, err)
	}
}

func TestDecodeIntegers(t *testing.T) {
	type sizes struct {
		A int8   `json:"a,omitempty"`
		B uint64 `json:"b,omitempty"`
		C int    `json:"c,omitempty"`
	}
	var got sizes
	err := Unmarshal([]byte(`{"a":-128,"b":9007199254740991,"c":-9007199254740991}`), &got)
	if err != nil || got != (sizes{-128, MaxInt, -MaxInt}) {
		t.Errorf("decoded %+v (%v)", got, err)
	}
	checkRefusal(t, "Unmarshal", refusal{"int8", "member-range", "/a"}, Unmarshal([]byte(`{"a":128}`), &got))
	checkRefusal(t, "Unmarshal", refusal{"uint64", "member-range", "/b"}, Unmarshal([]byte(`{"b":-1}`), &got))
}

func TestUnsupportedTypes(t *testing.T) {
	type untagged struct{ Name string }
	type option struct {
		N int `json:"n,string"`
	}
	type twice struct {
		envelope
		ID string `json:"id"`
	}
	v := parse1(t, `{"name":"x"}`)
	for _, into := range []any{
		new(untagged), new(option), new(twice), new(struct{}), new(time.Time), new(any), new(func()), new(map[int]string),
	} {
		if err := v.Decode(into); reasonOf(err) != reasonUnsupported {
			t.Errorf("Decode into %T: %v", into, err)
		}
		if _, err := ValueOf(reflect.ValueOf(into).Elem().Interface()); reasonOf(err) == "" {
			t.Errorf("ValueOf(%T) is accepted", into)
		}
	}
	for _, v := range []any{1.5, []byte{1}, [2]int{}} {
		if _, err := ValueOf(v); reasonOf(err) != reasonUnsupported {
			t.Errorf("ValueOf(%T): %v", v, err)
		}
	}
}

func TestMarshalRefuses(t *testing.T) {
	type m = map[string]raw
	deep := Value{}.With("a", parse1(t, `1`))
	for range MaxDepth - 1 {
		deep = Value{}.With("a", deep)
	}
	if _, err := Marshal(deep); err != nil {
		t.Errorf("the deepest document: %v", err)
	}
	for _, c := range []struct {
		name            string
		in              any
		reason, pointer string
	}{
		{"nil", nil, "member-missing", ""},
		{"nil pointer", struct {
			P *person `json:"p"`
		}{}, "member-missing", "/p"},
		{"absent value", struct {
			V Value `json:"v"`
		}{}, "member-missing", "/v"},
		{"string", "x", "json-not-object", ""},
		{"empty map", map[string]int{}, "json-empty", ""},
		{"empty slice", map[string][]int{"a": {}}, "json-empty", "/a"},
		{"nothing but omitted members", map[string]omitted{"a": {}}, "json-empty", "/a"},
		{"raw null", m{"a": {parse1(t, `{"b":[null]}`)}}, "json-null", "/a/b/0"},
		{"raw float", m{"a": {parse1(t, `[1.5]`)}}, "json-number", "/a/0"},
		{"raw empty object", m{"a": {parse1(t, `[{}]`)}}, "json-empty", "/a/0"},
		{"raw case variants", m{"a": {parse1(t, `{"x":1,"X":2}`)}}, "json-case-variant", "/a/x"},
		{"raw not NFC", m{"a": {parse1(t, `["e\u0301"]`)}}, "json-not-nfc", "/a/0"},
		{"large integer", map[string]int64{"a": MaxInt + 1}, "json-number", "/a"},
		{"small integer", map[string]int64{"a": math.MinInt64}, "json-number", "/a"},
		{"large unsigned", map[string]uint64{"a": math.MaxUint64}, "json-number", "/a"},
		{"not UTF-8", map[string]string{"a": "\xff"}, "json-utf8", "/a"},
		{"noncharacter", map[string]string{"a": "\ufffe"}, "json-noncharacter", "/a"},
		{"name not NFC", map[string]int{"e\u0301": 1}, "json-not-nfc", "/e\u0301"},
		{"case variants", map[string]int{"ab": 1, "aB": 2}, "json-case-variant", "/ab"},
		{"too deep", map[string]Value{"a": deep}, "json-depth", "/a" + strings.Repeat("/a", MaxDepth-1)},
		{"too large", map[string]string{"a": strings.Repeat("x", MaxSize)}, "json-size", ""},
		{"own error", map[string]shout{"a": ""}, "member-value", "/a"},
	} {
		_, err := Marshal(c.in)
		checkRefusal(t, "Marshal", refusal{c.name, c.reason, c.pointer}, err)
	}
}

// raw writes itself as the value it wraps.
type raw struct{ v Value }

func (a raw) MarshalJCS() (Value, error) { return a.v, nil }

type omitted struct {
	N int `json:"n,omitempty"`
}

// TestMarshalOrder checks that fields and map entries are written in the order
// of RFC 8785, whatever theirs is.
func TestMarshalOrder(t *testing.T) {
	type fields struct {
		Z int `json:"z"`
		A int `json:"a"`
		B int `json:"B"`
	}
	if out, err := Marshal(fields{1, 2, 3}); err != nil || string(out) != `{"B":3,"a":2,"z":1}` {
		t.Errorf("fields are written %s (%v)", out, err)
	}
	out, err := Marshal(map[string]int{"\U0001f602": 1, "\uff21": 2, "z": 3})
	if err != nil || string(out) != "{\"z\":3,\"\U0001f602\":1,\"\uff21\":2}" {
		t.Errorf("entries are written %s (%v)", out, err)
	}
}
