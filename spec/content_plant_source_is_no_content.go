//go:build plant_source_is_no_content

package spec

import "github.com/writ-trust/writ/internal/jcs"

// Planted: no evidence is content, so the source document can be swapped.

func evidenceOfContent(jcs.Value) []jcs.Value { return nil }
