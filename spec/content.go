//go:build !plant_source_is_no_content

package spec

import "github.com/writ-trust/writ/internal/jcs"

// Promise: all of a credential but its proof and its approvals is its content (invariant 2).

// evidenceOfContent leaves the approvals out: they are about the content, and no part of it.
func evidenceOfContent(evidence jcs.Value) []jcs.Value {
	var kept []jcs.Value
	for _, e := range evidence.Elements() {
		if !isApprovalEntry(e) {
			kept = append(kept, e)
		}
	}
	return kept
}
