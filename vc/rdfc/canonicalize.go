package rdfc

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"github.com/piprate/json-gold/ld"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec/contexts"
)

// What bounds the work of one document, beside the size and depth of the strict parser. The mandates of Writ stay far below.
const (
	maxObjects  = 2048 // JSON objects
	maxContexts = 64   // members named @context
	maxQuads    = 8192
	// maxAlike bounds the blank nodes that look the same from one step away. Telling them apart takes up to the factorial of
	// their number (RDF-CANON §7.1, dataset poisoning); all others are cheap.
	maxAlike = 6
)

// known are the contexts that may be named, by URL, parsed once.
var known = map[string]any{
	"https://www.w3.org/ns/credentials/v2": mustParse(contexts.Credentials),
	"https://w3id.org/writ/v1":             mustParse(contexts.Writ),
}

// mustParse reads a context of the build: a mistake in one panics, and fails every test.
func mustParse(context []byte) any {
	var v any
	if err := json.Unmarshal(context, &v); err != nil {
		panic(err)
	}
	return v
}

// loader gives the JSON-LD processor the contexts that are known, and nothing else.
type loader map[string]any

// LoadDocument implements ld.DocumentLoader.
func (l loader) LoadDocument(url string) (*ld.RemoteDocument, error) {
	context, ok := l[url]
	if !ok {
		return nil, refuse("rdf-context", "/@context", "no context of this build")
	}
	return &ld.RemoteDocument{DocumentURL: url, Document: ld.CloneDocument(context)}, nil
}

// Canonicalize returns the statements of a document as canonical N-Quads (RDFC-1.0). It refuses what JSON-LD would silently
// leave out, so that whatever a document says is in them: terms without a definition, relative references, keywords, contexts
// other than the two of this build. Reasons: rdf-context, rdf-keyword, rdf-term, rdf-reference, rdf-character, rdf-size,
// rdf-poison, rdf-processing.
func Canonicalize(doc jcs.Value) ([]byte, error) { return canonicalize(doc, known) }

func canonicalize(doc jcs.Value, contexts loader) (quads []byte, err error) {
	// The processor is not ours and assumes well-formed input in places; what it cannot take is refused, not fatal.
	defer func() {
		if recover() != nil {
			quads, err = nil, refuse("rdf-processing", "", "the document cannot be read as JSON-LD")
		}
	}()
	c := census{contexts: contexts}
	if err := c.count(doc, ""); err != nil {
		return nil, err
	}
	dataset, err := statements(doc, contexts)
	if err != nil {
		return nil, err
	}
	if err := checkDataset(dataset); err != nil {
		return nil, err
	}
	lines, err := ld.NewJsonLdApi().Normalize(dataset, options(contexts))
	if err != nil {
		return nil, refuse("rdf-processing", "", "%v", err)
	}
	return []byte(lines.(string)), nil
}

func options(contexts loader) *ld.JsonLdOptions {
	o := ld.NewJsonLdOptions("")
	o.ProcessingMode = ld.JsonLd_1_1
	o.DocumentLoader = contexts
	o.SafeMode = true
	o.Algorithm = ld.AlgorithmURDNA2015 // RDFC-1.0 under its older name; where they differ is refused by checkText
	o.Format = "application/n-quads"
	return o
}

// statements reads a document as JSON-LD 1.1.
func statements(doc jcs.Value, contexts loader) (*ld.RDFDataset, error) {
	var input any
	decoder := json.NewDecoder(bytes.NewReader(doc.Canonical()))
	if err := decoder.Decode(&input); err != nil {
		return nil, err
	}
	o := options(contexts)
	expanded, err := ld.NewJsonLdProcessor().Expand(input, o)
	if err != nil {
		return nil, processing(err)
	}
	if err := checkExpanded(expanded); err != nil {
		return nil, err
	}
	putInGraphs(expanded)
	dataset, err := ld.NewJsonLdApi().ToRDF(expanded, o)
	if err != nil {
		return nil, processing(err)
	}
	return dataset, nil
}

// presented is the property whose values are graphs of their own, so that a presentation states nothing that its credentials do.
const presented = "https://www.w3.org/2018/credentials#verifiableCredential"

// putInGraphs wraps the values of presented, wherever they stand, as JSON-LD 1.1 API §5.1.2 step 13.14 has it: the processor looks
// for the container of a term in the context that the term puts in force, which for this one is none.
func putInGraphs(v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			putInGraphs(e)
		}
	case map[string]any:
		for name, member := range v {
			if name == "@value" {
				continue
			}
			putInGraphs(member)
			values, _ := member.([]any)
			for i := range values {
				if name == presented && !ld.IsGraph(values[i]) {
					values[i] = map[string]any{"@graph": []any{values[i]}}
				}
			}
		}
	}
}

// processing gives an error of the JSON-LD processor a reason of ours.
func processing(err error) error {
	var ours *Error
	if errors.As(err, &ours) {
		return ours
	}
	var theirs *ld.JsonLdError
	if errors.As(err, &theirs) && theirs.Code == ld.InvalidProperty {
		return refuse("rdf-term", "", "a member has no meaning in these contexts")
	}
	return refuse("rdf-processing", "", "the document cannot be read as JSON-LD")
}

// census counts what makes a document expensive and refuses what would make it mean something else.
type census struct {
	contexts           loader
	objects, contexted int
}

func (c *census) count(v jcs.Value, pointer string) error {
	for _, e := range v.Elements() {
		if err := c.count(e, pointer); err != nil {
			return err
		}
	}
	if v.Kind() != jcs.Object {
		return nil
	}
	if c.objects++; c.objects > maxObjects {
		return refuse("rdf-size", "", "more than %d objects", maxObjects)
	}
	for _, m := range v.Members() {
		at := pointer + "/" + m.Name
		switch {
		case m.Name == "@context":
			if err := c.context(m.Value, at); err != nil {
				return err
			}
			continue
		case strings.HasPrefix(m.Name, "@"):
			return refuse("rdf-keyword", at, "keywords are written as terms")
		}
		if err := c.count(m.Value, at); err != nil {
			return err
		}
	}
	return nil
}

// context admits a list of known URLs.
func (c *census) context(v jcs.Value, at string) error {
	if c.contexted++; c.contexted > maxContexts {
		return refuse("rdf-size", at, "more than %d contexts", maxContexts)
	}
	if v.Kind() != jcs.Array || len(v.Elements()) > len(c.contexts) {
		return refuse("rdf-context", at, "not a list of known contexts")
	}
	for _, e := range v.Elements() {
		if url, _ := e.Text(); c.contexts[url] == nil {
			return refuse("rdf-context", at, "not a list of known contexts")
		}
	}
	return nil
}

// checkExpanded refuses references that would not become statements: relative ones, which nothing resolves here.
func checkExpanded(v any) error {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			if err := checkExpanded(e); err != nil {
				return err
			}
		}
	case map[string]any:
		if v["@value"] != nil { // a literal; what a JSON literal holds is no JSON-LD
			return checkDatatype(v["@type"])
		}
		for name, member := range v {
			err := checkExpanded(member)
			switch {
			case err != nil:
				return err
			case name == "@id" || name == "@type":
				err = checkReferences(member)
			case !ld.IsKeyword(name):
				err = checkReferences(name)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func checkDatatype(v any) error {
	if v == nil || v == "@json" {
		return nil
	}
	return checkReferences(v)
}

// checkReferences wants absolute IRIs (blank node labels become statements too), one or a list of them.
func checkReferences(v any) error {
	if list, ok := v.([]any); ok {
		for _, e := range list {
			if err := checkReferences(e); err != nil {
				return err
			}
		}
		return nil
	}
	s, _ := v.(string)
	if strings.HasPrefix(s, "_:") {
		return refuse("rdf-reference", "", "blank nodes have no names here")
	}
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || scheme == "" || rest == "" || strings.ContainsAny(scheme, "/?#") || !isIRI(s) {
		return refuse("rdf-reference", "", "a type or reference that is no absolute IRI")
	}
	return nil
}

// isIRI reports whether s has no character that an IRI cannot have in N-Quads (IRIREF).
func isIRI(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || strings.ContainsRune("<>\"{}|^`\\", r) }) < 0
}
