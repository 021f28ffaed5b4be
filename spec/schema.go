package spec

import (
	"embed"
	"strings"
	"sync"

	"github.com/writ-trust/writ/internal/jcs"
	"github.com/writ-trust/writ/spec/rule"
)

//go:embed schemas/*.json
var schemaFiles embed.FS

//go:embed contexts/writ-v1.jsonld
var contextFile []byte

// JSONLDContext is the JSON-LD context that ContextWrit names. The caller must not modify it.
func JSONLDContext() []byte { return contextFile }

// Schema returns the JSON Schema (2020-12) of a document type, or of "entry", "bundle" or "trust", complete in itself: what the
// files in schemas share, and the constraint types of package rule, are under $defs. It says the form of a document; what
// compares members, looks up a currency or checks a signature is left to Parse. The caller must not modify it.
func Schema(docType string) ([]byte, bool) {
	s, ok := schemas()[docType]
	return s, ok
}

// schemas are all of them, made once. The files are part of the build, so a mistake in one panics (and fails every test).
var schemas = sync.OnceValue(func() map[string][]byte {
	shared := parseSchema("defs.json")
	defs, _ := shared.Member("$defs")
	defs = defs.With("constraint", constraintSchema())
	entries, err := schemaFiles.ReadDir("schemas")
	if err != nil {
		panic(err)
	}
	all := map[string][]byte{}
	for _, e := range entries {
		if name, isType := strings.CutSuffix(e.Name(), ".json"); isType && name != "defs" {
			s := parseSchema(e.Name())
			all[name] = s.With("$defs", defsOf(s, defs)).Canonical()
		}
	}
	return all
})

func parseSchema(name string) jcs.Value {
	data, err := schemaFiles.ReadFile("schemas/" + name)
	if err != nil {
		panic(err)
	}
	return mustParse(string(data))
}

func mustParse(text string) jcs.Value {
	v, err := jcs.Parse([]byte(text))
	if err != nil {
		panic(err)
	}
	return v
}

// constraintSchema is one of the schemas that the constraint types bring along.
func constraintSchema() jcs.Value {
	var all []string
	for _, t := range rule.Types() {
		all = append(all, rule.Schema(t))
	}
	return mustParse(`{"oneOf":[` + strings.Join(all, ",") + `]}`)
}

// defsOf are those of the definitions that v refers to, and those that they refer to.
func defsOf(v, defs jcs.Value) jcs.Value {
	var used jcs.Value
	open := []jcs.Value{v}
	for len(open) > 0 {
		for _, name := range refsIn(open[0]) {
			d, known := defs.Member(name)
			if !known {
				panic("spec: no definition of " + name)
			}
			if _, seen := used.Member(name); !seen {
				used, open = used.With(name, d), append(open, d)
			}
		}
		open = open[1:]
	}
	return used
}

// refsIn lists the names of the definitions that a schema refers to.
func refsIn(v jcs.Value) []string {
	var names []string
	for _, part := range strings.Split(string(v.Canonical()), `"$ref":"#/$defs/`)[1:] {
		name, _, _ := strings.Cut(part, `"`)
		names = append(names, name)
	}
	return names
}
