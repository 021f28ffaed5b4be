package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/writ-trust/writ/internal/jcs"
)

func examples(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/rehearsal/*" + testSuffix)
	if err != nil || len(files) < 2 {
		t.Fatalf("%d examples: %v", len(files), err)
	}
	return files
}

// lineBreak is what ends a line in YAML 1.1, whose readers count lines.
var lineBreak = regexp.MustCompile("\r|\n|\u0085|\u2028|\u2029")

// FuzzTestFile: whatever the bytes are, the parser ends, and names a line of the file where it refuses; what it takes reads the same
// when it is written as JSON, of which YAML is a superset.
func FuzzTestFile(f *testing.F) {
	for _, path := range examples(f) {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, text := range []string{"", "a: [1, 'x', true, {b: null}]", "a: &b [*b]", "? [a]\n: b", "<<: {a: 1}", "a: !!binary aGk=", "a: 1\na: 2", "- - - -", "a: 0x10", "%YAML 1.1\n---\na", "\r[d"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		parsed, _, err := parseTestFile(data)
		var mistake *testFileError
		if err != nil {
			if !errors.As(err, &mistake) || mistake.line < 1 || mistake.line > len(lineBreak.FindAll(data, -1))+2 {
				t.Fatalf("%#v", err)
			}
			return
		}
		written, err := jcs.Marshal(unmerged(parsed))
		if err != nil {
			t.Fatal(err)
		}
		again, _, err := parseTestFile(written)
		if err != nil || !reflect.DeepEqual(canonical(t, again), canonical(t, parsed)) {
			t.Fatalf("%v\n%s", err, written)
		}
	})
}

// unmerged leaves out like, which has been followed.
func unmerged(f *testFile) *testFile {
	plain := *f
	plain.Steps = slices.Clone(f.Steps)
	for i := range plain.Steps {
		plain.Steps[i].Like = ""
	}
	return &plain
}

func canonical(t *testing.T, f *testFile) string {
	data, err := jcs.Marshal(unmerged(f))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestTestFileSchema: the schema takes the examples and refuses what the parser refuses, and it has exactly the members of the Go types.
func TestTestFileSchema(t *testing.T) {
	const name = "../../spec/testing.schema.json"
	schema, err := jsonschema.NewCompiler().Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range examples(t) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for mistake, want := range map[string]bool{"": true, "expect: AUTHORIZED": false, "name:": false} {
			text := string(data)
			if mistake != "" {
				text = strings.Replace(text, mistake, "x"+mistake, 1)
			}
			v, err := jsonschema.UnmarshalJSON(bytes.NewReader(jsonOf(t, text)))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(v); (err == nil) != want {
				t.Errorf("%s with %q changed: %v", path, mistake, err)
			}
			if _, _, err := parseTestFile([]byte(text)); (err == nil) != want {
				t.Errorf("%s with %q changed reads: %v", path, mistake, err)
			}
		}
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for pointer, of := range map[string]reflect.Type{"/properties": reflect.TypeFor[testFile](), "/$defs/step/properties": reflect.TypeFor[testStep](),
		"/$defs/report/properties": reflect.TypeFor[testReport]()} {
		v, err := jcs.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		properties, _ := v.Lookup(pointer)
		var declared, members []string
		for _, m := range properties.Members() {
			declared = append(declared, m.Name)
		}
		for i := range of.NumField() {
			member, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
			members = append(members, member)
		}
		slices.Sort(declared)
		slices.Sort(members)
		if !slices.Equal(declared, members) {
			t.Errorf("%s: the schema has %v, the type %v", pointer, declared, members)
		}
	}
}

func jsonOf(t *testing.T, text string) []byte {
	t.Helper()
	data, _, err := treeOf([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return data
}
