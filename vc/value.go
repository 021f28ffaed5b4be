package vc

import "github.com/writ-trust/writ/internal/jcs"

// Value is a parsed JSON document or a part of one. It keeps its canonical bytes (RFC 8785), from
// which proofs are computed.
type Value = jcs.Value

// Parse reads a document: strict I-JSON (RFC 7493) within Writ's profile, at most 256 KiB and 32
// levels deep, without null, empty arrays or objects. What it refuses has no signature worth
// checking.
func Parse(data []byte) (Value, error) { return jcs.ParseDocument(data) }
