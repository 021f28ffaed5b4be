package spec_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/writ-trust/writ/spec"
)

// docTypes are the types of documents that package spec knows.
var docTypes = []string{
	spec.TypeTemplate,
	spec.TypeRoster, spec.TypeMandate, spec.TypeSupplement, spec.TypeReceipt, spec.TypeApproval, spec.TypePresentation,
	spec.TypeDecision, spec.TypeCommit, spec.TypeBegin, spec.TypeReport, spec.TypeNotice, spec.TypePolicy, spec.TypeRefusalCount, spec.TypeErasure,
}

// compiled is the schema of a document type, as a stranger's library reads it.
func compiled(t *testing.T, docType string) *jsonschema.Schema {
	t.Helper()
	text, ok := spec.Schema(docType)
	if !ok {
		t.Fatalf("%s has no schema", docType)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("schema.json", plain(t, text)); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatalf("%s: %v", docType, err)
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

func TestEveryTypeHasASchema(t *testing.T) {
	for _, docType := range append([]string{"entry"}, docTypes...) {
		compiled(t, docType)
	}
	for _, none := range []string{"", "defs", "MandateCredential", "../spec"} {
		if _, ok := spec.Schema(none); ok {
			t.Errorf("%q has a schema", none)
		}
	}
}

// TestContext holds the JSON-LD context against what credentials say at their own level.
func TestContext(t *testing.T) {
	var file struct {
		Context map[string]any `json:"@context"`
	}
	if err := json.Unmarshal(spec.JSONLDContext(), &file); err != nil {
		t.Fatal(err)
	}
	for _, term := range []string{
		"MandateCredential", "RosterCredential", "SupplementCredential", "ReceiptCredential", "MandateApproval", "SourceDocument",
		"mandate", "roster", "supplement", "receipt", "approval", "documentKind", "mode", "action", "request",
	} {
		if file.Context[term] == nil {
			t.Errorf("%s is not defined", term)
		}
	}
	for _, term := range []string{"mandate", "roster", "supplement", "approval", "action", "request"} {
		if d, _ := file.Context[term].(map[string]any); d["@type"] != "@json" {
			t.Errorf("%s is no JSON literal", term)
		}
	}
	receipt, _ := file.Context["receipt"].(map[string]any)
	terms, _ := receipt["@context"].(map[string]any)
	for _, term := range memberNames(spec.ReceiptTerms{}) {
		if terms[term] == nil {
			t.Errorf("%s of a receipt is not defined", term)
		}
	}
}
