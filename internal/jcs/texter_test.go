package jcs

import "testing"

type said struct{ word string }

func (s said) TextJCS() string { return s.word }
func (s said) IsZero() bool    { return s.word == "" }

// TestTextItself: what writes itself as a text is the same as a value and as bytes, wherever it stands, and is held to the profile.
func TestTextItself(t *testing.T) {
	type document struct {
		Words []said `json:"words,omitempty"`
		Word  said   `json:"word,omitempty"`
		Ptr   *said  `json:"ptr,omitempty"`
	}
	for _, c := range []struct {
		from document
		want string
	}{
		{document{Word: said{`a"b`}}, `{"word":"a\"b"}`},
		{document{Words: []said{{"a"}, {""}}, Ptr: &said{"c"}}, `{"ptr":"c","words":["a",""]}`},
		{document{Word: said{"a\u0301"}}, ""},
		{document{Word: said{"\xff"}}, ""},
	} {
		v, err := ValueOf(c.from)
		data, marshalErr := Marshal(c.from)
		if string(v.Canonical()) != c.want || string(data) != c.want || (err == nil) != (c.want != "") || (marshalErr == nil) != (c.want != "") {
			t.Errorf("%+v: %s, %v; %s, %v; want %s", c.from, v.Canonical(), err, data, marshalErr, c.want)
		}
	}
}
