package spec_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/spec/rule"
	"github.com/writ-trust/writ/vc"
)

// bodies is the Go type of each document type.
var bodies = map[string]any{
	spec.TypeRoster: spec.Roster{}, spec.TypeMandate: spec.Mandate{}, spec.TypeSupplement: spec.Supplement{},
	spec.TypeReceipt: spec.Receipt{}, spec.TypeApproval: spec.Approval{}, spec.TypePresentation: spec.Presentation{},
	spec.TypeDecision: spec.Decision{}, spec.TypeCommit: spec.Commit{}, spec.TypeBegin: spec.Begin{}, spec.TypeReport: spec.Report{},
	spec.TypeNotice: spec.Notice{}, spec.TypePolicy: spec.Policy{}, spec.TypeTemplate: spec.ActionTemplate{},
	spec.TypeRefusalCount: spec.RefusalCount{}, spec.TypeErasure: spec.Erasure{},
}

// alwaysThere are members that the Go types may lack and that no document may.
var alwaysThere = []string{"validFrom", "validUntil", "maxOver"}

// TestSchemasAreTheTypes walks each Go type and its schema together: the same members, the same ones required, no others.
func TestSchemasAreTheTypes(t *testing.T) {
	for _, docType := range docTypes {
		text, _ := spec.Schema(docType)
		var schema map[string]any
		if err := json.Unmarshal(text, &schema); err != nil {
			t.Fatal(err)
		}
		defs, _ := schema["$defs"].(map[string]any)
		walk{t, defs}.same(docType, reflect.TypeOf(bodies[docType]), schema)
	}
}

type walk struct {
	t    *testing.T
	defs map[string]any
}

// same compares a Go type with a schema. Members that the Go type keeps as they are (jcs.Value) say nothing here.
func (w walk) same(place string, of reflect.Type, schema any) {
	s, _ := schema.(map[string]any)
	for s["$ref"] != nil {
		name := strings.TrimPrefix(s["$ref"].(string), "#/$defs/")
		s, _ = w.defs[name].(map[string]any)
		if of == reflect.TypeFor[spec.Time]() && name == "time" || of == reflect.TypeFor[*rule.Money]() && name == "money" ||
			of == reflect.TypeFor[rule.Money]() && name == "money" {
			return
		}
	}
	switch {
	case schema == false || of == reflect.TypeFor[jcs.Value]():
	case of.Kind() == reflect.Pointer:
		w.same(place, of.Elem(), s)
	case of.Kind() == reflect.Struct && of != reflect.TypeFor[spec.Time]():
		w.sameStruct(place, of, s)
	case of.Kind() == reflect.Slice && s["items"] != nil:
		w.same(place+"/0", of.Elem(), s["items"])
	default:
		if kind := jsonKind(s); kind != goKind(of) {
			w.t.Errorf("%s: the schema says %s, the Go type is %s", place, kind, of)
		}
	}
}

func (w walk) sameStruct(place string, of reflect.Type, s map[string]any) {
	properties, _ := s["properties"].(map[string]any)
	if s["additionalProperties"] != false {
		w.t.Errorf("%s: the schema is open", place)
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
		w.same(place+"/"+name, f.Type, properties[name])
	}
	inSchema := slices.Sorted(maps.Keys(properties))
	inSchema = slices.DeleteFunc(inSchema, func(n string) bool { return n == "proof" && !strings.Contains(place, "/") })
	if slices.Sort(names); !slices.Equal(names, inSchema) {
		w.t.Errorf("%s: the Go type has %v, the schema %v", place, names, inSchema)
	}
	listed, _ := s["required"].([]any)
	for _, name := range names {
		inGo, there := slices.Contains(required, name), slices.Contains(listed, any(name))
		if inGo && !there || there && !inGo && !slices.Contains(alwaysThere, name) {
			w.t.Errorf("%s/%s: required in Go %v, in the schema %v", place, name, inGo, there)
		}
	}
}

func jsonKind(s map[string]any) string {
	if kind, ok := s["type"].(string); ok {
		return kind
	}
	value := s["const"]
	if all, ok := s["enum"].([]any); ok && len(all) > 0 {
		value = all[0]
	}
	switch value.(type) {
	case string:
		return "string"
	case bool:
		return "boolean"
	case float64:
		return "integer"
	case []any:
		return "array"
	}
	return "nothing"
}

func goKind(of reflect.Type) string {
	switch of.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Int64:
		return "integer"
	case reflect.Slice:
		return "array"
	}
	return of.String()
}

// TestExamplesAreComplete keeps the examples from growing thin: every member of every type is in one of them.
func TestExamplesAreComplete(t *testing.T) {
	for docType, docs := range examples(t) {
		found := map[string]bool{}
		for _, d := range docs {
			names(d.Value, found)
		}
		for _, name := range allMembers(reflect.TypeOf(bodies[docType]), nil) {
			if !found[name] {
				t.Errorf("no example of %s has %s", docType, name)
			}
		}
	}
}

func names(v jcs.Value, into map[string]bool) {
	for _, m := range v.Members() {
		into[m.Name] = true
		names(m.Value, into)
	}
	for _, e := range v.Elements() {
		names(e, into)
	}
}

// allMembers lists the JSON names of a Go type at any depth.
func allMembers(of reflect.Type, all []string) []string {
	switch {
	case of == reflect.TypeFor[jcs.Value]() || of == reflect.TypeFor[rule.Money]() || of == reflect.TypeFor[spec.Time]():
		return all
	case of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice:
		return allMembers(of.Elem(), all)
	case of.Kind() != reflect.Struct:
		return all
	}
	for _, f := range reflect.VisibleFields(of) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			all = allMembers(f.Type, append(all, name))
		}
	}
	return all
}

// memberNames lists the JSON names of a struct's own fields.
func memberNames(of any) []string {
	var names []string
	for _, f := range reflect.VisibleFields(reflect.TypeOf(of)) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// onlyGo are mutations that a schema cannot see, since they compare members: "how place".
var onlyGo = []string{
	"remove /credentialSubject/mandate/constraints",        // the recovery clause names one of them
	"remove /credentialSubject/mandate/recovery/0/maxOver", // only an approval is lifted without a ceiling
	"empty /credentialSubject/mandate/constraints/0/zone",  // zones are looked up
	"empty /credentialSubject/mandate/constraints/4/zone",
	"empty /credentialSubject/policy/constraints/0/zone",
	"empty /credentialSubject/policy/constraints/1/zone",
	"empty /credentialSubject/mandate/constraints/5/zone",
}

// TestSchemasAgree changes the examples at every place and wants the parser and the schema to say the same of each.
func TestSchemasAgree(t *testing.T) {
	for docType, docs := range examples(t) {
		schema := compiled(t, docType)
		for i, d := range docs {
			if err := read(d.Bytes()); err != nil {
				t.Errorf("%s %d: %v", docType, i, err)
			}
			if err := schema.Validate(plain(t, d.Bytes())); err != nil {
				t.Errorf("%s %d: %v", docType, i, err)
			}
			agree(t, docType, schema, d.Bytes())
		}
	}
}

func agree(t *testing.T, docType string, schema *jsonschema.Schema, example []byte) {
	t.Helper()
	count := 0
	mutate(plain(t, example), func(how string, changed any) {
		count++
		text, err := json.Marshal(changed)
		if err != nil {
			t.Fatal(err)
		}
		parsed, valid := read(text), schema.Validate(plain(t, text))
		if (parsed == nil) != (valid == nil) && !slices.Contains(onlyGo, how) {
			t.Errorf("%s, %s: the parser says %v, the schema %v", docType, how, parsed, valid)
		}
	})
	if count < 50 {
		t.Errorf("%s: only %d changes were tried", docType, count)
	}
}

// read is what a reader does with a document: the document, what it carries, and the form of the proofs.
func read(text []byte) error {
	d, err := spec.Parse(text)
	if err != nil {
		return err
	}
	docs, err := spec.Approvals(d.Value)
	if err != nil {
		return err
	}
	for _, d := range append(docs, d) {
		if !d.Signed() {
			continue
		}
		if _, err := vc.ReadProof(d.Value); err != nil {
			return err
		}
	}
	return nil
}

// mutate changes one place of a JSON value at a time: each member removed, each object with one more, each scalar of another
// type or saying nothing. What a presentation carries as credentials is left alone: it has schemas of its own.
func mutate(root any, try func(how string, changed any)) {
	var visit func(at any, place string)
	swap := func(object map[string]any, name, place string, values map[string]any) {
		old := object[name]
		for how, v := range values {
			if object[name] = v; !reflect.DeepEqual(v, old) {
				try(how+" "+place, root)
			}
		}
		object[name] = old
	}
	visit = func(at any, place string) {
		switch v := at.(type) {
		case map[string]any:
			v["extra"] = "x"
			try("add to "+place, root)
			delete(v, "extra")
			for _, name := range slices.Sorted(maps.Keys(v)) {
				old, inner := v[name], place+"/"+name
				delete(v, name)
				try("remove "+inner, root)
				v[name] = old
				swap(v, name, inner, replacements(old))
				if name != "verifiableCredential" {
					visit(old, inner)
				}
			}
		case []any:
			for i, e := range v {
				visit(e, place+"/"+strconv.Itoa(i))
			}
		}
	}
	visit(root, "")
}

func replacements(old any) map[string]any {
	values := map[string]any{"null": nil}
	switch old.(type) {
	case string:
		values["number"], values["empty"] = 7, ""
	case bool:
		values["false"], values["string"] = false, "true"
	case json.Number:
		values["zero"], values["string"], values["negative"] = json.Number("0"), "7", -1
	case map[string]any:
		values["string"] = "x"
	case []any:
		values["string"] = "x"
	}
	return values
}

// TestEntrySchema holds the schema of log entries against ParseEntry.
func TestEntrySchema(t *testing.T) {
	schema := compiled(t, "entry")
	for _, e := range entries() {
		if err := schema.Validate(plain(t, e.Bytes())); err != nil {
			t.Errorf("%s: %v", e.Kind, err)
		}
		mutate(plain(t, e.Bytes()), func(how string, changed any) {
			text, err := json.Marshal(changed)
			if err != nil {
				t.Fatal(err)
			}
			v, err := jcs.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			_, parsed := spec.ParseEntry(v.Canonical())
			if valid := schema.Validate(plain(t, text)); (parsed == nil) != (valid == nil) {
				t.Errorf("%s, %s: the parser says %v, the schema %v", e.Kind, how, parsed, valid)
			}
		})
	}
}

// entries is one of each kind; the event has as many links as an entry can have.
func entries() []*spec.Entry {
	digest := func(b byte) string { return jcs.FormatDigest([32]byte{b, 255}) }
	var links []spec.Link
	for i := range spec.MaxChain {
		links = append(links, spec.Link{Chain: digest(byte(i)), Seq: 1<<53 - 1, State: digest(100)})
	}
	slices.SortFunc(links, func(a, b spec.Link) int { return strings.Compare(a.Chain, b.Chain) })
	return []*spec.Entry{
		{V: 1, Kind: spec.EntryRoster, Grantor: "did:web:acme.example", Links: links[:1], Commitment: digest(1)},
		{V: 1, Kind: spec.EntryMandate, Grantor: "did:web:acme.example", Links: links[:1], Commitment: digest(1)},
		{V: 1, Kind: spec.EntryPolicy, Links: links[:1], Commitment: digest(1)},
		{V: 1, Kind: spec.EntryEvent, Links: links, Commitment: digest(1)},
		{V: 1, Kind: spec.EntryHeads, Root: digest(2)},
		{V: 1, Kind: spec.EntrySuccessor, Origin: "writ.acme.example/log2", Key: "writ.acme.example/log2+00000000+AQ==", Size: 1},
	}
}
