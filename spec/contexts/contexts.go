// Package contexts holds the JSON-LD contexts that Writ's credentials name, as bytes: they are part of the build and are never
// fetched. Writ signs canonical JSON and reads neither; they are for vc/rdfc, which signs RDF for others.
package contexts

import _ "embed"

// Credentials is what https://www.w3.org/ns/credentials/v2 names (VCDM 2.0 appendix B.1). The caller must not modify it.
//
//go:embed credentials-v2.jsonld
var Credentials []byte

// Writ is what https://w3id.org/writ/v1 names. The caller must not modify it.
//
//go:embed writ-v1.jsonld
var Writ []byte
