package verifier_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// TestSchemasAreTheTypes walks the types of this package and their schemas together: the same members, the same ones required, no
// others. The documents in a bundle have schemas of their own, which package spec tests.
func TestSchemasAreTheTypes(t *testing.T) {
	for name, of := range map[string]any{"bundle": verifier.Bundle{}, "trust": verifier.Trust{}} {
		text, ok := spec.Schema(name)
		if !ok {
			t.Fatalf("%s has no schema", name)
		}
		sameMembers(t, name, reflect.TypeOf(of), plain(t, text))
	}
}

func sameMembers(t *testing.T, place string, of reflect.Type, schema any) {
	s, _ := schema.(map[string]any)
	if of.Kind() == reflect.Slice && s["items"] != nil {
		sameMembers(t, place+"/0", of.Elem(), s["items"])
		return
	}
	if of.Kind() != reflect.Struct || of == reflect.TypeFor[jcs.Value]() || of == reflect.TypeFor[spec.Time]() {
		return
	}
	properties, _ := s["properties"].(map[string]any)
	if s["additionalProperties"] != false {
		t.Errorf("%s: the schema is open", place)
	}
	var names, required []string
	for _, f := range reflect.VisibleFields(of) {
		name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			continue
		}
		names = append(names, name)
		if option == "" {
			required = append(required, name)
		}
		of := f.Type
		if of.Kind() == reflect.Pointer {
			of = of.Elem()
		}
		sameMembers(t, place+"/"+name, of, properties[name])
	}
	if inSchema := slices.Sorted(maps.Keys(properties)); !slices.Equal(slices.Sorted(slices.Values(names)), inSchema) {
		t.Errorf("%s: the Go type has %v, the schema %v", place, names, inSchema)
	}
	var listed []string
	for _, name := range s["required"].([]any) {
		listed = append(listed, name.(string))
	}
	if slices.Sort(listed); !slices.Equal(slices.Sorted(slices.Values(required)), listed) {
		t.Errorf("%s: the Go type requires %v, the schema %v", place, required, listed)
	}
}

// TestSchemasAgree changes the conformance suite's trust files and bundles at every place of ours: a member that is absent,
// one more, one that says nothing or is of another type. The schema refuses no less than the parser, and no more.
func TestSchemasAgree(t *testing.T) {
	trust, bundle := compiled(t, "trust"), compiled(t, "bundle")
	paths, err := filepath.Glob("../conformance/bundles/*.json")
	if err != nil || len(paths) < 10 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		schema, parses := bundle, func(text []byte) error { return jcs.Unmarshal(text, &verifier.Bundle{}) }
		if strings.HasSuffix(path, ".trust.json") {
			schema, parses = trust, func(text []byte) error { _, err := verifier.ParseTrust(text); return err }
		}
		count := 0
		changes(plain(t, data), func(how string, changed any) {
			count++
			text, err := json.Marshal(changed)
			if err != nil {
				t.Fatal(err)
			}
			if parsed, valid := parses(text), schema.Validate(plain(t, text)); (parsed == nil) != (valid == nil) {
				t.Errorf("%s, %s: the parser says %v, the schema %v", filepath.Base(path), how, parsed, valid)
			}
		})
		if count < 20 {
			t.Errorf("%s: only %d changes were tried", path, count)
		}
	}
}

// isDocument says whether the member is a document, or several: those have schemas of their own.
func isDocument(of map[string]any, name string) bool {
	_, isTrust := of["policy"]
	return !isTrust && slices.Contains([]string{"receipt", "reports", "begin", "decision", "interim", "supplements", "words", "notices", "commit",
		"presentation", "rosters", "entry"}, name)
}

// changes hands over the value as it is, then changed at one place at a time.
func changes(root any, try func(how string, changed any)) {
	try("unchanged", root)
	var visit func(at any, place string)
	visit = func(at any, place string) {
		switch v := at.(type) {
		case []any:
			for _, i := range []int{0, len(v) - 1} { // those between have the same members
				visit(v[i], place+"/"+strconv.Itoa(i))
			}
		case map[string]any:
			v["extra"] = "x"
			try("add to "+place, root)
			delete(v, "extra")
			for _, name := range slices.Sorted(maps.Keys(v)) {
				old, inner := v[name], place+"/"+name
				delete(v, name)
				try("remove "+inner, root)
				for how, other := range map[string]any{"null": nil, "true": true, "empty array": []any{}, "empty object": map[string]any{}} {
					if v[name] = other; how == "true" && isDocument(v, name) {
						continue
					}
					try(how+" for "+inner, root)
				}
				if v[name] = old; !isDocument(v, name) && name != "resources" {
					visit(old, inner)
				}
			}
		}
	}
	visit(root, "")
}

func compiled(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	text, ok := spec.Schema(name)
	if !ok {
		t.Fatalf("%s has no schema", name)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("schema.json", plain(t, text)); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return s
}

func plain(t *testing.T, text []byte) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}
