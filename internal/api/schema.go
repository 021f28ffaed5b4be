package api

import (
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec"
	"github.com/writ-trust/writ/verifier"
)

// Bodies that are no shape of wire.go.
type (
	unsigned struct{} // a credential without proof and approvals, incomplete
	bundle   struct{}

	statusList struct{}
)

// description is the head of spec/openapi.yaml.
func description() *huma.OpenAPI {
	return &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{Title: "Writ", Version: Version, License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
			Description: "Agents' mandates, decisions and receipts. Signed documents are JSON of their own schemas (schemas/), read " +
				"strictly: unknown members, null and empty arrays or objects are refused. Absent is absent in answers too. " +
				"Every error is a problem document with a stable code; writ explain says what each means. Query parameters that an operation " +
				"does not have are refused."},
		Components: &huma.Components{SecuritySchemes: map[string]*huma.SecurityScheme{
			"apiKey": {Type: "http", Scheme: "bearer", Description: "An API key: wk_live_… or wk_test_…"}}},
	}
}

// describe says in the OpenAPI document what an operation takes and gives, from the tags of wire.go.
func (s *Server) describe(o operation) {
	item := s.api.OpenAPI().Paths[o.path]
	op := map[string]*huma.Operation{http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodDelete: item.Delete}[o.method]
	if o.scope != "" {
		op.Security = []map[string][]string{{"apiKey": {}}}
		op.Description = "Needs the scope " + o.scope + "."
	}
	if o.takes != nil {
		op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: s.schemaOf(o.takes)}}}
	}
	mediaType := "application/json"
	switch o.gives.(type) {
	case bundle:
		mediaType = verifier.BundleType
	case statusList:
		mediaType = credentialType
	}
	for _, own := range []string{"ErrorModel", "ErrorDetail"} { // huma's, which no answer of ours has
		delete(s.api.OpenAPI().Components.Schemas.Map(), own)
	}
	op.Responses = map[string]*huma.Response{
		strconv.Itoa(o.status): {Description: http.StatusText(o.status), Content: map[string]*huma.MediaType{mediaType: {Schema: s.schemaOf(o.gives)}}},
		"default":              {Description: "A problem", Content: map[string]*huma.MediaType{problemType: {Schema: s.schemaOf(problem{})}}},
	}
}

// describePublic says what everybody may read outside /v1.
func (s *Server) describePublic(path, summary, mediaType string) {
	o := &huma.Operation{Method: http.MethodGet, Path: path, Summary: summary, Responses: map[string]*huma.Response{
		"200": {Description: http.StatusText(http.StatusOK), Content: map[string]*huma.MediaType{mediaType: {Schema: &huma.Schema{Type: huma.TypeString}}}}}}
	if name, has := strings.CutPrefix(path, "/log/tile/"); has {
		o.Parameters = []*huma.Param{{Name: strings.Trim(name, "{}"), In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}}
	}
	s.api.OpenAPI().AddOperation(o)
}

// schemaOf is the schema of what an operation takes or gives.
func (s *Server) schemaOf(body any) *huma.Schema {
	switch b := body.(type) {
	case string:
		return &huma.Schema{Ref: "schemas/" + b + ".json"}
	case unsigned:
		return &huma.Schema{Type: huma.TypeObject, Description: "A MandateCredential, RosterCredential or PolicyCredential without proof and " +
			"approvals; @context, type, id, issuer, salt and ledger (a roster's or policy's log) are filled in where they are absent"}
	case bundle:
		return &huma.Schema{Type: huma.TypeObject, Description: "A bundle: see writ verify"}
	case statusList:
		return &huma.Schema{Type: huma.TypeObject, Description: "A BitstringStatusListCredential (W3C Bitstring Status List 1.0) with two proofs, or with ?proof=jcs one"}
	}
	t := reflect.TypeOf(body)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return s.typeSchema(t)
}

// typeSchema is the schema of a Go type; structs stand once, under components.
func (s *Server) typeSchema(t reflect.Type) *huma.Schema {
	switch t {
	case reflect.TypeFor[jcs.Value]():
		return &huma.Schema{}
	case reflect.TypeFor[spec.Time]():
		return &huma.Schema{Type: huma.TypeString, Format: "date-time"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return s.typeSchema(t.Elem())
	case reflect.Slice:
		return &huma.Schema{Type: huma.TypeArray, Items: s.typeSchema(t.Elem())}
	case reflect.Map:
		return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: s.typeSchema(t.Elem())}
	case reflect.Struct:
		return s.structSchema(t)
	case reflect.Bool:
		return &huma.Schema{Type: huma.TypeBoolean}
	case reflect.Int, reflect.Int64:
		return &huma.Schema{Type: huma.TypeInteger}
	}
	return &huma.Schema{Type: huma.TypeString}
}

func (s *Server) structSchema(t reflect.Type) *huma.Schema {
	name := strings.ToUpper(t.Name()[:1]) + t.Name()[1:]
	all := s.api.OpenAPI().Components.Schemas.Map()
	if all[name] == nil {
		o := &huma.Schema{Type: huma.TypeObject, AdditionalProperties: false, Properties: map[string]*huma.Schema{}}
		all[name] = o // before its members: a recovery holds an answer that holds a recovery
		s.addMembers(o, t)
	}
	return &huma.Schema{Ref: "#/components/schemas/" + name}
}

// addMembers adds a struct's members, those of embedded structs included.
func (s *Server) addMembers(o *huma.Schema, t reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("json")
		if f.Anonymous && tag == "" {
			s.addMembers(o, f.Type)
			continue
		}
		name, option, _ := strings.Cut(tag, ",")
		o.Properties[name] = s.memberSchema(f)
		if option == "" {
			o.Required = append(o.Required, name)
		}
	}
}

func (s *Server) memberSchema(f reflect.StructField) *huma.Schema {
	m := s.typeSchema(f.Type)
	if ref := f.Tag.Get("ref"); ref != "" {
		m = s.schemaOf(ref)
	}
	m.Description = f.Tag.Get("doc")
	return m
}
