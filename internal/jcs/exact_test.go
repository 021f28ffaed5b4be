package jcs

import "testing"

// TestExact: what is exact is written as it was read, and what says nothing is not exact.
func TestExact(t *testing.T) {
	type inner struct {
		Text string `json:"text,omitempty"`
	}
	type outer struct {
		inner
		Need  string            `json:"need"`
		Count int               `json:"count,omitempty"`
		Flag  bool              `json:"flag,omitempty"`
		List  []inner           `json:"list,omitempty"`
		One   *inner            `json:"one,omitempty"`
		Many  map[string]string `json:"many,omitempty"`
		Each  map[string]inner  `json:"each,omitempty"`
		Raw   Value             `json:"raw,omitempty"`
	}
	for text, want := range map[string]bool{
		`{"need":""}`: true,
		`{"count":7,"each":{"a":{"text":"x"}},"flag":true,"list":[{"text":"x"}],"many":{"":""},"need":"x","one":{"text":"x"},"raw":0,"text":"x"}`: true,
		`{"need":"x","text":""}`:                                false,
		`{"count":0,"need":"x"}`:                                false,
		`{"flag":false,"need":"x"}`:                             false,
		`{"list":[{"text":"x"},{"text":""}],"need":""}`:         false,
		`{"need":"","one":{"text":""}}`:                         false,
		`{"each":{"a":{"text":"x"},"b":{"text":""}},"need":""}`: false,
	} {
		v, err := ParseDocument([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		var o outer
		if err := v.Decode(&o); err != nil {
			t.Fatal(err)
		}
		written, err := ValueOf(&o) // an error where an object is left without members
		same := err == nil && written.Equal(v)
		if got := v.Exact(&o); got != want || got != same {
			t.Errorf("%s: exact %v, written the same %v", text, got, same)
		}
		loose, err := Parse([]byte(text))
		if err != nil || loose.Exact(&o) {
			t.Errorf("%s: a value that was not read as a document is exact: %v", text, err)
		}
	}
}
